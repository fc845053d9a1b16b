//! RSA keys ([RFC 7518 section 3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)) over the crate `rsa`,
//! of which nothing shows outside this file.

use crate::algorithm::Algorithm;
use crate::error::{KeyError, SignError, SignatureError};
use crate::key::pem::{self, Label, Wanted};
use crate::key::roca;
use crate::key::{Entropy, Identity, SignKey, Signature, VerifyKey, identified};
use crate::secret::SecretBytes;
use alloc::string::String;
use alloc::sync::Arc;
use chacha20::ChaCha20Rng;
use rsa::pkcs1::{self, ObjectIdentifier};
use rsa::pkcs8::der::Decode;
use rsa::pkcs8::{self, EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::SeedableRng;
use rsa::signature::{Keypair, RandomizedSigner, SignatureEncoding, Verifier};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, RsaPrivateKey, RsaPublicKey, pkcs1v15};
use sha2::Sha256;
use zeroize::Zeroizing;

/// RFC 7518 section 3.3: a key of size 2048 bits or larger must be used.
const MIN_BITS: usize = 2048;
/// A verification at 8192 bits takes some sixteen times that at 2048; beyond it lies denial of service.
const MAX_BITS: usize = 8192;
/// The exponent that every key in use has; small ones made forgeries possible where padding was checked badly.
const USUAL_EXPONENT: u64 = 65_537;
/// The bound of the crate `rsa`: larger exponents only cost time.
const MAX_EXPONENT: u64 = (1 << 33) - 1;

/// Which RSA signature an RSA key is for. The algorithms of this crate implement it; nothing else can.
pub trait RsaAlgorithm: sealed::Sealed + Send + Sync + 'static {}

/// RSASSA-PKCS1-v1_5 with SHA-256: the algorithm of [`Rs256SigningKey`] and [`Rs256VerifyingKey`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rs256;

impl RsaAlgorithm for Rs256 {}

impl sealed::Sealed for Rs256 {
    const ALGORITHM: Algorithm = Algorithm::Rs256;
    type Signer = pkcs1v15::SigningKey<Sha256>;
    type Verifier = pkcs1v15::VerifyingKey<Sha256>;
}

#[allow(unnameable_types)]
mod sealed {
    use super::{
        Algorithm, ChaCha20Rng, Keypair, RandomizedSigner, RsaPrivateKey, RsaPublicKey, Sha256, Signature,
        SignatureEncoding, Verifier, pkcs1v15,
    };

    pub trait Sealed {
        const ALGORITHM: Algorithm;
        type Signer: Signer<Verifier = Self::Verifier>;
        type Verifier: Verifies;
    }

    /// A private key with everything precomputed.
    pub trait Signer: Clone + Send + Sync {
        type Verifier;
        fn new(key: RsaPrivateKey) -> Self;
        fn key(&self) -> &RsaPrivateKey;
        fn verifier(&self) -> Self::Verifier;
        fn sign(&self, random: &mut ChaCha20Rng, input: &[u8]) -> Option<Signature>;
    }

    /// A public key with everything precomputed.
    pub trait Verifies: Clone + Send + Sync {
        fn new(key: RsaPublicKey) -> Self;
        fn key(&self) -> &RsaPublicKey;
        fn verifies(&self, input: &[u8], signature: &[u8]) -> bool;
    }

    impl Signer for pkcs1v15::SigningKey<Sha256> {
        type Verifier = pkcs1v15::VerifyingKey<Sha256>;

        fn new(key: RsaPrivateKey) -> Self {
            Self::new(key)
        }

        fn key(&self) -> &RsaPrivateKey {
            self.as_ref()
        }

        fn verifier(&self) -> Self::Verifier {
            self.verifying_key()
        }

        fn sign(&self, random: &mut ChaCha20Rng, input: &[u8]) -> Option<Signature> {
            self.try_sign_with_rng(random, input).ok().map(|signature| Signature::from(signature.to_vec()))
        }
    }

    impl Verifies for pkcs1v15::VerifyingKey<Sha256> {
        fn new(key: RsaPublicKey) -> Self {
            Self::new(key)
        }

        fn key(&self) -> &RsaPublicKey {
            self.as_ref()
        }

        fn verifies(&self, input: &[u8], signature: &[u8]) -> bool {
            // The crate compares the whole encoded message and refuses a number not below the modulus.
            pkcs1v15::Signature::try_from(signature)
                .is_ok_and(|signature| self.verify(input, &signature).is_ok())
        }
    }
}

