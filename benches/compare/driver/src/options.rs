//! The command line.

use crate::Result;
use std::path::PathBuf;

pub(crate) const USAGE: &str = "\
usage: benches/compare/run [--rounds N] [--only NAME,...] [--weight]
       benches/compare/run [--rounds N] --against DIR

  --rounds N       windows per operation and library, 61 unless said (or the variable ROUNDS)
  --only NAME,...  only builds whose name contains one of these texts; prints and writes no file
  --weight         build time, crates and binary size instead of speed
  --against DIR    countersign only: this checkout beside the one in DIR; prints and writes no file";

pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) only: Vec<String>,
    pub(crate) weight: bool,
    pub(crate) against: Option<PathBuf>,
}

impl Options {
    /// Parses the arguments. `None` if they ask for help.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let rounds = std::env::var("ROUNDS").ok().map_or(Ok(61), |text| text.parse())?;
        let mut options = Self { rounds, only: Vec::new(), weight: false, against: None };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--rounds" => options.rounds = value(&argument, arguments.next())?.parse()?,
                "--only" => {
                    options.only = value(&argument, arguments.next())?.split(',').map(str::to_owned).collect()
                }
                "--weight" => options.weight = true,
                "--against" => options.against = Some(value(&argument, arguments.next())?.into()),
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("unknown argument {argument}\n{USAGE}").into()),
            }
        }
        options.check().map(Some)
    }

    fn check(self) -> Result<Self> {
        if self.rounds == 0 {
            return Err("--rounds has to be 1 or more".into());
        }
        if self.against.is_some() && (self.weight || !self.only.is_empty()) {
            return Err("--against cannot be combined with --only or --weight".into());
        }
        Ok(self)
    }

    /// Whether the build or library of this name is to be measured.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|part| name.contains(part))
    }
}

fn value(argument: &str, value: Option<String>) -> Result<String> {
    value.ok_or_else(|| format!("{argument} needs a value").into())
}
