//! Signs and verifies without the standard library, without libc, and without an operating system but for
//! three calls of its kernel. See the README beside this package.

#![no_std]
#![no_main]

extern crate alloc;

mod bare;
mod sessions;
mod vectors;

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::error::Error;
use core::time::Duration;
use countersign::http::Cookie;
use countersign::{
    Algorithm, Claims, Entropy, EntropyError, HmacKey, KeyError, Keys, PrivateKey, PublicKey, SecretBytes,
    SignError, SignKey, UnixTime, Verifier, VerifyError,
};
use countersign_session::Randomness;
use serde::{Deserialize, Serialize};
use vectors::{HS256_TOKEN, PRIVATE_PEM, PUBLIC_PEM, RS256_TOKEN, SECRET};

type Outcome = Result<(), Box<dyn Error>>;

type Step = (&'static str, fn() -> Outcome);

/// Of the key in `vectors`: `openssl req -x509 -subj /CN=auth.example -days 36500`.
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIDETCCAfmgAwIBAgIUSKm2vjwzRx8Yvsuh6R9RgczNQw8wDQYJKoZIhvcNAQEL
BQAwFzEVMBMGA1UEAwwMYXV0aC5leGFtcGxlMCAXDTI2MTIwMjAwMjQzOVoYDzIx
MjYxMTA4MDAyNDM5WjAXMRUwEwYDVQQDDAxhdXRoLmV4YW1wbGUwggEiMA0GCSqG
SIb3DQEBAQUAA4IBDwAwggEKAoIBAQC+hnHNsryAKYp22b9Dgggcz13ykLclT3UL
ghf1FQACy20ZVBCk6ubaN4LmR1WIJTMZFq7jB/P/hn4gspXTjcsB2IklJVoCbpS7
zJEKPmOtwxm2Qxna4wfdFxo1ZvxDPYRRsBIoa00Hmq+f7ApgP0HdwAWLjf/wd3kF
a0TlaujNBEsh7irrYFoLA8M4BOa7mJhVjnfjMjVO8sfDCdcKawLKYWoSUTv1J1tc
nkGwjxho0pKRKG0A3QxJIaYMnlxgq7UUZTfc/QZXox9pzfF8eT9XhDuQ7oga8f+u
VgpOePvZF4ghAi26DaoZZZYu528AA+OEhRBLMTYus6mOlHrUAhRfAgMBAAGjUzBR
MB0GA1UdDgQWBBQZSvVI732cZCVBAac5p5ne+RILtTAfBgNVHSMEGDAWgBQZSvVI
732cZCVBAac5p5ne+RILtTAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUA
A4IBAQAUAeoHlrb0BHNFAln3NnFXiPBE8ddTRIw+g8A4puZCKOhh2Ucn+W6Fizt8
dcgG1jPGrcojGEphtCnlzE7gEGLAT2/L4fQPZPpvOVXSdSAk38l9pIpem9+wu7Mg
rGyiUx2bt5EP1qyf5yceeF2wduHE71S04sHcf7MqDjAEzySGw6CvxzG72QNJYN1l
JdhhMMFDVtxBnuAJJnmjqbO3UEzrfTFn2wHATr+2VCe2B5+2Lavi/rWcgEZHU3Il
pBVq5o2fxUbZGLV8yRFAghBKU18n2ydhvlUmA0gglYQkqgyO8nxF6tMXvjRQSc4r
6uXLIPdMDB+f9yRdEBWpb2svyjYO
-----END CERTIFICATE-----
";

/// The number of the step that fails, from 1, is the exit code.
const STEPS: [Step; 13] = [
    ("HS256 signs what OpenSSL signs, and verifies it", hs256_signs_and_verifies),
    ("RS256 signs what OpenSSL signs, and verifies it", rs256_signs_and_verifies),
    ("the key in a certificate verifies what its private half signed", certificate_verifies),
    ("ES256, ES384 and EdDSA keys are generated, sign and verify", curves_sign_and_verify),
    ("an ML-DSA-65 key is generated, signs and verifies", ml_dsa_signs_and_verifies),
    ("HS256 tokens with a changed character are refused", hs256_tampered_tokens_are_refused),
    ("RS256 tokens with a changed character are refused", rs256_tampered_tokens_are_refused),
    ("a token of one key is refused by the other", tokens_of_other_keys_are_refused),
    ("an expired token is refused, and called expired", expired_tokens_are_refused),
    ("without a clock the time of issue has to be given", signing_reads_no_clock),
    ("randomness is the caller's, and its failure an error", randomness_is_the_callers),
    ("a bearer token is taken out of its header, and a cookie goes and comes", headers_are_read_and_written),
    ("a session begins, is exchanged, repeated, and ends with the reuse of a token", sessions_run),
];

extern "C" fn main() -> ! {
    for ((name, step), code) in STEPS.iter().zip(1..) {
        if let Err(error) = step() {
            bare::print(2, &format!("no_std: step {code} failed: {name}: {error}\n"));
            bare::exit(code);
        }
    }
    bare::print(
        1,
        "no_std: HS256, RS256, ES256, ES384, EdDSA and ML-DSA-65 tokens signed, verified and refused, and a session run, without std\n",
    );
    bare::exit(0)
}

#[derive(Serialize, Deserialize)]
struct User {
    name: String,
    admin: bool,
}

const ISSUED: UnixTime = UnixTime::from_secs(1_700_000_000);
const LIFETIME: Duration = Duration::from_secs(900);
const LEEWAY: Duration = Duration::from_secs(30);

/// The kernel's randomness, without the crate that usually asks for it.
struct Kernel;

impl Entropy for Kernel {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bare::random(bytes).map_err(|()| EntropyError::new())
    }
}

