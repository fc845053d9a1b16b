//! The state that is shared by the task and the users of a key set.

use crate::error::Error;
use crate::fetch::Fetch;
use crate::loaded::{Loaded, Reader};
use crate::location::{Failure, Location};
use crate::snapshot::Snapshot;
use crate::status::Status;
use arc_swap::ArcSwap;
use core::hash::{BuildHasher, Hasher};
use core::pin::pin;
use core::time::Duration;
use countersign::jwk::{Action, Refresh, RefreshConfig};
use countersign::{Algorithm, UnixTime, VerifyError};
use std::hash::RandomState;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, watch};

/// What reads the time.
pub(crate) type Clock = Arc<dyn Fn() -> UnixTime + Send + Sync>;

/// The wall clock is read this often at least, because it may be set, and because a timer does not count the time in which the
/// machine sleeps.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

pub(crate) struct Settings {
    pub(crate) location: Location,
    pub(crate) algorithms: Box<[Algorithm]>,
    pub(crate) config: RefreshConfig,
    pub(crate) deadline: Duration,
    pub(crate) most_bytes: usize,
    pub(crate) client: Arc<dyn Fetch>,
    pub(crate) reader: Reader,
    pub(crate) clock: Clock,
}

pub(crate) struct Engine {
    pub(crate) settings: Settings,
    /// What look-ups read.
    current: ArcSwap<Current>,
    state: Mutex<State>,
    /// A look-up found no key.
    pub(crate) unknown: Notify,
    /// A caller began a fetch.
    pub(crate) begun: Notify,
    ended: watch::Sender<Ended>,
}

/// The keys in use.
pub(crate) struct Current {
    /// Changes when keys may have been removed.
    pub(crate) generation: u64,
    pub(crate) loaded: Option<Arc<Loaded>>,
    /// When the keys reach the hard age.
    until: Option<UnixTime>,
    /// Whether the last fetch failed, so that an unknown key may be a new one.
    is_failing: bool,
}

impl Current {
    /// Returns whether the keys are unavailable, and not only one of them.
    pub(crate) const fn may_lack_keys(&self) -> bool {
        self.loaded.is_none() || self.is_failing
    }

    /// Returns the error of a token with a key that is not here.
    pub(crate) const fn unknown(&self) -> VerifyError {
        if self.is_failing { VerifyError::KeysUnavailable } else { VerifyError::UnknownKey }
    }
}

struct State {
    refresh: Refresh<Arc<Loaded>>,
    /// A fetch that a caller began, for the task.
    begun: Option<u64>,
    /// The `ETag` of the last set.
    tag: Option<String>,
    fetches: u64,
    failures: u64,
    last_error: Option<Error>,
}

/// The last fetch that ended.
#[derive(Clone, Copy, Default)]
pub(crate) struct Ended {
    attempt: u64,
    succeeded: bool,
    /// The task has ended.
    stopped: bool,
}

/// What the task does next.
pub(crate) enum Step {
    Fetch {
        attempt: u64,
        tag: Option<String>,
    },
    /// Wait for this long, or for a caller. Unknown keys count only if a fetch may begin.
    Wait {
        time: Duration,
        unknown_counts: bool,
    },
}

/// What came of a fetch.
pub(crate) enum Outcome {
    Keys { loaded: Arc<Loaded>, tag: Option<String>, headers: Vec<(String, Vec<u8>)> },
    NotModified { headers: Vec<(String, Vec<u8>)> },
}

impl Engine {
    pub(crate) fn new(settings: Settings, snapshot: Option<&Snapshot>) -> Result<Self, Error> {
        let now = (settings.clock)();
        let jitter = u32::try_from(RandomState::new().build_hasher().finish() >> 32).unwrap_or_default();
        let refresh = match snapshot {
            None => Refresh::new(settings.config, now, jitter),
            Some(snapshot) => {
                let body = snapshot.text().as_bytes();
                let loaded = Loaded::read(body, &settings.algorithms, &settings.reader)?;
                Refresh::from_snapshot(settings.config, Arc::new(loaded), snapshot.fetched_at(), now, jitter)
            }
        };
        let loaded = refresh.keys(now).cloned();
        let until = refresh.keys_until();
        Ok(Self {
            settings,
            current: ArcSwap::from_pointee(Current { generation: 0, loaded, until, is_failing: false }),
            state: Mutex::new(State {
                refresh,
                begun: None,
                tag: None,
                fetches: 0,
                failures: 0,
                last_error: None,
            }),
            unknown: Notify::new(),
            begun: Notify::new(),
            ended: watch::Sender::new(Ended::default()),
        })
    }

