//! What a key can do. The crate's own keys are in [`hmac`], `rsa_sign`, `rsa_verify` and `aws_lc`; a key of yours, in
//! an HSM or over another backend, implements the same traits.

#[cfg(feature = "aws-lc-rs")]
pub mod aws_lc;
pub(crate) mod hmac;
pub(crate) mod mistaken;
#[cfg(feature = "rsa-verify")]
pub(crate) mod pem;
#[cfg(feature = "rsa-verify")]
pub(crate) mod roca;
#[cfg(feature = "rsa-verify")]
pub(crate) mod rsa;
#[cfg(feature = "rsa")]
pub(crate) mod rsa_sign;
#[cfg(feature = "rsa-verify")]
pub(crate) mod rsa_verify;

use crate::algorithm::Algorithm;
use crate::error::{EntropyError, KeyError, SignError, SignatureError};
use crate::header::EncodedHeader;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;

/// The longest key id that a key may have; a verifier's default limit is the same.
const KEY_ID_BYTES: usize = 1024;

/// What every key knows of itself: one algorithm, and perhaps a name.
///
/// # Examples
///
/// ```
/// use countersign::{Algorithm, HmacKey, Key, SecretBytes};
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?.with_key_id("2026-11")?;
/// assert_eq!(key.algorithm(), Algorithm::Hs256);
/// assert_eq!(key.key_id(), Some("2026-11"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Key: Send + Sync {
    /// The one algorithm that this key is for. It never changes.
    fn algorithm(&self) -> Algorithm;

    /// The name (`kid`) under which others find this key. It never changes.
    fn key_id(&self) -> Option<&str>;

    /// The header of this key's tokens, if it keeps one: it makes signing and verifying faster. It must have
    /// been made of this key's algorithm and id.
    fn encoded_header(&self) -> Option<&EncodedHeader> {
        None
    }
}

/// A key that signs.
///
/// # Examples
///
/// A key behind a library of your own:
///
/// ```
/// use countersign::{Algorithm, Key, SignError, SignKey, Signature};
///
/// struct TokenInASlot;
/// # fn sign_in_the_slot(_: &[u8]) -> Option<[u8; 256]> { None }
///
/// impl Key for TokenInASlot {
///     fn algorithm(&self) -> Algorithm { Algorithm::Rs256 }
///     fn key_id(&self) -> Option<&str> { Some("slot-9c") }
/// }
///
/// impl SignKey for TokenInASlot {
///     fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError> {
///         sign_in_the_slot(input).map(|bytes| Signature::from_bytes(&bytes)).ok_or(SignError::SigningFailed)
///     }
/// }
/// ```
pub trait SignKey: Key {
    /// Signs `input`, the first two segments of a token and the dot between them.
    ///
    /// # Errors
    ///
    /// [`SignError::Entropy`] or [`SignError::SigningFailed`].
    fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError>;
}

/// A key that verifies.
///
/// # Examples
///
/// A key whose public half is checked by a library of your own:
///
/// ```
/// use countersign::{Algorithm, Key, SignatureError, Verifier, VerifyKey};
///
/// struct Elsewhere;
/// # fn another_library_says(_: &[u8], _: &[u8]) -> bool { false }
///
/// impl Key for Elsewhere {
///     fn algorithm(&self) -> Algorithm { Algorithm::Rs256 }
///     fn key_id(&self) -> Option<&str> { None }
/// }
///
/// impl VerifyKey for Elsewhere {
///     fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
///         if another_library_says(input, signature) { Ok(()) } else { Err(SignatureError::Invalid) }
///     }
/// }
///
/// let verifier = Verifier::builder(Elsewhere).accept_any_issuer().no_audience().build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait VerifyKey: Key {
    /// Checks that `signature` is one of this key over `input`.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Invalid`] for any signature that is not; [`SignatureError::KeyUnavailable`] when a
    /// remote key could not be asked.
    ///
    /// # Security
    ///
    /// An implementation must take any bytes of any length, and compare secrets in constant time. What `input` holds has
    /// not been looked at: it is as long as a token may be, and may be no base64url.
    fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError>;
}

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

impl FromStr for Algorithm {
    type Err = KeyError;

    /// Reads the name that the header has for it.
    ///
    /// # Errors
    ///
    /// [`KeyError::UnsupportedAlgorithm`].
    fn from_str(name: &str) -> Result<Self, KeyError> {
        Self::from_name(name).ok_or(KeyError::UnsupportedAlgorithm)
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

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<K: Key + ?Sized> Key for $pointer {
            fn algorithm(&self) -> Algorithm {
                (**self).algorithm()
            }
            fn key_id(&self) -> Option<&str> {
                (**self).key_id()
            }
            fn encoded_header(&self) -> Option<&EncodedHeader> {
                (**self).encoded_header()
            }
        }

        impl<K: SignKey + ?Sized> SignKey for $pointer {
            fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError> {
                (**self).sign_bytes(input)
            }
        }

        impl<K: VerifyKey + ?Sized> VerifyKey for $pointer {
            fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
                (**self).verify_bytes(input, signature)
            }
        }
    )*};
}

