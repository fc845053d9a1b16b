//! Counts the allocations of the hot paths, so that an increase is noticed.

#[path = "util/counting.rs"]
mod counting;

use core::time::Duration;
#[cfg(feature = "key-files")]
use countersign::jwk::{Action, Refresh, RefreshConfig};
use countersign::{
    Buffer, Claims, HmacKey, KeySet, Limits, SecretBytes, UnixTime, Verifier, VerifyError, jws,
};
#[cfg(feature = "private-keys")]
use countersign::{PrivateKey, PublicKey};
use counting::allocations;
#[cfg(feature = "std")]
use counting::held;
#[cfg(feature = "private-keys")]
use counting::largest;
const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    name: String,
    role: String,
}

#[derive(serde::Deserialize)]
struct BorrowedUser<'a> {
    name: &'a str,
    role: &'a str,
}

fn claims() -> Claims<User> {
    Claims::new(User { name: "Ann".into(), role: "admin".into() })
        .issuer("https://auth.example")
        .subject("user123")
        .audience("https://api.example")
        .issued_at(NOW)
        .expires_in(Duration::from_secs(900))
}

fn key() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes([7; 32])).unwrap()
}

fn verifier(keys: impl Into<countersign::Keys>) -> Verifier {
    Verifier::builder(keys).issuer("https://auth.example").audience("https://api.example").build().unwrap()
}

/// Runs everything that is set up at first use, such as the detection of the CPU's vector unit, so that it is not counted.
fn warm_up() {
    let text = claims().sign(&key()).unwrap();
    verifier(key()).at(NOW).verify::<User>(&text).unwrap();
}

#[test]
fn the_counter_counts_allocations() {
    // Without `black_box`, an optimising compiler would remove the box.
    assert_eq!(allocations(|| core::hint::black_box(Box::new(1))), 1);
    assert_eq!(allocations(|| 1), 0);
}

#[test]
#[cfg(feature = "std")]
fn sign_allocates_for_the_claims_and_for_the_token() {
    warm_up();
    let (key, claims) = (key(), claims());
    assert_eq!(allocations(|| claims.sign(&key)), 2);
    let named = key.with_key_id("2026-11").unwrap();
    assert_eq!(allocations(|| claims.sign(&named)), 2);
}

#[test]
fn verify_allocates_what_the_type_owns_and_once_for_the_payload() {
    warm_up();
    let text = claims().sign(&key()).unwrap();
    let verifier = verifier(key());
    assert_eq!(allocations(|| verifier.at(NOW).verify::<User>(&text)), 2 + 1);
    assert_eq!(allocations(|| verifier.at(NOW).verify::<()>(&text)), 1);
}

#[test]
fn verify_in_allocates_nothing_once_the_buffer_has_grown() {
    warm_up();
    let text = claims().sign(&key()).unwrap();
    let verifier = verifier(key());
    let mut buffer = Buffer::new();
    verifier.at(NOW).verify_in::<BorrowedUser>(&mut buffer, &text).unwrap();
    let again = allocations(|| {
        let token = verifier.at(NOW).verify_in::<BorrowedUser>(&mut buffer, &text).unwrap();
        assert_eq!((token.claims().name, token.claims().role), ("Ann", "admin"));
        assert_eq!(token.subject(), Some("user123"));
    });
    assert_eq!(again, 0);

    // A buffer with enough capacity also needs none for the first token.
    let mut wide = Buffer::with_capacity(1024);
    assert_eq!(allocations(|| verifier.at(NOW).verify_in::<BorrowedUser>(&mut wide, &text).is_ok()), 0);

    // Up to four audiences need no allocation. More of them need a list.
    let text = claims().audience("https://b.example").audience("c").audience("d").sign(&key()).unwrap();
    verifier.at(NOW).verify_in::<BorrowedUser>(&mut buffer, &text).unwrap();
    assert_eq!(allocations(|| verifier.at(NOW).verify_in::<BorrowedUser>(&mut buffer, &text).is_ok()), 0);
    let text = claims().audience("b").audience("c").audience("d").audience("e").sign(&key()).unwrap();
    verifier.at(NOW).verify_in::<BorrowedUser>(&mut buffer, &text).unwrap();
    assert_eq!(allocations(|| verifier.at(NOW).verify_in::<BorrowedUser>(&mut buffer, &text).is_ok()), 1);
}