    pub(crate) fn now(&self) -> UnixTime {
        (self.settings.clock)()
    }

    /// Returns the keys in use. Does not wait, and counts nothing that threads share.
    pub(crate) fn current(&self) -> arc_swap::Guard<Arc<Current>> {
        self.current.load()
    }

    // ---- for the task ----

    /// Decides what the task does next.
    pub(crate) fn step(&self) -> Step {
        let now = self.now();
        let mut state = self.lock();
        let action = match state.begun.take() {
            Some(attempt) => Action::Fetch { attempt },
            None => state.refresh.timer(now),
        };
        self.publish(&state, now);
        if let Action::Fetch { attempt } = action {
            state.fetches = state.fetches.saturating_add(1);
            return Step::Fetch { attempt, tag: state.tag.clone() };
        }
        let allowed = state.refresh.fetch_allowed_at();
        let has_keys = state.refresh.keys(now).is_some();
        let times = [
            if let Action::WaitUntil(until) = action { Some(until) } else { None },
            state.refresh.keys_until().filter(|_| has_keys),
            Some(allowed).filter(|allowed| *allowed > now),
        ];
        let time = times.into_iter().flatten().map(|time| time.saturating_duration_since(now)).min();
        // Not less, so that a time that has passed does not keep the task busy.
        let time = time.unwrap_or(LONGEST_WAIT).clamp(Duration::from_secs(1), LONGEST_WAIT);
        Step::Wait { time, unknown_counts: allowed <= now }
    }

    /// Begins a fetch because a look-up found no key, if one may begin.
    pub(crate) fn ask(&self) {
        let now = self.now();
        let mut state = self.lock();
        match state.refresh.unknown_key(now) {
            Action::Fetch { attempt } => state.begun = Some(attempt),
            Action::Join { attempt } => state.refresh.stop_waiting(attempt),
            _ => {}
        }
    }

    /// Waits until a caller has begun another fetch, because the one under way took too long by the clock.
    pub(crate) async fn superseded(&self) {
        loop {
            self.begun.notified().await;
            if self.lock().begun.is_some() {
                return;
            }
        }
    }

    /// Returns the keys of the last set, to be kept if the next one has the same text.
    pub(crate) fn last(&self) -> Option<Arc<Loaded>> {
        self.lock().refresh.snapshot().map(|(loaded, _)| loaded.clone())
    }

    /// Notes the end of a fetch, and lets those go on who wait for it.
    pub(crate) fn end(&self, attempt: u64, outcome: Result<Outcome, Failure>) {
        let now = self.now();
        let mut state = self.lock();
        let succeeded = outcome.is_ok();
        // The task asks for the next action when it needs it.
        match outcome {
            Ok(Outcome::Keys { loaded, tag, headers }) => {
                tracing::info!(
                    keys = loaded.keys.len(),
                    skipped = loaded.skipped.len(),
                    "fetch of a key set succeeded"
                );
                let _ = state.refresh.fetched(now, attempt, loaded, headers);
                state.tag = tag;
                state.last_error = None;
            }
            Ok(Outcome::NotModified { headers }) => {
                tracing::debug!("key set is not modified");
                let _ = state.refresh.not_modified(now, attempt, headers);
                state.last_error = None;
            }
            Err(failure) => {
                tracing::warn!(error = %failure.error, "fetch of a key set failed");
                let _ = state.refresh.failed(now, attempt, &failure.retry_after);
                state.failures = state.failures.saturating_add(1);
                state.last_error = Some(failure.error);
            }
        }
        self.publish(&state, now);
        drop(state);
        if succeeded {
            // The unknown keys before this moment were answered by this fetch.
            pin!(self.unknown.notified()).as_mut().enable();
        }
        self.ended.send_replace(Ended { attempt, succeeded, stopped: false });
    }

    /// Ends the use of the keys, because the task does not fetch any more.
    pub(crate) fn stop(&self) {
        let _state = self.lock();
        let generation = self.current.load().generation.wrapping_add(1);
        self.current.store(Arc::new(Current { generation, loaded: None, until: None, is_failing: true }));
        self.ended.send_modify(|ended| ended.stopped = true);
    }

    // ---- for callers ----

    /// Ends the use of keys that have reached the hard age, if the task did not, because its runtime is blocked.
    pub(crate) fn retire(&self, now: UnixTime) {
        let current = self.current();
        if current.loaded.is_some() && current.until.is_some_and(|until| until <= now) {
            self.publish(&self.lock(), now);
        }
    }

