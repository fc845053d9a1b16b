//! The private numbers of ECDSA, Ed25519 and ML-DSA keys, for the test that searches freed memory for them.

use crate::watching::{leaks, living};
use countersign::{Algorithm, Entropy, EntropyError, KeyError, PrivateKey, SignKey, SigningKey};

/// The private number of every key: these bytes, repeated for the longer ones.
const NUMBER: [u8; 32] = *b"\x12a number of this test, 32 bytes";

/// The algorithms that the features offer, and where the secret part of their PEM text begins.
const ALGORITHMS: &[(Algorithm, usize)] = &[
    #[cfg(feature = "ecdsa")]
    (Algorithm::Es256, 52),
    #[cfg(feature = "ecdsa")]
    (Algorithm::Es384, 52),
    #[cfg(feature = "p521")]
    (Algorithm::Es512, 52),
    #[cfg(feature = "k256")]
    (Algorithm::Es256k, 52),
    #[cfg(feature = "ed25519")]
    (Algorithm::Ed25519, 24),
    #[cfg(feature = "ml-dsa")]
    (Algorithm::MlDsa44, 32),
    #[cfg(feature = "ml-dsa")]
    (Algorithm::MlDsa65, 32),
    #[cfg(feature = "ml-dsa")]
    (Algorithm::MlDsa87, 32),
];

/// The orders of P-384 and P-521, whose crates keep a number times a power of two (Montgomery's form).
const ORDER_384: &str =
    "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973";
const ORDER_521: &str = "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409";

/// Randomness that makes [`NUMBER`].
struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.iter_mut().zip(NUMBER.iter().cycle()).for_each(|(byte, number)| *byte = *number);
        Ok(())
    }
}

/// Returns the private number of an algorithm, big-endian.
fn number(algorithm: Algorithm) -> Vec<u8> {
    let length = match algorithm {
        Algorithm::Es384 => 48,
        Algorithm::Es512 => 66,
        _ => 32,
    };
    let mut number: Vec<u8> = NUMBER.into_iter().cycle().take(length).collect();
    if algorithm == Algorithm::Es512 {
        number[0] &= 1;
    }
    number
}

/// Doubles a big-endian number below `order` this often, modulo `order`.
fn doubled(number: &[u8], order: &[u8], times: u32) -> Vec<u8> {
    let mut number = [&[0], number].concat();
    let order = [&[0], order].concat();
    for _ in 0..times {
        let mut carry = 0;
        for byte in number.iter_mut().rev() {
            let twice = u16::from(*byte) * 2 + carry;
            (*byte, carry) = (twice as u8, twice >> 8);
        }
        if number >= order {
            let mut borrow = 0;
            for (byte, other) in number.iter_mut().zip(&order).rev() {
                let difference = i16::from(*byte) - i16::from(*other) - borrow;
                (*byte, borrow) = (difference as u8, i16::from(difference < 0));
            }
        }
    }
    number.split_off(1)
}

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

/// Returns what a signing key of the backend in Rust holds of a private number.
fn kept(algorithm: Algorithm) -> [u8; 32] {
    let number = number(algorithm);
    let kept = match algorithm {
        Algorithm::Es384 => doubled(&number, &hex(ORDER_384), 384u32.next_multiple_of(usize::BITS)),
        Algorithm::Es512 => doubled(&number, &hex(ORDER_521), 521u32.next_multiple_of(usize::BITS)),
        Algorithm::Es256 | Algorithm::Es256k => number,
        #[cfg(feature = "ml-dsa")]
        Algorithm::MlDsa44 | Algorithm::MlDsa65 | Algorithm::MlDsa87 => return first_coefficients(algorithm),
        _ => return NUMBER,
    };
    // The lowest word first, in the byte order of this machine.
    let words = kept.rchunks(size_of::<usize>());
    let words = words.flat_map(|word| {
        let word = word.iter().fold(0, |value: usize, byte| value << 8 | usize::from(*byte));
        word.to_ne_bytes()
    });
    words.take(32).collect::<Vec<_>>().try_into().unwrap()
}

/// Returns the expanded private key (FIPS 204 algorithm 24).
#[cfg(feature = "ml-dsa")]
fn expanded(algorithm: Algorithm) -> Vec<u8> {
    use ml_dsa::{ExpandedSigningKey, MlDsa44, MlDsa65, MlDsa87};
    #[expect(deprecated, reason = "the crate advises against this form, which is searched for")]
    match algorithm {
        Algorithm::MlDsa44 => {
            ExpandedSigningKey::<MlDsa44>::from_seed((&NUMBER).into()).to_expanded().to_vec()
        }
        Algorithm::MlDsa65 => {
            ExpandedSigningKey::<MlDsa65>::from_seed((&NUMBER).into()).to_expanded().to_vec()
        }
        _ => ExpandedSigningKey::<MlDsa87>::from_seed((&NUMBER).into()).to_expanded().to_vec(),
    }
}

