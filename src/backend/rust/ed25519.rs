//! Ed25519 keys ([RFC 8037](https://www.rfc-editor.org/rfc/rfc8037)), made with the crate `ed25519-dalek`. No type of that crate
//! is visible outside this file.

use crate::algorithm::Algorithm;
use crate::error::{KeyError, SignError, SignatureError};
use crate::key::ed25519;
use crate::key::entropy::Entropy;
use crate::key::material::{Material, PrivateKey, PublicKey, Secret};
use crate::key::signature::Signature;
use crate::key::{CheckSignature, MakeSignature, SigningKey, VerifyingKey};
use alloc::boxed::Box;
use ed25519_dalek::Signer as _;
use zeroize::Zeroizing;

impl PublicKey {
    /// Makes a key that verifies EdDSA tokens with Ed25519, under either of its names: `EdDSA` and `Ed25519`.
    ///
    /// The key and the point in each signature must be canonical and not of small order, as `verify_strict` of ed25519-dalek
    /// requires.
    ///
    /// # Errors
    ///
    /// - [`KeyError::WrongKeyType`] for a key of another type.
    /// - [`KeyError::InvalidPoint`] if the key is not a point of the curve.
    pub fn ed25519(&self) -> Result<VerifyingKey, KeyError> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(self.ed25519_bytes()?);
        let verifier = Verifier(key.map_err(|_| KeyError::InvalidPoint)?);
        Ok(VerifyingKey::new(Algorithm::Ed25519, self, verifier))
    }
}

impl PrivateKey {
    /// Makes a key that signs EdDSA tokens with Ed25519.
    ///
    /// # Security
    ///
    /// Signatures are deterministic, so signing needs no randomness. The private numbers are wiped when the key is dropped.
    ///
    /// # Errors
    ///
    /// - [`KeyError::WrongKeyType`] for a key of another type.
    /// - [`KeyError::MalformedKey`] if the private key does not belong to the public key in its file.
    pub fn ed25519(&self) -> Result<SigningKey, KeyError> {
        let (seed, beside) = self.seed()?;
        let signer = Signer(ed25519_dalek::SigningKey::from_bytes(seed));
        let public = signer.0.verifying_key().to_bytes();
        if beside.is_some_and(|beside| *beside != public) {
            return Err(KeyError::MalformedKey);
        }
        let verifying = PublicKey::of(Material::Ed25519(public)).ed25519()?;
        Ok(SigningKey::new(signer, verifying))
    }
}

/// Computes the public half of a seed.
pub(crate) fn public_key(seed: &[u8; 32]) -> PublicKey {
    PublicKey::of(Material::Ed25519(public_bytes(seed)))
}

/// Computes the bytes of the public half of a seed.
fn public_bytes(seed: &[u8; 32]) -> [u8; 32] {
    ed25519_dalek::SigningKey::from_bytes(seed).verifying_key().to_bytes()
}

/// Generates a key from 32 random bytes.
pub(crate) fn generate(entropy: &(impl Entropy + ?Sized)) -> Result<PrivateKey, KeyError> {
    let mut seed = Box::new(Zeroizing::new([0; 32]));
    entropy.fill(seed.as_mut_slice())?;
    let public = Some(public_bytes(&seed));
    Ok(PrivateKey(Secret::Ed25519 { seed, public }))
}

struct Verifier(ed25519_dalek::VerifyingKey);

impl CheckSignature for Verifier {
    fn check(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let signature: &[u8; 64] = signature.try_into().map_err(|_| SignatureError::Invalid)?;
        if !ed25519::check_signature(signature) {
            return Err(SignatureError::Invalid);
        }
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        self.0.verify_strict(input, &signature).map_err(|_| SignatureError::Invalid)
    }
}

struct Signer(ed25519_dalek::SigningKey);

impl MakeSignature for Signer {
    fn make(&self, input: &[u8]) -> Result<Signature, SignError> {
        let signature = self.0.try_sign(input).map_err(|_| SignError::SigningFailed)?;
        Ok(Signature::from_bytes(&signature.to_bytes()))
    }
}
