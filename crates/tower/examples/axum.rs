//! An axum server: a page for everyone, one for users, and one for administrators.
//!
//! ```sh
//! cargo run -p countersign-tower --example axum
//! ```

use axum::Router;
use axum::extract::FromRef;
use axum::routing::get;
use countersign::{Algorithm, Claims, HmacKey, PolicyError, SignError, Token, Verifier};
use countersign_tower::{Allowed, Authorize, Bearer};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::time::Duration;

/// The claims that this server needs in a token.
#[derive(Serialize, Deserialize)]
struct User {
    name: String,
    scopes: Vec<String>,
}

#[derive(Clone)]
struct App {
    verifier: Verifier,
}

impl FromRef<App> for Verifier {
    fn from_ref(app: &App) -> Self {
        app.verifier.clone()
    }
}

/// The rule of the page for administrators.
struct Admin;

impl Authorize for Admin {
    type Claims = User;
    type Verifier = Verifier;
    const SCOPE: &'static str = "admin";

    fn allows(token: &Token<User>) -> bool {
        token.claims().scopes.iter().any(|scope| scope == Self::SCOPE)
    }
}

async fn front(user: Option<Bearer<User>>) -> String {
    let name = user.map_or("guest".into(), |Bearer(token)| token.into_claims().name);
    format!("Welcome, {name}.\n")
}

async fn whoami(Bearer(token): Bearer<User>) -> String {
    format!("Hello, {}.\n", token.claims().name)
}

async fn settings(Allowed(token): Allowed<Admin>) -> String {
    format!("The settings, for {}.\n", token.claims().name)
}

pub(crate) fn app(verifier: Verifier) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/whoami", get(whoami))
        .route("/settings", get(settings))
        .with_state(App { verifier })
}

pub(crate) fn verifier(key: HmacKey) -> Result<Verifier, PolicyError> {
    Verifier::builder(key).issuer("https://auth.example").audience("https://api.example").build()
}

pub(crate) fn token(key: &HmacKey, name: &str, scopes: &[&str]) -> Result<String, SignError> {
    let scopes = scopes.iter().map(|scope| scope.to_string()).collect();
    Claims::new(User { name: name.into(), scopes })
        .issuer("https://auth.example")
        .audience("https://api.example")
        .expires_in(Duration::from_secs(15 * 60))
        .sign(key)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // In production, read the secret from a secret store. The authentication server has it too.
    let key = HmacKey::generate(Algorithm::Hs256)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    let token = token(&key, "Ann", &["admin"])?;
    println!("curl -i http://127.0.0.1:3000/settings -H 'Authorization: Bearer {token}'");
    axum::serve(listener, app(verifier(key)?)).await?;
    Ok(())
}
