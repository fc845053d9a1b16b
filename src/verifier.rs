//! The one call that turns a text into a [`Token`].

use crate::claims::Registered;
use crate::claims::decode::{Rules, decode, mismatch};
use crate::error::{Part, PolicyError, VerifyError};
use crate::header::{Header, HeaderFields};
use crate::json;
use crate::jws::compact::{Gate, Opened, decode_payload};
use crate::jws::{HeaderRules, TypRule};
use crate::keyset::Keys;
use crate::limits::Limits;
use crate::numeric_date::NumericDate;
use crate::policy::{Draft, FutureIssuedAt, MissingExpiration, NumericSubject, Policy, exclude};
use crate::time::UnixTime;
use alloc::boxed::Box;
use alloc::string::String;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;
use serde::de::{Deserialize, DeserializeOwned};

/// Checks tokens: signature, header, registered claims, and whether the rest fits your type.
///
/// Built once from keys and a policy, shared by reference; cloning is cheap. Nothing in it changes, so threads never wait
/// for each other.
///
/// What is checked, in this order; the error names the first check that fails: the size and alphabet of the text; the
/// header, strictly, with its `typ` and `crit`; that a trusted key is meant and its algorithm is the header's; the
/// signature; the payload, strictly: UTF-8, JSON, no name twice, every registered claim of the right type; issuer,
/// audience, subject, required claims; `exp` being there; `nbf`, `iat`, `exp`, age; and that the claims fit the type.
///
/// What is not: whether the token was revoked, was seen before, or came from the party it was given to. Two
/// spellings of one token do not exist, but two signatures over one payload may: deny tokens by `jti` or
/// subject, not by their text.
///
/// Times are compared in whole seconds with 30 s of leeway, unless [`leeway`](VerifierBuilder::leeway) says
/// otherwise.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::{Claims, HmacKey, SecretBytes, Verifier};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct User { name: String }
///
/// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// let verifier = Verifier::builder(key.clone())
///     .issuer("https://auth.example")
///     .audience("https://api.example")
///     .build()?;
///
/// let text = Claims::new(User { name: "Ann".into() })
///     .issuer("https://auth.example")
///     .audience("https://api.example")
///     .expires_in(Duration::from_secs(900))
///     .sign(&key)?;
///
/// let token = verifier.verify::<User>(&text)?;
/// assert_eq!(token.claims().name, "Ann");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Verifier {
    // One pointer, so that a clone costs no more.
    checks: Arc<Checks>,
}

struct Checks {
    gate: Gate,
    policy: Arc<Policy>,
}

impl Verifier {
    /// Starts a verifier that trusts one key, a [`KeySet`](crate::KeySet), or a source of your own.
    pub fn builder(keys: impl Into<Keys>) -> VerifierBuilder {
        VerifierBuilder {
            keys: keys.into(),
            draft: Draft::default(),
            types: Vec::new(),
            any_typ: false,
            understood: Vec::new(),
            limits: Limits::new(),
        }
    }

