//! Measures what a token costs a handler of axum: with countersign-tower, axum-jwt-auth and jwt-authorizer.
//!
//! All of them are driven in this process by `Service::call`, without a network. In each round, each has a window, in random
//! order. The overhead is the time of a handler that needs the token, less the time of the same handler without it in the same round.
//! The least overhead is that of an extractor that only verifies: it does not check the header and not whether the token is bound.

#[path = "../../../common/rounds.rs"]
mod rounds;

use axum::Router;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::routing::get;
use axum_jwt_auth::{Decoder, LocalDecoder};
use compare_common::claims::{AUDIENCE, EXPIRES_AT, Everything, ISSUED_AT, ISSUER, SUBJECT, Size, User};
use compare_common::keys::SECRET;
use countersign::{Claims, HmacKey, SecretBytes, Token, UnixTime, Verifier};
use countersign_tower::Bearer;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use jwt_authorizer::{IntoLayer, JwtAuthorizer, JwtClaims};
use rounds::{measure, median};
use std::error::Error;
use std::hint::black_box;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tower::Service;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

type Work = rounds::Work<&'static str>;

/// Rounds, unless the first argument says otherwise.
const ROUNDS: usize = 61;

fn main() -> Result<()> {
    let rounds = std::env::args().nth(1).map_or(Ok(ROUNDS), |text| text.parse())?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let mut works = runtime.block_on(works())?;
    let _context = runtime.enter();
    let windows = measure(&mut works, rounds, Duration::from_millis(2));
    print(&works, &windows);
    Ok(())
}

/// The places in the list of works.
const VERIFY: usize = 0;
const PLAIN: usize = 1;
const LEAST: usize = 2;
const TOWER: usize = 3;
const JWT_AUTH: usize = 4;
const PLAIN_07: usize = 5;
const AUTHORIZER: usize = 6;

async fn works() -> Result<Vec<Work>> {
    let key = HmacKey::hs256(&SecretBytes::from_bytes(SECRET))?;
    let text = Claims::new(User::of(Size::Typical))
        .issuer(ISSUER)
        .subject(SUBJECT)
        .audience(AUDIENCE)
        .issued_at(UnixTime::from_secs(i64::try_from(ISSUED_AT)?))
        .expires_at(UnixTime::from_secs(i64::try_from(EXPIRES_AT)?))
        .sign(&key)?;
    let verifier = Verifier::builder(key).issuer(ISSUER).audience(AUDIENCE).build()?;
    let header = format!("Bearer {text}");
    let alone = verifier.clone();
    Ok(vec![
        (
            "countersign: verify alone",
            Box::new(move || drop(black_box(alone.verify::<User>(&text).unwrap()))),
        ),
        ("axum 0.8, no token", call(Router::new().route("/", get(async || "ok")), &header)),
        ("countersign, verify only", call(least_router(verifier.clone()), &header)),
        ("countersign-tower", call(tower_router(verifier), &header)),
        ("axum-jwt-auth", call(jwt_auth_router()?, &header)),
        (
            "axum 0.7, no token",
            call_07(axum07::Router::new().route("/", axum07::routing::get(|| async { "ok" })), &header),
        ),
        ("jwt-authorizer", call_07(authorizer_router().await?, &header)),
    ])
}

/// The token of a request with a good header.
struct Least(Token<User>);

impl FromRequestParts<Verifier> for Least {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, verifier: &Verifier) -> Result<Self, StatusCode> {
        let value = parts.headers.get("authorization").ok_or(StatusCode::UNAUTHORIZED)?.as_bytes();
        let text = std::str::from_utf8(&value["Bearer ".len()..]).map_err(|_| StatusCode::UNAUTHORIZED)?;
        verifier.verify(text).map(Self).map_err(|_| StatusCode::UNAUTHORIZED)
    }
}

fn least_router(verifier: Verifier) -> Router {
    async fn handler(Least(token): Least) -> &'static str {
        black_box(token);
        "ok"
    }
    Router::new().route("/", get(handler)).with_state(verifier)
}

