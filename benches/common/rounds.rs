//! Measures several works side by side: in each round each of them has a window, in random order.

use std::time::{Duration, Instant};

/// Work that is measured, with its name.
pub(crate) type Work<N> = (N, Box<dyn FnMut()>);

/// Returns the nanoseconds of each work in each round.
pub(crate) fn measure<N>(works: &mut [Work<N>], rounds: usize, window: Duration) -> Vec<Vec<f64>> {
    let mut windows = vec![Vec::new(); works.len()];
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..rounds {
        let mut order: Vec<usize> = (0..works.len()).collect();
        for last in (1..order.len()).rev() {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            order.swap(last, (random % (last as u64 + 1)) as usize);
        }
        for place in order {
            let (_, work) = &mut works[place];
            // Caches and branch predictors shall know the work.
            time(work, window / 2);
            windows[place].push(time(work, window));
        }
    }
    windows
}

/// Runs the work for this time, and returns the nanoseconds of each run.
fn time(work: &mut dyn FnMut(), window: Duration) -> f64 {
    let start = Instant::now();
    let mut runs = 0_u32;
    loop {
        for _ in 0..16 {
            work();
        }
        runs += 16;
        let elapsed = start.elapsed();
        if elapsed >= window {
            return elapsed.as_nanos() as f64 / f64::from(runs);
        }
    }
}

pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
