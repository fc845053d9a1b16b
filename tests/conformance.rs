//! Tests the driver in `examples/conformance.rs`, which runs test cases from outside. It must answer 10,000 lines in order.
//! They come from a fixed seed and have every kind and key format: valid cases, attacks, and lines that are not cases.
#![cfg(all(feature = "std", feature = "rsa", feature = "getrandom"))]

#[path = "../examples/conformance.rs"]
#[allow(dead_code, reason = "its `main` is not called here")]
mod driver;
mod util;

use countersign::{Algorithm, HmacKey, PrivateKey, PublicKey, SecretBytes, SignKey, jws};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use util::random::Random;
use util::{RSA_PRIVATE, RSA_PUBLIC, b64, hmac_sha256, pem, rsa_signing_key, signed_with, unb64};

const LINES: usize = 10_000;
const NOW: i64 = 1_700_000_000;
const ISSUER: &str = "https://auth.example";
const AUDIENCE: &str = "https://api.example";
const JWS: &str = r#"{"alg":"HS256"}"#;
const JWT: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// Values that are not strings, for places that need a string.
const NO_TEXTS: [&str; 7] = ["null", "5", "true", "[]", "{}", r#"["x"]"#, r#"{"kty":"oct","k":"AAAA"}"#];

/// The expected answer.
#[derive(Clone)]
enum Verdict {
    /// With the payload, if the case has one.
    Accept(Option<Vec<u8>>),
    Reject(&'static str),
    Unsupported,
}

use Verdict::{Accept, Reject, Unsupported};

#[test]
fn ten_thousand_lines_get_the_right_answers_in_order() {
    let lines = lines();
    // The last line has no line break.
    let input: Vec<&[u8]> = lines.iter().map(|line| &*line.text).collect();
    let mut output = Vec::new();
    driver::answer(&*input.join(&b'\n'), &mut output).unwrap();

    let answers: Vec<&str> = core::str::from_utf8(&output).unwrap().lines().collect();
    assert_eq!((lines.len(), answers.len()), (LINES, LINES));
    let mut counts = BTreeMap::<String, usize>::new();
    let mut faults = Vec::new();
    for (line, answer) in lines.iter().zip(answers) {
        let mut expected = json!({ "id": line.id });
        match &line.verdict {
            Accept(payload) => {
                expected["result"] = "accept".into();
                if let Some(payload) = payload {
                    expected["payload_b64u"] = b64(payload).into();
                }
            }
            Reject(code) => {
                expected["result"] = "reject".into();
                expected["detail"] = (*code).into();
            }
            Unsupported => expected["result"] = "unsupported".into(),
        }
        let answer: Value = serde_json::from_str(answer).unwrap();
        if answer != expected {
            let text: String = String::from_utf8_lossy(&line.text).chars().take(1000).collect();
            faults.push(format!("{answer}\ninstead of {expected}\nfor {text}\n"));
        }
        *counts.entry(answer["result"].to_string()).or_default() += 1;
    }
    assert!(faults.is_empty(), "{} faults\n{}", faults.len(), faults[..faults.len().min(5)].join("\n"));
    println!("{LINES} lines: {counts:?}");
    assert!(counts.len() == 3 && counts.values().all(|count| *count > LINES / 10), "{counts:?}");
}

struct Line {
    text: Vec<u8>,
    id: Value,
    verdict: Verdict,
}

fn lines() -> Vec<Line> {
    let mut random = Random(8725);
    let genuine = genuine(&mut random);
    let hostile = [hostile_tokens(), refused_claims(), hostile_keys(&mut random), hostile_bytes()].concat();
    let odd = nulls(&genuine);
    let [absent, absent_of_verify] = absent();

    // Cases that take milliseconds come once. The other cases fill the rest.
    let mut lines: Vec<Line> = slow(&mut random).into_iter().map(|case| case.line(&mut random)).collect();
    while lines.len() < LINES {
        lines.push(match random.below(12) {
            0..4 => random.pick(&genuine).line(&mut random),
            4..7 => random.pick(&hostile).line(&mut random),
            7..9 => {
                let cases = random.pick(&[&genuine, &hostile]);
                let case = random.pick(cases).but(Unsupported);
                let of_verify = case.is("verify") && random.below(3) == 0;
                let (name, value) = random.pick(if of_verify { &absent_of_verify } else { &absent });
                // Then only one member names the algorithm.
                let case = if name == "alg" { case.with("options/algs", Value::Null) } else { case };
                case.with(name, value).line(&mut random)
            }
            9 => random.pick(&odd).line(&mut random),
            _ => no_case(&random.pick(&genuine), &mut random),
        });
    }
    for place in (1..LINES).rev() {
        lines.swap(place, random.below(place + 1));
    }
    lines
}

#[derive(Clone)]
struct Case {
    case: Value,
    verdict: Verdict,
}

impl Case {
    fn new(kind: &str, alg: &str, format: &str, key: impl Into<Value>, verdict: Verdict) -> Self {
        let key: Value = key.into();
        Self { case: json!({ "kind": kind, "alg": alg, "key": { "format": format, "value": key } }), verdict }
    }

    /// Makes a `verify` case of HS256.
    fn verify(mode: &str, secret: &[u8], token: impl Into<Value>, verdict: Verdict) -> Self {
        Self::new("verify", "HS256", "oct-b64u", b64(secret), verdict).with("mode", mode).with("token", token)
    }

    /// Sets a member, or a member of a member.
    fn with(mut self, path: &str, value: impl Into<Value>) -> Self {
        let member = path.split('/').fold(&mut self.case, |outer, name| &mut outer[name]);
        *member = value.into();
        self
    }

    fn but(self, verdict: Verdict) -> Self {
        Self { verdict, ..self }
    }

    fn is(&self, kind: &str) -> bool {
        self.case["kind"] == kind
    }

    /// Makes a line, with an id and with members for human readers, which must not change the verdict.
    fn line(mut self, random: &mut Random) -> Line {
        let number = random.below(1 << 30);
        let id = match random.below(12) {
            0 => Value::Null,
            1 => json!(number),
            2 => json!({ "number": [number] }),
            3 => json!(format!("\u{1f511} \"{number}\"\n")),
            _ => json!(format!("case-{number}")),
        };
        self = self.with("id", id.clone());
        for (name, values) in [
            ("expect", ["accept", "reject", "either"]),
            ("level", ["must", "should", ""]),
            ("why", ["a good signature", "a bad signature", "\0"]),
            ("source", ["rfc7515", "wycheproof", "countersign"]),
        ] {
            if random.below(3) > 0 {
                self = self.with(name, random.pick(&values));
            }
        }
        let end = random.pick(&["", "", "", "\r", " \t"]);
        Line { text: format!("{}{end}", self.case).into_bytes(), id, verdict: self.verdict }
    }
}

fn key(secret: &[u8]) -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes(secret)).unwrap()
}

