//! The operations of `jsonwebtoken`, for all versions. The program of each version makes the key from the
//! secret, because that call differs.

use crate::{decoding_key, encoding_key};
use compare_common::claims::{AUDIENCE, Everything, ISSUER, Size, Tiny};
use compare_common::keys::{KeyPair, SECRET};
use compare_common::{self as common, Bench, Hs256, Rs256, Sign, Verify};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Adds all operations. The library has no ES512 and no ES256K.
pub(crate) fn add(bench: &mut Bench) {
    bench.hs256::<JsonWebToken>();
    bench.rs256::<JsonWebToken>();
    for algorithm in common::Algorithm::others() {
        let Ok(name) = algorithm.name().parse() else { continue };
        let (signing, verifying) = keys(algorithm);
        bench.algorithm(
            algorithm,
            sign(name, Everything::of(Size::Typical), signing),
            verify::<Everything>(validation(name), verifying),
        );
    }
}

fn keys(algorithm: common::Algorithm) -> (EncodingKey, DecodingKey) {
    if let Some(secret) = algorithm.secret() {
        return (encoding_key(secret), decoding_key(secret));
    }
    let KeyPair { private_pem, public_pem, .. } = algorithm.key_pair();
    let (private, public) = (private_pem.as_bytes(), public_pem.as_bytes());
    let (signing, verifying) = match algorithm {
        common::Algorithm::EdDsa => (EncodingKey::from_ed_pem(private), DecodingKey::from_ed_pem(public)),
        common::Algorithm::Es256 | common::Algorithm::Es384 => {
            (EncodingKey::from_ec_pem(private), DecodingKey::from_ec_pem(public))
        }
        _ => (EncodingKey::from_rsa_pem(private), DecodingKey::from_rsa_pem(public)),
    };
    (signing.unwrap(), verifying.unwrap())
}

struct JsonWebToken;

impl Hs256 for JsonWebToken {
    fn sign(size: Size) -> impl Sign + 'static {
        sign(Algorithm::HS256, Everything::of(size), encoding_key(&SECRET))
    }

    fn verify() -> impl Verify + 'static {
        verify::<Everything>(validation(Algorithm::HS256), decoding_key(&SECRET))
    }

    fn sign_tiny() -> impl Sign + 'static {
        sign(Algorithm::HS256, Tiny::default(), encoding_key(&SECRET))
    }

    fn verify_tiny() -> impl Verify + 'static {
        verify::<Tiny>(Validation::new(Algorithm::HS256), decoding_key(&SECRET))
    }
}

impl Rs256 for JsonWebToken {
    fn sign(key: KeyPair) -> impl Sign + 'static {
        let key = EncodingKey::from_rsa_pem(key.private_pem.as_bytes()).unwrap();
        sign(Algorithm::RS256, Everything::of(Size::Typical), key)
    }

    fn verify(key: KeyPair) -> impl Verify + 'static {
        let key = DecodingKey::from_rsa_pem(key.public_pem.as_bytes()).unwrap();
        verify::<Everything>(validation(Algorithm::RS256), key)
    }
}

fn sign<T: Serialize + 'static>(algorithm: Algorithm, claims: T, key: EncodingKey) -> impl Sign + 'static {
    let header = Header::new(algorithm);
    move || encode(&header, &claims, &key)
}

fn verify<T: DeserializeOwned + 'static>(validation: Validation, key: DecodingKey) -> impl Verify + 'static {
    move |token: &str| decode::<T>(token, &key, &validation)
}

pub(crate) fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation
}
