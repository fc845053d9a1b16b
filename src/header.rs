//! The header of a token ([RFC 7515 section 4](https://www.rfc-editor.org/rfc/rfc7515#section-4)). It is read strictly, and
//! written once per key.

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::error::{Part, SignError, Size, VerifyError};
use crate::json::{self, Flaw, NameSeed, Names, Object, Resolved, Text, TextSeed};
use crate::limits::Limits;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::Serialize;
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};

/// Parameters that RFC 7515 and RFC 7518 define, which `crit` must not name (RFC 7515 section 4.1.11).
const REGISTERED: &str =
    "alg jku jwk kid x5u x5c x5t x5t#S256 typ cty crit enc zip epk apu apv iv tag p2s p2c";

/// Reports whether a standard defines the header parameter of this name.
#[inline(never)]
pub(crate) fn is_registered(name: &str) -> bool {
    REGISTERED.split(' ').any(|registered| registered == name)
}

/// A token's header.
///
/// A [`KeySource`](crate::KeySource) gets it before the signature is checked, so there it is unverified text from the sender.
/// The header of a [`Token`](crate::Token) has been verified.
///
/// # Examples
///
/// ```
/// use countersign::{Algorithm, HmacKey, SecretBytes, jws};
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?.with_key_id("2026-11")?;
/// let text = jws::Payload::new("hello").typ("greeting").sign(&key)?;
/// let message = jws::MessageVerifier::new(key).verify(&text)?;
/// let header = message.header();
/// assert_eq!(header.algorithm(), Algorithm::Hs256);
/// assert_eq!((header.typ(), header.key_id()), (Some("greeting"), Some("2026-11")));
/// assert_eq!(header.json(), r#"{"alg":"HS256","typ":"greeting","kid":"2026-11"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct Header<'a> {
    json: &'a str,
    fields: &'a HeaderFields,
}

impl<'a> Header<'a> {
    pub(crate) const fn new(json: &'a str, fields: &'a HeaderFields) -> Self {
        Self { json, fields }
    }

    /// Returns `alg`: the signature algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.fields.algorithm
    }

    /// Returns `typ`: the kind of the token, as it is spelled in the header.
    #[must_use]
    pub fn typ(&self) -> Option<&'a str> {
        self.text(self.fields.typ)
    }

    /// Returns `cty`: the media type of the payload.
    #[must_use]
    pub fn content_type(&self) -> Option<&'a str> {
        self.text(self.fields.cty)
    }

    /// Returns `kid`: the id of the key. It may be any text, so use it only to look up a key, never as a path or in a query.
    #[must_use]
    pub fn key_id(&self) -> Option<&'a str> {
        self.text(self.fields.kid)
    }

    fn text(&self, text: Option<Text>) -> Option<&'a str> {
        text.map(|text| text.of(self.json, &self.fields.resolved))
    }

    /// Returns the whole header as JSON, for parameters that have no method here. Never take a key from `jwk`, `jku`, `x5u` or
    /// `x5c`, because the sender chooses them. This crate does not either, except from `jwk` in a DPoP proof.
    #[must_use]
    pub const fn json(&self) -> &'a str {
        self.json
    }
}

impl fmt::Debug for Header<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Header").field("algorithm", &self.algorithm()).finish_non_exhaustive()
    }
}

/// The fields that were read from a header.
#[derive(Clone, Debug)]
pub(crate) struct HeaderFields {
    pub(crate) algorithm: Algorithm,
    typ: Option<Text>,
    cty: Option<Text>,
    kid: Option<Text>,
    /// Whether the payload is signed as it is, and not as base64url (RFC 7797).
    pub(crate) unencoded: bool,
    /// Texts that have escapes in the JSON.
    resolved: Resolved,
}

impl HeaderFields {
    /// Reads `json` strictly. `understood` are the names that `crit` may hold. Refuses unencoded payloads.
    pub(crate) fn parse(json: &str, limits: &Limits, understood: &[Box<str>]) -> Result<Self, VerifyError> {
        Reading::of(json, limits)?.finish(understood, Unencoded::Refused)
    }

    /// Reads `json` strictly, next to an unprotected header with the names `unprotected`.
    pub(crate) fn parse_next_to(
        json: &str,
        limits: &Limits,
        understood: &[Box<str>],
        unencoded: Unencoded,
        unprotected: &Names<'_>,
    ) -> Result<Self, VerifyError> {
        let reading = Reading::of(json, limits)?;
        // RFC 7515 section 7.2.1: the names of the two headers must be disjoint.
        if unprotected.overlap(&reading.names) {
            return Err(VerifyError::DuplicateMember { part: Part::UnprotectedHeader });
        }
        check_unprotected(unprotected)?;
        reading.finish(understood, unencoded)
    }
}

