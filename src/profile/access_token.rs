//! Access tokens ([RFC 9068](https://www.rfc-editor.org/rfc/rfc9068)) and their bindings
//! ([RFC 7800](https://www.rfc-editor.org/rfc/rfc7800#section-3.1)).

use crate::error::{Expected, PolicyError, VerifyError};
use crate::json::members::{self, Members};
use crate::jws::essence;
use crate::keyset::Keys;
use crate::profile::payload::Picked;
use crate::time::UnixTime;
use crate::verifier::{Token, Verifier, VerifierBuilder};
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use serde::de::DeserializeOwned;

/// The `typ` of RFC 9068 section 2.1.
const TYP: &str = "at+jwt";

/// The `typ` of other tokens that an issuer may sign with the same key: client assertions (RFC 7523), DPoP proofs (RFC 9449), logout
/// tokens of OpenID Connect, security events (RFC 8417), and answers to introspection (RFC 9701).
const OTHER_TYPES: [&str; 5] =
    ["client-authentication+jwt", "dpop+jwt", "logout+jwt", "secevent+jwt", "token-introspection+jwt"];

/// The claims that this file reads.
const CLAIMS: &[&str] = &[
    "at_hash",
    "c_hash",
    "client_id",
    "cnf",
    "entitlements",
    "events",
    "groups",
    "nonce",
    "roles",
    "scope",
    "token_introspection",
    "token_use",
    "typ",
];

/// Verifies access tokens: those of [RFC 9068](https://www.rfc-editor.org/rfc/rfc9068#section-4), and those of issuers that
/// write access tokens as ordinary JWTs.
///
/// In addition to what the [`Verifier`] checks, it checks:
///
/// - `typ` is `at+jwt`, and `iss`, `aud`, `exp`, `sub`, `client_id`, `iat` and `jti` are present. [`untyped`](Self::untyped)
///   leaves out these two checks.
/// - `scope` is text; `roles`, `groups` and `entitlements` are arrays of texts.
/// - The token is not bound to a key or a certificate (`cnf`), which a bearer does not prove to have.
/// - The token is not of another kind: see [below](#security).
///
/// It does not check which scope a request needs: ask [`AccessToken::has_scope`]. Tokens of `countersign-session` have their own
/// verifier there, which also checks their session.
///
/// # Security
///
/// Some issuers sign ID tokens with the same key, `iss`, `aud` and `typ` as access tokens. This profile refuses a token with
/// `nonce`, `at_hash`, `c_hash`, `events` or `token_introspection`, with a `token_use` other than `access`, or with the claim `typ`
/// of an ID, refresh or logout token. It refuses the `typ` in the header of a proof, a logout token, a client assertion, a security
/// event or an answer to introspection, even if the policy accepts any `typ`. An ID token without any of these is told apart only by `typ` (with [`new`](Self::new)) and by its audience, which is
/// a client. So give an API an audience of its own, and have clients send a nonce.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::profile::AccessTokenVerifier;
/// use countersign::{Claims, HmacKey, SecretBytes, Verifier};
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// let policy = Verifier::builder(key.clone()).issuer("https://auth.example").audience("https://api.example");
/// let verifier = AccessTokenVerifier::new(policy)?;
///
/// # let claims = serde_json::json!({"client_id": "client-1", "scope": "orders:read profile"});
/// # let claims = Claims::new(claims).issuer("https://auth.example").audience("https://api.example").subject("ann");
/// # let claims = claims.jwt_id("1").expires_in(Duration::from_secs(300));
/// # let text = claims.clone().typ("at+jwt").sign(&key)?;
/// let access = verifier.verify::<()>(&text)?;
/// assert_eq!(access.token().subject(), Some("ann"));
/// assert!(access.has_scope("orders:read") && !access.has_scope("orders"));
///
/// # let id_token = claims.sign(&key)?;
/// let error = verifier.verify::<()>(&id_token).unwrap_err();
/// assert_eq!(error.to_string(), r#"token is not of type "at+jwt""#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AccessTokenVerifier {
    verifier: Verifier,
    certificate: CertificateBinding,
}

/// What to do with a token that is bound to a TLS certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CertificateBinding {
    Refused,
    LeftToCaller,
}

impl AccessTokenVerifier {
    /// Makes a verifier for access tokens of RFC 9068 with this policy, which names the issuer and the audience. The profile sets
    /// the accepted `typ`.
    ///
    /// # Errors
    ///
    /// As [`VerifierBuilder::build`], and [`PolicyError::Contradiction`] for a policy that sets a `typ` itself, or that has no
    /// audience.
    pub fn new(policy: VerifierBuilder) -> Result<Self, PolicyError> {
        policy.leaves_typ_to("AccessTokenVerifier")?;
        let required = ["iss", "aud", "exp", "sub", "client_id", "iat", "jti"];
        let policy = required.into_iter().fold(policy, VerifierBuilder::require);
        Self::untyped(policy.typ(TYP))
    }

