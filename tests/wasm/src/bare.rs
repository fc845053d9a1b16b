//! What the host gives.

mod host {
    unsafe extern "C" {
        pub safe fn host_print(text: *const u8, length: usize);
        pub safe fn host_random(bytes: *mut u8, length: usize);
    }
}

/// Prints a line.
pub fn print(line: &str) {
    host::host_print(line.as_ptr(), line.len());
}

/// Fills `bytes`; the host ends the program where it cannot.
pub fn random(bytes: &mut [u8]) {
    host::host_random(bytes.as_mut_ptr(), bytes.len());
}
