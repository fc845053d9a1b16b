//! Combines the machine, a store and a signing key: the interface for a login server.

use crate::access::AccessToken;
use crate::at::At;
use crate::binding::{Binding, Fingerprint};
use crate::config::Config;
use crate::denial::{DenyKey, DenyOrder};
use crate::error::{Error, Reason, Refusal, StoreError};
use crate::event::{Event, EventKind, Observer};
use crate::grant::{Grant, Randomness};
use crate::id::SessionId;
use crate::login::Login;
use crate::machine::{Machine, Step, Write};
use crate::master_keys::MasterKeys;
use crate::row::Row;
use crate::store::{Store, Swap};
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cmp::{Ordering, Reverse};
use core::fmt;
use core::num::NonZeroUsize;
use core::time::Duration;
use countersign::jws::Prepared;
use countersign::{Entropy, Key, SignError, SignKey, UnixTime};
use serde::Serialize;
#[cfg(feature = "std")]
use std::sync::{PoisonError, RwLock};

/// How often a step is repeated because another call had written first.
const RETRIES: usize = 4;
/// How many earlier epochs the end of all sessions denies again, because an earlier end may have skipped some and then failed.
const EPOCHS_BACK: u64 = 4;
/// How many ends of all sessions may happen between the first and the last store call of one such end. If the store reports
/// more, the call fails, because the store is faulty and should not deny all the epochs in between.
const EPOCHS_BETWEEN: u64 = 1000;
/// How far ahead of its own clock a login may be dated in order to sort after the other sessions, if sessions have a cap. Many
/// logins in one second need this too. A session dated further ahead was begun by a wrong clock.
const AHEAD: Duration = Duration::from_secs(24 * 3600);

/// The sessions of a login server: begins, exchanges, ends and lists them.
///
/// Build it once and share it by reference. A call reads the store and writes one row, or one for each session that it ends.
/// This type holds no state of a session, so any number of servers can share one store.
///
/// Methods that need the time read the clock. Use [`at`](Self::at) for another time.
///
/// # Security
///
/// - A refusal must not tell its cause to the client: answer [`Error::code`] and [`Error::challenge`], log [`Error::refusal`].
/// - Never delete a cookie because an exchange was refused: the answer may be late, and the browser may have a new cookie
///   already. Only the answer to a logout deletes cookies. A cookie below a former path is different, see
///   [`Cookie`](countersign::http::Cookie#a-path-that-changes).
/// - Answer with `Cache-Control: no-store`.
/// - Call again after an error. Under a runtime, spawn [`logout`](Self::logout) and the other calls that end sessions, so that
///   they complete even if the client disconnects:
///
/// | what was dropped, or failed | what the next call does |
/// |---|---|
/// | an exchange | within the grace, the same exchange returns the same successor |
/// | an end, after the access tokens were denied | an exchange completes it while they are denied: 16 minutes by default |
/// | an end, before that | an exchange succeeds, as if no end had been requested |
///
/// # Examples
///
/// ```
/// use countersign_session::{Binding, Config, Login, MasterKeys, MemoryStore, Sessions, blocking};
/// use countersign::{HmacKey, SecretBytes};
///
/// #[derive(serde::Serialize)]
/// struct User { role: &'static str }
///
/// let config = Config::builder("https://auth.example", "https://api.example").build()?;
/// let keys = MasterKeys::new(1, [7; 32])?;
/// let sessions = Sessions::new(config, keys, HmacKey::hs256(&SecretBytes::from_bytes([8; 32]))?, MemoryStore::new())?;
///
/// // The password was right. With an async store: `.await`.
/// let grant = blocking(sessions.login(&Login::new("user123").label("Firefox on Linux")))?;
/// let access = sessions.access_token(&grant, &User { role: "admin" })?;
/// let cookie = grant.refresh_token().expose_secret();
///
/// // Ten minutes later:
/// let grant = blocking(sessions.refresh(cookie, &Binding::None))?;
/// assert_eq!(grant.subject(), "user123");
///
/// blocking(sessions.logout(grant.refresh_token().expose_secret()))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Sessions<S> {
    machine: Machine,
    signer: Signer,
    store: S,
    entropy: Arc<dyn Entropy>,
    observer: Option<Arc<dyn Observer>>,
}

