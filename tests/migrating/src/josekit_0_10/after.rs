use countersign::{
    Algorithm, Claims, HmacKey, KeySet, Keys, PrivateKey, PublicKey, SecretBytes, SignKey, Verifier,
};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::time::Duration;

pub fn sign(key: &impl SignKey) -> Result<String, Box<dyn Error>> {
    let claims = Claims::new(json!({ "role": "admin" }))
        .issuer("https://auth.example")
        .audience("https://api.example")
        .subject("ann")
        .expires_in(Duration::from_secs(900));
    Ok(claims.sign(key)?)
}

pub fn verify(keys: impl Into<Keys>, token: &str) -> Result<Map<String, Value>, Box<dyn Error>> {
    let builder = Verifier::builder(keys).issuer("https://auth.example");
    let verifier = builder.audience("https://api.example").build()?;
    Ok(verifier.verify(token)?.into_claims())
}

pub fn sign_hs256(secret: &[u8]) -> Result<String, Box<dyn Error>> {
    sign(&HmacKey::hs256(&SecretBytes::from_bytes(secret))?)
}

pub fn verify_hs256(secret: &[u8], token: &str) -> Result<Map<String, Value>, Box<dyn Error>> {
    verify(HmacKey::hs256(&SecretBytes::from_bytes(secret))?, token)
}

pub fn sign_rs256(pem: &str, kid: Option<&str>) -> Result<String, Box<dyn Error>> {
    let mut key = PrivateKey::from_pem(pem)?.rs256()?;
    if let Some(kid) = kid {
        key = key.with_key_id(kid)?;
    }
    sign(&key)
}

pub fn verify_rs256(pem: &str, token: &str) -> Result<Map<String, Value>, Box<dyn Error>> {
    verify(PublicKey::from_pem(pem)?.rs256()?, token)
}

pub fn sign_es256(pem: &str) -> Result<String, Box<dyn Error>> {
    sign(&PrivateKey::from_pem(pem)?.es256()?)
}

pub fn verify_es256(pem: &str, token: &str) -> Result<Map<String, Value>, Box<dyn Error>> {
    verify(PublicKey::from_pem(pem)?.es256()?, token)
}

pub fn verify_with_set(set: &str, token: &str) -> Result<Map<String, Value>, Box<dyn Error>> {
    verify(KeySet::from_jwks(set, &[Algorithm::Rs256])?.keys, token)
}
