//! Law: any text is split or refused, without a panic, and no text verifies that was not signed.
#![no_main]

use countersign::{HmacKey, KeySet, SecretBytes, UnixTime, Unverified, Verifier, VerifyError, jws};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static JWS: LazyLock<jws::MessageVerifier> = LazyLock::new(|| jws::MessageVerifier::new(key()));
static JWT: LazyLock<Verifier> = LazyLock::new(|| {
    let mut keys = KeySet::new();
    keys.insert(key().with_key_id("kid").unwrap()).unwrap();
    Verifier::builder(keys)
        .accept_any_issuer()
        .accept_any_audience()
        .allow_missing_expiration()
        .build()
        .unwrap()
});

fn key() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes(*b"a secret the fuzzer does not know")).unwrap()
}

fuzz_target!(|text: &str| {
    if let Ok(token) = Unverified::parse(text) {
        assert_eq!(text.matches('.').count(), 2);
        let _ = token.unverified_header();
        let _ = token.unverified_payload();
        let _ = token.unverified_claims::<serde_json::Value>();
    }
    let error = JWS.verify(text).unwrap_err();
    // Errors hold no foreign character; `tests/attacks.rs` looks for any part of the text.
    assert!(error.to_string().is_ascii());
    let error = JWT.at(UnixTime::from_secs(0)).verify::<serde_json::Value>(text).unwrap_err();
    assert!(!matches!(error, VerifyError::Expired { .. }), "claims were read before the signature");
});
