//! PostgreSQL. Connections are not encrypted: on one machine, or in a network of your own.

use super::{DatabaseError, user};
use crate::users::{Name, User};
use countersign::UnixTime;
use countersign::session::{DenyKey, Loaded, Row, SessionId, Store, StoreError, Swap};
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod, Runtime};
use std::time::Duration;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row as Record};

/// The lock keeps servers that start at once out of each other's way: `IF NOT EXISTS` does not.
const TABLES: &str = "
    BEGIN;
    SELECT pg_advisory_xact_lock(6218307395);
    CREATE TABLE IF NOT EXISTS users (
        id text PRIMARY KEY,
        name text NOT NULL UNIQUE,
        role text NOT NULL,
        password_hash text NOT NULL
    );
    CREATE TABLE IF NOT EXISTS sessions (
        id bytea PRIMARY KEY,
        subject text NOT NULL,
        version bigint NOT NULL,
        purge_after bigint NOT NULL,
        row bytea NOT NULL
    );
    CREATE INDEX IF NOT EXISTS sessions_by_subject ON sessions (subject);
    CREATE TABLE IF NOT EXISTS epochs (subject text PRIMARY KEY, epoch bigint NOT NULL);
    CREATE TABLE IF NOT EXISTS denials (key bytea PRIMARY KEY, until bigint NOT NULL);
    COMMIT;
";

/// A pool of connections to one server: no replica, which could lag behind.
pub struct Postgres {
    pool: Pool,
    timeout: Duration,
}

