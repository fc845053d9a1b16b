//! Publish the keys that verify access tokens, and replace the one that signs.

use crate::refused::Refused;
use crate::request::AdminAccess;
use crate::server::Server;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use countersign::UnixTime;
use serde_json::json;
use std::sync::Arc;

/// The JWK set ([RFC 7517 section 8.5.2](https://www.rfc-editor.org/rfc/rfc7517#section-8.5.2)).
pub(super) const JWKS: &str = "/.well-known/jwks.json";
/// The metadata ([RFC 8414 section 3](https://www.rfc-editor.org/rfc/rfc8414#section-3)), by which verifiers of access tokens
/// find the set ([RFC 9068 section 4](https://www.rfc-editor.org/rfc/rfc9068#section-4)).
pub(super) const METADATA: &str = "/.well-known/oauth-authorization-server";

/// With HS256: a shared secret must not be published.
const NO_PUBLIC_KEY: Refused = Refused::new(StatusCode::NOT_FOUND, "no_public_key");

pub(super) async fn jwks(State(server): State<Arc<Server>>) -> Result<Response, Refused> {
    let jwks = server.keys().jwks.clone().ok_or(NO_PUBLIC_KEY)?;
    Ok(published(&server, "application/jwk-set+json", jwks))
}

pub(super) async fn metadata(State(server): State<Arc<Server>>) -> Result<Response, Refused> {
    server.keys().jwks.as_ref().ok_or(NO_PUBLIC_KEY)?;
    let metadata = json!({
        "issuer": server.issuer,
        "jwks_uri": format!("{}{JWKS}", server.issuer.trim_end_matches('/')),
        // Required, and empty because users log in here and not through an authorization endpoint.
        "response_types_supported": [],
    });
    Ok(published(&server, "application/json", metadata.to_string()))
}

/// An answer that is the same for everybody, and that caches may keep as long as the rotation allows.
fn published(server: &Server, content_type: &'static str, body: String) -> Response {
    let cache = format!("public, max-age={}", server.max_age.as_secs());
    ([(CONTENT_TYPE, content_type.to_owned()), (CACHE_CONTROL, cache)], body).into_response()
}

/// Publishes a new key, which signs later. If one is published already, the answer names that one.
pub(super) async fn rotate(
    State(server): State<Arc<Server>>,
    AdminAccess(_): AdminAccess,
) -> Result<Response, Refused> {
    let rotating = server.clone();
    // A key that was made must be published, even if the client disconnects.
    let work = async move { rotating.rotate(UnixTime::now(), true).await };
    let failed = || Refused::unavailable("rotation_failed");
    let stage = server.unattended.run(work).await.map_err(|_| failed())?.map_err(|error| {
        tracing::error!(%error, "the keys could not be rotated");
        failed()
    })?;
    let (kid, begin) = stage.ok_or(NO_PUBLIC_KEY)?.next.ok_or_else(failed)?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "kid": kid, "signs_at": begin.as_secs() }))).into_response())
}
