//! Measures how a key is found in fetched keys, next to a plain key set: look-ups alone, whole verifications with a key that checks
//! no signature, and two threads.
//!
//! Run `cargo bench -p countersign-jwks --bench lookup`. Compare only numbers within one run, because absolute times depend on the
//! machine. Each round measures both, and each result is a median over the rounds. The last line is the ratio of two threads to
//! one, by the CPU time of the threads, which other programs on the machine do not change; it needs Linux.

use core::time::Duration;
use countersign::jws::MessageVerifier;
use countersign::{
    Algorithm, Claims, Identity, Key, KeyRef, KeySet, KeySource, Keys, PrivateKey, PublicKey, SignatureError,
    UnixTime, Verifier, VerifyKey, VerifyingKey,
};
use countersign_jwks::{Fetch, Fetching, RemoteKeys, Request, Response};
use std::hint::black_box;
use std::sync::Barrier;
use std::time::Instant;

const ISSUER: &str = "https://idp.example";
const AUDIENCE: &str = "https://api.example";
const ALLOWED: [Algorithm; 1] = [Algorithm::Ed25519];

/// A key that accepts every signature.
struct Nothing(Identity);

impl Key for Nothing {
    fn identity(&self) -> &Identity {
        &self.0
    }
}

impl VerifyKey for Nothing {
    fn verify_bytes(&self, _: &[u8], _: &[u8]) -> Result<(), SignatureError> {
        Ok(())
    }
}

/// An issuer without a network.
struct Fixed(String);

impl Fetch for Fixed {
    fn fetch<'a>(&'a self, _: Request<'a>) -> Fetching<'a> {
        Box::pin(async { Ok(Response::new(200, &*self.0)) })
    }
}

fn verifier(keys: impl Into<Keys>) -> Verifier {
    Verifier::builder(keys).issuer(ISSUER).audience(AUDIENCE).build().unwrap()
}

fn main() {
    // `cargo bench` passes this. Otherwise a short run only shows that it works.
    let (rounds, times) =
        if std::env::args().any(|argument| argument == "--bench") { (101, 20_000) } else { (3, 100) };
    let private = PrivateKey::generate(Algorithm::Ed25519).unwrap();
    // Four keys, as a provider has between two rotations at most.
    let key = |id: &str| private.clone().ed25519().unwrap().with_key_id(id).unwrap();
    let mut set = KeySet::new();
    for id in ["2026-01", "2026-02", "2026-03", "2026-04"] {
        set.insert(key(id).verifying_key()).unwrap();
    }
    let text = set.to_jwks().unwrap();
    let now = UnixTime::now();
    let claims = Claims::registered().issuer(ISSUER).audience(AUDIENCE).subject("ann").issued_at(now);
    let token = claims.expires_in(Duration::from_secs(3600)).sign(&key("2026-03")).unwrap();
    let parsed = MessageVerifier::new(key("2026-03").verifying_key()).verify(&token).unwrap();

    let nothing = |_: &PublicKey, algorithm| VerifyingKey::custom(Nothing(Identity::new(algorithm)));
    let read = move |text: &str, algorithms: &[Algorithm]| KeySet::from_jwks_with(text, algorithms, nothing);
    let plain = read(&text, &ALLOWED).unwrap().keys;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let builder =
        RemoteKeys::builder("https://idp.example/keys", &ALLOWED).fetch_with(Fixed(text)).read_with(read);
    let remote = runtime.block_on(builder.start()).unwrap();

    let find = || drop(black_box(plain.find(black_box(&parsed.header())).unwrap()));
    let lend = || {
        let borrow = &mut |key: &KeyRef<'_>| {
            black_box(key.algorithm());
        };
        remote.lend(black_box(&parsed.header()), borrow).unwrap();
    };
    compare("look-up", rounds, times, find, lend);
    let (of_plain, of_remote) = (verifier(plain.clone()), verifier(remote.clone()));
    let verify = |verifier: &Verifier| drop(verifier.at(now).verify::<()>(black_box(&token)).unwrap());
    compare("verification", rounds, times, || verify(&of_plain), || verify(&of_remote));

    let mut ratios: Vec<f64> = (0..rounds.min(31))
        .map(|_| 2.0 * cpu_time_of_each(1, 50 * times, lend) / cpu_time_of_each(2, 50 * times, lend))
        .collect();
    println!("threads: two do {:.2} of the work of one in the same CPU time of each", median(&mut ratios));
}

/// Prints the median times of both, and of the difference.
fn compare(name: &str, rounds: usize, times: u32, plain: impl Fn(), remote: impl Fn()) {
    let time = |work: &dyn Fn()| {
        let start = Instant::now();
        for _ in 0..times {
            work();
        }
        start.elapsed().as_nanos() as f64 / f64::from(times)
    };
    let (mut plains, mut remotes, mut differences) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (plain, remote) = (time(&plain), time(&remote));
        plains.push(plain);
        remotes.push(remote);
        differences.push(remote - plain);
    }
    println!(
        "{name}: {:.1} ns in a key set, {:.1} ns in fetched keys, {:+.1} ns",
        median(&mut plains),
        median(&mut remotes),
        median(&mut differences)
    );
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Returns the CPU time in nanoseconds that each of these threads takes, on average.
fn cpu_time_of_each(threads: usize, times: u32, work: impl Fn() + Sync) -> f64 {
    let barrier = Barrier::new(threads);
    let spent: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    let start = cpu_time();
                    for _ in 0..times {
                        work();
                    }
                    cpu_time() - start
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    spent.iter().sum::<u64>() as f64 / spent.len() as f64
}

/// Returns the CPU time of this thread in nanoseconds.
fn cpu_time() -> u64 {
    let Ok(text) = std::fs::read_to_string("/proc/thread-self/schedstat") else { return 0 };
    text.split_whitespace().next().and_then(|time| time.parse().ok()).unwrap_or_default()
}
