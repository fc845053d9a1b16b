//! Compares our verifiers with the crate `rsa` on a hundred thousand valid and invalid signatures.
//!
//! `cargo test --test rsa_backends -- --nocapture` prints the counts.
#![cfg(feature = "rsa-verify")]

mod util;

use countersign::{Algorithm, PublicKey, VerifyKey};
use rsa::pkcs1v15::{Signature, SigningKey, VerifyingKey};
use rsa::pkcs8::{DecodePrivateKey, EncodePublicKey, LineEnding};
use rsa::signature::{SignatureEncoding, Signer, Verifier};
use rsa::traits::PublicKeyParts;
use rsa::{BoxedUint, Pkcs1v15Sign, PrivateKey};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::thread;
use util::random::Random;
use util::rsa_verifiers;

/// Keys, and how many signatures are tried with each. Longer keys get fewer, because each signature takes longer.
const KEYS: [(&str, &str, usize); 6] = [
    ("2048 bits", include_str!("data/rfc7515_a2.pem"), 33_000),
    // The length is not a whole number of bytes, so that a signature can be far above the modulus.
    ("2050 bits", include_str!("data/rsa_2050.pem"), 19_000),
    ("2048 bits, exponent 3", include_str!("data/rsa_2048_3.pem"), 24_000),
    ("2048 bits, exponent 2^33 - 1", include_str!("data/rsa_2048_8589934591.pem"), 14_000),
    ("3072 bits", include_str!("data/rsa_3072.pem"), 6_000),
    ("4096 bits", include_str!("data/rsa_4096.pem"), 4_000),
];

/// The kinds of signatures, with their shares in percent.
const KINDS: [(Kind, u64); 8] = [
    (Kind::Valid, 10),
    (Kind::OneBitFlipped, 43),
    (Kind::OtherEncoding, 5),
    (Kind::RandomBelow, 10),
    (Kind::Random, 10),
    (Kind::OtherMessage, 5),
    (Kind::Edge, 10),
    (Kind::OtherLength, 7),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Valid,
    OneBitFlipped,
    OtherEncoding,
    RandomBelow,
    Random,
    OtherMessage,
    Edge,
    OtherLength,
}

/// How many signatures of each kind were tried, and how many of them were accepted.
type Counts = BTreeMap<Kind, (usize, usize)>;

#[test]
fn all_verifiers_give_the_same_verdict_on_a_hundred_thousand_signatures() {
    let mut all = Counts::new();
    thread::scope(|scope| {
        let tried = KEYS.map(|(name, pem, times)| (name, scope.spawn(move || try_key(name, pem, times))));
        for (name, counts) in tried {
            let counts = counts.join().expect("the verdicts on a key agree");
            println!("{name}: {}", shown(&counts));
            for (kind, (tried, accepted)) in counts {
                let sum = all.entry(kind).or_default();
                *sum = (sum.0 + tried, sum.1 + accepted);
            }
        }
    });
    println!("in all: {}", shown(&all));
    assert_eq!(all.values().map(|(tried, _)| tried).sum::<usize>(), 100_000);
    assert!(KINDS.iter().all(|(kind, _)| all[kind].0 > 1000));
}

fn shown(counts: &Counts) -> String {
    let each: Vec<_> =
        counts.iter().map(|(kind, (tried, accepted))| format!("{kind:?} {accepted} of {tried}")).collect();
    each.join(", ")
}

fn try_key(name: &str, pem: &str, times: usize) -> Counts {
    let private = PrivateKey::from_pkcs8_pem(pem).unwrap();
    let public = private.to_public_key();
    let ours = PublicKey::from_pem(&public.to_public_key_pem(LineEnding::LF).unwrap()).unwrap();
    let verifiers = rsa_verifiers(&ours.any_exponent(), Algorithm::Rs256);
    let judge = VerifyingKey::<Sha256>::new(public);
    let mut tries = Tries::new(&private);
    let mut counts = Counts::new();
    for _ in 0..times {
        let (kind, message, signature) = tries.next();
        let expected = Signature::try_from(&signature[..])
            .is_ok_and(|signature| judge.verify(&message, &signature).is_ok());
        // The crate `rsa` is checked too.
        assert_eq!(expected, kind == Kind::Valid, "{name}: {kind:?} {signature:02x?}");
        for (verifier, key) in &verifiers {
            let verdict = key.verify_bytes(&message, &signature).is_ok();
            assert_eq!(verdict, expected, "{name}, {verifier}: {kind:?} {signature:02x?}");
        }
        let count = counts.entry(kind).or_default();
        *count = (count.0 + 1, count.1 + usize::from(expected));
    }
    counts
}

