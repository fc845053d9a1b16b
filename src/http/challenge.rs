//! Makes the HTTP answer to a refused request (RFC 6750 section 3).

use crate::error::VerifyError;
use crate::http::error::{RequestError, SetupError};
use crate::profile::replay::ProofError;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

/// The HTTP answer to a refused request: a status, and the value of `WWW-Authenticate`
/// ([RFC 6750 section 3](https://www.rfc-editor.org/rfc/rfc6750#section-3)).
///
/// The status always fits the error code, and the answer never contains a part of a token. The errors of a verification make it
/// with their method `challenge`: [`RequestError`](super::RequestError), [`VerifyError`](crate::VerifyError), and `Error` of
/// `countersign-session`. If a scope is missing, which only the application knows, call
/// [`insufficient_scope`](Self::insufficient_scope).
///
/// # Examples
///
/// ```
/// use countersign::http::{Challenge, Realm, Scope};
///
/// // Make them once, when the server starts.
/// let realm = Realm::new("the \"small\" API")?;
/// let admin = Scope::new("admin")?;
///
/// let challenge = Challenge::insufficient_scope(&admin).with_realm(&realm);
/// assert_eq!(challenge.status(), 403);
/// assert_eq!(
///     challenge.www_authenticate(),
///     Some(r#"Bearer realm="the \"small\" API", error="insufficient_scope", scope="admin""#),
/// );
/// # Ok::<(), countersign::http::SetupError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    kind: Kind,
    realm: Option<Realm>,
    scope: Option<Scope>,
    /// The accepted algorithms, which only a challenge of the scheme `DPoP` has.
    algorithms: Option<Box<str>>,
    /// `None` if the answer has no `WWW-Authenticate`.
    text: Option<Cow<'static, str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    BadRequest,
    DpopExpiredToken,
    DpopInvalidProof,
    DpopInvalidToken,
    DpopNonce,
    ExpiredToken,
    Forbidden,
    InsufficientScope,
    InvalidRequest,
    InvalidToken,
    MissingCredentials,
    Unavailable,
}

impl Kind {
    const fn status(self) -> u16 {
        match self {
            Self::DpopExpiredToken
            | Self::DpopInvalidProof
            | Self::DpopInvalidToken
            | Self::DpopNonce
            | Self::ExpiredToken
            | Self::InvalidToken
            | Self::MissingCredentials => 401,
            Self::Forbidden | Self::InsufficientScope => 403,
            Self::BadRequest | Self::InvalidRequest => 400,
            Self::Unavailable => 503,
        }
    }

