//! Measures look-ups of known keys.

fn main() {}
