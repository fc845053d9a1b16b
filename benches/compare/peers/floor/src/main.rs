//! The same work without a token library around it: a keyed HMAC, base64 with the vector unit, one pass of
//! JSON into one struct, one look at the clock. Nothing about the token is checked but the signature and
//! `exp`. For key pairs it is the raw operation of the RustCrypto crates, with a key that is parsed once.

use base64::Engine;
use base64::engine::Simd;
use base64::engine::general_purpose::NO_PAD;
use compare_common::claims::{Everything, Refused, Size, Tiny, check_expiry};
use compare_common::keys::{KeyPair, RSA, SECRET};
use compare_common::{Algorithm, Bench, Hs256, Sign, Verify, tokens};
use hmac::digest::Output;
use hmac::{Hmac, KeyInit, Mac};
use ml_dsa::common::getrandom::SysRng;
use ml_dsa::{MlDsa44, MlDsa65, MlDsa87, MlDsaParams};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::signature::{Signer, Verifier};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Sha256, Sha384, Sha512};
use std::hint::black_box;
use std::rc::Rc;

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<Floor>();
    hmac::<Hmac<Sha384>>(&mut bench, Algorithm::Hs384);
    hmac::<Hmac<Sha512>>(&mut bench, Algorithm::Hs512);
    raw_hmac::<Hmac<Sha256>>(&mut bench, Algorithm::Hs256);
    raw_hmac::<Hmac<Sha384>>(&mut bench, Algorithm::Hs384);
    raw_hmac::<Hmac<Sha512>>(&mut bench, Algorithm::Hs512);
    rsa(&mut bench);
    ecdsa(&mut bench);
    ed25519(&mut bench);
    ml_dsa::<MlDsa44>(&mut bench, Algorithm::MlDsa44);
    ml_dsa::<MlDsa65>(&mut bench, Algorithm::MlDsa65);
    ml_dsa::<MlDsa87>(&mut bench, Algorithm::MlDsa87);
    bench.serve();
}

struct Floor;

impl Hs256 for Floor {
    fn sign(size: Size) -> impl Sign + 'static {
        sign(keyed(), Algorithm::Hs256, Everything::of(size))
    }

    fn verify() -> impl Verify + 'static {
        verify(keyed(), Algorithm::Hs256, |claims: &Everything| claims.exp)
    }

    fn sign_tiny() -> impl Sign + 'static {
        sign(keyed(), Algorithm::Hs256, Tiny::default())
    }

    fn verify_tiny() -> impl Verify + 'static {
        verify(keyed(), Algorithm::Hs256, |claims: &Tiny| claims.exp)
    }
}

fn keyed() -> Hmac<Sha256> {
    Hmac::new_from_slice(&SECRET).unwrap()
}

fn hmac<M: Mac + KeyInit + Clone + 'static>(bench: &mut Bench, algorithm: Algorithm) {
    let mac: M = KeyInit::new_from_slice(algorithm.secret().unwrap()).unwrap();
    bench.algorithm(
        algorithm,
        sign(mac.clone(), algorithm, Everything::of(Size::Typical)),
        verify(mac, algorithm, |claims: &Everything| claims.exp),
    );
}

/// The part of an operation that depends on the algorithm.
fn raw_hmac<M: Mac + KeyInit + Clone + 'static>(bench: &mut Bench, algorithm: Algorithm) {
    let mac: M = KeyInit::new_from_slice(algorithm.secret().unwrap()).unwrap();
    let (input, _signature) = split(&bench.token(tokens::verify(algorithm)));
    let name = tokens::raw_hmac(algorithm).unwrap();
    bench.other(name, move || mac.clone().chain_update(black_box(&input)).finalize());
}

fn sign(
    mac: impl Mac + Clone + 'static,
    algorithm: Algorithm,
    claims: impl Serialize + 'static,
) -> impl Sign + 'static {
    let (header, engine) = (header(algorithm), Simd::url_safe(NO_PAD));
    move || {
        let mut json = Vec::with_capacity(512);
        serde_json::to_writer(&mut json, &claims)?;
        let mut text = String::with_capacity(header.len() + json.len() * 4 / 3 + 96);
        text.push_str(&header);
        engine.encode_string(&json, &mut text);
        let tag = mac.clone().chain_update(text.as_bytes()).finalize().into_bytes();
        text.push('.');
        engine.encode_string(tag, &mut text);
        Ok::<_, serde_json::Error>(text)
    }
}

fn verify<M: Mac + Clone + 'static, T: DeserializeOwned + 'static>(
    mac: M,
    algorithm: Algorithm,
    exp: fn(&T) -> u64,
) -> impl Verify + 'static {
    let (header, engine) = (header(algorithm).len(), Simd::url_safe(NO_PAD));
    move |token: &str| {
        let (input, tag) = token.rsplit_once('.').ok_or(Refused::Token)?;
        let mut signature = Output::<M>::default();
        engine.decode_slice(tag, &mut signature).map_err(|_| Refused::Token)?;
        mac.clone().chain_update(input).verify_slice(&signature).map_err(|_| Refused::Token)?;
        let json = engine.decode(&input[header..]).map_err(|_| Refused::Token)?;
        let json = String::from_utf8(json).map_err(|_| Refused::Token)?;
        let claims: T = serde_json::from_str(&json).map_err(|_| Refused::Token)?;
        check_expiry(exp(&claims))?;
        Ok::<_, Refused>(claims)
    }
}

