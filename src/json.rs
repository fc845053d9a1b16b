//! Reads and writes strict JSON ([RFC 8259](https://www.rfc-editor.org/rfc/rfc8259)). Only this module calls `serde_json`.
//!
//! Our own visitors read headers and claims in one pass. This module checks what a serde visitor cannot see: nesting, duplicate
//! names, names that JSON libraries reserve for themselves, and where reading stopped.

pub(crate) mod members;

use crate::limits::Limits;
use alloc::borrow::Cow;
use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::num::NonZero;
use core::ops::Range;
use serde::Serialize;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, Visitor};

/// The deserializer over one document.
pub(crate) type Reader<'de> = serde_json::Deserializer<serde_json::de::StrRead<'de>>;
/// The error of a [`Reader`].
pub(crate) type Error = serde_json::Error;

/// The prefix of the names under which `serde_json` passes numbers and raw text through serde. Such names are refused, because
/// another crate in the build may enable these features. The claims type would then read another value than we do.
pub(crate) const RESERVED: &str = "$serde_json::private::";

/// How many members are compared with each other on the stack.
const INLINE_NAMES: usize = 32;

/// Why a document is refused before or while it is read. Does not say whether the document is a header or claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A name occurs twice.
    DuplicateMember,
    /// The text is not JSON from this byte on.
    Invalid { offset: usize },
    /// A name begins with [`RESERVED`].
    ReservedMember,
    /// The document is nested deeper than [`Limits`] allow.
    TooDeep { limit: usize },
    /// An object has more names than [`Limits`] allow.
    TooManyMembers { limit: usize },
}

/// Runs `read` over `text`, which must contain one value and nothing else. The error is the place where reading stopped, in
/// bytes from the start.
pub(crate) fn read<'de, T>(
    text: &'de str,
    read: impl FnOnce(&mut Reader<'de>) -> Result<T, Error>,
) -> Result<T, usize> {
    read_or_error(text, read).map_err(|error| offset_of(text, &error))
}

/// Reads like [`read`], but returns the error itself. Its message may contain parts of `text`.
pub(crate) fn read_or_error<'de, T>(
    text: &'de str,
    read: impl FnOnce(&mut Reader<'de>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut reader = Reader::from_str(text);
    // We enforce the depth limit ourselves: `check_text` before reading, and `claims::watch` while a claims type reads. (Our
    // own visitors do not recurse.) serde_json counts one level differently, and miscounts for a type that has ignored an
    // error.
    reader.disable_recursion_limit();
    read(&mut reader).and_then(|value| reader.end().map(|()| value))
}

/// Returns where `text` stops being JSON, or `None` if it is JSON. Accepts a number of any size.
pub(crate) fn broken_at(text: &str) -> Option<usize> {
    read(text, |reader| IgnoredAny::deserialize(reader)).err()
}

/// Converts the line and the column of `error` to bytes from the start of `text`.
pub(crate) fn offset_of(text: &str, error: &Error) -> usize {
    let lines_before = error.line().saturating_sub(1);
    let before: usize =
        text.split_inclusive('\n').take(lines_before).map(str::len).fold(0, usize::saturating_add);
    before.saturating_add(error.column().saturating_sub(1)).min(text.len())
}

/// Refuses nesting that is too deep, and `\u` escapes that encode half a surrogate pair. It runs before the text is read,
/// because a reader that skips members would not notice them.
pub(crate) fn check_text(text: &str, limits: &Limits) -> Result<(), Flaw> {
    // This loop has no branch, so that the compiler counts sixteen bytes at a time. Most documents have few opening brackets,
    // so they cannot be deep, and have no escapes.
    let (mut openers, mut escapes) = (0_usize, 0_u8);
    for chunk in text.as_bytes().chunks(255) {
        let mut count = 0_u8;
        for &byte in chunk {
            // `[` and `{` differ in bit 5 only.
            count = count.wrapping_add(u8::from(byte | 0x20 == b'{'));
            escapes |= u8::from(byte == b'\\');
        }
        openers = openers.saturating_add(usize::from(count));
    }
    if openers > limits.depth && depth(text) > limits.depth {
        return Err(Flaw::TooDeep { limit: limits.depth });
    }
    if escapes > 0
        && let Some(offset) = lone_surrogate(text)
    {
        return Err(Flaw::Invalid { offset });
    }
    Ok(())
}

