//! RSA, ECDSA and Ed25519 keys from the crate `graviola`, which is faster than pure Rust and written in Rust and formally verified
//! assembly. It needs no C compiler.
//!
//! The same material makes keys here and in the other backends, and all of them work in one program and in one
//! [`KeySet`](crate::KeySet). There is no setup and no setting for the whole program. Version 0.4.4 does not support everything
//! that pure Rust does. What it does not support is an error when the key is made:
//!
//! - ES512 and ES256K are [`KeyError::UnsupportedByBackend`].
//! - So is an RSA modulus of a length that is not a multiple of 64 bits, such as 2056 bits, and an RSA exponent of 2^32 or more.
//! - So is a point in compressed form.
//! - A private RSA key with two primes of different lengths is [`KeyError::UnequalPrimes`], as in pure Rust.
//! - A CPU without the instructions that the library uses is [`KeyError::CpuUnsupported`]. On x86_64, CPUs have had them since
//!   about 2014.
//!
//! The module exists on x86_64 and aarch64 only, with the feature `graviola`. On other architectures the feature adds nothing, so
//! that a program can have it on everywhere: name the module under `#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]`.
//! The feature needs Rust 1.89.
//!
//! # Security
//!
//! The library takes its randomness from the operating system: for PSS, for new keys, and for ECDSA, where it adds it to the
//! nonce of RFC 6979. It checks every RSA signature before it returns it. It does not blind RSA signatures: it computes them with
//! code that takes the same time and makes the same memory accesses for all private numbers. It wipes the private numbers when the last clone of
//! the key is dropped. Its authors call it very new, and ask for caution.
//!
//! # Examples
//!
//! ```
//! use countersign::{Algorithm, Claims, PublicKey, Verifier, graviola};
//! use core::time::Duration;
//!
//! let private = graviola::generate_rsa(2048)?;
//! let key = graviola::signing_key(&private, Algorithm::Rs256)?;
//! let text = Claims::registered().expires_in(Duration::from_secs(900)).sign(&key)?;
//!
//! // The verifier may use another library.
//! let public = PublicKey::from_pem(&private.public_key()?.to_pem()?)?.rs256()?;
//! let verifier = Verifier::builder(public).accept_any_issuer().no_audience().build()?;
//! assert!(verifier.verify::<()>(&text).is_ok());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::algorithm::Algorithm;
use crate::error::{KeyError, SignError, SignatureError};
use crate::key::asn1;
use crate::key::ec::{Curve, Point};
use crate::key::ed25519;
use crate::key::material::{Material, PrivateKey, PublicKey};
use crate::key::rsa::{PublicNumbers, bit_length, check_bits};
use crate::key::rsa_private::{check_prime_lengths, larger_prime_first};
use crate::key::signature::Signature;
use crate::key::{CheckSignature, MakeSignature, SigningKey, VerifyingKey};
use ::graviola::Error;
use ::graviola::hashing::{Hash, Sha256, Sha384};
use ::graviola::key_agreement::{p256, p384};
use ::graviola::signing::eddsa::{Ed25519SigningKey, Ed25519VerifyingKey};
use ::graviola::signing::{ecdsa, rsa};
use ::graviola::util::is_cpu_supported;
use alloc::vec;
use core::marker::PhantomData;
use zeroize::Zeroizing;

/// The modulus is computed with in words of this many bits, and the library counts on the first word to be full.
const WORD_BITS: usize = 64;

/// More than the bytes of a private key of 8192 bits in PKCS#1.
const LONGEST_PKCS1: usize = 8192;

