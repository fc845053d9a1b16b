//! Key files: from PEM and DER to material, and back.

use crate::error::{FileMistake, KeyError};
use crate::key::asn1;
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
use crate::key::material::PrivateKey;
use crate::key::material::PublicKey;
use crate::key::pem::{self, Wanted};
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
use crate::key::rsa::PublicNumbers;
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
use crate::secret::SecretBytes;
use alloc::string::String;
use alloc::vec::Vec;
use pkcs8::der::asn1::BitStringRef;
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{Decode, Encode};
use pkcs8::{PrivateKeyInfoRef, SubjectPublicKeyInfoRef};
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
use zeroize::Zeroizing;

impl PublicKey {
    /// Reads the one key in a PEM text: SPKI (`BEGIN PUBLIC KEY`) or PKCS#1 (`BEGIN RSA PUBLIC KEY`). The content decides which
    /// of the two it is, not the label.
    ///
    /// White space is ignored: lines may end in LF or CR LF, have any length and be indented. The text may also hold other
    /// text, certificates and parameters. The page on [keys](crate::manual::keys) has a table of the forms in which keys are
    /// passed around.
    ///
    /// # Errors
    ///
    /// - [`KeyError::File`] names what the text is instead, e.g. the private key or a certificate, which `from_certificate_pem`
    ///   reads (feature `certificate`).
    /// - [`KeyError::MalformedKey`], [`KeyError::UnsupportedKeyType`] for the content of the block.
    /// - [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`], [`KeyError::Exponent`]; [`KeyError::SmallFactor`],
    ///   [`KeyError::Roca`], [`KeyError::ClosePrimes`] for a modulus that can be factored.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_der(&pem::decode(pem, Wanted::Public)?)
    }

    /// Reads a key in DER: SPKI or PKCS#1. The content decides which of the two it is.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(info) = SubjectPublicKeyInfoRef::from_der(der) {
            asn1::check_is_rsa(&info.algorithm)?;
            let key = info.subject_public_key.as_bytes().and_then(asn1::public_numbers);
            return Self::from_numbers(key.ok_or(KeyError::MalformedKey)?);
        }
        if is_private(der) {
            return Err(KeyError::File(FileMistake::PrivateKey));
        }
        Self::from_numbers(asn1::public_numbers(der).ok_or_else(|| unreadable(der))?)
    }

    /// Writes the key as SPKI PEM text.
    ///
    /// # Errors
    ///
    /// [`KeyError::MalformedKey`] if the key cannot be encoded; no key made here is known to cause that.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::PublicKey;
    ///
    /// # use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    /// # let modulus = BASE64_URL_SAFE_NO_PAD.decode("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw").unwrap();
    /// let key = PublicKey::from_modulus_and_exponent(&modulus, &[1, 0, 1])?;
    /// assert!(PublicKey::from_pem(&key.to_pem()?)? == key);
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn to_pem(&self) -> Result<String, KeyError> {
        pem::encode("PUBLIC KEY", &self.to_der()?)
    }

    /// Writes the key as SPKI DER.
    ///
    /// # Errors
    ///
    /// As [`to_pem`](Self::to_pem).
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::PublicKey;
    ///
    /// # use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    /// # let modulus = BASE64_URL_SAFE_NO_PAD.decode("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw").unwrap();
    /// let key = PublicKey::from_modulus_and_exponent(&modulus, &[1, 0, 1])?;
    /// assert!(PublicKey::from_der(&key.to_der()?)? == key);
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn to_der(&self) -> Result<Vec<u8>, KeyError> {
        asn1::write_public_numbers(self.numbers.modulus(), &self.numbers.exponent_bytes())
            .and_then(|key| {
                let subject_public_key = BitStringRef::new(0, &key)?;
                SubjectPublicKeyInfoRef { algorithm: asn1::RSA_IDENTIFIER, subject_public_key }.to_der()
            })
            .map_err(|_| KeyError::MalformedKey)
    }

    fn from_numbers([modulus, exponent]: [pkcs8::der::asn1::UintRef<'_>; 2]) -> Result<Self, KeyError> {
        Self::from_modulus_and_exponent(modulus.as_bytes(), exponent.as_bytes())
    }
}

