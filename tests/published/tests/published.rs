//! Uses this crate as a service would, next to countersign.

use core::time::Duration;
use countersign::{
    Algorithm, Claims, HmacKey, Identity, Key, KeyError, KeySet, KeySource, PrivateKey, SecretBytes,
    SignError, SignKey, Signature, SignatureError, SigningKey, Verifier, VerifyError, VerifyKey,
    VerifyingKey,
};
use countersign_session::{
    AccessVerifier, Binding, Blocking, Config, Error, Login, MasterKeys, Refusal, Sessions, blocking,
    contract,
};
use published::module::Module;
use published::table::Table;
use published::tenants::Tenants;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct User {
    role: String,
}

fn claims() -> Claims<User> {
    Claims::new(User { role: "admin".into() })
        .issuer("https://auth.example")
        .subject("ann")
        .expires_in(Duration::from_secs(900))
}

fn module(key_id: &str) -> Module {
    Module::start(&PrivateKey::generate_rsa(2048).unwrap(), key_id).unwrap()
}

/// What a reader has to know for the first token: three names.
#[test]
fn the_first_token_needs_three_names() {
    use countersign::{Claims, HmacKey, Verifier};

    let key = HmacKey::hs256(&vec![7; 32].into()).unwrap();
    let text = Claims::new(User { role: "admin".into() })
        .issuer("https://auth.example")
        .expires_in(Duration::from_secs(900))
        .sign(&key)
        .unwrap();
    let verifier = Verifier::builder(key).issuer("https://auth.example").no_audience().build().unwrap();
    assert_eq!(verifier.verify::<User>(&text).unwrap().claims().role, "admin");
}

#[test]
fn a_custom_key_pair_signs_and_verifies_under_its_own_name() {
    let module = module("slot-9c");
    let signing = module.signing_key().unwrap();
    let text = claims().sign(&signing).unwrap();

    for key in [module.verifying_key().unwrap(), signing.verifying_key()] {
        assert_eq!((key.algorithm(), key.key_id()), (Algorithm::Rs256, Some("slot-9c")));
        let verifier = Verifier::builder(key).issuer("https://auth.example").no_audience().build().unwrap();
        let token = verifier.verify::<User>(&text).unwrap();
        assert_eq!(token.header().key_id(), Some("slot-9c"));
        let forged = format!("{}AA", &text[..text.len() - 2]);
        assert_eq!(verifier.verify::<User>(&forged).unwrap_err(), VerifyError::InvalidSignature);
    }
}

#[test]
fn a_key_that_cannot_be_asked_is_a_503_and_not_a_bad_token() {
    let module = module("slot-9c");
    let signing = module.signing_key().unwrap();
    let text = claims().sign(&signing).unwrap();
    let verifier = Verifier::builder(signing.verifying_key())
        .issuer("https://auth.example")
        .no_audience()
        .build()
        .unwrap();
    module.stop();

    let error = verifier.verify::<User>(&text).unwrap_err();
    assert_eq!((error.clone(), error.challenge().status()), (VerifyError::KeysUnavailable, 503));
    assert_eq!(claims().sign(&signing).unwrap_err(), SignError::SigningFailed);
}

#[test]
fn a_custom_key_for_hmac_is_refused() {
    /// Says one thing at first, and another when it is asked again.
    struct Pretender {
        says: [Identity; 2],
        asked: AtomicUsize,
    }

    impl Key for Pretender {
        fn identity(&self) -> &Identity {
            &self.says[self.asked.fetch_add(1, Ordering::Relaxed).min(1)]
        }
    }

    impl VerifyKey for Pretender {
        fn verify_bytes(&self, _: &[u8], _: &[u8]) -> Result<(), SignatureError> {
            Ok(())
        }
    }

    impl SignKey for Pretender {
        fn sign_bytes(&self, _: &[u8]) -> Result<Signature, SignError> {
            Ok(Signature::from_bytes(&[0; 32]))
        }
    }

    let pretender =
        |says: [Algorithm; 2]| Pretender { says: says.map(Identity::new), asked: AtomicUsize::new(0) };
    let public = module("slot-9c").verifying_key().unwrap();
    for says in [[Algorithm::Hs256, Algorithm::Hs256], [Algorithm::Hs256, Algorithm::Rs256]] {
        let wrong = KeyError::WrongKeyType { algorithm: Algorithm::Hs256, key: "key pair" };
        assert_eq!(VerifyingKey::custom(pretender(says)).unwrap_err(), wrong);
        assert_eq!(SigningKey::custom(pretender(says), public.clone()).unwrap_err(), wrong);
    }
    // What it says later does not count.
    let says = [Algorithm::Rs256, Algorithm::Hs256];
    let verifying = VerifyingKey::custom(pretender(says)).unwrap();
    assert_eq!(
        (verifying.algorithm(), verifying.identity().algorithm()),
        (Algorithm::Rs256, Algorithm::Rs256)
    );
    let signing = SigningKey::custom(pretender(says), public).unwrap();
    assert_eq!(signing.algorithm(), Algorithm::Rs256);
    assert_eq!(signing.verifying_key().algorithm(), Algorithm::Rs256);
    let hmac = HmacKey::hs256(&vec![7; 32].into()).unwrap();
    let verifier = Verifier::builder(verifying).issuer("https://auth.example").no_audience().build().unwrap();
    let error = verifier.verify::<User>(&claims().sign(&hmac).unwrap()).unwrap_err();
    let mismatch = VerifyError::AlgorithmMismatch { key: Algorithm::Rs256, token: Algorithm::Hs256 };
    assert_eq!(error, mismatch);
}

