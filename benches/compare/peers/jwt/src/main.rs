//! `jwt`. It checks signatures and leaves all claims to its caller, so they are checked here.

use compare_common::claims::{Everything, Refused, Size, Tiny};
use compare_common::keys::{RsaKey, SECRET};
use compare_common::{Bench, Hs256, Rs256, Sign, Verify};
use hmac::{Hmac, Mac};
use jwt::{PKeyWithDigest, SignWithKey, SigningAlgorithm, VerifyWithKey, VerifyingAlgorithm};
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use serde::Serialize;
use sha2::Sha256;

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<Jwt>();
    bench.rs256::<Jwt>();
    bench.serve();
}

struct Jwt;

impl Hs256 for Jwt {
    fn sign(size: Size) -> impl Sign + 'static {
        sign(Everything::of(size), secret())
    }

    fn verify() -> impl Verify + 'static {
        verify(secret())
    }

    fn sign_tiny() -> impl Sign + 'static {
        sign(Tiny::default(), secret())
    }

    fn verify_tiny() -> impl Verify + 'static {
        let key = secret();
        move |token: &str| {
            let claims: Tiny = token.verify_with_key(&key).map_err(|_| Refused::Token)?;
            claims.check()?;
            Ok::<_, Refused>(claims)
        }
    }
}

impl Rs256 for Jwt {
    fn sign(key: RsaKey) -> impl Sign + 'static {
        let key = PKey::private_key_from_pem(key.private_pem.as_bytes()).unwrap();
        let key = PKeyWithDigest { digest: MessageDigest::sha256(), key };
        sign(Everything::of(Size::Typical), key)
    }

    fn verify(key: RsaKey) -> impl Verify + 'static {
        let key = PKey::public_key_from_pem(key.public_pem.as_bytes()).unwrap();
        verify(PKeyWithDigest { digest: MessageDigest::sha256(), key })
    }
}

fn secret() -> Hmac<Sha256> {
    Hmac::new_from_slice(&SECRET).unwrap()
}

fn sign<T: Serialize + 'static>(claims: T, key: impl SigningAlgorithm + 'static) -> impl Sign + 'static {
    move || (&claims).sign_with_key(&key)
}

fn verify(key: impl VerifyingAlgorithm + 'static) -> impl Verify + 'static {
    move |token: &str| {
        let claims: Everything = token.verify_with_key(&key).map_err(|_| Refused::Token)?;
        claims.check()?;
        Ok::<_, Refused>(claims)
    }
}
