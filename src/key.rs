//! Keys: what they can do, and the types of keys that sign and verify.
//!
//! Key material (a file, numbers) is in [`material`]; a backend turns it into a key. To use a key in an HSM or another library,
//! implement the traits.

#[cfg(feature = "key-files")]
pub(crate) mod asn1;
#[cfg(feature = "certificate")]
pub(crate) mod certificate;
#[cfg(all(feature = "private-keys", feature = "rsa-verify"))]
pub(crate) mod crt;
#[cfg(feature = "key-files")]
pub(crate) mod ec;
#[cfg(feature = "key-files")]
pub(crate) mod ecdsa_signature;
#[cfg(feature = "key-files")]
pub(crate) mod ed25519;
pub(crate) mod entropy;
#[cfg(feature = "rsa-verify")]
pub(crate) mod factoring;
#[cfg(feature = "key-files")]
pub(crate) mod file;
#[cfg(feature = "key-files")]
pub(crate) mod material;
pub(crate) mod mistaken;
#[cfg(feature = "key-files")]
pub(crate) mod ml_dsa;
#[cfg(feature = "key-files")]
pub(crate) mod pem;
#[cfg(feature = "rsa-verify")]
pub(crate) mod rsa;
#[cfg(all(feature = "private-keys", feature = "rsa-verify"))]
pub(crate) mod rsa_private;
#[cfg(feature = "rsa-verify")]
pub(crate) mod rsa_pss;
pub(crate) mod signature;

use crate::algorithm::Algorithm;
use crate::error::{KeyError, SignError, SignatureError};
use crate::header::{Chosen, EncodedHeader};
#[cfg(feature = "key-files")]
use crate::key::material::PublicKey;
use crate::key::signature::Signature;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::str::FromStr;

/// The longest key id (`kid`) of a key, in bytes. It is also the default limit of a verifier.
const KEY_ID_BYTES: usize = 1024;

impl FromStr for Algorithm {
    type Err = KeyError;

    /// Reads an algorithm from its name in a header (`alg`).
    ///
    /// # Errors
    ///
    /// [`KeyError::UnsupportedAlgorithm`].
    fn from_str(name: &str) -> Result<Self, KeyError> {
        Self::from_name(name).ok_or(KeyError::UnsupportedAlgorithm)
    }
}

/// The public properties of a key, which never change: its algorithm and, if it has one, its name (`kid`).
///
/// Each implementation of [`Key`] stores one and returns it from [`Key::identity`]. It is also all that
/// [`Claims::prepare`](crate::Claims::prepare) needs of a key that signs elsewhere.
///
/// # Examples
///
/// ```
/// use countersign::{Algorithm, Identity};
///
/// let identity = Identity::new(Algorithm::Rs256).with_key_id("alias/login")?;
/// assert_eq!((identity.algorithm(), identity.key_id()), (Algorithm::Rs256, Some("alias/login")));
/// # Ok::<(), countersign::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Identity(Arc<Inner>);

struct Inner {
    /// The name that tokens give the algorithm: an algorithm may have two.
    name: &'static str,
    key_id: Option<Box<str>>,
    /// The header that the key writes into JWTs, encoded once. Signing copies it, and verifying compares with it.
    header: EncodedHeader,
}

impl Identity {
    /// Creates the identity of a key for `algorithm` that has no name.
    #[must_use]
    pub fn new(algorithm: Algorithm) -> Self {
        Self::named(algorithm, algorithm.name(), None)
    }

    fn named(algorithm: Algorithm, name: &'static str, key_id: Option<Box<str>>) -> Self {
        let header = EncodedHeader::new(algorithm, name, key_id.as_deref());
        Self(Arc::new(Inner { name, key_id, header }))
    }

