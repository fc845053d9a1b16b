//! The access tokens of countersign-session, in axum: bindings, and the denylist.
#![cfg(all(feature = "axum", feature = "session"))]

mod util;

use axum::Router;
use axum::routing::get as route;
use core::sync::atomic::{AtomicBool, Ordering};
use countersign_session::{
    AccessToken, AccessVerifier, Binding, Config, DenyKey, Denylist, Fingerprint, Grant, Login, MasterKeys,
    MemoryStore, RevocationVerifier, Sessions, StoreError, blocking,
};
use countersign_tower::{Allowed, Authorize, Bearer, BearerLayer};
use std::sync::Arc;
use util::{AUDIENCE, ISSUER, User, get, key, policy, send, user, with};

struct Server {
    sessions: Sessions<Arc<MemoryStore>>,
    store: Arc<MemoryStore>,
}

impl Server {
    fn new() -> Self {
        let store = Arc::new(MemoryStore::new());
        let config = Config::builder(ISSUER, AUDIENCE).build().unwrap();
        let keys = MasterKeys::new(1, [7; 32]).unwrap();
        Self { sessions: Sessions::new(config, keys, key(), store.clone()).unwrap(), store }
    }

    fn login(&self, binding: Binding) -> Grant {
        blocking(self.sessions.login(&Login::new("ann").scope("orders:read").binding(binding))).unwrap()
    }

    fn bearer(&self, grant: &Grant) -> String {
        format!("Bearer {}", self.sessions.access_token(grant, &user(&["reader"])).unwrap())
    }
}

fn verifier() -> AccessVerifier {
    AccessVerifier::new(policy(key())).unwrap()
}

async fn hello(Bearer(access): Bearer<User, AccessVerifier>) -> String {
    format!("{} {}", access.subject(), access.claims().name)
}

struct Reader;

impl Authorize for Reader {
    type Claims = User;
    type Verifier = AccessVerifier;
    const SCOPE: &'static str = "orders:read";

    fn allows(access: &AccessToken<User>) -> bool {
        access.has_scope("orders:read")
    }
}

struct Writer;

impl Authorize for Writer {
    type Claims = User;
    type Verifier = AccessVerifier;
    const SCOPE: &'static str = "orders:write";

    fn allows(access: &AccessToken<User>) -> bool {
        access.has_scope("orders:write")
    }
}

fn app() -> Router {
    Router::new()
        .route("/", route(hello))
        .route("/read", route(async |_: Allowed<Reader>| "read"))
        .route("/write", route(async |_: Allowed<Writer>| "written"))
        .with_state(verifier())
}

#[test]
fn a_handler_gets_the_access_token_of_a_session() {
    let server = Server::new();
    let bearer = server.bearer(&server.login(Binding::None));
    get(&app(), &[("authorization", &bearer)]).assert(200, "ann Ann");
    // A token of the same key that is not of a session.
    get(&app(), &[("authorization", &util::bearer())]).assert(401, "wrong_type");
}

#[test]
fn the_scope_of_the_session_is_what_the_rule_sees() {
    let server = Server::new();
    let bearer = server.bearer(&server.login(Binding::None));
    let ask = |path: &str| send(&app(), with(http::Request::get(path), &[("authorization", &bearer)]));
    ask("/read").assert(200, "read");
    ask("/write").assert(403, "insufficient_scope");
}

#[test]
fn a_token_that_is_bound_to_a_fingerprint_needs_its_cookie() {
    let server = Server::new();
    let fingerprint = Fingerprint::generate().unwrap();
    let bearer = server.bearer(&server.login(Binding::from(&fingerprint)));
    let cookie = |value: &str| format!("theme=dark; __Host-fingerprint={value}");
    let ask = |cookie: &str| get(&app(), &[("authorization", &bearer), ("cookie", cookie)]);
    ask(&cookie(fingerprint.expose_secret())).assert(200, "ann Ann");
    ask(&cookie(Fingerprint::generate().unwrap().expose_secret())).assert(401, "binding_mismatch");
    ask("theme=dark").assert(401, "binding_missing");
    ask("__Host-fingerprint=a; __Host-fingerprint=b").assert(400, "doubled_cookie");
    get(&app(), &[("authorization", &bearer)]).assert(401, "binding_missing");
}

#[test]
fn a_token_that_is_bound_to_a_key_is_refused_as_a_bearer_token() {
    let server = Server::new();
    let bearer = server.bearer(&server.login(Binding::KeyThumbprint([1; 32])));
    let answer = get(&app(), &[("authorization", &bearer)]);
    answer.assert(401, "binding_missing");
    assert!(answer.challenge().unwrap().starts_with(r#"Bearer error="invalid_token""#));
}

#[test]
fn a_logout_ends_the_access_token_at_the_next_request() {
    type Verifier = RevocationVerifier<Arc<MemoryStore>>;

    async fn hello(Bearer(access): Bearer<User, Verifier>) -> String {
        access.claims().name.clone()
    }
    let server = Server::new();
    let denying = verifier().with_denylist(server.store.clone());
    let app = Router::new().route("/", route(hello)).with_state(denying.clone());
    let layered = Router::new().route("/", route(async || "reached")).layer(BearerLayer::new(denying));
    let grant = server.login(Binding::None);
    let bearer = server.bearer(&grant);
    get(&app, &[("authorization", &bearer)]).assert(200, "Ann");
    get(&layered, &[("authorization", &bearer)]).assert(200, "reached");

    blocking(server.sessions.logout(grant.refresh_token().expose_secret())).unwrap();
    get(&app, &[("authorization", &bearer)]).assert(401, "denied");
    get(&layered, &[("authorization", &bearer)]).assert(401, "denied");
}

#[test]
fn a_denylist_that_is_unavailable_is_503() {
    #[derive(Clone, Default)]
    struct List(Arc<AtomicBool>);

    impl Denylist for List {
        async fn denies(&self, _: &[DenyKey]) -> Result<bool, StoreError> {
            if self.0.load(Ordering::Relaxed) { Err(StoreError::unavailable()) } else { Ok(false) }
        }
    }

    async fn hello(_: Bearer<User, RevocationVerifier<List>>) -> &'static str {
        "reached"
    }
    let (server, list) = (Server::new(), List::default());
    let app = Router::new().route("/", route(hello)).with_state(verifier().with_denylist(list.clone()));
    let bearer = server.bearer(&server.login(Binding::None));
    get(&app, &[("authorization", &bearer)]).assert(200, "reached");
    list.0.store(true, Ordering::Relaxed);
    let answer = get(&app, &[("authorization", &bearer)]);
    answer.assert(503, "denylist_unavailable");
    assert_eq!((answer.challenge(), answer.all("retry-after")), (None, vec!["5"]));
}
