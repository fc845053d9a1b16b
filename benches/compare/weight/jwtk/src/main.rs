//! Signs and verifies one token.

use jwtk::HeaderAndClaims;
use jwtk::hmac::{HmacAlgorithm, HmacKey};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Serialize, Deserialize)]
struct User {
    name: String,
}

fn main() -> Result<(), jwtk::Error> {
    let key = HmacKey::from_bytes(&[7; 32], HmacAlgorithm::HS256);
    let mut claims = HeaderAndClaims::with_claims(User { name: "Ann".to_owned() });
    claims.set_exp_from_now(Duration::from_secs(900));
    let token = jwtk::sign(&mut claims, &key)?;
    let verified = jwtk::verify::<User>(&token, &key)?;
    println!("{}", verified.claims().extra.name);
    Ok(())
}
