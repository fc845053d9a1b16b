//! `countersign` in pure Rust, with the features of all algorithms, and the operations that only it has here.

use compare_common::claims::{AUDIENCE, EXPIRES_AT, ISSUED_AT, ISSUER, SUBJECT, Size, TinyUser, User};
use compare_common::keys::{KeyPair, SECRET};
use compare_common::{Algorithm, Bench, Hs256, Rs256, Sign, Verify, tokens};
use countersign::{
    Buffer, Claims, Entropy, EntropyError, HmacKey, KeySet, Keys, PrivateKey, PublicKey, SecretBytes,
    SignKey, UnixTime, Verifier, VerifyError,
};
use serde::{Deserialize, Serialize};
use std::hint::black_box;

/// The tokens that a key set is asked about in turn: more than a cache of recent tokens would hide, and as
/// many for one key as for 100,000, so that only the number of keys differs.
const TOKENS_PER_KEY_SET: u32 = 1_000;

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<Countersign>();
    bench.rs256::<Countersign>();
    for algorithm in Algorithm::others() {
        add(&mut bench, algorithm);
    }
    for algorithm in Algorithm::ML_DSA {
        add_deterministic(&mut bench, algorithm);
    }
    bench.verify(tokens::VERIFY_IN, verify_in());
    bench.other(
        tokens::REFUSE_FORGED,
        refuse(bench.token(tokens::FORGED), |error| matches!(error, VerifyError::InvalidSignature)),
    );
    bench.other(
        tokens::REFUSE_EXPIRED,
        refuse(bench.token(tokens::EXPIRED), |error| matches!(error, VerifyError::Expired { .. })),
    );
    for keys in tokens::KEY_SET_SIZES {
        bench.other(&tokens::verify_by_key_id(keys), verify_by_key_id(keys));
    }
    bench.key_set(
        |text| {
            let loaded = KeySet::from_jwks(text, &[countersign::Algorithm::Rs256]).unwrap();
            assert!(loaded.skipped.is_empty());
            verifier(loaded.keys)
        },
        |verifier, token| drop(verifier.verify::<User>(token).unwrap()),
    );
    bench.serve();
}

struct Countersign;

impl Hs256 for Countersign {
    fn sign(size: Size) -> impl Sign + 'static {
        sign(everything(size), secret())
    }

    fn verify() -> impl Verify + 'static {
        verify(verifier(secret()))
    }

    fn sign_tiny() -> impl Sign + 'static {
        sign(Claims::new(TinyUser::default()).expires_at(time(EXPIRES_AT)), secret())
    }

    fn verify_tiny() -> impl Verify + 'static {
        let verifier = Verifier::builder(secret()).accept_any_issuer().no_audience().build().unwrap();
        move |token: &str| verifier.verify::<TinyUser>(token)
    }
}

impl Rs256 for Countersign {
    fn sign(key: KeyPair) -> impl Sign + 'static {
        sign(everything(Size::Typical), PrivateKey::from_pem(key.private_pem).unwrap().rs256().unwrap())
    }

    fn verify(key: KeyPair) -> impl Verify + 'static {
        verify(verifier(PublicKey::from_pem(key.public_pem).unwrap().rs256().unwrap()))
    }
}

fn add(bench: &mut Bench, algorithm: Algorithm) {
    let claims = everything(Size::Typical);
    let name = algorithm.name().parse().unwrap();
    if let Some(secret) = algorithm.secret() {
        let key = HmacKey::new(name, &SecretBytes::from_bytes(secret)).unwrap();
        bench.algorithm(algorithm, sign(claims, key.clone()), verify(verifier(key)));
    } else {
        let pair = algorithm.key_pair();
        let signing = PrivateKey::from_pem(pair.private_pem).unwrap().signing_key(name).unwrap();
        let verifying = PublicKey::from_pem(pair.public_pem).unwrap().verifying_key(name).unwrap();
        bench.algorithm(algorithm, sign(claims, signing), verify(verifier(verifying)));
    }
}

/// ML-DSA with random bytes that are zero, which makes the same signature each time.
struct Zeros;

impl Entropy for Zeros {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(0);
        Ok(())
    }
}

fn add_deterministic(bench: &mut Bench, algorithm: Algorithm) {
    let key = PrivateKey::from_pem(algorithm.key_pair().private_pem).unwrap();
    let key = key.signing_key_with(algorithm.name().parse().unwrap(), Zeros).unwrap();
    let claims = everything(Size::Typical);
    let (signed, given) = (claims.sign(&key).unwrap(), bench.token(tokens::verify(algorithm)));
    // The floor signs the input of this token. Another input would take another number of attempts.
    assert_eq!(signed.rsplit_once('.').unwrap().0, given.rsplit_once('.').unwrap().0);
    bench.sign(tokens::sign_deterministic(algorithm).unwrap(), sign(claims, key));
}

fn secret() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes(SECRET)).unwrap()
}

fn everything(size: Size) -> Claims<User> {
    Claims::new(User::of(size))
        .issuer(ISSUER)
        .subject(SUBJECT)
        .audience(AUDIENCE)
        .issued_at(time(ISSUED_AT))
        .expires_at(time(EXPIRES_AT))
}

fn time(seconds: u64) -> UnixTime {
    UnixTime::from_secs(seconds.try_into().unwrap())
}

fn sign<T: Serialize + 'static>(claims: Claims<T>, key: impl SignKey + 'static) -> impl Sign + 'static {
    move || claims.sign(&key)
}

fn verify(verifier: Verifier) -> impl Verify + 'static {
    move |token: &str| verifier.verify::<User>(token)
}

fn verifier(keys: impl Into<Keys>) -> Verifier {
    Verifier::builder(keys).issuer(ISSUER).audience(AUDIENCE).build().unwrap()
}

#[derive(Deserialize)]
struct BorrowedUser<'a> {
    name: &'a str,
    role: &'a str,
}

/// Claims that borrow from a buffer, which is used again.
fn verify_in() -> impl Verify + 'static {
    let (verifier, mut buffer) = (verifier(secret()), Buffer::new());
    move |token: &str| {
        let token = verifier.verify_in::<BorrowedUser<'_>>(&mut buffer, token)?;
        let BorrowedUser { name, role } = black_box(token.claims());
        Ok::<_, VerifyError>(name.len() + role.len())
    }
}

fn refuse(token: String, expected: fn(&VerifyError) -> bool) -> impl FnMut() + 'static {
    let verifier = verifier(secret());
    move || assert!(verifier.verify::<User>(black_box(&token)).is_err_and(|error| expected(&error)))
}

/// Each call verifies another token, under another key where there are several.
fn verify_by_key_id(keys: u32) -> impl FnMut() + 'static {
    let mut key_set = KeySet::new();
    for number in 0..keys {
        key_set.insert(numbered_key(number)).unwrap();
    }
    let tokens: Vec<String> = (0..TOKENS_PER_KEY_SET)
        .map(|number| number * keys.div_ceil(TOKENS_PER_KEY_SET) % keys)
        .map(|number| everything(Size::Typical).sign(&numbered_key(number)).unwrap())
        .collect();
    let (verifier, mut next) = (verifier(key_set), 0);
    move || {
        next = (next + 1) % tokens.len();
        drop(black_box(verifier.verify::<User>(&tokens[next]).unwrap()));
    }
}

fn numbered_key(number: u32) -> HmacKey {
    let secret = number.to_be_bytes().repeat(8);
    HmacKey::hs256(&SecretBytes::from_bytes(secret)).unwrap().with_key_id(format!("key-{number:06}")).unwrap()
}
