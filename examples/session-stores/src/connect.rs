//! The store that a URL names.

#[cfg(feature = "postgres")]
use crate::postgres::PostgresStore;
#[cfg(feature = "redis")]
use crate::redis::RedisStore;
#[cfg(feature = "sqlite")]
use crate::sqlite::SqliteStore;
use countersign_session::{DynStore, StoreError};

/// Opens the store that a URL names, for a server that is told by its configuration which to use:
/// `sqlite:sessions.db`, `postgres://user:password@host:5432/database`, `redis://:password@host:6379/0`.
///
/// The store is ready to be asked: connected, and with its tables made. A file is opened in place, which blocks: call this
/// when the server starts.
///
/// # Errors
///
/// [`StoreError`] when the URL names none of the stores compiled in, or the store cannot be reached. It does not show
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
        _ => Err(StoreError::new("the URL names no store that is compiled in: sqlite:, postgres:, redis:")),
    }
}
