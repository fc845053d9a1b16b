//! Tests which claims types can be read, and which registered claims each type gets.
//!
//! `tests/unification` runs these tests with all features of `serde_json`, because features that another crate enables must not
//! change a result.

use countersign::{Audience, Buffer, HmacKey, SecretBytes, UnixTime, Unverified, Verifier, VerifyError, jws};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Debug;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

/// Every registered claim, and two private claims.
const FULL: &str = r#"{"iss":"me","sub":"ann","aud":["api","web"],"exp":1700000900,"nbf":1700000000,"iat":1700000000,"jti":"7","role":"admin","n":5}"#;

fn key() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes([7; 32])).unwrap()
}

fn verifier() -> Verifier {
    Verifier::builder(key())
        .accept_any_issuer()
        .accept_any_audience()
        .allow_missing_expiration()
        .build()
        .unwrap()
}

fn signed(payload: &str) -> String {
    jws::Payload::new(payload).sign(&key()).unwrap()
}

fn read<T: DeserializeOwned>(payload: &str) -> Result<T, VerifyError> {
    verifier().at(NOW).verify::<T>(&signed(payload)).map(countersign::Token::into_claims)
}

#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "the table reads better without a & in every row")]
fn reads<T: DeserializeOwned + PartialEq + Debug>(payload: &str, expected: T) {
    let token = verifier().at(NOW).verify::<T>(&signed(payload)).unwrap();
    assert_eq!(*token.claims(), expected);
    // The policy sees all registered claims, also those that the type does not get.
    if payload == FULL {
        assert_eq!(token.issuer(), Some("me"));
        assert_eq!(token.subject(), Some("ann"));
        assert_eq!(token.audience().collect::<Vec<_>>(), ["api", "web"]);
        assert_eq!(token.expires_at(), Some(UnixTime::from_secs(1_700_000_900)));
        assert_eq!(token.not_before(), Some(NOW));
        assert_eq!(token.issued_at(), Some(NOW));
        assert_eq!(token.jwt_id(), Some("7"));
        assert_eq!(token.payload(), FULL);
    }
}

#[track_caller]
fn mismatches<T: DeserializeOwned>(payload: &str, claim: Option<&'static str>) {
    match read::<T>(payload).map(|_| ()).unwrap_err() {
        VerifyError::ClaimsMismatch { claim: found, .. } => assert_eq!(found, claim),
        other => panic!("{other:?}"),
    }
}

#[test]
fn types_that_ask_for_nothing_get_nothing() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Unit;
    #[derive(Debug, PartialEq, Deserialize)]
    struct Empty {}
    reads(FULL, ());
    reads(FULL, Unit);
    reads(FULL, Empty {});
    reads(FULL, std::marker::PhantomData::<u8>);
    assert!(read::<serde::de::IgnoredAny>(FULL).is_ok());
}

#[test]
fn a_struct_gets_the_claims_that_it_declares() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Private {
        role: String,
        n: u8,
    }
    reads(FULL, Private { role: "admin".into(), n: 5 });

    // The type ignores claims that it does not declare.
    #[derive(Debug, PartialEq, Deserialize)]
    struct Role {
        role: String,
    }
    reads(FULL, Role { role: "admin".into() });
    reads(r#"{"a":{"role":[1e999]},"role":"admin","z":null}"#, Role { role: "admin".into() });

    #[derive(Debug, PartialEq, Deserialize)]
    struct Everything {
        iss: String,
        sub: String,
        aud: Audience,
        exp: u64,
        nbf: i64,
        iat: f64,
        jti: Option<String>,
        role: String,
        n: Option<u8>,
    }
    reads(
        FULL,
        Everything {
            iss: "me".into(),
            sub: "ann".into(),
            aud: ["api", "web"].into_iter().collect(),
            exp: 1_700_000_900,
            nbf: 1_700_000_000,
            iat: 1_700_000_000.0,
            jti: Some("7".into()),
            role: "admin".into(),
            n: Some(5),
        },
    );
}

