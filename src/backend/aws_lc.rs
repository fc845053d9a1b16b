//! RSA, ECDSA, Ed25519 and ML-DSA keys from the crate `aws-lc-rs`, which is faster than pure Rust and written in C and assembly.
//!
//! The same material makes keys here and in pure Rust. Both kinds of key work in one program and in one
//! [`KeySet`](crate::KeySet). Both backends refuse the same keys, with two exceptions: a private RSA key with two primes of
//! different lengths signs here, and is [`KeyError::UnequalPrimes`] in pure Rust; and ES256K is
//! [`KeyError::UnsupportedByBackend`] here. There is no setup and no setting for the whole program. The crate needs a C compiler to
//! be built.
//!
//! # Security
//!
//! The library takes its randomness from the operating system. It blinds every RSA signature and checks it before it returns it,
//! and mixes randomness into every ML-DSA signature. It keeps the private numbers in its own memory, and wipes them when the last
//! clone of the key is dropped.
//!
//! # Examples
//!
//! ```
//! use countersign::{Algorithm, Claims, PublicKey, Verifier, aws_lc};
//! use core::time::Duration;
//!
//! let private = aws_lc::generate_rsa(2048)?;
//! let key = aws_lc::signing_key(&private, Algorithm::Rs256)?;
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
use crate::key::ec::{Curve, Point, Scalar};
use crate::key::ed25519;
use crate::key::material::{Material, PrivateKey, PublicKey};
use crate::key::ml_dsa::{Public, Set};
use crate::key::rsa::check_bits;
use crate::key::signature::Signature;
use crate::key::{CheckSignature, MakeSignature, SigningKey, VerifyingKey};
use alloc::vec;
use aws_lc_rs::agreement;
use aws_lc_rs::encoding::{AsDer, AsRawBytes, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, EcdsaVerificationAlgorithm, Ed25519KeyPair, KeyPair,
    ParsedPublicKey, PqdsaKeyPair, PqdsaSigningAlgorithm, PqdsaVerificationAlgorithm, RsaKeyPair,
    RsaParameters, RsaPublicKeyComponents, RsaSignatureEncoding,
};
use zeroize::Zeroizing;

/// Makes a key that verifies tokens of this algorithm.
///
/// # Errors
///
/// - [`KeyError::WrongKeyType`] for an algorithm that needs another type of key.
/// - [`KeyError::UnsupportedByBackend`] for ES256K.
/// - [`KeyError::InvalidPoint`] if the key is not a point of its curve.
/// - [`KeyError::Exponent`] for another exponent than 65537, unless [`PublicKey::any_exponent`] allows it.
/// - [`KeyError::RestrictedKey`] if the file of an RSA key does not allow the algorithm.
pub fn verifying_key(public: &PublicKey, algorithm: Algorithm) -> Result<VerifyingKey, KeyError> {
    if let Some((parameters, _)) = rsa_parameters(algorithm) {
        return Ok(VerifyingKey::new(algorithm, public, RsaVerifier::new(public, algorithm, parameters)?));
    }
    if let Some(curve) = Curve::of(algorithm) {
        let (parameters, ..) = curve_parameters(curve)?;
        let key = ParsedPublicKey::new(parameters, public.point(curve)?.encoded());
        let verifier = EcdsaVerifier(key.map_err(|_| KeyError::InvalidPoint)?);
        return Ok(VerifyingKey::new(algorithm, public, verifier));
    }
    if let Some(set) = Set::of(algorithm) {
        let (parameters, signing) = ml_dsa_parameters(set);
        let key = ParsedPublicKey::new(parameters, public.ml_dsa(set)?.bytes());
        let key = key.map_err(|_| KeyError::MalformedKey)?;
        let verifier = MlDsaVerifier { key, signature_bytes: signing.signature_len() };
        return Ok(VerifyingKey::new(algorithm, public, verifier));
    }
    let Algorithm::Ed25519 = algorithm else { return Err(public.wrong_type(algorithm)) };
    // The library does not check that the bytes are a point of the curve, so that is checked in Rust.
    public.ed25519()?;
    let key = ParsedPublicKey::new(&signature::ED25519, public.ed25519_bytes()?);
    let verifier = Ed25519Verifier(key.map_err(|_| KeyError::InvalidPoint)?);
    Ok(VerifyingKey::new(algorithm, public, verifier))
}

