//! Verifies tokens: the one call that turns a text into a [`Token`].

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

/// Verifies tokens: checks the signature, the header and the registered claims, and reads the other claims into your type.
///
/// Build it once from keys and a policy, and share it by reference. A clone is cheap. A verifier never changes, so threads do
/// not wait for each other.
///
/// It checks in this order, and the error names the first check that fails:
///
/// 1. the size and the alphabet of the text
/// 2. the header, strictly, with its `typ` and `crit`
/// 3. that the header belongs to a trusted key and names that key's algorithm
/// 4. the signature
/// 5. the payload, strictly: UTF-8, JSON, no duplicate names, every registered claim of the right type
/// 6. issuer, audience and subject
/// 7. that the required claims are present, and `exp`
/// 8. `nbf`, `iat`, `exp`, and the maximum age
/// 9. that the claims fit the type
///
/// It does not check whether the token was revoked, was used before, or is presented by the party that it was issued to. A
/// token has one spelling, but two signatures over one payload may exist. So deny tokens by `jti` or subject, not by their
/// text.
///
/// Times are compared in whole seconds. The leeway is 30 seconds, unless [`leeway`](VerifierBuilder::leeway) sets another.
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
    // One pointer, so that a clone copies only that.
    checks: Arc<Checks>,
}

struct Checks {
    gate: Gate,
    policy: Arc<Policy>,
}

impl Verifier {
    /// Starts to build a verifier that trusts one key, a [`KeySet`](crate::KeySet), or your own
    /// [`KeySource`](crate::KeySource).
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

    /// Returns a verifier with the same policy and other keys. To rotate keys, build the new verifier and swap it for the old
    /// one.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use countersign::{Claims, HmacKey, KeySet, SecretBytes, UnixTime, Verifier, VerifyError};
    ///
    /// let mut keys = KeySet::new();
    /// keys.insert(HmacKey::hs256(&SecretBytes::from_bytes([1; 32]))?.with_key_id("2025")?)?;
    /// let old = Verifier::builder(keys.clone()).accept_any_issuer().no_audience().build()?;
    ///
    /// let key = HmacKey::hs256(&SecretBytes::from_bytes([2; 32]))?.with_key_id("2026")?;
    /// keys.insert(key.clone())?;
    /// let new = old.with_keys(keys);
    ///
    /// let now = UnixTime::from_secs(1_700_000_000);
    /// let text = Claims::registered().expires_at(now.saturating_add(Duration::from_secs(60))).sign(&key)?;
    /// assert_eq!(old.at(now).verify::<()>(&text).unwrap_err(), VerifyError::UnknownKey);
    /// assert!(new.at(now).verify::<()>(&text).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_keys(&self, keys: impl Into<Keys>) -> Self {
        Self::new(self.checks.gate.with_keys(keys.into()), self.checks.policy.clone())
    }

    /// Returns this verifier with the fixed time `now`, which it uses instead of the wall clock. Use it in tests, and on
    /// platforms without a clock, such as `wasm32-unknown-unknown`.
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
    /// // The leeway is 30 seconds.
    /// let error = verifier.at(UnixTime::from_secs(1_700_000_030)).verify::<()>(&text).unwrap_err();
    /// assert!(error.is_expired());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub const fn at(&self, now: UnixTime) -> VerifierAt<'_> {
        VerifierAt { verifier: self, now }
    }

    /// Verifies a token at the time of the wall clock.
    ///
    /// `text` must be the token alone, without `Bearer ` before it or a line break after it. This method does not exist on
    /// `wasm32-unknown-unknown`, because its `std` has no clock. Use [`at`](Self::at) there.
    ///
    /// `T` may be a struct, a map or a JSON value, or `()` if you need only the registered claims. A struct that has fields for
    /// registered claims gets them too. `deny_unknown_fields` applies to the other claims only. A map, a JSON value, a struct
    /// with `flatten` and an internally tagged enum get all claims. A sequence or an externally tagged enum cannot hold claims.
    ///
    /// # Errors
    ///
    /// Returns the [`VerifyError`] of the first check that failed. No part of a refused token is returned.
    #[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
    pub fn verify<T: DeserializeOwned>(&self, text: &str) -> Result<Token<T>, VerifyError> {
        self.run(text, UnixTime::now)
    }

    /// Verifies a token at the time of the wall clock, into a `T` that may borrow from `buffer`.
    ///
    /// Once the buffer has grown to the size of the tokens, only `T` itself allocates, if an HS256 key would write exactly the
    /// token's header. Some rare tokens need more allocations: tokens with more than four audiences, with more than 32 private
    /// claims, or with escapes in registered claims.
    ///
    /// # Errors
    ///
    /// The same as [`verify`](Self::verify).
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

    /// Returns how far clocks may differ, as set by [`VerifierBuilder::leeway`] or [`VerifierBuilder::leeway_beyond_limit`].
    /// The default is 30 seconds. A list of revoked tokens has to keep each token for this long after its `exp`.
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

    /// Returns the generation of the keys.
    #[cfg(feature = "cache")]
    pub(crate) fn generation(&self) -> Option<u64> {
        self.checks.gate.generation()
    }

    /// Checks the times of a token that this verifier has verified before.
    #[cfg(feature = "cache")]
    pub(crate) fn check_times<T>(&self, token: &Token<T>, now: UnixTime) -> Result<(), VerifyError> {
        self.checks.policy.check_times(&token.body.registered, now)
    }

    fn run<T: DeserializeOwned>(
        &self,
        text: &str,
        clock: impl FnOnce() -> UnixTime,
    ) -> Result<Token<T>, VerifyError> {
        let opened = self.checks.gate.open(text)?;
        // One allocation for both texts that the token keeps: the payload, followed by the header.
        let capacity = opened.payload.len().saturating_add(opened.header_json.len());
        let (text, payload_length) =
            decode_body(Vec::with_capacity(capacity), &opened).map_err(|(error, _)| error)?;
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
        let mut bytes = core::mem::take(&mut buffer.0).into_bytes();
        bytes.clear();
        let payload_length;
        (buffer.0, payload_length) = match decode_body(bytes, &opened) {
            Ok(decoded) => decoded,
            Err((error, bytes)) => {
                // Keep the allocation for the next token.
                buffer.0 = String::from_utf8(bytes).unwrap_or_default();
                return Err(error);
            }
        };
        let mut body = Body::new(buffer.0.as_str(), payload_length, opened.header.into_owned());
        let payload = body.text.get(..payload_length).unwrap_or_default();
        let claims = self.read(payload, clock(), &mut body.registered)?;
        Ok(BorrowedToken { claims, body })
    }

    /// Reads the claims and checks them against the policy. Reports a payload that does not fit `T` last, after the errors that
    /// do not depend on the type.
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
            issuers: policy.claimed_issuers(),
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

