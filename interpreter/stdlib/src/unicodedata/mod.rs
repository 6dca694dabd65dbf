//! `unicodedata`: properties of characters from tables of Unicode 15.0, names and normal forms
//! from crates.

mod tables;

use miniscript_syntax::{character_name, character_named};
use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::text::Str;
use miniscript_vm::text::wtf8;
use miniscript_vm::{Value, Vm};
use unicode_normalization::UnicodeNormalization;

use crate::args;
use tables::{BIDIRECTIONAL, CATEGORIES, KINDS, NUMBERS, RUNS, WIDTHS};

/// The functions.
pub(crate) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "category",
        "chr, /",
        |vm, a| Ok(vm.intern(CATEGORIES[usize::from(kind(vm, "category", a[0])?.0)])),
        "Returns the general category assigned to the character chr as string.",
    ),
    NativeDef::new(
        "bidirectional",
        "chr, /",
        |vm, a| Ok(vm.intern(BIDIRECTIONAL[usize::from(kind(vm, "bidirectional", a[0])?.1)])),
        "Returns the bidirectional class assigned to the character chr as string.",
    ),
    NativeDef::new(
        "east_asian_width",
        "chr, /",
        |vm, a| Ok(vm.intern(WIDTHS[usize::from(kind(vm, "east_asian_width", a[0])?.2)])),
        "Returns the east asian width assigned to the character chr as string.",
    ),
    NativeDef::new(
        "mirrored",
        "chr, /",
        |vm, a| Ok(Value::int32(i32::from(kind(vm, "mirrored", a[0])?.3))),
        "Returns the mirrored property assigned to the character chr as integer.",
    ),
    NativeDef::new(
        "combining",
        "chr, /",
        |vm, a| Ok(Value::int32(i32::from(kind(vm, "combining", a[0])?.4))),
        "Returns the canonical combining class assigned to the character chr as integer.",
    ),
    NativeDef::new(
        "decimal",
        "chr, default=None, /",
        |vm, a| number(vm, a, "decimal", 2, "not a decimal"),
        "Converts a Unicode character into its equivalent decimal value.",
    ),
    NativeDef::new(
        "digit",
        "chr, default=None, /",
        |vm, a| number(vm, a, "digit", 1, "not a digit"),
        "Converts a Unicode character into its equivalent digit value.",
    ),
    NativeDef::new(
        "numeric",
        "chr, default=None, /",
        |vm, a| number(vm, a, "numeric", 0, "not a numeric character"),
        "Converts a Unicode character into its equivalent numeric value.",
    ),
    NativeDef::new(
        "name",
        "chr, default=None, /",
        name,
        "Returns the name assigned to the character chr as a string.",
    ),
    NativeDef::new("lookup", "name, /", lookup, "Look up character by name."),
    NativeDef::new(
        "normalize",
        "form, unistr, /",
        |vm, a| {
            let (form, text) = form(vm, a, "normalize")?;
            if text.is_ascii() && text.is_exact() {
                return Ok(a[1]);
            }
            vm.str_owned(normal_form(vm, form, text)?)
        },
        "Return the normal form 'form' for the Unicode string unistr.",
    ),
    NativeDef::new(
        "is_normalized",
        "form, unistr, /",
        |vm, a| {
            let (form, text) = form(vm, a, "is_normalized")?;
            Ok(Value::bool(text.is_ascii() || normal_form(vm, form, text)? == text.bytes()))
        },
        "Return whether the Unicode string unistr is in the normal form 'form'.",
    ),
];

/// `unidata_version`.
pub(crate) fn fill<'v>(vm: &'v Vm, d: &'v Dict) -> Result<(), Exit<'v>> {
    vm.dict_set_name(d, vm.intern("unidata_version"), vm.str("15.0.0")?)
}

/// The code point of a str of one character; `f` and `place` say whose argument it is.
fn character<'v>(vm: &'v Vm, f: &str, place: &str, v: Value<'v>) -> Result<u32, Exit<'v>> {
    let mut chars = v.get::<Str>().map(|s| wtf8::code_points(s.bytes()));
    match chars.as_mut().map(|c| (c.next(), c.next())) {
        Some((Some(c), None)) => Ok(c),
        _ => Err(vm.type_error(format!(
            "{f}() argument{place} must be a unicode character, not {}",
            args::class_name(vm, v)
        ))),
    }
}

