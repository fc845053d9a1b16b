//! Claims ([RFC 7519 section 4](https://www.rfc-editor.org/rfc/rfc7519#section-4)): the registered claims and the claims of the
//! caller's type, in one JSON object.

pub(crate) mod captured;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod watch;

use crate::error::{SignError, VerifyError};
use crate::header::OwnParameters;
use crate::json::{Resolved, Text};
use crate::numeric_date::NumericDate;
use crate::time::UnixTime;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeSeq, Serializer};

/// Claims to be signed: a builder for the registered claims, with your own type `T` for the other claims.
///
/// `T` is a struct or a map. Its members are written next to the registered claims in one object. `T` may contain registered
/// claims itself. A claim that is set in the builder *and* in `T` is an error, and so is any other name that would occur twice.
/// A registered claim of `T` that is `None` is left out.
///
/// You have to decide when the token expires: without a call of [`expires_in`](Self::expires_in),
/// [`expires_at`](Self::expires_at) or [`never_expires`](Self::never_expires), signing fails. If a setter is called twice, the
/// last call wins. The exception is [`audience`](Self::audience), which adds an entry.
///
/// `Claims` is only for writing. A verified token is a [`Token`](crate::Token). You can name your own struct `Claims` too, and
/// then write `countersign::Claims` for this one.
///
/// Times are in seconds. Some languages count milliseconds: such a number is tens of thousands of years in the future.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::{Claims, HmacKey, SecretBytes, UnixTime, Unverified};
///
/// #[derive(serde::Serialize)]
/// struct User { name: String, admin: bool }
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// let text = Claims::new(User { name: "Ann".into(), admin: true })
///     .issuer("https://auth.example")
///     .audience("https://api.example")
///     .issued_at(UnixTime::from_secs(1_700_000_000)) // the default is now
///     .expires_in(Duration::from_secs(15 * 60))
///     .sign(&key)?;
/// let payload: serde_json::Value = serde_json::from_slice(&Unverified::parse(&text)?.unverified_payload()?)?;
/// assert_eq!(payload, serde_json::json!({
///     "iss": "https://auth.example", "aud": "https://api.example", "iat": 1_700_000_000, "exp": 1_700_000_900,
///     "name": "Ann", "admin": true,
/// }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "claims do nothing until they are signed"]
pub struct Claims<T = ()> {
    claims: T,
    issuer: Option<String>,
    subject: Option<String>,
    audience: Vec<String>,
    expiry: Expiry,
    not_before: Option<UnixTime>,
    issued_at: Option<UnixTime>,
    jwt_id: Option<String>,
    typ: Option<String>,
    content_type: Option<String>,
    header: OwnParameters,
}

/// When a token expires.
#[derive(Clone, Copy)]
enum Expiry {
    Unset,
    Never,
    At(UnixTime),
    In(Duration),
}

impl Claims<()> {
    /// Starts a builder that has only registered claims.
    pub const fn registered() -> Self {
        Self::new(())
    }
}

impl<T> Claims<T> {
    /// Starts a builder with the members of `claims`.
    pub const fn new(claims: T) -> Self {
        Self {
            claims,
            issuer: None,
            subject: None,
            audience: Vec::new(),
            expiry: Expiry::Unset,
            not_before: None,
            issued_at: None,
            jwt_id: None,
            typ: None,
            content_type: None,
            header: OwnParameters::new(),
        }
    }

