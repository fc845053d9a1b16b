//! Sessions in a SQLite file.

use countersign::UnixTime;
use countersign_session::{DenyKey, Loaded, Row, SessionId, Store, StoreError, Swap};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};
use std::fmt;
use std::iter;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

/// The longest wait for another process that holds the file. It does so for one write at a time.
const BUSY: Duration = Duration::from_secs(5);
/// The pause between two attempts to switch a new file to a write-ahead log.
const AGAIN: Duration = Duration::from_millis(5);
/// The most calls that wait. Further calls fail at once, because a 503 is better than an answer after the client has gone.
const QUEUE: usize = 4096;
/// The most writes that share a transaction, so that they wait for the disk once and not each.
const WRITES: usize = 64;
/// The number of rows that a purge deletes at a time.
const PURGED: u16 = 500;

/// Names of subjects are blobs, because a query may name any text, and some functions of SQLite end a text at its first NUL.
const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS sessions (
        sid         BLOB    NOT NULL PRIMARY KEY,
        sub         BLOB    NOT NULL,
        version     INTEGER NOT NULL,
        ended       INTEGER NOT NULL,
        purge_after INTEGER NOT NULL,
        data        BLOB    NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS sessions_of_subject ON sessions (sub) WHERE ended = 0;
    CREATE INDEX IF NOT EXISTS sessions_to_purge ON sessions (purge_after);
    CREATE TABLE IF NOT EXISTS session_epochs (
        sub   BLOB    NOT NULL PRIMARY KEY,
        epoch INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS session_denials (
        key   BLOB    NOT NULL PRIMARY KEY,
        until INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS session_denials_to_purge ON session_denials (until);
";

/// One statement, so that the epoch is never older than the row.
const LOAD: &str = "
    SELECT data, coalesce((SELECT epoch FROM session_epochs WHERE session_epochs.sub = sessions.sub), 0)
    FROM sessions WHERE sid = ?1";
const INSERT: &str = "
    INSERT INTO sessions (sid, sub, version, ended, purge_after, data) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
    ON CONFLICT (sid) DO NOTHING";
const SWAP: &str = "
    UPDATE sessions SET version = ?3, ended = ?4, purge_after = ?5, data = ?6 WHERE sid = ?1 AND version = ?2";
const LIST: &str = "SELECT data FROM sessions WHERE sub = ?1 AND ended = 0";
const EPOCH: &str = "SELECT epoch FROM session_epochs WHERE sub = ?1";
const BUMP_EPOCH: &str = "
    INSERT INTO session_epochs (sub, epoch) VALUES (?1, 1)
    ON CONFLICT (sub) DO UPDATE SET epoch = epoch + 1 RETURNING epoch";
const DENY: &str = "
    INSERT INTO session_denials (key, until) VALUES (?1, ?2)
    ON CONFLICT (key) DO UPDATE SET until = max(until, excluded.until)";
const IS_DENIED: &str = "SELECT 1 FROM session_denials WHERE key = ?1";
const PURGE_SESSIONS: &str = "
    DELETE FROM sessions WHERE sid IN (SELECT sid FROM sessions WHERE purge_after < ?1 LIMIT ?2)";
const PURGE_DENIALS: &str = "
    DELETE FROM session_denials WHERE key IN (SELECT key FROM session_denials WHERE until < ?1 LIMIT ?2)";

/// Sessions in a SQLite file, for the servers of one machine. It needs no installation.
///
/// A confirmed write is on the disk: it survives the process, and a power cut. Any number of processes on one machine can open
/// the same file. A network file system (NFS) is not supported.
///
/// It has two threads, because SQLite blocks. One reads, so that no access check waits for a disk. One writes, and puts the
/// writes of several callers into one transaction. They end when the last clone is dropped.
#[derive(Clone)]
pub struct SqliteStore {
    reader: Worker,
    writer: Worker,
}

impl SqliteStore {
    /// Opens the store in this file, and creates the file if it does not exist. The call blocks: make it when the server
    /// starts.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the file cannot be opened or written.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with_timeout(path, BUSY)
    }

    /// Opens as [`open`](Self::open) does, with another timeout for the write of another process than five seconds.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub fn open_with_timeout(path: impl AsRef<Path>, timeout: Duration) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let mut writer = connect(path, timeout)?;
        prepare(&mut writer).map_err(StoreError::new)?;
        let reader = connect(path, timeout)?;
        reader.pragma_update(None, "query_only", true).map_err(StoreError::new)?;
        Ok(Self {
            reader: Worker::spawn("sessions-reader", move |queue| read(&reader, queue))?,
            writer: Worker::spawn("sessions-writer", move |queue| write(&mut writer, queue))?,
        })
    }

    /// Writes each batch separately, so that other calls get a turn.
    async fn purge_by(&self, statement: &'static str, now: UnixTime) -> Result<(), StoreError> {
        loop {
            let gone = self
                .writer
                .call(move |db| db.prepare_cached(statement)?.execute(params![now.as_secs(), PURGED]))
                .await?;
            if gone < usize::from(PURGED) {
                return Ok(());
            }
        }
    }
}

impl Store for SqliteStore {
    async fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
        let found: Option<(Vec<u8>, i64)> = self
            .reader
            .call(move |db| {
                let mut statement = db.prepare_cached(LOAD)?;
                statement.query_row([session.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?))).optional()
            })
            .await?;
        let Some((row, epoch)) = found else { return Ok(None) };
        Ok(Some(Loaded::new(Row::from_bytes(&row)?, epoch.cast_unsigned())))
    }

    async fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
        let columns = Columns::of(row);
        let hit = self.writer.call(move |db| {
            let Columns { sid, subject, version, ended, purge_after, row } = columns;
            db.prepare_cached(INSERT)?.execute(params![sid, subject, version, ended, purge_after, row])
        });
        Ok(swap(hit.await?))
    }

    async fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
        let columns = Columns::of(row);
        let hit = self.writer.call(move |db| {
            let Columns { sid, version, ended, purge_after, row, .. } = columns;
            let expected = expected.cast_signed();
            db.prepare_cached(SWAP)?.execute(params![sid, expected, version, ended, purge_after, row])
        });
        Ok(swap(hit.await?))
    }

    async fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
        let subject = subject.as_bytes().to_vec();
        let rows: Vec<Vec<u8>> = self
            .reader
            .call(move |db| db.prepare_cached(LIST)?.query_map([subject], |row| row.get(0))?.collect())
            .await?;
        rows.iter().map(|row| Row::from_bytes(row)).collect()
    }

    async fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
        let subject = subject.as_bytes().to_vec();
        let epoch: Option<i64> = self
            .reader
            .call(move |db| db.prepare_cached(EPOCH)?.query_row([subject], |row| row.get(0)).optional())
            .await?;
        Ok(epoch.unwrap_or_default().cast_unsigned())
    }

    async fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
        let subject = subject.as_bytes().to_vec();
        let epoch: i64 = self
            .writer
            .call(move |db| db.prepare_cached(BUMP_EPOCH)?.query_row([subject], |row| row.get(0)))
            .await?;
        Ok(epoch.cast_unsigned())
    }

    async fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
        let keys = keys.to_vec();
        self.writer
            .call(move |db| {
                let mut statement = db.prepare_cached(DENY)?;
                keys.iter().try_for_each(|key| {
                    statement.execute(params![key.as_bytes(), until.as_secs()]).map(|_| ())
                })
            })
            .await
    }

    async fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
        let keys = keys.to_vec();
        self.reader
            .call(move |db| {
                // One message to the thread for all keys; each statement is fast.
                let mut statement = db.prepare_cached(IS_DENIED)?;
                for key in keys {
                    if statement.exists([key.as_bytes()])? {
                        return Ok(true);
                    }
                }
                Ok(false)
            })
            .await
    }

    async fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
        self.purge_by(PURGE_SESSIONS, now).await?;
        self.purge_by(PURGE_DENIALS, now).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

