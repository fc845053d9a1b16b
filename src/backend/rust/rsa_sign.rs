//! RSA keys that sign, over the crate `rsa`, of which nothing shows outside this file.

use crate::algorithm::Algorithm;
use crate::error::{KeyError, SignError};
use crate::key::asn1;
use crate::key::entropy::Entropy;
use crate::key::material::PrivateKey;
use crate::key::rsa::{bit_length, check_bits};
use crate::key::signature::Signature;
use crate::key::{MakeSignature, SigningKey};
use alloc::sync::Arc;
use chacha20::ChaCha20Rng;
use pkcs8::der::asn1::UintRef;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use rsa::pkcs1v15;
use rsa::rand_core::SeedableRng;
use rsa::signature::{RandomizedSigner, SignatureEncoding};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

impl PrivateKey {
    /// Makes a key that signs RS256 tokens, with the operating system's randomness.
    ///
    /// # Security
    ///
    /// Every signature is blinded with fresh randomness and checked before it is returned. 32 bytes are drawn for each and
    /// expanded with ChaCha20, so a source that fails makes signing fail, and one that repeats itself cannot make it hang. The
    /// private numbers are wiped when the key is dropped; not every copy that the crate `rsa` makes of them is.
    ///
    /// The page on [keys](crate::manual::keys) says what RUSTSEC-2023-0071 means here. If an attacker can time your signing,
    /// sign in an HSM.
    ///
    /// # Errors
    ///
    /// - [`KeyError::MalformedKey`] if the private numbers do not belong to the public ones.
    /// - [`KeyError::UnequalPrimes`] if the primes have different lengths, which only `aws_lc::signing_key` supports.
    /// - [`KeyError::Exponent`] for another exponent than 65537, unless [`any_exponent`](Self::any_exponent) allows it.
    #[cfg(feature = "getrandom")]
    pub fn rs256(&self) -> Result<SigningKey, KeyError> {
        self.signing_key(Algorithm::Rs256)
    }

    /// Makes a key that signs RS256 tokens, with a source of randomness.
    ///
    /// # Errors
    ///
    /// As [`rs256`](Self::rs256).
    pub fn rs256_with(&self, entropy: impl Entropy + 'static) -> Result<SigningKey, KeyError> {
        self.signing_key_with(Algorithm::Rs256, entropy)
    }

    /// Makes a key that signs tokens of an algorithm that is chosen at run time.
    ///
    /// # Errors
    ///
    /// [`KeyError::WrongKeyType`] for an algorithm that needs another type of key; else as [`rs256`](Self::rs256).
    #[cfg(feature = "getrandom")]
    pub fn signing_key(&self, algorithm: Algorithm) -> Result<SigningKey, KeyError> {
        self.signing_key_with(algorithm, crate::key::entropy::SystemEntropy::new())
    }

    /// As [`signing_key`](Self::signing_key), with a source of randomness.
    ///
    /// # Errors
    ///
    /// As [`signing_key`](Self::signing_key).
    pub fn signing_key_with(
        &self,
        algorithm: Algorithm,
        entropy: impl Entropy + 'static,
    ) -> Result<SigningKey, KeyError> {
        let verifying = self.public_key().verifying_key(algorithm)?;
        Ok(SigningKey::new(RsaSigner::new(self, Arc::new(entropy))?, verifying))
    }

    /// Generates an RSA key of `bits` bits with exponent 65537. 2048 take about a second.
    ///
    /// # Errors
    ///
    /// [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`], [`KeyError::Entropy`].
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{KeyError, PrivateKey, PublicKey};
    ///
    /// let generated = PrivateKey::generate_rsa(2048)?;
    /// let private = generated.to_secret_pem()?; // to be stored where it is safe
    /// let public = generated.public_key().to_pem()?; // to be handed to verifiers
    ///
    /// let signing = PrivateKey::from_pem(private.expose_secret_text().unwrap_or_default())?.rs256()?;
    /// let verifying = PublicKey::from_pem(&public)?.rs256()?;
    /// assert_eq!(PrivateKey::generate_rsa(1024).unwrap_err(), KeyError::ModulusTooSmall { bits: 1024, minimum: 2048 });
    /// # Ok::<(), KeyError>(())
    /// ```
    #[cfg(feature = "getrandom")]
    pub fn generate_rsa(bits: usize) -> Result<Self, KeyError> {
        Self::generate_rsa_with(bits, &crate::key::entropy::SystemEntropy::new())
    }

    /// As [`generate_rsa`](Self::generate_rsa), with a source of randomness, of which 32 bytes are drawn.
    ///
    /// # Errors
    ///
    /// As [`generate_rsa`](Self::generate_rsa).
    pub fn generate_rsa_with(bits: usize, entropy: &(impl Entropy + ?Sized)) -> Result<Self, KeyError> {
        check_bits(bits)?;
        let mut random = random(entropy).ok_or(KeyError::Entropy)?;
        let key = rsa::PrivateKey::new(&mut random, bits).map_err(|_| KeyError::MalformedKey)?;
        let pkcs1 = key.to_pkcs1_der().map_err(|_| KeyError::MalformedKey)?;
        Self::from_pkcs1(pkcs1.as_bytes())
    }
}

/// An RSA private key, precomputed, for RSASSA-PKCS1-v1_5 with SHA-256.
struct RsaSigner {
    key: pkcs1v15::SigningKey<Sha256>,
    entropy: Arc<dyn Entropy>,
}

impl RsaSigner {
    fn new(private: &PrivateKey, entropy: Arc<dyn Entropy>) -> Result<Self, KeyError> {
        let pkcs1 = private.rsa()?;
        let key = rsa::PrivateKey::from_pkcs1_der(pkcs1).map_err(|_| reason(private))?;
        // The crate checks n, d, p and q, and computes the other three numbers anew. A file with other numbers is broken, even
        // if the key would work.
        let again = key.to_pkcs1_der().map_err(|_| KeyError::MalformedKey)?;
        if !bool::from(again.as_bytes().ct_eq(pkcs1)) {
            return Err(KeyError::MalformedKey);
        }
        Ok(Self { key: pkcs1v15::SigningKey::new(key), entropy })
    }
}

/// Why the crate `rsa` does not take a key. It keeps each prime in half the bits of the modulus, so that the time of signing does
/// not depend on the lengths of the primes.
fn reason(private: &PrivateKey) -> KeyError {
    let half = bit_length(private.public_key().numbers.modulus()).div_ceil(2);
    let fits = |prime: &UintRef<'_>| bit_length(prime.as_bytes()) <= half;
    match asn1::primes(&private.pkcs1) {
        Some(primes) if !primes.iter().all(fits) => KeyError::UnequalPrimes,
        _ => KeyError::MalformedKey,
    }
}

impl MakeSignature for RsaSigner {
    fn make(&self, input: &[u8]) -> Result<Signature, SignError> {
        let mut random = random(&*self.entropy).ok_or(SignError::Entropy)?;
        let signature =
            self.key.try_sign_with_rng(&mut random, input).map_err(|_| SignError::SigningFailed)?;
        Ok(Signature::from(signature.to_vec()))
    }
}

/// A generator seeded from `entropy`, unless that fails.
fn random(entropy: &(impl Entropy + ?Sized)) -> Option<ChaCha20Rng> {
    let mut seed = Zeroizing::new([0; 32]);
    entropy.fill(seed.as_mut_slice()).ok()?;
    Some(ChaCha20Rng::from_seed(*seed))
}
