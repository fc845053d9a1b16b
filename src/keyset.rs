//! Which key a token is checked with.

use crate::algorithm::Algorithm;
use crate::error::{KeyError, VerifyError};
use crate::header::{EncodedHeader, Header};
use crate::key::{Key, VerifyKey};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::borrow::Borrow;
use core::cmp::Ordering;
use core::fmt;
use core::hash::{Hash, Hasher};

#[cfg(not(feature = "std"))]
use alloc::collections::{BTreeMap as Map, BTreeSet as Set};
// A tree of 100,000 keys costs seventeen comparisons of long strings; a hash map costs one.
#[cfg(feature = "std")]
use std::collections::{HashMap as Map, HashSet as Set};

/// Where a verifier finds the key for a token: a single key, a [`KeySet`], or something of your own.
///
/// Every [`VerifyKey`] is a source: one without a key id ignores the token's `kid`, one with a key id demands it. So is an
/// `Arc<dyn KeySource>`.
///
/// # Security
///
/// The header is the sender's: unverified text. A source may only choose among keys that are trusted already.
/// Whatever it returns, the verifier checks that the key's own algorithm is the header's.
///
/// # Examples
///
/// Keys that are swapped while the verifier runs:
///
/// ```
/// use countersign::{Header, KeyRef, KeySet, KeySource, Verifier, VerifyError};
/// use std::sync::{Arc, RwLock};
///
/// struct Live(RwLock<Arc<KeySet>>);
///
/// impl KeySource for Live {
///     fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
///         let keys = self.0.read().map_err(|_| VerifyError::KeysUnavailable)?.clone();
///         keys.find_shared(header).map(KeyRef::Shared)
///     }
/// }
///
/// let live = Arc::new(Live(RwLock::new(Arc::new(KeySet::new()))));
/// let verifier = Verifier::builder_shared(live.clone()).issuer("https://auth.example").no_audience().build()?;
/// *live.0.write().unwrap() = Arc::new(KeySet::new()); // the next keys, for this verifier and its clones
/// # Ok::<(), countersign::PolicyError>(())
/// ```
///
/// Such a source decodes the header of each token. A [`KeySet`] that a verifier holds itself compares the usual headers byte
/// for byte, which is faster: where that matters, swap a verifier made by [`with_keys`](crate::Verifier::with_keys) instead.
pub trait KeySource: Send + Sync {
    /// The key for a token with this header.
    ///
    /// # Errors
    ///
    /// [`VerifyError::UnknownKey`] and [`VerifyError::AmbiguousKey`] when there is none or more than one;
    /// [`VerifyError::KeysUnavailable`] when that cannot be known just now, which is answered with 503.
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError>;

    /// The one key of this source, if it has one that never changes.
    ///
    /// A token with the header that this key writes is checked with it, and [`find`](Self::find) is not asked.
    fn only_key(&self) -> Option<&dyn VerifyKey> {
        None
    }

    /// The key whose own header is this very segment, if the source keeps them: then nothing is decoded. The segment is
    /// any text without a dot, up to the length of a token.
    ///
    /// For such a token [`find`](Self::find) is not asked: what it would refuse is not refused.
    fn recognize(&self, _segment: &str) -> Option<Recognized<'_>> {
        None
    }
}

impl KeySource for Arc<dyn KeySource> {
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        (**self).find(header)
    }

    fn only_key(&self) -> Option<&dyn VerifyKey> {
        (**self).only_key()
    }

    fn recognize(&self, segment: &str) -> Option<Recognized<'_>> {
        (**self).recognize(segment)
    }
}

/// A key that a [`KeySource`] has found.
///
/// # Examples
///
/// ```
/// use countersign::{HmacKey, Key, KeyRef, SecretBytes};
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// assert_eq!(KeyRef::Borrowed(&key).key().algorithm(), key.algorithm());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[non_exhaustive]
pub enum KeyRef<'a> {
    /// One that lives in the source.
    Borrowed(&'a dyn VerifyKey),
    /// One that is shared, so that the source may change meanwhile.
    Shared(Arc<dyn VerifyKey>),
}

