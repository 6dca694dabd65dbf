//! Base32 and Base85, for the module `base64`.

use miniscript_vm::native::{NResult, NativeDef};
use miniscript_vm::{Value, Vm};

use crate::args;

pub(crate) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new("_encode32", "data, digits, /", encode32, "Base32 of data."),
    NativeDef::new(
        "_encode85",
        "data, digits, zero, spaces, pad, /",
        encode85,
        "Base85 of data; with z for four zeros, y for four spaces if these are wanted.",
    ),
];

fn encode32<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (data, digits) = (args::buffer(vm, a[0])?, args::buffer(vm, a[1])?);
    let Some(digits) = digits.first_chunk::<32>() else {
        return Err(vm.value_error("digits are missing"));
    };
    let mut out = Vec::new();
    vm.reserve(&mut out, data.len().div_ceil(5).saturating_mul(8))?;
    vm.ticks(data.len() / 8)?;
    for chunk in data.chunks(5) {
        let mut word = [0; 8];
        word[3..3 + chunk.len()].copy_from_slice(chunk);
        let n = u64::from_be_bytes(word);
        let used = (chunk.len() * 8).div_ceil(5);
        out.extend((0..8).map(|k| match k < used {
            true => digits[(n >> (35 - 5 * k)) as usize & 31],
            false => b'=',
        }));
    }
    vm.bytes_owned(out)
}

fn encode85<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (data, digits) = (args::buffer(vm, a[0])?, args::buffer(vm, a[1])?);
    let [zero, spaces, pad] = [a[2], a[3], a[4]].map(|flag| flag.is(Value::TRUE));
    let Some(digits) = digits.first_chunk::<85>() else {
        return Err(vm.value_error("digits are missing"));
    };
    let mut out = Vec::new();
    vm.reserve(&mut out, data.len().div_ceil(4).saturating_mul(5))?;
    vm.ticks(data.len() / 4)?;
    for chunk in data.chunks(4) {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        let n = u32::from_be_bytes(word);
        let whole = chunk.len() == 4 || pad;
        match n {
            0 if zero && whole => out.push(b'z'),
            0x2020_2020 if spaces => out.push(b'y'),
            _ => {
                let all: [u8; 5] =
                    std::array::from_fn(|k| digits[(n / 85_u32.pow(4 - k as u32) % 85) as usize]);
                out.extend_from_slice(if whole { &all } else { &all[..chunk.len() + 1] });
            }
        }
    }
    vm.bytes_owned(out)
}
