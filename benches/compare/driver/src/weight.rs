//! What a library costs before it runs: the packages in `weight` are programs that sign and verify one token.

use crate::Result;
use crate::build::{Workshop, slug};
use crate::roster::Entry;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
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

pub(crate) fn weigh(workshop: &Workshop, entry: &Entry) -> Result<Weight> {
    eprintln!("weighing {}", entry.id);
    let package = format!("weight-{}", entry.package);
    // Downloads and an earlier build are not part of a clean build.
    run(Command::new("cargo").args(["fetch", "--quiet", "--manifest-path"]).arg(workshop.manifest()))?;
    let target = workshop.target.join("weight").join(slug(entry.id));
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }

    let (cpu, start) = (cpu_of_children()?, Instant::now());
    workshop.build_member(&package, entry.features, &target)?;
    let (cpu, wall) = (cpu_of_children()? - cpu, start.elapsed());

    let program = target.join("release").join(&package);
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
