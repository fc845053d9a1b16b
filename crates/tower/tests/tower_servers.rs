//! The examples as started servers, over TCP: what a client sees of them.
#![cfg(feature = "axum")]

#[path = "../examples/axum.rs"]
#[allow(dead_code, reason = "`main` is not called")]
mod axum_example;
#[cfg(feature = "jwks")]
#[path = "../examples/discovery.rs"]
#[allow(dead_code, reason = "`main` is not called")]
mod discovery_example;
#[path = "../examples/hyper.rs"]
#[allow(dead_code, reason = "`main` is not called")]
mod hyper_example;
#[path = "../examples/tonic.rs"]
#[allow(dead_code, reason = "`main` is not called")]
mod tonic_example;

use countersign::{HmacKey, SecretBytes};
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

fn key(byte: u8) -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes([byte; 32])).unwrap()
}

/// Runs a test next to a server.
fn with_server<S, T>(serve: impl FnOnce(TcpListener) -> S, test: impl AsyncFnOnce(SocketAddr) -> T) -> T
where
    S: Future<Output = std::io::Result<()>> + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let tasks = tokio::task::LocalSet::new();
    tasks.block_on(&runtime, async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let server = tokio::task::spawn_local(serve(listener));
        let result = test(address).await;
        assert!(!server.is_finished());
        server.abort();
        result
    })
}

/// Sends GET with these lines of headers, and returns the status and the whole response.
async fn ask(server: SocketAddr, path: &str, headers: &[String]) -> (u16, String) {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let lines: String = headers.iter().map(|line| format!("{line}\r\n")).collect();
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{lines}\r\n");
    // A server that refuses a long header may close the connection before it has read all of it.
    let (mut reading, mut writing) = stream.split();
    let mut response = Vec::new();
    let (_, _) = tokio::join!(writing.write_all(request.as_bytes()), reading.read_to_end(&mut response));
    let response = String::from_utf8(response).unwrap();
    let status = response.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.unwrap_or_else(|| panic!("{response:?}")), response)
}

fn bearer(text: &str) -> String {
    format!("Authorization: Bearer {text}")
}

/// The answers that are the same with each server. `/whoami` of the server needs a token.
async fn assert_refuses(server: SocketAddr, good: &str, forged: &str) {
    let padded = bearer(&"A".repeat(1 << 20));
    let good = bearer(good);
    for (headers, status, code) in [
        (vec![], 401, "missing_credentials"),
        (vec!["Authorization: Basic YTpi".into()], 401, "other_scheme"),
        (vec!["Authorization: Bearer ".into()], 400, "malformed_credentials"),
        (vec![good.clone(), good.clone()], 400, "several_credentials"),
        (vec![good.clone(), "authorization: Bearer x".into()], 400, "several_credentials"),
        (vec![bearer(forged)], 401, "invalid_signature"),
    ] {
        let (found, response) = ask(server, "/whoami", &headers).await;
        assert_eq!(found, status, "{headers:?}: {response}");
        assert!(response.ends_with(&format!("\r\n\r\n{code}")), "{response}");
        assert!(response.contains("\r\nwww-authenticate: Bearer"), "{response}");
    }
    // hyper itself refuses it.
    assert_eq!(ask(server, "/whoami", &[padded]).await.0, 431);
    assert_eq!(ask(server, "/whoami", &[good]).await.0, 200);
}

#[test]
fn the_axum_server_answers_each_request_by_its_token() {
    use axum_example::{app, token, verifier};

    let app = app(verifier(key(7)).unwrap());
    let serve = async |listener| axum::serve(listener, app).await;
    let token = |byte, scopes: &[&str]| token(&key(byte), "Ann", scopes).unwrap();
    with_server(serve, async |server| {
        let (status, response) = ask(server, "/", &[]).await;
        assert_eq!((status, response.ends_with("Welcome, guest.\n")), (200, true), "{response}");
        let (_, response) = ask(server, "/", &[bearer(&token(7, &[]))]).await;
        assert!(response.ends_with("Welcome, Ann.\n"), "{response}");
        assert_eq!(ask(server, "/", &[bearer(&token(8, &[]))]).await.0, 401);

        assert_refuses(server, &token(7, &[]), &token(8, &[])).await;

        let (status, response) = ask(server, "/settings", &[bearer(&token(7, &["read"]))]).await;
        assert_eq!(status, 403);
        assert!(
            response.contains("www-authenticate: Bearer error=\"insufficient_scope\", scope=\"admin\"\r\n")
        );
        let (_, response) = ask(server, "/settings", &[bearer(&token(7, &["admin"]))]).await;
        assert!(response.ends_with("The settings, for Ann.\n"), "{response}");
    });
}

