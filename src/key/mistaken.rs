//! Detects key files that are passed as secrets. If a public key were an HMAC secret, everyone who knows that key could sign.

use crate::error::{KeyError, KeyFile};
use crate::secret::SecretBytes;
use subtle::{Choice, ConstantTimeEq};

/// The longest secret that is searched, in bytes. The search compares each byte with all marks, in constant time.
const MOST_BYTES: usize = 64 * 1024;

impl SecretBytes {
    /// Refuses bytes that are not a secret but a key file: PEM, DER, a JWK or an SSH key, or the base64 of one.
    ///
    /// For your own code that takes a secret. The keys of this crate make the same check when they are created.
    ///
    /// # Errors
    ///
    /// - [`KeyError::NotASecret`].
    /// - [`KeyError::SecretTooLong`] over 64 KiB, because the search would take long. A secret longer than the block of the
    ///   hash gains nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{KeyError, KeyFile, SecretBytes};
    ///
    /// assert!(SecretBytes::from(vec![7; 32]).refuse_key_file().is_ok());
    ///
    /// let public = SecretBytes::from(b"-----BEGIN PUBLIC KEY-----\n...".to_vec());
    /// assert_eq!(public.refuse_key_file(), Err(KeyError::NotASecret { found: KeyFile::Pem }));
    /// ```
    pub fn refuse_key_file(&self) -> Result<(), KeyError> {
        let bytes = self.expose_secret().len();
        if bytes > MOST_BYTES {
            return Err(KeyError::SecretTooLong { bytes, limit: MOST_BYTES });
        }
        refuse_key_file(self.expose_secret())
    }
}

/// Refuses bytes that hold a key file anywhere.
///
/// The bytes may be secret, so the search takes the same steps for all of them and branches only on its result.
pub(crate) fn refuse_key_file(secret: &[u8]) -> Result<(), KeyError> {
    let holds = |marks| holds(secret, marks);
    let looks_like = [
        (KeyFile::Pem, holds(PEM)),
        (KeyFile::Jwk, holds("{") & holds("\"kty\"|\\\"kty\\\"")),
        (KeyFile::Jwk, holds(JWK)),
        (KeyFile::Ssh, holds(SSH) | holds(SSH_IN_BASE64)),
        (KeyFile::Xml, holds(XML)),
        (KeyFile::Der, any(without_line_end(secret).into_iter().map(is_der))),
        (KeyFile::Der, holds(DER_OIDS) | holds(PKCS1) | holds(DER_IN_HEX) | holds(MODULUS_IN_HEX)),
    ];
    if !bool::from(any(looks_like.into_iter().map(|(_, found)| found))) {
        return Ok(());
    }
    // These bytes are not a secret, so branching on them reveals nothing.
    let found = looks_like.into_iter().find(|(_, found)| bool::from(*found));
    Err(KeyError::NotASecret { found: found.map_or(KeyFile::Der, |(file, _)| file) })
}

/// Returns whether one of `marks` is anywhere in the secret.
#[inline(never)]
fn holds(secret: &[u8], marks: &str) -> Choice {
    let holds = |mark: &[u8]| {
        // No mark is empty, but the compiler does not know that.
        any(secret.windows(mark.len().max(1)).map(|window| window.ct_eq(mark)))
    };
    any(marks.as_bytes().split(|byte| *byte == b'|').map(holds))
}

fn any(choices: impl Iterator<Item = Choice>) -> Choice {
    choices.fold(Choice::from(0), |any, choice| any | choice)
}

/// Returns the bytes unchanged, without the last byte, and without the last two: an editor or a shell may have added a line
/// end.
///
/// Does so whatever the last bytes are, because they must not influence the running time.
fn without_line_end(secret: &[u8]) -> [&[u8]; 3] {
    [0, 1, 2]
        .map(|end| secret.len().checked_sub(end).and_then(|length| secret.get(..length)).unwrap_or_default())
}

