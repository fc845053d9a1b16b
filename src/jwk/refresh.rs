//! Decides when the key set of an issuer is fetched again, and how long its keys are used. Opens no socket, reads no clock and
//! draws no randomness.

mod config;
mod date;
mod freshness;

pub use config::RefreshConfig;

use crate::jwk::refresh::config::Start;
use crate::jwk::refresh::freshness::Freshness;
use crate::time::UnixTime;
use core::time::Duration;

/// The rules for a key set that is fetched again while it is used: when to fetch, how long to use its keys, and whether a token
/// waits. Your code does what the returned [`Action`] says, and reports what came of it.
///
/// `K` is whatever you keep of a set, such as an `Arc<KeySet>` with the text and the `ETag`. Keep one `Refresh` for each issuer,
/// so that tokens of one issuer never delay the keys of another.
///
/// | when | call |
/// |---|---|
/// | at the start, after each [`Action::Fetch`], and at the time of [`Action::WaitUntil`] | [`timer`](Self::timer) |
/// | a token arrives | [`keys`](Self::keys), which never waits |
/// | these keys lack the token's key, or there are none | [`unknown_key`](Self::unknown_key) |
/// | a caller no longer waits | [`stop_waiting`](Self::stop_waiting) |
/// | a response is a key set | [`fetched`](Self::fetched) |
/// | a response has the status 304 | [`not_modified`](Self::not_modified) |
/// | any other response, or none | [`failed`](Self::failed) |
/// | the program ends | [`snapshot`](Self::snapshot), then [`from_snapshot`](Self::from_snapshot) at the next start |
///
/// There is nothing to call for a bad signature, because a known key id with a bad signature must not cause a fetch. No method
/// allocates or waits.
///
/// # Rules
///
/// - Two ages. After the soft age, the set is fetched again, and its keys are used meanwhile. After the hard age, they are not
///   used.
/// - The soft age is the `max-age` of `Cache-Control`, or `Expires` minus `Date`, minus `Age`. It is bounded by a floor and a
///   ceiling. `no-store`, `no-cache` and everything invalid mean the floor. `s-maxage` is ignored, because this cache is
///   not shared; so is `stale-while-revalidate`, because keys are used while they are fetched anyway.
/// - The hard age is the soft age and an outage that you configure. `stale-if-error` lengthens the outage up to the ceiling.
///   `must-revalidate` cancels `stale-if-error`, but not your own setting.
/// - One fetch at a time, which serves everyone who waits. Between two fetches there is a cooldown, whatever causes them. After a
///   failed fetch, the wait doubles with each failure, and lengthens with `Retry-After`.
/// - A failed fetch changes no keys. A successful one replaces all of them, so that removed keys are no longer used.
///
/// # Clocks
///
/// `now` is the time of a wall clock, because a snapshot must tell its age after a restart, and because the time in which a
/// machine sleeps counts. A clock that jumps ahead ages the keys, which causes one fetch. A clock that is set back by more than a
/// minute causes one fetch, too. The keys then age by the whole time until the timer that was asked for, because it is not known
/// how much of it has passed. A smaller step back counts as no time, because threads may report their times in another order.
///
/// A step back that is shorter than the time since the last call cannot be noticed. Keys are then used longer by that step.
///
/// # Security
///
/// - Tokens choose how often `unknown_key` is called. It causes at most one fetch for each cooldown, and holds no memory.
/// - Do not fetch a URL from a token, and put nothing of a token into the request.
/// - If the body of a response is not a key set, call `failed`, so that the old keys stay.
/// - Headers come from the issuer or a proxy. Whatever they say, ages stay within [`RefreshConfig`].
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::UnixTime;
/// use countersign::jwk::{Action, Refresh, RefreshConfig};
///
/// let start = UnixTime::from_secs(1_700_000_000);
/// let after = |seconds| start.saturating_add(Duration::from_secs(seconds));
/// let random = 0; // any number that you draw
/// let mut refresh = Refresh::new(RefreshConfig::new(), start, random);
///
/// // The start: there are no keys, so fetch them. This answer may be used for an hour.
/// assert_eq!(refresh.keys(start), None);
/// assert_eq!(refresh.timer(start), Action::Fetch { attempt: 1 });
/// let next = refresh.fetched(after(1), 1, ["2025"], [("Cache-Control", "public, max-age=3601")]);
/// assert_eq!(next, Action::WaitUntil(after(3601)));
/// assert_eq!(refresh.keys(after(60)), Some(&["2025"]));
///
/// // A token has the key id "2026": the set is fetched again, and a second such token waits for the same fetch.
/// assert_eq!(refresh.unknown_key(after(60)), Action::Fetch { attempt: 2 });
/// assert_eq!(refresh.unknown_key(after(60)), Action::Join { attempt: 2 });
/// refresh.fetched(after(61), 2, ["2026"], [("Cache-Control", "max-age=3600")]);
/// assert_eq!(refresh.keys(after(61)), Some(&["2026"]));
///
/// // A token has an invented key id, just after this fetch: refuse it at once.
/// assert_eq!(refresh.unknown_key(after(62)), Action::UseKeys);
///
/// // The issuer is down when the hour is over. The keys stay, and the next fetch comes soon.
/// assert_eq!(refresh.timer(after(3660)), Action::Fetch { attempt: 3 });
/// assert_eq!(refresh.failed(after(3661), 3, None::<&str>), Action::WaitUntil(after(3671)));
/// assert_eq!(refresh.keys(after(3661)), Some(&["2026"]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refresh<K> {
    config: RefreshConfig,
    jitter: u32,
    /// The latest time that the caller gave, unless the clock was set back.
    last: UnixTime,
    held: Option<Held<K>>,
    /// Seconds until a fetch may begin: the cooldown, or the wait after a failure.
    pause: u64,
    /// The number of the last attempt.
    attempt: u64,
    under_way: Option<UnderWay>,
    /// Failures in a row.
    failures: u32,
    /// Callers that wait for the fetch under way, besides the one that began it.
    waiting: usize,
}

