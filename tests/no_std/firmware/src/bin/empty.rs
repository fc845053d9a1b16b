//! What `sign` and `verify` have without the library: the runtime, the heap, the measuring, and text to and from the host.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::string::String;

#[cortex_m_rt::entry]
fn main() -> ! {
    firmware::start();
    let mut buffer = [0; 8192];
    let text = firmware::read(&mut buffer);
    let (copy, stack) = firmware::stack_of(|| String::from(text));
    firmware::write(&copy, &[stack, firmware::most_heap()]);
    firmware::end()
}
