//! ML-DSA keys: the vectors of RFC 9964, Project Wycheproof's, OpenSSL's, key files, and bad keys and signatures. What both
//! backends offer runs over both.
//!
//! `cargo test --test ml_dsa --features ml-dsa,aws-lc-rs -- --nocapture` prints the counts.
#![cfg(feature = "ml-dsa")]

mod util;

use countersign::jwk::{Jwk, JwkError};
use countersign::{
    Algorithm, Claims, Entropy, EntropyError, FileMistake, KeyError, KeySet, PrivateKey, PublicKey,
    SecretBytes, SignError, SignKey, SigningKey, Verifier, VerifyError, VerifyKey, VerifyingKey, jws,
};
use proptest::prelude::*;
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use util::{NOW, b64, later, unb64};
use wycheproof_ng_core::TestResult;
use wycheproof_ng_mldsa::{mldsa_sign, mldsa_verify};

const ALGORITHMS: [Algorithm; 3] = [Algorithm::MlDsa44, Algorithm::MlDsa65, Algorithm::MlDsa87];

/// The lengths of a public key, an expanded private key and a signature: FIPS 204 section 4, table 2.
fn lengths(algorithm: Algorithm) -> [usize; 3] {
    match algorithm {
        Algorithm::MlDsa44 => [1312, 2560, 2420],
        Algorithm::MlDsa65 => [1952, 4032, 3309],
        _ => [2592, 4896, 4627],
    }
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    match u16::try_from(content.len()).unwrap() {
        short @ ..0x80 => [&[tag, short as u8], content].concat(),
        middle @ 0x80..0x100 => [&[tag, 0x81, middle as u8], content].concat(),
        length => [&[tag, 0x82], &length.to_be_bytes()[..], content].concat(),
    }
}

/// The algorithm identifier of RFC 9881 section 2, with parameters if there are any.
fn identifier(algorithm: Algorithm, parameters: &[u8]) -> Vec<u8> {
    let last = match algorithm {
        Algorithm::MlDsa44 => 17,
        Algorithm::MlDsa65 => 18,
        _ => 19,
    };
    tlv(0x30, &[b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03", &[last][..], parameters].concat())
}

fn spki(algorithm: Algorithm, key: &[u8]) -> Vec<u8> {
    tlv(0x30, &[identifier(algorithm, &[]), tlv(3, &[&[0], key].concat())].concat())
}

/// PKCS#8 with this content.
fn pkcs8(algorithm: Algorithm, key: &[u8]) -> Vec<u8> {
    tlv(0x30, &[b"\x02\x01\0".to_vec(), identifier(algorithm, &[]), tlv(4, key)].concat())
}

/// PKCS#8 version 2 (RFC 5958), with the public key beside the private one.
fn pkcs8_with_public(algorithm: Algorithm, key: &[u8], public: &[u8]) -> Vec<u8> {
    let private = [b"\x02\x01\x01".to_vec(), identifier(algorithm, &[]), tlv(4, key)].concat();
    tlv(0x30, &[private, tlv(0x81, &[&[0], public].concat())].concat())
}

fn seed_alone(seed: &[u8]) -> Vec<u8> {
    tlv(0x80, seed)
}

fn seed_and_expanded(seed: &[u8], expanded: &[u8]) -> Vec<u8> {
    tlv(0x30, &[tlv(4, seed), tlv(4, expanded)].concat())
}

/// The key files of an algorithm that OpenSSL 3.5 wrote: seed and expanded key, seed, expanded key, and public key.
fn files(algorithm: Algorithm) -> [&'static str; 4] {
    macro_rules! files {
        ($name:literal) => {
            [
                include_str!(concat!("data/", $name, ".pem")),
                include_str!(concat!("data/", $name, "_seed.pem")),
                include_str!(concat!("data/", $name, "_expanded.pem")),
                include_str!(concat!("data/", $name, "_public.pem")),
            ]
        };
    }
    match algorithm {
        Algorithm::MlDsa44 => files!("ml_dsa_44"),
        Algorithm::MlDsa65 => files!("ml_dsa_65"),
        _ => files!("ml_dsa_87"),
    }
}

/// The seed and the expanded key in OpenSSL's file.
fn numbers(algorithm: Algorithm) -> [Vec<u8>; 2] {
    let file = util::der(files(algorithm)[0]);
    let [_, expanded, _] = lengths(algorithm);
    let (before, key) = file.split_at(file.len() - expanded);
    [before[before.len() - 36..before.len() - 4].to_vec(), key.to_vec()]
}

fn private(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::from_pem(files(algorithm)[0]).unwrap()
}

fn public(algorithm: Algorithm) -> PublicKey {
    PublicKey::from_pem(files(algorithm)[3]).unwrap()
}

/// The keys of each backend that verify with this algorithm.
fn verifiers(public: &PublicKey, algorithm: Algorithm) -> Vec<VerifyingKey> {
    vec![
        public.verifying_key(algorithm).unwrap(),
        #[cfg(feature = "aws-lc-rs")]
        countersign::aws_lc::verifying_key(public, algorithm).unwrap(),
    ]
}

/// The keys of each backend that sign with this algorithm, or why they do not.
fn try_signers(private: &PrivateKey, algorithm: Algorithm) -> Vec<Result<SigningKey, KeyError>> {
    vec![
        private.signing_key_with(algorithm, util::Counting),
        #[cfg(feature = "aws-lc-rs")]
        countersign::aws_lc::signing_key(private, algorithm),
    ]
}

fn signers(private: &PrivateKey, algorithm: Algorithm) -> Vec<SigningKey> {
    try_signers(private, algorithm).into_iter().map(Result::unwrap).collect()
}

/// Randomness that is always these bytes. Zeros make the deterministic variant of FIPS 204 section 3.4.
struct Fixed([u8; 32]);

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.copy_from_slice(&self.0);
        Ok(())
    }
}

