//! The ASN.1 of key files: reads the numbers of RSA keys (RFC 8017 appendix A.1), and names other structures that are passed in
//! place of a key.

use crate::error::{FileMistake, KeyError};
#[cfg(all(feature = "private-keys", feature = "rsa-verify"))]
use crate::key::crt::PrivateNumbers;
use crate::key::ec::Curve;
use crate::key::ml_dsa::Set;
#[cfg(feature = "rsa-verify")]
use crate::key::rsa_pss::{RSA, RSA_PSS, Uses};
use alloc::vec::Vec;
#[cfg(feature = "private-keys")]
use pkcs8::der::asn1::BitStringRef;
use pkcs8::der::asn1::{AnyRef, UintRef};
use pkcs8::der::{self, Decode, Encode, Reader, SliceReader, Tag, TagNumber, Tagged};
use pkcs8::spki::{AlgorithmIdentifierRef, ObjectIdentifier};
#[cfg(feature = "private-keys")]
use zeroize::Zeroizing;

/// `id-ecPublicKey`, RFC 5480 section 2.1.1.
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
/// `id-Ed25519`, RFC 8410 section 3.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// `id-ml-dsa-44`, `id-ml-dsa-65` and `id-ml-dsa-87`, RFC 9881 section 2.
const ML_DSA_44: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.17");
const ML_DSA_65: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18");
const ML_DSA_87: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19");
/// RFC 5480 section 2.1.1.1, and SEC 2 section 2.4.1.
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
const SECP256K1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.10");

/// The type of a key, as the algorithm identifier of its file names it.
#[derive(Clone, Copy)]
pub(crate) enum KeyType {
    #[cfg(feature = "rsa-verify")]
    Rsa(Uses),
    Ec(Curve),
    Ed25519,
    MlDsa(Set),
}

impl KeyType {
    /// Reads the algorithm identifier of a key.
    ///
    /// For RSA, RFC 8017 appendix A.1 asks for NULL as parameters; some writers leave it out. Other parameters are refused,
    /// because they may restrict the key and this crate would ignore the restriction.
    pub(crate) fn read(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Self, KeyError> {
        match (algorithm.oid, algorithm.parameters) {
            #[cfg(feature = "rsa-verify")]
            (RSA, parameters) if parameters.is_none_or(|given| given == AnyRef::NULL) => {
                Ok(Self::Rsa(Uses::All))
            }
            #[cfg(feature = "rsa-verify")]
            (RSA, _) => Err(KeyError::File(FileMistake::RsaParameters)),
            #[cfg(feature = "rsa-verify")]
            (RSA_PSS, parameters) => Uses::read(parameters).map(Self::Rsa),
            (EC, Some(parameters)) => curve(parameters).map(Self::Ec),
            (ED25519, None) => Ok(Self::Ed25519),
            (ML_DSA_44, None) => Ok(Self::MlDsa(Set::MlDsa44)),
            (ML_DSA_65, None) => Ok(Self::MlDsa(Set::MlDsa65)),
            (ML_DSA_87, None) => Ok(Self::MlDsa(Set::MlDsa87)),
            _ => Err(KeyError::UnsupportedKeyType),
        }
    }

    /// Calls `write` with the algorithm identifier for a key of this type.
    pub(crate) fn write<T>(
        self,
        write: impl FnOnce(AlgorithmIdentifierRef<'_>) -> der::Result<T>,
    ) -> der::Result<T> {
        let bare = |oid| AlgorithmIdentifierRef { oid, parameters: None };
        let oid = match self {
            #[cfg(feature = "rsa-verify")]
            Self::Rsa(uses) => return uses.write(write),
            Self::Ed25519 => return write(bare(ED25519)),
            Self::MlDsa(Set::MlDsa44) => return write(bare(ML_DSA_44)),
            Self::MlDsa(Set::MlDsa65) => return write(bare(ML_DSA_65)),
            Self::MlDsa(Set::MlDsa87) => return write(bare(ML_DSA_87)),
            Self::Ec(Curve::P256) => P256,
            Self::Ec(Curve::P384) => P384,
            Self::Ec(Curve::P521) => P521,
            Self::Ec(Curve::Secp256k1) => SECP256K1,
        };
        write(AlgorithmIdentifierRef { oid: EC, parameters: Some(AnyRef::from(&oid)) })
    }
}

/// Reads the curve from `ECParameters`, RFC 5480 section 2.1.1. Only named curves are read, because a curve that a file describes
/// by its numbers may be a weak one (CVE-2020-0601).
fn curve(parameters: AnyRef<'_>) -> Result<Curve, KeyError> {
    match parameters.decode_as() {
        Ok(P256) => Ok(Curve::P256),
        Ok(P384) => Ok(Curve::P384),
        Ok(P521) => Ok(Curve::P521),
        Ok(SECP256K1) => Ok(Curve::Secp256k1),
        Ok(_) => Err(KeyError::UnsupportedKeyType),
        Err(_) => Err(KeyError::File(FileMistake::ExplicitCurve)),
    }
}

/// The parts of an `ECPrivateKey`, RFC 5915 section 3.
#[cfg(feature = "private-keys")]
pub(crate) struct EcPrivate<'a> {
    pub(crate) number: &'a [u8],
    pub(crate) curve: Option<Curve>,
    pub(crate) point: Option<&'a [u8]>,
}

/// The tags of the curve and of the point in an `ECPrivateKey`.
const CURVE: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
const POINT: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(1) };

