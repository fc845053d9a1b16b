//! One side signs with a private key, the other verifies with the public key and could not sign.
//!
//! ```sh
//! cargo run --example rs256
//! ```

use core::time::Duration;
use countersign::{Claims, PrivateKey, PublicKey, Verifier};

const ISSUER: &str = "https://auth.example";
const AUDIENCE: &str = "https://api.example";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Once, as `openssl genpkey` would do it; 2048 bits take about a second.
    let pair = PrivateKey::generate_rsa(2048)?;
    let private_pem = pair.to_secret_pem()?;
    let public_pem = pair.public_key()?.to_pem()?;

    let token = authentication_server(str::from_utf8(private_pem.expose_secret())?)?;
    println!("token:\n{token}\n");
    println!("public key:\n{public_pem}");
    application_server(&public_pem, &token)?;

    // A mix-up is said when the key is read, not when the first token fails.
    if let Err(error) = PublicKey::from_pem(str::from_utf8(private_pem.expose_secret())?) {
        println!("the private key given to the verifier: {error}");
    }
    Ok(())
}

fn authentication_server(private_pem: &str) -> Result<String, Box<dyn std::error::Error>> {
    // Read once and kept: it is parsed and precomputed here.
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
    Ok(())
}
