//! One error type per operation: [`KeyError`], [`SignError`], [`VerifyError`], [`PolicyError`], and two more for the traits:
//! [`SignatureError`], [`EntropyError`]. None of them holds key bytes or an error of a dependency. Their texts hold no token
//! text.

use crate::algorithm::{self, Algorithm};
use crate::json::{self, Flaw};
#[cfg(feature = "key-files")]
use crate::jwk::error::JwkError;
use crate::time::UnixTime;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::sync::Arc;
use core::fmt;
use core::str::Utf8Error;
use core::time::Duration;
use thiserror::Error;

/// A part of a token.
///
/// # Examples
///
/// ```
/// use countersign::{HmacKey, Part, SecretBytes, VerifyError, jws};
///
/// let verifier = jws::MessageVerifier::new(HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?);
/// let error = verifier.verify("e30=.e30.").unwrap_err();
/// assert_eq!(error, VerifyError::InvalidBase64 { part: Part::Header, offset: 3 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Part {
    /// The first segment.
    Header,
    /// The second segment: the claims, in a JWT.
    Payload,
    /// The third segment.
    Signature,
    /// The JSON object around the parts of a message in the flattened JSON serialization.
    Message,
    /// The header outside of the signature, in the flattened JSON serialization.
    UnprotectedHeader,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Header => "header",
            Self::Payload => "payload",
            Self::Signature => "signature",
            Self::Message => "JSON serialization",
            Self::UnprotectedHeader => "unprotected header",
        })
    }
}

/// A quantity that has a limit. See [`Limits`](crate::Limits).
///
/// # Examples
///
/// ```
/// use countersign::{HmacKey, SecretBytes, Size, VerifyError, jws};
///
/// let verifier = jws::MessageVerifier::new(HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?);
/// let error = verifier.verify(&"a".repeat(300_000)).unwrap_err();
/// assert_eq!(error, VerifyError::TooLarge { size: Size::TokenBytes, limit: 192 * 1024 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Size {
    /// Entries of `aud`.
    Audiences,
    /// Levels of nesting in the header or the claims.
    Depth,
    /// Escapes in the header.
    Escapes,
    /// Bytes of the encoded header.
    HeaderBytes,
    /// Bytes of the key id.
    KeyIdBytes,
    /// Names at the top of the header or the claims.
    Members,
    /// Bytes of the encoded signature.
    SignatureBytes,
    /// Bytes of the whole token.
    TokenBytes,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Audiences => "audiences",
            Self::Depth => "levels of nesting",
            Self::Escapes => "escapes in the header",
            Self::HeaderBytes => "bytes of header",
            Self::KeyIdBytes => "bytes of key id",
            Self::Members => "members",
            Self::SignatureBytes => "bytes of signature",
            Self::TokenBytes => "bytes of token",
        })
    }
}

/// The values of a claim that a verifier accepts.
///
/// They come from the configuration, never from a token, so they may be logged. If an issuer or audience of the token differs
/// from one of them only in a slash at the end, in `http` and `https`, or in upper and lower case, the text says so.
///
/// # Examples
///
/// ```
/// # use countersign::{Claims, HmacKey, SecretBytes, UnixTime, Verifier};
/// use countersign::VerifyError;
///
/// # let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// # let text = Claims::registered().issuer("them").never_expires().sign(&key)?;
/// let verifier = Verifier::builder(key).issuer("us").issuer("me").no_audience().build()?;
/// let error = verifier.at(UnixTime::from_secs(0)).verify::<()>(&text).unwrap_err();
/// assert_eq!(error.to_string(), r#"token is not issued by "us" or "me""#);
/// if let VerifyError::WrongIssuer { expected } = error {
///     assert_eq!(expected.names().collect::<Vec<_>>(), ["us", "me"]);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Expected {
    names: Arc<[Box<str>]>,
    /// The place of a name that the token almost has, and the difference.
    near: Option<(u32, Difference)>,
}

impl Expected {
    pub(crate) const fn new(names: Arc<[Box<str>]>) -> Self {
        Self { names, near: None }
    }

    /// Makes the list of accepted names for a token that has `found` instead. It is for code that chooses a verifier by a claim
    /// of the token, and finds none.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{Expected, VerifyError};
    ///
    /// let expected = Expected::instead_of("https://a.example/", ["https://a.example", "https://b.example"]);
    /// let error = VerifyError::WrongIssuer { expected };
    /// assert!(error.to_string().contains("with a slash at the end"));
    /// ```
    pub fn instead_of(found: &str, names: impl IntoIterator<Item: Into<Box<str>>>) -> Self {
        Self::new(names.into_iter().map(Into::into).collect()).but_found(found)
    }

    /// Notes that the token has `found`, in order to name a small difference between URLs.
    #[cold]
    #[inline(never)]
    pub(crate) fn but_found(mut self, found: &str) -> Self {
        for (place, name) in (0..).zip(&*self.names) {
            if let Some(difference) = Difference::between(name, found) {
                self.near = Some((place, difference));
            }
        }
        self
    }

    /// Returns the accepted names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|name| &**name)
    }

    fn near(&self) -> Option<(&str, Difference)> {
        let (place, difference) = self.near?;
        Some((self.names.get(usize::try_from(place).ok()?)?, difference))
    }
}

/// A common mistake in a URL.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Difference {
    LacksSlash,
    ExtraSlash,
    Scheme,
    Case,
}

impl Difference {
    /// Returns the difference between the two if it is the only one.
    fn between(expected: &str, found: &str) -> Option<Self> {
        let is_short = expected.len() < found.len();
        let (short, long) = if is_short { (expected, found) } else { (found, expected) };
        if long.strip_suffix('/') == Some(short) {
            Some(if is_short { Self::ExtraSlash } else { Self::LacksSlash })
        } else if let (Some(short), Some(long)) = (short.strip_prefix("http:"), long.strip_prefix("https:"))
            && short == long
        {
            Some(Self::Scheme)
        } else {
            // The two are equal if a token has the template of an issuer as its issuer.
            (expected != found && expected.eq_ignore_ascii_case(found)).then_some(Self::Case)
        }
    }
}

impl fmt::Debug for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Expected({self})")
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, name) in self.names().enumerate() {
            if place > 0 {
                f.write_str(" or ")?;
            }
            write!(f, "{name:?}")?;
        }
        let Some((name, difference)) = self.near() else { return Ok(()) };
        let how = match difference {
            Difference::LacksSlash => "without the slash at the end",
            Difference::ExtraSlash => "with a slash at the end",
            Difference::Scheme if name.starts_with("https") => "with http in place of https",
            Difference::Scheme => "with https in place of http",
            Difference::Case => "in other upper and lower case",
        };
        write!(f, ": it has {name:?} {how}")
    }
}

