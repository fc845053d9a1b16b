//! Sources of randomness.

use crate::error::EntropyError;
use alloc::boxed::Box;
use alloc::sync::Arc;

/// A source of randomness for blinding, for ML-DSA signatures and for new keys.
///
/// [`SystemEntropy`] is the operating system's source. A program without an operating system implements its own source; the
/// bytes must be good enough for cryptographic keys.
///
/// # Examples
///
/// ```
/// use countersign::{Entropy, EntropyError};
///
/// /// A hardware generator.
/// struct Board;
/// # fn read_generator(_: &mut [u8]) -> bool { true }
///
/// impl Entropy for Board {
///     fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
///         if read_generator(bytes) { Ok(()) } else { Err(EntropyError::new()) }
///     }
/// }
/// ```
pub trait Entropy: Send + Sync {
    /// Fills `bytes`.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the source fails. The operation that asked for the bytes then fails; it does not retry.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError>;
}

/// The operating system's randomness.
///
/// # Examples
///
/// ```
/// use countersign::{Algorithm, HmacKey, SystemEntropy};
///
/// let key = HmacKey::generate_with(Algorithm::Hs256, &SystemEntropy::new())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "getrandom")]
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct SystemEntropy;

#[cfg(feature = "getrandom")]
impl SystemEntropy {
    /// Creates the source that reads the operating system's randomness.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

#[cfg(feature = "getrandom")]
impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        getrandom::fill(bytes).map_err(|_| EntropyError::new())
    }
}

macro_rules! forward_entropy {
    ($($pointer:ty),*) => {$(
        impl<E: Entropy + ?Sized> Entropy for $pointer {
            fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
                (**self).fill(bytes)
            }
        }
    )*};
}

forward_entropy!(&E, Box<E>, Arc<E>);