/// Keys and their age, in seconds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Held<K> {
    keys: K,
    /// Counted from the beginning of the fetch.
    age: u64,
    /// The age at which to fetch again.
    soft: u64,
    /// The age at which the keys are no longer used.
    hard: u64,
    /// What the issuer last said about its set.
    freshness: Freshness,
}

/// A fetch that has not been reported yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct UnderWay {
    /// Seconds until it counts as failed.
    left: u64,
    /// Seconds since it began, at most.
    age: u64,
}

/// What to do next.
///
/// # Examples
///
/// See [`Refresh`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// Begin a fetch. Report its end with this number, to [`Refresh::fetched`], [`Refresh::not_modified`] or
    /// [`Refresh::failed`]. A caller whose token caused it may wait for that, then looks at [`Refresh::keys`] again. If the token's
    /// key is still not there, the answer is 401 after a fetch that succeeded and 503 after one that failed.
    Fetch {
        /// The number.
        attempt: u64,
    },
    /// Wait for the end of this fetch, which is under way, then do as the caller that began it. Call [`Refresh::stop_waiting`] if
    /// the caller gives up earlier.
    Join {
        /// The number.
        attempt: u64,
    },
    /// Answer with 503, as for [`VerifyError::KeysUnavailable`](crate::VerifyError::KeysUnavailable): there are no keys, the key is
    /// unknown but the last fetch failed, or too many callers wait. Returned by any other method than [`Refresh::unknown_key`], it
    /// means that the first fetch failed and that the start fails with it.
    Unavailable,
    /// Answer with the keys that are there: the key is unknown, and the answer 401, as for
    /// [`VerifyError::UnknownKey`](crate::VerifyError::UnknownKey).
    UseKeys,
    /// Call [`Refresh::timer`] at this time.
    WaitUntil(UnixTime),
}

/// How far the clock went since the last call.
enum Passed {
    Seconds(u64),
    /// It is not known how much time has passed.
    SetBack,
}

