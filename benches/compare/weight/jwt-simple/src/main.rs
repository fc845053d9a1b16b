//! Signs and verifies one token.

use jwt_simple::prelude::*;

#[derive(Serialize, Deserialize)]
struct User {
    name: String,
}

fn main() -> Result<(), jwt_simple::Error> {
    let key = HS256Key::from_bytes(&[7; 32]);
    let claims = Claims::with_custom_claims(User { name: "Ann".to_owned() }, Duration::from_mins(15));
    let token = key.authenticate(claims)?;
    let verified = key.verify_token::<User>(&token, None)?;
    println!("{}", verified.custom.name);
    Ok(())
}
