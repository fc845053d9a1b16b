//! HMAC keys ([RFC 7518 section 3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).

use crate::algorithm::Algorithm;
use crate::error::{KeyError, KeyFile, SignError, SignatureError};
use crate::key::{Entropy, Identity, SignKey, Signature, VerifyKey, identified};
use alloc::vec::Vec;
use base64::Engine;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit, Mac};
use sealed::Keyed;
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};
use zeroize::Zeroizing;

/// Which HMAC an [`HmacKey`] is for. The algorithms of this crate implement it; nothing else can.
///
/// # Examples
///
/// ```
/// use countersign::{HmacAlgorithm, HmacKey, KeyError};
///
/// /// Works for every HMAC algorithm that there is and will be.
/// fn named<A: HmacAlgorithm>(secret: &[u8], name: &str) -> Result<HmacKey<A>, KeyError> {
///     HmacKey::from_bytes(secret)?.with_key_id(name)
/// }
///
/// let key = named::<countersign::Hs256>(&[7; 32], "2026-11")?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait HmacAlgorithm: sealed::Sealed + Send + Sync + 'static {}

/// HMAC with SHA-256: the algorithm of [`Hs256Key`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Hs256;

impl HmacAlgorithm for Hs256 {}

impl sealed::Sealed for Hs256 {
    const ALGORITHM: Algorithm = Algorithm::Hs256;
    // RFC 7518 section 3.2: a key of the size of the hash output or larger must be used.
    const MINIMUM: usize = 32;
    type Keyed = Hmac<Sha256>;
}

#[allow(unnameable_types, reason = "sealed")]
mod sealed {
    use super::{Algorithm, Hmac, KeyInit, Mac, Sha256, Signature};

    pub trait Sealed {
        const ALGORITHM: Algorithm;
        /// Shortest secret in bytes.
        const MINIMUM: usize;
        type Keyed: Keyed;
    }

    /// An HMAC that has taken its key and no message yet.
    pub trait Keyed: Clone + Send + Sync {
        fn keyed(secret: &[u8]) -> Option<Self>;
        fn tag(&self, input: &[u8]) -> Signature;
        fn matches(&self, input: &[u8], tag: &[u8]) -> bool;
    }

    impl Keyed for Hmac<Sha256> {
        fn keyed(secret: &[u8]) -> Option<Self> {
            // HMAC takes a key of any length, so there always is one.
            Self::new_from_slice(secret).ok()
        }

        fn tag(&self, input: &[u8]) -> Signature {
            Signature::from_bytes(&self.clone().chain_update(input).finalize().into_bytes())
        }

        fn matches(&self, input: &[u8], tag: &[u8]) -> bool {
            // Constant time; a tag of another length is refused.
            self.clone().chain_update(input).verify_slice(tag).is_ok()
        }
    }
}

/// A secret that signs and verifies HS256 tokens. See [`HmacKey`].
pub type Hs256Key = HmacKey<Hs256>;

/// An HMAC secret, ready for use: the key schedule has been run, the secret itself is not kept.
///
/// Everyone who can verify with it can also sign. For more than one party, prefer RS256.
///
/// Three constructors for three spellings, so that a text is never taken for the bytes it encodes:
/// [`from_bytes`](Self::from_bytes), [`from_base64`](Self::from_base64), [`from_base64url`](Self::from_base64url).
///
/// # Security
///
/// Secrets shorter than the hash are refused: one signed token is enough to search for them at leisure. So is
/// what looks like a PEM, DER, JWK or SSH key: whoever verifies with a *public* key as an HMAC secret accepts
/// tokens that anybody can make. The keyed state is wiped when the key is dropped.
///
/// # Examples
///
/// ```
/// use countersign::{Hs256Key, KeyError};
///
/// let key = Hs256Key::from_bytes(b"an example of thirty-two bytes!!")?.with_key_id("2026-11")?;
/// assert_eq!(format!("{key:?}"), r#"HmacKey { algorithm: Hs256, kid: Some("2026-11"), .. }"#);
///
/// let short = Hs256Key::from_bytes(b"secret").unwrap_err();
/// assert_eq!(short, KeyError::SecretTooShort { bytes: 6, minimum: 32 });
/// # Ok::<(), KeyError>(())
/// ```
#[derive(Clone)]
pub struct HmacKey<A: HmacAlgorithm> {
    keyed: A::Keyed,
    identity: Identity,
}

