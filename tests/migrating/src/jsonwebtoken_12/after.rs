use countersign::{
    Algorithm, Claims, HmacKey, KeySet, Keys, PrivateKey, PublicKey, SecretBytes, UnixTime, Verifier,
};
use std::error::Error;
use std::time::Duration;

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Access {
    pub iss: String,
    pub aud: String,
    pub sub: String,
    pub exp: UnixTime,
    pub role: String,
}

pub fn access() -> Access {
    Access {
        iss: "https://auth.example".into(),
        aud: "https://api.example".into(),
        sub: "ann".into(),
        exp: UnixTime::now().saturating_add(Duration::from_secs(900)),
        role: "admin".into(),
    }
}

pub fn verifier(keys: impl Into<Keys>) -> Result<Verifier, Box<dyn Error>> {
    let builder = Verifier::builder(keys).issuer("https://auth.example");
    Ok(builder.audience("https://api.example").build()?)
}

pub fn sign_hs256(secret: &[u8]) -> Result<String, Box<dyn Error>> {
    let key = HmacKey::hs256(&SecretBytes::from_bytes(secret))?;
    Ok(Claims::new(access()).sign(&key)?)
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
    Ok(Claims::new(access()).sign(&key)?)
}

pub fn verify_rs256(pem: &str, token: &str) -> Result<Access, Box<dyn Error>> {
    let key = PublicKey::from_pem(pem)?.rs256()?;
    let token = verifier(key)?.verify(token)?;
    Ok(token.into_claims())
}

pub fn sign_es256(pem: &str) -> Result<String, Box<dyn Error>> {
    let key = PrivateKey::from_pem(pem)?.es256()?;
    Ok(Claims::new(access()).sign(&key)?)
}

pub fn verify_es256(pem: &str, token: &str) -> Result<Access, Box<dyn Error>> {
    let key = PublicKey::from_pem(pem)?.es256()?;
    let token = verifier(key)?.verify(token)?;
    Ok(token.into_claims())
}

pub fn verify_with_set(set: &str, token: &str) -> Result<Access, Box<dyn Error>> {
    let loaded = KeySet::from_jwks(set, &[Algorithm::Rs256])?;
    let token = verifier(loaded.keys)?.verify(token)?;
    Ok(token.into_claims())
}
