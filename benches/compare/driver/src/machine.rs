//! What the numbers were measured on.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;

pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) date: String,
    pub(crate) rustc: String,
    /// The commit that was measured, and whether the tree differed from it.
    pub(crate) commit: String,
}

impl Machine {
    /// Describes this machine, and the checkout that `folder` is in.
    pub(crate) fn of_this(folder: &Path) -> Self {
        Self {
            cpu: cpu().unwrap_or_else(|| std::env::consts::ARCH.to_owned()),
            cores: thread::available_parallelism().map_or(1, usize::from),
            date: output_of("date", &["-u", "+%Y-%m-%d"]),
            rustc: output_of("rustc", &["--version"]),
            commit: commit(folder),
        }
    }

    /// In one line.
    pub(crate) fn describe(&self) -> String {
        format!("{}, {} cores, {}, {}, commit {}", self.cpu, self.cores, self.rustc, self.date, self.commit)
    }
}

/// The commit of the checkout that `folder` is in, with `-dirty` if the tree differs from it.
pub(crate) fn commit(folder: &Path) -> String {
    let folder = folder.to_string_lossy();
    output_of("git", &["-C", &folder, "describe", "--always", "--dirty", "--exclude=*"])
}

fn cpu() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().ok();
    let output = output.filter(|output| output.status.success());
    output.map_or_else(
        || "unknown".to_owned(),
        |output| String::from_utf8_lossy(&output.stdout).trim().to_owned(),
    )
}