fn deterministic(private: &PrivateKey, algorithm: Algorithm) -> SigningKey {
    private.signing_key_with(algorithm, Fixed([0; 32])).unwrap()
}

// ---- the vectors of others ----

#[test]
fn the_vectors_of_rfc_9964_verify_and_are_signed_again_to_the_same_bytes() {
    for (algorithm, text) in [
        (Algorithm::MlDsa44, include_str!("data/rfc9964/ML_DSA_44.jose.json")),
        (Algorithm::MlDsa65, include_str!("data/rfc9964/ML_DSA_65.jose.json")),
        (Algorithm::MlDsa87, include_str!("data/rfc9964/ML_DSA_87.jose.json")),
    ] {
        let vector: Value = serde_json::from_str(text).unwrap();
        let member = |name: &str| vector["jwk"][name].as_str().unwrap();
        assert_eq!((member("kty"), member("alg").parse()), ("AKP", Ok(algorithm)));
        let (token, kid) = (vector["jws"].as_str().unwrap(), member("kid"));

        let public = PublicKey::from_der(&spki(algorithm, &unb64(member("pub")))).unwrap();
        let mut payload = Vec::new();
        for key in verifiers(&public, algorithm) {
            let message = jws::MessageVerifier::new(key.with_key_id(kid).unwrap()).verify(token).unwrap();
            payload = message.payload().to_vec();
        }
        assert!(payload.starts_with("It’s a dangerous business, Frodo".as_bytes()), "{algorithm}");

        let seed = unb64(member("priv"));
        assert_eq!(seed.len(), 32);
        let private = PrivateKey::from_der(&pkcs8(algorithm, &seed_alone(&seed))).unwrap();
        assert!(private.public_key().unwrap() == public);
        let signer = deterministic(&private, algorithm).with_key_id(kid).unwrap();
        assert_eq!(jws::Payload::new(&payload).sign(&signer).unwrap(), token);
    }
}

// ---- JWKs ----

/// The JWKs of RFC 9964: the private one, and the public one without its private member.
fn jwks(algorithm: Algorithm) -> (Value, Value) {
    let text = match algorithm {
        Algorithm::MlDsa44 => include_str!("data/rfc9964/ML_DSA_44.jose.json"),
        Algorithm::MlDsa65 => include_str!("data/rfc9964/ML_DSA_65.jose.json"),
        _ => include_str!("data/rfc9964/ML_DSA_87.jose.json"),
    };
    let private = serde_json::from_str::<Value>(text).unwrap()["jwk"].take();
    let mut public = private.clone();
    public.as_object_mut().unwrap().remove("priv").unwrap();
    (private, public)
}

/// Returns a JWK with another value of one member, or without it.
fn with(jwk: &Value, member: &str, value: Option<Value>) -> String {
    let mut jwk = jwk.clone();
    match value {
        Some(value) => jwk[member] = value,
        None => drop(jwk.as_object_mut().unwrap().remove(member)),
    }
    jwk.to_string()
}

/// RFC 9964 section 3, and section 6 for the thumbprint.
#[test]
fn the_jwks_of_rfc_9964_are_read_and_written_again() {
    for algorithm in ALGORITHMS {
        let (private_jwk, public_jwk) = jwks(algorithm);
        let (private_text, public_text) = (private_jwk.to_string(), public_jwk.to_string());
        let kid = public_jwk["kid"].as_str().unwrap();

        let public = PublicKey::from_jwk(&public_text).unwrap();
        assert!(
            public
                == PublicKey::from_der(&spki(algorithm, &unb64(public_jwk["pub"].as_str().unwrap())))
                    .unwrap()
        );
        assert_eq!(public.thumbprint().unwrap().to_string(), kid);
        let key = Jwk::parse(&public_text).unwrap().verifying_key(algorithm).unwrap();
        assert_eq!((key.algorithm(), key.key_id()), (algorithm, Some(kid)));
        let mut written: Value = serde_json::from_str(&key.to_jwk().unwrap()).unwrap();
        assert_eq!(written.as_object_mut().unwrap().remove("use").unwrap(), "sig");
        assert_eq!(written, public_jwk);

        let error = PublicKey::from_jwk(&private_text).unwrap_err();
        assert_eq!(error, KeyError::Jwk(JwkError::PrivateMember { member: "priv" }));
        let private = PrivateKey::from_jwk(&private_text).unwrap();
        assert!(private.public_key().unwrap() == public);
        let stored = private.to_private_jwk().unwrap();
        let mut stored: Value = serde_json::from_str(stored.expose_secret_text().unwrap()).unwrap();
        stored["kid"] = kid.into();
        assert_eq!(stored, private_jwk);
        let signer = Jwk::parse(&private_text).unwrap().signing_key(algorithm).unwrap();
        let token = jws::Payload::new("x").sign(&signer).unwrap();
        assert!(jws::MessageVerifier::new(key).verify(&token).is_ok());

        let mut keys = KeySet::new();
        keys.insert(public.verifying_key(algorithm).unwrap()).unwrap();
        let loaded = KeySet::from_jwks(&keys.to_jwks().unwrap(), &ALGORITHMS).unwrap();
        assert!(loaded.skipped.is_empty() && loaded.keys.iter().all(|key| key.key_id() == Some(kid)));
    }
}