/// Refuses parameters in an unprotected header that would choose how the token is verified.
pub(crate) fn check_unprotected(names: &Names<'_>) -> Result<(), VerifyError> {
    // RFC 7515 section 4.1.11 and RFC 7797 section 3 require this of `crit` and `b64`. That it holds for `alg` is our rule,
    // because anyone who holds the token can change it.
    match ["alg", "crit", "b64"].into_iter().find(|name| names.contains(name)) {
        Some(name) => Err(VerifyError::UnprotectedParameter { name }),
        None => Ok(()),
    }
}

/// Whether a header may say that the payload is not encoded (RFC 7797).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unencoded {
    Accepted,
    Refused,
}

/// Parameters of a header that was read strictly. Their values are not checked.
pub(crate) struct Texts {
    pub(crate) alg: Option<String>,
    pub(crate) typ: Option<String>,
    pub(crate) kid: Option<String>,
}

impl Texts {
    pub(crate) fn parse(json: &str, limits: &Limits) -> Result<Self, VerifyError> {
        let Reading { alg, typ, kid, resolved, .. } = Reading::of(json, limits)?;
        let text = |text: Option<Text>| text.map(|text| text.of(json, &resolved).into());
        Ok(Self { alg: text(alg), typ: text(typ), kid: text(kid) })
    }
}

const fn refused(flaw: Flaw) -> VerifyError {
    VerifyError::of_json(Part::Header, flaw)
}

/// A header that is being read.
struct Reading<'a, 'de> {
    json: &'de str,
    limits: &'a Limits,
    names: Names<'de>,
    /// The name of the parameter that is being read, for the error.
    parameter: Option<&'static str>,
    flaw: Option<Flaw>,
    alg: Option<Text>,
    typ: Option<Text>,
    cty: Option<Text>,
    kid: Option<Text>,
    crit: Option<Vec<String>>,
    b64: Option<bool>,
    resolved: Resolved,
}

impl<'a, 'de> Reading<'a, 'de> {
    fn new(json: &'de str, limits: &'a Limits) -> Self {
        Self {
            json,
            limits,
            names: Names::new(),
            parameter: None,
            flaw: None,
            alg: None,
            typ: None,
            cty: None,
            kid: None,
            crit: None,
            b64: None,
            resolved: Resolved::default(),
        }
    }

    /// Reads `json` strictly.
    fn of(json: &'de str, limits: &'a Limits) -> Result<Self, VerifyError> {
        if json.bytes().filter(|byte| *byte == b'\\').count() > MOST_ESCAPES {
            return Err(VerifyError::TooLarge { size: Size::Escapes, limit: MOST_ESCAPES });
        }
        json::check_text(json, limits).map_err(refused)?;
        let mut reading = Self::new(json, limits);
        match json::read(json, |reader| reader.deserialize_map(&mut reading)) {
            Ok(()) => Ok(reading),
            Err(offset) => Err(reading.failure(offset)),
        }
    }

    /// Returns why reading stopped at `offset`.
    fn failure(&self, offset: usize) -> VerifyError {
        let flaw = match (self.flaw, self.parameter) {
            (Some(flaw), _) => flaw,
            (None, Some(name)) => match json::broken_at(self.json) {
                Some(offset) => Flaw::Invalid { offset },
                None => return VerifyError::InvalidHeader { name },
            },
            (None, None) => Flaw::Invalid { offset },
        };
        refused(flaw)
    }

    /// Checks the parameters as far as this is possible without a key.
    fn finish(self, understood: &[Box<str>], unencoded: Unencoded) -> Result<HeaderFields, VerifyError> {
        let alg = self.alg.ok_or(VerifyError::InvalidHeader { name: "alg" })?;
        let algorithm = Algorithm::from_name(alg.of(self.json, &self.resolved))
            .ok_or(VerifyError::UnsupportedAlgorithm)?;
        if let Some(kid) = self.kid {
            let limit = self.limits.key_id_bytes;
            if kid.of(self.json, &self.resolved).len() > limit {
                return Err(VerifyError::TooLarge { size: Size::KeyIdBytes, limit });
            }
        }
        // RFC 7797 section 7: a JWT never has an unencoded payload. In other messages, section 6 requires `crit` to name it.
        if self.b64 == Some(false) && !(unencoded == Unencoded::Accepted && self.is_critical("b64")) {
            return Err(VerifyError::CriticalHeader);
        }
        if let Some(crit) = &self.crit {
            self.check_critical(crit, understood, unencoded)?;
        }
        let Self { typ, cty, kid, b64, resolved, .. } = self;
        Ok(HeaderFields { algorithm, typ, cty, kid, unencoded: b64 == Some(false), resolved })
    }

    fn is_critical(&self, name: &str) -> bool {
        self.crit.iter().flatten().any(|critical| critical == name)
    }

