//! `%` formatting of `str` and `bytes`.
//!
//! The template is worked off from left to right. Where script code must be called (a
//! `__getitem__`, `__str__`, `__index__` ...), the state so far is put away: the text made, the
//! place of the directive and the number of the value, and the directive is begun anew with the
//! call's result at hand.

use super::def;
use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, NativeDef, Row};
use crate::num::int::Int;
use crate::object::map::Dict;
use crate::object::seq::{List, Tuple};
use crate::object::text::{ByteArray, Bytes, Str};
use crate::ops::number::Num;
use crate::text::percent::{Directive, Size, Step, Template};
use crate::text::wtf8::Text;
use crate::value::Value;

/// Where the work stands.
struct Work<'v> {
    /// The template object.
    format: Value<'v>,
    values: Value<'v>,
    out: Vec<u8>,
    /// The next value of the tuple.
    next: usize,
    /// The value of the mapping's key, fetched by a call.
    fetched: Value<'v>,
    /// The value as the conversion wants it, made by a call.
    converted: Value<'v>,
}

impl Work<'_> {
    /// Whether bytes are formatted.
    fn is_bytes(&self) -> bool {
        !self.format.is_a::<Str>()
    }
}

/// After a call for the directive at hand.
static ROW: Row = Row {
    name: "percent",
    catches: false,
    resume: |vm, state, answer| {
        let v = answer.value()?;
        let is_fetch = state[5].is(Value::TRUE);
        let mut work = Work {
            format: state[0],
            values: state[1],
            out: state[2].get::<Bytes>().map_or_else(Vec::new, |b| b.bytes().to_vec()),
            next: state[4].as_small().unwrap_or(0) as usize,
            fetched: if is_fetch { v } else { state[6] },
            converted: if is_fetch { Value::EMPTY } else { v },
        };
        if work.fetched.is_none() && !is_fetch && state[7].is(Value::FALSE) {
            work.fetched = Value::EMPTY;
        }
        run(vm, work, state[3].as_small().unwrap_or(0) as usize)
    },
};

/// What only the prelude names.
pub(crate) static INTERNAL: &[NativeDef] = &[def!(
    "text_convert",
    "value, conversion, /",
    |vm, args| vm.convert(args[0], args[1].as_small().unwrap_or(0) as usize),
    ""
)];

impl Vm {
    /// `format % values`; `format` is a `str`, `bytes` or `bytearray`.
    pub fn percent_format<'v>(&'v self, format: Value<'v>, values: Value<'v>) -> NResult<'v> {
        let work = Work {
            format,
            values,
            out: Vec::new(),
            next: 0,
            fetched: Value::EMPTY,
            converted: Value::EMPTY,
        };
        run(self, work, 0)
    }
}

fn run<'v>(vm: &'v Vm, mut work: Work<'v>, at: usize) -> NResult<'v> {
    let copy: Vec<u8>;
    let (text, is_bytes) = match (work.format.get::<Str>(), work.format.get::<Bytes>()) {
        (Some(s), _) => (s.bytes(), false),
        (_, Some(b)) => (b.bytes(), true),
        _ => {
            copy = work.format.get::<ByteArray>().map_or_else(Vec::new, |b| b.bytes().clone());
            (&copy[..], true)
        }
    };
    let mut template =
        Template::new(text, is_bytes, is_mapping(vm, work.values, is_bytes)).resume(at);
    loop {
        let start = template.offset();
        let Some(step) = template.next() else { break };
        match vm.faulty(step)? {
            Step::Literal(range) => work.out.extend_from_slice(&text[range]),
            Step::Directive(d) => {
                let before = work.next;
                let key = d.key.clone().map(|r| &text[r]);
                if let Err(e) = directive(vm, &mut work, d, key, is_bytes) {
                    work.next = before;
                    return Err(resume_after(vm, work, start, e));
                }
                (work.fetched, work.converted) = (Value::EMPTY, Value::EMPTY);
            }
        }
        if work.out.len() > 1 << 16 {
            vm.check(work.out.len())?;
        }
    }
    let given = work.values.get::<Tuple>().map(|t| t.len());
    let left = match given {
        Some(n) => work.next < n,
        None => work.next == 0 && !is_mapping(vm, work.values, is_bytes),
    };
    if left {
        let what = if is_bytes { "bytes" } else { "string" };
        return Err(vm.type_error(format!("not all arguments converted during {what} formatting")));
    }
    match work.format {
        f if f.is_a::<Str>() => vm.str_owned(work.out),
        f if f.is_a::<Bytes>() => vm.bytes_owned(work.out),
        _ => vm.bytearray(Type::ByteArray.shape(), work.out),
    }
}

