//! RSA keys that verify. The arithmetic is the crate `crypto-bigint`'s; nothing of it shows outside this file.

use crate::algorithm::Algorithm;
use crate::error::{KeyError, SignatureError};
use crate::key::material::PublicKey;
use crate::key::rsa::PublicNumbers;
use crate::key::{CheckSignature, VerifyingKey};
use alloc::boxed::Box;
use alloc::vec;
use core::num::NonZero;
use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, MontyForm, MontyMultiplier, Odd};
use sha2::{Digest, Sha256};

/// Multiplies in a buffer of its own, so that a power takes one allocation and not one for each product.
type Multiplier<'a> = <BoxedMontyForm as MontyForm>::Multiplier<'a>;

impl PublicKey {
    /// Makes a key that verifies RS256 tokens.
    ///
    /// # Errors
    ///
    /// [`KeyError::Exponent`] for another exponent than 65537, unless [`any_exponent`](Self::any_exponent) allows it.
    pub fn rs256(&self) -> Result<VerifyingKey, KeyError> {
        self.verifying_key(Algorithm::Rs256)
    }

    /// Makes a key that verifies tokens of an algorithm that is chosen at run time.
    ///
    /// # Errors
    ///
    /// [`KeyError::WrongKeyType`] for an algorithm that needs another type of key; else as [`rs256`](Self::rs256).
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{Algorithm, KeyError, PublicKey};
    ///
    /// # use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    /// # let modulus = BASE64_URL_SAFE_NO_PAD.decode("0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw").unwrap();
    /// let public = PublicKey::from_modulus_and_exponent(&modulus, &[1, 0, 1])?;
    /// assert!(public.verifying_key("RS256".parse()?).is_ok());
    /// assert_eq!(public.verifying_key(Algorithm::Hs256).unwrap_err(), KeyError::WrongKeyType);
    /// # Ok::<(), KeyError>(())
    /// ```
    pub fn verifying_key(&self, algorithm: Algorithm) -> Result<VerifyingKey, KeyError> {
        let verifier = match algorithm {
            Algorithm::Rs256 => RsaVerifier::new(self.rsa()?)?,
            _ => return Err(KeyError::WrongKeyType),
        };
        Ok(VerifyingKey::new(algorithm, self, verifier))
    }
}

/// The DigestInfo of SHA-256: RFC 8017 section 9.2, note 1.
const SHA256_INFO: &[u8] = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";

/// An RSA public key, precomputed, for RSASSA-PKCS1-v1_5 with SHA-256.
struct RsaVerifier {
    modulus: BoxedMontyParams,
    exponent: NonZero<u64>,
    before_hash: Box<[u8]>,
}

impl RsaVerifier {
    fn new(numbers: &PublicNumbers) -> Result<Self, KeyError> {
        let before_hash = before_hash(numbers.modulus().len()).ok_or(KeyError::MalformedKey)?;
        let modulus = Odd::new(BoxedUint::from_be_slice_vartime(numbers.modulus()));
        let modulus = modulus.into_option().ok_or(KeyError::MalformedKey)?;
        Ok(Self {
            modulus: BoxedMontyParams::new_vartime(modulus),
            exponent: numbers.exponent(),
            before_hash,
        })
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
fn before_hash(modulus_bytes: usize) -> Option<Box<[u8]>> {
    let hash_bytes = <Sha256 as Digest>::output_size();
    let not_padding = hash_bytes.checked_add(SHA256_INFO.len())?.checked_add(3)?;
    let padding = modulus_bytes.checked_sub(not_padding)?;
    Some([&[0, 1][..], &vec![0xff; padding], &[0], SHA256_INFO].concat().into_boxed_slice())
}

impl CheckSignature for RsaVerifier {
    fn check(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let hash = Sha256::digest(input);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithm::ALL;
    use crate::key::rsa::MODULUS;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    /// As long as RSA is the only other family.
    #[test]
    fn every_algorithm_of_rsa_has_a_key_and_no_hmac_has() {
        let modulus = URL_SAFE_NO_PAD.decode(MODULUS).unwrap();
        let public = PublicKey::from_modulus_and_exponent(&modulus, &[1, 0, 1]).unwrap();
        for algorithm in ALL.iter().copied() {
            assert_eq!(public.verifying_key(algorithm).is_ok(), !algorithm.is_hmac(), "{algorithm}");
        }
    }
}
