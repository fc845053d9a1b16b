//! Compares this checkout of `countersign` with another one, in one interleaved run.

use crate::Result;
use crate::build::Workshop;
use crate::machine::{Machine, commit};
use crate::measure::{self, Named};
use crate::peer::Peer;
use crate::report::{allocations, duration, own_operations, shared_operations, targets_table};
use crate::results::{Measured, Results};
use crate::roster::{self, OURS, OURS_GRAVIOLA};
use crate::targets;
use std::fmt::Write;
use std::fs;
use std::path::Path;

/// The build of the other checkout. That of this one is [`OURS`].
const OLD: &str = "countersign (old)";

/// Builds both checkouts, measures the operations that both have, and prints one table.
pub(crate) fn run(workshop: &Workshop, other: &Path, rounds: usize) -> Result<()> {
    let other = fs::canonicalize(other).map_err(|error| format!("{}: {error}", other.display()))?;
    eprintln!("building the old checkout");
    let old = workshop.build_other(&other, OLD)?;
    eprintln!("building this checkout");
    let new = workshop.build(roster::find(OURS).ok_or("countersign is on the roster")?)?;

    let mut peers =
        vec![(OLD, crate::start(workshop, &old, true)?), (OURS, crate::start(workshop, &new, true)?)];
    let operations = shared(&peers);
    match graviola(workshop) {
        Ok(peer) => peers.push((OURS_GRAVIOLA, peer)),
        Err(error) => eprintln!("{OURS_GRAVIOLA}: {error}"),
    }
    let mut results = Results::default();
    measure::count_allocations(workshop, &peers, &mut results)?;
    measure::time(&mut peers, &operations, rounds, &mut results)?;

    let machine = Machine::of_this(&workshop.folder);
    println!(
        "Old: commit {}. New: commit {}. {}, {} cores, {}, {}. Medians of {rounds} windows of 2 ms, and of 40 ms for \
         signing with ML-DSA.\n\n{}\n{}",
        commit(&other),
        machine.commit,
        machine.cpu,
        machine.cores,
        machine.rustc,
        machine.date,
        table(&results, &operations),
        targets_table(&targets::against(&results, OLD))
    );
    Ok(())
}

/// The build with graviola, for the targets that compare it with pure Rust as it was.
fn graviola(workshop: &Workshop) -> Result<Peer> {
    eprintln!("building {OURS_GRAVIOLA}");
    let entry = roster::find(OURS_GRAVIOLA).ok_or("it is on the roster")?;
    crate::start(workshop, &workshop.build(entry)?, true)
}

/// The operations that all of the builds have.
fn shared(peers: &[Named]) -> Vec<String> {
    let mut operations = measure::operations(peers);
    operations.retain(|name| peers.iter().all(|(_, peer)| peer.number(name).is_some()));
    operations
}

fn table(results: &Results, operations: &[String]) -> String {
    let mut table = String::from(
        "| | old | new | new / old | p10 new / old | allocations old | allocations new |\n\
         |---|---:|---:|---:|---:|---:|---:|\n",
    );
    let titles = [shared_operations(), own_operations()].concat();
    for operation in operations {
        let title = titles.iter().find(|(_, name)| name == operation).map_or(operation, |(title, _)| title);
        if let (Some(old), Some(new)) = (results.get(operation, OLD), results.get(operation, OURS)) {
            let _ = writeln!(table, "| {title} | {} |", cells(old, new));
        }
    }
    table
}

fn cells(old: &Measured, new: &Measured) -> String {
    format!(
        "{} | {} | {:.2} | {:.2} | {} | {}",
        duration(old.median()),
        duration(new.median()),
        new.ratio_to(old),
        new.p10() / old.p10(),
        allocations(old.allocations),
        allocations(new.allocations),
    )
}
