//! The entries of the denylist.

use crate::id::SessionId;
use crate::text;
use core::fmt;
use core::time::Duration;
use countersign::UnixTime;

/// The maximum leeway of an access token's verifier. Denials are kept this long, so [`AccessVerifier`](crate::AccessVerifier)
/// refuses a policy with more.
pub(crate) const MOST_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// A key of the denylist: one access token, one session, or the sessions that a subject began in one epoch.
///
/// Every key has 32 bytes, so that any store can hold it in one column; the name of a subject is hashed. Its `Display` is
/// base64url text, 43 characters.
///
/// # Examples
///
/// ```
/// use countersign_session::{DenyKey, SessionId};
///
/// let session = DenyKey::session(SessionId::from_bytes([7; 16]));
/// assert_eq!(session.as_bytes().len(), 32);
/// assert_ne!(session, DenyKey::access_token("BwcHBwcHBwcHBwcHBwcHBw"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DenyKey([u8; 32]);

impl DenyKey {
    /// Creates the key of one access token, from its `jti`.
    #[must_use]
    pub fn access_token(jti: &str) -> Self {
        // The ids of this crate have 16 bytes and need no hash.
        text::decode(jti).map_or_else(
            || Self::hashed(2, &[b"countersign/deny/jti/1", jti.as_bytes()]),
            |jti| Self::plain(1, jti),
        )
    }

    /// Creates the key of all access tokens of a session.
    #[must_use]
    pub fn session(session: SessionId) -> Self {
        Self::plain(3, *session.as_bytes())
    }

    /// Creates the key of all access tokens of the sessions that a subject began in this epoch.
    #[must_use]
    pub fn subject(subject: &str, epoch: u64) -> Self {
        Self::hashed(4, &[b"countersign/deny/sub/1", &epoch.to_be_bytes(), subject.as_bytes()])
    }

    /// Returns the bytes: the key in a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    #[cfg(feature = "contract")]
    pub(crate) const fn is_of_session(&self) -> bool {
        matches!(self.0, [3, ..])
    }

    /// Builds a key from 16 bytes. The first byte tells the kinds apart.
    fn plain(kind: u8, name: [u8; 16]) -> Self {
        let mut key = [0; 32];
        for (place, byte) in key.iter_mut().zip(core::iter::once(kind).chain(name)) {
            *place = byte;
        }
        Self(key)
    }

    fn hashed(kind: u8, parts: &[&[u8]]) -> Self {
        let mut key = text::sha256(parts);
        let [first, ..] = &mut key;
        *first = kind;
        Self(key)
    }
}

impl fmt::Display for DenyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text::encode(&self.0))
    }
}

impl fmt::Debug for DenyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            [1 | 2, ..] => "DenyKey(access token)",
            [3, ..] => "DenyKey(session)",
            _ => "DenyKey(subject)",
        })
    }
}

/// An entry for the denylist. It can be purged after `until`, because no [`AccessVerifier`](crate::AccessVerifier) accepts the
/// affected access tokens any more.
///
/// # Examples
///
/// ```
/// # use countersign_session::{Config, Login, Machine, MasterKeys, Randomness, Reason};
/// # use countersign::{SystemEntropy, UnixTime};
/// # let now = UnixTime::from_secs(0);
/// # let config = Config::builder("https://auth.example", "https://api.example").build()?;
/// # let machine = Machine::new(config, MasterKeys::new(1, [7; 32])?);
/// # let random = Randomness::draw(&SystemEntropy::new())?;
/// # let row = machine.login(&Login::new("ann"), 0, now, &random)?.write.unwrap().row;
/// let step = machine.revoke(&row, Reason::Logout, now).expect("a session that lives");
/// let denial = step.write.unwrap().deny.unwrap();
/// assert!(denial.until > row.access_until());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Denial {
    /// The key that is denied.
    pub key: DenyKey,
    /// How long the entry has to be kept.
    pub until: UnixTime,
    /// Whether it is written before or after the row.
    pub order: DenyOrder,
}

/// The order in which a denial and its row are written.
///
/// # Examples
///
/// ```
/// use countersign_session::DenyOrder;
///
/// assert_ne!(DenyOrder::BeforeRow, DenyOrder::AfterRow);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DenyOrder {
    /// Before the row, so that after a crash between the two writes no access token outlives its session. The denial is correct
    /// even if another call changes the row first.
    BeforeRow,
    /// Only after the row was written, because a stale read looks the same, and a stale read must not deny any session.
    AfterRow,
}

impl Denial {
    pub(crate) fn session(session: SessionId, until: UnixTime, order: DenyOrder) -> Self {
        Self { key: DenyKey::session(session), until, order }
    }
}
