//! Checks the blinding of RSA signatures in Rust: it changes no signature, and draws its randomness when it should.
#![cfg(feature = "rsa")]

mod util;

use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use countersign::{Algorithm, Entropy, EntropyError, PrivateKey, SignError, SignKey};
use rsa::pkcs1v15::SigningKey;
use rsa::pkcs8::DecodePrivateKey;
use rsa::signature::{SignatureEncoding, Signer};
use std::sync::Arc;
use util::{Counting, RSA_PRIVATE, rsa_signing_key};

/// A source that counts what it is asked for.
#[derive(Clone, Default)]
struct Watched(Arc<[AtomicUsize; 2]>);

impl Watched {
    /// Returns the number of calls, and the total number of bytes.
    fn asked(&self) -> [usize; 2] {
        [0, 1].map(|place| self.0[place].load(Ordering::Relaxed))
    }
}

impl Entropy for Watched {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.0[0].fetch_add(1, Ordering::Relaxed);
        self.0[1].fetch_add(bytes.len(), Ordering::Relaxed);
        Counting.fill(bytes)
    }
}

/// The blinding of a key is drawn for the first signature and for each 32nd after it.
#[test]
fn each_32nd_signature_draws_32_bytes() {
    let watched = Watched::default();
    let key = PrivateKey::from_pem(RSA_PRIVATE).unwrap().rs256_with(watched.clone()).unwrap();
    assert_eq!(watched.asked(), [0, 0]);
    for signature in 1..=100_usize {
        key.sign_bytes(b"x").unwrap();
        let drawn = if cfg!(feature = "std") { signature.div_ceil(32) } else { signature };
        assert_eq!(watched.asked(), [drawn, 32 * drawn], "{signature}");
    }
}

#[test]
fn each_pss_signature_draws_its_salt_too() {
    let private = PrivateKey::from_pem(RSA_PRIVATE).unwrap();
    for (algorithm, salt) in [(Algorithm::Ps256, 32), (Algorithm::Ps384, 48), (Algorithm::Ps512, 64)] {
        let watched = Watched::default();
        let key = private.signing_key_with(algorithm, watched.clone()).unwrap();
        for signature in 1..=3 {
            key.sign_bytes(b"x").unwrap();
            let drawn = if cfg!(feature = "std") { 1 } else { signature };
            assert_eq!(watched.asked(), [signature + drawn, salt * signature + 32 * drawn]);
        }
    }
}

/// RS256 has one signature for each message. The crate `rsa` computes it here without blinding.
#[test]
fn blinded_signatures_equal_those_without_blinding() {
    for pem in [
        RSA_PRIVATE,
        include_str!("data/rsa_2048_smaller_prime_first.pem"),
        include_str!("data/rsa_2050.pem"),
    ] {
        let plain = SigningKey::<sha2::Sha256>::new(rsa::PrivateKey::from_pkcs8_pem(pem).unwrap());
        let key = PrivateKey::from_pem(pem).unwrap().rs256_with(Counting).unwrap();
        for message in 0..70_u8 {
            let signature = key.sign_bytes(&[message]).unwrap();
            assert_eq!(signature.as_bytes(), plain.sign(&[message]).to_vec(), "{message}");
        }
    }
}

#[test]
fn many_threads_sign_with_one_key() {
    let watched = Watched::default();
    let key = PrivateKey::from_pem(RSA_PRIVATE).unwrap().rs256_with(watched.clone()).unwrap();
    let expected: Vec<_> =
        (0..8_u8).map(|message| rsa_signing_key().sign_bytes(&[message]).unwrap()).collect();
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for (message, expected) in (0..).zip(&expected).cycle().take(40) {
                    let signature = key.sign_bytes(&[message]).unwrap();
                    assert_eq!(signature.as_bytes(), expected.as_bytes());
                }
            });
        }
    });
    // 320 signatures need ten pairs. Threads that find none at the same time draw one each.
    assert!(watched.asked()[0] >= 10, "{:?}", watched.asked());
}

/// A source that fails for as long as it is told to.
#[derive(Clone, Default)]
struct Fragile(Arc<AtomicBool>);

impl Entropy for Fragile {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        if self.0.load(Ordering::Relaxed) { Err(EntropyError::new()) } else { Counting.fill(bytes) }
    }
}

#[test]
fn randomness_that_fails_for_a_while_leaves_the_key_usable() {
    let fragile = Fragile::default();
    let fail = |fails| fragile.0.store(fails, Ordering::Relaxed);
    let expected = rsa_signing_key().sign_bytes(b"x").unwrap();
    let key = PrivateKey::from_pem(RSA_PRIVATE).unwrap().rs256_with(fragile.clone()).unwrap();
    for _ in 0..3 {
        fail(true);
        for _ in 0..2 {
            assert_eq!(key.sign_bytes(b"x").unwrap_err(), SignError::Entropy);
        }
        fail(false);
        for _ in 0..32 {
            assert_eq!(key.sign_bytes(b"x").unwrap().as_bytes(), expected.as_bytes());
            // Only the first signature draws.
            fail(cfg!(feature = "std"));
        }
    }
}
