//! Finds the key or the certificate in a PEM text ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468)), or names what the text
//! holds instead.
//!
//! The crate `pem-rfc7468` decodes. It reads the strict form only, so this module finds the one wanted block and removes the
//! white space that section 3 allows a reader to ignore.

use crate::error::{FileMistake, KeyError};
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use pkcs8::der::pem::{self, LineEnding};
use zeroize::Zeroizing;

/// What the caller wants: a certificate, or one half of a key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    #[cfg(feature = "certificate")]
    Certificate,
    Private,
    Public,
}

impl Wanted {
    /// Returns whether a block with this label is a candidate. A text may hold only one candidate.
    fn counts(self, label: &str) -> bool {
        match self {
            #[cfg(feature = "certificate")]
            Self::Certificate => is_certificate(label),
            Self::Private | Self::Public => label.ends_with("PRIVATE KEY") || label.ends_with("PUBLIC KEY"),
        }
    }

    const fn several(self) -> FileMistake {
        match self {
            #[cfg(feature = "certificate")]
            Self::Certificate => FileMistake::SeveralCertificates,
            Self::Private | Self::Public => FileMistake::SeveralKeys,
        }
    }

    /// Names the content of a text that has no candidate and a first block with this label.
    fn mistake(self, label: &str) -> FileMistake {
        match self {
            _ if label.ends_with("CERTIFICATE REQUEST") => FileMistake::CertificateRequest,
            #[cfg(feature = "certificate")]
            Self::Certificate if label.ends_with("PRIVATE KEY") => FileMistake::PrivateKey,
            #[cfg(feature = "certificate")]
            Self::Certificate => FileMistake::NotACertificate,
            Self::Private | Self::Public if is_certificate(label) => FileMistake::Certificate,
            Self::Private | Self::Public => FileMistake::NotAKey,
        }
    }
}

/// Returns whether the label is one of RFC 7468 section 5.1, or OpenSSL's label for a trusted certificate.
fn is_certificate(label: &str) -> bool {
    matches!(label, "CERTIFICATE" | "X509 CERTIFICATE" | "X.509 CERTIFICATE" | "TRUSTED CERTIFICATE")
}

/// Decodes the only key or certificate of `text` to DER.
pub(crate) fn decode(text: &str, wanted: Wanted) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let block = only_block(text, wanted).map_err(KeyError::File)?;
    block.check_label(wanted)?;
    block.check_body().map_err(KeyError::File)?;
    block.decode().map_err(KeyError::File)
}

/// Encodes `der` as PEM text.
pub(crate) fn encode(label: &'static str, der: &[u8]) -> Result<String, KeyError> {
    pem::encode_string(label, LineEnding::LF, der).map_err(|_| KeyError::MalformedKey)
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// One block of a PEM text. Its BEGIN and END lines are complete and have the same label. There is no other BEGIN between them.
#[derive(Clone, Copy)]
struct Block<'a> {
    label: &'a str,
    /// The text between the BEGIN and the END line.
    body: &'a str,
}

impl Block<'_> {
    /// Checks that a file with this label may hold what the caller wants.
    fn check_label(&self, wanted: Wanted) -> Result<(), KeyError> {
        let mistake = match (wanted, self.label) {
            #[cfg(feature = "certificate")]
            (Wanted::Certificate, _) => return Ok(()),
            (Wanted::Public, "PUBLIC KEY" | "RSA PUBLIC KEY")
            | (
                Wanted::Private,
                "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "ED25519 PRIVATE KEY",
            ) => return Ok(()),
            // Do not explain how to read a private key, because the caller wants a public one.
            (Wanted::Public, label) if label.ends_with("PRIVATE KEY") => FileMistake::PrivateKey,
            (Wanted::Private, label) if label.ends_with("PUBLIC KEY") => FileMistake::PublicKey,
            (_, "ENCRYPTED PRIVATE KEY") => FileMistake::Encrypted,
            (_, "OPENSSH PRIVATE KEY") => FileMistake::OpenSsh,
            _ => return Err(KeyError::UnsupportedKeyType),
        };
        Err(KeyError::File(mistake))
    }

    /// Finds the mistakes that are visible before the body is decoded.
    fn check_body(&self) -> Result<(), FileMistake> {
        let mistakes = [
            (self.body.contains("\\n") || self.body.contains("\\r"), FileMistake::EscapedLineBreaks),
            // OpenSSL's old format marks encryption in a header.
            (self.body.contains("Proc-Type:") && self.body.contains("ENCRYPTED"), FileMistake::Encrypted),
        ];
        match mistakes.into_iter().find(|(made, _)| *made) {
            Some((_, mistake)) => Err(mistake),
            None => Ok(()),
        }
    }

    /// Decodes the block in the strict form: LF, and 64 characters in each line.
    fn decode(&self) -> Result<Zeroizing<Vec<u8>>, FileMistake> {
        // As long as the longest possible text, because a growing buffer leaves copies in freed memory.
        let lines = self.body.len().div_ceil(64);
        let lengths = [self.body.len(), lines, self.label.len(), self.label.len(), 64];
        let longest = lengths.into_iter().fold(0, usize::saturating_add);
        let mut text = Zeroizing::new(String::with_capacity(longest));
        for part in [BEGIN, self.label, DASHES, "\n"] {
            text.push_str(part);
        }
        let characters = self.body.chars().filter(|character| !character.is_ascii_whitespace());
        for (place, character) in characters.enumerate() {
            if place > 0 && place.is_multiple_of(64) {
                text.push('\n');
            }
            text.push(character);
        }
        for part in ["\n", END, self.label, DASHES, "\n"] {
            text.push_str(part);
        }
        // Decode into our own buffer, so that the bytes decoded before a mistake are wiped, too.
        let mut buffer = Zeroizing::new(Vec::new());
        buffer.resize(self.body.len(), 0);
        let decoded = pem::decode(text.as_bytes(), &mut buffer).map(|(_, der)| der.len());
        buffer.truncate(decoded.map_err(|_| FileMistake::BrokenBase64)?);
        Ok(buffer)
    }
}

