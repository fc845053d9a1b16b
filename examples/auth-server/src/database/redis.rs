//! Redis, with the connection of the sessions.

use super::{DatabaseError, user};
use crate::users::{Name, User};
use redis::aio::ConnectionManager;
use redis::{FromRedisValue, Script, ScriptInvocation};

/// The keys are `auth:user:ID` (hash) and `auth:name:NAME` (the id). A write is one script, so it is atomic.
pub struct Redis {
    connection: ConnectionManager,
    add_user: Script,
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

impl Redis {
    /// Uses this connection, which has its own timeout.
    pub fn over(connection: ConnectionManager) -> Self {
        Self { connection, add_user: Script::new(ADD_USER), user_named: Script::new(USER_NAMED) }
    }

    async fn run<T: FromRedisValue>(&self, call: &ScriptInvocation<'_>) -> Result<T, DatabaseError> {
        call.invoke_async(&mut self.connection.clone()).await.map_err(DatabaseError::new)
    }

    /// Does what [`Database::add_user`](super::Database::add_user) does.
    pub async fn add_user(&self, user: &User) -> Result<bool, DatabaseError> {
        let mut call = self.add_user.prepare_invoke();
        call.arg(&user.id).arg(user.name.as_str()).arg(user.role.as_str()).arg(&user.password_hash);
        self.run(&call).await
    }

    /// Does what [`Database::user_named`](super::Database::user_named) does.
    pub async fn user_named(&self, name: &Name) -> Result<Option<User>, DatabaseError> {
        let mut call = self.user_named.prepare_invoke();
        call.arg(name.as_str());
        self.run::<Option<Fields>>(&call).await?.map_or(Ok(None), read)
    }

    /// Does what [`Database::user_of`](super::Database::user_of) does.
    pub async fn user_of(&self, id: &str) -> Result<Option<User>, DatabaseError> {
        let fields = ["id", "name", "role", "hash"];
        let command = redis::Cmd::hmget(format!("auth:user:{id}"), &fields);
        let found = command.query_async(&mut self.connection.clone()).await;
        read(found.map_err(DatabaseError::new)?)
    }
}

type Fields = (Option<String>, Option<String>, Option<String>, Option<String>);

fn read((id, name, role, hash): Fields) -> Result<Option<User>, DatabaseError> {
    let Some(id) = id else { return Ok(None) };
    let texts = name.zip(role).zip(hash);
    let ((name, role), hash) = texts.ok_or_else(|| DatabaseError::new("a user lacks some of its fields"))?;
    user(id, name, role, hash).map(Some)
}
