//! Makes keys for an algorithm that is chosen at run time, and public halves. Each function names all algorithms of the enabled
//! features, so a program that calls one links all of them.

use crate::algorithm::Algorithm;
#[cfg(any(feature = "ecdsa", feature = "k256", feature = "p521"))]
use crate::backend::rust::ecdsa;
#[cfg(feature = "ed25519")]
use crate::backend::rust::ed25519;
#[cfg(feature = "ml-dsa")]
use crate::backend::rust::ml_dsa;
use crate::error::KeyError;
use crate::key::VerifyingKey;
use crate::key::ec::Point;
use crate::key::material::PublicKey;
#[cfg(feature = "private-keys")]
use crate::key::{
    KEY_PAIR, SigningKey,
    entropy::Entropy,
    material::{PrivateKey, Secret},
};
use alloc::borrow::Cow;

impl PublicKey {
    /// Makes a key that verifies tokens of an algorithm chosen at run time.
    ///
    /// # Errors
    ///
    /// - [`KeyError::WrongKeyType`] for an algorithm that needs another type of key.
    /// - [`KeyError::UnsupportedByBackend`] if the feature of the algorithm is off.
    /// - Otherwise the errors of the method of the algorithm, such as `rs256` or `es256`.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{Algorithm, KeyError, PublicKey};
    ///
    /// # use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    /// # let modulus = BASE64_URL_SAFE_NO_PAD.decode("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw").unwrap();
    /// let public = PublicKey::from_modulus_and_exponent(&modulus, &[1, 0, 1])?;
    /// assert!(public.verifying_key("RS256".parse()?).is_ok());
    /// let error = public.verifying_key(Algorithm::Es256).unwrap_err();
    /// assert_eq!(error, KeyError::WrongKeyType { algorithm: Algorithm::Es256, key: "RSA" });
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn verifying_key(&self, algorithm: Algorithm) -> Result<VerifyingKey, KeyError> {
        match algorithm {
            #[cfg(feature = "ecdsa")]
            Algorithm::Es256 => self.es256(),
            #[cfg(feature = "ecdsa")]
            Algorithm::Es384 => self.es384(),
            #[cfg(feature = "p521")]
            Algorithm::Es512 => self.es512(),
            #[cfg(feature = "k256")]
            Algorithm::Es256k => self.es256k(),
            #[cfg(feature = "ed25519")]
            Algorithm::Ed25519 => self.ed25519(),
            #[cfg(feature = "ml-dsa")]
            Algorithm::MlDsa44 => self.ml_dsa_44(),
            #[cfg(feature = "ml-dsa")]
            Algorithm::MlDsa65 => self.ml_dsa_65(),
            #[cfg(feature = "ml-dsa")]
            Algorithm::MlDsa87 => self.ml_dsa_87(),
            #[cfg(feature = "rsa-verify")]
            other if other.is_rsa() => self.rsa_by_algorithm(other),
            other if other.is_hmac() => Err(self.wrong_type(other)),
            _ => Err(KeyError::UnsupportedByBackend),
        }
    }
}

impl Point {
    /// Returns the point in uncompressed form. The second coordinate is computed, if the feature of the curve is on.
    pub(crate) fn uncompressed(&self) -> Result<Cow<'_, Self>, KeyError> {
        if self.encoded().first() == Some(&4) {
            return Ok(Cow::Borrowed(self));
        }
        #[cfg(any(feature = "ecdsa", feature = "k256", feature = "p521"))]
        return ecdsa::uncompressed(self).map(Cow::Owned);
        #[cfg(not(any(feature = "ecdsa", feature = "k256", feature = "p521")))]
        Err(KeyError::UnsupportedByBackend)
    }
}

