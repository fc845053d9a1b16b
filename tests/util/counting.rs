//! A global allocator that counts, for each thread, how often it allocates and how many bytes it holds. For test files that are
//! about nothing else.
#![allow(dead_code, reason = "no test file uses all of it")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
    static HELD: Cell<isize> = const { Cell::new(0) };
    static LARGEST: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system allocator unchanged; a counter beside it touches no memory of it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        hold(layout.size().cast_signed());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        hold(-layout.size().cast_signed());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        hold(size.cast_signed() - layout.size().cast_signed());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

fn count(size: usize) {
    // A thread that ends may free its locals first; what it allocates then is not ours.
    let _ = COUNT.try_with(|count| count.set(count.get() + 1));
    let _ = LARGEST.try_with(|largest| largest.set(largest.get().max(size)));
}

fn hold(bytes: isize) {
    let _ = HELD.try_with(|held| held.set(held.get() + bytes));
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `run` allocates on this thread.
pub(crate) fn allocations<T>(run: impl FnOnce() -> T) -> usize {
    let before = COUNT.with(Cell::get);
    let value = run();
    let after = COUNT.with(Cell::get);
    drop(value);
    after - before
}

/// The largest block, in bytes, that `run` allocates on this thread.
pub(crate) fn largest<T>(run: impl FnOnce() -> T) -> usize {
    LARGEST.with(|largest| largest.set(0));
    let value = run();
    let largest = LARGEST.with(Cell::get);
    drop(value);
    largest
}

/// How many bytes this thread holds that it did not before `run`.
pub(crate) fn held(run: impl FnOnce()) -> isize {
    let before = HELD.with(Cell::get);
    run();
    HELD.with(Cell::get) - before
}
