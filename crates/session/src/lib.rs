//! Access and refresh sessions on top of [`countersign`]: a short-lived access token, a long-lived refresh token, and a logout
//! that ends both.
//!
//! A login begins a session. Its access token is a JWT that application servers check without a store; it expires after
//! minutes. Its refresh token is exchanged once, for the next pair. A refresh token that is used again counts as stolen and
//! ends the session of that device, and no other. A thief cannot make a token from the content of the store.
//!
//! - [`Sessions`] is for login servers, over your own [`Store`] or `MemoryStore`.
//! - [`AccessVerifier`] is for application servers, with a denylist or without.
//! - [`Machine`] holds the rules as pure functions, without store, clock or runtime.
//! - `contract` (feature `contract`) checks your own store.
//!
//! The [manual] says when to use sessions, what a thief can do, and how to write a store.
//!
//! # Features
//!
//! | feature | default | |
//! |---|---|---|
//! | `std` | yes | the clock, and `MemoryStore`; without it: `no_std` and `alloc` |
//! | `getrandom` | yes | the system's randomness: no [`Entropy`](countersign::Entropy) from the caller |
//! | `contract` | no | the module `contract`, for the tests of a store |

#![no_std]
#![forbid(unsafe_code)]
// This library decides who stays logged in, so code that may panic does not compile.
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

#[cfg(all(doctest, feature = "std", feature = "getrandom"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(all(feature = "std", feature = "getrandom"))]
#[doc = include_str!("manual.md")]
pub mod manual {}

mod access;
mod at;
mod binding;
mod config;
mod confirmation;
#[cfg(feature = "contract")]
pub mod contract;
mod denial;
mod dyn_store;
mod error;
mod event;
mod grant;
mod id;
mod login;
mod machine;
mod master_keys;
#[cfg(feature = "std")]
mod memory;
mod refresh_token;
mod row;
mod row_bytes;
mod sessions;
mod store;
mod text;

pub use access::{AccessToken, AccessVerifier, RevocationVerifier};
pub use at::At;
pub use binding::{Binding, Fingerprint};
pub use config::{Config, ConfigBuilder, Grace, OnMismatch};
pub use denial::{Denial, DenyKey, DenyOrder};
pub use dyn_store::DynStore;
pub use error::{ConfigError, Error, Lifetime, Reason, Recency, Refusal, StoreError};
pub use event::{Event, EventKind, Observer};
pub use grant::{Exchange, Grant, Randomness};
pub use id::{SessionHash, SessionId};
pub use login::Login;
pub use machine::{Loaded, Machine, Step, Write};
pub use master_keys::MasterKeys;
#[cfg(feature = "std")]
pub use memory::MemoryStore;
pub use refresh_token::{AuthenticToken, RefreshToken};
pub use row::Row;
pub use sessions::{Ended, Sessions};
pub use store::{Blocking, BlockingStore, Denylist, Store, Swap, blocking};
