//! Random values that are always the same: drawn from the deployment's seed and from the place of the call.
//!
//! A value depends on the seed, the place, the function, its arguments, and on how many calls that are equal in all of these
//! came before. So neither rendering again, nor a new version of the chart that moves or adds other things, changes it.
//! How values are drawn must never change: the passwords and keys of running deployments hang on it. The tests hold it.

use std::collections::HashMap;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

/// How much of what takes long (keys, `bcrypt`) one rendering may make, in units of about a tenth of a second.
const COSTLY_MAX: u32 = 64;

/// A deployment's seed, and where in the templates the call under way stands. Make a new one for each rendering.
pub struct Draw {
    /// Kept in a Secret of the deployment.
    pub seed: [u8; 32],
    /// When the seed was made: certificates begin then, so that rendering them again gives the same ones.
    pub born: Timestamp,
    /// The place of the call: the template that is rendered and the names of the definitions that it goes through.
    pub place: String,
    /// How many streams were drawn for equal calls.
    drawn: HashMap<[u8; 32], u64>,
    /// How many units of what takes long were made.
    costly: u32,
}

impl Draw {
    /// Begins a rendering.
    pub fn new(seed: [u8; 32], born: Timestamp) -> Self {
        Self { seed, born, place: String::new(), drawn: HashMap::new(), costly: 0 }
    }

    /// The random bytes for a call of the function with these arguments at the present place.
    pub fn stream(&mut self, function: &str, arguments: &[&[u8]]) -> Stream {
        let mut hash = Sha256::new();
        let parts = [&self.seed, self.place.as_bytes(), function.as_bytes()];
        for part in parts.iter().chain(arguments) {
            // Lengths keep ("a", "bc") from being ("ab", "c").
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let call: [u8; 32] = hash.finalize().into();
        let ordinal = self.drawn.entry(call).or_insert(0);
        let key = Sha256::new().chain_update(call).chain_update(ordinal.to_be_bytes()).finalize().into();
        *ordinal += 1;
        Stream { key, block: 0, left: Vec::new() }
    }

    /// Counts a call that takes about so many tenths of a second. An error when there were too many.
    pub fn count_costly(&mut self, function: &str, units: u32) -> Result<(), String> {
        self.costly = self.costly.saturating_add(units);
        if self.costly <= COSTLY_MAX {
            return Ok(());
        }
        Err(format!(
            "the chart makes more keys and password hashes than one rendering may; {function} would make one more"
        ))
    }
}

/// Random bytes without end: SHA-256 of a key and a counter.
pub struct Stream {
    key: [u8; 32],
    block: u64,
    /// What is left of the last block, the next byte last.
    left: Vec<u8>,
}

impl Stream {
    /// What the whole stream follows from.
    pub fn key(&self) -> [u8; 32] {
        self.key
    }

    /// The next byte.
    fn byte(&mut self) -> u8 {
        loop {
            if let Some(byte) = self.left.pop() {
                return byte;
            }
            let block =
                Sha256::new().chain_update(self.key).chain_update(self.block.to_be_bytes()).finalize();
            self.left.extend(block.iter().rev());
            self.block += 1;
        }
    }

    /// The next `count` bytes.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.byte()).collect()
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    /// A number below the bound, each as likely; zero for the bound zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound < 2 {
            return 0;
        }
        // Of the last, partial round of the bound through all numbers, none is taken.
        let end = u64::MAX - u64::MAX % bound;
        loop {
            let number = u64::from_be_bytes(self.array());
            if number < end {
                return number % bound;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(place: &str) -> Draw {
        let mut draw = Draw::new([7; 32], Timestamp::UNIX_EPOCH);
        place.clone_into(&mut draw.place);
        draw
    }

    fn first(draw: &mut Draw, function: &str, arguments: &[&[u8]]) -> [u8; 8] {
        draw.stream(function, arguments).array()
    }

    #[test]
    fn values_are_drawn_as_ever() {
        let mut draw = draw("chart/templates/secret.yaml > app.password");
        assert_eq!(first(&mut draw, "randAlphaNum", &[b"16"]), FIRST);
        assert_eq!(draw.stream("uuidv4", &[]).below(1_000_000), BELOW);
    }

    const FIRST: [u8; 8] = [228, 151, 127, 55, 234, 116, 37, 163];
    const BELOW: u64 = 286_862;

    #[test]
    fn a_value_depends_on_its_call_alone() {
        let (mut once, mut again) = (draw("a"), draw("a"));
        let one = first(&mut once, "randAlpha", &[b"5"]);
        let two = first(&mut once, "randAlpha", &[b"5"]);
        assert_ne!(one, two, "the second of two equal calls is another one");
        for (function, argument) in [("randAlpha", b"6"), ("randNumeric", b"5")] {
            let other = first(&mut again, function, &[argument]);
            assert!(other != one && other != two);
        }
        assert_eq!(first(&mut again, "randAlpha", &[b"5"]), one, "other calls before it do not matter");
        assert_ne!(first(&mut draw("b"), "randAlpha", &[b"5"]), one);
        let mut reseeded = draw("a");
        reseeded.seed = [8; 32];
        assert_ne!(first(&mut reseeded, "randAlpha", &[b"5"]), one);
        let joined = first(&mut draw("a"), "f", &[b"ab", b"c"]);
        assert_ne!(joined, first(&mut draw("a"), "f", &[b"a", b"bc"]));
    }

    #[test]
    fn numbers_stay_below_the_bound_and_reach_everything() {
        let mut stream = draw("a").stream("f", &[]);
        let mut seen = [0_u32; 7];
        for _ in 0..7_000 {
            seen[usize::try_from(stream.below(7)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|count| (800..1200).contains(count)), "{seen:?}");
        assert_eq!((stream.below(0), stream.below(1)), (0, 0));
    }

    #[test]
    fn one_rendering_makes_only_so_many_keys() {
        let mut draw = draw("a");
        assert!((0..COSTLY_MAX).all(|_| draw.count_costly("bcrypt", 1).is_ok()));
        assert!(draw.count_costly("bcrypt", 1).unwrap_err().contains("bcrypt would make one more"));
    }
}