/// The result of ending a session.
///
/// # Examples
///
/// ```
/// use countersign_session::Ended;
///
/// // The answer to a logout is the same for every result: the session has ended.
/// fn status(_: Ended) -> u16 { 204 }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// The session had ended before.
    Already,
    /// The session has ended now.
    Now,
    /// There is no such session, or it belongs to another subject.
    Unknown,
}

impl<S: Store> Sessions<S> {
    /// Creates sessions over this store, with the operating system's randomness. `signer` signs the access tokens.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`] if the system's randomness fails, so that this is known before the first login.
    #[cfg(feature = "getrandom")]
    pub fn new(
        config: Config,
        keys: MasterKeys,
        signer: impl SignKey + 'static,
        store: S,
    ) -> Result<Self, Error> {
        let entropy = countersign::SystemEntropy::new();
        Randomness::draw(&entropy)?;
        Ok(Self::new_with(config, keys, signer, store, entropy))
    }

    /// Creates sessions over this store, with your source of randomness.
    pub fn new_with(
        config: Config,
        keys: MasterKeys,
        signer: impl SignKey + 'static,
        store: S,
        entropy: impl Entropy + 'static,
    ) -> Self {
        Self {
            machine: Machine::new(config, keys),
            signer: Signer::new(Arc::new(signer)),
            store,
            entropy: Arc::new(entropy),
            observer: None,
        }
    }

    /// Adds an observer, which receives all events: for the audit log.
    #[must_use]
    pub fn observed_by(self, observer: impl Observer + 'static) -> Self {
        Self { observer: Some(Arc::new(observer)), ..self }
    }

    /// Replaces the key that signs access tokens, while other threads use these sessions. Each later call of
    /// [`access_token`](Self::access_token) signs with `signer`. A call in progress keeps the key that it began with. Refresh
    /// tokens do not depend on this key: see [`MasterKeys`] for theirs.
    ///
    /// Without the feature `std`, create the sessions again, over the same store.
    ///
    /// # Security
    ///
    /// This call changes no verifier. To refuse no valid token, rotate in this order:
    ///
    /// 1. Publish the new key next to the old one: [`KeySet::to_jwks`](countersign::KeySet::to_jwks). Each key needs its own
    ///    `kid`.
    /// 2. Wait until every verifier has the new key: at least the `max-age` of the published set.
    /// 3. Call this.
    /// 4. Remove the old key when its last token has expired everywhere: after the access lifetime, the longest leeway of a
    ///    verifier, and the time by which clocks differ.
    ///
    /// # Examples
    ///
    /// ```
    /// # use countersign_session::{Config, Login, MasterKeys, MemoryStore, Sessions, blocking};
    /// use countersign::{Algorithm, HmacKey, KeySet, Verifier};
    /// use countersign_session::{AccessVerifier, Binding};
    ///
    /// let old = HmacKey::generate(Algorithm::Hs256)?.with_key_id("2026-11")?;
    /// let new = HmacKey::generate(Algorithm::Hs256)?.with_key_id("2026-12")?;
    /// # let config = Config::builder("https://auth.example", "https://api.example").build()?;
    /// let sessions = Sessions::new(config, MasterKeys::new(1, [7; 32])?, old.clone(), MemoryStore::new())?;
    /// let first = sessions.access_token(&blocking(sessions.login(&Login::new("ann")))?, &())?;
    ///
    /// sessions.set_signer(new.clone());
    /// let second = sessions.access_token(&blocking(sessions.login(&Login::new("ann")))?, &())?;
    ///
    /// // An application server that has both keys accepts both tokens.
    /// let mut keys = KeySet::new();
    /// keys.insert(old)?;
    /// keys.insert(new)?;
    /// let policy = Verifier::builder(keys).issuer("https://auth.example").audience("https://api.example");
    /// let verifier = AccessVerifier::new(policy)?;
    /// let key_of = |text: &str| verifier.verify::<()>(text, &Binding::None).map(|access| {
    ///     access.token().header().key_id().map(str::to_owned)
    /// });
    /// assert_eq!(key_of(&first)?.as_deref(), Some("2026-11"));
    /// assert_eq!(key_of(&second)?.as_deref(), Some("2026-12"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "std")]
    pub fn set_signer(&self, signer: impl SignKey + 'static) {
        self.signer.set(Arc::new(signer));
    }

