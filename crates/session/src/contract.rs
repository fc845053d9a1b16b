//! Checks that a store keeps its contract, for the tests of whoever writes one.
//!
//! [`check`] asks the store law by law, then runs sessions over it in every order that their store calls can come in: two
//! and three exchanges of one token at once, exchanges beside logouts, logins beside the end of all sessions, and crashes
//! between any two calls.
//!
//! It works on subjects of random names and at times around 2023, so a store with other content can be checked too. Clean it
//! up all the same: what is checked here stays behind.
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

/// Checks everything, with the operating system's randomness.
///
/// # Errors
///
/// The first [`Violation`] that is found.
#[cfg(feature = "getrandom")]
pub async fn check<S: Store>(store: &S) -> Result<Report, Violation> {
    check_with(store, countersign::SystemEntropy::new()).await
}

/// Checks everything, with randomness of yours. It has to differ from run to run if the store has been checked before.
///
/// # Errors
///
/// The first [`Violation`] that is found.
pub async fn check_with<S: Store>(store: &S, entropy: impl Entropy + 'static) -> Result<Report, Violation> {
    let kit = Kit::new(store, entropy)?;
    let mut report = Report::default();
    laws::check(&kit, &mut report).await?;
    races::check(&kit, &mut report).await?;
    crashes::check(&kit, &mut report).await?;
    Ok(report)
}

/// Runs this many exchanges of one refresh token at once, one at least, in every order that their store calls can come in,
/// and tells how many orders there are. [`check`] does it for two and three.
///
/// # Errors
///
/// The first [`Violation`] that is found.
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

/// Runs two logins of one subject at once where one session is allowed, in every order that their store calls can come in,
/// and tells how many orders there are: thousands, so [`check`] leaves it out.
///
/// # Errors
///
/// The first [`Violation`] that is found.
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
