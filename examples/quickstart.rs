//! Signs a token with a shared secret, verifies it, and shows two tokens that are refused.
//!
//! ```sh
//! cargo run --example quickstart
//! ```

use core::time::Duration;
use countersign::{Claims, HmacKey, SecretBytes, UnixTime, Verifier, VerifyError};

#[derive(serde::Serialize, serde::Deserialize)]
struct User {
    name: String,
    role: String,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // In production, use 32 random bytes from a secret store that both servers can read.
    let key = HmacKey::hs256(&SecretBytes::from_bytes(b"an example of thirty-two bytes!!"))?;

    // The authentication server.
    let text = claims("guest").sign(&key)?;
    println!("token:    {text}\n");

    // The application server.
    let verifier = Verifier::builder(key.clone())
        .issuer("https://auth.example")
        .audience("https://api.example")
        .build()?;
    let token = verifier.verify::<User>(&text)?;
    println!("verified: {} is a {}", token.claims().name, token.claims().role);
    println!("payload:  {}\n", token.payload());
    assert_eq!((token.subject(), &*token.claims().role), (Some("user123"), "guest"));

    // The header and the signature of Ann's token, with other claims that this key did not sign.
    let wish = claims("admin").sign(&HmacKey::hs256(&SecretBytes::from_bytes([0; 32]))?)?;
    let segment = |text: &str, place| text.split('.').nth(place).unwrap_or_default().to_owned();
    let tampered = [segment(&text, 0), segment(&wish, 1), segment(&text, 2)].join(".");
    explain("tampered", verifier.verify::<User>(&tampered).err(), "invalid_signature");

    let yesterday = UnixTime::now().saturating_sub(Duration::from_secs(24 * 60 * 60));
    let old = claims("guest").issued_at(yesterday).sign(&key)?;
    explain("expired", verifier.verify::<User>(&old).err(), "expired");
    Ok(())
}

fn claims(role: &str) -> Claims<User> {
    Claims::new(User { name: "Ann".into(), role: role.into() })
        .issuer("https://auth.example")
        .subject("user123")
        .audience("https://api.example")
        .expires_in(Duration::from_secs(15 * 60))
}

fn explain(which: &str, refusal: Option<VerifyError>, code: &str) {
    let error = refusal.expect("a token that is refused");
    assert_eq!((error.code(), error.challenge().status()), (code, 401));
    let challenge = error.challenge();
    println!("{which}: {error}");
    println!("  code:   {}", error.code());
    println!(
        "  answer: {}, WWW-Authenticate: {}",
        challenge.status(),
        challenge.www_authenticate().unwrap_or("-")
    );
}
