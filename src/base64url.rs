//! Encodes and decodes base64url without padding ([RFC 4648 section 5](https://www.rfc-editor.org/rfc/rfc4648#section-5)). A
//! byte string has exactly one spelling, and all other spellings are refused.
//!
//! It is for public data only, because the decoder's memory accesses depend on the text.

use alloc::vec::Vec;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::{DecodeError, DecodeSliceError, Engine};

/// Returns the fastest engine of this build. Both engines agree on every input; the tests below check that.
#[cfg(all(
    feature = "std",
    any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon"))
))]
#[inline]
fn engine() -> &'static base64::engine::Simd {
    use base64::engine::{Simd, general_purpose::NO_PAD};
    // Made once, because to ask the CPU for its vector unit costs more than to decode a short text.
    static ENGINE: std::sync::LazyLock<Simd> = std::sync::LazyLock::new(|| Simd::url_safe(NO_PAD));
    &ENGINE
}

#[cfg(not(all(
    feature = "std",
    any(target_arch = "x86_64", all(target_arch = "aarch64", target_feature = "neon"))
)))]
fn engine() -> &'static base64::engine::GeneralPurpose {
    &URL_SAFE_NO_PAD
}

/// The longest text, in characters, that the portable engine decodes faster, as measured with AVX2. Only the signatures of
/// HS256 and HS384 are as short.
const SHORT: usize = 64;

/// Returns the length of the text for `bytes` bytes.
#[inline]
pub(crate) const fn encoded_len(bytes: usize) -> usize {
    // One remaining byte takes two characters, two take three. Saturates, so that an absurd length stays absurd.
    let whole = (bytes / 3).saturating_mul(4);
    match bytes % 3 {
        0 => whole,
        1 => whole.saturating_add(2),
        _ => whole.saturating_add(3),
    }
}

/// Returns the number of bytes in a well-formed text of `characters` characters.
#[inline]
pub(crate) const fn decoded_len(characters: usize) -> usize {
    let whole = (characters / 4).saturating_mul(3);
    match characters % 4 {
        0 => whole,
        left => whole.saturating_add(left).saturating_sub(1),
    }
}

/// Appends the text of `bytes` to `out`.
#[inline]
pub(crate) fn encode_onto(out: &mut Vec<u8>, bytes: &[u8]) {
    let start = out.len();
    out.resize(start.saturating_add(encoded_len(bytes.len())), 0);
    let written = out.get_mut(start..).map(|target| engine().encode_slice(bytes, target));
    if !matches!(written, Some(Ok(_))) {
        // This does not happen, because the length is exact. If it did, this slower code would still be right.
        out.truncate(start);
        out.extend_from_slice(engine().encode(bytes).as_bytes());
    }
}

/// Decodes `text` into the front of `out` and returns how many bytes it took.
///
/// The error is the offset of the first wrong character.
#[inline]
pub(crate) fn decode_into(out: &mut [u8], text: &str) -> Result<usize, usize> {
    let decoded = if text.len() > SHORT {
        engine().decode_slice(text, out)
    } else {
        URL_SAFE_NO_PAD.decode_slice(text, out)
    };
    decoded.map_err(|error| offset(&error, text.len()))
}

/// Decodes `text` and appends its bytes to `out`. After an error, `out` is unchanged.
#[inline]
pub(crate) fn decode_onto(out: &mut Vec<u8>, text: &str) -> Result<(), usize> {
    let start = out.len();
    out.resize(start.saturating_add(decoded_len(text.len())), 0);
    let decoded = match out.get_mut(start..) {
        Some(target) => engine().decode_slice(text, target).map_err(|error| offset(&error, text.len())),
        None => Err(0),
    };
    match decoded {
        Ok(length) => {
            out.truncate(start.saturating_add(length));
            Ok(())
        }
        Err(offset) => {
            out.truncate(start);
            Err(offset)
        }
    }
}

