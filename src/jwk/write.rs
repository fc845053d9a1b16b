//! Writes JSON Web Keys ([RFC 7518 section 6](https://www.rfc-editor.org/rfc/rfc7518#section-6),
//! [RFC 8037 section 2](https://www.rfc-editor.org/rfc/rfc8037#section-2),
//! [RFC 9964 section 3](https://www.rfc-editor.org/rfc/rfc9964#section-3)).

use crate::base64url;
use crate::error::KeyError;
use crate::json;
use crate::jwk::error::JwkError;
use crate::key::VerifyingKey;
#[cfg(all(feature = "private-keys", feature = "rsa-verify"))]
use crate::key::asn1;
use crate::key::material::{Material, PublicKey};
#[cfg(feature = "private-keys")]
use crate::key::material::{PrivateKey, Secret};
use crate::key::{Identity, Key};
use crate::secret::SecretBytes;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// The value of a member.
pub(crate) enum Value<'a> {
    /// JSON text.
    Json(Cow<'a, str>),
    /// Bytes, which are written as base64url.
    Bytes(Cow<'a, [u8]>),
}

/// The members of a JWK.
pub(crate) type Members<'a> = Vec<(&'static str, Value<'a>)>;

/// Writes an object of these members, without white space. Allocates once, so that no copy of a private member is left.
pub(crate) fn object(members: &Members<'_>) -> Zeroizing<Vec<u8>> {
    let length = members.iter().map(|(name, value)| {
        let value = match value {
            Value::Json(text) => text.len(),
            Value::Bytes(bytes) => base64url::encoded_len(bytes.len()).saturating_add(2),
        };
        // Two quotes, a colon, and a comma or brace.
        name.len().saturating_add(value).saturating_add(4)
    });
    let length = length.fold(1, usize::saturating_add);
    let mut object = Zeroizing::new(Vec::with_capacity(length));
    for (name, value) in members {
        let is_first = object.is_empty();
        object.extend_from_slice(if is_first { b"{\"" } else { b",\"" });
        object.extend_from_slice(name.as_bytes());
        object.extend_from_slice(b"\":");
        match value {
            Value::Json(text) => object.extend_from_slice(text.as_bytes()),
            Value::Bytes(bytes) => {
                object.push(b'"');
                base64url::encode_onto(&mut object, bytes);
                object.push(b'"');
            }
        }
    }
    object.push(b'}');
    object
}

/// Returns `use`, `alg` and `kid` for a key of this identity.
fn named(identity: &Identity) -> Result<Members<'static>, KeyError> {
    let text = |text: &str| json::to_text(text).map(Cow::Owned).map_err(|_| KeyError::InvalidKeyId);
    let mut members = alloc::vec![
        ("use", Value::Json("\"sig\"".into())),
        ("alg", Value::Json(text(identity.algorithm().name())?))
    ];
    if let Some(key_id) = identity.key_id() {
        members.push(("kid", Value::Json(text(key_id)?)));
    }
    Ok(members)
}

impl PublicKey {
    /// Writes the key as a JWK that holds its numbers only.
    ///
    /// To publish a key for others, name it and call [`VerifyingKey::to_jwk`], which also writes `kid`, `use` and `alg`.
    ///
    /// # Errors
    ///
    /// For a key that was read from a file in which its point is compressed: [`KeyError::InvalidPoint`] if it is not on its
    /// curve, and [`KeyError::UnsupportedByBackend`] if the feature of the curve is off.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::PublicKey;
    ///
    /// // The key of RFC 8037 appendix A.2.
    /// let text = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// assert_eq!(PublicKey::from_jwk(text)?.to_jwk()?, text);
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn to_jwk(&self) -> Result<String, KeyError> {
        public_text(&self.with_members(Vec::new())?)
    }

