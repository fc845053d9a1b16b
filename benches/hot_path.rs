//! Measures signing and verifying, and compares them with the floor: the same work without a token library. This is the keyed
//! HMAC or the raw RSA operation, base64, one `serde_json` pass, and the clock.
//!
//! Run `cargo bench`, or `cargo bench -- verify/HS256` for a part. Compare only ratios within one run, because absolute times
//! depend on the machine. `benches/compare` measures other libraries.

use base64::Engine;
use base64::engine::Simd;
use base64::engine::general_purpose::NO_PAD;
use core::time::Duration;
use countersign::{
    Algorithm, Buffer, Claims, HmacKey, KeySet, Keys, PrivateKey, SecretBytes, SignKey, UnixTime, Verifier,
};
use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use rsa::pkcs1v15;
use rsa::pkcs8::DecodePrivateKey;
use rsa::signature::{Keypair, SignatureEncoding, Signer, Verifier as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

const SECRET: [u8; 32] = [7; 32];
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
/// The same header with its members in another order. Our keys do not write it, so it has to be read.
const OTHER_HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9";

const RSA_KEYS: [(&str, &str); 3] = [
    ("RS256-2048", include_str!("../tests/data/rfc7520_3_4.pem")),
    ("RS256-3072", include_str!("../tests/data/rsa_3072.pem")),
    ("RS256-4096", include_str!("../tests/data/rsa_4096.pem")),
];

/// Key pairs that sign with other algorithms than RS256.
const OTHER_KEYS: [(&str, Algorithm, &str); 3] = [
    ("PS256-2048", Algorithm::Ps256, include_str!("../tests/data/rfc7520_3_4.pem")),
    ("ES256", Algorithm::Es256, include_str!("../tests/data/p256.pem")),
    ("Ed25519", Algorithm::Ed25519, include_str!("../tests/data/ed25519.pem")),
];

/// Seven claims, and the length of an additional text in bytes.
const SIZES: [(&str, usize); 3] = [("typical", 0), ("1k", 1_000), ("100k", 100_000)];

#[derive(Clone, Serialize, Deserialize)]
struct User {
    name: String,
    role: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    text: String,
}

#[derive(Deserialize)]
struct BorrowedUser<'a> {
    role: &'a str,
}

#[derive(Serialize, Deserialize)]
struct Tiny {
    id: u32,
}

/// The claims that the floor reads and writes, in one struct.
#[derive(Serialize, Deserialize)]
struct Everything {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    iat: i64,
    name: String,
    role: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    text: String,
}

fn claims(text: usize) -> Claims<User> {
    Claims::new(User { name: "Ann Example".into(), role: "administrator".into(), text: "x".repeat(text) })
        .issuer("https://auth.example.com")
        .subject("user-12345678")
        .audience("https://api.example.com")
        .issued_at(UnixTime::now())
        .expires_in(Duration::from_secs(24 * 3600))
}

fn tiny() -> Claims<Tiny> {
    Claims::new(Tiny { id: 12_345_678 }).expires_in(Duration::from_secs(24 * 3600))
}

fn everything(text: usize) -> Everything {
    let now = UnixTime::now().as_secs();
    Everything {
        iss: "https://auth.example.com".into(),
        sub: "user-12345678".into(),
        aud: "https://api.example.com".into(),
        exp: now + 24 * 3600,
        iat: now,
        name: "Ann Example".into(),
        role: "administrator".into(),
        text: "x".repeat(text),
    }
}

fn key() -> HmacKey {
    HmacKey::hs256(&SecretBytes::from_bytes(SECRET)).unwrap()
}

fn hs512() -> HmacKey {
    HmacKey::hs512(&SecretBytes::from_bytes([7; 64])).unwrap()
}

fn verifier(keys: impl Into<Keys>) -> Verifier {
    Verifier::builder(keys)
        .issuer("https://auth.example.com")
        .audience("https://api.example.com")
        .build()
        .unwrap()
}

/// Does the same work as an HS256 key, without a token library.
struct Floor {
    mac: Hmac<Sha256>,
    engine: Simd,
}

impl Floor {
    fn new() -> Self {
        Self { mac: Hmac::new_from_slice(&SECRET).unwrap(), engine: Simd::url_safe(NO_PAD) }
    }

