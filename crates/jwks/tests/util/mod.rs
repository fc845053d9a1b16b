//! Keys, tokens, a clock that tests set, and an identity provider without a network.
#![allow(dead_code, reason = "each test file uses a part")]

use core::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use core::time::Duration;
use countersign::jwk::RefreshConfig;
use countersign::{Algorithm, Claims, KeySet, PrivateKey, SigningKey, UnixTime};
use countersign_jwks::{
    BoxError, Fetch, Fetching, RemoteKeys, RemoteKeysBuilder, RemoteVerifier, Request, Response,
};
use std::sync::{Arc, Mutex};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

pub(crate) const ISSUER: &str = "https://idp.example";
pub(crate) const AUDIENCE: &str = "https://api.example";
pub(crate) const ALLOWED: [Algorithm; 1] = [Algorithm::Ed25519];

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn key(id: &str) -> SigningKey {
    PrivateKey::generate(Algorithm::Ed25519).unwrap().ed25519().unwrap().with_key_id(id).unwrap()
}

pub(crate) fn set(keys: &[&SigningKey]) -> String {
    let mut set = KeySet::new();
    for key in keys {
        set.insert(key.verifying_key()).unwrap();
    }
    set.to_jwks().unwrap()
}

/// Returns a token that is valid for ten days.
pub(crate) fn token_of(issuer: &str, key: &SigningKey) -> String {
    Claims::registered()
        .issuer(issuer)
        .audience(AUDIENCE)
        .subject("ann")
        .issued_at(Time::START)
        .expires_in(seconds(10 * 24 * 3600))
        .sign(key)
        .unwrap()
}

pub(crate) fn token(key: &SigningKey) -> String {
    token_of(ISSUER, key)
}

pub(crate) fn verifier(keys: &RemoteKeys) -> RemoteVerifier {
    RemoteVerifier::new(keys.clone(), |policy| policy.issuer(ISSUER).audience(AUDIENCE)).unwrap()
}

/// Runs a test with a clock that moves on only when all tasks wait.
pub(crate) fn paused<T>(test: impl Future<Output = T>) -> T {
    paused_runtime().block_on(test)
}

pub(crate) fn paused_runtime() -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
}

/// Lets the task do what it can do without waiting.
pub(crate) async fn settle() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

/// A wall clock that follows the clock of tokio, and can be set.
#[derive(Clone)]
pub(crate) struct Time(Arc<(Instant, AtomicI64)>);

impl Time {
    pub(crate) const START: UnixTime = UnixTime::from_secs(1_700_000_000);

    pub(crate) fn new() -> Self {
        Self(Arc::new((Instant::now(), AtomicI64::new(0))))
    }

    pub(crate) fn now(&self) -> UnixTime {
        let set = self.0.1.load(Ordering::Relaxed);
        let now = Self::START.saturating_add(Instant::now() - self.0.0);
        UnixTime::from_secs(now.as_secs() + set)
    }

    /// Sets the clock ahead or back.
    pub(crate) fn jump(&self, seconds: i64) {
        self.0.1.fetch_add(seconds, Ordering::Relaxed);
    }
}

/// What the identity provider answers.
#[derive(Clone)]
pub(crate) enum Answer {
    Response(Response),
    Down,
    /// Never.
    Silence,
    Panic,
}

/// An identity provider without a network.
#[derive(Clone)]
pub(crate) struct Idp(Arc<Provider>);

struct Provider {
    answer: Mutex<Answer>,
    delay: Mutex<Duration>,
    requests: AtomicU64,
    tags: Mutex<Vec<Option<String>>>,
}

impl Idp {
    pub(crate) fn new(answer: Answer) -> Self {
        Self(Arc::new(Provider {
            answer: Mutex::new(answer),
            delay: Mutex::new(Duration::ZERO),
            requests: AtomicU64::new(0),
            tags: Mutex::default(),
        }))
    }

    pub(crate) fn with_keys(keys: &[&SigningKey]) -> Self {
        Self::new(Answer::Response(Response::new(200, set(keys))))
    }

    pub(crate) fn answers(&self, answer: Answer) {
        *self.0.answer.lock().unwrap() = answer;
    }

    pub(crate) fn responds(&self, response: Response) {
        self.answers(Answer::Response(response));
    }

    pub(crate) fn publishes(&self, keys: &[&SigningKey]) {
        self.responds(Response::new(200, set(keys)));
    }

    /// Lets each answer take this long.
    pub(crate) fn takes(&self, delay: Duration) {
        *self.0.delay.lock().unwrap() = delay;
    }

    pub(crate) fn requests(&self) -> u64 {
        self.0.requests.load(Ordering::Relaxed)
    }

    /// Returns the tag of each request.
    pub(crate) fn tags(&self) -> Vec<Option<String>> {
        self.0.tags.lock().unwrap().clone()
    }

    /// Returns how many others hold this provider.
    pub(crate) fn holders(&self) -> usize {
        Arc::strong_count(&self.0) - 1
    }
}

impl Fetch for Idp {
    fn fetch<'a>(&'a self, request: Request<'a>) -> Fetching<'a> {
        Box::pin(async move {
            self.0.requests.fetch_add(1, Ordering::Relaxed);
            let tag = request.headers().find(|(name, _)| *name == "If-None-Match").map(|(_, tag)| tag.into());
            self.0.tags.lock().unwrap().push(tag);
            let delay = *self.0.delay.lock().unwrap();
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            let answer = self.0.answer.lock().unwrap().clone();
            match answer {
                Answer::Response(response) => Ok(response),
                Answer::Down => Err(BoxError::from("connection refused")),
                Answer::Silence => std::future::pending().await,
                Answer::Panic => panic!("a client with a mistake"),
            }
        })
    }
}

/// Keys with the clock of the test and the usual rules.
pub(crate) fn builder(idp: &Idp, time: &Time) -> RemoteKeysBuilder {
    let time = time.clone();
    RemoteKeys::builder("https://idp.example/keys", &ALLOWED)
        .fetch_with(idp.clone())
        .clock(move || time.now())
}

pub(crate) fn config() -> RefreshConfig {
    RefreshConfig::new()
}

/// The keys of a provider that works, with its clock.
pub(crate) async fn started(idp: &Idp) -> (RemoteKeys, Time) {
    let time = Time::new();
    (builder(idp, &time).start().await.unwrap(), time)
}
