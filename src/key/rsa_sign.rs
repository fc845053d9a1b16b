//! RSA keys that sign, over the crate `rsa`, of which nothing shows outside this file.

use crate::error::{KeyError, SignError};
use crate::key::pem::{self, Wanted};
use crate::key::rsa::{Exponent, PrivateFile, PublicNumbers, Rs256, RsaAlgorithm, check_bits};
use crate::key::rsa_verify::RsaVerifyingKey;
use crate::key::{Entropy, Identity, SignKey, Signature, identified};
use crate::secret::SecretBytes;
use alloc::sync::Arc;
use chacha20::ChaCha20Rng;
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::rand_core::SeedableRng;
use rsa::signature::{RandomizedSigner, SignatureEncoding};
use rsa::traits::PublicKeyParts;
use rsa::{PrivateKey, pkcs1v15};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// A private key that signs RS256 tokens. See [`RsaSigningKey`].
pub type Rs256SigningKey = RsaSigningKey<Rs256>;

/// An RSA private key of 2048 to 8192 bits, parsed, checked and precomputed once.
///
/// # Security
///
/// Every signature is blinded with fresh randomness and checked before it leaves; there is no way around
/// either. The key owns its source: the operating system's with feature `getrandom`, or the one that is handed
/// to the constructors ending in `_with`. 32 bytes of it are drawn for a signature and expanded with ChaCha20,
/// so a source that fails makes signing fail, and one that repeats itself cannot make it hang. The private
/// numbers are wiped when the key is dropped; not every copy that the crate `rsa` makes of them in passing is.
///
/// RSA comes from the crate `rsa`, 0.10. RUSTSEC-2023-0071 ("Marvin") has been listed against that crate since 2023; its
/// README says that what was found is resolved in 0.10. The attack is on decryption, which is not done here. A test in CI
/// marks the private numbers and looks for memory accesses and branches that depend on them: that is evidence and no proof.
/// If an attacker can time your signing, sign in an HSM.
///
/// # Examples
///
/// ```no_run
/// use countersign::{Key, Rs256SigningKey};
///
/// let pem = std::fs::read_to_string("private.pem")?;
/// let key = Rs256SigningKey::from_pem(&pem)?.with_key_id("2026-11")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RsaSigningKey<A: RsaAlgorithm> {
    signer: pkcs1v15::SigningKey<A::Hash>,
    verifying: RsaVerifyingKey<A>,
    entropy: Arc<dyn Entropy>,
    identity: Identity,
}

