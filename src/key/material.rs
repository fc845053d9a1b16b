//! Key material: the numbers of a key, read from a file and range-checked, without an algorithm.

use crate::algorithm::Algorithm;
use crate::error::KeyError;
#[cfg(feature = "private-keys")]
use crate::key::ec::Scalar;
use crate::key::ec::{Curve, Point};
use crate::key::ed25519;
use crate::key::ml_dsa;
#[cfg(feature = "rsa-verify")]
use crate::key::rsa::{Exponents, PublicNumbers};
#[cfg(feature = "rsa-verify")]
use crate::key::rsa_pss::Uses;
#[cfg(feature = "private-keys")]
use alloc::boxed::Box;
#[cfg(feature = "rsa-verify")]
use alloc::vec::Vec;
use core::fmt;
#[cfg(feature = "private-keys")]
use zeroize::Zeroizing;

/// A public key without an algorithm: RSA of 2048 to 8192 bits, a point on an elliptic curve (P-256, P-384, P-521, secp256k1),
/// Ed25519, or ML-DSA.
///
/// Read from a file or made of numbers. A method named like an algorithm turns it into a [`VerifyingKey`](crate::VerifyingKey).
/// If the file says that an RSA key is for RSA-PSS only, the methods of other algorithms refuse the key.
///
/// # Security
///
/// A modulus that is easy to factor is refused: one with a prime factor up to 701, one with the fingerprint of ROCA, and one
/// with two primes so close that 100 rounds of Fermat's method find them. Other weak keys are not detected, such as two keys
/// that share a prime.
///
/// # Examples
///
/// ```no_run
/// use countersign::PublicKey;
///
/// let pem = std::fs::read_to_string("public.pem")?;
/// let key = PublicKey::from_pem(&pem)?.rs256()?.with_key_id("2026-11")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// A mistake in a file is reported here, before the first token is verified:
///
/// ```
/// use countersign::{FileMistake, KeyError, PublicKey};
///
/// let error = PublicKey::from_pem("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n").unwrap_err();
/// assert_eq!(error, KeyError::File(FileMistake::Certificate));
/// ```
#[derive(Clone)]
pub struct PublicKey {
    pub(crate) material: Material,
    #[cfg(feature = "rsa-verify")]
    exponents: Exponents,
    #[cfg(feature = "rsa-verify")]
    pub(crate) uses: Uses,
}

/// The numbers of a public key, by its type.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Material {
    #[cfg(feature = "rsa-verify")]
    Rsa(PublicNumbers),
    Ec(Point),
    Ed25519([u8; 32]),
    MlDsa(ml_dsa::Public),
}

impl Material {
    /// Returns whether the algorithm needs a key of this type.
    pub(crate) fn fits(&self, algorithm: Algorithm) -> bool {
        match self {
            #[cfg(feature = "rsa-verify")]
            Self::Rsa(_) => algorithm.is_rsa(),
            Self::Ec(point) => algorithm == point.curve().algorithm(),
            Self::Ed25519(_) => algorithm == Algorithm::Ed25519,
            Self::MlDsa(key) => algorithm == key.set().algorithm(),
        }
    }
}

#[cfg(feature = "rsa-verify")]
impl PublicKey {
    /// Makes a key from a modulus and an exponent, both big-endian. Leading zeros are allowed.
    ///
    /// # Errors
    ///
    /// [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`], [`KeyError::Exponent`]; [`KeyError::SmallFactor`],
    /// [`KeyError::Roca`], [`KeyError::ClosePrimes`] for a modulus that can be factored.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{KeyError, PublicKey};
    /// use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    ///
    /// # let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    /// let modulus = BASE64_URL_SAFE_NO_PAD.decode(n).unwrap(); // the `n` of a JWK, here that of RFC 7517
    /// assert!(PublicKey::from_modulus_and_exponent(&modulus, &[1, 0, 1])?.rs256().is_ok());
    ///
    /// let odd = PublicKey::from_modulus_and_exponent(&modulus, &[3])?;
    /// assert_eq!(odd.rs256().unwrap_err(), KeyError::Exponent);
    /// assert!(odd.any_exponent().rs256().is_ok());
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn from_modulus_and_exponent(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        PublicNumbers::new(modulus, exponent).map(|numbers| Self::of(Material::Rsa(numbers)))
    }

    /// Returns the modulus and the exponent, big-endian without leading zeros, like `n` and `e` of a JWK; `None` for a key of
    /// another type.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::PublicKey;
    ///
    /// # use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    /// # let modulus = BASE64_URL_SAFE_NO_PAD.decode("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw").unwrap();
    /// let key = PublicKey::from_modulus_and_exponent(&modulus, &[0, 1, 0, 1])?;
    /// assert_eq!(key.modulus_and_exponent(), Some((modulus, vec![1, 0, 1])));
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    #[must_use]
    pub fn modulus_and_exponent(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        match &self.material {
            Material::Rsa(numbers) => Some((numbers.modulus().to_vec(), numbers.exponent_bytes().into_vec())),
            Material::Ec(_) | Material::Ed25519(_) | Material::MlDsa(_) => None,
        }
    }

