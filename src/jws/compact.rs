//! The compact form ([RFC 7515 section 7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1)). [`Gate::open`] is the only
//! way from an unverified text to a verified payload.

use crate::algorithm::{Algorithm, LONGEST_SIGNATURE};
use crate::base64url;
use crate::error::{Part, PolicyError, SignError, SignatureError, Size, VerifyError};
use crate::header::{Chosen, EncodedHeader, Header, HeaderFields, OwnParameters, Texts, Unencoded};
use crate::json::Names;
use crate::jws::{HeaderRules, TypRule};
use crate::key::{Key, SignKey, VerifyKey};
use crate::keyset::{KeyRef, Keys};
use crate::limits::Limits;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::Serialize;

/// A token as it was received, split into its segments. Nothing in it is verified.
///
/// Use it to read a token without a key, e.g. to log which issuer a refused token names. To verify a token, pass its text to a
/// [`Verifier`](crate::Verifier).
///
/// # Examples
///
/// ```
/// use countersign::Unverified;
///
/// let token = Unverified::parse("eyJhbGciOiJub25lIn0.e30.")?;
/// assert_eq!(token.unverified_header()?, r#"{"alg":"none"}"#);
/// assert_eq!(token.unverified_payload()?, b"{}");
/// # Ok::<(), countersign::VerifyError>(())
/// ```
///
/// Functions that need a verified token do not accept it:
///
/// ```compile_fail
/// use countersign::{Token, Unverified};
///
/// fn serve(_: &Token<()>) {}
/// serve(&Unverified::parse("eyJhbGciOiJub25lIn0.e30.").unwrap());
/// ```
#[derive(Clone, Copy)]
pub struct Unverified<'t> {
    text: &'t str,
    header: &'t str,
    payload: &'t str,
    signature: &'t str,
}

impl<'t> Unverified<'t> {
    /// Splits a token of up to 192 KiB.
    ///
    /// # Errors
    ///
    /// - [`VerifyError::TooLarge`].
    /// - [`VerifyError::NotAToken`] if the text does not have three segments.
    /// - [`VerifyError::Encrypted`] for a JWE.
    /// - [`VerifyError::NotAlone`] for a token with other text around it.
    /// - [`VerifyError::InvalidBase64`] for any other character outside the base64url alphabet in the header or the payload.
    pub fn parse(text: &'t str) -> Result<Self, VerifyError> {
        Self::parse_within(text, &Limits::new()).map_err(|error| name_mistake(text, error))
    }

    pub(crate) fn parse_within(text: &'t str, limits: &Limits) -> Result<Self, VerifyError> {
        let token = Self::split(text, limits)?;
        check_alphabet(token.payload, Part::Payload)?;
        Ok(token)
    }

    /// Splits a token like [`parse_within`](Self::parse_within), but does not check the characters of the payload.
    pub(crate) fn split(text: &'t str, limits: &Limits) -> Result<Self, VerifyError> {
        check_token_bytes(text, limits)?;
        let (header, rest) = text.split_once('.').ok_or(VerifyError::NotAToken)?;
        let (payload, signature) = rest.rsplit_once('.').ok_or(VerifyError::NotAToken)?;
        check_header_and_signature(header, signature, limits)?;
        Ok(Self { text, header, payload, signature })
    }

    /// Decodes the header and returns its text as the sender wrote it. Does not check that it is JSON.
    ///
    /// # Errors
    ///
    /// [`VerifyError::InvalidBase64`], [`VerifyError::InvalidUtf8`].
    pub fn unverified_header(&self) -> Result<String, VerifyError> {
        decode_header(self.header)
    }

    /// Returns the algorithm (`alg`) that the header names.
    ///
    /// # Errors
    ///
    /// - [`VerifyError::UnsupportedAlgorithm`] for an algorithm that this crate does not support, also for `none`.
    /// - [`VerifyError::InvalidHeader`] if the header has no `alg`.
    /// - The other [`VerifyError`]s about the form of the header.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{Algorithm, Unverified};
    ///
    /// let token = Unverified::parse("eyJhbGciOiJIUzI1NiIsImtpZCI6IjEifQ.e30.")?;
    /// assert_eq!(token.unverified_algorithm()?, Algorithm::Hs256);
    /// assert_eq!(token.unverified_key_id()?.as_deref(), Some("1"));
    /// assert_eq!(token.unverified_typ()?, None);
    /// # Ok::<(), countersign::VerifyError>(())
    /// ```
    pub fn unverified_algorithm(&self) -> Result<Algorithm, VerifyError> {
        let name = self.header_texts()?.alg.ok_or(VerifyError::InvalidHeader { name: "alg" })?;
        Algorithm::from_name(&name).ok_or(VerifyError::UnsupportedAlgorithm)
    }

