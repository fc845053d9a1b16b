//! A protected route, with the keys of an OpenID Connect provider:
//!
//! ```sh
//! cargo run -p countersign-tower --features jwks --example discovery -- https://idp.example https://api.example
//! ```

use axum::{Router, routing::get};
use countersign::Algorithm;
use countersign_jwks::{RemoteKeys, RemoteVerifier};
use countersign_tower::Bearer;

async fn hello(Bearer(token): Bearer<(), RemoteVerifier>) -> String {
    format!("Hello, {}.\n", token.subject().unwrap_or("no subject"))
}

pub(crate) async fn app(issuer: &str, audience: &str) -> Result<Router, Box<dyn std::error::Error>> {
    let keys = RemoteKeys::discover(issuer, &[Algorithm::Rs256, Algorithm::Es256]).await?;
    let verifier = RemoteVerifier::new(keys, |policy| policy.issuer(issuer).audience(audience))?;
    Ok(Router::new().route("/", get(hello)).with_state(verifier))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [_, issuer, audience] = &std::env::args().collect::<Vec<_>>()[..] else {
        return Err("ISSUER AUDIENCE".into());
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app(issuer, audience).await?).await?)
}
