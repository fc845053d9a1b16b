//! Refuses RSA moduli that can be factored although they are long enough.

use crate::error::KeyError;
use core::num::NonZero;
use crypto_bigint::BoxedUint;

/// The largest of the 126 primes in `M` (below) for keys of 1984 to 3936 bits; longer keys have more. A modulus of another
/// origin has all of their fingerprints by chance with a probability of one in 2^167.
const LARGEST: u32 = 701;

/// The number of rounds of Fermat's method. The CA/Browser Forum asks certificate authorities for as many (Baseline
/// Requirements, section 6.1.1.3). They take most of the half millisecond that this file needs for 2048 bits.
const ROUNDS: u32 = 100;

/// Refuses a big-endian number of 1984 bits or more that can be factored in one of three ways.
pub(crate) fn refuse(modulus: &[u8]) -> Result<(), KeyError> {
    if has_small_factor(modulus) {
        return Err(KeyError::SmallFactor);
    }
    if has_fingerprint(modulus) {
        return Err(KeyError::Roca);
    }
    if has_close_primes(modulus) {
        return Err(KeyError::ClosePrimes);
    }
    Ok(())
}

/// Returns whether a prime up to 701, including 2, divides the modulus, so that it is not the product of two large primes. NIST
/// SP 800-89 section 5.3.3 asks for this check.
fn has_small_factor(modulus: &[u8]) -> bool {
    modulus.last().is_none_or(|last| last % 2 == 0)
        || odd_primes().any(|prime| remainder(modulus, prime) == 0)
}

/// Returns whether the modulus has the fingerprint of keys that Infineon's RSALib made until 2017, in smart cards, security
/// tokens and TPMs (M. Nemec et al., [The Return of Coppersmith's Attack](https://crocs.fi.muni.cz/public/papers/rsa_ccs17),
/// CCS 2017).
///
/// That library made primes of the form `k * M + (65537^a mod M)`, with `M` the product of the first primes. Modulo each of
/// these primes, the modulus of such a key is a power of 65537 too.
fn has_fingerprint(modulus: &[u8]) -> bool {
    odd_primes().all(|prime| is_power_of_65537(remainder(modulus, prime), prime))
}

/// Returns whether the two primes are so close that Fermat's method finds them at once, as in keys of printers of 2022
/// (CVE-2022-26320): `n = a^2 - b^2` for some `a` just above the root of `n`.
fn has_close_primes(modulus: &[u8]) -> bool {
    // One word more than the modulus has, because the squares are larger than it.
    let bytes = [&[0; 8][..], modulus].concat();
    let modulus = BoxedUint::from_be_slice_vartime(&bytes);
    let mut root = modulus.clone();
    let is_square = root.floor_sqrt_assign_vartime();
    is_square
        || (1..=ROUNDS).any(|round| {
            let a = root.wrapping_add(BoxedUint::from(round));
            a.wrapping_square().wrapping_sub(&modulus).checked_sqrt_vartime().is_some()
        })
}

/// Returns the primes from 3 to 701.
fn odd_primes() -> impl Iterator<Item = NonZero<u32>> {
    let is_prime =
        |number: u32| (3..number).step_by(2).filter_map(NonZero::new).all(|divisor| number % divisor != 0);
    (3..=LARGEST).step_by(2).filter(move |&number| is_prime(number)).filter_map(NonZero::new)
}

fn remainder(number: &[u8], prime: NonZero<u32>) -> u32 {
    number.iter().fold(0, |rest, &byte| (rest << 8 | u32::from(byte)) % prime)
}

fn is_power_of_65537(value: u32, prime: NonZero<u32>) -> bool {
    let next = |power: u32| (power << 16).wrapping_add(power) % prime;
    // The powers form a cycle that begins with 1.
    let after_one = core::iter::successors(Some(next(1)), |&power| Some(next(power)));
    value == 1 || after_one.take_while(|&power| power != 1).any(|power| power == value)
}
