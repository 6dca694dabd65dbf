//! `bytes` and `bytearray`: case, padding, decoding, hex, translation.

use super::{data, make, slice_of};
use crate::Vm;
use crate::builtins::Type;
use crate::builtins::str::def;
use crate::native::{Exit, NResult, NativeDef, Role};
use crate::object::class::Class;
use crate::object::text::Str;
use crate::table::AllocError;
use crate::text::case::ascii;
use crate::text::layout::{self, Justify};
use crate::text::wtf8::Text;
use crate::value::Value;

/// Bytes that are filled in between polls.
const FILLED: usize = 1 << 20;

macro_rules! changed {
    ($name:literal, $func:path) => {
        def!($name, "self, /", |vm, args| change(vm, args, $func), "Return a changed copy.")
    };
}

macro_rules! asked {
    ($name:literal, $test:expr) => {
        def!(
            $name,
            "self, /",
            |vm, args| Ok(Value::bool(($test)(&data(vm, args[0])?))),
            "Return what all bytes in B have in common."
        )
    };
}

/// The rows.
pub(super) const METHODS: &[NativeDef] = &[
    changed!("upper", ascii::upper),
    changed!("lower", ascii::lower),
    changed!("capitalize", ascii::capitalize),
    changed!("title", ascii::title),
    changed!("swapcase", ascii::swapcase),
    asked!("isupper", ascii::is_upper),
    asked!("islower", ascii::is_lower),
    asked!("istitle", ascii::is_title),
    asked!("isalpha", ascii::is_alpha),
    asked!("isalnum", ascii::is_alnum),
    asked!("isdigit", ascii::is_digit),
    asked!("isspace", ascii::is_space),
    asked!("isascii", |b: &[u8]| b.is_ascii()),
    def!(
        "center",
        "self, width, fillchar=b' ', /",
        |vm, args| justify(vm, args, Justify::Center, "center"),
        "Return a centered string of length width."
    ),
    def!(
        "ljust",
        "self, width, fillchar=b' ', /",
        |vm, args| justify(vm, args, Justify::Left, "ljust"),
        "Return a left-justified string of length width."
    ),
    def!(
        "rjust",
        "self, width, fillchar=b' ', /",
        |vm, args| justify(vm, args, Justify::Right, "rjust"),
        "Return a right-justified string of length width."
    ),
    def!("zfill", "self, width, /", zfill, "Pad a numeric string with zeros on the left."),
    def!("expandtabs", "self, /, tabsize=8", expandtabs, "Return a copy with tabs expanded."),
    def!(
        "decode",
        "self, /, encoding='utf-8', errors='strict'",
        decode,
        "Decode the bytes using the codec registered for encoding."
    ),
    def!(
        "hex",
        "self, /, sep=None, bytes_per_sep=1",
        hex,
        "Create a string of hexadecimal numbers from a bytes object."
    ),
    def!(
        "fromhex",
        "cls, string, /",
        fromhex,
        "Create a bytes object from a string of hexadecimal numbers."
    )
    .role(Role::Class),
    def!(
        "translate",
        "self, table, /, delete=b''",
        translate,
        "Return a copy with each character mapped by the given translation table."
    ),
    def!("maketrans", "frm, to, /", maketrans, "Return a translation table.").role(Role::Static),
];

fn change<'v>(
    vm: &'v Vm,
    args: &[Value<'v>],
    f: fn(&[u8]) -> Result<Vec<u8>, AllocError>,
) -> NResult<'v> {
    let out = f(&data(vm, args[0])?).map_err(|_| vm.memory_error())?;
    make(vm, args[0], out)
}

fn text(bytes: &[u8]) -> Text<'_> {
    Text { bytes, len: bytes.len(), index: None }
}

fn justify<'v>(vm: &'v Vm, args: &[Value<'v>], how: Justify, name: &str) -> NResult<'v> {
    let width = usize::try_from(vm.size_arg(args[1], 0)?).unwrap_or(0);
    let fill = if args[2].is_empty() {
        b' '
    } else {
        match vm.buffer(args[2]).as_deref() {
            Some([one]) => *one,
            _ => {
                return Err(vm.type_error(format!(
                    "{name}() argument 2 must be a byte string of length 1, not {}",
                    vm.type_name_or_none(args[2])
                )));
            }
        }
    };
    let hay = data(vm, args[0])?;
    let pad = width.saturating_sub(hay.len());
    if pad == 0 {
        return slice_of(vm, args[0], &hay);
    }
    vm.check(width)?;
    let left = match how {
        Justify::Left => 0,
        Justify::Right => pad,
        Justify::Center => pad / 2 + (pad & width & 1),
    };
    let mut out = Vec::new();
    out.try_reserve_exact(width).map_err(|_| vm.memory_error())?;
    for end in [left, width] {
        while out.len() < end {
            vm.ticks(FILLED / 256)?;
            out.resize(end.min(out.len() + FILLED), fill);
        }
        if end == left {
            out.extend_from_slice(&hay);
        }
    }
    make(vm, args[0], out)
}

fn zfill<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let width = vm.size_arg(args[1], 0)?;
    let hay = data(vm, args[0])?;
    vm.check(usize::try_from(width).unwrap_or(0))?;
    match vm.polled(|poll| layout::zfill(text(&hay), width, poll))? {
        Some(out) => make(vm, args[0], out),
        None => slice_of(vm, args[0], &hay),
    }
}

