//! Compares the manual page on migrating with what the crates that it names do.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use countersign::{HmacKey, KeySet, PublicKey, SecretBytes, UnixTime, VerifyError};
use hmac::{Hmac, KeyInit, Mac};
use josekit::jws::HS256;
use josekit::jwt::{self, JwtPayloadValidator};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use jwt_simple::prelude::{HS256Key, MACLike, NoCustomClaims, VerificationOptions};
use migrating::{josekit_0_10, jsonwebtoken_12, jwt_simple_0_15};
use serde_json::Value;

const PAGE: &str = include_str!("../../../src/manual/migrating_peers.md");
const RSA_PRIVATE: &str = include_str!("../../../benches/compare/keys/rsa2048.private.pem");
const RSA_PUBLIC: &str = include_str!("../../../benches/compare/keys/rsa2048.public.pem");
const P256_PRIVATE: &str = include_str!("../../../benches/compare/keys/p256.private.pem");
const P256_PUBLIC: &str = include_str!("../../../benches/compare/keys/p256.public.pem");

const RSA_1024_PRIVATE: &str = include_str!("../keys/rsa_1024.pem");
const RSA_1024_PUBLIC: &str = include_str!("../keys/rsa_1024_public.pem");

const SECRET: [u8; 32] = [7; 32];
const OTHER_SECRET: [u8; 32] = [8; 32];
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

// ---- both sides verify each other's tokens ----

