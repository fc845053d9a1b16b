//! The id of a session, and its hash for logs.

use crate::error::Error;
use crate::text;
use core::fmt;
use core::str::FromStr;

/// The id of a session: 16 random bytes, drawn at login.
///
/// Every access token (`sid`) and refresh token contains it. It proves nothing by itself. As text it is base64url, 22
/// characters.
///
/// # Examples
///
/// ```
/// use countersign_session::SessionId;
///
/// let id = SessionId::from_bytes([7; 16]);
/// assert_eq!(id.to_string(), "BwcHBwcHBwcHBwcHBwcHBw");
/// assert_eq!(id.to_string().parse::<SessionId>()?, id);
/// # Ok::<(), countersign_session::Error>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// Creates an id from these bytes, as a store has them in its key.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the bytes, for the key in a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Returns the hash that represents this session in logs.
    #[must_use]
    pub fn hash(&self) -> SessionHash {
        let hash = text::sha256(&[b"countersign/session/log/1", &self.0]);
        SessionHash(hash.first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::encode(&self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId(#{})", self.hash())
    }
}

impl FromStr for SessionId {
    type Err = Error;

    /// Reads the text that `Display` writes.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedText`] for any other text.
    fn from_str(text: &str) -> Result<Self, Error> {
        text::decode(text).map(Self).ok_or(Error::MalformedText { what: "session id", bytes: 16 })
    }
}

/// The hash that represents a session in logs: always the same for one session, and useless to a reader of the log.
///
/// # Examples
///
/// ```
/// use countersign_session::SessionId;
///
/// let id = SessionId::from_bytes([7; 16]);
/// assert_eq!(id.hash(), id.hash());
/// assert_ne!(id.hash().to_string(), id.to_string());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SessionHash([u8; 16]);

impl fmt::Display for SessionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::encode(&self.0))
    }
}

impl fmt::Debug for SessionHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionHash({self})")
    }
}
