//! The requirements on signature algorithms, S143 to S166 of `src/manual/standards.md`, and tables of bad signatures. What
//! several backends offer runs over all of them.
#![cfg(all(feature = "rsa", feature = "ecdsa", feature = "ed25519"))]

#[path = "util/each.rs"]
mod each;
mod util;

use countersign::{
    Algorithm, Header, HmacKey, KeyError, KeyFile, KeyRef, KeySource, PrivateKey, PublicKey, SecretBytes,
    SignKey, SignatureError, VerifyError, VerifyKey, jws,
};
use each::{
    ECDSA, HMAC, PKCS1, PSS, combine, files, hex, order, pairs, private, public, signers, tlv, verifiers,
};
use rsa::hazmat::rsa_decrypt_and_check;
use rsa::pkcs8::DecodePrivateKey;
use rsa::rand_core::UnwrapErr;
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, PrivateKey as RsaKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use util::{b64, der, sign_text};

const INPUT: &[u8] = b"header.payload";

/// Checks that no backend takes `signature` over [`INPUT`], and that a token with it is refused for the signature alone.
#[track_caller]
fn refused(public: &PublicKey, algorithm: Algorithm, signature: &[u8], what: &str) {
    for key in verifiers(public, algorithm) {
        let verdict = key.verify_bytes(INPUT, signature);
        assert_eq!(verdict, Err(SignatureError::Invalid), "{algorithm}: {what}");
    }
}

// ---- HMAC ----

/// S143.
#[test]
fn an_hmac_tag_has_exactly_the_length_of_its_hash() {
    for (algorithm, length) in HMAC.into_iter().zip([32, 48, 64]) {
        let key = HmacKey::new(algorithm, &SecretBytes::from_bytes([7; 64])).unwrap();
        let tag = key.sign_bytes(INPUT).unwrap().as_bytes().to_vec();
        assert_eq!(tag.len(), length);
        for other in (0..=2 * length).filter(|other| *other != length) {
            let mut tag = tag.clone();
            tag.resize(other, 0);
            assert_eq!(key.verify_bytes(INPUT, &tag), Err(SignatureError::Invalid), "{algorithm}, {other}");
        }
        assert_eq!(key.verify_bytes(INPUT, &tag), Ok(()));
    }
}

/// S144. RFC 4231 sections 4.7 and 4.8: a key of 131 bytes, longer than the block of each hash.
#[test]
fn rfc_4231_cases_6_and_7() {
    const CASES: [(&str, [&str; 3]); 2] = [
        (
            "Test Using Larger Than Block-Size Key - Hash Key First",
            [
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
                "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
                "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
            ],
        ),
        (
            "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
            [
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
                "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d3860e6110c46523e",
                "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
            ],
        ),
    ];
    for (data, tags) in CASES {
        for (algorithm, tag) in HMAC.into_iter().zip(tags) {
            let key = HmacKey::new(algorithm, &SecretBytes::from_bytes([0xaa; 131])).unwrap();
            assert_eq!(key.sign_bytes(data.as_bytes()).unwrap().as_bytes(), hex(tag), "{algorithm}");
            assert_eq!(key.verify_bytes(data.as_bytes(), &hex(tag)), Ok(()));
        }
    }
}

/// S145.
#[test]
fn no_key_file_of_any_algorithm_is_a_secret() {
    for algorithm in pairs() {
        for file in files(algorithm) {
            for (bytes, found) in [(file.as_bytes(), KeyFile::Pem), (&der(file), KeyFile::Der)] {
                for hmac in HMAC {
                    let secret = SecretBytes::from_bytes(bytes);
                    let error = HmacKey::new(hmac, &secret).unwrap_err();
                    assert_eq!(error, KeyError::NotASecret { found }, "{algorithm} as {hmac}");
                    let error = HmacKey::with_weak_secret(hmac, &secret).unwrap_err();
                    assert_eq!(error, KeyError::NotASecret { found }, "{algorithm} as {hmac}");
                }
            }
        }
    }
}

// ---- RSA ----

