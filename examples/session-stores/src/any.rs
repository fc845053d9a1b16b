//! The store that a URL names.

#[cfg(feature = "postgres")]
use crate::postgres::PostgresStore;
#[cfg(feature = "redis")]
use crate::redis::RedisStore;
#[cfg(feature = "sqlite")]
use crate::sqlite::SqliteStore;
use countersign::UnixTime;
use countersign_session::{DenyKey, Loaded, Row, SessionId, Store, StoreError, Swap};

/// The store that a URL names, for a server that is told by its configuration which to use.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum AnyStore {
    /// `postgres://user:password@host:5432/database`
    #[cfg(feature = "postgres")]
    Postgres(PostgresStore),
    /// `redis://:password@host:6379/0`
    #[cfg(feature = "redis")]
    Redis(RedisStore),
    /// `sqlite:sessions.db`, `sqlite:/var/lib/auth/sessions.db`
    #[cfg(feature = "sqlite")]
    Sqlite(SqliteStore),
}

impl AnyStore {
    /// The store of this URL, ready to be asked: connected, and with its tables made. A file is opened in place, which
    /// blocks: call it when the server starts.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the URL names none of the stores compiled in, or the store cannot be reached. It does not show
    /// the URL, which may hold a password.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        match url.split_once(':') {
            #[cfg(feature = "postgres")]
            Some(("postgres" | "postgresql", _)) => PostgresStore::connect(url).await.map(Self::Postgres),
            #[cfg(feature = "redis")]
            Some(("redis", _)) => RedisStore::connect(url).await.map(Self::Redis),
            #[cfg(feature = "sqlite")]
            Some(("sqlite", path)) => {
                SqliteStore::open(path.strip_prefix("//").unwrap_or(path)).map(Self::Sqlite)
            }
            _ => {
                Err(StoreError::new("the URL names no store that is compiled in: sqlite:, postgres:, redis:"))
            }
        }
    }
}

/// The same call on whichever it is.
macro_rules! each {
    ($self:ident.$call:ident($($argument:expr),*)) => {
        match $self {
            #[cfg(feature = "postgres")]
            Self::Postgres(store) => Store::$call(store, $($argument),*).await,
            #[cfg(feature = "redis")]
            Self::Redis(store) => Store::$call(store, $($argument),*).await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(store) => Store::$call(store, $($argument),*).await,
        }
    };
}

impl Store for AnyStore {
    async fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
        each!(self.load(session))
    }

    async fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
        each!(self.insert(row))
    }

    async fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
        each!(self.compare_and_swap(expected, row))
    }

    async fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
        each!(self.list(subject))
    }

    async fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
        each!(self.epoch(subject))
    }

    async fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
        each!(self.bump_epoch(subject))
    }

    async fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
        each!(self.deny(keys, until))
    }

    async fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
        each!(self.is_denied(keys))
    }

    async fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
        each!(self.purge(now))
    }
}