    /// Returns the header's `kid`. It may be any text, so never use it as a path or in a query.
    ///
    /// # Errors
    ///
    /// The [`VerifyError`]s about the form of the header.
    pub fn unverified_key_id(&self) -> Result<Option<String>, VerifyError> {
        Ok(self.header_texts()?.kid)
    }

    /// Returns the header's `typ`.
    ///
    /// # Errors
    ///
    /// The [`VerifyError`]s about the form of the header.
    pub fn unverified_typ(&self) -> Result<Option<String>, VerifyError> {
        Ok(self.header_texts()?.typ)
    }

    fn header_texts(&self) -> Result<Texts, VerifyError> {
        Texts::parse(&decode_header(self.header)?, &Limits::new())
    }

    /// Decodes the payload and returns its bytes.
    ///
    /// # Errors
    ///
    /// [`VerifyError::InvalidBase64`].
    pub fn unverified_payload(&self) -> Result<Vec<u8>, VerifyError> {
        let mut bytes = Vec::new();
        decode_payload(&mut bytes, self.payload)?;
        Ok(bytes)
    }

    /// Returns the header and the payload as they were signed.
    pub(crate) fn signing_input(&self) -> &'t [u8] {
        let length = self.header.len().saturating_add(self.payload.len()).saturating_add(1);
        self.text.get(..length).unwrap_or_default().as_bytes()
    }

    /// Checks the signature with `key`.
    #[inline]
    fn check_signature(&self, key: &KeyRef<'_>) -> Result<(), VerifyError> {
        check_signature(key, self.signing_input(), self.signature)
    }

    pub(crate) const fn header_segment(&self) -> &'t str {
        self.header
    }

    pub(crate) const fn payload_segment(&self) -> &'t str {
        self.payload
    }

    pub(crate) const fn signature_segment(&self) -> &'t str {
        self.signature
    }
}

/// Refuses a text that is longer than a token may be.
pub(crate) fn check_token_bytes(text: &str, limits: &Limits) -> Result<(), VerifyError> {
    let limit = limits.token_bytes;
    if text.len() > limit { Err(VerifyError::TooLarge { size: Size::TokenBytes, limit }) } else { Ok(()) }
}

/// Checks the lengths of an encoded header and an encoded signature, and the characters of the header.
pub(crate) fn check_header_and_signature(
    header: &str,
    signature: &str,
    limits: &Limits,
) -> Result<(), VerifyError> {
    let too_large = |size, limit| Err(VerifyError::TooLarge { size, limit });
    if header.len() > limits.header_bytes {
        return too_large(Size::HeaderBytes, limits.header_bytes);
    }
    if signature.len() > base64url::encoded_len(LONGEST_SIGNATURE) {
        return too_large(Size::SignatureBytes, base64url::encoded_len(LONGEST_SIGNATURE));
    }
    check_alphabet(header, Part::Header)
}

/// Checks that a key is used only with its own algorithm, also if a source returns the key of another one.
fn fits(key: &KeyRef<'_>, header: &Header<'_>) -> Result<(), VerifyError> {
    if key.algorithm() == header.algorithm() {
        return Ok(());
    }
    Err(VerifyError::AlgorithmMismatch { key: key.algorithm(), token: header.algorithm() })
}

