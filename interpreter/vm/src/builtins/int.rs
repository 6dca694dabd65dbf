//! `int` and `bool`.

use num_bigint::BigInt;

use super::number_rows::{self, Level, checked_class, is_derived, number};
use crate::Vm;
use crate::builtins::Type;
use crate::native::{Answer, Exit, NResult, NativeDef, Role, Row};
use crate::num::int::{self, Endian};
use crate::num::{Int, float};
use crate::object::class::Class;
use crate::object::text::{ByteArray, Bytes, Str};
use crate::ops::arith::Bin;
use crate::ops::compare::Cmp;
use crate::ops::number::Num;
use crate::value::Value;

pub(super) const TABLES: &[&[NativeDef]] = &[METHODS, OPERATORS, COMPARISONS];
pub(super) const BOOL_TABLES: &[&[NativeDef]] = &[BOOL_METHODS, BOOL_OPERATORS];

const METHODS: &[NativeDef] = &[
    NativeDef::new(
        "__new__",
        "cls, x=0, /, base=10",
        new,
        "Create and return a new object.  See help(type) for accurate signature.",
    )
    .role(Role::Static),
    NativeDef::new("__hash__", "self, /", number_rows::hash, "Return hash(self)."),
    NativeDef::new("__bool__", "self, /", number_rows::truth, "True if self else False"),
    NativeDef::new("__abs__", "self, /", number_rows::abs, "abs(self)"),
    NativeDef::new("__neg__", "self, /", number_rows::neg, "-self"),
    NativeDef::new("__pos__", "self, /", number_rows::exact, "+self"),
    NativeDef::new("__invert__", "self, /", invert, "~self"),
    NativeDef::new("__int__", "self, /", number_rows::exact, "int(self)"),
    NativeDef::new("__index__", "self, /", number_rows::exact, "The number for use as an index."),
    NativeDef::new("__float__", "self, /", number_rows::float, "float(self)"),
    NativeDef::new("__trunc__", "self, /", number_rows::exact, "The number itself."),
    NativeDef::new("__floor__", "self, /", number_rows::exact, "The number itself."),
    NativeDef::new("__ceil__", "self, /", number_rows::exact, "The number itself."),
    NativeDef::new(
        "__round__",
        "self, ndigits=None, /",
        round,
        "Rounding an Integral returns itself; a negative ndigits rounds to a power of ten.",
    ),
    NativeDef::new("__pow__", "self, value, mod=None, /", pow, "Return pow(self, value, mod)."),
    NativeDef::new("__rpow__", "self, value, mod=None, /", rpow, "Return pow(value, self, mod)."),
    NativeDef::new("__getnewargs__", "self, /", number_rows::new_args, ""),
    NativeDef::new("__sizeof__", "self, /", size_of, "Returns size in memory, in bytes."),
    NativeDef::new(
        "conjugate",
        "self, /",
        number_rows::exact,
        "Returns self, the complex conjugate of any int.",
    ),
    NativeDef::new(
        "bit_length",
        "self, /",
        bit_length,
        "Number of bits to represent self in binary.",
    ),
    NativeDef::new(
        "bit_count",
        "self, /",
        bit_count,
        "Number of ones in the binary representation of the absolute value of self.",
    ),
    NativeDef::new(
        "to_bytes",
        "self, /, length=1, byteorder='big', *, signed=False",
        to_bytes,
        "Return an array of bytes representing an integer.",
    ),
    NativeDef::new(
        "from_bytes",
        "cls, /, bytes, byteorder='big', *, signed=False",
        from_bytes,
        "Return the integer represented by the given array of bytes.",
    )
    .role(Role::Class),
    NativeDef::new(
        "as_integer_ratio",
        "self, /",
        integer_ratio,
        "Return a pair of integers, whose ratio is equal to the original int.",
    ),
    NativeDef::new(
        "is_integer",
        "self, /",
        |_, _| Ok(Value::TRUE),
        "Returns True. Exists for duck type compatibility with float.is_integer.",
    ),
    NativeDef::getter("real", number_rows::exact, "the real part of a complex number"),
    NativeDef::getter("imag", |_, _| Ok(Value::int32(0)), "the imaginary part of a complex number"),
    NativeDef::getter("numerator", number_rows::exact, "the numerator in lowest terms"),
    NativeDef::getter(
        "denominator",
        |_, _| Ok(Value::int32(1)),
        "the denominator of a rational number in lowest terms",
    ),
];

