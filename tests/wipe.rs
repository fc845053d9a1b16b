//! Dropped HMAC keys leave nothing behind: read in memory as it is freed.
//!
//! A secret can be forged with from the SHA-256 states after its inner and outer key block as well as from the
//! secret itself, so those are looked for too. The states are computed here, apart from the crate under test.

use countersign::{Hs256Key, SecretBytes, SignKey};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sha2::block_api::compress256;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const SECRET: [u8; 32] = *b"\x11a secret of this test, 32 bytes";

/// Whether blocks are searched as they are freed, and in how many something was found.
static WATCHING: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);
static FREED: AtomicUsize = AtomicUsize::new(0);

struct Watching;

// SAFETY: every call goes to the system allocator unchanged; freed blocks are only read, before they are freed.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, so that every byte of a block may be read.
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if WATCHING.load(Ordering::SeqCst) {
            // SAFETY: the block is still allocated, of this size, and was zeroed when it was.
            let block = unsafe { core::slice::from_raw_parts(pointer, layout.size()) };
            FREED.fetch_add(1, Ordering::SeqCst);
            if needles().iter().any(|needle| holds(block, needle)) {
                FOUND.fetch_add(1, Ordering::SeqCst);
            }
        }
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Watching = Watching;

fn holds(block: &[u8], needle: &[u8]) -> bool {
    block.windows(needle.len()).any(|window| window == needle)
}

/// The secret, and the two states that stand for it; then the same of the keys that are derived of it as a master key.
fn needles() -> [[u8; 32]; 9] {
    let [of_macs, of_tags] = DERIVED.map(derived);
    let states = |key| [state_after(key, 0x36), state_after(key, 0x5c)];
    let [[a, b], [c, d], [e, f]] = [states(SECRET), states(of_macs), states(of_tags)];
    [SECRET, a, b, of_macs, c, d, of_tags, e, f]
}

const DERIVED: [&[u8]; 2] = [b"countersign/refresh/mac/1", b"countersign/refresh/tag/1"];

/// HKDF-SHA256, written out: RFC 5869 section 2.
fn derived(label: &[u8]) -> [u8; 32] {
    let hmac = |key: &[u8], parts: &[&[u8]]| -> [u8; 32] {
        let keyed = Hmac::<Sha256>::new_from_slice(key).unwrap();
        parts.iter().fold(keyed, |hmac, part| hmac.chain_update(part)).finalize().into_bytes().into()
    };
    let prk = hmac(b"countersign/refresh/keys/1", &[&SECRET]);
    hmac(&prk, &[label, &[1]])
}

/// The SHA-256 state after the key block XOR `pad`, as the hash keeps it: eight words of this machine.
fn state_after(key: [u8; 32], pad: u8) -> [u8; 32] {
    let mut block = [pad; 64];
    for (byte, secret) in block.iter_mut().zip(key) {
        *byte ^= secret;
    }
    let mut state: [u32; 8] = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    compress256(&mut state, &[block]);
    let mut bytes = [0; 32];
    for (place, word) in bytes.chunks_exact_mut(4).zip(state) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

/// In how many of the blocks that `run` frees something was found.
fn leaks(run: impl FnOnce()) -> usize {
    let (found, freed) = (FOUND.load(Ordering::SeqCst), FREED.load(Ordering::SeqCst));
    WATCHING.store(true, Ordering::SeqCst);
    run();
    WATCHING.store(false, Ordering::SeqCst);
    assert!(FREED.load(Ordering::SeqCst) > freed, "nothing was freed, so nothing was searched");
    FOUND.load(Ordering::SeqCst) - found
}

// One test, since it watches all threads.
#[test]
fn a_dropped_key_leaves_neither_its_secret_nor_its_states() {
    // The search works: a living key holds both states, and a secret that is not wiped is found.
    let key = Box::new(Hs256Key::from_bytes(SECRET).unwrap());
    let size = size_of_val(&*key);
    // SAFETY: the bytes of a living, boxed value; padding was zeroed with the block.
    let alive = unsafe { core::slice::from_raw_parts((&raw const *key).cast::<u8>(), size) }.to_vec();
    let [_, inner, outer, ..] = needles();
    assert!(
        holds(&alive, &inner) && holds(&alive, &outer),
        "the states are kept otherwise than this test thinks"
    );
    assert_eq!(leaks(|| drop(SECRET.to_vec())), 1);

    assert_eq!(leaks(|| drop(key)), 0);
    assert_eq!(leaks(|| drop(SecretBytes::from(SECRET.to_vec()))), 0);
    let signs = Box::new(Hs256Key::from_bytes(SECRET).unwrap());
    assert_eq!(
        leaks(move || {
            signs.sign_bytes(b"input").unwrap();
            drop(signs);
        }),
        0
    );
    // Texts that are decoded on the way leave no copy.
    let text = "EWEgc2VjcmV0IG9mIHRoaXMgdGVzdCwgMzIgYnl0ZXM";
    assert_eq!(leaks(|| drop(Box::new(Hs256Key::from_base64url(text).unwrap()))), 0);
    assert_eq!(leaks(|| drop(Box::new(Hs256Key::from_base64(text).unwrap()))), 0);
    #[cfg(feature = "session")]
    master_keys_too();
}

/// Their states live in a block of their own, which is freed with the last copy.
#[cfg(feature = "session")]
fn master_keys_too() {
    use countersign::session::MasterKeys;
    let keys = MasterKeys::new(1, SECRET).unwrap();
    assert_eq!(leaks(|| drop(keys)), 0);
    assert_eq!(leaks(|| drop(derived(DERIVED[0]).to_vec())), 1);
}
