//! Signs PSS messages (RFC 8017 section 9.1) with one mistake each. Our verifiers and the crate `rsa` must refuse each of
//! them.
#![cfg(feature = "rsa")]

mod util;

use countersign::{Algorithm, KeyError, PublicKey, SignKey, VerifyKey};
use rsa::hazmat::rsa_decrypt_and_check;
use rsa::pkcs8::{DecodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::UnwrapErr;
use rsa::signature::Verifier;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, PrivateKey, pss};
use sha2::digest::FixedOutputReset;
use sha2::{Digest, Sha256, Sha384, Sha512};
use util::random::Random;
use util::rsa_verifiers;

/// Keys of several lengths. If the modulus has 2049 bits, the message is a byte shorter than the signature.
const KEYS: [&str; 5] = [
    include_str!("data/rfc7515_a2.pem"),
    include_str!("data/rsa_2049.pem"),
    include_str!("data/rsa_2050.pem"),
    include_str!("data/rsa_3072.pem"),
    include_str!("data/rsa_2112.pem"),
];

const INPUT: &[u8] = b"header.payload";

/// The mistake in a message.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mistake {
    None,
    /// Another last byte.
    Trailer(u8),
    /// A bit of the first byte is set that is above the length of the message.
    UnusedBit,
    /// A bit is set in the byte before the message, if there is one.
    BitBefore,
    /// The byte of the padding at this position is not zero.
    Padding(usize),
    /// Another byte between padding and salt.
    Separator(u8),
    /// A salt of another length.
    SaltOf(usize),
    /// A salt, a hash or a message that differs from the one that was hashed.
    OtherSalt,
    OtherHash,
    OtherMessage,
    /// The mask of another hash function.
    OtherMask,
    /// The eight bytes before the hash of the message are not all zero.
    OtherZeros,
}

fn mask<H: Digest>(seed: &[u8], length: usize) -> Vec<u8> {
    (0_u32..)
        .flat_map(|count| H::new().chain_update(seed).chain_update(count.to_be_bytes()).finalize())
        .take(length)
        .collect()
}

/// EMSA-PSS-ENCODE (RFC 8017 section 9.1.1) with a mistake. The result is as long as the modulus.
fn encode<H: Digest>(bits: usize, mistake: Mistake, random: &mut Random) -> Option<Vec<u8>> {
    let (hash_bytes, message_bytes) = (<H as Digest>::output_size(), (bits - 1).div_ceil(8));
    let salt_bytes = if let Mistake::SaltOf(bytes) = mistake { bytes } else { hash_bytes };
    let mut salt = random.bytes(salt_bytes);
    let input: &[u8] = if mistake == Mistake::OtherMessage { b"header.other" } else { INPUT };
    let zeros = [0, 0, 0, 0, 0, 0, 0, u8::from(mistake == Mistake::OtherZeros)];
    let hash = H::new().chain_update(zeros).chain_update(H::digest(input)).chain_update(&salt);
    let mut hash = hash.finalize().to_vec();
    if mistake == Mistake::OtherSalt {
        *salt.first_mut()? ^= 1;
    }
    let padding_bytes = message_bytes.checked_sub(salt_bytes + hash_bytes + 2)?;
    let mut padding = vec![0; padding_bytes];
    if let Mistake::Padding(place) = mistake {
        *padding.get_mut(place)? = 1;
    }
    let separator = if let Mistake::Separator(byte) = mistake { byte } else { 1 };
    let mut block = [padding, vec![separator], salt].concat();
    let mask = match mistake {
        Mistake::OtherMask => mask::<sha2::Sha224>(&hash, block.len()),
        _ => mask::<H>(&hash, block.len()),
    };
    block.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
    let unused = 8 * message_bytes - (bits - 1);
    block[0] &= 0xff_u8.checked_shr(u32::try_from(unused).unwrap())?;
    if mistake == Mistake::UnusedBit {
        block[0] |= 0x80_u8.checked_shr(u32::try_from(unused.checked_sub(1)?).unwrap())?;
    }
    if mistake == Mistake::OtherHash {
        hash[0] ^= 1;
    }
    let trailer = if let Mistake::Trailer(byte) = mistake { byte } else { 0xbc };
    let mut whole = vec![0; bits.div_ceil(8) - message_bytes];
    if mistake == Mistake::BitBefore {
        *whole.first_mut()? = 1;
    }
    whole.extend([&block, &hash, &vec![trailer]].into_iter().flatten());
    Some(whole)
}

/// Signs an encoded message. Returns `None` if it is not a number below the modulus.
fn signed(private: &PrivateKey, encoded: &[u8]) -> Option<Vec<u8>> {
    let number = BoxedUint::from_be_slice(encoded, private.n_bits_precision()).unwrap();
    if number >= **private.n() {
        return None;
    }
    let signature = rsa_decrypt_and_check::<UnwrapErr<Never>>(private, None, &number).unwrap();
    let bytes = signature.to_be_bytes();
    Some(bytes[bytes.len() - private.size()..].to_vec())
}

