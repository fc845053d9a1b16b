//! PostgreSQL, with the pool of the sessions.

use super::{DatabaseError, user};
use crate::users::{Name, User};
use deadpool_postgres::{Object, Pool};
use std::time::Duration;
use tokio_postgres::Row;
use tokio_postgres::types::ToSql;

/// The lock serialises servers that start at once, because `IF NOT EXISTS` does not.
const TABLE: &str = "
    SELECT pg_advisory_xact_lock(6218307395);
    CREATE TABLE IF NOT EXISTS users (
        id text PRIMARY KEY,
        name text NOT NULL UNIQUE,
        role text NOT NULL,
        password_hash text NOT NULL
    );
";

/// A pool of connections to one primary server. It must not be a replica, because a replica may lag.
pub struct Postgres {
    pool: Pool,
    timeout: Duration,
}

impl Postgres {
    /// Uses this pool. An answer that takes longer than `timeout` is an error.
    pub async fn open(pool: Pool, timeout: Duration) -> Result<Self, DatabaseError> {
        let client = pool.get().await.map_err(DatabaseError::new)?;
        let made = tokio::time::timeout(timeout, client.batch_execute(TABLE)).await;
        made.map_err(DatabaseError::new)?.map_err(DatabaseError::new)?;
        Ok(Self { pool, timeout })
    }

    async fn query(&self, sql: &str, values: &[&(dyn ToSql + Sync)]) -> Result<Vec<Row>, DatabaseError> {
        let client = self.pool.get().await.map_err(DatabaseError::new)?;
        let answer = async { client.query(&client.prepare_cached(sql).await?, values).await };
        let answer = tokio::time::timeout(self.timeout, answer).await;
        if answer.is_err() {
            // This connection may never answer again, so the next call gets another one.
            drop(Object::take(client));
        }
        answer.map_err(DatabaseError::new)?.map_err(DatabaseError::new)
    }

    /// Does what [`Database::add_user`](super::Database::add_user) does.
    pub async fn add_user(&self, user: &User) -> Result<bool, DatabaseError> {
        let sql = "INSERT INTO users (id, name, role, password_hash) VALUES ($1, $2, $3, $4)
                   ON CONFLICT (name) DO NOTHING RETURNING id";
        let (name, role) = (user.name.as_str(), user.role.as_str());
        Ok(!self.query(sql, &[&user.id, &name, &role, &user.password_hash]).await?.is_empty())
    }

    /// Does what [`Database::user_named`](super::Database::user_named) does.
    pub async fn user_named(&self, name: &Name) -> Result<Option<User>, DatabaseError> {
        self.user("SELECT id, name, role, password_hash FROM users WHERE name = $1", name.as_str()).await
    }

    /// Does what [`Database::user_of`](super::Database::user_of) does.
    pub async fn user_of(&self, id: &str) -> Result<Option<User>, DatabaseError> {
        self.user("SELECT id, name, role, password_hash FROM users WHERE id = $1", id).await
    }

    async fn user(&self, sql: &str, key: &str) -> Result<Option<User>, DatabaseError> {
        let found = self.query(sql, &[&key]).await?;
        found.first().map(|row| user(row.get(0), row.get(1), row.get(2), row.get(3))).transpose()
    }
}