impl KeyRef<'_> {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &dyn VerifyKey {
        match self {
            Self::Borrowed(key) => *key,
            Self::Shared(key) => &**key,
        }
    }
}

impl fmt::Debug for KeyRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("KeyRef").field(&self.key().algorithm()).field(&self.key().key_id()).finish()
    }
}

/// A key together with its own header, met in a token letter for letter. Only a [`KeySet`] makes one.
pub struct Recognized<'a> {
    pub(crate) key: &'a dyn VerifyKey,
    pub(crate) header: &'a EncodedHeader,
}

impl fmt::Debug for Recognized<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Recognized").field(&self.header).finish()
    }
}

impl<K: VerifyKey> KeySource for K {
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        if header.algorithm() != self.algorithm() {
            return Err(VerifyError::AlgorithmMismatch { key: self.algorithm(), token: header.algorithm() });
        }
        match self.key_id() {
            Some(own) if header.key_id() != Some(own) => Err(VerifyError::UnknownKey),
            _ => Ok(KeyRef::Borrowed(self)),
        }
    }

    fn only_key(&self) -> Option<&dyn VerifyKey> {
        Some(self)
    }
}

/// Keys of any algorithms, found by key id.
///
/// A token with a `kid` is checked with the key of exactly that id and algorithm, or refused. A token without
/// one is checked with the key of its algorithm that has no id either, else with the only key of its algorithm,
/// else refused as ambiguous. Keys are never tried in turn.
///
/// A set is changed by adding and removing keys; a clone is cheap, the keys being shared. To change the keys
/// of a running service, build the next set and swap the verifier:
/// [`Verifier::with_keys`](crate::Verifier::with_keys).
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
    /// By the encoded header that the key itself would write.
    by_segment: Set<BySegment>,
    /// By key id; several only if their algorithms differ.
    by_key_id: Map<Box<str>, Vec<Arc<Entry>>>,
    /// By algorithm, for tokens without a key id.
    by_algorithm: Vec<(Algorithm, Vec<Arc<Entry>>)>,
}

struct Entry {
    key: Arc<dyn VerifyKey>,
    header: EncodedHeader,
}

impl Entry {
    fn is(&self, algorithm: Algorithm, key_id: Option<&str>) -> bool {
        self.key.algorithm() == algorithm && self.key.key_id() == key_id
    }
}

/// An entry that is told from others by its encoded header. The text stands in the entry only: with 100,000 keys, what a
/// look-up costs is the memory that it has to wait for.
#[derive(Clone)]
struct BySegment(Arc<Entry>);

impl Borrow<str> for BySegment {
    fn borrow(&self) -> &str {
        self.0.header.segment()
    }
}

impl PartialEq for BySegment {
    fn eq(&self, other: &Self) -> bool {
        self.0.header.segment() == other.0.header.segment()
    }
}

impl Eq for BySegment {}

impl Hash for BySegment {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.header.segment().hash(state);
    }
}

impl PartialOrd for BySegment {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for BySegment {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.header.segment().cmp(other.0.header.segment())
    }
}

impl KeySet {
    /// An empty set, which refuses every token with [`VerifyError::UnknownKey`]. There is no limit to the keys that may be
    /// added.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key.
    ///
    /// # Errors
    ///
    /// [`KeyError::DuplicateKey`] if the set has a key of this algorithm and id already, or of this algorithm and without an
    /// id. The set is then unchanged.
    pub fn insert(&mut self, key: impl VerifyKey + 'static) -> Result<(), KeyError> {
        self.insert_shared(Arc::new(key))
    }