    /// The same policy with other keys, for rotation: build it beside the old one and swap them.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{HmacKey, KeySet, SecretBytes, Verifier};
    ///
    /// let mut keys = KeySet::new();
    /// keys.insert(HmacKey::hs256(&SecretBytes::from_bytes([1; 32]))?.with_key_id("2025")?)?;
    /// let verifier = Verifier::builder(keys.clone()).issuer("me").no_audience().build()?;
    ///
    /// keys.insert(HmacKey::hs256(&SecretBytes::from_bytes([2; 32]))?.with_key_id("2026")?)?;
    /// let verifier = verifier.with_keys(keys);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_keys(&self, keys: impl Into<Keys>) -> Self {
        Self::new(self.checks.gate.with_keys(keys.into()), self.checks.policy.clone())
    }

    /// The same checks at the time `now`, in place of the wall clock: in tests, and where there is no clock.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{Claims, HmacKey, SecretBytes, UnixTime, Verifier};
    ///
    /// let moment = UnixTime::from_secs(1_700_000_000);
    /// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// let text = Claims::registered().expires_at(moment).sign(&key)?;
    /// let verifier = Verifier::builder(key).accept_any_issuer().no_audience().build()?;
    ///
    /// assert!(verifier.at(UnixTime::from_secs(1_699_999_999)).verify::<()>(&text).is_ok());
    /// // 30 seconds of leeway.
    /// let error = verifier.at(UnixTime::from_secs(1_700_000_030)).verify::<()>(&text).unwrap_err();
    /// assert!(error.is_expired());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn at(&self, now: UnixTime) -> VerifierAt<'_> {
        VerifierAt { verifier: self, now }
    }

    /// Checks a token against the wall clock.
    ///
    /// `text` is the token and nothing else: no `Bearer ` before it, no line break after it.
    ///
    /// `T` may be a struct, a map or a JSON value, or `()` where the registered claims are enough. A struct that
    /// has fields for registered claims gets them too; `deny_unknown_fields` applies to the others only. A map, a JSON value,
    /// a struct with `flatten` and an internally tagged enum see all claims. A sequence or an externally tagged enum is not a
    /// set of claims.
    ///
    /// # Errors
    ///
    /// See [`VerifyError`]; it names the first check that failed. Nothing of a refused token can be reached.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub fn verify<T: DeserializeOwned>(&self, text: &str) -> Result<Token<T>, VerifyError> {
        self.run(text, UnixTime::now)
    }

    /// Checks a token against the wall clock, into a `T` that may borrow from `buffer`.
    ///
    /// Once the buffer has grown to the size of the tokens, nothing is allocated but what `T` itself does, with an HS256
    /// key that knows the header. Rare tokens take more: those with more than four audiences or 32 private claims, and
    /// with escapes in registered claims.
    ///
    /// # Errors
    ///
    /// As [`verify`](Self::verify).
    ///
    /// # Examples
    ///
    /// ```
    /// # use core::time::Duration;
    /// # use countersign::{Claims, HmacKey, SecretBytes, Verifier};
    /// use countersign::Buffer;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct User<'a> { name: &'a str }
    ///
    /// # let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// # let verifier = Verifier::builder(key.clone()).accept_any_issuer().no_audience().build()?;
    /// # let claims = std::collections::BTreeMap::from([("name", "Ann")]);
    /// # let text = Claims::new(claims).expires_in(Duration::from_secs(900)).sign(&key)?;
    /// let mut buffer = Buffer::new();
    /// let token = verifier.verify_in::<User>(&mut buffer, &text)?;
    /// assert_eq!(token.claims().name, "Ann");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub fn verify_in<'b, T: Deserialize<'b>>(
        &self,
        buffer: &'b mut Buffer,
        text: &str,
    ) -> Result<BorrowedToken<'b, T>, VerifyError> {
        self.run_in(buffer, text, UnixTime::now)
    }

    /// How far clocks may disagree: what was set by [`VerifierBuilder::leeway`] or [`VerifierBuilder::leeway_beyond_limit`], or
    /// 30 seconds. A list of revoked tokens has to keep each one for this long after its `exp`.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use countersign::{HmacKey, SecretBytes, Verifier};
    ///
    /// let builder = Verifier::builder(HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?).issuer("me").no_audience();
    /// assert_eq!(builder.clone().build()?.leeway(), Duration::from_secs(30));
    /// assert_eq!(builder.leeway(Duration::from_secs(5)).build()?.leeway(), Duration::from_secs(5));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn leeway(&self) -> Duration {
        self.checks.policy.leeway()
    }

    fn new(gate: Gate, policy: Arc<Policy>) -> Self {
        Self { checks: Arc::new(Checks { gate, policy }) }
    }

    fn run<T: DeserializeOwned>(
        &self,
        text: &str,
        clock: impl FnOnce() -> UnixTime,
    ) -> Result<Token<T>, VerifyError> {
        let opened = self.checks.gate.open(text)?;
        // One allocation for what the token keeps: the payload, followed by the header.
        let room = opened.payload.len().saturating_add(opened.header_json.len());
        let (text, payload_length) =
            decode_body(Vec::with_capacity(room), &opened).map_err(|(error, _)| error)?;
        let mut body = Body::new(text, payload_length, opened.header.into_owned());
        let payload = body.text.get(..payload_length).unwrap_or_default();
        let claims = self.read(payload, clock(), &mut body.registered)?;
        Ok(Token { claims, body })
    }

    fn run_in<'b, T: Deserialize<'b>>(
        &self,
        buffer: &'b mut Buffer,
        text: &str,
        clock: impl FnOnce() -> UnixTime,
    ) -> Result<BorrowedToken<'b, T>, VerifyError> {
        let opened = self.checks.gate.open(text)?;
        let mut room = core::mem::take(&mut buffer.0).into_bytes();
        room.clear();
        let payload_length;
        (buffer.0, payload_length) = match decode_body(room, &opened) {
            Ok(decoded) => decoded,
            Err((error, room)) => {
                // Keep the allocation for the next token.
                buffer.0 = String::from_utf8(room).unwrap_or_default();
                return Err(error);
            }
        };
        let mut body = Body::new(buffer.0.as_str(), payload_length, opened.header.into_owned());
        let payload = body.text.get(..payload_length).unwrap_or_default();
        let claims = self.read(payload, clock(), &mut body.registered)?;
        Ok(BorrowedToken { claims, body })
    }

    /// Reads the claims and checks them against the policy. A payload that does not fit `T` is reported last, after what is
    /// wrong for every type.
    fn read<'de, T: Deserialize<'de>>(
        &self,
        payload: &'de str,
        now: UnixTime,
        registered: &mut Registered,
    ) -> Result<T, VerifyError> {
        let Checks { gate, policy } = &*self.checks;
        let rules = Rules {
            limits: gate.limits(),
            required: policy.required(),
            numeric_subject: policy.accepts_numeric_subject(),
        };
        let error = match decode::<T>(payload, rules, registered) {
            Ok(claims) => return policy.check(registered, payload, now).map(|()| claims),
            Err(error) => error,
        };
        *registered = Registered::default();
        decode::<()>(payload, rules, registered)?;
        policy.check(registered, payload, now)?;
        Err(mismatch(error))
    }
}

