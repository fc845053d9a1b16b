//! The machine, a store and a signing key together: what a login server calls.

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

/// How often a step is done again because another had written first.
const RETRIES: usize = 4;
/// How many earlier epochs the end of all sessions denies once more: one before it may have gone over some and then failed.
const EPOCHS_BACK: u64 = 4;
/// How many ends of all sessions may come between the first and the last call of one. A store that tells of more has made a
/// mistake, and is not asked to deny all the epochs between.
const EPOCHS_BETWEEN: u64 = 1000;
/// How far ahead of its own clock a login may be counted to stand behind the others, where sessions have a cap: many logins
/// of one second stand in line too. What stands further ahead was begun by a clock that was wrong.
const AHEAD: Duration = Duration::from_secs(24 * 3600);

/// Sessions of a login server: begin, exchange, end, list.
///
/// Built once, shared by reference. Calls read what they need from the store and write one row, or one for each session that
/// they end; nothing is kept here, so any number of servers can run over one store.
///
/// Methods that need the time read the clock. [`at`](Self::at) gives them another time.
///
/// # Security
///
/// - No refusal tells its cause to the client: answer [`Error::code`] and [`Error::challenge`], log [`Error::refusal`].
/// - Never delete a cookie because an exchange was refused: it may be a late answer to an old request, and the cookie the
///   new one. Only the answer to a logout deletes; a cookie below a former path is another matter, see
///   [`Cookie`](countersign::http::Cookie#a-path-that-changes).
/// - Answer with `Cache-Control: no-store`.
/// - Ask again after an error. Under a runtime, spawn [`logout`](Self::logout) and the other ends, so that a client that goes
///   away does not drop them half way:
///
/// | what was dropped, or failed | what the next call does |
/// |---|---|
/// | an exchange | inside the grace, the same exchange returns the same successor |
/// | an end, after the access tokens were denied | an exchange completes the end, while they are denied: 16 minutes by default |
/// | an end, before that | an exchange succeeds, as if no end had been asked for |
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
/// // Ten minutes later.
/// let grant = blocking(sessions.refresh(cookie, &Binding::None))?;
/// assert_eq!(grant.subject(), "user123");
///
/// blocking(sessions.logout(grant.refresh_token().expose_secret()))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Sessions<S> {
    machine: Machine,
    signer: Arc<dyn SignKey>,
    store: S,
    entropy: Arc<dyn Entropy>,
    observer: Option<Arc<dyn Observer>>,
}

/// What a request to end a session found.
///
/// # Examples
///
/// ```
/// use countersign_session::Ended;
///
/// // Whatever it found, the answer to a logout is the same: the session is gone.
/// fn status(_: Ended) -> u16 { 204 }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ended {
    /// It had ended before.
    Already,
    /// It is ended now.
    Now,
    /// There is no such session, or it is another subject's.
    Unknown,
}

impl<S: Store> Sessions<S> {
    /// Sessions over this store, with the operating system's randomness. `signer` signs the access tokens.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`] when the system has no randomness: better now than at the first login.
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

    /// Sessions over this store, with randomness of yours.
    pub fn new_with(
        config: Config,
        keys: MasterKeys,
        signer: impl SignKey + 'static,
        store: S,
        entropy: impl Entropy + 'static,
    ) -> Self {
        Self {
            machine: Machine::new(config, keys),
            signer: Arc::new(signer),
            store,
            entropy: Arc::new(entropy),
            observer: None,
        }
    }

    /// The same with an observer, which is told what happens: for the audit log.
    #[must_use]
    pub fn observed_by(self, observer: impl Observer + 'static) -> Self {
        Self { observer: Some(Arc::new(observer)), ..self }
    }

