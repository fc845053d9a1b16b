//! What the backends ask of an RSA private key. All of them use these checks, so that none of them signs with a key that another
//! one finds broken.

use crate::algorithm::Algorithm;
use crate::error::KeyError;
use crate::key::asn1;
use crate::key::crt::PrivateNumbers;
use crate::key::material::{PrivateKey, PublicKey};
use crate::key::rsa::bit_length;
#[cfg(feature = "graviola")]
use alloc::vec::Vec;
#[cfg(feature = "graviola")]
use crypto_bigint::{BoxedUint, Odd};
#[cfg(feature = "graviola")]
use zeroize::Zeroizing;

impl PrivateKey {
    /// Returns an RSA key for `algorithm` as PKCS#1 and its public half, if its exponent is allowed and its numbers belong
    /// together.
    pub(crate) fn checked_rsa(&self, algorithm: Algorithm) -> Result<(&[u8], &PublicKey), KeyError> {
        let (pkcs1, public) = self.rsa(algorithm)?;
        numbers(pkcs1)?.check().map_err(|_| KeyError::MalformedKey)?;
        Ok((pkcs1, public))
    }
}

fn numbers(pkcs1: &[u8]) -> Result<PrivateNumbers<'_>, KeyError> {
    asn1::private_numbers(pkcs1).ok_or(KeyError::MalformedKey)
}

/// Checks that no prime is longer than half of the modulus. The modulus is their product, so the other prime is not shorter.
///
/// Some libraries keep each prime in half the bits of the modulus, so that the time of signing does not depend on the lengths of
/// the primes.
pub(crate) fn check_prime_lengths(pkcs1: &[u8]) -> Result<(), KeyError> {
    let numbers = numbers(pkcs1)?;
    let half = bit_length(numbers.n).div_ceil(2);
    let fits = |prime: &[u8]| bit_length(prime) <= half;
    if fits(numbers.p) && fits(numbers.q) { Ok(()) } else { Err(KeyError::UnequalPrimes) }
}

/// Returns the same key with its larger prime first, which RFC 8017 does not ask for.
#[cfg(feature = "graviola")]
pub(crate) fn larger_prime_first(pkcs1: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let numbers = numbers(pkcs1)?;
    let bits = u32::try_from(numbers.n.len().saturating_mul(8)).unwrap_or(u32::MAX);
    let [p, q] =
        [numbers.p, numbers.q].map(|prime| Zeroizing::new(BoxedUint::from_be_slice_truncated(prime, bits)));
    if *p > *q {
        return Ok(Zeroizing::new(pkcs1.to_vec()));
    }
    let modulus = Odd::new((*q).clone()).into_option().map(Zeroizing::new).ok_or(KeyError::MalformedKey)?;
    let inverse = p.invert_odd_mod(&modulus).into_option().map(Zeroizing::new);
    let inverse = Zeroizing::new(inverse.ok_or(KeyError::MalformedKey)?.to_be_bytes());
    let PrivateNumbers { p, q, dp, dq, .. } = numbers;
    let swapped = PrivateNumbers { p: q, q: p, dp: dq, dq: dp, qi: &inverse, ..numbers };
    asn1::write_private_numbers(&swapped).map_err(|_| KeyError::MalformedKey)
}