/// Makes a key that verifies tokens of this algorithm.
///
/// # Errors
///
/// - [`KeyError::CpuUnsupported`] if the CPU lacks instructions that the library uses.
/// - [`KeyError::WrongKeyType`] for an algorithm that needs another type of key.
/// - [`KeyError::UnsupportedByBackend`] for ES512 and ES256K, for an RSA modulus of a length that is not a multiple of 64 bits, for an
///   RSA exponent of 2^32 or more, and for a point in compressed form.
/// - [`KeyError::InvalidPoint`] if the key is not a point of its curve.
/// - [`KeyError::Exponent`] for another exponent than 65537, unless [`PublicKey::any_exponent`] allows it.
pub fn verifying_key(public: &PublicKey, algorithm: Algorithm) -> Result<VerifyingKey, KeyError> {
    check_cpu()?;
    if let Some((verify, _)) = rsa_functions(algorithm) {
        return Ok(VerifyingKey::new(algorithm, public, RsaVerifier::new(public.rsa(algorithm)?, verify)?));
    }
    if let Some(curve) = Curve::of(algorithm) {
        let point = public.point(curve)?;
        return match curve {
            Curve::P256 => ecdsa_verifying::<ecdsa::P256, Sha256>(public, point),
            Curve::P384 => ecdsa_verifying::<ecdsa::P384, Sha384>(public, point),
            Curve::P521 | Curve::Secp256k1 => Err(KeyError::UnsupportedByBackend),
        };
    }
    let Algorithm::Ed25519 = algorithm else { return Err(public.wrong_type(algorithm)) };
    let key = Ed25519VerifyingKey::from_bytes(public.ed25519_bytes()?);
    let verifier = Ed25519Verifier(key.map_err(|_| KeyError::InvalidPoint)?);
    Ok(VerifyingKey::new(algorithm, public, verifier))
}

/// Makes a key that signs tokens of this algorithm.
///
/// # Errors
///
/// - [`KeyError::CpuUnsupported`] if the CPU lacks instructions that the library uses.
/// - [`KeyError::WrongKeyType`] for an algorithm that needs another type of key.
/// - [`KeyError::UnsupportedByBackend`] as for [`verifying_key`].
/// - [`KeyError::MalformedKey`] if the private numbers do not belong to the public ones.
/// - [`KeyError::UnequalPrimes`] if the primes of an RSA key have different lengths.
/// - [`KeyError::Exponent`] for another exponent than 65537, unless [`PrivateKey::any_exponent`] allows it.
pub fn signing_key(private: &PrivateKey, algorithm: Algorithm) -> Result<SigningKey, KeyError> {
    check_cpu()?;
    if let Some((_, sign)) = rsa_functions(algorithm) {
        let (pkcs1, public) = private.checked_rsa(algorithm)?;
        let verifying = verifying_key(public, algorithm)?;
        check_prime_lengths(pkcs1)?;
        // The library subtracts a number below q from one below p, and adds p once if the result is negative. That is enough only
        // if q is the smaller prime.
        let key = rsa::SigningKey::from_pkcs1_der(&larger_prime_first(pkcs1)?);
        let key = key.map_err(|_| KeyError::MalformedKey)?;
        return Ok(SigningKey::new(RsaSigner { key, sign }, verifying));
    }
    if let Some(curve) = Curve::of(algorithm) {
        let number = private.scalar(curve)?.0.bytes();
        return match curve {
            Curve::P256 => {
                let key = p256::StaticPrivateKey::from_bytes(number).map_err(|_| KeyError::MalformedKey)?;
                let point = key.public_key_uncompressed();
                ecdsa_signing::<ecdsa::P256, Sha256>(private, curve, &point, key)
            }
            Curve::P384 => {
                let key = p384::StaticPrivateKey::from_bytes(number).map_err(|_| KeyError::MalformedKey)?;
                let point = key.public_key_uncompressed();
                ecdsa_signing::<ecdsa::P384, Sha384>(private, curve, &point, key)
            }
            Curve::P521 | Curve::Secp256k1 => Err(KeyError::UnsupportedByBackend),
        };
    }
    let Algorithm::Ed25519 = algorithm else { return Err(private.wrong_type(algorithm)) };
    let (seed, beside) = private.seed()?;
    let key = Ed25519SigningKey::from_bytes(seed).map_err(|_| KeyError::MalformedKey)?;
    let public = PublicKey::of_ed25519(&key.public_key().as_bytes())?;
    if beside.is_some_and(|beside| public.ed25519_bytes() != Ok(beside)) {
        return Err(KeyError::MalformedKey);
    }
    Ok(SigningKey::new(Ed25519Signer(key), verifying_key(&public, algorithm)?))
}

