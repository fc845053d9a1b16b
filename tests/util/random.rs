//! Numbers that look random, for tests with a fixed seed.

use core::ops::Range;

/// SplitMix64: the same in every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub(crate) fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        core::iter::repeat_with(|| self.next() as u8).take(count).collect()
    }

    /// A number of bytes within these bounds.
    pub(crate) fn some_bytes(&mut self, lengths: Range<usize>) -> Vec<u8> {
        let count = lengths.start + self.below(lengths.len());
        self.bytes(count)
    }
}
