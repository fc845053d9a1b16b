//! What sessions ask of a database.

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

/// Where sessions are kept.
///
/// Nine operations, each atomic by itself. Everything that has to be right when two ask at once is
/// [`compare_and_swap`](Self::compare_and_swap). Write them as `async fn`. A database driver that blocks has
/// [`BlockingStore`] instead. Where the store is chosen at run time, there is [`DynStore`](crate::DynStore). The futures must
/// be `Send`. Those of a single-threaded worker are not (a browser, a Cloudflare worker, `Rc` inside): wrap the connection and
/// each future in `SendWrapper` of the crate [`send_wrapper`](https://docs.rs/send_wrapper) (feature `futures`), which panics
/// on any other thread, or send the calls to a task of their own.
///
/// The contract, which the module `contract` (feature `contract`) checks for any store:
///
/// - `load` sees every write that had been answered before it began: no replica that lags, no cache.
/// - An error says nothing about whether a write was made. It must never be told as an absence.
/// - A subject's epoch begins at 0 and is kept for ever: forgetting it would bring revoked sessions back.
/// - Subjects are compared byte by byte. Collations of databases are not: `utf8mb4_0900_as_cs` of MySQL tells case and
///   accents apart, and ignores U+200B and U+00AD all the same. Keep the subject as bytes (`VARBINARY`, `BYTEA`, `BLOB`).
///
/// # Examples
///
/// How each looks in SQL and Redis is in the page [sessions](crate::manual).
pub trait Store: Send + Sync {
    /// The row of this session and the present epoch of its subject, read with the row or after it.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be asked; as everywhere here.
    fn load(&self, session: SessionId) -> impl Future<Output = Result<Option<Loaded>, StoreError>> + Send;

    /// Writes a new row; [`Swap::Conflict`] if there is one of its id.
    fn insert(&self, row: &Row) -> impl Future<Output = Result<Swap, StoreError>> + Send;

    /// Writes `row` over the one of its id, if that has the version `expected`; else changes nothing and says
    /// [`Swap::Conflict`], also if there is none. `UPDATE ... WHERE sid = ? AND version = ?`, and how many rows it hit.
    fn compare_and_swap(
        &self,
        expected: u64,
        row: &Row,
    ) -> impl Future<Output = Result<Swap, StoreError>> + Send;

    /// All rows of a subject but those that were ended ([`Row::revoked`]), in any order: also rows that have expired, and rows
    /// of former epochs. Keep in a column whether a row was ended, and write it with each swap. An ended row stays where
    /// [`load`](Self::load) finds it.
    ///
    /// Each login reads the list where sessions have a cap, so ended rows in it would make every login slower than the one
    /// before.
    fn list(&self, subject: &str) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;

    /// The present epoch of a subject: 0 if it never was another.
    fn epoch(&self, subject: &str) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Adds one to the epoch of a subject and tells the new one.
    fn bump_epoch(&self, subject: &str) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Puts keys on the denylist until `until`: any number of them, also none, or one twice. One that is there already keeps
    /// the later time.
    fn deny(&self, keys: &[DenyKey], until: UnixTime) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Whether any of the keys, of which there may be none, is on the denylist. One look-up: `WHERE key = ANY (?)`.
    fn is_denied(&self, keys: &[DenyKey]) -> impl Future<Output = Result<bool, StoreError>> + Send;

    /// Takes away rows whose [`purge_after`](Row::purge_after) and denials whose `until` lie before `now`.
    fn purge(&self, now: UnixTime) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A list of what has been revoked, to be asked at every access. Every [`Store`] is one.
///
/// For a server that shares a list and no store: a replica, a cache, a bloom filter before either.
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
    /// Whether any of the keys is on the list.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when it cannot be asked.
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
    /// Nothing was written: the row is another than was expected.
    Conflict,
    /// It was written.
    Done,
}

impl Swap {
    /// What the number of rows says that a statement has hit.
    pub const fn from_rows(hit: u64) -> Self {
        if hit == 0 { Self::Conflict } else { Self::Done }
    }
}

/// A [`Store`] whose calls block: the same operations without `async`.
///
/// [`Blocking`] makes a [`Store`] of it, and [`blocking`] runs what is asked of that.
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
    /// As [`Store::load`].
    fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError>;

    /// As [`Store::insert`].
    fn insert(&self, row: &Row) -> Result<Swap, StoreError>;

    /// As [`Store::compare_and_swap`].
    fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError>;

    /// As [`Store::list`].
    fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError>;

    /// As [`Store::epoch`].
    fn epoch(&self, subject: &str) -> Result<u64, StoreError>;

    /// As [`Store::bump_epoch`].
    fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError>;

    /// As [`Store::deny`].
    fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError>;

    /// As [`Store::is_denied`].
    fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError>;

    /// As [`Store::purge`].
    fn purge(&self, now: UnixTime) -> Result<(), StoreError>;
}

/// A [`Store`] of a [`BlockingStore`]: its futures are ready at once.
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

/// Runs a call that never waits, because its store does not: one over [`Blocking`] or
/// [`MemoryStore`](crate::MemoryStore).
///
/// # Errors
///
/// Those of the call; [`Error::Store`](crate::Error::Store) if it would have had to wait after all.
///
/// # Examples
///
/// See [`BlockingStore`].
pub fn blocking<T, E: From<StoreError>>(call: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(StoreError::new("the store waits: it is not a blocking one").into()),
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
