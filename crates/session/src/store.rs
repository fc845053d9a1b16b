//! The operations that sessions need from a database.

use crate::denial::DenyKey;
use crate::error::StoreError;
use crate::id::SessionId;
use crate::machine::Loaded;
use crate::row::Row;
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use countersign::UnixTime;

/// A place where sessions are stored.
///
/// It has nine operations, each atomic by itself. [`compare_and_swap`](Self::compare_and_swap) makes concurrent calls safe.
/// Write the operations as `async fn`. For a blocking database driver, implement [`BlockingStore`] instead. If the store is
/// chosen at run time, use [`DynStore`](crate::DynStore). The futures must be `Send`. Those of a single-threaded worker are not
/// (a browser, a Cloudflare worker, `Rc` inside): wrap the connection and each future in `SendWrapper` of the crate
/// [`send_wrapper`](https://docs.rs/send_wrapper) (feature `futures`), which panics on any other thread, or send the calls to a
/// separate task.
///
/// The contract, which the module `contract` (feature `contract`) checks for any store:
///
/// - `load` sees every write that was confirmed before it began: no replica that lags, no cache.
/// - After an error, it is unknown whether a write was made. An error must never be reported as an absent row.
/// - A subject's epoch begins at 0 and is kept for ever: forgetting it would restore revoked sessions.
/// - Subjects are compared byte by byte. Database collations do something else: `utf8mb4_0900_as_cs` of MySQL distinguishes
///   case and accents, but ignores U+200B and U+00AD. Keep the subject as bytes (`VARBINARY`, `BYTEA`, `BLOB`).
///
/// # Examples
///
/// The page [sessions](crate::manual) has each operation in SQL and Redis.
pub trait Store: Send + Sync {
    /// Loads the row of this session and the present epoch of its subject, which is read with the row or after it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the store is unavailable. The same applies to all methods here.
    fn load(&self, session: SessionId) -> impl Future<Output = Result<Option<Loaded>, StoreError>> + Send;

    /// Writes a new row. Returns [`Swap::Conflict`] if a row with its id exists.
    fn insert(&self, row: &Row) -> impl Future<Output = Result<Swap, StoreError>> + Send;

    /// Replaces the row with the id of `row`, if it has the version `expected`. Otherwise changes nothing and returns
    /// [`Swap::Conflict`], also if there is no such row. In SQL: `UPDATE ... WHERE sid = ? AND version = ?`, and the number of
    /// rows hit.
    fn compare_and_swap(
        &self,
        expected: u64,
        row: &Row,
    ) -> impl Future<Output = Result<Swap, StoreError>> + Send;

    /// Lists all rows of a subject except ended ones ([`Row::revoked`]), in any order. The list includes rows that have expired
    /// and rows of former epochs. Keep in a column whether a row was ended, and write it with each swap. [`load`](Self::load)
    /// must still find an ended row.
    ///
    /// With a cap on sessions, each login reads this list, so ended rows in it would make every login slower than the one
    /// before.
    fn list(&self, subject: &str) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;

    /// Returns the present epoch of a subject: 0 if it was never increased.
    fn epoch(&self, subject: &str) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Adds one to the epoch of a subject and returns the new one.
    fn bump_epoch(&self, subject: &str) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Puts keys on the denylist until `until`: any number of them, also none, or the same key twice. A key that is there
    /// already keeps the later time.
    fn deny(&self, keys: &[DenyKey], until: UnixTime) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Returns whether any of the keys is on the denylist; there may be none. In SQL: `WHERE key = ANY (?)`.
    fn is_denied(&self, keys: &[DenyKey]) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Removes the rows with a [`purge_after`](Row::purge_after) before `now`, and the denials with an `until` before `now`.
    fn purge(&self, now: UnixTime) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A list of revoked access tokens, which is read at every access. Every [`Store`] is one.
///
/// Implement it for a server that has the list but no store: a replica, a cache, a bloom filter before either.
///
/// # Examples
///
/// ```
/// use countersign_session::{DenyKey, Denylist, StoreError};
///
/// struct Nothing;
///
/// impl Denylist for Nothing {
///     async fn denies(&self, _: &[DenyKey]) -> Result<bool, StoreError> {
///         Ok(false)
///     }
/// }
/// ```
pub trait Denylist: Send + Sync {
    /// Returns whether any of the keys is on the list.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the list is unavailable.
    fn denies(&self, keys: &[DenyKey]) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

impl<S: Store> Denylist for S {
    fn denies(&self, keys: &[DenyKey]) -> impl Future<Output = Result<bool, StoreError>> + Send {
        self.is_denied(keys)
    }
}

/// Whether a write was made.
///
/// # Examples
///
/// ```
/// use countersign_session::Swap;
///
/// assert_eq!(Swap::from_rows(1), Swap::Done);
/// assert_eq!(Swap::from_rows(0), Swap::Conflict);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "nothing was written if it is a conflict"]
#[non_exhaustive]
pub enum Swap {
    /// Nothing was written, because the row differs from the expected one.
    Conflict,
    /// The row was written.
    Done,
}

impl Swap {
    /// Converts the number of rows that a statement has hit.
    pub const fn from_rows(hit: u64) -> Self {
        if hit == 0 { Self::Conflict } else { Self::Done }
    }
}

/// A [`Store`] with blocking calls: the same operations without `async`.
///
/// [`Blocking`] turns it into a [`Store`], and [`blocking`] runs the futures of that store.
///
/// # Examples
///
/// ```
/// use countersign_session::{Blocking, BlockingStore, Config, MasterKeys, Sessions, blocking};
/// use countersign::{HmacKey, SecretBytes, UnixTime};
///
/// fn sessions_of(store: impl BlockingStore) -> Result<(), Box<dyn std::error::Error>> {
///     let config = Config::builder("https://auth.example", "https://api.example").build()?;
///     let keys = MasterKeys::new(1, [7; 32])?;
///     let sessions = Sessions::new(config, keys, HmacKey::hs256(&SecretBytes::from_bytes([8; 32]))?, Blocking(store))?;
///     blocking(sessions.revoke_all("user123"))?;
///     Ok(())
/// }
/// ```
#[allow(clippy::missing_errors_doc, reason = "the same for all, and said at the trait")]
pub trait BlockingStore: Send + Sync {
    /// Does what [`Store::load`] does.
    fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError>;

