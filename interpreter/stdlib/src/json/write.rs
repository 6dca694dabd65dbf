//! Pieces of JSON text: strings, numbers, constants.

use miniscript_vm::native::Exit;
use miniscript_vm::num::{Int, float, int, int_text};
use miniscript_vm::object::text::Str;
use miniscript_vm::text::wtf8;
use miniscript_vm::{Value, Vm};

use crate::args;

/// What a byte of a string becomes: 0 itself, 1 an escape with its code, else the letter of an
/// escape; 2 begins a longer character, which stays or becomes codes.
const fn table() -> [u8; 256] {
    let mut t = [0; 256];
    let mut b = 0;
    while b < 256 {
        t[b] = match b as u8 {
            b'"' => b'"',
            b'\\' => b'\\',
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            8 => b'b',
            12 => b'f',
            0..0x20 => 1,
            0x7F.. => 2,
            _ => 0,
        };
        b += 1;
    }
    t
}

static TABLE: [u8; 256] = table();

/// Two codes and a quote: the most that one character adds.
const LONGEST: usize = 13;

/// A string in quotes.
pub(super) fn string<'v>(
    vm: &'v Vm,
    out: &mut Vec<u8>,
    text: &[u8],
    ascii: bool,
) -> Result<(), Exit<'v>> {
    vm.grow(out, text.len() + 2)?;
    out.push(b'"');
    let mut from = 0;
    let mut at = 0;
    while at < text.len() {
        let b = text[at];
        let what = TABLE[b as usize];
        if what == 0 || (what == 2 && !ascii) {
            at += 1;
            continue;
        }
        out.extend_from_slice(&text[from..at]);
        if out.capacity() - out.len() < text.len() - at + LONGEST {
            vm.grow(out, text.len() - at + LONGEST)?;
        }
        match what {
            1 => code(out, u32::from(b)),
            2 => {
                let (c, next) = wtf8::decode(text, at).unwrap_or((u32::from(b), at + 1));
                if let Some(high) = c.checked_sub(0x10000) {
                    code(out, 0xD800 + (high >> 10));
                    code(out, 0xDC00 + (high & 0x3FF));
                } else {
                    code(out, c);
                }
                at = next - 1;
            }
            letter => out.extend_from_slice(&[b'\\', letter]),
        }
        at += 1;
        from = at;
    }
    out.extend_from_slice(&text[from..]);
    out.push(b'"');
    Ok(())
}

fn code(out: &mut Vec<u8>, unit: u32) {
    let digit = |shift: u32| b"0123456789abcdef"[(unit >> shift & 15) as usize];
    out.extend_from_slice(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)]);
}

/// A string, number, bool or None; `false` if it is something else.
#[inline]
pub(super) fn scalar<'v>(
    vm: &'v Vm,
    out: &mut Vec<u8>,
    v: Value<'v>,
    ascii: bool,
    allow_nan: bool,
) -> Result<bool, Exit<'v>> {
    if let Some(n) = v.as_small() {
        put_int(out, n);
    } else if let Some(s) = v.get::<Str>() {
        string(vm, out, s.bytes(), ascii)?;
    } else if let Some(x) = args::float_of(vm, v) {
        put_float(vm, out, x, allow_nan)?;
    } else if let Some(b) = v.as_bool() {
        out.extend_from_slice(if b { b"true" } else { b"false" });
    } else if v.is_none() {
        out.extend_from_slice(b"null");
    } else {
        match args::int_of(v) {
            Some(Int::Small(n)) => put_int(out, n),
            Some(Int::Big(n)) => {
                let max = vm.int_max_str_digits.get();
                let text = vm.polled(|poll| int_text::print(&n, max, poll))?;
                out.extend_from_slice(text.as_bytes());
            }
            None => return Ok(false),
        }
    }
    Ok(true)
}

fn put_int(out: &mut Vec<u8>, n: i64) {
    if (0..10).contains(&n) {
        return out.push(b'0' + n as u8);
    }
    let mut text = String::new();
    int::put_i64(&mut text, n);
    out.extend_from_slice(text.as_bytes());
}

fn put_float<'v>(vm: &'v Vm, out: &mut Vec<u8>, x: f64, allow_nan: bool) -> Result<(), Exit<'v>> {
    if x.is_finite() {
        let mut text = String::new();
        float::repr_into(&mut text, x);
        out.extend_from_slice(text.as_bytes());
        return Ok(());
    }
    if !allow_nan {
        let shown = float::repr(x);
        return Err(
            vm.value_error(format!("Out of range float values are not JSON compliant: {shown}"))
        );
    }
    out.extend_from_slice(match x {
        _ if x.is_nan() => b"NaN",
        _ if x > 0.0 => b"Infinity",
        _ => b"-Infinity",
    });
    Ok(())
}