/// The message of serde about claims that do not fit their type. Read it with [`VerifyError::serde_message`], after its section
/// "Security".
///
/// Its `Debug` text is the same for every message, and all messages are equal, because the words change between versions of
/// serde.
///
/// # Examples
///
/// ```
/// use countersign::{SerdeMessage, VerifyError};
///
/// // For a test of your own code.
/// let error = VerifyError::ClaimsMismatch { claim: Some("role"), offset: 7, message: SerdeMessage::default() };
/// assert_eq!(error.serde_message(), None);
/// ```
#[derive(Clone, Default)]
// Boxed twice, so that it adds one word to the size of `VerifyError`.
pub struct SerdeMessage(Option<Box<Box<str>>>);

impl SerdeMessage {
    #[cold]
    pub(crate) fn new(error: &json::Error) -> Self {
        Self(Some(Box::new(error.to_string().into_boxed_str())))
    }
}

impl fmt::Debug for SerdeMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SerdeMessage(..)")
    }
}

impl PartialEq for SerdeMessage {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for SerdeMessage {}

/// Why a token is refused.
///
/// Match on the variants, or use [`is_expired`](Self::is_expired) for the one case that clients handle on their
/// own, [`code`](Self::code) for logs and metrics, and [`challenge`](Self::challenge) for the HTTP answer.
///
/// # Security
///
/// The first failure ends the verification. [`InvalidSignature`](Self::InvalidSignature) comes before all errors about claims,
/// and gives no details. No text of an error holds text out of the token; only [`serde_message`](Self::serde_message) may.
///
/// # Examples
///
/// ```
/// use countersign::{UnixTime, VerifyError};
///
/// let error = VerifyError::Expired { expired_at: UnixTime::from_secs(1_700_000_000), now: UnixTime::from_secs(1_700_000_060) };
/// assert_eq!(error.to_string(), "token expired at 1700000000, checked at 1700000060");
/// assert_eq!(error.code(), "expired");
/// assert!(error.is_expired());
/// assert_eq!(error.challenge().status(), 401);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The header's `alg` is not the algorithm of the key.
    #[error("token names the algorithm {token}, but the key is for {key}")]
    AlgorithmMismatch {
        /// The algorithm of the key.
        key: Algorithm,
        /// The algorithm that the header names.
        token: Algorithm,
    },
    /// The token has no `kid`, and several trusted keys have its algorithm.
    #[error("token has no key id and several keys of its algorithm are trusted")]
    AmbiguousKey,
    /// The user of an ID token logged in (`auth_time`) longer ago than the client asked for, leeway included.
    #[error("user logged in at {authenticated_at}, more than {} s before {now}", .max_age.as_secs())]
    AuthenticationTooOld {
        /// The token's `auth_time`.
        authenticated_at: UnixTime,
        /// The maximum age.
        max_age: Duration,
        /// The time of the check.
        now: UnixTime,
    },
    /// An access token is bound to a key or a certificate (`cnf`), and nothing shows that the sender has it.
    #[error("token is bound to {to}, which is not checked here")]
    BoundToken {
        /// The member of `cnf`, such as `jkt` for a key that a DPoP proof shows, or `x5t#S256` for a certificate.
        to: &'static str,
    },
    /// The signature is valid and the policy holds, but the claims do not fit the requested type.
    ///
    /// The text holds nothing out of the token. During development, [`serde_message`](Self::serde_message) gives details.
    #[error("claims do not fit the requested type{}, at byte {offset} of the payload", in_field(*.claim))]
    ClaimsMismatch {
        /// The field of the claims type that could not be read, if it is a field of the outer type.
        claim: Option<&'static str>,
        /// The offset in the decoded payload at which reading stopped.
        offset: usize,
        /// The message of serde; see [`serde_message`](Self::serde_message).
        message: SerdeMessage,
    },
    /// The header has a `crit` that is malformed or names an extension that this verifier was not told to accept, or a `b64` of
    /// `false`. A `crit` that is not a list of texts is an [`InvalidHeader`](Self::InvalidHeader).
    #[error("header requires an extension that this verifier does not support")]
    CriticalHeader,
    /// A name occurs twice at the top of the header or the claims. The error does not say which, because names are content of
    /// the token. The example `inspect` of the repository shows the name.
    #[error("duplicate member in the {part}")]
    DuplicateMember {
        /// The part that holds it.
        part: Part,
    },
    /// The text is an encrypted token (JWE): five segments, and a header with `enc`.
    #[error("the token is encrypted (JWE), which is not supported: only signed tokens are")]
    Encrypted,
    /// `exp` has passed, leeway included.
    #[error("token expired at {expired_at}, checked at {now}")]
    Expired {
        /// The token's `exp`.
        expired_at: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// An ID token has `at_hash` or `c_hash`, and the standard defines no hash for its algorithm.
    #[error("no hash is defined for {algorithm}, so at_hash and c_hash cannot be checked")]
    HashUndefined {
        /// The algorithm of the token.
        algorithm: Algorithm,
    },
    /// A segment is not unpadded, canonical base64url.
    #[error("{part} is not base64url at character {offset} of the segment")]
    InvalidBase64 {
        /// The segment.
        part: Part,
        /// The offset in the segment.
        offset: usize,
    },
    /// A header parameter is missing or has the wrong type.
    #[error("header parameter {name} is missing or malformed")]
    InvalidHeader {
        /// The parameter.
        name: &'static str,
    },
    /// The header or the claims are not exactly one JSON object.
    #[error("{part} is not a JSON object, at byte {offset}")]
    InvalidJson {
        /// The part.
        part: Part,
        /// The offset in the decoded part at which reading stopped.
        offset: usize,
    },
    /// A member of the flattened JSON serialization is missing, has the wrong type, is empty, or must not be there.
    #[error("{}", bad_member(name))]
    InvalidMember {
        /// The member.
        name: &'static str,
    },
    /// The key did not make this signature over this token. The error gives no details on purpose.
    #[error("signature is invalid")]
    InvalidSignature,
    /// The header or the payload is not UTF-8.
    #[error("{part} is not UTF-8 at byte {offset}")]
    InvalidUtf8 {
        /// The part.
        part: Part,
        /// The offset in the decoded part.
        offset: usize,
    },
    /// `iat` lies in the future, beyond the leeway.
    #[error("token was issued at {issued_at}, which is after {now}")]
    IssuedInFuture {
        /// The token's `iat`.
        issued_at: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// The source of the keys could not be reached. That says nothing about the token: answer 503, not 401.
    #[error("keys are not available")]
    KeysUnavailable,
    /// A registered claim, or a claim of a profile, has the wrong JSON type or an impossible value; `null` is a wrong type.
    #[error("{}", malformed(claim, *.found))]
    MalformedClaim {
        /// The claim.
        claim: &'static str,
        /// What the claim is instead, if known, e.g. `a number`: a kind of JSON value, never the value.
        found: Option<&'static str>,
    },
    /// A required claim is missing.
    #[error("claim {claim} is missing")]
    MissingClaim {
        /// The claim.
        claim: Cow<'static, str>,
    },
    /// The text does not consist of three segments with two dots between them. It may be an opaque token.
    #[error("not three segments separated by dots, as a signed token is")]
    NotAToken,
    /// The token has something around it: a scheme before it, quotation marks, or white space.
    #[error("the text holds more than the token: {with}")]
    NotAlone {
        /// The extra text, and what to do about it.
        with: &'static str,
    },
    /// The message holds its payload, but content was passed next to it.
    #[error(
        "message holds its payload, so it takes no content: call the method for messages that are not detached"
    )]
    NotDetached,
    /// `nbf` has not been reached, leeway included.
    #[error("token is valid from {not_before}, checked at {now}")]
    NotYetValid {
        /// The token's `nbf`.
        not_before: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// A member has a name that JSON libraries use internally, so two readers could read two different documents.
    #[error("{part} has a member with a reserved name")]
    ReservedMember {
        /// The part that holds it.
        part: Part,
    },
    /// Something is larger than its limit.
    #[error("more than {limit} {size}")]
    TooLarge {
        /// The quantity.
        size: Size,
        /// The maximum.
        limit: usize,
    },
    /// `iat` is further back than the verifier's maximum age, leeway included.
    #[error("token was issued at {issued_at}, more than {} s before {now}", .max_age.as_secs())]
    TooOld {
        /// The token's `iat`.
        issued_at: UnixTime,
        /// The maximum age.
        max_age: Duration,
        /// The time of the check.
        now: UnixTime,
    },
    /// An unencoded payload has a byte that must not be in the compact form: only the characters from space to `~` may, except
    /// for the dot ([RFC 7797 section 5.2](https://www.rfc-editor.org/rfc/rfc7797#section-5.2)).
    #[error("unencoded payload has a byte at {offset} that only a detached payload may have")]
    UnencodedPayload {
        /// The offset in the payload.
        offset: usize,
    },
    /// The token has an `aud`, but this verifier has no audience configured.
    #[error("token has an audience, but this verifier expects none")]
    UnexpectedAudience,
    /// No trusted key has the token's `kid` and `alg`. Also returned if the verifier has one key and no set, that key has a
    /// `kid`, and the token has none.
    #[error("no trusted key has the token's key id and algorithm")]
    UnknownKey,
    /// A header parameter is outside of the signature, where anyone can change it.
    #[error("header parameter {name} must be in the protected header")]
    UnprotectedParameter {
        /// The parameter.
        name: &'static str,
    },
    /// This crate does not support the header's `alg`. It never supports `none`.
    #[error("algorithm is not supported")]
    UnsupportedAlgorithm,
    /// An ID token names an audience besides the client that the client does not trust. With an HMAC, it must name no other.
    #[error("token has another audience that is not trusted")]
    UntrustedAudience,
    /// An ID token is signed with another algorithm than the client is registered with.
    #[error("token is signed with {token}, but the client is registered with {expected}")]
    WrongAlgorithm {
        /// The algorithm that the client is registered with.
        expected: Algorithm,
        /// The algorithm of the token.
        token: Algorithm,
    },
    /// This verifier accepts none of the token's audiences.
    #[error("token is not meant for {expected}")]
    WrongAudience {
        /// The audiences that this verifier accepts.
        expected: Expected,
    },
    /// A claim does not have a value that the profile allows, such as the `nonce` of the login. The value is not told.
    #[error("claim {claim} does not have a value that this profile allows")]
    WrongClaim {
        /// The claim.
        claim: &'static str,
    },
    /// This verifier does not accept the token's issuer.
    #[error("token is not issued by {expected}")]
    WrongIssuer {
        /// The issuers that this verifier accepts.
        expected: Expected,
    },
    /// The token is of another kind than the profile is for, e.g. an access token in place of an ID token.
    #[error("token is of another kind, because of its claim {claim}")]
    WrongKind {
        /// The claim that says so.
        claim: &'static str,
    },
    /// This verifier does not accept the token's subject.
    #[error("token subject is not {expected}")]
    WrongSubject {
        /// The subjects that this verifier accepts.
        expected: Expected,
    },
    /// The header's `typ` is absent, or this verifier does not accept it.
    #[error("token is not of type {expected}")]
    WrongType {
        /// The types that this verifier accepts.
        expected: Expected,
    },
}

/// Says what a registered claim must be, and what it is instead.
fn malformed(claim: &str, found: Option<&'static str>) -> impl fmt::Display {
    struct Malformed<'a>(&'a str, Option<&'static str>);
    impl fmt::Display for Malformed<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let Self(claim, found) = *self;
            let wanted = match claim {
                "exp" | "nbf" | "iat" | "auth_time" => "a number of seconds within 2^53",
                "aud" => "a string or an array of strings",
                "iss" | "sub" | "jti" | "acr" | "at_hash" | "azp" | "c_hash" | "client_id" | "nonce"
                | "scope" | "token_use" | "typ" => "a string",
                "cnf" => "an object",
                "entitlements" | "groups" | "roles" => "an array of strings",
                _ => return write!(f, "claim {claim} is malformed"),
            };
            write!(f, "claim {claim} must be {wanted}")?;
            found.map_or(Ok(()), |found| write!(f, ", not {found}"))
        }
    }
    Malformed(claim, found)
}

