//! `countersign` with its feature `graviola`, which is about key pairs only and does not have ES512 and ES256K.

#[path = "../../countersign-aws-lc/src/operations.rs"]
mod operations;

use compare_common::{Algorithm, Bench};
use countersign::graviola::{signing_key, verifying_key};

fn main() {
    let mut bench = Bench::new();
    operations::add(&mut bench, |algorithm| !matches!(algorithm, Algorithm::Es512 | Algorithm::Es256k));
    bench.serve();
}