/// The private operation of RSA on a message as long as the modulus.
fn raw_rsa(pem: &str, message: &[u8]) -> Vec<u8> {
    let key = RsaKey::from_pkcs8_pem(pem).unwrap();
    let number = BoxedUint::from_be_slice(message, key.n_bits_precision()).unwrap();
    let signature = rsa_decrypt_and_check::<UnwrapErr<Never>>(&key, None, &number).unwrap();
    let bytes = signature.to_be_bytes();
    bytes[bytes.len() - key.size()..].to_vec()
}

/// Randomness that is not asked for.
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

/// DigestInfo of RFC 8017 section 9.2, with or without the NULL in it.
fn digest_info(algorithm: Algorithm, with_null: bool) -> Vec<u8> {
    let (last, hash) = match algorithm {
        Algorithm::Rs256 => (1, Sha256::digest(INPUT).to_vec()),
        Algorithm::Rs384 => (2, Sha384::digest(INPUT).to_vec()),
        _ => (3, Sha512::digest(INPUT).to_vec()),
    };
    let oid = [0x06, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, last];
    let parameters: &[u8] = if with_null { &[5, 0] } else { &[] };
    let identifier = tlv(0x30, &[&oid, parameters].concat());
    tlv(0x30, &[identifier, tlv(4, &hash)].concat())
}

/// S146.
#[test]
fn the_message_of_pkcs1_is_compared_as_a_whole() {
    let pem = files(Algorithm::Rs256)[0];
    let pad = |ones: usize, info: &[u8]| [&[0, 1], &*vec![0xff; ones], &[0], info].concat();
    for algorithm in PKCS1 {
        let public = public(algorithm);
        let info = digest_info(algorithm, true);
        let room = 256 - 3 - info.len();
        let message = pad(room, &info);
        let good = raw_rsa(pem, &message);
        for key in verifiers(&public, algorithm) {
            assert_eq!(key.verify_bytes(INPUT, &good), Ok(()), "{algorithm}");
        }
        let short = digest_info(algorithm, false);
        refused(&public, algorithm, &raw_rsa(pem, &pad(room + 2, &short)), "no NULL");
        let mut behind = pad(8, &info);
        behind.resize(256, 0);
        refused(&public, algorithm, &raw_rsa(pem, &behind), "something behind the hash");
        for (place, what) in
            [(0, "first byte"), (1, "block type"), (2, "padding"), (room + 1, "last of padding")]
        {
            let mut other = message.clone();
            other[place] ^= 2;
            // The first byte may not make the number larger than the modulus.
            refused(&public, algorithm, &raw_rsa(pem, &other), what);
        }
        for place in room + 2..256 {
            let mut other = message.clone();
            other[place] ^= 1;
            refused(&public, algorithm, &raw_rsa(pem, &other), &format!("byte {place}"));
        }
    }
}

/// S147, S148. The modulus has 2049 bits, so that a signature and the modulus together fit into its bytes.
#[test]
fn an_rsa_signature_is_as_long_as_the_modulus_and_below_it() {
    let private = PrivateKey::from_pem(include_str!("data/rsa_2049.pem")).unwrap();
    let public = private.public_key().unwrap();
    let (modulus, _) = public.modulus_and_exponent().unwrap();
    assert_eq!((modulus.len(), modulus[0]), (257, 1));
    for algorithm in [PKCS1, PSS].concat() {
        for signer in signers(&private, algorithm) {
            let good = signer.sign_bytes(INPUT).unwrap().as_bytes().to_vec();
            for key in verifiers(&public, algorithm) {
                assert_eq!(key.verify_bytes(INPUT, &good), Ok(()), "{algorithm}");
            }
            refused(&public, algorithm, &combine(&good, &modulus, 1), "and the modulus");
            refused(&public, algorithm, &[&[0], &*good].concat(), "a zero before");
            refused(&public, algorithm, &[&*good, &[0]].concat(), "a zero behind");
            refused(&public, algorithm, &good[1..], "without its first byte");
            refused(&public, algorithm, &good[..256], "without its last byte");
            refused(&public, algorithm, b"", "none");
        }
    }
}

