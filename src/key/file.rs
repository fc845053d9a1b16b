//! Key files: from PEM and DER to material, and back.

use crate::error::{FileMistake, KeyError};
use crate::key::asn1::{self, KeyType};
use crate::key::ec::Point;
#[cfg(feature = "private-keys")]
use crate::key::ec::{Curve, Scalar};
use crate::key::material::{Material, PublicKey};
#[cfg(feature = "private-keys")]
use crate::key::material::{PrivateKey, Secret};
use crate::key::ml_dsa;
use crate::key::pem::{self, Wanted};
#[cfg(feature = "private-keys")]
use crate::secret::SecretBytes;
#[cfg(feature = "private-keys")]
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use pkcs8::der::asn1::BitStringRef;
#[cfg(feature = "private-keys")]
use pkcs8::der::asn1::OctetStringRef;
use pkcs8::der::{Decode, Encode};
use pkcs8::{PrivateKeyInfoRef, SubjectPublicKeyInfoRef};
#[cfg(feature = "private-keys")]
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
    /// - [`KeyError::MalformedKey`], [`KeyError::UnsupportedKeyType`], [`KeyError::InvalidPoint`] for the content of the block.
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
            let key_type = KeyType::read(&info.algorithm)?;
            let key = info.subject_public_key.as_bytes().ok_or(KeyError::MalformedKey)?;
            return match key_type {
                #[cfg(feature = "rsa-verify")]
                KeyType::Rsa(uses) => {
                    let numbers = asn1::public_numbers(key).ok_or(KeyError::MalformedKey)?;
                    Self::from_numbers(numbers).map(|key| key.restricted(uses))
                }
                KeyType::Ec(curve) => Point::new(curve, key).map(|point| Self::of(Material::Ec(point))),
                KeyType::Ed25519 => Self::of_ed25519(key),
                KeyType::MlDsa(set) => {
                    ml_dsa::Public::new(set, key).map(|key| Self::of(Material::MlDsa(key)))
                }
            };
        }
        if is_private(der) {
            return Err(KeyError::File(FileMistake::PrivateKey));
        }
        match asn1::public_numbers(der) {
            #[cfg(feature = "rsa-verify")]
            Some(numbers) => Self::from_numbers(numbers),
            #[cfg(not(feature = "rsa-verify"))]
            Some(_) => Err(KeyError::UnsupportedKeyType),
            None => Err(unreadable(der)),
        }
    }

    /// Writes the key as SPKI PEM text. An RSA key from a file that is for RSA-PSS only is written as such a file again.
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
        let (key_type, key) = match &self.material {
            #[cfg(feature = "rsa-verify")]
            Material::Rsa(numbers) => {
                let key = asn1::write_public_numbers(numbers.modulus(), &numbers.exponent_bytes());
                (KeyType::Rsa(self.uses), key.map_err(|_| KeyError::MalformedKey)?)
            }
            Material::Ec(point) => (KeyType::Ec(point.curve()), point.encoded().to_vec()),
            Material::Ed25519(key) => (KeyType::Ed25519, key.to_vec()),
            Material::MlDsa(key) => (KeyType::MlDsa(key.set()), key.bytes().to_vec()),
        };
        let written = key_type.write(|algorithm| {
            let subject_public_key = BitStringRef::new(0, &key)?;
            SubjectPublicKeyInfoRef { algorithm, subject_public_key }.to_der()
        });
        written.map_err(|_| KeyError::MalformedKey)
    }

    #[cfg(feature = "rsa-verify")]
    fn from_numbers([modulus, exponent]: [pkcs8::der::asn1::UintRef<'_>; 2]) -> Result<Self, KeyError> {
        Self::from_modulus_and_exponent(modulus.as_bytes(), exponent.as_bytes())
    }
}

