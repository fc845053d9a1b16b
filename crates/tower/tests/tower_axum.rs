//! The extractors for axum, with the verifiers of the core: what reaches a handler, and the answer to everything else.
#![cfg(feature = "axum")]

mod util;

use axum::extract::FromRef;
use axum::routing::get as route;
use axum::{Router, extract::State};
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use countersign::http::{AllowedOrigins, Challenge, Cookie, Realm};
use countersign::profile::{AccessToken, AccessTokenVerifier};
use countersign::{
    Claims, Header, HmacKey, KeyRef, KeySet, KeySource, Token, UnixTime, Verifier, VerifyError,
};
use countersign_tower::{Allowed, Authenticate, Authorize, Bearer, Guard, Refused};
use http::request::Parts;
use http::{Method, Request};
use std::sync::{Arc, RwLock};
use util::{
    AUDIENCE, ISSUER, User, bearer, claims, expired, get, key, key_of, policy, send, token, verifier, with,
};

async fn hello(Bearer(token): Bearer<User>) -> String {
    format!("Hello, {}.", token.claims().name)
}

struct Admin;

impl Authorize for Admin {
    type Claims = User;
    type Verifier = Guard<Verifier>;
    const SCOPE: &'static str = "admin audit:read";

    fn allows(token: &Token<User>) -> bool {
        token.claims().roles.iter().any(|role| role == "admin")
    }
}

async fn settings(Allowed(token): Allowed<Admin>) -> String {
    format!("The settings, for {}.", token.subject().unwrap())
}

async fn front(user: Option<Bearer<User>>) -> String {
    user.map_or("guest".into(), |Bearer(token)| token.into_claims().name)
}

/// A router whose only handler needs a token.
fn app(verifier: Verifier) -> Router {
    Router::new().route("/", route(hello).post(hello)).with_state(verifier)
}

fn plain() -> Router {
    app(verifier())
}

/// A router behind a guard, with a rule at `/settings`.
fn guarded(guard: Guard<Verifier>) -> Router {
    async fn hello(Bearer(token): Bearer<User, Guard<Verifier>>) -> String {
        token.into_claims().name
    }
    Router::new().route("/", route(hello).post(hello)).route("/settings", route(settings)).with_state(guard)
}

fn cookie_app() -> Router {
    let origins = AllowedOrigins::new(["https://app.example"]).unwrap();
    guarded(Guard::new(verifier()).cookie(Cookie::host("access").unwrap(), origins))
}

// ---- good tokens ----

#[test]
fn a_handler_gets_the_claims_of_a_good_token() {
    get(&plain(), &[("authorization", &bearer())]).assert(200, "Hello, Ann.");
    let lower = format!("bearer   {}", token());
    get(&plain(), &[("authorization", &lower)]).assert(200, "Hello, Ann.");
}

