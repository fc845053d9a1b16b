//! Sets of keys: which entries make keys, what is skipped and why, and what is written for others. The sets of real issuers are
//! in `providers.rs`.
#![cfg(all(feature = "ecdsa", feature = "ed25519", feature = "rsa-verify", feature = "getrandom"))]

mod util;

use countersign::jwk::{Jwk, JwkError, LoadedKeys};
use countersign::{
    Algorithm, HmacKey, KeyError, KeySet, PrivateKey, PublicKey, SecretBytes, SigningKey, VerifyError, jws,
};
use serde_json::{Value, json};
use util::{b64, b64_standard};

const RS256: &[Algorithm] = &[Algorithm::Rs256];
const ALL: &[Algorithm] = &[
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Ed25519,
];

/// An RSA key as issuers publish it: the numbers, and these members.
fn rsa(others: Value) -> Value {
    entry(&rsa_public().unwrap().to_jwk().unwrap(), others)
}

fn rsa_public() -> Result<PublicKey, KeyError> {
    // The public half of the key of RFC 7517 appendix A.1.
    PublicKey::from_jwk(
        r#"{"kty":"RSA","e":"AQAB","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"}"#,
    )
}

/// A new key pair, and the JWK of its public half with these members.
fn pair(algorithm: Algorithm, others: Value) -> (SigningKey, Value) {
    let private = PrivateKey::generate(algorithm).unwrap();
    let jwk = entry(&private.public_key().unwrap().to_jwk().unwrap(), others);
    (private.signing_key(algorithm).unwrap(), jwk)
}

fn entry(jwk: &str, others: Value) -> Value {
    let mut jwk: Value = serde_json::from_str(jwk).unwrap();
    let Value::Object(others) = others else { panic!("members") };
    jwk.as_object_mut().unwrap().extend(others);
    jwk
}

fn set(entries: impl Into<Value>) -> String {
    json!({ "keys": entries.into() }).to_string()
}

fn load(entries: impl Into<Value>) -> LoadedKeys {
    KeySet::from_jwks(&set(entries), ALL).unwrap()
}

/// Returns the keys of a set, sorted.
fn names(loaded: &LoadedKeys) -> Vec<(&'static str, Option<String>)> {
    let mut names: Vec<_> =
        loaded.keys.iter().map(|key| (key.algorithm().name(), key.key_id().map(String::from))).collect();
    names.sort();
    names
}

/// Checks that an entry is skipped for this reason, and that a good entry before and after it stays.
#[track_caller]
fn skipped(entry: &Value, reason: &KeyError) {
    let (_, before) = pair(Algorithm::Ed25519, json!({ "kid": "before" }));
    let (_, after) = pair(Algorithm::Es256, json!({ "kid": "after" }));
    let text = entry.to_string();
    let key_id = Jwk::parse(&text).ok().and_then(|jwk| jwk.key_id().map(String::from));
    let loaded = load(vec![before, entry.clone(), after]);
    assert_eq!(
        names(&loaded),
        [("ES256", Some("after".into())), ("EdDSA", Some("before".into()))],
        "{entry}"
    );
    let [skipped] = &loaded.skipped[..] else { panic!("{:?} for {entry}", loaded.skipped) };
    assert_eq!((skipped.position, &skipped.reason), (1, reason), "{entry}");
    assert_eq!(skipped.key_id, key_id, "{entry}");
}

fn not_allowed(member: &'static str) -> KeyError {
    KeyError::Jwk(JwkError::NotAllowed { member })
}

// ---- entries ----

/// Entra and lemonldap-ng: `use` is `sig` and `alg` is absent, or both are absent.
#[test]
fn a_key_without_alg_makes_one_key_for_each_allowed_algorithm_of_its_type() {
    for others in [json!({ "kid": "a", "use": "sig" }), json!({ "kid": "a" })] {
        let entries = vec![rsa(others.clone())];
        let expected =
            ["PS256", "PS384", "PS512", "RS256", "RS384", "RS512"].map(|name| (name, Some("a".into())));
        assert_eq!(names(&load(entries.clone())), expected);
        let one = KeySet::from_jwks(&set(entries), RS256).unwrap();
        assert_eq!(names(&one), [("RS256", Some("a".into()))]);
        assert!(one.skipped.is_empty());
    }
}

