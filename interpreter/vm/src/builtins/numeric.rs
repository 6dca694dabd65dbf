//! The builtin functions on numbers: `abs divmod pow round bin oct hex ord chr`.

use crate::Vm;
use crate::native::{NResult, NativeDef, Quick, Row};
use crate::num::int_text;
use crate::object::text::{ByteArray, Bytes, Str};
use crate::ops::arith::Bin;
use crate::ops::number::Num;
use crate::text::wtf8;
use crate::value::Value;

pub(super) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new("abs", "x, /", abs, "Return the absolute value of the argument.")
        .quick(Quick::Abs),
    NativeDef::new("divmod", "x, y, /", divmod, "Return the tuple (x//y, x%y)."),
    NativeDef::new(
        "pow",
        "base, exp, mod=None",
        pow,
        "Equivalent to base**exp with 2 arguments or base**exp % mod with 3 arguments.",
    ),
    NativeDef::new(
        "round",
        "number, ndigits=None",
        round,
        "Round a number to a given precision in decimal digits.",
    ),
    NativeDef::new("bin", "number, /", bin, "Return the binary representation of an integer."),
    NativeDef::new("oct", "number, /", oct, "Return the octal representation of an integer."),
    NativeDef::new("hex", "number, /", hex, "Return the hexadecimal representation of an integer."),
    NativeDef::new("ord", "c, /", ord, "Return the Unicode code point for a one-character string.")
        .quick(Quick::Ord),
    NativeDef::new("chr", "i, /", chr, "Return a Unicode string of one character with ordinal i."),
];

fn abs<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if let Some(n) = vm.exact_number(args[0]) {
        return vm.num_abs(n);
    }
    vm.call_special(args[0], vm.names.__abs__, &[]).unwrap_or_else(|| {
        Err(vm.type_error(format!("bad operand type for abs(): '{}'", vm.type_name(args[0]))))
    })
}

fn divmod<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.binary_op(Bin::DivMod, args[0], args[1])
}

fn pow<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (base, exp, modulus) = (args[0], args[1], args[2]);
    if modulus.is_empty() || modulus.is_none() {
        return vm.binary_op(Bin::Pow, base, exp);
    }
    if let (Some(a), Some(b), Some(m)) =
        (vm.exact_number(base), vm.exact_number(exp), vm.exact_number(modulus))
        && a.is_int()
        && b.is_int()
        && m.is_int()
    {
        return vm.pow_mod(a, b, m);
    }
    next_power(vm, [base, exp, modulus], 0)
}

/// Asks the classes of the three arguments, from number `from` on. Only builtin numbers have a
/// say in what they are not the base of.
fn next_power<'v>(vm: &'v Vm, operands: [Value<'v>; 3], from: usize) -> NResult<'v> {
    let [base, exp, modulus] = operands;
    for (i, v) in operands.into_iter().enumerate().skip(from) {
        if i > 0 {
            match vm.exact_number(v) {
                Some(Num::Float(_)) => {
                    return Err(vm.type_error(
                        "pow() 3rd argument not allowed unless all arguments are integers",
                    ));
                }
                Some(Num::Complex(_)) => return Err(vm.value_error("complex modulo")),
                _ => continue,
            }
        }
        let Some((f, mut args)) = vm.method(v, vm.names.__pow__)? else { continue };
        args.extend([exp, modulus]);
        return vm.call_then(f, args, &POW_ROW, vec![base, exp, modulus, Value::len(i)]);
    }
    Err(vm.type_error(format!(
        "unsupported operand type(s) for ** or pow(): '{}', '{}', '{}'",
        vm.type_name(base),
        vm.type_name(exp),
        vm.type_name(modulus)
    )))
}

/// After a `__pow__` with three arguments.
static POW_ROW: Row = Row {
    name: "pow_of_three",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        if !v.is_not_implemented() {
            return Ok(v);
        }
        let next = state[3].as_small().unwrap_or(2) as usize + 1;
        next_power(vm, [state[0], state[1], state[2]], next)
    },
};

fn round<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let digits = if args[1].is_none() { Value::EMPTY } else { args[1] };
    let rest = if digits.is_empty() { &[][..] } else { &args[1..] };
    vm.call_special(args[0], vm.names.__round__, rest).unwrap_or_else(|| {
        Err(vm
            .type_error(format!("type {} doesn't define __round__ method", vm.type_name(args[0]))))
    })
}

fn bin<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.index_then(args[0], &RADIX_ROW, vec![Value::int32(2)])
}

fn oct<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.index_then(args[0], &RADIX_ROW, vec![Value::int32(8)])
}

fn hex<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.index_then(args[0], &RADIX_ROW, vec![Value::int32(16)])
}

/// After `__index__`: the digits in base 2, 8 or 16.
static RADIX_ROW: Row = Row {
    name: "int_in_radix",
    catches: false,
    resume: |vm, state, answer| {
        let n = vm.index_int(answer.value()?)?.big();
        let (prefix, radix) = match state[0].as_small() {
            Some(2) => ("0b", 2),
            Some(8) => ("0o", 8),
            _ => ("0x", 16),
        };
        vm.check(usize::try_from(n.bits()).unwrap_or(usize::MAX))?;
        let sign = if n.sign() == num_bigint::Sign::Minus { "-" } else { "" };
        vm.str(&format!("{sign}{prefix}{}", int_text::print_radix(&n, radix)))
    },
};

fn ord<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let len = if let Some(s) = args[0].get::<Str>() {
        match wtf8::decode(s.bytes(), 0) {
            Some((cp, _)) if s.char_len() == 1 => return Ok(vm.int(i64::from(cp))),
            _ => s.char_len(),
        }
    } else {
        let one = |b: &[u8]| if let [one] = b { Err(*one) } else { Ok(b.len()) };
        let found = match (args[0].get::<Bytes>(), args[0].get::<ByteArray>()) {
            (Some(b), _) => one(b.bytes()),
            (_, Some(b)) => one(&b.bytes()),
            _ => {
                return Err(vm.type_error(format!(
                    "ord() expected string of length 1, but {} found",
                    vm.type_name(args[0])
                )));
            }
        };
        match found {
            Err(byte) => return Ok(vm.int(i64::from(byte))),
            Ok(len) => len,
        }
    };
    Err(vm.type_error(format!("ord() expected a character, but string of length {len} found")))
}

fn chr<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.index_then(args[0], &CHR_ROW, Vec::new())
}

/// After `__index__`: the character.
static CHR_ROW: Row = Row {
    name: "chr",
    catches: false,
    resume: |vm, _, answer| match vm.index_int(answer.value()?)? {
        Num::Int(n @ 0..0x11_0000) => vm.str_bytes(wtf8::encode(n as u32, &mut [0; 4])),
        Num::Int(n) if i32::try_from(n).is_ok() => {
            Err(vm.value_error("chr() arg not in range(0x110000)"))
        }
        _ => Err(vm.overflow_error("Python int too large to convert to C int")),
    },
};
