//! Fixed numbers of bytes as base64url text, and SHA-256 of several parts.

use alloc::string::String;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes the `N` bytes that `text` is the one valid spelling of.
pub(crate) fn decode<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    decode_into(&mut bytes, text).then_some(bytes)
}

/// Fills `bytes`, if `text` is the one valid spelling of that many bytes. The engine refuses padding and stray bits.
pub(crate) fn decode_into(bytes: &mut [u8], text: &str) -> bool {
    URL_SAFE_NO_PAD.decode_slice(text, bytes) == Ok(bytes.len())
}

/// Computes SHA-256 over the concatenated `parts`. All except the last have a length fixed by their position.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize().into()
}
