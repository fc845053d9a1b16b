//! Watches a claims type while it reads a value: notes whether the type got an error, and limits how deep it reads.
//!
//! A type may ignore an error and read on. The reader is then in the middle of a value, perhaps inside a string, so it may
//! mistake text for structure. Everything that it reads afterwards cannot be trusted, and may be nested deeper than
//! `json::check_text` has counted. So this module counts the levels again while the type enters them.

use crate::json::RESERVED;
use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Unexpected, VariantAccess,
    Visitor,
};

/// What is noted while a value is read, and how many levels deeper the type may read.
#[derive(Clone, Copy)]
pub(crate) struct Notes<'f> {
    failed: &'f Cell<bool>,
    /// How many more arrays and objects may be entered.
    levels: usize,
    reading: Reading,
}

/// Which part of the JSON is being read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reading {
    Value,
    Key,
    /// A key that must be one of the reserved keys of `serde_json`.
    ReservedKey,
}

impl<'f> Notes<'f> {
    /// Makes notes that set `failed` on every error. A value may have `levels` levels of arrays and objects.
    pub(crate) const fn new(failed: &'f Cell<bool>, levels: usize) -> Self {
        Self { failed, levels, reading: Reading::Value }
    }

    fn result<T, E>(self, result: Result<T, E>) -> Result<T, E> {
        if result.is_err() {
            self.failed.set(true);
        }
        result
    }

    /// Enters one more level.
    ///
    /// Never fails for a type that passes its errors on, because `json::check_text` has counted the levels before.
    fn enter<E: Error>(self) -> Result<Self, E> {
        let levels = self.levels.checked_sub(1).ok_or_else(too_deep);
        self.result(levels).map(|levels| Self { levels, reading: Reading::Value, ..self })
    }

    /// Enters a map, and returns how its keys are read.
    ///
    /// With its features `raw_value` and `arbitrary_precision`, `serde_json` represents raw text and numbers as a map with one
    /// reserved key. Such a map does not count as a level, so it may be entered when no level is left.
    fn enter_map(self) -> (Self, Reading) {
        match self.levels.checked_sub(1) {
            Some(levels) => (Self { levels, reading: Reading::Value, ..self }, Reading::Key),
            None => (Self { reading: Reading::Value, ..self }, Reading::ReservedKey),
        }
    }

    /// Refuses any other key in a map that may only have reserved keys.
    fn check_key<E: Error>(self, key: &str) -> Result<(), E> {
        let refused = self.reading == Reading::ReservedKey && !key.starts_with(RESERVED);
        if refused { Err(too_deep()) } else { Ok(()) }
    }

    /// Passes `inner` to `read`. If `read` succeeds without asking for the value, notes a failure, because the JSON reader has
    /// then not read past the value.
    fn hand<X, T, E>(self, inner: X, read: impl FnOnce(Asked<'_, X>) -> Result<T, E>) -> Result<T, E> {
        let asked = Cell::new(false);
        let value = read(Asked { inner, notes: self, asked: &asked })?;
        if !asked.get() {
            self.failed.set(true);
        }
        Ok(value)
    }
}

fn too_deep<E: Error>() -> E {
    E::custom("nested too deeply")
}

/// A wrapper around a seed, a visitor or an access of serde that notes errors on their way to the claims type.
pub(crate) struct Watch<'f, X> {
    pub(crate) inner: X,
    pub(crate) notes: Notes<'f>,
}

impl<'f, X> Watch<'f, X> {
    /// Wraps `inner` with the same notes.
    const fn over<Y>(&self, inner: Y) -> Watch<'f, Y> {
        Watch { inner, notes: self.notes }
    }
}

/// A value, or the content of an enum's variant. It must be asked for once, because otherwise the JSON reader does not read
/// past it.
struct Asked<'f, X> {
    inner: X,
    notes: Notes<'f>,
    asked: &'f Cell<bool>,
}

impl<'f, X> Asked<'f, X> {
    fn ask(self) -> (X, Notes<'f>) {
        self.asked.set(true);
        (self.inner, self.notes)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Watch<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.notes.hand(deserializer, |deserializer| self.inner.deserialize(deserializer))
    }
}

