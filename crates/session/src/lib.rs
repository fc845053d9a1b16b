//! Sessions: a short access token, a long refresh token, and an end to both.
//!
//! A login begins a session. Its access token is a JWT that application servers check by themselves; it ends after minutes.
//! Its refresh token is exchanged for the next pair, once: used again, it counts as stolen and the session ends, for that
//! device and no other. What is stored can be read by a thief and turned into nothing.
//!
//! - [`Sessions`] is what a login server calls: over a [`Store`] of yours, or [`MemoryStore`].
//! - [`AccessVerifier`] is what application servers call, with a denylist or without.
//! - [`Machine`] holds the rules as pure functions, without store, clock or runtime.
//! - [`contract`] checks a store of yours.
//!
//! When to use sessions, what a thief gets, and how to write a store: see the page
//! [sessions](crate::manual::sessions) of the manual.

pub(crate) mod access;
pub(crate) mod binding;
pub(crate) mod config;
pub mod contract;
pub(crate) mod denial;
pub(crate) mod error;
pub(crate) mod event;
pub(crate) mod grant;
pub(crate) mod id;
pub(crate) mod login;
pub(crate) mod machine;
pub(crate) mod master_keys;
#[cfg(feature = "std")]
pub(crate) mod memory;
pub(crate) mod refresh_token;
pub(crate) mod row;
pub(crate) mod row_bytes;
#[allow(clippy::module_inception, reason = "the type is what the module is named for")]
pub(crate) mod sessions;
pub(crate) mod store;
pub(crate) mod text;

pub use access::{AccessToken, AccessVerifier, RevocationVerifier};
pub use binding::{Binding, Fingerprint};
pub use config::{Config, ConfigBuilder, Grace, OnMismatch};
pub use denial::{Denial, DenyKey, DenyOrder};
pub use error::{
    AccessError, ConfigError, Error, Lifetime, ParseError, Reason, Recency, Refusal, RowError, StoreError,
};
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
