//! The errors of this crate: [`ConfigError`] for configuration, [`Error`] for requests, [`StoreError`] for stores. None of them
//! holds token text or key bytes.

use alloc::boxed::Box;
use alloc::sync::Arc;
use core::fmt;
use countersign::http::{Challenge, RequestError};
use countersign::{EntropyError, VerifyError};
use thiserror::Error;

/// Why a session operation failed, or an access token is refused.
///
/// Only [`InvalidGrant`](Self::InvalidGrant) says that a refresh token is not valid. [`Entropy`](Self::Entropy),
/// [`Retry`](Self::Retry) and [`Store`](Self::Store) say nothing about it: the client keeps the token and tries again.
///
/// # Security
///
/// The text of [`InvalidGrant`](Self::InvalidGrant) is always the same, so that a thief does not learn how the theft was
/// detected. [`refusal`](Self::refusal) and `Debug` give the cause: for logs, not for clients.
///
/// # Examples
///
/// ```
/// use countersign_session::{Error, Refusal, StoreError};
///
/// let error = Error::InvalidGrant(Refusal::Malformed);
/// assert_eq!(error.to_string(), "the refresh token is not valid");
/// assert_eq!((error.code(), error.challenge().status()), ("invalid_grant", 400));
/// assert_eq!(error.refusal().map(|cause| cause.code()), Some("malformed"));
///
/// assert_eq!(Error::Denied.challenge().status(), 401);
/// // The denylist is unavailable: a 503, and no session ends.
/// let error = Error::DenylistUnavailable(StoreError::unavailable());
/// assert_eq!(error.challenge().status(), 503);
/// ```
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The request presents another fingerprint or key than the one that the access token is bound to.
    #[error("the token was presented with another binding than its own")]
    BindingMismatch,
    /// The access token is bound, and the request presents no binding, or one of the other kind: a fingerprint for a key, a key
    /// for a fingerprint.
    #[error("the token was presented without its binding")]
    BindingMissing,
    /// The access token, its session, or all sessions of its subject were revoked.
    #[error("the token was revoked")]
    Denied,
    /// The denylist is unavailable.
    #[error("the denylist is not available")]
    DenylistUnavailable(#[source] StoreError),
    /// The source of randomness failed.
    #[error("the source of randomness failed")]
    Entropy,
    /// The refresh token is not valid any more. The inner value is the reason, for the log.
    #[error("the refresh token is not valid")]
    InvalidGrant(Refusal),
    /// The login cannot begin a session: a text in it is empty, too long or malformed, the configuration requires a binding and
    /// there is none, or its epoch is in the future.
    #[error("the login's {field} is missing or not valid")]
    InvalidLogin {
        /// The part of the login.
        field: &'static str,
    },
    /// A text is not a session id or not a key thumbprint.
    #[error("not a {what}: it must be the base64url text of {bytes} bytes")]
    MalformedText {
        /// The expected kind of text.
        what: &'static str,
        /// The number of bytes that such a text encodes.
        bytes: usize,
    },
    /// The request's headers are refused: the credentials, a cookie, or the origin. If a token is refused, the error is
    /// [`Token`](Self::Token).
    #[error("{0}")]
    Request(#[source] RequestError),
    /// Other calls kept writing to the session at the same time; or this server does not have the master key of a token that
    /// was to end its session. This call has not written its row. If it was to end the session, its access tokens may be denied
    /// already.
    #[error("this server cannot write to the session at the moment: try again")]
    Retry,
    /// The store is unavailable, or did not confirm a write.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The access token itself is not valid.
    #[error("{0}")]
    Token(#[from] VerifyError),
    /// The access token has no binding, and the verifier accepts only bound ones.
    #[error("the token must be bound to a fingerprint or a key")]
    Unbound,
}

impl Error {
    /// Returns a stable name for logs, metrics and clients.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::BindingMismatch => "binding_mismatch",
            Self::BindingMissing => "binding_missing",
            Self::Denied => "denied",
            Self::DenylistUnavailable(_) => "denylist_unavailable",
            Self::Entropy => "entropy",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::InvalidLogin { .. } => "invalid_login",
            Self::MalformedText { .. } => "malformed_text",
            Self::Request(error) => error.code(),
            Self::Retry => "retry",
            Self::Store(error) => error.code(),
            Self::Token(error) => error.code(),
            Self::Unbound => "unbound",
        }
    }

    /// Returns whether the access token has expired, so that a client may refresh and try again.
    #[must_use]
    pub const fn is_expired(&self) -> bool {
        match self {
            Self::Request(error) => error.is_expired(),
            Self::Token(error) => error.is_expired(),
            _ => false,
        }
    }

    /// Returns the HTTP answer.
    ///
    /// - For an access token, 401 ([RFC 6750 section 3](https://www.rfc-editor.org/rfc/rfc6750#section-3)).
    /// - For the request's headers, as [`RequestError::challenge`]: 400, 401 or 403.
    /// - For a refresh token ([RFC 6749 section 5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)), a login, or a
    ///   malformed text, 400 without a `WWW-Authenticate`.
    /// - While a store, the denylist, the keys or the randomness is unavailable, and for [`Retry`](Self::Retry), 503.
    #[must_use]
    pub const fn challenge(&self) -> Challenge {
        match self {
            Self::BindingMismatch | Self::BindingMissing | Self::Denied | Self::Unbound => {
                Challenge::invalid_token()
            }
            Self::InvalidGrant(_) | Self::InvalidLogin { .. } | Self::MalformedText { .. } => {
                Challenge::bad_request()
            }
            Self::DenylistUnavailable(_) | Self::Entropy | Self::Retry | Self::Store(_) => {
                Challenge::unavailable()
            }
            Self::Request(error) => error.challenge(),
            Self::Token(error) => error.challenge(),
        }
    }

    /// Returns why the refresh token was refused, if it was. For logs.
    #[must_use]
    pub const fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::InvalidGrant(refusal) => Some(*refusal),
            _ => None,
        }
    }
}