/// A [`Verifier`] with a fixed time. [`Verifier::at`] makes it.
#[derive(Clone, Copy, Debug)]
pub struct VerifierAt<'v> {
    verifier: &'v Verifier,
    now: UnixTime,
}

impl VerifierAt<'_> {
    /// Verifies a token like [`Verifier::verify`], at the fixed time.
    ///
    /// # Errors
    ///
    /// The same as [`Verifier::verify`].
    pub fn verify<T: DeserializeOwned>(self, text: &str) -> Result<Token<T>, VerifyError> {
        self.verifier.run(text, || self.now)
    }

    /// Verifies a token like [`Verifier::verify_in`], at the fixed time.
    ///
    /// # Errors
    ///
    /// The same as [`Verifier::verify_in`].
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

/// Decodes the payload into the empty `bytes` and appends the JSON of the header. Returns the text of both and the length of
/// the payload. If it fails, returns the error and `bytes`, empty again.
fn decode_body(
    mut bytes: Vec<u8>,
    opened: &Opened<'_, '_>,
) -> Result<(String, usize), (VerifyError, Vec<u8>)> {
    if let Err(error) = decode_payload(&mut bytes, opened.payload) {
        return Err((error, bytes));
    }
    let length = bytes.len();
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let refusal = VerifyError::of_utf8(Part::Payload, error.utf8_error());
        let mut bytes = error.into_bytes();
        bytes.clear();
        (refusal, bytes)
    })?;
    text.push_str(&opened.header_json);
    Ok((text, length))
}

