//! HMAC keys ([RFC 7518 section 3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).

use crate::algorithm::Algorithm;
use crate::error::{KeyError, SignError, SignatureError};
use crate::key::entropy::Entropy;
use crate::key::signature::Signature;
use crate::key::{Identity, SignKey, VerifyKey, identified};
use crate::secret::SecretBytes;
use alloc::sync::Arc;
use alloc::vec::Vec;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

/// A secret that signs and verifies tokens of one HMAC algorithm. The key schedule has been run, and the secret itself is not
/// kept. A clone is cheap.
///
/// Everyone who can verify with it can also sign. For more than one party, prefer RS256.
///
/// # Security
///
/// Secrets shorter than the hash are refused, because an attacker who has one signed token can search for them offline. Bytes
/// that look like a PEM, DER, JWK or SSH key are refused too: with a *public* key as an HMAC secret, anyone could make tokens.
/// The keyed state is wiped when the key is dropped.
///
/// # Examples
///
/// ```
/// use countersign::{HmacKey, KeyError, SecretBytes};
///
/// let secret = SecretBytes::from_bytes(b"an example of thirty-two bytes!!");
/// let key = HmacKey::hs256(&secret)?.with_key_id("2026-11")?;
/// assert_eq!(format!("{key:?}"), r#"HmacKey { algorithm: Hs256, kid: Some("2026-11"), .. }"#);
///
/// let short = HmacKey::hs256(&SecretBytes::from_bytes(b"secret")).unwrap_err();
/// assert_eq!(short, KeyError::SecretTooShort { bytes: 6, minimum: 32 });
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Clone)]
pub struct HmacKey {
    keyed: Arc<dyn Keyed>,
    identity: Identity,
}

/// An HMAC that has absorbed its key and no message yet.
///
/// A trait and not an enum, so that a program links only the hashes of the algorithms that it names.
trait Keyed: Send + Sync {
    fn tag(&self, input: &[u8]) -> Signature;

    /// Compares in constant time. Refuses a tag of another length.
    fn check(&self, input: &[u8], tag: &[u8]) -> Result<(), SignatureError>;
}

impl<M: Mac + Clone + Send + Sync> Keyed for M {
    fn tag(&self, input: &[u8]) -> Signature {
        Signature::from_bytes(&self.clone().chain_update(input).finalize().into_bytes())
    }

    fn check(&self, input: &[u8], tag: &[u8]) -> Result<(), SignatureError> {
        self.clone().chain_update(input).verify_slice(tag).map_err(|_| SignatureError::Invalid)
    }
}

impl HmacKey {
    /// Makes a key for HS256.
    ///
    /// # Errors
    ///
    /// - [`KeyError::SecretTooShort`] under 32 bytes; [`KeyError::SecretTooLong`] over 64 KiB.
    /// - [`KeyError::NotASecret`] for a PEM, DER, JWK or SSH key.
    pub fn hs256(secret: &SecretBytes) -> Result<Self, KeyError> {
        Self::of::<Hmac<Sha256>>(Algorithm::Hs256, strong(secret, Algorithm::Hs256)?)
    }

    /// Makes a key for HS384.
    ///
    /// # Errors
    ///
    /// - [`KeyError::SecretTooShort`] under 48 bytes; [`KeyError::SecretTooLong`] over 64 KiB.
    /// - [`KeyError::NotASecret`] for a PEM, DER, JWK or SSH key.
    pub fn hs384(secret: &SecretBytes) -> Result<Self, KeyError> {
        Self::of::<Hmac<Sha384>>(Algorithm::Hs384, strong(secret, Algorithm::Hs384)?)
    }

    /// Makes a key for HS512.
    ///
    /// # Errors
    ///
    /// - [`KeyError::SecretTooShort`] under 64 bytes; [`KeyError::SecretTooLong`] over 64 KiB.
    /// - [`KeyError::NotASecret`] for a PEM, DER, JWK or SSH key.
    pub fn hs512(secret: &SecretBytes) -> Result<Self, KeyError> {
        Self::of::<Hmac<Sha512>>(Algorithm::Hs512, strong(secret, Algorithm::Hs512)?)
    }

    /// Makes a key for an algorithm that is chosen at run time.
    ///
    /// # Errors
    ///
    /// - [`KeyError::WrongKeyType`] for an algorithm that is not an HMAC.
    /// - [`KeyError::SecretTooShort`] for fewer bytes than the hash has; [`KeyError::SecretTooLong`] over 64 KiB.
    /// - [`KeyError::NotASecret`] for a PEM, DER, JWK or SSH key.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{Algorithm, HmacKey, KeyError, SecretBytes};
    ///
    /// let secret = SecretBytes::from_bytes([7; 32]);
    /// assert!(HmacKey::new("HS256".parse()?, &secret).is_ok());
    /// let error = HmacKey::new(Algorithm::Rs256, &secret).unwrap_err();
    /// assert_eq!(error, KeyError::WrongKeyType { algorithm: Algorithm::Rs256, key: "HMAC" });
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn new(algorithm: Algorithm, secret: &SecretBytes) -> Result<Self, KeyError> {
        Self::keyed(algorithm, strong(secret, algorithm)?)
    }

