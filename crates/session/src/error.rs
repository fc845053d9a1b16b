//! What can go wrong with sessions. None of it holds token text or key bytes.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use countersign::VerifyError;
use countersign::http::Challenge;
use countersign::http::CredentialsError;
use thiserror::Error;

/// Why a session operation gave nothing.
///
/// Only [`InvalidGrant`](Self::InvalidGrant) is an answer about the token. All others say nothing about it: the
/// client keeps what it has and tries again.
///
/// # Security
///
/// The text of [`InvalidGrant`](Self::InvalidGrant) is always the same, so that a thief does not learn what gave the
/// theft away. [`refusal`](Self::refusal) has the cause, and so has `Debug`: for logs, not for clients.
///
/// # Examples
///
/// ```
/// use countersign_session::{Error, Refusal};
///
/// let error = Error::InvalidGrant(Refusal::Malformed);
/// assert_eq!(error.to_string(), "the refresh token is not valid");
/// assert_eq!((error.code(), error.status()), ("invalid_grant", 400));
/// assert_eq!(error.refusal().map(|cause| cause.code()), Some("malformed"));
/// ```
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The source of randomness failed.
    #[error("the source of randomness failed")]
    Entropy,
    /// The refresh token gets nothing any more. The inner value tells why, for the log.
    #[error("the refresh token is not valid")]
    InvalidGrant(Refusal),
    /// What was said at login cannot be kept.
    #[error("{field} is empty, too long or malformed")]
    InvalidLogin {
        /// Which part of it.
        field: &'static str,
    },
    /// Others wrote to the session at the same time, again and again; or it was to be ended by a token whose master key this
    /// server does not have. This call has not written its row, but where it was to end it, its access tokens may be denied
    /// already.
    #[error("the session cannot be written to by this server for now: try again")]
    Retry,
    /// The store could not be asked, or did not say whether it wrote.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// A stable name for logs, metrics and clients.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Entropy => "entropy",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::InvalidLogin { .. } => "invalid_login",
            Self::Retry => "retry",
            Self::Store(_) => "store_unavailable",
        }
    }

    /// The HTTP status: 400 for [`InvalidGrant`](Self::InvalidGrant)
    /// ([RFC 6749 section 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)) and
    /// [`InvalidLogin`](Self::InvalidLogin), 503 for what passes.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::InvalidGrant(_) | Self::InvalidLogin { .. } => 400,
            Self::Entropy | Self::Retry | Self::Store(_) => 503,
        }
    }

    /// Why the token was refused, if it was. For logs.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::InvalidGrant(refusal) => Some(*refusal),
            _ => None,
        }
    }
}

/// What was wrong with a refresh token. For logs: a client is told [`Error::InvalidGrant`] and no more.
///
/// # Examples
///
/// ```
/// use countersign_session::{Recency, Refusal};
///
/// assert_eq!(Refusal::Reused(Recency::Stale).code(), "reused_stale");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Another fingerprint or key than the session is bound to.
    #[error("the token came with another binding than its session has")]
    BindingMismatch,
    /// The session is bound and nothing was shown, or only the other kind: a fingerprint for a key, a key for a fingerprint.
    /// The session lives on.
    #[error("the token came without the binding of its session")]
    BindingMissing,
    /// A lifetime is over.
    #[error("the session's {0} lifetime is over")]
    Expired(Lifetime),
    /// The text is formed as a token and no key of ours made it.
    #[error("the token was not issued here")]
    Forged,
    /// The text is not a refresh token.
    #[error("the text is not a refresh token")]
    Malformed,
    /// The token was exchanged before. The session has been revoked.
    #[error("the token was used before ({0})")]
    Reused(Recency),
    /// The session had been ended before.
    #[error("the session was ended: {0}")]
    Revoked(Reason),
    /// The store knows less than the token: it was set back to an earlier state. The session has been revoked.
    #[error("the store is older than the token")]
    RolledBack,
    /// All sessions of the subject were ended after this one began; or the store has lost how often that was done.
    #[error("all sessions of the subject were ended")]
    StaleEpoch,
    /// The token's master key is not among those of this server: it was taken away, or has not come here yet.
    #[error("the token's master key is not known here")]
    UnknownKey,
    /// The store has no such session.
    #[error("the session is not in the store")]
    UnknownSession,
}

impl Refusal {
    /// A stable name for logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BindingMismatch => "binding_mismatch",
            Self::BindingMissing => "binding_missing",
            Self::Expired(Lifetime::Absolute) => "expired_absolute",
            Self::Expired(Lifetime::Idle) => "expired_idle",
            Self::Forged => "forged",
            Self::Malformed => "malformed",
            Self::Reused(Recency::RecentPrevious) => "reused_recent",
            Self::Reused(Recency::Stale) => "reused_stale",
            Self::Revoked(_) => "revoked",
            Self::RolledBack => "rolled_back",
            Self::StaleEpoch => "stale_epoch",
            Self::UnknownKey => "unknown_key",
            Self::UnknownSession => "unknown_session",
        }
    }
}

