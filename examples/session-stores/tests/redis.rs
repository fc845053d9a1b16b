//! Tests that apply only to Redis.
#![cfg(feature = "redis")]

mod util;

use countersign_session::{DenyKey, Store, Swap};
use redis::aio::MultiplexedConnection;
use util::{Kind, Place, ended, exchanged_row, later, random_row, stored};

const HOUR: i64 = 3600;

async fn seconds_to_live(redis: &mut MultiplexedConnection, key: &str) -> i64 {
    redis::Cmd::ttl(key).query_async(redis).await.unwrap()
}

#[tokio::test]
async fn only_rows_expire_without_a_purge() {
    let Some(place) = Place::new(Kind::Redis).await else { return };
    let store = place.open().await;
    let (mut redis, prefix) = place.redis().await.unwrap();
    let (first, second) = exchanged_row("ann");
    let session = format!("{prefix}session:{}", first.session_id());
    let subject = format!("{prefix}subject:ann");
    let life = first.purge_after().as_secs() - first.rotated_at().as_secs();
    assert!(life > 13 * 24 * HOUR);

    assert_eq!(store.insert(&first).await.unwrap(), Swap::Done);
    for key in [&session, &subject] {
        let seconds = seconds_to_live(&mut redis, key).await;
        assert!((life - HOUR..=life).contains(&seconds), "{key}: {seconds}");
    }
    redis::Cmd::expire(&session, 100).exec_async(&mut redis).await.unwrap();
    assert_eq!(store.compare_and_swap(1, &second).await.unwrap(), Swap::Done);
    assert!(seconds_to_live(&mut redis, &session).await > life - HOUR);

    store.deny(&[DenyKey::session(first.session_id())], later(0)).await.unwrap();
    assert_eq!(store.bump_epoch("ann").await.unwrap(), 1);
    for key in ["denials", "epochs", "times"] {
        assert_eq!(seconds_to_live(&mut redis, &format!("{prefix}{key}")).await, -1, "{key}");
    }
}

#[tokio::test]
async fn what_redis_took_away_is_absent_and_purged() {
    let Some(place) = Place::new(Kind::Redis).await else { return };
    let store = place.open().await;
    let (mut redis, prefix) = place.redis().await.unwrap();
    let (gone, kept) = (random_row("ann"), random_row("ann"));
    for row in [&gone, &kept] {
        assert_eq!(store.insert(row).await.unwrap(), Swap::Done);
    }
    redis::Cmd::del(format!("{prefix}session:{}", gone.session_id())).exec_async(&mut redis).await.unwrap();
    assert_eq!(store.load(gone.session_id()).await.unwrap(), None);
    assert_eq!(store.compare_and_swap(1, &ended(&gone, 0)).await.unwrap(), Swap::Conflict);
    assert_eq!(store.list("ann").await.unwrap(), std::slice::from_ref(&kept));
    store.purge(kept.purge_after()).await.unwrap();
    assert_eq!(stored(&store, &kept).await, kept);
    store.purge(later(1_000_000_000)).await.unwrap();
    place.assert_rows(0).await;
}

/// A restart of Redis has the same effect: it loses all scripts.
#[tokio::test]
async fn scripts_that_redis_has_forgotten_are_sent_again() {
    let Some(place) = Place::new(Kind::Redis).await else { return };
    let store = place.open().await;
    let (mut redis, _) = place.redis().await.unwrap();
    let row = random_row("ann");
    assert_eq!(store.insert(&row).await.unwrap(), Swap::Done);
    redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut redis).await.unwrap();
    assert_eq!(stored(&store, &row).await, row);
    redis::cmd("SCRIPT").arg("FLUSH").exec_async(&mut redis).await.unwrap();
    assert_eq!(store.compare_and_swap(1, &ended(&row, 0)).await.unwrap(), Swap::Done);
}
