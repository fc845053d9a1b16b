//! Keys of every kind and origin: what makes a key and what does not, how a key is found, and what its output hides.

mod util;

use core::fmt::Debug;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
#[cfg(any(feature = "aws-lc-rs", feature = "graviola", feature = "rsa"))]
use countersign::PrivateKey;
use countersign::{
    Algorithm, Buffer, Claims, Entropy, EntropyError, Header, HmacKey, Identity, Key, KeyError, KeyRef,
    KeySet, KeySource, SecretBytes, SignError, SignKey, Signature, SignatureError, SigningKey, Token,
    Unverified, Verifier, VerifyError, VerifyKey, VerifyingKey, jws,
};
use std::sync::{Arc, RwLock};
use util::{
    Counting, GOOD, HEADER, NOW, SECRET, assert_accepted, assert_discreet, assert_hides, b64, b64_standard,
    headed, jwt, key, lax, open, other_key, refusal, signed_with, strict,
};

/// A source of randomness that always fails.
struct Failing;

impl Entropy for Failing {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError::new())
    }
}

/// A source that always returns the same byte.
struct Constant(u8);

impl Entropy for Constant {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(self.0);
        Ok(())
    }
}

/// A source that counts the calls and the bytes.
#[derive(Clone, Default)]
struct Watched(Arc<[AtomicUsize; 2]>);

impl Watched {
    /// Returns the number of calls, and the total number of bytes.
    fn asked(&self) -> [usize; 2] {
        [0, 1].map(|place| self.0[place].load(Ordering::Relaxed))
    }
}

impl Entropy for Watched {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        self.0[0].fetch_add(1, Ordering::Relaxed);
        self.0[1].fetch_add(bytes.len(), Ordering::Relaxed);
        Counting.fill(bytes)
    }
}

#[track_caller]
fn no_key<K: Debug>(made: Result<K, KeyError>, expected: &KeyError, code: &str, hidden: &str) {
    let error = made.unwrap_err();
    assert_eq!(error, *expected);
    assert_eq!(error.code(), code);
    assert_discreet(&error, &[hidden]);
}

/// Returns a token of `signer` with the header of the key.
fn token_of(signer: &impl SignKey) -> String {
    Claims::registered().expires_at(util::later(900)).sign(signer).unwrap()
}

// ---- HMAC secrets ----

#[test]
fn a_secret_shorter_than_the_hash_makes_no_key() {
    for bytes in [0, 1, 16, 31] {
        let short = KeyError::SecretTooShort { bytes, minimum: 32 };
        let secret = &SECRET[..bytes];
        let text = String::from_utf8_lossy(secret);
        no_key(HmacKey::hs256(&SecretBytes::from_bytes(secret)), &short, "secret_too_short", &text);
        no_key(
            SecretBytes::from_base64(&b64_standard(secret)).and_then(|secret| HmacKey::hs256(&secret)),
            &short,
            "secret_too_short",
            &text,
        );
        no_key(
            SecretBytes::from_base64url(&b64(secret)).and_then(|secret| HmacKey::hs256(&secret)),
            &short,
            "secret_too_short",
            &text,
        );
    }
    for bytes in [32, 33, 40] {
        HmacKey::hs256(&SecretBytes::from_bytes(&SECRET[..bytes])).unwrap();
    }
    HmacKey::hs256(&SecretBytes::from_bytes(vec![7; 60_000])).unwrap();
}

#[test]
fn a_weak_secret_makes_a_key_only_with_weak_secret_and_an_empty_one_never() {
    let weak = HmacKey::with_weak_secret(Algorithm::Hs256, &SecretBytes::from_bytes("secret")).unwrap();
    assert_accepted(&open().with_keys(weak.clone()), &token_of(&weak));
    no_key(
        HmacKey::with_weak_secret(Algorithm::Hs256, &SecretBytes::from_bytes("")),
        &KeyError::EmptySecret,
        "empty_secret",
        "",
    );
}

#[test]
fn the_three_spellings_of_a_secret_make_the_same_key_and_are_never_confused() {
    let secret: Vec<u8> = (0..=255).collect();
    let token = token_of(&HmacKey::hs256(&SecretBytes::from_bytes(&secret)).unwrap());
    let standard = b64_standard(&secret);
    let url = b64(&secret);
    for same in [
        SecretBytes::from_base64(&standard).and_then(|secret| HmacKey::hs256(&secret)),
        SecretBytes::from_base64(standard.trim_end_matches('=')).and_then(|secret| HmacKey::hs256(&secret)),
        SecretBytes::from_base64url(&url).and_then(|secret| HmacKey::hs256(&secret)),
        SecretBytes::from_base64url(&format!("{url}==")).and_then(|secret| HmacKey::hs256(&secret)),
    ] {
        assert_accepted(&open().with_keys(same.unwrap()), &token);
    }
    // The bytes of the text are another secret.
    for other in
        [HmacKey::hs256(&SecretBytes::from_bytes(&standard)), HmacKey::hs256(&SecretBytes::from_bytes(&url))]
    {
        assert_eq!(refusal(&open().with_keys(other.unwrap()), &token), VerifyError::InvalidSignature);
    }
}

#[test]
fn a_secret_that_is_not_base64_makes_no_key() {
    let secret: Vec<u8> = (0..=255).collect();
    let (standard, url) = (b64_standard(&secret), b64(&secret));
    let bad = |made, hidden: &str| no_key(made, &KeyError::InvalidBase64, "invalid_base64", hidden);
    bad(SecretBytes::from_base64(&url).and_then(|secret| HmacKey::hs256(&secret)), &url);
    bad(SecretBytes::from_base64url(&standard).and_then(|secret| HmacKey::hs256(&secret)), &standard);
    let text = b64(SECRET);
    for broken in [
        format!("{text}\n"),
        format!(" {text}"),
        format!("{}\n{}", &text[..20], &text[20..]),
        format!("{text}=="),
        format!("{text}!"),
        format!("{text}AA"),
        format!("{}é", &text[..54]),
        text.replace('Y', "."),
        format!("0x{text}"),
    ] {
        bad(SecretBytes::from_base64(&broken).and_then(|secret| HmacKey::hs256(&secret)), &broken);
        bad(SecretBytes::from_base64url(&broken).and_then(|secret| HmacKey::hs256(&secret)), &broken);
    }
    // Stray bits after the last byte.
    bad(
        SecretBytes::from_base64url(&format!("{}B", "A".repeat(42)))
            .and_then(|secret| HmacKey::hs256(&secret)),
        "",
    );
    bad(SecretBytes::from_base64("A").and_then(|secret| HmacKey::hs256(&secret)), "");
}

#[test]
fn randomness_that_fails_makes_no_hmac_key() {
    no_key(HmacKey::generate_with(Algorithm::Hs256, &Failing), &KeyError::Entropy, "entropy", "");
}

#[test]
fn a_generated_hmac_key_is_made_of_32_bytes_drawn_at_once() {
    let watched = Watched::default();
    let generated = HmacKey::generate_with(Algorithm::Hs256, &watched).unwrap();
    assert_eq!(watched.asked(), [1, 32]);
    let same = HmacKey::hs256(&SecretBytes::from_bytes((0..32).collect::<Vec<u8>>())).unwrap();
    assert_accepted(&open().with_keys(same), &token_of(&generated));
}

#[test]
fn a_source_of_randomness_may_be_shared() {
    let watched = Watched::default();
    let shared: Arc<dyn Entropy> = Arc::new(watched.clone());
    let boxed: Box<dyn Entropy> = Box::new(watched.clone());
    fn draw(entropy: impl Entropy) -> HmacKey {
        HmacKey::generate_with(Algorithm::Hs256, &entropy).unwrap()
    }
    for key in [draw(shared.clone()), draw(boxed), draw(&watched), draw(Arc::new(watched.clone()))] {
        assert_accepted(&open().with_keys(key.clone()), &token_of(&key));
    }
    assert_eq!(watched.asked(), [4, 128]);
    // A caller's own key can pass its error on.
    let failed = |entropy: &dyn Entropy| Ok(entropy.fill(&mut [0])?);
    assert_eq!(failed(&Failing), Err(KeyError::Entropy));
    let failed = |entropy: &dyn Entropy| Ok(entropy.fill(&mut [0])?);
    assert_eq!(failed(&Failing), Err(SignError::Entropy));
}

#[test]
fn constant_randomness_does_not_hang() {
    for byte in [0, 0x30, 0xff] {
        let generated = HmacKey::generate_with(Algorithm::Hs256, &Constant(byte)).unwrap();
        assert_accepted(&open().with_keys(generated.clone()), &token_of(&generated));
    }
}

#[cfg(feature = "getrandom")]
#[test]
fn two_generated_hmac_keys_differ() {
    let (one, other) =
        (HmacKey::generate(Algorithm::Hs256).unwrap(), HmacKey::generate(Algorithm::Hs256).unwrap());
    assert_eq!(refusal(&open().with_keys(other), &token_of(&one)), VerifyError::InvalidSignature);
    assert!(SecretBytes::generate(32).unwrap() != SecretBytes::generate(32).unwrap());
    // More bytes than memory can hold is an error.
    assert_eq!(SecretBytes::generate(usize::MAX).unwrap_err(), KeyError::Entropy);
}

#[test]
fn secret_bytes_are_equal_by_content_and_length() {
    let secret = |bytes: &[u8]| SecretBytes::from(bytes.to_vec());
    assert!(secret(SECRET) == secret(SECRET));
    assert!(secret(SECRET) != secret(&SECRET[1..]));
    assert!(secret(&[0; 32]) != secret(&[0; 33]));
    assert!(secret(b"a") != secret(b"b"));
    assert_eq!(secret(SECRET).expose_secret(), SECRET);
}

#[test]
fn secret_bytes_of_text_are_returned_as_text() {
    let secret = |bytes: &[u8]| SecretBytes::from(bytes.to_vec());
    assert_eq!(secret("-----BEGIN é".as_bytes()).expose_secret_text(), Some("-----BEGIN é"));
    assert_eq!(secret(b"").expose_secret_text(), Some(""));
    assert_eq!(secret(b"a\xff").expose_secret_text(), None);
}

// ---- key ids ----

#[test]
fn a_key_id_holds_1_to_1024_bytes() {
    for key_id in ["", &"k".repeat(1025), &"é".repeat(513)] {
        no_key(key().with_key_id(key_id), &KeyError::InvalidKeyId, "invalid_key_id", key_id);
        let external = Identity::new(Algorithm::Hs256).with_key_id(key_id);
        no_key(external, &KeyError::InvalidKeyId, "invalid_key_id", key_id);
    }
    for key_id in ["k", &"k".repeat(1024), &"é".repeat(512)] {
        assert_eq!(key().with_key_id(key_id).unwrap().key_id(), Some(key_id));
    }
}

#[test]
fn any_text_is_a_key_id_and_finds_its_key() {
    for key_id in [
        "k",
        " ",
        "HS256",
        "JWT",
        "kid",
        "alg",
        "\"",
        "\\",
        "\\\"",
        "\"}",
        "{\"alg\":\"none\"}",
        "\0",
        "\n",
        "\u{7f}",
        "é",
        "\u{1f600}",
        "\u{feff}",
        "../../etc/passwd",
        "a/b",
        "\u{2028}",
        "\\u006b",
    ] {
        let named = key().with_key_id(key_id).unwrap();
        let token = token_of(&named);
        let mut keys = KeySet::new();
        keys.insert(named.clone()).unwrap();
        keys.insert(other_key().with_key_id("another").unwrap()).unwrap();
        for verifier in [open().with_keys(named), open().with_keys(keys)] {
            let verified = verifier.at(NOW).verify::<()>(&token).unwrap();
            assert_eq!(verified.header().key_id(), Some(key_id));
            let header: serde_json::Value = serde_json::from_str(verified.header().json()).unwrap();
            assert_eq!(header, serde_json::json!({"alg": "HS256", "typ": "JWT", "kid": key_id}));
        }
    }
}

#[test]
fn a_second_key_id_replaces_the_first() {
    let renamed = key().with_key_id("first").unwrap().with_key_id("second").unwrap();
    assert_eq!(renamed.key_id(), Some("second"));
    let header = b64(r#"{"alg":"HS256","typ":"JWT","kid":"second"}"#);
    assert_eq!(header, token_of(&renamed).split('.').next().unwrap());
}

// ---- key sets ----

/// Returns a set of the keys `a` and `b`.
fn two() -> KeySet {
    let mut keys = KeySet::new();
    keys.insert(key().with_key_id("a").unwrap()).unwrap();
    keys.insert(other_key().with_key_id("b").unwrap()).unwrap();
    keys
}

fn third() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes([3; 32])).unwrap()
}

#[track_caller]
fn found(keys: &KeySet, signer: &impl SignKey) {
    assert_accepted(&open().with_keys(keys.clone()), &token_of(signer));
    // The same header with its members in another order, which no key writes.
    assert_accepted(&open().with_keys(keys.clone()), &reordered(signer));
}

#[track_caller]
fn not_found(keys: &KeySet, signer: &impl SignKey, expected: &VerifyError) {
    assert_eq!(refusal(&open().with_keys(keys.clone()), &token_of(signer)), *expected);
    assert_eq!(refusal(&open().with_keys(keys.clone()), &reordered(signer)), *expected);
}

