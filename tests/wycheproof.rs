//! Runs Project Wycheproof's test vectors through the public API: JWS tokens, and the primitives.
//!
//! `cargo test --test wycheproof -- --nocapture` prints the counts.
#![cfg(feature = "rsa-verify")]

mod util;

use core::fmt;
use countersign::jwk::{Jwk, JwkError};
use countersign::{
    Algorithm, HmacKey, KeyError, KeySet, PublicKey, SecretBytes, Unverified, VerifyKey, VerifyingKey, jws,
};
use serde_json::Value;
use std::collections::BTreeMap;
use util::over_each_backend;
use wycheproof_ng_core::{HashFunction, TestResult};
use wycheproof_ng_kdf_jose::json_web;
use wycheproof_ng_rsa_signature::{rsa_pkcs1_verify, rsa_pss_verify};
use wycheproof_ng_symmetric::mac;

/// The algorithms that a key of a set may be for.
const ALGORITHMS: [Algorithm; 12] = [
    Algorithm::Hs256,
    Algorithm::Hs384,
    Algorithm::Hs512,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
];

/// Cases with a wrong label, and why it is wrong.
const WRONG_SIGNATURE: [(usize, &str); 8] = [
    // RFC 7517 section 4.4: `alg` names the algorithm that the key is for.
    (346, "the JWK is for PS256, the token has PS384, labelled valid"),
    (347, "the JWK is for ES521, which does not exist, labelled valid"),
    (350, "the JWK is for PS256, the token has PS384, labelled valid"),
    (351, "the JWK is for ES521, which does not exist, labelled valid"),
    // The token and the key are exactly those of case 357, which is labelled valid.
    (367, "the same token as the valid case 357, labelled invalid"),
    (370, "the same token as the valid case 357, labelled invalid"),
    // RFC 7515 section 2: base64url, without any additional characters.
    (372, "holds a question mark, which is not base64url, labelled valid"),
    (373, "holds a question mark, which is not base64url, labelled valid"),
];
/// Cases of a set that holds a secret and a public key. Each key is good, and the token is of the secret. This file reads the
/// set, and a `KeySet` takes both.
const MIXED_KEY: [(usize, &str); 1] = [(1, "the set holds a secret and a public key, labelled invalid")];
const MIXED_CRYPTO: [(usize, &str); 1] = [(47, "the set holds a secret and a public key, labelled invalid")];

#[test]
fn json_web_signature() {
    let counts = run(json_web::TestName::JsonWebSignature, &WRONG_SIGNATURE);
    println!("json_web_signature: {counts}; {} exceptions", WRONG_SIGNATURE.len());
    assert_eq!(counts.all(), 401);
}

#[test]
fn json_web_key() {
    let counts = run(json_web::TestName::JsonWebKey, &MIXED_KEY);
    println!("json_web_key: {counts}; {} exception", MIXED_KEY.len());
    assert_eq!(counts.all(), 26);
    // `use` is "enc"; `alg` is for encryption or does not exist; coordinates of P-256 for P-384; an RSA key without numbers.
    for code in ["jwk_not_allowed", "jwk_unsupported_value", "jwk_wrong_length", "jwk_missing_member"] {
        assert!(counts.by_their_key.contains_key(code), "{code}");
    }
}

#[test]
fn json_web_crypto() {
    let counts = run(json_web::TestName::JsonWebCrypto, &MIXED_CRYPTO);
    println!("json_web_crypto: {counts}; {} exception", MIXED_CRYPTO.len());
    assert_eq!(counts.all(), 83);
}

