//! Law: for any payload, JSON or not, no claims type enters more levels than the limit allows, not even one that ignores errors
//! and continues to read.
#![no_main]

#[path = "../../tests/util/depth.rs"]
mod depth;

use countersign::{HmacKey, Limits, SecretBytes, UnixTime, Unverified, Verifier, jws};
use depth::{Depth, Lenient};
use libfuzzer_sys::fuzz_target;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

const LIMIT: usize = 5;

static KEY: LazyLock<HmacKey> = LazyLock::new(|| HmacKey::hs256(&SecretBytes::from_bytes([7; 32])).unwrap());
static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| {
    Verifier::builder(KEY.clone())
        .accept_any_issuer()
        .accept_any_audience()
        .allow_missing_expiration()
        .limits(Limits::new().with_depth(LIMIT))
        .build()
        .unwrap()
});

/// A type in which each member ignores the errors of another type, and `extra` takes all other members.
#[derive(Deserialize)]
#[allow(dead_code)]
struct Claims {
    text: Option<Lenient<String>>,
    number: Option<Lenient<f64>>,
    numbers: Option<Lenient<BTreeMap<u32, Depth>>>,
    flags: Option<Lenient<BTreeMap<bool, Depth>>>,
    list: Option<Lenient<Vec<Lenient<BTreeMap<String, i8>>>>>,
    choice: Option<Lenient<Choice>>,
    deep: Option<Lenient<Depth>>,
    #[serde(flatten)]
    extra: BTreeMap<String, Lenient<Depth>>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
enum Choice {
    Unit,
    Newtype(Depth),
    Tuple(Depth, Box<Choice>),
    Struct { a: Depth },
}

fuzz_target!(|payload: &str| {
    let text = jws::Payload::new(payload).sign(&*KEY).unwrap();
    let (_, depth) = Depth::measure(|| VERIFIER.at(UnixTime::from_secs(0)).verify::<Claims>(&text));
    assert!(depth < LIMIT, "{depth} levels inside of the object: {payload}");
    let token = Unverified::parse(&text).unwrap();
    let (_, depth) = Depth::measure(|| token.unverified_claims::<Claims>());
    assert!(depth < Limits::MAX_DEPTH, "{depth} levels inside of the object: {payload}");
});
