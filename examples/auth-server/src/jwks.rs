//! The public key as a JWK set: [RFC 7517](https://www.rfc-editor.org/rfc/rfc7517).

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use countersign::PublicKey;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// The content of `/.well-known/jwks.json`.
#[derive(Clone, Serialize)]
pub struct Jwks {
    keys: Vec<Jwk>,
}

#[derive(Clone, Serialize)]
struct Jwk {
    kty: &'static str,
    #[serde(rename = "use")]
    usage: &'static str,
    alg: &'static str,
    kid: String,
    n: String,
    e: String,
}

impl Jwks {
    /// Makes the set with this key. `None` if it is not an RSA key.
    pub fn of(key: &PublicKey) -> Option<Self> {
        let (n, e) = numbers(key)?;
        let kid = thumbprint(&n, &e);
        Some(Self { keys: vec![Jwk { kty: "RSA", usage: "sig", alg: "RS256", kid, n, e }] })
    }
}

/// Returns the key's thumbprint ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)), for a `kid`: every holder of the public
/// key computes the same.
pub fn key_id(key: &PublicKey) -> Option<String> {
    let (n, e) = numbers(key)?;
    Some(thumbprint(&n, &e))
}

fn thumbprint(n: &str, e: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#)))
}

/// Returns modulus and exponent as base64url.
fn numbers(key: &PublicKey) -> Option<(String, String)> {
    let (modulus, exponent) = key.modulus_and_exponent()?;
    Some((BASE64_URL_SAFE_NO_PAD.encode(modulus), BASE64_URL_SAFE_NO_PAD.encode(exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key of [RFC 7638 section 3.1](https://www.rfc-editor.org/rfc/rfc7638#section-3.1).
    const N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

    #[test]
    fn the_set_is_of_the_keys_own_numbers_and_its_kid_is_the_thumbprint_of_the_rfc() {
        let modulus = BASE64_URL_SAFE_NO_PAD.decode(N).unwrap();
        let key = PublicKey::from_modulus_and_exponent(&modulus, &[1, 0, 1]).unwrap();
        let set = serde_json::to_value(Jwks::of(&key).unwrap()).unwrap();
        let kid = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        let expected = serde_json::json!({ "keys": [
            { "kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": N, "e": "AQAB" },
        ] });
        assert_eq!(set, expected);
        assert_eq!(key_id(&key).as_deref(), Some(kid));
    }
}
