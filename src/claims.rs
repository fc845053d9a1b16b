//! Claims ([RFC 7519 section 4](https://www.rfc-editor.org/rfc/rfc7519#section-4)): the registered ones, and a
//! type of the caller's beside them in one JSON object.

pub(crate) mod captured;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod watch;

use crate::error::SignError;
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

/// Claims to be signed: a builder for the registered ones around a `T` of yours for the rest.
///
/// `T` is a struct or a map: its members stand beside the registered claims in one object. It may hold
/// registered claims itself; one that is set in the builder *and* in `T` is an error, as is any name that would occur
/// twice. A registered claim of `T` that is `None` is left out.
///
/// A token must expire: without [`expires_in`](Self::expires_in), [`expires_at`](Self::expires_at) or
/// [`never_expires`](Self::never_expires) it is not signed. If a setter is called twice, the last
/// call wins, except [`audience`](Self::audience), which adds.
///
/// `Claims` is for writing only. What was verified is a [`Token`](crate::Token). A struct of yours may be called
/// `Claims` too: this one is then `countersign::Claims`.
///
/// Times are in seconds. Those in milliseconds, as some languages count them, lie tens of thousands of years ahead.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::{Claims, HmacKey, SecretBytes};
///
/// #[derive(serde::Serialize)]
/// struct User { name: String, admin: bool }
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// let token = Claims::new(User { name: "Ann".into(), admin: true })
///     .issuer("https://auth.example")
///     .subject("user123")
///     .audience("https://api.example")
///     .expires_in(Duration::from_secs(15 * 60))
///     .sign(&key)?;
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

/// When a token ends.
#[derive(Clone, Copy)]
enum Expiry {
    Unset,
    Never,
    At(UnixTime),
    In(Duration),
}

impl Claims<()> {
    /// No claims but the registered ones.
    pub const fn registered() -> Self {
        Self::new(())
    }
}

impl<T> Claims<T> {
    /// Claims with the members of `claims`.
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

    /// `iss`: who signs, usually a URL.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// `sub`: whom the claims are about, under a name that the issuer never gives to another.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.subject = Some(subject.into());
        self
    }

    /// `aud`: who may accept the token. Each call adds one; one is written as a string, more as an array.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience.push(audience.into());
        self
    }

    /// `exp` and `iat`: the token is issued now, or when [`issued_at`](Self::issued_at) says, and ends this much
    /// later. Fractions of a second are cut off.
    pub const fn expires_in(mut self, lifetime: Duration) -> Self {
        self.expiry = Expiry::In(lifetime);
        self
    }

    /// `exp`: the moment from which the token is refused.
    pub const fn expires_at(mut self, moment: UnixTime) -> Self {
        self.expiry = Expiry::At(moment);
        self
    }

    /// No `exp` at all.
    ///
    /// # Security
    ///
    /// Such a token is good until its key is gone. A verifier takes it only with
    /// [`allow_missing_expiration`](crate::VerifierBuilder::allow_missing_expiration).
    pub const fn never_expires(mut self) -> Self {
        self.expiry = Expiry::Never;
        self
    }

    /// `nbf`: the moment before which the token is refused.
    pub const fn not_before(mut self, moment: UnixTime) -> Self {
        self.not_before = Some(moment);
        self
    }

    /// `iat`: when the token is issued.
    pub const fn issued_at(mut self, moment: UnixTime) -> Self {
        self.issued_at = Some(moment);
        self
    }

    /// `jti`: a name of this one token, never given to another, so that it can be denied.
    pub fn jwt_id(mut self, id: impl Into<String>) -> Self {
        self.jwt_id = Some(id.into());
        self
    }

    /// The header's `typ`, e.g. `at+jwt`, for verifiers that ask for one. `JWT` if not called.
    pub fn typ(mut self, typ: impl Into<String>) -> Self {
        self.typ = Some(typ.into());
        self
    }

    /// The header's `cty`: what the claims are, if they are another token, or nothing usual.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Another header parameter, with any value that serialises as JSON. For issuers' and recipients' agreements such as
    /// `x5t#S256` or `nonce`. No verifier of this crate takes a key from it.
    ///
    /// # Errors
    ///
    /// - [`SignError::HeaderParameterTaken`] for `alg`, `kid`, `typ`, `cty`, `crit` and `b64`, and for a name given before.
    /// - [`SignError::TooManyHeaderParameters`] after 60.
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

/// The registered claims.
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
        // All have three letters: one comparison of lengths rules most other names out.
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

    /// A bit of its own in a set of names.
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

    /// What a member of this name begins with, from the comma before it to the colon.
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
    /// Which of the names that the verifier requires were met: a bit each, in its order.
    pub(crate) required_met: u64,
    /// Texts that the payload does not hold as such.
    pub(crate) resolved: Resolved,
}

/// How many audiences are kept without an allocation; tokens for more than a few are rare.
const INLINE_AUDIENCES: usize = 4;

/// The entries of `aud`, and whether they stood in an array.
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

/// An `aud` for a claims struct of your own: a string or an array of strings, whichever the token has.
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
    /// Whether `name` is an entry, compared exactly.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.0.iter().any(|entry| entry == name)
    }

    /// The entries.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// How many entries there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
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

/// One entry as a string, any other number as an array.
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
