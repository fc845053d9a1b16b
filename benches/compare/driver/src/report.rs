//! The tables, in Markdown.

use crate::former::{COMMIT, DATE, Former, REASON, Row};
use crate::machine::Machine;
use crate::peer::Allocations;
use crate::results::{Measured, Results};
use crate::roster::{BACKENDS, Cryptography, Entry, OURS, ROSTER, Role};
use crate::targets::{self, Direction, Limit, OVERHEAD, Target};
use crate::weight::{self, Weight};
use compare_common::Algorithm;
use compare_common::claims::Size;
use compare_common::keys::RSA;
use compare_common::tokens;
use std::fmt::Write;

/// The run as a page.
pub(crate) fn markdown(results: &Results, machine: &Machine, rounds: usize) -> String {
    let mut page = format!(
        "# Comparison\n\n{}. Medians of {rounds} windows of 2 ms, and of 40 ms for signing with ML-DSA; `p10` is \
         the quiet part of the run. Compare within a table: absolute times belong to the machine. How this was \
         measured: [README.md](README.md).\n\n",
        machine.describe()
    );
    page.push_str("## Targets\n\n");
    page.push_str(&targets_table(&targets::all(results)));
    page.push_str(&overhead_table(results));
    for (title, operation) in shared_operations() {
        page.push_str(&operation_table(results, &title, &operation));
    }
    page.push_str(&own_table(results));
    page.push_str(&notes(results));
    page
}

/// The operations of all libraries, each with a title.
pub(crate) fn shared_operations() -> Vec<(String, String)> {
    let typical = Size::Typical;
    let mut operations = [
        ("HS256 verify, seven claims", tokens::verify_hs256(typical)),
        ("HS256 sign, seven claims", tokens::sign_hs256(typical)),
        ("HS256 verify, seven claims, header in another order", tokens::VERIFY_OTHER_HEADER),
        ("HS256 verify, one claim and `exp`", tokens::VERIFY_TINY),
        ("HS256 sign, one claim and `exp`", tokens::SIGN_TINY),
        ("HS256 verify, 1 KB", tokens::verify_hs256(Size::OneKilobyte)),
        ("HS256 sign, 1 KB", tokens::sign_hs256(Size::OneKilobyte)),
        ("HS256 verify, 100 KB", tokens::verify_hs256(Size::HundredKilobytes)),
        ("HS256 sign, 100 KB", tokens::sign_hs256(Size::HundredKilobytes)),
        ("RS256 sign, 2048 bits", tokens::SIGN_RS256),
    ]
    .map(|(title, operation)| (title.to_owned(), operation.to_owned()))
    .to_vec();
    operations
        .extend(RSA.map(|key| (format!("RS256 verify, {} bits", key.bits), tokens::verify_rs256(key.bits))));
    operations.push(("JWK set of 1,000 RSA keys, read".to_owned(), tokens::READ_KEY_SET.to_owned()));
    operations.push((
        "JWK set of 1,000 RSA keys, read, and one token verified with each key".to_owned(),
        tokens::USE_KEY_SET.to_owned(),
    ));
    for algorithm in Algorithm::others() {
        operations.extend(
            Direction::BOTH
                .map(|direction| (direction.title(algorithm), direction.operation(algorithm).to_owned())),
        );
    }
    operations
}

fn operation_table(results: &Results, title: &str, operation: &str) -> String {
    let ours = results.median(operation, OURS);
    let mut table = format!(
        "## {title}\n\n| | median | p10 | / countersign | allocations [with C] |\n|---|---:|---:|---:|---:|\n"
    );
    for (entry, measured) in results.ranking(operation) {
        let ratio = ours.map_or("–".to_owned(), |ours| format!("{:.2}", measured.median() / ours));
        let _ = writeln!(
            table,
            "| {} | {} | {} | {ratio} | {} |",
            name(results, entry),
            duration(measured.median()),
            duration(measured.p10()),
            allocations(measured.allocations),
        );
    }
    for former in &results.former {
        if let Some(row) = former.row(operation) {
            let _ = writeln!(table, "{}", former_row(former, row));
        }
    }
    table.push('\n');
    table
}

fn former_row(former: &Former, row: &Row) -> String {
    let count = f64::from(row.allocations);
    format!(
        "| {} | {} | {} | {:.2} | {} |",
        former.label(),
        duration(row.median),
        duration(row.p10),
        row.ratio,
        allocations(Allocations { from_rust: count, of_process: Some(count) }),
    )
}

/// The operations that only `countersign` has, each with a title.
pub(crate) fn own_operations() -> Vec<(String, String)> {
    let mut operations = vec![
        ("HS256 verify, claims that borrow from a buffer".to_owned(), tokens::VERIFY_IN.to_owned()),
        ("HS256 refuse a forged token".to_owned(), tokens::REFUSE_FORGED.to_owned()),
        ("HS256 refuse an expired token".to_owned(), tokens::REFUSE_EXPIRED.to_owned()),
    ];
    operations.extend(tokens::KEY_SET_SIZES.map(|keys| {
        (format!("HS256 verify by `kid`, keys in the set: {keys}"), tokens::verify_by_key_id(keys))
    }));
    operations
}

