//! Helpers: tokens of any header and payload, and checks that every refusal keeps its mouth shut.
#![allow(dead_code, unused_imports, unused_macros, reason = "no test file uses all of them")]
#![allow(unexpected_cfgs, reason = "the tests of crates/session, which has no such features, use it too")]

pub(crate) mod depth;
pub(crate) mod random;

use core::error::Error;
use core::time::Duration;
use countersign::{
    Audience, Buffer, Claims, Entropy, EntropyError, Expected, HmacKey, Part, SecretBytes, SignKey, UnixTime,
    Verifier, VerifierBuilder, VerifyError, jws,
};
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::Sha256;

/// The time of every test.
pub(crate) const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
/// What [`key`] is made of.
pub(crate) const SECRET: &[u8] = b"correct horse battery staple, 41 bytes ok";
/// The header that [`key`] writes.
pub(crate) const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// Claims that [`strict`] takes.
pub(crate) const GOOD: &str =
    r#"{"iss":"https://auth.example","aud":"https://api.example","sub":"ann","exp":1700000900}"#;

pub(crate) fn key() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes(SECRET)).unwrap()
}

/// A key that is not [`key`].
pub(crate) fn other_key() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes([0xa5; 32])).unwrap()
}

/// The error for a registered claim of this malformed JSON value.
pub(crate) fn malformed_claim(claim: &'static str, value: &str) -> VerifyError {
    VerifyError::MalformedClaim { claim, found: Some(kind_of(claim, value)) }
}

/// What an error says of this malformed value of a registered claim.
pub(crate) fn kind_of(claim: &str, value: &str) -> &'static str {
    match (value.as_bytes()[0], claim) {
        (b'"', _) => "a string",
        (b'{', _) => "an object",
        (b'[', "aud") => "an array that holds something else",
        (b'[', _) => "an array",
        (b't' | b'f', _) => "a boolean",
        (b'n', _) => "null",
        (_, "exp" | "nbf" | "iat") => "a number beyond it",
        _ => "a number",
    }
}

/// The moment `seconds` after [`NOW`].
pub(crate) fn later(seconds: i64) -> UnixTime {
    UnixTime::from_secs(NOW.as_secs() + seconds)
}

pub(crate) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A policy that takes any claims, so that what is refused all the same is refused for itself.
pub(crate) fn lax() -> VerifierBuilder {
    Verifier::builder(key()).accept_any_issuer().accept_any_audience().allow_missing_expiration()
}

pub(crate) fn open() -> Verifier {
    lax().build().unwrap()
}

/// A policy as a careful caller has it.
pub(crate) fn strict() -> Verifier {
    Verifier::builder(key()).issuer("https://auth.example").audience("https://api.example").build().unwrap()
}

/// base64url without padding.
pub(crate) fn b64(bytes: impl AsRef<[u8]>) -> String {
    encode(bytes.as_ref(), b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
}

/// base64, with its padding.
pub(crate) fn b64_standard(bytes: impl AsRef<[u8]>) -> String {
    let mut text =
        encode(bytes.as_ref(), b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

fn encode(bytes: &[u8], alphabet: &[u8; 64]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - group.len()));
        for place in 0..=group.len() {
            text.push(char::from(alphabet[(bits >> (18 - 6 * place) & 63) as usize]));
        }
    }
    text
}

