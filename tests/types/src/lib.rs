//! The manual page on types in claims. Its code needs crates that the core must not depend on, not even in its tests,
//! because their features of serde_json would reach those tests. So the core leaves the page out of its own doc tests.

#[cfg(doctest)]
#[doc = include_str!("../../../src/manual/types.md")]
struct Page;
