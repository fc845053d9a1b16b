//! The operations of one library, and the loop that serves the driver.
//!
//! The protocol is lines of text. The process says `operation NAME` for each operation, then `ready`. Each
//! command that follows names an operation by its number:
//!
//! | command | answer |
//! |---|---|
//! | `time N ITERATIONS` | nanoseconds for all of them |
//! | `count N ITERATIONS` | allocations from Rust, and of the whole process or `-` |
//! | `sign N` | the token that a signing operation makes, else `-` |
//! | `try N TOKEN` | `accepted` or `refused`, by a verifying operation |

use crate::algorithm::Algorithm;
use crate::allocations::{self, OfProcess};
use crate::claims::Size;
use crate::keys;
use crate::library::{Hs256, Rs256, Sign, Verify};
use crate::tokens::{self, Tokens};
use std::hint::black_box;
use std::io::{BufRead, Write, stdin, stdout};
use std::time::{Duration, Instant};

/// The operations of one library.
pub struct Bench {
    tokens: Tokens,
    operations: Vec<(String, Box<dyn Operation>)>,
}

/// The loops are inside, so that the call measured is a static one.
trait Operation {
    fn run(&mut self, iterations: u64);

    fn sign(&mut self) -> Option<String> {
        None
    }

    fn accepts(&mut self, _token: &str) -> bool {
        false
    }
}

impl Bench {
    /// Reads the tokens that the driver wrote.
    #[must_use]
    pub fn new() -> Self {
        let folder = std::env::args_os().nth(1).expect("the driver passes the folder of the tokens");
        Self { tokens: Tokens::open(folder.into()), operations: Vec::new() }
    }

    /// The operations with HS256.
    pub fn hs256<L: Hs256>(&mut self) {
        for size in Size::ALL {
            self.sign(tokens::sign_hs256(size), L::sign(size));
            self.verify(tokens::verify_hs256(size), L::verify());
        }
        self.sign(tokens::SIGN_TINY, L::sign_tiny());
        self.verify(tokens::VERIFY_TINY, L::verify_tiny());
        self.verify(tokens::VERIFY_OTHER_HEADER, L::verify());
    }

    /// The operations with RS256.
    pub fn rs256<L: Rs256>(&mut self) {
        self.sign(tokens::SIGN_RS256, L::sign(keys::RSA_2048));
        for key in keys::RSA {
            self.verify(&tokens::verify_rs256(key.bits), L::verify(key));
        }
    }

    /// The operations with an algorithm that has one to sign and one to verify.
    pub fn algorithm(
        &mut self,
        algorithm: Algorithm,
        sign: impl Sign + 'static,
        verify: impl Verify + 'static,
    ) {
        self.sign(tokens::sign(algorithm), sign);
        self.verify(tokens::verify(algorithm), verify);
    }

    /// An operation that makes a token.
    pub fn sign(&mut self, name: &str, sign: impl Sign + 'static) {
        self.add(name, Signing(sign));
    }

    /// An operation that verifies the token of the same name.
    pub fn verify(&mut self, name: &str, verify: impl Verify + 'static) {
        let token = self.tokens.read(name);
        self.add(name, Verifying { verify, token });
    }

    /// An operation of another kind. It is to panic if it does not come out as it should.
    pub fn other<T>(&mut self, name: &str, operation: impl FnMut() -> T + 'static) {
        self.add(name, Other(operation));
    }

