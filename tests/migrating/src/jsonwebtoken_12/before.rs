use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};

#[derive(serde::Serialize, serde::Deserialize)]
pub struct Access {
    pub iss: String,
    pub aud: String,
    pub sub: String,
    pub exp: u64,
    pub role: String,
}

pub fn access() -> Access {
    Access {
        iss: "https://auth.example".into(),
        aud: "https://api.example".into(),
        sub: "ann".into(),
        exp: jsonwebtoken::get_current_timestamp() + 900,
        role: "admin".into(),
    }
}

pub fn validation(algorithm: Algorithm) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&["https://auth.example"]);
    validation.set_audience(&["https://api.example"]);
    validation
}

pub fn sign_hs256(secret: &[u8]) -> Result<String, Error> {
    let key = EncodingKey::from_secret(secret)?;
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &access(), &key)
}

pub fn verify_hs256(secret: &[u8], token: &str) -> Result<Access, Error> {
    let key = DecodingKey::from_secret(secret)?;
    let data = jsonwebtoken::decode(token, &key, &validation(Algorithm::HS256))?;
    Ok(data.claims)
}

pub fn sign_rs256(pem: &str, kid: Option<&str>) -> Result<String, Error> {
    let key = EncodingKey::from_rsa_pem(pem.as_bytes())?;
    let mut header = Header::new(Algorithm::RS256);
    header.kid = kid.map(String::from);
    jsonwebtoken::encode(&header, &access(), &key)
}

pub fn verify_rs256(pem: &str, token: &str) -> Result<Access, Error> {
    let key = DecodingKey::from_rsa_pem(pem.as_bytes())?;
    let data = jsonwebtoken::decode(token, &key, &validation(Algorithm::RS256))?;
    Ok(data.claims)
}

pub fn sign_es256(pem: &str) -> Result<String, Error> {
    let key = EncodingKey::from_ec_pem(pem.as_bytes())?;
    jsonwebtoken::encode(&Header::new(Algorithm::ES256), &access(), &key)
}

pub fn verify_es256(pem: &str, token: &str) -> Result<Access, Error> {
    let key = DecodingKey::from_ec_pem(pem.as_bytes())?;
    let data = jsonwebtoken::decode(token, &key, &validation(Algorithm::ES256))?;
    Ok(data.claims)
}

pub fn verify_with_set(set: &str, token: &str) -> Result<Access, Error> {
    let set: JwkSet = serde_json::from_str(set)?;
    let kid = jsonwebtoken::decode_header(token)?.kid;
    let jwk = kid.and_then(|kid| set.find(&kid)).ok_or(ErrorKind::InvalidToken)?;
    let key = DecodingKey::from_jwk(jwk)?;
    let data = jsonwebtoken::decode(token, &key, &validation(Algorithm::RS256))?;
    Ok(data.claims)
}
