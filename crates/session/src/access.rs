//! Checks access tokens: application servers do this for every request.

use crate::at::At;
use crate::binding::{Binding, Match};
use crate::confirmation::Confirmation;
use crate::denial::{DenyKey, MOST_LEEWAY};
use crate::error::Error;
use crate::grant::TYP;
use crate::id::SessionId;
use crate::store::Denylist;
use alloc::borrow::Cow;
use core::fmt;
use countersign::Keys;
use countersign::UnixTime;
use countersign::http::bearer_token;
use countersign::{PolicyError, VerifyError};
use countersign::{Token, Verifier, VerifierBuilder};
use serde::de::{Deserialize, DeserializeOwned, Deserializer};

/// Checks access tokens without a store: signature, `typ`, issuer, audience, times, and the binding.
///
/// After a session has ended, its last access token is still accepted until that token expires. To refuse it at once, add
/// [`with_denylist`](Self::with_denylist).
///
/// # Security
///
/// Every verifier refuses a bound token without its binding. It accepts an unbound token, unless
/// [`require_binding`](Self::require_binding) was called.
///
/// # Examples
///
/// ```
/// # use countersign_session::{Config, Login, MasterKeys, MemoryStore, Sessions, blocking};
/// use countersign_session::{AccessVerifier, Binding};
/// use countersign::{HmacKey, SecretBytes, Verifier};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct User { role: String }
///
/// # let key = HmacKey::hs256(&SecretBytes::from_bytes([8; 32]))?;
/// # let config = Config::builder("https://auth.example", "https://api.example").build()?;
/// # let sessions = Sessions::new(config, MasterKeys::new(1, [7; 32])?, key.clone(), MemoryStore::new())?;
/// # let grant = blocking(sessions.login(&Login::new("user123").scope("read")))?;
/// # let text = sessions.access_token(&grant, &User { role: "admin".into() })?;
/// let verifier = AccessVerifier::new(
///     Verifier::builder(key).issuer("https://auth.example").audience("https://api.example"),
/// )?;
/// let access = verifier.verify::<User>(&text, &Binding::None)?;
/// assert_eq!(access.token().subject(), Some("user123"));
/// assert_eq!(access.claims().role, "admin");
/// assert!(access.has_scope("read"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AccessVerifier {
    verifier: Verifier,
    unbound: Unbound,
}

/// What to do with a token without a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unbound {
    Accepted,
    Refused,
}

impl AccessVerifier {
    /// Creates a verifier with this policy that accepts only access tokens of sessions: `typ` `at+jwt`, with `sub`, `exp`,
    /// `jti`, `sid` and `sub_epoch`.
    ///
    /// If the clock of a login server is ahead by more than the policy's leeway, its new tokens are not valid here yet.
    /// Sessions allow a difference of 60 seconds between clocks, a policy 30 by default. If your clocks may differ by more than
    /// that, set [`leeway`](VerifierBuilder::leeway) to the session's [`clock_skew`](crate::ConfigBuilder::clock_skew).
    ///
    /// # Errors
    ///
    /// As [`VerifierBuilder::build`], and:
    ///
    /// - [`PolicyError::LeewayAboveLimit`] also for a [`leeway_beyond_limit`](VerifierBuilder::leeway_beyond_limit), because
    ///   denials are not kept long enough for it.
    /// - [`PolicyError::Contradiction`] for a policy with a [`typ`](VerifierBuilder::typ) or with
    ///   [`accept_any_typ`](VerifierBuilder::accept_any_typ): access tokens have one `typ`, `at+jwt`.
    pub fn new(policy: VerifierBuilder) -> Result<Self, PolicyError> {
        // A policy with its own types would accept tokens of those types as access tokens.
        if let Err(PolicyError::Contradiction { first: "typ", .. }) = policy.clone().accept_any_typ().build()
        {
            return Err(PolicyError::Contradiction { first: "typ", second: "AccessVerifier" });
        }
        let policy =
            ["sub", "exp", "jti", "sid", "sub_epoch"].into_iter().fold(policy, VerifierBuilder::require);
        let verifier = policy.typ(TYP).build()?;
        // Times are whole seconds, so ignore a fraction.
        let (seconds, cap) = (verifier.leeway().as_secs(), MOST_LEEWAY.as_secs());
        if seconds > cap {
            return Err(PolicyError::LeewayAboveLimit { seconds, cap });
        }
        Ok(Self { verifier, unbound: Unbound::Accepted })
    }

