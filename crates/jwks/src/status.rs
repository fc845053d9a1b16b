//! What a key set has done so far.

use crate::error::Error;
use core::time::Duration;
use countersign::UnixTime;
use countersign::jwk::SkippedKey;

/// The state of [`RemoteKeys`](crate::RemoteKeys), for metrics and health checks. [`RemoteKeys::status`](crate::RemoteKeys::status)
/// returns it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Status {
    /// The number of fetches that have ended or are under way. One fetch with discovery sends up to three requests.
    pub fetches: u64,
    /// The number of fetches that failed.
    pub failures: u64,
    /// The number of keys in use. Zero if they are older than the hard age.
    pub keys: usize,
    /// The entries of the last set that made no key.
    pub skipped: Vec<SkippedKey>,
    /// The time since the keys were fetched, or confirmed by a 304. `None` if there are no keys.
    pub age: Option<Duration>,
    /// Why the last fetch failed. `None` if it succeeded.
    pub last_error: Option<Error>,
    /// When the set is fetched again without a token that asks for it, unless a fetch is under way.
    pub next_fetch: UnixTime,
    /// The time until a fetch may begin, at least one second. Answer with it as `Retry-After` if
    /// [`VerifyError::KeysUnavailable`](countersign::VerifyError::KeysUnavailable) becomes a 503.
    pub retry_after: Duration,
}