/// The bytes of base64 or base64url, padded or not, with any white space.
pub(crate) fn unb64(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (mut bits, mut held) = (0_u32, 0);
    for symbol in text.bytes().filter(|symbol| !symbol.is_ascii_whitespace() && *symbol != b'=') {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    bytes
}

/// The DER inside a PEM text.
pub(crate) fn der(pem: &str) -> Vec<u8> {
    unb64(&pem.lines().filter(|line| !line.starts_with("-----")).collect::<String>())
}

/// DER as a PEM text.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let text = b64_standard(der);
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

/// HMAC-SHA256 without this crate, by any secret, also one that no key here would have.
pub(crate) fn hmac_sha256(secret: &[u8], input: impl AsRef<[u8]>) -> Vec<u8> {
    Hmac::<Sha256>::new_from_slice(secret).unwrap().chain_update(input).finalize().into_bytes().to_vec()
}

/// `input`, whatever it is, with a good signature of `key`.
pub(crate) fn sign_text(key: &impl SignKey, input: &str) -> String {
    format!("{input}.{}", b64(key.sign_bytes(input.as_bytes()).unwrap().as_bytes()))
}

/// A token of this header and payload, signed with `key`.
pub(crate) fn signed_with(key: &impl SignKey, header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    sign_text(key, &format!("{}.{}", b64(header), b64(payload)))
}

/// A token of this header and payload, signed with [`key`].
pub(crate) fn signed(header: impl AsRef<[u8]>, payload: impl AsRef<[u8]>) -> String {
    signed_with(&key(), header, payload)
}

/// A token of these claims.
pub(crate) fn jwt(payload: impl AsRef<[u8]>) -> String {
    signed(HEADER, payload)
}

/// A token of this header.
pub(crate) fn headed(header: impl AsRef<[u8]>) -> String {
    signed(header, GOOD)
}

/// The payload that `claims` become.
#[track_caller]
pub(crate) fn written<T: serde::Serialize>(claims: &Claims<T>) -> Value {
    let text = claims.sign(&key()).unwrap();
    serde_json::from_slice(jws::MessageVerifier::new(key()).verify(&text).unwrap().payload()).unwrap()
}

/// Declares claims of both kinds.
#[derive(Debug, Deserialize)]
pub(crate) struct Declares {
    #[serde(rename = "iss")]
    _iss: Option<String>,
    #[serde(rename = "aud")]
    _aud: Option<Audience>,
    #[serde(rename = "exp")]
    _exp: Option<UnixTime>,
    #[serde(rename = "private")]
    _private: Option<serde::de::IgnoredAny>,
}

/// Checks that a token is taken, whatever it is read into.
#[track_caller]
pub(crate) fn assert_accepted(verifier: &Verifier, text: &str) {
    assert_accepted_at(verifier, text, NOW);
}

#[track_caller]
pub(crate) fn assert_accepted_at(verifier: &Verifier, text: &str, now: UnixTime) {
    assert_eq!(outcome::<()>(verifier, text, now), None);
    assert_eq!(outcome::<Value>(verifier, text, now), None);
    assert_eq!(outcome::<Declares>(verifier, text, now), None);
}

/// Why a token is refused, whatever it is read into. The error gives nothing of it away.
#[track_caller]
pub(crate) fn refusal(verifier: &Verifier, text: &str) -> VerifyError {
    refusal_at(verifier, text, NOW)
}

#[track_caller]
pub(crate) fn refusal_at(verifier: &Verifier, text: &str, now: UnixTime) -> VerifyError {
    let refused = |outcome: Option<VerifyError>| outcome.expect("the token is refused");
    let errors = [
        refused(outcome::<()>(verifier, text, now)),
        refused(outcome::<Value>(verifier, text, now)),
        refused(outcome::<Declares>(verifier, text, now)),
    ];
    assert_discreet_about_token(&errors, text);
    let [error, others @ ..] = errors;
    for other in others {
        assert_eq!(error.code(), other.code());
    }
    error
}

/// Why a token is refused as a `T`.
#[track_caller]
pub(crate) fn refusal_as<T: DeserializeOwned>(verifier: &Verifier, text: &str) -> VerifyError {
    let error = outcome::<T>(verifier, text, NOW).expect("the token is refused");
    assert_discreet_about_token(core::slice::from_ref(&error), text);
    error
}

/// What both ways of verifying say.
#[track_caller]
fn outcome<T: DeserializeOwned>(verifier: &Verifier, text: &str, now: UnixTime) -> Option<VerifyError> {
    let mut buffer = Buffer::new();
    let error = verifier.at(now).verify::<T>(text).err();
    assert_eq!(error, verifier.at(now).verify_in::<T>(&mut buffer, text).err());
    error
}

/// Why a token is refused for its shape or header: by both layers, in the same words.
#[track_caller]
pub(crate) fn refusal_of_header(text: &str) -> VerifyError {
    let error = refusal(&open(), text);
    assert_eq!(jws::MessageVerifier::new(key()).verify(text).unwrap_err(), error);
    error
}

/// Checks that the texts of no error hold text of the token, encoded or decoded, or of the secret.
#[track_caller]
pub(crate) fn assert_discreet_about_token(errors: &[VerifyError], token: &str) {
    let segments = token.split('.').take(3).map(unb64);
    let hidden: Vec<Vec<u8>> = segments.chain([token.into()]).collect();
    let mut told = Vec::new();
    for error in errors {
        // What the verifier was configured to expect is no secret, also if the token holds it.
        let mut names: Vec<_> = expected(error).into_iter().flat_map(Expected::names).collect();
        match error {
            VerifyError::MissingClaim { claim } => names.push(claim),
            // The claims of profiles.
            VerifyError::MalformedClaim { claim, .. }
            | VerifyError::WrongClaim { claim }
            | VerifyError::WrongKind { claim } => names.push(claim),
            _ => {}
        }
        told.extend(texts(error).map(|text| names.iter().fold(text, |text, name| text.replace(name, ""))));
    }
    told.sort();
    told.dedup();
    let leak = leak(&told, &hidden);
    assert_eq!(leak, None, "is told in {told:?}");
}

fn expected(error: &VerifyError) -> Option<&Expected> {
    match error {
        VerifyError::WrongAudience { expected }
        | VerifyError::WrongIssuer { expected }
        | VerifyError::WrongSubject { expected }
        | VerifyError::WrongType { expected } => Some(expected),
        _ => None,
    }
}

/// Checks that neither text of an error holds a piece of what is `hidden`.
#[track_caller]
pub(crate) fn assert_discreet(error: &impl Error, hidden: &[&str]) {
    assert_hides(&texts(error), hidden);
}

/// The texts of an error. Its source, if it has one, must be an error of this crate that is the last.
#[track_caller]
fn texts(error: &impl Error) -> [String; 2] {
    if let Some(source) = error.source() {
        assert!(source.is::<VerifyError>() && source.source().is_none(), "{error:?} has a foreign source");
        assert_eq!(source.to_string(), error.to_string());
    }
    let told = [error.to_string(), format!("{error:?}")];
    for text in &told {
        assert!(!text.is_empty() && text.len() < 300, "{} bytes of error", text.len());
    }
    assert!(!told[0].ends_with('.'), "{}", told[0]);
    told
}

/// Checks that `told` holds no piece of `hidden`, nor of the secret, in any spelling that [`leak`] knows.
#[track_caller]
pub(crate) fn assert_hides(told: &[String], hidden: &[&str]) {
    let leak = leak(told, hidden);
    assert_eq!(leak, None, "is told in {told:?}");
}

/// The first piece of `hidden`, or of the secret, that `told` holds: as text, hex, base64, base64url or a list of
/// numbers, which is how a derived `Debug` shows bytes.
pub(crate) fn leak(told: &[String], hidden: &[impl AsRef<[u8]>]) -> Option<String> {
    // A short piece without a letter may be of a time, which an error and its token both hold, unless commas say that
    // it is of a list.
    const SHORT: usize = 12;
    const LONGER_THAN_ANY_TIME: usize = 24;
    let says_much = |piece: &str| {
        piece.len() > SHORT
            || piece.bytes().any(|byte| byte.is_ascii_alphabetic())
            || piece.matches(',').count() > 1
    };
    let hidden: Vec<String> = hidden.iter().map(AsRef::as_ref).chain([SECRET]).flat_map(spellings).collect();
    for text in told {
        // `{:#?}` breaks the lines of a list that `{:?}` does not.
        let text = without_white_space(text);
        let pieces = text.as_bytes().windows(SHORT).chain(text.as_bytes().windows(LONGER_THAN_ANY_TIME));
        for piece in pieces.filter_map(|piece| core::str::from_utf8(piece).ok()) {
            if says_much(piece) && hidden.iter().any(|hidden| hidden.contains(piece)) {
                return Some(piece.to_owned());
            }
        }
    }
    None
}

fn spellings(bytes: &[u8]) -> [String; 6] {
    // Only filler makes a token longer, and to spell a quarter of a megabyte takes long.
    let front = &bytes[..bytes.len().min(4096)];
    let hex = front.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let (text, list) = (String::from_utf8_lossy(bytes), format!("{front:?}"));
    let [text, list] = [&*text, &*list].map(without_white_space);
    [text, list, hex.to_uppercase(), hex, b64(front), b64_standard(front)]
}

fn without_white_space(text: &str) -> String {
    text.split_ascii_whitespace().collect()
}

/// Checks that a token is refused with an error of this pattern.
macro_rules! assert_refused {
    ($verifier:expr, $text:expr, $pattern:pat $(, $why:expr)?) => {{
        let error = $crate::util::refusal(&$verifier, &$text);
        assert!(matches!(error, $pattern), "{error:?} {:?}", ($($why)?));
    }};
}
#[allow(unused_imports, reason = "no test file uses all of them")]
pub(crate) use assert_refused;

/// Whether this says that a part is not JSON.
pub(crate) fn is_invalid_json(error: &VerifyError, expected: Part) -> bool {
    matches!(error, VerifyError::InvalidJson { part, .. } if *part == expected)
}

/// Randomness that is none: it counts, so that keys are the same in every run.
pub(crate) struct Counting;

impl Entropy for Counting {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        for (count, byte) in (0..=u8::MAX).cycle().zip(bytes) {
            *byte = count;
        }
        Ok(())
    }
}

