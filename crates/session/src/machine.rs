//! The rules of sessions. From a row, an event, the time and some randomness, they compute what to write and what to answer
//! once it is written. They use no store and no clock.

use crate::binding::{Binding, Match};
use crate::config::{Config, OnMismatch};
use crate::denial::{Denial, DenyOrder, MOST_LEEWAY};
use crate::error::{Error, Lifetime, Reason, Recency, Refusal};
use crate::event::{Event, EventKind};
use crate::grant::{Exchange, Grant, Randomness};
use crate::login::Login;
use crate::master_keys::MasterKeys;
use crate::refresh_token::{AuthenticToken, Name};
use crate::row::{Maker, Row};
use alloc::string::String;
use alloc::sync::Arc;
use core::cmp::Ordering;
use countersign::SignError;
use countersign::UnixTime;
use countersign::jws::Prepared;
use countersign::{Key, SignKey};
use serde::Serialize;

/// The rules of sessions as pure functions. [`Sessions`](crate::Sessions) drives them over a [`Store`](crate::Store); a test,
/// or your own code, can drive them without either.
///
/// Each function takes the content of the store and returns a [`Step`]: what to write, and what to answer *if* the write
/// succeeds. If it fails because another call has written first, drop the step, load again and call again.
///
/// # Examples
///
/// ```
/// use countersign_session::{Binding, Config, Loaded, Login, Machine, MasterKeys, Randomness};
/// use countersign::{SystemEntropy, UnixTime};
///
/// let config = Config::builder("https://auth.example", "https://api.example").build()?;
/// let machine = Machine::new(config, MasterKeys::new(1, [7; 32])?);
/// let draw = || Randomness::draw(&SystemEntropy::new());
/// let now = UnixTime::from_secs(1_700_000_000);
///
/// let step = machine.login(&Login::new("ann"), 0, now, &draw()?)?;
/// let row = step.write.expect("a login writes").row; // the store's whole content
/// let grant = step.reply?;
///
/// let token = machine.authenticate(grant.refresh_token().expose_secret())?;
/// let loaded = Loaded::new(row, 0);
/// let step = machine.refresh(&token, Some(&loaded), &Binding::None, now, &draw()?);
/// assert_eq!(step.write.expect("an exchange writes").row.generation(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Machine {
    config: Arc<Config>,
    keys: MasterKeys,
}

/// The data of a session in the store: its row, and the present epoch of its subject.
///
/// # Examples
///
/// ```
/// use countersign_session::{Loaded, Row, StoreError};
///
/// fn read(column: &[u8], epoch: u64) -> Result<Loaded, StoreError> {
///     Ok(Loaded::new(Row::from_bytes(column)?, epoch))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    pub(crate) row: Row,
    pub(crate) subject_epoch: u64,
}

impl Loaded {
    /// Combines a row with its subject's epoch. Read the epoch with the row or after it, never before.
    #[must_use]
    pub const fn new(row: Row, subject_epoch: u64) -> Self {
        Self { row, subject_epoch }
    }

    /// Returns the row.
    #[must_use]
    pub const fn row(&self) -> &Row {
        &self.row
    }

    /// Returns the epoch.
    #[must_use]
    pub const fn subject_epoch(&self) -> u64 {
        self.subject_epoch
    }
}

/// What to store, what to answer once it is stored, and the event to report.
///
/// # Examples
///
/// See [`Machine`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Step<R = Grant> {
    /// What must be written before the answer is sent. The machine itself does not write.
    pub write: Option<Write>,
    /// The answer after the write. The only error here is [`Error::InvalidGrant`].
    pub reply: Result<R, Error>,
    /// The event to report after the write.
    pub event: Option<Event>,
}

/// A row to write, and its denial.
///
/// # Examples
///
/// See [`Machine`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Write {
    /// The version that the store must still hold; `None` for a new row.
    pub replaces: Option<u64>,
    /// The row.
    pub row: Row,
    /// The entry for the denylist, written before or after the row. In one transaction, the order does not matter.
    pub deny: Option<Denial>,
}

impl<R> Step<R> {
    const fn refused(refusal: Refusal) -> Self {
        Self { write: None, reply: Err(Error::InvalidGrant(refusal)), event: None }
    }
}

