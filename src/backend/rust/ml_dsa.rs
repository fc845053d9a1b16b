//! ML-DSA keys ([RFC 9964](https://www.rfc-editor.org/rfc/rfc9964)), made with the crate `ml-dsa`. No type of that crate is
//! visible outside this file.

use crate::algorithm::Algorithm;
use crate::error::{EntropyError, KeyError};
use crate::key::entropy::Entropy;
use crate::key::material::{Material, PrivateKey, PublicKey, Secret};
use crate::key::ml_dsa::{Private, Set};
use ml_dsa::signature::rand_core::{TryCryptoRng, TryRng};

/// Writes the keys of one parameter set. A program that names one set links the code of this set only.
macro_rules! parameters {
    ($module:ident, $set:ident, $method:ident, $method_with:ident, $name:literal) => {
        mod $module {
            use crate::backend::rust::ml_dsa::Random;
            use crate::error::{KeyError, SignError, SignatureError};
            use crate::key::entropy::Entropy;
            use crate::key::material::{Material, PrivateKey, PublicKey};
            use crate::key::ml_dsa::{Private, Public, Set};
            use crate::key::signature::Signature;
            use crate::key::{CheckSignature, MakeSignature, SigningKey, VerifyingKey};
            use alloc::boxed::Box;
            use alloc::sync::Arc;
            use zeroize::Zeroizing;

            type Parameters = ::ml_dsa::$set;
            type Expanded = ::ml_dsa::ExpandedSigningKey<Parameters>;

            const SET: Set = Set::$set;

            impl PublicKey {
                #[doc = concat!("Makes a key that verifies ", $name, " tokens: pure ML-DSA with an empty context.")]
                ///
                /// # Errors
                ///
                /// [`KeyError::WrongKeyType`] for a key of another type or with other parameters.
                pub fn $method(&self) -> Result<VerifyingKey, KeyError> {
                    let key = self.ml_dsa(SET)?.bytes().try_into().map_err(|_| KeyError::MalformedKey)?;
                    let verifier = Verifier(::ml_dsa::VerifyingKey::decode(key));
                    Ok(VerifyingKey::new(SET.algorithm(), self, verifier))
                }
            }

            impl PrivateKey {
                #[doc = concat!("Makes a key that signs ", $name, " tokens, with the operating system's randomness.")]
                ///
                /// # Security
                ///
                /// Each signature draws 32 bytes and mixes them with the key and the message (the hedged variant of FIPS 204
                /// section 3.4). So a signature is different each time, and a source that repeats itself does no harm. The seed
                /// and the numbers made from it are wiped when the key is dropped.
                ///
                /// # Errors
                ///
                /// - [`KeyError::WrongKeyType`] for a key of another type or with other parameters.
                /// - [`KeyError::MalformedKey`] if the seed does not belong to the public key or the expanded key in its file.
                #[cfg(feature = "getrandom")]
                pub fn $method(&self) -> Result<SigningKey, KeyError> {
                    self.$method_with(crate::key::entropy::SystemEntropy::new())
                }

                #[doc = concat!("Makes a key that signs ", $name, " tokens, with the given source of randomness.")]
                ///
                /// # Errors
                ///
                #[doc = concat!("- [`KeyError::WrongKeyType`] for a key of another type or with other parameters.")]
                /// - [`KeyError::MalformedKey`] if the seed does not belong to the public key or the expanded key in its file.
                pub fn $method_with(&self, entropy: impl Entropy + 'static) -> Result<SigningKey, KeyError> {
                    let (key, verifier, public) = expand(self.ml_dsa(SET)?)?;
                    let public = PublicKey::of(Material::MlDsa(public));
                    let verifying = VerifyingKey::new(SET.algorithm(), &public, verifier);
                    Ok(SigningKey::new(Signer { key, entropy: Arc::new(entropy) }, verifying))
                }
            }

            /// Computes the keys of a seed, and checks those from the same file.
            fn expand(private: &Private) -> Result<(Box<Expanded>, Verifier, Public), KeyError> {
                let key = Box::new(Expanded::from_seed(private.seed().into()));
                let verifying = key.verifying_key();
                let public = Public::new(SET, &verifying.encode())?;
                private.check(&public, || {
                    // The crate advises against expanded keys. Here one is compared, and never kept.
                    #[expect(deprecated)]
                    let expanded = key.to_expanded();
                    Some(Zeroizing::new(expanded))
                })?;
                Ok((key, Verifier(verifying), public))
            }

            /// Computes the public half of a seed.
            pub(super) fn public_half(private: &Private) -> Result<Public, KeyError> {
                expand(private).map(|(_, _, public)| public)
            }

            struct Verifier(::ml_dsa::VerifyingKey<Parameters>);

            impl CheckSignature for Verifier {
                fn check(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
                    // Checks the length, the order of the hints, and the size of the numbers.
                    let signature = ::ml_dsa::Signature::<Parameters>::try_from(signature)
                        .map_err(|_| SignatureError::Invalid)?;
                    let valid = self.0.verify_with_context(input, &[], &signature);
                    if valid { Ok(()) } else { Err(SignatureError::Invalid) }
                }
            }

            struct Signer {
                /// In a block of its own, so that a move of the key leaves no copy.
                key: Box<Expanded>,
                entropy: Arc<dyn Entropy>,
            }

            impl MakeSignature for Signer {
                fn make(&self, input: &[u8]) -> Result<Signature, SignError> {
                    let mut random = Random { entropy: &*self.entropy, failed: false };
                    match self.key.sign_randomized(input, &[], &mut random) {
                        Ok(signature) => Ok(Signature::from_bytes(&signature.encode())),
                        Err(_) if random.failed => Err(SignError::Entropy),
                        Err(_) => Err(SignError::SigningFailed),
                    }
                }
            }
        }
    };
}

parameters!(ml_dsa_44, MlDsa44, ml_dsa_44, ml_dsa_44_with, "ML-DSA-44");
parameters!(ml_dsa_65, MlDsa65, ml_dsa_65, ml_dsa_65_with, "ML-DSA-65");
parameters!(ml_dsa_87, MlDsa87, ml_dsa_87, ml_dsa_87_with, "ML-DSA-87");

/// Computes the public half of a seed, and checks the keys from the same file.
pub(crate) fn public_key(private: &Private) -> Result<PublicKey, KeyError> {
    let public = match private.set() {
        Set::MlDsa44 => ml_dsa_44::public_half(private),
        Set::MlDsa65 => ml_dsa_65::public_half(private),
        Set::MlDsa87 => ml_dsa_87::public_half(private),
    };
    public.map(|public| PublicKey::of(Material::MlDsa(public)))
}

/// Generates a key from 32 random bytes.
pub(crate) fn generate(
    algorithm: Algorithm,
    entropy: &(impl Entropy + ?Sized),
) -> Result<PrivateKey, KeyError> {
    let set = Set::of(algorithm).ok_or(KeyError::UnsupportedByBackend)?;
    let private = Private::generate(set, |seed| entropy.fill(seed).map_err(KeyError::from))?;
    Ok(PrivateKey(Secret::MlDsa(private)))
}

/// Hands an [`Entropy`] to the crate, and remembers whether it failed, because the crate's error does not say so.
struct Random<'a> {
    entropy: &'a dyn Entropy,
    failed: bool,
}

impl TryRng for Random<'_> {
    type Error = EntropyError;

    fn try_next_u32(&mut self) -> Result<u32, EntropyError> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, EntropyError> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.entropy.fill(bytes).inspect_err(|_| self.failed = true)
    }
}

impl TryCryptoRng for Random<'_> {}
