//! Makes keys and key material from one JSON Web Key
//! ([RFC 7518 section 6](https://www.rfc-editor.org/rfc/rfc7518#section-6),
//! [RFC 8037 section 2](https://www.rfc-editor.org/rfc/rfc8037#section-2),
//! [RFC 9964 section 3](https://www.rfc-editor.org/rfc/rfc9964#section-3)).

use crate::algorithm::Algorithm;
use crate::backend::rust::hmac::HmacKey;
use crate::error::KeyError;
use crate::jwk::error::JwkError;
use crate::jwk::read::Jwk;
use crate::jwk::thumbprint::Thumbprint;
use crate::key::VerifyingKey;
#[cfg(all(feature = "private-keys", feature = "rsa-verify"))]
use crate::key::crt::PrivateNumbers;
#[cfg(feature = "private-keys")]
use crate::key::ec::Scalar;
use crate::key::ec::{Curve, Point};
use crate::key::material::{Material, PublicKey};
use crate::key::ml_dsa;
#[cfg(feature = "private-keys")]
use crate::key::{
    SigningKey,
    entropy::Entropy,
    material::{PrivateKey, Secret},
};
use crate::secret::SecretBytes;
#[cfg(feature = "private-keys")]
use alloc::boxed::Box;
#[cfg(feature = "private-keys")]
use zeroize::Zeroizing;

/// The members that only a private key or a secret has.
const PRIVATE: [&str; 9] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

impl Jwk<'_> {
    /// Makes an HMAC key of this algorithm, with the `kid` of the JWK as its name.
    ///
    /// # Errors
    ///
    /// - [`JwkError::NotAllowed`] unless `use` is absent or `sig`, `key_ops` is absent or holds `sign` or `verify`, and `alg` is
    ///   absent or names this algorithm; [`JwkError::UnsupportedValue`] for an unknown `alg`.
    /// - [`KeyError::InvalidKeyId`] for an empty `kid`.
    /// - Otherwise as [`secret`](Self::secret) and [`HmacKey::new`].
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{Algorithm, jwk::Jwk};
    ///
    /// // The key of RFC 7515 appendix A.1.
    /// let text = r#"{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}"#;
    /// assert!(Jwk::parse(text)?.hmac_key(Algorithm::Hs256).is_ok());
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn hmac_key(&self, algorithm: Algorithm) -> Result<HmacKey, KeyError> {
        self.check_purpose(algorithm, &["sign", "verify"])?;
        let key = HmacKey::new(algorithm, &self.secret()?)?;
        self.key_id().map_or(Ok(key.clone()), |key_id| key.with_key_id(key_id))
    }

    /// Returns the secret of a key of type `oct`, whatever its `use`, `key_ops` and `alg`.
    ///
    /// # Errors
    ///
    /// [`JwkError::NotASecret`] for another `kty`; [`JwkError::MissingMember`] or [`JwkError::NotBase64url`] for `k`.
    pub fn secret(&self) -> Result<SecretBytes, KeyError> {
        if self.key_type() != "oct" {
            return Err(KeyError::Jwk(JwkError::NotASecret));
        }
        let mut secret = self.bytes("k")?;
        Ok(SecretBytes::from(core::mem::take(&mut *secret)))
    }

    /// Computes the SHA-256 thumbprint of the key. A private key has that of its public half.
    ///
    /// # Security
    ///
    /// The thumbprint of a secret helps to guess it, so do not publish it. Secrets of fewer than 32 bytes have none.
    ///
    /// # Errors
    ///
    /// - [`KeyError::SecretTooShort`] for a secret of fewer than 32 bytes.
    /// - Otherwise as `public_key`, except that private members are ignored.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::jwk::Jwk;
    ///
    /// // RFC 8037 appendix A.3.
    /// let text = r#"{"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// assert_eq!(Jwk::parse(text)?.thumbprint()?.to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn thumbprint(&self) -> Result<Thumbprint, KeyError> {
        const MINIMUM: usize = 32;
        if self.key_type() == "oct" {
            let secret = self.secret()?;
            let bytes = secret.expose_secret().len();
            if bytes < MINIMUM {
                return Err(KeyError::SecretTooShort { bytes, minimum: MINIMUM });
            }
            return Ok(Thumbprint::of(&secret.members()));
        }
        self.numbers()?.thumbprint()
    }
}

