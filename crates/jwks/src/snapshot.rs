//! A key set to begin with.

use countersign::UnixTime;

/// A key set with the time of its fetch, so that a program begins with the keys that it had when it ended.
///
/// # Security
///
/// Whatever can write it chooses the keys. Store it where only this program writes, and one for each issuer.
///
/// # Examples
///
/// ```
/// use countersign::UnixTime;
/// use countersign_jwks::Snapshot;
///
/// let before = Snapshot::new(r#"{"keys":[]}"#, UnixTime::from_secs(1_700_000_000));
/// let line = format!("{} {}", before.fetched_at().as_secs(), before.text()); // store this
/// let (time, text) = line.split_once(' ').unwrap();
/// assert_eq!(Snapshot::new(text, UnixTime::from_secs(time.parse()?)), before);
/// # Ok::<(), core::num::ParseIntError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    text: String,
    fetched_at: UnixTime,
}

impl Snapshot {
    /// Makes a snapshot of the text of a JWK set and the time at which it was fetched.
    #[must_use]
    pub fn new(text: impl Into<String>, fetched_at: UnixTime) -> Self {
        Self { text: text.into(), fetched_at }
    }

    /// Returns the text of the JWK set, as the issuer sent it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns when the set was fetched.
    #[must_use]
    pub const fn fetched_at(&self) -> UnixTime {
        self.fetched_at
    }
}