#[test]
fn a_jwk_with_a_wrong_member_is_refused_by_its_name() {
    let (private, public) = jwks(Algorithm::MlDsa44);
    let refused = |error| KeyError::Jwk(error);
    let read = |text: &str| PublicKey::from_jwk(text).map(drop).unwrap_err();
    for member in ["alg", "pub"] {
        assert_eq!(read(&with(&public, member, None)), refused(JwkError::MissingMember { member }));
        let wrong = JwkError::WrongType { member, expected: "a string", found: "null" };
        assert_eq!(read(&with(&public, member, Some(Value::Null))), refused(wrong));
    }
    for other in ["ES256", "ML-DSA-45", "ml-dsa-44", "HashML-DSA-44", "EdDSA", ""] {
        let text = with(&public, "alg", Some(other.into()));
        assert_eq!(read(&text), refused(JwkError::UnsupportedValue { member: "alg" }), "{other}");
    }
    // The parameters of another size.
    let text = with(&public, "alg", Some("ML-DSA-65".into()));
    assert_eq!(read(&text), refused(JwkError::WrongLength { member: "pub", bytes: 1312, expected: 1952 }));
    for bytes in [1311, 1313] {
        let text = with(&public, "pub", Some(b64(vec![7; bytes]).into()));
        assert_eq!(read(&text), refused(JwkError::WrongLength { member: "pub", bytes, expected: 1312 }));
    }
    let read = |text: &str| PrivateKey::from_jwk(text).map(drop).unwrap_err();
    assert_eq!(read(&public.to_string()), refused(JwkError::MissingMember { member: "priv" }));
    // RFC 9964 section 4: the seed, and never an expanded key.
    for bytes in [31, 33, 64, 2560] {
        let text = with(&private, "priv", Some(b64(vec![0; bytes]).into()));
        assert_eq!(read(&text), refused(JwkError::WrongLength { member: "priv", bytes, expected: 32 }));
    }
    let text = with(&private, "priv", Some(b64([1; 32]).into()));
    assert_eq!(read(&text), refused(JwkError::Mismatch { member: "priv" }));
    let error = Jwk::parse(&public.to_string()).unwrap().verifying_key(Algorithm::MlDsa65).unwrap_err();
    assert_eq!(error, refused(JwkError::NotAllowed { member: "alg" }));
}

#[test]
fn what_openssl_signs_verifies() {
    let tokens = include_str!("data/ml_dsa.jws").lines();
    assert_eq!(tokens.clone().count(), ALGORITHMS.len());
    for (token, algorithm) in tokens.zip(ALGORITHMS) {
        for key in verifiers(&public(algorithm), algorithm) {
            let verifier = jws::MessageVerifier::new(key);
            assert_eq!(verifier.verify(token).unwrap().payload(), b"signed by OpenSSL");
            let other = token.replace(".c2ln", ".c2lo");
            assert_eq!(verifier.verify(&other).unwrap_err(), VerifyError::InvalidSignature);
        }
    }
}

#[test]
fn wycheproof_verify() {
    use mldsa_verify::TestName::{MlDsa44Verify, MlDsa65Verify, MlDsa87Verify};
    let mut all = [0; 3];
    for (name, algorithm) in [
        (MlDsa44Verify, Algorithm::MlDsa44),
        (MlDsa65Verify, Algorithm::MlDsa65),
        (MlDsa87Verify, Algorithm::MlDsa87),
    ] {
        let (mut accepted, mut refused, mut by_their_key) = (0, 0, 0);
        for group in mldsa_verify::TestSet::load(name).unwrap().test_groups {
            let bytes: &[u8] = &group.pubkey;
            let public = PublicKey::from_der(&spki(algorithm, bytes));
            assert_eq!(public.is_ok(), bytes.len() == lengths(algorithm)[0]);
            if let Some(der) = &group.pubkey_der {
                assert!(PublicKey::from_der(der) == public);
            }
            for test in group.tests {
                // JOSE signs with an empty context: RFC 9964 section 4.
                let our_context = test.ctx.is_none_or(|context| context.is_empty());
                let valid = test.result == TestResult::Valid && our_context;
                let Ok(public) = &public else {
                    assert!(!valid, "{algorithm}, case {}", test.tc_id);
                    by_their_key += 1;
                    continue;
                };
                for key in verifiers(public, algorithm) {
                    let verdict = key.verify_bytes(&test.msg, &test.sig);
                    assert_eq!(verdict.is_ok(), valid, "{algorithm}, case {}: {}", test.tc_id, test.comment);
                }
                if valid { accepted += 1 } else { refused += 1 }
            }
        }
        println!("{name:?}: {accepted} accepted, {refused} refused, {by_their_key} refused by their key");
        all = [all[0] + accepted, all[1] + refused, all[2] + by_their_key];
    }
    assert_eq!(all, [221, 398, 12]);
}