/// S149. `rsa_pss` tries each other mistake.
#[test]
fn a_pss_salt_has_the_length_of_the_hash() {
    fn signed<H: Digest>(salt: &[u8], mask: fn(&[u8], usize) -> Vec<u8>) -> Vec<u8> {
        let size = <H as Digest>::output_size();
        let hash = H::new().chain_update([0; 8]).chain_update(H::digest(INPUT)).chain_update(salt).finalize();
        let mut block = vec![0; 256 - size - 1];
        let start = block.len() - salt.len();
        block[start - 1] = 1;
        block[start..].copy_from_slice(salt);
        let mask = mask(&hash, block.len());
        block.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        block[0] &= 0x7f;
        raw_rsa(files(Algorithm::Ps256)[0], &[&*block, &hash, &[0xbc]].concat())
    }
    fn mgf1<H: Digest>(seed: &[u8], length: usize) -> Vec<u8> {
        let blocks = (0_u32..).flat_map(|count| {
            H::new().chain_update(seed).chain_update(count.to_be_bytes()).finalize().to_vec()
        });
        blocks.take(length).collect()
    }
    fn try_each<H: Digest>(algorithm: Algorithm) {
        let (public, size) = (public(algorithm), <H as Digest>::output_size());
        for length in [0, 1, 20, size - 1, size, size + 1, 256 - size - 2] {
            let signature = signed::<H>(&vec![0x5a; length], mgf1::<H>);
            for key in verifiers(&public, algorithm) {
                let is_right = key.verify_bytes(INPUT, &signature).is_ok();
                assert_eq!(is_right, length == size, "{algorithm}: a salt of {length}");
            }
        }
        // MGF1 with another hash: SHA-224 takes the place of SHA-1, which the tests do not have.
        refused(&public, algorithm, &signed::<H>(&vec![0x5a; size], mgf1::<sha2::Sha224>), "another MGF1");
    }
    try_each::<Sha256>(Algorithm::Ps256);
    try_each::<Sha384>(Algorithm::Ps384);
    try_each::<Sha512>(Algorithm::Ps512);
}

/// S150.
#[test]
#[cfg(feature = "getrandom")]
fn two_pss_signatures_of_one_input_differ() {
    for algorithm in PSS {
        // Not the first, which draws no randomness in tests.
        let others = signers(&private(algorithm), algorithm).into_iter().skip(1);
        for key in others.chain([private(algorithm).signing_key(algorithm).unwrap()]) {
            let [one, other] = [(); 2].map(|()| key.sign_bytes(INPUT).unwrap());
            assert!(one.as_bytes() != other.as_bytes(), "{algorithm}");
        }
    }
}

// ---- ECDSA ----

/// S154. A half that begins with zero bytes comes up in a few hundred signatures; for P-521, in every second one.
#[test]
fn both_halves_of_an_ecdsa_signature_are_written_at_full_width() {
    for &algorithm in ECDSA {
        let width = order(algorithm).len();
        let verifiers = verifiers(&public(algorithm), algorithm);
        for signer in signers(&private(algorithm), algorithm) {
            let mut zeros = [0; 2];
            for count in 0_u32.. {
                let input = count.to_be_bytes();
                let signature = signer.sign_bytes(&input).unwrap().as_bytes().to_vec();
                assert_eq!(signature.len(), 2 * width, "{algorithm}");
                let begins_with_zero = [signature[0] == 0, signature[width] == 0];
                if begins_with_zero.contains(&true) {
                    for key in &verifiers {
                        assert_eq!(key.verify_bytes(&input, &signature), Ok(()), "{algorithm}");
                    }
                }
                for (zeros, begins) in zeros.iter_mut().zip(begins_with_zero) {
                    *zeros += usize::from(begins);
                }
                if zeros.iter().all(|count| *count > 0) {
                    break;
                }
                assert!(count < 20_000, "{algorithm}: {zeros:?}");
            }
        }
    }
}

