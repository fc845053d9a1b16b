//! The examples of RFC 7520 section 4: accepted in the compact and the flattened form. Those without a protected header and
//! those with several signatures are refused.
//!
//! They are exact copies from <https://www.rfc-editor.org/rfc/rfc7520#section-4>.

mod util;

use countersign::{Algorithm, HmacKey, Part, SecretBytes, VerifyError, jws};
use util::unb64;

/// Figure 7: the payload of all examples. Figure 8 is its encoding.
const CONTENT: &str = "It\u{2019}s a dangerous business, Frodo, going out your door. You step onto the road, and \
    if you don't keep your feet, there\u{2019}s no knowing where you might be swept off to.";
const PAYLOAD: &str = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0\
    aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3\
    ZXB0IG9mZiB0by4";

/// Figure 5 (section 3.5): the `kid` and `k` of the symmetric key.
const HMAC_KEY_ID: &str = "018c0ae5-4d9b-471b-bfd6-eef314bc7037";
const HMAC_KEY: &str = "hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg";
/// Section 4.4: the header and the signature.
const HS256_HEADER: &str = "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9";
const HS256_SIGNATURE: &str = "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0";

fn hmac_key() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_base64url(HMAC_KEY).unwrap()).unwrap().with_key_id(HMAC_KEY_ID).unwrap()
}

#[track_caller]
fn refused(text: &str, expected: &VerifyError) {
    assert_eq!(jws::MessageVerifier::new(hmac_key()).verify(text).unwrap_err(), *expected, "{text}");
}

#[cfg(feature = "rsa-verify")]
mod section_4_1 {
    use super::{CONTENT, PAYLOAD};
    use crate::util::{over_each_backend, unb64};
    use countersign::{VerifyError, jws};

    /// The `kid` of the RSA key and of the elliptic curve key.
    pub(super) const KEY_ID: &str = "bilbo.baggins@hobbiton.example";
    const HEADER: &str = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9";
    const SIGNATURE: &str = "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp8\
        3xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4\
        QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ\
        41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg";
    /// Figure 3 (section 3.3): the `n` of the public key. Its `e` is `AQAB`.
    pub(super) const N: &str = "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJM\
        RBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD\
        5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kR\
        huaxwUkRz5iaiQkqgc5gHdrNP5zw";

    over_each_backend! { "rsa-verify" =>
        pub(crate) fn public_key() -> countersign::VerifyingKey {
            let key = verifying_of(&unb64(N), &unb64("AQAB")).unwrap();
            key.with_key_id(KEY_ID).unwrap()
        }

        #[test]
        fn rs256_verifies() {
            let text = format!("{HEADER}.{PAYLOAD}.{SIGNATURE}");
            let message = jws::MessageVerifier::new(public_key()).verify(&text).unwrap();
            assert_eq!(message.payload(), CONTENT.as_bytes());
            assert_eq!(message.header().json(), r#"{"alg":"RS256","kid":"bilbo.baggins@hobbiton.example"}"#);
            assert_eq!(message.header().key_id(), Some(KEY_ID));
        }

        #[test]
        fn rs256_with_another_kid_is_refused() {
            let other = public_key().with_key_id("frodo.baggins@hobbiton.example").unwrap();
            let text = format!("{HEADER}.{PAYLOAD}.{SIGNATURE}");
            assert_eq!(jws::MessageVerifier::new(other).verify(&text).unwrap_err(), VerifyError::UnknownKey);
        }

        #[cfg(feature = "rsa")]
        #[test]
        fn rs256_signs_the_same_bytes() {
            /// The key of figure 4 (section 3.4) as PKCS#8.
            const PRIVATE: &str = include_str!("data/rfc7520_3_4.pem");
            let key = signing(PRIVATE).unwrap().with_key_id(KEY_ID).unwrap();
            let public = countersign::PrivateKey::from_pem(PRIVATE).unwrap().public_key().unwrap();
            assert!(public == countersign::PublicKey::from_modulus_and_exponent(&unb64(N), &[1, 0, 1]).unwrap());
            let text = jws::Payload::new(CONTENT.as_bytes()).sign(&key).unwrap();
            assert_eq!(text, format!("{HEADER}.{PAYLOAD}.{SIGNATURE}"));
        }
    }
}

#[cfg(feature = "rsa-verify")]
mod section_4_2 {
    use super::{CONTENT, PAYLOAD, refused, section_4_1::N};
    use crate::util::{over_each_backend, unb64};
    use countersign::{Algorithm, PublicKey, VerifyError, jws};

