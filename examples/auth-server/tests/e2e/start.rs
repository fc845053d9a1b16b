//! A server with a wrong configuration does not start, and reports the reason.

use crate::client::{Browser, PASSWORD};
use crate::server::{Folder, Server};
use std::process::{Command, Output};

fn start(program: &str, settings: &[(&str, &str)]) -> Output {
    Command::new(program).env_clear().envs(settings.iter().copied()).output().unwrap()
}

/// Checks that the program ends at once with one line that contains this text.
#[track_caller]
fn assert_fails(program: &str, settings: &[(&str, &str)], expected: &str) {
    let output = start(program, settings);
    let text = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains(expected), "{text:?} does not say {expected:?}");
    assert_eq!(text.lines().count(), 1, "{text}");
}

#[test]
fn configuration_errors_name_the_setting() {
    let folder = Folder::new();
    let data = ("AUTH_DATA", folder.path().to_str().unwrap());
    for (setting, expected) in [
        (("AUTH_LISTEN", "here"), "AUTH_LISTEN: an address and port such as 127.0.0.1:3000 is expected"),
        (("AUTH_LISTN", "127.0.0.1:0"), "AUTH_LISTN: there is no such setting"),
        (("AUTH_ALGORITHM", "none"), "AUTH_ALGORITHM: HS256 or RS256 is expected"),
        (("AUTH_ACCESS_SECONDS", "86400"), "the lifetimes are not valid: an access lifetime of 86400 s"),
        (("AUTH_IDLE_SECONDS", "9999999"), "the idle lifetime is longer than the absolute lifetime"),
        (("AUTH_DATABASE", "sqlite:/nowhere/auth.db"), "the database is not available"),
        (("AUTH_ADMIN_NAME", "root"), "AUTH_ADMIN_NAME: needs AUTH_ADMIN_PASSWORD too"),
    ] {
        assert_fails(env!("CARGO_BIN_EXE_auth-server"), &[data, setting], expected);
    }
    let admin = [data, ("AUTH_ADMIN_NAME", "root"), ("AUTH_ADMIN_PASSWORD", "short")];
    assert_fails(
        env!("CARGO_BIN_EXE_auth-server"),
        &admin,
        "AUTH_ADMIN_PASSWORD: a password must have 15 to 256 characters",
    );
}

#[test]
fn the_administrators_name_must_not_belong_to_another_user() {
    let server = Server::start();
    Browser::new(server.address()).register("root", PASSWORD);
    let settings = [("AUTH_ADMIN_NAME", "root"), ("AUTH_ADMIN_PASSWORD", PASSWORD)];
    let expected = "AUTH_ADMIN_NAME: a user with this name exists and is not an administrator";
    let url = server.store.url();
    let beside =
        [("AUTH_DATA", server.folder().to_str().unwrap()), ("AUTH_DATABASE", &url), settings[0], settings[1]];
    assert_fails(env!("CARGO_BIN_EXE_auth-server"), &beside, expected);
}

#[test]
fn a_broken_key_file_is_an_error_and_is_not_written_over() {
    for (file, algorithm, expected) in [
        ("access.secret", "HS256", "the secret's text is not valid base64"),
        ("access.1.private.pem", "RS256", "the BEGIN line is missing"),
        ("access.private.pem", "RS256", "rename it to access.SECONDS.private.pem"),
        ("refresh.secret", "HS256", "the secret's text is not valid base64"),
    ] {
        let folder = Folder::new();
        let path = folder.path().join(file);
        std::fs::write(&path, "not a key").unwrap();
        let settings = [("AUTH_DATA", folder.path().to_str().unwrap()), ("AUTH_ALGORITHM", algorithm)];
        assert_fails(env!("CARGO_BIN_EXE_auth-server"), &settings, expected);
        assert_eq!(std::fs::read_to_string(path).unwrap(), "not a key");
    }
}

#[test]
fn an_application_server_needs_a_verifying_key() {
    let folder = Folder::new();
    let missing = folder.path().join("key");
    let program = env!("CARGO_BIN_EXE_app-server");
    assert_fails(program, &[("APP_KEY", missing.to_str().unwrap())], "APP_KEY: ");
    std::fs::write(&missing, "-----BEGIN PRIVATE KEY-----\n").unwrap();
    assert_fails(program, &[("APP_KEY", missing.to_str().unwrap())], "APP_KEY: ");
    assert_fails(program, &[("APP_KEY", "http://auth.example/jwks.json")], "APP_KEY: ");
    assert_fails(program, &[("APP_LISTEN", "here")], "APP_LISTEN: ");
}