impl Machine {
    /// Creates a machine with these rules and keys.
    #[must_use]
    pub fn new(config: Config, keys: MasterKeys) -> Self {
        Self { config: Arc::new(config), keys }
    }

    /// Returns the rules.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Checks that a text is a refresh token that was issued here. Needs no store.
    ///
    /// # Errors
    ///
    /// As [`MasterKeys::authenticate`]. Such a text changes nothing and causes no event.
    pub fn authenticate(&self, text: &str) -> Result<AuthenticToken, Error> {
        self.keys.authenticate(text)
    }

    /// Begins a session in the subject's present epoch.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidLogin`] for a login that cannot be stored; [`Error::InvalidGrant`] for a login
    /// [`in_epoch`](Login::in_epoch) of an earlier epoch.
    pub fn login(
        &self,
        login: &Login,
        subject_epoch: u64,
        now: UnixTime,
        random: &Randomness,
    ) -> Result<Step, Error> {
        self.login_counted(login, subject_epoch, (now, now), random)
    }

    /// Begins a session as [`login`](Self::login) does, with another time for the order of the subject's sessions.
    pub(crate) fn login_counted(
        &self,
        login: &Login,
        subject_epoch: u64,
        (now, created_at): (UnixTime, UnixTime),
        random: &Randomness,
    ) -> Result<Step, Error> {
        login.check()?;
        login.check_epoch(subject_epoch)?;
        if self.config.binding_required && login.binding.is_none() {
            return Err(Error::InvalidLogin { field: "binding" });
        }
        let absolute_until = now.saturating_add(self.config.absolute);
        let row = Row {
            session: random.session,
            version: 1,
            subject: login.subject.clone(),
            label: login.label.clone(),
            scope: login.scope.clone(),
            client: login.client.clone(),
            subject_epoch,
            generation: 1,
            present: Maker { kid: self.keys.current(), salt: random.salt },
            previous: Maker::default(),
            created_at,
            rotated_at: now,
            idle_until: now.saturating_add(self.config.idle).min(absolute_until),
            absolute_until,
            access_until: now.saturating_add(self.config.access).min(absolute_until),
            binding: login.binding,
            revoked: None,
        };
        let access_until = row.access_until;
        let event = event(EventKind::Issued, &row, now);
        let reply = self.grant(row.clone(), Exchange::Login, access_until, now, random);
        Ok(Step { write: Some(Write { replaces: None, row, deny: None }), reply, event: Some(event) })
    }

    /// Exchanges a refresh token for its successor, or refuses it.
    ///
    /// The checks come in this order: the row exists; the session is alive; its binding; its generation. See [`Refusal`] for
    /// the outcomes. Only [`Refusal::BindingMismatch`], [`Refusal::Reused`] and [`Refusal::RolledBack`] write.
    #[must_use]
    pub fn refresh(
        &self,
        token: &AuthenticToken,
        loaded: Option<&Loaded>,
        binding: &Binding,
        now: UnixTime,
        random: &Randomness,
    ) -> Step {
        let Some(loaded) = loaded.filter(|loaded| loaded.row.session == token.session_id()) else {
            return Step::refused(Refusal::UnknownSession);
        };
        let row = &loaded.row;
        if let Err(refusal) = row.check_alive(loaded.subject_epoch, now, self.config.skew) {
            return Step::refused(refusal);
        }
        match row.binding.compare(binding) {
            Match::Same if self.config.binding_required && row.binding.is_none() => {
                Step::refused(Refusal::BindingMissing)
            }
            Match::Same => self.exchange(token, row, now, random),
            Match::Missing => Step::refused(Refusal::BindingMissing),
            Match::Different => self.mismatch(row, now),
        }
    }

    /// Ends a session on purpose. Returns `None` if the session and its access tokens have ended already, so that there is
    /// nothing to do.
    #[must_use]
    pub fn revoke(&self, row: &Row, reason: Reason, now: UnixTime) -> Option<Step<()>> {
        // Use the clock of a server that lags, because that server might still exchange the token.
        let earliest = now.saturating_sub(self.config.skew);
        let over = row.check_alive(row.subject_epoch, earliest, self.config.skew).is_err();
        // An access token may outlive the session: by the leeway of verifiers, or because an answer was repeated late.
        if row.revoked.is_some() || (over && now >= self.beyond_leeway(row.access_until)) {
            return None;
        }
        Some(Step {
            write: Some(self.end(row, reason, now)),
            reply: Ok(()),
            event: Some(event(EventKind::Revoked(reason), row, now)),
        })
    }

