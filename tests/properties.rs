//! Laws that hold for any claims and any text.

mod util;

use countersign::{
    Buffer, Claims, Header, Hs256Key, Key, KeyRef, KeySet, KeySource, Limits, UnixTime, Unverified, Verifier,
    VerifyError, jws,
};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};
use std::sync::{Arc, LazyLock};

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

static KEY: LazyLock<Hs256Key> = LazyLock::new(|| Hs256Key::from_bytes([7; 32]).unwrap());
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    Verifier::builder(KEY.clone())
        .accept_any_issuer()
        .accept_any_audience()
        .allow_missing_expiration()
        .build()
        .unwrap()
});

/// Any JSON value, a few levels deep.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
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

fn named(kid: Option<&str>) -> Hs256Key {
    match kid {
        Some(kid) => KEY.clone().with_key_id(kid).unwrap(),
        None => KEY.clone(),
    }
}

/// The usual limits, and each of those that a header may break as tight as can be.
fn limits() -> impl Strategy<Value = Limits> {
    prop_oneof![
        4 => Just(Limits::new()),
        1 => Just(Limits::new().token_bytes(120)),
        1 => Just(Limits::new().header_bytes(36)),
        1 => Just(Limits::new().key_id_bytes(1)),
        1 => Just(Limits::new().members(2)),
        1 => Just(Limits::new().depth(0)),
    ]
}

/// Where a text is changed, by which piece, and whether the piece takes the place of what was there.
type Spoil = (prop::sample::Index, &'static str, bool);

fn spoils() -> impl Strategy<Value = Vec<Spoil>> {
    let piece = select(&[".", "..", "", "=", "é", "😀", "A", "-", "\n", "\0", "+", "AAAA"][..]);
    let spoil = (any::<prop::sample::Index>(), piece, any::<bool>());
    prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(spoil, 1..3)]
}

fn spoil(text: String, spoils: &[Spoil]) -> String {
    spoils.iter().fold(text, |text, (place, piece, replace)| {
        let place = place.index(text.chars().count() + 1);
        let (before, after): (String, String) =
            (text.chars().take(place).collect(), text.chars().skip(place + usize::from(*replace)).collect());
        before + piece + &after
    })
}

/// Hides what a source knows by heart, so that every header is read.
struct Long(Arc<dyn KeySource>);

impl KeySource for Long {
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        self.0.find(header)
    }
}

/// Private claims: no registered or reserved name among them.
fn private() -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::btree_map("[a-z]{4,9}|\\PC{1,5}", value(), 0..40).prop_map(|members| {
        let registered = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];
        members.into_iter().filter(|(name, _)| !registered.contains(&name.as_str())).collect()
    })
}

/// Claims objects, most of them malformed in some way: what a payload may hold.
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

/// The verdict without what belongs to the token alone.
fn verdict<T>(result: Result<T, VerifyError>) -> Result<(), VerifyError> {
    result.map(|_| ())
}

