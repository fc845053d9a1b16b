//! Notes whether a claims type was shown an error anywhere inside a value.
//!
//! A type may swallow an error, and what it makes of the rest is its own business. But the reader then stands in
//! the middle of a value, so what comes after cannot be trusted, nor that the text was JSON at all.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::Cell;
use core::fmt;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// Something of serde's, whose errors are noted on their way; and so is what was handed out and never asked.
pub(crate) struct Watch<'f, X> {
    pub(crate) inner: X,
    pub(crate) failed: &'f Cell<bool>,
}

impl<'f, X> Watch<'f, X> {
    /// The same watch over `inner`.
    const fn over<Y>(&self, inner: Y) -> Watch<'f, Y> {
        Watch { inner, failed: self.failed }
    }

    fn note<T, E>(failed: &Cell<bool>, result: Result<T, E>) -> Result<T, E> {
        if result.is_err() {
            failed.set(true);
        }
        result
    }

    /// Hands `inner` to `read`. If that succeeds without asking it, the reader has not seen even that there is a value.
    fn hand<Y, T, E>(
        failed: &'f Cell<bool>,
        inner: Y,
        read: impl FnOnce(Asked<'_, Y>) -> Result<T, E>,
    ) -> Result<T, E> {
        let asked = Cell::new(false);
        let value = read(Asked { inner, failed, asked: &asked })?;
        if !asked.get() {
            failed.set(true);
        }
        Ok(value)
    }
}

/// What has to be asked once: a value, or what follows the name of an enum's variant.
struct Asked<'f, X> {
    inner: X,
    failed: &'f Cell<bool>,
    asked: &'f Cell<bool>,
}

impl<'f, X> Asked<'f, X> {
    fn ask(self) -> (X, &'f Cell<bool>) {
        self.asked.set(true);
        (self.inner, self.failed)
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Watch<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        Self::hand(self.failed, deserializer, |deserializer| self.inner.deserialize(deserializer))
    }
}

macro_rules! deserialize {
    ($($method:ident($($argument:ident: $kind:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($argument: $kind,)* visitor: V) -> Result<V::Value, D::Error> {
            let (inner, failed) = self.ask();
            Watch::<D>::note(failed, inner.$method($($argument,)* Watch { inner: visitor, failed }))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Asked<'_, D> {
    type Error = D::Error;

    deserialize! {
        deserialize_any() deserialize_bool() deserialize_i8() deserialize_i16() deserialize_i32()
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

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
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
        visit_char(char) visit_str(&str) visit_borrowed_str(&'de str) visit_string(String) visit_bytes(&[u8])
        visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>) visit_none() visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        Self::hand(self.failed, deserializer, |deserializer| self.inner.visit_some(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        Self::hand(self.failed, deserializer, |deserializer| self.inner.visit_newtype_struct(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<V::Value, A::Error> {
        let sequence = self.over(sequence);
        self.inner.visit_seq(sequence)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        let map = WatchMap { map: self.over(map), pending: false };
        self.inner.visit_map(map)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        Self::hand(self.failed, access, |access| self.inner.visit_enum(access))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Watch<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let seed = self.over(seed);
        Self::note(self.failed, self.inner.next_element_seed(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

/// A map, and whether a name was given out whose value nobody has asked for: then the reader has not seen even
/// that there is one.
struct WatchMap<'f, A> {
    map: Watch<'f, A>,
    pending: bool,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for WatchMap<'_, A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        let skipped = core::mem::replace(&mut self.pending, true);
        let (seed, failed) = (self.map.over(seed), self.map.failed);
        let next = Watch::<A>::note(failed, self.map.inner.next_key_seed(seed))?;
        self.pending = next.is_some();
        if skipped {
            failed.set(true);
        }
        Ok(next)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.pending = false;
        let (seed, failed) = (self.map.over(seed), self.map.failed);
        Watch::<A>::note(failed, self.map.inner.next_value_seed(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.map.inner.size_hint()
    }
}

impl<A> Drop for WatchMap<'_, A> {
    fn drop(&mut self) {
        if self.pending {
            self.map.failed.set(true);
        }
    }
}

impl<'de, 'f, A: EnumAccess<'de>> EnumAccess<'de> for Asked<'f, A> {
    type Error = A::Error;
    type Variant = Asked<'f, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let Self { inner, failed, asked } = self;
        let (value, inner) = Watch::<A>::note(failed, inner.variant_seed(Watch { inner: seed, failed }))?;
        Ok((value, Asked { inner, failed, asked }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Asked<'_, A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        let (inner, failed) = self.ask();
        Watch::<A>::note(failed, inner.unit_variant())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let (inner, failed) = self.ask();
        Watch::<A>::note(failed, inner.newtype_variant_seed(Watch { inner: seed, failed }))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        let (inner, failed) = self.ask();
        Watch::<A>::note(failed, inner.tuple_variant(length, Watch { inner: visitor, failed }))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        let (inner, failed) = self.ask();
        Watch::<A>::note(failed, inner.struct_variant(fields, Watch { inner: visitor, failed }))
    }
}
