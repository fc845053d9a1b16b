//! Refuses RSA moduli that can be factored although they are long enough.

use crate::error::KeyError;
use alloc::vec::Vec;
use core::iter;
use core::num::NonZero;
use crypto_bigint::BoxedUint;

/// The largest of the 126 primes in `M` (below) for keys of 1984 to 3936 bits; longer keys have more. A modulus of another
/// origin has all of their fingerprints by chance with a probability of one in 2^167.
const LARGEST: u32 = 701;

/// The number of rounds of Fermat's method. The CA/Browser Forum asks certificate authorities for as many (Baseline
/// Requirements, section 6.1.1.3).
const ROUNDS: u32 = 100;

/// How many primes tell whether a number may be a square. Two in 10,000 numbers are squares modulo all of them.
const SIEVE: usize = 15;

/// Refuses a big-endian number of 1984 bits or more that can be factored in one of three ways.
pub(crate) fn refuse(modulus: &[u8]) -> Result<(), KeyError> {
    let remainders: Vec<u32> = remainders(modulus).collect();
    // NIST SP 800-89 section 5.3.3 asks for this check. 2 is not among the primes below.
    let is_even = modulus.last().is_none_or(|byte| byte & 1 == 0);
    if is_even || remainders.contains(&0) {
        return Err(KeyError::SmallFactor);
    }
    if has_fingerprint(&remainders) {
        return Err(KeyError::Roca);
    }
    if has_close_primes(modulus, &remainders) {
        return Err(KeyError::ClosePrimes);
    }
    Ok(())
}

/// Returns whether the modulus has the fingerprint of keys that Infineon's RSALib made until 2017, in smart cards, security
/// tokens and TPMs (M. Nemec et al., [The Return of Coppersmith's Attack](https://crocs.fi.muni.cz/public/papers/rsa_ccs17),
/// CCS 2017).
///
/// That library made primes of the form `k * M + (65537^a mod M)`, with `M` the product of the first primes. Modulo each of
/// these primes, the modulus of such a key is a power of 65537 too.
fn has_fingerprint(remainders: &[u32]) -> bool {
    PRIMES.iter().zip(remainders).all(|(&prime, &remainder)| is_power_of_65537(remainder, prime))
}

/// Returns whether the two primes are so close that Fermat's method finds them at once, as in keys of printers of 2022
/// (CVE-2022-26320): `n = a^2 - b^2` for some `a` just above the root of `n`.
fn has_close_primes(modulus: &[u8], of_modulus: &[u32]) -> bool {
    // One word more than the modulus has, because squares are computed that are larger than it.
    let modulus = BoxedUint::from_be_slice_vartime(&[&[0; 8][..], modulus].concat());
    let mut root = modulus.clone();
    let is_square = root.floor_sqrt_assign_vartime();
    let of_root: Vec<u32> = remainders(&root.to_be_bytes()).take(SIEVE).collect();
    let may_be_square = |round: u32| {
        let of_both = of_root.iter().zip(of_modulus);
        PRIMES.iter().zip(&SQUARES).zip(of_both).all(|((&prime, squares), (root, modulus))| {
            // No sum and no square of numbers below 1,000 overflows.
            let a = root.wrapping_add(round);
            let difference = a.wrapping_mul(a).wrapping_add(prime.get()).wrapping_sub(*modulus);
            squares >> (difference % prime) & 1 == 1
        })
    };
    is_square
        || (1..=ROUNDS).filter(|&round| may_be_square(round)).any(|round| {
            let a = root.wrapping_add(BoxedUint::from(round));
            a.wrapping_square().wrapping_sub(&modulus).checked_sqrt_vartime().is_some()
        })
}

/// The primes from 3 to [`LARGEST`].
const PRIMES: [NonZero<u32>; 125] = primes();

#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "only the compiler runs it, and a panic there is an error"
)]
const fn primes() -> [NonZero<u32>; 125] {
    let (mut primes, mut count, mut number) = ([NonZero::<u32>::MIN; 125], 0, 3);
    while number <= LARGEST {
        let mut divisor = 3;
        while divisor * divisor <= number && number % divisor != 0 {
            divisor += 2;
        }
        if divisor * divisor > number
            && let Some(prime) = NonZero::new(number)
        {
            primes[count] = prime;
            count += 1;
        }
        number += 2;
    }
    primes
}

