//! Signs and verifies one token.

use compact_jwt::{JwsHs256Signer, JwsSigner, JwsVerifier, Jwt, JwtError, JwtUnverified};
use serde::{Deserialize, Serialize};

#[derive(Clone, Default, Serialize, Deserialize)]
struct User {
    name: String,
}

fn main() -> Result<(), JwtError> {
    let key = JwsHs256Signer::try_from([7; 32].as_slice())?;
    let claims = Jwt { extensions: User { name: "Ann".to_owned() }, ..Jwt::default() };
    let token = key.sign(&claims)?.to_string();
    let token: JwtUnverified<User> = token.parse()?;
    let verified = key.verify(&token)?;
    println!("{}", verified.extensions.name);
    Ok(())
}
