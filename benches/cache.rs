//! Measures the cache of verified tokens: hits, misses, and two threads, and prints the ratios with the most that they may be.
//!
//! Run `cargo bench --features cache --bench cache`. Compare only ratios within one run, because absolute times depend on the
//! machine. In each round, each verifier has a window of 2 ms, in random order, and half a window before it that is not measured. A
//! ratio is the median of the ratios of the rounds. The last ratio is that of two threads to one, by the CPU time of the threads,
//! which other programs on the machine do not change; it needs Linux. The memory is counted by `tests/alloc.rs`.

#[path = "common/rounds.rs"]
mod rounds;

use core::time::Duration;
use countersign::{
    Algorithm, CachedVerifier, Claims, HmacKey, Keys, PrivateKey, SecretBytes, SignKey, UnixTime, Verifier,
};
use rounds::{measure, median};
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::rc::Rc;
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

type Work = rounds::Work<String>;

fn main() {
    // `cargo bench` passes this. Otherwise a short run only shows that it works.
    let is_bench = std::env::args().any(|argument| argument == "--bench");
    let (rounds, window, times) =
        if is_bench { (61, Duration::from_millis(2), 1_000) } else { (3, Duration::from_micros(20), 1) };
    let suites = suites();
    let mut works: Vec<Work> = suites.iter().flat_map(|suite| [plain(suite), hit(suite)]).collect();
    works.extend(suites.iter().flat_map(|suite| [plain_of_many(suite), miss(suite)]));
    let windows = measure(&mut works, rounds, window);
    println!("median of {rounds} rounds, ns");
    for ((name, _), times) in works.iter().zip(&windows) {
        println!("{name:<28} {:>10.1}", median(times));
    }
    println!();
    for (name, other, most) in [
        ("RS256-2048, hit", "RS256-2048, plain", 0.006),
        ("RS256-2048, hit", "HS256, plain", 0.20),
        ("ES256, hit", "ES256, plain", 0.001),
        ("RS256-2048, miss", "RS256-2048, plain, many", 1.05),
        ("ES256, miss", "ES256, plain, many", 1.05),
        ("HS256, miss", "HS256, plain, many", 1.35),
    ] {
        let of = |name: &str| works.iter().zip(&windows).find(|((of, _), _)| of == name).unwrap().1;
        let ratio =
            median(&of(name).iter().zip(of(other)).map(|(own, other)| own / other).collect::<Vec<_>>());
        println!("{:<44} {ratio:>8.5}, at most {most}: {}", format!("{name} / {other}"), met(ratio <= most));
    }
    let ratio = threads(&suites[1], rounds.min(31), times);
    let name = "two threads / one, all hits";
    println!("{name:<44} {ratio:>8.2}, at least 1.8: {}", met(ratio >= 1.8));
}

const fn met(is_met: bool) -> &'static str {
    if is_met { "met" } else { "missed" }
}

/// One token that comes again and again, without a cache.
fn plain((name, key, verifier): &Suite) -> Work {
    let (text, verifier) = (claims(0).sign(&**key).unwrap(), verifier.clone());
    (
        format!("{name}, plain"),
        Box::new(move || drop(black_box(verifier.verify::<User>(black_box(&text)).unwrap()))),
    )
}

/// The same, with a cache.
fn hit((name, key, verifier): &Suite) -> Work {
    let (text, cached) = (claims(0).sign(&**key).unwrap(), cached(verifier, 10_000));
    (format!("{name}, hit"), Box::new(move || drop(black_box(cached.verify(black_box(&text)).unwrap()))))
}

/// Different tokens, without a cache.
fn plain_of_many((name, key, verifier): &Suite) -> Work {
    let (mut next, verifier) = (many(&**key), verifier.clone());
    (
        format!("{name}, plain, many"),
        Box::new(move || drop(black_box(verifier.verify::<User>(&next()).unwrap()))),
    )
}

/// Different tokens, none of which is in the cache when it comes: it keeps one token, so each displaces the one before.
fn miss((name, key, verifier): &Suite) -> Work {
    let (mut next, cached) = (many(&**key), cached(verifier, 1));
    (format!("{name}, miss"), Box::new(move || drop(black_box(cached.verify(&next()).unwrap()))))
}

/// Returns one token after the other, over and over.
fn many(key: &dyn SignKey) -> impl FnMut() -> Rc<str> + use<> {
    let texts: Vec<Rc<str>> = (0..2_000).map(|number| claims(number).sign(key).unwrap().into()).collect();
    let mut place = 0;
    move || {
        place = (place + 1) % texts.len();
        texts[place].clone()
    }
}

/// Returns how much two threads that find different tokens do in the CPU time in which one thread does 1.
fn threads((_, key, verifier): &Suite, rounds: usize, times: usize) -> f64 {
    let cached = cached(verifier, 10_000);
    let texts: Vec<String> = (0..2_000).map(|number| claims(number).sign(&**key).unwrap()).collect();
    for text in &texts {
        cached.verify(text).unwrap();
    }
    let halves: Vec<&[String]> = texts.chunks(1_000).collect();
    let of = |shares: &[&[String]]| cpu_time_of_each(&cached, shares, times);
    median(&(0..rounds).map(|_| 2.0 * of(&halves[..1]) / of(&halves)).collect::<Vec<_>>())
}

/// Returns the CPU time in nanoseconds that a thread takes to find its tokens, on average.
fn cpu_time_of_each(cached: &CachedVerifier<Verifier, User>, shares: &[&[String]], times: usize) -> f64 {
    let barrier = Barrier::new(shares.len());
    let times: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = shares
            .iter()
            .map(|texts| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    let start = cpu_time();
                    for text in texts.iter().cycle().take(times * texts.len()) {
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