/// Says what is wrong with a member of the flattened JSON serialization.
fn bad_member(name: &str) -> impl fmt::Display {
    struct BadMember<'a>(&'a str);
    impl fmt::Display for BadMember<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            match self.0 {
                "signatures" => f.write_str(
                    "the message is in the general JSON serialization, which is not supported: only the flattened one is",
                ),
                "payload" => f.write_str(
                    "member payload is missing or not a string: if it is detached, call verify_flattened_detached",
                ),
                "header" => f.write_str("member header must be an object that is not empty, or be left out"),
                name => write!(f, "member {name} must be a string that is not empty"),
            }
        }
    }
    BadMember(name)
}

/// Says how to change a claims type that writes such a value.
fn way_out(claim: &str, found: Option<&str>) -> &'static str {
    match (claim, found) {
        ("exp" | "nbf" | "iat", Some("a string" | "an array" | "an object")) => {
            ": use UnixTime, or let serde write seconds, e.g. with chrono's ts_seconds"
        }
        ("aud", Some(_)) => ": use Audience",
        ("iss" | "sub" | "jti", Some("a number")) => ": write its digits as a string",
        _ => "",
    }
}

/// Returns " in field x" for an error text, or nothing.
fn in_field(claim: Option<&'static str>) -> impl fmt::Display {
    struct InField(Option<&'static str>);
    impl fmt::Display for InField {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let Some(claim) = self.0 else { return Ok(()) };
            write!(f, " in field {claim}")?;
            match claim {
                "exp" | "nbf" | "iat" => f.write_str(", a number of seconds, perhaps with a fraction"),
                "aud" => f.write_str(", a string or an array of strings"),
                "iss" | "sub" | "jti" => f.write_str(", a string"),
                _ => Ok(()),
            }
        }
    }
    InField(claim)
}

