//! What the rows of `int`, `float` and `complex` share: operators as methods, and objects of
//! their subclasses.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, NativeDef};
use crate::object::class::Class;
use crate::ops::arith::Bin;
use crate::ops::compare::Cmp;
use crate::ops::number::{Num, compare_numbers};
use crate::value::Value;

/// How wide a class's operators reach: to itself and what comes before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Int,
    Float,
    Complex,
}

fn level(n: Num<'_>) -> Level {
    match n {
        Num::Int(_) | Num::Big(_) => Level::Int,
        Num::Float(_) => Level::Float,
        Num::Complex(_) => Level::Complex,
    }
}

/// The operands as numbers that a class of `level` knows.
fn operands<'v>(
    vm: &'v Vm,
    level_of_class: Level,
    a: Value<'v>,
    b: Value<'v>,
) -> Option<(Num<'v>, Num<'v>)> {
    let (x, y) = (vm.number(a)?, vm.number(b)?);
    (level(x).max(level(y)) <= level_of_class).then_some((x, y))
}

/// `a op b` as a method of the class of `a` (or of `b`, for a reflected one).
pub(super) fn binary<'v>(
    vm: &'v Vm,
    of: Level,
    op: Bin,
    a: Value<'v>,
    b: Value<'v>,
) -> NResult<'v> {
    match operands(vm, of, a, b) {
        Some((x, y)) => vm.num_binary(op, x, y),
        None => Ok(Value::NOT_IMPLEMENTED),
    }
}

/// `a op b` as a method of the class of `a`.
pub(super) fn compare<'v>(
    vm: &'v Vm,
    of: Level,
    op: Cmp,
    a: Value<'v>,
    b: Value<'v>,
) -> NResult<'v> {
    let truth = operands(vm, of, a, b).and_then(|(x, y)| compare_numbers(op, x, y));
    Ok(truth.map_or(Value::NOT_IMPLEMENTED, Value::bool))
}

/// Rows of binary operators and comparisons of one class.
macro_rules! operator_rows {
    ($table:ident, $level:ident;
     $( $forward:ident $reflected:ident $op:ident $symbol:literal; )*) => {
        $(
            fn $forward<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
                number_rows::binary(vm, Level::$level, Bin::$op, args[0], args[1])
            }
            fn $reflected<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
                number_rows::binary(vm, Level::$level, Bin::$op, args[1], args[0])
            }
        )*
        const $table: &[NativeDef] = &[$(
            NativeDef::new(
                stringify!($forward), "self, value, /", $forward,
                concat!("Return self ", $symbol, " value."),
            ),
            NativeDef::new(
                stringify!($reflected), "self, value, /", $reflected,
                concat!("Return value ", $symbol, " self."),
            ),
        )*];
    };
}
pub(super) use operator_rows;

/// Rows of comparisons of one class.
macro_rules! comparison_rows {
    ($table:ident, $level:ident) => {
        number_rows::comparison_rows! {
            @ $table, $level;
            __lt__ Lt "<"; __le__ Le "<="; __eq__ Eq "==";
            __ne__ Ne "!="; __gt__ Gt ">"; __ge__ Ge ">=";
        }
    };
    (@ $table:ident, $level:ident; $( $name:ident $op:ident $symbol:literal; )*) => {
        $(
            fn $name<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
                number_rows::compare(vm, Level::$level, Cmp::$op, args[0], args[1])
            }
        )*
        const $table: &[NativeDef] = &[$(
            NativeDef::new(
                stringify!($name), "self, value, /", $name,
                concat!("Return self ", $symbol, " value."),
            ),
        )*];
    };
}
pub(super) use comparison_rows;

/// The class that `__new__` of builtin class `t` was called for.
pub(super) fn checked_class<'v>(
    vm: &'v Vm,
    class: Value<'v>,
    t: Type,
) -> Result<&'v Class, Exit<'v>> {
    let name = t.name();
    let Some(c) = class.get::<Class>() else {
        return Err(vm.type_error(format!(
            "{name}.__new__(X): X is not a type object ({})",
            vm.type_name(class)
        )));
    };
    if !c.is_subclass(vm.class(t)) {
        return Err(vm.type_error(format!(
            "{name}.__new__({0}): {0} is not a subtype of {name}",
            c.name_str()
        )));
    }
    if t == Type::Int && std::ptr::eq(c, vm.class(Type::Bool)) {
        return Err(vm.type_error("int.__new__(bool) is not safe, use bool.__new__()"));
    }
    Ok(c)
}

/// Whether `c` is a class that a script derived from a builtin one.
pub(super) fn is_derived(vm: &Vm, c: &Class, t: Type) -> bool {
    !std::ptr::eq(c, vm.class(t))
}

/// The hash of a number.
pub(super) fn hash<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.int(vm.num_hash(args[0]).unwrap_or(0)))
}

/// `abs(self)`.
pub(super) fn abs<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.num_abs(number(vm, args[0]))
}

/// `-self`.
pub(super) fn neg<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.num_neg(number(vm, args[0])))
}

/// `self` as an exact number: `+self`, `__int__` of an int, and so on.
pub(super) fn exact<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if vm.exact_number(args[0]).is_some() && args[0].as_bool().is_none() {
        return Ok(args[0]);
    }
    Ok(vm.num_value(number(vm, args[0])))
}

/// Rows of None.
pub(super) static NONE: &[&[NativeDef]] = &[&[NativeDef::new(
    "__bool__",
    "self, /",
    |vm, args| vm.truth(args[0]).map(Value::bool),
    "True if self else False",
)]];

/// `bool(self)`.
pub(super) fn truth<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::bool(match number(vm, args[0]) {
        Num::Int(n) => n != 0,
        Num::Big(_) => true,
        Num::Float(x) => x != 0.0,
        Num::Complex(z) => z.re != 0.0 || z.im != 0.0,
    }))
}

/// `float(self)` of a real number.
pub(super) fn float<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.faulty(number(vm, args[0]).to_f64()).map(Value::float)
}

/// `self.__getnewargs__()`: what `__new__` makes the number from.
pub(super) fn new_args<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match number(vm, args[0]) {
        Num::Complex(z) => vm.tuple(&[Value::float(z.re), Value::float(z.im)]),
        n => vm.tuple(&[vm.num_value(n)]),
    }
}

/// The receiver of a method of a number class. (The VM checked its class.)
pub(super) fn number<'v>(vm: &'v Vm, v: Value<'v>) -> Num<'v> {
    vm.number(v).unwrap_or(Num::Int(0))
}
