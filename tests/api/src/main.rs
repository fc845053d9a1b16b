//! Compares the public API that rustdoc's JSON describes with the snapshot in `public-api.txt`, and sees to it that
//! no crate's type but countersign's own and the standard library's is in it. Started by `run`.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::process::ExitCode;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/public-api.txt");

/// Crates whose names may stand in the API. A new major version of any other would be one of countersign's too.
/// Of serde it is the traits that claims types have; `serde_core` is where they are defined.
const ALLOWED: [&str; 5] = ["alloc", "core", "countersign", "serde_core", "std"];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let (json, write) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [json] => (json, false),
        [json, "--write"] => (json, true),
        _ => return Err("usage: countersign-api JSON [--write]; `tests/api/run` makes the JSON".into()),
    };
    let api = public_api::Builder::from_rustdoc_json(json).omit_blanket_impls(true).build()?;
    let lines = api.items().map(ToString::to_string).filter(|line| !of_nightly(line)).collect::<Vec<_>>();

    let foreign =
        lines.iter().flat_map(|line| foreign(line).map(move |name| (name, line))).collect::<Vec<_>>();
    for (name, line) in &foreign {
        eprintln!("error: `{name}` is another crate's: {line}");
    }
    if !foreign.is_empty() {
        return Ok(ExitCode::FAILURE);
    }

    let text = lines.join("\n") + "\n";
    if write {
        fs::write(SNAPSHOT, text)?;
        println!("{} lines written", lines.len());
        return Ok(ExitCode::SUCCESS);
    }
    let before = fs::read_to_string(SNAPSHOT)?;
    if before == text {
        println!("{} lines, as in the snapshot", lines.len());
        return Ok(ExitCode::SUCCESS);
    }
    let (old, new) = (before.lines().collect::<BTreeSet<_>>(), text.lines().collect::<BTreeSet<_>>());
    for line in old.difference(&new) {
        eprintln!("-{line}");
    }
    for line in new.difference(&old) {
        eprintln!("+{line}");
    }
    eprintln!("error: the public API is not that of public-api.txt; if it is meant, `tests/api/run --write`");
    Ok(ExitCode::FAILURE)
}

/// Whether `line` tells of a trait that stable Rust cannot name: these come and go with the toolchain.
fn of_nightly(line: &str) -> bool {
    ["core::marker::Freeze", "core::marker::StructuralPartialEq", "core::marker::UnsafeUnpin"]
        .iter()
        .any(|name| line.contains(&format!("impl {name} for ")) || line.contains(&format!("> {name} for ")))
}

/// The first names of the paths in `line` that are no allowed crate's.
fn foreign(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("::").filter_map(|(end, _)| {
        let before = &line[..end];
        let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |place| place + 1);
        let name = &before[start..];
        // What follows another `::` is not first; a capital letter is a type's or a type parameter's.
        let first =
            !before[..start].ends_with("::") && name.starts_with(|c: char| c.is_lowercase() || c == '_');
        (first && !ALLOWED.contains(&name)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<&str> {
        foreign(line).collect()
    }

    #[test]
    fn paths_of_other_crates_are_found_wherever_they_stand() {
        for (line, expected) in [
            ("pub fn countersign::Key::inner(&self) -> &hmac::Hmac<sha2::Sha256>", vec!["hmac", "sha2"]),
            ("impl core::convert::From<rsa::errors::Error> for countersign::KeyError", vec!["rsa"]),
            ("impl zeroize::Zeroize for countersign::SecretBytes", vec!["zeroize"]),
            ("pub countersign::VerifyError::Json(serde_json::error::Error)", vec!["serde_json"]),
            ("pub fn countersign::f<R: ?core::marker::Sized + getrandom::R>()", vec!["getrandom"]),
            ("pub use countersign::<<base64::*>>", vec!["base64"]),
        ] {
            assert_eq!(names(line), expected, "{line}");
        }
    }

    #[test]
    fn countersign_and_the_standard_library_are_no_other_crates() {
        for line in [
            "pub fn countersign::jws::sign(&[u8]) -> core::result::Result<alloc::string::String, countersign::E>",
            "impl<'de, T: serde_core::de::Deserialize<'de>> core::clone::Clone for countersign::Claims<T>",
            "pub fn countersign::A::f(&self) -> <T as core::ops::Deref>::Target",
            "pub fn countersign::A::g(T::rsa::Item, Self::B)",
        ] {
            assert_eq!(names(line), Vec::<&str>::new(), "{line}");
        }
    }
}
