//! Writes the registered claims and the members of `T` as one object in which no name occurs twice.

use crate::claims::decode::read_value;
use crate::claims::{Claims, Expiry, Name, Registered, serialize_audience};
use crate::error::SignError;
use crate::header::Chosen;
use crate::json::{self, Names, RESERVED};
use crate::jws::Prepared;
use crate::key::{Key, SignKey};
use crate::numeric_date::NumericDate;
use crate::time::UnixTime;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use serde::de::Deserialize;
use serde::ser::{Impossible, Serialize, SerializeMap, SerializeStruct, Serializer};

impl<T: Serialize> Claims<T> {
    /// Signs the claims.
    ///
    /// # Errors
    ///
    /// - [`SignError::MissingExpiration`], [`SignError::ContradictoryTimes`], [`SignError::NoClock`].
    /// - [`SignError::DuplicateClaim`] for a name that would occur twice.
    /// - [`SignError::MalformedClaim`] for a registered claim that no verifier would accept.
    /// - [`SignError::ClaimsNotAnObject`], [`SignError::ReservedName`], [`SignError::Serialize`] for a `T` that
    ///   makes no claims.
    /// - [`SignError::InvalidHeader`] for an empty or overlong `typ`.
    /// - [`SignError::Entropy`], [`SignError::SigningFailed`] from the key.
    ///
    /// Signing does not check limits. Claims of a `T` that is nested deeper, or that are more or longer than the
    /// [`Limits`](crate::Limits) of a verifier, are signed, and that verifier refuses them.
    ///
    /// # Examples
    ///
    /// ```
    /// use countersign::{Claims, HmacKey, SecretBytes, SignError};
    ///
    /// let key = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    /// let error = Claims::registered().subject("user123").sign(&key).unwrap_err();
    /// assert_eq!(error, SignError::MissingExpiration);
    /// # Ok::<(), countersign::KeyError>(())
    /// ```
    pub fn sign(&self, key: &(impl SignKey + ?Sized)) -> Result<String, SignError> {
        self.prepare(key)?.sign(key)
    }

    /// Prepares the bytes for a key elsewhere that signs them: an HSM, a KMS, an asynchronous call.
    ///
    /// # Errors
    ///
    /// As [`sign`](Self::sign), except those of the key.
    ///
    /// # Examples
    ///
    /// ```
    /// use core::time::Duration;
    /// use countersign::{Algorithm, Claims, Identity, HmacKey, SecretBytes, SignKey};
    /// # let kms = HmacKey::hs256(&SecretBytes::from_bytes([7; 32]))?;
    ///
    /// let key = Identity::new(Algorithm::Hs256).with_key_id("kms/7")?;
    /// let prepared = Claims::registered().subject("user123").expires_in(Duration::from_secs(900)).prepare(&key)?;
    /// let signature = kms.sign_bytes(prepared.signing_input())?; // or `.await` a service
    /// let token = prepared.finish(signature.as_bytes())?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prepare(&self, key: &(impl Key + ?Sized)) -> Result<Prepared, SignError> {
        let payload = self.payload()?;
        let chosen = Chosen {
            typ: Some(self.typ.as_deref().unwrap_or("JWT")),
            content_type: self.content_type.as_deref(),
            unencoded: false,
            others: &self.header,
        };
        Prepared::new(key, &chosen, &payload)
    }

    /// Writes the claims as JSON.
    fn payload(&self) -> Result<Vec<u8>, SignError> {
        let mut merge = Merge::new(self.times()?);
        let written = merge.builders(self).and_then(|()| self.claims.serialize(ClaimsSerializer(&mut merge)));
        if let Some(refusal) = merge.refusal {
            return Err(refusal);
        }
        written.map_err(|_| SignError::Serialize)?;
        self.check_times(&merge.registered)?;
        Ok(merge.object.finish())
    }

    /// Returns the times that the builder sets.
    fn times(&self) -> Result<Registered, SignError> {
        let date = |time: Option<UnixTime>, claim| {
            time.map(|time| {
                NumericDate::new(time)
                    .ok_or(SignError::MalformedClaim { claim, found: Some("a number beyond it") })
            })
            .transpose()
        };
        let (exp, iat) = match self.expiry {
            Expiry::Unset | Expiry::Never => (None, self.issued_at),
            Expiry::At(moment) => (Some(moment), self.issued_at),
            Expiry::In(lifetime) => {
                let issued_at = self.issued_at.or_else(clock).ok_or(SignError::NoClock)?;
                (Some(issued_at.saturating_add(lifetime)), Some(issued_at))
            }
        };
        Ok(Registered {
            exp: date(exp, "exp")?,
            nbf: date(self.not_before, "nbf")?,
            iat: date(iat, "iat")?,
            ..Registered::default()
        })
    }

    /// Checks the times of the builder and of `T` together.
    fn check_times(&self, registered: &Registered) -> Result<(), SignError> {
        let never = matches!(self.expiry, Expiry::Never);
        let exp = match registered.exp.map(NumericDate::time) {
            Some(_) if never => return Err(SignError::DuplicateClaim { claim: Cow::Borrowed("exp") }),
            Some(exp) => exp,
            None if never => return Ok(()),
            None => return Err(SignError::MissingExpiration),
        };
        let reached = |time: Option<NumericDate>| time.is_some_and(|time| exp <= time.time());
        if reached(registered.iat) || reached(registered.nbf) {
            return Err(SignError::ContradictoryTimes);
        }
        Ok(())
    }
}