struct Tries {
    random: Random,
    /// Messages with their signatures.
    valid: Vec<([u8; 32], Vec<u8>)>,
    /// Messages with the signature of another encoding, which differs slightly from RFC 8017 section 9.2.
    other_encodings: Vec<([u8; 32], Vec<u8>)>,
    /// Numbers with as many bytes as the modulus: 0, 1 and 2, numbers next to the modulus, and numbers above it.
    edges: Vec<Vec<u8>>,
}

impl Tries {
    fn new(private: &PrivateKey) -> Self {
        let mut random = Random(0x2b99_2ddf_a232_49d6);
        let signer = SigningKey::<Sha256>::new(private.clone());
        let valid: Vec<_> = core::iter::repeat_with(|| {
            let message: [u8; 32] = random.bytes(32).try_into().unwrap();
            (message, signer.sign(&message).to_vec())
        })
        .take(24)
        .collect();
        let other_encodings = valid.iter().enumerate().map(|(place, (message, _))| {
            let encoded = not_quite_encoded(place, message, &mut random);
            (*message, private.sign(Pkcs1v15Sign::new_unprefixed(), &encoded).unwrap())
        });
        let other_encodings = other_encodings.collect();
        let modulus = private.n().as_ref();
        let bytes = private.size();
        let precision = 8 * u32::try_from(bytes + 8).unwrap();
        let number = |value: &[u8]| BoxedUint::from_be_slice(value, precision).unwrap();
        let modulus = number(&modulus.to_be_bytes());
        let one = number(&[1]);
        let mut edges: Vec<_> =
            [number(&[]), one.clone(), &modulus - &one, modulus.clone(), &modulus + &one, number(&[2])]
                .into();
        // The right residue, but above the modulus.
        edges.extend(valid.iter().map(|(_, signature)| &number(signature) + &modulus));
        edges.extend(valid.iter().map(|(_, signature)| &number(signature) + &modulus + &modulus));
        let edges = edges.iter().map(|edge| edge.to_be_bytes()).filter_map(|edge| {
            let (above, edge) = edge.split_at(edge.len() - bytes);
            above.iter().all(|byte| *byte == 0).then(|| edge.to_vec())
        });
        let ones = |leading: u8| [&[leading][..], &vec![0xff; bytes - 1]].concat();
        let edges = edges.chain((0..8).map(|unused| ones(0xff >> unused))).collect();
        Self { random, valid, other_encodings, edges }
    }

    fn next(&mut self) -> (Kind, [u8; 32], Vec<u8>) {
        let kind = self.kind();
        let (message, mut signature) = self.valid[self.random.below(self.valid.len())].clone();
        match kind {
            Kind::Valid => {}
            Kind::OneBitFlipped => {
                let bit = self.random.below(8 * signature.len());
                signature[bit / 8] ^= 1 << (bit % 8);
            }
            Kind::OtherEncoding => {
                let place = self.random.below(self.other_encodings.len());
                let (message, signature) = self.other_encodings[place].clone();
                return (kind, message, signature);
            }
            Kind::RandomBelow => {
                signature = self.random.bytes(signature.len());
                signature[0] = 0;
            }
            Kind::Random => signature = self.random.bytes(signature.len()),
            Kind::OtherMessage => {
                let mut other = message;
                other[self.random.below(32)] ^= 1;
                return (kind, other, signature);
            }
            Kind::Edge => signature = self.edges[self.random.below(self.edges.len())].clone(),
            Kind::OtherLength => match self.random.below(6) {
                0 => signature.insert(0, 0),
                1 => signature.push(0),
                2 => drop(signature.remove(0)),
                3 => drop(signature.pop()),
                4 => signature = self.random.bytes(signature.len() + 1),
                _ => signature.truncate(self.random.below(signature.len())),
            },
        }
        (kind, message, signature)
    }

    fn kind(&mut self) -> Kind {
        let mut number = self.random.next() % 100;
        for (kind, times) in KINDS {
            match number.checked_sub(times) {
                Some(rest) => number = rest,
                None => return kind,
            }
        }
        unreachable!("the times make a hundred")
    }
}

/// Returns the text that follows the padding, with a mistake.
fn not_quite_encoded(place: usize, message: &[u8], random: &mut Random) -> Vec<u8> {
    const BEFORE_HASH: &[u8] =
        b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
    const WITHOUT_NULL: &[u8] = b"\x30\x2f\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x04\x20";
    let hash = Sha256::digest(message);
    let mut whole = [BEFORE_HASH, &hash].concat();
    match place % 8 {
        0 => return hash.to_vec(),
        1 => return [WITHOUT_NULL, &hash].concat(),
        2 => whole.insert(0, 0),
        3 => whole.push(0),
        4 => drop(whole.pop()),
        5 => whole.extend(random.bytes(100)),
        _ => {
            let bit = random.below(8 * whole.len());
            whole[bit / 8] ^= 1 << (bit % 8);
        }
    }
    whole
}
