//! Time as tokens tell it: whole seconds since 1970.

use core::fmt;
use core::time::Duration;

/// A moment in seconds since 1970-01-01T00:00:00Z, without leap seconds (POSIX time); negative before that.
///
/// It serialises as a JSON integer, and reads from any `NumericDate`
/// ([RFC 7519 section 2](https://www.rfc-editor.org/rfc/rfc7519#section-2)), so that it can stand in a claims
/// struct of your own. Arithmetic saturates.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::UnixTime;
///
/// let issued = UnixTime::from_secs(1_700_000_000);
/// assert_eq!(issued.saturating_add(Duration::from_secs(60)).as_secs(), 1_700_000_060);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(i64);

impl UnixTime {
    /// The moment that is `seconds` after the start of 1970.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds)
    }

    /// The wall clock of this machine.
    ///
    /// Not on `wasm32-unknown-unknown`, because the `std` of that target has no clock. Use the calls that take the time there:
    /// [`Verifier::at`](crate::Verifier::at), [`issued_at`](crate::Claims::issued_at).
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    #[must_use]
    pub fn now() -> Self {
        Self::from(std::time::SystemTime::now())
    }

    /// Seconds since the start of 1970.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0
    }

    /// The moment `duration` later, fractions of a second cut off.
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(duration.as_secs()))
    }

    /// How long after `earlier` this is; zero if it is before it.
    #[must_use]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        if self.0 > earlier.0 { Duration::from_secs(self.0.abs_diff(earlier.0)) } else { Duration::ZERO }
    }

    /// The moment `duration` earlier, fractions of a second cut off.
    #[must_use]
    pub const fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(duration.as_secs()))
    }
}

impl fmt::Display for UnixTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(feature = "std")]
impl From<std::time::SystemTime> for UnixTime {
    /// Whole seconds, rounded towards the past; clamped to what an `i64` holds.
    fn from(time: std::time::SystemTime) -> Self {
        match time.duration_since(std::time::UNIX_EPOCH) {
            Ok(after) => Self(0).saturating_add(after),
            Err(before) => {
                let before = before.duration();
                let whole = Self(0).saturating_sub(before);
                if before.subsec_nanos() == 0 { whole } else { whole.saturating_sub(Duration::from_secs(1)) }
            }
        }
    }
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use std::time::UNIX_EPOCH;

    #[test]
    fn a_system_time_is_rounded_towards_the_past_on_both_sides_of_1970() {
        let half = Duration::from_millis(500);
        assert_eq!(UnixTime::from(UNIX_EPOCH).as_secs(), 0);
        assert_eq!(UnixTime::from(UNIX_EPOCH + half).as_secs(), 0);
        assert_eq!(UnixTime::from(UNIX_EPOCH - half).as_secs(), -1);
        assert_eq!(UnixTime::from(UNIX_EPOCH - Duration::from_secs(2)).as_secs(), -2);
        // As far as the system's time goes, which differs.
        let first = UNIX_EPOCH.checked_sub(Duration::from_secs(1 << 63));
        assert!(first.is_none_or(|first| UnixTime::from(first).as_secs() == i64::MIN));
    }

    #[test]
    fn arithmetic_saturates() {
        let last = UnixTime::from_secs(i64::MAX);
        let first = UnixTime::from_secs(i64::MIN);
        assert_eq!(last.saturating_add(Duration::MAX), last);
        assert_eq!(first.saturating_sub(Duration::MAX), first);
        assert_eq!(first.saturating_add(Duration::MAX), last);
        assert_eq!(last.saturating_duration_since(first), Duration::from_secs(u64::MAX));
        assert_eq!(first.saturating_duration_since(last), Duration::ZERO);
    }
}