/// Finds a `\u` escape of a surrogate without its partner (RFC 8259 section 8.2).
fn lone_surrogate(text: &str) -> Option<usize> {
    let unit = |at: usize| {
        let digits = text.get(at..at.saturating_add(6))?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let mut at = 0_usize;
    while let Some(found) = text.get(at..).and_then(|rest| rest.find('\\')) {
        at = at.saturating_add(found);
        let step = match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at.saturating_add(6)), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => return Some(at),
            // The escaped character may be a backslash itself.
            _ => 2,
        };
        at = at.saturating_add(step);
    }
    None
}

/// Counts the levels of nesting in `text`, if it is JSON. Ignores brackets inside strings.
fn depth(text: &str) -> usize {
    let (mut deepest, mut now, mut in_string, mut escaped) = (0_usize, 0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                now = now.saturating_add(1);
                deepest = deepest.max(now);
            }
            b'}' | b']' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Writes `value` as JSON text.
pub(crate) fn to_text<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value)
}

/// An object that is being written. This type writes plain names and texts, and the characters between members, because
/// `serde_json` writes each comma and each quote in a separate step. `serde_json` writes all other values.
///
/// Every member begins with a comma. `finish` replaces the first comma by the opening brace.
pub(crate) struct Object(Vec<u8>);

impl Object {
    pub(crate) fn new() -> Self {
        // Most claims fit into this capacity, so that the buffer is not moved while it grows.
        Self(Vec::with_capacity(512))
    }

    /// Appends a member. After an error, half of the member stays in the object.
    pub(crate) fn member<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        self.0.push(b',');
        append_text(&mut self.0, name)?;
        self.0.push(b':');
        append(&mut self.0, value)
    }

    /// Appends a member. Its name is already encoded, from the comma to the colon.
    #[inline]
    pub(crate) fn known<T: Serialize + ?Sized>(&mut self, name: &[u8; 7], value: &T) -> Result<(), Error> {
        self.0.extend_from_slice(name);
        append(&mut self.0, value)
    }

    /// Appends a member with a string value. Its name is already encoded.
    #[inline]
    pub(crate) fn known_text(&mut self, name: &[u8; 7], text: &str) -> Result<(), Error> {
        self.0.extend_from_slice(name);
        append_text(&mut self.0, text)
    }

    /// Appends a member. Its name and value are already encoded.
    pub(crate) fn known_json(&mut self, name: &[u8; 7], json: &str) {
        self.0.extend_from_slice(name);
        self.0.extend_from_slice(json.as_bytes());
    }

    /// Appends a member that is already encoded, from its comma on.
    pub(crate) fn encoded(&mut self, member: &str) {
        self.0.extend_from_slice(member.as_bytes());
    }

    /// Returns how many bytes have been written.
    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    /// Closes the object and returns its bytes.
    #[inline]
    pub(crate) fn finish(mut self) -> Vec<u8> {
        match self.0.first_mut() {
            Some(comma) => *comma = b'{',
            None => self.0.push(b'{'),
        }
        self.0.push(b'}');
        self.0
    }
}

#[inline]
fn append_text(json: &mut Vec<u8>, text: &str) -> Result<(), Error> {
    if !is_plain(text.as_bytes()) {
        return append(json, text);
    }
    json.reserve(text.len().saturating_add(2));
    json.push(b'"');
    json.extend_from_slice(text.as_bytes());
    json.push(b'"');
    Ok(())
}