    const TEXT: &str = "eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.{PAYLOAD}.cu22eBqkYDKg\
        IlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMx\
        bbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjv\
        AA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-\
        X72Eaw";

    over_each_backend! { "rsa-verify" =>
        #[test]
        fn ps384_verifies_as_ps384_only() {
            let text = TEXT.replace("{PAYLOAD}", PAYLOAD);
            refused(&text, &VerifyError::AlgorithmMismatch { key: Algorithm::Hs256, token: Algorithm::Ps384 });
            let public = PublicKey::from_modulus_and_exponent(&unb64(N), &[1, 0, 1]).unwrap();
            let verify = |algorithm| {
                let key = verifies_by(&public, algorithm).unwrap();
                jws::MessageVerifier::new(key).verify(&text)
            };
            assert_eq!(verify(Algorithm::Ps384).unwrap().payload(), CONTENT.as_bytes());
            for key in [Algorithm::Rs384, Algorithm::Ps256, Algorithm::Ps512] {
                let mismatch = VerifyError::AlgorithmMismatch { key, token: Algorithm::Ps384 };
                assert_eq!(verify(key).unwrap_err(), mismatch);
            }
        }
    }
}

#[test]
fn section_4_3_es512_verifies_as_es512_only() {
    let text = format!(
        "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.{PAYLOAD}.\
        AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxX\
        Pn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2"
    );
    refused(&text, &VerifyError::AlgorithmMismatch { key: Algorithm::Hs256, token: Algorithm::Es512 });
    #[cfg(feature = "p521")]
    {
        // Figure 1, as SPKI.
        let before = b"\x30\x81\x9b\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\0\x23\x03\x81\x86\0\x04";
        let x = "AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt";
        let y = "AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1";
        let public = countersign::PublicKey::from_der(&[&before[..], &unb64(x), &unb64(y)].concat()).unwrap();
        let message = jws::MessageVerifier::new(public.es512().unwrap()).verify(&text).unwrap();
        assert_eq!(message.payload(), CONTENT.as_bytes());
    }
}

#[test]
fn section_4_4_hs256_verifies_and_signs_the_same_bytes() {
    let text = format!("{HS256_HEADER}.{PAYLOAD}.{HS256_SIGNATURE}");
    assert_eq!(unb64(PAYLOAD), CONTENT.as_bytes());
    assert_eq!(jws::Payload::new(CONTENT.as_bytes()).sign(&hmac_key()).unwrap(), text);

    let message = jws::MessageVerifier::new(hmac_key()).verify(&text).unwrap();
    assert_eq!(message.payload(), CONTENT.as_bytes());
    assert_eq!(message.header().key_id(), Some(HMAC_KEY_ID));
}

#[test]
fn section_4_5_detached_content_verifies_only_with_the_content() {
    // The signature is that of section 4.4.
    let compact = format!("{HS256_HEADER}..{HS256_SIGNATURE}");
    refused(&compact, &VerifyError::InvalidSignature);
    let flattened = format!(r#"{{"protected":"{HS256_HEADER}","signature":"{HS256_SIGNATURE}"}}"#);
    let verifier = jws::MessageVerifier::new(hmac_key());
    for message in [
        verifier.verify_detached(&compact, CONTENT.as_bytes()),
        verifier.verify_flattened_detached(&flattened, CONTENT.as_bytes()),
    ] {
        let message = message.unwrap();
        assert_eq!((message.payload(), message.header().key_id()), (CONTENT.as_bytes(), Some(HMAC_KEY_ID)));
    }
    let payload = jws::Payload::new(CONTENT).detached();
    assert_eq!(payload.sign(&hmac_key()).unwrap(), compact);
    assert_eq!(payload.flattened().sign(&hmac_key()).unwrap(), flattened);
}

#[test]
fn section_4_4_the_flattened_form_verifies() {
    let text =
        format!(r#"{{"payload":"{PAYLOAD}","protected":"{HS256_HEADER}","signature":"{HS256_SIGNATURE}"}}"#);
    let message = jws::MessageVerifier::new(hmac_key()).verify_flattened(&text).unwrap();
    assert_eq!(message.payload(), CONTENT.as_bytes());
    assert_eq!(jws::Payload::new(CONTENT).flattened().sign(&hmac_key()).unwrap(), text);
}

#[test]
fn sections_4_6_to_4_8_only_the_flattened_form_with_a_protected_algorithm_verifies() {
    // The header that names the key is not protected, so it chooses no key.
    let named = jws::MessageVerifier::new(hmac_key());
    let only = HmacKey::hs256(&SecretBytes::from_base64url(HMAC_KEY).unwrap()).unwrap();
    let only = jws::MessageVerifier::new(only);

    const FIRST: &str = "MIsjqtVlOpa71KE-Mss8_Nq2YH4FGhiocsqrgi5NvyG53uoimic1tcMdSg-qptrzZc7CG6Svw2Y13TDIqHzTUrL_lR2ZFcryN\
        FiHkSw129EghGpwkpxaTn_THJTCglNbADko1MZBCdwzJxwqZc-1RlpO2HibUYyXSwO97BSe0_evZKdjvvKSgsIqjytKSeAMbhMBdMma622_BG\
        5t4sdbuCHtFjp9iJmkio47AIwqkZV1aIZsv33uPUqBBCXbYoQJwt7mxPftHmNlGoOSMxR_3thmXTCm4US-xiNOyhbm8afKK64jU6_TPtQHiJe\
        QJxz9G3Tx-083B745_AfYOnlC9w";
    const SECOND: &str = "ARcVLnaJJaUWG8fG-8t5BREVAuTY8n8YHjwDO1muhcdCoFZFFjfISu0Cdkn9Ybdlmi54ho0x924DUz8sK7ZXkhc7AFM8ObLfTv\
        NCrqcI3Jkl2U5IX3utNhODH6v7xgy1Qahsn0fyb4zSAkje8bAWz4vIfj5pCMYxxm4fgV3q7ZYhm5eD";

    // Section 4.6: the key id is not protected. The flattened and the general form.
    const SIGNATURE: &str = "bWUSVaxorn7bEF1djytBd0kHv70Ly5pvbomzMWSOr20";
    let parts = format!(
        r#""protected":"eyJhbGciOiJIUzI1NiJ9","header":{{"kid":"{HMAC_KEY_ID}"}},"signature":"{SIGNATURE}""#
    );
    let (flattened, general) = (
        format!(r#"{{"payload":"{PAYLOAD}",{parts}}}"#),
        format!(r#"{{"payload":"{PAYLOAD}","signatures":[{{{parts}}}]}}"#),
    );
    refused(&flattened, &VerifyError::NotAToken);
    refused(&general, &VerifyError::NotAToken);
    assert_eq!(only.verify_flattened(&flattened).unwrap().payload(), CONTENT.as_bytes());
    assert_eq!(named.verify_flattened(&flattened).unwrap_err(), VerifyError::UnknownKey);
    let is_general = VerifyError::InvalidMember { name: "signatures" };
    assert_eq!(only.verify_flattened(&general).unwrap_err(), is_general);

    // Section 4.7: the whole header is unprotected.
    const CONTENT_ONLY: &str = "xuLifqLGiblpv9zBpuZczWhNj1gARaLV3UxvxhJxZuk";
    let parts = format!(r#""header":{{"alg":"HS256","kid":"{HMAC_KEY_ID}"}},"signature":"{CONTENT_ONLY}""#);
    let flattened = format!(r#"{{"payload":"{PAYLOAD}",{parts}}}"#);
    refused(&flattened, &VerifyError::NotAToken);
    let unprotected = VerifyError::UnprotectedParameter { name: "alg" };
    assert_eq!(only.verify_flattened(&flattened).unwrap_err(), unprotected);
    // In the compact form, this token has an empty header.
    refused(
        &format!(".{PAYLOAD}.{CONTENT_ONLY}"),
        &VerifyError::InvalidJson { part: Part::Header, offset: 0 },
    );

    // Section 4.8: three signatures. The third is that of section 4.4. The key ids of the others contain the two dots of a
    // compact token.
    let general = format!(
        r#"{{"payload":"{PAYLOAD}","signatures":[{{"protected":"eyJhbGciOiJSUzI1NiJ9","header":{{"kid":"bilbo.baggins@hobbiton.example"}},"signature":"{FIRST}"}},{{"header":{{"alg":"ES512","kid":"bilbo.baggins@hobbiton.example"}},"signature":"{SECOND}"}},{{"protected":"{HS256_HEADER}","signature":"{HS256_SIGNATURE}"}}]}}"#
    );
    refused(&general, &VerifyError::InvalidBase64 { part: Part::Header, offset: 0 });
    assert_eq!(only.verify_flattened(&general).unwrap_err(), is_general);
}