/// A [`Verifier`] at a given time: see [`Verifier::at`].
#[derive(Clone, Copy, Debug)]
pub struct VerifierAt<'v> {
    verifier: &'v Verifier,
    now: UnixTime,
}

impl VerifierAt<'_> {
    /// As [`Verifier::verify`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn verify<T: DeserializeOwned>(self, text: &str) -> Result<Token<T>, VerifyError> {
        self.verifier.run(text, || self.now)
    }

    /// As [`Verifier::verify_in`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn verify_in<'b, T: Deserialize<'b>>(
        self,
        buffer: &'b mut Buffer,
        text: &str,
    ) -> Result<BorrowedToken<'b, T>, VerifyError> {
        self.verifier.run_in(buffer, text, || self.now)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Checks { gate, policy } = &*self.checks;
        f.debug_struct("Verifier").field("gate", gate).field("policy", policy).finish()
    }
}

/// Decodes the payload into `room` and appends the header's JSON. Returns both, and the length of the payload; or an error and
/// the empty `room`.
fn decode_body(
    mut room: Vec<u8>,
    opened: &Opened<'_, '_>,
) -> Result<(String, usize), (VerifyError, Vec<u8>)> {
    if let Err(error) = decode_payload(&mut room, opened.payload) {
        return Err((error, room));
    }
    let length = room.len();
    let mut text = String::from_utf8(room).map_err(|error| {
        let refusal = VerifyError::of_utf8(Part::Payload, error.utf8_error());
        let mut room = error.into_bytes();
        room.clear();
        (refusal, room)
    })?;
    text.push_str(&opened.header_json);
    Ok((text, length))
}

/// Room for a payload that a [`BorrowedToken`] borrows from; made once and used again.
///
/// # Examples
///
/// ```
/// let buffer = countersign::Buffer::with_capacity(1024);
/// ```
#[derive(Default)]
pub struct Buffer(String);

impl Buffer {
    /// A buffer that grows with its first token.
    #[must_use]
    pub const fn new() -> Self {
        Self(String::new())
    }

    /// A buffer for payloads of about `bytes` bytes. If there is no room for as many, it grows with its first token.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        let mut text = String::new();
        // A failed reservation is harmless: the buffer grows on first use.
        let _ = text.try_reserve_exact(bytes);
        Self(text)
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Buffer({} bytes)", self.0.capacity())
    }
}

