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
    low_word(modulus) & 1 == 0 || remainders(modulus).any(|(_, remainder)| remainder == 0)
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
    let sieves = SIEVES.map(|sieve| {
        let [root, modulus] = [&root, modulus].map(|number| {
            // It is below the product, which has at most 28 bits.
            u32::try_from(remainder(number, sieve.product.into())).unwrap_or_default()
        });
        (sieve, root, modulus)
    });
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
    product: NonZero<u32>,
    /// Each prime, and a number in which the bits of its squares are set.
    primes: [(NonZero<u32>, u64); 5],
}

/// They let two in 10,000 numbers pass.
const SIEVES: [Sieve; 3] =
    [Sieve::of([3, 5, 7, 11, 13]), Sieve::of([17, 19, 23, 29, 31]), Sieve::of([37, 41, 43, 47, 53])];

impl Sieve {
    #[expect(
        clippy::arithmetic_side_effects,
        clippy::indexing_slicing,
        reason = "only the compiler runs it, and a panic there is an error"
    )]
    const fn of(numbers: [u32; 5]) -> Self {
        let (mut product, mut primes, mut place) = (1_u32, [(NonZero::<u32>::MIN, 0); 5], 0);
        while place < numbers.len() {
            let prime = numbers[place];
            let (mut squares, mut root) = (0_u64, 0);
            while root < prime {
                squares |= 1 << (root * root % prime);
                root += 1;
            }
            product *= prime;
            if let Some(prime) = NonZero::new(prime) {
                primes[place] = (prime, squares);
            }
            place += 1;
        }
        match NonZero::new(product) {
            Some(product) => Self { product, primes },
            None => Self { product: NonZero::<u32>::MIN, primes },
        }
    }

    /// Returns whether `(root + round)^2 - modulus` is a square modulo each of the primes. Takes the remainders of both.
    fn may_be_square(&self, root: u32, round: u32, modulus: u32) -> bool {
        let product = NonZero::<u64>::from(self.product);
        // No sum and no square below 2^57 overflows.
        let a = u64::from(root).wrapping_add(round.into()) % product;
        let difference = a.wrapping_mul(a).wrapping_add(product.get()).wrapping_sub(modulus.into());
        let is_square = |prime: NonZero<u32>, squares: u64| {
            squares >> (difference % NonZero::<u64>::from(prime)) & 1 == 1
        };
        self.primes.iter().all(|(prime, squares)| is_square(*prime, *squares))
    }
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

/// Returns each of [`PRIMES`] with the remainder of the number.
fn remainders(number: &BoxedUint) -> impl Iterator<Item = (NonZero<Word>, Word)> {
    // One long division serves as many primes as have a product that fits into a word.
    let (mut of_product, mut end) = (0, 0);
    PRIMES.iter().enumerate().map(move |(place, &prime)| {
        if place == end {
            let mut product = NonZero::<Word>::MIN;
            while let Some(larger) = PRIMES.get(end).and_then(|&prime| product.checked_mul(prime.into())) {
                product = larger;
                end = end.saturating_add(1);
            }
            of_product = remainder(number, product);
        }
        let prime = NonZero::<Word>::from(prime);
        (prime, of_product % prime)
    })
}

fn remainder(number: &BoxedUint, divisor: NonZero<Word>) -> Word {
    number.rem_limb(divisor.into()).0
}

fn low_word(number: &BoxedUint) -> Word {
    number.as_words().first().copied().unwrap_or_default()
}

fn is_power_of_65537(value: Word, prime: NonZero<Word>) -> bool {
    let next = |power: Word| (power << 16).wrapping_add(power) % prime;
    // The powers form a cycle that begins with 1.
    let after_one = core::iter::successors(Some(next(1)), |&power| Some(next(power)));
    value == 1 || after_one.take_while(|&power| power != 1).any(|power| power == value)
}