    /// Checks the rules of RFC 7515 section 4.1.11.
    #[cold]
    #[inline(never)]
    fn check_critical(
        &self,
        crit: &[String],
        understood: &[Box<str>],
        unencoded: Unencoded,
    ) -> Result<(), VerifyError> {
        let mut seen = Names::new();
        let is_understood = |name: &str| {
            understood.iter().any(|known| **known == *name)
                || (unencoded == Unencoded::Accepted && name == "b64")
        };
        let allowed = |name: &str| !is_registered(name) && self.names.contains(name) && is_understood(name);
        let valid =
            !crit.is_empty() && crit.iter().all(|name| seen.insert(name.as_str().into()) && allowed(name));
        if valid { Ok(()) } else { Err(VerifyError::CriticalHeader) }
    }

    fn read_value<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error> {
        match name {
            "alg" => self.alg = Some(self.text("alg", map)?),
            "typ" => self.typ = Some(self.text("typ", map)?),
            "cty" => self.cty = Some(self.text("cty", map)?),
            "kid" => self.kid = Some(self.text("kid", map)?),
            "crit" => self.crit = Some(self.typed("crit", map, |_, map| map.next_value())?),
            "b64" => self.b64 = Some(self.typed("b64", map, |_, map| map.next_value())?),
            _ => {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn text<A: MapAccess<'de>>(&mut self, name: &'static str, map: &mut A) -> Result<Text, A::Error> {
        let document = self.json;
        self.typed(name, map, |resolved, map| map.next_value_seed(TextSeed { document, resolved }))
    }

    fn typed<A, T>(
        &mut self,
        name: &'static str,
        map: &mut A,
        read: impl FnOnce(&mut Resolved, &mut A) -> Result<T, A::Error>,
    ) -> Result<T, A::Error>
    where
        A: MapAccess<'de>,
    {
        self.parameter = Some(name);
        let value = read(&mut self.resolved, map)?;
        self.parameter = None;
        Ok(value)
    }
}

impl<'de> Visitor<'de> for &mut Reading<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(NameSeed)? {
            let admitted = if self.names.len() < MOST_PARAMETERS {
                self.names.admit(name.clone(), 0, self.limits)
            } else {
                Err(Flaw::TooManyMembers { limit: MOST_PARAMETERS })
            };
            if let Err(flaw) = admitted {
                self.flaw = Some(flaw);
                return Err(json::stop());
            }
            self.read_value(&name, &mut map)?;
        }
        Ok(())
    }
}

/// Real headers have under 20 parameters. The limit is needed because anybody can write a header with hundreds, and comparing
/// all their names with each other would take longer than to hash the longest token.
pub(crate) const MOST_PARAMETERS: usize = 64;

/// Each escape costs 20 ns, and a header may hold thousands. Real headers have a few hundred, because PHP escapes each slash in
/// the base64 of an `x5c`, which has one in 64 characters.
const MOST_ESCAPES: usize = 1024;

/// `typ` and `cty` are media types: real ones have under 100 bytes.
const TYPE_BYTES: usize = 1024;

/// The header parameters that the signer of a token chooses, in addition to those of the key.
#[derive(Clone, Copy, Default)]
pub(crate) struct Chosen<'a> {
    pub(crate) typ: Option<&'a str>,
    pub(crate) content_type: Option<&'a str>,
    /// Whether the payload is signed as it is (RFC 7797).
    pub(crate) unencoded: bool,
    pub(crate) others: &'a OwnParameters,
}

impl Chosen<'_> {
    /// Refuses a `typ` or `cty` that is empty or too long, and more parameters than a verifier accepts.
    pub(crate) fn check(&self) -> Result<(), SignError> {
        // `b64` and `crit` take the place of two others.
        let limit = MOST_PARAMETERS.saturating_sub(6);
        if self.unencoded && self.others.0.len() > limit {
            return Err(SignError::TooManyHeaderParameters { limit });
        }
        for (name, value) in [("typ", self.typ), ("cty", self.content_type)] {
            if value.is_some_and(|value| value.is_empty() || value.len() > TYPE_BYTES) {
                return Err(SignError::InvalidHeader { name });
            }
        }
        Ok(())
    }

    /// Returns whether these are the parameters that a key writes into JWTs by default.
    pub(crate) fn is_usual(&self) -> bool {
        self.typ == Some("JWT") && self.content_type.is_none() && !self.unencoded && self.others.0.is_empty()
    }
}

/// The header parameters that the caller added.
#[derive(Clone, Debug, Default)]
pub(crate) struct OwnParameters(Vec<OwnParameter>);

#[derive(Clone, Debug)]
struct OwnParameter {
    name: Box<str>,
    /// The encoded member, from the comma before its name to its value.
    json: Box<str>,
}

