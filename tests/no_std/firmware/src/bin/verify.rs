//! Reads a token, verifies it with one algorithm, and writes the verdict, the bytes of stack for making the key and for
//! verifying, and the bytes of heap.

#![no_std]
#![no_main]

#[cfg(feature = "hs256")]
use countersign::{HmacKey, KeyError, SecretBytes};
#[cfg(not(feature = "hs256"))]
use countersign::{KeyError, PublicKey, VerifyingKey};
use countersign::{UnixTime, Verifier};

#[cfg(feature = "hs256")]
fn key() -> Result<HmacKey, KeyError> {
    HmacKey::hs256(&SecretBytes::from_bytes(firmware::vectors::SECRET))
}

/// Writes the function that makes the key, for the feature of an algorithm.
macro_rules! key {
    ($feature:literal, $method:ident, $file:expr) => {
        #[cfg(feature = $feature)]
        fn key() -> Result<VerifyingKey, KeyError> {
            PublicKey::from_pem($file)?.$method()
        }
    };
}

key!("rs256", rs256, firmware::vectors::PUBLIC_PEM);
key!("ps256", ps256, firmware::vectors::PUBLIC_PEM);
key!("es256", es256, include_str!("../../../../data/p256_public.pem"));
key!("es384", es384, include_str!("../../../../data/p384_public.pem"));
key!("es512", es512, include_str!("../../../../data/p521_public.pem"));
key!("es256k", es256k, include_str!("../../../../data/secp256k1_public.pem"));
key!("eddsa", ed25519, include_str!("../../../../data/ed25519_public.pem"));
key!("ml-dsa-44", ml_dsa_44, include_str!("../../../../data/ml_dsa_44_public.pem"));
key!("ml-dsa-65", ml_dsa_65, include_str!("../../../../data/ml_dsa_65_public.pem"));
key!("ml-dsa-87", ml_dsa_87, include_str!("../../../../data/ml_dsa_87_public.pem"));

#[cortex_m_rt::entry]
fn main() -> ! {
    firmware::start();
    let mut buffer = [0; 8192];
    let text = firmware::read(&mut buffer);
    let (verifier, making) = firmware::stack_of(|| {
        let key = key().unwrap_or_else(|_| firmware::fail());
        let verifier =
            Verifier::builder(key).issuer("https://auth.example").audience("https://api.example").build();
        verifier.unwrap_or_else(|_| firmware::fail())
    });
    let now = UnixTime::from_secs(1_700_000_000);
    let (verdict, verifying) = firmware::stack_of(|| match verifier.at(now).verify::<()>(text) {
        Ok(token) if token.subject() == Some("user123") => "accepted",
        Ok(_) => "another subject",
        Err(error) => error.code(),
    });
    firmware::write(verdict, &[making, verifying, firmware::most_heap()]);
    firmware::end()
}
