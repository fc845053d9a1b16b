//! The numbers of keys on elliptic curves ([RFC 7518 section 3.4](https://www.rfc-editor.org/rfc/rfc7518#section-3.4)).
//!
//! This module checks only forms and lengths. Arithmetic is needed to check that a point is on its curve, so the backend does it
//! when it makes a key. A program therefore links the arithmetic of only those curves that it names.

use crate::algorithm::Algorithm;
use crate::error::KeyError;
use alloc::boxed::Box;
#[cfg(feature = "private-keys")]
use zeroize::Zeroizing;

/// The curves of the ECDSA algorithms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Curve {
    P256,
    P384,
    P521,
    Secp256k1,
}

impl Curve {
    pub(crate) const ALL: [Self; 4] = [Self::P256, Self::P384, Self::P521, Self::Secp256k1];

    /// Returns the length of a coordinate and of a private number in bytes.
    pub(crate) const fn bytes(self) -> usize {
        match self {
            Self::P256 | Self::Secp256k1 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// Returns the only algorithm that JWS defines for the curve.
    pub(crate) const fn algorithm(self) -> Algorithm {
        match self {
            Self::P256 => Algorithm::Es256,
            Self::P384 => Algorithm::Es384,
            Self::P521 => Algorithm::Es512,
            Self::Secp256k1 => Algorithm::Es256k,
        }
    }

    /// Returns the name of the curve in a JWK.
    pub(crate) const fn name(self) -> &'static str {
        self.algorithm().key_type()
    }

    /// Returns the curve of an algorithm, if it has one.
    pub(crate) fn of(algorithm: Algorithm) -> Option<Self> {
        Self::ALL.into_iter().find(|curve| curve.algorithm() == algorithm)
    }
}

/// A public key: a point in the encoding of SEC 1 section 2.3.3, compressed or not. It may not be on its curve.
#[derive(Clone)]
pub(crate) struct Point {
    curve: Curve,
    encoded: Box<[u8]>,
}

impl Point {
    /// Reads a point, and checks the form and the length of its encoding.
    pub(crate) fn new(curve: Curve, encoded: &[u8]) -> Result<Self, KeyError> {
        let coordinates = match encoded.first() {
            Some(2 | 3) => 1,
            Some(4) => 2,
            // The point at infinity, or a form that no tool writes.
            _ => return Err(KeyError::InvalidPoint),
        };
        if encoded.len() != curve.bytes().saturating_mul(coordinates).saturating_add(1) {
            return Err(KeyError::InvalidPoint);
        }
        Ok(Self { curve, encoded: encoded.into() })
    }

    pub(crate) const fn curve(&self) -> Curve {
        self.curve
    }

    pub(crate) const fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Returns both coordinates, unless the point is compressed.
    pub(crate) fn coordinates(&self) -> Option<(&[u8], &[u8])> {
        let [4, coordinates @ ..] = &*self.encoded else { return None };
        coordinates.split_at_checked(self.curve.bytes())
    }

    /// Returns the content of the compressed form: the first coordinate, and whether the second is odd.
    fn compressed(&self) -> (Option<&[u8]>, bool) {
        let length = self.curve.bytes();
        let is_odd = match (&*self.encoded, self.encoded.last()) {
            ([4, ..], Some(last)) => last % 2 == 1,
            ([first, ..], _) => *first == 3,
            _ => false,
        };
        (self.encoded.get(1..=length), is_odd)
    }
}

/// Two points are equal if their coordinates are, whether they are compressed or not.
impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        let same_form = self.encoded.len() == other.encoded.len();
        self.curve == other.curve
            && if same_form { self.encoded == other.encoded } else { self.compressed() == other.compressed() }
    }
}

impl Eq for Point {}

/// A private key: a number in exactly as many bytes as a coordinate of its curve. The backend checks its range.
#[cfg(feature = "private-keys")]
#[derive(Clone)]
pub(crate) struct Scalar {
    curve: Curve,
    bytes: Zeroizing<Box<[u8]>>,
}

#[cfg(feature = "private-keys")]
impl Scalar {
    /// Reads a number. It may be one byte too short, because some tools leave out a leading zero. It may also have an extra zero
    /// byte in front, because GnuTLS 3.7 writes a signed integer.
    pub(crate) fn new(curve: Curve, number: &[u8]) -> Result<Self, KeyError> {
        let length = curve.bytes();
        let number = match number {
            [0, number @ ..] if number.len() == length => number,
            number => number,
        };
        let zeros = length.checked_sub(number.len()).ok_or(KeyError::MalformedKey)?;
        // A number of P-521 begins with seven zero bits, so its second byte is zero, too, once in 512 times.
        if zeros > if curve == Curve::P521 { 2 } else { 1 } {
            return Err(KeyError::MalformedKey);
        }
        let mut bytes = Zeroizing::new(alloc::vec![0; length].into_boxed_slice());
        if let Some(place) = bytes.get_mut(zeros..) {
            place.copy_from_slice(number);
        }
        Ok(Self { curve, bytes })
    }

    pub(crate) const fn curve(&self) -> Curve {
        self.curve
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
