//! Reads a payload in one strict pass: captures the registered claims, and streams all members into `T`.
//!
//! There is one pass because a second one would cost 195 ns, and a whole HS256 verification takes 795 ns (measured). So nothing
//! parses the payload before `T` does. Instead, `T` deserializes from a [`ClaimsDeserializer`], which puts a [`ClaimsAccess`]
//! between `T` and the JSON. It reads the value of each registered claim with a typed seed of this module and keeps it. If `T`
//! wants the value, it gets the kept one through a [`CapturedDeserializer`]. So the decision does not depend on how `T` reads.
//! It does not depend on `deserialize_any` either, because other crates can change the meaning of that method by switching on
//! features of `serde_json`.
//!
//! The phases of [`decode`]:
//!
//! 1. `json::check_text` refuses text that is nested too deeply or holds half a surrogate pair.
//! 2. [`stream`] lets `T` read, while [`Capture`] keeps registered claims and notes errors.
//! 3. If reading failed, [`Capture::explain`] finds out why.
//! 4. If `T` saw an error, which it may have ignored, or left a value unread, all claims are captured once more without `T`.
//!
//! The registered claims that `T` gets to see: a struct those that it declares, so that `deny_unknown_fields` works; a map, a
//! `Value`, a struct with `flatten` or an internally tagged enum all of them; `()` none.

use crate::claims::captured::{CapturedDeserializer, CapturedValue, Fault};
use crate::claims::watch::{Notes, Watch};
use crate::claims::{Audiences, ClaimedIssuers, Name, Registered};
use crate::error::{Part, SerdeMessage, Size, VerifyError};
use crate::json::{self, Flaw, NameSeed, Names, RESERVED, Resolved, Text, TextSeed};
use crate::jws::compact::Unverified;
use crate::limits::Limits;
use crate::numeric_date::{NumericDate, NumericDateSeed};
use alloc::borrow::Cow;
use alloc::boxed::Box;
use core::cell::Cell;
use core::fmt;
use serde::de::{
    Deserialize, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess,
    SeqAccess, Visitor,
};
use serde::forward_to_deserialize_any;

/// The rules for reading a payload.
#[derive(Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) limits: &'a Limits,
    /// The names to look for; `required_met` notes which are present.
    pub(crate) required: &'a [Box<str>],
    /// Notes the claims that the issuer depends on.
    pub(crate) issuers: Option<&'a dyn ClaimedIssuers>,
    /// Whether `sub` may be an integer.
    pub(crate) numeric_subject: bool,
}

/// Reads `payload`. Stores the registered claims in `registered`, which must be empty.
///
/// An error may be due to `T` alone. To learn whether the payload is well formed, read it into `()`.
pub(crate) fn decode<'de, T: Deserialize<'de>>(
    payload: &'de str,
    rules: Rules<'_>,
    registered: &mut Registered,
) -> Result<T, VerifyError> {
    json::check_text(payload, rules.limits).map_err(refused)?;
    let mut capture = Capture::new(payload, rules, registered);
    match stream(&mut capture) {
        Ok(claims) if !capture.doubted() && capture.refusal.is_none() => Ok(claims),
        read => judge(read, capture, rules),
    }
}

/// Decides about a payload when reading it met an error or a doubt.
#[cold]
#[inline(never)]
fn judge<T>(
    read: Result<T, json::Error>,
    capture: Capture<'_, '_>,
    rules: Rules<'_>,
) -> Result<T, VerifyError> {
    match fault(read.as_ref().err(), capture, rules) {
        Some(error) => Err(error),
        None => read.map_err(|_| unfit(0)),
    }
}

