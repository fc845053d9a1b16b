//! RSA keys that verify. The crate `crypto-bigint` does the arithmetic. None of its types is visible outside this file.

use crate::algorithm::Algorithm;
use crate::backend::rust::rsa_padding::{Padding, Pkcs1, Pss};
use crate::error::{KeyError, SignatureError};
use crate::key::material::PublicKey;
use crate::key::rsa::PublicNumbers;
use crate::key::{CheckSignature, VerifyingKey};
use alloc::boxed::Box;
use core::num::NonZero;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, MontyForm, MontyMultiplier, Odd};
use sha2::{Sha256, Sha384, Sha512};

/// Multiplies in its own buffer, so that a power takes one allocation and not one for each product.
pub(super) type Multiplier<'a> = <BoxedMontyForm as MontyForm>::Multiplier<'a>;

/// Writes the method of each algorithm. A program that calls one links the code of its hash and its padding only.
macro_rules! algorithms {
    ($($method:ident, $variant:ident, $name:literal, $padding:ty, $doc:literal;)*) => {
        impl PublicKey {
            $(
                #[doc = concat!("Makes a key that verifies ", $name, " tokens: ", $doc)]
                ///
                /// # Errors
                ///
                /// - [`KeyError::Exponent`] for another exponent than 65537, unless [`any_exponent`](Self::any_exponent)
                ///   allows it.
                /// - [`KeyError::RestrictedKey`] if the file of the key does not allow the algorithm.
                pub fn $method(&self) -> Result<VerifyingKey, KeyError> {
                    self.verifying::<$padding>(Algorithm::$variant)
                }
            )*

            /// Makes a key by the same methods, chosen at run time.
            pub(super) fn rsa_by_algorithm(&self, algorithm: Algorithm) -> Result<VerifyingKey, KeyError> {
                match algorithm {
                    $(Algorithm::$variant => self.$method(),)*
                    _ => Err(self.wrong_type(algorithm)),
                }
            }
        }
    };
}

algorithms! {
    rs256, Rs256, "RS256", Pkcs1<Sha256>, "RSASSA-PKCS1-v1_5 with SHA-256.";
    rs384, Rs384, "RS384", Pkcs1<Sha384>, "RSASSA-PKCS1-v1_5 with SHA-384.";
    rs512, Rs512, "RS512", Pkcs1<Sha512>, "RSASSA-PKCS1-v1_5 with SHA-512.";
    ps256, Ps256, "PS256", Pss<Sha256>, "RSASSA-PSS with SHA-256 and a salt of 32 bytes.";
    ps384, Ps384, "PS384", Pss<Sha384>, "RSASSA-PSS with SHA-384 and a salt of 48 bytes.";
    ps512, Ps512, "PS512", Pss<Sha512>, "RSASSA-PSS with SHA-512 and a salt of 64 bytes.";
}

impl PublicKey {
    fn verifying<P: Padding + 'static>(&self, algorithm: Algorithm) -> Result<VerifyingKey, KeyError> {
        Ok(VerifyingKey::new(algorithm, self, RsaVerifier::<P>::new(self.rsa(algorithm)?)?))
    }
}

/// An RSA public key, precomputed, for signatures with the padding `P`.
pub(super) struct RsaVerifier<P> {
    modulus: BoxedMontyParams,
    exponent: NonZero<u64>,
    modulus_bytes: usize,
    padding: P,
}

impl<P: Padding> RsaVerifier<P> {
    pub(super) fn new(numbers: &PublicNumbers) -> Result<Self, KeyError> {
        let modulus = Odd::new(BoxedUint::from_be_slice_vartime(numbers.modulus()));
        let modulus = modulus.into_option().ok_or(KeyError::MalformedKey)?;
        let bits = usize::try_from(modulus.bit_width_vartime()).map_err(|_| KeyError::MalformedKey)?;
        Ok(Self {
            modulus: BoxedMontyParams::new_vartime(modulus),
            exponent: numbers.exponent(),
            modulus_bytes: numbers.modulus().len(),
            padding: P::new(bits).ok_or(KeyError::MalformedKey)?,
        })
    }

    /// Computes the message representative of `signature` (RFC 8017 section 5.2.2), with any number of leading zeros.
    ///
    /// The signature and the key are public, so the running time may depend on them.
    fn message(&self, signature: &[u8]) -> Option<Box<[u8]>> {
        let signature = BoxedUint::from_be_slice(signature, self.modulus.bits_precision()).ok()?;
        // A number above the modulus would be a second signature of the same message.
        if &signature >= self.modulus.modulus() {
            return None;
        }
        Some(power(&BoxedMontyForm::new(signature, &self.modulus), self.exponent).retrieve().to_be_bytes())
    }

    /// Returns the numbers of the key: what the arithmetic modulo n needs, and the public exponent.
    #[cfg(feature = "rsa")]
    pub(super) const fn numbers(&self) -> (&BoxedMontyParams, NonZero<u64>) {
        (&self.modulus, self.exponent)
    }

    /// Returns the length of the modulus.
    #[cfg(feature = "rsa")]
    pub(super) const fn modulus_bytes(&self) -> usize {
        self.modulus_bytes
    }

    #[cfg(feature = "rsa")]
    pub(super) const fn padding(&self) -> &P {
        &self.padding
    }
}

/// Raises `base` to the power of a public exponent. The running time depends on the exponent alone.
pub(super) fn power(base: &BoxedMontyForm, exponent: NonZero<u64>) -> BoxedMontyForm {
    let mut power = base.clone();
    let mut multiplier = Multiplier::from(base.params());
    // Square and multiply, from the bit below the topmost. The exponent 65537 takes 17 products this way; a window of bits, as
    // for secret exponents, would take twice as many.
    for bit in (0..exponent.ilog2()).rev() {
        multiplier.square_assign(&mut power);
        if exponent.get().unbounded_shr(bit) % 2 == 1 {
            multiplier.mul_assign(&mut power, base);
        }
    }
    power
}

impl<P: Padding> CheckSignature for RsaVerifier<P> {
    fn check(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        // RFC 8017 sections 8.1.2 and 8.2.2 step 1: exactly as long as the modulus.
        if signature.len() != self.modulus_bytes {
            return Err(SignatureError::Invalid);
        }
        let message = self.message(signature).ok_or(SignatureError::Invalid)?;
        let before = message.len().saturating_sub(self.modulus_bytes);
        let (zeros, encoded) = message.split_at_checked(before).unwrap_or_default();
        let valid = zeros.iter().all(|byte| *byte == 0) && self.padding.holds(encoded, input);
        if valid { Ok(()) } else { Err(SignatureError::Invalid) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::ALL;
    use crate::key::rsa::MODULUS;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    #[test]
    fn every_algorithm_of_rsa_has_a_key_and_no_other_has() {
        let modulus = URL_SAFE_NO_PAD.decode(MODULUS).unwrap();
        let public = PublicKey::from_modulus_and_exponent(&modulus, &[1, 0, 1]).unwrap();
        for algorithm in ALL.iter().copied() {
            assert_eq!(public.verifying_key(algorithm).is_ok(), algorithm.is_rsa(), "{algorithm}");
        }
    }
}
