//! Builds the compared libraries, measures them side by side, and writes the tables and the chart.

mod audit;
mod build;
mod chart;
mod fixtures;
mod machine;
mod measure;
mod options;
mod peer;
mod report;
mod results;
mod roster;
mod targets;
mod weight;

use crate::build::Workshop;
use crate::machine::Machine;
use crate::options::Options;
use crate::peer::Peer;
use crate::results::Results;
use crate::roster::{Entry, OURS_HS256, ROSTER};
use compare_common::tokens::Tokens;
use std::error::Error;
use std::fs;
use std::process::ExitCode;

type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let Some(options) = Options::parse(std::env::args().skip(1))? else {
        println!("{}", options::USAGE);
        return Ok(());
    };
    let workshop = Workshop::new()?;
    if options.weight { weigh(&workshop, &options) } else { compare(&workshop, &options) }
}

fn compare(workshop: &Workshop, options: &Options) -> Result<()> {
    let folder = workshop.target.join("tokens");
    fs::create_dir_all(&folder)?;
    fixtures::write(&Tokens::open(folder))?;

    let mut results = Results::default();
    let mut peers = Vec::new();
    for entry in ROSTER.iter().filter(|entry| options.wants(entry)) {
        match prepare(workshop, entry) {
            Ok((label, peer)) => {
                results.labels.insert(entry.id, label);
                peers.push((entry, peer));
            }
            Err(error) => {
                eprintln!("{}: {error}", entry.id);
                results.left_out.push((entry.id, error.to_string()));
            }
        }
    }
    measure::count_allocations(workshop, &peers, &mut results)?;
    measure::time(&mut peers, options.rounds, &mut results)?;
    publish(workshop, options, &results)
}

/// Builds a library's package, starts it, and sees that it does what it is measured at.
fn prepare(workshop: &Workshop, entry: &Entry) -> Result<(String, Peer)> {
    eprintln!("building {}", entry.id);
    let program = workshop.build(entry)?;
    let mut peer = Peer::start(&program, &workshop.target, None)?;
    if !entry.is_floor() {
        audit::check(&mut peer, &workshop.target)?;
    }
    Ok((workshop.label(entry)?, peer))
}

/// A run of chosen libraries only is printed and not kept.
fn publish(workshop: &Workshop, options: &Options, results: &Results) -> Result<()> {
    let machine = Machine::of_this();
    let text = report::markdown(results, &machine, options.rounds);
    println!("{text}");
    if options.only.is_empty() {
        fs::write(workshop.folder.join("results.md"), text)?;
        fs::write(workshop.folder.join("results.svg"), chart::svg(results, &machine, options.rounds))?;
    }
    Ok(())
}

fn weigh(workshop: &Workshop, options: &Options) -> Result<()> {
    let all = core::iter::once(OURS_HS256).chain(ROSTER);
    let entries = all.filter(|entry| entry.has_hello() && options.wants(entry));
    let rows: Vec<_> = entries.map(|entry| (entry.id, weight::weigh(workshop, entry))).collect();
    let text = report::weight(&rows, &Machine::of_this());
    println!("{text}");
    if options.only.is_empty() {
        fs::write(workshop.folder.join("weight.md"), text)?;
    }
    Ok(())
}
