//! RSA keys over the crate `aws-lc-rs`: faster, and not in Rust.
//!
//! They take the place of the keys of the same name outside this module, one by one: both kinds work in one program and
//! in one [`KeySet`](crate::KeySet), take the same files and refuse the same keys. There is nothing to be set up, and
//! nothing to be chosen for the whole program. The crate needs a C compiler to be built.
//!
//! # Examples
//!
//! ```
//! use countersign::aws_lc::Rs256SigningKey;
//! use countersign::{Claims, Rs256VerifyingKey, Verifier};
//! use core::time::Duration;
//!
//! let key = Rs256SigningKey::generate(2048)?;
//! let text = Claims::registered().expires_in(Duration::from_secs(900)).sign(&key)?;
//!
//! // Whoever verifies need not use the same library.
//! let public = Rs256VerifyingKey::from_pem(&key.verifying_key().to_pem()?)?;
//! let verifier = Verifier::builder(public).accept_any_issuer().no_audience().build()?;
//! assert!(verifier.verify::<()>(&text).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::algorithm::Algorithm;
use crate::error::{KeyError, SignError, SignatureError};
use crate::key::pem::{self, Wanted};
use crate::key::rsa::{self, Exponent, PrivateFile, PublicNumbers, read_public_keys};
use crate::key::{Identity, SignKey, Signature, VerifyKey, identified};
use crate::secret::SecretBytes;
use alloc::string::String;
use alloc::vec;
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};

/// A private key of 2048 to 8192 bits that signs RS256 tokens, parsed and checked once.
///
/// # Security
///
/// The library draws its randomness from the operating system by itself, blinds every signature and checks it before it
/// leaves. It keeps the private numbers in memory of its own, and wipes that when the last clone of the key is dropped.
///
/// # Examples
///
/// ```no_run
/// use countersign::aws_lc::Rs256SigningKey;
///
/// let pem = std::fs::read_to_string("private.pem")?;
/// let key = Rs256SigningKey::from_pem(&pem)?.with_key_id("2026-11")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Rs256SigningKey {
    pair: RsaKeyPair,
    verifying: Rs256VerifyingKey,
    identity: Identity,
}

impl Rs256SigningKey {
    /// Reads a PEM file, PKCS#8 (`BEGIN PRIVATE KEY`) or PKCS#1 (`BEGIN RSA PRIVATE KEY`).
    ///
    /// # Errors
    ///
    /// - [`KeyError::Pem`] names the mistake, e.g. that this is the public key.
    /// - [`KeyError::MalformedKey`], [`KeyError::WrongKeyType`] for what is inside.
    /// - [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`], [`KeyError::Exponent`], [`KeyError::Roca`].
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        Self::from_pem_text(pem, Exponent::Usual)
    }

    /// As [`from_pem`](Self::from_pem), but with any odd public exponent from 3 to 2^33 - 1.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_pem_any_exponent(pem: &str) -> Result<Self, KeyError> {
        Self::from_pem_text(pem, Exponent::Any)
    }

    /// Reads DER, PKCS#8 or PKCS#1: which of them it is shows in its second field.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem), without the PEM, and [`KeyError::PublicKey`] for the other half of a pair.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        Self::from_file(&PrivateFile::from_der(der, Exponent::Usual)?)
    }

    /// A new key of 2048, 3072, 4096 or 8192 bits with exponent 65537.
    ///
    /// # Errors
    ///
    /// - [`KeyError::ModulusTooSmall`] for a length between these names the next of them.
    /// - [`KeyError::ModulusTooLarge`].
    /// - [`KeyError::Entropy`] if the library can make none.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::KeyError;
    /// use countersign::aws_lc::Rs256SigningKey;
    ///
    /// let private = Rs256SigningKey::generate(2048)?.to_secret_pem()?; // to be stored where it is safe
    /// assert!(Rs256SigningKey::from_pem(private.expose_secret_text().unwrap_or_default()).is_ok());
    ///
    /// let error = Rs256SigningKey::generate(2500).unwrap_err();
    /// assert_eq!(error, KeyError::ModulusTooSmall { bits: 2500, minimum: 3072 });
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn generate(bits: usize) -> Result<Self, KeyError> {
        rsa::check_bits(bits)?;
        let offered = [
            (2048, KeySize::Rsa2048),
            (3072, KeySize::Rsa3072),
            (4096, KeySize::Rsa4096),
            (8192, KeySize::Rsa8192),
        ];
        let size = match offered.into_iter().find(|(length, _)| *length >= bits) {
            Some((length, size)) if length == bits => size,
            Some((minimum, _)) => return Err(KeyError::ModulusTooSmall { bits, minimum }),
            None => return Err(KeyError::MalformedKey),
        };
        let pair = RsaKeyPair::generate(size).map_err(|_| KeyError::Entropy)?;
        let numbers = PublicNumbers::from_der(pair.public_key().as_ref(), Exponent::Usual)?;
        let verifying = Rs256VerifyingKey::new(numbers)?;
        Ok(Self { pair, verifying, identity: Identity::new(Algorithm::Rs256) })
    }

    /// The public key that verifies what this one signs, under the same name.
    #[must_use]
    pub fn verifying_key(&self) -> Rs256VerifyingKey {
        Rs256VerifyingKey { identity: self.identity.clone(), ..self.verifying.clone() }
    }

    /// The private key as PKCS#8 PEM text, to be stored.
    ///
    /// # Errors
    ///
    /// [`KeyError::MalformedKey`] if the library cannot encode it; no key made here is known to do that.
    pub fn to_secret_pem(&self) -> Result<SecretBytes, KeyError> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().map_err(|_| KeyError::MalformedKey)?;
        pem::encode("PRIVATE KEY", der.as_ref()).map(|text| SecretBytes::from(text.into_bytes()))
    }

    fn from_pem_text(pem: &str, exponent: Exponent) -> Result<Self, KeyError> {
        let (label, der) = pem::decode(pem, Wanted::Private)?;
        Self::from_file(&PrivateFile::from_labelled(label, &der, exponent)?)
    }

    fn from_file(file: &PrivateFile<'_>) -> Result<Self, KeyError> {
        // The library checks that the private numbers belong to the public ones.
        let pair = RsaKeyPair::from_der(file.pkcs1()).map_err(|_| KeyError::MalformedKey)?;
        let verifying = Rs256VerifyingKey::new(file.public_numbers())?;
        Ok(Self { pair, verifying, identity: Identity::new(Algorithm::Rs256) })
    }
}

