//! Presents captured values to a claims type as the JSON itself would.

use crate::claims::Audiences;
use crate::json::{RESERVED, Resolved, Text};
use crate::numeric_date::NumericDate;
use alloc::borrow::Cow;
use core::fmt;
use core::marker::PhantomData;
use serde::de::value::StrDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, Expected, SeqAccess, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

/// An error while `T` reads the payload: an error of the JSON or of `T`, or the name of a missing field. The message of an
/// error may contain token text, so it is not printed.
pub(crate) enum Fault<E> {
    Error(E),
    Missing(&'static str),
    /// The capture already holds the error.
    Noted,
}

impl<E: Error> Error for Fault<E> {
    fn custom<M: fmt::Display>(message: M) -> Self {
        Self::Error(E::custom(message))
    }

    // The JSON reader's own wording. This also takes less code than serde's default methods.
    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Error(E::invalid_type(found, expected))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::Error(E::invalid_value(found, expected))
    }

    fn invalid_length(length: usize, expected: &dyn Expected) -> Self {
        Self::Error(E::invalid_length(length, expected))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        Self::Error(E::unknown_variant(variant, expected))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::Error(E::unknown_field(field, expected))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::Error(E::duplicate_field(field))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

impl<E> fmt::Debug for Fault<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fault")
    }
}

impl<E> fmt::Display for Fault<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("claims do not fit")
    }
}

impl<E> core::error::Error for Fault<E> {}

/// The value of a registered claim, or the name of a private one.
#[derive(Clone, Copy)]
pub(crate) enum CapturedValue<'x, 'de> {
    Date(NumericDate),
    Borrowed(&'de str),
    Text(&'x str),
    Audiences(&'x Audiences, &'x Resolved, &'de str),
}

impl<'x, 'de> CapturedValue<'x, 'de> {
    pub(crate) fn text(text: Text, document: &'de str, resolved: &'x Resolved) -> Self {
        match text.borrowed(document) {
            Some(text) => Self::Borrowed(text),
            None => Self::Text(resolved.get(text, document).unwrap_or_default()),
        }
    }

    pub(crate) fn audiences(audiences: &'x Audiences, document: &'de str, resolved: &'x Resolved) -> Self {
        match (audiences.array, audiences.iter().next()) {
            (false, Some(only)) => Self::text(only, document, resolved),
            _ => Self::Audiences(audiences, resolved, document),
        }
    }

    pub(crate) fn name(name: &'x Cow<'de, str>) -> Self {
        match name {
            Cow::Borrowed(name) => Self::Borrowed(name),
            Cow::Owned(name) => Self::Text(name),
        }
    }
}

/// Presents a [`CapturedValue`] to `T` as the JSON itself would, also as an option, a newtype or a unit variant.
pub(crate) struct CapturedDeserializer<'x, 'de, E> {
    value: CapturedValue<'x, 'de>,
    error: PhantomData<E>,
}

impl<'x, 'de, E> CapturedDeserializer<'x, 'de, E> {
    pub(crate) const fn new(value: CapturedValue<'x, 'de>) -> Self {
        Self { value, error: PhantomData }
    }
}

impl<'de, E: Error> Deserializer<'de> for CapturedDeserializer<'_, 'de, E> {
    type Error = Fault<E>;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.value {
            CapturedValue::Date(NumericDate::Whole(seconds)) => match u64::try_from(seconds) {
                Ok(seconds) => visitor.visit_u64(seconds),
                Err(_) => visitor.visit_i64(seconds),
            },
            CapturedValue::Date(NumericDate::Fraction(seconds)) => visitor.visit_f64(seconds),
            CapturedValue::Borrowed(text) => visitor.visit_borrowed_str(text),
            CapturedValue::Text(text) => visitor.visit_str(text),
            CapturedValue::Audiences(audiences, resolved, document) => {
                let texts = audiences.iter().map(|text| CapturedValue::text(text, document, resolved));
                visitor.visit_seq(CapturedSequence { texts, error: PhantomData })
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        // `RawValue` cannot be served: the raw text has been consumed.
        if name.starts_with(RESERVED) {
            return Err(Fault::custom("a registered claim cannot be read as raw JSON"));
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        match self.value {
            CapturedValue::Borrowed(text) | CapturedValue::Text(text) => {
                visitor.visit_enum(StrDeserializer::new(text))
            }
            CapturedValue::Date(_) | CapturedValue::Audiences(..) => {
                Err(Fault::custom("a registered claim that is not text cannot be read as an enum"))
            }
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        match self.value {
            CapturedValue::Borrowed(text) => visitor.visit_borrowed_bytes(text.as_bytes()),
            CapturedValue::Text(text) => visitor.visit_bytes(text.as_bytes()),
            CapturedValue::Date(_) | CapturedValue::Audiences(..) => self.deserialize_any(visitor),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string unit unit_struct seq tuple
        tuple_struct map struct identifier
    }
}

/// The entries of `aud`, presented one by one.
struct CapturedSequence<I, E> {
    texts: I,
    error: PhantomData<E>,
}

impl<'x, 'de: 'x, I, E> SeqAccess<'de> for CapturedSequence<I, E>
where
    I: Iterator<Item = CapturedValue<'x, 'de>>,
    E: Error,
{
    type Error = Fault<E>;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Self::Error> {
        let Some(text) = self.texts.next() else { return Ok(None) };
        seed.deserialize(CapturedDeserializer::new(text)).map(Some)
    }
}
