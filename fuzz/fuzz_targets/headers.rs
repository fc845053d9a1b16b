//! Law: any headers are read or refused, without a panic. A value that is read is part of the header, follows the grammar, and
//! can be written again. Only the allowed origin passes, and no request without an origin that says it comes from another site.
#![no_main]

use core::time::Duration;
use countersign::http::{AllowedOrigins, Challenge, Cookie, Realm, Scope, bearer_token};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

static ORIGINS: LazyLock<AllowedOrigins> =
    LazyLock::new(|| AllowedOrigins::new(["https://app.example"]).unwrap());
static COOKIES: LazyLock<[Cookie; 2]> =
    LazyLock::new(|| [Cookie::refresh(), Cookie::refresh_under("/auth").unwrap()]);

fuzz_target!(|values: (Vec<&[u8]>, &str)| {
    let (values, text) = values;
    if let Ok(token) = bearer_token(values.iter().copied()) {
        assert!(values.len() == 1 && values[0].ends_with(token.as_bytes()));
        assert!(token.bytes().all(|byte| byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)));
        assert_eq!(bearer_token([&format!("bearer  {token}")]), Ok(token));
    }
    for cookie in &*COOKIES {
        if let Ok(Some(value)) = cookie.find(values.iter().copied()) {
            if let Ok(set) = cookie.set(value, Duration::from_secs(60)) {
                let pair = set.expose_secret().split(';').next().unwrap();
                assert_eq!(cookie.find([pair]), Ok(Some(value)));
            }
        }
    }
    if ORIGINS.check(values.iter().take(1), values.iter().skip(1)).is_ok() {
        let site = values.get(1).copied().unwrap_or_default();
        assert!(values[0] == b"https://app.example", "{site:?}");
    }
    if ORIGINS.check([] as [&[u8]; 0], &values).is_ok() {
        assert!(values == [b"same-origin"] || values == [b"none" as &[u8]], "{values:?}");
    }
    for challenge in [
        Realm::new(text).map(|realm| Challenge::missing_credentials().with_realm(&realm)),
        Scope::new(text).map(|scope| Challenge::insufficient_scope(&scope)),
    ]
    .into_iter()
    .flatten()
    {
        assert!(challenge.www_authenticate().unwrap().bytes().all(|byte| matches!(byte, b' '..=b'~')));
    }
    for (name, path) in [(text, "/"), ("a", text)] {
        if let Ok(cookie) = Cookie::secure(name, path) {
            assert_eq!(cookie.clear().matches(';').count(), 5);
        }
    }
});