impl VerifyError {
    /// Returns whether the token has expired, so that a client may get a new one and try again. Signature, issuer, audience,
    /// subject, required claims, `nbf` and `iat` are checked before `exp`, so a token from elsewhere is not reported as
    /// expired. A maximum age, and whether the claims fit the type, are checked after it.
    #[must_use]
    pub const fn is_expired(&self) -> bool {
        matches!(self, Self::Expired { .. })
    }

    /// Returns a stable name for logs, metrics and clients. It will not change; new variants bring new names.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AlgorithmMismatch { .. } => "algorithm_mismatch",
            Self::AmbiguousKey => "ambiguous_key",
            Self::AuthenticationTooOld { .. } => "authentication_too_old",
            Self::BoundToken { .. } => "bound_token",
            Self::ClaimsMismatch { .. } => "claims_mismatch",
            Self::CriticalHeader => "critical_header",
            Self::DuplicateMember { .. } => "duplicate_member",
            Self::Encrypted => "encrypted",
            Self::Expired { .. } => "expired",
            Self::HashUndefined { .. } => "hash_undefined",
            Self::InvalidBase64 { .. } => "invalid_base64",
            Self::InvalidHeader { .. } => "invalid_header",
            Self::InvalidJson { .. } => "invalid_json",
            Self::InvalidMember { .. } => "invalid_member",
            Self::InvalidSignature => "invalid_signature",
            Self::InvalidUtf8 { .. } => "invalid_utf8",
            Self::IssuedInFuture { .. } => "issued_in_future",
            Self::KeysUnavailable => "keys_unavailable",
            Self::MalformedClaim { .. } => "malformed_claim",
            Self::MissingClaim { .. } => "missing_claim",
            Self::NotAToken => "not_a_token",
            Self::NotAlone { .. } => "not_alone",
            Self::NotDetached => "not_detached",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::ReservedMember { .. } => "reserved_member",
            Self::TooLarge { .. } => "too_large",
            Self::TooOld { .. } => "too_old",
            Self::UnencodedPayload { .. } => "unencoded_payload",
            Self::UnexpectedAudience => "unexpected_audience",
            Self::UnknownKey => "unknown_key",
            Self::UnprotectedParameter { .. } => "unprotected_parameter",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::UntrustedAudience => "untrusted_audience",
            Self::WrongAlgorithm { .. } => "wrong_algorithm",
            Self::WrongAudience { .. } => "wrong_audience",
            Self::WrongClaim { .. } => "wrong_claim",
            Self::WrongIssuer { .. } => "wrong_issuer",
            Self::WrongKind { .. } => "wrong_kind",
            Self::WrongSubject { .. } => "wrong_subject",
            Self::WrongType { .. } => "wrong_type",
        }
    }

    /// Returns the message of serde about claims that do not fit the type, for a [`ClaimsMismatch`](Self::ClaimsMismatch). It
    /// helps with mistakes inside `flatten`, a tagged or an untagged enum, where the error cannot name a field of the type.
    ///
    /// # Security
    ///
    /// The message may hold text out of the token, such as a name, an address or a secret in a claim. It is for development:
    /// never write it to a log in production, and never send it to a client.
    ///
    /// # Examples
    ///
    /// ```
    /// # use countersign::{Claims, HmacKey, SecretBytes, UnixTime, Verifier};
    /// #[derive(Debug, serde::Deserialize)]
    /// #[serde(tag = "kind", rename_all = "lowercase")]
    /// enum Account { Person { id: u64 }, Robot {} }
    ///
    /// # let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// # let text = Claims::new(std::collections::BTreeMap::from([("kind", "person"), ("id", "1")])).never_expires().sign(&key)?;
    /// # let verifier = Verifier::builder(key).accept_any_issuer().no_audience().allow_missing_expiration().build()?;
    /// let error = verifier.verify::<Account>(&text).unwrap_err();
    /// assert_eq!(error.to_string(), "claims do not fit the requested type, at byte 0 of the payload");
    /// assert_eq!(error.serde_message(), Some(r#"invalid type: string "1", expected u64"#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn serde_message(&self) -> Option<&str> {
        match self {
            Self::ClaimsMismatch { message, .. } => message.0.as_deref().map(|text| &**text),
            _ => None,
        }
    }

    /// Returns the error for this flaw in the JSON of `part`.
    pub(crate) const fn of_json(part: Part, flaw: Flaw) -> Self {
        match flaw {
            Flaw::DuplicateMember => Self::DuplicateMember { part },
            Flaw::Invalid { offset } => Self::InvalidJson { part, offset },
            Flaw::ReservedMember => Self::ReservedMember { part },
            Flaw::TooDeep { limit } => Self::TooLarge { size: Size::Depth, limit },
            Flaw::TooManyMembers { limit } => Self::TooLarge { size: Size::Members, limit },
        }
    }

    /// Returns the error for a `part` that is not UTF-8.
    pub(crate) const fn of_utf8(part: Part, error: Utf8Error) -> Self {
        Self::InvalidUtf8 { part, offset: error.valid_up_to() }
    }
}