/// The largest step back that counts as no time. Threads that share a `Refresh` read the clock before they lock it.
const SMALL_STEP: Duration = Duration::from_secs(60);

/// The largest step ahead that counts. All ages are shorter.
const LARGEST_STEP: u64 = 10 * 366 * 24 * 3600;

impl<K> Refresh<K> {
    /// Starts without keys. `jitter` is any number that you draw once, so that servers that start together do not fetch together.
    #[must_use]
    pub const fn new(config: RefreshConfig, now: UnixTime, jitter: u32) -> Self {
        Self {
            config,
            jitter,
            last: now,
            held: None,
            pause: 0,
            attempt: 0,
            under_way: None,
            failures: 0,
            waiting: 0,
        }
    }

    /// Starts with keys that were fetched before the program started, as [`snapshot`](Self::snapshot) returned them.
    ///
    /// They keep their age, and have the default ages of `config`. If they are older than its hard age, or from the future, they
    /// are dropped, and the start is that of [`new`](Self::new).
    ///
    /// # Security
    ///
    /// Whatever can write the snapshot chooses the keys. Store it where only this program writes.
    #[must_use]
    pub fn from_snapshot(
        config: RefreshConfig,
        keys: K,
        fetched_at: UnixTime,
        now: UnixTime,
        jitter: u32,
    ) -> Self {
        let mut refresh = Self::new(config, now, jitter);
        let age = now.saturating_duration_since(fetched_at).as_secs();
        refresh.hold(keys, Freshness::default(), age);
        let is_from_future = fetched_at > now.saturating_add(SMALL_STEP);
        refresh.held = refresh.held.take().filter(|held| !is_from_future && held.age < held.hard);
        refresh
    }

    /// Returns the keys, unless they are older than the hard age or there are none. Then answer with 503.
    #[must_use]
    pub fn keys(&self, now: UnixTime) -> Option<&K> {
        let held = self.held.as_ref()?;
        let age = held.age.saturating_add(self.at_most(&self.passed(now)));
        (age < held.hard).then_some(&held.keys)
    }

    /// Returns when the present keys reach the hard age, or `None` if there are none. Code that hands the keys on must stop using
    /// them then.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use countersign::UnixTime;
    /// use countersign::jwk::{Refresh, RefreshConfig};
    ///
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let refresh = Refresh::from_snapshot(RefreshConfig::new(), "the keys", now, now, 0);
    /// let until = refresh.keys_until().unwrap();
    /// assert_eq!(until.saturating_duration_since(now), Duration::from_secs(10 * 60 + 12 * 3600));
    /// assert_eq!(refresh.keys(until), None);
    /// ```
    #[must_use]
    pub fn keys_until(&self) -> Option<UnixTime> {
        let held = self.held.as_ref()?;
        let left = held.hard.saturating_sub(held.age);
        Some(self.last.saturating_add(Duration::from_secs(left)))
    }

    /// Returns when a fetch may begin: after the cooldown, the wait that follows a failure, and the fetch under way, if it does
    /// not end before. The time from now until then is a `Retry-After` for a 503.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use countersign::UnixTime;
    /// use countersign::jwk::{Action, Refresh, RefreshConfig};
    ///
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let mut refresh = Refresh::<()>::new(RefreshConfig::new().starting_empty(), now, 0);
    /// assert_eq!(refresh.timer(now), Action::Fetch { attempt: 1 });
    /// let _ = refresh.failed(now, 1, ["60"]);
    /// assert_eq!(refresh.fetch_allowed_at().saturating_duration_since(now), Duration::from_secs(60));
    /// ```
    #[must_use]
    pub fn fetch_allowed_at(&self) -> UnixTime {
        let left = self.under_way.as_ref().map_or(0, |under_way| under_way.left);
        self.last.saturating_add(Duration::from_secs(left.max(self.pause)))
    }

    /// Returns the last keys, of any age, with the time at which their fetch began. Store both for a warm start with
    /// [`from_snapshot`](Self::from_snapshot).
    #[must_use]
    pub fn snapshot(&self) -> Option<(&K, UnixTime)> {
        let held = self.held.as_ref()?;
        Some((&held.keys, self.last.saturating_sub(Duration::from_secs(held.age))))
    }

