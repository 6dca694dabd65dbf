//! `io.StringIO`. Positions count code points.

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult, NativeDef, Role, Row};
use miniscript_vm::object::opaque::Payload;
use miniscript_vm::object::seq::List;
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm, text_len};

use super::{
    IsOpen, content, content_object, int, itself, make, no, open_state, size, state, unsupported,
    yes,
};
use crate::ClassDef;

/// What ends a line, and what is done with line ends that are written.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Newline {
    /// `'\n'`: nothing is done.
    #[default]
    Feed,
    /// None: all kinds become `'\n'`.
    Translated,
    /// `''`: all kinds end lines.
    Universal,
    /// `'\n'` is written as this.
    Return,
    /// `'\n'` is written as this.
    ReturnFeed,
}

/// The position is `chars` code points, which are `byte` bytes, from the beginning, and then
/// `beyond` code points behind the end.
#[derive(Default)]
struct TextFile {
    byte: usize,
    chars: usize,
    beyond: usize,
    /// Some character takes more than one byte.
    wide: bool,
    newline: Newline,
    closed: bool,
}

impl Payload for TextFile {}

impl IsOpen for TextFile {
    const CLOSED: &'static str = "I/O operation on closed file";

    fn is_open(&mut self) -> bool {
        !self.closed
    }
}

/// The class.
pub static STRING_IO: ClassDef = ClassDef::open(
    "_io",
    "StringIO",
    "A text file in memory.",
    &[
        NativeDef::new("__new__", "cls, /, *args, **kw", new, "").role(Role::Static),
        NativeDef::new("__init__", "self, /, initial_value='', newline='\\n'", init, ""),
        NativeDef::new("read", "self, size=-1, /", get, "Read at most size characters."),
        NativeDef::new("readline", "self, size=-1, /", readline, "Read a line."),
        NativeDef::new("readlines", "self, hint=-1, /", readlines, "Read a list of lines."),
        NativeDef::new("write", "self, s, /", write, "Write; return the number of characters."),
        NativeDef::new("writelines", "self, lines, /", writelines, "Write each of some lines."),
        NativeDef::new("seek", "self, pos, whence=0, /", seek, "Change the position."),
        NativeDef::new("tell", "self, /", tell, "Return the position."),
        NativeDef::new("truncate", "self, pos=None, /", truncate, "Set the length."),
        NativeDef::new("getvalue", "self, /", getvalue, "All that was written."),
        NativeDef::new("close", "self, /", close, "Close; the content is gone."),
        NativeDef::new("flush", "self, /", flush, "Does nothing."),
        NativeDef::new("readable", "self, /", yes::<TextFile>, "Return True."),
        NativeDef::new("writable", "self, /", yes::<TextFile>, "Return True."),
        NativeDef::new("seekable", "self, /", yes::<TextFile>, "Return True."),
        NativeDef::new("isatty", "self, /", no::<TextFile>, "Return False."),
        NativeDef::new("fileno", "self, /", unsupported, "There is none."),
        NativeDef::new("__enter__", "self, /", itself::<TextFile>, ""),
        NativeDef::new("__exit__", "self, /, *args", close, ""),
        NativeDef::new("__iter__", "self, /", itself::<TextFile>, "Implement iter(self)."),
        NativeDef::new("__next__", "self, /", next, "Implement next(self)."),
        NativeDef::getter("closed", closed, "whether it is closed"),
        NativeDef::getter("encoding", |_, _| Ok(Value::NONE), "None"),
        NativeDef::getter("errors", |_, _| Ok(Value::NONE), "None"),
        NativeDef::getter("newlines", |_, _| Ok(Value::NONE), "not recorded"),
        NativeDef::getter("line_buffering", no::<TextFile>, "False"),
    ],
);

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    make(vm, args[0], Box::new(TextFile::default()))
}

fn init<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let newline = match args[2] {
        v if v.is_empty() => Newline::Feed,
        v if v.is_none() => Newline::Translated,
        v => match v.get::<Str>().map(Str::bytes) {
            Some(b"") => Newline::Universal,
            Some(b"\n") => Newline::Feed,
            Some(b"\r") => Newline::Return,
            Some(b"\r\n") => Newline::ReturnFeed,
            Some(_) => {
                let shown = vm.repr(v)?;
                let shown = shown.get::<Str>().map(|s| s.to_display().into_owned());
                return Err(
                    vm.value_error(format!("illegal newline value: {}", shown.unwrap_or_default()))
                );
            }
            None => {
                let t = vm.type_name(v);
                return Err(vm.type_error(format!("newline must be str or None, not {t}")));
            }
        },
    };
    if !args[1].is_empty() && !args[1].is_none() && !args[1].is_a::<Str>() {
        let t = vm.type_name(args[1]);
        return Err(vm.type_error(format!("initial_value must be str or None, not {t}")));
    }
    vm.change_bytearray(content_object(vm, args[0])?, Vec::clear)?;
    state(vm, args[0], |f: &mut TextFile| *f = TextFile { newline, ..TextFile::default() })?;
    if args[1].is_a::<Str>() {
        write(vm, &[args[0], args[1]])?;
        state(vm, args[0], |f: &mut TextFile| (f.byte, f.chars) = (0, 0))?;
    }
    Ok(Value::NONE)
}

