//! Keys in pure Rust, made with the crates of RustCrypto.

#[cfg(feature = "key-files")]
mod choice;
#[cfg(any(feature = "ecdsa", feature = "k256", feature = "p521"))]
pub(crate) mod ecdsa;
#[cfg(feature = "ed25519")]
pub(crate) mod ed25519;
pub(crate) mod hmac;
#[cfg(feature = "ml-dsa")]
pub(crate) mod ml_dsa;
#[cfg(feature = "rsa")]
mod rsa_blinding;
#[cfg(feature = "rsa-verify")]
mod rsa_padding;
#[cfg(feature = "rsa")]
pub(crate) mod rsa_sign;
#[cfg(feature = "rsa-verify")]
pub(crate) mod rsa_verify;
