//! Requests that no honest client sends: each gets a 4xx with a stable code, and changes nothing.

use crate::client::{Browser, ORIGIN, PASSWORD, Request};
use crate::server::{Folder, Server};
use crate::store::TestStore;
use auth_server::config::Config;
use auth_server::database::Database;
use auth_server::users::{Name, Role, User};
use serde_json::json;

const INJECTIONS: [&str; 6] = [
    "' OR '1'='1",
    "'; DROP TABLE users; --",
    "\" OR \"\"=\"",
    "ann'--",
    "1; UPDATE users SET role='admin'",
    "ann\u{0}",
];

fn post(path: &str) -> Request {
    Request::new("POST", path).header("Origin", ORIGIN)
}

#[test]
fn unexpected_bodies_are_refused_by_name() {
    let server = Server::start();
    let json = "application/json";
    let good = json!({ "name": "ann", "password": PASSWORD }).to_string();
    for path in ["/register", "/login"] {
        for (content_type, body, status, code) in [
            (None, good.as_str(), 415, "json_expected"),
            (Some("text/plain"), &good, 415, "json_expected"),
            (Some("application/x-www-form-urlencoded"), "name=ann&password=x", 415, "json_expected"),
            (Some("multipart/form-data; boundary=x"), "--x--", 415, "json_expected"),
            (Some("application/json, text/plain"), &good, 415, "json_expected"),
            (Some(json), "", 400, "invalid_body"),
            (Some(json), "{", 400, "invalid_body"),
            (Some(json), "null", 400, "invalid_body"),
            (Some(json), "[]", 400, "invalid_body"),
            (Some(json), "{}", 400, "invalid_body"),
            (Some(json), r#"{"name":"ann"}"#, 400, "invalid_body"),
            (Some(json), r#"{"name":1,"password":2}"#, 400, "invalid_body"),
            (Some(json), r#"{"name":"ann","password":null}"#, 400, "invalid_body"),
            (Some(json), r#"{"name":"ann","name":"bob","password":"x"}"#, 400, "invalid_body"),
            (Some(json), r#"{"name":"ann","password":"x","role":"admin"}"#, 400, "invalid_body"),
            (Some(json), r#"{"name":"ann","password":"x"} "#.repeat(2).as_str(), 400, "invalid_body"),
            (Some(json), r#"{"name":"\ud800","password":"x"}"#, 400, "invalid_body"),
        ] {
            let mut request = post(path).body(body);
            if let Some(content_type) = content_type {
                request = request.header("Content-Type", content_type);
            }
            assert_eq!(request.send(server.address()).refusal(), (status, code.into()), "{path} {body}");
        }
        let doubled = post(path).header("Content-Type", json).header("Content-Type", json).body(good.clone());
        doubled.send(server.address()).assert_refused(415, "json_expected");
        let not_utf8 = post(path).header("Content-Type", json).body(b"{\"name\":\"\xff\"}".as_slice());
        not_utf8.send(server.address()).assert_refused(400, "invalid_body");
        let nested = post(path).header("Content-Type", json).body("[".repeat(10_000));
        nested.send(server.address()).assert_refused(400, "invalid_body");
        let oversized = post(path).json(&json!({ "name": "ann", "password": "x".repeat(20_000) }));
        oversized.send(server.address()).assert_refused(413, "body_too_large");
    }
}

#[test]
fn invalid_names_and_passwords_are_refused_by_name() {
    let server = Server::start();
    let browser = Browser::new(server.address());
    for name in ["", "ab", "a b c", "änn", "аnn", "ann\n", "../ann", &"a".repeat(33)] {
        browser.register(name, PASSWORD).assert_refused(400, "invalid_name");
    }
    for password in ["", "short", "fourteen chars", &"x".repeat(257)] {
        browser.register("ann", password).assert_refused(400, "password_length");
    }
    assert_eq!(browser.register("ann", PASSWORD).status, 201);
    browser.register("ANN", PASSWORD).assert_refused(409, "name_taken");
}

#[test]
fn a_wrong_password_and_an_unknown_user_get_the_same_answer() {
    let server = Server::start();
    let mut browser = Browser::new(server.address());
    browser.register("ann", PASSWORD);
    let mut headers = |name: &str, password: &str| {
        let answer = browser.login(name, password);
        answer.assert_refused(400, "invalid_credentials");
        let mut names: Vec<String> = answer.headers.into_iter().map(|(name, _)| name).collect();
        names.sort();
        names
    };
    let wrong = headers("ann", "wrong horse battery staple");
    for (name, password) in
        [("bob", PASSWORD), ("ann", ""), ("", ""), ("ann", &"x".repeat(10_000)), ("not a name", PASSWORD)]
    {
        assert_eq!(headers(name, password), wrong, "{name}");
    }
}

/// The routes refuse such names and passwords. This test checks that the database would also treat them as text.
#[tokio::test]
async fn sql_that_reaches_the_database_is_text() {
    let folder = Folder::new();
    let store = TestStore::new(folder.path());
    let url = store.url();
    let settings = [("AUTH_DATA", folder.path().to_str().unwrap()), ("AUTH_DATABASE", &url)];
    let config = Config::read(settings.map(|(name, value)| (name.into(), value.into()))).unwrap();
    let (database, _) = Database::open(&config).await.unwrap();
    let user = |id: &str, number: usize| User {
        id: id.into(),
        name: Name::new(&format!("user-{number}")).unwrap(),
        role: Role::User,
        password_hash: format!("hash {id}"),
    };
    let printable = INJECTIONS.map(|text| text.replace('\0', ""));
    for (number, id) in printable.iter().enumerate() {
        assert!(database.add_user(&user(id, number)).await.unwrap());
    }
    for (number, id) in printable.iter().enumerate() {
        let found = database.user_of(id).await.unwrap().unwrap();
        let expected = user(id, number);
        assert_eq!((&found.id, &found.name, found.role), (&expected.id, &expected.name, Role::User));
        assert_eq!(found.password_hash, expected.password_hash);
        assert!(database.user_of(&format!("{id} ")).await.unwrap().is_none());
    }
}

#[test]
fn sql_in_any_field_is_refused_or_text() {
    let server = Server::start();
    let mut ann = Browser::of_new_user(server.address(), "ann");
    for text in INJECTIONS {
        let stranger = Browser::new(server.address());
        stranger.register(text, PASSWORD).assert_refused(400, "invalid_name");
        stranger.clone().login(text, PASSWORD).assert_refused(400, "invalid_credentials");
        stranger.clone().login("ann", text).assert_refused(400, "invalid_credentials");
        let printable = text.replace('\0', "");
        let mut thief = ann.clone();
        thief.cookies.insert("__Host-refresh".into(), printable.clone());
        // Blanks and quotes cannot be in a cookie at all; text that can be is not a token.
        let (status, code) = thief.refresh().refusal();
        assert!(status == 400 && ["malformed_cookie", "invalid_grant"].contains(&code.as_str()), "{code}");
        let escaped: String = printable.bytes().map(|byte| format!("%{byte:02x}")).collect();
        ann.api("DELETE", &format!("/sessions/{escaped}")).assert_refused(404, "unknown_session");
        let bearer = format!("Bearer {printable}");
        let status = Request::new("GET", "/").header("Authorization", bearer).send(ann.address).refusal().0;
        assert!(status == 400 || status == 401);
        // It is a valid password, if it is long enough, and an odd name for a device.
        let agent = stranger.request("POST", "/login").header("User-Agent", &printable);
        let body = json!({ "name": "ann", "password": PASSWORD });
        assert_eq!(agent.json(&body).send(ann.address).status, 200);
    }
    let quoted = "'; DROP TABLE users; --";
    let mut bob = Browser::new(server.address());
    assert_eq!(bob.register("bob", quoted).status, 201);
    assert_eq!(bob.login("bob", quoted).status, 200);
    ann.api("GET", "/admin").assert_refused(403, "insufficient_scope");
    ann.assert_refresh();
}

#[test]
fn missing_doubled_and_malformed_credentials_are_told_apart() {
    let server = Server::start();
    let ann = Browser::of_new_user(server.address(), "ann");
    let good = format!("Bearer {}", ann.access);
    let get = |values: &[&str]| {
        let request = Request::new("GET", "/").header("Cookie", ann.cookie_header());
        let request = values.iter().fold(request, |request, value| request.header("Authorization", value));
        let answer = request.send(server.address());
        assert!(answer.header("www-authenticate").is_some());
        answer.refusal()
    };
    assert_eq!(get(&[]), (401, "missing_credentials".into()));
    assert_eq!(get(&["Basic YW5uOng="]), (401, "other_scheme".into()));
    assert_eq!(get(&[&good, &good]), (400, "several_credentials".into()));
    assert_eq!(get(&["Basic YW5uOng=", &good]), (400, "several_credentials".into()));
    for value in ["", "Bearer", &format!("{good}, {good}"), &good.replace(' ', "\t"), &format!("{good} x")] {
        assert_eq!(get(&[value]), (400, "malformed_credentials".into()), "{value}");
    }
    let (head, signature) = good.rsplit_once('.').unwrap();
    let (header, payload) = head.split_once('.').unwrap();
    assert_eq!(get(&[&format!("{head}.")]).0, 401);
    assert_eq!(get(&[&format!("{header}.{payload}A.{signature}")]).0, 401);
    assert_eq!(
        get(&[&format!("Bearer eyJhbGciOiJub25lIn0.{payload}.")]),
        (401, "unsupported_algorithm".into())
    );
    assert_eq!(get(&[&good.replace("Bearer ", "Bearer x")]).0, 401);
    // A refresh token is not an access token.
    assert_eq!(get(&[&format!("Bearer {}", ann.refresh_token())]).0, 401);
    assert_eq!(ann.api_status(), 200);
}

#[test]
fn a_doubled_cookie_is_refused_and_neither_is_used() {
    let server = Server::start();
    let mut ann = Browser::of_new_user(server.address(), "ann");
    let cookies = ann.cookie_header();
    for planted in ["__Host-refresh=planted", "__Host-fingerprint=planted"] {
        for value in [format!("{planted}; {cookies}"), format!("{cookies}; {planted}")] {
            let answer = post("/token/refresh").header("Cookie", &value).send(server.address());
            assert_eq!(answer.refusal(), (400, "doubled_cookie".into()), "{planted}");
        }
        let split = post("/token/refresh").header("Cookie", &cookies).header("Cookie", planted);
        split.send(server.address()).assert_refused(400, "doubled_cookie");
    }
    let bearer = format!("Bearer {}", ann.access);
    let doubled = format!("{cookies}; __Host-fingerprint=planted");
    let api = Request::new("GET", "/").header("Authorization", bearer).header("Cookie", doubled);
    api.send(server.address()).assert_refused(400, "doubled_cookie");
    ann.assert_refresh();
}

/// A logout accepts what a refresh refuses, because otherwise every request would be refused until the planted cookie expires.
#[test]
fn a_browser_with_a_doubled_or_broken_cookie_can_log_out_and_in_again() {
    let server = Server::start();
    let other = Browser::of_new_user(server.address(), "bob");
    let mut browser = Browser::of_new_user(server.address(), "ann");
    // The first bytes name a master key that no server has.
    let foreign = format!("v1.{}A", "B".repeat(other.refresh_token().len() - 4));
    for (planted, both_end) in [
        ("__Host-refresh=planted".to_owned(), false),
        (format!("__Host-refresh={foreign}"), false),
        ("__Host-refresh=".to_owned(), false),
        (format!("__Host-refresh={}", other.refresh_token()), true),
        ("__Host-fingerprint=planted".to_owned(), true),
    ] {
        for first in [true, false] {
            let before = browser.clone();
            let cookies = browser.cookie_header();
            let both = if first { format!("{planted}; {cookies}") } else { format!("{cookies}; {planted}") };
            let refused = post("/token/refresh").header("Cookie", &both).send(server.address());
            refused.assert_refused(400, "doubled_cookie");
            let out = post("/logout").header("Cookie", &both).send(server.address());
            assert_eq!(out.status, 204, "{planted}: {}", out.body);
            browser.keep(&out);
            assert!(browser.cookies.is_empty(), "{planted}");
            before.clone().refresh().assert_refused(400, "invalid_grant");
            before.clone().api("GET", "/").assert_refused(401, "denied");
            assert_eq!(other.api_status(), if both_end { 401 } else { 200 }, "{planted}");
            browser.assert_login("ann");
            browser.assert_refresh();
        }
    }
    // A cookie that cannot be read at all is deleted as well.
    let out = post("/logout").header("Cookie", "__Host-refresh=\"").send(server.address());
    assert_eq!((out.status, out.set_cookies().count()), (204, 2));
    // With only the token of the other key, another server may know it.
    let alone = post("/logout").header("Cookie", format!("__Host-refresh={foreign}"));
    alone.send(server.address()).assert_refused(503, "retry");
}

/// The next login of a browser with two cookies ends the sessions of both.
#[test]
fn a_login_ends_both_sessions_of_a_doubled_cookie() {
    let server = Server::start();
    let mut browser = Browser::of_new_user(server.address(), "ann");
    let before = browser.clone();
    let body = json!({ "name": "ann", "password": PASSWORD });
    let both = format!("__Host-refresh=planted; {}", browser.cookie_header());
    let answer = post("/login").header("Cookie", both).json(&body).send(server.address());
    assert_eq!(answer.status, 200, "{}", answer.body);
    browser.keep(&answer);
    before.clone().api("GET", "/").assert_refused(401, "denied");
    assert_eq!(browser.api("GET", "/sessions").json()["sessions"].as_array().unwrap().len(), 1);
}

#[test]
fn pages_of_other_sites_cannot_use_the_cookies() {
    let server = Server::start();
    let mut ann = Browser::of_new_user(server.address(), "ann");
    for path in ["/token/refresh", "/logout"] {
        for (headers, code) in [
            (vec![("Origin", "https://evil.example")], "foreign_origin"),
            (vec![("Origin", "null")], "foreign_origin"),
            (vec![("Origin", "https://app.example.evil.example")], "foreign_origin"),
            (vec![("Origin", "https://evil.example"), ("Sec-Fetch-Site", "cross-site")], "foreign_origin"),
            (vec![("Sec-Fetch-Site", "cross-site")], "cross_site"),
            (vec![("Sec-Fetch-Site", "same-site")], "cross_site"),
            (vec![("Origin", ORIGIN), ("Origin", "https://evil.example")], "several_origins"),
            (vec![], "no_origin"),
        ] {
            let request = Request::new("POST", path).header("Cookie", ann.cookie_header());
            let request = headers.iter().fold(request, |request, (name, value)| request.header(name, value));
            assert_eq!(request.send(server.address()).refusal(), (403, code.into()), "{path} {headers:?}");
        }
        for method in ["GET", "PUT", "DELETE", "HEAD", "PATCH"] {
            let answer = ann.request(method, path).send(server.address());
            assert_eq!(answer.status, 405, "{method}");
            assert_eq!(answer.set_cookies().count(), 0);
        }
    }
    // Nor can they log a visitor in under their own name.
    for path in ["/login", "/register"] {
        let body = json!({ "name": "ann", "password": PASSWORD });
        let foreign = Request::new("POST", path).header("Origin", "https://evil.example").json(&body);
        foreign.send(server.address()).assert_refused(403, "foreign_origin");
    }
    ann.assert_refresh();
}

#[test]
fn unknown_paths_and_methods_are_refused_by_name() {
    let server = Server::start();
    let ann = Browser::of_new_user(server.address(), "ann");
    for (method, path, status, code) in [
        ("GET", "/nothing", 404, "not_found"),
        ("GET", "/../../etc/passwd", 404, "not_found"),
        ("GET", "/login", 405, "wrong_method"),
        ("POST", "/", 405, "wrong_method"),
        ("GET", "/.well-known/jwks.json", 404, "no_public_key"),
        ("DELETE", "/sessions/AAAAAAAAAAAAAAAAAAAAAA", 404, "unknown_session"),
        ("DELETE", "/sessions/%ff", 404, "unknown_session"),
    ] {
        let answer = ann.clone().api(method, path);
        assert_eq!(answer.refusal(), (status, code.into()), "{method} {path}");
    }
}

#[test]
fn a_method_of_any_length_is_one_word_in_the_log() {
    let mut server = Server::start();
    let method = "A".repeat(20_000);
    assert_eq!(Request::new(&method, "/login").send(server.address()).status, 405);
    assert!(server.terminate().success());
    let log = server.log();
    assert!(log.contains(r#""method":"other""#), "{log}");
    assert!(!log.contains(&method[..17]));
}

#[test]
fn too_many_attempts_have_to_wait() {
    let server = Server::start_with(&[("AUTH_ATTEMPTS_PER_MINUTE", "3")]);
    let mut browser = Browser::new(server.address());
    browser.register("ann", PASSWORD);
    browser.login("ann", "wrong").assert_refused(400, "invalid_credentials");
    assert_eq!(browser.login("ann", PASSWORD).status, 200);
    let refused = browser.login("ann", PASSWORD);
    refused.assert_refused(429, "too_many_attempts");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    // A user who is logged in stays logged in.
    browser.assert_refresh();
}
