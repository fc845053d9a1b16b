//! Checks that a store keeps its contract, for the tests of your own store.
//!
//! [`check`] tests the store law by law. Then it runs sessions over the store in every possible order of their store calls: two
//! and three concurrent exchanges of one token, exchanges with concurrent logouts, logins with a concurrent end of all
//! sessions, and crashes between any two calls.
//!
//! It uses subjects with random names and times around 2023, so it can also check a store that has other content. Clean the
//! store up afterwards, because the rows of the check remain in it.
//!
//! # Examples
//!
//! ```
//! use countersign_session::{MemoryStore, blocking, contract};
//!
//! // With an async store, under its runtime: `contract::check(&store).await`.
//! let report = blocking(contract::check(&MemoryStore::new()))?;
//! println!("{report}");
//! # Ok::<(), contract::Violation>(())
//! ```

pub(crate) mod crashes;
pub(crate) mod kit;
pub(crate) mod laws;
pub(crate) mod races;
pub(crate) mod schedule;

pub use kit::{Report, Violation};

use crate::contract::kit::Kit;
use crate::store::Store;
use countersign::Entropy;

/// Runs all checks, with the operating system's randomness.
///
/// # Errors
///
/// The first [`Violation`] found.
#[cfg(feature = "getrandom")]
pub async fn check<S: Store>(store: &S) -> Result<Report, Violation> {
    check_with(store, countersign::SystemEntropy::new()).await
}

/// Runs all checks, with your source of randomness. It must differ from run to run if the store has been checked before.
///
/// # Errors
///
/// The first [`Violation`] found.
pub async fn check_with<S: Store>(store: &S, entropy: impl Entropy + 'static) -> Result<Report, Violation> {
    let kit = Kit::new(store, entropy)?;
    let mut report = Report::default();
    laws::check(&kit, &mut report).await?;
    races::check(&kit, &mut report).await?;
    crashes::check(&kit, &mut report).await?;
    Ok(report)
}

/// Runs this many (at least one) concurrent exchanges of one refresh token in every possible order of their store calls.
/// Returns the number of orders. [`check`] does it for two and three.
///
/// # Errors
///
/// The first [`Violation`] found.
///
/// # Examples
///
/// ```
/// use countersign::SystemEntropy;
/// use countersign_session::{MemoryStore, blocking, contract};
///
/// let store = MemoryStore::new();
/// assert_eq!(blocking(contract::exchanges(&store, SystemEntropy::new(), 1))?, 1);
/// # Ok::<(), contract::Violation>(())
/// ```
pub async fn exchanges<S: Store>(
    store: &S,
    entropy: impl Entropy + 'static,
    callers: usize,
) -> Result<usize, Violation> {
    races::exchanges(&Kit::new(store, entropy)?, callers).await
}

/// Runs two concurrent logins of one subject that may have one session, in every possible order of their store calls. Returns
/// the number of orders. There are thousands, so [`check`] leaves it out.
///
/// # Errors
///
/// The first [`Violation`] found.
///
/// # Examples
///
/// ```
/// use countersign::SystemEntropy;
/// use countersign_session::{MemoryStore, blocking, contract};
///
/// assert!(blocking(contract::logins(&MemoryStore::new(), SystemEntropy::new()))? > 1_000);
/// # Ok::<(), contract::Violation>(())
/// ```
pub async fn logins<S: Store>(store: &S, entropy: impl Entropy + 'static) -> Result<usize, Violation> {
    races::two_logins_for_one(&Kit::new(store, entropy)?).await
}