/// For each of the first primes, a number in which the bits of its squares are set.
const SQUARES: [u64; SIEVE] = squares();

#[expect(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "only the compiler runs it, and a panic there is an error"
)]
const fn squares() -> [u64; SIEVE] {
    let (mut squares, mut place) = ([0; SIEVE], 0);
    while place < SIEVE {
        let (prime, mut root) = (PRIMES[place].get(), 0);
        while root < prime {
            squares[place] |= 1 << (root * root % prime);
            root += 1;
        }
        place += 1;
    }
    squares
}

/// How many digits to the base 2^64 are summed up before a division.
const BLOCK: usize = 8;

/// Neighbours in [`PRIMES`], of which one division serves all.
#[derive(Clone, Copy)]
struct Group {
    /// The product of the primes. It is below 2^56, so the sum of nine digits, each times a power modulo the product, is below
    /// 2^128.
    product: NonZero<u128>,
    /// How many primes the group has.
    primes: usize,
    /// The powers of 2^64 modulo the product, for the digits of a block.
    powers: [u64; BLOCK],
    /// The power after them, for all that is higher than a block.
    block: u64,
}

/// All of [`PRIMES`].
const GROUPS: [Group; 20] = groups();

#[expect(
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::indexing_slicing,
    reason = "only the compiler runs it, and a panic there is an error"
)]
const fn groups() -> [Group; 20] {
    let mut groups = [Group { product: NonZero::<u128>::MIN, primes: 0, powers: [0; BLOCK], block: 0 }; 20];
    let (mut place, mut taken) = (0, 0);
    while place < groups.len() {
        let (mut product, mut primes) = (1, 0);
        while taken < PRIMES.len() && product * (PRIMES[taken].get() as u128) < 1 << 56 {
            product *= PRIMES[taken].get() as u128;
            taken += 1;
            primes += 1;
        }
        let (mut powers, mut digit, mut power) = ([0; BLOCK], 0, 1);
        while digit < BLOCK {
            powers[digit] = power as u64;
            power = (power << 64) % product;
            digit += 1;
        }
        if let Some(product) = NonZero::new(product) {
            groups[place] = Group { product, primes, powers, block: power as u64 };
        }
        place += 1;
    }
    assert!(taken == PRIMES.len(), "there are as many groups as the primes need");
    groups
}

/// Returns the remainder of a big-endian number for each of [`PRIMES`].
fn remainders(number: &[u8]) -> impl Iterator<Item = u32> {
    let digits: Vec<u64> = number.rchunks(8).map(digit).collect();
    let of_groups =
        GROUPS.iter().flat_map(move |group| iter::repeat_n(group.remainder(&digits), group.primes));
    // A remainder is below the prime.
    PRIMES
        .iter()
        .zip(of_groups)
        .map(|(&prime, of_group)| u32::try_from(of_group % NonZero::<u64>::from(prime)).unwrap_or_default())
}

impl Group {
    /// Returns the remainder of a number for the product. Takes its digits to the base 2^64, the lowest first.
    fn remainder(&self, digits: &[u64]) -> u64 {
        digits.chunks(BLOCK).rfold(0, |higher, block| {
            let product = |digit: u64, power: u64| u128::from(digit).wrapping_mul(power.into());
            // Only the highest block may be short, and nothing is above it.
            let sum =
                block.iter().zip(&self.powers).fold(product(higher, self.block), |sum, (&digit, &power)| {
                    sum.wrapping_add(product(digit, power))
                });
            u64::try_from(sum % self.product).unwrap_or_default()
        })
    }
}

fn digit(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |digit, &byte| digit << 8 | u64::from(byte))
}

fn is_power_of_65537(value: u32, prime: NonZero<u32>) -> bool {
    let next = |power: u32| (power << 16).wrapping_add(power) % prime;
    // The powers form a cycle that begins with 1.
    let after_one = iter::successors(Some(next(1)), |&power| Some(next(power)));
    value == 1 || after_one.take_while(|&power| power != 1).any(|power| power == value)
}