/// The bytes of the first `n` characters, and how many there are.
fn skip(text: &[u8], n: usize, wide: bool) -> (usize, usize) {
    if !wide {
        let n = n.min(text.len());
        return (n, n);
    }
    let mut chars = 0;
    for (i, b) in text.iter().enumerate() {
        if b & 0xC0 != 0x80 {
            if chars == n {
                return (i, n);
            }
            chars += 1;
        }
    }
    (text.len(), chars)
}

/// Takes what lies between the position and where `end` (a number of bytes) says.
fn take<'v>(
    vm: &'v Vm,
    file: Value<'v>,
    end: impl FnOnce(&[u8], &TextFile) -> usize,
) -> NResult<'v> {
    let own = content(vm, file)?;
    let bytes = own.bytes();
    let (from, n) = open_state(vm, file, |f: &mut TextFile| {
        let from = f.byte;
        let rest = if f.beyond > 0 { &[][..] } else { bytes.get(from..).unwrap_or_default() };
        let n = end(rest, f).min(rest.len());
        (from, n)
    })?;
    vm.ticks(n / 64)?;
    let taken = vm.str_bytes(&bytes[from..from + n])?;
    let chars = taken.get::<Str>().map_or(0, Str::char_len);
    state(vm, file, |f: &mut TextFile| {
        f.byte += n;
        f.chars += chars;
    })?;
    Ok(taken)
}

fn get<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let n = size(vm, args[1])?.unwrap_or(usize::MAX);
    take(vm, args[0], |rest, f| if n == usize::MAX { n } else { skip(rest, n, f.wide).0 })
}

/// Where the first line ends.
fn line_end(rest: &[u8], newline: Newline) -> usize {
    let found = match newline {
        Newline::Feed | Newline::Translated => rest.iter().position(|b| *b == b'\n').map(|i| i + 1),
        Newline::Return => rest.iter().position(|b| *b == b'\r').map(|i| i + 1),
        Newline::ReturnFeed => rest.windows(2).position(|w| w == b"\r\n").map(|i| i + 2),
        Newline::Universal => rest
            .iter()
            .position(|b| matches!(b, b'\n' | b'\r'))
            .map(|i| if rest[i..].starts_with(b"\r\n") { i + 2 } else { i + 1 }),
    };
    found.unwrap_or(rest.len())
}

fn readline<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let limit = size(vm, args[1])?;
    take(vm, args[0], |rest, f| {
        let end = line_end(rest, f.newline);
        limit.map_or(end, |limit| end.min(skip(&rest[..end], limit, f.wide).0))
    })
}

fn next<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let line = take(vm, args[0], |rest, f| line_end(rest, f.newline))?;
    match line.get::<Str>() {
        Some(s) if s.bytes().is_empty() => Err(vm.stop_iteration(Value::NONE)),
        _ => Ok(line),
    }
}

fn readlines<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let hint = size(vm, args[1])?.filter(|n| *n > 0);
    let (mut lines, mut total) = (Vec::new(), 0);
    loop {
        let line = take(vm, args[0], |rest, f| line_end(rest, f.newline))?;
        let n = line.get::<Str>().map_or(0, Str::char_len);
        if n == 0 {
            break;
        }
        vm.tick()?;
        lines.push(line);
        total += n;
        if hint.is_some_and(|hint| total >= hint) {
            break;
        }
    }
    vm.list(lines)
}

/// The text as it is kept.
fn translated(text: &[u8], newline: Newline) -> Option<Vec<u8>> {
    let end: &[u8] = match newline {
        Newline::Feed | Newline::Universal => return None,
        Newline::Translated if !text.contains(&b'\r') => return None,
        Newline::Translated => b"\n",
        Newline::Return => b"\r",
        Newline::ReturnFeed => b"\r\n",
    };
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((b, tail)) = rest.split_first() {
        rest = tail;
        match b {
            b'\r' if newline == Newline::Translated => {
                rest = rest.strip_prefix(b"\n").unwrap_or(rest);
                out.push(b'\n');
            }
            b'\n' => out.extend_from_slice(end),
            b => out.push(*b),
        }
    }
    Some(out)
}

