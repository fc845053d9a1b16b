//! Databases for stores, each empty and used by one test only; and rows without sessions.
#![allow(dead_code, reason = "each test file uses only a part")]
#![allow(irrefutable_let_patterns, reason = "there may be only one kind of store")]

pub(crate) mod wire;

use countersign::{SystemEntropy, UnixTime};
use countersign_session::{
    Binding, Config, DynStore, Loaded, Login, Machine, MasterKeys, Randomness, Reason, Row, Store, StoreError,
};
#[cfg(feature = "postgres")]
use session_stores::PostgresStore;
#[cfg(feature = "redis")]
use session_stores::RedisStore;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

/// A kind of store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    #[cfg(feature = "postgres")]
    Postgres,
    #[cfg(feature = "redis")]
    Redis,
    #[cfg(feature = "sqlite")]
    Sqlite,
}

/// A database in which a test can open any number of stores, like several servers or a restarted one.
pub(crate) enum Place {
    #[cfg(feature = "postgres")]
    Postgres { url: String, schema: String },
    #[cfg(feature = "redis")]
    Redis { url: String, prefix: String },
    #[cfg(feature = "sqlite")]
    Sqlite(tempfile::TempDir),
}

impl Place {
    /// Creates an empty database. If there is no server for it, prints a line and returns `None`.
    pub(crate) async fn new(kind: Kind) -> Option<Self> {
        match kind {
            #[cfg(feature = "postgres")]
            Kind::Postgres => {
                let url = server("SESSION_TEST_POSTGRES_URL")?;
                let schema = format!("test_{}", unique());
                let (client, connection) =
                    tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
                let connection = tokio::spawn(connection);
                client.batch_execute(&format!("CREATE SCHEMA {schema}")).await.unwrap();
                drop(client);
                connection.await.unwrap().unwrap();
                Some(Self::Postgres { url, schema })
            }
            #[cfg(feature = "redis")]
            Kind::Redis => {
                let url = server("SESSION_TEST_REDIS_URL")?;
                Some(Self::Redis { url, prefix: format!("test-{}:", unique()) })
            }
            #[cfg(feature = "sqlite")]
            Kind::Sqlite => Some(Self::Sqlite(tempfile::tempdir().unwrap())),
        }
    }

    /// Opens a store, as another server would.
    pub(crate) async fn open(&self) -> DynStore {
        self.try_open(None).await.unwrap()
    }

    /// Opens a store through another address.
    pub(crate) async fn open_through(&self, address: SocketAddr) -> DynStore {
        self.try_open(Some(address)).await.unwrap()
    }

    /// Opens a store with this timeout.
    #[cfg(any(feature = "postgres", feature = "redis"))]
    pub(crate) async fn open_hasty(&self, address: SocketAddr, timeout: Duration) -> DynStore {
        let url = self.url_through(Some(address));
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres { .. } => {
                DynStore::new(PostgresStore::connect_with_timeout(&url, timeout).await.unwrap())
            }
            #[cfg(feature = "redis")]
            Self::Redis { prefix, .. } => {
                let store = RedisStore::connect_with_timeout(&url, timeout).await.unwrap();
                DynStore::new(store.with_prefix(prefix))
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => panic!("a file has no address"),
        }
    }

    pub(crate) async fn try_open(&self, through: Option<SocketAddr>) -> Result<DynStore, StoreError> {
        let url = self.url_through(through);
        #[cfg(feature = "redis")]
        if let Self::Redis { prefix, .. } = self {
            return Ok(DynStore::new(RedisStore::connect(&url).await?.with_prefix(prefix)));
        }
        session_stores::connect(&url).await
    }

