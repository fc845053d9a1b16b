//! Reads the members of one JSON Web Key ([RFC 7517 section 4](https://www.rfc-editor.org/rfc/rfc7517#section-4)), and decodes
//! its numbers.

use crate::algorithm::Algorithm;
use crate::base64url;
use crate::error::KeyError;
use crate::json::members::{self, Members};
use crate::json::{self, Flaw, Names};
use crate::jwk::error::JwkError;
use crate::limits::Limits;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use zeroize::Zeroizing;

/// The longest JWK that is read, in bytes. One with an RSA key of 8192 bits has 6 KiB, an `x5c` of four certificates 8 KiB.
const MOST_BYTES: usize = 64 * 1024;

/// The longest `kid`, as in [`Limits`].
const KEY_ID_BYTES: usize = 1024;

/// The members that this crate knows, and whether the value is an array and not a string: RFC 7517 section 4, RFC 7518
/// section 6, RFC 8037 section 2.
const KNOWN: [(&str, bool); 24] = [
    ("kty", false),
    ("use", false),
    ("alg", false),
    ("kid", false),
    ("key_ops", true),
    ("x5c", true),
    ("x5u", false),
    ("x5t", false),
    ("x5t#S256", false),
    ("crv", false),
    ("x", false),
    ("y", false),
    ("n", false),
    ("e", false),
    ("pub", false),
    ("d", false),
    ("p", false),
    ("q", false),
    ("dp", false),
    ("dq", false),
    ("qi", false),
    ("oth", true),
    ("k", false),
    ("priv", false),
];

/// One JSON Web Key. Its members are separated, and nothing is known about its numbers yet.
///
/// It borrows from the text, so it makes no copy of a private key. A method that names what the key is for reads the numbers.
///
/// # Security
///
/// [`verifying_key`](Self::verifying_key), `signing_key` and [`hmac_key`](Self::hmac_key) obey the `use`, `key_ops` and `alg` of
/// the key. `public_key`, `private_key` and [`secret`](Self::secret) return material, and do not look at these members.
///
/// Take a key from a source that you trust, never from the header of a token.
///
/// # Examples
///
/// ```
/// # #[cfg(feature = "ed25519")] {
/// use countersign::{Algorithm, KeyError, jwk::{Jwk, JwkError}};
///
/// let text = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"1","nbf":1700000000}"#;
/// let key = Jwk::parse(text)?.verifying_key(Algorithm::Ed25519)?;
/// assert_eq!(key.key_id(), Some("1"));
///
/// let null = text.replace(r#""1""#, "null");
/// let error = JwkError::WrongType { member: "kid", expected: "a string", found: "null" };
/// assert_eq!(Jwk::parse(&null).unwrap_err(), KeyError::Jwk(error));
/// # }
/// # Ok::<(), countersign::KeyError>(())
/// ```
#[derive(Clone)]
pub struct Jwk<'a> {
    /// The JSON text of each member in [`KNOWN`].
    values: [Option<&'a str>; KNOWN.len()],
    key_type: Cow<'a, str>,
    key_id: Option<Cow<'a, str>>,
    key_use: Option<Cow<'a, str>>,
    algorithm: Option<Cow<'a, str>>,
    key_operations: Option<Vec<String>>,
}

impl<'a> Jwk<'a> {
    /// Reads the members of a JWK, and checks their JSON types.
    ///
    /// # Errors
    ///
    /// [`KeyError::Jwk`] with:
    ///
    /// - [`JwkError::NotAnObject`]; [`JwkError::KeySet`], [`JwkError::Encrypted`], [`JwkError::Html`], [`JwkError::Pem`] name what the
    ///   text is instead.
    /// - [`JwkError::DuplicateMember`], [`JwkError::DuplicateOperation`], [`JwkError::ReservedMember`].
    /// - [`JwkError::MissingMember`] for `kty`; [`JwkError::WrongType`] for any member that this crate knows.
    /// - [`JwkError::TooLarge`] over 64 KiB, or over 1 KiB for `kid`.
    pub fn parse(text: &'a str) -> Result<Self, KeyError> {
        values(text).and_then(Self::of).map_err(KeyError::Jwk)
    }

