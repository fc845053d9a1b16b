//! What the standard library would bring: memory, and an end for panics.

use crate::bare::print;
use alloc::format;
use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32;
use core::panic::PanicInfo;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    print(&format!("{info}"));
    wasm32::unreachable()
}

/// Memory is handed out from front to back and never taken back: the program ends before it is used up.
struct Bump {
    next: AtomicUsize,
    end: AtomicUsize,
}

const PAGE: usize = 1 << 16;

// SAFETY: what is handed out is aligned, inside memory that was asked for, and nobody else's.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // There are no threads.
        let start = self.next.load(Ordering::Relaxed).next_multiple_of(layout.align());
        let end = start + layout.size();
        if end > self.end.load(Ordering::Relaxed) {
            // A mebibyte more, so that small pieces seldom come here; what was left of the last one is lost.
            let pages = layout.size().div_ceil(PAGE) + 16;
            let old = wasm32::memory_grow(0, pages);
            if old == usize::MAX {
                return ptr::null_mut();
            }
            let start = old * PAGE;
            self.next.store(start + layout.size(), Ordering::Relaxed);
            self.end.store((old + pages) * PAGE, Ordering::Relaxed);
            return ptr::with_exposed_provenance_mut(start);
        }
        self.next.store(end, Ordering::Relaxed);
        ptr::with_exposed_provenance_mut(start)
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static MEMORY: Bump = Bump { next: AtomicUsize::new(0), end: AtomicUsize::new(0) };
