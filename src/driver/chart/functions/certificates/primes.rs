//! Large primes, and keys of RSA and DSA, from a stream of random bytes.
//!
//! Which prime a stream makes must never change, since the keys of running deployments follow from it: it is the first one not
//! below the number that the stream's bytes are. That holds whatever library does the arithmetic.

use num_bigint::BigUint;

use super::super::super::random::Stream;
use super::primality::is_probably_prime;

/// The exponent of all RSA keys.
const PUBLIC_EXPONENT: u32 = 65_537;
/// Candidates are divided by all primes below before they are tested.
const SIEVE: u32 = 30_000;

/// A key of RSA.
pub struct Rsa {
    pub modulus: BigUint,
    pub private_exponent: BigUint,
    /// The larger prime.
    pub first: BigUint,
    pub second: BigUint,
}

/// A key of DSA.
pub struct Dsa {
    pub modulus: BigUint,
    pub order: BigUint,
    pub generator: BigUint,
    pub public: BigUint,
    pub private: BigUint,
}

fn one() -> BigUint {
    BigUint::from(1_u8)
}

/// The primes below [`SIEVE`], from 3 on.
fn small_primes() -> Vec<u32> {
    let mut primes: Vec<u32> = Vec::new();
    for number in (3..SIEVE).step_by(2) {
        if primes.iter().take_while(|prime| *prime * *prime <= number).all(|prime| number % prime != 0) {
            primes.push(number);
        }
    }
    primes
}

/// A number of so many bits, the highest two of which are set, so that a product of two has twice as many; odd.
fn candidate(stream: &mut Stream, bits: u64) -> BigUint {
    let mut number = BigUint::from_bytes_be(&stream.bytes(usize::try_from(bits / 8).unwrap_or(0)));
    for bit in [0, bits - 2, bits - 1] {
        number.set_bit(bit, true);
    }
    number
}

/// The first prime among `start`, `start + step`, … that is accepted.
///
/// The start is odd and the step even. A walk that gains a bit begins anew with another start.
fn first_prime(
    primes: &[u32],
    mut start: impl FnMut() -> (BigUint, BigUint),
    accepts: impl Fn(&BigUint) -> bool,
) -> BigUint {
    loop {
        let (begin, step) = start();
        let remainder = |number: &BigUint, prime: u32| u32::try_from(number % prime).unwrap_or(0);
        let mut rests: Vec<(u32, u32, u32)> =
            primes.iter().map(|&prime| (prime, remainder(&begin, prime), remainder(&step, prime))).collect();
        let mut number = begin.clone();
        while number.bits() == begin.bits() {
            let is_divided = rests.iter().any(|(_, rest, _)| *rest == 0);
            if !is_divided && is_probably_prime(&number) && accepts(&number) {
                return number;
            }
            number += &step;
            for (prime, rest, step) in &mut rests {
                *rest = (*rest + *step) % *prime;
            }
        }
    }
}

/// A key of RSA with a modulus of so many bits.
pub fn rsa(stream: &mut Stream, bits: u64) -> Rsa {
    let primes = small_primes();
    let exponent = BigUint::from(PUBLIC_EXPONENT);
    // The exponent is a prime: it has an inverse unless it divides.
    let accepts = |prime: &BigUint| prime % &exponent != one();
    loop {
        let mut prime =
            || first_prime(&primes, || (candidate(stream, bits / 2), BigUint::from(2_u8)), accepts);
        let (one_prime, other_prime) = (prime(), prime());
        let (first, second) = (one_prime.clone().max(other_prime.clone()), one_prime.min(other_prime));
        let totient = (&first - one()) * (&second - one());
        if first != second
            && let Some(private_exponent) = exponent.modinv(&totient)
        {
            return Rsa { modulus: &first * &second, private_exponent, first, second };
        }
    }
}

/// A key of DSA with a modulus of 2048 bits and an order of 256, the only sizes that sprig makes.
pub fn dsa(stream: &mut Stream) -> Dsa {
    let primes = small_primes();
    let order = first_prime(&primes, || (candidate(stream, 256), BigUint::from(2_u8)), |_| true);
    let step = &order * 2_u8;
    let modulus = first_prime(
        &primes,
        || {
            // The first number at the candidate or above that leaves one when divided by the order.
            let candidate = candidate(stream, 2048);
            let rest = &candidate % &step;
            (candidate + &step - rest + one(), step.clone())
        },
        |_| true,
    );
    let generator = BigUint::from(2_u8).modpow(&((&modulus - one()) / &order), &modulus);
    // Eight bytes more than the order has, so that each number is as likely.
    let private = BigUint::from_bytes_be(&stream.bytes(40)) % (&order - one()) + one();
    let public = generator.modpow(&private, &modulus);
    Dsa { modulus, order, generator, public, private }
}

impl Rsa {
    /// The numbers of the key as PKCS #1 lists them.
    pub fn numbers(&self) -> Option<[BigUint; 8]> {
        let of = |prime: &BigUint| &self.private_exponent % (prime - one());
        let coefficient = self.second.modinv(&self.first)?;
        let [modulus, private, first, second] =
            [&self.modulus, &self.private_exponent, &self.first, &self.second].map(Clone::clone);
        let exponents = (of(&first), of(&second));
        Some([modulus, PUBLIC_EXPONENT.into(), private, first, second, exponents.0, exponents.1, coefficient])
    }
}
