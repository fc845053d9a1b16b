//! Checks that the numbers of an RSA private key belong together (RFC 8017 section 3.2). All backends use these checks, so that
//! none of them signs with a key that another one finds broken.

use crate::error::KeyError;
use crate::key::asn1;
use crate::key::material::{PrivateKey, PublicKey};
use crate::key::rsa::bit_length;
use alloc::vec::Vec;
use crypto_bigint::{BoxedUint, ConcatenatingMul, NonZero, Odd};
use pkcs8::der::Encode;
use pkcs8::der::asn1::UintRef;
use zeroize::Zeroizing;

type Secret = Zeroizing<BoxedUint>;

impl PrivateKey {
    /// Returns an RSA key as PKCS#1 and its public half, if its exponent is allowed and its numbers belong together.
    pub(crate) fn checked_rsa(&self) -> Result<(&[u8], &PublicKey), KeyError> {
        let (pkcs1, public) = self.rsa()?;
        let numbers = Numbers::read(pkcs1).ok_or(KeyError::MalformedKey)?;
        if numbers.belong_together() { Ok((pkcs1, public)) } else { Err(KeyError::MalformedKey) }
    }
}

/// Checks that no prime is longer than half of the modulus. The modulus is their product, so the other prime is not shorter.
///
/// Some libraries keep each prime in half the bits of the modulus, so that the time of signing does not depend on the lengths of
/// the primes.
pub(crate) fn check_prime_lengths(pkcs1: &[u8]) -> Result<(), KeyError> {
    let [_, modulus, _, _, p, q, ..] = asn1::private_numbers(pkcs1).ok_or(KeyError::MalformedKey)?;
    let half = bit_length(modulus.as_bytes()).div_ceil(2);
    let fits = |prime: UintRef<'_>| bit_length(prime.as_bytes()) <= half;
    if fits(p) && fits(q) { Ok(()) } else { Err(KeyError::UnequalPrimes) }
}

/// Returns the same key with its larger prime first, which RFC 8017 does not ask for.
pub(crate) fn larger_prime_first(pkcs1: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let numbers = Numbers::read(pkcs1).ok_or(KeyError::MalformedKey)?;
    if *numbers.p > *numbers.q {
        return Ok(Zeroizing::new(pkcs1.to_vec()));
    }
    numbers.swapped(pkcs1).ok_or(KeyError::MalformedKey)
}

/// The numbers of an `RSAPrivateKey`, each with as many words as the modulus. The arithmetic on them takes constant time, except
/// that it stops at the first number that is wrong.
struct Numbers {
    n: Secret,
    e: Secret,
    d: Secret,
    p: Secret,
    q: Secret,
    /// d mod p - 1 and d mod q - 1.
    dp: Secret,
    dq: Secret,
    /// 1/q mod p.
    inverse: Secret,
}

impl Numbers {
    fn read(pkcs1: &[u8]) -> Option<Self> {
        let [_, n, e, d, p, q, dp, dq, inverse] = asn1::private_numbers(pkcs1)?;
        let bits = u32::try_from(n.as_bytes().len()).ok()?.checked_mul(8)?;
        let read =
            |number: UintRef<'_>| BoxedUint::from_be_slice(number.as_bytes(), bits).ok().map(Zeroizing::new);
        Some(Self {
            n: read(n)?,
            e: read(e)?,
            d: read(d)?,
            p: read(p)?,
            q: read(q)?,
            dp: read(dp)?,
            dq: read(dq)?,
            inverse: read(inverse)?,
        })
    }

    fn belong_together(&self) -> bool {
        *product(&self.p, &self.q) == *self.n
            && self.are_plausible()
            // RFC 8017 section 3.2: d is a positive integer less than n.
            && *self.d < *self.n
            && self.exponent_fits(&self.p, &self.dp)
            && self.exponent_fits(&self.q, &self.dq)
            && *self.inverse < *self.p
            && modulo(&product(&self.inverse, &self.q), &self.p).is_some_and(|one| is_one(&one))
    }

    /// Returns whether no prime is shorter than a quarter of the modulus. A shorter factor is not one of two primes of a key.
    fn are_plausible(&self) -> bool {
        let quarter = self.n.bit_width() / 4;
        self.p.bit_width() > quarter && self.q.bit_width() > quarter
    }

    /// Returns whether `exponent` is d mod prime - 1, and the inverse of e there.
    fn exponent_fits(&self, prime: &BoxedUint, exponent: &BoxedUint) -> bool {
        let order = Zeroizing::new(prime.wrapping_sub(BoxedUint::one_with_precision(prime.bits_precision())));
        modulo(&self.d, &order).is_some_and(|rest| *rest == *exponent)
            && modulo(&product(exponent, &self.e), &order).is_some_and(|one| is_one(&one))
    }

    /// Writes the key with its primes in the other order.
    fn swapped(&self, pkcs1: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let [version, n, e, d, p, q, dp, dq, _] = asn1::private_numbers(pkcs1)?;
        let modulus = Odd::new((*self.q).clone()).into_option().map(Zeroizing::new)?;
        let inverse = Zeroizing::new(self.p.invert_odd_mod(&modulus).into_option()?);
        let inverse = Zeroizing::new(inverse.to_be_bytes());
        let inverse = UintRef::new(&inverse).ok()?;
        [version, n, e, d, q, p, dq, dp, inverse].to_der().ok().map(Zeroizing::new)
    }
}

fn product(one: &BoxedUint, other: &BoxedUint) -> Secret {
    Zeroizing::new(one.concatenating_mul(other))
}

/// Returns the rest of a division; none by zero.
fn modulo(number: &BoxedUint, modulus: &BoxedUint) -> Option<Secret> {
    let modulus = NonZero::new(modulus.clone()).into_option().map(Zeroizing::new)?;
    Some(Zeroizing::new(number.rem(&modulus)))
}

fn is_one(number: &BoxedUint) -> bool {
    *number == BoxedUint::one()
}
