//! Signing and verifying, beside the floor below which no design of this kind can go.
//!
//! `cargo bench --bench hot_path`. The floor is the same work without a token library around it: the keyed HMAC
//! or the raw RSA operation, base64, one `serde_json` pass. Compare ratios within one run; absolute times belong
//! to the machine.

use base64::Engine;
use base64::engine::Simd;
use base64::engine::general_purpose::NO_PAD;
use core::time::Duration;
use countersign::{Buffer, Claims, Hs256Key, KeySet, Rs256SigningKey, UnixTime, Verifier, jws};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use std::collections::BTreeMap;
use std::hint::black_box;

const NOW: UnixTime = UnixTime::from_secs(1_700_000_000);
const SECRET: [u8; 32] = [7; 32];

#[derive(Clone, Serialize, Deserialize)]
struct User {
    name: String,
    role: String,
}

#[derive(Deserialize)]
#[allow(dead_code)]
struct BorrowedUser<'a> {
    name: &'a str,
    role: &'a str,
}

/// What the floor reads and writes: everything in one struct.
#[derive(Serialize, Deserialize)]
#[allow(dead_code)]
struct Everything {
    iss: String,
    sub: String,
    aud: String,
    exp: u64,
    iat: u64,
    name: String,
    role: String,
}

fn typical() -> Claims<User> {
    Claims::new(User { name: "Ann Example".into(), role: "administrator".into() })
        .issuer("https://auth.example.com")
        .subject("user-12345678")
        .audience("https://api.example.com")
        .issued_at(NOW)
        .expires_in(Duration::from_secs(900))
}

fn everything() -> Everything {
    Everything {
        iss: "https://auth.example.com".into(),
        sub: "user-12345678".into(),
        aud: "https://api.example.com".into(),
        exp: 1_700_000_900,
        iat: 1_700_000_000,
        name: "Ann Example".into(),
        role: "administrator".into(),
    }
}

fn key() -> Hs256Key {
    Hs256Key::from_bytes(SECRET).unwrap()
}

fn verifier(keys: impl countersign::KeySource + 'static) -> Verifier {
    Verifier::builder(keys)
        .issuer("https://auth.example.com")
        .audience("https://api.example.com")
        .build()
        .unwrap()
}

fn sign(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sign");
    let (key, claims) = (key(), typical());
    group.bench_function("HS256/typical", |bencher| bencher.iter(|| claims.sign(black_box(&key)).unwrap()));

    let (mac, engine, everything) =
        (Hmac::<Sha256>::new_from_slice(&SECRET).unwrap(), Simd::url_safe(NO_PAD), everything());
    group.bench_function("floor/typical", |bencher| {
        bencher.iter(|| {
            let mut json = Vec::with_capacity(512);
            serde_json::to_writer(&mut json, black_box(&everything)).unwrap();
            let mut text = String::with_capacity(320);
            text.push_str("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.");
            engine.encode_string(&json, &mut text);
            let tag = mac.clone().chain_update(text.as_bytes()).finalize().into_bytes();
            text.push('.');
            engine.encode_string(tag, &mut text);
            text
        });
    });

    let rsa = Rs256SigningKey::generate(2048).unwrap();
    group.sample_size(20);
    group.bench_function("RS256-2048/typical", |bencher| {
        bencher.iter(|| claims.sign(black_box(&rsa)).unwrap());
    });
    group.finish();
}

