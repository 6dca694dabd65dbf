//! Constants: the table of a code object (without duplicates), and folding of constant
//! expressions. What could be large or could raise is left to run time.

use std::hash::{Hash, Hasher};

use miniscript_syntax::ast::*;
use num_bigint::{BigInt, Sign};
use num_traits::{Signed, ToPrimitive, Zero};
use rustc_hash::{FxHashMap, FxHasher};

use crate::code::proto::Const;

/// Folded integers have at most this many bits, as in CPython.
const MAX_INT_BITS: u64 = 128;
/// Folded strings and tuples have at most this many elements.
const MAX_REPEAT: usize = 4096;

/// A constant table under construction.
#[derive(Debug, Default)]
pub(super) struct Consts {
    pub list: Vec<Const>,
    /// Hash and the number of the try (for equal hashes) to index.
    index: FxHashMap<(u64, u32), u32>,
}

impl Consts {
    /// The index of `value`, added if it is new.
    pub fn add(&mut self, value: Const) -> u32 {
        let next = self.list.len() as u32;
        if shareable(&value) {
            let mut hasher = FxHasher::default();
            hash_const(&value, &mut hasher);
            let hash = hasher.finish();
            for round in 0.. {
                match self.index.get(&(hash, round)) {
                    Some(&at) if self.list[at as usize] == value => return at,
                    Some(_) => {}
                    None => {
                        self.index.insert((hash, round), next);
                        break;
                    }
                }
            }
        }
        self.list.push(value);
        next
    }

    /// The index of a string.
    pub fn add_str(&mut self, text: &str) -> u32 {
        self.add(Const::Str(text.as_bytes().into()))
    }
}

/// Whether looking for an equal constant is worth it (and possible).
fn shareable(value: &Const) -> bool {
    match value {
        Const::Code(_) => false,
        Const::Tuple(list) | Const::FrozenSet(list) => {
            list.len() <= 256 && list.iter().all(shareable)
        }
        _ => true,
    }
}

fn hash_const(value: &Const, h: &mut FxHasher) {
    std::mem::discriminant(value).hash(h);
    match value {
        Const::None | Const::Ellipsis | Const::Code(_) => {}
        Const::Bool(b) => b.hash(h),
        Const::Int(n) => n.hash(h),
        Const::BigInt { negative, magnitude } => (negative, magnitude).hash(h),
        Const::Float(x) => x.to_bits().hash(h),
        Const::Complex(a, b) => (a.to_bits(), b.to_bits()).hash(h),
        Const::Str(s) | Const::Bytes(s) => s.hash(h),
        Const::Tuple(list) | Const::FrozenSet(list) => list.iter().for_each(|c| hash_const(c, h)),
    }
}

/// A literal as a constant.
pub(super) fn literal(c: &Constant) -> Const {
    match c {
        Constant::None => Const::None,
        Constant::True => Const::Bool(true),
        Constant::False => Const::Bool(false),
        Constant::Ellipsis => Const::Ellipsis,
        Constant::Int(n) => Const::Int(*n),
        Constant::BigInt(big) => {
            let value = BigInt::parse_bytes(big.digits.as_bytes(), u32::from(big.radix));
            int_const(value.unwrap_or_default())
        }
        Constant::Float(x) => Const::Float(*x),
        Constant::Imaginary(x) => Const::Complex(0.0, *x),
        Constant::Str(s) => Const::Str(s.as_bytes().into()),
        Constant::Bytes(b) => Const::Bytes(b.clone()),
    }
}

fn int_const(value: BigInt) -> Const {
    match value.to_i64() {
        Some(n) => Const::Int(n),
        None => {
            let (sign, magnitude) = value.to_bytes_le();
            Const::BigInt { negative: sign == Sign::Minus, magnitude: magnitude.into() }
        }
    }
}

fn big(c: &Const) -> Option<BigInt> {
    match c {
        Const::Int(n) => Some(BigInt::from(*n)),
        Const::BigInt { negative, magnitude } => {
            let sign = if *negative { Sign::Minus } else { Sign::Plus };
            Some(BigInt::from_bytes_le(sign, magnitude))
        }
        _ => None,
    }
}

/// The value of `e` if it is constant.
pub(super) fn fold(e: &Expr) -> Option<Const> {
    match &e.kind {
        ExprKind::Constant(c) => Some(literal(c)),
        ExprKind::Name(name) if &**name == "__debug__" => Some(Const::Bool(true)),
        ExprKind::Tuple(list) => {
            list.iter().map(fold).collect::<Option<Vec<_>>>().map(Const::Tuple)
        }
        ExprKind::UnaryOp { op, operand } => unary(*op, &fold(operand)?),
        ExprKind::BinOp { first, rest } => {
            let mut value = fold(first)?;
            for step in rest {
                value = binary(step.op, &value, &fold(&step.operand)?)?;
            }
            Some(value)
        }
        _ => None,
    }
}

/// The truth of a constant.
pub(super) fn truth(c: &Const) -> bool {
    match c {
        Const::None => false,
        Const::Bool(b) => *b,
        Const::Int(n) => *n != 0,
        Const::Float(x) => *x != 0.0,
        Const::Complex(a, b) => *a != 0.0 || *b != 0.0,
        Const::Str(s) | Const::Bytes(s) => !s.is_empty(),
        Const::Tuple(list) | Const::FrozenSet(list) => !list.is_empty(),
        Const::BigInt { .. } | Const::Ellipsis | Const::Code(_) => true,
    }
}

