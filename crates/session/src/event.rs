//! What happened to sessions: for the audit log, without token text.

use crate::error::{Reason, Recency};
use crate::id::SessionHash;
use alloc::string::String;
use countersign::UnixTime;

/// Something that happened to a session.
///
/// It holds no token and no session id, only the id's hash; and the subject, so treat it as what it is: a record of a
/// person.
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
    /// What.
    pub kind: EventKind,
    /// To which session; none for [`AllRevoked`](EventKind::AllRevoked).
    pub session: Option<SessionHash>,
    /// Whose it is.
    pub subject: String,
    /// When.
    pub at: UnixTime,
}

/// What happened.
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
    /// The store is older than a token: it was set back. The session was revoked.
    Anomaly,
    /// A token came with another binding. The session was revoked, unless [`OnMismatch`](crate::OnMismatch) says
    /// otherwise.
    BindingMismatch,
    /// A token was exchanged a second time inside the grace: two tabs, an answer that got lost, or a thief. If one follows
    /// every exchange of a session, see the security section of [`Grace`](crate::Grace).
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
    /// A stable name for logs and metrics.
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

/// Is told what happened, after the store has answered for it. What was written by a call that the store answered with an
/// error is not told: log [`Error::Store`](crate::Error::Store) too.
///
/// Any `Fn(&Event)` is one. It is called in the middle of a request: hand over what takes time.
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
    /// Takes note of `event`.
    fn observe(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> Observer for F {
    fn observe(&self, event: &Event) {
        self(event);
    }
}
