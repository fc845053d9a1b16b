//! Signs and verifies one token.

use chrono::Duration;
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, TimeOptions, UntrustedToken};
use serde::{Deserialize, Serialize};
use std::error::Error;

#[derive(Serialize, Deserialize)]
struct User {
    name: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let (key, options) = (Hs256Key::new([7; 32]), TimeOptions::default());
    let claims = Claims::new(User { name: "Ann".to_owned() }).set_duration(&options, Duration::minutes(15));
    let token = Hs256.token(&Header::empty(), &claims, &key)?;
    let verified = Hs256.validator::<User>(&key).validate(&UntrustedToken::new(&token)?)?;
    verified.claims().validate_expiration(&options)?;
    println!("{}", verified.claims().custom.name);
    Ok(())
}
