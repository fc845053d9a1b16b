//! The checks of Ed25519 ([RFC 8032](https://www.rfc-editor.org/rfc/rfc8032)) that differ between libraries. They happen here,
//! before any backend, so that all backends accept the same keys and signatures.
//!
//! The rules are those of `verify_strict` of ed25519-dalek: the public key and the `R` of a signature must be canonical and not
//! of small order. A point of small order would verify one signature for many messages.

use crate::error::KeyError;

/// The y coordinates of the points with an order that divides 8, little-endian, including their non-canonical forms, which are
/// not below the modulus 2^255 - 19. "Taming the many EdDSAs" (ePrint 2020/1244), table 1.
const SMALL_ORDER: [[u8; 32]; 7] = [
    number(0, 0, 0),
    number(1, 0, 0),
    *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
    *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
    number(0xec, 0xff, 0x7f),
    number(0xed, 0xff, 0x7f),
    number(0xee, 0xff, 0x7f),
];

/// Returns 32 bytes: `first`, then 30 times `middle`, then `last`.
const fn number(first: u8, middle: u8, last: u8) -> [u8; 32] {
    [
        first, middle, middle, middle, middle, middle, middle, middle, middle, middle, middle, middle,
        middle, middle, middle, middle, middle, middle, middle, middle, middle, middle, middle, middle,
        middle, middle, middle, middle, middle, middle, middle, last,
    ]
}

/// Checks that a public key is canonical and not of small order. The backend checks that it is a point of the curve.
pub(crate) fn check_key(key: &[u8; 32]) -> Result<(), KeyError> {
    if is_canonical(key) && !is_small_order(key) { Ok(()) } else { Err(KeyError::InvalidPoint) }
}

/// Returns whether the `R` of a signature is canonical and not of small order. The backend checks that `S` is below the order of
/// the group.
pub(crate) fn check_signature(signature: &[u8; 64]) -> bool {
    signature.first_chunk().is_some_and(|point| is_canonical(point) && !is_small_order(point))
}

/// Returns whether the order of the point divides 8, in any encoding. The topmost bit is the sign of x, and is ignored.
fn is_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    SMALL_ORDER.contains(&y)
}

/// Returns whether y is below the modulus 2^255 - 19.
fn is_canonical(point: &[u8; 32]) -> bool {
    match point {
        [first, middle @ .., last] => {
            *first < 0xed || last & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff)
        }
    }
}
