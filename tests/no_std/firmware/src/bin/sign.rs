//! Signs a token with one algorithm, and writes the token, the bytes of stack for making the key and for signing, and the bytes
//! of heap.

#![no_std]
#![no_main]

use core::time::Duration;
use countersign::{Claims, UnixTime};
#[cfg(feature = "hs256")]
use countersign::{HmacKey, KeyError, SecretBytes};
#[cfg(not(feature = "hs256"))]
use countersign::{KeyError, PrivateKey, SigningKey};

#[cfg(feature = "hs256")]
fn key() -> Result<HmacKey, KeyError> {
    HmacKey::hs256(&SecretBytes::from_bytes(firmware::vectors::SECRET))
}

/// Writes the function that makes the key, for the feature of an algorithm. The source in the
/// brackets is for those that draw randomness.
macro_rules! key {
    ($feature:literal, $method:ident($($entropy:expr)?), $file:expr) => {
        #[cfg(feature = $feature)]
        fn key() -> Result<SigningKey, KeyError> {
            PrivateKey::from_pem($file)?.$method($($entropy)?)
        }
    };
}

key!("rs256", rs256_with(firmware::Fixed), firmware::vectors::PRIVATE_PEM);
key!("ps256", ps256_with(firmware::Fixed), firmware::vectors::PRIVATE_PEM);
key!("es256", es256(), include_str!("../../../../data/p256.pem"));
key!("es384", es384(), include_str!("../../../../data/p384.pem"));
key!("es512", es512(), include_str!("../../../../data/p521.pem"));
key!("es256k", es256k(), include_str!("../../../../data/secp256k1.pem"));
key!("eddsa", ed25519(), include_str!("../../../../data/ed25519.pem"));
key!("ml-dsa-44", ml_dsa_44_with(firmware::Fixed), include_str!("../../../../data/ml_dsa_44_seed.pem"));
key!("ml-dsa-65", ml_dsa_65_with(firmware::Fixed), include_str!("../../../../data/ml_dsa_65_seed.pem"));
key!("ml-dsa-87", ml_dsa_87_with(firmware::Fixed), include_str!("../../../../data/ml_dsa_87_seed.pem"));

#[cortex_m_rt::entry]
fn main() -> ! {
    firmware::start();
    let (key, making) = firmware::stack_of(|| key().unwrap_or_else(|_| firmware::fail()));
    let (token, signing) = firmware::stack_of(|| {
        Claims::registered()
            .issuer("https://auth.example")
            .subject("user123")
            .audience("https://api.example")
            .issued_at(UnixTime::from_secs(1_700_000_000))
            .expires_in(Duration::from_secs(900))
            .sign(&key)
            .unwrap_or_else(|_| firmware::fail())
    });
    firmware::write(&token, &[making, signing, firmware::most_heap()]);
    firmware::end()
}
