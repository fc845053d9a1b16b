//! What all RSA keys have in common ([RFC 7518 section 3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)):
//! the algorithms, the numbers that a key may have, and the files that they come in.

use crate::algorithm::Algorithm;
use crate::error::KeyError;
use crate::key::pem::Label;
use crate::key::roca;
use alloc::vec::Vec;
use core::num::NonZero;
use pkcs1::ObjectIdentifier;
use pkcs8::der::asn1::BitStringRef;
use pkcs8::der::{self, Decode, Encode};
use sha2::Sha256;

/// RFC 7518 section 3.3: a key of size 2048 bits or larger must be used.
const MIN_BITS: usize = 2048;
/// A verification at 8192 bits takes some sixteen times that at 2048; beyond it lies denial of service.
const MAX_BITS: usize = 8192;
/// The exponent that every key in use has; small ones made forgeries possible where padding was checked badly.
const USUAL_EXPONENT: u64 = 65_537;
/// The bound of the crate `rsa`: larger exponents only cost time.
const MAX_EXPONENT: u64 = (1 << 33) - 1;

/// Which RSA signature an RSA key is for. The algorithms of this crate implement it; nothing else can.
pub trait RsaAlgorithm: sealed::Sealed + Send + Sync + 'static {}

/// RSASSA-PKCS1-v1_5 with SHA-256: the algorithm of [`Rs256VerifyingKey`](crate::Rs256VerifyingKey) and of
/// `Rs256SigningKey`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rs256;

impl RsaAlgorithm for Rs256 {}

impl sealed::Sealed for Rs256 {
    const ALGORITHM: Algorithm = Algorithm::Rs256;
    // RFC 8017 section 9.2, note 1.
    const DIGEST_INFO: &'static [u8] =
        b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    type Hash = Sha256;
}

#[allow(unnameable_types, reason = "sealed")]
pub(crate) mod sealed {
    use super::Algorithm;
    use sha2::digest::Digest;
    use sha2::digest::const_oid::AssociatedOid;

    pub trait Sealed: Clone {
        const ALGORITHM: Algorithm;
        /// What stands before the hash, and says which it is.
        const DIGEST_INFO: &'static [u8];
        type Hash: Digest + AssociatedOid + Clone + Send + Sync + 'static;
    }
}

/// Which public exponents a caller takes.
#[derive(Clone, Copy)]
pub(crate) enum Exponent {
    Usual,
    Any,
}

/// The numbers of a public key that has passed every check.
#[derive(Clone, Copy)]
pub(crate) struct PublicNumbers<'a> {
    modulus: &'a [u8],
    exponent: NonZero<u64>,
}

impl<'a> PublicNumbers<'a> {
    /// Of a modulus and an exponent, both big-endian, leading zeros allowed.
    pub(crate) fn new(modulus: &'a [u8], exponent: &[u8], allowed: Exponent) -> Result<Self, KeyError> {
        let modulus = strip_zeros(modulus);
        check_bits(bit_length(modulus))?;
        let exponent = exponent_value(exponent, allowed)?;
        if roca::has_fingerprint(modulus) {
            return Err(KeyError::Roca);
        }
        // A product of odd primes is odd; Montgomery's arithmetic needs that.
        if modulus.last().is_none_or(|last| last % 2 == 0) {
            return Err(KeyError::MalformedKey);
        }
        Ok(Self { modulus, exponent })
    }

    /// Of PEM that is decoded already.
    pub(crate) fn from_labelled(label: Label, der: &'a [u8], allowed: Exponent) -> Result<Self, KeyError> {
        match label {
            Label::Pkcs1Public => Self::from_pkcs1(der, allowed),
            _ => pkcs8::SubjectPublicKeyInfoRef::from_der(der)
                .map_err(|_| KeyError::MalformedKey)
                .and_then(|info| Self::from_spki(&info, allowed)),
        }
    }

    /// Of SPKI or PKCS#1.
    pub(crate) fn from_der(der: &'a [u8], allowed: Exponent) -> Result<Self, KeyError> {
        match pkcs8::SubjectPublicKeyInfoRef::from_der(der) {
            Ok(info) => Self::from_spki(&info, allowed),
            Err(_) if is_private(der) => Err(KeyError::PrivateKey),
            Err(_) => Self::from_pkcs1(der, allowed),
        }
    }

    fn from_spki(info: &pkcs8::SubjectPublicKeyInfoRef<'a>, allowed: Exponent) -> Result<Self, KeyError> {
        check_is_rsa(info.algorithm.oid)?;
        let der = info.subject_public_key.as_bytes().ok_or(KeyError::MalformedKey)?;
        Self::from_pkcs1(der, allowed)
    }

