//! The cache of verified tokens: what it returns, when a kept token ends, and its bounds. `alloc` counts its allocations.
#![cfg(feature = "cache")]

mod util;

use countersign::{
    Algorithm, CachedVerifier, Claims, Header, HmacKey, Identity, Key, KeyRef, KeySet, KeySource,
    PolicyError, SignatureError, Token, UnixTime, Verifier, VerifierBuilder, VerifyError, VerifyKey,
    VerifyingKey,
};
use serde::Deserialize;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use util::{
    GOOD, HEADER, NOW, assert_hides, b64, jwt, key, later, lax, open, other_key, seconds, sign_text, signed,
    strict,
};

fn cached(verifier: Verifier) -> CachedVerifier<Verifier, ()> {
    CachedVerifier::new(verifier).unwrap()
}

fn policy(keys: impl Into<countersign::Keys>) -> VerifierBuilder {
    Verifier::builder(keys).accept_any_issuer().accept_any_audience()
}

/// A token of [`key`] with this subject, which expires 900 seconds after [`NOW`].
fn token(subject: &str) -> String {
    Claims::registered().subject(subject).expires_at(later(900)).sign(&key()).unwrap()
}

/// A key that accepts the signature `good`, and counts how often it is asked.
struct Counted {
    identity: Identity,
    asked: Arc<AtomicUsize>,
}

impl Key for Counted {
    fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl VerifyKey for Counted {
    fn verify_bytes(&self, _: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if signature.starts_with(b"good") { Ok(()) } else { Err(SignatureError::Invalid) }
    }
}

/// A source of keys that can be changed.
struct Live {
    keys: Mutex<Option<KeySet>>,
    generation: AtomicU64,
    /// Whether the keys change while they are used.
    restless: bool,
}

impl Live {
    fn new(key: HmacKey) -> Self {
        Self { keys: Mutex::new(Some(set(key))), generation: AtomicU64::new(7), restless: false }
    }

    /// `None` means that the keys are too old.
    fn replace(&self, keys: Option<KeySet>) {
        *self.keys.lock().unwrap() = keys;
        self.generation.fetch_add(1, Ordering::SeqCst);
    }
}

impl KeySource for Live {
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        if self.restless {
            self.generation.fetch_add(1, Ordering::SeqCst);
        }
        let keys = self.keys.lock().unwrap().clone().ok_or(VerifyError::KeysUnavailable)?;
        keys.find(header).map(KeyRef::into_owned)
    }

    fn generation(&self) -> Option<u64> {
        Some(self.generation.load(Ordering::SeqCst))
    }
}

fn set(key: HmacKey) -> KeySet {
    let mut keys = KeySet::new();
    keys.insert(key).unwrap();
    keys
}

// ---- hits ----

