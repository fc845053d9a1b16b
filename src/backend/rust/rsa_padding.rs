//! The two ways in which RSA signatures hold a hash: EMSA-PKCS1-v1_5 and EMSA-PSS (RFC 8017 sections 9.2 and 9.1).
//!
//! All values here are public, so the running time may depend on them.

#[cfg(feature = "rsa")]
use crate::error::SignError;
#[cfg(feature = "rsa")]
use crate::key::entropy::Entropy;
use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;
use core::marker::PhantomData;
use sha2::digest::Output;
use sha2::{Digest, Sha256, Sha384, Sha512};

/// A hash, with the DigestInfo that comes before its output in PKCS#1 v1.5 (RFC 8017 section 9.2, note 1).
pub(super) trait Hash: Digest + Send + Sync {
    const DIGEST_INFO: &'static [u8];
}

impl Hash for Sha256 {
    const DIGEST_INFO: &'static [u8] =
        b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
}

impl Hash for Sha384 {
    const DIGEST_INFO: &'static [u8] =
        b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30";
}

impl Hash for Sha512 {
    const DIGEST_INFO: &'static [u8] =
        b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40";
}

/// Checks the encoded message that a signature holds.
pub(super) trait Padding: Send + Sync + Sized {
    /// Prepares checks for a modulus of this many bits. `None` if it is too short for the hash.
    fn new(modulus_bits: usize) -> Option<Self>;

    /// Returns whether `encoded`, as long as the modulus, is an encoding of `input`.
    fn holds(&self, encoded: &[u8], input: &[u8]) -> bool;
}

/// Makes the encoded message of a signature.
#[cfg(feature = "rsa")]
pub(super) trait Encode: Padding {
    /// Encodes `input`, with a salt from `entropy` if this padding has one. The result may be a byte shorter than the modulus.
    fn encode(&self, input: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, SignError>;
}

/// EMSA-PKCS1-v1_5 with the hash `H`.
pub(super) struct Pkcs1<H> {
    /// The encoded message up to the hash.
    before_hash: Box<[u8]>,
    hash: PhantomData<H>,
}

impl<H: Hash> Padding for Pkcs1<H> {
    fn new(modulus_bits: usize) -> Option<Self> {
        let not_padding = <H as Digest>::output_size().checked_add(H::DIGEST_INFO.len())?.checked_add(3)?;
        // At 2048 bits and SHA-256 there are 202 bytes of padding; the RFC asks for 8.
        let padding = modulus_bits.div_ceil(8).checked_sub(not_padding)?;
        let before_hash = [&[0, 1][..], &vec![0xff; padding], &[0], H::DIGEST_INFO].concat();
        Some(Self { before_hash: before_hash.into_boxed_slice(), hash: PhantomData })
    }

    /// Builds the whole encoded message and compares it with `encoded` (RFC 8017 section 8.2.2 step 4). It does not parse
    /// `encoded`, so there are no two ways to read it.
    fn holds(&self, encoded: &[u8], input: &[u8]) -> bool {
        let (before_hash, hash) = encoded.split_at_checked(self.before_hash.len()).unwrap_or_default();
        before_hash == &*self.before_hash && hash == &*H::digest(input)
    }
}

#[cfg(feature = "rsa")]
impl<H: Hash> Encode for Pkcs1<H> {
    /// Does EMSA-PKCS1-v1_5-ENCODE, RFC 8017 section 9.2.
    fn encode(&self, input: &[u8], _: &dyn Entropy) -> Result<Vec<u8>, SignError> {
        Ok([&*self.before_hash, &*H::digest(input)].concat())
    }
}

/// EMSA-PSS with the hash `H` and a salt as long as its output, which RFC 7518 section 3.5 asks for.
pub(super) struct Pss<H> {
    /// The bits of the encoded message: one fewer than the modulus has.
    bits: usize,
    hash: PhantomData<H>,
}

impl<H: Hash> Padding for Pss<H> {
    fn new(modulus_bits: usize) -> Option<Self> {
        let bits = modulus_bits.checked_sub(1)?;
        // Step 3: hash, salt and two bytes more.
        let shortest = <H as Digest>::output_size().checked_mul(2)?.checked_add(2)?;
        (bits.div_ceil(8) >= shortest).then_some(Self { bits, hash: PhantomData })
    }