    /// Adds a key that is in use elsewhere too.
    ///
    /// # Errors
    ///
    /// As [`insert`](Self::insert).
    pub fn insert_shared(&mut self, key: Arc<dyn VerifyKey>) -> Result<(), KeyError> {
        let algorithm = key.algorithm();
        // Made here and not taken from the key: tokens are compared with it, so it must be what it says.
        let header = EncodedHeader::new(algorithm, key.key_id());
        if self.by_segment.contains(header.segment()) {
            return Err(KeyError::DuplicateKey);
        }
        let entry = Arc::new(Entry { key, header });
        if let Some(key_id) = entry.key.key_id() {
            self.by_key_id.entry(key_id.into()).or_default().push(entry.clone());
        }
        match self.by_algorithm.iter_mut().find(|(of, _)| *of == algorithm) {
            Some((_, entries)) if entry.key.key_id().is_none() => entries.insert(0, entry.clone()),
            Some((_, entries)) => entries.push(entry.clone()),
            None => self.by_algorithm.push((algorithm, Vec::from([entry.clone()]))),
        }
        self.by_segment.insert(BySegment(entry));
        Ok(())
    }

    /// Takes a key out; false if it was not there.
    pub fn remove(&mut self, algorithm: Algorithm, key_id: Option<&str>) -> bool {
        let before = self.len();
        self.by_segment.retain(|BySegment(entry)| !entry.is(algorithm, key_id));
        for (_, entries) in &mut self.by_algorithm {
            entries.retain(|entry| !entry.is(algorithm, key_id));
        }
        if let Some(key_id) = key_id
            && let Some(entries) = self.by_key_id.get_mut(key_id)
        {
            entries.retain(|entry| !entry.is(algorithm, Some(key_id)));
            if entries.is_empty() {
                self.by_key_id.remove(key_id);
            }
        }
        self.len() < before
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_segment.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_segment.is_empty()
    }

    /// The key for a token with this header, for a [`KeySource`] around a set that changes.
    ///
    /// # Errors
    ///
    /// [`VerifyError::UnknownKey`], [`VerifyError::AmbiguousKey`].
    pub fn find_shared(&self, header: &Header<'_>) -> Result<Arc<dyn VerifyKey>, VerifyError> {
        self.entry(header).map(|entry| entry.key.clone())
    }

    fn entry(&self, header: &Header<'_>) -> Result<&Entry, VerifyError> {
        let algorithm = header.algorithm();
        match header.key_id() {
            Some(key_id) => self
                .by_key_id
                .get(key_id)
                .and_then(|entries| entries.iter().find(|entry| entry.key.algorithm() == algorithm))
                .map(|entry| &**entry)
                .ok_or(VerifyError::UnknownKey),
            None => match self.of_algorithm(algorithm) {
                [entry] => Ok(entry),
                [] => Err(VerifyError::UnknownKey),
                entries => {
                    // At most one of an algorithm is without an id. It comes first: `insert` sees to that.
                    let nameless = entries.first().filter(|entry| entry.key.key_id().is_none());
                    nameless.map(|entry| &**entry).ok_or(VerifyError::AmbiguousKey)
                }
            },
        }
    }

    fn of_algorithm(&self, algorithm: Algorithm) -> &[Arc<Entry>] {
        let row = self.by_algorithm.iter().find(|(of, _)| *of == algorithm);
        row.map(|(_, entries)| entries.as_slice()).unwrap_or_default()
    }
}

impl KeySource for KeySet {
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        self.entry(header).map(|entry| KeyRef::Borrowed(&*entry.key))
    }

    fn recognize(&self, segment: &str) -> Option<Recognized<'_>> {
        let BySegment(entry) = self.by_segment.get(segment)?;
        Some(Recognized { key: &*entry.key, header: &entry.header })
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = self.by_algorithm.iter().flat_map(|(_, entries)| entries);
        f.debug_list().entries(keys.map(|entry| (entry.key.algorithm(), entry.key.key_id()))).finish()
    }
}
