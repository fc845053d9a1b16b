//! A claims type that tells how deep it was made to read, and one that ignores errors.

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::cell::Cell;
use std::fmt;

thread_local! {
    static DEEPEST: Cell<usize> = const { Cell::new(0) };
    static LEVEL: Cell<usize> = const { Cell::new(0) };
}

/// Reads any value, and notes the deepest level that it entered, even if reading failed there.
pub(crate) struct Depth;

impl Depth {
    /// Runs `read` and says how deep it went.
    pub(crate) fn measure<T>(read: impl FnOnce() -> T) -> (T, usize) {
        DEEPEST.set(0);
        (read(), DEEPEST.get())
    }

    fn level<T>(read: impl FnOnce() -> T) -> T {
        let level = LEVEL.get() + 1;
        LEVEL.set(level);
        DEEPEST.set(DEEPEST.get().max(level));
        let value = read();
        LEVEL.set(level - 1);
        value
    }
}

impl<'de> Deserialize<'de> for Depth {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Depth;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("anything")
            }
            fn visit_bool<E>(self, _: bool) -> Result<Depth, E> {
                Ok(Depth)
            }
            fn visit_u64<E>(self, _: u64) -> Result<Depth, E> {
                Ok(Depth)
            }
            fn visit_str<E>(self, _: &str) -> Result<Depth, E> {
                Ok(Depth)
            }
            fn visit_unit<E>(self) -> Result<Depth, E> {
                Ok(Depth)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Depth, A::Error> {
                Depth::level(|| {
                    while sequence.next_element::<Depth>()?.is_some() {}
                    Ok(Depth)
                })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Depth, A::Error> {
                // serde_json may show a number as a map of one name, which is no level: so a level begins with its first name.
                if map.next_key::<IgnoredAny>()?.is_none() {
                    return Ok(Depth);
                }
                Depth::level(|| {
                    map.next_value::<Depth>()?;
                    while map.next_entry::<IgnoredAny, Depth>()?.is_some() {}
                    Ok(Depth)
                })
            }
        }
        deserializer.deserialize_any(Any)
    }
}

/// Takes nothing for whatever does not fit, and reads on.
pub(crate) struct Lenient<T>(#[allow(dead_code)] pub(crate) Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Lenient<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(T::deserialize(deserializer).ok()))
    }
}
