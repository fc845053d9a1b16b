//! Refuses RSA moduli that can be factored although they are long enough.

use crate::error::KeyError;
use core::num::NonZero;
use crypto_bigint::{BoxedUint, Word};

/// The largest of the 126 primes in `M` (below) for keys of 1984 to 3936 bits; longer keys have more. A modulus of another
/// origin has all of their fingerprints by chance with a probability of one in 2^167.
const LARGEST: u32 = 701;

/// The number of rounds of Fermat's method. The CA/Browser Forum asks certificate authorities for as many (Baseline
/// Requirements, section 6.1.1.3).
const ROUNDS: u32 = 100;

/// Refuses a big-endian number of 1984 bits or more that can be factored in one of three ways.
pub(crate) fn refuse(modulus: &[u8]) -> Result<(), KeyError> {
    // One word more than the modulus has, because Fermat's method computes squares that are larger than it.
    let modulus = BoxedUint::from_be_slice_vartime(&[&[0; 8][..], modulus].concat());
    if has_small_factor(&modulus) {
        return Err(KeyError::SmallFactor);
    }
    if has_fingerprint(&modulus) {
        return Err(KeyError::Roca);
    }
    if has_close_primes(&modulus) {
        return Err(KeyError::ClosePrimes);
    }
    Ok(())
}

/// Returns whether a prime up to 701, including 2, divides the modulus, so that it is not the product of two large primes. NIST
/// SP 800-89 section 5.3.3 asks for this check.
fn has_small_factor(modulus: &BoxedUint) -> bool {
    low_word(modulus) % 2 == 0 || remainders(modulus).any(|(_, remainder)| remainder == 0)
}

/// Returns whether the modulus has the fingerprint of keys that Infineon's RSALib made until 2017, in smart cards, security
/// tokens and TPMs (M. Nemec et al., [The Return of Coppersmith's Attack](https://crocs.fi.muni.cz/public/papers/rsa_ccs17),
/// CCS 2017).
///
/// That library made primes of the form `k * M + (65537^a mod M)`, with `M` the product of the first primes. Modulo each of
/// these primes, the modulus of such a key is a power of 65537 too.
fn has_fingerprint(modulus: &BoxedUint) -> bool {
    remainders(modulus).all(|(prime, remainder)| is_power_of_65537(remainder, prime))
}

/// Returns whether the two primes are so close that Fermat's method finds them at once, as in keys of printers of 2022
/// (CVE-2022-26320): `n = a^2 - b^2` for some `a` just above the root of `n`.
fn has_close_primes(modulus: &BoxedUint) -> bool {
    let mut root = modulus.clone();
    let is_square = root.floor_sqrt_assign_vartime();
    // Most numbers are no square modulo a small number, which is quickly found out. The few that are get the long check.
    let sieves =
        SIEVES.map(|sieve| (sieve, remainder(&root, sieve.modulus), remainder(modulus, sieve.modulus)));
    is_square
        || (1..=ROUNDS).any(|round| {
            sieves.iter().all(|(sieve, root, modulus)| sieve.may_be_square(*root, round, *modulus)) && {
                let a = root.wrapping_add(BoxedUint::from(round));
                a.wrapping_square().wrapping_sub(modulus).checked_sqrt_vartime().is_some()
            }
        })
}

/// A product of small primes, and for each prime which remainders are squares.
#[derive(Clone, Copy)]
struct Sieve {
    modulus: u32,
    /// Each prime, and a number in which the bits of its squares are set.
    primes: [(u32, u64); 5],
}

/// They let two in 10,000 numbers pass.
const SIEVES: [Sieve; 3] =
    [Sieve::of([3, 5, 7, 11, 13]), Sieve::of([17, 19, 23, 29, 31]), Sieve::of([37, 41, 43, 47, 53])];

impl Sieve {
    const fn of(primes: [u32; 5]) -> Self {
        let mut sieve = Self { modulus: 1, primes: [(0, 0); 5] };
        let mut place = 0;
        while place < primes.len() {
            let prime = primes[place];
            let (mut squares, mut root) = (0, 0);
            while root < prime {
                squares |= 1 << (root * root % prime);
                root += 1;
            }
            sieve.modulus *= prime;
            sieve.primes[place] = (prime, squares);
            place += 1;
        }
        sieve
    }

    /// Returns whether `(root + round)^2 - modulus` is a square modulo each of the primes. Takes the remainders of both.
    fn may_be_square(&self, root: u32, round: u32, modulus: u32) -> bool {
        let product = u64::from(self.modulus);
        let a = (u64::from(root) + u64::from(round)) % product;
        let difference = (a * a + product - u64::from(modulus)) % product;
        self.primes.iter().all(|(prime, squares)| squares >> (difference % u64::from(*prime)) & 1 == 1)
    }
}

/// The primes from 3 to [`LARGEST`].
const PRIMES: [u16; 125] = primes();

const fn primes() -> [u16; 125] {
    let (mut primes, mut count, mut number) = ([0; 125], 0, 3);
    while number <= LARGEST {
        let mut divisor = 3;
        while divisor * divisor <= number && number % divisor != 0 {
            divisor += 2;
        }
        if divisor * divisor > number {
            primes[count] = number as u16;
            count += 1;
        }
        number += 2;
    }
    primes
}

/// Returns each of [`PRIMES`] with the remainder of the number.
fn remainders(number: &BoxedUint) -> impl Iterator<Item = (u32, u32)> {
    // One long division serves all primes whose product fits into a word.
    let (mut of_product, mut end) = (0, 0);
    PRIMES.iter().enumerate().map(move |(place, &prime)| {
        if place == end {
            let mut product = 1;
            while let Some(larger) =
                PRIMES.get(end).and_then(|&prime| Word::checked_mul(product, prime.into()))
            {
                product = larger;
                end = end.saturating_add(1);
            }
            of_product = long_remainder(number, product);
        }
        (u32::from(prime), (of_product % Word::from(prime)) as u32)
    })
}

fn long_remainder(number: &BoxedUint, divisor: Word) -> Word {
    NonZero::new(divisor).map_or(0, |divisor| number.rem_limb(divisor.into()).0)
}

fn remainder(number: &BoxedUint, divisor: u32) -> u32 {
    long_remainder(number, divisor.into()) as u32
}

fn low_word(number: &BoxedUint) -> Word {
    number.as_words().first().copied().unwrap_or_default()
}

fn is_power_of_65537(value: u32, prime: u32) -> bool {
    let next = |power: u32| (power << 16).wrapping_add(power) % prime;
    // The powers form a cycle that begins with 1.
    let after_one = core::iter::successors(Some(next(1)), |&power| Some(next(power)));
    value == 1 || after_one.take_while(|&power| power != 1).any(|power| power == value)
}
