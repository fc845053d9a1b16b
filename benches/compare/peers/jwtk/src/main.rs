//! `jwtk`, with OpenSSL: its other cryptography signs nothing. It checks `exp`; `iss` and `aud` are checked
//! here.

use compare_common::claims::{
    AUDIENCE, EXPIRES_AT, ISSUED_AT, ISSUER, Refused, SUBJECT, Size, TinyUser, User, check_parties,
};
use compare_common::keys::{RsaKey, SECRET};
use compare_common::{Bench, Hs256, Rs256, Sign, Verify};
use jwtk::hmac::{HmacAlgorithm, HmacKey};
use jwtk::rsa::{RsaAlgorithm, RsaPrivateKey, RsaPublicKey};
use jwtk::{HeaderAndClaims, OneOrMany, SigningKey, VerificationKey};
use serde::Serialize;
use std::time::Duration;

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<Jwtk>();
    bench.rs256::<Jwtk>();
    bench.serve();
}

struct Jwtk;

impl Hs256 for Jwtk {
    fn sign(size: Size) -> impl Sign + 'static {
        sign(everything(size), secret())
    }

    fn verify() -> impl Verify + 'static {
        verify(secret())
    }

    fn sign_tiny() -> impl Sign + 'static {
        sign(expiring(TinyUser::default()), secret())
    }

    fn verify_tiny() -> impl Verify + 'static {
        let key = secret();
        move |token: &str| jwtk::verify::<TinyUser>(token, &key)
    }
}

impl Rs256 for Jwtk {
    fn sign(key: RsaKey) -> impl Sign + 'static {
        let key = RsaPrivateKey::from_pem(key.private_pem.as_bytes(), RsaAlgorithm::RS256).unwrap();
        sign(everything(Size::Typical), key)
    }

    fn verify(key: RsaKey) -> impl Verify + 'static {
        verify(RsaPublicKey::from_pem(key.public_pem.as_bytes(), Some(RsaAlgorithm::RS256)).unwrap())
    }
}

fn secret() -> HmacKey {
    HmacKey::from_bytes(&SECRET, HmacAlgorithm::HS256)
}

fn everything(size: Size) -> HeaderAndClaims<User> {
    let mut token = expiring(User::of(size));
    let claims = token.claims_mut();
    claims.iss = Some(ISSUER.to_owned());
    claims.sub = Some(SUBJECT.to_owned());
    claims.aud = OneOrMany::One(AUDIENCE.to_owned());
    claims.iat = Some(Duration::from_secs(ISSUED_AT));
    token
}

fn expiring<T>(private: T) -> HeaderAndClaims<T> {
    let mut token = HeaderAndClaims::with_claims(private);
    token.claims_mut().exp = Some(Duration::from_secs(EXPIRES_AT));
    token
}

fn sign<T: Serialize + 'static>(
    mut claims: HeaderAndClaims<T>,
    key: impl SigningKey + 'static,
) -> impl Sign + 'static {
    move || jwtk::sign(&mut claims, &key)
}

fn verify(key: impl VerificationKey + 'static) -> impl Verify + 'static {
    move |token: &str| {
        let token = jwtk::verify::<User>(token, &key).map_err(|_| Refused::Token)?;
        let claims = token.claims();
        check_parties(claims.iss.as_deref(), claims.aud.iter().next().map(String::as_str))?;
        Ok::<_, Refused>(token)
    }
}
