//! The errors of this layer: one about the settings of the server, one about a request. Neither contains a secret.

use crate::error::VerifyError;
use crate::profile::replay::ProofError;
use thiserror::Error;

/// Why a cookie, a realm, a scope or a list of origins cannot be used. This error is about the server's own values, never about
/// a request.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::http::{Cookie, Scope, SetupError};
///
/// let error = Cookie::refresh().set("a;b", Duration::from_secs(60)).unwrap_err();
/// assert_eq!(error, SetupError::InvalidCookieValue { offset: 1 });
/// assert_eq!(error.code(), "invalid_cookie_value");
///
/// let error = Scope::new("").unwrap_err();
/// assert_eq!(error.to_string(), "the scope is empty, or malformed at byte 0");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SetupError {
    /// The cookie is so long that browsers would ignore it.
    #[error("cookie has {bytes} bytes; at most {limit} are allowed")]
    CookieTooLarge {
        /// The length of the cookie, with its attributes.
        bytes: usize,
        /// The greatest length that is allowed.
        limit: usize,
    },
    /// The name is empty, longer than 256 bytes, begins with `__`, or contains a character that is not allowed in a name.
    #[error("a cookie's name must have 1 to 256 letters, digits or !#$%&'*+-.^_`|~, and not begin with __")]
    InvalidCookieName,
    /// The path does not begin with `/`, is longer than 1,024 bytes, or contains a character that is not allowed in a path.
    #[error("a cookie's path must begin with / and have at most 1024 visible ASCII characters without ;")]
    InvalidCookiePath,
    /// The value is empty or contains a character that is not allowed in a value.
    #[error("the cookie's value is empty, or not allowed at byte {offset}")]
    InvalidCookieValue {
        /// The place of the character, in bytes from the start.
        offset: usize,
    },
    /// An origin is not written as a browser writes it, so that it would match no request.
    #[error("entry {position} is not an origin as a browser writes it, such as https://app.example")]
    InvalidOrigin {
        /// The position of the origin in the list, counted from 0.
        position: usize,
    },
    /// The realm is empty, or contains a control character or a character outside ASCII.
    #[error("the realm is empty, or not visible ASCII and spaces at byte {offset}")]
    InvalidRealm {
        /// The place of the character, in bytes from the start.
        offset: usize,
    },
    /// The scope is empty, or contains a character that is not allowed or a space in the wrong place.
    #[error("the scope is empty, or malformed at byte {offset}")]
    InvalidScope {
        /// The place of the character, in bytes from the start.
        offset: usize,
    },
    /// The list of origins is empty.
    #[error("no origin is allowed: name at least one")]
    NoOrigins,
    /// Less than a second remains, so setting the cookie would delete it.
    #[error("no time remains for the cookie")]
    NoTimeRemains,
}

impl SetupError {
    /// Returns a stable name for logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::CookieTooLarge { .. } => "cookie_too_large",
            Self::InvalidCookieName => "invalid_cookie_name",
            Self::InvalidCookiePath => "invalid_cookie_path",
            Self::InvalidCookieValue { .. } => "invalid_cookie_value",
            Self::InvalidOrigin { .. } => "invalid_origin",
            Self::InvalidRealm { .. } => "invalid_realm",
            Self::InvalidScope { .. } => "invalid_scope",
            Self::NoOrigins => "no_origins",
            Self::NoTimeRemains => "no_time_remains",
        }
    }
}