fn tag(secret: &[u8], message: &[u8]) -> Vec<u8> {
    HmacKey::with_weak_secret(Algorithm::Hs256, &SecretBytes::from_bytes(secret))
        .unwrap()
        .sign_bytes(message)
        .unwrap()
        .as_bytes()
        .to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn genuine(random: &mut Random) -> Vec<Case> {
    let mut cases = Vec::new();
    let rsa = rsa_signing_key();
    for round in 0..20 {
        let (secret, payload) = (random.some_bytes(32..80), random.some_bytes(0..300));
        let accept = || Accept(Some(payload.clone()));
        let signed = |header: &str| signed_with(&key(&secret), header, &payload);
        let of = |header: &str| Case::verify("jws", &secret, signed(header), accept());
        let critical = r#"{"alg":"HS256","crit":["exp-x"],"exp-x":1}"#;
        cases.extend([
            of(JWS),
            of(r#"{"typ":"JWT","\u0061lg":"HS256","kid":"\u0000"}"#),
            of(r#"{"alg":"HS256","typ":"a+jws"}"#).with("options/typ", "application/A+jws"),
            of(critical).with("options/crit_understood", json!(["other", "exp-x"])),
            of(JWS).with("options/algs", "HS256").with("alg", "ES256"),
            of(JWS).with("options/algs", json!(["ES256", "HS256", 5, "RS256", "HS256"])),
            Case::new("sign-exact", "HS256", "oct-b64u", b64(&secret), Accept(None))
                .with("header_b64u", b64(JWS))
                .with("payload_b64u", b64(&payload))
                .with("token", signed(JWS)),
            Case::new("parse-key", "HS256", "oct-b64u", b64(&secret), Accept(None)).with("role", "secret"),
            Case::new("parse-key", "RS256", "pem", RSA_PUBLIC, Accept(None)).with("role", "public"),
            Case::new("parse-key", "HS256", "oct-b64u", b64(&secret), Accept(None)),
            Case::new("parse-key", "RS256", "pem", RSA_PUBLIC, Accept(None)),
        ]);

        // A JWK, as an object and as text. Its `kid` need not be in the token.
        let jwk = json!({ "kty": "oct", "k": b64(&secret), "alg": "HS256", "kid": "1", "use": "sig" });
        let rsa_jwk = PublicKey::from_pem(RSA_PUBLIC).unwrap().to_jwk().unwrap();
        cases.extend([
            of(JWS).with("key/format", "jwk").with("key/value", jwk.clone()),
            of(r#"{"alg":"HS256","kid":"1"}"#).with("key/format", "jwk").with("key/value", jwk.to_string()),
            Case::new("parse-key", "HS256", "jwk", jwk, Accept(None)).with("role", "secret"),
            Case::new("parse-key", "RS256", "jwk", rsa_jwk, Accept(None)).with("role", "public"),
        ]);

        // A raw HMAC has no minimum length of the secret.
        let short = random.some_bytes(1..60);
        cases.push(raw(&short, &payload, hex(&tag(&short, &payload)), Accept(None)));
        cases.push(raw(&short, &payload, hex(&tag(&short, &payload)).to_uppercase(), Accept(None)));
        let padded = format!("{:=<1$}", b64(&short), short.len().div_ceil(3) * 4);
        let padded = json!({ "format": "oct-b64u", "value": padded });
        cases.push(raw(&short, &payload, hex(&tag(&short, &payload)), Accept(None)).with("key", padded));

        let token = jws::Payload::new(&payload).sign(&rsa).unwrap();
        let (input, signature) = token.rsplit_once('.').unwrap();
        let of_rsa = Case::new("verify", "RS256", "pem", RSA_PUBLIC, accept()).with("mode", "jws");
        cases.extend([
            of_rsa.clone().with("token", &*token),
            of_rsa.with("token", &*token).with("options/algs", json!(["ES256", "HS256", "RS256"])),
            Case::new("raw-verify", "RS256", "pem", RSA_PUBLIC, Accept(None))
                .with("msg_hex", hex(input.as_bytes()))
                .with("sig_hex", hex(&unb64(signature))),
        ]);

        // Each time is the last or the first one that is accepted.
        let leeway = 30 * round;
        let claims = json!({
            "iss": ISSUER, "aud": ["x", AUDIENCE], "sub": "ann", "exp": NOW - leeway + 1, "nbf": NOW + leeway,
            "iat": NOW - 1000 - leeway, "nonce": false, "more": b64(&payload),
        })
        .to_string();
        let of = Case::verify(
            "jwt",
            &secret,
            signed_with(&key(&secret), JWT, &claims),
            Accept(Some(claims.into())),
        )
        .with("options", json!({ "now": NOW, "leeway": leeway, "aud": AUDIENCE }));
        cases.extend([
            of.clone(),
            of.clone().with("options/now", Value::Null).with("claims_now", NOW),
            of.clone()
                .with("options/iss", ISSUER)
                .with("options/sub", "ann")
                .with("options/typ", "application/jwt"),
            of.clone().with("options/iss", json!(["x", ISSUER])).with("options/aud", json!(["y", AUDIENCE])),
            of.clone().with("options/require", json!(["nonce", "exp", "iat"])).with("options/max_age", 1000),
            of.with("options/require", json!([])),
        ]);
    }
    cases
}

fn raw(secret: &[u8], message: &[u8], signature: impl Into<Value>, verdict: Verdict) -> Case {
    Case::new("raw-verify", "HS256", "oct-b64u", b64(secret), verdict)
        .with("msg_hex", hex(message))
        .with("sig_hex", signature)
}

/// Cases with private keys, and very long cases.
fn slow(random: &mut Random) -> Vec<Case> {
    let of_file =
        |role: &str, verdict| Case::new("parse-key", "RS256", "pem", RSA_PRIVATE, verdict).with("role", role);
    let mut cases = vec![of_file("private", Accept(None)), of_file("public", Reject("private_key"))];
    cases.push(of_file("private", Accept(None)).with("alg", Value::Null));
    cases.extend(of_jwks());
    let key = rsa_signing_key();
    for _ in 0..20 {
        let payload = random.some_bytes(0..300);
        let token = jws::Payload::new(&payload).sign(&key).unwrap();
        let case = Case::new("sign-exact", "RS256", "pem", RSA_PRIVATE, Accept(None))
            .with("header_b64u", b64(r#"{"alg":"RS256"}"#))
            .with("payload_b64u", b64(&payload));
        cases.push(case.clone().with("token", &*token));
        cases.push(case.but(Reject("another_token")).with("token", token + "A"));
        let text = random.pick(&["A", ".", "{", "é"]).repeat(270_000 + random.below(100_000));
        cases.push(Case::verify(random.pick(&["jws", "jwt"]), &[7; 32], text, Reject("too_large")));
    }
    cases
}

/// Cases with a private JWK, with a JWK that does not fit its case, and with thumbprints.
fn of_jwks() -> Vec<Case> {
    let key = PrivateKey::from_pem(RSA_PRIVATE).unwrap();
    let private = key.to_private_jwk().unwrap();
    let private = private.expose_secret_text().unwrap();
    let public = key.public_key().unwrap();
    let (text, thumbprint) = (public.to_jwk().unwrap(), public.thumbprint().unwrap().to_string());
    let parse = |role: &str, alg: &str, jwk: &str, verdict| {
        Case::new("parse-key", alg, "jwk", jwk, verdict).with("role", role)
    };
    let of = |jwk: &str, expected: &str, verdict| {
        Case::new("thumbprint", "RS256", "jwk", jwk, verdict).with("thumbprint_b64u", expected)
    };
    let encryption = text.replacen('{', r#"{"use":"enc","#, 1);
    vec![
        parse("private", "RS256", private, Accept(None)),
        parse("private", "RS256", private, Accept(None)).with("alg", Value::Null),
        parse("public", "RS256", &text, Accept(None)).with("alg", Value::Null),
        parse("private", "RS256", &text, Reject("jwk_missing_member")),
        parse("public", "RS256", private, Reject("jwk_private_member")),
        parse("public", "ES256", &text, Reject("wrong_key_type")),
        parse("secret", "HS256", &text, Reject("jwk_not_a_secret")),
        parse("public", "RS256", &encryption, Reject("jwk_not_allowed")),
        parse("public", "RS256", RSA_PUBLIC, Reject("jwk_pem")),
        of(&text, &thumbprint, Accept(None)),
        of(private, &thumbprint, Accept(None)),
        of(&text, &thumbprint[1..], Reject("another_thumbprint")),
        of("{}", &thumbprint, Reject("jwk_missing_member")),
        of(&text, &thumbprint, Unsupported).with("key/format", "pem"),
    ]
}

fn hostile_tokens() -> Vec<Case> {
    const SECRET: [u8; 32] = [7; 32];
    let sealed = |header: &str| signed_with(&key(&SECRET), header, "payload");
    let good = sealed(JWT);
    let [header, payload, signature] = *good.split('.').collect::<Vec<_>>() else { unreachable!() };
    let (zeros, other) = (b64([0; 32]), b64(tag(b"another", good.as_bytes())));
    let mut tokens: Vec<(String, &str)> = vec![
        (sealed(r#"{"alg":"RS256"}"#), "algorithm_mismatch"),
        (sealed(&format!(r#"{{"alg":"HS256","x":{}{}}}"#, "[".repeat(200), "]".repeat(200))), "too_large"),
        (sealed(&format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "k".repeat(2000))), "too_large"),
        (sealed(&format!(r#"{{"alg":"HS256","x":"{}"}}"#, "x".repeat(20_000))), "too_large"),
        // No signature is longer than one of ML-DSA-87, which has 4,627 bytes.
        (format!("{header}.{payload}.{}", b64([0; 4627])), "invalid_signature"),
        (format!("{header}.{payload}.{}", b64([0; 4628])), "too_large"),
        (signed_with(&key(&SECRET), b"{\"alg\":\"HS256\",\"x\":\"\xff\"}", ""), "invalid_utf8"),
    ];
    let mut add = |code, texts: &[String]| tokens.extend(texts.iter().map(|text| (text.clone(), code)));
    let signed_by = |signature: &str| format!("{header}.{payload}.{signature}");
    add("invalid_signature", &["", &*zeros, &*other, &signature[..40], payload].map(signed_by));
    add("invalid_signature", &[format!("{header}.{header}.{signature}"), format!("{header}..{signature}")]);
    for name in ["none", "None", "nOnE", "NONE", "none ", "", "hs256", "HS256 ", "HS224", "ES224", "Ed448"] {
        let sealed = sealed(&format!(r#"{{"alg":"{name}"}}"#));
        let stripped = sealed[..=sealed.rfind('.').unwrap()].to_owned();
        add("unsupported_algorithm", &[sealed, stripped]);
    }
    let no_texts = NO_TEXTS.map(|no_text| sealed(&format!(r#"{{"alg":{no_text}}}"#)));
    add("invalid_header", &no_texts);
    add(
        "invalid_header",
        &[r#"{"alg":"HS256","crit":"x","x":1}"#, "{}", r#"{"ALG":"HS256"}"#, r#"{"alg":"HS256","typ":1}"#]
            .map(sealed),
    );
    add(
        "duplicate_member",
        &[r#"{"alg":"HS256","alg":"HS256"}"#, r#"{"alg":"none","\u0061lg":"HS256"}"#].map(sealed),
    );
    add(
        "invalid_json",
        &["", "null", "[]", "{", "{}{}", "\u{feff}{}", "{'alg':'HS256'}", r#""HS256""#].map(sealed),
    );
    let critical = [r#"[]"#, r#"["x"]"#, r#"["exp"],"exp":1"#, r#"["b64"],"b64":false"#];
    add("critical_header", &critical.map(|crit| sealed(&format!(r#"{{"alg":"HS256","crit":{crit}}}"#))));
    add("not_a_token", &["", ".", "...", header, &good[..good.len() - 44], "é", "\0"].map(str::to_owned));
    add(
        "not_a_token",
        &[".".repeat(1000), format!("{header}{}", ".".repeat(1000)), good.replace('.', "%2E")],
    );
    add(
        "not_a_token",
        &[format!("{good}."), format!(".{good}"), format!("{good}.{good}"), good.replace('.', "..")],
    );
    add(
        "not_a_token",
        &[json!({ "protected": header, "payload": payload, "signature": signature }).to_string()],
    );
    add("invalid_base64", &["\0", "\u{feff}", "+", "="].map(|before| format!("{before}{good}")));
    add("not_alone", &[" ", "\n", "Bearer "].map(|before| format!("{before}{good}")));
    add("invalid_base64", &["=", "\0", "+", "é"].map(|after| format!("{good}{after}")));
    add("not_alone", &[" ", "\n"].map(|after| format!("{good}{after}")));
    add("invalid_base64", &["=.", " .", "\n.", "/."].map(|dot| good.replace('.', dot)));
    let of = |(token, code)| Case::verify("jws", &SECRET, token, Reject(code));
    let mut cases: Vec<Case> = tokens.into_iter().map(of).collect();
    cases.push(of((good.clone(), "unknown_key")).with("options/algs", json!([])));
    cases
}

fn refused_claims() -> Vec<Case> {
    const SECRET: [u8; 32] = [8; 32];
    let of = |claims: &str, code| {
        Case::verify("jwt", &SECRET, signed_with(&key(&SECRET), JWT, claims), Reject(code))
            .with("options", json!({ "now": NOW, "iss": ISSUER, "aud": AUDIENCE, "leeway": 30 }))
    };
    let good = json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "exp": NOW + 60, "iat": NOW - 1000 });
    let other = |name: &str, value: Value, code| {
        let mut claims = good.clone();
        claims[name] = value;
        of(&claims.to_string(), code)
    };
    let asked = |option: &str, value: Value, code| of(&good.to_string(), code).with(option, value);
    let mut cases = vec![
        other("exp", json!(NOW - 30), "expired"),
        other("exp", json!(-1), "expired"),
        other("nbf", json!(NOW + 31), "not_yet_valid"),
        other("iss", json!(format!("{ISSUER}/")), "wrong_issuer"),
        other("aud", json!("x"), "wrong_audience"),
        other("aud", json!(["x", "y"]), "wrong_audience"),
        other("aud", json!([AUDIENCE, 1]), "malformed_claim"),
        other("exp", json!(1e300), "malformed_claim"),
        asked("options/sub", json!("bob"), "wrong_subject"),
        asked("options/max_age", json!(969), "too_old"),
        asked("options/require", json!(["nonce"]), "missing_claim"),
        asked("options/typ", json!("at+jwt"), "wrong_type"),
        asked("options/aud", Value::Null, "unexpected_audience"),
        asked("options/iss", json!([]), "issuer_undecided"),
        of(r#"{"exp":1,"exp":1}"#, "duplicate_member"),
    ];
    for no_text in NO_TEXTS {
        cases.push(other("iss", value(no_text), "malformed_claim"));
        cases.push(other("sub", value(no_text), "malformed_claim"));
    }
    for no_number in ["null", "true", r#""1700000060""#, "[1700000060]", "{}"] {
        cases.extend(["exp", "nbf", "iat"].map(|name| other(name, value(no_number), "malformed_claim")));
    }
    for no_object in ["", "null", "[]", "0", "{", "{}x", r#"{"exp":01}"#, r#"{"exp":NaN}"#, "\u{feff}{}"] {
        cases.push(of(no_object, "invalid_json"));
    }
    cases
}

fn hostile_keys(random: &mut Random) -> Vec<Case> {
    let mut keys: Vec<(&str, &str, Value, &str)> = Vec::new();
    for no_text in NO_TEXTS {
        keys.push(("HS256", "oct-b64u", value(no_text), "not_a_text"));
        keys.push(("HS256", "pem", value(no_text), "not_a_text"));
        keys.push(("RS256", "pem", value(no_text), "not_a_text"));
    }
    for bytes in 0..32 {
        keys.push(("HS256", "oct-b64u", json!(b64(random.bytes(bytes))), "secret_too_short"));
        keys.push(("RS256", "pem", json!(pem("PUBLIC KEY", &random.some_bytes(1..300))), "malformed_key"));
        keys.push((
            "RS256",
            "pem",
            json!(RSA_PUBLIC[..13 * bytes]),
            if bytes == 0 { "empty" } else { "missing_end" },
        ));
        keys.push(("RS256", "pem", json!(b64(random.some_bytes(1..300))), "not_pem"));
    }
    for odd in ["+", "\n", "é", ".", "="] {
        keys.push(("HS256", "oct-b64u", json!(format!("{odd}{}", b64([7; 32]))), "invalid_base64"));
    }
    // The public key as the secret, alone and with text before it.
    for before in ["", " ", "\n", "\u{feff}", "# a comment\n"] {
        let text = format!("{before}{RSA_PUBLIC}");
        keys.push(("HS256", "oct-b64u", json!(b64(&text)), "not_a_secret"));
        keys.push(("HS256", "pem", json!(text), "not_a_secret"));
    }
    let input = format!("{}.{}", b64(JWT), b64("{}"));
    let token = format!("{input}.{}", b64(hmac_sha256(RSA_PUBLIC.as_bytes(), &input)));
    let mut cases = Vec::new();
    for (alg, format, key, code) in keys {
        let case = |kind| Case::new(kind, alg, format, key.clone(), Reject(code));
        cases.push(case("verify").with("mode", "jws").with("token", &*token));
        cases.push(case("verify").with("mode", "jwt").with("token", &*token));
        cases.push(case("parse-key").with("role", if alg == "HS256" { "secret" } else { "public" }));
        // A file with the label of a public key is refused for that, before it is read.
        let code = if code == "malformed_key" { "public_key" } else { code };
        let case = Case::new("sign-exact", alg, format, key.clone(), Reject(code));
        cases.push(case.with("header_b64u", "e30").with("payload_b64u", "").with("token", &*token));
    }
    // The caller decides on the role of a key, and never the key itself.
    for (alg, role, format, key, code) in [
        (Value::Null, "secret", "pem", RSA_PUBLIC, "not_a_secret"),
        (json!("HS256"), "public", "oct-b64u", &*b64([7; 32]), "wrong_key_type"),
        (json!("HS256"), "private", "pem", RSA_PRIVATE, "wrong_key_type"),
        (json!("RS256"), "secret", "pem", RSA_PUBLIC, "wrong_key_type"),
        (json!("RS256"), "public", "oct-b64u", &*b64([7; 32]), "wrong_key_type"),
        (Value::Null, "public", "oct-b64u", &*b64([7; 32]), "wrong_key_type"),
    ] {
        let case = Case::new("parse-key", "", format, key, Reject(code)).with("alg", alg);
        cases.push(case.with("role", role));
    }
    let curve = Case::new("parse-key", "", "pem", RSA_PUBLIC, Unsupported).with("alg", Value::Null);
    cases.push(curve.with("role", "public").with("crv", "Ed448"));
    cases
}

fn hostile_bytes() -> Vec<Case> {
    const SECRET: [u8; 3] = [9; 3];
    let good = tag(&SECRET, b"message");
    let of = |signature: Value, code| raw(&SECRET, b"message", signature, Reject(code));
    let mut cases = vec![
        of(json!(""), "invalid_signature"),
        of(json!(hex(&good[..31])), "invalid_signature"),
        of(json!(hex(&good) + "00"), "invalid_signature"),
        of(json!(hex(&tag(b"another", b"message"))), "invalid_signature"),
        of(json!(hex(&good)), "wrong_key_type").with("alg", "RS256"),
    ];
    cases.extend(["0", "0g", "+1", " ", "é", "0x"].map(|odd| of(json!(hex(&good) + odd), "not_hex")));
    cases.extend(NO_TEXTS.map(|no_text| of(value(no_text), "not_a_text")));
    cases
}

/// Members with values that give any case a kind, a key format or an algorithm that this crate does not have. The second list
/// is for `verify`.
fn absent() -> [Vec<(&'static str, Value)>; 2] {
    let jwk = json!({ "kty": "oct", "k": b64([7; 32]), "kid": "1" });
    let values =
        [jwk.clone(), json!(jwk.to_string()), json!({ "keys": [jwk.clone(), jwk] }), json!(RSA_PUBLIC)];
    let values: Vec<Value> = values.into_iter().chain(NO_TEXTS.map(value)).collect();
    let mut any: Vec<(&str, Value)> = Vec::new();
    for format in ["der", "PEM", "oct", ""] {
        any.extend(values.iter().map(|value| ("key", json!({ "format": format, "value": value }))));
    }
    any.extend(["decrypt", "Verify", "verify ", ""].map(|kind| ("kind", json!(kind))));
    for name in ["ES224", "PS1", "HS224", "RS1", "Ed448", "none", "hs256", "HS256 ", ""] {
        any.push(("alg", json!(name)));
    }
    any.extend(
        NO_TEXTS.into_iter().flat_map(|text| ["kind", "key", "key/format"].map(|name| (name, value(text)))),
    );

    let mut of_verify = vec![("options/detached_payload_b64u", json!("AAAA"))];
    of_verify.push(("options/algs", json!(["ES224", "none", ""])));
    of_verify.push(("options/crit_understood", json!("b64")));
    of_verify.push(("options/crit_understood", json!(["exp-x", "b64"])));
    of_verify.extend(["jwe", "JWT", ""].map(|mode| ("mode", json!(mode))));
    of_verify.extend(NO_TEXTS.map(|mode| ("mode", value(mode))));
    [any, of_verify]
}

/// Valid cases with a member that is `null`.
fn nulls(genuine: &[Case]) -> Vec<Case> {
    let mut cases = Vec::new();
    for case in genuine {
        for name in ["ref", "upstream", "crv", "options/detached_payload_b64u", "options/sub"] {
            cases.push(case.clone().with(name, Value::Null));
        }
        for name in ["kind", "key", "key/format"] {
            cases.push(case.clone().but(Unsupported).with(name, Value::Null));
        }
        cases.push(case.clone().but(Reject("not_a_text")).with("key/value", Value::Null));
        if case.is("verify") {
            cases.push(case.clone().but(Unsupported).with("mode", Value::Null));
            cases.push(case.clone().but(Reject("not_a_text")).with("token", Value::Null));
        }
        // Without an algorithm, only `parse-key` can be answered.
        let verdict = if case.is("parse-key") { case.verdict.clone() } else { Unsupported };
        cases.push(case.clone().but(verdict).with("options/algs", Value::Null).with("alg", Value::Null));
    }
    cases
}

/// A line that is not a case.
fn no_case(good: &Case, random: &mut Random) -> Line {
    let text = good.case.to_string();
    let not_utf8 = [b"\xff" as &[u8], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf0\x9f\x98", b"\x80"];
    let bytes = match random.below(12) {
        0 => Vec::new(),
        1 => random.pick(&[" ", "\r", "\t\t ", "\0", "\u{c}", "\u{2028}"]).into(),
        2 => random.pick(&["null", "true", "0", "-1.5e300", "[]", "[{}]", "{}", "\"\"", "\"verify\""]).into(),
        3 => random.pick(&["{", "[", "}", "{\"kind\"", "{\"kind\":", "nul", "NaN", "'", "\"", "01"]).into(),
        4 => format!("\u{feff}{text}").into(),
        5 => (text + random.pick(&[" x", "}", ",", "{}", "\0", "//"])).into(),
        6 => text.replace('"', "'").into(),
        7 => json!([good.case, text]).to_string().into(),
        // In the middle of a string.
        8 => {
            let (before, after) = text.split_at(text.find("alg").unwrap());
            [before.as_bytes(), random.pick(&not_utf8), after.as_bytes()].concat()
        }
        9 => random.pick(&["[", "{\"kind\":", "{\"key\":["]).repeat(100 + random.below(20_000)).into(),
        10 => random.some_bytes(1..200),
        _ => text.as_bytes()[..random.below(text.len())].to_vec(),
    };
    let text = bytes.into_iter().filter(|byte| *byte != b'\n').collect();
    Line { text, id: Value::Null, verdict: Unsupported }
}