    fn from_pkcs1(der: &'a [u8], allowed: Exponent) -> Result<Self, KeyError> {
        let key = pkcs1::RsaPublicKeyRef::from_der(der).map_err(|_| KeyError::MalformedKey)?;
        Self::new(key.modulus.as_bytes(), key.public_exponent.as_bytes(), allowed)
    }

    /// Big-endian, without leading zeros.
    pub(crate) const fn modulus(&self) -> &'a [u8] {
        self.modulus
    }

    pub(crate) const fn exponent(&self) -> NonZero<u64> {
        self.exponent
    }
}

/// Gives a type of public keys, which has `fn new(PublicNumbers) -> Result<Self, KeyError>`, its constructors. They name types
/// that the module of the key type has to import.
macro_rules! read_public_keys {
    ($name:ident $(< $parameter:ident : $bound:ident >)?) => {
        impl$(<$parameter: $bound>)? $name$(<$parameter>)? {
            /// Reads a PEM file, SPKI (`BEGIN PUBLIC KEY`) or PKCS#1 (`BEGIN RSA PUBLIC KEY`).
            ///
            /// # Errors
            ///
            /// - [`KeyError::Pem`] names the mistake, e.g. that this is the private key or a certificate.
            /// - [`KeyError::MalformedKey`], [`KeyError::WrongKeyType`] for what is inside.
            /// - [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`], [`KeyError::Exponent`], [`KeyError::Roca`].
            pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
                Self::from_pem_text(pem, Exponent::Usual)
            }

            /// As [`from_pem`](Self::from_pem), but with any odd public exponent from 3 to 2^33 - 1.
            ///
            /// # Errors
            ///
            /// As [`from_pem`](Self::from_pem).
            ///
            /// # Security
            ///
            /// Signatures are checked in full here, so a small exponent is no way in; it is a sign of an old key.
            pub fn from_pem_any_exponent(pem: &str) -> Result<Self, KeyError> {
                Self::from_pem_text(pem, Exponent::Any)
            }

            /// Reads DER, SPKI or PKCS#1; which of them it is, is detected.
            ///
            /// # Errors
            ///
            /// As [`from_pem`](Self::from_pem), except [`KeyError::Pem`]; [`KeyError::PrivateKey`] if it is the private key.
            pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
                PublicNumbers::from_der(der, Exponent::Usual).and_then(Self::new)
            }

            /// The key of a modulus and an exponent, both big-endian, leading zeros allowed.
            ///
            /// # Errors
            ///
            /// [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`], [`KeyError::Exponent`], [`KeyError::Roca`],
            /// [`KeyError::MalformedKey`] for an even modulus.
            ///
            /// # Examples
            ///
            /// ```
            /// use countersign::{KeyError, Rs256VerifyingKey};
            ///
            /// let modulus = [0xff; 256];
            /// assert!(Rs256VerifyingKey::from_modulus_and_exponent(&modulus, &[1, 0, 1]).is_ok());
            /// assert_eq!(Rs256VerifyingKey::from_modulus_and_exponent(&modulus, &[3]).unwrap_err(), KeyError::Exponent);
            /// ```
            pub fn from_modulus_and_exponent(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
                PublicNumbers::new(modulus, exponent, Exponent::Usual).and_then(Self::new)
            }

            /// As [`from_modulus_and_exponent`](Self::from_modulus_and_exponent), but with any odd exponent from 3 to
            /// 2^33 - 1.
            ///
            /// # Errors
            ///
            /// As [`from_modulus_and_exponent`](Self::from_modulus_and_exponent).
            pub fn from_modulus_and_any_exponent(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
                PublicNumbers::new(modulus, exponent, Exponent::Any).and_then(Self::new)
            }

            fn from_pem_text(pem: &str, exponent: Exponent) -> Result<Self, KeyError> {
                let (label, der) = pem::decode(pem, Wanted::Public)?;
                PublicNumbers::from_labelled(label, &der, exponent).and_then(Self::new)
            }
        }
    };
}
pub(crate) use read_public_keys;

/// A public key of these big-endian numbers as SPKI.
pub(crate) fn to_spki(modulus: &[u8], exponent: &[u8]) -> der::Result<Vec<u8>> {
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

/// A private key in the file that it came in. Its public numbers have passed every check; that the others belong to
/// them is for the backend to check.
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
pub(crate) struct PrivateFile<'a> {
    pkcs1: &'a [u8],
    public_numbers: PublicNumbers<'a>,
}

