//! Checks claims against the policy of a verifier, with one short function for each rule. The time is an argument.
//!
//! The times are checked last, and `exp` after `nbf` and `iat`, so that "expired" means that no other check failed. Only the
//! maximum age is checked after `exp`, because a new token also fixes that.

mod issuer_template;

use crate::claims::{Audiences, ClaimedIssuers, Registered};
use crate::error::{Expected, PolicyError, VerifyError};
use crate::numeric_date::NumericDate;
use crate::time::UnixTime;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// Clocks of servers agree within seconds. More leeway only keeps expired tokens alive.
const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);
/// RFC 7519 section 4.1.4 allows a leeway of "a few minutes".
const LEEWAY_CAP: Duration = Duration::from_secs(5 * 60);
/// The decoder has one bit for each required name, in a word of 64 bits.
const MOST_REQUIRED: usize = 64;

/// Expected names. One of them is enough.
type Names = Arc<[Box<str>]>;

#[derive(Clone, Debug)]
enum AudienceRule {
    Any,
    None,
    OneOf(Names),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum MissingExpiration {
    #[default]
    Refused,
    Allowed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum FutureIssuedAt {
    #[default]
    Refused,
    Allowed,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum NumericSubject {
    #[default]
    Refused,
    Accepted,
}

/// A policy with settings that have been checked.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    /// The expected issuers. `None` accepts any issuer, and tokens without one.
    issuer: Option<Names>,
    /// More expected issuers, which depend on other claims.
    claimed_issuers: Option<Arc<dyn ClaimedIssuers>>,
    audience: AudienceRule,
    subject: Option<Names>,
    required: Arc<[Box<str>]>,
    max_age: Option<Duration>,
    leeway: Duration,
    missing_expiration: MissingExpiration,
    future_issued_at: FutureIssuedAt,
    numeric_subject: NumericSubject,
}

impl Policy {
    /// Returns whether the decoder accepts a number for `sub`.
    pub(crate) fn accepts_numeric_subject(&self) -> bool {
        self.numeric_subject == NumericSubject::Accepted
    }

    /// Returns the names of the required claims. The decoder notes which of them are present.
    pub(crate) fn required(&self) -> &[Box<str>] {
        &self.required
    }

    /// Returns the issuers that depend on other claims. The decoder lets them note these claims.
    pub(crate) fn claimed_issuers(&self) -> Option<&dyn ClaimedIssuers> {
        self.claimed_issuers.as_deref()
    }

    pub(crate) const fn leeway(&self) -> Duration {
        self.leeway
    }

    /// Checks the claims of a payload at the time `now`.
    pub(crate) fn check(&self, claims: &Registered, payload: &str, now: UnixTime) -> Result<(), VerifyError> {
        self.check_issuer(claims, payload)?;
        self.check_audience(claims, payload)?;
        self.check_subject(claims, payload)?;
        self.check_required(claims)?;
        self.check_times(claims, now)
    }

    /// Checks the part of the policy that depends on the time.
    pub(crate) fn check_times(&self, claims: &Registered, now: UnixTime) -> Result<(), VerifyError> {
        self.check_not_before(claims, now)?;
        self.check_issued_at(claims, now)?;
        self.check_expiration(claims, now)?;
        self.check_age(claims, now)
    }

    /// Checks `iss` (RFC 7519 section 4.1.1).
    fn check_issuer(&self, claims: &Registered, payload: &str) -> Result<(), VerifyError> {
        let text = claims.iss.map(|text| text.of(payload, &claims.resolved));
        if let Some(claimed) = &self.claimed_issuers {
            let issuer = text.ok_or_else(|| missing("iss"))?;
            let is_named = self.issuer.as_ref().is_some_and(|names| holds(names, issuer));
            return if is_named { Ok(()) } else { claimed.check(issuer, payload, claims) };
        }
        check_text(self.issuer.as_ref(), text, "iss", |names, found| VerifyError::WrongIssuer {
            expected: Expected::new(names).but_found(found),
        })
    }

    /// Checks `sub` (RFC 7519 section 4.1.2).
    fn check_subject(&self, claims: &Registered, payload: &str) -> Result<(), VerifyError> {
        let text = claims.sub.map(|text| text.of(payload, &claims.resolved));
        check_text(self.subject.as_ref(), text, "sub", |names, _| VerifyError::WrongSubject {
            expected: Expected::new(names),
        })
    }

    /// Checks `aud` (RFC 7519 section 4.1.3): a recipient that is not named in an `aud` must refuse the token.
    fn check_audience(&self, claims: &Registered, payload: &str) -> Result<(), VerifyError> {
        match (&self.audience, &claims.aud) {
            (AudienceRule::Any, _) | (AudienceRule::None, None) => Ok(()),
            (AudienceRule::None, Some(_)) => Err(VerifyError::UnexpectedAudience),
            (AudienceRule::OneOf(_), None) => Err(missing("aud")),
            (AudienceRule::OneOf(expected), Some(found)) => {
                if found.iter().any(|text| holds(expected, text.of(payload, &claims.resolved))) {
                    Ok(())
                } else {
                    Err(wrong_audience(Expected::new(expected.clone()), found, claims, payload))
                }
            }
        }
    }

    fn check_required(&self, claims: &Registered) -> Result<(), VerifyError> {
        let mut bits = claims.required_met;
        for name in &*self.required {
            if bits & 1 == 0 {
                return Err(VerifyError::MissingClaim { claim: Cow::Owned(String::from(&**name)) });
            }
            bits >>= 1;
        }
        match self.missing_expiration {
            MissingExpiration::Refused if claims.exp.is_none() => Err(missing("exp")),
            _ => Ok(()),
        }
    }

    /// Checks `nbf` (RFC 7519 section 4.1.5).
    fn check_not_before(&self, claims: &Registered, now: UnixTime) -> Result<(), VerifyError> {
        match claims.nbf.map(NumericDate::time) {
            Some(not_before) if now.saturating_add(self.leeway) < not_before => {
                Err(VerifyError::NotYetValid { not_before, now })
            }
            _ => Ok(()),
        }
    }

    /// Checks that `iat` is not in the future. RFC 7519 section 4.1.6 does not require this. We check it because a token from
    /// the future comes from a wrong clock or from a forger.
    fn check_issued_at(&self, claims: &Registered, now: UnixTime) -> Result<(), VerifyError> {
        match (self.future_issued_at, claims.iat.map(NumericDate::time)) {
            (FutureIssuedAt::Refused, Some(issued_at)) if now.saturating_add(self.leeway) < issued_at => {
                Err(VerifyError::IssuedInFuture { issued_at, now })
            }
            _ => Ok(()),
        }
    }

    /// Checks `exp` (RFC 7519 section 4.1.4): a token must not be accepted on or after `exp`.
    fn check_expiration(&self, claims: &Registered, now: UnixTime) -> Result<(), VerifyError> {
        match claims.exp.map(NumericDate::time) {
            Some(expired_at) if now >= expired_at.saturating_add(self.leeway) => {
                Err(VerifyError::Expired { expired_at, now })
            }
            _ => Ok(()),
        }
    }

    fn check_age(&self, claims: &Registered, now: UnixTime) -> Result<(), VerifyError> {
        let Some(max_age) = self.max_age else { return Ok(()) };
        let issued_at = claims.iat.ok_or_else(|| missing("iat"))?.rounded_down();
        let oldest = now.saturating_sub(max_age).saturating_sub(self.leeway);
        if issued_at < oldest { Err(VerifyError::TooOld { issued_at, max_age, now }) } else { Ok(()) }
    }
}

const fn missing(claim: &'static str) -> VerifyError {
    VerifyError::MissingClaim { claim: Cow::Borrowed(claim) }
}

#[cold]
#[inline(never)]
fn wrong_audience(
    mut expected: Expected,
    found: &Audiences,
    claims: &Registered,
    payload: &str,
) -> VerifyError {
    for text in found.iter() {
        expected = expected.but_found(text.of(payload, &claims.resolved));
    }
    VerifyError::WrongAudience { expected }
}

fn holds(expected: &Names, found: &str) -> bool {
    expected.iter().any(|name| **name == *found)
}

/// Checks that a text claim is one of the `expected` names, if names are configured.
fn check_text(
    expected: Option<&Names>,
    found: Option<&str>,
    claim: &'static str,
    wrong: impl FnOnce(Names, &str) -> VerifyError,
) -> Result<(), VerifyError> {
    match (expected, found) {
        (None, _) => Ok(()),
        (Some(_), None) => Err(missing(claim)),
        (Some(expected), Some(found)) if holds(expected, found) => Ok(()),
        (Some(expected), Some(found)) => Err(wrong(expected.clone(), found)),
    }
}

/// The templates of issuers before they are checked, and what checks them.
#[derive(Clone, Debug)]
struct Templates {
    written: Vec<issuer_template::Written>,
    /// A pointer, so that only programs that add a template contain the code.
    make: issuer_template::Make,
}

/// The settings of a policy before they are checked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Draft {
    pub(crate) issuers: Vec<Box<str>>,
    templates: Option<Templates>,
    pub(crate) any_issuer: bool,
    pub(crate) audiences: Vec<Box<str>>,
    pub(crate) no_audience: bool,
    pub(crate) any_audience: bool,
    pub(crate) subjects: Vec<Box<str>>,
    pub(crate) required: Vec<Box<str>>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) leeway: Option<Duration>,
    pub(crate) leeway_beyond_limit: Option<Duration>,
    pub(crate) missing_expiration: MissingExpiration,
    pub(crate) future_issued_at: FutureIssuedAt,
    pub(crate) numeric_subject: NumericSubject,
}

