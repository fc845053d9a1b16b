//! Does anything branch on a secret, or look something up by one?
//!
//! Secrets are marked as undefined memory; valgrind's memcheck then reports each branch and each address that
//! depends on them. `tests/constant_time/run` starts this program under it, twice. At first all events are counted,
//! and exactly: each must be an answer that is public. With the argument `elsewhere`, memcheck is silent about branches
//! in the places that `branches.supp` lists, and about nothing else: then no event may be left, so none was a look-up.
//! The first cases are controls, of which each run must report what it is there to see.
//!
//! What this does not see: instructions whose time depends on their operands, other CPUs, other compilers.

use core::hint::black_box;
use core::ops::RangeInclusive;
use countersign::{
    Algorithm, Entropy, EntropyError, HmacKey, PrivateKey, SecretBytes, SignKey, SigningKey, VerifyKey,
};
use rsa::pkcs8::{DecodePrivateKey, SecretDocument};
use rsa::traits::PrivateKeyParts;
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use subtle::ConstantTimeEq;

const PEM: &str = include_str!("../../data/rfc7515_a2.pem");
const INPUT: &[u8] = b"header.payload";
/// The algorithms on curves, a key file of each, and how many branches its signing makes. Each branch depends on a part of the
/// signature, or has the same answer for every key and message. `branches.supp` names them. Ed25519 has none.
const CURVES: [(Algorithm, &str, u64); 5] = [
    (Algorithm::Es256, include_str!("../../data/p256.pem"), 7),
    (Algorithm::Es384, include_str!("../../data/p384.pem"), 7),
    (Algorithm::Es512, include_str!("../../data/p521.pem"), 7),
    (Algorithm::Es256k, include_str!("../../data/secp256k1.pem"), 9),
    (Algorithm::Ed25519, include_str!("../../data/ed25519.pem"), 0),
];
/// The algorithms with lattices, and a key file of each that holds the seed alone.
const ML_DSA: [(Algorithm, &str); 3] = [
    (Algorithm::MlDsa44, include_str!("../../data/ml_dsa_44_seed.pem")),
    (Algorithm::MlDsa65, include_str!("../../data/ml_dsa_65_seed.pem")),
    (Algorithm::MlDsa87, include_str!("../../data/ml_dsa_87_seed.pem")),
];
/// How many inputs a key of ML-DSA signs. Most attempts are rejected: the keys make 45, 33 and 18 attempts for these inputs.
const ML_DSA_INPUTS: u8 = 8;

