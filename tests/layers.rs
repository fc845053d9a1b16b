//! Checks the order of the source files in `.ci/rooms.txt`: a file imports only from files above it in that list.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const LIST: &str = include_str!("../.ci/rooms.txt");

/// Files that are not in the list: `lib` has only exports, `manual` only includes pages of text.
const OUTSIDE: [&str; 2] = ["lib", "manual"];

#[test]
fn the_list_has_each_source_file_once() {
    let listed: BTreeSet<String> = modules().map(|(folder, _)| folder.into()).collect();
    let mut folders = BTreeSet::from(["src".to_owned()]);
    for entry in fs::read_dir(Path::new(ROOT).join("crates")).unwrap() {
        folders.insert(format!("crates/{}/src", entry.unwrap().file_name().to_str().unwrap()));
    }
    assert_eq!(folders, listed);
    for folder in folders {
        let files = sources(&folder).into_keys().filter(|file| !OUTSIDE.contains(&&**file));
        let mut listed: Vec<&str> = modules_of(&folder);
        listed.sort_unstable();
        assert_eq!(files.collect::<Vec<_>>(), listed, "{folder}");
    }
}

#[test]
fn each_import_points_at_a_file_above() {
    for folder in modules().map(|(folder, _)| folder).collect::<BTreeSet<_>>() {
        let sources = sources(folder);
        let modules = modules_of(folder);
        let layers = Layers::new(&modules, &sources);
        let wrong: Vec<String> =
            modules.iter().flat_map(|module| layers.violations(module, &sources[*module])).collect();
        assert!(wrong.is_empty(), "in {folder}: {wrong:#?}");
    }
}

/// The other crates use the public API of the core. Public items that are hidden from the docs would be a second API.
#[test]
fn no_crate_has_public_items_that_its_docs_hide() {
    for folder in modules().map(|(folder, _)| folder).collect::<BTreeSet<_>>() {
        for (file, source) in sources(folder) {
            let hidden = tokens(&code(&source)).windows(3).any(|three| three == ["doc", "(", "hidden"]);
            assert!(!hidden, "{folder}/{file}.rs");
        }
    }
}

/// A key in a header proves nothing, except in a DPoP proof, where the access token holds its thumbprint.
#[test]
fn only_dpop_reads_the_key_in_a_header() {
    let name = |source: &str| source.contains("\"jwk\"");
    let sources = sources("src");
    let readers: Vec<&str> =
        sources.iter().filter(|(_, source)| name(source)).map(|(file, _)| &**file).collect();
    // `error` has the code of a mistaken file, and `profile/access_token` refuses a member of this name in `cnf`.
    assert_eq!(readers, ["error", "profile/access_token", "profile/dpop"]);
}

#[test]
fn an_import_from_below_is_noticed_in_any_form() {
    let modules = ["error", "header", "jws", "jws/compact", "claims", "verifier", "http/cookie", "http"];
    let jws = "mod compact;\npub use compact::{Gate, Verified as Good};".to_owned();
    let layers = Layers::new(&modules, &BTreeMap::from([("jws".to_owned(), jws.clone())]));
    let violations = |module, source| layers.violations(module, source);

    for (module, fine) in [
        ("header", "use crate::error::VerifyError;"),
        (
            "header",
            "use crate::header::{self, Header}; mod tests { use super::*; fn f(_: super::Header) {} }",
        ),
        (
            "header",
            "// crate::claims::Claims\nconst TEXT: &str = \"crate::claims\\\"::\"; /* super::claims::x */",
        ),
        ("header", "fn f<'a>(_: &'a str) -> char { '\"' } const RAW: &str = r#\"\" crate::claims::x\"#;"),
        ("header", "pub(crate) struct A; fn f(claims: B) { claims.header; other::claims::x() }"),
        ("jws", &jws),
        ("jws", "mod tests { use super::*; }"),
        ("jws/compact", "use super::HeaderRules; use crate::jws::compact::Gate;"),
        ("claims", "use crate::jws::{Gate, compact};"),
        ("http", "mod cookie; pub use cookie::Cookie; fn f(_: Cookie) { cookie::g() }"),
    ] {
        assert_eq!(violations(module, fine), [""; 0], "{fine}");
    }
    for upward in [
        "use crate::verifier::Token;",
        "use crate::{error::Part, verifier::Token};",
        "use crate::{\n    error::Part,\n    jws::{compact::Gate, HeaderRules},\n};",
        "fn f(_: crate::jws::Prepared) {}",
        "fn f() {\n    super::claims::g();\n}",
        "mod tests {\n    use super::super::claims::Claims;\n}",
        "use super::{error::Part, claims::Claims};",
        "use crate::{error, claims::*};",
        "use crate::Verifier;",
        "use crate::http::cookie::Cookie;",
        "pub use crate::claims::Claims;",
        "pub(crate) use crate::claims::Claims;",
        "const C: char = '\"'; fn f() -> char { crate::claims::g('\"') }",
    ] {
        assert!(!violations("header", upward).is_empty(), "{upward}");
    }
    for upward in [
        "mod compact; fn f() { compact::verify() }",
        "mod compact; fn f() { self::compact::verify() }",
        "mod compact; mod tests { fn f() { super::compact::verify() } }",
        "mod compact; pub(crate) use compact::Gate;",
        "mod compact; pub use compact::Gate; fn f(_: Gate) {}",
        "mod compact; pub use compact::{Verified as Good}; fn f(_: Good) {}",
        "fn f(_: crate::jws::Gate) {}",
    ] {
        assert!(!violations("jws", upward).is_empty(), "{upward}");
    }
    // A name that `jws` exports from `jws/compact` counts as a part of `jws/compact`.
    let low = Layers::new(&["jws", "claims", "jws/compact"], &BTreeMap::from([("jws".to_owned(), jws)]));
    for upward in ["use crate::jws::Gate;", "use crate::jws::{Good};", "use crate::jws::*;"] {
        assert!(!low.violations("claims", upward).is_empty(), "{upward}");
    }
    assert_eq!(low.violations("claims", "use crate::jws::HeaderRules;"), [""; 0]);
}

