//! What a refusal says to an HTTP client: RFC 6750, section 3.

use crate::error::VerifyError;
use crate::http::error::{RequestError, SetupError};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

/// The answer to a request that is refused: a status, and the value of `WWW-Authenticate`
/// ([RFC 6750 section 3](https://www.rfc-editor.org/rfc/rfc6750#section-3)).
///
/// Status and error code always belong together, and nothing of a token is ever in it. The errors of a verification make it
/// with their method `challenge`: [`RequestError`](super::RequestError), [`VerifyError`](crate::VerifyError), and `Error` of
/// `countersign-session`. What only the application knows, that a scope is missing, has a constructor:
/// [`insufficient_scope`](Self::insufficient_scope).
///
/// # Examples
///
/// ```
/// use countersign::http::{Challenge, Realm, Scope};
///
/// // Made once, where the server is configured.
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
    /// `None` where there is nothing to challenge.
    text: Option<Cow<'static, str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    BadRequest,
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
            Self::ExpiredToken | Self::InvalidToken | Self::MissingCredentials => 401,
            Self::Forbidden | Self::InsufficientScope => 403,
            Self::BadRequest | Self::InvalidRequest => 400,
            Self::Unavailable => 503,
        }
    }

    /// The challenge without realm and scope.
    const fn text(self) -> Option<&'static str> {
        match self {
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
    /// 401 without an error code: the request carried no bearer token, so nothing was wrong with one.
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

    /// 400 and `invalid_request`: the credentials are malformed, or there is more than one way to read them.
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

    /// 401 and `invalid_token`: for what only the application knows against a token, a denylist for example.
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

    /// 403 and `insufficient_scope`: the token is good and does not allow this; `scope` is what would.
    ///
    /// A client that knows who it is will not get further by logging in again, so this is never a 401.
    #[must_use]
    pub fn insufficient_scope(scope: &Scope) -> Self {
        Self::of(Kind::InsufficientScope).with_scope(scope)
    }

    /// 503 without a challenge: what the token is held against could not be asked, keys or a denylist. That says nothing
    /// about the token, so the client keeps it and tries again.
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

    /// 400 without a challenge: something other than the credentials cannot be read, a cookie for example.
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

    /// 403 without a challenge: the request comes from elsewhere, so that no token would change the answer.
    const fn forbidden() -> Self {
        Self::of(Kind::Forbidden)
    }

    const fn of(kind: Kind) -> Self {
        let text = match kind.text() {
            Some(text) => Some(Cow::Borrowed(text)),
            None => None,
        };
        Self { kind, realm: None, scope: None, text }
    }

    /// Says which part of the server the credentials are for; called again: that one instead. Without effect where there is no
    /// `WWW-Authenticate`.
    #[must_use]
    pub fn with_realm(mut self, realm: &Realm) -> Self {
        self.realm = Some(realm.clone());
        self.written()
    }

    /// Says which scope is needed; called again: that one instead. Without effect where there is no `WWW-Authenticate`.
    #[must_use]
    pub fn with_scope(mut self, scope: &Scope) -> Self {
        self.scope = Some(scope.clone());
        self.written()
    }

    /// The HTTP status: 400, 401 or 403; or 503 while what the answer depends on is unavailable.
    #[must_use]
    pub const fn status(&self) -> u16 {
        self.kind.status()
    }

    /// The value of the `WWW-Authenticate` header, if the answer has one. It is visible ASCII and blanks.
    #[must_use]
    pub fn www_authenticate(&self) -> Option<&str> {
        self.text.as_deref()
    }

    fn written(mut self) -> Self {
        let Some(plain) = self.kind.text() else { return self };
        let mut text = String::from("Bearer");
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
        if let Some(error) = plain.strip_prefix("Bearer ") {
            text.push_str(separator);
            text.push_str(error);
            separator = ", ";
        }
        if let Some(scope) = &self.scope {
            text.push_str(separator);
            text.push_str("scope=\"");
            text.push_str(&scope.0);
            text.push('"');
        }
        self.text = Some(Cow::Owned(text));
        self
    }
}

impl VerifyError {
    /// The HTTP answer to a request that carried this token
    /// ([RFC 6750 section 3](https://www.rfc-editor.org/rfc/rfc6750#section-3)).
    ///
    /// 401 and `invalid_token` for everything that is wrong with a token, with a description that tells an expired token from
    /// the rest and nothing else. 503 without a challenge for [`KeysUnavailable`](Self::KeysUnavailable).
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
    /// The HTTP answer ([RFC 6750 section 3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)).
    ///
    /// - 401 without an error code where the request carries no bearer token, which includes another scheme.
    /// - 400 and `invalid_request` for a bearer token that cannot be read.
    /// - 400 for a cookie that cannot be read, and 403 for a request from elsewhere; neither has a `WWW-Authenticate`.
    /// - For a token, as [`VerifyError::challenge`] says.
    #[must_use]
    pub const fn challenge(&self) -> Challenge {
        match self {
            Self::MissingCredentials | Self::OtherScheme => Challenge::missing_credentials(),
            Self::MalformedCredentials { .. } | Self::SeveralCredentials => Challenge::invalid_request(),
            Self::MalformedCookie | Self::DoubledCookie => Challenge::bad_request(),
            Self::CrossSite | Self::ForeignOrigin | Self::NoOrigin | Self::SeveralOrigins => {
                Challenge::forbidden()
            }
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
    /// A realm of visible ASCII and blanks. Quotes and backslashes are escaped when it is written.
    ///
    /// # Errors
    ///
    /// [`SetupError::InvalidRealm`] when it is empty, or holds a control character or one beyond ASCII, about
    /// which clients disagree.
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
    /// Scopes of visible ASCII, one blank between each two.
    ///
    /// # Errors
    ///
    /// [`SetupError::InvalidScope`] when it is empty, has two blanks in a row or one at an end, or holds a quote,
    /// a backslash, a control character or one beyond ASCII.
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
        // Nothing at all, or a blank at the end.
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
