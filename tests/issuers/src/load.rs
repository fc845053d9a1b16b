//! Requests that go on while an issuer changes its keys.

use crate::Fallible;
use core::time::Duration;
use countersign::VerifyError;
use countersign_jwks::RemoteVerifier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// Tasks that verify.
const TASKS: usize = 4;

/// Requests with one token in each phase.
const REQUESTS: u64 = 200;

/// So that a slow machine does not fail, and an error does not hang.
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) struct Load {
    shared: Arc<Shared>,
    tasks: Vec<JoinHandle<Result<(), String>>>,
}

#[derive(Default)]
struct Shared {
    tokens: Mutex<Vec<Arc<Issued>>>,
    ends: AtomicBool,
}

/// A token that is verified again and again.
pub(crate) struct Issued {
    text: String,
    key: Mutex<KeyIs>,
    requests: AtomicU64,
}

/// Whether the issuer publishes the key of a token.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyIs {
    /// Each request must succeed.
    Published,
    /// The service may know of it, or not yet.
    Leaving,
    /// The service has fetched the set without it, so each request must fail.
    Removed,
}

impl Issued {
    pub(crate) fn key_is(&self, state: KeyIs) {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn state(&self) -> KeyIs {
        *self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn request(&self, verifier: &RemoteVerifier) -> Result<(), String> {
        let before = self.state();
        let verified = verifier.verify::<()>(&self.text).await;
        self.requests.fetch_add(1, Ordering::SeqCst);
        match (before, self.state(), verified) {
            (KeyIs::Published, KeyIs::Published, Err(error)) => Err(format!("refuses a good token: {error}")),
            (KeyIs::Removed, _, Ok(_)) => Err("accepts a token of a removed key".into()),
            (_, _, Ok(_) | Err(VerifyError::UnknownKey)) => Ok(()),
            (_, _, Err(error)) => Err(format!("not about the key: {error}")),
        }
    }
}

impl Load {
    pub(crate) fn start(runtime: &Runtime, verifier: &RemoteVerifier) -> Self {
        let shared = Arc::new(Shared::default());
        let task = || runtime.spawn(run(shared.clone(), verifier.clone()));
        let tasks = core::iter::repeat_with(task).take(TASKS).collect();
        Self { shared, tasks }
    }

    pub(crate) fn add(&self, text: String) -> Arc<Issued> {
        let token = Arc::new(Issued { text, key: Mutex::new(KeyIs::Published), requests: AtomicU64::new(0) });
        self.shared.tokens.lock().unwrap_or_else(PoisonError::into_inner).push(token.clone());
        token
    }

    /// Waits for some requests with a token.
    pub(crate) fn requests(&self, token: &Issued) -> Fallible<()> {
        let (before, begin) = (token.requests.load(Ordering::SeqCst), Instant::now());
        while token.requests.load(Ordering::SeqCst) < before + REQUESTS {
            if begin.elapsed() > LIMIT || self.tasks.iter().any(JoinHandle::is_finished) {
                break; // `end` has the error
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        if begin.elapsed() > LIMIT { Err("too few requests".into()) } else { Ok(()) }
    }

    /// Returns the number of requests, if each had the right answer.
    pub(crate) fn end(self, runtime: &Runtime) -> Fallible<u64> {
        self.shared.ends.store(true, Ordering::SeqCst);
        for task in self.tasks {
            runtime.block_on(task)??;
        }
        let tokens = self.shared.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(tokens.iter().map(|token| token.requests.load(Ordering::SeqCst)).sum())
    }
}

async fn run(shared: Arc<Shared>, verifier: RemoteVerifier) -> Result<(), String> {
    while !shared.ends.load(Ordering::SeqCst) {
        let tokens = shared.tokens.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for token in tokens {
            token.request(&verifier).await?;
        }
        tokio::task::yield_now().await;
    }
    Ok(())
}
