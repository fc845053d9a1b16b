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

/// The cookies of an answer in addition to the refresh token's.
pub(super) struct Cookies<'a> {
    pub(super) fingerprint: Option<&'a str>,
}

/// Answers with the access token in the body and the refresh token in its cookie.
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
        // The value is the same for the whole session, and the cookie lives as long as the other one.
        let fingerprint = server.fingerprint_cookie.set(fingerprint, remains);
        headers.append(SET_COOKIE, header(&fingerprint.map_err(|_| failed())?).ok_or_else(failed)?);
    }
    Ok((headers, body).into_response())
}

/// Marks the value as sensitive, so that code that logs headers leaves it out.
fn header(cookie: &SetCookie) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(cookie.expose_secret()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Runs `work` to its end even if the client disconnects. Otherwise a half-ended session would be ended only by its next
/// exchange, if that comes soon; now it ends at once, and the end is in the log.
pub(super) async fn to_its_end<T: Send + 'static>(
    server: &Server,
    work: impl Future<Output = Result<T, session::Error>> + Send + 'static,
) -> Result<T, Refused> {
    match server.unattended.run(work).await {
        Ok(ended) => Ok(ended?),
        Err(_) => Err(Refused::unavailable("interrupted")),
    }
}

/// Deletes the cookies. Only answers to a logout do so.
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
    // The role may have changed.
    let Some(user) = server.database.user_of(grant.subject()).await? else {
        let ending = server.clone();
        to_its_end(&server, async move { ending.sessions.revoke(grant.session_id()).await }).await?;
        return Err(Refused::new(StatusCode::BAD_REQUEST, "invalid_grant"));
    };
    answer(&server, &grant, &user, Cookies { fingerprint })
}

/// Ends the session of the cookie, or of each if there are two. The answer is the same for any cookie.
pub(super) async fn logout(
    State(server): State<Arc<Server>>,
    FromOwnPage(headers): FromOwnPage,
) -> Result<Response, Refused> {
    let (ending, tokens) = (server.clone(), refresh_tokens(&server, &headers));
    // An error is a 503 and leaves the cookie, because the session may still live.
    to_its_end(&server, async move { end_all(&ending, &tokens).await }).await?;
    Ok(gone(&server))
}

/// Ends the sessions of these tokens. A token that was planted next to the browser's own can name a master key that no server
/// has. If the other token was valid, that is not a reason to ask for a retry.
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
    // The path is not text, or not an id.
    let Path(id) = id.map_err(|_| unknown())?;
    let id: SessionId = id.parse().map_err(|_| unknown())?;
    let ending = server.clone();
    match to_its_end(&server, async move { ending.sessions.revoke_of(access.subject(), id).await }).await? {
        // The answer for another user's session is the same as for an unknown one.
        Ended::Unknown => Err(unknown()),
        _ => Ok(StatusCode::NO_CONTENT),
    }
}
