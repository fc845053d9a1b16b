//! Builds the compared libraries, measures them side by side, and writes the tables and the chart.

mod against;
mod audit;
mod build;
mod chart;
mod fixtures;
mod former;
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
use crate::former::{FORMER, Former};
use crate::machine::Machine;
use crate::options::Options;
use crate::peer::Peer;
use crate::results::Results;
use crate::roster::{Entry, ROSTER};
use compare_common::tokens::Tokens;
use std::error::Error;
use std::fs;
use std::path::Path;
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
    if options.weight {
        return weigh(&workshop, &options);
    }
    write_tokens(&workshop)?;
    match &options.against {
        Some(other) => against::run(&workshop, other, options.rounds),
        None => compare(&workshop, &options),
    }
}

fn write_tokens(workshop: &Workshop) -> Result<()> {
    let folder = workshop.target.join("tokens");
    fs::create_dir_all(&folder)?;
    fixtures::write(&Tokens::open(folder))
}

fn compare(workshop: &Workshop, options: &Options) -> Result<()> {
    let mut results = Results::default();
    results.former = former(options);
    let mut peers = Vec::new();
    for entry in ROSTER.iter().filter(|entry| options.wants(entry.id)) {
        match prepare(workshop, entry) {
            Ok((label, peer)) => {
                if entry.is_floor() && entry.variant.is_some() {
                    results.versions.insert(entry.id, workshop.versions(entry)?);
                }
                results.labels.insert(entry.id, label);
                peers.push((entry.id, peer));
            }
            Err(error) => {
                eprintln!("{}: {error}", entry.id);
                results.left_out.push((entry.id, error.to_string()));
            }
        }
    }
    measure::count_allocations(workshop, &peers, &mut results)?;
    let operations = measure::operations(&peers);
    measure::time(&mut peers, &operations, options.rounds, &mut results)?;
    publish(workshop, options, &results)
}

/// The libraries to show with their last measurements.
fn former(options: &Options) -> Vec<&'static Former> {
    FORMER.iter().filter(|former| options.wants(&former.label())).collect()
}

/// Builds and starts a library's package. Returns its label too.
fn prepare(workshop: &Workshop, entry: &Entry) -> Result<(String, Peer)> {
    eprintln!("building {}", entry.id);
    let program = workshop.build(entry)?;
    let peer = start(workshop, &program, !entry.is_floor())?;
    Ok((workshop.label(entry)?, peer))
}

/// Starts a program. If `audit`, checks that it does the work that is measured.
fn start(workshop: &Workshop, program: &Path, audit: bool) -> Result<Peer> {
    let mut peer = Peer::start(program, &workshop.target, None)?;
    if audit {
        audit::check(&mut peer, &workshop.target)?;
    }
    Ok(peer)
}

/// Prints the tables. Writes them and the chart too, unless only some libraries were measured.
fn publish(workshop: &Workshop, options: &Options, results: &Results) -> Result<()> {
    let machine = Machine::of_this(&workshop.folder);
    let text = report::markdown(results, &machine, options.rounds);
    println!("{text}");
    if options.only.is_empty() {
        fs::write(workshop.folder.join("results.md"), text)?;
        fs::write(workshop.folder.join("results.svg"), chart::svg(results, &machine, options.rounds))?;
    }
    Ok(())
}

fn weigh(workshop: &Workshop, options: &Options) -> Result<()> {
    let weigh_all = |entries: &mut dyn Iterator<Item = &'static Entry>| -> Vec<weight::Row> {
        let wanted = entries.filter(|entry| options.wants(entry.id));
        wanted.map(|entry| (entry.id, weight::weigh(workshop, entry))).collect()
    };
    let libraries = weigh_all(&mut weight::libraries());
    let features = weigh_all(&mut weight::FEATURES.iter());
    let curves = weight::find_curves(workshop, &features);
    let machine = Machine::of_this(&workshop.folder);
    let text = report::weight(&libraries, &features, &curves, &former(options), &machine);
    println!("{text}");
    if options.only.is_empty() {
        fs::write(workshop.folder.join("weight.md"), text)?;
    }
    match curves.into_iter().find(|(_, curves)| !matches!(curves, Ok(found) if found.is_empty())) {
        Some((id, Ok(found))) => Err(format!("{id}: links {}", found.join(", ")).into()),
        Some((id, Err(error))) => Err(format!("{id}: {error}").into()),
        None => Ok(()),
    }
}