/// Generates an RSA key of 2048, 3072, 4096, 6144 or 8192 bits with exponent 65537.
///
/// # Security
///
/// Unlike signing, the time that this takes depends on the private numbers.
///
/// # Errors
///
/// - [`KeyError::CpuUnsupported`] if the CPU lacks instructions that the library uses.
/// - [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`].
/// - [`KeyError::UnsupportedByBackend`] for any other length between these.
/// - [`KeyError::Entropy`] if the library cannot make a key.
///
/// # Examples
///
/// ```
/// use countersign::{KeyError, PrivateKey, graviola};
///
/// let private = graviola::generate_rsa(2048)?.to_secret_pem()?; // to be stored where it is safe
/// assert!(PrivateKey::from_pem(private.expose_secret_text().unwrap_or_default()).is_ok());
///
/// let error = graviola::generate_rsa(2500).unwrap_err();
/// assert_eq!(error, KeyError::UnsupportedByBackend);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn generate_rsa(bits: usize) -> Result<PrivateKey, KeyError> {
    check_cpu()?;
    check_bits(bits)?;
    let size = rsa::KeySize::try_from(bits).map_err(|_| KeyError::UnsupportedByBackend)?;
    let key = rsa::SigningKey::generate(size).map_err(|_| KeyError::Entropy)?;
    let mut place = Zeroizing::new(vec![0; LONGEST_PKCS1]);
    PrivateKey::from_der(key.to_pkcs1_der(&mut place).map_err(|_| KeyError::MalformedKey)?)
}

/// Checks what the library asserts in each of its functions: it would panic there.
fn check_cpu() -> Result<(), KeyError> {
    if is_cpu_supported() { Ok(()) } else { Err(KeyError::CpuUnsupported) }
}

type VerifyRsa = fn(&rsa::VerifyingKey, &[u8], &[u8]) -> Result<(), Error>;
type SignRsa = for<'a> fn(&rsa::SigningKey, &'a mut [u8], &[u8]) -> Result<&'a [u8], Error>;

/// Returns the functions of the library that verify and sign with an RSA algorithm.
fn rsa_functions(algorithm: Algorithm) -> Option<(VerifyRsa, SignRsa)> {
    use rsa::{SigningKey as Sign, VerifyingKey as Verify};
    Some(match algorithm {
        Algorithm::Rs256 => (Verify::verify_pkcs1_sha256, Sign::sign_pkcs1_sha256),
        Algorithm::Rs384 => (Verify::verify_pkcs1_sha384, Sign::sign_pkcs1_sha384),
        Algorithm::Rs512 => (Verify::verify_pkcs1_sha512, Sign::sign_pkcs1_sha512),
        Algorithm::Ps256 => (Verify::verify_pss_sha256, Sign::sign_pss_sha256),
        Algorithm::Ps384 => (Verify::verify_pss_sha384, Sign::sign_pss_sha384),
        Algorithm::Ps512 => (Verify::verify_pss_sha512, Sign::sign_pss_sha512),
        _ => return None,
    })
}

/// Names the reason why the library failed to sign.
fn sign_error(error: Error) -> SignError {
    match error {
        Error::RngFailed => SignError::Entropy,
        _ => SignError::SigningFailed,
    }
}

struct RsaVerifier {
    key: rsa::VerifyingKey,
    modulus_bytes: usize,
    verify: VerifyRsa,
}

impl RsaVerifier {
    fn new(numbers: &PublicNumbers, verify: VerifyRsa) -> Result<Self, KeyError> {
        let modulus = numbers.modulus();
        if !bit_length(modulus).is_multiple_of(WORD_BITS) || u32::try_from(numbers.exponent().get()).is_err()
        {
            return Err(KeyError::UnsupportedByBackend);
        }
        let pkcs1 = asn1::write_public_numbers(modulus, &numbers.exponent_bytes());
        let key = rsa::VerifyingKey::from_pkcs1_der(&pkcs1.map_err(|_| KeyError::MalformedKey)?);
        Ok(Self { key: key.map_err(|_| KeyError::MalformedKey)?, modulus_bytes: modulus.len(), verify })
    }
}

