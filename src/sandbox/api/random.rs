//! Seeded randomness: names and uids that are the same in every run of a test.

/// The letters of generated names: no vowels and nothing that looks like another letter.
const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// A splitmix64 generator.
#[derive(Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that yields the same numbers for the same seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// `length` letters of Kubernetes' alphabet for generated names.
    pub fn suffix(&mut self, length: usize) -> String {
        (0..length).map(|_| char::from(ALPHABET[(self.number() % ALPHABET.len() as u64) as usize])).collect()
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> String {
        let high = (self.number() & 0xffff_ffff_ffff_0fff) | 0x4000;
        let low = (self.number() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000;
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            (high >> 16) & 0xffff,
            high & 0xffff,
            low >> 48,
            low & 0xffff_ffff_ffff
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides() {
        let (mut first, mut second, mut other) = (Random::new(7), Random::new(7), Random::new(8));
        assert_eq!(first.suffix(5), second.suffix(5));
        let uuid = first.uuid();
        assert_eq!(uuid, second.uuid());
        assert_ne!(uuid, other.uuid());
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
    }
}
