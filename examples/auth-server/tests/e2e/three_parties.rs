//! Tests with three parties: user, application server, authentication server.

use crate::client::{Browser, Request, Response};
use crate::server::{ADMIN, Application, Server};
use countersign::{Algorithm, KeySet, Verifier};
use countersign_session::{AccessVerifier, Binding};
use serde_json::json;

/// Returns the answer of an application server to a browser that has logged in at the authentication server.
fn ask(application: &Application, browser: &Browser, path: &str) -> Response {
    browser
        .request("GET", path)
        .header("Authorization", format!("Bearer {}", browser.access))
        .send(application.address())
}

#[test]
fn an_application_server_needs_only_the_verifying_key() {
    for (algorithm, key) in
        [("HS256", Some("access.secret")), ("RS256", Some("access.public.pem")), ("RS256", None)]
    {
        let mut server = Server::start_with(&[("AUTH_ALGORITHM", algorithm)]);
        let application = key.map_or_else(|| server.following_application(), |key| server.application(key));
        let user = Browser::of_new_user(server.address(), "ann");
        let admin = Browser::logged_in(server.address(), ADMIN);
        assert_eq!(ask(&application, &user, "/orders").json(), json!({ "orders": [], "of": "ann" }));
        ask(&application, &user, "/orders/all").assert_refused(403, "insufficient_scope");
        assert_eq!(ask(&application, &admin, "/orders/all").status, 200);
        server.kill();
        assert_eq!(ask(&application, &user, "/orders").status, 200, "{algorithm}");
    }
}

#[test]
fn an_application_server_refuses_what_is_not_for_it() {
    let server = Server::start();
    let application = server.application("access.secret");
    let user = Browser::of_new_user(server.address(), "ann");
    Request::new("GET", "/orders").send(application.address()).assert_refused(401, "missing_credentials");

    let stranger = Server::start();
    let stranger = Browser::of_new_user(stranger.address(), "ann");
    ask(&application, &stranger, "/orders").assert_refused(401, "invalid_signature");

    let elsewhere = Server::start_with(&[("AUTH_AUDIENCE", "https://other.example")]);
    let other = elsewhere.application("access.secret");
    ask(&other, &Browser::of_new_user(elsewhere.address(), "ann"), "/orders")
        .assert_refused(401, "wrong_audience");

    let mut thief = user.clone();
    thief.cookies.clear();
    ask(&application, &thief, "/orders").assert_refused(401, "binding_missing");
    thief.access = user.refresh_token().into();
    assert_eq!(ask(&application, &thief, "/orders").refusal().0, 401);
}

#[test]
fn an_application_on_another_host_works_without_the_second_cookie() {
    let server = Server::start_with(&[("AUTH_BIND", "nothing")]);
    let application = server.application("access.secret");
    let mut user = Browser::of_new_user(server.address(), "ann");
    assert_eq!(user.cookies.keys().collect::<Vec<_>>(), ["__Host-refresh"]);
    let mut elsewhere = user.clone();
    elsewhere.cookies.clear();
    assert_eq!(ask(&application, &elsewhere, "/orders").status, 200);
    user.assert_refresh();
}

#[test]
fn an_application_server_that_cannot_fetch_the_keys_asks_to_come_again() {
    let mut server = Server::start_with(&[("AUTH_ALGORITHM", "RS256")]);
    let user = Browser::of_new_user(server.address(), "ann");
    server.kill();
    let application = server.following_application();
    let answer = ask(&application, &user, "/orders");
    answer.assert_refused(503, "keys_unavailable");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

#[test]
fn the_published_key_verifies_what_the_server_signs() {
    let server = Server::start_with(&[("AUTH_ALGORITHM", "RS256")]);
    let user = Browser::of_new_user(server.address(), "ann");
    let answer = Request::new("GET", "/.well-known/jwks.json").send(server.address());
    let set = answer.json();
    let [key] = set["keys"].as_array().unwrap().as_slice() else { panic!("{set}") };
    assert_eq!((&key["kty"], &key["alg"], &key["use"]), (&json!("RSA"), &json!("RS256"), &json!("sig")));
    assert!(key.get("d").is_none());

    let kid = key["kid"].as_str().unwrap();
    let loaded = KeySet::from_jwks(&set.to_string(), &[Algorithm::Rs256]).unwrap();
    assert_eq!((loaded.keys.len(), loaded.skipped.len()), (1, 0));
    // The verifier accepts only tokens that name the key.
    let policy = Verifier::builder(loaded.keys);
    let verifier =
        AccessVerifier::new(policy.issuer("https://auth.example").audience("https://api.example")).unwrap();
    let binding = Binding::fingerprint(&user.cookies["__Host-fingerprint"]);
    let access = verifier.verify::<serde_json::Value>(&user.access, &binding).unwrap();
    assert_eq!(access.claims()["name"], "ann");
    assert_eq!(access.token().header().key_id(), Some(kid));
}

#[test]
fn keys_outlive_a_restart_and_only_their_owner_can_read_them_and_the_database() {
    for algorithm in ["HS256", "RS256"] {
        let mut server = Server::start_with(&[("AUTH_ALGORITHM", algorithm)]);
        let mut user = Browser::of_new_user(server.address(), "ann");
        server.restart();
        user.address = server.address();
        assert_eq!(user.api_status(), 200);
        user.assert_refresh();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mut secret: Vec<String> =
                ["refresh.secret"].iter().chain(server.store.files()).map(|file| (*file).into()).collect();
            let entries = std::fs::read_dir(server.folder()).unwrap();
            let access = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            secret.extend(access.filter(|name| name == "access.secret" || name.ends_with(".private.pem")));
            assert_eq!(secret.len(), server.store.files().len() + 2, "{secret:?}");
            for file in secret {
                let mode = std::fs::metadata(server.folder().join(&file)).unwrap().permissions().mode();
                assert_eq!(mode & 0o777, 0o600, "{file}");
            }
        }
    }
}