impl<A: HmacAlgorithm> HmacKey<A> {
    /// The key of these raw bytes.
    ///
    /// # Errors
    ///
    /// - [`KeyError::SecretTooShort`] under 32 bytes.
    /// - [`KeyError::NotASecret`] for a PEM, DER, JWK or SSH key.
    pub fn from_bytes(secret: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let secret = secret.as_ref();
        refuse_key_files(secret)?;
        if secret.len() < A::MINIMUM {
            return Err(KeyError::SecretTooShort { bytes: secret.len(), minimum: A::MINIMUM });
        }
        Self::keyed(secret)
    }

    /// The key of the bytes that `text` encodes in base64 (alphabet with `+` and `/`), padded or not.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidBase64`], white space included; else as [`from_bytes`](Self::from_bytes).
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{Hs256Key, KeyError};
    ///
    /// let text = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJq83vASNFZ4k=";
    /// assert!(Hs256Key::from_base64(text).is_ok());
    /// // A file that ends in a line break has to be trimmed.
    /// assert_eq!(Hs256Key::from_base64(&format!("{text}\n")).unwrap_err(), KeyError::InvalidBase64);
    /// ```
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(decode(&STANDARD, text)?.as_slice())
    }

    /// The key of the bytes that `text` encodes in base64url (alphabet with `-` and `_`), padded or not.
    ///
    /// # Errors
    ///
    /// [`KeyError::InvalidBase64`], white space included; else as [`from_bytes`](Self::from_bytes).
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::Hs256Key;
    ///
    /// // The key of RFC 7515 appendix A.1.
    /// let k = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
    /// assert!(Hs256Key::from_base64url(k).is_ok());
    /// ```
    pub fn from_base64url(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(decode(&URL_SAFE, text)?.as_slice())
    }

    /// A key of a secret of any length except zero, for tokens of systems that cannot be changed.
    ///
    /// # Errors
    ///
    /// - [`KeyError::EmptySecret`].
    /// - [`KeyError::NotASecret`] for a PEM, DER, JWK or SSH key.
    ///
    /// # Security
    ///
    /// A short or guessable secret can be found from one token, offline; whoever has it signs as you do. Use
    /// this to verify what others still sign so, and replace it.
    pub fn from_weak_bytes(secret: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let secret = secret.as_ref();
        refuse_key_files(secret)?;
        if secret.is_empty() {
            return Err(KeyError::EmptySecret);
        }
        Self::keyed(secret)
    }

    /// A new random key that exists in this process only.
    ///
    /// To keep one, generate its bytes with [`SecretBytes::generate`](crate::SecretBytes::generate) and store them.
    ///
    /// # Errors
    ///
    /// [`KeyError::Entropy`].
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::Hs256Key;
    ///
    /// let key = Hs256Key::generate()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(feature = "getrandom")]
    pub fn generate() -> Result<Self, KeyError> {
        Self::generate_with(&crate::key::SystemEntropy::new())
    }

    /// A new key of the given randomness.
    ///
    /// # Errors
    ///
    /// [`KeyError::Entropy`].
    pub fn generate_with(entropy: &(impl Entropy + ?Sized)) -> Result<Self, KeyError> {
        let mut secret = Zeroizing::new(Vec::new());
        secret.resize(A::MINIMUM, 0);
        entropy.fill(&mut secret)?;
        Self::keyed(&secret)
    }

    fn keyed(secret: &[u8]) -> Result<Self, KeyError> {
        let keyed = A::Keyed::keyed(secret).ok_or(KeyError::EmptySecret)?;
        Ok(Self { keyed, identity: Identity::new(A::ALGORITHM) })
    }
}

identified!(HmacKey<A: HmacAlgorithm>);

impl<A: HmacAlgorithm> SignKey for HmacKey<A> {
    fn sign_bytes(&self, input: &[u8]) -> Result<Signature, SignError> {
        Ok(self.keyed.tag(input))
    }
}

impl<A: HmacAlgorithm> VerifyKey for HmacKey<A> {
    fn verify_bytes(&self, input: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        if self.keyed.matches(input, signature) { Ok(()) } else { Err(SignatureError::Invalid) }
    }
}