/// The types allow an algorithm that is chosen at run time, so this is refused when the key is made.
#[test]
fn material_makes_no_key_for_the_algorithm_of_another_family() {
    let secret = SecretBytes::from_bytes([7; 32]);
    let private = PrivateKey::generate_rsa(2048).unwrap();
    let wrong = |algorithm, key| KeyError::WrongKeyType { algorithm, key };
    assert_eq!(HmacKey::new(Algorithm::Rs256, &secret).unwrap_err(), wrong(Algorithm::Rs256, "HMAC"));
    assert_eq!(HmacKey::generate(Algorithm::Rs256).unwrap_err(), wrong(Algorithm::Rs256, "HMAC"));
    assert_eq!(private.signing_key(Algorithm::Hs256).unwrap_err(), wrong(Algorithm::Hs256, "RSA"));
    let public = private.public_key().unwrap();
    assert_eq!(public.verifying_key(Algorithm::Hs256).unwrap_err(), wrong(Algorithm::Hs256, "RSA"));

    // The public key as text is one that types cannot tell from a secret.
    let pem = private.public_key().unwrap().to_pem().unwrap();
    let error = HmacKey::hs256(&SecretBytes::from_bytes(&pem)).unwrap_err();
    assert_eq!(error.code(), "not_a_secret");
}

/// A key of one algorithm, put where a token of the other needs one: alone, in a set, and in a source.
#[test]
fn a_key_is_not_used_for_a_token_of_another_algorithm() {
    struct Only(VerifyingKey);

    impl KeySource for Only {
        fn find(&self, _: &countersign::Header<'_>) -> Result<countersign::KeyRef<'_>, VerifyError> {
            Ok((&self.0).into())
        }
    }

    let hmac = HmacKey::hs256(&vec![7; 32].into()).unwrap();
    let public = PrivateKey::generate_rsa(2048).unwrap().public_key().unwrap().rs256().unwrap();
    let text = claims().sign(&hmac).unwrap();
    let mut set = KeySet::new();
    set.insert(public.clone()).unwrap();

    let mismatch = VerifyError::AlgorithmMismatch { key: Algorithm::Rs256, token: Algorithm::Hs256 };
    for (keys, expected) in [
        (countersign::Keys::from(public.clone()), mismatch.clone()),
        (set.into(), VerifyError::UnknownKey),
        (Only(public).into(), mismatch),
    ] {
        let verifier = Verifier::builder(keys).issuer("https://auth.example").no_audience().build().unwrap();
        assert_eq!(verifier.verify::<User>(&text).unwrap_err(), expected);
    }
}

#[test]
fn a_key_source_finds_the_keys_of_each_tenant_and_tells_when_they_change() {
    let key_of = |name: &str, byte: u8| {
        HmacKey::hs256(&vec![byte; 32].into()).and_then(|key| key.with_key_id(name)).unwrap()
    };
    let set_of = |key: &HmacKey| {
        let mut set = KeySet::new();
        set.insert(key.clone()).unwrap();
        set
    };
    let (first, next, other) = (key_of("acme:1", 1), key_of("acme:2", 2), key_of("initech:1", 3));
    let tenants = Arc::new(Tenants::default());
    tenants.replace("acme", set_of(&first));
    tenants.replace("initech", set_of(&other));
    let verifier =
        Verifier::builder(tenants.clone()).issuer("https://auth.example").no_audience().build().unwrap();
    let verify = |key: &HmacKey| verifier.verify::<User>(&claims().sign(key).unwrap()).map(|_| ());

    assert_eq!((verify(&first), verify(&other)), (Ok(()), Ok(())));
    assert_eq!(verify(&next), Err(VerifyError::UnknownKey));
    assert_eq!(verify(&key_of("nobody:1", 1)), Err(VerifyError::UnknownKey));
    assert_eq!(verify(&key_of("acme:1", 9)), Err(VerifyError::InvalidSignature));

    let before = tenants.generation();
    tenants.replace("acme", set_of(&next));
    assert_ne!(tenants.generation(), before);
    assert_eq!((verify(&next), verify(&other)), (Ok(()), Ok(())));
    assert_eq!(verify(&first), Err(VerifyError::UnknownKey));
}

#[test]
fn a_session_store_keeps_the_contract() {
    let report = blocking(contract::check(&Blocking(Table::default()))).unwrap();
    assert!(!report.to_string().is_empty());
}

#[test]
fn sessions_run_over_a_session_store_and_custom_keys() {
    let module = module("slot-9c");
    let store = Arc::new(Blocking(Table::default()));
    let config = Config::builder("https://auth.example", "https://api.example").build().unwrap();
    let keys = MasterKeys::new(1, [7; 32]).unwrap();
    let sessions = Sessions::new(config, keys, module.signing_key().unwrap(), store.clone()).unwrap();

    let grant = blocking(sessions.login(&Login::new("ann"))).unwrap();
    let text = sessions.access_token(&grant, &User { role: "admin".into() }).unwrap();
    let policy = Verifier::builder(module.verifying_key().unwrap())
        .issuer("https://auth.example")
        .audience("https://api.example");
    let verifier = AccessVerifier::new(policy).unwrap().with_denylist(store);
    let access = blocking(verifier.verify::<User>(&text, &Binding::None)).unwrap();
    assert_eq!((access.subject(), &*access.claims().role), ("ann", "admin"));

    let refresh = grant.refresh_token().expose_secret();
    let next = blocking(sessions.refresh(refresh, &Binding::None)).unwrap();
    blocking(sessions.logout(next.refresh_token().expose_secret())).unwrap();
    let error = blocking(sessions.refresh(next.refresh_token().expose_secret(), &Binding::None)).unwrap_err();
    assert!(matches!(error.refusal(), Some(Refusal::Revoked(_))));
    let error = blocking(verifier.verify::<User>(&text, &Binding::None)).unwrap_err();
    assert!(matches!(error, Error::Denied));
}
