//! A global allocator that searches blocks for secrets as they are freed. The test file that includes it has a function
//! `needles`, which returns what to look for.

use crate::needles;
use sha2::block_api::compress256;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// Whether blocks are searched as they are freed, and in how many something was found.
static WATCHING: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);
static FREED: AtomicUsize = AtomicUsize::new(0);

/// The blocks that [`living`] has seen allocated and not freed: address and size; zero for no block.
static BLOCKS: Mutex<[(usize, usize); 64]> = Mutex::new([(0, 0); 64]);
static RECORDING: AtomicBool = AtomicBool::new(false);

struct Watching;

/// Puts `new` in the place of `old`, if `old` is there.
fn replace(old: (usize, usize), new: (usize, usize)) {
    if let Some(place) = BLOCKS.lock().unwrap().iter_mut().find(|place| **place == old) {
        *place = new;
    }
}

// SAFETY: every call goes to the system allocator unchanged; freed blocks are only read, before they are freed.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, so that every byte of a block may be read.
        // SAFETY: the caller's promises are passed on.
        let block = unsafe { System.alloc_zeroed(layout) };
        if RECORDING.load(Ordering::SeqCst) {
            replace((0, 0), (block.addr(), layout.size()));
        }
        block
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if RECORDING.load(Ordering::SeqCst) {
            replace((pointer.addr(), layout.size()), (0, 0));
        }
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

/// The SHA-256 state after the key block XOR `pad`, as the hash keeps it: eight words of this machine.
pub(crate) fn state_after(key: [u8; 32], pad: u8) -> [u8; 32] {
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

/// What `make` made, and in how many of the blocks that belong to it something is found.
pub(crate) fn living<T>(make: impl FnOnce() -> T) -> (T, usize) {
    *BLOCKS.lock().unwrap() = [(0, 0); 64];
    RECORDING.store(true, Ordering::SeqCst);
    let made = make();
    RECORDING.store(false, Ordering::SeqCst);
    let blocks = *BLOCKS.lock().unwrap();
    let found = blocks.iter().filter(|(address, size)| {
        // SAFETY: the block is still allocated, of this size, and was zeroed when it was.
        *size > 0
            && needles().iter().any(|needle| {
                holds(unsafe { core::slice::from_raw_parts(*address as *const u8, *size) }, needle)
            })
    });
    (made, found.count())
}

/// In how many of the blocks that `run` frees something was found.
pub(crate) fn leaks(run: impl FnOnce()) -> usize {
    let (found, freed) = (FOUND.load(Ordering::SeqCst), FREED.load(Ordering::SeqCst));
    WATCHING.store(true, Ordering::SeqCst);
    run();
    WATCHING.store(false, Ordering::SeqCst);
    assert!(FREED.load(Ordering::SeqCst) > freed, "nothing was freed, so nothing was searched");
    FOUND.load(Ordering::SeqCst) - found
}