    /// Makes a key from a secret of any length except zero, for tokens of systems that you cannot change.
    ///
    /// # Errors
    ///
    /// - [`KeyError::EmptySecret`]; [`KeyError::SecretTooLong`] over 64 KiB.
    /// - [`KeyError::NotASecret`] for a PEM, DER, JWK or SSH key.
    /// - [`KeyError::WrongKeyType`] for an algorithm that is not an HMAC.
    ///
    /// # Security
    ///
    /// An attacker can find a short or guessable secret offline, from one token, and then sign as you do. Use this to verify
    /// what others still sign, and replace the secret.
    pub fn with_weak_secret(algorithm: Algorithm, secret: &SecretBytes) -> Result<Self, KeyError> {
        secret.refuse_key_file()?;
        if secret.expose_secret().is_empty() {
            return Err(KeyError::EmptySecret);
        }
        Self::keyed(algorithm, secret.expose_secret())
    }

    /// Makes a random key that exists in this process only.
    ///
    /// To keep one, generate its bytes with [`SecretBytes::generate`](crate::SecretBytes::generate) and store them.
    ///
    /// # Errors
    ///
    /// [`KeyError::Entropy`]; [`KeyError::WrongKeyType`] for an algorithm that is not an HMAC.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{Algorithm, HmacKey};
    ///
    /// let key = HmacKey::generate(Algorithm::Hs256)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "getrandom")]
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        Self::generate_with(algorithm, &crate::key::entropy::SystemEntropy::new())
    }

    /// Makes a random key from the given source of randomness.
    ///
    /// # Errors
    ///
    /// As [`generate`](Self::generate).
    pub fn generate_with(algorithm: Algorithm, entropy: &(impl Entropy + ?Sized)) -> Result<Self, KeyError> {
        let mut secret = Zeroizing::new(Vec::new());
        secret.resize(minimum(algorithm)?, 0);
        entropy.fill(&mut secret)?;
        Self::keyed(algorithm, &secret)
    }

    fn keyed(algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::Hs256 => Self::of::<Hmac<Sha256>>(algorithm, secret),
            Algorithm::Hs384 => Self::of::<Hmac<Sha384>>(algorithm, secret),
            Algorithm::Hs512 => Self::of::<Hmac<Sha512>>(algorithm, secret),
            _ => Err(wrong_type(algorithm)),
        }
    }

    fn of<M: Mac + KeyInit + Clone + Send + Sync + 'static>(
        algorithm: Algorithm,
        secret: &[u8],
    ) -> Result<Self, KeyError> {
        // HMAC takes a key of any length, so this always succeeds.
        let keyed = <M as KeyInit>::new_from_slice(secret).map_err(|_| wrong_type(algorithm))?;
        Ok(Self { keyed: Arc::new(keyed), identity: Identity::new(algorithm) })
    }
}

/// Returns the bytes of a secret that is long enough for an algorithm and is not a key file.
fn strong(secret: &SecretBytes, algorithm: Algorithm) -> Result<&[u8], KeyError> {
    let minimum = minimum(algorithm)?;
    secret.refuse_key_file()?;
    let secret = secret.expose_secret();
    if secret.len() < minimum {
        return Err(KeyError::SecretTooShort { bytes: secret.len(), minimum });
    }
    Ok(secret)
}

/// Returns the shortest secret, in bytes: RFC 7518 section 3.2 asks for the size of the hash output or more. A signature is
/// that output.
fn minimum(algorithm: Algorithm) -> Result<usize, KeyError> {
    algorithm.signature_length().filter(|_| algorithm.is_hmac()).ok_or(wrong_type(algorithm))
}

/// Returns the error for an algorithm that is not an HMAC.
const fn wrong_type(algorithm: Algorithm) -> KeyError {
    KeyError::WrongKeyType { algorithm, key: "HMAC" }
}

identified!(HmacKey);

impl SignKey for HmacKey {
    fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError> {
        Ok(self.keyed.tag(input))
    }
}

impl VerifyKey for HmacKey {
    fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        self.keyed.check(input, signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::ALL;

    #[test]
    fn every_hmac_algorithm_has_a_key_and_no_other_has() {
        let secret = SecretBytes::from_bytes([7; 64]);
        for algorithm in ALL.iter().copied() {
            let made = HmacKey::new(algorithm, &secret);
            assert_eq!(made.is_ok(), algorithm.is_hmac(), "{algorithm}");
            assert!(made.is_ok_and(|key| key.algorithm() == algorithm) || !algorithm.is_hmac());
        }
    }
}