/// Returns why the payload is refused, if it is. Reading it may have failed with an `error`.
///
/// Inlined only so that the program, and not this crate, compiles the code that it shares with `T`'s pass.
#[cold]
#[inline]
fn fault(error: Option<&json::Error>, mut capture: Capture<'_, '_>, rules: Rules<'_>) -> Option<VerifyError> {
    let found = capture.fault(error);
    if !capture.doubted() {
        return found;
    }
    // `T` saw an error or left a value unread, so it may have taken an inner object for the payload. Read the registered claims
    // again without it, because their errors have precedence.
    let Capture { payload, registered, .. } = capture;
    *registered = Registered::default();
    let mut capture = Capture::new(payload, rules, registered);
    let read = json::read_or_error(payload, |reader| capture.read_alone(reader));
    capture.fault(read.as_ref().err()).or_else(|| found.map(mismatch))
}

/// Replaces any error from reading valid claims into their type with the error for claims that do not fit it.
pub(crate) fn mismatch(error: VerifyError) -> VerifyError {
    match error {
        VerifyError::ClaimsMismatch { .. } | VerifyError::MissingClaim { .. } => error,
        VerifyError::InvalidJson { offset, .. } => unfit(offset),
        _ => unfit(0),
    }
}

fn unfit(offset: usize) -> VerifyError {
    VerifyError::ClaimsMismatch { claim: None, offset, message: SerdeMessage::default() }
}

/// Lets `T` read the payload.
fn stream<'de, T: Deserialize<'de>>(capture: &mut Capture<'_, 'de>) -> Result<T, json::Error> {
    json::read_or_error(capture.payload, |reader| {
        let claims = T::deserialize(ClaimsDeserializer { reader, capture })?;
        if !capture.progress.in_object() && !capture.doubted.get() {
            // `T` did not ask for the object, but the policy needs the claims in it.
            capture.read_alone(reader)?;
        }
        // `T` may have ignored an error. Its value is worth nothing then.
        if capture.progress == Progress::Finished {
            Ok(claims)
        } else {
            Err(json::Error::custom("the type ignored an error"))
        }
    })
}

const fn refused(flaw: Flaw) -> VerifyError {
    VerifyError::of_json(Part::Payload, flaw)
}

impl Unverified<'_> {
    /// Reads the claims strictly, as their sender wrote them. They may be false.
    ///
    /// # Errors
    ///
    /// The [`VerifyError`]s about the shape of the payload.
    ///
    /// # Security
    ///
    /// Anyone can write a token with any claims, so do not base any decision on them.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::Unverified;
    ///
    /// #[derive(serde::Deserialize)]
    /// struct Says { iss: String }
    ///
    /// let token = Unverified::parse("eyJhbGciOiJub25lIn0.eyJpc3MiOiJtZSJ9.")?;
    /// assert_eq!(token.unverified_claims::<Says>()?.iss, "me");
    /// # Ok::<(), countersign::VerifyError>(())
    /// ```
    pub fn unverified_claims<T: DeserializeOwned>(&self) -> Result<T, VerifyError> {
        let bytes = self.unverified_payload()?;
        let payload =
            core::str::from_utf8(&bytes).map_err(|error| VerifyError::of_utf8(Part::Payload, error))?;
        let rules = Rules { limits: &Limits::new(), required: &[], issuers: None, numeric_subject: false };
        decode(payload, rules, &mut Registered::default())
    }
}

/// Names the kind of a malformed value of a registered claim, from its first character.
fn kind(name: Name, value: &str) -> Option<&'static str> {
    Some(match (value.bytes().next()?, name) {
        (b'"', _) => "a string",
        (b'{', _) => "an object",
        (b'[', Name::Aud) => "an array that holds something else",
        (b'[', _) => "an array",
        (b't' | b'f', _) => "a boolean",
        (b'n', _) => "null",
        (_, Name::Exp | Name::Nbf | Name::Iat) => "a number beyond it",
        _ => "a number",
    })
}

