//! What the page is told, without a browser. `tests/browser/run` tests the page.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

const NOW: u64 = 1_800_000_000;
const SECRET: &str = "a secret of more than thirty-two bytes";

#[track_caller]
fn ask(request: &Value) -> Value {
    serde_json::from_str(&debugger::answer(&request.to_string())).unwrap()
}

#[track_caller]
fn make(algorithm: &str, key: &str, claims: &Value) -> String {
    let made = ask(&json!({
        "do": "make", "algorithm": algorithm, "key": { "text": key, "form": "text" }, "key_id": "", "typ": "",
        "claims": claims.to_string(),
    }));
    made["token"].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
}

fn verify(token: &str, key: &str) -> Value {
    verify_with(token, key, &json!({}))
}

fn verify_with(token: &str, key: &str, other: &Value) -> Value {
    let mut request = json!({
        "do": "verify", "token": token, "key": { "text": key, "form": "text" }, "issuer": "", "audience": "", "typ": "",
        "allow_missing_expiration": false, "now": NOW,
    });
    for (name, value) in other.as_object().unwrap() {
        request[name] = value.clone();
    }
    ask(&request)
}

fn inspect(token: &str) -> Value {
    ask(&json!({ "do": "inspect", "token": token, "now": NOW }))
}

fn unsigned(header: &str, payload: &str) -> String {
    format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
}

fn claims() -> Value {
    json!({ "iss": "https://auth.example", "iat": NOW, "exp": NOW + 900 })
}

#[track_caller]
fn verdict(result: &Value, verdict: &str, code: Option<&str>) {
    assert_eq!((result["verdict"].as_str(), result["code"].as_str()), (Some(verdict), code), "{result}");
}

#[track_caller]
fn has_problem(shown: &Value, text: &str) {
    let problems = shown["problems"].as_array().unwrap();
    assert!(problems.iter().any(|problem| problem["text"].as_str().unwrap().contains(text)), "{shown}");
}

#[test]
fn a_new_key_of_each_algorithm_makes_a_token_that_its_public_half_verifies() {
    for algorithm in [
        "HS256",
        "HS384",
        "HS512",
        "RS256",
        "PS256",
        "ES256",
        "ES384",
        "ES512",
        "ES256K",
        "EdDSA",
        "ML-DSA-44",
    ] {
        let key = ask(&json!({ "do": "generate", "algorithm": algorithm }));
        let token = make(algorithm, key["signing"].as_str().unwrap(), &claims());
        let result = verify(&token, key["verifying"].as_str().unwrap());
        verdict(&result, "valid", None);
        assert!(result["checked"][0].as_str().unwrap().ends_with(algorithm), "{result}");
        assert_eq!(result["unchecked"], json!(["iss", "aud", "typ"]));
    }
}

#[test]
fn a_private_key_verifies_with_a_warning() {
    let key = ask(&json!({ "do": "generate", "algorithm": "ES256" }));
    let pem = key["signing"].as_str().unwrap();
    let result = verify(&make("ES256", pem, &claims()), pem);
    verdict(&result, "valid", None);
    assert!(result["notes"][0].as_str().unwrap().contains("private key"), "{result}");
}

#[test]
fn a_refusal_has_the_code_of_the_library_and_says_whether_the_signature_was_right() {
    let expired = make("HS256", SECRET, &json!({ "iat": NOW - 2000, "exp": NOW - 1000 }));
    let result = verify(&expired, SECRET);
    verdict(&result, "refused", Some("expired"));
    assert_eq!(result["signature_valid"], true);

    let token = make("HS256", SECRET, &claims());
    let result = verify(&token, "another secret of more than thirty-two bytes");
    verdict(&result, "refused", Some("invalid_signature"));
    assert_eq!(result["signature_valid"], false);

    let result = verify_with(&token, SECRET, &json!({ "issuer": "https://other.example" }));
    verdict(&result, "refused", Some("wrong_issuer"));
}

#[test]
fn a_token_without_exp_is_refused_unless_it_is_allowed() {
    let token = make("HS256", SECRET, &json!({ "sub": "user123" }));
    verdict(&verify(&token, SECRET), "refused", Some("missing_claim"));
    verdict(&verify_with(&token, SECRET, &json!({ "allow_missing_expiration": true })), "valid", None);
}

#[test]
fn a_public_key_is_never_a_secret() {
    let key = ask(&json!({ "do": "generate", "algorithm": "RS256" }));
    let token = make("HS256", SECRET, &claims());
    verdict(&verify(&token, key["verifying"].as_str().unwrap()), "key", Some("wrong_key_type"));
}

#[test]
fn a_key_set_tells_which_entries_it_skips() {
    let set = json!({ "keys": [
        { "kty": "oct", "kid": "a\u{202e}b", "k": URL_SAFE_NO_PAD.encode(SECRET) },
    ] });
    let result = verify(&make("HS256", SECRET, &claims()), &set.to_string());
    verdict(&result, "refused", Some("unknown_key"));
    let note = result["notes"][1].as_str().unwrap();
    assert!(note.starts_with("Entry 1 of the set") && !note.contains('\u{202e}'), "{note}");
}

