//! `str`: case, padding, encoding, translation, and the questions about what it is made of.

use super::{def, me};
use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, NativeDef, Role};
use crate::object::map::Dict;
use crate::object::text::Str;
use crate::table::AllocError;
use crate::text::case::{self, Class};
use crate::text::layout::{self, Justify};
use crate::text::{codec, wtf8};
use crate::value::Value;

macro_rules! changed {
    ($name:literal, $func:path, $doc:literal) => {
        def!($name, "self, /", |vm, args| change(vm, args, $func), $doc)
    };
}

macro_rules! asked {
    ($name:literal, $test:expr, $doc:literal) => {
        def!(
            $name,
            "self, /",
            |vm, args| {
                let test: fn(&[u8]) -> bool = $test;
                Ok(Value::bool(test(me(vm, args[0])?.bytes())))
            },
            $doc
        )
    };
}

/// The rows.
pub(super) const METHODS: &[NativeDef] = &[
    def!(
        "upper",
        "self, /",
        |vm, args| recase(vm, args, <[u8]>::make_ascii_uppercase, case::upper),
        "Return a copy of the string converted to uppercase."
    ),
    def!(
        "lower",
        "self, /",
        |vm, args| recase(vm, args, <[u8]>::make_ascii_lowercase, case::lower),
        "Return a copy of the string converted to lowercase."
    ),
    changed!("casefold", case::casefold, "Return a version suitable for caseless comparisons."),
    changed!("capitalize", case::capitalize, "Return a capitalized version of the string."),
    changed!("title", case::title, "Return a version where each word is titlecased."),
    changed!(
        "swapcase",
        case::swapcase,
        "Convert uppercase to lowercase and lowercase to uppercase."
    ),
    asked!("isupper", case::is_upper, "Return True if the string is an uppercase string."),
    asked!("islower", case::is_lower, "Return True if the string is a lowercase string."),
    asked!("istitle", case::is_title, "Return True if the string is a title-cased string."),
    asked!("isidentifier", case::is_identifier, "Return True if it is a valid identifier."),
    asked!("isalpha", |s| case::all(s, Class::Alpha), "Return True if all are letters."),
    asked!("isalnum", |s| case::all(s, Class::Alnum), "Return True if all are letters or digits."),
    asked!("isdecimal", |s| case::all(s, Class::Decimal), "Return True if all are decimals."),
    asked!("isdigit", |s| case::all(s, Class::Digit), "Return True if all are digits."),
    asked!("isnumeric", |s| case::all(s, Class::Numeric), "Return True if all are numeric."),
    asked!("isspace", |s| case::all(s, Class::Space), "Return True if all are whitespace."),
    asked!("isprintable", |s| case::all(s, Class::Printable), "Return True if all are printable."),
    def!(
        "isascii",
        "self, /",
        |vm, args| Ok(Value::bool(me(vm, args[0])?.is_ascii())),
        "Return True if all characters in the string are ASCII, False otherwise."
    ),
    def!(
        "center",
        "self, width, fillchar=' ', /",
        |vm, args| justify(vm, args, Justify::Center),
        "Return a centered string of length width."
    ),
    def!(
        "ljust",
        "self, width, fillchar=' ', /",
        |vm, args| justify(vm, args, Justify::Left),
        "Return a left-justified string of length width."
    ),
    def!(
        "rjust",
        "self, width, fillchar=' ', /",
        |vm, args| justify(vm, args, Justify::Right),
        "Return a right-justified string of length width."
    ),
    def!("zfill", "self, width, /", zfill, "Pad a numeric string with zeros on the left."),
    def!(
        "expandtabs",
        "self, /, tabsize=8",
        expandtabs,
        "Return a copy where all tab characters are expanded using spaces."
    ),
    def!(
        "encode",
        "self, /, encoding='utf-8', errors='strict'",
        encode,
        "Encode the string using the codec registered for encoding."
    ),
    def!(
        "translate",
        "self, table, /",
        translate,
        "Replace each character in the string using the given translation table."
    ),
    def!(
        "maketrans",
        "x, y=None, z=None, /",
        maketrans,
        "Return a translation table usable for str.translate()."
    )
    .role(Role::Static),
];

/// Short ASCII text is changed in place on its way into the string.
fn recase<'v>(
    vm: &'v Vm,
    args: &[Value<'v>],
    ascii: fn(&mut [u8]),
    f: fn(&[u8]) -> Result<Vec<u8>, AllocError>,
) -> NResult<'v> {
    let s = me(vm, args[0])?;
    let mut near = [0; 64];
    match near.get_mut(..s.bytes().len()) {
        Some(text) if s.is_ascii() => {
            text.copy_from_slice(s.bytes());
            ascii(text);
            vm.str_part(s, text)
        }
        _ => change(vm, args, f),
    }
}

