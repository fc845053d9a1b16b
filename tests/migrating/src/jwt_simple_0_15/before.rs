use jwt_simple::Error;
use jwt_simple::prelude::*;

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Access {
    pub role: String,
}

pub fn claims() -> JWTClaims<Access> {
    Claims::with_custom_claims(Access { role: "admin".into() }, Duration::from_mins(15))
        .with_issuer("https://auth.example")
        .with_audience("https://api.example")
        .with_subject("ann")
}

pub fn options() -> VerificationOptions {
    VerificationOptions {
        allowed_issuers: Some(HashSet::from_strings(&["https://auth.example"])),
        allowed_audiences: Some(HashSet::from_strings(&["https://api.example"])),
        ..VerificationOptions::default()
    }
}

pub fn sign_hs256(secret: &[u8]) -> Result<String, Error> {
    HS256Key::from_bytes(secret).authenticate(claims())
}

pub fn verify_hs256(secret: &[u8], token: &str) -> Result<Access, Error> {
    let claims = HS256Key::from_bytes(secret).verify_token(token, Some(options()))?;
    Ok(claims.custom)
}

pub fn sign_rs256(pem: &str, kid: Option<&str>) -> Result<String, Error> {
    let mut key = RS256KeyPair::from_pem(pem)?;
    if let Some(kid) = kid {
        key = key.with_key_id(kid);
    }
    key.sign(claims())
}

pub fn verify_rs256(pem: &str, token: &str) -> Result<Access, Error> {
    let claims = RS256PublicKey::from_pem(pem)?.verify_token(token, Some(options()))?;
    Ok(claims.custom)
}

pub fn sign_es256(pem: &str) -> Result<String, Error> {
    ES256KeyPair::from_pem(pem)?.sign(claims())
}

pub fn verify_es256(pem: &str, token: &str) -> Result<Access, Error> {
    let claims = ES256PublicKey::from_pem(pem)?.verify_token(token, Some(options()))?;
    Ok(claims.custom)
}

pub fn verify_with_set(set: &str, token: &str) -> Result<Access, Error> {
    let metadata = Token::decode_metadata(token)?;
    let kid = metadata.key_id().ok_or_else(|| Error::msg("no kid"))?;
    let set: serde_json::Value = serde_json::from_str(set)?;
    let mut keys = set["keys"].as_array().into_iter().flatten();
    let jwk = keys.find(|jwk| jwk["kid"] == kid).ok_or_else(|| Error::msg("unknown kid"))?;
    let claims = RS256PublicKey::from_jwk(&jwk.to_string())?.verify_token(token, Some(options()))?;
    Ok(claims.custom)
}
