//! The runs.

use crate::Result;
use crate::build::Workshop;
use crate::peer::Peer;
use crate::results::Results;
use compare_common::{Algorithm, tokens};
use std::time::{SystemTime, UNIX_EPOCH};

/// Long beside the time it takes to ask for it, short beside the swings of a machine's speed.
const WINDOW_NANOSECONDS: f64 = 2e6;

/// Each signature with ML-DSA takes a random number of attempts, so a window has to hold more of them.
const LONG_WINDOW_NANOSECONDS: f64 = 40e6;

/// An operation may take turns with a thousand tokens. Counted while it meets them for the first time, its windows would
/// be so short that it went on to do so.
const TURNS: u64 = 1024;

/// An operation that has not come round by then takes no turns: a thousand of its tokens would fill many windows.
const LONG_NANOSECONDS: f64 = 3.0 * WINDOW_NANOSECONDS;

/// Allocations are the same each time, but for buffers that grow now and then.
const COUNTED_ITERATIONS: u64 = 16;

/// A running build, by its name.
pub(crate) type Named = (&'static str, Peer);

/// Counts allocations in further processes, because a preloaded counter would slow down the timed ones.
pub(crate) fn count_allocations(workshop: &Workshop, peers: &[Named], results: &mut Results) -> Result<()> {
    for (id, _) in peers {
        let program = workshop.program(id);
        let mut peer = Peer::start(&program, &workshop.target, workshop.count_malloc.as_deref())?;
        for (number, operation) in peer.operations.clone().iter().enumerate() {
            results.set_allocations(operation, id, peer.count(number, COUNTED_ITERATIONS)?);
        }
    }
    Ok(())
}

/// The operations that one of the builds has or more.
pub(crate) fn operations(peers: &[Named]) -> Vec<String> {
    let mut operations: Vec<String> = Vec::new();
    for name in peers.iter().flat_map(|(_, peer)| &peer.operations) {
        if !operations.contains(name) {
            operations.push(name.clone());
        }
    }
    operations
}

/// Measures one window for each build and operation in each round. The windows of one operation follow one
/// another in random order, so that a change in the machine's speed meets all builds.
pub(crate) fn time(
    peers: &mut [Named],
    operations: &[String],
    rounds: usize,
    results: &mut Results,
) -> Result<()> {
    let mut plans = Vec::new();
    for operation in operations {
        plans.push(plan(peers, operation)?);
    }
    let mut dice = Dice::new();
    for round in 1..=rounds {
        eprint!("\rround {round} of {rounds}");
        for (operation, plan) in operations.iter().zip(&mut plans) {
            dice.shuffle(plan);
            for window in plan.iter() {
                let (id, peer) = &mut peers[window.peer];
                let nanoseconds = peer.time(window.number, window.iterations)?;
                results.add_window(operation, id, nanoseconds / window.iterations as f64);
            }
        }
    }
    eprintln!();
    Ok(())
}

struct Window {
    /// Which of the peers.
    peer: usize,
    /// The number of the operation there.
    number: usize,
    iterations: u64,
}

fn plan(peers: &mut [Named], operation: &str) -> Result<Vec<Window>> {
    let mut plan = Vec::new();
    for (index, (_, peer)) in peers.iter_mut().enumerate() {
        if let Some(number) = peer.number(operation) {
            let iterations = calibrate(peer, number, window(operation))?;
            plan.push(Window { peer: index, number, iterations });
        }
    }
    Ok(plan)
}

/// How long the windows of an operation are.
fn window(operation: &str) -> f64 {
    let is_random = Algorithm::ML_DSA.into_iter().any(|algorithm| tokens::sign(algorithm) == operation);
    if is_random { LONG_WINDOW_NANOSECONDS } else { WINDOW_NANOSECONDS }
}

/// How many iterations fill a window.
fn calibrate(peer: &mut Peer, number: usize, window: f64) -> Result<u64> {
    let mut iterations = 1;
    loop {
        let nanoseconds = best_of_three(peer, number, iterations)?;
        let all_met = iterations >= TURNS || nanoseconds > LONG_NANOSECONDS;
        if nanoseconds > window / 4.0 && all_met {
            return Ok(((iterations as f64 * window / nanoseconds) as u64).max(1));
        }
        iterations *= 4;
    }
}

/// An interruption in the one try would make the windows too short.
fn best_of_three(peer: &mut Peer, number: usize, iterations: u64) -> Result<f64> {
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        best = best.min(peer.time(number, iterations)?);
    }
    Ok(best)
}

/// A generator of numbers that are random enough for an order (Marsaglia's xorshift64).
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_nanos() as u64);
        Self(seed | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Fisher and Yates.
    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, (self.next() % (last as u64 + 1)) as usize);
        }
    }
}