    /// Allows any odd public exponent from 3 to 2^33 - 1 for this key. Otherwise only 65537 makes a key for tokens.
    ///
    /// # Security
    ///
    /// This crate checks the whole signature, so a small exponent does not allow forgeries. It is a sign of an old key.
    #[must_use]
    pub fn any_exponent(self) -> Self {
        Self { exponents: Exponents::Any, ..self }
    }

    /// Allows only the algorithms that the file of the key allows.
    pub(crate) fn restricted(self, uses: Uses) -> Self {
        Self { uses, ..self }
    }

    /// Returns whether the key has this modulus and this exponent.
    #[cfg(feature = "private-keys")]
    pub(crate) fn has(&self, modulus: &[u8], exponent: &[u8]) -> bool {
        matches!(&self.material, Material::Rsa(numbers)
            if *numbers.modulus() == *modulus && *numbers.exponent_bytes() == *exponent)
    }

    /// Returns the numbers of an RSA key, if its file allows `algorithm`, and their exponent is allowed.
    pub(crate) fn rsa(&self, algorithm: Algorithm) -> Result<&PublicNumbers, KeyError> {
        let Material::Rsa(numbers) = &self.material else { return Err(self.wrong_type(algorithm)) };
        self.uses.check(algorithm)?;
        numbers.check_exponent(self.exponents)?;
        Ok(numbers)
    }
}

impl PublicKey {
    pub(crate) const fn of(material: Material) -> Self {
        Self {
            material,
            #[cfg(feature = "rsa-verify")]
            exponents: Exponents::Usual,
            #[cfg(feature = "rsa-verify")]
            uses: Uses::All,
        }
    }

    pub(crate) fn of_ed25519(key: &[u8]) -> Result<Self, KeyError> {
        let key = key.try_into().map_err(|_| KeyError::MalformedKey)?;
        ed25519::check_key(&key)?;
        Ok(Self::of(Material::Ed25519(key)))
    }

    /// Returns the point of a key on `curve`.
    pub(crate) fn point(&self, curve: Curve) -> Result<&Point, KeyError> {
        match &self.material {
            Material::Ec(point) if point.curve() == curve => Ok(point),
            _ => Err(self.wrong_type(curve.algorithm())),
        }
    }

    /// Returns the bytes of an Ed25519 key.
    pub(crate) const fn ed25519_bytes(&self) -> Result<&[u8; 32], KeyError> {
        match &self.material {
            Material::Ed25519(key) => Ok(key),
            _ => Err(self.wrong_type(Algorithm::Ed25519)),
        }
    }

    /// Returns the bytes of an ML-DSA key with these parameters.
    pub(crate) fn ml_dsa(&self, set: ml_dsa::Set) -> Result<&ml_dsa::Public, KeyError> {
        match &self.material {
            Material::MlDsa(key) if key.set() == set => Ok(key),
            _ => Err(self.wrong_type(set.algorithm())),
        }
    }

    /// Returns the error for a key of another type than `algorithm` needs.
    pub(crate) const fn wrong_type(&self, algorithm: Algorithm) -> KeyError {
        let key = match &self.material {
            #[cfg(feature = "rsa-verify")]
            Material::Rsa(_) => "RSA",
            Material::Ec(point) => point.curve().name(),
            Material::Ed25519(_) => "Ed25519",
            Material::MlDsa(key) => key.set().name(),
        };
        KeyError::WrongKeyType { algorithm, key }
    }
}

/// Two keys are equal if their numbers are, whichever algorithms are allowed for them.
impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.material == other.material
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.material {
            #[cfg(feature = "rsa-verify")]
            Material::Rsa(numbers) => write!(f, "PublicKey(RSA, {} bytes)", numbers.modulus().len()),
            Material::Ec(point) => write!(f, "PublicKey({})", point.curve().name()),
            Material::Ed25519(_) => f.write_str("PublicKey(Ed25519)"),
            Material::MlDsa(key) => write!(f, "PublicKey({})", key.set().name()),
        }
    }
}

/// A private key without an algorithm: RSA of 2048 to 8192 bits, a number for an elliptic curve (P-256, P-384, P-521,
/// secp256k1), or a seed for Ed25519 or ML-DSA. Wiped when it is dropped.
///
/// Read from a file or generated. A method named like an algorithm turns it into a [`SigningKey`](crate::SigningKey), and
/// checks that the private numbers belong to the public ones.
///
/// # Examples
///
/// ```no_run
/// use countersign::PrivateKey;
///
/// let pem = std::fs::read_to_string("private.pem")?;
/// # #[cfg(all(feature = "rsa", feature = "getrandom"))]
/// let key = PrivateKey::from_pem(&pem)?.rs256()?.with_key_id("2026-11")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[cfg(feature = "private-keys")]
#[derive(Clone)]
pub struct PrivateKey(pub(crate) Secret);