    fn of(values: [Option<&'a str>; KNOWN.len()]) -> Result<Self, JwkError> {
        let text = |member| value(&values, member).and_then(members::text);
        let key_id = text("kid");
        if key_id.as_ref().is_some_and(|key_id| key_id.len() > KEY_ID_BYTES) {
            return Err(JwkError::TooLarge { what: "bytes of kid", limit: KEY_ID_BYTES });
        }
        let key_operations = value(&values, "key_ops").and_then(members::texts);
        let mut seen = Names::new();
        if key_operations.iter().flatten().any(|operation| !seen.insert(Cow::Borrowed(operation))) {
            return Err(JwkError::DuplicateOperation);
        }
        Ok(Self {
            key_type: text("kty").ok_or(JwkError::MissingMember { member: "kty" })?,
            key_id,
            key_use: text("use"),
            algorithm: text("alg"),
            key_operations,
            values,
        })
    }

    /// Returns `kty`: the type of the key, such as `EC`. It may be one that this crate does not support.
    #[must_use]
    pub fn key_type(&self) -> &str {
        &self.key_type
    }

    /// Returns `kid`: the name of the key. It may be any text.
    #[must_use]
    pub fn key_id(&self) -> Option<&str> {
        self.key_id.as_deref()
    }

    /// Returns `use`: `sig` for signatures, `enc` for encryption, or any other text.
    #[must_use]
    pub fn key_use(&self) -> Option<&str> {
        self.key_use.as_deref()
    }

    /// Returns `key_ops`: what the key may do, such as `verify`. An empty list allows nothing.
    #[must_use]
    pub fn key_operations(&self) -> Option<impl Iterator<Item = &str>> {
        self.key_operations.as_ref().map(|operations| operations.iter().map(|operation| &**operation))
    }

    /// Returns `alg`: the algorithm that the key is for. It may be one that this crate does not support.
    #[must_use]
    pub fn algorithm(&self) -> Option<&str> {
        self.algorithm.as_deref()
    }

    /// Checks that `use`, `key_ops` and `alg` allow one of the operations with this algorithm.
    pub(crate) fn check_purpose(&self, algorithm: Algorithm, operations: &[&str]) -> Result<(), KeyError> {
        self.check_use(&["sig"], operations)?;
        self.allowed(&[algorithm]).map(|_| ())
    }

    /// Checks that `use` is absent or one of these, and that `key_ops` is absent or allows one of the operations.
    pub(crate) fn check_use(&self, uses: &[&str], operations: &[&str]) -> Result<(), KeyError> {
        let allowed = |operation: &String| operations.contains(&&**operation);
        if self.key_use().is_some_and(|usage| !uses.contains(&usage)) {
            return Err(KeyError::Jwk(JwkError::NotAllowed { member: "use" }));
        }
        if self.key_operations.as_ref().is_some_and(|given| !given.iter().any(allowed)) {
            return Err(KeyError::Jwk(JwkError::NotAllowed { member: "key_ops" }));
        }
        Ok(())
    }

    /// Returns those of the algorithms that `alg` allows: all if it is absent, and at least one.
    pub(crate) fn allowed<'b>(&self, algorithms: &'b [Algorithm]) -> Result<Cow<'b, [Algorithm]>, KeyError> {
        let Some(name) = self.algorithm() else { return Ok(Cow::Borrowed(algorithms)) };
        let named = Algorithm::from_name(name);
        let named = named.ok_or(KeyError::Jwk(JwkError::UnsupportedValue { member: "alg" }))?;
        if algorithms.contains(&named) {
            Ok(Cow::Owned(alloc::vec![named]))
        } else {
            Err(KeyError::Jwk(JwkError::NotAllowed { member: "alg" }))
        }
    }

    pub(crate) fn has(&self, member: &str) -> bool {
        value(&self.values, member).is_some()
    }

    /// Returns the JSON text of a member that the key must have.
    fn required(&self, member: &'static str) -> Result<&'a str, JwkError> {
        value(&self.values, member).ok_or(JwkError::MissingMember { member })
    }

    /// Decodes a member. It may be private, so every copy is wiped.
    pub(crate) fn bytes(&self, member: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let literal = self.required(member).map_err(KeyError::Jwk)?;
        let text = literal.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default();
        let unescaped = text.contains('\\').then(|| unescape(text));
        let text = unescaped.as_ref().map_or(text, |copy| core::str::from_utf8(copy).unwrap_or_default());
        let refused = || KeyError::Jwk(JwkError::NotBase64url { member, found: mistake(text) });
        let mut bytes = Zeroizing::new(alloc::vec![0; base64url::decoded_len(text.len())]);
        let length = base64url::decode_into(&mut bytes, text).map_err(|_| refused())?;
        bytes.truncate(length);
        if bytes.is_empty() { Err(refused()) } else { Ok(bytes) }
    }

    /// Decodes a member that has an exact length.
    pub(crate) fn exactly(
        &self,
        member: &'static str,
        expected: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let bytes = self.bytes(member)?;
        match bytes.len() {
            length if length == expected => Ok(bytes),
            bytes => Err(KeyError::Jwk(JwkError::WrongLength { member, bytes, expected })),
        }
    }

    /// Returns the content of a string that the key must have.
    pub(crate) fn text(&self, member: &'static str) -> Result<Cow<'a, str>, KeyError> {
        self.required(member).map(|value| members::text(value).unwrap_or_default()).map_err(KeyError::Jwk)
    }

    /// Decodes a `Base64urlUInt` of RFC 7518 section 2, which has no leading zero bytes.
    pub(crate) fn number(&self, member: &'static str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let bytes = self.bytes(member)?;
        match **bytes {
            [0, ..] => Err(KeyError::Jwk(JwkError::LeadingZero { member })),
            _ => Ok(bytes),
        }
    }
}

/// Shows no member that could be private.
impl fmt::Debug for Jwk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk").field("kty", &self.key_type).field("kid", &self.key_id).finish_non_exhaustive()
    }
}