/// Runs the same tests over each backend of RSA, with its keys and with what makes them under the same names. The one in
/// Rust takes part if its feature is on: `"rsa-verify"`, or `"rsa"` where something is signed.
macro_rules! over_each_backend {
    ($feature:tt => $($test:item)*) => {
        #[cfg(feature = $feature)]
        pub(crate) mod pure {
            use super::*;
            use crate::util::pure::*;
            $($test)*
        }

        #[cfg(feature = "aws-lc-rs")]
        pub(crate) mod aws_lc {
            use super::*;
            use crate::util::aws_lc::*;
            $($test)*
        }

        #[cfg(feature = "graviola")]
        pub(crate) mod graviola {
            use super::*;
            use crate::util::graviola::*;
            $($test)*
        }
    };
}
pub(crate) use over_each_backend;

/// Returns whether graviola takes an RSA key: the length of the modulus is a multiple of 64 bits, the exponent is below 2^32.
#[cfg(feature = "graviola")]
pub(crate) fn fits_graviola(public: &countersign::PublicKey) -> bool {
    let (modulus, exponent) = public.modulus_and_exponent().expect("an RSA key");
    modulus[0] >= 0x80 && modulus.len().is_multiple_of(8) && exponent.len() <= 4
}

/// The functions of each backend by its name: whether it takes the RSA key, and what makes a key that verifies.
#[cfg(feature = "rsa-verify")]
pub(crate) type Backend = (
    &'static str,
    fn(&countersign::PublicKey) -> bool,
    fn(
        &countersign::PublicKey,
        countersign::Algorithm,
    ) -> Result<countersign::VerifyingKey, countersign::KeyError>,
);