    /// Refuses access tokens without a binding. Use it if all login servers bind all sessions
    /// ([`ConfigBuilder::require_binding`](crate::ConfigBuilder::require_binding)), so that a server with another configuration
    /// is detected ([RFC 9700 section 2.2.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.2.1)).
    #[must_use]
    pub fn require_binding(self) -> Self {
        Self { unbound: Unbound::Refused, ..self }
    }

    /// Returns a verifier with the same policy and other keys, as [`Verifier::with_keys`](countersign::Verifier::with_keys).
    #[must_use]
    pub fn with_keys(&self, keys: impl Into<Keys>) -> Self {
        Self { verifier: self.verifier.with_keys(keys), unbound: self.unbound }
    }

    /// Returns a verifier that also reads the denylist, so that revoked sessions are refused at once. While the denylist is
    /// unavailable, every token is refused with a 503.
    #[must_use]
    pub const fn with_denylist<D: Denylist>(self, denylist: D) -> RevocationVerifier<D> {
        RevocationVerifier { access: self, denylist, on_failure: OnFailure::Refuse }
    }

    /// Returns the same verifier at the time `now`: for tests, and for platforms without a clock.
    #[must_use]
    pub const fn at(&self, now: UnixTime) -> At<'_, Self> {
        At::new(self, now)
    }

    /// Checks a token against the wall clock. `binding` is the binding that came with the request, or [`Binding::None`].
    ///
    /// # Errors
    ///
    /// [`Error::Token`], [`Error::BindingMissing`], [`Error::BindingMismatch`]; [`Error::Unbound`] after
    /// [`require_binding`](Self::require_binding).
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub fn verify<T: DeserializeOwned>(
        &self,
        text: &str,
        binding: &Binding,
    ) -> Result<AccessToken<T>, Error> {
        self.at(UnixTime::now()).verify(text, binding)
    }

    /// Checks the access token in the values of a request's `Authorization` headers, as
    /// [`Verifier::verify_bearer`](countersign::Verifier::verify_bearer) does, against the wall clock.
    ///
    /// The scheme must be `Bearer`. A token that is bound to a key comes in the scheme `DPoP`
    /// ([RFC 9449 section 7.1](https://www.rfc-editor.org/rfc/rfc9449#section-7.1)): take it out of the header, and call
    /// [`verify`](Self::verify) with the thumbprint of the proof.
    ///
    /// # Errors
    ///
    /// [`Error::Request`] unless there is exactly one bearer token; otherwise as [`verify`](Self::verify).
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub fn verify_bearer<T: DeserializeOwned>(
        &self,
        authorization: impl IntoIterator<Item: AsRef<[u8]>>,
        binding: &Binding,
    ) -> Result<AccessToken<T>, Error> {
        self.at(UnixTime::now()).verify_bearer(authorization, binding)
    }
}

/// The checks at a given time.
impl At<'_, AccessVerifier> {
    /// Does what [`AccessVerifier::verify`] does, at the given time.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn verify<T: DeserializeOwned>(self, text: &str, binding: &Binding) -> Result<AccessToken<T>, Error> {
        let access = AccessToken::read(self.inner.verifier.at(self.now).verify(text)?)?;
        if access.binding.is_none() && self.inner.unbound == Unbound::Refused {
            return Err(Error::Unbound);
        }
        match access.binding.compare(binding) {
            Match::Same => Ok(access),
            Match::Missing => Err(Error::BindingMissing),
            Match::Different => Err(Error::BindingMismatch),
        }
    }

    /// Does what [`AccessVerifier::verify_bearer`] does, at the given time.
    ///
    /// # Errors
    ///
    /// The same.
    pub fn verify_bearer<T: DeserializeOwned>(
        self,
        authorization: impl IntoIterator<Item: AsRef<[u8]>>,
        binding: &Binding,
    ) -> Result<AccessToken<T>, Error> {
        let mut values = authorization.into_iter().fuse();
        // Two are enough to detect that there are several.
        let values = [values.next(), values.next()];
        self.verify(bearer_token(values.iter().flatten())?, binding)
    }
}

/// What to do while the denylist is unavailable.
#[derive(Clone, Copy, Debug)]
enum OnFailure {
    Accept,
    Refuse,
}

