//! `complex`.

use super::number_rows::{self, Level, checked_class, is_derived, number};
use crate::Vm;
use crate::builtins::Type;
use crate::native::{NResult, NativeDef, Role, Row};
use crate::num::complex;
use crate::object::num::Complex;
use crate::object::text::Str;
use crate::ops::arith::Bin;
use crate::ops::compare::Cmp;
use crate::ops::number::Num;
use crate::value::Value;

pub(super) const TABLES: &[&[NativeDef]] = &[METHODS, OPERATORS, COMPARISONS];

const METHODS: &[NativeDef] = &[
    NativeDef::new(
        "__new__",
        "cls, /, real=0, imag=0",
        new,
        "Create and return a new object.  See help(type) for accurate signature.",
    )
    .role(Role::Static),
    NativeDef::new("__hash__", "self, /", number_rows::hash, "Return hash(self)."),
    NativeDef::new("__bool__", "self, /", number_rows::truth, "True if self else False"),
    NativeDef::new("__abs__", "self, /", number_rows::abs, "abs(self)"),
    NativeDef::new("__neg__", "self, /", number_rows::neg, "-self"),
    NativeDef::new("__pos__", "self, /", number_rows::exact, "+self"),
    NativeDef::new(
        "__complex__",
        "self, /",
        number_rows::exact,
        "Convert this value to exact type complex.",
    ),
    NativeDef::new("__pow__", "self, value, mod=None, /", pow, "Return pow(self, value, mod)."),
    NativeDef::new("__rpow__", "self, value, mod=None, /", rpow, "Return pow(value, self, mod)."),
    NativeDef::new("__getnewargs__", "self, /", number_rows::new_args, ""),
    NativeDef::new(
        "conjugate",
        "self, /",
        conjugate,
        "Return the complex conjugate of its argument. (3-4j).conjugate() == 3+4j.",
    ),
    NativeDef::getter("real", real, "the real part of a complex number"),
    NativeDef::getter("imag", imag, "the imaginary part of a complex number"),
];

number_rows::operator_rows! {
    OPERATORS, Complex;
    __add__ __radd__ Add "+";
    __sub__ __rsub__ Sub "-";
    __mul__ __rmul__ Mul "*";
    __truediv__ __rtruediv__ TrueDiv "/";
}

number_rows::comparison_rows!(COMPARISONS, Complex);

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (cls, real, imag) = (args[0], args[1], args[2]);
    let class = checked_class(vm, cls, Type::Complex)?;
    if imag.is_empty()
        && !is_derived(vm, class, Type::Complex)
        && vm.exact_type(real) == Some(Type::Complex)
    {
        return Ok(real);
    }
    if let Some(s) = real.get::<Str>() {
        if !imag.is_empty() {
            return Err(vm.type_error("complex() can't take second arg if first is a string"));
        }
        let z = vm.faulty(complex::parse(s.bytes()))?;
        return make(vm, cls, z.re, z.im);
    }
    if imag.is_a::<Str>() {
        return Err(vm.type_error("complex() second arg can't be a string"));
    }
    let state = vec![cls, imag];
    if real.is_empty() {
        return with_real(vm, &state, Value::int32(0));
    }
    if let Some((f, args)) = vm.method(real, vm.names.__complex__)? {
        return vm.call_then(f, args, &COMPLEX_ROW, state);
    }
    if vm.number(real).is_some() {
        return with_real(vm, &state, real);
    }
    vm.float_of(real, &REAL_ROW, state).unwrap_or_else(|| {
        Err(vm.type_error(format!(
            "complex() first argument must be a string or a number, not '{}'",
            vm.type_name(real)
        )))
    })
}

/// After `__complex__` of the first argument.
static COMPLEX_ROW: Row = Row {
    name: "complex_from_complex",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        if vm.exact_type(v) == Some(Type::Complex) {
            return with_real(vm, state, v);
        }
        if let Some(z) = v.get::<Complex>() {
            let z = vm.complex(z.re, z.im);
            let warned = vm.strict_number("__complex__", Type::Complex, v, z);
            return vm.and_then(warned, &COMPLEX_ROW, state.to_vec());
        }
        Err(vm.type_error(format!("__complex__ returned non-complex (type {})", vm.type_name(v))))
    },
};

/// After the first argument was made a float.
static REAL_ROW: Row = Row {
    name: "complex_real",
    catches: false,
    resume: |vm, state, answer| with_real(vm, state, answer.value()?),
};

/// Goes on with the second argument. State: the class and that argument.
fn with_real<'v>(vm: &'v Vm, state: &[Value<'v>], real: Value<'v>) -> NResult<'v> {
    let (cls, imag) = (state[0], state[1]);
    let state = vec![cls, real];
    if imag.is_empty() || vm.number(imag).is_some() {
        return combine(vm, &state, imag);
    }
    vm.float_of(imag, &IMAG_ROW, state).unwrap_or_else(|| {
        Err(vm.type_error(format!(
            "complex() second argument must be a number, not '{}'",
            vm.type_name(imag)
        )))
    })
}

/// After the second argument was made a float.
static IMAG_ROW: Row = Row {
    name: "complex_imag",
    catches: false,
    resume: |vm, state, answer| combine(vm, state, answer.value()?),
};

/// `real + imag * 1j`, where each may be complex. State: the class and the real part.
fn combine<'v>(vm: &'v Vm, state: &[Value<'v>], imag: Value<'v>) -> NResult<'v> {
    let (mut re, mut im) = match number(vm, state[1]) {
        Num::Complex(z) => (z.re, z.im),
        n => (vm.faulty(n.to_f64())?, 0.0),
    };
    if !imag.is_empty() {
        let extra = im;
        match number(vm, imag) {
            Num::Complex(w) => {
                re -= w.im;
                im = w.re;
            }
            n => im = vm.faulty(n.to_f64())?,
        }
        if state[1].is_a::<Complex>() {
            im += extra;
        }
    }
    make(vm, state[0], re, im)
}

/// A complex number of class `cls`.
fn make<'v>(vm: &'v Vm, cls: Value<'v>, re: f64, im: f64) -> NResult<'v> {
    let class = checked_class(vm, cls, Type::Complex)?;
    Ok(vm.alloc_with_attrs(Complex::new(class.root_shape.get(), re, im), 0, false))
}

fn pow<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    power(vm, args[0], args[1], args[2])
}

fn rpow<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    power(vm, args[1], args[0], args[2])
}

fn power<'v>(vm: &'v Vm, a: Value<'v>, b: Value<'v>, modulus: Value<'v>) -> NResult<'v> {
    if !modulus.is_empty() && !modulus.is_none() {
        return Err(vm.value_error("complex modulo"));
    }
    number_rows::binary(vm, Level::Complex, Bin::Pow, a, b)
}

fn parts<'v>(vm: &'v Vm, v: Value<'v>) -> (f64, f64) {
    match number(vm, v) {
        Num::Complex(z) => (z.re, z.im),
        _ => (0.0, 0.0),
    }
}

fn conjugate<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (re, im) = parts(vm, args[0]);
    Ok(vm.complex(re, -im))
}

fn real<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::float(parts(vm, args[0]).0))
}

fn imag<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::float(parts(vm, args[0]).1))
}
