//! A store that tests can inspect, take down and restore; sessions over it; and their events.
#![allow(dead_code, reason = "each test file uses only a part")]

use crate::util::{NOW, later, seconds};
use countersign::{Entropy, EntropyError, HmacKey, SecretBytes, UnixTime, Verifier};
use countersign_session::{
    AccessToken, AccessVerifier, Binding, Blocking, BlockingStore, Config, ConfigBuilder, DenyKey, Error,
    Event, EventKind, Grant, Loaded, Login, MasterKeys, Refusal, Row, SessionId, Sessions, StoreError, Swap,
    blocking,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

pub(crate) const ISSUER: &str = "https://auth.example";
pub(crate) const AUDIENCE: &str = "https://api.example";

/// A store that keeps rows as bytes, as a database does.
#[derive(Default)]
pub(crate) struct Kept {
    tables: Mutex<Tables>,
    calls: Mutex<Vec<&'static str>>,
    /// The number of rows that its lists have returned.
    listed: AtomicUsize,
    down: AtomicBool,
    /// The number of swaps that fail because a rival writes the same row first.
    rivals: AtomicU64,
    /// What another caller does before a call.
    meanwhile: Mutex<Option<Meanwhile>>,
}

/// The name of a call, the number of such calls to let through, and the action before the next one.
type Meanwhile = (&'static str, usize, Box<dyn FnOnce() + Send>);

#[derive(Clone, Default)]
pub(crate) struct Tables {
    rows: BTreeMap<SessionId, Vec<u8>>,
    epochs: BTreeMap<String, u64>,
    denials: BTreeMap<DenyKey, UnixTime>,
}

impl Kept {
    fn asked(&self, call: &'static str) -> Result<MutexGuard<'_, Tables>, StoreError> {
        self.calls.lock().unwrap().push(call);
        self.let_others(call);
        if self.down.load(Ordering::Relaxed) {
            return Err(StoreError::new("connection refused"));
        }
        Ok(self.tables.lock().unwrap())
    }

    /// Runs the action for this call, once.
    fn let_others(&self, call: &'static str) {
        let mut meanwhile = self.meanwhile.lock().unwrap();
        let due = match &mut *meanwhile {
            Some((before, 0, _)) if *before == call => meanwhile.take(),
            Some((before, skipped, _)) if *before == call => {
                *skipped -= 1;
                None
            }
            _ => None,
        };
        drop(meanwhile);
        if let Some((_, _, others)) = due {
            others();
        }
    }

    /// Sets an action that runs before a later call, after this many calls of its kind.
    pub(crate) fn set_meanwhile(
        &self,
        call: &'static str,
        skipped: usize,
        others: impl FnOnce() + Send + 'static,
    ) {
        *self.meanwhile.lock().unwrap() = Some((call, skipped, Box::new(others)));
    }

    /// Returns the calls since the last time.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    pub(crate) fn set_epoch(&self, subject: &str, epoch: u64) {
        self.tables.lock().unwrap().epochs.insert(subject.into(), epoch);
    }

    pub(crate) fn set_rivals(&self, count: u64) {
        self.rivals.store(count, Ordering::Relaxed);
    }

    pub(crate) fn backup(&self) -> Tables {
        self.tables.lock().unwrap().clone()
    }

    pub(crate) fn restore(&self, backup: &Tables) {
        *self.tables.lock().unwrap() = backup.clone();
    }

    pub(crate) fn row(&self, session: SessionId) -> Row {
        Row::from_bytes(&self.tables.lock().unwrap().rows[&session]).unwrap()
    }

    /// Returns the whole content, in order to detect any change.
    pub(crate) fn content(&self) -> String {
        let Tables { rows, epochs, denials } = &*self.tables.lock().unwrap();
        format!(
            "{rows:?} {epochs:?} {:?}",
            denials.iter().map(|(k, v)| (k.to_string(), v)).collect::<Vec<_>>()
        )
    }

    pub(crate) fn rows(&self) -> usize {
        self.tables.lock().unwrap().rows.len()
    }

    /// Returns the number of rows that its lists have returned since the last time.
    pub(crate) fn listed(&self) -> usize {
        self.listed.swap(0, Ordering::Relaxed)
    }

    pub(crate) fn denials(&self) -> usize {
        self.tables.lock().unwrap().denials.len()
    }
}

impl BlockingStore for Kept {
    fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
        let tables = self.asked("load")?;
        let Some(bytes) = tables.rows.get(&session) else { return Ok(None) };
        let row = Row::from_bytes(bytes)?;
        let epoch = tables.epochs.get(row.subject()).copied().unwrap_or_default();
        Ok(Some(Loaded::new(row, epoch)))
    }

    fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
        let mut tables = self.asked("insert")?;
        if tables.rows.contains_key(&row.session_id()) {
            return Ok(Swap::Conflict);
        }
        tables.rows.insert(row.session_id(), row.to_bytes());
        Ok(Swap::Done)
    }

    fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
        let mut tables = self.asked("compare_and_swap")?;
        if self.rivals.load(Ordering::Relaxed) > 0 {
            self.rivals.fetch_sub(1, Ordering::Relaxed);
            return Ok(Swap::Conflict);
        }
        let Some(bytes) = tables.rows.get_mut(&row.session_id()) else { return Ok(Swap::Conflict) };
        if Row::from_bytes(bytes)?.version() != expected {
            return Ok(Swap::Conflict);
        }
        *bytes = row.to_bytes();
        Ok(Swap::Done)
    }

    fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
        let tables = self.asked("list")?;
        let rows: Vec<Row> =
            tables.rows.values().map(|bytes| Row::from_bytes(bytes)).collect::<Result<_, _>>()?;
        let is_listed = |row: &Row| row.subject() == subject && row.revoked().is_none();
        let listed: Vec<Row> = rows.into_iter().filter(is_listed).collect();
        self.listed.fetch_add(listed.len(), Ordering::Relaxed);
        Ok(listed)
    }

    fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
        Ok(self.asked("epoch")?.epochs.get(subject).copied().unwrap_or_default())
    }

    fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
        let mut tables = self.asked("bump_epoch")?;
        let epoch = tables.epochs.entry(subject.to_owned()).or_default();
        *epoch += 1;
        Ok(*epoch)
    }

    fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
        let mut tables = self.asked("deny")?;
        for key in keys {
            let kept = tables.denials.entry(*key).or_insert(until);
            *kept = until.max(*kept);
        }
        Ok(())
    }

    fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
        let tables = self.asked("is_denied")?;
        Ok(keys.iter().any(|key| tables.denials.contains_key(key)))
    }

    fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
        let mut tables = self.asked("purge")?;
        tables.rows.retain(|_, bytes| Row::from_bytes(bytes).unwrap().purge_after() >= now);
        tables.denials.retain(|_, until| *until >= now);
        Ok(())
    }
}

