//! A crate on top of countersign, as authors of other crates would write it: it has no dependency but the two published
//! crates, with their default features.
//!
//! - [`module`]: a key pair in a security module, for signing and for verifying
//! - [`tenants`]: a source of keys for several tenants
//! - [`table`]: a store of sessions
//!
//! # What does not compile
//!
//! Each of these is followed by what is meant, which compiles.
//!
//! A public key as an HMAC secret, so that anybody who knows it could sign:
//!
//! ```compile_fail,E0308
//! use countersign::{HmacKey, KeyError, PublicKey};
//!
//! fn key(public: &PublicKey) -> Result<HmacKey, KeyError> {
//!     HmacKey::hs256(public)
//! }
//! ```
//!
//! ```
//! use countersign::{HmacKey, KeyError, SecretBytes};
//!
//! fn key(secret: &SecretBytes) -> Result<HmacKey, KeyError> {
//!     HmacKey::hs256(secret)
//! }
//! ```
//!
//! A public key with an HMAC algorithm:
//!
//! ```compile_fail,E0599
//! use countersign::{KeyError, PublicKey, VerifyingKey};
//!
//! fn key(public: &PublicKey) -> Result<VerifyingKey, KeyError> {
//!     public.hs256()
//! }
//! ```
//!
//! ```
//! use countersign::{KeyError, PublicKey, VerifyingKey};
//!
//! fn key(public: &PublicKey) -> Result<VerifyingKey, KeyError> {
//!     public.rs256()
//! }
//! ```
//!
//! A public key, or a key made of it, turned into a secret:
//!
//! ```compile_fail,E0277
//! use countersign::{PublicKey, SecretBytes};
//!
//! fn secret(public: PublicKey) -> SecretBytes {
//!     public.into()
//! }
//! ```
//!
//! ```compile_fail,E0277
//! use countersign::{HmacKey, VerifyingKey};
//!
//! fn key(verifying: VerifyingKey) -> HmacKey {
//!     verifying.into()
//! }
//! ```
//!
//! ```
//! use countersign::{Keys, SecretBytes, VerifyingKey};
//!
//! fn secret(bytes: Vec<u8>) -> SecretBytes {
//!     bytes.into()
//! }
//!
//! fn keys(verifying: VerifyingKey) -> Keys {
//!     verifying.into()
//! }
//! ```
//!
//! A verifying key that signs:
//!
//! ```compile_fail,E0277
//! use countersign::{Claims, SignError, VerifyingKey};
//!
//! fn token(key: &VerifyingKey) -> Result<String, SignError> {
//!     Claims::registered().never_expires().sign(key)
//! }
//! ```
//!
//! ```
//! use countersign::{Claims, SignError, SigningKey};
//!
//! fn token(key: &SigningKey) -> Result<String, SignError> {
//!     Claims::registered().never_expires().sign(key)
//! }
//! ```
//!
//! A private key in a verifier, which needs the public one only:
//!
//! ```compile_fail,E0277
//! use countersign::{SigningKey, Verifier, VerifierBuilder};
//!
//! fn builder(key: SigningKey) -> VerifierBuilder {
//!     Verifier::builder(key)
//! }
//! ```
//!
//! ```
//! use countersign::{SigningKey, Verifier, VerifierBuilder};
//!
//! fn builder(key: SigningKey) -> VerifierBuilder {
//!     Verifier::builder(key.verifying_key())
//! }
//! ```
//!
//! Key material, which has no algorithm yet, in a verifier:
//!
//! ```compile_fail,E0277
//! use countersign::{PublicKey, Verifier, VerifierBuilder};
//!
//! fn builder(public: PublicKey) -> VerifierBuilder {
//!     Verifier::builder(public)
//! }
//! ```
//!
//! ```
//! use countersign::{KeyError, PublicKey, Verifier, VerifierBuilder};
//!
//! fn builder(public: PublicKey) -> Result<VerifierBuilder, KeyError> {
//!     Ok(Verifier::builder(public.rs256()?))
//! }
//! ```
//!
//! A token that was not verified, where a verified one is needed:
//!
//! ```compile_fail,E0308
//! use countersign::{Token, Unverified, VerifyError};
//!
//! fn subject(token: &Token<()>) -> Option<&str> {
//!     token.subject()
//! }
//!
//! fn subject_of(text: &str) -> Result<Option<String>, VerifyError> {
//!     Ok(subject(&Unverified::parse(text)?).map(str::to_owned))
//! }
//! ```
//!
//! ```
//! use countersign::{Token, Verifier, VerifyError};
//!
//! fn subject(token: &Token<()>) -> Option<&str> {
//!     token.subject()
//! }
//!
//! fn subject_of(verifier: &Verifier, text: &str) -> Result<Option<String>, VerifyError> {
//!     Ok(subject(&verifier.verify(text)?).map(str::to_owned))
//! }
//! ```

pub mod module;
pub mod table;
pub mod tenants;
