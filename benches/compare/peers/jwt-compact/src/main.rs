//! `jwt-compact`. It has types for `exp` and `iat` only; `iss` and `aud` are checked here. It has no ES384 and no ES512.
//! The crates of its curves have their default features, which make tables to sign with.

use chrono::DateTime;
use compare_common::claims::{
    AUDIENCE, EXPIRES_AT, ISSUED_AT, ISSUER, Refused, SUBJECT, Size, TinyUser, User, check_parties,
};
use compare_common::keys::{KeyPair, SECRET};
use compare_common::{self as common, Bench, Rs256, Sign, Verify};
use jwt_compact::alg::{
    Ed25519, Es256, Es256k, Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key, Rsa, RsaPrivateKey,
    RsaPublicKey, SigningKey, VerifyingKey,
};
use jwt_compact::{Algorithm, AlgorithmExt, Claims, Header, TimeOptions, Token, UntrustedToken};
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<JwtCompact>();
    bench.rs256::<JwtCompact>();
    hmac::<_, Hs384Key>(&mut bench, common::Algorithm::Hs384, || Hs384);
    hmac::<_, Hs512Key>(&mut bench, common::Algorithm::Hs512, || Hs512);
    for (algorithm, make) in [
        (common::Algorithm::Rs384, Rsa::rs384 as fn() -> Rsa),
        (common::Algorithm::Rs512, Rsa::rs512),
        (common::Algorithm::Ps256, Rsa::ps256),
        (common::Algorithm::Ps384, Rsa::ps384),
        (common::Algorithm::Ps512, Rsa::ps512),
    ] {
        let (private, public) = rsa_keys(algorithm.key_pair());
        add(&mut bench, algorithm, make, private, public);
    }
    curve(&mut bench, common::Algorithm::Es256, || Es256);
    curve(&mut bench, common::Algorithm::Es256k, <Es256k>::default);
    curve(&mut bench, common::Algorithm::EdDsa, || Ed25519);
    bench.serve();
}

fn hmac<A, K>(bench: &mut Bench, algorithm: common::Algorithm, make: fn() -> A)
where
    A: Algorithm<SigningKey = K, VerifyingKey = K> + 'static,
    K: for<'a> From<&'a [u8]> + 'static,
{
    let key = || K::from(algorithm.secret().unwrap());
    add(bench, algorithm, make, key(), key());
}

fn curve<A>(bench: &mut Bench, algorithm: common::Algorithm, make: fn() -> A)
where
    A: Algorithm + 'static,
    A::SigningKey: SigningKey<A>,
    A::VerifyingKey: VerifyingKey<A>,
{
    let pair = algorithm.key_pair();
    let signing = SigningKey::from_slice(&pair.private_number()).unwrap();
    add(bench, algorithm, make, signing, VerifyingKey::from_slice(&pair.public_content()).unwrap());
}

fn add<A: Algorithm + 'static>(
    bench: &mut Bench,
    algorithm: common::Algorithm,
    make: fn() -> A,
    signing: A::SigningKey,
    verifying: A::VerifyingKey,
) {
    bench.algorithm(algorithm, sign(make(), everything(Size::Typical), signing), verify(make(), verifying));
}

fn rsa_keys(pair: KeyPair) -> (RsaPrivateKey, RsaPublicKey) {
    let private = RsaPrivateKey::from_pkcs8_pem(pair.private_pem).unwrap();
    (private, RsaPublicKey::from_public_key_pem(pair.public_pem).unwrap())
}

struct JwtCompact;

impl compare_common::Hs256 for JwtCompact {
    fn sign(size: Size) -> impl Sign + 'static {
        sign(Hs256, everything(size), Hs256Key::new(SECRET))
    }

    fn verify() -> impl Verify + 'static {
        verify(Hs256, Hs256Key::new(SECRET))
    }

    fn sign_tiny() -> impl Sign + 'static {
        let mut claims = Claims::new(TinyUser::default());
        claims.expiration = DateTime::from_timestamp(EXPIRES_AT as i64, 0);
        sign(Hs256, claims, Hs256Key::new(SECRET))
    }

    fn verify_tiny() -> impl Verify + 'static {
        let (key, options) = (Hs256Key::new(SECRET), TimeOptions::default());
        move |token: &str| read::<_, TinyUser>(&Hs256, &key, &options, token)
    }
}

impl Rs256 for JwtCompact {
    fn sign(key: KeyPair) -> impl Sign + 'static {
        sign(Rsa::rs256(), everything(Size::Typical), rsa_keys(key).0)
    }

    fn verify(key: KeyPair) -> impl Verify + 'static {
        verify(Rsa::rs256(), rsa_keys(key).1)
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