#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
impl<'a> PrivateFile<'a> {
    /// Of PEM that is decoded already.
    pub(crate) fn from_labelled(label: Label, der: &'a [u8], allowed: Exponent) -> Result<Self, KeyError> {
        match label {
            Label::Pkcs1Private => Self::from_pkcs1(der, allowed),
            _ => pkcs8::PrivateKeyInfoRef::from_der(der)
                .map_err(|_| KeyError::MalformedKey)
                .and_then(|info| Self::from_pkcs8(&info, allowed)),
        }
    }

    /// Of PKCS#8 or PKCS#1.
    pub(crate) fn from_der(der: &'a [u8], allowed: Exponent) -> Result<Self, KeyError> {
        match pkcs8::PrivateKeyInfoRef::from_der(der) {
            Ok(info) => Self::from_pkcs8(&info, allowed),
            Err(_) if is_public(der) => Err(KeyError::PublicKey),
            Err(_) => Self::from_pkcs1(der, allowed),
        }
    }

    fn from_pkcs8(info: &pkcs8::PrivateKeyInfoRef<'a>, allowed: Exponent) -> Result<Self, KeyError> {
        check_is_rsa(info.algorithm.oid)?;
        Self::from_pkcs1(info.private_key.as_bytes(), allowed)
    }

    fn from_pkcs1(der: &'a [u8], allowed: Exponent) -> Result<Self, KeyError> {
        let key = pkcs1::RsaPrivateKeyRef::from_der(der).map_err(|_| KeyError::MalformedKey)?;
        let (modulus, exponent) = (key.modulus.as_bytes(), key.public_exponent.as_bytes());
        Ok(Self { pkcs1: der, public_numbers: PublicNumbers::new(modulus, exponent, allowed)? })
    }

    /// The key as PKCS#1.
    pub(crate) const fn pkcs1(&self) -> &'a [u8] {
        self.pkcs1
    }

    pub(crate) const fn public_numbers(&self) -> PublicNumbers<'a> {
        self.public_numbers
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

pub(crate) fn check_bits(bits: usize) -> Result<(), KeyError> {
    if bits < MIN_BITS {
        return Err(KeyError::ModulusTooSmall { bits, minimum: MIN_BITS });
    }
    if bits > MAX_BITS {
        return Err(KeyError::ModulusTooLarge { bits, limit: MAX_BITS });
    }
    Ok(())
}

fn exponent_value(exponent: &[u8], allowed: Exponent) -> Result<NonZero<u64>, KeyError> {
    let value = strip_zeros(exponent)
        .iter()
        .try_fold(0_u64, |value, &byte| value.checked_mul(256).map(|value| value | u64::from(byte)))
        .ok_or(KeyError::Exponent)?;
    let fits = match allowed {
        Exponent::Usual => value == USUAL_EXPONENT,
        Exponent::Any => value % 2 == 1 && (3..=MAX_EXPONENT).contains(&value),
    };
    NonZero::new(value).filter(|_| fits).ok_or(KeyError::Exponent)
}

pub(crate) fn strip_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn bit_length(number: &[u8]) -> usize {
    let number = strip_zeros(number);
    let unused = number.first().map_or(0, |first| first.leading_zeros());
    number.len().saturating_mul(8).saturating_sub(usize::try_from(unused).unwrap_or(0))
}

fn check_is_rsa(algorithm: ObjectIdentifier) -> Result<(), KeyError> {
    if algorithm == pkcs1::ALGORITHM_OID { Ok(()) } else { Err(KeyError::WrongKeyType) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_bits() {
        assert_eq!(bit_length(&[]), 0);
        assert_eq!(bit_length(&[0, 0]), 0);
        assert_eq!(bit_length(&[0, 1]), 1);
        assert_eq!(bit_length(&[0x7f, 0]), 15);
        assert_eq!(bit_length(&[0x80, 0]), 16);
        assert!(check_bits(2047).is_err() && check_bits(2048).is_ok());
        assert!(check_bits(8192).is_ok() && check_bits(8193).is_err());
    }

    #[test]
    fn exponents_are_65537_or_asked_for() {
        let modulus = [0xff; 256];
        let check = |exponent: &[u8], allowed| PublicNumbers::new(&modulus, exponent, allowed).is_ok();
        assert!(check(&[1, 0, 1], Exponent::Usual) && check(&[0, 1, 0, 1], Exponent::Usual));
        assert!(!check(&[3], Exponent::Usual) && check(&[3], Exponent::Any));
        for never in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[3, 0, 0, 0, 1], &[1; 9]] {
            assert!(!check(never, Exponent::Usual) && !check(never, Exponent::Any), "{never:?}");
        }
        assert!(check(&[1, 0xff, 0xff, 0xff, 0xff], Exponent::Any));
        assert!(!check(&[2, 0, 0, 0, 1], Exponent::Any));
    }
}
