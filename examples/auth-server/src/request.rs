//! What handlers require of a request: a user, and an origin.

use crate::refused::Refused;
use crate::server::Server;
use crate::users::{Claims, Role};
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, ORIGIN};
use axum::http::request::Parts;
use countersign::http::RequestError;
use countersign_session::{AccessToken, Binding};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A verified access token, with its cookie, of a session that has not ended.
pub struct Access(pub AccessToken<Claims>);

impl FromRequestParts<Arc<Server>> for Access {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refused> {
        let binding = binding(server, &parts.headers)?;
        Ok(Self(server.keys().access.verify_bearer(parts.headers.get_all(AUTHORIZATION), &binding).await?))
    }
}

/// An [`Access`] of an administrator.
pub struct AdminAccess(pub AccessToken<Claims>);

impl FromRequestParts<Arc<Server>> for AdminAccess {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refused> {
        let Access(access) = Access::from_request_parts(parts, server).await?;
        match access.claims().role {
            Role::Admin => Ok(Self(access)),
            Role::User => Err(Refused::insufficient_scope(Role::Admin.as_str())),
        }
    }
}

/// The headers of a request from one of this server's pages: for routes that read the refresh cookie.
pub struct FromOwnPage(pub HeaderMap);

impl FromRequestParts<Arc<Server>> for FromOwnPage {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refused> {
        let headers = &parts.headers;
        server.origins.check(headers.get_all(ORIGIN), headers.get_all(SEC_FETCH_SITE))?;
        Ok(Self(headers.clone()))
    }
}

/// The headers of a request that does not come from a page of another site: for routes that set cookies and read none.
pub struct NotFromOthers(pub HeaderMap);

impl FromRequestParts<Arc<Server>> for NotFromOthers {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refused> {
        let headers = &parts.headers;
        let origins = server.origins.clone().allow_requests_without_origin();
        origins.check(headers.get_all(ORIGIN), headers.get_all(SEC_FETCH_SITE))?;
        Ok(Self(headers.clone()))
    }
}

/// One of the limited attempts of the client's address.
pub struct Attempt;

impl FromRequestParts<Arc<Server>> for Attempt {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, server: &Arc<Server>) -> Result<Self, Refused> {
        let connection = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = connection.map_or(IpAddr::from([0, 0, 0, 0]), |ConnectInfo(address)| address.ip());
        server.attempts.take(address).map(|()| Self).map_err(Refused::too_many)
    }
}

/// Reads the refresh token from the cookie.
pub fn refresh_token<'a>(server: &Server, headers: &'a HeaderMap) -> Result<Option<&'a str>, RequestError> {
    server.refresh_cookie.find(headers.get_all(COOKIE))
}

/// Reads every refresh token from the cookies, for a logout: a browser with two cookies must also be able to log out.
pub fn refresh_tokens(server: &Server, headers: &HeaderMap) -> Vec<String> {
    let found = server.refresh_cookie.find_all(headers.get_all(COOKIE));
    found.into_iter().map(str::to_owned).collect()
}

/// Returns the binding that came with the request.
pub fn binding(server: &Server, headers: &HeaderMap) -> Result<Binding, RequestError> {
    let cookie = server.fingerprint_cookie.find(headers.get_all(COOKIE))?;
    Ok(cookie.map_or(Binding::None, Binding::fingerprint))
}
