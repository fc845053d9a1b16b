//! What was measured.

use crate::former::Former;
use crate::peer::Allocations;
use crate::roster::{self, Entry, ROSTER, Role};
use std::collections::{BTreeMap, HashMap};

/// The measurements, by the names of operations and of builds.
#[derive(Default)]
pub(crate) struct Results {
    /// The full names of the builds that ran.
    pub(crate) labels: HashMap<&'static str, String>,
    /// What the builds are made of whose full names do not say it.
    pub(crate) versions: HashMap<&'static str, String>,
    /// The builds that did not, and why.
    pub(crate) left_out: Vec<(&'static str, String)>,
    /// The libraries that are shown with their last measurements.
    pub(crate) former: Vec<&'static Former>,
    measured: BTreeMap<(String, &'static str), Measured>,
}

#[derive(Default)]
pub(crate) struct Measured {
    /// Nanoseconds per operation, one number for each round.
    windows: Vec<f64>,
    pub(crate) allocations: Allocations,
}

impl Measured {
    pub(crate) fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// The quiet part of the run.
    pub(crate) fn p10(&self) -> f64 {
        self.percentile(10)
    }

    /// The median of the ratios of windows that were measured in the same round.
    pub(crate) fn ratio_to(&self, other: &Self) -> f64 {
        percentile(self.windows.iter().zip(&other.windows).map(|(one, other)| one / other).collect(), 50)
    }

    fn percentile(&self, percent: usize) -> f64 {
        percentile(self.windows.clone(), percent)
    }
}

fn percentile(mut numbers: Vec<f64>, percent: usize) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() * percent / 100).copied().unwrap_or(f64::NAN)
}

impl Results {
    pub(crate) fn add_window(&mut self, operation: &str, id: &'static str, nanoseconds: f64) {
        self.entry(operation, id).windows.push(nanoseconds);
    }

    pub(crate) fn set_allocations(&mut self, operation: &str, id: &'static str, allocations: Allocations) {
        self.entry(operation, id).allocations = allocations;
    }

    fn entry(&mut self, operation: &str, id: &'static str) -> &mut Measured {
        self.measured.entry((operation.to_owned(), id)).or_default()
    }

    pub(crate) fn get(&self, operation: &str, id: &'static str) -> Option<&Measured> {
        self.measured.get(&(operation.to_owned(), id))
    }

    pub(crate) fn median(&self, operation: &str, id: &'static str) -> Option<f64> {
        self.get(operation, id).map(Measured::median)
    }

    /// The builds that have the operation, the fastest first.
    pub(crate) fn ranking(&self, operation: &str) -> Vec<(&'static Entry, &Measured)> {
        let mut ranking: Vec<_> =
            ROSTER.iter().filter_map(|entry| Some((entry, self.get(operation, entry.id)?))).collect();
        ranking.sort_by(|(_, one), (_, other)| one.median().total_cmp(&other.median()));
        ranking
    }

    /// The fastest library of this run among those that `of` chooses, except for ours.
    pub(crate) fn best_rival(
        &self,
        operation: &str,
        of: impl Fn(&Entry) -> bool,
    ) -> Option<(&'static Entry, f64)> {
        let mut ranking = self.ranking(operation).into_iter();
        let best = ranking.find(|(entry, _)| entry.role == Role::Rival && of(entry))?;
        Some((best.0, best.1.median()))
    }

    pub(crate) fn label(&self, entry: &Entry) -> &str {
        self.labels.get(entry.id).map_or(entry.id, String::as_str)
    }

    /// The full name of a build, or the short one if it did not run.
    pub(crate) fn label_of(&self, id: &'static str) -> &str {
        roster::find(id).map_or(id, |entry| self.label(entry))
    }
}