impl From<EntropyError> for Error {
    fn from(_: EntropyError) -> Self {
        Self::Entropy
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::InvalidGrant(refusal)
    }
}

impl From<RequestError> for Error {
    fn from(error: RequestError) -> Self {
        match error {
            RequestError::Token(error) => Self::Token(error),
            error => Self::Request(error),
        }
    }
}

/// Why a refresh token was refused. For logs: a client only learns [`Error::InvalidGrant`].
///
/// # Examples
///
/// ```
/// use countersign_session::{Recency, Refusal};
///
/// assert_eq!(Refusal::Reused(Recency::Stale).code(), "reused_stale");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// The request presents another fingerprint or key than the session is bound to.
    BindingMismatch,
    /// The session is bound, and the request presents no binding, or one of the other kind: a fingerprint for a key, a key for
    /// a fingerprint. The session does not end.
    BindingMissing,
    /// A lifetime of the session is over.
    Expired(Lifetime),
    /// The text has the form of a token, but no key of this server made it.
    Forged,
    /// The text is not a refresh token.
    Malformed,
    /// The token was exchanged before. The session has been revoked.
    Reused(Recency),
    /// The session had ended before.
    Revoked(Reason),
    /// The row is older than the token: the store was restored to an earlier state. The session has been revoked.
    RolledBack,
    /// All sessions of the subject were ended after this one began, or the store has lost the number of times that this
    /// happened.
    StaleEpoch,
    /// This server does not have the token's master key: it was removed, or was not added here yet.
    UnknownKey,
    /// The store has no such session.
    UnknownSession,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BindingMismatch => {
                f.write_str("the token was presented with another binding than that of its session")
            }
            Self::BindingMissing => f.write_str("the token was presented without the binding of its session"),
            Self::Expired(inner) => write!(f, "the session's {inner} lifetime is over"),
            Self::Forged => f.write_str("the token was not issued here"),
            Self::Malformed => f.write_str("the text is not a refresh token"),
            Self::Reused(inner) => write!(f, "the token was used before ({inner})"),
            Self::Revoked(inner) => write!(f, "the session was ended: {inner}"),
            Self::RolledBack => f.write_str("the store is older than the token"),
            Self::StaleEpoch => f.write_str("all sessions of the subject were ended"),
            Self::UnknownKey => f.write_str("this server does not have the token's master key"),
            Self::UnknownSession => f.write_str("the session is not in the store"),
        }
    }
}

impl Refusal {
    /// Returns a stable name for logs and metrics.
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

/// One of the two lifetimes of a session.
///
/// # Examples
///
/// ```
/// assert_eq!(countersign_session::Lifetime::Idle.to_string(), "idle");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lifetime {
    /// From login. Nothing extends it.
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

/// The age of a token that was used a second time.
///
/// # Examples
///
/// ```
/// assert_eq!(countersign_session::Recency::Stale.to_string(), "an old one");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Recency {
    /// The previous token, after its grace: a late client, or a theft.
    RecentPrevious,
    /// An older token: its holder has missed several exchanges, so two parties hold the session.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// The refresh token was presented with another binding.
    BindingMismatch,
    /// The subject logged in elsewhere and reached its cap of sessions.
    Evicted,
    /// The user logged out.
    Logout,
    /// A refresh token was used twice.
    Reuse,
    /// The subject or an administrator ended it from another session.
    Revoked,
    /// The store was restored to an earlier state.
    Rollback,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BindingMismatch => "another binding was presented",
            Self::Evicted => "a newer login took its place",
            Self::Logout => "logout",
            Self::Reuse => "a refresh token was used twice",
            Self::Revoked => "ended from elsewhere",
            Self::Rollback => "the store was restored to an earlier state",
        })
    }
}

