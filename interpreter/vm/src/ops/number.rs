//! Numbers apart from their objects: reading a value as a number, arithmetic and comparison on
//! what was read. The operators (`arith`), the methods of `int`, `float` and `complex`, and the
//! builtin functions all end here.

use std::borrow::Cow;
use std::cmp::Ordering;

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};

use crate::Vm;
use crate::builtins::Type;
use crate::fault::{ErrKind, Fault};
use crate::heap::Kind;
use crate::native::{Exit, NResult};
use crate::num::complex::Complex as Cplx;
use crate::num::{Int, float, int};
use crate::object::num::{BigIntObj, Complex, Int64};
use crate::object::record::Record;
use crate::ops::arith::Bin;
use crate::ops::compare::Cmp;
use crate::value::Value;

/// A number read from a value. Instances of subclasses count as what they derive from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Num<'v> {
    /// An int (or bool) of 64 bits.
    Int(i64),
    /// An int beyond.
    Big(&'v BigInt),
    /// A float.
    Float(f64),
    /// A complex number.
    Complex(Cplx),
}

impl<'v> Num<'v> {
    /// Whether it is an int.
    pub(crate) fn is_int(self) -> bool {
        matches!(self, Num::Int(_) | Num::Big(_))
    }

    /// The int; zero if it is none.
    pub(crate) fn big(self) -> Cow<'v, BigInt> {
        match self {
            Num::Big(n) => Cow::Borrowed(n),
            Num::Int(n) => Cow::Owned(BigInt::from(n)),
            _ => Cow::Owned(BigInt::zero()),
        }
    }

    /// The float nearest to a real number.
    pub(crate) fn to_f64(self) -> Result<f64, Fault> {
        match self {
            Num::Int(n) => Ok(n as f64),
            Num::Big(n) => int::to_f64(n),
            Num::Float(x) => Ok(x),
            Num::Complex(z) => Ok(z.re),
        }
    }

    fn to_complex(self) -> Result<Cplx, Fault> {
        match self {
            Num::Complex(z) => Ok(z),
            real => Ok(Cplx { re: real.to_f64()?, im: 0.0 }),
        }
    }
}