/// A source that repeats itself.
struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        bytes.fill(7);
        Ok(())
    }
}

/// A source that has run dry.
struct Dry;

impl Entropy for Dry {
    fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
        Err(EntropyError::new())
    }
}

fn hs256() -> Result<HmacKey, KeyError> {
    HmacKey::hs256(&SecretBytes::from_bytes(SECRET))
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
    let builder = Verifier::builder(key).issuer("https://auth.example").audience("https://api.example");
    Ok(builder.leeway(LEEWAY).build()?)
}

fn hs256_signs_and_verifies() -> Outcome {
    signs_and_verifies(&hs256()?, &verifier(hs256()?)?, HS256_TOKEN)
}

fn rs256_signs_and_verifies() -> Outcome {
    let key = PrivateKey::from_pem(PRIVATE_PEM)?.rs256_with(Kernel)?;
    signs_and_verifies(&key, &verifier(PublicKey::from_pem(PUBLIC_PEM)?.rs256()?)?, RS256_TOKEN)?;
    signs_and_verifies(&key, &verifier(key.verifying_key())?, RS256_TOKEN)
}

fn curves_sign_and_verify() -> Outcome {
    for algorithm in [Algorithm::Es256, Algorithm::Es384, Algorithm::Ed25519] {
        let private = PrivateKey::generate_with(algorithm, &Kernel)?;
        let key = private.signing_key_with(algorithm, Kernel)?;
        let public = PublicKey::from_pem(&private.public_key()?.to_pem()?)?;
        // Signatures are deterministic.
        let expected = claims().sign(&key)?;
        signs_and_verifies(&key, &verifier(public.verifying_key(algorithm)?)?, &expected)?;
    }
    Ok(())
}

fn ml_dsa_signs_and_verifies() -> Outcome {
    let private = PrivateKey::generate_with(Algorithm::MlDsa65, &Kernel)?;
    let public = PublicKey::from_pem(&private.public_key()?.to_pem()?)?;
    let verifier = verifier(public.ml_dsa_65()?)?;
    // A source that repeats itself repeats the signature.
    let key = private.ml_dsa_65_with(Fixed)?;
    signs_and_verifies(&key, &verifier, &claims().sign(&key)?)?;
    let key = private.ml_dsa_65_with(Kernel)?;
    let [text, other] = [claims().sign(&key)?, claims().sign(&key)?];
    verifier.at(ISSUED).verify::<User>(&text)?;
    ensure(text != other, "signed without randomness")?;
    let dry = private.ml_dsa_65_with(Dry)?;
    ensure(claims().sign(&dry).err() == Some(SignError::Entropy), "signed although the source has run dry")
}

fn certificate_verifies() -> Outcome {
    let key = PrivateKey::from_pem(PRIVATE_PEM)?.rs256_with(Kernel)?;
    let public = PublicKey::from_certificate_pem(CERTIFICATE)?;
    signs_and_verifies(&key, &verifier(public.rs256()?)?, RS256_TOKEN)
}

/// Both algorithms are deterministic: blinding does not show in the signature.
fn signs_and_verifies(key: &impl SignKey, verifier: &Verifier, expected: &str) -> Outcome {
    let text = claims().sign(key)?;
    ensure(text == expected, "the token is another")?;
    let token = verifier.at(ISSUED).verify::<User>(&text)?;
    ensure(token.subject() == Some("user123"), "the subject is another")?;
    ensure(token.expires_at() == Some(ISSUED.saturating_add(LIFETIME)), "the expiry is another")?;
    ensure(token.claims().name == "Änne" && token.claims().admin, "the claims are others")
}

fn hs256_tampered_tokens_are_refused() -> Outcome {
    changed_tokens_are_refused(&verifier(hs256()?)?, HS256_TOKEN)
}

