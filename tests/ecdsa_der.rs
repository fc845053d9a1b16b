//! ECDSA signatures in DER: Project Wycheproof's, and each way in which two integers are not a signature.
//!
//! `cargo test --test ecdsa_der --features p521,k256 -- --nocapture` prints the counts.
#![cfg(feature = "ecdsa")]

use countersign::{Algorithm, PrivateKey, PublicKey, SignError, SignKey, Signature, VerifyKey};
use wycheproof_ng_core::TestResult;
use wycheproof_ng_ecdsa::TestName;

/// The algorithms that the features offer, the lengths of their numbers, and Wycheproof's signatures in DER for them.
const ALGORITHMS: &[(Algorithm, usize, TestName)] = &[
    (Algorithm::Es256, 32, TestName::EcdsaSecp256r1Sha256),
    (Algorithm::Es384, 48, TestName::EcdsaSecp384r1Sha384),
    #[cfg(feature = "p521")]
    (Algorithm::Es512, 66, TestName::EcdsaSecp521r1Sha512),
    #[cfg(feature = "k256")]
    (Algorithm::Es256k, 32, TestName::EcdsaSecp256k1Sha256),
];

/// What [`a_signature_of_openssl_verifies`] reads.
const OPENSSL: &str = "3045022100916e63eb615a01a3bd96413da260ac219d7135170c5b5b6608f9087122c782da022014e6faf94cb2a76e9f0f034be71efb888422b2a8a3a800f373c817f7b2704af1";

/// The orders of the groups: FIPS 186-4 appendix D.1.2, and SEC 2 section 2.4.1 for secp256k1.
fn order(algorithm: Algorithm) -> Vec<u8> {
    hex(match algorithm {
        Algorithm::Es256 => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        Algorithm::Es384 => {
            "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"
        }
        Algorithm::Es512 => {
            "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409"
        }
        _ => "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141",
    })
}

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    if length < 0x80 { [&[tag, length], content].concat() } else { [&[tag, 0x81, length], content].concat() }
}

/// Encodes a number that is not negative.
fn integer(number: &[u8]) -> Vec<u8> {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let number = &number[zeros.min(number.len() - 1)..];
    if number[0] < 0x80 { tlv(2, number) } else { tlv(2, &[&[0], number].concat()) }
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

#[track_caller]
fn refused(algorithm: Algorithm, der: &[u8], expected: &SignError, code: &str) {
    let error = Signature::from_ecdsa_der(algorithm, der).unwrap_err();
    assert_eq!((&error, error.code()), (expected, code), "{algorithm}: {der:02x?}");
}

#[track_caller]
fn malformed(algorithm: Algorithm, der: &[u8]) {
    refused(algorithm, der, &SignError::MalformedSignature, "malformed_signature");
}

#[track_caller]
fn out_of_range(algorithm: Algorithm, der: &[u8]) {
    refused(algorithm, der, &SignError::SignatureOutOfRange, "signature_out_of_range");
}

#[test]
fn a_signature_comes_back_from_der_unchanged() {
    for (algorithm, length, _) in ALGORITHMS {
        let private = PrivateKey::generate_with(*algorithm, &Fixed).unwrap();
        let key = private.signing_key_with(*algorithm, Fixed).unwrap();
        // Among two hundred signatures, some have a number with a leading zero byte, and some need one in DER.
        for message in 0..200_u8 {
            let signature = key.sign_bytes(&[message]).unwrap();
            let (r, s) = signature.as_bytes().split_at(*length);
            let der = sequence(&[&integer(r), &integer(s)]);
            let again = Signature::from_ecdsa_der(*algorithm, &der).unwrap();
            assert_eq!(again.as_bytes(), signature.as_bytes(), "{algorithm}");
        }
    }
}

struct Fixed;

impl countersign::Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), countersign::EntropyError> {
        bytes.fill(0x5a);
        Ok(())
    }
}

#[test]
fn numbers_from_1_to_the_order_less_1_are_taken() {
    for (algorithm, length, _) in ALGORITHMS {
        let order = order(*algorithm);
        let mut largest = order.clone();
        *largest.last_mut().unwrap() -= 1;
        let mut larger = order.clone();
        *larger.last_mut().unwrap() += 1;
        for good in [vec![1], largest] {
            let der = sequence(&[&integer(&good), &integer(&[1])]);
            let signature = Signature::from_ecdsa_der(*algorithm, &der).unwrap();
            let mut expected = vec![0; length - good.len()];
            expected.extend_from_slice(&good);
            assert_eq!(signature.as_bytes()[..*length], expected);
            assert_eq!(signature.as_bytes()[*length..], [&vec![0; length - 1][..], &[1]].concat());
        }
        for bad in [vec![0], order, larger, vec![0x7f; length + 1], vec![0xff; *length]] {
            for pair in [[&*bad, &[1]], [&[1], &*bad], [&*bad, &*bad]] {
                out_of_range(*algorithm, &sequence(&pair.map(integer).each_ref().map(|part| &**part)));
            }
        }
    }
}