impl CheckSignature for RsaVerifier {
    fn check(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        // RFC 8017 section 8.2.2 step 1: exactly as long as the modulus. Checked here and not only by the library.
        if signature.len() != self.modulus_bytes {
            return Err(SignatureError::Invalid);
        }
        (self.verify)(&self.key, signature, input).map_err(|_| SignatureError::Invalid)
    }
}

struct RsaSigner {
    key: rsa::SigningKey,
    sign: SignRsa,
}

impl MakeSignature for RsaSigner {
    fn make(&self, input: &[u8]) -> Result<Signature, SignError> {
        let mut signature = vec![0; self.key.modulus_len_bytes()];
        let written = (self.sign)(&self.key, &mut signature, input).map_err(sign_error)?.len();
        if written == signature.len() {
            Ok(Signature::from(signature))
        } else {
            Err(SignError::SigningFailed)
        }
    }
}

fn ecdsa_verifying<C, H>(public: &PublicKey, point: &Point) -> Result<VerifyingKey, KeyError>
where
    C: ecdsa::Curve<PublicKey: Send + Sync> + 'static,
    H: Hash + 'static,
{
    let key =
        ecdsa::VerifyingKey::<C>::from_x962_uncompressed(point.encoded()).map_err(|error| match error {
            Error::NotUncompressed => KeyError::UnsupportedByBackend,
            _ => KeyError::InvalidPoint,
        })?;
    let verifier = EcdsaVerifier { key, hash: PhantomData::<fn() -> H> };
    Ok(VerifyingKey::new(point.curve().algorithm(), public, verifier))
}

fn ecdsa_signing<C, H>(
    private: &PrivateKey,
    curve: Curve,
    point: &[u8],
    private_key: C::PrivateKey,
) -> Result<SigningKey, KeyError>
where
    C: ecdsa::Curve<PublicKey: Send + Sync, PrivateKey: Send + Sync> + 'static,
    H: Hash + 'static,
{
    let point = Point::new(curve, point)?;
    if private.scalar(curve)?.1.is_some_and(|beside| *beside != point) {
        return Err(KeyError::MalformedKey);
    }
    let public = PublicKey::of(Material::Ec(point.clone()));
    let signer = EcdsaSigner {
        key: ecdsa::SigningKey::<C> { private_key },
        bytes: curve.bytes().saturating_mul(2),
        hash: PhantomData::<fn() -> H>,
    };
    Ok(SigningKey::new(signer, ecdsa_verifying::<C, H>(&public, &point)?))
}

struct EcdsaVerifier<C: ecdsa::Curve, H> {
    key: ecdsa::VerifyingKey<C>,
    hash: PhantomData<fn() -> H>,
}

impl<C: ecdsa::Curve<PublicKey: Send + Sync>, H: Hash> CheckSignature for EcdsaVerifier<C, H> {
    fn check(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        self.key.verify::<H>(&[input], signature).map_err(|_| SignatureError::Invalid)
    }
}

struct EcdsaSigner<C: ecdsa::Curve, H> {
    key: ecdsa::SigningKey<C>,
    bytes: usize,
    hash: PhantomData<fn() -> H>,
}

impl<C: ecdsa::Curve<PrivateKey: Send + Sync>, H: Hash> MakeSignature for EcdsaSigner<C, H> {
    fn make(&self, input: &[u8]) -> Result<Signature, SignError> {
        let mut place = vec![0; self.bytes];
        self.key.sign::<H>(&[input], &mut place).map(Signature::from_bytes).map_err(sign_error)
    }
}

struct Ed25519Verifier(Ed25519VerifyingKey);

impl CheckSignature for Ed25519Verifier {
    fn check(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let signature: &[u8; 64] = signature.try_into().map_err(|_| SignatureError::Invalid)?;
        if !ed25519::check_signature(signature) {
            return Err(SignatureError::Invalid);
        }
        self.0.verify(signature, input).map_err(|_| SignatureError::Invalid)
    }
}

struct Ed25519Signer(Ed25519SigningKey);

impl MakeSignature for Ed25519Signer {
    fn make(&self, input: &[u8]) -> Result<Signature, SignError> {
        Ok(Signature::from_bytes(&self.0.sign(input)))
    }
}
