//! Shows what a token says, without a key. Nothing of it is verified.

use crate::members::Members;
use crate::text::{decode, indented, token_in, visible};
use countersign::{Algorithm, KeySet, Unverified, VerifyError, jws};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The most bytes that are read. By default, a verifier accepts a quarter of this.
const INPUT_BYTES: usize = 1024 * 1024;
/// Numbers from here on are probably milliseconds. As seconds, this is the year 5138; as milliseconds, 1973.
const MILLISECONDS: f64 = 1e11;
/// Numbers from here on are not shown as a date. As milliseconds, this is the year 5138.
const NO_DATE: f64 = 1e14;

#[derive(Deserialize)]
pub(crate) struct Request {
    token: String,
    /// Seconds since 1970, from the browser.
    now: f64,
}

/// Returns both parts of the token as far as they can be read, and the problems that do not depend on a key.
pub(crate) fn inspect(request: &Request) -> Value {
    let text = token_in(&request.token);
    let segments: Vec<&str> = text.split('.').collect();
    let [header, payload, signature] = *segments else {
        return json!({ "error": not_three(&text, segments.len()) });
    };
    if text.len() > INPUT_BYTES {
        return json!({ "error": "Not shown: it has more than 1 MiB." });
    }
    let mut problems = Problems::default();
    let header = Part::read("header", header, &mut problems);
    let payload = Part::read("payload", payload, &mut problems);
    if header.members.is_none() && payload.members.is_none() {
        return json!({ "error": "Not a token: neither its header nor its payload is a JSON object." });
    }
    let signature_bytes = decode(signature).map_or(0, |bytes| bytes.len());
    problems.about_header(&header);
    problems.about_claims(&payload, request.now);
    problems.about_verifiers(&text);
    json!({
        "algorithm": header.get("alg").and_then(Value::as_str).map(visible),
        "header": header.shown(),
        "payload": payload.shown(),
        "signature_bytes": signature_bytes,
        "problems": problems.0,
    })
}

fn not_three(text: &str, segments: usize) -> String {
    match segments {
        _ if text.is_empty() => "Nothing to show: paste a token.".into(),
        5 => "Not a signed token: five segments are an encrypted token (JWE), which cannot be read without its key.".into(),
        1 if text.starts_with("-----") || text.starts_with('{') => {
            "Not a token: this looks like a key. Paste it in the field for the key.".into()
        }
        many => format!("Not a token: it has {} dots, a token has two.", many.saturating_sub(1)),
    }
}

/// What is wrong, and why that matters.
#[derive(Default)]
struct Problems(Vec<Problem>);

#[derive(Serialize)]
struct Problem {
    text: String,
    /// The code of the error with which a verifier of this crate refuses the token, if it does.
    code: Option<&'static str>,
}

impl Problems {
    fn add(&mut self, text: impl Into<String>) {
        self.0.push(Problem { text: text.into(), code: None });
    }

    fn about_header(&mut self, header: &Part) {
        match header.get("alg").and_then(Value::as_str) {
            Some(none) if none.eq_ignore_ascii_case("none") => {
                self.add("alg is none: the token is not signed, so everybody can write it. Verifiers must refuse it.");
            }
            Some(name) if name.parse::<Algorithm>().is_err() => {
                self.add(format!("alg is {:?}, which this library does not support.", visible(name)));
            }
            _ => {}
        }
        for name in ["jku", "jwk", "x5c", "x5u"] {
            if header.get(name).is_some() {
                self.add(format!(
                    "{name} in the header offers a key: a verifier must not take its key from the token."
                ));
            }
        }
        if let Some(typ) = header.get("typ").and_then(Value::as_str)
            && !typ.eq_ignore_ascii_case("JWT")
            && !typ.eq_ignore_ascii_case("application/JWT")
        {
            self.add(format!(
                "typ is {:?}: this is a token of a special kind, and a verifier must ask for that kind.",
                visible(typ)
            ));
        }
    }

    fn about_claims(&mut self, payload: &Part, now: f64) {
        let strings =
            |value: &Value| value.as_array().is_some_and(|entries| entries.iter().all(Value::is_string));
        for (name, value) in payload.members.iter().flatten() {
            let wanted = match name.as_str() {
                "iss" | "sub" | "jti" if !value.is_string() => "a string",
                "exp" | "nbf" | "iat" if !value.is_number() => "a number of seconds since 1970",
                "aud" if !value.is_string() && !strings(value) => "a string or an array of strings",
                _ => continue,
            };
            self.add(format!("{name} is not {wanted}."));
        }
        if payload.members.is_some() && payload.get("exp").is_none() {
            self.add("There is no exp, so the token never expires.");
        }
        for (name, problem) in [
            ("iat", "iat is in the future: the clock of the issuer or of this computer is wrong."),
            ("nbf", "nbf is in the future: the token is not valid yet."),
            ("exp", "exp is in the past: the token has expired."),
        ] {
            let Some(time) = payload.get(name).and_then(Value::as_f64) else { continue };
            if time.abs() >= MILLISECONDS {
                self.add(format!("{name} is too large for seconds; it may be in milliseconds."));
            } else if if name == "exp" { now >= time } else { now < time } {
                self.add(problem);
            }
        }
    }

