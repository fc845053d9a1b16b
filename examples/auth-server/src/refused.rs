//! The answer to a refused request: a status, a stable code, and nothing else.

use crate::database::DatabaseError;
use crate::passwords::PasswordError;
use axum::Json;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use countersign::http::{Challenge, NO_STORE, RequestError, Scope};
use countersign_session as session;
use std::time::Duration;

/// The answer to a request that is refused: `{"error": code}`.
///
/// It never sets or deletes a cookie, because a late refusal of an old session would delete the cookie that another tab has
/// just received.
#[derive(Debug)]
pub struct Refused {
    status: StatusCode,
    code: &'static str,
    challenge: Option<Box<Challenge>>,
    retry_after: Option<Duration>,
}

impl Refused {
    /// Creates an answer with this status and code.
    pub const fn new(status: StatusCode, code: &'static str) -> Self {
        Self { status, code, challenge: None, retry_after: None }
    }

    /// Creates the answer that RFC 6750 defines.
    pub fn challenge(challenge: Challenge, code: &'static str) -> Self {
        let status = StatusCode::from_u16(challenge.status()).unwrap_or(StatusCode::UNAUTHORIZED);
        Self { challenge: Some(Box::new(challenge)), ..Self::new(status, code) }
    }

    /// Creates the answer for a valid token without permission: 403, because another login would not help.
    pub fn insufficient_scope(scope: &str) -> Self {
        const CODE: &str = "insufficient_scope";
        match Scope::new(scope) {
            Ok(scope) => Self::challenge(Challenge::insufficient_scope(&scope), CODE),
            Err(_) => Self::new(StatusCode::FORBIDDEN, CODE),
        }
    }

    /// Creates the answer for a temporary failure: the client keeps its tokens.
    pub const fn unavailable(code: &'static str) -> Self {
        let status = StatusCode::SERVICE_UNAVAILABLE;
        Self { status, code, challenge: None, retry_after: Some(Duration::from_secs(1)) }
    }

    /// Creates the answer for too many attempts.
    pub const fn too_many(wait: Duration) -> Self {
        let status = StatusCode::TOO_MANY_REQUESTS;
        Self { status, code: "too_many_attempts", challenge: None, retry_after: Some(wait) }
    }

    /// Returns the code, for the log.
    pub const fn code(&self) -> &'static str {
        self.code
    }
}

impl From<RequestError> for Refused {
    fn from(error: RequestError) -> Self {
        Self::challenge(error.challenge(), error.code())
    }
}

impl From<DatabaseError> for Refused {
    fn from(error: DatabaseError) -> Self {
        log(&error);
        Self::unavailable("store_unavailable")
    }
}

fn log(error: &DatabaseError) {
    tracing::error!(%error, "the database failed");
}

impl From<PasswordError> for Refused {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy | PasswordError::Failed => Self::unavailable("passwords_unavailable"),
            PasswordError::Length => Self::new(StatusCode::BAD_REQUEST, "password_length"),
        }
    }
}

impl From<session::Error> for Refused {
    fn from(error: session::Error) -> Self {
        if let Some(refusal) = error.refusal() {
            // For the log, not for the client.
            tracing::info!(cause = refusal.code(), "refresh token refused");
        }
        let (code, challenge) = (error.code(), error.challenge());
        if let session::Error::Store(error) | session::Error::DenylistUnavailable(error) = error {
            log(&DatabaseError::new(error));
        }
        if challenge.status() == StatusCode::SERVICE_UNAVAILABLE {
            Self::unavailable(code)
        } else {
            Self::challenge(challenge, code)
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        tracing::info!(status = self.status.as_u16(), code = self.code, "refused");
        let mut response = (self.status, Json(serde_json::json!({ "error": self.code }))).into_response();
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(NO_STORE));
        let challenge = self.challenge.as_ref().and_then(|challenge| challenge.www_authenticate());
        if let Some(value) = challenge.and_then(|text| HeaderValue::from_str(text).ok()) {
            headers.insert(WWW_AUTHENTICATE, value);
        }
        if let Some(wait) = self.retry_after {
            // Rounded up, because a client that comes too early would be refused again.
            headers
                .insert(RETRY_AFTER, HeaderValue::from(wait.as_secs() + u64::from(wait.subsec_nanos() > 0)));
        }
        response
    }
}