proptest! {
    #[test]
    fn what_is_signed_verifies_and_comes_back_equal(
        claims in private(),
        issuer in ".*",
        subject in ".*",
        audience in prop::collection::vec(".*", 1..6),
        lifetime in 1..1_000_000_i64,
    ) {
        let mut builder = Claims::new(claims.clone())
            .issuer(issuer.as_str())
            .subject(subject.as_str())
            .issued_at(NOW)
            .expires_at(UnixTime::from_secs(NOW.as_secs() + lifetime));
        for name in &audience {
            builder = builder.audience(name.as_str());
        }
        let text = builder.sign(&*KEY).unwrap();
        let token = VERIFIER.verify_at::<Map<String, Value>>(&text, NOW).unwrap();
        prop_assert_eq!(token.issuer(), Some(issuer.as_str()));
        prop_assert_eq!(token.subject(), Some(subject.as_str()));
        prop_assert_eq!(token.audience().collect::<Vec<_>>(), audience);
        prop_assert_eq!(token.issued_at(), Some(NOW));
        let mut seen = token.into_claims();
        for name in ["iss", "sub", "aud", "exp", "iat"] {
            prop_assert!(seen.remove(name).is_some());
        }
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
        prop_assert!(VERIFIER.verify_at::<()>(&changed, NOW).is_err());
    }

    #[test]
    fn a_token_with_anything_put_in_or_taken_out_is_refused(claims in private(), place in any::<prop::sample::Index>(), more in "\\PC|[.=\n]") {
        let text = Claims::new(claims).never_expires().sign(&*KEY).unwrap();
        let place = place.index(text.len());
        let longer = format!("{}{more}{}", &text[..place], &text[place..]);
        prop_assert!(VERIFIER.verify_at::<()>(&longer, NOW).is_err());
        let shorter = format!("{}{}", &text[..place], &text[place + 1..]);
        prop_assert!(VERIFIER.verify_at::<()>(&shorter, NOW).is_err());
    }

    #[test]
    fn an_accepted_token_is_the_one_spelling_of_its_content(payload in payload()) {
        let text = jws::Payload::new(&payload).sign(&*KEY).unwrap();
        if VERIFIER.verify_at::<()>(&text, NOW).is_ok() {
            let token = Unverified::parse(&text).unwrap();
            let header = token.unverified_header().unwrap();
            prop_assert_eq!(util::signed_with(&*KEY, header, token.unverified_payload().unwrap()), text);
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic_or_the_verifier_accept(text in "\\PC*|[A-Za-z0-9_.-]{0,200}|(e30|[A-Za-z0-9_-]*)\\.[A-Za-z0-9_-]*\\.[A-Za-z0-9_-]{43}") {
        if let Ok(token) = Unverified::parse(&text) {
            let _ = (token.unverified_header(), token.unverified_payload(), token.unverified_claims::<Value>());
        }
        prop_assert!(VERIFIER.verify_at::<Value>(&text, NOW).is_err());
    }

    #[test]
    fn a_known_header_and_a_foreign_one_that_says_the_same_lead_to_the_same_verdict(payload in payload()) {
        let known = util::signed_with(&*KEY, r#"{"alg":"HS256","typ":"JWT"}"#, &payload);
        let foreign = util::signed_with(&*KEY, r#"{ "typ":"JWT", "\u0061lg":"HS256" }"#, &payload);
        let (fast, slow) = (VERIFIER.verify_at::<Value>(&known, NOW), VERIFIER.verify_at::<Value>(&foreign, NOW));
        if let (Ok(fast), Ok(slow)) = (&fast, &slow) {
            prop_assert_eq!(fast.claims(), slow.claims());
            prop_assert_eq!(fast.header().typ(), slow.header().typ());
            prop_assert_eq!(fast.header().algorithm(), slow.header().algorithm());
        }
        prop_assert_eq!(verdict(fast), verdict(slow));
    }

    #[test]
    fn the_short_way_and_the_long_way_say_the_same(
        (kid, in_set, exact_typ, limits) in (kid(), any::<bool>(), any::<bool>(), limits()),
        header in (prop::option::of(select(&["JWT", "jwt", "at+jwt"][..])), kid()),
        payload in select(&[r#"{"aud":["\u0061","b"]}"#, r#"{"sub":"a","x":[1]}"#, "{}", "", "\u{e9}"][..]),
        before in spoils(),
        after in spoils(),
    ) {
        let key = named(kid);
        let mut json = json!({ "alg": "HS256" });
        for (name, value) in [("typ", header.0), ("kid", header.1)] {
            if let Some(value) = value {
                json[name] = value.into();
            }
        }
        // Its members stand in the order of a header of ours, so that many are known by heart.
        let json = if header.0 == Some("JWT") && header.1 == kid {
            key.encoded_header().unwrap().header().json().to_owned()
        } else {
            json.to_string()
        };
        let input = spoil(format!("{}.{}", util::b64(json), util::b64(payload)), &before);
        let text = spoil(util::sign_text(&key, &input), &after);

        let mut set = KeySet::new();
        set.insert(key.clone()).unwrap();
        set.insert(named(Some("another"))).unwrap();
        let short: Arc<dyn KeySource> = if in_set { Arc::new(set) } else { Arc::new(key) };
        let long: Arc<dyn KeySource> = Arc::new(Long(short.clone()));
        let typ = if exact_typ { "at+jwt" } else { "JWT" };
        let both = [short, long].map(|source| {
            let builder = Verifier::builder_shared(source).accept_any_issuer().accept_any_audience();
            let builder = builder.allow_missing_expiration().limits(limits);
            let verifier = if exact_typ { builder.typ(typ) } else { builder }.build().unwrap();
            verifier.verify_at::<Value>(&text, NOW).map(|token| {
                let header = token.header();
                (token.payload().to_owned(), header.json().to_owned(), header.key_id().map(str::to_owned))
            })
        });
        prop_assert_eq!(&both[0], &both[1]);
    }

    #[test]
    fn verify_at_and_verify_in_at_agree(payload in payload()) {
        let text = jws::Payload::new(&payload).sign(&*KEY).unwrap();
        let mut buffer = Buffer::new();
        let owned = VERIFIER.verify_at::<Value>(&text, NOW);
        let borrowed = VERIFIER.verify_in_at::<Value>(&mut buffer, &text, NOW);
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
        let all = verdict(VERIFIER.verify_at::<Value>(&text, NOW));
        let none = verdict(VERIFIER.verify_at::<()>(&text, NOW));
        prop_assert_eq!(all, none);
    }
}

#[cfg(feature = "std")]
#[test]
fn verify_reads_the_clock_that_verify_at_is_given() {
    let text = Claims::registered().expires_in(core::time::Duration::from_secs(60)).sign(&*KEY).unwrap();
    assert!(VERIFIER.verify::<()>(&text).is_ok());
    assert!(VERIFIER.verify_at::<()>(&text, UnixTime::now()).is_ok());
    assert!(VERIFIER.verify_in::<()>(&mut Buffer::new(), &text).is_ok());
    let past = Claims::registered().expires_at(UnixTime::from_secs(1)).sign(&*KEY).unwrap();
    assert!(VERIFIER.verify::<()>(&past).unwrap_err().is_expired());
    assert!(VERIFIER.verify_in::<()>(&mut Buffer::new(), &past).unwrap_err().is_expired());
}