/// Returns whether a JSON string needs no escape for `text`
/// ([RFC 8259 section 7](https://www.rfc-editor.org/rfc/rfc8259#section-7)).
#[inline]
fn is_plain(text: &[u8]) -> bool {
    let escaped = |byte: u8| u8::from(byte < b' ') | u8::from(byte == b'"') | u8::from(byte == b'\\');
    let any = |bytes: &[u8]| bytes.iter().fold(0, |any, byte| any | escaped(*byte)) != 0;
    // The compiler checks sixteen bytes in one step. The last sixteen bytes may overlap with the bytes before them.
    match text.last_chunk::<16>() {
        Some(last) => !any(last) && !text.as_chunks::<16>().0.iter().any(|chunk| any(chunk)),
        None => !any(text),
    }
}

#[cfg(feature = "std")]
fn append<T: Serialize + ?Sized>(json: &mut Vec<u8>, value: &T) -> Result<(), Error> {
    serde_json::to_writer(json, value)
}

/// Copies from a buffer, because `serde_json` writes only into its own buffer without std.
#[cfg(not(feature = "std"))]
fn append<T: Serialize + ?Sized>(json: &mut Vec<u8>, value: &T) -> Result<(), Error> {
    serde_json::to_vec(value).map(|value| json.extend_from_slice(&value))
}

/// The place of a JSON string in its document or, if the string has escapes, in [`Resolved`].
///
/// It has eight bytes and no pointer, so that the fields of a token are small and cheap to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text {
    /// Never 0, because a quote comes before the text.
    start: NonZero<u32>,
    length: u32,
}

impl Text {
    #[inline]
    fn new(start: usize, length: usize) -> Option<Self> {
        let start = NonZero::new(u32::try_from(start).ok()?)?;
        Some(Self { start, length: u32::try_from(length).ok()? })
    }

    /// Returns the place of `part` in `document`, if `part` is a slice of it.
    #[inline]
    fn within(document: &str, part: &str) -> Option<Self> {
        let start = part.as_ptr().addr().checked_sub(document.as_ptr().addr())?;
        // Both are live borrows, so a range inside the document's addresses is a slice of it.
        if start.checked_add(part.len())? > document.len() {
            return None;
        }
        Self::new(start, part.len())
    }

    fn range(self, skipped: usize) -> Option<Range<usize>> {
        let start = usize::try_from(self.start.get()).ok()?.checked_sub(skipped)?;
        Some(start..start.saturating_add(usize::try_from(self.length).ok()?))
    }

    /// Returns the text, if it is in its document.
    pub(crate) fn borrowed(self, document: &str) -> Option<&str> {
        document.get(self.range(0)?)
    }

    /// Returns the text, from its document or from `resolved`.
    pub(crate) fn of<'a>(self, document: &'a str, resolved: &'a Resolved) -> &'a str {
        self.borrowed(document).or_else(|| resolved.get(self, document)).unwrap_or_default()
    }
}

/// The strings of a document that have escapes, unescaped, one after the other. Their places count on from the end of the
/// document.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resolved(String);

impl Resolved {
    /// Returns how many bytes it has on the heap.
    #[cfg(feature = "cache")]
    pub(crate) const fn heap(&self) -> usize {
        self.0.capacity()
    }

    pub(crate) fn get<'a>(&'a self, text: Text, document: &str) -> Option<&'a str> {
        self.0.get(text.range(document.len())?)
    }

    fn push(&mut self, document: &str, text: &str) -> Option<Text> {
        let place = Text::new(document.len().saturating_add(self.0.len()), text.len())?;
        self.0.push_str(text);
        Some(place)
    }

    /// Returns the place of `part` in `document`. If `part` is not a slice of it, copies `part` and returns the place of the
    /// copy. Returns `None` only for documents above 4 GiB, which [`Limits`] do not allow.
    #[inline]
    pub(crate) fn place(&mut self, document: &str, part: &str) -> Option<Text> {
        Text::within(document, part).or_else(|| self.push(document, part))
    }
}

/// Reads a JSON string into a [`Text`] of `document`, and refuses any other value.
pub(crate) struct TextSeed<'d, 'r> {
    pub(crate) document: &'d str,
    pub(crate) resolved: &'r mut Resolved,
}