/// Reads an `ECPrivateKey`. The curve and the point are optional.
#[cfg(feature = "private-keys")]
pub(crate) fn ec_private(der: &[u8]) -> Result<EcPrivate<'_>, KeyError> {
    let parts = elements(der).ok_or(KeyError::MalformedKey)?;
    let (number, rest) = match parts.as_slice() {
        [version, number, rest @ ..]
            if (version.tag(), version.value()) == (Tag::Integer, &[1])
                && number.tag() == Tag::OctetString =>
        {
            (number.value(), rest)
        }
        _ => return Err(KeyError::MalformedKey),
    };
    let (in_curve, in_point) = match rest {
        [] => (None, None),
        [curve] if curve.tag() == CURVE => (Some(curve), None),
        [point] if point.tag() == POINT => (None, Some(point)),
        [curve, point] if curve.tag() == CURVE && point.tag() == POINT => (Some(curve), Some(point)),
        _ => return Err(KeyError::MalformedKey),
    };
    let in_curve = in_curve.map(|inner| AnyRef::from_der(inner.value()).map_err(|_| KeyError::MalformedKey));
    let point = in_point.map(|inner| {
        let bits = BitStringRef::from_der(inner.value()).ok();
        bits.and_then(|bits| bits.as_bytes()).ok_or(KeyError::MalformedKey)
    });
    Ok(EcPrivate { number, curve: in_curve.transpose()?.map(curve).transpose()?, point: point.transpose()? })
}

/// Writes an `ECPrivateKey` without its curve, because PKCS#8 holds the curve outside of it.
#[cfg(feature = "private-keys")]
pub(crate) fn write_ec_private(number: &[u8], point: Option<&[u8]>) -> der::Result<Zeroizing<Vec<u8>>> {
    let point = point.map(|point| BitStringRef::new(0, point)?.to_der()).transpose()?;
    let mut parts = alloc::vec![AnyRef::new(Tag::Integer, &[1])?, AnyRef::new(Tag::OctetString, number)?];
    if let Some(point) = &point {
        parts.push(AnyRef::new(POINT, point)?);
    }
    parts.to_der().map(Zeroizing::new)
}

/// The tag of the seed in an ML-DSA private key.
#[cfg(feature = "private-keys")]
const SEED: Tag = Tag::ContextSpecific { constructed: false, number: TagNumber(0) };

/// Reads the seed of an ML-DSA private key, and the expanded key if it is beside the seed (RFC 9881 section 6).
#[cfg(feature = "private-keys")]
pub(crate) fn ml_dsa_private(set: Set, der: &[u8]) -> Result<(&[u8], Option<&[u8]>), KeyError> {
    let key = AnyRef::from_der(der).map_err(|_| KeyError::MalformedKey)?;
    if key.tag() == SEED {
        return Ok((key.value(), None));
    }
    if key.tag() == Tag::OctetString && key.value().len() == set.expanded_bytes() {
        return Err(KeyError::File(FileMistake::ExpandedKey));
    }
    match key.decode_as::<Vec<AnyRef<'_>>>().as_deref() {
        Ok([seed, expanded]) if [seed.tag(), expanded.tag()] == [Tag::OctetString; 2] => {
            Ok((seed.value(), Some(expanded.value())))
        }
        _ => Err(KeyError::MalformedKey),
    }
}

/// Writes an ML-DSA private key as its seed alone.
#[cfg(feature = "private-keys")]
pub(crate) fn write_ml_dsa_private(seed: &[u8]) -> der::Result<Zeroizing<Vec<u8>>> {
    AnyRef::new(SEED, seed)?.to_der().map(Zeroizing::new)
}

/// Reads the modulus and the exponent of an `RSAPublicKey`.
pub(crate) fn public_numbers(der: &[u8]) -> Option<[UintRef<'_>; 2]> {
    two_numbers(der)
}

/// Reads a SEQUENCE of two INTEGERs that are not negative, in strict DER.
pub(crate) fn two_numbers(der: &[u8]) -> Option<[UintRef<'_>; 2]> {
    numbers(der)?.try_into().ok()
}

/// Writes an `RSAPublicKey` of this modulus and exponent.
#[cfg(feature = "rsa-verify")]
pub(crate) fn write_public_numbers(modulus: &[u8], exponent: &[u8]) -> der::Result<Vec<u8>> {
    [UintRef::new(modulus)?, UintRef::new(exponent)?].to_der()
}