    /// Makes a verifier for an issuer that does not follow RFC 9068. `typ` and the required claims are those of the policy.
    ///
    /// # Security
    ///
    /// See [above](Self#security) for how ID tokens are told apart then.
    ///
    /// # Errors
    ///
    /// As [`VerifierBuilder::build`].
    pub fn untyped(policy: VerifierBuilder) -> Result<Self, PolicyError> {
        Ok(Self { verifier: policy.build()?, certificate: CertificateBinding::Refused })
    }

    /// Accepts tokens that are bound to a TLS certificate (`x5t#S256`,
    /// [RFC 8705 section 3](https://www.rfc-editor.org/rfc/rfc8705#section-3)).
    ///
    /// # Security
    ///
    /// You must then compare [`AccessToken::certificate_thumbprint`] with the certificate of the connection, for every token.
    #[must_use]
    pub const fn leave_certificate_to_caller(mut self) -> Self {
        self.certificate = CertificateBinding::LeftToCaller;
        self
    }

    /// Returns a verifier with the same policy and other keys, as [`Verifier::with_keys`].
    #[must_use]
    pub fn with_keys(&self, keys: impl Into<Keys>) -> Self {
        Self { verifier: self.verifier.with_keys(keys), certificate: self.certificate }
    }

    /// Verifies a bearer token at the time of the wall clock.
    ///
    /// # Errors
    ///
    /// - The errors of [`Verifier::verify`].
    /// - [`VerifyError::WrongKind`] for another kind of token, and [`VerifyError::WrongType`] if its `typ` says so.
    /// - [`VerifyError::MalformedClaim`] also for `client_id`, `scope`, `roles`, `groups`, `entitlements` and `cnf`.
    /// - [`VerifyError::WrongClaim`] for a `scope` with a space in the wrong place, and for a `cnf` that contradicts itself.
    /// - [`VerifyError::BoundToken`] for a token that is bound.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub fn verify<T: DeserializeOwned>(&self, text: &str) -> Result<AccessToken<T>, VerifyError> {
        self.verify_at(text, UnixTime::now())
    }

    /// Verifies a bearer token at the time `now`: for tests, and for platforms without a clock.
    ///
    /// # Errors
    ///
    /// As `verify`.
    pub fn verify_at<T: DeserializeOwned>(
        &self,
        text: &str,
        now: UnixTime,
    ) -> Result<AccessToken<T>, VerifyError> {
        match self.open(text, now)? {
            (_, Some(_)) => Err(VerifyError::BoundToken { to: "jkt" }),
            (access, None) => Ok(access),
        }
    }

    /// Verifies a token. Also returns the thumbprint of the key that it is bound to, which the caller must check.
    pub(crate) fn open<T: DeserializeOwned>(
        &self,
        text: &str,
        now: UnixTime,
    ) -> Result<(AccessToken<T>, Option<String>), VerifyError> {
        let token = self.verifier.at(now).verify::<T>(text)?;
        let found = Picked::of(token.payload(), CLAIMS);
        check_type(token.header().typ())?;
        check_kind(&found)?;
        let Confirmation { key, certificate } = Confirmation::of(&found)?;
        if certificate.is_some() && self.certificate == CertificateBinding::Refused {
            return Err(VerifyError::BoundToken { to: "x5t#S256" });
        }
        let texts = |claim| found.texts(claim).map(Option::unwrap_or_default);
        let rights = Rights {
            scope: scope(&found)?,
            roles: texts("roles")?,
            groups: texts("groups")?,
            entitlements: texts("entitlements")?,
        };
        let client_id = found.text("client_id")?.map(Into::into);
        Ok((AccessToken { token, rights, client_id, certificate }, key))
    }
}

/// Refuses the `typ` of another kind, for a policy that accepts any.
fn check_type(typ: Option<&str>) -> Result<(), VerifyError> {
    let typ = typ.map(essence).unwrap_or_default();
    if OTHER_TYPES.iter().any(|other| typ.eq_ignore_ascii_case(other)) {
        return Err(VerifyError::WrongType { expected: Expected::new(Arc::from([Box::from(TYP)])) });
    }
    Ok(())
}

/// Refuses claims that tokens of other kinds have.
fn check_kind(found: &Picked<'_>) -> Result<(), VerifyError> {
    for claim in ["at_hash", "c_hash", "events", "nonce", "token_introspection"] {
        if found.value(claim).is_some() {
            return Err(VerifyError::WrongKind { claim });
        }
    }
    // What Amazon Cognito and Keycloak write. Other issuers have other texts in a claim `typ`.
    let text = |claim| found.value(claim).and_then(members::text);
    if text("token_use").is_some_and(|kind| kind != "access") {
        return Err(VerifyError::WrongKind { claim: "token_use" });
    }
    if text("typ").is_some_and(|kind| ["ID", "Refresh", "Offline", "Logout"].contains(&&*kind)) {
        return Err(VerifyError::WrongKind { claim: "typ" });
    }
    Ok(())
}

