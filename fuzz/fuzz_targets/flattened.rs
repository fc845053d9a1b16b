//! Law: under a valid signature, the flattened JSON serialization is accepted exactly if the compact form of the same header and
//! payload is, and its unprotected header is well-formed and chooses nothing. The same holds for detached and unencoded payloads.
//! Other texts are refused. Nothing panics.
#![no_main]

use countersign::{HmacKey, SecretBytes, SignKey, VerifyError, jws};
use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::LazyLock;

static KEY: LazyLock<HmacKey> = LazyLock::new(|| HmacKey::hs256(&SecretBytes::from_bytes([7; 32])).unwrap());
static USUAL: LazyLock<jws::MessageVerifier> = LazyLock::new(|| jws::MessageVerifier::new(KEY.clone()));
/// Accepts unencoded payloads.
static EITHER: LazyLock<jws::MessageVerifier> =
    LazyLock::new(|| jws::MessageVerifier::new(KEY.clone()).accept_unencoded_payload());

fuzz_target!(|parts: (&[u8], &[u8], &[u8])| {
    let (protected, unprotected, content) = parts;
    let Ok(unprotected) = core::str::from_utf8(unprotected) else { return };
    if let Ok(text) = core::str::from_utf8(content) {
        for verifier in [&*USUAL, &*EITHER] {
            assert!(verifier.verify_flattened(text).is_err());
            assert!(verifier.verify_flattened_detached(text, content).is_err());
        }
    }
    // An empty header is replaced with the usual one, so that inputs reach the rest quickly.
    let protected = if protected.is_empty() { br#"{"alg":"HS256"}"# } else { protected };
    let header = b64(protected);
    // A text that is not JSON by itself would bring in other members.
    let names = (!unprotected.is_empty()).then(|| serde_json::from_str::<Names>(unprotected));
    let names = match names.transpose() {
        Ok(names) => names,
        Err(_) if serde_json::from_str::<IgnoredAny>(unprotected).is_ok() => {
            let text = message(Some("\"\""), &header, Some(unprotected), "");
            assert!(USUAL.verify_flattened(&text).is_err());
            return;
        }
        Err(_) => return,
    };

    let encoded = b64(content);
    let signature = sign(&header, encoded.as_bytes());
    let given = names.is_some().then_some(unprotected);
    let payload = json!(encoded).to_string();
    for verifier in [&*USUAL, &*EITHER] {
        let compact = verifier.verify(&format!("{header}.{encoded}.{signature}"));
        let flattened = verifier.verify_flattened(&message(Some(&payload), &header, given, &signature));
        compare(protected, names.as_ref(), &compact, &flattened);
        let compact = verifier.verify_detached(&format!("{header}..{signature}"), content);
        let flattened =
            verifier.verify_flattened_detached(&message(None, &header, given, &signature), content);
        compare(protected, names.as_ref(), &compact, &flattened);
    }

    let signature = sign(&header, content);
    let compact = EITHER.verify_detached(&format!("{header}..{signature}"), content);
    let flattened = EITHER.verify_flattened_detached(&message(None, &header, given, &signature), content);
    compare(protected, names.as_ref(), &compact, &flattened);
    if let Ok(verified) = &compact {
        assert_eq!(verified.payload(), content);
        assert!(
            USUAL.verify_detached(&format!("{header}..{signature}"), content).is_err()
                || encoded.as_bytes() == content
        );
        if let Ok(text) = core::str::from_utf8(content) {
            let payload = json!(text).to_string();
            let flattened = EITHER.verify_flattened(&message(Some(&payload), &header, given, &signature));
            compare(protected, names.as_ref(), &compact, &flattened);
            let whole = EITHER.verify(&format!("{header}.{text}.{signature}"));
            let fits = content.iter().all(|byte| matches!(byte, b' '..=b'-' | b'/'..=b'~'));
            assert_eq!(whole.is_ok(), fits);
        }
    }
});

/// Checks that both forms have the same result, unless the unprotected header is refused.
fn compare(
    protected: &[u8],
    unprotected: Option<&Names>,
    compact: &Result<jws::Verified, VerifyError>,
    flattened: &Result<jws::Verified, VerifyError>,
) {
    match (compact, flattened) {
        (Ok(compact), Ok(flattened)) => {
            assert_eq!(compact.payload(), flattened.payload());
            assert_eq!(compact.header().json(), flattened.header().json());
            assert!(unprotected.is_none_or(|names| is_good(protected, names)));
        }
        (Ok(_), Err(error)) => {
            let names = unprotected.expect("only the unprotected header can be refused");
            // Neither the limits nor half a surrogate pair are seen by `is_good`.
            let unseen = matches!(error, VerifyError::TooLarge { .. } | VerifyError::InvalidJson { .. });
            assert!(unseen || !is_good(protected, names), "{error:?}");
        }
        (Err(compact), Err(flattened)) => assert!(unprotected.is_some() || compact == flattened),
        (Err(error), Ok(_)) => panic!("the compact form alone says {error:?}"),
    }
}

/// Returns whether these names may be next to those of the protected header.
fn is_good(protected: &[u8], unprotected: &Names) -> bool {
    let Names(protected) = serde_json::from_slice(protected).expect("an accepted header");
    let names: BTreeSet<_> = unprotected.0.iter().collect();
    let special = |name: &String| {
        ["alg", "crit", "b64"].contains(&&**name) || name.starts_with("$serde_json::private::")
    };
    !names.is_empty()
        && names.len() == unprotected.0.len()
        && !names.iter().any(|name| special(name) || protected.contains(name))
}

fn message(payload: Option<&str>, protected: &str, unprotected: Option<&str>, signature: &str) -> String {
    let mut text = String::from("{");
    if let Some(payload) = payload {
        text += &format!(r#""payload":{payload},"#);
    }
    if let Some(unprotected) = unprotected {
        text += &format!(r#""header":{unprotected},"#);
    }
    text + &format!(r#""protected":"{protected}","signature":"{signature}"}}"#)
}

/// Returns the encoded signature over this encoded header and this payload.
fn sign(header: &str, payload: &[u8]) -> String {
    let input = [header.as_bytes(), b".", payload].concat();
    b64(KEY.sign_bytes(&input).unwrap().as_bytes())
}

/// Encodes as base64url, with the crate.
fn b64(bytes: &[u8]) -> String {
    let text = jws::Payload::new(bytes).sign(&*KEY).unwrap();
    text.split('.').nth(1).unwrap().into()
}

/// The names at the top of an object.
struct Names(Vec<String>);

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NamesVisitor)
    }
}

struct NamesVisitor;

impl<'de> Visitor<'de> for NamesVisitor {
    type Value = Names;

    fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Names, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = map.next_key()? {
            map.next_value::<IgnoredAny>()?;
            names.push(name);
        }
        Ok(Names(names))
    }
}
