//! The trait of verifiers, and its implementations for the verifiers of the core.

use crate::refused::Refused;
use countersign::http::{RequestError, bearer_token};
use countersign::profile::{AccessToken, AccessTokenVerifier};
use countersign::{Token, Verifier, VerifyError};
use http::header::AUTHORIZATION;
use http::request::Parts;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny};
use std::sync::Arc;

/// Finds the token of a request and verifies it, with claims of the type `T`.
///
/// It is implemented for:
///
/// | verifier | feature | [`Token`](Self::Token) |
/// |---|---|---|
/// | [`Verifier`] | | [`Token<T>`](countersign::Token) |
/// | [`AccessTokenVerifier`] | | [`AccessToken<T>`](AccessToken) |
/// | `CachedVerifier<V, T>` | `cache` | `Arc<Token<T>>` |
/// | `RemoteVerifier` and `Issuers` of countersign-jwks | `jwks` | `Token<T>` |
/// | `AccessVerifier` and `RevocationVerifier` of countersign-session | `session` | `AccessToken<T>` |
/// | [`Guard<A>`](crate::Guard) and `Arc<A>` | | that of `A` |
///
/// Implement it to find the token in another place, to check a binding or a denylist, or for a fixed time in a test.
///
/// # Security
///
/// Return a token only after a verifier has accepted it. Do not take it from the URL, which is in logs.
///
/// # Examples
///
/// ```
/// use countersign::http::{Challenge, RequestError};
/// use countersign::{Token, Verifier};
/// use countersign_tower::{Authenticate, Refused};
/// use http::request::Parts;
///
/// #[derive(serde::Deserialize)]
/// struct User { tenant: String }
///
/// /// Accepts only the tokens of one tenant.
/// #[derive(Clone)]
/// struct OfTenant { verifier: Verifier, tenant: &'static str }
///
/// impl Authenticate<User> for OfTenant {
///     type Token = Token<User>;
///
///     async fn verify_token(&self, text: &str, request: &Parts) -> Result<Token<User>, Refused> {
///         let token: Token<User> = self.verifier.verify_token(text, request).await?;
///         if token.claims().tenant == self.tenant {
///             return Ok(token);
///         }
///         Err(Refused::new(Challenge::invalid_token(), "wrong_tenant"))
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not verify tokens with claims of the type `{T}`",
    note = "the claims must implement `serde::de::DeserializeOwned` and `Send`",
    note = "a `CachedVerifier` has one claims type",
    note = "other crates' verifiers need a feature of countersign-tower: `cache`, `jwks`, `session`"
)]
pub trait Authenticate<T>: Send + Sync {
    /// The verified token.
    type Token: Send;

    /// Finds the token of the request. By default, this is the bearer token of the only `Authorization` header.
    ///
    /// # Errors
    ///
    /// [`RequestError::MissingCredentials`] if the request has no token. Any other error also refuses a request that does not need
    /// a token.
    fn find_token<'r>(&self, request: &'r Parts) -> Result<&'r str, RequestError> {
        bearer_token(request.headers.get_all(AUTHORIZATION))
    }

    /// Verifies the token that [`find_token`](Self::find_token) has found in the request.
    ///
    /// # Errors
    ///
    /// [`Refused`] with the answer to the request.
    fn verify_token(
        &self,
        text: &str,
        request: &Parts,
    ) -> impl Future<Output = Result<Self::Token, Refused>> + Send;

    /// Completes the answer to a request that is refused, e.g. with a realm or the time of the next try. By default, changes
    /// nothing.
    fn complete(&self, refused: Refused) -> Refused {
        refused
    }
}

/// Verifies the token that the verifier has found in the request.
pub(crate) async fn authenticate<T, A: Authenticate<T>>(
    verifier: &A,
    found: Result<&str, RequestError>,
    request: &Parts,
) -> Result<A::Token, Refused> {
    // Without combinators, because each of them may copy the token.
    let refused = match found {
        Ok(text) => match verifier.verify_token(text, request).await {
            Ok(token) => return Ok(token),
            Err(refused) => refused,
        },
        Err(error) => error.into(),
    };
    Err(verifier.complete(refused))
}

impl<T, A: Authenticate<T> + ?Sized> Authenticate<T> for Arc<A> {
    type Token = A::Token;

    fn find_token<'r>(&self, request: &'r Parts) -> Result<&'r str, RequestError> {
        (**self).find_token(request)
    }

    fn verify_token(
        &self,
        text: &str,
        request: &Parts,
    ) -> impl Future<Output = Result<Self::Token, Refused>> + Send {
        (**self).verify_token(text, request)
    }

    fn complete(&self, refused: Refused) -> Refused {
        (**self).complete(refused)
    }
}

/// Verifies as [`Verifier::verify`] does, and refuses a token that is bound to a key or a certificate.
impl<T: DeserializeOwned + Send> Authenticate<T> for Verifier {
    type Token = Token<T>;

    async fn verify_token(&self, text: &str, _: &Parts) -> Result<Self::Token, Refused> {
        let token = self.verify(text)?;
        refuse_bound(&token)?;
        Ok(token)
    }
}

/// Verifies as [`AccessTokenVerifier::verify`] does, which refuses bound tokens.
impl<T: DeserializeOwned + Send> Authenticate<T> for AccessTokenVerifier {
    type Token = AccessToken<T>;

    async fn verify_token(&self, text: &str, _: &Parts) -> Result<Self::Token, Refused> {
        Ok(self.verify(text)?)
    }
}

/// Verifies as [`CachedVerifier::verify`](countersign::CachedVerifier::verify) does, and refuses a token that is bound to a key or
/// a certificate.
#[cfg(feature = "cache")]
impl<V, T> Authenticate<T> for countersign::CachedVerifier<V, T>
where
    V: core::borrow::Borrow<Verifier> + Send + Sync,
    T: DeserializeOwned + Send + Sync,
{
    type Token = Arc<Token<T>>;

    async fn verify_token(&self, text: &str, _: &Parts) -> Result<Self::Token, Refused> {
        let token = self.verify(text)?;
        refuse_bound(&token)?;
        Ok(token)
    }
}

/// Refuses a token that is bound to a key or a certificate, because a bearer does not show that it has the key
/// ([RFC 9449 section 7.2](https://www.rfc-editor.org/rfc/rfc9449#section-7.2)).
pub(crate) fn refuse_bound<T>(token: &Token<T>) -> Result<(), Refused> {
    let payload = token.payload();
    // Almost no token has the claim, and a search takes less time than reading JSON. With an escape, it may be spelled otherwise.
    if payload.contains("\"cnf\"") || payload.contains("\\u") {
        let claims = serde_json::from_str::<Confirmation>(payload);
        if claims.map_or(true, |claims| claims.cnf) {
            return Err(VerifyError::BoundToken { to: "a key or a certificate" }.into());
        }
    }
    Ok(())
}

/// Whether a token has the claim `cnf`.
#[derive(serde::Deserialize)]
struct Confirmation {
    #[serde(default, deserialize_with = "present")]
    cnf: bool,
}

/// Accepts any value, also `null`.
fn present<'de, D: Deserializer<'de>>(value: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(value).map(|_| true)
}