/// All backends that verify with RSA.
#[cfg(feature = "rsa-verify")]
pub(crate) const BACKENDS: &[Backend] = &[
    ("pure", |_| true, pure::verifies_by),
    #[cfg(feature = "aws-lc-rs")]
    ("aws_lc", |_| true, aws_lc::verifies_by),
    #[cfg(feature = "graviola")]
    ("graviola", fits_graviola, graviola::verifies_by),
];

/// Makes a key of each backend that takes this RSA key. A backend that does not take it must say so.
#[cfg(feature = "rsa-verify")]
pub(crate) fn rsa_verifiers(
    public: &countersign::PublicKey,
    algorithm: countersign::Algorithm,
) -> Vec<(&'static str, countersign::VerifyingKey)> {
    let keys = BACKENDS.iter().filter_map(|(name, takes, make)| match make(public, algorithm) {
        Err(countersign::KeyError::UnsupportedByBackend) if !takes(public) => None,
        key => {
            assert!(takes(public), "{name} takes a key that it should refuse");
            Some((*name, key.unwrap()))
        }
    });
    keys.collect()
}

/// Writes the functions that make keys of a backend, from its `signs_by` and `verifies_by`. Functions without an algorithm
/// make keys for RS256. Signing needs this feature.
macro_rules! rsa_keys {
    ($signing:tt) => {
        #[cfg(feature = $signing)]
        pub(crate) fn signs(private: &PrivateKey) -> Result<SigningKey, KeyError> {
            signs_by(private, Algorithm::Rs256)
        }

        pub(crate) fn verifies(public: &PublicKey) -> Result<VerifyingKey, KeyError> {
            verifies_by(public, Algorithm::Rs256)
        }

        #[cfg(feature = $signing)]
        pub(crate) fn signing(pem: &str) -> Result<SigningKey, KeyError> {
            signs(&PrivateKey::from_pem(pem)?)
        }

        #[cfg(feature = $signing)]
        pub(crate) fn signing_any_exponent(pem: &str) -> Result<SigningKey, KeyError> {
            signs(&PrivateKey::from_pem(pem)?.any_exponent())
        }

        #[cfg(feature = $signing)]
        pub(crate) fn signing_der(der: &[u8]) -> Result<SigningKey, KeyError> {
            signs(&PrivateKey::from_der(der)?)
        }

        #[cfg(feature = $signing)]
        pub(crate) fn rsa_signing_key() -> SigningKey {
            signing(RSA_PRIVATE).unwrap()
        }

        pub(crate) fn verifying(pem: &str) -> Result<VerifyingKey, KeyError> {
            verifies(&PublicKey::from_pem(pem)?)
        }

        pub(crate) fn verifying_any_exponent(pem: &str) -> Result<VerifyingKey, KeyError> {
            verifies(&PublicKey::from_pem(pem)?.any_exponent())
        }

        pub(crate) fn verifying_der(der: &[u8]) -> Result<VerifyingKey, KeyError> {
            verifies(&PublicKey::from_der(der)?)
        }

        pub(crate) fn verifying_of(modulus: &[u8], exponent: &[u8]) -> Result<VerifyingKey, KeyError> {
            verifies(&PublicKey::from_modulus_and_exponent(modulus, exponent)?)
        }

        pub(crate) fn verifying_of_any_exponent(
            modulus: &[u8],
            exponent: &[u8],
        ) -> Result<VerifyingKey, KeyError> {
            verifies(&PublicKey::from_modulus_and_exponent(modulus, exponent)?.any_exponent())
        }

        pub(crate) fn rsa_verifying_key() -> VerifyingKey {
            verifying(super::RSA_PUBLIC).unwrap()
        }
    };
}
pub(crate) use rsa_keys;

