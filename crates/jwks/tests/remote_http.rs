//! Key sets and metadata over HTTP, from a server on this machine with faults. The numbers are those of the list of requirements.
#![cfg(feature = "rustls")]

#[path = "util/server.rs"]
mod server;
mod util;

use core::sync::atomic::{AtomicUsize, Ordering};
use countersign::{Algorithm, VerifyError};
use countersign_jwks::{Error, RemoteKeys, RemoteKeysBuilder, ReqwestFetch};
use server::{Reply, Seen, Server};
use std::sync::Arc;
use util::{ALLOWED, AUDIENCE, Time, key, paused, seconds, set, token, token_of, verifier};

fn live<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test)
}

fn keys_of(server: &Server) -> RemoteKeysBuilder {
    RemoteKeys::builder(&format!("{}/keys", server.origin), &ALLOWED)
}

/// Returns the error of a start with this reply.
async fn refusal(reply: impl Fn(&Seen) -> Reply + Send + 'static) -> Error {
    let server = Server::start(reply).await;
    keys_of(&server).start().await.unwrap_err()
}

/// A server with metadata for its issuer, which is its origin and this path.
async fn provider(path: &'static str, at: &'static str, keys: String) -> (Server, String) {
    let server = Server::start(|_| Reply::new(404, "")).await;
    let (origin, issuer) = (server.origin.clone(), format!("{}{path}", server.origin));
    let metadata = format!(
        r#"{{"unknown":[1],"issuer":"{issuer}","jwks_uri":"{origin}/keys","id_token_signing_alg_values_supported":["none","ES256"]}}"#
    );
    server.answers(move |seen| match &*seen.target {
        target if target == at => Reply::json(metadata.clone()),
        "/keys" => Reply::json(keys.clone()),
        _ => Reply::new(404, "not here"),
    });
    (server, issuer)
}

// ---- metadata ----

#[test]
fn s189_the_openid_url_follows_the_issuer_without_its_last_slash() {
    live(async {
        for (path, at) in [
            ("", "/.well-known/openid-configuration"),
            ("/", "/.well-known/openid-configuration"),
            ("/realms/one", "/realms/one/.well-known/openid-configuration"),
            ("/realms/one/", "/realms/one/.well-known/openid-configuration"),
        ] {
            let one = key("one");
            let (server, issuer) = provider(path, at, set(&[&one])).await;
            let keys = RemoteKeys::discover(&issuer, &ALLOWED).await.unwrap();
            assert_eq!(server.targets(), [at, "/keys"], "{path}");
            assert_eq!(keys.status().keys, 1);
        }
    });
}

#[test]
fn s190_the_oauth_url_is_between_the_host_and_the_path_of_the_issuer() {
    live(async {
        for (path, at) in [
            ("", "/.well-known/oauth-authorization-server"),
            ("/", "/.well-known/oauth-authorization-server"),
            ("/tenant/one", "/.well-known/oauth-authorization-server/tenant/one"),
            ("/tenant/one/", "/.well-known/oauth-authorization-server/tenant/one"),
        ] {
            let (server, issuer) = provider(path, at, set(&[&key("one")])).await;
            RemoteKeys::discover(&issuer, &ALLOWED).await.unwrap();
            assert_eq!(server.targets()[1..], [at, "/keys"], "{path}");
        }
    });
}

