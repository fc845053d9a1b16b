//! Signs a token with a key in a PKCS#11 token, and verifies it.
//!
//! ```sh
//! PKCS11_PIN=1234 cargo run -p pkcs11 -- /usr/lib/softhsm/libsofthsm2.so TOKEN KEY RS256
//! ```
//!
//! TOKEN and KEY are labels. The last argument is the algorithm: RS256, ES256 or EdDSA. `with-softhsm` makes a token with three
//! keys and runs this program with each of them.

mod token;

use countersign::{Algorithm, Claims, Verifier};
use std::process::ExitCode;
use std::time::Duration;
use token::Token;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [module, token, label, algorithm] = arguments.as_slice() else {
        return Err("usage: PKCS11_PIN=... pkcs11 MODULE TOKEN KEY ALGORITHM".into());
    };
    let pin = std::env::var("PKCS11_PIN").map_err(|_| "set PKCS11_PIN to the PIN of the token")?;
    let algorithm: Algorithm = algorithm.parse()?;

    let key = Token::open(module.as_ref(), token, pin)?.signing_key(label, algorithm)?;
    let text = Claims::registered()
        .issuer("https://auth.example")
        .subject("user123")
        .expires_in(Duration::from_secs(15 * 60))
        .sign(&key)?;
    println!("{text}");

    // An application server has the public half only.
    let verifier =
        Verifier::builder(key.verifying_key()).issuer("https://auth.example").no_audience().build()?;
    let verified = verifier.verify::<()>(&text)?;
    assert_eq!((verified.subject(), verified.header().key_id()), (Some("user123"), Some(label.as_str())));
    println!("verified with {algorithm}: {}", verified.payload());
    Ok(())
}