/// The encoded header, and the dot behind it.
fn header(algorithm: Algorithm) -> String {
    let header = format!(r#"{{"alg":"{}","typ":"JWT"}}"#, algorithm.name());
    format!("{}.", Simd::url_safe(NO_PAD).encode(header))
}

/// RSA with the default features of the crate, which blinds signatures with them.
fn rsa(bench: &mut Bench) {
    macro_rules! add {
        ($algorithm:expr, $padding:ident, $hash:ty) => {
            let (pair, name) = ($algorithm.key_pair(), tokens::verify($algorithm));
            let (input, _signature) = split(&bench.token(name));
            let key = rsa::PrivateKey::from_pkcs8_pem(pair.private_pem).unwrap();
            let key = rsa::$padding::SigningKey::<$hash>::new(key);
            bench.other(tokens::sign($algorithm), move || key.sign(black_box(&input)));
            add!(name, pair, $padding, $hash);
        };
        ($name:expr, $pair:expr, $padding:ident, $hash:ty) => {
            let (input, signature) = split(&bench.token($name));
            let key = rsa::PublicKey::from_public_key_pem($pair.public_pem).unwrap();
            let key = rsa::$padding::VerifyingKey::<$hash>::new(key);
            let signature = rsa::$padding::Signature::try_from(signature.as_slice()).unwrap();
            bench.other($name, move || key.verify(black_box(&input), black_box(&signature)).unwrap());
        };
    }
    add!(Algorithm::Rs256, pkcs1v15, Sha256);
    add!(Algorithm::Rs384, pkcs1v15, Sha384);
    add!(Algorithm::Rs512, pkcs1v15, Sha512);
    add!(Algorithm::Ps256, pss, Sha256);
    add!(Algorithm::Ps384, pss, Sha384);
    add!(Algorithm::Ps512, pss, Sha512);
    for key in longer_rsa() {
        add!(&tokens::verify_rs256(key.bits), key, pkcs1v15, Sha256);
    }
}

fn longer_rsa() -> impl Iterator<Item = KeyPair> {
    RSA.into_iter().skip(1)
}

fn ecdsa(bench: &mut Bench) {
    macro_rules! add {
        ($algorithm:expr, $library:ident) => {
            let (pair, name) = ($algorithm.key_pair(), tokens::verify($algorithm));
            let (input, signature) = split(&bench.token(name));
            let key = $library::ecdsa::VerifyingKey::from_sec1_bytes(&pair.public_content()).unwrap();
            let signature = $library::ecdsa::Signature::from_slice(&signature).unwrap();
            let signed = input.clone();
            bench.other(name, move || key.verify(black_box(&signed), black_box(&signature)).unwrap());
            let key = $library::ecdsa::SigningKey::from_slice(&pair.private_number()).unwrap();
            bench.other(tokens::sign($algorithm), move || -> $library::ecdsa::Signature {
                key.sign(black_box(&input))
            });
        };
    }
    add!(Algorithm::Es256, p256);
    add!(Algorithm::Es384, p384);
    add!(Algorithm::Es512, p521);
    add!(Algorithm::Es256k, k256);
}

/// Verifies as strictly as `countersign` does.
fn ed25519(bench: &mut Bench) {
    let (algorithm, pair) = (Algorithm::EdDsa, Algorithm::EdDsa.key_pair());
    let (input, signature) = split(&bench.token(tokens::verify(algorithm)));
    let key = ed25519_dalek::VerifyingKey::try_from(pair.public_content().as_slice()).unwrap();
    let signature = ed25519_dalek::Signature::from_slice(&signature).unwrap();
    let signed = input.clone();
    bench.other(tokens::verify(algorithm), move || {
        key.verify_strict(black_box(&signed), black_box(&signature)).unwrap();
    });
    let key = ed25519_dalek::SigningKey::try_from(pair.private_number().as_slice()).unwrap();
    bench.other(tokens::sign(algorithm), move || key.sign(black_box(&input)));
}

/// Reads and writes the bytes of a signature too. They hold the numbers of a polynomial in few bits each, so that this is a part
/// of the work that no token library can leave out.
fn ml_dsa<P: MlDsaParams + 'static>(bench: &mut Bench, algorithm: Algorithm) {
    let pair = algorithm.key_pair();
    let (input, signature) = split(&bench.token(tokens::verify(algorithm)));
    let key = ml_dsa::VerifyingKey::<P>::decode(&pair.public_content().as_slice().try_into().unwrap());
    let signed = input.clone();
    bench.other(tokens::verify(algorithm), move || {
        let signature = ml_dsa::Signature::try_from(black_box(signature.as_slice())).unwrap();
        assert!(key.verify_with_context(black_box(&signed), &[], &signature));
    });
    let seed = pair.private_number().as_slice().try_into().unwrap();
    let key = Rc::new(ml_dsa::ExpandedSigningKey::<P>::from_seed(&seed));
    let (signing, signed) = (Rc::clone(&key), input.clone());
    bench.other(tokens::sign(algorithm), move || {
        signing.sign_randomized(black_box(&signed), &[], &mut SysRng).unwrap().encode()
    });
    bench.other(tokens::sign_deterministic(algorithm).unwrap(), move || {
        key.sign_deterministic(black_box(&input), &[]).unwrap().encode()
    });
}

/// The signing input, and the signature.
fn split(token: &str) -> (Vec<u8>, Vec<u8>) {
    let (input, signature) = token.rsplit_once('.').unwrap();
    (input.into(), Simd::url_safe(NO_PAD).decode(signature).unwrap())
}
