//! Hashes as CPython computes them: numbers, `None`, tuples and frozensets give the same value
//! in every process; `str` and `bytes` are keyed by a seed.
//!
//! No hash is -1 (CPython's sign of failure); where one would be, it is -2.

use num_bigint::{BigInt, Sign};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// Numbers are hashed modulo this Mersenne prime.
const MODULUS: u64 = (1 << BITS) - 1;
const BITS: u32 = 61;
const INFINITY: i64 = 314_159;
/// Multiplier of the imaginary part of a complex number.
const IMAGINARY: u64 = 1_000_003;

/// `hash(None)`.
pub const NONE: i64 = 0xfca8_6420;

#[inline(always)]
fn not_minus_one(hash: i64) -> i64 {
    if hash == -1 { -2 } else { hash }
}

/// `hash(n)` of an int of 64 bits; `hash(True)` is that of 1.
#[inline(always)]
pub fn int(n: i64) -> i64 {
    let magnitude = n.unsigned_abs();
    if magnitude < MODULUS {
        return not_minus_one(n);
    }
    let reduced = (magnitude % MODULUS) as i64;
    not_minus_one(if n < 0 { -reduced } else { reduced })
}

/// `hash(n)` of an int of any size.
pub fn big_int(n: &BigInt) -> i64 {
    // The word 2^64 is 2^3 modulo 2^61 - 1: each digit shifts what came before by 3 bits.
    let mut hash = 0u64;
    for digit in n.magnitude().iter_u64_digits().rev() {
        hash = reduce((hash as u128) << 64 | digit as u128);
    }
    not_minus_one(if n.sign() == Sign::Minus { -(hash as i64) } else { hash as i64 })
}

fn reduce(n: u128) -> u64 {
    let folded = (n & MODULUS as u128) + (n >> BITS);
    let folded = (folded & MODULUS as u128) as u64 + (folded >> BITS) as u64;
    if folded >= MODULUS { folded - MODULUS } else { folded }
}

/// `hash(x)` of a float. NaN hashes by identity: the caller gives what stands for it.
#[inline]
pub fn float(x: f64, identity: u64) -> i64 {
    if x as i64 as f64 == x && x.abs() < MODULUS as f64 {
        return not_minus_one(x as i64);
    }
    if x.is_nan() {
        return pointer(identity);
    }
    if x.is_infinite() {
        return if x > 0.0 { INFINITY } else { -INFINITY };
    }
    let (mantissa, exponent) = decompose(x.abs());
    // mantissa * 2^exponent, where multiplying by 2 rotates the 61 bits.
    let turn = exponent.rem_euclid(BITS as i32) as u32;
    let hash = reduce((mantissa as u128) << turn) as i64;
    not_minus_one(if x < 0.0 { -hash } else { hash })
}

/// A finite positive number as an integer times a power of two.
fn decompose(x: f64) -> (u64, i32) {
    let bits = x.to_bits();
    let exponent = (bits >> 52) as i32 & 0x7ff;
    let fraction = bits & ((1 << 52) - 1);
    if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) }
}

/// `hash(complex(real, imag))`.
pub fn complex(real: f64, imag: f64, identity: u64) -> i64 {
    let (real, imag) = (float(real, identity) as u64, float(imag, identity) as u64);
    not_minus_one(real.wrapping_add(IMAGINARY.wrapping_mul(imag)) as i64)
}

/// The hash of an object that is equal only to itself, from its address.
#[inline]
pub fn pointer(address: u64) -> i64 {
    not_minus_one(address.rotate_right(4) as i64)
}

/// The hash of a tuple, item by item (xxHash's mixing, as in CPython since 3.8).
#[derive(Debug, Clone, Copy)]
pub struct TupleHasher {
    acc: u64,
    len: u64,
}

const PRIME_1: u64 = 11_400_714_785_074_694_791;
const PRIME_2: u64 = 14_029_467_366_897_019_727;
const PRIME_5: u64 = 2_870_177_450_012_600_261;

impl Default for TupleHasher {
    fn default() -> Self {
        TupleHasher::new()
    }
}

impl TupleHasher {
    /// Before the first item.
    pub fn new() -> TupleHasher {
        TupleHasher { acc: PRIME_5, len: 0 }
    }

    /// Takes in the hash of the next item.
    #[inline]
    pub fn add(&mut self, hash: i64) {
        let mixed = self.acc.wrapping_add((hash as u64).wrapping_mul(PRIME_2));
        self.acc = mixed.rotate_left(31).wrapping_mul(PRIME_1);
        self.len += 1;
    }