impl OwnParameters {
    pub(crate) const NONE: &'static Self = &Self::new();

    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a parameter. Refuses names that the key or another method writes, and names that were added before.
    pub(crate) fn insert(&mut self, name: &str, value: &(impl Serialize + ?Sized)) -> Result<(), SignError> {
        const WRITTEN_ELSEWHERE: [&str; 6] = ["alg", "b64", "crit", "cty", "kid", "typ"];
        if name.starts_with(json::RESERVED) {
            return Err(SignError::ReservedName);
        }
        if WRITTEN_ELSEWHERE.contains(&name) || self.0.iter().any(|known| *known.name == *name) {
            return Err(SignError::HeaderParameterTaken { name: name.into() });
        }
        // Four names are left for `alg`, `kid`, `typ` and `cty`.
        let limit = MOST_PARAMETERS.saturating_sub(4);
        if self.0.len() >= limit {
            return Err(SignError::TooManyHeaderParameters { limit });
        }
        let encoded = json::to_text(name).and_then(|name| Ok((name, json::to_text(value)?)));
        let (encoded, value) = encoded.map_err(|_| SignError::Serialize)?;
        let json = [",", &encoded, ":", &value].concat();
        self.0.push(OwnParameter { name: name.into(), json: json.into() });
        Ok(())
    }
}

impl Default for &OwnParameters {
    fn default() -> Self {
        OwnParameters::NONE
    }
}

/// The header that a key writes into every token. It is encoded once, when the key is made. Signing copies it, and verifying
/// compares tokens with it.
#[derive(Clone)]
pub(crate) struct EncodedHeader {
    json: String,
    fields: HeaderFields,
    /// The encoded header and the dot after it.
    prefix: String,
}

impl EncodedHeader {
    /// Encodes the default header of a JWT: `alg`, the `typ` `JWT`, and `kid` if the key has one.
    pub(crate) fn new(algorithm: Algorithm, name: &'static str, key_id: Option<&str>) -> Self {
        Self::of(algorithm, name, key_id, &Chosen { typ: Some("JWT"), ..Chosen::default() })
    }

    /// Encodes a header with these parameters, and with this one of the names of the algorithm.
    pub(crate) fn of(
        algorithm: Algorithm,
        name: &'static str,
        key_id: Option<&str>,
        chosen: &Chosen<'_>,
    ) -> Self {
        let mut object = Object::new();
        write(&mut object, b",\"alg\":", Some(name));
        let typ = write(&mut object, b",\"typ\":", chosen.typ);
        let cty = write(&mut object, b",\"cty\":", chosen.content_type);
        let kid = write(&mut object, b",\"kid\":", key_id);
        for other in &chosen.others.0 {
            object.encoded(&other.json);
        }
        if chosen.unencoded {
            object.encoded(",\"b64\":false,\"crit\":[\"b64\"]");
        }
        // JSON is UTF-8.
        let json = String::from_utf8(object.finish()).unwrap_or_default();

        let mut resolved = Resolved::default();
        let mut place = |written| place(&json, &mut resolved, written);
        let (typ, cty, kid) = (place(typ), place(cty), place(kid));
        let fields = HeaderFields { algorithm, typ, cty, kid, unencoded: chosen.unencoded, resolved };

        let mut prefix = Vec::new();
        base64url::encode_onto(&mut prefix, json.as_bytes());
        prefix.push(b'.');
        // base64url text is ASCII.
        Self { prefix: String::from_utf8(prefix).unwrap_or_default(), fields, json }
    }

    /// Returns the first segment of the tokens, without the dot.
    pub(crate) fn segment(&self) -> &str {
        self.prefix.strip_suffix('.').unwrap_or_default()
    }

    /// Returns the first segment and the dot.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Returns the decoded header.
    pub(crate) const fn header(&self) -> Header<'_> {
        Header { json: self.json.as_str(), fields: &self.fields }
    }

    pub(crate) const fn fields(&self) -> &HeaderFields {
        &self.fields
    }
}

/// Writes a text, if there is one. Returns the text and the place of the quote after it.
#[inline(never)]
fn write<'t>(object: &mut Object, name: &[u8; 7], text: Option<&'t str>) -> Option<(&'t str, usize)> {
    let text = text?;
    // A string always serialises.
    object.known(name, text).ok()?;
    Some((text, object.len().saturating_sub(1)))
}

/// Returns the place of a text that was written before `end`. If it was written with escapes, returns the place of a copy.
#[inline(never)]
fn place(json: &str, resolved: &mut Resolved, written: Option<(&str, usize)>) -> Option<Text> {
    let (text, end) = written?;
    let there = json.get(end.saturating_sub(text.len())..end).filter(|there| *there == text);
    resolved.place(json, there.unwrap_or(text))
}

impl fmt::Debug for EncodedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("EncodedHeader").field(&self.header()).finish()
    }
}
