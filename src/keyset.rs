//! Finds the key that a token is verified with.

use crate::algorithm::Algorithm;
use crate::backend::rust::hmac::HmacKey;
use crate::error::{KeyError, SignatureError, VerifyError};
use crate::header::Header;
use crate::key::{Identity, Key, VerifyKey, VerifyingKey};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

#[cfg(not(feature = "std"))]
use alloc::collections::{BTreeMap as Map, BTreeSet as Segments};
// A tree of 100,000 keys costs seventeen comparisons of long strings; a hash map costs one.
#[cfg(feature = "std")]
use std::collections::{HashMap as Map, HashSet as Segments};

/// A source of keys for a verifier. Implement it if one key or a [`KeySet`] is not enough.
///
/// # Security
///
/// The header is unverified text from the sender. A source may only choose among keys that are trusted already. The verifier
/// always checks that the algorithm of the returned key is the algorithm of the header.
///
/// # Examples
///
/// A source with keys that are swapped while the verifier runs:
///
/// ```
/// use countersign::{Claims, Header, HmacKey, KeyRef, KeySet, KeySource, SecretBytes, UnixTime, Verifier, VerifyError};
/// use std::sync::{Arc, RwLock};
///
/// struct Live(RwLock<Arc<KeySet>>);
///
/// impl KeySource for Live {
///     fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
///         let keys = self.0.read().map_err(|_| VerifyError::KeysUnavailable)?.clone();
///         keys.find(header).map(KeyRef::into_owned)
///     }
/// }
///
/// let live = Arc::new(Live(RwLock::new(Arc::new(KeySet::new()))));
/// let verifier = Verifier::builder(live.clone()).issuer("https://auth.example").no_audience().build()?;
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// let now = UnixTime::from_secs(1_700_000_000);
/// let text = Claims::registered().issuer("https://auth.example").issued_at(now)
///     .expires_in(core::time::Duration::from_secs(60)).sign(&key)?;
/// assert_eq!(verifier.at(now).verify::<()>(&text).unwrap_err(), VerifyError::UnknownKey);
///
/// let mut next = KeySet::new();
/// next.insert(key)?;
/// *live.0.write().unwrap() = Arc::new(next); // for this verifier and its clones
/// assert!(verifier.at(now).verify::<()>(&text).is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// With such a source, the verifier decodes the header of each token. With a [`KeySet`], it compares the usual headers byte for
/// byte, which is faster. If that matters, swap a whole verifier made by [`with_keys`](crate::Verifier::with_keys) instead.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a key that verifies",
    note = "material has no algorithm yet: `public.rs256()?` makes a key of a `PublicKey`",
    note = "of a `SigningKey`, take the public half: `signing.verifying_key()`"
)]
pub trait KeySource: Send + Sync {
    /// Finds the key for a token with this header.
    ///
    /// # Errors
    ///
    /// - [`VerifyError::UnknownKey`] if there is no such key.
    /// - [`VerifyError::AmbiguousKey`] if there are several.
    /// - [`VerifyError::KeysUnavailable`] if the keys cannot be read at the moment. The HTTP answer is then 503.
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError>;

    /// Finds the key as [`find`](Self::find) does, and lends it to `borrower`. A verifier calls this method.
    ///
    /// Implement it for a source with keys that change, so that a look-up copies no counted reference. Threads that count at the
    /// same place delay each other.
    ///
    /// Only the first call of `borrower` counts. A token for which it is not called is refused.
    ///
    /// # Errors
    ///
    /// The same as [`find`](Self::find).
    fn lend(&self, header: &Header<'_>, borrower: &mut dyn FnMut(&KeyRef<'_>)) -> Result<(), VerifyError> {
        borrower(&self.find(header)?);
        Ok(())
    }

    /// Returns a number that has not been returned before, whenever keys were removed or must not be used any more. So a cache of
    /// verified tokens, such as `CachedVerifier` with the feature `cache`, notices that a token has to be verified again. Then
    /// [`find`](Self::find) decides, e.g. with [`VerifyError::KeysUnavailable`] if the keys are too old.
    ///
    /// It is called for each token, so it should read an atomic number and not wait for a lock. The default is `None`: the source
    /// does not know, and such a cache refuses it. A source with keys that never change returns `Some(0)`.
    fn generation(&self) -> Option<u64> {
        None
    }
}

impl<S: KeySource + ?Sized> KeySource for Arc<S> {
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        (**self).find(header)
    }

    fn lend(&self, header: &Header<'_>, borrower: &mut dyn FnMut(&KeyRef<'_>)) -> Result<(), VerifyError> {
        (**self).lend(header, borrower)
    }

    fn generation(&self) -> Option<u64> {
        (**self).generation()
    }
}

