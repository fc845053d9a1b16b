//! Stores that cannot be reached: an error, never an absence; and nothing secret in it.
#![cfg(any(feature = "postgres", feature = "redis"))]

mod util;

use countersign_session::{DenyKey, DynStore, Row, Store, StoreError, Swap};
use std::time::Duration;
use util::wire::Wire;
use util::{Place, ended, everything, later, random_row, stored};

each_server!(
    a_store_that_went_away_says_so_and_comes_back,
    a_store_that_falls_silent_says_so_in_time,
    who_has_less_time_is_told_earlier,
    a_store_that_was_never_there_says_so,
    no_error_tells_the_password,
);

/// What each operation says.
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

async fn a_store_that_went_away_says_so_and_comes_back(place: Place) {
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
        // A connection that is broken may be noticed by the first who uses it, and no later.
        let _ = ask_all(&store, &random_row("bob")).await;
        assert_eq!(stored(&store, &row).await, row);
        for answer in ask_all(&store, &random_row("bob")).await {
            answer.unwrap();
        }
    }
    // Nothing has come through meanwhile, and nothing comes later.
    assert_eq!(place.open().await.list("ann").await.unwrap(), [row]);
}

async fn a_store_that_falls_silent_says_so_in_time(place: Place) {
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

async fn who_has_less_time_is_told_earlier(place: Place) {
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

/// What a firewall does that has forgotten it: no end, and no answer.
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

async fn a_store_that_was_never_there_says_so(place: Place) {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    place.try_open(Some(nobody)).await.unwrap_err();
}

/// The password of the URL, in whatever way it does not fit.
async fn no_error_tells_the_password(place: Place) {
    let url = place.url();
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (scheme, rest) = url.split_once("://").unwrap();
    let (_, host) = rest.split_once('@').unwrap();
    let user = if scheme == "redis" { "" } else { "sessions" };
    for url in [
        format!("{scheme}://{user}:sesame@{host}"),
        format!("{scheme}://{user}:sesame@{nobody}/0"),
        format!("{scheme}://{user}:sesame#1@{host}"),
        format!("{scheme}://{user}:sesame/1@{host}"),
        format!("{scheme}://{user}:sesame?x=sesame@{host}"),
        format!("{scheme}://{user}:sesame@{nobody}:sesame/sesame"),
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
