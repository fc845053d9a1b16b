//! Actions of a user.

use crate::client::{Browser, ORIGIN, PASSWORD, Request};
use crate::server::{ADMIN, Server};
use crate::store::TestStore;
use serde_json::json;
use std::process::Command;

#[test]
fn a_user_registers_logs_in_calls_the_api_refreshes_and_logs_out() {
    let server = Server::start();
    let mut browser = Browser::new(server.address());
    let registered = browser.register("Ann", PASSWORD);
    assert_eq!((registered.status, registered.json()), (201, json!({ "name": "ann", "role": "user" })));
    let answer = browser.login("ann", PASSWORD);
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!((&body["token_type"], &body["expires_in"]), (&json!("Bearer"), &json!(600)));
    assert!(!answer.body.contains(browser.refresh_token()), "the refresh token is in the cookie only");

    let greeting = browser.api("GET", "/");
    assert_eq!(greeting.json(), json!({ "message": "Hello, ann.", "name": "ann", "role": "user" }));
    let (old_access, old_refresh) = (browser.access.clone(), browser.refresh_token().to_owned());
    let fingerprint = browser.cookies["__Host-fingerprint"].clone();
    browser.assert_refresh();
    assert_ne!(browser.access, old_access);
    assert_ne!(browser.refresh_token(), old_refresh);
    assert_eq!(browser.cookies["__Host-fingerprint"], fingerprint);
    assert_eq!(browser.api_status(), 200);

    // A thief who has copied everything.
    let copy = browser.clone();
    assert_eq!(browser.logout().status, 204);
    assert!(browser.cookies.is_empty());
    copy.clone().refresh().assert_refused(400, "invalid_grant");
    copy.clone().api("GET", "/").assert_refused(401, "denied");
    // A second logout is not an error.
    assert_eq!(copy.clone().logout().status, 204);
    assert_eq!(browser.logout().status, 204);
}

