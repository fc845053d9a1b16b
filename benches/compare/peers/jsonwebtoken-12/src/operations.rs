//! The operations of `jsonwebtoken`, for all versions. The program of each version makes the key from the
//! secret, because that call differs.

use crate::{decoding_key, encoding_key};
use compare_common::claims::{AUDIENCE, Everything, ISSUER, Size, Tiny};
use compare_common::keys::RsaKey;
use compare_common::{Hs256, Rs256, Sign, Verify};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) struct JsonWebToken;

impl Hs256 for JsonWebToken {
    fn sign(size: Size) -> impl Sign + 'static {
        sign(Algorithm::HS256, Everything::of(size), encoding_key())
    }

    fn verify() -> impl Verify + 'static {
        verify::<Everything>(validation(Algorithm::HS256), decoding_key())
    }

    fn sign_tiny() -> impl Sign + 'static {
        sign(Algorithm::HS256, Tiny::default(), encoding_key())
    }

    fn verify_tiny() -> impl Verify + 'static {
        verify::<Tiny>(Validation::new(Algorithm::HS256), decoding_key())
    }
}

impl Rs256 for JsonWebToken {
    fn sign(key: RsaKey) -> impl Sign + 'static {
        let key = EncodingKey::from_rsa_pem(key.private_pem.as_bytes()).unwrap();
        sign(Algorithm::RS256, Everything::of(Size::Typical), key)
    }

    fn verify(key: RsaKey) -> impl Verify + 'static {
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

fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation
}
