//! Randomness as a dependency, so that tests and replays get the same identifiers again.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Mutex, PoisonError};

/// Gives random numbers.
pub trait Random: Send + Sync {
    /// The next one.
    fn next(&self) -> u64;
}

/// The same numbers for the same seed (SplitMix64). Not for secrets.
#[derive(Debug)]
pub struct SeededRandom(Mutex<u64>);

impl SeededRandom {
    /// A source that starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }

    /// A source that starts at a different place in every process.
    pub fn from_entropy() -> Self {
        // The standard library seeds its hashers from the operating system.
        Self::new(RandomState::new().build_hasher().finish())
    }
}

impl Random for SeededRandom {
    fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = *state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// A random identifier of 16 hex digits: what a deployment's host names derive from.
pub fn identifier(random: &dyn Random) -> String {
    format!("{:016x}", random.next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_identifiers_again() {
        let (one, two) = (SeededRandom::new(7), SeededRandom::new(7));
        let first = identifier(&one);
        assert_eq!(first, identifier(&two));
        assert_ne!(first, identifier(&one));
        assert_eq!(first.len(), 16);
    }
}
