//! Bytes that must not be seen.

#[cfg(feature = "getrandom")]
use crate::error::KeyError;
use alloc::vec::Vec;
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
    /// use countersign::{Hs256Key, SecretBytes};
    ///
    /// let secret = SecretBytes::generate(32)?;
    /// let key = Hs256Key::from_bytes(secret.expose_secret())?;
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