/// The part that needs key pairs.
impl Jwk<'_> {
    /// Returns the material of a public key, whatever its `use`, `key_ops` and `alg`.
    ///
    /// # Errors
    ///
    /// - [`KeyError::Jwk`] names the member: [`JwkError::PrivateMember`] for a private key, [`JwkError::Secret`] for `oct`,
    ///   [`JwkError::UnsupportedValue`] for another `kty` or `crv`; [`JwkError::MissingMember`], [`JwkError::NotBase64url`],
    ///   [`JwkError::WrongLength`], [`JwkError::LeadingZero`] for the numbers.
    /// - [`KeyError::ModulusTooSmall`], [`KeyError::ModulusTooLarge`], [`KeyError::Exponent`]; [`KeyError::SmallFactor`],
    ///   [`KeyError::Roca`], [`KeyError::ClosePrimes`] for a modulus that can be factored.
    /// - [`KeyError::InvalidPoint`] for an Ed25519 key that is not canonical or of small order.
    /// - [`KeyError::UnsupportedByBackend`] for an RSA key without the feature `rsa-verify`.
    pub fn public_key(&self) -> Result<PublicKey, KeyError> {
        if let Some(member) = PRIVATE.into_iter().find(|member| self.key_type() != "oct" && self.has(member))
        {
            return Err(KeyError::Jwk(JwkError::PrivateMember { member }));
        }
        self.numbers()
    }

    /// Makes a key that verifies tokens of this algorithm, with the `kid` of the JWK as its name.
    ///
    /// # Errors
    ///
    /// - [`JwkError::NotAllowed`] unless `use` is absent or `sig`, `key_ops` is absent or holds `verify`, and `alg` is absent or
    ///   names this algorithm; [`JwkError::UnsupportedValue`] for an unknown `alg`.
    /// - [`KeyError::InvalidKeyId`] for an empty `kid`.
    /// - Otherwise as [`public_key`](Self::public_key) and [`PublicKey::verifying_key`].
    pub fn verifying_key(&self, algorithm: Algorithm) -> Result<VerifyingKey, KeyError> {
        self.check_purpose(algorithm, &["verify"])?;
        let key = self.public_key()?.verifying_key(algorithm)?;
        self.key_id().map_or(Ok(key.clone()), |key_id| key.with_key_id(key_id))
    }

    /// Reads the public numbers, whether there are private ones or not.
    fn numbers(&self) -> Result<PublicKey, KeyError> {
        match self.key_type() {
            #[cfg(feature = "rsa-verify")]
            "RSA" => PublicKey::from_modulus_and_exponent(&self.number("n")?, &self.number("e")?),
            #[cfg(not(feature = "rsa-verify"))]
            "RSA" => Err(KeyError::UnsupportedByBackend),
            "EC" => {
                let curve = self.curve()?;
                let [x, y] = [self.exactly("x", curve.bytes())?, self.exactly("y", curve.bytes())?];
                let point = Point::new(curve, &[&[4], &**x, &**y].concat())?;
                Ok(PublicKey::of(Material::Ec(point)))
            }
            "OKP" => {
                self.check_ed25519()?;
                PublicKey::of_ed25519(&self.exactly("x", 32)?)
            }
            "AKP" => {
                let set = self.ml_dsa_set()?;
                let key = self.exactly("pub", set.public_bytes())?;
                ml_dsa::Public::new(set, &key).map(|key| PublicKey::of(Material::MlDsa(key)))
            }
            "oct" => Err(KeyError::Jwk(JwkError::Secret)),
            _ => Err(KeyError::Jwk(JwkError::UnsupportedValue { member: "kty" })),
        }
    }

    fn curve(&self) -> Result<Curve, KeyError> {
        let name = self.text("crv")?;
        let curve = Curve::ALL.into_iter().find(|curve| name == curve.name());
        curve.ok_or(KeyError::Jwk(JwkError::UnsupportedValue { member: "crv" }))
    }

    /// Returns the parameters of a key of type `AKP`, which must have `alg`
    /// ([RFC 9964 section 3](https://www.rfc-editor.org/rfc/rfc9964#section-3)).
    fn ml_dsa_set(&self) -> Result<ml_dsa::Set, KeyError> {
        let name = self.text("alg")?;
        let set = Algorithm::from_name(&name).and_then(ml_dsa::Set::of);
        set.ok_or(KeyError::Jwk(JwkError::UnsupportedValue { member: "alg" }))
    }

    fn check_ed25519(&self) -> Result<(), KeyError> {
        let is_known = self.text("crv")? == "Ed25519";
        is_known.then_some(()).ok_or(KeyError::Jwk(JwkError::UnsupportedValue { member: "crv" }))
    }
}

