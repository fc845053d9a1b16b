//! Dropped HMAC keys leave nothing behind: read in memory as it is freed.
//!
//! A secret can be forged with from the SHA-256 states after its inner and outer key block as well as from the
//! secret itself, so those are looked for too. The states are computed here, apart from the crate under test.

#[path = "util/watching.rs"]
mod watching;

use countersign::{HmacKey, SecretBytes, SignKey};
use std::sync::OnceLock;
use watching::{leaks, living, state_after};

const SECRET: [u8; 32] = *b"\x11a secret of this test, 32 bytes";

/// Numbers of the RSA key that are looked for, in DER.
static PRIVATE: OnceLock<[u8; 32]> = OnceLock::new();

/// The secret, the two states that it can be replaced by, and a part of a private key.
fn needles() -> [[u8; 32]; 4] {
    let private = PRIVATE.get().copied().unwrap_or(SECRET);
    [SECRET, state_after(SECRET, 0x36), state_after(SECRET, 0x5c), private]
}

// One test, since it watches all threads.
#[test]
fn a_dropped_key_leaves_neither_its_secret_nor_its_hash_states() {
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
    #[cfg(feature = "rsa")]
    private_keys();
}

/// Also a file that turns out to be broken near its end.
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