impl Reason {
    /// Returns a stable name for logs and metrics.
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

/// The failure of a store: it is unavailable, or holds bytes that are not a row. The answer is a 503, and no session ends.
///
/// It can carry the error of the database, as its [`source`](core::error::Error::source).
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
/// assert_eq!(error.code(), "store_unavailable");
/// ```
#[derive(Clone, Debug)]
pub struct StoreError(Fault);

#[derive(Clone, Debug)]
enum Fault {
    MalformedRow,
    Unavailable(Option<Arc<dyn core::error::Error + Send + Sync>>),
    UnknownRowVersion,
}

impl StoreError {
    /// Creates an error from that of the database: `.map_err(StoreError::new)`.
    #[must_use]
    pub fn new(source: impl Into<Box<dyn core::error::Error + Send + Sync>>) -> Self {
        Self(Fault::Unavailable(Some(Arc::from(source.into()))))
    }

    /// Creates an error without a source.
    #[must_use]
    pub const fn unavailable() -> Self {
        Self(Fault::Unavailable(None))
    }

    pub(crate) const fn malformed_row() -> Self {
        Self(Fault::MalformedRow)
    }

    pub(crate) const fn unknown_row_version() -> Self {
        Self(Fault::UnknownRowVersion)
    }

    /// Returns a stable name for logs and metrics: `store_unavailable`, or for bytes from the store `malformed_row` or
    /// `unknown_row_version`.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self.0 {
            Fault::MalformedRow => "malformed_row",
            Fault::Unavailable(_) => "store_unavailable",
            Fault::UnknownRowVersion => "unknown_row_version",
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Fault::MalformedRow => "the session store holds bytes that are not a row",
            Fault::Unavailable(_) => "the session store is not available",
            Fault::UnknownRowVersion => "the session store holds a row of an unknown version",
        })
    }
}

impl core::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        match &self.0 {
            Fault::Unavailable(Some(source)) => Some(&**source),
            _ => None,
        }
    }
}

/// Why a configuration is refused.
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
    /// Access tokens would live longer than 15 minutes; `access_lifetime_beyond_limit` allows it.
    #[error(
        "an access lifetime of {seconds} s is above the cap of {cap} s: access_lifetime_beyond_limit allows it"
    )]
    AccessAboveLimit {
        /// The lifetime in seconds.
        seconds: u64,
        /// The cap in seconds.
        cap: u64,
    },
    /// The access lifetime is not shorter than the idle lifetime, so the session would end before its access token.
    #[error("the access lifetime must be shorter than the idle lifetime")]
    AccessNotUnderIdle,
    /// The clock skew is above 5 minutes, or above the idle lifetime.
    #[error("a clock skew of {seconds} s is above the cap of {cap} s, which a short idle lifetime lowers")]
    ClockSkewAboveLimit {
        /// The clock skew in seconds.
        seconds: u64,
        /// The cap in seconds.
        cap: u64,
    },
    /// A text is empty, so a check of it would be meaningless.
    #[error("{setting} is empty")]
    Empty {
        /// The setting.
        setting: &'static str,
    },
    /// The grace is longer than this kind of grace may be, or than the idle lifetime; for `Within` the clock skew is added.
    #[error(
        "a grace of {seconds} s is above the cap of {cap} s, which a short idle lifetime lowers: Grace::UntilSuccessorUsed may be longer than Grace::Within"
    )]
    GraceAboveLimit {
        /// The grace in seconds.
        seconds: u64,
        /// The cap in seconds.
        cap: u64,
    },
    /// The idle lifetime is longer than the absolute one, so it would have no effect.
    #[error("the idle lifetime is longer than the absolute lifetime")]
    IdleAboveAbsolute,
    /// A number is zero, or a duration is under a second.
    #[error("{setting} is too small: at least one, or one second, is required")]
    Zero {
        /// The setting.
        setting: &'static str,
    },
}

impl ConfigError {
    /// Returns a stable name for logs and metrics.
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
