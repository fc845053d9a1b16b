//! RSA keys that sign, made with the crate `rsa`. No type of that crate is visible outside this file.

use crate::algorithm::Algorithm;
use crate::error::{KeyError, SignError};
use crate::key::asn1;
use crate::key::entropy::Entropy;
use crate::key::material::PrivateKey;
use crate::key::rsa::{bit_length, check_bits};
use crate::key::signature::Signature;
use crate::key::{MakeSignature, SigningKey, VerifyingKey};
use alloc::sync::Arc;
use alloc::vec::Vec;
use chacha20::ChaCha20Rng;
use pkcs8::der::asn1::UintRef;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use rsa::rand_core::SeedableRng;
use rsa::signature::{RandomizedSigner, SignatureEncoding};
use rsa::{pkcs1v15, pss};
use sha2::digest::FixedOutputReset;
use sha2::digest::const_oid::AssociatedOid;
use sha2::{Digest, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Writes the methods of each algorithm. A program that calls one links the code of its hash and its padding only.
macro_rules! algorithms {
    ($($method:ident, $method_with:ident, $variant:ident, $name:literal, $scheme:ty;)*) => {
        impl PrivateKey {
            $(
                #[doc = concat!("Makes a key that signs ", $name, " tokens, with the operating system's randomness.")]
                ///
                /// # Security
                ///
                /// Every signature is blinded with fresh randomness and checked before it is returned. Each signature draws 32
                /// bytes and expands them with ChaCha20. So a source that fails makes signing fail, and a source that repeats
                /// itself cannot make it hang. The private numbers are wiped when the key is dropped; the crate `rsa` makes
                /// copies of them, and not all of these are wiped.
                ///
                /// The page on [keys](crate::manual::keys) says what RUSTSEC-2023-0071 means here. If an attacker can time
                /// your signing, sign in an HSM.
                ///
                /// # Errors
                ///
                /// - [`KeyError::MalformedKey`] if the private numbers do not belong to the public ones.
                /// - [`KeyError::UnequalPrimes`] if the primes have different lengths, which only `aws_lc::signing_key`
                ///   supports.
                /// - [`KeyError::Exponent`] for another exponent than 65537, unless [`any_exponent`](Self::any_exponent)
                ///   allows it.
                /// - [`KeyError::RestrictedKey`] if the file of the key does not allow the algorithm.
                #[cfg(feature = "getrandom")]
                pub fn $method(&self) -> Result<SigningKey, KeyError> {
                    self.$method_with(crate::key::entropy::SystemEntropy::new())
                }

                #[doc = concat!("Makes a key that signs ", $name, " tokens, with the given source of randomness.")]
                ///
                /// # Errors
                ///
                #[doc = concat!("As [`", stringify!($method), "`](Self::", stringify!($method), ").")]
                pub fn $method_with(&self, entropy: impl Entropy + 'static) -> Result<SigningKey, KeyError> {
                    self.signing::<$scheme>(self.rsa(Algorithm::$variant)?.1.$method()?, entropy)
                }
            )*

            /// Makes a key by the same methods, chosen at run time.
            pub(super) fn rsa_by_algorithm(
                &self,
                algorithm: Algorithm,
                entropy: impl Entropy + 'static,
            ) -> Result<SigningKey, KeyError> {
                match algorithm {
                    $(Algorithm::$variant => self.$method_with(entropy),)*
                    _ => Err(self.wrong_type(algorithm)),
                }
            }
        }
    };
}

algorithms! {
    rs256, rs256_with, Rs256, "RS256", pkcs1v15::SigningKey<Sha256>;
    rs384, rs384_with, Rs384, "RS384", pkcs1v15::SigningKey<Sha384>;
    rs512, rs512_with, Rs512, "RS512", pkcs1v15::SigningKey<Sha512>;
    ps256, ps256_with, Ps256, "PS256", pss::SigningKey<Sha256>;
    ps384, ps384_with, Ps384, "PS384", pss::SigningKey<Sha384>;
    ps512, ps512_with, Ps512, "PS512", pss::SigningKey<Sha512>;
}

impl PrivateKey {
    fn signing<S: Scheme>(
        &self,
        verifying: VerifyingKey,
        entropy: impl Entropy + 'static,
    ) -> Result<SigningKey, KeyError> {
        let scheme = S::of(private_numbers(self, verifying.algorithm())?);
        let signer = RsaSigner { scheme, entropy: Arc::new(entropy) };
        Ok(SigningKey::new(signer, verifying))
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
    /// let public = generated.public_key()?.to_pem()?; // to be handed to verifiers
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

    /// Generates a key as [`generate_rsa`](Self::generate_rsa) does, from 32 bytes of the given source of randomness.
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

/// Converts the key to the crate's type, and checks it.
fn private_numbers(private: &PrivateKey, algorithm: Algorithm) -> Result<rsa::PrivateKey, KeyError> {
    let (pkcs1, _) = private.rsa(algorithm)?;
    let key = rsa::PrivateKey::from_pkcs1_der(pkcs1).map_err(|_| reason(pkcs1))?;
    // The crate checks n, d, p and q, and computes the other three numbers anew. A file with other values for them is broken,
    // even if the key would work.
    let again = key.to_pkcs1_der().map_err(|_| KeyError::MalformedKey)?;
    if bool::from(again.as_bytes().ct_eq(pkcs1)) { Ok(key) } else { Err(KeyError::MalformedKey) }
}

/// Returns why the crate `rsa` refuses a key. It keeps each prime in half the bits of the modulus, so that the time of signing
/// does not depend on the lengths of the primes.
fn reason(pkcs1: &[u8]) -> KeyError {
    let Some([modulus, primes @ ..]) = asn1::modulus_and_primes(pkcs1) else { return KeyError::MalformedKey };
    let half = bit_length(modulus.as_bytes()).div_ceil(2);
    let fits = |prime: &UintRef<'_>| bit_length(prime.as_bytes()) <= half;
    // Whatever is far from half the length is not one of two primes of a key.
    let is_plausible = |prime: &UintRef<'_>| bit_length(prime.as_bytes()).abs_diff(half) < half / 2;
    if primes.iter().all(fits) || !primes.iter().all(is_plausible) {
        KeyError::MalformedKey
    } else {
        KeyError::UnequalPrimes
    }
}

/// An RSA private key, precomputed, for one padding and one hash.
struct RsaSigner<S> {
    scheme: S,
    entropy: Arc<dyn Entropy>,
}

impl<S: Scheme> MakeSignature for RsaSigner<S> {
    fn make(&self, input: &[u8]) -> Result<Signature, SignError> {
        let mut random = random(&*self.entropy).ok_or(SignError::Entropy)?;
        self.scheme.sign(&mut random, input).map(Signature::from).ok_or(SignError::SigningFailed)
    }
}

/// A signing key of the crate `rsa`: a padding, a hash and an RSA key.
trait Scheme: Send + Sync + 'static {
    fn of(key: rsa::PrivateKey) -> Self;

    /// Signs, and draws blinding (and the salt, for PSS) from `random`.
    fn sign(&self, random: &mut ChaCha20Rng, input: &[u8]) -> Option<Vec<u8>>;
}

macro_rules! scheme {
    ($($module:ident)*) => {$(
        impl<H> Scheme for $module::SigningKey<H>
        where
            H: Digest + AssociatedOid + FixedOutputReset + Send + Sync + 'static,
        {
            fn of(key: rsa::PrivateKey) -> Self {
                Self::new(key)
            }

            fn sign(&self, random: &mut ChaCha20Rng, input: &[u8]) -> Option<Vec<u8>> {
                self.try_sign_with_rng(random, input).ok().map(|signature| signature.to_vec())
            }
        }
    )*};
}

scheme!(pkcs1v15 pss);

/// Returns a generator seeded from `entropy`, or `None` if that fails.
fn random(entropy: &(impl Entropy + ?Sized)) -> Option<ChaCha20Rng> {
    let mut seed = Zeroizing::new([0; 32]);
    entropy.fill(seed.as_mut_slice()).ok()?;
    Some(ChaCha20Rng::from_seed(*seed))
}
