//! The rooms of `src/`, ground floor first: a file imports only from files above it in this list.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What each file may lean on stands before it.
const ROOMS: [&str; 33] = [
    "base64url",
    "time",
    "limits",
    "algorithm",
    "http/challenge",
    "error",
    "http/bearer",
    "secret",
    "json",
    "numeric_date",
    "header",
    "key",
    "key/pem",
    "key/mistaken",
    "key/hmac",
    "key/roca",
    "key/rsa",
    "key/rsa_verify",
    "key/rsa_sign",
    "key/aws_lc",
    "keyset",
    "jws",
    "jws/compact",
    "claims",
    "claims/replay",
    "claims/watch",
    "claims/decode",
    "claims/encode",
    "policy",
    "verifier",
    "http",
    "http/cookie",
    "http/origin",
];

/// Not rooms: the list of what is public, and pages of text.
const OUTSIDE: [&str; 2] = ["lib", "manual"];

#[test]
fn every_import_points_at_a_lower_layer() {
    let sources = read(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")));
    let known: Vec<&str> =
        sources.keys().map(String::as_str).filter(|file| !OUTSIDE.contains(file)).collect();
    for room in ROOMS {
        assert!(known.contains(&room), "src/{room}.rs is listed and not there");
    }
    for file in &known {
        assert!(ROOMS.contains(file), "src/{file}.rs is not in the list of layers");
    }
    let upward: Vec<String> = sources
        .iter()
        .filter(|(file, _)| known.contains(&file.as_str()))
        .flat_map(|(f, s)| violations(f, s))
        .collect();
    assert!(upward.is_empty(), "{upward:#?}");
}

#[test]
fn an_upward_import_is_noticed_however_it_is_written() {
    assert!(violations("policy", "use crate::error::VerifyError;").is_empty());
    assert!(violations("claims/encode", "use crate::claims::{Claims, decode::read_value};").is_empty());
    assert!(violations("key", "pub(crate) mod rsa;\npub use crate::key::rsa::Rs256;").is_empty());
    for upward in [
        "use crate::verifier::Token;",
        "use crate::{error::Part, verifier::Token};",
        "use crate::{\n    error::Part,\n    jws::{compact::Gate, HeaderRules},\n};",
        "fn f(_: crate::jws::Prepared) {}",
        "use super::claims::Claims;",
        "use super::{error::Part, claims::Claims};",
        "use crate::Verifier;",
        "use crate::http::cookie::Cookie;",
    ] {
        assert!(!violations("header", upward).is_empty(), "{upward}");
    }
}

/// The imports of `file` that point upwards or at no room.
fn violations(file: &str, source: &str) -> Vec<String> {
    let own = ROOMS.iter().position(|room| *room == file).expect("a listed file");
    imports(file, source)
        .into_iter()
        .filter(|path| {
            let room = room_of(path);
            room.is_none_or(|room| room > own)
        })
        .map(|path| format!("src/{file}.rs imports crate::{}", path.join("::")))
        .collect()
}

/// The room that a path leads to: the longest that fits.
fn room_of(path: &[String]) -> Option<usize> {
    let find = |depth| {
        let name = path.get(..depth)?.join("/");
        ROOMS.iter().position(|room| *room == name)
    };
    (1..=3).rev().find_map(find)
}

/// Every path into this crate that the code of `source` names.
fn imports(file: &str, source: &str) -> Vec<Vec<String>> {
    let parent = file.rsplit_once('/').map_or("crate::".into(), |(parent, _)| format!("crate::{parent}::"));
    let code: String = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .filter(|line| !line.trim_start().starts_with("pub use "))
        // Indented, it stands in a module of the file, and `super` is the file itself.
        .map(|line| line.replace("super::", if line.starts_with(' ') { "self::" } else { &parent }) + " ")
        .collect();
    code.match_indices("crate::").flat_map(|(at, found)| tree(&code[at + found.len()..])).collect()
}

/// The paths of a `use` tree: `a::{b, c::{d, e}}` are `a::b`, `a::c::d` and `a::c::e`.
fn tree(text: &str) -> Vec<Vec<String>> {
    let name: String = text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let rest = &text.trim_start()[name.len()..];
    if let Some(rest) = rest.strip_prefix("::") {
        return tree(rest)
            .into_iter()
            .map(|mut path| {
                path.insert(0, name.clone());
                path
            })
            .collect();
    }
    match (name.is_empty(), rest.strip_prefix('{')) {
        (true, Some(group)) => split(group).into_iter().flat_map(tree).collect(),
        _ => vec![vec![name]],
    }
}

/// The entries of a group up to its closing brace.
fn split(group: &str) -> Vec<&str> {
    let (mut entries, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                entries.push(&group[start..at]);
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                entries.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    entries.retain(|entry| !entry.trim().is_empty());
    entries
}

/// All files below `folder` by their path without ending.
fn read(folder: &Path) -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(folder).unwrap().with_extension("");
                sources.insert(name.to_str().unwrap().replace('\\', "/"), fs::read_to_string(&path).unwrap());
            }
        }
    }
    sources
}