/// A trusted key of either type, borrowed or shared.
///
/// # Examples
///
/// ```
/// use countersign::{HmacKey, KeyRef, SecretBytes};
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// assert_eq!(KeyRef::from(&key).algorithm(), key.algorithm());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct KeyRef<'a>(Either<'a>);

#[derive(Clone)]
enum Either<'a> {
    Hmac(Cow<'a, HmacKey>),
    Verifying(Cow<'a, VerifyingKey>),
}

impl<'a> KeyRef<'a> {
    /// Returns a shared reference to the same key, so that the set it was borrowed from may change. It copies a pointer and not
    /// the key.
    #[must_use]
    pub fn into_owned(self) -> KeyRef<'static> {
        KeyRef(match self.0 {
            Either::Hmac(key) => Either::Hmac(Cow::Owned(key.into_owned())),
            Either::Verifying(key) => Either::Verifying(Cow::Owned(key.into_owned())),
        })
    }

    /// Borrows the same key.
    fn borrowed(&'a self) -> Self {
        Self(match &self.0 {
            Either::Hmac(key) => Either::Hmac(Cow::Borrowed(key)),
            Either::Verifying(key) => Either::Verifying(Cow::Borrowed(key)),
        })
    }

    /// Returns the one algorithm of this key.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.identity().algorithm()
    }

    /// Returns the key id (`kid`) by which this key is found.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.identity().key_id()
    }

    /// Returns the public key, unless this is a secret.
    #[cfg(feature = "key-files")]
    pub(crate) fn verifying(&self) -> Option<&VerifyingKey> {
        match &self.0 {
            Either::Hmac(_) => None,
            Either::Verifying(key) => Some(key),
        }
    }

    fn is(&self, algorithm: Algorithm, key_id: Option<&str>) -> bool {
        self.algorithm() == algorithm && self.key_id() == key_id
    }
}

impl Key for KeyRef<'_> {
    fn identity(&self) -> &Identity {
        match &self.0 {
            Either::Hmac(key) => key.identity(),
            Either::Verifying(key) => key.identity(),
        }
    }
}

impl VerifyKey for KeyRef<'_> {
    fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        match &self.0 {
            Either::Hmac(key) => key.verify_bytes(input, signature),
            Either::Verifying(key) => key.verify_bytes(input, signature),
        }
    }
}

impl From<HmacKey> for KeyRef<'static> {
    fn from(key: HmacKey) -> Self {
        Self(Either::Hmac(Cow::Owned(key)))
    }
}

impl From<VerifyingKey> for KeyRef<'static> {
    fn from(key: VerifyingKey) -> Self {
        Self(Either::Verifying(Cow::Owned(key)))
    }
}

impl<'a> From<&'a HmacKey> for KeyRef<'a> {
    fn from(key: &'a HmacKey) -> Self {
        Self(Either::Hmac(Cow::Borrowed(key)))
    }
}

impl<'a> From<&'a VerifyingKey> for KeyRef<'a> {
    fn from(key: &'a VerifyingKey) -> Self {
        Self(Either::Verifying(Cow::Borrowed(key)))
    }
}

impl fmt::Debug for KeyRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRef").field(&self.algorithm()).field(&self.key_id()).finish()
    }
}

/// The keys of a verifier: one key, a [`KeySet`], or a [`KeySource`].
///
/// A single key without a key id ignores the token's `kid`. A single key with a key id requires that `kid`.
///
/// # Examples
///
/// ```
/// use countersign::{HmacKey, KeySet, Keys, SecretBytes};
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?.with_key_id("2026")?;
/// assert_eq!(format!("{:?}", Keys::from(key)), r#"KeyRef(Hs256, Some("2026"))"#);
/// assert_eq!(format!("{:?}", Keys::from(KeySet::new())), "[]");
/// # Ok::<(), countersign::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Keys(Kind);

#[derive(Clone)]
enum Kind {
    One(KeyRef<'static>),
    Set(Arc<dyn Set>),
    Source(Arc<dyn KeySource>),
}

/// The methods of a [`KeySet`] that a verifier calls. A program that has only one key links no code of key sets.
trait Set: Send + Sync + fmt::Debug {
    /// Returns the key that writes exactly this header segment.
    fn recognize(&self, segment: &str) -> Option<&KeyRef<'static>>;

    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError>;
}

impl Set for KeySet {
    fn recognize(&self, segment: &str) -> Option<&KeyRef<'static>> {
        self.recognize(segment)
    }

    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        self.find(header)
    }
}