/// What is known of a verified token besides `T`.
#[derive(Clone)]
struct Body<S> {
    /// The payload and, behind it, the header.
    text: S,
    payload_length: usize,
    header: HeaderFields,
    registered: Registered,
}

impl<S: AsRef<str>> Body<S> {
    fn new(text: S, payload_length: usize, header: HeaderFields) -> Self {
        Self { text, payload_length, header, registered: Registered::default() }
    }

    fn payload(&self) -> &str {
        self.text.as_ref().get(..self.payload_length).unwrap_or_default()
    }

    fn header(&self) -> Header<'_> {
        let json = self.text.as_ref().get(self.payload_length..).unwrap_or_default();
        Header::new(json, &self.header)
    }

    fn text(&self, text: Option<json::Text>) -> Option<&str> {
        text.map(|text| text.of(self.payload(), &self.registered.resolved))
    }
}

/// A token that was verified: proof, and its content.
///
/// Only a [`Verifier`] makes one, so a function that takes `&Token<User>` cannot be called with claims that
/// nobody checked. `Debug` shows none of them.
///
/// # Examples
///
/// ```
/// use countersign::Token;
///
/// #[derive(serde::Deserialize)]
/// struct User { role: String }
///
/// /// Cannot be called with a user that nobody verified.
/// fn may_delete(token: &Token<User>) -> bool {
///     token.claims().role == "admin"
/// }
/// ```
#[derive(Clone)]
pub struct Token<T> {
    claims: T,
    body: Body<String>,
}

/// A [`Token`] whose claims borrow from a [`Buffer`].
#[derive(Clone)]
pub struct BorrowedToken<'b, T> {
    claims: T,
    body: Body<&'b str>,
}

macro_rules! accessors {
    () => {
        /// The claims of your type.
        #[must_use]
        pub const fn claims(&self) -> &T {
            &self.claims
        }

        /// The claims of your type, taken out. By themselves they no longer prove anything.
        #[must_use]
        pub fn into_claims(self) -> T {
            self.claims
        }

        /// `iss`.
        #[must_use]
        pub fn issuer(&self) -> Option<&str> {
            self.body.text(self.body.registered.iss)
        }

        /// `sub`.
        #[must_use]
        pub fn subject(&self) -> Option<&str> {
            self.body.text(self.body.registered.sub)
        }

        /// The entries of `aud`.
        pub fn audience(&self) -> impl Iterator<Item = &str> {
            let entries = self.body.registered.aud.iter().flat_map(|audiences| audiences.iter());
            entries.map(|entry| entry.of(self.body.payload(), &self.body.registered.resolved))
        }

        /// `exp`, a fraction rounded up.
        #[must_use]
        pub fn expires_at(&self) -> Option<UnixTime> {
            self.body.registered.exp.map(NumericDate::time)
        }

        /// `nbf`, a fraction rounded up.
        #[must_use]
        pub fn not_before(&self) -> Option<UnixTime> {
            self.body.registered.nbf.map(NumericDate::time)
        }

        /// `iat`, a fraction rounded up.
        #[must_use]
        pub fn issued_at(&self) -> Option<UnixTime> {
            self.body.registered.iat.map(NumericDate::time)
        }

        /// `jti`.
        #[must_use]
        pub fn jwt_id(&self) -> Option<&str> {
            self.body.text(self.body.registered.jti)
        }

        /// The header.
        #[must_use]
        pub fn header(&self) -> Header<'_> {
            self.body.header()
        }

        /// The payload as it was signed: JSON text.
        #[must_use]
        pub fn payload(&self) -> &str {
            self.body.payload()
        }
    };
}

impl<T> Token<T> {
    accessors!();
}

impl<T> BorrowedToken<'_, T> {
    accessors!();
}

impl<T> fmt::Debug for Token<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("header", &self.header()).finish_non_exhaustive()
    }
}

impl<T> fmt::Debug for BorrowedToken<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BorrowedToken").field("header", &self.header()).finish_non_exhaustive()
    }
}

