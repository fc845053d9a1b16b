//! Law: under a valid signature of any algorithm, every header and payload is accepted or refused without a panic, with the same
//! result in `verify`, `verify_in` and, as far as it checks, the JWS layer. An accepted token is strict JSON without duplicate names. Its
//! header has the key's algorithm and requires no unsupported extension, and every registered claim has its type. The decision
//! does not depend on the claims type.
#![no_main]

use core::fmt;
use countersign::{
    Algorithm, Buffer, Entropy, EntropyError, HmacKey, KeyRef, Part, PrivateKey, SecretBytes, SignKey,
    UnixTime, Verifier, VerifyError, jws,
};
use libfuzzer_sys::fuzz_target;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const EXTENSION: &str = "exp";

/// A key of one algorithm, and the verifiers that trust it.
struct Suite {
    algorithm: Algorithm,
    signer: Box<dyn SignKey>,
    messages: jws::MessageVerifier,
    /// Understands one extension that `crit` may name.
    extended: jws::MessageVerifier,
    tokens: Verifier,
}

impl Suite {
    fn new(signer: impl SignKey + 'static, verifying: impl Into<KeyRef<'static>>) -> Self {
        let verifying = verifying.into();
        let messages = || jws::MessageVerifier::new(verifying.clone());
        let tokens = Verifier::builder(verifying.clone()).accept_any_issuer().accept_any_audience();
        Self {
            algorithm: verifying.algorithm(),
            signer: Box::new(signer),
            messages: messages(),
            extended: messages().understand_critical(EXTENSION).unwrap(),
            tokens: tokens.allow_missing_expiration().build().unwrap(),
        }
    }
}

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(0x5a);
        Ok(())
    }
}

/// HS256 first, then each other algorithm.
static SUITES: LazyLock<Vec<Suite>> = LazyLock::new(|| {
    const RSA: &str = include_str!("../../tests/data/rfc7515_a2.pem");
    let hmac = [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512].map(|algorithm| {
        let key = HmacKey::new(algorithm, &SecretBytes::from_bytes([7; 64])).unwrap();
        Suite::new(key.clone(), key)
    });
    let pairs = [
        (Algorithm::Rs256, RSA),
        (Algorithm::Rs384, RSA),
        (Algorithm::Rs512, RSA),
        (Algorithm::Ps256, RSA),
        (Algorithm::Ps384, RSA),
        (Algorithm::Ps512, RSA),
        (Algorithm::Es256, include_str!("../../tests/data/p256.pem")),
        (Algorithm::Es384, include_str!("../../tests/data/p384.pem")),
        (Algorithm::Es512, include_str!("../../tests/data/p521.pem")),
        (Algorithm::Es256k, include_str!("../../tests/data/secp256k1.pem")),
        (Algorithm::Ed25519, include_str!("../../tests/data/ed25519.pem")),
        (Algorithm::MlDsa44, include_str!("../../tests/data/ml_dsa_44_seed.pem")),
        (Algorithm::MlDsa65, include_str!("../../tests/data/ml_dsa_65_seed.pem")),
        (Algorithm::MlDsa87, include_str!("../../tests/data/ml_dsa_87_seed.pem")),
    ]
    .map(|(algorithm, pem)| {
        let key = PrivateKey::from_pem(pem).unwrap().signing_key_with(algorithm, Fixed).unwrap();
        Suite::new(key.clone(), key.verifying_key())
    });
    hmac.into_iter().chain(pairs).collect()
});

/// Returns the suite of the algorithm that the header names, or that of HS256. So an input with HS256, or with a broken header,
/// is tried quickly.
fn suite(header: &[u8]) -> &'static Suite {
    let header: Value = serde_json::from_slice(header).unwrap_or_default();
    let named = header["alg"].as_str().and_then(|name| name.parse().ok());
    SUITES.iter().find(|suite| Some(suite.algorithm) == named).unwrap_or(&SUITES[0])
}