impl Keys {
    /// Returns the key, if there is only one and it never changes.
    pub(crate) const fn only(&self) -> Option<&KeyRef<'static>> {
        match &self.0 {
            Kind::One(key) => Some(key),
            Kind::Set(_) | Kind::Source(_) => None,
        }
    }

    /// Finds the key that would write exactly this header segment.
    pub(crate) fn recognize(&self, segment: &str) -> Option<&KeyRef<'static>> {
        match &self.0 {
            Kind::Set(keys) => keys.recognize(segment),
            Kind::One(_) | Kind::Source(_) => None,
        }
    }

    /// Returns the generation of the keys. One key and a set in a verifier never change.
    #[cfg(feature = "cache")]
    pub(crate) fn generation(&self) -> Option<u64> {
        match &self.0 {
            Kind::One(_) | Kind::Set(_) => Some(0),
            Kind::Source(source) => source.generation(),
        }
    }

    pub(crate) fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        match &self.0 {
            Kind::One(key) => {
                let (own, token) = (key.algorithm(), header.algorithm());
                match key.key_id() {
                    _ if own != token => Err(VerifyError::AlgorithmMismatch { key: own, token }),
                    Some(own) if header.key_id() != Some(own) => Err(VerifyError::UnknownKey),
                    _ => Ok(key.borrowed()),
                }
            }
            Kind::Set(keys) => keys.find(header),
            Kind::Source(source) => source.find(header),
        }
    }

    /// Finds the key and checks a token with it.
    pub(crate) fn check(
        &self,
        header: &Header<'_>,
        check: impl Fn(&KeyRef<'_>) -> Result<(), VerifyError>,
    ) -> Result<(), VerifyError> {
        let Kind::Source(source) = &self.0 else { return check(&self.find(header)?) };
        let mut checked = None;
        source.lend(header, &mut |key| {
            checked.get_or_insert_with(|| check(key));
        })?;
        checked.unwrap_or(Err(VerifyError::UnknownKey))
    }
}

impl From<KeyRef<'static>> for Keys {
    fn from(key: KeyRef<'static>) -> Self {
        Self(Kind::One(key))
    }
}

impl From<HmacKey> for Keys {
    fn from(key: HmacKey) -> Self {
        Self::from(KeyRef::from(key))
    }
}

impl From<VerifyingKey> for Keys {
    fn from(key: VerifyingKey) -> Self {
        Self::from(KeyRef::from(key))
    }
}

impl From<KeySet> for Keys {
    fn from(keys: KeySet) -> Self {
        Self::from(Arc::new(keys))
    }
}

impl From<Arc<KeySet>> for Keys {
    fn from(keys: Arc<KeySet>) -> Self {
        Self(Kind::Set(keys))
    }
}

impl<S: KeySource + 'static> From<S> for Keys {
    fn from(source: S) -> Self {
        Self(Kind::Source(Arc::new(source)))
    }
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::One(key) => key.fmt(f),
            Kind::Set(keys) => keys.fmt(f),
            Kind::Source(_) => f.write_str("KeySource(..)"),
        }
    }
}

