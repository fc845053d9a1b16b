//! Checks that dropped keys leave no secrets in memory. The memory is searched while it is freed.
//!
//! The states of the hash after the inner and the outer key block are enough to forge signatures, so they are searched for
//! too. So are the forms in which the libraries of the other algorithms keep private numbers. This file computes all of them
//! without the crate under test.

#[path = "util/watching.rs"]
mod watching;
#[cfg(any(feature = "ecdsa", feature = "ed25519", feature = "k256", feature = "ml-dsa", feature = "p521"))]
#[path = "util/wiped_numbers.rs"]
mod wiped_numbers;

use countersign::{Algorithm, HmacKey, SecretBytes, SignKey};
use sha2::block_api::compress512;
use std::sync::OnceLock;
use watching::{leaks, living, state_after};

const SECRET: [u8; 32] = *b"\x11a secret of this test, 32 bytes";

/// The text of [`SECRET`] in a JWK.
const TEXT: &str = "EWEgc2VjcmV0IG9mIHRoaXMgdGVzdCwgMzIgYnl0ZXM";

/// The bytes to search for.
static NEEDLES: OnceLock<Vec<[u8; 32]>> = OnceLock::new();

/// The initial states of SHA-384 and SHA-512: FIPS 180-4 sections 5.3.4 and 5.3.5.
const SHA384: [u64; 8] = [
    0xcbbb_9d5d_c105_9ed8,
    0x629a_292a_367c_d507,
    0x9159_015a_3070_dd17,
    0x152f_ecd8_f70e_5939,
    0x6733_2667_ffc0_0b31,
    0x8eb4_4a87_6858_1511,
    0xdb0c_2e0d_64f9_8fa7,
    0x47b5_481d_befa_4fa4,
];
const SHA512: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// Returns the first half of the state after the key block XOR `pad`, in the byte order of this machine, as the hash keeps
/// it. The secret is [`SECRET`] twice.
fn wide_state_after(mut state: [u64; 8], pad: u8) -> [u8; 32] {
    let mut block = [pad; 128];
    for (byte, secret) in block.iter_mut().zip(SECRET.iter().chain(&SECRET)) {
        *byte ^= secret;
    }
    compress512(&mut state, &[block]);
    let mut bytes = [0; 32];
    for (place, word) in bytes.chunks_exact_mut(8).zip(state) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

fn needles() -> &'static [[u8; 32]] {
    NEEDLES.get().map_or(&[], Vec::as_slice)
}

/// Returns the bytes to search for: the secret, for each hash the two states that can replace it, and parts of private keys.
fn all_needles() -> Vec<[u8; 32]> {
    #[allow(unused_mut, reason = "without features there are no private keys")]
    let mut needles = vec![
        SECRET,
        *TEXT.as_bytes().first_chunk().unwrap(),
        state_after(SECRET, 0x36),
        state_after(SECRET, 0x5c),
        wide_state_after(SHA384, 0x36),
        wide_state_after(SHA384, 0x5c),
        wide_state_after(SHA512, 0x36),
        wide_state_after(SHA512, 0x5c),
    ];
    #[cfg(feature = "rsa")]
    {
        needles.push(rsa_der().expose_secret()[1000..1032].try_into().unwrap());
        needles.extend(exponent_in_jwk());
    }
    #[cfg(any(
        feature = "ecdsa",
        feature = "ed25519",
        feature = "k256",
        feature = "ml-dsa",
        feature = "p521"
    ))]
    needles.extend(wiped_numbers::needles());
    needles
}

// There is only one test in this file, because it watches all threads.
#[test]
fn a_dropped_key_leaves_neither_its_secret_nor_its_hash_states() {
    NEEDLES.set(all_needles()).unwrap();
    // The search works: a living key holds the states, and a secret that is not wiped is found.
    let (key, found) = living(|| HmacKey::hs256(&SecretBytes::from_bytes(SECRET)).unwrap());
    assert_eq!(found, 1, "the key keeps its states in another form than this test expects");
    assert_eq!(leaks(|| drop(SECRET.to_vec())), 1);

    assert_eq!(leaks(|| drop(key)), 0);
    assert_eq!(leaks(|| drop(SecretBytes::from(SECRET.to_vec()))), 0);
    let signs = Box::new(HmacKey::hs256(&SecretBytes::from_bytes(SECRET)).unwrap());
    assert_eq!(
        leaks(move || {
            signs.sign_bytes(b"input").unwrap();
            drop(signs);
        }),
        0
    );
    for algorithm in [Algorithm::Hs384, Algorithm::Hs512] {
        let twice = || SecretBytes::from([SECRET; 2].concat());
        let (key, found) = living(|| HmacKey::new(algorithm, &twice()).unwrap());
        assert_eq!(found, 1, "{algorithm}");
        assert_eq!(leaks(|| drop(key)), 0, "{algorithm}");
        let sign = || HmacKey::new(algorithm, &twice()).unwrap().sign_bytes(b"input").unwrap();
        assert_eq!(leaks(|| drop(Box::new(sign()))), 0, "{algorithm}");
    }
    // Decoding a text leaves no copy.
    assert_eq!(
        leaks(|| drop(Box::new(HmacKey::hs256(&SecretBytes::from_base64url(TEXT).unwrap()).unwrap()))),
        0
    );
    assert_eq!(
        leaks(|| drop(Box::new(HmacKey::hs256(&SecretBytes::from_base64(TEXT).unwrap()).unwrap()))),
        0
    );
    #[cfg(feature = "key-files")]
    secrets_in_jwks();
    #[cfg(feature = "rsa")]
    rsa_keys();
    #[cfg(feature = "rsa")]
    private_jwks();
    #[cfg(any(
        feature = "ecdsa",
        feature = "ed25519",
        feature = "k256",
        feature = "ml-dsa",
        feature = "p521"
    ))]
    wiped_numbers::check();
}

