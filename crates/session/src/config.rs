//! The configuration of sessions: lifetimes, tolerances and limits.

use crate::error::ConfigError;
use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZeroUsize;
use core::time::Duration;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// The limit for access tokens. Without a denylist, a stolen access token cannot be revoked and works this long.
const ACCESS_CAP: u64 = 15 * MINUTE;
/// The limit for the absolute lifetime. Browsers cut the age of a cookie to 400 days
/// ([draft-ietf-httpbis-rfc6265bis](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-5.6.2)).
const ABSOLUTE_CAP: u64 = 400 * DAY;
/// The limit for the clock skew, the same as for the leeway of a verifier.
const CLOCK_SKEW_CAP: u64 = 5 * MINUTE;
/// The limit for `Grace::Within`. A retry comes within seconds; a longer grace needs the explicit `UntilSuccessorUsed`.
const GRACE_CAP: u64 = 5 * MINUTE;

/// The rules for sessions, built once. Every default is on the safe side.
///
/// | | default | |
/// |---|---|---|
/// | access token | 10 minutes | at most 15, unless `access_lifetime_beyond_limit` is called |
/// | idle | 14 days | from the last exchange |
/// | absolute | 60 days | from login; never extended; at most 400 |
/// | grace | 60 seconds | for a client that asks twice or loses the answer |
/// | clock skew | 60 seconds | between the servers that run sessions |
/// | binding | a session may have none | |
/// | binding mismatch | the session is revoked | |
/// | sessions per subject | no cap | |
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign_session::{Config, Grace};
///
/// let config = Config::builder("https://auth.example", "https://api.example")
///     .access_lifetime(Duration::from_secs(5 * 60))
///     .grace(Grace::Within(Duration::from_secs(30)))
///     .sessions_per_subject(10)
///     .build()?;
/// # Ok::<(), countersign_session::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) issuer: String,
    pub(crate) audience: Vec<String>,
    pub(crate) access: Duration,
    pub(crate) idle: Duration,
    pub(crate) absolute: Duration,
    pub(crate) grace: Grace,
    pub(crate) skew: Duration,
    pub(crate) on_mismatch: OnMismatch,
    pub(crate) binding_required: bool,
    pub(crate) cap: Option<NonZeroUsize>,
}

impl Config {
    /// Creates a builder with the defaults. Access tokens carry `issuer` as `iss` and `audience` as `aud`; neither may be
    /// empty.
    pub fn builder(issuer: impl Into<String>, audience: impl Into<String>) -> ConfigBuilder {
        ConfigBuilder {
            config: Self {
                issuer: issuer.into(),
                audience: Vec::from([audience.into()]),
                access: Duration::from_secs(10 * MINUTE),
                idle: Duration::from_secs(14 * DAY),
                absolute: Duration::from_secs(60 * DAY),
                grace: Grace::default(),
                skew: Duration::from_secs(MINUTE),
                on_mismatch: OnMismatch::default(),
                binding_required: false,
                cap: None,
            },
            access_cap: Some(ACCESS_CAP),
            cap: None,
        }
    }
}

/// What happens if the previous refresh token is used again. Honest clients do so when two tabs refresh at once or an answer is
/// lost.
///
/// Within the grace, the answer is the *same* successor and a new access token. The current token does not change, so the
/// window is never extended, and no client is logged out. The grace ends as soon as the successor is used. After the grace,
/// the token counts as stolen and its session is revoked.
///
/// # Security
///
/// Within the grace, a thief who has the token and its binding gets the successor too. The theft is detected as soon as one of
/// the two uses the successor and the other presents the older token. A thief who always comes within the grace, with the token
/// that the owner has just exchanged, is not detected, because no token is ever used after its successor. The sign of such a
/// theft is a session in which *every* exchange is followed by an [`EventKind::GraceReplay`](crate::EventKind::GraceReplay).
///
/// No number of consecutive replays ends a session, because honest clients have no upper bound: two tabs that refresh on the
/// same timer replay once in each generation, for weeks. In your log, compare the origins of the two requests of each
/// generation: tabs share their address and `User-Agent`. If that is not enough, bind sessions to a key
/// ([`Binding::key_thumbprint`](crate::Binding::key_thumbprint)), so that a copied token is worthless.
///
/// [`None`](Self::None) has no such window, but every lost answer and every second tab is a logout.
/// [`UntilSuccessorUsed`](Self::UntilSuccessorUsed) also keeps clients that sleep before they receive the answer, but its
/// window is as long as the cap.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign_session::Grace;
///
/// assert_eq!(Grace::default(), Grace::Within(Duration::from_secs(60)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grace {
    /// Any second use is reuse.
    None,
    /// For this long after the exchange, plus the clock skew. Up to 5 minutes, and with the skew up to the idle lifetime.
    Within(Duration),
    /// Until the successor is used, at most for `cap` plus the clock skew.
    UntilSuccessorUsed {
        /// The maximum. Up to the idle lifetime.
        cap: Duration,
    },
}

