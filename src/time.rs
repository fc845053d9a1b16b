//! Times in whole seconds since 1970, as tokens have them.

use core::fmt;
use core::time::Duration;

/// A time in seconds since 1970-01-01T00:00:00Z, without leap seconds (POSIX time). It is negative for earlier times.
///
/// It serialises as a JSON integer and deserialises from any `NumericDate`
/// ([RFC 7519 section 2](https://www.rfc-editor.org/rfc/rfc7519#section-2)), so that you can use it in your own claims struct.
/// Arithmetic saturates.
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
    /// Makes the time `seconds` after the start of 1970.
    #[must_use]
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds)
    }

    /// Reads the wall clock of this machine.
    ///
    /// It does not exist on `wasm32-unknown-unknown`, because the `std` of that target has no clock. There, pass the time to
    /// [`Verifier::at`](crate::Verifier::at) and [`issued_at`](crate::Claims::issued_at).
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    #[must_use]
    pub fn now() -> Self {
        Self::from(std::time::SystemTime::now())
    }

    /// Returns the seconds since the start of 1970.
    #[must_use]
    pub const fn as_secs(self) -> i64 {
        self.0
    }

    /// Returns the time `duration` later. Fractions of a second are cut off.
    #[must_use]
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(duration.as_secs()))
    }

    /// Returns the duration from `earlier` to this time, or zero if this time is before `earlier`.
    #[must_use]
    pub const fn saturating_duration_since(self, earlier: Self) -> Duration {
        if self.0 > earlier.0 { Duration::from_secs(self.0.abs_diff(earlier.0)) } else { Duration::ZERO }
    }

    /// Returns the time `duration` earlier. Fractions of a second are cut off.
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
    /// Rounds to whole seconds towards the past, and clamps to the range of `i64`.
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
        // Some systems cannot represent this time.
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