#[test]
fn wycheproof_sign_with_a_seed() {
    use mldsa_sign::TestName::{MlDsa44SignSeed, MlDsa65SignSeed, MlDsa87SignSeed};
    let mut all = [0; 3];
    for (name, algorithm) in [
        (MlDsa44SignSeed, Algorithm::MlDsa44),
        (MlDsa65SignSeed, Algorithm::MlDsa65),
        (MlDsa87SignSeed, Algorithm::MlDsa87),
    ] {
        let (mut signed, mut refused, mut elsewhere) = (0, 0, 0);
        for group in mldsa_sign::TestSet::load(name).unwrap().test_groups {
            let seed = group.privseed.unwrap();
            let private = PrivateKey::from_der(&pkcs8(algorithm, &seed_alone(&seed)));
            assert_eq!(private.is_ok(), seed.len() == 32, "{} bytes", seed.len());
            if let (Some(file), Ok(private)) = (&group.privkey_pkcs8, &private) {
                let again = PrivateKey::from_der(file).unwrap();
                assert!(again.public_key().unwrap() == private.public_key().unwrap());
            }
            if let (Some(bytes), Ok(private)) = (&group.pubkey, &private) {
                let public = PublicKey::from_der(&spki(algorithm, bytes)).unwrap();
                assert!(private.public_key().unwrap() == public);
            }
            for test in group.tests {
                let case = format!("{algorithm}, case {}: {}", test.tc_id, test.comment);
                let Ok(private) = &private else {
                    assert!(test.result == TestResult::Invalid, "{case}");
                    refused += 1;
                    continue;
                };
                // A message that was hashed before, and a context, are not of JOSE.
                let Some(message) = &test.msg else {
                    elsewhere += 1;
                    continue;
                };
                let random = test.rnd.map_or([0; 32], |random| random.as_slice().try_into().unwrap());
                let key = private.signing_key_with(algorithm, Fixed(random)).unwrap();
                let signature = key.sign_bytes(message).unwrap();
                if test.ctx.is_none_or(|context| context.is_empty()) {
                    assert!(test.result == TestResult::Valid, "{case}");
                    assert_eq!(signature.as_bytes(), &*test.sig, "{case}");
                    signed += 1;
                } else {
                    assert_ne!(signature.as_bytes(), &*test.sig, "{case}");
                    elsewhere += 1;
                }
            }
        }
        println!("{name:?}: {signed} signed to the same bytes, {refused} refused, {elsewhere} not of JOSE");
        all = [all[0] + signed, all[1] + refused, all[2] + elsewhere];
    }
    assert_eq!(all, [224, 9, 54]);
}

#[test]
fn wycheproof_keys_without_a_seed_are_refused_by_name() {
    use mldsa_sign::TestName::{MlDsa44SignNoSeed, MlDsa65SignNoSeed, MlDsa87SignNoSeed};
    let mut counts = [0; 2];
    for (name, algorithm) in [
        (MlDsa44SignNoSeed, Algorithm::MlDsa44),
        (MlDsa65SignNoSeed, Algorithm::MlDsa65),
        (MlDsa87SignNoSeed, Algorithm::MlDsa87),
    ] {
        for group in mldsa_sign::TestSet::load(name).unwrap().test_groups {
            let expanded = group.privkey.unwrap();
            let error = PrivateKey::from_der(&pkcs8(algorithm, &tlv(4, &expanded))).unwrap_err();
            if expanded.len() == lengths(algorithm)[1] {
                assert_eq!(error, KeyError::File(FileMistake::ExpandedKey));
                counts[0] += 1;
            } else {
                assert_eq!(error, KeyError::MalformedKey, "{} bytes", expanded.len());
                counts[1] += 1;
            }
        }
    }
    println!("{} expanded keys refused by name, {} of another length", counts[0], counts[1]);
    assert_eq!(counts, [63, 6]);
}

// ---- tokens ----