/// A call that a directive needs.
enum Need<'v> {
    Raise(Exit<'v>),
    /// Fetch the value of the key.
    Fetch(Value<'v>, Vec<Value<'v>>),
    /// Convert the value.
    Convert(Value<'v>, Vec<Value<'v>>),
}

impl<'v> From<Exit<'v>> for Need<'v> {
    fn from(e: Exit<'v>) -> Self {
        Need::Raise(e)
    }
}

fn resume_after<'v>(vm: &'v Vm, work: Work<'v>, at: usize, need: Need<'v>) -> Exit<'v> {
    let (f, args, is_fetch) = match need {
        Need::Raise(e) => return e,
        Need::Fetch(f, args) => (f, args, true),
        Need::Convert(f, args) => (f, args, false),
    };
    let out = match vm.bytes_owned(work.out) {
        Ok(out) => out,
        Err(e) => return e,
    };
    let has_fetched = !work.fetched.is_empty();
    let state = vec![
        work.format,
        work.values,
        out,
        Value::len(at),
        Value::len(work.next),
        Value::bool(is_fetch),
        if has_fetched { work.fetched } else { Value::NONE },
        Value::bool(has_fetched),
    ];
    Exit::call(f, args, &ROW, state)
}

/// Whether directives with a key are allowed, and values may be left over.
fn is_mapping(vm: &Vm, v: Value<'_>, is_bytes: bool) -> bool {
    let own = v.is_a::<Str>() || is_bytes && (v.is_a::<Bytes>() || v.is_a::<ByteArray>());
    v.is_a::<Dict>()
        || v.is_a::<List>()
        || !own
            && !v.is_a::<Tuple>()
            && vm.class_lookup(vm.class_of(v), vm.names.__getitem__).is_some()
}

/// The next value: of the tuple, or the only one.
fn next_value<'v>(vm: &'v Vm, work: &mut Work<'v>) -> NResult<'v> {
    let i = work.next;
    let found = match work.values.get::<Tuple>() {
        Some(t) => t.items().get(i).copied(),
        None => (i == 0).then_some(work.values),
    };
    work.next += 1;
    found.ok_or_else(|| vm.type_error("not enough arguments for format string"))
}

/// The value of `*`.
fn star<'v>(vm: &'v Vm, work: &mut Work<'v>, too_big: &str) -> Result<i64, Exit<'v>> {
    let v = next_value(vm, work)?;
    match vm.as_index_i64(v) {
        Some(Ok(n)) => Ok(n),
        Some(Err(())) => Err(vm.overflow_error(too_big)),
        None => Err(vm.type_error("* wants int")),
    }
}

