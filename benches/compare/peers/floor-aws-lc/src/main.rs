//! The raw operations of `aws-lc-rs`, with keys that are parsed once.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, ParsedPublicKey, PqdsaKeyPair,
    PqdsaSigningAlgorithm, RsaKeyPair, RsaSignatureEncoding, Signature, VerificationAlgorithm,
};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use compare_common::keys::{KeyPair, RSA};
use compare_common::{Algorithm, Bench, tokens};
use std::hint::black_box;

fn main() {
    let mut bench = Bench::new();
    for algorithm in Algorithm::ALL.into_iter().filter(|algorithm| algorithm.secret().is_none()) {
        let (pair, verification) = (algorithm.key_pair(), verification(algorithm));
        let (input, _signature) = split(&bench.token(tokens::verify(algorithm)));
        let name = tokens::sign(algorithm);
        if let Some(encoding) = encoding(algorithm) {
            bench.other(name, sign_rsa(pair, encoding, input));
        } else if let Some(curve) = curve(algorithm) {
            bench.other(name, sign_ecdsa(pair, curve, input));
        } else if let Some(set) = parameter_set(algorithm) {
            bench.other(name, sign_ml_dsa(pair, set, input));
        } else {
            bench.other(name, sign_ed25519(pair, input));
        }
        verify(&mut bench, tokens::verify(algorithm), pair, verification);
    }
    for key in RSA.into_iter().skip(1) {
        verify(&mut bench, &tokens::verify_rs256(key.bits), key, verification(Algorithm::Rs256));
    }
    bench.serve();
}

fn verification(algorithm: Algorithm) -> &'static dyn VerificationAlgorithm {
    match algorithm {
        Algorithm::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps256 => &signature::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps384 => &signature::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps512 => &signature::RSA_PSS_2048_8192_SHA512,
        Algorithm::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
        Algorithm::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
        Algorithm::Es512 => &signature::ECDSA_P521_SHA512_FIXED,
        Algorithm::Es256k => &signature::ECDSA_P256K1_SHA256_FIXED,
        Algorithm::EdDsa => &signature::ED25519,
        Algorithm::MlDsa44 => &signature::ML_DSA_44,
        Algorithm::MlDsa65 => &signature::ML_DSA_65,
        Algorithm::MlDsa87 => &signature::ML_DSA_87,
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => panic!("HMAC has no public key"),
    }
}

fn encoding(algorithm: Algorithm) -> Option<&'static RsaSignatureEncoding> {
    match algorithm {
        Algorithm::Rs256 => Some(&signature::RSA_PKCS1_SHA256),
        Algorithm::Rs384 => Some(&signature::RSA_PKCS1_SHA384),
        Algorithm::Rs512 => Some(&signature::RSA_PKCS1_SHA512),
        Algorithm::Ps256 => Some(&signature::RSA_PSS_SHA256),
        Algorithm::Ps384 => Some(&signature::RSA_PSS_SHA384),
        Algorithm::Ps512 => Some(&signature::RSA_PSS_SHA512),
        _ => None,
    }
}

fn curve(algorithm: Algorithm) -> Option<&'static EcdsaSigningAlgorithm> {
    match algorithm {
        Algorithm::Es256 => Some(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
        Algorithm::Es384 => Some(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
        Algorithm::Es512 => Some(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
        Algorithm::Es256k => Some(&signature::ECDSA_P256K1_SHA256_FIXED_SIGNING),
        _ => None,
    }
}

fn parameter_set(algorithm: Algorithm) -> Option<&'static PqdsaSigningAlgorithm> {
    match algorithm {
        Algorithm::MlDsa44 => Some(&signature::ML_DSA_44_SIGNING),
        Algorithm::MlDsa65 => Some(&signature::ML_DSA_65_SIGNING),
        Algorithm::MlDsa87 => Some(&signature::ML_DSA_87_SIGNING),
        _ => None,
    }
}

fn sign_rsa(
    pair: KeyPair,
    encoding: &'static RsaSignatureEncoding,
    input: Vec<u8>,
) -> impl FnMut() -> Vec<u8> + 'static {
    let (key, random) = (RsaKeyPair::from_pkcs8(&pair.private_der()).unwrap(), SystemRandom::new());
    move || {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(encoding, &random, black_box(&input), &mut signature).unwrap();
        signature
    }
}

fn sign_ecdsa(
    pair: KeyPair,
    curve: &'static EcdsaSigningAlgorithm,
    input: Vec<u8>,
) -> impl FnMut() -> Signature + 'static {
    let key = EcdsaKeyPair::from_pkcs8(curve, &pair.private_der()).unwrap();
    let random = SystemRandom::new();
    move || key.sign(&random, black_box(&input)).unwrap()
}

fn sign_ed25519(pair: KeyPair, input: Vec<u8>) -> impl FnMut() -> Signature + 'static {
    let key = Ed25519KeyPair::from_pkcs8(&pair.private_der()).unwrap();
    move || key.sign(black_box(&input))
}

fn sign_ml_dsa(
    pair: KeyPair,
    set: &'static PqdsaSigningAlgorithm,
    input: Vec<u8>,
) -> impl FnMut() -> Vec<u8> + 'static {
    let key = PqdsaKeyPair::from_seed(set, &pair.private_number()).unwrap();
    move || {
        let mut signature = vec![0; set.signature_len()];
        key.sign(black_box(&input), &mut signature).unwrap();
        signature
    }
}

fn verify(bench: &mut Bench, name: &str, pair: KeyPair, algorithm: &'static dyn VerificationAlgorithm) {
    let key = ParsedPublicKey::new(algorithm, pair.public_content()).unwrap();
    let (input, signature) = split(&bench.token(name));
    bench.other(name, move || key.verify_sig(black_box(&input), black_box(&signature)).unwrap());
}

/// The signing input, and the signature.
fn split(token: &str) -> (Vec<u8>, Vec<u8>) {
    let (input, signature) = token.rsplit_once('.').unwrap();
    (input.into(), BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap())
}
