//! HMAC keys ([RFC 7518 section 3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).

use crate::algorithm::Algorithm;
use crate::error::{KeyError, SignError, SignatureError};
use crate::key::mistaken::refuse_key_file;
use crate::key::{Entropy, Identity, SignKey, Signature, VerifyKey, identified};
use alloc::vec::Vec;
use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use sealed::Keyed;
use sha2::Sha256;
use zeroize::Zeroizing;

/// Which HMAC an [`HmacKey`] is for. The algorithms of this crate implement it; nothing else can.
///
/// # Examples
///
/// ```
/// use countersign::{HmacAlgorithm, HmacKey, KeyError};
///
/// /// Works for every HMAC algorithm that there is and will be.
/// fn named<A: HmacAlgorithm>(secret: &[u8], name: &str) -> Result<HmacKey<A>, KeyError> {
///     HmacKey::from_bytes(secret)?.with_key_id(name)
/// }
///
/// let key = named::<countersign::Hs256>(&[7; 32], "2026-11")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait HmacAlgorithm: sealed::Sealed + Send + Sync + 'static {}

/// HMAC with SHA-256: the algorithm of [`Hs256Key`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Hs256;

impl HmacAlgorithm for Hs256 {}

impl sealed::Sealed for Hs256 {
    const ALGORITHM: Algorithm = Algorithm::Hs256;
    // RFC 7518 section 3.2: a key of the size of the hash output or larger must be used.
    const MINIMUM: usize = 32;
    type Keyed = Hmac<Sha256>;
}

#[allow(unnameable_types, reason = "sealed")]
mod sealed {
    use super::{Algorithm, Hmac, KeyInit, Mac, Sha256, Signature};

    pub trait Sealed {
        const ALGORITHM: Algorithm;
        /// Shortest secret in bytes.
        const MINIMUM: usize;
        type Keyed: Keyed;
    }

    /// An HMAC that has taken its key and no message yet.
    pub trait Keyed: Clone + Send + Sync {
        fn keyed(secret: &[u8]) -> Option<Self>;
        fn tag(&self, input: &[u8]) -> Signature;
        fn matches(&self, input: &[u8], tag: &[u8]) -> bool;
    }

    impl Keyed for Hmac<Sha256> {
        fn keyed(secret: &[u8]) -> Option<Self> {
            // HMAC takes a key of any length, so there always is one.
            Self::new_from_slice(secret).ok()
        }

        fn tag(&self, input: &[u8]) -> Signature {
            Signature::from_bytes(&self.clone().chain_update(input).finalize().into_bytes())
        }

        fn matches(&self, input: &[u8], tag: &[u8]) -> bool {
            // Constant time; a tag of another length is refused.
            self.clone().chain_update(input).verify_slice(tag).is_ok()
        }
    }
}

/// A secret that signs and verifies HS256 tokens. See [`HmacKey`].
pub type Hs256Key = HmacKey<Hs256>;

/// An HMAC secret, ready for use: the key schedule has been run, the secret itself is not kept.
///
/// Everyone who can verify with it can also sign. For more than one party, prefer RS256.
///
/// Three constructors for three spellings, so that a text is never taken for the bytes it encodes:
/// [`from_bytes`](Self::from_bytes), [`from_base64`](Self::from_base64), [`from_base64url`](Self::from_base64url).
///
/// # Security
///
/// Secrets shorter than the hash are refused: one signed token is enough to search for them at leisure. So is
/// what looks like a PEM, DER, JWK or SSH key: whoever verifies with a *public* key as an HMAC secret accepts
/// tokens that anybody can make. The keyed state is wiped when the key is dropped.
///
/// # Examples
///
/// ```
/// use countersign::{Hs256Key, KeyError};
///
/// let key = Hs256Key::from_bytes(b"an example of thirty-two bytes!!")?.with_key_id("2026-11")?;
/// assert_eq!(format!("{key:?}"), r#"HmacKey { algorithm: Hs256, kid: Some("2026-11"), .. }"#);
///
/// let short = Hs256Key::from_bytes(b"secret").unwrap_err();
/// assert_eq!(short, KeyError::SecretTooShort { bytes: 6, minimum: 32 });
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Clone)]
pub struct HmacKey<A: HmacAlgorithm> {
    keyed: A::Keyed,
    identity: Identity,
}