impl<'de> DeserializeSeed<'de> for TextSeed<'_, '_> {
    type Value = Text;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for TextSeed<'_, '_> {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, text: &'de str) -> Result<Text, E> {
        self.resolved.place(self.document, text).ok_or_else(stop)
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
        self.resolved.push(self.document, text).ok_or_else(stop)
    }
}

/// Returns the rest of `document` from the value of the member `name` on. `name` must be a slice of `document`. Returns `None`
/// for a name with an escape, because such a name is a copy.
pub(crate) fn value_after<'d>(document: &'d str, name: &str) -> Option<&'d str> {
    // Between the name and the value are a quote, white space and a colon.
    let rest = document.get(Text::within(document, name)?.range(0)?.end.saturating_add(1)..)?;
    let between = |byte| matches!(byte, b':' | b' ' | b'\t' | b'\n' | b'\r');
    rest.get(rest.bytes().position(|byte| !between(byte))?..)
}

/// Reads the string that `value` begins with, if it begins with one. `value` is a slice of `document`.
pub(crate) fn leading_text(value: &str, document: &str, resolved: &mut Resolved) -> Option<Text> {
    TextSeed { document, resolved }.deserialize(&mut Reader::from_str(value)).ok()
}

/// Reads the name of a member.
pub(crate) struct NameSeed;

impl<'de> DeserializeSeed<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for NameSeed {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.into()))
    }
}

/// The member names of one object. Each may occur once, with or without escapes.
///
/// Up to 32 names without escapes are on the stack. The others are in a tree.
pub(crate) struct Names<'de> {
    inline: [&'de str; INLINE_NAMES],
    used: usize,
    spilled: BTreeSet<Cow<'de, str>>,
}

impl<'de> Names<'de> {
    pub(crate) const fn new() -> Self {
        Self { inline: [""; INLINE_NAMES], used: 0, spilled: BTreeSet::new() }
    }

    /// Returns how many names there are.
    pub(crate) fn len(&self) -> usize {
        self.used.saturating_add(self.spilled.len())
    }

    /// Returns whether `name` is one of them.
    #[inline]
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.inline.iter().take(self.used).any(|known| *known == name)
            || (!self.spilled.is_empty() && self.is_spilled(name))
    }

    /// Returns whether a name is in both sets.
    pub(crate) fn overlap(&self, other: &Names<'_>) -> bool {
        self.inline.iter().take(self.used).any(|name| other.contains(name))
            || self.spilled.iter().any(|name| other.contains(name))
    }

    // Not inlined, so that each program contains the code of the tree (4 KB) only once.
    #[cold]
    #[inline(never)]
    fn is_spilled(&self, name: &str) -> bool {
        self.spilled.contains(name)
    }

    #[cold]
    #[inline(never)]
    fn spill(&mut self, name: Cow<'de, str>) -> bool {
        self.spilled.insert(name)
    }

    /// Adds `name`. Returns false if the name was added before.
    #[inline]
    pub(crate) fn insert(&mut self, name: Cow<'de, str>) -> bool {
        if self.contains(&name) {
            return false;
        }
        match (self.inline.get_mut(self.used), name) {
            (Some(slot), Cow::Borrowed(name)) => {
                *slot = name;
                self.used = self.used.saturating_add(1);
                true
            }
            (_, name) => self.spill(name),
        }
    }

    /// Adds a name, or returns why the object is refused for it. The object has `others` more names that are not in this set.
    #[inline]
    pub(crate) fn admit(&mut self, name: Cow<'de, str>, others: usize, limits: &Limits) -> Result<(), Flaw> {
        check_members(self.len().saturating_add(others), limits)?;
        if name.starts_with(RESERVED) {
            return Err(Flaw::ReservedMember);
        }
        if self.insert(name) { Ok(()) } else { Err(Flaw::DuplicateMember) }
    }
}

/// Refuses another member of an object that has `count` members, if the limit is reached.
pub(crate) const fn check_members(count: usize, limits: &Limits) -> Result<(), Flaw> {
    if count < limits.members { Ok(()) } else { Err(Flaw::TooManyMembers { limit: limits.members }) }
}

