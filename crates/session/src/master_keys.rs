//! The keys that refresh tokens are derived from.

use crate::error::{Error, Refusal};
use crate::refresh_token::{AuthenticToken, MAC, Name, Parsed, RefreshToken, SALT, TAG};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use countersign::{KeyError, SecretBytes};
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

/// The shortest secret, in bytes: the length of the hash
/// ([RFC 2104 section 3](https://www.rfc-editor.org/rfc/rfc2104#section-3)).
const MINIMUM: usize = 32;

const MAC_LABEL: &[u8] = b"countersign/refresh/mac/1";
const TAG_LABEL: &[u8] = b"countersign/refresh/tag/1";
/// Separates these keys from other keys derived from the same secret.
const SALT_LABEL: &[u8] = b"countersign/refresh/keys/1";

/// The master keys of refresh tokens, by number (`kid`): the current one makes new tokens, and former ones recognise their old
/// tokens.
///
/// To rotate, first add the new key as a *former* one on every server, so that each recognises its tokens. Only then, server by
/// server, make it the current key and the old key a former one. Keep the old key for the idle lifetime of sessions. Each
/// session moves to the new key with its next exchange. If you do both in one step, a server without the new key refuses the
/// tokens of updated servers, and their clients are logged out. A single server does not need the first step.
///
/// To log all users out, remove the old key. A logout with a token of that key is then answered with
/// [`Retry`](crate::Error::Retry), because another server may still have the key.
///
/// Two keys are derived from each secret by HKDF-SHA256 ([RFC 5869](https://www.rfc-editor.org/rfc/rfc5869)) when it is added;
/// the secret itself is not kept. The derived keys are wiped when the last clone is dropped.
///
/// # Security
///
/// A master key alone makes no valid token, because each token also depends on a random salt that only the store has. An
/// attacker with both the current master key and the store can make any token. Keep them apart.
///
/// # Examples
///
/// ```
/// use countersign_session::MasterKeys;
/// use countersign::{KeyError, SecretBytes};
///
/// let secret_2026 = SecretBytes::generate(32)?; // in production: from a secret store
/// # let secret_2025 = SecretBytes::generate(32)?;
/// let keys = MasterKeys::new(2026, secret_2026.expose_secret())?
///     .with_former(2025, secret_2025.expose_secret())?;
/// assert_eq!(format!("{keys:?}"), "MasterKeys([2026, 2025])");
///
/// let short = MasterKeys::new(1, b"secret").unwrap_err();
/// assert_eq!(short, KeyError::SecretTooShort { bytes: 6, minimum: 32 });
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Clone)]
pub struct MasterKeys {
    current: (u32, Arc<Derived>),
    former: Vec<(u32, Arc<Derived>)>,
}

/// The keys derived from a master key, ready for use.
struct Derived {
    /// Proves that a token was issued here.
    mac: Hmac<Sha256>,
    /// Proves, with the row's salt, that a token is the one of its generation.
    tag: Hmac<Sha256>,
}

impl MasterKeys {
    /// Creates master keys with this current key, which makes new tokens.
    ///
    /// # Errors
    ///
    /// - [`KeyError::SecretTooShort`] under 32 bytes.
    /// - [`KeyError::NotASecret`] for a PEM, DER, JWK or SSH key.
    pub fn new(kid: u32, secret: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        Ok(Self { current: (kid, Derived::of(secret.as_ref())?), former: Vec::new() })
    }

    /// Adds a former key. Its tokens are recognised and exchanged for those of the current key.
    ///
    /// # Errors
    ///
    /// [`KeyError::DuplicateKey`] for a number that is in use already; otherwise as [`new`](Self::new).
    pub fn with_former(mut self, kid: u32, secret: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        if self.find(kid).is_some() {
            return Err(KeyError::DuplicateKey);
        }
        self.former.push((kid, Derived::of(secret.as_ref())?));
        Ok(self)
    }

    /// Checks that a text is a refresh token that was issued here, in whatever state its session is. Reads no store, draws no
    /// randomness and allocates nothing. The comparison takes the same time wherever the mac differs.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidGrant`] with [`Refusal::Malformed`], [`Refusal::UnknownKey`] or [`Refusal::Forged`].
    pub fn authenticate(&self, text: &str) -> Result<AuthenticToken, Error> {
        let Parsed { name, mac, tag } = Parsed::read(text)?;
        let keys = self.find(name.kid).ok_or(Refusal::UnknownKey)?;
        // Compares in constant time.
        keys.mac(&name, &tag).verify_truncated_left(&mac).map_err(|_| Refusal::Forged)?;
        Ok(AuthenticToken { name, tag })
    }

    /// Returns the number of the key that makes new tokens.
    pub(crate) const fn current(&self) -> u32 {
        self.current.0
    }