fn rs256_tampered_tokens_are_refused() -> Outcome {
    changed_tokens_are_refused(&verifier(PublicKey::from_pem(PUBLIC_PEM)?.rs256()?)?, RS256_TOKEN)
}

/// Each character in turn becomes another of the alphabet; each is also left out.
fn changed_tokens_are_refused(verifier: &Verifier, token: &str) -> Outcome {
    verifier.at(ISSUED).verify::<User>(token)?;
    for (place, character) in token.char_indices() {
        let (before, after) = (&token[..place], &token[place + 1..]);
        let other = if character == 'A' { 'B' } else { 'A' };
        for changed in [format!("{before}{other}{after}"), format!("{before}{after}")] {
            if verifier.at(ISSUED).verify::<User>(&changed).is_ok() {
                return Err(format!("accepted with a change at {place}").into());
            }
        }
    }
    // All of it is well formed, and only the signature is another token's.
    let forged = claims().subject("user456").sign(&hs256()?)?;
    let segments = token.split('.').zip(forged.split('.')).collect::<Vec<_>>();
    let [(header, _), (_, payload), (signature, _)] = segments[..] else {
        return Err("not three segments".into());
    };
    let refused = verifier.at(ISSUED).verify::<User>(&format!("{header}.{payload}.{signature}")).err();
    ensure(refused == Some(VerifyError::InvalidSignature), "a forged payload is not called a bad signature")
}

fn tokens_of_other_keys_are_refused() -> Outcome {
    let hs256_only = verifier(hs256()?)?;
    let rs256_only = verifier(PublicKey::from_pem(PUBLIC_PEM)?.rs256()?)?;
    for (verifier, token) in [(&hs256_only, RS256_TOKEN), (&rs256_only, HS256_TOKEN)] {
        let refused = verifier.at(ISSUED).verify::<User>(token).err();
        ensure(
            matches!(refused, Some(VerifyError::AlgorithmMismatch { .. })),
            "the header chose the algorithm",
        )?;
    }
    let other = verifier(HmacKey::generate_with(Algorithm::Hs256, &Kernel)?)?;
    let refused = other.at(ISSUED).verify::<User>(HS256_TOKEN).err();
    ensure(refused == Some(VerifyError::InvalidSignature), "another secret verified the token")
}

fn expired_tokens_are_refused() -> Outcome {
    let end = ISSUED.saturating_add(LIFETIME).saturating_add(LEEWAY);
    let second = Duration::from_secs(1);
    let hs256 = verifier(hs256()?)?;
    let rs256 = verifier(PublicKey::from_pem(PUBLIC_PEM)?.rs256()?)?;
    for (verifier, token) in [(hs256, HS256_TOKEN), (rs256, RS256_TOKEN)] {
        verifier.at(end.saturating_sub(second)).verify::<User>(token)?;
        let refused = verifier.at(end).verify::<User>(token).err();
        ensure(refused.is_some_and(|error| error.is_expired()), "accepted at its end")?;
    }
    Ok(())
}

fn signing_reads_no_clock() -> Outcome {
    let refused = Claims::registered().expires_in(LIFETIME).sign(&hs256()?).err();
    ensure(refused == Some(SignError::NoClock), "a clock was found")
}

fn randomness_is_the_callers() -> Outcome {
    let key = PrivateKey::from_pem(PRIVATE_PEM)?.rs256_with(Dry)?;
    ensure(claims().sign(&key).err() == Some(SignError::Entropy), "signed without randomness")?;
    ensure(
        HmacKey::generate_with(Algorithm::Hs256, &Dry).err() == Some(KeyError::Entropy),
        "a key of no randomness",
    )
}

fn headers_are_read_and_written() -> Outcome {
    let verifier = verifier(hs256()?)?;
    let token = verifier.at(ISSUED).verify_bearer::<User>([&format!("bearer {HS256_TOKEN}")])?;
    ensure(token.claims().admin, "the claims are others")?;
    let Err(missing) = verifier.at(ISSUED).verify_bearer::<User>(None::<&str>) else {
        return Err("nobody is let in".into());
    };
    ensure(missing.challenge().www_authenticate() == Some("Bearer"), "the challenge is another")?;
    let cookie = Cookie::refresh();
    let set = cookie.set("value", LIFETIME)?;
    ensure(cookie.find(set.expose_secret().split(';').take(1))? == Some("value"), "the cookie is another")
}

fn sessions_run() -> Outcome {
    sessions::run(&Kernel)?;
    ensure(Randomness::draw(&Dry).is_err(), "randomness out of nothing")
}

fn ensure(holds: bool, otherwise: &'static str) -> Outcome {
    if holds { Ok(()) } else { Err(otherwise.into()) }
}
