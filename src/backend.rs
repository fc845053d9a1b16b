//! Turns key material into keys. There is one module for each library that does the arithmetic.

#[cfg(feature = "aws-lc-rs")]
pub mod aws_lc;
pub(crate) mod rust;
