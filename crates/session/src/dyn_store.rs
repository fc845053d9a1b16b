//! A store that is chosen at run time.

use crate::denial::DenyKey;
use crate::error::StoreError;
use crate::id::SessionId;
use crate::machine::Loaded;
use crate::row::Row;
use crate::store::{Store, Swap};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::future::Future;
use core::pin::Pin;
use countersign::UnixTime;

/// Any [`Store`] as one type. Use it if the configuration chooses the store, so that handlers need not be generic.
///
/// A clone is cheap. Each call allocates its future, which costs little compared with a call to a database. `Arc<dyn Store>` is
/// not possible, because the methods of [`Store`] are `async`.
///
/// # Examples
///
/// ```
/// use countersign_session::{DynStore, MemoryStore, Store, blocking};
///
/// fn pick(url: &str) -> Option<DynStore> {
///     match url {
///         "memory:" => Some(DynStore::new(MemoryStore::new())),
///         _ => None,
///     }
/// }
///
/// let store = pick("memory:").expect("a store");
/// assert_eq!(blocking(store.bump_epoch("user123"))?, 1);
/// assert_eq!(blocking(store.clone().epoch("user123"))?, 1);
/// # Ok::<(), countersign_session::StoreError>(())
/// ```
#[derive(Clone)]
pub struct DynStore(Arc<dyn Erased>);

impl DynStore {
    /// Wraps this store and hides its type.
    #[must_use]
    pub fn new(store: impl Store + 'static) -> Self {
        Self(Arc::new(store))
    }
}

impl fmt::Debug for DynStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DynStore")
    }
}

type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// [`Store`] with boxed futures.
trait Erased: Send + Sync {
    fn load(&self, session: SessionId) -> Answer<'_, Option<Loaded>>;
    fn insert<'a>(&'a self, row: &'a Row) -> Answer<'a, Swap>;
    fn compare_and_swap<'a>(&'a self, expected: u64, row: &'a Row) -> Answer<'a, Swap>;
    fn list<'a>(&'a self, subject: &'a str) -> Answer<'a, Vec<Row>>;
    fn epoch<'a>(&'a self, subject: &'a str) -> Answer<'a, u64>;
    fn bump_epoch<'a>(&'a self, subject: &'a str) -> Answer<'a, u64>;
    fn deny<'a>(&'a self, keys: &'a [DenyKey], until: UnixTime) -> Answer<'a, ()>;
    fn is_denied<'a>(&'a self, keys: &'a [DenyKey]) -> Answer<'a, bool>;
    fn purge(&self, now: UnixTime) -> Answer<'_, ()>;
}

impl<S: Store> Erased for S {
    fn load(&self, session: SessionId) -> Answer<'_, Option<Loaded>> {
        Box::pin(Store::load(self, session))
    }

    fn insert<'a>(&'a self, row: &'a Row) -> Answer<'a, Swap> {
        Box::pin(Store::insert(self, row))
    }

    fn compare_and_swap<'a>(&'a self, expected: u64, row: &'a Row) -> Answer<'a, Swap> {
        Box::pin(Store::compare_and_swap(self, expected, row))
    }

    fn list<'a>(&'a self, subject: &'a str) -> Answer<'a, Vec<Row>> {
        Box::pin(Store::list(self, subject))
    }

    fn epoch<'a>(&'a self, subject: &'a str) -> Answer<'a, u64> {
        Box::pin(Store::epoch(self, subject))
    }

    fn bump_epoch<'a>(&'a self, subject: &'a str) -> Answer<'a, u64> {
        Box::pin(Store::bump_epoch(self, subject))
    }

    fn deny<'a>(&'a self, keys: &'a [DenyKey], until: UnixTime) -> Answer<'a, ()> {
        Box::pin(Store::deny(self, keys, until))
    }

    fn is_denied<'a>(&'a self, keys: &'a [DenyKey]) -> Answer<'a, bool> {
        Box::pin(Store::is_denied(self, keys))
    }

    fn purge(&self, now: UnixTime) -> Answer<'_, ()> {
        Box::pin(Store::purge(self, now))
    }
}

impl Store for DynStore {
    async fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
        Erased::load(&*self.0, session).await
    }

    async fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
        Erased::insert(&*self.0, row).await
    }

    async fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
        Erased::compare_and_swap(&*self.0, expected, row).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
        Erased::list(&*self.0, subject).await
    }

    async fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
        Erased::epoch(&*self.0, subject).await
    }

    async fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
        Erased::bump_epoch(&*self.0, subject).await
    }

    async fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
        Erased::deny(&*self.0, keys, until).await
    }

    async fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
        Erased::is_denied(&*self.0, keys).await
    }

    async fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
        Erased::purge(&*self.0, now).await
    }
}
