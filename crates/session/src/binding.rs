//! Bindings: what a request must present in addition to a token, so that a stolen token alone is worthless.

use crate::error::Error;
use crate::text;
use alloc::string::String;
use core::fmt;
use countersign::Entropy;
use countersign::EntropyError;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What binds a session, in addition to its tokens: a cookie or a key.
///
/// At login it sets the binding of the session. At every exchange and access it is the binding that came with the request. A
/// session without a binding accepts any. To allow no such session, call
/// [`require_binding`](crate::ConfigBuilder::require_binding).
///
/// # Security
///
/// Only a hash is kept, in the row and in access tokens. Never bind to an IP address, because phones change theirs all day.
///
/// # Examples
///
/// ```
/// use countersign_session::{Binding, Fingerprint};
/// # let cookie: Option<&str> = None;
///
/// // At login: generate a fingerprint, set the cookie, bind the session.
/// let fingerprint = Fingerprint::generate()?;
/// let cookie_value = fingerprint.expose_secret();
/// let binding = Binding::from(&fingerprint);
///
/// // Later: pass the value of the cookie.
/// let binding = cookie.map_or(Binding::None, Binding::fingerprint);
/// # Ok::<(), countersign::EntropyError>(())
/// ```
#[derive(Clone, Copy, Default)]
#[non_exhaustive]
pub enum Binding {
    /// No binding.
    #[default]
    None,
    /// A cookie that only the browser of the login has: SHA-256 of its value.
    Fingerprint([u8; 32]),
    /// A key that the client proves to hold: its JWK thumbprint, SHA-256
    /// ([RFC 9449 section 6.1](https://www.rfc-editor.org/rfc/rfc9449#section-6.1)). The caller checks the proof.
    KeyThumbprint([u8; 32]),
}

impl Binding {
    /// Creates the binding of a fingerprint cookie with this value. Any text is allowed: a text that is not the session's does
    /// not match, and an empty one is the same as none.
    #[must_use]
    pub fn fingerprint(cookie: &str) -> Self {
        if cookie.is_empty() { Self::None } else { Self::Fingerprint(text::sha256(&[cookie.as_bytes()])) }
    }

    /// Creates the binding of a DPoP proof made with the key of this thumbprint (`jkt`): base64url, 43 characters.
    ///
    /// The caller checks the scheme of the header: a token that is bound to a key comes as `DPoP`, not as `Bearer`
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

    /// Returns whether this is [`Binding::None`].
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
            // A binding of another kind is not a wrong value: the client may have lost the right one.
            _ => return Match::Missing,
        };
        if demanded.as_slice().ct_eq(shown).into() { Match::Same } else { Match::Different }
    }
}

/// The result of comparing a presented binding with a required one.
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

/// Compares in constant time.
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
/// This is the defence of the
/// [OWASP cheat sheet](https://cheatsheetseries.owasp.org/cheatsheets/JSON_Web_Token_for_Java_Cheat_Sheet.html#token-sidejacking)
/// against a stolen access token: a script that reads a token out of a page's memory cannot read the `HttpOnly` cookie. The
/// cookie keeps its value for the whole session.
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
    /// Generates a value from the operating system's randomness.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the system's randomness fails.
    #[cfg(feature = "getrandom")]
    pub fn generate() -> Result<Self, EntropyError> {
        Self::generate_with(&countersign::SystemEntropy::new())
    }

    /// Generates a value from the given source of randomness.
    ///
    /// # Errors
    ///
    /// [`EntropyError`] if the source fails.
    pub fn generate_with(entropy: &(impl Entropy + ?Sized)) -> Result<Self, EntropyError> {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut_slice())?;
        Ok(Self(Zeroizing::new(text::encode(bytes.as_slice()))))
    }

    /// Returns the text for the cookie.
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
