//! Runs Project Wycheproof's test vectors through the public API: JWS tokens, and the primitives.
//!
//! `cargo test --test wycheproof -- --nocapture` prints the counts.
#![cfg(feature = "rsa-verify")]

mod util;

use core::fmt;
use countersign::{HmacKey, KeyError, KeySet, SecretBytes, Unverified, VerifyKey, jws};
use serde_json::Value;
use std::collections::BTreeMap;
use util::{over_each_backend, unb64};
use wycheproof_ng_core::TestResult;
use wycheproof_ng_kdf_jose::json_web;
use wycheproof_ng_rsa_signature::rsa_pkcs1_verify;
use wycheproof_ng_symmetric::mac;

/// Cases of `json_web_signature` with a wrong label, and why it is wrong.
///
/// Eight labels of that set are wrong. These are four of them. The other four cases need algorithms that this crate does not
/// have, so they are refused. They are counted under the `alg` of their JWK:
///
/// - 346 and 350: the JWK is for PS256, the token has PS384, labelled valid.
/// - 347 and 351: the JWK is for "ES521", which does not exist, the token has ES512, labelled valid.
const EXCEPTIONS: [(usize, &str); 4] = [
    // The token and the key are exactly those of case 357, which is labelled valid.
    (367, "the same token as the valid case 357, labelled invalid"),
    (370, "the same token as the valid case 357, labelled invalid"),
    // RFC 7515 section 2: base64url, without any additional characters.
    (372, "holds a question mark, which is not base64url, labelled valid"),
    (373, "holds a question mark, which is not base64url, labelled valid"),
];

/// Cases with a token of HS256 or RS256 that is valid for the numbers of their key. Only the `use`, `key_ops` or `alg` of the
/// JWK forbid that key. This crate does not read JWKs. So a caller who makes a key from the numbers has to check these members
/// first, as [`added`] does. [`added`] refuses these cases, and not the crate.
const SAID_BY_THE_JWK_OF_A_SIGNATURE: [(usize, &str); 3] = [
    (332, "the JWK is for PS512, the token has RS256"),
    (353, "`use` is \"enc\""),
    (355, "`key_ops` is [\"encrypt\"]"),
];
const SAID_BY_THE_JWK_OF_A_KEY: [(usize, &str); 4] = [
    (1, "another key of the set is for ES256"),
    (6, "`use` is \"enc\", the JWK is for RSA1_5"),
    (25, "the JWK is for A256GCM"),
    (26, "the JWK is for A256KW"),
];
const SAID_BY_THE_JWK_OF_CRYPTO: [(usize, &str); 1] = [(47, "another key of the set is for ES256")];

#[test]
fn json_web_signature() {
    let name = json_web::TestName::JsonWebSignature;
    let counts = run(name, &EXCEPTIONS, &SAID_BY_THE_JWK_OF_A_SIGNATURE);
    println!("json_web_signature: {counts}; {} exceptions", EXCEPTIONS.len());
    assert_eq!(counts.all(), 401);
}

#[test]
fn json_web_key() {
    let counts = run(json_web::TestName::JsonWebKey, &[], &SAID_BY_THE_JWK_OF_A_KEY);
    println!("json_web_key: {counts}; no exceptions");
    assert_eq!(counts.all(), 26);
}

#[test]
fn json_web_crypto() {
    let counts = run(json_web::TestName::JsonWebCrypto, &[], &SAID_BY_THE_JWK_OF_CRYPTO);
    println!("json_web_crypto: {counts}; no exceptions");
    assert_eq!(counts.all(), 83);
}

#[derive(Default)]
struct Counts {
    accepted: usize,
    refused: usize,
    /// How many of the refused cases have no valid key: it is too short, can be factored, or is a duplicate in a set.
    by_their_key: usize,
    without_algorithm: BTreeMap<String, usize>,
    /// The cases that are refused only because of members of their JWK.
    by_the_jwk: Vec<usize>,
}

impl Counts {
    fn all(&self) -> usize {
        self.accepted + self.refused + self.without_algorithm.values().sum::<usize>() + self.by_the_jwk.len()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, refused, by_their_key, without_algorithm, by_the_jwk } = self;
        write!(f, "{accepted} accepted, {refused} refused ({by_their_key} by their key), no wrong accept; ")?;
        write!(f, "refused because of an unsupported algorithm: {without_algorithm:?}; ")?;
        write!(f, "refused by the reader of the JWK for its `use`, `key_ops` or `alg`: cases {by_the_jwk:?}")
    }
}

