//! `io.BytesIO`.

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult, NativeDef, Role, Row};
use miniscript_vm::object::opaque::Payload;
use miniscript_vm::object::seq::List;
use miniscript_vm::{Value, Vm};

use super::{
    IsOpen, content, content_object, int, itself, make, no, open_state, size, state, unsupported,
    yes,
};
use crate::ClassDef;

#[derive(Default)]
struct BytesFile {
    at: usize,
    closed: bool,
}

impl Payload for BytesFile {}

impl IsOpen for BytesFile {
    const CLOSED: &'static str = "I/O operation on closed file.";

    fn is_open(&mut self) -> bool {
        !self.closed
    }
}

/// The class.
pub static BYTES_IO: ClassDef = ClassDef::open(
    "_io",
    "BytesIO",
    "A binary file in memory.",
    &[
        NativeDef::new("__new__", "cls, /, *args, **kw", new, "").role(Role::Static),
        NativeDef::new("__init__", "self, /, initial_bytes=b''", init, ""),
        NativeDef::new("read", "self, size=-1, /", get, "Read at most size bytes."),
        NativeDef::new("read1", "self, size=-1, /", get, "Read at most size bytes."),
        NativeDef::new("readline", "self, size=-1, /", readline, "Read a line."),
        NativeDef::new("readlines", "self, size=None, /", readlines, "Read a list of lines."),
        NativeDef::new("readinto", "self, buffer, /", readinto, "Read into a bytearray."),
        NativeDef::new("readinto1", "self, buffer, /", readinto, "Read into a bytearray."),
        NativeDef::new("write", "self, b, /", write, "Write; return the number of bytes."),
        NativeDef::new("writelines", "self, lines, /", writelines, "Write each of some lines."),
        NativeDef::new("seek", "self, pos, whence=0, /", seek, "Change the position."),
        NativeDef::new("tell", "self, /", tell, "Return the position."),
        NativeDef::new("truncate", "self, size=None, /", truncate, "Set the length."),
        NativeDef::new("getvalue", "self, /", getvalue, "All that was written."),
        NativeDef::new("getbuffer", "self, /", getbuffer, "A memoryview of the content."),
        NativeDef::new("close", "self, /", close, "Close; the content is gone."),
        NativeDef::new("flush", "self, /", flush, "Does nothing."),
        NativeDef::new("readable", "self, /", yes::<BytesFile>, "Return True."),
        NativeDef::new("writable", "self, /", yes::<BytesFile>, "Return True."),
        NativeDef::new("seekable", "self, /", yes::<BytesFile>, "Return True."),
        NativeDef::new("isatty", "self, /", no::<BytesFile>, "Return False."),
        NativeDef::new("fileno", "self, /", unsupported, "There is none."),
        NativeDef::new("__enter__", "self, /", itself::<BytesFile>, ""),
        NativeDef::new("__exit__", "self, /, *args", close, ""),
        NativeDef::new("__iter__", "self, /", itself::<BytesFile>, "Implement iter(self)."),
        NativeDef::new("__next__", "self, /", next, "Implement next(self)."),
        NativeDef::getter("closed", closed, "whether it is closed"),
    ],
);

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    make(vm, args[0], Box::new(BytesFile::default()))
}

fn init<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let data = match args[1] {
        v if v.is_empty() || v.is_none() => Vec::new(),
        v => given(vm, v)?,
    };
    vm.check(data.len())?;
    vm.change_bytearray(content_object(vm, args[0])?, |b| *b = data)?;
    state(vm, args[0], |f: &mut BytesFile| *f = BytesFile::default())?;
    Ok(Value::NONE)
}

fn given<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Vec<u8>, Exit<'v>> {
    vm.buffer_copy(v)?.ok_or_else(|| {
        let t = vm.type_name(v);
        vm.type_error(format!("a bytes-like object is required, not '{t}'"))
    })
}

/// Takes what lies between the position and where `end` says, and moves the position there.
fn take<'v>(vm: &'v Vm, file: Value<'v>, end: impl FnOnce(&[u8]) -> usize) -> NResult<'v> {
    let at = open_state(vm, file, |f: &mut BytesFile| f.at)?;
    let bytes = content(vm, file)?.bytes();
    let rest = bytes.get(at..).unwrap_or_default();
    let n = end(rest).min(rest.len());
    vm.ticks(n / 64)?;
    vm.check(n)?;
    let taken = vm.bytes(&rest[..n])?;
    state(vm, file, |f: &mut BytesFile| f.at = at + n)?;
    Ok(taken)
}

fn get<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let n = size(vm, args[1])?;
    take(vm, args[0], |_| n.unwrap_or(usize::MAX))
}

fn line_end(rest: &[u8], limit: Option<usize>) -> usize {
    let rest = &rest[..limit.unwrap_or(usize::MAX).min(rest.len())];
    rest.iter().position(|b| *b == b'\n').map_or(rest.len(), |i| i + 1)
}

fn readline<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let n = size(vm, args[1])?;
    take(vm, args[0], |rest| line_end(rest, n))
}

