use josekit::JoseError;
use josekit::jwk::JwkSet;
use josekit::jws::{ES256, HS256, JwsHeader, JwsSigner, JwsVerifier, RS256};
use josekit::jwt::{self, JwtPayload, JwtPayloadValidator};
use std::collections::HashMap;
use std::time::{Duration, SystemTime};

pub fn sign(signer: &dyn JwsSigner) -> Result<String, JoseError> {
    let mut header = JwsHeader::new();
    header.set_token_type("JWT");
    let mut payload = JwtPayload::new();
    payload.set_issuer("https://auth.example");
    payload.set_audience(vec!["https://api.example"]);
    payload.set_subject("ann");
    payload.set_expires_at(&(SystemTime::now() + Duration::from_secs(900)));
    payload.set_claim("role", Some("admin".into()))?;
    jwt::encode_with_signer(&payload, &header, signer)
}

pub fn validate(payload: JwtPayload) -> Result<JwtPayload, JoseError> {
    let mut validator = JwtPayloadValidator::new();
    validator.set_issuer("https://auth.example");
    validator.set_audience("https://api.example");
    validator.validate(&payload)?;
    Ok(payload)
}

pub fn sign_hs256(secret: &[u8]) -> Result<String, JoseError> {
    sign(&HS256.signer_from_bytes(secret)?)
}

pub fn verify_hs256(secret: &[u8], token: &str) -> Result<JwtPayload, JoseError> {
    let (payload, _) = jwt::decode_with_verifier(token, &HS256.verifier_from_bytes(secret)?)?;
    validate(payload)
}

pub fn sign_rs256(pem: &str, kid: Option<&str>) -> Result<String, JoseError> {
    let mut signer = RS256.signer_from_pem(pem)?;
    if let Some(kid) = kid {
        signer.set_key_id(kid);
    }
    sign(&signer)
}

pub fn verify_rs256(pem: &str, token: &str) -> Result<JwtPayload, JoseError> {
    let (payload, _) = jwt::decode_with_verifier(token, &RS256.verifier_from_pem(pem)?)?;
    validate(payload)
}

pub fn sign_es256(pem: &str) -> Result<String, JoseError> {
    sign(&ES256.signer_from_pem(pem)?)
}

pub fn verify_es256(pem: &str, token: &str) -> Result<JwtPayload, JoseError> {
    let (payload, _) = jwt::decode_with_verifier(token, &ES256.verifier_from_pem(pem)?)?;
    validate(payload)
}

pub fn verify_with_set(set: &str, token: &str) -> Result<JwtPayload, JoseError> {
    let mut verifiers = HashMap::new();
    for jwk in JwkSet::from_bytes(set)?.keys() {
        if let Some(kid) = jwk.key_id() {
            verifiers.insert(kid.to_owned(), RS256.verifier_from_jwk(jwk)?);
        }
    }
    let (payload, _) = jwt::decode_with_verifier_selector(token, |header| {
        let verifier = header.key_id().and_then(|kid| verifiers.get(kid));
        Ok(verifier.map(|verifier| verifier as &dyn JwsVerifier))
    })?;
    validate(payload)
}
