//! Checks that dropped HMAC keys leave no secrets in memory. The memory is searched while it is freed.
//!
//! The SHA-256 states after the inner and the outer key block are enough to forge signatures, so they are searched for too.
//! This file computes the states without the crate under test.

#[path = "util/watching.rs"]
mod watching;

use countersign::{HmacKey, SecretBytes, SignKey};
use std::sync::OnceLock;
use watching::{leaks, living, state_after};

const SECRET: [u8; 32] = *b"\x11a secret of this test, 32 bytes";

/// A part of the private numbers of the RSA key, in DER.
static PRIVATE: OnceLock<[u8; 32]> = OnceLock::new();

/// Returns the bytes to search for: the secret, the two states that can replace it, and a part of a private key.
fn needles() -> [[u8; 32]; 4] {
    let private = PRIVATE.get().copied().unwrap_or(SECRET);
    [SECRET, state_after(SECRET, 0x36), state_after(SECRET, 0x5c), private]
}

// There is only one test in this file, because it watches all threads.
#[test]
fn a_dropped_key_leaves_neither_its_secret_nor_its_hash_states() {
    // The search works: a living key holds the states, and a secret that is not wiped is found.
    let (key, found) = living(|| HmacKey::hs256(&SecretBytes::from_bytes(SECRET)).unwrap());
    assert_eq!(found, 1, "the key keeps its states in another form than this test expects");
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
    // Decoding a text leaves no copy.
    let text = "EWEgc2VjcmV0IG9mIHRoaXMgdGVzdCwgMzIgYnl0ZXM";
    assert_eq!(
        leaks(|| drop(Box::new(HmacKey::hs256(&SecretBytes::from_base64url(text).unwrap()).unwrap()))),
        0
    );
    assert_eq!(
        leaks(|| drop(Box::new(HmacKey::hs256(&SecretBytes::from_base64(text).unwrap()).unwrap()))),
        0
    );
    #[cfg(feature = "rsa")]
    private_keys();
}

/// Checks private keys, also a file with an error near its end.
#[cfg(feature = "rsa")]
fn private_keys() {
    use countersign::PrivateKey;

    let pem = include_str!("data/rfc7515_a2.pem");
    let key = PrivateKey::from_pem(pem).unwrap();
    let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
    let der = SecretBytes::from_base64(&body).unwrap();
    PRIVATE.set(der.expose_secret()[1000..1032].try_into().unwrap()).unwrap();
    assert_eq!(leaks(|| drop(der.expose_secret().to_vec())), 1);

    assert_eq!(leaks(|| drop(key)), 0);
    assert_eq!(leaks(|| drop(PrivateKey::from_pem(pem).unwrap())), 0);
    assert_eq!(leaks(|| drop(PrivateKey::from_der(der.expose_secret()).unwrap())), 0);
    let end = pem.find("-----END").unwrap() - 7;
    let broken = format!("{}*{}", &pem[..end], &pem[end + 1..]);
    assert_eq!(leaks(|| assert!(PrivateKey::from_pem(&broken).is_err())), 0);
}