/// S155. Signatures with the right key over another hash, made with the package cryptography 50 for Python.
#[test]
fn a_signature_over_another_hash_is_refused() {
    const OTHERS: [(Algorithm, [&str; 2]); 4] = [
        (
            Algorithm::Es256,
            [
                "ad47b98a2d5e808feb8c7b906a0f71ab10a12bf81f72703fd73f33abbbaba85d8d08adb990ab13b5849d03c41c9ae16b7301cf348ca61a63b0546c8ce5039207",
                "d4a2ee33467aee83207c37ed0e8a2c209dcc1286f3c779e07c66311f565b3557998353e7228f9509d1f90dbd22cc60076e9a3c8d1dca6db0222951513a8c6685",
            ],
        ),
        (
            Algorithm::Es384,
            [
                "e52f1b1ef7bb1550d69f402499504f0ae29c511c5023726842138f063d138f5e37f6047201f8e9c3cb63478caaf19c3bf36f07e5a20bc3c445ca6fb86389a4b3b3d9694880cf104a45c97133550db11ec6f4167e09f78d0c457e2ad8cabdce32",
                "6f7d7ac8101497522a3e1277920094c41e5147bfbb9bcfa18882a42530ec671b15cb0991639ce8e87d6a3e8bf9cec231ba575f0e9acab4285220fa647729fa89b9e206483ba482753e9e8305d82f48d07a607371f829d48c53765bb845040adc",
            ],
        ),
        (
            Algorithm::Es512,
            [
                "016f53a872fa1ddf186808f84edd8efa818271a9476cef654e313c7cd669c8e608c982aea1a9e560b3b53a1ea452bef3948085a1d302440ad9ca09e46329476c9d0d01b6c6e6d76ec05fa9b6ef8a8681ee1900e41ad6d07a8463f590d65c3dd696b70859c20ea8fb47c9b7a32e26fa28f0c1a2c598bd64c1a9958ca7c98a384bcd925e9d",
                "00aee8450a9d28351a5fd3a668ea341e27e225b2d1f47ab12580dfa975719604b1093019550212f3b4e73a5a44ab01157fd339898b7c556b04523eb50cecc1cbe4d7012489eb79d7532f777b3981b885ec39c8077bccd03c9a94b5c60d6c831c6e27118b7f39dc55f648ffcd475c57fca6491c15ce4b21e1061c05b54eaa7c363b5db3b7",
            ],
        ),
        (
            Algorithm::Es256k,
            [
                "ac4b471888ab3d81d3443339afac271634045c02f042755c317dc0ee406d971f49b70df022309a3ee9b8b23906b71d832980747392272546771f9475428e7b50",
                "6bc77605b38da0cfbe1452334d1bcc04dca53c6366051a7caf793e739ce46b48f9c4d9732d1e1c1c40b4ab2888fbaeedc8c792fd3b5dabe5ba06e548e2b78023",
            ],
        ),
    ];
    for (algorithm, signatures) in OTHERS.into_iter().filter(|(algorithm, _)| ECDSA.contains(algorithm)) {
        let signers = signers(&private(algorithm), algorithm);
        for key in verifiers(&public(algorithm), algorithm) {
            for signature in signatures {
                let verdict = key.verify_bytes(b"input", &hex(signature));
                assert_eq!(verdict, Err(SignatureError::Invalid), "{algorithm}");
            }
            for signer in &signers {
                let own = signer.sign_bytes(b"input").unwrap();
                assert_eq!(key.verify_bytes(b"input", own.as_bytes()), Ok(()), "{algorithm}");
            }
        }
    }
}

/// S156.
#[test]
fn either_value_of_s_is_accepted() {
    for &algorithm in ECDSA {
        let order = order(algorithm);
        for signer in signers(&private(algorithm), algorithm) {
            let signature = signer.sign_bytes(INPUT).unwrap();
            let (r, s) = signature.as_bytes().split_at(order.len());
            let other = combine(&order, s, -1);
            assert_ne!(s, other);
            for key in verifiers(&public(algorithm), algorithm) {
                for s in [s, &other] {
                    assert_eq!(key.verify_bytes(INPUT, &[r, s].concat()), Ok(()), "{algorithm}");
                }
            }
        }
    }
}

