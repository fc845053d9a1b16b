//! The same work without a token library around it: a keyed HMAC, base64 with the vector unit, one pass of
//! JSON into one struct, one look at the clock. Nothing about the token is checked but the signature and
//! `exp`. For RSA it is the raw operation of the crate `rsa`.

use base64::Engine;
use base64::engine::Simd;
use base64::engine::general_purpose::NO_PAD;
use compare_common::claims::{Everything, Refused, Size, Tiny, check_expiry};
use compare_common::keys::{RSA, RSA_2048, RsaKey, SECRET};
use compare_common::{Bench, Hs256, Sign, Verify, tokens};
use hmac::{Hmac, KeyInit, Mac};
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::signature::{Signer, Verifier};
use rsa::{PrivateKey, PublicKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use std::hint::black_box;

/// `{"alg":"HS256","typ":"JWT"}`.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.";

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<Floor>();
    let token = bench.token(&tokens::verify_rs256(RSA_2048.bits));
    bench.other(tokens::SIGN_RS256, sign_raw(&token));
    for key in RSA {
        let name = tokens::verify_rs256(key.bits);
        bench.other(&name, verify_raw(key, &bench.token(&name)));
    }
    bench.serve();
}

struct Floor;

impl Hs256 for Floor {
    fn sign(size: Size) -> impl Sign + 'static {
        sign(Everything::of(size))
    }

    fn verify() -> impl Verify + 'static {
        verify(|claims: &Everything| claims.exp)
    }

    fn sign_tiny() -> impl Sign + 'static {
        sign(Tiny::default())
    }

    fn verify_tiny() -> impl Verify + 'static {
        verify(|claims: &Tiny| claims.exp)
    }
}

fn sign(claims: impl Serialize + 'static) -> impl Sign + 'static {
    let (mac, engine) = (keyed(), Simd::url_safe(NO_PAD));
    move || {
        let mut json = Vec::with_capacity(512);
        serde_json::to_writer(&mut json, &claims)?;
        let mut text = String::with_capacity(HEADER.len() + json.len() * 4 / 3 + 48);
        text.push_str(HEADER);
        engine.encode_string(&json, &mut text);
        let tag = mac.clone().chain_update(text.as_bytes()).finalize().into_bytes();
        text.push('.');
        engine.encode_string(tag, &mut text);
        Ok::<_, serde_json::Error>(text)
    }
}

fn verify<T: DeserializeOwned + 'static>(exp: fn(&T) -> u64) -> impl Verify + 'static {
    let (mac, engine) = (keyed(), Simd::url_safe(NO_PAD));
    move |token: &str| {
        let (input, tag) = token.rsplit_once('.').ok_or(Refused::Token)?;
        let mut signature = [0; 32];
        engine.decode_slice(tag, &mut signature).map_err(|_| Refused::Token)?;
        mac.clone().chain_update(input).verify_slice(&signature).map_err(|_| Refused::Token)?;
        let json = engine.decode(&input[HEADER.len()..]).map_err(|_| Refused::Token)?;
        let json = String::from_utf8(json).map_err(|_| Refused::Token)?;
        let claims: T = serde_json::from_str(&json).map_err(|_| Refused::Token)?;
        check_expiry(exp(&claims))?;
        Ok::<_, Refused>(claims)
    }
}

fn keyed() -> Hmac<Sha256> {
    Hmac::new_from_slice(&SECRET).unwrap()
}

fn sign_raw(token: &str) -> impl FnMut() -> Signature + 'static {
    let key = SigningKey::<Sha256>::new(PrivateKey::from_pkcs8_pem(RSA_2048.private_pem).unwrap());
    let (input, _signature) = split(token);
    move || key.sign(black_box(&input))
}

fn verify_raw(key: RsaKey, token: &str) -> impl FnMut() + 'static {
    let key = VerifyingKey::<Sha256>::new(PublicKey::from_public_key_pem(key.public_pem).unwrap());
    let (input, signature) = split(token);
    let signature = Signature::try_from(signature.as_slice()).unwrap();
    move || key.verify(black_box(&input), black_box(&signature)).unwrap()
}

/// The signing input, and the signature.
fn split(token: &str) -> (Vec<u8>, Vec<u8>) {
    let (input, signature) = token.rsplit_once('.').unwrap();
    (input.into(), Simd::url_safe(NO_PAD).decode(signature).unwrap())
}