number_rows::operator_rows! {
    OPERATORS, Int;
    __add__ __radd__ Add "+";
    __sub__ __rsub__ Sub "-";
    __mul__ __rmul__ Mul "*";
    __truediv__ __rtruediv__ TrueDiv "/";
    __floordiv__ __rfloordiv__ FloorDiv "//";
    __mod__ __rmod__ Mod "%";
    __divmod__ __rdivmod__ DivMod "divmod";
    __lshift__ __rlshift__ LShift "<<";
    __rshift__ __rrshift__ RShift ">>";
    __and__ __rand__ And "&";
    __or__ __ror__ Or "|";
    __xor__ __rxor__ Xor "^";
}

number_rows::comparison_rows!(COMPARISONS, Int);

const BOOL_METHODS: &[NativeDef] = &[
    NativeDef::new(
        "__new__",
        "cls, x=False, /",
        bool_new,
        "Create and return a new object.  See help(type) for accurate signature.",
    )
    .role(Role::Static),
    NativeDef::new("__invert__", "self, /", |vm, args| vm.invert_bool(args[0]), "~self"),
];

/// The logical operators of bools: bools if both are, ints otherwise.
macro_rules! bool_rows {
    ($( $name:literal $function:ident $op:ident; )*) => {
        $(
            fn $function<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
                match (args[0].as_bool(), args[1].as_bool()) {
                    (Some(x), Some(y)) => Ok(Value::bool(match Bin::$op {
                        Bin::And => x & y,
                        Bin::Or => x | y,
                        _ => x ^ y,
                    })),
                    _ => number_rows::binary(vm, Level::Int, Bin::$op, args[0], args[1]),
                }
            }
        )*
        const BOOL_OPERATORS: &[NativeDef] = &[$(
            NativeDef::new($name, "self, value, /", $function, ""),
        )*];
    };
}

bool_rows! {
    "__and__" bool_and And;
    "__rand__" bool_rand And;
    "__or__" bool_or Or;
    "__ror__" bool_ror Or;
    "__xor__" bool_xor Xor;
    "__rxor__" bool_rxor Xor;
}

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (cls, x, base) = (args[0], args[1], args[2]);
    let class = checked_class(vm, cls, Type::Int)?;
    if !base.is_empty() {
        if x.is_empty() {
            return Err(vm.type_error("int() missing string argument"));
        }
        return vm.index_then(base, &BASE_ROW, vec![cls, x]);
    }
    if x.is_empty() {
        return Ok(make(vm, class, Int::Small(0)));
    }
    match vm.exact_number(x) {
        Some(Num::Int(n)) => return Ok(make(vm, class, Int::Small(n))),
        Some(Num::Big(n)) if is_derived(vm, class, Type::Int) => {
            return Ok(make(vm, class, Int::Big(n.clone())));
        }
        Some(Num::Big(_)) => return Ok(x),
        Some(Num::Float(x)) => return Ok(make(vm, class, vm.faulty(float::to_int(x))?)),
        _ => {}
    }
    for (name, row) in [(vm.names.__int__, &INT_ROW), (vm.names.__index__, &INDEX_ROW)] {
        if let Some((f, args)) = vm.method(x, name)? {
            return vm.call_then(f, args, row, vec![cls]);
        }
    }
    if vm.class_lookup(vm.class_of(x), vm.names.__trunc__).is_some() {
        let text = "The delegation of int() to __trunc__ is deprecated.";
        return Err(vm.warn_then(Type::DeprecationWarning, text, x, &DELEGATED_ROW, vec![cls]));
    }
    match vm.parse_int(x, 10) {
        Some(n) => Ok(make(vm, class, n?)),
        None => Err(vm.type_error(format!(
            "int() argument must be a string, a bytes-like object or a real number, not '{}'",
            vm.type_name(x)
        ))),
    }
}

/// After `__int__`.
static INT_ROW: Row = Row {
    name: "int_from_int",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        let n = made_of(vm, state[0], v, "__int__ returned non-int")?;
        vm.strict_number("__int__", Type::Int, v, n)
    },
};

/// After `__index__`.
static INDEX_ROW: Row = Row {
    name: "int_from_index",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        let n = made_of(vm, state[0], v, "__index__ returned non-int")?;
        vm.strict_number("__index__", Type::Int, v, n)
    },
};

