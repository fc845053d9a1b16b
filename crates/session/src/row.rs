//! What the store keeps of a session.

use crate::binding::Binding;
use crate::error::{Lifetime, Reason, Refusal};
use crate::id::SessionId;
use crate::refresh_token::{Name, SALT};
use alloc::string::String;
use core::fmt;
use core::time::Duration;
use countersign::UnixTime;

/// What the store keeps of a session: one row for one login on one device.
///
/// No token can be made of it without the master key. The machine makes rows, a store only carries them:
/// [`to_bytes`](Self::to_bytes) into one column and [`from_bytes`](Self::from_bytes) out of it, with
/// [`session_id`](Self::session_id) as key, and [`version`](Self::version), [`subject`](Self::subject),
/// [`purge_after`](Self::purge_after) and whether it was [`revoked`](Self::revoked) in columns of their own, to be found by.
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
    /// The master key and the salt of the present generation, and of the one before. With the kid in the row, a former
    /// master key that was stolen makes no token of a generation that a newer one has made.
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

/// What the token of one generation is made of, besides its name.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Maker {
    pub(crate) kid: u32,
    pub(crate) salt: [u8; SALT],
}

impl Row {
    /// Its key.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        self.session
    }

    /// How often it has been written, the first time counted: what
    /// [`compare_and_swap`](crate::Store::compare_and_swap) compares.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// Whose session it is.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What the login was called for its subject to recognise: "Firefox on Linux".
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// What its access tokens allow: names with a space between them, or nothing.
    #[must_use]
    pub fn scope(&self) -> &str {
        &self.scope
    }

    /// The client that it was begun with, or nothing.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client
    }

    /// The subject's epoch at login.
    #[must_use]
    pub const fn subject_epoch(&self) -> u64 {
        self.subject_epoch
    }

    /// How many refresh tokens it has had, the login's counted.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.generation
    }

    /// What requests must present together with its tokens.
    #[must_use]
    pub const fn binding(&self) -> &Binding {
        &self.binding
    }

    /// When it began. Where sessions have a cap, it may be later, by a day at most, so that it stands behind those that
    /// began before it, by another clock or in the same second.
    #[must_use]
    pub const fn created_at(&self) -> UnixTime {
        self.created_at
    }

    /// When its refresh token was exchanged last.
    #[must_use]
    pub const fn rotated_at(&self) -> UnixTime {
        self.rotated_at
    }

    /// When it ends if nothing happens.
    #[must_use]
    pub fn expires_at(&self) -> UnixTime {
        self.idle_until.min(self.absolute_until)
    }

    /// The latest `exp` of an access token of this session.
    #[must_use]
    pub const fn access_until(&self) -> UnixTime {
        self.access_until
    }

    /// When and why it was ended, if it was.
    #[must_use]
    pub const fn revoked(&self) -> Option<(UnixTime, Reason)> {
        self.revoked
    }

    /// The moment after which [`purge`](crate::Store::purge) may take it away: an hour after the session and its
    /// last access token are over. It moves with each write: later with an exchange, and as a rule earlier when the
    /// session is ended.
    #[must_use]
    pub fn purge_after(&self) -> UnixTime {
        let over = self.access_until.max(match self.revoked {
            None => self.expires_at(),
            // The denial is written after the row. If it fails, the next exchange repeats it, which needs the row until the last
            // access token has expired.
            Some((ended, Reason::Rollback)) => {
                ended.saturating_add(self.access_until.saturating_duration_since(self.rotated_at))
            }
            // A row that was ended is refused like one that is gone, and its denial is kept by itself.
            Some(_) => self.access_until,
        });
        // An hour is beyond any skew and leeway.
        over.saturating_add(Duration::from_secs(3600))
    }

    /// Whether the session can still be exchanged at `now`, in the subject's present epoch.
    pub(crate) fn check_alive(&self, epoch: u64, now: UnixTime, skew: Duration) -> Result<(), Refusal> {
        if let Some((_, reason)) = self.revoked {
            return Err(Refusal::Revoked(reason));
        }
        // Without an allowance for clocks: an access token ends here too, so there would be none to give.
        if now >= self.absolute_until {
            return Err(Refusal::Expired(Lifetime::Absolute));
        }
        if now >= self.idle_until.saturating_add(skew) {
            return Err(Refusal::Expired(Lifetime::Idle));
        }
        // An epoch that is yet to come was lost by the store, and with it whether all sessions have been ended.
        if self.subject_epoch != epoch {
            return Err(Refusal::StaleEpoch);
        }
        Ok(())
    }

    /// The name of the present refresh token.
    pub(crate) const fn present_name(&self) -> Name {
        Name { kid: self.present.kid, session: self.session, generation: self.generation }
    }

    /// The same row, to be written over itself.
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
