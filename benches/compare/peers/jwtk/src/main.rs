//! `jwtk`, with OpenSSL: its other cryptography signs nothing. It checks `exp`; `iss` and `aud` are checked
//! here.

use compare_common::claims::{
    AUDIENCE, EXPIRES_AT, ISSUED_AT, ISSUER, Refused, SUBJECT, Size, TinyUser, User, check_parties,
};
use compare_common::keys::{KeyPair, SECRET};
use compare_common::{Algorithm, Bench, Hs256, Rs256, Sign, Verify};
use jwtk::ecdsa::{EcdsaPrivateKey, EcdsaPublicKey};
use jwtk::eddsa::{Ed25519PrivateKey, Ed25519PublicKey};
use jwtk::hmac::{HmacAlgorithm, HmacKey};
use jwtk::jwk::JwkSet;
use jwtk::rsa::{RsaAlgorithm, RsaPrivateKey, RsaPublicKey};
use jwtk::{HeaderAndClaims, OneOrMany, SigningKey, VerificationKey};
use serde::Serialize;
use std::time::Duration;

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<Jwtk>();
    bench.rs256::<Jwtk>();
    for (algorithm, name) in
        [(Algorithm::Hs384, HmacAlgorithm::HS384), (Algorithm::Hs512, HmacAlgorithm::HS512)]
    {
        let key = || HmacKey::from_bytes(algorithm.secret().unwrap(), name);
        add(&mut bench, algorithm, key(), key());
    }
    for (algorithm, name) in [
        (Algorithm::Rs384, RsaAlgorithm::RS384),
        (Algorithm::Rs512, RsaAlgorithm::RS512),
        (Algorithm::Ps256, RsaAlgorithm::PS256),
        (Algorithm::Ps384, RsaAlgorithm::PS384),
        (Algorithm::Ps512, RsaAlgorithm::PS512),
    ] {
        let (private, public) = pems(algorithm);
        let signing = RsaPrivateKey::from_pem(private, name).unwrap();
        add(&mut bench, algorithm, signing, RsaPublicKey::from_pem(public, Some(name)).unwrap());
    }
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Es512, Algorithm::Es256k] {
        let (private, public) = pems(algorithm);
        let signing = EcdsaPrivateKey::from_pem(private).unwrap();
        add(&mut bench, algorithm, signing, EcdsaPublicKey::from_pem(public).unwrap());
    }
    let (private, public) = pems(Algorithm::EdDsa);
    let signing = Ed25519PrivateKey::from_pem(private).unwrap();
    add(&mut bench, Algorithm::EdDsa, signing, Ed25519PublicKey::from_pem(public).unwrap());
    bench.key_set(
        |text| {
            let keys = serde_json::from_str::<JwkSet>(text).unwrap().verifier();
            assert!(keys.find("0").is_some());
            keys
        },
        |keys, token| {
            let token = keys.verify::<User>(token).unwrap();
            let claims = token.claims();
            check_parties(claims.iss.as_deref(), claims.aud.iter().next().map(String::as_str)).unwrap();
        },
    );
    bench.serve();
}

fn pems(algorithm: Algorithm) -> (&'static [u8], &'static [u8]) {
    let KeyPair { private_pem, public_pem, .. } = algorithm.key_pair();
    (private_pem.as_bytes(), public_pem.as_bytes())
}

fn add(
    bench: &mut Bench,
    algorithm: Algorithm,
    signing: impl SigningKey + 'static,
    verifying: impl VerificationKey + 'static,
) {
    bench.algorithm(algorithm, sign(everything(Size::Typical), signing), verify(verifying));
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
    fn sign(key: KeyPair) -> impl Sign + 'static {
        let key = RsaPrivateKey::from_pem(key.private_pem.as_bytes(), RsaAlgorithm::RS256).unwrap();
        sign(everything(Size::Typical), key)
    }

    fn verify(key: KeyPair) -> impl Verify + 'static {
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