fuzz_target!(|parts: (&[u8], &[u8])| {
    let (header, payload) = parts;
    // An empty header is replaced with the usual one, so that inputs reach the payload quickly.
    let header = if header.is_empty() { br#"{"alg":"HS256","typ":"JWT"}"# } else { header };
    let suite = suite(header);
    let text = signed(&suite.signer, header, payload);

    let value = suite.tokens.at(NOW).verify::<Value>(&text);
    let nothing = suite.tokens.at(NOW).verify::<()>(&text);
    let mut buffer = Buffer::new();
    let borrowed = suite.tokens.at(NOW).verify_in::<Value>(&mut buffer, &text);
    match (&value, &borrowed) {
        (Ok(owned), Ok(borrowed)) => {
            assert_eq!(owned.claims(), borrowed.claims());
            assert_eq!(owned.subject(), borrowed.subject());
        }
        (Err(owned), Err(borrowed)) => assert_eq!(owned, borrowed),
        _ => panic!("verify and verify_in disagree"),
    }
    match (&value, &nothing) {
        (Ok(_), Ok(_)) => {}
        // A number that does not fit into a `Value`.
        (Err(VerifyError::ClaimsMismatch { .. }), Ok(_)) => {}
        (Err(with), Err(without)) => assert_eq!(with, without),
        _ => panic!("the claims type decides"),
    }
    if let Ok(token) = &nothing {
        check_names(&read::<Members>(token.payload()).names);
    }
    if let Ok(token) = &value {
        check_claims(token.payload(), token);
    }
    let message = suite.messages.verify(&text);
    check_layers(suite.algorithm, &message, &nothing);
    check_extended(suite.algorithm, &message, &suite.extended.verify(&text));
});

/// Checks that the JWS layer reports the errors that it can detect with the same text, and leaves the others to the claims.
fn check_layers(
    algorithm: Algorithm,
    message: &Result<jws::Verified, VerifyError>,
    token: &Result<countersign::Token<()>, VerifyError>,
) {
    match (message, token) {
        (Err(VerifyError::WrongType { .. }), _) => panic!("the JWS layer has no expected type"),
        (Ok(message), Ok(token)) => {
            assert_eq!(message.payload(), token.payload().as_bytes());
            assert_eq!(message.header().json(), token.header().json());
            check_header(algorithm, token.header().json(), &[]);
            assert!(is_jwt(token.header().typ()));
        }
        (Ok(message), Err(VerifyError::WrongType { .. })) => assert!(!is_jwt(message.header().typ())),
        (Ok(message), Err(error)) => {
            assert!(is_jwt(message.header().typ()) && is_about_payload(error), "{error:?}");
        }
        // The type is checked before the key.
        (Err(VerifyError::AlgorithmMismatch { .. }), Err(VerifyError::WrongType { .. })) => {}
        (Err(message), Err(token)) => assert_eq!(message, token),
        (Err(error), Ok(_)) => panic!("the JWS layer alone says {error:?}"),
    }
}

/// Checks that a verifier with an extension accepts what others accept, and also tokens that they refuse only for `crit`.
fn check_extended(
    algorithm: Algorithm,
    message: &Result<jws::Verified, VerifyError>,
    extended: &Result<jws::Verified, VerifyError>,
) {
    match (message, extended) {
        (Ok(message), Ok(extended)) => assert_eq!(message.payload(), extended.payload()),
        (Err(VerifyError::CriticalHeader), Ok(extended)) => {
            check_header(algorithm, extended.header().json(), &[EXTENSION])
        }
        // Only `crit` prevented this error there.
        (Err(VerifyError::CriticalHeader), Err(VerifyError::AlgorithmMismatch { .. })) => {}
        (Err(message), Err(extended)) => assert_eq!(message, extended),
        _ => panic!("a supported extension changes other results"),
    }
}

fn check_header(algorithm: Algorithm, json: &str, understood: &[&str]) {
    let Members { names, values } = read(json);
    check_names(&names);
    let name = values.get("alg").and_then(Value::as_str).expect("`alg` is a text");
    assert!(name == algorithm.name() || (algorithm, name) == (Algorithm::Ed25519, "Ed25519"), "{name}");
    assert_ne!(values.get("b64"), Some(&json!(false)));
    let Some(crit) = values.get("crit") else { return };
    let crit: Vec<String> = serde_json::from_value(crit.clone()).expect("`crit` is a list of names");
    assert!(!crit.is_empty());
    check_names(&crit);
    for name in crit {
        assert!(understood.contains(&&*name) && names.contains(&name), "{name}");
    }
}

fn check_names(names: &[String]) {
    let mut seen = BTreeSet::new();
    assert!(names.iter().all(|name| seen.insert(name)), "{names:?}");
}

fn is_jwt(typ: Option<&str>) -> bool {
    typ.is_none_or(|typ| ["jwt", "application/jwt"].contains(&&*typ.to_ascii_lowercase()))
}

/// Returns whether only the layer of claims can report this error.
fn is_about_payload(error: &VerifyError) -> bool {
    matches!(
        error,
        VerifyError::DuplicateMember { part: Part::Payload }
            | VerifyError::Expired { .. }
            | VerifyError::InvalidJson { part: Part::Payload, .. }
            | VerifyError::InvalidUtf8 { part: Part::Payload, .. }
            | VerifyError::IssuedInFuture { .. }
            | VerifyError::MalformedClaim { .. }
            | VerifyError::NotYetValid { .. }
            | VerifyError::ReservedMember { part: Part::Payload }
            | VerifyError::TooLarge { .. }
    )
}

/// The members at the top of an object: all names, including repetitions, and some values. The other values may be numbers that
/// do not fit into a `Value`.
struct Members {
    names: Vec<String>,
    values: Map<String, Value>,
}

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Members;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
        let mut members = Members { names: Vec::new(), values: Map::new() };
        while let Some(name) = map.next_key::<String>()? {
            if ["alg", "b64", "crit"].contains(&&*name) {
                members.values.insert(name.clone(), map.next_value()?);
            } else {
                map.next_value::<IgnoredAny>()?;
            }
            members.names.push(name);
        }
        Ok(members)
    }
}

