//! `jwt-simple`, with the RSA that the feature names. Its calls consume claims and options, so they are
//! cloned.

use compare_common::claims::{AUDIENCE, EXPIRES_AT, ISSUED_AT, ISSUER, SUBJECT, Size, TinyUser, User};
use compare_common::keys::{RsaKey, SECRET};
use compare_common::{Bench, Hs256, Rs256, Sign, Verify};
use jwt_simple::prelude::*;
use serde::Serialize;
use std::collections::HashSet;

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<JwtSimple>();
    bench.rs256::<JwtSimple>();
    bench.serve();
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
    fn sign(key: RsaKey) -> impl Sign + 'static {
        let (key, claims) = (RS256KeyPair::from_pem(key.private_pem).unwrap(), everything(Size::Typical));
        move || key.sign(claims.clone())
    }

    fn verify(key: RsaKey) -> impl Verify + 'static {
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
