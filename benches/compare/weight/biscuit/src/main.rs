//! Signs and verifies one token.

use biscuit::jwa::SignatureAlgorithm;
use biscuit::jws::{RegisteredHeader, Secret};
use biscuit::{ClaimsSet, Empty, JWT, RegisteredClaims, Timestamp, ValidationOptions};
use serde::{Deserialize, Serialize};
use std::error::Error;

#[derive(Serialize, Deserialize)]
struct User {
    name: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let secret = Secret::Bytes(vec![7; 32]);
    let registered =
        RegisteredClaims { expiry: Some(Timestamp::from(4_102_444_800)), ..RegisteredClaims::default() };
    let claims = ClaimsSet { registered, private: User { name: "Ann".to_owned() } };
    let token =
        JWT::<User, Empty>::new_decoded(RegisteredHeader::default().into(), claims).encode(&secret)?;
    let verified = token.decode(&secret, SignatureAlgorithm::HS256)?;
    verified.validate(ValidationOptions::default())?;
    println!("{}", verified.payload()?.private.name);
    Ok(())
}
