//! Serves the metadata and the keys of an issuer on this machine, and verifies its tokens while the keys change.
//!
//! ```sh
//! cargo run -p countersign-jwks --example serve_and_verify
//! ```

use core::time::Duration;
use countersign::jwk::RefreshConfig;
use countersign::{Algorithm, Claims, KeySet, PrivateKey, SigningKey};
use countersign_jwks::{RemoteKeys, RemoteVerifier};
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use std::error::Error;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;

const AUDIENCE: &str = "https://api.example";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let issuer = format!("http://{}", listener.local_addr()?);
    let (old, new, foreign) = (key("old")?, key("new")?, key("foreign")?);
    let published = Arc::new(Mutex::new(set(&[&old])?));
    tokio::spawn(serve(listener, issuer.clone(), published.clone()));

    println!("1. the issuer {issuer} signs with the key \"old\"");
    let cooldown = Duration::from_secs(1);
    let keys = RemoteKeys::builder_of_issuer(&issuer, &[Algorithm::Ed25519])
        .refresh(RefreshConfig::new().with_cooldown(cooldown))
        .start()
        .await?;
    let verifier = RemoteVerifier::new(keys, |policy| policy.issuer(&*issuer).audience(AUDIENCE))?;
    show(&verifier, &issuer, &old, Ok("ann")).await?;

    // More than the cooldown, because times are whole seconds.
    tokio::time::sleep(2 * cooldown).await;
    println!("2. it publishes \"new\" too, and signs with it: the token waits for one fetch");
    *published.lock().map_err(|_| "poisoned")? = set(&[&old, &new])?;
    show(&verifier, &issuer, &new, Ok("ann")).await?;
    show(&verifier, &issuer, &old, Ok("ann")).await?;

    tokio::time::sleep(2 * cooldown).await;
    println!("3. it removes \"old\": with the next fetch, the key is forgotten");
    *published.lock().map_err(|_| "poisoned")? = set(&[&new])?;
    show(&verifier, &issuer, &foreign, Err("unknown_key")).await?;
    show(&verifier, &issuer, &old, Err("unknown_key")).await?;
    show(&verifier, &issuer, &new, Ok("ann")).await?;

    println!("4. a thousand tokens with unknown keys cause no fetch before the cooldown is over");
    let before = verifier.keys().status().fetches;
    for _ in 0..1000 {
        let refused = verifier.verify::<()>(&token(&issuer, &foreign)?).await;
        assert_eq!(refused.map(drop).map_err(|error| error.code()), Err("unknown_key"));
    }
    let status = verifier.keys().status();
    println!("   fetches: {}, keys: {}, age: {:?}", status.fetches, status.keys, status.age);
    assert!(status.fetches <= before + 1, "the cooldown may end meanwhile");
    Ok(())
}

fn key(id: &str) -> Result<SigningKey, Box<dyn Error>> {
    Ok(PrivateKey::generate(Algorithm::Ed25519)?.ed25519()?.with_key_id(id)?)
}

fn set(keys: &[&SigningKey]) -> Result<String, Box<dyn Error>> {
    let mut set = KeySet::new();
    for key in keys {
        set.insert(key.verifying_key())?;
    }
    Ok(set.to_jwks()?)
}

fn token(issuer: &str, key: &SigningKey) -> Result<String, countersign::SignError> {
    let claims = Claims::registered().issuer(issuer).subject("ann").audience(AUDIENCE);
    claims.expires_in(Duration::from_secs(15 * 60)).sign(key)
}

/// Signs a token, verifies it, and prints the result.
async fn show(
    verifier: &RemoteVerifier,
    issuer: &str,
    key: &SigningKey,
    expected: Result<&str, &str>,
) -> Result<(), Box<dyn Error>> {
    let result = verifier.verify::<()>(&token(issuer, key)?).await;
    let fetches = verifier.keys().status().fetches;
    let id = key.key_id().unwrap_or_default();
    match &result {
        Ok(token) => println!("   {id}: verified, subject {:?}; fetches: {fetches}", token.subject()),
        Err(error) => println!("   {id}: refused, {error}; fetches: {fetches}"),
    }
    let result = result.as_ref().map(|token| token.subject().unwrap_or_default());
    assert_eq!(result.map_err(|error| error.code()), expected);
    Ok(())
}

/// Serves the metadata and the key set. Your server does this with its web framework.
async fn serve(listener: TcpListener, issuer: String, keys: Arc<Mutex<String>>) -> std::io::Result<()> {
    let metadata = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}/keys"}}"#);
    let answer = |request: Request<Incoming>| {
        let (status, body) = match request.uri().path() {
            "/.well-known/openid-configuration" => (200, metadata.clone()),
            "/keys" => (200, keys.lock().map(|keys| keys.clone()).unwrap_or_default()),
            _ => (404, String::new()),
        };
        println!("   the issuer answers GET {} with {status}", request.uri());
        async move { Response::builder().status(status).header("cache-control", "max-age=600").body(body) }
    };
    loop {
        let (stream, _) = listener.accept().await?;
        let connection = hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service_fn(&answer));
        if let Err(error) = connection.await {
            eprintln!("   {error}");
        }
    }
}
