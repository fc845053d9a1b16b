//! The database of a server: how to take it down and up again, and how to restore it from a backup.
//!
//! `E2E_POSTGRES` is the URL, without a database name, of a PostgreSQL server on which the tests may create databases;
//! `E2E_REDIS` is set if `redis-server` can be started. Without either, the tests use SQLite.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

pub enum TestStore {
    Postgres { server: String, name: String },
    Redis { folder: PathBuf, process: Option<Child> },
    Sqlite { file: PathBuf, lock: Option<rusqlite::Connection> },
}

impl TestStore {
    /// Creates an empty database. Its files are in `folder`.
    pub fn new(folder: &Path) -> Self {
        if let Ok(server) = std::env::var("E2E_POSTGRES") {
            static COUNT: AtomicUsize = AtomicUsize::new(0);
            let name = format!("e2e_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            psql(&server, &format!("CREATE DATABASE {name}"));
            return Self::Postgres { server, name };
        }
        if std::env::var_os("E2E_REDIS").is_some() {
            let folder = folder.join("redis");
            std::fs::create_dir_all(&folder).unwrap();
            let mut store = Self::Redis { folder, process: None };
            store.up();
            return store;
        }
        Self::Sqlite { file: folder.join("auth.db"), lock: None }
    }

    /// Returns the URL for the server.
    pub fn url(&self) -> String {
        match self {
            Self::Postgres { server, name } => format!("{server}/{name}"),
            Self::Redis { folder, .. } => format!("redis+unix://{}", socket(folder).display()),
            Self::Sqlite { file, .. } => format!("sqlite:{}", file.display()),
        }
    }

    /// Returns the files that the server itself keeps in its folder.
    pub const fn files(&self) -> &'static [&'static str] {
        match self {
            Self::Postgres { .. } | Self::Redis { .. } => &[],
            Self::Sqlite { .. } => &["auth.db", "auth.db-shm", "auth.db-wal"],
        }
    }

    /// Takes the database down: from now on, writes fail.
    pub fn down(&mut self) {
        match self {
            Self::Postgres { server, name } => {
                let forbid = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false");
                let end = format!(
                    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = '{name}'"
                );
                psql(server, &forbid);
                psql(server, &end);
            }
            Self::Redis { process, .. } => stop(process),
            Self::Sqlite { file, lock } => {
                let connection = rusqlite::Connection::open(file).unwrap();
                connection.execute_batch("BEGIN IMMEDIATE").unwrap();
                *lock = Some(connection);
            }
        }
    }

    /// Brings the database up again, with its old content.
    pub fn up(&mut self) {
        match self {
            Self::Postgres { server, name } => {
                let allow = format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true");
                psql(server, &allow);
            }
            Self::Redis { folder, process } => *process = Some(start_redis(folder)),
            Self::Sqlite { lock, .. } => *lock = None,
        }
    }

    /// Keeps a copy. The server must not run.
    pub fn back_up(&mut self) {
        match self {
            Self::Postgres { server, name } => {
                psql(server, &format!("CREATE DATABASE {name}_backup TEMPLATE {name}"));
            }
            Self::Redis { folder, process } => {
                stop(process);
                copy(folder, &folder.with_extension("backup"));
                *process = Some(start_redis(folder));
            }
            Self::Sqlite { file, .. } => {
                let connection = rusqlite::Connection::open(&*file).unwrap();
                let backup = file.with_extension("backup");
                connection.execute("VACUUM INTO ?1", [backup.to_str().unwrap()]).unwrap();
            }
        }
    }

    /// Restores the copy. The server must not run.
    pub fn restore(&mut self) {
        match self {
            Self::Postgres { server, name } => {
                psql(server, &format!("DROP DATABASE {name}"));
                psql(server, &format!("CREATE DATABASE {name} TEMPLATE {name}_backup"));
            }
            Self::Redis { folder, process } => {
                stop(process);
                std::fs::remove_dir_all(&*folder).unwrap();
                copy(&folder.with_extension("backup"), folder);
                *process = Some(start_redis(folder));
            }
            Self::Sqlite { file, .. } => {
                for ending in ["db-wal", "db-shm"] {
                    let _ = std::fs::remove_file(file.with_extension(ending));
                }
                std::fs::copy(file.with_extension("backup"), file).unwrap();
            }
        }
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        if let Self::Redis { process, .. } = self {
            stop(process);
        }
    }
}

/// Runs a statement in the database that always exists.
fn psql(server: &str, sql: &str) {
    let url = format!("{server}/postgres");
    let output = Command::new("psql").args([&url, "-v", "ON_ERROR_STOP=1", "-qAtc", sql]).output().unwrap();
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
}

fn socket(folder: &Path) -> PathBuf {
    folder.join("socket")
}

/// Starts a Redis that writes everything to its disk before it answers.
fn start_redis(folder: &Path) -> Child {
    let socket = socket(folder);
    let _ = std::fs::remove_file(&socket);
    let child = Command::new("redis-server")
        .args(["--port", "0", "--save", "", "--appendonly", "yes", "--appendfsync", "always", "--unixsocket"])
        .arg(&socket)
        .arg("--dir")
        .arg(folder)
        .stdout(Stdio::null())
        .spawn()
        .expect("redis-server starts");
    let deadline = Instant::now() + Duration::from_secs(30);
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert!(Instant::now() < deadline, "redis-server does not answer");
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn stop(process: &mut Option<Child>) {
    if let Some(mut child) = process.take() {
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    // The socket is not a file that can be copied.
    let _ = std::fs::remove_file(socket(from));
    let copied = Command::new("cp").arg("-R").args([from, to]).status().unwrap();
    assert!(copied.success());
}
