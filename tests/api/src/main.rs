//! Compares the public API that rustdoc's JSON describes with a snapshot, and checks that it has no types of other crates
//! than the given ones and the standard library. Started by `run`.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::process::ExitCode;

/// Crates whose names may be in every API. A new major version of any other would be one of ours too. Of serde, these are
/// the traits that claims types have; `serde_core` defines them.
const ALLOWED: [&str; 4] = ["alloc", "core", "serde_core", "std"];

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let (write, json, snapshot, ours) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--write", json, snapshot, ref ours @ ..] => (true, json, snapshot, ours.to_vec()),
        [json, snapshot, ref ours @ ..] => (false, json, snapshot, ours.to_vec()),
        _ => return Err("usage: countersign-api [--write] JSON SNAPSHOT CRATE...".into()),
    };
    let api = public_api::Builder::from_rustdoc_json(json).omit_blanket_impls(true).build()?;
    let lines = api.items().map(ToString::to_string).filter(|line| !is_unstable(line)).collect::<Vec<_>>();

    let foreign =
        lines.iter().flat_map(|line| foreign(line, &ours).map(move |name| (name, line))).collect::<Vec<_>>();
    for (name, line) in &foreign {
        eprintln!("error: the crate `{name}` is not allowed in the public API: {line}");
    }
    if !foreign.is_empty() {
        return Ok(ExitCode::FAILURE);
    }

    let text = lines.join("\n") + "\n";
    if write {
        fs::write(snapshot, text)?;
        println!("{} lines written", lines.len());
        return Ok(ExitCode::SUCCESS);
    }
    let before = fs::read_to_string(snapshot).map_err(|error| format!("{snapshot}: {error}"))?;
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
    eprintln!("error: the public API differs from {snapshot}; if it should, run `tests/api/run --write`");
    Ok(ExitCode::FAILURE)
}

/// Whether `line` names a trait that stable Rust cannot name: these come and go with the toolchain.
fn is_unstable(line: &str) -> bool {
    ["core::marker::Freeze", "core::marker::StructuralPartialEq", "core::marker::UnsafeUnpin"]
        .iter()
        .any(|name| line.contains(&format!("impl {name} for ")) || line.contains(&format!("> {name} for ")))
}

/// The first names of the paths in `line` that are neither in [`ALLOWED`] nor in `ours`.
fn foreign<'a>(line: &'a str, ours: &[&str]) -> impl Iterator<Item = &'a str> {
    line.match_indices("::").filter_map(|(end, _)| {
        let before = &line[..end];
        let start = before.rfind(|c: char| !c.is_alphanumeric() && c != '_').map_or(0, |place| place + 1);
        let name = &before[start..];
        // A name after another `::` is not first; a capital letter begins a type or a type parameter.
        let first =
            !before[..start].ends_with("::") && name.starts_with(|c: char| c.is_lowercase() || c == '_');
        (first && !ALLOWED.contains(&name) && !ours.contains(&name)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Vec<&str> {
        foreign(line, &["countersign"]).collect()
    }

    #[test]
    fn paths_of_other_crates_are_found_anywhere_in_a_line() {
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
    fn our_crates_and_the_standard_library_are_allowed() {
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
