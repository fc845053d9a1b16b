//! Makes tokens, and keys to try them with.

use crate::Refusal;
use crate::keys::Pasted;
use crate::members::Members;
use countersign::{Algorithm, Claims, HmacKey, PrivateKey, SecretBytes};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
pub(crate) struct Request {
    algorithm: Algorithm,
    key: Pasted,
    /// Empty for the name in the JWK, if there is one.
    key_id: String,
    /// Empty for `JWT`.
    typ: String,
    /// A JSON object.
    claims: String,
}

/// Returns the token.
pub(crate) fn make(request: &Request) -> Result<Value, Refusal> {
    if request.key.is_empty() {
        return Err(Refusal { code: "no_key", text: "a key is needed: paste one, or make one".into() });
    }
    let claims: Members = serde_json::from_str(&request.claims).map_err(|error| Refusal {
        code: "claims",
        text: format!("the claims are not a JSON object: {error}"),
    })?;
    let mut key = request.key.signing(request.algorithm)?;
    if !request.key_id.is_empty() {
        key = key.with_key_id(&request.key_id)?;
    }
    let expires = claims.0.iter().any(|(name, _)| name == "exp");
    let mut claims = Claims::new(claims);
    if !expires {
        claims = claims.never_expires();
    }
    if !request.typ.is_empty() {
        claims = claims.typ(&request.typ);
    }
    Ok(json!({ "token": claims.sign(key.key())? }))
}

#[derive(Deserialize)]
pub(crate) struct KeyRequest {
    algorithm: Algorithm,
}

/// Returns a new key from the browser's randomness: a JWK for HMAC, otherwise PEM; and what a verifier needs.
pub(crate) fn generate(request: &KeyRequest) -> Result<Value, Refusal> {
    let algorithm = request.algorithm;
    // A secret has the length of the hash.
    let bytes = match algorithm {
        Algorithm::Hs256 => Some(32),
        Algorithm::Hs384 => Some(48),
        Algorithm::Hs512 => Some(64),
        _ => None,
    };
    let (signing, verifying) = if let Some(bytes) = bytes {
        let secret = SecretBytes::generate(bytes)?;
        let jwk = secret.to_private_jwk_for(&HmacKey::new(algorithm, &secret)?)?;
        let jwk = jwk.expose_secret_text().unwrap_or_default().to_owned();
        (jwk.clone(), jwk)
    } else {
        let private = PrivateKey::generate(algorithm)?;
        let pem = private.to_secret_pem()?;
        (pem.expose_secret_text().unwrap_or_default().to_owned(), private.public_key()?.to_pem()?)
    };
    Ok(json!({ "signing": signing, "verifying": verifying }))
}
