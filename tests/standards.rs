//! Checks that the tests exist that the manual's pages on standards and attacks name. Checks that the search for leaked secrets
//! finds them. Tests the requirements that no other file tests.
//!
//! The numbers are those of `src/manual/standards.md`.

mod util;

#[cfg(feature = "key-files")]
use countersign::KeySet;
#[cfg(feature = "rsa-verify")]
use countersign::PublicKey;
use countersign::{Algorithm, Claims, Expected, UnixTime, Verifier, VerifyError, jws};
use std::fs;
use std::path::{Path, PathBuf};
use util::{
    GOOD, HEADER, NOW, SECRET, assert_accepted, assert_refused, b64, b64_standard, headed, jwt, key, lax,
    leak, open, other_key, refusal, seconds, sign_text, signed, signed_with, strict,
};

// ---- the pages ----

const PAGES: [(&str, &str); 2] = [
    ("standards.md", include_str!("../src/manual/standards.md")),
    ("attacks.md", include_str!("../src/manual/attacks.md")),
];

#[test]
fn every_test_named_on_the_pages_exists() {
    for (page, text) in PAGES {
        let named = named_tests(text);
        assert!(named.len() > 50, "{page} names {} tests", named.len());
        for (file, test) in named {
            let path = source_of(file);
            let source =
                fs::read_to_string(&path).unwrap_or_else(|error| panic!("{page}: {file}::{test}: {error}"));
            assert!(has_test(&source, test), "{page}: there is no {file}::{test}");
        }
    }
}

#[test]
fn every_requirement_has_a_row() {
    let (_, text) = PAGES[0];
    let numbers: Vec<usize> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| S"))
        .filter_map(|line| line.split(" |").next())
        .flat_map(|cell| cell.split(", "))
        .map(|number| number.trim_start_matches('S').parse().expect("a number"))
        .collect();
    assert_eq!(numbers, (1..=275).collect::<Vec<_>>());
    // Each row names its tests, or says that there is nothing to test.
    for row in text.lines().filter(|line| line.starts_with("| S")) {
        assert!(!named_tests(row).is_empty() || row.contains("Not offered"), "{row}");
    }
}

#[test]
fn the_page_on_axum_shows_the_code_of_the_example() {
    let page = include_str!("../src/manual/axum.md");
    let example = include_str!("../crates/tower/examples/axum.rs");
    let shown = page.split("```").nth(1).unwrap().strip_prefix("text\n").unwrap();
    for part in shown.trim_end().split("\n\n") {
        assert!(example.contains(part), "{part}");
    }
}

/// Returns whether `source` has this function as a test.
fn has_test(source: &str, name: &str) -> bool {
    let Some((before, _)) = source.split_once(&format!("fn {name}(")) else { return false };
    // The attributes directly above the function.
    let mut above = before.trim_end().lines().rev().map(str::trim).take_while(|line| line.starts_with("#["));
    above.any(|line| line == "#[test]")
}

/// Returns every `file::test` in backticks.
fn named_tests(text: &str) -> Vec<(&str, &str)> {
    let plain = |name: &str| {
        !name.is_empty() && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'/'))
    };
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| code.rsplit_once("::"))
        .inspect(|(file, test)| {
            assert!(plain(file) && plain(test), "{file}::{test} is not the name of a test");
        })
        .collect()
}

/// Finds the file of a test: `attacks` is in `tests/`, `src/json` is in the crate, `remote_http` is in `crates/jwks/tests/`,
/// `session` is in `crates/session/tests/`, and `tower_layer` is in `crates/tower/tests/`.
fn source_of(file: &str) -> PathBuf {
    // `tests/unification` runs this file too, from a subfolder.
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let root = above.find(|folder| folder.join("src/manual").is_dir()).expect("the crate");
    let places = ["", "tests", "crates/jwks/tests", "crates/session/tests", "crates/tower/tests"]
        .map(|folder| root.join(folder).join(format!("{file}.rs")));
    places.into_iter().find(|place| place.is_file()).unwrap_or_else(|| panic!("there is no file {file}.rs"))
}

