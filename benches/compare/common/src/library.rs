//! What a library's package says of it.

use crate::claims::Size;
use crate::keys::KeyPair;
use std::fmt::Debug;

/// How a library does what is asked of all. Each function prepares what the library allows to prepare, and
/// returns the call that is measured.
pub trait Hs256 {
    /// Signs seven claims.
    fn sign(size: Size) -> impl Sign + 'static;

    /// Verifies a token with seven claims, with its `iss`, `aud` and `exp`.
    fn verify() -> impl Verify + 'static;

    /// Signs one private claim and `exp`.
    fn sign_tiny() -> impl Sign + 'static;

    /// Verifies a token with one private claim, with its `exp`.
    fn verify_tiny() -> impl Verify + 'static;
}

/// The same for RS256.
pub trait Rs256 {
    /// Signs seven typical claims.
    fn sign(key: KeyPair) -> impl Sign + 'static;

    /// Verifies a token with seven typical claims, with its `iss`, `aud` and `exp`.
    fn verify(key: KeyPair) -> impl Verify + 'static;
}

/// A call that signs a token.
pub trait Sign {
    /// Makes the token.
    ///
    /// # Errors
    ///
    /// If the library does not sign.
    fn sign(&mut self) -> Result<String, impl Debug>;
}

impl<E: Debug, F: FnMut() -> Result<String, E>> Sign for F {
    fn sign(&mut self) -> Result<String, impl Debug> {
        self()
    }
}

/// A call that verifies a token and hands out its claims.
pub trait Verify {
    /// What the library gives its caller.
    type Verified;

    /// Checks the token.
    ///
    /// # Errors
    ///
    /// If the library refuses it.
    fn verify(&mut self, token: &str) -> Result<Self::Verified, impl Debug>;
}

impl<T, E: Debug, F: FnMut(&str) -> Result<T, E>> Verify for F {
    type Verified = T;

    fn verify(&mut self, token: &str) -> Result<T, impl Debug> {
        self(token)
    }
}