#[test]
fn an_entry_that_repeats_another_adds_nothing() {
    let (_, key) = pair(Algorithm::Es256, json!({ "kid": "a" }));
    let repeated = entry(&key.to_string(), json!({ "alg": "ES256", "use": "sig" }));
    let loaded = load(vec![key.clone(), key, repeated]);
    assert_eq!(names(&loaded), [("ES256", Some("a".into()))]);
    assert!(loaded.skipped.is_empty());
}

#[test]
fn keys_of_one_id_and_different_algorithms_are_kept_apart() {
    let ((_, ec), (_, okp)) =
        (pair(Algorithm::Es256, json!({ "kid": "a" })), pair(Algorithm::Ed25519, json!({ "kid": "a" })));
    let loaded = load(vec![ec, okp]);
    assert_eq!(names(&loaded), [("ES256", Some("a".into())), ("EdDSA", Some("a".into()))]);
}

#[test]
fn two_keys_of_one_id_and_algorithm_are_both_skipped_and_no_others() {
    let [(_, first), (_, second), (_, third)] =
        ["a", "a", "b"].map(|kid| pair(Algorithm::Es256, json!({ "kid": kid })));
    let (_, other_algorithm) = pair(Algorithm::Ed25519, json!({ "kid": "a" }));
    let loaded = load(vec![first, third, second, other_algorithm]);
    assert_eq!(names(&loaded), [("ES256", Some("b".into())), ("EdDSA", Some("a".into()))]);
    let skipped: Vec<_> = loaded
        .skipped
        .iter()
        .map(|skipped| (skipped.position, skipped.key_id.as_deref(), &skipped.reason))
        .collect();
    assert_eq!(skipped, [(0, Some("a"), &KeyError::DuplicateKey), (2, Some("a"), &KeyError::DuplicateKey)]);
}

/// Keycloak: an RSA-OAEP key in the same set. authentik: an encryption key with an unregistered member.
#[test]
fn encryption_keys_are_skipped() {
    skipped(&rsa(json!({ "kid": "e", "use": "enc", "alg": "RSA-OAEP" })), &not_allowed("use"));
    skipped(
        &rsa(json!({ "kid": "e", "alg": "RSA-OAEP", "enc": "A256CBC-HS512" })),
        &KeyError::Jwk(JwkError::UnsupportedValue { member: "alg" }),
    );
    skipped(&rsa(json!({ "kid": "e", "key_ops": ["encrypt", "wrapKey"] })), &not_allowed("key_ops"));
}

/// authentik answers `{}` when it has no key; Supabase an empty list.
#[test]
fn a_set_without_keys_is_told_from_an_empty_one() {
    let error = KeySet::from_jwks("{}", ALL).unwrap_err();
    assert_eq!(error, KeyError::Jwk(JwkError::MissingMember { member: "keys" }));
    let empty = load(Vec::<Value>::new());
    assert!(empty.keys.is_empty() && empty.skipped.is_empty());
}

/// Kubernetes publishes ML-DSA keys (`AKP`), Keycloak may publish secp256k1, others X25519.
#[test]
fn keys_of_unknown_types_are_skipped() {
    let unsupported = |member| KeyError::Jwk(JwkError::UnsupportedValue { member });
    skipped(&json!({ "kty": "PQC", "kid": "a", "x": "AAAA" }), &unsupported("kty"));
    skipped(
        &json!({ "kty": "EC", "kid": "a", "crv": "P-192", "x": "AAAA", "y": "AAAA" }),
        &unsupported("crv"),
    );
    skipped(&json!({ "kty": "OKP", "kid": "a", "crv": "X25519", "x": b64([1; 32]) }), &unsupported("crv"));
    skipped(&rsa(json!({ "kid": "a", "alg": "RS1" })), &unsupported("alg"));
    let (_, ec) = pair(Algorithm::Es256, json!({ "kid": "a", "alg": "ES521" }));
    skipped(&ec, &unsupported("alg"));
}