fn directive<'v>(
    vm: &'v Vm,
    work: &mut Work<'v>,
    mut d: Directive,
    key: Option<&[u8]>,
    is_bytes: bool,
) -> Result<(), Need<'v>> {
    if let (Some(key), true) = (key, work.fetched.is_empty()) {
        let key = if is_bytes { vm.bytes(key)? } else { vm.str_bytes(key)? };
        work.fetched = match vm.getitem(work.values, key) {
            Ok(v) => v,
            Err(Exit::Do(_)) => match vm.method(work.values, vm.names.__getitem__)? {
                Some((f, mut args)) => {
                    args.push(key);
                    return Err(Need::Fetch(f, args));
                }
                None => return Err(Need::Raise(vm.type_error("format requires a mapping"))),
            },
            Err(e) => return Err(Need::Raise(e)),
        };
    }
    if d.width == Size::Star {
        if key.is_some() {
            let text = match vm.as_index_i64(work.fetched) {
                Some(_) => "not enough arguments for format string",
                None => "* wants int",
            };
            return Err(vm.type_error(text).into());
        }
        d.set_width(star(vm, work, "Python int too large to convert to C ssize_t")?);
    }
    if d.precision == Size::Star {
        let n = star(vm, work, "Python int too large to convert to C int")?;
        let n = i32::try_from(n)
            .map_err(|_| vm.overflow_error("Python int too large to convert to C int"))?;
        d.set_precision(n);
    }
    for size in [d.width, d.precision] {
        if let Size::Fixed(n) = size {
            vm.check(n)?;
        }
    }
    if d.conversion == b'%' {
        work.out.push(b'%');
        return Ok(());
    }
    let v = if key.is_some() { work.fetched } else { next_value(vm, work)? };
    if key.is_some() && work.next == 0 {
        // A mapping counts as used.
        work.next = usize::from(!work.values.is_a::<Tuple>());
    }
    match d.conversion {
        b's' | b'b' if is_bytes => {
            let data = bytes_of(vm, work, v)?;
            put(vm, work, &d, &data, true)
        }
        b's' => converted(vm, work, &d, v, 1),
        b'r' if !is_bytes => converted(vm, work, &d, v, 2),
        b'a' | b'r' => converted(vm, work, &d, v, 3),
        b'c' => character(vm, work, &d, v, is_bytes),
        b'd' | b'i' | b'u' | b'o' | b'x' | b'X' => integer(vm, work, &d, v),
        _ => float(vm, work, &d, v, is_bytes),
    }
}

fn put<'v>(
    vm: &'v Vm,
    work: &mut Work<'v>,
    d: &Directive,
    text: &[u8],
    is_bytes: bool,
) -> Result<(), Need<'v>> {
    let len = if is_bytes { text.len() } else { crate::text::wtf8::len(text) };
    let text = Text { bytes: text, len, index: None };
    Ok(vm.polled(|poll| d.format_text(&mut work.out, text, poll))?)
}

fn converted<'v>(
    vm: &'v Vm,
    work: &mut Work<'v>,
    d: &Directive,
    v: Value<'v>,
    conversion: i32,
) -> Result<(), Need<'v>> {
    let s = if !work.converted.is_empty() {
        work.converted
    } else {
        match vm.convert(v, conversion as usize) {
            Ok(s) => s,
            Err(Exit::Do(_)) => {
                let f = vm.prelude("text", "text_convert")?;
                return Err(Need::Convert(f, vec![v, Value::int32(conversion)]));
            }
            Err(e) => return Err(Need::Raise(e)),
        }
    };
    let Some(s) = s.get::<Str>() else { return Ok(()) };
    put(vm, work, d, s.bytes(), false)
}

fn bytes_of<'v>(vm: &'v Vm, work: &Work<'v>, v: Value<'v>) -> Result<Vec<u8>, Need<'v>> {
    let v = if work.converted.is_empty() { v } else { work.converted };
    if let Some(data) = vm.buffer_copy(v)? {
        return Ok(data);
    }
    if work.converted.is_empty()
        && let Some((f, args)) = vm.method(v, vm.names.__bytes__)?
    {
        return Err(Need::Convert(f, args));
    }
    Err(Need::Raise(vm.type_error(format!(
        "%b requires a bytes-like object, or an object that implements __bytes__, not '{}'",
        vm.type_name(v)
    ))))
}