/// S157. RFC 6979 sections A.2.5, A.2.6 and A.2.7, for the hash of each algorithm.
#[test]
fn rfc_6979_a_2() {
    const VECTORS: [(Algorithm, &str, [&str; 2]); 3] = [
        (
            Algorithm::Es256,
            "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
            [
                "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8",
                "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083",
            ],
        ),
        (
            Algorithm::Es384,
            "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5",
            [
                "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe4699ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8",
                "8203b63d3c853e8d77227fb377bcf7b7b772e97892a80f36ab775d509d7a5feb0542a7f0812998da8f1dd3ca3cf023dbddd0760448d42d8a43af45af836fce4de8be06b485e9b61b827c2f13173923e06a739f040649a667bf3b828246baa5a5",
            ],
        ),
        (
            Algorithm::Es512,
            "00fad06daa62ba3b25d2fb40133da757205de67f5bb0018fee8c86e1b68c7e75caa896eb32f1f47c70855836a6d16fcc1466f6d8fbec67db89ec0c08b0e996b83538",
            [
                "00c328fafcbd79dd77850370c46325d987cb525569fb63c5d3bc53950e6d4c5f174e25a1ee9017b5d450606add152b534931d7d4e8455cc91f9b15bf05ec36e377fa00617cce7cf5064806c467f678d3b4080d6f1cc50af26ca209417308281b68af282623eaa63e5b5c0723d8b8c37ff0777b1a20f8ccb1dccc43997f1ee0e44da4a67a",
                "013e99020abf5cee7525d16b69b229652ab6bdf2affcaef38773b4b7d08725f10cdb93482fdcc54edcee91eca4166b2a7c6265ef0ce2bd7051b7cef945babd47ee6d01fbd0013c674aa79cb39849527916ce301c66ea7ce8b80682786ad60f98f7e78a19ca69eff5c57400e3b3a0ad66ce0978214d13baf4e9ac60752f7b155e2de4dce3",
            ],
        ),
    ];
    for (algorithm, number, signatures) in VECTORS.into_iter().filter(|vector| ECDSA.contains(&vector.0)) {
        // An `ECPrivateKey` inside of PKCS#8, with the identifier of a file of this curve.
        let file = der(files(algorithm)[1]);
        let identifier = &file[if file[1] == 0x81 { 3 } else { 2 }..];
        let identifier = &identifier[..2 + usize::from(identifier[1])];
        let inner = tlv(0x30, &[b"\x02\x01\x01", &*tlv(4, &hex(number))].concat());
        let file = tlv(0x30, &[b"\x02\x01\0", identifier, &tlv(4, &inner)].concat());
        let key = PrivateKey::from_der(&file).unwrap();
        let signer = key.signing_key_with(algorithm, util::Counting).unwrap();
        for (input, signature) in [b"sample".as_slice(), b"test"].into_iter().zip(signatures) {
            assert_eq!(signer.sign_bytes(input).unwrap().as_bytes(), hex(signature), "{algorithm}");
        }
    }
}

// ---- Ed25519 ----

/// S158. `curves::ed25519_keys_of_small_order_or_in_a_second_form_are_refused` is about keys.
#[test]
fn an_ed25519_signature_has_64_bytes_and_one_form() {
    let (private, public) = (private(Algorithm::Ed25519), public(Algorithm::Ed25519));
    for signer in signers(&private, Algorithm::Ed25519) {
        let good = signer.sign_bytes(INPUT).unwrap().as_bytes().to_vec();
        for length in (0..130).filter(|length| *length != 64) {
            let mut other = good.clone();
            other.resize(length, 0);
            refused(&public, Algorithm::Ed25519, &other, &format!("{length} bytes"));
        }
        // S and the order: the same number in the group. The bytes are little-endian.
        let reversed = |bytes: &[u8]| bytes.iter().rev().copied().collect::<Vec<_>>();
        let (point, number) = good.split_at(32);
        let larger = reversed(&combine(&reversed(number), &order(Algorithm::Ed25519), 1));
        refused(&public, Algorithm::Ed25519, &[point, &larger].concat(), "S and the order");
        // y is not below the modulus 2^255 - 19, with either sign of x.
        for first in 0xed..=0xff {
            for last in [0x7f, 0xff] {
                let mut point = [0xff; 32];
                (point[0], point[31]) = (first, last);
                refused(&public, Algorithm::Ed25519, &[&point, number].concat(), "R in a second form");
            }
        }
    }
}

