//! Reads the text that a user pastes, and makes the text of a token fit to be shown.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

/// Removes the white space around a token, the line ends inside, and the `Bearer ` of an HTTP header.
pub(crate) fn token_in(pasted: &str) -> String {
    let text = pasted.trim();
    let text = match text.split_at_checked("Bearer ".len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case("Bearer ") => rest.trim_start(),
        _ => text,
    };
    // A terminal or a mail breaks long lines.
    text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect()
}

/// Writes characters that steer the display as JSON escapes.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        push_visible(&mut out, c);
    }
    out
}

fn push_visible(out: &mut String, c: char) {
    // Characters that reorder or end a line, or are invisible: Unicode's Bidi_Control, line and paragraph separators, zero
    // width, and tags.
    let steers = matches!(c,
        '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}');
    if c.is_control() || steers {
        for unit in c.encode_utf16(&mut [0; 2]) {
            out.push_str(&format!("\\u{unit:04x}"));
        }
    } else {
        out.push(c);
    }
}

/// Decodes a segment more leniently than a verifier, which refuses what is ignored here.
pub(crate) fn decode(segment: &str) -> Result<Vec<u8>, String> {
    const FORGIVING: GeneralPurpose =
        GeneralPurpose::new(&URL_SAFE, NO_PAD.with_decode_allow_trailing_bits(true));
    let segment: String = segment.chars().filter(|c| !c.is_whitespace()).collect();
    let segment = segment.trim_end_matches('=').replace('+', "-").replace('/', "_");
    FORGIVING.decode(segment).map_err(|error| error.to_string())
}

/// Writes JSON with line breaks and indentation only, so that the order, the spelling of numbers and duplicates stay.
pub(crate) fn indented(json: &str) -> String {
    let (mut out, mut depth, mut in_string, mut escaped, mut last) =
        (String::new(), 0_usize, false, false, ' ');
    for c in json.chars() {
        if in_string {
            push_visible(&mut out, c);
            in_string = escaped || c != '"';
            escaped = !escaped && c == '\\';
            continue;
        }
        match c {
            ' ' | '\t' | '\r' | '\n' => continue,
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !matches!(last, '{' | '[') {
                    new_line(&mut out, depth);
                }
            }
            _ if matches!(last, '{' | '[' | ',') => new_line(&mut out, depth),
            _ => {}
        }
        push_visible(&mut out, c);
        match c {
            '{' | '[' => depth = depth.saturating_add(1),
            ':' => out.push(' '),
            '"' => in_string = true,
            _ => {}
        }
        last = c;
    }
    out
}

fn new_line(out: &mut String, depth: usize) {
    out.push('\n');
    // No deeper than a screen shows: otherwise a token of brackets alone would be written as its square.
    out.push_str(&"  ".repeat(depth.min(32)));
}