/// Keys of the backend in Rust.
#[cfg(feature = "rsa-verify")]
pub(crate) mod pure {
    #[cfg(feature = "rsa")]
    use super::{Counting, RSA_PRIVATE};
    use countersign::{Algorithm, KeyError, PublicKey, VerifyingKey};
    #[cfg(feature = "rsa")]
    use countersign::{PrivateKey, SigningKey};

    #[cfg(feature = "rsa")]
    pub(crate) fn signs_by(private: &PrivateKey, algorithm: Algorithm) -> Result<SigningKey, KeyError> {
        private.signing_key_with(algorithm, Counting)
    }

    pub(crate) fn verifies_by(public: &PublicKey, algorithm: Algorithm) -> Result<VerifyingKey, KeyError> {
        public.verifying_key(algorithm)
    }

    pub(crate) fn takes(_: &PublicKey) -> bool {
        true
    }

    super::rsa_keys!("rsa");
}

/// Keys of AWS-LC.
#[cfg(feature = "aws-lc-rs")]
pub(crate) mod aws_lc {
    use super::RSA_PRIVATE;
    use countersign::{Algorithm, KeyError, PrivateKey, PublicKey, SigningKey, VerifyingKey, aws_lc};

    pub(crate) use aws_lc::signing_key as signs_by;
    pub(crate) use aws_lc::verifying_key as verifies_by;