/// Returns the digits of the 64-bit integer that `value` begins with. The JSON reader checks the syntax of numbers.
fn integer(value: &str) -> Option<&str> {
    let end = value.bytes().position(|byte| byte != b'-' && !byte.is_ascii_digit())?;
    let (digits, rest) = value.split_at_checked(end)?;
    let (magnitude, range) = match digits.strip_prefix('-') {
        Some(magnitude) => (magnitude, 1..=i64::MIN.unsigned_abs()),
        None => (digits, 0..=u64::MAX),
    };
    let is_integer = magnitude.parse().is_ok_and(|magnitude| range.contains(&magnitude));
    (is_integer && !rest.starts_with(['.', 'e', 'E'])).then_some(digits)
}

/// Reads the value of a registered claim that is about to be written. The error names what a malformed value is instead.
pub(crate) fn read_value(
    name: Name,
    value: &str,
    registered: &mut Registered,
) -> Result<(), Option<&'static str>> {
    let read = json::read(value, |reader| match name {
        Name::Exp | Name::Nbf | Name::Iat => {
            NumericDateSeed.deserialize(reader).map(|date| registered.set_date(name, date))
        }
        // Only checked, because the texts themselves are in `value`.
        Name::Aud => {
            // The verifier checks limits.
            let (limit, into) = (usize::MAX, &mut Audiences::default());
            let resolved = &mut Resolved::default();
            AudienceSeed { document: value, limit, over: &mut false, into, resolved }.deserialize(reader)
        }
        Name::Iss | Name::Sub | Name::Jti => {
            TextSeed { document: value, resolved: &mut Resolved::default() }.deserialize(reader).map(drop)
        }
    });
    read.map_err(|_| kind(name, value))
}

impl Registered {
    #[inline]
    fn set_date(&mut self, name: Name, date: NumericDate) {
        match name {
            Name::Exp => self.exp = Some(date),
            Name::Nbf => self.nbf = Some(date),
            _ => self.iat = Some(date),
        }
    }

    pub(crate) const fn date(&self, name: Name) -> Option<NumericDate> {
        match name {
            Name::Exp => self.exp,
            Name::Nbf => self.nbf,
            Name::Iat => self.iat,
            Name::Iss | Name::Sub | Name::Aud | Name::Jti => None,
        }
    }

    #[inline]
    fn set_text(&mut self, name: Name, text: Text) {
        match name {
            Name::Iss => self.iss = Some(text),
            Name::Sub => self.sub = Some(text),
            _ => self.jti = Some(text),
        }
    }
}

/// What is captured and noted about a payload while `T` reads it.
struct Capture<'a, 'de> {
    payload: &'de str,
    rules: Rules<'a>,
    progress: Progress,
    /// The private names, and a bit for each registered one.
    names: Names<'de>,
    met: u8,
    /// The number of registered names met: cheaper than counting bits on a CPU without an instruction for it.
    met_count: usize,
    registered: &'a mut Registered,
    /// The registered claim with an unreadable value, and what the value is instead, for the error.
    malformed: Option<(Name, Option<&'static str>)>,
    /// Why the payload does not fit `T`, for the error.
    misfit: Option<Misfit>,
    /// Why the payload is refused, even if `T` accepts it.
    refusal: Option<VerifyError>,
    /// Whether `T` saw an error, which it may have ignored, or left a value unread.
    doubted: Cell<bool>,
    /// Whether `T` has received a name and has not asked for the value, so that the reader has not checked that there is one.
    unread: bool,
}

/// How far reading has got.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// `T` has not asked for anything yet.
    NotBegun,
    /// `T` has asked for something that is not an object.
    NotAnObject,
    Entered,
    Finished,
}

impl Progress {
    const fn in_object(self) -> bool {
        matches!(self, Self::Entered | Self::Finished)
    }
}