/// A source of random numbers that always fails.
struct Never;

impl rsa::rand_core::TryRng for Never {
    type Error = core::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Err(core::fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Err(core::fmt::Error)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), Self::Error> {
        Err(core::fmt::Error)
    }
}

impl rsa::rand_core::TryCryptoRng for Never {}

fn try_hash<H>(algorithm: Algorithm)
where
    H: Digest + FixedOutputReset,
{
    use Mistake::{
        BitBefore, OtherHash, OtherMask, OtherMessage, OtherSalt, OtherZeros, Padding, SaltOf, Separator,
        Trailer, UnusedBit,
    };
    let hash_bytes = <H as Digest>::output_size();
    let mut mistakes = vec![
        Mistake::None,
        Trailer(0xcc),
        Trailer(0),
        UnusedBit,
        BitBefore,
        Separator(0),
        Separator(2),
        Separator(0x81),
        OtherSalt,
        OtherHash,
        OtherMessage,
        OtherMask,
        OtherZeros,
    ];
    mistakes.extend((0..400).map(Padding));
    mistakes.extend([0, 1, 20, hash_bytes - 1, hash_bytes + 1, 2 * hash_bytes].map(SaltOf));
    let (mut random, mut tried, mut accepted) = (Random(0x5af3_107a_4001), 0, 0);
    for pem in KEYS {
        let private = PrivateKey::from_pkcs8_pem(pem).unwrap();
        let public = private.to_public_key();
        let judge = pss::VerifyingKey::<H>::new(public.clone());
        let ours = PublicKey::from_pem(&public.to_public_key_pem(LineEnding::LF).unwrap()).unwrap();
        let ours = rsa_verifiers(&ours, algorithm);
        for mistake in &mistakes {
            let encoded = encode::<H>(public.n().bit_width_vartime() as usize, *mistake, &mut random);
            let Some(signature) = encoded.and_then(|encoded| signed(&private, &encoded)) else { continue };
            let expected = *mistake == Mistake::None;
            let parsed = pss::Signature::try_from(&signature[..]).unwrap();
            assert_eq!(judge.verify(INPUT, &parsed).is_ok(), expected, "rsa: {mistake:?}");
            for (name, key) in &ours {
                let verdict = key.verify_bytes(INPUT, &signature).is_ok();
                assert_eq!(verdict, expected, "{name}, {algorithm}: {mistake:?}");
            }
            tried += 1;
            accepted += usize::from(expected);
        }
    }
    println!("{algorithm}: {accepted} of {tried} accepted");
    assert_eq!(accepted, KEYS.len());
    assert!(tried > 300, "{tried}");
}

// One test for each, so that they run at the same time.

#[test]
fn a_ps256_message_with_any_mistake_is_refused() {
    try_hash::<Sha256>(Algorithm::Ps256);
}

#[test]
fn a_ps384_message_with_any_mistake_is_refused() {
    try_hash::<Sha384>(Algorithm::Ps384);
}

#[test]
fn a_ps512_message_with_any_mistake_is_refused() {
    try_hash::<Sha512>(Algorithm::Ps512);
}

#[test]
fn each_rsa_algorithm_verifies_what_it_signs_and_nothing_else() {
    const ALL: [Algorithm; 6] = [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
    ];
    // graviola does not take the first one: its modulus has 2049 bits.
    for (pem, bytes) in [(KEYS[1], 257), (include_str!("data/rsa_2112.pem"), 264)] {
        let private = countersign::PrivateKey::from_pem(pem).unwrap();
        let public = private.public_key().unwrap();
        for algorithm in ALL {
            let signers = [
                private.signing_key_with(algorithm, util::Counting),
                #[cfg(feature = "aws-lc-rs")]
                countersign::aws_lc::signing_key(&private, algorithm),
                #[cfg(feature = "graviola")]
                countersign::graviola::signing_key(&private, algorithm),
            ];
            let signers = signers.into_iter().filter(|key| match key {
                Err(error) => bytes != 257 || *error != KeyError::UnsupportedByBackend,
                Ok(_) => true,
            });
            for signer in signers.map(Result::unwrap) {
                let signature = signer.sign_bytes(INPUT).unwrap();
                assert_eq!(signature.as_bytes().len(), bytes);
                for other in ALL {
                    for (name, key) in rsa_verifiers(&public, other) {
                        let verdict = key.verify_bytes(INPUT, signature.as_bytes());
                        assert_eq!(verdict.is_ok(), other == algorithm, "{name}: {algorithm} as {other}");
                    }
                }
            }
        }
        assert_eq!(
            private.signing_key_with(Algorithm::Hs256, util::Counting).unwrap_err(),
            KeyError::WrongKeyType { algorithm: Algorithm::Hs256, key: "RSA" }
        );
    }
}