/// Decodes a signature and checks it over `input` with `key`.
#[inline]
pub(crate) fn check_signature(key: &KeyRef<'_>, input: &[u8], signature: &str) -> Result<(), VerifyError> {
    // On the stack for HMAC with SHA-256, ES256, ES256K and EdDSA, so that they verify without an allocation.
    let (mut short, mut long) = ([0; 64], Vec::new());
    let bytes = base64url::decoded_len(signature.len());
    let buffer = match short.get_mut(..bytes) {
        Some(short) => short,
        None => {
            long.resize(bytes, 0);
            &mut long
        }
    };
    let length = base64url::decode_into(buffer, signature)
        .map_err(|offset| VerifyError::InvalidBase64 { part: Part::Signature, offset })?;
    let signature = buffer.get(..length).unwrap_or_default();
    key.verify_bytes(input, signature).map_err(|error| match error {
        SignatureError::Invalid => VerifyError::InvalidSignature,
        SignatureError::KeyUnavailable => VerifyError::KeysUnavailable,
    })
}

impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unverified({} bytes)", self.text.len())
    }
}

/// Recognises texts that people often pass instead of a token, and returns an error that names the mistake. `error` alone would
/// only say where reading stopped.
#[cold]
pub(crate) fn name_mistake(text: &str, error: VerifyError) -> VerifyError {
    let is_encrypted = || {
        let (header, rest) = text.split_once('.').unwrap_or_default();
        let is_named = || {
            decode_header(header).is_ok_and(|json| json.as_bytes().windows(5).any(|name| name == b"\"enc\""))
        };
        rest.bytes().filter(|byte| *byte == b'.').count() == 3 && is_named()
    };
    match error {
        VerifyError::NotAToken if is_encrypted() => VerifyError::Encrypted,
        VerifyError::InvalidBase64 { .. } => {
            surroundings(text.as_bytes()).map_or(error, |with| VerifyError::NotAlone { with })
        }
        error => error,
    }
}

/// Says what is around a token and how to remove it, if this is recognised.
fn surroundings(text: &[u8]) -> Option<&'static str> {
    let trimmed = text.trim_ascii();
    if let Some(space) = trimmed.iter().position(|byte| *byte == b' ')
        && let (scheme, rest) = trimmed.split_at(space)
        // The base64url of a JSON object begins with `ey`.
        && rest.trim_ascii_start().starts_with(b"ey")
    {
        if scheme.eq_ignore_ascii_case(b"bearer") {
            return Some("`Bearer` is before it: call verify_bearer, or pass what follows");
        }
        if scheme.iter().all(u8::is_ascii_alphabetic) {
            return Some("a scheme is before it: pass what follows");
        }
    }
    if let [quote @ (b'"' | b'\''), inner @ .., last] = trimmed
        && quote == last
        && !inner.contains(quote)
    {
        return Some("it is in quotation marks: remove them");
    }
    (trimmed.len() < text.len()).then_some("white space is around it: trim it")
}

/// Refuses a character outside the base64url alphabet.
pub(crate) fn check_alphabet(segment: &str, part: Part) -> Result<(), VerifyError> {
    match base64url::first_foreign(segment) {
        None => Ok(()),
        // A third dot, inside the text between the first dot and the last.
        Some(offset) if segment.as_bytes().get(offset) == Some(&b'.') => Err(VerifyError::NotAToken),
        Some(offset) => Err(VerifyError::InvalidBase64 { part, offset }),
    }
}

/// Appends the payload's bytes to `out`. An error leaves `out` as it was.
pub(crate) fn decode_payload(out: &mut Vec<u8>, segment: &str) -> Result<(), VerifyError> {
    let part = Part::Payload;
    base64url::decode_onto(out, segment).map_err(|offset| {
        // On the fast path, the characters have not been checked yet.
        check_alphabet(segment, part).err().unwrap_or(VerifyError::InvalidBase64 { part, offset })
    })
}

/// Decodes a header segment to text.
fn decode_header(segment: &str) -> Result<String, VerifyError> {
    let part = Part::Header;
    let mut bytes = Vec::new();
    base64url::decode_onto(&mut bytes, segment)
        .map_err(|offset| VerifyError::InvalidBase64 { part, offset })?;
    String::from_utf8(bytes).map_err(|error| VerifyError::of_utf8(part, error.utf8_error()))
}

/// A payload segment with a valid signature, and the header that was checked with it. The header is borrowed from the key or
/// was read from the token.
pub(crate) struct Opened<'t, 'k> {
    pub(crate) payload: &'t str,
    pub(crate) header_json: Cow<'k, str>,
    pub(crate) header: Cow<'k, HeaderFields>,
}