    /// Returns the identity of the same key with a name (`kid`).
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidKeyId`] unless it has 1 to 1,024 bytes.
    pub fn with_key_id(&self, key_id: impl Into<String>) -> Result<Self, KeyError> {
        let key_id: String = key_id.into();
        if key_id.is_empty() || key_id.len() > KEY_ID_BYTES {
            return Err(KeyError::InvalidKeyId);
        }
        Ok(Self::named(self.algorithm(), self.0.name, Some(key_id.into_boxed_str())))
    }

    /// Returns the identity of the same key for tokens that name the algorithm as
    /// [RFC 9864](https://www.rfc-editor.org/rfc/rfc9864) does: `Ed25519` in place of `EdDSA`. All other names stay as they are.
    ///
    /// # Examples
    ///
    /// ```
    /// use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    /// use countersign::{Algorithm, Identity, jws};
    ///
    /// let identity = Identity::new(Algorithm::Ed25519).fully_specified();
    /// let prepared = jws::Payload::new("hello").prepare(&identity)?;
    /// let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"Ed25519"}"#);
    /// assert!(prepared.signing_input().starts_with(header.as_bytes()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn fully_specified(&self) -> Self {
        let name = self.algorithm().fully_specified_name();
        Self::named(self.algorithm(), name, self.0.key_id.clone())
    }

    /// Returns the one algorithm of the key.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.0.header.header().algorithm()
    }

    /// Returns the name (`kid`) by which others find the key.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.0.key_id.as_deref()
    }

    pub(crate) fn header(&self) -> &EncodedHeader {
        &self.0.header
    }

    /// Encodes the header of a token with these parameters.
    pub(crate) fn header_with(&self, chosen: &Chosen<'_>) -> EncodedHeader {
        EncodedHeader::of(self.algorithm(), self.0.name, self.key_id(), chosen)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("algorithm", &self.algorithm()).field("kid", &self.key_id()).finish()
    }
}

/// A key of any kind. It has one algorithm and may have a name.
///
/// # Examples
///
/// ```
/// use countersign::{Algorithm, HmacKey, Key, SecretBytes};
///
/// fn describe(key: &dyn Key) -> String {
///     format!("{} {}", key.identity().algorithm(), key.identity().key_id().unwrap_or("without a name"))
/// }
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?.with_key_id("2026-11")?;
/// assert_eq!(describe(&key), "HS256 2026-11");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Key: Send + Sync {
    /// Returns the algorithm and the name of this key. They never change.
    fn identity(&self) -> &Identity;
}

impl Key for Identity {
    fn identity(&self) -> &Self {
        self
    }
}

/// A key that signs.
///
/// # Examples
///
/// A key in another library:
///
/// ```
/// use countersign::{Identity, Key, SignError, SignKey, Signature};
///
/// struct TokenInASlot(Identity);
/// # fn sign_in_the_slot(_: &[u8]) -> Option<[u8; 256]> { None }
///
/// impl Key for TokenInASlot {
///     fn identity(&self) -> &Identity { &self.0 }
/// }
///
/// impl SignKey for TokenInASlot {
///     fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError> {
///         sign_in_the_slot(input).map(|bytes| Signature::from_bytes(&bytes)).ok_or(SignError::SigningFailed)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a key that signs",
    note = "`PrivateKey` is key material without an algorithm: `private.rs256()?` makes a key that signs"
)]
pub trait SignKey: Key {
    /// Signs `input`, the first two segments of a token and the dot between them.
    ///
    /// # Errors
    ///
    /// [`SignError::Entropy`] or [`SignError::SigningFailed`].
    fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError>;
}

