//! Signs and verifies one token.

use hmac::{Hmac, Mac};
use jwt::{SignWithKey, VerifyWithKey};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::error::Error;

#[derive(Serialize, Deserialize)]
struct User {
    name: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let key: Hmac<Sha256> = Hmac::new_from_slice(&[7; 32])?;
    let token = User { name: "Ann".to_owned() }.sign_with_key(&key)?;
    let verified: User = token.as_str().verify_with_key(&key)?;
    println!("{}", verified.name);
    Ok(())
}
