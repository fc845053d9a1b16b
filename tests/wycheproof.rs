//! Project Wycheproof's vectors through the public face: JWS tokens, and the primitives below them.
//!
//! `cargo test --test wycheproof -- --nocapture` prints the counts.
#![cfg(feature = "rsa-verify")]

mod util;

use core::fmt;
use countersign::{Hs256Key, KeyError, KeySet, Unverified, VerifyKey, jws};
use serde_json::Value;
use std::collections::BTreeMap;
use util::{over_each_backend, unb64};
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

#[test]
fn json_web_signature() {
    let mut counts = Counts::default();
    let mut exceptions: BTreeMap<usize, &str> = EXCEPTIONS.into();
    run(json_web::TestName::JsonWebSignature, &mut exceptions, &mut counts);
    assert!(exceptions.is_empty(), "an exception that no case needs: {exceptions:?}");
    println!("json_web_signature: {counts}; {} exceptions", EXCEPTIONS.len());
    assert_eq!(counts.all(), 401);
}

#[test]
fn json_web_key() {
    let mut counts = Counts::default();
    run(json_web::TestName::JsonWebKey, &mut BTreeMap::new(), &mut counts);
    println!("json_web_key: {counts}; no exceptions");
    assert_eq!(counts.all(), 26);
}

#[test]
fn json_web_crypto() {
    let mut counts = Counts::default();
    run(json_web::TestName::JsonWebCrypto, &mut BTreeMap::new(), &mut counts);
    println!("json_web_crypto: {counts}; no exceptions");
    assert_eq!(counts.all(), 83);
}

#[derive(Default)]
struct Counts {
    accepted: usize,
    refused: usize,
    /// Of these, the ones of which no key could be made: too short, factored, twice in a set.
    by_their_key: usize,
    without_algorithm: BTreeMap<String, usize>,
}

impl Counts {
    fn all(&self) -> usize {
        self.accepted + self.refused + self.without_algorithm.values().sum::<usize>()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, refused, by_their_key, without_algorithm } = self;
        write!(f, "{accepted} accepted, {refused} refused ({by_their_key} by their key), no wrong accept; ")?;
        write!(f, "of algorithms not here, and refused: {without_algorithm:?}")
    }
}

/// Checks every case of a set against its label, or against the opposite if it is an exception.
fn run(name: json_web::TestName, exceptions: &mut BTreeMap<usize, &str>, counts: &mut Counts) {
    for group in json_web::TestSet::load(name).unwrap().test_groups {
        let keys = jwks(&group.public_key.or(group.private_key).unwrap());
        for test in group.tests {
            let text = match test.jws.or(test.jwe).unwrap() {
                Value::String(text) => text,
                // JSON serialisation: no verifier of ours takes it, but it may try.
                other => other.to_string(),
            };
            let labelled = test.result == TestResult::Valid;
            let expected = if exceptions.remove(&test.tc_id).is_some() { !labelled } else { labelled };
            let case = format!("case {}: {}", test.tc_id, test.comment);
            match key_set(&keys) {
                Ok(Ok(set)) => check(set, &text, expected, &case, counts),
                Ok(Err(error)) => {
                    assert!(!expected, "{case}: {error}");
                    counts.refused += 1;
                    counts.by_their_key += 1;
                }
                Err(algorithm) => {
                    *counts.without_algorithm.entry(algorithm).or_default() += 1;
                    // A key that we do have must not take the token either.
                    let other = jws::Verifier::new(Hs256Key::from_bytes([7; 32]).unwrap());
                    assert!(other.verify(&text).is_err(), "{case}");
                }
            }
        }
    }
}

fn check(keys: KeySet, text: &str, expected: bool, case: &str, counts: &mut Counts) {
    let verdict = jws::Verifier::new(keys).verify(text);
    assert_eq!(verdict.is_ok(), expected, "{case}: {:?}", verdict.err());
    match verdict {
        Ok(message) => {
            counts.accepted += 1;
            let payload = Unverified::parse(text).unwrap().unverified_payload().unwrap();
            assert_eq!(message.payload(), payload);
        }
        Err(_) => counts.refused += 1,
    }
}

/// The keys of a JWK set, or the one key.
fn jwks(value: &Value) -> Vec<Value> {
    value["keys"].as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

/// `Ok(Err(_))` says why there is none, `Err` which algorithm is not here.
fn key_set(jwks: &[Value]) -> Result<Result<KeySet, KeyError>, String> {
    jwks.iter().try_fold(Ok(KeySet::new()), |keys, jwk| match keys {
        Ok(keys) => added(keys, jwk),
        Err(error) => Ok(Err(error)),
    })
}

/// With the key of a JWK, under its name.
fn added(mut keys: KeySet, jwk: &Value) -> Result<Result<KeySet, KeyError>, String> {
    let member = |name: &str| jwk[name].as_str().unwrap_or_default();
    let kid = jwk["kid"].as_str();
    let inserted = match (member("kty"), member("alg")) {
        ("oct", "HS256") => Hs256Key::from_base64url(member("k"))
            .and_then(|key| kid.map_or(Ok(key.clone()), |kid| key.with_key_id(kid)))
            .and_then(|key| keys.insert(key)),
        ("RSA", "RS256") => countersign::Rs256VerifyingKey::from_modulus_and_exponent(
            &unb64(member("n")),
            &unb64(member("e")),
        )
        .and_then(|key| kid.map_or(Ok(key.clone()), |kid| key.with_key_id(kid)))
        .and_then(|key| keys.insert(key)),
        (kty, "") => return Err(format!("{kty} without alg")),
        (_, alg) => return Err(alg.to_owned()),
    };
    Ok(inserted.map(|()| keys))
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

over_each_backend! { "rsa-verify" =>
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
}
