//! Key files: from PEM and DER to material, and back.

use crate::error::KeyError;
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
use crate::key::material::PrivateKey;
use crate::key::material::PublicKey;
use crate::key::pem::{self, Label, Wanted};
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
use crate::key::rsa::PublicNumbers;
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
use crate::secret::SecretBytes;
use alloc::string::String;
use alloc::vec::Vec;
use pkcs1::ObjectIdentifier;
use pkcs8::der::asn1::BitStringRef;
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{self, Decode, Encode};
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
use zeroize::Zeroizing;

impl PublicKey {
    /// Reads a PEM file, SPKI (`BEGIN PUBLIC KEY`) or PKCS#1 (`BEGIN RSA PUBLIC KEY`).
    ///
    /// # Errors
    ///
    /// - [`KeyError::Pem`] names the mistake, e.g. that this is the private key or a certificate.
    /// - [`KeyError::MalformedKey`], [`KeyError::UnsupportedKeyType`] for what is inside.
    /// - [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`], [`KeyError::Exponent`], [`KeyError::Roca`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let (label, der) = pem::decode(pem, Wanted::Public)?;
        match label {
            Label::Pkcs1Public => Self::from_pkcs1(&der),
            _ => pkcs8::SubjectPublicKeyInfoRef::from_der(&der)
                .map_err(|_| KeyError::MalformedKey)
                .and_then(|info| Self::from_spki(&info)),
        }
    }

    /// Reads DER, SPKI or PKCS#1. Which of them it is, is detected.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem), except [`KeyError::Pem`]; [`KeyError::PrivateKey`] if it is the private key.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        match pkcs8::SubjectPublicKeyInfoRef::from_der(der) {
            Ok(info) => Self::from_spki(&info),
            Err(_) if is_private(der) => Err(KeyError::PrivateKey),
            Err(_) => Self::from_pkcs1(der),
        }
    }

    /// Writes the key as SPKI PEM text.
    ///
    /// # Errors
    ///
    /// [`KeyError::MalformedKey`] if it cannot be encoded; no key made here is known to do that.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::PublicKey;
    ///
    /// let key = PublicKey::from_modulus_and_exponent(&[0xff; 256], &[1, 0, 1])?;
    /// assert!(PublicKey::from_pem(&key.to_pem()?)? == key);
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let spki = to_spki(self.numbers.modulus(), &self.numbers.exponent_bytes());
        pem::encode("PUBLIC KEY", &spki.map_err(|_| KeyError::MalformedKey)?)
    }

    fn from_spki(info: &pkcs8::SubjectPublicKeyInfoRef<'_>) -> Result<Self, KeyError> {
        check_is_rsa(info.algorithm.oid)?;
        Self::from_pkcs1(info.subject_public_key.as_bytes().ok_or(KeyError::MalformedKey)?)
    }

    fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let key = pkcs1::RsaPublicKeyRef::from_der(der).map_err(|_| KeyError::MalformedKey)?;
        Self::from_modulus_and_exponent(key.modulus.as_bytes(), key.public_exponent.as_bytes())
    }
}

/// A public key of these big-endian numbers as SPKI.
fn to_spki(modulus: &[u8], exponent: &[u8]) -> der::Result<Vec<u8>> {
    let key = pkcs1::RsaPublicKeyRef {
        modulus: pkcs1::UintRef::new(modulus)?,
        public_exponent: pkcs1::UintRef::new(exponent)?,
    }
    .to_der()?;
    pkcs8::SubjectPublicKeyInfoRef {
        algorithm: pkcs1::ALGORITHM_ID,
        subject_public_key: BitStringRef::new(0, &key)?,
    }
    .to_der()
}

#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
impl PrivateKey {
    /// Reads a PEM file, PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`).
    ///
    /// # Errors
    ///
    /// - [`KeyError::Pem`] names the mistake, e.g. that this is the public key.
    /// - [`KeyError::MalformedKey`], [`KeyError::UnsupportedKeyType`] for what is inside.
    /// - [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`], [`KeyError::Exponent`], [`KeyError::Roca`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        let (label, der) = pem::decode(pem, Wanted::Private)?;
        match label {
            Label::Pkcs1Private => Self::from_pkcs1(&der),
            _ => pkcs8::PrivateKeyInfoRef::from_der(&der)
                .map_err(|_| KeyError::MalformedKey)
                .and_then(|info| Self::from_pkcs8(&info)),
        }
    }

    /// Reads DER, PKCS#8 or PKCS#1. Which of them it is, is detected.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem), except [`KeyError::Pem`]; [`KeyError::PublicKey`] if it is the public key.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        match pkcs8::PrivateKeyInfoRef::from_der(der) {
            Ok(info) => Self::from_pkcs8(&info),
            Err(_) if is_public(der) => Err(KeyError::PublicKey),
            Err(_) => Self::from_pkcs1(der),
        }
    }

    /// Writes the key as PKCS#8 PEM text, to be stored.
    ///
    /// # Errors
    ///
    /// [`KeyError::MalformedKey`] if it cannot be encoded; no key made here is known to do that.
    pub fn to_secret_pem(&self) -> Result<SecretBytes, KeyError> {
        let key = OctetStringRef::new(&self.pkcs1)
            .and_then(|key| pkcs8::PrivateKeyInfoRef::new(pkcs1::ALGORITHM_ID, key).to_der())
            .map_err(|_| KeyError::MalformedKey)?;
        let key = Zeroizing::new(key);
        pem::encode("PRIVATE KEY", &key).map(|text| SecretBytes::from(text.into_bytes()))
    }

    fn from_pkcs8(info: &pkcs8::PrivateKeyInfoRef<'_>) -> Result<Self, KeyError> {
        check_is_rsa(info.algorithm.oid)?;
        Self::from_pkcs1(info.private_key.as_bytes())
    }

    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let key = pkcs1::RsaPrivateKeyRef::from_der(der).map_err(|_| KeyError::MalformedKey)?;
        let numbers = PublicNumbers::new(key.modulus.as_bytes(), key.public_exponent.as_bytes())?;
        Ok(Self::of(Zeroizing::new(der.to_vec()), numbers))
    }
}

/// Whether `der` is some private key: PKCS#8 or PKCS#1.
fn is_private(der: &[u8]) -> bool {
    pkcs8::PrivateKeyInfoRef::from_der(der).is_ok() || pkcs1::RsaPrivateKeyRef::from_der(der).is_ok()
}

/// Whether `der` is some public key: SPKI or PKCS#1.
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
fn is_public(der: &[u8]) -> bool {
    pkcs8::SubjectPublicKeyInfoRef::from_der(der).is_ok() || pkcs1::RsaPublicKeyRef::from_der(der).is_ok()
}

fn check_is_rsa(algorithm: ObjectIdentifier) -> Result<(), KeyError> {
    if algorithm == pkcs1::ALGORITHM_OID { Ok(()) } else { Err(KeyError::UnsupportedKeyType) }
}
