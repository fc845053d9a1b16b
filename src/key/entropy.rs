//! Where randomness comes from.

use crate::error::EntropyError;
use alloc::boxed::Box;
use alloc::sync::Arc;

/// A source of randomness for blinding and for new keys.
///
/// [`SystemEntropy`] is the operating system's. A program without one hands its own in; the bytes must be fit
/// for cryptographic keys.
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
    /// [`EntropyError`] when there is none to be had. The operation that asked for it then fails; nothing is
    /// tried again.
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
    /// The operating system's randomness.
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
