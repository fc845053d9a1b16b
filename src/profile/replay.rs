//! Remembers what may be used once: DPoP proofs, logout tokens, client assertions.

use crate::error::VerifyError;
use crate::time::UnixTime;
#[cfg(feature = "std")]
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
#[cfg(feature = "std")]
use core::fmt;
#[cfg(feature = "std")]
use sha2::{Digest, Sha256};
#[cfg(feature = "std")]
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

/// Remembers ids that may be used once. [`MemoryReplayStore`] is one for a single process.
///
/// Several servers need a common store, e.g. Redis with `SET id 1 NX PX` and the time until `until`. The call blocks: from
/// asynchronous code, call what verifies on a thread that may wait.
///
/// # Security
///
/// Two calls at the same time with the same id must not both return true.
///
/// # Examples
///
/// ```
/// use countersign::UnixTime;
/// use countersign::profile::{MemoryReplayStore, ProofError, ReplayStore};
///
/// let store = MemoryReplayStore::new(1000);
/// let (now, until) = (UnixTime::from_secs(1_700_000_000), UnixTime::from_secs(1_700_000_060));
/// assert!(store.first_use(b"https://op.example jti-1", until, now)?);
/// assert!(!store.first_use(b"https://op.example jti-1", until, now)?);
/// # Ok::<(), ProofError>(())
/// ```
pub trait ReplayStore: Send + Sync {
    /// Notes that `id` is used, and returns whether this is the first time. The store may forget it after `until`, not earlier.
    ///
    /// # Errors
    ///
    /// [`ProofError::StoreUnavailable`] if the store cannot tell. The caller then refuses the request with a 503.
    fn first_use(&self, id: &[u8], until: UnixTime, now: UnixTime) -> Result<bool, ProofError>;
}

impl<S: ReplayStore + ?Sized> ReplayStore for Arc<S> {
    fn first_use(&self, id: &[u8], until: UnixTime, now: UnixTime) -> Result<bool, ProofError> {
        (**self).first_use(id, until, now)
    }
}

/// A [`ReplayStore`] in the memory of this process, with a bound on its size.
///
/// It keeps a hash of each id until its time has passed. When it is full of ids that have not expired, it answers
/// [`ProofError::StoreUnavailable`] to new ones, because forgetting one would let it be used again. A DPoP proof is kept for at most
/// two minutes with the default window, so the limit is about 120 times the number of requests in a second.
///
/// After a restart, all is forgotten. If the clock jumps ahead and back, the ids that were forgotten in between are refused with
/// [`ProofError::StoreUnavailable`] until the time until which they had to be kept.
#[cfg(feature = "std")]
pub struct MemoryReplayStore {
    limit: usize,
    seen: Mutex<Seen>,
}

/// `until` and `by_time` have the same ids.
#[cfg(feature = "std")]
#[derive(Default)]
struct Seen {
    until: BTreeMap<[u8; 32], UnixTime>,
    by_time: BTreeSet<(UnixTime, [u8; 32])>,
    /// The latest time of an id that was forgotten. After a jump of the clock, it may lie in the future.
    forgotten: Option<UnixTime>,
}

#[cfg(feature = "std")]
impl MemoryReplayStore {
    /// Makes a store for up to `limit` ids. It allocates as they come, about 125 bytes for each.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { limit, seen: Mutex::new(Seen::default()) }
    }
}

#[cfg(feature = "std")]
impl ReplayStore for MemoryReplayStore {
    fn first_use(&self, id: &[u8], until: UnixTime, now: UnixTime) -> Result<bool, ProofError> {
        let id: [u8; 32] = Sha256::digest(id).into();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let Seen { until: times, by_time, forgotten } = &mut *seen;
        while let Some(&(time, expired)) = by_time.first().filter(|(time, _)| *time < now) {
            by_time.remove(&(time, expired));
            times.remove(&expired);
            *forgotten = (*forgotten).max(Some(time));
        }
        if times.contains_key(&id) {
            return Ok(false);
        }
        // An id that has to be kept until then may be one that was forgotten.
        let may_be_forgotten = *forgotten >= Some(until);
        if may_be_forgotten || times.len() >= self.limit {
            return Err(ProofError::StoreUnavailable);
        }
        times.insert(id, until);
        by_time.insert((until, id));
        Ok(true)
    }
}

