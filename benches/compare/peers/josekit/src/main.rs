//! `josekit`. Its claims are a JSON map, and a validator beside the call that verifies checks them.

use compare_common::claims::{AUDIENCE, Everything, ISSUER, Size, Tiny};
use compare_common::keys::{RsaKey, SECRET};
use compare_common::{Bench, Hs256, Rs256, Sign, Verify};
use josekit::JoseError;
use josekit::jws::{HS256, JwsHeader, JwsSigner, JwsVerifier, RS256};
use josekit::jwt::{self, JwtPayload, JwtPayloadValidator};
use serde::Serialize;
use serde_json::{Map, Value};

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<Josekit>();
    bench.rs256::<Josekit>();
    bench.serve();
}

struct Josekit;

impl Hs256 for Josekit {
    fn sign(size: Size) -> impl Sign + 'static {
        sign(Everything::of(size), HS256.signer_from_bytes(SECRET).unwrap())
    }

    fn verify() -> impl Verify + 'static {
        verify(HS256.verifier_from_bytes(SECRET).unwrap(), validator())
    }

    fn sign_tiny() -> impl Sign + 'static {
        sign(Tiny::default(), HS256.signer_from_bytes(SECRET).unwrap())
    }

    fn verify_tiny() -> impl Verify + 'static {
        verify(HS256.verifier_from_bytes(SECRET).unwrap(), JwtPayloadValidator::new())
    }
}

impl Rs256 for Josekit {
    fn sign(key: RsaKey) -> impl Sign + 'static {
        sign(Everything::of(Size::Typical), RS256.signer_from_pem(key.private_pem).unwrap())
    }

    fn verify(key: RsaKey) -> impl Verify + 'static {
        verify(RS256.verifier_from_pem(key.public_pem).unwrap(), validator())
    }
}

fn sign(claims: impl Serialize, signer: impl JwsSigner + 'static) -> impl Sign + 'static {
    let mut header = JwsHeader::new();
    header.set_token_type("JWT");
    let payload = JwtPayload::from_map(map(claims)).unwrap();
    move || jwt::encode_with_signer(&payload, &header, &signer)
}

fn map(claims: impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(claims) {
        Ok(Value::Object(map)) => map,
        _ => unreachable!("claims are an object"),
    }
}

fn validator() -> JwtPayloadValidator {
    let mut validator = JwtPayloadValidator::new();
    validator.set_issuer(ISSUER);
    validator.set_audience(AUDIENCE);
    validator
}

fn verify(verifier: impl JwsVerifier + 'static, validator: JwtPayloadValidator) -> impl Verify + 'static {
    move |token: &str| {
        let (payload, _header) = jwt::decode_with_verifier(token, &verifier)?;
        validator.validate(&payload)?;
        Ok::<_, JoseError>(payload)
    }
}