/// Checks access tokens, and looks each one up in the denylist.
///
/// # Examples
///
/// ```
/// # use countersign_session::{Config, Login, MasterKeys, MemoryStore, Sessions, blocking};
/// # use std::sync::Arc;
/// use countersign_session::{AccessVerifier, Binding, Error};
/// use countersign::{HmacKey, SecretBytes, Verifier};
///
/// # let key = HmacKey::hs256(&SecretBytes::from_bytes([8; 32]))?;
/// # let store = Arc::new(MemoryStore::new());
/// # let config = Config::builder("https://auth.example", "https://api.example").build()?;
/// # let sessions = Sessions::new(config, MasterKeys::new(1, [7; 32])?, key.clone(), store.clone())?;
/// # let grant = blocking(sessions.login(&Login::new("user123")))?;
/// # let text = sessions.access_token(&grant, &())?;
/// let verifier = AccessVerifier::new(
///     Verifier::builder(key).issuer("https://auth.example").audience("https://api.example"),
/// )?
/// .with_denylist(store);
/// assert!(blocking(verifier.verify::<()>(&text, &Binding::None)).is_ok());
///
/// blocking(sessions.logout(grant.refresh_token().expose_secret()))?;
/// let error = blocking(verifier.verify::<()>(&text, &Binding::None)).unwrap_err();
/// assert!(matches!(error, Error::Denied));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct RevocationVerifier<D> {
    access: AccessVerifier,
    denylist: D,
    on_failure: OnFailure,
}

impl<D: Denylist> RevocationVerifier<D> {
    /// Returns a verifier with the same policy, the same denylist and other keys, as
    /// [`Verifier::with_keys`](countersign::Verifier::with_keys).
    #[must_use]
    pub fn with_keys(&self, keys: impl Into<Keys>) -> Self
    where
        D: Clone,
    {
        Self { access: self.access.with_keys(keys), ..self.clone() }
    }

    /// Accepts tokens while the denylist is unavailable.
    ///
    /// # Security
    ///
    /// An attacker who can make the denylist unavailable can use revoked tokens until they expire.
    #[must_use]
    pub fn fail_open(self) -> Self {
        Self { on_failure: OnFailure::Accept, ..self }
    }

    /// Returns the same verifier at the time `now`: for tests, and for platforms without a clock.
    #[must_use]
    pub const fn at(&self, now: UnixTime) -> At<'_, Self> {
        At::new(self, now)
    }

    /// Checks a token against the wall clock, then looks it up in the denylist.
    ///
    /// # Errors
    ///
    /// As [`AccessVerifier::verify`]; [`Error::Denied`], [`Error::DenylistUnavailable`].
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn verify<T: DeserializeOwned>(
        &self,
        text: &str,
        binding: &Binding,
    ) -> Result<AccessToken<T>, Error> {
        self.at(UnixTime::now()).verify(text, binding).await
    }

    /// Checks a token as [`AccessVerifier::verify_bearer`] does, then looks it up in the denylist.
    ///
    /// # Errors
    ///
    /// As [`AccessVerifier::verify_bearer`]; [`Error::Denied`], [`Error::DenylistUnavailable`].
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub async fn verify_bearer<T: DeserializeOwned>(
        &self,
        authorization: impl IntoIterator<Item: AsRef<[u8]>>,
        binding: &Binding,
    ) -> Result<AccessToken<T>, Error> {
        self.at(UnixTime::now()).verify_bearer(authorization, binding).await
    }

    async fn look_up<T>(&self, access: AccessToken<T>) -> Result<AccessToken<T>, Error> {
        let keys = access.deny_keys();
        match (self.denylist.denies(&keys).await, self.on_failure) {
            (Ok(false), _) | (Err(_), OnFailure::Accept) => Ok(access),
            (Ok(true), _) => Err(Error::Denied),
            (Err(error), OnFailure::Refuse) => Err(Error::DenylistUnavailable(error)),
        }
    }
}

/// The checks at a given time.
impl<D: Denylist> At<'_, RevocationVerifier<D>> {
    /// Does what [`RevocationVerifier::verify`] does, at the given time.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn verify<T: DeserializeOwned>(
        self,
        text: &str,
        binding: &Binding,
    ) -> Result<AccessToken<T>, Error> {
        self.inner.look_up(self.inner.access.at(self.now).verify(text, binding)?).await
    }

    /// Does what [`RevocationVerifier::verify_bearer`] does, at the given time.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn verify_bearer<T: DeserializeOwned>(
        self,
        authorization: impl IntoIterator<Item: AsRef<[u8]>>,
        binding: &Binding,
    ) -> Result<AccessToken<T>, Error> {
        self.inner.look_up(self.inner.access.at(self.now).verify_bearer(authorization, binding)?).await
    }
}

