//! Signs and verifies JSON Web Tokens ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)).
//!
//! [`Claims`] signs: it writes the registered claims next to the fields of your own type. [`Verifier`] verifies: one call
//! checks everything and returns a [`Token`] with your type, or a [`VerifyError`] that names the first check that failed.
//!
//! # Examples
//!
//! A token is accepted only by the service that it was made for:
//!
//! ```
//! use core::time::Duration;
//! use countersign::{Claims, HmacKey, Verifier, VerifyError};
//!
//! #[derive(serde::Serialize, serde::Deserialize)]
//! struct Plan { seats: u32 }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = HmacKey::hs256(&vec![7; 32].into())?;
//! let text = Claims::new(Plan { seats: 5 })
//!     .issuer("https://auth.example")
//!     .audience("https://billing.example")
//!     .expires_in(Duration::from_secs(15 * 60))
//!     .sign(&key)?;
//!
//! let service = |audience| Verifier::builder(key.clone()).issuer("https://auth.example").audience(audience).build();
//! let token = service("https://billing.example")?.verify::<Plan>(&text)?;
//! assert_eq!(token.claims().seats, 5);
//! let error = service("https://mail.example")?.verify::<Plan>(&text).unwrap_err();
//! assert!(matches!(error, VerifyError::WrongAudience { .. }));
//! # Ok(())
//! # }
//! ```
//!
//! # What it refuses
//!
//! - **A token that chooses its algorithm or key.** A key has one algorithm for life, and the header is only compared with it.
//!   `none` does not exist. The parameters `jwk`, `jku`, `x5u` and `x5c` have no effect, except `jwk` in a DPoP proof, which an access
//!   token names by its thumbprint.
//! - **A weak, broken or mistaken key.** HMAC secrets shorter than the hash, RSA keys under 2048 bits, and public keys used as a
//!   secret are errors when the key is made, not when the first token fails.
//! - **A check that is skipped in silence.** `exp` is required. Every claim that you configure is required. You have to
//!   decide on the issuer and the audience. A claim of the wrong type is an error and never counts as missing. Clocks may
//!   differ by 30 seconds.
//! - **Two spellings of one token.** base64url must be canonical. A name must not occur twice at the top of the header or the
//!   claims. Nothing may follow the JSON. Every `crit` entry must be understood.
//!
//! A method that loosens a check says so in its name, such as `allow_missing_expiration`, so that a reviewer sees it.
//!
//! The library does not panic, has no `unsafe` code of its own and keeps no global state that can be set. Its core does not
//! read a clock or open a socket.
//!
//! # Where to find what
//!
//! | to | use |
//! |---|---|
//! | make an HMAC key | [`HmacKey`], from [`SecretBytes`] |
//! | make keys of a key pair (features `rsa`, `ecdsa`, `ed25519`, `p521`, `k256`, `ml-dsa`) | `PrivateKey::es256` or `signing_key`, which make a [`SigningKey`]; `PublicKey::es256` or `verifying_key`, which make a [`VerifyingKey`] |
//! | read the public key of an X.509 certificate (feature `certificate`) | `PublicKey::from_certificate_pem`, which checks nothing else |
//! | read and write JSON Web Keys, and compute thumbprints | the module [`jwk`] |
//! | let AWS-LC do the arithmetic (feature `aws-lc-rs`) | `aws_lc::signing_key`, `aws_lc::verifying_key` |
//! | let graviola do the arithmetic (feature `graviola`) | `graviola::signing_key`, `graviola::verifying_key` |
//! | sign in an HSM, a KMS or another library | [`Claims::prepare`], [`SigningKey::custom`], or your own [`SignKey`] |
//! | verify in an HSM, a KMS or another library | [`VerifyingKey::custom`] |
//! | verify with several keys, found by `kid` | [`KeySet`], or your own [`KeySource`] |
//! | verify a token that comes again without its signature (feature `cache`) | `CachedVerifier` |
//! | verify the token of an HTTP request | [`Verifier::verify_bearer`] |
//! | answer a refused request, use cookies, check origins | the module [`http`] |
//! | verify ID tokens of OpenID Connect, and access tokens of RFC 9068; DPoP | the module [`profile`] |
//! | sign bytes that are not claims | the module [`jws`] |
//! | require tokens in axum, hyper or tonic | the crate `countersign-tower` |
//! | issue access and refresh tokens for sessions | the crate `countersign-session` |
//!
//! The [README](https://docs.rs/crate/countersign/latest) lists the features, the supported algorithms and the limitations.
//!
//! # Guides
//!
//! - [`manual::algorithms`]: which algorithm to choose, and what each needs
//! - [`manual::keys`]: how to load and rotate keys, read JWK sets, and trust several issuers
//! - [`manual::providers`]: verifiers for Google, Entra, Auth0, Cognito, Keycloak and others
//! - [`manual::servers`]: tokens for HAProxy, Dovecot, RabbitMQ, a container registry and other servers
//! - [`manual::profiles`]: which rules each kind of token has, and recipes for more of them
//! - [`manual::axum`]: how to require a token in axum
//! - [`manual::types`]: which types to use for claims
//! - [`manual::testing`]: how to test code that verifies tokens
//! - [`manual::migrating`]: how to move here from other crates
//! - [`manual::caching`]: when to keep verified tokens
//! - [`manual::performance`]: what signing and verifying cost
//! - [`manual::attacks`] and [`manual::standards`]: each rule with its tests

#![no_std]
#![forbid(unsafe_code)]
// This library decides who gets access, so code that may panic does not compile.
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
// Import from `core` and `alloc` everything that does not need `std`.
#![warn(
    clippy::alloc_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    clippy::too_many_lines
)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// What only some algorithms use is unused in a build without them. The build with all features finds what nothing uses.
#![cfg_attr(
    not(all(
        feature = "aws-lc-rs",
        feature = "ecdsa",
        feature = "ed25519",
        feature = "k256",
        feature = "ml-dsa",
        feature = "p521",
        feature = "rsa"
    )),
    allow(dead_code)
)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

#[cfg(all(doctest, feature = "std", feature = "rsa", feature = "getrandom"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod algorithm;
mod backend;
mod base64url;
#[cfg(feature = "cache")]
mod cache;
mod claims;
mod error;
mod header;
pub mod http;
mod json;
#[cfg(feature = "key-files")]
pub mod jwk;
pub mod jws;
mod key;
mod keyset;
mod limits;
pub mod manual;
mod numeric_date;
mod policy;
pub mod profile;
mod secret;
mod time;
mod verifier;

pub use algorithm::Algorithm;
#[cfg(feature = "aws-lc-rs")]
pub use backend::aws_lc;
#[cfg(all(feature = "graviola", any(target_arch = "aarch64", target_arch = "x86_64")))]
pub use backend::graviola;
pub use backend::rust::hmac::HmacKey;
#[cfg(feature = "cache")]
pub use cache::CachedVerifier;
pub use claims::{Audience, Claims};
#[cfg(feature = "key-files")]
pub use error::FileMistake;
pub use error::{
    EntropyError, Expected, KeyError, KeyFile, Part, PolicyError, SerdeMessage, SignError, SignatureError,
    Size, VerifyError,
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
