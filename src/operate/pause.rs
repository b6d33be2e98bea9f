//! How long to wait between tries.

use jiff::SignedDuration;

/// The first pause after a failure.
const FIRST: SignedDuration = SignedDuration::from_secs(1);
/// The longest one: nothing is ever given up for its number of tries.
const LONGEST: SignedDuration = SignedDuration::from_mins(15);
/// After so many fast tries come slow ones.
const FAST_TRIES: u32 = 6;

/// The pause after `failures` failures in a row: 1, 2, 4 … 32 s, then 2, 4, 8 and at last every 15 minutes.
pub fn pause(failures: u32) -> SignedDuration {
    let doubled = |base: SignedDuration, times: u32| base.saturating_mul(1_i32 << times.min(20));
    match failures {
        0 => SignedDuration::ZERO,
        few if few <= FAST_TRIES => doubled(FIRST, few - 1),
        many => doubled(SignedDuration::from_mins(2), many - FAST_TRIES - 1).min(LONGEST),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tries_are_fast_then_slow_and_never_end() {
        let seconds: Vec<i64> = (1..=11).map(|failures| pause(failures).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 120, 240, 480, 900, 900]);
        assert_eq!(pause(u32::MAX).as_secs(), 900);
    }
}