/// S159. RFC 8032 sections 7.2 and 7.3: "foo" as context, and Ed25519ph.
#[test]
fn ed25519ctx_and_ed25519ph_are_refused() {
    for (key, message, signature) in [
        (
            "dfc9425e4f968f7f0c29f0259cf5f9aed6851c2bb4ad8bfb860cfee0ab248292",
            "f726936d19c800494e3fdaff20b276a8",
            "55a4cc2f70a54e04288c5f4cd1e45a7bb520b36292911876cada7323198dd87a8b36950b95130022907a7fb7c4e9b2d5f6cca685a587b4b21f4b888e4e7edb0d",
        ),
        (
            "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
            "616263",
            "98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae4131f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406",
        ),
    ] {
        let file = [b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\0", &*hex(key)].concat();
        let key = PublicKey::from_der(&file).unwrap();
        let message = hex(message);
        let digest = Sha512::digest(&message).to_vec();
        for key in verifiers(&key, Algorithm::Ed25519) {
            for message in [&message, &digest] {
                assert_eq!(key.verify_bytes(message, &hex(signature)), Err(SignatureError::Invalid));
            }
        }
    }
}

/// S160. The names in a token are `EdDSA` and `Ed25519`; files of other Edwards and Montgomery curves make no key.
#[test]
fn no_other_edwards_curve_is_a_key_for_eddsa() {
    for (oid, length) in [(0x6e, 32), (0x6f, 56), (0x71, 57)] {
        let bits = tlv(3, &[vec![0], vec![7; length]].concat());
        let file = tlv(0x30, &[&[0x30, 5, 6, 3, 0x2b, 0x65, oid], &*bits].concat());
        assert_eq!(PublicKey::from_der(&file).unwrap_err(), KeyError::UnsupportedKeyType, "{oid:x}");
    }
    let key = public(Algorithm::Ed25519).ed25519().unwrap();
    let signer = private(Algorithm::Ed25519).ed25519().unwrap();
    for (name, is_read) in [("EdDSA", true), ("Ed25519", true), ("Ed448", false), ("ed25519", false)] {
        let text = sign_text(&signer, &format!("{}.", b64(format!(r#"{{"alg":"{name}"}}"#))));
        let verdict = jws::MessageVerifier::new(key.clone()).verify(&text);
        assert_eq!(
            verdict.map(|_| ()),
            if is_read { Ok(()) } else { Err(VerifyError::UnsupportedAlgorithm) }
        );
    }
    assert_eq!(
        jws::Payload::new("").sign(&signer).unwrap().split('.').next(),
        Some(&*b64(r#"{"alg":"EdDSA"}"#))
    );
}

// ---- names ----

/// A source that counts how often it is asked.
struct Asked(AtomicUsize);

impl KeySource for Asked {
    fn find(&self, _: &Header<'_>) -> Result<KeyRef<'_>, VerifyError> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Err(VerifyError::UnknownKey)
    }
}

/// S166.
#[test]
fn an_unsupported_name_is_refused_before_a_key_is_looked_up() {
    let asked = Arc::new(Asked(AtomicUsize::new(0)));
    let verifier = jws::MessageVerifier::new(Arc::clone(&asked));
    let verify = |name: &str| {
        let header = b64(format!(r#"{{"alg":"{name}"}}"#));
        verifier.verify(&format!("{header}.{}.{}", b64("payload"), b64([7; 64]))).unwrap_err()
    };
    for name in [
        "hs256",
        "Hs256",
        "EDDSA",
        "eddsa",
        "ES521",
        "ES256k",
        "es256",
        "none",
        "None",
        "",
        "HS1",
        "RS1",
        "Ed448",
        "ESP256",
        "ML-DSA",
        "dir",
        "A128KW",
        "A256GCM",
        "RSA1_5",
        "RSA-OAEP",
        "ECDH-ES",
        "PBES2-HS256+A128KW",
        "BLAKE2B",
        "SLH-DSA-SHA2-128s",
        "HS256 ",
        " HS256",
    ] {
        assert_eq!(verify(name), VerifyError::UnsupportedAlgorithm, "{name}");
    }
    assert_eq!(asked.0.load(Ordering::Relaxed), 0);
    // A name that is offered is looked up.
    assert_eq!(verify("ES256"), VerifyError::UnknownKey);
    assert_eq!(asked.0.load(Ordering::Relaxed), 1);
}

// ---- tables ----

/// Wrong signatures for an algorithm, each with a name.
fn wrong_signatures(algorithm: Algorithm, good: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut wrong: Vec<(String, Vec<u8>)> = Vec::new();
    let mut add = |what: String, bytes: Vec<u8>| wrong.push((what, bytes));
    for length in (0..good.len() + 70).filter(|length| *length != good.len()) {
        let mut other = good.to_vec();
        other.resize(length, 0);
        add(format!("{length} bytes"), other);
    }
    add("zeros".into(), vec![0; good.len()]);
    add("ones".into(), vec![0xff; good.len()]);
    add("twice".into(), good.repeat(2));
    if let Some(length) =
        [ECDSA, &[Algorithm::Ed25519]].concat().contains(&algorithm).then_some(good.len() / 2)
    {
        let (first, second) = good.split_at(length);
        let (zero, mut order) = (vec![0; length], order(algorithm));
        if algorithm == Algorithm::Ed25519 {
            order.reverse();
        }
        add("halves exchanged".into(), [second, first].concat());
        for (name, number) in [("zero", zero), ("the order", order), ("the largest", vec![0xff; length])] {
            add(format!("first half is {name}"), [&*number, second].concat());
            add(format!("second half is {name}"), [first, &number].concat());
            add(format!("both halves are {name}"), number.repeat(2));
        }
        let integer = |number: &[u8]| tlv(2, &[&[0], number].concat());
        add("DER".into(), tlv(0x30, &[integer(first), integer(second)].concat()));
        add("DER without zeros".into(), tlv(0x30, &[tlv(2, first), tlv(2, second)].concat()));
    }
    wrong
}

/// Every wrong length, DER, numbers that are zero or out of range, and what another algorithm or another key made.
#[test]
fn every_wrong_signature_is_refused_by_name() {
    let mut tried = 0;
    for algorithm in pairs() {
        let key = public(algorithm);
        let good = signers(&private(algorithm), algorithm)[0].sign_bytes(INPUT).unwrap();
        for (what, signature) in wrong_signatures(algorithm, good.as_bytes()) {
            refused(&key, algorithm, &signature, &what);
            tried += 1;
        }
        for other in pairs().into_iter().filter(|other| *other != algorithm) {
            let signature = signers(&private(other), other)[0].sign_bytes(INPUT).unwrap();
            refused(&key, algorithm, signature.as_bytes(), &format!("{other}'s"));
            tried += 1;
        }
        for hmac in HMAC {
            let secret = SecretBytes::from_bytes([7; 64]);
            let tag = HmacKey::new(hmac, &secret).unwrap().sign_bytes(INPUT).unwrap();
            refused(&key, algorithm, tag.as_bytes(), &format!("{hmac}'s"));
            tried += 1;
        }
        for verifier in verifiers(&key, algorithm) {
            assert_eq!(verifier.verify_bytes(INPUT, good.as_bytes()), Ok(()), "{algorithm}");
            assert_eq!(verifier.verify_bytes(b"header.other", good.as_bytes()), Err(SignatureError::Invalid));
        }
    }
    assert!(tried > 2000, "{tried}");
}

/// The whole token, so that the length is also refused where the token is read.
#[test]
fn a_token_with_any_wrong_signature_is_refused_for_its_signature() {
    for algorithm in pairs() {
        let signer = &signers(&private(algorithm), algorithm)[0];
        let text = jws::Payload::new("payload").sign(signer).unwrap();
        let (input, signature) = text.rsplit_once('.').unwrap();
        for key in verifiers(&public(algorithm), algorithm) {
            let verifier = jws::MessageVerifier::new(key);
            assert!(verifier.verify(&text).is_ok(), "{algorithm}");
            for (what, wrong) in wrong_signatures(algorithm, &util::unb64(signature)) {
                // A signature that is longer than any is refused for its size.
                let error = verifier.verify(&format!("{input}.{}", b64(&wrong))).unwrap_err();
                let expected = matches!(error, VerifyError::InvalidSignature | VerifyError::TooLarge { .. });
                assert!(
                    expected && (wrong.len() <= 1024) == (error.code() == "invalid_signature"),
                    "{what}: {error}"
                );
            }
        }
    }
}