    /// Returns the rules.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.machine.config()
    }

    /// Returns the store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// Generates a value for a fingerprint cookie, to bind a login to.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`].
    pub fn fingerprint(&self) -> Result<Fingerprint, Error> {
        Ok(Fingerprint::generate_with(&*self.entropy)?)
    }

    /// Signs the access token of a grant, with your own claims in addition to those of the session. Call it once for each
    /// grant, because a second token would have the same `jti`.
    ///
    /// The token follows [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068): `typ` is `at+jwt`; its claims are `iss`, `aud`,
    /// `sub`, `exp`, `iat`, `jti`, and `client_id` and `scope` if the login has them. This crate adds `sid`, `sub_epoch`, and
    /// `cnf` for a bound session.
    ///
    /// # Errors
    ///
    /// [`SignError::DuplicateClaim`] for a claim with one of those names; otherwise as
    /// [`Claims::sign`](countersign::Claims::sign).
    pub fn access_token<T: Serialize>(&self, grant: &Grant, claims: &T) -> Result<String, SignError> {
        self.machine.access_token(grant, claims, &*self.signer.present())
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
        self.machine.prepare_access_token(grant, claims, key)
    }

    /// Returns the same sessions at the time `now`: for tests, and for platforms without a clock.
    #[must_use]
    pub const fn at(&self, now: UnixTime) -> At<'_, Self> {
        At::new(self, now)
    }

    /// Returns the epoch in which a subject can log in now: the number of times that all its sessions were ended. Read it
    /// before the subject's credentials, and pass it to [`Login::in_epoch`].
    ///
    /// Like a login, this call completes an end of all sessions that stopped half way.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn epoch(&self, subject: &str) -> Result<u64, Error> {
        self.at(UnixTime::now()).epoch(subject).await
    }

    /// Begins a session for a subject with verified credentials.
    ///
    /// With a cap on sessions, the oldest ones above it are revoked after this one is in the store.
    ///
    /// # Errors
    ///
    /// - [`Error::InvalidLogin`], [`Error::Entropy`], [`Error::Store`]; with a cap, [`Error::Retry`]. After the last two, the
    ///   store may have the new session. No client holds its token, and it expires.
    /// - [`Error::InvalidGrant`] with [`Refusal::StaleEpoch`] for a login [`in_epoch`](Login::in_epoch), if all sessions were
    ///   ended in the meantime: check the credentials again.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn login(&self, login: &Login) -> Result<Grant, Error> {
        self.at(UnixTime::now()).login(login).await
    }

    /// Exchanges a refresh token for a new one and for an access token.
    ///
    /// `binding` is the binding that came with the request, or [`Binding::None`].
    ///
    /// A denied session is ended and not exchanged, because the denial means that an earlier end was not completed.
    ///
    /// # Errors
    ///
    /// - [`Error::InvalidGrant`]: the client has to log in again. Do not delete its cookies.
    /// - [`Error::Retry`], [`Error::Store`], [`Error::Entropy`]: the token may be valid; answer 503.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn refresh(&self, text: &str, binding: &Binding) -> Result<Grant, Error> {
        self.at(UnixTime::now()).refresh(text, binding).await
    }

    /// Ends the session of a refresh token, present or past. The answer to a logout is the same for every result. After an
    /// error, do not delete the cookies.
    ///
    /// It only checks that the token was issued here. It does not check the binding or the age.
    ///
    /// # Security
    ///
    /// Anyone with a refresh token of a session, even an old one, can end that session. Check the origin of the request:
    /// [`AllowedOrigins`](countersign::http::AllowedOrigins).
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Retry`]: the session may still live; answer 503. [`Error::Retry`] is also the result for a
    /// token of a master key that this server does not have, because another server may have it: see [`MasterKeys`].
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn logout(&self, text: &str) -> Result<Ended, Error> {
        self.at(UnixTime::now()).logout(text).await
    }

    /// Ends a session of any subject by its id: the `sid` of a verified access token, or an administrator's choice.
    ///
    /// # Errors
    ///
    /// As [`logout`](Self::logout).
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn revoke(&self, session: SessionId) -> Result<Ended, Error> {
        self.at(UnixTime::now()).revoke(session).await
    }

    /// Ends a session by its id, if it belongs to this subject: a choice from the subject's own list.
    ///
    /// # Errors
    ///
    /// As [`logout`](Self::logout).
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn revoke_of(&self, subject: &str, session: SessionId) -> Result<Ended, Error> {
        self.at(UnixTime::now()).revoke_of(subject, session).await
    }

    /// Ends all sessions of a subject except one. Returns how many.
    ///
    /// # Errors
    ///
    /// As [`logout`](Self::logout): some may still live.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn revoke_others(&self, subject: &str, keep: SessionId) -> Result<usize, Error> {
        self.at(UnixTime::now()).revoke_others(subject, keep).await
    }

    /// Ends all sessions of a subject: after a change of password or roles.
    ///
    /// It also ends a concurrent login that has already called [`login`](Self::login). A login that is still checking
    /// credentials, perhaps against the old password, is refused only if it uses [`in_epoch`](Login::in_epoch).
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: call again. The call may be half done: access tokens are denied, and as long as they are, each session
    /// ends at its next exchange, and all of them at the subject's next login.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn revoke_all(&self, subject: &str) -> Result<(), Error> {
        self.at(UnixTime::now()).revoke_all(subject).await
    }

    /// Lists the live sessions of a subject, the newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn list(&self, subject: &str) -> Result<Vec<Row>, Error> {
        self.at(UnixTime::now()).list(subject).await
    }

    /// Removes from the store the rows and denials that are not needed any more. Call it from time to time.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn purge(&self) -> Result<(), Error> {
        self.at(UnixTime::now()).purge().await
    }

    /// Denies one access token until its `exp`, plus the leeway of verifiers. Its session does not end.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    ///
    /// # Examples
    ///
    /// ```
    /// # use countersign_session::{AccessVerifier, Binding, Config, Login, MasterKeys, MemoryStore, Sessions, blocking};
    /// # use countersign::{HmacKey, SecretBytes, Verifier};
    /// # use std::sync::Arc;
    /// # let config = Config::builder("https://auth.example", "https://api.example").build()?;
    /// # let key = HmacKey::hs256(&SecretBytes::from_bytes([8; 32]))?;
    /// # let policy = Verifier::builder(key.clone()).issuer("https://auth.example").audience("https://api.example");
    /// # let store = Arc::new(MemoryStore::new());
    /// # let sessions = Sessions::new(config, MasterKeys::new(1, [7; 32])?, key, store.clone())?;
    /// # let verifier = AccessVerifier::new(policy)?.with_denylist(store);
    /// # let grant = blocking(sessions.login(&Login::new("ann")))?;
    /// # let text = sessions.access_token(&grant, &())?;
    /// let access = blocking(verifier.verify::<()>(&text, &Binding::None))?;
    /// blocking(sessions.deny_access_token(&access))?;
    /// assert!(blocking(verifier.verify::<()>(&text, &Binding::None)).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn deny_access_token<T>(&self, access: &AccessToken<T>) -> Result<(), Error> {
        // Every access token has both.
        let token = access.token();
        let (jti, exp) =
            (token.jwt_id().unwrap_or_default(), token.expires_at().unwrap_or(UnixTime::from_secs(i64::MAX)));
        let until = self.machine.beyond_leeway(exp);
        Ok(self.store.deny(&[DenyKey::access_token(jti)], until).await?)
    }

    /// Writes what a step requires, and returns its reply. `None` if another call had written first.
    async fn apply<R>(&self, step: Step<R>) -> Result<Option<Result<R, Error>>, Error> {
        if let Some(write) = &step.write
            && self.write(write).await? == Swap::Conflict
        {
            return Ok(None);
        }
        if let Some(event) = &step.event {
            self.observe(event);
        }
        Ok(Some(step.reply))
    }

    async fn write(&self, write: &Write) -> Result<Swap, Error> {
        let deny = async |order| match write.deny {
            Some(denial) if denial.order == order => self.store.deny(&[denial.key], denial.until).await,
            _ => Ok(()),
        };
        deny(DenyOrder::BeforeRow).await?;
        let swap = match write.replaces {
            Some(version) => self.store.compare_and_swap(version, &write.row).await?,
            None => self.store.insert(&write.row).await?,
        };
        if swap == Swap::Done {
            deny(DenyOrder::AfterRow).await?;
        }
        Ok(swap)
    }

    /// Writes the denial that follows its row once more, because the first write may have failed.
    async fn deny_again(&self, row: &Row, now: UnixTime) -> Result<(), Error> {
        if let Some(denial) = self.machine.denial_again(row, now) {
            self.store.deny(&[denial.key], denial.until).await?;
        }
        Ok(())
    }

    /// Returns whether the session is denied. An end first writes the denial and then the row or the epoch. It may have crashed
    /// between the two, or it may lose every swap against a client that exchanges again and again.
    async fn is_being_ended(&self, row: &Row) -> Result<bool, Error> {
        let keys = [DenyKey::session(row.session), DenyKey::subject(&row.subject, row.subject_epoch)];
        Ok(self.store.is_denied(&keys).await?)
    }

    async fn end(
        &self,
        session: SessionId,
        subject: Option<&str>,
        reason: Reason,
        now: UnixTime,
    ) -> Result<Ended, Error> {
        for _ in 0..=RETRIES {
            let loaded = self.store.load(session).await?;
            let theirs = |row: &Row| subject.is_none_or(|subject| row.subject == subject);
            let Some(loaded) = loaded.filter(|loaded| theirs(&loaded.row)) else {
                return Ok(Ended::Unknown);
            };
            let Some(step) = self.machine.revoke(&loaded.row, reason, now) else {
                self.deny_again(&loaded.row, now).await?;
                return Ok(Ended::Already);
            };
            if self.apply(step).await?.is_some() {
                return Ok(Ended::Now);
            }
        }
        Err(Error::Retry)
    }

    /// Ends a denied epoch, and returns the next one.
    async fn leave_epoch(
        &self,
        subject: &str,
        epoch: u64,
        until: UnixTime,
        now: UnixTime,
    ) -> Result<u64, Error> {
        let next = self.store.bump_epoch(subject).await?;
        // If the epoch has not grown, no session was ended.
        if next <= epoch || next > epoch.saturating_add(EPOCHS_BETWEEN) {
            return Err(StoreError::new("the store returned a wrong epoch").into());
        }
        // Another call did the same in the meantime, and a login came in between.
        let skipped: Vec<DenyKey> =
            (epoch.saturating_add(1)..next).map(|epoch| DenyKey::subject(subject, epoch)).collect();
        if !skipped.is_empty() {
            self.store.deny(&skipped, until).await?;
        }
        self.observe(&Event { kind: EventKind::AllRevoked, session: None, subject: subject.into(), at: now });
        Ok(next)
    }

    /// Returns the time of a login that must count as the subject's newest, even if the clock of this server lags.
    async fn after_the_others(&self, subject: &str, epoch: u64, now: UnixTime) -> Result<UnixTime, Error> {
        let living = self.living(self.store.list(subject).await?, epoch, now);
        let furthest = now.saturating_add(AHEAD);
        let latest = living.iter().map(|row| row.created_at).find(|created| *created <= furthest);
        let newest = latest.map_or(now, |latest| latest.saturating_add(Duration::from_secs(1)));
        Ok(newest.min(furthest).max(now))
    }

    /// Ends the sessions above the cap, the oldest first. Concurrent logins see the same order, as long as every clock is less
    /// than a day off.
    ///
    /// Reads the list once more after the new row is written, because two concurrent logins do not see each other before.
    /// `created_at` is fixed before that read, because with an order that changes later, two logins could end each other.
    ///
    /// Rows that are over without an end, because they expired or all sessions were ended, count as the oldest. Otherwise they
    /// would fill the list, which each login reads.
    async fn evict(&self, grant: &Grant, epoch: u64, cap: NonZeroUsize, now: UnixTime) -> Result<(), Error> {
        let (subject, own) = (grant.subject(), grant.session_id());
        let rows = self.store.list(subject).await?;
        let lives = |row: &Row| row.check_alive(epoch, now, self.config().skew).is_ok();
        let over: Vec<Row> =
            rows.iter().filter(|row| row.revoked.is_none() && !lives(row)).cloned().collect();
        let mut living = self.living(rows, epoch, now);
        // Sessions of a wrong clock go first. They may be dated years ahead, and would block all logins.
        let furthest = now.saturating_add(AHEAD);
        living.sort_by_key(|row| match row.created_at.cmp(&furthest) {
            Ordering::Greater => 2,
            // This one is dated as far ahead as possible, and others may have the same time.
            Ordering::Equal if row.session == own => 0,
            _ => 1,
        });
        let above = living.get(cap.get()..).unwrap_or_default();
        let left = over.get(cap.get().saturating_sub(living.len())..).unwrap_or_default();
        // Read after the rows: if all sessions were ended in the meantime, this login is over too, and needs no slot.
        if (above.is_empty() && left.is_empty()) || self.store.epoch(subject).await? > epoch {
            return Ok(());
        }
        for row in above {
            self.end(row.session, Some(subject), Reason::Evicted, now).await?;
        }
        for row in left {
            // No event, because no live session ends. After a conflict the row is listed again, and the next login does it.
            let reason = if row.subject_epoch == epoch { Reason::Evicted } else { Reason::Revoked };
            let _ = self.write(&self.machine.end(row, reason, now)).await?;
        }
        Ok(())
    }

    /// Returns the live rows, the newest first.
    fn living(&self, mut rows: Vec<Row>, epoch: u64, now: UnixTime) -> Vec<Row> {
        rows.retain(|row| row.check_alive(epoch, now, self.config().skew).is_ok());
        rows.sort_by_key(|row| Reverse((row.created_at, row.session)));
        rows
    }

    fn draw(&self) -> Result<Randomness, Error> {
        Ok(Randomness::draw(&*self.entropy)?)
    }

    fn observe(&self, event: &Event) {
        if let Some(observer) = &self.observer {
            observer.observe(event);
        }
    }
}