/// Why a request is refused: because of its `Authorization`, `Cookie`, `Origin` or `Sec-Fetch-Site` headers, or of the token in
/// them.
///
/// [`challenge`](Self::challenge) makes the HTTP answer for each of them.
///
/// # Examples
///
/// ```
/// use countersign::{HmacKey, SecretBytes, Verifier, VerifyError};
/// use countersign::http::{RequestError, bearer_token};
///
/// let error = bearer_token(["Bearer  a b"]).unwrap_err();
/// assert_eq!(error, RequestError::MalformedCredentials { offset: 9 });
/// assert_eq!(error.to_string(), "credentials are malformed at byte 9");
/// assert_eq!((error.code(), error.challenge().status()), ("malformed_credentials", 400));
///
/// let verifier = Verifier::builder(HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?).issuer("me").no_audience().build()?;
/// let error = verifier.verify_bearer::<()>(["Bearer a.b"]).unwrap_err();
/// assert_eq!(error, RequestError::Token(VerifyError::NotAToken));
/// assert_eq!((error.code(), error.challenge().status()), ("not_a_token", 401));
/// // `source` returns the error of the token.
/// assert!(core::error::Error::source(&error).is_some_and(|source| source.is::<VerifyError>()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The request has no `Origin`, and its `Sec-Fetch-Site` is neither `same-origin` nor `none`.
    #[error("the request comes from another origin")]
    CrossSite,
    /// The cookie occurs more than once.
    #[error("the cookie occurs more than once")]
    DoubledCookie,
    /// The origin is not allowed, or it is `null`.
    #[error("the request comes from an origin that is not allowed")]
    ForeignOrigin,
    /// The cookie's value is empty, or contains a character that this crate never writes.
    #[error("the cookie is malformed")]
    MalformedCookie,
    /// The value of `Authorization` is not a scheme, spaces and a token. A value with `Bearer` twice is malformed, too.
    #[error("credentials are malformed at byte {offset}")]
    MalformedCredentials {
        /// The place in the value where reading stopped, in bytes from the start.
        offset: usize,
    },
    /// The request has no `Authorization` header.
    #[error("the request has no Authorization header")]
    MissingCredentials,
    /// The request has neither `Origin` nor `Sec-Fetch-Site`.
    #[error("the request has neither an Origin nor a Sec-Fetch-Site header")]
    NoOrigin,
    /// The scheme of `Authorization` is not `Bearer`, or not `DPoP` where that is required.
    #[error("the scheme of the credentials is not the expected one")]
    OtherScheme,
    /// The DPoP proof is missing or refused, or the access token beside it is.
    #[error("{0}")]
    Proof(#[source] ProofError),
    /// The request has several `Authorization` headers, or one next to a cookie with a token. Their values do not matter.
    #[error(
        "the request has several credentials: it must have one Authorization header, or one cookie with a token"
    )]
    SeveralCredentials,
    /// `Origin` or `Sec-Fetch-Site` occurs more than once.
    #[error("the request has several Origin or several Sec-Fetch-Site headers")]
    SeveralOrigins,
    /// The token is refused.
    #[error("{0}")]
    Token(#[source] VerifyError),
}

impl RequestError {
    /// Returns whether the token has expired and no other check failed: [`VerifyError::is_expired`].
    #[must_use]
    pub const fn is_expired(&self) -> bool {
        matches!(self, Self::Token(error) | Self::Proof(ProofError::Token(error)) if error.is_expired())
    }

    /// Returns a stable name for logs, metrics and clients. For a refused token or proof, it is the name of the inner error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::CrossSite => "cross_site",
            Self::DoubledCookie => "doubled_cookie",
            Self::ForeignOrigin => "foreign_origin",
            Self::MalformedCookie => "malformed_cookie",
            Self::MalformedCredentials { .. } => "malformed_credentials",
            Self::MissingCredentials => "missing_credentials",
            Self::NoOrigin => "no_origin",
            Self::OtherScheme => "other_scheme",
            Self::Proof(error) => error.code(),
            Self::SeveralCredentials => "several_credentials",
            Self::SeveralOrigins => "several_origins",
            Self::Token(error) => error.code(),
        }
    }
}

impl From<ProofError> for RequestError {
    fn from(error: ProofError) -> Self {
        Self::Proof(error)
    }
}

impl From<VerifyError> for RequestError {
    fn from(error: VerifyError) -> Self {
        Self::Token(error)
    }
}
