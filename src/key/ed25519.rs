//! The checks of Ed25519 that no two libraries agree on ([RFC 8032](https://www.rfc-editor.org/rfc/rfc8032)). They are made here
//! once, before any backend, so that all backends accept the same keys and signatures.
//!
//! The rules are those of `verify_strict` of ed25519-dalek: the public key and the `R` of a signature are canonical and not of
//! small order. A point of small order would verify one signature for many messages.

use crate::error::KeyError;

/// The y coordinates of the points whose order divides 8, little-endian, and those three that are written in a second form
/// because they are not below the modulus 2^255 - 19. "Taming the many EdDSAs" (ePrint 2020/1244), table 1.
const SMALL_ORDER: [[u8; 32]; 7] = [
    number(0, 0, 0),
    number(1, 0, 0),
    *b"\x26\xe8\x95\x8f\xc2\xb2\x27\xb0\x45\xc3\xf4\x89\xf2\xef\x98\xf0\xd5\xdf\xac\x05\xd3\xc6\x33\x39\xb1\x38\x02\x88\x6d\x53\xfc\x05",
    *b"\xc7\x17\x6a\x70\x3d\x4d\xd8\x4f\xba\x3c\x0b\x76\x0d\x10\x67\x0f\x2a\x20\x53\xfa\x2c\x39\xcc\xc6\x4e\xc7\xfd\x77\x92\xac\x03\x7a",
    number(0xec, 0xff, 0x7f),
    number(0xed, 0xff, 0x7f),
    number(0xee, 0xff, 0x7f),
];

/// The 32 bytes that begin with `first`, end with `last` and hold `middle` between them.
const fn number(first: u8, middle: u8, last: u8) -> [u8; 32] {
    [
        first, middle, middle, middle, middle, middle, middle, middle, middle, middle, middle, middle,
        middle, middle, middle, middle, middle, middle, middle, middle, middle, middle, middle, middle,
        middle, middle, middle, middle, middle, middle, middle, last,
    ]
}

/// Checks a public key as far as that takes no arithmetic.
pub(crate) fn check_key(key: &[u8; 32]) -> Result<(), KeyError> {
    if is_canonical(key) && !is_small_order(key) { Ok(()) } else { Err(KeyError::InvalidPoint) }
}

/// Whether the `R` of a signature may be one. The backend checks that `S` is below the group's order.
pub(crate) fn check_signature(signature: &[u8; 64]) -> bool {
    signature.first_chunk().is_some_and(|point| is_canonical(point) && !is_small_order(point))
}

/// Whether the point is one of those whose order divides 8, in any form. The topmost bit is the sign of x.
fn is_small_order(point: &[u8; 32]) -> bool {
    let mut y = *point;
    if let Some(last) = y.last_mut() {
        *last &= 0x7f;
    }
    SMALL_ORDER.contains(&y)
}

/// Whether y is below the modulus 2^255 - 19.
fn is_canonical(point: &[u8; 32]) -> bool {
    match point {
        [first, middle @ .., last] => {
            *first < 0xed || last & 0x7f != 0x7f || middle.iter().any(|byte| *byte != 0xff)
        }
    }
}
