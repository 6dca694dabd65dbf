//! Natives of `pickle`: plain data (exact builtin classes, protocols from 2 on) is written and
//! read here at once. Everything else is for `lib/pickle.ms`, which begins anew and makes the
//! same bytes.

mod read;
mod write;

use miniscript_vm::Value;
use miniscript_vm::native::NativeDef;

use crate::args;

/// The functions for the source.
pub(crate) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "_dump_plain",
        "obj, protocol, /",
        |vm, a| {
            let protocol = args::size(vm, a[1], 4)?;
            match write::pickle(vm, a[0], protocol as u8)? {
                Some(bytes) => vm.bytes_owned(bytes),
                None => Ok(Value::NONE),
            }
        },
        "The pickle of plain data; None for other objects.",
    ),
    NativeDef::new(
        "_load_plain",
        "data, /",
        |vm, a| {
            let data = args::buffer(vm, a[0])?;
            match read::unpickle(vm, &data)? {
                Some(value) => vm.tuple(&[value]),
                None => Ok(Value::NONE),
            }
        },
        "A tuple of the object of a pickle of plain data; None for other pickles.",
    ),
];