/// Which of a session's two lifetimes.
///
/// # Examples
///
/// ```
/// assert_eq!(countersign_session::Lifetime::Idle.to_string(), "idle");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lifetime {
    /// From login; nothing makes it longer.
    Absolute,
    /// From the last exchange.
    Idle,
}

impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absolute => "absolute",
            Self::Idle => "idle",
        })
    }
}

/// How old a token was that came a second time.
///
/// # Examples
///
/// ```
/// assert_eq!(countersign_session::Recency::Stale.to_string(), "an old one");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recency {
    /// The one before the present one, after its grace: a client that is late, or a theft.
    RecentPrevious,
    /// An older one: its holder has missed several exchanges, so two parties hold the session.
    Stale,
}

impl fmt::Display for Recency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::RecentPrevious => "the one before the present",
            Self::Stale => "an old one",
        })
    }
}

/// Why a session was ended.
///
/// # Examples
///
/// ```
/// use countersign_session::Reason;
///
/// assert_eq!(Reason::Reuse.code(), "reuse");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Reason {
    /// The refresh token came with another binding.
    #[error("another binding was shown")]
    BindingMismatch,
    /// The subject logged in elsewhere and has only so many sessions.
    #[error("a newer login took its place")]
    Evicted,
    /// Its holder logged out.
    #[error("logout")]
    Logout,
    /// A refresh token was used twice.
    #[error("a refresh token was used twice")]
    Reuse,
    /// Its subject or an administrator ended it, from elsewhere.
    #[error("ended from elsewhere")]
    Revoked,
    /// The store had been set back.
    #[error("the store was set back")]
    Rollback,
}

impl Reason {
    /// A stable name for logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BindingMismatch => "binding_mismatch",
            Self::Evicted => "evicted",
            Self::Logout => "logout",
            Self::Reuse => "reuse",
            Self::Revoked => "revoked",
            Self::Rollback => "rollback",
        }
    }
}

/// The store could not be asked: a 503, and nobody is logged out by it.
///
/// It can carry what the database said, as its [`source`](core::error::Error::source).
///
/// # Examples
///
/// ```
/// use core::error::Error;
/// use countersign_session::StoreError;
///
/// let error = StoreError::new("connection refused");
/// assert_eq!(error.to_string(), "the session store is not available");
/// assert_eq!(error.source().unwrap().to_string(), "connection refused");
/// ```
#[derive(Clone, Debug)]
pub struct StoreError(Option<Arc<dyn core::error::Error + Send + Sync>>);

impl StoreError {
    /// An error with what the database said: `.map_err(StoreError::new)`.
    #[must_use]
    pub fn new(source: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Self {
        Self(Some(Arc::from(source.into())))
    }

    /// An error of which no more is known.
    #[must_use]
    pub const fn unavailable() -> Self {
        Self(None)
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the session store is not available")
    }
}

impl core::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.0 {
            Some(source) => Some(&**source),
            None => None,
        }
    }
}

impl From<RowError> for StoreError {
    fn from(error: RowError) -> Self {
        Self::new(error)
    }
}

/// Bytes out of the store are no row.
///
/// # Examples
///
/// ```
/// use countersign_session::{Row, RowError};
///
/// assert_eq!(Row::from_bytes(b"?").unwrap_err(), RowError::UnknownVersion);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RowError {
    /// They end too early or go on too long, or a value in them is impossible.
    #[error("the bytes are not a session row")]
    Malformed,
    /// They are of a version that this one does not know.
    #[error("the session row is of an unknown version")]
    UnknownVersion,
}