/// Why a key could not be made.
///
/// # Examples
///
/// ```
/// use countersign::{HmacKey, KeyError, KeyFile, SecretBytes};
///
/// let error = HmacKey::hs256(&SecretBytes::from_bytes("-----BEGIN PUBLIC KEY-----\n...")).unwrap_err();
/// assert_eq!(error, KeyError::NotASecret { found: KeyFile::Pem });
/// assert_eq!(error.to_string(), "this is a PEM key file, not an HMAC secret");
/// assert_eq!(error.code(), "not_a_secret");
/// ```
///
/// Some variants exist only with a feature that can return them, so that a program with HMAC alone does not carry their texts.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The primes of the RSA key are close to one another, so Fermat's method finds them and with them the private key.
    #[error("the primes of the RSA key are so close to one another that it can be factored: make a new key")]
    #[cfg(feature = "rsa-verify")]
    ClosePrimes,
    /// The CPU lacks instructions that the backend needs, although the program was built for it.
    #[error("this CPU lacks instructions that the backend needs: use another backend")]
    #[cfg(feature = "graviola")]
    CpuUnsupported,
    /// A [`KeySet`](crate::KeySet) already has a key with this algorithm and key id, or another collection of keys already has
    /// this name.
    #[error("a key of this name exists already")]
    DuplicateKey,
    /// The secret is empty.
    #[error("the secret is empty")]
    EmptySecret,
    /// The source of randomness failed.
    #[error("the source of randomness failed")]
    Entropy,
    /// The public exponent is not allowed: it must be 65537, or with `any_exponent` an odd number from 3 to 2^33 - 1.
    #[error(
        "RSA public exponent is not allowed: it must be 65537, or any odd number from 3 to 2^33 - 1 after any_exponent()"
    )]
    Exponent,
    /// The file or text holds something other than the wanted key.
    #[error("{0}")]
    #[cfg(feature = "key-files")]
    File(FileMistake),
    /// The secret's text is hex, but base64 is expected. As base64 it would decode to other bytes.
    #[error(
        "the secret's text is hex, not base64: call from_hex; if it is really base64, decode it and call from_bytes"
    )]
    HexSecret,
    /// A secret's text is not base64, or not base64url. The error does not say where, because the text is secret.
    #[error(
        "the secret's text is not valid base64: white space is not allowed, + and / are base64 only, - and _ base64url only"
    )]
    InvalidBase64,
    /// A secret's text is not hex.
    #[error(
        "the secret's text is not hex: it needs an even number of the digits 0-9 and a-f, and nothing else"
    )]
    InvalidHex,
    /// A key id is empty or longer than 1 KiB.
    #[error("a key id must have 1 to 1024 bytes")]
    InvalidKeyId,
    /// The public key is not a point that can verify: it is not on its curve, is the point at infinity, has small order, or is not
    /// encoded in a canonical form.
    #[error("the public key is not a valid point of its curve")]
    InvalidPoint,
    /// The text is not the JSON Web Key that is wanted.
    #[cfg(feature = "key-files")]
    #[error("{0}")]
    Jwk(JwkError),
    /// The bytes are not a well-formed key: broken DER, or numbers that do not make a key.
    #[error("not a well-formed key")]
    MalformedKey,
    /// The modulus is too large: its cost would allow a denial of service.
    #[error("RSA modulus has {bits} bits; at most {limit} are allowed")]
    ModulusTooLarge {
        /// Its length in bits.
        bits: usize,
        /// The maximum.
        limit: usize,
    },
    /// The modulus is too small to be safe ([RFC 7518 section 3.3](https://www.rfc-editor.org/rfc/rfc7518#section-3.3)).
    #[error("RSA modulus has {bits} bits; at least {minimum} are required")]
    ModulusTooSmall {
        /// Its length in bits.
        bits: usize,
        /// The minimum.
        minimum: usize,
    },
    /// The bytes given as an HMAC secret are a key file. It may be a public key, and then anyone could sign with it.
    #[error("this is {found}, not an HMAC secret")]
    NotASecret {
        /// The kind of file that the bytes look like.
        found: KeyFile,
    },
    /// The file says that the RSA key is for RSA-PSS only, perhaps with one hash function
    /// ([RFC 4055 section 1.2](https://www.rfc-editor.org/rfc/rfc4055#section-1.2)), and the algorithm is another.
    #[error("the file of the RSA key allows {allowed} only, so the key cannot be used for {algorithm}")]
    #[cfg(feature = "rsa-verify")]
    RestrictedKey {
        /// The algorithm.
        algorithm: Algorithm,
        /// The names of the algorithms that the file allows.
        allowed: &'static str,
    },
    /// The modulus has the fingerprint of a library that made weak keys
    /// ([ROCA, 2017](https://crocs.fi.muni.cz/public/papers/rsa_ccs17)): the private key can be computed from the public one.
    #[error("the RSA key can be factored (ROCA): make a new key")]
    #[cfg(feature = "rsa-verify")]
    Roca,
    /// The secret is too long.
    #[error("the secret has {bytes} bytes; at most {limit} are allowed")]
    SecretTooLong {
        /// Its length.
        bytes: usize,
        /// The maximum.
        limit: usize,
    },
    /// The secret is shorter than the hash ([RFC 7518 section 3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)).
    #[error("the secret has {bytes} bytes; at least {minimum} are required")]
    SecretTooShort {
        /// Its length.
        bytes: usize,
        /// The minimum.
        minimum: usize,
    },
    /// A prime up to 701 divides the modulus, so it is not the product of two large primes
    /// ([NIST SP 800-89](https://doi.org/10.6028/NIST.SP.800-89) section 5.3.3).
    #[error("the RSA modulus has a small prime factor, so it can be factored: make a new key")]
    #[cfg(feature = "rsa-verify")]
    SmallFactor,
    /// The primes of the RSA private key have different lengths, e.g. 1088 and 960 bits. The backend in Rust and graviola do not
    /// support such a key; AWS-LC does.
    #[error(
        "the primes of the RSA key have different lengths, which this backend does not support: sign by aws_lc::signing_key, or make a new key"
    )]
    #[cfg(feature = "rsa-verify")]
    UnequalPrimes,
    /// This crate has no algorithm of this name. Names are compared exactly; `none` is never accepted.
    #[error("not the name of a supported algorithm, such as HS256 or RS256, in capital letters")]
    UnsupportedAlgorithm,
    /// This backend cannot make or use such a key, although another can, or the feature of the algorithm is off.
    #[error(
        "this backend does not support such a key: switch on the feature of its algorithm, or use another backend"
    )]
    UnsupportedByBackend,
    /// The file holds a key of an unsupported type, such as X25519.
    #[error("the key is of a type that is not supported")]
    UnsupportedKeyType,
    /// The algorithm needs another type of key, e.g. HS256 with an RSA key, RS256 with a secret, or ES384 with a key on P-256.
    ///
    /// The text says which algorithms the key is for.
    #[error("{algorithm} needs a key of type {}, but this one is of type {key}{}", .algorithm.key_type(), uses_of(.key))]
    WrongKeyType {
        /// The algorithm.
        algorithm: Algorithm,
        /// The type of the key: `HMAC`, `RSA`, or the name of its curve or ML-DSA parameter set. `key pair` if HMAC was asked of a key with two halves
        /// that are not known, and the algorithm of the public half if the private one is for another.
        key: &'static str,
    },
}

impl KeyError {
    /// Returns a stable name for logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            #[cfg(feature = "rsa-verify")]
            Self::ClosePrimes => "close_primes",
            #[cfg(feature = "graviola")]
            Self::CpuUnsupported => "cpu_unsupported",
            Self::DuplicateKey => "duplicate_key",
            Self::EmptySecret => "empty_secret",
            Self::Entropy => "entropy",
            Self::Exponent => "exponent",
            #[cfg(feature = "key-files")]
            Self::File(mistake) => mistake.code(),
            Self::HexSecret => "hex_secret",
            Self::InvalidBase64 => "invalid_base64",
            Self::InvalidHex => "invalid_hex",
            Self::InvalidKeyId => "invalid_key_id",
            Self::InvalidPoint => "invalid_point",
            #[cfg(feature = "key-files")]
            Self::Jwk(error) => error.code(),
            Self::MalformedKey => "malformed_key",
            Self::ModulusTooLarge { .. } => "modulus_too_large",
            Self::ModulusTooSmall { .. } => "modulus_too_small",
            Self::NotASecret { .. } => "not_a_secret",
            #[cfg(feature = "rsa-verify")]
            Self::RestrictedKey { .. } => "restricted_key",
            #[cfg(feature = "rsa-verify")]
            Self::Roca => "roca",
            Self::SecretTooLong { .. } => "secret_too_long",
            Self::SecretTooShort { .. } => "secret_too_short",
            #[cfg(feature = "rsa-verify")]
            Self::SmallFactor => "small_factor",
            #[cfg(feature = "rsa-verify")]
            Self::UnequalPrimes => "unequal_primes",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::UnsupportedByBackend => "unsupported_by_backend",
            Self::UnsupportedKeyType => "unsupported_key_type",
            Self::WrongKeyType { .. } => "wrong_key_type",
        }
    }
}