fn own_table(results: &Results) -> String {
    let mut table = String::from(
        "## Only countersign\n\n\
         | seven claims | median | p10 | allocations [with C] |\n|---|---:|---:|---:|\n",
    );
    let verify = ("HS256 verify".to_owned(), tokens::verify_hs256(Size::Typical).to_owned());
    for (title, operation) in std::iter::once(verify).chain(own_operations()) {
        let Some(measured) = results.get(&operation, OURS) else { continue };
        let _ = writeln!(table, "| {title} | {} |", cells(measured));
    }
    table.push('\n');
    table
}

fn cells(measured: &Measured) -> String {
    let Measured { allocations, .. } = measured;
    format!(
        "{} | {} | {}",
        duration(measured.median()),
        duration(measured.p10()),
        self::allocations(*allocations)
    )
}

pub(crate) fn targets_table(targets: &[Target]) -> String {
    let mut table = String::from("| countersign | at most | measured | |\n|---|---:|---:|---|\n");
    for target in targets {
        let _ = writeln!(table, "{}", target_row(target));
    }
    table.push_str(
        "\nWhere the target says `+ 3 %`, a ratio counts as met up to 3 % above it. The best is the fastest library \
         of this run; libraries measured in an earlier run do not count.\n\n",
    );
    table
}

/// What our code adds to the raw operation of each algorithm and backend.
fn overhead_table(results: &Results) -> String {
    let mut table = format!(
        "## Overhead\n\nThe time of countersign, divided by the raw operation with a parsed key, the HS256 time of \
         countersign, and less the HMAC-SHA-256 of the same input. The target is at most {OVERHEAD:.2}. With ML-DSA, the \
         raw operation reads or writes the bytes of the signature too. Signing with ML-DSA in pure Rust is compared with \
         random bytes that are zero, so that both make the same signature in the same number of attempts. With \
         aws-lc-rs, both draw random bytes.\n\n|"
    );
    for backend in &BACKENDS {
        let _ = write!(table, " | {}", backend.name);
    }
    table.push_str(" |\n|---|---|---|---|\n");
    for algorithm in Algorithm::ALL {
        for direction in Direction::BOTH {
            let _ = write!(table, "| {}", direction.title(algorithm));
            for backend in &BACKENDS {
                let ratio = results.overhead(direction, algorithm, backend);
                let _ = write!(table, " | {}", ratio.map_or("–".to_owned(), overhead_cell));
            }
            table.push_str(" |\n");
        }
    }
    table.push('\n');
    table
}

fn overhead_cell(ratio: f64) -> String {
    format!("{ratio:.2} {}", if ratio <= OVERHEAD { "met" } else { "missed" })
}

fn target_row(target: &Target) -> String {
    let limit = match target.limit {
        Limit::Ratio(limit) => format!("{limit:.2}"),
        Limit::RatioAndNoise(limit) => format!("{limit:.2} + 3 %"),
        Limit::Allocations(limit) => limit.to_string(),
    };
    let measured = target.measured.map_or("–".to_owned(), |measured| match target.limit {
        Limit::Allocations(_) => measured.to_string(),
        _ => format!("{measured:.2}"),
    });
    let verdict = match target.is_met() {
        Some(true) => "met",
        Some(false) => "missed",
        None => "not measured",
    };
    format!("| {} | {limit} | {measured} | {verdict} |", target.what)
}

/// How to read the tables of ML-DSA.
const ML_DSA_NOTE: &str = "\nSigning with ML-DSA makes attempts until one is short enough to be a signature, and how \
     many it takes is random. The tables of signing compare builds that all draw new random bytes for each \
     signature. They scatter more than the others, and their `p10` is the part of the run with few attempts. The two \
     builds of jwt-simple compute ML-DSA with the same code, so their ratio shows the scatter. Verifying includes \
     reading the bytes of the signature, in the floors too.\n";

/// What each library leaves to its caller, and which builds are missing.
fn notes(results: &Results) -> String {
    let mut notes = String::from(
        "## Notes\n\nEach library was seen to refuse a forged and an expired token and those of another \
         issuer and audience, with each algorithm that it is measured at. The floors are not libraries and check \
         less. What was added, and what to know:\n\n",
    );
    for entry in ROSTER.iter().filter(|entry| results.labels.contains_key(entry.id)) {
        if let Some(note) = entry.note {
            let versions =
                results.versions.get(entry.id).map(|versions| format!(", {versions}")).unwrap_or_default();
            let _ = writeln!(notes, "- {}{versions}: {note}.", results.label(entry));
        }
    }
    notes.push_str(ML_DSA_NOTE);
    notes.push_str("\nWhat computes RSA:\n\n");
    for (cryptography, name) in Cryptography::ALL {
        let labels = labels_with(results, cryptography);
        if !labels.is_empty() {
            let _ = writeln!(notes, "- {name}: {labels}.");
        }
    }
    if !results.left_out.is_empty() {
        notes.push_str("\nNot measured:\n\n");
    }
    for (id, reason) in &results.left_out {
        let _ = writeln!(notes, "- {id}: {reason}.");
    }
    notes.push_str(&former_notes(&results.former));
    notes
}

