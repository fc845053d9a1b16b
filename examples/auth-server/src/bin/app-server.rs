//! An application server. It has the verifying keys of the authentication server and no store, and sends no queries.
//!
//! `APP_KEY` is the address of the published keys, which are fetched again while they are used, or the file with the only key:
//! `access.public.pem`, or `access.secret` with HS256. `APP_ISSUER` and `APP_AUDIENCE` have the values of `AUTH_ISSUER` and
//! `AUTH_AUDIENCE`; `APP_LISTEN` is an address and port; `APP_LOG` is `text` or `json`.

use auth_server::keys;
use auth_server::refused::Refused;
use auth_server::users::{Claims, Role};
use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, CACHE_CONTROL, COOKIE, X_CONTENT_TYPE_OPTIONS};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use countersign::http::Cookie;
use countersign::{Algorithm, Keys};
use countersign_jwks::RemoteKeys;
use countersign_session::{AccessToken, AccessVerifier, Binding};
use serde_json::{Value, json};
use std::error::Error;
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;

struct App {
    verifier: AccessVerifier,
    fingerprint_cookie: Cookie,
}

/// A verified access token. If its session has ended, it is accepted until it expires.
struct Access(AccessToken<Claims>);

impl FromRequestParts<Arc<App>> for Access {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Refused> {
        let cookie = app.fingerprint_cookie.find(parts.headers.get_all(COOKIE))?;
        let binding = cookie.map_or(Binding::None, Binding::fingerprint);
        Ok(Self(app.verifier.verify_bearer(parts.headers.get_all(AUTHORIZATION), &binding)?))
    }
}

async fn orders(Access(access): Access) -> Json<Value> {
    Json(json!({ "orders": [], "of": access.claims().name }))
}

async fn all_orders(Access(access): Access) -> Result<Json<Value>, Refused> {
    match access.claims().role {
        Role::Admin => Ok(Json(json!({ "orders": [] }))),
        Role::User => Err(Refused::insufficient_scope(Role::Admin.as_str())),
    }
}

/// Keeps every answer out of caches, because it is for one user.
async fn finish(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("app-server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns the keys of a file, or those that are published at an address.
async fn keys_of(place: &str) -> Result<Keys, Box<dyn Error>> {
    if !place.contains("://") {
        return Ok(keys::read(Path::new(place))?);
    }
    let keys = RemoteKeys::new(place, &[Algorithm::Rs256])?;
    // A failure is logged. Requests are refused with a 503 until a later fetch succeeds.
    let _ = keys.ready().await;
    Ok(keys.into())
}

async fn run() -> Result<(), Box<dyn Error>> {
    let setting = |name: &str, default: &str| std::env::var(name).unwrap_or_else(|_| default.into());
    let listen: SocketAddr = setting("APP_LISTEN", "127.0.0.1:3001")
        .parse()
        .map_err(|_| "APP_LISTEN: an address and port such as 127.0.0.1:3001 is expected")?;
    match setting("APP_LOG", "text").as_str() {
        "json" => tracing_subscriber::fmt().json().init(),
        "text" => tracing_subscriber::fmt().init(),
        _ => return Err("APP_LOG: text or json is expected".into()),
    }
    let keys = keys_of(&setting("APP_KEY", "auth-data/access.secret"))
        .await
        .map_err(|error| format!("APP_KEY: {error}"))?;
    let issuer = setting("APP_ISSUER", "http://localhost:3000");
    let audience = setting("APP_AUDIENCE", "https://api.example");
    let verifier = keys::verifier(keys, &issuer, &audience)
        .map_err(|error| format!("APP_ISSUER, APP_AUDIENCE: {error}"))?;
    let app = Arc::new(App { verifier, fingerprint_cookie: Cookie::fingerprint() });
    let router = Router::new()
        .route("/orders", get(orders))
        .route("/orders/all", get(all_orders))
        .fallback(|| async { Refused::new(StatusCode::NOT_FOUND, "not_found") })
        .layer(map_response(finish))
        .with_state(app);
    let listener =
        TcpListener::bind(listen).await.map_err(|error| format!("APP_LISTEN: {listen}: {error}"))?;
    tracing::info!(address = %listener.local_addr()?, "listening");
    axum::serve(listener, router).await?;
    Ok(())
}