#[test]
fn a_token_with_alg_none_is_refused_with_and_without_a_key() {
    let token = unsigned(r#"{"alg":"none"}"#, r#"{"sub":"admin"}"#);
    let shown = inspect(&token);
    has_problem(&shown, "alg is none");
    let codes: Vec<_> =
        shown["problems"].as_array().unwrap().iter().filter_map(|problem| problem["code"].as_str()).collect();
    let result = verify(&token, SECRET);
    assert_eq!(result["verdict"], "refused");
    assert_eq!(codes, [result["code"].as_str().unwrap()]);
}

#[test]
fn text_of_a_token_cannot_steer_the_display() {
    let payload = "{\"a\u{202e}b\":\"c\u{200b}d\",\"e\":[\"\u{1b}f\"],\"g\":1}".replace('\u{1b}', "\\u001b");
    let shown = inspect(&unsigned("{\"alg\":\"H\u{2066}S\"}", &payload));
    let steers = |c: char| c.is_control() && c != '\n' || ('\u{200b}'..='\u{2069}').contains(&c);
    assert!(!shown.to_string().contains(steers), "{shown}");
    assert_eq!(
        shown["payload"]["rows"][0],
        json!({ "name": "a\\u202eb", "value": "c\\u200bd", "meaning": null })
    );
}

#[test]
fn times_duplicates_and_wrong_types_are_pointed_out() {
    let shown = inspect(&unsigned(
        r#"{"alg":"HS256","jku":"https://evil.example"}"#,
        r#"{"exp":1700000000,"iat":1900000000000,"nbf":1900000000,"aud":7,"sub":"a","sub":"b"}"#,
    ));
    for problem in [
        "token has expired",
        "iat is too large for seconds",
        "not valid yet",
        "aud is not a string",
        "\"sub\" occurs 2 times",
        "jku in the header offers a key",
    ] {
        has_problem(&shown, problem);
    }
    let rows = &shown["payload"]["rows"];
    assert_eq!(rows[0]["seconds"], 1_700_000_000.0);
    assert_eq!((&rows[1]["seconds"], &rows[1]["in_milliseconds"]), (&json!(1_900_000_000.0), &json!(true)));
}

#[test]
fn what_is_not_a_token_is_said_in_words() {
    for (text, error) in [
        ("", "paste a token"),
        ("a.b", "it has 1 dots"),
        ("a.b.c.d.e", "JWE"),
        ("-----BEGIN PUBLIC KEY-----", "looks like a key"),
        ("!.!.!", "neither"),
        (&format!("{}..", "a".repeat(1_100_000)), "1 MiB"),
    ] {
        let shown = inspect(text);
        assert!(shown["error"].as_str().unwrap().contains(error), "{text:.20}: {shown}");
    }
}

#[test]
fn a_token_is_found_in_a_header_and_in_broken_lines() {
    let token = make("HS256", SECRET, &claims());
    let (start, end) = token.split_at(40);
    verdict(&verify(&format!("  bearer {start}\r\n{end}\n"), SECRET), "valid", None);
}

#[test]
fn claims_are_written_in_their_order_and_header_parameters_as_asked() {
    let made = ask(&json!({
        "do": "make", "algorithm": "HS256", "key": { "text": SECRET, "form": "text" }, "key_id": "2026", "typ": "at+jwt",
        "claims": r#"{"z":1,"exp":1800000900,"a":{"c":1},"sub":"user123"}"#,
    }));
    let token = made["token"].as_str().unwrap();
    let shown = inspect(token);
    let names = |part: &str| {
        let rows = shown[part]["rows"].as_array().unwrap();
        rows.iter()
            .map(|row| format!("{}={}", row["name"], row["value"]).replace('"', ""))
            .collect::<Vec<_>>()
    };
    assert_eq!(names("header"), ["alg=HS256", "typ=at+jwt", "kid=2026"]);
    assert_eq!(names("payload"), ["z=1", "exp=1800000900", "a={\\c\\:1}", "sub=user123"]);
    verdict(&verify(token, SECRET), "valid", None);
    verdict(&verify_with(token, SECRET, &json!({ "typ": "at+jwt" })), "valid", None);
    verdict(&verify_with(token, SECRET, &json!({ "typ": "JWT" })), "refused", Some("wrong_type"));
}

#[test]
fn what_cannot_be_made_is_an_error_with_a_code() {
    for (algorithm, key, claims, code) in [
        ("HS256", "", "{}", "no_key"),
        ("HS256", "short", "{}", "secret_too_short"),
        ("HS256", SECRET, "[]", "claims"),
        ("HS256", SECRET, r#"{"exp":"tomorrow"}"#, "malformed_claim"),
        ("HS256", SECRET, r#"{"sub":"a","sub":"b"}"#, "duplicate_claim"),
        ("RS256", SECRET, "{}", "wrong_key_type"),
    ] {
        let result = ask(&json!({
            "do": "make", "algorithm": algorithm, "key": { "text": key, "form": "text" }, "key_id": "", "typ": "",
            "claims": claims,
        }));
        assert_eq!(result["error"]["code"], code, "{result}");
    }
    assert_eq!(ask(&json!({ "do": "nothing" }))["error"]["code"], "request");
}
