//! The verifiers of countersign-session.

use crate::authenticate::Authenticate;
use crate::refused::Refused;
use countersign::http::Cookie;
use countersign_session::{AccessToken, AccessVerifier, Binding, Denylist, Error, RevocationVerifier};
use http::header::COOKIE;
use http::request::Parts;
use serde::de::DeserializeOwned;

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self::because_of(error.challenge(), error.code(), error)
    }
}

/// Verifies the access token of a session. If it is bound to a fingerprint, the request needs the cookie
/// [`Cookie::fingerprint`]. A token that is bound to a key is refused.
impl<T: DeserializeOwned + Send> Authenticate<T> for AccessVerifier {
    type Token = AccessToken<T>;

    async fn verify_token(&self, text: &str, request: &Parts) -> Result<Self::Token, Refused> {
        Ok(self.verify(text, &binding(request)?)?)
    }
}

/// Verifies as the [`AccessVerifier`] in it does, and asks the denylist.
impl<T: DeserializeOwned + Send, D: Denylist> Authenticate<T> for RevocationVerifier<D> {
    type Token = AccessToken<T>;

    async fn verify_token(&self, text: &str, request: &Parts) -> Result<Self::Token, Refused> {
        Ok(self.verify(text, &binding(request)?).await?)
    }
}

/// Reads the fingerprint of the request.
fn binding(request: &Parts) -> Result<Binding, Refused> {
    // Most requests of programs have no cookie.
    if !request.headers.contains_key(COOKIE) {
        return Ok(Binding::None);
    }
    let cookie = Cookie::fingerprint().find(request.headers.get_all(COOKIE))?;
    Ok(cookie.map_or(Binding::None, Binding::fingerprint))
}