#[test]
fn anything_but_two_integers_in_strict_der_is_malformed() {
    let (one, two) = (integer(&[1]), integer(&[2]));
    let good = sequence(&[&one, &two]);
    for (algorithm, length, _) in ALGORITHMS {
        assert!(Signature::from_ecdsa_der(*algorithm, &good).is_ok());
        for length in 0..good.len() {
            malformed(*algorithm, &good[..length]);
        }
        for (what, der) in [
            ("bytes after it", [&*good, &[0]].concat()),
            ("one integer", sequence(&[&one])),
            ("three integers", sequence(&[&one, &two, &one])),
            ("no integer", sequence(&[])),
            ("a SET", tlv(0x31, &[&*one, &two].concat())),
            ("an OCTET STRING", sequence(&[&one, &tlv(4, &[2])])),
            ("an integer of no byte", sequence(&[&one, &tlv(2, &[])])),
            ("a negative integer", sequence(&[&one, &tlv(2, &[0x80])])),
            ("a leading zero too much", sequence(&[&one, &tlv(2, &[0, 2])])),
            ("a length in two bytes", [&[0x30, 0x81, 6][..], &one, &two].concat()),
            ("the length of an integer in two bytes", sequence(&[&one, &[2, 0x81, 1, 2]])),
            ("an indefinite length", [&[0x30, 0x80][..], &one, &two, &[0, 0]].concat()),
            ("a length beyond the end", [&[0x30, 7][..], &one, &two].concat()),
            ("a length before the end", [&[0x30, 5][..], &one, &two].concat()),
            ("a BIT STRING around it", tlv(3, &[&[0][..], &good].concat())),
            ("the fixed form", vec![1; 2 * length]),
        ] {
            assert!(Signature::from_ecdsa_der(*algorithm, &der).is_err(), "{what}");
            malformed(*algorithm, &der);
        }
    }
}

#[test]
fn an_algorithm_without_signatures_in_der_is_named() {
    let der = sequence(&[&integer(&[1]), &integer(&[2])]);
    for algorithm in [Algorithm::Hs256, Algorithm::Rs256, Algorithm::Ps512, Algorithm::Ed25519] {
        refused(algorithm, &der, &SignError::NotEcdsa { algorithm }, "not_ecdsa");
    }
}

/// OpenSSL 3.0: `openssl dgst -sha256 -sign tests/data/p256.pem`, over "header.payload".
#[test]
fn a_signature_of_openssl_verifies() {
    let der = hex(OPENSSL);
    let signature = Signature::from_ecdsa_der(Algorithm::Es256, &der).unwrap();
    let key = PublicKey::from_pem(include_str!("data/p256_public.pem")).unwrap().es256().unwrap();
    assert_eq!(key.verify_bytes(b"header.payload", signature.as_bytes()), Ok(()));
    assert!(key.verify_bytes(b"header.payload", &der).is_err());
}

#[test]
fn wycheproof_ecdsa_in_der() {
    for (algorithm, _, name) in ALGORITHMS {
        let [mut accepted, mut malformed, mut out_of_range, mut invalid] = [0; 4];
        for group in wycheproof_ng_ecdsa::TestSet::load(*name).unwrap().test_groups {
            let key = PublicKey::from_pem(&group.pem).unwrap().verifying_key(*algorithm).unwrap();
            for test in group.tests {
                let read = Signature::from_ecdsa_der(*algorithm, &test.sig);
                let verdict = read
                    .as_ref()
                    .is_ok_and(|signature| key.verify_bytes(&test.msg, signature.as_bytes()).is_ok());
                let valid = test.result == TestResult::Valid;
                assert_eq!(verdict, valid, "{algorithm}, case {}: {}", test.tc_id, test.comment);
                *match read {
                    Ok(_) if valid => &mut accepted,
                    Ok(_) => &mut invalid,
                    Err(SignError::MalformedSignature) => &mut malformed,
                    Err(error) => {
                        assert_eq!(error, SignError::SignatureOutOfRange, "case {}", test.tc_id);
                        &mut out_of_range
                    }
                } += 1;
            }
        }
        println!(
            "{algorithm}: {accepted} accepted, {malformed} malformed, {out_of_range} out of range, {invalid} invalid"
        );
        assert!(accepted > 50 && malformed > 50 && out_of_range > 20 && invalid > 5);
    }
}