/// Returns the sessions of future epochs: the store has lost these epochs, and refuses the sessions until it has them again.
fn of_lost_epochs(rows: &[Row], epoch: u64) -> Vec<SessionId> {
    rows.iter().filter(|row| row.subject_epoch > epoch).map(Row::session_id).collect()
}

/// The same calls at a given time.
impl<S: Store> At<'_, Sessions<S>> {
    /// Does what [`Sessions::epoch`] does, at the given time.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn epoch(self, subject: &str) -> Result<u64, Error> {
        let Self { inner: sessions, now } = self;
        let epoch = sessions.store.epoch(subject).await?;
        if !sessions.store.is_denied(&[DenyKey::subject(subject, epoch)]).await? {
            return Ok(epoch);
        }
        // The denied epoch belongs to an end of all sessions. It may never complete, and sessions begun in it would be denied.
        // Or it has just completed, and others have logged in since.
        match sessions.store.epoch(subject).await? {
            present if present > epoch => Ok(present),
            _ => sessions.leave_epoch(subject, epoch, sessions.machine.deny_until(now), now).await,
        }
    }

    /// Does what [`Sessions::login`] does, at the given time.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn login(self, login: &Login) -> Result<Grant, Error> {
        let Self { inner: sessions, now } = self;
        login.check()?;
        let random = sessions.draw()?;
        // Read before the row is written, so that a concurrent revocation of all sessions revokes this login too.
        let epoch = self.epoch(&login.subject).await?;
        let begins = match sessions.config().cap {
            Some(_) => sessions.after_the_others(&login.subject, epoch, now).await?,
            None => now,
        };
        let step = sessions.machine.login_counted(login, epoch, (now, begins), &random)?;
        let grant = sessions.apply(step).await?.ok_or(Error::Retry)??;
        if let Some(cap) = sessions.config().cap {
            sessions.evict(&grant, epoch, cap, now).await?;
        }
        Ok(grant)
    }

    /// Does what [`Sessions::refresh`] does, at the given time.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn refresh(self, text: &str, binding: &Binding) -> Result<Grant, Error> {
        let Self { inner: sessions, now } = self;
        let token = sessions.machine.authenticate(text)?;
        let random = sessions.draw()?;
        for _ in 0..=RETRIES {
            let loaded = sessions.store.load(token.session_id()).await?;
            if let Some(loaded) = &loaded {
                sessions.deny_again(&loaded.row, now).await?;
            }
            let step = sessions.machine.refresh(&token, loaded.as_ref(), binding, now, &random);
            if let Ok(grant) = &step.reply
                && sessions.is_being_ended(grant.row()).await?
            {
                sessions.end(token.session_id(), None, Reason::Revoked, now).await?;
                return Err(Error::InvalidGrant(Refusal::Revoked(Reason::Revoked)));
            }
            if let Some(reply) = sessions.apply(step).await? {
                return reply;
            }
        }
        Err(Error::Retry)
    }

    /// Does what [`Sessions::logout`] does, at the given time.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn logout(self, text: &str) -> Result<Ended, Error> {
        let Self { inner: sessions, now } = self;
        match sessions.machine.authenticate(text) {
            Ok(token) => sessions.end(token.session_id(), None, Reason::Logout, now).await,
            Err(Error::InvalidGrant(Refusal::UnknownKey)) => Err(Error::Retry),
            Err(_) => Ok(Ended::Unknown),
        }
    }

    /// Does what [`Sessions::revoke`] does, at the given time.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn revoke(self, session: SessionId) -> Result<Ended, Error> {
        let Self { inner: sessions, now } = self;
        sessions.end(session, None, Reason::Revoked, now).await
    }

    /// Does what [`Sessions::revoke_of`] does, at the given time.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn revoke_of(self, subject: &str, session: SessionId) -> Result<Ended, Error> {
        let Self { inner: sessions, now } = self;
        sessions.end(session, Some(subject), Reason::Revoked, now).await
    }

    /// Does what [`Sessions::revoke_others`] does, at the given time.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn revoke_others(self, subject: &str, keep: SessionId) -> Result<usize, Error> {
        let Self { inner: sessions, now } = self;
        let mut ended = 0_usize;
        let rows = sessions.store.list(subject).await?;
        let epoch = sessions.store.epoch(subject).await?;
        let lost = of_lost_epochs(&rows, epoch);
        // Use the clock of a server that lags, because that server might still exchange one.
        let living = sessions.living(rows, epoch, now.saturating_sub(sessions.config().skew));
        for session in living.iter().map(Row::session_id).chain(lost) {
            if session != keep
                && sessions.end(session, Some(subject), Reason::Revoked, now).await? == Ended::Now
            {
                ended = ended.saturating_add(1);
            }
        }
        Ok(ended)
    }

    /// Does what [`Sessions::revoke_all`] does, at the given time.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn revoke_all(self, subject: &str) -> Result<(), Error> {
        let Self { inner: sessions, now } = self;
        let epoch = sessions.store.epoch(subject).await?;
        // A server with other rules may have issued access tokens that are valid for longer.
        let rows = sessions.store.list(subject).await?;
        let until = rows.iter().map(|row| sessions.machine.denied_until(row)).max();
        let until = sessions.machine.deny_until(now).max(until.unwrap_or(now));
        // Denied first, so that after a crash no access token outlives its session.
        let keys: Vec<DenyKey> = (epoch.saturating_sub(EPOCHS_BACK)..=epoch)
            .map(|epoch| DenyKey::subject(subject, epoch))
            .collect();
        sessions.store.deny(&keys, until).await?;
        sessions.leave_epoch(subject, epoch, until, now).await?;
        // The next end of all sessions could produce exactly their epoch.
        for session in of_lost_epochs(&rows, epoch) {
            sessions.end(session, Some(subject), Reason::Revoked, now).await?;
        }
        Ok(())
    }

    /// Does what [`Sessions::list`] does, at the given time.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn list(self, subject: &str) -> Result<Vec<Row>, Error> {
        let Self { inner: sessions, now } = self;
        let rows = sessions.store.list(subject).await?;
        let epoch = sessions.store.epoch(subject).await?;
        Ok(sessions.living(rows, epoch, now))
    }

    /// Does what [`Sessions::purge`] does, at the given time.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn purge(self) -> Result<(), Error> {
        let Self { inner: sessions, now } = self;
        Ok(sessions.store.purge(now).await?)
    }
}

/// The key that signs access tokens now.
#[cfg(feature = "std")]
struct Signer(RwLock<Arc<dyn SignKey>>);

#[cfg(feature = "std")]
impl Signer {
    fn new(key: Arc<dyn SignKey>) -> Self {
        Self(RwLock::new(key))
    }

    /// Returns the key itself and not a guard, because a key in a slow device must not delay `set` and the calls after it.
    fn present(&self) -> Arc<dyn SignKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, key: Arc<dyn SignKey>) {
        let former = core::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), key);
        // Dropped after the lock is released, because the key may be of the caller's own type.
        drop(former);
    }
}

/// The key that signs access tokens. There is no lock without `std`, so it never changes.
#[cfg(not(feature = "std"))]
struct Signer(Arc<dyn SignKey>);

#[cfg(not(feature = "std"))]
impl Signer {
    fn new(key: Arc<dyn SignKey>) -> Self {
        Self(key)
    }

    fn present(&self) -> Arc<dyn SignKey> {
        self.0.clone()
    }
}

impl<S> fmt::Debug for Sessions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("machine", &self.machine).finish_non_exhaustive()
    }
}
