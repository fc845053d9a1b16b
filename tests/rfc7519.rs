//! RFC 7519: the example of section 3.1, and what a newcomer tries first.

use core::time::Duration;
use countersign::{Hs256Key, KeyError, UnixTime, Verifier, VerifyError};
use std::borrow::Cow;

#[test]
fn section_3_1_verifies_until_it_expires() {
    // The same token as RFC 7515 appendix A.1, which has its key.
    const TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const KEY: &str =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    let verifier = Verifier::builder(Hs256Key::from_base64url(KEY).unwrap())
        .issuer("joe")
        .no_audience()
        .leeway(Duration::from_secs(10))
        .build()
        .unwrap();
    let expires = UnixTime::from_secs(1_300_819_380);
    let at = |seconds| expires.saturating_add(Duration::from_secs(seconds));
    assert!(verifier.verify_at::<()>(TOKEN, at(9)).is_ok());
    assert_eq!(
        verifier.verify_at::<()>(TOKEN, at(10)).unwrap_err(),
        VerifyError::Expired { expired_at: expires, now: at(10) }
    );
}

/// The token that everybody pastes first, and its secret.
const WELL_KNOWN: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.\
    eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ.\
    SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
const WELL_KNOWN_SECRET: &str = "your-256-bit-secret";

#[derive(Debug, serde::Deserialize)]
struct Person {
    name: String,
}

#[test]
fn the_well_known_token_verifies_with_its_weak_secret_and_without_expiry_when_both_are_allowed() {
    let key = Hs256Key::from_weak_bytes(WELL_KNOWN_SECRET).unwrap();
    let verifier =
        Verifier::builder(key).accept_any_issuer().no_audience().allow_missing_expiration().build().unwrap();
    let token = verifier.verify_at::<Person>(WELL_KNOWN, UnixTime::from_secs(1_800_000_000)).unwrap();
    assert_eq!(token.claims().name, "John Doe");
    assert_eq!(token.subject(), Some("1234567890"));
    assert_eq!(token.issued_at(), Some(UnixTime::from_secs(1_516_239_022)));
}

#[test]
fn the_well_known_secret_is_too_short_for_the_strict_constructor() {
    let error = Hs256Key::from_bytes(WELL_KNOWN_SECRET).unwrap_err();
    assert_eq!(error, KeyError::SecretTooShort { bytes: 19, minimum: 32 });
}

#[test]
fn the_well_known_token_lacks_exp_and_is_refused_for_it_by_default() {
    let key = Hs256Key::from_weak_bytes(WELL_KNOWN_SECRET).unwrap();
    let verifier = Verifier::builder(key).accept_any_issuer().no_audience().build().unwrap();
    let error = verifier.verify_at::<Person>(WELL_KNOWN, UnixTime::from_secs(1_800_000_000)).unwrap_err();
    assert_eq!(error, VerifyError::MissingClaim { claim: Cow::Borrowed("exp") });
    assert_eq!(error.to_string(), "claim exp is missing");
}

#[test]
fn an_expired_token_is_a_401_that_says_so() {
    let key = Hs256Key::from_weak_bytes(WELL_KNOWN_SECRET).unwrap();
    let past = UnixTime::from_secs(1_000);
    let text = countersign::Claims::registered().expires_at(past).sign(&key).unwrap();
    let verifier = Verifier::builder(key).accept_any_issuer().no_audience().build().unwrap();
    let error = verifier.verify_at::<()>(&text, UnixTime::from_secs(2_000)).unwrap_err();
    assert!(error.is_expired());
    assert_eq!(error.challenge().status(), 401);
    assert_eq!(
        error.challenge().www_authenticate(),
        Some(r#"Bearer error="invalid_token", error_description="the token expired""#)
    );
}
