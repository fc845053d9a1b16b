//! Sessions in PostgreSQL.

use countersign::UnixTime;
use countersign_session::{DenyKey, Loaded, Row, SessionId, Store, StoreError, Swap};
use deadpool_postgres::{Client, Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use std::fmt;
use std::time::Duration;
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Config, NoTls};

/// The longest wait for a connection, and then for an answer. A client waits for both.
const PATIENCE: Duration = Duration::from_secs(5);
const CONNECTIONS: usize = 16;
/// The number of rows that one statement of a purge deletes.
const PURGED: i64 = 500;

/// Names of subjects are bytes, because a query may name any text, and a text with a NUL would be an error.
///
/// One transaction, because all statements are sent at once. Two servers that start together create the tables one after the
/// other: with `IF NOT EXISTS` alone, both would try.
const SCHEMA: &str = "
    SELECT pg_advisory_xact_lock(hashtext('countersign sessions'));
    CREATE TABLE IF NOT EXISTS sessions (
        sid         bytea  NOT NULL PRIMARY KEY,
        sub         bytea  NOT NULL,
        version     bigint NOT NULL,
        ended       bool   NOT NULL,
        purge_after bigint NOT NULL,
        data        bytea  NOT NULL
    );
    CREATE INDEX IF NOT EXISTS sessions_of_subject ON sessions (sub) WHERE NOT ended;
    CREATE INDEX IF NOT EXISTS sessions_to_purge ON sessions (purge_after);
    CREATE TABLE IF NOT EXISTS session_epochs (
        sub   bytea  NOT NULL PRIMARY KEY,
        epoch bigint NOT NULL
    );
    CREATE TABLE IF NOT EXISTS session_denials (
        key   bytea  NOT NULL PRIMARY KEY,
        until bigint NOT NULL
    );
    CREATE INDEX IF NOT EXISTS session_denials_to_purge ON session_denials (until);
";
/// Finds the table that is created last. If it exists, the database user needs no permission to create tables.
const IS_PREPARED: &str = "SELECT to_regclass('session_denials') IS NOT NULL";

/// One statement, so that the epoch is never older than the row.
const LOAD: &str = "
    SELECT data, coalesce(epoch, 0) FROM sessions LEFT JOIN session_epochs USING (sub) WHERE sid = $1";
const INSERT: &str = "
    INSERT INTO sessions (sid, sub, version, ended, purge_after, data) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (sid) DO NOTHING";
const SWAP: &str = "
    UPDATE sessions SET version = $3, ended = $4, purge_after = $5, data = $6 WHERE sid = $1 AND version = $2";
const LIST: &str = "SELECT data FROM sessions WHERE sub = $1 AND NOT ended";
const EPOCH: &str = "SELECT epoch FROM session_epochs WHERE sub = $1";
const BUMP_EPOCH: &str = "
    INSERT INTO session_epochs (sub, epoch) VALUES ($1, 1)
    ON CONFLICT (sub) DO UPDATE SET epoch = session_epochs.epoch + 1 RETURNING epoch";
/// Each key once, because the second one would be an error. All in one order, so that no two such statements wait for each
/// other.
const DENY: &str = "
    INSERT INTO session_denials (key, until)
    SELECT DISTINCT key, $2::bigint FROM unnest($1::bytea[]) AS key ORDER BY key
    ON CONFLICT (key) DO UPDATE SET until = greatest(session_denials.until, excluded.until)";
const IS_DENIED: &str = "SELECT EXISTS (SELECT 1 FROM session_denials WHERE key = ANY ($1::bytea[]))";
/// The lock reads a row again if another transaction is writing it. `ARRAY` makes the planner choose the rows only once.
const PURGE_SESSIONS: &str = "
    DELETE FROM sessions WHERE sid = ANY (ARRAY(
        SELECT sid FROM sessions WHERE purge_after < $1 ORDER BY purge_after LIMIT $2 FOR UPDATE SKIP LOCKED))";
const PURGE_DENIALS: &str = "
    DELETE FROM session_denials WHERE key = ANY (ARRAY(
        SELECT key FROM session_denials WHERE until < $1 ORDER BY until LIMIT $2 FOR UPDATE SKIP LOCKED))";

type Parameter<'a> = &'a (dyn ToSql + Sync);

/// Sessions in PostgreSQL, version 9.5 or newer, over a pool of connections.
///
/// Every operation is one statement on the primary server, with the isolation level `read committed`, which is the default. A
/// confirmed write is on the disk as long as `synchronous_commit` and `fsync` are on, as they are by default.
#[derive(Clone)]
pub struct PostgresStore {
    pool: Pool,
    timeout: Duration,
}