/// The columns of a row.
struct Columns {
    sid: [u8; 16],
    subject: Vec<u8>,
    version: i64,
    ended: bool,
    purge_after: i64,
    row: Vec<u8>,
}

impl Columns {
    fn of(row: &Row) -> Self {
        Self {
            sid: *row.session_id().as_bytes(),
            subject: row.subject().into(),
            // SQLite has only signed integers, so store the same bits.
            version: row.version().cast_signed(),
            ended: row.revoked().is_some(),
            purge_after: row.purge_after().as_secs(),
            row: row.to_bytes(),
        }
    }
}

fn swap(hit: usize) -> Swap {
    if hit == 0 { Swap::Conflict } else { Swap::Done }
}

/// A thread with a connection.
#[derive(Clone)]
struct Worker(SyncSender<Job>);

/// A job for the thread, with its connection or with the error that prevents one.
type Job = Box<dyn FnOnce(Result<&Connection, StoreError>) -> Answer + Send>;

/// Answers the caller, once it is known whether the writes are on the disk.
type Answer = Box<dyn FnOnce(Result<(), StoreError>)>;

impl Worker {
    fn spawn(name: &str, run: impl FnOnce(&Receiver<Job>) + Send + 'static) -> Result<Self, StoreError> {
        let (jobs, queue) = sync_channel(QUEUE);
        thread::Builder::new().name(name.into()).spawn(move || run(&queue)).map_err(StoreError::new)?;
        Ok(Self(jobs))
    }