#[test]
fn registered_claims_can_be_options_newtypes_enums_and_our_own_types() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct UserId(String);
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Who {
        Ann,
        Bob,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Seconds(u128);

    #[derive(Debug, PartialEq, Deserialize)]
    struct Newtypes {
        sub: UserId,
        exp: Option<Seconds>,
        iat: Option<UnixTime>,
        aud: Option<Vec<UserId>>,
        jti: Option<UserId>,
    }
    let ids = |names: &[&str]| names.iter().map(|name| UserId((*name).into())).collect::<Vec<_>>();
    reads(
        FULL,
        Newtypes {
            sub: UserId("ann".into()),
            exp: Some(Seconds(1_700_000_900)),
            iat: Some(NOW),
            aud: Some(ids(&["api", "web"])),
            jti: Some(UserId("7".into())),
        },
    );
    reads(
        "{\"sub\":\"x\"}",
        Newtypes { sub: UserId("x".into()), exp: None, iat: None, aud: None, jti: None },
    );

    #[derive(Debug, PartialEq, Deserialize)]
    struct Enums {
        sub: Who,
        aud: (String, String),
    }
    reads(FULL, Enums { sub: Who::Ann, aud: ("api".into(), "web".into()) });
    mismatches::<Enums>(r#"{"sub":"carl","aud":["a","b"]}"#, Some("sub"));
    mismatches::<Enums>(r#"{"sub":"bob","aud":"a"}"#, Some("aud"));
}

#[test]
fn renamed_and_aliased_fields_get_registered_claims() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Renamed {
        #[serde(rename = "sub")]
        user: String,
        #[serde(alias = "iss")]
        issuer: String,
        #[serde(default)]
        missing: u8,
    }
    reads(FULL, Renamed { user: "ann".into(), issuer: "me".into(), missing: 0 });
}

#[test]
fn deny_unknown_fields_applies_to_private_claims_only() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        role: String,
        n: u8,
        sub: String,
    }
    reads(FULL, Strict { role: "admin".into(), n: 5, sub: "ann".into() });
    mismatches::<Strict>(r#"{"role":"admin","n":5,"sub":"ann","more":1}"#, None);
}

#[test]
fn maps_and_values_get_all_claims() {
    let value: Value = serde_json::from_str(FULL).unwrap();
    reads(FULL, value.clone());
    reads::<BTreeMap<String, Value>>(FULL, serde_json::from_value(value.clone()).unwrap());
    reads::<Option<Box<Value>>>(FULL, Some(Box::new(value)));
    let fraction = read::<Value>(r#"{"exp":1700000900.5,"iat":-1,"big":12345678901234567890}"#).unwrap();
    assert_eq!(fraction["exp"].as_f64(), Some(1_700_000_900.5));
    assert_eq!(fraction["iat"].as_i64(), Some(-1));
    assert_eq!(fraction["big"].as_u64(), Some(12_345_678_901_234_567_890));

    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    struct Name(String);
    #[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Known {
        Sub,
        Role,
    }
    let text = r#"{"sub":"ann","role":"admin"}"#;
    reads(
        text,
        BTreeMap::from([(Name("sub".into()), "ann".to_owned()), (Name("role".into()), "admin".to_owned())]),
    );
    reads(text, BTreeMap::from([(Known::Sub, "ann".to_owned()), (Known::Role, "admin".to_owned())]));
}

#[test]
fn flatten_gets_all_claims() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Common {
        sub: String,
        exp: Option<u64>,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Flat {
        role: String,
        #[serde(flatten)]
        common: Common,
    }
    reads(
        FULL,
        Flat { role: "admin".into(), common: Common { sub: "ann".into(), exp: Some(1_700_000_900) } },
    );

    #[derive(Debug, PartialEq, Deserialize)]
    struct Rest {
        role: String,
        #[serde(flatten)]
        rest: BTreeMap<String, Value>,
    }
    let rest = read::<Rest>(FULL).unwrap().rest;
    assert_eq!(rest.keys().collect::<Vec<_>>(), ["aud", "exp", "iat", "iss", "jti", "n", "nbf", "sub"]);
    assert_eq!(rest["aud"], json!(["api", "web"]));
}

