//! Dropped master keys leave no secret and no derived key in memory: the test reads memory as it is freed.

#[path = "../../../tests/util/watching.rs"]
mod watching;

use countersign_session::MasterKeys;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use watching::{leaks, living, state_after};

const SECRET: [u8; 32] = *b"\x11a secret of this test, 32 bytes";
const LABELS: [&[u8]; 2] = [b"countersign/refresh/mac/1", b"countersign/refresh/tag/1"];

/// Returns the secret and the two keys derived from it, each with the two states that can replace it.
fn needles() -> [[u8; 32]; 9] {
    let [of_macs, of_tags] = LABELS.map(derived);
    let states = |key| [state_after(key, 0x36), state_after(key, 0x5c)];
    let [[a, b], [c, d], [e, f]] = [states(SECRET), states(of_macs), states(of_tags)];
    [SECRET, a, b, of_macs, c, d, of_tags, e, f]
}

/// Computes HKDF-SHA256 in full: RFC 5869 section 2.
fn derived(label: &[u8]) -> [u8; 32] {
    let hmac = |key: &[u8], parts: &[&[u8]]| -> [u8; 32] {
        let keyed = Hmac::<Sha256>::new_from_slice(key).unwrap();
        parts.iter().fold(keyed, |hmac, part| hmac.chain_update(part)).finalize().into_bytes().into()
    };
    let prk = hmac(b"countersign/refresh/keys/1", &[&SECRET]);
    hmac(&prk, &[label, &[1]])
}

// Only one test, because it watches all threads.
#[test]
fn dropped_master_keys_leave_neither_the_secret_nor_their_states() {
    // The search works: it finds a copy that is not wiped.
    assert_eq!(leaks(|| drop(SECRET.to_vec())), 1);
    assert_eq!(leaks(|| drop(derived(LABELS[0]).to_vec())), 1);

    let (keys, found) = living(|| MasterKeys::new(1, SECRET).unwrap());
    assert!(found > 0, "the states are kept in another form than this test expects");
    // The states have their own allocation, which is freed with the last clone.
    let copy = keys.clone();
    assert_eq!(leaks(|| drop((keys, Box::new(0)))), 0);
    assert_eq!(leaks(|| drop(copy)), 0);
    // Creating the keys leaves nothing either.
    assert_eq!(leaks(|| drop(MasterKeys::new(1, SECRET))), 0);
}