    /// Adds the errors of the crate, as far as they do not depend on a key.
    fn about_verifiers(&mut self, text: &str) {
        // An empty key set refuses every token with `UnknownKey`, so any other error is about the token.
        let header = jws::MessageVerifier::new(KeySet::new()).verify(text).err();
        let header = header.filter(|error| *error != VerifyError::UnknownKey);
        let claims = Unverified::parse(text).and_then(|token| token.unverified_claims::<()>()).err();
        let claims = claims.filter(|error| header.as_ref() != Some(error));
        for error in header.into_iter().chain(claims) {
            self.0.push(Problem {
                text: format!("This library refuses it: {error}."),
                code: Some(error.code()),
            });
        }
    }
}

/// The header or the payload.
struct Part {
    text: String,
    members: Option<Vec<(String, Value)>>,
}

impl Part {
    fn read(part: &str, segment: &str, problems: &mut Problems) -> Self {
        let bytes = decode(segment).unwrap_or_else(|error| {
            problems.add(format!("The {part} is not base64url: {error}."));
            Vec::new()
        });
        let text = String::from_utf8(bytes).unwrap_or_else(|error| {
            problems.add(format!("The {part} is not UTF-8."));
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        });
        let members = match serde_json::from_str(&text) {
            Ok(Members(members)) => Some(members),
            Err(error) => {
                problems.add(format!("The {part} is not a JSON object: {error}."));
                None
            }
        };
        let mut names: Vec<&String> = members.iter().flatten().map(|(name, _)| name).collect();
        names.sort_unstable();
        for same in names.chunk_by(|one, other| one == other) {
            if let [name, _, ..] = same {
                let times = same.len();
                problems.add(format!(
                    "{:?} occurs {times} times in the {part}: readers differ in which value they use.",
                    visible(name)
                ));
            }
        }
        Self { text, members }
    }

    /// Returns the last member of that name, as most readers do.
    fn get(&self, name: &str) -> Option<&Value> {
        let members = self.members.as_deref().unwrap_or_default();
        members.iter().rev().find(|(member, _)| member == name).map(|(_, value)| value)
    }

    /// Returns the rows of its table, and its text.
    fn shown(&self) -> Value {
        let rows: Vec<Value> = self.members.iter().flatten().map(|(name, value)| row(name, value)).collect();
        let text = if self.members.is_some() { indented(&self.text) } else { visible(&self.text) };
        json!({ "rows": rows, "text": text })
    }
}

fn row(name: &str, value: &Value) -> Value {
    let text = value.as_str().map_or_else(|| visible(&value.to_string()), visible);
    let mut row = json!({ "name": visible(name), "value": text, "meaning": meaning(name) });
    if let ("iat" | "nbf" | "exp" | "auth_time" | "updated_at", Some(number)) = (name, value.as_f64()) {
        let (seconds, in_milliseconds) = match number.abs() {
            NO_DATE.. => return row,
            MILLISECONDS.. => (number / 1000.0, true),
            _ => (number, false),
        };
        if let Some(row) = row.as_object_mut() {
            row.insert("seconds".into(), json!(seconds));
            row.insert("in_milliseconds".into(), json!(in_milliseconds));
        }
    }
    row
}

/// Says in two or three words what a name that a standard defines is for.
fn meaning(name: &str) -> Option<&'static str> {
    Some(match name {
        "alg" => "signature algorithm",
        "aud" => "for whom the token is",
        "auth_time" => "time of the login",
        "azp" => "client that asked for it",
        "cnf" => "key that must accompany it",
        "crit" => "parameters to understand",
        "cty" => "kind of the content",
        "exp" => "expires",
        "iat" => "issued at",
        "iss" => "issuer",
        "jti" => "id of the token",
        "jku" => "URL of a key set",
        "jwk" | "x5c" => "key of the sender",
        "kid" => "name of the key",
        "nbf" => "not valid before",
        "nonce" => "ties it to a login",
        "scope" => "what it allows",
        "sub" => "whom it is about",
        "typ" => "kind of token",
        "x5u" => "URL of a certificate",
        _ => return None,
    })
}