#[cfg(feature = "private-keys")]
impl PrivateKey {
    /// Returns the public half. It is computed if the key is not RSA.
    ///
    /// # Errors
    ///
    /// - [`KeyError::UnsupportedByBackend`] if the feature of the key's type is off.
    /// - [`KeyError::MalformedKey`] if the private number is out of range, or an ML-DSA seed does not belong to the other keys in
    ///   its file.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(feature = "ed25519", feature = "getrandom"))] {
    /// use countersign::{Algorithm, PrivateKey};
    ///
    /// let private = PrivateKey::generate(Algorithm::Ed25519)?;
    /// assert!(private.ed25519()?.verifying_key().public_key() == Some(&private.public_key()?));
    /// # }
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        match &self.0 {
            #[cfg(feature = "rsa-verify")]
            Secret::Rsa { public, .. } => Ok(public.clone()),
            #[cfg(any(feature = "ecdsa", feature = "k256", feature = "p521"))]
            Secret::Ec { scalar, .. } => ecdsa::public_key(scalar),
            #[cfg(not(any(feature = "ecdsa", feature = "k256", feature = "p521")))]
            Secret::Ec { .. } => Err(KeyError::UnsupportedByBackend),
            #[cfg(feature = "ed25519")]
            Secret::Ed25519 { seed, .. } => Ok(ed25519::public_key(seed)),
            #[cfg(not(feature = "ed25519"))]
            Secret::Ed25519 { .. } => Err(KeyError::UnsupportedByBackend),
            #[cfg(feature = "ml-dsa")]
            Secret::MlDsa(key) => ml_dsa::public_key(key),
            #[cfg(not(feature = "ml-dsa"))]
            Secret::MlDsa(_) => Err(KeyError::UnsupportedByBackend),
        }
    }

    /// Makes a key that signs tokens of an algorithm chosen at run time, with the operating system's randomness
    /// if the algorithm needs any.
    ///
    /// # Errors
    ///
    /// - [`KeyError::WrongKeyType`] for an algorithm that needs another type of key.
    /// - [`KeyError::UnsupportedByBackend`] if the feature of the algorithm is off.
    /// - Otherwise the errors of the method of the algorithm, such as `rs256` or `es256`.
    #[cfg(feature = "getrandom")]
    pub fn signing_key(&self, algorithm: Algorithm) -> Result<SigningKey, KeyError> {
        self.signing_key_with(algorithm, crate::key::entropy::SystemEntropy::new())
    }

    /// Makes a key that signs tokens of an algorithm chosen at run time, with the given source of randomness. Only
    /// RSA and ML-DSA draw from it.
    ///
    /// # Errors
    ///
    /// - [`KeyError::WrongKeyType`] for an algorithm that needs another type of key.
    /// - [`KeyError::UnsupportedByBackend`] if the feature of the algorithm is off.
    /// - Otherwise the errors of the method of the algorithm, such as `rs256_with` or `es256`.
    pub fn signing_key_with(
        &self,
        algorithm: Algorithm,
        entropy: impl Entropy + 'static,
    ) -> Result<SigningKey, KeyError> {
        match algorithm {
            #[cfg(feature = "ecdsa")]
            Algorithm::Es256 => self.es256(),
            #[cfg(feature = "ecdsa")]
            Algorithm::Es384 => self.es384(),
            #[cfg(feature = "p521")]
            Algorithm::Es512 => self.es512(),
            #[cfg(feature = "k256")]
            Algorithm::Es256k => self.es256k(),
            #[cfg(feature = "ed25519")]
            Algorithm::Ed25519 => self.ed25519(),
            #[cfg(feature = "ml-dsa")]
            Algorithm::MlDsa44 => self.ml_dsa_44_with(entropy),
            #[cfg(feature = "ml-dsa")]
            Algorithm::MlDsa65 => self.ml_dsa_65_with(entropy),
            #[cfg(feature = "ml-dsa")]
            Algorithm::MlDsa87 => self.ml_dsa_87_with(entropy),
            #[cfg(feature = "rsa")]
            other if other.is_rsa() => self.rsa_by_algorithm(other, entropy),
            other => {
                drop(entropy);
                Err(if other.is_hmac() { self.wrong_type(other) } else { KeyError::UnsupportedByBackend })
            }
        }
    }

    /// Generates a key for an algorithm. RSA keys have 2048 bits; `generate_rsa` makes longer ones.
    ///
    /// # Errors
    ///
    /// - [`KeyError::Entropy`].
    /// - [`KeyError::WrongKeyType`] for HMAC: call [`SecretBytes::generate`](crate::SecretBytes::generate).
    /// - [`KeyError::UnsupportedByBackend`] if the feature of the algorithm is off.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "ecdsa")] {
    /// use countersign::{Algorithm, KeyError, PrivateKey};
    ///
    /// let generated = PrivateKey::generate(Algorithm::Es256)?;
    /// let private = generated.to_secret_pem()?; // to be stored where it is safe
    /// let public = generated.public_key()?.to_pem()?; // to be handed to verifiers
    /// assert!(public.starts_with("-----BEGIN PUBLIC KEY-----"));
    /// let error = generated.es384().unwrap_err();
    /// assert_eq!(error, KeyError::WrongKeyType { algorithm: Algorithm::Es384, key: "P-256" });
    /// # }
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    #[cfg(feature = "getrandom")]
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        Self::generate_with(algorithm, &crate::key::entropy::SystemEntropy::new())
    }

    /// Generates a key as [`generate`](Self::generate) does, with the given source of randomness.
    ///
    /// # Errors
    ///
    /// As [`generate`](Self::generate).
    pub fn generate_with(algorithm: Algorithm, entropy: &(impl Entropy + ?Sized)) -> Result<Self, KeyError> {
        match algorithm {
            #[cfg(feature = "ecdsa")]
            Algorithm::Es256 => ecdsa::p256::generate(entropy),
            #[cfg(feature = "ecdsa")]
            Algorithm::Es384 => ecdsa::p384::generate(entropy),
            #[cfg(feature = "p521")]
            Algorithm::Es512 => ecdsa::p521::generate(entropy),
            #[cfg(feature = "k256")]
            Algorithm::Es256k => ecdsa::k256::generate(entropy),
            #[cfg(feature = "ed25519")]
            Algorithm::Ed25519 => ed25519::generate(entropy),
            #[cfg(feature = "ml-dsa")]
            Algorithm::MlDsa44 | Algorithm::MlDsa65 | Algorithm::MlDsa87 => {
                ml_dsa::generate(algorithm, entropy)
            }
            #[cfg(feature = "rsa")]
            other if other.is_rsa() => Self::generate_rsa_with(2048, entropy),
            other => {
                let _: &_ = entropy;
                Err(if other.is_hmac() {
                    KeyError::WrongKeyType { algorithm: other, key: KEY_PAIR }
                } else {
                    KeyError::UnsupportedByBackend
                })
            }
        }
    }
}