/// Reads `scope`: words with one space between two of them
/// ([RFC 6749 section 3.3](https://www.rfc-editor.org/rfc/rfc6749#section-3.3)). Some issuers write an empty text.
fn scope(found: &Picked<'_>) -> Result<String, VerifyError> {
    let scope: String = found.text("scope")?.unwrap_or_default().into();
    if !scope.is_empty() && scope.split(' ').any(str::is_empty) {
        return Err(VerifyError::WrongClaim { claim: "scope" });
    }
    Ok(scope)
}

/// What a token is bound to.
#[derive(Default)]
struct Confirmation {
    key: Option<String>,
    certificate: Option<String>,
}

impl Confirmation {
    /// Reads `cnf`. Refuses a binding that this crate knows and cannot check: those of RFC 7800, and the cookie of
    /// `countersign-session`. Ignores members that it does not know, as RFC 7800 section 3.1 requires.
    fn of(found: &Picked<'_>) -> Result<Self, VerifyError> {
        const UNCHECKED: [&str; 5] = ["fgp#S256", "jku", "jwe", "jwk", "kid"];
        let Some(value) = found.value("cnf") else { return Ok(Self::default()) };
        let malformed = VerifyError::MalformedClaim { claim: "cnf", found: Some(members::kind(value)) };
        let mut confirmation = Self::default();
        let mut unchecked = None;
        let mut keys = 0_usize;
        for (name, value) in Members::of(value).ok_or(malformed)? {
            let name = members::text(name).unwrap_or_default();
            let own = match &*name {
                "jkt" => &mut confirmation.key,
                "x5t#S256" => &mut confirmation.certificate,
                name => {
                    keys = keys.saturating_add(usize::from(["jku", "jwe", "jwk"].contains(&name)));
                    unchecked = UNCHECKED.into_iter().find(|known| *known == name).or(unchecked);
                    continue;
                }
            };
            let text = members::text(value).ok_or(VerifyError::WrongClaim { claim: "cnf" })?;
            if own.replace(text.into()).is_some() {
                return Err(VerifyError::WrongClaim { claim: "cnf" });
            }
        }
        match unchecked {
            _ if keys > 1 => Err(VerifyError::WrongClaim { claim: "cnf" }),
            Some(to) => Err(VerifyError::BoundToken { to }),
            None => Ok(confirmation),
        }
    }
}

/// A verified access token, with what it allows.
///
/// Only an [`AccessTokenVerifier`] makes one, so a function that takes a `&AccessToken<User>` cannot be called with an ID token.
///
/// # Examples
///
/// ```
/// use countersign::profile::AccessToken;
///
/// fn may_write(access: &AccessToken<()>) -> bool {
///     access.has_scope("orders:write") || access.roles().any(|role| role == "admin")
/// }
/// ```
#[derive(Clone)]
pub struct AccessToken<T> {
    token: Token<T>,
    rights: Rights,
    client_id: Option<String>,
    certificate: Option<String>,
}

#[derive(Clone)]
struct Rights {
    scope: String,
    roles: Vec<String>,
    groups: Vec<String>,
    entitlements: Vec<String>,
}

impl<T> AccessToken<T> {
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

    /// Returns the client that asked for the token (`client_id`).
    #[must_use]
    pub fn client_id(&self) -> Option<&str> {
        self.client_id.as_deref()
    }

    /// Iterates over the words of `scope`. There are none if the claim is absent.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.rights.scope.split(' ').filter(|word| !word.is_empty())
    }

    /// Returns whether `scope` is one of the words of the claim. Compares exactly, with upper and lower case.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes().any(|word| word == scope)
    }

    /// Iterates over `roles` ([RFC 9068 section 2.2.3.1](https://www.rfc-editor.org/rfc/rfc9068#section-2.2.3.1)).
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.rights.roles.iter().map(String::as_str)
    }

    /// Iterates over `groups`.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.rights.groups.iter().map(String::as_str)
    }

    /// Iterates over `entitlements`.
    pub fn entitlements(&self) -> impl Iterator<Item = &str> {
        self.rights.entitlements.iter().map(String::as_str)
    }

    /// Returns the SHA-256 thumbprint, in base64url, of the certificate that the token is bound to (`x5t#S256`). Only a verifier
    /// with [`leave_certificate_to_caller`](AccessTokenVerifier::leave_certificate_to_caller) accepts such a token.
    #[must_use]
    pub fn certificate_thumbprint(&self) -> Option<&str> {
        self.certificate.as_deref()
    }
}

impl<T> fmt::Debug for AccessToken<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AccessToken").field("header", &self.token.header()).finish_non_exhaustive()
    }
}
