//! The fingerprint of RSA keys that can be factored: those that Infineon's RSALib made until 2017, in smart cards,
//! security tokens and TPMs (M. Nemec et al.,
//! [The Return of Coppersmith's Attack](https://crocs.fi.muni.cz/public/papers/rsa_ccs17), CCS 2017).
//!
//! That library took primes of the form `k * M + (65537^a mod M)`, `M` being the product of the first primes that there are.
//! Modulo each of these, the modulus of such a key is a power of 65537 too.

use core::num::NonZero;

/// The largest of the 126 primes in `M` for keys of 1984 to 3936 bits; longer keys have more. A modulus that is not
/// such a key shows all of their fingerprints by an accident of one in 2^167.
const LARGEST: u32 = 701;

/// Whether this big-endian number of 1984 bits or more is the modulus of such a key.
pub(crate) fn has_fingerprint(modulus: &[u8]) -> bool {
    (3..=LARGEST)
        .step_by(2)
        .filter(|&number| is_prime(number))
        .filter_map(NonZero::new)
        .all(|prime| is_power_of_65537(remainder(modulus, prime), prime))
}

fn remainder(number: &[u8], prime: NonZero<u32>) -> u32 {
    number.iter().fold(0, |rest, &byte| (rest << 8 | u32::from(byte)) % prime)
}

fn is_power_of_65537(value: u32, prime: NonZero<u32>) -> bool {
    let next = |power: u32| (power << 16).wrapping_add(power) % prime;
    // The powers begin with 1 and come back to it.
    let after_one = core::iter::successors(Some(next(1)), |&power| Some(next(power)));
    value == 1 || after_one.take_while(|&power| power != 1).any(|power| power == value)
}

/// For an odd number.
fn is_prime(number: u32) -> bool {
    (3..number).step_by(2).filter_map(NonZero::new).all(|divisor| number % divisor != 0)
}
