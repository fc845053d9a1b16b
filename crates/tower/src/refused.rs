//! Makes the HTTP response to a refused request.

use core::fmt;
use core::time::Duration;
use countersign::VerifyError;
use countersign::http::{Challenge, Realm, RequestError};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use std::sync::Arc;

/// Why a request is refused, and the HTTP response to it.
///
/// [`Response::from`] makes the response. axum does it if a handler or an extractor returns this type.
///
/// - The status is 400, 401, 403 or 503.
/// - `WWW-Authenticate` has the challenge: always with 401, and with 400 and 403 if it tells the client something
///   ([RFC 6750 section 3](https://www.rfc-editor.org/rfc/rfc6750#section-3)).
/// - `Retry-After` is in each 503, in whole seconds.
/// - The body is the [`code`](Self::code).
/// - The extensions of the response hold the `Refused`, so that code around the service can log it.
///
/// # Security
///
/// The response has no part of the token and no text of the error. The text, from `Display`, may have times and the expected
/// names, so only log it.
///
/// # Examples
///
/// ```
/// use countersign::VerifyError;
/// use countersign_tower::Refused;
/// use http::Response;
///
/// let refused = Refused::from(VerifyError::KeysUnavailable);
/// assert_eq!(refused.code(), "keys_unavailable");
///
/// let response: Response<String> = refused.into();
/// assert_eq!(response.status(), 503);
/// assert_eq!(response.headers()["retry-after"], "5");
/// assert_eq!(response.body(), "keys_unavailable");
/// ```
#[derive(Clone)]
pub struct Refused {
    challenge: Challenge,
    code: &'static str,
    /// In seconds.
    retry_after: u64,
    source: Option<Arc<dyn core::error::Error + Send + Sync>>,
}

impl Refused {
    /// Makes the refusal of a request that the application itself refuses. `code` is a stable name for logs and clients.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::http::Challenge;
    /// use countersign_tower::Refused;
    ///
    /// let refused = Refused::new(Challenge::invalid_token(), "user_is_locked");
    /// assert_eq!(refused.challenge().status(), 401);
    /// assert_eq!(refused.to_string(), "the request is refused: user_is_locked");
    /// ```
    #[must_use]
    pub const fn new(challenge: Challenge, code: &'static str) -> Self {
        Self { challenge, code, retry_after: USUAL_WAIT, source: None }
    }

    /// Makes the refusal with the error that it is because of, for the log.
    pub(crate) fn because_of(
        challenge: Challenge,
        code: &'static str,
        source: impl core::error::Error + Send + Sync + 'static,
    ) -> Self {
        Self { source: Some(Arc::new(source)), ..Self::new(challenge, code) }
    }

    /// Adds the realm to the challenge, as [`Challenge::with_realm`] does.
    #[must_use]
    pub fn with_realm(self, realm: &Realm) -> Self {
        Self { challenge: self.challenge.with_realm(realm), ..self }
    }

    /// Sets when the client may try again, for the `Retry-After` of a 503. The default is 5 seconds. The header has whole seconds,
    /// rounded up, and at least 1.
    #[must_use]
    pub fn with_retry_after(self, wait: Duration) -> Self {
        let started = u64::from(wait.subsec_nanos() > 0);
        Self { retry_after: wait.as_secs().saturating_add(started).max(1), ..self }
    }

    /// Returns a stable name of the reason, for logs, metrics and clients: that of the error, such as `expired`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// Returns the status and the value of `WWW-Authenticate`.
    #[must_use]
    pub const fn challenge(&self) -> &Challenge {
        &self.challenge
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "the request is refused: {source}"),
            None => write!(f, "the request is refused: {}", self.code),
        }
    }
}

impl fmt::Debug for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refused")
            .field("status", &self.challenge.status())
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}

impl core::error::Error for Refused {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.source {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

impl From<RequestError> for Refused {
    fn from(error: RequestError) -> Self {
        Self::because_of(error.challenge(), error.code(), error)
    }
}

impl From<VerifyError> for Refused {
    fn from(error: VerifyError) -> Self {
        Self::because_of(error.challenge(), error.code(), error)
    }
}

impl<B: From<&'static str>> From<Refused> for Response<B> {
    fn from(refused: Refused) -> Self {
        let mut response = Self::new(B::from(refused.code));
        // The core has no other status than 400, 401, 403 and 503.
        *response.status_mut() =
            StatusCode::from_u16(refused.challenge.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        // A challenge is visible ASCII and spaces, so it always is a header's value.
        if let Some(Ok(value)) = refused.challenge.www_authenticate().map(HeaderValue::from_str) {
            headers.insert(WWW_AUTHENTICATE, value);
        }
        if refused.challenge.status() == 503 {
            headers.insert(RETRY_AFTER, HeaderValue::from(refused.retry_after));
        }
        response.extensions_mut().insert(refused);
        response
    }
}

/// The time after which a client tries again if the verifier does not know better.
const USUAL_WAIT: u64 = 5;
