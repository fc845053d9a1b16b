//! Registration and login.

use super::sessions::{Cookies, answer, end_all, to_its_end};
use crate::body::Body;
use crate::config::Bind;
use crate::device;
use crate::refused::Refused;
use crate::request::{Attempt, NotFromOthers, refresh_tokens};
use crate::server::{Server, new_id};
use crate::users::{Claims, Name, Role, User};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::USER_AGENT;
use axum::response::{IntoResponse, Response};
use countersign_session::{Binding, Login};
use serde::Deserialize;
use std::sync::Arc;

/// The name and the password that a client sends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    name: String,
    password: String,
}

pub(super) async fn register(
    State(server): State<Arc<Server>>,
    NotFromOthers(_): NotFromOthers,
    _: Attempt,
    Body(credentials): Body<Credentials>,
) -> Result<Response, Refused> {
    let name = Name::new(&credentials.name).ok_or(Refused::new(StatusCode::BAD_REQUEST, "invalid_name"))?;
    let password_hash = server.passwords.hash(credentials.password).await?;
    let id = new_id().ok_or(Refused::unavailable("entropy"))?;
    let user = User { id, name, role: Role::User, password_hash };
    // The database decides: of two concurrent requests, one learns that the name is taken.
    if !server.database.add_user(&user).await? {
        return Err(Refused::new(StatusCode::CONFLICT, "name_taken"));
    }
    Ok((StatusCode::CREATED, Json(Claims::from(&user))).into_response())
}

pub(super) async fn login(
    State(server): State<Arc<Server>>,
    NotFromOthers(headers): NotFromOthers,
    _: Attempt,
    Body(credentials): Body<Credentials>,
) -> Result<Response, Refused> {
    let named = match Name::new(&credentials.name) {
        Some(name) => server.database.user_named(&name).await?,
        None => None,
    };
    // An unknown user takes the same path, because the time must not tell known and unknown users apart.
    let id = named.map(|user| user.id).unwrap_or_default();
    // Read before the hash: if all sessions of the user are ended while the password is checked, this login ends too.
    let epoch = server.sessions.epoch(&id).await?;
    let user = server.database.user_of(&id).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let is_right = server.passwords.check(credentials.password, hash).await?;
    let Some(user) = user.filter(|_| is_right) else {
        return Err(Refused::new(StatusCode::BAD_REQUEST, "invalid_credentials"));
    };
    let fingerprint = match server.bind {
        Bind::Cookie => Some(server.sessions.fingerprint()?),
        Bind::Nothing => None,
    };
    let user_agent = headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let login = Login::new(&*user.id)
        .label(device::name(user_agent))
        .binding(fingerprint.as_ref().map_or(Binding::None, Binding::from))
        .in_epoch(epoch);
    // The browser forgets its old session, which could then only be ended from the list. End it before the new one begins, so
    // that it does not count towards the cap and no other device loses its session.
    let (ending, old) = (server.clone(), refresh_tokens(&server, &headers));
    let grant = to_its_end(&server, async move {
        if let Err(error) = end_all(&ending, &old).await {
            tracing::warn!(?error, "the browser's old session could not be ended");
        }
        ending.sessions.login(&login).await
    })
    .await?;
    let cookies =
        Cookies { fingerprint: fingerprint.as_ref().map(|fingerprint| fingerprint.expose_secret()) };
    answer(&server, &grant, &user, cookies)
}
