//! SQLite in a file: nothing to install.

use super::{DatabaseError, user};
use crate::users::{Name, User};
use countersign::UnixTime;
use countersign::session::{DenyKey, Loaded, Row, SessionId, Store, StoreError, Swap};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS users (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL UNIQUE,
        role TEXT NOT NULL,
        password_hash TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS sessions (
        id BLOB PRIMARY KEY,
        subject TEXT NOT NULL,
        version INTEGER NOT NULL,
        purge_after INTEGER NOT NULL,
        row BLOB NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS sessions_by_subject ON sessions (subject);
    CREATE TABLE IF NOT EXISTS epochs (
        subject TEXT PRIMARY KEY,
        epoch INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS denials (
        key BLOB PRIMARY KEY,
        until INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
";

/// One connection, on threads that may block; SQLite writes one thing at a time anyway.
pub struct Sqlite(Arc<Mutex<Connection>>);

impl Sqlite {
    /// Opens the file, or makes it. While others have it locked, a call waits for `timeout`.
    pub async fn open(path: PathBuf, timeout: Duration) -> Result<Self, DatabaseError> {
        let open = move || {
            let connection = Connection::open(path)?;
            connection.busy_timeout(timeout)?;
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // With less, a power cut can take back an exchange that a client has had the answer to.
            connection.pragma_update(None, "synchronous", "FULL")?;
            connection.execute_batch(TABLES)?;
            Ok::<_, rusqlite::Error>(connection)
        };
        let connection = tokio::task::spawn_blocking(open).await.map_err(DatabaseError::new)?;
        Ok(Self(Arc::new(Mutex::new(connection.map_err(DatabaseError::new)?))))
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, DatabaseError> {
        let connection = self.0.clone();
        // A statement or a transaction is done in one go, so a thread that died has left nothing half done.
        let work = move || work(&mut connection.lock().unwrap_or_else(PoisonError::into_inner));
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

impl Store for Sqlite {
    async fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
        // In one statement, so that row and epoch are of one moment.
        let sql =
            "SELECT row, COALESCE((SELECT epoch FROM epochs WHERE epochs.subject = sessions.subject), 0)
                   FROM sessions WHERE id = ?1";
        let found = self
            .run(move |connection| {
                let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, i64>(1)?));
                connection.prepare_cached(sql)?.query_row([session.as_bytes()], read).optional()
            })
            .await?;
        found.map(|(row, epoch)| Ok(Loaded::new(Row::from_bytes(&row)?, number(epoch)?))).transpose()
    }

    async fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
        let sql = "INSERT INTO sessions (id, subject, version, purge_after, row) VALUES (?1, ?2, ?3, ?4, ?5)
                   ON CONFLICT (id) DO NOTHING";
        self.write(sql, row, 0).await
    }

    async fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
        let sql = "UPDATE sessions SET subject = ?2, version = ?3, purge_after = ?4, row = ?5
                   WHERE id = ?1 AND version = ?6";
        self.write(sql, row, expected).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
        let subject = subject.to_owned();
        let rows: Vec<Vec<u8>> = self
            .run(move |connection| {
                let mut statement =
                    connection.prepare_cached("SELECT row FROM sessions WHERE subject = ?1")?;
                statement.query_map([subject], |row| row.get(0))?.collect()
            })
            .await?;
        rows.iter().map(|row| Ok(Row::from_bytes(row)?)).collect()
    }

    async fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
        let subject = subject.to_owned();
        let epoch = self
            .run(move |connection| {
                let mut statement =
                    connection.prepare_cached("SELECT epoch FROM epochs WHERE subject = ?1")?;
                statement.query_row([subject], |row| row.get::<_, i64>(0)).optional()
            })
            .await?;
        number(epoch.unwrap_or_default())
    }

    async fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
        let subject = subject.to_owned();
        let sql = "INSERT INTO epochs (subject, epoch) VALUES (?1, 1)
                   ON CONFLICT (subject) DO UPDATE SET epoch = epoch + 1 RETURNING epoch";
        let epoch = self
            .run(move |connection| connection.prepare_cached(sql)?.query_row([subject], |row| row.get(0)))
            .await?;
        number(epoch)
    }

    async fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
        let keys = keys.to_vec();
        let sql = "INSERT INTO denials (key, until) VALUES (?1, ?2)
                   ON CONFLICT (key) DO UPDATE SET until = MAX(until, excluded.until)";
        self.run(move |connection| {
            let transaction = connection.transaction()?;
            for key in &keys {
                transaction.prepare_cached(sql)?.execute(params![key.as_bytes(), until.as_secs()])?;
            }
            transaction.commit()
        })
        .await?;
        Ok(())
    }

    async fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
        let keys = keys.to_vec();
        let denied = self
            .run(move |connection| {
                let marks = vec!["?"; keys.len()].join(", ");
                let sql = format!("SELECT EXISTS (SELECT 1 FROM denials WHERE key IN ({marks}))");
                let keys = rusqlite::params_from_iter(keys.iter().map(|key| key.as_bytes().as_slice()));
                connection.prepare_cached(&sql)?.query_row(keys, |row| row.get(0))
            })
            .await?;
        Ok(denied)
    }

    async fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
        self.run(move |connection| {
            connection.execute("DELETE FROM sessions WHERE purge_after < ?1", [now.as_secs()])?;
            connection.execute("DELETE FROM denials WHERE until < ?1", [now.as_secs()])?;
            Ok(())
        })
        .await?;
        Ok(())
    }
}

impl Sqlite {
    async fn write(&self, sql: &'static str, row: &Row, expected: u64) -> Result<Swap, StoreError> {
        let (id, subject, bytes) = (*row.session_id().as_bytes(), row.subject().to_owned(), row.to_bytes());
        let (version, expected) = (column(row.version())?, column(expected)?);
        let purge_after = row.purge_after().as_secs();
        let hit = self
            .run(move |connection| {
                let mut statement = connection.prepare_cached(sql)?;
                match statement.parameter_count() {
                    5 => statement.execute(params![id, subject, version, purge_after, bytes]),
                    _ => statement.execute(params![id, subject, version, purge_after, bytes, expected]),
                }
            })
            .await?;
        Ok(Swap::from_rows(u64::try_from(hit).map_err(StoreError::new)?))
    }
}

/// SQLite has signed integers only.
fn column(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(StoreError::new)
}

fn number(column: i64) -> Result<u64, StoreError> {
    u64::try_from(column).map_err(StoreError::new)
}
