//! Signs and verifies one token.

use countersign::{Claims, HmacKey, SecretBytes, Verifier};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::time::Duration;

#[derive(Serialize, Deserialize)]
struct User {
    name: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    let token =
        Claims::new(User { name: "Ann".to_owned() }).expires_in(Duration::from_secs(900)).sign(&key)?;
    let verifier = Verifier::builder(key).accept_any_issuer().no_audience().build()?;
    let verified = verifier.verify::<User>(&token)?;
    println!("{}", verified.claims().name);
    Ok(())
}
