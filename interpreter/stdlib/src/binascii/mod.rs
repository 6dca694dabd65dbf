//! `binascii`: bytes as text and back, and checksums.

mod base64;
pub(crate) mod coders;
mod quoted;
mod uu;

use miniscript_vm::builtins::Type;
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::text::Str;
use miniscript_vm::object::view::data_of;
use miniscript_vm::text::wtf8;
use miniscript_vm::{Value, Vm};

use crate::{ClassDef, args};

/// The functions.
pub(crate) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new("hexlify", HEX_SIGNATURE, hexlify, HEX_DOC),
    NativeDef::new("b2a_hex", HEX_SIGNATURE, hexlify, HEX_DOC),
    NativeDef::new("unhexlify", "hexstr, /", unhexlify, UNHEX_DOC),
    NativeDef::new("a2b_hex", "hexstr, /", unhexlify, UNHEX_DOC),
    NativeDef::new(
        "b2a_base64",
        "data, /, *, newline=True",
        b2a_base64,
        "Base64-code line of data.",
    ),
    NativeDef::new(
        "a2b_base64",
        "data, /, *, strict_mode=False",
        a2b_base64,
        "Decode a line of base64 data.",
    ),
    NativeDef::new("b2a_uu", "data, /, *, backtick=False", b2a_uu, "Uuencode line of data."),
    NativeDef::new("a2b_uu", "data, /", a2b_uu, "Decode a line of uuencoded data."),
    NativeDef::new(
        "b2a_qp",
        "data, quotetabs=False, istext=True, header=False",
        b2a_qp,
        "Encode a string using quoted-printable encoding.",
    ),
    NativeDef::new("a2b_qp", "data, header=False", a2b_qp, "Decode a string of qp-encoded data."),
    NativeDef::new("crc32", "data, crc=0, /", crc32, "Compute CRC-32 checksum of data."),
    NativeDef::new("crc_hqx", "data, crc, /", crc_hqx, "Compute CRC-CCITT value of data."),
];

const HEX_SIGNATURE: &str = "data, sep=None, bytes_per_sep=1";
const HEX_DOC: &str = "Hexadecimal representation of binary data.";
const UNHEX_DOC: &str = "Binary data of hexadecimal representation.";

static ERROR: ClassDef = ClassDef {
    name: "Error",
    module: "binascii",
    doc: "What is wrong with coded data.",
    base: Type::ValueError,
    layout: Kind::Exception,
    second_base: None,
    open: true,
    has_dict: false,
    methods: &[],
};

static INCOMPLETE: ClassDef = ClassDef {
    name: "Incomplete",
    module: "binascii",
    doc: "Coded data that ends too early.",
    base: Type::Exception,
    layout: Kind::Exception,
    second_base: None,
    open: true,
    has_dict: false,
    methods: &[],
};

/// The classes.
pub(crate) static CLASSES: &[&ClassDef] = &[&ERROR, &INCOMPLETE];

/// Raises `binascii.Error`.
#[cold]
fn error<'v>(vm: &'v Vm, msg: impl AsRef<str>) -> Exit<'v> {
    ERROR.raise(vm, msg.as_ref())
}

fn hexlify<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::buffer(vm, a[0])?;
    let group = args::size(vm, a[2], 1)?;
    let digit = |d: u8| b"0123456789abcdef"[usize::from(d)];
    let pair = |b: &u8| [digit(b >> 4), digit(b & 15)];
    vm.check(data.len().saturating_mul(3))?;
    vm.ticks(data.len() / 8)?;
    if a[1].is_empty() || a[1].is_none() || group == 0 {
        return vm.bytes_owned(data.iter().flat_map(pair).collect());
    }
    let sep = separator(vm, a[1])?;
    let size = group.unsigned_abs().min(data.len().max(1) as u64) as usize;
    // Groups are counted from the right, for a negative size from the left.
    let first = if group > 0 { data.len() % size } else { 0 };
    let (head, tail) = data.split_at(first);
    let mut out: Vec<u8> = head.iter().flat_map(pair).collect();
    for chunk in tail.chunks(size) {
        if !out.is_empty() {
            out.push(sep);
        }
        out.extend(chunk.iter().flat_map(pair));
    }
    vm.bytes_owned(out)
}

