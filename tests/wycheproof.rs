//! Project Wycheproof's vectors through the public face: JWS tokens, and the primitives below them.
//!
//! `cargo test --test wycheproof -- --nocapture` prints the counts.
#![cfg(feature = "rsa")]

use countersign::{Hs256Key, KeyError, Rs256VerifyingKey, Unverified, VerifyKey, jws};
use serde_json::Value;
use std::collections::BTreeMap;
use wycheproof_ng_core::TestResult;
use wycheproof_ng_kdf_jose::json_web;
use wycheproof_ng_rsa_signature::rsa_pkcs1_verify;
use wycheproof_ng_symmetric::mac;

/// Cases of `json_web_signature` whose label we do not follow, and why.
const EXCEPTIONS: [(usize, &str); 4] = [
    // The token is the one of case 357, byte for byte, under the same key, and that one is labelled valid.
    (367, "the same token as the valid case 357, labelled invalid"),
    (370, "the same token as the valid case 357, labelled invalid"),
    // RFC 7515 section 2: base64url, without any additional characters.
    (372, "holds a question mark, which is not base64url, labelled valid"),
    (373, "holds a question mark, which is not base64url, labelled valid"),
];

#[derive(Default)]
struct Counts {
    accepted: usize,
    refused: usize,
    without_algorithm: BTreeMap<String, usize>,
}

#[test]
fn json_web_signature() {
    let set = json_web::TestSet::load(json_web::TestName::JsonWebSignature).unwrap();
    let mut counts = Counts::default();
    let mut exceptions: BTreeMap<usize, &str> = EXCEPTIONS.into();
    for group in set.test_groups {
        let key = group.public_key.or(group.private_key).unwrap();
        for test in group.tests {
            let text = match test.jws.unwrap() {
                Value::String(text) => text,
                // JSON serialisation: no verifier of ours takes it, but it may try.
                other => other.to_string(),
            };
            let verdict = match verifier(&key) {
                Ok(verifier) => verifier.verify(&text).map_err(|error| error.code().to_owned()),
                Err(algorithm) => {
                    *counts.without_algorithm.entry(algorithm).or_default() += 1;
                    // No key of ours can be made of it; one that we do have must not take the token either.
                    let other = jws::Verifier::new(Hs256Key::from_bytes([7; 32]).unwrap());
                    assert!(other.verify(&text).is_err(), "case {}", test.tc_id);
                    continue;
                }
            };
            let labelled = test.result == TestResult::Valid;
            let expected = if exceptions.remove(&test.tc_id).is_some() { !labelled } else { labelled };
            assert_eq!(
                verdict.is_ok(),
                expected,
                "case {}: {}: {:?}",
                test.tc_id,
                test.comment,
                verdict.err()
            );
            match verdict {
                Ok(message) => {
                    counts.accepted += 1;
                    let payload = Unverified::parse(&text).unwrap().unverified_payload().unwrap();
                    assert_eq!(message.payload(), payload);
                }
                Err(_) => counts.refused += 1,
            }
        }
    }
    assert!(exceptions.is_empty(), "an exception that no case needs: {exceptions:?}");
    println!(
        "json_web_signature: {} accepted, {} refused, no wrong accept; {} exceptions; of algorithms not here: {:?}",
        counts.accepted,
        counts.refused,
        EXCEPTIONS.len(),
        counts.without_algorithm
    );
    let all = counts.accepted + counts.refused + counts.without_algorithm.values().sum::<usize>();
    assert_eq!(all, 401);
}

/// A verifier with the JWK, or the algorithm that is not here.
fn verifier(key: &Value) -> Result<jws::Verifier, String> {
    let member = |name: &str| key[name].as_str().unwrap_or_default();
    match (member("kty"), member("alg")) {
        ("oct", "HS256") => Ok(jws::Verifier::new(Hs256Key::from_base64url(member("k")).unwrap())),
        ("RSA", "RS256") => {
            let key = Rs256VerifyingKey::from_modulus_and_exponent(&bytes(member("n")), &bytes(member("e")));
            Ok(jws::Verifier::new(key.unwrap()))
        }
        (kty, "") => Err(format!("{kty} without alg")),
        (_, alg) => Err(alg.to_owned()),
    }
}

/// base64url by way of the crate: the payload segment of a token.
fn bytes(text: &str) -> Vec<u8> {
    Unverified::parse(&format!(".{text}.")).unwrap().unverified_payload().unwrap()
}

#[test]
fn hmac_sha256() {
    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let (mut accepted, mut refused) = (0, 0);
    for group in set.test_groups {
        for test in group.tests {
            let key = Hs256Key::from_weak_bytes(&test.key).unwrap();
            let verdict = key.verify_bytes(&test.msg, &test.tag);
            // RFC 7518 section 3.2: the whole output; truncated tags are another algorithm.
            let whole = group.tag_size == 256;
            assert_eq!(verdict.is_ok(), test.result == TestResult::Valid && whole, "case {}", test.tc_id);
            if verdict.is_ok() {
                accepted += 1;
            } else {
                refused += 1;
            }
            assert_eq!(Hs256Key::from_bytes(&test.key).is_ok(), test.key.len() >= 32);
        }
    }
    println!("hmac_sha256: {accepted} accepted, {refused} refused (truncated tags among them)");
    assert!(accepted > 0 && refused > 0);
}

#[test]
fn rsa_pkcs1_sha256() {
    use rsa_pkcs1_verify::TestName::{Rsa2048Sha256, Rsa3072Sha256, Rsa4096Sha256, Rsa8192Sha256};
    for (name, bits) in
        [(Rsa2048Sha256, 2048), (Rsa3072Sha256, 3072), (Rsa4096Sha256, 4096), (Rsa8192Sha256, 8192)]
    {
        let set = rsa_pkcs1_verify::TestSet::load(name).unwrap();
        let (mut accepted, mut refused) = (0, 0);
        for group in set.test_groups {
            assert_eq!(group.key_size, bits);
            // Some groups have a small exponent, which has to be asked for.
            let key = Rs256VerifyingKey::from_pem_any_exponent(&group.pem).unwrap();
            match Rs256VerifyingKey::from_der(&group.der) {
                Ok(again) => assert_eq!(key.to_pem(), again.to_pem()),
                Err(error) => assert_eq!(error, KeyError::Exponent),
            }
            for test in group.tests {
                let verdict = key.verify_bytes(&test.msg, &test.sig);
                // "Acceptable" is a DigestInfo without its NULL: RFC 8017 lets a verifier be strict, and this one is.
                assert_eq!(
                    verdict.is_ok(),
                    test.result == TestResult::Valid,
                    "case {}: {}",
                    test.tc_id,
                    test.comment
                );
                if verdict.is_ok() {
                    accepted += 1;
                } else {
                    refused += 1;
                }
            }
        }
        println!("rsa_signature_{bits}_sha256: {accepted} accepted, {refused} refused");
        assert!(accepted > 0 && refused > 0);
    }
}