/// NetIQ Access Manager: standard base64 with padding and a leading zero byte. Old Keycloak: coordinates without left padding.
#[test]
fn numbers_in_another_form_are_skipped_by_member() {
    let n = rsa_public().unwrap().modulus_and_exponent().unwrap().0;
    let padded = rsa(json!({ "kid": "a", "n": b64_standard(&n) }));
    skipped(
        &padded,
        &KeyError::Jwk(JwkError::NotBase64url { member: "n", found: "holds + or / in place of - or _" }),
    );
    skipped(
        &rsa(json!({ "kid": "a", "n": b64([&[0][..], &n].concat()) })),
        &KeyError::Jwk(JwkError::LeadingZero { member: "n" }),
    );
    let (_, short) = pair(Algorithm::Es256, json!({ "kid": "a", "x": b64([1; 31]) }));
    skipped(&short, &KeyError::Jwk(JwkError::WrongLength { member: "x", bytes: 31, expected: 32 }));
}

#[test]
fn an_entry_that_is_no_object_is_skipped() {
    for entry in [json!(null), json!("a"), json!(7), json!([]), json!([{ "kty": "RSA" }])] {
        skipped(&entry, &KeyError::Jwk(JwkError::NotAnObject { offset: 0 }));
    }
}

#[test]
fn a_private_key_or_a_secret_in_a_set_is_skipped() {
    let private = PrivateKey::generate(Algorithm::Es256).unwrap();
    let jwk = private.to_private_jwk().unwrap();
    let jwk = entry(jwk.expose_secret_text().unwrap(), json!({ "kid": "a" }));
    skipped(&jwk, &KeyError::Jwk(JwkError::PrivateMember { member: "d" }));
    skipped(&json!({ "kty": "oct", "kid": "a", "k": b64([1; 32]) }), &KeyError::Jwk(JwkError::Secret));
}

