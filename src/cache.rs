//! Keeps verified tokens, so that the signature of a token that comes again is not checked again.

use crate::error::{PolicyError, VerifyError};
use crate::time::UnixTime;
use crate::verifier::{Token, Verifier};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::fmt;
use core::hash::{Hash, Hasher};
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Lifecycle, OptionsBuilder, Weighter};
use serde::de::DeserializeOwned;
use std::hash::RandomState;

/// A [`Verifier`] that keeps the tokens that it has verified.
///
/// For a token that it keeps, it compares the text, checks the times, and returns the same [`Token`] again. It saves the
/// signature, the JSON and the allocations. [The page on caching](crate::manual::caching) says when this pays, and what it does
/// not do.
///
/// `V` is a [`Verifier`], an `Arc` of one, or your own type that implements `Borrow<Verifier>`. A cache belongs to one verifier
/// and one claims type, so a token that was verified under another policy is never returned.
///
/// It checks on each call:
///
/// - that the keys are still those that the token was verified with, by [`KeySource::generation`](crate::KeySource::generation)
/// - that the text equals the one that was verified, in a time that depends on the length only
/// - `nbf`, `iat`, `exp` and the maximum age
///
/// A token that is refused is not kept.
///
/// # Security
///
/// The cache keeps no result of your own checks. After each call, check again whether the token was revoked, whether the party
/// that presents it is the one that it is bound to, and its scopes.
///
/// The memory of the process holds the text of each token that is kept. The text is not wiped.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::{CachedVerifier, Claims, HmacKey, SecretBytes, Verifier};
/// use std::sync::Arc;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct User { name: String }
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// let verifier = Verifier::builder(key.clone()).issuer("https://auth.example").no_audience().build()?;
/// let cached = CachedVerifier::<_, User>::new(verifier)?;
///
/// let claims = Claims::new(User { name: "Ann".into() }).issuer("https://auth.example");
/// let text = claims.expires_in(Duration::from_secs(900)).sign(&key)?;
/// let first = cached.verify(&text)?;
/// let second = cached.verify(&text)?;
/// assert!(Arc::ptr_eq(&first, &second));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CachedVerifier<V, T> {
    verifier: V,
    tokens: Cache<Text, Kept<T>, Weight, RandomState, DropOutside>,
}

impl<V: Borrow<Verifier>, T: DeserializeOwned> CachedVerifier<V, T> {
    /// Makes a cache of up to 10,000 tokens and 32 MiB.
    ///
    /// # Errors
    ///
    /// [`PolicyError::NoGeneration`] if the source of the keys does not say when keys are removed.
    pub fn new(verifier: V) -> Result<Self, PolicyError> {
        Self::with_capacity(verifier, TOKENS, BYTES)
    }

    /// Makes a cache of up to this many tokens and bytes. The tokens that are used least are dropped first.
    ///
    /// The memory grows as tokens are kept. The heap memory of a `T` is not known, so it is counted as the length of its JSON;
    /// a JSON value or a map takes several times that. A token that is larger than a part of the cache is not kept. The number
    /// of parts is about four times the number of CPUs.
    ///
    /// # Errors
    ///
    /// - [`PolicyError::NoGeneration`] if the source of the keys does not say when keys are removed.
    /// - [`PolicyError::Empty`] if `tokens` or `bytes` is zero.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{CachedVerifier, Header, KeyRef, KeySource, PolicyError, Verifier, VerifyError};
    ///
    /// struct Live;
    ///
    /// impl KeySource for Live {
    ///     fn find(&self, _: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
    ///         Err(VerifyError::KeysUnavailable)
    ///     }
    /// }
    ///
    /// // If a key of this source were removed, the cache would not notice.
    /// let verifier = Verifier::builder(Live).issuer("https://auth.example").no_audience().build()?;
    /// let error = CachedVerifier::<_, ()>::with_capacity(verifier, 1_000, 1 << 20).unwrap_err();
    /// assert_eq!(error, PolicyError::NoGeneration);
    /// # Ok::<(), PolicyError>(())
    /// ```
    pub fn with_capacity(verifier: V, tokens: usize, bytes: usize) -> Result<Self, PolicyError> {
        for (setting, value) in [("tokens", tokens), ("bytes", bytes)] {
            if value == 0 {
                return Err(PolicyError::Empty { setting });
            }
        }
        verifier.borrow().generation().ok_or(PolicyError::NoGeneration)?;
        let options = OptionsBuilder::new()
            // The cache remembers hashes of tokens that it has dropped: half as many as it expects to keep.
            .estimated_items_capacity(tokens.min(bytes.div_ceil(USUAL)))
            .weight_capacity(to_u64(bytes))
            .build()
            .map_err(|_| PolicyError::Empty { setting: "tokens" })?;
        let (count, bytes) = (to_u64(tokens), to_u64(bytes));
        // The cache has one limit, so each token weighs at least its share of the bytes. It takes no token of more than 97% of
        // them, which matters if there is one token.
        let weight = Weight { least: bytes.div_ceil(count).min(bytes.saturating_sub(bytes.div_ceil(32))) };
        let tokens = Cache::with_options(options, weight, RandomState::new(), DropOutside);
        Ok(Self { verifier, tokens })
    }

    /// Verifies a token at the time of the wall clock, or returns it if it is kept and still valid.
    ///
    /// # Errors
    ///
    /// The same as [`Verifier::verify`], also for a token that is kept.
    #[cfg(not(all(target_arch = "wasm32", target_os = "unknown")))]
    pub fn verify(&self, text: &str) -> Result<Arc<Token<T>>, VerifyError> {
        self.verify_at(text, UnixTime::now())
    }