/// The bytes of a secret's text; where it is wrong is not said.
fn decode(alphabet: &Alphabet, text: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let engine = GeneralPurpose::new(alphabet, config);
    // Room for all of it at once, so that no copy is left behind by a growing buffer.
    let mut secret = Zeroizing::new(Vec::new());
    secret.resize(text.len(), 0);
    let length = engine.decode_slice(text, &mut secret).map_err(|_| KeyError::InvalidBase64)?;
    secret.truncate(length);
    Ok(secret)
}

/// Refuses what is a key of another kind, whatever stands before it.
///
/// The bytes are secret, so all of them are looked at in the same way: only the answer is branched on.
pub(crate) fn refuse_key_files(secret: &[u8]) -> Result<(), KeyError> {
    // Behind each comes its base64 in one line, as such keys travel in environment variables, at each place within three
    // bytes.
    const PEM: [&[u8]; 4] = [b"-----BEGIN ", b"LS0tLS1CRUdJTi", b"0tLS0tQkVHSU4g", b"tLS0tLUJFR0lOI"];
    // Of `"kty"`; the shortest. The base64 of 32 random bytes looks so once in some 2^30.
    const JWK: [&[u8]; 3] = [b"Imt0eSI", b"JrdHki", b"ia3R5I"];
    const SSH: [&[u8]; 27] = [
        b"ssh-rsa ",
        b"ssh-dss ",
        b"ssh-ed25519 ",
        b"ecdsa-sha2-",
        b"sk-ssh-",
        b"sk-ecdsa-sha2-",
        b"---- BEGIN SSH2 ",
        b"AAAAB3NzaC1",
        b"AAAAC3NzaC1",
        b"c3NoLXJzYSBBQUFB",
        b"NzaC1yc2EgQUFBQ",
        b"zc2gtcnNhIEFBQU",
        b"c3NoLWRzcyBBQUFB",
        b"NzaC1kc3MgQUFBQ",
        b"zc2gtZHNzIEFBQU",
        b"c3NoLWVkMjU1MTkgQUFBQ",
        b"NzaC1lZDI1NTE5IEFBQU",
        b"zc2gtZWQyNTUxOSBBQUFB",
        b"ZWNkc2Etc2hhMi1uaXN0",
        b"VjZHNhLXNoYTItbmlzd",
        b"lY2RzYS1zaGEyLW5pc3",
        b"c2stc3NoLWVkMjU1MTlA",
        b"NrLXNzaC1lZDI1NTE5Q",
        b"zay1zc2gtZWQyNTUxOU",
        b"LS0tLSBCRUdJTiBTU0gyI",
        b"0tLS0gQkVHSU4gU1NIMi",
        b"tLS0tIEJFR0lOIFNTSDIg",
    ];
    // The base64 of DER.
    const DER: [&[u8]; 14] = [
        // The OID of RSA at each place within three bytes, in keys and certificates.
        b"KoZIhvcNAQ",
        b"qGSIb3DQEB",
        b"qhkiG9w0BAQ",
        // PKCS#1: public keys of 2048, 3072, 4096 and 8192 bits; private ones.
        b"MIIBCgKCAQEA",
        b"MIIBigKCAYEA",
        b"MIICCgKCAgEA",
        b"MIIECgKCBAEA",
        b"IBAAKCA",
        // The OID of elliptic curves, and that of Ed25519 and its kin with what stands before it; at each place too.
        b"BgcqhkjOPQIB",
        b"YHKoZIzj0CA",
        b"GByqGSM49Ag",
        b"MAUGAytl",
        b"AFBgMrZ",
        b"wBQYDK2",
    ];
    let holds = |needle: &[u8]| any(secret.windows(needle.len()).map(|window| window.ct_eq(needle)));
    let looks_like = [
        (KeyFile::Pem, any(PEM.into_iter().map(holds))),
        (KeyFile::Jwk, holds(b"{") & (holds(b"\"kty\"") | holds(b"\\\"kty\\\""))),
        (KeyFile::Jwk, any(JWK.into_iter().map(holds))),
        (KeyFile::Ssh, any(SSH.into_iter().map(holds))),
        (KeyFile::Der, any(without_line_end(secret).into_iter().map(is_der))),
        (KeyFile::Der, any(DER.into_iter().map(holds))),
    ];
    if !bool::from(any(looks_like.into_iter().map(|(_, found)| found))) {
        return Ok(());
    }
    // It is no secret, so now it may be branched on.
    let found = looks_like.into_iter().find(|(_, found)| bool::from(*found));
    Err(KeyError::NotASecret { found: found.map_or(KeyFile::Der, |(file, _)| file) })
}

