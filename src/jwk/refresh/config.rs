//! The settings of [`Refresh`](crate::jwk::Refresh), with the reason for each number.

use core::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The limit for each duration. It keeps sums far below the largest `u64`.
const MOST: u64 = 400 * 24 * HOUR;

/// The settings of a [`Refresh`](crate::jwk::Refresh). Durations count in whole seconds: fractions are cut off. A duration above
/// 400 days is clamped to it.
///
/// | | default | |
/// |---|---|---|
/// | cooldown | 10 seconds | between two fetches, for whatever reason |
/// | fetch timeout | 10 seconds | after it, a fetch counts as failed |
/// | soft age | 10 minutes | if the issuer states none; then the set is fetched again, while its keys are used |
/// | floor and ceiling of the soft age | 5 minutes, 24 hours | whatever the issuer states |
/// | outage | 12 hours | how long keys are used beyond the soft age, if fetches fail |
/// | longest retry | 5 minutes | between two fetches that fail, whatever `Retry-After` says |
/// | waiting callers | 256 | for one fetch |
/// | start | fails | if the first fetch fails |
///
/// # Security
///
/// A key that the issuer has removed is used until the next fetch that succeeds. With the defaults, this is 10 minutes if the
/// issuer states no age, and at most 24 hours if it does. If fetches fail, the outage is added: 12 hours, or up to the
/// ceiling if the issuer sends `stale-if-error`.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::UnixTime;
/// use countersign::jwk::{Refresh, RefreshConfig};
///
/// let config = RefreshConfig::new().with_outage(Duration::from_secs(3600)).with_age_ceiling(Duration::from_secs(900));
/// let day = Duration::from_secs(24 * 3600);
/// let fetched_at = UnixTime::from_secs(1_700_000_000);
/// let refresh = Refresh::from_snapshot(config, "the keys", fetched_at, fetched_at.saturating_add(day), 0);
/// assert_eq!(refresh.snapshot(), None); // too old
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RefreshConfig {
    pub(super) cooldown: u64,
    pub(super) fetch_timeout: u64,
    pub(super) default_age: u64,
    age_floor: u64,
    age_ceiling: u64,
    outage: u64,
    longest_retry: u64,
    pub(super) most_waiting: usize,
    pub(super) start: Start,
}

/// What happens if the first fetch fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Start {
    Fails,
    Empty,
}

