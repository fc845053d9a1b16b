//! Thumbprints of keys ([RFC 7638](https://www.rfc-editor.org/rfc/rfc7638)) and their URIs
//! ([RFC 9278](https://www.rfc-editor.org/rfc/rfc9278)).

use crate::base64url;
use crate::error::KeyError;
use crate::jwk::error::JwkError;
use crate::jwk::write::{Members, object};
use crate::key::material::PublicKey;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::str::FromStr;
use sha2::{Digest, Sha256};

/// What the URI of a SHA-256 thumbprint begins with ([RFC 9278 section 3](https://www.rfc-editor.org/rfc/rfc9278#section-3)).
const URI: &str = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:";

/// The SHA-256 thumbprint of a key, which follows from the key alone: a key id that all parties can compute.
///
/// `Display` and `FromStr` write and read its 43 characters of base64url.
///
/// # Security
///
/// Two keys with the same thumbprint are the same key. The comparison takes a varying time, because thumbprints are public.
///
/// # Examples
///
/// ```
/// use countersign::jwk::Thumbprint;
///
/// // RFC 9278 section 5.
/// let uri = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
/// let thumbprint = Thumbprint::from_uri(uri)?;
/// assert_eq!(thumbprint, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs".parse()?);
/// assert_eq!(thumbprint.to_uri(), uri);
/// assert!("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xt".parse::<Thumbprint>().is_err());
/// # Ok::<(), countersign::KeyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint([u8; 32]);

impl Thumbprint {
    pub(crate) fn of(members: &Members<'_>) -> Self {
        Self(Sha256::digest(&*object(members)).into())
    }

    /// Reads a URI of RFC 9278 with the hash `sha-256`.
    ///
    /// # Errors
    ///
    /// [`JwkError::Thumbprint`].
    pub fn from_uri(uri: &str) -> Result<Self, KeyError> {
        uri.strip_prefix(URI).ok_or(KeyError::Jwk(JwkError::Thumbprint))?.parse()
    }

    /// Writes the URI of RFC 9278.
    #[must_use]
    pub fn to_uri(&self) -> String {
        format!("{URI}{self}")
    }

    /// Returns the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl FromStr for Thumbprint {
    type Err = KeyError;

    /// Reads 43 characters of canonical base64url.
    ///
    /// # Errors
    ///
    /// [`JwkError::Thumbprint`].
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let mut hash = [0; 32];
        match base64url::decode_into(&mut hash, text) {
            Ok(32) => Ok(Self(hash)),
            _ => Err(KeyError::Jwk(JwkError::Thumbprint)),
        }
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::new();
        base64url::encode_onto(&mut text, &self.0);
        f.write_str(core::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

impl PublicKey {
    /// Computes the SHA-256 thumbprint of the key.
    ///
    /// # Errors
    ///
    /// As [`to_jwk`](Self::to_jwk).
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::PublicKey;
    ///
    /// // RFC 8037 appendix A.3.
    /// let text = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    /// let thumbprint = PublicKey::from_jwk(text)?.thumbprint()?;
    /// assert_eq!(thumbprint.to_string(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn thumbprint(&self) -> Result<Thumbprint, KeyError> {
        self.members().map(|members| Thumbprint::of(&members))
    }
}
