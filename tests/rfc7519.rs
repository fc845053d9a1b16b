//! The examples of RFC 7519: section 3.1, which is accepted, and section 6.1 and appendix A, which are refused. Also the token
//! that newcomers try first.
//!
//! The tokens are exact copies from <https://www.rfc-editor.org/rfc/rfc7519>.

use core::time::Duration;
use countersign::{Algorithm, HmacKey, KeyError, SecretBytes, UnixTime, Verifier, VerifyError};
use std::borrow::Cow;

/// The key of section 3.1, from RFC 7515 appendix A.1, which has the same token.
const KEY: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

#[test]
fn section_3_1_verifies_until_it_expires() {
    const TOKEN: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let verifier = Verifier::builder(HmacKey::hs256(&SecretBytes::from_base64url(KEY).unwrap()).unwrap())
        .issuer("joe")
        .no_audience()
        .leeway(Duration::from_secs(10))
        .build()
        .unwrap();
    let expires = UnixTime::from_secs(1_300_819_380);
    let at = |seconds| expires.saturating_add(Duration::from_secs(seconds));
    assert!(verifier.at(at(9)).verify::<()>(TOKEN).is_ok());
    assert_eq!(
        verifier.at(at(10)).verify::<()>(TOKEN).unwrap_err(),
        VerifyError::Expired { expired_at: expires, now: at(10) }
    );
}

#[test]
fn section_6_1_the_unsecured_token_is_refused() {
    refused(
        "eyJhbGciOiJub25lIn0.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
        &VerifyError::UnsupportedAlgorithm,
    );
}

/// A token of five segments is not a signed token.
#[test]
fn appendix_a_1_the_encrypted_token_is_refused() {
    refused(
        "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2In0.\
        QR1Owv2ug2WyPBnbQrRARTeEk9kDO2w8qDcjiHnSJflSdv1iNqhWXaKH4MqAkQtM\
        oNfABIPJaZm0HaA415sv3aeuBWnD8J-Ui7Ah6cWafs3ZwwFKDFUUsWHSK-IPKxLG\
        TkND09XyjORj_CHAgOPJ-Sd8ONQRnJvWn_hXV1BNMHzUjPyYwEsRhDhzjAD26ima\
        sOTsgruobpYGoQcXUwFDn7moXPRfDE8-NoQX7N7ZYMmpUDkR-Cx9obNGwJQ3nM52\
        YCitxoQVPzjbl7WBuB7AohdBoZOdZ24WlN1lVIeh8v1K4krB8xgKvRU8kgFrEn_a\
        1rZgN5TiysnmzTROF869lQ.\
        AxY8DCtDaGlsbGljb3RoZQ.\
        MKOle7UQrG6nSxTLX6Mqwt0orbHvAKeWnDYvpIAeZ72deHxz3roJDXQyhxx0wKaM\
        HDjUEOKIwrtkHthpqEanSBNYHZgmNOV7sln1Eu9g3J8.\
        fiK51VwhsxJ-siBMR-YFiA",
        &VerifyError::Encrypted,
    );
}

/// The inner token is that of RFC 7515 appendix A.2. Only the outer layer would be verified.
#[test]
fn appendix_a_2_the_nested_token_is_refused() {
    refused(
        "eyJhbGciOiJSU0ExXzUiLCJlbmMiOiJBMTI4Q0JDLUhTMjU2IiwiY3R5IjoiSldU\
        In0.\
        g_hEwksO1Ax8Qn7HoN-BVeBoa8FXe0kpyk_XdcSmxvcM5_P296JXXtoHISr_DD_M\
        qewaQSH4dZOQHoUgKLeFly-9RI11TG-_Ge1bZFazBPwKC5lJ6OLANLMd0QSL4fYE\
        b9ERe-epKYE3xb2jfY1AltHqBO-PM6j23Guj2yDKnFv6WO72tteVzm_2n17SBFvh\
        DuR9a2nHTE67pe0XGBUS_TK7ecA-iVq5COeVdJR4U4VZGGlxRGPLRHvolVLEHx6D\
        YyLpw30Ay9R6d68YCLi9FYTq3hIXPK_-dmPlOUlKvPr1GgJzRoeC9G5qCvdcHWsq\
        JGTO_z3Wfo5zsqwkxruxwA.\
        UmVkbW9uZCBXQSA5ODA1Mg.\
        VwHERHPvCNcHHpTjkoigx3_ExK0Qc71RMEParpatm0X_qpg-w8kozSjfNIPPXiTB\
        BLXR65CIPkFqz4l1Ae9w_uowKiwyi9acgVztAi-pSL8GQSXnaamh9kX1mdh3M_TT\
        -FZGQFQsFhu0Z72gJKGdfGE-OE7hS1zuBD5oEUfk0Dmb0VzWEzpxxiSSBbBAzP10\
        l56pPfAtrjEYw-7ygeMkwBl6Z_mLS6w6xUgKlvW6ULmkV-uLC4FUiyKECK4e3WZY\
        Kw1bpgIqGYsw2v_grHjszJZ-_I5uM-9RA8ycX9KqPRp9gc6pXmoU_-27ATs9XCvr\
        ZXUtK2902AUzqpeEUJYjWWxSNsS-r1TJ1I-FMJ4XyAiGrfmo9hQPcNBYxPz3GQb2\
        8Y5CLSQfNgKSGt0A4isp1hBUXBHAndgtcslt7ZoQJaKe_nNJgNliWtWpJ_ebuOpE\
        l8jdhehdccnRMIwAmU1n7SPkmhIl1HlSOpvcvDfhUN5wuqU955vOBvfkBOh5A11U\
        zBuo2WlgZ6hYi9-e3w29bR0C2-pp3jbqxEDw3iWaf2dc5b-LnR0FEYXvI_tYk5rd\
        _J9N0mg0tQ6RbpxNEMNoA9QWk5lgdPvbh9BaO195abQ.\
        AVO9iT5AV4CzvDJCdhSFlQ",
        &VerifyError::Encrypted,
    );
}