/// The part that needs private keys.
#[cfg(feature = "private-keys")]
impl Jwk<'_> {
    /// Returns the material of a private key, whatever its `use`, `key_ops` and `alg`.
    ///
    /// # Errors
    ///
    /// - [`KeyError::Jwk`] names the member: [`JwkError::MissingMember`] for `d` of a public key, and for `p`, `q`, `dp`, `dq` and
    ///   `qi` of an RSA key; [`JwkError::MultiPrime`]; [`JwkError::Mismatch`] if the private numbers do not belong to the public
    ///   ones or to each other. The private number of a curve is checked if the feature of the curve is on.
    /// - Otherwise as [`public_key`](Self::public_key).
    pub fn private_key(&self) -> Result<PrivateKey, KeyError> {
        let public = self.numbers()?;
        let key = PrivateKey(match public.material {
            #[cfg(feature = "rsa-verify")]
            Material::Rsa(_) => self.rsa_secret(public)?,
            Material::Ec(point) => {
                let number = self.exactly("d", point.curve().bytes())?;
                Secret::Ec { scalar: Scalar::new(point.curve(), &number)?, public: Some(point) }
            }
            Material::Ed25519(public) => {
                let mut seed = Box::new(Zeroizing::new([0; 32]));
                seed.copy_from_slice(&self.exactly("d", 32)?);
                Secret::Ed25519 { seed, public: Some(public) }
            }
            Material::MlDsa(public) => {
                let seed = self.exactly("priv", 32)?;
                Secret::MlDsa(ml_dsa::Private::new(public.set(), &seed, None, Some(public.bytes()))?)
            }
        });
        let member = if matches!(key.0, Secret::MlDsa(_)) { "priv" } else { "d" };
        match key.matching_public_key() {
            Err(KeyError::MalformedKey) => Err(KeyError::Jwk(JwkError::Mismatch { member })),
            checked => checked.map(|_| key),
        }
    }

    /// Reads the private numbers of an RSA key.
    #[cfg(feature = "rsa-verify")]
    fn rsa_secret(&self, public: PublicKey) -> Result<Secret, KeyError> {
        if self.has("oth") {
            return Err(KeyError::Jwk(JwkError::MultiPrime));
        }
        // RFC 7518 section 6.3.2 allows `d` alone, but the backends need all numbers.
        let [d, p, q] = [self.number("d")?, self.number("p")?, self.number("q")?];
        let [dp, dq, qi] = [self.number("dp")?, self.number("dq")?, self.number("qi")?];
        let (n, e) = public.modulus_and_exponent().ok_or(KeyError::MalformedKey)?;
        let numbers = PrivateNumbers { n: &n, e: &e, d: &d, p: &p, q: &q, dp: &dp, dq: &dq, qi: &qi };
        numbers.check().map_err(|member| KeyError::Jwk(JwkError::Mismatch { member }))?;
        let pkcs1 = crate::key::asn1::write_private_numbers(&numbers).map_err(|_| KeyError::MalformedKey)?;
        Ok(Secret::Rsa { pkcs1, public })
    }

    /// Makes a key that signs tokens of this algorithm, with the `kid` of the JWK as its name and with the operating system's
    /// randomness if the algorithm needs any.
    ///
    /// # Errors
    ///
    /// - [`JwkError::NotAllowed`] unless `use` is absent or `sig`, `key_ops` is absent or holds `sign`, and `alg` is absent or
    ///   names this algorithm; [`JwkError::UnsupportedValue`] for an unknown `alg`.
    /// - [`KeyError::InvalidKeyId`] for an empty `kid`.
    /// - Otherwise as [`private_key`](Self::private_key) and [`PrivateKey::signing_key`].
    #[cfg(feature = "getrandom")]
    pub fn signing_key(&self, algorithm: Algorithm) -> Result<SigningKey, KeyError> {
        self.signing_key_with(algorithm, crate::key::entropy::SystemEntropy::new())
    }

    /// Makes a key as `signing_key` does, with the given source of randomness. Only RSA draws from it.
    ///
    /// # Errors
    ///
    /// As `signing_key`.
    pub fn signing_key_with(
        &self,
        algorithm: Algorithm,
        entropy: impl Entropy + 'static,
    ) -> Result<SigningKey, KeyError> {
        self.check_purpose(algorithm, &["sign"])?;
        let key = self.private_key()?.signing_key_with(algorithm, entropy)?;
        self.key_id().map_or(Ok(key.clone()), |key_id| key.with_key_id(key_id))
    }
}

