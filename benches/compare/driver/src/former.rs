//! Libraries that do not build in this workspace any more, with their last measurements.
//!
//! Each ratio is to `countersign` in the run of that day. The targets do not use these numbers.

use crate::weight::Weight;
use std::time::Duration;

/// The day of the last measurements.
pub(crate) const DATE: &str = "2026-11-26";
/// The commit of `countersign` in that run.
pub(crate) const COMMIT: &str = "92cb6ad";

/// Why these libraries are not built.
pub(crate) const REASON: &str = "their RSA enables the feature `sha2` of the crate `rsa`, which 0.10.0-rc.19 \
     was the last version to have. The one lock file of this workspace has `rsa` 0.10.0";

/// A library with its last measurements.
pub(crate) struct Former {
    /// The library with its version.
    name: &'static str,
    /// What its package added to it, and what else its reader should know.
    pub(crate) note: &'static str,
    pub(crate) weight: Weight,
    rows: [Row; 13],
}

/// The last measurement of one operation.
pub(crate) struct Row {
    operation: &'static str,
    /// Nanoseconds.
    pub(crate) median: f64,
    /// Nanoseconds.
    pub(crate) p10: f64,
    /// The median, divided by that of `countersign` in the same run.
    pub(crate) ratio: f64,
    /// Those of the whole process. All of them were from Rust.
    pub(crate) allocations: u32,
}

impl Former {
    /// The library with its version and the day of the measurement.
    pub(crate) fn label(&self) -> String {
        format!("{}, measured {DATE}", self.name)
    }

    pub(crate) fn row(&self, operation: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.operation == operation)
    }
}

pub(crate) const FORMER: &[Former] = &[
    Former {
        name: "jaws 2.0.0",
        note: "checks the signature; the benchmark checked `iss`, `aud` and `exp`; takes claims by value, so \
               their clone was measured too; signs with RSA without blinding",
        weight: weight([66, 127], [128, 92], [1161, 927]),
        rows: [
            row("hs256/verify/typical", 2_321.0, 2_205.0, 2.92, 16),
            row("hs256/sign/typical", 2_273.0, 2_164.0, 4.36, 44),
            row("hs256/verify/other-header", 2_326.0, 2_193.0, 2.16, 16),
            row("hs256/verify/tiny", 1_501.0, 1_395.0, 3.24, 12),
            row("hs256/sign/tiny", 1_611.0, 1_535.0, 4.84, 37),
            row("hs256/verify/1KB", 5_619.0, 5_375.0, 3.33, 16),
            row("hs256/sign/1KB", 5_050.0, 4_772.0, 3.11, 48),
            row("hs256/verify/100KB", 375_000.0, 352_000.0, 3.43, 16),
            row("hs256/sign/100KB", 364_000.0, 347_000.0, 2.84, 48),
            row("rs256/sign/2048", 1_004_000.0, 963_000.0, 0.56, 133),
            row("rs256/verify/2048", 59_800.0, 57_600.0, 2.39, 44),
            row("rs256/verify/3072", 128_000.0, 121_000.0, 1.96, 44),
            row("rs256/verify/4096", 211_000.0, 201_000.0, 1.95, 44),
        ],
    },
    Former {
        name: "compact_jwt 0.6.0",
        note: "checks the signature; the benchmark checked `iss`, `aud` and `exp`; signs with RSA without \
               blinding",
        weight: weight([106, 197], [195, 137], [1149, 897]),
        rows: [
            row("hs256/verify/typical", 1_427.0, 1_370.0, 1.79, 13),
            row("hs256/sign/typical", 1_019.0, 970.0, 1.96, 13),
            row("hs256/verify/other-header", 1_430.0, 1_351.0, 1.32, 13),
            row("hs256/verify/tiny", 909.0, 849.0, 1.96, 9),
            row("hs256/sign/tiny", 674.0, 634.0, 2.03, 11),
            row("hs256/verify/1KB", 2_759.0, 2_625.0, 1.63, 13),
            row("hs256/sign/1KB", 2_440.0, 2_341.0, 1.50, 15),
            row("hs256/verify/100KB", 148_000.0, 139_000.0, 1.36, 13),
            row("hs256/sign/100KB", 237_000.0, 224_000.0, 1.85, 15),
            row("rs256/sign/2048", 995_000.0, 929_000.0, 0.56, 117),
            row("rs256/verify/2048", 60_100.0, 57_900.0, 2.40, 46),
            row("rs256/verify/3072", 126_000.0, 120_000.0, 1.94, 46),
            row("rs256/verify/4096", 209_000.0, 196_000.0, 1.93, 46),
        ],
    },
];

const fn row(operation: &'static str, median: f64, p10: f64, ratio: f64, allocations: u32) -> Row {
    Row { operation, median, p10, ratio, allocations }
}

/// CPU and wall seconds, crates by line and by name, kilobytes of the binary and of the stripped one.
const fn weight(
    [cpu, wall]: [u64; 2],
    [crates, crate_names]: [usize; 2],
    [binary, stripped]: [u64; 2],
) -> Weight {
    Weight {
        cpu: Duration::from_secs(cpu),
        wall: Duration::from_secs(wall),
        crates,
        crate_names,
        binary: binary * 1024,
        stripped: Some(stripped * 1024),
    }
}

#[cfg(test)]
mod tests {
    use super::FORMER;
    use crate::report::shared_operations;

    #[test]
    fn each_row_is_of_a_shared_operation() {
        for former in FORMER {
            let rows = shared_operations().iter().filter_map(|(_, name)| former.row(name)).count();
            assert_eq!(rows, former.rows.len(), "{}", former.name);
        }
    }
}