/// Makes a key that signs tokens of this algorithm.
///
/// # Errors
///
/// - [`KeyError::WrongKeyType`] for an algorithm that needs another type of key.
/// - [`KeyError::UnsupportedByBackend`] for ES256K.
/// - [`KeyError::MalformedKey`] if the private numbers do not belong to the public ones.
/// - [`KeyError::Exponent`] for another exponent than 65537, unless [`PrivateKey::any_exponent`] allows it.
/// - [`KeyError::RestrictedKey`] if the file of an RSA key does not allow the algorithm.
pub fn signing_key(private: &PrivateKey, algorithm: Algorithm) -> Result<SigningKey, KeyError> {
    if let Some((_, encoding)) = rsa_parameters(algorithm) {
        let (pkcs1, public) = private.checked_rsa(algorithm)?;
        let pair = RsaKeyPair::from_der(pkcs1).map_err(|_| KeyError::MalformedKey)?;
        return Ok(SigningKey::new(RsaSigner { pair, encoding }, verifying_key(public, algorithm)?));
    }
    if let Some(curve) = Curve::of(algorithm) {
        let (_, parameters, agreement) = curve_parameters(curve)?;
        let (scalar, beside) = private.scalar(curve)?;
        let point = public_point(scalar, agreement)?;
        if beside.is_some_and(|beside| *beside != point) {
            return Err(KeyError::MalformedKey);
        }
        let pair = EcdsaKeyPair::from_private_key_and_public_key(parameters, scalar.bytes(), point.encoded())
            .map_err(|_| KeyError::MalformedKey)?;
        let public = PublicKey::of(Material::Ec(point));
        return Ok(SigningKey::new(EcdsaSigner(pair), verifying_key(&public, algorithm)?));
    }
    if let Some(set) = Set::of(algorithm) {
        let private = private.ml_dsa(set)?;
        let (_, parameters) = ml_dsa_parameters(set);
        let pair = PqdsaKeyPair::from_seed(parameters, private.seed()).map_err(|_| KeyError::MalformedKey)?;
        let public = Public::new(set, pair.public_key().as_ref())?;
        private.check(&public, || pair.private_key().as_raw_bytes().ok())?;
        let public = PublicKey::of(Material::MlDsa(public));
        return Ok(SigningKey::new(MlDsaSigner(pair), verifying_key(&public, algorithm)?));
    }
    let Algorithm::Ed25519 = algorithm else { return Err(private.wrong_type(algorithm)) };
    let (seed, beside) = private.seed()?;
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyError::MalformedKey)?;
    let public = PublicKey::of_ed25519(pair.public_key().as_ref())?;
    if beside.is_some_and(|beside| public.ed25519_bytes() != Ok(beside)) {
        return Err(KeyError::MalformedKey);
    }
    Ok(SigningKey::new(Ed25519Signer(pair), verifying_key(&public, algorithm)?))
}