/// Reads the JSON text of each member in [`KNOWN`].
fn values(text: &str) -> Result<[Option<&str>; KNOWN.len()], JwkError> {
    if text.len() > MOST_BYTES {
        return Err(JwkError::TooLarge { what: "bytes", limit: MOST_BYTES });
    }
    let limits = Limits::new();
    check_json(text, &limits)?;
    let (mut values, mut names) = ([None; KNOWN.len()], Names::new());
    let mut others = [("keys", false), ("ciphertext", false)];
    for (name, value) in Members::of(text).ok_or(JwkError::NotAnObject { offset: 0 })? {
        let name = members::text(name).ok_or(JwkError::NotAnObject { offset: 0 })?;
        let place = KNOWN.iter().zip(&mut values).find(|((known, _), _)| *known == name);
        others.iter_mut().for_each(|(other, found)| *found |= *other == name);
        names.admit(name, 0, &limits).map_err(|flaw| match flaw {
            Flaw::DuplicateMember => {
                JwkError::DuplicateMember { member: place.as_ref().map(|((known, _), _)| *known) }
            }
            flaw => refused(flaw),
        })?;
        if let Some((_, place)) = place {
            *place = Some(value);
        }
    }
    let is_key = value(&values, "kty").is_some();
    match others {
        [(_, true), _] if !is_key => Err(JwkError::KeySet),
        [_, (_, true)] if !is_key => Err(JwkError::Encrypted),
        _ => check_types(&values).map(|()| values),
    }
}