#[cfg(all(feature = "std", not(all(target_arch = "wasm32", target_os = "unknown"))))]
#[allow(clippy::unnecessary_wraps, reason = "not every target has a clock")]
fn clock() -> Option<UnixTime> {
    Some(UnixTime::now())
}

#[cfg(any(not(feature = "std"), all(target_arch = "wasm32", target_os = "unknown")))]
fn clock() -> Option<UnixTime> {
    None
}

/// Returns an error that only means "stop". [`Merge`] has noted what is wrong.
fn stop() -> json::Error {
    serde::ser::Error::custom("refused")
}

/// The builder's `aud`, if it has several entries.
struct Several<'a>(&'a [String]);

impl Serialize for Several<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_audience(self.0, serializer)
    }
}

/// The object being written, and notes about the claims written so far.
struct Merge {
    object: json::Object,
    /// The times from the builder and from `T`.
    registered: Registered,
    refusal: Option<SignError>,
    /// The names written so far: a bit for each registered one, and the others.
    met: u8,
    names: Names<'static>,
}

impl Merge {
    #[inline]
    fn new(registered: Registered) -> Self {
        Self { object: json::Object::new(), registered, refusal: None, met: 0, names: Names::new() }
    }

    /// Writes the builder's claims.
    fn builders<T>(&mut self, claims: &Claims<T>) -> Result<(), json::Error> {
        self.own_text(Name::Iss, claims.issuer.as_deref())?;
        self.own_text(Name::Sub, claims.subject.as_deref())?;
        match &*claims.audience {
            [] => {}
            [only] => self.own_text(Name::Aud, Some(only))?,
            several => self.own(Name::Aud, &Several(several))?,
        }
        let Registered { exp, nbf, iat, .. } = self.registered;
        for (name, date) in [(Name::Exp, exp), (Name::Nbf, nbf), (Name::Iat, iat)] {
            if let Some(date) = date {
                self.own(name, &date)?;
            }
        }
        self.own_text(Name::Jti, claims.jwt_id.as_deref())
    }

    fn own_text(&mut self, name: Name, text: Option<&str>) -> Result<(), json::Error> {
        let Some(text) = text else { return Ok(()) };
        self.met |= name.bit();
        self.object.known_text(name.member_start(), text)
    }

    fn own(&mut self, name: Name, value: &impl Serialize) -> Result<(), json::Error> {
        self.met |= name.bit();
        self.object.known(name.member_start(), value)
    }

    /// Writes a member of `T`.
    fn member<V: Serialize + ?Sized>(
        &mut self,
        name: Cow<'static, str>,
        value: &V,
    ) -> Result<(), json::Error> {
        if name.starts_with(RESERVED) {
            return self.refuse(SignError::ReservedName);
        }
        if let Some(registered) = Name::of(&name) {
            return self.registered_member(registered, value);
        }
        if !self.names.insert(name.clone()) {
            return self.refuse(SignError::DuplicateClaim { claim: name });
        }
        // A type that ignores the error would leave half a member in the object.
        self.object.member(&name, value).inspect_err(|_| {
            self.refusal.get_or_insert(SignError::Serialize);
        })
    }