fn change<'v>(
    vm: &'v Vm,
    args: &[Value<'v>],
    f: fn(&[u8]) -> Result<Vec<u8>, AllocError>,
) -> NResult<'v> {
    let s = me(vm, args[0])?;
    vm.check(s.bytes().len())?;
    vm.str_owned(f(s.bytes()).map_err(|_| vm.memory_error())?)
}

fn justify<'v>(vm: &'v Vm, args: &[Value<'v>], how: Justify) -> NResult<'v> {
    let s = me(vm, args[0])?;
    let width = vm.size_arg(args[1], 0)?;
    let fill = match (args[2].is_empty(), args[2].get::<Str>()) {
        (true, _) => b' ' as u32,
        (_, Some(f)) if f.char_len() == 1 => f.text().get(0).unwrap_or(32),
        (_, Some(_)) => {
            return Err(vm.type_error("The fill character must be exactly one character long"));
        }
        (_, None) => {
            return Err(vm.type_error(format!(
                "The fill character must be a unicode character, not {}",
                vm.type_name(args[2])
            )));
        }
    };
    vm.check(usize::try_from(width).unwrap_or(0))?;
    match vm.polled(|poll| layout::justify(s.text(), width, fill, how, poll))? {
        Some(out) => vm.str_owned(out),
        None => vm.plain_str(args[0]),
    }
}

fn zfill<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let s = me(vm, args[0])?;
    let width = vm.size_arg(args[1], 0)?;
    vm.check(usize::try_from(width).unwrap_or(0))?;
    match vm.polled(|poll| layout::zfill(s.text(), width, poll))? {
        Some(out) => vm.str_owned(out),
        None => vm.plain_str(args[0]),
    }
}

/// The size of tabs: a C int.
pub(crate) fn tab_size<'v>(vm: &'v Vm, v: Value<'v>) -> Result<i64, Exit<'v>> {
    let big = !v.is_empty() && vm.as_index_i64(v).is_some_and(|n| n.is_err());
    let size = if big { i64::MAX } else { vm.size_arg(v, 8)? };
    if i32::try_from(size).is_err() {
        return Err(vm.overflow_error("Python int too large to convert to C int"));
    }
    Ok(size)
}

fn expandtabs<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let s = me(vm, args[0])?;
    let size = tab_size(vm, args[1])?;
    let tabs = memchr::memchr_iter(b'\t', s.bytes()).count();
    vm.check(tabs.saturating_mul(size.max(0) as usize).saturating_add(s.bytes().len()))?;
    vm.str_owned(vm.polled(|poll| layout::expand_tabs(s.bytes(), size, true, poll))?)
}

fn encode<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let encoding = vm.text_arg(args[1], "encode() argument 'encoding'", "utf-8")?;
    let errors = vm.text_arg(args[2], "encode() argument 'errors'", "strict")?;
    vm.encode(args[0], &encoding, &errors)
}

impl Vm {
    /// `text.encode(encoding, errors)`.
    pub(crate) fn encode<'v>(
        &'v self,
        text: Value<'v>,
        encoding: &str,
        errors: &str,
    ) -> NResult<'v> {
        let s = me(self, text)?;
        let encoding = self.encoding(encoding)?;
        self.check(s.bytes().len())?;
        self.with_handler(errors, |handler| match codec::encode(s.bytes(), encoding, handler) {
            Ok(out) => self.bytes_owned(out.into_owned()),
            Err(e) => Err(self.encode_error(self.plain_str(text)?, e)),
        })
    }
}

/// What a table says a code point becomes.
enum Mapped<'v> {
    Same,
    Gone,
    Code(u32),
    Text(&'v Str),
}

fn mapped<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Mapped<'v>, Exit<'v>> {
    if v.is_none() {
        return Ok(Mapped::Gone);
    }
    if let Some(s) = v.get::<Str>() {
        return Ok(Mapped::Text(s));
    }
    let out_of_range = || vm.value_error("character mapping must be in range(0x110000)");
    match vm.as_index_i64(v) {
        Some(Ok(n)) => match u32::try_from(n) {
            Ok(n) if n <= wtf8::MAX => Ok(Mapped::Code(n)),
            _ => Err(out_of_range()),
        },
        Some(Err(())) => Err(out_of_range()),
        None => Err(vm.type_error("character mapping must return integer, None or str")),
    }
}