/// Names the algorithms for keys of a type, after a colon. Writes nothing for an unknown type.
fn uses_of(key_type: &str) -> impl fmt::Display {
    struct Uses<'a>(&'a str);

    impl fmt::Display for Uses<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            let fit = algorithm::ALL.iter().filter(|algorithm| algorithm.key_type() == self.0);
            for (place, algorithm) in fit.enumerate() {
                f.write_str(if place == 0 { ", which is for " } else { ", " })?;
                f.write_str(algorithm.name())?;
            }
            Ok(())
        }
    }
    Uses(key_type)
}

/// A kind of key file that is not an HMAC secret.
///
/// # Examples
///
/// ```
/// use countersign::KeyFile;
///
/// assert_eq!(KeyFile::Jwk.to_string(), "a JSON Web Key");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyFile {
    /// DER: an ASN.1 key or certificate.
    Der,
    /// A JSON Web Key.
    Jwk,
    /// A PEM file.
    Pem,
    /// An OpenSSH public key line.
    Ssh,
    /// An RSA key in the XML of .NET.
    Xml,
}

impl fmt::Display for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Der => "a DER key file",
            Self::Jwk => "a JSON Web Key",
            Self::Pem => "a PEM key file",
            Self::Ssh => "an SSH key",
            Self::Xml => "a key in XML",
        })
    }
}

/// What a file or a text holds in place of the wanted key. The text of each variant says what to do.
///
/// # Examples
///
/// ```
/// use countersign::FileMistake;
///
/// let error = FileMistake::Path.to_string();
/// assert_eq!(error, "this looks like the path of a file: pass what the file holds");
/// ```
#[cfg(feature = "key-files")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FileMistake {
    /// DER as base64 text, without BEGIN and END lines.
    Base64,
    /// A whole PEM text, encoded as base64 once more.
    Base64OfPem,
    /// Something other than base64 between the BEGIN and the END line.
    BrokenBase64,
    /// A certificate that is not well-formed.
    BrokenCertificate,
    /// A certificate, but a key is needed.
    Certificate,
    /// A certificate request, which is not a certificate yet.
    CertificateRequest,
    /// Nothing.
    Empty,
    /// A private key that is encrypted with a passphrase.
    Encrypted,
    /// PEM with a backslash and an `n` in place of each line break, as often in environment variables and JSON files.
    EscapedLineBreaks,
    /// A key on an elliptic curve that the file describes by its numbers and not by its name.
    ExplicitCurve,
    /// An ML-DSA private key in its expanded form, without its seed.
    ExpandedKey,
    /// Hex text.
    Hex,
    /// JSON: a JSON Web Key or a set of them.
    Jwk,
    /// PEM with different labels in its BEGIN and its END line.
    LabelMismatch,
    /// PEM without its END line: the text was cut off.
    MissingEnd,
    /// An RSA private key without its public exponent, its primes, or the three numbers computed from them.
    MissingNumbers,
    /// An RSA private key of more than two primes.
    MultiPrime,
    /// A public key or a file of another kind, but a certificate is needed.
    NotACertificate,
    /// A file of another kind: parameters, a revocation list.
    NotAKey,
    /// Text without a BEGIN line.
    NotPem,
    /// An OpenSSH private key, whatever its algorithm.
    OpenSsh,
    /// The path of a file in place of its content.
    Path,
    /// PEM text, but DER is expected.
    Pem,
    /// A PKCS#12 file.
    Pkcs12,
    /// A private key, but the public one is needed.
    PrivateKey,
    /// A public key, but the private one is needed.
    PublicKey,
    /// A key file of PuTTY.
    Putty,
    /// An RSA key with parameters other than NULL.
    RsaParameters,
    /// An RSA key that is for RSASSA-PSS with parameters that no algorithm has. Each of PS256, PS384 and PS512 has one hash, the same
    /// in MGF1, and a salt as long as the hash.
    RsaPss,
    /// PEM text with several certificates.
    SeveralCertificates,
    /// PEM text with several keys.
    SeveralKeys,
    /// An SSH public key.
    SshPublic,
    /// Text in UTF-16, as the `>` of Windows PowerShell writes it.
    Utf16,
    /// An RSA key in the XML of .NET.
    Xml,
}

#[cfg(feature = "key-files")]
impl FileMistake {
    /// Returns a stable name for logs and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Base64 => "base64",
            Self::Base64OfPem => "base64_of_pem",
            Self::BrokenBase64 => "broken_base64",
            Self::BrokenCertificate => "broken_certificate",
            Self::Certificate => "certificate",
            Self::CertificateRequest => "certificate_request",
            Self::Empty => "empty",
            Self::Encrypted => "encrypted",
            Self::EscapedLineBreaks => "escaped_line_breaks",
            Self::ExpandedKey => "expanded_key",
            Self::ExplicitCurve => "explicit_curve",
            Self::Hex => "hex",
            Self::Jwk => "jwk",
            Self::LabelMismatch => "label_mismatch",
            Self::MissingEnd => "missing_end",
            Self::MissingNumbers => "missing_numbers",
            Self::MultiPrime => "multi_prime",
            Self::NotACertificate => "not_a_certificate",
            Self::NotAKey => "not_a_key",
            Self::NotPem => "not_pem",
            Self::OpenSsh => "open_ssh",
            Self::Path => "path",
            Self::Pem => "pem",
            Self::Pkcs12 => "pkcs12",
            Self::PrivateKey => "private_key",
            Self::PublicKey => "public_key",
            Self::Putty => "putty",
            Self::RsaParameters => "rsa_parameters",
            Self::RsaPss => "rsa_pss",
            Self::SeveralCertificates => "several_certificates",
            Self::SeveralKeys => "several_keys",
            Self::SshPublic => "ssh_public",
            Self::Utf16 => "utf16",
            Self::Xml => "xml",
        }
    }
}