fn any(choices: impl Iterator<Item = Choice>) -> Choice {
    choices.fold(Choice::from(0), |any, choice| any | choice)
}

/// The bytes as they are, and without a line end that an editor or a shell has put after them.
///
/// Without it also where there is none: what the last bytes are must not decide how long this takes.
fn without_line_end(secret: &[u8]) -> [&[u8]; 3] {
    [0, 1, 2]
        .map(|end| secret.len().checked_sub(end).and_then(|length| secret.get(..length)).unwrap_or_default())
}

/// Whether this is one ASN.1 SEQUENCE that begins as keys and certificates do. 32 random bytes look so once in
/// some 2^29.
fn is_der(secret: &[u8]) -> Choice {
    // What a SEQUENCE begins with is known from its length, which is no secret.
    let after = |bytes: usize| secret.len().checked_sub(bytes).and_then(|rest| u16::try_from(rest).ok());
    let (outer, length) = match [2, 3, 4].map(|bytes| after(bytes).map(u16::to_be_bytes)) {
        [Some([0, content @ 0..=0x7f]), ..] => ([0x30, content, 0, 0], 2),
        [_, Some([0, content @ 0x80..=0xff]), _] => ([0x30, 0x81, content, 0], 3),
        [_, _, Some([high @ 1..=0xff, low])] => ([0x30, 0x82, high, low], 4),
        _ => return Choice::from(0),
    };
    let outer = outer.get(..length).unwrap_or_default();
    let (begin, content) = secret.split_at_checked(length).unwrap_or_default();
    let begins =
        |bytes: &[u8]| content.get(..bytes.len()).map_or(Choice::from(0), |front| front.ct_eq(bytes));
    // An AlgorithmIdentifier with its OID, or a certificate; a modulus; the version that private keys begin with.
    let oid = content.get(..1).map_or(Choice::from(0), |front| front.ct_eq(&[0x30]))
        & content.get(2..3).map_or(Choice::from(0), |third| third.ct_eq(&[0x06]));
    let first: [&[u8]; 8] = [
        &[0x30, 0x81],
        &[0x30, 0x82],
        &[0x02, 0x82],
        &[0x02, 0x81],
        &[0x02, 0x01, 0x00, 0x02],
        &[0x02, 0x01, 0x00, 0x30],
        &[0x02, 0x01, 0x01, 0x04],
        &[0x02, 0x01, 0x01, 0x30],
    ];
    begin.ct_eq(outer) & (oid | any(first.into_iter().map(begins)))
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(refuse_key_files(&key), Err(KeyError::NotASecret { found: KeyFile::Der }));
        key[1] += 1;
        assert_eq!(refuse_key_files(&key), Err(KeyError::NotASecret { found: KeyFile::Der }));
        key[12] = b'?';
        assert_eq!(refuse_key_files(&key), Ok(()));
    }

    #[test]
    fn der_of_every_length_is_recognised() {
        for length in 8..70_000_usize {
            let mut key = alloc::vec![0; length];
            let outer: Vec<u8> = match length {
                ..=0x81 => alloc::vec![0x30, (length - 2) as u8],
                0x83..=0x102 => alloc::vec![0x30, 0x81, (length - 3) as u8],
                0x104..0x1_0000 => alloc::vec![0x30, 0x82, ((length - 4) >> 8) as u8, (length - 4) as u8],
                _ => continue, // no SEQUENCE is that long, or none that a key would be
            };
            key[..outer.len()].copy_from_slice(&outer);
            key[outer.len()..outer.len() + 4].copy_from_slice(&[0x02, 0x01, 0x00, 0x30]);
            assert!(bool::from(is_der(&key)), "{length}");
            key[outer.len()] = 0x04;
            assert!(!bool::from(is_der(&key)), "{length}");
        }
    }
}
