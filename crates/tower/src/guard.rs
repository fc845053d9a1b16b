//! Adds a cookie and a realm to a verifier.

use crate::authenticate::Authenticate;
use crate::refused::Refused;
use countersign::http::{AllowedOrigins, Cookie, Realm, RequestError};
use http::HeaderName;
use http::header::{AUTHORIZATION, COOKIE, ORIGIN};
use http::request::Parts;
use std::sync::Arc;

/// A verifier that also takes the token from a cookie, or names a realm in its answers. A clone is cheap.
///
/// Use it in place of the verifier: `Bearer<User, Guard<Verifier>>`, or `BearerLayer::new(guard)`.
///
/// # Examples
///
/// ```
/// use axum::{Router, extract::FromRef, routing::get};
/// use countersign::http::{AllowedOrigins, Cookie, Realm};
/// use countersign::{HmacKey, SecretBytes, Verifier};
/// use countersign_tower::{Bearer, Guard};
///
/// #[derive(serde::Deserialize)]
/// struct User { name: String }
///
/// async fn hello(Bearer(token): Bearer<User, Guard<Verifier>>) -> String {
///     format!("Hello, {}.", token.claims().name)
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// let verifier = Verifier::builder(key).issuer("https://auth.example").audience("https://api.example").build()?;
/// let guard = Guard::new(verifier)
///     .cookie(Cookie::host("access")?, AllowedOrigins::new(["https://app.example"])?)
///     .realm(Realm::new("api")?);
/// let app: Router = Router::new().route("/", get(hello)).with_state(guard);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Guard<A> {
    verifier: A,
    settings: Arc<Settings>,
}

#[derive(Clone, Debug, Default)]
struct Settings {
    cookie: Option<(Cookie, AllowedOrigins)>,
    realm: Option<Realm>,
}

impl<A> Guard<A> {
    /// Makes a guard that does what the verifier does.
    #[must_use]
    pub fn new(verifier: A) -> Self {
        Self { verifier, settings: Arc::default() }
    }

    /// Takes the token from this cookie if the request has it. A request with the cookie must come from one of these origins, with
    /// every method. A request without the cookie needs the `Authorization` header, and its origin is not checked.
    ///
    /// A request with the cookie and an `Authorization` header is a [`RequestError::SeveralCredentials`], whatever both contain.
    ///
    /// # Security
    ///
    /// A browser adds the cookie to requests that pages of other sites make: forms, images, WebSockets. The check of the origin
    /// refuses them. The cookie must come once, in the form that [`Cookie::set`] writes.
    #[must_use]
    pub fn cookie(self, cookie: Cookie, origins: AllowedOrigins) -> Self {
        self.with(|settings| settings.cookie = Some((cookie, origins)))
    }

    /// Names this realm in the challenges of the answers.
    #[must_use]
    pub fn realm(self, realm: Realm) -> Self {
        self.with(|settings| settings.realm = Some(realm))
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        change(Arc::make_mut(&mut self.settings));
        self
    }
}

impl<T, A: Authenticate<T>> Authenticate<T> for Guard<A> {
    type Token = A::Token;

    fn find_token<'r>(&self, request: &'r Parts) -> Result<&'r str, RequestError> {
        let headers = &request.headers;
        if let Some((cookie, origins)) = &self.settings.cookie
            && let Some(text) = cookie.find(headers.get_all(COOKIE))?
        {
            if headers.contains_key(AUTHORIZATION) {
                return Err(RequestError::SeveralCredentials);
            }
            origins.check(headers.get_all(ORIGIN), headers.get_all(SEC_FETCH_SITE))?;
            return Ok(text);
        }
        self.verifier.find_token(request)
    }

    fn verify_token(
        &self,
        text: &str,
        request: &Parts,
    ) -> impl Future<Output = Result<Self::Token, Refused>> + Send {
        self.verifier.verify_token(text, request)
    }

    fn complete(&self, refused: Refused) -> Refused {
        let refused = self.verifier.complete(refused);
        match &self.settings.realm {
            Some(realm) => refused.with_realm(realm),
            None => refused,
        }
    }
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