impl<A: RsaAlgorithm> RsaSigningKey<A> {
    /// Reads a PEM file, PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`).
    ///
    /// # Errors
    ///
    /// - [`KeyError::Pem`] names the mistake, e.g. that this is the public key.
    /// - [`KeyError::MalformedKey`], [`KeyError::WrongKeyType`] for what is inside.
    /// - [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`], [`KeyError::Exponent`], [`KeyError::Roca`].
    #[cfg(feature = "getrandom")]
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_pem_with(pem, crate::key::SystemEntropy::new())
    }

    /// As [`from_pem`](Self::from_pem), with a source of randomness.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_pem_with(pem: &str, entropy: impl Entropy + 'static) -> Result<Self, KeyError> {
        Self::from_pem_text(pem, Exponent::Usual, entropy)
    }

    /// As [`from_pem`](Self::from_pem), but with any odd public exponent from 3 to 2^33 - 1.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    #[cfg(feature = "getrandom")]
    pub fn from_pem_any_exponent(pem: &str) -> Result<Self, KeyError> {
        Self::from_pem_any_exponent_with(pem, crate::key::SystemEntropy::new())
    }

    /// As [`from_pem_with`](Self::from_pem_with), but with any odd public exponent from 3 to 2^33 - 1.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_pem_any_exponent_with(pem: &str, entropy: impl Entropy + 'static) -> Result<Self, KeyError> {
        Self::from_pem_text(pem, Exponent::Any, entropy)
    }

    /// Reads DER, PKCS#8 or PKCS#1; which of them it is, is detected.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem), except [`KeyError::Pem`]; [`KeyError::PublicKey`] if it is the public key.
    #[cfg(feature = "getrandom")]
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        Self::from_der_with(der, crate::key::SystemEntropy::new())
    }

    /// As [`from_der`](Self::from_der), with a source of randomness.
    ///
    /// # Errors
    ///
    /// As [`from_der`](Self::from_der).
    pub fn from_der_with(der: &[u8], entropy: impl Entropy + 'static) -> Result<Self, KeyError> {
        Self::from_file(&PrivateFile::from_der(der, Exponent::Usual)?, Arc::new(entropy))
    }

    /// A new key of `bits` bits with exponent 65537. 2048 take about a second.
    ///
    /// # Errors
    ///
    /// [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`], [`KeyError::Entropy`].
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{KeyError, Rs256SigningKey, Rs256VerifyingKey};
    ///
    /// let signing = Rs256SigningKey::generate(2048)?;
    /// let private = signing.to_secret_pem()?; // to be stored where it is safe
    /// let public = signing.verifying_key().to_pem()?; // to be handed to verifiers
    ///
    /// let again = Rs256SigningKey::from_pem(private.expose_secret_text().unwrap_or_default())?;
    /// assert_eq!(again.verifying_key().to_pem()?, public);
    /// assert!(Rs256VerifyingKey::from_pem(&public).is_ok());
    /// assert_eq!(Rs256SigningKey::generate(1024).unwrap_err(), KeyError::ModulusTooSmall { bits: 1024, minimum: 2048 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "getrandom")]
    pub fn generate(bits: usize) -> Result<Self, KeyError> {
        Self::generate_with(bits, crate::key::SystemEntropy::new())
    }

    /// As [`generate`](Self::generate), with a source of randomness, of which 32 bytes are drawn.
    ///
    /// # Errors
    ///
    /// As [`generate`](Self::generate).
    pub fn generate_with(bits: usize, entropy: impl Entropy + 'static) -> Result<Self, KeyError> {
        check_bits(bits)?;
        let mut random = random(&entropy).ok_or(KeyError::Entropy)?;
        let key = PrivateKey::new(&mut random, bits).map_err(|_| KeyError::MalformedKey)?;
        let (modulus, exponent) = (key.n().to_be_bytes(), key.e().to_be_bytes());
        let public_numbers = PublicNumbers::new(&modulus, &exponent, Exponent::Usual)?;
        Self::new(key, public_numbers, Arc::new(entropy))
    }

    /// The public key that verifies what this one signs, under the same name.
    #[must_use]
    pub fn verifying_key(&self) -> RsaVerifyingKey<A> {
        self.verifying.clone().with_identity(self.identity.clone())
    }

    /// The private key as PKCS#8 PEM text, to be stored.
    ///
    /// # Errors
    ///
    /// [`KeyError::MalformedKey`] if the crate `rsa` cannot encode it; no key made here is known to do that.
    pub fn to_secret_pem(&self) -> Result<SecretBytes, KeyError> {
        let pem = self.key().to_pkcs8_pem(LineEnding::LF).map_err(|_| KeyError::MalformedKey)?;
        Ok(SecretBytes::from(pem.as_bytes().to_vec()))
    }

    fn from_pem_text(
        pem: &str,
        exponent: Exponent,
        entropy: impl Entropy + 'static,
    ) -> Result<Self, KeyError> {
        let (label, der) = pem::decode(pem, Wanted::Private)?;
        Self::from_file(&PrivateFile::from_labelled(label, &der, exponent)?, Arc::new(entropy))
    }

    fn from_file(file: &PrivateFile<'_>, entropy: Arc<dyn Entropy>) -> Result<Self, KeyError> {
        let key = PrivateKey::from_pkcs1_der(file.pkcs1()).map_err(|_| KeyError::MalformedKey)?;
        // The crate checks n, d, p and q, and makes the other three numbers anew. Where the file has others it is
        // broken, also if the key would work.
        let again = key.to_pkcs1_der().map_err(|_| KeyError::MalformedKey)?;
        if !bool::from(again.as_bytes().ct_eq(file.pkcs1())) {
            return Err(KeyError::MalformedKey);
        }
        Self::new(key, file.public_numbers(), entropy)
    }

    fn new(
        key: PrivateKey,
        public_numbers: PublicNumbers<'_>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, KeyError> {
        let verifying = RsaVerifyingKey::new(public_numbers)?;
        let signer = pkcs1v15::SigningKey::new(key);
        Ok(Self { signer, verifying, entropy, identity: Identity::new(A::ALGORITHM) })
    }

    fn key(&self) -> &PrivateKey {
        self.signer.as_ref()
    }
}

identified!(RsaSigningKey<A: RsaAlgorithm>);

impl<A: RsaAlgorithm> SignKey for RsaSigningKey<A> {
    fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError> {
        let mut random = random(&*self.entropy).ok_or(SignError::Entropy)?;
        let signature =
            self.signer.try_sign_with_rng(&mut random, input).map_err(|_| SignError::SigningFailed)?;
        Ok(Signature::from(signature.to_vec()))
    }
}

/// A generator seeded from `entropy`, unless that fails.
fn random(entropy: &dyn Entropy) -> Option<ChaCha20Rng> {
    let mut seed = Zeroizing::new([0; 32]);
    entropy.fill(seed.as_mut_slice()).ok()?;
    Some(ChaCha20Rng::from_seed(*seed))
}