#[test]
fn s191_an_issuer_is_an_https_url_without_query_and_fragment_or_on_this_machine() {
    paused(async {
        let problem = |issuer: &str| match RemoteKeys::builder_of_issuer(issuer, &ALLOWED).spawn() {
            Ok(_) => "",
            Err(Error::Address { problem, .. }) => problem,
            Err(error) => panic!("{error}"),
        };
        for fine in [
            "https://idp.example",
            "https://idp.example/a/",
            "http://localhost:8080/a",
            "http://127.0.0.1",
            "http://[::1]:80",
        ] {
            assert_eq!(problem(fine), "", "{fine}");
        }
        for (issuer, expected) in [
            ("http://idp.example", "must begin with https"),
            ("http://127.0.0.1.example", "must begin with https"),
            ("http://localhost.example", "must begin with https"),
            ("http://10.0.0.1", "must begin with https"),
            ("ftp://localhost", "must begin with https"),
            ("file:///keys", "must begin with https"),
            ("data:,", "must begin with https"),
            ("idp.example", "is not a URL"),
            ("", "is not a URL"),
            ("https://idp.example?tenant=1", "must not have a query"),
            ("https://idp.example/#a", "must not have a fragment"),
            ("https://ann:secret@idp.example", "must not hold a user name or a password"),
        ] {
            assert!(problem(issuer).contains(expected), "{issuer}: {}", problem(issuer));
        }
        let error = RemoteKeys::builder("https://ann:secret@idp.example", &ALLOWED).spawn().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"));
    });
}

#[test]
fn s192_the_issuer_of_the_metadata_is_compared_byte_for_byte() {
    live(async {
        let server = Server::start(|_| Reply::new(404, "")).await;
        let origin = server.origin.clone();
        let port = origin.rsplit_once(':').unwrap().1.to_owned();
        for issuer in [
            format!("{origin}/"),
            origin.replace("http:", "HTTP:"),
            origin.replace("http:", "https:"),
            format!("http://localhost:{port}"),
            format!("{origin}/a"),
            "x".repeat(10_000),
        ] {
            let metadata = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{origin}/keys"}}"#);
            server.answers(move |_| Reply::json(metadata.clone()));
            let error = RemoteKeys::discover(&origin, &ALLOWED).await.unwrap_err();
            let found = issuer.chars().take(200).collect();
            assert_eq!(error, Error::IssuerMismatch { configured: origin.clone(), found });
        }
        assert!(server.targets().iter().all(|target| target != "/keys"));

        // The tokens of this provider have the issuer that was configured.
        let one = key("one");
        let (_server, issuer) = provider("/a/", "/a/.well-known/openid-configuration", set(&[&one])).await;
        let keys = RemoteKeys::discover(&issuer, &ALLOWED).await.unwrap();
        let verifier =
            countersign_jwks::RemoteVerifier::new(keys, |policy| policy.issuer(&*issuer).audience(AUDIENCE))
                .unwrap();
        let fresh = |issuer: &str| {
            countersign::Claims::registered()
                .issuer(issuer)
                .audience(AUDIENCE)
                .expires_in(seconds(60))
                .sign(&one)
        };
        verifier.verify::<()>(&fresh(&issuer).unwrap()).await.unwrap();
        let error = verifier.verify::<()>(&fresh(issuer.trim_end_matches('/')).unwrap()).await.unwrap_err();
        assert!(matches!(error, VerifyError::WrongIssuer { .. }));
    });
}