    /// The operations with a JWK set: `read` makes keys of its text, and `verify` verifies a token with the key that it names. Both
    /// are to panic if they do not succeed.
    pub fn key_set<K: 'static>(
        &mut self,
        read: impl Fn(&str) -> K + Copy + 'static,
        verify: impl Fn(&K, &str) + 'static,
    ) {
        let text = self.tokens.read(tokens::KEY_SET);
        let of_each: Vec<String> =
            self.tokens.read(tokens::KEY_SET_TOKENS).lines().map(str::to_owned).collect();
        let read_again = text.clone();
        self.other(tokens::READ_KEY_SET, move || read(black_box(&read_again)));
        self.other(tokens::USE_KEY_SET, move || {
            let keys = read(black_box(&text));
            for token in &of_each {
                verify(&keys, black_box(token));
            }
        });
    }

    /// A token that the driver wrote.
    #[must_use]
    pub fn token(&self, name: &str) -> String {
        self.tokens.read(name)
    }

    /// Every operation is run once here: one that fails must not be found out half-way through a long run.
    fn add(&mut self, name: &str, mut operation: impl Operation + 'static) {
        operation.run(1);
        self.operations.push((name.to_owned(), Box::new(operation)));
    }

    /// Answers the driver until it closes the pipe.
    pub fn serve(mut self) {
        for (name, _) in &self.operations {
            println!("operation {name}");
        }
        println!("ready");
        let of_process = OfProcess::open();
        for line in stdin().lock().lines() {
            let answer = self.answer(&line.expect("commands are text"), of_process.as_ref());
            println!("{answer}");
            stdout().flush().expect("the driver reads");
        }
    }

    fn answer(&mut self, command: &str, of_process: Option<&OfProcess>) -> String {
        let mut words = command.split(' ');
        let (verb, number) = (words.next().unwrap_or_default(), number(words.next()));
        let operation = &mut *self.operations[number as usize].1;
        match verb {
            "time" => time(operation, self::number(words.next())).as_nanos().to_string(),
            "count" => count(operation, self::number(words.next()), of_process),
            "sign" => operation.sign().unwrap_or_else(|| "-".to_owned()),
            "try" if operation.accepts(words.next().expect("a token")) => "accepted".to_owned(),
            "try" => "refused".to_owned(),
            _ => panic!("unknown command {verb}"),
        }
    }
}

impl Default for Bench {
    fn default() -> Self {
        Self::new()
    }
}

fn number(word: Option<&str>) -> u64 {
    word.and_then(|word| word.parse().ok()).expect("a number")
}

fn time(operation: &mut dyn Operation, iterations: u64) -> Duration {
    // The process has slept since its last window, and others have used the caches: they fill again first.
    operation.run(iterations.div_ceil(2));
    let start = Instant::now();
    operation.run(iterations);
    start.elapsed()
}

fn count(operation: &mut dyn Operation, iterations: u64, of_process: Option<&OfProcess>) -> String {
    operation.run(2);
    let before = (allocations::from_rust(), of_process.map(OfProcess::count));
    operation.run(iterations);
    let after = (allocations::from_rust(), of_process.map(OfProcess::count));
    let whole = before.1.zip(after.1).map_or("-".to_owned(), |(before, after)| (after - before).to_string());
    format!("{} {whole}", after.0 - before.0)
}

struct Signing<F>(F);

impl<F: Sign> Operation for Signing<F> {
    fn run(&mut self, iterations: u64) {
        for _ in 0..iterations {
            black_box(self.0.sign().expect("the library signs"));
        }
    }

    fn sign(&mut self) -> Option<String> {
        self.0.sign().ok()
    }
}

struct Verifying<F> {
    verify: F,
    token: String,
}

impl<F: Verify> Operation for Verifying<F> {
    fn run(&mut self, iterations: u64) {
        for _ in 0..iterations {
            let verified = self.verify.verify(black_box(&self.token));
            black_box(verified.unwrap_or_else(|error| panic!("a good token was refused: {error:?}")));
        }
    }

    fn accepts(&mut self, token: &str) -> bool {
        self.verify.verify(token).is_ok()
    }
}

struct Other<F>(F);

impl<T, F: FnMut() -> T> Operation for Other<F> {
    fn run(&mut self, iterations: u64) {
        for _ in 0..iterations {
            black_box((self.0)());
        }
    }
}