/// A private key that signs RS256 tokens. See [`RsaSigningKey`].
pub type Rs256SigningKey = RsaSigningKey<Rs256>;
/// A public key that verifies RS256 tokens. See [`RsaVerifyingKey`].
pub type Rs256VerifyingKey = RsaVerifyingKey<Rs256>;

/// An RSA private key of 2048 to 8192 bits, parsed, checked and precomputed once.
///
/// # Security
///
/// Every signature is blinded with fresh randomness and checked before it leaves; there is no way around
/// either. The key owns its source: the operating system's with feature `getrandom`, or the one that is handed
/// to the constructors ending in `_with`. 32 bytes of it are drawn for a signature and expanded with ChaCha20,
/// so a source that fails makes signing fail, and one that repeats itself cannot make it hang. Secrets are
/// wiped when the key is dropped.
///
/// RSA comes from the crate `rsa`; see the crate's README on RUSTSEC-2023-0071.
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
    signer: A::Signer,
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

    /// As [`from_pem_with`](Self::from_pem_with), but with any odd public exponent from 3 to 2^33 - 1.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem).
    pub fn from_pem_any_exponent_with(pem: &str, entropy: impl Entropy + 'static) -> Result<Self, KeyError> {
        Self::from_pem_text(pem, Exponent::Any, entropy)
    }

    /// Reads DER, PKCS#8 or PKCS#1: which of them it is shows in its second field.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem), without the PEM.
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
        let key = match pkcs8::PrivateKeyInfoRef::from_der(der) {
            Ok(info) => private_from_pkcs8(&info, Exponent::Usual),
            Err(_) => private_from_pkcs1(der, Exponent::Usual),
        };
        key.map(|key| Self::new(key, Arc::new(entropy)))
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
        let key = RsaPrivateKey::new(&mut random, bits).map_err(|_| KeyError::MalformedKey)?;
        Ok(Self::new(key, Arc::new(entropy)))
    }

    /// The public key that verifies what this one signs, under the same name.
    #[must_use]
    pub fn verifying_key(&self) -> RsaVerifyingKey<A> {
        RsaVerifyingKey { verifier: sealed::Signer::verifier(&self.signer), identity: self.identity.clone() }
    }

    /// The private key as PKCS#8 PEM text, to be stored.
    ///
    /// # Errors
    ///
    /// [`KeyError::MalformedKey`] if the crate `rsa` cannot encode it; no key made here is known to do that.
    pub fn to_secret_pem(&self) -> Result<SecretBytes, KeyError> {
        let pem = sealed::Signer::key(&self.signer)
            .to_pkcs8_pem(LineEnding::LF)
            .map_err(|_| KeyError::MalformedKey)?;
        Ok(SecretBytes::from(pem.as_bytes().to_vec()))
    }

    fn from_pem_text(
        pem: &str,
        exponent: Exponent,
        entropy: impl Entropy + 'static,
    ) -> Result<Self, KeyError> {
        let (label, der) = pem::decode(pem, Wanted::Private)?;
        let key = match label {
            Label::Pkcs1Private => private_from_pkcs1(&der, exponent),
            _ => pkcs8::PrivateKeyInfoRef::from_der(&der)
                .map_err(|_| KeyError::MalformedKey)
                .and_then(|info| private_from_pkcs8(&info, exponent)),
        };
        key.map(|key| Self::new(key, Arc::new(entropy)))
    }

    fn new(key: RsaPrivateKey, entropy: Arc<dyn Entropy>) -> Self {
        Self { signer: sealed::Signer::new(key), entropy, identity: Identity::new(A::ALGORITHM) }
    }
}

identified!(RsaSigningKey<A: RsaAlgorithm>);

impl<A: RsaAlgorithm> SignKey for RsaSigningKey<A> {
    fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError> {
        let mut random = random(&*self.entropy).ok_or(SignError::Entropy)?;
        sealed::Signer::sign(&self.signer, &mut random, input).ok_or(SignError::SigningFailed)
    }
}

/// An RSA public key of 2048 to 8192 bits, parsed, checked and precomputed once.
///
/// # Examples
///
/// ```
/// use countersign::{KeyError, PemMistake, Rs256VerifyingKey};
///
/// let error = Rs256VerifyingKey::from_pem("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n").unwrap_err();
/// assert_eq!(error, KeyError::Pem(PemMistake::Certificate));
/// ```
#[derive(Clone)]
pub struct RsaVerifyingKey<A: RsaAlgorithm> {
    verifier: A::Verifier,
    identity: Identity,
}