/// Why a payload does not fit `T`.
#[derive(Clone, Copy)]
enum Misfit {
    /// This field of `T` could not be read.
    Field(&'static str),
    /// This field of `T` is missing.
    Missing(&'static str),
}

impl<'a, 'de> Capture<'a, 'de> {
    fn new(payload: &'de str, rules: Rules<'a>, registered: &'a mut Registered) -> Self {
        Self {
            payload,
            rules,
            progress: Progress::NotBegun,
            names: Names::new(),
            met: 0,
            met_count: 0,
            registered,
            malformed: None,
            misfit: None,
            refusal: None,
            doubted: Cell::new(false),
            unread: false,
        }
    }

    /// Returns whether `T` may have misled the reader.
    fn doubted(&self) -> bool {
        self.doubted.get() || self.unread
    }

    /// Returns why the payload is refused, if it is. Reading it may have failed with an `error`.
    #[cold]
    #[inline(never)]
    fn fault(&mut self, error: Option<&json::Error>) -> Option<VerifyError> {
        self.refusal.take().or_else(|| error.map(|error| self.explain(error)))
    }

    /// Returns the error to report for the `error` that reading failed with.
    fn explain(&self, error: &json::Error) -> VerifyError {
        let offset = json::offset_of(self.payload, error);
        let field = match (self.malformed, self.misfit) {
            (None, Some(Misfit::Missing(field))) => {
                return VerifyError::MissingClaim { claim: Cow::Borrowed(field) };
            }
            (_, Some(Misfit::Field(field))) => Some(field),
            _ => None,
        };
        // The reader's own category does not help: it calls some valid JSON of the wrong shape a syntax error.
        match (json::broken_at(self.payload), self.malformed, self.progress) {
            (Some(offset), ..) => refused(Flaw::Invalid { offset }),
            (None, None, Progress::NotBegun) => refused(Flaw::Invalid { offset }),
            (None, Some((name, found)), _) => VerifyError::MalformedClaim { claim: name.text(), found },
            (None, None, _) => {
                VerifyError::ClaimsMismatch { claim: field, offset, message: SerdeMessage::new(error) }
            }
        }
    }

    /// Notes a name, and whether it is required. Returns the registered claim that it names, if any. `Err` means that the
    /// payload is refused; `refusal` says why.
    #[inline]
    #[allow(clippy::ptr_arg, reason = "a name without an escape is kept as a borrow, not copied")]
    fn admit(&mut self, name: &Cow<'de, str>) -> Result<Option<Name>, Refused> {
        if !self.rules.required.is_empty() {
            self.note_required(name);
        }
        if let Some(issuers) = self.rules.issuers {
            issuers.note(name, self.payload, self.registered);
        }
        let limits = self.rules.limits;
        // A bit for each of the few registered names, so that only the other names are compared with each other.
        let registered = self.met_count;
        let known = Name::of(name);
        let admitted = match known {
            None => self.names.admit(name.clone(), registered, limits),
            Some(known) if self.met & known.bit() != 0 => {
                json::check_members(self.names.len().saturating_add(registered), limits)
                    .and(Err(Flaw::DuplicateMember))
            }
            Some(known) => {
                self.met |= known.bit();
                self.met_count = registered.saturating_add(1);
                json::check_members(self.names.len().saturating_add(registered), limits)
            }
        };
        admitted.map(|()| known).map_err(|flaw| {
            self.refusal = Some(refused(flaw));
            Refused
        })
    }

    fn note_required(&mut self, name: &str) {
        for (place, required) in self.rules.required.iter().enumerate() {
            if **required == *name {
                let bit = u32::try_from(place).ok().and_then(|place| 1_u64.checked_shl(place));
                self.registered.required_met |= bit.unwrap_or(0);
            }
        }
    }

    /// Reads the object to its end, only for the policy.
    #[inline]
    fn read_alone(&mut self, reader: &mut json::Reader<'de>) -> Result<(), json::Error> {
        let read = reader.deserialize_map(Alone(&mut *self));
        self.end(&read);
        read
    }

    /// Notes how reading the object ended.
    fn end<T, E>(&mut self, read: &Result<T, E>) {
        match read {
            Ok(_) => self.progress = Progress::Finished,
            Err(_) => self.doubted.set(true),
        }
    }

    /// Reads and keeps the value of a registered claim, which comes after `spelled`.
    fn keep<A: MapAccess<'de>>(&mut self, name: Name, spelled: &str, map: &mut A) -> Result<(), A::Error> {
        let read = match name {
            Name::Exp | Name::Nbf | Name::Iat => {
                map.next_value_seed(NumericDateSeed).map(|date| self.registered.set_date(name, date))
            }
            Name::Iss | Name::Sub | Name::Jti => self.keep_text(name, spelled, map),
            Name::Aud => self.keep_audiences(map),
        };
        if read.is_err() {
            self.malformed = Some((name, self.found(name, spelled)));
        }
        read
    }

    fn keep_text<A: MapAccess<'de>>(
        &mut self,
        name: Name,
        spelled: &str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let document = self.payload;
        if name == Name::Sub
            && self.rules.numeric_subject
            && let Some(digits) = json::value_after(document, spelled).and_then(integer)
        {
            map.next_value::<IgnoredAny>()?;
            let text = self.registered.resolved.place(document, digits);
            self.registered.sub = Some(text.ok_or_else(json::stop)?);
            return Ok(());
        }
        let resolved = &mut self.registered.resolved;
        let text = map.next_value_seed(TextSeed { document, resolved })?;
        self.registered.set_text(name, text);
        Ok(())
    }

