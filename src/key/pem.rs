//! Reads PEM ([RFC 7468](https://www.rfc-editor.org/rfc/rfc7468)).
//!
//! The crate `pem-rfc7468` decodes; this module names the mistakes that it reports as one error.

use crate::error::{KeyError, PemMistake};
use alloc::string::String;
use alloc::vec::Vec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use pkcs8::der::pem::{self, LineEnding};
use zeroize::Zeroizing;

/// The labels that a key of this crate can come under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// `PRIVATE KEY`: PKCS#8.
    Pkcs8,
    /// `RSA PRIVATE KEY`: PKCS#1.
    Pkcs1Private,
    /// `PUBLIC KEY`: SPKI.
    Spki,
    /// `RSA PUBLIC KEY`: PKCS#1.
    Pkcs1Public,
}

/// Which half of a key pair is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    #[cfg_attr(not(any(feature = "aws-lc-rs", feature = "rsa")), expect(dead_code, reason = "nothing signs"))]
    Private,
    Public,
}

/// The label and the DER inside `text`.
pub(crate) fn decode(text: &str, wanted: Wanted) -> Result<(Label, Zeroizing<Vec<u8>>), KeyError> {
    // A line break more or less at either end is accepted.
    let text = text.trim_matches(['\n', ' ', '\t']);
    let label = classify(text, wanted).map_err(KeyError::Pem)?;
    let (_, der) = pem::decode_vec(text.as_bytes()).map_err(|_| KeyError::Pem(PemMistake::BrokenBase64))?;
    Ok((label, Zeroizing::new(der)))
}

/// `der` as PEM text.
pub(crate) fn encode(label: &'static str, der: &[u8]) -> Result<String, KeyError> {
    pem::encode_string(label, LineEnding::LF, der).map_err(|_| KeyError::MalformedKey)
}

/// Says what kind of key `text` holds, or which mistake it is.
fn classify(text: &str, wanted: Wanted) -> Result<Label, PemMistake> {
    check_layout(text)?;
    let label = label(text).ok_or(PemMistake::NotPem)?;
    // PKCS#1 keys are encrypted inside the old OpenSSL format, which says so in a header of its own.
    let is_encrypted = text.contains("Proc-Type:") && text.contains("ENCRYPTED");
    // Where the public key is wanted, how to read a private one is of no use.
    if wanted == Wanted::Public && (is_encrypted || label.ends_with("PRIVATE KEY")) {
        return Err(PemMistake::PrivateKey);
    }
    if is_encrypted {
        return Err(PemMistake::Encrypted);
    }
    let label = match label {
        "PRIVATE KEY" => Label::Pkcs8,
        "RSA PRIVATE KEY" => Label::Pkcs1Private,
        "PUBLIC KEY" => Label::Spki,
        "RSA PUBLIC KEY" => Label::Pkcs1Public,
        "ENCRYPTED PRIVATE KEY" => return Err(PemMistake::Encrypted),
        "OPENSSH PRIVATE KEY" => return Err(PemMistake::OpenSsh),
        "CERTIFICATE" | "X509 CERTIFICATE" | "TRUSTED CERTIFICATE" => return Err(PemMistake::Certificate),
        _ => return Err(PemMistake::OtherLabel),
    };
    match (wanted, label) {
        (Wanted::Private, Label::Spki | Label::Pkcs1Public) => Err(PemMistake::PublicKey),
        _ => Ok(label),
    }
}

/// The mistakes that show without knowing what is inside.
fn check_layout(text: &str) -> Result<(), PemMistake> {
    let Some((_, block)) = text.split_once(BEGIN) else {
        return Err(match text {
            "" => PemMistake::Empty,
            text if is_base64_of_pem(text) => PemMistake::Base64OfPem,
            _ => PemMistake::NotPem,
        });
    };
    let mut lines = text.lines().skip_while(|line| !line.contains(BEGIN));
    let mistakes = [
        (text.starts_with(['"', '\'']), PemMistake::Quoted),
        (text.contains("\\n"), PemMistake::EscapedLineBreaks),
        (text.contains('\r'), PemMistake::CrLf),
        (block.contains(BEGIN), PemMistake::SeveralBlocks),
        (!block.contains("-----END "), PemMistake::MissingEnd),
        (!block.contains('\n'), PemMistake::LostLineBreaks),
        (
            lines.any(|line| line.starts_with([' ', '\t']) || line.ends_with([' ', '\t'])),
            PemMistake::Indented,
        ),
    ];
    match mistakes.into_iter().find(|(made, _)| *made) {
        Some((_, mistake)) => Err(mistake),
        None => Ok(()),
    }
}

const BEGIN: &str = "-----BEGIN ";

/// What stands between `BEGIN ` and the dashes.
fn label(text: &str) -> Option<&str> {
    text.split_once(BEGIN)?.1.split_once("-----").map(|(label, _)| label)
}

/// Whether `text` is base64 of something that begins as a PEM file does.
fn is_base64_of_pem(text: &str) -> bool {
    let bare: Zeroizing<String> =
        Zeroizing::new(text.chars().filter(|c| !c.is_ascii_whitespace()).take(16).collect());
    STANDARD_NO_PAD.decode(bare.as_bytes()).is_ok_and(|bytes| bytes.starts_with(BEGIN.as_bytes()))
}
