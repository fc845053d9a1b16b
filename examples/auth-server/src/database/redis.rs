//! Redis: one server, which writes what it is told to its disk (`appendonly yes`, `appendfsync always`) and throws nothing
//! away (`maxmemory-policy noeviction`).

use super::{DatabaseError, user};
use crate::users::{Name, User};
use countersign::UnixTime;
use countersign::session::{DenyKey, Loaded, Row, SessionId, Store, StoreError, Swap};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{FromRedisValue, Script, ScriptInvocation};
use std::time::Duration;

/// Names of keys: `auth:user:ID` (hash), `auth:name:NAME` (the id), `auth:session:ID` (hash), `auth:sessions:SUBJECT` (set
/// of ids), `auth:epoch:SUBJECT` (number), `auth:purge` (ids by the time they may go), `auth:denials` (keys by `until`).
/// Every write is one script, so it is done whole or not at all. Numbers stay texts, which Lua does not round.
pub struct Redis {
    connection: ConnectionManager,
    scripts: Scripts,
}

struct Scripts {
    add_user: Script,
    compare_and_swap: Script,
    insert: Script,
    list: Script,
    load: Script,
    purge: Script,
    user_named: Script,
}

/// `ARGV`: id, name, role, hash.
const ADD_USER: &str = "
    if not redis.call('SET', 'auth:name:' .. ARGV[2], ARGV[1], 'NX') then return 0 end
    redis.call('HSET', 'auth:user:' .. ARGV[1], 'id', ARGV[1], 'name', ARGV[2], 'role', ARGV[3], 'hash', ARGV[4])
    return 1";

const USER_NAMED: &str = "
    local id = redis.call('GET', 'auth:name:' .. ARGV[1])
    if not id then return false end
    return redis.call('HMGET', 'auth:user:' .. id, 'id', 'name', 'role', 'hash')";

/// `ARGV`: id, subject, version, purge_after, row.
const WRITE: &str = "
    redis.call('HSET', 'auth:session:' .. ARGV[1], 'subject', ARGV[2], 'version', ARGV[3], 'row', ARGV[5])
    redis.call('SADD', 'auth:sessions:' .. ARGV[2], ARGV[1])
    redis.call('ZADD', 'auth:purge', ARGV[4], ARGV[1])
    return 1";

const IF_NEW: &str = "if redis.call('EXISTS', 'auth:session:' .. ARGV[1]) == 1 then return 0 end";

/// `ARGV[6]`: the version that is expected.
const IF_EXPECTED: &str =
    "if redis.call('HGET', 'auth:session:' .. ARGV[1], 'version') ~= ARGV[6] then return 0 end";

const LOAD: &str = "
    local found = redis.call('HMGET', 'auth:session:' .. ARGV[1], 'row', 'subject')
    if not found[1] then return false end
    return { found[1], redis.call('GET', 'auth:epoch:' .. found[2]) or '0' }";

const LIST: &str = "
    local rows = {}
    for _, id in ipairs(redis.call('SMEMBERS', 'auth:sessions:' .. ARGV[1])) do
        local row = redis.call('HGET', 'auth:session:' .. id, 'row')
        if row then table.insert(rows, row) end
    end
    return rows";

const PURGE: &str = "
    local before = '(' .. ARGV[1]
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', 'auth:purge', '-inf', before)) do
        local subject = redis.call('HGET', 'auth:session:' .. id, 'subject')
        if subject then redis.call('SREM', 'auth:sessions:' .. subject, id) end
        redis.call('DEL', 'auth:session:' .. id)
    end
    redis.call('ZREMRANGEBYSCORE', 'auth:purge', '-inf', before)
    return redis.call('ZREMRANGEBYSCORE', 'auth:denials', '-inf', before)";

