//! Shows the content of a token without a key. It verifies nothing, so anybody can have written the content.
//!
//! ```sh
//! echo "Bearer $TOKEN" | cargo run --example inspect
//! cargo run --example inspect -- TOKEN                # the history of the shell keeps the token
//! ```
//!
//! Broken tokens are shown as far as they can be read, with a note for each problem.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use core::fmt;
use countersign::{Algorithm, KeySet, UnixTime, Unverified, VerifyError, jws};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::io::{Read, Write};
use std::process::ExitCode;

/// The most bytes that are read. By default, a verifier accepts a quarter of this.
const INPUT_BYTES: u64 = 1024 * 1024;
/// Numbers from here on are probably milliseconds. As seconds, this is the year 5138; as milliseconds, 1973.
const MILLISECONDS: f64 = 1e11;
/// Numbers from here on are not shown as a date. As milliseconds, this is the year 5138.
const NO_DATE: f64 = 1e14;

fn main() -> ExitCode {
    match read_input().and_then(|input| report(&input)) {
        // `println` would panic if the reader of a pipe has closed it.
        Ok(report) => match std::io::stdout().write_all(report.as_bytes()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => ExitCode::FAILURE,
        },
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the arguments or, if there are none, the standard input.
fn read_input() -> Result<String, String> {
    let mut bytes = Vec::new();
    for argument in std::env::args_os().skip(1) {
        // `Bearer` and the token may be two arguments.
        bytes.extend_from_slice(argument.as_encoded_bytes());
        bytes.push(b' ');
    }
    if bytes.is_empty() {
        let mut input = std::io::stdin().take(INPUT_BYTES);
        input.read_to_end(&mut bytes).map_err(|error| format!("standard input: {error}"))?;
    }
    String::from_utf8(bytes).map_err(|_| "not a token: the input is not text".into())
}

/// Returns the text to print for `input`, or why it is not a token.
fn report(input: &str) -> Result<String, String> {
    let text = strip_bearer(input.trim());
    let segments: Vec<&str> = text.split('.').collect();
    let [header, payload, signature] = segments[..] else {
        return Err(match segments.len() {
            _ if text.is_empty() => "not a token: the input is empty".into(),
            5 => "not a signed token: five segments are an encrypted token (JWE)".into(),
            many => format!("not a token: it has {} dots, a token has two", many - 1),
        });
    };
    let mut notes = Notes::default();
    let header = Part::read("header", header, &mut notes);
    let payload = Part::read("payload", payload, &mut notes);
    if header.members.is_none() && payload.members.is_none() {
        return Err("not a token: neither the header nor the payload is a JSON object".into());
    }
    let signature = decode("signature", signature, &mut notes);
    let now = UnixTime::now();
    note_header(&header, signature.as_deref(), &mut notes);
    note_claims(&payload, now, &mut notes);
    note_verdict(text, &mut notes);

    let mut out =
        format!("UNVERIFIED: anybody can have written this.\n\nheader\n{header}\n\npayload\n{payload}\n");
    for (place, time) in payload.times().enumerate() {
        out += if place == 0 { "\ntimes\n" } else { "" };
        out += &format!("  {} {}\n", time.name, time.tell(now));
    }
    out += &format!("\nsignature\n  {} bytes\n", signature.unwrap_or_default().len());
    out += "\nnotes\n";
    for note in &notes.0 {
        out += &format!("  - {note}\n");
    }
    if notes.0.is_empty() {
        out += "  no problems found; to check the signature, a key is needed\n";
    }
    Ok(out)
}

/// Removes the `Bearer ` of an HTTP header.
fn strip_bearer(text: &str) -> &str {
    match text.split_at_checked("Bearer ".len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case("Bearer ") => rest.trim_start(),
        _ => text,
    }
}

#[derive(Default)]
struct Notes(Vec<String>);

impl Notes {
    fn add(&mut self, note: impl Into<String>) {
        self.0.push(note.into());
    }

    fn add_if(&mut self, wrong: bool, note: impl Into<String>) {
        if wrong {
            self.add(note);
        }
    }
}

/// Decodes a segment more leniently than a verifier, and notes each deviation.
fn decode(part: &str, segment: &str, notes: &mut Notes) -> Option<Vec<u8>> {
    const FORGIVING: GeneralPurpose =
        GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));
    let no_white: String = segment.chars().filter(|c| !c.is_whitespace()).collect();
    let no_padding = no_white.trim_end_matches('=');
    let url_safe = no_padding.replace('+', "-").replace('/', "_");
    notes.add_if(no_white != segment, format!("{part}: white space inside"));
    notes.add_if(no_padding != no_white, format!("{part}: padded with ="));
    notes.add_if(url_safe != no_padding, format!("{part}: base64 with + and / instead of base64url"));
    match FORGIVING.decode(&url_safe) {
        Ok(bytes) => {
            let canonical = FORGIVING.encode(&bytes) == url_safe;
            notes.add_if(!canonical, format!("{part}: stray bits in its last character"));
            Some(bytes)
        }
        Err(error) => {
            notes.add(format!("{part}: not base64url: {error}"));
            None
        }
    }
}