/// Checks every case of a set against its label, or against the opposite if it is an exception.
fn run(name: json_web::TestName, exceptions: &[(usize, &str)], said_by_the_jwk: &[(usize, &str)]) -> Counts {
    let mut exceptions: BTreeMap<usize, &str> = exceptions.iter().copied().collect();
    let mut said_by_the_jwk: BTreeMap<usize, &str> = said_by_the_jwk.iter().copied().collect();
    let mut counts = Counts::default();
    for group in json_web::TestSet::load(name).unwrap().test_groups {
        let keys = jwks(&group.public_key.or(group.private_key).unwrap());
        for test in group.tests {
            let text = match test.jws.or(test.jwe).unwrap() {
                Value::String(text) => text,
                // A JSON serialisation. Our verifiers must refuse it.
                other => other.to_string(),
            };
            let labelled = test.result == TestResult::Valid;
            let expected = if exceptions.remove(&test.tc_id).is_some() { !labelled } else { labelled };
            let case = format!("case {}: {}", test.tc_id, test.comment);
            match key_set(&keys) {
                Ok(Ok(set)) => check(set, &text, expected, &case, &mut counts),
                Ok(Err(error)) => {
                    assert!(!expected, "{case}: {error}");
                    counts.refused += 1;
                    counts.by_their_key += 1;
                }
                Err(algorithm) => {
                    // The keys that we support must not accept the token either: neither another key, nor a key that is made
                    // from these numbers without regard to the other members.
                    let other =
                        jws::MessageVerifier::new(HmacKey::hs256(&SecretBytes::from_bytes([7; 32])).unwrap());
                    assert!(other.verify(&text).is_err(), "{case}");
                    let taken =
                        keys.iter().filter_map(misread).any(|verifier| verifier.verify(&text).is_ok());
                    if said_by_the_jwk.remove(&test.tc_id).is_some() {
                        assert!(taken && !expected, "{case}: is refused for another reason than its JWK");
                        counts.by_the_jwk.push(test.tc_id);
                    } else {
                        assert!(!taken, "{case}");
                        *counts.without_algorithm.entry(algorithm).or_default() += 1;
                    }
                }
            }
        }
    }
    assert!(exceptions.is_empty(), "an exception that no case needs: {exceptions:?}");
    assert!(
        said_by_the_jwk.is_empty(),
        "no case that is refused only because of its JWK: {said_by_the_jwk:?}"
    );
    counts
}

/// Makes a verifier from the numbers of a JWK, if possible, without regard to its other members.
fn misread(jwk: &Value) -> Option<jws::MessageVerifier> {
    let member = |name: &str| jwk[name].as_str().unwrap_or_default();
    match member("kty") {
        "oct" => SecretBytes::from_base64url(member("k"))
            .and_then(|secret| HmacKey::hs256(&secret))
            .ok()
            .map(jws::MessageVerifier::new),
        "RSA" => {
            let (modulus, exponent) = (unb64(member("n")), unb64(member("e")));
            let key = util::pure::verifying_of(&modulus, &exponent);
            key.ok().map(jws::MessageVerifier::new)
        }
        _ => None,
    }
}

fn check(keys: KeySet, text: &str, expected: bool, case: &str, counts: &mut Counts) {
    let verdict = jws::MessageVerifier::new(keys).verify(text);
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

/// Returns the keys of a JWK set, or the single key.
fn jwks(value: &Value) -> Vec<Value> {
    value["keys"].as_array().cloned().unwrap_or_else(|| vec![value.clone()])
}

/// Makes a key set. `Ok(Err(_))` is the reason why a key is refused, `Err` names an unsupported algorithm.
fn key_set(jwks: &[Value]) -> Result<Result<KeySet, KeyError>, String> {
    jwks.iter().try_fold(Ok(KeySet::new()), |keys, jwk| match keys {
        Ok(keys) => added(keys, jwk),
        Err(error) => Ok(Err(error)),
    })
}

/// Adds the key of a JWK, with its `kid`.
fn added(mut keys: KeySet, jwk: &Value) -> Result<Result<KeySet, KeyError>, String> {
    let member = |name: &str| jwk[name].as_str().unwrap_or_default();
    let kid = jwk["kid"].as_str();
    let inserted = match (member("kty"), member("alg")) {
        ("oct", "HS256") => SecretBytes::from_base64url(member("k"))
            .and_then(|secret| HmacKey::hs256(&secret))
            .and_then(|key| kid.map_or(Ok(key.clone()), |kid| key.with_key_id(kid)))
            .and_then(|key| keys.insert(key)),
        ("RSA", "RS256") => util::pure::verifying_of(&unb64(member("n")), &unb64(member("e")))
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
            let key = HmacKey::hs256_with_weak_secret(&SecretBytes::from_bytes(&test.key)).unwrap();
            let verdict = key.verify_bytes(&test.msg, &test.tag);
            // RFC 7518 section 3.2 requires the whole output. Truncated tags are another algorithm.
            let whole = group.tag_size == 256;
            assert_eq!(verdict.is_ok(), test.result == TestResult::Valid && whole, "case {}", test.tc_id);
            if verdict.is_ok() {
                accepted += 1;
            } else {
                refused += 1;
            }
            assert_eq!(HmacKey::hs256(&SecretBytes::from_bytes(&test.key)).is_ok(), test.key.len() >= 32);
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
                // Some groups have a small exponent, which needs `any_exponent`.
                let key = verifying_any_exponent(&group.pem).unwrap();
                match verifying_der(&group.der) {
                    Ok(again) => assert!(key.public_key() == again.public_key()),
                    Err(error) => assert_eq!(error, KeyError::Exponent),
                }
                for test in group.tests {
                    let verdict = key.verify_bytes(&test.msg, &test.sig);
                    // "Acceptable" means a DigestInfo without its NULL. RFC 8017 allows a verifier to refuse it, and ours does.
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
