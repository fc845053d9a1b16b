//! Counts that Argon2 runs once for each login, for known and unknown users alike.

use auth_server::config::Config;
use auth_server::routes::router;
use auth_server::server::Server;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::json;
use std::sync::Arc;
use tower::ServiceExt;

const PASSWORD: &str = "correct horse battery staple";

async fn post(server: &Arc<Server>, path: &str, name: &str, password: &str) -> StatusCode {
    let body = json!({ "name": name, "password": password }).to_string();
    let request = Request::post(path).header("content-type", "application/json").body(Body::from(body));
    router(server.clone()).oneshot(request.unwrap()).await.unwrap().status()
}

#[tokio::test]
async fn argon2_runs_once_for_known_and_unknown_users_alike() {
    let folder = std::env::temp_dir().join(format!("auth-server-argon2-{}", std::process::id()));
    let variables = [("AUTH_DATA", folder.to_str().unwrap()), ("AUTH_ATTEMPTS_PER_MINUTE", "1000")];
    let config = Config::read(variables.map(|(name, value)| (name.into(), value.into()))).unwrap();
    let server = Arc::new(Server::start(&config).await.unwrap());
    assert_eq!(post(&server, "/register", "ann", PASSWORD).await, StatusCode::CREATED);

    let long = "x".repeat(1000);
    for (name, password, expected) in [
        ("ann", PASSWORD, StatusCode::OK),
        ("ANN", PASSWORD, StatusCode::OK),
        ("ann", "wrong", StatusCode::BAD_REQUEST),
        ("ann", "", StatusCode::BAD_REQUEST),
        ("ann", &long, StatusCode::BAD_REQUEST),
        ("unknown", PASSWORD, StatusCode::BAD_REQUEST),
        ("unknown", "", StatusCode::BAD_REQUEST),
        ("unknown", &long, StatusCode::BAD_REQUEST),
        ("no name at all", PASSWORD, StatusCode::BAD_REQUEST),
        ("'; DROP TABLE users; --", PASSWORD, StatusCode::BAD_REQUEST),
        ("", "", StatusCode::BAD_REQUEST),
    ] {
        let before = server.passwords.runs();
        assert_eq!(post(&server, "/login", name, password).await, expected, "{name}");
        assert_eq!(server.passwords.runs() - before, 1, "{name}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