/// A buffer for the payload that a [`BorrowedToken`] borrows from. Make it once and use it for many tokens.
///
/// # Examples
///
/// ```
/// use countersign::Buffer;
///
/// assert_eq!(format!("{:?}", Buffer::with_capacity(1024)), "Buffer(1024 bytes)");
/// ```
#[derive(Default)]
pub struct Buffer(String);

impl Buffer {
    /// Makes an empty buffer. It allocates when the first token is verified.
    #[must_use]
    pub const fn new() -> Self {
        Self(String::new())
    }

    /// Makes a buffer for payloads of about `bytes` bytes. If the memory cannot be allocated, the buffer starts empty.
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

/// The parts of a verified token besides `T`.
#[derive(Clone)]
struct Body<S> {
    /// The payload, followed by the header.
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

/// A verified token: its claims, and the proof that they were checked.
///
/// Only a [`Verifier`] makes one, so a function that takes a `&Token<User>` cannot be called with unverified claims. `Debug`
/// does not show the claims.
///
/// # Examples
///
/// ```
/// use countersign::{Claims, HmacKey, SecretBytes, Token, UnixTime, Verifier};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct User { role: String }
///
/// /// Cannot be called with an unverified user.
/// fn may_delete(token: &Token<User>) -> bool {
///     token.claims().role == "admin"
/// }
///
/// # let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
/// # let now = UnixTime::from_secs(1_700_000_000);
/// # let builder = Verifier::builder(key.clone()).accept_any_issuer().no_audience().allow_missing_expiration();
/// # let verifier = builder.build()?;
/// let text = Claims::new(User { role: "guest".into() }).never_expires().sign(&key)?;
/// assert!(!may_delete(&verifier.at(now).verify(&text)?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Token<T> {
    claims: T,
    body: Body<String>,
}

/// A [`Token`] with claims that borrow from a [`Buffer`].
#[derive(Clone)]
pub struct BorrowedToken<'b, T> {
    claims: T,
    body: Body<&'b str>,
}

macro_rules! accessors {
    () => {
        /// Returns the claims of your type.
        #[must_use]
        pub const fn claims(&self) -> &T {
            &self.claims
        }

        /// Consumes the token and returns the claims of your type. The claims alone do not prove that they were verified.
        #[must_use]
        pub fn into_claims(self) -> T {
            self.claims
        }

        /// Returns the issuer (`iss`).
        #[must_use]
        pub fn issuer(&self) -> Option<&str> {
            self.body.text(self.body.registered.iss)
        }

        /// Returns the subject (`sub`).
        #[must_use]
        pub fn subject(&self) -> Option<&str> {
            self.body.text(self.body.registered.sub)
        }

        /// Iterates over the audiences: the entries of `aud`.
        pub fn audience(&self) -> impl Iterator<Item = &str> {
            let entries = self.body.registered.aud.iter().flat_map(|audiences| audiences.iter());
            entries.map(|entry| entry.of(self.body.payload(), &self.body.registered.resolved))
        }

        /// Returns the time of expiry (`exp`), with a fraction of a second rounded up.
        #[must_use]
        pub fn expires_at(&self) -> Option<UnixTime> {
            self.body.registered.exp.map(NumericDate::time)
        }

        /// Returns the time from which the token is valid (`nbf`), with a fraction of a second rounded up.
        #[must_use]
        pub fn not_before(&self) -> Option<UnixTime> {
            self.body.registered.nbf.map(NumericDate::time)
        }

        /// Returns the time of issue (`iat`), with a fraction of a second rounded up.
        #[must_use]
        pub fn issued_at(&self) -> Option<UnixTime> {
            self.body.registered.iat.map(NumericDate::time)
        }

        /// Returns the id of the token (`jti`).
        #[must_use]
        pub fn jwt_id(&self) -> Option<&str> {
            self.body.text(self.body.registered.jti)
        }

        /// Returns the header.
        #[must_use]
        pub fn header(&self) -> Header<'_> {
            self.body.header()
        }

        /// Returns the payload as it was signed: JSON text.
        #[must_use]
        pub fn payload(&self) -> &str {
            self.body.payload()
        }
    };
}

impl<T> Token<T> {
    accessors!();