/// Returns a token of `signer` with an equivalent header in other characters.
fn reordered(signer: &impl SignKey) -> String {
    let kid = signer.identity().key_id().map(|kid| format!(r#""kid":"{kid}","#)).unwrap_or_default();
    signed_with(signer, format!(r#"{{ {kid} "alg":"{}"}}"#, signer.identity().algorithm()), GOOD)
}

#[test]
fn a_set_finds_each_key_by_its_id() {
    let keys = two();
    found(&keys, &key().with_key_id("a").unwrap());
    found(&keys, &other_key().with_key_id("b").unwrap());
    not_found(&keys, &key().with_key_id("c").unwrap(), &VerifyError::UnknownKey);
    not_found(&keys, &key().with_key_id("b").unwrap(), &VerifyError::InvalidSignature);
    assert_eq!((keys.len(), keys.is_empty()), (2, false));
}

#[test]
fn an_empty_set_knows_no_key() {
    let keys = KeySet::new();
    assert_eq!((keys.len(), keys.is_empty()), (0, true));
    not_found(&keys, &key(), &VerifyError::UnknownKey);
    not_found(&keys, &key().with_key_id("a").unwrap(), &VerifyError::UnknownKey);
}

#[test]
fn a_token_without_an_id_is_ambiguous_among_keys_that_have_one() {
    not_found(&two(), &key(), &VerifyError::AmbiguousKey);
    let mut keys = two();
    assert!(keys.remove(Algorithm::Hs256, Some("b")));
    found(&keys, &key());
    assert!(keys.remove(Algorithm::Hs256, Some("a")));
    not_found(&keys, &key(), &VerifyError::UnknownKey);
}

#[test]
fn a_key_without_an_id_is_not_found_by_one() {
    let mut keys = KeySet::new();
    keys.insert(key()).unwrap();
    found(&keys, &key());
    not_found(&keys, &key().with_key_id("a").unwrap(), &VerifyError::UnknownKey);
    let empty = signed_with(&key(), r#"{"alg":"HS256","kid":""}"#, GOOD);
    assert_eq!(refusal(&open().with_keys(keys), &empty), VerifyError::UnknownKey);
}

#[test]
fn a_key_without_an_id_is_the_one_for_tokens_without_an_id() {
    let mut keys = two();
    keys.insert(third()).unwrap();
    found(&keys, &third());
    not_found(&keys, &key(), &VerifyError::InvalidSignature);
    found(&keys, &key().with_key_id("a").unwrap());
    assert!(keys.remove(Algorithm::Hs256, None));
    not_found(&keys, &third(), &VerifyError::AmbiguousKey);

    // Also if it was added before the others.
    let mut keys = KeySet::new();
    keys.insert(third()).unwrap();
    keys.insert(key().with_key_id("a").unwrap()).unwrap();
    keys.insert(other_key().with_key_id("b").unwrap()).unwrap();
    found(&keys, &third());
}

#[test]
fn a_key_that_was_removed_is_not_found_and_the_others_are() {
    let mut keys = two();
    assert!(keys.remove(Algorithm::Hs256, Some("a")));
    not_found(&keys, &key().with_key_id("a").unwrap(), &VerifyError::UnknownKey);
    found(&keys, &other_key().with_key_id("b").unwrap());
}

#[test]
fn a_set_refuses_a_second_key_of_the_same_algorithm_and_id_and_is_unchanged() {
    let mut keys = two();
    no_key(keys.insert(third().with_key_id("a").unwrap()), &KeyError::DuplicateKey, "duplicate_key", "");
    no_key(keys.insert(key().with_key_id("b").unwrap()), &KeyError::DuplicateKey, "duplicate_key", "");
    assert_eq!(keys.len(), 2);
    found(&keys, &key().with_key_id("a").unwrap());
    found(&keys, &other_key().with_key_id("b").unwrap());

    keys.insert(third()).unwrap();
    no_key(keys.insert(key()), &KeyError::DuplicateKey, "duplicate_key", "");
    assert_eq!(keys.len(), 3);
    found(&keys, &third());
}

#[test]
fn a_removed_key_is_not_found_and_can_be_added_again() {
    let mut keys = two();
    let before = keys.clone();
    assert!(!keys.remove(Algorithm::Hs256, Some("c")));
    assert!(!keys.remove(Algorithm::Rs256, Some("a")));
    assert!(!keys.remove(Algorithm::Hs256, None));
    assert_eq!(keys.len(), 2);
    assert!(keys.remove(Algorithm::Hs256, Some("a")));
    assert!(!keys.remove(Algorithm::Hs256, Some("a")));
    not_found(&keys, &key().with_key_id("a").unwrap(), &VerifyError::UnknownKey);
    keys.insert(third().with_key_id("a").unwrap()).unwrap();
    found(&keys, &third().with_key_id("a").unwrap());
    // A clone is independent.
    found(&before, &key().with_key_id("a").unwrap());
}

#[test]
fn a_verifier_with_other_keys_has_the_same_policy_and_leaves_the_old_one_alone() {
    let old = strict();
    let new = old.with_keys(other_key());
    let (ours, theirs) = (jwt(GOOD), signed_with(&other_key(), HEADER, GOOD));
    assert_accepted(&old, &ours);
    assert_accepted(&new, &theirs);
    assert_eq!(refusal(&old, &theirs), VerifyError::InvalidSignature);
    assert_eq!(refusal(&new, &ours), VerifyError::InvalidSignature);
    let foreign = signed_with(&other_key(), HEADER, GOOD.replace("auth.example", "evil"));
    assert!(matches!(refusal(&new, &foreign), VerifyError::WrongIssuer { .. }));
    let typed = lax().typ("at+jwt").build().unwrap().with_keys(other_key());
    assert!(matches!(refusal(&typed, &theirs), VerifyError::WrongType { .. }));
}

// ---- keys and sources of the caller ----

/// A key from outside this crate that claims to be for RS256. Its signatures are eight copies of an HMAC.
struct Foreign {
    identity: Identity,
    inner: HmacKey,
}

impl Foreign {
    fn new(key_id: Option<&str>) -> Self {
        Self::of(Algorithm::Rs256, key_id)
    }

    fn of(algorithm: Algorithm, key_id: Option<&str>) -> Self {
        let nameless = Identity::new(algorithm);
        let identity =
            key_id.map_or_else(|| nameless.clone(), |key_id| nameless.with_key_id(key_id).unwrap());
        Self { identity, inner: key() }
    }

    /// Returns a foreign key that verifies.
    fn verifying(key_id: Option<&str>) -> VerifyingKey {
        VerifyingKey::custom(Self::new(key_id)).unwrap()
    }
}

impl Key for Foreign {
    fn identity(&self) -> &Identity {
        &self.identity
    }
}

impl SignKey for Foreign {
    fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError> {
        self.inner.sign_bytes(input).map(|signature| Signature::from(signature.as_bytes().repeat(8)))
    }
}

impl VerifyKey for Foreign {
    fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let same = self.sign_bytes(input).unwrap().as_bytes() == signature;
        if same { Ok(()) } else { Err(SignatureError::Invalid) }
    }
}

#[test]
fn a_foreign_key_signs_and_verifies_like_one_of_ours() {
    for key_id in [None, Some("k")] {
        let verifying = || Foreign::verifying(key_id);
        let signing = SigningKey::custom(Foreign::new(key_id), verifying()).unwrap();
        assert_eq!((signing.algorithm(), signing.key_id()), (Algorithm::Rs256, key_id));
        let token = token_of(&signing);
        assert_eq!(token_of(&Foreign::new(key_id)), token);
        for key in [verifying(), signing.verifying_key()] {
            assert_accepted(&open().with_keys(key), &token);
        }
        let mut keys = KeySet::new();
        keys.insert(verifying()).unwrap();
        found(&keys, &Foreign::new(key_id));
        // With another name, which is then in the header.
        let renamed = signing.with_key_id("renamed").unwrap();
        assert_accepted(&open().with_keys(renamed.verifying_key()), &token_of(&renamed));
        assert_eq!(refusal(&open().with_keys(renamed.verifying_key()), &token), VerifyError::UnknownKey);
    }
}

#[test]
fn a_foreign_key_is_never_one_for_hmac_nor_one_of_two_algorithms() {
    let hmac = || Foreign::of(Algorithm::Hs256, Some("k"));
    let wrong = KeyError::WrongKeyType { algorithm: Algorithm::Hs256, key: "key pair" };
    assert_eq!(VerifyingKey::custom(hmac()).unwrap_err(), wrong);
    assert_eq!(wrong.to_string(), "HS256 needs a key of type HMAC, but this one is of type key pair");
    let public = Foreign::verifying(None);
    assert_eq!(SigningKey::custom(hmac(), public.clone()).unwrap_err(), wrong);
    let error = SigningKey::custom(Foreign::of(Algorithm::Es256, None), public).unwrap_err();
    assert_eq!(error.to_string(), "ES256 needs a key of type P-256, but this one is of type RS256");
}

#[test]
fn a_foreign_key_is_used_with_its_own_algorithm_only() {
    let mut keys = KeySet::new();
    keys.insert(Foreign::verifying(Some("k"))).unwrap();
    let token = signed_with(&key(), r#"{"alg":"HS256","typ":"JWT","kid":"k"}"#, GOOD);
    assert_eq!(refusal(&open().with_keys(keys), &token), VerifyError::UnknownKey);
    let mismatch = VerifyError::AlgorithmMismatch { key: Algorithm::Rs256, token: Algorithm::Hs256 };
    assert_eq!(refusal(&open().with_keys(Foreign::verifying(Some("k"))), &token), mismatch);
}

#[test]
fn a_key_that_signs_in_another_length_than_its_algorithm_makes_no_token() {
    // An HS256 signature does not have 256 bytes.
    let foreign = Foreign::of(Algorithm::Hs256, None);
    let error = Claims::registered().never_expires().sign(&foreign).unwrap_err();
    assert_eq!(error, SignError::SignatureLength { algorithm: Algorithm::Hs256, bytes: 256 });
    assert_eq!(error.code(), "signature_length");
}

#[test]
fn a_key_that_fails_to_sign_says_so() {
    struct Broken(SignError, Identity);
    impl Key for Broken {
        fn identity(&self) -> &Identity {
            &self.1
        }
    }
    impl SignKey for Broken {
        fn sign_bytes(&self, _: &[u8]) -> Result<Signature, SignError> {
            Err(self.0.clone())
        }
    }
    let broken = |error: &SignError| Broken(error.clone(), Identity::new(Algorithm::Hs256));
    for (error, code) in [(SignError::SigningFailed, "signing_failed"), (SignError::Entropy, "entropy")] {
        let said = Claims::registered().never_expires().sign(&broken(&error)).unwrap_err();
        assert_eq!(said, error);
        assert_eq!(said.code(), code);
        assert_eq!(jws::Payload::new("x").sign(&broken(&error)).unwrap_err(), error);
    }
}

#[test]
fn keys_work_through_every_pointer() {
    static KEY: std::sync::LazyLock<HmacKey> = std::sync::LazyLock::new(key);
    let token = jwt(GOOD);
    let mut keys = KeySet::new();
    keys.insert(key()).unwrap();
    let live = Live::default();
    live.0.0.write().unwrap().insert(key()).unwrap();
    let verifiers = [
        open().with_keys(key()),
        open().with_keys(KeyRef::from(key())),
        open().with_keys(KeyRef::from(&*KEY)),
        open().with_keys(keys.clone()),
        open().with_keys(Arc::new(keys)),
        open().with_keys(live.clone()),
        open().with_keys(Arc::new(live.clone())),
        open().with_keys(Arc::new(live) as Arc<dyn KeySource>),
    ];
    for verifier in verifiers {
        assert_accepted(&verifier, &token);
        assert_eq!(
            refusal(&verifier, &signed_with(&other_key(), HEADER, GOOD)),
            VerifyError::InvalidSignature
        );
    }
    let signers: [&dyn SignKey; 4] = [&key(), &Box::new(key()), &Arc::new(key()), &&*KEY];
    for signer in signers {
        assert_eq!(token_of(&signer), token_of(&key()));
        assert_eq!(
            Claims::registered().never_expires().sign(signer),
            Claims::registered().never_expires().sign(&key())
        );
    }
}

/// A source with keys that are swapped while verifiers use it. It may be unavailable.
#[derive(Clone, Default)]
struct Live(Arc<(RwLock<KeySet>, AtomicBool)>);

impl KeySource for Live {
    fn find(&self, header: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        if self.0.1.load(Ordering::Relaxed) {
            return Err(VerifyError::KeysUnavailable);
        }
        self.0.0.read().unwrap().find(header).map(KeyRef::into_owned)
    }
}

#[test]
fn a_custom_source_may_change_its_keys() {
    let live = Live::default();
    let verifier = open().with_keys(live.clone());
    let token = jwt(GOOD);
    assert_eq!(refusal(&verifier, &token), VerifyError::UnknownKey);
    live.0.0.write().unwrap().insert(key()).unwrap();
    assert_accepted(&verifier, &token);
    live.0.0.write().unwrap().remove(Algorithm::Hs256, None);
    assert_eq!(refusal(&verifier, &token), VerifyError::UnknownKey);
}

#[test]
fn a_source_that_is_shared_can_be_handed_to_every_verifier() {
    let live = Arc::new(Live::default());
    let shared: Arc<dyn KeySource> = live.clone();
    let verifier = open().with_keys(shared.clone());
    let below = jws::MessageVerifier::new(shared.clone());
    let token = jwt(GOOD);
    assert_eq!(below.verify(&token).unwrap_err(), VerifyError::UnknownKey);
    live.0.0.write().unwrap().insert(key()).unwrap();
    assert_accepted(&verifier, &token);
    assert!(below.verify(&token).is_ok());
}

#[test]
fn unavailable_keys_are_a_503_without_a_challenge() {
    struct Remote(Identity);
    impl Key for Remote {
        fn identity(&self) -> &Identity {
            &self.0
        }
    }
    impl VerifyKey for Remote {
        fn verify_bytes(&self, _: &[u8], _: &[u8]) -> Result<(), SignatureError> {
            Err(SignatureError::KeyUnavailable)
        }
    }
    let live = Live::default();
    live.0.1.store(true, Ordering::Relaxed);
    let remote = VerifyingKey::custom(Remote(Identity::new(Algorithm::Rs256))).unwrap();
    let foreign = token_of(&Foreign::new(None));
    for (verifier, tokens) in [
        (open().with_keys(live), [jwt(GOOD), headed(r#"{"alg":"HS256"}"#)]),
        (open().with_keys(remote), [foreign.clone(), foreign]),
    ] {
        for token in tokens {
            let error = refusal(&verifier, &token);
            assert_eq!(error, VerifyError::KeysUnavailable);
            assert_eq!((error.challenge().status(), error.challenge().www_authenticate()), (503, None));
        }
        // A fault of the token itself is still reported as such.
        let error = refusal(&verifier, &headed(r#"{"alg":"none"}"#));
        assert_eq!((error.code(), error.challenge().status()), ("unsupported_algorithm", 401));
    }
}

/// A source that returns the same key for any header.
struct Lying(KeyRef<'static>);

impl KeySource for Lying {
    fn find(&self, _: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        Ok(self.0.clone())
    }
}

#[test]
fn a_source_that_returns_a_key_of_another_algorithm_is_caught() {
    let mismatch = VerifyError::AlgorithmMismatch { key: Algorithm::Rs256, token: Algorithm::Hs256 };
    for header in [HEADER, r#"{"alg":"HS256"}"#] {
        let token = signed_with(&key(), header, GOOD);
        assert_eq!(refusal(&open().with_keys(Lying(Foreign::verifying(None).into())), &token), mismatch);
        assert_accepted(&open().with_keys(Lying(key().into())), &token);
    }
}

#[test]
fn a_set_can_be_listed_and_a_source_says_when_its_keys_have_changed() {
    let mut keys = two();
    keys.insert(Foreign::verifying(Some("a"))).unwrap();
    let listed: Vec<_> = keys.iter().map(|key| (key.algorithm(), key.key_id().map(str::to_owned))).collect();
    let (a, b) = (Some("a".to_owned()), Some("b".to_owned()));
    assert_eq!(listed, [(Algorithm::Hs256, a.clone()), (Algorithm::Hs256, b), (Algorithm::Rs256, a)]);

    struct Counting(u64);
    impl KeySource for Counting {
        fn find(&self, _: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
            Err(VerifyError::UnknownKey)
        }
        fn generation(&self) -> Option<u64> {
            Some(self.0)
        }
    }
    assert_eq!(Arc::new(Counting(7)).generation(), Some(7));
    assert_eq!(Lying(key().into()).generation(), None);
}

// ---- output ----

#[test]
fn no_debug_text_shows_a_secret_or_a_token() {
    let named = || key().with_key_id("the-key").unwrap();
    let mut keys = KeySet::new();
    keys.insert(named()).unwrap();
    keys.insert(other_key()).unwrap();
    let builder =
        Verifier::builder(named()).issuer("the-issuer").accept_any_audience().allow_missing_expiration();
    let verifier = builder.clone().build().unwrap();
    let claims = Claims::new(std::collections::BTreeMap::from([("private", "a private claim of the token")]))
        .issuer("the-issuer")
        .subject("a subject that is private")
        .jwt_id("an id of this one token")
        .never_expires();
    let text = claims.sign(&named()).unwrap();
    // For more bytes than memory can hold, it begins with an empty buffer.
    let mut buffer = Buffer::with_capacity(usize::MAX);
    let token: Token<serde_json::Value> = verifier.at(NOW).verify(&text).unwrap();
    let message = jws::MessageVerifier::new(named()).verify(&text).unwrap();
    let unverified = Unverified::parse(&text).unwrap();
    let signature = key().sign_bytes(b"x").unwrap();
    let header = token.header();
    let source = keys.find(&header).unwrap();
    let borrowed = verifier.at(NOW).verify_in::<serde_json::Value>(&mut buffer, &text).unwrap();
    let shown: Vec<String> = [
        (&named() as &dyn Debug, r#"HmacKey { algorithm: Hs256, kid: Some("the-key"), .. }"#),
        (&keys, r#"[(Hs256, None), (Hs256, Some("the-key"))]"#),
        (&builder, r#"VerifierBuilder { policy: Draft { issuers: ["the-issuer"]"#),
        (&verifier, "Verifier { gate: Gate { rules: "),
        (&claims, "Claims { .. }"),
        (&claims.prepare(&named()).unwrap(), "Prepared(HS256, "),
        (&token, "Token { header: Header { algorithm: Hs256, .. }, .. }"),
        (&header, "Header { algorithm: Hs256, .. }"),
        (&countersign::Keys::from(named()), r#"KeyRef(Hs256, Some("the-key"))"#),
        (&countersign::Keys::from(keys.clone()), r#"[(Hs256, None), (Hs256, Some("the-key"))]"#),
        (&countersign::Keys::from(Lying(named().into())), "KeySource(..)"),
        (&message, "Verified("),
        (&unverified, "Unverified("),
        (&signature, "Signature(32 bytes)"),
        (&source, r#"KeyRef(Hs256, Some("the-key"))"#),
        (&jws::MessageVerifier::new(named()), "MessageVerifier(Gate { rules: "),
        (&jws::Payload::new(b"12345"), "Payload(5 bytes)"),
        (&SecretBytes::from(SECRET.to_vec()), "SecretBytes(41 bytes)"),
        (&Identity::new(Algorithm::Hs256), "Identity { algorithm: Hs256, kid: None }"),
        (&borrowed, "BorrowedToken { header: Header { algorithm: Hs256, .. }, .. }"),
    ]
    .map(|(value, says)| {
        let text = format!("{value:?}");
        assert!(text.starts_with(says), "{text}");
        format!("{text}\n{value:#?}")
    })
    .into();
    let hidden = [
        &*text,
        "a private claim of the token",
        "a subject that is private",
        "an id of this one token",
        &b64(signature.as_bytes()),
        &format!("{:?}", signature.as_bytes()),
    ];
    assert_hides(&shown, &hidden);
    let shown = format!("{buffer:?}");
    assert!(shown.starts_with("Buffer("), "{shown}");
    assert_hides(&[shown], &hidden);
}

#[test]
fn an_identity_writes_the_same_header_as_its_key() {
    let nameless = Identity::new(Algorithm::Hs256);
    assert_eq!(nameless.key_id(), None);
    let named = nameless.with_key_id("the-key").unwrap();
    assert_eq!(named.key_id(), Some("the-key"));
    for (elsewhere, here) in [(nameless, key()), (named, key().with_key_id("the-key").unwrap())] {
        let claims = Claims::registered().never_expires();
        assert_eq!(
            claims.prepare(&elsewhere).unwrap().signing_input(),
            claims.prepare(&here).unwrap().signing_input()
        );
    }
}

#[test]
fn what_is_built_once_can_be_shared_by_threads() {
    fn shared<T: Send + Sync + Clone + 'static>() {}
    shared::<Verifier>();
    shared::<jws::MessageVerifier>();
    shared::<KeySet>();
    shared::<HmacKey>();
    shared::<VerifyError>();
    fn sent<T: Send + Sync + 'static>() {}
    sent::<Token<String>>();
    sent::<Box<dyn SignKey>>();
    sent::<Box<dyn KeySource>>();
    let verifier = open();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_accepted(&verifier, &jwt(GOOD)));
        }
    });
}

#[test]
fn a_secret_over_64_kib_makes_no_key() {
    let limit = 64 * 1024;
    assert!(HmacKey::hs256(&SecretBytes::from_bytes(vec![7; limit])).is_ok());
    let secret = SecretBytes::from_bytes(vec![7; limit + 1]);
    for made in [HmacKey::hs256(&secret), HmacKey::with_weak_secret(Algorithm::Hs256, &secret)] {
        no_key(made, &KeyError::SecretTooLong { bytes: limit + 1, limit }, "secret_too_long", "");
    }
}

#[test]
fn a_secret_is_read_from_hex_and_hex_in_place_of_base64_is_detected() {
    let digits = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let secret = SecretBytes::from_hex(digits).unwrap();
    assert_eq!(secret.expose_secret()[..4], [0x9f, 0x86, 0xd0, 0x81]);
    assert_eq!(secret.expose_secret().len(), 32);
    assert!(SecretBytes::from_hex(&digits.to_uppercase()).unwrap() == secret);
    assert!(SecretBytes::from_hex("").unwrap().expose_secret().is_empty());
    for text in [&digits[1..], "0x9f86", "9f 86", "9f86\n", "+f", "-1", "g0", "é"] {
        no_key(SecretBytes::from_hex(text), &KeyError::InvalidHex, "invalid_hex", text);
    }
    for decode in [SecretBytes::from_base64, SecretBytes::from_base64url] {
        for text in [digits, &digits[..32], &digits.to_uppercase()] {
            no_key(decode(text), &KeyError::HexSecret, "hex_secret", text);
        }
        // Texts that may well be base64: short, with another character, or with only one kind of digit.
        for text in [&digits[..28], &format!("{digits}zzzz"), &"A".repeat(64), &"0".repeat(64)] {
            assert!(decode(text).is_ok(), "{text}");
        }
    }
}

// ---- RSA ----

#[cfg(any(feature = "aws-lc-rs", feature = "graviola", feature = "rsa"))]
mod rsa {
    use super::*;
    use countersign::{FileMistake, PublicKey};
    use util::{RSA_PRIVATE, RSA_PUBLIC, der, over_each_backend, pem};

    /// Returns the four kinds of PEM file of an RSA key, the private ones first.
    fn pems() -> [String; 4] {
        [
            RSA_PRIVATE.into(),
            // PKCS#8 has 26 bytes before the PKCS#1 key at this length, SPKI has 24.
            pem("RSA PRIVATE KEY", &der(RSA_PRIVATE)[26..]),
            RSA_PUBLIC.into(),
            pem("RSA PUBLIC KEY", &der(RSA_PUBLIC)[24..]),
        ]
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    #[track_caller]
    fn pair(signing: &impl SignKey, verifying: &VerifyingKey) {
        let token = token_of(signing);
        assert_accepted(&open().with_keys(verifying.clone()), &token);
    }

    /// A key in some form: as text, as bytes, or both.
    struct Form {
        text: Option<String>,
        bytes: Vec<u8>,
        wanted: Half,
    }

    #[derive(Clone, Copy)]
    enum Half {
        Private,
        Public,
    }

    impl Form {
        fn text(wanted: Half, text: impl Into<String>) -> Self {
            let text = text.into();
            Self { bytes: text.clone().into(), text: Some(text), wanted }
        }

        /// Returns a form with PEM for one column and the DER inside for the other.
        fn file(wanted: Half, label: &str, der: &[u8]) -> Self {
            Self { text: Some(pem(label, der)), bytes: der.into(), wanted }
        }

        fn bytes(wanted: Half, bytes: &[u8]) -> Self {
            Self { text: None, bytes: bytes.into(), wanted }
        }

        /// Returns the outcomes in `from_pem`, in `from_der`, and as an HMAC secret.
        fn outcomes(&self) -> [String; 3] {
            let said = |error: Option<KeyError>, read: &str| match error {
                None => read.to_owned(),
                Some(error) => format!("`{}`", error.code()),
            };
            let (private, public) = (PrivateKey::from_pem, PublicKey::from_pem);
            let from_pem = self.text.as_deref().map(|text| match self.wanted {
                Half::Private => private(text).err(),
                Half::Public => public(text).err(),
            });
            let from_der = match self.wanted {
                Half::Private => PrivateKey::from_der(&self.bytes).err(),
                Half::Public => PublicKey::from_der(&self.bytes).err(),
            };
            [
                from_pem.map_or("not text".into(), |error| said(error, "read")),
                said(from_der, "read"),
                said(HmacKey::hs256(&SecretBytes::from_bytes(&self.bytes)).err(), "taken"),
            ]
        }
    }

    /// Returns samples of the form that the page on keys gives this name.
    fn forms(name: &str) -> Vec<Form> {
        let both = |change: &dyn Fn(&str) -> String| {
            let [pkcs8, pkcs1, spki, pkcs1_public] = pems();
            [
                (Half::Private, pkcs8),
                (Half::Private, pkcs1),
                (Half::Public, spki),
                (Half::Public, pkcs1_public),
            ]
            .map(|(half, text)| Form::text(half, change(&text)))
            .into()
        };
        let (private, public) = (der(RSA_PRIVATE), der(RSA_PUBLIC));
        match name {
            "PEM" => both(&|text| text.into()),
            "PEM with CR LF, or after a byte order mark" => {
                let mut forms: Vec<Form> = both(&|text| text.replace('\n', "\r\n"));
                forms.extend::<Vec<Form>>(both(&|text| format!("\u{feff}{text}")));
                forms
            }
            "PEM that is indented, in lines of any length, or on one line" => {
                let mut forms: Vec<Form> = both(&|text| text.replace('\n', "\n    "));
                forms.extend::<Vec<Form>>(both(&|text| text.replace('\n', " ")));
                forms
            }
            "PEM in quotes, or with text or certificates next to it" => {
                let mut forms: Vec<Form> = both(&|text| format!("\"{text}\""));
                forms.extend::<Vec<Form>>(both(&|text| format!("{CERTIFICATE}{text}and text\n")));
                forms
            }
            "PEM under the label of the other format" => vec![
                Form::text(Half::Private, pem("RSA PRIVATE KEY", &private)),
                Form::text(Half::Public, pem("RSA PUBLIC KEY", &public)),
                Form::text(Half::Public, pem("PUBLIC KEY", &public[24..])),
            ],
            "PEM with `\\n` as two characters, as in `.env` and JSON files" => {
                both(&|text| text.replace('\n', "\\n"))
            }
            "PEM without its END line" => both(&|text| text.split("-----END").next().unwrap().into()),
            "PEM with several keys" => both(&|text| text.repeat(2)),
            "PEM in base64 once more" => both(&|text| b64_standard(text)),
            "DER" => vec![Form::bytes(Half::Private, &private), Form::bytes(Half::Public, &public)],
            "DER in base64" => both(&|text| b64_standard(der(text))),
            "DER in hex" => {
                vec![Form::text(Half::Private, hex(&private)), Form::text(Half::Public, hex(&public))]
            }
            "DER in hex with colons" => {
                let colons =
                    |der: &[u8]| der.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":");
                let [private, public] = [colons(&private), colons(&public)];
                vec![
                    Form::text(Half::Private, private.to_uppercase()),
                    Form::text(Half::Private, private),
                    Form::text(Half::Public, public),
                ]
            }
            "PEM in UTF-16, as the `>` of Windows PowerShell writes it" => pems()
                .iter()
                .flat_map(|text| {
                    let half = if text.contains("PRIVATE") { Half::Private } else { Half::Public };
                    let marked = format!("\u{feff}{text}");
                    let little: Vec<u8> = marked.encode_utf16().flat_map(u16::to_le_bytes).collect();
                    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
                    [Form::bytes(half, &little), Form::bytes(half, &big)]
                })
                .collect(),
            "an RSA key in the XML of .NET" => {
                let key = "<RSAKeyValue><Modulus>3w/tqVhw</Modulus><Exponent>AQAB</Exponent></RSAKeyValue>";
                [Half::Private, Half::Public].map(|half| Form::text(half, key)).into()
            }
            "a certificate" => [Half::Private, Half::Public]
                .map(|half| Form::file(half, "CERTIFICATE", &der(CERTIFICATE)))
                .into(),
            "a certificate request" => [Half::Private, Half::Public]
                .map(|half| {
                    Form::file(
                        half,
                        "CERTIFICATE REQUEST",
                        &der(include_str!("data/certificate_request.pem")),
                    )
                })
                .into(),
            "a JWK" => {
                let jwk = r#"{"kty":"RSA","e":"AQAB","n":"AQAB","use":"sig"}"#;
                [Half::Private, Half::Public].map(|half| Form::text(half, jwk)).into()
            }
            "an SSH public key" => {
                let line = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ me@example";
                [Half::Private, Half::Public].map(|half| Form::text(half, line)).into()
            }
            "an OpenSSH private key" => vec![Form::text(Half::Private, OPENSSH_PRIVATE)],
            // The lines of puttygen, without the last one, around the key of `OPENSSH_PRIVATE`.
            "a PuTTY key file" => vec![Form::text(
                Half::Private,
                "PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\nComment: \r\nPublic-Lines: 2\r\n\
                AAAAC3NzaC1lZDI1NTE5AAAAINnXe8olEcYXzzgxvvD31CN6vtFvO0l48C6MexKd\r\nTA8C\r\nPrivate-Lines: 1\r\n\
                AAAAIF9kC6UsolFzK0UxE4Td+cxTGOES/sujyPpzxnis1lbV\r\n",
            )],
            "an encrypted private key" => {
                vec![Form::file(Half::Private, "ENCRYPTED PRIVATE KEY", &der(ENCRYPTED))]
            }
            "a PKCS#12 file" => {
                let mut file = vec![0x30, 38, 2, 1, 3, 0x30, 33, 4, 31];
                file.extend([0x5a; 31]);
                vec![Form::bytes(Half::Private, &file)]
            }
            "a private key of three primes" => {
                vec![Form::file(Half::Private, "RSA PRIVATE KEY", &three_primes())]
            }
            "a private key of n and d alone" => {
                vec![Form::file(Half::Private, "RSA PRIVATE KEY", &without_primes())]
            }
            "an RSA key that is for RSA-PSS only" => {
                vec![
                    Form::file(Half::Public, "PUBLIC KEY", &der(PSS_PUBLIC)),
                    Form::file(Half::Private, "PRIVATE KEY", &der(include_str!("data/rsa_pss_sha256.pem"))),
                ]
            }
            "an RSA-PSS key with parameters that no algorithm has" => {
                let file = include_str!("data/rsa_pss_sha256_mgf1_sha1.pem");
                vec![Form::file(Half::Private, "PRIVATE KEY", &der(file))]
            }
            "an ML-DSA private key without its seed" => {
                vec![Form::file(
                    Half::Private,
                    "PRIVATE KEY",
                    &der(include_str!("data/ml_dsa_44_expanded.pem")),
                )]
            }
            "an elliptic curve key" => vec![
                Form::file(Half::Public, "PUBLIC KEY", &der(EC_PUBLIC)),
                Form::file(Half::Private, "PRIVATE KEY", &der(EC_PRIVATE)),
            ],
            "a key of a type that no algorithm uses, such as X25519" => vec![
                Form::file(Half::Public, "PUBLIC KEY", &der(X25519_PUBLIC)),
                Form::file(Half::Private, "PRIVATE KEY", &der(X25519_PRIVATE)),
                Form::file(Half::Private, "DSA PRIVATE KEY", &der(DSA_PRIVATE)),
                Form::file(Half::Private, "PRIVATE KEY", &der(DSA_PRIVATE)),
            ],
            "the private key, where the public one belongs" => vec![
                Form::file(Half::Public, "PRIVATE KEY", &private),
                Form::file(Half::Public, "PRIVATE KEY", &der(X25519_PRIVATE)),
                Form::file(Half::Public, "DSA PRIVATE KEY", &der(DSA_PRIVATE)),
            ],
            "the public key, where the private one belongs" => {
                vec![Form::file(Half::Private, "PUBLIC KEY", &public)]
            }
            "the path of a file" => [Half::Private, Half::Public]
                .map(|half| Form::text(half, "/etc/countersign/keys/2026-12-01.pem"))
                .into(),
            _ => panic!("no sample of {name:?}"),
        }
    }

    /// The error for RS256 with [`PSS_PUBLIC`].
    fn pss_only() -> KeyError {
        KeyError::RestrictedKey { algorithm: Algorithm::Rs256, allowed: "PS256, PS384 and PS512" }
    }

    /// Returns an `RSAPrivateKey` of small numbers with a structure that announces a third prime.
    fn three_primes() -> Vec<u8> {
        let two = [2, 1, 1, 2, 1, 5, 2, 1, 3, 2, 1, 7, 2, 1, 5, 2, 1, 7, 2, 1, 1, 2, 1, 1, 2, 1, 1];
        [&[0x30, 31], &two[..], &[0x30, 2, 0x30, 0]].concat()
    }

    /// Returns the test key as Java writes it if only the modulus and the private exponent are known.
    fn without_primes() -> Vec<u8> {
        let public = der(RSA_PUBLIC);
        let modulus = &public[33..33 + 256];
        let number = [&[2, 0x82, 1, 1, 0], modulus].concat();
        let content = [&[2, 1, 0], &number[..], &[2, 1, 0], &number[..], &[2, 1, 0].repeat(5)].concat();
        [&[0x30, 0x82], &u16::try_from(content.len()).unwrap().to_be_bytes()[..], &content].concat()
    }

    /// Encodes a tag and some content as DER.
    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        match u16::try_from(content.len()).unwrap() {
            short @ ..0x80 => [&[tag, short as u8], content].concat(),
            length => [&[tag, 0x82], &length.to_be_bytes()[..], content].concat(),
        }
    }

    /// Returns the cells of the table on the page on keys that has this first line.
    fn table(head: &str) -> Vec<Vec<&'static str>> {
        let page = include_str!("../src/manual/keys.md");
        let rows = page.lines().skip_while(|line| !line.starts_with(head)).skip(2);
        let rows = rows.take_while(|line| line.starts_with('|'));
        rows.map(|row| row.trim_matches('|').split('|').map(str::trim).collect()).collect()
    }

    #[test]
    fn the_page_on_keys_has_the_outcome_of_each_form() {
        let rows = table("| the key is |");
        assert_eq!(rows.len(), 33);
        for cells in rows {
            for form in forms(cells[0]) {
                assert_eq!(form.outcomes(), cells[1..], "{}", cells[0]);
            }
        }
    }

    #[cfg(feature = "certificate")]
    mod certificates {
        use super::*;

        /// All four certificates are of the key pair of `util`.
        const RSA_CERTIFICATE: &str = include_str!("data/certificate.pem");
        const VERSION_1: &str = include_str!("data/certificate_v1.pem");
        /// Followed by a list of what OpenSSL trusts it for.
        const TRUSTED: &str = include_str!("data/certificate_trusted.pem");
        const REQUEST: &str = include_str!("data/certificate_request.pem");

        fn said(made: Result<PublicKey, KeyError>) -> String {
            match made {
                Ok(key) => {
                    let pem = key.to_pem().unwrap();
                    assert!(pem == RSA_PUBLIC || key.es256().is_ok(), "{pem}");
                    "read".into()
                }
                Err(error) => {
                    assert_discreet(&error, &[RSA_CERTIFICATE, RSA_PRIVATE]);
                    format!("`{}`", error.code())
                }
            }
        }

        /// Returns samples of the form that the page on keys gives this name: as text, if it is text, and as bytes.
        fn forms(name: &str) -> Vec<(Option<String>, Vec<u8>)> {
            let text = |text: &str| (Some(text.to_owned()), text.as_bytes().to_vec());
            let file = |text: &str| (Some(text.to_owned()), der(text));
            let certificate = RSA_CERTIFICATE;
            match name {
                "a certificate in PEM" => vec![
                    text(certificate),
                    text(VERSION_1),
                    text(&certificate.replace("CERTIFICATE", "X509 CERTIFICATE")),
                    text(&certificate.replace("CERTIFICATE", "X.509 CERTIFICATE")),
                ],
                "PEM with CR LF, indented, on one line, or after a byte order mark" => vec![
                    text(&certificate.replace('\n', "\r\n")),
                    text(&certificate.replace('\n', "\n    ")),
                    text(&certificate.replace('\n', "")),
                    text(&format!("\u{feff}{certificate}")),
                ],
                "PEM with text or keys next to it" => vec![
                    text(&format!("subject=CN = auth.example\n{certificate}and text\n")),
                    text(&format!("{RSA_PRIVATE}{certificate}")),
                    text(&format!("{certificate}{EC_PUBLIC}{}", pem("DH PARAMETERS", &[0x30, 0]))),
                ],
                "PEM with several certificates" => {
                    vec![text(&format!("{certificate}{CERTIFICATE}")), text(&certificate.repeat(2))]
                }
                "PEM with `\\n` as two characters" => vec![text(&certificate.replace('\n', "\\n"))],
                "PEM without its END line" => vec![text(certificate.split("-----END").next().unwrap())],
                "PEM in base64 once more" => vec![text(&b64_standard(certificate))],
                "a certificate in DER" => vec![(None, der(certificate)), (None, der(VERSION_1))],
                "DER in base64, as in `x5c`" => vec![text(&b64_standard(der(certificate)))],
                "DER in hex" => vec![text(&hex(&der(certificate)))],
                "a certificate that is cut off, or followed by other bytes" => vec![
                    file(&pem("CERTIFICATE", &der(certificate)[..700])),
                    file(&pem("CERTIFICATE", &[&der(certificate)[..], &[0]].concat())),
                    file(TRUSTED),
                ],
                "a certificate of an elliptic curve key" => vec![file(CERTIFICATE)],
                "a certificate request" => {
                    vec![file(REQUEST), file(&REQUEST.replace("CERTIFICATE", "NEW CERTIFICATE"))]
                }
                "a private key" => pems()[..2]
                    .iter()
                    .map(|text| &**text)
                    .chain([EC_PRIVATE, EC_SEC1, ENCRYPTED])
                    .map(file)
                    .collect(),
                "a public key" => {
                    pems()[2..].iter().map(|text| &**text).chain([EC_PUBLIC]).map(file).collect()
                }
                "a JWK" => vec![text(r#"{"kty":"RSA","e":"AQAB","n":"AQAB","x5c":[]}"#)],
                "the path of a file" => vec![text("/etc/countersign/keys/2026-12-01.crt")],
                _ => panic!("no sample of {name:?}"),
            }
        }

        #[test]
        fn the_page_on_keys_has_the_outcome_of_each_certificate() {
            let rows = table("| the certificate is |");
            assert_eq!(rows.len(), 17);
            for cells in rows {
                for (text, bytes) in forms(cells[0]) {
                    let from_pem = text.as_deref().map(PublicKey::from_certificate_pem);
                    let outcomes = [
                        from_pem.map_or("not text".into(), said),
                        said(PublicKey::from_certificate_der(&bytes)),
                    ];
                    assert_eq!(outcomes, cells[1..], "{}", cells[0]);
                }
            }
        }

        /// The docs promise no check, so that users do not rely on one.
        #[test]
        fn only_the_key_of_a_certificate_is_checked() {
            let valid = der(RSA_CERTIFICATE);
            let replaced = |old: &[u8], new: &[u8]| {
                let mut changed = valid.clone();
                let places: Vec<_> =
                    (0..valid.len() - old.len()).filter(|&place| valid[place..].starts_with(old)).collect();
                assert!(!places.is_empty());
                for place in places {
                    changed[place..place + old.len()].copy_from_slice(new);
                }
                changed
            };
            let mut wrong_signature = valid.clone();
            *wrong_signature.last_mut().unwrap() ^= 1;
            for changed in [
                wrong_signature,
                // Valid until 2011, and from 2049.
                replaced(b"21261108", b"20111108"),
                replaced(b"261202", b"491202"),
                replaced(b"auth.example", b"evil.example"),
            ] {
                assert_ne!(changed, valid);
                assert_eq!(said(PublicKey::from_certificate_der(&changed)), "read");
            }
        }

        #[test]
        fn a_certificate_with_a_weak_key_makes_no_key() {
            let small = der(RSA_1024_PUBLIC);
            let certificate = der(RSA_CERTIFICATE);
            let key = der(RSA_PUBLIC);
            let place = certificate.windows(key.len()).position(|window| window == key).unwrap();
            let with = |key: &[u8]| {
                // 4 bytes of header each before the certificate and its signed part; then the signature.
                let after = &certificate[place + 294..];
                let signature = after.len() - (15 + 5 + 256);
                let signed = tlv(0x30, &[&certificate[8..place], key, &after[..signature]].concat());
                tlv(0x30, &[&signed, &after[signature..]].concat())
            };
            assert_eq!(with(&key), certificate);
            let error = KeyError::ModulusTooSmall { bits: 1024, minimum: 2048 };
            no_key(
                PublicKey::from_certificate_der(&with(&small)),
                &error,
                "modulus_too_small",
                RSA_1024_PUBLIC,
            );
            // The key in a certificate may be restricted, too.
            let pss = PublicKey::from_certificate_der(&with(&der(PSS_PUBLIC))).unwrap();
            no_key(pss.rs256(), &pss_only(), "restricted_key", PSS_PUBLIC);
            assert!(pss.ps256().is_ok());
        }

        #[test]
        fn any_changed_byte_of_a_certificate_makes_a_key_or_an_error() {
            let certificate = der(RSA_CERTIFICATE);
            for place in 0..certificate.len() {
                let mut changed = certificate.clone();
                changed[place] ^= 0x11;
                match PublicKey::from_certificate_der(&changed) {
                    Ok(key) => assert!(PublicKey::from_pem(&key.to_pem().unwrap()).unwrap() == key),
                    Err(error) => assert_discreet(&error, &[RSA_CERTIFICATE]),
                }
            }
        }
    }

    over_each_backend! { "rsa" =>
        /// Checks that a text makes no key of either kind, for this reason.
        #[track_caller]
        fn mistaken(text: &str, mistake: FileMistake) {
            mistaken_private(text, mistake);
            mistaken_public(text, mistake);
        }

        #[track_caller]
        fn mistaken_private(text: &str, mistake: FileMistake) {
            no_key(signing(text), &KeyError::File(mistake), mistake.code(), text);
            no_key(signing_any_exponent(text), &KeyError::File(mistake), mistake.code(), text);
        }

        #[track_caller]
        fn mistaken_public(text: &str, mistake: FileMistake) {
            no_key(verifying(text), &KeyError::File(mistake), mistake.code(), text);
            no_key(verifying_any_exponent(text), &KeyError::File(mistake), mistake.code(), text);
        }

        #[test]
        fn every_kind_of_pem_and_der_makes_the_same_key() {
            let [pkcs8, pkcs1, spki, pkcs1_public] = pems();
            for private in [&pkcs8, &pkcs1] {
                for key in [signing(private), signing_der(&der(private))] {
                    let key = key.unwrap();
                    pair(&key, &rsa_verifying_key());
                    assert_eq!(key.verifying_key().public_key().unwrap().to_pem().unwrap(), RSA_PUBLIC);
                }
            }
            for public in [&spki, &pkcs1_public] {
                for key in [verifying(public), verifying_der(&der(public))] {
                    assert_eq!(key.unwrap().public_key().unwrap().to_pem().unwrap(), RSA_PUBLIC);
                }
            }
            let written = PrivateKey::from_pem(&pkcs1).unwrap().to_secret_pem().unwrap();
            assert_eq!(core::str::from_utf8(written.expose_secret()).unwrap(), RSA_PRIVATE);
        }

        /// Some services name a key by the hash of its DER. The numbers are those of a JWK.
        #[test]
        fn a_public_key_is_written_as_the_der_and_the_numbers_of_its_file() {
            let spki = der(RSA_PUBLIC);
            for text in &pems()[2..] {
                let key = PublicKey::from_pem(text).unwrap();
                assert_eq!(key.to_der().unwrap(), spki);
                assert_eq!(key.modulus_and_exponent().unwrap(), (spki[33..289].to_vec(), vec![1, 0, 1]));
            }
        }

        #[test]
        fn a_private_key_is_not_a_public_one_and_the_reverse() {
            let [pkcs8, pkcs1, spki, pkcs1_public] = pems();
            for private in [&pkcs8, &pkcs1] {
                mistaken_public(private, FileMistake::PrivateKey);
            }
            for public in [&spki, &pkcs1_public] {
                mistaken_private(public, FileMistake::PublicKey);
            }
            for private in [&pkcs8, &pkcs1] {
                let made = verifying_der(&der(private));
                no_key(made, &KeyError::File(FileMistake::PrivateKey), "private_key", private);
            }
            for public in [&spki, &pkcs1_public] {
                no_key(signing_der(&der(public)), &KeyError::File(FileMistake::PublicKey), "public_key", public);
            }
        }

        /// RFC 7468 section 3: a reader may ignore white space. A text may hold explanatory text and other blocks next to a
        /// key.
        #[test]
        fn a_pem_is_read_in_any_layout_and_next_to_anything_except_another_key() {
            let wrapped = |text: &str, width: usize| {
                let label = text.lines().next().unwrap().trim_matches('-').trim_start_matches("BEGIN ").to_owned();
                let body = b64_standard(der(text));
                let lines: Vec<_> = body.as_bytes().chunks(width).map(String::from_utf8_lossy).collect();
                format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
            };
            for text in pems() {
                let layouts = [
                    text.replace('\n', "\r\n"),
                    text.replace('\n', "\r"),
                    format!("\u{feff}{text}"),
                    format!("\u{feff}{}", text.replace('\n', "\r\n")),
                    text.trim_end().to_owned(),
                    format!("\n\n  {text}\n\n"),
                    text.lines().map(|line| format!("    {line}\n")).collect(),
                    text.replace('\n', "\n\t"),
                    text.replace('\n', " \n"),
                    text.replace('\n', "\n\n"),
                    text.replace('\n', " "),
                    text.replace('\n', ""),
                    wrapped(&text, 1),
                    wrapped(&text, 63),
                    wrapped(&text, 76),
                    wrapped(&text, 100_000),
                    format!("\"{text}\""),
                    format!("# a comment\n{text}# another\n"),
                    format!("Bag Attributes\n    friendlyName: x\nKey Attributes: <No Attributes>\n{text}"),
                    format!("{text}Private-Key: (2048 bit, 2 primes)\nmodulus:\n    00:c5:5a\n"),
                    format!("{CERTIFICATE}{text}"),
                    format!("{text}{CERTIFICATE}{CERTIFICATE}"),
                    format!("{}{text}", pem("DH PARAMETERS", &[0x30, 0])),
                ];
                for layout in layouts {
                    if text.contains("PRIVATE") {
                        pair(&signing(&layout).unwrap(), &rsa_verifying_key());
                    } else {
                        assert!(verifying(&layout).unwrap().public_key() == rsa_verifying_key().public_key());
                    }
                }
            }
        }

        /// Another reader might use the other key of such a text.
        #[test]
        fn a_broken_block_hides_no_key() {
            let certificate = CERTIFICATE.lines().take(5).collect::<Vec<_>>().join("\n");
            for [first, second] in [[RSA_PUBLIC, RSA_1024_PUBLIC], [RSA_PRIVATE, RSA_1024_PRIVATE], ["", RSA_PUBLIC]] {
                let keys = format!("{first}{second}");
                for before in [
                    "-----BEGIN \n".to_owned(),
                    "-----BEGIN X509----\n".into(),
                    "see -----BEGIN CERTIFICATE-----\n".into(),
                    format!("{certificate}\n"),
                    CERTIFICATE.replace("END CERTIFICATE-----", "END CERTIFICATE"),
                    CERTIFICATE.replace("END CERTIFICATE-----", "END X509 CERTIFICATE-----"),
                    "-----BEGIN A\nB-----\n-----END A\nB-----\n".into(),
                ] {
                    let text = format!("{before}{keys}");
                    for error in [PublicKey::from_pem(&text).unwrap_err(), PrivateKey::from_pem(&text).unwrap_err()] {
                        let broken = [FileMistake::MissingEnd, FileMistake::LabelMismatch].map(KeyError::File);
                        assert!(broken.contains(&error), "{error:?}: {text}");
                    }
                }
            }
        }

        /// RFC 5958 section 2.
        #[test]
        fn a_public_key_inside_a_private_one_must_match() {
            let (private, public) = (der(RSA_PRIVATE), der(RSA_PUBLIC));
            let (algorithm, pkcs1) = (&private[7..22], tlv(4, &private[26..]));
            let with = |public: &[u8]| {
                let public = tlv(0x81, &[&[0], public].concat());
                tlv(0x30, &[&[2, 1, 1], algorithm, &pkcs1, &public].concat())
            };
            let own = &public[24..];
            pair(&signing_der(&with(own)).unwrap(), &rsa_verifying_key());
            let mut other = own.to_vec();
            other[20] ^= 1;
            let other_exponent = [&own[..own.len() - 1], &[3]].concat();
            for wrong in [&other[..], &other_exponent, &public, b""] {
                no_key(signing_der(&with(wrong)), &KeyError::MalformedKey, "malformed_key", "");
            }
        }

        /// Some tools write the label of PKCS#1 for the other format, and the reverse.
        #[test]
        fn a_pem_is_read_under_the_label_of_the_other_format() {
            let (private, public) = (der(RSA_PRIVATE), der(RSA_PUBLIC));
            for (label, der) in [("PRIVATE KEY", &private[26..]), ("RSA PRIVATE KEY", &private)] {
                pair(&signing(&pem(label, der)).unwrap(), &rsa_verifying_key());
            }
            for (label, der) in [("PUBLIC KEY", &public[24..]), ("RSA PUBLIC KEY", &public)] {
                let key = verifying(&pem(label, der)).unwrap();
                assert!(key.public_key() == rsa_verifying_key().public_key());
            }
            // The content has to be the wanted half, whatever the label says.
            let text = pem("PRIVATE KEY", &public);
            no_key(signing(&text), &KeyError::File(FileMistake::PublicKey), "public_key", &text);
            let text = pem("PUBLIC KEY", &private);
            no_key(verifying(&text), &KeyError::File(FileMistake::PrivateKey), "private_key", &text);
        }

        #[test]
        fn each_form_that_is_not_a_pem_key_is_named() {
            for text in pems() {
                let mistaken_half = if text.contains("PRIVATE") { mistaken_private } else { mistaken_public };
                mistaken_half(&text.replace('\n', "\\n"), FileMistake::EscapedLineBreaks);
                mistaken_half(&text.replace('\n', "\\r\\n"), FileMistake::EscapedLineBreaks);
                mistaken(&b64_standard(&text), FileMistake::Base64OfPem);
                mistaken(&format!("{}\n", b64_standard(&text)), FileMistake::Base64OfPem);
                mistaken(&b64(&text), FileMistake::Base64OfPem);
                mistaken(&text.repeat(2), FileMistake::SeveralKeys);
                mistaken(&format!("{text}{RSA_PUBLIC}"), FileMistake::SeveralKeys);
                mistaken(text.split("-----END").next().unwrap(), FileMistake::MissingEnd);
                mistaken(&text[..200], FileMistake::MissingEnd);
                mistaken(&b64_standard(der(&text)), FileMistake::Base64);
                mistaken(&b64(der(&text)), FileMistake::Base64);
                mistaken(&hex(&der(&text)), FileMistake::Hex);
                mistaken(&format!("0x{}\n", hex(&der(&text)).to_uppercase()), FileMistake::Hex);
            }
            mistaken_public(&format!("{}{RSA_PUBLIC}", RSA_PUBLIC.split("-----END").next().unwrap()), FileMistake::MissingEnd);
            for nothing in ["", " ", "\n", " \r\n\t\n", "\u{feff}"] {
                mistaken(nothing, FileMistake::Empty);
            }
            for path in ["private.pem", "/etc/keys/private.key", "C:\\keys\\public"] {
                mistaken(path, FileMistake::Path);
            }
            for text in [r#"{"kty":"RSA","n":"AQAB"}"#, r#" {"keys":[]}"#, "[]"] {
                mistaken(text, FileMistake::Jwk);
            }
            for text in ["ssh-rsa AAAAB3NzaC1yc2E", "ecdsa-sha2-nistp256 AAAA", "---- BEGIN SSH2 PUBLIC KEY ----"] {
                mistaken(text, FileMistake::SshPublic);
            }
            mistaken("PuTTY-User-Key-File-3: ssh-rsa\n", FileMistake::Putty);
            mistaken(&b64_standard(der(OPENSSH_PRIVATE)), FileMistake::OpenSsh);
            mistaken("AAAAB3NzaC1yc2EAAAADAQABAAABAQ/x", FileMistake::SshPublic);
            mistaken("AAAAC3NzaC1lZDI1NTE5AAAAIE/x", FileMistake::SshPublic);
            for text in [EC_PUBLIC, ED25519_PUBLIC, EC_PRIVATE] {
                mistaken(&b64_standard(der(text)), FileMistake::Base64);
            }
            mistaken("https://issuer.example/keys.json", FileMistake::NotPem);
            for text in ["x", "secret", "AQAB", "a key, perhaps"] {
                mistaken(text, FileMistake::NotPem);
            }
            mistaken(CERTIFICATE, FileMistake::Certificate);
            mistaken(&CERTIFICATE.replace("CERTIFICATE", "TRUSTED CERTIFICATE"), FileMistake::Certificate);
            mistaken(&CERTIFICATE.replace("CERTIFICATE", "CERTIFICATE REQUEST"), FileMistake::CertificateRequest);
            for label in ["ATTRIBUTE CERTIFICATE", "PKCS7", "DH PARAMETERS", "PGP PUBLIC KEY BLOCK", "", "public key"] {
                mistaken(&pem(label, &der(RSA_PUBLIC)), FileMistake::NotAKey);
            }
            // The error for a reader of public keys does not explain how to read private ones.
            for (text, mistake) in [
                (ENCRYPTED, FileMistake::Encrypted),
                (&ENCRYPTED_OLD.replace("EC PRIVATE", "RSA PRIVATE"), FileMistake::Encrypted),
                (OPENSSH_PRIVATE, FileMistake::OpenSsh),
            ] {
                mistaken_private(text, mistake);
                mistaken_public(text, FileMistake::PrivateKey);
            }
        }

        /// The error for a key of another type where one for RS256 is needed.
        fn no_rsa(key: &'static str) -> KeyError {
            KeyError::WrongKeyType { algorithm: Algorithm::Rs256, key }
        }

        #[test]
        fn each_form_that_is_not_a_der_key_is_named() {
            let wrong = |der: &[u8], mistake: FileMistake| {
                no_key(signing_der(der), &KeyError::File(mistake), mistake.code(), "");
                no_key(verifying_der(der), &KeyError::File(mistake), mistake.code(), "");
            };
            for text in pems() {
                wrong(text.as_bytes(), FileMistake::Pem);
                wrong(format!("\u{feff}{text}").as_bytes(), FileMistake::Pem);
                wrong(b64_standard(&text).as_bytes(), FileMistake::Base64OfPem);
                wrong(b64_standard(der(&text)).as_bytes(), FileMistake::Base64);
                wrong(hex(&der(&text)).as_bytes(), FileMistake::Hex);
            }
            wrong(b"", FileMistake::Empty);
            wrong(b"/etc/keys/key.der", FileMistake::Path);
            wrong(br#"{"kty":"RSA"}"#, FileMistake::Jwk);
            wrong(b"ssh-rsa AAAAB3NzaC1yc2E", FileMistake::SshPublic);
            wrong(&der(OPENSSH_PRIVATE), FileMistake::OpenSsh);
            wrong(b"PuTTY-User-Key-File-2: ssh-ed25519\r\n", FileMistake::Putty);
            wrong(&der(CERTIFICATE), FileMistake::Certificate);
            wrong(&der(include_str!("data/certificate_v1.pem")), FileMistake::Certificate);
            wrong(&der(include_str!("data/certificate_request.pem")), FileMistake::CertificateRequest);
            wrong(&der(ENCRYPTED), FileMistake::Encrypted);
            // PFX: version 3, and the content.
            wrong(&[0x30, 7, 2, 1, 3, 0x30, 2, 5, 0], FileMistake::Pkcs12);
            wrong(&[0x30, 11, 2, 1, 3, 0x30, 2, 5, 0, 0x30, 2, 5, 0], FileMistake::Pkcs12);
            // Another signed structure.
            wrong(&[0x30, 13, 0x30, 3, 2, 1, 0, 0x30, 2, 5, 0, 3, 2, 0, 1], FileMistake::NotAKey);
            for text in [EC_SEC1, EC_PRIVATE] {
                no_key(signing_der(&der(text)), &no_rsa("P-256"), "wrong_key_type", text);
            }
            let unsupported = KeyError::UnsupportedKeyType;
            no_key(signing_der(&der(X25519_PRIVATE)), &unsupported, "unsupported_key_type", X25519_PRIVATE);
        }

        #[test]
        fn a_private_key_with_more_or_fewer_numbers_is_named() {
            let numbers = |numbers: &[u8]| [&[0x30, u8::try_from(numbers.len()).unwrap()], numbers].concat();
            let two = [2, 1, 0, 2, 1, 5, 2, 1, 3, 2, 1, 7, 2, 1, 5, 2, 1, 7, 2, 1, 1, 2, 1, 1, 2, 1, 1];
            let refused = |der: &[u8], mistake: FileMistake| {
                no_key(signing_der(der), &KeyError::File(mistake), mistake.code(), "");
                no_key(signing(&pem("RSA PRIVATE KEY", der)), &KeyError::File(mistake), mistake.code(), "");
            };
            refused(&three_primes(), FileMistake::MultiPrime);
            refused(&without_primes(), FileMistake::MissingNumbers);
            for missing in [8, 14, 17, 20, 23, 26] {
                let mut without = two;
                without[missing] = 0;
                refused(&numbers(&without), FileMistake::MissingNumbers);
            }
        }

        #[test]
        fn broken_base64_in_a_pem_is_named() {
            let [pkcs8, pkcs1, spki, pkcs1_public] = pems();
            let broken = |text: &str| {
                let middle = text.find('\n').unwrap() + 20;
                ["!", "=", "-", "_", "é", "\0"]
                    .map(|symbol| format!("{}{symbol}{}", &text[..middle], &text[middle + 1..]))
            };
            for text in [pkcs8, pkcs1].iter().flat_map(|text| broken(text)) {
                mistaken_private(&text, FileMistake::BrokenBase64);
            }
            for text in [spki, pkcs1_public].iter().flat_map(|text| broken(text)) {
                mistaken_public(&text, FileMistake::BrokenBase64);
            }
        }

        #[test]
        fn a_pem_with_different_labels_makes_no_key() {
            let text = RSA_PUBLIC.replace("END PUBLIC", "END PRIVATE");
            mistaken_public(&text, FileMistake::LabelMismatch);
            let text = RSA_PRIVATE.replace("BEGIN PRIVATE", "BEGIN RSA PRIVATE");
            mistaken_private(&text, FileMistake::LabelMismatch);
        }

        #[test]
        fn a_key_for_another_algorithm_is_named() {
            let unsupported =
                |made, text: &str| no_key(made, &KeyError::UnsupportedKeyType, "unsupported_key_type", text);
            let wrong = |made, text: &str| {
                let key = if text == ED25519_PUBLIC { "Ed25519" } else { "P-256" };
                no_key(made, &no_rsa(key), "wrong_key_type", text);
            };
            no_key(verifying(PSS_PUBLIC), &pss_only(), "restricted_key", PSS_PUBLIC);
            no_key(verifying_der(&der(PSS_PUBLIC)), &pss_only(), "restricted_key", PSS_PUBLIC);
            for text in [EC_PUBLIC, ED25519_PUBLIC] {
                wrong(verifying(text).map(|_| ()), text);
                wrong(verifying_any_exponent(text).map(|_| ()), text);
                wrong(verifying_der(&der(text)).map(|_| ()), text);
            }
            wrong(signing(EC_PRIVATE).map(|_| ()), EC_PRIVATE);
            wrong(signing(EC_SEC1).map(|_| ()), EC_SEC1);
            let dsa = DSA_PRIVATE;
            unsupported(signing(dsa).map(|_| ()), dsa);
            unsupported(signing_der(&der(dsa)).map(|_| ()), dsa);
            unsupported(verifying(X25519_PUBLIC).map(|_| ()), X25519_PUBLIC);
            unsupported(signing(X25519_PRIVATE).map(|_| ()), X25519_PRIVATE);
            mistaken_public(dsa, FileMistake::PrivateKey);
            wrong(signing_der(&der(EC_PRIVATE)).map(|_| ()), EC_PRIVATE);
        }

        /// RFC 8017 appendix A.1 asks for NULL. Go and others have left it out.
        #[test]
        fn the_parameters_of_an_rsa_key_are_null_or_left_out() {
            let (private, public) = (der(RSA_PRIVATE), der(RSA_PUBLIC));
            let oid = &public[6..17];
            for (parameters, is_read) in [
                (&[5, 0][..], true),
                (&[], true),
                (&[5, 1, 0], false),
                (oid, false),
                (&[0x30, 0], false),
                (&[2, 1, 0], false),
            ] {
                let algorithm = tlv(0x30, &[oid, parameters].concat());
                let public = tlv(0x30, &[&algorithm[..], &public[19..]].concat());
                let private = tlv(0x30, &[&[2, 1, 0][..], &algorithm, &private[22..]].concat());
                if is_read {
                    pair(&signing_der(&private).unwrap(), &verifying_der(&public).unwrap());
                } else {
                    let error = KeyError::File(FileMistake::RsaParameters);
                    no_key(signing_der(&private), &error, "rsa_parameters", "");
                    no_key(verifying_der(&public), &error, "rsa_parameters", "");
                }
            }
        }

        #[test]
        fn der_that_is_cut_or_stretched_makes_no_key() {
            for text in pems() {
                let whole = der(&text);
                for length in 1..whole.len() {
                    assert_eq!(signing_der(&whole[..length]).unwrap_err(), KeyError::MalformedKey, "{length}");
                    assert_eq!(
                        verifying_der(&whole[..length]).unwrap_err(),
                        KeyError::MalformedKey,
                        "{length}"
                    );
                }
                let longer = [&whole[..], &[0]].concat();
                assert_eq!(signing_der(&longer).unwrap_err(), KeyError::MalformedKey);
                assert_eq!(verifying_der(&longer).unwrap_err(), KeyError::MalformedKey);
            }
            for garbage in
                [&[0][..], &[0x30], &[0x30, 0x80, 0, 0], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0xff; 300]]
            {
                assert_eq!(signing_der(garbage).unwrap_err(), KeyError::MalformedKey);
                assert_eq!(verifying_der(garbage).unwrap_err(), KeyError::MalformedKey);
            }
        }

        #[test]
        fn a_changed_byte_of_der_makes_no_key_or_another_one_and_never_a_bad_signature() {
            let public = der(RSA_PUBLIC);
            let token = token_of(&rsa_signing_key());
            for place in 0..public.len() {
                let mut changed = public.clone();
                changed[place] ^= 0x11;
                if let Ok(key) = verifying_der(&changed) {
                    // Two spellings of one key make the same key.
                    let same = key.public_key().unwrap().to_pem().unwrap() == RSA_PUBLIC;
                    let refused = open().with_keys(key).at(NOW).verify::<()>(&token).err();
                    assert_eq!(refused, (!same).then_some(VerifyError::InvalidSignature), "{place}");
                }
            }
            // Checking the numbers of a private key is slow, so try only one place in each of them.
            let private = der(RSA_PRIVATE);
            for place in (0..private.len()).step_by(61) {
                let mut changed = private.clone();
                changed[place] ^= 0x11;
                if let Ok(key) = signing_der(&changed) {
                    pair(&key, &key.verifying_key());
                }
            }
        }

        #[test]
        fn numbers_that_do_not_belong_together_make_no_private_key() {
            let private = der(RSA_PRIVATE);
            // Offsets in this PKCS#8 file of a byte within each number.
            for (what, place) in [
                ("n", 201),
                ("d", 400),
                ("p", 620),
                ("q", 750),
                ("d mod p-1", 900),
                ("d mod q-1", 1000),
                ("1/q mod p", 1150),
            ] {
                let mut changed = private.clone();
                changed[place] ^= 2;
                assert_eq!(signing_der(&changed).unwrap_err(), KeyError::MalformedKey, "{what}");
            }
        }

        /// RFC 8017 section 3.2: d is less than n. A d that is longer by the order of the group signs the same.
        #[test]
        fn a_private_exponent_that_is_too_long_makes_no_key() {
            let file = der(include_str!("data/rsa_2048_long_exponent.pem"));
            assert_eq!(signing_der(&file).unwrap_err(), KeyError::MalformedKey);
        }

        #[test]
        fn keys_outside_of_2048_to_8192_bits_are_refused_by_their_bits() {
            let small = |bits| KeyError::ModulusTooSmall { bits, minimum: 2048 };
            let too_small = |made, bits| no_key(made, &small(bits), "modulus_too_small", "");
            too_small(verifying(RSA_1024_PUBLIC).map(|_| ()), 1024);
            too_small(verifying_der(&der(RSA_1024_PUBLIC)).map(|_| ()), 1024);
            too_small(verifying_any_exponent(RSA_1024_PUBLIC).map(|_| ()), 1024);
            too_small(verifying(RSA_2047_PUBLIC).map(|_| ()), 2047);
            too_small(signing(RSA_1024_PRIVATE).map(|_| ()), 1024);
            too_small(signing_der(&der(RSA_1024_PRIVATE)).map(|_| ()), 1024);
            let huge = verifying_of(&[0xff; 1025], &[1, 0, 1]);
            no_key(huge, &KeyError::ModulusTooLarge { bits: 8200, limit: 8192 }, "modulus_too_large", "");
        }

        #[test]
        fn a_key_of_8192_bits_verifies() {
            let verifier = open().with_keys(verifying(RSA_8192_PUBLIC).unwrap());
            let input = format!("{}.{}", b64(r#"{"alg":"RS256","typ":"JWT"}"#), b64(r#"{"exp":1700000900}"#));
            assert_accepted(&verifier, &format!("{input}.{RSA_8192_SIGNATURE}"));
            let other = format!("{input}.A{}", &RSA_8192_SIGNATURE[1..]);
            assert_eq!(refusal(&verifier, &other), VerifyError::InvalidSignature);
        }

        /// The power is computed in words of 64 bits. Here the first word is not full.
        #[test]
        fn a_key_of_a_length_other_than_whole_bytes_signs_and_verifies() {
            let pem = include_str!("data/rsa_2050.pem");
            if !takes(&PrivateKey::from_pem(pem).unwrap().public_key().unwrap()) {
                return no_key(signing(pem), &KeyError::UnsupportedByBackend, "unsupported_by_backend", pem);
            }
            let signer = signing(pem).unwrap();
            pair(&signer, &signer.verifying_key());
            let token = token_of(&signer);
            let (input, signature) = token.rsplit_once('.').unwrap();
            let mut signature = util::unb64(signature);
            assert_eq!(signature.len(), 257);
            // The last byte of the number, and the first.
            for place in [256, 0] {
                signature[place] ^= 1;
                let changed = format!("{input}.{}", b64(&signature));
                let verifier = open().with_keys(signer.verifying_key());
                assert_eq!(refusal(&verifier, &changed), VerifyError::InvalidSignature);
                signature[place] ^= 1;
            }
        }

        #[test]
        fn an_exponent_other_than_65537_must_be_allowed() {
            no_key(signing(RSA_EXPONENT_3), &KeyError::Exponent, "exponent", RSA_EXPONENT_3);
            no_key(signing_der(&der(RSA_EXPONENT_3)), &KeyError::Exponent, "exponent", RSA_EXPONENT_3);
            let signer = signing_any_exponent(RSA_EXPONENT_3).unwrap();
            let public = signer.verifying_key().public_key().unwrap().to_pem().unwrap();
            no_key(verifying(&public), &KeyError::Exponent, "exponent", &public);
            no_key(verifying_der(&der(&public)), &KeyError::Exponent, "exponent", &public);
            pair(&signer, &verifying_any_exponent(&public).unwrap());
            // The usual exponent is allowed, too.
            verifying_any_exponent(RSA_PUBLIC).unwrap();
            signing_any_exponent(RSA_PRIVATE).unwrap();
        }

        #[test]
        fn the_id_of_an_rsa_key_follows_it_to_its_public_half() {
            let named = rsa_signing_key().with_key_id("2026-11").unwrap();
            assert_eq!(named.verifying_key().key_id(), Some("2026-11"));
            pair(&named, &named.verifying_key());
            pair(&named, &rsa_verifying_key());
            let other = rsa_verifying_key().with_key_id("2025").unwrap();
            assert_eq!(refusal(&open().with_keys(other), &token_of(&named)), VerifyError::UnknownKey);
            for key_id in ["", &"k".repeat(1025)] {
                no_key(rsa_signing_key().with_key_id(key_id), &KeyError::InvalidKeyId, "invalid_key_id", key_id);
                no_key(
                    rsa_verifying_key().with_key_id(key_id),
                    &KeyError::InvalidKeyId,
                    "invalid_key_id",
                    key_id,
                );
            }
        }

        // ---- other tests of RSA ----

        #[test]
        fn a_signature_from_elsewhere_is_checked_before_it_is_returned() {
            let external = Identity::new(Algorithm::Rs256).with_key_id("k").unwrap();
            let prepare = || Claims::registered().never_expires().prepare(&external).unwrap();
            let signature = rsa_signing_key().sign_bytes(prepare().signing_input()).unwrap();
            let text = prepare().finish_checked(signature.as_bytes(), &rsa_verifying_key()).unwrap();
            assert_accepted(&open().with_keys(rsa_verifying_key().with_key_id("k").unwrap()), &text);
            let failed =
                |signature: &[u8], key: &dyn VerifyKey| prepare().finish_checked(signature, key).unwrap_err();
            assert_eq!(failed(&[0; 256], &rsa_verifying_key()), SignError::SigningFailed);
            assert_eq!(failed(signature.as_bytes(), &key()), SignError::SigningFailed);
            for bytes in [0, 32, 255, 1025] {
                let error = prepare().finish(&vec![0; bytes]).unwrap_err();
                assert_eq!(error, SignError::SignatureLength { algorithm: Algorithm::Rs256, bytes });
            }
        }

        #[test]
        fn a_set_of_both_algorithms_finds_the_only_key_of_each() {
            let mut keys = KeySet::new();
            keys.insert(rsa_verifying_key()).unwrap();
            keys.insert(key()).unwrap();
            assert_eq!(keys.len(), 2);
            let verifier = open().with_keys(keys.clone());
            assert_accepted(&verifier, &token_of(&rsa_signing_key()));
            assert_accepted(&verifier, &token_of(&key()));
            assert!(keys.remove(Algorithm::Hs256, None));
            let verifier = open().with_keys(keys);
            assert_accepted(&verifier, &token_of(&rsa_signing_key()));
            assert_eq!(refusal(&verifier, &token_of(&key())), VerifyError::UnknownKey);
        }

        #[test]
        fn no_debug_text_of_an_rsa_key_shows_its_numbers() {
            let named = rsa_signing_key().with_key_id("the-key").unwrap();
            let shown = [
                format!("{named:?}\n{named:#?}"),
                format!("{:?}", named.verifying_key()),
                format!("{:?}", PrivateKey::from_pem(RSA_PRIVATE).unwrap()),
                format!("{:?}", PrivateKey::from_pem(RSA_PRIVATE).unwrap().to_secret_pem().unwrap()),
                format!("{:?}", open().with_keys(named.verifying_key())),
            ];
            let numbers = format!("{:?}", der(RSA_PRIVATE));
            let hex: String = der(RSA_PRIVATE).iter().map(|byte| format!("{byte:02X}")).collect();
            assert_hides(&shown, &[RSA_PRIVATE, RSA_PUBLIC, &numbers, &hex, &hex.to_lowercase()]);
            let [signing, verifying] =
                ["SigningKey", "VerifyingKey"].map(|name| format!(r#"{name} {{ algorithm: Rs256, kid: Some("the-key"), .. }}"#));
            assert_eq!(shown[0].lines().next(), Some(&signing[..]));
            assert_eq!(shown[1], verifying);
        }
    }

    /// What makes keys of a backend by its name: whether it takes the RSA key, the key that signs, and the key that verifies.
    #[cfg(feature = "rsa")]
    type Backend = (
        &'static str,
        fn(&PublicKey) -> bool,
        fn(&PrivateKey) -> Result<SigningKey, KeyError>,
        fn(&PublicKey) -> Result<VerifyingKey, KeyError>,
    );

    #[cfg(feature = "rsa")]
    const BACKENDS: &[Backend] = &[
        ("pure", util::pure::takes, util::pure::signs, util::pure::verifies),
        #[cfg(feature = "aws-lc-rs")]
        ("aws_lc", util::aws_lc::takes, util::aws_lc::signs, util::aws_lc::verifies),
        #[cfg(feature = "graviola")]
        ("graviola", util::graviola::takes, util::graviola::signs, util::graviola::verifies),
    ];

    #[cfg(feature = "rsa")]
    #[test]
    fn each_backend_signs_what_each_other_verifies_and_to_the_same_bytes() {
        for pem in [
            RSA_PRIVATE,
            RSA_EXPONENT_3,
            RSA_SMALLER_PRIME_FIRST,
            include_str!("data/rsa_2050.pem"),
            include_str!("data/rsa_2112.pem"),
            include_str!("data/rsa_3072.pem"),
            include_str!("data/rsa_4096.pem"),
            include_str!("data/rsa_2048_8589934591.pem"),
        ] {
            let private = PrivateKey::from_pem(pem).unwrap().any_exponent();
            let public = private.public_key().unwrap();
            let expected = token_of(&util::pure::signs(&private).unwrap());
            for (name, takes, signs, verifies) in BACKENDS {
                if takes(&public) {
                    let signer = signs(&private).unwrap();
                    assert_eq!(token_of(&signer), expected, "{name}");
                    assert!(signer.verifying_key().public_key() == Some(&public), "{name}");
                    assert_accepted(&open().with_keys(verifies(&public).unwrap()), &expected);
                } else {
                    no_key(signs(&private), &KeyError::UnsupportedByBackend, "unsupported_by_backend", pem);
                    no_key(verifies(&public), &KeyError::UnsupportedByBackend, "unsupported_by_backend", pem);
                }
            }
        }
        let mut keys = KeySet::new();
        let public = PublicKey::from_pem(RSA_PUBLIC).unwrap();
        for (name, _, _, verifies) in BACKENDS {
            keys.insert(verifies(&public).unwrap().with_key_id(*name).unwrap()).unwrap();
        }
        let verifier = open().with_keys(keys);
        let private = PrivateKey::from_pem(RSA_PRIVATE).unwrap();
        for (name, ..) in BACKENDS {
            for (_, _, signs, _) in BACKENDS {
                assert_accepted(&verifier, &token_of(&signs(&private).unwrap().with_key_id(*name).unwrap()));
            }
        }
    }

    /// RFC 8017 does not say which prime comes first. graviola 0.4.4 computes a wrong signature for every fourth message if the
    /// first one is half as large as the second one.
    #[cfg(feature = "rsa")]
    #[test]
    fn a_key_with_its_smaller_prime_first_signs_every_message() {
        let private = PrivateKey::from_pem(RSA_SMALLER_PRIME_FIRST).unwrap();
        for (name, _, signs, verifies) in BACKENDS {
            let signer = signs(&private).unwrap();
            let verifier = verifies(&private.public_key().unwrap()).unwrap();
            for message in 0..50_u8 {
                let signature = signer.sign_bytes(&[message]).expect(name);
                assert_eq!(verifier.verify_bytes(&[message], signature.as_bytes()), Ok(()), "{name}");
            }
        }
    }

    /// The library python-rsa makes such keys: 1088 and 960 bits.
    #[cfg(feature = "rsa")]
    #[test]
    fn primes_of_different_lengths_are_named_by_the_backend_that_refuses_them() {
        let pems = [
            include_str!("data/rsa_2048_primes_1088_960.pem"),
            include_str!("data/rsa_2048_primes_1025_1023.pem"),
        ];
        for text in pems {
            for pem in [text, &pem("RSA PRIVATE KEY", &der(text)[26..])] {
                no_key(util::pure::signing(pem), &KeyError::UnequalPrimes, "unequal_primes", pem);
                let public = PrivateKey::from_pem(pem).unwrap().public_key().unwrap().to_pem().unwrap();
                util::pure::verifying(&public).unwrap();
                #[cfg(feature = "aws-lc-rs")]
                pair(&util::aws_lc::signing(pem).unwrap(), &util::pure::verifying(&public).unwrap());
                #[cfg(feature = "graviola")]
                {
                    no_key(util::graviola::signing(pem), &KeyError::UnequalPrimes, "unequal_primes", pem);
                    util::graviola::verifying(&public).unwrap();
                }
            }
        }
    }

    #[cfg(feature = "graviola")]
    #[test]
    fn graviola_names_the_rsa_keys_that_it_does_not_take() {
        let refused = |private: PrivateKey, algorithm| {
            use countersign::graviola;
            let signing = graviola::signing_key(&private, algorithm);
            no_key(signing, &KeyError::UnsupportedByBackend, "unsupported_by_backend", "");
            let verifying = graviola::verifying_key(&private.public_key().unwrap(), algorithm);
            no_key(verifying, &KeyError::UnsupportedByBackend, "unsupported_by_backend", "");
        };
        for pem in [
            include_str!("data/rsa_2049.pem"),
            include_str!("data/rsa_2050.pem"),
            include_str!("data/rsa_2056.pem"),
            include_str!("data/rsa_2064.pem"),
            include_str!("data/rsa_2048_8589934591.pem"),
        ] {
            for algorithm in [Algorithm::Rs256, Algorithm::Rs512, Algorithm::Ps256, Algorithm::Ps512] {
                refused(PrivateKey::from_pem(pem).unwrap().any_exponent(), algorithm);
            }
        }
        // 33 words, in which each prime has half a word.
        let signer = util::graviola::signing(include_str!("data/rsa_2112.pem")).unwrap();
        pair(&signer, &signer.verifying_key());
        // An exponent of 2^32 - 1, with a modulus of another key.
        let (modulus, _) = PublicKey::from_pem(RSA_PUBLIC).unwrap().modulus_and_exponent().unwrap();
        assert!(util::graviola::verifying_of_any_exponent(&modulus, &[0xff; 4]).is_ok());
        let error = util::graviola::verifying_of_any_exponent(&modulus, &[1, 0, 0, 0, 1]).unwrap_err();
        assert_eq!(error, KeyError::UnsupportedByBackend);
    }

    /// A debug build of graviola denies an instruction that this variable names. This test runs itself with it.
    #[cfg(all(feature = "graviola", target_arch = "x86_64", debug_assertions))]
    #[test]
    fn graviola_makes_no_key_on_a_cpu_without_its_instructions() {
        use countersign::graviola;
        const VARIABLE: &str = "GRAVIOLA_CPU_DISABLE_adx";
        let private = PrivateKey::from_pem(RSA_PRIVATE).unwrap();
        let public = private.public_key().unwrap();
        if std::env::var_os(VARIABLE).is_none() {
            assert!(graviola::signing_key(&private, Algorithm::Rs256).is_ok());
            let name = "rsa::graviola_makes_no_key_on_a_cpu_without_its_instructions";
            let again = std::process::Command::new(std::env::current_exe().unwrap())
                .args(["--exact", name])
                .env(VARIABLE, "1")
                .output()
                .unwrap();
            let output = String::from_utf8_lossy(&again.stdout);
            assert!(again.status.success() && output.contains("1 passed"), "{output}");
            return;
        }
        let unsupported = |error| assert_eq!(error, KeyError::CpuUnsupported);
        for algorithm in [Algorithm::Rs256, Algorithm::Es256, Algorithm::Ed25519] {
            unsupported(graviola::signing_key(&private, algorithm).unwrap_err());
            unsupported(graviola::verifying_key(&public, algorithm).unwrap_err());
        }
        no_key(graviola::generate_rsa(2048), &KeyError::CpuUnsupported, "cpu_unsupported", "");
    }

    #[cfg(feature = "graviola")]
    #[test]
    fn graviola_generates_keys_of_the_lengths_it_has() {
        use countersign::graviola;
        let generated = graviola::generate_rsa(2048).unwrap();
        let stored = generated.to_secret_pem().unwrap();
        let stored = PrivateKey::from_pem(stored.expose_secret_text().unwrap()).unwrap();
        assert!(stored.public_key() == generated.public_key());
        for (_, key) in util::rsa_verifiers(&generated.public_key().unwrap(), Algorithm::Rs256) {
            pair(&util::graviola::signs(&stored).unwrap(), &key);
        }
        for (bits, error) in [
            (0, KeyError::ModulusTooSmall { bits: 0, minimum: 2048 }),
            (2047, KeyError::ModulusTooSmall { bits: 2047, minimum: 2048 }),
            (2112, KeyError::UnsupportedByBackend),
            (8193, KeyError::ModulusTooLarge { bits: 8193, limit: 8192 }),
        ] {
            assert_eq!(graviola::generate_rsa(bits).unwrap_err(), error);
        }
    }

    #[cfg(feature = "aws-lc-rs")]
    #[test]
    fn aws_lc_generates_keys_of_the_lengths_it_has() {
        use countersign::aws_lc;
        let generated = aws_lc::generate_rsa(2048).unwrap();
        let stored = generated.to_secret_pem().unwrap();
        let stored = PrivateKey::from_pem(stored.expose_secret_text().unwrap()).unwrap();
        assert!(stored.public_key() == generated.public_key());
        let [generated, stored] =
            [generated, stored].map(|key| aws_lc::signing_key(&key, Algorithm::Rs256).unwrap());
        pair(&stored, &generated.verifying_key());
        pair(&generated, &util::aws_lc::verifies(stored.verifying_key().public_key().unwrap()).unwrap());
        for (bits, error) in [
            (0, KeyError::ModulusTooSmall { bits: 0, minimum: 2048 }),
            (2047, KeyError::ModulusTooSmall { bits: 2047, minimum: 2048 }),
            (2049, KeyError::UnsupportedByBackend),
            (4097, KeyError::UnsupportedByBackend),
            (8193, KeyError::ModulusTooLarge { bits: 8193, limit: 8192 }),
            (usize::MAX, KeyError::ModulusTooLarge { bits: usize::MAX, limit: 8192 }),
        ] {
            assert_eq!(aws_lc::generate_rsa(bits).unwrap_err(), error);
        }
    }

    // ---- randomness ----

    #[cfg(feature = "rsa")]
    mod randomness {
        use super::*;
        use std::sync::LazyLock;
        use util::pure::*;

        /// Generated once, because it is slow.
        static GENERATED: LazyLock<(PrivateKey, Watched)> = LazyLock::new(|| {
            let watched = Watched::default();
            (PrivateKey::generate_rsa_with(2048, &watched).unwrap(), watched)
        });

        #[test]
        fn a_generated_key_pair_works_and_can_be_stored() {
            let (private, _) = &*GENERATED;
            let generated = &signs(private).unwrap();
            pair(generated, &generated.verifying_key());
            let stored = private.to_secret_pem().unwrap();
            let stored = signing(core::str::from_utf8(stored.expose_secret()).unwrap()).unwrap();
            pair(&stored, &generated.verifying_key());
            pair(&stored, &verifying(&private.public_key().unwrap().to_pem().unwrap()).unwrap());
            assert_eq!(
                refusal(&open().with_keys(rsa_verifying_key()), &token_of(generated)),
                VerifyError::InvalidSignature
            );
        }

        #[test]
        fn making_a_key_draws_32_bytes() {
            let (_, watched) = &*GENERATED;
            let [times, bytes] = watched.asked();
            assert!(times >= 1 && bytes == 32 * times);
        }

        #[test]
        fn a_length_that_is_not_allowed_is_refused_before_anything_is_drawn() {
            let watched = Watched::default();
            for bits in [0, 1, 512, 1024, 2047] {
                let small = KeyError::ModulusTooSmall { bits, minimum: 2048 };
                no_key(PrivateKey::generate_rsa_with(bits, &watched), &small, "modulus_too_small", "");
            }
            for bits in [8193, 16_384, usize::MAX] {
                let large = KeyError::ModulusTooLarge { bits, limit: 8192 };
                no_key(PrivateKey::generate_rsa_with(bits, &watched), &large, "modulus_too_large", "");
            }
            assert_eq!(watched.asked(), [0, 0]);
        }

        #[test]
        fn randomness_that_fails_makes_no_key_pair_and_no_signature() {
            no_key(PrivateKey::generate_rsa_with(2048, &Failing), &KeyError::Entropy, "entropy", "");
            // Reading a key needs no randomness; signing does.
            let key = PrivateKey::from_pem(RSA_PRIVATE).unwrap().rs256_with(Failing).unwrap();
            let error = Claims::registered().never_expires().sign(&key).unwrap_err();
            assert_eq!((error.code(), error), ("entropy", SignError::Entropy));
            assert_eq!(jws::Payload::new("x").sign(&key).unwrap_err(), SignError::Entropy);
            assert_eq!(key.sign_bytes(b"x").unwrap_err(), SignError::Entropy);
        }

        #[test]
        fn constant_randomness_neither_hangs_nor_changes_a_signature() {
            let token = token_of(&rsa_signing_key());
            for byte in [0, 0xff] {
                let key = PrivateKey::from_pem(RSA_PRIVATE).unwrap().rs256_with(Constant(byte)).unwrap();
                // RS256 has one signature for each message, independent of blinding.
                assert_eq!(token_of(&key), token);
            }
        }

        #[cfg(feature = "getrandom")]
        #[test]
        fn the_systems_randomness_signs_the_same() {
            for key in [
                PrivateKey::from_pem(RSA_PRIVATE).and_then(|key| key.rs256()),
                PrivateKey::from_pem(RSA_PRIVATE).and_then(|key| key.any_exponent().rs256()),
                PrivateKey::from_der(&der(RSA_PRIVATE)).and_then(|key| key.rs256()),
            ] {
                assert_eq!(token_of(&key.unwrap()), token_of(&rsa_signing_key()));
            }
            let signer = PrivateKey::from_pem(RSA_EXPONENT_3).unwrap().any_exponent().rs256().unwrap();
            assert_eq!(token_of(&signer), token_of(&signing_any_exponent(RSA_EXPONENT_3).unwrap()));
        }
    }

    /// Its second prime is nearly twice the first one.
    #[cfg(feature = "rsa")]
    const RSA_SMALLER_PRIME_FIRST: &str = include_str!("data/rsa_2048_smaller_prime_first.pem");

    // ---- key files, each made once by OpenSSL 3.0 or OpenSSH as its comment says ----

    /// `openssl ecparam -genkey -name prime256v1`, `openssl ec -pubout`.
    const EC_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeSP3efo+ICshOAkK/nF9Sqi5ygyl\n\
wYd3S5hPSjLcKqQMv7r5Kku3j5zdhdkncYqfpt+L5PyzcwWRjgZd17f0cQ==\n\
-----END PUBLIC KEY-----\n";

    /// Its private half: `openssl pkcs8 -topk8 -nocrypt`.
    const EC_PRIVATE: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRyxVQF/z20jYnIqt\n\
1wuZvm5OJ6Vo402N4vpP0C5bLNyhRANCAAR5I/d5+j4gKyE4CQr+cX1KqLnKDKXB\n\
h3dLmE9KMtwqpAy/uvkqS7ePnN2F2Sdxip+m34vk/LNzBZGOBl3Xt/Rx\n\
-----END PRIVATE KEY-----\n";

    /// The same key as written by `openssl ecparam`.
    const EC_SEC1: &str = "\
-----BEGIN EC PRIVATE KEY-----\n\
MHcCAQEEIEcsVUBf89tI2JyKrdcLmb5uTielaONNjeL6T9AuWyzcoAoGCCqGSM49\n\
AwEHoUQDQgAEeSP3efo+ICshOAkK/nF9Sqi5ygylwYd3S5hPSjLcKqQMv7r5Kku3\n\
j5zdhdkncYqfpt+L5PyzcwWRjgZd17f0cQ==\n\
-----END EC PRIVATE KEY-----\n";

    /// The same key as written by `openssl pkcs8 -topk8 -passout pass:secret`.
    const ENCRYPTED: &str = "\
-----BEGIN ENCRYPTED PRIVATE KEY-----\n\
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAh/l0NNapFwwgICCAAw\n\
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEE2A27RoZB/PInyuvS4IsFwEgZBW\n\
F0M3h/Gf5OrDX5YuI/LuYGvt8GD3Ovzs6QgTXjRCVj+s8426Ut/x+w8xDLoaQHD0\n\
mylnibAw6KfYLcYUTNl1yTFdYxJ8wUvsKyc+Ua6ciWvYKtFGVtV6VR+gdqhcKtQ9\n\
UEL4u458sXXq38izJjghLsePEclNC0mfJows5jv89m9wDkjJzt0LlOBAYazelrc=\n\
-----END ENCRYPTED PRIVATE KEY-----\n";

    /// The same key as written by `openssl ec -aes128 -passout pass:secret`.
    const ENCRYPTED_OLD: &str = "\
-----BEGIN EC PRIVATE KEY-----\n\
Proc-Type: 4,ENCRYPTED\n\
DEK-Info: AES-128-CBC,3A26BDEDA1B86500094E35DAC58FEC0A\n\
\n\
ks6p8PbnPS+aMKa8F4+/oqT6KtPP/01z9WzbkzTUB45l88qQ1yzstRuSlhxRWZmb\n\
sZjfD7dizzlkF/A02NNtfzfU9NYoQ9ZC52ulNqcgxZFpzzM1f8Lxwzm4gkGWBOtt\n\
Jk3vg7oudDMx/zcmhBfnnkglyFRu4KHhdAaXI8dQ5/w=\n\
-----END EC PRIVATE KEY-----\n";

    /// A certificate of it by `openssl req -x509 -subj /CN=t`.
    const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBbzCCARWgAwIBAgIUWfUeNN/otxIaKH7ldTI1ZKBfU4owCgYIKoZIzj0EAwIw\n\
DDEKMAgGA1UEAwwBdDAgFw0yNjExMjEyMzQwMjBaGA8yMTI2MTAyODIzNDAyMFow\n\
DDEKMAgGA1UEAwwBdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABHkj93n6PiAr\n\
ITgJCv5xfUqoucoMpcGHd0uYT0oy3CqkDL+6+SpLt4+c3YXZJ3GKn6bfi+T8s3MF\n\
kY4GXde39HGjUzBRMB0GA1UdDgQWBBSqYpj9v4jKUknyqMMInCtuxNis/zAfBgNV\n\
HSMEGDAWgBSqYpj9v4jKUknyqMMInCtuxNis/zAPBgNVHRMBAf8EBTADAQH/MAoG\n\
CCqGSM49BAMCA0gAMEUCIQDme83iQMZmTuPlnrZKGDkY4NrtuM+a7hng/4BmEX2n\n\
+QIgfzjoD9zq34hTDdNgadZfTXLj2xP8JBpSrTk+/ARKnuA=\n\
-----END CERTIFICATE-----\n";

    /// `openssl genpkey -algorithm ed25519`, `openssl pkey -pubout`.
    const ED25519_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MCowBQYDK2VwAyEA4rch1xii0qT4lHFwf88quN8xPc9kCLGLF1AtTzn0AtI=\n\
-----END PUBLIC KEY-----\n";

    const DSA_PRIVATE: &str = include_str!("data/dsa_1024.pem");

    /// `openssl genpkey -algorithm x25519`, `openssl pkey -pubout`.
    const X25519_PRIVATE: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MC4CAQAwBQYDK2VuBCIEIEidd/TS0MiKy03QssbFgw08WOqAJtghrCU+UOn7hsNf\n\
-----END PRIVATE KEY-----\n";
    const X25519_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MCowBQYDK2VuAyEApDwU9ALiCTZidc17kpl8MqFUZbLqJA/VqHZjW8AhIz0=\n\
-----END PUBLIC KEY-----\n";

    /// `ssh-keygen -t ed25519`.
    const OPENSSH_PRIVATE: &str = "\
-----BEGIN OPENSSH PRIVATE KEY-----\n\
b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\n\
QyNTUxOQAAACDZ13vKJRHGF884Mb7w99Qjer7RbztJePAujHsSnUwPAgAAAIhdEueRXRLn\n\
kQAAAAtzc2gtZWQyNTUxOQAAACDZ13vKJRHGF884Mb7w99Qjer7RbztJePAujHsSnUwPAg\n\
AAAEBfZAulLKJRcytFMROE3fnMUxjhEv7Lo8j6c8Z4rNZW1dnXe8olEcYXzzgxvvD31CN6\n\
vtFvO0l48C6MexKdTA8CAAAAAWMBAgME\n\
-----END OPENSSH PRIVATE KEY-----\n";

    /// `openssl genpkey -algorithm rsa-pss -pkeyopt rsa_keygen_bits:2048`, `openssl pkey -pubout`.
    const PSS_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MIIBIDALBgkqhkiG9w0BAQoDggEPADCCAQoCggEBAMdWCaruUg17anHXQSGykTJf\n\
H5jYfF8X/1C7RO8482uvu1/inOPKmfUwu0M4lQB2c4GEZcZQ2SkkZfn4G6ql1ACm\n\
36zgAr/LqCOFYntHzMihsCzLDDpTCnUKGICBnFUcP0eSWYfwg1ZV+WgydR1kMvm1\n\
AEsvTsdeI9lOmY27FrTcXoFNyGv/0dzWiFn5zfxB41woPGVny3FfYM9074zXBsrC\n\
mvhMGeI9/FC37wOG+mzHkYEOxs+ypvev96rSU1mlGxBoclinyeSZ1dC69mT3dtHL\n\
mLGuM7VVEB6e0ifPPVOmM2e9TBBY5m+P9i4hstC3R9C2sa4/C6Lpk6ASgb+fD3sC\n\
AwEAAQ==\n\
-----END PUBLIC KEY-----\n";

    /// `openssl genrsa 1024`, `openssl rsa -pubout`.
    const RSA_1024_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC1TNBUHUIOc8VFv9es5FhZZD7R\n\
HwKFxlY8uUi+a0UBeq9BPYty5JEU5oJxfg5Ts9g6QguftLper5arhLMPZ+htStZU\n\
ICR4In6RMOzBThwgFLCOcSHtKETaWLx1Yqa40RDrwF80/hEYnvkoZi2s3fsNhdSR\n\
MBNsjyvPhDvlhNiKhQIDAQAB\n\
-----END PUBLIC KEY-----\n";

    /// `openssl genrsa 1024`, another one.
    const RSA_1024_PRIVATE: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBAMq4eAKi2QtdMLY6\n\
SzULl0RXqF1O2izJM5LZ6iTQQxEvca5WA8JKBfDZsIO/endms0MaaB+cdK7V2TKn\n\
5zEXrg7N66Kf8aCF9gTLc9UF8zFXBJFPxK9L847vGonAi/CS9zVHPuywpGNAHy5j\n\
SunSXdZG9nQLqv6kYUgXh6Tk0LZlAgMBAAECgYAhwAqC7dfS04YLoLLqtu5NO4bV\n\
Wg5qzGigt1ULIf04fDyh+MIRc79/dM61cIiUHm4T6u6Q7Lxka0gI7flIrBeXJYdY\n\
2Ah3vtl+v3BZGlBlmvL1Js5ceKB59iTTyv4fSIBOzbR70kK22b/Dg3YQD5JKDAyZ\n\
PAnYO4biJnyDNbp5AQJBAOZeCvu7+wQQCj7GYhmsgzfzQYzmrpNlqSmFX1qMKp7t\n\
TaoZtpQ/aCFaq1KL620EIptXUkp31JPJ5LDak+aTe6UCQQDhRuoUeHkb2qHc0sni\n\
FOT9/uQe2hP75J/0xVXy/NV+jDtr/AuyVMQE68I4qnOlmyvcdJxs66Th8fAY7dSG\n\
QlPBAkEAjS3tRUF7II5D+RzTWjCjalKmRZfKPYL8HPoj6fYk2KlOA4Umo8wIIQjU\n\
Hg6qBXGXU+Q8Bm9R1BDTGp+aLKEOEQJBAJISiG/Tmjv8bR4hs/QbtkwX/dUfdPvN\n\
SAbP+iY/2TNgPJuNaAwvOJc0Q9C4fZpxXmRpXJCnz1cOqK+Rb0/LLEECQQDdx7OW\n\
f8oQ0ED3V8haCug3r9CaLJQrCHLHoOYK6ilr+ewOBnuAd4vP/0gIu/hEayYta4Gv\n\
C2gSqH+yS7RxQv7X\n\
-----END PRIVATE KEY-----\n";

    /// `openssl genrsa 2047`, `openssl rsa -pubout`: the first bit of its 256 bytes is not set.
    const RSA_2047_PUBLIC: &str = "\
-----BEGIN PUBLIC KEY-----\n\
MIIBITANBgkqhkiG9w0BAQEFAAOCAQ4AMIIBCQKCAQBaAZ6eKETpr/QP92+KtYGA\n\
lz9XN2GoL9S+Q1HPVmfAW4otEw0L5J+mMnw90TfTYMtOGRiia8W0t5/keeRFNXeb\n\
OnLP2+FORBYgIeh+fe4+X5C2WCeWPxRGAuPo1bBJbwHffK2SGIVRVfJ78es1REMN\n\
6R0DwZ2Zv7luvTsPSBmL/YcxKN4h2mF8ntBIBCflxl14Wz+g8RQGkE1hVM+uhFes\n\
/Ix/ZNxTUXXprkGQYO5dSrQd5q6Phqiqc1Jr109ZbNekXqNLoQObly238YTzmtzu\n\
oFSSm3nbu2pGfVod2pSExYxqCLiPE2PKIvkcAHiYcL/8QDGxpXpTRJJvaRuL5TGJ\n\
AgMBAAE=\n\
-----END PUBLIC KEY-----\n";

    const RSA_8192_PUBLIC: &str = include_str!("data/rsa_8192_public.pem");

    /// A signature of the 8192-bit key over `{"alg":"RS256","typ":"JWT"}` and `{"exp":1700000900}`.
    const RSA_8192_SIGNATURE: &str = "\
    VXFqkfalNICSwyCQQ6OCazvgfET0qamnM-R_osxRdwad9IhR8n--A4U5XOL9OA7GnI7jeAbkZhzySPSjjKv7PDDmvbl6kImelHK4\
    0lSrpRgOjiMWbWixCfbpHXaOjhppq71X2VLpKGkfXvBhp0mYMQ8_9kgq0vfcrQ54eFa9tvHgBRltqaSkGUBt_qALuBpqdYuB9rTh\
    xb8w6OPCODWlw2UV5vYSLfTQEgTFLfASgxYVkXO9Dszwv3p4LEYDufvmFKWr9tOhJMNb4G9eKQY4eplSB42Db-x88ssCcM-SQPWE\
    4FBRNfkPpSTCZfKMeN6NOWJdNzlu4MSBF7NcB9_-e-TLtIihaVQijentSR2RCymdBl0oN24qNRRy0mkGTcgvSblQW_bvPIozJffL\
    YGmrCbERPfVBjTER_WUzZn3UF-uJuJ_PDdkH164UATa1Z5bkgGgZyD9QsRv677BmgmrZVXNpJ704tcuMFSr5y_y_ge7BdsAmlDgg\
    Mbg6Ivk2tAUgCDHCDWTbPmnwh5pzo8ij3wADj5EiP_t8SHCPY28upaDVPz2yuLT-1Vo7KOESl7dhH6B547OvHCC5DPrp0xqW7oJR\
    Ch7hfH9AppKR5BDuqmkv5u6AoW8Rl0lFvSP_vOurpt7jUzYQiglhR5Ke0T6KSVpM1lpGekSJWBcg1S1RsxAIc_-jxEEIJYIwwxFv\
    cYu309IJ-64er5gl515dJILdUTr48JT7RypEPRhZm31raR8a-VlU6f9ZjcE9Oeq-6BN5VGmXOoVn6u101iUlrAayeoi7Zco72VMS\
    KxFw068tfiZ6TRc9CVN4G9H2h0WobV7wB49tG1rCDqYu75Evu08ghaMhtZoJRsjSdY2ucAg-7boLHiamzeBEYvQrc3io60DOKl1t\
    SXsgLsxT6VTxL2DysYYmKHuui4iciZnf0BsUT3W6IAodGe2YRhh6YDuhoPU4JQvIufYl32MxetLMpkIaFqmdrz4qsQTAMnLvHdHs\
    4rvnQ7TgdTcfNVwX9Pq4SiXjg97urCvheYHKg_t3L9LTFwFSTYo1IyANNcpV1Y2f51WpRAb2SEzITMieOdS6UMA5WCNTdJh-5v5X\
    KV-YNsDJwP-nAWGGagjUkORhFYngsaHTj7kJJ4CC4I7N6tueeGf8D8FZdhO99ySCtTVrfnpK-f0Tq42kVvATLeU_k37_ILOp2Ubr\
    8ihSDjX7abhec2SNWJrDOtQghWWXaWwxxnbiwJvXCI1cMJhhgS3LKP9Ue4wXv-CZwX3nG_GPuPJ-eHcdfuBy3qo354uOXjaTY833\
    xF3df7n-d6lptDZKrktrOgswg01MyXA0EMGP6Uak20rjaE9BF4Lq1wG2PRHT56T7pQ";

    /// `openssl genrsa -3 2048`.
    const RSA_EXPONENT_3: &str = "\
-----BEGIN PRIVATE KEY-----\n\
MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCXWIlR8C/5Z3qF\n\
nzYC0O2xUbCFfs/n2aoezpAJi2h0n6aCq6ly4cZYA/H6YPuVZwDQFD+oZ3yuDIHn\n\
+F5K5ESHD2ZwDhd2Lju22VtSY3HVmxiwDBozynszCdUXOXbAvPp9upnewFmyy1EC\n\
w+0Rg8su+L7F/PH0eld4R3gjknV8DaY1BFKtMA8qZMu66dEEUpkkN+32ENDuYRHP\n\
qvzmA3H63wxnZs4HCELdaIiH8HyAUaUNU/4mFalXpEPERkziQ9+14i4SXeZKvHa3\n\
mOjotwfoRJLUKcUZhOaTpOmHPoyJSlQvyumdoy28swf5pEHFGvgY8pUFE04LwyZN\n\
85p79YLVAgEDAoIBAGTlsOFKyqZE/FkUzqyLSSDhIFj/NUU7xr80YAZc8E2/xFcd\n\
G6Hr2ZACoVGV/Q5EqzVi1RrvqHQIVpqllDHtgwS07vVeuk7JfSSQ54xCS+O8uyAI\n\
EXfcUiIGjg97pIB9/FPRu+nVkSHc4KyCngutMh9Qfy6ooU2m5PraUBe2+P1daFC6\n\
pxhrb0SQr5SzsA3zLQbjVzaC3esAFtFGGJlseiEUZsMeUvcDcpKAEi9q8RM1vDMk\n\
+TixV51206p+VD1R6jMaiWCRZEFIfBCu5a/MyIQOTvJDwz3kvOm4P1zxhWW47FZW\n\
QV7GZf2BbWkehpng49eJsfeaDswtkrZDsvgqhSsCgYEAyFg9jkWLk7tqecS2fEwE\n\
93W+L5hL1mLe3eGtXRlBLXWHykEQinYi6bqnq7LXsfLX+vDmcMnX5N3gNwTRrEvl\n\
sI+XMHXTRSFFqtflCypCCFT+YWUt8VF1kDRd340LpnQu/7DV1jFauBiOlICttvs4\n\
KRFXQwuJwQBgWNakSEW/qHECgYEAwWOuycMDVIghSpclzKNg3iQku4wArasCEbQU\n\
euafjVO4qAGoxx5gLUcAwY34YPCpD8+2F4czwQ2Rzz+3IjpjT9mjL4uwiseKEcat\n\
hTbB0s0wuwOWLus4OwCyqu7InfyF8f1zsV4e3KfiT1tIwOMReURMxwYidtkecWXp\n\
xcH2EqUCgYEAhZApCYOyYnzxpoMkUt1YpPkpdRAyjuyUk+vI6LuAyPkFMYC1saQX\n\
Rnxvx8yPy/c6p0tESzE6mJPqz1iLyDKZIF+6IE6M2MDZHI/uB3GBWuNUQO4eoOD5\n\
Cs2T6l4HxE10qnXj5CDnJWW0YwBzz1IlcLY6LLJb1gBAOznC2tkqcEsCgYEAgO0f\n\
MSys4wVrhw9uiGzrPsLDJ7KrHnIBYSK4Ue8VCOJ7GqvF2hRAHi9V1l6llfXGCop5\n\
ZQTNK15hNNUkwXxCNTvCH7J1sdpcC9nJA3nWjIjLJ1e5dJzQJ1XMcfSFvqhZS/5N\n\
IOlp6G/sNOeF1ey2UNgzL1lsTztpoO6b2Sv5YcMCgYEAgjMqhltQqMyH5v+ijSWq\n\
x+EPnGo9tueutms+Hlkyazhxgvi5KTUS3Xd3kkX/Wv7VniWxjods0gcItMYx6RMs\n\
6c9HhCDVVomjmbA0C5TzvVu4c1f5l40wiyzbsW/pphHe5pWuikPuZdJuaeiFegK+\n\
yL/tcLfYghFIIjRj8gtv4Dw=\n\
-----END PRIVATE KEY-----\n";
}
