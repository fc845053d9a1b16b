//! `jsonwebtoken` 12, with the cryptography that the feature names.

mod operations;

use compare_common::Bench;
use compare_common::claims::Everything;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use std::collections::HashMap;

fn main() {
    let mut bench = Bench::new();
    operations::add(&mut bench);
    let validation = operations::validation(Algorithm::RS256);
    bench.key_set(read, move |keys, token| {
        let header = jsonwebtoken::decode_header(token).unwrap();
        let key = &keys[&header.kid.unwrap()];
        drop(jsonwebtoken::decode::<Everything>(token, key, &validation).unwrap());
    });
    bench.serve();
}

/// The keys of a JWK set by their ids.
fn read(text: &str) -> HashMap<String, DecodingKey> {
    let set: JwkSet = serde_json::from_str(text).unwrap();
    let key = |jwk| DecodingKey::from_jwk(jwk).unwrap();
    set.keys.iter().map(|jwk| (jwk.common.key_id.clone().unwrap(), key(jwk))).collect()
}

fn encoding_key(secret: &[u8]) -> EncodingKey {
    EncodingKey::from_secret(secret).unwrap()
}

fn decoding_key(secret: &[u8]) -> DecodingKey {
    DecodingKey::from_secret(secret).unwrap()
}