/// Why sessions cannot be configured so.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign_session::{Config, ConfigError};
///
/// let error = Config::builder("https://auth.example", "https://api.example")
///     .access_lifetime(Duration::from_secs(3600))
///     .build()
///     .unwrap_err();
/// assert_eq!(error, ConfigError::AccessAboveLimit { seconds: 3600, cap: 900 });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The absolute lifetime is above 400 days, the longest that browsers keep a cookie.
    #[error("an absolute lifetime of {seconds} s is above the cap of {cap} s")]
    AbsoluteAboveLimit {
        /// The lifetime in seconds.
        seconds: u64,
        /// The cap in seconds.
        cap: u64,
    },
    /// Access tokens would live longer than 15 minutes; `access_lifetime_beyond_limit` is the way to have it all the
    /// same.
    #[error("an access lifetime of {seconds} s is above the cap of {cap} s")]
    AccessAboveLimit {
        /// The lifetime in seconds.
        seconds: u64,
        /// The cap in seconds.
        cap: u64,
    },
    /// The access lifetime is not under the idle lifetime: the session would end before its access token.
    #[error("the access lifetime is not shorter than the idle lifetime")]
    AccessNotUnderIdle,
    /// The allowance for clocks is above 5 minutes, or above the idle lifetime.
    #[error("a clock skew of {seconds} s is above the cap of {cap} s")]
    ClockSkewAboveLimit {
        /// The allowance in seconds.
        seconds: u64,
        /// The cap in seconds.
        cap: u64,
    },
    /// A text is empty, so that a check of it would mean nothing.
    #[error("{setting} is empty")]
    Empty {
        /// The setting.
        setting: &'static str,
    },
    /// The grace is longer than this kind of grace may be, or than a session lives idle; for `Within` the clock skew counts.
    #[error("a grace of {seconds} s is above the cap of {cap} s")]
    GraceAboveLimit {
        /// The grace in seconds.
        seconds: u64,
        /// The cap in seconds.
        cap: u64,
    },
    /// The idle lifetime is above the absolute one, so it would never be reached.
    #[error("the idle lifetime is longer than the absolute lifetime")]
    IdleAboveAbsolute,
    /// A setting is zero, or under a second.
    #[error("{setting} is zero")]
    Zero {
        /// The setting.
        setting: &'static str,
    },
}

impl ConfigError {
    /// A stable name for logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AbsoluteAboveLimit { .. } => "absolute_above_limit",
            Self::AccessAboveLimit { .. } => "access_above_limit",
            Self::AccessNotUnderIdle => "access_not_under_idle",
            Self::ClockSkewAboveLimit { .. } => "clock_skew_above_limit",
            Self::Empty { .. } => "empty",
            Self::GraceAboveLimit { .. } => "grace_above_limit",
            Self::IdleAboveAbsolute => "idle_above_absolute",
            Self::Zero { .. } => "zero",
        }
    }
}

/// A text that should have been a session id, a fingerprint or a key thumbprint is none.
///
/// # Examples
///
/// ```
/// use countersign_session::SessionId;
///
/// assert!("not an id".parse::<SessionId>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not the base64url text of as many bytes as are expected here")]
#[non_exhaustive]
pub struct ParseError;

/// Why an access token is refused.
///
/// # Examples
///
/// ```
/// use countersign_session::{AccessError, StoreError};
///
/// assert_eq!(AccessError::Denied.challenge().status(), 401);
/// // The list is down: a 503, and nobody is logged out.
/// let error = AccessError::DenylistUnavailable(StoreError::unavailable());
/// assert_eq!(error.challenge().status(), 503);
/// ```
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum AccessError {
    /// Another fingerprint or key was shown than the token is bound to.
    #[error("the token came with another binding than its own")]
    BindingMismatch,
    /// The token is bound and nothing was shown, or only the other kind: a fingerprint for a key, a key for a fingerprint.
    #[error("the token came without its binding")]
    BindingMissing,
    /// There is no bearer token in the request, or not exactly one.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// The token, its session, or all sessions of its subject were ended.
    #[error("the token was revoked")]
    Denied,
    /// The denylist could not be asked.
    #[error("the denylist is not available")]
    DenylistUnavailable(#[from] StoreError),
    /// The token itself is not good.
    #[error(transparent)]
    Token(#[from] VerifyError),
}

impl AccessError {
    /// A stable name for logs, metrics and clients.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BindingMismatch => "binding_mismatch",
            Self::BindingMissing => "binding_missing",
            Self::Credentials(error) => error.code(),
            Self::Denied => "denied",
            Self::DenylistUnavailable(_) => "denylist_unavailable",
            Self::Token(error) => error.code(),
        }
    }

    /// Whether the token's time is over: a client may refresh and try again.
    #[must_use]
    pub const fn is_expired(&self) -> bool {
        matches!(self, Self::Token(error) if error.is_expired())
    }

    /// The HTTP answer to a request that carried this token
    /// ([RFC 6750 section 3](https://www.rfc-editor.org/rfc/rfc6750#section-3)): 401, or 503 when the denylist or the
    /// keys could not be had; 400 for two tokens or none to be read.
    #[must_use]
    pub const fn challenge(&self) -> Challenge {
        match self {
            Self::Credentials(error) => error.challenge(),
            Self::Token(error) => error.challenge(),
            Self::DenylistUnavailable(_) => Challenge::unavailable(),
            Self::BindingMismatch | Self::BindingMissing | Self::Denied => Challenge::invalid_token(),
        }
    }
}
