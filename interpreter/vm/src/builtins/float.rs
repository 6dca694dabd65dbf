//! `float`.

use super::number_rows::{self, Level, checked_class, is_derived, number};
use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, NativeDef, Role, Row};
use crate::num::{Int, float};
use crate::object::class::Class;
use crate::object::record::Record;
use crate::object::text::{ByteArray, Str};
use crate::ops::arith::Bin;
use crate::ops::compare::Cmp;
use crate::ops::number::Num;
use crate::text::repr;
use crate::value::Value;

pub(super) const TABLES: &[&[NativeDef]] = &[METHODS, OPERATORS, COMPARISONS];

const METHODS: &[NativeDef] = &[
    NativeDef::new(
        "__new__",
        "cls, x=0, /",
        new,
        "Create and return a new object.  See help(type) for accurate signature.",
    )
    .role(Role::Static),
    NativeDef::new("__hash__", "self, /", number_rows::hash, "Return hash(self)."),
    NativeDef::new("__bool__", "self, /", number_rows::truth, "True if self else False"),
    NativeDef::new("__abs__", "self, /", number_rows::abs, "abs(self)"),
    NativeDef::new("__neg__", "self, /", number_rows::neg, "-self"),
    NativeDef::new("__pos__", "self, /", number_rows::exact, "+self"),
    NativeDef::new("__int__", "self, /", trunc, "int(self)"),
    NativeDef::new("__float__", "self, /", number_rows::exact, "float(self)"),
    NativeDef::new(
        "__trunc__",
        "self, /",
        trunc,
        "Return the Integral closest to x between 0 and x.",
    ),
    NativeDef::new("__floor__", "self, /", floor, "Return the floor as an Integral."),
    NativeDef::new("__ceil__", "self, /", ceil, "Return the ceiling as an Integral."),
    NativeDef::new(
        "__round__",
        "self, ndigits=None, /",
        round,
        "Return the Integral closest to x, rounding half toward even.",
    ),
    NativeDef::new("__pow__", "self, value, mod=None, /", pow, "Return pow(self, value, mod)."),
    NativeDef::new("__rpow__", "self, value, mod=None, /", rpow, "Return pow(value, self, mod)."),
    NativeDef::new("__getnewargs__", "self, /", number_rows::new_args, ""),
    NativeDef::new(
        "__getformat__",
        "cls, typestr, /",
        get_format,
        "You probably don't want to use this function.",
    )
    .role(Role::Class),
    NativeDef::new(
        "conjugate",
        "self, /",
        number_rows::exact,
        "Return self, the complex conjugate of any float.",
    ),
    NativeDef::new(
        "as_integer_ratio",
        "self, /",
        integer_ratio,
        "Return a pair of integers, whose ratio is exactly equal to the original float.",
    ),
    NativeDef::new("is_integer", "self, /", is_integer, "Return True if the float is an integer."),
    NativeDef::new(
        "hex",
        "self, /",
        hex,
        "Return a hexadecimal representation of a floating-point number.",
    ),
    NativeDef::new(
        "fromhex",
        "cls, string, /",
        from_hex,
        "Create a floating-point number from a hexadecimal string.",
    )
    .role(Role::Class),
    NativeDef::getter("real", number_rows::exact, "the real part of a complex number"),
    NativeDef::getter(
        "imag",
        |_, _| Ok(Value::float(0.0)),
        "the imaginary part of a complex number",
    ),
];

number_rows::operator_rows! {
    OPERATORS, Float;
    __add__ __radd__ Add "+";
    __sub__ __rsub__ Sub "-";
    __mul__ __rmul__ Mul "*";
    __truediv__ __rtruediv__ TrueDiv "/";
    __floordiv__ __rfloordiv__ FloorDiv "//";
    __mod__ __rmod__ Mod "%";
    __divmod__ __rdivmod__ DivMod "divmod";
}

number_rows::comparison_rows!(COMPARISONS, Float);

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (cls, v) = (args[0], args[1]);
    let class = checked_class(vm, cls, Type::Float)?;
    if v.is_empty() {
        return Ok(make(vm, class, 0.0));
    }
    match vm.exact_number(v) {
        Some(Num::Complex(_)) | None => {}
        Some(n) => return Ok(make(vm, class, vm.faulty(n.to_f64())?)),
    }
    if let Some(r) = vm.float_of(v, &NEW_ROW, vec![cls]) {
        return r;
    }
    match vm.literal_text(v, float::parse) {
        Some(Err(_)) if v.is_a::<ByteArray>() => {
            let mut text = b"could not convert string to float: bytearray(".to_vec();
            let data = v.get::<ByteArray>().map_or_else(Vec::new, |b| b.bytes().clone());
            repr::bytearray_into(&mut text, &data).map_err(|_| vm.memory_error())?;
            text.push(b')');
            Err(vm.value_error(String::from_utf8_lossy(&text)))
        }
        Some(x) => Ok(make(vm, class, vm.faulty(x)?)),
        None => Err(vm.type_error(format!(
            "float() argument must be a string or a real number, not '{}'",
            vm.type_name(v)
        ))),
    }
}

/// After `__float__` or `__index__`: the float is checked.
static NEW_ROW: Row = Row {
    name: "float_new",
    catches: false,
    resume: |vm, state, answer| {
        let class = checked_class(vm, state[0], Type::Float)?;
        let x = vm.faulty(number(vm, answer.value()?).to_f64())?;
        Ok(make(vm, class, x))
    },
};