    /// Does what [`Store::insert`] does.
    fn insert(&self, row: &Row) -> Result<Swap, StoreError>;

    /// Does what [`Store::compare_and_swap`] does.
    fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError>;

    /// Does what [`Store::list`] does.
    fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError>;

    /// Does what [`Store::epoch`] does.
    fn epoch(&self, subject: &str) -> Result<u64, StoreError>;

    /// Does what [`Store::bump_epoch`] does.
    fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError>;

    /// Does what [`Store::deny`] does.
    fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError>;

    /// Does what [`Store::is_denied`] does.
    fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError>;

    /// Does what [`Store::purge`] does.
    fn purge(&self, now: UnixTime) -> Result<(), StoreError>;
}

/// A [`Store`] made of a [`BlockingStore`]. Its futures are ready at once.
///
/// # Examples
///
/// See [`BlockingStore`].
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::exhaustive_structs, reason = "a wrapper and nothing else")]
pub struct Blocking<S>(pub S);

impl<S: BlockingStore> Store for Blocking<S> {
    async fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
        self.0.load(session)
    }

    async fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
        self.0.insert(row)
    }

    async fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
        self.0.compare_and_swap(expected, row)
    }

    async fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
        self.0.list(subject)
    }

    async fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
        self.0.epoch(subject)
    }

    async fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
        self.0.bump_epoch(subject)
    }

    async fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
        self.0.deny(keys, until)
    }

    async fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
        self.0.is_denied(keys)
    }

    async fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
        self.0.purge(now)
    }
}

/// Runs a call that never waits, because its store is [`Blocking`] or a [`MemoryStore`](crate::MemoryStore).
///
/// # Errors
///
/// The errors of the call; [`Error::Store`](crate::Error::Store) if the call would have to wait.
///
/// # Examples
///
/// See [`BlockingStore`].
pub fn blocking<T, E: From<StoreError>>(call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => {
            Err(StoreError::new("the store is asynchronous: use .await in place of blocking").into())
        }
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        impl<S: Store + ?Sized> Store for $pointer {
            fn load(
                &self,
                session: SessionId,
            ) -> impl Future<Output = Result<Option<Loaded>, StoreError>> + Send {
                (**self).load(session)
            }

            fn insert(&self, row: &Row) -> impl Future<Output = Result<Swap, StoreError>> + Send {
                (**self).insert(row)
            }

            fn compare_and_swap(
                &self,
                expected: u64,
                row: &Row,
            ) -> impl Future<Output = Result<Swap, StoreError>> + Send {
                (**self).compare_and_swap(expected, row)
            }

            fn list(&self, subject: &str) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send {
                (**self).list(subject)
            }

            fn epoch(&self, subject: &str) -> impl Future<Output = Result<u64, StoreError>> + Send {
                (**self).epoch(subject)
            }

            fn bump_epoch(&self, subject: &str) -> impl Future<Output = Result<u64, StoreError>> + Send {
                (**self).bump_epoch(subject)
            }

            fn deny(
                &self,
                keys: &[DenyKey],
                until: UnixTime,
            ) -> impl Future<Output = Result<(), StoreError>> + Send {
                (**self).deny(keys, until)
            }

            fn is_denied(&self, keys: &[DenyKey]) -> impl Future<Output = Result<bool, StoreError>> + Send {
                (**self).is_denied(keys)
            }

            fn purge(&self, now: UnixTime) -> impl Future<Output = Result<(), StoreError>> + Send {
                (**self).purge(now)
            }
        }
    )*};
}

forward!(&S, Box<S>, Arc<S>);

macro_rules! forward_blocking {
    ($($pointer:ty),*) => {$(
        impl<S: BlockingStore + ?Sized> BlockingStore for $pointer {
            fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
                (**self).load(session)
            }

            fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
                (**self).insert(row)
            }

            fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
                (**self).compare_and_swap(expected, row)
            }

            fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
                (**self).list(subject)
            }

            fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
                (**self).epoch(subject)
            }

            fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
                (**self).bump_epoch(subject)
            }

            fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
                (**self).deny(keys, until)
            }

            fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
                (**self).is_denied(keys)
            }

            fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
                (**self).purge(now)
            }
        }
    )*};
}

forward_blocking!(&S, Box<S>, Arc<S>);