/// Reads an accepted part, which is JSON with as many levels as the verifier allows: more than `serde_json` allows.
fn read<T: DeserializeOwned>(json: &str) -> T {
    let mut reader = serde_json::Deserializer::from_str(json);
    reader.disable_recursion_limit();
    let read = T::deserialize(&mut reader).expect("an accepted part is a JSON object");
    reader.end().expect("nothing follows the object");
    read
}

fn check_claims(payload: &str, token: &countersign::Token<Value>) {
    let claims: Map<String, Value> = read(payload);
    assert_eq!(Value::Object(claims.clone()), *token.claims());
    for name in ["exp", "nbf", "iat"] {
        if let Some(value) = claims.get(name) {
            assert!(value.as_f64().is_some_and(|number| number.abs() <= 9_007_199_254_740_992.0), "{name}");
        }
    }
    for name in ["iss", "sub", "jti"] {
        assert!(claims.get(name).is_none_or(Value::is_string), "{name}");
    }
    if let Some(audience) = claims.get("aud") {
        assert!(
            audience.is_string() || audience.as_array().is_some_and(|all| all.iter().all(Value::is_string))
        );
    }
    assert_eq!(token.subject(), claims.get("sub").and_then(Value::as_str));
    if let Some(exp) = token.expires_at() {
        assert!(exp.as_secs() + 30 > NOW.as_secs());
    }
}

/// Returns the header and the payload in base64url with a valid signature.
fn signed(key: &impl SignKey, header: &[u8], payload: &[u8]) -> String {
    let input = format!("{}.{}", encode(header), encode(payload));
    let tag = key.sign_bytes(input.as_bytes()).unwrap();
    format!("{input}.{}", encode(tag.as_bytes()))
}

/// Encodes as base64url with the crate itself: the second segment of a JWS.
fn encode(bytes: &[u8]) -> String {
    jws::Payload::new(bytes).sign(&SUITES[0].signer).unwrap().split('.').nth(1).unwrap().to_owned()
}