/// After `__float__` of an object of class `state[0]`.
static FLOAT_ROW: Row = Row {
    name: "float_from_float",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        match vm.number(v) {
            Some(Num::Float(x)) => {
                let owner = state[0].get::<Class>().map_or("?".into(), |c| c.name_str());
                vm.strict_number(&format!("{owner}.__float__"), Type::Float, v, Value::float(x))
            }
            _ => Err(vm.type_error(format!(
                "{}.__float__ returned non-float (type {})",
                state[0].get::<Class>().map_or("?".into(), |c| c.name_str()),
                vm.type_name(v)
            ))),
        }
    },
};

/// After `__index__`.
static INDEX_ROW: Row = Row {
    name: "float_from_index",
    catches: false,
    resume: |vm, _, answer| {
        let n = vm.index_int(answer.value()?)?;
        vm.faulty(n.to_f64()).map(Value::float)
    },
};

impl Vm {
    /// Hands the float that `v.__float__()` or `v.__index__()` gives to `row`; `None` if it has
    /// neither.
    pub(crate) fn float_of<'v>(
        &'v self,
        v: Value<'v>,
        row: &'static Row,
        state: Vec<Value<'v>>,
    ) -> Option<NResult<'v>> {
        let class = self.class_value_of(v);
        for (name, checks) in
            [(self.names.__float__, &FLOAT_ROW), (self.names.__index__, &INDEX_ROW)]
        {
            let (f, args) = match self.method(v, name) {
                Ok(Some(found)) => found,
                Ok(None) => continue,
                Err(e) => return Some(Err(e)),
            };
            return Some(match self.call_then(f, args, checks, vec![class]) {
                Ok(x) => (row.resume)(self, &state, crate::native::Answer::Value(x)),
                Err(e) => Err(self.then_state(e, row, &state)),
            });
        }
        None
    }
}

/// A float of `class`.
fn make<'v>(vm: &'v Vm, class: &'v Class, x: f64) -> Value<'v> {
    let v = Value::float(x);
    if !is_derived(vm, class, Type::Float) {
        return v;
    }
    let record = Record::new(class.root_shape.get(), v, Value::EMPTY, Value::EMPTY, Value::EMPTY);
    vm.alloc_with_attrs(record, 0, false)
}

/// The receiver.
fn value<'v>(vm: &'v Vm, v: Value<'v>) -> f64 {
    match number(vm, v) {
        Num::Float(x) => x,
        _ => 0.0,
    }
}

fn trunc<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.faulty(float::to_int(value(vm, args[0]))).map(|n| vm.int_value(n))
}

fn floor<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.faulty(float::to_int(value(vm, args[0]).floor())).map(|n| vm.int_value(n))
}

fn ceil<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.faulty(float::to_int(value(vm, args[0]).ceil())).map(|n| vm.int_value(n))
}

fn round<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if args[1].is_empty() || args[1].is_none() {
        return vm.faulty(float::round_to_int(value(vm, args[0]))).map(|n| vm.int_value(n));
    }
    vm.index_then(args[1], &ROUND_ROW, vec![args[0]])
}

/// After `__index__` of the number of digits.
static ROUND_ROW: Row = Row {
    name: "float_round",
    catches: false,
    resume: |vm, state, answer| {
        let places = match vm.index_int(answer.value()?)? {
            Num::Int(n) => n,
            // More digits than any float has, or fewer.
            n if n.big().sign() == num_bigint::Sign::Minus => i64::MIN,
            _ => i64::MAX,
        };
        vm.faulty(float::round(value(vm, state[0]), places)).map(Value::float)
    },
};

fn pow<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    power(vm, args[0], args[1], args[2])
}

fn rpow<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    power(vm, args[1], args[0], args[2])
}

fn power<'v>(vm: &'v Vm, a: Value<'v>, b: Value<'v>, modulus: Value<'v>) -> NResult<'v> {
    if !modulus.is_empty() && !modulus.is_none() {
        return Err(
            vm.type_error("pow() 3rd argument not allowed unless all arguments are integers")
        );
    }
    number_rows::binary(vm, Level::Float, Bin::Pow, a, b)
}

fn get_format<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(s) = args[1].get::<Str>() else {
        return Err(vm.type_error(format!(
            "__getformat__() argument must be str, not {}",
            vm.type_name(args[1])
        )));
    };
    match s.bytes() {
        b"double" | b"float" if cfg!(target_endian = "little") => vm.str("IEEE, little-endian"),
        b"double" | b"float" => vm.str("IEEE, big-endian"),
        _ => Err(vm.value_error("__getformat__() argument 1 must be 'double' or 'float'")),
    }
}

fn integer_ratio<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (n, d) = vm.faulty(float::as_integer_ratio(value(vm, args[0])))?;
    vm.tuple(&[vm.int_value(Int::from(n)), vm.int_value(Int::from(d))])
}

fn is_integer<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let x = value(vm, args[0]);
    Ok(Value::bool(x.is_finite() && x == x.floor()))
}

fn hex<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.str(&float::hex(value(vm, args[0])))
}

fn from_hex<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(s) = args[1].get::<Str>() else {
        return Err(vm.type_error("bad argument type for built-in operation"));
    };
    let x = Value::float(vm.faulty(float::from_hex(s.bytes()))?);
    if args[0].is(vm.class_value(Type::Float)) {
        return Ok(x);
    }
    Err(Exit::tail(args[0], vec![x]))
}
