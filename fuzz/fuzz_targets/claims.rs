//! Law: an object made of claims of right and wrong types is accepted exactly if an oracle accepts it. The oracle sees the
//! parts and not the text.
#![no_main]

use arbitrary::Arbitrary;
use core::time::Duration;
use countersign::{HmacKey, SecretBytes, UnixTime, Verifier, jws};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::sync::LazyLock;

const NOW: i64 = 1_700_000_000;
const LEEWAY: i64 = 30;

static KEY: LazyLock<HmacKey> = LazyLock::new(|| HmacKey::hs256(&SecretBytes::from_bytes([7; 32])).unwrap());
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    Verifier::builder(KEY.clone())
        .issuer("me")
        .audience("you")
        .leeway(Duration::from_secs(LEEWAY as u64))
        .build()
        .unwrap()
});

#[derive(Debug, Arbitrary)]
enum Text {
    Right,
    Escaped,
    Wrong(String),
    Null,
    Number(i32),
}

#[derive(Debug, Arbitrary)]
enum Audience {
    One(Text),
    Many(Vec<Text>),
}

#[derive(Debug, Arbitrary)]
enum Date {
    Near(i8),
    Whole(i64),
    Half(i32),
    Text,
    Null,
}

#[derive(Debug, Arbitrary)]
struct Claims {
    iss: Option<Text>,
    aud: Option<Audience>,
    exp: Option<Date>,
    nbf: Option<Date>,
    iat: Option<Date>,
    private: Vec<u8>,
    twice: bool,
}

fuzz_target!(|claims: Claims| {
    let mut members = Vec::new();
    for (name, date) in [("exp", &claims.exp), ("nbf", &claims.nbf), ("iat", &claims.iat)] {
        members.extend(date.as_ref().map(|date| format!("\"{name}\":{}", date.json())));
    }
    members.extend(claims.iss.as_ref().map(|iss| format!("\"iss\":{}", iss.json("me"))));
    members.extend(claims.aud.as_ref().map(|aud| format!("\"aud\":{}", aud.json())));
    members.extend(
        claims.private.iter().take(40).enumerate().map(|(place, value)| format!("\"p{place}\":{value}")),
    );
    // The first member again, with the first letter of its name as an escape.
    let twice = claims.twice && !members.is_empty();
    if twice {
        let letter = members[0].chars().nth(1).unwrap();
        members.push(format!("\"\\u{:04x}{}", u32::from(letter), &members[0][2..]));
    }
    let payload = format!("{{{}}}", members.join(","));
    let text = jws::Payload::new(&payload).sign(&*KEY).unwrap();
    let verdict = VERIFIER.at(UnixTime::from_secs(NOW)).verify::<Value>(&text);
    assert_eq!(verdict.is_ok(), claims.acceptable() && !twice, "{payload}: {verdict:?}");
});

impl Claims {
    fn acceptable(&self) -> bool {
        let issuer = self.iss.as_ref().is_some_and(Text::is_right);
        let audience = self.aud.as_ref().is_some_and(Audience::is_right);
        let exp =
            self.exp.as_ref().and_then(Date::seconds).is_some_and(|exp| NOW < exp.saturating_add(LEEWAY));
        let reached = |date: &Option<Date>| match date {
            None => true,
            Some(date) => date.seconds().is_some_and(|time| NOW + LEEWAY >= time),
        };
        issuer && audience && exp && reached(&self.nbf) && reached(&self.iat)
    }
}

impl Text {
    fn json(&self, right: &str) -> String {
        match self {
            Self::Right => format!("\"{right}\""),
            Self::Escaped => {
                right.chars().fold("\"".to_owned(), |text, c| text + &format!("\\u{:04x}", c as u32)) + "\""
            }
            Self::Wrong(text) => serde_json::to_string(&format!("{text}!")).unwrap(),
            Self::Null => "null".into(),
            Self::Number(number) => number.to_string(),
        }
    }

    fn is_right(&self) -> bool {
        matches!(self, Self::Right | Self::Escaped)
    }

    fn is_text(&self) -> bool {
        !matches!(self, Self::Null | Self::Number(_))
    }
}

impl Audience {
    fn json(&self) -> String {
        match self {
            Self::One(text) => text.json("you"),
            Self::Many(texts) => {
                format!("[{}]", texts.iter().map(|text| text.json("you")).collect::<Vec<_>>().join(","))
            }
        }
    }

    fn is_right(&self) -> bool {
        match self {
            Self::One(text) => text.is_right(),
            Self::Many(texts) => texts.iter().all(Text::is_text) && texts.iter().any(Text::is_right),
        }
    }
}

impl Date {
    fn json(&self) -> String {
        match self {
            Self::Near(offset) => (NOW + i64::from(*offset)).to_string(),
            Self::Whole(seconds) => seconds.to_string(),
            Self::Half(seconds) => format!("{seconds}.5"),
            Self::Text => "\"1700000900\"".into(),
            Self::Null => "null".into(),
        }
    }

    /// Returns the time, with a fraction rounded up, if it is one.
    fn seconds(&self) -> Option<i64> {
        match *self {
            Self::Near(offset) => Some(NOW + i64::from(offset)),
            Self::Whole(seconds) => (seconds.unsigned_abs() <= 1 << 53).then_some(seconds),
            // -7.5 represents -7, and rounds up to it.
            Self::Half(seconds) if seconds < 0 => Some(i64::from(seconds)),
            Self::Half(seconds) => Some(i64::from(seconds) + 1),
            Self::Text | Self::Null => None,
        }
    }
}