/// Returns the folder and the name of each source file, in the order of the list.
fn modules() -> impl Iterator<Item = (&'static str, &'static str)> {
    LIST.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?, words.next()?))
    })
}

fn modules_of(folder: &str) -> Vec<&'static str> {
    modules().filter(|(of, _)| *of == folder).map(|(_, module)| module).collect()
}

/// Reads all source files below a folder. The keys are their paths below it, without `.rs`.
fn sources(folder: &str) -> BTreeMap<String, String> {
    let folder = Path::new(ROOT).join(folder);
    let mut sources = BTreeMap::new();
    let mut folders = vec![folder.clone()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(&folder).unwrap().with_extension("");
                sources.insert(name.to_str().unwrap().replace('\\', "/"), fs::read_to_string(&path).unwrap());
            }
        }
    }
    sources
}

/// The source files of one crate, in the order of the list.
struct Layers<'a> {
    modules: &'a [&'a str],
    /// Where the names come from that a file exports from the files in its folder.
    exports: BTreeMap<(usize, String), usize>,
}

impl<'a> Layers<'a> {
    fn new(modules: &'a [&'a str], sources: &BTreeMap<String, String>) -> Self {
        let mut layers = Self { modules, exports: BTreeMap::new() };
        for (own, module) in modules.iter().enumerate() {
            for path in sources.get(*module).map_or_else(Vec::new, |source| paths(module, source)) {
                if let (Some(name), Some(origin)) = (&path.exported_as, layers.module_of(&path.segments, own))
                {
                    layers.exports.insert((own, name.clone()), origin);
                }
            }
        }
        layers
    }

    /// Returns the paths in the source of `module` that lead to a file below it in the list, or to no file.
    fn violations(&self, module: &str, source: &str) -> Vec<String> {
        let own = self.modules.iter().position(|other| *other == module).expect("a source file of the list");
        let is_above = |path: &Named| self.module_of(&path.segments, own).is_some_and(|other| other <= own);
        let wrong = paths(module, source).into_iter().filter(|path| !is_above(path));
        // An export from a file further down is not an import, as long as this file does not use the name itself.
        let unused = |name: &String| !names(source).contains(name);
        wrong
            .filter(|path| !path.exported_as.as_ref().is_some_and(unused))
            .map(|path| format!("{module} uses crate::{}", path.segments.join("::")))
            .collect()
    }

    /// Returns the file that a path in the file `own` leads to: the longest match, or the file that the name is exported from.
    fn module_of(&self, path: &[String], own: usize) -> Option<usize> {
        let (depth, module) = (1..=path.len()).rev().find_map(|depth| {
            let name = path[..depth].join("/");
            self.modules.iter().position(|module| *module == name).map(|module| (depth, module))
        })?;
        // `use super::*` in the tests of a file does not name its exports.
        let matches =
            |name: &str| path.get(depth).is_some_and(|next| next == name || (next == "*" && module != own));
        let exported = self.exports.iter().filter(|((from, name), _)| *from == module && matches(name));
        exported.map(|(_, origin)| *origin).chain([module]).max()
    }
}

/// A path into the crate that a file names.
#[derive(Clone, Debug)]
struct Named {
    /// From the crate on: `jws`, `compact`, `Gate`.
    segments: Vec<String>,
    /// The name under which the file exports it, if it does so with `pub use` from one of its modules.
    exported_as: Option<String>,
}

