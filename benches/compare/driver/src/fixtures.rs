//! The tokens that all libraries verify.

use crate::Result;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use compare_common::Algorithm;
use compare_common::claims::{Everything, Size, Tiny};
use compare_common::keys::{RSA, RSA_2048, SECRET};
use compare_common::tokens::{self, Tokens};
use countersign::{HmacKey, PrivateKey, SecretBytes, SignKey};
use serde::Serialize;

const HS256_HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
const OTHER_HEADER: &str = r#"{"typ":"JWT","alg":"HS256"}"#;
const RS256_HEADER: &str = r#"{"alg":"RS256","typ":"JWT"}"#;

/// In the year 2023.
const LONG_AGO: u64 = 1_700_000_900;

pub(crate) fn write(tokens: &Tokens) -> Result<()> {
    let (key, typical) = (HmacKey::hs256(&SecretBytes::from_bytes(SECRET))?, Everything::of(Size::Typical));
    for size in Size::ALL {
        tokens.write(tokens::verify_hs256(size), &token(HS256_HEADER, &Everything::of(size), &key)?)?;
    }
    tokens.write(tokens::VERIFY_TINY, &token(HS256_HEADER, &Tiny::default(), &key)?)?;
    tokens.write(tokens::VERIFY_OTHER_HEADER, &token(OTHER_HEADER, &typical, &key)?)?;
    tokens.write(tokens::VERIFY_IN, &token(HS256_HEADER, &typical, &key)?)?;
    for rsa in RSA {
        let key = PrivateKey::from_pem(rsa.private_pem)?.rs256()?;
        tokens.write(&tokens::verify_rs256(rsa.bits), &token(RS256_HEADER, &typical, &key)?)?;
    }
    write_key_set(tokens, &typical)?;
    for algorithm in Algorithm::ALL {
        match algorithm.secret() {
            Some(secret) => {
                let key = HmacKey::new(algorithm.name().parse()?, &SecretBytes::from_bytes(secret))?;
                write_all(tokens, algorithm, &typical, &key)?;
            }
            None => {
                let key = PrivateKey::from_pem(algorithm.key_pair().private_pem)?;
                write_all(tokens, algorithm, &typical, &key.signing_key(algorithm.name().parse()?)?)?;
            }
        }
    }
    Ok(())
}

/// Writes a JWK set and a token for each of its keys. It is one key under many ids, because it takes minutes to make a thousand RSA
/// keys.
fn write_key_set(tokens: &Tokens, typical: &Everything) -> Result<()> {
    let key = PrivateKey::from_pem(RSA_2048.private_pem)?;
    let (modulus, exponent) = key.public_key()?.modulus_and_exponent().ok_or("not an RSA key")?;
    let (n, e, key) = (base64url(&modulus), base64url(&exponent), key.rs256()?);
    let (mut entries, mut lines) = (Vec::new(), Vec::new());
    for number in 0..tokens::KEYS_IN_SET {
        let header = format!(r#"{{"alg":"RS256","kid":"{number}","typ":"JWT"}}"#);
        lines.push(token(&header, typical, &key)?);
        entries.push(format!(
            r#"{{"kty":"RSA","use":"sig","alg":"RS256","kid":"{number}","n":"{n}","e":"{e}"}}"#
        ));
    }
    tokens.write(tokens::KEY_SET, &format!(r#"{{"keys":[{}]}}"#, entries.join(",")))?;
    Ok(tokens.write(tokens::KEY_SET_TOKENS, &lines.join("\n"))?)
}

/// Writes the token that is to be verified, and those that are to be refused.
fn write_all(tokens: &Tokens, algorithm: Algorithm, typical: &Everything, key: &impl SignKey) -> Result<()> {
    let header = format!(r#"{{"alg":"{}","typ":"JWT"}}"#, algorithm.name());
    let good = token(&header, typical, key)?;
    tokens.write(tokens::verify(algorithm), &good)?;
    tokens.write(&tokens::refused(algorithm, tokens::FORGED), &forged(&good))?;
    let wrong = [
        (tokens::EXPIRED, Everything { exp: LONG_AGO, ..typical.clone() }),
        (tokens::OTHER_ISSUER, Everything { iss: "https://other.example.com".into(), ..typical.clone() }),
        (tokens::OTHER_AUDIENCE, Everything { aud: "https://other.example.com".into(), ..typical.clone() }),
    ];
    for (name, claims) in wrong {
        tokens.write(&tokens::refused(algorithm, name), &token(&header, &claims, key)?)?;
    }
    Ok(())
}

/// With another first character of its signature.
fn forged(token: &str) -> String {
    let (input, signature) = token.rsplit_once('.').unwrap_or_default();
    let first = if signature.starts_with('A') { 'B' } else { 'A' };
    format!("{input}.{first}{}", signature.get(1..).unwrap_or_default())
}

fn token(header: &str, claims: &impl Serialize, key: &impl SignKey) -> Result<String> {
    let input = format!("{}.{}", base64url(header.as_bytes()), base64url(&serde_json::to_vec(claims)?));
    let signature = key.sign_bytes(input.as_bytes()).map_err(|_| "a token cannot be signed")?;
    Ok(format!("{input}.{}", base64url(signature.as_bytes())))
}

fn base64url(bytes: &[u8]) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
