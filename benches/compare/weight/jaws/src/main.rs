//! Signs and verifies one token.

use jaws::algorithms::SignatureBytes;
use jaws::algorithms::hmac::{Hmac, HmacKey};
use jaws::token::Unverified;
use jaws::{Compact, Token};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::error::Error;

#[derive(Serialize, Deserialize)]
struct User {
    name: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let key = Hmac::<Sha256>::new(HmacKey::from([7; 32]));
    let token =
        Token::compact((), User { name: "Ann".to_owned() }).sign::<_, SignatureBytes>(&key)?.rendered()?;
    let token: Token<User, Unverified<()>, Compact> = token.parse()?;
    let verified = token.verify::<_, SignatureBytes>(&key)?;
    println!("{:?}", verified.payload().map(|user| &user.name));
    Ok(())
}