    fn keep_audiences<A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<(), A::Error> {
        let Registered { aud, resolved, .. } = &mut *self.registered;
        let (limit, mut over) = (self.rules.limits.audiences, false);
        let into = aud.insert(Audiences::default());
        let seed = AudienceSeed { document: self.payload, limit, over: &mut over, into, resolved };
        let read = map.next_value_seed(seed);
        if over {
            self.refusal = Some(VerifyError::TooLarge { size: Size::Audiences, limit });
        }
        read
    }

    /// Returns what the malformed value after `spelled` is.
    #[cold]
    fn found(&self, name: Name, spelled: &str) -> Option<&'static str> {
        let found = json::value_after(self.payload, spelled).and_then(|value| kind(name, value))?;
        let is_integer_wanted = name == Name::Sub && self.rules.numeric_subject && found == "a number";
        Some(if is_integer_wanted { "a number beyond 64 bits or with a fraction" } else { found })
    }

    /// Returns the kept value of a registered claim, as `T` gets to see it.
    fn shown(&self, name: Name) -> Option<CapturedValue<'_, 'de>> {
        let Registered { iss, sub, aud, exp, nbf, iat, jti, resolved, .. } = &*self.registered;
        let text = |text: &Option<Text>| text.map(|text| CapturedValue::text(text, self.payload, resolved));
        match name {
            Name::Iss => text(iss),
            Name::Sub => text(sub),
            Name::Jti => text(jti),
            Name::Aud => aud.as_ref().map(|aud| CapturedValue::audiences(aud, self.payload, resolved)),
            Name::Exp => exp.map(CapturedValue::Date),
            Name::Nbf => nbf.map(CapturedValue::Date),
            Name::Iat => iat.map(CapturedValue::Date),
        }
    }
}

/// The payload is refused, even if `T` accepts it.
struct Refused;

/// The members that `T` gets to see.
#[derive(Clone, Copy)]
struct Shown {
    /// A bit for each registered name.
    registered: u8,
    /// The fields of `T`, if it declares them.
    fields: &'static [&'static str],
}

impl Shown {
    const ALL: Self = Self { registered: u8::MAX, fields: &[] };
    const NOTHING: Self = Self { registered: 0, fields: &[] };

    /// Selects the registered names among `fields`.
    fn declared(fields: &'static [&'static str]) -> Self {
        let bits = fields.iter().filter_map(|field| Name::of(field)).map(Name::bit);
        Self { registered: bits.fold(0, |all, bit| all | bit), fields }
    }

    #[inline]
    const fn includes(self, name: Name) -> bool {
        self.registered & name.bit() != 0
    }

    /// Returns the field of `T` with this name.
    fn field(self, name: &str) -> Option<&'static str> {
        self.fields.iter().copied().find(|field| *field == name)
    }
}