/// Makes an error for serde that only stops reading. The caller has noted elsewhere what is wrong.
pub(crate) fn stop<E: serde::de::Error>() -> E {
    E::custom("refused")
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn depth_counts_brackets_outside_strings() {
        assert_eq!(depth("{}"), 1);
        assert_eq!(depth(r#"{"a":[1,{"b":[]}],"c":[]}"#), 4);
        assert_eq!(depth(r#"{"[[[":"\"[[["}"#), 1);
        assert_eq!(depth("7"), 0);
    }

    #[test]
    fn lone_surrogates_are_found_and_pairs_are_not() {
        assert_eq!(lone_surrogate(r#"{"a":"\ud83d\ude00 \u00e9 \\ud800 é"}"#), None);
        assert_eq!(lone_surrogate(r#""\ud83d""#), Some(1));
        assert_eq!(lone_surrogate(r#""x\ude00\ud83d""#), Some(2));
        assert_eq!(lone_surrogate(r#""\ud83d\u0041""#), Some(1));
        assert_eq!(lone_surrogate(r#""\\\uDFFF""#), Some(3));
        // The parser reports invalid escapes.
        assert_eq!(lone_surrogate("\\u12\\"), None);
        assert_eq!(lone_surrogate("\\é"), None);
    }

    #[test]
    fn names_are_found_on_the_stack_in_the_tree_and_with_escapes() {
        let all: Vec<String> = (0..100).map(|number| number.to_string()).collect();
        let mut names = Names::new();
        assert!(names.insert(Cow::Owned("early".into())));
        for name in &all {
            assert!(names.insert(Cow::Borrowed(name)));
        }
        assert_eq!(names.len(), 101);
        for name in &all {
            assert!(!names.insert(Cow::Borrowed(name)));
            assert!(!names.insert(Cow::Owned(name.clone())));
        }
        assert!(!names.insert(Cow::Borrowed("early")));
    }

    #[test]
    fn a_text_outside_the_document_is_copied() {
        let whole = String::from("abcdefgh");
        let document = &whole[..6];
        let mut resolved = Resolved::default();
        for part in [1..3, 1..6, 5..6] {
            let inside = resolved.place(document, &document[part.clone()]).unwrap();
            assert_eq!(inside.borrowed(document), Some(&document[part]));
        }
        assert_eq!(resolved.0, "");
        for (count, text) in [(2, &whole[6..]), (5, &whole[5..]), (8, "xyz"), (8, "")] {
            let outside = resolved.place(document, text).unwrap();
            assert_eq!((outside.of(document, &resolved), resolved.0.len()), (text, count));
        }
    }

    #[test]
    fn every_text_is_written_as_serde_json_writes_it() {
        let fillings = ["a", "é", " ", "\"", "\\", "\u{7f}"];
        for (filling, length) in
            fillings.into_iter().flat_map(|filling| (0..36).map(move |length| (filling, length)))
        {
            for (place, byte) in (0..=length).flat_map(|place| (0..=127_u8).map(move |byte| (place, byte))) {
                let mut text = filling.repeat(length);
                text.insert(place * filling.len(), char::from(byte));
                let mut written = Vec::new();
                append_text(&mut written, &text).unwrap();
                assert_eq!(written, to_text(&text).unwrap().into_bytes());
            }
        }
    }

    #[test]
    fn an_object_may_have_no_members() {
        assert_eq!(Object::new().finish(), b"{}");
        let mut object = Object::new();
        object.known(b",\"exp\":", &7).unwrap();
        object.member("a\"b", &[true]).unwrap();
        assert_eq!(object.finish(), br#"{"exp":7,"a\"b":[true]}"#);
    }

    #[test]
    fn a_failure_names_the_byte_also_after_line_breaks() {
        let failure =
            |text| read(text, |reader| Deserialize::deserialize(reader)).map(|(): ()| ()).unwrap_err();
        assert_eq!(failure("\n\n  x"), 4);
    }
}