#[test]
fn the_verifier_comes_from_a_part_of_the_state() {
    #[derive(Clone)]
    struct App(Verifier, &'static str);

    impl FromRef<App> for Verifier {
        fn from_ref(app: &App) -> Self {
            app.0.clone()
        }
    }

    async fn handler(State(app): State<App>, Bearer(token): Bearer<()>) -> String {
        format!("{} of {}", token.subject().unwrap(), app.1)
    }
    let app = Router::new().route("/", route(handler)).with_state(App(verifier(), "the state"));
    get(&app, &[("authorization", &bearer())]).assert(200, "ann of the state");
    assert_eq!(get(&app, &[]).status, 401);
}

#[test]
fn a_request_without_a_token_is_none_and_one_with_a_bad_token_is_refused() {
    let app = Router::new().route("/", route(front)).with_state(verifier());
    get(&app, &[]).assert(200, "guest");
    get(&app, &[("authorization", &bearer())]).assert(200, "Ann");
    get(&app, &[("authorization", &format!("Bearer {}", expired()))]).assert(401, "expired");
    get(&app, &[("authorization", "Basic YTpi")]).assert(401, "other_scheme");
    get(&app, &[("authorization", "")]).assert(400, "malformed_credentials");
    get(&app, &[("authorization", &bearer()), ("authorization", &bearer())])
        .assert(400, "several_credentials");
}

#[test]
fn a_handler_can_answer_a_refused_request_itself() {
    async fn handler(user: Result<Bearer<User>, Refused>) -> String {
        user.map_or_else(|refused| format!("{refused}"), |Bearer(token)| token.into_claims().name)
    }
    let app = Router::new().route("/", route(handler)).with_state(verifier());
    get(&app, &[("authorization", &bearer())]).assert(200, "Ann");
    get(&app, &[]).assert(200, "the request is refused: the request has no Authorization header");
}

#[test]
fn a_verifier_of_the_user_can_take_the_token_from_another_header() {
    #[derive(Clone)]
    struct Gateway(Verifier);

    impl Authenticate<User> for Gateway {
        type Token = User;

        fn find_token<'r>(&self, request: &'r Parts) -> Result<&'r str, countersign::http::RequestError> {
            countersign::http::bearer_token(request.headers.get_all("x-forwarded-authorization"))
        }

        async fn verify_token(&self, text: &str, request: &Parts) -> Result<User, Refused> {
            let token: Token<User> = self.0.verify_token(text, request).await?;
            if request.method != Method::GET {
                return Err(Refused::new(Challenge::invalid_token(), "only_get"));
            }
            Ok(token.into_claims())
        }
    }

    async fn handler(Bearer(user): Bearer<User, Gateway>) -> String {
        user.name
    }
    let app = Router::new().route("/", route(handler).post(handler)).with_state(Gateway(verifier()));
    get(&app, &[("x-forwarded-authorization", &bearer())]).assert(200, "Ann");
    get(&app, &[("authorization", &bearer())]).assert(401, "missing_credentials");
    let post = with(Request::post("/"), &[("x-forwarded-authorization", &bearer())]);
    send(&app, post).assert(401, "only_get");
}

