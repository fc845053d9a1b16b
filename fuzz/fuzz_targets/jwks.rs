//! Laws: any text as a JWK set, a SPIFFE bundle or a map of certificates makes keys or an error, without a panic. What was read
//! can be written as a set and read again: it is equal. An entry that cannot be used loses only itself: if it is added to a set
//! that was read, at the beginning or at the end, the keys are the same.
#![no_main]

use countersign::jwk::LoadedKeys;
use countersign::{Algorithm, KeyError, KeySet};
use libfuzzer_sys::fuzz_target;
use serde::de::IgnoredAny;
use std::collections::BTreeSet;

const ALL: &[Algorithm] = &[
    Algorithm::Hs256,
    Algorithm::Rs256,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Es512,
    Algorithm::Es256k,
    Algorithm::Ed25519,
    Algorithm::MlDsa44,
    Algorithm::MlDsa65,
    Algorithm::MlDsa87,
];

/// What makes no key, and why not.
const BROKEN: [(&str, &str); 8] = [
    ("null", "jwk_not_an_object"),
    ("\"keys\"", "jwk_not_an_object"),
    ("{}", "jwk_missing_member"),
    (r#"{"kty":"PQC","kid":"a"}"#, "jwk_unsupported_value"),
    (r#"{"kty":"oct","k":"AAAA"}"#, "jwk_secret"),
    (r#"{"kty":"RSA","n":"AQAB","e":"AQAB","use":"enc"}"#, "jwk_not_allowed"),
    (r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#, "jwk_wrong_length"),
    (r#"{"kty":"OKP","kty":"OKP"}"#, "jwk_duplicate_member"),
];

type Read = fn(&str, &[Algorithm]) -> Result<LoadedKeys, KeyError>;

fuzz_target!(|text: &str| {
    for read in [KeySet::from_jwks as Read, KeySet::from_spiffe_bundle as Read] {
        if let Ok(loaded) = read(text, ALL) {
            written_and_read_again(&loaded);
            each_entry_is_read_alone(text, &loaded, read);
        }
    }
    if let Ok(loaded) = KeySet::from_certificate_map(text, ALL) {
        written_and_read_again(&loaded);
    }
});

/// Returns the keys of a set as they are written, sorted. A key without a name is written under its thumbprint.
fn written(set: &KeySet) -> Vec<serde_json::Value> {
    let written: serde_json::Value = serde_json::from_str(&set.to_jwks().unwrap()).unwrap();
    let mut keys = written["keys"].as_array().unwrap().clone();
    keys.sort_by_key(serde_json::Value::to_string);
    keys.dedup();
    keys
}

/// Describes the keys of a set: their algorithms and names, and how they are written.
fn describe(set: &KeySet) -> (Vec<(&'static str, Option<&str>)>, Vec<serde_json::Value>) {
    let mut names: Vec<_> = set.iter().map(|key| (key.algorithm().name(), key.key_id())).collect();
    names.sort();
    (names, written(set))
}

fn written_and_read_again(loaded: &LoadedKeys) {
    let again = KeySet::from_jwks(&loaded.keys.to_jwks().unwrap(), ALL).unwrap();
    let (expected, found) = (written(&loaded.keys), written(&again.keys));
    // One key may have the thumbprint of another one as its name.
    let name = |key: &serde_json::Value| (key["alg"].to_string(), key["kid"].to_string());
    let names: BTreeSet<_> = expected.iter().map(name).collect();
    if names.len() < expected.len() {
        assert!(found.iter().all(|key| expected.contains(key)));
        assert!(again.skipped.iter().all(|skipped| skipped.reason == KeyError::DuplicateKey));
    } else {
        assert_eq!(found, expected);
        assert!(again.skipped.is_empty());
    }
}

fn each_entry_is_read_alone(text: &str, loaded: &LoadedKeys, read: Read) {
    let Some(entries) = entries(text).filter(|entries| entries.len() <= 20) else { return };
    let keys = describe(&loaded.keys);
    let reason = |loaded: &LoadedKeys, place| {
        let skipped = loaded.skipped.iter().find(|skipped| skipped.position == place);
        skipped.map(|skipped| skipped.reason.clone())
    };
    // With one more entry that cannot be used.
    let (broken, code) = BROKEN[text.len() % BROKEN.len()];
    for place in [0, entries.len()] {
        let mut longer = entries.clone();
        longer.insert(place, broken);
        let longer = read(&set(&longer), ALL).unwrap();
        assert_eq!(describe(&longer.keys), keys);
        assert_eq!(longer.skipped.len(), loaded.skipped.len() + 1);
        assert_eq!(reason(&longer, place).unwrap().code(), code);
    }
    // Without those that cannot be used. Entries that contradict each other can be used, each for itself.
    let usable = |place| reason(loaded, place).is_none_or(|reason| reason == KeyError::DuplicateKey);
    let places = (0..entries.len()).filter(|place| usable(*place));
    let shorter = read(&set(&places.map(|place| entries[place]).collect::<Vec<_>>()), ALL).unwrap();
    assert_eq!(describe(&shorter.keys), keys);
    assert!(shorter.skipped.iter().all(|skipped| skipped.reason == KeyError::DuplicateKey));
    // Each of them alone.
    for (place, entry) in entries.iter().enumerate() {
        let alone = read(&set(&[entry]), ALL).unwrap();
        assert_eq!(alone.keys.is_empty(), !usable(place));
        if !usable(place) {
            assert_eq!(reason(&alone, 0), reason(loaded, place));
        }
    }
}

fn set(entries: &[&str]) -> String {
    format!(r#"{{"keys":[{}]}}"#, entries.join(","))
}

/// Finds the entries of a set with another parser, which fails for numbers beyond its range and one level of nesting earlier.
fn entries(text: &str) -> Option<Vec<&str>> {
    let mut rest = text.trim_start().strip_prefix('{')?;
    loop {
        let (name, after) = value(rest)?;
        let (value, after) = value(after.trim_start().strip_prefix(':')?)?;
        if serde_json::from_str::<String>(name).ok()? == "keys" {
            return elements(value);
        }
        rest = after.trim_start().strip_prefix(',')?;
    }
}

fn elements(array: &str) -> Option<Vec<&str>> {
    let mut elements = Vec::new();
    let mut rest = array.strip_prefix('[')?;
    while !rest.trim_start().starts_with(']') {
        let (element, after) = value(rest)?;
        elements.push(element);
        rest = after.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    Some(elements)
}

/// Splits a text after the value that it begins with.
fn value(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start();
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>();
    stream.next()?.ok()?;
    Some(text.split_at(stream.byte_offset()))
}
