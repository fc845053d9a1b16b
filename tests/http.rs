//! Tests reading and writing HTTP headers, with the headers of usual clients and of attackers.

mod util;

use core::time::Duration;
use countersign::http::{
    AllowedOrigins, Challenge, Cookie, Realm, RequestError, SameSite, Scope, SetupError, bearer_token,
};
use countersign::{Token, VerifyError};
use proptest::prelude::*;
use std::collections::BTreeMap;
use util::{GOOD, NOW, assert_discreet, jwt, later, seconds, strict};

const NONE: [&str; 0] = [];
const DAY: Duration = seconds(24 * 60 * 60);

fn malformed_at(offset: usize) -> Result<&'static str, RequestError> {
    Err(RequestError::MalformedCredentials { offset })
}

fn www_authenticate(challenge: &Challenge) -> &str {
    challenge.www_authenticate().expect("a challenge")
}

// ---- bearer credentials ----

#[test]
fn the_case_of_the_scheme_is_ignored_and_the_token_is_unchanged() {
    for value in ["Bearer abc", "bearer abc", "BEARER abc", "bEaReR abc", "Bearer    abc"] {
        assert_eq!(bearer_token([value]), Ok("abc"), "{value}");
    }
    for token in ["a", "A-Z.a_z~0+9/", "a=", "a==", "a======", "e30.e30.c2ln"] {
        assert_eq!(bearer_token([&format!("Bearer {token}")]), Ok(token));
    }
}

#[test]
fn a_value_outside_the_grammar_is_refused_with_the_offset() {
    for (value, offset) in [
        ("", 0),
        (" Bearer abc", 0),
        ("\tBearer abc", 0),
        ("Bearer", 6),
        ("Bearer ", 7),
        ("Bearer    ", 10),
        ("Bearer\tabc", 6),
        ("Bearer \tabc", 7),
        ("Bearer\u{a0}abc", 6),
        ("Bearer:abc", 6),
        ("Bearer=abc", 6),
        ("Bearer,abc", 6),
        ("Bearer \"abc\"", 7),
        ("Bearer abc ", 10),
        ("Bearer abc\t", 10),
        ("Bearer abc\r\n", 10),
        ("Bearer abc\0", 10),
        ("Bearer abc def", 10),
        ("Bearer abc, Bearer def", 10),
        ("Bearer abc,def", 10),
        ("Bearer abc;", 10),
        ("Bearer a=b", 9),
        ("Bearer =", 7),
        ("Bearer ==abc", 7),
        ("Bearer äbc", 7),
        ("Bearer abc\u{200b}", 10),
        ("\u{feff}Bearer abc", 0),
        ("/Bearer abc", 0),
    ] {
        assert_eq!(bearer_token([value]), malformed_at(offset), "{value:?}");
    }
    assert_eq!(bearer_token([b"Bearer abc\xff".as_slice()]), malformed_at(10));
    assert_eq!(bearer_token([b"\xff".as_slice()]), malformed_at(0));
}

#[test]
fn another_scheme_is_not_reported_as_malformed() {
    for value in ["Basic YTpi", "DPoP abc", "BearerX abc", "Bearer-Token abc", "Bear er", "Basic", "abc"] {
        assert_eq!(bearer_token([value]), Err(RequestError::OtherScheme), "{value}");
    }
}

#[test]
fn two_headers_are_refused_whatever_they_contain() {
    for values in [
        ["Bearer abc", "Bearer abc"],
        ["Bearer abc", "Bearer def"],
        ["Bearer abc", "Basic YTpi"],
        ["Basic YTpi", "Bearer abc"],
        ["Bearer abc", ""],
        ["", ""],
    ] {
        assert_eq!(bearer_token(values), Err(RequestError::SeveralCredentials), "{values:?}");
        let error = strict().at(NOW).verify_bearer::<()>(values).unwrap_err();
        assert_eq!(error, RequestError::SeveralCredentials);
        assert_eq!(error.challenge().status(), 400);
    }
}

#[test]
fn a_missing_header_and_an_empty_header_get_different_errors() {
    assert_eq!(bearer_token(NONE), Err(RequestError::MissingCredentials));
    assert_eq!(bearer_token(None::<&[u8]>), Err(RequestError::MissingCredentials));
    assert_eq!(bearer_token(Some("")), malformed_at(0));
}

