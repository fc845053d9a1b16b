//! Stores for the sessions of `countersign`. Each is one file, to use or to copy and change.
//!
//! The README of this package says how to write your own.

#![forbid(unsafe_code)]
// A store that stops blocks the logins of all users, so code that may panic does not compile.
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
        clippy::unwrap_used
    )
)]

#[cfg(all(doctest, feature = "sqlite"))]
#[doc = include_str!("../README.md")]
struct Readme;

#[cfg(not(any(feature = "postgres", feature = "redis", feature = "sqlite")))]
compile_error!("no store is chosen: switch on a feature, `postgres`, `redis` or `sqlite`");

mod connect;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "sqlite")]
mod sqlite;

pub use connect::connect;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