/// Returns the JSON text of a member in [`KNOWN`].
fn value<'a>(values: &[Option<&'a str>; KNOWN.len()], member: &str) -> Option<&'a str> {
    KNOWN.iter().zip(values).find(|((known, _), _)| *known == member).and_then(|(_, value)| *value)
}

fn check_types(values: &[Option<&str>; KNOWN.len()]) -> Result<(), JwkError> {
    for ((member, is_array), value) in KNOWN.into_iter().zip(values) {
        let Some(value) = *value else { continue };
        let found = members::kind(value);
        let (expected, found) = match (is_array, found) {
            (false, "a string") => continue,
            (false, found) => ("a string", found),
            // Its objects are not read, because the key is refused.
            (true, "an array") if member == "oth" || members::texts(value).is_some() => continue,
            (true, "an array") => ("an array of strings", "an array that holds something else"),
            (true, found) => ("an array", found),
        };
        return Err(JwkError::WrongType { member, expected, found });
    }
    Ok(())
}

pub(crate) const fn refused(flaw: Flaw) -> JwkError {
    match flaw {
        Flaw::DuplicateMember => JwkError::DuplicateMember { member: None },
        Flaw::Invalid { offset } => JwkError::NotAnObject { offset },
        Flaw::ReservedMember => JwkError::ReservedMember,
        Flaw::TooDeep { limit } => JwkError::TooLarge { what: "levels of nesting", limit },
        Flaw::TooManyMembers { limit } => JwkError::TooLarge { what: "members", limit },
    }
}

/// Checks that a text is JSON. Otherwise, names what it is.
pub(crate) fn check_json(text: &str, limits: &Limits) -> Result<(), JwkError> {
    // Before the levels are counted, because a page with a script may have many.
    if text.trim_start_matches(|symbol: char| symbol == '\u{feff}' || symbol.is_whitespace()).starts_with('<')
    {
        return Err(JwkError::Html);
    }
    json::check_text(text, limits).map_err(refused)?;
    json::broken_at(text).map_or(Ok(()), |offset| Err(not_json(text, offset)))
}

/// Names a text that is not JSON.
fn not_json(text: &str, offset: usize) -> JwkError {
    let text = text.trim();
    if text.starts_with("-----BEGIN ") {
        JwkError::Pem
    } else if text.starts_with("eyJ") && text.split('.').count() == 5 {
        JwkError::Encrypted
    } else {
        JwkError::NotAnObject { offset }
    }
}

/// Resolves the escapes of a JSON string, as far as base64url needs them. All other escapes become a character that base64url
/// does not have. `serde_json` would leave a copy of the string in memory.
fn unescape(text: &str) -> Zeroizing<Vec<u8>> {
    const FOREIGN: u8 = b'?';
    // The result is never longer than the text, so the buffer is not moved.
    let mut unescaped = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        unescaped.extend_from_slice(before.as_bytes());
        let (byte, length) = match escape.as_bytes() {
            [b'u', ..] => {
                let code = escape.get(1..5).and_then(|digits| u8::from_str_radix(digits, 16).ok());
                (code.filter(u8::is_ascii).unwrap_or(FOREIGN), 5)
            }
            [b'/', ..] => (b'/', 1),
            [b'n' | b'r' | b't', ..] => (b' ', 1),
            _ => (FOREIGN, 1),
        };
        unescaped.push(byte);
        rest = escape.get(length..).unwrap_or_default();
    }
    unescaped.extend_from_slice(rest.as_bytes());
    unescaped
}

/// Names what is wrong with a text that is not unpadded, canonical base64url.
fn mistake(text: &str) -> &'static str {
    match base64url::first_foreign(text).and_then(|place| text.as_bytes().get(place)) {
        None if text.is_empty() => "is empty",
        None => "ends in stray bits, or in one character too many",
        Some(b'=') => "is padded",
        Some(b'+' | b'/') => "holds + or / in place of - or _",
        Some(b' ' | b'\t' | b'\n' | b'\r') => "holds white space",
        Some(_) => "holds a character that base64url does not have",
    }
}
