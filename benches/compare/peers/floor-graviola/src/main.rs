//! The raw operations of `graviola`, with keys that are parsed once. It has no ES512 and no ES256K.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use compare_common::keys::{KeyPair, RSA};
use compare_common::{Algorithm, Bench, tokens};
use graviola::Error;
use graviola::hashing::{Hash, Sha256, Sha384};
use graviola::signing::ecdsa::{self, Curve, P256, P384};
use graviola::signing::eddsa::{Ed25519SigningKey, Ed25519VerifyingKey};
use graviola::signing::rsa;
use std::hint::black_box;

type SignRsa = for<'a> fn(&rsa::SigningKey, &'a mut [u8], &[u8]) -> Result<&'a [u8], Error>;
type VerifyRsa = fn(&rsa::VerifyingKey, &[u8], &[u8]) -> Result<(), Error>;

fn main() {
    let mut bench = Bench::new();
    for algorithm in Algorithm::ALL {
        if let Some((sign, verify)) = rsa_functions(algorithm) {
            sign_rsa(&mut bench, algorithm, sign);
            verify_rsa(&mut bench, tokens::verify(algorithm), algorithm.key_pair(), verify);
        }
    }
    for key in RSA.into_iter().skip(1) {
        let name = tokens::verify_rs256(key.bits);
        verify_rsa(&mut bench, &name, key, rsa::VerifyingKey::verify_pkcs1_sha256);
    }
    ecdsa::<P256, Sha256>(&mut bench, Algorithm::Es256);
    ecdsa::<P384, Sha384>(&mut bench, Algorithm::Es384);
    ed25519(&mut bench);
    bench.serve();
}

fn rsa_functions(algorithm: Algorithm) -> Option<(SignRsa, VerifyRsa)> {
    use rsa::{SigningKey as Sign, VerifyingKey as Verify};
    Some(match algorithm {
        Algorithm::Rs256 => (Sign::sign_pkcs1_sha256, Verify::verify_pkcs1_sha256),
        Algorithm::Rs384 => (Sign::sign_pkcs1_sha384, Verify::verify_pkcs1_sha384),
        Algorithm::Rs512 => (Sign::sign_pkcs1_sha512, Verify::verify_pkcs1_sha512),
        Algorithm::Ps256 => (Sign::sign_pss_sha256, Verify::verify_pss_sha256),
        Algorithm::Ps384 => (Sign::sign_pss_sha384, Verify::verify_pss_sha384),
        Algorithm::Ps512 => (Sign::sign_pss_sha512, Verify::verify_pss_sha512),
        _ => return None,
    })
}

fn sign_rsa(bench: &mut Bench, algorithm: Algorithm, sign: SignRsa) {
    let key = rsa::SigningKey::from_pkcs8_der(&algorithm.key_pair().private_der()).unwrap();
    let (input, _signature) = split(&bench.token(tokens::verify(algorithm)));
    bench.other(tokens::sign(algorithm), move || {
        let mut signature = vec![0; key.modulus_len_bytes()];
        sign(&key, &mut signature, black_box(&input)).unwrap();
        signature
    });
}

fn verify_rsa(bench: &mut Bench, name: &str, pair: KeyPair, verify: VerifyRsa) {
    let key = rsa::VerifyingKey::from_pkcs1_der(&pair.public_content()).unwrap();
    let (input, signature) = split(&bench.token(name));
    bench.other(name, move || verify(&key, black_box(&signature), black_box(&input)).unwrap());
}

fn ecdsa<C: Curve + 'static, H: Hash>(bench: &mut Bench, algorithm: Algorithm) {
    let pair = algorithm.key_pair();
    let (input, signature) = split(&bench.token(tokens::verify(algorithm)));
    let key = ecdsa::VerifyingKey::<C>::from_x962_uncompressed(&pair.public_content()).unwrap();
    let (signed, length) = (input.clone(), signature.len());
    bench.other(tokens::verify(algorithm), move || {
        key.verify::<H>(&[black_box(&signed)], black_box(&signature)).unwrap();
    });
    let key = ecdsa::SigningKey::<C>::from_pkcs8_der(&pair.private_der()).unwrap();
    bench.other(tokens::sign(algorithm), move || {
        let mut signature = [0; 96];
        key.sign::<H>(&[black_box(&input)], &mut signature[..length]).unwrap();
        signature
    });
}

fn ed25519(bench: &mut Bench) {
    let (algorithm, pair) = (Algorithm::EdDsa, Algorithm::EdDsa.key_pair());
    let (input, signature) = split(&bench.token(tokens::verify(algorithm)));
    let key = Ed25519VerifyingKey::from_bytes(&pair.public_content()).unwrap();
    let signed = input.clone();
    bench.other(tokens::verify(algorithm), move || {
        key.verify(black_box(&signature), black_box(&signed)).unwrap();
    });
    let key = Ed25519SigningKey::from_bytes(&pair.private_number()).unwrap();
    bench.other(tokens::sign(algorithm), move || key.sign(black_box(&input)));
}

/// The signing input, and the signature.
fn split(token: &str) -> (Vec<u8>, Vec<u8>) {
    let (input, signature) = token.rsplit_once('.').unwrap();
    (input.into(), BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap())
}
