//! Moves from an old HS256 key to a new RS256 key without refusing a valid token on the way.
//!
//! ```sh
//! cargo run --example rotation
//! ```

use core::time::Duration;
use countersign::{Algorithm, Claims, HmacKey, KeySet, PrivateKey, SignKey, Verifier, VerifyError};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let old = HmacKey::generate(Algorithm::Hs256)?.with_key_id("2025")?;
    let new = PrivateKey::generate_rsa(2048)?.rs256()?.with_key_id("2026")?;

    let mut keys = KeySet::new();
    keys.insert(old.clone())?;
    let verifier = Verifier::builder(keys.clone()).issuer("https://auth.example").no_audience().build()?;
    let first = token(&old)?;
    show("1. only the old key", &verifier, &[(&first, Ok(()))]);

    // Verifiers get the new key before a token is signed with it.
    keys.insert(new.verifying_key())?;
    let verifier = verifier.with_keys(keys.clone());
    let second = token(&new)?;
    show("2. the old and the new key", &verifier, &[(&first, Ok(())), (&second, Ok(()))]);

    // Remove the old key only when the last token of it has expired. This example removes it too early, to show the error.
    keys.remove(Algorithm::Hs256, Some("2025"));
    let verifier = verifier.with_keys(keys);
    show("3. only the new key", &verifier, &[(&first, Err(VerifyError::UnknownKey)), (&second, Ok(()))]);
    Ok(())
}

fn token(key: &dyn SignKey) -> Result<String, countersign::SignError> {
    let claims = Claims::registered().issuer("https://auth.example").subject("user123");
    claims.expires_in(Duration::from_secs(15 * 60)).sign(key)
}

fn show(stage: &str, verifier: &Verifier, tokens: &[(&str, Result<(), VerifyError>)]) {
    println!("{stage}");
    for (text, expected) in tokens {
        let result = verifier.verify::<()>(text);
        match &result {
            Ok(token) => println!("   verified: {}", token.header().json()),
            Err(error) => println!("   refused:  {error} ({})", error.code()),
        }
        assert_eq!(result.map(|_| ()), *expected);
    }
}