#[test]
fn without_a_role_the_answer_is_403_and_without_a_token_401() {
    let server = Server::start();
    let mut user = Browser::of_new_user(server.address(), "ann");
    let refused = user.api("GET", "/admin");
    refused.assert_refused(403, "insufficient_scope");
    assert_eq!(
        refused.header("www-authenticate"),
        Some(r#"Bearer error="insufficient_scope", scope="admin""#)
    );
    let anonymous = Request::new("GET", "/admin").send(server.address());
    anonymous.assert_refused(401, "missing_credentials");
    assert_eq!(anonymous.header("www-authenticate"), Some("Bearer"));

    let mut admin = Browser::logged_in(server.address(), ADMIN);
    let body = admin.api("GET", "/admin").json();
    assert_eq!(body, json!({ "message": "Hello, administrator administrator." }));
}

#[test]
fn a_user_sees_the_devices_and_ends_one_of_them() {
    let server = Server::start();
    let mut laptop = Browser::of_new_user(server.address(), "ann");
    let login = json!({ "name": "ann", "password": PASSWORD });
    let mut phone = Browser::new(server.address());
    let agent = "Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0";
    let answer = phone.request("POST", "/login").header("User-Agent", agent).json(&login).send(phone.address);
    phone.keep(&answer);

    let list = laptop.api("GET", "/sessions").json();
    let sessions = list["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let other = sessions.iter().find(|session| session["current"] == false).unwrap();
    assert_eq!(other["device"], "Firefox on Android");

    let path = format!("/sessions/{}", other["id"].as_str().unwrap());
    // Another user cannot end it.
    Browser::of_new_user(server.address(), "bob").api("DELETE", &path).assert_refused(404, "unknown_session");
    assert_eq!(phone.api_status(), 200);
    assert_eq!(laptop.api("DELETE", &path).status, 204);
    phone.clone().api("GET", "/").assert_refused(401, "denied");
    phone.refresh().assert_refused(400, "invalid_grant");
    laptop.assert_refresh();
    assert_eq!(laptop.api("GET", "/sessions").json()["sessions"].as_array().unwrap().len(), 1);
}

#[test]
fn logout_everywhere_ends_all_sessions_of_the_user_and_no_others() {
    let server = Server::start();
    let mut laptop = Browser::of_new_user(server.address(), "ann");
    let mut phone = Browser::logged_in(server.address(), "ann");
    let mut bob = Browser::of_new_user(server.address(), "bob");
    let copy = laptop.clone();
    assert_eq!(laptop.api("POST", "/logout/all").status, 204);
    assert!(laptop.cookies.is_empty());
    for device in [&mut copy.clone(), &mut phone] {
        device.clone().api("GET", "/").assert_refused(401, "denied");
        device.refresh().assert_refused(400, "invalid_grant");
    }
    bob.assert_refresh();
    // The user can log in again.
    laptop.assert_login("ann");
    assert_eq!(laptop.api_status(), 200);
}

#[test]
fn logging_in_again_in_one_browser_ends_the_old_session() {
    let server = Server::start();
    let mut browser = Browser::of_new_user(server.address(), "ann");
    let before = browser.clone();
    browser.assert_login("ann");
    assert_eq!(browser.api("GET", "/sessions").json()["sessions"].as_array().unwrap().len(), 1);
    before.clone().api("GET", "/").assert_refused(401, "denied");
}

#[test]
fn logging_in_again_in_one_browser_takes_no_other_devices_place() {
    let server = Server::start_with(&[("AUTH_SESSIONS_PER_USER", "2")]);
    let mut phone = Browser::of_new_user(server.address(), "ann");
    let mut laptop = Browser::logged_in(server.address(), "ann");
    laptop.assert_login("ann");
    phone.assert_refresh();
    laptop.assert_refresh();
}

#[test]
fn the_oldest_of_too_many_sessions_ends() {
    let server = Server::start_with(&[("AUTH_SESSIONS_PER_USER", "2")]);
    let mut first = Browser::of_new_user(server.address(), "ann");
    let mut second = Browser::logged_in(server.address(), "ann");
    let mut third = Browser::logged_in(server.address(), "ann");
    first.refresh().assert_refused(400, "invalid_grant");
    second.assert_refresh();
    third.assert_refresh();
}

#[test]
fn one_of_two_registrations_of_a_name_at_once_succeeds() {
    let server = Server::start();
    let browser = Browser::new(server.address());
    let names = ["ann", "Ann", "ANN", "aNN"];
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asking = names.map(|name| scope.spawn(|| browser.register(name, PASSWORD)));
        asking.into_iter().map(|asked| asked.join().unwrap().status).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 3, "{statuses:?}");
}

#[test]
fn a_browser_gets_a_page_and_a_program_a_refusal() {
    let server = Server::start();
    let accepts = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let page = Request::new("GET", "/").header("Accept", accepts).send(server.address());
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"));
    for path in ["/page.js", "/page.css"] {
        assert_eq!(Request::new("GET", path).send(server.address()).status, 200);
    }
    Request::new("GET", "/")
        .header("Accept", "*/*")
        .send(server.address())
        .assert_refused(401, "missing_credentials");
    // A request with a token comes from a program.
    let user = Browser::of_new_user(server.address(), "ann");
    let bearer = format!("Bearer {}", user.access);
    let answer = user.request("GET", "/").header("Accept", accepts).header("Authorization", bearer);
    assert_eq!(answer.send(server.address()).header("content-type"), Some("application/json"));
}

#[test]
fn nothing_secret_is_written_to_the_log() {
    let mut server = Server::start();
    let mut browser = Browser::of_new_user(server.address(), "ann");
    let mut secrets = vec![PASSWORD.to_owned(), browser.cookies["__Host-fingerprint"].clone()];
    secrets.extend([browser.access.clone(), browser.refresh_token().to_owned()]);
    browser.api("GET", "/");
    let old = browser.clone();
    browser.assert_refresh();
    browser.assert_refresh();
    secrets.extend([browser.access.clone(), browser.refresh_token().to_owned()]);
    browser.request("POST", "/login").json(&json!({ "password": PASSWORD })).send(browser.address);
    browser.clone().login("ann", "correct horse battery stapler");
    old.clone().refresh().assert_refused(400, "invalid_grant");
    assert!(server.terminate().success());
    let log = server.log();
    for kind in ["issued", "rotated", "reuse_detected"] {
        assert!(server.events(kind) > 0, "{kind}: {log}");
    }
    for secret in secrets {
        // Not in part either: check the last 20 characters, because the first ones reveal little.
        assert!(!log.contains(&secret[secret.len() - 20..]), "{secret}");
    }
    for file in ["access.secret", "refresh.secret"] {
        let secret = std::fs::read_to_string(server.folder().join(file)).unwrap();
        assert!(!log.contains(secret.trim_end()));
    }
}

#[test]
fn requests_under_way_are_answered_before_the_server_stops() {
    let mut server = Server::start();
    let browser = Browser::of_new_user(server.address(), "ann");
    let body = json!({ "name": "ann", "password": PASSWORD });
    let login = browser.request("POST", "/login").header("Origin-Of-Test", ORIGIN).json(&body);
    // Argon2 keeps the server busy for a while.
    let asking: Vec<_> = (0..8)
        .map(|_| {
            let (login, address) = (login.clone(), browser.address);
            std::thread::spawn(move || login.try_send(address))
        })
        .collect();
    // The server is stopped as soon as one is done.
    let mut asking = asking.into_iter();
    assert_eq!(asking.next().unwrap().join().unwrap().unwrap().status, 200);
    assert!(server.terminate().success());
    for asked in asking {
        // The request either came too late to be accepted, or got its whole answer.
        if let Ok(response) = asked.join().unwrap() {
            assert_eq!(response.status, 200, "{}", response.body);
        }
    }
}

#[test]
fn a_logout_without_its_client_completes_before_the_server_stops() {
    let mut server = Server::start_with(&[("AUTH_DATABASE_TIMEOUT_MS", "20000")]);
    if !matches!(server.store, TestStore::Sqlite { .. }) {
        // The other databases do not wait: they fail.
        return;
    }
    let browser = Browser::of_new_user(server.address(), "ann");
    // Another process locks the file, so that the logout takes as long as the lock.
    server.store.down();
    let leaving = browser.request("POST", "/logout").start(browser.address).unwrap();
    assert_eq!(browser.api_status(), 200);
    server.ask_to_stop();
    drop(leaving);
    assert_eq!(server.events("revoked"), 0);
    server.store.up();
    assert!(server.wait().success());
    assert_eq!(server.events("revoked"), 1);
}

#[test]
fn the_curl_lines_of_the_readme_log_in_call_the_api_refresh_and_log_out() {
    let readme = include_str!("../../README.md");
    let lines = readme.split("```sh\n").find(|block| block.starts_with("TOKEN=")).unwrap();
    let lines = lines.split("```").next().unwrap();
    assert_eq!(lines.matches("curl ").count(), 4);
    let server = Server::start_with(&[
        ("AUTH_ORIGINS", "http://localhost:3000"),
        ("AUTH_ADMIN_NAME", "admin"),
        ("AUTH_ADMIN_PASSWORD", "correct horse battery"),
    ]);
    // The same server on another port; the origin is the documented one.
    let script =
        lines.replace("http://localhost:3000/", &format!("http://localhost:{}/", server.address().port()));
    let run = Command::new("bash").args(["-euc", &script]).current_dir(server.folder()).output();
    let run = run.expect("bash runs");
    let output = String::from_utf8(run.stdout).unwrap();
    assert!(run.status.success(), "{output} {}", String::from_utf8_lossy(&run.stderr));
    assert!(output.contains("Hello, administrator admin."), "{output}");
    assert!(output.contains("access_token"), "{output}");
    assert!(output.contains("204 No Content"), "{output}");
    assert_eq!((server.events("issued"), server.events("rotated"), server.events("revoked")), (1, 1, 1));
}
