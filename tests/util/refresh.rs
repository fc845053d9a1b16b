//! The state machine of `jwk::Refresh`, and mutants of it that each lack one law.

use core::time::Duration;
use countersign::UnixTime;
use countersign::jwk::{Action, Refresh, RefreshConfig};

/// The settings, in seconds, so small that all of them matter within a few steps.
pub(crate) const COOLDOWN: i64 = 1;
pub(crate) const TIMEOUT: i64 = 2;
pub(crate) const DEFAULT_AGE: i64 = 3;
pub(crate) const FLOOR: i64 = 2;
pub(crate) const CEILING: i64 = 4;
pub(crate) const OUTAGE: i64 = 2;
pub(crate) const LONGEST_RETRY: i64 = 4;
pub(crate) const MOST_WAITING: usize = 1;

pub(crate) fn wall(seconds: i64) -> UnixTime {
    UnixTime::from_secs(1_700_000_000 + seconds)
}

/// How a run begins.
#[derive(Clone, Copy)]
pub(crate) struct Start {
    pub(crate) fails: bool,
    pub(crate) jitter: u32,
    pub(crate) snapshot_age: Option<i64>,
    /// How many requests and rotations there are.
    pub(crate) budget: (u8, u8),
}

/// A law that a mutant lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Law {
    SoftAge,
    HardAge,
    SharedFetch,
    CooldownOfAttempts,
    BackOff,
    FailureKeepsKeys,
    BoundedWaiting,
    BadSignature,
    PerIssuer,
    RemovedKeys,
    OnlySetsReplace,
    TimeLimit,
    LateAnswers,
    StartFails,
    StartsWithoutKeys,
    SnapshotAge,
    UnavailableIsNotUnknown,
    Floor,
    Ceiling,
    ClockSetBack,
}

/// Each law, and how the check begins that notices its absence. The numbers are those of the twelve requirements: two ages (1),
/// a shared fetch with a cooldown (2), failures (3), waiting callers (4), bad signatures (5), issuers (6), removed keys (7), what
/// is no set (8), time limits (9), the start (10), snapshots (11), and the answers (12).
pub(crate) const LAWS: [(Law, &str); 20] = [
    (Law::SoftAge, "1, 9:"),
    (Law::HardAge, "1, 10, 11:"),
    (Law::SharedFetch, "2:"),
    (Law::CooldownOfAttempts, "2, 3:"),
    (Law::BackOff, "2, 3:"),
    (Law::FailureKeepsKeys, "3, 8:"),
    (Law::BoundedWaiting, "4:"),
    (Law::BadSignature, "5:"),
    (Law::PerIssuer, "6:"),
    (Law::RemovedKeys, "7:"),
    (Law::OnlySetsReplace, "3, 8:"),
    (Law::TimeLimit, "2:"),
    (Law::LateAnswers, "9:"),
    (Law::StartFails, "10:"),
    (Law::StartsWithoutKeys, "1, 10, 11:"),
    (Law::SnapshotAge, "1, 10, 11:"),
    (Law::UnavailableIsNotUnknown, "12:"),
    (Law::Floor, "no age is shorter"),
    (Law::Ceiling, "1, 9:"),
    (Law::ClockSetBack, "1, 10, 11:"),
];

/// The machine, or a mutant of it: what it is asked and what it answers passes through here. Keys are bits.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Mutant {
    pub(crate) without: Option<Law>,
    pub(crate) machine: Refresh<u8>,
    /// The same for another issuer.
    other: Refresh<u8>,
    /// The machine before the last attempt.
    before: Option<Refresh<u8>>,
    attempt: u64,
    cleared: bool,
    latest: UnixTime,
}