fn translate<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let s = me(vm, args[0])?;
    let table = args[1];
    if vm.exact_type(table) != Some(Type::Dict) {
        if vm.class_lookup(vm.class_of(table), vm.names.__getitem__).is_none() {
            return Err(
                vm.type_error(format!("'{}' object is not subscriptable", vm.type_name(table)))
            );
        }
        return Err(vm.prelude_tail("text", "translate", &[vm.plain_str(args[0])?, table]));
    }
    let Some(dict) = table.get::<Dict>() else { return Ok(args[0]) };
    let find = |cp: u32| -> Result<Mapped<'v>, Exit<'v>> {
        let key = Value::int32(cp as i32);
        // Entries are equal to an int only if they are numbers; ints are by far the most common.
        let at = dict.table().find_identical(crate::hash::int(i64::from(cp)), key.word());
        match at.and_then(|i| dict.entry(i)) {
            Some((_, v)) => mapped(vm, v),
            None => Ok(Mapped::Same),
        }
    };
    let mut ascii: [Option<Mapped<'v>>; 128] = [const { None }; 128];
    let mut out = Vec::new();
    let mut checked = 1 << 16;
    for cp in wtf8::code_points(s.bytes()) {
        let fresh;
        let m = if cp < 128 {
            let slot = &mut ascii[cp as usize];
            if slot.is_none() {
                *slot = Some(find(cp)?);
            }
            slot.as_ref().unwrap_or(&Mapped::Same)
        } else {
            fresh = find(cp)?;
            &fresh
        };
        match m {
            Mapped::Same => wtf8::push(&mut out, cp),
            Mapped::Gone => {}
            Mapped::Code(c) => wtf8::push(&mut out, *c),
            Mapped::Text(t) => out.extend_from_slice(t.bytes()),
        }
        if out.len() > checked {
            vm.check(out.len())?;
            checked = out.len() * 2;
        }
    }
    vm.str_owned(out)
}

fn maketrans<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (x, y, z) = (args[0], args[1], args[2]);
    let table = Value::object(vm.dict());
    let set = |k: Value<'v>, v: Value<'v>| vm.setitem(table, k, v);
    if y.is_empty() {
        if !z.is_empty() || vm.exact_type(x) != Some(Type::Dict) {
            return Err(
                vm.type_error("if you give only one argument to maketrans it must be a dict")
            );
        }
        for (k, v) in x.get::<Dict>().map_or_else(Vec::new, Dict::entries) {
            match k.get::<Str>() {
                Some(s) if s.char_len() == 1 => {
                    set(Value::int32(s.text().get(0).unwrap_or(0) as i32), v)?;
                }
                Some(_) => {
                    return Err(
                        vm.value_error("string keys in translate table must be of length 1")
                    );
                }
                None if vm.as_index_i64(k).is_some() => set(k, v)?,
                None => {
                    return Err(
                        vm.type_error("keys in translate table must be strings or integers")
                    );
                }
            }
        }
        return Ok(table);
    }
    let Some(from) = x.get::<Str>() else {
        return Err(vm.type_error(
            "first maketrans argument must be a string if there is a second argument",
        ));
    };
    let to = match y.get::<Str>() {
        Some(to) => to,
        None => {
            return Err(vm.type_error(format!(
                "maketrans() argument 2 must be str, not {}",
                vm.type_name_or_none(y)
            )));
        }
    };
    if from.char_len() != to.char_len() {
        return Err(vm.value_error("the first two maketrans arguments must have equal length"));
    }
    for (a, b) in wtf8::code_points(from.bytes()).zip(wtf8::code_points(to.bytes())) {
        set(Value::int32(a as i32), Value::int32(b as i32))?;
    }
    if !z.is_empty() {
        let Some(gone) = z.get::<Str>() else {
            return Err(vm.type_error(format!(
                "maketrans() argument 3 must be str, not {}",
                vm.type_name_or_none(z)
            )));
        };
        for cp in wtf8::code_points(gone.bytes()) {
            set(Value::int32(cp as i32), Value::NONE)?;
        }
    }
    Ok(table)
}

/// What only the prelude calls: what a table entry turns a character into.
pub(super) const INTERNAL: &[NativeDef] = &[NativeDef::new(
    "translated",
    "entry, /",
    |vm, args| match mapped(vm, args[0])? {
        Mapped::Text(_) => Ok(args[0]),
        Mapped::Code(c) => vm.code_point(c),
        Mapped::Gone | Mapped::Same => vm.str(""),
    },
    "",
)];
