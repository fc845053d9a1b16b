//! Sessions in Redis.

use countersign::UnixTime;
use countersign_session::{DenyKey, Loaded, Row, SessionId, Store, StoreError, Swap};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, Cmd, FromRedisValue, IntoConnectionInfo, Script, ScriptInvocation};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How often a script is sent again to a server that has lost it, by `SCRIPT FLUSH` or a restart.
const FORGOTTEN: usize = 3;

const PREFIX: &str = "countersign:";
/// The longest wait for an answer, and for a connection. A client waits for both.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often a connection is tried again before all calls that wait for it fail. The next call tries once more.
const RETRIES: usize = 1;
/// The number of rows that one script of a purge deletes. Redis serves no other client while a script runs.
const PURGED: usize = 200;

/// Reads the epoch together with the row. KEYS: session, epochs.
const LOAD: &str = "
    local found = redis.call('HMGET', KEYS[1], 'data', 'sub')
    if not found[1] then return false end
    return {found[1], redis.call('HGET', KEYS[2], found[2]) or '0'}";

/// Inserts if the expected version is the empty text, otherwise swaps. Versions are compared as text, because a number of Lua
/// is exact only to 2^53.
///
/// KEYS: session, listed sessions of the subject, time table.
/// ARGV: expected version, version, subject, data, sid, purge_after, seconds to live, whether it was ended.
const WRITE: &str = "
    if (redis.call('HGET', KEYS[1], 'version') or '') ~= ARGV[1] then return 0 end
    redis.call('HSET', KEYS[1], 'version', ARGV[2], 'sub', ARGV[3], 'data', ARGV[4])
    redis.call('EXPIRE', KEYS[1], ARGV[7])
    if ARGV[8] == '1' then
        redis.call('SREM', KEYS[2], ARGV[5])
    else
        redis.call('SADD', KEYS[2], ARGV[5])
        if redis.call('TTL', KEYS[2]) < tonumber(ARGV[7]) then redis.call('EXPIRE', KEYS[2], ARGV[7]) end
    end
    redis.call('ZADD', KEYS[3], ARGV[6], ARGV[5] .. ARGV[3])
    return 1";

/// Checks each time once more, because a row may have been written since it was found.
///
/// KEYS: time table, then session and listed sessions of the subject, for each.
/// ARGV: now, then the member of the time table, for each.
const PURGE_SESSIONS: &str = "
    for i = 2, #ARGV do
        local time = redis.call('ZSCORE', KEYS[1], ARGV[i])
        if time and tonumber(time) < tonumber(ARGV[1]) then
            redis.call('DEL', KEYS[2 * i - 2])
            redis.call('SREM', KEYS[2 * i - 1], string.sub(ARGV[i], 1, 22))
            redis.call('ZREM', KEYS[1], ARGV[i])
        end
    end";