/// `v` as a number if it is stored as one, of a subclass too.
#[inline]
pub(crate) fn num_of(v: Value<'_>) -> Option<Num<'_>> {
    if let Some(n) = v.as_small() {
        return Some(Num::Int(n));
    }
    if let Some(x) = v.as_float() {
        return Some(Num::Float(x));
    }
    if let Some(b) = v.as_bool() {
        return Some(Num::Int(i64::from(b)));
    }
    match v.kind()? {
        Kind::Int64 => v.get::<Int64>().map(|n| Num::Int(n.value)),
        Kind::BigInt => v.get::<BigIntObj>().map(big_or_small),
        Kind::Complex => v.get::<Complex>().map(|z| Num::Complex(Cplx { re: z.re, im: z.im })),
        // An instance of a subclass of float keeps its number as a word.
        Kind::Record => v.get::<Record>().and_then(|r| r.a().as_float()).map(Num::Float),
        _ => None,
    }
}

/// How two real numbers compare, exactly; `None` if one is NaN (or complex).
pub(crate) fn real_compare(a: Num<'_>, b: Num<'_>) -> Option<Ordering> {
    use Num::*;
    match (a, b) {
        (Int(x), Int(y)) => Some(x.cmp(&y)),
        (Float(x), Float(y)) => x.partial_cmp(&y),
        (Int(x), Float(y)) => float::cmp_i64(y, x).map(Ordering::reverse),
        (Float(x), Int(y)) => float::cmp_i64(x, y),
        (Big(x), Float(y)) => float::cmp_big(y, x).map(Ordering::reverse),
        (Float(x), Big(y)) => float::cmp_big(x, y),
        (Big(x), Big(y)) => Some(x.cmp(y)),
        (Big(x), Int(_)) => Some(x.sign().cmp(&num_bigint::Sign::NoSign)),
        (Int(_), Big(y)) => Some(num_bigint::Sign::NoSign.cmp(&y.sign())),
        (Complex(_), _) | (_, Complex(_)) => None,
    }
}

/// Whether two numbers are equal.
pub(crate) fn numbers_equal(a: Num<'_>, b: Num<'_>) -> bool {
    match (a, b) {
        (Num::Complex(z), Num::Complex(w)) => z == w,
        (Num::Complex(z), real) | (real, Num::Complex(z)) => {
            z.im == 0.0 && real_compare(Num::Float(z.re), real) == Some(Ordering::Equal)
        }
        _ => real_compare(a, b) == Some(Ordering::Equal),
    }
}

impl Vm {
    /// `v` as a number if it is one, of a subclass too.
    pub(crate) fn number<'v>(&'v self, v: Value<'v>) -> Option<Num<'v>> {
        num_of(v)
    }

    /// `v` as a number if its class is exactly `int`, `bool`, `float` or `complex`.
    #[inline]
    pub(crate) fn exact_number<'v>(&'v self, v: Value<'v>) -> Option<Num<'v>> {
        if let Some(n) = v.as_small() {
            return Some(Num::Int(n));
        }
        if let Some(x) = v.as_float() {
            return Some(Num::Float(x));
        }
        let Some(h) = v.header() else { return v.as_bool().map(|b| Num::Int(i64::from(b))) };
        match h.kind() {
            Kind::Int64 => v.get::<Int64>().map(|n| Num::Int(n.value)),
            Kind::BigInt if h.shape.get() == Type::Int.shape() => {
                v.get::<BigIntObj>().map(big_or_small)
            }
            Kind::Complex if h.shape.get() == Type::Complex.shape() => {
                v.get::<Complex>().map(|z| Num::Complex(Cplx { re: z.re, im: z.im }))
            }
            _ => None,
        }
    }

    /// `v` as an int, bools and subclasses included.
    pub(crate) fn as_int<'v>(&'v self, v: Value<'v>) -> Option<Num<'v>> {
        self.number(v).filter(|n| n.is_int())
    }

    /// An int value of what an operation gave.
    pub fn int_value(&self, n: Int) -> Value<'_> {
        match n {
            Int::Small(n) => self.int(n),
            Int::Big(n) => self.bigint(n),
        }
    }

    /// The hash of a number; `None` if `v` is none.
    pub(crate) fn num_hash<'v>(&'v self, v: Value<'v>) -> Option<i64> {
        Some(match self.number(v)? {
            Num::Int(n) => crate::hash::int(n),
            Num::Big(n) => crate::hash::big_int(n),
            Num::Float(x) => crate::hash::float(x, v.word()),
            Num::Complex(z) => crate::hash::complex(z.re, z.im, v.word()),
        })
    }

    /// An exception of what a leaf operation found wrong.
    #[cold]
    pub fn fault(&self, e: Fault) -> Exit<'_> {
        let class = match e.kind {
            ErrKind::Value => Type::ValueError,
            ErrKind::Type => Type::TypeError,
            ErrKind::Overflow => Type::OverflowError,
            ErrKind::ZeroDivision => Type::ZeroDivisionError,
            ErrKind::Index => Type::IndexError,
            ErrKind::Key => Type::KeyError,
            ErrKind::Memory => return self.memory_error(),
            ErrKind::Interrupted => Type::TimeoutError,
        };
        // What the C library reports carries its error number.
        let range = "(34, 'Numerical result out of range')";
        if e.message == range {
            let text = self.short_str("Numerical result out of range");
            return self.err_args(class, &[Value::int32(34), text]);
        }
        self.err(class, e.message)
    }

    /// Whether there is memory for an int of so many bits.
    pub(crate) fn int_room(&self, bits: u64) -> Result<(), Exit<'_>> {
        let bytes = usize::try_from(bits / 8).unwrap_or(usize::MAX);
        self.check(bytes.saturating_mul(2))?;
        if bytes >= 1 << 20 {
            // Without a limit the system's memory is one: asked for before it is needed, since
            // the operation itself could not be told of a failure.
            let mut probe: Vec<u8> = Vec::new();
            probe.try_reserve_exact(bytes.saturating_mul(3)).map_err(|_| self.memory_error())?;
        }
        Ok(())
    }

    /// `a op b`; NotImplemented if the operator is not for such numbers.
    pub(crate) fn num_binary<'v>(&'v self, op: Bin, a: Num<'v>, b: Num<'v>) -> NResult<'v> {
        match (a, b) {
            (Num::Int(x), Num::Int(y)) => self.small_binary(op, x, y),
            (Num::Float(x), Num::Float(y)) => self.float_binary(op, x, y),
            (Num::Complex(_), _) | (_, Num::Complex(_)) => {
                if !matches!(op, Bin::Add | Bin::Sub | Bin::Mul | Bin::TrueDiv | Bin::Pow) {
                    return Ok(Value::NOT_IMPLEMENTED);
                }
                let (z, w) = (self.faulty(a.to_complex())?, self.faulty(b.to_complex())?);
                self.complex_binary(op, z, w)
            }
            (Num::Float(_), _) | (_, Num::Float(_)) => {
                if op.is_bitwise() {
                    return Ok(Value::NOT_IMPLEMENTED);
                }
                let (x, y) = (self.faulty(a.to_f64())?, self.faulty(b.to_f64())?);
                self.float_binary(op, x, y)
            }
            _ => self.big_binary(op, &a.big(), &b.big()),
        }
    }

    /// The value, or the exception of a fault.
    #[inline]
    pub(crate) fn faulty<T>(&self, r: Result<T, Fault>) -> Result<T, Exit<'_>> {
        r.map_err(|e| self.fault(e))
    }

    fn small_binary<'v>(&'v self, op: Bin, x: i64, y: i64) -> NResult<'v> {
        let found = match op {
            Bin::Add => x.checked_add(y),
            Bin::Sub => x.checked_sub(y),
            Bin::Mul => x.checked_mul(y),
            Bin::FloorDiv => int::floor_div_i64(x, y),
            Bin::Mod => int::mod_i64(x, y),
            Bin::And => Some(x & y),
            Bin::Or => Some(x | y),
            Bin::Xor => Some(x ^ y),
            Bin::RShift if y >= 0 => Some(x >> y.min(63)),
            Bin::Pow if y >= 0 => int::pow_i64(x, y as u64),
            Bin::TrueDiv if y != 0 && exact_f64(x) && exact_f64(y) => {
                return Ok(Value::float(x as f64 / y as f64));
            }
            Bin::DivMod => match (int::floor_div_i64(x, y), int::mod_i64(x, y)) {
                (Some(q), Some(r)) => return self.tuple(&[self.int(q), self.int(r)]),
                _ => None,
            },
            _ => None,
        };
        if let Some(n) = found {
            return Ok(self.int(n));
        }
        let wide = match op {
            Bin::Add => Some(i128::from(x) + i128::from(y)),
            Bin::Sub => Some(i128::from(x) - i128::from(y)),
            Bin::Mul => Some(i128::from(x) * i128::from(y)),
            Bin::LShift if (0..=63).contains(&y) => Some(i128::from(x) << y),
            _ => None,
        };
        if let Some(n) = wide {
            return Ok(match i64::try_from(n) {
                Ok(n) => self.int(n),
                Err(_) => self.bigint(BigInt::from(n)),
            });
        }
        self.big_binary(op, &BigInt::from(x), &BigInt::from(y))
    }

    fn big_binary<'v>(&'v self, op: Bin, x: &BigInt, y: &BigInt) -> NResult<'v> {
        let n = match op {
            Bin::Add | Bin::Sub | Bin::And | Bin::Or | Bin::Xor => {
                self.check(int::heap_bytes(x).max(int::heap_bytes(y)) + 8)?;
                Int::from(match op {
                    Bin::Add => x + y,
                    Bin::Sub => x - y,
                    Bin::And => x & y,
                    Bin::Or => x | y,
                    _ => x ^ y,
                })
            }
            Bin::Mul => {
                self.int_room(x.bits() + y.bits())?;
                self.polled(|poll| int::mul(x, y, poll))?
            }
            Bin::FloorDiv => self.polled(|poll| int::floor_div(x, y, poll))?,
            Bin::Mod => self.polled(|poll| int::modulo(x, y, poll))?,
            Bin::DivMod => {
                let (q, r) = self.polled(|poll| int::divmod(x, y, poll))?;
                return self.tuple(&[self.int_value(q), self.int_value(r)]);
            }
            Bin::TrueDiv => return self.faulty(int::true_div(x, y)).map(Value::float),
            Bin::Pow if y.is_negative() => {
                let (x, y) = (self.faulty(int::to_f64(x))?, self.faulty(int::to_f64(y))?);
                return self.float_binary(Bin::Pow, x, y);
            }
            Bin::Pow => {
                if let Some(e) = y.to_u64()
                    && !x.is_zero()
                {
                    self.int_room(int::pow_bits(x, e))?;
                }
                self.polled(|poll| int::pow(x, y, u64::MAX, poll))?
            }
            Bin::LShift => {
                if let Some(count) = y.to_u64()
                    && count <= i64::MAX as u64
                    && !x.is_zero()
                {
                    self.int_room(x.bits().saturating_add(count))?;
                }
                self.faulty(int::shl(x, y, u64::MAX))?
            }
            Bin::RShift => self.faulty(int::shr(x, y))?,
            Bin::MatMul => return Ok(Value::NOT_IMPLEMENTED),
        };
        Ok(self.int_value(n))
    }

    fn float_binary<'v>(&'v self, op: Bin, x: f64, y: f64) -> NResult<'v> {
        let found = match op {
            Bin::Add => x + y,
            Bin::Sub => x - y,
            Bin::Mul => x * y,
            Bin::TrueDiv => self.faulty(float::true_div(x, y))?,
            Bin::FloorDiv => self.faulty(float::floor_div(x, y))?,
            Bin::Mod => self.faulty(float::modulo(x, y))?,
            Bin::DivMod => {
                let (q, r) = self.faulty(float::divmod(x, y))?;
                return self.tuple(&[Value::float(q), Value::float(r)]);
            }
            Bin::Pow => match self.faulty(float::pow(x, y))? {
                float::Power::Real(x) => x,
                float::Power::Complex => {
                    let (z, w) = (Cplx { re: x, im: 0.0 }, Cplx { re: y, im: 0.0 });
                    return self.complex_binary(op, z, w);
                }
            },
            _ => return Ok(Value::NOT_IMPLEMENTED),
        };
        Ok(Value::float(found))
    }

    fn complex_binary<'v>(&'v self, op: Bin, z: Cplx, w: Cplx) -> NResult<'v> {
        let found = match op {
            Bin::Add => Cplx { re: z.re + w.re, im: z.im + w.im },
            Bin::Sub => Cplx { re: z.re - w.re, im: z.im - w.im },
            Bin::Mul => z.mul(w),
            Bin::TrueDiv => self.faulty(z.true_div(w))?,
            Bin::Pow => self.faulty(z.pow(w))?,
            _ => return Ok(Value::NOT_IMPLEMENTED),
        };
        Ok(self.complex(found.re, found.im))
    }

    /// `pow(a, b, modulus)` of ints.
    pub(crate) fn pow_mod<'v>(&'v self, a: Num<'v>, b: Num<'v>, modulus: Num<'v>) -> NResult<'v> {
        let (a, b, m) = (a.big(), b.big(), modulus.big());
        self.polled(|poll| int::pow_mod(&a, &b, &m, poll)).map(|n| self.int_value(n))
    }

    /// `-n`.
    pub(crate) fn num_neg<'v>(&'v self, n: Num<'v>) -> Value<'v> {
        match n {
            Num::Int(n) => match n.checked_neg() {
                Some(n) => self.int(n),
                None => self.bigint(-BigInt::from(n)),
            },
            Num::Big(n) => self.bigint(-n),
            Num::Float(x) => Value::float(-x),
            Num::Complex(z) => self.complex(-z.re, -z.im),
        }
    }

    /// `n` itself as an exact int, float or complex.
    pub(crate) fn num_value<'v>(&'v self, n: Num<'v>) -> Value<'v> {
        match n {
            Num::Int(n) => self.int(n),
            Num::Big(n) => self.bigint(n.clone()),
            Num::Float(x) => Value::float(x),
            Num::Complex(z) => self.complex(z.re, z.im),
        }
    }

    /// `abs(n)`.
    pub(crate) fn num_abs<'v>(&'v self, n: Num<'v>) -> NResult<'v> {
        match n {
            Num::Int(i) if i < 0 => Ok(self.num_neg(n)),
            Num::Big(i) if i.is_negative() => Ok(self.num_neg(n)),
            Num::Float(x) => Ok(Value::float(x.abs())),
            Num::Complex(z) => self.faulty(z.abs()).map(Value::float),
            Num::Int(_) | Num::Big(_) => Ok(self.num_value(n)),
        }
    }

    /// `~n` of an int.
    /// `~True`.
    #[cold]
    pub(crate) fn invert_bool<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        const TEXT: &str = "Bitwise inversion '~' on bool is deprecated. This returns the bitwise \
             inversion of the underlying int object and is usually not what you expect from \
             negating a bool. Use the 'not' operator for boolean negation or ~int(x) if you really \
             want the bitwise inversion of the underlying int.";
        let inverted = -1 - i64::from(v.as_bool() == Some(true));
        self.warn(crate::builtins::Type::DeprecationWarning, TEXT, self.int(inverted))
    }

    pub(crate) fn num_invert<'v>(&'v self, n: Num<'v>) -> Option<Value<'v>> {
        match n {
            Num::Int(n) => Some(self.int(!n)),
            Num::Big(n) => Some(self.bigint(!n)),
            _ => None,
        }
    }
}

/// `a op b`; `None` if complex numbers are to be ordered.
pub(crate) fn compare_numbers(op: Cmp, a: Num<'_>, b: Num<'_>) -> Option<bool> {
    match op {
        Cmp::Eq => return Some(numbers_equal(a, b)),
        Cmp::Ne => return Some(!numbers_equal(a, b)),
        _ => {}
    }
    if matches!((a, b), (Num::Complex(_), _) | (_, Num::Complex(_))) {
        return None;
    }
    let Some(order) = real_compare(a, b) else { return Some(false) };
    Some(match op {
        Cmp::Lt => order.is_lt(),
        Cmp::Le => order.is_le(),
        Cmp::Gt => order.is_gt(),
        _ => order.is_ge(),
    })
}

fn exact_f64(n: i64) -> bool {
    n.unsigned_abs() <= 1 << 53
}

fn big_or_small(n: &BigIntObj) -> Num<'_> {
    match n.value.to_i64() {
        Some(small) => Num::Int(small),
        None => Num::Big(&n.value),
    }
}
