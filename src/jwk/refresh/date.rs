//! Reads the dates of HTTP headers ([RFC 9110 section 5.6.7](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7)).

use crate::time::UnixTime;
use core::time::Duration;

const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
const LONG_DAYS: [&[u8]; 7] =
    [b"Monday", b"Tuesday", b"Wednesday", b"Thursday", b"Friday", b"Saturday", b"Sunday"];
const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// 50 years, with their leap days.
const FIFTY_YEARS: Duration = Duration::from_secs(50 * 1461 * 6 * 3600);

/// Reads a date in one of the three forms that a recipient must accept. A year of two digits that would be more than 50 years
/// after `now` means the last century. The name of the day is not compared with the date.
pub(super) fn read(text: &[u8], now: UnixTime) -> Option<UnixTime> {
    fixed(text).or_else(|| with_short_year(text, now)).or_else(|| asctime(text))
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`.
fn fixed(text: &[u8]) -> Option<UnixTime> {
    let mut rest = Rest(text);
    rest.one_of(&DAYS)?;
    rest.literal(b", ")?;
    let day = rest.digits(2)?;
    rest.literal(b" ")?;
    let month = rest.one_of(&MONTHS)?;
    rest.literal(b" ")?;
    let year = rest.digits(4)?;
    rest.literal(b" ")?;
    let second = rest.time_of_day()?;
    rest.literal(b" GMT")?;
    rest.end()?;
    time(year, month, day, second)
}

/// Reads `Sunday, 06-Nov-94 08:49:37 GMT`.
fn with_short_year(text: &[u8], now: UnixTime) -> Option<UnixTime> {
    let mut rest = Rest(text);
    rest.one_of(&LONG_DAYS)?;
    rest.literal(b", ")?;
    let day = rest.digits(2)?;
    rest.literal(b"-")?;
    let month = rest.one_of(&MONTHS)?;
    rest.literal(b"-")?;
    let year = rest.digits(2)?;
    rest.literal(b" ")?;
    let second = rest.time_of_day()?;
    rest.literal(b" GMT")?;
    rest.end()?;
    let latest = now.saturating_add(FIFTY_YEARS);
    let of_century = |century: i64| time(year.saturating_add(century), month, day, second);
    // 1900 was no leap year and 2000 was one, so the day may exist in one of the two years only.
    of_century(2000).filter(|time| *time <= latest).or_else(|| of_century(1900))
}

/// Reads `Sun Nov  6 08:49:37 1994`.
fn asctime(text: &[u8]) -> Option<UnixTime> {
    let mut rest = Rest(text);
    rest.one_of(&DAYS)?;
    rest.literal(b" ")?;
    let month = rest.one_of(&MONTHS)?;
    rest.literal(b" ")?;
    let day = if rest.literal(b" ").is_some() { rest.digits(1)? } else { rest.digits(2)? };
    rest.literal(b" ")?;
    let second = rest.time_of_day()?;
    rest.literal(b" ")?;
    let year = rest.digits(4)?;
    rest.end()?;
    time(year, month, day, second)
}

/// The part of a date that has not been read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn literal(&mut self, expected: &[u8]) -> Option<()> {
        self.0 = self.0.strip_prefix(expected)?;
        Some(())
    }

    /// Returns which of the names is next, from zero.
    fn one_of(&mut self, names: &[&[u8]]) -> Option<i64> {
        let place = names.iter().position(|name| self.literal(name).is_some())?;
        i64::try_from(place).ok()
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        let mut number = 0_i64;
        for digit in digits {
            let value = i64::from(digit.checked_sub(b'0').filter(|value| *value < 10)?);
            number = number.saturating_mul(10).saturating_add(value);
        }
        self.0 = rest;
        Some(number)
    }

    /// Reads `08:49:37` as seconds of the day. A leap second is the first second of the next day.
    fn time_of_day(&mut self) -> Option<i64> {
        let hour = self.digits(2).filter(|hour| *hour < 24)?;
        self.literal(b":")?;
        let minute = self.digits(2).filter(|minute| *minute < 60)?;
        self.literal(b":")?;
        let second = self.digits(2).filter(|second| *second <= 60)?;
        Some(hour.saturating_mul(60).saturating_add(minute).saturating_mul(60).saturating_add(second))
    }

    fn end(&self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}

/// Returns the time of a date in the Gregorian calendar. The month counts from zero.
fn time(year: i64, month: i64, day: i64, second: i64) -> Option<UnixTime> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days_in_month = match month {
        1 if leap => 29,
        1 => 28,
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    };
    if !(1..=days_in_month).contains(&day) {
        return None;
    }
    // Count years from March on, so that the leap day is the last day of a year.
    let year = if month < 2 { year.saturating_sub(1) } else { year };
    let month = month.saturating_add(10) % 12;
    let days = year
        .saturating_mul(365)
        .saturating_add(year.div_euclid(4))
        .saturating_sub(year.div_euclid(100))
        .saturating_add(year.div_euclid(400))
        // The lengths of the months from March on repeat every five months, which have 153 days.
        .saturating_add(month.saturating_mul(153).saturating_add(2) / 5)
        .saturating_add(day)
        // The first of January 1970 on this scale.
        .saturating_sub(719_469);
    Some(UnixTime::from_secs(days.saturating_mul(86_400).saturating_add(second)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

    fn seconds(text: &str) -> Option<i64> {
        read(text.as_bytes(), NOW).map(UnixTime::as_secs)
    }

    #[test]
    fn the_three_forms_of_rfc_9110_are_the_same_time() {
        for text in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(seconds(text), Some(784_111_777), "{text}");
        }
    }

    #[test]
    fn dates_around_leap_days_and_the_year_1970() {
        for (text, expected) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Wed, 31 Dec 1969 23:59:59 GMT", -1),
            ("Thu, 29 Feb 2024 00:00:00 GMT", 1_709_164_800),
            ("Fri, 01 Mar 2024 00:00:00 GMT", 1_709_251_200),
            ("Tue, 29 Feb 2000 23:59:60 GMT", 951_868_800),
            ("Wed, 01 Mar 2000 00:00:00 GMT", 951_868_800),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
            ("Sat, 01 Jan 0000 00:00:00 GMT", -62_167_219_200),
        ] {
            assert_eq!(seconds(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_short_year_is_at_most_fifty_years_ahead() {
        assert_eq!(seconds("Monday, 01-Jan-70 00:00:00 GMT"), Some(3_155_760_000));
        assert_eq!(seconds("Wednesday, 01-Jan-75 00:00:00 GMT"), Some(157_766_400));
        assert_eq!(seconds("Tuesday, 29-Feb-00 00:00:00 GMT"), Some(951_782_400));
    }

    #[test]
    fn what_is_almost_a_date_is_refused() {
        for text in [
            "",
            "0",
            "-1",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "sun, 06 nov 1994 08:49:37 gmt",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Sun, 29 Feb 1900 08:49:37 GMT",
            "Sun, 29 Feb 2023 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:37 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT",
            "Foo, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov  6 08:49:37 94",
            "Sun, 06 Nov 1994 08:49:3\u{663} GMT",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