/// Checks secrets in JWKs: read, with escapes, with an error at the end, and written.
#[cfg(feature = "key-files")]
fn secrets_in_jwks() {
    let jwk = format!(r#"{{"kty":"oct","k":"{TEXT}","kid":"1"}}"#);
    let escaped = jwk.replace("EWEg", r"\u0045\u0057Eg").replace(r#""k""#, r#""\u006b""#);
    let broken = jwk.replace("l0ZXM", "l0ZX=");
    assert_eq!(leaks(|| drop(jwk.clone())), 1);
    assert_eq!(leaks(|| drop(Box::new(SecretBytes::from_jwk(&jwk).unwrap()))), 0);
    assert_eq!(leaks(|| drop(Box::new(SecretBytes::from_jwk(&escaped).unwrap()))), 0);
    assert_eq!(leaks(|| drop(Box::new(SecretBytes::from_jwk(&broken).unwrap_err()))), 0);
    let secret = SecretBytes::from_jwk(&jwk).unwrap();
    assert_eq!(leaks(|| drop(secret.to_private_jwk().unwrap())), 0);
    let thumbprint = || countersign::jwk::Jwk::parse(&jwk).unwrap().thumbprint().unwrap();
    assert_eq!(leaks(|| drop(Box::new(thumbprint()))), 0);
}

/// Returns the member `d` of a JWK.
#[cfg(feature = "rsa")]
fn text_of_exponent(jwk: &str) -> &str {
    let (_, d) = jwk.split_once(r#""d":""#).unwrap();
    d.split_once('"').unwrap().0
}

/// Returns a part of the private exponent of a JWK: as text, as bytes, and in the order in which big numbers are kept.
#[cfg(feature = "rsa")]
fn exponent_in_jwk() -> [[u8; 32]; 3] {
    let key = countersign::PrivateKey::from_pem(include_str!("data/rfc7520_3_4.pem")).unwrap();
    let jwk = key.to_private_jwk().unwrap();
    let d = text_of_exponent(jwk.expose_secret_text().unwrap());
    let number = SecretBytes::from_base64url(d).unwrap();
    let part: [u8; 32] = number.expose_secret()[100..132].try_into().unwrap();
    let mut reversed = part;
    reversed.reverse();
    [*d.as_bytes().first_chunk().unwrap(), part, reversed]
}

/// Checks private keys in JWKs, also one with a number that does not belong to the others.
#[cfg(feature = "rsa")]
fn private_jwks() {
    use countersign::PrivateKey;

    let key = PrivateKey::from_pem(include_str!("data/rfc7520_3_4.pem")).unwrap();
    let written = key.to_private_jwk().unwrap();
    let jwk = written.expose_secret_text().unwrap();
    let d = text_of_exponent(jwk);
    let number = SecretBytes::from_base64url(d).unwrap();
    assert_eq!(leaks(|| drop(jwk.to_owned())), 1);
    assert_eq!(leaks(|| drop(number.expose_secret().to_vec())), 1);
    assert_eq!(leaks(|| drop(number.expose_secret().iter().rev().copied().collect::<Vec<_>>())), 1);

    assert_eq!(leaks(|| drop(PrivateKey::from_jwk(jwk).unwrap())), 0);
    assert_eq!(leaks(|| drop(key.to_private_jwk().unwrap())), 0);
    let escaped = jwk.replacen(d, &format!(r"{}\u{:04x}", &d[..d.len() - 1], d.as_bytes()[d.len() - 1]), 1);
    assert_eq!(leaks(|| drop(PrivateKey::from_jwk(&escaped).unwrap())), 0);
    let wrong = jwk.replace(r#""qi":"3"#, r#""qi":"2"#);
    assert_eq!(PrivateKey::from_jwk(&wrong).unwrap_err().code(), "jwk_mismatch");
    assert_eq!(leaks(|| assert!(PrivateKey::from_jwk(&wrong).is_err())), 0);
}

#[cfg(feature = "rsa")]
const RSA: &str = include_str!("data/rfc7515_a2.pem");

#[cfg(feature = "rsa")]
fn rsa_der() -> SecretBytes {
    let body: String = RSA.lines().filter(|line| !line.starts_with('-')).collect();
    SecretBytes::from_base64(&body).unwrap()
}

/// Checks RSA keys, also a file with an error near its end.
#[cfg(feature = "rsa")]
fn rsa_keys() {
    use countersign::PrivateKey;

    let (pem, der) = (RSA, rsa_der());
    let key = PrivateKey::from_pem(pem).unwrap();
    assert_eq!(leaks(|| drop(der.expose_secret().to_vec())), 1);

    assert_eq!(leaks(|| drop(key)), 0);
    assert_eq!(leaks(|| drop(PrivateKey::from_pem(pem).unwrap())), 0);
    assert_eq!(leaks(|| drop(PrivateKey::from_der(der.expose_secret()).unwrap())), 0);
    let end = pem.find("-----END").unwrap() - 7;
    let broken = format!("{}*{}", &pem[..end], &pem[end + 1..]);
    assert_eq!(leaks(|| assert!(PrivateKey::from_pem(&broken).is_err())), 0);
}