    fn sign(&self, claims: &Everything) -> String {
        let mut json = Vec::with_capacity(512);
        serde_json::to_writer(&mut json, claims).unwrap();
        let mut text = String::with_capacity(HEADER.len() + json.len() * 4 / 3 + 50);
        text.push_str(HEADER);
        text.push('.');
        self.engine.encode_string(&json, &mut text);
        let tag = self.mac.clone().chain_update(text.as_bytes()).finalize().into_bytes();
        text.push('.');
        self.engine.encode_string(tag, &mut text);
        text
    }

    fn verify(&self, text: &str) -> Everything {
        let (input, tag) = text.rsplit_once('.').unwrap();
        let (_, payload) = input.split_once('.').unwrap();
        let mut signature = [0; 32];
        self.engine.decode_slice(tag, &mut signature).unwrap();
        self.mac.clone().chain_update(input.as_bytes()).verify_slice(&signature).unwrap();
        let json = self.engine.decode(payload).unwrap();
        black_box(SystemTime::now());
        serde_json::from_str(core::str::from_utf8(&json).unwrap()).unwrap()
    }
}

fn sign(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sign");
    let (key, floor) = (key(), Floor::new());
    let claims_tiny = tiny();
    group.bench_function("HS256/tiny", |bencher| bencher.iter(|| claims_tiny.sign(black_box(&key)).unwrap()));
    for (size, text) in SIZES {
        let (claims, everything) = (claims(text), everything(text));
        group.bench_function(BenchmarkId::new("HS256", size), |bencher| {
            bencher.iter(|| black_box(&claims).sign(&key).unwrap());
        });
        group.bench_function(BenchmarkId::new("floor", size), |bencher| {
            bencher.iter(|| floor.sign(black_box(&everything)));
        });
    }
    let (key, claims_typical) = (hs512(), claims(0));
    group.bench_function("HS512/typical", |bencher| {
        bencher.iter(|| claims_typical.sign(black_box(&key)).unwrap());
    });
    for (name, algorithm, pem) in OTHER_KEYS {
        let key = PrivateKey::from_pem(pem).unwrap().signing_key(algorithm).unwrap();
        group.bench_function(BenchmarkId::new(name, "typical"), |bencher| {
            bencher.iter(|| claims_typical.sign(black_box(&key)).unwrap());
        });
    }
    group.sample_size(10);
    for (name, pem) in RSA_KEYS {
        let (key, claims) = (PrivateKey::from_pem(pem).unwrap().rs256().unwrap(), claims(0));
        group.bench_function(BenchmarkId::new(name, "typical"), |bencher| {
            bencher.iter(|| claims.sign(black_box(&key)).unwrap());
        });
        // The `Signer` of the crate `rsa` uses no random numbers and does not blind, so it does less work than our signing.
        let raw = pkcs1v15::SigningKey::<Sha256>::new(rsa::PrivateKey::from_pkcs8_pem(pem).unwrap());
        group.bench_function(BenchmarkId::new(format!("floor-{name}"), "unblinded"), |bencher| {
            bencher.iter(|| raw.sign(black_box(&[7; 275])).to_bytes());
        });
    }
    group.finish();
}

fn verify(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verify");
    let (hs256, floor) = (verifier(key()), Floor::new());
    let open = Verifier::builder(key()).accept_any_issuer().accept_any_audience().build().unwrap();
    let text = tiny().sign(&key()).unwrap();
    group.bench_function("HS256/tiny", |bencher| {
        bencher.iter(|| open.verify::<Tiny>(black_box(&text)).unwrap());
    });
    for (size, text) in SIZES {
        let text = claims(text).sign(&key()).unwrap();
        group.bench_function(BenchmarkId::new("HS256", size), |bencher| {
            bencher.iter(|| hs256.verify::<User>(black_box(&text)).unwrap());
        });
        let mut buffer = Buffer::new();
        group.bench_function(BenchmarkId::new("HS256-in", size), |bencher| {
            bencher.iter(|| {
                let token = hs256.verify_in::<BorrowedUser>(&mut buffer, black_box(&text)).unwrap();
                black_box(token.claims().role.len())
            });
        });
        group.bench_function(BenchmarkId::new("floor", size), |bencher| {
            bencher.iter(|| floor.verify(black_box(&text)));
        });
    }
    let text = with_header(&claims(0).sign(&key()).unwrap(), OTHER_HEADER);
    group.bench_function("HS256/typical-other-header", |bencher| {
        bencher.iter(|| hs256.verify::<User>(black_box(&text)).unwrap());
    });
    let text = claims(0).sign(&hs512()).unwrap();
    let verifier_hs512 = verifier(hs512());
    group.bench_function("HS512/typical", |bencher| {
        bencher.iter(|| verifier_hs512.verify::<User>(black_box(&text)).unwrap());
    });
    for (name, algorithm, pem) in OTHER_KEYS {
        let key = PrivateKey::from_pem(pem).unwrap().signing_key(algorithm).unwrap();
        let (text, verifier) = (claims(0).sign(&key).unwrap(), verifier(key.verifying_key()));
        group.bench_function(BenchmarkId::new(name, "typical"), |bencher| {
            bencher.iter(|| verifier.verify::<User>(black_box(&text)).unwrap());
        });
    }
    rsa_verify(&mut group);
    group.finish();
}