    /// Returns the members of RFC 7638 section 3.2, in alphabetical order.
    pub(crate) fn members(&self) -> Result<Members<'_>, KeyError> {
        let json = |text| Value::Json(Cow::Borrowed(text));
        Ok(match &self.material {
            #[cfg(feature = "rsa-verify")]
            Material::Rsa(numbers) => alloc::vec![
                ("e", Value::Bytes(numbers.exponent_bytes().into_vec().into())),
                ("kty", json("\"RSA\"")),
                ("n", Value::Bytes(numbers.modulus().into())),
            ],
            Material::Ec(point) => {
                let curve = json::to_text(point.curve().name()).map_err(|_| KeyError::MalformedKey)?;
                let point = point.uncompressed()?;
                let (x, y) = point.coordinates().ok_or(KeyError::InvalidPoint)?;
                alloc::vec![
                    ("crv", Value::Json(curve.into())),
                    ("kty", json("\"EC\"")),
                    ("x", Value::Bytes(x.to_vec().into())),
                    ("y", Value::Bytes(y.to_vec().into())),
                ]
            }
            Material::Ed25519(key) => alloc::vec![
                ("crv", json("\"Ed25519\"")),
                ("kty", json("\"OKP\"")),
                ("x", Value::Bytes(key.as_slice().into())),
            ],
            Material::MlDsa(key) => {
                let name = json::to_text(key.set().name()).map_err(|_| KeyError::MalformedKey)?;
                alloc::vec![
                    ("alg", Value::Json(name.into())),
                    ("kty", json("\"AKP\"")),
                    ("pub", Value::Bytes(key.bytes().into())),
                ]
            }
        })
    }

    /// Returns the members of the key and some others, with `kty` first, for readers of the text.
    fn with_members<'a>(&'a self, others: Members<'a>) -> Result<Members<'a>, KeyError> {
        let mut members = self.members()?;
        for other in others {
            // The numbers of ML-DSA come with `alg`.
            if members.iter().all(|(name, _)| *name != other.0) {
                members.push(other);
            }
        }
        members.sort_by_key(|(name, _)| *name != "kty");
        Ok(members)
    }
}

impl VerifyingKey {
    /// Writes the key as a JWK with its numbers, `use` (`sig`), `alg` as it is spelled in tokens, and `kid` if the key has one.
    ///
    /// # Errors
    ///
    /// - [`JwkError::NoMaterial`] for a key made by [`custom`](Self::custom).
    /// - Otherwise as [`PublicKey::to_jwk`].
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(feature = "ed25519")] {
    /// use countersign::PublicKey;
    ///
    /// // The key of RFC 8037 appendix A.2.
    /// let text = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// let key = PublicKey::from_jwk(text)?.ed25519()?.with_key_id("2026-11")?;
    /// let published = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"sig","alg":"EdDSA","kid":"2026-11"}"#;
    /// assert_eq!(key.to_jwk()?, published);
    /// # }
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn to_jwk(&self) -> Result<String, KeyError> {
        let public = self.public_key().ok_or(KeyError::Jwk(JwkError::NoMaterial))?;
        public_text(&public.with_members(named(self.identity())?)?)
    }
}

#[cfg(feature = "private-keys")]
impl PrivateKey {
    /// Writes the key as a JWK with its public and its private numbers, for storage. An RSA key has all of `d`, `p`, `q`, `dp`,
    /// `dq` and `qi`.
    ///
    /// # Errors
    ///
    /// - [`KeyError::MalformedKey`] if the private number is out of range, or does not belong to the public key in its file.
    /// - [`KeyError::UnsupportedByBackend`] if the file does not hold the public half, and the feature of the key's type is off.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(feature = "ed25519", feature = "getrandom"))] {
    /// use countersign::{Algorithm, PrivateKey};
    ///
    /// let private = PrivateKey::generate(Algorithm::Ed25519)?;
    /// let stored = private.to_private_jwk()?; // to be stored where it is safe
    /// let again = PrivateKey::from_jwk(stored.expose_secret_text().unwrap_or_default())?;
    /// assert!(again.public_key()? == private.public_key()?);
    /// # }
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn to_private_jwk(&self) -> Result<SecretBytes, KeyError> {
        self.private_jwk(Vec::new(), &self.matching_public_key()?)
    }

