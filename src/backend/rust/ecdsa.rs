//! ECDSA keys ([RFC 7518 section 3.4](https://www.rfc-editor.org/rfc/rfc7518#section-3.4)), made with the curve crates of
//! RustCrypto. No type of these crates is visible outside this file.

use crate::error::KeyError;
use crate::key::ec::{Curve, Point, Scalar};
use crate::key::material::{Material, PublicKey};

/// Writes the keys of one curve.
macro_rules! curve {
    ($feature:literal, $library:ident, $curve:ident, $method:ident, $name:literal, $unused_bits:literal, $adapt:expr) => {
        #[cfg(feature = $feature)]
        pub(crate) mod $library {
            use crate::error::{KeyError, SignError, SignatureError};
            use crate::key::ec::{Curve, Point, Scalar};
            use crate::key::entropy::Entropy;
            use crate::key::material::{Material, PrivateKey, PublicKey, Secret};
            use crate::key::signature::Signature;
            use crate::key::{CheckSignature, MakeSignature, SigningKey, VerifyingKey};
            use zeroize::Zeroizing;
            use ::$library::ecdsa;
            use ::$library::ecdsa::signature::{Signer as _, Verifier as _};

            const CURVE: Curve = Curve::$curve;
            /// How many random numbers may be out of range in a row before generation fails. Each is out of range with a probability
            /// of at most 1/2, so good randomness never reaches this limit.
            const TRIES: usize = 128;

            impl PublicKey {
                #[doc = concat!("Makes a key that verifies ", $name, " tokens.")]
                ///
                /// The key accepts both values of `s` that fit a signature, as RFC 7518 and RFC 8812 do.
                ///
                /// # Errors
                ///
                /// - [`KeyError::WrongKeyType`] for a key of another type or on another curve.
                /// - [`KeyError::InvalidPoint`] if the point is not on the curve.
                pub fn $method(&self) -> Result<VerifyingKey, KeyError> {
                    let key = ecdsa::VerifyingKey::from_sec1_bytes(self.point(CURVE)?.encoded());
                    let verifier = Verifier(key.map_err(|_| KeyError::InvalidPoint)?);
                    Ok(VerifyingKey::new(CURVE.algorithm(), self, verifier))
                }
            }

            impl PrivateKey {
                #[doc = concat!("Makes a key that signs ", $name, " tokens.")]
                ///
                /// # Security
                ///
                /// The nonce of each signature is derived from the key and the message (RFC 6979), so signing needs no
                /// randomness. The private number is wiped when the key is dropped.
                ///
                /// # Errors
                ///
                /// - [`KeyError::WrongKeyType`] for a key of another type or on another curve.
                /// - [`KeyError::MalformedKey`] if the number is out of range, or does not belong to the public key in its file.
                pub fn $method(&self) -> Result<SigningKey, KeyError> {
                    let (scalar, beside) = self.scalar(CURVE)?;
                    let (signer, point) = signer(scalar)?;
                    if beside.is_some_and(|beside| *beside != point) {
                        return Err(KeyError::MalformedKey);
                    }
                    let verifying = PublicKey::of(Material::Ec(point)).$method()?;
                    Ok(SigningKey::new(signer, verifying))
                }
            }

            /// Computes the public point of a private number.
            pub(super) fn public_point(scalar: &Scalar) -> Result<Point, KeyError> {
                signer(scalar).map(|(_, point)| point)
            }

            /// Computes the second coordinate of a compressed point.
            pub(super) fn uncompressed(point: &Point) -> Result<Point, KeyError> {
                let key = ecdsa::VerifyingKey::from_sec1_bytes(point.encoded());
                let point = key.map_err(|_| KeyError::InvalidPoint)?.to_sec1_point(false);
                Point::new(CURVE, point.as_bytes())
            }

            fn signer(scalar: &Scalar) -> Result<(Signer, Point), KeyError> {
                let key = ecdsa::SigningKey::from_slice(scalar.bytes()).map_err(|_| KeyError::MalformedKey)?;
                let point = Point::new(CURVE, key.verifying_key().to_sec1_point(false).as_bytes())?;
                Ok((Signer(key), point))
            }

            /// Generates a key. A number that is out of range is replaced by another one.
            pub(crate) fn generate(entropy: &(impl Entropy + ?Sized)) -> Result<PrivateKey, KeyError> {
                let mut number = Zeroizing::new(alloc::vec![0; CURVE.bytes()]);
                for _ in 0..TRIES {
                    entropy.fill(&mut number)?;
                    if let Some(first) = number.first_mut() {
                        *first &= 0xff >> $unused_bits;
                    }
                    let scalar = Scalar::new(CURVE, &number)?;
                    if let Ok(point) = public_point(&scalar) {
                        return Ok(PrivateKey(Secret::Ec { scalar, public: Some(point) }));
                    }
                }
                Err(KeyError::Entropy)
            }

            struct Verifier(ecdsa::VerifyingKey);

            impl CheckSignature for Verifier {
                fn check(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
                    // Checks the length, and that both numbers are in range.
                    let signature =
                        ecdsa::Signature::from_slice(signature).map_err(|_| SignatureError::Invalid)?;
                    let adapt: fn(ecdsa::Signature) -> ecdsa::Signature = $adapt;
                    self.0.verify(input, &adapt(signature)).map_err(|_| SignatureError::Invalid)
                }
            }

            struct Signer(ecdsa::SigningKey);

            impl MakeSignature for Signer {
                fn make(&self, input: &[u8]) -> Result<Signature, SignError> {
                    let signature: ecdsa::Signature =
                        self.0.try_sign(input).map_err(|_| SignError::SigningFailed)?;
                    Ok(Signature::from_bytes(&signature.to_bytes()))
                }
            }
        }
    };
}

