//! `countersign` with its feature `aws-lc-rs`, which is about key pairs only and does not have ES256K.

mod operations;

use compare_common::{Algorithm, Bench};
use countersign::aws_lc::{signing_key, verifying_key};

fn main() {
    let mut bench = Bench::new();
    operations::add(&mut bench, |algorithm| algorithm != Algorithm::Es256k);
    bench.serve();
}
