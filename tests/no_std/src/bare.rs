//! What a program needs that the standard library would otherwise bring: a way in and out, memory, and the
//! routines that the compiler calls by name. Linux on x86_64.

use alloc::format;
use core::alloc::{GlobalAlloc, Layout};
use core::arch::{asm, global_asm};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::ptr;
use core::sync::atomic::{AtomicUsize, Ordering};

// The kernel enters here, with an aligned stack and no return address.
global_asm!(
    ".globl _start",
    "_start:",
    "xor ebp, ebp",
    "call {main}",
    "ud2",
    main = sym crate::main,
);

// In assembly, since the compiler may turn a loop in Rust that copies bytes into a call of `memcpy`.
// The last two are named by `core` and `alloc`, which are compiled for unwinding; nothing here unwinds.
global_asm!(
    ".globl memcpy, memmove, memset, memcmp, bcmp, rust_eh_personality, _Unwind_Resume",
    "memcpy:",
    "mov rax, rdi",
    "mov rcx, rdx",
    "rep movsb",
    "ret",
    "memmove:",
    "mov rax, rdi",
    "mov rcx, rdx",
    "mov r8, rdi",
    "sub r8, rsi",
    "cmp r8, rdx",
    "jb 2f",
    "rep movsb",
    "ret",
    "2:",
    "lea rdi, [rdi + rdx - 1]",
    "lea rsi, [rsi + rdx - 1]",
    "std",
    "rep movsb",
    "cld",
    "ret",
    "memset:",
    "mov r8, rdi",
    "mov eax, esi",
    "mov rcx, rdx",
    "rep stosb",
    "mov rax, r8",
    "ret",
    "memcmp:",
    "bcmp:",
    "xor eax, eax",
    "xor ecx, ecx",
    "2:",
    "cmp rcx, rdx",
    "je 3f",
    "movzx eax, byte ptr [rdi + rcx]",
    "movzx r8d, byte ptr [rsi + rcx]",
    "inc rcx",
    "sub eax, r8d",
    "je 2b",
    "3:",
    "ret",
    "rust_eh_personality:",
    "_Unwind_Resume:",
    "ud2",
);

const WRITE: usize = 1;
const EXIT: usize = 60;
const GETRANDOM: usize = 318;

/// Returns what the kernel does; a negative number is an error.
///
/// # Safety
///
/// The arguments must be ones that this call may be given.
unsafe fn syscall(number: usize, first: usize, second: usize, third: usize) -> isize {
    let result;
    // SAFETY: the caller vouches for the arguments; `rcx` and `r11` are all that the kernel overwrites.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") first,
            in("rsi") second,
            in("rdx") third,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// Writes `text` to file 1 (output) or 2 (errors); what cannot be written is lost.
pub fn print(file: usize, text: &str) {
    // SAFETY: the kernel reads `text`, and no further.
    unsafe { syscall(WRITE, file, text.as_ptr().addr(), text.len()) };
}

/// Fills `bytes`, or says that it could not.
pub fn random(bytes: &mut [u8]) -> Result<(), ()> {
    for chunk in bytes.chunks_mut(256) {
        // SAFETY: the kernel writes into `chunk`, and no further. It fills up to 256 bytes whole.
        let filled = unsafe { syscall(GETRANDOM, chunk.as_mut_ptr().expose_provenance(), chunk.len(), 0) };
        if usize::try_from(filled) != Ok(chunk.len()) {
            return Err(());
        }
    }
    Ok(())
}

/// Ends the program.
pub fn exit(code: u8) -> ! {
    loop {
        // SAFETY: takes no pointer, and does not come back.
        unsafe { syscall(EXIT, code.into(), 0, 0) };
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    print(2, &format!("{info}\n"));
    exit(101)
}

/// Memory is handed out from front to back and never taken back: the program ends before it is used up.
struct Bump {
    arena: UnsafeCell<[u8; ARENA]>,
    used: AtomicUsize,
}

const ARENA: usize = 64 << 20;

// SAFETY: no byte of the arena is handed out twice.
unsafe impl Sync for Bump {}

// SAFETY: what is handed out is aligned, inside the arena, and nobody else's.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let base = self.arena.get().cast::<u8>();
        let mut used = self.used.load(Ordering::Relaxed);
        loop {
            let free = base.wrapping_add(used);
            let start = used + free.align_offset(layout.align());
            let end = start.saturating_add(layout.size());
            if end > ARENA {
                return ptr::null_mut();
            }
            match self.used.compare_exchange_weak(used, end, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return base.wrapping_add(start),
                Err(now) => used = now,
            }
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static MEMORY: Bump = Bump { arena: UnsafeCell::new([0; ARENA]), used: AtomicUsize::new(0) };