/// Uses the laxest policy and a time before the token expires, so that no other check refuses it.
#[track_caller]
fn refused(text: &str, expected: &VerifyError) {
    let key = HmacKey::hs256(&SecretBytes::from_base64url(KEY).unwrap()).unwrap();
    let verifier = Verifier::builder(key)
        .accept_any_issuer()
        .accept_any_audience()
        .allow_missing_expiration()
        .build()
        .unwrap();
    assert_eq!(verifier.at(UnixTime::from_secs(1_300_000_000)).verify::<()>(text).unwrap_err(), *expected);
}

/// The well-known token that newcomers try first, and its secret.
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
    let key =
        HmacKey::with_weak_secret(Algorithm::Hs256, &SecretBytes::from_bytes(WELL_KNOWN_SECRET)).unwrap();
    let verifier =
        Verifier::builder(key).accept_any_issuer().no_audience().allow_missing_expiration().build().unwrap();
    let token = verifier.at(UnixTime::from_secs(1_800_000_000)).verify::<Person>(WELL_KNOWN).unwrap();
    assert_eq!(token.claims().name, "John Doe");
    assert_eq!(token.subject(), Some("1234567890"));
    assert_eq!(token.issued_at(), Some(UnixTime::from_secs(1_516_239_022)));
}

#[test]
fn the_well_known_secret_is_too_short_for_the_strict_constructor() {
    let error = HmacKey::hs256(&SecretBytes::from_bytes(WELL_KNOWN_SECRET)).unwrap_err();
    assert_eq!(error, KeyError::SecretTooShort { bytes: 19, minimum: 32 });
}

#[test]
fn the_well_known_token_lacks_exp_and_is_refused_for_it_by_default() {
    let key =
        HmacKey::with_weak_secret(Algorithm::Hs256, &SecretBytes::from_bytes(WELL_KNOWN_SECRET)).unwrap();
    let verifier = Verifier::builder(key).accept_any_issuer().no_audience().build().unwrap();
    let error = verifier.at(UnixTime::from_secs(1_800_000_000)).verify::<Person>(WELL_KNOWN).unwrap_err();
    assert_eq!(error, VerifyError::MissingClaim { claim: Cow::Borrowed("exp") });
    assert_eq!(error.to_string(), "claim exp is missing");
}

#[test]
fn an_expired_token_gets_a_401_that_says_so() {
    let key =
        HmacKey::with_weak_secret(Algorithm::Hs256, &SecretBytes::from_bytes(WELL_KNOWN_SECRET)).unwrap();
    let past = UnixTime::from_secs(1_000);
    let text = countersign::Claims::registered().expires_at(past).sign(&key).unwrap();
    let verifier = Verifier::builder(key).accept_any_issuer().no_audience().build().unwrap();
    let error = verifier.at(UnixTime::from_secs(2_000)).verify::<()>(&text).unwrap_err();
    assert!(error.is_expired());
    assert_eq!(error.challenge().status(), 401);
    assert_eq!(
        error.challenge().www_authenticate(),
        Some(r#"Bearer error="invalid_token", error_description="the token expired""#)
    );
}