    /// Returns the challenge without realm and scope.
    const fn text(self) -> Option<&'static str> {
        match self {
            Self::DpopExpiredToken => {
                Some(r#"DPoP error="invalid_token", error_description="the token expired""#)
            }
            Self::DpopInvalidProof => Some(r#"DPoP error="invalid_dpop_proof""#),
            Self::DpopInvalidToken => {
                Some(r#"DPoP error="invalid_token", error_description="the token is invalid""#)
            }
            Self::DpopNonce => Some(r#"DPoP error="use_dpop_nonce""#),
            Self::ExpiredToken => {
                Some(r#"Bearer error="invalid_token", error_description="the token expired""#)
            }
            Self::InsufficientScope => Some(r#"Bearer error="insufficient_scope""#),
            Self::InvalidRequest => Some(r#"Bearer error="invalid_request""#),
            Self::InvalidToken => {
                Some(r#"Bearer error="invalid_token", error_description="the token is invalid""#)
            }
            Self::MissingCredentials => Some("Bearer"),
            Self::BadRequest | Self::Forbidden | Self::Unavailable => None,
        }
    }
}

impl Challenge {
    /// Makes the answer 401 without an error code, for a request without a bearer token.
    ///
    /// # Examples
    ///
    /// ```
    /// let challenge = countersign::http::Challenge::missing_credentials();
    /// assert_eq!((challenge.status(), challenge.www_authenticate()), (401, Some("Bearer")));
    /// ```
    #[must_use]
    pub const fn missing_credentials() -> Self {
        Self::of(Kind::MissingCredentials)
    }

    /// Makes the answer 400 with `invalid_request`, for credentials that are malformed or ambiguous.
    ///
    /// # Examples
    ///
    /// ```
    /// let challenge = countersign::http::Challenge::invalid_request();
    /// assert_eq!(
    ///     (challenge.status(), challenge.www_authenticate()),
    ///     (400, Some(r#"Bearer error="invalid_request""#)),
    /// );
    /// ```
    #[must_use]
    pub const fn invalid_request() -> Self {
        Self::of(Kind::InvalidRequest)
    }

    /// Makes the answer 401 with `invalid_token`, for a token that the application itself refuses, e.g. because of a denylist.
    ///
    /// # Examples
    ///
    /// ```
    /// assert_eq!(countersign::http::Challenge::invalid_token().status(), 401);
    /// ```
    #[must_use]
    pub const fn invalid_token() -> Self {
        Self::of(Kind::InvalidToken)
    }

    /// Makes the answer 403 with `insufficient_scope`, for a valid token that does not allow this request. `scope` is the scope
    /// that would allow it.
    ///
    /// The status is not 401, because it does not help this client to log in again.
    #[must_use]
    pub fn insufficient_scope(scope: &Scope) -> Self {
        Self::of(Kind::InsufficientScope).with_scope(scope)
    }

    /// Makes the answer 503 without a challenge, for keys or a denylist that cannot be read at the moment. The token may be
    /// valid, so the client keeps it and tries again.
    ///
    /// # Examples
    ///
    /// ```
    /// let challenge = countersign::http::Challenge::unavailable();
    /// assert_eq!((challenge.status(), challenge.www_authenticate()), (503, None));
    /// ```
    #[must_use]
    pub const fn unavailable() -> Self {
        Self::of(Kind::Unavailable)
    }

    /// Makes the answer 400 without a challenge, for another part of the request that cannot be read, such as a cookie.
    ///
    /// # Examples
    ///
    /// ```
    /// let challenge = countersign::http::Challenge::bad_request();
    /// assert_eq!((challenge.status(), challenge.www_authenticate()), (400, None));
    /// ```
    #[must_use]
    pub const fn bad_request() -> Self {
        Self::of(Kind::BadRequest)
    }

    /// Makes the answer 403 without a challenge, for a request from a page that is not allowed. No token would change this.
    const fn forbidden() -> Self {
        Self::of(Kind::Forbidden)
    }

    const fn of(kind: Kind) -> Self {
        let text = match kind.text() {
            Some(text) => Some(Cow::Borrowed(text)),
            None => None,
        };
        Self { kind, realm: None, scope: None, algorithms: None, text }
    }

    /// Adds the realm: the part of the server that the credentials are for. A second call replaces it. It has no effect on an
    /// answer without `WWW-Authenticate`.
    #[must_use]
    pub fn with_realm(mut self, realm: &Realm) -> Self {
        self.realm = Some(realm.clone());
        self.written()
    }

    /// Adds the scope that is needed. A second call replaces it. It has no effect on an answer without `WWW-Authenticate`.
    #[must_use]
    pub fn with_scope(mut self, scope: &Scope) -> Self {
        self.scope = Some(scope.clone());
        self.written()
    }

    /// Turns the challenge into one of the scheme `DPoP` that names these algorithms.
    #[cfg(feature = "dpop")]
    pub(crate) fn for_dpop(mut self, algorithms: String) -> Self {
        self.algorithms = Some(algorithms.into_boxed_str());
        self.written()
    }

    /// Returns the HTTP status: 400, 401 or 403, or 503 if the keys or a denylist are unavailable.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.kind.status()
    }

    /// Returns the value of the `WWW-Authenticate` header, if the answer has one. It consists of visible ASCII and spaces.
    #[must_use]
    pub fn www_authenticate(&self) -> Option<&str> {
        self.text.as_deref()
    }

    fn written(mut self) -> Self {
        let Some(plain) = self.kind.text() else { return self };
        let (scheme, error) =
            plain.split_once(' ').map_or((plain, None), |(scheme, error)| (scheme, Some(error)));
        let mut text = String::from(if self.algorithms.is_some() { "DPoP" } else { scheme });
        let mut separator = " ";
        if let Some(realm) = &self.realm {
            text.push_str(" realm=\"");
            for character in realm.0.chars() {
                if matches!(character, '"' | '\\') {
                    text.push('\\');
                }
                text.push(character);
            }
            text.push('"');
            separator = ", ";
        }
        if let Some(error) = error {
            text.push_str(separator);
            text.push_str(error);
            separator = ", ";
        }
        if let Some(scope) = &self.scope {
            text.push_str(separator);
            text.push_str("scope=\"");
            text.push_str(&scope.0);
            text.push('"');
            separator = ", ";
        }
        if let Some(algorithms) = &self.algorithms {
            text.push_str(separator);
            text.push_str("algs=\"");
            text.push_str(algorithms);
            text.push('"');
        }
        self.text = Some(Cow::Owned(text));
        self
    }
}

impl VerifyError {
    /// Makes the HTTP answer to the request with this token
    /// ([RFC 6750 section 3](https://www.rfc-editor.org/rfc/rfc6750#section-3)).
    ///
    /// It is 503 without a challenge for [`KeysUnavailable`](Self::KeysUnavailable), and 401 with `invalid_token` for all other
    /// errors. The description only tells whether the token is expired or invalid.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::VerifyError;
    ///
    /// let challenge = VerifyError::InvalidSignature.challenge();
    /// assert_eq!(challenge.status(), 401);
    /// assert_eq!(
    ///     challenge.www_authenticate(),
    ///     Some(r#"Bearer error="invalid_token", error_description="the token is invalid""#),
    /// );
    /// ```
    #[must_use]
    pub const fn challenge(&self) -> Challenge {
        match self {
            Self::KeysUnavailable => Challenge::unavailable(),
            Self::Expired { .. } => Challenge::of(Kind::ExpiredToken),
            _ => Challenge::invalid_token(),
        }
    }
}

impl RequestError {
    /// Makes the HTTP answer ([RFC 6750 section 3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)).
    ///
    /// - 401 without an error code if the request has no bearer token, or credentials of another scheme.
    /// - 400 with `invalid_request` if the bearer token cannot be read.
    /// - 400 without `WWW-Authenticate` if a cookie cannot be read.
    /// - 403 without `WWW-Authenticate` if the request comes from a page that is not allowed.
    /// - 401 with the scheme `DPoP` and `invalid_dpop_proof`, `use_dpop_nonce` or `invalid_token` if a proof or the token beside it
    ///   is refused, or 503 if the store of used proofs or the keys are unavailable. `DpopVerifier::challenge` also names the
    ///   algorithms.
    /// - The answer of [`VerifyError::challenge`] if the token is refused.
    #[must_use]
    pub const fn challenge(&self) -> Challenge {
        match self {
            Self::MissingCredentials | Self::OtherScheme => Challenge::missing_credentials(),
            Self::MalformedCredentials { .. } | Self::SeveralCredentials => Challenge::invalid_request(),
            Self::MalformedCookie | Self::DoubledCookie => Challenge::bad_request(),
            Self::CrossSite | Self::ForeignOrigin | Self::NoOrigin | Self::SeveralOrigins => {
                Challenge::forbidden()
            }
            Self::Proof(ProofError::StoreUnavailable | ProofError::Token(VerifyError::KeysUnavailable)) => {
                Challenge::unavailable()
            }
            Self::Proof(ProofError::Token(VerifyError::Expired { .. })) => {
                Challenge::of(Kind::DpopExpiredToken)
            }
            Self::Proof(ProofError::Token(_) | ProofError::UnboundToken | ProofError::WrongKey) => {
                Challenge::of(Kind::DpopInvalidToken)
            }
            Self::Proof(ProofError::WrongNonce) => Challenge::of(Kind::DpopNonce),
            Self::Proof(_) => Challenge::of(Kind::DpopInvalidProof),
            Self::Token(error) => error.challenge(),
        }
    }
}

/// The name of a part of the server, for [`Challenge::with_realm`]
/// ([RFC 9110 section 11.5](https://www.rfc-editor.org/rfc/rfc9110#section-11.5)).
///
/// # Examples
///
/// ```
/// use countersign::http::{Realm, SetupError};
///
/// assert!(Realm::new("api").is_ok());
/// assert_eq!(Realm::new("api\r\nX: 1"), Err(SetupError::InvalidRealm { offset: 3 }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm(Box<str>);

impl Realm {
    /// Makes a realm from visible ASCII and spaces. Quotes and backslashes are escaped when it is written.
    ///
    /// # Errors
    ///
    /// [`SetupError::InvalidRealm`] if the text is empty, or contains a control character or a character outside ASCII. Clients
    /// disagree on the meaning of these characters.
    pub fn new(realm: &str) -> Result<Self, SetupError> {
        match realm.bytes().position(|byte| !matches!(byte, b' '..=b'~')) {
            None if !realm.is_empty() => Ok(Self(realm.into())),
            offset => Err(SetupError::InvalidRealm { offset: offset.unwrap_or_default() }),
        }
    }
}

/// One or more scopes, for [`Challenge::insufficient_scope`]
/// ([RFC 6749 section 3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)).
///
/// # Examples
///
/// ```
/// use countersign::http::{Scope, SetupError};
///
/// assert_eq!(Scope::new("orders:read orders:write")?.to_string(), "orders:read orders:write");
/// assert_eq!(Scope::new("a \"b\""), Err(SetupError::InvalidScope { offset: 2 }));
/// # Ok::<(), SetupError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope(Box<str>);

impl Scope {
    /// Makes a scope from words of visible ASCII, with one space between two words.
    ///
    /// # Errors
    ///
    /// [`SetupError::InvalidScope`] if the text is empty, has two spaces in a row, or a space at the start or the end. Also if
    /// it contains a quote, a backslash, a control character or a character outside ASCII.
    pub fn new(scope: &str) -> Result<Self, SetupError> {
        let mut before = b' ';
        for (offset, byte) in scope.bytes().enumerate() {
            let allowed = match byte {
                b' ' => before != b' ',
                b'!' | b'#'..=b'[' | b']'..=b'~' => true,
                _ => false,
            };
            if !allowed {
                return Err(SetupError::InvalidScope { offset });
            }
            before = byte;
        }
        // The text is empty, or has a space at the end.
        if before == b' ' {
            return Err(SetupError::InvalidScope { offset: scope.len().saturating_sub(1) });
        }
        Ok(Self(scope.into()))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
