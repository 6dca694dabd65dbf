//! What `decimal` needs of ints that MiniScript has no fast way to: their decimal digits, of which
//! there may be more than `int()` and `str()` convert.

use miniscript_vm::native::{NResult, NativeDef};
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};
use num_bigint::BigInt;

/// The natives of the source.
pub static NATIVES: &[NativeDef] = &[
    NativeDef::new("_digits", "n, /", digits, "The number of decimal digits."),
    NativeDef::new("_text", "n, /", text, "The decimal digits."),
    NativeDef::new("_number", "text, /", number, "The int that digits stand for."),
];

fn big<'v>(vm: &'v Vm, v: Value<'v>) -> Result<BigInt, miniscript_vm::native::Exit<'v>> {
    vm.to_bigint(v).ok_or_else(|| {
        let t = vm.type_name(v);
        vm.type_error(format!("'{t}' object cannot be interpreted as an integer"))
    })
}

fn digits<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if let Some(n) = args[0].as_small() {
        return Ok(vm.int(i64::from(n.unsigned_abs().checked_ilog10().unwrap_or(0)) + 1));
    }
    let n = big(vm, args[0])?;
    let bits = n.bits();
    // Powers of ten between two powers of two are few: the estimate is right or one too small.
    let estimate = ((bits.saturating_sub(1)) as f64 * std::f64::consts::LOG10_2) as u64;
    vm.ticks((bits / 64) as usize)?;
    let exact = if bits < 1 << 12 {
        n.magnitude().to_string().len() as u64
    } else {
        let power = num_bigint::BigUint::from(10u8).pow((estimate + 1) as u32);
        estimate + 1 + u64::from(*n.magnitude() >= power)
    };
    Ok(vm.uint(exact))
}

fn text<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if let Some(n) = args[0].as_small() {
        return vm.str(&n.to_string());
    }
    let n = big(vm, args[0])?;
    vm.ticks((n.bits() / 8) as usize)?;
    vm.str(&n.to_string())
}

fn number<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let shown = args[0].get::<Str>().map(|s| s.to_display().into_owned()).unwrap_or_default();
    vm.ticks(shown.len() / 8)?;
    // Digits of any script count.
    let plain: Option<Vec<u8>> = shown.chars().map(digit_of).collect();
    match plain.and_then(|plain| BigInt::parse_bytes(&plain, 10)) {
        Some(n) => Ok(vm.bigint(n)),
        None => Err(vm.value_error("invalid digits")),
    }
}

/// The ASCII digit of a decimal digit.
fn digit_of(c: char) -> Option<u8> {
    if c.is_ascii_digit() {
        return Some(c as u8);
    }
    miniscript_vm::text::case::decimal_value(c.into()).map(|n| b'0' + n as u8)
}
