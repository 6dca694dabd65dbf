//! `MsHostObject`: what counts as a number.
//!
//! Each function keeps the contract of the table: pointers are those of a native that runs.

use miniscript_abi::*;
use miniscript_vm::native::{Exit, Row};
use miniscript_vm::object::num::BigIntObj;
use miniscript_vm::object::seq::Tuple;
use miniscript_vm::{Value, Vm};
use num_bigint::BigInt;

use super::call::host;
use super::host_object::ONE;
use super::host_value::put;

/// After `__float__` or `__index__`: a float of a subclass is taken with a warning. State: whose
/// method it was.
static GIVEN: Row = Row {
    name: "extension_number",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        vm.and_then(vm.strict_float(state[0], v).unwrap_or(Ok(v)), &ONE, Vec::new())
    },
};

pub(super) unsafe extern "C" fn to_float(
    at: *mut MsVm,
    object: MsValue,
    out: *mut f64,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            let v = call.value(object)?;
            if let Some(f) = plain_float(vm, v)? {
                out.write(f);
                return Ok(MS_OK);
            }
            let kind = vm.type_name(v);
            for name in ["__float__", "__index__"] {
                let found =
                    call.run([object], |vm, [o]| match vm.method(o, vm.intern(name).word())? {
                        None => vm.tuple(&[]),
                        Some((f, args)) => Err(Exit::call(f, args, &GIVEN, vec![o])),
                    })?;
                let result = found.get::<Tuple>().and_then(|t| t.items().first().copied());
                let Some(found) = result else { continue };
                let float = found.as_float().is_some();
                match plain_float(vm, found)? {
                    Some(f) if float || name == "__index__" => {
                        out.write(f);
                        return Ok(MS_OK);
                    }
                    _ => {
                        let what = match name {
                            "__float__" => format!("{kind}.__float__ returned non-float"),
                            _ => "__index__ returned non-int".to_owned(),
                        };
                        let found = vm.type_name(found);
                        return Err(vm.type_error(format!("{what} (type {found})")));
                    }
                }
            }
            Err(vm.type_error(format!("must be real number, not {kind}")))
        })
    }
}

pub(super) unsafe extern "C" fn to_index(
    at: *mut MsVm,
    object: MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            let v = call.value(object)?;
            if let Some(n) = whole(vm, v) {
                return put(call, n, out);
            }
            let found =
                call.run([object], |vm, [o]| match vm.method(o, vm.names.__index__)? {
                    None => Err(vm.type_error(format!(
                        "'{}' object cannot be interpreted as an integer",
                        vm.type_name(o)
                    ))),
                    Some((f, args)) => Err(Exit::tail(f, args)),
                })?;
            match whole(vm, found) {
                Some(n) => put(call, n, out),
                None => Err(vm.type_error(format!(
                    "__index__ returned non-int (type {})",
                    vm.type_name(found)
                ))),
            }
        })
    }
}

/// An int of exactly the builtin class, for an int, a bool or an instance of a subclass.
fn whole<'v>(vm: &'v Vm, v: Value<'v>) -> Option<Value<'v>> {
    match vm.as_index_i64(v)? {
        Ok(n) => Some(vm.int(n)),
        Err(()) => v.get::<BigIntObj>().map(|b| vm.bigint(b.value.clone())),
    }
}

/// A number as a double, without any method.
fn plain_float<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Option<f64>, Exit<'v>> {
    if let Some(f) = v.as_float() {
        return Ok(Some(f));
    }
    match vm.as_index_i64(v) {
        Some(Ok(n)) => Ok(Some(n as f64)),
        _ => match v.get::<BigIntObj>() {
            Some(b) => match to_f64(&b.value) {
                f if f.is_finite() => Ok(Some(f)),
                _ => Err(vm.overflow_error("int too large to convert to float")),
            },
            None => Ok(None),
        },
    }
}

/// The nearest double, ties to even; infinite where it is too large.
fn to_f64(n: &BigInt) -> f64 {
    let bits = n.bits();
    if bits > 1024 {
        return f64::INFINITY;
    }
    // 64 bits of the magnitude, the lowest of which stands for all below.
    let shift = bits.saturating_sub(64);
    let magnitude = n.magnitude();
    let top = (magnitude >> shift).iter_u64_digits().next().unwrap_or(0);
    let sticky = magnitude.trailing_zeros().is_some_and(|zeros| zeros < shift);
    let rounded = (top | u64::from(sticky)) as f64;
    let mut f = rounded;
    let mut left = shift;
    while left > 0 {
        let step = left.min(512);
        f *= 2f64.powi(step as i32);
        left -= step;
    }
    if n.sign() == num_bigint::Sign::Minus { -f } else { f }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn big_ints_round_to_even() {
        let p = |n: u32| BigInt::from(1) << n;
        assert_eq!(to_f64(&p(100)), 2f64.powi(100));
        assert_eq!(to_f64(&(p(100) + 1)), 2f64.powi(100));
        let half = p(100) + (BigInt::from(1) << 47);
        assert_eq!(to_f64(&half), 2f64.powi(100));
        assert_eq!(to_f64(&(half + 1)), 2f64.powi(100) + 2f64.powi(48));
        assert_eq!(to_f64(&-p(1023)), -2f64.powi(1023));
        assert!(to_f64(&p(1024)).is_infinite());
        assert_eq!(to_f64(&BigInt::from(-7)), -7.0);
    }
}