fn character<'v>(
    vm: &'v Vm,
    work: &mut Work<'v>,
    d: &Directive,
    v: Value<'v>,
    is_bytes: bool,
) -> Result<(), Need<'v>> {
    if is_bytes {
        if let Some(data) = vm.buffer_copy(v)?
            && data.len() == 1
        {
            return put(vm, work, d, &data, true);
        }
        let value = if work.converted.is_empty() { v } else { work.converted };
        return match vm.as_index_i64(value) {
            Some(n) => match n.ok().and_then(|n| u8::try_from(n).ok()) {
                Some(b) => put(vm, work, d, &[b], true),
                None => Err(vm.overflow_error("%c arg not in range(256)").into()),
            },
            None => match vm.method(v, vm.names.__index__)? {
                Some((f, args)) if work.converted.is_empty() => Err(Need::Convert(f, args)),
                _ => {
                    let message = "%c requires an integer in range(256) or a single byte";
                    Err(vm.type_error(message).into())
                }
            },
        };
    }
    if let Some(s) = v.get::<Str>()
        && s.char_len() == 1
    {
        return put(vm, work, d, s.bytes(), false);
    }
    let v = if work.converted.is_empty() { v } else { work.converted };
    match vm.as_index_i64(v) {
        Some(n) => match n.ok().and_then(|n| u32::try_from(n).ok()) {
            Some(cp) if cp <= crate::text::wtf8::MAX => {
                put(vm, work, d, crate::text::wtf8::encode(cp, &mut [0; 4]), false)
            }
            _ => Err(vm.overflow_error("%c arg not in range(0x110000)").into()),
        },
        None => match vm.method(v, vm.names.__index__)? {
            Some((f, args)) => Err(Need::Convert(f, args)),
            None => Err(vm.type_error("%c requires int or char").into()),
        },
    }
}

fn integer<'v>(
    vm: &'v Vm,
    work: &mut Work<'v>,
    d: &Directive,
    v: Value<'v>,
) -> Result<(), Need<'v>> {
    let letter = d.conversion as char;
    let truncates = matches!(letter, 'd' | 'i' | 'u');
    let wrong = || {
        let what = if truncates { "a real number is required" } else { "an integer is required" };
        // Where bytes are formatted, the two are one.
        let letter = if letter == 'i' && work.is_bytes() { 'd' } else { letter };
        vm.type_error(format!("%{letter} format: {what}, not {}", vm.type_name(v)))
    };
    let value = if work.converted.is_empty() { v } else { work.converted };
    let n = match vm.number(value) {
        Some(Num::Int(n)) => Int::Small(n),
        Some(n @ Num::Big(_)) => Int::from(n.big().into_owned()),
        Some(Num::Float(x)) if truncates && work.converted.is_empty() => {
            vm.faulty(crate::num::float::to_int(x))?
        }
        None if work.converted.is_empty() => {
            let names = [vm.names.__int__, vm.names.__index__, vm.names.__trunc__];
            for name in if truncates { &names[..] } else { &names[1..2] } {
                if let Some((f, args)) = vm.method(v, *name)? {
                    return Err(Need::Convert(f, args));
                }
            }
            return Err(wrong().into());
        }
        _ => return Err(wrong().into()),
    };
    let max = vm.int_max_str_digits.get();
    vm.polled(|poll| d.format_int(&mut work.out, &n, max, poll))?;
    Ok(())
}

fn float<'v>(
    vm: &'v Vm,
    work: &mut Work<'v>,
    d: &Directive,
    v: Value<'v>,
    is_bytes: bool,
) -> Result<(), Need<'v>> {
    let asked = !work.converted.is_empty();
    let value = if asked { work.converted } else { v };
    let by_float = vm.class_lookup(vm.class_of(v), vm.names.__float__).is_some();
    let x = match vm.number(value) {
        Some(n @ Num::Float(_)) if !asked || by_float => vm.faulty(n.to_f64())?,
        Some(n @ (Num::Int(_) | Num::Big(_))) if !asked || !by_float => vm.faulty(n.to_f64())?,
        found => {
            if !asked && found.is_none() {
                for name in [vm.names.__float__, vm.names.__index__] {
                    if let Some((f, args)) = vm.method(v, name)? {
                        return Err(Need::Convert(f, args));
                    }
                }
            }
            let (own, got) = (vm.type_name(v), vm.type_name(value));
            return Err(vm
                .type_error(match (is_bytes, asked, by_float) {
                    (true, ..) => format!("float argument required, not {own}"),
                    (_, false, _) => format!("must be real number, not {own}"),
                    (_, _, true) => format!("{own}.__float__ returned non-float (type {got})"),
                    _ => format!("__index__ returned non-int (type {got})"),
                })
                .into());
        }
    };
    Ok(vm.polled(|poll| d.format_float(&mut work.out, x, poll))?)
}