/// KEYS: denials. ARGV: now, how many.
const PURGE_DENIALS: &str = "
    local keys = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', '(' .. ARGV[1], 'LIMIT', 0, ARGV[2])
    if #keys > 0 then redis.call('ZREM', KEYS[1], unpack(keys)) end
    return #keys";

/// Sessions in Redis 6.2 or newer, over one connection that is made again when it breaks.
///
/// Every operation is one command or one script. It needs two settings that are not the defaults of Redis:
///
/// - `appendonly yes`, and `appendfsync always` if no confirmed write may be lost in a power cut. With `everysec`, a client is
///   logged out if its last exchange is lost, and a denial of that second is forgotten.
/// - `maxmemory-policy noeviction`. Any other setting evicts sessions and denials when memory runs out.
///
/// A replica that takes over lacks the last writes, with any setting. Redis Cluster is not supported, because a script writes
/// to keys of several slots.
#[derive(Clone)]
pub struct RedisStore {
    connection: ConnectionManager,
    prefix: Arc<str>,
    scripts: Arc<Scripts>,
}

struct Scripts {
    load: Script,
    write: Script,
    purge_sessions: Script,
    purge_denials: Script,
}

impl RedisStore {
    /// Connects to the store at this URL: `redis://:password@host:6379/0`. Its keys begin with `countersign:`.
    ///
    /// The connection has no TLS: use it for a server on the same machine or network. For any other, see [`new`](Self::new).
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the URL is not valid, or Redis is unavailable. The error never shows the URL.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        Self::connect_with_timeout(url, PATIENCE).await
    }

    /// Connects as [`connect`](Self::connect) does, with another timeout for a connection, for its second try, and for an
    /// answer, than three seconds each.
    ///
    /// # Errors
    ///
    /// As [`connect`](Self::connect).
    pub async fn connect_with_timeout(url: &str, timeout: Duration) -> Result<Self, StoreError> {
        // The parser's message may quote a part of the password.
        let info = url.into_connection_info();
        let info = info.map_err(|_| StoreError::new("the URL is not one of Redis"))?;
        // A connection is opened again only after it has ended, and a missing answer does not end it. This setting ends it when
        // the network does not accept data any more.
        #[cfg(target_os = "linux")]
        let info = info.set_tcp_settings(redis::io::tcp::TcpSettings::default().set_user_timeout(timeout));
        let client = Client::open(info).map_err(StoreError::new)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(timeout))
            .set_response_timeout(Some(timeout))
            .set_number_of_retries(RETRIES);
        let connection = ConnectionManager::new_with_config(client, config).await.map_err(StoreError::new)?;
        let store = Self::new(connection);
        // Redis accepts a connection without a password, and refuses its first command.
        let () = store.ask(&redis::cmd("PING")).await?;
        Ok(store)
    }

    /// Creates the store with your own connection, with TLS or other limits.
    ///
    /// The connection must have timeouts, and go to the primary server, because replicas lag.
    #[must_use]
    pub fn new(connection: ConnectionManager) -> Self {
        let scripts = Scripts {
            load: Script::new(LOAD),
            write: Script::new(WRITE),
            purge_sessions: Script::new(PURGE_SESSIONS),
            purge_denials: Script::new(PURGE_DENIALS),
        };
        Self { connection, prefix: PREFIX.into(), scripts: Arc::new(scripts) }
    }

    /// Returns a handle on the connection, for your own keys in the same database.
    #[must_use]
    pub fn connection(&self) -> ConnectionManager {
        self.connection.clone()
    }

    /// Returns the same store with another prefix for its keys, for several stores in one Redis.
    #[must_use]
    pub fn with_prefix(self, prefix: &str) -> Self {
        Self { prefix: prefix.into(), ..self }
    }

    /// Returns the key of a hash: version, subject and data of one session.
    fn session_key(&self, sid: &str) -> String {
        format!("{}session:{sid}", self.prefix)
    }

    /// Returns the key of a set: the sessions of one subject that have not been ended.
    fn subject_key(&self, subject: &str) -> String {
        format!("{}subject:{subject}", self.prefix)
    }

    /// Returns the key of a hash: the epoch of each subject. It does not expire.
    fn epochs_key(&self) -> String {
        format!("{}epochs", self.prefix)
    }

    /// Returns the key of a sorted set: denied keys by their time. It is one set, so that several keys are one query.
    fn denials_key(&self) -> String {
        format!("{}denials", self.prefix)
    }

    /// Returns the key of a sorted set: sessions by the time after which they are purged. A member is the 22 characters of a
    /// `sid`, followed by the subject, so that the session's keys are known after its row is gone.
    fn times_key(&self) -> String {
        format!("{}times", self.prefix)
    }

    async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, StoreError> {
        let mut answer = script.invoke_async(&mut self.connection.clone()).await;
        // The script was sent but lost again before it was called, so it has done nothing.
        for _ in 0..FORGOTTEN {
            if !answer.as_ref().is_err_and(|error: &redis::RedisError| error.code() == Some("NOSCRIPT")) {
                break;
            }
            answer = script.invoke_async(&mut self.connection.clone()).await;
        }
        answer.map_err(StoreError::new)
    }

    async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        command.query_async(&mut self.connection.clone()).await.map_err(StoreError::new)
    }

    async fn write(&self, expected: &str, row: &Row) -> Result<Swap, StoreError> {
        let sid = row.session_id().to_string();
        let mut script = self.scripts.write.prepare_invoke();
        script
            .key(self.session_key(&sid))
            .key(self.subject_key(row.subject()))
            .key(self.times_key())
            .arg(expected)
            .arg(row.version())
            .arg(row.subject())
            .arg(row.to_bytes())
            .arg(&sid)
            .arg(row.purge_after().as_secs())
            .arg(seconds_to_live(row))
            .arg(u8::from(row.revoked().is_some()));
        self.run(&script).await.map(Swap::from_rows)
    }

    async fn purge_sessions(&self, now: UnixTime) -> Result<(), StoreError> {
        loop {
            let mut find = redis::cmd("ZRANGEBYSCORE");
            find.arg(self.times_key()).arg("-inf").arg(before(now)).arg("LIMIT").arg(0).arg(PURGED);
            let members: Vec<String> = self.ask(&find).await?;
            let mut script = self.scripts.purge_sessions.prepare_invoke();
            script.key(self.times_key()).arg(now.as_secs());
            for member in &members {
                // Only a member that this code did not write cannot be split there.
                let (sid, subject) = member.split_at_checked(22).unwrap_or((member, ""));
                script.key(self.session_key(sid)).key(self.subject_key(subject)).arg(member);
            }
            let () = self.run(&script).await?;
            if members.len() < PURGED {
                return Ok(());
            }
        }
    }

    async fn purge_denials(&self, now: UnixTime) -> Result<(), StoreError> {
        let mut script = self.scripts.purge_denials.prepare_invoke();
        script.key(self.denials_key()).arg(now.as_secs()).arg(PURGED);
        while self.run::<usize>(&script).await? >= PURGED {}
        Ok(())
    }
}

