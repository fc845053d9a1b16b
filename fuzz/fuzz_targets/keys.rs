//! Law: any bytes as a key are a key or an error, without a panic; a text that holds a PEM block is never an
//! HMAC secret; and a key that was read can be written and read again.
#![no_main]

use countersign::{
    Entropy, EntropyError, Hs256Key, KeyError, Rs256SigningKey, Rs256VerifyingKey, SignKey, VerifyKey,
};
use libfuzzer_sys::fuzz_target;

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(0x5a);
        Ok(())
    }
}

fuzz_target!(|bytes: &[u8]| {
    let secret = Hs256Key::from_bytes(bytes);
    let weak = Hs256Key::from_weak_bytes(bytes);
    assert!(weak.is_ok() || secret.is_err());
    if let Ok(verifying) = Rs256VerifyingKey::from_der(bytes) {
        read_again(&verifying);
    }
    if let Ok(signing) = Rs256SigningKey::from_der_with(bytes, Fixed) {
        sign_and_verify(&signing);
    }
    let Ok(text) = core::str::from_utf8(bytes) else { return };
    let _ = Hs256Key::from_base64(text);
    let _ = Hs256Key::from_base64url(text);
    if let Ok(verifying) = Rs256VerifyingKey::from_pem(text) {
        assert!(matches!(secret, Err(KeyError::NotASecret { .. })));
        read_again(&verifying);
    }
    let _ = Rs256VerifyingKey::from_pem_any_exponent(text);
    if let Ok(signing) = Rs256SigningKey::from_pem_with(text, Fixed) {
        assert!(matches!(secret, Err(KeyError::NotASecret { .. })));
        sign_and_verify(&signing);
    }
});

fn read_again(key: &Rs256VerifyingKey) {
    let pem = key.to_pem().unwrap();
    assert_eq!(Rs256VerifyingKey::from_pem(&pem).unwrap().to_pem().unwrap(), pem);
    assert!(key.verify_bytes(b"input", &[0; 256]).is_err());
}

fn sign_and_verify(key: &Rs256SigningKey) {
    // A key whose numbers only look right fails its own check; it never signs wrongly.
    if let Ok(signature) = key.sign_bytes(b"input") {
        key.verifying_key().verify_bytes(b"input", signature.as_bytes()).unwrap();
    }
}
