//! Law: any bytes as a key make a key or an error, without a panic. Bytes that hold the beginning of a PEM block anywhere are
//! never an HMAC secret, of any length. A key that was read, public or private or from a certificate, can be written and read
//! again. It makes keys for the algorithms of one type, and for each other algorithm the error for a wrong type.
#![no_main]

use countersign::{
    Algorithm, Entropy, EntropyError, HmacKey, KeyError, PrivateKey, PublicKey, SecretBytes, SignKey,
    VerifyKey, VerifyingKey, jws,
};
use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;

const BEGIN: &[u8] = b"-----BEGIN ";
const RSA: [Algorithm; 6] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
];

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(0x5a);
        Ok(())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let secret = HmacKey::hs256(&SecretBytes::from_bytes(bytes));
    let weak = HmacKey::with_weak_secret(Algorithm::Hs256, &SecretBytes::from_bytes(bytes));
    assert!(weak.is_ok() || secret.is_err());
    if bytes.windows(BEGIN.len()).any(|window| window == BEGIN) {
        assert!(matches!(secret, Err(KeyError::NotASecret { .. })));
        assert!(matches!(weak, Err(KeyError::NotASecret { .. })));
    }
    // The rule is about the bytes, not about their encoding.
    assert_eq!(
        SecretBytes::from_base64url(&encode(bytes)).and_then(|secret| HmacKey::hs256(&secret)).err(),
        secret.err()
    );
    // One algorithm of each type of key. The length chooses that of RSA, because RSA is slow.
    let algorithms = [
        RSA[bytes.len() % RSA.len()],
        Algorithm::Es256,
        Algorithm::Es384,
        Algorithm::Es512,
        Algorithm::Es256k,
        Algorithm::Ed25519,
        Algorithm::MlDsa44,
        Algorithm::MlDsa65,
        Algorithm::MlDsa87,
    ];
    for key in [PublicKey::from_der(bytes), PublicKey::from_certificate_der(bytes)].into_iter().flatten() {
        verify(&key, algorithms);
    }
    if let Ok(key) = PrivateKey::from_der(bytes) {
        sign_and_verify(&key, algorithms);
    }
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let _ = SecretBytes::from_base64(text).and_then(|secret| HmacKey::hs256(&secret));
    let _ = SecretBytes::from_base64url(text).and_then(|secret| HmacKey::hs256(&secret));
    for key in [PublicKey::from_pem(text), PublicKey::from_certificate_pem(text)].into_iter().flatten() {
        assert!(text.as_bytes().windows(BEGIN.len()).any(|window| window == BEGIN));
        verify(&key.any_exponent(), algorithms);
    }
    if let Ok(key) = PrivateKey::from_pem(text) {
        assert!(text.as_bytes().windows(BEGIN.len()).any(|window| window == BEGIN));
        sign_and_verify(&key.any_exponent(), algorithms);
    }
    // The usual exponent is also allowed as any exponent.
    if let Ok(verifying) = PublicKey::from_pem(text).and_then(|key| key.rs256()) {
        let any = PublicKey::from_pem(text).unwrap().any_exponent().rs256().unwrap();
        assert_eq!(pem_of(&verifying), pem_of(&any));
    }
});

/// Encodes as base64url with the crate itself: the second segment of a JWS.
fn encode(bytes: &[u8]) -> String {
    static KEY: LazyLock<HmacKey> =
        LazyLock::new(|| HmacKey::hs256(&SecretBytes::from_bytes([7; 32])).unwrap());
    jws::Payload::new(bytes).sign(&*KEY).unwrap().split('.').nth(1).unwrap().to_owned()
}

fn pem_of(key: &VerifyingKey) -> String {
    key.public_key().unwrap().to_pem().unwrap()
}

fn read_again(key: &VerifyingKey) {
    let pem = pem_of(key);
    assert_eq!(PublicKey::from_pem(&pem).unwrap().any_exponent().to_pem().unwrap(), pem);
    assert!(key.verify_bytes(b"input", &[0; 256]).is_err());
}

/// Makes the keys for these algorithms, each for another type of key. At most one fits.
fn verify(public: &PublicKey, algorithms: [Algorithm; 9]) {
    let mut others = 0;
    for algorithm in algorithms {
        match public.verifying_key(algorithm) {
            Ok(key) => read_again(&key),
            Err(KeyError::WrongKeyType { .. }) => others += 1,
            Err(KeyError::Exponent | KeyError::InvalidPoint | KeyError::RestrictedKey { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }
    assert_eq!(others, algorithms.len() - 1);
}

fn sign_and_verify(private: &PrivateKey, algorithms: [Algorithm; 9]) {
    let secret = private.to_secret_pem().unwrap();
    let text = secret.expose_secret_text().unwrap();
    let again = PrivateKey::from_pem(text).unwrap().any_exponent();
    assert_eq!(again.to_secret_pem().unwrap().expose_secret_text(), Some(text));
    let mut others = 0;
    for algorithm in algorithms {
        let keys = [private, &again].map(|key| key.signing_key_with(algorithm, Fixed));
        others += usize::from(matches!(keys[0], Err(KeyError::WrongKeyType { .. })));
        let [Ok(key), Ok(again)] = keys else { continue };
        assert_eq!(pem_of(&again.verifying_key()), pem_of(&key.verifying_key()));
        // A key with numbers that only look right fails its own check; it never makes a wrong signature.
        if let Ok(signature) = key.sign_bytes(b"input") {
            key.verifying_key().verify_bytes(b"input", signature.as_bytes()).unwrap();
        }
    }
    assert_eq!(others, algorithms.len() - 1);
}
