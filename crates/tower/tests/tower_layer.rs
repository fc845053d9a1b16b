//! The layer: which requests reach the service, and how it works with other services and layers.

mod util;

use axum::Router;
use axum::body::Body;
use axum::extract::Request as AxumRequest;
use axum::routing::{get as route, options};
use core::convert::Infallible;
use core::task::{Context, Poll};
use countersign::http::{AllowedOrigins, Cookie, Realm};
use countersign::{Token, Verifier};
use countersign_tower::{Authenticate, BearerLayer, Guard, Refused};
use http::request::Parts;
use http::{HeaderName, HeaderValue, Method, Request, Response};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_http::cors::CorsLayer;
use util::{bearer, claims, expired, get, key_of, run, send, token, verifier, with};

/// Says who asks, by the token in the extensions of the request.
async fn who(request: AxumRequest) -> String {
    match request.extensions().get::<Token<()>>() {
        Some(token) => format!("{} {}", request.method(), token.subject().unwrap()),
        None => format!("{} no user", request.method()),
    }
}

fn router() -> Router {
    Router::new().route("/", route(who).post(who).options(who))
}

fn guarded() -> Router {
    router().layer(BearerLayer::new(verifier()))
}

fn preflight(method: Method) -> http::request::Builder {
    let request = Request::builder().method(method).uri("/").header("origin", "https://app.example");
    request.header("access-control-request-method", "GET")
}

#[test]
fn a_request_with_a_good_token_reaches_the_service_with_the_token() {
    get(&guarded(), &[("authorization", &bearer())]).assert(200, "GET ann");
    send(&guarded(), with(Request::post("/"), &[("authorization", &bearer())])).assert(200, "POST ann");
}

#[test]
fn the_payload_of_the_token_has_the_claims() {
    async fn name(request: AxumRequest) -> String {
        let token = request.extensions().get::<Token<()>>().unwrap();
        serde_json::from_str::<util::User>(token.payload()).unwrap().name
    }
    let app = Router::new().route("/", route(name)).layer(BearerLayer::new(verifier()));
    get(&app, &[("authorization", &bearer())]).assert(200, "Ann");
}

#[test]
fn every_other_request_is_refused_before_the_service() {
    let forged = format!("Bearer {}", claims(&[]).sign(&key_of(8)).unwrap());
    let expired = format!("Bearer {}", expired());
    let good = bearer();
    for (headers, status, code) in [
        (&[][..], 401, "missing_credentials"),
        (&[("authorization", "Basic YTpi")], 401, "other_scheme"),
        (&[("authorization", "Bearer")], 400, "malformed_credentials"),
        (&[("authorization", &good), ("authorization", &good)], 400, "several_credentials"),
        (&[("authorization", &forged)], 401, "invalid_signature"),
        (&[("authorization", &expired)], 401, "expired"),
    ] {
        let answer = get(&guarded(), headers);
        answer.assert(status, code);
        assert!(answer.challenge().is_some());
        assert!(answer.extensions.get::<Refused>().is_some_and(|refused| refused.code() == code));
        // An unknown path is not told apart from a known one.
        let elsewhere = send(&guarded(), with(Request::get("/unknown"), headers));
        elsewhere.assert(status, code);
    }
}

