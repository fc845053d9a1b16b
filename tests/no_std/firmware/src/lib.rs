//! What the programs share: the heap, the measuring of stack and heap, and text to and from the host.
//!
//! Nothing here formats text with `core::fmt`, so that its code counts where the library needs it.

#![no_std]

use core::alloc::{GlobalAlloc, Layout};
use core::mem::MaybeUninit;
use core::panic::PanicInfo;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};
use cortex_m::register::msp;
use countersign::{Entropy, EntropyError};
use embedded_alloc::LlffHeap;
use semihosting::io::{self, Read as _, Write as _};
use semihosting::process;

#[path = "../../src/vectors.rs"]
pub mod vectors;

/// How many bytes the heap has: more than any program uses.
const HEAP_BYTES: usize = 1 << 20;
/// What the unused stack is filled with.
const PAINT: u32 = 0xa5c3_965a;
/// How many words below the stack pointer are not painted, because the painting itself may use them. All calls that are
/// measured need more.
const UNPAINTED: usize = 64;

/// A heap that notes the most bytes that were allocated at the same time.
struct Counting {
    heap: LlffHeap,
    now: AtomicUsize,
    most: AtomicUsize,
}

#[global_allocator]
static HEAP: Counting =
    Counting { heap: LlffHeap::empty(), now: AtomicUsize::new(0), most: AtomicUsize::new(0) };

// SAFETY: every call goes to the heap.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = self.now.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        self.most.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { self.heap.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        self.now.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { self.heap.dealloc(pointer, layout) }
    }
}

/// Gives the heap its memory. Called once, before anything is allocated.
pub fn start() {
    static mut MEMORY: [MaybeUninit<u8>; HEAP_BYTES] = [MaybeUninit::uninit(); HEAP_BYTES];
    // SAFETY: the only use of this memory, once.
    unsafe { HEAP.heap.init(ptr::addr_of_mut!(MEMORY).expose_provenance(), HEAP_BYTES) };
}

/// Calls `run`, and returns how many bytes of stack it used, too.
#[inline(never)]
pub fn stack_of<T>(run: impl FnOnce() -> T) -> (T, usize) {
    // The stack grows from the end of the memory down to the end of the static data.
    let bottom = cortex_m_rt::heap_start();
    let top = ptr::with_exposed_provenance_mut::<u32>(msp::read() as usize);
    let mut word = bottom;
    while word < top.wrapping_sub(UNPAINTED) {
        // SAFETY: between the static data and the stack in use, nothing is stored.
        unsafe { word.write_volatile(PAINT) };
        word = word.wrapping_add(1);
    }
    let value = call(run);
    let mut word = bottom;
    // SAFETY: as above, and it was painted, except for the last words, which the call has used.
    while word < top && unsafe { word.read_volatile() } == PAINT {
        word = word.wrapping_add(1);
    }
    (value, top.addr() - word.addr())
}

/// Calls `run`. A function of its own, so that what `run` needs lies below the stack pointer that was read.
#[inline(never)]
fn call<T>(run: impl FnOnce() -> T) -> T {
    run()
}

/// Returns the most bytes that were allocated at the same time.
pub fn most_heap() -> usize {
    HEAP.most.load(Ordering::Relaxed)
}

/// Reads text from the host, without the line break at its end.
pub fn read(buffer: &mut [u8]) -> &str {
    let mut length = 0;
    let mut input = io::stdin().unwrap_or_else(|_| fail());
    loop {
        match input.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(_) => fail(),
        }
    }
    core::str::from_utf8(&buffer[..length]).unwrap_or_else(|_| fail()).trim_end()
}

/// Writes a line: the text, then the numbers.
pub fn write(text: &str, numbers: &[usize]) {
    let mut output = io::stdout().unwrap_or_else(|_| fail());
    let mut put = |bytes: &[u8]| output.write_all(bytes).unwrap_or_else(|_| fail());
    put(text.as_bytes());
    for number in numbers {
        // The digits of the largest number, and the space before them.
        let mut digits = [0; 11];
        let mut first = digits.len();
        let mut rest = *number;
        loop {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        first -= 1;
        digits[first] = b' ';
        put(&digits[first..]);
    }
    put(b"\n");
}

/// A source of randomness that repeats itself, in place of the one that a device has.
pub struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(7);
        Ok(())
    }
}

/// Ends the program as a success.
pub fn end() -> ! {
    process::exit(0)
}

/// Ends the program as a failure.
pub fn fail() -> ! {
    process::exit(1)
}

/// Says nothing about the reason, because its text would be in the flash.
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    process::exit(101)
}
