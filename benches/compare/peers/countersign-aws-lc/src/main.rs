//! `countersign` with its feature `aws-lc-rs`, which is about RSA only.

use compare_common::claims::{AUDIENCE, EXPIRES_AT, ISSUED_AT, ISSUER, SUBJECT, Size, User};
use compare_common::keys::RsaKey;
use compare_common::{Bench, Rs256, Sign, Verify};
use countersign::{Algorithm, Claims, PrivateKey, PublicKey, UnixTime, Verifier, aws_lc};

fn main() {
    let mut bench = Bench::new();
    bench.rs256::<Countersign>();
    bench.serve();
}

struct Countersign;

impl Rs256 for Countersign {
    fn sign(key: RsaKey) -> impl Sign + 'static {
        let key = PrivateKey::from_pem(key.private_pem).unwrap();
        let key = aws_lc::signing_key(&key, Algorithm::Rs256).unwrap();
        let claims = Claims::new(User::of(Size::Typical))
            .issuer(ISSUER)
            .subject(SUBJECT)
            .audience(AUDIENCE)
            .issued_at(time(ISSUED_AT))
            .expires_at(time(EXPIRES_AT));
        move || claims.sign(&key)
    }

    fn verify(key: RsaKey) -> impl Verify + 'static {
        let key = PublicKey::from_pem(key.public_pem).unwrap();
        let key = aws_lc::verifying_key(&key, Algorithm::Rs256).unwrap();
        let verifier = Verifier::builder(key).issuer(ISSUER).audience(AUDIENCE).build().unwrap();
        move |token: &str| verifier.verify::<User>(token)
    }
}

fn time(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds.try_into().unwrap())
}