#[test]
fn an_entry_with_a_wrong_member_is_skipped() {
    let long = "a".repeat(10 * 1024);
    skipped(
        &rsa(json!({ "kid": long })),
        &KeyError::Jwk(JwkError::TooLarge { what: "bytes of kid", limit: 1024 }),
    );
    skipped(&rsa(json!({ "kid": "" })), &KeyError::InvalidKeyId);
    for (kid, found) in [(json!(null), "null"), (json!(7), "a number")] {
        skipped(
            &rsa(json!({ "kid": kid })),
            &KeyError::Jwk(JwkError::WrongType { member: "kid", expected: "a string", found }),
        );
    }
    let (_, twice) = pair(Algorithm::Es256, json!({ "kid": "a" }));
    let twice = twice.to_string().replace("\"kty\"", "\"k\\u0074y\":\"EC\",\"kty\"");
    let loaded = KeySet::from_jwks(&format!(r#"{{"keys":[{twice}]}}"#), ALL).unwrap();
    assert_eq!(loaded.skipped[0].reason, KeyError::Jwk(JwkError::DuplicateMember { member: Some("kty") }));
    // A point that is on no curve, and small numbers.
    let (_, off) = pair(Algorithm::Es256, json!({ "kid": "a", "x": b64([1; 32]) }));
    skipped(&off, &KeyError::InvalidPoint);
    skipped(
        &json!({ "kty": "RSA", "kid": "a", "n": b64([0xff; 128]), "e": "AQAB" }),
        &KeyError::ModulusTooSmall { bits: 1024, minimum: 2048 },
    );
}

#[test]
fn a_key_for_an_algorithm_that_is_not_allowed_is_skipped() {
    let loaded = KeySet::from_jwks(&set(vec![rsa(json!({ "kid": "a", "alg": "PS256" }))]), RS256).unwrap();
    assert_eq!(loaded.skipped[0].reason, not_allowed("alg"));
    let (_, ec) = pair(Algorithm::Es256, json!({ "kid": "a" }));
    let loaded = KeySet::from_jwks(&set(vec![ec]), RS256).unwrap();
    assert_eq!(loaded.skipped[0].reason, not_allowed("kty"));
    assert!(loaded.keys.is_empty());
}

// ---- texts that are no set ----

#[test]
fn a_text_that_is_no_set_is_refused_by_name() {
    let refused = |text: &str| match KeySet::from_jwks(text, ALL).unwrap_err() {
        KeyError::Jwk(error) => error,
        other => panic!("{other}"),
    };
    let (_, key) = pair(Algorithm::Es256, json!({}));
    assert_eq!(refused(&key.to_string()), JwkError::NotASet);
    assert_eq!(refused("-----BEGIN PUBLIC KEY-----\n"), JwkError::Pem);
    let deep = format!("\n<html><script>{}", "{".repeat(200));
    for page in ["<!DOCTYPE html>", " <?xml version=\"1.0\"?><Error/>", "\u{feff}<html>", &deep] {
        assert_eq!(refused(page), JwkError::Html);
    }
    assert_eq!(refused(""), JwkError::NotAnObject { offset: 0 });
    assert_eq!(refused("[]"), JwkError::NotAnObject { offset: 0 });
    assert_eq!(refused(r#"{"keys":[]} x"#), JwkError::NotAnObject { offset: 12 });
    for (value, found) in [("null", "null"), ("{}", "an object"), ("\"\"", "a string")] {
        let expected = JwkError::WrongType { member: "keys", expected: "an array", found };
        assert_eq!(refused(&format!(r#"{{"keys":{value}}}"#)), expected);
    }
    assert_eq!(refused(r#"{"keys":[],"k\u0065ys":[]}"#), JwkError::DuplicateMember { member: Some("keys") });
    assert_eq!(refused(r#"{"a":1,"keys":[],"a":2}"#), JwkError::DuplicateMember { member: None });
}

#[test]
fn a_set_has_at_most_a_thousand_keys_and_a_mebibyte() {
    assert_eq!(load(vec![Value::Null; 1000]).skipped.len(), 1000);
    let error = KeySet::from_jwks(&set(vec![Value::Null; 1001]), ALL).unwrap_err();
    assert_eq!(error, KeyError::Jwk(JwkError::TooLarge { what: "keys", limit: 1000 }));
    let mut text = set(Vec::<Value>::new());
    text.push_str(&" ".repeat(1024 * 1024 - text.len()));
    assert!(KeySet::from_jwks(&text, ALL).is_ok());
    text.push(' ');
    let error = KeySet::from_jwks(&text, ALL).unwrap_err();
    assert_eq!(error, KeyError::Jwk(JwkError::TooLarge { what: "bytes", limit: 1024 * 1024 }));
    let deep = format!(r#"{{"keys":[],"a":{}}}"#, "[".repeat(200) + &"]".repeat(200));
    assert_eq!(
        KeySet::from_jwks(&deep, ALL).unwrap_err(),
        KeyError::Jwk(JwkError::TooLarge { what: "levels of nesting", limit: 128 })
    );
}

// ---- tokens ----

#[test]
fn a_set_verifies_the_tokens_of_each_of_its_keys() {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Ed25519] {
        let (old, first) = pair(algorithm, json!({ "kid": "old" }));
        let (new, second) = pair(algorithm, json!({ "kid": "new", "alg": algorithm.name(), "use": "sig" }));
        let verifier = jws::MessageVerifier::new(load(vec![first, second.clone()]).keys);
        let token = |key: &SigningKey, kid: &str| {
            jws::Payload::new("x").sign(&key.clone().with_key_id(kid).unwrap()).unwrap()
        };
        assert!(verifier.verify(&token(&old, "old")).is_ok());
        assert!(verifier.verify(&token(&new, "new")).is_ok());
        assert_eq!(verifier.verify(&token(&new, "old")).unwrap_err(), VerifyError::InvalidSignature);
        assert_eq!(verifier.verify(&token(&new, "none")).unwrap_err(), VerifyError::UnknownKey);
        // Without a `kid`, the only key of the algorithm is meant.
        let unnamed = jws::Payload::new("x").sign(&new).unwrap();
        assert_eq!(verifier.verify(&unnamed).unwrap_err(), VerifyError::AmbiguousKey);
        assert!(jws::MessageVerifier::new(load(vec![second]).keys).verify(&unnamed).is_ok());
    }
}

// ---- writing ----

#[test]
fn what_is_published_is_read_again_with_kid_use_and_alg_on_each_key() {
    let mut keys = KeySet::new();
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Ed25519] {
        let signing = PrivateKey::generate(algorithm).unwrap().signing_key(algorithm).unwrap();
        keys.insert(signing.verifying_key().with_key_id(format!("{algorithm} \"1\"")).unwrap()).unwrap();
    }
    // A key without a name is published under its thumbprint.
    let unnamed = rsa_public().unwrap();
    keys.insert(unnamed.rs256().unwrap()).unwrap();
    let text = keys.to_jwks().unwrap();

    let published: Value = serde_json::from_str(&text).unwrap();
    let published = published["keys"].as_array().unwrap();
    assert_eq!(published.len(), 4);
    for key in published {
        assert_eq!(key["use"], "sig");
        assert!(key["alg"].is_string() && key["kid"].is_string(), "{key}");
        assert!(["d", "p", "q", "k"].iter().all(|private| key.get(private).is_none()), "{key}");
    }
    let loaded = KeySet::from_jwks(&text, ALL).unwrap();
    assert!(loaded.skipped.is_empty());
    let thumbprint = unnamed.thumbprint().unwrap().to_string();
    assert_eq!(
        names(&loaded),
        [
            ("ES256", Some("ES256 \"1\"".into())),
            ("ES384", Some("ES384 \"1\"".into())),
            ("EdDSA", Some("EdDSA \"1\"".into())),
            ("RS256", Some(thumbprint)),
        ]
    );
    assert_eq!(loaded.keys.to_jwks().unwrap().len(), text.len());
    assert_eq!(KeySet::new().to_jwks().unwrap(), r#"{"keys":[]}"#);
}

#[test]
fn a_secret_is_never_published() {
    let (signing, _) = pair(Algorithm::Es256, json!({}));
    let mut keys = KeySet::new();
    keys.insert(signing.verifying_key()).unwrap();
    keys.insert(HmacKey::hs256(&SecretBytes::from_bytes([7; 32])).unwrap()).unwrap();
    assert_eq!(keys.to_jwks().unwrap_err(), KeyError::Jwk(JwkError::Secret));
}

// ---- backends and certificates ----

#[test]
fn the_backend_makes_the_keys_and_its_refusal_is_the_reason() {
    let (_, ec) = pair(Algorithm::Es256, json!({ "kid": "a" }));
    let text = set(vec![ec, rsa(json!({ "kid": "b" }))]);
    let loaded = KeySet::from_jwks_with(&text, ALL, |public, algorithm| match algorithm {
        Algorithm::Es256 | Algorithm::Ps256 => public.verifying_key(algorithm),
        _ => Err(KeyError::UnsupportedByBackend),
    });
    assert_eq!(names(&loaded.unwrap()), [("ES256", Some("a".into())), ("PS256", Some("b".into()))]);
    let none = KeySet::from_jwks_with(&text, ALL, |_, _| Err(KeyError::UnsupportedByBackend)).unwrap();
    let reasons: Vec<_> = none.skipped.iter().map(|skipped| &skipped.reason).collect();
    assert_eq!(reasons, [&KeyError::UnsupportedByBackend; 2]);
}

/// Firebase publishes a map of certificates.
#[cfg(feature = "certificate")]
#[test]
fn a_map_of_certificates_makes_keys_by_their_names() {
    let certificate = include_str!("data/certificate.pem");
    let public = PublicKey::from_certificate_pem(certificate).unwrap();
    let text =
        json!({ "one": certificate, "two": "-----BEGIN", "three": null, "four": certificate }).to_string();
    let loaded = KeySet::from_certificate_map(&text, RS256).unwrap();
    assert_eq!(names(&loaded), [("RS256", Some("four".into())), ("RS256", Some("one".into()))]);
    for key in loaded.keys.iter() {
        assert_eq!(public.rs256().unwrap().algorithm(), key.algorithm());
    }
    let mut skipped: Vec<_> = loaded.skipped.iter().filter_map(|skipped| skipped.key_id.as_deref()).collect();
    skipped.sort_unstable();
    assert_eq!(skipped, ["three", "two"]);
    let not_an_object = JwkError::NotAnObject { offset: 0 };
    for (text, expected) in [("[]", not_an_object), ("", not_an_object), ("<html>", JwkError::Html)] {
        let error = KeySet::from_certificate_map(text, RS256).unwrap_err();
        assert_eq!(error, KeyError::Jwk(expected));
    }
    let twice = r#"{"a":"x","a":"y"}"#;
    let error = KeySet::from_certificate_map(twice, RS256).unwrap_err();
    assert_eq!(error, KeyError::Jwk(JwkError::DuplicateMember { member: None }));
}