#[test]
fn s193_a_missing_or_insecure_jwks_uri_is_named() {
    live(async {
        let server = Server::start(|_| Reply::new(404, "")).await;
        let origin = server.origin.clone();
        for (member, expected) in [
            ("", "has no jwks_uri"),
            (r#","jwks_uri":null"#, "has no jwks_uri"),
            (r#","jwks_uri":7"#, "issuer or jwks_uri is not one string"),
            (r#","jwks_uri":"https://a.example","jwks_uri":"https://b.example""#, "is not one string"),
            (r#","jwks_uri":"http://idp.example/keys""#, "\"http://idp.example/keys\" must begin with https"),
            (r#","jwks_uri":"/keys""#, "is not a URL"),
        ] {
            let metadata = format!(r#"{{"issuer":"{origin}"{member}}}"#);
            server.answers(move |_| Reply::json(metadata.clone()));
            let error = RemoteKeys::discover(&origin, &ALLOWED).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    });
}

#[test]
fn s194_metadata_is_a_json_object_with_the_status_200() {
    live(async {
        let server = Server::start(|_| Reply::new(404, "")).await;
        let origin = server.origin.clone();
        let good = format!(r#"{{"issuer":"{origin}","jwks_uri":"{origin}/keys"}}"#);
        for (status, body, expected) in [
            (500, good.clone(), "the status 500"),
            (201, good.clone(), "the status 201"),
            (404, good.clone(), "the status 404"),
            (200, "<html>".into(), "HTML"),
            (200, "null".into(), "not a JSON object"),
            (200, format!(r#"["{origin}","{origin}/keys"]"#), "not a JSON object"),
            (200, format!("{good}x"), "not JSON"),
            (200, String::new(), "not a JSON object"),
            (200, "{}".into(), "has no issuer"),
        ] {
            server.answers(move |_| Reply::new(status, body.clone()));
            let error = RemoteKeys::discover(&origin, &ALLOWED).await.unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    });
}

#[test]
fn s195_metadata_never_widens_the_allowed_algorithms() {
    live(async {
        let other = countersign::PrivateKey::generate(Algorithm::Es256).unwrap().es256().unwrap();
        // The metadata of this provider names ES256.
        let (_server, issuer) = provider("", "/.well-known/openid-configuration", set(&[&other])).await;
        let error = RemoteKeys::discover(&issuer, &ALLOWED).await.unwrap_err();
        assert_eq!(error, Error::NoUsableKey { entries: 1 });
    });
}

#[test]
fn after_a_failure_the_metadata_is_read_again_because_the_set_may_have_moved() {
    live(async {
        let one = key("one");
        let (server, issuer) = provider("", "/.well-known/openid-configuration", set(&[&one])).await;
        let time = Time::new();
        let clock = time.clone();
        let keys = RemoteKeys::builder_of_issuer(&issuer, &ALLOWED)
            .clock(move || clock.now())
            .start()
            .await
            .unwrap();
        let other = Server::start({
            let body = set(&[&one]);
            move |_| Reply::json(body.clone())
        })
        .await;
        let metadata = format!(r#"{{"issuer":"{issuer}","jwks_uri":"{}/moved"}}"#, other.origin);
        server.answers(move |seen| match &*seen.target {
            "/keys" => Reply::new(410, ""),
            _ => Reply::json(metadata.clone()),
        });
        for _ in 0..2 {
            time.jump(30);
            let _ = verifier(&keys).verify::<()>(&token(&key("unknown"))).await.unwrap_err();
        }
        assert_eq!(other.targets(), ["/moved"]);
        assert_eq!(keys.status().last_error, None);
    });
}

// ---- requests and responses ----

#[test]
fn s196_keys_are_asked_for_as_a_jwk_set_and_read_whatever_their_content_type() {
    live(async {
        let body = set(&[&key("one")]);
        let server =
            Server::start(move |_| Reply::new(200, body.clone()).with("content-type", "text/html")).await;
        keys_of(&server).start().await.unwrap();
        let seen = &server.seen()[0];
        assert_eq!(seen.header("accept"), Some("application/jwk-set+json, application/json"));
        let error = refusal(|_| Reply::json("<!doctype html><title>Log in</title>")).await;
        assert!(error.to_string().contains("this is HTML or XML and not JSON"), "{error}");
    });
}

#[test]
fn s202_the_etag_is_sent_back_over_http_and_a_304_keeps_the_keys() {
    live(async {
        let one = key("one");
        let body = set(&[&one]);
        let server = Server::start(move |seen| match seen.header("if-none-match") {
            Some("\"v1\"") => Reply::new(304, ""),
            _ => Reply::json(body.clone()).with("etag", "\"v1\""),
        })
        .await;
        let time = Time::new();
        let clock = time.clone();
        let keys = keys_of(&server).clock(move || clock.now()).start().await.unwrap();
        time.jump(30);
        let error = verifier(&keys).verify::<()>(&token(&key("unknown"))).await.unwrap_err();
        assert_eq!(error, VerifyError::UnknownKey);
        assert_eq!(server.seen().len(), 2);
        let status = keys.status();
        assert_eq!((status.fetches, status.failures, status.keys), (2, 0, 1));
        verifier(&keys).verify::<()>(&token(&one)).await.unwrap();
    });
}

#[test]
fn s212_a_request_holds_nothing_of_a_token() {
    live(async {
        let body = set(&[&key("one")]);
        let server = Server::start(move |_| Reply::json(body.clone())).await;
        let time = Time::new();
        let clock = time.clone();
        let keys = keys_of(&server).clock(move || clock.now()).start().await.unwrap();
        time.jump(30);
        let text = token_of("https://other.example", &key("secret-kid"));
        let _ = verifier(&keys).verify::<()>(&text).await.unwrap_err();
        let seen = server.seen();
        assert_eq!(seen.len(), 2);
        assert_eq!(seen[0].target, seen[1].target);
        let told = format!("{seen:?}");
        for part in text.split('.').chain([
            "secret-kid",
            "other.example",
            "ann",
            "authorization",
            "cookie",
            "referer",
        ]) {
            assert!(!told.contains(part), "{part}");
        }
    });
}

#[test]
fn s212_a_redirect_is_followed_to_the_same_origin_only() {
    live(async {
        let body = set(&[&key("one")]);
        let elsewhere = Server::start({
            let body = body.clone();
            move |_| Reply::json(body.clone())
        })
        .await;
        let server = Server::start(move |seen| match &*seen.target {
            "/moved" => Reply::json(body.clone()),
            _ => Reply::new(302, "").with("location", "/moved"),
        })
        .await;
        keys_of(&server).start().await.unwrap();

        let target = format!("{}/keys", elsewhere.origin);
        let error = refusal(move |_| Reply::new(307, "").with("location", target.clone())).await;
        assert!(error.to_string().contains("a redirect to another origin is not followed"), "{error}");
        assert!(elsewhere.seen().is_empty());
        let error = refusal(|_| Reply::new(302, "").with("location", "/keys")).await;
        assert!(error.to_string().contains("too many redirects"), "{error}");

        // A client of the caller that follows redirects: the response is refused, though it has gone there.
        let target = format!("{}/keys", elsewhere.origin);
        let server = Server::start(move |_| Reply::new(307, "").with("location", target.clone())).await;
        let client = ReqwestFetch::with_client(reqwest::Client::new());
        let error = keys_of(&server).fetch_with(client).start().await.unwrap_err();
        assert!(error.to_string().contains("from another origin"), "{error}");
    });
}

#[test]
fn s212_a_huge_response_is_not_read_to_its_end() {
    live(async {
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = sent.clone();
        let error = refusal(move |_| Reply::json("").endless(&counted)).await;
        assert_eq!(error, Error::TooLarge { limit: 1024 * 1024 });
        let sent = sent.load(Ordering::Relaxed);
        // What the sockets hold comes on top.
        assert!(sent < 16 * 1024 * 1024, "{sent}");

        let server = Server::start(|_| Reply::json(" ".repeat(1001))).await;
        let error = keys_of(&server).most_bytes(1000).start().await.unwrap_err();
        assert_eq!(error, Error::TooLarge { limit: 1000 });
        let error = refusal(|_| Reply::json(" ".repeat(10_000_000))).await;
        assert_eq!(error, Error::TooLarge { limit: 1024 * 1024 });
    });
}

#[test]
fn s212_a_response_that_stalls_ends_with_the_time_limit() {
    // The clock of the test moves on when all tasks wait, so this takes no time.
    paused(async {
        let error = refusal(|_| Reply::json("").stalled()).await;
        assert_eq!(error, Error::TimedOut { seconds: 10 });
    });
}

#[test]
fn statuses_other_than_200_are_errors_and_a_closed_port_too() {
    live(async {
        for status in [204, 400, 404, 500, 503] {
            assert_eq!(refusal(move |_| Reply::new(status, "")).await, Error::Status { status });
        }
        // Nothing listens on a port that was just closed.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let keys = RemoteKeys::builder(&format!("http://127.0.0.1:{port}/keys"), &ALLOWED);
        assert_eq!(keys.start().await.unwrap_err().code(), "request");
    });
}