/// Generates an RSA key of 2048, 3072, 4096 or 8192 bits with exponent 65537.
///
/// # Errors
///
/// - [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`].
/// - [`KeyError::UnsupportedByBackend`] for any other length between these.
/// - [`KeyError::Entropy`] if the library cannot make a key.
///
/// # Examples
///
/// ```
/// use countersign::{KeyError, PrivateKey, aws_lc};
///
/// let private = aws_lc::generate_rsa(2048)?.to_secret_pem()?; // to be stored where it is safe
/// assert!(PrivateKey::from_pem(private.expose_secret_text().unwrap_or_default()).is_ok());
///
/// let error = aws_lc::generate_rsa(2500).unwrap_err();
/// assert_eq!(error, KeyError::UnsupportedByBackend);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn generate_rsa(bits: usize) -> Result<PrivateKey, KeyError> {
    check_bits(bits)?;
    let offered = [
        (2048, KeySize::Rsa2048),
        (3072, KeySize::Rsa3072),
        (4096, KeySize::Rsa4096),
        (8192, KeySize::Rsa8192),
    ];
    let size = offered.into_iter().find(|(length, _)| *length == bits);
    let (_, size) = size.ok_or(KeyError::UnsupportedByBackend)?;
    let pair = RsaKeyPair::generate(size).map_err(|_| KeyError::Entropy)?;
    let pkcs8: Pkcs8V1Der<'_> = pair.as_der().map_err(|_| KeyError::MalformedKey)?;
    PrivateKey::from_der(&Zeroizing::new(pkcs8.as_ref().to_vec()))
}

/// Returns the names of an RSA algorithm in the library: parameters to verify with, and the encoding to sign with.
fn rsa_parameters(algorithm: Algorithm) -> Option<(&'static RsaParameters, &'static RsaSignatureEncoding)> {
    Some(match algorithm {
        Algorithm::Rs256 => (&signature::RSA_PKCS1_2048_8192_SHA256, &signature::RSA_PKCS1_SHA256),
        Algorithm::Rs384 => (&signature::RSA_PKCS1_2048_8192_SHA384, &signature::RSA_PKCS1_SHA384),
        Algorithm::Rs512 => (&signature::RSA_PKCS1_2048_8192_SHA512, &signature::RSA_PKCS1_SHA512),
        Algorithm::Ps256 => (&signature::RSA_PSS_2048_8192_SHA256, &signature::RSA_PSS_SHA256),
        Algorithm::Ps384 => (&signature::RSA_PSS_2048_8192_SHA384, &signature::RSA_PSS_SHA384),
        Algorithm::Ps512 => (&signature::RSA_PSS_2048_8192_SHA512, &signature::RSA_PSS_SHA512),
        _ => return None,
    })
}