/// After the warning about `__trunc__`.
static DELEGATED_ROW: Row = Row {
    name: "int_delegated",
    catches: false,
    resume: |vm, state, answer| {
        let x = answer.value()?;
        match vm.method(x, vm.names.__trunc__)? {
            Some((f, args)) => vm.call_then(f, args, &TRUNC_ROW, state.to_vec()),
            None => Ok(x),
        }
    },
};

/// After `__trunc__`, which may give something that is no int but has an `__index__`.
static TRUNC_ROW: Row = Row {
    name: "int_from_trunc",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        if vm.as_int(v).is_none()
            && let Some((f, args)) = vm.method(v, vm.names.__index__)?
        {
            return vm.call_then(f, args, &INDEX_ROW, state.to_vec());
        }
        made_of(vm, state[0], v, "__trunc__ returned non-Integral")
    },
};

fn made_of<'v>(vm: &'v Vm, cls: Value<'v>, v: Value<'v>, complaint: &str) -> NResult<'v> {
    let class = checked_class(vm, cls, Type::Int)?;
    match vm.as_int(v) {
        Some(n) => Ok(make(vm, class, n.big().into_owned().into())),
        None => Err(vm.type_error(format!("{complaint} (type {})", vm.type_name(v)))),
    }
}

/// After `__index__` of the base.
static BASE_ROW: Row = Row {
    name: "int_base",
    catches: false,
    resume: |vm, state, answer| {
        let class = checked_class(vm, state[0], Type::Int)?;
        let base = match vm.index_int(answer.value()?)? {
            Num::Int(n) if n == 0 || (2..=36).contains(&n) => n as u32,
            _ => return Err(vm.value_error("int() base must be >= 2 and <= 36, or 0")),
        };
        let text = state[1];
        let is_text = text.is_a::<Str>() || text.is_a::<Bytes>() || text.is_a::<ByteArray>();
        match vm.parse_int(text, base).filter(|_| is_text) {
            Some(n) => Ok(make(vm, class, n?)),
            None => Err(vm.type_error("int() can't convert non-string with explicit base")),
        }
    },
};

/// An int of `class`.
fn make<'v>(vm: &'v Vm, class: &'v Class, n: Int) -> Value<'v> {
    if is_derived(vm, class, Type::Int) {
        vm.bigint_object(class.root_shape.get(), BigInt::from(n))
    } else {
        vm.int_value(n)
    }
}

fn invert<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.num_invert(number(vm, args[0])).unwrap_or(Value::NOT_IMPLEMENTED))
}

fn round<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if args[1].is_empty() {
        return number_rows::exact(vm, &args[..1]);
    }
    vm.index_then(args[1], &ROUND_ROW, vec![args[0]])
}

/// After `__index__` of the number of digits.
static ROUND_ROW: Row = Row {
    name: "int_round",
    catches: false,
    resume: |vm, state, answer| {
        let places = match vm.index_int(answer.value()?)? {
            Num::Int(n) => n,
            n => {
                if n.big().sign() == num_bigint::Sign::Minus {
                    i64::MIN + 1
                } else {
                    i64::MAX
                }
            }
        };
        let n = number(vm, state[0]);
        if places >= 0 {
            return Ok(vm.num_value(n));
        }
        Ok(vm.int_value(int::round(&n.big(), places)))
    },
};

fn pow<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    power(vm, args[0], args[1], args[2])
}

fn rpow<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    power(vm, args[1], args[0], args[2])
}

fn power<'v>(vm: &'v Vm, a: Value<'v>, b: Value<'v>, modulus: Value<'v>) -> NResult<'v> {
    if modulus.is_empty() || modulus.is_none() {
        return number_rows::binary(vm, Level::Int, Bin::Pow, a, b);
    }
    match (vm.as_int(a), vm.as_int(b), vm.as_int(modulus)) {
        (Some(a), Some(b), Some(m)) => vm.pow_mod(a, b, m),
        _ => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn size_of<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let bits = number(vm, args[0]).big().bits();
    Ok(vm.int(24 + 4 * bits.div_ceil(30).max(1) as i64))
}

fn bit_length<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.uint(match number(vm, args[0]) {
        Num::Int(n) => u64::from(64 - n.unsigned_abs().leading_zeros()),
        n => n.big().bits(),
    }))
}

fn bit_count<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.uint(match number(vm, args[0]) {
        Num::Int(n) => u64::from(n.unsigned_abs().count_ones()),
        n => int::bit_count(&n.big()),
    }))
}

fn integer_ratio<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.tuple(&[number_rows::exact(vm, args)?, Value::int32(1)])
}