/// A verified access token: a [`Token`], and its claims about the session.
///
/// Only an [`AccessVerifier`] creates one.
///
/// # Examples
///
/// ```
/// use countersign_session::AccessToken;
///
/// #[derive(serde::Deserialize)]
/// struct User { role: String }
///
/// fn may_delete(access: &AccessToken<User>) -> bool {
///     access.claims().role == "admin" && access.has_scope("write")
/// }
/// ```
#[derive(Clone)]
pub struct AccessToken<T> {
    token: Token<T>,
    session: SessionId,
    subject_epoch: u64,
    binding: Binding,
}

impl<T> AccessToken<T> {
    fn read(token: Token<T>) -> Result<Self, Error> {
        let malformed = |claim| Error::Token(VerifyError::MalformedClaim { claim, found: None });
        let claims = serde_json::from_str::<SessionClaims<'_>>(token.payload())
            .map_err(|_| malformed(SessionClaims::malformed_in(token.payload())))?;
        let session = claims.sid.parse().map_err(|_| malformed("sid"))?;
        let binding = claims.cnf.map_or(Some(Binding::None), Confirmation::binding);
        let binding = binding.ok_or_else(|| malformed("cnf"))?;
        let subject_epoch = claims.sub_epoch;
        Ok(Self { session, subject_epoch, binding, token })
    }

    /// Returns the token.
    #[must_use]
    pub const fn token(&self) -> &Token<T> {
        &self.token
    }

    /// Returns the claims of your type.
    #[must_use]
    pub const fn claims(&self) -> &T {
        self.token.claims()
    }

    /// Returns the subject of the session.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.token.subject().unwrap_or_default()
    }

    /// Returns the id of the session.
    #[must_use]
    pub const fn session_id(&self) -> SessionId {
        self.session
    }

    /// Returns the binding of the token, which the request has presented.
    #[must_use]
    pub const fn binding(&self) -> &Binding {
        &self.binding
    }

    /// Returns whether `scope` holds this name.
    #[must_use]
    pub fn has_scope(&self, name: &str) -> bool {
        let scope = serde_json::from_str(self.token.payload());
        !name.is_empty() && scope.is_ok_and(|ScopeClaim { scope }| scope.split(' ').any(|held| held == name))
    }

    /// Returns the keys that would deny this token on the denylist.
    #[must_use]
    pub fn deny_keys(&self) -> [DenyKey; 3] {
        [
            DenyKey::session(self.session),
            DenyKey::subject(self.subject(), self.subject_epoch),
            DenyKey::access_token(self.token.jwt_id().unwrap_or_default()),
        ]
    }
}

impl<T> fmt::Debug for AccessToken<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken")
            .field("session", &self.session)
            .field("binding", &self.binding)
            .finish_non_exhaustive()
    }
}

/// The claims of an access token about its session. They are read only after the payload was read strictly.
#[derive(serde::Deserialize)]
struct SessionClaims<'a> {
    #[serde(borrow)]
    sid: Cow<'a, str>,
    sub_epoch: u64,
    // `null` is not the same as absent.
    #[serde(borrow, default, deserialize_with = "there")]
    cnf: Option<Confirmation<'a>>,
}

fn there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Confirmation<'de>>, D::Error> {
    Confirmation::deserialize(deserializer).map(Some)
}

impl SessionClaims<'_> {
    /// Returns the name of the claim that cannot be read.
    fn malformed_in(payload: &str) -> &'static str {
        #[derive(serde::Deserialize)]
        struct Sid<'a> {
            #[serde(borrow, rename = "sid")]
            _sid: Cow<'a, str>,
        }
        #[derive(serde::Deserialize)]
        struct SubEpoch {
            #[serde(rename = "sub_epoch")]
            _epoch: u64,
        }
        if serde_json::from_str::<Sid<'_>>(payload).is_err() {
            "sid"
        } else if serde_json::from_str::<SubEpoch>(payload).is_err() {
            "sub_epoch"
        } else {
            "cnf"
        }
    }
}

#[derive(serde::Deserialize)]
struct ScopeClaim<'a> {
    #[serde(borrow, default)]
    scope: Cow<'a, str>,
}
