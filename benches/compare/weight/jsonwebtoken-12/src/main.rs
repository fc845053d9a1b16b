//! Signs and verifies one token.

use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use std::error::Error;

#[derive(Serialize, Deserialize)]
struct User {
    name: String,
    exp: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let user = User { name: "Ann".to_owned(), exp: 4_102_444_800 };
    let token = encode(&Header::default(), &user, &EncodingKey::from_secret(&[7; 32])?)?;
    let verified = decode::<User>(&token, &DecodingKey::from_secret(&[7; 32])?, &Validation::default())?;
    println!("{}", verified.claims.name);
    Ok(())
}
