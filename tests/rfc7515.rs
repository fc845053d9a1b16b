//! The examples of RFC 7515 appendix A: HS256 and RS256 are accepted here, ES256 and ES512 in `curves`; the others are refused.
//!
//! They are exact copies from <https://www.rfc-editor.org/rfc/rfc7515#appendix-A>.

mod util;

use countersign::{Algorithm, HmacKey, SecretBytes, UnixTime, Verifier, VerifyError, jws};

/// Appendix A.1: the JWS, and the key's `k`.
const A1: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
    eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
    dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const A1_KEY: &str = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
/// The `exp` of the claims in A.1 and A.2.
const EXPIRES: i64 = 1_300_819_380;
/// The payload of A.1 and A.2.
const CLAIMS: &[u8] = b"{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}";

#[test]
fn a_1_verifies_as_a_jws() {
    let key = HmacKey::hs256(&SecretBytes::from_base64url(A1_KEY).unwrap()).unwrap();
    let message = jws::MessageVerifier::new(key).verify(A1).unwrap();
    assert_eq!(message.payload(), CLAIMS);
    assert_eq!(message.header().json(), "{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}");
}

#[test]
fn a_1_verifies_as_a_jwt_until_it_expires() {
    let key = HmacKey::hs256(&SecretBytes::from_base64url(A1_KEY).unwrap()).unwrap();
    check_as_jwt(Verifier::builder(key).issuer("joe"), A1);
}

#[test]
fn a_1_with_any_other_signature_character_is_refused() {
    let verifier =
        jws::MessageVerifier::new(HmacKey::hs256(&SecretBytes::from_base64url(A1_KEY).unwrap()).unwrap());
    let start = A1.rfind('.').unwrap() + 1;
    for place in start..A1.len() {
        let mut changed = A1.to_owned();
        let other = if &A1[place..=place] == "A" { "B" } else { "A" };
        changed.replace_range(place..=place, other);
        let error = verifier.verify(&changed).unwrap_err();
        // Most changes of the last character also break the canonical form.
        assert!(
            matches!(error, VerifyError::InvalidSignature | VerifyError::InvalidBase64 { .. }),
            "{place}: {error}"
        );
    }
}

#[cfg(feature = "rsa-verify")]
mod a_2 {
    use super::{CLAIMS, check_as_jwt};
    use crate::util::over_each_backend;
    use countersign::{Verifier, VerifyError, jws};

    /// Appendix A.2: the JWS.
    const A2: &str = "eyJhbGciOiJSUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbd\
        s9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZ\
        RmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs\
        98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    /// Its key's `n` and `e`.
    const N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Q\
        lL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e\
        -KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h\
        9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    const E: &str = "AQAB";

    /// Decodes base64url with the crate, as a payload segment.
    fn decode(text: &str) -> Vec<u8> {
        countersign::Unverified::parse(&format!(".{text}.")).unwrap().unverified_payload().unwrap()
    }

    over_each_backend! { "rsa-verify" =>
        fn key() -> countersign::VerifyingKey {
            verifying_of(&decode(N), &decode(E)).unwrap()
        }

        #[test]
        fn verifies_as_a_jws() {
            let message = jws::MessageVerifier::new(key()).verify(A2).unwrap();
            assert_eq!(message.payload(), CLAIMS);
            assert_eq!(message.header().json(), r#"{"alg":"RS256"}"#);
        }

        #[test]
        fn verifies_as_a_jwt_until_it_expires() {
            check_as_jwt(Verifier::builder(key()).issuer("joe"), A2);
        }

        #[test]
        fn a_6_is_refused_with_two_signatures_and_accepted_with_the_first_of_them() {
            let [protected, payload, signature] = A2.split('.').collect::<Vec<_>>().try_into().unwrap();
            let first = format!(
                r#""protected":"{protected}","header":{{"kid":"2010-12-29"}},"signature":"{signature}""#
            );
            let second = r#""protected":"eyJhbGciOiJFUzI1NiJ9","header":{"kid":"e9bc097a-ce51-4036-9562-d2ade882db0d"},"signature":"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q""#;
            let general = format!(r#"{{"payload":"{payload}","signatures":[{{{first}}},{{{second}}}]}}"#);
            let verifier = jws::MessageVerifier::new(key());
            let error = verifier.verify_flattened(&general).unwrap_err();
            assert_eq!(error, VerifyError::InvalidMember { name: "signatures" });
            let flattened = format!(r#"{{"payload":"{payload}",{first}}}"#);
            assert_eq!(verifier.verify_flattened(&flattened).unwrap().payload(), CLAIMS);
        }

        #[cfg(feature = "rsa")]
        #[test]
        fn its_private_key_signs_the_same_bytes() {
            // The private key of A.2 as PKCS#8, made from its JWK.
            const PRIVATE: &str = include_str!("data/rfc7515_a2.pem");
            let key = signing(PRIVATE).unwrap();
            // Blinding does not change the signature, so it equals the one in RFC 7515.
            let text = jws::Payload::new(CLAIMS).sign(&key).unwrap();
            assert_eq!(text, A2);
            assert!(jws::MessageVerifier::new(key.verifying_key()).verify(A2).is_ok());
            assert!(countersign::Claims::registered().never_expires().sign(&key).is_ok());
        }
    }
}

/// A.3 and A.4 verify in `curves`.
#[test]
fn a_3_and_a_4_are_refused_by_a_key_for_another_algorithm() {
    refused(
        "eyJhbGciOiJFUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        &VerifyError::AlgorithmMismatch { key: Algorithm::Hs256, token: Algorithm::Es256 },
    );
    refused(
        "eyJhbGciOiJFUzUxMiJ9.\
        UGF5bG9hZA.\
        AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZg\
        oXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
        &VerifyError::AlgorithmMismatch { key: Algorithm::Hs256, token: Algorithm::Es512 },
    );
}

#[test]
fn a_5_the_unsecured_token_is_refused() {
    refused(
        "eyJhbGciOiJub25lIn0.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.",
        &VerifyError::UnsupportedAlgorithm,
    );
}

#[track_caller]
fn refused(text: &str, expected: &VerifyError) {
    let key = HmacKey::hs256(&SecretBytes::from_base64url(A1_KEY).unwrap()).unwrap();
    assert_eq!(jws::MessageVerifier::new(key).verify(text).unwrap_err(), *expected);
}

#[track_caller]
fn check_as_jwt(builder: countersign::VerifierBuilder, text: &str) {
    #[derive(serde::Deserialize)]
    struct Root {
        #[serde(rename = "http://example.com/is_root")]
        is_root: bool,
    }
    let verifier = builder.no_audience().leeway(core::time::Duration::ZERO).build().unwrap();
    let token = verifier.at(UnixTime::from_secs(EXPIRES - 1)).verify::<Root>(text).unwrap();
    assert!(token.claims().is_root);
    assert_eq!(token.issuer(), Some("joe"));
    assert_eq!(token.expires_at(), Some(UnixTime::from_secs(EXPIRES)));
    assert!(verifier.at(UnixTime::from_secs(EXPIRES)).verify::<Root>(text).unwrap_err().is_expired());
}