    /// Returns how long access tokens issued until `now` have to be denied, if all were issued under these rules.
    #[must_use]
    pub fn deny_until(&self, now: UnixTime) -> UnixTime {
        self.beyond_leeway(now.saturating_add(self.config.access))
    }

    /// Signs the access token of a grant, with your own claims in addition to those of the session. Call it once for each
    /// grant, because a second token would have the same `jti`.
    ///
    /// # Errors
    ///
    /// [`SignError::DuplicateClaim`] for a claim that the token already has: `iss`, `sub`, `aud`, `exp`, `iat`, `jti`,
    /// `client_id`, `sid`, `sub_epoch`, `scope`, `cnf`; otherwise as [`Claims::sign`](countersign::Claims::sign).
    pub fn access_token<T: Serialize>(
        &self,
        grant: &Grant,
        claims: &T,
        key: &(impl SignKey + ?Sized),
    ) -> Result<String, SignError> {
        grant.sign(&self.config, claims, key)
    }

    /// Prepares the access token as [`access_token`](Self::access_token) does, for a key elsewhere.
    ///
    /// # Errors
    ///
    /// As [`access_token`](Self::access_token), except those of the key.
    pub fn prepare_access_token<T: Serialize>(
        &self,
        grant: &Grant,
        claims: &T,
        key: &(impl Key + ?Sized),
    ) -> Result<Prepared, SignError> {
        grant.prepare(&self.config, claims, key)
    }

    /// Decides by the generation of the token.
    fn exchange(&self, token: &AuthenticToken, row: &Row, now: UnixTime, random: &Randomness) -> Step {
        let made_by =
            |maker: &Maker| maker.kid == token.name.kid && self.keys.tag_is_right(token, &maker.salt);
        match row.generation.cmp(&token.generation()) {
            Ordering::Equal if made_by(&row.present) => self.rotate(row, now, random),
            Ordering::Equal | Ordering::Less => self.rolled_back(row, now),
            Ordering::Greater if token.generation().saturating_add(1) < row.generation => {
                self.reused(row, Recency::Stale, now)
            }
            Ordering::Greater if !made_by(&row.previous) => self.rolled_back(row, now),
            // The successor was never used, and its own idle time is over, so a cookie for it would have no lifetime.
            Ordering::Greater if self.in_grace(row, now) && now >= row.idle_until => {
                Step::refused(Refusal::Expired(Lifetime::Idle))
            }
            Ordering::Greater if self.in_grace(row, now) => self.replay(row, now, random),
            Ordering::Greater => self.reused(row, Recency::RecentPrevious, now),
        }
    }

    fn in_grace(&self, row: &Row, now: UnixTime) -> bool {
        let end = |window| row.rotated_at.saturating_add(window).saturating_add(self.config.skew);
        self.config.grace.window().is_some_and(|window| now < end(window))
    }

    fn rotate(&self, row: &Row, now: UnixTime, random: &Randomness) -> Step {
        let access_until = now.saturating_add(self.config.access).min(row.absolute_until);
        let next = Row {
            generation: row.generation.saturating_add(1),
            previous: row.present,
            present: Maker { kid: self.keys.current(), salt: random.salt },
            rotated_at: now,
            idle_until: now.saturating_add(self.config.idle).min(row.absolute_until),
            access_until: row.access_until.max(access_until),
            ..row.next_version()
        };
        Step {
            event: Some(event(EventKind::Rotated, row, now)),
            reply: self.grant(next.clone(), Exchange::Rotated, access_until, now, random),
            write: Some(Write { replaces: Some(row.version), row: next, deny: None }),
        }
    }

