//! The compact form ([RFC 7515 section 7.1](https://www.rfc-editor.org/rfc/rfc7515#section-7.1)). [`Gate::open`] is the only
//! way from an unverified text to a verified payload.

use crate::algorithm::{Algorithm, LONGEST_SIGNATURE};
use crate::base64url;
use crate::error::{Part, PolicyError, SignError, SignatureError, Size, VerifyError};
use crate::header::{Chosen, EncodedHeader, Header, HeaderFields, OwnParameters, Texts};
use crate::jws::{HeaderRules, TypRule};
use crate::key::{Key, SignKey, VerifyKey};
use crate::keyset::{KeyRef, Keys};
use crate::limits::Limits;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::Serialize;

/// A token as it was received, split into its segments: nothing about it is known to be true.
///
/// For looking inside without a key, e.g. to log which issuer a refused token claims. To verify one, hand its
/// text to a [`Verifier`](crate::Verifier).
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
/// It proves nothing. Functions that need a verified token do not accept it:
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
    /// Splits a token of up to 256 KiB.
    ///
    /// # Errors
    ///
    /// - [`VerifyError::TooLarge`].
    /// - [`VerifyError::NotAToken`] unless there are three segments; [`VerifyError::Encrypted`] for a JWE.
    /// - [`VerifyError::NotAlone`] for a token with something around it.
    /// - [`VerifyError::InvalidBase64`] for another character outside the base64url alphabet in header or payload.
    pub fn parse(text: &'t str) -> Result<Self, VerifyError> {
        Self::parse_within(text, &Limits::new()).map_err(|error| name_mistake(text, error))
    }

    pub(crate) fn parse_within(text: &'t str, limits: &Limits) -> Result<Self, VerifyError> {
        let too_large = |size, limit| Err(VerifyError::TooLarge { size, limit });
        if text.len() > limits.token_bytes {
            return too_large(Size::TokenBytes, limits.token_bytes);
        }
        let (header, rest) = text.split_once('.').ok_or(VerifyError::NotAToken)?;
        let (payload, signature) = rest.rsplit_once('.').ok_or(VerifyError::NotAToken)?;
        if header.len() > limits.header_bytes {
            return too_large(Size::HeaderBytes, limits.header_bytes);
        }
        if signature.len() > base64url::encoded_len(LONGEST_SIGNATURE) {
            return too_large(Size::SignatureBytes, base64url::encoded_len(LONGEST_SIGNATURE));
        }
        check_alphabet(header, Part::Header)?;
        check_alphabet(payload, Part::Payload)?;
        Ok(Self { text, header, payload, signature })
    }

    /// The header's JSON text as its sender wrote it.
    ///
    /// # Errors
    ///
    /// [`VerifyError::InvalidBase64`], [`VerifyError::InvalidUtf8`]. Whether it is JSON is not checked.
    pub fn unverified_header(&self) -> Result<String, VerifyError> {
        decode_header(self.header)
    }

    /// The algorithm that the header names.
    ///
    /// # Errors
    ///
    /// - [`VerifyError::UnsupportedAlgorithm`] for one that this crate does not support, also `none`.
    /// - [`VerifyError::InvalidHeader`] if there is none; else those [`VerifyError`]s that speak of the header's shape.
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

    /// The header's `kid`. It may be any text: never use it as a path or in a query.
    ///
    /// # Errors
    ///
    /// Those [`VerifyError`]s that speak of the header's shape.
    pub fn unverified_key_id(&self) -> Result<Option<String>, VerifyError> {
        Ok(self.header_texts()?.kid)
    }

    /// The header's `typ`.
    ///
    /// # Errors
    ///
    /// Those [`VerifyError`]s that speak of the header's shape.
    pub fn unverified_typ(&self) -> Result<Option<String>, VerifyError> {
        Ok(self.header_texts()?.typ)
    }

    fn header_texts(&self) -> Result<Texts, VerifyError> {
        Texts::parse(&decode_header(self.header)?, &Limits::new())
    }

    /// The payload's bytes.
    ///
    /// # Errors
    ///
    /// [`VerifyError::InvalidBase64`].
    pub fn unverified_payload(&self) -> Result<Vec<u8>, VerifyError> {
        let mut bytes = Vec::new();
        decode_payload(&mut bytes, self.payload)?;
        Ok(bytes)
    }

    /// Header and payload as they were signed.
    fn signing_input(&self) -> &'t [u8] {
        let length = self.header.len().saturating_add(self.payload.len()).saturating_add(1);
        self.text.get(..length).unwrap_or_default().as_bytes()
    }

    /// Checks the signature with `key`.
    #[inline]
    fn check_signature(&self, key: &KeyRef<'_>) -> Result<(), VerifyError> {
        // 64 bytes are enough for all algorithms but RSA. Clearing 1,024 costs as much as decoding the signature.
        const SHORT: usize = 64;
        if self.signature.len() <= base64url::encoded_len(SHORT) {
            self.check_decoded(key, &mut [0; SHORT])
        } else {
            self.check_decoded(key, &mut [0; LONGEST_SIGNATURE])
        }
    }

    #[inline]
    fn check_decoded(&self, key: &KeyRef<'_>, room: &mut [u8]) -> Result<(), VerifyError> {
        let length = base64url::decode_into(room, self.signature)
            .map_err(|offset| VerifyError::InvalidBase64 { part: Part::Signature, offset })?;
        let signature = room.get(..length).unwrap_or_default();
        key.verify_bytes(self.signing_input(), signature).map_err(|error| match error {
            SignatureError::Invalid => VerifyError::InvalidSignature,
            SignatureError::KeyUnavailable => VerifyError::KeysUnavailable,
        })
    }
}

