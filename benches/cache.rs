//! Measures the cache of verified tokens: hits, misses, and two threads.
//!
//! Run `cargo bench --features cache --bench cache`. Compare only ratios within one run, because absolute times depend on the
//! machine: each group measures the plain verifier next to the cache. The last group prints the ratio of two threads to one, by
//! the CPU time of the threads, which other programs on the machine do not change; it needs Linux.

use core::time::Duration;
use countersign::{
    Algorithm, CachedVerifier, Claims, HmacKey, Keys, PrivateKey, SecretBytes, SignKey, UnixTime, Verifier,
};
use criterion::{Criterion, criterion_group, criterion_main};
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::sync::Barrier;

#[derive(Serialize, Deserialize)]
struct User {
    name: String,
    role: String,
}

/// Seven claims.
fn claims(number: usize) -> Claims<User> {
    Claims::new(User { name: "Ann Example".into(), role: "administrator".into() })
        .issuer("https://auth.example.com")
        .subject(format!("user-{number:08}"))
        .audience("https://api.example.com")
        .issued_at(UnixTime::now())
        .expires_in(Duration::from_secs(24 * 3600))
}

fn verifier(keys: impl Into<Keys>) -> Verifier {
    let builder = Verifier::builder(keys).issuer("https://auth.example.com");
    builder.audience("https://api.example.com").build().unwrap()
}

fn cached(verifier: &Verifier, tokens: usize) -> CachedVerifier<Verifier, User> {
    CachedVerifier::with_capacity(verifier.clone(), tokens, 1 << 30).unwrap()
}

/// An algorithm, a key that signs, and the verifier that trusts it.
type Suite = (&'static str, Box<dyn SignKey>, Verifier);

fn suites() -> Vec<Suite> {
    const RSA: &str = include_str!("../tests/data/rfc7520_3_4.pem");
    const P256: &str = include_str!("../tests/data/p256.pem");
    let hmac = HmacKey::hs256(&SecretBytes::from_bytes([7; 32])).unwrap();
    let mut suites: Vec<Suite> = vec![("HS256", Box::new(hmac.clone()), verifier(hmac))];
    for (name, algorithm, pem) in [("RS256-2048", Algorithm::Rs256, RSA), ("ES256", Algorithm::Es256, P256)] {
        let key = PrivateKey::from_pem(pem).unwrap().signing_key(algorithm).unwrap();
        let verifier = verifier(key.verifying_key());
        suites.push((name, Box::new(key), verifier));
    }
    suites
}

/// One token that comes again and again.
fn hits(criterion: &mut Criterion) {
    for (name, key, verifier) in suites() {
        let mut group = criterion.benchmark_group(format!("hit/{name}"));
        let text = claims(0).sign(&*key).unwrap();
        group.bench_function("plain", |bencher| {
            bencher.iter(|| verifier.verify::<User>(black_box(&text)).unwrap());
        });
        let cached = cached(&verifier, 10_000);
        group.bench_function("cached", |bencher| {
            bencher.iter(|| cached.verify(black_box(&text)).unwrap());
        });
        group.finish();
    }
}

/// Tokens that are not in the cache when they come.
fn misses(criterion: &mut Criterion) {
    for (name, key, verifier) in suites() {
        let mut group = criterion.benchmark_group(format!("miss/{name}"));
        let texts: Vec<String> = (0..2_000).map(|number| claims(number).sign(&*key).unwrap()).collect();
        let mut next = texts.iter().cycle();
        group.bench_function("plain", |bencher| {
            bencher.iter(|| verifier.verify::<User>(next.next().unwrap()).unwrap());
        });
        // It keeps one token, so each token displaces the one before.
        let cached = cached(&verifier, 1);
        let mut next = texts.iter().cycle();
        group.bench_function("cached", |bencher| {
            bencher.iter(|| cached.verify(next.next().unwrap()).unwrap());
        });
        group.finish();
    }
}

/// Threads that find different tokens.
fn threads(_: &mut Criterion) {
    let (_, key, verifier) = suites().swap_remove(1);
    let cached = cached(&verifier, 10_000);
    let texts: Vec<String> = (0..2_000).map(|number| claims(number).sign(&*key).unwrap()).collect();
    for text in &texts {
        cached.verify(text).unwrap();
    }
    let halves: Vec<&[String]> = texts.chunks(1_000).collect();
    let mut ratios: Vec<f64> = (0..31)
        .map(|_| 2.0 * cpu_time_of_each(&cached, &halves[..1]) / cpu_time_of_each(&cached, &halves))
        .collect();
    ratios.sort_by(f64::total_cmp);
    println!("threads: two do {:.2} of the work of one in the same CPU time of each", ratios[15]);
}

/// Returns the CPU time in nanoseconds that a thread takes to find its tokens, on average.
fn cpu_time_of_each(cached: &CachedVerifier<Verifier, User>, shares: &[&[String]]) -> f64 {
    let barrier = Barrier::new(shares.len());
    let times: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = shares
            .iter()
            .map(|texts| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    let start = cpu_time();
                    for text in texts.iter().cycle().take(1_000 * texts.len()) {
                        cached.verify(black_box(text)).unwrap();
                    }
                    cpu_time() - start
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    times.iter().sum::<u64>() as f64 / times.len() as f64
}

/// Returns the CPU time of this thread in nanoseconds.
fn cpu_time() -> u64 {
    let Ok(text) = std::fs::read_to_string("/proc/thread-self/schedstat") else { return 0 };
    text.split_whitespace().next().and_then(|time| time.parse().ok()).unwrap_or_default()
}

criterion_group!(benches, hits, misses, threads);
criterion_main!(benches);
