//! Content: any name, after a restart, during a purge, and with broken rows.

mod util;

use countersign_session::{DenyKey, Store, Swap};
use util::{Place, ended, everything, later, random_row, row_at, stored};

each_store!(
    any_name_is_a_name,
    confirmed_writes_survive_a_restart,
    a_purge_takes_what_is_over_and_leaves_what_is_not,
    a_broken_row_is_an_error_and_not_an_absence,
    a_query_without_keys_is_never_denied,
);

async fn any_name_is_a_name(place: Place) {
    let store = place.open().await;
    let names = [
        "ann",
        "Ann",
        "ann ",
        " ann",
        "%",
        "a_n",
        "*",
        "ann*",
        "{ann}",
        ":",
        "\n",
        "\r\n",
        "'",
        "\"",
        "\\",
        "\\x616e6e",
        "';--",
        "' OR '1'='1",
        "$1",
        "?1",
        "\u{1f980}",
        "\u{1f469}\u{200d}\u{1f680}",
        "e\u{301}",
        "\u{e9}",
        "\u{202e}nna",
        "\u{feff}ann",
        "null",
        "NULL",
        "0",
        "-1",
    ];
    let long: Vec<String> = ["x", "\u{1f980}", "'"].map(|unit| unit.repeat(1024 / unit.len())).into();
    let names: Vec<&str> = names.into_iter().chain(long.iter().map(String::as_str)).collect();
    let rows: Vec<_> = names.iter().map(|name| random_row(name)).collect();
    for row in &rows {
        assert_eq!(store.insert(row).await.unwrap(), Swap::Done);
    }
    for (number, (name, row)) in names.iter().zip(&rows).enumerate() {
        assert_eq!(store.list(name).await.unwrap(), std::slice::from_ref(row), "{name:?}");
        for epoch in 1..=number as u64 % 3 {
            assert_eq!(store.bump_epoch(name).await.unwrap(), epoch, "{name:?}");
        }
    }
    for (number, (name, row)) in names.iter().zip(&rows).enumerate() {
        let loaded = store.load(row.session_id()).await.unwrap().unwrap();
        assert_eq!((loaded.row(), loaded.subject_epoch()), (row, number as u64 % 3), "{name:?}");
        assert_eq!(store.epoch(name).await.unwrap(), number as u64 % 3, "{name:?}");
    }
    // No login has such a name, but a caller may list or end the sessions of one.
    for name in ["ann\0", "ann\0bob", "\0", ""] {
        assert_eq!(store.list(name).await.unwrap(), [], "{name:?}");
        assert_eq!(store.epoch(name).await.unwrap(), 0, "{name:?}");
        assert_eq!(store.bump_epoch(name).await.unwrap(), 1, "{name:?}");
    }
    assert_eq!(store.epoch("ann").await.unwrap(), 0);
    store.purge(later(1_000_000_000)).await.unwrap();
    for name in names {
        assert_eq!(store.list(name).await.unwrap(), [], "{name:?}");
    }
}

async fn confirmed_writes_survive_a_restart(place: Place) {
    let store = place.open().await;
    let (living, over) = (random_row("ann"), random_row("ann"));
    for row in [&living, &over] {
        assert_eq!(store.insert(row).await.unwrap(), Swap::Done);
    }
    assert_eq!(store.compare_and_swap(1, &ended(&over, 5)).await.unwrap(), Swap::Done);
    assert_eq!(store.bump_epoch("ann").await.unwrap(), 1);
    store.deny(&[DenyKey::session(over.session_id())], later(100)).await.unwrap();
    drop(store);

    let store = place.open().await;
    assert_eq!(stored(&store, &living).await, living);
    assert_eq!(stored(&store, &over).await, ended(&over, 5));
    assert_eq!(store.compare_and_swap(1, &ended(&over, 6)).await.unwrap(), Swap::Conflict);
    assert_eq!(store.insert(&living).await.unwrap(), Swap::Conflict);
    assert_eq!(store.list("ann").await.unwrap(), std::slice::from_ref(&living));
    assert_eq!(store.epoch("ann").await.unwrap(), 1);
    assert!(Store::is_denied(&store, &[DenyKey::session(over.session_id())]).await.unwrap());
    assert!(!Store::is_denied(&store, &[DenyKey::session(living.session_id())]).await.unwrap());
    store.purge(later(100)).await.unwrap();
    assert!(Store::is_denied(&store, &[DenyKey::session(over.session_id())]).await.unwrap());
    store.purge(later(101)).await.unwrap();
    assert!(!Store::is_denied(&store, &[DenyKey::session(over.session_id())]).await.unwrap());
}

/// Uses more rows than a purge deletes at a time.
async fn a_purge_takes_what_is_over_and_leaves_what_is_not(place: Place) {
    const OVER: u64 = 1100;
    let store = place.open().await;
    let over: Vec<_> = (0..OVER).map(|number| random_row(&format!("subject {}", number % 7))).collect();
    let alive: Vec<_> = (0..10).map(|number| row_at(&format!("subject {number}"), later(1))).collect();
    for row in over.iter().chain(&alive) {
        assert_eq!(store.insert(row).await.unwrap(), Swap::Done);
    }
    for number in 0..OVER {
        store.deny(&[DenyKey::subject("over", number)], later(number)).await.unwrap();
    }
    store.deny(&[DenyKey::subject("alive", 1)], alive[0].purge_after()).await.unwrap();
    assert_eq!(store.bump_epoch("subject 1").await.unwrap(), 1);

    store.purge(alive[0].purge_after()).await.unwrap();
    for row in &over {
        assert_eq!(store.load(row.session_id()).await.unwrap(), None);
    }
    for (number, row) in alive.iter().enumerate() {
        assert_eq!(stored(&store, row).await, *row);
        assert_eq!(store.list(&format!("subject {number}")).await.unwrap(), std::slice::from_ref(row));
    }
    let keys: Vec<_> = (0..OVER).map(|number| DenyKey::subject("over", number)).collect();
    assert!(!Store::is_denied(&store, &keys).await.unwrap());
    assert!(Store::is_denied(&store, &[DenyKey::subject("alive", 1)]).await.unwrap());
    assert_eq!(store.epoch("subject 1").await.unwrap(), 1);

    // No part of the expired rows is left for the next purge.
    place.assert_rows(alive.len()).await;
}

async fn a_broken_row_is_an_error_and_not_an_absence(place: Place) {
    let store = place.open().await;
    let (whole, broken) = (random_row("ann"), random_row("ann"));
    for row in [&whole, &broken] {
        assert_eq!(store.insert(row).await.unwrap(), Swap::Done);
    }
    place.break_row(&broken).await;
    let error = store.load(broken.session_id()).await.unwrap_err();
    assert!(everything(&error).contains("row"), "{}", everything(&error));
    assert!(store.list("ann").await.is_err());
    assert_eq!(stored(&store, &whole).await, whole);
}

async fn a_query_without_keys_is_never_denied(place: Place) {
    let store = place.open().await;
    store.deny(&[], later(100)).await.unwrap();
    assert!(!Store::is_denied(&store, &[]).await.unwrap());
}
