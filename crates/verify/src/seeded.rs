//! Random numbers from a seed, by SplitMix64 (<https://prng.di.unimi.it/splitmix64.c>).
//!
//! A seed is committed and printed with every difference, so that its stream must never change:
//! the generators of the usual crates do not promise that over their versions.

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Seeded(u64);

impl Seeded {
    pub fn new(seed: u64) -> Seeded {
        Seeded(seed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0, below `n`; 0 for `n` = 0.
    pub fn below(&mut self, n: u64) -> u64 {
        // The bias of a remainder does not matter for test data.
        self.number().checked_rem(n).unwrap_or(0)
    }

    /// Both ends included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.abs_diff(low).saturating_add(1);
        low.wrapping_add(self.below(span) as i64)
    }

    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// # Panics
    /// If there is nothing to pick from.
    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        assert!(!from.is_empty(), "nothing to pick from");
        from[self.below(from.len() as u64) as usize].clone()
    }

    /// An index of `weights`, as often as its weight says.
    pub fn weighted(&mut self, weights: &[u32]) -> usize {
        let total: u64 = weights.iter().map(|&w| u64::from(w)).sum();
        let mut at = self.below(total);
        for (n, &weight) in weights.iter().enumerate() {
            let weight = u64::from(weight);
            if at < weight {
                return n;
            }
            at -= weight;
        }
        0
    }

    /// A stream of its own, for one query of many.
    #[must_use]
    pub fn fork(&mut self) -> Seeded {
        Seeded(self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_a_seed_never_changes() {
        let mut random = Seeded::new(1_234_567);
        // The first numbers of the reference implementation for this seed.
        assert_eq!(random.number(), 6_457_827_717_110_365_317);
        assert_eq!(random.number(), 3_203_168_211_198_807_973);
        assert_eq!(random.between(5, 5), 5);
        assert_eq!(random.weighted(&[0, 3, 0]), 1);
    }
}