fn next<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let mut ended = false;
    let line = take(vm, args[0], |rest| {
        ended = rest.is_empty();
        line_end(rest, None)
    })?;
    if ended { Err(vm.stop_iteration(Value::NONE)) } else { Ok(line) }
}

fn readlines<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let hint = size(vm, args[1])?.filter(|n| *n > 0);
    let (mut lines, mut total) = (Vec::new(), 0);
    loop {
        let mut n = 0;
        let line = take(vm, args[0], |rest| {
            n = line_end(rest, None);
            n
        })?;
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

fn readinto<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let at = open_state(vm, args[0], |f: &mut BytesFile| f.at)?;
    let own = content(vm, args[0])?;
    let Some(room) = crate::args::with_writable(args[1], |buffer| buffer.len()) else {
        let t = vm.type_name(args[1]);
        let text = format!("readinto() argument must be read-write bytes-like object, not {t}");
        return Err(vm.type_error(text));
    };
    // A copy, as the buffer may be a view of the content itself.
    let end = own.bytes().len().min(at.saturating_add(room));
    let read = own.bytes().get(at..end).unwrap_or_default().to_vec();
    crate::args::with_writable(args[1], |buffer| buffer[..read.len()].copy_from_slice(&read));
    state(vm, args[0], |f: &mut BytesFile| f.at = at + read.len())?;
    Ok(vm.len_value(read.len()))
}

fn write<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let at = open_state(vm, args[0], |f: &mut BytesFile| f.at)?;
    let data = given(vm, args[1])?;
    if data.is_empty() {
        return Ok(vm.int(0));
    }
    vm.ticks(data.len() / 64)?;
    let own = content(vm, args[0])?;
    let end = at.saturating_add(data.len());
    let len = own.bytes().len();
    if end <= len {
        own.bytes_mut()[at..end].copy_from_slice(&data);
    } else {
        vm.check(end - len)?;
        let fits = vm.change_bytearray(content_object(vm, args[0])?, |b| {
            let fits = b.try_reserve(end - len).is_ok();
            if fits {
                b.resize(at, 0);
                b.extend_from_slice(&data);
            }
            fits
        })?;
        if !fits {
            return Err(vm.memory_error());
        }
    }
    state(vm, args[0], |f: &mut BytesFile| f.at = end)?;
    Ok(vm.len_value(data.len()))
}

fn writelines<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    static COLLECTED: Row = Row {
        name: "bytes_io_lines",
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
    open_state(vm, args[0], |_: &mut BytesFile| ())?;
    Err(Exit::call(vm.class_value(Type::List), vec![args[1]], &COLLECTED, vec![args[0]]))
}

fn seek<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let at = open_state(vm, args[0], |f: &mut BytesFile| f.at)?;
    let offset = int(vm, args[1])?;
    let whence = if args[2].is_empty() { 0 } else { int(vm, args[2])? };
    let base = match whence {
        0 if offset < 0 => {
            return Err(vm.value_error(format!("negative seek value {offset}")));
        }
        0 => 0,
        1 => at as i64,
        2 => content(vm, args[0])?.bytes().len() as i64,
        n => {
            return Err(vm.value_error(format!("invalid whence ({n}, should be 0, 1 or 2)")));
        }
    };
    let to = base.saturating_add(offset).max(0);
    state(vm, args[0], |f: &mut BytesFile| f.at = to as usize)?;
    Ok(vm.int(to))
}

fn tell<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.len_value(open_state(vm, args[0], |f: &mut BytesFile| f.at)?))
}

fn truncate<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let at = open_state(vm, args[0], |f: &mut BytesFile| f.at)?;
    let n = match args[1] {
        v if v.is_empty() || v.is_none() => at,
        v => match usize::try_from(int(vm, v)?) {
            Ok(n) => n,
            Err(_) => {
                let n = int(vm, v)?;
                return Err(vm.value_error(format!("negative size value {n}")));
            }
        },
    };
    if n < content(vm, args[0])?.bytes().len() {
        vm.change_bytearray(content_object(vm, args[0])?, |b| b.truncate(n))?;
    }
    Ok(vm.len_value(n))
}

fn getvalue<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    open_state(vm, args[0], |_: &mut BytesFile| ())?;
    let bytes = content(vm, args[0])?.bytes();
    vm.ticks(bytes.len() / 64)?;
    vm.bytes(&bytes)
}

fn getbuffer<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    open_state(vm, args[0], |_: &mut BytesFile| ())?;
    let content = content_object(vm, args[0])?;
    Err(Exit::tail(vm.class_value(Type::MemoryView), vec![content]))
}

fn close<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    vm.change_bytearray(content_object(vm, args[0])?, |b| *b = Vec::new())?;
    state(vm, args[0], |f: &mut BytesFile| f.closed = true)?;
    Ok(Value::NONE)
}

fn flush<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    open_state(vm, args[0], |_: &mut BytesFile| ())?;
    Ok(Value::NONE)
}

fn closed<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::bool(state(vm, args[0], |f: &mut BytesFile| f.closed)?))
}