impl Draft {
    /// Adds the template of an issuer.
    pub(crate) fn add_issuer_template(&mut self, template: Box<str>, claim: Box<str>) {
        let make = issuer_template::make;
        let templates = self.templates.get_or_insert_with(|| Templates { written: Vec::new(), make });
        templates.written.push((template, claim));
    }

    /// Checks the settings and makes the policy.
    pub(crate) fn finish(self) -> Result<Policy, PolicyError> {
        let leeway = self.leeway()?;
        self.check_required()?;
        Ok(Policy {
            issuer: self.issuer()?,
            claimed_issuers: self.claimed_issuers()?,
            audience: self.audience()?,
            subject: self.subject()?,
            required: self.required.into(),
            max_age: self.max_age,
            leeway,
            missing_expiration: self.missing_expiration,
            future_issued_at: self.future_issued_at,
            numeric_subject: self.numeric_subject,
        })
    }

    fn issuer(&self) -> Result<Option<Names>, PolicyError> {
        let any = ("accept_any_issuer", self.any_issuer);
        exclude(("issuer", !self.issuers.is_empty()), any)?;
        exclude(("issuer_template", self.templates.is_some()), any)?;
        match names("issuer", &self.issuers)? {
            None if self.templates.is_none() && !self.any_issuer => Err(PolicyError::IssuerUndecided),
            names => Ok(names),
        }
    }

