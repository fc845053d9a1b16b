//! The keys of a server are replaced while it runs, at given times.

use auth_server::config::Config;
use auth_server::life_cycle::KEPT;
use auth_server::rotation::Stage;
use auth_server::routes::router;
use auth_server::server::Server;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use countersign::{Algorithm, KeySet, UnixTime, Unverified, Verifier};
use countersign_session::{AccessVerifier, Binding};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tower::ServiceExt;

const PASSWORD: &str = "correct horse battery staple";
const ADMIN: &str = "administrator";
const ISSUER: &str = "https://auth.example";
const PUBLISH: Duration = Duration::from_secs(600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A folder that is deleted when its owner is dropped.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("auth-server-rotation-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Returns the names of the private keys.
    fn keys(&self) -> Vec<String> {
        let names = std::fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.into_string().unwrap()).collect();
        names.retain(|name| name.ends_with(".private.pem"));
        names.sort_unstable();
        names
    }

    async fn start(&self) -> Running {
        self.start_with(&[]).await
    }

    async fn start_with(&self, settings: &[(&str, &str)]) -> Running {
        let usual = [
            ("AUTH_DATA", self.0.to_str().unwrap()),
            ("AUTH_ALGORITHM", "RS256"),
            ("AUTH_ISSUER", ISSUER),
            ("AUTH_BIND", "nothing"),
            ("AUTH_ATTEMPTS_PER_MINUTE", "1000"),
            ("AUTH_ADMIN_NAME", ADMIN),
            ("AUTH_ADMIN_PASSWORD", PASSWORD),
        ];
        let usual = usual.iter().filter(|(name, _)| settings.iter().all(|(other, _)| other != name));
        let variables = usual.chain(settings).map(|(name, value)| ((*name).into(), (*value).into()));
        let server = Server::start(&Config::read(variables).unwrap()).await.unwrap();
        Running(Arc::new(server))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A server in this process.
struct Running(Arc<Server>);

impl Running {
    async fn send(&self, request: Request<Body>) -> Response {
        router(self.0.clone()).oneshot(request).await.unwrap()
    }

    async fn get(&self, path: &str) -> Response {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    /// Logs the administrator in, and returns the access token.
    async fn token(&self) -> String {
        let body = json!({ "name": ADMIN, "password": PASSWORD }).to_string();
        let request = Request::post("/login").header("content-type", "application/json").body(body.into());
        let response = self.send(request.unwrap()).await;
        assert_eq!(response.status(), StatusCode::OK);
        body_of(response).await["access_token"].as_str().unwrap().to_owned()
    }

    /// Returns the answer of the API to an access token.
    async fn ask(&self, method: &str, path: &str, token: &str) -> Response {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await
    }

    async fn accepts(&self, token: &str) -> bool {
        self.ask("GET", "/", token).await.status() == StatusCode::OK
    }

    async fn step(&self, now: UnixTime) -> Stage {
        self.0.rotate(now, false).await.unwrap().unwrap()
    }

    /// Publishes a new key, and returns its name and the time from which it signs.
    async fn publish(&self, now: UnixTime) -> (String, UnixTime) {
        self.0.rotate(now, true).await.unwrap().unwrap().next.unwrap()
    }

    /// Returns the published set.
    async fn set(&self) -> String {
        body_of(self.get("/.well-known/jwks.json").await).await.to_string()
    }

    /// Returns the names of the published keys.
    async fn published(&self) -> BTreeSet<String> {
        let set: Value = serde_json::from_str(&self.set().await).unwrap();
        let keys = set["keys"].as_array().unwrap();
        keys.iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
    }
}

async fn body_of(response: Response) -> Value {
    let bytes = to_bytes(response.into_body(), 1 << 20).await.unwrap();
    serde_json::from_slice(&bytes).unwrap()
}

fn key_of(token: &str) -> String {
    Unverified::parse(token).unwrap().key_id().unwrap().to_owned()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// An application server that has fetched this set.
fn application(set: &str) -> AccessVerifier {
    let loaded = KeySet::from_jwks(set, &[Algorithm::Rs256]).unwrap();
    assert_eq!(loaded.skipped.len(), 0);
    AccessVerifier::new(Verifier::builder(loaded.keys).issuer(ISSUER).audience("https://api.example"))
        .unwrap()
}

fn outcome(application: &AccessVerifier, token: &str) -> &'static str {
    application.verify::<Value>(token, &Binding::None).map_or_else(|error| error.code(), |_| "accepted")
}

#[tokio::test]
async fn tokens_signed_before_during_and_after_a_rotation_verify_until_the_old_key_leaves() {
    let folder = Folder::new("life");
    let server = folder.start().await;
    let start = UnixTime::now();
    let before = server.token().await;
    let old = key_of(&before);
    assert_eq!(server.published().await, names([&old]));
    let stale = application(&server.set().await);

    // Published, and does not sign.
    let (new, begin) = server.publish(start).await;
    assert_eq!(begin, start.saturating_add(PUBLISH));
    assert_eq!(server.published().await, names([&old, &new]));
    let last_second = begin.saturating_sub(Duration::from_secs(1));
    assert_eq!(server.step(last_second).await.next, Some((new.clone(), begin)));
    let during = server.token().await;
    assert_eq!(key_of(&during), old);
    // The set that an application server uses, as it must have fetched it by now.
    let fetched = application(&server.set().await);
    assert_eq!(outcome(&stale, &during), "accepted");

    // Signs. The old key stays.
    assert_eq!(server.step(begin).await.next, None);
    let after = server.token().await;
    assert_eq!(key_of(&after), new);
    assert_eq!(outcome(&stale, &after), "unknown_key");
    assert_eq!(server.published().await, names([&old, &new]));
    server.step(begin.saturating_add(KEPT).saturating_sub(Duration::from_secs(1))).await;
    assert_eq!(server.published().await, names([&old, &new]));
    assert_eq!(folder.keys().len(), 2);
    for token in [&before, &during, &after] {
        assert_eq!(outcome(&fetched, token), "accepted");
        assert!(server.accepts(token).await);
    }

    // The old key leaves, with its file.
    server.step(begin.saturating_add(KEPT)).await;
    assert_eq!(server.published().await, names([&new]));
    assert_eq!(folder.keys(), [format!("access.{}.private.pem", begin.as_secs())]);
    let fetched = application(&server.set().await);
    for (token, expected) in [(&before, "unknown_key"), (&during, "unknown_key"), (&after, "accepted")] {
        assert_eq!(outcome(&fetched, token), expected);
        assert_eq!(server.accepts(token).await, expected == "accepted");
    }
}

#[tokio::test]
async fn a_key_is_replaced_when_it_is_old_enough_and_not_before() {
    let folder = Folder::new("timer");
    let server = folder.start_with(&[("AUTH_ROTATE_SECONDS", "86400")]).await;
    let start = UnixTime::now();
    let signing = server.step(start).await.signing;
    let early = start.saturating_add(DAY - PUBLISH);
    assert_eq!(server.step(early).await.next, None);
    let due = start.saturating_add(DAY);
    let (new, begin) = server.step(due).await.next.unwrap();
    assert_eq!(begin, due.saturating_add(PUBLISH));
    assert_eq!(server.step(begin).await.signing.key_id(), Some(&*new));
    assert_ne!(signing.key_id(), Some(&*new));

    let never = Folder::new("never");
    let server = never.start_with(&[("AUTH_ROTATE_SECONDS", "0")]).await;
    assert_eq!(server.step(start.saturating_add(1000 * DAY)).await.next, None);
    assert_eq!(never.keys().len(), 1);
}

#[tokio::test]
async fn an_administrator_can_ask_for_a_new_key_and_asking_again_makes_no_other() {
    let folder = Folder::new("command");
    let server = folder.start().await;
    let token = server.token().await;
    assert_eq!(server.get("/keys/rotate").await.status(), StatusCode::METHOD_NOT_ALLOWED);
    let request = Request::post("/keys/rotate").body(Body::empty()).unwrap();
    assert_eq!(server.send(request).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(folder.keys().len(), 1);

    // Also if they ask at once.
    let (first, second) =
        tokio::join!(server.ask("POST", "/keys/rotate", &token), server.ask("POST", "/keys/rotate", &token));
    assert_eq!((first.status(), second.status()), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
    let (first, second) = (body_of(first).await, body_of(second).await);
    assert_eq!(first, second);
    let signing = key_of(&token);
    assert_eq!(server.published().await, names([&signing, first["kid"].as_str().unwrap()]));
    assert_eq!(folder.keys().len(), 2);
}

#[tokio::test]
async fn a_server_that_starts_again_goes_on_with_the_same_keys() {
    let folder = Folder::new("restart");
    let server = folder.start().await;
    let token = server.token().await;
    let (new, begin) = server.publish(UnixTime::now()).await;
    drop(server);

    let server = folder.start().await;
    assert_eq!(server.published().await, names([&key_of(&token), &new]));
    assert!(server.accepts(&token).await);
    assert_eq!(key_of(&server.token().await), key_of(&token));
    server.step(begin).await;
    assert_eq!(key_of(&server.token().await), new);
    assert!(server.accepts(&token).await);
}

#[tokio::test]
async fn servers_that_share_a_folder_follow_the_one_that_rotates() {
    let folder = Folder::new("shared");
    let (one, two) = (folder.start().await, folder.start_with(&[("AUTH_ROTATE_SECONDS", "0")]).await);
    assert_eq!(one.published().await, two.published().await);
    let (new, begin) = one.publish(UnixTime::now()).await;
    assert_eq!(two.step(UnixTime::now()).await.next, Some((new.clone(), begin)));
    assert_eq!(one.published().await, two.published().await);

    // One server signs with the new key a moment before the other.
    one.step(begin).await;
    let tokens = [one.token().await, two.token().await];
    assert_eq!(key_of(&tokens[0]), new);
    assert_ne!(key_of(&tokens[1]), new);
    for token in &tokens {
        assert!(one.accepts(token).await && two.accepts(token).await);
    }
}

#[tokio::test]
async fn a_step_that_fails_changes_no_key() {
    let folder = Folder::new("broken");
    let server = folder.start().await;
    let token = server.token().await;
    let (published, keys) = (server.published().await, folder.keys());
    let broken = folder.0.join("access.1.private.pem");
    std::fs::write(&broken, "not a key").unwrap();
    for wanted in [false, true] {
        let result = server.0.rotate(UnixTime::from_secs(2), wanted).await;
        let text = result.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(text.contains("access.1.private.pem: "), "{text}");
    }
    let answer = server.ask("POST", "/keys/rotate", &token).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED, "a key that is over is not read");

    std::fs::rename(&broken, folder.0.join("access.private.pem")).unwrap();
    let text = server.0.rotate(UnixTime::now(), true).await.err().unwrap().to_string();
    assert!(text.contains("rename it to access.SECONDS.private.pem"), "{text}");
    let answer = server.ask("POST", "/keys/rotate", &token).await;
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(server.accepts(&token).await);
    assert!(published.is_subset(&server.published().await));
    assert!(keys.iter().all(|key| Path::exists(&folder.0.join(key))));
}

#[tokio::test]
async fn keys_and_metadata_are_published_for_caches_and_only_while_there_is_a_public_key() {
    let folder = Folder::new("published");
    let server = folder.start().await;
    let jwks = server.get("/.well-known/jwks.json").await;
    assert_eq!(jwks.headers()["content-type"], "application/jwk-set+json");
    // Half the time for which a key is published before it signs.
    assert_eq!(jwks.headers()["cache-control"], "public, max-age=300");
    let metadata = server.get("/.well-known/oauth-authorization-server").await;
    assert_eq!(metadata.headers()["content-type"], "application/json");
    assert_eq!(metadata.headers()["cache-control"], "public, max-age=300");
    let metadata = body_of(metadata).await;
    assert_eq!(metadata["issuer"], ISSUER);
    assert_eq!(metadata["jwks_uri"], "https://auth.example/.well-known/jwks.json");

    let folder = Folder::new("secret");
    let server = folder.start_with(&[("AUTH_ALGORITHM", "HS256")]).await;
    let token = server.token().await;
    for (method, path) in [
        ("GET", "/.well-known/jwks.json"),
        ("GET", "/.well-known/oauth-authorization-server"),
        ("POST", "/keys/rotate"),
    ] {
        let answer = server.ask(method, path, &token).await;
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert_eq!(body_of(answer).await, json!({ "error": "no_public_key" }));
    }
    assert_eq!(folder.keys(), [""; 0]);
}