macro_rules! deserialize {
    ($($method:ident($($argument:ident: $kind:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            let (inner, notes) = self.ask();
            notes.result(inner.$method($($argument,)* Watch { inner: visitor, notes }))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Asked<'_, D> {
    type Error = D::Error;

    deserialize! {
        deserialize_any() deserialize_i8() deserialize_i16() deserialize_i32()
        deserialize_i64() deserialize_i128() deserialize_u8() deserialize_u16() deserialize_u32()
        deserialize_u64() deserialize_u128() deserialize_f32() deserialize_f64() deserialize_char()
        deserialize_str() deserialize_string() deserialize_bytes() deserialize_byte_buf() deserialize_option()
        deserialize_unit() deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str) deserialize_seq() deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize) deserialize_map()
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier() deserialize_ignored_any()
    }

    /// Reads a boolean key as text, because `serde_json` cuts characters in half when it looks for a boolean in a key.
    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let (inner, notes) = self.ask();
        let visitor = Watch { inner: visitor, notes };
        notes.result(match notes.reading {
            Reading::Value => inner.deserialize_bool(visitor),
            Reading::Key | Reading::ReservedKey => inner.deserialize_str(BooleanKey(visitor)),
        })
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// Passes the keys `true` and `false` on as booleans.
struct BooleanKey<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for BooleanKey<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    /// Reads a key without escapes. Such a key is always borrowed, and `serde_json` accepts no other key as a boolean.
    fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<V::Value, E> {
        match key {
            "true" => self.0.visit_bool(true),
            "false" => self.0.visit_bool(false),
            _ => Err(E::invalid_type(Unexpected::Other("a name"), &self)),
        }
    }
}

macro_rules! visit {
    ($($method:ident($($kind:ty)?))*) => {$(
        fn $method<E: Error>(self $(, value: $kind)?) -> Result<V::Value, E> {
            self.inner.$method($({ let value: $kind = value; value })?)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Watch<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    visit! {
        visit_bool(bool) visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128) visit_u8(u8)
        visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128) visit_f32(f32) visit_f64(f64)
        visit_char(char) visit_bytes(&[u8])
        visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>) visit_none() visit_unit()
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V::Value, E> {
        self.notes.check_key(text)?;
        self.inner.visit_str(text)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<V::Value, E> {
        self.notes.check_key(text)?;
        self.inner.visit_borrowed_str(text)
    }

    fn visit_string<E: Error>(self, text: String) -> Result<V::Value, E> {
        self.notes.check_key(&text)?;
        self.inner.visit_string(text)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.notes.hand(deserializer, |deserializer| self.inner.visit_some(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.notes.hand(deserializer, |deserializer| self.inner.visit_newtype_struct(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<V::Value, A::Error> {
        let sequence = Watch { inner: sequence, notes: self.notes.enter()? };
        self.inner.visit_seq(sequence)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let (notes, keys) = self.notes.enter_map();
        self.inner.visit_map(WatchMap { map: Watch { inner: map, notes }, keys, pending: false })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        self.notes.hand(access, |access| self.inner.visit_enum(access))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Watch<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.over(seed);
        self.notes.result(self.inner.next_element_seed(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// A map. `pending` is true while the type has a name but has not asked for its value. The JSON reader has then not read past
/// the value.
struct WatchMap<'f, A> {
    map: Watch<'f, A>,
    keys: Reading,
    pending: bool,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WatchMap<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let skipped = core::mem::replace(&mut self.pending, true);
        let notes = self.map.notes;
        let seed = Watch { inner: seed, notes: Notes { reading: self.keys, ..notes } };
        let next = notes.result(self.map.inner.next_key_seed(seed))?;
        self.pending = next.is_some();
        if skipped {
            notes.failed.set(true);
        }
        Ok(next)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.pending = false;
        let (seed, notes) = (self.map.over(seed), self.map.notes);
        notes.result(self.map.inner.next_value_seed(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.map.inner.size_hint()
    }
}

impl<A> Drop for WatchMap<'_, A> {
    fn drop(&mut self) {
        if self.pending {
            self.map.notes.failed.set(true);
        }
    }
}

impl<'de, 'f, A: EnumAccess<'de>> EnumAccess<'de> for Asked<'f, A> {
    type Error = A::Error;
    type Variant = Asked<'f, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let Self { inner, notes, asked } = self;
        // The name of a variant has no levels.
        let name = Watch { inner: seed, notes: Notes { levels: 0, ..notes } };
        let (value, inner) = notes.result(inner.variant_seed(name))?;
        Ok((value, Asked { inner, notes, asked }))
    }
}

/// Each method except `unit_variant` enters one level, because JSON writes a variant with content as an object with one member.
/// (A string can only be a unit variant. The reader refuses a string for the other kinds.)
impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Asked<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        let (inner, notes) = self.ask();
        notes.result(inner.unit_variant())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let (inner, notes) = self.ask();
        notes.result(inner.newtype_variant_seed(Watch { inner: seed, notes: notes.enter()? }))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        let (inner, notes) = self.ask();
        notes.result(inner.tuple_variant(length, Watch { inner: visitor, notes: notes.enter()? }))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let (inner, notes) = self.ask();
        notes.result(inner.struct_variant(fields, Watch { inner: visitor, notes: notes.enter()? }))
    }
}
