//! Extractors for axum.

use crate::authenticate::{Authenticate, authenticate};
use crate::refused::Refused;
use axum_core::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use core::fmt;
use countersign::Verifier;
use countersign::http::{Challenge, RequestError, Scope};
use http::request::Parts;

/// An axum extractor: the verified token of the request, with claims of the type `T`.
///
/// The verifier `A` comes from the state, by [`FromRef`]: it is the state, or your state implements `FromRef` for it. A handler
/// with this argument is only called with a token that the verifier has accepted. Otherwise the client gets the [`Refused`]. An
/// argument `Result<Bearer<T>, Refused>` leaves the answer to the handler.
///
/// `Option<Bearer<T>>` is `None` for a request without an `Authorization` header. Every other request needs a good token there, too:
/// one with a bad token or another scheme is refused.
///
/// The extractor boxes nothing and allocates only what the verifier does.
///
/// # Examples
///
/// ```
/// use axum::{Router, extract::FromRef, routing::get};
/// use countersign::Verifier;
/// use countersign_tower::Bearer;
///
/// #[derive(serde::Deserialize)]
/// struct User { name: String }
///
/// #[derive(Clone)]
/// struct App { verifier: Verifier, greeting: &'static str }
///
/// impl FromRef<App> for Verifier {
///     fn from_ref(app: &App) -> Self {
///         app.verifier.clone()
///     }
/// }
///
/// async fn account(Bearer(token): Bearer<User>) -> String {
///     token.into_claims().name
/// }
///
/// async fn front(user: Option<Bearer<User>>) -> String {
///     user.map_or("guest".into(), |Bearer(token)| token.into_claims().name)
/// }
///
/// fn router(app: App) -> Router {
///     Router::new().route("/account", get(account)).route("/", get(front)).with_state(app)
/// }
/// ```
pub struct Bearer<T, A: Authenticate<T> = Verifier>(
    /// The token: a [`Token<T>`](countersign::Token), or what the verifier makes of it.
    pub A::Token,
);

impl<T, A, S> FromRequestParts<S> for Bearer<T, A>
where
    A: Authenticate<T> + FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        let verifier = A::from_ref(state);
        Ok(Self(authenticate(&verifier, verifier.find_token(parts), parts).await?))
    }
}

impl<T, A, S> OptionalFromRequestParts<S> for Bearer<T, A>
where
    A: Authenticate<T> + FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Refused> {
        let verifier = A::from_ref(state);
        match verifier.find_token(parts) {
            Err(RequestError::MissingCredentials) => Ok(None),
            found => Ok(Some(Self(authenticate(&verifier, found, parts).await?))),
        }
    }
}

impl<T, A: Authenticate<T, Token: Clone>> Clone for Bearer<T, A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T, A: Authenticate<T, Token: fmt::Debug>> fmt::Debug for Bearer<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Bearer").field(&self.0).finish()
    }
}

/// A rule of yours on who may do something: a role, a scope, or anything else that the token says. [`Allowed`] applies it.
///
/// # Examples
///
/// ```
/// use axum::{Router, routing::get};
/// use countersign::{Token, Verifier};
/// use countersign_tower::{Allowed, Authorize};
///
/// #[derive(serde::Deserialize)]
/// struct User { roles: Vec<String> }
///
/// struct Admin;
///
/// impl Authorize for Admin {
///     type Claims = User;
///     type Verifier = Verifier;
///     const SCOPE: &'static str = "admin";
///
///     fn allows(token: &Token<User>) -> bool {
///         token.claims().roles.iter().any(|role| role == "admin")
///     }
/// }
///
/// async fn settings(Allowed(token): Allowed<Admin>) -> String {
///     format!("the settings, for {:?}", token.subject())
/// }
///
/// fn router(verifier: Verifier) -> Router {
///     Router::new().route("/settings", get(settings)).with_state(verifier)
/// }
/// ```
///
/// A `SCOPE` that no challenge can name does not compile:
///
/// ```compile_fail,E0080
/// # use countersign::{Token, Verifier};
/// # use countersign_tower::{Allowed, Authorize};
/// struct Admin;
///
/// impl Authorize for Admin {
///     type Claims = ();
///     type Verifier = Verifier;
///     const SCOPE: &'static str = "the \"admin\"";
///
///     fn allows(token: &Token<()>) -> bool {
///         token.subject() == Some("ann")
///     }
/// }
///
/// let router = axum::Router::<Verifier>::new();
/// let app = router.route("/", axum::routing::get(async |_: Allowed<Admin>| "the settings"));
/// ```
pub trait Authorize {
    /// The type of the claims.
    type Claims;