    /// Derives the one token of this name and salt, if its key is present.
    pub(crate) fn derive(&self, name: &Name, salt: &[u8; SALT]) -> Option<RefreshToken> {
        let keys = self.find(name.kid)?;
        let tag: Zeroizing<[u8; TAG]> = Zeroizing::new(keys.tag(name, salt).finalize().into_bytes().into());
        let mac = keys.mac(name, &tag).finalize().into_bytes();
        Some(RefreshToken::write(name, mac.first_chunk::<MAC>()?, &tag))
    }

    /// Returns whether `token` is the one of its name and this salt. Takes constant time.
    pub(crate) fn tag_is_right(&self, token: &AuthenticToken, salt: &[u8; SALT]) -> bool {
        self.find(token.name.kid)
            .is_some_and(|keys| keys.tag(&token.name, salt).verify_slice(token.tag.as_slice()).is_ok())
    }

    fn find(&self, kid: u32) -> Option<&Derived> {
        let mut all = core::iter::once(&self.current).chain(&self.former);
        all.find(|(known, _)| *known == kid).map(|(_, keys)| &**keys)
    }
}

impl Derived {
    fn of(secret: &[u8]) -> Result<Arc<Self>, KeyError> {
        SecretBytes::from(secret.to_vec()).refuse_key_file()?;
        if secret.len() < MINIMUM {
            return Err(KeyError::SecretTooShort { bytes: secret.len(), minimum: MINIMUM });
        }
        let (mut prk, hkdf) = Hkdf::<Sha256>::extract(Some(SALT_LABEL), secret);
        prk.as_mut_slice().zeroize();
        let keyed = |label: &[u8]| {
            let mut key = Zeroizing::new([0; 32]);
            // 32 bytes are far below the limit of HKDF, and HMAC takes a key of any length, so neither fails.
            hkdf.expand(label, key.as_mut_slice()).ok()?;
            Hmac::new_from_slice(key.as_slice()).ok()
        };
        let (mac, tag) = keyed(MAC_LABEL).zip(keyed(TAG_LABEL)).ok_or(KeyError::MalformedKey)?;
        Ok(Arc::new(Self { mac, tag }))
    }

    /// Computes the mac, also over the tag, so that a token with a right mac was issued here bit by bit.
    fn mac(&self, name: &Name, tag: &[u8; TAG]) -> Hmac<Sha256> {
        self.mac.clone().chain_update(MAC_LABEL).chain_update(name.to_bytes()).chain_update(tag)
    }

    fn tag(&self, name: &Name, salt: &[u8; SALT]) -> Hmac<Sha256> {
        self.tag.clone().chain_update(TAG_LABEL).chain_update(name.to_bytes()).chain_update(salt)
    }
}

impl fmt::Debug for MasterKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKeys(")?;
        f.debug_list().entry(&self.current.0).entries(self.former.iter().map(|(kid, _)| kid)).finish()?;
        f.write_str(")")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::SessionId;
    use crate::text;
    use alloc::format;

    /// Computes HMAC (RFC 2104) over parts.
    fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let keyed = Hmac::<Sha256>::new_from_slice(key).unwrap();
        parts.iter().fold(keyed, |hmac, part| hmac.chain_update(part)).finalize().into_bytes().into()
    }

    /// Repeats the format in full, so that a change by mistake cannot invalidate existing tokens.
    #[test]
    fn a_token_is_made_as_its_format_says() {
        let (secret, session, salt) = ([0x0b; 32], [0x5e; 16], [0x5a; 16]);
        let name = Name { kid: 7, session: SessionId::from_bytes(session), generation: 258 };
        let token = MasterKeys::new(7, secret).unwrap().derive(&name, &salt).unwrap();

        let prk = hmac(b"countersign/refresh/keys/1", &[&secret]);
        let [mac_key, tag_key] = [MAC_LABEL, TAG_LABEL].map(|label| hmac(&prk, &[label, &[1]]));
        let open = [&[0, 0, 0, 7][..], &session, &[0, 0, 0, 0, 0, 0, 1, 2]].concat();
        let tag = hmac(&tag_key, &[b"countersign/refresh/tag/1", &open, &salt]);
        let mac = hmac(&mac_key, &[b"countersign/refresh/mac/1", &open, &tag]);
        let bytes = [&open[..], &mac[..16], &tag].concat();
        assert_eq!(bytes.len(), 76);
        assert_eq!(token.expose_secret(), format!("v1.{}", text::encode(&bytes)));
        assert_eq!(token.expose_secret().len(), RefreshToken::LENGTH);
        assert_eq!(RefreshToken::LENGTH, 105);
    }

    #[test]
    fn a_token_is_right_for_its_salt_and_no_other() {
        let keys = MasterKeys::new(1, [7; 32]).unwrap();
        let name = Name { kid: 1, session: SessionId::from_bytes([1; 16]), generation: 1 };
        let token = keys.derive(&name, &[2; 16]).unwrap();
        let token = keys.authenticate(token.expose_secret()).unwrap();
        assert!(keys.tag_is_right(&token, &[2; 16]));
        assert!(!keys.tag_is_right(&token, &[3; 16]));
    }
}