/// The header or the payload.
struct Part {
    text: String,
    members: Option<Vec<(String, Value)>>,
}

impl Part {
    fn read(part: &str, segment: &str, notes: &mut Notes) -> Self {
        let bytes = decode(part, segment, notes).unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            notes.add(format!("{part}: not UTF-8"));
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        });
        let members = match serde_json::from_str(&text) {
            Ok(Members(members)) => Some(members),
            Err(error) => {
                notes.add(format!("{part}: not a JSON object: {error}"));
                None
            }
        };
        let mut names: Vec<&String> = members.iter().flatten().map(|(name, _)| name).collect();
        names.sort_unstable();
        for same in names.chunk_by(|one, other| one == other) {
            let note = format!(
                "{part}: {:?} occurs {} times; readers differ in which value they use",
                same[0],
                same.len()
            );
            notes.add_if(same.len() > 1, note);
        }
        Self { text, members }
    }

    /// Returns the last member of that name, as most readers do.
    fn get(&self, name: &str) -> Option<&Value> {
        let members = self.members.as_deref().unwrap_or_default();
        members.iter().rev().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    fn times(&self) -> impl Iterator<Item = Time> {
        ["iat", "nbf", "exp"].into_iter().filter_map(|name| {
            let number = self.get(name)?.as_f64()?;
            Some(Time { name, number })
        })
    }
}

/// Writes the text with indentation only, so that the order, the spelling of numbers and duplicates stay visible.
impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mut depth, mut in_string, mut escaped, mut last) = (1_usize, false, false, ' ');
        f.write_str("  ")?;
        for c in self.text.chars() {
            if in_string || self.members.is_none() {
                // A token must not send control characters to the terminal.
                write_visible(f, c)?;
                in_string = escaped || c != '"';
                escaped = !escaped && c == '\\';
                continue;
            }
            let line = |f: &mut fmt::Formatter<'_>, depth: usize| write!(f, "\n{:1$}", "", 2 * depth);
            match c {
                ' ' | '\t' | '\r' | '\n' => continue,
                '}' | ']' => {
                    depth = depth.saturating_sub(1);
                    if !matches!(last, '{' | '[') {
                        line(f, depth)?;
                    }
                }
                _ if matches!(last, '{' | '[') => line(f, depth)?,
                _ => {}
            }
            write!(f, "{c}")?;
            match c {
                '{' | '[' => depth += 1,
                ',' => line(f, depth)?,
                ':' => f.write_str(" ")?,
                '"' => in_string = true,
                _ => {}
            }
            last = c;
        }
        Ok(())
    }
}

fn write_visible(f: &mut fmt::Formatter<'_>, c: char) -> fmt::Result {
    // Characters that reorder or end a line, or are invisible: Unicode's Bidi_Control, line and paragraph separators, zero
    // width, and tags.
    let steers = matches!(c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}');
    if !c.is_control() && !steers {
        return write!(f, "{c}");
    }
    c.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(f, "\\u{unit:04x}"))
}

/// The members of an object in their order, with duplicates.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;

        impl<'de> Visitor<'de> for All {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(All)
    }
}

