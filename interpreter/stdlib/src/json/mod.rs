//! Natives of `json`: the decoder and the encoder. What users see (classes, `dumps` and its
//! options) is in `lib/json`.

mod decode;
mod encode;
mod scan;
mod write;

use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::{Value, Vm};

use crate::args;

/// Those of `json.decoder`.
pub(crate) static DECODER: &[NativeDef] = &[
    NativeDef::new("_decode", decode::SIGNATURE, decode::decode, "Decode a document."),
    NativeDef::new(
        "_scan",
        "string, end, strict=True, /",
        scanstring,
        "Read the string whose text begins at end: text and end, or message and place.",
    ),
];

/// Those of `json.encoder`.
pub(crate) static ENCODER: &[NativeDef] = &[
    NativeDef::new("_encode", encode::SIGNATURE, encode::encode, "Encode a value."),
    NativeDef::new(
        "encode_basestring",
        "string, /",
        |vm, a| quoted(vm, a[0], false),
        "Return a JSON representation of a string.",
    ),
    NativeDef::new(
        "encode_basestring_ascii",
        "string, /",
        |vm, a| quoted(vm, a[0], true),
        "Return an ASCII-only JSON representation of a string.",
    ),
    NativeDef::new(
        "_number",
        "value, allow_nan, /",
        |vm, a| {
            let allow_nan = vm.truth(a[1])?;
            let mut out = Vec::new();
            match write::scalar(vm, &mut out, a[0], false, allow_nan)? {
                true => vm.str_owned(out),
                false => Ok(Value::NONE),
            }
        },
        "The JSON of a number or constant; None for anything else.",
    ),
];

fn quoted<'v>(vm: &'v Vm, v: Value<'v>, ascii: bool) -> NResult<'v> {
    let Some(s) = v.get::<miniscript_vm::object::text::Str>() else {
        let class = args::class_name(vm, v);
        return Err(vm.type_error(format!("first argument must be a string, not {class}")));
    };
    let mut out = Vec::new();
    write::string(vm, &mut out, s.bytes(), ascii)?;
    vm.str_owned(out)
}

fn scanstring<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let s = args::text(vm, a[0], "first argument")?;
    let end = args::size(vm, a[1], 0)?;
    let strict = args::flag(vm, a[2], true)?;
    let Some(start) = usize::try_from(end).ok().filter(|e| *e <= s.char_len()) else {
        return Err(vm.value_error("end is out of bounds"));
    };
    let text = miniscript_vm::text::wtf8::Text::new(s.bytes());
    let chars = |at: usize| Value::len(text.index_of(at));
    match scan::string(s.bytes(), text.offset(start), strict) {
        Ok((text, end)) => vm.tuple(&[scan::make(vm, text)?, chars(end)]),
        Err(bad) => bad_place(vm, bad.msg, chars(bad.at)),
    }
}

fn bad_place<'v>(vm: &'v Vm, msg: &str, at: Value<'v>) -> Result<Value<'v>, Exit<'v>> {
    vm.tuple(&[Value::NONE, at, vm.str(msg)?])
}
