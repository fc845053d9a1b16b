//! Request bodies: small JSON of exactly the expected form.

use crate::refused::Refused;
use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use std::time::Duration;

/// The longest body that any route needs.
pub const LIMIT: usize = 16 * 1024;
/// The time for a body. A client that sends so few bytes more slowly only blocks a connection.
const PATIENCE: Duration = Duration::from_secs(10);

/// A JSON body of type `T`.
///
/// The content type must be `application/json`. A form on another site's page can send only three other types, so it cannot
/// reach a handler with this argument.
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let mut types = request.headers().get_all(CONTENT_TYPE).iter();
        let is_json = types.next().is_some_and(|value| is_json(value.as_bytes())) && types.next().is_none();
        if !is_json {
            return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "json_expected"));
        }
        let reading = Bytes::from_request(request, state);
        let bytes = match tokio::time::timeout(PATIENCE, reading).await {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(rejection)) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large"));
            }
            Ok(Err(_)) => return Err(Refused::new(StatusCode::BAD_REQUEST, "body_broken_off")),
            Err(_) => return Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow")),
        };
        // The message of serde might repeat a password, so drop it.
        let body = serde_json::from_slice(&bytes);
        body.map(Self).map_err(|_| Refused::new(StatusCode::BAD_REQUEST, "invalid_body"))
    }
}

/// Returns whether the type is `application/json`, with UTF-8 as charset or without a charset.
fn is_json(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let mut parts = lower.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    parts.next() == Some(b"application/json")
        && parts.all(|parameter| matches!(parameter, b"charset=utf-8" | b"charset=\"utf-8\""))
}

#[cfg(test)]
mod tests {
    use super::is_json;

    #[test]
    fn only_json_is_json() {
        for value in ["application/json", "Application/JSON", "application/json; charset=utf-8"] {
            assert!(is_json(value.as_bytes()), "{value}");
        }
        for value in [
            "",
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "text/json",
            "application/jsonp",
            "application/json, text/plain",
            "text/plain; application/json",
            "application/json; charset=utf-16",
        ] {
            assert!(!is_json(value.as_bytes()), "{value}");
        }
    }
}
