//! Users and sessions in one database: SQLite in a file, PostgreSQL, or Redis.

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
use countersign_session::DynStore;
#[cfg(feature = "postgres")]
use session_stores::PostgresStore;
#[cfg(feature = "redis")]
use session_stores::RedisStore;
use session_stores::SqliteStore;
use std::error::Error;
use thiserror::Error;

/// The users in one of the databases.
pub enum Database {
    /// A PostgreSQL server.
    #[cfg(feature = "postgres")]
    Postgres(Postgres),
    /// A Redis server.
    #[cfg(feature = "redis")]
    Redis(Redis),
    /// An SQLite file.
    Sqlite(Sqlite),
}

/// The database is unavailable: a 503. Its message goes to the log, never to a client.
#[derive(Debug, Error)]
#[error("the database is not available: {0}")]
pub struct DatabaseError(String);

impl DatabaseError {
    /// Creates an error with all causes, because drivers hide the important one in the source of their error.
    pub(crate) fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let error = error.into();
        let causes = std::iter::successors(Some(&*error as &dyn Error), |&error| error.source());
        Self(causes.map(ToString::to_string).collect::<Vec<_>>().join(": "))
    }
}

/// Builds the user from these columns.
fn user(id: String, name: String, role: String, password_hash: String) -> Result<User, DatabaseError> {
    let known = Name::new(&name).zip(Role::from_text(&role));
    let (name, role) = known.ok_or_else(|| DatabaseError::new("a user has no name or no role"))?;
    Ok(User { id, name, role, password_hash })
}

/// Runs a call of the database in use.
macro_rules! ask {
    ($database:expr, $users:ident => $call:expr) => {
        match $database {
            #[cfg(feature = "postgres")]
            Self::Postgres($users) => $call,
            #[cfg(feature = "redis")]
            Self::Redis($users) => $call,
            Self::Sqlite($users) => $call,
        }
    };
}

impl Database {
    /// Opens the database, and creates the tables for users and sessions if they are missing.
    pub async fn open(config: &Config) -> Result<(Self, DynStore), DatabaseError> {
        let timeout = config.database_timeout;
        match &config.database {
            DatabaseUrl::Sqlite(path) => {
                sqlite::make_private(path)?;
                let store = SqliteStore::open_with_timeout(path, timeout).map_err(DatabaseError::new)?;
                Ok((Self::Sqlite(Sqlite::open(path, timeout)?), DynStore::new(store)))
            }
            #[cfg(feature = "postgres")]
            DatabaseUrl::Postgres(url) => {
                let store = PostgresStore::connect_with_timeout(url, timeout).await;
                let store = store.map_err(DatabaseError::new)?;
                let users = Postgres::open(store.pool().clone(), timeout).await?;
                Ok((Self::Postgres(users), DynStore::new(store)))
            }
            #[cfg(not(feature = "postgres"))]
            DatabaseUrl::Postgres(_) => {
                Err(DatabaseError::new("build with --features postgres for this one"))
            }
            #[cfg(feature = "redis")]
            DatabaseUrl::Redis(url) => {
                let store = RedisStore::connect_with_timeout(url, timeout).await;
                let store = store.map_err(DatabaseError::new)?;
                Ok((Self::Redis(Redis::over(store.connection())), DynStore::new(store)))
            }
            #[cfg(not(feature = "redis"))]
            DatabaseUrl::Redis(_) => Err(DatabaseError::new("build with --features redis for this one")),
        }
    }

    /// Adds a user; `false` if the name is taken.
    pub async fn add_user(&self, user: &User) -> Result<bool, DatabaseError> {
        ask!(self, users => users.add_user(user).await)
    }

    /// Returns the user with this name.
    pub async fn user_named(&self, name: &Name) -> Result<Option<User>, DatabaseError> {
        ask!(self, users => users.user_named(name).await)
    }

    /// Returns the user with this id, as tokens have it.
    pub async fn user_of(&self, id: &str) -> Result<Option<User>, DatabaseError> {
        ask!(self, users => users.user_of(id).await)
    }
}