/// A header that follows the rules, and the key that its signature must be of.
pub(crate) struct Admitted<'k> {
    header_json: String,
    pub(crate) header: HeaderFields,
    key: KeyRef<'k>,
}

impl Admitted<'_> {
    /// Checks the signature over `input`, then calls `payload` for what was signed.
    pub(crate) fn verify(
        self,
        input: &[u8],
        signature: &str,
        payload: impl FnOnce() -> Result<Vec<u8>, VerifyError>,
    ) -> Result<Verified, VerifyError> {
        check_signature(&self.key, input, signature)?;
        Ok(Verified { payload: payload()?, header_json: self.header_json, header: self.header })
    }
}

/// Checks the signature of a token: finds the key and applies the rules for headers.
#[derive(Clone)]
pub(crate) struct Gate {
    keys: Keys,
    rules: HeaderRules,
    /// The header that a single key would write under these rules. `None` for several keys.
    known: Option<EncodedHeader>,
}

impl Gate {
    pub(crate) fn new(keys: Keys, rules: HeaderRules) -> Self {
        let chosen = Chosen { typ: rules.typ.usual(), ..Chosen::default() };
        let known = keys.only().map(|key| key.identity().header_with(&chosen));
        Self { keys, rules, known }
    }

    pub(crate) fn with_keys(&self, keys: Keys) -> Self {
        Self::new(keys, self.rules.clone())
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.rules.limits
    }

    #[cfg(feature = "cache")]
    pub(crate) fn generation(&self) -> Option<u64> {
        self.keys.generation()
    }

    /// Checks the form, the header and the signature of `text`, in this order. The fast path does not check the characters of
    /// the payload; [`decode_payload`] checks them afterwards.
    pub(crate) fn open<'t>(&self, text: &'t str) -> Result<Opened<'t, '_>, VerifyError> {
        let Some((key, header, token)) = self.recognize(text) else {
            return self.open_unknown(text).map_err(|error| name_mistake(text, error));
        };
        match token.check_signature(key) {
            Ok(()) => Ok(Opened {
                payload: token.payload,
                header_json: Cow::Borrowed(header.header().json()),
                header: Cow::Borrowed(header.fields()),
            }),
            // Report the slow path's error: it checks characters before the signature.
            Err(error) => {
                let error = Unverified::parse_within(text, self.limits()).err().unwrap_or(error);
                Err(name_mistake(text, error))
            }
        }
    }

    /// Takes the slow path, for headers that have to be read.
    fn open_unknown<'t>(&self, text: &'t str) -> Result<Opened<'t, '_>, VerifyError> {
        let token = Unverified::parse_within(text, self.limits())?;
        let json = decode_header(token.header)?;
        let fields = HeaderFields::parse(&json, self.limits(), &self.rules.understood)?;
        let header = Header::new(&json, &fields);
        self.rules.typ.check(&header)?;
        self.keys.check(&header, |key| {
            fits(key, &header)?;
            token.check_signature(key)
        })?;
        Ok(Opened { payload: token.payload, header_json: Cow::Owned(json), header: Cow::Owned(fields) })
    }

    /// Reads the header of a message, which may have an unprotected header with the names `unprotected`, and finds its key.
    pub(crate) fn admit(&self, segment: &str, unprotected: &Names<'_>) -> Result<Admitted<'_>, VerifyError> {
        let header_json = decode_header(segment)?;
        let HeaderRules { limits, understood, unencoded, .. } = &self.rules;
        let fields = HeaderFields::parse_next_to(&header_json, limits, understood, *unencoded, unprotected)?;
        let header = Header::new(&header_json, &fields);
        self.rules.typ.check(&header)?;
        let key = self.keys.find(&header)?;
        fits(&key, &header)?;
        Ok(Admitted { header_json, header: fields, key })
    }

    /// Takes the fast path: if the header equals, byte for byte, the header that a trusted key writes under our rules, it need
    /// not be read. Such a header contains the key's algorithm and id, a `typ` that we accept, and nothing else.
    fn recognize<'t>(&self, text: &'t str) -> Option<(&KeyRef<'static>, &EncodedHeader, Unverified<'t>)> {
        if text.len() > self.limits().token_bytes {
            return None;
        }
        let (key, header, rest) = match (&self.known, self.keys.only()) {
            (Some(header), Some(key)) => (key, header, text.strip_prefix(header.prefix())?),
            _ => {
                let (segment, rest) = text.split_once('.')?;
                let key = self.keys.recognize(segment)?;
                let header = key.identity().header();
                self.rules.typ.check(&header.header()).ok()?;
                (key, header, rest)
            }
        };
        if !self.would_pass(header) {
            return None;
        }
        let (payload, signature) = split_signature(rest, key.algorithm())?;
        let segment = text.get(..header.segment().len())?;
        Some((key, header, Unverified { text, header: segment, payload, signature }))
    }

    /// Returns whether the slow path would also accept a header of this size.
    fn would_pass(&self, encoded: &EncodedHeader) -> bool {
        let limits = self.limits();
        // The header of a key has at most four members, and none of them contains an object or array.
        encoded.segment().len() <= limits.header_bytes
            && encoded.header().key_id().is_none_or(|key_id| key_id.len() <= limits.key_id_bytes)
            && limits.members >= 4
            && limits.depth >= 1
    }
}