impl Mutant {
    pub(crate) fn new(start: Start, without: Option<Law>) -> Self {
        let seconds = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
        let far = seconds(400 * 24 * 3600);
        let or = |law, mutated, value| if without == Some(law) { mutated } else { seconds(value) };
        let mut config = RefreshConfig::new()
            .with_cooldown(seconds(COOLDOWN))
            .with_fetch_timeout(or(Law::TimeLimit, far, TIMEOUT))
            .with_default_age(seconds(DEFAULT_AGE))
            .with_age_floor(or(Law::Floor, Duration::ZERO, FLOOR))
            .with_age_ceiling(or(Law::Ceiling, far, CEILING))
            .with_outage(seconds(OUTAGE))
            .with_longest_retry(or(Law::BackOff, Duration::ZERO, LONGEST_RETRY))
            .with_most_waiting(if without == Some(Law::BoundedWaiting) { usize::MAX } else { MOST_WAITING });
        if !start.fails || without == Some(Law::StartFails) {
            config = config.starting_empty();
        }
        let (now, jitter) = (wall(0), start.jitter);
        let machine = match start.snapshot_age {
            None => Refresh::new(config, now, jitter),
            Some(_) if without == Some(Law::SnapshotAge) => {
                Refresh::from_snapshot(config, 1, now, now, jitter)
            }
            Some(age) => Refresh::from_snapshot(config, 1, wall(-age), now, jitter),
        };
        let other = Refresh::new(config, now, jitter);
        Self { without, machine, other, before: None, attempt: 0, cleared: false, latest: now }
    }

    fn lacks(&self, law: Law) -> bool {
        self.without == Some(law)
    }

    /// Returns the time that the machine is told.
    fn clock(&mut self, now: UnixTime) -> UnixTime {
        self.latest = if self.lacks(Law::ClockSetBack) { self.latest.max(now) } else { now };
        self.latest
    }

    pub(crate) fn keys(&self, now: UnixTime) -> Option<u8> {
        let now = if self.lacks(Law::ClockSetBack) { self.latest.max(now) } else { now };
        match self.machine.keys(now) {
            _ if self.cleared => None,
            None if self.lacks(Law::HardAge) => self.machine.snapshot().map(|(keys, _)| *keys),
            None if self.lacks(Law::StartsWithoutKeys) && self.machine.snapshot().is_none() => Some(0),
            keys => keys.copied(),
        }
    }

    pub(crate) fn timer(&mut self, now: UnixTime) -> Action {
        let now = self.clock(now);
        if self.lacks(Law::SoftAge) && self.machine.keys(now).is_some() {
            return Action::WaitUntil(now.saturating_add(Duration::from_secs(1)));
        }
        let before = self.machine.clone();
        let action = self.machine.timer(now);
        self.note(action, before)
    }

    pub(crate) fn unknown_key(&mut self, now: UnixTime) -> Action {
        let now = self.clock(now);
        let before = self.machine.clone();
        let action = match self.machine.unknown_key(now) {
            Action::Join { attempt } if self.lacks(Law::SharedFetch) => Action::Fetch { attempt },
            Action::Unavailable if self.lacks(Law::UnavailableIsNotUnknown) => Action::UseKeys,
            action => action,
        };
        self.note(action, before)
    }

    fn note(&mut self, action: Action, before: Refresh<u8>) -> Action {
        if let Action::Fetch { attempt } = action {
            self.attempt = attempt;
            self.before = self.lacks(Law::CooldownOfAttempts).then_some(before);
        }
        action
    }

    pub(crate) fn bad_signature(&mut self, now: UnixTime) -> Option<Action> {
        self.lacks(Law::BadSignature).then(|| self.unknown_key(now))
    }

    pub(crate) fn unknown_key_of_other_issuer(&mut self, now: UnixTime) -> Action {
        if self.lacks(Law::PerIssuer) { self.unknown_key(now) } else { self.other.unknown_key(now) }
    }

    pub(crate) fn stop_waiting(&mut self, attempt: u64) {
        self.machine.stop_waiting(attempt);
    }

    pub(crate) fn fetched(&mut self, now: UnixTime, attempt: u64, keys: u8, cache_control: &str) -> Action {
        let now = self.clock(now);
        self.cleared = false;
        let attempt = if self.lacks(Law::LateAnswers) { self.attempt } else { attempt };
        let old = self.machine.snapshot().map_or(0, |(keys, _)| *keys);
        let keys = if self.lacks(Law::RemovedKeys) { keys | old } else { keys };
        self.machine.fetched(now, attempt, keys, [("cache-control", cache_control)])
    }

    pub(crate) fn not_a_set(&mut self, now: UnixTime, attempt: u64) -> Action {
        if self.lacks(Law::OnlySetsReplace) {
            return self.fetched(now, attempt, 0, "");
        }
        self.failed(now, attempt)
    }

    pub(crate) fn failed(&mut self, now: UnixTime, attempt: u64) -> Action {
        let now = self.clock(now);
        self.cleared |= self.lacks(Law::FailureKeepsKeys);
        let action = self.machine.failed(now, attempt, None::<&str>);
        if let Some(before) = self.before.take() {
            self.machine = before;
        }
        action
    }
}
