//! Natives of `random`: the Mersenne Twister (MT19937), seeded as Python seeds it, and the few
//! functions of the distributions. The distributions themselves are in `lib/random.ms`.

use miniscript_vm::builtins::Type;
use miniscript_vm::hash;
use miniscript_vm::native::{Exit, NResult, NativeDef, Role};
use miniscript_vm::num::Int;
use miniscript_vm::object::class::Class;
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::text::Str;
use miniscript_vm::object::view::data_of;
use miniscript_vm::{Value, Vm};
use num_bigint::{BigInt, BigUint, Sign};
use sha2::{Digest, Sha512};

use crate::{ClassDef, args};

/// The generator as a class; `random.Random` derives from it.
pub(crate) static TWISTER: ClassDef = ClassDef::open(
    "_random",
    "Random",
    "A Mersenne Twister.",
    &[
        NativeDef::new("__new__", "cls, *args, **kw", new, "A generator without a seed.")
            .role(Role::Static),
        NativeDef::new("random", "self, /", random, "A float from 0 (included) to 1 (not)."),
        NativeDef::new("getrandbits", "self, k, /", getrandbits, "An int of k random bits."),
        NativeDef::new("_seed", "self, a, /", seed, "Start from a."),
        NativeDef::new("_state", "self, /", state, "The state as a tuple."),
        NativeDef::new("_set_state", "self, state, /", set_state, "Go on from a state."),
        NativeDef::new("_randbelow", "self, n, /", below, "An int from 0 to n (not included)."),
        NativeDef::new("_shuffle", "self, items, /", shuffle, "Shuffle a list."),
    ],
);

/// The functions.
pub(crate) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new("_urandom", "n, /", urandom, "Bytes of the system's generator."),
    NativeDef::new("_log", "x, /", |vm, a| map(vm, a[0], f64::ln), "The natural logarithm."),
    NativeDef::new("_log2", "x, /", |vm, a| map(vm, a[0], f64::log2), "The logarithm to base 2."),
    NativeDef::new("_exp", "x, /", |vm, a| map(vm, a[0], f64::exp), "e to the power x."),
    NativeDef::new("_sqrt", "x, /", |vm, a| map(vm, a[0], f64::sqrt), "The square root."),
    NativeDef::new("_cos", "x, /", |vm, a| map(vm, a[0], f64::cos), "The cosine."),
    NativeDef::new("_sin", "x, /", |vm, a| map(vm, a[0], f64::sin), "The sine."),
    NativeDef::new("_acos", "x, /", |vm, a| map(vm, a[0], f64::acos), "The arc cosine."),
];

const N: usize = 624;
const M: usize = 397;

struct Twister {
    words: [u32; N],
    next: usize,
}

impl Payload for Twister {}