/// Reads the modulus and the exponent of an `RSAPrivateKey`, which begins with its version. `key/rsa_private` checks the
/// other numbers.
#[cfg(all(feature = "private-keys", feature = "rsa-verify"))]
pub(crate) fn public_half(der: &[u8]) -> Result<[UintRef<'_>; 2], KeyError> {
    let numbers: Option<[UintRef<'_>; 9]> = numbers(der).and_then(|numbers| numbers.try_into().ok());
    let numbers = numbers.ok_or(if is_multi_prime(der) {
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

/// Reads all numbers of an `RSAPrivateKey` with two primes.
#[cfg(all(feature = "private-keys", feature = "rsa-verify"))]
pub(crate) fn private_numbers(der: &[u8]) -> Option<PrivateNumbers<'_>> {
    let numbers: [UintRef<'_>; 9] = numbers(der)?.try_into().ok()?;
    let [_, n, e, d, p, q, dp, dq, qi] = numbers.map(|number| number.as_bytes());
    Some(PrivateNumbers { n, e, d, p, q, dp, dq, qi })
}

/// Writes an `RSAPrivateKey` of these numbers. `to_der` allocates once, so no copy of them is left.
#[cfg(all(feature = "private-keys", feature = "rsa-verify"))]
pub(crate) fn write_private_numbers(numbers: &PrivateNumbers<'_>) -> der::Result<Zeroizing<Vec<u8>>> {
    let mut parts = alloc::vec![UintRef::new(&[0])?, UintRef::new(numbers.n)?, UintRef::new(numbers.e)?];
    for (_, number) in numbers.private() {
        parts.push(UintRef::new(number)?);
    }
    parts.to_der().map(Zeroizing::new)
}

/// Returns whether `der` has the structure of an `RSAPrivateKey`, with two primes or more.
pub(crate) fn is_rsa_private(der: &[u8]) -> bool {
    matches!(shape(der)[..], [Tag::Integer, ref rest @ ..] if rest.len() >= 8 && rest.starts_with(&[Tag::Integer; 8]))
}

/// Returns whether there are more than two primes. RFC 8017 appendix A.1.2: the further ones follow in a SEQUENCE.
#[cfg(all(feature = "private-keys", feature = "rsa-verify"))]
fn is_multi_prime(der: &[u8]) -> bool {
    is_rsa_private(der) && shape(der).get(9) == Some(&Tag::Sequence)
}

/// Returns whether `der` has the structure of an `ECPrivateKey`.
pub(crate) fn is_ec_private(der: &[u8]) -> bool {
    matches!(
        shape(der)[..],
        [Tag::Integer, Tag::OctetString] | [Tag::Integer, Tag::OctetString, CURVE | POINT, ..]
    )
}

/// Returns whether `der` has the structure in which OpenSSL writes a private DSA key: a version, p, q, g, y and x. No standard
/// describes it, and no algorithm identifier names it.
pub(crate) fn is_dsa_private(der: &[u8]) -> bool {
    shape(der) == [Tag::Integer; 6]
}

/// Names a well-formed structure that is not a readable key.
pub(crate) fn mistake(der: &[u8]) -> Option<KeyError> {
    // The version of a certificate and the attributes of a request have this tag.
    const ZERO: Tag = Tag::ContextSpecific { constructed: true, number: TagNumber(0) };
    let first = |der| elements(der)?.first().and_then(|first| first.to_der().ok());
    let mistake = match shape(der)[..] {
        _ if is_dsa_private(der) => return Some(KeyError::UnsupportedKeyType),
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
        _ => return None,
    };
    Some(KeyError::File(mistake))
}

/// Returns the tags inside the outer SEQUENCE; none if `der` is anything else.
fn shape(der: &[u8]) -> Vec<Tag> {
    elements(der).unwrap_or_default().iter().map(Tagged::tag).collect()
}

/// The most elements that a SEQUENCE here has: an RSA private key of three primes, or the signed part of a certificate.
const MOST_ELEMENTS: usize = 10;

/// Reads the elements of the outer SEQUENCE, unless there are too many. A file of many small elements would otherwise take
/// several times its size in memory.
fn elements(der: &[u8]) -> Option<Vec<AnyRef<'_>>> {
    let outer = AnyRef::from_der(der).ok().filter(|outer| outer.tag() == Tag::Sequence)?;
    let mut reader = SliceReader::new(outer.value()).ok()?;
    let mut elements = Vec::new();
    while !reader.is_finished() {
        if elements.len() == MOST_ELEMENTS {
            return None;
        }
        elements.push(AnyRef::decode(&mut reader).ok()?);
    }
    Some(elements)
}

/// Reads the elements of the outer SEQUENCE if all of them are numbers.
fn numbers(der: &[u8]) -> Option<Vec<UintRef<'_>>> {
    elements(der)?.iter().map(|element| element.decode_as().ok()).collect()
}