impl PublicKey {
    /// Reads a JWK: `Jwk::parse(text)?.public_key()`.
    ///
    /// # Security
    ///
    /// This is material, so `use`, `key_ops` and `alg` of the JWK are not looked at: [`Jwk::verifying_key`] obeys them.
    ///
    /// # Errors
    ///
    /// As [`Jwk::parse`] and [`Jwk::public_key`].
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{KeyError, PublicKey, jwk::JwkError};
    ///
    /// // RFC 8037 appendix A.1: the private key.
    /// let text = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// let error = PublicKey::from_jwk(text).unwrap_err();
    /// assert_eq!(error, KeyError::Jwk(JwkError::PrivateMember { member: "d" }));
    /// ```
    pub fn from_jwk(text: &str) -> Result<Self, KeyError> {
        Jwk::parse(text)?.public_key()
    }
}

#[cfg(feature = "private-keys")]
impl PrivateKey {
    /// Reads a JWK: `Jwk::parse(text)?.private_key()`.
    ///
    /// # Security
    ///
    /// This is material, so `use`, `key_ops` and `alg` of the JWK are not looked at: [`Jwk::signing_key_with`] obeys them.
    ///
    /// # Errors
    ///
    /// As [`Jwk::parse`] and [`Jwk::private_key`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "ed25519")] {
    /// use countersign::{KeyError, PrivateKey, jwk::JwkError};
    ///
    /// // RFC 8037 appendix A.1.
    /// let text = r#"{"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// assert!(PrivateKey::from_jwk(text)?.ed25519().is_ok());
    ///
    /// let other = text.replace("nWGx", "nWGy");
    /// let error = PrivateKey::from_jwk(&other).unwrap_err();
    /// assert_eq!(error, KeyError::Jwk(JwkError::Mismatch { member: "d" }));
    /// # }
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn from_jwk(text: &str) -> Result<Self, KeyError> {
        Jwk::parse(text)?.private_key()
    }
}

impl SecretBytes {
    /// Reads a JWK of the type `oct`: `Jwk::parse(text)?.secret()`.
    ///
    /// # Security
    ///
    /// This is material, so `use`, `key_ops` and `alg` of the JWK are not looked at: [`Jwk::hmac_key`] obeys them.
    ///
    /// # Errors
    ///
    /// As [`Jwk::parse`] and [`Jwk::secret`].
    pub fn from_jwk(text: &str) -> Result<Self, KeyError> {
        Jwk::parse(text)?.secret()
    }
}