forward!(&K, Box<K>, Arc<K>);

/// The bytes of a signature; those of short ones are kept in place.
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
    /// A signature of these bytes.
    #[must_use]
    #[inline]
    pub fn from_bytes(signature: &[u8]) -> Self {
        let mut bytes = [0; INLINE];
        Self(match bytes.get_mut(..signature.len()) {
            Some(room) => {
                room.copy_from_slice(signature);
                Repr::Inline { bytes, length: signature.len() }
            }
            None => Repr::Heap(signature.to_vec()),
        })
    }

    /// The bytes.
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

/// A key that is elsewhere: only its algorithm and name are known here.
///
/// For signing in two steps, with [`Claims::prepare`](crate::Claims::prepare).
///
/// # Examples
///
/// ```
/// use countersign::{Algorithm, ExternalKey, Key};
///
/// let key = ExternalKey::new(Algorithm::Rs256).with_key_id("alias/login")?;
/// assert_eq!(key.key_id(), Some("alias/login"));
/// # Ok::<(), countersign::KeyError>(())
/// ```
#[derive(Clone, Debug)]
pub struct ExternalKey(Identity);

impl ExternalKey {
    /// A key for `algorithm` that has no name.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self(Identity::new(algorithm))
    }

    /// The same key with a name.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidKeyId`] unless it has 1 to 1,024 bytes.
    pub fn with_key_id(self, key_id: impl Into<String>) -> Result<Self, KeyError> {
        self.0.with_key_id(key_id.into()).map(Self)
    }
}

impl Key for ExternalKey {
    fn algorithm(&self) -> Algorithm {
        self.0.algorithm()
    }

    fn key_id(&self) -> Option<&str> {
        self.0.key_id()
    }

    fn encoded_header(&self) -> Option<&EncodedHeader> {
        Some(self.0.encoded_header())
    }
}

/// What is public of a key and the same for all kinds: algorithm, name, and the header made of both.
#[derive(Clone)]
pub(crate) struct Identity {
    key_id: Option<Box<str>>,
    header: EncodedHeader,
}

impl Identity {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        Self { key_id: None, header: EncodedHeader::new(algorithm, None) }
    }

    pub(crate) fn with_key_id(self, key_id: String) -> Result<Self, KeyError> {
        if key_id.is_empty() || key_id.len() > KEY_ID_BYTES {
            return Err(KeyError::InvalidKeyId);
        }
        let header = EncodedHeader::new(self.algorithm(), Some(&key_id));
        Ok(Self { key_id: Some(key_id.into_boxed_str()), header })
    }

    pub(crate) const fn algorithm(&self) -> Algorithm {
        self.header.header().algorithm()
    }

    pub(crate) fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    pub(crate) const fn encoded_header(&self) -> &EncodedHeader {
        &self.header
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("algorithm", &self.algorithm()).field("kid", &self.key_id).finish()
    }
}

/// Implements `Key`, `Debug` and `with_key_id` for a key type that has a field `identity`.
macro_rules! identified {
    ($name:ident $(< $parameter:ident : $bound:ident >)?) => {
        impl$(<$parameter: $bound>)? $name$(<$parameter>)? {
            /// The same key with a name (`kid`): tokens that it signs carry the name, and tokens that it verifies must
            /// carry it.
            ///
            /// # Errors
            ///
            /// [`KeyError::InvalidKeyId`](crate::KeyError::InvalidKeyId) unless it has 1 to 1,024 bytes.
            pub fn with_key_id(
                mut self,
                key_id: impl Into<alloc::string::String>,
            ) -> Result<Self, crate::error::KeyError> {
                self.identity = self.identity.clone().with_key_id(key_id.into())?;
                Ok(self)
            }
        }

        impl$(<$parameter: $bound>)? crate::key::Key for $name$(<$parameter>)? {
            fn algorithm(&self) -> crate::algorithm::Algorithm {
                self.identity.algorithm()
            }

            fn key_id(&self) -> Option<&str> {
                self.identity.key_id()
            }

            fn encoded_header(&self) -> Option<&crate::header::EncodedHeader> {
                Some(self.identity.encoded_header())
            }
        }

        impl$(<$parameter: $bound>)? core::fmt::Debug for $name$(<$parameter>)? {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("algorithm", &self.identity.algorithm())
                    .field("kid", &self.identity.key_id())
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use identified;
