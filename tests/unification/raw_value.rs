//! Claims types with raw JSON in them, which serde has only when another crate asks for it.

use countersign::{Claims, HmacKey, Limits, SecretBytes, SignError, UnixTime, Verifier, VerifyError, jws};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

fn key() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes([7; 32])).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(payload: &str) -> Result<T, VerifyError> {
    let verifier = Verifier::builder(key())
        .accept_any_issuer()
        .accept_any_audience()
        .allow_missing_expiration()
        .build()
        .unwrap();
    let text = jws::Payload::new(payload).sign(&key()).unwrap();
    verifier.at(UnixTime::from_secs(0)).verify::<T>(&text).map(countersign::Token::into_claims)
}

#[test]
fn a_private_claim_may_be_read_raw() {
    #[derive(Deserialize)]
    struct Raw {
        role: Box<RawValue>,
    }
    let claims = read::<Raw>(r#"{"sub":"ann","role": {"a" : 1.0} }"#).unwrap();
    assert_eq!(claims.role.get(), r#"{"a" : 1.0}"#);
}

#[test]
fn a_registered_claim_may_not_be_read_raw() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "never made")]
    struct Raw {
        sub: Box<RawValue>,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "never made")]
    struct Optional {
        exp: Option<Box<RawValue>>,
    }
    let sub = read::<Raw>(r#"{"sub":"ann"}"#).unwrap_err();
    assert!(matches!(sub, VerifyError::ClaimsMismatch { claim: Some("sub"), .. }), "{sub:?}");
    let exp = read::<Optional>(r#"{"exp":1700000900}"#).unwrap_err();
    assert!(matches!(exp, VerifyError::ClaimsMismatch { claim: Some("exp"), .. }), "{exp:?}");
}

#[test]
fn the_whole_set_of_claims_is_neither_read_nor_written_raw() {
    let error = read::<Box<RawValue>>(r#"{"sub":"ann"}"#).unwrap_err();
    assert!(matches!(error, VerifyError::ClaimsMismatch { .. }), "{error:?}");
    let raw = RawValue::from_string(r#"{"exp":1,"exp":2}"#.into()).unwrap();
    assert_eq!(Claims::new(raw).never_expires().sign(&key()).unwrap_err(), SignError::ClaimsNotAnObject);
}

#[test]
fn names_that_serde_json_keeps_for_itself_make_no_other_claims() {
    for name in ["Number", "RawValue"] {
        let payload = format!(r#"{{"$serde_json::private::{name}":"{{\"sub\":\"root\"}}"}}"#);
        assert!(matches!(read::<Value>(&payload).unwrap_err(), VerifyError::ReservedMember { .. }));
        assert!(matches!(read::<()>(&payload).unwrap_err(), VerifyError::ReservedMember { .. }));
        assert!(matches!(
            read::<BTreeMap<String, Value>>(&payload).unwrap_err(),
            VerifyError::ReservedMember { .. }
        ));
    }
}

/// `serde_json` shows raw text and, under `arbitrary_precision`, numbers as a map of one reserved name, which is no level.
#[test]
fn raw_text_and_numbers_are_no_level_of_nesting() {
    #[derive(Deserialize)]
    struct Raw {
        r: Box<RawValue>,
    }
    #[derive(Deserialize)]
    struct RawList {
        r: Vec<Box<RawValue>>,
    }
    fn read_within<T: serde::de::DeserializeOwned>(depth: usize, payload: &str) -> Result<T, VerifyError> {
        let limits = Limits::new().with_depth(depth);
        let verifier = Verifier::builder(key()).accept_any_issuer().accept_any_audience();
        let verifier = verifier.allow_missing_expiration().limits(limits).build().unwrap();
        let text = jws::Payload::new(payload).sign(&key()).unwrap();
        verifier.at(UnixTime::from_secs(0)).verify::<T>(&text).map(countersign::Token::into_claims)
    }
    assert_eq!(read_within::<Raw>(1, r#"{"r":1}"#).unwrap().r.get(), "1");
    assert_eq!(read_within::<RawList>(2, r#"{"r":[1]}"#).unwrap().r[0].get(), "1");
    assert_eq!(read_within::<Value>(1, r#"{"n":1.5}"#).unwrap()["n"].to_string(), "1.5");
    let deep = format!(r#"{{"a":{}1.5{}}}"#, "[".repeat(127), "]".repeat(127));
    assert!(read_within::<BTreeMap<String, Value>>(128, &deep).is_ok());
    // Nor does a map of other names get in by it.
    let error = read_within::<Value>(1, r#"{"n":{}}"#).unwrap_err();
    assert!(matches!(error, VerifyError::TooLarge { .. }), "{error:?}");
}