impl Postgres {
    /// Connects. A call that takes longer than `timeout` is an error.
    pub async fn open(url: &str, timeout: Duration) -> Result<Self, DatabaseError> {
        let config: tokio_postgres::Config = url.parse().map_err(DatabaseError::new)?;
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let pool = Pool::builder(Manager::from_config(config, NoTls, manager))
            .runtime(Runtime::Tokio1)
            .max_size(16)
            .build()
            .map_err(DatabaseError::new)?;
        let postgres = Self { pool, timeout };
        postgres
            .in_time(async {
                let client = postgres.pool.get().await.map_err(DatabaseError::new)?;
                client.batch_execute(TABLES).await.map_err(DatabaseError::new)
            })
            .await?;
        Ok(postgres)
    }

    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, DatabaseError>>,
    ) -> Result<T, DatabaseError> {
        tokio::time::timeout(self.timeout, call).await.map_err(DatabaseError::new)?
    }

    async fn query(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Record>, DatabaseError> {
        self.in_time(async {
            let client = self.pool.get().await.map_err(DatabaseError::new)?;
            let statement = client.prepare_cached(sql).await.map_err(DatabaseError::new)?;
            client.query(&statement, values).await.map_err(DatabaseError::new)
        })
        .await
    }

    /// How many rows it has hit.
    async fn execute(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<u64, DatabaseError> {
        self.in_time(async {
            let client = self.pool.get().await.map_err(DatabaseError::new)?;
            let statement = client.prepare_cached(sql).await.map_err(DatabaseError::new)?;
            client.execute(&statement, values).await.map_err(DatabaseError::new)
        })
        .await
    }

    /// See [`Database::add_user`](super::Database::add_user).
    pub async fn add_user(&self, user: &User) -> Result<bool, DatabaseError> {
        let sql = "INSERT INTO users (id, name, role, password_hash) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (name) DO NOTHING";
        let (name, role) = (user.name.as_str(), user.role.as_str());
        Ok(self.execute(sql, &[&user.id, &name, &role, &user.password_hash]).await? == 1)
    }

    /// See [`Database::user_named`](super::Database::user_named).
    pub async fn user_named(&self, name: &Name) -> Result<Option<User>, DatabaseError> {
        self.user("SELECT id, name, role, password_hash FROM users WHERE name = $1", name.as_str()).await
    }

    /// See [`Database::user_of`](super::Database::user_of).
    pub async fn user_of(&self, id: &str) -> Result<Option<User>, DatabaseError> {
        self.user("SELECT id, name, role, password_hash FROM users WHERE id = $1", id).await
    }

    async fn user(&self, sql: &str, key: &str) -> Result<Option<User>, DatabaseError> {
        let found = self.query(sql, &[&key]).await?;
        found.first().map(|row| user(row.get(0), row.get(1), row.get(2), row.get(3))).transpose()
    }
}

impl Store for Postgres {
    async fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
        // In one statement, so that row and epoch are of one moment.
        let sql =
            "SELECT row, COALESCE((SELECT epoch FROM epochs WHERE epochs.subject = sessions.subject), 0)
                   FROM sessions WHERE id = $1";
        let found = self.query(sql, &[&session.as_bytes().as_slice()]).await?;
        found
            .first()
            .map(|row| Ok(Loaded::new(Row::from_bytes(row.get(0))?, number(row.get(1))?)))
            .transpose()
    }

    async fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
        let sql = "INSERT INTO sessions (id, subject, version, purge_after, row) VALUES ($1, $2, $3, $4, $5)
                   ON CONFLICT (id) DO NOTHING";
        let (id, version) = (row.session_id(), column(row.version())?);
        let (purge_after, bytes) = (row.purge_after().as_secs(), row.to_bytes());
        let values: [&(dyn ToSql + Sync); 5] =
            [&id.as_bytes().as_slice(), &row.subject(), &version, &purge_after, &bytes];
        Ok(Swap::from_rows(self.execute(sql, &values).await?))
    }

    async fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
        let sql = "UPDATE sessions SET subject = $2, version = $3, purge_after = $4, row = $5
                   WHERE id = $1 AND version = $6";
        let (id, version, expected) = (row.session_id(), column(row.version())?, column(expected)?);
        let (purge_after, bytes) = (row.purge_after().as_secs(), row.to_bytes());
        let values: [&(dyn ToSql + Sync); 6] =
            [&id.as_bytes().as_slice(), &row.subject(), &version, &purge_after, &bytes, &expected];
        Ok(Swap::from_rows(self.execute(sql, &values).await?))
    }

    async fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
        let found = self.query("SELECT row FROM sessions WHERE subject = $1", &[&subject]).await?;
        found.iter().map(|row| Ok(Row::from_bytes(row.get(0))?)).collect()
    }

    async fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
        let found = self.query("SELECT epoch FROM epochs WHERE subject = $1", &[&subject]).await?;
        number(found.first().map_or(0, |row| row.get(0)))
    }

    async fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
        let sql = "INSERT INTO epochs (subject, epoch) VALUES ($1, 1)
                   ON CONFLICT (subject) DO UPDATE SET epoch = epochs.epoch + 1 RETURNING epoch";
        let found = self.query(sql, &[&subject]).await?;
        number(found.first().ok_or_else(StoreError::unavailable)?.get(0))
    }

    async fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
        // Each once, and always in the same order, so that no two of these wait for each other.
        let sql = "INSERT INTO denials (key, until)
                   SELECT DISTINCT key, $2::bigint FROM unnest($1::bytea[]) AS key ORDER BY key
                   ON CONFLICT (key) DO UPDATE SET until = GREATEST(denials.until, excluded.until)";
        self.execute(sql, &[&bytes(keys), &until.as_secs()]).await?;
        Ok(())
    }

    async fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM denials WHERE key = ANY ($1::bytea[]))";
        let found = self.query(sql, &[&bytes(keys)]).await?;
        Ok(found.first().ok_or_else(StoreError::unavailable)?.get(0))
    }

    async fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
        self.execute("DELETE FROM sessions WHERE purge_after < $1", &[&now.as_secs()]).await?;
        self.execute("DELETE FROM denials WHERE until < $1", &[&now.as_secs()]).await?;
        Ok(())
    }
}

fn bytes(keys: &[DenyKey]) -> Vec<&[u8]> {
    keys.iter().map(|key| key.as_bytes().as_slice()).collect()
}

/// PostgreSQL has signed integers only.
fn column(number: u64) -> Result<i64, StoreError> {
    i64::try_from(number).map_err(StoreError::new)
}

fn number(column: i64) -> Result<u64, StoreError> {
    u64::try_from(column).map_err(StoreError::new)
}