/// Returns the names of a curve in the library: to verify with, to sign with, and to compute the public half with.
fn curve_parameters(
    curve: Curve,
) -> Result<
    (&'static EcdsaVerificationAlgorithm, &'static EcdsaSigningAlgorithm, &'static agreement::Algorithm),
    KeyError,
> {
    match curve {
        Curve::P256 => Ok((
            &signature::ECDSA_P256_SHA256_FIXED,
            &signature::ECDSA_P256_SHA256_FIXED_SIGNING,
            &agreement::ECDH_P256,
        )),
        Curve::P384 => Ok((
            &signature::ECDSA_P384_SHA384_FIXED,
            &signature::ECDSA_P384_SHA384_FIXED_SIGNING,
            &agreement::ECDH_P384,
        )),
        Curve::P521 => Ok((
            &signature::ECDSA_P521_SHA512_FIXED,
            &signature::ECDSA_P521_SHA512_FIXED_SIGNING,
            &agreement::ECDH_P521,
        )),
        // The library supports it, but takes four times as long as the crate `k256`.
        Curve::Secp256k1 => Err(KeyError::UnsupportedByBackend),
    }
}

/// Returns the names of an ML-DSA parameter set in the library: to verify with, and to sign with.
const fn ml_dsa_parameters(
    set: Set,
) -> (&'static PqdsaVerificationAlgorithm, &'static PqdsaSigningAlgorithm) {
    match set {
        Set::MlDsa44 => (&signature::ML_DSA_44, &signature::ML_DSA_44_SIGNING),
        Set::MlDsa65 => (&signature::ML_DSA_65, &signature::ML_DSA_65_SIGNING),
        Set::MlDsa87 => (&signature::ML_DSA_87, &signature::ML_DSA_87_SIGNING),
    }
}

/// Computes the public point of a private number.
fn public_point(scalar: &Scalar, agreement: &'static agreement::Algorithm) -> Result<Point, KeyError> {
    let key = agreement::PrivateKey::from_private_key(agreement, scalar.bytes())
        .map_err(|_| KeyError::MalformedKey)?;
    let point = key.compute_public_key().map_err(|_| KeyError::MalformedKey)?;
    Point::new(scalar.curve(), point.as_ref())
}

struct EcdsaVerifier(ParsedPublicKey);

impl CheckSignature for EcdsaVerifier {
    fn check(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        self.0.verify_sig(input, signature).map_err(|_| SignatureError::Invalid)
    }
}

struct EcdsaSigner(EcdsaKeyPair);

impl MakeSignature for EcdsaSigner {
    fn make(&self, input: &[u8]) -> Result<Signature, SignError> {
        let signature = self.0.sign(&SystemRandom::new(), input).map_err(|_| SignError::SigningFailed)?;
        Ok(Signature::from_bytes(signature.as_ref()))
    }
}

struct Ed25519Verifier(ParsedPublicKey);

impl CheckSignature for Ed25519Verifier {
    fn check(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let signature: &[u8; 64] = signature.try_into().map_err(|_| SignatureError::Invalid)?;
        if !ed25519::check_signature(signature) {
            return Err(SignatureError::Invalid);
        }
        self.0.verify_sig(input, signature).map_err(|_| SignatureError::Invalid)
    }
}

struct Ed25519Signer(Ed25519KeyPair);

impl MakeSignature for Ed25519Signer {
    fn make(&self, input: &[u8]) -> Result<Signature, SignError> {
        let signature = self.0.try_sign(input).map_err(|_| SignError::SigningFailed)?;
        Ok(Signature::from_bytes(signature.as_ref()))
    }
}

struct MlDsaVerifier {
    key: ParsedPublicKey,
    signature_bytes: usize,
}

impl CheckSignature for MlDsaVerifier {
    fn check(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        // FIPS 204 section 3.6.2. Checked here and not only by the library.
        if signature.len() != self.signature_bytes {
            return Err(SignatureError::Invalid);
        }
        self.key.verify_sig(input, signature).map_err(|_| SignatureError::Invalid)
    }
}

struct MlDsaSigner(PqdsaKeyPair);

impl MakeSignature for MlDsaSigner {
    fn make(&self, input: &[u8]) -> Result<Signature, SignError> {
        let mut signature = vec![0; self.0.algorithm().signature_len()];
        self.0.sign(input, &mut signature).map_err(|_| SignError::SigningFailed)?;
        Ok(Signature::from(signature))
    }
}

struct RsaVerifier {
    key: ParsedPublicKey,
    modulus_bytes: usize,
}

impl RsaVerifier {
    fn new(
        public: &PublicKey,
        algorithm: Algorithm,
        parameters: &'static RsaParameters,
    ) -> Result<Self, KeyError> {
        let numbers = public.rsa(algorithm)?;
        let key = RsaPublicKeyComponents { n: numbers.modulus(), e: &*numbers.exponent_bytes() }
            .to_parsed_public_key(parameters)
            .map_err(|_| KeyError::MalformedKey)?;
        Ok(Self { key, modulus_bytes: numbers.modulus().len() })
    }
}

impl CheckSignature for RsaVerifier {
    fn check(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        // RFC 8017 section 8.2.2 step 1: exactly as long as the modulus. Checked here and not only by the library.
        if signature.len() != self.modulus_bytes {
            return Err(SignatureError::Invalid);
        }
        self.key.verify_sig(input, signature).map_err(|_| SignatureError::Invalid)
    }
}

struct RsaSigner {
    pair: RsaKeyPair,
    encoding: &'static RsaSignatureEncoding,
}

impl MakeSignature for RsaSigner {
    fn make(&self, input: &[u8]) -> Result<Signature, SignError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(self.encoding, &SystemRandom::new(), input, &mut signature)
            .map_err(|_| SignError::SigningFailed)?;
        Ok(Signature::from(signature))
    }
}
