//! Key material: the numbers of a key, read from a file and range-checked, without an algorithm.

use crate::error::KeyError;
use crate::key::rsa::{Exponents, PublicNumbers};
use alloc::vec::Vec;
use core::fmt;
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
use zeroize::Zeroizing;

/// A public key without an algorithm: RSA, of 2048 to 8192 bits.
///
/// Read from a file or made of numbers. A method named like an algorithm turns it into a [`VerifyingKey`](crate::VerifyingKey).
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
    pub(crate) numbers: PublicNumbers,
    exponents: Exponents,
}

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
        PublicNumbers::new(modulus, exponent).map(Self::of)
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
        Some((self.numbers.modulus().to_vec(), self.numbers.exponent_bytes().into_vec()))
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

    pub(crate) const fn of(numbers: PublicNumbers) -> Self {
        Self { numbers, exponents: Exponents::Usual }
    }

    /// Returns whether the key has this modulus and this exponent.
    #[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
    pub(crate) fn has(&self, modulus: &[u8], exponent: &[u8]) -> bool {
        *self.numbers.modulus() == *modulus && *self.numbers.exponent_bytes() == *exponent
    }

    /// Returns the numbers, if their exponent is allowed.
    pub(crate) fn rsa(&self) -> Result<&PublicNumbers, KeyError> {
        self.numbers.check_exponent(self.exponents)?;
        Ok(&self.numbers)
    }
}

/// Two keys are equal if their numbers are.
impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.numbers == other.numbers
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey(RSA, {} bytes)", self.numbers.modulus().len())
    }
}

/// A private key without an algorithm: RSA, of 2048 to 8192 bits. Wiped when it is dropped.
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
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
#[derive(Clone)]
pub struct PrivateKey {
    pub(crate) pkcs1: Zeroizing<Vec<u8>>,
    public: PublicKey,
}

#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
impl PrivateKey {
    /// Returns the public half.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// Allows any odd public exponent from 3 to 2^33 - 1 for this key. Otherwise only 65537 makes a key for tokens.
    #[must_use]
    pub fn any_exponent(self) -> Self {
        Self { public: self.public.any_exponent(), ..self }
    }

    pub(crate) const fn of(pkcs1: Zeroizing<Vec<u8>>, numbers: PublicNumbers) -> Self {
        Self { pkcs1, public: PublicKey::of(numbers) }
    }

    /// Returns the key as PKCS#1, if its exponent is allowed.
    pub(crate) fn rsa(&self) -> Result<&[u8], KeyError> {
        self.public.rsa().map(|_| self.pkcs1.as_slice())
    }
}

#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrivateKey").field("public", &self.public).finish_non_exhaustive()
    }
}