impl fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unverified({} bytes)", self.text.len())
    }
}

/// Names what people hand over in place of a token, where `error` would only say where reading stopped.
#[cold]
fn name_mistake(text: &str, error: VerifyError) -> VerifyError {
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

/// What is around a token, and what to do.
fn surroundings(text: &[u8]) -> Option<&'static str> {
    let trimmed = text.trim_ascii();
    if let Some(space) = trimmed.iter().position(|byte| *byte == b' ')
        && let (scheme, rest) = trimmed.split_at(space)
        // `ey` is how the base64url of a JSON object begins.
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
fn check_alphabet(segment: &str, part: Part) -> Result<(), VerifyError> {
    match base64url::first_foreign(segment) {
        None => Ok(()),
        // A third dot, in what was taken for the payload.
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

/// The header's JSON text.
fn decode_header(segment: &str) -> Result<String, VerifyError> {
    let part = Part::Header;
    let mut bytes = Vec::new();
    base64url::decode_onto(&mut bytes, segment)
        .map_err(|offset| VerifyError::InvalidBase64 { part, offset })?;
    String::from_utf8(bytes).map_err(|error| VerifyError::of_utf8(part, error.utf8_error()))
}

/// A payload segment whose signature is valid, and the header that was checked with it: the key's own, or one that was read.
pub(crate) struct Opened<'t, 'k> {
    pub(crate) payload: &'t str,
    pub(crate) header_json: Cow<'k, str>,
    pub(crate) header: Cow<'k, HeaderFields>,
}

/// Decides whether a token's signature is valid: by which key, under which rules for headers.
#[derive(Clone)]
pub(crate) struct Gate {
    keys: Keys,
    rules: HeaderRules,
    /// The header that the only key would write under these rules.
    known: Option<EncodedHeader>,
}

impl Gate {
    pub(crate) fn new(keys: Keys, rules: HeaderRules) -> Self {
        let chosen = Chosen { typ: rules.typ.usual(), ..Chosen::default() };
        let known = keys.only().map(|key| EncodedHeader::of(key.algorithm(), key.key_id(), &chosen));
        Self { keys, rules, known }
    }

    pub(crate) fn with_keys(&self, keys: Keys) -> Self {
        Self::new(keys, self.rules.clone())
    }

    pub(crate) const fn limits(&self) -> &Limits {
        &self.rules.limits
    }

    /// Checks shape, header and signature of `text`, in this order. The fast path checks characters last: those of the payload
    /// are left to [`decode_payload`].
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

    /// The slow path, for headers that have to be read.
    fn open_unknown<'t>(&self, text: &'t str) -> Result<Opened<'t, '_>, VerifyError> {
        let token = Unverified::parse_within(text, self.limits())?;
        let json = decode_header(token.header)?;
        let fields = HeaderFields::parse(&json, self.limits(), &self.rules.understood)?;
        let header = Header::new(&json, &fields);
        self.rules.typ.check(&header)?;
        let key = self.keys.find(&header)?;
        // A key is used with its own algorithm only, whichever key the source has found.
        if key.algorithm() != header.algorithm() {
            return Err(VerifyError::AlgorithmMismatch { key: key.algorithm(), token: header.algorithm() });
        }
        token.check_signature(&key)?;
        Ok(Opened { payload: token.payload, header_json: Cow::Owned(json), header: Cow::Owned(fields) })
    }

    /// The fast path: a header that is, byte for byte, the one that a trusted key writes under our rules need not be read. It
    /// names that key's algorithm and id, a `typ` that we accept, and nothing else.
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

    /// Whether the slow path would accept a header of this size too.
    fn would_pass(&self, encoded: &EncodedHeader) -> bool {
        let limits = self.limits();
        // No header of ours has more members than these, nor anything nested in it.
        encoded.segment().len() <= limits.header_bytes
            && encoded.header().key_id().is_none_or(|key_id| key_id.len() <= limits.key_id_bytes)
            && limits.members >= 4
            && limits.depth >= 1
    }
}

/// Payload and signature of what follows a header.
#[inline]
fn split_signature(rest: &str, algorithm: Algorithm) -> Option<(&str, &str)> {
    // An algorithm with a fixed signature length fixes the place of the dot. If another dot follows, decoding fails.
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

/// Verifies JWS messages and hands out their payload bytes.
///
/// Made once, shared by reference. The signature and the header are all that is checked: algorithm, `kid`,
/// `crit`, and `typ` where one is asked for.
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
pub struct MessageVerifier(Gate);

impl MessageVerifier {
    /// A verifier with one key, a [`KeySet`](crate::KeySet), or a source of your own. It takes any `typ`.
    #[must_use]
    pub fn new(keys: impl Into<Keys>) -> Self {
        Self(Gate::new(keys.into(), HeaderRules::new(TypRule::Any { usual: None })))
    }

    /// The same verifier for messages of this `typ` only; called again, for messages of either. Case and a leading
    /// `application/` do not matter.
    ///
    /// # Errors
    ///
    /// [`PolicyError::Empty`].
    pub fn typ(self, typ: &str) -> Result<Self, PolicyError> {
        let rules = HeaderRules { typ: self.0.rules.typ.or(typ)?, ..self.0.rules };
        Ok(Self(Gate::new(self.0.keys, rules)))
    }

    /// The same verifier for messages whose `crit` may name this extension, which the caller then honours: its
    /// value is in [`Header::json`].
    ///
    /// # Errors
    ///
    /// [`PolicyError::Empty`], [`PolicyError::UnusableExtension`].
    pub fn understand_critical(mut self, name: &str) -> Result<Self, PolicyError> {
        self.0.rules.understand(name)?;
        Ok(self)
    }

    /// The same verifier with other limits.
    #[must_use]
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.0.rules.limits = limits;
        self
    }

    /// Checks a message and decodes its payload.
    ///
    /// # Errors
    ///
    /// Those [`VerifyError`]s that speak of shape, header, key and signature.
    pub fn verify(&self, text: &str) -> Result<Verified, VerifyError> {
        let opened = self.0.open(text)?;
        let mut payload = Vec::new();
        decode_payload(&mut payload, opened.payload)?;
        let header_json = opened.header_json.into_owned();
        Ok(Verified { payload, header_json, header: opened.header.into_owned() })
    }
}

/// A payload whose signature is valid. Only a [`MessageVerifier`] makes one.
pub struct Verified {
    payload: Vec<u8>,
    header_json: String,
    header: HeaderFields,
}

impl Verified {
    /// The signed bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signed bytes, taken out.
    #[must_use]
    pub fn into_payload(self) -> Vec<u8> {
        self.payload
    }

    /// The header.
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
#[derive(Clone)]
pub struct Payload<'a> {
    bytes: &'a [u8],
    typ: Option<&'a str>,
    content_type: Option<&'a str>,
    others: OwnParameters,
}

impl<'a> Payload<'a> {
    /// Any bytes, none included.
    #[must_use]
    pub fn new(bytes: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        Self { bytes: bytes.as_ref(), typ: None, content_type: None, others: OwnParameters::new() }
    }

    /// `typ`: what the whole message is, for verifiers that ask for it.
    #[must_use]
    pub const fn typ(mut self, typ: &'a str) -> Self {
        self.typ = Some(typ);
        self
    }

    /// `cty`: what the bytes are.
    #[must_use]
    pub const fn content_type(mut self, content_type: &'a str) -> Self {
        self.content_type = Some(content_type);
        self
    }

    /// Another header parameter, with any value that serialises as JSON.
    ///
    /// # Errors
    ///
    /// As [`Claims::header_parameter`](crate::Claims::header_parameter).
    pub fn header_parameter(
        mut self,
        name: &str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<Self, SignError> {
        self.others.insert(name, value)?;
        Ok(self)
    }

    /// Signs them.
    ///
    /// # Errors
    ///
    /// [`SignError::InvalidHeader`] for an empty or overlong type; [`SignError::Entropy`] and
    /// [`SignError::SigningFailed`] from the key.
    pub fn sign(&self, key: &(impl SignKey + ?Sized)) -> Result<String, SignError> {
        self.prepare(key)?.sign(key)
    }

    /// Makes the bytes that a key elsewhere shall sign.
    ///
    /// # Errors
    ///
    /// [`SignError::InvalidHeader`].
    pub fn prepare(&self, key: &(impl Key + ?Sized)) -> Result<Prepared, SignError> {
        let chosen = Chosen { typ: self.typ, content_type: self.content_type, others: &self.others };
        Prepared::new(key, &chosen, self.bytes)
    }
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Payload({} bytes)", self.bytes.len())
    }
}

/// A token that lacks only its signature: for keys in an HSM, a KMS, or another process, asked in whichever
/// way, blocking or not.
///
/// # Examples
///
/// ```
/// use countersign::{Algorithm, Identity, HmacKey, SecretBytes, SignKey, jws};
/// # let elsewhere = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
///
/// let key = Identity::new(Algorithm::Hs256).with_key_id("hsm-1")?;
/// let prepared = jws::Payload::new("hello").prepare(&key)?;
/// let signature = elsewhere.sign_bytes(prepared.signing_input())?; // or any other way
/// let text = prepared.finish(signature.as_bytes())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Prepared {
    algorithm: Algorithm,
    /// Header, dot and payload; base64url text, so ASCII.
    text: Vec<u8>,
}

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
            let header = EncodedHeader::of(algorithm, identity.key_id(), chosen);
            Self::write(&header, algorithm, payload)
        };
        Ok(Self { algorithm, text })
    }

    #[inline]
    fn write(header: &EncodedHeader, algorithm: Algorithm, payload: &[u8]) -> Vec<u8> {
        // One allocation, with room for the signature.
        let room = [
            header.prefix().len(),
            base64url::encoded_len(payload.len()),
            1,
            base64url::encoded_len(algorithm.usual_signature_bytes()),
        ];
        let mut text = Vec::with_capacity(room.into_iter().fold(0, usize::saturating_add));
        text.extend_from_slice(header.prefix().as_bytes());
        base64url::encode_onto(&mut text, payload);
        text
    }

    /// The bytes to sign: the token's first two segments and the dot between them.
    #[must_use]
    pub fn signing_input(&self) -> &[u8] {
        &self.text
    }

    /// The algorithm to sign them with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The token with this signature, whose length is checked and nothing else: use
    /// [`finish_checked`](Self::finish_checked) where the public key is at hand.
    ///
    /// # Errors
    ///
    /// [`SignError::SignatureLength`].
    #[inline]
    pub fn finish(self, signature: &[u8]) -> Result<String, SignError> {
        let Self { algorithm, mut text } = self;
        if !algorithm.allows_signature_of(signature.len()) {
            return Err(SignError::SignatureLength { algorithm, bytes: signature.len() });
        }
        text.push(b'.');
        base64url::encode_onto(&mut text, signature);
        String::from_utf8(text).map_err(|_| SignError::SigningFailed)
    }

    /// The token with this signature, if `key` verifies it: a faulty or misdirected signer shows here and not
    /// at the recipient.
    ///
    /// # Errors
    ///
    /// - [`SignError::SigningFailed`] if it does not, if `key` is for another algorithm, or if it cannot be asked.
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

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prepared({}, {} bytes)", self.algorithm, self.text.len())
    }
}
