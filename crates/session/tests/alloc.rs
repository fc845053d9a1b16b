//! Counts allocations in calls that an attacker can make as often as it likes.
#![cfg(feature = "std")]

#[path = "../../../tests/util/counting.rs"]
mod counting;

use core::time::Duration;
use countersign::{Claims, Entropy, EntropyError, HmacKey, SecretBytes, UnixTime, Verifier, VerifierBuilder};
use countersign_session::{
    AccessVerifier, Binding, Config, Login, MasterKeys, MemoryStore, RefreshToken, Sessions, blocking,
};
use counting::{allocations, held};
use std::sync::Arc;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    name: String,
    role: String,
}

fn user() -> User {
    User { name: "Ann".into(), role: "admin".into() }
}

fn key() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes([7; 32])).unwrap()
}

fn policy() -> VerifierBuilder {
    Verifier::builder(key()).issuer("https://auth.example").audience("https://api.example")
}

/// Runs each call once, because one-time setup, such as the detection of the CPU's vector unit, must not count.
fn warm_up() {
    let claims = Claims::new(user()).issuer("https://auth.example").audience("https://api.example");
    let text = claims.issued_at(NOW).expires_in(Duration::from_secs(900)).sign(&key()).unwrap();
    policy().build().unwrap().at(NOW).verify::<User>(&text).unwrap();
}

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(7);
        Ok(())
    }
}

fn sessions(master: u8) -> Sessions<Arc<MemoryStore>> {
    let config = Config::builder("https://auth.example", "https://api.example").build().unwrap();
    let keys = MasterKeys::new(1, [master; 32]).unwrap();
    Sessions::new_with(config, keys, key(), Arc::new(MemoryStore::new()), Fixed)
}

#[test]
fn a_refresh_token_that_was_not_issued_here_allocates_nothing() {
    warm_up();
    let (ours, theirs) = (MasterKeys::new(1, [1; 32]).unwrap(), sessions(2));
    let grant = blocking(theirs.at(NOW).login(&Login::new("ann"))).unwrap();
    let text = grant.refresh_token().expose_secret();
    assert_eq!(allocations(|| ours.authenticate(text).is_err()), 0);
    let own = MasterKeys::new(1, [2; 32]).unwrap();
    assert_eq!(allocations(|| own.authenticate(text).is_ok()), 0);
    let (long, noise) = ("A".repeat(1 << 20), "v1.".to_owned() + &"/".repeat(RefreshToken::LENGTH - 3));
    for text in ["", "v1.", &long, &noise] {
        assert_eq!(allocations(|| ours.authenticate(text).is_err()), 0);
    }
}

#[test]
fn a_refused_exchange_allocates_nothing() {
    warm_up();
    let (ours, theirs) = (sessions(1), sessions(2));
    let grant = blocking(theirs.at(NOW).login(&Login::new("ann"))).unwrap();
    let text = grant.refresh_token().expose_secret();
    let refused = || blocking(ours.at(NOW).refresh(text, &Binding::None)).is_err();
    assert_eq!(allocations(refused), 0);
}

#[test]
fn the_check_of_an_access_token_allocates_no_more_than_verifying_does_with_a_denylist_too() {
    warm_up();
    let sessions = sessions(1);
    let binding = Binding::fingerprint("cookie");
    let login = Login::new("ann").scope("read").binding(binding);
    let grant = blocking(sessions.at(NOW).login(&login)).unwrap();
    let text = sessions.access_token(&grant, &user()).unwrap();
    let plain = policy().typ("at+jwt").build().unwrap();
    let expected = allocations(|| plain.at(NOW).verify::<User>(&text).unwrap());
    let access = AccessVerifier::new(policy()).unwrap();
    assert_eq!(allocations(|| access.at(NOW).verify::<User>(&text, &binding).unwrap()), expected);
    let listed = access.with_denylist(sessions.store().clone());
    let check = || blocking(listed.at(NOW).verify::<User>(&text, &binding)).unwrap();
    assert_eq!(allocations(check), expected);
}

/// Randomness that never repeats.
#[derive(Default)]
struct Counter(std::sync::atomic::AtomicU64);

impl Entropy for Counter {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        let number = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed).to_be_bytes();
        bytes.iter_mut().zip(number.iter().cycle()).for_each(|(byte, digit)| *byte = *digit);
        Ok(())
    }
}

#[test]
fn a_store_in_memory_gives_back_what_is_purged() {
    let store = Arc::new(MemoryStore::new());
    let config = Config::builder("https://auth.example", "https://api.example").build().unwrap();
    let keys = MasterKeys::new(1, [7; 32]).unwrap();
    let sessions = Sessions::new_with(config, keys, key(), store.clone(), Counter::default());
    let login = |number: usize| {
        let grant = blocking(sessions.at(NOW).login(&Login::new(format!("user{number}")))).unwrap();
        blocking(sessions.at(NOW).logout(grant.refresh_token().expose_secret())).unwrap();
    };
    let filled = held(|| (0..5000).for_each(login));
    assert!(filled > 1_000_000, "{filled}");
    let year = Duration::from_secs(400 * 24 * 3600);
    let purged = held(|| blocking(sessions.at(NOW.saturating_add(year)).purge()).unwrap());
    assert!(filled + purged < filled / 100, "{filled} bytes, of which {} are given back", -purged);
}
