//! Law: a signed token verifies with equal content, and with any one byte changed it does not verify.
#![no_main]

use arbitrary::Arbitrary;
use countersign::{Claims, HmacKey, SecretBytes, UnixTime, Verifier};
use libfuzzer_sys::fuzz_target;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

static KEY: LazyLock<HmacKey> = LazyLock::new(|| HmacKey::hs256(&SecretBytes::from_bytes([7; 32])).unwrap());

#[derive(Debug, Arbitrary)]
struct Input {
    issuer: Option<String>,
    subject: Option<String>,
    audience: Vec<String>,
    jwt_id: Option<String>,
    lifetime: u32,
    age: Option<u32>,
    usable_for: Option<u32>,
    private: BTreeMap<String, Vec<String>>,
    place: u16,
    to: u8,
}

fuzz_target!(|input: Input| {
    let expires_at = later(1 + i64::from(input.lifetime));
    let ago = |seconds: u32| later(-i64::from(seconds));
    let (issued_at, not_before) = (input.age.map(ago), input.usable_for.map(ago));
    let mut claims = Claims::new(input.private.clone()).expires_at(expires_at);
    if let Some(time) = issued_at {
        claims = claims.issued_at(time);
    }
    if let Some(time) = not_before {
        claims = claims.not_before(time);
    }
    if let Some(issuer) = &input.issuer {
        claims = claims.issuer(issuer);
    }
    if let Some(subject) = &input.subject {
        claims = claims.subject(subject);
    }
    for audience in &input.audience {
        claims = claims.audience(audience);
    }
    if let Some(id) = &input.jwt_id {
        claims = claims.jwt_id(id);
    }
    // Signing may refuse a private claim with a registered name, because it has the wrong type or occurs twice, or with a
    // reserved name.
    let Ok(text) = claims.sign(&*KEY) else {
        let special = |name: &String| {
            ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"].contains(&name.as_str())
                || name.starts_with("$serde_json::private::")
        };
        assert!(input.private.keys().any(special));
        return;
    };
    let verifier = Verifier::builder(KEY.clone()).accept_any_issuer().accept_any_audience().build().unwrap();
    let token = verifier
        .at(NOW)
        .verify::<BTreeMap<String, serde_json::Value>>(&text)
        .expect("a signed token verifies");
    assert_eq!(token.issuer(), input.issuer.as_deref());
    assert_eq!(token.subject(), input.subject.as_deref());
    assert_eq!(token.jwt_id(), input.jwt_id.as_deref());
    // A list under the private name `aud` is an audience too; if both were set, signing would have failed.
    let audience = input.private.get("aud").unwrap_or(&input.audience);
    assert_eq!(token.audience().collect::<Vec<_>>(), *audience);
    assert_eq!(token.expires_at(), Some(expires_at));
    assert_eq!((token.issued_at(), token.not_before()), (issued_at, not_before));
    for (name, values) in &input.private {
        assert_eq!(token.claims()[name], serde_json::json!(values));
    }

    let place = usize::from(input.place) % text.len();
    let mut changed = text.clone().into_bytes();
    if input.to.is_ascii() && changed[place] != input.to {
        changed[place] = input.to;
        let changed = String::from_utf8(changed).unwrap();
        assert!(verifier.at(NOW).verify::<()>(&changed).is_err(), "{changed}");
    }
});

/// Returns the time `seconds` after [`NOW`].
fn later(seconds: i64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + seconds)
}
