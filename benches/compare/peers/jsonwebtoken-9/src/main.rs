//! `jsonwebtoken` 9, the last version with `ring`.

#[path = "../../jsonwebtoken-12/src/operations.rs"]
mod operations;

use crate::operations::JsonWebToken;
use compare_common::Bench;
use compare_common::keys::SECRET;
use jsonwebtoken::{DecodingKey, EncodingKey};

fn main() {
    let mut bench = Bench::new();
    bench.hs256::<JsonWebToken>();
    bench.rs256::<JsonWebToken>();
    bench.serve();
}

fn encoding_key() -> EncodingKey {
    EncodingKey::from_secret(&SECRET)
}

fn decoding_key() -> DecodingKey {
    DecodingKey::from_secret(&SECRET)
}