    fn holds(&self, encoded: &[u8], input: &[u8]) -> bool {
        self.check(encoded, input).is_some()
    }
}

#[cfg(feature = "rsa")]
impl<H: Hash> Encode for Pss<H> {
    fn encode(&self, input: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, SignError> {
        // 4: the salt, as long as the hash.
        let mut salt = H::digest(input);
        entropy.fill(&mut salt).map_err(|_| SignError::Entropy)?;
        self.encode_with(input, &salt).ok_or(SignError::SigningFailed)
    }
}

#[cfg(feature = "rsa")]
impl<H: Hash> Pss<H> {
    /// Does EMSA-PSS-ENCODE, RFC 8017 section 9.1.1. The numbers are those of its steps.
    fn encode_with(&self, input: &[u8], salt: &[u8]) -> Option<Vec<u8>> {
        // 5 and 6
        let hash = salted_hash::<H>(input, salt);
        // 7 and 8: the padding, 1 and the salt are as long as the message without the hash and the last byte.
        let not_padding = hash.len().checked_add(salt.len())?.checked_add(2)?;
        let padding = self.bits.div_ceil(8).checked_sub(not_padding)?;
        let block = [&vec![0; padding][..], &[1], salt].concat();
        // 9 to 11
        let mut encoded: Vec<u8> =
            block.iter().zip(mask::<H>(&hash)).map(|(byte, mask)| byte ^ mask).collect();
        *encoded.first_mut()? &= self.used_bits()?;
        // 12
        encoded.extend_from_slice(&hash);
        encoded.push(0xbc);
        Some(encoded)
    }
}

impl<H: Hash> Pss<H> {
    /// Returns a mask of the bits that the first byte of the encoded message has.
    fn used_bits(&self) -> Option<u8> {
        let unused = self.bits.div_ceil(8).checked_mul(8)?.checked_sub(self.bits)?;
        Some(0xff_u8.unbounded_shr(u32::try_from(unused).ok()?))
    }

    /// Does EMSA-PSS-VERIFY, RFC 8017 section 9.1.2. The numbers are those of its steps.
    fn check(&self, encoded: &[u8], input: &[u8]) -> Option<()> {
        let hash_bytes = <H as Digest>::output_size();
        // If the modulus has 8n+1 bits, the encoded message is one byte shorter, and the byte before it is zero.
        let (zeros, encoded) = encoded.split_at_checked(encoded.len().checked_sub(self.bits.div_ceil(8))?)?;
        // 4 and 5
        let (&0xbc, encoded) = encoded.split_last()? else { return None };
        let (masked, hash) = encoded.split_at_checked(encoded.len().checked_sub(hash_bytes)?)?;
        // 6: the bits of the first byte that the encoded message does not have.
        let used = self.used_bits()?;
        if zeros.iter().any(|byte| *byte != 0) || masked.first()? & !used != 0 {
            return None;
        }
        // 7 to 9
        let mut block: Vec<u8> =
            masked.iter().zip(mask::<H>(hash)).map(|(masked, mask)| masked ^ mask).collect();
        *block.first_mut()? &= used;
        // 10 and 11
        let (padding, salt) = block.split_at_checked(block.len().checked_sub(hash_bytes)?)?;
        let (&1, zeros) = padding.split_last()? else { return None };
        if zeros.iter().any(|byte| *byte != 0) {
            return None;
        }
        // 12 to 14
        (*salted_hash::<H>(input, salt) == *hash).then_some(())
    }
}

/// Returns the hash in an encoded message: RFC 8017 section 9.1.1, steps 5 and 6.
fn salted_hash<H: Hash>(input: &[u8], salt: &[u8]) -> Output<H> {
    H::new().chain_update([0; 8]).chain_update(H::digest(input)).chain_update(salt).finalize()
}

/// Returns the bytes of MGF1, RFC 8017 appendix B.2.1.
fn mask<H: Hash>(seed: &[u8]) -> impl Iterator<Item = u8> {
    (0..=u32::MAX)
        .flat_map(move |counter| H::new().chain_update(seed).chain_update(counter.to_be_bytes()).finalize())
}