impl<A: RsaAlgorithm> RsaVerifyingKey<A> {
    /// Reads a PEM file, SPKI (`BEGIN PUBLIC KEY`) or PKCS#1 (`BEGIN RSA PUBLIC KEY`).
    ///
    /// # Errors
    ///
    /// - [`KeyError::Pem`] names the mistake, e.g. that this is the private key or a certificate.
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
    ///
    /// # Security
    ///
    /// Signatures are checked in full here, so a small exponent is no way in; it is a sign of an old key.
    pub fn from_pem_any_exponent(pem: &str) -> Result<Self, KeyError> {
        Self::from_pem_text(pem, Exponent::Any)
    }

    /// Reads DER, SPKI or PKCS#1: which of them it is shows in its first field.
    ///
    /// # Errors
    ///
    /// As [`from_pem`](Self::from_pem), without the PEM.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        match pkcs8::SubjectPublicKeyInfoRef::from_der(der) {
            Ok(info) => public_from_spki(&info, Exponent::Usual),
            Err(_) => public_from_pkcs1(der, Exponent::Usual),
        }
        .map(Self::new)
    }

    /// The key of a modulus and an exponent, both big-endian, leading zeros allowed.
    ///
    /// # Errors
    ///
    /// [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`], [`KeyError::Exponent`], [`KeyError::Roca`],
    /// [`KeyError::MalformedKey`] for an even modulus.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{KeyError, Rs256VerifyingKey};
    ///
    /// let modulus = [0xff; 256];
    /// assert!(Rs256VerifyingKey::from_modulus_and_exponent(&modulus, &[1, 0, 1]).is_ok());
    /// assert_eq!(Rs256VerifyingKey::from_modulus_and_exponent(&modulus, &[3]).unwrap_err(), KeyError::Exponent);
    /// ```
    pub fn from_modulus_and_exponent(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        public_from_numbers(modulus, exponent, Exponent::Usual).map(Self::new)
    }

    /// As [`from_modulus_and_exponent`](Self::from_modulus_and_exponent), but with any odd exponent from 3 to
    /// 2^33 - 1.
    ///
    /// # Errors
    ///
    /// As [`from_modulus_and_exponent`](Self::from_modulus_and_exponent).
    pub fn from_modulus_and_any_exponent(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyError> {
        public_from_numbers(modulus, exponent, Exponent::Any).map(Self::new)
    }

    /// The key as SPKI PEM text.
    ///
    /// # Errors
    ///
    /// [`KeyError::MalformedKey`] if the crate `rsa` cannot encode it; no key made here is known to do that.
    pub fn to_pem(&self) -> Result<String, KeyError> {
        sealed::Verifies::key(&self.verifier)
            .to_public_key_pem(LineEnding::LF)
            .map_err(|_| KeyError::MalformedKey)
    }

    fn from_pem_text(pem: &str, exponent: Exponent) -> Result<Self, KeyError> {
        let (label, der) = pem::decode(pem, Wanted::Public)?;
        let key = match label {
            Label::Pkcs1Public => public_from_pkcs1(&der, exponent),
            _ => pkcs8::SubjectPublicKeyInfoRef::from_der(&der)
                .map_err(|_| KeyError::MalformedKey)
                .and_then(|info| public_from_spki(&info, exponent)),
        };
        key.map(Self::new)
    }

    fn new(key: RsaPublicKey) -> Self {
        Self { verifier: sealed::Verifies::new(key), identity: Identity::new(A::ALGORITHM) }
    }
}

identified!(RsaVerifyingKey<A: RsaAlgorithm>);

impl<A: RsaAlgorithm> VerifyKey for RsaVerifyingKey<A> {
    fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        // RFC 8017 section 8.2.2 step 1: exactly as long as the modulus.
        let right_length = signature.len() == sealed::Verifies::key(&self.verifier).size();
        if right_length && sealed::Verifies::verifies(&self.verifier, input, signature) {
            Ok(())
        } else {
            Err(SignatureError::Invalid)
        }
    }
}

/// Which public exponents a caller takes.
#[derive(Clone, Copy)]
enum Exponent {
    Usual,
    Any,
}

/// A generator seeded from `entropy`, unless that fails.
fn random(entropy: &dyn Entropy) -> Option<ChaCha20Rng> {
    let mut seed = Zeroizing::new([0; 32]);
    entropy.fill(seed.as_mut_slice()).ok()?;
    Some(ChaCha20Rng::from_seed(*seed))
}

fn check_bits(bits: usize) -> Result<(), KeyError> {
    if bits < MIN_BITS {
        return Err(KeyError::ModulusTooSmall { bits, minimum: MIN_BITS });
    }
    if bits > MAX_BITS {
        return Err(KeyError::ModulusTooLarge { bits, limit: MAX_BITS });
    }
    Ok(())
}