#[cfg(feature = "private-keys")]
impl PrivateKey {
    /// Reads the one key in a PEM text: PKCS#8 (`BEGIN PRIVATE KEY`), PKCS#1 (`BEGIN RSA PRIVATE KEY`) or SEC1 (`BEGIN EC PRIVATE
    /// KEY`). The content decides which of them it is, not the label.
    ///
    /// The layout, and what else the text may hold, are as in [`PublicKey::from_pem`].
    ///
    /// # Errors
    ///
    /// - [`KeyError::File`] names what the text is instead, e.g. the public key or an encrypted one.
    /// - [`KeyError::MalformedKey`], [`KeyError::UnsupportedKeyType`], [`KeyError::InvalidPoint`] for the content of the block.
    /// - [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`], [`KeyError::Exponent`]; [`KeyError::SmallFactor`],
    ///   [`KeyError::Roca`], [`KeyError::ClosePrimes`] for a modulus that can be factored.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_der(&pem::decode(pem, Wanted::Private)?)
    }

    /// Reads a key in DER: PKCS#8, PKCS#1 or SEC1. The content decides which of them it is.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(info) = PrivateKeyInfoRef::from_der(der) {
            let key_type = KeyType::read(&info.algorithm)?;
            // RFC 5958 section 2: the file may also contain the public key.
            let beside = info.public_key.map(|public| public.as_bytes().ok_or(KeyError::MalformedKey));
            let (key, beside) = (info.private_key.as_bytes(), beside.transpose()?);
            return match key_type {
                #[cfg(feature = "rsa-verify")]
                KeyType::Rsa(uses) => Self::from_pkcs1_beside(key, beside).map(|key| key.restricted(uses)),
                KeyType::Ec(curve) => Self::from_sec1(key, Some(curve), beside),
                KeyType::Ed25519 => Self::from_seed(key, beside),
                KeyType::MlDsa(set) => {
                    let (seed, expanded) = asn1::ml_dsa_private(set, key)?;
                    ml_dsa::Private::new(set, seed, expanded, beside).map(|key| Self(Secret::MlDsa(key)))
                }
            };
        }
        if is_public(der) {
            return Err(KeyError::File(FileMistake::PublicKey));
        }
        if asn1::is_ec_private(der) {
            return Self::from_sec1(der, None, None);
        }
        #[cfg(feature = "rsa-verify")]
        if asn1::is_rsa_private(der) {
            return Self::from_pkcs1(der);
        }
        Err(unreadable(der))
    }

    /// Writes the key as PKCS#8 PEM text, for storage. An ML-DSA key is written as its seed alone. An RSA key from a file
    /// that is for RSA-PSS only is written as such a file again.
    ///
    /// # Errors
    ///
    /// [`KeyError::MalformedKey`] if the key cannot be encoded; no key made here is known to cause that.
    pub fn to_secret_pem(&self) -> Result<SecretBytes, KeyError> {
        let (key_type, key) = match &self.0 {
            #[cfg(feature = "rsa-verify")]
            Secret::Rsa { pkcs1, public } => (KeyType::Rsa(public.uses), Ok(pkcs1.clone())),
            Secret::Ec { scalar, public } => (
                KeyType::Ec(scalar.curve()),
                asn1::write_ec_private(scalar.bytes(), public.as_ref().map(Point::encoded)),
            ),
            Secret::Ed25519 { seed, .. } => (
                KeyType::Ed25519,
                OctetStringRef::new(seed.as_slice()).and_then(|seed| seed.to_der()).map(Zeroizing::new),
            ),
            Secret::MlDsa(key) => (KeyType::MlDsa(key.set()), asn1::write_ml_dsa_private(key.seed())),
        };
        let written = key.and_then(|key| {
            let key = OctetStringRef::new(&key)?;
            key_type.write(|algorithm| PrivateKeyInfoRef::new(algorithm, key).to_der())
        });
        let key = Zeroizing::new(written.map_err(|_| KeyError::MalformedKey)?);
        pem::encode("PRIVATE KEY", &key).map(|text| SecretBytes::from(text.into_bytes()))
    }

    /// Reads an `ECPrivateKey`. If two places hold the curve or the point, they must agree.
    fn from_sec1(der: &[u8], curve: Option<Curve>, beside: Option<&[u8]>) -> Result<Self, KeyError> {
        let key = asn1::ec_private(der)?;
        let curve = match (curve, key.curve) {
            (Some(one), Some(other)) if one != other => return Err(KeyError::MalformedKey),
            (one, other) => one.or(other).ok_or(KeyError::MalformedKey)?,
        };
        let point = |encoded: Option<&[u8]>| encoded.map(|point| Point::new(curve, point)).transpose();
        let public = match (point(key.point)?, point(beside)?) {
            (Some(one), Some(other)) if one != other => return Err(KeyError::MalformedKey),
            (one, other) => one.or(other),
        };
        Ok(Self(Secret::Ec { scalar: Scalar::new(curve, key.number)?, public }))
    }

    /// Reads a `CurvePrivateKey` of RFC 8410 section 7.
    fn from_seed(der: &[u8], beside: Option<&[u8]>) -> Result<Self, KeyError> {
        let seed = <&OctetStringRef>::from_der(der).map_err(|_| KeyError::MalformedKey)?;
        let seed: &[u8; 32] = seed.as_bytes().try_into().map_err(|_| KeyError::MalformedKey)?;
        let public = beside.map(|key| key.try_into().map_err(|_| KeyError::MalformedKey)).transpose()?;
        Ok(Self(Secret::Ed25519 { seed: Box::new(Zeroizing::new(*seed)), public }))
    }

    /// Reads an `RSAPrivateKey`, and checks that the public key next to it in the file, if any, is its own.
    #[cfg(feature = "rsa-verify")]
    fn from_pkcs1_beside(der: &[u8], beside: Option<&[u8]>) -> Result<Self, KeyError> {
        let key = Self::from_pkcs1(der)?;
        let belongs = beside.is_none_or(|public| {
            asn1::public_numbers(public).is_some_and(|[modulus, exponent]| {
                matches!(&key.0, Secret::Rsa { public, .. } if public.has(modulus.as_bytes(), exponent.as_bytes()))
            })
        });
        if belongs { Ok(key) } else { Err(KeyError::MalformedKey) }
    }

    #[cfg(feature = "rsa-verify")]
    pub(crate) fn from_pkcs1(der: &[u8]) -> Result<Self, KeyError> {
        let [modulus, exponent] = asn1::public_half(der)?;
        let public = PublicKey::from_modulus_and_exponent(modulus.as_bytes(), exponent.as_bytes())?;
        Ok(Self(Secret::Rsa { pkcs1: Zeroizing::new(der.to_vec()), public }))
    }
}

/// Returns whether `der` is a private key of any type: PKCS#8, PKCS#1, SEC1 or the form for DSA.
fn is_private(der: &[u8]) -> bool {
    PrivateKeyInfoRef::from_der(der).is_ok()
        || asn1::is_rsa_private(der)
        || asn1::is_ec_private(der)
        || asn1::is_dsa_private(der)
}

/// Returns whether `der` is a public key of any type: SPKI or PKCS#1.
#[cfg(any(feature = "certificate", feature = "private-keys"))]
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
    // With or without a byte order mark, and in either byte order.
    if bytes.windows(6).any(|six| six == b"-\0-\0-\0") {
        return KeyError::File(FileMistake::Utf16);
    }
    // The body of an OpenSSH private key begins with this text and is binary after it.
    if bytes.starts_with(b"openssh-key-") {
        return KeyError::File(FileMistake::OpenSsh);
    }
    match core::str::from_utf8(bytes).map(pem::mistake) {
        // Binary data may happen to be UTF-8.
        Err(_) | Ok(FileMistake::NotPem) => KeyError::MalformedKey,
        Ok(mistake) => KeyError::File(mistake),
    }
}
