//! `josekit`. Its claims are a JSON map, and a validator beside the call that verifies checks them.

use compare_common::claims::{AUDIENCE, Everything, ISSUER, Size, Tiny};
use compare_common::keys::{KeyPair, SECRET};
use compare_common::{Algorithm, Bench, Hs256, Rs256, Sign, Verify};
use josekit::JoseError;
use josekit::jws::{
    ES256, ES256K, ES384, ES512, EdDSA, HS256, HS384, HS512, JwsHeader, JwsSigner, JwsVerifier, PS256, PS384,
    PS512, RS256, RS384, RS512,
};
use josekit::jwt::{self, JwtPayload, JwtPayloadValidator};
use serde::Serialize;
use serde_json::{Map, Value};

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<Josekit>();
    bench.rs256::<Josekit>();
    for (algorithm, name) in [(Algorithm::Hs384, HS384), (Algorithm::Hs512, HS512)] {
        let secret = algorithm.secret().unwrap();
        let (signer, verifier) = (name.signer_from_bytes(secret), name.verifier_from_bytes(secret));
        add(&mut bench, algorithm, signer, verifier);
    }
    for (algorithm, name) in [(Algorithm::Rs384, RS384), (Algorithm::Rs512, RS512)] {
        let KeyPair { private_pem, public_pem, .. } = algorithm.key_pair();
        let (signer, verifier) = (name.signer_from_pem(private_pem), name.verifier_from_pem(public_pem));
        add(&mut bench, algorithm, signer, verifier);
    }
    for (algorithm, name) in [(Algorithm::Ps256, PS256), (Algorithm::Ps384, PS384), (Algorithm::Ps512, PS512)]
    {
        // It takes PEM files only with the parameters of PSS in them.
        let (private, public) =
            (algorithm.key_pair().private_content(), algorithm.key_pair().public_content());
        add(&mut bench, algorithm, name.signer_from_der(private), name.verifier_from_der(public));
    }
    for (algorithm, name) in [
        (Algorithm::Es256, ES256),
        (Algorithm::Es384, ES384),
        (Algorithm::Es512, ES512),
        (Algorithm::Es256k, ES256K),
    ] {
        let KeyPair { private_pem, public_pem, .. } = algorithm.key_pair();
        let (signer, verifier) = (name.signer_from_pem(private_pem), name.verifier_from_pem(public_pem));
        add(&mut bench, algorithm, signer, verifier);
    }
    let KeyPair { private_pem, public_pem, .. } = Algorithm::EdDsa.key_pair();
    let (signer, verifier) = (EdDSA.signer_from_pem(private_pem), EdDSA.verifier_from_pem(public_pem));
    add(&mut bench, Algorithm::EdDsa, signer, verifier);
    bench.serve();
}

fn add(
    bench: &mut Bench,
    algorithm: Algorithm,
    signer: Result<impl JwsSigner + 'static, JoseError>,
    verifier: Result<impl JwsVerifier + 'static, JoseError>,
) {
    bench.algorithm(
        algorithm,
        sign(Everything::of(Size::Typical), signer.unwrap()),
        verify(verifier.unwrap(), validator()),
    );
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
    fn sign(key: KeyPair) -> impl Sign + 'static {
        sign(Everything::of(Size::Typical), RS256.signer_from_pem(key.private_pem).unwrap())
    }

    fn verify(key: KeyPair) -> impl Verify + 'static {
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
