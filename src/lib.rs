//! JSON Web Tokens ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)) that are safe by default: sign typed
//! claims, verify a token with one strict call, get your type back or the reason for a 401.
//!
//! ```
//! use core::time::Duration;
//! use countersign::{Claims, HmacKey, Verifier};
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct User { name: String, role: String }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let secret = vec![7; 32];
//! // The authentication server.
//! let key = HmacKey::hs256(&secret.into())?; // fewer than 32 bytes are an error; for text, see `SecretBytes`
//! let text = Claims::new(User { name: "Ann".into(), role: "admin".into() })
//!     .issuer("https://auth.example")
//!     .subject("user123")
//!     .audience("https://api.example")
//!     .expires_in(Duration::from_secs(15 * 60))
//!     .sign(&key)?;
//!
//! // The application server: built once, shared by reference.
//! let verifier = Verifier::builder(key)
//!     .issuer("https://auth.example")
//!     .audience("https://api.example")
//!     .build()?;
//! let token = verifier.verify::<User>(&text)?;
//! assert_eq!(token.subject(), Some("user123"));
//! assert_eq!(token.claims().role, "admin");
//! # Ok(())
//! # }
//! ```
//!
//! # What it refuses to do
//!
//! - Let a token choose its algorithm or key: one key has one algorithm for life, and the header is
//!   only compared with it. `none` does not exist; `jwk`, `jku`, `x5u` and `x5c` choose nothing.
//! - Take a weak, broken or mistaken key: HMAC secrets under 32 bytes, RSA under 2048 bits, a public key as a
//!   secret. The error comes when the key is made, not when the first token fails.
//! - Skip a check in silence: `exp` is required (clocks may differ by 30 s), what is configured is required, you have to decide on issuer and
//!   audience, and a claim of the wrong type is an error, never treated as missing.
//! - Accept two spellings of one token: base64url must be canonical, no name may stand twice at the top of the header
//!   or the claims, nothing may follow the JSON, and every `crit` entry must be understood.
//! - Panic, run `unsafe` code of its own, keep global state that anyone can set, read a clock or open a socket in its
//!   core.
//!
//! Encrypted tokens (JWE) are not here, nor is `none`, nor fetching keys over the network.
//!
//! # Keys
//!
//! | | signs | verifies |
//! |---|---|---|
//! | HS256 | [`HmacKey`] | [`HmacKey`] |
//! | RS256 (features `rsa`, `rsa-verify`) | [`SigningKey`], by `PrivateKey::rs256` | [`VerifyingKey`], by `PublicKey::rs256` |
//! | RS256 (feature `aws-lc-rs`) | `aws_lc::signing_key` | `aws_lc::verifying_key` |
//! | RS256 in an HSM or another library | [`SigningKey::custom`], or [`Claims::prepare`] | [`VerifyingKey::custom`] |
//! | HS256 in an HSM or another library | a [`SignKey`] of yours, or [`Claims::prepare`] | [`HmacKey`] |
//! | several, by `kid` | | [`KeySet`], or a [`KeySource`] of yours |
//!
//! # In a web server
//!
//! [`Verifier::verify_bearer`] takes the token from the request's `Authorization` headers. [`http`] also has cookies and the
//! check of origins. [`http::RequestError`] is the one error of them all, and its `challenge` is the HTTP answer: a status and
//! a `WWW-Authenticate` value. [`manual::axum`] shows an extractor.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `std` | yes | the clock: `Verifier::verify`, [`Claims::expires_in`]; faster base64url; without it: `no_std` and `alloc` |
//! | `rsa` | yes | signing with RS256, through the crate `rsa`; turns `rsa-verify` on |
//! | `rsa-verify` | yes | verifying RS256, without the crate `rsa` |
//! | `aws-lc-rs` | no | signing and verifying RS256 over AWS-LC, in C and assembly: the module `aws_lc` |
//! | `certificate` | no | public keys out of X.509 certificates, without any check of these: `PublicKey::from_certificate_pem` |
//! | `getrandom` | yes | the system's randomness, for new keys and for signing with RSA |
//!
//! HS256 is always there. No feature removes a check.
//!
//! Access and refresh sessions are a crate of their own: `countersign-session`.
//!
//! # Further
//!
//! - [`manual::keys`]: loading and rotating keys, JWK sets, several issuers
//! - [`manual::axum`]: an extractor for axum
//! - [`manual::types`]: types of other crates in claims
//! - [`manual::testing`]: testing code that verifies tokens
//! - [`manual::migrating`]: moving here from other crates
//! - [`manual::performance`]: what signing and verifying cost
//! - [`manual::attacks`] and [`manual::standards`]: what is refused and required, each with its tests

#![no_std]
#![forbid(unsafe_code)]
// This library decides who gets in, so code that may panic does not compile.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::panic_in_result_fn,
        clippy::string_slice,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]
// Import from `core` and `alloc` whatever does not need `std`.
#![warn(
    clippy::alloc_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::too_many_lines
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(all(doctest, feature = "std", feature = "rsa", feature = "getrandom"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod algorithm;
mod backend;
mod base64url;
mod claims;
mod error;
mod header;
pub mod http;
mod json;
pub mod jws;
mod key;
mod keyset;
mod limits;
pub mod manual;
mod numeric_date;
mod policy;
mod secret;
mod time;
mod verifier;

pub use algorithm::Algorithm;
#[cfg(feature = "aws-lc-rs")]
pub use backend::aws_lc;
pub use backend::rust::hmac::HmacKey;
pub use claims::{Audience, Claims};
pub use error::{
    EntropyError, Expected, FileMistake, KeyError, KeyFile, Part, PolicyError, SerdeMessage, SignError,
    SignatureError, Size, VerifyError,
};
pub use header::Header;
pub use jws::compact::Unverified;
pub use key::entropy::Entropy;
#[cfg(feature = "getrandom")]
pub use key::entropy::SystemEntropy;
#[cfg(feature = "private-keys")]
pub use key::material::PrivateKey;
#[cfg(feature = "key-files")]
pub use key::material::PublicKey;
pub use key::signature::Signature;
pub use key::{Identity, Key, SignKey, SigningKey, VerifyKey, VerifyingKey};
pub use keyset::{KeyRef, KeySet, KeySource, Keys};
pub use limits::Limits;
pub use secret::SecretBytes;
pub use time::UnixTime;
pub use verifier::{BorrowedToken, Buffer, Token, Verifier, VerifierAt, VerifierBuilder};
