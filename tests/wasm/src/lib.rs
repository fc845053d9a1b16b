//! Signs and verifies on `wasm32-unknown-unknown`: pointers of 32 bits, no operating system, no clock, with the standard
//! library and without it. Keys and tokens are those of `tests/no_std`, which makes the same ones on x86_64.

#![no_std]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod bare;
#[cfg(not(feature = "std"))]
mod memory;
#[path = "../../no_std/src/sessions.rs"]
mod sessions;
#[path = "../../no_std/src/vectors.rs"]
mod vectors;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::error::Error;
use core::time::Duration;
use countersign::{
    Algorithm, Claims, Entropy, EntropyError, HmacKey, Keys, PrivateKey, PublicKey, SecretBytes, SignError,
    SignKey, UnixTime, Verifier, VerifyError,
};
use serde::{Deserialize, Serialize};
use vectors::{HS256_TOKEN, PRIVATE_PEM, PUBLIC_PEM, RS256_TOKEN, SECRET};

type Outcome = Result<(), Box<dyn Error>>;

/// Returns 0, or 1 after having printed what failed.
#[unsafe(no_mangle)]
pub extern "C" fn run() -> i32 {
    if let Err(error) = run_all() {
        bare::print(&format!("wasm: failed: {error}"));
        return 1;
    }
    let (bits, library) = (usize::BITS, if cfg!(feature = "std") { "with" } else { "without" });
    bare::print(&format!(
        "wasm: HS256 and RS256 tokens, byte for byte those of x86_64, ES256, ES384, EdDSA and ML-DSA-65 tokens, and a session, with a usize of {bits} bits, {library} std"
    ));
    0
}

fn run_all() -> Outcome {
    hs256()?;
    rs256()?;
    curves()?;
    ml_dsa()?;
    numbers_beyond_32_bits()?;
    no_clock()?;
    sessions::run(&Host)
}

#[derive(Serialize, Deserialize)]
struct User {
    name: String,
    admin: bool,
}

const ISSUED: UnixTime = UnixTime::from_secs(1_700_000_000);
const LIFETIME: Duration = Duration::from_secs(900);

/// The host's randomness.
struct Host;

impl Entropy for Host {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bare::random(bytes);
        Ok(())
    }
}

/// Randomness that repeats itself, and signatures with it.
struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(7);
        Ok(())
    }
}

fn claims() -> Claims<User> {
    Claims::new(User { name: "Änne".into(), admin: true })
        .issuer("https://auth.example")
        .subject("user123")
        .audience("https://api.example")
        .issued_at(ISSUED)
        .expires_in(LIFETIME)
}

fn verifier(key: impl Into<Keys>) -> Result<Verifier, Box<dyn Error>> {
    Ok(Verifier::builder(key).issuer("https://auth.example").audience("https://api.example").build()?)
}

fn hs256() -> Outcome {
    let key = HmacKey::hs256(&SecretBytes::from_bytes(SECRET))?;
    signs_and_verifies(&key, &verifier(key.clone())?, HS256_TOKEN)
}

fn rs256() -> Outcome {
    let key = PrivateKey::from_pem(PRIVATE_PEM)?.rs256_with(Host)?;
    signs_and_verifies(&key, &verifier(PublicKey::from_pem(PUBLIC_PEM)?.rs256()?)?, RS256_TOKEN)
}

fn curves() -> Outcome {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Ed25519] {
        let private = PrivateKey::generate_with(algorithm, &Host)?;
        let key = private.signing_key_with(algorithm, Host)?;
        let public = private.public_key()?.verifying_key(algorithm)?;
        signs_and_verifies(&key, &verifier(public)?, &claims().sign(&key)?)?;
    }
    Ok(())
}

fn ml_dsa() -> Outcome {
    let private = PrivateKey::generate_with(Algorithm::MlDsa65, &Host)?;
    let key = private.ml_dsa_65_with(Fixed)?;
    let public = PublicKey::from_pem(&private.public_key()?.to_pem()?)?.ml_dsa_65()?;
    signs_and_verifies(&key, &verifier(public)?, &claims().sign(&key)?)
}

/// All algorithms but ML-DSA are deterministic, and that has fixed randomness here: blinding does not show in the signature.
fn signs_and_verifies(key: &impl SignKey, verifier: &Verifier, expected: &str) -> Outcome {
    let text = claims().sign(key)?;
    ensure(text == expected, "the token is another")?;
    let token = verifier.at(ISSUED).verify::<User>(&text)?;
    ensure(token.expires_at() == Some(ISSUED.saturating_add(LIFETIME)), "the expiry is another")?;
    ensure(token.claims().name == "Änne" && token.claims().admin, "the claims are others")?;
    let end = ISSUED.saturating_add(Duration::from_secs(3600));
    let expired = verifier.at(end).verify::<User>(&text).err();
    ensure(expired.is_some_and(|error| error.is_expired()), "not called expired")?;
    // The payload of another token of the same key.
    let other = claims().subject("user456").sign(key)?;
    let (signed, _) = other.rsplit_once('.').ok_or("no signature")?;
    let (_, signature) = text.rsplit_once('.').ok_or("no signature")?;
    let forged = verifier.at(ISSUED).verify::<User>(&format!("{signed}.{signature}")).err();
    ensure(forged == Some(VerifyError::InvalidSignature), "a forged payload is not called a bad signature")
}

/// Times are 64 bits wide wherever the program runs.
fn numbers_beyond_32_bits() -> Outcome {
    let key = HmacKey::hs256(&SecretBytes::from_bytes(SECRET))?;
    let verifier = verifier(key.clone())?;
    let late = UnixTime::from_secs((1 << 33) + 900);
    let text = claims().expires_at(late).sign(&key)?;
    ensure(
        verifier.at(ISSUED).verify::<User>(&text)?.expires_at() == Some(late),
        "a late expiry is cut off",
    )?;
    let after = late.saturating_add(Duration::from_secs(3600));
    let expired = verifier.at(after).verify::<User>(&text).err();
    ensure(expired.is_some_and(|error| error.is_expired()), "late, and not called expired")
}

/// `std` has no clock here: what would read it does not exist, or is an error.
fn no_clock() -> Outcome {
    let key = HmacKey::hs256(&SecretBytes::from_bytes(SECRET))?;
    let error = Claims::registered().expires_in(LIFETIME).sign(&key).err();
    ensure(error == Some(SignError::NoClock), "an expiry is counted from a clock that is not there")
}

fn ensure(holds: bool, otherwise: &'static str) -> Outcome {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