/// Splits the text after the header into payload and signature.
#[inline]
fn split_signature(rest: &str, algorithm: Algorithm) -> Option<(&str, &str)> {
    // If the algorithm has a fixed signature length, the position of the dot is known. If another dot follows, decoding fails.
    let fixed = algorithm.signature_length().map(base64url::encoded_len);
    let place = fixed.and_then(|length| rest.len().checked_sub(length.saturating_add(1)));
    let split = place.and_then(|place| rest.split_at_checked(place));
    let found = split.and_then(|(payload, tail)| Some((payload, tail.strip_prefix('.')?)));
    found.or_else(|| rest.rsplit_once('.'))
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("rules", &self.rules).finish_non_exhaustive()
    }
}

/// Verifies JWS messages and returns their payload bytes.
///
/// Make it once and share it by reference. It checks only the signature and the header: the algorithm, `kid`, `crit`, and `typ`
/// if one is required.
///
/// # Examples
///
/// ```
/// use countersign::{HmacKey, SecretBytes, VerifyError, jws};
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// let verifier = jws::MessageVerifier::new(key.clone()).typ("logout+jws")?;
/// let text = jws::Payload::new("everywhere").typ("logout+jws").sign(&key)?;
/// assert_eq!(verifier.verify(&text)?.into_payload(), b"everywhere");
///
/// let other = jws::Payload::new("everywhere").sign(&key)?;
/// assert!(matches!(verifier.verify(&other), Err(VerifyError::WrongType { .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MessageVerifier(pub(crate) Gate);

impl MessageVerifier {
    /// Makes a verifier with one key, a [`KeySet`](crate::KeySet), or your own [`KeySource`](crate::KeySource). It accepts any
    /// `typ`.
    #[must_use]
    pub fn new(keys: impl Into<Keys>) -> Self {
        Self(Gate::new(keys.into(), HeaderRules::new(TypRule::Any { usual: None })))
    }

    /// Requires the header's `typ` to be this one. Call it again to accept another `typ` as well. The comparison ignores case
    /// and a leading `application/`.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Empty`].
    pub fn typ(self, typ: &str) -> Result<Self, PolicyError> {
        let rules = HeaderRules { typ: self.0.rules.typ.or(typ)?, ..self.0.rules };
        Ok(Self(Gate::new(self.0.keys, rules)))
    }

    /// Allows `crit` to name this header extension. You must then honour the extension yourself. Its value is in
    /// [`Header::json`].
    ///
    /// # Errors
    ///
    /// [`PolicyError::Empty`], [`PolicyError::UnusableExtension`].
    pub fn understand_critical(mut self, name: &str) -> Result<Self, PolicyError> {
        self.0.rules.understand(name)?;
        Ok(self)
    }