/// Reads the private half of each key of the three sets.
#[cfg(all(feature = "rsa", feature = "ecdsa"))]
#[test]
fn json_web_private_keys() {
    use countersign::PrivateKey;
    let (mut read, mut refused) = (0, BTreeMap::<&str, usize>::new());
    for name in [
        json_web::TestName::JsonWebSignature,
        json_web::TestName::JsonWebKey,
        json_web::TestName::JsonWebCrypto,
    ] {
        for group in json_web::TestSet::load(name).unwrap().test_groups {
            let (Some(private), Some(public)) = (group.private_key, group.public_key) else { continue };
            for (private, public) in jwks(&private).iter().zip(jwks(&public)) {
                let text = private.to_string();
                match PrivateKey::from_jwk(&text) {
                    Ok(key) => {
                        assert!(key.matches_jwk(&public.to_string()), "{}", group.group_comment);
                        let written = key.to_private_jwk().unwrap();
                        let again = PrivateKey::from_jwk(written.expose_secret_text().unwrap()).unwrap();
                        assert!(again.matches_jwk(&public.to_string()));
                        read += 1;
                    }
                    Err(error) => {
                        // The public half is refused, too, except where only the private half is wrong.
                        let same = PublicKey::from_jwk(&public.to_string()).err() == Some(error.clone());
                        assert!(same || error.code() == "jwk_mismatch", "{error} {}", group.group_comment);
                        *refused.entry(error.code()).or_default() += 1;
                    }
                }
            }
        }
    }
    println!("private keys: {read} read, refused: {refused:?}");
    assert!(read > 0 && refused.contains_key("roca") && refused.contains_key("jwk_mismatch"));
}

#[cfg(all(feature = "rsa", feature = "ecdsa"))]
trait Matches {
    fn matches_jwk(&self, public: &str) -> bool;
}

#[cfg(all(feature = "rsa", feature = "ecdsa"))]
impl Matches for countersign::PrivateKey {
    fn matches_jwk(&self, public: &str) -> bool {
        let public = PublicKey::from_jwk(public).unwrap();
        match self.public_key() {
            // P-521 is in a feature of its own.
            Err(KeyError::UnsupportedByBackend) => true,
            computed => computed.unwrap() == public,
        }
    }
}

#[derive(Default)]
struct Counts {
    accepted: usize,
    refused: usize,
    /// The cases that are refused because they have no key, by the code of the error.
    by_their_key: BTreeMap<&'static str, usize>,
    /// The cases that this crate or this build does not support.
    unsupported: BTreeMap<&'static str, usize>,
}

impl Counts {
    fn all(&self) -> usize {
        self.accepted
            + self.refused
            + self.by_their_key.values().sum::<usize>()
            + self.unsupported.values().sum::<usize>()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, refused, by_their_key, unsupported } = self;
        write!(
            f,
            "{accepted} accepted, {refused} refused, no wrong accept; refused by their key: {by_their_key:?}; "
        )?;
        write!(f, "not supported: {unsupported:?}")
    }
}

