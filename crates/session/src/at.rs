//! Calls at a time that the caller passes.

use countersign::UnixTime;

/// A value together with a time that replaces the wall clock: for tests, and for platforms without a clock.
///
/// Made by [`Sessions::at`](crate::Sessions::at), [`AccessVerifier::at`](crate::AccessVerifier::at) and
/// [`RevocationVerifier::at`](crate::RevocationVerifier::at). It has the methods of the inner value that need the time.
///
/// # Examples
///
/// ```
/// # use countersign_session::{Config, MasterKeys, MemoryStore, Sessions};
/// use countersign::{HmacKey, SecretBytes, UnixTime};
/// use countersign_session::{Login, blocking};
///
/// # let config = Config::builder("https://auth.example", "https://api.example").build()?;
/// # let keys = MasterKeys::new(1, [7; 32])?;
/// # let sessions = Sessions::new(config, keys, HmacKey::hs256(&SecretBytes::from_bytes([8; 32]))?, MemoryStore::new())?;
/// let new_year = UnixTime::from_secs(1_767_225_600);
/// let grant = blocking(sessions.at(new_year).login(&Login::new("ann")))?;
/// assert_eq!(grant.row().created_at(), new_year);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct At<'a, T> {
    pub(crate) inner: &'a T,
    pub(crate) now: UnixTime,
}

impl<'a, T> At<'a, T> {
    pub(crate) const fn new(inner: &'a T, now: UnixTime) -> Self {
        Self { inner, now }
    }
}

// Not derived, because a derive would require `T: Clone`.
impl<T> Clone for At<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for At<'_, T> {}
