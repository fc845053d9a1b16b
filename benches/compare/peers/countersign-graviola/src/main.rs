//! `countersign` with its feature `graviola`, which is about key pairs only and does not have ES512, ES256K and
//! ML-DSA.

#[path = "../../countersign-aws-lc/src/operations.rs"]
mod operations;

use compare_common::{Algorithm, Bench};
use countersign::graviola::{signing_key, verifying_key};

fn main() {
    let mut bench = Bench::new();
    operations::add(&mut bench, |algorithm| {
        !matches!(algorithm, Algorithm::Es512 | Algorithm::Es256k) && !Algorithm::ML_DSA.contains(&algorithm)
    });
    bench.serve();
}
