//! Properties that hold for any claims and any text.

mod util;

use countersign::{
    Buffer, Claims, Header, HmacKey, Key, KeyRef, KeySet, KeySource, Keys, Limits, SecretBytes, UnixTime,
    Unverified, Verifier, VerifyError, jws,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use std::sync::LazyLock;
use util::hmac_sha256;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

const SECRET: [u8; 32] = [7; 32];
static KEY: LazyLock<HmacKey> = LazyLock::new(|| HmacKey::hs256(&SecretBytes::from_bytes(SECRET)).unwrap());
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    Verifier::builder(KEY.clone())
        .accept_any_issuer()
        .accept_any_audience()
        .allow_missing_expiration()
        .build()
        .unwrap()
});
static JWS: LazyLock<jws::MessageVerifier> = LazyLock::new(|| jws::MessageVerifier::new(KEY.clone()));
/// A verifier with several keys.
static CHOOSER: LazyLock<Verifier> = LazyLock::new(|| {
    let mut keys = KeySet::new();
    keys.insert(KEY.clone()).unwrap();
    keys.insert(named(Some("k"))).unwrap();
    #[cfg(feature = "rsa-verify")]
    keys.insert(util::rsa_verifying_key()).unwrap();
    VERIFIER.with_keys(keys)
});

/// Any JSON value, a few levels deep.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        // serde_json reads the largest floats as infinite.
        any::<f64>().prop_filter("a number", |float| float.abs() < 1e300).prop_map(Value::from),
        ".*".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".*", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn kid() -> impl Strategy<Value = Option<&'static str>> {
    prop::option::of(select(&["k", "a\"é\n"][..]))
}

fn named(kid: Option<&str>) -> HmacKey {
    match kid {
        Some(kid) => KEY.clone().with_key_id(kid).unwrap(),
        None => KEY.clone(),
    }
}

/// The default limits, or one limit that is as low as possible.
fn limits(token_bytes: usize) -> impl Strategy<Value = Limits> {
    prop_oneof![
        4 => Just(Limits::new()),
        1 => Just(Limits::new().with_token_bytes(token_bytes)),
        1 => Just(Limits::new().with_header_bytes(36)),
        1 => Just(Limits::new().with_key_id_bytes(1)),
        1 => Just(Limits::new().with_members(2)),
        1 => Just(Limits::new().with_depth(0)),
    ]
}

/// A change of a text: whether it is at a dot, its position, the new piece, and whether the piece replaces a character.
type Spoil = (bool, prop::sample::Index, &'static str, bool);

/// Longer than any signature.
static LONG: LazyLock<String> = LazyLock::new(|| "A".repeat(6200));

/// Changes for `share` out of four texts.
fn spoils(share: u32) -> impl Strategy<Value = Vec<Spoil>> {
    let pieces = [".", "..", "", "=", "é", "😀", "A", "-", "\n", "\0", "+", "AAAA", LONG.as_str()];
    let spoil = (any::<bool>(), any::<prop::sample::Index>(), select(pieces.to_vec()), any::<bool>());
    prop_oneof![4 - share => Just(Vec::new()), share => prop::collection::vec(spoil, 1..3)]
}

fn spoil(text: String, spoils: &[Spoil]) -> String {
    spoils.iter().fold(text, |text, (at_dot, place, piece, replace)| {
        let dots: Vec<usize> =
            text.chars().enumerate().filter(|(_, c)| *c == '.').map(|(at, _)| at).collect();
        let place = match &*dots {
            [_, ..] if *at_dot => *place.get(&dots),
            _ => place.index(text.chars().count() + 1),
        };
        let (before, after): (String, String) =
            (text.chars().take(place).collect(), text.chars().skip(place + usize::from(*replace)).collect());
        before + piece + &after
    })
}

/// A spelling of bytes: the canonical one, or one that a lenient decoder reads as the same bytes.
#[derive(Clone, Copy, Debug)]
enum Spelling {
    Good,
    /// Sets these bits of the last character, after the last byte.
    StrayBits(usize),
    Padded(usize),
    OtherAlphabet,
    LineBreak,
}

fn spelling() -> impl Strategy<Value = Spelling> {
    prop_oneof![
        6 => Just(Spelling::Good),
        2 => (1..16_usize).prop_map(Spelling::StrayBits),
        2 => (1..3_usize).prop_map(Spelling::Padded),
        1 => Just(Spelling::OtherAlphabet),
        1 => Just(Spelling::LineBreak),
    ]
}

fn spelled(bytes: impl AsRef<[u8]>, spelling: Spelling) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let text = util::b64(bytes);
    match spelling {
        Spelling::Good => text,
        Spelling::StrayBits(bits) => {
            // One byte in two characters leaves four spare bits, two bytes in three characters leave two.
            let free = [0, 0, 15, 3][text.len() % 4];
            let Some(last) = text.chars().last() else { return text };
            let value = ALPHABET.find(last).unwrap() | bits & free;
            text[..text.len() - 1].to_owned() + &ALPHABET[value..=value]
        }
        Spelling::Padded(count) => text + &"=".repeat(count),
        Spelling::OtherAlphabet => text.replace('-', "+").replace('_', "/"),
        Spelling::LineBreak => text + "\n",
    }
}

