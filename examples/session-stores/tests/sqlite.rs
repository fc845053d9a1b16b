//! Tests that apply only to SQLite.
#![cfg(feature = "sqlite")]

mod util;

use countersign_session::{DenyKey, Store, Swap};
use session_stores::SqliteStore;
use std::sync::Barrier;
use std::time::Duration;
use util::{Kind, Place, ended, everything, random_row};

async fn place() -> Place {
    Place::new(Kind::Sqlite).await.unwrap()
}

#[test]
fn what_cannot_be_a_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("text");
    std::fs::write(&text, "This is not a database, and far too long to be an empty one.".repeat(100))
        .unwrap();
    for path in
        [folder.path(), &folder.path().join("missing/sessions.db"), &text, ":memory:".as_ref(), "".as_ref()]
    {
        SqliteStore::open(path).unwrap_err();
    }
    assert!(std::fs::read_to_string(&text).unwrap().starts_with("This is not a database"));
}

#[tokio::test]
async fn a_path_that_looks_like_a_uri_is_a_path() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file:sessions.db?mode=memory");
    let row = random_row("ann");
    assert_eq!(SqliteStore::open(&path).unwrap().insert(&row).await.unwrap(), Swap::Done);
    assert!(SqliteStore::open(&path).unwrap().load(row.session_id()).await.unwrap().is_some());
}

/// Another program locks the file and does not release it.
#[tokio::test]
async fn a_blocked_writer_fails_while_others_read() {
    let place = place().await;
    let store = place.open().await;
    let row = random_row("ann");
    assert_eq!(store.insert(&row).await.unwrap(), Swap::Done);
    let other = place.sqlite().unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (ended, keys) = (ended(&row, 0), [DenyKey::session(row.session_id())]);
    let (swap, denial, loaded) = tokio::join!(
        store.compare_and_swap(1, &ended),
        store.deny(&keys, row.purge_after()),
        store.load(row.session_id()),
    );
    assert!(everything(&swap.unwrap_err()).contains("locked"));
    assert!(everything(&denial.unwrap_err()).contains("locked"));
    assert_eq!(loaded.unwrap().unwrap().row(), &row);
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(store.compare_and_swap(1, &ended).await.unwrap(), Swap::Done);
}

#[tokio::test]
async fn a_file_without_its_tables_is_an_error_and_not_an_absence() {
    let place = place().await;
    let store = place.open().await;
    let row = random_row("ann");
    assert_eq!(store.insert(&row).await.unwrap(), Swap::Done);
    let drop = "DROP TABLE sessions; DROP TABLE session_epochs; DROP TABLE session_denials";
    place.sqlite().unwrap().execute_batch(drop).unwrap();
    let keys = [DenyKey::session(row.session_id())];
    store.load(row.session_id()).await.unwrap_err();
    store.insert(&row).await.unwrap_err();
    store.compare_and_swap(1, &ended(&row, 0)).await.unwrap_err();
    store.list("ann").await.unwrap_err();
    store.epoch("ann").await.unwrap_err();
    store.bump_epoch("ann").await.unwrap_err();
    store.deny(&keys, row.purge_after()).await.unwrap_err();
    Store::is_denied(&store, &keys).await.unwrap_err();
    store.purge(row.purge_after()).await.unwrap_err();
}

#[tokio::test]
async fn a_shorter_timeout_fails_earlier() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.db");
    let patient = SqliteStore::open(&path).unwrap();
    let hasty = SqliteStore::open_with_timeout(&path, Duration::from_millis(100)).unwrap();
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (row, refused) = (random_row("ann"), random_row("ann"));
    let told = async {
        hasty.insert(&refused).await.unwrap_err();
        other.execute_batch("ROLLBACK").unwrap();
    };
    let (inserted, ()) = tokio::join!(patient.insert(&row), told);
    assert_eq!(inserted.unwrap(), Swap::Done);
    assert_eq!(patient.list("ann").await.unwrap(), [row]);
}

/// One of several writes in a transaction fails; the other writes are made.
#[tokio::test]
async fn a_write_that_fails_takes_no_other_with_it() {
    let place = place().await;
    let store = place.open().await;
    place.sqlite().unwrap().execute_batch("DROP TABLE session_denials").unwrap();
    let rows: Vec<_> = (0..50).map(|_| random_row("ann")).collect();
    let tasks: Vec<_> = rows
        .iter()
        .cloned()
        .map(|row| {
            let store = store.clone();
            tokio::spawn(async move {
                let keys = [DenyKey::session(row.session_id())];
                let denied = store.deny(&keys, row.purge_after());
                let (denied, inserted) = tokio::join!(denied, store.insert(&row));
                (denied.is_err(), inserted.unwrap())
            })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), (true, Swap::Done));
    }
    assert_eq!(store.list("ann").await.unwrap().len(), rows.len());
}

/// The first of them creates the file, its log and its tables.
#[test]
fn stores_that_open_a_new_file_together_all_succeed() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sessions.db");
        let start = Barrier::new(16);
        std::thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    start.wait();
                    SqliteStore::open_with_timeout(&path, Duration::from_secs(60)).unwrap();
                });
            }
        });
    }
}
