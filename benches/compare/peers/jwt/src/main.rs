//! `jwt`. It checks signatures and leaves all claims to its caller, so they are checked here. It has no PSS, no ES256K and
//! no EdDSA. It does not pad the numbers of ECDSA signatures: one of 128 with ES256 or ES384 is too short, and three of
//! four with ES512, which therefore only verifies here.

use compare_common::claims::{Everything, Refused, Size, Tiny};
use compare_common::keys::{KeyPair, SECRET};
use compare_common::{Algorithm, Bench, Hs256, Rs256, Sign, Verify, tokens};
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use jwt::{PKeyWithDigest, SignWithKey, SigningAlgorithm, VerifyWithKey, VerifyingAlgorithm};
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private, Public};
use serde::Serialize;
use sha2::{Sha256, Sha384, Sha512};

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<Jwt>();
    bench.rs256::<Jwt>();
    hmac::<Hmac<Sha384>>(&mut bench, Algorithm::Hs384);
    hmac::<Hmac<Sha512>>(&mut bench, Algorithm::Hs512);
    for (algorithm, digest) in [
        (Algorithm::Rs384, MessageDigest::sha384()),
        (Algorithm::Rs512, MessageDigest::sha512()),
        (Algorithm::Es256, MessageDigest::sha256()),
        (Algorithm::Es384, MessageDigest::sha384()),
    ] {
        let (private, public) = keys(algorithm.key_pair(), digest);
        bench.algorithm(algorithm, sign(Everything::of(Size::Typical), private), verify(public));
    }
    let (_private, public) = keys(Algorithm::Es512.key_pair(), MessageDigest::sha512());
    bench.verify(tokens::verify(Algorithm::Es512), verify(public));
    bench.serve();
}

fn hmac<M: Mac + KeyInit + SigningAlgorithm + VerifyingAlgorithm + 'static>(
    bench: &mut Bench,
    algorithm: Algorithm,
) {
    let key = || <M as KeyInit>::new_from_slice(algorithm.secret().unwrap()).unwrap();
    bench.algorithm(algorithm, sign(Everything::of(Size::Typical), key()), verify(key()));
}

fn keys(pair: KeyPair, digest: MessageDigest) -> (PKeyWithDigest<Private>, PKeyWithDigest<Public>) {
    let private = PKey::private_key_from_pem(pair.private_pem.as_bytes()).unwrap();
    let public = PKey::public_key_from_pem(pair.public_pem.as_bytes()).unwrap();
    (PKeyWithDigest { digest, key: private }, PKeyWithDigest { digest, key: public })
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
    fn sign(key: KeyPair) -> impl Sign + 'static {
        sign(Everything::of(Size::Typical), keys(key, MessageDigest::sha256()).0)
    }

    fn verify(key: KeyPair) -> impl Verify + 'static {
        verify(keys(key, MessageDigest::sha256()).1)
    }
}

fn secret() -> Hmac<Sha256> {
    KeyInit::new_from_slice(&SECRET).unwrap()
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