    /// Runs a job. It is complete even if the caller goes away.
    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = connection.and_then(|connection| work(connection).map_err(StoreError::new));
            Box::new(move |committed| {
                // Fails if the caller has gone.
                let _ = answer.send(committed.and(result));
            })
        });
        self.0.try_send(job).map_err(|_| StoreError::new("too many calls wait for the file already"))?;
        answered.await.map_err(|_| StoreError::new("the thread of the file has ended"))?
    }
}

fn read(connection: &Connection, queue: &Receiver<Job>) {
    while let Ok(job) = queue.recv() {
        job(Ok(connection))(Ok(()));
    }
}

fn write(connection: &mut Connection, queue: &Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        write_together(connection, first, queue);
    }
}

/// Runs the first job and those that wait after it. When it returns, all of them are on the disk, or none. No caller is
/// answered before that.
fn write_together(connection: &mut Connection, first: Job, queue: &Receiver<Job>) {
    let jobs = iter::once(first).chain(queue.try_iter());
    // Begins as a write, because a transaction that reads first may not be able to write later.
    match connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::new) {
        Ok(transaction) => {
            let answers: Vec<Answer> = jobs.take(WRITES).map(|job| job(Ok(&transaction))).collect();
            let committed = transaction.commit().map_err(StoreError::new);
            answers.into_iter().for_each(|answer| answer(committed.clone()));
        }
        Err(error) => {
            // Answer all waiting calls now, so that they do not wait one after the other for the same error. A call that comes
            // after the first answer may succeed again.
            let jobs: Vec<Job> = jobs.take(QUEUE).collect();
            jobs.into_iter().for_each(|job| job(Err(error.clone()))(Ok(())));
        }
    }
}

fn connect(path: &Path, timeout: Duration) -> Result<Connection, StoreError> {
    // Without SQLITE_OPEN_URI, so that every path is read as a path.
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(StoreError::new)?;
    connection.busy_timeout(timeout).map_err(StoreError::new)?;
    // Readers and the writer do not wait for each other.
    let mode: String = patiently(timeout, || {
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))
    })
    .map_err(StoreError::new)?;
    if mode != "wal" {
        return Err(StoreError::new("the file cannot have a write-ahead log: put it on a local disk"));
    }
    // A committed write is on the disk. With NORMAL, a power cut would lose the last writes: a rotation that a client has
    // received would be undone, and its session would look rolled back.
    connection.pragma_update(None, "synchronous", "full").map_err(StoreError::new)?;
    Ok(connection)
}

/// Tries until the timeout. If several processes switch a new file to a write-ahead log at once, SQLite returns "busy" to all
/// but one immediately, whatever the connection's own timeout is.
fn patiently<T>(timeout: Duration, mut attempt: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let start = Instant::now();
    loop {
        match attempt() {
            Err(error)
                if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                    && start.elapsed() < timeout =>
            {
                thread::sleep(AGAIN);
            }
            ended => return ended,
        }
    }
}

// In one transaction, because another process may do the same.
fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.commit()
}
