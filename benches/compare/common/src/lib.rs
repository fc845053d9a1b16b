//! What every compared library is given: the same claims, tokens and keys, and the same clock around its
//! calls.
//!
//! A library's package implements [`Hs256`] and [`Rs256`], adds a pair of calls for each other [`Algorithm`] that
//! it has, and its [`Bench`] serves the driver over standard input and output. Linking this crate also installs the
//! counting allocator.

mod algorithm;
mod allocations;
mod bench;
pub mod claims;
pub mod keys;
mod library;
pub mod tokens;

pub use algorithm::Algorithm;
pub use bench::Bench;
pub use library::{Hs256, Rs256, Sign, Verify};
