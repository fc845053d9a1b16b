//! Runs the code of the manual page on tokens for other servers. The code needs crates that the core must not depend on.

#[cfg(doctest)]
#[doc = include_str!("../../../src/manual/servers.md")]
struct Page;
