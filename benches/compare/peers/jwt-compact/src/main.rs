//! `jwt-compact`. It has types for `exp` and `iat` only; `iss` and `aud` are checked here.

use chrono::DateTime;
use compare_common::claims::{
    AUDIENCE, EXPIRES_AT, ISSUED_AT, ISSUER, Refused, SUBJECT, Size, TinyUser, User, check_parties,
};
use compare_common::keys::{RsaKey, SECRET};
use compare_common::{Bench, Rs256, Sign, Verify};
use jwt_compact::alg::{HmacKey, Hs256, Rsa, RsaPrivateKey, RsaPublicKey};
use jwt_compact::{Algorithm, AlgorithmExt, Claims, Header, TimeOptions, Token, UntrustedToken};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<JwtCompact>();
    bench.rs256::<JwtCompact>();
    bench.serve();
}

struct JwtCompact;

impl compare_common::Hs256 for JwtCompact {
    fn sign(size: Size) -> impl Sign + 'static {
        sign(Hs256, everything(size), HmacKey::new(SECRET))
    }

    fn verify() -> impl Verify + 'static {
        verify(Hs256, HmacKey::new(SECRET))
    }

    fn sign_tiny() -> impl Sign + 'static {
        let mut claims = Claims::new(TinyUser::default());
        claims.expiration = DateTime::from_timestamp(EXPIRES_AT as i64, 0);
        sign(Hs256, claims, HmacKey::new(SECRET))
    }

    fn verify_tiny() -> impl Verify + 'static {
        let (key, options) = (HmacKey::new(SECRET), TimeOptions::default());
        move |token: &str| read::<_, TinyUser>(&Hs256, &key, &options, token)
    }
}

impl Rs256 for JwtCompact {
    fn sign(key: RsaKey) -> impl Sign + 'static {
        let key = RsaPrivateKey::from_pkcs8_pem(key.private_pem).unwrap();
        sign(Rsa::rs256(), everything(Size::Typical), key)
    }

    fn verify(key: RsaKey) -> impl Verify + 'static {
        verify(Rsa::rs256(), RsaPublicKey::from_public_key_pem(key.public_pem).unwrap())
    }
}

/// What `jwt-compact` has no fields for.
#[derive(Serialize, Deserialize)]
struct Custom {
    iss: String,
    sub: String,
    aud: String,
    name: String,
    role: String,
}

fn everything(size: Size) -> Claims<Custom> {
    let User { name, role } = User::of(size);
    let (iss, sub, aud) = (ISSUER.to_owned(), SUBJECT.to_owned(), AUDIENCE.to_owned());
    let mut claims = Claims::new(Custom { iss, sub, aud, name, role });
    claims.issued_at = DateTime::from_timestamp(ISSUED_AT as i64, 0);
    claims.expiration = DateTime::from_timestamp(EXPIRES_AT as i64, 0);
    claims
}

fn sign<A: Algorithm + 'static, T: Serialize + 'static>(
    algorithm: A,
    claims: Claims<T>,
    key: A::SigningKey,
) -> impl Sign + 'static {
    let header = Header::empty().with_token_type("JWT");
    move || algorithm.token(&header, &claims, &key)
}

fn verify<A: Algorithm + 'static>(algorithm: A, key: A::VerifyingKey) -> impl Verify + 'static {
    let options = TimeOptions::default();
    move |token: &str| {
        let token = read::<_, Custom>(&algorithm, &key, &options, token)?;
        let custom = &token.claims().custom;
        check_parties(Some(&custom.iss), Some(&custom.aud))?;
        Ok::<_, Refused>(token)
    }
}

fn read<A: Algorithm, T: DeserializeOwned>(
    algorithm: &A,
    key: &A::VerifyingKey,
    options: &TimeOptions,
    token: &str,
) -> Result<Token<T>, Refused> {
    let token = UntrustedToken::new(token).map_err(|_| Refused::Token)?;
    let token = algorithm.validator::<T>(key).validate(&token).map_err(|_| Refused::Token)?;
    token.claims().validate_expiration(options).map_err(|_| Refused::Expired)?;
    Ok(token)
}
