//! Dropped HMAC keys leave nothing behind: read in memory as it is freed.
//!
//! A secret can be forged with from the SHA-256 states after its inner and outer key block as well as from the
//! secret itself, so those are looked for too. The states are computed here, apart from the crate under test.

#[path = "util/watching.rs"]
mod watching;

use countersign::{HmacKey, SecretBytes, SignKey};
use watching::{leaks, living, state_after};

const SECRET: [u8; 32] = *b"\x11a secret of this test, 32 bytes";

/// The secret, and the two states that it can be replaced by.
fn needles() -> [[u8; 32]; 3] {
    [SECRET, state_after(SECRET, 0x36), state_after(SECRET, 0x5c)]
}

// One test, since it watches all threads.
#[test]
fn a_dropped_key_leaves_neither_its_secret_nor_its_states() {
    // The search works: a living key holds the states, and a secret that is not wiped is found.
    let (key, found) = living(|| HmacKey::hs256(&SecretBytes::from_bytes(SECRET)).unwrap());
    assert_eq!(found, 1, "the states are kept otherwise than this test thinks");
    assert_eq!(leaks(|| drop(SECRET.to_vec())), 1);

    assert_eq!(leaks(|| drop(key)), 0);
    assert_eq!(leaks(|| drop(SecretBytes::from(SECRET.to_vec()))), 0);
    let signs = Box::new(HmacKey::hs256(&SecretBytes::from_bytes(SECRET)).unwrap());
    assert_eq!(
        leaks(move || {
            signs.sign_bytes(b"input").unwrap();
            drop(signs);
        }),
        0
    );
    // Texts that are decoded on the way leave no copy.
    let text = "EWEgc2VjcmV0IG9mIHRoaXMgdGVzdCwgMzIgYnl0ZXM";
    assert_eq!(
        leaks(|| drop(Box::new(HmacKey::hs256(&SecretBytes::from_base64url(text).unwrap()).unwrap()))),
        0
    );
    assert_eq!(
        leaks(|| drop(Box::new(HmacKey::hs256(&SecretBytes::from_base64(text).unwrap()).unwrap()))),
        0
    );
}
