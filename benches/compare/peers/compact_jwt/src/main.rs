//! `compact_jwt`. It has types for the claims and leaves checking them to its caller, so they are checked
//! here.

use compact_jwt::crypto::{JwsRs256Signer, JwsRs256Verifier};
use compact_jwt::{JwsHs256Signer, JwsSigner, JwsVerifier, Jwt, JwtError, JwtUnverified};
use compare_common::claims::{
    AUDIENCE, EXPIRES_AT, ISSUED_AT, ISSUER, Refused, SUBJECT, Size, TinyUser, User, check_expiry,
    check_parties,
};
use compare_common::keys::{RsaKey, SECRET};
use compare_common::{Bench, Hs256, Rs256, Sign, Verify};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<CompactJwt>();
    bench.rs256::<CompactJwt>();
    bench.serve();
}

struct CompactJwt;

impl Hs256 for CompactJwt {
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
        move |token: &str| read::<TinyUser>(&key, token)
    }
}

impl Rs256 for CompactJwt {
    fn sign(key: RsaKey) -> impl Sign + 'static {
        sign(everything(Size::Typical), JwsRs256Signer::from_rs256_der(&key.private_der()).unwrap())
    }

    fn verify(key: RsaKey) -> impl Verify + 'static {
        verify(JwsRs256Verifier::from_rs256_der(&key.public_der()).unwrap())
    }
}

fn secret() -> JwsHs256Signer {
    JwsHs256Signer::try_from(SECRET.as_slice()).unwrap()
}

fn everything(size: Size) -> Jwt<User> {
    Jwt {
        iss: Some(ISSUER.to_owned()),
        sub: Some(SUBJECT.to_owned()),
        aud: Some(AUDIENCE.to_owned()),
        iat: Some(ISSUED_AT as i64),
        ..expiring(User::of(size))
    }
}

fn expiring<T: Clone>(extensions: T) -> Jwt<T> {
    Jwt {
        iss: None,
        sub: None,
        aud: None,
        exp: Some(EXPIRES_AT as i64),
        nbf: None,
        iat: None,
        jti: None,
        extensions,
        claims: BTreeMap::new(),
    }
}

/// Without the `kid` that it would add.
fn sign<T: Clone + Serialize + 'static>(
    claims: Jwt<T>,
    key: impl JwsSigner + 'static,
) -> impl Sign + 'static {
    let key = key.set_sign_option_embed_kid(false);
    move || Ok::<_, JwtError>(key.sign(&claims)?.to_string())
}

fn verify(key: impl JwsVerifier + 'static) -> impl Verify + 'static {
    move |token: &str| {
        let claims = read::<User>(&key, token)?;
        check_parties(claims.iss.as_deref(), claims.aud.as_deref())?;
        Ok::<_, Refused>(claims)
    }
}

fn read<T: Clone + DeserializeOwned>(key: &impl JwsVerifier, token: &str) -> Result<Jwt<T>, Refused> {
    let token: JwtUnverified<T> = token.parse().map_err(|_| Refused::Token)?;
    let claims = key.verify(&token).map_err(|_| Refused::Token)?;
    check_expiry(claims.exp.and_then(|exp| exp.try_into().ok()).unwrap_or(0))?;
    Ok(claims)
}