#[test]
fn the_hyper_server_answers_each_request_by_its_token() {
    use hyper_example::{serve, token, verifier};

    let verifier = verifier(key(7)).unwrap();
    let token = |byte| token(&key(byte), "ann").unwrap();
    with_server(
        async |listener| serve(listener, verifier).await,
        async |server| {
            assert_refuses(server, &token(7), &token(8)).await;
            let (_, response) = ask(server, "/", &[bearer(&token(7))]).await;
            assert!(response.ends_with("Hello, ann.\n"), "{response}");
        },
    );
}

#[test]
fn the_readme_shows_the_code_of_the_example_in_at_most_25_lines() {
    let readme = include_str!("../README.md");
    let example = include_str!("../examples/discovery.rs");
    let shown = readme.split("```").nth(1).unwrap().strip_prefix("rust,no_run\n").unwrap();
    assert!(shown.lines().count() <= 25, "{shown}");
    for part in shown.trim_end().split("\n\n") {
        assert!(example.contains(part), "{part}");
    }
}

#[cfg(feature = "jwks")]
#[test]
fn the_discovery_server_accepts_the_tokens_of_its_issuer() {
    use axum::{Router, routing::get};
    use core::time::Duration;
    use countersign::{Algorithm, Claims, KeySet, PrivateKey, SigningKey};

    const AUDIENCE: &str = "https://api.example";
    let key =
        |id: &str| PrivateKey::generate(Algorithm::Es256).unwrap().es256().unwrap().with_key_id(id).unwrap();
    let token = |issuer: &str, key: &SigningKey| {
        let claims = Claims::registered().issuer(issuer).audience(AUDIENCE).subject("ann");
        claims.expires_in(Duration::from_secs(900)).sign(key).unwrap()
    };
    let (signer, unknown) = (key("1"), key("2"));
    let mut keys = KeySet::new();
    keys.insert(signer.verifying_key()).unwrap();
    let keys = keys.to_jwks().unwrap();
    let identity_provider = async |listener: TcpListener| {
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let metadata = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{issuer}/keys"}}"#);
        let routes = Router::new()
            .route("/.well-known/openid-configuration", get(async move || metadata))
            .route("/keys", get(async move || keys));
        axum::serve(listener, routes).await
    };
    with_server(identity_provider, async |provider| {
        let issuer = format!("http://{provider}");
        let app = discovery_example::app(&issuer, AUDIENCE).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = listener.local_addr().unwrap();
        let task = tokio::task::spawn_local(async move { axum::serve(listener, app).await });
        let (status, response) = ask(server, "/", &[bearer(&token(&issuer, &signer))]).await;
        assert_eq!((status, response.ends_with("Hello, ann.\n")), (200, true), "{response}");
        for (text, code) in [
            (token(&issuer, &unknown), "unknown_key"),
            (token("https://other.example", &signer), "wrong_issuer"),
        ] {
            let (status, response) = ask(server, "/", &[bearer(&text)]).await;
            assert_eq!((status, response.ends_with(code)), (401, true), "{response}");
        }
        assert_eq!(ask(server, "/", &[]).await.0, 401);
        task.abort();
    });
}

#[test]
fn the_tonic_server_answers_each_call_by_its_token() {
    use tonic::transport::Endpoint;
    use tonic::{Code, Request};
    use tonic_example::{serve, token, verifier};
    use tonic_health::pb::HealthCheckRequest;
    use tonic_health::pb::health_client::HealthClient;

    let verifier = verifier(key(7)).unwrap();
    let serve = async |listener| serve(listener, verifier).await.map_err(std::io::Error::other);
    with_server(serve, async |server| {
        let mut client = HealthClient::new(
            Endpoint::try_from(format!("http://{server}")).unwrap().connect().await.unwrap(),
        );
        let mut call = async |service: &str, values: &[&str]| {
            let mut request = Request::new(HealthCheckRequest { service: service.into() });
            for value in values {
                request.metadata_mut().append("authorization", value.parse().unwrap());
            }
            let result = client.check(request).await;
            result
                .map(|answer| answer.get_ref().status)
                .map_err(|error| (error.code(), error.message().to_owned()))
        };
        let good = format!("Bearer {}", token(&key(7), "ann").unwrap());
        let forged = format!("Bearer {}", token(&key(8), "ann").unwrap());
        assert_eq!(call("ann", &[&good]).await, Ok(1));
        let refused = |code, message: &str| Err((code, message.to_owned()));
        assert_eq!(call("bob", &[&good]).await, refused(Code::PermissionDenied, "another subject"));
        for (values, message) in [
            (&[][..], "missing_credentials"),
            (&["Basic YTpi"], "other_scheme"),
            (&["Bearer"], "malformed_credentials"),
            (&[&forged], "invalid_signature"),
            (&[&good, &good], "several_credentials"),
        ] {
            assert_eq!(call("ann", values).await, refused(Code::Unauthenticated, message));
        }
    });
}