fn expandtabs<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let size = crate::builtins::str::tab_size(vm, args[1])?;
    let hay = data(vm, args[0])?;
    let tabs = memchr::memchr_iter(b'\t', &hay).count();
    vm.check(tabs.saturating_mul(size.max(0) as usize).saturating_add(hay.len()))?;
    let out = vm.polled(|poll| layout::expand_tabs(&hay, size, false, poll))?;
    make(vm, args[0], out)
}

fn decode<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let encoding = vm.text_arg(args[1], "decode() argument 'encoding'", "utf-8")?;
    let errors = vm.text_arg(args[2], "decode() argument 'errors'", "strict")?;
    let bytes = data(vm, args[0])?;
    if bytes.is_empty() {
        // No encoding is asked for.
        return vm.str("");
    }
    vm.decode(args[0], &bytes, &encoding, &errors)
}

fn hex<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let bytes = data(vm, args[0])?;
    hex_text(vm, &bytes, args[1], args[2])
}

/// `bytes.hex(sep, bytes_per_sep)`.
pub(crate) fn hex_text<'v>(
    vm: &'v Vm,
    bytes: &[u8],
    sep: Value<'v>,
    group: Value<'v>,
) -> NResult<'v> {
    let sep = if sep.is_empty() {
        None
    } else {
        let text = match sep.get::<Str>() {
            Some(s) => s.bytes().to_vec(),
            None => match vm.buffer_copy(sep)? {
                Some(b) => b,
                None => return Err(vm.type_error("sep must be str or bytes.")),
            },
        };
        match text[..] {
            [one] if one < 0x80 => Some(one),
            [_] => return Err(vm.value_error("sep must be ASCII.")),
            _ if sep.get::<Str>().is_some_and(|s| s.char_len() == 1) => {
                return Err(vm.value_error("sep must be ASCII."));
            }
            _ => return Err(vm.value_error("sep must be length 1.")),
        }
    };
    let big = !group.is_empty() && vm.as_index_i64(group).is_some_and(|n| n.is_err());
    let group = if big { i64::MAX } else { vm.size_arg(group, 1)? };
    if i32::try_from(group).is_err() {
        return Err(vm.overflow_error("Python int too large to convert to C int"));
    }
    let size = usize::try_from(group.unsigned_abs()).unwrap_or(usize::MAX);
    vm.check(bytes.len().saturating_mul(3))?;
    let mut out = Vec::new();
    out.try_reserve(bytes.len().saturating_mul(2)).map_err(|_| vm.memory_error())?;
    for (i, b) in bytes.iter().enumerate() {
        // Groups are counted from the right unless the number is negative.
        let at = if group > 0 { bytes.len() - i } else { i };
        if let Some(sep) = sep.filter(|_| size > 0 && i > 0 && at % size == 0) {
            out.push(sep);
        }
        let digit = |n: u8| b"0123456789abcdef"[n as usize];
        out.extend([digit(b >> 4), digit(b & 15)]);
    }
    vm.str_owned(out)
}

fn fromhex<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(s) = args[1].get::<Str>() else {
        return Err(vm.type_error(format!(
            "fromhex() argument must be str, not {}",
            vm.type_name_or_none(args[1])
        )));
    };
    let text = s.bytes();
    let mut out = Vec::with_capacity(text.len() / 2);
    let mut at = 0;
    let digit = |i: usize| text.get(i).and_then(|b| (*b as char).to_digit(16));
    while at < text.len() {
        if crate::text::split::is_byte_space(text[at]) {
            at += 1;
            continue;
        }
        match (digit(at), digit(at + 1)) {
            (Some(a), Some(b)) => out.push((a * 16 + b) as u8),
            (a, _) => {
                let index = crate::text::wtf8::len(&text[..at]) + usize::from(a.is_some());
                return Err(vm.value_error(format!(
                    "non-hexadecimal number found in fromhex() arg at position {index}"
                )));
            }
        }
        at += 2;
    }
    let cls = args[0];
    let array = cls.get::<Class>().is_some_and(|c| c.is_subclass(vm.class(Type::ByteArray)));
    let made = match array {
        true => vm.bytearray(Type::ByteArray.shape(), out)?,
        false => vm.bytes_owned(out)?,
    };
    if cls.is(vm.class_value(Type::Bytes)) || cls.is(vm.class_value(Type::ByteArray)) {
        return Ok(made);
    }
    Err(Exit::tail(cls, vec![made]))
}

fn translate<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let table: Option<[u8; 256]> = match args[1].is_none() {
        true => None,
        false => match <[u8; 256]>::try_from(&data(vm, args[1])?[..]) {
            Ok(t) => Some(t),
            Err(_) => {
                return Err(vm.value_error("translation table must be 256 characters long"));
            }
        },
    };
    let delete = match args[2].is_empty() {
        true => Vec::new(),
        false => data(vm, args[2])?.to_vec(),
    };
    let out = layout::translate(&data(vm, args[0])?, table.as_ref(), &delete);
    make(vm, args[0], out.map_err(|_| vm.memory_error())?)
}

fn maketrans<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (from, to) = (data(vm, args[0])?, data(vm, args[1])?);
    if from.len() != to.len() {
        return Err(vm.value_error("maketrans arguments must have same length"));
    }
    let mut table: Vec<u8> = (0..=255).collect();
    for (a, b) in from.iter().zip(to.iter()) {
        table[*a as usize] = *b;
    }
    vm.bytes_owned(table)
}