/// A source that is not random but differs from call to call.
#[derive(Default)]
pub(crate) struct Sequence(AtomicU64);

impl Entropy for Sequence {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64.
            let mut word = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(word ^ (word >> 31)).to_be_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// A source that always fails.
pub(crate) struct Dry;

impl Entropy for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError::new())
    }
}

pub(crate) fn signer() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes([0x51; 32])).unwrap()
}

pub(crate) fn master() -> MasterKeys {
    MasterKeys::new(1, [0x11; 32]).unwrap()
}

pub(crate) fn config() -> ConfigBuilder {
    Config::builder(ISSUER, AUDIENCE)
}

/// A login server under test.
pub(crate) struct Server {
    pub(crate) sessions: Sessions<Arc<Blocking<Kept>>>,
    store: Arc<Blocking<Kept>>,
    events: Arc<Mutex<Vec<Event>>>,
}

/// Returns a server with the defaults.
pub(crate) fn server() -> Server {
    server_of(config())
}

pub(crate) fn server_of(config: ConfigBuilder) -> Server {
    let store = Arc::new(Blocking(Kept::default()));
    Server::over(&store, config, master())
}

impl Server {
    pub(crate) fn over(store: &Arc<Blocking<Kept>>, config: ConfigBuilder, keys: MasterKeys) -> Self {
        // Each server over a store starts at another place in the sequence.
        static SEED: AtomicU64 = AtomicU64::new(1);
        let entropy = Sequence(AtomicU64::new(SEED.fetch_add(1 << 40, Ordering::Relaxed)));
        let events = Arc::new(Mutex::new(Vec::new()));
        let log = events.clone();
        let sessions = Sessions::new_with(config.build().unwrap(), keys, signer(), store.clone(), entropy)
            .observed_by(move |event: &Event| log.lock().unwrap().push(event.clone()));
        Self { sessions, store: store.clone(), events }
    }