    /// The verifier, which comes from the state.
    type Verifier: Authenticate<Self::Claims>;

    /// The scope or role that a client needs, for the challenge of the answer 403: one or more words of visible ASCII without
    /// quotes and backslashes, with one space between two.
    const SCOPE: &'static str;

    /// Returns whether this token allows the request. It is called with verified tokens only.
    fn allows(token: &<Self::Verifier as Authenticate<Self::Claims>>::Token) -> bool;
}

/// An axum extractor: the verified token of the request, if the rule `R` allows the request.
///
/// Without a good token, the answer is that of [`Bearer`]. If the rule does not allow the request, it is 403 with
/// `insufficient_scope` and [`Authorize::SCOPE`], because another login of the same user would not help
/// ([RFC 6750 section 3.1](https://www.rfc-editor.org/rfc/rfc6750#section-3.1)). The answer does not name what the token has.
///
/// # Examples
///
/// See [`Authorize`].
pub struct Allowed<R: Authorize>(
    /// The token.
    pub <R::Verifier as Authenticate<R::Claims>>::Token,
);

impl<R, S> FromRequestParts<S> for Allowed<R>
where
    R: Authorize<Verifier: FromRef<S>>,
    S: Send + Sync,
{
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refused> {
        const { assert!(is_scope(R::SCOPE), "Authorize::SCOPE is not a scope of RFC 6749 section 3.3") };
        let verifier = R::Verifier::from_ref(state);
        let token = authenticate(&verifier, verifier.find_token(parts), parts).await?;
        if R::allows(&token) {
            return Ok(Self(token));
        }
        // The scope was checked at compile time, so this does not fail.
        let scope = Scope::new(R::SCOPE).map_err(|_| Refused::new(Challenge::invalid_token(), FORBIDDEN))?;
        Err(verifier.complete(Refused::new(Challenge::insufficient_scope(&scope), FORBIDDEN)))
    }
}

impl<R: Authorize> fmt::Debug for Allowed<R>
where
    <R::Verifier as Authenticate<R::Claims>>::Token: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Allowed").field(&self.0).finish()
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.into()
    }
}

const FORBIDDEN: &str = "insufficient_scope";

/// Returns whether [`Scope::new`] accepts the text.
const fn is_scope(text: &str) -> bool {
    let mut rest = text.as_bytes();
    let mut before = b' ';
    while let [byte, after @ ..] = rest {
        match *byte {
            b'!' | b'#'..=b'[' | b']'..=b'~' => {}
            b' ' if before != b' ' => {}
            _ => return false,
        }
        before = *byte;
        rest = after;
    }
    before != b' '
}

#[cfg(test)]
mod tests {
    use super::is_scope;
    use countersign::http::Scope;

    #[test]
    fn the_check_at_compile_time_accepts_what_the_core_accepts() {
        for text in [
            "",
            " ",
            "a",
            "a b",
            "a  b",
            " a",
            "a ",
            "a\"",
            "a\\",
            "a\u{7f}",
            "ä",
            "!#[]~",
            "a\tb",
            "orders:read x",
        ] {
            assert_eq!(is_scope(text), Scope::new(text).is_ok(), "{text:?}");
        }
    }
}
