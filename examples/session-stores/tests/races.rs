//! Several servers at once with the same content: mistakes that only a store can make.

mod util;

use countersign::{HmacKey, SecretBytes};
use countersign_session::{
    Binding, Config, DenyKey, DynStore, Exchange, Login, MasterKeys, Sessions, Store, StoreError, Swap,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Barrier;
use util::{NOW, Place, ended, exchanged_row, later, machine, random, random_row, stored};

each_store!(
    one_of_several_swaps_from_one_version_is_made,
    one_of_several_inserts_of_one_id_is_made,
    bumps_of_one_epoch_are_all_counted,
    the_latest_of_several_denials_counts,
    a_row_that_moves_is_not_purged,
    servers_that_start_together_all_start,
    a_caller_that_goes_away_breaks_nothing,
    exchanges_of_many_sessions_lose_none,
);

const SERVERS: usize = 4;
const ROUNDS: usize = 25;

async fn servers(place: &Place) -> Vec<DynStore> {
    let mut servers = Vec::new();
    for _ in 0..SERVERS {
        servers.push(place.open().await);
    }
    servers
}

/// Runs the same work on all servers at once, each in its own task.
async fn at_once<T, F>(servers: &[DynStore], work: impl Fn(usize, DynStore) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(servers.len()));
    let tasks: Vec<_> = servers
        .iter()
        .enumerate()
        .map(|(number, store)| {
            let (start, work) = (start.clone(), work(number, store.clone()));
            tokio::spawn(async move {
                start.wait().await;
                work.await
            })
        })
        .collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

/// Returns the index of the only swap that was made.
#[track_caller]
fn winner(swaps: Vec<Result<Swap, StoreError>>) -> usize {
    let swaps: Vec<Swap> = swaps.into_iter().map(Result::unwrap).collect();
    let won: Vec<usize> = swaps
        .iter()
        .enumerate()
        .filter_map(|(number, swap)| (*swap == Swap::Done).then_some(number))
        .collect();
    assert_eq!(won.len(), 1, "{swaps:?}");
    won[0]
}

async fn one_of_several_swaps_from_one_version_is_made(place: Place) {
    let servers = servers(&place).await;
    for _ in 0..ROUNDS {
        let first = random_row("ann");
        assert_eq!(servers[0].insert(&first).await.unwrap(), Swap::Done);
        let rows: Vec<_> = (0..SERVERS).map(|number| ended(&first, number as u64)).collect();
        let swaps = at_once(&servers, |number, store| {
            let row = rows[number].clone();
            async move { store.compare_and_swap(1, &row).await }
        });
        let winner = winner(swaps.await);
        for store in &servers {
            assert_eq!(stored(store, &first).await, rows[winner]);
        }
    }
}

async fn one_of_several_inserts_of_one_id_is_made(place: Place) {
    let servers = servers(&place).await;
    for _ in 0..ROUNDS {
        let random = random();
        let rows: Vec<_> = (0..SERVERS)
            .map(|number| {
                let login = Login::new(format!("subject {number}"));
                machine().login(&login, 0, NOW, &random).unwrap().write.unwrap().row
            })
            .collect();
        let swaps = at_once(&servers, |number, store| {
            let row = rows[number].clone();
            async move { store.insert(&row).await }
        });
        let winner = winner(swaps.await);
        for (number, row) in rows.iter().enumerate() {
            assert_eq!(stored(&servers[0], row).await, rows[winner]);
            assert_eq!(servers[0].list(row.subject()).await.unwrap().contains(row), number == winner);
        }
    }
}

async fn bumps_of_one_epoch_are_all_counted(place: Place) {
    let servers = servers(&place).await;
    let told = at_once(&servers, |_, store| async move {
        let mut told = Vec::new();
        for _ in 0..ROUNDS {
            told.push(store.bump_epoch("ann").await.unwrap());
        }
        told
    });
    let told = told.await;
    // Each call got another number, and each server saw its numbers grow.
    assert!(told.iter().all(|told| told.is_sorted()));
    let all: BTreeSet<u64> = told.into_iter().flatten().collect();
    assert_eq!(all, (1..=(SERVERS * ROUNDS) as u64).collect());
    assert_eq!(servers[0].epoch("ann").await.unwrap(), (SERVERS * ROUNDS) as u64);
}

/// Each server writes all keys in another order, several of them twice.
async fn the_latest_of_several_denials_counts(place: Place) {
    let servers = servers(&place).await;
    let keys: Vec<DenyKey> = (0..20).map(|number| DenyKey::subject("ann", number)).collect();
    for round in 0..ROUNDS as u64 {
        let denied = at_once(&servers, |number, store| {
            let mut keys = keys.clone();
            keys.rotate_left(number * 5);
            keys.extend_from_within(..10);
            if number % 2 == 1 {
                keys.reverse();
            }
            async move { store.deny(&keys, later(round * 10 + number as u64)).await }
        });
        denied.await.into_iter().for_each(|denied| denied.unwrap());
        let latest = round * 10 + SERVERS as u64 - 1;
        servers[0].purge(later(latest)).await.unwrap();
        for key in &keys {
            assert!(Store::is_denied(&servers[1], &[*key]).await.unwrap());
        }
    }
    servers[0].purge(later(ROUNDS as u64 * 10)).await.unwrap();
    assert!(!Store::is_denied(&servers[1], &keys).await.unwrap());
}

/// A purge finds an expired row while an exchange renews it.
async fn a_row_that_moves_is_not_purged(place: Place) {
    let servers = servers(&place).await;
    for _ in 0..ROUNDS {
        let (first, moved) = exchanged_row("ann");
        assert_eq!(servers[0].insert(&first).await.unwrap(), Swap::Done);
        let now = first.purge_after().saturating_add(Duration::from_secs(1));
        assert!(moved.purge_after() > now);
        let swaps = at_once(&servers, |number, store| {
            let moved = moved.clone();
            async move {
                if number == 0 {
                    Some(store.compare_and_swap(1, &moved).await.unwrap())
                } else {
                    store.purge(now).await.unwrap();
                    None
                }
            }
        });
        // In either order, a swap that was made is not undone.
        let swapped = swaps.await[0] == Some(Swap::Done);
        let found = servers[1].load(first.session_id()).await.unwrap();
        assert_eq!(found.map(|loaded| loaded.row().clone()), swapped.then_some(moved.clone()));
        let listed = servers[1].list("ann").await.unwrap();
        assert_eq!(listed, Vec::from_iter(swapped.then_some(moved.clone())));
        servers[1].purge(later(1_000_000_000)).await.unwrap();
    }
}

async fn servers_that_start_together_all_start(place: Place) {
    let place = Arc::new(place);
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let place = place.clone();
            tokio::spawn(async move { place.open().await })
        })
        .collect();
    let row = random_row("ann");
    for (number, task) in tasks.into_iter().enumerate() {
        let swap = task.await.unwrap().insert(&row).await.unwrap();
        assert_eq!(swap == Swap::Done, number == 0);
    }
}