    fn claimed_issuers(&self) -> Result<Option<Arc<dyn ClaimedIssuers>>, PolicyError> {
        let made =
            self.templates.as_ref().map(|templates| (templates.make)(&templates.written, &self.issuers));
        made.transpose()
    }

    fn audience(&self) -> Result<AudienceRule, PolicyError> {
        let given = ("audience", !self.audiences.is_empty());
        let none = ("no_audience", self.no_audience);
        let any = ("accept_any_audience", self.any_audience);
        exclude(given, none)?;
        exclude(given, any)?;
        exclude(none, any)?;
        match names("audience", &self.audiences)? {
            Some(names) => Ok(AudienceRule::OneOf(names)),
            None if self.no_audience => Ok(AudienceRule::None),
            None if self.any_audience => Ok(AudienceRule::Any),
            None => Err(PolicyError::AudienceUndecided),
        }
    }

    fn subject(&self) -> Result<Option<Names>, PolicyError> {
        names("subject", &self.subjects)
    }

    fn leeway(&self) -> Result<Duration, PolicyError> {
        let beyond = ("leeway_beyond_limit", self.leeway_beyond_limit.is_some());
        exclude(("leeway", self.leeway.is_some()), beyond)?;
        match (self.leeway, self.leeway_beyond_limit) {
            // Times are whole seconds, so fractions of a second are ignored.
            (Some(leeway), _) if leeway.as_secs() > LEEWAY_CAP.as_secs() => {
                Err(PolicyError::LeewayAboveLimit { seconds: leeway.as_secs(), cap: LEEWAY_CAP.as_secs() })
            }
            (leeway, beyond) => Ok(beyond.or(leeway).unwrap_or(DEFAULT_LEEWAY)),
        }
    }

    fn check_required(&self) -> Result<(), PolicyError> {
        names("require", &self.required)?;
        if self.required.len() > MOST_REQUIRED {
            return Err(PolicyError::TooManyRequired { limit: MOST_REQUIRED });
        }
        let requires = |claim: &str| self.required.iter().any(|name| **name == *claim);
        let allowed = self.missing_expiration == MissingExpiration::Allowed;
        exclude(("require(\"exp\")", requires("exp")), ("allow_missing_expiration", allowed))?;
        exclude(("require(\"aud\")", requires("aud")), ("no_audience", self.no_audience))
    }
}

/// Refuses two settings that contradict each other.
pub(crate) fn exclude(first: (&'static str, bool), second: (&'static str, bool)) -> Result<(), PolicyError> {
    if first.1 && second.1 {
        return Err(PolicyError::Contradiction { first: first.0, second: second.0 });
    }
    Ok(())
}

/// Returns the names, or `None` if there are no names. Refuses an empty name, because it can only be a mistake.
fn names(setting: &'static str, names: &[Box<str>]) -> Result<Option<Names>, PolicyError> {
    if names.iter().any(|name| name.is_empty()) {
        return Err(PolicyError::Empty { setting });
    }
    Ok((!names.is_empty()).then(|| names.into()))
}
