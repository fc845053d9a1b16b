//! The command line.

use crate::Result;
use crate::roster::Entry;

pub(crate) const USAGE: &str = "\
usage: benches/compare/run [--rounds N] [--only NAME,...] [--weight]

  --rounds N       windows per operation and library, 61 unless said (or the variable ROUNDS)
  --only NAME,...  only builds whose name has one of these texts in it; prints and keeps nothing
  --weight         build time, crates and binary size instead of speed";

pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) only: Vec<String>,
    pub(crate) weight: bool,
}

impl Options {
    /// `None` if help was asked for.
    pub(crate) fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Option<Self>> {
        let rounds = std::env::var("ROUNDS").ok().map_or(Ok(61), |text| text.parse())?;
        let mut options = Self { rounds, only: Vec::new(), weight: false };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--rounds" => options.rounds = value(&argument, arguments.next())?.parse()?,
                "--only" => {
                    options.only = value(&argument, arguments.next())?.split(',').map(str::to_owned).collect()
                }
                "--weight" => options.weight = true,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("unknown argument {argument}\n{USAGE}").into()),
            }
        }
        if options.rounds == 0 {
            return Err("--rounds is at least 1".into());
        }
        Ok(Some(options))
    }

    pub(crate) fn wants(&self, entry: &Entry) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| entry.id.contains(name))
    }
}

fn value(argument: &str, value: Option<String>) -> Result<String> {
    value.ok_or_else(|| format!("{argument} needs a value").into())
}
