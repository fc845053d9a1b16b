//! `jwt-simple`, with the RSA that the feature names. Its calls consume claims and options, so they are cloned. It has no
//! ES512.

use compare_common::claims::{AUDIENCE, EXPIRES_AT, ISSUED_AT, ISSUER, SUBJECT, Size, TinyUser, User};
use compare_common::keys::{KeyPair, SECRET};
use compare_common::{Algorithm, Bench, Hs256, Rs256, Sign, Verify};
use jwt_simple::prelude::*;
use serde::Serialize;
use std::collections::HashSet;

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<JwtSimple>();
    bench.rs256::<JwtSimple>();
    hmac(&mut bench);
    key_pairs(&mut bench);
    ml_dsa(&mut bench);
    bench.serve();
}

/// Each algorithm has types of its own.
fn hmac(bench: &mut Bench) {
    macro_rules! add {
        ($algorithm:expr, $key:ty) => {
            let secret = $algorithm.secret().unwrap();
            let (key, claims) = (<$key>::from_bytes(secret), everything(Size::Typical));
            let sign = move || key.authenticate(claims.clone());
            let (key, options) = (<$key>::from_bytes(secret), options());
            let verify = move |token: &str| key.verify_token::<User>(token, Some(options.clone()));
            bench.algorithm($algorithm, sign, verify);
        };
    }
    add!(Algorithm::Hs384, HS384Key);
    add!(Algorithm::Hs512, HS512Key);
}

fn key_pairs(bench: &mut Bench) {
    macro_rules! add {
        ($algorithm:expr, $private:ty, $public:ty) => {
            let pair = $algorithm.key_pair();
            let (key, claims) = (<$private>::from_pem(pair.private_pem).unwrap(), everything(Size::Typical));
            let sign = move || key.sign(claims.clone());
            let (key, options) = (<$public>::from_pem(pair.public_pem).unwrap(), options());
            let verify = move |token: &str| key.verify_token::<User>(token, Some(options.clone()));
            bench.algorithm($algorithm, sign, verify);
        };
    }
    add!(Algorithm::Rs384, RS384KeyPair, RS384PublicKey);
    add!(Algorithm::Rs512, RS512KeyPair, RS512PublicKey);
    add!(Algorithm::Ps256, PS256KeyPair, PS256PublicKey);
    add!(Algorithm::Ps384, PS384KeyPair, PS384PublicKey);
    add!(Algorithm::Ps512, PS512KeyPair, PS512PublicKey);
    add!(Algorithm::Es256, ES256KeyPair, ES256PublicKey);
    add!(Algorithm::Es384, ES384KeyPair, ES384PublicKey);
    add!(Algorithm::Es256k, ES256kKeyPair, ES256kPublicKey);
    add!(Algorithm::EdDsa, Ed25519KeyPair, Ed25519PublicKey);
}

/// It reads no PEM for these keys.
fn ml_dsa(bench: &mut Bench) {
    macro_rules! add {
        ($algorithm:expr, $private:ty, $public:ty) => {
            let pair = $algorithm.key_pair();
            let key = <$private>::from_bytes(&pair.private_number()).unwrap();
            let claims = everything(Size::Typical);
            let sign = move || key.sign(claims.clone());
            let (key, options) = (<$public>::from_bytes(&pair.public_content()).unwrap(), options());
            let verify = move |token: &str| key.verify_token::<User>(token, Some(options.clone()));
            bench.algorithm($algorithm, sign, verify);
        };
    }
    add!(Algorithm::MlDsa44, MLDSA44KeyPair, MLDSA44PublicKey);
    add!(Algorithm::MlDsa65, MLDSA65KeyPair, MLDSA65PublicKey);
    add!(Algorithm::MlDsa87, MLDSA87KeyPair, MLDSA87PublicKey);
}

struct JwtSimple;

impl Hs256 for JwtSimple {
    fn sign(size: Size) -> impl Sign + 'static {
        authenticate(everything(size))
    }

    fn verify() -> impl Verify + 'static {
        let (key, options) = (HS256Key::from_bytes(&SECRET), options());
        move |token: &str| key.verify_token::<User>(token, Some(options.clone()))
    }

    fn sign_tiny() -> impl Sign + 'static {
        let mut claims = Claims::with_custom_claims(TinyUser::default(), Duration::default());
        (claims.issued_at, claims.invalid_before) = (None, None);
        claims.expires_at = Some(Duration::from_secs(EXPIRES_AT));
        authenticate(claims)
    }

    fn verify_tiny() -> impl Verify + 'static {
        let key = HS256Key::from_bytes(&SECRET);
        move |token: &str| key.verify_token::<TinyUser>(token, None)
    }
}

impl Rs256 for JwtSimple {
    fn sign(key: KeyPair) -> impl Sign + 'static {
        let (key, claims) = (RS256KeyPair::from_pem(key.private_pem).unwrap(), everything(Size::Typical));
        move || key.sign(claims.clone())
    }

    fn verify(key: KeyPair) -> impl Verify + 'static {
        let (key, options) = (RS256PublicKey::from_pem(key.public_pem).unwrap(), options());
        move |token: &str| key.verify_token::<User>(token, Some(options.clone()))
    }
}

fn everything(size: Size) -> JWTClaims<User> {
    let mut claims = Claims::with_custom_claims(User::of(size), Duration::default())
        .with_issuer(ISSUER)
        .with_subject(SUBJECT)
        .with_audience(AUDIENCE);
    claims.issued_at = Some(Duration::from_secs(ISSUED_AT));
    claims.invalid_before = None;
    claims.expires_at = Some(Duration::from_secs(EXPIRES_AT));
    claims
}

fn options() -> VerificationOptions {
    VerificationOptions {
        allowed_issuers: Some(HashSet::from([ISSUER.to_owned()])),
        allowed_audiences: Some(HashSet::from([AUDIENCE.to_owned()])),
        ..VerificationOptions::default()
    }
}

fn authenticate<T: Clone + Serialize + 'static>(claims: JWTClaims<T>) -> impl Sign + 'static {
    let key = HS256Key::from_bytes(&SECRET);
    move || key.authenticate(claims.clone())
}