/// A single key, or a key in a set with another one.
#[derive(Clone)]
enum Trusted {
    One(KeyRef<'static>),
    Set(KeySet),
}

impl Trusted {
    fn new(key: impl Into<KeyRef<'static>>, in_set: bool) -> Self {
        if !in_set {
            return Self::One(key.into());
        }
        let mut set = KeySet::new();
        set.insert(key).unwrap();
        set.insert(named(Some("another"))).unwrap();
        Self::Set(set)
    }
}

impl From<Trusted> for Keys {
    fn from(trusted: Trusted) -> Self {
        match trusted {
            Trusted::One(key) => key.into(),
            Trusted::Set(keys) => keys.into(),
        }
    }
}

/// The same keys as a source, so that every header is read.
struct Long(Trusted);

impl KeySource for Long {
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        match &self.0 {
            Trusted::Set(keys) => keys.find(header),
            Trusted::One(key) if key.algorithm() != header.algorithm() => {
                Err(VerifyError::AlgorithmMismatch { key: key.algorithm(), token: header.algorithm() })
            }
            Trusted::One(key) if key.key_id().is_some() && key.key_id() != header.key_id() => {
                Err(VerifyError::UnknownKey)
            }
            Trusted::One(key) => Ok(key.clone()),
        }
    }
}

/// Private claims, without registered and reserved names.
fn private() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("[a-z]{4,9}|\\PC{1,5}", value(), 0..40).prop_map(|members| {
        let registered = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];
        members.into_iter().filter(|(name, _)| !registered.contains(&name.as_str())).collect()
    })
}

/// Payloads: claims objects, most of them malformed.
fn payload() -> impl Strategy<Value = String> {
    let member = prop_oneof![
        (select(vec!["iss", "sub", "aud", "exp", "nbf", "iat", "jti", "role"]), value())
            .prop_map(|(name, value)| format!("{name:?}:{value}")),
        (select(vec!["exp", "nbf", "iat"]), 1_699_999_000..1_700_001_000_i64)
            .prop_map(|(name, seconds)| format!("{name:?}:{seconds}")),
        Just("\"\\u0065xp\":1".to_owned()),
    ];
    prop::collection::vec(member, 0..5).prop_map(|members| format!("{{{}}}", members.join(",")))
}

/// Headers that are valid without regard to a key.
const HEADERS: [&str; 7] = [
    r#"{"alg":"HS256","typ":"JWT"}"#,
    r#"{"alg":"HS256"}"#,
    r#"{"typ":"jwt","alg":"HS256"}"#,
    r#"{"alg":"HS256","typ":"JWT","kid":"k"}"#,
    // Three lengths modulo 3, and bytes that give `-` and `_` in base64url.
    r#"{"alg":"HS256","kid":"???>>>~~~"}"#,
    r#"{"alg":"HS256", "kid":"???>>>~~~"}"#,
    r#"{"alg":"HS256" , "kid":"???>>>~~~"}"#,
];

