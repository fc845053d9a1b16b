//! Moves from an old HS256 key to a new RS256 key without refusing anybody's token on the way.
//!
//! ```sh
//! cargo run --example rotation
//! ```

use core::time::Duration;
use countersign::{Algorithm, Claims, HmacKey, KeySet, PrivateKey, SignKey, Verifier};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let old = HmacKey::generate(Algorithm::Hs256)?.with_key_id("2025")?;
    let new = PrivateKey::generate_rsa(2048)?.rs256()?.with_key_id("2026")?;

    let mut keys = KeySet::new();
    keys.insert(old.clone())?;
    let verifier = Verifier::builder(keys.clone()).issuer("https://auth.example").no_audience().build()?;
    let first = token(&old)?;
    show("1. only the old key", &verifier, &[&first]);

    // Verifiers learn the new key before anything is signed with it.
    keys.insert(new.verifying_key())?;
    let verifier = verifier.with_keys(keys.clone());
    let second = token(&new)?;
    show("2. the old and the new key", &verifier, &[&first, &second]);

    // Not before the last token of the old key has expired. Here it has not, to show what happens.
    keys.remove(Algorithm::Hs256, Some("2025"));
    let verifier = verifier.with_keys(keys);
    show("3. only the new key", &verifier, &[&first, &second]);
    Ok(())
}

fn token(key: &dyn SignKey) -> Result<String, countersign::SignError> {
    let claims = Claims::registered().issuer("https://auth.example").subject("user123");
    claims.expires_in(Duration::from_secs(15 * 60)).sign(key)
}

fn show(stage: &str, verifier: &Verifier, tokens: &[&str]) {
    println!("{stage}");
    for text in tokens {
        match verifier.verify::<()>(text) {
            Ok(token) => println!("   verified: {}", token.header().json()),
            Err(error) => println!("   refused:  {error} ({})", error.code()),
        }
    }
}