/// Returns the first eight coefficients of the secret vector s1, each in four bytes, from the expanded key: they take three bits
/// each, and four for ML-DSA-65.
#[cfg(feature = "ml-dsa")]
fn first_coefficients(algorithm: Algorithm) -> [u8; 32] {
    const MODULUS: u32 = 8_380_417;
    let (bits, eta) = if algorithm == Algorithm::MlDsa65 { (4, 4) } else { (3, 2) };
    let packed = u32::from_le_bytes(expanded(algorithm)[128..132].try_into().unwrap());
    let coefficients =
        (0..8).map(|place| (MODULUS + eta - (packed >> (place * bits) & ((1 << bits) - 1))) % MODULUS);
    coefficients.flat_map(u32::to_ne_bytes).collect::<Vec<_>>().try_into().unwrap()
}

fn private(algorithm: Algorithm) -> PrivateKey {
    PrivateKey::generate_with(algorithm, &Fixed).unwrap()
}

fn pem(algorithm: Algorithm) -> String {
    private(algorithm).to_secret_pem().unwrap().expose_secret_text().unwrap().to_owned()
}

/// Returns what to search for: each private number, the form in which a signing key keeps it, and a piece of its PEM text.
pub(crate) fn needles() -> Vec<[u8; 32]> {
    let mut needles = vec![NUMBER];
    for &(algorithm, place) in ALGORITHMS {
        needles.push(kept(algorithm));
        // Without its first byte, which may have lost bits.
        if let Some(number) = number(algorithm).get(1..33) {
            needles.push(number.try_into().unwrap());
        }
        let begin = "-----BEGIN PRIVATE KEY-----\n".len() + place;
        needles.push(pem(algorithm).as_bytes()[begin..begin + 32].try_into().unwrap());
        #[cfg(feature = "ml-dsa")]
        if matches!(algorithm, Algorithm::MlDsa44 | Algorithm::MlDsa65 | Algorithm::MlDsa87) {
            // K, and the beginning of s1.
            let expanded = expanded(algorithm);
            for place in [32, 128] {
                needles.push(expanded[place..place + 32].try_into().unwrap());
            }
        }
    }
    needles
}

/// The keys of each backend that sign.
fn signers(private: &PrivateKey, algorithm: Algorithm) -> Vec<Result<SigningKey, KeyError>> {
    vec![
        private.signing_key_with(algorithm, Fixed),
        #[cfg(feature = "aws-lc-rs")]
        countersign::aws_lc::signing_key(private, algorithm),
    ]
}

pub(crate) fn check() {
    for &(algorithm, _) in ALGORITHMS {
        // The search works: a living key holds its number, and a number that is not wiped is found.
        let material = private(algorithm);
        let (key, found) = living(|| material.signing_key_with(algorithm, Fixed).unwrap());
        assert!(found > 0, "{algorithm}: the key keeps its number in another form than this test expects");
        assert_eq!(leaks(|| drop(number(algorithm))), 1, "{algorithm}");
        let text = pem(algorithm);
        assert_eq!(leaks(|| drop(text.clone())), 1, "{algorithm}");

        let wiped = |what: &str, run: &mut dyn FnMut()| assert_eq!(leaks(run), 0, "{algorithm}: {what}");
        let mut key = Some(key);
        wiped("a signing key", &mut || drop(key.take()));
        wiped("a generated key", &mut || drop(Box::new(private(algorithm))));
        wiped("a copy", &mut || drop(Box::new(material.clone())));
        wiped("a PEM text that is read", &mut || drop(PrivateKey::from_pem(&text).unwrap()));
        wiped("a PEM text that is written", &mut || drop(material.to_secret_pem().unwrap()));
        wiped("the public half", &mut || drop(Box::new(material.public_key().unwrap())));
        wiped("signatures of each backend", &mut || {
            for key in signers(&material, algorithm) {
                match key {
                    Ok(key) => drop(Box::new(key.sign_bytes(b"input").unwrap())),
                    Err(error) => assert_eq!(error, KeyError::UnsupportedByBackend),
                }
            }
        });
        let end = text.find("-----END").unwrap() - 7;
        let broken = format!("{}*{}", &text[..end], &text[end + 1..]);
        wiped("a PEM text with an error near its end", &mut || {
            assert!(PrivateKey::from_pem(&broken).is_err());
            drop(Box::new(algorithm));
        });
    }
    #[cfg(feature = "ml-dsa")]
    expanded_keys();
}

/// Checks files with the expanded key beside the seed, the right one and another.
#[cfg(feature = "ml-dsa")]
fn expanded_keys() {
    let algorithm = Algorithm::MlDsa65;
    let expanded = expanded(algorithm);
    let tlv = |tag: u8, content: &[u8]| match u16::try_from(content.len()).unwrap() {
        short @ ..0x80 => [&[tag, short as u8], content].concat(),
        length => [&[tag, 0x82], &length.to_be_bytes()[..], content].concat(),
    };
    for wrong in [false, true] {
        let mut beside = expanded.clone();
        *beside.last_mut().unwrap() ^= u8::from(wrong);
        let key = tlv(0x30, &[tlv(4, &NUMBER), tlv(4, &beside)].concat());
        let identifier = b"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12";
        let file = tlv(0x30, &[&[2, 1, 0], &identifier[..], &tlv(4, &key)].concat());
        let found = leaks(|| {
            let private = Box::new(PrivateKey::from_der(&file).unwrap());
            for key in signers(&private, algorithm) {
                assert_eq!(key.is_err(), wrong);
            }
            assert_eq!(private.public_key().is_err(), wrong);
        });
        assert_eq!(found, 0, "an expanded key in a file, wrong: {wrong}");
    }
}