#[test]
fn the_layer_takes_the_token_from_a_cookie_with_the_check_of_the_origin() {
    let origins = AllowedOrigins::new(["https://app.example"]).unwrap();
    let guard = Guard::new(verifier()).cookie(Cookie::host("access").unwrap(), origins);
    let app = router().layer(BearerLayer::new(guard.realm(Realm::new("api").unwrap())));
    let cookie = format!("__Host-access={}", token());
    get(&app, &[("cookie", &cookie), ("origin", "https://app.example")]).assert(200, "GET ann");
    get(&app, &[("cookie", &cookie), ("origin", "https://evil.example")]).assert(403, "foreign_origin");
    let answer = get(&app, &[("cookie", &cookie), ("authorization", &bearer())]);
    answer.assert(400, "several_credentials");
    assert_eq!(answer.challenge(), Some(r#"Bearer realm="api", error="invalid_request""#));
}

#[test]
fn a_websocket_of_a_foreign_page_is_refused() {
    let origins = AllowedOrigins::new(["https://app.example"]).unwrap();
    let guard = Guard::new(verifier()).cookie(Cookie::host("access").unwrap(), origins);
    let app = router().layer(BearerLayer::new(guard));
    let cookie = format!("__Host-access={}", token());
    let upgrade = [("cookie", &*cookie), ("connection", "upgrade"), ("upgrade", "websocket")];
    let ask = |origin: &str| get(&app, &[&upgrade[..], &[("origin", origin)]].concat());
    ask("https://app.example").assert(200, "GET ann");
    ask("https://evil.example").assert(403, "foreign_origin");
    get(&app, &upgrade[1..]).assert(401, "missing_credentials");
}

// ---- CORS ----

#[test]
fn s273_a_preflight_needs_a_token_unless_the_layer_allows_it() {
    send(&guarded(), preflight(Method::OPTIONS)).assert(401, "missing_credentials");

    let app = router().layer(BearerLayer::new(verifier()).allow_preflight());
    send(&app, preflight(Method::OPTIONS)).assert(200, "OPTIONS no user");
    // A token with it is not verified, so it is not in the extensions.
    let forged = format!("Bearer {}", claims(&[]).sign(&key_of(8)).unwrap());
    send(&app, preflight(Method::OPTIONS).header("authorization", forged)).assert(200, "OPTIONS no user");
    // Every other OPTIONS, and the same headers with another method, need a token.
    for request in [
        Request::options("/"),
        Request::options("/").header("origin", "https://app.example"),
        Request::options("/").header("access-control-request-method", "GET"),
        preflight(Method::GET),
        preflight(Method::POST),
    ] {
        send(&app, request).assert(401, "missing_credentials");
    }
    send(&app, Request::options("/").header("authorization", bearer())).assert(200, "OPTIONS ann");
}

#[test]
fn s274_with_the_layer_for_cors_around_this_one_pages_can_read_the_challenge() {
    let cors = CorsLayer::new()
        .allow_origin([HeaderValue::from_static("https://app.example")])
        .allow_methods([Method::GET])
        .allow_headers([http::header::AUTHORIZATION])
        .expose_headers([http::header::WWW_AUTHENTICATE, HeaderName::from_static("dpop-nonce")]);
    // The last layer is the outermost one.
    let app = Router::new().route("/", options(who)).layer(BearerLayer::new(verifier())).layer(cors);
    let answer = send(&app, preflight(Method::OPTIONS));
    answer.assert(200, "");
    assert_eq!(answer.all("access-control-allow-headers"), ["authorization"]);
    let answer = get(&app, &[("origin", "https://app.example")]);
    answer.assert(401, "missing_credentials");
    assert_eq!(answer.all("access-control-allow-origin"), ["https://app.example"]);
    assert_eq!(answer.all("access-control-expose-headers"), ["www-authenticate,dpop-nonce"]);
}

// ---- other services ----

#[test]
fn a_service_with_other_bodies_answers_in_its_own_format() {
    type Bytes = Vec<u8>;

    fn in_bytes(refused: Refused) -> Response<Bytes> {
        Response::<&str>::from(refused).map(|code| [b"code: ", code.as_bytes()].concat())
    }
    let service = service_fn(|request: Request<&'static str>| async move {
        Ok::<_, Infallible>(Response::new(request.into_body().as_bytes().to_vec()))
    });
    let guarded = BearerLayer::with_response(verifier(), in_bytes).layer(service);
    let ask = |request: http::request::Builder| {
        run(guarded.clone().oneshot(request.body("the body").unwrap())).unwrap()
    };
    assert_eq!(ask(Request::get("/").header("authorization", bearer())).body(), b"the body");
    let response = ask(Request::get("/"));
    assert_eq!((response.status().as_u16(), &**response.body()), (401, &b"code: missing_credentials"[..]));
    assert_eq!(response.headers()["www-authenticate"], "Bearer");
}

#[test]
fn the_service_that_was_made_ready_gets_the_request() {
    /// Fails if it is called without having been ready. A clone is not ready.
    struct Reserved(bool);

    impl Clone for Reserved {
        fn clone(&self) -> Self {
            Self(false)
        }
    }

    impl Service<Request<Body>> for Reserved {
        type Response = Response<Body>;
        type Error = &'static str;
        type Future = core::future::Ready<Result<Response<Body>, &'static str>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            self.0 = true;
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<Body>) -> Self::Future {
            let ready = core::mem::take(&mut self.0);
            core::future::ready(if ready { Ok(Response::default()) } else { Err("not ready") })
        }
    }

    let mut service = BearerLayer::new(verifier()).layer(Reserved(false));
    for _ in 0..2 {
        let request = Request::get("/").header("authorization", bearer()).body(Body::empty()).unwrap();
        let response = run(async { service.ready().await.unwrap().call(request).await });
        assert_eq!(response.map(|response| response.status().as_u16()), Ok(200));
    }
    // An error of the service is passed on.
    let request = Request::get("/").header("authorization", bearer()).body(Body::empty()).unwrap();
    assert_eq!(run(service.clone().call(request)).unwrap_err(), "not ready");
}

#[test]
fn a_request_that_waits_for_the_verifier_ends_when_it_answers() {
    /// Waits for the scheduler before it verifies.
    #[derive(Clone)]
    struct Slow(Verifier);

    impl Authenticate<()> for Slow {
        type Token = Token<()>;

        async fn verify_token(&self, text: &str, request: &Parts) -> Result<Token<()>, Refused> {
            tokio::task::yield_now().await;
            self.0.verify_token(text, request).await
        }
    }
    let app = router().layer(BearerLayer::new(Slow(verifier())));
    get(&app, &[("authorization", &bearer())]).assert(200, "GET ann");
    get(&app, &[("authorization", "Bearer a.b")]).assert(401, "not_a_token");
}
