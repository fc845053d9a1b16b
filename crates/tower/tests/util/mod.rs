//! Keys, tokens, verifiers, and requests to services.
#![allow(dead_code, reason = "each test file uses a part")]

use axum::body::{Body, to_bytes};
use core::time::Duration;
use countersign::{Claims, HmacKey, SecretBytes, UnixTime, Verifier, VerifierBuilder};
use http::request::Builder;
use http::{HeaderMap, Request, Response};
use tokio::runtime::Runtime;
use tower::{Service, ServiceExt};

pub(crate) const ISSUER: &str = "https://auth.example";
pub(crate) const AUDIENCE: &str = "https://api.example";

#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct User {
    pub(crate) name: String,
    pub(crate) roles: Vec<String>,
}

pub(crate) fn user(roles: &[&str]) -> User {
    User { name: "Ann".into(), roles: roles.iter().map(|role| role.to_string()).collect() }
}

pub(crate) fn key_of(byte: u8) -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes([byte; 32])).unwrap()
}

pub(crate) fn key() -> HmacKey {
    key_of(7)
}

pub(crate) fn policy(key: HmacKey) -> VerifierBuilder {
    Verifier::builder(key).issuer(ISSUER).audience(AUDIENCE)
}

pub(crate) fn verifier() -> Verifier {
    policy(key()).build().unwrap()
}

pub(crate) fn claims(roles: &[&str]) -> Claims<User> {
    let claims = Claims::new(user(roles)).issuer(ISSUER).audience(AUDIENCE).subject("ann");
    claims.expires_in(Duration::from_secs(900))
}

pub(crate) fn token() -> String {
    claims(&["reader"]).sign(&key()).unwrap()
}

pub(crate) fn bearer() -> String {
    format!("Bearer {}", token())
}

/// Returns a token that expired at the beginning of 2001.
pub(crate) fn expired() -> String {
    claims(&[]).expires_at(UnixTime::from_secs(978_307_200)).sign(&key()).unwrap()
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) extensions: http::Extensions,
}

impl Answer {
    /// Returns the values of a header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    pub(crate) fn challenge(&self) -> Option<&str> {
        self.all("www-authenticate").first().copied()
    }

    #[track_caller]
    pub(crate) fn assert(&self, status: u16, body: &str) {
        assert_eq!((self.status, &*self.body), (status, body), "{:?}", self.headers);
    }
}

pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    runtime().block_on(future)
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Sends a request to a clone of the service.
pub(crate) fn send<S>(service: &S, request: Builder) -> Answer
where
    S: Service<Request<Body>, Response = Response<Body>, Error: core::fmt::Debug> + Clone,
{
    send_in(&runtime(), service, request)
}

/// Sends a request like [`send`], in a runtime that goes on after it.
pub(crate) fn send_in<S>(runtime: &Runtime, service: &S, request: Builder) -> Answer
where
    S: Service<Request<Body>, Response = Response<Body>, Error: core::fmt::Debug> + Clone,
{
    runtime.block_on(async {
        let response = service.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(to_bytes(body, 1 << 20).await.unwrap().into()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, body, extensions: parts.extensions }
    })
}

/// Sends GET with these headers to the path `/`.
pub(crate) fn get<S>(service: &S, headers: &[(&str, &str)]) -> Answer
where
    S: Service<Request<Body>, Response = Response<Body>, Error: core::fmt::Debug> + Clone,
{
    send(service, with(Request::get("/"), headers))
}

pub(crate) fn with(request: Builder, headers: &[(&str, &str)]) -> Builder {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}
