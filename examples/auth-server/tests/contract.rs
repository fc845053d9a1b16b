//! The databases keep the contract of session stores.

use auth_server::config::DatabaseUrl;
use auth_server::database::Database;
use countersign::session::contract;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(10);

/// PostgreSQL and Redis are checked where `E2E_POSTGRES` and `E2E_REDIS` hold their URLs: see `tests/databases`.
#[cfg(feature = "postgres")]
#[tokio::test]
async fn postgres_keeps_the_contract() {
    if let Ok(server) = std::env::var("E2E_POSTGRES") {
        check("PostgreSQL", &DatabaseUrl::Postgres(format!("{server}/postgres"))).await;
    }
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn redis_keeps_the_contract() {
    if let Ok(url) = std::env::var("E2E_REDIS") {
        check("Redis", &DatabaseUrl::Redis(url)).await;
    }
}

async fn check(name: &str, url: &DatabaseUrl) {
    let database = Database::open_url(url, TIMEOUT).await.unwrap();
    let started = Instant::now();
    let report = contract::check(&database).await.unwrap();
    println!("{name}: {report} in {:?}", started.elapsed());
}

#[tokio::test]
async fn sqlite_keeps_the_contract() {
    let file = std::env::temp_dir().join(format!("auth-server-contract-{}.db", std::process::id()));
    check("SQLite", &DatabaseUrl::Sqlite(file.clone())).await;
    for ending in ["db", "db-wal", "db-shm"] {
        let _ = std::fs::remove_file(file.with_extension(ending));
    }
}