/// The byte order an argument names.
fn byte_order<'v>(vm: &'v Vm, v: Value<'v>, function: &str) -> Result<Endian, Exit<'v>> {
    if v.is_empty() {
        return Ok(Endian::Big);
    }
    match v.get::<Str>().map(|s| s.bytes()) {
        Some(b"little") => Ok(Endian::Little),
        Some(b"big") => Ok(Endian::Big),
        Some(_) => Err(vm.value_error("byteorder must be either 'little' or 'big'")),
        None => Err(vm.type_error(format!(
            "{function}() argument 'byteorder' must be str, not {}",
            vm.type_name(v)
        ))),
    }
}

fn to_bytes<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (me, length, order, signed) = (args[0], args[1], args[2], args[3]);
    byte_order(vm, order, "to_bytes")?;
    let length = if length.is_empty() { Value::int32(1) } else { length };
    vm.truth_then(signed, &TO_BYTES_SIGNED, vec![me, order, length])
}

/// After the truth of `signed`.
static TO_BYTES_SIGNED: Row = Row {
    name: "int_to_bytes_signed",
    catches: false,
    resume: |vm, state, answer| {
        let signed = answer.value()?;
        vm.index_then(state[2], &TO_BYTES_LENGTH, vec![state[0], state[1], signed])
    },
};

/// After `__index__` of the length.
static TO_BYTES_LENGTH: Row = Row {
    name: "int_to_bytes_length",
    catches: false,
    resume: |vm, state, answer| {
        let length = match vm.index_int(answer.value()?)? {
            Num::Int(n) if n >= 0 => n as usize,
            Num::Int(_) => return Err(vm.value_error("length argument must be non-negative")),
            _ => return Err(vm.overflow_error("Python int too large to convert to C ssize_t")),
        };
        vm.check(length)?;
        let order = byte_order(vm, state[1], "to_bytes")?;
        let n = number(vm, state[0]).big();
        let bytes = int::to_bytes(&n, length, order, state[2].is(Value::TRUE));
        vm.bytes_owned(vm.faulty(bytes)?)
    },
};

fn from_bytes<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (cls, data, order, signed) = (args[0], args[1], args[2], args[3]);
    byte_order(vm, order, "from_bytes")?;
    vm.truth_then(signed, &FROM_BYTES_SIGNED, vec![cls, order, data])
}

/// After the truth of `signed`.
static FROM_BYTES_SIGNED: Row = Row {
    name: "int_from_bytes_signed",
    catches: false,
    resume: |vm, state, answer| {
        let (cls, order, data) = (state[0], state[1], state[2]);
        let state = vec![cls, order, answer.value()?];
        if data.is_a::<Bytes>() || data.is_a::<ByteArray>() {
            return (FROM_BYTES_DATA.resume)(vm, &state, Answer::Value(data));
        }
        let class = vm.class_of(data);
        let n = &vm.names;
        let convertible = [n.__bytes__, n.__iter__, n.__getitem__]
            .into_iter()
            .any(|name| vm.class_lookup(class, name).is_some());
        if data.is_a::<Str>() || !convertible {
            let name = vm.type_name(data);
            return Err(vm.type_error(format!("cannot convert '{name}' object to bytes")));
        }
        let bytes = vm.class_value(Type::Bytes);
        Err(Exit::call(bytes, vec![data], &FROM_BYTES_DATA, state))
    },
};

/// Once the data is a bytes.
static FROM_BYTES_DATA: Row = Row {
    name: "int_from_bytes_data",
    catches: false,
    resume: |vm, state, answer| {
        let data = answer.value()?;
        let order = byte_order(vm, state[1], "from_bytes")?;
        let signed = state[2].is(Value::TRUE);
        let found = vm.literal_text(data, |bytes, _| {
            // A copy in the other order may stand between.
            vm.check(bytes.len().saturating_mul(2))?;
            Ok(int::from_bytes(bytes, order, signed))
        });
        let n = vm.int_value(found.unwrap_or(Ok(Int::Small(0)))?);
        if state[0].is(vm.class_value(Type::Int)) {
            return Ok(n);
        }
        Err(Exit::tail(state[0], vec![n]))
    },
};

fn bool_new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    checked_class(vm, args[0], Type::Bool)?;
    if args[1].is_empty() {
        return Ok(Value::FALSE);
    }
    vm.truth(args[1]).map(Value::bool)
}