/// Returns whether this is one ASN.1 SEQUENCE that begins as keys and certificates do. 32 random bytes do so with a probability
/// of about one in 2^29.
#[inline(never)]
fn is_der(secret: &[u8]) -> Choice {
    // The DER header follows from the length, which is public.
    let after = |bytes: usize| secret.len().checked_sub(bytes).and_then(|rest| u16::try_from(rest).ok());
    let (outer, length) = match [2, 3, 4].map(|bytes| after(bytes).map(u16::to_be_bytes)) {
        [Some([0, content @ 0..=0x7f]), ..] => ([0x30, content, 0, 0], 2),
        [_, Some([0, content @ 0x80..=0xff]), _] => ([0x30, 0x81, content, 0], 3),
        [_, _, Some([high @ 1..=0xff, low])] => ([0x30, 0x82, high, low], 4),
        _ => return Choice::from(0),
    };
    let outer = outer.get(..length).unwrap_or_default();
    let (begin, content) = secret.split_at_checked(length).unwrap_or_default();
    let Some(front) = content.first_chunk() else { return Choice::from(0) };
    let front = u32::from_be_bytes(*front);
    begin.ct_eq(outer) & any(DER_CONTENT.into_iter().map(|(bits, mark)| (front & bits).ct_eq(&mark)))
}

/// How the content of a key begins: a mask for its first four bytes, and their value under the mask.
const DER_CONTENT: [(u32, u32); 10] = [
    // An AlgorithmIdentifier with its OID, or a certificate.
    (0xff00_ff00, 0x3000_0600),
    (0xffff_0000, 0x3081_0000),
    (0xffff_0000, 0x3082_0000),
    // A modulus.
    (0xffff_0000, 0x0282_0000),
    (0xffff_0000, 0x0281_0000),
    // The version that private keys begin with, and the bytes after it.
    (0xffff_ffff, 0x0201_0002),
    (0xffff_ffff, 0x0201_0030),
    (0xffff_ffff, 0x0201_0102),
    (0xffff_ffff, 0x0201_0104),
    (0xffff_ffff, 0x0201_0130),
];

// The marks are separated by `|`, because an array of slices would take 40 bytes more per mark in a program.

/// The mark of PEM, followed by its base64 at the three possible alignments, because environment variables hold keys as one
/// line of base64; and the mark in UTF-16 of either byte order. The other lists follow the same rule.
const PEM: &str = "-----BEGIN |LS0tLS1CRUdJTi|0tLS0tQkVHSU4g|tLS0tLUJFR0lOI|-\0-\0-\0-\0-\0B\0E\0G\0I\0N\0";
/// The base64 of `"kty"`, the shortest mark: the base64 of 32 random bytes holds it with a probability of about one in 2^30.
const JWK: &str = "Imt0eSI|JrdHki|ia3R5I";
/// Names that public keys begin with.
const SSH: &str = "ssh-rsa |ssh-dss |ssh-ed25519 |ecdsa-sha2-|sk-ssh-|sk-ecdsa-sha2-|---- BEGIN SSH2 ";
/// The bytes that follow the names, in base64, and the base64 of both.
const SSH_IN_BASE64: &str = "AAAAB3NzaC1|AAAAC3NzaC1|c3NoLXJzYSBBQUFB|NzaC1yc2EgQUFBQ|zc2gtcnNhIEFBQU|\
    c3NoLWRzcyBBQUFB|NzaC1kc3MgQUFBQ|zc2gtZHNzIEFBQU|c3NoLWVkMjU1MTkgQUFBQ|\
    NzaC1lZDI1NTE5IEFBQU|zc2gtZWQyNTUxOSBBQUFB|ZWNkc2Etc2hhMi1uaXN0|VjZHNhLXNoYTItbmlzd|\
    lY2RzYS1zaGEyLW5pc3|c2stc3NoLWVkMjU1MTlA|NrLXNzaC1lZDI1NTE5Q|zay1zc2gtZWQyNTUxOU|\
    LS0tLSBCRUdJTiBTU0gyI|0tLS0gQkVHSU4gU1NIMi|tLS0tIEJFR0lOIFNTSDIg";
/// The base64 of OIDs in DER, at the three possible alignments: that of RSA, in keys and certificates; that of elliptic curves;
/// that of Ed25519 and its relatives with the bytes before it; and that of ML-DSA.
const DER_OIDS: &str = "KoZIhvcNAQ|qGSIb3DQEB|qhkiG9w0BAQ|BgcqhkjOPQIB|YHKoZIzj0CA|GByqGSM49Ag|MAUGAytl|AFBgMrZ|\
    wBQYDK2|CWCGSAFlAwQD|lghkgBZQMEAx|JYIZIAWUDBAM";