    /// Sets `iss`: the party that signs, usually as a URL.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Sets `sub`: the party that the claims are about. The issuer must not give the same name to another party.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// Adds an entry to `aud`: a party that may accept the token. One entry is written as a string, several as an array.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience.push(audience.into());
        self
    }

    /// Sets `exp` and `iat`: the token is issued now, or at the time of [`issued_at`](Self::issued_at), and expires this much
    /// later. Fractions of a second are cut off.
    ///
    /// A verifier whose clock is behind by more than its leeway may refuse the `iat` of now. [`expires_at`](Self::expires_at) writes
    /// no `iat`.
    pub const fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expiry = Expiry::In(lifetime);
        self
    }

    /// Sets `exp`: the moment from which the token is refused.
    pub const fn expires_at(mut self, moment: UnixTime) -> Self {
        self.expiry = Expiry::At(moment);
        self
    }

    /// Writes no `exp`.
    ///
    /// # Security
    ///
    /// Such a token is valid until its key is removed. A verifier accepts it only with
    /// [`allow_missing_expiration`](crate::VerifierBuilder::allow_missing_expiration).
    pub const fn never_expires(mut self) -> Self {
        self.expiry = Expiry::Never;
        self
    }

    /// Sets `nbf`: the moment before which the token is refused.
    pub const fn not_before(mut self, moment: UnixTime) -> Self {
        self.not_before = Some(moment);
        self
    }

    /// Sets `iat`: the moment when the token is issued.
    pub const fn issued_at(mut self, moment: UnixTime) -> Self {
        self.issued_at = Some(moment);
        self
    }

    /// Sets `jti`: the unique id of this token, so that the token can be denied.
    pub fn jwt_id(mut self, id: impl Into<String>) -> Self {
        self.jwt_id = Some(id.into());
        self
    }

    /// Sets the header's `typ`, e.g. `at+jwt`, for verifiers that require one. The default is `JWT`. Some servers refuse any other,
    /// e.g. Dovecot 2.3 and Slurm: see [the page on servers](crate::manual::servers).
    pub fn typ(mut self, typ: impl Into<String>) -> Self {
        self.typ = Some(typ.into());
        self
    }

    /// Sets the header's `cty`: the media type of the payload. Most tokens do not need it.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Adds another header parameter, with any value that serialises as JSON. It is for parameters that issuer and recipient
    /// have agreed on, such as `x5t#S256` or `nonce`. A [`Verifier`](crate::Verifier) never takes a key from it.
    ///
    /// # Errors
    ///
    /// - [`SignError::HeaderParameterTaken`] for `alg`, `kid`, `typ`, `cty`, `crit` and `b64`, and for a name that was added
    ///   before.
    /// - [`SignError::TooManyHeaderParameters`] for more than 60 parameters.
    /// - [`SignError::Serialize`], [`SignError::ReservedName`].
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{Claims, HmacKey, SecretBytes, UnixTime, Verifier};
    ///
    /// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// let text = Claims::registered().never_expires().header_parameter("nonce", "n-0S6_WzA2Mj")?.sign(&key)?;
    ///
    /// let verifier = Verifier::builder(key).accept_any_issuer().no_audience().allow_missing_expiration().build()?;
    /// let token = verifier.at(UnixTime::from_secs(0)).verify::<()>(&text)?;
    /// assert_eq!(token.header().json(), r#"{"alg":"HS256","typ":"JWT","nonce":"n-0S6_WzA2Mj"}"#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn header_parameter(
        mut self,
        name: &str,
        value: &(impl Serialize + ?Sized),
    ) -> Result<Self, SignError> {
        self.header.insert(name, value)?;
        Ok(self)
    }
}

impl<T> fmt::Debug for Claims<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims").finish_non_exhaustive()
    }
}

/// The name of a registered claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Name {
    Iss,
    Sub,
    Aud,
    Exp,
    Nbf,
    Iat,
    Jti,
}

impl Name {
    #[inline]
    pub(crate) fn of(name: &str) -> Option<Self> {
        // All have three letters, so one comparison of lengths excludes most other names.
        Some(match &<[u8; 3]>::try_from(name.as_bytes()).ok()? {
            b"iss" => Self::Iss,
            b"sub" => Self::Sub,
            b"aud" => Self::Aud,
            b"exp" => Self::Exp,
            b"nbf" => Self::Nbf,
            b"iat" => Self::Iat,
            b"jti" => Self::Jti,
            _ => return None,
        })
    }

    /// Returns the bit of this name in a set of names.
    #[inline]
    pub(crate) const fn bit(self) -> u8 {
        match self {
            Self::Iss => 1,
            Self::Sub => 2,
            Self::Aud => 4,
            Self::Exp => 8,
            Self::Nbf => 16,
            Self::Iat => 32,
            Self::Jti => 64,
        }
    }

    /// Returns the beginning of a member with this name, from the comma before it to the colon.
    #[inline]
    pub(crate) const fn member_start(self) -> &'static [u8; 7] {
        match self {
            Self::Iss => b",\"iss\":",
            Self::Sub => b",\"sub\":",
            Self::Aud => b",\"aud\":",
            Self::Exp => b",\"exp\":",
            Self::Nbf => b",\"nbf\":",
            Self::Iat => b",\"iat\":",
            Self::Jti => b",\"jti\":",
        }
    }

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Iss => "iss",
            Self::Sub => "sub",
            Self::Aud => "aud",
            Self::Exp => "exp",
            Self::Nbf => "nbf",
            Self::Iat => "iat",
            Self::Jti => "jti",
        }
    }
}

