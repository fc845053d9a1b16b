use countersign::{Algorithm, Claims, HmacKey, KeySet, Keys, PrivateKey, PublicKey, SecretBytes, Verifier};
use std::error::Error;
use std::time::Duration;

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Access {
    pub role: String,
}

pub fn claims() -> Claims<Access> {
    Claims::new(Access { role: "admin".into() })
        .expires_in(Duration::from_secs(15 * 60))
        .issuer("https://auth.example")
        .audience("https://api.example")
        .subject("ann")
}

pub fn verifier(keys: impl Into<Keys>) -> Result<Verifier, Box<dyn Error>> {
    let builder = Verifier::builder(keys).issuer("https://auth.example");
    Ok(builder.audience("https://api.example").build()?)
}

pub fn sign_hs256(secret: &[u8]) -> Result<String, Box<dyn Error>> {
    let key = HmacKey::hs256(&SecretBytes::from_bytes(secret))?;
    Ok(claims().sign(&key)?)
}

pub fn verify_hs256(secret: &[u8], token: &str) -> Result<Access, Box<dyn Error>> {
    let key = HmacKey::hs256(&SecretBytes::from_bytes(secret))?;
    let token = verifier(key)?.verify(token)?;
    Ok(token.into_claims())
}

pub fn sign_rs256(pem: &str, kid: Option<&str>) -> Result<String, Box<dyn Error>> {
    let mut key = PrivateKey::from_pem(pem)?.rs256()?;
    if let Some(kid) = kid {
        key = key.with_key_id(kid)?;
    }
    Ok(claims().sign(&key)?)
}

pub fn verify_rs256(pem: &str, token: &str) -> Result<Access, Box<dyn Error>> {
    let token = verifier(PublicKey::from_pem(pem)?.rs256()?)?.verify(token)?;
    Ok(token.into_claims())
}

pub fn sign_es256(pem: &str) -> Result<String, Box<dyn Error>> {
    Ok(claims().sign(&PrivateKey::from_pem(pem)?.es256()?)?)
}

pub fn verify_es256(pem: &str, token: &str) -> Result<Access, Box<dyn Error>> {
    let token = verifier(PublicKey::from_pem(pem)?.es256()?)?.verify(token)?;
    Ok(token.into_claims())
}

pub fn verify_with_set(set: &str, token: &str) -> Result<Access, Box<dyn Error>> {
    let loaded = KeySet::from_jwks(set, &[Algorithm::Rs256])?;
    let token = verifier(loaded.keys)?.verify(token)?;
    Ok(token.into_claims())
}
