//! The operations of `countersign` with keys of another backend. The program of each backend says which functions make
//! the keys.

use crate::{signing_key, verifying_key};
use compare_common::claims::{AUDIENCE, EXPIRES_AT, ISSUED_AT, ISSUER, SUBJECT, Size, User};
use compare_common::keys::KeyPair;
use compare_common::{Algorithm, Bench, Rs256, Sign, Verify};
use countersign::{Claims, KeySet, Keys, PrivateKey, PublicKey, UnixTime, Verifier};

/// Adds the algorithms with key pairs that the backend has, and a JWK set of RSA keys.
pub(crate) fn add(bench: &mut Bench, has: fn(Algorithm) -> bool) {
    bench.rs256::<Countersign>();
    let with_keys = Algorithm::others().filter(|algorithm| algorithm.secret().is_none());
    for algorithm in with_keys.filter(|algorithm| has(*algorithm)) {
        let key = algorithm.key_pair();
        bench.algorithm(algorithm, sign(key, algorithm), verify(key, algorithm));
    }
    bench.key_set(
        |text| {
            let loaded =
                KeySet::from_jwks_with(text, &[countersign::Algorithm::Rs256], verifying_key).unwrap();
            assert!(loaded.skipped.is_empty());
            verifier(loaded.keys)
        },
        |verifier, token| drop(verifier.verify::<User>(token).unwrap()),
    );
}

struct Countersign;

impl Rs256 for Countersign {
    fn sign(key: KeyPair) -> impl Sign + 'static {
        sign(key, Algorithm::Rs256)
    }

    fn verify(key: KeyPair) -> impl Verify + 'static {
        verify(key, Algorithm::Rs256)
    }
}

fn sign(key: KeyPair, algorithm: Algorithm) -> impl Sign + 'static {
    let key = PrivateKey::from_pem(key.private_pem).unwrap();
    let key = signing_key(&key, algorithm.name().parse().unwrap()).unwrap();
    let claims = Claims::new(User::of(Size::Typical))
        .issuer(ISSUER)
        .subject(SUBJECT)
        .audience(AUDIENCE)
        .issued_at(time(ISSUED_AT))
        .expires_at(time(EXPIRES_AT));
    move || claims.sign(&key)
}

fn verify(key: KeyPair, algorithm: Algorithm) -> impl Verify + 'static {
    let key = PublicKey::from_pem(key.public_pem).unwrap();
    let key = verifying_key(&key, algorithm.name().parse().unwrap()).unwrap();
    let verifier = verifier(key);
    move |token: &str| verifier.verify::<User>(token)
}

fn verifier(keys: impl Into<Keys>) -> Verifier {
    Verifier::builder(keys).issuer(ISSUER).audience(AUDIENCE).build().unwrap()
}

fn time(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds.try_into().unwrap())
}