#[test]
fn a_bearer_token_is_verified_like_any_token() {
    let (verifier, text) = (strict(), jwt(GOOD));
    let value = format!("Bearer {text}");
    let token: Token<()> = verifier.at(NOW).verify_bearer([&value]).unwrap();
    assert_eq!(token.subject(), Some("ann"));
    // The values may be text or bytes, owned or borrowed, in a list or in an `Option`.
    assert!(verifier.at(NOW).verify_bearer::<()>(Some(value.as_str())).is_ok());
    assert!(verifier.at(NOW).verify_bearer::<()>([value.as_bytes()]).is_ok());
    assert!(verifier.at(NOW).verify_bearer::<()>(vec![value.clone()]).is_ok());

    let at = later(2000);
    let expected = verifier.at(at).verify::<()>(&text).unwrap_err();
    let error = verifier.at(at).verify_bearer::<()>([&value]).unwrap_err();
    assert_eq!(error, RequestError::Token(expected.clone()));
    assert!(error.is_expired());
    assert_eq!((error.code(), error.challenge()), (expected.code(), expected.challenge()));

    let stranger = strict().at(NOW).verify_bearer::<()>(["Bearer e30.e30.e30"]).unwrap_err();
    assert!(!stranger.is_expired());
    assert_eq!(stranger.challenge().status(), 401);
}

#[cfg(feature = "std")]
#[test]
fn a_bearer_token_is_compared_with_the_clock() {
    // This token expired in 2023.
    let value = format!("Bearer {}", jwt(GOOD));
    assert!(strict().verify_bearer::<()>([&value]).unwrap_err().is_expired());
}