impl RefreshConfig {
    /// Returns the default settings.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            // A rotation is noticed at once unless there was a fetch just before. Then it is noticed this much later.
            cooldown: 10,
            // The sets of identity providers have a few KiB. An answer that takes longer rarely comes.
            fetch_timeout: 10,
            // Most libraries fetch every 5 to 10 minutes.
            default_age: 10 * MINUTE,
            // Some issuers state 15 seconds or `no-store`.
            age_floor: 5 * MINUTE,
            // Some issuers state a year. A key that was stolen and removed must not be used that long.
            age_ceiling: 24 * HOUR,
            // Time enough for operators to react, at night too.
            outage: 12 * HOUR,
            longest_retry: 5 * MINUTE,
            // Each waiting caller holds a request open.
            most_waiting: 256,
            start: Start::Fails,
        }
    }

    /// Sets the shortest time between two fetches. It counts from the beginning and from the end of the last attempt, successful
    /// or not. The default is 10 seconds, the minimum 1 second.
    #[must_use]
    pub const fn with_cooldown(mut self, cooldown: Duration) -> Self {
        self.cooldown = at_least_one(seconds(cooldown));
        self
    }

    /// Sets how long a fetch may take. After that it counts as failed, and what it brings is ignored. Give your HTTP request the
    /// same timeout. The default is 10 seconds, the minimum 1 second.
    #[must_use]
    pub const fn with_fetch_timeout(mut self, timeout: Duration) -> Self {
        self.fetch_timeout = at_least_one(seconds(timeout));
        self
    }

    /// Sets the soft age of a set if its issuer states none. It counts between the floor and the ceiling, too. The default is 10
    /// minutes.
    #[must_use]
    pub const fn with_default_age(mut self, age: Duration) -> Self {
        self.default_age = seconds(age);
        self
    }

    /// Sets the shortest soft age. Shorter ages that an issuer states count as this one; so do `no-store` and `no-cache`. The
    /// default is 5 minutes.
    #[must_use]
    pub const fn with_age_floor(mut self, floor: Duration) -> Self {
        self.age_floor = seconds(floor);
        self
    }

    /// Sets the longest soft age. Longer ages that an issuer states count as this one. A ceiling below the floor counts as the
    /// floor. The default is 24 hours.
    #[must_use]
    pub const fn with_age_ceiling(mut self, ceiling: Duration) -> Self {
        self.age_ceiling = seconds(ceiling);
        self
    }

    /// Sets how long keys are used beyond the soft age, if fetches fail. The sum of both is the hard age. The default is 12
    /// hours. With zero, keys are used until the soft age only.
    #[must_use]
    pub const fn with_outage(mut self, outage: Duration) -> Self {
        self.outage = seconds(outage);
        self
    }

    /// Sets the longest time to wait after a fetch that failed. The wait begins with one to two cooldowns, as the jitter says,
    /// and doubles with each failure.
    /// A `Retry-After` lengthens it up to this limit. A value below the cooldown counts as the cooldown. The default is 5
    /// minutes.
    #[must_use]
    pub const fn with_longest_retry(mut self, wait: Duration) -> Self {
        self.longest_retry = seconds(wait);
        self
    }

    /// Limits the number of callers that wait for one fetch, besides the caller that began it. The default is 256.
    #[must_use]
    pub const fn with_most_waiting(mut self, count: usize) -> Self {
        self.most_waiting = count;
        self
    }

    /// Starts without keys if the first fetch fails, and goes on to fetch. Until a fetch succeeds, the answer to each token is
    /// 503. By default, the start fails, so that a wrong URL is noticed when it is deployed.
    #[must_use]
    pub const fn starting_empty(mut self) -> Self {
        self.start = Start::Empty;
        self
    }

    /// Returns how long a fetch may take. Give it to the HTTP request.
    #[must_use]
    pub const fn fetch_timeout(&self) -> Duration {
        Duration::from_secs(self.fetch_timeout)
    }

    /// Returns the soft age for a stated age.
    pub(super) fn soft_age(&self, stated: u64) -> u64 {
        stated.min(self.age_ceiling).max(self.age_floor)
    }

    /// Returns the soft age, made up to a tenth shorter, so that the servers of one deployment do not fetch all at once.
    pub(super) fn spread(&self, soft: u64, jitter: u32) -> u64 {
        soft.saturating_sub(fraction(soft / 10, jitter)).max(self.age_floor)
    }

    /// Returns the hard age for a soft age and a stated `stale-if-error`.
    pub(super) fn hard_age(&self, soft: u64, stale_if_error: u64) -> u64 {
        soft.saturating_add(stale_if_error.min(self.age_ceiling).max(self.outage))
    }

    /// Returns the wait after this many failures in a row.
    pub(super) fn back_off(&self, failures: u32, retry_after: u64, jitter: u32) -> u64 {
        let longest = self.longest_retry.max(self.cooldown);
        let doubled = self.cooldown.saturating_mul(2_u64.saturating_pow(failures)).min(longest);
        let half = doubled / 2;
        half.saturating_add(fraction(half, jitter)).max(retry_after).max(self.cooldown).min(longest)
    }
}

impl Default for RefreshConfig {
    fn default() -> Self {
        Self::new()
    }
}

const fn seconds(duration: Duration) -> u64 {
    if duration.as_secs() < MOST { duration.as_secs() } else { MOST }
}

const fn at_least_one(seconds: u64) -> u64 {
    if seconds == 0 { 1 } else { seconds }
}

/// Returns `jitter` parts in 2^32 of these seconds.
fn fraction(seconds: u64, jitter: u32) -> u64 {
    seconds.saturating_mul(u64::from(jitter)) >> 32
}