/// Computes the public half of a private number.
pub(crate) fn public_key(scalar: &Scalar) -> Result<PublicKey, KeyError> {
    let point = match scalar.curve() {
        #[cfg(feature = "ecdsa")]
        Curve::P256 => p256::public_point(scalar),
        #[cfg(feature = "ecdsa")]
        Curve::P384 => p384::public_point(scalar),
        #[cfg(feature = "p521")]
        Curve::P521 => p521::public_point(scalar),
        #[cfg(feature = "k256")]
        Curve::Secp256k1 => k256::public_point(scalar),
        #[allow(unreachable_patterns, reason = "only reached if a feature is off")]
        _ => Err(KeyError::UnsupportedByBackend),
    };
    point.map(|point| PublicKey::of(Material::Ec(point)))
}

/// Computes the second coordinate of a compressed point.
pub(crate) fn uncompressed(point: &Point) -> Result<Point, KeyError> {
    match point.curve() {
        #[cfg(feature = "ecdsa")]
        Curve::P256 => p256::uncompressed(point),
        #[cfg(feature = "ecdsa")]
        Curve::P384 => p384::uncompressed(point),
        #[cfg(feature = "p521")]
        Curve::P521 => p521::uncompressed(point),
        #[cfg(feature = "k256")]
        Curve::Secp256k1 => k256::uncompressed(point),
        #[allow(unreachable_patterns, reason = "only reached if a feature is off")]
        _ => Err(KeyError::UnsupportedByBackend),
    }
}

curve!("ecdsa", p256, P256, es256, "ES256", 0, core::convert::identity);
curve!("ecdsa", p384, P384, es384, "ES384", 0, core::convert::identity);
curve!("p521", p521, P521, es512, "ES512", 7, core::convert::identity);
// The crate `k256` refuses the larger value of `s`, but RFC 8812 allows it.
curve!("k256", k256, Secp256k1, es256k, "ES256K", 0, |signature| signature.normalize_s());
