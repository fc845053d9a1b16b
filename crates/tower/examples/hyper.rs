//! A server on hyper alone, with the layer in front of its service.
//!
//! ```sh
//! cargo run -p countersign-tower --example hyper
//! ```

use countersign::{Algorithm, Claims, HmacKey, PolicyError, SignError, Token, Verifier};
use countersign_tower::BearerLayer;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::error::Error;
use std::time::Duration;
use tokio::net::TcpListener;
use tower::{Layer, service_fn};

/// Answers requests that have a good token.
async fn hello(request: Request<Incoming>) -> Result<Response<String>, Infallible> {
    // The layer has put it there.
    let token = request.extensions().get::<Token<()>>();
    let subject = token.and_then(|token| token.subject()).unwrap_or("no subject");
    Ok(Response::new(format!("Hello, {subject}.\n")))
}

pub(crate) async fn serve(listener: TcpListener, verifier: Verifier) -> std::io::Result<()> {
    let service = BearerLayer::new(verifier).layer(service_fn(hello));
    loop {
        let (stream, _) = listener.accept().await?;
        let connection = http1::Builder::new()
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(service.clone()));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                eprintln!("connection: {error}");
            }
        });
    }
}

pub(crate) fn verifier(key: HmacKey) -> Result<Verifier, PolicyError> {
    Verifier::builder(key).issuer("https://auth.example").audience("https://api.example").build()
}

pub(crate) fn token(key: &HmacKey, subject: &str) -> Result<String, SignError> {
    Claims::registered()
        .issuer("https://auth.example")
        .audience("https://api.example")
        .subject(subject)
        .expires_in(Duration::from_secs(15 * 60))
        .sign(key)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    // In production, read the secret from a secret store. The authentication server has it too.
    let key = HmacKey::generate(Algorithm::Hs256)?;
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("curl -i http://127.0.0.1:3000/ -H 'Authorization: Bearer {}'", token(&key, "ann")?);
    serve(listener, verifier(key)?).await?;
    Ok(())
}
