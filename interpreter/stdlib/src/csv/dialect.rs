//! What separates and quotes the fields, checked once.

use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::text::Str;
use miniscript_vm::text::wtf8;
use miniscript_vm::{Value, Vm};

use crate::ClassDef;

/// When fields are quoted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Quoting {
    Minimal,
    All,
    NonNumeric,
    None,
    Strings,
    NotNull,
}

/// A dialect that was checked.
#[derive(Clone, Debug)]
pub(super) struct Dialect {
    pub(super) delimiter: u32,
    pub(super) double_quote: bool,
    pub(super) escape: Option<u32>,
    pub(super) line_end: Vec<u8>,
    pub(super) quote: Option<u32>,
    pub(super) quoting: Quoting,
    pub(super) skip_space: bool,
    pub(super) strict: bool,
}

impl Payload for Dialect {}

impl Dialect {
    /// Whether a field that holds this character is quoted, or the character escaped.
    pub(super) fn is_special(&self, c: u32) -> bool {
        c == self.delimiter
            || Some(c) == self.escape
            || Some(c) == self.quote
            || c == u32::from(b'\n')
            || c == u32::from(b'\r')
            || wtf8::code_points(&self.line_end).any(|e| e == c)
    }

    /// Whether all special characters are ASCII.
    pub(super) fn is_ascii(&self) -> bool {
        let ascii = |c: Option<u32>| c.is_none_or(|c| c < 128);
        ascii(Some(self.delimiter))
            && ascii(self.escape)
            && ascii(self.quote)
            && self.line_end.is_ascii()
    }
}

/// The class of checked dialects.
pub(super) static CLASS: ClassDef = ClassDef::closed(
    "_csv",
    "Dialect",
    "A dialect that was checked.",
    &[
        NativeDef::getter("delimiter", |vm, a| char_of(vm, Some(of(vm, a[0])?.delimiter)), ""),
        NativeDef::getter("escapechar", |vm, a| char_of(vm, of(vm, a[0])?.escape), ""),
        NativeDef::getter("quotechar", |vm, a| char_of(vm, of(vm, a[0])?.quote), ""),
        NativeDef::getter("lineterminator", |vm, a| vm.str_bytes(&of(vm, a[0])?.line_end), ""),
        NativeDef::getter("quoting", |vm, a| Ok(Value::int32(of(vm, a[0])?.quoting as i32)), ""),
        NativeDef::getter("doublequote", |vm, a| Ok(Value::bool(of(vm, a[0])?.double_quote)), ""),
        NativeDef::getter(
            "skipinitialspace",
            |vm, a| Ok(Value::bool(of(vm, a[0])?.skip_space)),
            "",
        ),
        NativeDef::getter("strict", |vm, a| Ok(Value::bool(of(vm, a[0])?.strict)), ""),
    ],
);

/// The dialect that a value is.
pub(super) fn of<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Dialect, Exit<'v>> {
    let found = v.get::<Opaque>().and_then(|o| o.with(|d: &mut Dialect| d.clone()));
    found.ok_or_else(|| vm.type_error("a dialect is required"))
}

fn char_of<'v>(vm: &'v Vm, c: Option<u32>) -> NResult<'v> {
    match c {
        Some(c) => vm.str_bytes(wtf8::encode(c, &mut [0; 4])),
        None => Ok(Value::NONE),
    }
}

/// An option that is one character, or nothing if `optional`.
fn character<'v>(
    vm: &'v Vm,
    v: Value<'v>,
    name: &str,
    optional: bool,
) -> Result<Option<u32>, Exit<'v>> {
    if v.is_none() && optional {
        return Ok(None);
    }
    let Some(s) = v.get::<Str>() else {
        let (class, or) = (vm.type_name(v), if optional { " or None" } else { "" });
        return Err(vm.type_error(format!("\"{name}\" must be string{or}, not {class}")));
    };
    let mut chars = wtf8::code_points(s.bytes());
    match (chars.next(), chars.next()) {
        (Some(c), None) => Ok(Some(c)),
        _ => Err(vm.type_error(format!("\"{name}\" must be a 1-character string"))),
    }
}

pub(super) const SIGNATURE: &str = "delimiter, doublequote, escapechar, lineterminator, quotechar, quoting, skipinitialspace, \
     strict, /";

/// `_dialect(delimiter, ..)`: checks the options; quoting None stands for none given.
pub(super) fn make<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let delimiter = character(vm, a[0], "delimiter", false)?.unwrap_or(0);
    let double_quote = vm.truth(a[1])?;
    let escape = character(vm, a[2], "escapechar", true)?;
    let quote = character(vm, a[4], "quotechar", true)?;
    let quoting = match a[5] {
        v if v.is_none() && quote.is_none() => Quoting::None,
        v if v.is_none() => Quoting::Minimal,
        v => match v.as_small() {
            Some(0) => Quoting::Minimal,
            Some(1) => Quoting::All,
            Some(2) => Quoting::NonNumeric,
            Some(3) => Quoting::None,
            Some(4) => Quoting::Strings,
            Some(5) => Quoting::NotNull,
            Some(_) => return Err(vm.type_error("bad \"quoting\" value")),
            None => return Err(vm.type_error("\"quoting\" must be an integer")),
        },
    };
    let line_end = match a[3].get::<Str>() {
        Some(s) => s.bytes().to_vec(),
        None if a[3].is_none() => return Err(vm.type_error("lineterminator must be set")),
        None => return Err(vm.type_error("\"lineterminator\" must be a string")),
    };
    if quoting != Quoting::None && quote.is_none() {
        return Err(vm.type_error("quotechar must be set if quoting enabled"));
    }
    let (skip_space, strict) = (vm.truth(a[6])?, vm.truth(a[7])?);
    let made =
        Dialect { delimiter, double_quote, escape, line_end, quote, quoting, skip_space, strict };
    Ok(vm.opaque(CLASS.of(vm)?, Some(Box::new(made))))
}
