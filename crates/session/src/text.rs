//! Fixed numbers of bytes as base64url text, and SHA-256 of several parts.

use crate::base64url;
use alloc::string::String;
use alloc::vec::Vec;
use sha2::{Digest, Sha256};

pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(base64url::encoded_len(bytes.len()));
    base64url::encode_onto(&mut text, bytes);
    // base64url is ASCII, so there always is a text.
    String::from_utf8(text).unwrap_or_default()
}

/// The `N` bytes that `text` is the one spelling of.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    decode_into(&mut bytes, text).then_some(bytes)
}

/// Fills `bytes`, if `text` is the one spelling of as many.
pub(crate) fn decode_into(bytes: &mut [u8], text: &str) -> bool {
    text.len() == base64url::encoded_len(bytes.len())
        && base64url::decode_into(bytes, text) == Ok(bytes.len())
}

/// SHA-256 over `parts`, one after the other. All but the last are of a length that their place fixes.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize().into()
}