fn verify(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verify");
    let text = typical().sign(&key()).unwrap();
    let hs256 = verifier(key());
    group.bench_function("HS256/typical", |bencher| {
        bencher.iter(|| hs256.verify_at::<User>(black_box(&text), NOW).unwrap());
    });
    let mut buffer = Buffer::new();
    group.bench_function("HS256/typical/in", |bencher| {
        bencher.iter(|| {
            let token = hs256.verify_in_at::<BorrowedUser>(&mut buffer, black_box(&text), NOW).unwrap();
            black_box(token.claims().name.len())
        });
    });
    // The same token under a header that no key of ours writes: decoded and parsed.
    let foreign = foreign_header(&text);
    group.bench_function("HS256/typical/foreign-header", |bencher| {
        bencher.iter(|| hs256.verify_at::<User>(black_box(&foreign), NOW).unwrap());
    });
    let forged = typical().sign(&Hs256Key::from_bytes([8; 32]).unwrap()).unwrap();
    group.bench_function("HS256/typical/bad-signature", |bencher| {
        bencher.iter(|| hs256.verify_at::<User>(black_box(&forged), NOW).unwrap_err());
    });

    let (mac, engine) = (Hmac::<Sha256>::new_from_slice(&SECRET).unwrap(), Simd::url_safe(NO_PAD));
    group.bench_function("floor/typical", |bencher| {
        bencher.iter(|| {
            let (input, tag) = black_box(text.as_str()).rsplit_once('.').unwrap();
            let payload = &input[input.len() - (input.len() - 37)..];
            let mut signature = [0; 32];
            engine.decode_slice(tag, &mut signature).unwrap();
            mac.clone().chain_update(input.as_bytes()).verify_slice(&signature).unwrap();
            let json = engine.decode(payload).unwrap();
            let claims: Everything = serde_json::from_str(core::str::from_utf8(&json).unwrap()).unwrap();
            claims
        });
    });

    let rsa = Rs256SigningKey::generate(2048).unwrap();
    let text = typical().sign(&rsa).unwrap();
    let rs256 = verifier(rsa.verifying_key());
    group.bench_function("RS256-2048/typical", |bencher| {
        bencher.iter(|| rs256.verify_at::<User>(black_box(&text), NOW).unwrap());
    });
    group.finish();
}

/// The payload of `text` under a header whose members stand the other way round.
fn foreign_header(text: &str) -> String {
    use countersign::SignKey;
    let payload = text.split('.').nth(1).unwrap();
    let input = format!("eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.{payload}");
    let tag = key().sign_bytes(input.as_bytes()).unwrap();
    format!("{input}.{}", Simd::url_safe(NO_PAD).encode(tag.as_bytes()))
}

fn keys(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("keys");
    for count in [1_u32, 10, 1_000, 100_000] {
        let mut keys = KeySet::new();
        for number in 0..count {
            let secret: Vec<u8> = number.to_be_bytes().repeat(8);
            keys.insert(
                Hs256Key::from_bytes(secret).unwrap().with_key_id(format!("key-{number:06}")).unwrap(),
            )
            .unwrap();
        }
        let texts: Vec<String> = (0..count.min(1_000))
            .map(|step| {
                let number = step * (count / count.min(1_000));
                let secret: Vec<u8> = number.to_be_bytes().repeat(8);
                let key =
                    Hs256Key::from_bytes(secret).unwrap().with_key_id(format!("key-{number:06}")).unwrap();
                typical().sign(&key).unwrap()
            })
            .collect();
        let verifier = verifier(keys);
        let mut next = texts.iter().cycle();
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| verifier.verify_at::<User>(next.next().unwrap(), NOW).unwrap());
        });
    }
    group.finish();
}

fn growth(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("growth");
    for bytes in [100_usize, 1_000, 100_000] {
        let claims = Claims::new(BTreeMap::from([("text", "x".repeat(bytes))])).never_expires();
        let text = claims.sign(&key()).unwrap();
        let verifier = Verifier::builder(key())
            .accept_any_issuer()
            .no_audience()
            .allow_missing_expiration()
            .build()
            .unwrap();
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_with_input(BenchmarkId::new("verify", bytes), &text, |bencher, text| {
            bencher.iter(|| verifier.verify_at::<()>(black_box(text), NOW).unwrap());
        });
        let payload = vec![b'x'; bytes];
        group.bench_with_input(BenchmarkId::new("jws-sign", bytes), &payload, |bencher, payload| {
            bencher.iter(|| jws::Payload::new(black_box(payload)).sign(&key()).unwrap());
        });
    }
    group.finish();
}

criterion_group!(hot_path, sign, verify, keys, growth);
criterion_main!(hot_path);
