//! One value of a `struct` and its bytes.

use miniscript_vm::native::{Exit, NResult};
use miniscript_vm::num::Int;
use miniscript_vm::object::text::{ByteArray, Bytes};
use miniscript_vm::{Value, Vm};
use num_bigint::BigInt;

use super::error;
use super::format::{Format, from_half, to_half};
use crate::args;

/// Writes a value.
pub(super) fn pack<'v>(
    vm: &'v Vm,
    format: &Format,
    code: u8,
    v: Value<'v>,
    out: &mut [u8],
) -> Result<(), Exit<'v>> {
    match code {
        b'c' => match v.get::<Bytes>().map(|b| b.bytes()) {
            Some([b]) => {
                out[0] = *b;
                return Ok(());
            }
            _ => return Err(error(vm, "char format requires a bytes object of length 1")),
        },
        b's' | b'p' => return text(vm, code, v, out),
        b'?' => out[0] = u8::from(vm.truth(v)?),
        b'e' | b'f' | b'd' => float(vm, code, format.native, v, out)?,
        _ => int(vm, code, v, out)?,
    }
    if format.big_endian {
        out.reverse();
    }
    Ok(())
}

fn text<'v>(vm: &'v Vm, code: u8, v: Value<'v>, out: &mut [u8]) -> Result<(), Exit<'v>> {
    let array;
    let bytes = match (v.get::<Bytes>(), v.get::<ByteArray>()) {
        (Some(b), _) => b.bytes(),
        (_, Some(b)) => {
            array = b.bytes().to_vec();
            &array
        }
        _ => {
            let code = char::from(code);
            return Err(error(vm, format!("argument for '{code}' must be a bytes object")));
        }
    };
    let out = match (code, out) {
        (b'p', [len, out @ ..]) => {
            *len = bytes.len().min(out.len()).min(255) as u8;
            out
        }
        (_, out) => out,
    };
    let n = bytes.len().min(out.len());
    out[..n].copy_from_slice(&bytes[..n]);
    Ok(())
}

fn float<'v>(
    vm: &'v Vm,
    code: u8,
    native: bool,
    v: Value<'v>,
    out: &mut [u8],
) -> Result<(), Exit<'v>> {
    let x = match args::float_of(vm, v) {
        Some(x) => x,
        None if args::int_of(v).is_some() => {
            args::real(vm, v).map_err(|_| error(vm, "required argument is not a float"))?
        }
        None => return Err(error(vm, "required argument is not a float")),
    };
    match code {
        b'd' => out.copy_from_slice(&x.to_le_bytes()),
        b'f' => {
            let y = x as f32;
            if y.is_infinite() && x.is_finite() && !native {
                return Err(vm.overflow_error("float too large to pack with f format"));
            }
            out.copy_from_slice(&y.to_le_bytes());
        }
        _ => match to_half(x) {
            Some(h) => out.copy_from_slice(&h.to_le_bytes()),
            None => return Err(vm.overflow_error("float too large to pack with e format")),
        },
    }
    Ok(())
}

fn int<'v>(vm: &'v Vm, code: u8, v: Value<'v>, out: &mut [u8]) -> Result<(), Exit<'v>> {
    let n = match args::int_of(v) {
        Some(n) => n,
        None => {
            let index = vm.intern("__index__").word();
            return Err(match vm.class_lookup(vm.class_of(v), index) {
                Some(_) => vm.not_an_integer(v),
                None => error(vm, "required argument is not an integer"),
            });
        }
    };
    let n = match n {
        Int::Small(n) => Some(i128::from(n)),
        Int::Big(n) => i128::try_from(n).ok(),
    };
    let bits = out.len() as u32 * 8;
    let (min, max) = match code {
        // A pointer may be given as a negative number.
        b'P' => (-(1i128 << (bits - 1)), (1i128 << bits) - 1),
        _ if code.is_ascii_uppercase() => (0, (1i128 << bits) - 1),
        _ => (-(1i128 << (bits - 1)), (1i128 << (bits - 1)) - 1),
    };
    let Some(n) = n.filter(|n| (min..=max).contains(n)) else {
        return Err(match code {
            b'P' => error(vm, "int too large to convert"),
            _ => {
                let code = char::from(code);
                error(vm, format!("'{code}' format requires {min} <= number <= {max}"))
            }
        });
    };
    out.copy_from_slice(&n.to_le_bytes()[..out.len()]);
    Ok(())
}

/// Reads a value.
pub(super) fn unpack<'v>(vm: &'v Vm, format: &Format, code: u8, bytes: &[u8]) -> NResult<'v> {
    match code {
        b'c' | b's' => return vm.bytes(bytes),
        b'p' => {
            let [len, rest @ ..] = bytes else { return vm.bytes(&[]) };
            return vm.bytes(&rest[..rest.len().min(usize::from(*len))]);
        }
        _ => {}
    }
    let mut raw = [0; 8];
    raw[..bytes.len()].copy_from_slice(bytes);
    if format.big_endian {
        raw[..bytes.len()].reverse();
    }
    let n = u64::from_le_bytes(raw);
    Ok(match code {
        b'?' => Value::bool(n != 0),
        b'e' => Value::float(from_half(n as u16)),
        b'f' => Value::float(f64::from(f32::from_bits(n as u32))),
        b'd' => Value::float(f64::from_bits(n)),
        b'P' => vm.bigint(BigInt::from(n)),
        _ if code.is_ascii_uppercase() => vm.uint(n),
        _ => {
            let unused = 64 - bytes.len() as u32 * 8;
            vm.int((n << unused) as i64 >> unused)
        }
    })
}