/// Checks the public numbers, before any arithmetic is done on them.
fn check_numbers(modulus: &[u8], exponent: &[u8], allowed: Exponent) -> Result<(), KeyError> {
    check_bits(bit_length(modulus))?;
    let value = strip_zeros(exponent)
        .iter()
        .try_fold(0_u64, |value, &byte| value.checked_mul(256).map(|value| value | u64::from(byte)))
        .ok_or(KeyError::Exponent)?;
    let fits = match allowed {
        Exponent::Usual => value == USUAL_EXPONENT,
        Exponent::Any => value % 2 == 1 && (3..=MAX_EXPONENT).contains(&value),
    };
    if !fits {
        return Err(KeyError::Exponent);
    }
    if roca::has_fingerprint(modulus) { Err(KeyError::Roca) } else { Ok(()) }
}

fn strip_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|&&byte| byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn bit_length(number: &[u8]) -> usize {
    let number = strip_zeros(number);
    let unused = number.first().map_or(0, |first| first.leading_zeros());
    number.len().saturating_mul(8).saturating_sub(usize::try_from(unused).unwrap_or(0))
}

fn check_is_rsa(algorithm: ObjectIdentifier) -> Result<(), KeyError> {
    if algorithm == pkcs1::ALGORITHM_OID { Ok(()) } else { Err(KeyError::WrongKeyType) }
}

fn private_from_pkcs8(
    info: &pkcs8::PrivateKeyInfoRef<'_>,
    exponent: Exponent,
) -> Result<RsaPrivateKey, KeyError> {
    check_is_rsa(info.algorithm.oid)?;
    private_from_pkcs1(info.private_key.as_bytes(), exponent)
}

fn private_from_pkcs1(der: &[u8], exponent: Exponent) -> Result<RsaPrivateKey, KeyError> {
    let key = pkcs1::RsaPrivateKeyRef::from_der(der).map_err(|_| KeyError::MalformedKey)?;
    check_numbers(key.modulus.as_bytes(), key.public_exponent.as_bytes(), exponent)?;
    RsaPrivateKey::try_from(key).map_err(|_| KeyError::MalformedKey)
}

fn public_from_spki(
    info: &pkcs8::SubjectPublicKeyInfoRef<'_>,
    exponent: Exponent,
) -> Result<RsaPublicKey, KeyError> {
    check_is_rsa(info.algorithm.oid)?;
    let der = info.subject_public_key.as_bytes().ok_or(KeyError::MalformedKey)?;
    public_from_pkcs1(der, exponent)
}

fn public_from_pkcs1(der: &[u8], exponent: Exponent) -> Result<RsaPublicKey, KeyError> {
    let key = pkcs1::RsaPublicKeyRef::from_der(der).map_err(|_| KeyError::MalformedKey)?;
    public_from_numbers(key.modulus.as_bytes(), key.public_exponent.as_bytes(), exponent)
}

fn public_from_numbers(modulus: &[u8], exponent: &[u8], allowed: Exponent) -> Result<RsaPublicKey, KeyError> {
    check_numbers(modulus, exponent, allowed)?;
    let modulus = BoxedUint::from_be_slice_vartime(strip_zeros(modulus));
    let exponent = BoxedUint::from_be_slice_vartime(strip_zeros(exponent));
    RsaPublicKey::new(modulus, exponent).map_err(|_| KeyError::MalformedKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_counted_in_bits() {
        assert_eq!(bit_length(&[]), 0);
        assert_eq!(bit_length(&[0, 0]), 0);
        assert_eq!(bit_length(&[0, 1]), 1);
        assert_eq!(bit_length(&[0x7f, 0]), 15);
        assert_eq!(bit_length(&[0x80, 0]), 16);
        assert!(check_bits(2047).is_err() && check_bits(2048).is_ok());
        assert!(check_bits(8192).is_ok() && check_bits(8193).is_err());
    }

    #[test]
    fn exponents_are_65537_or_asked_for() {
        let modulus = [0xff; 256];
        let check = |exponent: &[u8], allowed| check_numbers(&modulus, exponent, allowed).is_ok();
        assert!(check(&[1, 0, 1], Exponent::Usual) && check(&[0, 1, 0, 1], Exponent::Usual));
        assert!(!check(&[3], Exponent::Usual) && check(&[3], Exponent::Any));
        for never in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[3, 0, 0, 0, 1], &[1; 9]] {
            assert!(!check(never, Exponent::Usual) && !check(never, Exponent::Any), "{never:?}");
        }
        assert!(check(&[1, 0xff, 0xff, 0xff, 0xff], Exponent::Any));
        assert!(!check(&[2, 0, 0, 0, 1], Exponent::Any));
    }
}