fn former_notes(former: &[&Former]) -> String {
    if former.is_empty() {
        return String::new();
    }
    let mut notes = format!(
        "\nNot built, because {REASON}. Their rows come from the run of {DATE}, and their ratios are to \
         countersign of commit {COMMIT} in that run:\n\n"
    );
    for former in former {
        let _ = writeln!(notes, "- {}: {}.", former.label(), former.note);
    }
    notes
}

fn labels_with(results: &Results, cryptography: Cryptography) -> String {
    let measured = ROSTER
        .iter()
        .filter(|entry| entry.cryptography == cryptography && results.labels.contains_key(entry.id));
    measured.map(|entry| results.label(entry)).collect::<Vec<_>>().join(", ")
}

/// Ours stand out; a floor is no library.
fn name(results: &Results, entry: &Entry) -> String {
    let label = results.label(entry);
    match entry.role {
        Role::Ours => format!("**{label}**"),
        Role::Floor => format!("*{label}*"),
        Role::Rival => label.to_owned(),
    }
}

pub(crate) fn allocations(allocations: Allocations) -> String {
    let of_process = allocations.of_process.map(|count| format!(" [{count:.0}]")).unwrap_or_default();
    format!("{:.0}{of_process}", allocations.from_rust)
}

/// Three digits and a unit.
pub(crate) fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        ..9_995.0 => format!("{nanoseconds:.0} ns"),
        ..99_950.0 => format!("{:.1} µs", nanoseconds / 1e3),
        ..9_995_000.0 => format!("{:.0} µs", nanoseconds / 1e3),
        _ => format!("{:.1} ms", nanoseconds / 1e6),
    }
}

const WEIGHT_HEAD: &str =
    "| | CPU s | wall s | crates | binary KB | stripped KB |\n|---|---:|---:|---:|---:|---:|\n";

/// The weights as a page.
pub(crate) fn weight(
    libraries: &[weight::Row],
    features: &[weight::Row],
    curves: &[(&'static str, crate::Result<Vec<&'static str>>)],
    former: &[&Former],
    machine: &Machine,
) -> String {
    let mut page = format!(
        "# Weight\n\n{}. A clean release build of a program that signs and verifies one HS256 token. Compare \
         CPU seconds rather than wall time. Crates: lines of `cargo tree -e normal`, in brackets by name.\n\n\
         {WEIGHT_HEAD}",
        machine.describe()
    );
    page.push_str(&weight_rows(libraries));
    for former in former {
        let _ = writeln!(page, "| {} | {} |", former.label(), weight_cells(&former.weight));
    }
    if !former.is_empty() {
        let _ = writeln!(page, "\nThe libraries measured on {DATE} are not built, because {REASON}.");
    }
    let _ = write!(
        page,
        "\n## Features of countersign\n\nThe same for a program with `std`, `getrandom` and this feature, which signs \
         and verifies one token with one algorithm. With `rsa-verify` it only verifies.\n\n{WEIGHT_HEAD}{}\n",
        weight_rows(features)
    );
    for (id, curves) in curves {
        let _ = match curves {
            Ok(found) if found.is_empty() => writeln!(page, "- {id}: links no symbol of a curve."),
            Ok(found) => writeln!(page, "- {id}: links symbols of {}.", found.join(", ")),
            Err(error) => writeln!(page, "- {id}: {error}."),
        };
    }
    page
}

fn weight_rows(rows: &[weight::Row]) -> String {
    let mut table = String::new();
    for (id, weight) in rows {
        let name = if id.starts_with(OURS) { format!("**{id}**") } else { (*id).to_owned() };
        let _ = match weight {
            Ok(weight) => writeln!(table, "| {name} | {} |", weight_cells(weight)),
            Err(error) => writeln!(table, "| {name} | {error} | | | | |"),
        };
    }
    table
}

fn weight_cells(weight: &Weight) -> String {
    let kilobytes = |bytes: u64| (bytes / 1024).to_string();
    format!(
        "{:.0} | {:.0} | {} ({}) | {} | {}",
        weight.cpu.as_secs_f64(),
        weight.wall.as_secs_f64(),
        weight.crates,
        weight.crate_names,
        kilobytes(weight.binary),
        weight.stripped.map_or("–".to_owned(), kilobytes),
    )
}