impl Store for RedisStore {
    async fn load(&self, session: SessionId) -> Result<Option<Loaded>, StoreError> {
        let mut script = self.scripts.load.prepare_invoke();
        script.key(self.session_key(&session.to_string())).key(self.epochs_key());
        let found: Option<(Vec<u8>, u64)> = self.run(&script).await?;
        found.map(|(data, epoch)| Ok(Loaded::new(Row::from_bytes(&data)?, epoch))).transpose()
    }

    async fn insert(&self, row: &Row) -> Result<Swap, StoreError> {
        self.write("", row).await
    }

    async fn compare_and_swap(&self, expected: u64, row: &Row) -> Result<Swap, StoreError> {
        self.write(&expected.to_string(), row).await
    }

    async fn list(&self, subject: &str) -> Result<Vec<Row>, StoreError> {
        let sids: Vec<String> = self.ask(&Cmd::smembers(self.subject_key(subject))).await?;
        if sids.is_empty() {
            return Ok(Vec::new());
        }
        let mut all = redis::pipe();
        for sid in &sids {
            all.hget(self.session_key(sid), "data");
        }
        let rows: Vec<Option<Vec<u8>>> =
            all.query_async(&mut self.connection.clone()).await.map_err(StoreError::new)?;
        // A missing row has been purged in the meantime.
        rows.iter().flatten().map(|data| Row::from_bytes(data)).collect()
    }

    async fn epoch(&self, subject: &str) -> Result<u64, StoreError> {
        let epoch: Option<u64> = self.ask(&Cmd::hget(self.epochs_key(), subject)).await?;
        Ok(epoch.unwrap_or_default())
    }

    async fn bump_epoch(&self, subject: &str) -> Result<u64, StoreError> {
        self.ask(&Cmd::hincr(self.epochs_key(), subject, 1)).await
    }

    async fn deny(&self, keys: &[DenyKey], until: UnixTime) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let mut add = redis::cmd("ZADD");
        // The later time wins.
        add.arg(self.denials_key()).arg("GT");
        for key in keys {
            add.arg(until.as_secs()).arg(key.as_bytes());
        }
        self.ask(&add).await
    }

    async fn is_denied(&self, keys: &[DenyKey]) -> Result<bool, StoreError> {
        if keys.is_empty() {
            return Ok(false);
        }
        let mut find = redis::cmd("ZMSCORE");
        find.arg(self.denials_key());
        for key in keys {
            find.arg(key.as_bytes());
        }
        let found: Vec<Option<f64>> = self.ask(&find).await?;
        Ok(found.iter().any(Option::is_some))
    }

    async fn purge(&self, now: UnixTime) -> Result<(), StoreError> {
        self.purge_sessions(now).await?;
        self.purge_denials(now).await
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore").finish_non_exhaustive()
    }
}

/// Returns after how many seconds Redis itself deletes a row if `purge` is never called. It is only an additional safeguard,
/// because `purge` uses the caller's clock. It is counted from the time in the row, so that the two clocks need not agree: the
/// row is deleted at its time or later, never earlier.
fn seconds_to_live(row: &Row) -> u64 {
    // Redis refuses 0, and times beyond its calendar.
    row.purge_after().saturating_duration_since(row.rotated_at()).as_secs().clamp(1, u64::from(u32::MAX))
}

/// Returns the end of a range of times that excludes `now`.
fn before(now: UnixTime) -> String {
    format!("({}", now.as_secs())
}
