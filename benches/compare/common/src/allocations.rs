//! Counts allocations: those made from Rust, and those of the whole process.

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

static COUNT: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often Rust code has allocated or reallocated so far.
pub(crate) fn from_rust() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

struct Counting;

/// A load and a store, because a locked addition would cost what is to be measured. No compared library
/// allocates from a second thread, so none is lost.
fn count() {
    COUNT.store(COUNT.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
}

// SAFETY: every call is handed on to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(block, layout, size) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        unsafe { System.dealloc(block, layout) }
    }
}

/// The count kept by the preloaded `count_malloc.c`, which sees C libraries too. It lies in a file that both
/// map or read, so that no foreign function has to be called.
pub(crate) struct OfProcess(File);

impl OfProcess {
    /// `None` where nothing was preloaded.
    pub(crate) fn open() -> Option<Self> {
        let path = std::env::var_os("COUNT_MALLOC_FILE")?;
        File::open(path).ok().map(Self)
    }

    pub(crate) fn count(&self) -> u64 {
        let mut count = [0; 8];
        self.0.read_exact_at(&mut count, 0).expect("count_malloc keeps eight bytes");
        u64::from_ne_bytes(count)
    }
}