#[test]
fn internally_tagged_enums_get_all_claims() {
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "role", rename_all = "lowercase")]
    enum Internally {
        Admin { n: u8, sub: String },
        Guest {},
    }
    reads(FULL, Internally::Admin { n: 5, sub: "ann".into() });
    reads(r#"{"role":"guest","exp":1700000900}"#, Internally::Guest {});

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Robot { model: String },
        Person { sub: String, exp: u64 },
    }
    reads(FULL, Untagged::Person { sub: "ann".into(), exp: 1_700_000_900 });
    reads(r#"{"model":"x"}"#, Untagged::Robot { model: "x".into() });

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "role", content = "n", rename_all = "lowercase")]
    enum Adjacently {
        Admin(u8),
    }
    reads(FULL, Adjacently::Admin(5));
}

#[test]
fn newtypes_options_and_boxes_of_a_struct_read_like_the_struct() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Role {
        role: String,
        exp: u64,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Wrapped(Role);
    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(transparent)]
    struct Transparent {
        inner: Role,
    }
    let role = || Role { role: "admin".into(), exp: 1_700_000_900 };
    reads(FULL, Wrapped(role()));
    reads(FULL, Transparent { inner: role() });
    reads(FULL, Some(role()));
    reads(FULL, Box::new(Some(Wrapped(role()))));
}

#[test]
fn sequences_externally_tagged_enums_and_plain_values_are_refused() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    enum Externally {
        #[serde(rename = "role")]
        Role(String),
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Pair(String, String);
    mismatches_or_malformed::<Externally>(r#"{"role":"admin"}"#);
    mismatches_or_malformed::<Pair>(FULL);
    mismatches_or_malformed::<Vec<String>>(FULL);
    mismatches_or_malformed::<(String, String)>(FULL);
    mismatches_or_malformed::<String>(FULL);
    mismatches_or_malformed::<u64>(FULL);
    mismatches_or_malformed::<bool>(FULL);
}

#[track_caller]
fn mismatches_or_malformed<T: DeserializeOwned>(payload: &str) {
    assert!(matches!(read::<T>(payload).map(|_| ()), Err(VerifyError::ClaimsMismatch { .. })));
    // No type reads claims from an array, although serde would read a struct from one.
    assert!(matches!(
        read::<T>("[1,2]").map(|_| ()),
        Err(VerifyError::InvalidJson { .. } | VerifyError::ClaimsMismatch { .. })
    ));
}

#[test]
fn an_array_is_refused_as_claims() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct One {
        n: u8,
    }
    for payload in ["[5]", "5", "\"n\"", "null", "true", ""] {
        assert!(matches!(read::<One>(payload), Err(VerifyError::InvalidJson { .. })), "{payload}");
        assert!(matches!(read::<Value>(payload), Err(VerifyError::InvalidJson { .. })), "{payload}");
        assert!(matches!(read::<()>(payload), Err(VerifyError::InvalidJson { .. })), "{payload}");
        assert!(matches!(read::<Option<One>>(payload), Err(VerifyError::InvalidJson { .. })), "{payload}");
    }
}

#[test]
fn borrowed_types_borrow_from_the_buffer() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Borrowed<'a> {
        role: &'a str,
        sub: &'a str,
        iss: Cow<'a, str>,
        #[serde(borrow)]
        aud: Vec<&'a str>,
        #[serde(borrow)]
        jti: Option<&'a [u8]>,
    }
    let mut buffer = Buffer::new();
    let text = signed(FULL);
    let token = verifier().at(NOW).verify_in::<Borrowed>(&mut buffer, &text).unwrap();
    let expected =
        Borrowed { role: "admin", sub: "ann", iss: "me".into(), aud: vec!["api", "web"], jti: Some(b"7") };
    assert_eq!(*token.claims(), expected);
    assert_eq!(token.payload(), FULL);

    // Text with escapes cannot be borrowed, because the payload does not contain it in this form. An owned field can hold it.
    let escaped = signed(r#"{"sub":"a\u006en","role":"\u0061dmin"}"#);
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Sub<'a> {
        sub: &'a str,
    }
    assert!(matches!(
        verifier().at(NOW).verify_in::<Sub>(&mut buffer, &escaped),
        Err(VerifyError::ClaimsMismatch { claim: Some("sub"), .. })
    ));
    #[derive(Debug, PartialEq, Deserialize)]
    struct Owned {
        sub: String,
        role: String,
    }
    let token = verifier().at(NOW).verify_in::<Owned>(&mut buffer, &escaped).unwrap();
    assert_eq!(*token.claims(), Owned { sub: "ann".into(), role: "admin".into() });
    assert_eq!(token.subject(), Some("ann"));
}