/// A signature that the key did not make.
#[derive(Clone, Debug)]
enum Forgery {
    Text(String),
    /// Made with this secret.
    Secret(&'static [u8]),
    /// The signature of the key, cut or extended to this length.
    Length(usize),
}

impl Forgery {
    fn of(&self, input: &str) -> String {
        match self {
            Self::Text(text) => format!("{input}.{text}"),
            Self::Secret(secret) => format!("{input}.{}", util::b64(hmac_sha256(secret, input))),
            Self::Length(bytes) => {
                let mut signature = hmac_sha256(&SECRET, input);
                signature.resize(*bytes, 0);
                format!("{input}.{}", util::b64(signature))
            }
        }
    }
}

/// Signatures that can be decoded but are invalid.
fn forgery() -> impl Strategy<Value = Forgery> {
    let secrets: Vec<&[u8]> = vec![b"", b"secret", &[0; 32], &[7; 31], &[7; 33], &[8; 32]];
    prop_oneof![
        // The last character has two spare bits, which are zero.
        "[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]".prop_map(Forgery::Text),
        select(secrets).prop_map(Forgery::Secret),
        (0..48_usize).prop_filter("not its own", |bytes| *bytes != 32).prop_map(Forgery::Length),
    ]
}

/// A token that was not signed with the key. Most of them have a valid header and payload.
fn forged() -> impl Strategy<Value = String> {
    let header = prop_oneof![
        4 => Just("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9".to_owned()),
        4 => select(&HEADERS[..]).prop_map(util::b64),
        1 => select(&[r#"{"alg":"RS256"}"#, r#"{"alg":"none"}"#, r#"{"alg":"HS256","crit":[]}"#, "{}", ""][..])
            .prop_map(util::b64),
        1 => "[A-Za-z0-9_-]*",
    ];
    let payload = prop_oneof![payload().prop_map(util::b64), "[A-Za-z0-9_-]*"];
    let signature = prop_oneof![
        2 => forgery(),
        // The length of an RSA signature.
        1 => "[A-Za-z0-9_-]{341}[AQgw]".prop_map(Forgery::Text),
        1 => "[A-Za-z0-9_-]{0,50}".prop_map(Forgery::Text),
    ];
    (header, payload, signature)
        .prop_map(|(header, payload, signature)| signature.of(&format!("{header}.{payload}")))
}

/// Returns the verdict without the token.
fn verdict<T>(result: Result<T, VerifyError>) -> Result<(), VerifyError> {
    result.map(|_| ())
}

/// The payload, the header and the key id of a token, or its error.
type Told = Result<(String, String, Option<String>), VerifyError>;

/// Returns the results of the fast path and of the slow path.
fn both_ways(trusted: Trusted, exact_typ: bool, limits: Limits, text: &str) -> [Told; 2] {
    [Keys::from(trusted.clone()), Keys::from(Long(trusted))].map(|source| {
        let builder = Verifier::builder(source).accept_any_issuer().accept_any_audience();
        let builder = builder.allow_missing_expiration().limits(limits);
        let verifier = if exact_typ { builder.typ("at+jwt") } else { builder }.build().unwrap();
        verifier.at(NOW).verify::<Value>(text).map(|token| {
            let header = token.header();
            (token.payload().to_owned(), header.json().to_owned(), header.key_id().map(str::to_owned))
        })
    })
}

/// The `typ` and the `kid` of a header, if they differ from those that the key would write. Most do not, so that many tokens
/// take the fast path.
type Says = (Option<Option<&'static str>>, Option<Option<&'static str>>);

fn says() -> impl Strategy<Value = Says> {
    let typ = prop::option::of(select(&["JWT", "jwt", "at+jwt"][..]));
    (prop::option::weighted(0.3, typ), prop::option::weighted(0.3, kid()))
}

/// A header with the algorithm of `key` and with our order of members.
fn header(key: &impl Key, exact_typ: bool, says: Says) -> String {
    let typ = says.0.unwrap_or(Some(if exact_typ { "at+jwt" } else { "JWT" }));
    let kid = says.1.unwrap_or(key.identity().key_id());
    let more: String = [("typ", typ), ("kid", kid)]
        .into_iter()
        .filter_map(|(name, value)| Some(format!(r#","{name}":{}"#, json!(value?))))
        .collect();
    format!(r#"{{"alg":"{}"{more}}}"#, key.identity().algorithm())
}

const PAYLOADS: [&str; 5] = [r#"{"aud":["\u0061","b"]}"#, r#"{"sub":"a","x":[1]}"#, "{}", "", "\u{e9}"];

proptest! {
    #[test]
    fn what_is_signed_verifies_and_comes_back_equal(
        claims in private(),
        issuer in ".*",
        subject in ".*",
        audience in prop::collection::vec(".*", 1..6),
        id in ".*",
        (lifetime, age, usable_for) in (1..1_000_000_i64, 0..1_000_000_i64, 0..1_000_000_i64),
    ) {
        let [exp, iat, nbf] = [lifetime, -age, -usable_for].map(util::later);
        let mut builder = Claims::new(claims.clone())
            .issuer(issuer.as_str())
            .subject(subject.as_str())
            .jwt_id(id.as_str())
            .issued_at(iat)
            .not_before(nbf)
            .expires_at(exp);
        for name in &audience {
            builder = builder.audience(name.as_str());
        }
        let text = builder.sign(&*KEY).unwrap();
        let token = VERIFIER.at(NOW).verify::<Map<String, Value>>(&text).unwrap();
        prop_assert_eq!(token.issuer(), Some(issuer.as_str()));
        prop_assert_eq!(token.subject(), Some(subject.as_str()));
        prop_assert_eq!(token.audience().collect::<Vec<_>>(), audience);
        prop_assert_eq!(token.jwt_id(), Some(id.as_str()));
        prop_assert_eq!(token.expires_at(), Some(exp));
        prop_assert_eq!(token.issued_at(), Some(iat));
        prop_assert_eq!(token.not_before(), Some(nbf));
        let mut seen = token.into_claims();
        for (name, value) in [("exp", exp), ("iat", iat), ("nbf", nbf)] {
            prop_assert_eq!(seen.remove(name), Some(value.as_secs().into()));
        }
        for (name, value) in [("iss", issuer), ("sub", subject), ("jti", id)] {
            prop_assert_eq!(seen.remove(name), Some(value.into()));
        }
        prop_assert!(seen.remove("aud").is_some());
        // serde_json reads some floats with a small error, so compare with what it reads from its own text.
        let claims: Map<String, Value> = serde_json::from_str(&serde_json::to_string(&claims).unwrap()).unwrap();
        prop_assert_eq!(seen, claims);
    }

    #[test]
    fn a_token_with_any_byte_changed_is_refused(claims in private(), place in any::<prop::sample::Index>(), to in 0..128_u8) {
        let text = Claims::new(claims).never_expires().sign(&*KEY).unwrap();
        let mut changed = text.clone().into_bytes();
        let place = place.index(changed.len());
        prop_assume!(changed[place] != to);
        changed[place] = to;
        let changed = String::from_utf8(changed).unwrap();
        prop_assert!(VERIFIER.at(NOW).verify::<()>(&changed).is_err());
    }

    #[test]
    fn a_token_with_anything_added_or_removed_is_refused(claims in private(), place in any::<prop::sample::Index>(), more in "\\PC|[.=\n]") {
        let text = Claims::new(claims).never_expires().sign(&*KEY).unwrap();
        let place = place.index(text.len());
        let longer = format!("{}{more}{}", &text[..place], &text[place..]);
        prop_assert!(VERIFIER.at(NOW).verify::<()>(&longer).is_err());
        let shorter = format!("{}{}", &text[..place], &text[place + 1..]);
        prop_assert!(VERIFIER.at(NOW).verify::<()>(&shorter).is_err());
    }

    #[test]
    fn an_accepted_token_is_the_only_spelling_of_its_content(
        header in select(&HEADERS[..]),
        payload in prop_oneof![payload(), "[?>~ÿa]{0,9}".prop_map(|text| json!({ "x": text }).to_string())],
        spellings in [spelling(), spelling(), spelling()],
    ) {
        let signed = |spellings: [Spelling; 3]| {
            let input = format!("{}.{}", spelled(header, spellings[0]), spelled(&payload, spellings[1]));
            let signature = spelled(hmac_sha256(&SECRET, &input), spellings[2]);
            format!("{input}.{signature}")
        };
        let (text, only) = (signed(spellings), signed([Spelling::Good; 3]));
        let message = JWS.verify(&text);
        prop_assert_eq!(message.is_ok(), text == only, "{:?}", message);
        let again = |header: &str, payload: &[u8]| {
            let input = format!("{}.{}", util::b64(header), util::b64(payload));
            format!("{input}.{}", util::b64(hmac_sha256(&SECRET, &input)))
        };
        if let Ok(message) = message {
            prop_assert_eq!(again(message.header().json(), message.payload()), &*text);
        }
        for verifier in [&VERIFIER, &CHOOSER] {
            if let Ok(token) = verifier.at(NOW).verify::<()>(&text) {
                prop_assert_eq!(again(token.header().json(), token.payload().as_bytes()), &*text);
            }
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic_or_the_verifier_accept(text in prop_oneof![
        "\\PC*|[A-Za-z0-9_.-]{0,200}|(e30|[A-Za-z0-9_-]*)\\.[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]{43}",
        forged(),
    ]) {
        if let Ok(token) = Unverified::parse(&text) {
            let _ = (token.unverified_header(), token.unverified_payload(), token.unverified_claims::<Value>());
        }
        prop_assert!(JWS.verify(&text).is_err());
        prop_assert!(VERIFIER.at(NOW).verify::<Value>(&text).is_err());
        prop_assert!(CHOOSER.at(NOW).verify::<Value>(&text).is_err());
    }

    #[test]
    fn without_the_key_only_the_signature_is_reported_as_wrong(
        header in select(&HEADERS[..]),
        payload in "\\PC*",
        signature in forgery(),
    ) {
        let text = signature.of(&format!("{}.{}", util::b64(header), util::b64(payload)));
        prop_assert_eq!(JWS.verify(&text).unwrap_err(), VerifyError::InvalidSignature);
        prop_assert_eq!(VERIFIER.at(NOW).verify::<Value>(&text).unwrap_err(), VerifyError::InvalidSignature);
        // This header names a key that is not in the set.
        let unknown = header.contains('?');
        let error = if unknown { VerifyError::UnknownKey } else { VerifyError::InvalidSignature };
        prop_assert_eq!(CHOOSER.at(NOW).verify::<Value>(&text).unwrap_err(), error);
    }

    #[test]
    fn a_known_header_and_an_equal_foreign_one_get_the_same_verdict(payload in payload()) {
        let known = util::signed_with(&*KEY, r#"{"alg":"HS256","typ":"JWT"}"#, &payload);
        let foreign = util::signed_with(&*KEY, r#"{ "typ":"JWT", "\u0061lg":"HS256" }"#, &payload);
        let (fast, slow) = (VERIFIER.at(NOW).verify::<Value>(&known), VERIFIER.at(NOW).verify::<Value>(&foreign));
        if let (Ok(fast), Ok(slow)) = (&fast, &slow) {
            prop_assert_eq!(fast.claims(), slow.claims());
            prop_assert_eq!(fast.header().typ(), slow.header().typ());
            prop_assert_eq!(fast.header().algorithm(), slow.header().algorithm());
        }
        prop_assert_eq!(verdict(fast), verdict(slow));
    }

    #[test]
    fn the_fast_path_and_the_slow_path_agree(
        (kid, in_set, exact_typ, limits) in (kid(), any::<bool>(), any::<bool>(), limits(120)),
        says in says(),
        payload in select(&PAYLOADS[..]),
        before in spoils(1),
        after in spoils(3),
    ) {
        let key = named(kid);
        let json = header(&key, exact_typ, says);
        let input = spoil(format!("{}.{}", util::b64(json), util::b64(payload)), &before);
        let text = spoil(util::sign_text(&key, &input), &after);
        let [short, long] = both_ways(Trusted::new(key, in_set), exact_typ, limits, &text);
        prop_assert_eq!(short, long);
    }

    #[test]
    fn verify_at_and_verify_in_at_agree(payload in payload()) {
        let text = jws::Payload::new(&payload).sign(&*KEY).unwrap();
        let mut buffer = Buffer::new();
        let owned = VERIFIER.at(NOW).verify::<Value>(&text);
        let borrowed = VERIFIER.at(NOW).verify_in::<Value>(&mut buffer, &text);
        if let (Ok(owned), Ok(borrowed)) = (&owned, &borrowed) {
            prop_assert_eq!(owned.claims(), borrowed.claims());
            prop_assert_eq!(owned.payload(), borrowed.payload());
            prop_assert_eq!(owned.expires_at(), borrowed.expires_at());
        }
        prop_assert_eq!(verdict(owned), verdict(borrowed));
    }

    #[test]
    fn the_verdict_does_not_depend_on_the_claims_type(payload in payload()) {
        let text = jws::Payload::new(&payload).sign(&*KEY).unwrap();
        let all = verdict(VERIFIER.at(NOW).verify::<Value>(&text));
        let none = verdict(VERIFIER.at(NOW).verify::<()>(&text));
        prop_assert_eq!(all, none);
    }
}

#[cfg(feature = "rsa")]
proptest! {
    #[test]
    fn the_fast_path_and_the_slow_path_agree_if_the_signature_has_no_fixed_length(
        (kid, in_set, exact_typ, limits) in (kid(), any::<bool>(), any::<bool>(), limits(420)),
        says in says(),
        payload in select(&PAYLOADS[..]),
        before in spoils(1),
        after in spoils(3),
    ) {
        let key = util::rsa_signing_key();
        let key = if let Some(kid) = kid { key.with_key_id(kid).unwrap() } else { key };
        let json = header(&key, exact_typ, says);
        let input = spoil(format!("{}.{}", util::b64(json), util::b64(payload)), &before);
        let text = spoil(util::sign_text(&key, &input), &after);
        let [short, long] = both_ways(Trusted::new(key.verifying_key(), in_set), exact_typ, limits, &text);
        prop_assert_eq!(short, long);
    }
}

#[cfg(feature = "std")]
proptest! {
    #[test]
    fn methods_with_and_without_a_clock_agree_at_that_time(
        offsets in prop::collection::btree_map(select(&["exp", "nbf", "iat"][..]), offset(), 0..4),
        more in prop_oneof![3 => Just(""), 1 => select(&[r#""sub":"a""#, r#""exp":null"#, r#""iat":0.5"#, "{"][..])],
    ) {
        let seconds = UnixTime::now().as_secs();
        let members = offsets.iter().map(|(name, offset)| format!("\"{name}\":{}", seconds + offset));
        let members: Vec<_> = members.chain((!more.is_empty()).then(|| more.to_owned())).collect();
        let text = util::signed_with(&*KEY, r#"{"alg":"HS256","typ":"JWT"}"#, format!("{{{}}}", members.join(",")));
        let told_at = |now| {
            let owned = code(VERIFIER.at(now).verify::<Value>(&text));
            [owned, code(VERIFIER.at(now).verify_in::<Value>(&mut Buffer::new(), &text))]
        };
        let before = told_at(UnixTime::now());
        let values = [format!("Bearer {text}")];
        let told = [
            code(VERIFIER.verify::<Value>(&text)),
            code(VERIFIER.verify_in::<Value>(&mut Buffer::new(), &text)),
            VERIFIER.verify_bearer::<Value>(&values).err().map(|error| error.code()),
        ];
        let after = told_at(UnixTime::now());
        // Otherwise the clock moved on by a second that changes the verdict.
        if before == after {
            prop_assert_eq!(before[0], before[1]);
            prop_assert_eq!(told, [before[0]; 3]);
        }
    }
}

/// Seconds from now. Many of them are near a change of the verdict.
#[cfg(feature = "std")]
fn offset() -> impl Strategy<Value = i64> {
    prop_oneof![-2000..2000_i64, -33..34_i64, select(&[-1_000_000_000, 1_000_000_000][..])]
}

#[cfg(feature = "std")]
fn code<T>(result: Result<T, VerifyError>) -> Option<&'static str> {
    result.err().map(|error| error.code())
}

#[cfg(feature = "std")]
#[test]
fn verify_uses_the_wall_clock() {
    let text = Claims::registered().expires_in(core::time::Duration::from_secs(60)).sign(&*KEY).unwrap();
    assert!(VERIFIER.verify::<()>(&text).is_ok());
    assert!(VERIFIER.at(UnixTime::now()).verify::<()>(&text).is_ok());
    assert!(VERIFIER.verify_in::<()>(&mut Buffer::new(), &text).is_ok());
    let past = Claims::registered().expires_at(UnixTime::from_secs(1)).sign(&*KEY).unwrap();
    assert!(VERIFIER.verify::<()>(&past).unwrap_err().is_expired());
    assert!(VERIFIER.verify_in::<()>(&mut Buffer::new(), &past).unwrap_err().is_expired());
}