    /// The rules.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.machine.config()
    }

    /// The store.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.store
    }

    /// A new value for a fingerprint cookie, to bind a login to.
    ///
    /// # Errors
    ///
    /// [`Error::Entropy`].
    pub fn fingerprint(&self) -> Result<Fingerprint, Error> {
        Ok(Fingerprint::generate_with(&*self.entropy)?)
    }

    /// Signs the access token of a grant, with claims of your own beside those of the session. For one grant, once: a second
    /// one would have the same `jti`.
    ///
    /// The token has the shape of [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068): `typ` is `at+jwt`; `iss`, `aud`,
    /// `sub`, `exp`, `iat`, `jti`; `client_id` and `scope` where the login said so; and of this crate `sid`, `sub_epoch`, and
    /// `cnf` for a session that is bound.
    ///
    /// # Errors
    ///
    /// [`SignError::DuplicateClaim`] for a claim of those names; else as [`Claims::sign`](countersign::Claims::sign).
    pub fn access_token<T: Serialize>(&self, grant: &Grant, claims: &T) -> Result<String, SignError> {
        self.machine.access_token(grant, claims, &*self.signer)
    }

    /// As [`access_token`](Self::access_token), for a key that is elsewhere.
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

    /// The same sessions at the time `now`: in tests, and where there is no clock.
    #[must_use]
    pub const fn at(&self, now: UnixTime) -> At<'_, Self> {
        At::new(self, now)
    }

    /// The epoch in which a subject can log in now: how often all its sessions were ended. Ask for it before its credentials
    /// are read, and give it to [`Login::in_epoch`].
    ///
    /// An end of all sessions that got stuck half way is brought to its end by this, as by a login.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn epoch(&self, subject: &str) -> Result<u64, Error> {
        self.at(UnixTime::now()).epoch(subject).await
    }

    /// Begins a session for a subject who has proved who it is.
    ///
    /// Where there is a cap on sessions, those that began first are revoked once this one is in the store.
    ///
    /// # Errors
    ///
    /// - [`Error::InvalidLogin`], [`Error::Entropy`], [`Error::Store`]; [`Error::Retry`] where there is a cap. After the last
    ///   two, the store may have the new session: nobody holds its token, and it ends by itself.
    /// - [`Error::InvalidGrant`] with [`Refusal::StaleEpoch`] for a login [`in_epoch`](Login::in_epoch), if all sessions were
    ///   ended since: check the credentials again.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn login(&self, login: &Login) -> Result<Grant, Error> {
        self.at(UnixTime::now()).login(login).await
    }

    /// Exchanges a refresh token for a new one and for an access token.
    ///
    /// Give what came with the request as `binding`: [`Binding::None`] if nothing did.
    ///
    /// A session that is denied is not exchanged but ended: somebody was ending it, and has not come to the end.
    ///
    /// # Errors
    ///
    /// - [`Error::InvalidGrant`]: the client has to log in again. Leave its cookies alone all the same.
    /// - [`Error::Retry`], [`Error::Store`], [`Error::Entropy`]: nothing is known of the token; 503.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn refresh(&self, text: &str, binding: &Binding) -> Result<Grant, Error> {
        self.at(UnixTime::now()).refresh(text, binding).await
    }

    /// Ends the session of a refresh token, present or past. Whatever it finds, the answer to a logout is the same. Only an
    /// error is different: leave the cookies where they are.
    ///
    /// That the token was issued here is checked, and nothing else: neither its binding nor its age.
    ///
    /// # Security
    ///
    /// Whoever has a refresh token of a session, an old one too, can end that session. Have a look at where the request comes
    /// from: [`AllowedOrigins`](countersign::http::AllowedOrigins).
    ///
    /// # Errors
    ///
    /// [`Error::Store`], [`Error::Retry`]: it may still live; 503. So it is for a token of a master key that this server does
    /// not have: another one may, see [`MasterKeys`].
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn logout(&self, text: &str) -> Result<Ended, Error> {
        self.at(UnixTime::now()).logout(text).await
    }

    /// Ends a session by its id, whoever's it is: the `sid` of a verified access token, or an administrator's choice.
    ///
    /// # Errors
    ///
    /// As [`logout`](Self::logout).
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn revoke(&self, session: SessionId) -> Result<Ended, Error> {
        self.at(UnixTime::now()).revoke(session).await
    }

    /// Ends a session by its id, if it is this subject's: one picked from its own list.
    ///
    /// # Errors
    ///
    /// As [`logout`](Self::logout).
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn revoke_of(&self, subject: &str, session: SessionId) -> Result<Ended, Error> {
        self.at(UnixTime::now()).revoke_of(subject, session).await
    }

    /// Ends all sessions of a subject but one, and tells how many.
    ///
    /// # Errors
    ///
    /// As [`logout`](Self::logout): some may still live.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn revoke_others(&self, subject: &str, keep: SessionId) -> Result<usize, Error> {
        self.at(UnixTime::now()).revoke_others(subject, keep).await
    }

    /// Ends all sessions of a subject: after a change of its password or of its roles.
    ///
    /// A login that is under way ends too if it has got as far as [`login`](Self::login). One whose credentials are
    /// still being checked, against the old password, does only if it says [`in_epoch`](Login::in_epoch).
    ///
    /// # Errors
    ///
    /// [`Error::Store`]: ask again. It may have come half way: access tokens are denied, and as long as they are, each session
    /// ends with its next exchange, all of them with the subject's next login.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn revoke_all(&self, subject: &str) -> Result<(), Error> {
        self.at(UnixTime::now()).revoke_all(subject).await
    }

    /// The sessions of a subject that live, the newest first.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn list(&self, subject: &str) -> Result<Vec<Row>, Error> {
        self.at(UnixTime::now()).list(subject).await
    }

    /// Takes from the store what has ended for good. Call it from time to time.
    ///
    /// # Errors
    ///
    /// [`Error::Store`].
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn purge(&self) -> Result<(), Error> {
        self.at(UnixTime::now()).purge().await
    }

    /// Denies one access token, whose session lives on: until its `exp`, and the leeway of verifiers.
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
        // There is no access token without either.
        let token = access.token();
        let (jti, exp) =
            (token.jwt_id().unwrap_or_default(), token.expires_at().unwrap_or(UnixTime::from_secs(i64::MAX)));
        let until = self.machine.beyond_leeway(exp);
        Ok(self.store.deny(&[DenyKey::access_token(jti)], until).await?)
    }

    /// Writes what a step wants written, and gives its reply. `None`: another had written first.
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

    /// Makes up for a denial that was to follow its row and may not have come so far.
    async fn deny_again(&self, row: &Row, now: UnixTime) -> Result<(), Error> {
        if let Some(denial) = self.machine.denial_again(row, now) {
            self.store.deny(&[denial.key], denial.until).await?;
        }
        Ok(())
    }

    /// An end denies first and writes the row or the epoch then. It may have died between the two; or whoever holds the token
    /// exchanges it again and again, so that no other writes the row.
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

    /// Ends an epoch that is denied, and tells the next one.
    async fn leave_epoch(
        &self,
        subject: &str,
        epoch: u64,
        until: UnixTime,
        now: UnixTime,
    ) -> Result<u64, Error> {
        let next = self.store.bump_epoch(subject).await?;
        // Where the epoch has not grown, no session was ended.
        if next <= epoch || next > epoch.saturating_add(EPOCHS_BETWEEN) {
            return Err(StoreError::new("the store counts epochs wrongly").into());
        }
        // Another did the same meanwhile, and a login came between.
        let skipped: Vec<DenyKey> =
            (epoch.saturating_add(1)..next).map(|epoch| DenyKey::subject(subject, epoch)).collect();
        if !skipped.is_empty() {
            self.store.deny(&skipped, until).await?;
        }
        self.observe(&Event { kind: EventKind::AllRevoked, session: None, subject: subject.into(), at: now });
        Ok(next)
    }

    /// The time of a login that shall count as the newest of its subject's, though the clock of this server be behind another's.
    async fn after_the_others(&self, subject: &str, epoch: u64, now: UnixTime) -> Result<UnixTime, Error> {
        let living = self.living(self.store.list(subject).await?, epoch, now);
        let furthest = now.saturating_add(AHEAD);
        let latest = living.iter().map(|row| row.created_at).find(|created| *created <= furthest);
        let behind = latest.map_or(now, |latest| latest.saturating_add(Duration::from_secs(1)));
        Ok(behind.min(furthest).max(now))
    }

    /// Ends the sessions above the cap, those first that began first. Who logs in at the same time sees the same order, as long
    /// as every clock is less than a day off.
    ///
    /// Reads the list once more after the new row is written, because two logins at once do not see each other before.
    /// `created_at` cannot wait for that: an order that changes later lets two logins end each other.
    ///
    /// Rows that are over and were not ended, because they expired or all sessions were ended, count as the oldest. Otherwise
    /// they would fill the list, which each login reads.
    async fn evict(&self, grant: &Grant, epoch: u64, cap: NonZeroUsize, now: UnixTime) -> Result<(), Error> {
        let (subject, own) = (grant.subject(), grant.session_id());
        let rows = self.store.list(subject).await?;
        let lives = |row: &Row| row.check_alive(epoch, now, self.config().skew).is_ok();
        let over: Vec<Row> =
            rows.iter().filter(|row| row.revoked.is_none() && !lives(row)).cloned().collect();
        let mut living = self.living(rows, epoch, now);
        // Those of a clock that was wrong go first. They may stand ahead for years, and nobody could log in.
        let furthest = now.saturating_add(AHEAD);
        living.sort_by_key(|row| match row.created_at.cmp(&furthest) {
            Ordering::Greater => 2,
            // As far as it could go: others may stand there, too.
            Ordering::Equal if row.session == own => 0,
            _ => 1,
        });
        let above = living.get(cap.get()..).unwrap_or_default();
        let left = over.get(cap.get().saturating_sub(living.len())..).unwrap_or_default();
        // Read after the rows: if all sessions were ended meanwhile, this login is over too, and takes no place.
        if (above.is_empty() && left.is_empty()) || self.store.epoch(subject).await? > epoch {
            return Ok(());
        }
        for row in above {
            self.end(row.session, Some(subject), Reason::Evicted, now).await?;
        }
        for row in left {
            // No event: nothing ends that lived. After a conflict the row is listed again, and the next login does it.
            let reason = if row.subject_epoch == epoch { Reason::Evicted } else { Reason::Revoked };
            let _ = self.write(&self.machine.end(row, reason, now)).await?;
        }
        Ok(())
    }

    /// Those of the rows that live, the newest first.
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

