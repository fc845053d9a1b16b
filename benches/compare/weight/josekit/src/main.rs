//! Signs and verifies one token.

use josekit::jws::{HS256, JwsHeader};
use josekit::jwt::{self, JwtPayload, JwtPayloadValidator};
use std::error::Error;
use std::time::{Duration, SystemTime};

fn main() -> Result<(), Box<dyn Error>> {
    let mut payload = JwtPayload::new();
    payload.set_claim("name", Some("Ann".into()))?;
    payload.set_expires_at(&(SystemTime::now() + Duration::from_secs(900)));
    let token = jwt::encode_with_signer(&payload, &JwsHeader::new(), &HS256.signer_from_bytes([7; 32])?)?;
    let (verified, _header) = jwt::decode_with_verifier(&token, &HS256.verifier_from_bytes([7; 32])?)?;
    JwtPayloadValidator::new().validate(&verified)?;
    println!("{:?}", verified.claim("name"));
    Ok(())
}