async fn a_caller_that_goes_away_breaks_nothing(place: Place) {
    let store = place.open().await;
    let row = random_row("ann");
    assert_eq!(store.insert(&row).await.unwrap(), Swap::Done);
    for _ in 0..200 {
        let call = async {
            tokio::join!(
                store.load(row.session_id()),
                store.bump_epoch("ann"),
                store.list("ann"),
                store.epoch("bob")
            )
        };
        tokio::select! {
            biased;
            _ = call => {}
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(stored(&store, &row).await, row);
    assert_eq!(store.compare_and_swap(1, &ended(&row, 0)).await.unwrap(), Swap::Done);
    assert_eq!(stored(&store, &row).await, ended(&row, 0));
    assert_eq!(store.list("ann").await.unwrap(), []);
}

/// Clients with two tabs each, over several servers: each session goes on, and its generation grows by one at a time.
async fn exchanges_of_many_sessions_lose_none(place: Place) {
    const CLIENTS: usize = 16;
    const EXCHANGES: u64 = 10;
    let servers: Vec<Arc<Sessions<DynStore>>> = servers(&place).await.into_iter().map(sessions).collect();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let tabs = [servers[number % SERVERS].clone(), servers[(number + 1) % SERVERS].clone()];
            tokio::spawn(async move {
                let login = Login::new(format!("subject {}", number / 2));
                let mut grant = tabs[0].login(&login).await.unwrap();
                for generation in 2..=EXCHANGES + 1 {
                    let text = grant.refresh_token().expose_secret();
                    let (one, other) = tokio::join!(
                        tabs[0].refresh(text, &Binding::None),
                        tabs[1].refresh(text, &Binding::None)
                    );
                    let (one, other) = (one.unwrap(), other.unwrap());
                    assert_eq!(one.refresh_token().expose_secret(), other.refresh_token().expose_secret());
                    let steps =
                        [&one, &other].iter().filter(|grant| grant.exchange() == Exchange::Rotated).count();
                    assert_eq!(steps, 1);
                    assert_eq!(one.row().generation(), generation);
                    grant = one;
                }
            })
        })
        .collect();
    for client in clients {
        client.await.unwrap();
    }
    for number in 0..CLIENTS / 2 {
        let living = servers[0].list(&format!("subject {number}")).await.unwrap();
        assert!(
            living.len() == 2 && living.iter().all(|row| row.generation() == EXCHANGES + 1),
            "{living:?}"
        );
    }
}

fn sessions(store: DynStore) -> Arc<Sessions<DynStore>> {
    let config = Config::builder("https://auth.example", "https://api.example").build().unwrap();
    let keys = MasterKeys::new(1, [7; 32]).unwrap();
    Arc::new(
        Sessions::new(config, keys, HmacKey::hs256(&SecretBytes::from_bytes([8; 32])).unwrap(), store)
            .unwrap(),
    )
}
