//! The raw RSA operations of `aws-lc-rs`, with keys that are parsed once.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use compare_common::keys::{RSA, RSA_2048, RsaKey};
use compare_common::{Bench, tokens};
use std::hint::black_box;

fn main() {
    let mut bench = Bench::new();
    let token = bench.token(&tokens::verify_rs256(RSA_2048.bits));
    bench.other(tokens::SIGN_RS256, sign(&token));
    for key in RSA {
        let name = tokens::verify_rs256(key.bits);
        bench.other(&name, verify(key, &bench.token(&name)));
    }
    bench.serve();
}

fn sign(token: &str) -> impl FnMut() -> Vec<u8> + 'static {
    let (key, random) = (RsaKeyPair::from_pkcs8(&RSA_2048.private_der()).unwrap(), SystemRandom::new());
    let (input, _signature) = split(token);
    move || {
        let mut signature = vec![0; key.public_modulus_len()];
        key.sign(&RSA_PKCS1_SHA256, &random, black_box(&input), &mut signature).unwrap();
        signature
    }
}

fn verify(key: RsaKey, token: &str) -> impl FnMut() + 'static {
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_pkcs1_der()).unwrap();
    let (input, signature) = split(token);
    move || key.verify_sig(black_box(&input), black_box(&signature)).unwrap()
}

/// The signing input, and the signature.
fn split(token: &str) -> (Vec<u8>, Vec<u8>) {
    let (input, signature) = token.rsplit_once('.').unwrap();
    (input.into(), BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap())
}
