//! `jsonwebtoken` 12, with the cryptography that the feature names.

mod operations;

use compare_common::Bench;
use jsonwebtoken::{DecodingKey, EncodingKey};

fn main() {
    let mut bench = Bench::new();
    operations::add(&mut bench);
    bench.serve();
}

fn encoding_key(secret: &[u8]) -> EncodingKey {
    EncodingKey::from_secret(secret).unwrap()
}

fn decoding_key(secret: &[u8]) -> DecodingKey {
    DecodingKey::from_secret(secret).unwrap()
}
