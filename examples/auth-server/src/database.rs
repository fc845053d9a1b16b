//! Users and sessions: SQLite in a file, PostgreSQL, or Redis.

#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
mod sqlite;

#[cfg(feature = "postgres")]
pub use postgres::Postgres;
#[cfg(feature = "redis")]
pub use redis::Redis;
pub use sqlite::Sqlite;

use crate::config::{Config, DatabaseUrl};
use crate::users::{Name, Role, User};
use countersign::UnixTime;
use countersign::session::{DenyKey, Loaded, Row, SessionId, Store, StoreError, Swap};
use std::time::Duration;
use thiserror::Error;

/// One of the databases.
#[allow(clippy::large_enum_variant, reason = "there is one, for as long as the server runs")]
pub enum Database {
    /// A server.
    #[cfg(feature = "postgres")]
    Postgres(Postgres),
    /// A server.
    #[cfg(feature = "redis")]
    Redis(Redis),
    /// A file.
    Sqlite(Sqlite),
}

/// The database could not be asked: a 503. What it said goes to the log, never to a client.
#[derive(Debug, Error)]
#[error("the database is not available: {0}")]
pub struct DatabaseError(Box<dyn std::error::Error + Send + Sync>);

impl DatabaseError {
    fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

impl From<DatabaseError> for StoreError {
    fn from(error: DatabaseError) -> Self {
        tracing::error!(%error, "the database failed");
        Self::new(error)
    }
}

/// The user that a database has in these columns.
fn user(id: String, name: String, role: String, password_hash: String) -> Result<User, DatabaseError> {
    let known = Name::new(&name).zip(Role::from_text(&role));
    let (name, role) = known.ok_or_else(|| DatabaseError::new("a user has no name or no role"))?;
    Ok(User { id, name, role, password_hash })
}

/// Runs a call of whichever database it is.
macro_rules! ask {
    ($database:expr, $store:ident => $call:expr) => {
        match $database {
            #[cfg(feature = "postgres")]
            Self::Postgres($store) => $call,
            #[cfg(feature = "redis")]
            Self::Redis($store) => $call,
            Self::Sqlite($store) => $call,
        }
    };
}

impl Database {
    /// Opens it, and makes its tables if they are not there.
    pub async fn open(config: &Config) -> Result<Self, DatabaseError> {
        Self::open_url(&config.database, config.database_timeout).await
    }

    /// As [`open`](Self::open), of this URL.
    pub async fn open_url(url: &DatabaseUrl, timeout: Duration) -> Result<Self, DatabaseError> {
        match url {
            DatabaseUrl::Sqlite(path) => Ok(Self::Sqlite(Sqlite::open(path.clone(), timeout).await?)),
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(url) => Ok(Self::Postgres(Postgres::open(url, timeout).await?)),
            #[cfg(not(feature = "postgres"))]
            DatabaseUrl::Postgres(_) => {
                Err(DatabaseError::new("build with --features postgres for this one"))
            }
            #[cfg(feature = "redis")]
            DatabaseUrl::Redis(url) => Ok(Self::Redis(Redis::open(url, timeout).await?)),
            #[cfg(not(feature = "redis"))]
            DatabaseUrl::Redis(_) => Err(DatabaseError::new("build with --features redis for this one")),
        }
    }

    /// Adds a user; `false` if the name is taken.
    pub async fn add_user(&self, user: &User) -> Result<bool, DatabaseError> {
        ask!(self, store => store.add_user(user).await)
    }

    /// The user of this name.
    pub async fn user_named(&self, name: &Name) -> Result<Option<User>, DatabaseError> {
        ask!(self, store => store.user_named(name).await)
    }

    /// The user whom tokens call so.
    pub async fn user_of(&self, id: &str) -> Result<Option<User>, DatabaseError> {
        ask!(self, store => store.user_of(id).await)
    }
}

impl Store for Database {
    async fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
        ask!(self, store => store.load(session).await)
    }

    async fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
        ask!(self, store => store.insert(row).await)
    }

    async fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
        ask!(self, store => store.compare_and_swap(expected, row).await)
    }

    async fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
        ask!(self, store => store.list(subject).await)
    }

    async fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
        ask!(self, store => store.epoch(subject).await)
    }

    async fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
        ask!(self, store => store.bump_epoch(subject).await)
    }

    async fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
        ask!(self, store => store.deny(keys, until).await)
    }

    async fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
        ask!(self, store => Store::is_denied(store, keys).await)
    }

    async fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
        ask!(self, store => store.purge(now).await)
    }
}
