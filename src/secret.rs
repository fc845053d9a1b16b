//! Bytes that must not be seen.

use crate::error::KeyError;
use alloc::vec::Vec;
use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Secret bytes: wiped when dropped, compared in constant time, shown by `Debug` as a length only.
///
/// There is no `Clone`, `Display` or `Serialize`, so a copy or a leak has to be written on purpose, with
/// [`expose_secret`](Self::expose_secret).
///
/// # Security
///
/// The comparison takes the same time wherever two secrets of equal length differ. Their *length* is public.
///
/// # Examples
///
/// ```
/// use countersign::SecretBytes;
///
/// let secret = SecretBytes::from(vec![7; 32]);
/// assert_eq!(format!("{secret:?}"), "SecretBytes(32 bytes)");
/// assert!(secret == SecretBytes::from(vec![7; 32]));
/// ```
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Draws `length` bytes from the operating system, e.g. 32 for a new HS256 secret.
    ///
    /// # Errors
    ///
    /// [`KeyError::Entropy`] when the system has no randomness to give, or no room for so much.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{HmacKey, SecretBytes};
    ///
    /// let key = HmacKey::hs256(&SecretBytes::generate(32)?)?;
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    #[cfg(feature = "getrandom")]
    pub fn generate(length: usize) -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new(Vec::new());
        bytes.try_reserve_exact(length).map_err(|_| KeyError::Entropy)?;
        bytes.resize(length, 0);
        getrandom::fill(&mut bytes).map_err(|_| KeyError::Entropy)?;
        Ok(Self(bytes))
    }

    /// Copies these bytes.
    ///
    /// A text is taken as its bytes: use [`from_base64`](Self::from_base64) or [`from_base64url`](Self::from_base64url) for a
    /// text that encodes the secret.
    #[must_use]
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::from(bytes.as_ref().to_vec())
    }

    /// Decodes base64 (the alphabet with `+` and `/`), padded or not.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidBase64`], also for white space.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{KeyError, SecretBytes};
    ///
    /// let text = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";
    /// assert_eq!(SecretBytes::from_base64(text)?.expose_secret().len(), 32);
    /// // The text of a file that ends in a line break has to be trimmed.
    /// assert_eq!(SecretBytes::from_base64(&format!("{text}\n")).unwrap_err(), KeyError::InvalidBase64);
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        decode(&STANDARD, text)
    }

    /// Decodes base64url (the alphabet with `-` and `_`), padded or not.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidBase64`], also for white space.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::SecretBytes;
    ///
    /// // The key of RFC 7515 appendix A.1.
    /// let k = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    /// assert_eq!(SecretBytes::from_base64url(k)?.expose_secret().len(), 64);
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn from_base64url(text: &str) -> Result<Self, KeyError> {
        decode(&URL_SAFE, text)
    }

    /// The bytes themselves. Every copy made of them is the caller's to wipe.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }

    /// The bytes as text, if they are UTF-8: a PEM file, say.
    #[must_use]
    pub fn expose_secret_text(&self) -> Option<&str> {
        core::str::from_utf8(&self.0).ok()
    }
}

/// The bytes of a secret's text. The error does not say where the text is wrong, because it is secret.
fn decode(alphabet: &Alphabet, text: &str) -> Result<SecretBytes, KeyError> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(alphabet, config);
    // Room for all of it at once, so that no copy is left behind by a growing buffer.
    let mut secret = Zeroizing::new(Vec::new());
    secret.resize(text.len(), 0);
    let length = engine.decode_slice(text, &mut secret).map_err(|_| KeyError::InvalidBase64)?;
    secret.truncate(length);
    Ok(SecretBytes(secret))
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl PartialEq for SecretBytes {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes({} bytes)", self.0.len())
    }
}
