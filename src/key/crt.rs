//! Checks that the numbers of an RSA private key belong together
//! ([RFC 8017 section 3.2](https://www.rfc-editor.org/rfc/rfc8017#section-3.2)), so that an error can name the wrong one.
//!
//! The arithmetic of `crypto-bigint` takes the same time for all numbers of the same length. Its results are wiped here; it
//! does not wipe what it keeps in between.

use crate::key::rsa::bit_length;
use crypto_bigint::{BoxedUint, ConcatenatingMul, NonZero};
use zeroize::Zeroizing;

/// The numbers of an RSA private key with two primes, big-endian, under their names in a JWK.
pub(crate) struct PrivateNumbers<'a> {
    pub(crate) n: &'a [u8],
    pub(crate) e: &'a [u8],
    pub(crate) d: &'a [u8],
    pub(crate) p: &'a [u8],
    pub(crate) q: &'a [u8],
    pub(crate) dp: &'a [u8],
    pub(crate) dq: &'a [u8],
    pub(crate) qi: &'a [u8],
}

impl<'a> PrivateNumbers<'a> {
    /// Returns the private numbers with their names.
    pub(crate) const fn private(&self) -> [(&'static str, &'a [u8]); 6] {
        [("d", self.d), ("p", self.p), ("q", self.q), ("dp", self.dp), ("dq", self.dq), ("qi", self.qi)]
    }

    /// Checks that the numbers belong together. The error is the name of one that does not.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let bytes = self.n.len();
        if let Some((name, _)) = self.private().into_iter().find(|(_, number)| number.len() > bytes) {
            return Err(name);
        }
        // All numbers have the precision of the modulus, so that no remainder is computed of fewer words than the divisor has.
        let number = |number: &[u8]| Zeroizing::new(padded(number, bytes));
        let (e, d, one) = (number(self.e), number(self.d), BoxedUint::one());
        let (p, q) = (number(self.p), number(self.q));
        if *Zeroizing::new(p.concatenating_mul(&*q)) != padded(self.n, bytes) {
            return Err("p");
        }
        // A factor shorter than a quarter of the modulus is not one of two primes of a key.
        let quarter = bit_length(self.n) / 4;
        if let Some((name, _)) =
            [("p", self.p), ("q", self.q)].into_iter().find(|(_, prime)| bit_length(prime) <= quarter)
        {
            return Err(name);
        }
        if *d >= padded(self.n, bytes) {
            return Err("d");
        }
        let product = Zeroizing::new(d.concatenating_mul(&*e));
        for (name, prime, exponent) in [("p", &p, ("dp", self.dp)), ("q", &q, ("dq", self.dq))] {
            let order =
                NonZero::new(prime.wrapping_sub(&one)).into_option().map(Zeroizing::new).ok_or(name)?;
            if *Zeroizing::new(product.rem(&*order)) != one {
                return Err("d");
            }
            if *Zeroizing::new(d.rem(&*order)) != *number(exponent.1) {
                return Err(exponent.0);
            }
        }
        let modulus = NonZero::new((*p).clone()).into_option().map(Zeroizing::new).ok_or("p")?;
        let coefficient = number(self.qi);
        let product = Zeroizing::new(coefficient.concatenating_mul(&*q));
        let is_reduced = *Zeroizing::new(coefficient.rem(&*modulus)) == *coefficient;
        if is_reduced && *Zeroizing::new(product.rem(&*modulus)) == one { Ok(()) } else { Err("qi") }
    }
}

/// Reads a big-endian number of at most `bytes` bytes, at the precision of `bytes` bytes.
fn padded(number: &[u8], bytes: usize) -> BoxedUint {
    let bits = u32::try_from(bytes.saturating_mul(8)).unwrap_or(u32::MAX);
    BoxedUint::from_be_slice_truncated(number, bits)
}