/// Signs with the code before and after, and verifies each token with both.
macro_rules! check_both_ways {
    ($module:ident, $role_before:expr, $role_after:expr) => {
        use $module::{after, before};
        let (role_before, role_after) = ($role_before, $role_after);
        let set = &set();
        for token in [before::sign_hs256(&SECRET).unwrap(), after::sign_hs256(&SECRET).unwrap()] {
            assert_eq!(role_before(before::verify_hs256(&SECRET, &token).unwrap()), "admin");
            assert_eq!(role_after(after::verify_hs256(&SECRET, &token).unwrap()), "admin");
            assert!(before::verify_hs256(&OTHER_SECRET, &token).is_err());
            assert!(after::verify_hs256(&OTHER_SECRET, &token).is_err());
        }
        for token in [before::sign_es256(P256_PRIVATE).unwrap(), after::sign_es256(P256_PRIVATE).unwrap()] {
            assert_eq!(role_before(before::verify_es256(P256_PUBLIC, &token).unwrap()), "admin");
            assert_eq!(role_after(after::verify_es256(P256_PUBLIC, &token).unwrap()), "admin");
            assert!(before::verify_rs256(RSA_PUBLIC, &token).is_err());
            assert!(after::verify_rs256(RSA_PUBLIC, &token).is_err());
        }
        for kid in [None, Some("2026"), Some("2027")] {
            let signed =
                [before::sign_rs256(RSA_PRIVATE, kid).unwrap(), after::sign_rs256(RSA_PRIVATE, kid).unwrap()];
            for token in signed {
                assert_eq!(role_before(before::verify_rs256(RSA_PUBLIC, &token).unwrap()), "admin");
                assert_eq!(role_after(after::verify_rs256(RSA_PUBLIC, &token).unwrap()), "admin");
                // Here, a token without a `kid` is verified with the only key that has its algorithm.
                assert_eq!(before::verify_with_set(set, &token).is_ok(), kid == Some("2026"), "{kid:?}");
                assert_eq!(after::verify_with_set(set, &token).is_ok(), kid != Some("2027"), "{kid:?}");
            }
        }
        for (issuer, audience, accepted) in [
            ("https://auth.example", "https://api.example", true),
            ("https://auth.example", "https://mail.example", false),
            ("https://evil.example", "https://api.example", false),
        ] {
            let token = hs256(
                HEADER,
                &claims(&format!(r#","iss":"{issuer}","aud":"{audience}","sub":"ann","role":"admin""#)),
            );
            assert_eq!(before::verify_hs256(&SECRET, &token).is_ok(), accepted, "{issuer} {audience}");
            assert_eq!(after::verify_hs256(&SECRET, &token).is_ok(), accepted, "{issuer} {audience}");
        }
    };
}

#[test]
fn jsonwebtoken_and_this_crate_verify_each_others_tokens() {
    check_both_ways!(jsonwebtoken_12, |access: before::Access| access.role, |access: after::Access| access
        .role);
}

#[test]
fn jwt_simple_and_this_crate_verify_each_others_tokens() {
    check_both_ways!(jwt_simple_0_15, |access: before::Access| access.role, |access: after::Access| access
        .role);
}

#[test]
fn josekit_and_this_crate_verify_each_others_tokens() {
    check_both_ways!(
        josekit_0_10,
        |payload: jwt::JwtPayload| payload.claim("role").and_then(Value::as_str).map(str::to_owned).unwrap(),
        |claims: serde_json::Map<String, Value>| claims["role"].as_str().map(str::to_owned).unwrap()
    );
}

// ---- the page ----

#[test]
fn the_page_shows_the_code_that_is_compiled() {
    for (title, before, after) in [
        (
            "# From jsonwebtoken 12",
            include_str!("../src/jsonwebtoken_12/before.rs"),
            include_str!("../src/jsonwebtoken_12/after.rs"),
        ),
        (
            "# From jwt-simple 0.15",
            include_str!("../src/jwt_simple_0_15/before.rs"),
            include_str!("../src/jwt_simple_0_15/after.rs"),
        ),
        (
            "# From josekit 0.10",
            include_str!("../src/josekit_0_10/before.rs"),
            include_str!("../src/josekit_0_10/after.rs"),
        ),
    ] {
        let section = PAGE.split_once(&format!("\n{title}\n")).unwrap().1;
        let section = section.split("\n# ").next().unwrap();
        // Text and code in turn.
        let parts: Vec<&str> = section.split("```\n").collect();
        let blocks: Vec<&str> = parts.iter().skip(1).step_by(2).copied().collect();
        let shown =
            |first: usize| blocks.iter().skip(first).step_by(2).copied().collect::<Vec<_>>().join("\n");
        assert_eq!(shown(0), before, "{title}");
        assert_eq!(shown(1), after, "{title}");
    }
}

#[test]
fn the_page_names_the_versions_that_are_compiled() {
    let lock = include_str!("../../../benches/compare/Cargo.lock");
    for (name, version) in [("jsonwebtoken", "12."), ("jwt-simple", "0.15."), ("josekit", "0.10.")] {
        assert!(lock.contains(&format!("name = \"{name}\"\nversion = \"{version}")), "{name}");
    }
}

#[test]
fn the_sentences_before_the_code_are_true() {
    let names = |token: &str| {
        let payload = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let payload: serde_json::Map<String, Value> = serde_json::from_slice(&payload).unwrap();
        ["exp", "iat", "nbf"].map(|name| payload.contains_key(name))
    };
    assert_eq!(names(&jwt_simple_0_15::before::sign_hs256(&SECRET).unwrap()), [true, true, true]);
    assert_eq!(names(&jwt_simple_0_15::after::sign_hs256(&SECRET).unwrap()), [true, true, false]);

    // The struct of the code before, with `exp` as a `u64`.
    let verifier = jsonwebtoken_12::after::verifier(key()).unwrap();
    let token = with(r#","sub":"ann","role":"admin""#);
    assert_eq!(verifier.verify::<jsonwebtoken_12::before::Access>(&token).unwrap().claims().role, "admin");
    // Strict settings of jsonwebtoken.
    let mut validation = jsonwebtoken_12::before::validation(Algorithm::HS256);
    assert!(jsonwebtoken(&hs256(HEADER, &claims("")), &validation).is_ok());
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.validate_nbf = true;
    assert!(jsonwebtoken(&with(""), &validation).is_ok());
    for refused in [claims(ISSUER), claims(AUDIENCE)] {
        assert!(jsonwebtoken(&hs256(HEADER, &refused), &validation).is_err());
    }
    assert!(jsonwebtoken(&with(&format!(r#","nbf":{}"#, now(3600))), &validation).is_err());

    let verifier = HS256.verifier_from_bytes(SECRET).unwrap();
    assert!(jwt::decode_with_verifier(expiring(-3600), &verifier).is_ok());
    let map = josekit_0_10::after::verify_hs256(&SECRET, &with("")).unwrap();
    assert_eq!(map["iss"], "https://auth.example");
}

#[test]
fn the_table_says_what_each_crate_does() {
    let table: String = ROWS.iter().map(|(token, run)| row(token, *run)).collect();
    let shown: String = PAGE
        .lines()
        .skip_while(|line| !line.starts_with("|---"))
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .flat_map(|line| [line, "\n"])
        .collect();
    assert_eq!(shown, table, "the results are:\n{table}");
}

/// Tells whether a crate accepts something. The error is our code, or empty for another crate.
type Run = fn(Library) -> Result<(), String>;

fn row(token: &str, run: Run) -> String {
    let cells = Library::ALL.map(|library| match run(library) {
        Ok(()) => "accepts".to_owned(),
        Err(code) if code.is_empty() => "refuses".to_owned(),
        Err(code) => format!("refuses: `{code}`"),
    });
    format!("| {token} | {} |\n", cells.join(" | "))
}

/// What each row of the table is about.
#[rustfmt::skip]
const ROWS: &[(&str, Run)] = &[
    ("has the claims of the policy", |library| library.verify(&with(""))),
    ("has no `exp`", |library| library.verify(&hs256(HEADER, &format!("{{{NAMES}}}")))),
    ("expired 20 seconds ago", |library| library.verify(&expiring(-20))),
    ("expired 50 seconds ago", |library| library.verify(&expiring(-50))),
    ("expired 10 minutes ago", |library| library.verify(&expiring(-600))),
    ("expired 20 minutes ago", |library| library.verify(&expiring(-1200))),
    ("has an `nbf` one hour ahead", |library| library.verify(&with(&format!(r#","nbf":{}"#, now(3600))))),
    ("has an `iat` one hour ahead", |library| library.verify(&with(&format!(r#","iat":{}"#, now(3600))))),
    ("has no `iss`, which the policy names", |library| library.verify(&hs256(HEADER, &claims(AUDIENCE)))),
    ("has no `aud`, which the policy names", |library| library.verify(&hs256(HEADER, &claims(ISSUER)))),
    ("has an `aud`, and the policy names none", |library| library.verify_without_audience(&with(""))),
    ("has an array as `iss`, with the right one in it", |library| {
        library.verify(&hs256(HEADER, &claims(&format!(r#"{AUDIENCE},"iss":["https://evil.example","https://auth.example"]"#))))
    }),
    ("has a number as `sub`", |library| library.verify(&with(r#","sub":7"#))),
    ("has `sub` twice", |library| library.verify(&with(r#","sub":"ann","sub":"eve""#))),
    ("has a fraction in `exp`", |library| library.verify(&exp(&format!("{}.5", now(900))))),
    ("has a text as `exp`", |library| library.verify(&exp(&format!("\"{}\"", now(900))))),
    ("has `null` as `exp`", |library| library.verify(&exp("null"))),
    ("has the `typ` `at+jwt`", |library| library.verify(&headed(r#"{"alg":"HS256","typ":"at+jwt"}"#))),
    ("has the `typ` `JOSE`", |library| library.verify(&headed(r#"{"alg":"HS256","typ":"JOSE"}"#))),
    ("has no `typ`", |library| library.verify(&headed(r#"{"alg":"HS256"}"#))),
    ("has a `crit` with an unknown name", |library| library.verify(&headed(r#"{"alg":"HS256","crit":["x"],"x":1}"#))),
    ("has an empty `crit`", |library| library.verify(&headed(r#"{"alg":"HS256","crit":[]}"#))),
    ("has `b64` false without `crit`", |library| library.verify(&headed(r#"{"alg":"HS256","b64":false}"#))),
    ("has another `kid` than the key", |library| library.verify_named(&headed(r#"{"alg":"HS256","kid":"2025"}"#))),
    ("has no `kid`, but the key has one", |library| library.verify_named(&with(""))),
    ("has a number as `kid`", |library| library.verify(&headed(r#"{"alg":"HS256","kid":7}"#))),
    ("has `alg` twice", |library| library.verify(&headed(r#"{"alg":"HS256","alg":"HS256"}"#))),
    ("is padded with `=`", |library| library.verify(&padded())),
    ("has a line break at its end", |library| library.verify(&format!("{}\n", with("")))),
    ("has the `alg` `none` and no signature", |library| library.verify(&unsigned())),
    ("a secret of 16 bytes", |library| library.take_secret(&SECRET[..16])),
    ("an empty secret", |library| library.take_secret(b"")),
    ("a public key in PEM, as secret", |library| library.take_secret(RSA_PUBLIC.as_bytes())),
    ("an RSA key of 1024 bits", |library| library.take_rsa(RSA_1024_PUBLIC)),
];

// ---- the crates, with their defaults ----

#[derive(Clone, Copy)]
enum Library {
    Jsonwebtoken,
    JwtSimple,
    Josekit,
    Countersign,
}

impl Library {
    const ALL: [Self; 4] = [Self::Jsonwebtoken, Self::JwtSimple, Self::Josekit, Self::Countersign];

    /// Verifies with the issuer and the audience of the page.
    fn verify(self, token: &str) -> Result<(), String> {
        match self {
            Self::Jsonwebtoken => jsonwebtoken(token, &jsonwebtoken_12::before::validation(Algorithm::HS256)),
            Self::JwtSimple => {
                jwt_simple(&HS256Key::from_bytes(&SECRET), token, jwt_simple_0_15::before::options())
            }
            Self::Josekit => {
                let verifier = HS256.verifier_from_bytes(SECRET).unwrap();
                let (payload, _) = jwt::decode_with_verifier(token, &verifier).map_err(drop_text)?;
                josekit_0_10::before::validate(payload).map(drop).map_err(drop_text)
            }
            Self::Countersign => countersign(key(), token),
        }
    }

    /// Verifies with the issuer of the page and without an audience.
    fn verify_without_audience(self, token: &str) -> Result<(), String> {
        match self {
            Self::Jsonwebtoken => {
                let mut validation = Validation::new(Algorithm::HS256);
                validation.set_issuer(&["https://auth.example"]);
                jsonwebtoken(token, &validation)
            }
            Self::JwtSimple => {
                let options =
                    VerificationOptions { allowed_audiences: None, ..jwt_simple_0_15::before::options() };
                jwt_simple(&HS256Key::from_bytes(&SECRET), token, options)
            }
            Self::Josekit => {
                let verifier = HS256.verifier_from_bytes(SECRET).unwrap();
                let (payload, _) = jwt::decode_with_verifier(token, &verifier).map_err(drop_text)?;
                let mut validator = JwtPayloadValidator::new();
                validator.set_issuer("https://auth.example");
                validator.validate(&payload).map_err(drop_text)
            }
            Self::Countersign => {
                let builder =
                    countersign::Verifier::builder(key()).issuer("https://auth.example").no_audience();
                refusal(builder.build().unwrap().verify::<()>(token))
            }
        }
    }

    /// Verifies with a key that has a name, where keys can have one.
    fn verify_named(self, token: &str) -> Result<(), String> {
        match self {
            Self::Jsonwebtoken => self.verify(token),
            Self::JwtSimple => {
                let key = HS256Key::from_bytes(&SECRET).with_key_id("2026");
                jwt_simple(&key, token, jwt_simple_0_15::before::options())
            }
            Self::Josekit => {
                let mut verifier = HS256.verifier_from_bytes(SECRET).unwrap();
                verifier.set_key_id("2026");
                let (payload, _) = jwt::decode_with_verifier(token, &verifier).map_err(drop_text)?;
                josekit_0_10::before::validate(payload).map(drop).map_err(drop_text)
            }
            Self::Countersign => countersign(key().with_key_id("2026").unwrap(), token),
        }
    }

    /// Makes an HS256 key of these bytes, or a verifier where the crate has no keys.
    fn take_secret(self, secret: &[u8]) -> Result<(), String> {
        match self {
            Self::Jsonwebtoken => DecodingKey::from_secret(secret).map(drop).map_err(drop_text),
            Self::JwtSimple => {
                // Its constructor has no error, so the key is used.
                let key = HS256Key::from_bytes(secret);
                let token = key.authenticate(jwt_simple_0_15::before::claims()).map_err(drop_text)?;
                jwt_simple(&key, &token, jwt_simple_0_15::before::options())
            }
            Self::Josekit => HS256.verifier_from_bytes(secret).map(drop).map_err(drop_text),
            Self::Countersign => HmacKey::hs256(&SecretBytes::from_bytes(secret))
                .map(drop)
                .map_err(|error| error.code().to_owned()),
        }
    }

    /// Verifies [`weak`] with this key.
    fn take_rsa(self, pem: &str) -> Result<(), String> {
        match self {
            Self::Jsonwebtoken => {
                jsonwebtoken_12::before::verify_rs256(pem, &weak()).map(drop).map_err(drop_text)
            }
            Self::JwtSimple => {
                jwt_simple_0_15::before::verify_rs256(pem, &weak()).map(drop).map_err(drop_text)
            }
            Self::Josekit => josekit_0_10::before::verify_rs256(pem, &weak()).map(drop).map_err(drop_text),
            Self::Countersign => {
                let key = PublicKey::from_pem(pem).and_then(|key| key.rs256());
                key.map(drop).map_err(|error| error.code().to_owned())
            }
        }
    }
}

/// A token by [`RSA_1024_PRIVATE`].
fn weak() -> String {
    jsonwebtoken_12::before::sign_rs256(RSA_1024_PRIVATE, None).unwrap()
}

fn jsonwebtoken(token: &str, validation: &Validation) -> Result<(), String> {
    let key = DecodingKey::from_secret(&SECRET).unwrap();
    jsonwebtoken::decode::<Value>(token, &key, validation).map(drop).map_err(drop_text)
}

fn jwt_simple(key: &HS256Key, token: &str, options: VerificationOptions) -> Result<(), String> {
    key.verify_token::<NoCustomClaims>(token, Some(options)).map(drop).map_err(drop_text)
}

fn countersign(key: HmacKey, token: &str) -> Result<(), String> {
    refusal(jsonwebtoken_12::after::verifier(key).unwrap().verify::<()>(token))
}

fn refusal<T>(result: Result<T, VerifyError>) -> Result<(), String> {
    result.map(drop).map_err(|error| error.code().to_owned())
}

/// The text of another crate's error is not on the page.
fn drop_text(_: impl std::fmt::Display) -> String {
    String::new()
}

fn key() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes(SECRET)).unwrap()
}

// ---- tokens ----

const ISSUER: &str = r#","iss":"https://auth.example""#;
const AUDIENCE: &str = r#","aud":"https://api.example""#;
/// Both, at the beginning of an object.
const NAMES: &str = r#""iss":"https://auth.example","aud":"https://api.example""#;

/// Returns the seconds since 1970, and `seconds` from now.
fn now(seconds: i64) -> i64 {
    UnixTime::now().as_secs() + seconds
}

/// Claims with an expiry, and these members, which begin with a comma.
fn claims(members: &str) -> String {
    format!(r#"{{"exp":{}{members}}}"#, now(900))
}

fn exp(value: &str) -> String {
    hs256(HEADER, &format!(r#"{{{NAMES},"exp":{value}}}"#))
}

fn expiring(seconds: i64) -> String {
    exp(&now(seconds).to_string())
}

/// A token with everything that the policy names, and these members, which begin with a comma.
fn with(members: &str) -> String {
    hs256(HEADER, &claims(&format!("{ISSUER}{AUDIENCE}{members}")))
}

fn headed(header: &str) -> String {
    hs256(header, &claims(&format!("{ISSUER}{AUDIENCE}")))
}

fn hs256(header: &str, payload: &str) -> String {
    sign(format!("{}.{}", BASE64_URL_SAFE_NO_PAD.encode(header), BASE64_URL_SAFE_NO_PAD.encode(payload)))
}

fn sign(input: String) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&SECRET).unwrap();
    mac.update(input.as_bytes());
    format!("{input}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// The padding is in the header, which the signature covers.
fn padded() -> String {
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT" }"#);
    assert_eq!(header.len() % 4, 2);
    sign(format!("{header}==.{}", BASE64_URL_SAFE_NO_PAD.encode(claims(&format!("{ISSUER}{AUDIENCE}")))))
}

fn unsigned() -> String {
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
    format!("{header}.{}.", BASE64_URL_SAFE_NO_PAD.encode(claims(&format!("{ISSUER}{AUDIENCE}"))))
}

/// A JWK set of the RSA key, under the name "2026".
fn set() -> String {
    let mut set = KeySet::new();
    set.insert(PublicKey::from_pem(RSA_PUBLIC).unwrap().rs256().unwrap().with_key_id("2026").unwrap())
        .unwrap();
    set.to_jwks().unwrap()
}