/// The sessions of epochs that are yet to come: the store has lost that they were there. They are refused as long as it has.
fn of_lost_epochs(rows: &[Row], epoch: u64) -> Vec<SessionId> {
    rows.iter().filter(|row| row.subject_epoch > epoch).map(Row::session_id).collect()
}

/// What is done at a given time.
impl<S: Store> At<'_, Sessions<S>> {
    /// As [`Sessions::epoch`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn epoch(self, subject: &str) -> Result<u64, Error> {
        let Self { inner: sessions, now } = self;
        let epoch = sessions.store.epoch(subject).await?;
        if !sessions.store.is_denied(&[DenyKey::subject(subject, epoch)]).await? {
            return Ok(epoch);
        }
        // It is of an end of all sessions, which may never come to its own end: what began in it would be denied. Or it has
        // just come there, and others have logged in since.
        match sessions.store.epoch(subject).await? {
            present if present > epoch => Ok(present),
            _ => sessions.leave_epoch(subject, epoch, sessions.machine.deny_until(now), now).await,
        }
    }

    /// As [`Sessions::login`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn login(self, login: &Login) -> Result<Grant, Error> {
        let Self { inner: sessions, now } = self;
        login.check()?;
        let random = sessions.draw()?;
        // Read before the row is written: a revocation of all that comes between them revokes this login too.
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

    /// As [`Sessions::refresh`].
    ///
    /// # Errors
    ///
    /// As there.
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

    /// As [`Sessions::logout`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn logout(self, text: &str) -> Result<Ended, Error> {
        let Self { inner: sessions, now } = self;
        match sessions.machine.authenticate(text) {
            Ok(token) => sessions.end(token.session_id(), None, Reason::Logout, now).await,
            Err(Error::InvalidGrant(Refusal::UnknownKey)) => Err(Error::Retry),
            Err(_) => Ok(Ended::Unknown),
        }
    }

    /// As [`Sessions::revoke`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn revoke(self, session: SessionId) -> Result<Ended, Error> {
        let Self { inner: sessions, now } = self;
        sessions.end(session, None, Reason::Revoked, now).await
    }

    /// As [`Sessions::revoke_of`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn revoke_of(self, subject: &str, session: SessionId) -> Result<Ended, Error> {
        let Self { inner: sessions, now } = self;
        sessions.end(session, Some(subject), Reason::Revoked, now).await
    }

    /// As [`Sessions::revoke_others`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn revoke_others(self, subject: &str, keep: SessionId) -> Result<usize, Error> {
        let Self { inner: sessions, now } = self;
        let mut ended = 0_usize;
        let rows = sessions.store.list(subject).await?;
        let epoch = sessions.store.epoch(subject).await?;
        let lost = of_lost_epochs(&rows, epoch);
        // By the clock of a server that is behind, which might still exchange one.
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

    /// As [`Sessions::revoke_all`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn revoke_all(self, subject: &str) -> Result<(), Error> {
        let Self { inner: sessions, now } = self;
        let epoch = sessions.store.epoch(subject).await?;
        // A server with other rules may have given access tokens that are good for longer.
        let rows = sessions.store.list(subject).await?;
        let until = rows.iter().map(|row| sessions.machine.denied_until(row)).max();
        let until = sessions.machine.deny_until(now).max(until.unwrap_or(now));
        // Denied first, so that after a crash no access token outlives its session.
        let keys: Vec<DenyKey> = (epoch.saturating_sub(EPOCHS_BACK)..=epoch)
            .map(|epoch| DenyKey::subject(subject, epoch))
            .collect();
        sessions.store.deny(&keys, until).await?;
        sessions.leave_epoch(subject, epoch, until, now).await?;
        // The next end of all sessions could come to just their epoch.
        for session in of_lost_epochs(&rows, epoch) {
            sessions.end(session, Some(subject), Reason::Revoked, now).await?;
        }
        Ok(())
    }

    /// As [`Sessions::list`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn list(self, subject: &str) -> Result<Vec<Row>, Error> {
        let Self { inner: sessions, now } = self;
        let rows = sessions.store.list(subject).await?;
        let epoch = sessions.store.epoch(subject).await?;
        Ok(sessions.living(rows, epoch, now))
    }

    /// As [`Sessions::purge`].
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn purge(self) -> Result<(), Error> {
        let Self { inner: sessions, now } = self;
        Ok(sessions.store.purge(now).await?)
    }
}

impl<S> fmt::Debug for Sessions<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("machine", &self.machine).finish_non_exhaustive()
    }
}
