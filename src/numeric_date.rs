//! Reads and writes `NumericDate` ([RFC 7519 section 2](https://www.rfc-editor.org/rfc/rfc7519#section-2)): a JSON number of
//! seconds, with an optional fraction.

use crate::time::UnixTime;
use core::fmt;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

/// Above 2^53, readers may disagree on a JSON number. 2^53 seconds are 285 million years, which is enough.
const LIMIT: i64 = 1 << 53;
/// The same as a float, which holds it exactly.
const FLOAT_LIMIT: f64 = 9_007_199_254_740_992.0;

/// The number from the token. It is finite and within ±2^53.
#[derive(Clone, Copy, Debug)]
pub(crate) enum NumericDate {
    Whole(i64),
    Fraction(f64),
}

impl NumericDate {
    /// Converts a time, if it is within the limit.
    pub(crate) fn new(time: UnixTime) -> Option<Self> {
        (-LIMIT..=LIMIT).contains(&time.as_secs()).then_some(Self::Whole(time.as_secs()))
    }

    /// Returns the seconds, unless they have a fraction.
    pub(crate) fn whole(self) -> Option<i64> {
        match self {
            Self::Whole(seconds) => Some(seconds),
            Self::Fraction(seconds) => {
                let (whole, exact) = truncate(seconds);
                (exact == seconds).then_some(whole)
            }
        }
    }

    /// Returns the time, with a fraction rounded down. It is for ages, because `x < oldest` and `floor(x) < oldest` are the
    /// same.
    pub(crate) fn rounded_down(self) -> UnixTime {
        UnixTime::from_secs(match self {
            Self::Whole(seconds) => seconds,
            Self::Fraction(seconds) => {
                let (whole, exact) = truncate(seconds);
                if exact > seconds { whole.saturating_sub(1) } else { whole }
            }
        })
    }

    /// Returns the time, with a fraction rounded up.
    ///
    /// Our clocks count whole seconds, so that `now < 5.2` and `now < 6` are the same.
    pub(crate) fn time(self) -> UnixTime {
        UnixTime::from_secs(match self {
            Self::Whole(seconds) => seconds,
            Self::Fraction(seconds) => {
                let (whole, exact) = truncate(seconds);
                if exact < seconds { whole.saturating_add(1) } else { whole }
            }
        })
    }
}

/// Returns `seconds` without its fraction, as an integer and as a float. `f64::ceil` cannot be used, because it needs `std`.
#[allow(clippy::as_conversions, clippy::cast_possible_truncation, clippy::cast_precision_loss)]
const fn truncate(seconds: f64) -> (i64, f64) {
    // Both conversions are exact, because the value is within ±2^53.
    let whole = seconds as i64;
    (whole, whole as f64)
}

/// Reads a [`NumericDate`].
pub(crate) struct NumericDateSeed;

impl<'de> DeserializeSeed<'de> for NumericDateSeed {
    type Value = NumericDate;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<NumericDate, D::Error> {
        // `deserialize_f64` passes integers on as integers, and behaves the same with all features of serde_json.
        // `deserialize_any` does not.
        deserializer.deserialize_f64(self)
    }
}

impl Visitor<'_> for NumericDateSeed {
    type Value = NumericDate;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number of seconds")
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<NumericDate, E> {
        i64::try_from(seconds)
            .map_err(|_| E::custom("out of range"))
            .and_then(|seconds| self.visit_i64(seconds))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<NumericDate, E> {
        NumericDate::new(UnixTime::from_secs(seconds)).ok_or_else(|| E::custom("out of range"))
    }

    fn visit_f64<E: Error>(self, seconds: f64) -> Result<NumericDate, E> {
        // NaN is outside of every range, so it is refused here too.
        if (-FLOAT_LIMIT..=FLOAT_LIMIT).contains(&seconds) {
            Ok(NumericDate::Fraction(seconds))
        } else {
            Err(E::custom("out of range"))
        }
    }
}

impl Serialize for NumericDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Whole(seconds) => serializer.serialize_i64(seconds),
            Self::Fraction(seconds) => serializer.serialize_f64(seconds),
        }
    }
}

impl<'de> Deserialize<'de> for UnixTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            NumericDateSeed.deserialize(deserializer).map(NumericDate::time)
        } else {
            i64::deserialize(deserializer).map(Self::from_secs)
        }
    }
}

impl Serialize for UnixTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn time(text: &str) -> Option<i64> {
        json::read(text, |reader| UnixTime::deserialize(reader)).ok().map(UnixTime::as_secs)
    }

    #[test]
    fn fractions_are_rounded_up() {
        assert_eq!(time("1516239022"), Some(1_516_239_022));
        assert_eq!(time("1516239022.0"), Some(1_516_239_022));
        assert_eq!(time("1516239022.000001"), Some(1_516_239_023));
        assert_eq!(time("1.5e9"), Some(1_500_000_000));
        assert_eq!(time("-1.5"), Some(-1));
        assert_eq!(time("-0"), Some(0));
        assert_eq!(time("-1"), Some(-1));
    }

    #[test]
    fn for_an_age_fractions_are_rounded_down() {
        let down = |seconds| NumericDate::Fraction(seconds).rounded_down().as_secs();
        assert_eq!((down(1.5), down(2.0), down(-1.5), down(-2.0)), (1, 2, -2, -2));
        assert_eq!(NumericDate::Whole(-3).rounded_down().as_secs(), -3);
    }

    #[test]
    fn the_limit_is_two_to_the_53_for_both_signs() {
        assert_eq!(time("9007199254740992"), Some(LIMIT));
        assert_eq!(time("9007199254740993"), None);
        assert_eq!(time("-9007199254740992"), Some(-LIMIT));
        assert_eq!(time("-9007199254740993"), None);
        assert_eq!(time("9007199254740992.0"), Some(LIMIT));
        for text in
            ["9007199254740994.0", "18446744073709551615", "18446744073709551616", "1e300", "-1e300", "1e999"]
        {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn only_a_number_is_a_time() {
        for text in [
            "null",
            "true",
            "\"1\"",
            "[1]",
            "{}",
            "{\"$serde_json::private::Number\":\"1\"}",
            "NaN",
            "01",
            "1.",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }
}
