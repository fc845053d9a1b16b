//! A library's process, and the protocol that it serves; see `common/src/bench.rs`.

use crate::Result;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

pub(crate) struct Peer {
    child: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// The names of its operations, in the order of their numbers.
    pub(crate) operations: Vec<String>,
}

/// The allocations of one operation.
#[derive(Clone, Copy, Default)]
pub(crate) struct Allocations {
    pub(crate) from_rust: f64,
    pub(crate) of_process: Option<f64>,
}

impl Peer {
    /// Starts `program`, with `count_malloc` preloaded where it is given.
    pub(crate) fn start(program: &Path, target: &Path, count_malloc: Option<&Path>) -> Result<Self> {
        let mut command = Command::new(program);
        command.arg(target.join("tokens")).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(library) = count_malloc {
            command.env("LD_PRELOAD", library).env("COUNT_MALLOC_FILE", target.join("count_malloc"));
        }
        let mut child = command.spawn()?;
        let commands = child.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        let mut peer = Self { child, commands, answers, operations: Vec::new() };
        peer.read_operations()?;
        Ok(peer)
    }

    fn read_operations(&mut self) -> Result<()> {
        loop {
            let line = self.line()?;
            match line.split_once(' ') {
                Some(("operation", name)) => self.operations.push(name.to_owned()),
                None if line == "ready" => return Ok(()),
                _ => return Err(format!("unexpected answer {line}").into()),
            }
        }
    }

    pub(crate) fn number(&self, operation: &str) -> Option<usize> {
        self.operations.iter().position(|name| name == operation)
    }

    /// Nanoseconds for all iterations together.
    pub(crate) fn time(&mut self, number: usize, iterations: u64) -> Result<f64> {
        Ok(self.ask(&format!("time {number} {iterations}"))?.parse()?)
    }

    pub(crate) fn count(&mut self, number: usize, iterations: u64) -> Result<Allocations> {
        let answer = self.ask(&format!("count {number} {iterations}"))?;
        let (from_rust, of_process) = answer.split_once(' ').ok_or("two counts are expected")?;
        let each = |count: &str| count.parse().map(|count: f64| count / iterations as f64);
        Ok(Allocations { from_rust: each(from_rust)?, of_process: each(of_process).ok() })
    }

    pub(crate) fn sign(&mut self, number: usize) -> Result<String> {
        self.ask(&format!("sign {number}"))
    }

    pub(crate) fn accepts(&mut self, number: usize, token: &str) -> Result<bool> {
        Ok(self.ask(&format!("try {number} {token}"))? == "accepted")
    }

    fn ask(&mut self, command: &str) -> Result<String> {
        writeln!(self.commands, "{command}")?;
        self.line()
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err("it ended before its time; its message is above".into());
        }
        line.truncate(line.trim_end().len());
        Ok(line)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // It waits for commands and nothing else; failing to end it would lose nothing.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
