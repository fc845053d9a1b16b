//! Tokens that differ from a good one in one thing.

use crate::{Fallible, Material, Signer};
use countersign::{Algorithm, SignKey, UnixTime, Unverified, jws};
use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

type Payload = Map<String, Value>;

/// Returns the variants of `good` with their names.
pub(crate) fn of(signer: &Signer, good: &str) -> Fallible<Vec<(String, String)>> {
    let payload: Payload = serde_json::from_slice(&Unverified::parse(good)?.unverified_payload()?)?;
    let key = signer.key(&signer.ours, Some(&signer.key_id))?;
    let mut variants = Vec::new();
    for (name, changed) in payloads(&payload) {
        variants.push((name, sign(&changed, Some("JWT"), &*key)?));
    }
    let mut add = |name: &str, token| variants.push((name.to_owned(), token));
    add("typ-at+jwt", sign(&payload, Some("at+jwt"), &*key)?);
    add("without-typ", sign(&payload, None, &*key)?);
    for (name, key_id) in [("other-kid", Some("k2")), ("without-kid", None)] {
        add(name, sign(&payload, Some("JWT"), &*signer.key(&signer.ours, key_id)?)?);
    }
    let stranger = signer.key(&signer.others, Some(&signer.key_id))?;
    add("other-key", sign(&payload, Some("JWT"), &*stranger)?);
    let longer = match signer.algorithm {
        Algorithm::Hs256 => Some(Algorithm::Hs384),
        Algorithm::Rs256 => Some(Algorithm::Rs384),
        _ => None,
    };
    if let Some(longer) = longer {
        let key = signer.ours.key(longer, Some(&signer.key_id))?;
        add(&format!("alg-{longer}"), sign(&payload, Some("JWT"), &*key)?);
    }
    let (header, rest) = good.split_once('.').ok_or("no token")?;
    let (body, signature) = rest.split_once('.').ok_or("no token")?;
    add("tampered", format!("{header}.{}.{signature}", encode(&later(&payload))));
    // countersign does not make these.
    add("unsigned", format!("{}.{body}.", BASE64URL_NOPAD.encode(br#"{"alg":"none","typ":"JWT"}"#)));
    if let Material::Pair(_, public) = &signer.ours {
        add("public-key-as-secret", confused(&public.to_pem()?, &signer.key_id, body)?);
    }
    Ok(variants)
}

/// Each claim in turn is left out; the others are changes of times, and of a claim that names a party.
fn payloads(good: &Payload) -> Vec<(String, Payload)> {
    let now = UnixTime::now().as_secs();
    let with = |claims: Value| {
        let mut changed = good.clone();
        changed.extend(claims.as_object().cloned().unwrap_or_default());
        changed
    };
    let mut payloads: Vec<_> = good
        .keys()
        .map(|name| {
            let mut changed = good.clone();
            changed.remove(name);
            (format!("without-{name}"), changed)
        })
        .collect();
    let mut add = |name: &str, changed| payloads.push((name.to_owned(), changed));
    add("expired", with(json!({ "iat": now - 7_200, "exp": now - 3_600 })));
    add("not-yet-valid", with(json!({ "nbf": now + 200 })));
    add("issued-later", with(json!({ "iat": now + 200 })));
    add("fraction", with(json!({ "exp": now as f64 + 250.5 })));
    add("other-iss", with(json!({ "iss": "https://other.example" })));
    add("other-aud", with(json!({ "aud": "https://other.example" })));
    if let Some(audience) = good.get("aud") {
        add("aud-array", with(json!({ "aud": [audience, "https://other.example"] })));
    }
    if let Some(revision) = good.get("revision").and_then(Value::as_u64) {
        add("earlier-revision", with(json!({ "revision": revision - 1 })));
        add("later-revision", with(json!({ "revision": revision + 1 })));
    }
    payloads
}

fn later(good: &Payload) -> Payload {
    let mut changed = good.clone();
    changed.insert("exp".into(), json!(UnixTime::now().as_secs() + 900_000));
    changed
}

fn sign(payload: &Payload, typ: Option<&str>, key: &dyn SignKey) -> Fallible<String> {
    let bytes = serde_json::to_vec(payload)?;
    let message = jws::Payload::new(&bytes);
    Ok(typ.map_or_else(|| message.clone(), |typ| message.clone().typ(typ)).sign(key)?)
}

fn encode(payload: &Payload) -> String {
    BASE64URL_NOPAD.encode(Value::Object(payload.clone()).to_string().as_bytes())
}

/// Signs with HS256, and with the text of the public key file as the secret.
fn confused(pem: &str, key_id: &str, body: &str) -> Fallible<String> {
    let header = json!({ "alg": "HS256", "typ": "JWT", "kid": key_id });
    let input = format!("{}.{body}", BASE64URL_NOPAD.encode(header.to_string().as_bytes()));
    let mut mac = Hmac::<Sha256>::new_from_slice(pem.as_bytes())?;
    mac.update(input.as_bytes());
    Ok(format!("{input}.{}", BASE64URL_NOPAD.encode(&mac.finalize().into_bytes())))
}
