//! `blake2b` and `blake2s`: classes with all the parameters of the functions.

use blake2b_simd::Params as ParamsB;
use blake2s_simd::Params as ParamsS;
use miniscript_vm::native::{Exit, NResult, NativeDef, Role};
use miniscript_vm::num::Int;
use miniscript_vm::object::class::Class;
use miniscript_vm::{Value, Vm};

use super::algorithm::State;
use super::{BLOCK_SIZE, COPY, DIGEST, DIGEST_SIZE, HEXDIGEST, Hash, NAME, UPDATE, data, feed};
use crate::{ClassDef, args};

const SIGNATURE: &str = "cls, data=b'', /, *, digest_size=64, key=b'', salt=b'', person=b'', \
     fanout=1, depth=1, leaf_size=0, node_offset=0, node_depth=0, inner_size=0, \
     last_node=False, usedforsecurity=True";

macro_rules! constant {
    ($name:literal $n:literal) => {
        NativeDef::getter($name, |_, _| Ok(Value::int32($n)), "")
    };
}

pub(super) static BLAKE2B: ClassDef = ClassDef::open(
    "_blake2",
    "blake2b",
    "A BLAKE2b hash object.",
    &[
        NativeDef::new("__new__", SIGNATURE, |vm, a| new(vm, a, &B), "").role(Role::Static),
        UPDATE,
        COPY,
        NAME,
        BLOCK_SIZE,
        DIGEST_SIZE,
        DIGEST,
        HEXDIGEST,
        constant!("MAX_KEY_SIZE" 64),
        constant!("SALT_SIZE" 16),
        constant!("PERSON_SIZE" 16),
        constant!("MAX_DIGEST_SIZE" 64),
    ],
);

pub(super) static BLAKE2S: ClassDef = ClassDef::open(
    "_blake2",
    "blake2s",
    "A BLAKE2s hash object.",
    &[
        NativeDef::new("__new__", SIGNATURE, |vm, a| new(vm, a, &S), "").role(Role::Static),
        UPDATE,
        COPY,
        NAME,
        BLOCK_SIZE,
        DIGEST_SIZE,
        DIGEST,
        HEXDIGEST,
        constant!("MAX_KEY_SIZE" 32),
        constant!("SALT_SIZE" 8),
        constant!("PERSON_SIZE" 8),
        constant!("MAX_DIGEST_SIZE" 32),
    ],
);

/// Which of the two, and its sizes.
struct Variant {
    name: &'static str,
    block_size: usize,
    /// Most bytes of a digest, and of a key.
    out: usize,
    /// Bytes of a salt, and of a personalisation.
    salt: usize,
    offset_bits: u32,
    start: fn(&Parameters<'_>) -> State,
}

static B: Variant = Variant {
    name: "blake2b",
    block_size: 128,
    out: 64,
    salt: 16,
    offset_bits: 64,
    start: |p| {
        let mut params = ParamsB::new();
        params.hash_length(p.size).key(p.key).salt(p.salt).personal(p.person);
        params.fanout(p.fanout).max_depth(p.depth).max_leaf_length(p.leaf_size);
        params.node_offset(p.node_offset).node_depth(p.node_depth);
        params.inner_hash_length(p.inner_size).last_node(p.last_node);
        State::Blake2b(Box::new(params.to_state()), p.size)
    },
};

static S: Variant = Variant {
    name: "blake2s",
    block_size: 64,
    out: 32,
    salt: 8,
    offset_bits: 48,
    start: |p| {
        let mut params = ParamsS::new();
        params.hash_length(p.size).key(p.key).salt(p.salt).personal(p.person);
        params.fanout(p.fanout).max_depth(p.depth).max_leaf_length(p.leaf_size);
        params.node_offset(p.node_offset).node_depth(p.node_depth);
        params.inner_hash_length(p.inner_size).last_node(p.last_node);
        State::Blake2s(Box::new(params.to_state()), p.size)
    },
};

struct Parameters<'a> {
    size: usize,
    key: &'a [u8],
    salt: &'a [u8],
    person: &'a [u8],
    fanout: u8,
    depth: u8,
    leaf_size: u32,
    node_offset: u64,
    node_depth: u8,
    inner_size: usize,
    last_node: bool,
}

/// A number of at most `bits` bits.
fn number<'v>(vm: &'v Vm, v: Value<'v>, bits: u32, default: u64) -> Result<u64, Exit<'v>> {
    if v.is_empty() {
        return Ok(default);
    }
    let n = match args::index(vm, v)? {
        Int::Small(n) => u64::try_from(n).ok(),
        Int::Big(n) => match u64::try_from(&n) {
            Ok(n) => Some(n),
            Err(_) if n.sign() == num_bigint::Sign::Minus => None,
            Err(_) => return Err(vm.overflow_error("int too big to convert")),
        },
    };
    let n = n.ok_or_else(|| vm.value_error("value must be positive"))?;
    if bits < 64 && n >> bits != 0 {
        return Err(vm.overflow_error("value is too large"));
    }
    Ok(n)
}

/// A number in a range that a message names.
fn ranged<'v>(
    vm: &'v Vm,
    v: Value<'v>,
    range: std::ops::RangeInclusive<i64>,
    default: i64,
    message: &str,
) -> Result<i64, Exit<'v>> {
    match args::size(vm, v, default)? {
        n if range.contains(&n) => Ok(n),
        _ => Err(vm.value_error(message)),
    }
}

fn new<'v>(vm: &'v Vm, a: &[Value<'v>], kind: &'static Variant) -> NResult<'v> {
    let Some(class) = a[0].get::<Class>() else {
        return Err(vm.type_error("blake2: X is not a type object"));
    };
    let out = kind.out as i64;
    let size =
        ranged(vm, a[2], 1..=out, out, &format!("digest_size must be between 1 and {out} bytes"))?;
    let part = |v: Value<'v>, what: &str, most: usize| -> Result<Vec<u8>, Exit<'v>> {
        if v.is_empty() {
            return Ok(Vec::new());
        }
        let bytes = args::buffer(vm, v)?;
        if bytes.len() > most {
            return Err(vm.value_error(format!("maximum {what} length is {most} bytes")));
        }
        Ok(bytes.to_vec())
    };
    let salt = part(a[4], "salt", kind.salt)?;
    let person = part(a[5], "person", kind.salt)?;
    let fanout = ranged(vm, a[6], 0..=255, 1, "fanout must be between 0 and 255")?;
    let depth = ranged(vm, a[7], 1..=255, 1, "depth must be between 1 and 255")?;
    let leaf_size = number(vm, a[8], 32, 0)?;
    let node_offset = number(vm, a[9], kind.offset_bits, 0)?;
    let node_depth = ranged(vm, a[10], 0..=255, 0, "node_depth must be between 0 and 255")?;
    let inner = format!("inner_size must be between 0 and is {out}");
    let inner_size = ranged(vm, a[11], 0..=out, 0, &inner)?;
    let key = part(a[3], "key", kind.out)?;
    let mut state = (kind.start)(&Parameters {
        size: size as usize,
        key: &key,
        salt: &salt,
        person: &person,
        fanout: fanout as u8,
        depth: depth as u8,
        leaf_size: leaf_size as u32,
        node_offset,
        node_depth: node_depth as u8,
        inner_size: inner_size as usize,
        last_node: args::flag(vm, a[12], false)?,
    });
    if !a[1].is_empty() {
        feed(vm, &mut state, &data(vm, a[1])?)?;
    }
    let hash = Hash { name: kind.name, block_size: kind.block_size, state };
    Ok(vm.opaque(class, Some(Box::new(hash))))
}