    /// Begins a fetch if one is due, or returns when to call again. Extra calls do no harm. Without a timer, call it with each
    /// token.
    ///
    /// Returns [`Action::Fetch`], [`Action::WaitUntil`], or [`Action::Unavailable`] after a start that failed.
    #[must_use]
    pub fn timer(&mut self, now: UnixTime) -> Action {
        self.pass(now);
        let is_fresh = self.held.as_ref().is_some_and(|held| held.age < held.soft);
        if self.start_failed() || is_fresh || !self.may_fetch() { self.next() } else { self.begin() }
    }

    /// Decides about a token if its key is not among the present keys.
    ///
    /// Returns [`Action::Fetch`], [`Action::Join`], [`Action::UseKeys`] or [`Action::Unavailable`].
    #[must_use]
    pub fn unknown_key(&mut self, now: UnixTime) -> Action {
        self.pass(now);
        let attempt = self.attempt;
        if self.start_failed() {
            Action::Unavailable
        } else if self.may_fetch() {
            self.begin()
        } else if self.under_way.is_some() {
            if self.waiting >= self.config.most_waiting {
                // The key may be known in a moment, so 401 would be wrong.
                return Action::Unavailable;
            }
            self.waiting = self.waiting.saturating_add(1);
            Action::Join { attempt }
        } else if self.failures == 0 && self.keys(now).is_some() {
            Action::UseKeys
        } else {
            Action::Unavailable
        }
    }

    /// Gives the place of a caller back that was told to [`Join`](Action::Join) this attempt, and gives up before its end.
    pub fn stop_waiting(&mut self, attempt: u64) {
        if attempt == self.attempt {
            self.waiting = self.waiting.saturating_sub(1);
        }
    }