    /// Writes the key as [`to_private_jwk`](Self::to_private_jwk) does, with `use` (`sig`), and the `alg` and the `kid` of
    /// `key`: usually the [`SigningKey`](crate::SigningKey) that was made from it, or an [`Identity`].
    ///
    /// # Errors
    ///
    /// - [`KeyError::WrongKeyType`] if the algorithm needs a key of another type.
    /// - Otherwise as [`to_private_jwk`](Self::to_private_jwk).
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(all(feature = "ed25519", feature = "getrandom"))] {
    /// use countersign::{Algorithm, PrivateKey, jwk::Jwk};
    ///
    /// let private = PrivateKey::generate(Algorithm::Ed25519)?;
    /// let stored = private.to_private_jwk_for(&private.ed25519()?.with_key_id("2026-11")?)?;
    /// let jwk = Jwk::parse(stored.expose_secret_text().unwrap_or_default())?;
    /// assert_eq!((jwk.algorithm(), jwk.key_id()), (Some("EdDSA"), Some("2026-11")));
    /// # }
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn to_private_jwk_for(&self, key: &(impl Key + ?Sized)) -> Result<SecretBytes, KeyError> {
        let public = self.matching_public_key()?;
        if !public.material.fits(key.identity().algorithm()) {
            return Err(public.wrong_type(key.identity().algorithm()));
        }
        self.private_jwk(named(key.identity())?, &public)
    }

    fn private_jwk<'a>(
        &'a self,
        others: Members<'a>,
        public: &'a PublicKey,
    ) -> Result<SecretBytes, KeyError> {
        let mut members = public.with_members(others)?;
        match &self.0 {
            #[cfg(feature = "rsa-verify")]
            Secret::Rsa { pkcs1, .. } => {
                let numbers = asn1::private_numbers(pkcs1).ok_or(KeyError::MalformedKey)?;
                let bytes = |number| Value::Bytes(Cow::Borrowed(number));
                members.extend(numbers.private().map(|(name, number)| (name, bytes(number))));
            }
            Secret::Ec { scalar, .. } => members.push(("d", Value::Bytes(scalar.bytes().into()))),
            Secret::Ed25519 { seed, .. } => members.push(("d", Value::Bytes(seed.as_slice().into()))),
            Secret::MlDsa(key) => members.push(("priv", Value::Bytes(key.seed().as_slice().into()))),
        }
        Ok(private_text(&members))
    }
}

impl SecretBytes {
    /// Writes the secret as a JWK: `{"kty":"oct","k":...}`.
    ///
    /// # Errors
    ///
    /// [`KeyError::EmptySecret`].
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::SecretBytes;
    ///
    /// let stored = SecretBytes::from_bytes([7; 32]).to_private_jwk()?;
    /// let again = SecretBytes::from_jwk(stored.expose_secret_text().unwrap_or_default())?;
    /// assert!(again == SecretBytes::from_bytes([7; 32]));
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn to_private_jwk(&self) -> Result<Self, KeyError> {
        self.private_jwk(Vec::new())
    }

    /// Writes the secret as [`to_private_jwk`](Self::to_private_jwk) does, with `use` (`sig`), and the `alg` and the `kid` of
    /// `key`: usually the [`HmacKey`](crate::HmacKey) that was made from it, or an [`Identity`].
    ///
    /// # Errors
    ///
    /// - [`KeyError::EmptySecret`].
    /// - [`KeyError::WrongKeyType`] if the algorithm is not an HMAC.
    pub fn to_private_jwk_for(&self, key: &(impl Key + ?Sized)) -> Result<Self, KeyError> {
        if !key.identity().algorithm().is_hmac() {
            let algorithm = key.identity().algorithm();
            return Err(KeyError::WrongKeyType { algorithm, key: "HMAC" });
        }
        self.private_jwk(named(key.identity())?)
    }

    fn private_jwk(&self, others: Members<'_>) -> Result<Self, KeyError> {
        if self.expose_secret().is_empty() {
            return Err(KeyError::EmptySecret);
        }
        let mut members = self.members();
        members.extend(others);
        members.sort_by_key(|(name, _)| *name != "kty");
        Ok(private_text(&members))
    }

    /// Returns the members of RFC 7638 section 3.2, in alphabetical order.
    pub(crate) fn members(&self) -> Members<'_> {
        alloc::vec![
            ("k", Value::Bytes(self.expose_secret().into())),
            ("kty", Value::Json(Cow::Borrowed("\"oct\""))),
        ]
    }
}

fn private_text(members: &Members<'_>) -> SecretBytes {
    SecretBytes::from(core::mem::take(&mut *object(members)))
}

fn public_text(members: &Members<'_>) -> Result<String, KeyError> {
    String::from_utf8(core::mem::take(&mut *object(members))).map_err(|_| KeyError::MalformedKey)
}