    /// Verifies a token like [`verify`](Self::verify), at the time `now`.
    ///
    /// # Errors
    ///
    /// The same as [`verify`](Self::verify).
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{CachedVerifier, Claims, HmacKey, SecretBytes, UnixTime, Verifier};
    ///
    /// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// let text = Claims::registered().expires_at(UnixTime::from_secs(1_700_000_000)).sign(&key)?;
    /// let cached = CachedVerifier::<_, ()>::new(Verifier::builder(key).accept_any_issuer().no_audience().build()?)?;
    ///
    /// assert!(cached.verify_at(&text, UnixTime::from_secs(1_700_000_029)).is_ok());
    /// // It is kept, but has expired.
    /// assert!(cached.verify_at(&text, UnixTime::from_secs(1_700_000_030)).unwrap_err().is_expired());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn verify_at(&self, text: &str, now: UnixTime) -> Result<Arc<Token<T>>, VerifyError> {
        let verifier = self.verifier.borrow();
        // Before the keys are used: if they change in the meantime, the token is verified again next time.
        let generation = verifier.generation();
        if let Some(kept) = self.tokens.get(&Presented(text))
            && Some(kept.generation) == generation
        {
            return match verifier.check_times(&kept.token, now) {
                Ok(()) => Ok(kept.token),
                Err(error) => {
                    // Outside of the lock, because this drops a `T`.
                    drop(self.tokens.remove(&Presented(text)));
                    Err(error)
                }
            };
        }
        let token = Arc::new(verifier.at(now).verify::<T>(text)?);
        if let Some(generation) = generation {
            let bytes = SLOT.saturating_add(text.len()).saturating_add(token.memory());
            let kept = Kept { token: token.clone(), generation, bytes: to_u64(bytes) };
            self.tokens.insert(Text(text.into()), kept);
        }
        Ok(token)
    }

    /// Returns the verifier.
    #[must_use]
    pub const fn verifier(&self) -> &V {
        &self.verifier
    }

    /// Returns how many tokens are kept. Some of them may have expired.
    #[must_use]
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Returns whether no token is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }
}

impl<V: fmt::Debug, T> fmt::Debug for CachedVerifier<V, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedVerifier").field("verifier", &self.verifier).finish_non_exhaustive()
    }
}

/// What is kept of a token besides its text.
struct Kept<T> {
    token: Arc<Token<T>>,
    /// That of the keys, from before the token was verified.
    generation: u64,
    /// About how much memory the entry takes.
    bytes: u64,
}

// `derive` would ask for `T: Clone`.
impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        Self { token: self.token.clone(), ..*self }
    }
}

/// The text of a token that is kept.
#[derive(PartialEq, Eq)]
struct Text(Box<str>);

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Presented(&self.0).hash(state);
    }
}

/// The text of a token that is looked up.
struct Presented<'t>(&'t str);

impl Hash for Presented<'_> {
    /// Writes the header and the end of the signature, because a hash over a long text would take longer than the rest of a
    /// look-up. Only verified tokens are kept, and no two of one key have the same signature, so that the cache cannot be filled
    /// with tokens of one hash, which is keyed at random as well. The header is there because two keys may have a signature in
    /// common, if one of them was made for it. A look-up compares the whole text.
    fn hash<H: Hasher>(&self, state: &mut H) {
        let text = self.0.as_bytes();
        let header = self.0.find('.').and_then(|dot| text.get(..dot)).unwrap_or_default();
        let end = text.get(text.len().saturating_sub(SIGNATURE_END)..).unwrap_or_default();
        state.write(header);
        state.write(end);
    }
}

impl Equivalent<Text> for Presented<'_> {
    fn equivalent(&self, kept: &Text) -> bool {
        constant_time_eq::constant_time_eq(self.0.as_bytes(), kept.0.as_bytes())
    }
}

/// Weighs a token by its memory.
#[derive(Clone)]
struct Weight {
    least: u64,
}

impl<T> Weighter<Text, Kept<T>> for Weight {
    fn weight(&self, _: &Text, kept: &Kept<T>) -> u64 {
        kept.bytes.max(self.least)
    }
}

/// Drops the tokens that make room for another one after the lock is released, so that a `T` that panics when it is dropped does
/// not make the lock unusable.
#[derive(Clone)]
struct DropOutside;

impl<T> Lifecycle<Text, Kept<T>> for DropOutside {
    type RequestState = Vec<(Text, Kept<T>)>;

    fn on_evict(&self, state: &mut Self::RequestState, text: Text, kept: Kept<T>) {
        state.push((text, kept));
    }
}

fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// The least memory that real tokens take, with their claims.
const USUAL: usize = 1024;

/// Tokens take 1 to 2 KiB, so either limit may be reached first, unless they are small.
const TOKENS: usize = 10_000;
const BYTES: usize = 32 << 20;

/// The part of the signature that is hashed: the whole signature of ES256 and Ed25519, and 64 bytes of longer ones.
const SIGNATURE_END: usize = 86;

/// The memory of an entry in the table of the cache. The documentation of `quick_cache` gives 21 bytes besides key and value, and
/// up to three places for an entry.
const SLOT: usize = 3 * (size_of::<Text>() + 3 * size_of::<u64>() + 21);
