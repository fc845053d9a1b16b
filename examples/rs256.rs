//! Signs with a private key on one side, and verifies with the public key on the other side, which cannot sign.
//!
//! ```sh
//! cargo run --example rs256
//! ```

use core::time::Duration;
use countersign::{Claims, PrivateKey, PublicKey, Verifier};

const ISSUER: &str = "https://auth.example";
const AUDIENCE: &str = "https://api.example";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Make the key pair once, as with `openssl genpkey`. 2048 bits take about a second.
    let pair = PrivateKey::generate_rsa(2048)?;
    let private_pem = pair.to_secret_pem()?;
    let public_pem = pair.public_key()?.to_pem()?;

    let token = authentication_server(str::from_utf8(private_pem.expose_secret())?)?;
    println!("token:\n{token}\n");
    println!("public key:\n{public_pem}");
    application_server(&public_pem, &token)?;

    // A mistaken key is an error when the key is read, and not when the first token fails.
    let mistaken = PublicKey::from_pem(str::from_utf8(private_pem.expose_secret())?);
    let error = mistaken.err().ok_or("the private key was accepted as a public key")?;
    println!("the private key given to the verifier: {error}");
    assert_eq!(error.code(), "private_key");
    Ok(())
}

fn authentication_server(private_pem: &str) -> Result<String, Box<dyn std::error::Error>> {
    // Read the key once and keep it, because parsing and precomputing take time.
    let key = PrivateKey::from_pem(private_pem)?.rs256()?;
    let claims = Claims::registered()
        .issuer(ISSUER)
        .subject("user123")
        .audience(AUDIENCE)
        .expires_in(Duration::from_secs(15 * 60));
    Ok(claims.sign(&key)?)
}

fn application_server(public_pem: &str, text: &str) -> Result<(), Box<dyn std::error::Error>> {
    let key = PublicKey::from_pem(public_pem)?.rs256()?;
    let verifier = Verifier::builder(key).issuer(ISSUER).audience(AUDIENCE).build()?;
    let token = verifier.verify::<()>(text)?;
    println!("verified: {}\n", token.payload());
    assert_eq!(token.subject(), Some("user123"));
    Ok(())
}