    /// Returns the same successor once more. Generation and time of rotation do not change, so the window never grows.
    fn replay(&self, row: &Row, now: UnixTime, random: &Randomness) -> Step {
        let wanted = now.saturating_add(self.config.access).min(row.absolute_until);
        // If the new access token ends no later than the last one, nothing needs to be written. As long as that leaves half a
        // lifetime, any number of callers can ask at once without conflicts.
        let half = self.config.access.checked_div(2).unwrap_or_default();
        let enough = now.saturating_add(half).min(row.absolute_until);
        let next = if row.access_until >= enough && row.access_until > now {
            None
        } else {
            Some(Row { access_until: wanted.max(row.access_until), ..row.next_version() })
        };
        let access_until = if next.is_some() { wanted } else { wanted.min(row.access_until) };
        let present = next.clone().unwrap_or_else(|| row.clone());
        let reply = self.grant(present, Exchange::Replayed, access_until, now, random);
        if reply.is_err() {
            return Step { write: None, reply, event: None };
        }
        Step {
            write: next.map(|next| Write { replaces: Some(row.version), row: next, deny: None }),
            reply,
            event: Some(event(EventKind::GraceReplay, row, now)),
        }
    }

    fn reused(&self, row: &Row, recency: Recency, now: UnixTime) -> Step {
        Step {
            write: Some(self.end(row, Reason::Reuse, now)),
            reply: Err(Refusal::Reused(recency).into()),
            event: Some(event(EventKind::ReuseDetected(recency), row, now)),
        }
    }

    fn mismatch(&self, row: &Row, now: UnixTime) -> Step {
        let write = match self.config.on_mismatch {
            OnMismatch::Revoke => Some(self.end(row, Reason::BindingMismatch, now)),
            OnMismatch::Refuse => None,
        };
        let event = Some(event(EventKind::BindingMismatch, row, now));
        Step { write, reply: Err(Refusal::BindingMismatch.into()), event }
    }

    /// Ends a session with a row that is older than a token that was issued.
    fn rolled_back(&self, row: &Row, now: UnixTime) -> Step {
        let end = self.end(row, Reason::Rollback, now);
        let deny = end.deny.map(|deny| Denial { order: DenyOrder::AfterRow, ..deny });
        Step {
            write: Some(Write { deny, ..end }),
            reply: Err(Refusal::RolledBack.into()),
            event: Some(event(EventKind::Anomaly, row, now)),
        }
    }

    /// Builds the row of an ended session, and the denial of its access tokens.
    pub(crate) fn end(&self, row: &Row, reason: Reason, now: UnixTime) -> Write {
        Write {
            replaces: Some(row.version),
            row: Row { revoked: Some((now, reason)), ..row.next_version() },
            deny: Some(self.denial(row, now)),
        }
    }

    /// Builds the denial of the access tokens of a session that is ended at `now`. If the store was restored to an earlier
    /// state, its row may not know the last tokens. So the denial lasts as long as any token issued until then.
    fn denial(&self, row: &Row, now: UnixTime) -> Denial {
        let until = self.denied_until(row).max(self.deny_until(now));
        Denial::session(row.session, until, DenyOrder::BeforeRow)
    }

    /// Returns the denial of a session that was ended by [`Reason::Rollback`], which is written after the row. Write it once
    /// more whenever such a row is loaded, because the first write may have failed. `None` if it is not needed (any more).
    #[must_use]
    pub fn denial_again(&self, row: &Row, now: UnixTime) -> Option<Denial> {
        let (ended, _) = row.revoked.filter(|(_, reason)| *reason == Reason::Rollback)?;
        Some(self.denial(row, ended)).filter(|denial| now < denial.until)
    }

    /// Returns how long access tokens of this row have to be denied.
    pub(crate) fn denied_until(&self, row: &Row) -> UnixTime {
        self.beyond_leeway(row.access_until)
    }

    /// Returns the time from which no [`AccessVerifier`](crate::AccessVerifier) accepts a token with this `exp` any more.
    pub(crate) fn beyond_leeway(&self, exp: UnixTime) -> UnixTime {
        exp.saturating_add(MOST_LEEWAY).saturating_add(self.config.skew)
    }

    fn grant(
        &self,
        row: Row,
        exchange: Exchange,
        access_until: UnixTime,
        now: UnixTime,
        random: &Randomness,
    ) -> Result<Grant, Error> {
        let name: Name = row.present_name();
        let refresh_token = self.keys.derive(&name, &row.present.salt).ok_or(Refusal::UnknownKey)?;
        Ok(Grant { row, refresh_token, exchange, jti: random.jti, access_until, now })
    }
}

fn event(kind: EventKind, row: &Row, at: UnixTime) -> Event {
    Event { kind, session: Some(row.session.hash()), subject: row.subject.clone(), at }
}
