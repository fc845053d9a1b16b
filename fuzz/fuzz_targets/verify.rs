//! Law: behind a good signature every header and payload is accepted or refused without a panic, alike by
//! `verify_at`, `verify_in_at` and the JWS layer; what is accepted is strict JSON with no name twice and every
//! registered claim of its type; and the decision does not depend on the claims type.
#![no_main]

use countersign::{Buffer, Hs256Key, SignKey, UnixTime, Verifier, VerifyError, jws};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use std::sync::LazyLock;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

static KEY: LazyLock<Hs256Key> = LazyLock::new(|| Hs256Key::from_bytes([7; 32]).unwrap());
static JWS: LazyLock<jws::Verifier> = LazyLock::new(|| jws::Verifier::new(KEY.clone()));
static JWT: LazyLock<Verifier> = LazyLock::new(|| {
    Verifier::builder(KEY.clone())
        .accept_any_issuer()
        .accept_any_audience()
        .allow_missing_expiration()
        .build()
        .unwrap()
});

fuzz_target!(|parts: (&[u8], &[u8])| {
    let (header, payload) = parts;
    // An empty header stands for the usual one, so that payloads are reached at once.
    let header = if header.is_empty() { br#"{"alg":"HS256","typ":"JWT"}"# } else { header };
    let text = signed(header, payload);

    let value = JWT.verify_at::<Value>(&text, NOW);
    let nothing = JWT.verify_at::<()>(&text, NOW);
    let mut buffer = Buffer::new();
    let borrowed = JWT.verify_in_at::<Value>(&mut buffer, &text, NOW);
    match (&value, &borrowed) {
        (Ok(owned), Ok(borrowed)) => {
            assert_eq!(owned.claims(), borrowed.claims());
            assert_eq!(owned.subject(), borrowed.subject());
        }
        (Err(owned), Err(borrowed)) => assert_eq!(owned, borrowed),
        _ => panic!("verify_at and verify_in_at disagree"),
    }
    match (&value, &nothing) {
        (Ok(_), Ok(_)) => {}
        // A number that no `Value` holds.
        (Err(VerifyError::ClaimsMismatch { .. }), Ok(_)) => {}
        (Err(with), Err(without)) => assert_eq!(with, without),
        _ => panic!("the claims type decides"),
    }
    if let Ok(token) = &value {
        check_accepted(token.payload(), token);
        assert!(JWS.verify(&text).is_ok());
    }
});

fn check_accepted(payload: &str, token: &countersign::Token<Value>) {
    let claims: Value = serde_json::from_str(payload).expect("accepted claims are JSON");
    let claims = claims.as_object().expect("accepted claims are an object");
    assert_eq!(Value::Object(claims.clone()), *token.claims());
    for name in ["exp", "nbf", "iat"] {
        if let Some(value) = claims.get(name) {
            assert!(value.as_f64().is_some_and(|number| number.abs() <= 9_007_199_254_740_992.0), "{name}");
        }
    }
    for name in ["iss", "sub", "jti"] {
        assert!(claims.get(name).is_none_or(Value::is_string), "{name}");
    }
    if let Some(audience) = claims.get("aud") {
        assert!(
            audience.is_string() || audience.as_array().is_some_and(|all| all.iter().all(Value::is_string))
        );
    }
    assert_eq!(token.subject(), claims.get("sub").and_then(Value::as_str));
    if let Some(exp) = token.expires_at() {
        assert!(exp.as_secs() + 30 > NOW.as_secs());
    }
}

/// Header and payload in base64url with a good signature.
fn signed(header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let tag = KEY.sign_bytes(input.as_bytes()).unwrap();
    format!("{input}.{}", encode(tag.as_bytes()))
}

/// base64url by way of the crate: the second segment of a JWS.
fn encode(bytes: &[u8]) -> String {
    jws::Payload::new(bytes).sign(&*KEY).unwrap().split('.').nth(1).unwrap().to_owned()
}