fn main() {
    if request(RUNNING_ON_VALGRIND, 0, 0) == 0 {
        eprintln!("run this under valgrind: tests/constant_time/run");
        std::process::exit(2);
    }
    let elsewhere = std::env::args().any(|argument| argument == "elsewhere");
    let mut wrong = 0;
    // The events of a case in all, and those of them that are look-ups or branches elsewhere than expected.
    let mut check = |case: &str, in_all: RangeInclusive<u64>, unexpected: RangeInclusive<u64>, found: u64| {
        let expected = if elsewhere { unexpected } else { in_all };
        let verdict = if expected.contains(&found) { "ok" } else { "WRONG" };
        wrong += u64::from(!expected.contains(&found));
        println!("{verdict}: {case}: {found} events, expected {expected:?}");
    };

    let many = 1..=u64::MAX;
    check("control: two secrets compared with ==", many.clone(), many.clone(), events(|| branch(hidden())));
    let table = black_box([7_u8; 256]);
    // In a place where a branch would be expected.
    check(
        "control: a table read at a secret place",
        many.clone(),
        many.clone(),
        events(|| look_up(&table, hidden())),
    );
    check("control: a branch where one is expected", 1..=1, 0..=0, events(|| act_on(hidden()[0] == 0x42)));
    check("two secrets compared by subtle", 0..=0, 0..=0, events(|| hidden().ct_eq(&hidden())));

    // Whether it looks like a key file: an answer that comes out as an error.
    check(
        "HMAC key set-up",
        1..=1,
        0..=0,
        events(|| HmacKey::hs256(&SecretBytes::from_bytes(hidden())).unwrap()),
    );
    for algorithm in [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512] {
        let case = |what: &str| format!("{algorithm} {what}");
        let secret: Vec<u8> = [hidden(), hidden()].concat();
        let key = HmacKey::new(algorithm, &SecretBytes::from(secret)).unwrap();
        check(&case("sign"), 0..=0, 0..=0, events(|| key.sign_bytes(INPUT).unwrap()));
        let mut tag = key.sign_bytes(INPUT).unwrap().as_bytes().to_vec();
        reveal(&tag);
        // Whether the tag is right.
        check(&case("verify, right tag"), 1..=1, 0..=0, events(|| key.verify_bytes(INPUT, &tag).unwrap()));
        tag[0] ^= 1;
        let not_right = events(|| key.verify_bytes(INPUT, &tag).unwrap_err());
        check(&case("verify, wrong tag"), 1..=1, 0..=0, not_right);
    }

    let (one, other) = (SecretBytes::from(hidden().to_vec()), SecretBytes::from(hidden().to_vec()));
    // Whether they are equal.
    check("SecretBytes ==", 1..=1, 0..=0, events(|| act_on(one == other)));

    let (key, marked) = hidden_rsa_key();
    check("RSA: secret numbers found in the key's memory", 5..=u64::MAX, 5..=u64::MAX, marked);
    // All are in the check of the finished signature, a public number, before it is released: whether it is below the modulus,
    // and whether it holds the encoded message, which is compared a few bytes at a time.
    check("RS256 sign, blinded", 30..=30, 0..=0, events(|| key.sign_bytes(INPUT).unwrap()));
    let squared = events(|| key.sign_bytes(INPUT).unwrap());
    check("RS256 sign, blinded by the square of the same pair", 30..=30, 0..=0, squared);
    // Its numbers are wiped when it is dropped, which is no business of this test.
    core::mem::forget(key);

    for (algorithm, file, branches) in CURVES {
        let key = hidden_key(file, algorithm);
        let found = events(|| key.sign_bytes(INPUT).unwrap());
        check(&format!("{algorithm} sign"), branches..=branches, 0..=0, found);
        let depends = branches_on_signature(&key, file, |signature| *signature.last().unwrap());
        check(&format!("control: a branch on the {algorithm} signature"), 1..=1, 0..=0, depends);
        core::mem::forget(key);
    }

    // The number of branches depends on how many attempts the inputs take, and on how often the compiler tests a condition that
    // holds for all 256 coefficients of a polynomial. So only the places are fixed.
    for (algorithm, file) in ML_DSA {
        let key = hidden_key(file, algorithm);
        let found = events(|| {
            for input in 0..ML_DSA_INPUTS {
                key.sign_bytes(&[input]).unwrap();
            }
        });
        check(&format!("{algorithm} sign, {ML_DSA_INPUTS} inputs"), many.clone(), 0..=0, found);
        // In the middle are the numbers made with the key. The end counts the hints, which branches have made.
        let depends = branches_on_signature(&key, file, |signature| signature[signature.len() / 2]);
        check(&format!("control: a branch on the {algorithm} signature"), 1..=1, 0..=0, depends);
        core::mem::forget(key);
    }
    std::process::exit(i32::from(wrong > 0));
}

/// A key for `algorithm` from a PKCS#8 file, whose private number or seed is marked in the file before the key is made.
fn hidden_key(file: &str, algorithm: Algorithm) -> SigningKey {
    let (_, document) = SecretDocument::from_pem(file).unwrap();
    // The version and the tag before the number: RFC 5915 section 3. For Ed25519, RFC 8410 section 7. For
    // ML-DSA, RFC 9881 section 6.
    let before: &[u8] = match algorithm {
        Algorithm::Ed25519 => &[4, 0x22, 4],
        Algorithm::MlDsa44 | Algorithm::MlDsa65 | Algorithm::MlDsa87 => &[4, 0x22, 0x80],
        _ => &[2, 1, 1, 4],
    };
    let bytes = document.as_bytes();
    let at = bytes.windows(before.len()).position(|window| window == before).unwrap() + before.len();
    let length = usize::from(bytes[at]);
    hide(&bytes[at + 1..=at + length]);
    PrivateKey::from_der(bytes).unwrap().signing_key_with(algorithm, Fixed).unwrap()
}

/// Counts the events of a branch on a byte of a signature, compared with the byte of a key that is not marked. One event shows that
/// the private number in `key` is marked. The program ends if the bytes differ.
fn branches_on_signature(key: &SigningKey, file: &str, byte: fn(&[u8]) -> u8) -> u64 {
    let algorithm = key.algorithm();
    let expected = PrivateKey::from_pem(file).unwrap().signing_key_with(algorithm, Fixed).unwrap();
    let [made, expected] = [key, &expected].map(|key| byte(key.sign_bytes(INPUT).unwrap().as_bytes()));
    events(|| act_on(made == expected))
}

/// Does something or not, as two secrets are equal or not.
fn branch(secret: [u8; 32]) -> usize {
    if secret == hidden() { black_box(1) } else { black_box(2) }
}

/// Reads a table where a secret says. `branches.supp` has this name.
#[inline(never)]
fn look_up(table: &[u8; 256], secret: [u8; 32]) -> u8 {
    table[usize::from(secret[0])]
}