    /// Accepts messages with a payload that is signed as it is, and not as base64url
    /// ([RFC 7797](https://www.rfc-editor.org/rfc/rfc7797)): those with the header parameters `"b64":false,"crit":["b64"]`.
    /// Messages with an encoded payload are still accepted.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{HmacKey, SecretBytes, VerifyError, jws};
    ///
    /// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// let text = jws::Payload::new("$02").unencoded().sign(&key)?;
    /// assert_eq!(text.split('.').nth(1), Some("$02"));
    ///
    /// let verifier = jws::MessageVerifier::new(key);
    /// assert!(verifier.verify(&text).is_err());
    /// assert_eq!(verifier.accept_unencoded_payload().verify(&text)?.payload(), b"$02");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn accept_unencoded_payload(mut self) -> Self {
        self.0.rules.unencoded = Unencoded::Accepted;
        self
    }

    /// Replaces the default limits.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.0.rules.limits = limits;
        self
    }

    /// Verifies a message in the compact form and decodes its payload.
    ///
    /// # Errors
    ///
    /// The [`VerifyError`]s about the form, the header, the key and the signature.
    pub fn verify(&self, text: &str) -> Result<Verified, VerifyError> {
        if self.0.rules.unencoded == Unencoded::Accepted {
            return self.verify_in_either_encoding(text).map_err(|error| name_mistake(text, error));
        }
        let opened = self.0.open(text)?;
        let mut payload = Vec::new();
        decode_payload(&mut payload, opened.payload)?;
        let header_json = opened.header_json.into_owned();
        Ok(Verified { payload, header_json, header: opened.header.into_owned() })
    }

    /// Verifies a message in the compact form with any payload that its header allows.
    fn verify_in_either_encoding(&self, text: &str) -> Result<Verified, VerifyError> {
        let token = Unverified::split(text, self.0.limits())?;
        let admitted = self.0.admit(token.header, &Names::new())?;
        if !admitted.header.unencoded {
            check_alphabet(token.payload, Part::Payload)?;
            return admitted.verify(token.signing_input(), token.signature, || {
                let mut payload = Vec::new();
                decode_payload(&mut payload, token.payload)?;
                Ok(payload)
            });
        }
        if let Some(offset) = not_compact(token.payload.as_bytes()) {
            return Err(VerifyError::UnencodedPayload { offset });
        }
        admitted.verify(token.signing_input(), token.signature, || Ok(token.payload.into()))
    }
}

/// Returns the place of the first byte that an unencoded payload must not have in the compact form
/// ([RFC 7797 section 5.2](https://www.rfc-editor.org/rfc/rfc7797#section-5.2)).
fn not_compact(payload: &[u8]) -> Option<usize> {
    payload.iter().position(|byte| !matches!(byte, b' '..=b'-' | b'/'..=b'~'))
}

/// A payload with a valid signature. Only a [`MessageVerifier`] makes one.
pub struct Verified {
    payload: Vec<u8>,
    header_json: String,
    header: HeaderFields,
}

impl Verified {
    /// Returns the signed bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Consumes the message and returns the signed bytes.
    #[must_use]
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// Returns the header.
    #[must_use]
    pub fn header(&self) -> Header<'_> {
        Header::new(&self.header_json, &self.header)
    }
}

impl fmt::Debug for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verified({} bytes)", self.payload.len())
    }
}

/// Bytes to be signed, with the header parameters that describe them.
///
/// # Security
///
/// A payload that is a JSON object of claims makes a JWT. Never sign texts from other parties with the key of your tokens, or
/// give all of them a special [`typ`](Self::typ), because these parties could write tokens otherwise: see
/// [`jws`](crate::jws#security).
#[derive(Clone)]
pub struct Payload<'a> {
    bytes: &'a [u8],
    typ: Option<&'a str>,
    content_type: Option<&'a str>,
    unencoded: bool,
    form: Form,
    others: OwnParameters,
}

impl<'a> Payload<'a> {
    /// Starts with the bytes to sign. They may be empty.
    #[must_use]
    pub fn new(bytes: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self {
            bytes: bytes.as_ref(),
            typ: None,
            content_type: None,
            unencoded: false,
            form: Form { detached: false, write: None },
            others: OwnParameters::new(),
        }
    }

    /// Sets `typ`: the kind of the whole message, for verifiers that require it.
    #[must_use]
    pub const fn typ(mut self, typ: &'a str) -> Self {
        self.typ = Some(typ);
        self
    }