// ---- leaked secrets ----

/// A type with a derived `Debug`, which shows its bytes.
#[derive(Debug)]
#[expect(dead_code, reason = "only shown")]
struct Careless {
    bytes: Vec<u8>,
}

/// Returns texts into which `bytes` have leaked.
fn slips(bytes: &[u8]) -> Vec<String> {
    let careless = Careless { bytes: bytes.to_vec() };
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    vec![
        format!("{careless:?}"),
        format!("{careless:#?}"),
        serde_json::to_string(bytes).unwrap(),
        format!("key {} is broken", hex.to_uppercase()),
        format!("key {hex} is broken"),
        format!("key {} is broken", b64(bytes)),
        format!("key {} is broken", b64_standard(bytes)),
        format!("key {} is broken", String::from_utf8_lossy(bytes)),
    ]
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_leaked_secret_is_noticed_in_every_spelling() {
    // The base64 and the base64url of these bytes have no character in common.
    let only_signs: Vec<u8> = (0..12).flat_map(|count| [[0xfb, 0xef, 0xbe], [0xff; 3]][count % 2]).collect();
    assert_eq!((&b64(&only_signs)[..8], &b64_standard(&only_signs)[..8]), ("----____", "++++////"));
    for hidden in [SECRET, b"another secret, that is of this test alone", &[7; 32], &[0xa5; 32], &only_signs]
    {
        // The whole secret, and a part from its middle.
        for part in [hidden, &hidden[3..27]] {
            for told in slips(part) {
                let told = [told];
                assert!(leak(&told, &[hidden]).is_some(), "{told:?}");
            }
        }
        // Six bytes are enough.
        let told = [format!("{:?}", &hidden[3..9])];
        assert!(leak(&told, &[hidden]).is_some(), "{told:?}");
    }
    // The search always includes the secret of the tests.
    for told in slips(SECRET) {
        let told = ["nothing".to_owned(), told];
        assert!(leak(&told, &NOTHING).is_some(), "{told:?}");
    }
}

#[test]
fn a_leaked_token_is_noticed_in_every_spelling() {
    let text = jwt(GOOD);
    for told in slips(text.as_bytes()).into_iter().chain(slips(GOOD.as_bytes())) {
        let told = [told];
        assert!(leak(&told, &[&*text, GOOD]).is_some(), "{told:?}");
    }
}

#[test]
fn a_time_from_the_token_is_not_a_leak() {
    for seconds in [1_700_000_900, 253_402_300_799, 1 << 53, -(1 << 53)] {
        let payload = format!(r#"{{"exp":{seconds}, "nbf":{seconds},"iat":[{seconds}]}}"#);
        let (time, text) = (UnixTime::from_secs(seconds), jwt(&payload));
        let error = VerifyError::Expired { expired_at: time, now: time };
        let told = [error.to_string(), format!("{error:?}"), format!("{error:#?}")];
        assert_eq!(leak(&told, &[&*text, &*payload]), None);
    }
}

// ---- JWS ----

#[test]
fn an_empty_payload_is_accepted() {
    // S3
    let text = sign_text(&key(), &format!("{}.", b64(HEADER)));
    assert_eq!(jws::MessageVerifier::new(key()).verify(&text).unwrap().payload(), b"");
    assert_eq!(jws::Payload::new("").typ("JWT").sign(&key()).unwrap(), text);
    // But it is refused as claims.
    assert_refused!(open(), text, VerifyError::InvalidJson { .. });
}

#[test]
fn unknown_header_parameters_are_ignored() {
    // S5
    for more in [
        r#""x":1"#,
        r#""nonce":"abc","url":"https://x.example/""#,
        r#""":null"#,
        r#""b64url":false"#,
        r#""critical":["alg"]"#,
        r#""zip":"DEF","enc":"A128GCM""#,
        r#""x":{"alg":"none","crit":["y"]}"#,
        r#""exp":1,"iss":"evil""#,
        r#""n":1e400"#,
    ] {
        let text = headed(format!(r#"{{"alg":"HS256",{more}}}"#));
        assert_accepted(&open(), &text);
        assert_accepted(&strict(), &text);
        assert!(jws::MessageVerifier::new(key()).verify(&text).is_ok(), "{more}");
    }
}

#[test]
fn a_content_type_is_returned_as_it_was_signed() {
    // S12
    for content_type in ["JWT", "application/json", "text/plain;charset=\"utf-8\"", "ж"] {
        let text = jws::Payload::new("x").content_type(content_type).sign(&key()).unwrap();
        let message = jws::MessageVerifier::new(key()).verify(&text).unwrap();
        assert_eq!(message.header().content_type(), Some(content_type));
        assert_eq!(message.header().typ(), None);
    }
}

// ---- JWT ----

#[test]
fn a_name_with_a_colon_is_compared_as_text() {
    // S60
    for name in [":", "not a uri:", "http://[", "urn:x:%zz", "a:b\u{1f600}"] {
        let text = Claims::registered().issuer(name).audience(name).never_expires().sign(&key()).unwrap();
        let named = Verifier::builder(key()).issuer(name).audience(name);
        let verifier = named.allow_missing_expiration().build().unwrap();
        assert_accepted(&verifier, &text);
    }
}

#[test]
fn the_default_typ_is_written_in_upper_case() {
    // S70
    let text = Claims::registered().never_expires().sign(&key()).unwrap();
    let token = open().at(NOW).verify::<()>(&text).unwrap();
    assert_eq!(token.header().typ(), Some("JWT"));
    assert_eq!(token.header().algorithm(), Algorithm::Hs256);
    assert_eq!(text.split('.').next(), Some(&*b64(HEADER)));
}

#[test]
fn a_token_inside_a_token_is_refused_as_claims() {
    // S71, S83: to read nested tokens, verify the layers one after the other.
    let inner = jwt(GOOD);
    let outer = signed(r#"{"alg":"HS256","typ":"JWT","cty":"JWT"}"#, &inner);
    assert_refused!(open(), outer, VerifyError::InvalidJson { .. });
    let message = jws::MessageVerifier::new(key()).verify(&outer).unwrap();
    assert_eq!(message.header().content_type(), Some("JWT"));
    assert_accepted(&strict(), core::str::from_utf8(message.payload()).unwrap());
}

// ---- best current practices ----

#[test]
fn the_key_of_one_issuer_cannot_sign_for_another() {
    // S88: a verifier binds its keys to its issuer.
    let of = |key, issuer: &str| {
        let builder = Verifier::builder(key).issuer(issuer).no_audience();
        builder.allow_missing_expiration().build().unwrap()
    };
    let one = of(key(), "https://one.example");
    let two = of(other_key(), "https://two.example");
    for (signer, good, bad) in [(key(), &one, &two), (other_key(), &two, &one)] {
        for issuer in ["one", "two"] {
            let payload = format!(r#"{{"iss":"https://{issuer}.example"}}"#);
            let text = signed_with(&signer, HEADER, &payload);
            assert_refused!(bad, text, VerifyError::InvalidSignature);
            let own = good.at(NOW).verify::<()>(&text).is_ok();
            assert_eq!(own, core::ptr::eq(good, &raw const one) == (issuer == "one"));
        }
    }
}

#[test]
fn access_and_identity_tokens_are_not_accepted_for_each_other() {
    // S92
    let access = lax().typ("at+jwt").build().unwrap();
    let logout = lax().typ("logout+jwt").build().unwrap();
    let identity = open();
    let kinds = [("at+jwt", &access), ("logout+jwt", &logout), ("JWT", &identity)];
    for (typ, own) in kinds {
        let text = Claims::registered().typ(typ).never_expires().sign(&key()).unwrap();
        for (_, verifier) in kinds {
            if core::ptr::eq(verifier, own) {
                assert_accepted(verifier, &text);
            } else {
                assert_refused!(*verifier, text, VerifyError::WrongType { .. });
            }
        }
    }
}

// ---- access tokens and bearer tokens ----

#[test]
fn the_rules_for_access_tokens_can_be_configured() {
    // S97, S98, S99
    let builder = Verifier::builder(key()).typ("at+jwt").issuer("https://auth.example");
    let required = ["sub", "client_id", "iat", "jti"];
    let builder = required.into_iter().fold(builder.audience("api"), countersign::VerifierBuilder::require);
    let verifier = builder.leeway(seconds(0)).build().unwrap();
    let members = [
        r#""iss":"https://auth.example""#,
        r#""exp":1700000900"#,
        r#""aud":["web","api"]"#,
        r#""sub":"ann""#,
        r#""client_id":"s6BhdRkqt3""#,
        r#""iat":1700000000"#,
        r#""jti":"dbe39bf3a3ba4238a513f51d6e1691c4""#,
    ];
    let typed = |typ: &str, members: &[&str]| {
        signed(format!(r#"{{"alg":"HS256","typ":"{typ}"}}"#), format!("{{{}}}", members.join(",")))
    };
    assert_accepted(&verifier, &typed("at+jwt", &members));
    assert_accepted(&verifier, &typed("application/at+jwt", &members));
    let refused = |text: &str| {
        let error = refusal(&verifier, text);
        let challenge = error.challenge();
        assert_eq!(challenge.status(), 401);
        assert!(challenge.www_authenticate().unwrap().contains(r#"error="invalid_token""#));
        error
    };
    let expects = |expected: &Expected, names: &[&str]| assert!(expected.names().eq(names.iter().copied()));
    for typ in ["JWT", "", "id+jwt"] {
        match refused(&typed(typ, &members)) {
            VerifyError::WrongType { expected } => expects(&expected, &["at+jwt"]),
            error => panic!("{typ}: {error:?}"),
        }
    }
    let instead = |place: usize, member: &str| {
        let mut members = members.to_vec();
        members[place] = member;
        refused(&typed("at+jwt", &members))
    };
    for issuer in ["https://auth.example/", "https://other.example", "AUTH", ""] {
        match instead(0, &format!(r#""iss":"{issuer}""#)) {
            VerifyError::WrongIssuer { expected } => expects(&expected, &["https://auth.example"]),
            error => panic!("{issuer}: {error:?}"),
        }
    }
    for audience in [r#""web""#, r#"["web","API"]"#, r#"["web","api/"]"#, r#""""#, "[]"] {
        match instead(2, &format!(r#""aud":{audience}"#)) {
            VerifyError::WrongAudience { expected } => expects(&expected, &["api"]),
            error => panic!("{audience}: {error:?}"),
        }
    }
    for left_out in members {
        let rest: Vec<_> = members.into_iter().filter(|member| *member != left_out).collect();
        let name = left_out.split('"').nth(1).unwrap().to_owned();
        assert_eq!(refused(&typed("at+jwt", &rest)), VerifyError::MissingClaim { claim: name.into() });
    }
}

#[test]
fn no_challenge_contains_a_character_that_breaks_out_of_it() {
    // S107
    let hostile = r#"{"iss":"\"\\\r\nX: 1","aud":"\"","exp":1700000900}"#;
    let mut errors = vec![
        refusal(&strict(), &jwt(hostile)),
        refusal(&strict(), &jwt(r#"{"\"\r\n":1,"\"\r\n":1}"#)),
        refusal(&lax().require("\"\r\n").build().unwrap(), &jwt(GOOD)),
        refusal(&lax().typ("\"\r\n").build().unwrap(), &jwt(GOOD)),
        refusal(&strict(), "\"\r\n"),
    ];
    let (expired_at, now) = (UnixTime::from_secs(i64::MIN), UnixTime::from_secs(i64::MAX));
    errors.extend([VerifyError::Expired { expired_at, now }, VerifyError::KeysUnavailable]);
    for error in errors {
        if let Some(value) = error.challenge().www_authenticate() {
            let parts: Vec<&str> = value.split('"').collect();
            // The parts are outside and inside of quotes in turn. All quotes are closed.
            assert_eq!(parts.len() % 2, 1, "{value}");
            for description in parts.iter().skip(1).step_by(2) {
                let allowed = |c: char| matches!(c, ' ' | '!' | '#'..='[' | ']'..='~');
                assert!(!description.is_empty() && description.chars().all(allowed), "{value}");
            }
        }
    }
}

// ---- RSA ----

#[cfg(any(feature = "aws-lc-rs", feature = "graviola", feature = "rsa"))]
mod rsa {
    use crate::util::{RSA_PRIVATE, der, over_each_backend, pem};
    use countersign::{FileMistake, KeyError};

    /// A key of three primes that is otherwise valid.
    const THREE_PRIMES: &str = include_str!("data/rsa_2048_three_primes.pem");

    /// Returns the PKCS#1 inside of PKCS#8: a SEQUENCE that begins with a version of one byte and a modulus.
    fn pkcs1(pem: &str) -> Vec<u8> {
        let der = der(pem);
        let begins = |bytes: &[u8]| matches!(bytes, [0x30, 0x82, _, _, 2, 1, _, 2, 0x82, ..]);
        let start = (0..der.len()).find(|place| begins(&der[*place..])).unwrap();
        der[start..].to_vec()
    }

    over_each_backend! { "rsa" =>
        #[test]
        fn a_private_key_of_more_than_two_primes_is_refused() {
            // S56
            let made = |der: &[u8]| {
                let [text, der] = [signing(&pem("RSA PRIVATE KEY", der)), signing_der(der)].map(|key| key.map(|_| ()));
                assert_eq!(text, der);
                text
            };
            let two = pkcs1(RSA_PRIVATE);
            assert_eq!(made(&two), Ok(()));

            // RFC 8017 appendix A.1.2: version 1, and the numbers of the third prime at the end.
            let three = pkcs1(THREE_PRIMES);
            assert_eq!((two[6], three[6]), (0, 1));
            let multi_prime = Err(KeyError::File(FileMistake::MultiPrime));
            assert_eq!(made(&three), multi_prime);
            for key in [signing(THREE_PRIMES), signing_any_exponent(THREE_PRIMES), signing_der(&der(THREE_PRIMES))] {
                assert_eq!(key.map(|_| ()), multi_prime);
            }

            // The version without a third prime is refused, and a third prime with another version.
            for (key, version, error) in [
                (&two, 1, Err(KeyError::MalformedKey)),
                (&three, 0, multi_prime.clone()),
                (&three, 2, multi_prime),
            ] {
                let mut key = key.clone();
                key[6] = version;
                assert_eq!(made(&key), error, "version {version}");
            }
        }
    }
}

// ---- metadata and sets of issuers ----

#[test]
fn s192_the_issuer_of_a_token_is_compared_byte_for_byte() {
    let verifier = lax_about_all_but("https://auth.example/tenant");
    let of = |issuer: &str| jwt(format!(r#"{{"iss":"{issuer}"}}"#));
    assert_accepted(&verifier, &of("https://auth.example/tenant"));
    assert_accepted(&verifier, &of(r"https:\/\/auth.example/tenant"));
    for issuer in [
        "https://auth.example/tenant/",
        "https://auth.example/Tenant",
        "https://AUTH.example/tenant",
        "HTTPS://auth.example/tenant",
        "http://auth.example/tenant",
        "https://auth.example:443/tenant",
        "https://auth.example/./tenant",
        "https://auth.example/ten%61nt",
        "https://auth.example/tenant?",
        "https://auth.example/tenant#",
        " https://auth.example/tenant",
        "https://auth.example",
    ] {
        assert_refused!(verifier, of(issuer), VerifyError::WrongIssuer { .. }, issuer);
    }
}

fn lax_about_all_but(issuer: &str) -> Verifier {
    let builder = Verifier::builder(key()).issuer(issuer).accept_any_audience().allow_missing_expiration();
    builder.build().unwrap()
}

#[cfg(feature = "key-files")]
#[test]
fn s194_a_set_is_one_json_object_whose_unknown_members_are_ignored() {
    let read = |text: &str| KeySet::from_jwks(text, &[Algorithm::Rs256]);
    for text in [
        r#"{"keys":[]}"#,
        r#" { "issuer" : "https://auth.example", "keys" : [], "jwks_uri" : null, "x" : {"keys":7} } "#,
    ] {
        assert!(read(text).unwrap().keys.is_empty(), "{text}");
    }
    let error = |text: &str| read(text).unwrap_err().code();
    for text in [r#"[{"keys":[]}]"#, "null", "\"keys\"", "", r#"{"keys":[]}{"keys":[]}"#, r#"{"keys":[]"#] {
        assert_eq!(error(text), "jwk_not_an_object", "{text}");
    }
    assert_eq!(error(r#"{"jwks":[]}"#), "jwk_missing_member");
    assert_eq!(error(r#"{"keys":{}}"#), "jwk_wrong_type");
    assert_eq!(error(r#"{"keys":[],"keys":[]}"#), "jwk_duplicate_member");
}

/// Neither `alg` of a key nor the lists of metadata in the same text add an algorithm to those of the caller.
#[cfg(feature = "rsa-verify")]
#[test]
fn s195_a_set_never_widens_the_allowed_algorithms() {
    let public = PublicKey::from_pem(util::RSA_PUBLIC).unwrap().to_jwk().unwrap();
    let entry = |members: &str| format!("{},{members}}}", public.trim_end_matches('}'));
    let text = format!(
        r#"{{"id_token_signing_alg_values_supported":["none","HS256","PS256","RS512"],"keys":[{},{},{},{},{{"kty":"oct","kid":"5","alg":"HS256","k":"{}"}}]}}"#,
        entry(r#""kid":"1","alg":"PS256""#),
        entry(r#""kid":"2","alg":"RS512""#),
        entry(r#""kid":"3","alg":"none""#),
        entry(r#""kid":"4","use":"sig""#),
        b64([7; 32])
    );
    let loaded = KeySet::from_jwks(&text, &[Algorithm::Rs256]).unwrap();
    let keys: Vec<_> = loaded.keys.iter().map(|key| (key.algorithm(), key.key_id())).collect();
    assert_eq!(keys, [(Algorithm::Rs256, Some("4"))]);
    let skipped: Vec<_> = loaded.skipped.iter().map(|key| (key.position, key.reason.code())).collect();
    assert_eq!(
        skipped,
        [
            (0, "jwk_not_allowed"),
            (1, "jwk_not_allowed"),
            (2, "jwk_unsupported_value"),
            (4, "jwk_not_allowed")
        ]
    );
    assert!(KeySet::from_jwks(&text, &[]).unwrap().keys.is_empty());
}

#[cfg(feature = "key-files")]
#[test]
fn s196_html_in_place_of_keys_is_named() {
    let page =
        "<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head><body>Not Found</body></html>";
    let error = KeySet::from_jwks(page, &[Algorithm::Rs256]).unwrap_err();
    assert_eq!(error.code(), "jwk_html");
    assert_eq!(error.to_string(), "this is HTML or XML and not JSON: check the address that it came from");
}