impl Twister {
    fn word(&mut self) -> u32 {
        if self.next >= N {
            self.refill();
        }
        let mut y = self.words[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= y << 7 & 0x9D2C_5680;
        y ^= y << 15 & 0xEFC6_0000;
        y ^ y >> 18
    }

    fn refill(&mut self) {
        for i in 0..N {
            let y = self.words[i] & 0x8000_0000 | self.words[(i + 1) % N] & 0x7FFF_FFFF;
            let twist = if y & 1 == 0 { 0 } else { 0x9908_B0DF };
            self.words[i] = self.words[(i + M) % N] ^ y >> 1 ^ twist;
        }
        self.next = 0;
    }

    fn start(&mut self, seed: u32) {
        self.words[0] = seed;
        for i in 1..N {
            let before = self.words[i - 1];
            let mixed = 1_812_433_253u32.wrapping_mul(before ^ before >> 30);
            self.words[i] = mixed.wrapping_add(i as u32);
        }
        self.next = N;
    }

    /// Seeding by an array of words, as the authors of the generator define it.
    fn seed(&mut self, key: &[u32]) {
        self.start(19_650_218);
        let (mut i, mut j) = (1, 0);
        for _ in 0..N.max(key.len()) {
            let before = self.words[i - 1];
            self.words[i] = (self.words[i] ^ (before ^ before >> 30).wrapping_mul(1_664_525))
                .wrapping_add(key[j])
                .wrapping_add(j as u32);
            i = self.wrap(i + 1);
            j = (j + 1) % key.len();
        }
        for _ in 1..N {
            let before = self.words[i - 1];
            self.words[i] = (self.words[i] ^ (before ^ before >> 30).wrapping_mul(1_566_083_941))
                .wrapping_sub(i as u32);
            i = self.wrap(i + 1);
        }
        self.words[0] = 0x8000_0000;
    }

    fn wrap(&mut self, i: usize) -> usize {
        if i < N {
            return i;
        }
        self.words[0] = self.words[N - 1];
        1
    }

    fn float(&mut self) -> f64 {
        let (high, low) = (self.word() >> 5, self.word() >> 6);
        (f64::from(high) * 67_108_864.0 + f64::from(low)) / 9_007_199_254_740_992.0
    }

    /// At most 64 bits.
    fn bits(&mut self, k: u32) -> u64 {
        match k {
            0 => 0,
            1..=32 => u64::from(self.word() >> (32 - k)),
            _ => {
                let low = u64::from(self.word());
                low | u64::from(self.word() >> (64 - k)) << 32
            }
        }
    }

    fn big_bits(&mut self, k: usize) -> BigUint {
        let mut words = Vec::with_capacity(k.div_ceil(32));
        let mut left = k;
        while left > 0 {
            let take = left.min(32);
            words.push(self.word() >> (32 - take));
            left -= take;
        }
        BigUint::new(words)
    }

    fn below(&mut self, n: u64) -> u64 {
        let k = 64 - n.leading_zeros();
        loop {
            let r = self.bits(k);
            if r < n {
                return r;
            }
        }
    }
}

fn twister<'v, R>(
    vm: &'v Vm,
    v: Value<'v>,
    f: impl FnOnce(&mut Twister) -> R,
) -> Result<R, Exit<'v>> {
    v.get::<Opaque>()
        .and_then(|o| o.with(f))
        .ok_or_else(|| vm.type_error("a random number generator is required"))
}

fn map<'v>(vm: &'v Vm, v: Value<'v>, f: fn(f64) -> f64) -> NResult<'v> {
    let x = args::real(vm, v)?;
    let y = f(x);
    if y.is_nan() && !x.is_nan() || y.is_infinite() && x == 0.0 {
        return Err(vm.value_error("math domain error"));
    }
    if y.is_infinite() && x.is_finite() {
        return Err(vm.overflow_error("math range error"));
    }
    Ok(Value::float(y))
}

/// Fills bytes from the system's generator.
pub(crate) fn fill<'v>(vm: &'v Vm, bytes: &mut [u8]) -> Result<(), Exit<'v>> {
    getrandom::fill(bytes).map_err(|e| vm.err(Type::OSError, e.to_string()))
}

fn urandom<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Ok(n) = usize::try_from(args::size(vm, a[0], 0)?) else {
        return Err(vm.value_error("negative argument not allowed"));
    };
    let mut bytes = Vec::new();
    vm.reserve(&mut bytes, n)?;
    bytes.resize(n, 0);
    fill(vm, &mut bytes)?;
    Ok(vm.new_bytes(Type::Bytes.shape(), bytes))
}

fn new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    match a[0].get::<Class>() {
        Some(class) => Ok(vm.opaque(class, Some(Box::new(Twister { words: [0; N], next: N })))),
        None => Err(vm.type_error("Random.__new__(X): X is not a type object")),
    }
}

fn random<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    twister(vm, a[0], |t| Value::float(t.float()))
}

fn getrandbits<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let k = match args::index(vm, a[1])? {
        Int::Small(k) => k,
        Int::Big(_) => return Err(vm.overflow_error("Python int too large to convert to C int")),
    };
    let Ok(k) = usize::try_from(k) else {
        return Err(vm.value_error("number of bits must be non-negative"));
    };
    if k > i32::MAX as usize {
        return Err(vm.overflow_error("Python int too large to convert to C int"));
    }
    if k <= 64 {
        return Ok(vm.uint(twister(vm, a[0], |t| t.bits(k as u32))?));
    }
    vm.check(k / 8)?;
    vm.ticks(k / 1024)?;
    Ok(vm.bigint(BigInt::from(twister(vm, a[0], |t| t.big_bits(k))?)))
}

