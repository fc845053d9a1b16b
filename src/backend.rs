//! Turns key material into keys. There is one module for each library that does the arithmetic.

#[cfg(feature = "aws-lc-rs")]
pub mod aws_lc;
#[cfg(all(feature = "graviola", any(target_arch = "aarch64", target_arch = "x86_64")))]
pub mod graviola;
pub(crate) mod rust;
