//! The examples of RFC 7797. It forbids unencoded payloads in JWTs. This crate accepts them in other messages, if the verifier
//! was told to.
//!
//! They are exact copies from <https://www.rfc-editor.org/rfc/rfc7797#section-4>.

mod util;

use countersign::{HmacKey, Part, SecretBytes, SignError, Verifier, VerifyError, jws};
use util::{sign_text, unb64};

/// Section 4: the key of RFC 7515 appendix A.1, and the payload.
const KEY: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
const PAYLOAD: &[u8] = b"$.02";
/// Section 4.2: `{"alg":"HS256","b64":false,"crit":["b64"]}` and the signature over `$.02` itself.
const UNENCODED_HEADER: &str = "eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19";
const UNENCODED_SIGNATURE: &str = "A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY";

fn key() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_base64url(KEY).unwrap()).unwrap()
}

/// A verifier that accepts unencoded payloads.
fn enabled() -> jws::MessageVerifier {
    jws::MessageVerifier::new(key()).accept_unencoded_payload()
}

/// Returns the error of the JWS verifier, after checking that a JWT verifier refuses the token too.
#[track_caller]
fn refusal(text: &str) -> VerifyError {
    let lax = Verifier::builder(key()).accept_any_issuer().accept_any_audience().allow_missing_expiration();
    assert!(lax.build().unwrap().at(util::NOW).verify::<()>(text).is_err());
    jws::MessageVerifier::new(key()).verify(text).unwrap_err()
}

#[test]
fn section_4_1_the_control_with_an_encoded_payload_verifies() {
    const TEXT: &str = "eyJhbGciOiJIUzI1NiJ9.JC4wMg.5mvfOroL-g7HyqJoozehmsaqmvTYGEq5jTI1gVvoEoQ";
    const FLATTENED: &str = r#"{
       "protected":
         "eyJhbGciOiJIUzI1NiJ9",
       "payload":
         "JC4wMg",
       "signature":
         "5mvfOroL-g7HyqJoozehmsaqmvTYGEq5jTI1gVvoEoQ"
    }"#;
    for verifier in [jws::MessageVerifier::new(key()), enabled()] {
        assert_eq!(verifier.verify(TEXT).unwrap().payload(), PAYLOAD);
        assert_eq!(verifier.verify_flattened(FLATTENED).unwrap().payload(), PAYLOAD);
    }
    assert_eq!(jws::Payload::new(PAYLOAD).sign(&key()).unwrap(), TEXT);
}

#[test]
fn section_4_2_the_detached_unencoded_payload_verifies_where_it_is_enabled() {
    let text = format!("{UNENCODED_HEADER}..{UNENCODED_SIGNATURE}");
    assert_eq!(enabled().verify_detached(&text, PAYLOAD).unwrap().payload(), PAYLOAD);
    assert_eq!(jws::Payload::new(PAYLOAD).unencoded().detached().sign(&key()).unwrap(), text);
}

#[test]
fn section_4_2_the_flattened_unencoded_payload_verifies_where_it_is_enabled() {
    let text = format!(
        r#"{{"protected":"{UNENCODED_HEADER}","payload":"$.02","signature":"{UNENCODED_SIGNATURE}"}}"#
    );
    assert_eq!(enabled().verify_flattened(&text).unwrap().payload(), PAYLOAD);
    let error = jws::MessageVerifier::new(key()).verify_flattened(&text).unwrap_err();
    assert_eq!(error, VerifyError::CriticalHeader);
    let made = jws::Payload::new(PAYLOAD).unencoded().flattened().sign(&key()).unwrap();
    let [made, text] = [made, text].map(|text| serde_json::from_str::<serde_json::Value>(&text).unwrap());
    assert_eq!(made, text);
}

#[test]
fn section_5_2_the_payload_with_a_dot_is_refused_in_the_compact_form() {
    let text = format!("{UNENCODED_HEADER}.$.02.{UNENCODED_SIGNATURE}");
    assert_eq!(enabled().verify(&text).unwrap_err(), VerifyError::UnencodedPayload { offset: 1 });
    let error = jws::Payload::new(PAYLOAD).unencoded().sign(&key()).unwrap_err();
    assert_eq!(error, SignError::UnencodedPayload { offset: 1 });
    let signed = sign_text(&key(), &format!("{UNENCODED_HEADER}.$02"));
    assert_eq!(enabled().verify(&signed).unwrap().payload(), b"$02");
}

#[test]
fn section_4_2_the_detached_unencoded_payload_is_refused() {
    assert_eq!(unb64(UNENCODED_HEADER), br#"{"alg":"HS256","b64":false,"crit":["b64"]}"#);
    assert_eq!(refusal(&format!("{UNENCODED_HEADER}..{UNENCODED_SIGNATURE}")), VerifyError::CriticalHeader);
}

#[test]
fn section_4_2_the_unencoded_payload_in_the_token_is_refused() {
    let not_base64 = VerifyError::InvalidBase64 { part: Part::Payload, offset: 0 };
    assert_eq!(refusal(&format!("{UNENCODED_HEADER}.$.02.{UNENCODED_SIGNATURE}")), not_base64);
    // The unencoded texts are signed, so that the signature is valid for them.
    for payload in ["$02", r#"{"sub":"ann"}"#] {
        let signed = sign_text(&key(), &format!("{UNENCODED_HEADER}.{payload}"));
        assert_eq!(refusal(&signed), not_base64);
    }
    // This payload has base64url characters and one dot, so the token has one segment too many (section 5.2).
    let signed = sign_text(&key(), &format!("{UNENCODED_HEADER}.AAAA.AAAA"));
    assert_eq!(refusal(&signed), VerifyError::NotAToken);
}

#[test]
fn section_4_2_the_encoded_payload_with_the_same_header_is_refused() {
    // The payload can be read as encoded and as unencoded, and both have a valid signature. Both are refused.
    let signed = sign_text(&key(), &format!("{UNENCODED_HEADER}.JC4wMg"));
    assert_eq!(refusal(&signed), VerifyError::CriticalHeader);
}

#[test]
fn section_6_b64_without_crit_is_refused() {
    for header in [r#"{"alg":"HS256","b64":false}"#, r#"{"alg":"HS256","b64":false,"crit":["exp"],"exp":1}"#]
    {
        let signed = sign_text(&key(), &format!("{}.JC4wMg", util::b64(header)));
        assert_eq!(refusal(&signed), VerifyError::CriticalHeader, "{header}");
        assert_eq!(enabled().verify(&signed).unwrap_err(), VerifyError::CriticalHeader, "{header}");
    }
}

#[test]
fn section_6_b64_cannot_be_declared_understood() {
    assert!(jws::MessageVerifier::new(key()).understand_critical("b64").is_err());
}