#[test]
fn a_key_set_adds_no_allocation() {
    warm_up();
    let mut keys = KeySet::new();
    for number in 0..100_u8 {
        let key = HmacKey::hs256(&SecretBytes::from_bytes([number; 32]))
            .unwrap()
            .with_key_id(format!("key-{number}"))
            .unwrap();
        keys.insert(key).unwrap();
    }
    let signer = HmacKey::hs256(&SecretBytes::from_bytes([42; 32])).unwrap().with_key_id("key-42").unwrap();
    let text = claims().sign(&signer).unwrap();
    let verifier = verifier(keys);
    assert_eq!(allocations(|| verifier.at(NOW).verify::<User>(&text)), 2 + 1);
}

#[test]
fn finding_a_key_costs_the_same_allocations_among_100_000_keys() {
    warm_up();
    let secret = key();
    let named = |name: &str| secret.clone().with_key_id(name).unwrap();
    // With the header that the key would write, and with a header that has to be read.
    let tokens = |key: &HmacKey| {
        let claims = jws::Payload::new(r#"{"exp":1700000900}"#).typ("JWT");
        [claims.sign(key).unwrap(), claims.content_type("json").sign(key).unwrap()]
    };
    let mut keys = KeySet::new();
    let mut among = |count: usize| {
        // All keys share one secret, because setting up a secret takes longest.
        for number in keys.len()..count {
            keys.insert(named(&format!("key-{number}"))).unwrap();
        }
        Verifier::builder(keys.clone()).accept_any_issuer().no_audience().build().unwrap()
    };
    let (one, two, many) = (among(1), among(2), among(100_000));
    let check = |texts: [String; 2], few: &[&Verifier], expected: Option<VerifyError>, most: [usize; 2]| {
        for (text, most) in texts.iter().zip(most) {
            let cost = |verifier: &Verifier| {
                let mut error = None;
                let count = allocations(|| error = verifier.at(NOW).verify::<()>(text).err());
                assert_eq!(error, expected);
                count
            };
            assert!(cost(&many) <= most, "{} for {expected:?}", cost(&many));
            assert!(few.iter().all(|few| cost(few) == cost(&many)), "{expected:?}");
        }
    };
    // One allocation for the payload, and one for the header if it is read.
    check(tokens(&named("key-0")), &[&one, &two], None, [1, 2]);
    check(tokens(&named("key-x")), &[&one, &two], Some(VerifyError::UnknownKey), [1, 1]);
    // With a single key, this token would not be ambiguous.
    check(tokens(&secret), &[&two], Some(VerifyError::AmbiguousKey), [1, 1]);
}

#[test]
fn a_clone_of_a_verifier_allocates_nothing() {
    let verifier = Verifier::builder(key())
        .issuer("https://auth.example")
        .audience("https://api.example")
        .typ("at+jwt")
        .understand_critical("x")
        .build()
        .unwrap();
    assert_eq!(allocations(|| verifier.clone()), 0);
}

#[test]
fn a_bad_signature_allocates_nothing() {
    warm_up();
    let text = claims().sign(&HmacKey::hs256(&SecretBytes::from_bytes([8; 32])).unwrap()).unwrap();
    let verifier = verifier(key());
    assert_eq!(allocations(|| verifier.at(NOW).verify::<User>(&text).is_err()), 0);
}

#[test]
#[cfg(feature = "rsa")]
fn verifying_rs256_allocates_a_few_numbers_for_a_key_of_any_size() {
    use countersign::{PrivateKey, PublicKey, VerifyKey};
    // At 2048 bits, crypto-bigint squares in its own scratch space. This takes two more allocations and a fifth less time.
    let public = |private: &str| PrivateKey::from_pem(private).unwrap().public_key().unwrap();
    for (key, bytes, most) in [
        (public(include_str!("data/rfc7515_a2.pem")), 256, 8),
        (public(include_str!("data/rsa_3072.pem")), 384, 6),
        (public(include_str!("data/rsa_4096.pem")), 512, 6),
        (PublicKey::from_pem(include_str!("data/rsa_8192_public.pem")).unwrap(), 1024, 6),
    ] {
        let key = key.rs256().unwrap();
        let signature = vec![0x7f; bytes];
        let count = allocations(|| key.verify_bytes(b"input", &signature).is_err());
        assert!(count <= most, "{count} at {bytes} bytes");
    }
}

#[test]
fn a_token_over_the_limit_is_refused_before_anything_is_allocated_for_it() {
    warm_up();
    let verifier = verifier(key());
    for text in ["a".repeat(10 << 20), ".".repeat(10 << 20), format!("a.{}.a", "a".repeat(10 << 20))] {
        assert_eq!(allocations(|| verifier.at(NOW).verify::<User>(&text).is_err()), 0);
    }
}

#[test]
fn many_dots_allocate_nothing_alone_or_after_a_header() {
    warm_up();
    let mut keys = KeySet::new();
    keys.insert(key()).unwrap();
    let token = claims().sign(&key()).unwrap();
    // No header, the header that the key writes, and a header that has to be read: `{"typ":"JWT","alg":"HS256"}`.
    let headers = ["", token.split('.').next().unwrap(), "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9"];
    // Both texts are within the limits, so that they are not refused for their length.
    let wide = Limits::new().with_token_bytes(4 << 20).with_header_bytes(4 << 20);
    for (limits, count) in [(Limits::new(), 190_000), (wide, 1_000_000)] {
        let policy = |builder: countersign::VerifierBuilder| {
            builder.accept_any_issuer().accept_any_audience().limits(limits).build().unwrap()
        };
        for verifier in [policy(Verifier::builder(key())), policy(Verifier::builder(keys.clone()))] {
            for header in headers {
                let text = header.to_owned() + &".".repeat(count);
                let mut error = None;
                let cost = allocations(|| error = verifier.at(NOW).verify::<User>(&text).err());
                assert_eq!((cost, error), (0, Some(VerifyError::NotAToken)), "{count} dots after {header:?}");
            }
        }
        let messages = jws::MessageVerifier::new(key()).limits(limits);
        for header in headers {
            let text = header.to_owned() + &".".repeat(count);
            let mut error = None;
            let cost = allocations(|| error = messages.verify(&text).err());
            assert_eq!((cost, error), (0, Some(VerifyError::NotAToken)), "{count} dots after {header:?}");
        }
    }
}

/// The claims are signed by a trusted key, so that they are read.
#[test]
fn more_hostile_claims_cost_no_more_allocations() {
    warm_up();
    let limits = Limits::new().with_token_bytes(4 << 20);
    let verifier =
        Verifier::builder(key()).accept_any_issuer().accept_any_audience().limits(limits).build().unwrap();
    let cost = |payload: String| {
        let text = jws::Payload::new(payload.as_bytes()).sign(&key()).unwrap();
        let refused = || verifier.at(NOW).verify::<()>(&text).unwrap_err();
        (allocations(refused), refused())
    };
    let nested = |depth: usize| cost(format!(r#"{{"a":{}{}}}"#, "[".repeat(depth), "]".repeat(depth)));
    let many = |count: usize| {
        let members: Vec<String> = (0..count).map(|number| format!(r#""{number:06}":0"#)).collect();
        cost(format!("{{{}}}", members.join(",")))
    };
    let the_same = |count: usize| cost(format!("{{{}\"a\":0}}", r#""a":0,"#.repeat(count)));
    let audiences = |count: usize| cost(format!(r#"{{"aud":[{}"a"]}}"#, r#""a","#.repeat(count)));

    assert_eq!(nested(200), nested(100_000));
    // For the decoded header and the decoded payload.
    assert_eq!(nested(100_000).0, 2);
    assert_eq!(many(5_000), many(100_000));
    assert_eq!(the_same(2), the_same(100_000));
    assert_eq!(audiences(20_000), audiences(100_000));
}

/// Neither a length in a file nor the number of its elements makes a larger block than a few times the file.
#[test]
#[cfg(feature = "private-keys")]
fn a_bad_key_file_allocates_no_more_than_its_size_allows() {
    const P256: &str = include_str!("data/p256.pem");
    let mut files: Vec<Vec<u8>> = Vec::new();
    // A SEQUENCE, a BIT STRING, an OCTET STRING or an INTEGER of two gigabytes.
    for tag in [0x30, 0x03, 0x04, 0x02] {
        let element = [tag, 0x84, 0x7f, 0xff, 0xff, 0xff, 0];
        files.push(element.to_vec());
        files.push([&[0x30, 0x82, 0, 7][..], &element].concat());
        files.push([&[0x30, 0x82, 0, 10, 2, 1, 0][..], &element].concat());
    }
    // A SEQUENCE of many small elements, and of one large one.
    for element in [&[5, 0][..], &[2, 1, 0], &[0x30, 0], &[4, 0]] {
        let content = element.repeat(60_000 / element.len());
        files.push(
            [&[0x30, 0x82][..], &u16::try_from(content.len()).unwrap().to_be_bytes(), &content].concat(),
        );
    }
    // PEM: no end, a long line, a long label, and a great many blocks.
    files.extend([
        P256.replace("-----END", "").into_bytes(),
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", "A".repeat(60_000))
            .into_bytes(),
        format!("-----BEGIN {0}-----\nAAAA\n-----END {0}-----\n", "X".repeat(60_000)).into_bytes(),
        "-----BEGIN X-----\nAAAA\n-----END X-----\n".repeat(2_000).into_bytes(),
        "-".repeat(60_000).into_bytes(),
    ]);
    for file in files {
        let mut worst = 0;
        let mut measure = |read: &dyn Fn() -> bool| {
            let mut is_key = true;
            worst = worst.max(largest(|| is_key = read()));
            assert!(!is_key);
        };
        measure(&|| PublicKey::from_der(&file).is_ok());
        measure(&|| PrivateKey::from_der(&file).is_ok());
        if let Ok(text) = core::str::from_utf8(&file) {
            measure(&|| PublicKey::from_pem(text).is_ok());
            measure(&|| PrivateKey::from_pem(text).is_ok());
        }
        // A few small blocks, or the decoded content of a PEM.
        let start = &file[..file.len().min(12)];
        assert!(worst <= 1_024 + file.len(), "{start:02x?}: {worst} bytes for a file of {}", file.len());
    }
}

#[test]
#[cfg(feature = "key-files")]
fn a_million_unknown_keys_cause_one_fetch_for_each_cooldown_and_no_allocation() {
    let mut refresh = Refresh::new(RefreshConfig::new(), NOW, 0);
    assert_eq!(refresh.timer(NOW), Action::Fetch { attempt: 1 });
    refresh.fetched(NOW, 1, [0_u8; 32], [("Cache-Control", "max-age=3600")]);
    let (mut fetches, mut joined) = (0, 0);
    let count = allocations(|| {
        // A thousand tokens in each of a thousand seconds. A fetch ends when 200 callers wait for it.
        for token in 0_u64..1_000_000 {
            let now = NOW.saturating_add(Duration::from_millis(token));
            match refresh.unknown_key(now) {
                Action::Fetch { attempt } => {
                    assert_eq!(attempt, fetches + 2);
                    fetches += 1;
                }
                Action::Join { attempt } => {
                    joined += 1;
                    if joined % 200 == 0 {
                        refresh.fetched(now, attempt, [1; 32], [("Cache-Control", "max-age=3600")]);
                    }
                }
                action => assert!(matches!(action, Action::UseKeys | Action::Unavailable), "{action:?}"),
            }
        }
    });
    assert_eq!(count, 0);
    // The first begins after the first cooldown, and each of the others a cooldown after the end of the one before.
    assert_eq!((fetches, joined), (99, 99 * 200));
}

#[cfg(feature = "std")]
#[test]
fn the_memory_of_a_full_replay_store_is_bounded() {
    use countersign::profile::{MemoryReplayStore, ProofError, ReplayStore};
    const LIMIT: usize = 10_000;
    let store = MemoryReplayStore::new(LIMIT);
    let mut full = 0;
    let bytes = held(|| {
        // Ten times as many as fit, of any length.
        for number in 0..10 * LIMIT {
            let id = [b"id".repeat(number % 100), number.to_string().into_bytes()].concat();
            full += usize::from(store.first_use(&id, NOW, NOW) == Err(ProofError::StoreUnavailable));
        }
    });
    println!("{LIMIT} ids: {bytes} bytes");
    assert_eq!(full, 9 * LIMIT);
    assert!((0..=200 * LIMIT.cast_signed()).contains(&bytes), "{bytes} bytes");
    // A full store answers without an allocation, and one with expired ids gives its memory back.
    assert_eq!(allocations(|| store.first_use(b"another", NOW, NOW).is_err()), 0);
    let later = NOW.saturating_add(Duration::from_secs(1));
    let freed = held(|| assert_eq!(store.first_use(b"another", later, later), Ok(true)));
    assert!(bytes + freed < 1_000, "{} bytes", bytes + freed);
}

#[cfg(feature = "cache")]
mod cache {
    use super::*;
    use countersign::{
        Algorithm, CachedVerifier, Identity, Key, KeyError, SignatureError, VerifyKey, VerifyingKey,
    };

    /// A key that accepts any signature, because 100,000 real ones would take minutes.
    struct Anything(Identity);

    impl Key for Anything {
        fn identity(&self) -> &Identity {
            &self.0
        }
    }

    impl VerifyKey for Anything {
        fn verify_bytes(&self, _: &[u8], _: &[u8]) -> Result<(), SignatureError> {
            Ok(())
        }
    }

    fn anything(algorithm: Algorithm) -> Result<VerifyingKey, KeyError> {
        VerifyingKey::custom(Anything(Identity::new(algorithm)))
    }

    /// Makes tokens of seven claims with signatures of this many bytes.
    fn texts(algorithm: Algorithm, signature: usize, count: usize) -> impl Iterator<Item = String> {
        let identity = Identity::new(algorithm);
        (0..count).map(move |number| {
            let claims = Claims::new(User { name: "Ann Example".into(), role: "administrator".into() })
                .issuer("https://auth.example")
                .subject(format!("user-{number:08}"))
                .audience("https://api.example")
                .issued_at(NOW)
                .expires_in(Duration::from_secs(900));
            let bytes: Vec<u8> = number.to_be_bytes().into_iter().cycle().take(signature).collect();
            claims.prepare(&identity).unwrap().finish(&bytes).unwrap()
        })
    }

    #[test]
    fn a_kept_token_is_returned_without_an_allocation() {
        warm_up();
        let text = claims().sign(&key()).unwrap();
        let cached = CachedVerifier::<_, User>::new(verifier(key())).unwrap();
        cached.verify_at(&text, NOW).unwrap();
        for _ in 0..100 {
            assert_eq!(allocations(|| cached.verify_at(&text, NOW).unwrap()), 0);
        }
        // Nor does a look-up that finds nothing.
        let forged = claims().sign(&HmacKey::hs256(&SecretBytes::from_bytes([8; 32])).unwrap()).unwrap();
        assert_eq!(allocations(|| cached.verify_at(&forged, NOW).is_err()), 0);
    }

    #[test]
    fn a_hundred_thousand_kept_tokens_take_no_more_than_their_share() {
        for (algorithm, signature, most) in
            [(Algorithm::Rs256, 256, 160_000_000), (Algorithm::Es256, 64, 130_000_000)]
        {
            let verifier = verifier(anything(algorithm).unwrap());
            let cached = CachedVerifier::<_, User>::with_capacity(verifier, 200_000, 1 << 30).unwrap();
            let bytes = held(|| {
                for text in texts(algorithm, signature, 100_000) {
                    cached.verify_at(&text, NOW).unwrap();
                }
            });
            assert_eq!(cached.len(), 100_000);
            println!("100,000 tokens of {algorithm}: {bytes} bytes");
            assert!((0..=most).contains(&bytes), "{bytes} bytes for {algorithm}");
        }
    }

    #[test]
    fn the_memory_of_a_cache_is_bounded_by_its_bytes() {
        for limit in [1 << 20, 8 << 20] {
            let verifier = verifier(anything(Algorithm::Rs256).unwrap());
            let mut cached = None;
            let bytes = held(|| {
                let full = CachedVerifier::<_, User>::with_capacity(verifier, 100_000, limit).unwrap();
                for text in texts(Algorithm::Rs256, 256, 20_000) {
                    full.verify_at(&text, NOW).unwrap();
                }
                cached = Some(full);
            });
            let count = cached.unwrap().len();
            println!("{count} tokens: {bytes} bytes of {limit}");
            assert!(usize::try_from(bytes).unwrap() <= limit, "{bytes} bytes of {limit} for {count} tokens");
            assert!(count > limit / 2_500, "{count}");
        }
    }
}