fn below<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    match args::index(vm, a[1])? {
        Int::Small(n) if n <= 0 => Err(vm.value_error("the upper bound must be positive")),
        Int::Small(n) => Ok(vm.uint(twister(vm, a[0], |t| t.below(n as u64))?)),
        Int::Big(n) if n.sign() == Sign::Minus => {
            Err(vm.value_error("the upper bound must be positive"))
        }
        Int::Big(n) => {
            let k = n.bits() as usize;
            loop {
                vm.tick()?;
                let r = twister(vm, a[0], |t| t.big_bits(k))?;
                if r < *n.magnitude() {
                    return Ok(vm.bigint(BigInt::from(r)));
                }
            }
        }
    }
}

/// Shuffles an exact list from the end on.
fn shuffle<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(list) = a[1].get::<miniscript_vm::object::seq::List>() else {
        return Err(vm.type_error("a list is required"));
    };
    for i in (1..list.len()).rev() {
        vm.tick()?;
        let j = twister(vm, a[0], |t| t.below(i as u64 + 1))? as usize;
        if let (Some(x), Some(y)) = (list.get(i), list.get(j)) {
            list.set(i, y);
            list.set(j, x);
        }
    }
    Ok(Value::NONE)
}

fn seed<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let key = match seed_words(vm, a[1])? {
        key if key.is_empty() => vec![0],
        key => key,
    };
    twister(vm, a[0], |t| t.seed(&key))?;
    Ok(Value::NONE)
}

fn seed_words<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Vec<u32>, Exit<'v>> {
    if v.is_none() {
        let mut bytes = [0; N * 4];
        fill(vm, &mut bytes)?;
        let word = |b: &[u8]| u32::from_le_bytes([b[0], b[1], b[2], b[3]]);
        return Ok(bytes.chunks_exact(4).map(word).collect());
    }
    if let Some(n) = args::int_of(v) {
        return Ok(BigInt::from(n).magnitude().to_u32_digits());
    }
    if let Some(x) = args::float_of(vm, v) {
        return Ok(BigUint::from(hash::float(x, v.word()) as u64).to_u32_digits());
    }
    let text = match v.get::<Str>() {
        Some(s) if s.as_str().is_some() => s.bytes().to_vec(),
        // Lone surrogates: the error is that of `encode`.
        Some(_) => return Err(Exit::tail(vm.getattr(v, vm.intern("encode"))?, Vec::new())),
        None => match data_of(v) {
            Some(data) => data.to_vec(),
            None => {
                return Err(vm.type_error(
                    "The only supported seed types are: None,\n\
                     int, float, str, bytes, and bytearray.",
                ));
            }
        },
    };
    let digest = Sha512::digest(&text);
    Ok(BigUint::from_bytes_be(&[&text[..], &digest[..]].concat()).to_u32_digits())
}

fn state<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let words = twister(vm, a[0], |t| {
        let mut words = t.words.to_vec();
        words.push(t.next as u32);
        words
    })?;
    let words: Vec<_> = words.into_iter().map(|w| vm.uint(u64::from(w))).collect();
    vm.tuple(&words)
}

fn set_state<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    if !a[1].is_a::<miniscript_vm::object::seq::Tuple>() {
        return Err(vm.type_error("state vector must be a tuple"));
    }
    let items = vm.tuple_items(a[1]);
    if items.len() != N + 1 {
        return Err(vm.value_error("state vector is the wrong size"));
    }
    let mut words = [0; N];
    for (word, item) in words.iter_mut().zip(items) {
        *word = match args::index(vm, *item)? {
            Int::Small(n) if n >= 0 => n as u32,
            Int::Small(_) => {
                return Err(vm.overflow_error("can't convert negative value to unsigned int"));
            }
            Int::Big(_) => {
                return Err(vm.overflow_error("Python int too large to convert to C unsigned long"));
            }
        };
    }
    let next = args::size(vm, items[N], 0)?;
    let Some(next) = usize::try_from(next).ok().filter(|n| *n <= N) else {
        return Err(vm.value_error("invalid state"));
    };
    twister(vm, a[0], |t| *t = Twister { words, next })?;
    Ok(Value::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_sequence() {
        let mut t = Twister { words: [0; N], next: N };
        t.start(5489);
        let tenthousandth = (0..10_000).map(|_| t.word()).last();
        assert_eq!(tenthousandth, Some(4_123_659_995));
        t.seed(&[0x123, 0x234, 0x345, 0x456]);
        assert_eq!([t.word(), t.word()], [1_067_595_299, 955_945_823]);
    }
}
