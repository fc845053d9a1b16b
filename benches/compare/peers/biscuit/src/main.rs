//! `biscuit`. What a token has to fulfil is consumed by the call that validates it, so it is cloned. It has no ES512, no
//! ES256K and no EdDSA.

use biscuit::errors::Error;
use biscuit::jwa::SignatureAlgorithm;
use biscuit::jws::{Header, RegisteredHeader, Secret};
use biscuit::{
    ClaimPresenceOptions, ClaimsSet, Empty, JWT, Presence, RegisteredClaims, SingleOrMultiple, Timestamp,
    Validation, ValidationOptions,
};
use compare_common::claims::{AUDIENCE, EXPIRES_AT, ISSUED_AT, ISSUER, SUBJECT, Size, TinyUser, User};
use compare_common::keys::{KeyPair, SECRET};
use compare_common::{Algorithm, Bench, Hs256, Rs256, Sign, Verify};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    RsaKeyPair,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<Biscuit>();
    bench.rs256::<Biscuit>();
    for (algorithm, name) in
        [(Algorithm::Hs384, SignatureAlgorithm::HS384), (Algorithm::Hs512, SignatureAlgorithm::HS512)]
    {
        let secret = || Secret::Bytes(algorithm.secret().unwrap().to_vec());
        add(&mut bench, algorithm, name, secret(), secret());
    }
    for (algorithm, name) in [
        (Algorithm::Rs384, SignatureAlgorithm::RS384),
        (Algorithm::Rs512, SignatureAlgorithm::RS512),
        (Algorithm::Ps256, SignatureAlgorithm::PS256),
        (Algorithm::Ps384, SignatureAlgorithm::PS384),
        (Algorithm::Ps512, SignatureAlgorithm::PS512),
    ] {
        add(&mut bench, algorithm, name, rsa(algorithm.key_pair()), public(algorithm.key_pair()));
    }
    for (algorithm, name, curve) in [
        (Algorithm::Es256, SignatureAlgorithm::ES256, &ECDSA_P256_SHA256_FIXED_SIGNING),
        (Algorithm::Es384, SignatureAlgorithm::ES384, &ECDSA_P384_SHA384_FIXED_SIGNING),
    ] {
        add(&mut bench, algorithm, name, ecdsa(algorithm.key_pair(), curve), public(algorithm.key_pair()));
    }
    bench.serve();
}

fn add(
    bench: &mut Bench,
    algorithm: Algorithm,
    name: SignatureAlgorithm,
    signing: Secret,
    verifying: Secret,
) {
    bench.algorithm(
        algorithm,
        sign(name, everything(Size::Typical), signing),
        verify::<User>(name, verifying, options()),
    );
}

fn rsa(pair: KeyPair) -> Secret {
    Secret::RsaKeyPair(Arc::new(RsaKeyPair::from_pkcs8(&pair.private_der()).unwrap()))
}

fn ecdsa(pair: KeyPair, curve: &'static EcdsaSigningAlgorithm) -> Secret {
    let key = EcdsaKeyPair::from_pkcs8(curve, &pair.private_der(), &SystemRandom::new());
    Secret::EcdsaKeyPair(Arc::new(key.unwrap()))
}

fn public(pair: KeyPair) -> Secret {
    Secret::PublicKey(pair.public_content())
}

struct Biscuit;

impl Hs256 for Biscuit {
    fn sign(size: Size) -> impl Sign + 'static {
        sign(SignatureAlgorithm::HS256, everything(size), secret())
    }

    fn verify() -> impl Verify + 'static {
        verify::<User>(SignatureAlgorithm::HS256, secret(), options())
    }

    fn sign_tiny() -> impl Sign + 'static {
        let registered = RegisteredClaims { expiry: timestamp(EXPIRES_AT), ..RegisteredClaims::default() };
        sign(SignatureAlgorithm::HS256, ClaimsSet { registered, private: TinyUser::default() }, secret())
    }

    fn verify_tiny() -> impl Verify + 'static {
        let claim_presence_options =
            ClaimPresenceOptions { expiry: Presence::Required, ..ClaimPresenceOptions::default() };
        let options = ValidationOptions { claim_presence_options, ..ValidationOptions::default() };
        verify::<TinyUser>(SignatureAlgorithm::HS256, secret(), options)
    }
}

impl Rs256 for Biscuit {
    fn sign(key: KeyPair) -> impl Sign + 'static {
        sign(SignatureAlgorithm::RS256, everything(Size::Typical), rsa(key))
    }

    fn verify(key: KeyPair) -> impl Verify + 'static {
        verify::<User>(SignatureAlgorithm::RS256, public(key), options())
    }
}

fn secret() -> Secret {
    Secret::Bytes(SECRET.to_vec())
}

fn everything(size: Size) -> ClaimsSet<User> {
    let registered = RegisteredClaims {
        issuer: Some(ISSUER.to_owned()),
        subject: Some(SUBJECT.to_owned()),
        audience: Some(SingleOrMultiple::Single(AUDIENCE.to_owned())),
        expiry: timestamp(EXPIRES_AT),
        issued_at: timestamp(ISSUED_AT),
        ..RegisteredClaims::default()
    };
    ClaimsSet { registered, private: User::of(size) }
}

fn timestamp(seconds: u64) -> Option<Timestamp> {
    i64::try_from(seconds).ok().map(Timestamp::from)
}

fn options() -> ValidationOptions {
    ValidationOptions {
        claim_presence_options: ClaimPresenceOptions {
            expiry: Presence::Required,
            issuer: Presence::Required,
            audience: Presence::Required,
            ..ClaimPresenceOptions::default()
        },
        issuer: Validation::Validate(ISSUER.to_owned()),
        audience: Validation::Validate(AUDIENCE.to_owned()),
        ..ValidationOptions::default()
    }
}

fn sign<T: Serialize + DeserializeOwned + 'static>(
    algorithm: SignatureAlgorithm,
    claims: ClaimsSet<T>,
    secret: Secret,
) -> impl Sign + 'static {
    let header = Header::from(RegisteredHeader { algorithm, ..RegisteredHeader::default() });
    let token = JWT::<T, Empty>::new_decoded(header, claims);
    move || Ok::<_, Error>(token.encode(&secret)?.unwrap_encoded().to_string())
}

fn verify<T: Serialize + DeserializeOwned + 'static>(
    algorithm: SignatureAlgorithm,
    secret: Secret,
    options: ValidationOptions,
) -> impl Verify + 'static {
    move |token: &str| {
        let token = JWT::<T, Empty>::new_encoded(token).into_decoded(&secret, algorithm)?;
        token.validate(options.clone())?;
        Ok::<_, Error>(token)
    }
}
