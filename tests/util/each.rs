//! A key pair of each algorithm, with the keys of each backend. For test files with the features `rsa`, `ecdsa` and `ed25519`.
#![allow(dead_code, reason = "no test file uses all of it")]

use crate::util;
use countersign::{Algorithm, KeyError, PrivateKey, PublicKey, SigningKey, VerifyingKey};

pub(crate) const HMAC: [Algorithm; 3] = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512];
pub(crate) const PKCS1: [Algorithm; 3] = [Algorithm::Rs256, Algorithm::Rs384, Algorithm::Rs512];
pub(crate) const PSS: [Algorithm; 3] = [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512];
/// The algorithms of the enabled features.
pub(crate) const ECDSA: &[Algorithm] = &[
    Algorithm::Es256,
    Algorithm::Es384,
    #[cfg(feature = "p521")]
    Algorithm::Es512,
    #[cfg(feature = "k256")]
    Algorithm::Es256k,
];

/// All algorithms of key pairs.
pub(crate) fn pairs() -> Vec<Algorithm> {
    [&PKCS1, &PSS, ECDSA, &[Algorithm::Ed25519]].concat()
}

/// The key files of an algorithm: PKCS#8 and SPKI, as OpenSSL writes them.
pub(crate) fn files(algorithm: Algorithm) -> [&'static str; 2] {
    macro_rules! files {
        ($name:literal) => {
            [
                include_str!(concat!("../data/", $name, ".pem")),
                include_str!(concat!("../data/", $name, "_public.pem")),
            ]
        };
    }
    match algorithm {
        Algorithm::Es256 => files!("p256"),
        Algorithm::Es384 => files!("p384"),
        Algorithm::Es512 => files!("p521"),
        Algorithm::Es256k => files!("secp256k1"),
        Algorithm::Ed25519 => files!("ed25519"),
        _ => [util::RSA_PRIVATE, util::RSA_PUBLIC],
    }
}

pub(crate) fn private(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::from_pem(files(algorithm)[0]).unwrap()
}

pub(crate) fn public(algorithm: Algorithm) -> PublicKey {
    PublicKey::from_pem(files(algorithm)[1]).unwrap()
}

/// What makes the keys of a backend.
type Backend = (
    fn(&PublicKey, Algorithm) -> Result<VerifyingKey, KeyError>,
    fn(&PrivateKey, Algorithm) -> Result<SigningKey, KeyError>,
);

const BACKENDS: &[Backend] = &[
    (PublicKey::verifying_key, |private, algorithm| private.signing_key_with(algorithm, util::Counting)),
    #[cfg(feature = "aws-lc-rs")]
    (countersign::aws_lc::verifying_key, countersign::aws_lc::signing_key),
    #[cfg(all(feature = "graviola", any(target_arch = "x86_64", target_arch = "aarch64")))]
    (countersign::graviola::verifying_key, countersign::graviola::signing_key),
];

/// Leaves out what a backend does not support. `curves` and `keys` say what that is.
fn supported<K>(
    made: impl Iterator<Item = Result<K, KeyError>>,
) -> impl Iterator<Item = Result<K, KeyError>> {
    made.filter(|key| !matches!(key, Err(KeyError::UnsupportedByBackend)))
}

/// The keys of each backend that verify with this algorithm. The first one is of pure Rust.
pub(crate) fn verifiers(public: &PublicKey, algorithm: Algorithm) -> Vec<VerifyingKey> {
    supported(BACKENDS.iter().map(|(verifying, _)| verifying(public, algorithm)))
        .map(Result::unwrap)
        .collect()
}

/// The keys of each backend that sign with this algorithm. The first one is of pure Rust.
pub(crate) fn signers(private: &PrivateKey, algorithm: Algorithm) -> Vec<SigningKey> {
    supported(BACKENDS.iter().map(|(_, signing)| signing(private, algorithm))).map(Result::unwrap).collect()
}

/// What each backend makes of a public key file: the code of the error (its texts hold nothing secret), or "taken".
pub(crate) fn of_public_file(der: &[u8], algorithm: Algorithm) -> Vec<&'static str> {
    let read = || PublicKey::from_der(der);
    let made = BACKENDS.iter().map(|(verifying, _)| read().and_then(|key| verifying(&key, algorithm)));
    supported(made).map(code_of).collect()
}

/// What each backend makes of a private key file.
pub(crate) fn of_private_file(der: &[u8], algorithm: Algorithm) -> Vec<&'static str> {
    let read = || PrivateKey::from_der(der);
    let made = BACKENDS.iter().map(|(_, signing)| read().and_then(|key| signing(&key, algorithm)));
    supported(made).map(code_of).collect()
}

fn code_of<K>(made: Result<K, KeyError>) -> &'static str {
    match made {
        Ok(_) => "taken",
        Err(error) => {
            util::assert_discreet(&error, &[]);
            error.code()
        }
    }
}

/// An ASN.1 element: the tag, the length in its shortest form, the content.
pub(crate) fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let header = match u8::try_from(length) {
        Ok(short @ ..0x80) => vec![tag, short],
        Ok(long) => vec![tag, 0x81, long],
        Err(_) => [&[tag, 0x82][..], &u16::try_from(length).unwrap().to_be_bytes()].concat(),
    };
    [&*header, content].concat()
}

pub(crate) fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// The order of the group of an algorithm: SEC 2 and FIPS 186-5; RFC 8032 section 5.1.
pub(crate) fn order(algorithm: Algorithm) -> Vec<u8> {
    hex(&match algorithm {
        Algorithm::Es256 => "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551".to_owned(),
        Algorithm::Es384 => {
            format!("{}c7634d81f4372ddf581a0db248b0a77aecec196accc52973", "ff".repeat(24))
        }
        Algorithm::Es512 => {
            format!("01{}fa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", "ff".repeat(32))
        }
        Algorithm::Es256k => "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141".to_owned(),
        _ => "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed".to_owned(),
    })
}

/// `a + b` or `a - b` as numbers of the length of `a`, big-endian, without what overflows.
pub(crate) fn combine(a: &[u8], b: &[u8], sign: i16) -> Vec<u8> {
    let b = [vec![0; a.len().saturating_sub(b.len())], b.to_vec()].concat();
    let mut carry = 0;
    let mut result: Vec<u8> = (a.iter().zip(&b).rev())
        .map(|(a, b)| {
            let sum = i16::from(*a) + sign * i16::from(*b) + carry;
            carry = sum.div_euclid(256);
            sum.rem_euclid(256) as u8
        })
        .collect();
    result.reverse();
    result
}
