//! Verifies a token of an issuer with the keys that the issuer publishes, and prints its claims or why it is refused.
//!
//! ```sh
//! cargo run -p countersign-jwks --example verify_from_issuer -- https://idp.example https://api.example TOKEN
//! ```
//!
//! Without the third argument, the token is read from standard input, so that it is not in the list of processes.

use countersign::Algorithm;
use countersign_jwks::{RemoteKeys, RemoteVerifier};
use std::error::Error;
use std::process::ExitCode;

/// In your program, name only those that your issuer signs with.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::Rs256,
    Algorithm::Rs384,
    Algorithm::Rs512,
    Algorithm::Ps256,
    Algorithm::Ps384,
    Algorithm::Ps512,
    Algorithm::Es256,
    Algorithm::Es384,
    Algorithm::Ed25519,
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match verify().await {
        Ok(claims) => {
            println!("{claims}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn verify() -> Result<String, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (issuer, audience, token) = match &*arguments {
        [issuer, audience] => (issuer, audience, std::io::read_to_string(std::io::stdin())?),
        [issuer, audience, token] => (issuer, audience, token.clone()),
        _ => return Err("usage: verify_from_issuer ISSUER AUDIENCE [TOKEN]".into()),
    };
    let keys = RemoteKeys::discover(issuer, &ALGORITHMS).await?;
    for entry in keys.status().skipped {
        eprintln!("skipped entry {} of the key set: {}", entry.position, entry.reason);
    }
    // ID tokens have the type JWT or none, access tokens often at+jwt.
    let verifier = RemoteVerifier::new(keys, |policy| {
        policy.issuer(issuer.as_str()).audience(audience.as_str()).accept_any_typ()
    })?;
    Ok(verifier.verify::<()>(token.trim()).await?.payload().into())
}