/// A set of keys of any algorithms, found by key id.
///
/// A token with a `kid` is verified with the key of exactly that id and algorithm, or refused. For a token without a `kid`, the
/// set chooses among the keys of the token's algorithm: first the key without an id, otherwise the only key. If there are
/// several keys and all have ids, the token is refused as ambiguous. Keys are never tried one after the other.
///
/// You change a set by adding and removing keys. A clone is cheap, because it shares the keys. To change the keys of a running
/// service, build the next set and swap the verifier: [`Verifier::with_keys`](crate::Verifier::with_keys).
///
/// # Examples
///
/// ```
/// use countersign::{Algorithm, HmacKey, KeyError, KeySet, SecretBytes};
///
/// let old = HmacKey::hs256(&SecretBytes::from_bytes([1; 32]))?.with_key_id("2025")?;
/// let new = HmacKey::hs256(&SecretBytes::from_bytes([2; 32]))?.with_key_id("2026")?;
///
/// let mut keys = KeySet::new();
/// keys.insert(old)?;
/// keys.insert(new.clone())?;
/// assert_eq!(keys.insert(new), Err(KeyError::DuplicateKey));
///
/// assert!(keys.remove(Algorithm::Hs256, Some("2025")));
/// assert_eq!(keys.len(), 1);
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Clone, Default)]
pub struct KeySet {
    /// By the encoded header that the key would write.
    by_segment: Segments<BySegment>,
    /// By key id. Several keys have the same id only if their algorithms differ.
    by_key_id: Map<Box<str>, Vec<KeyRef<'static>>>,
    /// By algorithm, for tokens without a key id.
    by_algorithm: Vec<(Algorithm, Vec<KeyRef<'static>>)>,
}

/// A key that is compared by its encoded header. The text is only in the key and not copied, because a look-up among 100,000
/// keys waits mostly for memory.
#[derive(Clone)]
struct BySegment(KeyRef<'static>);

impl BySegment {
    fn segment(&self) -> &str {
        self.0.identity().header().segment()
    }
}

impl Borrow<str> for BySegment {
    fn borrow(&self) -> &str {
        self.segment()
    }
}

impl PartialEq for BySegment {
    fn eq(&self, other: &Self) -> bool {
        self.segment() == other.segment()
    }
}

impl Eq for BySegment {}

impl Hash for BySegment {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.segment().hash(state);
    }
}

impl PartialOrd for BySegment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for BySegment {
    fn cmp(&self, other: &Self) -> Ordering {
        self.segment().cmp(other.segment())
    }
}

impl KeySet {
    /// Makes an empty set, which refuses every token with [`VerifyError::UnknownKey`]. A set may hold any number of keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an [`HmacKey`] or a [`VerifyingKey`].
    ///
    /// # Errors
    ///
    /// [`KeyError::DuplicateKey`] if the set already has a key with this algorithm and id. Two keys of one algorithm without an
    /// id are also duplicates. The set is then unchanged.
    pub fn insert(&mut self, key: impl Into<KeyRef<'static>>) -> Result<(), KeyError> {
        let key = key.into();
        let algorithm = key.algorithm();
        if self.by_segment.contains(key.identity().header().segment()) {
            return Err(KeyError::DuplicateKey);
        }
        if let Some(key_id) = key.key_id() {
            self.by_key_id.entry(key_id.into()).or_default().push(key.clone());
        }
        match self.by_algorithm.iter_mut().find(|(of, _)| *of == algorithm) {
            Some((_, keys)) if key.key_id().is_none() => keys.insert(0, key.clone()),
            Some((_, keys)) => keys.push(key.clone()),
            None => self.by_algorithm.push((algorithm, Vec::from([key.clone()]))),
        }
        self.by_segment.insert(BySegment(key));
        Ok(())
    }

    /// Removes a key. Returns false if the set has no such key.
    pub fn remove(&mut self, algorithm: Algorithm, key_id: Option<&str>) -> bool {
        let before = self.len();
        self.by_segment.retain(|BySegment(key)| !key.is(algorithm, key_id));
        for (_, keys) in &mut self.by_algorithm {
            keys.retain(|key| !key.is(algorithm, key_id));
        }
        if let Some(key_id) = key_id
            && let Some(keys) = self.by_key_id.get_mut(key_id)
        {
            keys.retain(|key| !key.is(algorithm, Some(key_id)));
            if keys.is_empty() {
                self.by_key_id.remove(key_id);
            }
        }
        self.len() < before
    }

    /// Iterates over the keys, grouped by algorithm.
    pub fn iter(&self) -> impl Iterator<Item = &KeyRef<'static>> {
        self.by_algorithm.iter().flat_map(|(_, keys)| keys)
    }

    /// Returns the number of keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_segment.len()
    }

    /// Returns whether there are no keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_segment.is_empty()
    }

    /// Finds the key for a token with this header. It is meant for a [`KeySource`] around a set that changes.
    ///
    /// # Errors
    ///
    /// [`VerifyError::UnknownKey`], [`VerifyError::AmbiguousKey`].
    pub fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        let algorithm = header.algorithm();
        let found = match header.key_id() {
            Some(key_id) => {
                let keys = self.by_key_id.get(key_id).into_iter().flatten();
                keys.into_iter().find(|key| key.algorithm() == algorithm).ok_or(VerifyError::UnknownKey)
            }
            None => match self.of_algorithm(algorithm) {
                [key] => Ok(key),
                [] => Err(VerifyError::UnknownKey),
                // Only one key of an algorithm may lack an id. `insert` puts it first.
                [first, ..] if first.key_id().is_none() => Ok(first),
                _ => Err(VerifyError::AmbiguousKey),
            },
        };
        found.map(KeyRef::borrowed)
    }

    /// Finds the key that would write exactly this header segment.
    fn recognize(&self, segment: &str) -> Option<&KeyRef<'static>> {
        self.by_segment.get(segment).map(|BySegment(key)| key)
    }

    fn of_algorithm(&self, algorithm: Algorithm) -> &[KeyRef<'static>] {
        let row = self.by_algorithm.iter().find(|(of, _)| *of == algorithm);
        row.map(|(_, keys)| keys.as_slice()).unwrap_or_default()
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(|key| (key.algorithm(), key.key_id()))).finish()
    }
}