impl Redis {
    /// Connects. A call that takes longer than `timeout` is an error.
    pub async fn open(url: &str, timeout: Duration) -> Result<Self, DatabaseError> {
        let client = redis::Client::open(url).map_err(DatabaseError::new)?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout));
        let connection =
            client.get_connection_manager_with_config(config).await.map_err(DatabaseError::new)?;
        let scripts = Scripts {
            add_user: Script::new(ADD_USER),
            compare_and_swap: Script::new(&format!("{IF_EXPECTED}{WRITE}")),
            insert: Script::new(&format!("{IF_NEW}{WRITE}")),
            list: Script::new(LIST),
            load: Script::new(LOAD),
            purge: Script::new(PURGE),
            user_named: Script::new(USER_NAMED),
        };
        Ok(Self { connection, scripts })
    }

    async fn run<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, DatabaseError> {
        // A handle on the one connection, which all share.
        let mut connection = self.connection.clone();
        call.invoke_async(&mut connection).await.map_err(DatabaseError::new)
    }

    async fn query<T: FromRedisValue>(&self, command: &redis::Cmd) -> Result<T, DatabaseError> {
        let mut connection = self.connection.clone();
        command.query_async(&mut connection).await.map_err(DatabaseError::new)
    }

    /// See [`Database::add_user`](super::Database::add_user).
    pub async fn add_user(&self, user: &User) -> Result<bool, DatabaseError> {
        let mut call = self.scripts.add_user.prepare_invoke();
        call.arg(&user.id).arg(user.name.as_str()).arg(user.role.as_str()).arg(&user.password_hash);
        self.run(&call).await
    }

    /// See [`Database::user_named`](super::Database::user_named).
    pub async fn user_named(&self, name: &Name) -> Result<Option<User>, DatabaseError> {
        let mut call = self.scripts.user_named.prepare_invoke();
        call.arg(name.as_str());
        self.run::<Option<Fields>>(&call).await?.map_or(Ok(None), read)
    }

    /// See [`Database::user_of`](super::Database::user_of).
    pub async fn user_of(&self, id: &str) -> Result<Option<User>, DatabaseError> {
        let fields = ["id", "name", "role", "hash"];
        read(self.query(redis::cmd("HMGET").arg(format!("auth:user:{id}")).arg(&fields)).await?)
    }

    async fn write(&self, script: &Script, row: &Row, expected: u64) -> Result<Swap, StoreError> {
        let mut call = script.prepare_invoke();
        call.arg(row.session_id().as_bytes())
            .arg(row.subject())
            .arg(row.version())
            .arg(row.purge_after().as_secs())
            .arg(row.to_bytes())
            .arg(expected);
        Ok(Swap::from_rows(self.run(&call).await?))
    }
}

type Fields = (Option<String>, Option<String>, Option<String>, Option<String>);

fn read((id, name, role, hash): Fields) -> Result<Option<User>, DatabaseError> {
    let Some(id) = id else { return Ok(None) };
    let texts = name.zip(role).zip(hash);
    let ((name, role), hash) = texts.ok_or_else(|| DatabaseError::new("a user is not whole"))?;
    user(id, name, role, hash).map(Some)
}

impl Store for Redis {
    async fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
        let mut call = self.scripts.load.prepare_invoke();
        call.arg(session.as_bytes());
        let found: Option<(Vec<u8>, u64)> = self.run(&call).await?;
        found.map(|(row, epoch)| Ok(Loaded::new(Row::from_bytes(&row)?, epoch))).transpose()
    }

    async fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
        self.write(&self.scripts.insert, row, 0).await
    }

    async fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
        self.write(&self.scripts.compare_and_swap, row, expected).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
        let mut call = self.scripts.list.prepare_invoke();
        call.arg(subject);
        let found: Vec<Vec<u8>> = self.run(&call).await?;
        found.iter().map(|row| Ok(Row::from_bytes(row)?)).collect()
    }

    async fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
        let epoch: Option<u64> = self.query(redis::cmd("GET").arg(format!("auth:epoch:{subject}"))).await?;
        Ok(epoch.unwrap_or_default())
    }

    async fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
        Ok(self.query(redis::cmd("INCR").arg(format!("auth:epoch:{subject}"))).await?)
    }

    async fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut command = redis::cmd("ZADD");
        // `GT`: the later of two times stays.
        command.arg("auth:denials").arg("GT");
        for key in keys {
            command.arg(until.as_secs()).arg(key.as_bytes());
        }
        Ok(self.query(&command).await?)
    }

    async fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
        if keys.is_empty() {
            return Ok(false);
        }
        let mut command = redis::cmd("ZMSCORE");
        command.arg("auth:denials");
        for key in keys {
            command.arg(key.as_bytes());
        }
        let found: Vec<Option<f64>> = self.query(&command).await?;
        Ok(found.iter().any(Option::is_some))
    }

    async fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
        let mut call = self.scripts.purge.prepare_invoke();
        call.arg(now.as_secs());
        self.run::<u64>(&call).await?;
        Ok(())
    }
}
