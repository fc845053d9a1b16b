//! Dropped HMAC keys leave nothing behind: read in memory as it is freed.
//!
//! A secret can be forged with from the SHA-256 states after its inner and outer key block as well as from the
//! secret itself, so those are looked for too. The states are computed here, apart from the crate under test.

use countersign::{Hs256Key, SecretBytes, SignKey};
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

/// The secret, and the two states that stand for it.
fn needles() -> [[u8; 32]; 3] {
    [SECRET, state_after(0x36), state_after(0x5c)]
}

/// The SHA-256 state after the key block XOR `pad`, as the hash keeps it: eight words of this machine.
fn state_after(pad: u8) -> [u8; 32] {
    let mut block = [pad; 64];
    for (byte, secret) in block.iter_mut().zip(SECRET) {
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
    let [_, inner, outer] = needles();
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
}