    pub(crate) fn takes(_: &PublicKey) -> bool {
        true
    }

    super::rsa_keys!("aws-lc-rs");
}

/// Keys of graviola.
#[cfg(feature = "graviola")]
pub(crate) mod graviola {
    use super::RSA_PRIVATE;
    use countersign::{Algorithm, KeyError, PrivateKey, PublicKey, SigningKey, VerifyingKey, graviola};

    pub(crate) use graviola::signing_key as signs_by;
    pub(crate) use graviola::verifying_key as verifies_by;

    pub(crate) use super::fits_graviola as takes;

    super::rsa_keys!("graviola");
}

/// A key pair for tests: `openssl genrsa 2048`, `openssl rsa -pubout`.
#[cfg(feature = "rsa-verify")]
pub(crate) const RSA_PRIVATE: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCjeSM0sNHd3p0Z\n\
sbfsE5rcYQocLPksjutmJv8yjPWKnCQukXXl+acVvnlyL5XiXSovW98+13VqDTjY\n\
5eFhR7l34f60tmRIbX10gPdaLrl1nGICEfJ6ioLAXqQBMgGvyYYMLaXgT3aN1ZC7\n\
wTn9NQ1QTlagdzwdmII2u4Afy4uWSZnpF5H3jhBE3GGdxv0BzyzvoIX7FwgXAICg\n\
tXZ6iewK22rCubJ+9LAAnuF3/7XparJgL4KPXiz4DAiZ8eWIDdQFe7pxAAf8L2JO\n\
cc3m0EoKA24VIIescbYnhuF2HLa9GBXbZ6SLbpnBboWf59NUgfF5UYrs3vgFwu6P\n\
q6E18HPRAgMBAAECggEAGkKSpvtzjxxcaLz9gmEo2peFD/8ifOethWCk1JpDtGM+\n\
RbPMuGeJEWtiZ3cg8PbN2MM9osLqQ+HBXMha0u16a/lkGOQGyoK6KT2xXm2MkcnQ\n\
DayT4t7+v4fEeUOu9S3eiHTJxXWGYiTpRdv1pIkB7UFUVZ0pzUhLPJ8Upybjsr24\n\
z74ZAGHcNLUL4+XAsQnbo1/F4dtYyd2B27xeHZx1OI6RK7zjLGNE0jV/5EAoCj6u\n\
ZAP4CwHpIklzWceIausPaLuj62X7azqAYcRtEUWTYGrCEfEEYGg78o3hIB98rVo7\n\
PgJVMO5w10/5a0Krggtqg2vQB31sNjD+8S32tjJPhQKBgQDNfwZ/ewsNtZ1orF78\n\
S9BiKyX2+sBx+bQ8pvLI8M4dqfHhEJfGZhXEQztQPKOUWWp4190iVd8dIfktdgLK\n\
EDo+F341gm9zTrcdFDtu6I1s4Rs8wssROtzOMxf22VHd5gOk7AN5da0gz6LJjOzQ\n\
ei43tj4t80QKWkfymXiyEJtEjQKBgQDLpjKvIP5ByZHK7lz6pJVVFlrtsxKNA8z+\n\
HSwWl7tu72nHTpEAxyNCAPgodqMASAxqj/Rdu5LQ0663cBjByhDqosJlRtY0Mi+m\n\
61JSL4eGSFO0AC8SMBT8UCK9dNGvVFM+JmNB9Fj1ciTQLzXEEWmK2NAavC6yLSHG\n\
dGSH21e1VQKBgQCnZ7zWa1lU4MgL9qgmpmhrILV730iZUQ+ofWS5l5qCBekbLVZH\n\
dPB0g0S1l8C24KThLxFhoEzzQbLpewLIs7GO1bqmQs0iRVTdJpdIQcC8myGCPToK\n\
nkY04OC74sxTlccQOoiWEOxqF1yJDvn42CAAmMFM06lxOZz1IFt3zBmBHQKBgFXW\n\
r/ZxibphJDrNThO329oJmjonCOK3f2h9E2BShIa2E3gW/be+OHZRwkgL+ZjcxZ8F\n\
HpODxNaQ40wey9CjQ44jHJ1jxlYp8TwCZKiPsChBxEZS7YRVEANqI7qHyvqEKLJB\n\
rATY4cZTXoEB5T/Htxz3VoBuYaBotZvY46cAJXAhAoGAUWLhACprYmxYtFu3giiZ\n\
zHnuGh9pMaxJL7g6BhYz92uv/Zo/TmDYe2Gk9Skm+/E0Zee28hINZRJQNDe9n38M\n\
b933JScCx8htmpdgg9+OMEjF8C/p0RazLzo4g5cSagI2O/vXUy65LgJ3Svqb9e2I\n\
6gvO3vROcs9WzleH6sxIdKI=\n\
-----END PRIVATE KEY-----\n";
/// Its public half.
#[cfg(feature = "rsa-verify")]
pub(crate) const RSA_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAo3kjNLDR3d6dGbG37BOa\n\
3GEKHCz5LI7rZib/Moz1ipwkLpF15fmnFb55ci+V4l0qL1vfPtd1ag042OXhYUe5\n\
d+H+tLZkSG19dID3Wi65dZxiAhHyeoqCwF6kATIBr8mGDC2l4E92jdWQu8E5/TUN\n\
UE5WoHc8HZiCNruAH8uLlkmZ6ReR944QRNxhncb9Ac8s76CF+xcIFwCAoLV2eons\n\
CttqwrmyfvSwAJ7hd/+16WqyYC+Cj14s+AwImfHliA3UBXu6cQAH/C9iTnHN5tBK\n\
CgNuFSCHrHG2J4bhdhy2vRgV22eki26ZwW6Fn+fTVIHxeVGK7N74BcLuj6uhNfBz\n\
0QIDAQAB\n\
-----END PUBLIC KEY-----\n";

#[cfg(feature = "rsa")]
pub(crate) use pure::rsa_signing_key;
#[cfg(feature = "rsa-verify")]
pub(crate) use pure::rsa_verifying_key;

/// An object with other members. `null` removes one.
pub(crate) fn changed(object: &Value, members: Value) -> Value {
    let (mut object, Value::Object(members)) = (object.clone(), members) else { panic!("members") };
    let map = object.as_object_mut().unwrap();
    for (name, value) in members {
        if value.is_null() {
            map.remove(&name);
        } else {
            map.insert(name, value);
        }
    }
    object
}

/// Checks that each part of the code of a manual page is in a test file, so that its tests are tests of the page. Returns the number
/// of parts.
pub(crate) fn parts_shown(page: &str, file: &str) -> usize {
    let mut shown = 0;
    for block in page.split("```").skip(1).step_by(2) {
        let code: Vec<_> = block.lines().filter(|line| *line != "#" && !line.starts_with("# ")).collect();
        for part in code.join("\n").trim().split("\n\n").filter(|part| !part.starts_with("use ")) {
            assert!(file.contains(part), "{part}");
            shown += 1;
        }
    }
    shown
}