/// Finds the only candidate. Other blocks may surround it: certificates next to a key, parameters, requests.
fn only_block(text: &str, wanted: Wanted) -> Result<Block<'_>, FileMistake> {
    let (mut found, mut other) = (None, None);
    let mut rest = text;
    while let Some((block, after)) = next_block(rest)? {
        rest = after;
        if !wanted.counts(block.label) {
            other = other.or(Some(block));
        } else if found.replace(block).is_some() {
            return Err(wanted.several());
        }
    }
    match (found, other) {
        (Some(found), _) => Ok(found),
        (None, Some(other)) => Err(wanted.mistake(other.label)),
        (None, None) => Err(mistake(text)),
    }
}

/// Finds the first block of `text`, and returns it with the text that follows.
///
/// A block that is cut off or broken is an error even if it is not the key, because another reader might find a key in it.
fn next_block(text: &str) -> Result<Option<(Block<'_>, &str)>, FileMistake> {
    let Some((_, block)) = text.split_once(BEGIN) else { return Ok(None) };
    let found = || {
        let (label, block) = block.split_once(DASHES)?;
        let (body, end) = block.split_once(END)?;
        let (end_label, after) = end.split_once(DASHES)?;
        let is_whole = ![label, end_label].iter().any(|label| label.contains(['\n', '\r']));
        (is_whole && !body.contains(BEGIN)).then_some((Block { label, body }, end_label, after))
    };
    let (block, end_label, after) = found().ok_or(FileMistake::MissingEnd)?;
    if end_label == block.label { Ok(Some((block, after))) } else { Err(FileMistake::LabelMismatch) }
}

/// Names the content of a text without a PEM block.
pub(crate) fn mistake(text: &str) -> FileMistake {
    // The last three are the base64 of `ssh-`, `ssh-ed25519` and `ecdsa-sha2-`, each with its length before it.
    const SSH: [&str; 8] = [
        "ssh-",
        "ecdsa-sha2-",
        "sk-ssh-",
        "sk-ecdsa-sha2-",
        "---- BEGIN SSH2 ",
        "AAAAB3NzaC1",
        "AAAAC3NzaC1",
        "AAAAE2VjZHNhLXNoYTIt",
    ];
    const ENDINGS: [&str; 9] = [".pem", ".key", ".pub", ".der", ".crt", ".cer", ".p8", ".p12", ".pfx"];
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace() || c == '\u{feff}');
    let is_one_word = !text.contains(|c: char| c.is_ascii_whitespace());
    let decoded = start_of_base64(text);
    let mistakes = [
        (text.is_empty(), FileMistake::Empty),
        (text.contains(BEGIN), FileMistake::Pem),
        (decoded.starts_with(BEGIN.as_bytes()), FileMistake::Base64OfPem),
        (text.starts_with('{') || text.starts_with('['), FileMistake::Jwk),
        (SSH.iter().any(|start| text.starts_with(start)), FileMistake::SshPublic),
        (decoded.starts_with(b"openssh-key-"), FileMistake::OpenSsh),
        (text.starts_with("PuTTY-User-Key-File-"), FileMistake::Putty),
        (text.contains("<RSAKeyValue>"), FileMistake::Xml),
        (is_hex(text), FileMistake::Hex),
        // A SEQUENCE that begins with another one or with a number, as keys do; or one of more than 127 bytes.
        (
            matches!(decoded[..], [0x30, 0x81..=0x84, ..] | [0x30, 0x2a..=0x7f, 0x30 | 0x02, ..]),
            FileMistake::Base64,
        ),
        (
            is_one_word
                && !text.contains("://")
                && !text.contains(['<', '%', '{', ','])
                && (text.contains(['/', '\\']) || ENDINGS.iter().any(|end| text.ends_with(end))),
            FileMistake::Path,
        ),
    ];
    mistakes.into_iter().find(|(made, _)| *made).map_or(FileMistake::NotPem, |(_, mistake)| mistake)
}

/// Decodes the first bytes of base64 or base64url text, ignoring white space; none if `text` is anything else.
fn start_of_base64(text: &str) -> Zeroizing<Vec<u8>> {
    let mut start = Zeroizing::new(String::with_capacity(64));
    text.chars().filter(|c| !c.is_ascii_whitespace()).take(16).for_each(|c| start.push(c));
    let decoded =
        STANDARD_NO_PAD.decode(start.as_bytes()).or_else(|_| URL_SAFE_NO_PAD.decode(start.as_bytes()));
    Zeroizing::new(decoded.unwrap_or_default())
}

/// Returns whether `text` is hex of at least 64 characters. It may begin with `0x` and have colons between the digits.
fn is_hex(text: &str) -> bool {
    let text = text.strip_prefix("0x").unwrap_or(text);
    let is_hex = |c: char| c.is_ascii_hexdigit() || c == ':' || c.is_ascii_whitespace();
    text.len() >= 64 && text.chars().all(is_hex)
}