#[test]
fn the_signature_of_a_token_that_comes_again_is_not_checked_again() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counted = Counted { identity: Identity::new(Algorithm::Ed25519), asked: asked.clone() };
    let verifier = policy(VerifyingKey::custom(counted).unwrap()).build().unwrap();
    let cached = cached(verifier);
    let text = |payload: &str, signature: &str| {
        format!("{}.{}.{}", b64(r#"{"alg":"EdDSA","typ":"JWT"}"#), b64(payload), b64(signature))
    };
    let good = format!("good{}", "0".repeat(60));
    let first = text(r#"{"sub":"1","exp":1700000900}"#, &good);
    let tokens: Vec<_> = (0..3).map(|_| cached.verify_at(&first, NOW).unwrap()).collect();
    assert!(tokens.iter().all(|token| Arc::ptr_eq(token, &tokens[0])));
    assert_eq!((asked.load(Ordering::Relaxed), cached.len()), (1, 1));
    // Two tokens of one header and one signature have the same hash, and each is verified by itself.
    let second = text(r#"{"sub":"2","exp":1700000900}"#, &good);
    assert_eq!(cached.verify_at(&second, NOW).unwrap().subject(), Some("2"));
    assert_eq!(cached.verify_at(&first, NOW).unwrap().subject(), Some("1"));
    assert_eq!((asked.load(Ordering::Relaxed), cached.len()), (2, 2));
    let bad = text(r#"{"sub":"1","exp":1700000900}"#, &"0".repeat(64));
    for _ in 0..2 {
        assert_eq!(cached.verify_at(&bad, NOW).unwrap_err(), VerifyError::InvalidSignature);
    }
    assert_eq!((asked.load(Ordering::Relaxed), cached.len()), (4, 2));
}

#[test]
fn a_kept_token_is_the_one_that_was_verified() {
    #[derive(Deserialize)]
    struct User {
        sub: String,
        aud: String,
    }
    let cached = CachedVerifier::<_, User>::new(Arc::new(strict())).unwrap();
    let text = jwt(GOOD);
    let fresh = strict().at(NOW).verify::<User>(&text).unwrap();
    for _ in 0..2 {
        let token = cached.verify_at(&text, NOW).unwrap();
        assert_eq!((&*token.claims().sub, &*token.claims().aud), ("ann", "https://api.example"));
        assert_eq!((token.payload(), token.header().json()), (fresh.payload(), fresh.header().json()));
        assert_eq!((token.issuer(), token.expires_at()), (fresh.issuer(), fresh.expires_at()));
    }
    assert_eq!(cached.verifier().leeway(), seconds(30));
}

#[test]
fn the_wall_clock_is_used_by_default() {
    let now = UnixTime::now();
    let text = |expires_at: i64| {
        let time = UnixTime::from_secs(now.as_secs() + expires_at);
        Claims::registered().expires_at(time).sign(&key()).unwrap()
    };
    let cached = cached(policy(key()).build().unwrap());
    assert!(cached.verify(&text(900)).is_ok() && cached.verify(&text(900)).is_ok());
    assert!(cached.verify(&text(-900)).unwrap_err().is_expired());
}

#[test]
fn another_text_is_never_found() {
    let cached = cached(open());
    let text = token("ann");
    cached.verify_at(&text, NOW).unwrap();
    for place in 0..text.len() {
        for other in ["A", "b", "_", ".", "=", " "] {
            let mut changed = text.clone();
            changed.replace_range(place..=place, other);
            if changed != text {
                let expected = open().at(NOW).verify::<()>(&changed).unwrap_err();
                assert_eq!(cached.verify_at(&changed, NOW).unwrap_err(), expected, "{place}: {other}");
            }
        }
    }
    for changed in [format!("{text} "), format!(" {text}"), text[1..].into(), text[..text.len() - 1].into()] {
        assert!(cached.verify_at(&changed, NOW).is_err());
    }
    // The same payload under another header, and under another signature.
    let payload = format!(r#"{{"sub":"ann","exp":{}}}"#, later(900).as_secs());
    let other = signed(r#"{"alg":"HS256"}"#, &payload);
    let tail = text.rsplit_once('.').unwrap().1;
    let moved = format!("{}.{tail}", other.rsplit_once('.').unwrap().0);
    assert_eq!(cached.verify_at(&moved, NOW).unwrap_err(), VerifyError::InvalidSignature);
    assert!(cached.verify_at(&other, NOW).is_ok());
    assert_eq!(cached.len(), 2);
}

#[test]
fn a_token_is_kept_for_one_policy_and_one_type() {
    let text = signed(HEADER, r#"{"iss":"one","role":7,"exp":1700000900}"#);
    let of = |issuer: &str| Verifier::builder(key()).issuer(issuer).no_audience().build().unwrap();
    let (one, two) = (cached(of("one")), cached(of("two")));
    assert!(one.verify_at(&text, NOW).is_ok());
    assert!(matches!(two.verify_at(&text, NOW), Err(VerifyError::WrongIssuer { .. })));
    #[derive(Deserialize)]
    struct Role {
        #[serde(rename = "role")]
        _role: String,
    }
    let typed = CachedVerifier::<_, Role>::new(of("one")).unwrap();
    assert!(matches!(typed.verify_at(&text, NOW), Err(VerifyError::ClaimsMismatch { .. })));
    assert_eq!((one.len(), two.len(), typed.len()), (1, 0, 0));
}

// ---- refusals ----

#[test]
fn nothing_is_kept_for_a_refused_token() {
    let cached = cached(strict());
    let good = jwt(GOOD);
    let forged = sign_text(&other_key(), good.rsplit_once('.').unwrap().0);
    let [expired, early, issuer, audience, twice] = [
        r#"{"iss":"https://auth.example","aud":"https://api.example","exp":1699999970}"#,
        r#"{"iss":"https://auth.example","aud":"https://api.example","exp":1700000900,"nbf":1700000031}"#,
        r#"{"iss":"https://evil.example","aud":"https://api.example","exp":1700000900}"#,
        r#"{"iss":"https://auth.example","exp":1700000900}"#,
        r#"{"iss":"https://auth.example","aud":"https://api.example","exp":1700000900,"exp":1700000900}"#,
    ]
    .map(jwt);
    let unusual = signed(r#"{"alg":"HS256","typ":"x"}"#, GOOD);
    for text in [&*forged, &expired, &early, &issuer, &audience, &twice, &unusual, "", "a.b.c", "...."] {
        for _ in 0..2 {
            let error = cached.verify_at(text, NOW).unwrap_err();
            assert_eq!(error, strict().at(NOW).verify::<()>(text).unwrap_err());
        }
    }
    assert!(cached.is_empty());
    assert!(cached.verify_at(&good, NOW).is_ok());
    assert_eq!(cached.len(), 1);
}

#[test]
fn a_kept_token_is_refused_as_a_new_one_at_every_time() {
    let text = signed(HEADER, r#"{"exp":1700000900,"nbf":1700000100,"iat":1700000050}"#);
    for builder in [
        lax(),
        lax().leeway(seconds(0)),
        lax().max_age(seconds(300)),
        lax().max_age(seconds(2000)).leeway(seconds(5)),
        lax().allow_future_issued_at(),
    ] {
        let verifier = builder.build().unwrap();
        let cached = cached(verifier.clone());
        let valid = later(150);
        for second in (0..1000).step_by(5).flat_map(|second| [second - 1, second, second + 1]) {
            // It is kept, and the clock may go backwards.
            cached.verify_at(&text, valid).unwrap();
            let fresh = verifier.at(later(second)).verify::<()>(&text).map(|_| ());
            assert_eq!(cached.verify_at(&text, later(second)).map(|_| ()), fresh, "{second}");
        }
    }
}

#[test]
fn an_expired_token_is_dropped() {
    let cached = cached(open());
    let texts: Vec<_> = (0..10).map(|number| token(&number.to_string())).collect();
    for text in &texts {
        cached.verify_at(text, NOW).unwrap();
    }
    assert_eq!(cached.len(), 10);
    for text in &texts {
        assert!(cached.verify_at(text, later(930)).unwrap_err().is_expired());
    }
    assert!(cached.is_empty());
}

// ---- keys ----

#[test]
fn a_source_without_a_generation_is_refused() {
    struct Silent;
    impl KeySource for Silent {
        fn find(&self, _: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
            Ok(KeyRef::from(key()).into_owned())
        }
    }
    let verifier = policy(Arc::new(Silent)).build().unwrap();
    let error = CachedVerifier::<_, ()>::new(verifier).unwrap_err();
    assert_eq!((error.code(), error), ("no_generation", PolicyError::NoGeneration));
    for verifier in [policy(key()).build().unwrap(), policy(set(key())).build().unwrap()] {
        assert!(CachedVerifier::<_, ()>::new(verifier).is_ok());
    }
}

#[test]
fn a_removed_key_ends_the_tokens_at_once() {
    let named = |key: HmacKey, name: &str| key.with_key_id(name).unwrap();
    let (old, new) = (named(key(), "1"), named(other_key(), "2"));
    let live = Arc::new(Live::new(old.clone()));
    let cached = cached(policy(live.clone()).build().unwrap());
    let text = |key: &HmacKey| Claims::registered().expires_at(later(900)).sign(key).unwrap();
    let first = cached.verify_at(&text(&old), NOW).unwrap();
    assert!(Arc::ptr_eq(&first, &cached.verify_at(&text(&old), NOW).unwrap()));

    // A key is added. The token is verified again, once.
    let mut both = set(old.clone());
    both.insert(new.clone()).unwrap();
    live.replace(Some(both));
    let again = cached.verify_at(&text(&old), NOW).unwrap();
    assert!(!Arc::ptr_eq(&first, &again));
    assert!(Arc::ptr_eq(&again, &cached.verify_at(&text(&old), NOW).unwrap()));
    assert!(cached.verify_at(&text(&new), NOW).is_ok());
    assert_eq!(cached.len(), 2);

    live.replace(Some(set(new.clone())));
    assert_eq!(cached.verify_at(&text(&old), NOW).unwrap_err(), VerifyError::UnknownKey);
    assert!(cached.verify_at(&text(&new), NOW).is_ok());

    // Another key under the same name.
    live.replace(Some(set(named(key(), "2"))));
    assert_eq!(cached.verify_at(&text(&new), NOW).unwrap_err(), VerifyError::InvalidSignature);
}

#[test]
fn keys_that_are_too_old_end_the_tokens_with_503() {
    let live = Arc::new(Live::new(key()));
    let cached = cached(policy(live.clone()).build().unwrap());
    let text = token("ann");
    assert!(cached.verify_at(&text, NOW).is_ok());
    live.replace(None);
    for _ in 0..2 {
        let error = cached.verify_at(&text, NOW).unwrap_err();
        assert_eq!((error.challenge().status(), error), (503, VerifyError::KeysUnavailable));
    }
    live.replace(Some(set(key())));
    assert!(cached.verify_at(&text, NOW).is_ok());
}

#[test]
fn keys_that_change_while_a_token_is_verified_do_not_keep_it() {
    let live = Arc::new(Live { restless: true, ..Live::new(key()) });
    let cached = cached(policy(live).build().unwrap());
    let text = token("ann");
    let tokens: Vec<_> = (0..4).map(|_| cached.verify_at(&text, NOW).unwrap()).collect();
    // Each look-up finds the token with the generation from before its verification.
    assert!(tokens.windows(2).all(|two| !Arc::ptr_eq(&two[0], &two[1])));
}

#[test]
fn a_source_that_loses_its_generation_keeps_nothing_more() {
    struct Fickle(AtomicUsize);
    impl KeySource for Fickle {
        fn find(&self, _: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
            Ok(KeyRef::from(key()).into_owned())
        }
        fn generation(&self) -> Option<u64> {
            (self.0.fetch_add(1, Ordering::Relaxed) < 2).then_some(1)
        }
    }
    let cached = cached(policy(Fickle(AtomicUsize::new(0))).build().unwrap());
    let (one, two) = (token("1"), token("2"));
    let first = cached.verify_at(&one, NOW).unwrap();
    assert!(!Arc::ptr_eq(&first, &cached.verify_at(&one, NOW).unwrap()));
    assert!(cached.verify_at(&two, NOW).is_ok());
    assert_eq!(cached.len(), 1);
}

// ---- bounds ----

#[test]
fn the_number_of_tokens_is_bounded() {
    for (limit, bytes) in [(1, 1 << 20), (10, 1 << 20), (100, 100 << 20), (100, 1 << 14)] {
        let cached = CachedVerifier::<_, ()>::with_capacity(open(), limit, bytes).unwrap();
        for number in 0..5 * limit {
            let text = token(&number.to_string());
            assert_eq!(cached.verify_at(&text, NOW).unwrap().subject(), Some(&*number.to_string()));
            assert!(cached.len() <= limit, "{} of {limit}", cached.len());
        }
        assert!(!cached.is_empty(), "{limit} {bytes}");
    }
    for (tokens, bytes, setting) in [(0, 1, "tokens"), (1, 0, "bytes"), (0, 0, "tokens")] {
        let error = CachedVerifier::<_, ()>::with_capacity(open(), tokens, bytes).unwrap_err();
        assert_eq!(error, PolicyError::Empty { setting });
    }
    // The largest numbers do not overflow.
    let cached = CachedVerifier::<_, ()>::with_capacity(open(), 1, usize::MAX).unwrap();
    assert!(cached.verify_at(&token("1"), NOW).is_ok());
}

#[test]
fn a_token_that_does_not_fit_is_verified_and_not_kept() {
    let cached = CachedVerifier::<_, ()>::with_capacity(open(), 1_000, 64 << 10).unwrap();
    let long = token(&"x".repeat(60_000));
    for _ in 0..2 {
        assert!(cached.verify_at(&long, NOW).is_ok());
    }
    assert!(cached.is_empty());
    assert!(cached.verify_at(&token("1"), NOW).is_ok());
    assert_eq!(cached.len(), 1);
}

thread_local! {
    static ARMED: Cell<bool> = const { Cell::new(false) };
}

/// Claims that panic when they are dropped, once they are armed.
#[derive(Deserialize)]
struct Bomb {}

impl Drop for Bomb {
    fn drop(&mut self) {
        if ARMED.replace(false) {
            panic!("dropped");
        }
    }
}

#[test]
fn claims_that_panic_when_they_are_dropped_leave_a_cache_that_can_be_used() {
    let cached = CachedVerifier::<_, Bomb>::with_capacity(open(), 20, 64 << 10).unwrap();
    let verify = |text: &str, now: UnixTime| {
        let run = || cached.verify_at(text, now).map(drop);
        catch_unwind(AssertUnwindSafe(run)).map_err(|_| ())
    };
    for number in 0..20 {
        verify(&token(&number.to_string()), NOW).unwrap().unwrap();
    }
    // A large token makes several others go.
    let before = cached.len();
    let large = token(&"x".repeat(8_000));
    ARMED.set(true);
    assert_eq!(verify(&large, NOW), Err(()));
    assert!(cached.len() + 2 < before, "{before} tokens, then {}", cached.len());
    // An expired token goes.
    for text in [&large, &token("1")] {
        assert_eq!(verify(text, NOW), Ok(Ok(())));
    }
    ARMED.set(true);
    assert_eq!(verify(&token("1"), later(930)), Err(()));
    assert_eq!(verify(&token("1"), NOW), Ok(Ok(())));
}

// ---- threads and texts ----

#[test]
fn threads_share_the_tokens() {
    let live = Arc::new(Live::new(key()));
    let cached = CachedVerifier::<_, ()>::with_capacity(policy(live.clone()).build().unwrap(), 20, 1 << 20);
    let cached = cached.unwrap();
    let texts: Vec<_> = (0..30).map(|number| token(&number.to_string())).collect();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let (cached, texts, live) = (&cached, &texts, &live);
            scope.spawn(move || {
                for round in 0..500 {
                    let number = (round * (thread + 1)) % texts.len();
                    let token = cached.verify_at(&texts[number], NOW).unwrap();
                    assert_eq!(token.subject(), Some(&*number.to_string()));
                    if thread == 0 && round % 50 == 0 {
                        live.replace(Some(set(key())));
                    }
                }
            });
        }
    });
    assert!(cached.len() <= 20);
    live.replace(Some(set(other_key())));
    for text in &texts {
        assert_eq!(cached.verify_at(text, NOW).unwrap_err(), VerifyError::InvalidSignature);
    }
}

#[test]
fn the_debug_text_shows_no_token() {
    let cached = cached(strict());
    let text = jwt(GOOD);
    cached.verify_at(&text, NOW).unwrap();
    let told = [format!("{cached:?}"), format!("{cached:#?}")];
    assert!(told[0].starts_with("CachedVerifier"));
    assert_hides(&told, &[&text, "\"sub\":\"ann\",\"exp\":1700000900"]);
}

/// A cache can be shared between threads if its claims can.
#[test]
fn a_cache_is_send_and_sync() {
    fn check<T: Send + Sync>(_: &T) {}
    check(&cached(open()));
    let token: Option<Arc<Token<()>>> = cached(open()).verify_at(&token("1"), NOW).ok();
    check(&token);
}