    /// Returns another server over the same store.
    pub(crate) fn beside(&self, config: ConfigBuilder, keys: MasterKeys) -> Self {
        Self::over(&self.store, config, keys)
    }

    pub(crate) fn store(&self) -> &Kept {
        &self.store.0
    }

    pub(crate) fn shared(&self) -> Arc<Blocking<Kept>> {
        self.store.clone()
    }

    #[track_caller]
    pub(crate) fn login(&self, subject: &str, now: UnixTime) -> Grant {
        self.login_as(&Login::new(subject), now)
    }

    #[track_caller]
    pub(crate) fn login_as(&self, login: &Login, now: UnixTime) -> Grant {
        blocking(self.sessions.at(now).login(login)).unwrap()
    }

    pub(crate) fn try_refresh(&self, text: &str, now: UnixTime) -> Result<Grant, Error> {
        blocking(self.sessions.at(now).refresh(text, &Binding::None))
    }

    #[track_caller]
    pub(crate) fn refresh(&self, grant: &Grant, now: UnixTime) -> Grant {
        self.try_refresh(text(grant), now).unwrap()
    }

    /// Returns why an exchange is refused.
    #[track_caller]
    pub(crate) fn refusal(&self, text: &str, now: UnixTime) -> Refusal {
        refusal_of(self.try_refresh(text, now))
    }

    /// Returns why an exchange would be refused, if it would.
    pub(crate) fn refusal_or_none(&self, text: &str) -> Option<Refusal> {
        let backup = self.store().backup();
        let outcome = self.try_refresh(text, NOW);
        self.store().restore(&backup);
        outcome.err().map(|error| refusal_of(Err(error)))
    }

    #[track_caller]
    pub(crate) fn refusal_bound(&self, text: &str, binding: &Binding, now: UnixTime) -> Refusal {
        refusal_of(blocking(self.sessions.at(now).refresh(text, binding)))
    }

    /// Returns the events since the last time.
    pub(crate) fn events(&self) -> Vec<EventKind> {
        std::mem::take(&mut *self.events.lock().unwrap()).into_iter().map(|event| event.kind).collect()
    }

    pub(crate) fn access(&self, grant: &Grant) -> String {
        self.sessions.access_token(grant, &()).unwrap()
    }

    /// Checks an access token as a server with a denylist does.
    pub(crate) fn check(&self, text: &str, now: UnixTime) -> Result<AccessToken<()>, Error> {
        let verifier = access_verifier().with_denylist(self.shared());
        blocking(verifier.at(now).verify(text, &Binding::None))
    }

    /// Returns whether a session lives.
    pub(crate) fn lives(&self, grant: &Grant, now: UnixTime) -> bool {
        let rows = blocking(self.sessions.at(now).list(grant.subject())).unwrap();
        rows.iter().any(|row| row.session_id() == grant.session_id())
    }
}

#[track_caller]
fn refusal_of(outcome: Result<Grant, Error>) -> Refusal {
    let error = outcome.expect_err("the exchange is refused");
    assert_eq!(error.to_string(), if error.refusal().is_some() { UNIFORM } else { "" });
    error.refusal().unwrap()
}

/// The text of every refusal.
pub(crate) const UNIFORM: &str = "the refresh token is not valid";

pub(crate) fn text(grant: &Grant) -> &str {
    grant.refresh_token().expose_secret()
}

pub(crate) fn access_verifier() -> AccessVerifier {
    AccessVerifier::new(Verifier::builder(signer()).issuer(ISSUER).audience(AUDIENCE)).unwrap()
}

pub(crate) const MINUTE: i64 = 60;
pub(crate) const HOUR: i64 = 60 * MINUTE;
pub(crate) const DAY: i64 = 24 * HOUR;

/// Exchanges `grant` this many times, ten minutes apart, and returns the last grant and its time.
#[track_caller]
pub(crate) fn exchanged(server: &Server, mut grant: Grant, count: i64) -> (Grant, UnixTime) {
    let mut now = NOW;
    for step in 1..=count {
        now = later(step * 10 * MINUTE);
        grant = server.refresh(&grant, now);
    }
    (grant, now)
}

pub(crate) fn after(time: UnixTime, count: u64) -> UnixTime {
    time.saturating_add(seconds(count))
}

/// A sequence that several servers share.
pub(crate) struct SharedSequence(pub(crate) Arc<Sequence>);

impl Entropy for SharedSequence {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.0.fill(bytes)
    }
}