#[cfg(feature = "key-files")]
impl fmt::Display for FileMistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Base64 => {
                "this is base64 without BEGIN and END lines: decode it and call from_der, or from_certificate_der for a certificate"
            }
            Self::Base64OfPem => "this is a PEM file encoded as base64: decode it once first",
            Self::BrokenBase64 => "the body of the PEM is not base64",
            Self::BrokenCertificate => "the certificate is not well-formed: fetch it or export it again",
            Self::Certificate if cfg!(feature = "certificate") => {
                "this is a certificate: PublicKey::from_certificate_pem and from_certificate_der read its public key"
            }
            Self::Certificate => {
                "this is a certificate: with the feature `certificate`, PublicKey::from_certificate_pem reads its public key"
            }
            Self::CertificateRequest => {
                "this is a certificate request: pass the certificate that was issued for it, or the public key"
            }
            Self::Empty => "the key file is empty",
            Self::Encrypted => "the private key is encrypted: decrypt it first, with openssl pkey",
            Self::EscapedLineBreaks => "the PEM contains the two characters \\n instead of line breaks: replace them",
            Self::ExplicitCurve => {
                "the file describes its curve by numbers: convert it, with openssl ec -param_enc named_curve, and -pubin for a public key"
            }
            Self::ExpandedKey => "this is an ML-DSA key in its expanded form: export it with its seed",
            Self::Hex => {
                "this is hex: decode it and call from_der, or from_certificate_der for a certificate"
            }
            Self::Jwk => "this is a JSON Web Key: call from_jwk",
            Self::LabelMismatch => "the labels of the BEGIN and the END line of the PEM differ",
            Self::MissingEnd => "the END line of the PEM is missing",
            Self::MissingNumbers => {
                "the RSA private key lacks numbers: e, d, p, q, d mod p-1, d mod q-1 and 1/q mod p are needed"
            }
            Self::MultiPrime => "the RSA private key has more than two primes, which is not supported",
            Self::NotACertificate => {
                "this is not a certificate: if it is a public key, call from_pem or from_der"
            }
            Self::NotAKey => "this is not a key",
            Self::NotPem => "the BEGIN line is missing, so this is not PEM",
            // OpenSSH 10.0 leaves a key of Ed25519 as it is and reports success; 10.6 converts it.
            Self::OpenSsh => "this is an OpenSSH key: convert it with ssh-keygen -p -m PKCS8, for Ed25519 with a version after 10.0",
            Self::Path => "this looks like the path of a file: pass what the file holds",
            Self::Pem => "this is PEM text: call from_pem, or from_certificate_pem for a certificate",
            Self::Pkcs12 => "this is a PKCS#12 file: openssl pkcs12 -nodes prints the key and the certificates in it",
            Self::PrivateKey => "this is a private key: a verifier needs the public one",
            Self::PublicKey => "this is a public key: a signer needs the private one",
            Self::Putty => "this is a key of PuTTY: export it with puttygen -O private-openssh",
            Self::RsaParameters => {
                "the algorithm of the RSA key has parameters: only NULL or none are allowed"
            }
            Self::RsaPss => "the parameters of this RSA-PSS key allow none of PS256, PS384 and PS512",
            Self::SeveralCertificates => {
                "there are several certificates in the PEM: keep only one, for a chain usually the first"
            }
            Self::SeveralKeys => "there are several keys in the PEM: keep only one",
            // OpenSSH 10.6 still converts no public key of Ed25519.
            Self::SshPublic => {
                "this is an SSH public key: convert it with ssh-keygen -e -m PKCS8, or for Ed25519 make it from the private key with openssl pkey -pubout"
            }
            Self::Utf16 => "the text is UTF-16: save it as UTF-8",
            Self::Xml => "this is an RSA key in XML: export it as PEM, in .NET with ExportSubjectPublicKeyInfoPem",
        })
    }
}

/// Why signing failed. The claims and the key are unchanged.
///
/// # Examples
///
/// ```
/// use countersign::{Claims, HmacKey, SecretBytes, SignError, UnixTime};
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// let moment = UnixTime::from_secs(1_700_000_000);
/// let error = Claims::registered().issued_at(moment).expires_at(moment).sign(&key).unwrap_err();
/// assert_eq!(error, SignError::ContradictoryTimes);
/// assert_eq!(error.code(), "contradictory_times");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignError {
    /// The claims type is not a struct or a map with text keys, so it does not make a JSON object.
    #[error("claims do not make a JSON object")]
    ClaimsNotAnObject,
    /// `exp` is not after `iat` or `nbf`, in whole seconds, so the token would never be valid.
    #[error("the token would expire before it is valid")]
    ContradictoryTimes,
    /// A claim would occur twice in the token: set in the builder and in the claims type, or twice in the type.
    #[error("claim {claim} would occur twice: in the builder and in the claims type, or twice in the type")]
    DuplicateClaim {
        /// The claim.
        claim: Cow<'static, str>,
    },
    /// The source of randomness failed.
    #[error("the source of randomness failed")]
    Entropy,
    /// More header parameters were set than a verifier accepts.
    #[error("more than {limit} header parameters were set")]
    TooManyHeaderParameters {
        /// The maximum.
        limit: usize,
    },
    /// The header parameter is set already, or a method writes it, as [`Payload::unencoded`](crate::jws::Payload::unencoded)
    /// writes `crit` and `b64`.
    #[error("header parameter {name:?} cannot be set here, or is set already")]
    HeaderParameterTaken {
        /// Its name.
        name: Box<str>,
    },
    /// No verifier would accept the header: `typ` or `cty` is empty or longer than 1 KiB.
    #[error("header parameter {name} must have 1 to 1024 bytes")]
    InvalidHeader {
        /// The parameter.
        name: &'static str,
    },
    /// The claims type holds a registered claim of the wrong type, or a time beyond 2^53 s.
    /// [The page on types](crate::manual::types) says how each type is written.
    #[error("{}{}", malformed(claim, *.found), way_out(claim, *.found))]
    MalformedClaim {
        /// The claim.
        claim: &'static str,
        /// What the claim is instead, if known, e.g. `a number`.
        found: Option<&'static str>,
    },
    /// The bytes passed in are not an ECDSA signature in strict DER.
    #[error(
        "not an ECDSA signature in strict DER: for r and s in one fixed form, call Signature::from_bytes"
    )]
    #[cfg(feature = "key-files")]
    MalformedSignature,
    /// Neither an expiry was set nor `never_expires()` called.
    #[error("no expiry was set: call expires_in, expires_at or never_expires")]
    MissingExpiration,
    /// `expires_in` needs a start time: call `issued_at`, or use the feature `std`.
    #[error("expires_in needs issued_at on a platform without a clock")]
    NoClock,
    /// The algorithm of a signature in DER is not ECDSA.
    #[error("{algorithm} is not ECDSA, and only ECDSA signatures have a form in DER")]
    #[cfg(feature = "key-files")]
    NotEcdsa {
        /// The algorithm.
        algorithm: Algorithm,
    },
    /// The claims type begins a member's name with `$serde_json::private::`, which this crate's verifiers refuse.
    #[error("a claim has a reserved name")]
    ReservedName,
    /// The claims type, or the value of a header parameter, failed to serialise.
    #[error("claims or a header parameter could not be serialised")]
    Serialize,
    /// The signature passed in does not have the length of this algorithm's signatures.
    #[error("{bytes} bytes are not a signature of {algorithm}")]
    SignatureLength {
        /// The algorithm.
        algorithm: Algorithm,
        /// The length of the signature passed in.
        bytes: usize,
    },
    /// A number in the ECDSA signature passed in is zero, or is not below the order of the curve.
    #[error("r or s of the ECDSA signature is zero, or is not below the order of the curve")]
    #[cfg(feature = "key-files")]
    SignatureOutOfRange,
    /// The signature passed in does not verify, or the key failed to sign.
    #[error("signing failed")]
    SigningFailed,
    /// A payload that is not encoded cannot be inside of the message. In the compact form, it may hold the characters from space
    /// to `~`, except for the dot; in the flattened form, it must be UTF-8.
    #[error("the byte at {offset} of the unencoded payload cannot be inside of the message: call detached")]
    UnencodedPayload {
        /// The offset of the first such byte.
        offset: usize,
    },
}

