//! Miller's and Rabin's test of primes.

use crypto_bigint::modular::{BoxedMontyForm, BoxedMontyParams};
use crypto_bigint::{BoxedUint, Odd};
use num_bigint::BigUint;

/// The bases of the test: more than enough for numbers that were drawn and not chosen.
const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];

/// Whether the odd number, which is larger than all bases, is a prime as far as the bases tell.
///
/// Nearly all of the time that a key takes goes by here, and `crypto_bigint` takes half as long for it as `num_bigint`.
pub fn is_probably_prime(number: &BigUint) -> bool {
    let less_one = number - 1_u8;
    let twos = less_one.trailing_zeros().unwrap_or(0);
    let words = number.bits().div_ceil(64);
    let (Some(modulus), Some(odd)) = (words_of(number, words), words_of(&(&less_one >> twos), words)) else {
        return false;
    };
    let Some(modulus) = Odd::new(modulus).into_option() else { return false };
    let parameters = BoxedMontyParams::new_vartime(modulus);
    let one = BoxedMontyForm::one(&parameters);
    let minus_one = one.neg();
    BASES.iter().all(|base| {
        let Some(base) = words_of(&BigUint::from(*base), words) else { return false };
        let mut power = BoxedMontyForm::new(base, &parameters).pow(&odd);
        power == one
            || power == minus_one
            || (1..twos).any(|_| {
                power = power.square();
                power == minus_one
            })
    })
}

/// The number in so many words of 64 bits; none when it has more.
fn words_of(number: &BigUint, words: u64) -> Option<BoxedUint> {
    let bits = u32::try_from(words * 64).ok()?;
    let bytes = number.to_bytes_be();
    let mut padded = vec![0; usize::try_from(bits / 8).ok()?.checked_sub(bytes.len())?];
    padded.extend_from_slice(&bytes);
    BoxedUint::from_be_slice(&padded, bits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_told_from_other_numbers() {
        let is_prime = |written: &str| is_probably_prime(&written.parse().unwrap());
        // Mersenne's, the largest below 2^64, and that of the curve 25519.
        for prime in [
            "41",
            "7919",
            "2305843009213693951",
            "18446744073709551557",
            "57896044618658097711785492504343953926634992332820282019728792003956564819949",
        ] {
            assert!(is_prime(prime), "{prime}");
        }
        // Squares, products, Carmichael's, and one that deceives the bases 2, 3, 5 and 7.
        for composite in ["49", "1681", "561", "1105", "3215031751", "18446744073709551559", "62710561"] {
            assert!(!is_prime(composite), "{composite}");
        }
        let mersenne: BigUint = (BigUint::from(1_u8) << 521_u32) - 1_u8;
        assert!(is_probably_prime(&mersenne));
        assert!(!is_probably_prime(&(&mersenne * &mersenne)));
        assert!(!is_probably_prime(&(mersenne + 2_u8)));
    }
}
