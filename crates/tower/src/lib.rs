//! Bearer tokens for [tower](https://docs.rs/tower) services and [axum](https://docs.rs/axum) handlers, verified by
//! [`countersign`].
//!
//! - [`Bearer`] is an argument of an axum handler: a verified token with your claims. `Option<Bearer<T>>` allows requests
//!   without a token.
//! - [`Allowed`] is such an argument, too, and also needs a role or a scope, by your [`Authorize`].
//! - [`BearerLayer`] puts a verified token in front of any tower service: hyper, tonic, or a whole axum router.
//! - [`Authenticate`] is the verifier: those of the crates of countersign, or yours. [`Guard`] adds a cookie and a realm to one.
//! - [`Refused`] is the answer to all other requests: 400, 401, 403 or 503, with its headers and a stable code.
//!
//! The [manual] has recipes: cookies, CORS, WebSockets, logs, and more.
//!
//! # Examples
//!
//! ```
//! use axum::{Router, routing::get};
//! use countersign::{HmacKey, SecretBytes, Verifier};
//! use countersign_tower::Bearer;
//!
//! #[derive(serde::Deserialize)]
//! struct User { name: String }
//!
//! async fn hello(Bearer(token): Bearer<User>) -> String {
//!     format!("Hello, {}.", token.claims().name)
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
//! let verifier = Verifier::builder(key).issuer("https://auth.example").audience("https://api.example").build()?;
//! let app = Router::<Verifier>::new().route("/", get(hello)).with_state(verifier);
//! # let _: Router = app;
//! # Ok(())
//! # }
//! ```
//!
//! # What it checks
//!
//! A request has exactly one `Authorization` header with one bearer token, and the verifier accepts the token. A token that is
//! bound to a key or a certificate (`cnf`) is refused, except by a verifier that checks the binding. A token is never read from the
//! URL or from a form ([RFC 6750 section 2.3](https://www.rfc-editor.org/rfc/rfc6750#section-2.3)).
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `axum` | yes | `Bearer`, `Allowed` and `Authorize`, for axum 0.8 |
//! | `cache` | no | `CachedVerifier` of countersign as a verifier |
//! | `jwks` | no | `RemoteVerifier` and `Issuers` of countersign-jwks as verifiers |
//! | `session` | no | `AccessVerifier` and `RevocationVerifier` of countersign-session as verifiers |

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
#![warn(clippy::std_instead_of_core, clippy::too_many_lines)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(all(doctest, feature = "axum", feature = "jwks"))]
#[doc = include_str!("../README.md")]
struct Readme;

// The code of these recipes needs all features.
#[cfg_attr(
    any(not(doctest), all(feature = "axum", feature = "cache", feature = "session")),
    doc = include_str!("manual.md")
)]
pub mod manual {}

mod authenticate;
#[cfg(feature = "axum")]
mod extract;
mod guard;
#[cfg(feature = "jwks")]
mod jwks;
mod layer;
mod refused;
#[cfg(feature = "session")]
mod session;

pub use authenticate::Authenticate;
#[cfg(feature = "axum")]
pub use extract::{Allowed, Authorize, Bearer};
pub use guard::Guard;
pub use layer::{BearerLayer, BearerService};
pub use refused::Refused;
