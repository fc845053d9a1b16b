//! Holds secret bytes.

use crate::error::KeyError;
use alloc::vec::Vec;
use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use core::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Secret bytes. They are wiped when dropped and compared in constant time, and `Debug` shows only their length.
///
/// There is no `Clone`, `Display` or `Serialize`, so that you can only copy or print the bytes on purpose, with
/// [`expose_secret`](Self::expose_secret).
///
/// # Security
///
/// The comparison takes the same time wherever two secrets of equal length differ. Their *length* is public. Base64 and hex are
/// not decoded in constant time, so decode them once, when the program starts.
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
    /// [`KeyError::Entropy`] if the operating system gives no random bytes, or if the memory cannot be allocated.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{HmacKey, SecretBytes};
    ///
    /// let secret = SecretBytes::generate(32)?;
    /// assert!(secret != SecretBytes::generate(32)?);
    /// let key = HmacKey::hs256(&secret)?;
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
    /// For a text, it copies the bytes of the text, with a line break at its end if there is one. If the text is an encoding of
    /// the secret, use [`from_base64`](Self::from_base64), [`from_base64url`](Self::from_base64url) or
    /// [`from_hex`](Self::from_hex) instead. Otherwise you get another key, and no check notices it.
    #[must_use]
    pub fn from_bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::from(bytes.as_ref().to_vec())
    }

    /// Decodes base64 (the alphabet with `+` and `/`), padded or not.
    ///
    /// # Errors
    ///
    /// - [`KeyError::InvalidBase64`], also for white space.
    /// - [`KeyError::HexSecret`] for a text of 32 or more characters that are all hex digits.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{KeyError, SecretBytes};
    ///
    /// let text = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";
    /// assert_eq!(SecretBytes::from_base64(text)?.expose_secret().len(), 32);
    /// // Trim the text of a file that ends in a line break.
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
    /// The same as [`from_base64`](Self::from_base64).
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

    /// Decodes hex in upper or lower case, as `openssl rand -hex 32` writes it.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidHex`], also for white space or `0x`.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{KeyError, SecretBytes};
    ///
    /// let secret = SecretBytes::from_hex("9F86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")?;
    /// assert_eq!(secret.expose_secret().len(), 32);
    /// assert_eq!(SecretBytes::from_hex("0x9f86").unwrap_err(), KeyError::InvalidHex);
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        // Check the digits first, because `from_str_radix` also accepts a sign.
        if !text.len().is_multiple_of(2) || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(KeyError::InvalidHex);
        }
        let mut secret = Zeroizing::new(Vec::with_capacity(text.len()));
        for place in (0..text.len()).step_by(2) {
            let byte = text.get(place..place.saturating_add(2)).map(|digits| u8::from_str_radix(digits, 16));
            secret.push(byte.and_then(Result::ok).ok_or(KeyError::InvalidHex)?);
        }
        Ok(Self(secret))
    }

    /// Returns the secret bytes. If you copy them, you have to wipe the copy yourself.
    #[must_use]
    pub fn expose_secret(&self) -> &[u8] {
        &self.0
    }

    /// Returns the secret bytes as text, if they are UTF-8, e.g. a PEM file.
    #[must_use]
    pub fn expose_secret_text(&self) -> Option<&str> {
        core::str::from_utf8(&self.0).ok()
    }
}

/// Decodes the text of a secret. The error does not say where the text is wrong, because the text is secret.
fn decode(alphabet: &Alphabet, text: &str) -> Result<SecretBytes, KeyError> {
    if is_hex(text) {
        return Err(KeyError::HexSecret);
    }
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(alphabet, config);
    // Allocate everything at once, because a growing buffer would leave copies in freed memory.
    let mut secret = Zeroizing::new(Vec::new());
    secret.resize(text.len(), 0);
    let length = engine.decode_slice(text, &mut secret).map_err(|_| KeyError::InvalidBase64)?;
    secret.truncate(length);
    Ok(SecretBytes(secret))
}

/// Returns whether `text` is hex and not base64. Only one in 10^14 random base64 texts of 32 characters consists of hex digits.
/// The text must have both digits and letters, so that the base64 of zeros does not count as hex.
fn is_hex(text: &str) -> bool {
    let all = |kind: fn(&u8) -> bool| text.bytes().all(|byte| kind(&byte));
    text.len() >= 32
        && text.len().is_multiple_of(2)
        && all(u8::is_ascii_hexdigit)
        && !all(u8::is_ascii_digit)
        && !all(u8::is_ascii_alphabetic)
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
