//! Exchange, end and list sessions.

use crate::refused::Refused;
use crate::request::{Access, FromOwnPage, binding, refresh_token, refresh_tokens};
use crate::server::Server;
use crate::users::{Claims, User};
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{COOKIE, HeaderMap, HeaderValue, SET_COOKIE};
use axum::response::{AppendHeaders, IntoResponse, Response};
use countersign::http::SetCookie;
use countersign_session::{self as session, Ended, Grant, SessionId};
use serde_json::{Value, json};
use std::sync::Arc;

/// The cookies of an answer besides the refresh token's.
pub(super) struct Cookies<'a> {
    pub(super) fingerprint: Option<&'a str>,
}

/// Access token in the body, refresh token in its cookie.
pub(super) fn answer(
    server: &Server,
    grant: &Grant,
    user: &User,
    cookies: Cookies<'_>,
) -> Result<Response, Refused> {
    let failed = || Refused::unavailable("signing_failed");
    let access_token = server.sessions.access_token(grant, &Claims::from(user)).map_err(|_| failed())?;
    let body = Json(json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": grant.access_lifetime().as_secs(),
        "session_expires_in": grant.refresh_lifetime().as_secs(),
    }));
    let remains = grant.refresh_lifetime();
    let mut headers = HeaderMap::new();
    let refresh = server.refresh_cookie.set(grant.refresh_token().expose_secret(), remains);
    headers.append(SET_COOKIE, header(&refresh.map_err(|_| failed())?).ok_or_else(failed)?);
    if let Some(fingerprint) = cookies.fingerprint {
        // The same value for the session's whole life, and no shorter than the other cookie's.
        let fingerprint = server.fingerprint_cookie.set(fingerprint, remains);
        headers.append(SET_COOKIE, header(&fingerprint.map_err(|_| failed())?).ok_or_else(failed)?);
    }
    Ok((headers, body).into_response())
}

/// Marked as sensitive, so that whatever logs headers leaves it out.
fn header(cookie: &SetCookie) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(cookie.expose_secret()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Runs to its end, also if the client goes away meanwhile. A session that was ended by half would be ended by its next
/// exchange, if that comes soon; this way it is at once, and in the log.
pub(super) async fn to_its_end<T: Send + 'static>(
    server: &Server,
    work: impl Future<Output = Result<T, session::Error>> + Send + 'static,
) -> Result<T, Refused> {
    match server.unattended.run(work).await {
        Ok(ended) => Ok(ended?),
        Err(_) => Err(Refused::unavailable("interrupted")),
    }
}

/// Deletes the cookies. Of all answers, only those to a logout have it.
fn gone(server: &Server) -> Response {
    let cookies = [server.refresh_cookie.clear(), server.fingerprint_cookie.clear()];
    (StatusCode::NO_CONTENT, AppendHeaders(cookies.map(|cookie| (SET_COOKIE, cookie)))).into_response()
}

pub(super) async fn refresh(
    State(server): State<Arc<Server>>,
    FromOwnPage(headers): FromOwnPage,
) -> Result<Response, Refused> {
    let missing = Refused::new(StatusCode::BAD_REQUEST, "missing_refresh_token");
    let token = refresh_token(&server, &headers)?.ok_or(missing)?;
    let fingerprint = server.fingerprint_cookie.find(headers.get_all(COOKIE))?;
    let grant = server.sessions.refresh(token, &binding(&server, &headers)?).await?;
    // The role may be another by now.
    let Some(user) = server.database.user_of(grant.subject()).await? else {
        let ending = server.clone();
        to_its_end(&server, async move { ending.sessions.revoke(grant.session_id()).await }).await?;
        return Err(Refused::new(StatusCode::BAD_REQUEST, "invalid_grant"));
    };
    answer(&server, &grant, &user, Cookies { fingerprint })
}

/// Ends the session of the cookie, or of each if there are two. Whatever was in it, the answer is that it is gone.
pub(super) async fn logout(
    State(server): State<Arc<Server>>,
    FromOwnPage(headers): FromOwnPage,
) -> Result<Response, Refused> {
    let (ending, tokens) = (server.clone(), refresh_tokens(&server, &headers));
    // An error is a 503, and the cookie stays: the session may still live.
    to_its_end(&server, async move { end_all(&ending, &tokens).await }).await?;
    Ok(gone(&server))
}

/// Ends the sessions of these tokens. One that was planted beside the browser's own can hold the number of a master key
/// that no server has: once another was found, that is no reason to try again.
pub(super) async fn end_all(server: &Server, tokens: &[String]) -> Result<(), session::Error> {
    let (mut found, mut again) = (false, false);
    for token in tokens {
        match server.sessions.logout(token).await {
            Ok(ended) => found |= ended != Ended::Unknown,
            Err(session::Error::Retry) => again = true,
            Err(error) => return Err(error),
        }
    }
    if again && !found { Err(session::Error::Retry) } else { Ok(()) }
}

pub(super) async fn logout_everywhere(
    State(server): State<Arc<Server>>,
    Access(access): Access,
) -> Result<Response, Refused> {
    let ending = server.clone();
    to_its_end(&server, async move { ending.sessions.revoke_all(access.subject()).await }).await?;
    Ok(gone(&server))
}

pub(super) async fn list(
    State(server): State<Arc<Server>>,
    Access(access): Access,
) -> Result<Json<Value>, Refused> {
    let rows = server.sessions.list(access.subject()).await?;
    let sessions: Vec<Value> = rows
        .iter()
        .map(|row| {
            json!({
                "id": row.session_id().to_string(),
                "device": row.label(),
                "created_at": row.created_at().as_secs(),
                "refreshed_at": row.rotated_at().as_secs(),
                "expires_at": row.expires_at().as_secs(),
                "current": row.session_id() == access.session_id(),
            })
        })
        .collect();
    Ok(Json(json!({ "sessions": sessions })))
}

pub(super) async fn revoke(
    State(server): State<Arc<Server>>,
    Access(access): Access,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Refused> {
    let unknown = || Refused::new(StatusCode::NOT_FOUND, "unknown_session");
    // Not even text, or no id.
    let Path(id) = id.map_err(|_| unknown())?;
    let id: SessionId = id.parse().map_err(|_| unknown())?;
    let ending = server.clone();
    match to_its_end(&server, async move { ending.sessions.revoke_of(access.subject(), id).await }).await? {
        // Another user's session is as unknown as one that never was.
        Ended::Unknown => Err(unknown()),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}
