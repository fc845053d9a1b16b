//! Keys of identity providers for [`countersign`]: JWK sets and discovery over HTTP, refreshed while they are used.
//!
//! - [`RemoteKeys`] is the key set of one issuer. A [`Verifier`](countersign::Verifier) takes it, and never waits.
//! - [`RemoteVerifier`] also waits, at most for a deadline, for one shared fetch if a token's key is unknown.
//! - [`Issuers`] chooses among several of them by the `iss` of the token.
//! - [`Fetch`] is the HTTP client: `ReqwestFetch`, or yours.
//!
//! # Examples
//!
//! ```no_run
//! use countersign::Algorithm;
//! use countersign_jwks::{RemoteKeys, RemoteVerifier};
//!
//! # #[cfg(feature = "rustls")]
//! # async fn example(text: &str) -> Result<(), Box<dyn std::error::Error>> {
//! let issuer = "https://idp.example";
//! let keys = RemoteKeys::discover(issuer, &[Algorithm::Rs256]).await?;
//! let verifier = RemoteVerifier::new(keys, |policy| policy.issuer(issuer).audience("https://api.example"))?;
//! let token = verifier.verify::<()>(text).await?;
//! # Ok(())
//! # }
//! ```
//!
//! With axum, a middleware verifies the token of each request, and handlers take it as `Extension<Token<User>>`. The `Challenge`
//! also has the value of `WWW-Authenticate`:
//!
//! ```no_run
//! use axum::extract::{Request, State};
//! use axum::http::{StatusCode, header::AUTHORIZATION};
//! use axum::{Router, middleware, middleware::Next, response::Response};
//! use countersign::{Algorithm, http::{Challenge, bearer_token}};
//! use countersign_jwks::{RemoteKeys, RemoteVerifier};
//!
//! #[derive(Clone, serde::Deserialize)]
//! struct User { email: String }
//!
//! async fn verify(State(verifier): State<RemoteVerifier>, mut request: Request, next: Next) -> Result<Response, StatusCode> {
//!     let refuse = |challenge: Challenge| StatusCode::from_u16(challenge.status()).unwrap_or(StatusCode::UNAUTHORIZED);
//!     let values = request.headers().get_all(AUTHORIZATION);
//!     let text = bearer_token(values).map_err(|error| refuse(error.challenge()))?.to_owned();
//!     let token = verifier.verify::<User>(&text).await.map_err(|error| refuse(error.challenge()))?;
//!     request.extensions_mut().insert(token);
//!     Ok(next.run(request).await)
//! }
//!
//! # #[cfg(feature = "rustls")]
//! async fn protect(app: Router, issuer: &str) -> Result<Router, Box<dyn std::error::Error>> {
//!     let keys = RemoteKeys::discover(issuer, &[Algorithm::Rs256]).await?; // issuer + /.well-known/openid-configuration
//!     let verifier = RemoteVerifier::new(keys, |policy| policy.issuer(issuer).audience("https://api.example"))?;
//!     Ok(app.layer(middleware::from_fn_with_state(verifier, verify)))
//! }
//! ```
//!
//! # What it does
//!
//! - **A known key is never delayed.** A look-up reads the present keys without a lock, also while they are fetched.
//! - **An unknown key causes one fetch**, which all tokens share, and then none until the cooldown is over. A bad signature under
//!   a known key causes none.
//! - **An outage keeps the keys** until their hard age. Then tokens are refused with
//!   [`KeysUnavailable`](countersign::VerifyError::KeysUnavailable), a 503.
//! - **One entry that cannot be used loses only itself**, and is reported.
//! - **`Cache-Control`, `Age`, `Expires`, `ETag` and `Retry-After` count**, between a floor and a ceiling.
//! - **Only `https`**, except on this machine. No redirect to another origin, and limits on bytes, keys and time.
//!
//! The rules are those of [`Refresh`](countersign::jwk::Refresh), where [`RefreshConfig`](countersign::jwk::RefreshConfig) lists
//! the numbers.
//!
//! # Events
//!
//! Events of the crate `tracing` tell when a fetch began, succeeded or failed, when keys were replaced, and which entries were
//! skipped. They hold nothing of a token. [`RemoteKeys::status`] returns counters.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `reqwest` | yes | `ReqwestFetch`, over a client of yours; without `rustls` it brings in no TLS |
//! | `rustls` | yes | TLS with rustls and aws-lc-rs, which needs a C compiler, and the functions that need no client of yours |

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

#[cfg(all(doctest, feature = "rustls"))]
#[doc = include_str!("../README.md")]
struct Readme;

mod address;
mod engine;
mod error;
mod fetch;
mod issuers;
mod loaded;
mod location;
mod remote_keys;
mod remote_verifier;
#[cfg(feature = "reqwest")]
mod reqwest_fetch;
mod snapshot;
mod status;
mod task;

pub use error::Error;
pub use fetch::{BoxError, Fetch, Fetching, Request, Response};
pub use issuers::Issuers;
pub use remote_keys::{RemoteKeys, RemoteKeysBuilder};
pub use remote_verifier::RemoteVerifier;
#[cfg(feature = "reqwest")]
pub use reqwest_fetch::ReqwestFetch;
pub use snapshot::Snapshot;
pub use status::Status;