impl PostgresStore {
    /// Connects to the store at this URL and creates its tables: `postgres://user:password@host:5432/database`.
    ///
    /// The connection has no TLS: use it for a database on the same machine or network. For any other, see [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the URL is not valid, or the database is unavailable. The error never shows the URL.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_with_timeout(url, PATIENCE).await
    }

    /// Connects as [`connect`](Self::connect) does, with another timeout for a connection, and then for an answer, than five
    /// seconds.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_with_timeout(url: &str, timeout: Duration) -> Result<Self, StoreError> {
        // The parser's message may quote a part of the password.
        let mut config: Config =
            url.parse().map_err(|_| StoreError::new("the URL is not one of PostgreSQL"))?;
        // Of several hosts, use the one that is not a replica.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        // Does not send a query to find out whether a connection is alive, because the socket of a broken one shows it.
        let manager =
            Manager::from_config(config, NoTls, ManagerConfig { recycling_method: RecyclingMethod::Fast });
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(timeout))
            .create_timeout(Some(timeout))
            .build()
            .map_err(StoreError::new)?;
        Self { pool, timeout }.prepared().await
    }

    /// Creates the store with your own pool, with TLS or other limits, and creates its tables.
    ///
    /// The pool must have timeouts, and connect to the primary server, because replicas lag.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the database is unavailable.
    pub async fn new(pool: Pool) -> Result<Self, StoreError> {
        Self { pool, timeout: PATIENCE }.prepared().await
    }

    /// Returns the pool, for your own tables in the same database.
    #[must_use]
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    async fn prepared(self) -> Result<Self, StoreError> {
        if !self.single(IS_PREPARED, &[]).await?.unwrap_or(false) {
            let client = self.client().await?;
            let answer = timeout(self.timeout, client.batch_execute(SCHEMA)).await;
            settle(client, answer)?;
        }
        Ok(self)
    }

    async fn client(&self) -> Result<Client, StoreError> {
        self.pool.get().await.map_err(StoreError::new)
    }

    async fn query(
        &self,
        statement: &str,
        parameters: &[Parameter<'_>],
    ) -> Result<Vec<tokio_postgres::Row>, StoreError> {
        let client = self.client().await?;
        let answer = timeout(self.timeout, async {
            client.query(&client.prepare_cached(statement).await?, parameters).await
        });
        let answer = answer.await;
        settle(client, answer)
    }

    /// Returns how many rows the statement hit.
    async fn execute(&self, statement: &str, parameters: &[Parameter<'_>]) -> Result<u64, StoreError> {
        let client = self.client().await?;
        let answer = timeout(self.timeout, async {
            client.execute(&client.prepare_cached(statement).await?, parameters).await
        });
        let answer = answer.await;
        settle(client, answer)
    }

    /// Returns the first column of the only row, if there is one.
    async fn single<T>(&self, statement: &str, parameters: &[Parameter<'_>]) -> Result<Option<T>, StoreError>
    where
        T: for<'a> tokio_postgres::types::FromSql<'a>,
    {
        let rows = self.query(statement, parameters).await?;
        rows.first().map(|row| row.try_get(0).map_err(StoreError::new)).transpose()
    }

    async fn purge_by(&self, statement: &str, now: UnixTime) -> Result<(), StoreError> {
        while self.execute(statement, &[&now.as_secs(), &PURGED]).await? >= PURGED.unsigned_abs() {}
        Ok(())
    }
}

impl Store for PostgresStore {
    async fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
        let rows = self.query(LOAD, &[&session.as_bytes().as_slice()]).await?;
        let Some(found) = rows.first() else { return Ok(None) };
        let epoch: i64 = found.try_get(1).map_err(StoreError::new)?;
        Ok(Some(Loaded::new(data(found)?, epoch.cast_unsigned())))
    }

    async fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
        let sid = row.session_id();
        let hit = self
            .execute(
                INSERT,
                &[
                    &sid.as_bytes().as_slice(),
                    &row.subject().as_bytes(),
                    &row.version().cast_signed(),
                    &row.revoked().is_some(),
                    &row.purge_after().as_secs(),
                    &row.to_bytes(),
                ],
            )
            .await?;
        Ok(Swap::from_rows(hit))
    }

    async fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
        let sid = row.session_id();
        let hit = self
            .execute(
                SWAP,
                &[
                    &sid.as_bytes().as_slice(),
                    &expected.cast_signed(),
                    &row.version().cast_signed(),
                    &row.revoked().is_some(),
                    &row.purge_after().as_secs(),
                    &row.to_bytes(),
                ],
            )
            .await?;
        Ok(Swap::from_rows(hit))
    }

    async fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
        self.query(LIST, &[&subject.as_bytes()]).await?.iter().map(data).collect()
    }

    async fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
        let epoch: Option<i64> = self.single(EPOCH, &[&subject.as_bytes()]).await?;
        Ok(epoch.unwrap_or_default().cast_unsigned())
    }

    async fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
        let epoch: Option<i64> = self.single(BUMP_EPOCH, &[&subject.as_bytes()]).await?;
        epoch.map(i64::cast_unsigned).ok_or_else(StoreError::unavailable)
    }

    async fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
        self.execute(DENY, &[&bytes(keys), &until.as_secs()]).await.map(|_| ())
    }

    async fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
        self.single(IS_DENIED, &[&bytes(keys)]).await?.ok_or_else(StoreError::unavailable)
    }

    async fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
        self.purge_by(PURGE_SESSIONS, now).await?;
        self.purge_by(PURGE_DENIALS, now).await
    }
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

fn bytes(keys: &[DenyKey]) -> Vec<&[u8]> {
    keys.iter().map(|key| key.as_bytes().as_slice()).collect()
}

fn data(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let data: &[u8] = row.try_get(0).map_err(StoreError::new)?;
    Row::from_bytes(data)
}

/// Returns an answer that came in time. Otherwise removes the connection from the pool, because it may never answer again.
fn settle<T>(
    client: Client,
    answer: Result<Result<T, tokio_postgres::Error>, Elapsed>,
) -> Result<T, StoreError> {
    match answer {
        Ok(answer) => answer.map_err(StoreError::new),
        Err(elapsed) => {
            drop(Object::take(client));
            Err(StoreError::new(elapsed))
        }
    }
}
