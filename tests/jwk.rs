//! JSON Web Keys: the keys of the RFCs, each refusal by the member that it names, and what is written and read again.
#![cfg(feature = "key-files")]

#[path = "util/jwks.rs"]
mod jwks;
mod util;

use core::fmt::Debug;
use countersign::jwk::{Jwk, JwkError, Thumbprint};
use countersign::{Algorithm, HmacKey, Identity, KeyError, SecretBytes, SignKey, jws};
use jwks::{COOKBOOK_ENCRYPTION_SECRET, COOKBOOK_SECRET, HMAC_SECRET, WRAPPING_SECRET};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use util::{assert_discreet, assert_hides, b64};

/// The algorithms with the name that they have in a JWK.
const ALGORITHMS: [Algorithm; 14] = [
    Algorithm::Hs256,
    Algorithm::Hs384,
    Algorithm::Hs512,
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::Es256k,
    Algorithm::Ed25519,
];

/// The members that this crate knows, by the JSON type of their values.
const STRINGS: [&str; 21] = [
    "kty", "use", "alg", "kid", "x5u", "x5t", "x5t#S256", "crv", "x", "y", "n", "e", "pub", "d", "p", "q",
    "dp", "dq", "qi", "k", "priv",
];
const ARRAYS: [&str; 3] = ["key_ops", "x5c", "oth"];

fn members(jwk: &str) -> Map<String, Value> {
    serde_json::from_str(jwk).unwrap()
}

/// Returns a JWK with another value of one member.
fn with(jwk: &str, member: &str, value: impl Into<Value>) -> String {
    let mut members = members(jwk);
    members.insert(member.into(), value.into());
    Value::Object(members).to_string()
}

fn without(jwk: &str, member: &str) -> String {
    let mut members = members(jwk);
    assert!(members.remove(member).is_some(), "{member}");
    Value::Object(members).to_string()
}

/// Checks that a JWK is refused for this reason, and that the error names the member and tells nothing of the key.
#[track_caller]
fn refused<K: Debug>(made: Result<K, KeyError>, expected: JwkError, jwk: &str) {
    let error = made.unwrap_err();
    assert_eq!(error, KeyError::Jwk(expected), "{jwk}");
    assert_eq!(error.code(), expected.code());
    assert!(error.code().starts_with("jwk_"));
    if let Some(member) = expected.member() {
        assert!(error.to_string().contains(&format!("member {member} of the JWK")), "{error}");
    }
    let hidden: Vec<String> = match serde_json::from_str(jwk) {
        Ok(Value::Object(members)) => members
            .values()
            .filter_map(Value::as_str)
            .filter(|text| text.len() > 20)
            .map(Into::into)
            .collect(),
        _ => Vec::new(),
    };
    assert_discreet(&error, &hidden.iter().map(|text| &**text).collect::<Vec<_>>());
}

// ---- text ----

