//! The numbers that an RSA key may have ([RFC 7518 section 3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)).

use crate::error::KeyError;
use crate::key::factoring;
use alloc::boxed::Box;
use core::num::NonZero;

/// RFC 7518 section 3.3: a key of size 2048 bits or larger must be used.
const MIN_BITS: usize = 2048;
/// A verification at 8192 bits takes about sixteen times as long as at 2048; longer keys would allow denial of service.
const MAX_BITS: usize = 8192;
/// The exponent of practically all keys in use. Small ones allowed forgeries in programs that checked padding badly.
const USUAL_EXPONENT: u64 = 65_537;
/// The bound of the crate `rsa`: larger exponents only cost time.
const MAX_EXPONENT: u64 = (1 << 33) - 1;

/// The public exponents that a caller accepts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exponents {
    /// 65537.
    Usual,
    /// Any odd number from 3 to 2^33 - 1.
    Any,
}

/// The numbers of a public key, with the checks that all uses need.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PublicNumbers {
    modulus: Box<[u8]>,
    exponent: NonZero<u64>,
}

impl PublicNumbers {
    /// Checks a modulus and an exponent, both big-endian. Leading zeros are allowed.
    pub(crate) fn new(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        let modulus = strip_zeros(modulus);
        check_bits(bit_length(modulus))?;
        let exponent = exponent_value(exponent)?;
        // This also refuses an even modulus, which Montgomery arithmetic cannot handle.
        factoring::refuse(modulus)?;
        Ok(Self { modulus: modulus.into(), exponent })
    }

    /// Returns the modulus, big-endian, without leading zeros.
    pub(crate) const fn modulus(&self) -> &[u8] {
        &self.modulus
    }

    pub(crate) const fn exponent(&self) -> NonZero<u64> {
        self.exponent
    }

    /// Returns the exponent, big-endian, without leading zeros.
    pub(crate) fn exponent_bytes(&self) -> Box<[u8]> {
        strip_zeros(&self.exponent.get().to_be_bytes()).into()
    }

    /// Refuses an exponent that is not among `allowed`.
    pub(crate) fn check_exponent(&self, allowed: Exponents) -> Result<(), KeyError> {
        if allowed == Exponents::Any || self.exponent.get() == USUAL_EXPONENT {
            Ok(())
        } else {
            Err(KeyError::Exponent)
        }
    }
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

fn exponent_value(exponent: &[u8]) -> Result<NonZero<u64>, KeyError> {
    let value = strip_zeros(exponent)
        .iter()
        .try_fold(0_u64, |value, &byte| value.checked_mul(256).map(|value| value | u64::from(byte)))
        .ok_or(KeyError::Exponent)?;
    let fits = value % 2 == 1 && (3..=MAX_EXPONENT).contains(&value);
    NonZero::new(value).filter(|_| fits).ok_or(KeyError::Exponent)
}

pub(crate) fn strip_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

pub(crate) fn bit_length(number: &[u8]) -> usize {
    let number = strip_zeros(number);
    let unused = number.first().map_or(0, |first| first.leading_zeros());
    number.len().saturating_mul(8).saturating_sub(usize::try_from(unused).unwrap_or(0))
}

/// The modulus of RFC 7517 appendix A.1, in base64url.
#[cfg(test)]
pub(crate) const MODULUS: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

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
        let modulus = URL_SAFE_NO_PAD.decode(MODULUS).unwrap();
        let check = |exponent: &[u8], allowed| {
            PublicNumbers::new(&modulus, exponent).and_then(|numbers| numbers.check_exponent(allowed)).is_ok()
        };
        let (usual, any) = (Exponents::Usual, Exponents::Any);
        assert!(check(&[1, 0, 1], usual) && check(&[0, 1, 0, 1], usual));
        assert!(!check(&[3], usual) && check(&[3], any));
        for never in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[3, 0, 0, 0, 1], &[1; 9]] {
            assert!(!check(never, usual) && !check(never, any), "{never:?}");
        }
        assert!(check(&[1, 0xff, 0xff, 0xff, 0xff], any));
        assert!(!check(&[2, 0, 0, 0, 1], any));
    }
}