fn unary(op: UnaryOpKind, value: &Const) -> Option<Const> {
    Some(match (op, value) {
        (UnaryOpKind::Not, v) => Const::Bool(!truth(v)),
        (UnaryOpKind::UAdd, Const::Int(_) | Const::BigInt { .. } | Const::Float(_)) => {
            value.clone()
        }
        (UnaryOpKind::USub, Const::Int(_) | Const::BigInt { .. }) => int_const(-big(value)?),
        (UnaryOpKind::USub, Const::Float(x)) => Const::Float(-x),
        (UnaryOpKind::USub, Const::Complex(a, b)) => Const::Complex(-a, -b),
        (UnaryOpKind::Invert, Const::Int(_) | Const::BigInt { .. }) => {
            int_const(-big(value)? - 1u32)
        }
        _ => return None,
    })
}

/// The value of a binary operation on constants, unless it is large or an error.
pub(super) fn binary(op: BinOpKind, a: &Const, b: &Const) -> Option<Const> {
    if let (Some(x), Some(y)) = (big(a), big(b)) {
        return ints(op, x, y);
    }
    match (a, b) {
        (Const::Str(x), Const::Str(y)) if op == BinOpKind::Add => {
            (x.len() + y.len() <= MAX_REPEAT).then(|| Const::Str(join(x, y)))
        }
        (Const::Bytes(x), Const::Bytes(y)) if op == BinOpKind::Add => {
            (x.len() + y.len() <= MAX_REPEAT).then(|| Const::Bytes(join(x, y)))
        }
        (Const::Tuple(x), Const::Tuple(y)) if op == BinOpKind::Add => (x.len() + y.len()
            <= MAX_REPEAT)
            .then(|| Const::Tuple(x.iter().chain(y).cloned().collect())),
        (Const::Str(s), Const::Int(n)) | (Const::Int(n), Const::Str(s))
            if op == BinOpKind::Mult =>
        {
            repeat(s, *n).map(Const::Str)
        }
        (Const::Bytes(s), Const::Int(n)) | (Const::Int(n), Const::Bytes(s))
            if op == BinOpKind::Mult =>
        {
            repeat(s, *n).map(Const::Bytes)
        }
        _ => {
            let result = match (number(a)?, number(b)?) {
                ((x, None), (y, None)) => Const::Float(floats(op, x, y)?),
                ((x, i), (y, j)) => {
                    // A real operand has no imaginary part of its own.
                    let (i, j) = (i.unwrap_or(0.0), j.unwrap_or(0.0));
                    match op {
                        BinOpKind::Add => Const::Complex(x + y, i + j),
                        BinOpKind::Sub => Const::Complex(x - y, i - j),
                        _ => return None,
                    }
                }
            };
            Some(result)
        }
    }
}

fn join(a: &[u8], b: &[u8]) -> Box<[u8]> {
    [a, b].concat().into()
}

fn repeat(s: &[u8], n: i64) -> Option<Box<[u8]>> {
    let n = usize::try_from(n.max(0)).ok()?;
    (s.len().checked_mul(n)? <= MAX_REPEAT).then(|| s.repeat(n).into())
}

/// Real and imaginary part of a number that is exact as a float.
fn number(c: &Const) -> Option<(f64, Option<f64>)> {
    match c {
        Const::Int(n) if n.unsigned_abs() <= 1 << 53 => Some((*n as f64, None)),
        Const::Float(x) => Some((*x, None)),
        Const::Complex(a, b) => Some((*a, Some(*b))),
        _ => None,
    }
}

fn floats(op: BinOpKind, x: f64, y: f64) -> Option<f64> {
    Some(match op {
        BinOpKind::Add => x + y,
        BinOpKind::Sub => x - y,
        BinOpKind::Mult => x * y,
        BinOpKind::Div if y != 0.0 => x / y,
        _ => return None,
    })
}

fn ints(op: BinOpKind, x: BigInt, y: BigInt) -> Option<Const> {
    if x.bits() > MAX_INT_BITS || y.bits() > MAX_INT_BITS {
        return None;
    }
    let value = match op {
        BinOpKind::Add => x + y,
        BinOpKind::Sub => x - y,
        BinOpKind::Mult if x.bits() + y.bits() <= MAX_INT_BITS => x * y,
        BinOpKind::Div if !y.is_zero() => {
            let (a, b) = (x.to_i64()?, y.to_i64()?);
            let exact = |n: i64| n.unsigned_abs() <= 1 << 53;
            return (exact(a) && exact(b)).then(|| Const::Float(a as f64 / b as f64));
        }
        BinOpKind::FloorDiv if !y.is_zero() => num_integer::Integer::div_floor(&x, &y),
        BinOpKind::Mod if !y.is_zero() => num_integer::Integer::mod_floor(&x, &y),
        BinOpKind::Pow => {
            let n = y.to_u32()?;
            if x.bits().max(1) * u64::from(n) > MAX_INT_BITS {
                return None;
            }
            x.pow(n)
        }
        BinOpKind::LShift => {
            let n = y.to_u64()?;
            if x.bits().saturating_add(n) > MAX_INT_BITS {
                return None;
            }
            x << n
        }
        BinOpKind::RShift if !y.is_negative() => x >> y.to_u64()?.min(256),
        BinOpKind::BitOr => x | y,
        BinOpKind::BitXor => x ^ y,
        BinOpKind::BitAnd => x & y,
        _ => return None,
    };
    Some(int_const(value))
}