impl SignError {
    /// Returns a stable name for logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ClaimsNotAnObject => "claims_not_an_object",
            Self::ContradictoryTimes => "contradictory_times",
            Self::DuplicateClaim { .. } => "duplicate_claim",
            Self::Entropy => "entropy",
            Self::HeaderParameterTaken { .. } => "header_parameter_taken",
            Self::TooManyHeaderParameters { .. } => "too_many_header_parameters",
            Self::InvalidHeader { .. } => "invalid_header",
            Self::MalformedClaim { .. } => "malformed_claim",
            #[cfg(feature = "key-files")]
            Self::MalformedSignature => "malformed_signature",
            Self::MissingExpiration => "missing_expiration",
            Self::NoClock => "no_clock",
            #[cfg(feature = "key-files")]
            Self::NotEcdsa { .. } => "not_ecdsa",
            Self::ReservedName => "reserved_name",
            Self::Serialize => "serialize",
            Self::SignatureLength { .. } => "signature_length",
            #[cfg(feature = "key-files")]
            Self::SignatureOutOfRange => "signature_out_of_range",
            Self::SigningFailed => "signing_failed",
            Self::UnencodedPayload { .. } => "unencoded_payload",
        }
    }
}

/// Why a verifier cannot be built: its policy would check less than it seems to, or refuse everything.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::{HmacKey, PolicyError, SecretBytes, Verifier};
///
/// let hour = Duration::from_secs(3600);
/// let builder = Verifier::builder(HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?).accept_any_issuer().no_audience();
/// let error = builder.clone().leeway(hour).build().unwrap_err();
/// assert_eq!(error, PolicyError::LeewayAboveLimit { seconds: 3600, cap: 300 });
/// assert!(builder.leeway_beyond_limit(hour).build().is_ok());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// Neither `audience`, `no_audience` nor `accept_any_audience` was called.
    #[error("decide on the audience: audience, no_audience or accept_any_audience")]
    AudienceUndecided,
    /// Two settings exclude each other.
    #[error("{first} and {second} exclude each other")]
    Contradiction {
        /// The first setting.
        first: &'static str,
        /// The second setting.
        second: &'static str,
    },
    /// An expected value is empty. It would switch a check off.
    #[error("{setting} is empty")]
    Empty {
        /// The setting.
        setting: &'static str,
    },
    /// The template of an issuer cannot be used. It needs one name in braces, after the host.
    #[error("issuer template {template:?} {problem}")]
    IssuerTemplate {
        /// The template.
        template: Box<str>,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// None of `issuer`, `issuer_template` and `accept_any_issuer` was called.
    #[error("decide on the issuer: issuer, issuer_template or accept_any_issuer")]
    IssuerUndecided,
    /// The leeway is above the cap of 5 minutes; `leeway_beyond_limit` allows more.
    #[error("a leeway of {seconds} s is above the cap of {cap} s: leeway_beyond_limit allows it")]
    LeewayAboveLimit {
        /// The leeway in seconds.
        seconds: u64,
        /// The cap in seconds.
        cap: u64,
    },
    /// A cache of verified tokens cannot notice that a key was removed, because the source of the keys has no generation.
    #[error("the source of the keys does not say when keys are removed: implement KeySource::generation")]
    #[cfg(feature = "cache")]
    NoGeneration,
    /// More than 64 names are required.
    #[error("more than {limit} claims are required")]
    TooManyRequired {
        /// The maximum.
        limit: usize,
    },
    /// The name cannot be a critical extension: the standards define it, or it is `b64`, which a JWT must not use
    /// ([RFC 7797 section 7](https://www.rfc-editor.org/rfc/rfc7797#section-7)).
    #[error("{name:?} cannot be a critical extension")]
    UnusableExtension {
        /// The name.
        name: Box<str>,
    },
}

impl PolicyError {
    /// Returns a stable name for logs and metrics.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::AudienceUndecided => "audience_undecided",
            Self::Contradiction { .. } => "contradiction",
            Self::Empty { .. } => "empty",
            Self::IssuerTemplate { .. } => "issuer_template",
            Self::IssuerUndecided => "issuer_undecided",
            Self::LeewayAboveLimit { .. } => "leeway_above_limit",
            #[cfg(feature = "cache")]
            Self::NoGeneration => "no_generation",
            Self::TooManyRequired { .. } => "too_many_required",
            Self::UnusableExtension { .. } => "unusable_extension",
        }
    }
}

/// Why a [`VerifyKey`](crate::VerifyKey) does not accept a signature.
///
/// # Examples
///
/// ```
/// use countersign::{HmacKey, SecretBytes, SignatureError, VerifyKey};
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// assert_eq!(key.verify_bytes(b"input", b"no signature"), Err(SignatureError::Invalid));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// The key did not make this signature over these bytes.
    #[error("signature is invalid")]
    Invalid,
    /// The key is remote and could not be reached.
    #[error("key is not available")]
    KeyUnavailable,
}

/// The failure of a source of randomness.
///
/// # Examples
///
/// ```
/// use countersign::{Algorithm, Entropy, EntropyError, HmacKey, KeyError};
///
/// struct Empty;
///
/// impl Entropy for Empty {
///     fn fill(&self, _: &mut [u8]) -> Result<(), EntropyError> {
///         Err(EntropyError::new())
///     }
/// }
///
/// assert_eq!(HmacKey::generate_with(Algorithm::Hs256, &Empty).unwrap_err(), KeyError::Entropy);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Error)]
#[error("no randomness available")]
#[non_exhaustive]
pub struct EntropyError;

impl EntropyError {
    /// Creates the error, for your own [`Entropy`](crate::Entropy) to return.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl From<EntropyError> for KeyError {
    fn from(_: EntropyError) -> Self {
        Self::Entropy
    }
}

impl From<EntropyError> for SignError {
    fn from(_: EntropyError) -> Self {
        Self::Entropy
    }
}