/// Category, bidirectional class, width, mirrored and combining class, as numbers.
fn kind<'v>(vm: &'v Vm, f: &str, v: Value<'v>) -> Result<(u8, u8, u8, u8, u8), Exit<'v>> {
    Ok(kind_of(character(vm, f, "", v)?))
}

fn kind_of(c: u32) -> (u8, u8, u8, u8, u8) {
    let at = RUNS.partition_point(|run| run >> 11 <= c);
    KINDS[(RUNS[at.saturating_sub(1)] & 0x7FF) as usize]
}

/// The number that a character stands for, if it is of a kind from `least` on.
fn number<'v>(vm: &'v Vm, a: &[Value<'v>], f: &str, least: u8, wrong: &str) -> NResult<'v> {
    let c = character(vm, f, " 1", a[0])?;
    let at = NUMBERS.partition_point(|n| n.0 <= c);
    let found = at.checked_sub(1).map(|at| NUMBERS[at]);
    match found.filter(|n| c - n.0 < n.1 && n.4 >= least) {
        Some((first, _, value, divisor, _)) => {
            let value = value + i64::from(c - first);
            Ok(match least {
                0 => Value::float(value as f64 / divisor as f64),
                _ => vm.int(value),
            })
        }
        None if a[1].is_empty() => Err(vm.value_error(wrong)),
        None => Ok(a[1]),
    }
}

fn name<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let c = character(vm, "name", " 1", a[0])?;
    // The table of names is of a later Unicode.
    let assigned = CATEGORIES[usize::from(kind_of(c).0)] != "Cn";
    let found = char::from_u32(c).filter(|_| assigned).and_then(character_name);
    match found {
        Some(name) => vm.str(&name),
        None if a[1].is_empty() => Err(vm.value_error("no such name")),
        None => Ok(a[1]),
    }
}

fn lookup<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let name = match (a[0].get::<Str>(), args::buffer(vm, a[0])) {
        (Some(s), _) => s.to_display().into_owned(),
        (None, Ok(bytes)) => String::from_utf8_lossy(&bytes).into_owned(),
        (None, Err(e)) => return Err(e),
    };
    let assigned = |c: &char| CATEGORIES[usize::from(kind_of(u32::from(*c)).0)] != "Cn";
    match character_named(&name).filter(assigned) {
        Some(c) => vm.str(c.encode_utf8(&mut [0; 4])),
        None => {
            let text = vm.str(&format!("undefined character name '{name}'"))?;
            Err(vm.err_args(Type::KeyError, &[text]))
        }
    }
}

/// A normal form.
#[derive(Clone, Copy)]
enum Form {
    Nfc,
    Nfd,
    Nfkc,
    Nfkd,
}

fn form<'v>(vm: &'v Vm, a: &[Value<'v>], f: &str) -> Result<(Form, &'v Str), Exit<'v>> {
    let name = args::text(vm, a[0], &format!("{f}() argument 1"))?;
    let text = args::text(vm, a[1], &format!("{f}() argument 2"))?;
    let form = match name.bytes() {
        b"NFC" => Form::Nfc,
        b"NFD" => Form::Nfd,
        b"NFKC" => Form::Nfkc,
        b"NFKD" => Form::Nfkd,
        _ => return Err(vm.value_error("invalid normalization form")),
    };
    Ok((form, text))
}

/// The normal form of a text; lone surrogates stay, and nothing is composed across them.
fn normal_form<'v>(vm: &'v Vm, form: Form, text: &Str) -> Result<Vec<u8>, Exit<'v>> {
    let mut out = Vec::new();
    let mut rest = text.bytes();
    vm.ticks(rest.len() / 8)?;
    while !rest.is_empty() {
        let valid = match std::str::from_utf8(rest) {
            Ok(s) => s,
            Err(e) => std::str::from_utf8(&rest[..e.valid_up_to()]).unwrap_or_default(),
        };
        let piece: String = match form {
            Form::Nfc => valid.nfc().collect(),
            Form::Nfd => valid.nfd().collect(),
            Form::Nfkc => valid.nfkc().collect(),
            Form::Nfkd => valid.nfkd().collect(),
        };
        vm.check(out.len() + piece.len())?;
        out.extend_from_slice(piece.as_bytes());
        rest = &rest[valid.len()..];
        let surrogate = rest.len().min(3);
        out.extend_from_slice(&rest[..surrogate]);
        rest = &rest[surrogate..];
    }
    Ok(out)
}