fn note_header(header: &Part, signature: Option<&[u8]>, notes: &mut Notes) {
    match header.get("alg").and_then(Value::as_str) {
        Some(none) if none.eq_ignore_ascii_case("none") => {
            notes.add(
                "header: alg is none, so the token is not signed; the verifiers of this crate refuse it",
            );
        }
        Some(name) => {
            let known = name.parse::<Algorithm>().ok();
            notes.add_if(known.is_none(), format!("header: this crate does not support alg {name:?}"));
            let wrong_length = signature.is_some_and(|signature| match known {
                Some(Algorithm::Hs256) => signature.len() != 32,
                Some(Algorithm::Rs256) => signature.len() < 256,
                _ => signature.is_empty(),
            });
            notes.add_if(wrong_length, format!("signature: wrong length for {name:?}"));
        }
        None => {}
    }
    for name in ["jku", "jwk", "x5c", "x5u"] {
        notes.add_if(
            header.get(name).is_some(),
            format!("header: {name} offers a key; this crate never takes a key from a token"),
        );
    }
    if let Some(typ) = header.get("typ").and_then(Value::as_str) {
        let usual = typ.eq_ignore_ascii_case("JWT") || typ.eq_ignore_ascii_case("application/JWT");
        notes.add_if(
            !usual,
            format!("header: typ is {typ:?}; a verifier accepts it only if configured with `typ`"),
        );
    }
}

fn note_claims(payload: &Part, now: UnixTime, notes: &mut Notes) {
    let strings =
        |value: &Value| value.as_array().is_some_and(|entries| entries.iter().all(Value::is_string));
    for (name, value) in payload.members.iter().flatten() {
        let wanted = match name.as_str() {
            "iss" | "sub" | "jti" if !value.is_string() => "a string",
            "exp" | "nbf" | "iat" if !value.is_number() => "a number",
            "aud" if !value.is_string() && !strings(value) => "a string or an array of strings",
            _ => continue,
        };
        notes.add(format!("payload: {name} is not {wanted}"));
    }
    notes.add_if(
        payload.members.is_some() && payload.get("exp").is_none(),
        "payload: no exp, so it never expires",
    );
    let now = now.as_secs() as f64;
    let (mut starts, mut ends) = (f64::NEG_INFINITY, f64::INFINITY);
    for Time { name, number } in payload.times() {
        if number.abs() >= MILLISECONDS {
            notes.add(format!("payload: {name} is too large for seconds; it may be in milliseconds"));
            continue;
        }
        match name {
            "iat" => notes.add_if(now < number, "payload: iat is in the future"),
            "nbf" => notes.add_if(now < number, "payload: not yet valid"),
            _ => notes.add_if(now >= number, "payload: expired"),
        }
        if name == "exp" { ends = number } else { starts = starts.max(number) }
    }
    notes.add_if(ends <= starts, "payload: exp is not after iat and nbf");
}

/// Notes the errors of the crate, as far as they do not depend on a key.
fn note_verdict(text: &str, notes: &mut Notes) {
    // An empty key set refuses every token with `UnknownKey`, so any other error is about the token.
    let header = jws::MessageVerifier::new(KeySet::new()).verify(text).err();
    let header = header.filter(|error| *error != VerifyError::UnknownKey);
    let claims = Unverified::parse(text).and_then(|token| token.unverified_claims::<()>()).err();
    let claims = claims.filter(|error| header.as_ref() != Some(error));
    for error in header.into_iter().chain(claims) {
        notes.add(format!("a verifier would refuse it: {error} ({})", error.code()));
    }
}

/// A registered claim that is a time.
struct Time {
    name: &'static str,
    number: f64,
}

impl Time {
    /// Returns the date and its distance from `now`. Reads a number that is too large as milliseconds.
    fn tell(&self, now: UnixTime) -> String {
        let (seconds, unit) = match self.number.abs() {
            NO_DATE.. => return format!("{:e} is not a date", self.number),
            MILLISECONDS.. => (self.number / 1000.0, " if in ms"),
            _ => (self.number, ""),
        };
        let seconds = seconds.floor() as i64;
        let distance = seconds - now.as_secs();
        let (size, name) = match distance.unsigned_abs() {
            size @ 0..=119 => (size, "seconds"),
            size @ 120..=7199 => (size / 60, "minutes"),
            size @ 7200..=172_799 => (size / 3600, "hours"),
            size => (size / 86_400, "days"),
        };
        let when = if distance < 0 { format!("{size} {name} ago") } else { format!("in {size} {name}") };
        format!("{}{unit}, {when}", date(seconds))
    }
}

/// Formats the date and the time of day in UTC.
fn date(seconds: i64) -> String {
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Converts days since 1970-01-01 to year, month and day, with the algorithm of Howard Hinnant. Its years begin in March.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year_of_era + era * 400 + carry, month, day)
}
