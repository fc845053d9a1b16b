//! Verifies tokens of several issuers.

use crate::remote_keys::RemoteKeys;
use crate::remote_verifier::RemoteVerifier;
use core::fmt;
use countersign::{Expected, Part, PolicyError, Token, Unverified, VerifierBuilder, VerifyError};
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::error::Category;

/// Several issuers, each with its own keys and policy.
///
/// The `iss` of a token chooses among the issuers of this list, and only among them. The keys of that issuer then verify the token, and
/// its verifier checks `iss` again. So the keys of one issuer never verify a token of another one, and unknown keys of one issuer
/// delay no other.
///
/// # Examples
///
/// ```no_run
/// use countersign::Algorithm;
/// use countersign_jwks::{Issuers, RemoteKeys};
///
/// # #[cfg(feature = "rustls")]
/// # async fn example(text: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let google = RemoteKeys::discover("https://accounts.google.com", &[Algorithm::Rs256]).await?;
/// let entra = RemoteKeys::new("https://login.microsoftonline.com/common/discovery/v2.0/keys", &[Algorithm::Rs256])?;
/// let issuers = Issuers::new()
///     .with_issuer(&["https://accounts.google.com", "accounts.google.com"], google, |policy| policy.audience("my-client"))?
///     .with_template("https://login.microsoftonline.com/{tenantid}/v2.0", "tid", entra, |policy| {
///         policy.audience("11111111-2222-3333-4444-555555555555")
///     })?;
/// let token = issuers.verify::<()>(text).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Issuers {
    routes: Vec<Route>,
}

#[derive(Clone, Debug)]
struct Route {
    names: Names,
    verifier: RemoteVerifier,
}

#[derive(Clone, Debug)]
enum Names {
    Spellings(Box<[Box<str>]>),
    Template(Box<str>),
}

impl Names {
    fn fit(&self, issuer: &str) -> bool {
        match self {
            Self::Spellings(names) => names.iter().any(|name| **name == *issuer),
            // The verifier compares the part in place of the braces with its claim, and allows no slash in it.
            Self::Template(template) => template.split_once('{').is_some_and(|(before, rest)| {
                let after = rest.split_once('}').map_or("", |(_, after)| after);
                issuer.strip_prefix(before).is_some_and(|rest| rest.ends_with(after))
            }),
        }
    }

    fn all(&self) -> &[Box<str>] {
        match self {
            Self::Spellings(names) => names,
            Self::Template(template) => core::slice::from_ref(template),
        }
    }
}

impl Issuers {
    /// Makes an empty list, which refuses every token.
    #[must_use]
    pub const fn new() -> Self {
        Self { routes: Vec::new() }
    }

    /// Adds an issuer with one or several spellings of its `iss`. Google has two. If two issuers fit a token, the one that was added
    /// first counts.
    ///
    /// # Errors
    ///
    /// As [`VerifierBuilder::build`]. `policy` gets a builder that already has the issuer, and decides on the audience.
    pub fn with_issuer(
        mut self,
        spellings: &[&str],
        keys: RemoteKeys,
        policy: impl FnOnce(VerifierBuilder) -> VerifierBuilder,
    ) -> Result<Self, PolicyError> {
        let verifier = RemoteVerifier::new(keys, |builder| {
            policy(spellings.iter().fold(builder, |builder, name| builder.issuer(*name)))
        })?;
        let names = Names::Spellings(spellings.iter().map(|name| (*name).into()).collect());
        self.routes.push(Route { names, verifier });
        Ok(self)
    }

    /// Adds an issuer with many tenants and one set of keys, as
    /// [`VerifierBuilder::issuer_template`] describes. Read its section on security.
    ///
    /// # Errors
    ///
    /// As [`with_issuer`](Self::with_issuer).
    pub fn with_template(
        mut self,
        template: &str,
        claim: &str,
        keys: RemoteKeys,
        policy: impl FnOnce(VerifierBuilder) -> VerifierBuilder,
    ) -> Result<Self, PolicyError> {
        let verifier = RemoteVerifier::new(keys, |builder| policy(builder.issuer_template(template, claim)))?;
        self.routes.push(Route { names: Names::Template(template.into()), verifier });
        Ok(self)
    }

    /// Verifies a token as [`RemoteVerifier::verify`] does, with the keys and the policy of its issuer.
    ///
    /// # Errors
    ///
    /// As [`choose`](Self::choose) and [`RemoteVerifier::verify`].
    pub async fn verify<T: DeserializeOwned>(&self, text: &str) -> Result<Token<T>, VerifyError> {
        self.choose(text)?.verify(text).await
    }

    /// Returns the verifier of the issuer that this token names. Nothing of the token is verified, and nothing is fetched.
    ///
    /// # Errors
    ///
    /// - [`VerifyError::WrongIssuer`] if the issuer is not in the list.
    /// - [`VerifyError::MissingClaim`] if the token has no `iss`, and [`VerifyError::MalformedClaim`] if it is not text.
    /// - [`VerifyError::InvalidJson`] if the payload is not a JSON object, and [`VerifyError::DuplicateMember`] if it has `iss` twice.
    /// - The errors of [`Unverified::parse`].
    pub fn choose(&self, text: &str) -> Result<&RemoteVerifier, VerifyError> {
        let payload = Unverified::parse(text)?.unverified_payload()?;
        let issuer = issuer(&payload)?;
        let route = self.routes.iter().find(|route| route.names.fit(&issuer));
        route.map(|route| &route.verifier).ok_or_else(|| {
            let names = self.routes.iter().flat_map(|route| route.names.all()).cloned();
            VerifyError::WrongIssuer { expected: Expected::instead_of(&issuer, names) }
        })
    }
}

/// Reads the unverified issuer, and no other claim: `unverified_claims` refuses what a policy may allow, such as a numeric `sub`. The
/// verifier reads the payload again, strictly.
fn issuer(payload: &[u8]) -> Result<String, VerifyError> {
    let part = Part::Payload;
    if payload.trim_ascii_start().first() != Some(&b'{') {
        return Err(VerifyError::InvalidJson { part, offset: 0 });
    }
    let Claims { issuers, last } =
        serde_json::from_slice(payload).map_err(|error| match error.classify() {
            // The only value that has to be of a type.
            Category::Data => VerifyError::MalformedClaim { claim: "iss", found: None },
            _ => VerifyError::InvalidJson { part, offset: offset(payload, &error) },
        })?;
    if issuers > 1 {
        return Err(VerifyError::DuplicateMember { part });
    }
    last.ok_or(VerifyError::MissingClaim { claim: "iss".into() })
}

/// Returns the offset of an error that names a line and a column.
fn offset(text: &[u8], error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive(|byte| *byte == b'\n').take(error.line().saturating_sub(1));
    lines.map(<[u8]>::len).sum::<usize>().saturating_add(error.column()).saturating_sub(1)
}

/// The claims `iss` of a payload.
struct Claims {
    issuers: usize,
    last: Option<String>,
}

impl<'de> Deserialize<'de> for Claims {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Claims;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Claims, M::Error> {
        let mut found = Claims { issuers: 0, last: None };
        while let Some(name) = members.next_key::<String>()? {
            if name == "iss" {
                found.issuers = found.issuers.saturating_add(1);
                found.last = Some(members.next_value()?);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}