    /// Writes a registered claim of `T`: first into a buffer, to be read as a verifier will read it. The value read is the
    /// value signed, because the type may serialise differently the next time.
    fn registered_member<V: Serialize + ?Sized>(&mut self, name: Name, value: &V) -> Result<(), json::Error> {
        if is_none(value) {
            return Ok(());
        }
        let Ok(text) = json::to_text(value) else { return self.refuse(SignError::Serialize) };
        if self.met & name.bit() != 0 {
            return self.refuse(SignError::DuplicateClaim { claim: Cow::Borrowed(name.text()) });
        }
        if let Err(found) = read_value(name, &text, &mut self.registered) {
            return self.refuse(SignError::MalformedClaim { claim: name.text(), found });
        }
        self.met |= name.bit();
        // Some servers refuse a float, even one without a fraction: `1700000000.0`.
        match self.registered.date(name).and_then(NumericDate::whole) {
            Some(seconds) => self.object.known(name.member_start(), &seconds),
            None => {
                self.object.known_json(name.member_start(), &text);
                Ok(())
            }
        }
    }

    fn refuse(&mut self, refusal: SignError) -> Result<(), json::Error> {
        self.refusal.get_or_insert(refusal);
        Err(stop())
    }
}

/// The serializer that `T` writes to: it accepts a struct, a map or nothing.
struct ClaimsSerializer<'m>(&'m mut Merge);

impl ClaimsSerializer<'_> {
    fn not_an_object<R>(self) -> Result<R, json::Error> {
        self.0.refuse(SignError::ClaimsNotAnObject).and_then(|()| Err(stop()))
    }
}

macro_rules! refuse {
    ($($method:ident($($kind:ty),*)),* $(,)?) => {$(
        fn $method(self $(, _: $kind)*) -> Result<(), json::Error> {
            self.not_an_object()
        }
    )*};
}

impl<'m> Serializer for ClaimsSerializer<'m> {
    type Ok = ();
    type Error = json::Error;
    type SerializeSeq = Impossible<(), json::Error>;
    type SerializeTuple = Impossible<(), json::Error>;
    type SerializeTupleStruct = Impossible<(), json::Error>;
    type SerializeTupleVariant = Impossible<(), json::Error>;
    type SerializeMap = MapMembers<'m>;
    type SerializeStruct = StructMembers<'m>;
    type SerializeStructVariant = Impossible<(), json::Error>;

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<StructMembers<'m>, json::Error> {
        if name.starts_with(RESERVED) {
            return self.not_an_object();
        }
        Ok(StructMembers(self.0))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<MapMembers<'m>, json::Error> {
        Ok(MapMembers { merge: self.0, name: None })
    }

    fn serialize_unit(self) -> Result<(), json::Error> {
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), json::Error> {
        Ok(())
    }

    fn serialize_none(self) -> Result<(), json::Error> {
        Ok(())
    }

    fn serialize_some<V: Serialize + ?Sized>(self, value: &V) -> Result<(), json::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<V: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &V,
    ) -> Result<(), json::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<V: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &V,
    ) -> Result<(), json::Error> {
        self.not_an_object()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self::SerializeSeq, json::Error> {
        self.not_an_object()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, json::Error> {
        self.not_an_object()
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, json::Error> {
        self.not_an_object()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, json::Error> {
        self.not_an_object()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, json::Error> {
        self.not_an_object()
    }

    refuse! {
        serialize_bool(bool), serialize_i8(i8), serialize_i16(i16), serialize_i32(i32), serialize_i64(i64),
        serialize_i128(i128), serialize_u8(u8), serialize_u16(u16), serialize_u32(u32), serialize_u64(u64),
        serialize_u128(u128), serialize_f32(f32), serialize_f64(f64), serialize_char(char), serialize_str(&str),
        serialize_bytes(&[u8]), serialize_unit_variant(&'static str, u32, &'static str),
    }
}

/// The members of a struct.
struct StructMembers<'m>(&'m mut Merge);

impl SerializeStruct for StructMembers<'_> {
    type Ok = ();
    type Error = json::Error;

    fn serialize_field<V: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &V,
    ) -> Result<(), json::Error> {
        self.0.member(Cow::Borrowed(name), value)
    }

    fn end(self) -> Result<(), json::Error> {
        Ok(())
    }
}

/// The members of a map.
struct MapMembers<'m> {
    merge: &'m mut Merge,
    name: Option<String>,
}

