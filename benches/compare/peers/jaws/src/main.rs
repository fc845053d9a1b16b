//! `jaws`. It checks signatures and leaves all claims to its caller, so they are checked here. Signing
//! consumes the claims, so they are cloned.

use compare_common::claims::{Everything, Refused, Size, Tiny};
use compare_common::keys::{RsaKey, SECRET};
use compare_common::{Bench, Hs256, Rs256, Sign, Verify};
use jaws::algorithms::hmac::{Hmac, HmacKey};
use jaws::algorithms::{SignatureBytes, TokenSigner, TokenVerifier};
use jaws::token::Unverified;
use jaws::{Compact, Token};
use rsa::pkcs1v15;
use rsa::pkcs8::{DecodePrivateKey, DecodePublicKey};
use rsa::{RsaPrivateKey, RsaPublicKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::Sha256;
use signature::SignatureEncoding;

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<Jaws>();
    bench.rs256::<Jaws>();
    bench.serve();
}

struct Jaws;

impl Hs256 for Jaws {
    fn sign(size: Size) -> impl Sign + 'static {
        sign::<_, SignatureBytes>(Everything::of(size), secret())
    }

    fn verify() -> impl Verify + 'static {
        verify(secret(), Everything::check)
    }

    fn sign_tiny() -> impl Sign + 'static {
        sign::<_, SignatureBytes>(Tiny::default(), secret())
    }

    fn verify_tiny() -> impl Verify + 'static {
        verify(secret(), Tiny::check)
    }
}

impl Rs256 for Jaws {
    fn sign(key: RsaKey) -> impl Sign + 'static {
        let key = RsaPrivateKey::from_pkcs8_pem(key.private_pem).unwrap();
        let key = pkcs1v15::SigningKey::<Sha256>::new(key);
        sign::<_, pkcs1v15::Signature>(Everything::of(Size::Typical), key)
    }

    fn verify(key: RsaKey) -> impl Verify + 'static {
        let key = RsaPublicKey::from_public_key_pem(key.public_pem).unwrap();
        verify(pkcs1v15::VerifyingKey::<Sha256>::new(key), Everything::check)
    }
}

fn secret() -> Hmac<Sha256> {
    Hmac::new(HmacKey::from(SECRET))
}

fn sign<T: Clone + Serialize + 'static, S: SignatureEncoding>(
    claims: T,
    key: impl TokenSigner<S> + 'static,
) -> impl Sign + 'static {
    move || {
        let mut token = Token::compact((), claims.clone());
        *token.header_mut().r#type() = Some("JWT".to_owned());
        let token = token.sign::<_, S>(&key).map_err(|_| "cannot be signed")?;
        token.rendered().map_err(|_| "cannot be written")
    }
}

fn verify<T: Serialize + DeserializeOwned + 'static>(
    key: impl TokenVerifier<SignatureBytes> + 'static,
    check: fn(&T) -> Result<(), Refused>,
) -> impl Verify + 'static {
    move |token: &str| {
        let token: Token<T, Unverified<()>, Compact> = token.parse().map_err(|_| Refused::Token)?;
        let token = token.verify::<_, SignatureBytes>(&key).map_err(|_| Refused::Token)?;
        check(token.payload().ok_or(Refused::Token)?)?;
        Ok::<_, Refused>(token)
    }
}