impl Grace {
    /// Returns the length of the grace, if there is one.
    pub(crate) const fn window(self) -> Option<Duration> {
        match self {
            Self::None => None,
            Self::Within(window) | Self::UntilSuccessorUsed { cap: window } => Some(window),
        }
    }
}

impl Default for Grace {
    fn default() -> Self {
        Self::Within(Duration::from_secs(MINUTE))
    }
}

/// What happens if a request presents a binding other than the session's. A missing binding is always only refused.
///
/// # Examples
///
/// ```
/// use countersign_session::OnMismatch;
///
/// assert_eq!(OnMismatch::default(), OnMismatch::Revoke);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnMismatch {
    /// The session is revoked, because someone has its token and not its binding.
    #[default]
    Revoke,
    /// The exchange is refused; the session is not changed.
    Refuse,
}

/// Builds a [`Config`].
///
/// # Examples
///
/// ```
/// use countersign_session::{Config, ConfigError};
///
/// let error = Config::builder("", "https://api.example").build().unwrap_err();
/// assert_eq!(error, ConfigError::Empty { setting: "issuer" });
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct ConfigBuilder {
    config: Config,
    access_cap: Option<u64>,
    cap: Option<usize>,
}

impl ConfigBuilder {
    /// Adds an audience (`aud`) of the access tokens.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.config.audience.push(audience.into());
        self
    }

    /// Sets how long an access token is valid, up to 15 minutes.
    pub const fn access_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.access = lifetime;
        self.access_cap = Some(ACCESS_CAP);
        self
    }

    /// Sets how long an access token is valid, without the limit of 15 minutes.
    ///
    /// # Security
    ///
    /// Without a denylist, a stolen token works this long, and a logout takes this long.
    pub const fn access_lifetime_beyond_limit(mut self, lifetime: Duration) -> Self {
        self.config.access = lifetime;
        self.access_cap = None;
        self
    }

    /// Sets how long a session lives without an exchange.
    pub const fn idle_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.idle = lifetime;
        self
    }

    /// Sets how long a session lives in total. Nothing extends it.
    pub const fn absolute_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.absolute = lifetime;
        self
    }

    /// Sets what happens if a refresh token is used a second time.
    pub const fn grace(mut self, grace: Grace) -> Self {
        self.config.grace = grace;
        self
    }

    /// Sets how far the clocks of the servers that run sessions may differ, up to 5 minutes. Servers that check access tokens
    /// have their own setting: [`leeway`](countersign::VerifierBuilder::leeway), 30 seconds by default.
    pub const fn clock_skew(mut self, skew: Duration) -> Self {
        self.config.skew = skew;
        self
    }

    /// Sets what happens if a request presents a binding other than the session's.
    pub const fn on_binding_mismatch(mut self, reaction: OnMismatch) -> Self {
        self.config.on_mismatch = reaction;
        self
    }

    /// Requires a binding for every session. A login with [`Binding::None`](crate::Binding::None) is an error, and a session
    /// without a binding cannot be exchanged. Use it on servers that bind all sessions.
    pub const fn require_binding(mut self) -> Self {
        self.config.binding_required = true;
        self
    }

    /// Sets how many sessions a subject may have. A login above this cap revokes the oldest session.
    ///
    /// Without a cap, one account can hold any number of sessions. With a cap, a login reads the list of the subject's sessions
    /// twice. The list has at most as many rows as the cap, plus one for each concurrent login.
    pub const fn sessions_per_subject(mut self, count: usize) -> Self {
        self.cap = Some(count);
        self
    }

    /// Allows one session for each subject: a login ends the previous one.
    pub const fn single_session(self) -> Self {
        self.sessions_per_subject(1)
    }

    /// Builds the configuration.
    ///
    /// # Errors
    ///
    /// - [`ConfigError::Empty`] for an issuer or an audience that is empty or consists of blanks.
    /// - [`ConfigError::Zero`] for a lifetime or a grace under a second, or a cap of zero.
    /// - [`ConfigError::AccessAboveLimit`], [`ConfigError::AbsoluteAboveLimit`], [`ConfigError::GraceAboveLimit`],
    ///   [`ConfigError::ClockSkewAboveLimit`]: above their limits. The idle lifetime is also a limit of the grace; for
    ///   [`Grace::Within`] the clock skew is added.
    /// - [`ConfigError::AccessNotUnderIdle`], [`ConfigError::IdleAboveAbsolute`].
    pub fn build(mut self) -> Result<Config, ConfigError> {
        self.check_texts()?;
        self.check_lifetimes()?;
        self.check_grace()?;
        if let Some(count) = self.cap {
            let zero = ConfigError::Zero { setting: "sessions_per_subject" };
            self.config.cap = Some(NonZeroUsize::new(count).ok_or(zero)?);
        }
        Ok(self.config)
    }

    fn check_texts(&self) -> Result<(), ConfigError> {
        let blank = |text: &str| text.trim().is_empty();
        if blank(&self.config.issuer) {
            return Err(ConfigError::Empty { setting: "issuer" });
        }
        if self.config.audience.iter().any(|audience| blank(audience)) {
            return Err(ConfigError::Empty { setting: "audience" });
        }
        Ok(())
    }

    fn check_lifetimes(&self) -> Result<(), ConfigError> {
        let Config { access, idle, absolute, skew, .. } = &self.config;
        for (lifetime, setting) in
            [(access, "access_lifetime"), (idle, "idle_lifetime"), (absolute, "absolute_lifetime")]
        {
            not_zero(lifetime, setting)?;
        }
        if let Some((seconds, cap)) = self.access_cap.and_then(|cap| above(access, cap)) {
            return Err(ConfigError::AccessAboveLimit { seconds, cap });
        }
        if let Some((seconds, cap)) = above(absolute, ABSOLUTE_CAP) {
            return Err(ConfigError::AbsoluteAboveLimit { seconds, cap });
        }
        if let Some((seconds, cap)) = above(skew, CLOCK_SKEW_CAP) {
            return Err(ConfigError::ClockSkewAboveLimit { seconds, cap });
        }
        if idle > absolute {
            return Err(ConfigError::IdleAboveAbsolute);
        }
        if access.as_secs() >= idle.as_secs() {
            return Err(ConfigError::AccessNotUnderIdle);
        }
        match above(skew, idle.as_secs()) {
            Some((seconds, cap)) => Err(ConfigError::ClockSkewAboveLimit { seconds, cap }),
            None => Ok(()),
        }
    }

    fn check_grace(&self) -> Result<(), ConfigError> {
        let Some(window) = self.config.grace.window() else { return Ok(()) };
        not_zero(&window, "grace")?;
        let cap = match self.config.grace {
            Grace::UntilSuccessorUsed { .. } => self.config.idle.as_secs(),
            // Otherwise the grace would be longer than the life of the session.
            _ => GRACE_CAP.min(self.config.idle.saturating_sub(self.config.skew).as_secs()),
        };
        match above(&window, cap) {
            Some((seconds, cap)) => Err(ConfigError::GraceAboveLimit { seconds, cap }),
            None => Ok(()),
        }
    }
}

/// Refuses a duration under a second, because times are compared in whole seconds.
const fn not_zero(duration: &Duration, setting: &'static str) -> Result<(), ConfigError> {
    if duration.as_secs() == 0 { Err(ConfigError::Zero { setting }) } else { Ok(()) }
}

/// Returns `duration` and the cap in seconds, if it is above the cap.
fn above(duration: &Duration, cap: u64) -> Option<(u64, u64)> {
    (duration.as_secs() > cap).then_some((duration.as_secs(), cap))
}
