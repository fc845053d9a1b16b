//! The keys of a server are replaced while it runs, at given times.

use auth_server::config::Config;
use auth_server::keys;
use auth_server::life_cycle::{INTERVAL, KEPT, MAX_AGE, PUBLISHED};
use auth_server::routes::router;
use auth_server::server::Server;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use axum::response::Response;
use countersign::{Algorithm, KeySet, Keys, PrivateKey, UnixTime, Unverified};
use countersign_jwks::{Fetch, Fetching, RemoteKeys};
use countersign_session::{AccessVerifier, Binding, Login};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tower::ServiceExt;

const PASSWORD: &str = "correct horse battery staple";
const ADMIN: &str = "administrator";
const ISSUER: &str = "https://auth.example";
const AUDIENCE: &str = "https://api.example";
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// After it, a key is replaced by default.
const MONTH: Duration = Duration::from_secs(30 * 24 * 3600);

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

    /// Returns the file of the private key that signs from `begin`.
    fn key(&self, begin: UnixTime) -> PathBuf {
        self.0.join(format!("access.{}.private.pem", begin.as_secs()))
    }

    fn rename_key(&self, name: &str, begin: UnixTime) {
        std::fs::rename(self.0.join(name), self.key(begin)).unwrap();
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
#[derive(Clone)]
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

    /// Returns whether the API accepts an access token.
    async fn accepts(&self, token: &str) -> bool {
        let request = Request::get("/").header("authorization", format!("Bearer {token}"));
        self.send(request.body(Body::empty()).unwrap()).await.status() == StatusCode::OK
    }

    async fn step(&self, now: UnixTime) {
        self.0.rotate(now).await.unwrap();
    }

    /// Does the step in which a new key is published, and returns the name of this key.
    async fn publish(&self, now: UnixTime) -> String {
        let before = self.published().await;
        self.step(now).await;
        let after = self.published().await;
        let mut new = after.difference(&before);
        let (Some(new), None) = (new.next(), new.next()) else { panic!("{before:?}, {after:?}") };
        new.clone()
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
    Unverified::parse(token).unwrap().unverified_key_id().unwrap().unwrap()
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

/// An application server with these keys.
fn application(keys: impl Into<Keys>) -> AccessVerifier {
    keys::verifier(keys.into(), ISSUER, AUDIENCE).unwrap()
}

/// An application server that has fetched the set once.
async fn with_set_of(server: &Running) -> AccessVerifier {
    let loaded = KeySet::from_jwks(&server.set().await, &[Algorithm::Rs256]).unwrap();
    assert_eq!(loaded.skipped.len(), 0);
    application(loaded.keys)
}

fn outcome(application: &AccessVerifier, token: &str) -> &'static str {
    application.verify::<Value>(token, &Binding::None).map_or_else(|error| error.code(), |_| "accepted")
}

/// Fetches from a server in this process.
struct InProcess(Running);

impl Fetch for InProcess {
    fn fetch<'a>(&'a self, request: countersign_jwks::Request<'a>) -> Fetching<'a> {
        Box::pin(async move {
            let path = request.url().strip_prefix(ISSUER).unwrap();
            let (parts, body) = self.0.get(path).await.into_parts();
            let body = to_bytes(body, request.most_bytes()).await?;
            let response = countersign_jwks::Response::new(parts.status.as_u16(), body);
            let headers = parts.headers.iter();
            Ok(headers.fold(response, |response, (name, value)| {
                response.with_header(name.as_str(), value.as_bytes())
            }))
        })
    }
}

#[tokio::test]
async fn tokens_signed_before_during_and_after_a_rotation_verify_until_the_old_key_leaves() {
    let folder = Folder::new("life");
    let server = folder.start().await;
    let before = server.token().await;
    let old = key_of(&before);
    assert_eq!(server.published().await, names([&old]));
    let stale = with_set_of(&server).await;

    // Published, and does not sign.
    let due = UnixTime::now().saturating_add(MONTH);
    let new = server.publish(due).await;
    let begin = due.saturating_add(PUBLISHED);
    assert_eq!(server.published().await, names([&old, &new]));
    server.step(begin.saturating_sub(SECOND)).await;
    let during = server.token().await;
    assert_eq!(key_of(&during), old);
    // The set that an application server has by now.
    let fetched = with_set_of(&server).await;
    assert_eq!(outcome(&stale, &during), "accepted");

    // Signs. The old key stays.
    server.step(begin).await;
    let after = server.token().await;
    assert_eq!(key_of(&after), new);
    assert_eq!(outcome(&stale, &after), "unknown_key");
    server.step(begin.saturating_add(KEPT).saturating_sub(SECOND)).await;
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
    let fetched = with_set_of(&server).await;
    for (token, expected) in [(&before, "unknown_key"), (&during, "unknown_key"), (&after, "accepted")] {
        assert_eq!(outcome(&fetched, token), expected);
        assert_eq!(server.accepts(token).await, expected == "accepted");
    }
}

#[tokio::test]
async fn an_application_server_that_fetches_the_set_accepts_the_tokens_of_each_minute() {
    let folder = Folder::new("followed");
    let server = folder.start_with(&[("AUTH_ROTATE_SECONDS", "3600")]).await;
    let grant = server.0.sessions.login(&Login::new("ann")).await.unwrap();
    // From here on, the clock moves on when all tasks wait. Not before, because the store has a time limit.
    tokio::time::pause();
    let (start, started) = (UnixTime::now(), Instant::now());
    let now = move || start.saturating_add(started.elapsed());
    let keys = RemoteKeys::builder(&format!("{ISSUER}/.well-known/jwks.json"), &[Algorithm::Rs256])
        .fetch_with(InProcess(server.clone()))
        .clock(now)
        .start()
        .await
        .unwrap();
    let application = application(keys.clone());
    let mut tokens = Vec::new();
    for minute in 0..7 * 60 {
        server.step(now()).await;
        tokens.push(server.0.sessions.access_token(&grant, &json!({})).unwrap());
        // An access token lives for at most 15 minutes.
        for token in [&tokens[minute], &tokens[minute.saturating_sub(15)]] {
            assert_eq!(outcome(&application, token), "accepted", "minute {minute}");
        }
        tokio::time::sleep(INTERVAL).await;
    }
    let used: BTreeSet<String> = tokens.iter().map(|token| key_of(token)).collect();
    assert_eq!(used.len(), 3);
    // The first fetch, and one each time that the age was over. None because of an unknown key.
    let fetches = keys.status().fetches;
    assert!(fetches <= 1 + 7 * 3600 / MAX_AGE.as_secs(), "{fetches}");
    assert_eq!(outcome(&application, &tokens[0]), "unknown_key");
}

#[tokio::test]
async fn a_key_is_replaced_when_it_is_old_enough_and_not_before() {
    let folder = Folder::new("timer");
    let server = folder.start_with(&[("AUTH_ROTATE_SECONDS", "86400")]).await;
    let due = UnixTime::now().saturating_add(DAY);
    server.step(due.saturating_sub(PUBLISHED)).await;
    assert_eq!(folder.keys().len(), 1);
    let new = server.publish(due).await;
    server.step(due.saturating_add(SECOND)).await;
    assert_eq!(folder.keys().len(), 2);
    server.step(due.saturating_add(PUBLISHED)).await;
    assert_eq!(key_of(&server.token().await), new);

    let never = Folder::new("never");
    let server = never.start_with(&[("AUTH_ROTATE_SECONDS", "0")]).await;
    server.step(due.saturating_add(1000 * DAY)).await;
    assert_eq!(never.keys().len(), 1);
}

#[tokio::test]
async fn a_server_that_starts_again_goes_on_with_the_same_keys() {
    let folder = Folder::new("restart");
    let server = folder.start().await;
    let token = server.token().await;
    let now = UnixTime::now();
    // As if the key had signed for a month.
    let begin = now.saturating_sub(MONTH);
    folder.rename_key(&folder.keys()[0], begin);
    drop(server);

    let server = folder.start().await;
    assert!(server.accepts(&token).await);
    assert_eq!((server.published().await.len(), folder.keys().len()), (2, 2));
    let published = server.published().await;
    drop(server);

    let server = folder.start().await;
    assert_eq!(server.published().await, published);
    assert_eq!(key_of(&server.token().await), key_of(&token));
    server.step(now.saturating_add(PUBLISHED + MINUTE)).await;
    assert_eq!(server.published().await, published);
    assert_ne!(key_of(&server.token().await), key_of(&token));
    assert!(server.accepts(&token).await);
}

#[tokio::test]
async fn servers_that_share_a_folder_follow_the_one_that_rotates() {
    let folder = Folder::new("shared");
    let (one, two) = (folder.start().await, folder.start_with(&[("AUTH_ROTATE_SECONDS", "0")]).await);
    assert_eq!(one.published().await, two.published().await);
    let due = UnixTime::now().saturating_add(MONTH);
    let new = one.publish(due).await;
    two.step(due.saturating_add(INTERVAL)).await;
    assert_eq!(one.published().await, two.published().await);

    // One server signs with the new key a moment before the other.
    one.step(due.saturating_add(PUBLISHED)).await;
    let tokens = [one.token().await, two.token().await];
    assert_eq!(key_of(&tokens[0]), new);
    assert_ne!(key_of(&tokens[1]), new);
    for token in &tokens {
        assert!(one.accepts(token).await && two.accepts(token).await);
    }
}

#[tokio::test]
async fn a_key_that_is_deleted_or_added_by_hand_counts_from_the_next_step() {
    let folder = Folder::new("by-hand");
    let server = folder.start_with(&[("AUTH_ROTATE_SECONDS", "0")]).await;
    let leaked = server.token().await;
    let now = UnixTime::now();
    let key = PrivateKey::generate_rsa(2048).unwrap().to_secret_pem().unwrap();
    std::fs::write(folder.key(now), key.expose_secret()).unwrap();
    std::fs::remove_file(folder.0.join(&folder.keys()[0])).unwrap();
    server.step(now).await;
    assert!(!server.accepts(&leaked).await);
    let token = server.token().await;
    assert!(server.accepts(&token).await);
    assert_eq!(server.published().await, names([&key_of(&token)]));
}

#[tokio::test]
async fn a_step_that_fails_changes_no_key() {
    let folder = Folder::new("broken");
    let server = folder.start().await;
    let token = server.token().await;
    let (published, keys) = (server.published().await, folder.keys());
    let now = UnixTime::now().saturating_add(MONTH);
    let broken = folder.key(now.saturating_add(DAY));
    std::fs::write(&broken, "not a key").unwrap();
    let text = server.0.rotate(now).await.unwrap_err().to_string();
    assert!(text.contains(".private.pem: the BEGIN line is missing"), "{text}");

    let unnamed = folder.0.join("access.private.pem");
    std::fs::rename(&broken, &unnamed).unwrap();
    let text = server.0.rotate(now).await.unwrap_err().to_string();
    assert!(text.contains("rename it to access.SECONDS.private.pem"), "{text}");
    assert_eq!(server.published().await, published);
    assert!(server.accepts(&token).await);

    std::fs::remove_file(&unnamed).unwrap();
    assert_eq!(folder.keys(), keys);
    server.publish(now).await;
}

#[tokio::test]
async fn the_keys_are_published_for_caches_and_only_while_there_is_a_public_key() {
    let folder = Folder::new("published");
    let server = folder.start().await;
    let jwks = server.get("/.well-known/jwks.json").await;
    assert_eq!(jwks.headers()["content-type"], "application/jwk-set+json");
    assert_eq!(jwks.headers()["cache-control"], "public, max-age=300");
    assert_eq!(jwks.headers()["x-content-type-options"], "nosniff");
    assert_eq!(server.get("/page.js").await.headers()["cache-control"], "no-store");

    let folder = Folder::new("secret");
    let server = folder.start_with(&[("AUTH_ALGORITHM", "HS256")]).await;
    server.step(UnixTime::now().saturating_add(MONTH)).await;
    let jwks = server.get("/.well-known/jwks.json").await;
    assert_eq!(jwks.status(), StatusCode::NOT_FOUND);
    assert_eq!(jwks.headers()["cache-control"], "no-store");
    assert_eq!(body_of(jwks).await, json!({ "error": "no_public_key" }));
    assert_eq!(folder.keys(), [""; 0]);
}