/// The policy of a [`Verifier`], in the making.
///
/// Two decisions have to be taken: on the issuer ([`issuer`](Self::issuer) or
/// [`accept_any_issuer`](Self::accept_any_issuer)) and on the audience ([`audience`](Self::audience),
/// [`no_audience`](Self::no_audience) or [`accept_any_audience`](Self::accept_any_audience)). What is expected
/// is thereby required. All else has a strict default, and each loosening is a method of its own.
///
/// # Examples
///
/// ```
/// use core::time::Duration;
/// use countersign::{HmacKey, SecretBytes, Verifier};
///
/// let verifier = Verifier::builder(HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?)
///     .issuer("https://auth.example")
///     .audience("https://api.example")
///     .audience("https://api.example/v2") // either will do
///     .typ("at+jwt")
///     .require("jti")
///     .max_age(Duration::from_secs(3600))
///     .leeway(Duration::from_secs(5))
///     .build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
#[must_use = "a builder does nothing until `build` is called"]
pub struct VerifierBuilder {
    keys: Keys,
    draft: Draft,
    types: Vec<Box<str>>,
    any_typ: bool,
    understood: Vec<Box<str>>,
    limits: Limits,
}

impl VerifierBuilder {
    /// Requires `iss` to be this text. Call it again to accept another issuer as well.
    ///
    /// # Security
    ///
    /// Each key of the verifier may then sign for each issuer named here. Issuers that do not trust one another need a verifier
    /// each: see [the page on keys](crate::manual::keys#several-issuers).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.draft.issuers.push(issuer.into().into_boxed_str());
        self
    }

    /// Accepts any `iss`, or none.
    ///
    /// # Security
    ///
    /// Right only where all keys belong to one issuer.
    pub const fn accept_any_issuer(mut self) -> Self {
        self.draft.any_issuer = true;
        self
    }

    /// Requires `aud` to contain this text. Call it again to accept another audience as well.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.draft.audiences.push(audience.into().into_boxed_str());
        self
    }

    /// Refuses tokens that have an `aud`.
    pub const fn no_audience(mut self) -> Self {
        self.draft.no_audience = true;
        self
    }

    /// Accepts any `aud`, or none.
    ///
    /// # Security
    ///
    /// A token that was made for another service is then accepted here too.
    pub const fn accept_any_audience(mut self) -> Self {
        self.draft.any_audience = true;
        self
    }

    /// Requires `sub` to be this text. Call it again to accept another subject as well.
    pub fn subject(mut self, subject: impl Into<String>) -> Self {
        self.draft.subjects.push(subject.into().into_boxed_str());
        self
    }

    /// Requires the header's `typ` to be this one, e.g. `at+jwt`. Call it again to accept another `typ` as well. Case and a
    /// leading `application/` do not matter.
    ///
    /// If it is not called, `typ` may be absent or `JWT`, and nothing else, so that tokens made for another purpose under the
    /// same keys are refused.
    ///
    /// # Security
    ///
    /// The access tokens of `countersign-session` say `at+jwt`. Only its `AccessVerifier` checks what they are bound to
    /// (`cnf`) and whether they were revoked.
    pub fn typ(mut self, typ: impl Into<String>) -> Self {
        self.types.push(typ.into().into_boxed_str());
        self
    }

    /// Accepts any `typ`, or none: for issuers that write another one than `JWT` or change it.
    ///
    /// # Security
    ///
    /// A token of another kind, such as a logout token or a client assertion, is then accepted too if the same key signed it.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{Claims, HmacKey, SecretBytes, UnixTime, Verifier};
    ///
    /// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let text = Claims::registered().issuer("me").typ("JWS").never_expires().sign(&key)?;
    ///
    /// let builder = Verifier::builder(key).issuer("me").no_audience().allow_missing_expiration();
    /// assert!(builder.clone().build()?.at(now).verify::<()>(&text).is_err());
    /// assert!(builder.accept_any_typ().build()?.at(now).verify::<()>(&text).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn accept_any_typ(mut self) -> Self {
        self.any_typ = true;
        self
    }

    /// Requires this claim to be there; a private one may be `null`. Up to 64 names.
    pub fn require(mut self, claim: impl Into<String>) -> Self {
        self.draft.required.push(claim.into().into_boxed_str());
        self
    }

    /// Requires `iat`, whatever else may be missing, and refuses tokens issued longer ago than this plus the leeway.
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.draft.max_age = Some(max_age);
        self
    }

    /// How far clocks may disagree, in whole seconds up to 5 minutes. If not called: 30 seconds.
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.draft.leeway = Some(leeway);
        self
    }

    /// A leeway of more than 5 minutes.
    ///
    /// # Security
    ///
    /// Every token lives that much longer than its issuer meant it to.
    pub const fn leeway_beyond_limit(mut self, leeway: Duration) -> Self {
        self.draft.leeway_beyond_limit = Some(leeway);
        self
    }

    /// Accepts tokens without `exp`. One that has it must still be in time.
    ///
    /// # Security
    ///
    /// A token without `exp` is good until its key is taken away. [`max_age`](Self::max_age) can bound it, but not
    /// together with [`allow_future_issued_at`](Self::allow_future_issued_at): a token dated far ahead is never too old.
    pub const fn allow_missing_expiration(mut self) -> Self {
        self.draft.missing_expiration = MissingExpiration::Allowed;
        self
    }

    /// Accepts a `sub` that is an integer: its decimal digits are the subject. [RFC 7519 section
    /// 4.1.2](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2) asks for a string.
    ///
    /// For issuers that cannot be changed, such as the OAuth extension of MediaWiki and Quick Auth of Farcaster. The claims type
    /// sees a text, too. A number with a fraction or an exponent, or beyond 64 bits, is refused as before.
    ///
    /// # Security
    ///
    /// `4` and `"4"` are then the same subject. An issuer that gives both to different users must not be trusted with this.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{HmacKey, SecretBytes, UnixTime, Verifier, jws};
    ///
    /// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// let text = jws::Payload::new(r#"{"sub":4,"exp":1700000900}"#).sign(&key)?;
    ///
    /// let builder = Verifier::builder(key).accept_any_issuer().no_audience();
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let error = builder.clone().build()?.at(now).verify::<()>(&text).unwrap_err();
    /// assert_eq!(error.to_string(), "claim sub must be a string, not a number");
    /// let token = builder.accept_numeric_subject().build()?.at(now).verify::<()>(&text)?;
    /// assert_eq!(token.subject(), Some("4"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn accept_numeric_subject(mut self) -> Self {
        self.draft.numeric_subject = NumericSubject::Accepted;
        self
    }

    /// Accepts tokens whose `iat` lies in the future.
    pub const fn allow_future_issued_at(mut self) -> Self {
        self.draft.future_issued_at = FutureIssuedAt::Allowed;
        self
    }

    /// `crit` may name this header extension, which the caller then honours: its value is in
    /// [`Header::json`].
    pub fn understand_critical(mut self, name: impl Into<String>) -> Self {
        self.understood.push(name.into().into_boxed_str());
        self
    }

    /// Other limits than the default ones.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The verifier.
    ///
    /// # Errors
    ///
    /// - [`PolicyError::IssuerUndecided`], [`PolicyError::AudienceUndecided`].
    /// - [`PolicyError::Empty`] for an empty name.
    /// - [`PolicyError::Contradiction`] for settings that exclude each other.
    /// - [`PolicyError::LeewayAboveLimit`].
    /// - [`PolicyError::TooManyRequired`], [`PolicyError::UnusableExtension`].
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{HmacKey, PolicyError, SecretBytes, Verifier};
    ///
    /// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// let error = Verifier::builder(key).issuer("https://auth.example").build().unwrap_err();
    /// assert_eq!(error, PolicyError::AudienceUndecided);
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn build(self) -> Result<Verifier, PolicyError> {
        exclude(("typ", !self.types.is_empty()), ("accept_any_typ", self.any_typ))?;
        let typ = if self.any_typ { TypRule::Any { usual: Some("JWT") } } else { TypRule::JwtOrAbsent };
        let typ = self.types.iter().try_fold(typ, |rule, typ| rule.or(typ))?;
        let mut rules = HeaderRules::new(typ);
        rules.limits = self.limits;
        for name in &self.understood {
            rules.understand(name)?;
        }
        let policy = self.draft.finish()?;
        Ok(Verifier::new(Gate::new(self.keys, rules), Arc::new(policy)))
    }
}

impl fmt::Debug for VerifierBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifierBuilder").field("policy", &self.draft).finish_non_exhaustive()
    }
}
