//! SQLite in a file, which needs no installation.

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

/// Makes a new file readable only for its owner. SQLite gives the two files next to it the same mode.
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

/// One connection, on threads that may block. Users are read only at logins and refreshes.
pub struct Sqlite {
    connection: Arc<Mutex<Connection>>,
    /// Callers wait here for the connection, with a timeout, and not on a thread.
    turn: Arc<Semaphore>,
    timeout: Duration,
}

impl Sqlite {
    /// Opens the file, which the store of the sessions has created. A call waits up to `timeout` for calls before it, and up to
    /// `timeout` again while another process has locked the file.
    pub fn open(path: &Path, timeout: Duration) -> Result<Self, DatabaseError> {
        let open = || {
            // Without SQLITE_OPEN_URI, as the store opens it, so that every path is read as a path.
            let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
            connection.busy_timeout(timeout)?;
            // With a lower setting, a power cut can undo a registration that was answered.
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
            // Kept until the work is done, even if the caller has gone.
            let _turn = turn;
            // A statement is atomic, so a thread that panicked has left no partial change.
            work(&connection.lock().unwrap_or_else(PoisonError::into_inner))
        };
        let result = tokio::task::spawn_blocking(work).await.map_err(DatabaseError::new)?;
        result.map_err(DatabaseError::new)
    }

    /// Does what [`Database::add_user`](super::Database::add_user) does.
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

    /// Does what [`Database::user_named`](super::Database::user_named) does.
    pub async fn user_named(&self, name: &Name) -> Result<Option<User>, DatabaseError> {
        self.user("SELECT id, name, role, password_hash FROM users WHERE name = ?1", name.as_str()).await
    }

    /// Does what [`Database::user_of`](super::Database::user_of) does.
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