/// Goes on if the answer is yes. `branches.supp` has this name.
#[inline(never)]
fn act_on(answer: bool) {
    assert!(answer);
}

/// 32 secret bytes.
fn hidden() -> [u8; 32] {
    let secret = black_box([0x42; 32]);
    hide(&secret);
    secret
}

/// How many events memcheck reports while `run` runs.
fn events<T>(run: impl FnOnce() -> T) -> u64 {
    let before = request(COUNT_ERRORS, 0, 0);
    let value = black_box(run());
    let after = request(COUNT_ERRORS, 0, 0);
    core::mem::forget(value);
    after - before
}

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), EntropyError> {
        // As public as can be: the blinding must not be what hides the key.
        bytes.fill(0x5a);
        Ok(())
    }
}

/// A signing key whose secret numbers are marked wherever they lie on the heap: d, p, q, d mod p - 1, d mod q - 1
/// and the inverse of q. Tells in how many places they were found.
fn hidden_rsa_key() -> (SigningKey, u64) {
    // Kept inverted, so that the search does not find what it searches with.
    let mut needles: Vec<Vec<u8>> = Vec::new();
    {
        let parts = rsa::PrivateKey::from_pkcs8_pem(PEM).unwrap();
        let mut numbers = vec![parts.d(), parts.dp().unwrap(), parts.dq().unwrap()];
        numbers.extend(parts.primes().iter().map(|prime| prime.as_ref()));
        let inverse = parts.qinv().unwrap().as_montgomery().clone();
        numbers.push(&inverse);
        for number in numbers {
            let limbs = number.as_limbs().iter();
            needles.push(limbs.flat_map(|limb| limb.0.to_ne_bytes()).map(|byte| !byte).collect());
        }
    }
    let key = PrivateKey::from_pem(PEM).unwrap().rs256_with(Fixed).unwrap();
    let mut marked = 0;
    for (address, size) in BLOCKS.lock().unwrap().iter().copied().filter(|block| block.1 > 0) {
        // SAFETY: the block is allocated, of this size, and was zeroed when it was.
        let block = unsafe { core::slice::from_raw_parts(address as *const u8, size) };
        for needle in &needles {
            let mut at = 0;
            while at + needle.len() <= block.len() {
                let window = &block[at..at + needle.len()];
                if window.iter().zip(needle).all(|(byte, inverted)| *byte == !inverted) {
                    hide(window);
                    marked += 1;
                    break;
                }
                at += 8;
            }
        }
    }
    (key, marked)
}

/// Every block that is allocated now: address and size.
static BLOCKS: Mutex<[(usize, usize); 4096]> = Mutex::new([(0, 0); 4096]);

struct Listing;

// SAFETY: every call goes to the system allocator; the list beside it touches no memory of it.
unsafe impl GlobalAlloc for Listing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promises are passed on.
        let pointer = unsafe { System.alloc_zeroed(layout) };
        replace((0, 0), (pointer as usize, layout.size()));
        pointer
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        replace((pointer as usize, layout.size()), (0, 0));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Listing = Listing;

fn replace(old: (usize, usize), new: (usize, usize)) {
    if let Ok(mut blocks) = BLOCKS.try_lock()
        && let Some(place) = blocks.iter_mut().find(|block| **block == old)
    {
        *place = new;
    }
}

const RUNNING_ON_VALGRIND: u64 = 0x1001;
const COUNT_ERRORS: u64 = 0x1201;
const MAKE_MEM_UNDEFINED: u64 = 0x4d43_0001;
const MAKE_MEM_DEFINED: u64 = 0x4d43_0002;

fn hide<T>(secret: &[T]) {
    request(MAKE_MEM_UNDEFINED, secret.as_ptr() as u64, size_of_val(secret) as u64);
}

fn reveal<T>(public: &[T]) {
    request(MAKE_MEM_DEFINED, public.as_ptr() as u64, size_of_val(public) as u64);
}

/// A valgrind client request: nothing at all when valgrind is not there.
fn request(code: u64, first: u64, second: u64) -> u64 {
    let arguments = [code, first, second, 0, 0, 0];
    let mut result = 0_u64;
    // SAFETY: the rotations add up to 128 bits and `xchg rbx, rbx` does nothing; valgrind reads the arguments.
    unsafe {
        core::arch::asm!(
            "rol rdi, 3",
            "rol rdi, 13",
            "rol rdi, 61",
            "rol rdi, 51",
            "xchg rbx, rbx",
            inout("rdx") result,
            in("rax") arguments.as_ptr(),
        );
    }
    result
}
