//! Signs and verifies one token with an algorithm of the feature that this is built with.

#![allow(dead_code, unused_imports, reason = "each feature uses a part")]

use countersign::{Claims, Keys, SigningKey, Verifier};
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::time::Duration;

const RSA: &str = include_str!("../../../keys/rsa2048.private.pem");

/// Signed with this key. It expires in the year 2100.
const TOKEN: &str = include_str!("../rs256.jwt");

#[derive(Serialize, Deserialize)]
struct User {
    name: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    #[cfg(feature = "rsa-verify")]
    {
        let public = include_str!("../../../keys/rsa2048.public.pem");
        verify(countersign::PublicKey::from_pem(public)?.rs256()?, TOKEN.trim_end())?;
    }
    #[cfg(feature = "rsa")]
    sign(countersign::PrivateKey::from_pem(RSA)?.rs256()?)?;
    #[cfg(feature = "ecdsa")]
    {
        let private = include_str!("../../../keys/p256.private.pem");
        sign(countersign::PrivateKey::from_pem(private)?.es256()?)?;
    }
    #[cfg(feature = "p521")]
    {
        let private = include_str!("../../../keys/p521.private.pem");
        sign(countersign::PrivateKey::from_pem(private)?.es512()?)?;
    }
    #[cfg(feature = "k256")]
    {
        let private = include_str!("../../../keys/secp256k1.private.pem");
        sign(countersign::PrivateKey::from_pem(private)?.es256k()?)?;
    }
    #[cfg(feature = "ed25519")]
    {
        let private = include_str!("../../../keys/ed25519.private.pem");
        sign(countersign::PrivateKey::from_pem(private)?.ed25519()?)?;
    }
    #[cfg(feature = "aws-lc-rs")]
    {
        let private = countersign::PrivateKey::from_pem(RSA)?;
        sign(countersign::aws_lc::signing_key(&private, countersign::Algorithm::Rs256)?)?;
    }
    #[cfg(feature = "graviola")]
    {
        let private = countersign::PrivateKey::from_pem(RSA)?;
        sign(countersign::graviola::signing_key(&private, countersign::Algorithm::Rs256)?)?;
    }
    #[cfg(feature = "ml-dsa")]
    sign(countersign::PrivateKey::generate(countersign::Algorithm::MlDsa65)?.ml_dsa_65()?)?;
    Ok(())
}

fn sign(key: SigningKey) -> Result<(), Box<dyn Error>> {
    let claims = Claims::new(User { name: "Ann".to_owned() }).expires_in(Duration::from_secs(900));
    let token = claims.sign(&key)?;
    verify(key.verifying_key(), &token)
}

fn verify(key: impl Into<Keys>, token: &str) -> Result<(), Box<dyn Error>> {
    let verifier = Verifier::builder(key).accept_any_issuer().no_audience().build()?;
    println!("{}", verifier.verify::<User>(token)?.claims().name);
    Ok(())
}