/// The registered claims of a payload.
#[derive(Clone, Debug, Default)]
pub(crate) struct Registered {
    pub(crate) iss: Option<Text>,
    pub(crate) sub: Option<Text>,
    pub(crate) jti: Option<Text>,
    pub(crate) aud: Option<Audiences>,
    pub(crate) exp: Option<NumericDate>,
    pub(crate) nbf: Option<NumericDate>,
    pub(crate) iat: Option<NumericDate>,
    /// Which of the required names were found: one bit for each name, in the order of the verifier.
    pub(crate) required_met: u64,
    /// The claims that [`ClaimedIssuers`] noted: a number for each name, and its value if that is text.
    pub(crate) noted: Vec<(usize, Option<Text>)>,
    /// Texts that have escapes in the payload.
    pub(crate) resolved: Resolved,
}

#[cfg(feature = "cache")]
impl Registered {
    /// Returns how many bytes it has on the heap.
    pub(crate) fn heap(&self) -> usize {
        let audiences = self.aud.as_ref().map_or(0, |audiences| audiences.spilled.capacity());
        let noted = self.noted.capacity().saturating_mul(size_of::<(usize, Option<Text>)>());
        let audiences = audiences.saturating_mul(size_of::<Text>());
        audiences.saturating_add(noted).saturating_add(self.resolved.heap())
    }
}

/// Issuers that hold another claim of the token. A trait, so that only programs that use it contain its code.
pub(crate) trait ClaimedIssuers: fmt::Debug + Send + Sync {
    /// Notes the value of this member of `payload` in `registered` if an issuer depends on it.
    fn note(&self, name: &str, payload: &str, registered: &mut Registered);

    /// Checks that `issuer` is one of them, by the claims in `registered`.
    fn check(&self, issuer: &str, payload: &str, registered: &Registered) -> Result<(), VerifyError>;
}

/// How many audiences are kept without an allocation. Tokens with more than a few audiences are rare.
const INLINE_AUDIENCES: usize = 4;

/// The entries of `aud`, and whether `aud` was an array.
#[derive(Clone, Debug, Default)]
pub(crate) struct Audiences {
    inline: [Option<Text>; INLINE_AUDIENCES],
    used: usize,
    spilled: Vec<Text>,
    pub(crate) array: bool,
}

impl Audiences {
    #[inline]
    pub(crate) fn push(&mut self, text: Text) {
        match self.inline.get_mut(self.used) {
            Some(slot) => {
                *slot = Some(text);
                self.used = self.used.saturating_add(1);
            }
            None => self.spilled.push(text),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.used.saturating_add(self.spilled.len())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Text> + Clone {
        self.inline.iter().flatten().chain(&self.spilled).copied()
    }
}

/// A field type for `aud` in your own claims struct. It reads a string or an array of strings.
///
/// # Examples
///
/// ```
/// use countersign::Audience;
///
/// let audience: Audience = serde_json::from_str(r#"["api", "web"]"#)?;
/// assert!(audience.contains("web"));
/// assert_eq!(serde_json::to_string(&Audience::from("api"))?, r#""api""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Audience(Vec<String>);

impl Audience {
    /// Returns whether `name` is an entry. Compares exactly.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|entry| entry == name)
    }

    /// Iterates over the entries.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Returns the number of entries.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Returns whether there are no entries.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<String>> for Audience {
    fn from(names: Vec<String>) -> Self {
        Self(names)
    }
}

impl From<&str> for Audience {
    fn from(name: &str) -> Self {
        Self::from(String::from(name))
    }
}

impl From<String> for Audience {
    fn from(name: String) -> Self {
        Self(Vec::from([name]))
    }
}

impl<S: Into<String>> FromIterator<S> for Audience {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }
}

impl Serialize for Audience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_audience(&self.0, serializer)
    }
}

/// Writes one entry as a string, and any other number of entries as an array.
fn serialize_audience<S: Serializer>(names: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    if let [name] = names {
        return serializer.serialize_str(name);
    }
    let mut sequence = serializer.serialize_seq(Some(names.len()))?;
    for name in names {
        sequence.serialize_element(name)?;
    }
    sequence.end()
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMany;

        impl<'de> Visitor<'de> for OneOrMany {
            type Value = Audience;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or an array of strings")
            }

            fn visit_str<E>(self, name: &str) -> Result<Audience, E> {
                Ok(Audience::from(name))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Audience, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = sequence.next_element()? {
                    names.push(name);
                }
                Ok(Audience(names))
            }
        }

        deserializer.deserialize_any(OneOrMany)
    }
}
