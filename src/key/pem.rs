//! Finds the key or the certificate in a PEM text ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468)), and names what is there
//! in its place.
//!
//! The crate `pem-rfc7468` decodes. It reads the strict form, so this module finds the one block that is wanted and takes out the
//! white space that section 3 lets a reader ignore.

use crate::error::{FileMistake, KeyError};
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use pkcs8::der::pem::{self, LineEnding};
use zeroize::Zeroizing;

/// What is wanted: a certificate, or one half of a key pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    #[cfg(feature = "certificate")]
    Certificate,
    Private,
    Public,
}

impl Wanted {
    /// Whether a block of this label counts: of those that do, there may be one only.
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

    /// The name of a text whose first block has this label, and which has none that counts.
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

/// RFC 7468 section 5.1, and OpenSSL's label for a certificate that it trusts.
fn is_certificate(label: &str) -> bool {
    matches!(label, "CERTIFICATE" | "X509 CERTIFICATE" | "X.509 CERTIFICATE" | "TRUSTED CERTIFICATE")
}

/// The DER inside the only key or certificate of `text`.
pub(crate) fn decode(text: &str, wanted: Wanted) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let block = only_block(text, wanted).map_err(KeyError::File)?;
    block.check_label(wanted)?;
    block.check_body().map_err(KeyError::File)?;
    block.decode().map_err(KeyError::File)
}

/// `der` as PEM text.
pub(crate) fn encode(label: &'static str, der: &[u8]) -> Result<String, KeyError> {
    pem::encode_string(label, LineEnding::LF, der).map_err(|_| KeyError::MalformedKey)
}

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// One block of a PEM text. Its BEGIN and END lines are whole, have the same label, and no other BEGIN between them.
#[derive(Clone, Copy)]
struct Block<'a> {
    label: &'a str,
    /// What is between the BEGIN and the END line.
    body: &'a str,
}

impl Block<'_> {
    /// Whether the label is that of a file which may hold what is wanted.
    fn check_label(&self, wanted: Wanted) -> Result<(), KeyError> {
        let mistake = match (wanted, self.label) {
            #[cfg(feature = "certificate")]
            (Wanted::Certificate, _) => return Ok(()),
            (Wanted::Public, "PUBLIC KEY" | "RSA PUBLIC KEY")
            | (
                Wanted::Private,
                "PRIVATE KEY" | "RSA PRIVATE KEY" | "EC PRIVATE KEY" | "ED25519 PRIVATE KEY",
            ) => return Ok(()),
            // Where the public key is wanted, how to read a private one is of no use.
            (Wanted::Public, label) if label.ends_with("PRIVATE KEY") => FileMistake::PrivateKey,
            (Wanted::Private, label) if label.ends_with("PUBLIC KEY") => FileMistake::PublicKey,
            (_, "ENCRYPTED PRIVATE KEY") => FileMistake::Encrypted,
            (_, "OPENSSH PRIVATE KEY") => FileMistake::OpenSsh,
            _ => return Err(KeyError::UnsupportedKeyType),
        };
        Err(KeyError::File(mistake))
    }

    /// The mistakes that show before the body is decoded.
    fn check_body(&self) -> Result<(), FileMistake> {
        let mistakes = [
            (self.body.contains("\\n") || self.body.contains("\\r"), FileMistake::EscapedLineBreaks),
            // The old format of OpenSSL says so in a header.
            (self.body.contains("Proc-Type:") && self.body.contains("ENCRYPTED"), FileMistake::Encrypted),
        ];
        match mistakes.into_iter().find(|(made, _)| *made) {
            Some((_, mistake)) => Err(mistake),
            None => Ok(()),
        }
    }

    /// Decodes the block in the strict form: LF, and 64 characters in each line.
    fn decode(&self) -> Result<Zeroizing<Vec<u8>>, FileMistake> {
        // As long as the longest text that may come out, so that no copy is left behind by a growing buffer.
        let lines = self.body.len().div_ceil(64);
        let room = [self.body.len(), lines, self.label.len(), self.label.len(), 64];
        let mut text = Zeroizing::new(String::with_capacity(room.into_iter().fold(0, usize::saturating_add)));
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
        // Into room of our own, so that what was decoded before a mistake is wiped, too.
        let mut room = Zeroizing::new(Vec::new());
        room.resize(self.body.len(), 0);
        let decoded = pem::decode(text.as_bytes(), &mut room).map(|(_, der)| der.len());
        room.truncate(decoded.map_err(|_| FileMistake::BrokenBase64)?);
        Ok(room)
    }
}

/// The only block that counts. Others may be beside it: certificates beside a key, parameters, requests.
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

/// The first block of `text`, and what follows it.
///
/// A block that is cut off or broken is an error even if it is not the key: what it hides might be the key that another
/// reader finds.
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

/// The name of a text without a PEM block.
pub(crate) fn mistake(text: &str) -> FileMistake {
    // The last three are the base64 of `ssh-`, `ssh-ed25519` and `ecdsa-sha2-` with their length before them.
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
        (text.starts_with("PuTTY-User-Key-File-"), FileMistake::Putty),
        (is_hex(text), FileMistake::Hex),
        // A SEQUENCE that begins with another one or with a number, as keys do; or one of more than 127 bytes.
        (
            matches!(decoded[..], [0x30, 0x81..=0x84, ..] | [0x30, 0x2a..=0x7f, 0x30 | 0x02, ..]),
            FileMistake::Base64,
        ),
        (
            is_one_word
                && !text.contains("://")
                && (text.contains(['/', '\\']) || ENDINGS.iter().any(|end| text.ends_with(end))),
            FileMistake::Path,
        ),
    ];
    mistakes.into_iter().find(|(made, _)| *made).map_or(FileMistake::NotPem, |(_, mistake)| mistake)
}

/// The first bytes of base64 or base64url text, white space left out; none if `text` is anything else.
fn start_of_base64(text: &str) -> Zeroizing<Vec<u8>> {
    let mut start = Zeroizing::new(String::with_capacity(64));
    text.chars().filter(|c| !c.is_ascii_whitespace()).take(16).for_each(|c| start.push(c));
    let decoded =
        STANDARD_NO_PAD.decode(start.as_bytes()).or_else(|_| URL_SAFE_NO_PAD.decode(start.as_bytes()));
    Zeroizing::new(decoded.unwrap_or_default())
}

/// Whether `text` is hex of more than a few bytes, perhaps with `0x` before it or colons in it.
fn is_hex(text: &str) -> bool {
    let text = text.strip_prefix("0x").unwrap_or(text);
    let is_hex = |c: char| c.is_ascii_hexdigit() || c == ':' || c.is_ascii_whitespace();
    text.len() >= 64 && text.chars().all(is_hex)
}