/// The deserializer that `T` reads from.
struct ClaimsDeserializer<'r, 'c, 'a, 'de> {
    reader: &'r mut json::Reader<'de>,
    capture: &'c mut Capture<'a, 'de>,
}

impl<'de> ClaimsDeserializer<'_, '_, '_, 'de> {
    fn object<V: Visitor<'de>>(self, shown: Shown, visitor: V) -> Result<V::Value, json::Error> {
        let read = self.reader.deserialize_map(ClaimsVisitor { capture: &mut *self.capture, shown, visitor });
        self.capture.end(&read);
        read
    }

    /// Reads everything, only for the policy: the type reads none of it.
    fn nothing<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, json::Error> {
        self.capture.read_alone(self.reader)?;
        visitor.visit_unit()
    }

    /// Reports that claims are read into a struct, a map or nothing.
    fn not_an_object<R>(self) -> Result<R, json::Error> {
        self.capture.progress = Progress::NotAnObject;
        Err(json::Error::custom("claims are read into a struct or a map"))
    }
}

impl<'de> Deserializer<'de> for ClaimsDeserializer<'_, '_, '_, 'de> {
    type Error = json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.object(Shown::ALL, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        if name.starts_with(RESERVED) {
            return self.not_an_object();
        }
        self.object(Shown::declared(fields), visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        if name.starts_with(RESERVED) {
            return self.not_an_object();
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.nothing(visitor)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.nothing(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.nothing(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
        self.not_an_object()
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Self::Error> {
        self.not_an_object()
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        _: V,
    ) -> Result<V::Value, Self::Error> {
        self.not_an_object()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Self::Error> {
        self.not_an_object()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf map identifier
    }
}

/// Gives `T`'s visitor a [`ClaimsAccess`] in place of the JSON object.
struct ClaimsVisitor<'c, 'a, 'de, V> {
    capture: &'c mut Capture<'a, 'de>,
    shown: Shown,
    visitor: V,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for ClaimsVisitor<'_, '_, 'de, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let Self { capture, shown, visitor } = self;
        capture.progress = Progress::Entered;
        let access = ClaimsAccess { map, capture: &mut *capture, shown, current: Current::None };
        visitor.visit_map(access).map_err(|fault| match fault {
            Fault::Error(error) => error,
            Fault::Missing(field) => {
                capture.misfit = Some(Misfit::Missing(field));
                json::stop()
            }
            Fault::Noted => json::stop(),
        })
    }
}

/// The member that `T` has received the name of, and has not read the value of.
enum Current<'de> {
    None,
    Registered(Name),
    Private(Cow<'de, str>),
}

/// The object as `T` sees it.
struct ClaimsAccess<'c, 'a, 'de, A> {
    map: A,
    capture: &'c mut Capture<'a, 'de>,
    shown: Shown,
    current: Current<'de>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for ClaimsAccess<'_, '_, 'de, A> {
    type Error = Fault<A::Error>;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Self::Error> {
        if self.capture.unread {
            self.capture.doubted.set(true);
        }
        self.advance()?;
        let name = match &self.current {
            Current::None => return Ok(None),
            Current::Registered(name) => CapturedValue::Borrowed(name.text()),
            Current::Private(name) => CapturedValue::name(name),
        };
        let shown = seed.deserialize(CapturedDeserializer::new(name));
        if shown.is_err() {
            // `T` did not understand the name, so it does not get the value.
            self.current = Current::None;
        }
        shown.map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Self::Error> {
        match core::mem::replace(&mut self.current, Current::None) {
            Current::Private(name) => {
                self.capture.unread = false;
                // The object itself is the first level.
                let levels = self.capture.rules.limits.depth.saturating_sub(1);
                let seed = Watch { inner: seed, notes: Notes::new(&self.capture.doubted, levels) };
                self.map.next_value_seed(seed).map_err(|error| {
                    self.capture.misfit = self.shown.field(&name).map(Misfit::Field);
                    self.doubt(error)
                })
            }
            Current::Registered(name) => {
                let value = self.capture.shown(name).ok_or(Fault::Noted)?;
                seed.deserialize(CapturedDeserializer::new(value)).inspect_err(|_| {
                    self.capture.misfit = self.shown.field(name.text()).map(Misfit::Field);
                })
            }
            // The visitor asks for a value before its name.
            Current::None => Err(Fault::custom("a value was asked for before its name")),
        }
    }
}

impl<'de, A: MapAccess<'de>> ClaimsAccess<'_, '_, 'de, A> {
    /// Reads up to the next member that `T` gets to see, and keeps the registered claims before it.
    ///
    /// Not inlined, so that all claims types of a program share it, and reading without a type too.
    #[inline(never)]
    fn advance(&mut self) -> Result<(), Fault<A::Error>> {
        self.current = loop {
            let next = self.map.next_key_seed(NameSeed);
            let Some(name) = next.map_err(|error| self.doubt(error))? else { break Current::None };
            let registered = self.capture.admit(&name).map_err(|Refused| Fault::Noted)?;
            let Some(registered) = registered else {
                self.capture.unread = true;
                break Current::Private(name);
            };
            let kept = self.capture.keep(registered, &name, &mut self.map);
            kept.map_err(|error| self.doubt(error))?;
            if self.shown.includes(registered) {
                break Current::Registered(registered);
            }
        };
        Ok(())
    }

    /// Reads the object to its end.
    fn drain(mut self) -> Result<(), Fault<A::Error>> {
        loop {
            self.advance()?;
            let Current::Private(_) = self.current else { return Ok(()) };
            self.map.next_value::<IgnoredAny>().map_err(Fault::Error)?;
            self.capture.unread = false;
        }
    }

    /// Notes an error that `T` receives and may ignore.
    fn doubt(&self, error: A::Error) -> Fault<A::Error> {
        self.capture.doubted.set(true);
        Fault::Error(error)
    }
}

/// Reads an object to its end without a claims type.
struct Alone<'c, 'a, 'de>(&'c mut Capture<'a, 'de>);

impl<'de> Visitor<'de> for Alone<'_, '_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of claims")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let Self(capture) = self;
        capture.progress = Progress::Entered;
        let access = ClaimsAccess { map, capture, shown: Shown::NOTHING, current: Current::None };
        access.drain().map_err(|fault| match fault {
            Fault::Error(error) => error,
            Fault::Missing(_) | Fault::Noted => json::stop(),
        })
    }
}

/// Reads `aud`: a string, or an array of strings.
struct AudienceSeed<'d, 'o> {
    document: &'d str,
    limit: usize,
    /// Set when there are more than `limit`.
    over: &'o mut bool,
    /// Filled in place, because moving it is expensive.
    into: &'o mut Audiences,
    resolved: &'o mut Resolved,
}

impl<'de> DeserializeSeed<'de> for AudienceSeed<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        // No number is accepted, so it does not matter what `deserialize_any` does with numbers.
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for AudienceSeed<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string or an array of strings")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<(), E> {
        if self.limit == 0 {
            *self.over = true;
            return Err(json::stop());
        }
        let text = self.resolved.place(self.document, text).ok_or_else(json::stop)?;
        self.into.push(text);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        self.into.array = true;
        loop {
            let seed = TextSeed { document: self.document, resolved: &mut *self.resolved };
            let Some(text) = sequence.next_element_seed(seed)? else { return Ok(()) };
            if self.into.len() >= self.limit {
                *self.over = true;
                return Err(json::stop());
            }
            self.into.push(text);
        }
    }
}