fn rsa_verify(group: &mut BenchmarkGroup<'_, WallTime>) {
    for (name, pem) in RSA_KEYS {
        let key = PrivateKey::from_pem(pem).unwrap().rs256().unwrap();
        let text = claims(0).sign(&key).unwrap();
        let rs256 = verifier(key.verifying_key());
        group.bench_function(BenchmarkId::new(name, "typical"), |bencher| {
            bencher.iter(|| rs256.verify::<User>(black_box(&text)).unwrap());
        });
        let raw = pkcs1v15::SigningKey::<Sha256>::new(rsa::PrivateKey::from_pkcs8_pem(pem).unwrap());
        let (signature, raw) = (raw.sign(&[7; 275]), raw.verifying_key());
        group.bench_function(BenchmarkId::new(format!("floor-{name}"), "raw"), |bencher| {
            bencher.iter(|| raw.verify(black_box(&[7; 275]), &signature).unwrap());
        });
    }
}

/// The token with another header, signed again.
fn with_header(text: &str, header: &str) -> String {
    let payload = text.split('.').nth(1).unwrap();
    let input = format!("{header}.{payload}");
    let tag = key().sign_bytes(input.as_bytes()).unwrap();
    format!("{input}.{}", Simd::url_safe(NO_PAD).encode(tag.as_bytes()))
}

fn refuse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("refuse");
    let hs256 = verifier(key());
    let good = claims(0).sign(&key()).unwrap();
    let expired = claims(0).issued_at(UnixTime::from_secs(1_700_000_000)).sign(&key()).unwrap();
    let texts = [
        (
            "bad-signature",
            claims(0).sign(&HmacKey::hs256(&SecretBytes::from_bytes([8; 32])).unwrap()).unwrap(),
        ),
        ("expired", expired),
        ("oversized", "a".repeat(10 << 20)),
        ("malformed", good.replace('.', "")),
        ("foreign-character", good.replacen('.', ".*", 1)),
    ];
    for (name, text) in texts {
        group.bench_function(BenchmarkId::new("HS256", name), |bencher| {
            bencher.iter(|| hs256.verify::<User>(black_box(&text)).unwrap_err());
        });
    }
    group.finish();
}

fn keys(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keys");
    for count in [1_u32, 10, 1_000, 100_000] {
        let mut keys = KeySet::new();
        for number in 0..count {
            keys.insert(numbered(number)).unwrap();
        }
        // A thousand tokens in turn, so that the key is not always in the cache.
        let used = count.min(1_000);
        let texts: Vec<String> =
            (0..used).map(|step| claims(0).sign(&numbered(step * (count / used))).unwrap()).collect();
        let verifier = verifier(keys);
        let mut next = texts.iter().cycle();
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| verifier.verify::<User>(next.next().unwrap()).unwrap());
        });
    }
    group.finish();
}

fn numbered(number: u32) -> HmacKey {
    let secret = number.to_be_bytes().repeat(8);
    HmacKey::hs256(&SecretBytes::from_bytes(secret)).unwrap().with_key_id(format!("key-{number:06}")).unwrap()
}

/// Threads share only data that they read, so on two cores two threads do twice the work of one.
fn threads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("threads");
    group.throughput(Throughput::Elements(1));
    let hs256 = Arc::new(verifier(key()));
    let text = claims(0).sign(&key()).unwrap();
    for count in [1_u32, 2] {
        group.bench_function(BenchmarkId::new("verify", count), |bencher| {
            bencher.iter_custom(|rounds| {
                let share = rounds.div_ceil(u64::from(count));
                let start = Instant::now();
                std::thread::scope(|scope| {
                    for _ in 0..count {
                        scope.spawn(|| {
                            for _ in 0..share {
                                hs256.verify::<User>(black_box(&text)).unwrap();
                            }
                        });
                    }
                });
                start.elapsed()
            });
        });
    }
    group.finish();
}

criterion_group!(hot_path, sign, verify, refuse, keys, threads);
criterion_main!(hot_path);
