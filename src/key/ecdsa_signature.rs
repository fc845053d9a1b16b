//! ECDSA signatures in DER, as OpenSSL and the key services of clouds write them. JWS has them in another form ([RFC 7518 section
//! 3.4](https://www.rfc-editor.org/rfc/rfc7518#section-3.4)).

use crate::algorithm::Algorithm;
use crate::error::SignError;
use crate::key::asn1;
use crate::key::ec::Curve;
use crate::key::signature::Signature;
use alloc::vec;
use pkcs8::der::asn1::UintRef;

impl Signature {
    /// Creates an ECDSA signature from its form in DER, `Ecdsa-Sig-Value` of
    /// [RFC 3279 section 2.2.3](https://www.rfc-editor.org/rfc/rfc3279#section-2.2.3).
    ///
    /// OpenSSL, AWS KMS and Google Cloud KMS return this form. PKCS#11 and Azure Key Vault return the form of JWS, which
    /// [`from_bytes`](Self::from_bytes) takes. The page on [keys](crate::manual::keys) shows how to sign with such a service.
    ///
    /// # Errors
    ///
    /// - [`SignError::NotEcdsa`] for an algorithm other than ES256, ES384, ES512 and ES256K.
    /// - [`SignError::MalformedSignature`] if the bytes are anything else than a SEQUENCE of two positive integers in strict DER,
    ///   or if other bytes follow.
    /// - [`SignError::SignatureOutOfRange`] if one of the integers is zero, or is not below the order of the curve.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{Algorithm, SignError, Signature};
    ///
    /// let der = [0x30, 6, 2, 1, 7, 2, 1, 9];
    /// let signature = Signature::from_ecdsa_der(Algorithm::Es256, &der)?;
    /// assert_eq!(signature.as_bytes().len(), 64);
    /// assert_eq!((signature.as_bytes()[31], signature.as_bytes()[63]), (7, 9));
    ///
    /// let error = Signature::from_ecdsa_der(Algorithm::Es256, &der[..7]).unwrap_err();
    /// assert_eq!(error, SignError::MalformedSignature);
    /// # Ok::<(), SignError>(())
    /// ```
    pub fn from_ecdsa_der(algorithm: Algorithm, der: &[u8]) -> Result<Self, SignError> {
        let curve = Curve::of(algorithm).ok_or(SignError::NotEcdsa { algorithm })?;
        let [r, s] = asn1::two_numbers(der).ok_or(SignError::MalformedSignature)?;
        let mut fixed = vec![0; curve.bytes().saturating_mul(2)];
        let (first, second) =
            fixed.split_at_mut_checked(curve.bytes()).ok_or(SignError::MalformedSignature)?;
        write(r, first, curve)?;
        write(s, second, curve)?;
        Ok(Self::from_bytes(&fixed))
    }
}

/// Writes a number in as many bytes as the order of the curve has, if it is in the range of ECDSA.
fn write(number: UintRef<'_>, place: &mut [u8], curve: Curve) -> Result<(), SignError> {
    let number = number.as_bytes();
    let zeros = place.len().checked_sub(number.len()).ok_or(SignError::SignatureOutOfRange)?;
    if let Some(place) = place.get_mut(zeros..) {
        place.copy_from_slice(number);
    }
    let is_zero = place.iter().all(|byte| *byte == 0);
    // Of the same length, so this compares the numbers. They are public.
    if is_zero || &*place >= order(curve) { Err(SignError::SignatureOutOfRange) } else { Ok(()) }
}

/// Returns the order of the group of a curve: SEC 2 sections 2.4.2 (P-256), 2.5.1 (P-384), 2.6.1 (P-521) and 2.4.1 (secp256k1).
const fn order(curve: Curve) -> &'static [u8] {
    match curve {
        Curve::P256 => {
            b"\xff\xff\xff\xff\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xbc\xe6\xfa\xad\xa7\x17\x9e\x84\xf3\xb9\xca\xc2\xfc\x63\x25\x51"
        }
        Curve::P384 => {
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
            \xc7\x63\x4d\x81\xf4\x37\x2d\xdf\x58\x1a\x0d\xb2\x48\xb0\xa7\x7a\xec\xec\x19\x6a\xcc\xc5\x29\x73"
        }
        Curve::P521 => {
            b"\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfa\
            \x51\x86\x87\x83\xbf\x2f\x96\x6b\x7f\xcc\x01\x48\xf7\x09\xa5\xd0\x3b\xb5\xc9\xb8\x89\x9c\x47\xae\xbb\x6f\xb7\x1e\x91\x38\x64\x09"
        }
        Curve::Secp256k1 => {
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xba\xae\xdc\xe6\xaf\x48\xa0\x3b\xbf\xd2\x5e\x8c\xd0\x36\x41\x41"
        }
    }
}
