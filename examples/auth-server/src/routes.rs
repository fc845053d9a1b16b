//! The routes.

mod page;
mod sessions;
mod users;

use crate::body::LIMIT;
use crate::life_cycle::MAX_AGE;
use crate::refused::Refused;
use crate::request::AdminAccess;
use crate::server::Server;
use axum::Json;
use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use countersign::http::NO_STORE;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Instant;

/// Builds the router of the whole server.
pub fn router(server: Arc<Server>) -> Router {
    Router::new()
        .route("/", get(page::page_or_greeting))
        .route("/page.css", get(page::style))
        .route("/page.js", get(page::script))
        .route("/admin", get(admin))
        .route("/register", post(users::register))
        .route("/login", post(users::login))
        .route("/token/refresh", post(sessions::refresh))
        .route("/logout", post(sessions::logout))
        .route("/logout/all", post(sessions::logout_everywhere))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{id}", delete(sessions::revoke))
        .route("/.well-known/jwks.json", get(jwks))
        .fallback(|| async { Refused::new(StatusCode::NOT_FOUND, "not_found") })
        .method_not_allowed_fallback(|| async {
            Refused::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method")
        })
        .layer(DefaultBodyLimit::max(LIMIT))
        .layer(from_fn(finish))
        .with_state(server)
}

/// Keeps every answer but the published keys out of caches, and logs one line without query, headers and body.
async fn finish(request: Request, next: Next) -> Response {
    // A method may be a word of any length, so a long one is not logged.
    let method = Some(request.method().to_string()).filter(|method| method.len() <= 16);
    let method = method.unwrap_or_else(|| "other".into());
    let route = request.extensions().get::<MatchedPath>().map_or("-".into(), |path| path.as_str().to_owned());
    let started = Instant::now();
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static(NO_STORE));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let (status, micros) = (response.status().as_u16(), started.elapsed().as_micros());
    tracing::info!(method, route, status, micros, "answered");
    response
}

async fn admin(AdminAccess(access): AdminAccess) -> Json<Value> {
    Json(json!({ "message": format!("Hello, administrator {}.", access.claims().name) }))
}

/// The JWK set ([RFC 7517 section 8.5.2](https://www.rfc-editor.org/rfc/rfc7517#section-8.5.2)).
async fn jwks(State(server): State<Arc<Server>>) -> Response {
    match &server.keys().jwks {
        Some(jwks) => {
            let cache = format!("public, max-age={}", MAX_AGE.as_secs());
            let headers = [(CONTENT_TYPE, "application/jwk-set+json"), (CACHE_CONTROL, &cache)];
            (headers, jwks.clone()).into_response()
        }
        // A shared secret must not be published.
        None => Refused::new(StatusCode::NOT_FOUND, "no_public_key").into_response(),
    }
}