    /// Sets `cty`: the media type of the bytes.
    #[must_use]
    pub const fn content_type(mut self, content_type: &'a str) -> Self {
        self.content_type = Some(content_type);
        self
    }

    /// Adds another header parameter, with any value that serialises as JSON.
    ///
    /// # Errors
    ///
    /// The same as [`Claims::header_parameter`](crate::Claims::header_parameter).
    pub fn header_parameter(
        mut self,
        name: &str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<Self, SignError> {
        self.others.insert(name, value)?;
        Ok(self)
    }

    /// Signs the bytes as they are, and not as base64url ([RFC 7797](https://www.rfc-editor.org/rfc/rfc7797)). Writes the header
    /// parameters `"b64":false,"crit":["b64"]`, so that recipients that do not know them refuse the message.
    ///
    /// Inside of a compact message, the bytes may only be the characters from space to `~`, except for the dot. In the flattened
    /// form, they must be UTF-8. [Detached](Self::detached) bytes may be any.
    #[must_use]
    pub const fn unencoded(mut self) -> Self {
        self.unencoded = true;
        self
    }

    /// Signs the bytes and returns the token.
    ///
    /// # Errors
    ///
    /// - [`SignError::InvalidHeader`] for a `typ` or `cty` that is empty or too long.
    /// - [`SignError::UnencodedPayload`], [`SignError::TooManyHeaderParameters`] for a payload that is not encoded.
    /// - [`SignError::Entropy`] and [`SignError::SigningFailed`] from the key.
    pub fn sign(&self, key: &(impl SignKey + ?Sized)) -> Result<String, SignError> {
        self.prepare(key)?.sign(key)
    }

    /// Prepares the token for a key outside of this process, e.g. in an HSM or a KMS.
    ///
    /// # Errors
    ///
    /// The same as [`sign`](Self::sign), except those of the key.
    pub fn prepare(&self, key: &(impl Key + ?Sized)) -> Result<Prepared, SignError> {
        let &Self { bytes, typ, content_type, unencoded, form, ref others } = self;
        let chosen = Chosen { typ, content_type, unencoded, others };
        let prepared = Prepared::new(key, &chosen, bytes)?;
        let misfit = match form {
            Form { detached: true, .. } => None,
            _ if !unencoded => None,
            Form { write: None, .. } => not_compact(bytes),
            Form { write: Some(_), .. } => core::str::from_utf8(bytes).err().map(|error| error.valid_up_to()),
        };
        match misfit {
            Some(offset) => Err(SignError::UnencodedPayload { offset }),
            None => Ok(Prepared { form, ..prepared }),
        }
    }

    /// Leaves the payload out. Writes the message with `write`, unless another form is set.
    pub(crate) fn leave_out(mut self, write: Write) -> Self {
        self.form = Form { detached: true, write: self.form.write.or(Some(write)) };
        self
    }

    /// Writes the message with `write`.
    pub(crate) const fn in_form(mut self, write: Write) -> Self {
        self.form.write = Some(write);
        self
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.bytes.len())
    }
}

/// A token without its signature, for keys in an HSM, a KMS or another process. You can call the signer in any way, blocking or
/// not.
///
/// # Examples
///
/// ```
/// use countersign::{Algorithm, Identity, HmacKey, SecretBytes, SignKey, jws};
/// # let hsm = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
///
/// let key = Identity::new(Algorithm::Hs256).with_key_id("hsm-1")?;
/// let prepared = jws::Payload::new("hello").prepare(&key)?;
/// let signature = hsm.sign_bytes(prepared.signing_input())?; // or any other way
/// let text = prepared.finish(signature.as_bytes())?;
/// assert_eq!(jws::MessageVerifier::new(hsm).verify(&text)?.payload(), b"hello");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Prepared {
    algorithm: Algorithm,
    /// Header, dot and payload. They are base64url text, so ASCII, unless the payload is not encoded.
    text: Vec<u8>,
    form: Form,
}

/// How a message is written.
#[derive(Clone, Copy)]
struct Form {
    /// Whether the payload is left out.
    detached: bool,
    /// Writes the message. `None` for the usual form. A pointer, so that only programs that write another form contain the code.
    write: Option<Write>,
}

