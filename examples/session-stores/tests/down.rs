//! Unavailable stores: they return an error, never an absent row, and the error holds no secret.
#![cfg(any(feature = "postgres", feature = "redis"))]

mod util;

use countersign_session::{DenyKey, DynStore, Row, Store, StoreError, Swap};
use std::time::Duration;
use util::wire::Wire;
use util::{Place, ended, everything, later, random_row, stored};

each_server!(
    an_unavailable_store_is_an_error_and_recovers,
    a_silent_store_is_an_error_in_time,
    a_shorter_timeout_fails_earlier,
    an_unreachable_store_is_an_error,
    no_error_tells_the_password,
);

/// Returns the result of each operation.
async fn ask_all(store: &DynStore, row: &Row) -> [Result<(), StoreError>; 9] {
    let keys = [DenyKey::session(row.session_id())];
    [
        store.load(row.session_id()).await.map(|_| ()),
        store.insert(&random_row(row.subject())).await.map(|_| ()),
        store.compare_and_swap(1, &ended(row, 0)).await.map(|_| ()),
        store.list("ann").await.map(|_| ()),
        store.epoch("ann").await.map(|_| ()),
        store.bump_epoch("ann").await.map(|_| ()),
        store.deny(&keys, later(100)).await,
        Store::is_denied(store, &keys).await.map(|_| ()),
        store.purge(later(0)).await,
    ]
}

async fn an_unavailable_store_is_an_error_and_recovers(place: Place) {
    let wire = Wire::to(place.address().await).await;
    let store = place.open_through(wire.address()).await;
    let row = random_row("ann");
    assert_eq!(store.insert(&row).await.unwrap(), Swap::Done);
    assert_eq!(stored(&store, &row).await, row);
    for _ in 0..2 {
        wire.cut();
        for answer in ask_all(&store, &row).await {
            answer.unwrap_err();
        }
        wire.mend();
        // The first call on a broken connection may notice that it is broken.
        let _ = ask_all(&store, &random_row("bob")).await;
        assert_eq!(stored(&store, &row).await, row);
        for answer in ask_all(&store, &random_row("bob")).await {
            answer.unwrap();
        }
    }
    // No write has arrived in the meantime, and none arrives later.
    assert_eq!(place.open().await.list("ann").await.unwrap(), [row]);
}

async fn a_silent_store_is_an_error_in_time(place: Place) {
    let wire = Wire::to(place.address().await).await;
    let store = place.open_through(wire.address()).await;
    let row = random_row("ann");
    assert_eq!(store.insert(&row).await.unwrap(), Swap::Done);
    wire.silence();
    store.load(row.session_id()).await.unwrap_err();
    wire.mend();
    let _ = ask_all(&store, &random_row("bob")).await;
    assert_eq!(stored(&store, &row).await, row);
}

async fn a_shorter_timeout_fails_earlier(place: Place) {
    let wire = Wire::to(place.address().await).await;
    let patient = place.open_through(wire.address()).await;
    let hasty = place.open_hasty(wire.address(), Duration::from_secs(1)).await;
    let row = random_row("ann");
    assert_eq!(patient.insert(&row).await.unwrap(), Swap::Done);
    wire.silence();
    let told = async {
        hasty.load(row.session_id()).await.unwrap_err();
        wire.mend();
    };
    let (loaded, ()) = tokio::join!(stored(&patient, &row), told);
    assert_eq!(loaded, row);
    assert_eq!(place.open().await.list("ann").await.unwrap(), [row]);
}

/// Simulates a firewall that has forgotten a connection: it does not end, and gives no answer.
#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_dead_connection_of_a_pool_is_given_up() {
    let Some(place) = Place::new(util::Kind::Postgres).await else { return };
    let wire = Wire::to(place.address().await).await;
    let store = place.open_through(wire.address()).await;
    let row = random_row("ann");
    assert_eq!(store.insert(&row).await.unwrap(), Swap::Done);
    wire.kill_connections();
    store.load(row.session_id()).await.unwrap_err();
    wire.mend();
    assert_eq!(stored(&store, &row).await, row);
}

async fn an_unreachable_store_is_an_error(place: Place) {
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    place.try_open(Some(unused)).await.unwrap_err();
}

/// Tries invalid URLs of every kind: no error shows the password.
async fn no_error_tells_the_password(place: Place) {
    let url = place.url();
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, host) = rest.split_once('@').unwrap();
    let user = if scheme == "redis" { "" } else { "sessions" };
    for url in [
        format!("{scheme}://{user}:sesame@{host}"),
        format!("{scheme}://{user}:sesame@{unused}/0"),
        format!("{scheme}://{user}:sesame#1@{host}"),
        format!("{scheme}://{user}:sesame/1@{host}"),
        format!("{scheme}://{user}:sesame?x=sesame@{host}"),
        format!("{scheme}://{user}:sesame@{unused}:sesame/sesame"),
        format!("{scheme}://{user}@{host}?password=sesame&sesame=sesame"),
        format!("{scheme}:sesame"),
        format!("sesame://{host}"),
        "sesame".into(),
    ] {
        let error = session_stores::connect(&url).await.unwrap_err();
        assert!(!everything(&error).contains("sesame"), "{url}: {}", everything(&error));
    }
    let store = place.open().await;
    let password = rest.split_once('@').unwrap().0.rsplit(':').next().unwrap();
    assert!(!format!("{store:?}").contains(password));
}
