//! SQLite in a file: nothing to install.

use super::{DatabaseError, user};
use crate::users::{Name, User};
use rusqlite::{Connection, OpenFlags, OptionalExtension, params};
use std::fs::OpenOptions;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS users (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        role TEXT NOT NULL,
        password_hash TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// A new file is for its owner alone, as SQLite then makes the two files beside it.
pub(super) fn make_private(path: &Path) -> Result<(), DatabaseError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(DatabaseError::new(format!("{}: {error}", path.display()))),
    }
}

/// One connection, on threads that may block; users are asked for at logins and refreshes only.
pub struct Sqlite {
    connection: Arc<Mutex<Connection>>,
    /// Who waits for the connection waits here, where it has an end, and not on a thread.
    turn: Arc<Semaphore>,
    timeout: Duration,
}

impl Sqlite {
    /// Opens the file, which the store of the sessions has made. A call waits for `timeout` for those before it, and once
    /// more while others have the file locked.
    pub fn open(path: &Path, timeout: Duration) -> Result<Self, DatabaseError> {
        let open = || {
            // Without SQLITE_OPEN_URI, as the store opens it: a path is a path.
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection.busy_timeout(timeout)?;
            // With less, a power cut can take back a registration that was answered.
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute_batch(TABLE)?;
            Ok::<_, rusqlite::Error>(connection)
        };
        let connection = open().map_err(DatabaseError::new)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), turn: Arc::new(Semaphore::new(1)), timeout })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let turn = tokio::time::timeout(self.timeout, self.turn.clone().acquire_owned());
        let turn = turn.await.map_err(DatabaseError::new)?.map_err(DatabaseError::new)?;
        let connection = self.connection.clone();
        let work = move || {
            // Until it is done, also when nobody waits for it any more.
            let _turn = turn;
            // A statement is done in one go, so a thread that died has left nothing half done.
            work(&connection.lock().unwrap_or_else(PoisonError::into_inner))
        };
        let result = tokio::task::spawn_blocking(work).await.map_err(DatabaseError::new)?;
        result.map_err(DatabaseError::new)
    }

    /// See [`Database::add_user`](super::Database::add_user).
    pub async fn add_user(&self, user: &User) -> Result<bool, DatabaseError> {
        let user = user.clone();
        self.run(move |connection| {
            let sql = "INSERT INTO users (id, name, role, password_hash) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (name) DO NOTHING";
            let values = params![user.id, user.name.as_str(), user.role.as_str(), user.password_hash];
            Ok(connection.prepare_cached(sql)?.execute(values)? == 1)
        })
        .await
    }

    /// See [`Database::user_named`](super::Database::user_named).
    pub async fn user_named(&self, name: &Name) -> Result<Option<User>, DatabaseError> {
        self.user("SELECT id, name, role, password_hash FROM users WHERE name = ?1", name.as_str()).await
    }

    /// See [`Database::user_of`](super::Database::user_of).
    pub async fn user_of(&self, id: &str) -> Result<Option<User>, DatabaseError> {
        self.user("SELECT id, name, role, password_hash FROM users WHERE id = ?1", id).await
    }

    async fn user(&self, sql: &'static str, key: &str) -> Result<Option<User>, DatabaseError> {
        let key = key.to_owned();
        type Columns = (String, String, String, String);
        let read = |row: &rusqlite::Row<'_>| Columns::try_from(row);
        let found = self
            .run(move |connection| connection.prepare_cached(sql)?.query_row([key], read).optional())
            .await?;
        found.map(|(id, name, role, hash)| user(id, name, role, hash)).transpose()
    }
}