impl SerializeMap for MapMembers<'_> {
    type Ok = ();
    type Error = json::Error;

    fn serialize_key<K: Serialize + ?Sized>(&mut self, key: &K) -> Result<(), json::Error> {
        self.name = name_text(key);
        if self.name.is_some() { Ok(()) } else { self.merge.refuse(SignError::ClaimsNotAnObject) }
    }

    fn serialize_value<V: Serialize + ?Sized>(&mut self, value: &V) -> Result<(), json::Error> {
        match self.name.take() {
            Some(name) => self.merge.member(Cow::Owned(name), value),
            None => self.merge.refuse(SignError::Serialize),
        }
    }

    fn end(self) -> Result<(), json::Error> {
        Ok(())
    }
}

/// Returns the text that a map's key serialises as, if it is text.
fn name_text<K: Serialize + ?Sized>(key: &K) -> Option<String> {
    let json = json::to_text(key).ok()?;
    json::read(&json, |reader| String::deserialize(reader)).ok()
}

/// Returns whether `value` is `None` or `()`. Its JSON cannot tell: a number such as NaN is `null` there too.
fn is_none<V: Serialize + ?Sized>(value: &V) -> bool {
    value.serialize(IsNone).unwrap_or(false)
}

/// A serializer that answers `true` for `None` and `()`. An error counts as `false`.
struct IsNone;

macro_rules! is_something {
    ($($method:ident($($kind:ty),*) -> $answer:ty),* $(,)?) => {$(
        fn $method(self $(, _: $kind)*) -> Result<$answer, fmt::Error> {
            Err(fmt::Error)
        }
    )*};
}

impl Serializer for IsNone {
    type Ok = bool;
    type Error = fmt::Error;
    type SerializeSeq = Impossible<bool, fmt::Error>;
    type SerializeTuple = Impossible<bool, fmt::Error>;
    type SerializeTupleStruct = Impossible<bool, fmt::Error>;
    type SerializeTupleVariant = Impossible<bool, fmt::Error>;
    type SerializeMap = Impossible<bool, fmt::Error>;
    type SerializeStruct = Impossible<bool, fmt::Error>;
    type SerializeStructVariant = Impossible<bool, fmt::Error>;

    fn serialize_none(self) -> Result<bool, fmt::Error> {
        Ok(true)
    }

    fn serialize_unit(self) -> Result<bool, fmt::Error> {
        Ok(true)
    }

    fn serialize_some<V: Serialize + ?Sized>(self, value: &V) -> Result<bool, fmt::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<V: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &V,
    ) -> Result<bool, fmt::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<V: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &V,
    ) -> Result<bool, fmt::Error> {
        Err(fmt::Error)
    }

    is_something! {
        serialize_bool(bool) -> bool, serialize_i8(i8) -> bool, serialize_i16(i16) -> bool,
        serialize_i32(i32) -> bool, serialize_i64(i64) -> bool, serialize_u8(u8) -> bool,
        serialize_u16(u16) -> bool, serialize_u32(u32) -> bool, serialize_u64(u64) -> bool,
        serialize_f32(f32) -> bool, serialize_f64(f64) -> bool, serialize_char(char) -> bool,
        serialize_str(&str) -> bool, serialize_bytes(&[u8]) -> bool,
        serialize_unit_struct(&'static str) -> bool,
        serialize_unit_variant(&'static str, u32, &'static str) -> bool,
        serialize_seq(Option<usize>) -> Self::SerializeSeq,
        serialize_tuple(usize) -> Self::SerializeTuple,
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct,
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant,
        serialize_map(Option<usize>) -> Self::SerializeMap,
        serialize_struct(&'static str, usize) -> Self::SerializeStruct,
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant,
    }
}
