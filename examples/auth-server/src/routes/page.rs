//! `/`: answers a browser with a page, and a program that sends a token with a greeting.

use crate::refused::Refused;
use crate::request::Access;
use crate::server::Server;
use axum::Json;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY,
};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::sync::Arc;

/// Allows only what this server sends, and no frame of another site.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";

pub(super) async fn page_or_greeting(
    State(server): State<Arc<Server>>,
    request: Request,
) -> Result<Response, Refused> {
    let headers = request.headers();
    let accepts_html = headers
        .get_all(ACCEPT)
        .iter()
        .any(|value| value.to_str().is_ok_and(|value| value.contains("text/html")));
    if accepts_html && !headers.contains_key(AUTHORIZATION) {
        let headers = [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CONTENT_SECURITY_POLICY, POLICY),
            (REFERRER_POLICY, "no-referrer"),
            (VARY, "accept, authorization"),
        ];
        return Ok((headers, include_str!("../page/page.html")).into_response());
    }
    let Access(access) = Access::from_request_parts(&mut request.into_parts().0, &server).await?;
    let claims = access.claims();
    let message = format!("Hello, {}.", claims.name);
    Ok(Json(json!({ "message": message, "name": claims.name, "role": claims.role })).into_response())
}

pub(super) async fn script() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("../page/page.js"))
}

pub(super) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../page/page.css"))
}
