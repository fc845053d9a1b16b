//! Law: any text as a JWK makes a key or an error, without a panic. A key that was read can be written and read again: it is
//! equal, and its thumbprint is the same. A public key is never read from a text with a private member, and no private member
//! is written for it.
#![no_main]

use countersign::jwk::{Jwk, Thumbprint};
use countersign::{Algorithm, KeyError, PrivateKey, PublicKey, SecretBytes};
use libfuzzer_sys::fuzz_target;

const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

fuzz_target!(|text: &str| {
    let _ = text
        .parse::<Thumbprint>()
        .map(|thumbprint| assert_eq!(Thumbprint::from_uri(&thumbprint.to_uri()), Ok(thumbprint)));
    let jwk = match Jwk::parse(text) {
        Ok(jwk) => jwk,
        Err(error) => {
            assert_eq!(PublicKey::from_jwk(text).unwrap_err(), error);
            assert_eq!(PrivateKey::from_jwk(text).unwrap_err(), error);
            assert_eq!(SecretBytes::from_jwk(text).unwrap_err(), error);
            return;
        }
    };
    // Another parser reads the same members. It fails for numbers beyond its range, and one level of nesting earlier.
    let members: Option<serde_json::Map<String, serde_json::Value>> = serde_json::from_str(text).ok();
    for (member, found) in [
        ("kty", Some(jwk.key_type())),
        ("kid", jwk.key_id()),
        ("use", jwk.key_use()),
        ("alg", jwk.algorithm()),
    ] {
        let Some(members) = &members else { continue };
        assert_eq!(members.get(member).map(|value| value.as_str().unwrap()), found);
    }
    let thumbprint = jwk.thumbprint();
    if let Ok(key) = jwk.public_key() {
        assert!(!members.is_some_and(|members| PRIVATE.iter().any(|member| members.contains_key(*member))));
        public(&key, thumbprint.clone());
        for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::Es384, Algorithm::Ed25519] {
            let Ok(key) = jwk.verifying_key(algorithm) else { continue };
            let written = key.to_jwk().unwrap();
            let again = Jwk::parse(&written).unwrap();
            assert_eq!(
                (again.key_id(), again.key_use(), again.algorithm()),
                (jwk.key_id(), Some("sig"), Some(algorithm.name()))
            );
            assert!(again.verifying_key(algorithm).unwrap().public_key() == key.public_key());
        }
    }
    if let Ok(key) = jwk.private_key() {
        let written = key.to_private_jwk().unwrap();
        let again = PrivateKey::from_jwk(written.expose_secret_text().unwrap()).unwrap();
        assert!(again.to_secret_pem() == key.to_secret_pem());
        match key.public_key() {
            Err(KeyError::UnsupportedByBackend) => {}
            computed => public(&computed.unwrap(), thumbprint.clone()),
        }
    }
    if let Ok(secret) = jwk.secret() {
        let written = secret.to_private_jwk().unwrap();
        let again = Jwk::parse(written.expose_secret_text().unwrap()).unwrap();
        assert!(again.secret().unwrap() == secret);
        assert_eq!(again.thumbprint(), thumbprint);
    }
});

fn public(key: &PublicKey, thumbprint: Result<Thumbprint, KeyError>) {
    let written = key.to_jwk().unwrap();
    let again = PublicKey::from_jwk(&written).unwrap();
    assert!(again == *key);
    assert_eq!(again.to_jwk().unwrap(), written);
    assert_eq!(again.thumbprint(), thumbprint);
    let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&written).unwrap();
    assert!(!PRIVATE.iter().any(|member| members.contains_key(*member)));
}