    /// Waits for the first keys.
    pub(crate) async fn ready(&self) -> Result<(), Error> {
        let mut ended = self.ended.subscribe();
        loop {
            let last = *ended.borrow_and_update();
            if last.stopped {
                return Err(Error::Stopped);
            }
            if self.current().loaded.is_some() {
                return Ok(());
            }
            if last.attempt > 0 && !last.succeeded {
                return Err(self.lock().last_error.clone().unwrap_or(Error::Stopped));
            }
            if ended.changed().await.is_err() {
                return Err(Error::Stopped);
            }
        }
    }

    /// Waits for the end of a fetch, if the rules allow one. Returns whether it succeeded, or the error of a token with a key that
    /// is still unknown.
    pub(crate) async fn refetched(&self) -> Result<bool, VerifyError> {
        let mut ended = self.ended.subscribe();
        let mut place = Place { engine: self, joined: None };
        if ended.borrow().stopped {
            return Err(VerifyError::KeysUnavailable);
        }
        let now = self.now();
        let attempt = {
            let mut state = self.lock();
            match state.refresh.unknown_key(now) {
                Action::Fetch { attempt } => {
                    state.begun = Some(attempt);
                    self.begun.notify_one();
                    attempt
                }
                Action::Join { attempt } => {
                    place.joined = Some(attempt);
                    attempt
                }
                Action::UseKeys => return Err(VerifyError::UnknownKey),
                _ => return Err(VerifyError::KeysUnavailable),
            }
        };
        let end = ended.wait_for(|ended| ended.stopped || ended.attempt >= attempt);
        let ended = tokio::time::timeout(self.settings.deadline, end).await;
        match ended {
            Ok(Ok(ended)) if !ended.stopped => {
                place.joined = None;
                Ok(ended.succeeded)
            }
            _ => Err(VerifyError::KeysUnavailable),
        }
    }

    pub(crate) fn snapshot(&self) -> Option<Snapshot> {
        let state = self.lock();
        let (loaded, fetched_at) = state.refresh.snapshot()?;
        Some(Snapshot::new(&*loaded.text, fetched_at))
    }

    pub(crate) fn status(&self) -> Status {
        let now = self.now();
        let state = self.lock();
        let held = state.refresh.snapshot().map(|(loaded, at)| (loaded.clone(), at));
        let keys = self.current().loaded.as_ref().map_or(0, |loaded| loaded.keys.len());
        let retry_after = state.refresh.fetch_allowed_at().saturating_duration_since(now);
        Status {
            fetches: state.fetches,
            failures: state.failures,
            keys,
            skipped: held.as_ref().map(|(loaded, _)| loaded.skipped.clone()).unwrap_or_default(),
            age: held.map(|(_, at)| now.saturating_duration_since(at)),
            last_error: state.last_error.clone(),
            next_fetch: next_fetch(&state, now),
            retry_after: retry_after.max(Duration::from_secs(1)),
        }
    }

    /// Shows the present keys to look-ups.
    fn publish(&self, state: &State, now: UnixTime) {
        let loaded = state.refresh.keys(now).cloned();
        let until = state.refresh.keys_until();
        let is_failing = state.last_error.is_some();
        let before = self.current.load();
        let is_same = match (&before.loaded, &loaded) {
            (Some(before), Some(loaded)) => Arc::ptr_eq(before, loaded),
            (None, None) => true,
            _ => false,
        };
        if is_same && before.until == until && before.is_failing == is_failing {
            return;
        }
        let generation = if is_same { before.generation } else { before.generation.wrapping_add(1) };
        if !is_same {
            tracing::info!(keys = loaded.as_ref().map_or(0, |loaded| loaded.keys.len()), "keys replaced");
        }
        self.current.store(Arc::new(Current { generation, loaded, until, is_failing }));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock, except a clock of the caller, which is read before.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A caller that waits. If it gives up, its place is given back.
struct Place<'a> {
    engine: &'a Engine,
    joined: Option<u64>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(attempt) = self.joined {
            self.engine.lock().refresh.stop_waiting(attempt);
        }
    }
}

/// Returns the time of the next fetch. `timer` would begin one that is due, so ask a copy.
fn next_fetch(state: &State, now: UnixTime) -> UnixTime {
    match state.refresh.clone().timer(now) {
        Action::WaitUntil(until) => until,
        _ => now,
    }
}