#[cfg(feature = "std")]
impl fmt::Debug for MemoryReplayStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReplayStore").field("limit", &self.limit).finish_non_exhaustive()
    }
}

/// Why a request with a DPoP proof is refused.
///
/// [`oauth_error`](Self::oauth_error) is the code for the client. No text holds a part of the proof or the token.
///
/// # Examples
///
/// ```
/// use countersign::profile::ProofError;
///
/// assert_eq!(ProofError::WrongNonce.code(), "wrong_proof_nonce");
/// assert_eq!(ProofError::WrongNonce.oauth_error(), "use_dpop_nonce");
/// assert_eq!(ProofError::WrongKey.oauth_error(), "invalid_token");
/// assert_eq!(ProofError::Replayed.oauth_error(), "invalid_dpop_proof");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProofError {
    /// The caller's own value cannot be used: see `DpopRequest::new`.
    #[error("the method is empty, or the URI is not http or https with a host and without a user")]
    InvalidRequest,
    /// The request has no `DPoP` header, or an empty one.
    #[error("the request has no DPoP proof")]
    MissingProof,
    /// The proof is not a valid token of its kind.
    #[error("the DPoP proof is refused: {0}")]
    Proof(VerifyError),
    /// The proof was used before.
    #[error("the DPoP proof was used before")]
    Replayed,
    /// The request has several `DPoP` headers, or several proofs in one.
    #[error("the request has several DPoP proofs")]
    SeveralProofs,
    /// The store for used proofs is full or cannot be reached. That says nothing about the proof: answer 503.
    #[error("the store of used proofs is not available")]
    StoreUnavailable,
    /// The access token is refused.
    #[error("{0}")]
    Token(#[source] VerifyError),
    /// The access token is not bound to a key, so that a proof protects nothing.
    #[error("the access token is not bound to a key: cnf.jkt is missing")]
    UnboundToken,
    /// `ath` is missing or is not the hash of the access token.
    #[error("the DPoP proof is not for this access token")]
    WrongAccessToken,
    /// The access token is bound to another key than that of the proof.
    #[error("the access token is bound to another key")]
    WrongKey,
    /// `htm` is not the method of the request.
    #[error("the DPoP proof is for another method")]
    WrongMethod,
    /// `nonce` is missing or not one that the server accepts now. The answer has a new one in `DPoP-Nonce`.
    #[error("the DPoP proof needs a nonce of this server")]
    WrongNonce,
    /// `htu` is not the URI of the request.
    #[error("the DPoP proof is for another URI")]
    WrongUri,
}

impl ProofError {
    /// Returns a stable name for logs and metrics. For [`Proof`](Self::Proof) and [`Token`](Self::Token), it is that of the inner
    /// error.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_proof_request",
            Self::MissingProof => "missing_proof",
            Self::Proof(error) | Self::Token(error) => error.code(),
            Self::Replayed => "replayed_proof",
            Self::SeveralProofs => "several_proofs",
            Self::StoreUnavailable => "replay_store_unavailable",
            Self::UnboundToken => "unbound_token",
            Self::WrongAccessToken => "wrong_proof_access_token",
            Self::WrongKey => "wrong_proof_key",
            Self::WrongMethod => "wrong_proof_method",
            Self::WrongNonce => "wrong_proof_nonce",
            Self::WrongUri => "wrong_proof_uri",
        }
    }

    /// Returns the error code for the client: `use_dpop_nonce`, `invalid_token` or `invalid_dpop_proof`
    /// ([RFC 9449 sections 5 and 7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1)). A token endpoint answers 400 with it as
    /// `error` in its JSON, and a resource writes it into the challenge. `temporarily_unavailable` goes with a 503, if the store or
    /// the keys are not available.
    #[must_use]
    pub const fn oauth_error(&self) -> &'static str {
        match self {
            Self::StoreUnavailable | Self::Token(VerifyError::KeysUnavailable) => "temporarily_unavailable",
            Self::WrongNonce => "use_dpop_nonce",
            Self::Token(_) | Self::UnboundToken | Self::WrongKey => "invalid_token",
            _ => "invalid_dpop_proof",
        }
    }
}
