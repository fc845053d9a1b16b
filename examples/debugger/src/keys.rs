//! Makes keys of what a user pastes: a secret, a PEM file, a JWK or a JWK set.

use crate::Refusal;
use countersign::jwk::Jwk;
use countersign::{
    Algorithm, HmacKey, KeyError, KeySet, Keys, PrivateKey, PublicKey, SecretBytes, SignKey, SigningKey,
};
use serde::Deserialize;

/// A key as text.
#[derive(Deserialize)]
pub(crate) struct Pasted {
    text: String,
    /// How the secret is written, if the key is a secret. PEM and JWK are recognised without it.
    form: SecretForm,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SecretForm {
    Text,
    Base64,
    Base64url,
    Hex,
}

/// Keys to verify with, and what there is to say about them.
pub(crate) struct Verifying {
    pub(crate) keys: Keys,
    pub(crate) notes: Vec<String>,
}

/// A key to sign with, of either family.
pub(crate) enum Signing {
    Secret(HmacKey),
    Private(SigningKey),
}

impl Signing {
    pub(crate) fn with_key_id(self, key_id: &str) -> Result<Self, KeyError> {
        Ok(match self {
            Self::Secret(key) => Self::Secret(key.with_key_id(key_id)?),
            Self::Private(key) => Self::Private(key.with_key_id(key_id)?),
        })
    }

    pub(crate) fn key(&self) -> &dyn SignKey {
        match self {
            Self::Secret(key) => key,
            Self::Private(key) => key,
        }
    }
}

impl Pasted {
    pub(crate) fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Returns the key for tokens of this algorithm.
    pub(crate) fn verifying(&self, algorithm: Algorithm) -> Result<Verifying, Refusal> {
        let text = self.text.trim();
        let mut notes = Vec::new();
        let keys: Keys = if text.starts_with('{') {
            if holds_set(text) {
                return from_set(text, algorithm);
            }
            let jwk = Jwk::parse(text)?;
            if jwk.key_type() == "oct" {
                jwk.hmac_key(algorithm)?.into()
            } else if let Ok(private) = jwk.private_key() {
                notes.push(PRIVATE.into());
                let key = private.public_key()?.verifying_key(algorithm)?;
                match jwk.key_id() {
                    Some(key_id) => key.with_key_id(key_id)?.into(),
                    None => key.into(),
                }
            } else {
                jwk.verifying_key(algorithm)?.into()
            }
        } else if text.contains("-----BEGIN CERTIFICATE") {
            notes.push("The key is taken from the certificate, in which nothing else is checked.".into());
            PublicKey::from_certificate_pem(text)?.verifying_key(algorithm)?.into()
        } else if text.contains("-----BEGIN") && text.contains("PRIVATE KEY") {
            notes.push(PRIVATE.into());
            PrivateKey::from_pem(text)?.public_key()?.verifying_key(algorithm)?.into()
        } else if text.contains("-----BEGIN") {
            PublicKey::from_pem(text)?.verifying_key(algorithm)?.into()
        } else {
            HmacKey::new(algorithm, &self.secret()?)?.into()
        };
        Ok(Verifying { keys, notes })
    }

    /// Returns the key that signs tokens of this algorithm.
    pub(crate) fn signing(&self, algorithm: Algorithm) -> Result<Signing, KeyError> {
        let text = self.text.trim();
        if text.starts_with('{') {
            let jwk = Jwk::parse(text)?;
            if jwk.key_type() == "oct" {
                jwk.hmac_key(algorithm).map(Signing::Secret)
            } else {
                jwk.signing_key(algorithm).map(Signing::Private)
            }
        } else if text.contains("-----BEGIN") {
            PrivateKey::from_pem(text)?.signing_key(algorithm).map(Signing::Private)
        } else {
            HmacKey::new(algorithm, &self.secret()?).map(Signing::Secret)
        }
    }

    fn secret(&self) -> Result<SecretBytes, KeyError> {
        // White space around a secret is nearly always from copying; a secret as text may have it in the middle.
        let text = self.text.trim();
        match self.form {
            SecretForm::Text => Ok(SecretBytes::from_bytes(text)),
            SecretForm::Base64 => SecretBytes::from_base64(text),
            SecretForm::Base64url => SecretBytes::from_base64url(text),
            SecretForm::Hex => SecretBytes::from_hex(text),
        }
    }
}

const PRIVATE: &str =
    "You pasted a private key. A verifier needs only its public half: do not give it the private one.";

/// Returns whether an object has a member `keys`.
fn holds_set(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Set {
        keys: Option<serde::de::IgnoredAny>,
    }
    serde_json::from_str::<Set>(text).is_ok_and(|set| set.keys.is_some())
}

fn from_set(text: &str, algorithm: Algorithm) -> Result<Verifying, Refusal> {
    let loaded = KeySet::from_jwks(text, &[algorithm])?;
    let mut notes = vec![format!("The set has {} for {algorithm}.", count(loaded.keys.len()))];
    for skipped in &loaded.skipped {
        let name = match &skipped.key_id {
            Some(key_id) => format!("{:?}", crate::text::visible(key_id)),
            None => "without kid".into(),
        };
        notes.push(format!(
            "Entry {} of the set ({name}) is skipped: {} ({}).",
            skipped.position.saturating_add(1),
            skipped.reason,
            skipped.reason.code()
        ));
    }
    Ok(Verifying { keys: loaded.keys.into(), notes })
}

fn count(keys: usize) -> String {
    match keys {
        0 => "no key".into(),
        1 => "one key".into(),
        many => format!("{many} keys"),
    }
}