    /// Returns about how many bytes the token takes in an `Arc`. The heap memory of `T` is counted as the length of its JSON.
    #[cfg(feature = "cache")]
    pub(crate) fn memory(&self) -> usize {
        let Body { text, payload_length, registered, .. } = &self.body;
        // Before the token, an `Arc` has two counters.
        [size_of::<(usize, usize, Self)>(), text.capacity(), *payload_length, registered.heap()]
            .into_iter()
            .fold(0, usize::saturating_add)
    }
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

/// Builds a [`Verifier`]: sets the checks of its policy.
///
/// You have to make two decisions: on the issuer ([`issuer`](Self::issuer), [`issuer_template`](Self::issuer_template) or
/// [`accept_any_issuer`](Self::accept_any_issuer)) and on the audience ([`audience`](Self::audience), [`no_audience`](Self::no_audience) or
/// [`accept_any_audience`](Self::accept_any_audience)). A claim with an expected value is required. All other settings have
/// a strict default, and each loosening is a method of its own.
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
///     .audience("https://api.example/v2") // a token for either is accepted
///     .typ("at+jwt")
///     .require("jti")
///     .max_age(Duration::from_secs(3600))
///     .leeway(Duration::from_secs(5))
///     .build()?;
/// assert_eq!(verifier.leeway(), Duration::from_secs(5));
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
    /// If several issuers are named, each key of the verifier may sign for each of them. Issuers that do not trust each other
    /// need one verifier each: see [the page on keys](crate::manual::keys#several-issuers).
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.draft.issuers.push(issuer.into().into_boxed_str());
        self
    }

    /// Requires `iss` to be this text, with the token's own claim `claim` in place of the braces and the name in them. It is
    /// for issuers that have many tenants and one set of keys. Call it again, or call [`issuer`](Self::issuer), to accept another
    /// issuer as well.
    ///
    /// The claim must be text of ASCII letters, digits, `-`, `.` and `_` that begins with a letter or a digit, such as a GUID. So
    /// it cannot bring in another part of a URL. The result is compared with `iss` exactly. The braces must come after the host,
    /// because the claims of a token must not choose the host of its issuer.
    ///
    /// A token without the claim is refused with [`VerifyError::MissingClaim`] if the rest of its `iss` fits, and with
    /// [`VerifyError::WrongIssuer`] otherwise, as is a claim that is something other than such a text.
    ///
    /// # Security
    ///
    /// It accepts **every** tenant of the issuer, also one that an attacker has opened. Either name the tenants of your customers
    /// with [`issuer`](Self::issuer) in place of the template, or look up the claim in the list of your customers after each
    /// verification, and never find a user by `sub` alone.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{HmacKey, SecretBytes, UnixTime, Verifier, jws};
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Employee { tid: String }
    ///
    /// # let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// # let now = UnixTime::from_secs(1_700_000_000);
    /// # let payload = r#"{"iss":"https://login.example/contoso/v2.0","tid":"contoso","exp":1700000900}"#;
    /// # let text = jws::Payload::new(payload).sign(&key)?;
    /// let verifier = Verifier::builder(key.clone())
    ///     .issuer_template("https://login.example/{tenant}/v2.0", "tid")
    ///     .no_audience()
    ///     .build()?;
    /// let token = verifier.at(now).verify::<Employee>(&text)?;
    /// let is_customer = ["contoso", "fabrikam"].contains(&&*token.claims().tid); // your list
    /// assert!(is_customer);
    ///
    /// let payload = r#"{"iss":"https://login.example/contoso/v2.0","tid":"fabrikam","exp":1700000900}"#;
    /// let error = verifier.at(now).verify::<()>(&jws::Payload::new(payload).sign(&key)?).unwrap_err();
    /// assert_eq!(error.to_string(), r#"token is not issued by "https://login.example/{tenant}/v2.0""#);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn issuer_template(mut self, template: impl Into<String>, claim: impl Into<String>) -> Self {
        self.draft.add_issuer_template(template.into().into_boxed_str(), claim.into().into_boxed_str());
        self
    }

    /// Accepts any `iss`, or none.
    ///
    /// # Security
    ///
    /// Use it only if all keys belong to one issuer.
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

    /// Requires the header's `typ` to be this one, e.g. `at+jwt`. Call it again to accept another `typ` as well. The comparison
    /// ignores case and a leading `application/`.
    ///
    /// The default accepts `JWT` and a missing `typ`, so that tokens made for another purpose with the same keys are refused.
    ///
    /// # Security
    ///
    /// The access tokens of `countersign-session` have the `typ` `at+jwt`. Only its `AccessVerifier` checks their binding
    /// (`cnf`) and whether they were revoked.
    pub fn typ(mut self, typ: impl Into<String>) -> Self {
        self.types.push(typ.into().into_boxed_str());
        self
    }

    /// Accepts any `typ`, or none. It is for issuers that write another `typ` than `JWT`, or that change it.
    ///
    /// # Security
    ///
    /// The verifier then also accepts other kinds of tokens that the same key signed, such as a logout token or a client
    /// assertion.
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

    /// Requires this claim to be present. A private claim may be `null`. Up to 64 names can be required.
    pub fn require(mut self, claim: impl Into<String>) -> Self {
        self.draft.required.push(claim.into().into_boxed_str());
        self
    }

    /// Requires `iat`, and refuses tokens that were issued longer ago than this plus the leeway.
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.draft.max_age = Some(max_age);
        self
    }

    /// Sets how far clocks may differ, in whole seconds, up to 5 minutes. The default is 30 seconds.
    pub const fn leeway(mut self, leeway: Duration) -> Self {
        self.draft.leeway = Some(leeway);
        self
    }

    /// Sets a leeway of any length, also above 5 minutes.
    ///
    /// # Security
    ///
    /// Every token is accepted for that much longer than its issuer intended.
    pub const fn leeway_beyond_limit(mut self, leeway: Duration) -> Self {
        self.draft.leeway_beyond_limit = Some(leeway);
        self
    }

    /// Accepts tokens without `exp`. A token with `exp` is still refused once it has expired.
    ///
    /// # Security
    ///
    /// A token without `exp` is valid until its key is removed. [`max_age`](Self::max_age) limits its life, but not together
    /// with [`allow_future_issued_at`](Self::allow_future_issued_at), because a token with an `iat` far in the future is never
    /// too old.
    pub const fn allow_missing_expiration(mut self) -> Self {
        self.draft.missing_expiration = MissingExpiration::Allowed;
        self
    }

    /// Accepts a `sub` that is an integer. Its decimal digits are the subject, and the claims type gets them as text too.
    ///
    /// [RFC 7519 section 4.1.2](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.2) requires a string. This method is for
    /// issuers that cannot be changed, such as the OAuth extension of MediaWiki and Quick Auth of Farcaster. A number with a
    /// fraction or an exponent, or beyond 64 bits, is still refused.
    ///
    /// # Security
    ///
    /// `4` and `"4"` are then the same subject. Do not use it with an issuer that gives the two to different users.
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

    /// Accepts tokens with an `iat` in the future.
    pub const fn allow_future_issued_at(mut self) -> Self {
        self.draft.future_issued_at = FutureIssuedAt::Allowed;
        self
    }

    /// Allows `crit` to name this header extension. You must then honour the extension yourself. Its value is in
    /// [`Header::json`].
    pub fn understand_critical(mut self, name: impl Into<String>) -> Self {
        self.understood.push(name.into().into_boxed_str());
        self
    }

    /// Replaces the default limits.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Refuses a policy that sets an audience, because `profile` sets it.
    pub(crate) fn leaves_audience_to(&self, profile: &'static str) -> Result<(), PolicyError> {
        let Draft { audiences, no_audience, any_audience, .. } = &self.draft;
        let is_set = !audiences.is_empty() || *no_audience || *any_audience;
        exclude(("audience", is_set), (profile, true))
    }

    /// Refuses a policy that sets a `typ`, because `profile` sets it.
    pub(crate) fn leaves_typ_to(&self, profile: &'static str) -> Result<(), PolicyError> {
        exclude(("typ", self.any_typ || !self.types.is_empty()), (profile, true))
    }

    /// Checks the settings and makes the verifier.
    ///
    /// # Errors
    ///
    /// - [`PolicyError::IssuerUndecided`], [`PolicyError::AudienceUndecided`].
    /// - [`PolicyError::Empty`] for an empty name.
    /// - [`PolicyError::IssuerTemplate`].
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