identified!(Rs256SigningKey);

impl SignKey for Rs256SigningKey {
    fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError> {
        let mut signature = vec![0; self.verifying.modulus_bytes];
        self.pair
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input, &mut signature)
            .map_err(|_| SignError::SigningFailed)?;
        Ok(Signature::from(signature))
    }
}

/// A public key of 2048 to 8192 bits that verifies RS256 tokens, parsed and checked once.
///
/// # Examples
///
/// ```no_run
/// use countersign::aws_lc::Rs256VerifyingKey;
///
/// let pem = std::fs::read_to_string("public.pem")?;
/// let key = Rs256VerifyingKey::from_pem(&pem)?.with_key_id("2026-11")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// What is wrong with a file is said here, before any token is looked at:
///
/// ```
/// use countersign::aws_lc::Rs256VerifyingKey;
/// use countersign::{KeyError, PemMistake};
///
/// let error = Rs256VerifyingKey::from_pem("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n").unwrap_err();
/// assert_eq!(error, KeyError::Pem(PemMistake::Certificate));
/// ```
#[derive(Clone)]
pub struct Rs256VerifyingKey {
    key: ParsedPublicKey,
    modulus_bytes: usize,
    identity: Identity,
}

impl Rs256VerifyingKey {
    /// The key as SPKI PEM text.
    ///
    /// # Errors
    ///
    /// [`KeyError::MalformedKey`] if it cannot be encoded; no key made here is known to do that.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        // A parsed key keeps its SPKI.
        pem::encode("PUBLIC KEY", self.key.as_ref())
    }

    fn new(numbers: PublicNumbers<'_>) -> Result<Self, KeyError> {
        let exponent = numbers.exponent().get().to_be_bytes();
        let key = RsaPublicKeyComponents { n: numbers.modulus(), e: rsa::strip_zeros(&exponent) }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .map_err(|_| KeyError::MalformedKey)?;
        let identity = Identity::new(Algorithm::Rs256);
        Ok(Self { key, modulus_bytes: numbers.modulus().len(), identity })
    }
}

identified!(Rs256VerifyingKey);
read_public_keys!(Rs256VerifyingKey);

impl VerifyKey for Rs256VerifyingKey {
    fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        // RFC 8017 section 8.2.2 step 1: exactly as long as the modulus. Not left to the library to say.
        if signature.len() != self.modulus_bytes {
            return Err(SignatureError::Invalid);
        }
        self.key.verify_sig(input, signature).map_err(|_| SignatureError::Invalid)
    }
}