fn tower_router(verifier: Verifier) -> Router {
    async fn handler(Bearer(token): Bearer<User>) -> &'static str {
        black_box(token);
        "ok"
    }
    Router::new().route("/", get(handler)).with_state(verifier)
}

fn jwt_auth_router() -> Result<Router> {
    async fn handler(user: axum_jwt_auth::Claims<Everything>) -> &'static str {
        black_box(user.claims);
        "ok"
    }
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    let decoder = LocalDecoder::new(vec![DecodingKey::from_secret(&SECRET)], validation)?;
    let decoder: Decoder<Everything> = Arc::new(decoder);
    Ok(Router::new().route("/", get(handler)).with_state(decoder))
}

async fn authorizer_router() -> Result<axum07::Router> {
    async fn handler(JwtClaims(user): JwtClaims<Everything>) -> &'static str {
        black_box(user);
        "ok"
    }
    let validation = jwt_authorizer::Validation::new().iss(&[ISSUER]).aud(&[AUDIENCE]);
    let authorizer = JwtAuthorizer::<Everything>::from_secret(std::str::from_utf8(&SECRET)?);
    let authorizer = authorizer.validation(validation).build().await?;
    Ok(axum07::Router::new().route("/", axum07::routing::get(handler)).layer(authorizer.into_layer()))
}

/// Returns a call of the router, which must answer 200 without waiting.
fn call(mut router: Router, header: &str) -> Box<dyn FnMut()> {
    let header = axum::http::HeaderValue::from_str(header).unwrap();
    Box::new(move || {
        let request = axum::http::Request::get("/").header("authorization", header.clone());
        let response = now(Service::call(&mut router, request.body(Body::empty()).unwrap())).unwrap();
        assert_eq!(response.status(), 200);
    })
}

fn call_07(mut router: axum07::Router, header: &str) -> Box<dyn FnMut()> {
    let header = axum::http::HeaderValue::from_str(header).unwrap();
    Box::new(move || {
        let request = axum::http::Request::get("/").header("authorization", header.clone());
        let response =
            now(Service::call(&mut router, request.body(axum07::body::Body::empty()).unwrap())).unwrap();
        assert_eq!(response.status(), 200);
    })
}

fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a handler waits"),
    }
}

fn print(works: &[Work], windows: &[Vec<f64>]) {
    println!("{:<28} {:>10} {:>10}", "median of the rounds, ns", "handler", "overhead");
    let overhead = |place: usize, plain: usize| -> Vec<f64> {
        windows[place].iter().zip(&windows[plain]).map(|(with, without)| with - without).collect()
    };
    let overheads = [(LEAST, PLAIN), (TOWER, PLAIN), (JWT_AUTH, PLAIN), (AUTHORIZER, PLAIN_07)]
        .map(|(place, plain)| (place, overhead(place, plain)));
    for (place, (name, _)) in works.iter().enumerate() {
        let own = overheads.iter().find(|(of, _)| *of == place);
        let own = own.map_or(String::new(), |(_, overhead)| format!("{:.0}", median(overhead)));
        println!("{name:<28} {:>10.0} {own:>10}", median(&windows[place]));
    }
    let [(_, least), (_, tower), (_, jwt_auth), (_, authorizer)] = &overheads;
    println!();
    let ratio = |own: &[f64], other: &[f64]| -> f64 {
        median(&own.iter().zip(other).map(|(own, other)| own / other).collect::<Vec<_>>())
    };
    println!("{:<36} {:>6.2}", "least overhead / verify alone", ratio(least, &windows[VERIFY]));
    for (target, below, most) in [
        ("overhead / verify alone", &windows[VERIFY], 1.3),
        ("overhead / that of axum-jwt-auth", jwt_auth, 0.5),
        ("overhead / that of jwt-authorizer", authorizer, 0.5),
    ] {
        let ratio = ratio(tower, below);
        let met = if ratio <= most { "met" } else { "missed" };
        println!("{target:<36} {ratio:>6.2}, at most {most:.2}: {met}");
    }
}
