//! Measures a request with an access token, and a refresh without the database.
//!
//! Run `cargo bench -p countersign-session`. The check of an access token is plain verification and a second read of the
//! payload; a denylist in memory adds one look-up. Without a denylist, no store is read.

use countersign::{HmacKey, SecretBytes, UnixTime, Verifier, VerifierBuilder};
use countersign_session::{
    AccessVerifier, Binding, Config, DenyKey, Login, MasterKeys, MemoryStore, Sessions, Store, blocking,
};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const ISSUER: &str = "https://auth.example.com";
const AUDIENCE: &str = "https://api.example.com";

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    name: String,
    role: String,
}

fn key() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes([7; 32])).unwrap()
}

fn policy() -> VerifierBuilder {
    Verifier::builder(key()).issuer(ISSUER).audience(AUDIENCE)
}

fn sessions(store: Arc<MemoryStore>) -> Sessions<Arc<MemoryStore>> {
    let config = Config::builder(ISSUER, AUDIENCE).build().unwrap();
    Sessions::new(config, MasterKeys::new(1, [1; 32]).unwrap(), key(), store).unwrap()
}

/// Returns a store with this many entries in its denylist.
fn store(denials: u64) -> Arc<MemoryStore> {
    let store = MemoryStore::new();
    let keys: Vec<DenyKey> = (0..denials).map(|number| DenyKey::subject("somebody", number)).collect();
    blocking(store.deny(&keys, NOW)).unwrap();
    Arc::new(store)
}

fn access(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("access");
    let binding = Binding::fingerprint("a cookie");
    let sessions = sessions(store(0));
    let login = Login::new("user-12345678").scope("read write");
    let user = || User { name: "Ann Example".into(), role: "administrator".into() };
    let text_of = |login: &Login| {
        let grant = blocking(sessions.at(NOW).login(login)).unwrap();
        sessions.access_token(&grant, &user()).unwrap()
    };
    let text = text_of(&login);
    let plain = policy().typ("at+jwt").build().unwrap();
    group.bench_function("verify", |bencher| {
        bencher.iter(|| plain.at(NOW).verify::<User>(black_box(&text)).unwrap());
    });
    let verifier = AccessVerifier::new(policy()).unwrap();
    group.bench_function("no-denylist", |bencher| {
        bencher.iter(|| verifier.at(NOW).verify::<User>(black_box(&text), &Binding::None).unwrap());
    });
    let bound = text_of(&login.binding(binding));
    group.bench_function("no-denylist-bound", |bencher| {
        bencher.iter(|| verifier.at(NOW).verify::<User>(black_box(&bound), &binding).unwrap());
    });
    for denials in [0, 1, 100_000] {
        let listed = verifier.clone().with_denylist(store(denials));
        group.bench_function(format!("denylist-{denials}"), |bencher| {
            bencher.iter(|| {
                let check = listed.at(NOW).verify::<User>(black_box(&text), &Binding::None);
                blocking(check).unwrap()
            });
        });
    }
    group.finish();
}

fn refresh(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("refresh");
    let sessions = sessions(store(0));
    let keys = MasterKeys::new(1, [1; 32]).unwrap();
    let grant = blocking(sessions.at(NOW).login(&Login::new("user-12345678"))).unwrap();
    let text = grant.refresh_token().expose_secret().to_owned();
    group.bench_function("authenticate", |bencher| {
        bencher.iter(|| keys.authenticate(black_box(&text)).unwrap());
    });
    let foreign = MasterKeys::new(1, [2; 32]).unwrap();
    group.bench_function("forged", |bencher| {
        bencher.iter(|| foreign.authenticate(black_box(&text)).unwrap_err());
    });
    group.bench_function("replay", |bencher| {
        blocking(sessions.at(NOW).refresh(&text, &Binding::None)).unwrap();
        bencher.iter(|| blocking(sessions.at(NOW).refresh(black_box(&text), &Binding::None)).unwrap());
    });
    group.bench_function("rotate", |bencher| {
        let mut text = blocking(sessions.at(NOW).login(&Login::new("ann")))
            .unwrap()
            .refresh_token()
            .expose_secret()
            .to_owned();
        bencher.iter(|| {
            let grant = blocking(sessions.at(NOW).refresh(&text, &Binding::None)).unwrap();
            grant.refresh_token().expose_secret().clone_into(&mut text);
        });
    });
    group.finish();
}

criterion_group!(benches, access, refresh);
criterion_main!(benches);
