//! Blinds the private operation of RSA, so that the numbers in it differ from those that an attacker knows
//! ([P. Kocher, CRYPTO 1996](https://doi.org/10.1007/3-540-68697-5_9), section 10).
//!
//! The crate `rsa` would draw a new pair of factors for each signature, which takes as long as the signature itself. A pair here
//! is squared and used again, as `BN_BLINDING` of OpenSSL and `bn_blinding` of BoringSSL do.

#[cfg(feature = "std")]
use crate::backend::rust::rsa_verify::{Multiplier, power};
use crate::error::SignError;
use crate::key::entropy::Entropy;
use chacha20::ChaCha20Rng;
use core::num::NonZero;
use crypto_bigint::BoxedUint;
#[cfg(feature = "std")]
use crypto_bigint::modular::BoxedMontyForm;
use crypto_bigint::modular::BoxedMontyParams;
#[cfg(feature = "std")]
use crypto_bigint::{MontyMultiplier, RandomMod};
use rsa::hazmat::rsa_decrypt;
use rsa::rand_core::SeedableRng;
#[cfg(feature = "std")]
use std::sync::{Mutex, MutexGuard, PoisonError};
use zeroize::Zeroizing;

/// How many signatures a pair of factors blinds, as in OpenSSL and BoringSSL.
#[cfg(feature = "std")]
const USES: u32 = 32;

/// How many random numbers may have no inverse in a row. One that has none is a multiple of a prime of the key, so none is ever met.
#[cfg(feature = "std")]
const TRIES: u32 = 4;

/// A public key: what the arithmetic modulo n needs, and the exponent.
type Public<'a> = (&'a BoxedMontyParams, NonZero<u64>);

/// The blinding of one key.
#[derive(Default)]
pub(super) struct Blinding {
    /// The pair for the next signature, and how many signatures it may still blind.
    #[cfg(feature = "std")]
    next: Mutex<Option<(Pair, u32)>>,
}

impl Blinding {
    /// Computes `message`^d mod n. The result is not checked.
    #[cfg(feature = "std")]
    pub(super) fn apply(
        &self,
        public: Public<'_>,
        private: &rsa::PrivateKey,
        message: &BoxedUint,
        entropy: &dyn Entropy,
    ) -> Result<BoxedUint, SignError> {
        let (modulus, _) = public;
        let pair = self.pair(public, entropy)?;
        let mut number = Zeroizing::new(BoxedMontyForm::new(message.clone(), modulus));
        Multiplier::from(modulus).mul_assign(&mut number, &pair.blinding);
        let blinded = Zeroizing::new(number.retrieve());
        // With a source of randomness it would blind again.
        let power =
            rsa_decrypt(None::<&mut ChaCha20Rng>, private, &blinded).map_err(|_| SignError::SigningFailed)?;
        *number = BoxedMontyForm::new(power, modulus);
        Multiplier::from(modulus).mul_assign(&mut number, &pair.unblinding);
        Ok(number.retrieve())
    }

    /// Computes `message`^d mod n. The result is not checked. The crate `rsa` draws new factors for each signature.
    #[cfg(not(feature = "std"))]
    pub(super) fn apply(
        &self,
        _: Public<'_>,
        private: &rsa::PrivateKey,
        message: &BoxedUint,
        entropy: &dyn Entropy,
    ) -> Result<BoxedUint, SignError> {
        let mut random = random(entropy).ok_or(SignError::Entropy)?;
        rsa_decrypt(Some(&mut random), private, message).map_err(|_| SignError::SigningFailed)
    }
}

#[cfg(feature = "std")]
impl Blinding {
    /// Returns a pair that no other signature uses.
    fn pair(&self, public: Public<'_>, entropy: &dyn Entropy) -> Result<Pair, SignError> {
        if let Some(pair) = self.kept() {
            return Ok(pair);
        }
        // Not under the lock, because the caller's source of randomness may sign with this key, or take long.
        let pair = Pair::draw(public, entropy)?;
        let mut next = self.next();
        // Another thread may have been faster.
        if next.is_none() {
            *next = Some((pair.squared(), USES.saturating_sub(1)));
        }
        Ok(pair)
    }