/// Writes a message: from the encoded header, the payload as it was signed unless it is detached, and the encoded signature.
pub(crate) type Write =
    fn(header: &str, payload: Option<&[u8]>, signature: &str) -> Result<String, SignError>;

impl Prepared {
    pub(crate) fn new(
        key: &(impl Key + ?Sized),
        chosen: &Chosen<'_>,
        payload: &[u8],
    ) -> Result<Self, SignError> {
        let identity = key.identity();
        let algorithm = identity.algorithm();
        let text = if chosen.is_usual() {
            Self::write(identity.header(), algorithm, payload)
        } else {
            chosen.check()?;
            let header = identity.header_with(chosen);
            if chosen.unencoded {
                [header.prefix().as_bytes(), payload].concat()
            } else {
                Self::write(&header, algorithm, payload)
            }
        };
        Ok(Self { algorithm, text, form: Form { detached: false, write: None } })
    }

    #[inline]
    fn write(header: &EncodedHeader, algorithm: Algorithm, payload: &[u8]) -> Vec<u8> {
        // One allocation, which the signature fits into as well.
        let lengths = [
            header.prefix().len(),
            base64url::encoded_len(payload.len()),
            1,
            base64url::encoded_len(algorithm.usual_signature_bytes()),
        ];
        let mut text = Vec::with_capacity(lengths.into_iter().fold(0, usize::saturating_add));
        text.extend_from_slice(header.prefix().as_bytes());
        base64url::encode_onto(&mut text, payload);
        text
    }

    /// Returns the bytes to sign: the first two segments of the token and the dot between them.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        &self.text
    }

    /// Returns the algorithm to sign them with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// Adds the signature and returns the token. Checks only the length of the signature: if you have the public key, use
    /// [`finish_checked`](Self::finish_checked).
    ///
    /// # Errors
    ///
    /// [`SignError::SignatureLength`].
    #[inline]
    pub fn finish(self, signature: &[u8]) -> Result<String, SignError> {
        let Self { algorithm, mut text, form } = self;
        if !algorithm.allows_signature_of(signature.len()) {
            return Err(SignError::SignatureLength { algorithm, bytes: signature.len() });
        }
        if let Some(write) = form.write {
            return finish_as(&text, signature, form.detached, write);
        }
        text.push(b'.');
        base64url::encode_onto(&mut text, signature);
        String::from_utf8(text).map_err(|_| SignError::SigningFailed)
    }

    /// Verifies the signature with `key`, adds it and returns the token. So a faulty signer or a wrong key is noticed here and
    /// not by the recipient.
    ///
    /// # Errors
    ///
    /// - [`SignError::SigningFailed`] if the signature is invalid, if `key` is for another algorithm, or if `key` cannot verify
    ///   at the moment.
    /// - [`SignError::SignatureLength`].
    pub fn finish_checked(
        self,
        signature: &[u8],
        key: &(impl VerifyKey + ?Sized),
    ) -> Result<String, SignError> {
        if key.identity().algorithm() != self.algorithm || key.verify_bytes(&self.text, signature).is_err() {
            return Err(SignError::SigningFailed);
        }
        self.finish(signature)
    }

    /// Signs with a key of this process.
    pub(crate) fn sign(self, key: &(impl SignKey + ?Sized)) -> Result<String, SignError> {
        let signature = key.sign_bytes(&self.text)?;
        self.finish(signature.as_bytes())
    }
}

/// Writes a message in another form than the usual one.
#[cold]
fn finish_as(text: &[u8], signature: &[u8], detached: bool, write: Write) -> Result<String, SignError> {
    let (header, payload) = text
        .iter()
        .position(|byte| *byte == b'.')
        .and_then(|dot| text.split_at_checked(dot))
        .and_then(|(header, rest)| Some((core::str::from_utf8(header).ok()?, rest.get(1..)?)))
        .ok_or(SignError::SigningFailed)?;
    let mut encoded = Vec::new();
    base64url::encode_onto(&mut encoded, signature);
    let signature = String::from_utf8(encoded).map_err(|_| SignError::SigningFailed)?;
    write(header, (!detached).then_some(payload), &signature)
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prepared({}, {} bytes)", self.algorithm, self.text.len())
    }
}
