//! RSA keys that sign, made with the crate `rsa`. No type of that crate is visible outside this file.

use crate::algorithm::Algorithm;
use crate::backend::rust::rsa_blinding::{Blinding, random};
use crate::backend::rust::rsa_padding::{Encode, Pkcs1, Pss};
use crate::backend::rust::rsa_verify::RsaVerifier;
use crate::error::{KeyError, SignError};
use crate::key::entropy::Entropy;
use crate::key::material::PrivateKey;
use crate::key::rsa::check_bits;
use crate::key::rsa_private::check_prime_lengths;
use crate::key::signature::Signature;
use crate::key::{CheckSignature, MakeSignature, SigningKey, VerifyingKey};
use alloc::boxed::Box;
use crypto_bigint::BoxedUint;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use sha2::{Sha256, Sha384, Sha512};

/// Writes the methods of each algorithm. A program that calls one links the code of its hash and its padding only.
macro_rules! algorithms {
    ($($method:ident, $method_with:ident, $variant:ident, $name:literal, $padding:ty;)*) => {
        impl PrivateKey {
            $(
                #[doc = concat!("Makes a key that signs ", $name, " tokens, with the operating system's randomness.")]
                ///
                /// # Security
                ///
                /// Every signature is blinded, and checked before it is returned. With `std`, the key keeps a random pair of
                /// factors, squares both for each signature, and draws a new pair of 32 bytes for every 32nd signature, as
                /// OpenSSL does. Without `std`, each signature draws its own 32 bytes. PSS also draws its salt. ChaCha20 expands
                /// the bytes of a pair. So a source that fails makes signing fail, and a source that repeats itself cannot make
                /// it hang. The private numbers are wiped when the key is dropped; the crate `rsa` makes copies of them, and not
                /// all of these are wiped.
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
                    self.signing::<$padding>(Algorithm::$variant, entropy)
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
    rs256, rs256_with, Rs256, "RS256", Pkcs1<Sha256>;
    rs384, rs384_with, Rs384, "RS384", Pkcs1<Sha384>;
    rs512, rs512_with, Rs512, "RS512", Pkcs1<Sha512>;
    ps256, ps256_with, Ps256, "PS256", Pss<Sha256>;
    ps384, ps384_with, Ps384, "PS384", Pss<Sha384>;
    ps512, ps512_with, Ps512, "PS512", Pss<Sha512>;
}

impl PrivateKey {
    fn signing<P: Encode + 'static>(
        &self,
        algorithm: Algorithm,
        entropy: impl Entropy + 'static,
    ) -> Result<SigningKey, KeyError> {
        let (pkcs1, public) = self.checked_rsa(algorithm)?;
        check_prime_lengths(pkcs1)?;
        let key = rsa::PrivateKey::from_pkcs1_der(pkcs1).map_err(|_| KeyError::MalformedKey)?;
        let numbers = public.rsa(algorithm)?;
        let verifying = VerifyingKey::new(algorithm, public, RsaVerifier::<P>::new(numbers)?);
        let verifier = RsaVerifier::<P>::new(numbers)?;
        let signer = RsaSigner { key, verifier, blinding: Blinding::default(), entropy: Box::new(entropy) };
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

/// An RSA private key, precomputed, for signatures with the padding `P`.
struct RsaSigner<P> {
    key: rsa::PrivateKey,
    verifier: RsaVerifier<P>,
    blinding: Blinding,
    entropy: Box<dyn Entropy>,
}

impl<P: Encode> MakeSignature for RsaSigner<P> {
    fn make(&self, input: &[u8]) -> Result<Signature, SignError> {
        let encoded = self.verifier.padding().encode(input, &*self.entropy)?;
        let (modulus, exponent) = self.verifier.numbers();
        let message = BoxedUint::from_be_slice(&encoded, modulus.bits_precision());
        let message = message.map_err(|_| SignError::SigningFailed)?;
        let number =
            self.blinding.apply((modulus, exponent), &self.key, &message, &*self.entropy)?.to_be_bytes();
        let zeros = number.len().saturating_sub(self.verifier.modulus_bytes());
        let signature = number.get(zeros..).unwrap_or_default();
        // A wrong signature can reveal the primes: D. Boneh, R. DeMillo and R. Lipton, "On the Importance of Checking
        // Cryptographic Protocols for Faults", EUROCRYPT 1997.
        self.verifier.check(input, signature).map_err(|_| SignError::SigningFailed)?;
        Ok(Signature::from_bytes(signature))
    }
}