    /// Replaces the keys. Pass all headers of the response, such as `response.headers()` of the crate `http`.
    ///
    /// The end of an attempt that has timed out, or of another one, changes nothing. Returns [`Action::WaitUntil`], or
    /// [`Action::Unavailable`] after a start that failed.
    pub fn fetched<N: AsRef<str>, V: AsRef<[u8]>>(
        &mut self,
        now: UnixTime,
        attempt: u64,
        keys: K,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Action {
        self.pass(now);
        if let Some(age) = self.end(attempt) {
            self.failures = 0;
            self.hold(keys, Freshness::read(headers, now), age);
        }
        self.next()
    }

    /// Keeps the keys, and lets their ages begin again. If the response states no age, the one that the issuer last stated counts
    /// ([RFC 9111 section 4.3.4](https://www.rfc-editor.org/rfc/rfc9111#section-4.3.4)).
    ///
    /// Counts as [`failed`](Self::failed) if there are no keys. Returns the same.
    pub fn not_modified<N: AsRef<str>, V: AsRef<[u8]>>(
        &mut self,
        now: UnixTime,
        attempt: u64,
        headers: impl IntoIterator<Item = (N, V)>,
    ) -> Action {
        self.pass(now);
        if let Some(age) = self.end(attempt) {
            match self.held.take() {
                None => self.fail(0),
                Some(held) => {
                    self.failures = 0;
                    let read = Freshness::read(headers, now);
                    let freshness =
                        if read.stated { read } else { Freshness { age: read.age, ..held.freshness } };
                    self.hold(held.keys, freshness, age);
                }
            }
        }
        self.next()
    }

    /// Notes that a fetch has failed: there was no response, its status was neither 200 nor 304, or its body was not a key set. Pass
    /// the values of `Retry-After` if the status was 429 or 503. The longest one counts.
    ///
    /// Returns [`Action::WaitUntil`], or [`Action::Unavailable`] if this was the first fetch, and the start fails with it.
    pub fn failed(
        &mut self,
        now: UnixTime,
        attempt: u64,
        retry_after: impl IntoIterator<Item: AsRef<[u8]>>,
    ) -> Action {
        self.pass(now);
        if self.end(attempt).is_some() {
            let waits = retry_after.into_iter().map(|value| freshness::retry_after(value.as_ref(), now));
            self.fail(waits.max().unwrap_or(0));
        }
        self.next()
    }

    /// Compares the clock with the last call.
    fn passed(&self, now: UnixTime) -> Passed {
        if now.saturating_add(SMALL_STEP) < self.last {
            return Passed::SetBack;
        }
        Passed::Seconds(now.saturating_duration_since(self.last).as_secs().min(LARGEST_STEP))
    }

    /// Returns how many seconds have passed at most. After a clock was set back, the caller would have called at the end of its
    /// wait.
    fn at_most(&self, passed: &Passed) -> u64 {
        match passed {
            Passed::Seconds(seconds) => *seconds,
            Passed::SetBack => self.wait(),
        }
    }

    /// Lets the time pass until `now`.
    fn pass(&mut self, now: UnixTime) {
        let passed = self.passed(now);
        let at_most = self.at_most(&passed);
        let (at_least, is_set_back) = match passed {
            Passed::Seconds(seconds) => (seconds, false),
            Passed::SetBack => (0, true),
        };
        self.last = if is_set_back { now } else { self.last.max(now) };
        if let Some(held) = &mut self.held {
            held.age = held.age.saturating_add(at_most);
            if is_set_back {
                held.soft = 0;
            }
        }
        self.pause = self.pause.saturating_sub(at_least);
        if let Some(under_way) = &mut self.under_way {
            under_way.left = under_way.left.saturating_sub(at_least);
            under_way.age = under_way.age.saturating_add(at_most);
            if under_way.left == 0 {
                self.end(self.attempt);
                self.fail(0);
            }
        }
    }

    const fn may_fetch(&self) -> bool {
        self.under_way.is_none() && self.pause == 0
    }

    /// Returns whether the first fetch failed, and the start with it.
    fn start_failed(&self) -> bool {
        self.config.start == Start::Fails && self.held.is_none() && self.failures > 0
    }

    fn begin(&mut self) -> Action {
        // The program ends long before the numbers do.
        self.attempt = self.attempt.wrapping_add(1);
        self.under_way = Some(UnderWay { left: self.config.fetch_timeout, age: 0 });
        self.pause = self.config.cooldown;
        Action::Fetch { attempt: self.attempt }
    }

    /// Ends the attempt under way, if it is this one, and returns its age.
    fn end(&mut self, attempt: u64) -> Option<u64> {
        let ended = self.under_way.take_if(|_| attempt == self.attempt)?;
        self.waiting = 0;
        // It counts from the end, too. Otherwise those who waited for a slow fetch could cause the next one.
        self.pause = self.config.cooldown;
        Some(ended.age)
    }

    fn fail(&mut self, retry_after: u64) {
        self.failures = self.failures.saturating_add(1);
        self.pause = self.config.back_off(self.failures, retry_after, self.jitter);
    }

    /// Replaces the keys with these, which are `age` seconds old besides what their headers say.
    fn hold(&mut self, keys: K, freshness: Freshness, age: u64) {
        let stated = freshness.lifetime.unwrap_or(self.config.default_age);
        let soft = self.config.soft_age(stated.saturating_sub(freshness.age));
        let hard = self.config.hard_age(soft, freshness.stale_if_error);
        let soft = self.config.spread(soft, self.jitter);
        self.held = Some(Held { keys, age, soft, hard, freshness });
    }

    /// Returns the seconds until the timer has something to do.
    fn wait(&self) -> u64 {
        match (&self.under_way, &self.held) {
            (Some(under_way), _) => under_way.left,
            (None, Some(held)) => held.soft.saturating_sub(held.age).max(self.pause),
            (None, None) => self.pause,
        }
    }

    fn next(&self) -> Action {
        if self.start_failed() {
            return Action::Unavailable;
        }
        Action::WaitUntil(self.last.saturating_add(Duration::from_secs(self.wait())))
    }
}