fn write<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(s) = args[1].get::<Str>() else {
        let t = vm.type_name(args[1]);
        open_state(vm, args[0], |_: &mut TextFile| ())?;
        return Err(vm.type_error(format!("string argument expected, got '{t}'")));
    };
    let (at, beyond, wide, newline) =
        open_state(vm, args[0], |f: &mut TextFile| (f.byte, f.beyond, f.wide, f.newline))?;
    if s.bytes().is_empty() {
        return Ok(vm.int(0));
    }
    let kept = translated(s.bytes(), newline);
    let text = kept.as_deref().unwrap_or(s.bytes());
    let chars = if kept.is_some() { text_len(text) } else { s.char_len() };
    vm.ticks(text.len() / 64)?;
    vm.check(text.len().saturating_add(beyond))?;
    let fits = vm.change_bytearray(content_object(vm, args[0])?, |b| {
        if b.try_reserve(text.len().saturating_add(beyond)).is_err() {
            return false;
        }
        if at == b.len() {
            b.extend(std::iter::repeat_n(0, beyond));
            b.extend_from_slice(text);
        } else {
            let over = skip(&b[at..], chars, wide).0;
            b.splice(at..at + over, text.iter().copied());
        }
        true
    })?;
    if !fits {
        return Err(vm.memory_error());
    }
    state(vm, args[0], |f: &mut TextFile| {
        f.byte += beyond + text.len();
        f.chars += beyond + chars;
        f.beyond = 0;
        f.wide |= chars != text.len();
    })?;
    Ok(vm.len_value(s.char_len()))
}

fn writelines<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    static COLLECTED: Row = Row {
        name: "string_io_lines",
        catches: false,
        resume: |vm, state, answer| {
            let lines = answer.value()?;
            for line in lines.get::<List>().map(List::to_vec).unwrap_or_default() {
                vm.tick()?;
                write(vm, &[state[0], line])?;
            }
            Ok(Value::NONE)
        },
    };
    open_state(vm, args[0], |_: &mut TextFile| ())?;
    Err(Exit::call(vm.class_value(Type::List), vec![args[1]], &COLLECTED, vec![args[0]]))
}

fn seek<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let now = open_state(vm, args[0], |f: &mut TextFile| f.chars + f.beyond)?;
    let offset = int(vm, args[1])?;
    let whence = if args[2].is_empty() { 0 } else { int(vm, args[2])? };
    let bytes = content(vm, args[0])?.bytes();
    let to = match (whence, offset) {
        (0, ..0) => {
            return Err(vm.value_error(format!("Negative seek position {offset}")));
        }
        (0, n) => n as usize,
        (1, 0) => now,
        (1, _) => return Err(vm.err(Type::OSError, "Can't do nonzero cur-relative seeks")),
        (2, 0) => usize::MAX,
        (2, _) => return Err(vm.err(Type::OSError, "Can't do nonzero cur-relative seeks")),
        (n, _) => {
            return Err(vm.value_error(format!("Invalid whence ({n}, should be 0, 1 or 2)")));
        }
    };
    vm.ticks(bytes.len().min(to) / 64)?;
    let at = state(vm, args[0], |f: &mut TextFile| {
        let (byte, chars) = skip(&bytes, to, f.wide);
        let beyond = if to == usize::MAX { 0 } else { to - chars };
        (f.byte, f.chars, f.beyond) = (byte, chars, beyond);
        chars + beyond
    })?;
    Ok(vm.len_value(at))
}

fn tell<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.len_value(open_state(vm, args[0], |f: &mut TextFile| f.chars + f.beyond)?))
}

fn truncate<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (now, wide) = open_state(vm, args[0], |f: &mut TextFile| (f.chars + f.beyond, f.wide))?;
    let n = match args[1] {
        v if v.is_empty() || v.is_none() => now,
        v => {
            let n = int(vm, v)?;
            usize::try_from(n).map_err(|_| vm.value_error(format!("Negative size value {n}")))?
        }
    };
    let keep = skip(&content(vm, args[0])?.bytes(), n, wide).0;
    vm.change_bytearray(content_object(vm, args[0])?, |b| b.truncate(keep))?;
    state(vm, args[0], |f: &mut TextFile| {
        if f.byte > keep {
            f.beyond += f.chars - n;
            (f.byte, f.chars) = (keep, n);
        }
    })?;
    Ok(vm.len_value(n))
}

fn getvalue<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    open_state(vm, args[0], |_: &mut TextFile| ())?;
    let bytes = content(vm, args[0])?.bytes();
    vm.ticks(bytes.len() / 64)?;
    vm.str_bytes(&bytes)
}

fn close<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.change_bytearray(content_object(vm, args[0])?, |b| *b = Vec::new())?;
    state(vm, args[0], |f: &mut TextFile| f.closed = true)?;
    Ok(Value::NONE)
}

fn flush<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    open_state(vm, args[0], |_: &mut TextFile| ())?;
    Ok(Value::NONE)
}

fn closed<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::bool(state(vm, args[0], |f: &mut TextFile| f.closed)?))
}