    /// The hash of the items so far.
    #[inline]
    pub fn finish(self) -> i64 {
        let hash = self.acc.wrapping_add(self.len ^ (PRIME_5 ^ 3_527_539)) as i64;
        if hash == -1 { 1_546_275_796 } else { hash }
    }
}

/// The hash of a frozenset: the same whatever the order of its items.
#[derive(Debug, Clone, Copy, Default)]
pub struct FrozenSetHasher {
    acc: u64,
    len: u64,
}

impl FrozenSetHasher {
    /// Before the first item.
    pub fn new() -> FrozenSetHasher {
        FrozenSetHasher::default()
    }

    /// Takes in the hash of an item.
    #[inline]
    pub fn add(&mut self, hash: i64) {
        let h = hash as u64;
        self.acc ^= (h ^ 89_869_747 ^ (h << 16)).wrapping_mul(3_644_798_167);
        self.len += 1;
    }

    /// The hash of the items so far.
    pub fn finish(self) -> i64 {
        let mut hash = self.acc ^ (self.len + 1).wrapping_mul(1_927_868_237);
        hash ^= (hash >> 11) ^ (hash >> 25);
        hash = hash.wrapping_mul(69_069).wrapping_add(907_133_923);
        if hash == u64::MAX { 590_923_713 } else { hash as i64 }
    }
}

/// The key of the string hash, one for each process: without it, input made to collide would
/// turn dicts into lists.
#[derive(Debug, Clone, Copy)]
pub struct StringKey {
    hasher: SipHasher13,
}

impl StringKey {
    /// A key from a seed; the same seed gives the same hashes.
    pub fn new(seed: u64) -> StringKey {
        // Spread by splitmix64, so that neighbouring seeds share nothing.
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        let (k0, k1) = if seed == 0 { (0, 0) } else { (next(), next()) };
        StringKey { hasher: SipHasher13::new_with_keys(k0, k1) }
    }

    /// The hash of a string's bytes, or of a `bytes`; the empty one hashes to 0.
    #[inline]
    pub fn hash(&self, bytes: &[u8]) -> i64 {
        if bytes.is_empty() {
            return 0;
        }
        let mut hasher = self.hasher;
        hasher.write(bytes);
        not_minus_one(hasher.finish() as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::str::FromStr;

    /// `number hash`: int(n) and float(n) of hash(n), made with CPython 3.12.
    const NUMBERS: &str = include_str!("../oracle/hash.txt");

    #[test]
    fn hashes_are_those_of_cpython() {
        let mut seen = 0;
        for line in NUMBERS.lines() {
            let mut words = line.split_whitespace();
            let kind = words.next().unwrap();
            let args: Vec<&str> = words.collect();
            let want: i64 = args[args.len() - 1].parse().unwrap();
            let got = match kind {
                "i" => {
                    let n = BigInt::from_str(args[0]).unwrap();
                    if let Ok(small) = i64::try_from(&n) {
                        assert_eq!(int(small), want, "{line}");
                    }
                    big_int(&n)
                }
                "f" => float(args[0].parse().unwrap(), 0),
                "c" => complex(args[0].parse().unwrap(), args[1].parse().unwrap(), 0),
                "t" | "s" => {
                    let hashes = args[..args.len() - 1].iter().map(|a| a.parse::<i64>().unwrap());
                    if kind == "t" {
                        let mut tuple = TupleHasher::new();
                        hashes.for_each(|h| tuple.add(int(h)));
                        tuple.finish()
                    } else {
                        let mut set = FrozenSetHasher::new();
                        hashes.for_each(|h| set.add(int(h)));
                        set.finish()
                    }
                }
                other => panic!("{other}"),
            };
            assert_eq!(got, want, "{line}");
            seen += 1;
        }
        assert!(seen > 300);
    }

    #[test]
    fn strings_are_keyed() {
        let (zero, one) = (StringKey::new(0), StringKey::new(1));
        assert_eq!(zero.hash(b""), 0);
        assert_eq!(zero.hash(b"abc"), StringKey::new(0).hash(b"abc"));
        assert_ne!(zero.hash(b"abc"), one.hash(b"abc"));
        assert_ne!(one.hash(b"abc"), one.hash(b"abd"));
        assert_ne!(one.hash(b"abc"), StringKey::new(2).hash(b"abc"));
        // PYTHONHASHSEED=0 uses a zero key too.
        assert_eq!(zero.hash(b"abc"), -4_594_863_902_769_663_758);
    }

    #[test]
    fn nan_hashes_by_identity() {
        assert_eq!(float(f64::NAN, 0x10), 1);
        assert_ne!(float(f64::NAN, 0x10), float(f64::NAN, 0x20));
    }
}