#[test]
fn a_text_that_is_not_one_json_object_is_refused() {
    for (text, offset) in [
        ("", 0),
        (" ", 1),
        ("7", 0),
        ("null", 0),
        ("\"kty\"", 0),
        ("[]", 0),
        (r#"[{"kty":"oct","k":"AAAA"}]"#, 0),
        ("{", 1),
        (r#"{"kty":"oct"} x"#, 14),
        (r#"{"kty":"oct"}{}"#, 13),
        (r#"{"kty":"oct",}"#, 13),
        (r#"{kty:"oct"}"#, 1),
        (r"{'kty':'oct'}", 1),
        ("\u{feff}{}", 0),
        (r#"{"kty":"oct","k":"\ud800"}"#, 18),
        ("{\"kty\":\"oct\",\"k\":\"AA\nAA\"}", 20),
    ] {
        let error = Jwk::parse(text).unwrap_err();
        let KeyError::Jwk(JwkError::NotAnObject { offset: found }) = error else {
            panic!("{text}: {error:?}")
        };
        assert!(found.abs_diff(offset) <= 2, "{text}: {found}");
        refused(SecretBytes::from_jwk(text), JwkError::NotAnObject { offset: found }, text);
    }
}

#[test]
fn a_set_an_encrypted_key_a_pem_and_a_page_are_named() {
    for text in
        [r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AAAA"}],"other":1}"#, r#"{"\u006beys":null}"#]
    {
        refused(Jwk::parse(text), JwkError::KeySet, text);
    }
    for text in [
        r#"{"protected":"eyJ9","encrypted_key":"AA","iv":"AA","ciphertext":"AA","tag":"AA"}"#,
        "eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1cifQ.AA.AA.AA.AA",
    ] {
        refused(Jwk::parse(text), JwkError::Encrypted, text);
    }
    for text in
        ["-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "\n-----BEGIN PRIVATE KEY-----"]
    {
        refused(Jwk::parse(text), JwkError::Pem, text);
    }
    refused(Jwk::parse("\r\n<html>"), JwkError::Html, "html");
    // A member of that name in a key is one that this crate does not know.
    for member in ["keys", "ciphertext"] {
        assert!(SecretBytes::from_jwk(&with(COOKBOOK_SECRET, member, "x")).is_ok());
    }
}

#[test]
fn a_member_that_occurs_twice_is_refused_in_any_spelling() {
    for member in STRINGS.into_iter().chain(ARRAYS) {
        let escaped = format!(r"\u{:04x}{}", member.as_bytes()[0], &member[1..]);
        for (one, other) in
            [(member, member), (&*escaped, member), (member, &*escaped), (&*escaped, &*escaped)]
        {
            let value = if ARRAYS.contains(&member) { "[]" } else { "\"oct\"" };
            let text = format!(r#"{{"{one}":{value},"{other}":{value}}}"#);
            refused(Jwk::parse(&text), JwkError::DuplicateMember { member: Some(member) }, &text);
        }
    }
    for text in [
        r#"{"kty":"oct","nbf":1,"nbf":2}"#,
        r#"{"kty":"oct","":1,"":1}"#,
        r#"{"é":1,"\u00e9":1,"kty":"oct"}"#,
    ] {
        refused(Jwk::parse(text), JwkError::DuplicateMember { member: None }, text);
    }
    // Only the members of the key itself.
    let nested = with(COOKBOOK_SECRET, "nested", json!({}));
    let nested = nested.replace("{}", r#"{"k":"AA","k":"BB"}"#);
    assert!(SecretBytes::from_jwk(&nested).is_ok());
}

#[test]
fn names_that_json_libraries_reserve_are_refused() {
    for name in
        ["$serde_json::private::RawValue", "$serde_json::private::Number", r"\u0024serde_json::private::x"]
    {
        let text = format!(r#"{{"kty":"oct","k":"AAAA","{name}":"1"}}"#);
        refused(Jwk::parse(&text), JwkError::ReservedMember, &text);
    }
}

#[test]
fn size_nesting_and_the_length_of_kid_are_limited() {
    let padded = |bytes: usize| format!(r#"{{"kty":"oct","k":"AAAA"}}{}"#, " ".repeat(bytes - 24));
    assert!(Jwk::parse(&padded(64 * 1024)).is_ok());
    let text = padded(64 * 1024 + 1);
    refused(Jwk::parse(&text), JwkError::TooLarge { what: "bytes", limit: 64 * 1024 }, "{}");
    let nested = |depth: usize| {
        format!(r#"{{"kty":"oct","k":"AAAA","a":{}{}}}"#, "[".repeat(depth - 1), "]".repeat(depth - 1))
    };
    assert!(Jwk::parse(&nested(128)).is_ok());
    refused(Jwk::parse(&nested(129)), JwkError::TooLarge { what: "levels of nesting", limit: 128 }, "{}");
    for kid in ["k".repeat(1024), "é".repeat(512)] {
        assert_eq!(Jwk::parse(&with(COOKBOOK_SECRET, "kid", &*kid)).unwrap().key_id(), Some(&*kid));
        let longer = with(COOKBOOK_SECRET, "kid", format!("{kid}k"));
        refused(Jwk::parse(&longer), JwkError::TooLarge { what: "bytes of kid", limit: 1024 }, &longer);
    }
    let many: Map<String, Value> = (0..4096).map(|name| (name.to_string(), json!(0))).collect();
    let many = with(&Value::Object(many).to_string(), "kty", "oct");
    refused(Jwk::parse(&many), JwkError::TooLarge { what: "members", limit: 4096 }, "{}");
}

#[test]
fn each_member_has_its_json_type() {
    let values = [
        ("\"x\"", "a string"),
        ("1", "a number"),
        ("-1.5e3", "a number"),
        ("true", "a boolean"),
        ("false", "a boolean"),
        ("null", "null"),
        ("{}", "an object"),
        ("[]", "an array"),
        ("[1]", "an array that holds something else"),
        ("[\"x\",null]", "an array that holds something else"),
    ];
    for (value, found) in values {
        let kind = if found.starts_with("an array") { "an array" } else { found };
        for member in STRINGS {
            let text =
                format!(r#"{{"{member}":{value}{}}}"#, if member == "kty" { "" } else { r#","kty":"oct""# });
            let parsed = Jwk::parse(&text);
            if kind == "a string" {
                assert!(parsed.is_ok(), "{text}");
            } else {
                refused(parsed, JwkError::WrongType { member, expected: "a string", found: kind }, &text);
            }
        }
        for member in ARRAYS {
            let text = format!(r#"{{"{member}":{value},"kty":"oct"}}"#);
            let expected = if kind == "an array" { "an array of strings" } else { "an array" };
            match (found, member) {
                ("an array", _) | (_, "oth") if kind == "an array" => {
                    assert!(Jwk::parse(&text).is_ok(), "{text}");
                }
                _ => refused(Jwk::parse(&text), JwkError::WrongType { member, expected, found }, &text),
            }
        }
    }
}

#[test]
fn members_that_are_not_known_are_ignored() {
    // As issuers send them.
    let mut extra = members(COOKBOOK_SECRET);
    for (member, value) in [
        ("x5c", json!(["MIIB", "not base64"])),
        ("x5t", json!("not a hash")),
        ("x5t#S256", json!("")),
        ("x5u", json!("ftp://")),
        ("nbf", json!(1_493_763_266)),
        ("ext", json!(true)),
        ("issuer", json!(null)),
        ("K", json!(7)),
        ("", json!({"k": []})),
    ] {
        extra.insert(member.into(), value);
    }
    let text = Value::Object(extra).to_string();
    assert!(SecretBytes::from_jwk(&text).unwrap() == SecretBytes::from_jwk(COOKBOOK_SECRET).unwrap());
}

#[test]
fn the_members_about_a_key_are_returned_as_they_are() {
    let jwk = Jwk::parse(COOKBOOK_SECRET).unwrap();
    assert_eq!((jwk.key_type(), jwk.key_use(), jwk.algorithm()), ("oct", Some("sig"), Some("HS256")));
    assert_eq!(jwk.key_id(), Some("018c0ae5-4d9b-471b-bfd6-eef314bc7037"));
    assert!(jwk.key_operations().is_none());
    let text = r#"{"\u006bty":"o\u0063t","kid":"a\"\u00e9\/","use":"","alg":"x\n","key_ops":["","\u0041","verify"]}"#;
    let jwk = Jwk::parse(text).unwrap();
    assert_eq!((jwk.key_type(), jwk.key_use(), jwk.algorithm()), ("oct", Some(""), Some("x\n")));
    assert_eq!(jwk.key_id(), Some("a\"é/"));
    assert_eq!(jwk.key_operations().unwrap().collect::<Vec<_>>(), ["", "A", "verify"]);
    assert_eq!(jwk.clone().key_operations().unwrap().count(), 3);
    assert_eq!(Jwk::parse(r#"{"kty":"x","key_ops":[]}"#).unwrap().key_operations().unwrap().count(), 0);
}

#[test]
fn an_operation_that_occurs_twice_is_refused() {
    for operations in [json!(["verify", "verify"]), json!(["", "sign", ""])] {
        let text = with(COOKBOOK_SECRET, "key_ops", operations);
        refused(Jwk::parse(&text), JwkError::DuplicateOperation, &text);
    }
}

// ---- secrets ----

#[test]
fn rfc_7517_a_3_and_rfc_7520_3_the_secrets() {
    let key = HmacKey::hs256(&SecretBytes::from_jwk(HMAC_SECRET).unwrap()).unwrap();
    // RFC 7515 appendix A.1.
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGF\
        tcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert!(jws::MessageVerifier::new(key).verify(token).is_ok());
    let named = Jwk::parse(HMAC_SECRET).unwrap().hmac_key(Algorithm::Hs256).unwrap();
    assert_eq!(named.key_id(), Some("HMAC key used in JWS spec Appendix A.1 example"));
    assert_eq!(SecretBytes::from_jwk(WRAPPING_SECRET).unwrap().expose_secret().len(), 16);
    let alg = JwkError::UnsupportedValue { member: "alg" };
    refused(Jwk::parse(WRAPPING_SECRET).unwrap().hmac_key(Algorithm::Hs256), alg, WRAPPING_SECRET);

    let key = Jwk::parse(COOKBOOK_SECRET).unwrap().hmac_key(Algorithm::Hs256).unwrap();
    assert_eq!(
        (key.algorithm(), key.key_id()),
        (Algorithm::Hs256, Some("018c0ae5-4d9b-471b-bfd6-eef314bc7037"))
    );
    let usage = JwkError::NotAllowed { member: "use" };
    let jwk = Jwk::parse(COOKBOOK_ENCRYPTION_SECRET).unwrap();
    refused(jwk.hmac_key(Algorithm::Hs256), usage, COOKBOOK_ENCRYPTION_SECRET);
}

#[test]
fn a_secret_is_needed_in_canonical_base64url() {
    let text = without(COOKBOOK_SECRET, "k");
    refused(SecretBytes::from_jwk(&text), JwkError::MissingMember { member: "k" }, &text);
    let k = members(COOKBOOK_SECRET)["k"].as_str().unwrap().to_owned();
    for (value, found) in mistakes(&k) {
        let text = with(COOKBOOK_SECRET, "k", value);
        refused(SecretBytes::from_jwk(&text), JwkError::NotBase64url { member: "k", found }, &text);
    }
    // Leading zeros belong to a secret: RFC 7518 section 6.4.1.
    let zeros = with(COOKBOOK_SECRET, "k", b64([0; 32]));
    assert!(SecretBytes::from_jwk(&zeros).unwrap() == SecretBytes::from_bytes([0; 32]));
}

/// Returns texts that are not base64url but look like `text`, and what the error says.
fn mistakes(text: &str) -> Vec<(String, &'static str)> {
    let middle = text.len() / 2;
    let inserted = |c: char| format!("{}{c}{}", &text[..middle], &text[middle..]);
    let foreign = "holds a character that base64url does not have";
    let space = "holds white space";
    let alphabet = "holds + or / in place of - or _";
    let stray = "ends in stray bits, or in one character too many";
    vec![
        (String::new(), "is empty"),
        (format!("{text}="), "is padded"),
        (format!("{text}=="), "is padded"),
        ("=".into(), "is padded"),
        (inserted('+'), alphabet),
        (inserted('/'), alphabet),
        (inserted('\n'), space),
        (inserted(' '), space),
        (format!(" {text}"), space),
        (format!("{text}\t"), space),
        (inserted('.'), foreign),
        (inserted('\0'), foreign),
        (inserted('\u{7f}'), foreign),
        (inserted('é'), foreign),
        (inserted('\u{2028}'), foreign),
        (inserted('\\'), foreign),
        (inserted('"'), foreign),
        ("A".into(), stray),
        ("AAAAA".into(), stray),
        ("QR".into(), stray),
        ("QUJ".into(), stray),
    ]
}

#[test]
fn a_secret_of_another_type_is_refused() {
    for kty in ["OCT", "Oct", "oct ", "", "RSA", "EC", "OKP", "AKP"] {
        let text = with(COOKBOOK_SECRET, "kty", kty);
        refused(SecretBytes::from_jwk(&text), JwkError::NotASecret, &text);
        refused(Jwk::parse(&text).unwrap().hmac_key(Algorithm::Hs256), JwkError::NotASecret, &text);
    }
    let text = without(COOKBOOK_SECRET, "kty");
    refused(Jwk::parse(&text), JwkError::MissingMember { member: "kty" }, &text);
}

#[test]
fn a_secret_in_a_jwk_is_held_to_the_rules_of_secrets() {
    let short = with(COOKBOOK_SECRET, "k", b64([7; 31]));
    let error = Jwk::parse(&short).unwrap().hmac_key(Algorithm::Hs256).unwrap_err();
    assert_eq!(error, KeyError::SecretTooShort { bytes: 31, minimum: 32 });
    let pem = with(COOKBOOK_SECRET, "k", b64("-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"));
    let error = Jwk::parse(&pem).unwrap().hmac_key(Algorithm::Hs256).unwrap_err();
    assert_eq!(error.code(), "not_a_secret");
    let error = Jwk::parse(&without(COOKBOOK_SECRET, "alg")).unwrap().hmac_key(Algorithm::Rs256).unwrap_err();
    assert_eq!(error, KeyError::WrongKeyType { algorithm: Algorithm::Rs256, key: "HMAC" });
}

#[test]
fn use_key_ops_and_alg_allow_or_forbid_a_key() {
    let plain = without(&without(COOKBOOK_SECRET, "use"), "alg");
    let made = |text: &str, algorithm| Jwk::parse(text).unwrap().hmac_key(algorithm);
    let secret = with(&plain, "k", b64([7; 64]));
    for algorithm in ALGORITHMS {
        // An absent member restricts nothing.
        assert_eq!(made(&secret, algorithm).is_ok(), algorithm.name().starts_with("HS"), "{algorithm}");
        let text = with(&secret, "alg", algorithm.name());
        assert_eq!(made(&text, Algorithm::Hs256).is_ok(), algorithm == Algorithm::Hs256, "{algorithm}");
    }
    for alg in ["HS384", "RS256", "EdDSA"] {
        let text = with(&secret, "alg", alg);
        refused(made(&text, Algorithm::Hs256), JwkError::NotAllowed { member: "alg" }, &text);
    }
    for alg in ["", "hs256", "none", "RSA-OAEP", "dir", "A256KW", "HS256 "] {
        let text = with(&secret, "alg", alg);
        refused(made(&text, Algorithm::Hs256), JwkError::UnsupportedValue { member: "alg" }, &text);
    }
    for usage in ["enc", "", "SIG", "sig ", "jwt-svid", "tls"] {
        let text = with(&secret, "use", usage);
        refused(made(&text, Algorithm::Hs256), JwkError::NotAllowed { member: "use" }, &text);
        // The material can still be had, by choice.
        assert!(SecretBytes::from_jwk(&text).is_ok());
    }
    for operations in
        [json!(["verify"]), json!(["sign"]), json!(["sign", "verify"]), json!(["x", "verify", ""])]
    {
        assert!(made(&with(&secret, "key_ops", operations), Algorithm::Hs256).is_ok());
    }
    for operations in [json!([]), json!(["encrypt"]), json!(["Verify"]), json!(["verify "]), json!([""])] {
        let text = with(&secret, "key_ops", operations);
        refused(made(&text, Algorithm::Hs256), JwkError::NotAllowed { member: "key_ops" }, &text);
    }
    // Each of the two has to allow the use: RFC 7517 section 4.3.
    let text = with(&with(&secret, "use", "sig"), "key_ops", json!(["encrypt"]));
    refused(made(&text, Algorithm::Hs256), JwkError::NotAllowed { member: "key_ops" }, &text);
}

#[test]
fn an_empty_kid_is_read_and_names_no_key() {
    let text = with(COOKBOOK_SECRET, "kid", "");
    let jwk = Jwk::parse(&text).unwrap();
    assert_eq!(jwk.key_id(), Some(""));
    assert_eq!(jwk.hmac_key(Algorithm::Hs256).unwrap_err(), KeyError::InvalidKeyId);
    assert!(jwk.secret().is_ok());
}

#[test]
fn a_secret_is_written_and_read_again() {
    for bytes in [1, 2, 3, 31, 32, 33, 64, 1000] {
        let secret = SecretBytes::from((0..bytes).map(|byte| byte as u8).collect::<Vec<_>>());
        let written = secret.to_private_jwk().unwrap();
        let text = written.expose_secret_text().unwrap();
        assert_eq!(text, format!(r#"{{"kty":"oct","k":"{}"}}"#, b64(secret.expose_secret())));
        assert!(SecretBytes::from_jwk(text).unwrap() == secret);
    }
    assert_eq!(SecretBytes::from_bytes("").to_private_jwk().unwrap_err(), KeyError::EmptySecret);

    let secret = SecretBytes::from_bytes([7; 32]);
    let key = HmacKey::hs256(&secret).unwrap().with_key_id("a\"\u{1}é").unwrap();
    let written = secret.to_private_jwk_for(&key).unwrap();
    let jwk = Jwk::parse(written.expose_secret_text().unwrap()).unwrap();
    assert_eq!(
        (jwk.key_use(), jwk.algorithm(), jwk.key_id()),
        (Some("sig"), Some("HS256"), Some("a\"\u{1}é"))
    );
    let again = jwk.hmac_key(Algorithm::Hs256).unwrap();
    assert_eq!(again.sign_bytes(b"x").unwrap().as_bytes(), key.sign_bytes(b"x").unwrap().as_bytes());
    let other = Identity::new(Algorithm::Rs256);
    let error = secret.to_private_jwk_for(&other).unwrap_err();
    assert_eq!(error, KeyError::WrongKeyType { algorithm: Algorithm::Rs256, key: "HMAC" });
}

#[test]
fn the_thumbprint_of_a_secret_that_can_be_guessed_is_not_computed() {
    let thumbprint = |text: &str| Jwk::parse(text).unwrap().thumbprint();
    // `{"k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg","kty":"oct"}`
    let expected = {
        use sha2::{Digest, Sha256};
        b64(Sha256::digest(r#"{"k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg","kty":"oct"}"#))
    };
    assert_eq!(thumbprint(COOKBOOK_SECRET).unwrap().to_string(), expected);
    let short = with(COOKBOOK_SECRET, "k", b64([7; 31]));
    assert_eq!(thumbprint(&short).unwrap_err(), KeyError::SecretTooShort { bytes: 31, minimum: 32 });
}

#[test]
fn a_thumbprint_has_one_spelling() {
    let text = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
    let uri = format!("urn:ietf:params:oauth:jwk-thumbprint:sha-256:{text}");
    let thumbprint: Thumbprint = text.parse().unwrap();
    assert_eq!((thumbprint.to_string(), thumbprint.to_uri()), (text.into(), uri.clone()));
    assert_eq!(Thumbprint::from_uri(&uri).unwrap(), thumbprint);
    assert_eq!(b64(thumbprint.as_bytes()), text);
    assert_eq!(format!("{thumbprint:?}"), format!("Thumbprint({text})"));
    for other in [
        "",
        &text[1..],
        &format!("{text}A"),
        &format!("{text}="),
        &text.replace("9Xs", "9Xt"),
        &text.replace('-', "+"),
        &format!(" {text}"),
        &uri,
    ] {
        refused(other.parse::<Thumbprint>(), JwkError::Thumbprint, "");
    }
    for other in [
        text,
        "",
        &uri.replace("sha-256", "sha-512"),
        &uri.replace("sha-256", "SHA-256"),
        &uri.replace("urn", "URN"),
        &uri[..uri.len() - 1],
        &format!("{uri}A"),
    ] {
        refused(Thumbprint::from_uri(other), JwkError::Thumbprint, "");
    }
}

#[test]
fn no_debug_text_shows_a_secret() {
    let jwk = Jwk::parse(COOKBOOK_SECRET).unwrap();
    let shown = format!("{jwk:?} {jwk:#?}");
    assert!(shown.starts_with(r#"Jwk { kty: "oct", kid: Some("018c0ae5"#), "{shown}");
    let k = members(COOKBOOK_SECRET)["k"].as_str().unwrap().to_owned();
    assert_hides(&[shown], &[&k]);
}

/// Spells some characters of each name and of each string as escapes, as `choice` says.
fn escaped(jwk: &str, choice: &[bool]) -> String {
    let mut choice = choice.iter().cycle();
    let mut spelled = |text: &str| -> String {
        let characters = text.chars().map(|c| match (choice.next(), c) {
            (Some(true), c) => {
                c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!(r"\u{unit:04x}")).collect()
            }
            (_, '"' | '\\') => format!(r"\{c}"),
            (_, c) => c.to_string(),
        });
        characters.collect()
    };
    let members = members(jwk);
    let texts = members
        .iter()
        .map(|(name, value)| format!(r#" "{}" : "{}" "#, spelled(name), spelled(value.as_str().unwrap())));
    format!("{{{}}}\n", texts.collect::<Vec<_>>().join(","))
}

proptest! {
    #[test]
    fn the_spelling_of_a_secret_does_not_matter(bytes in prop::collection::vec(any::<u8>(), 32..80), kid in "[^\\x00-\\x1f]{1,40}", choice in prop::collection::vec(any::<bool>(), 1..50)) {
        let secret = SecretBytes::from(bytes);
        let identity = Identity::new(Algorithm::Hs256).with_key_id(kid.as_str()).unwrap();
        let written = secret.to_private_jwk_for(&identity).unwrap();
        let text = written.expose_secret_text().unwrap();
        for text in [text, &escaped(text, &choice)] {
            let jwk = Jwk::parse(text).unwrap();
            prop_assert!(jwk.secret().unwrap() == secret);
            prop_assert_eq!(jwk.key_id(), Some(&*kid));
            prop_assert_eq!(jwk.thumbprint().unwrap(), Jwk::parse(written.expose_secret_text().unwrap()).unwrap().thumbprint().unwrap());
        }
    }

    #[test]
    fn any_text_is_a_key_or_an_error(text in ".*") {
        let _ = Jwk::parse(&text).map(|jwk| jwk.secret().is_ok());
    }
}

// ---- key pairs ----

#[cfg(feature = "rsa-verify")]
mod pairs {
    use super::{ALGORITHMS, escaped, members, mistakes, refused, with, without};
    use crate::jwks::{
        COOKBOOK_EC_PUBLIC, COOKBOOK_RSA_PUBLIC, COOKBOOK_SECRET, EC_PUBLIC, ED25519_PRIVATE, ED25519_PUBLIC,
        HMAC_SECRET, RSA_PRIVATE, RSA_PUBLIC,
    };
    use crate::util::{self, b64, unb64};
    use countersign::jwk::{Jwk, JwkError};
    use countersign::{Algorithm, KeyError, PublicKey, SecretBytes, VerifyingKey};
    use proptest::prelude::*;
    use serde_json::json;

    /// The public keys of each type, and the members that hold their numbers.
    const PUBLIC: [(&str, &[&str]); 5] = [
        (RSA_PUBLIC, &["n", "e"]),
        (COOKBOOK_RSA_PUBLIC, &["n", "e"]),
        (EC_PUBLIC, &["x", "y"]),
        (COOKBOOK_EC_PUBLIC, &["x", "y"]),
        (ED25519_PUBLIC, &["x"]),
    ];

    fn read(text: &str) -> Result<PublicKey, KeyError> {
        PublicKey::from_jwk(text)
    }

    #[test]
    fn rfc_7517_a_1_the_public_keys() {
        let jwk = Jwk::parse(EC_PUBLIC).unwrap();
        assert_eq!(
            (jwk.key_type(), jwk.key_use(), jwk.key_id(), jwk.algorithm()),
            ("EC", Some("enc"), Some("1"), None)
        );
        assert_eq!(format!("{:?}", jwk.public_key().unwrap()), "PublicKey(P-256)");
        refused(jwk.verifying_key(Algorithm::Es256), JwkError::NotAllowed { member: "use" }, EC_PUBLIC);

        let jwk = Jwk::parse(RSA_PUBLIC).unwrap();
        assert_eq!((jwk.key_type(), jwk.key_use(), jwk.key_id()), ("RSA", None, Some("2011-04-29")));
        let key = jwk.verifying_key(Algorithm::Rs256).unwrap();
        assert_eq!((key.algorithm(), key.key_id()), (Algorithm::Rs256, Some("2011-04-29")));
        let numbers = ["n", "e"].map(|member| unb64(members(RSA_PUBLIC)[member].as_str().unwrap()));
        assert_eq!(jwk.public_key().unwrap().modulus_and_exponent(), Some(numbers.into()));
        refused(jwk.verifying_key(Algorithm::Rs384), JwkError::NotAllowed { member: "alg" }, RSA_PUBLIC);
    }

    #[test]
    fn rfc_7638_3_1_rfc_8037_a_3_and_rfc_9278_the_thumbprints() {
        for (jwk, expected) in [
            (RSA_PUBLIC, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
            (RSA_PRIVATE, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
            (ED25519_PUBLIC, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
            (ED25519_PRIVATE, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
            // The key of RFC 7520 section 3.1; the value was computed with OpenSSL.
            (COOKBOOK_EC_PUBLIC, "dHri3SADZkrush5HU_50AoRhcKFryN-PI6jPBtPL55M"),
        ] {
            assert_eq!(Jwk::parse(jwk).unwrap().thumbprint().unwrap().to_string(), expected);
        }
        let uri = "urn:ietf:params:oauth:jwk-thumbprint:sha-256:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";
        assert_eq!(read(RSA_PUBLIC).unwrap().thumbprint().unwrap().to_uri(), uri);
    }

    #[test]
    fn a_thumbprint_needs_a_key() {
        for (jwk, names) in PUBLIC {
            for member in names {
                let text = without(jwk, member);
                refused(Jwk::parse(&text).unwrap().thumbprint(), JwkError::MissingMember { member }, &text);
            }
        }
    }

    #[test]
    fn each_number_is_needed_in_canonical_base64url() {
        for (jwk, names) in PUBLIC {
            for member in names {
                let text = without(jwk, member);
                refused(read(&text), JwkError::MissingMember { member }, &text);
                let value = members(jwk)[*member].as_str().unwrap().to_owned();
                for (value, found) in mistakes(&value) {
                    let text = with(jwk, member, value);
                    refused(read(&text), JwkError::NotBase64url { member, found }, &text);
                }
            }
        }
    }

    #[test]
    fn coordinates_have_the_exact_length_of_their_curve() {
        for (jwk, names) in PUBLIC {
            for member in names.iter().filter(|member| !["n", "e"].contains(member)) {
                let bytes = unb64(members(jwk)[*member].as_str().unwrap());
                let expected = bytes.len();
                for wrong in [
                    &bytes[1..],
                    &bytes[..expected - 1],
                    &[&[0], &*bytes].concat(),
                    &[&*bytes, &[0]].concat(),
                ] {
                    let text = with(jwk, member, b64(wrong));
                    refused(
                        read(&text),
                        JwkError::WrongLength { member, bytes: wrong.len(), expected },
                        &text,
                    );
                }
            }
        }
        for (crv, bytes) in [("P-256", 32), ("P-384", 48), ("P-521", 66), ("secp256k1", 32)] {
            let of = |x: usize, y: usize| {
                json!({"kty": "EC", "crv": crv, "x": b64(vec![1; x]), "y": b64(vec![1; y])}).to_string()
            };
            assert!(read(&of(bytes, bytes)).is_ok());
            for other in [31, 32, 33, 47, 48, 49, 64, 65, 66, 67].into_iter().filter(|other| *other != bytes)
            {
                let (x, y) = (of(other, bytes), of(bytes, other));
                refused(read(&x), JwkError::WrongLength { member: "x", bytes: other, expected: bytes }, &x);
                refused(read(&y), JwkError::WrongLength { member: "y", bytes: other, expected: bytes }, &y);
            }
        }
    }

    #[test]
    fn numbers_of_an_rsa_key_have_no_leading_zeros() {
        for member in ["n", "e"] {
            let bytes = unb64(members(RSA_PUBLIC)[member].as_str().unwrap());
            for zeros in [1, 2, 40] {
                let text = with(RSA_PUBLIC, member, b64([vec![0; zeros], bytes.clone()].concat()));
                refused(read(&text), JwkError::LeadingZero { member }, &text);
            }
            let text = with(RSA_PUBLIC, member, "AA");
            refused(read(&text), JwkError::LeadingZero { member }, &text);
        }
    }

    #[test]
    fn weak_rsa_keys_are_refused_as_in_a_file() {
        for (member, value, expected) in [
            ("n", b64([0xff; 128]), KeyError::ModulusTooSmall { bits: 1024, minimum: 2048 }),
            ("n", b64([0xff; 1025]), KeyError::ModulusTooLarge { bits: 8200, limit: 8192 }),
            // 2^2048 - 1 is divided by 3.
            ("n", b64([0xff; 256]), KeyError::SmallFactor),
            ("e", b64([1]), KeyError::Exponent),
            ("e", b64([2]), KeyError::Exponent),
            ("e", b64([1, 0, 0, 0, 0, 0, 0, 0, 1]), KeyError::Exponent),
        ] {
            assert_eq!(read(&with(RSA_PUBLIC, member, value)).unwrap_err(), expected);
        }
        let three = with(RSA_PUBLIC, "e", "Aw");
        assert_eq!(
            Jwk::parse(&three).unwrap().verifying_key(Algorithm::Rs256).unwrap_err(),
            KeyError::Exponent
        );
        assert!(read(&three).unwrap().any_exponent().rs256().is_ok());
    }

    #[test]
    fn an_ed25519_key_of_small_order_is_refused() {
        for x in [[0; 32], core::array::from_fn(|place| u8::from(place == 0))] {
            let text = with(ED25519_PUBLIC, "x", b64(x));
            assert_eq!(read(&text).unwrap_err(), KeyError::InvalidPoint);
        }
    }

    #[test]
    fn a_key_type_or_curve_that_is_not_known_is_refused() {
        for (jwk, _) in PUBLIC {
            for kty in ["", "rsa", "ec", "Ec", "okp", "RSA ", "akp", "DSA"] {
                let text = with(jwk, "kty", kty);
                refused(read(&text), JwkError::UnsupportedValue { member: "kty" }, &text);
            }
        }
        for jwk in [EC_PUBLIC, COOKBOOK_EC_PUBLIC, ED25519_PUBLIC] {
            let text = without(jwk, "crv");
            refused(read(&text), JwkError::MissingMember { member: "crv" }, &text);
            for crv in
                ["", "p-256", "P-256K", "P256", "ed25519", "Ed448", "X25519", "X448", "brainpoolP256r1"]
            {
                let text = with(jwk, "crv", crv);
                refused(read(&text), JwkError::UnsupportedValue { member: "crv" }, &text);
            }
        }
        let text = with(EC_PUBLIC, "crv", "Ed25519");
        refused(read(&text), JwkError::UnsupportedValue { member: "crv" }, &text);
        let text = with(ED25519_PUBLIC, "crv", "P-256");
        refused(read(&text), JwkError::UnsupportedValue { member: "crv" }, &text);
    }

    #[test]
    fn a_secret_is_not_a_public_key() {
        for text in [HMAC_SECRET, COOKBOOK_SECRET, r#"{"kty":"oct"}"#] {
            refused(read(text), JwkError::Secret, text);
            refused(
                Jwk::parse(&text.replace("HS256", "RS256")).unwrap().verifying_key(Algorithm::Rs256),
                JwkError::Secret,
                text,
            );
        }
        // The other way round: CVE-2026-44699.
        for (jwk, _) in PUBLIC {
            refused(SecretBytes::from_jwk(jwk), JwkError::NotASecret, jwk);
        }
    }

    #[test]
    fn a_private_member_is_refused_in_a_public_key() {
        for (jwk, _) in PUBLIC {
            for member in ["d", "p", "q", "dp", "dq", "qi", "k", "priv"] {
                // Whatever it holds.
                for value in ["AQAB", "", "?"] {
                    let text = with(jwk, member, value);
                    refused(read(&text), JwkError::PrivateMember { member }, &text);
                }
            }
            let text = with(jwk, "oth", json!([]));
            refused(read(&text), JwkError::PrivateMember { member: "oth" }, &text);
        }
    }

    #[test]
    fn a_key_is_made_for_no_algorithm_of_another_type() {
        let types = [
            (without(RSA_PUBLIC, "alg"), vec!["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]),
            (without(EC_PUBLIC, "use"), vec!["ES256"]),
            (COOKBOOK_EC_PUBLIC.to_owned(), vec!["ES512"]),
            (ED25519_PUBLIC.to_owned(), vec!["EdDSA"]),
        ];
        for (jwk, names) in types {
            for algorithm in ALGORITHMS {
                let made = Jwk::parse(&jwk).unwrap().verifying_key(algorithm);
                if names.contains(&algorithm.name()) {
                    assert!(
                        matches!(made, Ok(_) | Err(KeyError::UnsupportedByBackend)),
                        "{algorithm}: {made:?}"
                    );
                } else {
                    let refused = ["wrong_key_type", "unsupported_by_backend"];
                    assert!(refused.contains(&made.as_ref().unwrap_err().code()), "{algorithm}: {made:?}");
                }
                // Also if the key itself says so.
                let text = with(&jwk, "alg", algorithm.name());
                assert_eq!(Jwk::parse(&text).unwrap().verifying_key(algorithm).is_ok(), made.is_ok());
            }
        }
    }

    #[test]
    fn key_ops_of_a_public_key_must_hold_verify() {
        let made = |operations| {
            let text = with(RSA_PUBLIC, "key_ops", operations);
            Jwk::parse(&text).unwrap().verifying_key(Algorithm::Rs256)
        };
        assert!(made(json!(["verify"])).is_ok() && made(json!(["encrypt", "verify"])).is_ok());
        for operations in [json!([]), json!(["sign"]), json!(["encrypt"])] {
            refused(made(operations), JwkError::NotAllowed { member: "key_ops" }, RSA_PUBLIC);
        }
    }

    #[test]
    fn both_names_of_ed25519_are_read() {
        for alg in ["EdDSA", "Ed25519"] {
            let text = with(ED25519_PUBLIC, "alg", alg);
            let made = Jwk::parse(&text).unwrap().verifying_key(Algorithm::Ed25519);
            assert!(matches!(made, Ok(_) | Err(KeyError::UnsupportedByBackend)), "{made:?}");
        }
        let text = with(ED25519_PUBLIC, "alg", "Ed448");
        let made = Jwk::parse(&text).unwrap().verifying_key(Algorithm::Ed25519);
        refused(made, JwkError::UnsupportedValue { member: "alg" }, &text);
    }

    #[test]
    fn a_public_key_is_written_and_read_again() {
        for (jwk, _) in PUBLIC {
            let key = read(jwk).unwrap();
            let written = key.to_jwk().unwrap();
            let mut expected = members(jwk);
            expected.retain(|member, _| !["use", "kid", "alg"].contains(&&**member));
            assert_eq!(members(&written), expected);
            assert!(!written.contains(' '));
            assert!(read(&written).unwrap() == key);
            assert_eq!(read(&written).unwrap().thumbprint().unwrap(), key.thumbprint().unwrap());
        }
        let rsa = PublicKey::from_pem(util::RSA_PUBLIC).unwrap();
        assert!(read(&rsa.to_jwk().unwrap()).unwrap() == rsa);
    }

    #[test]
    fn a_published_key_has_kid_use_and_alg() {
        let rsa = PublicKey::from_pem(util::RSA_PUBLIC).unwrap();
        let keys: [(VerifyingKey, &str); 3] = [
            (rsa.rs256().unwrap(), "RS256"),
            (rsa.rs512().unwrap(), "RS512"),
            (rsa.ps384().unwrap(), "PS384"),
        ];
        for (key, alg) in keys {
            let [n, e] = ["n", "e"].map(|member| members(&rsa.to_jwk().unwrap())[member].clone());
            let unnamed = json!({"kty": "RSA", "use": "sig", "alg": alg, "n": n, "e": e});
            assert_eq!(serde_json::from_str::<serde_json::Value>(&key.to_jwk().unwrap()).unwrap(), unnamed);
            for kid in ["2026-11", "\"", "é\n", "../"] {
                let key = key.clone().with_key_id(kid).unwrap();
                let text = key.to_jwk().unwrap();
                let again = Jwk::parse(&text).unwrap().verifying_key(key.algorithm()).unwrap();
                assert_eq!(again.key_id(), Some(kid));
                assert!(again.public_key() == key.public_key());
            }
        }
    }

    #[test]
    fn a_custom_key_has_no_numbers_to_write() {
        struct Remote(countersign::Identity);
        impl countersign::Key for Remote {
            fn identity(&self) -> &countersign::Identity {
                &self.0
            }
        }
        impl countersign::VerifyKey for Remote {
            fn verify_bytes(&self, _: &[u8], _: &[u8]) -> Result<(), countersign::SignatureError> {
                Ok(())
            }
        }
        let key = VerifyingKey::custom(Remote(countersign::Identity::new(Algorithm::Rs256))).unwrap();
        refused(key.to_jwk(), JwkError::NoMaterial, "");
    }

    #[test]
    fn an_error_of_from_pem_names_the_call_that_reads_a_jwk() {
        let error = PublicKey::from_pem(RSA_PUBLIC).unwrap_err();
        assert_eq!(error.to_string(), "this is a JSON Web Key: call from_jwk");
    }

    proptest! {
        #[test]
        fn the_spelling_of_a_public_key_does_not_matter(place in 0..PUBLIC.len(), choice in prop::collection::vec(any::<bool>(), 1..50)) {
            let (jwk, _) = PUBLIC[place];
            let text = escaped(jwk, &choice);
            prop_assert!(read(&text).unwrap() == read(jwk).unwrap());
            let thumbprint = |text: &str| Jwk::parse(text).unwrap().thumbprint().unwrap();
            prop_assert_eq!(thumbprint(&text), thumbprint(jwk));
        }

        #[test]
        fn a_changed_character_makes_another_key_or_none(place in 0..PUBLIC.len(), at in any::<prop::sample::Index>(), byte in 0x20..0x7f_u8) {
            let (jwk, names) = PUBLIC[place];
            let value = members(jwk)[names[0]].as_str().unwrap().to_owned();
            let at = at.index(value.len());
            prop_assume!(value.as_bytes()[at] != byte);
            let mut changed = value.clone();
            changed.replace_range(at..=at, &char::from(byte).to_string());
            prop_assert!(read(&with(jwk, names[0], changed)).ok() != Some(read(jwk).unwrap()));
        }
    }
}

#[cfg(feature = "rsa")]
mod rsa_private {
    use super::{members, mistakes, refused, with, without};
    use crate::jwks::{COOKBOOK_RSA_PRIVATE, COOKBOOK_RSA_PUBLIC, HMAC_SECRET, RSA_PRIVATE, RSA_PUBLIC};
    use crate::util::{Counting, RSA_PRIVATE as PEM, b64, unb64};
    use countersign::jwk::{Jwk, JwkError};
    use countersign::{Algorithm, Identity, KeyError, PrivateKey, PublicKey, SignKey, VerifyKey};
    use serde_json::json;

    const PRIVATE: [&str; 6] = ["d", "p", "q", "dp", "dq", "qi"];

    fn pem(key: &PrivateKey) -> String {
        key.to_secret_pem().unwrap().expose_secret_text().unwrap().into()
    }

    #[test]
    fn rfc_7517_a_2_and_rfc_7520_3_4_the_private_keys() {
        for (private, public) in [(RSA_PRIVATE, RSA_PUBLIC), (COOKBOOK_RSA_PRIVATE, COOKBOOK_RSA_PUBLIC)] {
            let key = PrivateKey::from_jwk(private).unwrap();
            assert!(key.public_key().unwrap() == PublicKey::from_jwk(public).unwrap());
            let signing = Jwk::parse(private).unwrap().signing_key_with(Algorithm::Rs256, Counting).unwrap();
            let verifying = Jwk::parse(public).unwrap().verifying_key(Algorithm::Rs256).unwrap();
            assert_eq!(signing.key_id(), verifying.key_id());
            let signature = signing.sign_bytes(b"input").unwrap();
            assert!(verifying.verify_bytes(b"input", signature.as_bytes()).is_ok());
            refused(PublicKey::from_jwk(private), JwkError::PrivateMember { member: "d" }, private);
        }
        let file = PrivateKey::from_pem(include_str!("data/rfc7520_3_4.pem")).unwrap();
        assert_eq!(pem(&PrivateKey::from_jwk(COOKBOOK_RSA_PRIVATE).unwrap()), pem(&file));
    }

    #[test]
    fn all_private_numbers_are_needed_in_canonical_base64url() {
        for member in PRIVATE {
            let text = without(RSA_PRIVATE, member);
            refused(PrivateKey::from_jwk(&text), JwkError::MissingMember { member }, &text);
            let value = members(RSA_PRIVATE)[member].as_str().unwrap().to_owned();
            for (value, found) in mistakes(&value) {
                let text = with(RSA_PRIVATE, member, value);
                refused(PrivateKey::from_jwk(&text), JwkError::NotBase64url { member, found }, &text);
            }
            let zero = [&[0], &*unb64(&value)].concat();
            let text = with(RSA_PRIVATE, member, b64(zero));
            refused(PrivateKey::from_jwk(&text), JwkError::LeadingZero { member }, &text);
        }
        refused(PrivateKey::from_jwk(RSA_PUBLIC), JwkError::MissingMember { member: "d" }, RSA_PUBLIC);
        refused(PrivateKey::from_jwk(HMAC_SECRET), JwkError::Secret, HMAC_SECRET);
        // RFC 7518 section 6.3.2 allows `d` alone. The error names what is missing.
        let alone = ["p", "q", "dp", "dq", "qi"]
            .iter()
            .fold(RSA_PRIVATE.to_owned(), |jwk, member| without(&jwk, member));
        refused(PrivateKey::from_jwk(&alone), JwkError::MissingMember { member: "p" }, &alone);
    }

    #[test]
    fn numbers_that_do_not_belong_together_are_refused_by_name() {
        for (member, named) in [("d", "d"), ("p", "p"), ("q", "p"), ("dp", "dp"), ("dq", "dq"), ("qi", "qi")]
        {
            let bytes = unb64(members(RSA_PRIVATE)[member].as_str().unwrap());
            let last = bytes.len() - 1;
            let mut one_more = bytes.clone();
            one_more[last] ^= 2;
            let others = [
                one_more,
                vec![1],
                vec![2],
                bytes[..last].to_vec(),
                [&*bytes, &[1]].concat(),
                vec![0xff; 300],
            ];
            for other in others {
                let longer = other.len() > 256;
                let text = with(RSA_PRIVATE, member, b64(other));
                let named = if longer { member } else { named };
                refused(PrivateKey::from_jwk(&text), JwkError::Mismatch { member: named }, &text);
            }
        }
        // The numbers of another key.
        for member in ["n", "d", "p", "q", "dp", "dq", "qi"] {
            let text = with(RSA_PRIVATE, member, members(COOKBOOK_RSA_PRIVATE)[member].clone());
            let named = match member {
                "n" | "q" => "p",
                member => member,
            };
            refused(PrivateKey::from_jwk(&text), JwkError::Mismatch { member: named }, &text);
        }
        // The primes the other way round, without the coefficient that belongs to them.
        let [p, q] = ["p", "q"].map(|member| members(RSA_PRIVATE)[member].clone());
        let text = with(&with(RSA_PRIVATE, "p", q), "q", p);
        refused(PrivateKey::from_jwk(&text), JwkError::Mismatch { member: "dp" }, &text);
        // Another public exponent.
        let exponent = with(RSA_PRIVATE, "e", "Aw");
        refused(PrivateKey::from_jwk(&exponent), JwkError::Mismatch { member: "d" }, &exponent);
    }

    #[test]
    fn more_than_two_primes_are_refused() {
        for oth in [json!([]), json!([{"r": "AQ", "d": "AQ", "t": "AQ"}])] {
            let text = with(RSA_PRIVATE, "oth", oth);
            refused(PrivateKey::from_jwk(&text), JwkError::MultiPrime, &text);
        }
    }

    #[test]
    fn key_ops_of_a_private_key_must_hold_sign() {
        let made = |operations| {
            let text = with(RSA_PRIVATE, "key_ops", operations);
            Jwk::parse(&text).unwrap().signing_key_with(Algorithm::Rs256, Counting)
        };
        assert!(made(json!(["sign"])).is_ok());
        refused(made(json!(["verify"])), JwkError::NotAllowed { member: "key_ops" }, RSA_PRIVATE);
        let made = Jwk::parse(RSA_PRIVATE).unwrap().signing_key_with(Algorithm::Ps256, Counting);
        refused(made, JwkError::NotAllowed { member: "alg" }, RSA_PRIVATE);
    }

    #[test]
    fn a_private_key_is_written_and_read_again() {
        for pem_text in [
            PEM,
            include_str!("data/rfc7515_a2.pem"),
            include_str!("data/rsa_2049.pem"),
            include_str!("data/rsa_2050.pem"),
            include_str!("data/rsa_3072.pem"),
            include_str!("data/rsa_2048_3.pem"),
            include_str!("data/rsa_2048_primes_1088_960.pem"),
        ] {
            let key = PrivateKey::from_pem(pem_text).unwrap();
            let written = key.to_private_jwk().unwrap();
            let text = written.expose_secret_text().unwrap();
            let again = PrivateKey::from_jwk(text).unwrap();
            assert_eq!(pem(&again), pem(&key));
            assert_eq!(members(text).len(), 9);
            // The public text has no private member.
            let public = key.public_key().unwrap().to_jwk().unwrap();
            let mut names: Vec<String> = members(&public).keys().cloned().collect();
            names.sort();
            assert_eq!(names, ["e", "kty", "n"]);
        }
        let written = PrivateKey::from_jwk(RSA_PRIVATE).unwrap();
        let identity = Identity::new(Algorithm::Rs256).with_key_id("2011-04-29").unwrap();
        let written = written.to_private_jwk_for(&identity).unwrap();
        let expected = members(&with(RSA_PRIVATE, "use", "sig"));
        assert_eq!(members(written.expose_secret_text().unwrap()), expected);
    }

    #[test]
    fn a_private_key_is_not_written_for_an_algorithm_of_another_type() {
        let key = PrivateKey::from_jwk(RSA_PRIVATE).unwrap();
        for algorithm in [Algorithm::Hs256, Algorithm::Es256, Algorithm::Ed25519] {
            assert_eq!(
                key.to_private_jwk_for(&Identity::new(algorithm)).unwrap_err(),
                KeyError::WrongKeyType { algorithm, key: "RSA" }
            );
        }
        for algorithm in [Algorithm::Rs512, Algorithm::Ps256] {
            assert!(key.to_private_jwk_for(&Identity::new(algorithm)).is_ok());
        }
    }
}

#[cfg(all(feature = "ecdsa", feature = "ed25519", feature = "rsa"))]
mod curves {
    use super::{members, mistakes, refused, with, without};
    use crate::jwks::{
        COOKBOOK_EC_PRIVATE, COOKBOOK_EC_PUBLIC, EC_PRIVATE, EC_PUBLIC, ED25519_PRIVATE, ED25519_PUBLIC,
    };
    use crate::util::{Counting, b64, random::Random, unb64};
    use countersign::jwk::{Jwk, JwkError};
    use countersign::{
        Algorithm, Entropy, EntropyError, Identity, KeyError, PrivateKey, PublicKey, SignKey, VerifyKey,
    };
    use std::sync::Mutex;

    /// The private keys of the RFCs, and their public halves.
    const PAIRS: [(&str, &str); 3] = [
        (EC_PRIVATE, EC_PUBLIC),
        (COOKBOOK_EC_PRIVATE, COOKBOOK_EC_PUBLIC),
        (ED25519_PRIVATE, ED25519_PUBLIC),
    ];

    /// Randomness that is the same in every run.
    struct Seeded(Mutex<Random>);

    impl Seeded {
        fn new(seed: u64) -> Self {
            Self(Mutex::new(Random(seed)))
        }
    }

    impl Entropy for Seeded {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            bytes.copy_from_slice(&self.0.lock().unwrap().bytes(bytes.len()));
            Ok(())
        }
    }

    /// The algorithms of this build that need a curve.
    fn algorithms() -> Vec<Algorithm> {
        vec![
            Algorithm::Es256,
            Algorithm::Es384,
            Algorithm::Ed25519,
            #[cfg(feature = "p521")]
            Algorithm::Es512,
            #[cfg(feature = "k256")]
            Algorithm::Es256k,
        ]
    }

    fn pem(key: &PrivateKey) -> String {
        key.to_secret_pem().unwrap().expose_secret_text().unwrap().into()
    }

    #[test]
    fn rfc_7517_a_2_rfc_7520_3_2_and_rfc_8037_a_1_the_private_keys() {
        for (private, public) in PAIRS {
            let key = PrivateKey::from_jwk(private).unwrap();
            let public = PublicKey::from_jwk(public).unwrap();
            match key.public_key() {
                Err(KeyError::UnsupportedByBackend) => assert_eq!(private, COOKBOOK_EC_PRIVATE),
                computed => assert!(computed.unwrap() == public),
            }
            let written = key.to_private_jwk().unwrap();
            let mut expected = members(private);
            expected.retain(|member, _| !["use", "kid"].contains(&&**member));
            assert_eq!(members(written.expose_secret_text().unwrap()), expected);
            refused(PublicKey::from_jwk(private), JwkError::PrivateMember { member: "d" }, private);
        }
    }

    #[test]
    fn rfc_8037_a_4_the_signature() {
        let input = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
        let signature =
            "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
        let signing =
            Jwk::parse(ED25519_PRIVATE).unwrap().signing_key_with(Algorithm::Ed25519, Counting).unwrap();
        assert_eq!(b64(signing.sign_bytes(input).unwrap().as_bytes()), signature);
        let verifying = Jwk::parse(ED25519_PUBLIC).unwrap().verifying_key(Algorithm::Ed25519).unwrap();
        assert!(verifying.verify_bytes(input, &unb64(signature)).is_ok());
    }

    #[test]
    fn the_private_number_is_needed_at_its_exact_length() {
        for (private, public) in PAIRS {
            refused(PrivateKey::from_jwk(public), JwkError::MissingMember { member: "d" }, public);
            for member in ["x", "d"] {
                let text = without(private, member);
                refused(PrivateKey::from_jwk(&text), JwkError::MissingMember { member }, &text);
            }
            let value = members(private)["d"].as_str().unwrap().to_owned();
            for (value, found) in mistakes(&value) {
                let text = with(private, "d", value);
                refused(PrivateKey::from_jwk(&text), JwkError::NotBase64url { member: "d", found }, &text);
            }
            let bytes = unb64(&value);
            let expected = bytes.len();
            for wrong in [&bytes[1..], &[&[0], &*bytes].concat(), &[&*bytes, &[0]].concat()] {
                let text = with(private, "d", b64(wrong));
                let error = JwkError::WrongLength { member: "d", bytes: wrong.len(), expected };
                refused(PrivateKey::from_jwk(&text), error, &text);
            }
        }
    }

    #[test]
    fn a_private_number_of_another_key_or_out_of_range_is_refused() {
        let mismatch = JwkError::Mismatch { member: "d" };
        for private in [EC_PRIVATE, ED25519_PRIVATE] {
            let mut other = unb64(members(private)["d"].as_str().unwrap());
            other[7] ^= 1;
            let text = with(private, "d", b64(other));
            refused(PrivateKey::from_jwk(&text), mismatch, &text);
        }
        for number in [[0; 32], [0xff; 32]] {
            let text = with(EC_PRIVATE, "d", b64(number));
            refused(PrivateKey::from_jwk(&text), mismatch, &text);
        }
        // The other point with the same x.
        let y = unb64(members(EC_PRIVATE)["y"].as_str().unwrap());
        let mut off = y.clone();
        off[31] ^= 1;
        let text = with(EC_PRIVATE, "y", b64(off));
        refused(PrivateKey::from_jwk(&text), mismatch, &text);
    }

    #[test]
    fn a_point_that_is_not_on_its_curve_makes_no_key() {
        let plain = without(EC_PUBLIC, "use");
        assert!(Jwk::parse(&plain).unwrap().verifying_key(Algorithm::Es256).is_ok());
        let mut y = unb64(members(EC_PUBLIC)["y"].as_str().unwrap());
        y[31] ^= 1;
        let text = with(&plain, "y", b64(y));
        let made = Jwk::parse(&text).unwrap().verifying_key(Algorithm::Es256);
        assert_eq!(made.unwrap_err(), KeyError::InvalidPoint);
    }

    #[test]
    fn a_compressed_point_is_written_with_both_coordinates() {
        for (is_on, file, compressed) in [
            (true, include_str!("data/p256_public.pem"), include_str!("data/p256_compressed.pem")),
            (true, include_str!("data/p384_public.pem"), include_str!("data/p384_compressed.pem")),
            (
                cfg!(feature = "p521"),
                include_str!("data/p521_public.pem"),
                include_str!("data/p521_compressed.pem"),
            ),
            (
                cfg!(feature = "k256"),
                include_str!("data/secp256k1_public.pem"),
                include_str!("data/secp256k1_compressed.pem"),
            ),
        ] {
            let [plain, compressed] = [file, compressed].map(|pem| PublicKey::from_pem(pem).unwrap());
            if is_on {
                assert_eq!(compressed.to_jwk().unwrap(), plain.to_jwk().unwrap());
                assert_eq!(compressed.thumbprint().unwrap(), plain.thumbprint().unwrap());
            } else {
                assert_eq!(compressed.to_jwk().unwrap_err(), KeyError::UnsupportedByBackend);
            }
        }
    }

    #[test]
    fn generated_keys_are_written_and_read_again() {
        let random = Seeded::new(11);
        for (algorithm, round) in
            algorithms().into_iter().flat_map(|algorithm| (0..20).map(move |round| (algorithm, round)))
        {
            let private = PrivateKey::generate_with(algorithm, &random).unwrap();
            let written = private.to_private_jwk().unwrap();
            let text = written.expose_secret_text().unwrap();
            let again = PrivateKey::from_jwk(text).unwrap();
            assert_eq!(pem(&again), pem(&private), "{algorithm} {round}");

            let public = private.public_key().unwrap();
            let published = public.to_jwk().unwrap();
            let mut expected = members(text);
            expected.remove("d");
            assert_eq!(members(&published), expected);
            assert!(PublicKey::from_jwk(&published).unwrap() == public);

            let signing = private.signing_key_with(algorithm, Counting).unwrap().with_key_id("k").unwrap();
            let stored = private.to_private_jwk_for(&signing).unwrap();
            let jwk = Jwk::parse(stored.expose_secret_text().unwrap()).unwrap();
            assert_eq!(
                (jwk.algorithm(), jwk.key_use(), jwk.key_id()),
                (Some(algorithm.name()), Some("sig"), Some("k"))
            );
            let signature = jwk.signing_key_with(algorithm, Counting).unwrap().sign_bytes(b"input").unwrap();
            let verifying = signing.verifying_key().to_jwk().unwrap();
            let verifying = Jwk::parse(&verifying).unwrap().verifying_key(algorithm).unwrap();
            assert!(verifying.verify_bytes(b"input", signature.as_bytes()).is_ok());
            assert_eq!(jwk.thumbprint().unwrap(), public.thumbprint().unwrap());
        }
    }

    #[test]
    fn a_private_key_is_not_written_for_another_algorithm_or_with_another_public_half() {
        let key = PrivateKey::from_jwk(EC_PRIVATE).unwrap();
        for algorithm in
            [Algorithm::Es384, Algorithm::Es256k, Algorithm::Ed25519, Algorithm::Rs256, Algorithm::Hs256]
        {
            assert_eq!(
                key.to_private_jwk_for(&Identity::new(algorithm)).unwrap_err(),
                KeyError::WrongKeyType { algorithm, key: "P-256" }
            );
        }
        // A file with the public half of another key.
        let [one, other] =
            [1, 2].map(|seed| PrivateKey::generate_with(Algorithm::Ed25519, &Seeded::new(seed)).unwrap());
        let spki = other.public_key().unwrap().to_der().unwrap();
        let seed = members(one.to_private_jwk().unwrap().expose_secret_text().unwrap())["d"]
            .as_str()
            .map(unb64)
            .unwrap();
        // RFC 5958: version 1, id-Ed25519, the seed, and [1] with the public key.
        let der = [&hex("3051020101300506032b657004220420"), &*seed, &hex("812100"), &spki[12..]].concat();
        let wrong = PrivateKey::from_der(&der).unwrap();
        assert_eq!(wrong.to_private_jwk().unwrap_err(), KeyError::MalformedKey);
    }

    fn hex(text: &str) -> Vec<u8> {
        (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
    }
}

/// The tables of the page on keys.
#[cfg(all(feature = "rsa", feature = "ecdsa"))]
mod page {
    use super::{members, with, without};
    use crate::jwks::{
        COOKBOOK_SECRET, EC_PRIVATE, EC_PUBLIC, ED25519_PRIVATE, ED25519_PUBLIC, HMAC_SECRET, RSA_PRIVATE,
        RSA_PUBLIC,
    };
    use crate::util::{self, b64, unb64};
    use countersign::{KeyError, PrivateKey, PublicKey, SecretBytes};
    use serde_json::json;

    const PRIVATE: [&str; 3] = [RSA_PRIVATE, EC_PRIVATE, ED25519_PRIVATE];
    const PUBLIC: [&str; 3] = [RSA_PUBLIC, EC_PUBLIC, ED25519_PUBLIC];

    /// Returns a number of the key with this changed text.
    fn changed(member: &str, jwks: &[&str], change: impl Fn(&str) -> String) -> Vec<String> {
        let value = |jwk: &str| change(members(jwk)[member].as_str().unwrap());
        jwks.iter().map(|jwk| with(jwk, member, value(jwk))).collect()
    }

    /// Returns samples of the form that the page gives this name.
    fn forms(name: &str) -> Vec<String> {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
        match name {
            "a public key" => owned(&PUBLIC),
            "a private key" => owned(&PRIVATE),
            "a private RSA key of `n`, `e` and `d` alone" => {
                let alone = ["p", "q", "dp", "dq", "qi"]
                    .iter()
                    .fold(RSA_PRIVATE.into(), |jwk: String, member| without(&jwk, member));
                vec![alone]
            }
            "a private RSA key with `oth`" => vec![with(RSA_PRIVATE, "oth", json!([{"r": "AQ"}]))],
            "a private key next to another public key" => {
                vec![
                    with(EC_PRIVATE, "d", b64([7; 32])),
                    with(ED25519_PRIVATE, "d", b64([7; 32])),
                    with(RSA_PRIVATE, "d", b64([7; 256])),
                ]
            }
            "a secret" => owned(&[HMAC_SECRET, COOKBOOK_SECRET]),
            "a key of a type or curve that is not supported" => {
                vec![
                    with(EC_PUBLIC, "crv", "P-192"),
                    with(ED25519_PUBLIC, "crv", "X25519"),
                    with(ED25519_PUBLIC, "kty", "akp"),
                ]
            }
            "a number with padding, white space, or `+` and `/`" => {
                let x = [EC_PUBLIC, ED25519_PUBLIC];
                let padded = changed("x", &x, |text| format!("{text}="));
                let spaced = changed("n", &[RSA_PUBLIC], |text| format!("{text}\n"));
                [padded, spaced, changed("n", &[RSA_PUBLIC], |text| text.replace('-', "+"))].concat()
            }
            "a coordinate without its leading zeros" => {
                changed("x", &[EC_PUBLIC, ED25519_PUBLIC], |text| b64(&unb64(text)[1..]))
            }
            "a modulus with a leading zero" => {
                changed("n", &[RSA_PUBLIC], |text| b64([&[0], &*unb64(text)].concat()))
            }
            "a key with a member of the wrong JSON type, or `null`" => {
                vec![
                    with(RSA_PUBLIC, "kid", 7),
                    with(HMAC_SECRET, "use", json!(null)),
                    with(EC_PUBLIC, "x5c", "x"),
                ]
            }
            "a key with a member twice" => {
                vec![r#"{"kty":"oct","kty":"oct"}"#.into(), r#"{"kty":"EC","a":1,"\u0061":1}"#.into()]
            }
            "a key without `kty`" => vec!["{}".into(), without(RSA_PUBLIC, "kty")],
            "a JWK set" => vec![json!({"keys": [members(RSA_PUBLIC)]}).to_string()],
            "an encrypted JWK" => {
                vec!["eyJhbGciOiJkaXIifQ..AA.AA.AA".into(), r#"{"ciphertext":""}"#.into()]
            }
            "PEM" => owned(&[util::RSA_PUBLIC, util::RSA_PRIVATE]),
            "HTML or XML" => owned(&["<!DOCTYPE html>", "<?xml version=\"1.0\"?>"]),
            "not JSON, or not an object" => owned(&["", "[]", "7", "{", "q83v"]),
            name => panic!("no sample of {name:?}"),
        }
    }

    fn outcome<K>(made: Result<K, KeyError>) -> String {
        made.map_or_else(|error| format!("`{}`", error.code()), |_| "read".into())
    }

    #[test]
    fn the_page_on_keys_has_the_outcome_of_each_form_of_a_jwk() {
        let page = include_str!("../src/manual/keys.md");
        let rows = page.lines().skip_while(|line| !line.starts_with("| the JWK is |")).skip(2);
        let rows: Vec<_> = rows.take_while(|line| line.starts_with('|')).collect();
        assert_eq!(rows.len(), 18);
        for row in rows {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            for text in forms(cells[0]) {
                let outcomes = [
                    outcome(PublicKey::from_jwk(&text)),
                    outcome(PrivateKey::from_jwk(&text)),
                    outcome(SecretBytes::from_jwk(&text)),
                ];
                assert_eq!(outcomes, cells[1..], "{}: {text}", cells[0]);
            }
        }
    }
}
