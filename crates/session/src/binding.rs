//! What a session is bound to besides its tokens, so that a stolen token alone is worth nothing.

use crate::error::Error;
use crate::text;
use alloc::string::String;
use core::fmt;
use countersign::Entropy;
use countersign::EntropyError;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What the holder of a token shows beside it, and what a session is bound to at login.
///
/// At login it says what the session is bound to from then on; at every exchange and access, what came with the request.
/// A session that is bound to nothing takes anything; where none shall be so, say
/// [`require_binding`](crate::ConfigBuilder::require_binding).
///
/// # Security
///
/// Only a hash is kept, in the row and in access tokens. Never bind to an IP address: phones change theirs all day.
///
/// # Examples
///
/// ```
/// use countersign_session::{Binding, Fingerprint};
/// # let cookie: Option<&str> = None;
///
/// // At login: draw one, set the cookie, bind the session.
/// let fingerprint = Fingerprint::generate()?;
/// let cookie_value = fingerprint.expose_secret();
/// let binding = Binding::from(&fingerprint);
///
/// // Later: whatever the cookie holds.
/// let binding = cookie.map_or(Binding::None, Binding::fingerprint);
/// # Ok::<(), countersign::EntropyError>(())
/// ```
#[derive(Clone, Copy, Default)]
#[non_exhaustive]
pub enum Binding {
    /// Nothing.
    #[default]
    None,
    /// A cookie that only the browser which logged in has: SHA-256 of its value.
    Fingerprint([u8; 32]),
    /// A key that the client proves to hold: its JWK thumbprint, SHA-256
    /// ([RFC 9449 section 6.1](https://www.rfc-editor.org/rfc/rfc9449#section-6.1)). Checking the proof is the caller's.
    KeyThumbprint([u8; 32]),
}

impl Binding {
    /// What a fingerprint cookie of this value shows. Any text will do: one that is not the session's matches nothing, and an
    /// empty one is none.
    #[must_use]
    pub fn fingerprint(cookie: &str) -> Self {
        if cookie.is_empty() { Self::None } else { Self::Fingerprint(text::sha256(&[cookie.as_bytes()])) }
    }

    /// What a DPoP proof shows that was made with the key of this thumbprint (`jkt`): base64url, 43 characters.
    ///
    /// The scheme of the header is the caller's to check: a token that is bound to a key comes as `DPoP`, not as `Bearer`
    /// ([RFC 9449 section 7.2](https://www.rfc-editor.org/rfc/rfc9449#section-7.2)), so call `verify` and not `verify_bearer`.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedText`] for any other text.
    ///
    /// # Security
    ///
    /// Verify the proof first, with its `htm`, `htu`, `iat`, `jti` and `ath`
    /// ([RFC 9449 section 4.3](https://www.rfc-editor.org/rfc/rfc9449#section-4.3)).
    pub fn key_thumbprint(jkt: &str) -> Result<Self, Error> {
        let malformed = Error::MalformedText { what: "key thumbprint", bytes: 32 };
        text::decode(jkt).map(Self::KeyThumbprint).ok_or(malformed)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Compares a presented binding with this required one.
    pub(crate) fn compare(&self, shown: &Self) -> Match {
        let (demanded, shown) = match (self, shown) {
            (Self::None, _) => return Match::Same,
            (Self::Fingerprint(demanded), Self::Fingerprint(shown))
            | (Self::KeyThumbprint(demanded), Self::KeyThumbprint(shown)) => (demanded, shown),
            // Another kind is not another value: the right one may have got lost.
            _ => return Match::Missing,
        };
        if demanded.as_slice().ct_eq(shown).into() { Match::Same } else { Match::Different }
    }
}

/// How a shown binding stands to a demanded one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Match {
    Same,
    Missing,
    Different,
}

impl From<&Fingerprint> for Binding {
    fn from(fingerprint: &Fingerprint) -> Self {
        Self::fingerprint(fingerprint.expose_secret())
    }
}

/// In constant time.
impl PartialEq for Binding {
    fn eq(&self, other: &Self) -> bool {
        self.is_none() == other.is_none() && self.compare(other) == Match::Same
    }
}

impl Eq for Binding {}

impl fmt::Debug for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Fingerprint(_) => "Fingerprint(..)",
            Self::KeyThumbprint(_) => "KeyThumbprint(..)",
        })
    }
}

/// The value of a fingerprint cookie: 32 random bytes as text, wiped when dropped.
///
/// The defence of the [OWASP cheat sheet](https://cheatsheetseries.owasp.org/cheatsheets/JSON_Web_Token_for_Java_Cheat_Sheet.html#token-sidejacking)
/// against a stolen access token: whoever reads a token out of a page's memory does not get the `HttpOnly` cookie with it.
/// The cookie keeps its value for as long as the session lives.
///
/// # Examples
///
/// ```
/// use countersign_session::Fingerprint;
///
/// let fingerprint = Fingerprint::generate()?;
/// assert_eq!(fingerprint.expose_secret().len(), 43);
/// assert_eq!(format!("{fingerprint:?}"), "Fingerprint(..)");
/// # Ok::<(), countersign::EntropyError>(())
/// ```
pub struct Fingerprint(Zeroizing<String>);

impl Fingerprint {
    /// A new one of the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the system has none.
    #[cfg(feature = "getrandom")]
    pub fn generate() -> Result<Self, EntropyError> {
        Self::generate_with(&countersign::SystemEntropy::new())
    }

    /// A new one of the given randomness.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] when the source has none.
    pub fn generate_with(entropy: &(impl Entropy + ?Sized)) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut_slice())?;
        Ok(Self(Zeroizing::new(text::encode(bytes.as_slice()))))
    }

    /// The text for the cookie.
    #[must_use]
    pub fn expose_secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(..)")
    }
}
