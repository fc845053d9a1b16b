//! Opens the store that a URL names.

#[cfg(feature = "postgres")]
use crate::postgres::PostgresStore;
#[cfg(feature = "redis")]
use crate::redis::RedisStore;
#[cfg(feature = "sqlite")]
use crate::sqlite::SqliteStore;
use countersign_session::{DynStore, StoreError};

/// Opens the store that a URL names, for a server with the choice in its configuration: `sqlite:sessions.db`,
/// `postgres://user:password@host:5432/database`, `redis://:password@host:6379/0`.
///
/// The store is ready for use: it is connected, and its tables exist. Opening a file blocks, so call this when the server
/// starts.
///
/// # Errors
///
/// [`StoreError`] if the URL does not name a store that is compiled in, or the store is unavailable. The error does not show
/// the URL, which may hold a password.
pub async fn connect(url: &str) -> Result<DynStore, StoreError> {
    match url.split_once(':') {
        #[cfg(feature = "postgres")]
        Some(("postgres" | "postgresql", _)) => PostgresStore::connect(url).await.map(DynStore::new),
        #[cfg(feature = "redis")]
        Some(("redis", _)) => RedisStore::connect(url).await.map(DynStore::new),
        #[cfg(feature = "sqlite")]
        Some(("sqlite", path)) => {
            SqliteStore::open(path.strip_prefix("//").unwrap_or(path)).map(DynStore::new)
        }
        _ => Err(StoreError::new(
            "the URL does not name a store that is compiled in: sqlite:, postgres:, redis:",
        )),
    }
}