/// The base64 of PKCS#1: public keys of 2048, 3072, 4096 or 8192 bits, with an exponent of one to five bytes; private ones.
const PKCS1: &str = "MIIBCAKCAQEA|MIIBCQKCAQEA|MIIBCgKCAQEA|MIIBCwKCAQEA|MIIBDAKCAQEA|MIIBiAKCAYEA|\
    MIIBiQKCAYEA|MIIBigKCAYEA|MIIBiwKCAYEA|MIIBjAKCAYEA|MIICCAKCAgEA|MIICCQKCAgEA|\
    MIICCgKCAgEA|MIICCwKCAgEA|MIICDAKCAgEA|MIIECAKCBAEA|MIIECQKCBAEA|MIIECgKCBAEA|\
    MIIECwKCBAEA|MIIEDAKCBAEA|IBAAKCA";
/// The element of an RSA key in the XML of .NET.
const XML: &str = "<RSAKeyValue>";
/// The hex of the same OIDs, in either case, without a separator, with colons or with blanks.
const DER_IN_HEX: &str = "06092a864886f70d0101|06092A864886F70D0101|06072a8648ce3d0201|06072A8648CE3D0201|\
    300506032b65|300506032B65|06096086480165030403|\
    06:09:2a:86:48:86:f7:0d:01:01|06:09:2A:86:48:86:F7:0D:01:01|06:07:2a:86:48:ce:3d:02:01|\
    06:07:2A:86:48:CE:3D:02:01|30:05:06:03:2b:65|30:05:06:03:2B:65|06:09:60:86:48:01:65:03:04:03|\
    06 09 2a 86 48 86 f7 0d 01 01|06 09 2A 86 48 86 F7 0D 01 01|06 07 2a 86 48 ce 3d 02 01|\
    06 07 2A 86 48 CE 3D 02 01|30 05 06 03 2b 65|30 05 06 03 2B 65|06 09 60 86 48 01 65 03 04 03";
/// The hex of the tag, the length and the first byte of a modulus of 2048, 3072, 4096 or 8192 bits, for PKCS#1, which has no OID.
const MODULUS_IN_HEX: &str = "0282010100|0282018100|0282020100|0282040100|\
    02:82:01:01:00|02:82:01:81:00|02:82:02:01:00|02:82:04:01:00|\
    02 82 01 01 00|02 82 01 81 00|02 82 02 01 00|02 82 04 01 00";

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn bytes_that_only_begin_like_der_are_secrets() {
        let is_der = |secret: &[u8]| bool::from(is_der(secret));
        let mut secret = [0x5a; 32];
        secret[..2].copy_from_slice(&[0x30, 30]);
        assert!(!is_der(&secret));
        for (content, is_key) in [
            ([0x30, 5, 6], true),
            ([0x30, 5, 7], false),
            ([0x31, 5, 6], false),
            // Two marks at once.
            ([0x30, 0x81, 6], true),
        ] {
            secret[2..5].copy_from_slice(&content);
            assert_eq!(is_der(&secret), is_key, "{content:?}");
            assert!(!is_der(&secret[..31]));
        }
    }

    #[test]
    fn two_marks_of_one_kind_do_not_cancel_each_other() {
        let mut key = *b"\x30\x28\x02\x01\x01\x04 ANBgkqhkiG9w0BAQ ..................";
        assert_eq!(refuse_key_file(&key), Err(KeyError::NotASecret { found: KeyFile::Der }));
        key[1] += 1;
        assert_eq!(refuse_key_file(&key), Err(KeyError::NotASecret { found: KeyFile::Der }));
        key[12] = b'?';
        assert_eq!(refuse_key_file(&key), Ok(()));
    }

    #[test]
    fn der_of_every_length_is_recognised() {
        for length in 8..70_000_usize {
            let mut key = alloc::vec![0; length];
            let outer: Vec<u8> = match length {
                ..=0x81 => alloc::vec![0x30, (length - 2) as u8],
                0x83..=0x102 => alloc::vec![0x30, 0x81, (length - 3) as u8],
                0x104..0x1_0000 => alloc::vec![0x30, 0x82, ((length - 4) >> 8) as u8, (length - 4) as u8],
                _ => continue, // no SEQUENCE has this length, or no key would
            };
            key[..outer.len()].copy_from_slice(&outer);
            key[outer.len()..outer.len() + 4].copy_from_slice(&[0x02, 0x01, 0x00, 0x30]);
            assert!(bool::from(is_der(&key)), "{length}");
            key[outer.len()] = 0x04;
            assert!(!bool::from(is_der(&key)), "{length}");
        }
    }
}