/// Checks every case of a set against its label, or against the opposite if it is an exception.
fn run(name: json_web::TestName, exceptions: &[(usize, &str)]) -> Counts {
    let mut exceptions: BTreeMap<usize, &str> = exceptions.iter().copied().collect();
    let mut counts = Counts::default();
    for group in json_web::TestSet::load(name).unwrap().test_groups {
        let keys = jwks(&group.public_key.or(group.private_key).unwrap());
        for test in group.tests {
            let is_encrypted = test.jwe.is_some();
            let text = match test.jws.or(test.jwe).unwrap() {
                Value::String(text) => text,
                // A JSON serialisation. Our verifiers must refuse it.
                other => other.to_string(),
            };
            let labelled = test.result == TestResult::Valid;
            let expected = if exceptions.remove(&test.tc_id).is_some() { !labelled } else { labelled };
            let case = format!("case {}: {}", test.tc_id, test.comment);
            match key_set(&keys) {
                Ok(set) => check(set, &text, expected, &case, &mut counts),
                Err(_) if is_encrypted => *counts.unsupported.entry("encrypted").or_default() += 1,
                Err(KeyError::UnsupportedByBackend) => {
                    *counts.unsupported.entry("unsupported_by_backend").or_default() += 1;
                }
                Err(error) => {
                    assert!(!expected, "{case}: {error}");
                    *counts.by_their_key.entry(error.code()).or_default() += 1;
                }
            }
        }
    }
    // Without its feature, ECDSA is not supported, so a case may not need its exception.
    assert!(
        exceptions.is_empty() || cfg!(not(feature = "ecdsa")),
        "an exception that no case needs: {exceptions:?}"
    );
    counts
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

/// Makes a key set of these JWKs. A key without `alg` is for each algorithm of its type. The error is why a key is refused.
fn key_set(jwks: &[Value]) -> Result<KeySet, KeyError> {
    let mut keys = KeySet::new();
    for jwk in jwks {
        let text = jwk.to_string();
        let jwk = Jwk::parse(&text)?;
        let (mut refusal, mut count) = (None, 0);
        for algorithm in ALGORITHMS {
            let made = match jwk.key_type() {
                "oct" => jwk.hmac_key(algorithm).and_then(|key| keys.insert(key)),
                _ => jwk.verifying_key(algorithm).and_then(|key| keys.insert(key)),
            };
            match made {
                Ok(()) => count += 1,
                Err(KeyError::DuplicateKey) => return Err(KeyError::DuplicateKey),
                // The key is for another algorithm, or of another type.
                Err(
                    KeyError::WrongKeyType { .. } | KeyError::Jwk(JwkError::NotAllowed { member: "alg" }),
                ) => {}
                Err(error) => refusal = refusal.or(Some(error)),
            }
        }
        match refusal {
            Some(error) if count == 0 => return Err(error),
            _ => {}
        }
    }
    Ok(keys)
}

#[test]
fn hmac() {
    use mac::TestName::{HmacSha256, HmacSha384, HmacSha512};
    for (algorithm, name, bits) in [
        (Algorithm::Hs256, HmacSha256, 256),
        (Algorithm::Hs384, HmacSha384, 384),
        (Algorithm::Hs512, HmacSha512, 512),
    ] {
        let (mut accepted, mut refused) = (0, 0);
        for group in mac::TestSet::load(name).unwrap().test_groups {
            for test in group.tests {
                let secret = SecretBytes::from_bytes(&test.key);
                let key = HmacKey::with_weak_secret(algorithm, &secret).unwrap();
                let verdict = key.verify_bytes(&test.msg, &test.tag);
                // RFC 7518 section 3.2 requires the whole output. Truncated tags are another algorithm.
                let whole = group.tag_size == bits;
                assert_eq!(verdict.is_ok(), test.result == TestResult::Valid && whole, "case {}", test.tc_id);
                if verdict.is_ok() {
                    accepted += 1;
                } else {
                    refused += 1;
                }
                assert_eq!(HmacKey::new(algorithm, &secret).is_ok(), test.key.len() * 8 >= bits);
            }
        }
        println!("hmac_sha{bits}: {accepted} accepted, {refused} refused (truncated tags among them)");
        assert!(accepted > 0 && refused > 0);
    }
}

over_each_backend! { "rsa-verify" =>
    #[test]
    fn rsa_pkcs1() {
        use rsa_pkcs1_verify::TestName as Name;
        for (name, algorithm) in [
            (Name::Rsa2048Sha256, Algorithm::Rs256),
            (Name::Rsa3072Sha256, Algorithm::Rs256),
            (Name::Rsa4096Sha256, Algorithm::Rs256),
            (Name::Rsa8192Sha256, Algorithm::Rs256),
            (Name::Rsa2048Sha384, Algorithm::Rs384),
            (Name::Rsa3072Sha384, Algorithm::Rs384),
            (Name::Rsa4096Sha384, Algorithm::Rs384),
            (Name::Rsa8192Sha384, Algorithm::Rs384),
            (Name::Rsa2048Sha512, Algorithm::Rs512),
            (Name::Rsa3072Sha512, Algorithm::Rs512),
            (Name::Rsa4096Sha512, Algorithm::Rs512),
            (Name::Rsa8192Sha512, Algorithm::Rs512),
        ] {
            let mut counts = RsaCounts::default();
            for group in rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
                // Some groups have a small exponent, which needs `any_exponent`.
                let key = verifies_by(&PublicKey::from_pem(&group.pem).unwrap().any_exponent(), algorithm).unwrap();
                match verifying_der(&group.der) {
                    Ok(again) => assert!(key.public_key() == again.public_key()),
                    Err(error) => assert_eq!(error, KeyError::Exponent),
                }
                for test in group.tests {
                    // "Acceptable" means a DigestInfo without its NULL. RFC 8017 allows a verifier to refuse it, and ours does.
                    let valid = test.result == TestResult::Valid;
                    counts.check(&key, &test.msg, &test.sig, valid, test.tc_id);
                }
            }
            counts.print(&format!("{name:?}"));
        }
    }

    #[test]
    fn rsa_pss() {
        use rsa_pss_verify::TestName as Name;
        for (name, algorithm) in [
            (Name::RsaPss2048Sha256Mgf1SaltLen32, Algorithm::Ps256),
            (Name::RsaPss3072Sha256Mgf1SaltLen32, Algorithm::Ps256),
            (Name::RsaPss4096Sha256Mgf1SaltLen32, Algorithm::Ps256),
            (Name::RsaPss2048Sha384Mgf1SaltLen48, Algorithm::Ps384),
            (Name::RsaPss4096Sha384Mgf1SaltLen48, Algorithm::Ps384),
            (Name::RsaPss4096Sha512Mgf1SaltLen64, Algorithm::Ps512),
            // These have other salts, other hashes inside MGF1, and many modulus lengths, such as 2049 bits.
            (Name::RsaPss2048Sha256Mgf1SaltLen0, Algorithm::Ps256),
            (Name::RsaPss2048Sha256Mgf1Sha1_20, Algorithm::Ps256),
            (Name::RsaPss4096Sha512Mgf1SaltLen32, Algorithm::Ps512),
            (Name::RsaPssmisc, Algorithm::Ps256),
            (Name::RsaPssmisc, Algorithm::Ps384),
            (Name::RsaPssmisc, Algorithm::Ps512),
        ] {
            let (bits, function) = match algorithm {
                Algorithm::Ps256 => (256, HashFunction::Sha2_256),
                Algorithm::Ps384 => (384, HashFunction::Sha2_384),
                _ => (512, HashFunction::Sha2_512),
            };
            let mut counts = RsaCounts::default();
            for group in rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
                let public = match PublicKey::from_pem(&group.pem) {
                    Err(KeyError::ModulusTooSmall { .. }) => continue,
                    public => public.unwrap(),
                };
                let public = public.any_exponent();
                if !takes(&public) {
                    assert_eq!(verifies_by(&public, algorithm).unwrap_err(), KeyError::UnsupportedByBackend);
                    continue;
                }
                let key = verifies_by(&public, algorithm).unwrap();
                // RFC 7518 section 3.5 requires the same hash in MGF1 and a salt of its length.
                let ours = group.hash == function
                    && group.mgf_hash == Some(function)
                    && group.salt_size * 8 == bits;
                for test in group.tests {
                    let valid = test.result == TestResult::Valid;
                    // An invalid signature in a group with other parameters may have been made with ours.
                    if valid || ours {
                        counts.check(&key, &test.msg, &test.sig, valid && ours, test.tc_id);
                    }
                }
            }
            counts.print(&format!("{name:?} as {algorithm}"));
        }
    }
}

#[derive(Default)]
struct RsaCounts {
    accepted: usize,
    refused: usize,
}

impl RsaCounts {
    fn check(&mut self, key: &VerifyingKey, message: &[u8], signature: &[u8], valid: bool, case: usize) {
        assert_eq!(key.verify_bytes(message, signature).is_ok(), valid, "case {case}");
        let count = if valid { &mut self.accepted } else { &mut self.refused };
        *count += 1;
    }

    fn print(&self, name: &str) {
        println!("{name}: {} accepted, {} refused", self.accepted, self.refused);
        assert!(self.refused > 0, "{name}");
    }
}
