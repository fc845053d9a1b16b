//! Keys in pure Rust, over the crates of RustCrypto.

pub(crate) mod hmac;
#[cfg(feature = "rsa-verify")]
mod rsa_padding;
#[cfg(feature = "rsa")]
pub(crate) mod rsa_sign;
#[cfg(feature = "rsa-verify")]
pub(crate) mod rsa_verify;