    /// Returns the pair that is kept, and keeps its square. None if it has been used up.
    fn kept(&self) -> Option<Pair> {
        let mut next = self.next();
        let (pair, uses) = next.take()?;
        if let Some(uses @ 1..) = uses.checked_sub(1) {
            *next = Some((pair.squared(), uses));
        }
        Some(pair)
    }

    /// A thread that panics under the lock leaves a pair that is whole.
    fn next(&self) -> MutexGuard<'_, Option<(Pair, u32)>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Two factors modulo n: r^e and 1/r, for a random r.
#[cfg(feature = "std")]
struct Pair {
    blinding: Zeroizing<BoxedMontyForm>,
    unblinding: Zeroizing<BoxedMontyForm>,
}

#[cfg(feature = "std")]
impl Pair {
    fn draw((modulus, exponent): Public<'_>, entropy: &dyn Entropy) -> Result<Self, SignError> {
        let mut random = random(entropy).ok_or(SignError::Entropy)?;
        for _ in 0..TRIES {
            let number = BoxedUint::random_mod_vartime(&mut random, modulus.modulus().as_nz_ref());
            let factor = Zeroizing::new(BoxedMontyForm::new(number, modulus));
            if let Some(inverse) = factor.invert().into_option() {
                let blinding = Zeroizing::new(power(&factor, exponent));
                return Ok(Self { blinding, unblinding: Zeroizing::new(inverse) });
            }
        }
        Err(SignError::SigningFailed)
    }

    /// Returns the pair for r^2.
    fn squared(&self) -> Self {
        let mut multiplier = Multiplier::from(self.blinding.params());
        let mut square = |factor: &Zeroizing<BoxedMontyForm>| {
            let mut square = factor.clone();
            multiplier.square_assign(&mut square);
            square
        };
        Self { blinding: square(&self.blinding), unblinding: square(&self.unblinding) }
    }
}

/// Returns a generator seeded from `entropy`, or `None` if that fails.
pub(super) fn random(entropy: &(impl Entropy + ?Sized)) -> Option<ChaCha20Rng> {
    let mut seed = Zeroizing::new([0; 32]);
    entropy.fill(seed.as_mut_slice()).ok()?;
    Some(ChaCha20Rng::from_seed(*seed))
}

#[cfg(all(test, feature = "std"))]
mod tests {
    use super::*;
    use crate::error::EntropyError;
    use crate::key::rsa::MODULUS;
    use alloc::vec::Vec;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use crypto_bigint::Odd;

    struct Fixed;

    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            bytes.fill(0x5a);
            Ok(())
        }
    }

    #[test]
    fn each_signature_is_blinded_by_another_pair_of_r_to_the_e_and_1_by_r() {
        let modulus = BoxedUint::from_be_slice_vartime(&URL_SAFE_NO_PAD.decode(MODULUS).unwrap());
        let modulus = BoxedMontyParams::new_vartime(Odd::new(modulus).unwrap());
        let (blinding, exponent) = (Blinding::default(), NonZero::new(65_537).unwrap());
        let one = BoxedMontyForm::one(&modulus);
        let mut seen: Vec<BoxedMontyForm> = Vec::new();
        for _ in 0..USES {
            let pair = blinding.pair((&modulus, exponent), &Fixed).unwrap();
            assert!(pair.blinding.mul(&power(&pair.unblinding, exponent)) == one);
            assert!(*pair.blinding != one && !seen.contains(&pair.blinding));
            seen.push((*pair.blinding).clone());
        }
        // The pair after that is drawn anew, here from the same bytes.
        let pair = blinding.pair((&modulus, exponent), &Fixed).unwrap();
        assert!(*pair.blinding == seen[0]);
    }
}
