//! RSA keys that verify. The arithmetic is the crate `crypto-bigint`'s; nothing of it shows outside this file.

use crate::error::{KeyError, SignatureError};
use crate::key::pem::{self, Wanted};
use crate::key::rsa::{self, Exponent, PublicNumbers, Rs256, RsaAlgorithm, read_public_keys};
use crate::key::{Identity, VerifyKey, identified};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec;
use core::marker::PhantomData;
use core::num::NonZero;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, MontyForm, MontyMultiplier, Odd};
use sha2::digest::Digest;

/// Multiplies in a buffer of its own, so that a power takes one allocation and not one for each product.
type Multiplier<'a> = <BoxedMontyForm as MontyForm>::Multiplier<'a>;

/// A public key that verifies RS256 tokens. See [`RsaVerifyingKey`].
pub type Rs256VerifyingKey = RsaVerifyingKey<Rs256>;

/// An RSA public key of 2048 to 8192 bits, parsed, checked and precomputed once.
///
/// # Examples
///
/// ```no_run
/// use countersign::Rs256VerifyingKey;
///
/// let pem = std::fs::read_to_string("public.pem")?;
/// let key = Rs256VerifyingKey::from_pem(&pem)?.with_key_id("2026-11")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What is wrong with a file is said here, before any token is looked at:
///
/// ```
/// use countersign::{KeyError, PemMistake, Rs256VerifyingKey};
///
/// let error = Rs256VerifyingKey::from_pem("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n").unwrap_err();
/// assert_eq!(error, KeyError::Pem(PemMistake::Certificate));
/// ```
#[derive(Clone)]
pub struct RsaVerifyingKey<A: RsaAlgorithm> {
    modulus: BoxedMontyParams,
    exponent: NonZero<u64>,
    before_hash: Box<[u8]>,
    identity: Identity,
    algorithm: PhantomData<A>,
}

impl<A: RsaAlgorithm> RsaVerifyingKey<A> {
    /// The key as SPKI PEM text.
    ///
    /// # Errors
    ///
    /// [`KeyError::MalformedKey`] if it cannot be encoded; no key made here is known to do that.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        let (modulus, exponent) = (self.modulus.modulus().to_be_bytes(), self.exponent.get().to_be_bytes());
        let spki = rsa::to_spki(&modulus, &exponent).map_err(|_| KeyError::MalformedKey)?;
        pem::encode("PUBLIC KEY", &spki)
    }

    pub(crate) fn new(numbers: PublicNumbers<'_>) -> Result<Self, KeyError> {
        let before_hash = before_hash::<A>(numbers.modulus().len()).ok_or(KeyError::MalformedKey)?;
        let modulus = Odd::new(BoxedUint::from_be_slice_vartime(numbers.modulus()));
        let modulus = modulus.into_option().ok_or(KeyError::MalformedKey)?;
        Ok(Self {
            modulus: BoxedMontyParams::new_vartime(modulus),
            exponent: numbers.exponent(),
            before_hash,
            identity: Identity::new(A::ALGORITHM),
            algorithm: PhantomData,
        })
    }

    /// The same key under the name of another.
    #[cfg(feature = "rsa")]
    pub(crate) fn with_identity(self, identity: Identity) -> Self {
        Self { identity, ..self }
    }

    /// The message that `signature` stands for (RFC 8017 section 5.2.2), with any number of zeros before it.
    ///
    /// Signature and key are public, so how long this takes may depend on them.
    fn message(&self, signature: &[u8]) -> Option<Box<[u8]>> {
        let signature = BoxedUint::from_be_slice(signature, self.modulus.bits_precision()).ok()?;
        // A number above the modulus would be a second signature of the same message.
        if &signature >= self.modulus.modulus() {
            return None;
        }
        let base = BoxedMontyForm::new(signature, &self.modulus);
        let mut power = base.clone();
        let mut multiplier = Multiplier::from(&self.modulus);
        // Square and multiply, from the bit below the topmost. The exponent 65537 takes 17 products so; a window
        // of bits, as for secret exponents, would take twice as many.
        for bit in (0..self.exponent.ilog2()).rev() {
            multiplier.square_assign(&mut power);
            if self.exponent.get().unbounded_shr(bit) % 2 == 1 {
                multiplier.mul_assign(&mut power, &base);
            }
        }
        Some(power.retrieve().to_be_bytes())
    }
}

/// The encoded message of RFC 8017 section 9.2, of as many bytes as the modulus, up to the hash. At 2048 bits there are
/// 202 bytes of padding; the RFC asks for 8.
fn before_hash<A: RsaAlgorithm>(modulus_bytes: usize) -> Option<Box<[u8]>> {
    let hash_bytes = <A::Hash as Digest>::output_size();
    let not_padding = hash_bytes.checked_add(A::DIGEST_INFO.len())?.checked_add(3)?;
    let padding = modulus_bytes.checked_sub(not_padding)?;
    Some([&[0, 1][..], &vec![0xff; padding], &[0], A::DIGEST_INFO].concat().into_boxed_slice())
}

identified!(RsaVerifyingKey<A: RsaAlgorithm>);
read_public_keys!(RsaVerifyingKey<A: RsaAlgorithm>);

impl<A: RsaAlgorithm> VerifyKey for RsaVerifyingKey<A> {
    fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let hash = <A::Hash as Digest>::digest(input);
        let length = self.before_hash.len().saturating_add(hash.len());
        // RFC 8017 section 8.2.2 step 1: exactly as long as the modulus.
        if signature.len() != length {
            return Err(SignatureError::Invalid);
        }
        let message = self.message(signature).ok_or(SignatureError::Invalid)?;
        // Step 4: the whole encoded message is built and compared. Nothing of what the signature holds is read, so
        // there is nothing that could be read in two ways.
        let (zeros, encoded) =
            message.split_at_checked(message.len().saturating_sub(length)).unwrap_or_default();
        let (before_hash, rest) = encoded.split_at_checked(self.before_hash.len()).unwrap_or_default();
        let equal =
            zeros.iter().all(|byte| *byte == 0) && before_hash == &*self.before_hash && rest == &*hash;
        if equal { Ok(()) } else { Err(SignatureError::Invalid) }
    }
}
