//! What a library, or a feature of ours, costs before it runs: the packages in `weight` are programs that sign and verify
//! one token.

use crate::Result;
use crate::build::{Workshop, slug};
use crate::roster::{Cryptography, Entry, ROSTER, Role};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

pub(crate) struct Weight {
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
    /// Different lines of `cargo tree`.
    pub(crate) crates: usize,
    pub(crate) crate_names: usize,
    pub(crate) binary: u64,
    /// `None` where there is no `strip`.
    pub(crate) stripped: Option<u64>,
}

/// A program by its name, and what was weighed.
pub(crate) type Row = (&'static str, Result<Weight>);

/// Weighed beside the others: what is left without key pairs.
const OURS_HS256: &Entry =
    &Entry::new("countersign (HS256 only)", "countersign-hs256", &["countersign"], Cryptography::PureRust)
        .role(Role::Ours);

/// The features of ours, each alone.
pub(crate) const FEATURES: &[Entry] = &[
    feature("rsa-verify", &["rsa-verify"], Cryptography::PureRust),
    feature("rsa", &["rsa"], Cryptography::PureRust),
    feature(RS256_AMONG_ALL, &["beside-the-default", "rsa"], Cryptography::PureRust),
    feature("ecdsa", &["ecdsa"], Cryptography::PureRust),
    feature("p521", &["p521"], Cryptography::PureRust),
    feature("k256", &["k256"], Cryptography::PureRust),
    feature("ed25519", &["ed25519"], Cryptography::PureRust),
    feature("ml-dsa", &["ml-dsa"], Cryptography::PureRust),
    feature("aws-lc-rs", &["aws-lc-rs"], Cryptography::AwsLc),
    feature("graviola", &["graviola"], Cryptography::Graviola),
];

const RS256_AMONG_ALL: &str = "the default features, RS256 only";

/// The programs among [`FEATURES`] that use no curve.
const WITHOUT_CURVES: [&str; 3] = ["rsa-verify", "rsa", RS256_AMONG_ALL];

/// The crates that compute with curves.
const CURVES: [&str; 9] = [
    "curve25519_dalek",
    "ecdsa",
    "ed25519_dalek",
    "elliptic_curve",
    "k256",
    "p256",
    "p384",
    "p521",
    "primeorder",
];

const fn feature(id: &'static str, features: &'static [&'static str], cryptography: Cryptography) -> Entry {
    Entry::new(id, "countersign-feature", &["countersign"], cryptography).features(features).role(Role::Ours)
}

/// The libraries that have a program with HS256.
pub(crate) fn libraries() -> impl Iterator<Item = &'static Entry> {
    std::iter::once(OURS_HS256).chain(ROSTER.iter().filter(|entry| entry.has_hello()))
}

/// The crates of curves whose code is in a program that uses none, for each such program that was weighed.
pub(crate) fn find_curves(
    workshop: &Workshop,
    rows: &[Row],
) -> Vec<(&'static str, Result<Vec<&'static str>>)> {
    let weighed = rows.iter().filter(|(_, weight)| weight.is_ok()).map(|(id, _)| *id);
    let programs = FEATURES.iter().filter(|entry| WITHOUT_CURVES.contains(&entry.id));
    let ids: BTreeSet<_> = weighed.collect();
    programs
        .filter(|entry| ids.contains(entry.id))
        .map(|entry| (entry.id, curves_in(&program(workshop, entry))))
        .collect()
}

/// Looks for the crates in the names of the program's symbols, which Rust writes with the length before it.
fn curves_in(program: &Path) -> Result<Vec<&'static str>> {
    let output = Command::new("nm").arg(program).output().map_err(|error| format!("nm: {error}"))?;
    let symbols = String::from_utf8(output.stdout)?;
    if !symbols.contains("11countersign") {
        return Err("nm shows no symbol of countersign".into());
    }
    Ok(CURVES.into_iter().filter(|name| symbols.contains(&format!("{}{name}", name.len()))).collect())
}

pub(crate) fn weigh(workshop: &Workshop, entry: &Entry) -> Result<Weight> {
    eprintln!("weighing {}", entry.id);
    let package = format!("weight-{}", entry.package);
    // Downloads and an earlier build are not part of a clean build.
    run(Command::new("cargo").args(["fetch", "--quiet", "--manifest-path"]).arg(workshop.manifest()))?;
    let target = target(workshop, entry);
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }

    let (cpu, start) = (cpu_of_children()?, Instant::now());
    workshop.build_member(&package, entry.features, &target)?;
    let (cpu, wall) = (cpu_of_children()? - cpu, start.elapsed());

    let program = program(workshop, entry);
    run(&mut Command::new(&program))?;
    let (crates, crate_names) = crates(&workshop.tree(&package, entry.features, &[])?);
    Ok(Weight {
        cpu,
        wall,
        crates,
        crate_names,
        binary: fs::metadata(&program)?.len(),
        stripped: stripped(&program),
    })
}

fn target(workshop: &Workshop, entry: &Entry) -> PathBuf {
    workshop.target.join("weight").join(slug(entry.id))
}

fn program(workshop: &Workshop, entry: &Entry) -> PathBuf {
    target(workshop, entry).join("release").join(format!("weight-{}", entry.package))
}

/// User and system time of the processes that were waited for, from `proc(5)`.
fn cpu_of_children() -> Result<Duration> {
    /// `USER_HZ`, which is 100 on every Linux that Rust's standard library runs on.
    const TICKS_PER_SECOND: u64 = 100;
    /// Counted from behind the name, which may hold anything but ends in the last `)`.
    const CUTIME: usize = 13;
    let text = fs::read_to_string("/proc/self/stat")?;
    let fields = text.rsplit_once(')').ok_or("an unknown form of /proc/self/stat")?.1;
    let ticks =
        fields.split_whitespace().skip(CUTIME).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_PER_SECOND))
}

/// Counts the different lines of the output of `cargo tree`, and the different names of crates in it.
fn crates(tree: &str) -> (usize, usize) {
    let lines: BTreeSet<&str> = tree.lines().collect();
    let names: BTreeSet<&str> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
    (lines.len(), names.len())
}

fn stripped(program: &Path) -> Option<u64> {
    let stripped = program.with_extension("stripped");
    run(Command::new("strip").arg("-o").arg(&stripped).arg(program)).ok()?;
    fs::metadata(stripped).ok().map(|metadata| metadata.len())
}

fn run(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    if output.status.success() { Ok(()) } else { Err(format!("{command:?} failed").into()) }
}
