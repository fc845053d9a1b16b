//! Events of sessions, for the audit log, without token text.

use crate::error::{Reason, Recency};
use crate::id::SessionHash;
use alloc::string::String;
use countersign::UnixTime;

/// An event of a session.
///
/// It holds no token and no session id, only the hash of the id. It also holds the subject, so it is personal data.
///
/// # Examples
///
/// ```
/// use countersign_session::{Event, EventKind};
///
/// fn alarming(event: &Event) -> bool {
///     matches!(event.kind, EventKind::ReuseDetected(_) | EventKind::BindingMismatch | EventKind::Anomaly)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The session; `None` for [`AllRevoked`](EventKind::AllRevoked).
    pub session: Option<SessionHash>,
    /// The subject of the session.
    pub subject: String,
    /// The time of the event.
    pub at: UnixTime,
}

/// The kind of an event.
///
/// # Examples
///
/// ```
/// use countersign_session::{EventKind, Recency};
///
/// assert_eq!(EventKind::ReuseDetected(Recency::Stale).code(), "reuse_detected");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// All sessions of the subject were revoked.
    AllRevoked,
    /// The row is older than a token: the store was restored to an earlier state. The session was revoked.
    Anomaly,
    /// A token was presented with another binding. The session was revoked, unless [`OnMismatch`](crate::OnMismatch) says
    /// otherwise.
    BindingMismatch,
    /// A token was exchanged a second time within the grace: two tabs, a lost answer, or a thief. If one follows every exchange
    /// of a session, see the security section of [`Grace`](crate::Grace).
    GraceReplay,
    /// A session began.
    Issued,
    /// A token was used that had been exchanged before. The session was revoked.
    ReuseDetected(Recency),
    /// A session was ended on purpose.
    Revoked(Reason),
    /// A token was exchanged for its successor.
    Rotated,
}

impl EventKind {
    /// Returns a stable name for logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AllRevoked => "all_revoked",
            Self::Anomaly => "anomaly",
            Self::BindingMismatch => "binding_mismatch",
            Self::GraceReplay => "grace_replay",
            Self::Issued => "issued",
            Self::ReuseDetected(_) => "reuse_detected",
            Self::Revoked(_) => "revoked",
            Self::Rotated => "rotated",
        }
    }
}

/// Receives events, after the store has confirmed the write. If the store answers a write with an error, there is no event,
/// even if the row was written: log [`Error::Store`](crate::Error::Store) too.
///
/// Any `Fn(&Event)` implements it. It is called during a request, so move slow work to another task.
///
/// # Examples
///
/// ```
/// use countersign_session::{Event, Observer};
///
/// fn takes(_: impl Observer) {}
/// takes(|event: &Event| println!("{} of {:?}", event.kind.code(), event.session));
/// ```
pub trait Observer: Send + Sync {
    /// Receives `event`.
    fn observe(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> Observer for F {
    fn observe(&self, event: &Event) {
        self(event);
    }
}
