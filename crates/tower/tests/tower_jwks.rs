//! The verifiers of countersign-jwks, in axum: keys that change or cannot be fetched.
#![cfg(all(feature = "axum", feature = "jwks"))]

mod util;

use axum::Router;
use axum::routing::get as route;
use core::time::Duration;
use countersign::jwk::RefreshConfig;
use countersign::{Algorithm, Claims, KeySet, PrivateKey, SigningKey};
use countersign_jwks::{BoxError, Fetch, Fetching, Issuers, RemoteKeys, RemoteVerifier, Request, Response};
use countersign_tower::{Bearer, BearerLayer};
use std::sync::{Arc, Mutex};
use tokio::runtime::Runtime;
use util::{AUDIENCE, Answer, ISSUER, runtime, send_in};

/// An identity provider without a network: the keys that it publishes, or `None` if it is down.
#[derive(Clone, Default)]
struct Idp(Arc<Mutex<Option<String>>>);

impl Idp {
    fn publish(&self, keys: &[&SigningKey]) {
        let mut set = KeySet::new();
        for key in keys {
            set.insert(key.verifying_key()).unwrap();
        }
        *self.0.lock().unwrap() = Some(set.to_jwks().unwrap());
    }
}

impl Fetch for Idp {
    fn fetch<'a>(&'a self, _: Request<'a>) -> Fetching<'a> {
        let body = self.0.lock().unwrap().clone();
        Box::pin(async { Ok(Response::new(200, body.ok_or(BoxError::from("connection refused"))?)) })
    }
}

/// Keys that may be fetched again a minute after they were fetched.
fn keys(runtime: &Runtime, idp: &Idp) -> RemoteKeys {
    let _context = runtime.enter();
    RemoteKeys::builder("https://idp.example/keys", &[Algorithm::Ed25519])
        .refresh(RefreshConfig::new().with_cooldown(Duration::from_secs(60)))
        .fetch_with(idp.clone())
        .spawn()
        .unwrap()
}

fn key(id: &str) -> SigningKey {
    PrivateKey::generate(Algorithm::Ed25519).unwrap().ed25519().unwrap().with_key_id(id).unwrap()
}

fn bearer(key: &SigningKey, issuer: &str) -> String {
    let claims = Claims::registered().issuer(issuer).audience(AUDIENCE).subject("ann");
    format!("Bearer {}", claims.expires_in(Duration::from_secs(900)).sign(key).unwrap())
}

fn get(runtime: &Runtime, app: &Router, bearer: &str) -> Answer {
    send_in(runtime, app, http::Request::get("/").header("authorization", bearer))
}

fn app(keys: RemoteKeys) -> Router {
    async fn hello(Bearer(token): Bearer<(), RemoteVerifier>) -> String {
        token.subject().unwrap().to_owned()
    }
    let verifier = RemoteVerifier::new(keys, |policy| policy.issuer(ISSUER).audience(AUDIENCE)).unwrap();
    Router::new().route("/", route(hello)).with_state(verifier)
}

#[test]
fn a_request_waits_for_the_first_keys() {
    let (runtime, idp, key) = (runtime(), Idp::default(), key("1"));
    idp.publish(&[&key]);
    let app = app(keys(&runtime, &idp));
    get(&runtime, &app, &bearer(&key, ISSUER)).assert(200, "ann");
    // The keys are known now, and the cooldown has begun.
    let other = self::key("2");
    get(&runtime, &app, &bearer(&other, ISSUER)).assert(401, "unknown_key");
}

#[test]
fn s271_keys_that_cannot_be_fetched_are_503_with_the_time_of_the_next_fetch() {
    let (runtime, idp, key) = (runtime(), Idp::default(), key("1"));
    let keys = keys(&runtime, &idp);
    let answer = get(&runtime, &app(keys.clone()), &bearer(&key, ISSUER));
    answer.assert(503, "keys_unavailable");
    assert_eq!(answer.challenge(), None);
    let [seconds] = answer.all("retry-after")[..] else { panic!("{answer:?}") };
    let seconds: u64 = seconds.parse().unwrap();
    let expected = keys.status().retry_after.as_secs();
    assert!((expected..=expected + 1).contains(&seconds), "{seconds}, {expected}");
}

#[test]
fn the_issuer_of_the_token_chooses_the_keys() {
    const OTHER: &str = "https://other.example";
    async fn hello(Bearer(token): Bearer<(), Arc<Issuers>>) -> String {
        token.issuer().unwrap().to_owned()
    }
    let (runtime, [one, two]) = (runtime(), [Idp::default(), Idp::default()]);
    let [first, second] = [key("1"), key("2")];
    one.publish(&[&first]);
    let issuers = Issuers::new()
        .with_issuer(&[ISSUER], keys(&runtime, &one), |policy| policy.audience(AUDIENCE))
        .and_then(|issuers| {
            issuers.with_issuer(&[OTHER], keys(&runtime, &two), |policy| policy.audience(AUDIENCE))
        });
    let app = Router::new().route("/", route(hello)).with_state(Arc::new(issuers.unwrap()));
    get(&runtime, &app, &bearer(&first, ISSUER)).assert(200, ISSUER);
    get(&runtime, &app, &bearer(&second, ISSUER)).assert(401, "unknown_key");
    get(&runtime, &app, &bearer(&first, "https://third.example")).assert(401, "wrong_issuer");
    // The other issuer is down.
    let answer = get(&runtime, &app, &bearer(&second, OTHER));
    answer.assert(503, "keys_unavailable");
    assert_eq!(answer.all("retry-after").len(), 1);
}

#[test]
fn a_bound_token_is_refused_by_both_verifiers() {
    async fn one(_: Bearer<(), RemoteVerifier>) {}
    async fn many(_: Bearer<(), Arc<Issuers>>) {}
    let (runtime, idp, key) = (runtime(), Idp::default(), key("1"));
    idp.publish(&[&key]);
    let keys = keys(&runtime, &idp);
    let claims = Claims::new(serde_json::json!({"cnf":{"jkt":"x"}})).issuer(ISSUER).audience(AUDIENCE);
    let bearer = format!("Bearer {}", claims.expires_in(Duration::from_secs(900)).sign(&key).unwrap());
    let verifier =
        RemoteVerifier::new(keys.clone(), |policy| policy.issuer(ISSUER).audience(AUDIENCE)).unwrap();
    let issuers = Issuers::new().with_issuer(&[ISSUER], keys, |policy| policy.audience(AUDIENCE)).unwrap();
    for app in [
        Router::new().route("/", route(one)).with_state(verifier.clone()),
        Router::new().route("/", route(many)).with_state(Arc::new(issuers)),
        Router::new().route("/", route(async || ())).layer(BearerLayer::new(verifier)),
    ] {
        get(&runtime, &app, &bearer).assert(401, "bound_token");
    }
}
