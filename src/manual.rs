//! Guides: how to do things with this crate, and why it works as it does.

#[doc = include_str!("manual/algorithms.md")]
pub mod algorithms {}

#[doc = include_str!("manual/attacks.md")]
pub mod attacks {}

#[doc = include_str!("manual/axum.md")]
pub mod axum {}

// The code of this page needs the feature.
#[cfg_attr(any(not(doctest), feature = "cache"), doc = include_str!("manual/caching.md"))]
pub mod caching {}

#[doc = include_str!("manual/keys.md")]
pub mod keys {}

// `tests/migrating` compiles and runs the code of the second part, because it uses other crates.
#[doc = include_str!("manual/migrating.md")]
#[cfg_attr(not(doctest), doc = include_str!("manual/migrating_peers.md"))]
pub mod migrating {}

#[doc = include_str!("manual/performance.md")]
pub mod performance {}

#[doc = include_str!("manual/profiles.md")]
pub mod profiles {}

#[doc = include_str!("manual/providers.md")]
pub mod providers {}

// `tests/servers` compiles and runs the code of this page, because it uses other crates.
#[cfg_attr(not(doctest), doc = include_str!("manual/servers.md"))]
pub mod servers {}

#[doc = include_str!("manual/standards.md")]
pub mod standards {}

#[doc = include_str!("manual/testing.md")]
pub mod testing {}

// `tests/types` compiles and runs the code of this page, because it uses other crates.
#[cfg_attr(not(doctest), doc = include_str!("manual/types.md"))]
pub mod types {}
