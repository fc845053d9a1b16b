//! How long sessions live, what they forgive, and how many there may be.

use crate::error::ConfigError;
use alloc::string::String;
use alloc::vec::Vec;
use core::num::NonZeroUsize;
use core::time::Duration;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// Nobody can call back an access token where no denylist is asked: this is how long a stolen one works.
const ACCESS_CAP: u64 = 15 * MINUTE;
/// Browsers cut the age of a cookie to 400 days
/// ([draft-ietf-httpbis-rfc6265bis](https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis#section-5.6.2)).
const ABSOLUTE_CAP: u64 = 400 * DAY;
/// As for the leeway of a verifier.
const CLOCK_SKEW_CAP: u64 = 5 * MINUTE;
/// A retry comes within seconds; more is for `UntilSuccessorUsed`, which says what it is.
const GRACE_CAP: u64 = 5 * MINUTE;

/// The rules for sessions: built once, with every default on the safe side.
///
/// | | default | |
/// |---|---|---|
/// | access token | 10 minutes | 15 at most, but by a method that says so |
/// | idle | 14 days | from the last exchange |
/// | absolute | 60 days | from login; never extended; 400 at most |
/// | grace | 60 seconds | for a client that asks twice or loses the answer |
/// | clock skew | 60 seconds | between the machines that run sessions |
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
    /// Starts with the defaults. Access tokens carry `issuer` as `iss` and `audience` as `aud`; neither may be empty.
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

/// What happens when the refresh token before the present one comes once more, which an honest client does when two tabs
/// ask at once or an answer got lost.
///
/// Inside the grace the answer is the *same* successor and a new access token; the present token stays the present one, so
/// the window is never extended and nobody is logged out. As soon as the successor has been used, the grace is over. After
/// it, the token counts as stolen and its session is revoked.
///
/// # Security
///
/// Inside the grace, a thief who has the token and what it is bound to gets the successor too. The theft is found
/// out as soon as one of the two uses the successor and the other comes with the older token. A thief who always comes inside
/// the grace, with the very token that the owner has just exchanged, is not found out: no token is ever used after its
/// successor. The sign of that is a session in which *every* exchange is followed by an
/// [`EventKind::GraceReplay`](crate::EventKind::GraceReplay).
///
/// No number of replays in a row ends a session, because honest clients have no upper bound: two tabs that refresh on the
/// same timer replay once in each generation, for weeks. Compare in your log what the two requests of each generation came
/// from: tabs share their address and `User-Agent`. Where that is not enough, bind sessions to a key
/// ([`Binding::key_thumbprint`](crate::Binding::key_thumbprint)), so that a copied token is worth nothing.
///
/// [`None`](Self::None) leaves no such time; its price is that
/// every lost answer and every second tab is a logout. [`UntilSuccessorUsed`](Self::UntilSuccessorUsed) loses nobody whose
/// laptop slept through an answer; its price is a window as long as the cap.
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
    /// A second use is reuse, whatever the reason.
    None,
    /// For this long after the exchange, the clock skew added. Up to 5 minutes, and with the skew up to the idle lifetime.
    Within(Duration),
    /// Until the successor has been used, for `cap` at most, the clock skew added.
    UntilSuccessorUsed {
        /// The longest that it may take. Up to the idle lifetime.
        cap: Duration,
    },
}

impl Grace {
    /// How long it lasts, if there is one.
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

/// What happens when a request shows another binding than the session's own. A missing one is always just refused.
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
    /// The session is revoked: somebody has its token and not its binding.
    #[default]
    Revoke,
    /// The exchange is refused and the session lives on.
    Refuse,
}

/// A [`Config`] in the making.
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
    /// One more audience (`aud`) of the access tokens.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.config.audience.push(audience.into());
        self
    }

    /// How long an access token is good, up to 15 minutes.
    pub const fn access_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.access = lifetime;
        self.access_cap = Some(ACCESS_CAP);
        self
    }

    /// An access token that is good for more than 15 minutes.
    ///
    /// # Security
    ///
    /// Where no denylist is asked, that is how long a stolen one works, and how long a logout takes.
    pub const fn access_lifetime_beyond_limit(mut self, lifetime: Duration) -> Self {
        self.config.access = lifetime;
        self.access_cap = None;
        self
    }

    /// How long a session lives without an exchange.
    pub const fn idle_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.idle = lifetime;
        self
    }

    /// How long a session lives at all. Nothing extends it.
    pub const fn absolute_lifetime(mut self, lifetime: Duration) -> Self {
        self.config.absolute = lifetime;
        self
    }

    /// What happens when a refresh token comes a second time.
    pub const fn grace(mut self, grace: Grace) -> Self {
        self.config.grace = grace;
        self
    }

    /// How far the clocks of the machines that run sessions may disagree, up to 5 minutes. Servers that check access tokens
    /// have an allowance of their own: [`leeway`](countersign::VerifierBuilder::leeway), 30 seconds if nothing is said.
    pub const fn clock_skew(mut self, skew: Duration) -> Self {
        self.config.skew = skew;
        self
    }

    /// What happens when a request shows another binding than the session's own.
    pub const fn on_binding_mismatch(mut self, reaction: OnMismatch) -> Self {
        self.config.on_mismatch = reaction;
        self
    }

    /// No session without a binding: a login with [`Binding::None`](crate::Binding::None) is an error, and a session
    /// that was begun without one is not exchanged. For servers that bind all, so that none slips through.
    pub const fn require_binding(mut self) -> Self {
        self.config.binding_required = true;
        self
    }

    /// How many sessions a subject may have. A login above it revokes the one that began first.
    ///
    /// Without a cap, one account can hold any number of sessions. With a cap, a login reads the list of the subject's
    /// sessions twice. The list has as many rows as the cap at most, and one more for each login that is under way.
    pub const fn sessions_per_subject(mut self, count: usize) -> Self {
        self.cap = Some(count);
        self
    }

    /// One session for each subject: a login ends the one before.
    pub const fn single_session(self) -> Self {
        self.sessions_per_subject(1)
    }

    /// The rules.
    ///
    /// # Errors
    ///
    /// - [`ConfigError::Empty`] for an issuer or an audience of no text, or of blanks.
    /// - [`ConfigError::Zero`] for a lifetime or a grace under a second, or a cap of nothing.
    /// - [`ConfigError::AccessAboveLimit`], [`ConfigError::AbsoluteAboveLimit`], [`ConfigError::GraceAboveLimit`],
    ///   [`ConfigError::ClockSkewAboveLimit`]: above their limits. The idle lifetime is one of the grace: for
    ///   [`Grace::Within`] the clock skew counts too.
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
            // Else a token would be forgiven for longer than its session lives.
            _ => GRACE_CAP.min(self.config.idle.saturating_sub(self.config.skew).as_secs()),
        };
        match above(&window, cap) {
            Some((seconds, cap)) => Err(ConfigError::GraceAboveLimit { seconds, cap }),
            None => Ok(()),
        }
    }
}

/// Whole seconds are what times are compared in.
const fn not_zero(duration: &Duration, setting: &'static str) -> Result<(), ConfigError> {
    if duration.as_secs() == 0 { Err(ConfigError::Zero { setting }) } else { Ok(()) }
}

/// `duration` and the cap in seconds, if it is above.
fn above(duration: &Duration, cap: u64) -> Option<(u64, u64)> {
    (duration.as_secs() > cap).then_some((duration.as_secs(), cap))
}