fn separator<'v>(vm: &'v Vm, v: Value<'v>) -> Result<u8, Exit<'v>> {
    let wrong = || vm.value_error("sep must be length 1.");
    if let Some(s) = v.get::<Str>() {
        if s.char_len() != 1 {
            return Err(wrong());
        }
        let c = wtf8::code_points(s.bytes()).next().unwrap_or(256);
        return u8::try_from(c).map_err(|_| vm.value_error("sep must be ASCII."));
    }
    match data_of(v).as_deref() {
        Some([b]) => Ok(*b),
        Some(_) => Err(wrong()),
        None => Err(vm.type_error("sep must be str or bytes.")),
    }
}

fn unhexlify<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::ascii_buffer(vm, a[0])?;
    if data.len() % 2 != 0 {
        return Err(error(vm, "Odd-length string"));
    }
    let digit = |b: u8| char::from(b).to_digit(16);
    let pair = |p: &[u8]| Some((digit(p[0])? << 4 | digit(p[1])?) as u8);
    vm.ticks(data.len() / 8)?;
    match data.chunks_exact(2).map(pair).collect::<Option<Vec<u8>>>() {
        Some(bytes) => vm.bytes_owned(bytes),
        None => Err(error(vm, "Non-hexadecimal digit found")),
    }
}

fn b2a_base64<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::buffer(vm, a[0])?;
    let newline = args::flag(vm, a[1], true)?;
    let mut out = Vec::new();
    vm.reserve(&mut out, data.len().div_ceil(3).saturating_mul(4) + 1)?;
    vm.ticks(data.len() / 8)?;
    base64::encode(&data, &mut out);
    if newline {
        out.push(b'\n');
    }
    Ok(vm.new_bytes(Type::Bytes.shape(), out))
}

fn a2b_base64<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::ascii_buffer(vm, a[0])?;
    let strict = args::flag(vm, a[1], false)?;
    vm.check(data.len())?;
    vm.ticks(data.len() / 8)?;
    match base64::decode(&data, strict) {
        Ok(bytes) => vm.bytes_owned(bytes),
        Err(msg) => Err(error(vm, msg)),
    }
}

fn b2a_uu<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::buffer(vm, a[0])?;
    let backtick = args::flag(vm, a[1], false)?;
    match uu::encode(&data, backtick) {
        Some(line) => vm.bytes_owned(line),
        None => Err(error(vm, "At most 45 bytes at once")),
    }
}

fn a2b_uu<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::ascii_buffer(vm, a[0])?;
    match uu::decode(&data) {
        Ok(bytes) => vm.bytes_owned(bytes),
        Err(msg) => Err(error(vm, msg)),
    }
}

fn b2a_qp<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::buffer(vm, a[0])?;
    let style = quoted::Style {
        tabs: args::flag(vm, a[1], false)?,
        text: args::flag(vm, a[2], true)?,
        header: args::flag(vm, a[3], false)?,
    };
    vm.check(data.len().saturating_mul(3))?;
    vm.ticks(data.len() / 8)?;
    vm.bytes_owned(quoted::encode(&data, &style))
}

fn a2b_qp<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::ascii_buffer(vm, a[0])?;
    let header = args::flag(vm, a[1], false)?;
    vm.ticks(data.len() / 8)?;
    vm.bytes_owned(quoted::decode(&data, header))
}

/// A checksum to go on from: an int, of which 32 bits count.
pub(crate) fn checksum<'v>(vm: &'v Vm, v: Value<'v>, default: u32) -> Result<u32, Exit<'v>> {
    if v.is_empty() {
        return Ok(default);
    }
    let n = num_bigint::BigInt::from(args::index(vm, v)?);
    let low = n.to_signed_bytes_le();
    let fill = if n.sign() == num_bigint::Sign::Minus { 0xFF } else { 0 };
    let byte = |i: usize| low.get(i).copied().unwrap_or(fill);
    Ok(u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)]))
}

/// `crc32(data, crc)`.
pub(crate) fn crc32<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::buffer(vm, a[0])?;
    let mut crc = crc32fast::Hasher::new_with_initial(checksum(vm, a[1], 0)?);
    vm.ticks(data.len() / 1000)?;
    crc.update(&data);
    Ok(vm.uint(u64::from(crc.finalize())))
}

fn crc_hqx<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let data = args::buffer(vm, a[0])?;
    let mut crc = checksum(vm, a[1], 0)? & 0xFFFF;
    for b in data.iter() {
        crc ^= u32::from(*b) << 8;
        for _ in 0..8 {
            crc = if crc & 0x8000 != 0 { crc << 1 ^ 0x1021 } else { crc << 1 } & 0xFFFF;
        }
    }
    Ok(vm.uint(u64::from(crc)))
}