impl<A: HmacAlgorithm> HmacKey<A> {
    /// The key of these raw bytes.
    ///
    /// # Errors
    ///
    /// - [`KeyError::SecretTooShort`] under 32 bytes.
    /// - [`KeyError::NotASecret`] for a PEM, DER, JWK or SSH key.
    pub fn from_bytes(secret: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let secret = secret.as_ref();
        refuse_key_file(secret)?;
        if secret.len() < A::MINIMUM {
            return Err(KeyError::SecretTooShort { bytes: secret.len(), minimum: A::MINIMUM });
        }
        Self::keyed(secret)
    }

    /// The key of the bytes that `text` encodes in base64 (alphabet with `+` and `/`), padded or not.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidBase64`], white space included; else as [`from_bytes`](Self::from_bytes).
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{Hs256Key, KeyError};
    ///
    /// let text = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";
    /// assert!(Hs256Key::from_base64(text).is_ok());
    /// // A file that ends in a line break has to be trimmed.
    /// assert_eq!(Hs256Key::from_base64(&format!("{text}\n")).unwrap_err(), KeyError::InvalidBase64);
    /// ```
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(decode(&STANDARD, text)?.as_slice())
    }

    /// The key of the bytes that `text` encodes in base64url (alphabet with `-` and `_`), padded or not.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidBase64`], white space included; else as [`from_bytes`](Self::from_bytes).
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::Hs256Key;
    ///
    /// // The key of RFC 7515 appendix A.1.
    /// let k = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    /// assert!(Hs256Key::from_base64url(k).is_ok());
    /// ```
    pub fn from_base64url(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(decode(&URL_SAFE, text)?.as_slice())
    }

    /// A key of a secret of any length except zero, for tokens of systems that cannot be changed.
    ///
    /// # Errors
    ///
    /// - [`KeyError::EmptySecret`].
    /// - [`KeyError::NotASecret`] for a PEM, DER, JWK or SSH key.
    ///
    /// # Security
    ///
    /// A short or guessable secret can be found from one token, offline; whoever has it signs as you do. Use
    /// this to verify what others still sign so, and replace it.
    pub fn from_weak_bytes(secret: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let secret = secret.as_ref();
        refuse_key_file(secret)?;
        if secret.is_empty() {
            return Err(KeyError::EmptySecret);
        }
        Self::keyed(secret)
    }

    /// A new random key that exists in this process only.
    ///
    /// To keep one, generate its bytes with [`SecretBytes::generate`](crate::SecretBytes::generate) and store them.
    ///
    /// # Errors
    ///
    /// [`KeyError::Entropy`].
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::Hs256Key;
    ///
    /// let key = Hs256Key::generate()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "getrandom")]
    pub fn generate() -> Result<Self, KeyError> {
        Self::generate_with(&crate::key::SystemEntropy::new())
    }

    /// A new key of the given randomness.
    ///
    /// # Errors
    ///
    /// [`KeyError::Entropy`].
    pub fn generate_with(entropy: &(impl Entropy + ?Sized)) -> Result<Self, KeyError> {
        let mut secret = Zeroizing::new(Vec::new());
        secret.resize(A::MINIMUM, 0);
        entropy.fill(&mut secret)?;
        Self::keyed(&secret)
    }

    fn keyed(secret: &[u8]) -> Result<Self, KeyError> {
        let keyed = A::Keyed::keyed(secret).ok_or(KeyError::EmptySecret)?;
        Ok(Self { keyed, identity: Identity::new(A::ALGORITHM) })
    }
}

identified!(HmacKey<A: HmacAlgorithm>);

impl<A: HmacAlgorithm> SignKey for HmacKey<A> {
    fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError> {
        Ok(self.keyed.tag(input))
    }
}

impl<A: HmacAlgorithm> VerifyKey for HmacKey<A> {
    fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        if self.keyed.matches(input, signature) { Ok(()) } else { Err(SignatureError::Invalid) }
    }
}

/// The bytes of a secret's text; where it is wrong is not said.
fn decode(alphabet: &Alphabet, text: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(alphabet, config);
    // Room for all of it at once, so that no copy is left behind by a growing buffer.
    let mut secret = Zeroizing::new(Vec::new());
    secret.resize(text.len(), 0);
    let length = engine.decode_slice(text, &mut secret).map_err(|_| KeyError::InvalidBase64)?;
    secret.truncate(length);
    Ok(secret)
}