    /// Returns the URL for a store.
    fn url_through(&self, through: Option<SocketAddr>) -> String {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres { url, schema } => {
                format!("{}?options=-csearch_path%3D{schema}", readdress(url, through))
            }
            #[cfg(feature = "redis")]
            Self::Redis { url, .. } => readdress(url, through),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(folder) => {
                assert_eq!(through, None, "a file has no address");
                format!("sqlite:{}", folder.path().join("sessions.db").display())
            }
        }
    }

    /// Returns the URL of the server, if the database is on one.
    pub(crate) fn url(&self) -> &str {
        match self {
            #[cfg(feature = "postgres")]
            Self::Postgres { url, .. } => url,
            #[cfg(feature = "redis")]
            Self::Redis { url, .. } => url,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(_) => panic!("a file has no server"),
        }
    }

    /// Returns the address of the server.
    pub(crate) async fn address(&self) -> SocketAddr {
        tokio::net::lookup_host(host(self.url())).await.unwrap().next().unwrap()
    }
}

/// Access to the database without a store.
impl Place {
    #[cfg(feature = "postgres")]
    async fn postgres(&self) -> Option<tokio_postgres::Client> {
        let Self::Postgres { url, schema } = self else { return None };
        let (client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await.unwrap();
        tokio::spawn(connection);
        client.batch_execute(&format!("SET search_path = {schema}")).await.unwrap();
        Some(client)
    }

    #[cfg(feature = "redis")]
    pub(crate) async fn redis(&self) -> Option<(redis::aio::MultiplexedConnection, &str)> {
        let Self::Redis { url, prefix } = self else { return None };
        let client = redis::Client::open(&**url).unwrap();
        Some((client.get_multiplexed_async_connection().await.unwrap(), prefix))
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn sqlite(&self) -> Option<rusqlite::Connection> {
        let Self::Sqlite(folder) = self else { return None };
        Some(rusqlite::Connection::open(folder.path().join("sessions.db")).unwrap())
    }

    /// Checks that the database holds as much as belongs to this many sessions.
    pub(crate) async fn assert_rows(&self, expected: usize) {
        #[cfg(feature = "postgres")]
        if let Some(client) = self.postgres().await {
            let rows = client.query("SELECT 1 FROM sessions", &[]).await.unwrap();
            assert_eq!(rows.len(), expected);
        }
        #[cfg(feature = "redis")]
        if let Some((mut redis, prefix)) = self.redis().await {
            let keys = async |redis: &mut _, kind: &str| -> Vec<String> {
                redis::cmd("KEYS").arg(format!("{prefix}{kind}:*")).query_async(redis).await.unwrap()
            };
            assert_eq!(keys(&mut redis, "session").await.len(), expected);
            let mut listed = 0;
            for key in keys(&mut redis, "subject").await {
                listed += redis::Cmd::scard(key).query_async::<usize>(&mut redis).await.unwrap();
            }
            assert_eq!(listed, expected);
            let times: usize =
                redis::Cmd::zcard(format!("{prefix}times")).query_async(&mut redis).await.unwrap();
            assert_eq!(times, expected);
        }
        #[cfg(feature = "sqlite")]
        if let Some(db) = self.sqlite() {
            let rows: i64 = db.query_row("SELECT count(*) FROM sessions", [], |row| row.get(0)).unwrap();
            assert_eq!(rows, expected as i64);
        }
    }

    /// Writes a row that no version of countersign has written.
    pub(crate) async fn break_row(&self, row: &Row) {
        let sid = row.session_id();
        #[cfg(feature = "postgres")]
        if let Some(client) = self.postgres().await {
            let statement = "UPDATE sessions SET data = 'nonsense' WHERE sid = $1";
            assert_eq!(client.execute(statement, &[&sid.as_bytes().as_slice()]).await.unwrap(), 1);
        }
        #[cfg(feature = "redis")]
        if let Some((mut redis, prefix)) = self.redis().await {
            let set = redis::Cmd::hset(format!("{prefix}session:{sid}"), "data", "nonsense");
            assert_eq!(set.query_async::<usize>(&mut redis).await.unwrap(), 0);
        }
        #[cfg(feature = "sqlite")]
        if let Some(db) = self.sqlite() {
            let statement = "UPDATE sessions SET data = CAST('nonsense' AS BLOB) WHERE sid = ?1";
            assert_eq!(db.execute(statement, [sid.as_bytes()]).unwrap(), 1);
        }
    }
}

fn server(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok();
    if url.is_none() {
        println!("skipped: {variable} is not set");
    }
    url
}

fn unique() -> String {
    random_row("unique").session_id().as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the `host:port` of a URL.
fn host(url: &str) -> &str {
    let (_, rest) = url.rsplit_once('@').or_else(|| url.split_once("://")).unwrap();
    rest.split('/').next().unwrap()
}

fn readdress(url: &str, through: Option<SocketAddr>) -> String {
    through.map_or_else(|| url.into(), |address| url.replacen(host(url), &address.to_string(), 1))
}

pub(crate) fn machine() -> Machine {
    let config = Config::builder("https://auth.example", "https://api.example").build().unwrap();
    Machine::new(config, MasterKeys::new(1, [7; 32]).unwrap())
}

pub(crate) fn random() -> Randomness {
    Randomness::draw(&SystemEntropy::new()).unwrap()
}

/// Returns the row of a new session.
pub(crate) fn random_row(subject: &str) -> Row {
    row_at(subject, NOW)
}

pub(crate) fn row_at(subject: &str, now: UnixTime) -> Row {
    machine().login(&Login::new(subject), 0, now, &random()).unwrap().write.unwrap().row
}

/// Returns the row of a new session, and its successor after an exchange ten minutes later.
pub(crate) fn exchanged_row(subject: &str) -> (Row, Row) {
    let login = machine().login(&Login::new(subject), 0, NOW, &random()).unwrap();
    let row = login.write.unwrap().row;
    let token = machine().authenticate(login.reply.unwrap().refresh_token().expose_secret()).unwrap();
    let loaded = Loaded::new(row.clone(), 0);
    let exchange = machine().refresh(&token, Some(&loaded), &Binding::None, later(600), &random());
    (row, exchange.write.unwrap().row)
}

/// Returns the successor of this row, ended at this time, so that several ends of one row differ.
pub(crate) fn ended(row: &Row, seconds: u64) -> Row {
    let step = machine().revoke(row, Reason::Logout, later(seconds)).unwrap();
    step.write.unwrap().row
}

pub(crate) fn later(seconds: u64) -> UnixTime {
    NOW.saturating_add(Duration::from_secs(seconds))
}

/// Returns all texts of an error and its causes.
pub(crate) fn everything(error: &StoreError) -> String {
    let mut text = String::new();
    let mut next: Option<&dyn Error> = Some(error);
    while let Some(error) = next {
        text.push_str(&format!("{error} | {error:?} | "));
        next = error.source();
    }
    text
}

/// Returns the row from a store, in which it must exist.
pub(crate) async fn stored(store: &DynStore, row: &Row) -> Row {
    store.load(row.session_id()).await.unwrap().expect("the row is there").row().clone()
}

/// Defines one test for each kind of store: `each_store!(name, ...)` for an `async fn name(place: Place)`.
#[macro_export]
macro_rules! each_store {
    ($($test:ident),* $(,)?) => {
        #[cfg(feature = "sqlite")]
        mod sqlite {
            $($crate::each_store!(@ $test, Sqlite);)*
        }
        $crate::each_server!($($test),*);
    };
    (@ $test:ident, $kind:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            if let Some(place) = $crate::util::Place::new($crate::util::Kind::$kind).await {
                super::$test(place).await;
            }
        }
    };
}

/// Defines the same tests only for stores on a server.
#[macro_export]
macro_rules! each_server {
    ($($test:ident),* $(,)?) => {
        #[cfg(feature = "postgres")]
        mod postgres {
            $($crate::each_store!(@ $test, Postgres);)*
        }
        #[cfg(feature = "redis")]
        mod redis {
            $($crate::each_store!(@ $test, Redis);)*
        }
    };
}
