//! The bytes of a signature.

use alloc::vec::Vec;
use core::fmt;

/// The bytes of a signature. Short ones are stored inline, without an allocation.
///
/// # Examples
///
/// ```
/// use countersign::{HmacKey, SecretBytes, SignKey};
///
/// let signature = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?.sign_bytes(b"header.payload")?;
/// assert_eq!(signature.as_bytes().len(), 32);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Signature(Repr);

#[derive(Clone)]
enum Repr {
    Inline { bytes: [u8; INLINE], length: usize },
    Heap(Vec<u8>),
}

/// HMAC-SHA-512, ES256 and Ed25519 need 64 bytes.
const INLINE: usize = 64;

impl Signature {
    /// Creates a signature from these bytes.
    #[must_use]
    #[inline]
    pub fn from_bytes(signature: &[u8]) -> Self {
        let mut bytes = [0; INLINE];
        Self(match bytes.get_mut(..signature.len()) {
            Some(inline) => {
                inline.copy_from_slice(signature);
                Repr::Inline { bytes, length: signature.len() }
            }
            None => Repr::Heap(signature.to_vec()),
        })
    }

    /// Returns the bytes.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Repr::Inline { bytes, length } => bytes.get(..*length).unwrap_or_default(),
            Repr::Heap(bytes) => bytes,
        }
    }
}

impl From<Vec<u8>> for Signature {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Repr::Heap(bytes))
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Signature({} bytes)", self.as_bytes().len())
    }
}