#[test]
fn a_field_that_is_missing_or_of_another_type_is_named() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct User {
        role: String,
        exp: u8,
    }
    let missing = |claim| VerifyError::MissingClaim { claim: Cow::Borrowed(claim) };
    assert_eq!(read::<User>(r#"{"role":"admin"}"#).unwrap_err(), missing("exp"));
    assert_eq!(read::<User>(r#"{"exp":1700000900}"#).map(|_| ()).unwrap_err().code(), "claims_mismatch");
    mismatches::<User>(r#"{"role":5,"exp":1700000900}"#, Some("role"));
    mismatches::<User>(r#"{"role":"admin","exp":1700000900}"#, Some("exp"));
}

#[test]
fn a_field_that_does_not_fit_is_named_whatever_the_json_reader_reports() {
    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Role {
        Admin,
    }
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct User {
        role: Role,
        #[serde(default)]
        n: BTreeMap<u8, f64>,
    }
    assert!(matches!(read::<User>(r#"{"role":"admin","n":{"1":1}}"#), Ok(User { role: Role::Admin, .. })));
    // The JSON reader reports these values as syntax errors.
    for value in [r#"["admin"]"#, "5", "null", "true", r#"{"admin":1}"#, r#""root""#] {
        mismatches::<User>(&format!(r#"{{"role":{value},"exp":1700000900}}"#), Some("role"));
        mismatches::<User>(&format!(r#"{{"exp":1700000900,"role":{value}}}"#), Some("role"));
    }
    for value in [r#"{"x":1}"#, r#"{"1":1e999}"#, "[]", "1e999"] {
        mismatches::<User>(&format!(r#"{{"role":"admin","n":{value}}}"#), Some("n"));
    }
}

/// Returns serde's message about a payload that does not fit, and checks that the error itself does not print it.
#[track_caller]
fn serde_message<T: DeserializeOwned>(payload: &str) -> String {
    let error = read::<T>(payload).map(|_| ()).unwrap_err();
    assert_eq!(error.code(), "claims_mismatch");
    for text in [error.to_string(), format!("{error:?}")] {
        assert!(!text.contains("xyz") && !text.contains("invalid type"), "{text}");
    }
    assert_eq!(error, error.clone());
    let text = jws::Payload::new(payload).sign(&key()).unwrap();
    let unverified = Unverified::parse(&text).unwrap().unverified_claims::<T>().map(|_| ()).unwrap_err();
    assert_eq!(unverified.serde_message(), error.serde_message());
    assert_eq!(error.clone().serde_message(), error.serde_message());
    error.serde_message().unwrap().into()
}

#[test]
fn serde_message_explains_a_mismatch_also_where_no_field_can_be_named() {
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Inner {
        id: u8,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Flat {
        #[serde(flatten)]
        inner: Inner,
    }
    let said = serde_message::<Flat>(r#"{"id":"xyz"}"#);
    assert!(said.starts_with(r#"invalid type: string "xyz", expected u8"#), "{said}");

    #[derive(Deserialize)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    #[allow(dead_code)]
    enum Tagged {
        Person(Inner),
        Robot {},
    }
    let said = serde_message::<Tagged>(r#"{"kind":"person","id":"xyz"}"#);
    assert!(said.starts_with(r#"invalid type: string "xyz", expected u8"#), "{said}");
    let said = serde_message::<Tagged>(r#"{"kind":"xyz","id":1}"#);
    assert!(said.starts_with("unknown variant `xyz`, expected `person` or `robot`"), "{said}");

    #[derive(Deserialize)]
    #[serde(untagged)]
    #[allow(dead_code)]
    enum Untagged {
        Id { id: u8 },
        Name { name: String },
    }
    let said = serde_message::<Untagged>(r#"{"id":"xyz"}"#);
    assert!(said.starts_with("data did not match any variant of untagged enum Untagged"), "{said}");

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Strict {
        id: u8,
    }
    let said = serde_message::<Strict>(r#"{"id":1,"xyz":2}"#);
    assert!(said.starts_with("unknown field `xyz`, expected `id`"), "{said}");

    // A field of the type, and a registered claim.
    let said = serde_message::<BTreeMap<String, u64>>(r#"{"n":1,"exp":1700000900.5}"#);
    assert!(said.starts_with("invalid type: floating point `1700000900.5`, expected u64"), "{said}");
    let said = serde_message::<BTreeMap<String, u64>>(r#"{"n":"xyz"}"#);
    assert!(said.starts_with(r#"invalid type: string "xyz", expected u64 at line 1 column 10"#), "{said}");
    let said = serde_message::<Vec<u8>>("{}");
    assert!(said.starts_with("claims are read into a struct or a map"), "{said}");
}

#[test]
fn only_a_mismatch_has_a_serde_message() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Newer {
        tenant: u8,
    }
    for payload in [
        r#"{"tenant":"xyz","exp":1600000000}"#,
        r#"{"tenant":"xyz","exp":"xyz"}"#,
        r#"{"tenant":"xyz","a":1,"a":2}"#,
        r#"{"tenant":"xyz""#,
        "{}",
    ] {
        let error = read::<Newer>(payload).unwrap_err();
        assert_ne!(error.code(), "claims_mismatch", "{payload}");
        assert_eq!(error.serde_message(), None, "{payload}");
    }
}

#[test]
fn errors_of_the_policy_come_before_errors_of_the_type() {
    #[derive(Debug, Deserialize)]
    #[allow(dead_code)]
    struct Newer {
        tenant: String,
    }
    let error = read::<Newer>(r#"{"role":"admin","exp":1600000000}"#).unwrap_err();
    assert!(error.is_expired(), "{error:?}");
}

#[test]
fn a_type_that_ignores_errors_does_not_change_the_verdict() {
    /// Turns an error into `None`.
    struct Lenient<T>(#[allow(dead_code)] Option<T>);
    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            Ok(Self(T::deserialize(deserializer).ok()))
        }
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Inner {
        a: u8,
    }
    #[derive(Deserialize)]
    #[allow(dead_code)]
    struct Outer {
        x: Lenient<Inner>,
    }
    // As the whole type, it does not hide a malformed claim or a broken document.
    assert!(read::<Lenient<Inner>>(r#"{"a":"no"}"#).is_err());
    assert!(matches!(
        read::<Lenient<Inner>>(r#"{"a":1,"exp":"no"}"#),
        Err(VerifyError::MalformedClaim { claim: "exp", .. })
    ));
    assert!(matches!(read::<Lenient<Inner>>(r#"{"a":1,"a":1}"#), Err(VerifyError::DuplicateMember { .. })));
    // Errors of the claims of an inner object are not reported as errors of the token's claims.
    let read_outer =
        |inner: &str| read::<Outer>(&format!(r#"{{"exp":1800000000,"sub":"u","x":{inner}}}"#)).err();
    for inner in [r#"{"a":"no","sub":"x"}"#, r#"{"a":"no","aud":7}"#, r#"{"a":"no","exp":1}"#] {
        let error = read_outer(inner).unwrap();
        assert!(matches!(error, VerifyError::ClaimsMismatch { .. }), "{error:?}");
    }
    // As a field, it loses its place in the text. The text that follows must not be read as claims.
    let text = r#"{"x":{"a":"no","exp":1800000000},"exp":1600000000}"#;
    assert!(read::<Outer>(text).is_err());
}

#[test]
fn private_claims_are_read_as_serde_json_reads_them() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Id(String);
    #[derive(Debug, PartialEq, Deserialize)]
    enum Kind {
        Unit,
        Newtype(u8),
        Tuple(u8, u8),
        Struct { a: u8 },
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Private {
        id: Id,
        kinds: Vec<Kind>,
        address: std::net::IpAddr,
        flags: (bool, char, Option<i8>),
        numbers: BTreeMap<i32, f32>,
        none: Option<()>,
        nested: BTreeMap<String, Vec<Option<Id>>>,
    }
    let payload = r#"{"id":"x","kinds":["Unit",{"Newtype":1},{"Tuple":[1,2]},{"Struct":{"a":3}}],
        "address":"127.0.0.1","flags":[true,"c",-5],"numbers":{"-1":0.5},"none":null,"nested":{"n":["y",null]}}"#;
    let expected: Private = serde_json::from_str(payload).unwrap();
    reads(payload, expected);
    // A unit variant can be written in a second way.
    let spelled = payload.replace("\"Unit\"", "{\"Unit\":null}");
    reads(&spelled, serde_json::from_str::<Private>(&spelled).unwrap());
    mismatches::<Private>(&payload.replace("\"Unit\"", "{\"Unit\":5}"), Some("kinds"));
    // An error inside a claim names the claim at the top.
    mismatches::<Private>(&payload.replace("[1,2]", "[1,true]"), Some("kinds"));
    mismatches::<Private>(&payload.replace("\"y\"", "7"), Some("nested"));
}

#[test]
fn a_registered_claim_can_be_bytes_and_is_an_enum_only_if_it_is_text() {
    use std::ffi::CString;
    #[derive(Debug, PartialEq, Deserialize)]
    struct Bytes {
        sub: CString,
    }
    let ann = || Bytes { sub: CString::new("ann").unwrap() };
    reads(r#"{"sub":"ann"}"#, ann());
    reads(r#"{"sub":"a\u006en"}"#, ann());

    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "never made")]
    struct ByteTimes {
        exp: CString,
    }
    mismatches::<ByteTimes>(r#"{"exp":1700000900}"#, Some("exp"));

    #[derive(Debug, Deserialize)]
    enum Never {}
    #[derive(Debug, Deserialize)]
    #[allow(dead_code, reason = "never made")]
    struct Enums {
        #[serde(default)]
        exp: Option<Never>,
        #[serde(default)]
        aud: Option<Never>,
    }
    mismatches::<Enums>(r#"{"exp":1700000900}"#, Some("exp"));
    mismatches::<Enums>(r#"{"aud":["a"]}"#, Some("aud"));
}

/// Asks for the values that serde_json gives only to its own types.
struct Private<const NEWTYPE: bool>;

impl<'de, const NEWTYPE: bool> Deserialize<'de> for Private<NEWTYPE> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> serde::de::Visitor<'de> for Any {
            type Value = ();
            fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str("anything")
            }
            fn visit_newtype_struct<D: serde::Deserializer<'de>>(self, _: D) -> Result<(), D::Error> {
                Ok(())
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
                while map.next_entry::<String, Value>()?.is_some() {}
                Ok(())
            }
        }
        if NEWTYPE {
            deserializer.deserialize_newtype_struct("$serde_json::private::RawValue", Any)?;
        } else {
            deserializer.deserialize_struct("$serde_json::private::Number", &[], Any)?;
        }
        Ok(Self)
    }
}

#[test]
fn values_reserved_for_types_of_serde_json_are_refused() {
    #[derive(Deserialize)]
    #[allow(dead_code, reason = "never made")]
    struct Times {
        exp: Private<true>,
    }
    mismatches::<Private<true>>(FULL, None);
    mismatches::<Private<false>>(FULL, None);
    mismatches::<Times>(FULL, Some("exp"));
}

#[test]
fn nested_names_without_their_values_do_not_make_broken_json_valid() {
    /// Reads at most this many names of an object, and none of their values.
    struct Names<const MOST: usize>;
    impl<'de, const MOST: usize> Deserialize<'de> for Names<MOST> {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_map(Self)
        }
    }
    impl<'de, const MOST: usize> serde::de::Visitor<'de> for Names<MOST> {
        type Value = Self;
        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
            assert_eq!(map.size_hint(), None);
            for _ in 0..MOST {
                if map.next_key::<String>()?.is_none() {
                    break;
                }
            }
            Ok(self)
        }
    }
    fn broken<T: DeserializeOwned>(payload: &str) {
        let error = read::<BTreeMap<String, T>>(payload).map(|_| ()).unwrap_err();
        assert!(matches!(error, VerifyError::InvalidJson { .. }), "{payload}: {error:?}");
    }
    for payload in [r#"{"x":{"a"}}"#, r#"{"x":{"a","b"}}"#, r#"{"x":{"a"},"exp":1700000900}"#] {
        broken::<Names<{ usize::MAX }>>(payload);
        broken::<Names<1>>(payload);
    }
}

#[test]
fn nested_values_that_are_not_read_do_not_make_broken_json_valid() {
    /// Reads the name of an enum's variant, and not its content.
    struct NameOnly(String);
    impl<'de> Deserialize<'de> for NameOnly {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_enum("", &[], Self(String::new()))
        }
    }
    impl<'de> serde::de::Visitor<'de> for NameOnly {
        type Value = Self;
        fn expecting(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
            f.write_str("an enum")
        }
        fn visit_enum<A: serde::de::EnumAccess<'de>>(self, access: A) -> Result<Self, A::Error> {
            access.variant().map(|(name, _)| Self(name))
        }
    }
    /// Succeeds without reading the value.
    struct Whatever;
    impl<'de> Deserialize<'de> for Whatever {
        fn deserialize<D: serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            Ok(Self)
        }
    }
    fn broken<T: DeserializeOwned>(payload: &str) {
        let error = read::<T>(payload).map(|_| ()).unwrap_err();
        assert!(matches!(error, VerifyError::InvalidJson { .. }), "{payload}: {error:?}");
    }
    for payload in [r#"{"x":{"A":}}"#, r#"{"x":{"A":},"exp":1700000900}"#] {
        broken::<BTreeMap<String, NameOnly>>(payload);
    }
    for payload in [r#"{"x":}"#, r#"{"x":,"exp":1700000900}"#, r#"{"x":1,"y":}"#] {
        broken::<BTreeMap<String, Whatever>>(payload);
        broken::<BTreeMap<String, Option<Whatever>>>(payload);
    }
    for payload in [r#"{"x":[,]}"#, r#"{"x":[{"A":}]}"#] {
        broken::<BTreeMap<String, Vec<Whatever>>>(payload);
        broken::<BTreeMap<String, Vec<NameOnly>>>(payload);
    }
    // A value that is valid JSON may stay unread.
    assert_eq!(read::<BTreeMap<String, NameOnly>>(r#"{"x":"A"}"#).unwrap()["x"].0, "A");
}

#[test]
fn an_audience_of_one_text_can_be_read_as_text() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct One {
        aud: String,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Perhaps {
        aud: Option<String>,
    }
    let one = FULL.replace(r#"["api","web"]"#, r#""api""#);
    reads(&one, One { aud: "api".into() });
    reads(&one, Perhaps { aud: Some("api".into()) });
    mismatches::<One>(FULL, Some("aud"));
    mismatches::<One>(&FULL.replace(r#"["api","web"]"#, r#"["api"]"#), Some("aud"));
}

#[test]
fn an_audience_is_one_text_or_many() {
    let one: Audience = serde_json::from_str(r#""api""#).unwrap();
    let many: Audience = serde_json::from_str(r#"["api","web"]"#).unwrap();
    assert_eq!(one, Audience::from("api"));
    assert_eq!(many, Audience::from(vec!["api".to_owned(), "web".to_owned()]));
    assert_eq!((one.len(), many.len()), (1, 2));
    assert!(many.contains("web") && !one.contains("web") && !one.contains("ap"));
    assert!(!one.is_empty() && Audience::default().is_empty());
    assert_eq!(many.iter().collect::<Vec<_>>(), ["api", "web"]);
    assert_eq!(serde_json::to_string(&one).unwrap(), r#""api""#);
    assert_eq!(serde_json::to_string(&many).unwrap(), r#"["api","web"]"#);
    for wrong in ["5", "null", "{}", r#"["api",5]"#, "true"] {
        assert!(serde_json::from_str::<Audience>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_error_that_a_type_looks_at_shows_nothing() {
    struct Curious;
    impl<'de> Deserialize<'de> for Curious {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            u8::deserialize(deserializer).map(|_| Self).inspect_err(|error| {
                assert!(!format!("{error} {error:?}").contains("ann"));
            })
        }
    }
    #[derive(Deserialize)]
    #[allow(dead_code, reason = "never made")]
    struct Holds {
        sub: Curious,
    }
    mismatches::<Holds>(FULL, Some("sub"));
}

#[test]
fn the_jws_layer_has_its_own_limits_and_types() {
    let limits = countersign::Limits::new().with_token_bytes(10);
    let verifier = jws::MessageVerifier::new(key());
    let text = jws::Payload::new("payload").typ("a").content_type("b").sign(&key()).unwrap();
    assert_eq!(verifier.clone().limits(limits).verify(&text).unwrap_err().code(), "too_large");
    assert_eq!(verifier.clone().typ("a").unwrap().verify(&text).unwrap().into_payload(), b"payload");
    assert_eq!(verifier.typ("application/B").unwrap().verify(&text).unwrap_err().code(), "wrong_type");
    let prepared = jws::Payload::new("payload").prepare(&key()).unwrap();
    assert_eq!(prepared.algorithm(), countersign::Algorithm::Hs256);
}

#[test]
fn short_and_long_signatures_are_kept_completely() {
    use countersign::Signature;
    for length in [0, 1, 32, 64, 65, 256, 1024] {
        let bytes = vec![0xa5; length];
        assert_eq!(Signature::from_bytes(&bytes).as_bytes(), bytes);
        assert_eq!(Signature::from(bytes.clone()).as_bytes(), bytes);
    }
}

#[test]
fn the_keys_of_a_map_may_be_booleans_and_other_keys_are_not_cut_in_half() {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Flags {
        flags: BTreeMap<bool, u8>,
    }
    let flags = BTreeMap::from([(true, 1), (false, 0)]);
    reads(r#"{"flags":{"true":1,"false":0}}"#, Flags { flags });
    // serde_json 1.0.154 reads the first byte of a key as a character, and panics at some of these.
    for name in ["é", "éa", "日本", "\u{1f600}", "", "t", "tru", "true ", "truе", "\\u0074rue", "1", "TRUE"]
    {
        mismatches::<Flags>(&format!(r#"{{"flags":{{"{name}":1}},"exp":1700000900}}"#), Some("flags"));
        let payload = format!(r#"{{"flags":{{"{name}":1}}}}"#);
        let text = signed(&payload);
        assert!(Unverified::parse(&text).unwrap().unverified_claims::<Flags>().is_err());
    }
}

#[test]
fn the_value_of_a_name_that_was_not_understood_is_not_returned() {
    /// Skips names that are not numbers, and their values.
    struct Numbers;
    impl<'de> Deserialize<'de> for Numbers {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Each;
            impl<'de> serde::de::Visitor<'de> for Each {
                type Value = Numbers;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a map")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Numbers, A::Error> {
                    loop {
                        match map.next_key::<u8>() {
                            Ok(None) => return Ok(Numbers),
                            Ok(Some(_)) | Err(_) => map.next_value::<serde::de::IgnoredAny>()?,
                        };
                    }
                }
            }
            deserializer.deserialize_map(Each)
        }
    }
    mismatches::<Numbers>(r#"{"x":1,"exp":1700000900}"#, None);
}

#[test]
fn a_map_that_is_leaked_does_not_count_as_read() {
    struct Forgetful;
    impl<'de> Deserialize<'de> for Forgetful {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct First;
            impl<'de> serde::de::Visitor<'de> for First {
                type Value = Forgetful;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a map")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Forgetful, A::Error> {
                    map.next_key::<String>()?;
                    std::mem::forget(map);
                    Ok(Forgetful)
                }
            }
            deserializer.deserialize_map(First)
        }
    }
    let error = read::<Forgetful>(r#"{"a"}"#).map(|_| ()).unwrap_err();
    assert_eq!(error, VerifyError::InvalidJson { part: countersign::Part::Payload, offset: 4 });
}