/// Returns every path into the crate that the code of a file names.
fn paths(module: &str, source: &str) -> Vec<Named> {
    let code = code(source);
    let tokens = tokens(&code);
    let own: Vec<String> = module.split('/').map(Into::into).collect();
    let children: Vec<&str> = tokens
        .windows(3)
        .filter(|three| three[0] == "mod" && three[2] == ";")
        .map(|three| three[1])
        .collect();
    let (mut found, mut inside, mut braces) = (Vec::new(), Vec::new(), Vec::new());
    for at in 0..tokens.len() {
        let before = |back| at.checked_sub(back).map_or("", |place: usize| tokens[place]);
        match tokens[at] {
            "{" => {
                // `mod tests {`
                let is_module = before(2) == "mod";
                if is_module {
                    inside.push(before(1).to_owned());
                }
                braces.push(is_module);
            }
            "}" if braces.pop() == Some(true) => {
                inside.pop();
            }
            first if before(1) != "::" && before(1) != "." && tokens.get(at + 1) == Some(&"::") => {
                let here = [&own[..], &inside].concat();
                let base = match first {
                    "crate" => Vec::new(),
                    "self" => here,
                    "super" => here[..here.len() - 1].to_vec(),
                    child if inside.is_empty() && children.contains(&child) => {
                        [&own[..], &[child.into()]].concat()
                    }
                    _ => continue,
                };
                let exports = before(1) == "use" && before(2) == "pub" && inside.is_empty();
                for (path, name) in tree(&mut tokens[at + 2..].iter().copied().peekable()) {
                    let mut segments = base.clone();
                    for segment in path {
                        match segment {
                            "super" => drop(segments.pop()),
                            "self" => {}
                            segment => segments.push(segment.to_owned()),
                        }
                    }
                    let of_child = segments.starts_with(&own)
                        && segments.get(own.len()).is_some_and(|next| children.contains(&&**next));
                    let exported_as = (exports && of_child).then(|| name.to_owned());
                    found.push(Named { segments, exported_as });
                }
            }
            _ => {}
        }
    }
    found
}

/// Returns the paths of a `use` tree with the names that they import: `a::{b, c as d}` are `a::b` as `b` and `a::c` as `d`.
fn tree<'a>(tokens: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> Vec<(Vec<&'a str>, &'a str)> {
    let first = tokens.next().expect("a path goes on");
    if first == "{" {
        let mut found = Vec::new();
        while tokens.peek().is_some_and(|token| *token != "}") {
            found.append(&mut tree(tokens));
            if tokens.peek() == Some(&",") {
                tokens.next();
            }
        }
        tokens.next();
        return found;
    }
    match tokens.peek() {
        Some(&"::") => {
            tokens.next();
            let mut found = tree(tokens);
            found.iter_mut().for_each(|(path, _)| path.insert(0, first));
            found
        }
        Some(&"as") => {
            tokens.next();
            vec![(vec![first], tokens.next().expect("a name after `as`"))]
        }
        _ => vec![(vec![first], first)],
    }
}

/// Returns the names that a source uses outside of `pub use`, without those that follow another name.
fn names(source: &str) -> BTreeSet<String> {
    let code = code(source);
    let (mut names, mut exports, mut before) = (BTreeSet::new(), false, ["", ""]);
    for token in tokens(&code) {
        exports = (exports && before[1] != ";") || (before == ["pub", "use"]);
        if !exports && !["::", "."].contains(&before[1]) {
            names.insert(token.to_owned());
        }
        before = [before[1], token];
    }
    names
}

/// Splits code into words, `::` and single characters.
fn tokens(code: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let (mut tokens, mut rest) = (Vec::new(), code.trim_start());
    while let Some(first) = rest.chars().next() {
        let length = match first {
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            _ => first.len_utf8(),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// Removes comments from a source, and the content of its strings and characters.
fn code(source: &str) -> String {
    let (mut code, mut rest) = (String::new(), source);
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) =
            raw_text(rest).filter(|_| !code.ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        {
            length
        } else if first == '"' {
            text(rest, '"')
        } else if first == '\'' && is_character(rest) {
            text(rest, '\'')
        } else {
            code.push(first);
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    code
}

/// Returns the length of the string or character that `source` starts with, with its quotes.
fn text(source: &str, quote: char) -> usize {
    let mut escaped = false;
    let end = source.char_indices().skip(1).find(|(_, c)| {
        let is_end = !escaped && *c == quote;
        escaped = !escaped && *c == '\\';
        is_end
    });
    end.map_or(source.len(), |(at, _)| at + 1)
}

/// Returns the length of the raw string that `source` starts with, if it starts with one: `r"..."`, `br#"..."#`.
fn raw_text(source: &str) -> Option<usize> {
    let hashes = source.strip_prefix("br").or(source.strip_prefix('r'))?;
    let start = hashes.trim_start_matches('#').strip_prefix('"')?;
    let marks = hashes.len() - start.len() - 1;
    let end = format!("\"{}", "#".repeat(marks));
    let text = start.find(&end)?;
    Some(source.len() - start.len() + text + end.len())
}

/// Returns whether a quote begins a character, as in `'a'` and `'\n'`, and not a lifetime, as in `'a`.
fn is_character(source: &str) -> bool {
    let mut characters = source.chars().skip(1);
    characters.next() == Some('\\') || characters.next() == Some('\'')
}
