//! The ASN.1 of key files: reads the numbers of RSA keys (RFC 8017 appendix A.1), and names other structures that are passed in
//! place of a key.

use crate::error::{FileMistake, KeyError};
use alloc::vec::Vec;
use pkcs8::der::asn1::{AnyRef, UintRef};
use pkcs8::der::{self, Decode, Encode, Tag, TagNumber, Tagged};
use pkcs8::spki::{AlgorithmIdentifierRef, ObjectIdentifier};

/// `rsaEncryption`, RFC 8017 appendix A.1.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// `id-RSASSA-PSS`, RFC 4055 section 3.1.
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
/// The algorithm identifier that RSA keys are written with.
pub(crate) const RSA_IDENTIFIER: AlgorithmIdentifierRef<'static> =
    AlgorithmIdentifierRef { oid: RSA, parameters: Some(AnyRef::NULL) };

/// Checks that a key is an RSA key. RFC 8017 appendix A.1 asks for NULL as parameters; some writers leave it out. Other
/// parameters are refused, because they may restrict the key and this crate would ignore the restriction.
pub(crate) fn check_is_rsa(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<(), KeyError> {
    match algorithm.oid {
        RSA if algorithm.parameters.is_none_or(|parameters| parameters == AnyRef::NULL) => Ok(()),
        RSA => Err(KeyError::File(FileMistake::RsaParameters)),
        RSA_PSS => Err(KeyError::File(FileMistake::RsaPss)),
        _ => Err(KeyError::UnsupportedKeyType),
    }
}

/// Reads the modulus and the exponent of an `RSAPublicKey`.
pub(crate) fn public_numbers(der: &[u8]) -> Option<[UintRef<'_>; 2]> {
    Vec::from_der(der).ok()?.try_into().ok()
}

/// Writes an `RSAPublicKey` of this modulus and exponent.
pub(crate) fn write_public_numbers(modulus: &[u8], exponent: &[u8]) -> der::Result<Vec<u8>> {
    [UintRef::new(modulus)?, UintRef::new(exponent)?].to_der()
}

/// Reads the modulus and the exponent of an `RSAPrivateKey`, which begins with its version. The backend checks the other
/// numbers.
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
pub(crate) fn public_half(der: &[u8]) -> Result<[UintRef<'_>; 2], KeyError> {
    let numbers: [UintRef<'_>; 9] = Vec::from_der(der)
        .ok()
        .and_then(|numbers: Vec<_>| numbers.try_into().ok())
        .ok_or(if is_multi_prime(der) {
            KeyError::File(FileMistake::MultiPrime)
        } else {
            KeyError::MalformedKey
        })?;
    let [version, modulus, exponent, rest @ ..] = numbers;
    if version.as_bytes() != [0] {
        return Err(KeyError::MalformedKey);
    }
    if exponent.as_bytes() == [0] || rest.iter().any(|number| number.as_bytes() == [0]) {
        return Err(KeyError::File(FileMistake::MissingNumbers));
    }
    Ok([modulus, exponent])
}

/// Reads the two primes of an `RSAPrivateKey`.
#[cfg(feature = "rsa")]
pub(crate) fn primes(der: &[u8]) -> Option<[UintRef<'_>; 2]> {
    match Vec::from_der(der).ok()?[..] {
        [_, _, _, _, p, q, ..] => Some([p, q]),
        _ => None,
    }
}

/// Returns whether `der` has the structure of an `RSAPrivateKey`, with two primes or more.
pub(crate) fn is_rsa_private(der: &[u8]) -> bool {
    matches!(shape(der)[..], [Tag::Integer, ref rest @ ..] if rest.len() >= 8 && rest.starts_with(&[Tag::Integer; 8]))
}

/// Returns whether there are more than two primes. RFC 8017 appendix A.1.2: the further ones follow in a SEQUENCE.
#[cfg(any(feature = "aws-lc-rs", feature = "rsa"))]
fn is_multi_prime(der: &[u8]) -> bool {
    is_rsa_private(der) && shape(der).get(9) == Some(&Tag::Sequence)
}

/// Names a well-formed structure that is not a readable key.
pub(crate) fn mistake(der: &[u8]) -> Option<KeyError> {
    // The version of a certificate and the attributes of a request have this tag.
    const ZERO: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    let first = |der| Vec::<AnyRef<'_>>::from_der(der).ok()?.first().and_then(|first| first.to_der().ok());
    let mistake = match shape(der)[..] {
        // PFX, RFC 7292 section 4.
        [Tag::Integer, Tag::Sequence] | [Tag::Integer, Tag::Sequence, Tag::Sequence] => FileMistake::Pkcs12,
        // EncryptedPrivateKeyInfo, RFC 5958 section 3.
        [Tag::Sequence, Tag::OctetString] => FileMistake::Encrypted,
        // A signed structure: the first element tells which one.
        [Tag::Sequence, Tag::Sequence, Tag::BitString] => {
            match first(der).map(|signed| shape(&signed)).as_deref() {
                // Certificate, RFC 5280 section 4.1. Version 3 is written down, version 1 is not.
                Some(
                    [ZERO, ..]
                    | [Tag::Integer, Tag::Sequence, Tag::Sequence, Tag::Sequence, Tag::Sequence, Tag::Sequence],
                ) => FileMistake::Certificate,
                // CertificationRequest, RFC 2986 section 4.
                Some([Tag::Integer, Tag::Sequence, Tag::Sequence, ZERO]) => FileMistake::CertificateRequest,
                _ => FileMistake::NotAKey,
            }
        }
        // ECPrivateKey, RFC 5915 section 3.
        [Tag::Integer, Tag::OctetString, ..] => return Some(KeyError::UnsupportedKeyType),
        _ => return None,
    };
    Some(KeyError::File(mistake))
}

/// Returns the tags inside the outer SEQUENCE; none if `der` is anything else.
fn shape(der: &[u8]) -> Vec<Tag> {
    Vec::<AnyRef<'_>>::from_der(der).unwrap_or_default().iter().map(Tagged::tag).collect()
}
