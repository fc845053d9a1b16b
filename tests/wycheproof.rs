//! Runs Project Wycheproof's test vectors through the public API: JWS tokens, and the primitives.
//!
//! `cargo test --test wycheproof -- --nocapture` prints the counts.
#![cfg(feature = "rsa-verify")]

mod util;

use core::fmt;
use countersign::{
    Algorithm, HmacKey, KeyError, KeySet, PublicKey, SecretBytes, Unverified, VerifyKey, VerifyingKey, jws,
};
use serde_json::Value;
use std::collections::BTreeMap;
use util::{over_each_backend, unb64};
use wycheproof_ng_core::{HashFunction, TestResult};
use wycheproof_ng_kdf_jose::json_web;
use wycheproof_ng_rsa_signature::{rsa_pkcs1_verify, rsa_pss_verify};
use wycheproof_ng_symmetric::mac;

/// Cases of `json_web_signature` with a wrong label, and why it is wrong.
///
/// Eight labels of that set are wrong. These are six of them. The other two cases need an algorithm that this crate does not
/// have, so they are refused. They are counted under the `alg` of their JWK: 347 and 351, where the JWK is for "ES521", which
/// does not exist, and the token has ES512, labelled valid.
const EXCEPTIONS: [(usize, &str); 6] = [
    // RFC 7517 section 4.4: `alg` names the algorithm that the key is for.
    (346, "the JWK is for PS256, the token has PS384, labelled valid"),
    (350, "the JWK is for PS256, the token has PS384, labelled valid"),
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
const SAID_BY_THE_JWK_OF_A_SIGNATURE: [(usize, &str); 2] =
    [(353, "`use` is \"enc\""), (355, "`key_ops` is [\"encrypt\"]")];
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
        ("oct", alg @ ("HS256" | "HS384" | "HS512")) => SecretBytes::from_base64url(member("k"))
            .and_then(|secret| HmacKey::new(alg.parse()?, &secret))
            .and_then(|key| kid.map_or(Ok(key.clone()), |kid| key.with_key_id(kid)))
            .and_then(|key| keys.insert(key)),
        ("RSA", alg) if alg.parse::<Algorithm>().is_ok() => {
            PublicKey::from_modulus_and_exponent(&unb64(member("n")), &unb64(member("e")))
                .and_then(|public| public.verifying_key(alg.parse()?))
                .and_then(|key| kid.map_or(Ok(key.clone()), |kid| key.with_key_id(kid)))
                .and_then(|key| keys.insert(key))
        }
        (kty, "") => return Err(format!("{kty} without alg")),
        (_, alg) => return Err(alg.to_owned()),
    };
    Ok(inserted.map(|()| keys))
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
