//! Reads how long an issuer says that its key set stays fresh ([RFC 9111](https://www.rfc-editor.org/rfc/rfc9111)).

use crate::jwk::refresh::date;
use crate::time::UnixTime;

/// The longest value of a header that is read. A longer one has more than ages to say.
const MOST_BYTES: usize = 4096;

/// The largest number of header fields that are looked at. HTTP clients refuse about as many.
const MOST_FIELDS: usize = 1000;

/// What a larger number of seconds counts as (RFC 9111 section 1.2.2).
const MOST_SECONDS: u64 = 1 << 31;

/// What a response says about its age and its freshness, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Freshness {
    /// How long the set is fresh, counted from when the issuer sent it. Zero if the response must not be stored or what it says
    /// is invalid; `None` if it says nothing.
    pub(super) lifetime: Option<u64>,
    /// How much longer the set may be used if the issuer cannot be asked (RFC 5861 section 4).
    pub(super) stale_if_error: u64,
    /// How old the set was when it arrived.
    pub(super) age: u64,
    /// Whether there was a `Cache-Control` or `Expires`.
    pub(super) stated: bool,
}

/// Values of headers that may be repeated by mistake.
#[derive(Clone, Copy, Default)]
enum Seen<T> {
    #[default]
    Nothing,
    Once(T),
    /// Several times, or without a valid value.
    Invalid,
}

impl<T> Seen<T> {
    fn add(&mut self, value: Option<T>) {
        *self = match (&self, value) {
            (Self::Nothing, Some(value)) => Self::Once(value),
            _ => Self::Invalid,
        };
    }
}

/// The values that decide, from all headers.
#[derive(Default)]
struct Fields {
    max_age: Seen<u64>,
    stale_if_error: Seen<u64>,
    /// `no-store` or `no-cache`.
    forbids: bool,
    must_revalidate: bool,
    has_cache_control: bool,
    expires: Seen<UnixTime>,
    date: Seen<UnixTime>,
    /// Only the first value counts (RFC 9111 section 5.1).
    age: Option<Option<u64>>,
}

impl Freshness {
    /// Reads the headers of a response that arrived at `now`.
    pub(super) fn read<N: AsRef<str>, V: AsRef<[u8]>>(
        headers: impl IntoIterator<Item = (N, V)>,
        now: UnixTime,
    ) -> Self {
        let mut fields = Fields::default();
        for (name, value) in headers.into_iter().take(MOST_FIELDS) {
            fields.add(name.as_ref(), value.as_ref(), now);
        }
        fields.finish(now)
    }
}

impl Fields {
    fn add(&mut self, name: &str, value: &[u8], now: UnixTime) {
        let is = |expected| name.eq_ignore_ascii_case(expected);
        if is("cache-control") {
            self.add_cache_control(value);
        } else if is("expires") {
            self.expires.add(date::read(value.trim_ascii(), now));
        } else if is("date") {
            self.date.add(date::read(value.trim_ascii(), now));
        } else if is("age") && self.age.is_none() {
            let first = value.split(|byte| *byte == b',').next().unwrap_or_default();
            self.age = Some(seconds(first.trim_ascii()));
        }
    }

    fn add_cache_control(&mut self, value: &[u8]) {
        self.has_cache_control = true;
        if value.len() > MOST_BYTES {
            self.forbids = true;
            return;
        }
        let mut rest = value;
        while !rest.is_empty() {
            let (directive, after) = split_directive(rest);
            self.add_directive(directive.trim_ascii());
            rest = after;
        }
    }

    fn add_directive(&mut self, directive: &[u8]) {
        let end = directive.iter().position(|byte| *byte == b'=').unwrap_or(directive.len());
        let (name, value) = directive.split_at_checked(end).unwrap_or_default();
        let value = value.strip_prefix(b"=");
        let is = |expected: &[u8]| name.eq_ignore_ascii_case(expected);
        if is(b"max-age") {
            self.max_age.add(value.and_then(argument));
        } else if is(b"stale-if-error") {
            self.stale_if_error.add(value.and_then(argument));
        } else if is(b"no-store") || is(b"no-cache") {
            self.forbids = true;
        } else if is(b"must-revalidate") {
            self.must_revalidate = true;
        }
    }

    fn finish(self, now: UnixTime) -> Freshness {
        let expires_after = |expires: UnixTime| match self.date {
            Seen::Once(date) => expires.saturating_duration_since(date).as_secs().min(MOST_SECONDS),
            Seen::Nothing | Seen::Invalid => {
                expires.saturating_duration_since(now).as_secs().min(MOST_SECONDS)
            }
        };
        let lifetime = match (self.max_age, self.expires) {
            _ if self.forbids => Some(0),
            (Seen::Once(max_age), _) => Some(max_age),
            (Seen::Invalid, _) | (Seen::Nothing, Seen::Invalid) => Some(0),
            (Seen::Nothing, Seen::Once(expires)) => Some(expires_after(expires)),
            (Seen::Nothing, Seen::Nothing) => None,
        };
        let stale_if_error = match self.stale_if_error {
            Seen::Once(seconds) if !self.forbids && !self.must_revalidate => seconds,
            _ => 0,
        };
        let stated = self.has_cache_control || !matches!(self.expires, Seen::Nothing);
        Freshness { lifetime, stale_if_error, age: self.age.flatten().unwrap_or(0), stated }
    }
}

/// Returns for how many seconds a `Retry-After` asks to wait from `now` on (RFC 9110 section 10.2.3). Zero if it is invalid.
pub(super) fn retry_after(value: &[u8], now: UnixTime) -> u64 {
    let value = value.trim_ascii();
    let until_date = || Some(date::read(value, now)?.saturating_duration_since(now).as_secs());
    seconds(value).or_else(until_date).unwrap_or(0)
}

/// Returns the text before the first comma outside of quotes, and what follows the comma.
fn split_directive(text: &[u8]) -> (&[u8], &[u8]) {
    let (mut quoted, mut escaped) = (false, false);
    let end = text.iter().position(|byte| {
        let ends = !quoted && *byte == b',';
        if !escaped && *byte == b'"' {
            quoted = !quoted;
        }
        escaped = quoted && !escaped && *byte == b'\\';
        ends
    });
    let (directive, rest) = text.split_at_checked(end.unwrap_or(text.len())).unwrap_or_default();
    (directive, rest.strip_prefix(b",").unwrap_or_default())
}

/// Reads the argument of a directive, which may be quoted (RFC 9111 section 5.2).
fn argument(text: &[u8]) -> Option<u64> {
    let unquoted = text.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
    seconds(unquoted.unwrap_or(text))
}

/// Reads `delta-seconds`: digits only.
fn seconds(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > MOST_BYTES {
        return None;
    }
    text.iter().try_fold(0_u64, |number, byte| {
        let digit = byte.checked_sub(b'0').filter(|digit| *digit < 10)?;
        Some(number.saturating_mul(10).saturating_add(u64::from(digit)).min(MOST_SECONDS))
    })
}
