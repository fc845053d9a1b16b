//! The raw operations of `ring`. It has no ES512 and no ES256K, and it parses a public key for each signature.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use compare_common::keys::{KeyPair, RSA};
use compare_common::{Algorithm, Bench, tokens};
use ring::rand::SystemRandom;
use ring::rsa;
use ring::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, RsaEncoding, Signature, UnparsedPublicKey,
    VerificationAlgorithm,
};
use std::hint::black_box;

fn main() {
    let mut bench = Bench::new();
    for algorithm in Algorithm::ALL {
        let Some(verification) = verification(algorithm) else { continue };
        let pair = algorithm.key_pair();
        let (input, _signature) = split(&bench.token(tokens::verify(algorithm)));
        let name = tokens::sign(algorithm);
        if let Some(encoding) = encoding(algorithm) {
            bench.other(name, sign_rsa(pair, encoding, input));
        } else if let Some(curve) = curve(algorithm) {
            bench.other(name, sign_ecdsa(pair, curve, input));
        } else {
            bench.other(name, sign_ed25519(pair, input));
        }
        verify(&mut bench, tokens::verify(algorithm), pair, verification);
    }
    for key in RSA.into_iter().skip(1) {
        verify(&mut bench, &tokens::verify_rs256(key.bits), key, &signature::RSA_PKCS1_2048_8192_SHA256);
    }
    bench.serve();
}

fn verification(algorithm: Algorithm) -> Option<&'static dyn VerificationAlgorithm> {
    Some(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::EdDsa => &signature::ED25519,
        _ => return None,
    })
}

fn encoding(algorithm: Algorithm) -> Option<&'static dyn RsaEncoding> {
    Some(match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_SHA512,
        _ => return None,
    })
}

fn curve(algorithm: Algorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    match algorithm {
        Algorithm::Es256 => Some(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => Some(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        _ => None,
    }
}

fn sign_rsa(
    pair: KeyPair,
    encoding: &'static dyn RsaEncoding,
    input: Vec<u8>,
) -> impl FnMut() -> Vec<u8> + 'static {
    let (key, random) = (rsa::KeyPair::from_pkcs8(&pair.private_der()).unwrap(), SystemRandom::new());
    move || {
        let mut signature = vec![0; key.public().modulus_len()];
        key.sign(encoding, &random, black_box(&input), &mut signature).unwrap();
        signature
    }
}

fn sign_ecdsa(
    pair: KeyPair,
    curve: &'static EcdsaSigningAlgorithm,
    input: Vec<u8>,
) -> impl FnMut() -> Signature + 'static {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::from_pkcs8(curve, &pair.private_der(), &random).unwrap();
    move || key.sign(&random, black_box(&input)).unwrap()
}

fn sign_ed25519(pair: KeyPair, input: Vec<u8>) -> impl FnMut() -> Signature + 'static {
    let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&pair.private_der()).unwrap();
    move || key.sign(black_box(&input))
}

fn verify(bench: &mut Bench, name: &str, pair: KeyPair, algorithm: &'static dyn VerificationAlgorithm) {
    let key = UnparsedPublicKey::new(algorithm, pair.public_content());
    let (input, signature) = split(&bench.token(name));
    bench.other(name, move || key.verify(black_box(&input), black_box(&signature)).unwrap());
}

/// The signing input, and the signature.
fn split(token: &str) -> (Vec<u8>, Vec<u8>) {
    let (input, signature) = token.rsplit_once('.').unwrap();
    (input.into(), BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap())
}
