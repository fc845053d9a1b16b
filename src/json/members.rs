//! Splits a JSON object into its members without decoding their values, so that a secret value is not copied.

use crate::json::NameSeed;
use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;
use serde::de::{Deserialize, DeserializeSeed};

/// The white space of JSON ([RFC 8259 section 2](https://www.rfc-editor.org/rfc/rfc8259#section-2)).
const SPACE: [char; 4] = [' ', '\t', '\n', '\r'];

/// The members of an object, in the order of the text: the name with its quotes and escapes, and the text of the value.
pub(crate) struct Members<'d> {
    /// The text after the opening brace, or after the comma before the next member.
    rest: &'d str,
}

impl<'d> Members<'d> {
    /// Returns the members of `document`, or `None` if it is not an object. The caller has checked that it is JSON, with
    /// [`broken_at`](super::broken_at).
    pub(crate) fn of(document: &'d str) -> Option<Self> {
        document.trim_start_matches(SPACE).strip_prefix('{').map(|rest| Self { rest })
    }
}

impl<'d> Iterator for Members<'d> {
    type Item = (&'d str, &'d str);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_start_matches(SPACE);
        let (name, rest) = rest.starts_with('"').then(|| split_value(rest))??;
        let rest = rest.trim_start_matches(SPACE).strip_prefix(':')?;
        let (value, rest) = split_value(rest.trim_start_matches(SPACE))?;
        self.rest = rest.trim_start_matches(SPACE).strip_prefix(',').unwrap_or_default();
        Some((name, value))
    }
}

/// The elements of an array, in the order of the text: the text of each.
pub(crate) struct Elements<'d> {
    /// The text after the opening bracket, or after the comma before the next element.
    rest: &'d str,
}

impl<'d> Elements<'d> {
    /// Returns the elements of `value`, or `None` if it is not an array. The caller has checked that it is JSON.
    pub(crate) fn of(value: &'d str) -> Option<Self> {
        value.strip_prefix('[').map(|rest| Self { rest })
    }
}

impl<'d> Iterator for Elements<'d> {
    type Item = &'d str;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.trim_start_matches(SPACE);
        if rest.starts_with(']') || rest.is_empty() {
            return None;
        }
        let (value, rest) = split_value(rest)?;
        self.rest = rest.trim_start_matches(SPACE).strip_prefix(',').unwrap_or_default();
        Some(value)
    }
}

/// Splits `text` after the value that it begins with.
fn split_value(text: &str) -> Option<(&str, &str)> {
    let (mut depth, mut end) = (0_usize, 0);
    while let Some(&byte) = text.as_bytes().get(end) {
        match byte {
            // The end of a number, of `true`, `false` or `null`.
            b'}' | b']' | b',' | b' ' | b'\t' | b'\n' | b'\r' if depth == 0 => break,
            b'{' | b'[' => depth = depth.saturating_add(1),
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        end = end.saturating_add(1);
        if byte == b'"' {
            end = text.len().saturating_sub(after_string(text.get(end..)?).len());
        }
        if depth == 0 && matches!(byte, b'"' | b'}' | b']') {
            break;
        }
    }
    text.split_at_checked(end)
}

/// Returns what follows a string, of which `text` lacks only the opening quote. A string without an end is all of the text.
fn after_string(text: &str) -> &str {
    let mut rest = text;
    // The standard library searches for one byte several times as fast as a loop looks at each.
    while let Some((before, after)) = rest.split_once('"') {
        rest = after;
        let escapes = before.bytes().rev().take_while(|&byte| byte == b'\\').count();
        if escapes % 2 == 0 {
            return rest;
        }
    }
    ""
}

/// Returns the content of a JSON string. It is a copy if the string has escapes. `None` for any other value.
pub(crate) fn text(value: &str) -> Option<Cow<'_, str>> {
    super::read(value, |reader| NameSeed.deserialize(reader)).ok()
}

/// Returns the strings of an array. `None` for any other value.
pub(crate) fn texts(value: &str) -> Option<Vec<String>> {
    super::read(value, |reader| Vec::deserialize(reader)).ok()
}

/// Names the kind of a JSON value, for an error.
pub(crate) fn kind(value: &str) -> &'static str {
    match value.bytes().next() {
        Some(b'"') => "a string",
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_the_text_of_names_and_values() {
        let members = |document| Members::of(document).map(|members| members.collect::<Vec<_>>());
        assert_eq!(members("{}"), Some(Vec::new()));
        assert_eq!(members(" \t\r\n{ } "), Some(Vec::new()));
        for other in ["[]", "7", "\"{\"", "null", ""] {
            assert_eq!(members(other), None, "{other}");
        }
        let document = r#"{ "a" :1,"b":"x","\u0063": [1,{"d":"]}"},"\\"] , "e":{"f":{}},"g\"" :-1.5e3
            ,"h":null,"i" : true,"":"\"","a":"" }"#;
        let expected = [
            (r#""a""#, "1"),
            (r#""b""#, r#""x""#),
            (r#""\u0063""#, r#"[1,{"d":"]}"},"\\"]"#),
            (r#""e""#, r#"{"f":{}}"#),
            (r#""g\"""#, "-1.5e3"),
            (r#""h""#, "null"),
            (r#""i""#, "true"),
            (r#""""#, r#""\"""#),
            (r#""a""#, r#""""#),
        ];
        assert_eq!(members(document), Some(expected.to_vec()));
        assert_eq!(super::super::broken_at(document), None);
    }

    #[test]
    fn elements_are_the_text_of_values() {
        let elements = |value| Elements::of(value).map(|elements| elements.collect::<Vec<_>>());
        assert_eq!(elements("[ ]"), Some(Vec::new()));
        assert_eq!(elements("{}"), None);
        let value = r#"[ {"a":["]"]} ,null, "\"]",1 ,[[]] ]"#;
        assert_eq!(elements(value), Some(alloc::vec![r#"{"a":["]"]}"#, "null", r#""\"]""#, "1", "[[]]"]));
        assert_eq!(super::super::broken_at(value), None);
    }

    #[test]
    fn strings_are_unescaped_and_other_values_are_not_strings() {
        assert!(matches!(text(r#""plain""#), Some(Cow::Borrowed("plain"))));
        assert_eq!(text(r#""\u0061\/""#).as_deref(), Some("a/"));
        for other in ["1", "null", "[]", r#"["a"]"#] {
            assert_eq!(text(other), None, "{other}");
        }
        assert_eq!(texts(r#"["a", "\u0062"]"#), Some(alloc::vec!["a".into(), "b".into()]));
        for other in [r#""a""#, "null", "[1]", r#"["a",null]"#, "{}"] {
            assert_eq!(texts(other), None, "{other}");
        }
    }
}