#[test]
fn a_rule_can_use_the_scopes_of_an_access_token_of_rfc_9068() {
    struct Reader;

    impl Authorize for Reader {
        type Claims = ();
        type Verifier = AccessTokenVerifier;
        const SCOPE: &'static str = "orders:read";

        fn allows(access: &AccessToken<()>) -> bool {
            access.has_scope(Self::SCOPE)
        }
    }

    async fn orders(Allowed(access): Allowed<Reader>) -> String {
        access.token().subject().unwrap().to_owned()
    }
    let app = Router::new().route("/", route(orders));
    let app = app.with_state(AccessTokenVerifier::new(policy(key())).unwrap());
    let of = |scope: &str, more: serde_json::Value| {
        let mut claims = serde_json::json!({"client_id":"c", "scope":scope});
        claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let claims = Claims::new(claims).issuer(ISSUER).audience(AUDIENCE).subject("ann").jwt_id("1");
        let text = claims.typ("at+jwt").expires_in(Duration::from_secs(900)).sign(&key()).unwrap();
        format!("Bearer {text}")
    };
    let none = || serde_json::json!({});
    get(&app, &[("authorization", &of("orders:write orders:read", none()))]).assert(200, "ann");
    get(&app, &[("authorization", &of("orders:reader", none()))]).assert(403, "insufficient_scope");
    let bound = serde_json::json!({"cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}});
    get(&app, &[("authorization", &of("orders:read", bound))]).assert(401, "bound_token");
    get(&app, &[("authorization", &bearer())]).assert(401, "wrong_type");
}

// ---- bad input ----

#[test]
fn two_authorization_headers_are_refused_whatever_they_contain() {
    let good = bearer();
    for values in [[&*good, "Bearer x"], ["Basic YTpi", &good], [&good, &good], ["", &good]] {
        let answer = get(&plain(), &values.map(|value| ("authorization", value)));
        answer.assert(400, "several_credentials");
        assert_eq!(answer.challenge(), Some(r#"Bearer error="invalid_request""#));
    }
}

#[test]
fn an_empty_or_malformed_token_is_400() {
    let good = bearer();
    let (twice, comma) = (format!("{good} {good}"), format!("{good},{good}"));
    for value in ["Bearer", "Bearer ", "Bearer =", "", "Bearer\ta", &twice, &comma, "Bearer \u{e4}"] {
        let answer = get(&plain(), &[("authorization", value)]);
        answer.assert(400, "malformed_credentials");
        assert_eq!(answer.challenge(), Some(r#"Bearer error="invalid_request""#), "{value}");
    }
    // These have the right characters.
    get(&plain(), &[("authorization", "Bearer a.b")]).assert(401, "not_a_token");
}

#[test]
fn a_header_of_a_megabyte_is_refused() {
    let padded = format!("Bearer {}", "A".repeat(1 << 20));
    get(&plain(), &[("authorization", &padded)]).assert(401, "too_large");
    let spaces = format!("Bearer{}{}", " ".repeat(1 << 20), token());
    get(&plain(), &[("authorization", &spaces)]).assert(200, "Hello, Ann.");
    let scheme = "A".repeat(1 << 20);
    get(&plain(), &[("authorization", &scheme)]).assert(401, "other_scheme");
    let cookie = format!("__Host-access={}", "A".repeat(1 << 20));
    let headers = [("cookie", &*cookie), ("origin", "https://app.example")];
    get(&cookie_app(), &headers).assert(401, "too_large");
}

#[test]
fn a_token_that_was_signed_with_a_removed_key_is_refused_at_the_next_request() {
    /// Keys that are swapped while they are used.
    #[derive(Clone)]
    struct App(Arc<RwLock<Verifier>>);

    impl FromRef<App> for Verifier {
        fn from_ref(app: &App) -> Self {
            app.0.read().unwrap().clone()
        }
    }

    let [old, new] = [1, 2].map(|byte| key_of(byte).with_key_id(format!("key {byte}")).unwrap());
    let bearer = |key: &HmacKey| format!("Bearer {}", claims(&[]).sign(key).unwrap());
    let [old_bearer, new_bearer] = [&old, &new].map(bearer);
    let state = App(Arc::new(RwLock::new(policy(old).build().unwrap())));
    let app = Router::new().route("/", route(hello)).with_state(state.clone());
    get(&app, &[("authorization", &old_bearer)]).assert(200, "Hello, Ann.");
    get(&app, &[("authorization", &new_bearer)]).assert(401, "unknown_key");

    *state.0.write().unwrap() = policy(new).build().unwrap();
    get(&app, &[("authorization", &old_bearer)]).assert(401, "unknown_key");
    get(&app, &[("authorization", &new_bearer)]).assert(200, "Hello, Ann.");
}

/// Keys that can be out of reach.
#[derive(Default)]
struct Remote {
    down: AtomicBool,
}

impl KeySource for Remote {
    fn find(&self, _: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        if self.down.load(Ordering::Relaxed) { Err(VerifyError::KeysUnavailable) } else { Ok(key().into()) }
    }

    fn generation(&self) -> Option<u64> {
        Some(u64::from(self.down.load(Ordering::Relaxed)))
    }
}

fn remote() -> (Arc<Remote>, Verifier) {
    let keys = Arc::<Remote>::default();
    let verifier = Verifier::builder(keys.clone());
    (keys, verifier.issuer(ISSUER).audience(AUDIENCE).build().unwrap())
}

#[test]
fn s271_unavailable_keys_are_503_without_challenge_and_with_retry_after() {
    let (keys, verifier) = remote();
    let app = app(verifier);
    get(&app, &[("authorization", &bearer())]).assert(200, "Hello, Ann.");
    keys.down.store(true, Ordering::Relaxed);
    let answer = get(&app, &[("authorization", &bearer())]);
    answer.assert(503, "keys_unavailable");
    assert_eq!((answer.challenge(), answer.all("retry-after")), (None, vec!["5"]));
    // Without a token, the keys do not matter.
    let answer = get(&app, &[]);
    answer.assert(401, "missing_credentials");
    assert_eq!(answer.all("retry-after"), [""; 0]);
    keys.down.store(false, Ordering::Relaxed);
    get(&app, &[("authorization", &bearer())]).assert(200, "Hello, Ann.");
}

#[test]
fn s271_retry_after_is_whole_seconds_rounded_up_and_at_least_one() {
    for (wait, header) in [(0, "1"), (1, "1"), (999, "1"), (1000, "1"), (1001, "2"), (90_000, "90")] {
        let refused =
            Refused::from(VerifyError::KeysUnavailable).with_retry_after(Duration::from_millis(wait));
        let response: http::Response<String> = refused.into();
        assert_eq!(response.headers()["retry-after"], header, "{wait} ms");
    }
    let response: http::Response<String> =
        Refused::from(VerifyError::InvalidSignature).with_retry_after(Duration::from_secs(9)).into();
    assert!(!response.headers().contains_key("retry-after"));
}

#[test]
fn a_verifier_can_say_when_to_try_again() {
    #[derive(Clone)]
    struct Down;

    impl Authenticate<()> for Down {
        type Token = ();

        async fn verify_token(&self, _: &str, _: &Parts) -> Result<(), Refused> {
            Err(VerifyError::KeysUnavailable.into())
        }

        fn complete(&self, refused: Refused) -> Refused {
            refused.with_retry_after(Duration::from_secs(30))
        }
    }

    async fn handler(_: Bearer<(), Guard<Arc<Down>>>) {}
    let app = Router::new().route("/", route(handler)).with_state(Guard::new(Arc::new(Down)));
    assert_eq!(get(&app, &[("authorization", &bearer())]).all("retry-after"), ["30"]);
}

#[cfg(feature = "cache")]
mod cached {
    use super::*;
    use core::sync::atomic::AtomicI64;
    use countersign::CachedVerifier;

    type Cached = Arc<CachedVerifier<Verifier, User>>;

    fn app(verifier: Verifier) -> Router {
        async fn hello(Bearer(token): Bearer<User, Cached>) -> String {
            format!("{:p}", Arc::as_ptr(&token))
        }
        let cached: Cached = Arc::new(CachedVerifier::new(verifier).unwrap());
        Router::new().route("/", route(hello)).with_state(cached)
    }

    #[test]
    fn a_handler_gets_the_token_that_is_kept() {
        let (app, bearer) = (app(verifier()), bearer());
        let [first, second] = [(); 2].map(|()| get(&app, &[("authorization", &bearer)]));
        assert_eq!((first.status, second.status), (200, 200));
        assert_eq!(first.body, second.body);
        get(&app, &[]).assert(401, "missing_credentials");
        get(&app, &[("authorization", &format!("{bearer}A"))]).assert(401, "invalid_signature");
    }

    #[test]
    fn keys_that_become_unavailable_end_a_kept_token_with_503() {
        let (keys, verifier) = remote();
        let (app, bearer) = (app(verifier), bearer());
        assert_eq!(get(&app, &[("authorization", &bearer)]).status, 200);
        keys.down.store(true, Ordering::Relaxed);
        let answer = get(&app, &[("authorization", &bearer)]);
        answer.assert(503, "keys_unavailable");
        assert_eq!(answer.all("retry-after"), ["5"]);
    }

    #[test]
    fn a_key_that_is_swapped_between_two_requests_ends_a_kept_token() {
        /// Keys, and how often they were swapped.
        struct Swapped(RwLock<(KeySet, u64)>);

        impl KeySource for Swapped {
            fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
                self.0.read().unwrap().0.find(header).map(KeyRef::into_owned)
            }

            fn generation(&self) -> Option<u64> {
                Some(self.0.read().unwrap().1)
            }
        }

        let [old, new] = [1, 2].map(|byte| key_of(byte).with_key_id(format!("key {byte}")).unwrap());
        let set = |key: &HmacKey| {
            let mut set = KeySet::new();
            set.insert(key.clone()).unwrap();
            set
        };
        let bearer = |key: &HmacKey| format!("Bearer {}", claims(&[]).sign(key).unwrap());
        let keys = Arc::new(Swapped(RwLock::new((set(&old), 0))));
        let verifier = Verifier::builder(keys.clone()).issuer(ISSUER).audience(AUDIENCE);
        let app = app(verifier.build().unwrap());
        let (old_bearer, new_bearer) = (bearer(&old), bearer(&new));
        for _ in 0..2 {
            assert_eq!(get(&app, &[("authorization", &old_bearer)]).status, 200);
        }
        *keys.0.write().unwrap() = (set(&new), 1);
        get(&app, &[("authorization", &old_bearer)]).assert(401, "unknown_key");
        assert_eq!(get(&app, &[("authorization", &new_bearer)]).status, 200);
    }

    #[test]
    fn a_token_that_expires_while_it_is_kept_is_refused() {
        /// A cache with a clock that the test sets.
        struct Clocked(CachedVerifier<Verifier, User>, AtomicI64);

        impl Authenticate<User> for Clocked {
            type Token = Arc<Token<User>>;

            async fn verify_token(&self, text: &str, _: &Parts) -> Result<Self::Token, Refused> {
                Ok(self.0.verify_at(text, UnixTime::from_secs(self.1.load(Ordering::Relaxed)))?)
            }
        }

        async fn hello(Bearer(token): Bearer<User, Arc<Clocked>>) -> String {
            token.claims().name.clone()
        }
        let text = claims(&[]).expires_at(UnixTime::from_secs(1_700_000_000)).sign(&key()).unwrap();
        let headers = [("authorization", &*format!("Bearer {text}"))];
        let state =
            Arc::new(Clocked(CachedVerifier::new(verifier()).unwrap(), AtomicI64::new(1_700_000_029)));
        let app = Router::new().route("/", route(hello)).with_state(state.clone());
        get(&app, &headers).assert(200, "Ann");
        assert_eq!(state.0.len(), 1);
        // The leeway of 30 seconds is over.
        state.1.store(1_700_000_030, Ordering::Relaxed);
        let answer = get(&app, &headers);
        answer.assert(401, "expired");
        assert!(answer.challenge().unwrap().contains("the token expired"));
    }

    #[test]
    fn a_bound_token_is_refused_also_if_it_is_kept() {
        let bound = Claims::new(serde_json::json!({"name":"Ann", "roles":[], "cnf":{"jkt":"x"}}));
        let bound = bound.issuer(ISSUER).audience(AUDIENCE).expires_in(Duration::from_secs(900));
        let header = format!("Bearer {}", bound.sign(&key()).unwrap());
        let app = app(verifier());
        for _ in 0..2 {
            get(&app, &[("authorization", &header)]).assert(401, "bound_token");
        }
    }
}

#[test]
fn s251_a_token_that_is_bound_to_a_key_is_refused_as_a_bearer_token() {
    let sign = |cnf: &str| {
        let payload = format!(
            r#"{{"iss":"{ISSUER}","aud":"{AUDIENCE}","exp":9999999999,"name":"Ann","roles":[]{cnf}}}"#
        );
        let text = countersign::jws::Payload::new(&payload).typ("JWT").sign(&key()).unwrap();
        format!("Bearer {text}")
    };
    for bound in [
        r#","cnf":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
        r#","cnf":{"x5t#S256":"bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}"#,
        r#","cnf":{}"#,
        r#","cnf":null"#,
        r#","c\u006ef":{"jkt":"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}"#,
    ] {
        let answer = get(&plain(), &[("authorization", &sign(bound))]);
        answer.assert(401, "bound_token");
        assert!(answer.challenge().unwrap().starts_with(r#"Bearer error="invalid_token""#), "{bound}");
    }
    // The name below another claim, in a text, and another escape.
    for free in [r#","x":{"cnf":1}"#, r#","x":"\"cnf\"""#, r#","x":"\u0063nf""#, ""] {
        get(&plain(), &[("authorization", &sign(free))]).assert(200, "Hello, Ann.");
    }
}

// ---- cookies ----

#[test]
fn a_token_in_the_cookie_is_taken_from_an_allowed_origin_only() {
    let cookie = format!("theme=dark; __Host-access={}", token());
    let app = cookie_app();
    let ask = |headers: &[(&str, &str)]| get(&app, &[&[("cookie", &*cookie)], headers].concat());
    ask(&[("origin", "https://app.example"), ("sec-fetch-site", "same-site")]).assert(200, "Ann");
    ask(&[("sec-fetch-site", "same-origin")]).assert(200, "Ann");
    for (headers, code) in [
        (&[("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")][..], "foreign_origin"),
        (&[("origin", "null")], "foreign_origin"),
        (&[("sec-fetch-site", "cross-site")], "cross_site"),
        (&[("origin", "https://app.example"), ("origin", "https://app.example")], "several_origins"),
        (&[], "no_origin"),
    ] {
        let answer = ask(headers);
        answer.assert(403, code);
        assert_eq!(answer.challenge(), None);
    }
}

#[test]
fn a_request_without_the_cookie_needs_the_header_and_no_origin() {
    let app = cookie_app();
    get(&app, &[("authorization", &bearer()), ("cookie", "theme=dark")]).assert(200, "Ann");
    get(&app, &[("cookie", "theme=dark")]).assert(401, "missing_credentials");
    // This server has no cookie.
    let cookie = format!("__Host-access={}", token());
    let headers = [("cookie", &*cookie), ("origin", "https://app.example")];
    get(&plain(), &headers).assert(401, "missing_credentials");
}

#[test]
fn a_header_and_a_cookie_are_refused_whatever_they_contain() {
    let (app, token) = (cookie_app(), token());
    let other = claims(&[]).subject("bob").sign(&key()).unwrap();
    for (header, cookie) in [
        (format!("Bearer {token}"), &token),
        (format!("Bearer {other}"), &token),
        ("Bearer x".into(), &token),
        ("Basic YTpi".into(), &token),
        (format!("Bearer {token}"), &"x".into()),
    ] {
        let cookie = format!("__Host-access={cookie}");
        for origin in ["https://app.example", "https://evil.example"] {
            let headers = [("authorization", &*header), ("cookie", &cookie), ("origin", origin)];
            let answer = get(&app, &headers);
            answer.assert(400, "several_credentials");
            assert_eq!(answer.challenge(), Some(r#"Bearer error="invalid_request""#));
        }
    }
}

#[test]
fn a_doubled_or_malformed_cookie_is_refused() {
    let (app, token) = (cookie_app(), token());
    let doubled = format!("__Host-access={token}; __Host-access={token}");
    for (cookie, code) in [
        (&*doubled, "doubled_cookie"),
        ("__Host-access=", "malformed_cookie"),
        ("__Host-access=\"a\"", "malformed_cookie"),
    ] {
        let answer = get(&app, &[("cookie", cookie), ("origin", "https://app.example")]);
        answer.assert(400, code);
        // The header does not help: one of the two programs in front of it may read the cookie.
        let headers = [("cookie", cookie), ("authorization", &*bearer())];
        get(&app, &headers).assert(400, code);
    }
}

// ---- rules ----

#[test]
fn s270_a_valid_token_without_the_scope_is_403_and_the_challenge_names_what_is_needed() {
    let app = guarded(Guard::new(verifier()));
    let ask = |authorization: &str| {
        send(&app, with(Request::get("/settings"), &[("authorization", authorization)]))
    };
    let of = |roles: &[&str]| format!("Bearer {}", claims(roles).sign(&key()).unwrap());
    ask(&of(&["reader", "admin"])).assert(200, "The settings, for ann.");
    let answer = ask(&of(&["reader", "administrator"]));
    answer.assert(403, "insufficient_scope");
    assert_eq!(answer.challenge(), Some(r#"Bearer error="insufficient_scope", scope="admin audit:read""#));
    // Every other request gets 401 or 400: the rule is asked about valid tokens only.
    let forged = claims(&["admin"]).sign(&key_of(8)).unwrap();
    ask(&format!("Bearer {forged}")).assert(401, "invalid_signature");
    ask(&format!("Bearer {}", expired())).assert(401, "expired");
    ask("Basic YTpi").assert(401, "other_scheme");
    ask("Bearer").assert(400, "malformed_credentials");
}

// ---- the answers ----

fn other_claims(issuer: &str, audience: &str) -> Claims<User> {
    Claims::new(util::user(&[])).issuer(issuer).audience(audience).expires_in(Duration::from_secs(900))
}

#[test]
fn s265_s266_each_401_has_one_challenge_that_names_each_parameter_once() {
    let realm = Realm::new("the API").unwrap();
    let app = guarded(Guard::new(verifier()).realm(realm));
    let forged = claims(&[]).sign(&key_of(8)).unwrap();
    let values = [None, Some("Basic YTpi".into()), Some("Bearer a.b".into())];
    let values = values.into_iter().chain([forged, expired()].map(|text| Some(format!("Bearer {text}"))));
    for value in values {
        let headers: Vec<_> = value.iter().map(|value| ("authorization", &**value)).collect();
        let answer = get(&app, &headers);
        assert_eq!(answer.status, 401, "{value:?}");
        let challenges = answer.all("www-authenticate");
        let [challenge] = challenges[..] else { panic!("{challenges:?}") };
        let parameters = challenge.strip_prefix("Bearer ").unwrap().split(", ");
        let mut names: Vec<_> = parameters.map(|parameter| parameter.split_once('=').unwrap().0).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count, "{challenge}");
        assert!(challenge.starts_with("Bearer realm=\"the API\""), "{challenge}");
    }
}

#[test]
fn s267_without_a_bearer_token_the_challenge_has_no_error() {
    assert_eq!(get(&plain(), &[]).challenge(), Some("Bearer"));
    for other in ["Basic YTpi", "DPoP a.b.c", "Digest username=\"a\""] {
        assert_eq!(get(&plain(), &[("authorization", other)]).challenge(), Some("Bearer"), "{other}");
    }
}

#[test]
fn s268_refused_tokens_have_one_status_and_one_error_and_an_unknown_scheme_counts_as_none() {
    let with_id = |id: &str| key().with_key_id(id).unwrap();
    let mut keys = KeySet::new();
    keys.insert(with_id("1")).unwrap();
    let app = app(Verifier::builder(keys).issuer(ISSUER).audience(AUDIENCE).build().unwrap());
    let sign = |claims: Claims<User>| claims.sign(&with_id("1")).unwrap();
    let forged = sign(claims(&[]));
    let forged = format!("{}AAA", &forged[..forged.len() - 3]);
    for (text, code) in [
        (sign(claims(&[]).expires_at(UnixTime::from_secs(1))), "expired"),
        (forged, "invalid_signature"),
        (sign(other_claims(ISSUER, "https://other.example")), "wrong_audience"),
        (sign(other_claims("https://other.example", AUDIENCE)), "wrong_issuer"),
        (claims(&[]).sign(&with_id("2")).unwrap(), "unknown_key"),
        (
            Claims::registered()
                .issuer(ISSUER)
                .audience(AUDIENCE)
                .expires_in(Duration::from_secs(9))
                .sign(&with_id("1"))
                .unwrap(),
            "missing_claim",
        ),
    ] {
        let answer = get(&app, &[("authorization", &format!("Bearer {text}"))]);
        answer.assert(401, code);
        assert!(answer.challenge().unwrap().starts_with(r#"Bearer error="invalid_token""#), "{code}");
    }
    get(&app, &[("authorization", "Basic YTpi")]).assert(401, "other_scheme");
}

#[test]
fn s269_a_realm_is_escaped_and_a_scope_has_no_quotes() {
    let realm = Realm::new("the \"small\" \\ API").unwrap();
    let app = guarded(Guard::new(verifier()).realm(realm));
    assert_eq!(get(&app, &[]).challenge(), Some(r#"Bearer realm="the \"small\" \\ API""#));
    let answer = send(&app, with(Request::get("/settings"), &[("authorization", &bearer())]));
    assert_eq!(
        answer.challenge(),
        Some(r#"Bearer realm="the \"small\" \\ API", error="insufficient_scope", scope="admin audit:read""#)
    );
}

#[test]
fn s272_a_token_in_the_query_or_a_form_is_not_read() {
    let uri = format!("/?access_token={}", token());
    send(&plain(), Request::get(&uri)).assert(401, "missing_credentials");
    let form = Request::post(&uri).header("content-type", "application/x-www-form-urlencoded");
    send(&cookie_app(), form).assert(401, "missing_credentials");
}

#[test]
fn the_answer_has_the_code_and_nothing_of_the_token() {
    let claims = other_claims(ISSUER, "https://other.example").subject("a secret name");
    let text = claims.sign(&key()).unwrap();
    let answer = get(&plain(), &[("authorization", &format!("Bearer {text}"))]);
    answer.assert(401, "wrong_audience");
    assert_eq!(answer.all("content-type"), ["text/plain; charset=utf-8"]);
    let refused = answer.extensions.get::<Refused>().unwrap();
    // The log gets the reason with its error.
    assert!(refused.to_string().starts_with("the request is refused: token is not meant for "), "{refused}");
    let source = core::error::Error::source(refused).unwrap();
    assert!(source.is::<countersign::http::RequestError>() || source.is::<VerifyError>());
    for told in [format!("{answer:?}"), format!("{refused:?}"), refused.to_string()] {
        for secret in [&*text, text.split('.').nth(1).unwrap(), "a secret name"] {
            assert!(!told.contains(secret), "{told}");
        }
    }
}