#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
impl PrivateKey {
    /// Reads the one key in a PEM text: PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`). The content decides
    /// which of the two it is, not the label.
    ///
    /// The layout, and what else the text may hold, are as in [`PublicKey::from_pem`].
    ///
    /// # Errors
    ///
    /// - [`KeyError::File`] names what the text is instead, e.g. the public key or an encrypted one.
    /// - [`KeyError::MalformedKey`], [`KeyError::UnsupportedKeyType`] for the content of the block.
    /// - [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`], [`KeyError::Exponent`]; [`KeyError::SmallFactor`],
    ///   [`KeyError::Roca`], [`KeyError::ClosePrimes`] for a modulus that can be factored.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_der(&pem::decode(pem, Wanted::Private)?)
    }

    /// Reads a key in DER: PKCS#8 or PKCS#1. The content decides which of the two it is.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(info) = PrivateKeyInfoRef::from_der(der) {
            asn1::check_is_rsa(&info.algorithm)?;
            let key = Self::from_pkcs1(info.private_key.as_bytes())?;
            // RFC 5958 section 2: the file may also contain the public key.
            let beside = info.public_key.map(|public| public.as_bytes().and_then(asn1::public_numbers));
            let belongs = beside.is_none_or(|numbers| {
                numbers.is_some_and(|[modulus, exponent]| {
                    key.public_key().has(modulus.as_bytes(), exponent.as_bytes())
                })
            });
            return if belongs { Ok(key) } else { Err(KeyError::MalformedKey) };
        }
        if is_public(der) {
            return Err(KeyError::File(FileMistake::PublicKey));
        }
        if asn1::is_rsa_private(der) { Self::from_pkcs1(der) } else { Err(unreadable(der)) }
    }

    /// Writes the key as PKCS#8 PEM text, for storage.
    ///
    /// # Errors
    ///
    /// [`KeyError::MalformedKey`] if the key cannot be encoded; no key made here is known to cause that.
    pub fn to_secret_pem(&self) -> Result<SecretBytes, KeyError> {
        let key = OctetStringRef::new(&self.pkcs1)
            .and_then(|key| PrivateKeyInfoRef::new(asn1::RSA_IDENTIFIER, key).to_der())
            .map_err(|_| KeyError::MalformedKey)?;
        let key = Zeroizing::new(key);
        pem::encode("PRIVATE KEY", &key).map(|text| SecretBytes::from(text.into_bytes()))
    }

    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let [modulus, exponent] = asn1::public_half(der)?;
        let numbers = PublicNumbers::new(modulus.as_bytes(), exponent.as_bytes())?;
        Ok(Self::of(Zeroizing::new(der.to_vec()), numbers))
    }
}

/// Returns whether `der` is a private key of any type: PKCS#8 or PKCS#1.
fn is_private(der: &[u8]) -> bool {
    PrivateKeyInfoRef::from_der(der).is_ok() || asn1::is_rsa_private(der)
}

/// Returns whether `der` is a public key of any type: SPKI or PKCS#1.
#[cfg(any(feature = "aws-lc-rs", feature = "certificate", feature = "rsa"))]
fn is_public(der: &[u8]) -> bool {
    SubjectPublicKeyInfoRef::from_der(der).is_ok() || asn1::public_numbers(der).is_some()
}

/// Names bytes that are not a readable certificate.
#[cfg(feature = "certificate")]
pub(crate) fn no_certificate(bytes: &[u8]) -> FileMistake {
    if is_private(bytes) {
        return FileMistake::PrivateKey;
    }
    if is_public(bytes) {
        return FileMistake::NotACertificate;
    }
    match unreadable(bytes) {
        KeyError::File(FileMistake::NotAKey) => FileMistake::NotACertificate,
        KeyError::File(FileMistake::Certificate) | KeyError::MalformedKey => FileMistake::BrokenCertificate,
        // Do not explain how to read a private key, because it is not wanted here.
        KeyError::File(FileMistake::Encrypted) | KeyError::UnsupportedKeyType => FileMistake::PrivateKey,
        KeyError::File(mistake) => mistake,
        _ => FileMistake::NotACertificate,
    }
}

/// Returns why bytes are not a readable key.
fn unreadable(bytes: &[u8]) -> KeyError {
    if let Some(error) = asn1::mistake(bytes) {
        return error;
    }
    match core::str::from_utf8(bytes).map(pem::mistake) {
        // Binary data may happen to be UTF-8.
        Err(_) | Ok(FileMistake::NotPem) => KeyError::MalformedKey,
        Ok(mistake) => KeyError::File(mistake),
    }
}