/// A key that verifies. Pass your own implementation to [`VerifyingKey::custom`], for verifiers and key sets.
///
/// # Examples
///
/// A key that checks signatures with another library:
///
/// ```
/// use countersign::{Algorithm, Identity, Key, SignatureError, Verifier, VerifyKey, VerifyingKey};
///
/// struct Elsewhere(Identity);
/// # fn another_library_says(_: &[u8], _: &[u8]) -> bool { false }
///
/// impl Key for Elsewhere {
///     fn identity(&self) -> &Identity { &self.0 }
/// }
///
/// impl VerifyKey for Elsewhere {
///     fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
///         if another_library_says(input, signature) { Ok(()) } else { Err(SignatureError::Invalid) }
///     }
/// }
///
/// let key = VerifyingKey::custom(Elsewhere(Identity::new(Algorithm::Rs256)))?;
/// let verifier = Verifier::builder(key).accept_any_issuer().no_audience().build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait VerifyKey: Key {
    /// Checks that this key made `signature` over `input`.
    ///
    /// # Errors
    ///
    /// [`SignatureError::Invalid`] for any other signature; [`SignatureError::KeyUnavailable`] if a remote key cannot be
    /// reached.
    ///
    /// # Security
    ///
    /// An implementation must accept bytes of any length, and compare secrets in constant time. Nothing has checked the content
    /// of `input` yet: it may be as long as the longest token, and it may not be base64url.
    fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError>;
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<K: Key + ?Sized> Key for $pointer {
            fn identity(&self) -> &Identity {
                (**self).identity()
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

/// The public half of a key pair, which verifies the tokens of one algorithm. It is checked and precomputed once; a clone is
/// cheap.
///
/// Made from a `PublicKey` and an algorithm (features such as `rsa-verify` and `ecdsa`), by a backend, or from your own [`VerifyKey`].
#[derive(Clone)]
pub struct VerifyingKey {
    verifier: Arc<dyn CheckSignature>,
    #[cfg(feature = "key-files")]
    public: Option<Arc<PublicKey>>,
    identity: Identity,
}

/// The part of a key that checks signatures.
pub(crate) trait CheckSignature: Send + Sync {
    fn check(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError>;
}

impl VerifyingKey {
    #[cfg(feature = "key-files")]
    pub(crate) fn new(
        algorithm: Algorithm,
        public: &PublicKey,
        verifier: impl CheckSignature + 'static,
    ) -> Self {
        Self {
            verifier: Arc::new(verifier),
            public: Some(Arc::new(public.clone())),
            identity: Identity::new(algorithm),
        }
    }

    /// Wraps your own key, under its own name.
    ///
    /// # Errors
    ///
    /// [`KeyError::WrongKeyType`] if the algorithm of the key is an HMAC, which has no public half: use an
    /// [`HmacKey`](crate::HmacKey).
    pub fn custom(key: impl VerifyKey + 'static) -> Result<Self, KeyError> {
        // Call `identity` once, because another implementation may return something else the next time.
        let identity = key.identity().clone();
        refuse_hmac(identity.algorithm())?;
        Ok(Self {
            verifier: Arc::new(Custom(key)),
            #[cfg(feature = "key-files")]
            public: None,
            identity,
        })
    }

    /// Returns the material that the key was made from, for publication. `None` for a key made by [`custom`](Self::custom).
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::PublicKey;
    ///
    /// # use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    /// # let modulus = BASE64_URL_SAFE_NO_PAD.decode("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw").unwrap();
    /// let public = PublicKey::from_modulus_and_exponent(&modulus, &[1, 0, 1])?;
    /// let key = public.rs256()?;
    /// assert!(key.public_key() == Some(&public));
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    #[cfg(feature = "key-files")]
    #[must_use]
    pub fn public_key(&self) -> Option<&PublicKey> {
        self.public.as_deref()
    }
}

identified!(VerifyingKey);

impl VerifyKey for VerifyingKey {
    fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        self.verifier.check(input, signature)
    }
}

/// The private half of a key pair, which signs the tokens of one algorithm. It is checked and precomputed once; a clone is
/// cheap.
///
/// Made from a `PrivateKey` and an algorithm (features such as `rsa` and `ecdsa`), by a backend, or from your own [`SignKey`].
#[derive(Clone)]
pub struct SigningKey {
    signer: Arc<dyn MakeSignature>,
    verifying: VerifyingKey,
    identity: Identity,
}

/// The part of a key that makes signatures.
pub(crate) trait MakeSignature: Send + Sync {
    fn make(&self, input: &[u8]) -> Result<Signature, SignError>;
}

impl SigningKey {
    #[cfg(feature = "private-keys")]
    pub(crate) fn new(signer: impl MakeSignature + 'static, verifying: VerifyingKey) -> Self {
        let identity = verifying.identity.clone();
        Self { signer: Arc::new(signer), verifying, identity }
    }

    /// Wraps your own key, under its own name, together with the public half that verifies its signatures.
    ///
    /// # Errors
    ///
    /// [`KeyError::WrongKeyType`] if the algorithm of the key is an HMAC, or differs from that of the public half.
    ///
    /// # Security
    ///
    /// This function does not check that the two halves belong together: see
    /// [`Prepared::finish_checked`](crate::jws::Prepared::finish_checked).
    pub fn custom(key: impl SignKey + 'static, verifying: VerifyingKey) -> Result<Self, KeyError> {
        // Call `identity` once, as in `VerifyingKey::custom`.
        let identity = key.identity().clone();
        refuse_hmac(identity.algorithm())?;
        let (algorithm, other) = (identity.algorithm(), verifying.algorithm());
        if other != algorithm {
            return Err(KeyError::WrongKeyType { algorithm, key: other.name() });
        }
        Ok(Self { signer: Arc::new(Custom(key)), verifying, identity })
    }

    /// Writes the name `Ed25519` of [RFC 9864](https://www.rfc-editor.org/rfc/rfc9864) into tokens, in place of `EdDSA`. Does
    /// nothing to a key of another algorithm.
    ///
    /// Use it only if all who verify your tokens know the name: most libraries of 2026 know `EdDSA` alone. This crate reads both.
    #[must_use]
    pub fn fully_specified(self) -> Self {
        Self { identity: self.identity.fully_specified(), ..self }
    }

    /// Returns the public key that verifies the signatures of this one, under the same name.
    #[must_use]
    pub fn verifying_key(&self) -> VerifyingKey {
        VerifyingKey { identity: self.identity.clone(), ..self.verifying.clone() }
    }
}

identified!(SigningKey);

impl SignKey for SigningKey {
    fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError> {
        self.signer.make(input)
    }
}

/// A key that the caller implements.
struct Custom<K>(K);

impl<K: VerifyKey> CheckSignature for Custom<K> {
    fn check(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        self.0.verify_bytes(input, signature)
    }
}

impl<K: SignKey> MakeSignature for Custom<K> {
    fn make(&self, input: &[u8]) -> Result<Signature, SignError> {
        self.0.sign_bytes(input)
    }
}

/// The type of a key of two halves, for an error.
pub(crate) const KEY_PAIR: &str = "key pair";

fn refuse_hmac(algorithm: Algorithm) -> Result<(), KeyError> {
    if algorithm.is_hmac() { Err(KeyError::WrongKeyType { algorithm, key: KEY_PAIR }) } else { Ok(()) }
}

/// Implements `Key`, `Debug`, `algorithm`, `key_id` and `with_key_id` for a key type that has a field `identity`.
macro_rules! identified {
    ($name:ident) => {
        impl $name {
            /// Returns the one algorithm of this key.
            #[must_use]
            pub fn algorithm(&self) -> crate::algorithm::Algorithm {
                self.identity.algorithm()
            }

            /// Returns the name (`kid`) by which others find this key.
            #[must_use]
            pub fn key_id(&self) -> Option<&str> {
                self.identity.key_id()
            }

            /// Returns the same key with a name (`kid`). Tokens that it signs carry the name, and tokens that it verifies must
            /// carry it.
            ///
            /// # Errors
            ///
            /// [`KeyError::InvalidKeyId`](crate::KeyError::InvalidKeyId) unless it has 1 to 1,024 bytes.
            pub fn with_key_id(
                mut self,
                key_id: impl Into<alloc::string::String>,
            ) -> Result<Self, crate::error::KeyError> {
                self.identity = self.identity.with_key_id(key_id)?;
                Ok(self)
            }
        }

        impl crate::key::Key for $name {
            fn identity(&self) -> &crate::key::Identity {
                &self.identity
            }
        }

        impl core::fmt::Debug for $name {
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
