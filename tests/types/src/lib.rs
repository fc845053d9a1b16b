//! Runs the code of the manual page on types in claims. The code needs crates that the core must not depend on, not even in
//! its tests, because their features of serde_json would reach those tests. So the core does not run this page in its own
//! doc tests.

#[cfg(doctest)]
#[doc = include_str!("../../../src/manual/types.md")]
struct Page;