/// The numbers of a private key, by its type, and those of the public half if they are known.
#[cfg(feature = "private-keys")]
#[derive(Clone)]
pub(crate) enum Secret {
    /// As PKCS#1, which holds the public half, too.
    #[cfg(feature = "rsa-verify")]
    Rsa {
        pkcs1: Zeroizing<Vec<u8>>,
        public: PublicKey,
    },
    /// With the point from the same file, if it holds one. A backend checks it.
    Ec {
        scalar: Scalar,
        public: Option<Point>,
    },
    /// With the public key from the same file, if it holds one. A backend checks it.
    Ed25519 {
        /// In a block of its own, so that a move of the key leaves no copy.
        seed: Box<Zeroizing<[u8; 32]>>,
        public: Option<[u8; 32]>,
    },
    MlDsa(ml_dsa::Private),
}

#[cfg(feature = "private-keys")]
impl PrivateKey {
    /// Allows any odd public exponent from 3 to 2^33 - 1 for this key. Otherwise only 65537 makes a key for tokens. Has no
    /// effect on a key of another type than RSA.
    #[cfg(feature = "rsa-verify")]
    #[must_use]
    pub fn any_exponent(self) -> Self {
        match self.0 {
            Secret::Rsa { pkcs1, public } => Self(Secret::Rsa { pkcs1, public: public.any_exponent() }),
            other => Self(other),
        }
    }

    /// Allows only the algorithms that the file of an RSA key allows.
    #[cfg(feature = "rsa-verify")]
    pub(crate) fn restricted(self, uses: Uses) -> Self {
        match self.0 {
            Secret::Rsa { pkcs1, public } => Self(Secret::Rsa { pkcs1, public: public.restricted(uses) }),
            other => Self(other),
        }
    }

    /// Returns an RSA key for `algorithm` as PKCS#1 and its public half, if its file and its exponent allow that.
    #[cfg(feature = "rsa-verify")]
    pub(crate) fn rsa(&self, algorithm: Algorithm) -> Result<(&[u8], &PublicKey), KeyError> {
        let Secret::Rsa { pkcs1, public } = &self.0 else { return Err(self.wrong_type(algorithm)) };
        public.rsa(algorithm).map(|_| (pkcs1.as_slice(), public))
    }

    /// Returns the number of a key for `curve`, and the point if it is known.
    pub(crate) fn scalar(&self, curve: Curve) -> Result<(&Scalar, Option<&Point>), KeyError> {
        match &self.0 {
            Secret::Ec { scalar, public } if scalar.curve() == curve => Ok((scalar, public.as_ref())),
            _ => Err(self.wrong_type(curve.algorithm())),
        }
    }

    /// Returns the seed of an Ed25519 key, and the public key if it is known.
    pub(crate) fn seed(&self) -> Result<(&[u8; 32], Option<&[u8; 32]>), KeyError> {
        match &self.0 {
            Secret::Ed25519 { seed, public } => Ok((seed, public.as_ref())),
            _ => Err(self.wrong_type(Algorithm::Ed25519)),
        }
    }

    /// Returns the seed of an ML-DSA key with these parameters, and what else is known.
    pub(crate) fn ml_dsa(&self, set: ml_dsa::Set) -> Result<&ml_dsa::Private, KeyError> {
        match &self.0 {
            Secret::MlDsa(key) if key.set() == set => Ok(key),
            _ => Err(self.wrong_type(set.algorithm())),
        }
    }

    /// Returns the error for a key of another type than `algorithm` needs.
    pub(crate) const fn wrong_type(&self, algorithm: Algorithm) -> KeyError {
        let key = match &self.0 {
            #[cfg(feature = "rsa-verify")]
            Secret::Rsa { .. } => "RSA",
            Secret::Ec { scalar, .. } => scalar.curve().name(),
            Secret::Ed25519 { .. } => "Ed25519",
            Secret::MlDsa(key) => key.set().name(),
        };
        KeyError::WrongKeyType { algorithm, key }
    }
}

#[cfg(feature = "private-keys")]
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            #[cfg(feature = "rsa-verify")]
            Secret::Rsa { public, .. } => {
                f.debug_struct("PrivateKey").field("public", public).finish_non_exhaustive()
            }
            Secret::Ec { scalar, .. } => write!(f, "PrivateKey({}, ..)", scalar.curve().name()),
            Secret::Ed25519 { .. } => f.write_str("PrivateKey(Ed25519, ..)"),
            Secret::MlDsa(key) => write!(f, "PrivateKey({}, ..)", key.set().name()),
        }
    }
}