/// Returns the offset of the first byte of `text` that is not in the alphabet.
pub(crate) fn first_foreign(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    // The loop has no branch, so that the compiler checks sixteen bytes at a time.
    let foreign = bytes.iter().fold(0, |foreign, &byte| foreign | u8::from(!in_alphabet(byte)));
    if foreign == 0 { None } else { bytes.iter().position(|&byte| !in_alphabet(byte)) }
}

const fn in_alphabet(byte: u8) -> bool {
    // Bit 5 of a letter is its case.
    let letter = (byte | 0x20).wrapping_sub(b'a') < 26;
    let digit = byte.wrapping_sub(b'0') < 10;
    letter | digit | (byte == b'-') | (byte == b'_')
}

/// Returns the offset of the error. The error of the crate `base64` also shows the character, which is not passed on.
fn offset(error: &DecodeSliceError, length: usize) -> usize {
    match error {
        DecodeSliceError::DecodeError(
            DecodeError::InvalidByte(offset, _) | DecodeError::InvalidLastSymbol { offset, .. },
        ) => *offset,
        _ => length,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    #[test]
    fn the_engine_of_this_build_agrees_with_the_portable_engine() {
        // Lengths on both sides of the vector path's threshold, with a foreign character at each position.
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        for length in 0..260_usize {
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    state =
                        state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    state.to_be_bytes()[0]
                })
                .collect();
            let mut text = Vec::new();
            encode_onto(&mut text, &bytes);
            let text = String::from_utf8(text).unwrap();
            assert_eq!(text, URL_SAFE_NO_PAD.encode(&bytes));
            assert_eq!(text.len(), encoded_len(length));
            assert_eq!(decoded_len(text.len()), length);
            let mut back = Vec::new();
            decode_onto(&mut back, &text).unwrap();
            assert_eq!(back, bytes);
            let mut slice = [0; 260];
            assert_eq!(decode_into(&mut slice, &text), Ok(length));
            assert_eq!(slice.get(..length), Some(&*bytes));
            for place in 0..text.len() {
                let foreign = ['+', '/', '=', ' ', '\n', '.', '\0', '~'][place % 8];
                let mut broken = text.clone();
                broken.replace_range(place..=place, foreign.encode_utf8(&mut [0; 4]));
                let mut out = Vec::from(*b"kept");
                assert!(decode_onto(&mut out, &broken).is_err());
                assert_eq!(out, b"kept");
                assert_eq!(first_foreign(&broken), Some(place));
                let portable = URL_SAFE_NO_PAD.decode_slice(&broken, &mut slice);
                let portable = portable.map_err(|error| offset(&error, broken.len()));
                assert!(portable.is_err());
                assert_eq!(decode_into(&mut slice, &broken), portable);
            }
        }
    }

    #[test]
    fn every_decoder_has_the_same_alphabet_at_every_position() {
        for length in [4_usize, 16, 32, 64, 100, 132] {
            for place in 0..length {
                for byte in 0..=127_u8 {
                    let mut text = "A".repeat(length);
                    text.replace_range(place..=place, char::from(byte).encode_utf8(&mut [0; 4]));
                    let known = first_foreign(&text).is_none();
                    assert_eq!(URL_SAFE_NO_PAD.decode(&text).is_ok(), known, "{byte} at {place} of {length}");
                    assert_eq!(
                        decode_onto(&mut Vec::new(), &text).is_ok(),
                        known,
                        "{byte} at {place} of {length}"
                    );
                    assert_eq!(
                        decode_into(&mut [0; 99], &text).is_ok(),
                        known,
                        "{byte} at {place} of {length}"
                    );
                }
            }
        }
        assert_eq!(first_foreign("AAÄ"), Some(2));
    }

    #[test]
    fn stray_bits_after_the_last_byte_are_refused() {
        for end in ["QR", "QUJ", "A", "AAAAA"] {
            // Also after a text that the vector engine decodes.
            for whole in [0, 60, 64, 128] {
                let text = "AAAA".repeat(whole / 4) + end;
                assert!(decode_into(&mut [0; 104], &text).is_err(), "{text}");
                assert!(decode_onto(&mut Vec::new(), &text).is_err(), "{text}");
            }
        }
    }
}