#[test]
fn a_request_without_a_bearer_token_is_challenged_without_an_error_code() {
    for error in [RequestError::MissingCredentials, RequestError::OtherScheme] {
        assert_eq!(error.challenge().status(), 401);
        assert_eq!(www_authenticate(&error.challenge()), "Bearer");
    }
    for error in [RequestError::SeveralCredentials, RequestError::MalformedCredentials { offset: 0 }] {
        assert_eq!(error.challenge().status(), 400);
        assert_eq!(www_authenticate(&error.challenge()), r#"Bearer error="invalid_request""#);
    }
}

#[test]
fn a_cookie_or_an_origin_is_refused_without_a_challenge() {
    for (error, status) in [
        (RequestError::DoubledCookie, 400),
        (RequestError::MalformedCookie, 400),
        (RequestError::CrossSite, 403),
        (RequestError::ForeignOrigin, 403),
        (RequestError::NoOrigin, 403),
        (RequestError::SeveralOrigins, 403),
    ] {
        let challenge = error.challenge().with_realm(&Realm::new("api").unwrap());
        assert_eq!((challenge.status(), challenge.www_authenticate()), (status, None), "{error}");
    }
}

#[test]
fn errors_about_headers_do_not_show_their_content() {
    let secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQ";
    let hidden = [secret];
    for value in [format!("Bearer {secret},"), format!("{secret} x"), format!("Bearer {secret}=x")] {
        assert_discreet(&bearer_token([&value]).unwrap_err(), &hidden);
        assert_discreet(&strict().at(NOW).verify_bearer::<()>([&value]).unwrap_err(), &hidden);
    }
    let error = strict().at(NOW).verify_bearer::<()>([format!("Bearer {secret}.{secret}.{secret}")]);
    assert_discreet(&error.unwrap_err(), &hidden);

    let cookie = Cookie::refresh();
    let doubled = format!("__Host-refresh={secret}; __Host-refresh={secret}");
    assert_discreet(&cookie.find([&doubled]).unwrap_err(), &hidden);
    assert_discreet(&cookie.find([&format!("__Host-refresh={secret}\"")]).unwrap_err(), &hidden);
    assert_discreet(&cookie.set(&format!("{secret};"), DAY).unwrap_err(), &hidden);
    assert_discreet(&cookie.set(secret, Duration::ZERO).unwrap_err(), &hidden);
    let set = cookie.set(secret, DAY).unwrap();
    assert!(!format!("{set:?}").contains(secret));

    let origins = AllowedOrigins::new(["https://app.example"]).unwrap();
    assert_discreet(&origins.check([secret], NONE).unwrap_err(), &hidden);
    assert_discreet(&AllowedOrigins::new([secret]).unwrap_err(), &hidden);
    assert_discreet(&Realm::new(&format!("{secret}\n")).unwrap_err(), &hidden);
    assert_discreet(&Scope::new(&format!("{secret}\n")).unwrap_err(), &hidden);
}

#[test]
fn errors_about_headers_have_stable_names() {
    for (code, expected) in [
        (RequestError::MalformedCredentials { offset: 0 }.code(), "malformed_credentials"),
        (RequestError::MissingCredentials.code(), "missing_credentials"),
        (RequestError::OtherScheme.code(), "other_scheme"),
        (RequestError::SeveralCredentials.code(), "several_credentials"),
        (RequestError::from(VerifyError::InvalidSignature).code(), "invalid_signature"),
        (SetupError::InvalidRealm { offset: 0 }.code(), "invalid_realm"),
        (SetupError::InvalidScope { offset: 0 }.code(), "invalid_scope"),
        (SetupError::InvalidCookieName.code(), "invalid_cookie_name"),
        (SetupError::InvalidCookiePath.code(), "invalid_cookie_path"),
        (SetupError::InvalidCookieValue { offset: 0 }.code(), "invalid_cookie_value"),
        (SetupError::NoTimeRemains.code(), "no_time_remains"),
        (SetupError::CookieTooLarge { bytes: 0, limit: 0 }.code(), "cookie_too_large"),
        (RequestError::DoubledCookie.code(), "doubled_cookie"),
        (RequestError::MalformedCookie.code(), "malformed_cookie"),
        (RequestError::CrossSite.code(), "cross_site"),
        (RequestError::ForeignOrigin.code(), "foreign_origin"),
        (RequestError::SeveralOrigins.code(), "several_origins"),
        (RequestError::NoOrigin.code(), "no_origin"),
        (SetupError::NoOrigins.code(), "no_origins"),
        (SetupError::InvalidOrigin { position: 0 }.code(), "invalid_origin"),
    ] {
        assert_eq!(code, expected);
    }
}

// ---- challenges ----

#[test]
fn each_status_comes_with_its_error_code() {
    let scope = Scope::new("admin").unwrap();
    for (challenge, status, text) in [
        (Challenge::missing_credentials(), 401, "Bearer"),
        (Challenge::invalid_request(), 400, r#"Bearer error="invalid_request""#),
        (
            Challenge::invalid_token(),
            401,
            r#"Bearer error="invalid_token", error_description="the token is invalid""#,
        ),
        (Challenge::insufficient_scope(&scope), 403, r#"Bearer error="insufficient_scope", scope="admin""#),
    ] {
        assert_eq!((challenge.status(), www_authenticate(&challenge)), (status, text));
    }
}

#[test]
fn a_second_realm_or_scope_replaces_the_first_in_any_order() {
    let (api, web) = (Realm::new("api").unwrap(), Realm::new("web").unwrap());
    let (read, write) = (Scope::new("read").unwrap(), Scope::new("read write").unwrap());
    let both = r#"Bearer realm="web", error="invalid_request", scope="read write""#;
    let challenge = Challenge::invalid_request().with_realm(&api).with_scope(&read);
    assert_eq!(www_authenticate(&challenge.with_scope(&write).with_realm(&web)), both);
    let challenge = Challenge::invalid_request().with_scope(&write).with_realm(&web);
    assert_eq!(www_authenticate(&challenge), both);

    let bare = Challenge::missing_credentials();
    assert_eq!(www_authenticate(&bare.clone().with_realm(&api)), r#"Bearer realm="api""#);
    assert_eq!(www_authenticate(&bare.clone().with_scope(&read)), r#"Bearer scope="read""#);
    let challenge = bare.with_realm(&api).with_scope(&read);
    assert_eq!(www_authenticate(&challenge), r#"Bearer realm="api", scope="read""#);
}

#[test]
fn a_realm_cannot_break_out_of_its_quotes() {
    let realm = Realm::new(r#"a", error="none\"#).unwrap();
    let challenge = Challenge::missing_credentials().with_realm(&realm);
    assert_eq!(www_authenticate(&challenge), r#"Bearer realm="a\", error=\"none\\""#);
    for (realm, offset) in [("", 0), ("a\r\nX: 1", 1), ("a\t", 1), ("\u{7f}", 0), ("aé", 1), ("a\0", 1)] {
        assert_eq!(Realm::new(realm), Err(SetupError::InvalidRealm { offset }), "{realm:?}");
    }
}

#[test]
fn a_scope_is_words_with_one_space_between_them() {
    for scope in ["a", "a b", "https://api.example/read !#[]~", "a:b c.d e-f"] {
        assert_eq!(Scope::new(scope).unwrap().to_string(), scope);
    }
    for (scope, offset) in [
        ("", 0),
        (" ", 0),
        (" a", 0),
        ("a ", 1),
        ("a  b", 2),
        ("a\tb", 1),
        ("a\"", 1),
        ("a\\", 1),
        ("a\n", 1),
        ("é", 0),
        ("a\u{7f}", 1),
    ] {
        assert_eq!(Scope::new(scope), Err(SetupError::InvalidScope { offset }), "{scope:?}");
    }
}

#[test]
fn unavailable_keys_give_no_challenge_to_add_to() {
    let realm = Realm::new("api").unwrap();
    let challenge = VerifyError::KeysUnavailable.challenge().with_realm(&realm);
    assert_eq!((challenge.status(), challenge.www_authenticate()), (503, None));
}

// ---- setting cookies ----

#[test]
fn the_presets_follow_the_rules_of_browsers_for_their_prefixes() {
    let set = |cookie: &Cookie| cookie.set("abc", DAY).unwrap().expose_secret().to_owned();
    assert_eq!(
        set(&Cookie::refresh()),
        "__Host-refresh=abc; Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Strict"
    );
    assert_eq!(
        set(&Cookie::refresh_under("/auth/refresh").unwrap()),
        "__Secure-refresh=abc; Path=/auth/refresh; Max-Age=86400; Secure; HttpOnly; SameSite=Strict"
    );
    assert_eq!(
        set(&Cookie::fingerprint().same_site(SameSite::Lax)),
        "__Host-fingerprint=abc; Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Lax"
    );
}

#[test]
fn every_cookie_is_secure_and_http_only_and_has_no_domain() {
    for same_site in [SameSite::Lax, SameSite::None, SameSite::Strict] {
        for cookie in [Cookie::refresh(), Cookie::host("a").unwrap(), Cookie::secure("a", "/b").unwrap()] {
            let cookie = cookie.same_site(same_site);
            for text in [cookie.set("v", DAY).unwrap().expose_secret().to_owned(), cookie.clear()] {
                let attributes: Vec<&str> = text.split("; ").skip(1).collect();
                assert!(attributes.contains(&"Secure") && attributes.contains(&"HttpOnly"), "{text}");
                assert!(attributes.contains(&&*format!("SameSite={same_site}")), "{text}");
                assert_eq!(attributes.len(), 5, "{text}");
                let is_host = text.starts_with("__Host-");
                assert_eq!(attributes[0], if is_host { "Path=/" } else { "Path=/b" }, "{text}");
            }
        }
    }
}

#[test]
fn a_cookie_is_deleted_with_the_name_and_path_that_it_was_set_with() {
    for cookie in [Cookie::refresh(), Cookie::fingerprint(), Cookie::refresh_under("/auth").unwrap()] {
        let set = cookie.set("abc", seconds(7)).unwrap();
        let deleted = set.expose_secret().replace("=abc;", "=;").replace("Max-Age=7", "Max-Age=0");
        assert_eq!(cookie.clear(), deleted);
    }
}

#[test]
fn clear_former_deletes_the_cookies_of_former_paths_and_keeps_the_new_one() {
    let cookie = Cookie::refresh_under("/auth/refresh").unwrap();
    assert_eq!(cookie.clear_former(), [""; 0]);
    let cookie = cookie.formerly_under("/auth").unwrap().formerly_under("/").unwrap();
    let cookie = cookie.same_site(SameSite::Lax);
    // The cookies of a browser that visited before each change of the path, by name and path.
    let mut jar: BTreeMap<String, String> = BTreeMap::new();
    for (path, value) in [("/", "first"), ("/auth", "second"), ("/auth/refresh", "third")] {
        jar.insert(format!("__Secure-refresh Path={path}"), format!("__Secure-refresh={value}"));
    }
    let header = |jar: &BTreeMap<String, String>| jar.values().cloned().collect::<Vec<_>>().join("; ");
    assert_eq!(cookie.find([&header(&jar)]), Err(RequestError::DoubledCookie));
    for deletion in cookie.clear_former() {
        let attributes: Vec<&str> = deletion.split("; ").collect();
        assert_eq!(attributes[0], "__Secure-refresh=");
        assert_eq!(attributes[2..], ["Max-Age=0", "Secure", "HttpOnly", "SameSite=Lax"]);
        jar.remove(&format!("__Secure-refresh {}", attributes[1])).expect("a cookie in the jar");
    }
    assert_eq!(cookie.find([&header(&jar)]), Ok(Some("third")));
    assert!(!cookie.clear_former().contains(&cookie.clear()));
}

#[test]
fn a_former_path_must_be_valid_and_differ_from_the_current_one() {
    let cookie = Cookie::refresh_under("/auth").unwrap();
    for path in ["/auth", "", "auth", "/a;b", "/a b"] {
        assert_eq!(cookie.clone().formerly_under(path), Err(SetupError::InvalidCookiePath), "{path:?}");
    }
    for path in ["/", "/auth"] {
        assert_eq!(Cookie::refresh().formerly_under(path), Err(SetupError::InvalidCookiePath));
    }
    assert!(cookie.formerly_under("/auth/").is_ok());
}

#[test]
fn a_cookie_lives_for_the_remaining_whole_seconds_and_400_days_at_most() {
    let max_age = |remains| {
        let set = Cookie::refresh().set("abc", remains).unwrap();
        let text = set.expose_secret().to_owned();
        text.split("; ").find_map(|part| part.strip_prefix("Max-Age=").map(str::to_owned)).unwrap()
    };
    assert_eq!(max_age(Duration::from_millis(1999)), "1");
    assert_eq!(max_age(seconds(34_560_000)), "34560000");
    assert_eq!(max_age(Duration::MAX), "34560000");
}

#[test]
fn setting_a_cookie_never_deletes_it() {
    for remains in [Duration::ZERO, Duration::from_millis(999)] {
        assert_eq!(Cookie::refresh().set("abc", remains).unwrap_err(), SetupError::NoTimeRemains);
    }
    assert_eq!(Cookie::refresh().set("", DAY).unwrap_err(), SetupError::InvalidCookieValue { offset: 0 });
}

#[test]
fn a_value_that_would_end_its_cookie_is_refused() {
    for value in
        ["a;b", "a; Domain=evil.example", "a b", "a\"", "a,b", "a\\", "a\r\nSet-Cookie: x=y", "a\0", "aé"]
    {
        assert_eq!(
            Cookie::refresh().set(value, DAY).unwrap_err(),
            SetupError::InvalidCookieValue { offset: 1 },
            "{value:?}"
        );
    }
}

#[test]
fn a_name_that_would_end_itself_or_pretend_a_prefix_is_refused() {
    let long = "a".repeat(257);
    for name in
        ["", "a=b", "a;b", "a b", "a\"", "__Host-a", "__secure-a", "__Http-a", "a\n", "é", "$a,", &long]
    {
        assert_eq!(Cookie::host(name), Err(SetupError::InvalidCookieName), "{name:?}");
        assert_eq!(Cookie::secure(name, "/"), Err(SetupError::InvalidCookieName), "{name:?}");
    }
}

#[test]
fn a_cookie_shows_its_name_and_path_and_never_its_value() {
    let longest = "a".repeat(256);
    assert_eq!(Cookie::host(&longest).unwrap().name(), format!("__Host-{longest}"));
    let cookie = Cookie::secure("a", "/b").unwrap();
    assert_eq!((cookie.name(), cookie.path()), ("__Secure-a", "/b"));
    let set = cookie.set("value", DAY).unwrap();
    let length = set.expose_secret().len();
    assert_eq!(format!("{set:?}"), format!("SetCookie(__Secure-a, {length} bytes)"));
}

#[test]
fn a_path_that_would_end_itself_or_be_ignored_is_refused() {
    let long = format!("/{}", "a".repeat(1024));
    for path in ["", "a", "../", " /a", "/a b", "/a;b", "/a; Domain=x", "/a\n", "/\u{7f}", "/é", &long] {
        assert_eq!(Cookie::refresh_under(path), Err(SetupError::InvalidCookiePath), "{path:?}");
    }
    assert!(Cookie::refresh_under(&long[..1024]).is_ok());
}

#[test]
fn a_cookie_that_browsers_would_drop_is_not_written() {
    let cookie = Cookie::refresh();
    let around = cookie.set("a", DAY).unwrap().expose_secret().len() - 1;
    let fits = "a".repeat(4096 - around);
    assert_eq!(cookie.set(&fits, DAY).unwrap().expose_secret().len(), 4096);
    let error = cookie.set(&format!("{fits}a"), DAY).unwrap_err();
    assert_eq!(error, SetupError::CookieTooLarge { bytes: 4097, limit: 4096 });
}

// ---- reading cookies ----

#[test]
fn a_cookie_is_found_among_others_whatever_they_contain() {
    let cookie = Cookie::refresh();
    for value in [
        "__Host-refresh=abc",
        "a=1; __Host-refresh=abc; b=2",
        "a=1;__Host-refresh=abc;b=2",
        "json={\"a\":1,\"b\":\"c d\"}; __Host-refresh=abc",
        "=nameless; ; novalue; __Host-refresh=abc",
        "naïve=é; __Host-refresh=abc;",
        "$Version=1; __Host-refresh=abc",
    ] {
        assert_eq!(cookie.find([value]), Ok(Some("abc")), "{value}");
    }
    assert_eq!(cookie.find([b"a=\xff\xfe; __Host-refresh=abc".as_slice()]), Ok(Some("abc")));
    assert_eq!(cookie.find(["a=1", "__Host-refresh=abc", "b=2"]), Ok(Some("abc")));
    // A value may contain text that looks like a pair.
    assert_eq!(cookie.find(["__Host-refresh=a=b=="]), Ok(Some("a=b==")));
}

#[test]
fn a_missing_cookie_is_not_an_error() {
    let cookie = Cookie::refresh();
    assert_eq!(cookie.find(NONE), Ok(None));
    for value in [
        "",
        "a=__Host-refresh=abc",
        "refresh=abc",
        "__host-refresh=abc",
        "__HOST-REFRESH=abc",
        "__Host-refresh2=abc",
        "x__Host-refresh=abc",
        "\t__Host-refresh=abc",
        "a=1;  __Host-refresh=abc",
        "\u{a0}__Host-refresh=abc",
        "\u{2000}__Host-refresh=abc",
        "%5f%5fHost-refresh=abc",
        "\"__Host-refresh=abc\"",
        "__Host-refresh =abc",
        "__Secure-refresh=abc",
    ] {
        assert_eq!(cookie.find([value]), Ok(None), "{value:?}");
    }
}

#[test]
fn a_duplicate_cookie_is_refused() {
    let cookie = Cookie::refresh();
    for values in [
        vec!["__Host-refresh=abc; __Host-refresh=def"],
        vec!["__Host-refresh=abc; __Host-refresh=abc"],
        vec!["__Host-refresh=abc;a=1;__Host-refresh=def"],
        vec!["__Host-refresh=abc", "__Host-refresh=def"],
        vec!["__Host-refresh=abc; __Host-refresh"],
        vec!["__Host-refresh=; __Host-refresh=abc"],
        vec!["__Host-refresh=\"; __Host-refresh=abc"],
        vec!["__Host-refresh=a; __Host-refresh=b; __Host-refresh=c"],
    ] {
        assert_eq!(cookie.find(values.clone()), Err(RequestError::DoubledCookie), "{values:?}");
    }
}

#[test]
fn find_all_returns_every_value_that_can_be_a_token() {
    let cookie = Cookie::refresh();
    for (values, found) in [
        (vec![], vec![]),
        (vec!["a=1; __host-refresh=abc; X__Host-refresh=abc"], vec![]),
        (vec!["__Host-refresh=abc"], vec!["abc"]),
        (vec!["__Host-refresh=abc; a=1; __Host-refresh=def"], vec!["abc", "def"]),
        (vec!["__Host-refresh=abc", "__Host-refresh=abc"], vec!["abc", "abc"]),
        (vec!["__Host-refresh=; __Host-refresh; __Host-refresh=\"; __Host-refresh=abc"], vec!["abc"]),
    ] {
        assert_eq!(cookie.find_all(values.clone()), found, "{values:?}");
    }
}

#[test]
fn a_value_that_was_never_set_is_malformed() {
    for value in ["", "\"abc\"", "a b", " abc", "abc ", "a,b", "a\\b", "a\tb", "aé", "a\0"] {
        let header = format!("__Host-refresh={value}");
        assert_eq!(Cookie::refresh().find([&header]), Err(RequestError::MalformedCookie), "{value:?}");
    }
    assert_eq!(Cookie::refresh().find(["__Host-refresh"]), Err(RequestError::MalformedCookie));
}

// ---- origins ----

#[test]
fn an_allowed_origin_is_accepted_and_a_foreign_one_is_refused() {
    let origins = AllowedOrigins::new(["https://app.example", "http://localhost:8080"]).unwrap();
    for site in ["same-origin", "same-site", "cross-site", "none", "nonsense"] {
        assert_eq!(origins.check(["https://app.example"], [site]), Ok(()), "{site}");
        assert_eq!(origins.check(["https://evil.example"], [site]), Err(RequestError::ForeignOrigin));
    }
    assert_eq!(origins.check(["http://localhost:8080"], NONE), Ok(()));
    for origin in [
        "",
        "null",
        "*",
        "https://app.example/",
        "https://app.example:443",
        "https://APP.example",
        "http://app.example",
        "https://app.example.evil.example",
        "https://evil.example#https://app.example",
        "https://app.example https://evil.example",
        "app.example",
        " https://app.example",
        "http://localhost",
        "http://localhost:80801",
    ] {
        assert_eq!(origins.check([origin], ["same-origin"]), Err(RequestError::ForeignOrigin), "{origin:?}");
    }
    assert_eq!(origins.check([b"\xff".as_slice()], NONE), Err(RequestError::ForeignOrigin));
}

#[test]
fn without_an_origin_only_same_origin_and_none_are_accepted() {
    let origins = AllowedOrigins::new(["https://app.example"]).unwrap();
    for site in ["same-origin", "none"] {
        assert_eq!(origins.check(NONE, [site]), Ok(()), "{site}");
    }
    for site in ["same-site", "cross-site", "", "Same-Origin", "same-origin ", "same-origin, none", "?"] {
        assert_eq!(origins.check(NONE, [site]), Err(RequestError::CrossSite), "{site:?}");
    }
}

#[test]
fn a_request_without_origin_headers_is_refused_unless_allowed() {
    let origins = AllowedOrigins::new(["https://app.example"]).unwrap();
    assert_eq!(origins.check(NONE, NONE), Err(RequestError::NoOrigin));
    let origins = origins.allow_requests_without_origin();
    assert_eq!(origins.check(NONE, NONE), Ok(()));
    // It does not allow requests with a wrong header.
    assert_eq!(origins.check(["https://evil.example"], NONE), Err(RequestError::ForeignOrigin));
    assert_eq!(origins.check(NONE, ["cross-site"]), Err(RequestError::CrossSite));
}

#[test]
fn a_request_with_two_origins_is_refused() {
    let origins = AllowedOrigins::new(["https://app.example"]).unwrap();
    let own = "https://app.example";
    for (origin, site) in [
        (vec![own, own], vec![]),
        (vec![own, "https://evil.example"], vec!["same-origin"]),
        (vec![own], vec!["same-origin", "cross-site"]),
        (vec![], vec!["same-origin", "same-origin"]),
    ] {
        assert_eq!(origins.check(&origin, &site), Err(RequestError::SeveralOrigins), "{origin:?} {site:?}");
    }
}

#[test]
fn an_origin_that_no_browser_sends_cannot_be_allowed() {
    assert_eq!(AllowedOrigins::new(NONE), Err(SetupError::NoOrigins));
    for origin in [
        "",
        "*",
        "null",
        "app.example",
        "//app.example",
        "https://",
        "https://app.example/",
        "https://app.example/path",
        "https://app.example?",
        "https://user@app.example",
        "https://*.app.example",
        "https://App.example",
        "HTTPS://app.example",
        "https://app.example:443",
        "http://app.example:80",
        "https://app.example:",
        "https://app.example:0",
        "https://app.example:08",
        "https://app.example:+8",
        "https://app.example:65536",
        "https://app.example:a",
        "https://app.example:1:2",
        "https://:8080",
        "https://äpp.example",
        "https://app example",
        "https://app.example\n",
        "https://[::1",
        "https://::1",
        "https://[::G]",
        "https://[2001:DB8::1]",
        "https://[::1]x:80",
        "1https://app.example",
    ] {
        let error = AllowedOrigins::new(["https://good.example", origin]).unwrap_err();
        assert_eq!(error, SetupError::InvalidOrigin { position: 1 }, "{origin:?}");
    }
    for origin in [
        "https://app.example",
        "https://app.example:80",
        "http://app.example:443",
        "http://localhost:8080",
        "http://127.0.0.1:3000",
        "http://[::1]:3000",
        "http://[2001:db8::1]",
        "https://xn--pp-uia.example",
        "chrome-extension://abcdefghijklmnop",
    ] {
        let origins = AllowedOrigins::new([origin]).unwrap();
        assert_eq!(origins.check([origin], NONE), Ok(()), "{origin}");
    }
}

// ---- properties ----

proptest! {
    #[test]
    fn an_accepted_bearer_token_is_the_end_of_its_value(value in prop::collection::vec(any::<u8>(), 0..40)) {
        for value in [value.clone(), [b"Bearer ".as_slice(), &value].concat()] {
            if let Ok(token) = bearer_token([&value]) {
                prop_assert!(value.ends_with(token.as_bytes()));
                prop_assert!(token.bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert_eq!(value[..value.len() - token.len()].trim_ascii_end().len(), "Bearer".len());
            }
        }
    }

    #[test]
    fn a_cookie_that_is_set_is_found_again(
        name in "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}",
        value in "[!#-+\\--:<-\\[\\]-~]{1,60}",
        before in "[^;]{0,20}",
        after in "[^;]{0,20}",
    ) {
        prop_assume!(!name.starts_with("__"));
        let cookie = Cookie::host(&name).unwrap();
        let set = cookie.set(&value, DAY).unwrap();
        let pair = set.expose_secret().split("; ").next().unwrap();
        let header = format!("{before}; {pair}; {after}");
        prop_assert_eq!(cookie.find([&header]), Ok(Some(&*value)));
    }

    #[test]
    fn any_cookie_header_is_read_without_a_panic(header in prop::collection::vec(any::<u8>(), 0..60)) {
        let cookie = Cookie::refresh();
        let planted = [b"__Host-refresh=".as_slice(), &header].concat();
        for header in [header, planted] {
            if let Ok(Some(value)) = cookie.find([&header]) {
                prop_assert_eq!(cookie.find_all([&header]), [value]);
                prop_assert!(cookie.set(value, DAY).is_ok());
            }
        }
    }

    #[test]
    fn any_realm_can_be_read_back_from_its_quotes(realm in "[ -~]{1,40}") {
        let challenge = Challenge::missing_credentials().with_realm(&Realm::new(&realm).unwrap());
        let quoted = www_authenticate(&challenge).strip_prefix("Bearer realm=\"").unwrap();
        let (mut read, mut characters) = (String::new(), quoted.chars());
        loop {
            match characters.next().expect("a closing quote") {
                '"' => break,
                '\\' => read.push(characters.next().expect("an escaped character")),
                plain => read.push(plain),
            }
        }
        prop_assert_eq!(read, realm);
        prop_assert_eq!(characters.as_str(), "");
    }
}
