//! The stored data of a session.

use crate::binding::Binding;
use crate::error::{Lifetime, Reason, Refusal};
use crate::id::SessionId;
use crate::refresh_token::{Name, SALT};
use alloc::string::String;
use core::fmt;
use core::time::Duration;
use countersign::UnixTime;

/// The stored data of a session: one row for one login on one device.
///
/// It makes no token without the master key. The machine creates rows, and a store only keeps them: write
/// [`to_bytes`](Self::to_bytes) into one column and read it with [`from_bytes`](Self::from_bytes). Use
/// [`session_id`](Self::session_id) as the key, and keep [`version`](Self::version), [`subject`](Self::subject),
/// [`purge_after`](Self::purge_after) and whether it was [`revoked`](Self::revoked) in separate columns for queries.
///
/// # Examples
///
/// ```
/// # use countersign_session::{Config, Login, Machine, MasterKeys, Randomness};
/// # use countersign::{SystemEntropy, UnixTime};
/// # let now = UnixTime::from_secs(0);
/// # let config = Config::builder("https://auth.example", "https://api.example").build()?;
/// # let machine = Machine::new(config, MasterKeys::new(1, [7; 32])?);
/// # let random = Randomness::draw(&SystemEntropy::new())?;
/// use countersign_session::Row;
///
/// # let row = machine.login(&Login::new("ann"), 0, now, &random)?.write.unwrap().row;
/// assert_eq!(row.subject(), "ann");
/// assert_eq!(Row::from_bytes(&row.to_bytes())?, row);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    pub(crate) session: SessionId,
    pub(crate) version: u64,
    pub(crate) subject: String,
    pub(crate) label: String,
    pub(crate) scope: String,
    pub(crate) client: String,
    pub(crate) subject_epoch: u64,
    pub(crate) generation: u64,
    /// The master key and the salt of the present generation, and of the previous one. Because the row has the `kid`, a stolen
    /// former master key makes no token of a generation that a newer key has made.
    pub(crate) present: Maker,
    pub(crate) previous: Maker,
    pub(crate) created_at: UnixTime,
    pub(crate) rotated_at: UnixTime,
    pub(crate) idle_until: UnixTime,
    pub(crate) absolute_until: UnixTime,
    pub(crate) access_until: UnixTime,
    pub(crate) binding: Binding,
    pub(crate) revoked: Option<(UnixTime, Reason)>,
}

/// The inputs of a generation's token, besides its name.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Maker {
    pub(crate) kid: u32,
    pub(crate) salt: [u8; SALT],
}

impl Row {
    /// Returns the id of the session, the key of the row.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        self.session
    }

    /// Returns how often the row has been written, including the first time.
    /// [`compare_and_swap`](crate::Store::compare_and_swap) compares it.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Returns the subject of the session.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Returns the label of the login, by which its subject recognises it: "Firefox on Linux".
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Returns the scope of its access tokens: names separated by spaces, or an empty text.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// Returns the client that began the session, or an empty text.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client
    }

    /// Returns the subject's epoch at login.
    #[must_use]
    pub const fn subject_epoch(&self) -> u64 {
        self.subject_epoch
    }

    /// Returns how many refresh tokens the session has had, including that of the login.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the binding that requests must present together with its tokens.
    #[must_use]
    pub const fn binding(&self) -> &Binding {
        &self.binding
    }

    /// Returns when the session began. With a cap on sessions, it may be later by at most a day, so that the session sorts
    /// after those that began before it in the same second or by another clock.
    #[must_use]
    pub const fn created_at(&self) -> UnixTime {
        self.created_at
    }

    /// Returns when the refresh token was last exchanged.
    #[must_use]
    pub const fn rotated_at(&self) -> UnixTime {
        self.rotated_at
    }

    /// Returns when the session ends without another exchange.
    #[must_use]
    pub fn expires_at(&self) -> UnixTime {
        self.idle_until.min(self.absolute_until)
    }

    /// Returns the latest `exp` of an access token of this session.
    #[must_use]
    pub const fn access_until(&self) -> UnixTime {
        self.access_until
    }

    /// Returns when and why the session was ended, if it was.
    #[must_use]
    pub const fn revoked(&self) -> Option<(UnixTime, Reason)> {
        self.revoked
    }

    /// Returns the time after which [`purge`](crate::Store::purge) may remove the row: an hour after the end of the session and
    /// of its last access token. Each write changes it: an exchange makes it later, and the end of the session usually makes it
    /// earlier.
    #[must_use]
    pub fn purge_after(&self) -> UnixTime {
        let over = self.access_until.max(match self.revoked {
            None => self.expires_at(),
            // The denial is written after the row. If that fails, the next exchange repeats it. For this it needs the row until
            // the last access token has expired.
            Some((ended, Reason::Rollback)) => {
                ended.saturating_add(self.access_until.saturating_duration_since(self.rotated_at))
            }
            // The server refuses an ended row like an absent one, and the denial is stored separately.
            Some(_) => self.access_until,
        });
        // An hour is longer than any skew and leeway.
        over.saturating_add(Duration::from_secs(3600))
    }

    /// Checks that the session can still be exchanged at `now`, in the subject's present epoch.
    pub(crate) fn check_alive(&self, epoch: u64, now: UnixTime, skew: Duration) -> Result<(), Refusal> {
        if let Some((_, reason)) = self.revoked {
            return Err(Refusal::Revoked(reason));
        }
        // No allowance for clocks, because the access token ends here too, and would have no lifetime left.
        if now >= self.absolute_until {
            return Err(Refusal::Expired(Lifetime::Absolute));
        }
        if now >= self.idle_until.saturating_add(skew) {
            return Err(Refusal::Expired(Lifetime::Idle));
        }
        // If the row's epoch is in the future, the store has lost an epoch, and cannot tell whether all sessions were ended.
        if self.subject_epoch != epoch {
            return Err(Refusal::StaleEpoch);
        }
        Ok(())
    }

    /// Returns the name of the present refresh token.
    pub(crate) const fn present_name(&self) -> Name {
        Name { kid: self.present.kid, session: self.session, generation: self.generation }
    }

    /// Returns the same row with the next version.
    pub(crate) fn next_version(&self) -> Self {
        Self { version: self.version.saturating_add(1), ..self.clone() }
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("session", &self.session)
            .field("version", &self.version)
            .field("subject", &self.subject)
            .field("generation", &self.generation)
            .field("revoked", &self.revoked)
            .finish_non_exhaustive()
    }
}