#[test]
fn each_backend_verifies_within_the_default_limits_what_each_backend_signs() {
    for algorithm in ALGORITHMS {
        for signer in signers(&private(algorithm), algorithm) {
            let text = Claims::registered().issued_at(NOW).expires_at(later(900)).sign(&signer).unwrap();
            let head = format!("{}.", b64(format!(r#"{{"alg":"{algorithm}","typ":"JWT"}}"#)));
            assert!(text.starts_with(&head), "{text}");
            assert_eq!(unb64(text.rsplit('.').next().unwrap()).len(), lengths(algorithm)[2]);
            for key in verifiers(&public(algorithm), algorithm).into_iter().chain([signer.verifying_key()]) {
                let verifier = Verifier::builder(key).accept_any_issuer().no_audience().build().unwrap();
                assert!(verifier.at(NOW).verify::<()>(&text).is_ok(), "{algorithm}");
                let expired = verifier.at(later(3600)).verify::<()>(&text).unwrap_err();
                assert!(expired.is_expired(), "{algorithm}");
            }
        }
    }
}

#[test]
fn a_token_of_one_parameter_set_is_refused_by_a_key_of_another() {
    for algorithm in ALGORITHMS {
        let text = jws::Payload::new("payload").sign(&signers(&private(algorithm), algorithm)[0]).unwrap();
        let (_, rest) = text.split_once('.').unwrap();
        for other in ALGORITHMS.into_iter().filter(|other| *other != algorithm) {
            for key in verifiers(&public(other), other) {
                let verifier = jws::MessageVerifier::new(key);
                let mismatch = VerifyError::AlgorithmMismatch { key: other, token: algorithm };
                assert_eq!(verifier.verify(&text).unwrap_err(), mismatch);
                // With the header of the other set.
                let renamed = format!("{}.{rest}", b64(format!(r#"{{"alg":"{other}"}}"#)));
                assert_eq!(verifier.verify(&renamed).unwrap_err(), VerifyError::InvalidSignature);
            }
        }
    }
}

/// FIPS 204 section 5.4: HashML-DSA signs other bytes, and JOSE has no name for it.
#[test]
fn a_signature_of_another_domain_or_context_is_refused() {
    use ml_dsa::{ExpandedSigningKey, MlDsa65};
    let [seed, _] = numbers(Algorithm::MlDsa65);
    let key = ExpandedSigningKey::<MlDsa65>::from_seed(&seed.as_slice().try_into().unwrap());
    let sign = |parts: &[&[u8]]| key.sign_internal(parts, &[0; 32].into()).encode().to_vec();
    for (parts, valid) in [
        (&[b"\0\0", &b"input"[..]][..], true),
        (&[b"\x01\0", b"input"], false),
        (&[b"\0\x01c", b"input"], false),
        (&[b"input"], false),
    ] {
        for verifier in verifiers(&public(Algorithm::MlDsa65), Algorithm::MlDsa65) {
            assert_eq!(verifier.verify_bytes(b"input", &sign(parts)).is_ok(), valid, "{parts:?}");
        }
    }
}

// ---- keys ----

#[test]
fn a_key_is_refused_for_any_other_algorithm_and_the_error_says_what_it_is_for() {
    let others = [Algorithm::Hs256, Algorithm::Rs256, Algorithm::Es256, Algorithm::Ed25519];
    for own in ALGORITHMS {
        for other in ALGORITHMS.into_iter().chain(others).filter(|other| *other != own) {
            let wrong = |error: KeyError| match error {
                KeyError::UnsupportedByBackend => !ALGORITHMS.contains(&other) && other != Algorithm::Hs256,
                error => error == KeyError::WrongKeyType { algorithm: other, key: own.name() },
            };
            assert!(wrong(public(own).verifying_key(other).unwrap_err()), "{own} as {other}");
            for signer in try_signers(&private(own), other) {
                assert!(wrong(signer.unwrap_err()), "{own} as {other}");
            }
            #[cfg(feature = "aws-lc-rs")]
            assert!(
                wrong(countersign::aws_lc::verifying_key(&public(own), other).unwrap_err()),
                "{own} as {other}"
            );
        }
    }
    assert_eq!(
        public(Algorithm::MlDsa44).ml_dsa_65().unwrap_err().to_string(),
        "ML-DSA-65 needs a key of type ML-DSA-65, but this one is of type ML-DSA-44, which is for ML-DSA-44"
    );
}

#[test]
fn each_algorithm_has_a_method_of_its_own() {
    let [first, second, third] = ALGORITHMS.map(private);
    let signers = [
        first.ml_dsa_44_with(Fixed([0; 32])).unwrap(),
        second.ml_dsa_65_with(Fixed([0; 32])).unwrap(),
        third.ml_dsa_87_with(Fixed([0; 32])).unwrap(),
    ];
    let [first, second, third] = ALGORITHMS.map(public);
    let verifiers = [first.ml_dsa_44().unwrap(), second.ml_dsa_65().unwrap(), third.ml_dsa_87().unwrap()];
    for ((signer, verifier), algorithm) in signers.iter().zip(&verifiers).zip(ALGORITHMS) {
        assert_eq!((signer.algorithm(), verifier.algorithm()), (algorithm, algorithm));
        let signature = signer.sign_bytes(b"input").unwrap();
        assert!(verifier.verify_bytes(b"input", signature.as_bytes()).is_ok());
        assert!(signer.verifying_key().public_key() == verifier.public_key());
    }
}

#[test]
fn a_generated_key_is_written_and_read_again() {
    for algorithm in ALGORITHMS {
        let generated = PrivateKey::generate_with(algorithm, &util::Counting).unwrap();
        let pem = generated.to_secret_pem().unwrap();
        let again = PrivateKey::from_pem(pem.expose_secret_text().unwrap()).unwrap();
        let key = generated.public_key().unwrap();
        assert!(again.public_key().unwrap() == key);
        assert!(PublicKey::from_pem(&key.to_pem().unwrap()).unwrap() == key);
        assert!(PublicKey::from_der(&key.to_der().unwrap()).unwrap() == key);
        for signer in signers(&again, algorithm) {
            let signature = signer.sign_bytes(b"input").unwrap();
            for verifier in verifiers(&key, algorithm) {
                assert!(verifier.verify_bytes(b"input", signature.as_bytes()).is_ok(), "{algorithm}");
            }
        }
        let dry = Flaky(AtomicUsize::new(0));
        assert_eq!(PrivateKey::generate_with(algorithm, &dry).unwrap_err(), KeyError::Entropy);
    }
}

#[test]
#[cfg(feature = "getrandom")]
fn two_generated_keys_differ_and_sign_with_the_randomness_of_the_system() {
    let [one, other] = [(); 2].map(|()| PrivateKey::generate(Algorithm::MlDsa44).unwrap());
    assert!(one.public_key().unwrap() != other.public_key().unwrap());
    let key = one.ml_dsa_44().unwrap();
    let [first, second] = [(); 2].map(|()| key.sign_bytes(b"input").unwrap());
    assert_ne!(first.as_bytes(), second.as_bytes());
    assert!(key.verifying_key().verify_bytes(b"input", second.as_bytes()).is_ok());
}

/// Fails at the call of this number, from 0, and counts the calls.
struct Flaky(AtomicUsize);

impl Entropy for Flaky {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        assert_eq!(bytes.len(), 32);
        bytes.fill(7);
        let before = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        // After the failure it works again.
        if before.is_err() {
            self.0.store(usize::MAX, Ordering::SeqCst);
            return Err(EntropyError::new());
        }
        Ok(())
    }
}

#[test]
fn signing_draws_32_bytes_and_a_failure_of_the_source_leaves_the_key_usable() {
    let private = private(Algorithm::MlDsa44);
    let key = private.ml_dsa_44_with(Flaky(AtomicUsize::new(1))).unwrap();
    let first = key.sign_bytes(b"input").unwrap();
    assert_eq!(key.sign_bytes(b"input").unwrap_err(), SignError::Entropy);
    let third = key.sign_bytes(b"input").unwrap();
    // A source that repeats itself repeats signatures, of the same input only.
    assert_eq!(first.as_bytes(), third.as_bytes());
    assert_ne!(first.as_bytes(), key.sign_bytes(b"other").unwrap().as_bytes());
    let other = deterministic(&private, Algorithm::MlDsa44).sign_bytes(b"input").unwrap();
    assert_ne!(first.as_bytes(), other.as_bytes());
    for signature in [first, other] {
        assert!(key.verifying_key().verify_bytes(b"input", signature.as_bytes()).is_ok());
    }
}

// ---- files ----

#[test]
fn each_form_of_a_file_makes_the_same_key_and_the_seed_is_written() {
    for algorithm in ALGORITHMS {
        let [both, seed, _, public_pem] = files(algorithm);
        let key = public(algorithm);
        assert_eq!(key.to_pem().unwrap(), public_pem);
        for text in [both, seed] {
            let private = PrivateKey::from_pem(text).unwrap();
            assert!(private.public_key().unwrap() == key, "{algorithm}");
            assert_eq!(private.to_secret_pem().unwrap().expose_secret_text(), Some(seed));
            for signer in signers(&private, algorithm) {
                assert!(signer.verifying_key().public_key() == Some(&key));
            }
            let error = PublicKey::from_pem(text).unwrap_err();
            assert_eq!(error, KeyError::File(FileMistake::PrivateKey));
        }
        assert_eq!(PrivateKey::from_pem(public_pem).unwrap_err(), KeyError::File(FileMistake::PublicKey));
        let [seed, _] = numbers(algorithm);
        let bytes = &util::der(public_pem)[22..];
        let version_2 = pkcs8_with_public(algorithm, &seed_alone(&seed), bytes);
        assert!(PrivateKey::from_der(&version_2).unwrap().public_key().unwrap() == key);
    }
}

#[test]
fn an_expanded_key_alone_is_refused_by_name() {
    for algorithm in ALGORITHMS {
        let [_, _, expanded, _] = files(algorithm);
        let error = PrivateKey::from_pem(expanded).unwrap_err();
        assert_eq!(error, KeyError::File(FileMistake::ExpandedKey), "{algorithm}");
        assert_eq!(error.code(), "expanded_key");
        assert_eq!(PrivateKey::from_der(&util::der(expanded)).unwrap_err(), error);
        assert_eq!(util::leak(&[error.to_string(), format!("{error:?}")], &[util::der(expanded)]), None);
    }
}

#[test]
fn a_seed_next_to_another_expanded_or_public_key_is_refused_by_each_backend() {
    for algorithm in ALGORITHMS {
        let [seed, expanded] = numbers(algorithm);
        let bytes = util::der(files(algorithm)[3])[22..].to_vec();
        let flipped = |key: &[u8], place: usize| {
            let mut key = key.to_vec();
            key[place] ^= 1;
            key
        };
        let mut wrong: Vec<Vec<u8>> = (0..seed.len())
            .map(|place| pkcs8(algorithm, &seed_and_expanded(&flipped(&seed, place), &expanded)))
            .collect();
        // Each of rho, K, tr, s1, s2 and t0 is reached.
        for place in (0..expanded.len()).step_by(61).chain([expanded.len() - 1]) {
            wrong.push(pkcs8(algorithm, &seed_and_expanded(&seed, &flipped(&expanded, place))));
        }
        for place in [0, 31, 32, bytes.len() - 1] {
            wrong.push(pkcs8_with_public(algorithm, &seed_alone(&seed), &flipped(&bytes, place)));
        }
        for file in wrong {
            let private = PrivateKey::from_der(&file).unwrap();
            for signer in try_signers(&private, algorithm) {
                assert_eq!(signer.unwrap_err(), KeyError::MalformedKey, "{algorithm}");
            }
            assert_eq!(private.public_key().unwrap_err(), KeyError::MalformedKey, "{algorithm}");
        }
    }
}

#[test]
fn files_of_another_form_or_length_are_refused() {
    for algorithm in ALGORITHMS {
        let [seed, expanded] = numbers(algorithm);
        let bytes = util::der(files(algorithm)[3])[22..].to_vec();
        let long = |key: &[u8]| [key, &[0]].concat();
        let malformed = [
            seed_alone(&seed[..31]),
            seed_alone(&long(&seed)),
            seed_alone(&[]),
            // The seed and the expanded key alone without a tag, as one setting of OpenSSL writes them.
            seed.clone(),
            expanded.clone(),
            // Tags of another type.
            tlv(4, &seed),
            tlv(0xa0, &tlv(4, &seed)),
            tlv(4, &expanded[1..]),
            tlv(4, &long(&expanded)),
            seed_and_expanded(&seed[1..], &expanded),
            seed_and_expanded(&long(&seed), &expanded),
            seed_and_expanded(&seed, &expanded[1..]),
            seed_and_expanded(&seed, &long(&expanded)),
            seed_and_expanded(&expanded, &seed),
            tlv(0x30, &tlv(4, &seed)),
            tlv(0x30, &[tlv(4, &seed), tlv(4, &expanded), tlv(4, &[])].concat()),
            tlv(0x30, &[tlv(0x80, &seed), tlv(4, &expanded)].concat()),
            [seed_alone(&seed), vec![0]].concat(),
            vec![],
        ];
        for (place, key) in malformed.iter().enumerate() {
            let error = PrivateKey::from_der(&pkcs8(algorithm, key)).unwrap_err();
            assert_eq!(error, KeyError::MalformedKey, "{algorithm}, {place}");
        }
        for wrong in [&bytes[1..], &long(&bytes), &[]] {
            let error = PublicKey::from_der(&spki(algorithm, wrong)).unwrap_err();
            assert_eq!(error, KeyError::MalformedKey, "{algorithm}, {} bytes", wrong.len());
            let beside = pkcs8_with_public(algorithm, &seed_alone(&seed), wrong);
            assert_eq!(PrivateKey::from_der(&beside).unwrap_err(), KeyError::MalformedKey);
        }
        // HashML-DSA has OIDs of its own: NIST's numbers 32 to 34.
        for last in [16, 20, 32, 33, 34] {
            let mut file = spki(algorithm, &bytes);
            let place =
                file.windows(8).position(|eight| eight == b"\x60\x86\x48\x01\x65\x03\x04\x03").unwrap();
            file[place + 8] = last;
            assert_eq!(PublicKey::from_der(&file).unwrap_err(), KeyError::UnsupportedKeyType, "{last}");
        }
        // RFC 9881 section 2: the parameters are absent.
        let key = tlv(3, &long(&[]).into_iter().chain(bytes).collect::<Vec<_>>());
        let file = tlv(0x30, &[identifier(algorithm, &[5, 0]), key].concat());
        assert_eq!(PublicKey::from_der(&file).unwrap_err(), KeyError::UnsupportedKeyType);
    }
}

#[test]
fn cut_and_stretched_files_are_refused() {
    for algorithm in ALGORITHMS {
        let [both, seed, _, public] = files(algorithm).map(util::der);
        for file in [both, seed] {
            for length in 0..file.len() {
                assert!(PrivateKey::from_der(&file[..length]).is_err(), "{algorithm}, {length} bytes");
            }
            assert!(PrivateKey::from_der(&[&*file, &[0]].concat()).is_err());
        }
        for length in 0..public.len() {
            assert!(PublicKey::from_der(&public[..length]).is_err(), "{algorithm}, {length} bytes");
        }
        assert!(PublicKey::from_der(&[&*public, &[0]].concat()).is_err());
    }
}

#[test]
fn no_debug_text_of_a_key_shows_its_numbers() {
    for algorithm in ALGORITHMS {
        let (private, public) = (private(algorithm), public(algorithm));
        let told = [format!("{private:?} {:?}", signers(&private, algorithm)), format!("{public:?}")];
        assert!(told.iter().all(|text| text.contains(&format!("({algorithm}"))), "{told:?}");
        let hidden = [numbers(algorithm).concat(), util::der(files(algorithm)[3])];
        assert_eq!(util::leak(&told, &hidden), None, "{told:?}");
    }
}

/// If a public key were an HMAC secret, everyone could sign.
#[test]
fn an_ml_dsa_key_in_any_form_is_refused_as_a_secret() {
    use countersign::{HmacKey, KeyFile};
    for algorithm in ALGORITHMS {
        for file in files(algorithm) {
            let der = util::der(file);
            // What the search looks for is near the beginning.
            let begin = &der[..der.len().min(200)];
            let hex: String = begin.iter().map(|byte| format!("{byte:02x}")).collect();
            let colons: Vec<String> = begin.iter().map(|byte| format!("{byte:02X}")).collect();
            let texts = [hex, colons.join(":"), colons.join(" "), b64(begin), util::b64_standard(begin)];
            // Text before the file shifts its base64 to each of the three alignments.
            let shifted = ["", "a", "ab"].map(|before| b64([before.as_bytes(), begin].concat()));
            for secret in texts.into_iter().chain(shifted).map(String::into_bytes).chain([der]) {
                let error = HmacKey::hs256(&SecretBytes::from(secret)).unwrap_err();
                assert_eq!(error, KeyError::NotASecret { found: KeyFile::Der }, "{algorithm}");
            }
        }
    }
}

// ---- bad signatures ----

#[test]
fn signatures_of_any_other_length_are_refused() {
    for algorithm in ALGORITHMS {
        let signature = signers(&private(algorithm), algorithm)[0].sign_bytes(b"input").unwrap();
        let good = signature.as_bytes();
        assert_eq!(good.len(), lengths(algorithm)[2]);
        for key in verifiers(&public(algorithm), algorithm) {
            assert!(key.verify_bytes(b"input", good).is_ok());
            assert!(key.verify_bytes(b"other", good).is_err());
            for length in (0..good.len()).chain(good.len() + 1..good.len() + 80).chain([1 << 20]) {
                let mut other = good.to_vec();
                other.resize(length, 0);
                assert!(key.verify_bytes(b"input", &other).is_err(), "{algorithm}, {length} bytes");
            }
        }
    }
}

#[test]
fn a_signature_with_a_changed_byte_is_refused() {
    for algorithm in ALGORITHMS {
        let signature = signers(&private(algorithm), algorithm)[0].sign_bytes(b"input").unwrap();
        let good = signature.as_bytes();
        for key in verifiers(&public(algorithm), algorithm) {
            // Each part of it is reached: the hash, the vector and the hints. Without optimisation, all places take a minute.
            for place in (0..good.len()).step_by(7).chain(good.len() - 90..good.len()) {
                let mut other = good.to_vec();
                other[place] ^= 1 << (place % 8);
                assert!(key.verify_bytes(b"input", &other).is_err(), "{algorithm}, byte {place}");
            }
            for byte in [0, 0xff] {
                assert!(key.verify_bytes(b"input", &vec![byte; good.len()]).is_err(), "{algorithm}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_seed_signs_any_input_in_each_backend_and_each_verifies_it(
        seed: [u8; 32],
        input in prop::collection::vec(any::<u8>(), 0..300),
        other in prop::collection::vec(any::<u8>(), 0..300),
        algorithm in prop::sample::select(ALGORITHMS.to_vec()),
    ) {
        let private = PrivateKey::from_der(&pkcs8(algorithm, &seed_alone(&seed))).unwrap();
        let public = private.public_key().unwrap();
        for signer in signers(&private, algorithm) {
            let signature = signer.sign_bytes(&input).unwrap();
            for key in verifiers(&public, algorithm) {
                prop_assert!(key.verify_bytes(&input, signature.as_bytes()).is_ok());
                prop_assert_eq!(key.verify_bytes(&other, signature.as_bytes()).is_ok(), input == other);
            }
        }
    }

    #[test]
    fn each_backend_gives_the_same_verdict_on_a_signature_with_random_changes(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        algorithm in prop::sample::select(ALGORITHMS.to_vec()),
    ) {
        let mut signature =
            deterministic(&private(algorithm), algorithm).sign_bytes(b"input").unwrap().as_bytes().to_vec();
        let good = signature.clone();
        for (place, byte) in changes {
            let place = place.index(signature.len());
            signature[place] = byte;
        }
        for key in verifiers(&public(algorithm), algorithm) {
            prop_assert_eq!(key.verify_bytes(b"input", &signature).is_ok(), signature == good);
        }
    }
}
