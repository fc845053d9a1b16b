//! What the denylist holds.

use crate::id::SessionId;
use crate::text;
use core::fmt;
use core::time::Duration;
use countersign::UnixTime;

/// How much leeway an access token can be given. Denials are kept for as long, so
/// [`AccessVerifier`](crate::AccessVerifier) refuses a policy with more.
pub(crate) const MOST_LEEWAY: Duration = Duration::from_secs(5 * 60);

/// A key of the denylist: one access token, one session, or the sessions that a subject began in one epoch.
///
/// 32 bytes, whatever it is about, so that any store can hold it in one column; names of subjects are hashed. Its `Display`
/// is base64url text, 43 characters.
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
    /// One access token, by its `jti`.
    #[must_use]
    pub fn access_token(jti: &str) -> Self {
        // Ours are 16 bytes and need no hash.
        text::decode(jti).map_or_else(
            || Self::hashed(2, &[b"countersign/deny/jti/1", jti.as_bytes()]),
            |jti| Self::plain(1, jti),
        )
    }

    /// All access tokens of a session.
    #[must_use]
    pub fn session(session: SessionId) -> Self {
        Self::plain(3, *session.as_bytes())
    }

    /// All access tokens of the sessions that a subject began in this epoch.
    #[must_use]
    pub fn subject(subject: &str, epoch: u64) -> Self {
        Self::hashed(4, &[b"countersign/deny/sub/1", &epoch.to_be_bytes(), subject.as_bytes()])
    }

    /// The bytes: the key in a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    #[cfg(feature = "contract")]
    pub(crate) const fn is_of_session(&self) -> bool {
        matches!(self.0, [3, ..])
    }

    /// The first byte keeps the kinds apart.
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

/// An entry for the denylist, which can be purged after `until`: no [`AccessVerifier`](crate::AccessVerifier)
/// takes an access token that it is about any more then.
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
    /// What is denied.
    pub key: DenyKey,
    /// How long it has to be kept.
    pub until: UnixTime,
    /// When it is written.
    pub order: DenyOrder,
}

/// Whether a denial is written before its row or after.
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
    /// Before it, so that after a crash between the two no access token outlives its session. What it is written for stands,
    /// whoever else writes to the row.
    BeforeRow,
    /// Only if the row was written: a stale read looks like this, and a stale read must deny nobody.
    AfterRow,
}

impl Denial {
    pub(crate) fn session(session: SessionId, until: UnixTime, order: DenyOrder) -> Self {
        Self { key: DenyKey::session(session), until, order }
    }
}
