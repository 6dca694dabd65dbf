//! The methods of file objects.

use std::rc::Rc;
use std::task::Poll;

use miniscript_stdlib::args;
use miniscript_vm::Vm;
use miniscript_vm::builtins::Type;
use miniscript_vm::host::Stream;
use miniscript_vm::native::{Exit, NResult, NativeDef, Row};
use miniscript_vm::object::text::{Bytes, Str};
use miniscript_vm::value::Value;

use super::{Behind, Outcome, behind, drive, engine, given_name, new_object, std_file};
use crate::errors::{file_error, os_text};
use crate::files::{FileError, OpenFile};

/// The rows, of text and binary files alike.
pub(super) const METHODS: &[NativeDef] = &[
    NativeDef::new("read", "self, size=-1, /", read, "Read at most size characters or bytes."),
    NativeDef::new("read1", "self, size=-1, /", read1, "Read what one read of the system brings."),
    NativeDef::new("readline", "self, size=-1, /", readline, "Read a line."),
    NativeDef::new("readlines", "self, hint=-1, /", readlines, "Read a list of lines."),
    NativeDef::new("readinto", "self, buffer, /", readinto, "Read into a bytearray."),
    NativeDef::new("write", "self, data, /", write, "Write; return the length."),
    NativeDef::new("writelines", "self, lines, /", writelines, "Write each of some lines."),
    NativeDef::new("seek", "self, offset, whence=0, /", seek, "Change the position."),
    NativeDef::new("tell", "self, /", tell, "Return the position."),
    NativeDef::new("truncate", "self, size=None, /", truncate, "Set the length of the file."),
    NativeDef::new("flush", "self, /", flush, "Write out what is buffered."),
    NativeDef::new("close", "self, /", close, "Flush and close."),
    NativeDef::new("readable", "self, /", |vm, a| ability(vm, a[0], |c| c.0), "Can be read."),
    NativeDef::new("writable", "self, /", |vm, a| ability(vm, a[0], |c| c.1), "Can be written."),
    NativeDef::new("seekable", "self, /", |vm, a| ability(vm, a[0], |c| c.2), "Has a position."),
    NativeDef::new("isatty", "self, /", isatty, "Is a terminal."),
    NativeDef::new("fileno", "self, /", fileno, "The descriptor."),
    NativeDef::new("reconfigure", "self, /, **kw", |_, _| Ok(Value::NONE), "Accepted, no effect."),
    NativeDef::new("__enter__", "self, /", enter, ""),
    NativeDef::new("__exit__", "self, /, *args", close, ""),
    NativeDef::new("__iter__", "self, /", enter, "Implement iter(self)."),
    NativeDef::new("__next__", "self, /", next, "Implement next(self)."),
    NativeDef::new("__repr__", "self, /", repr, "Return repr(self)."),
    NativeDef::getter("closed", closed, "whether it is closed"),
    NativeDef::getter("name", name, "the name it was opened with"),
    NativeDef::getter("mode", mode, "the mode it was opened with"),
    NativeDef::getter("encoding", encoding, "the encoding of a text file"),
    NativeDef::getter("errors", errors, "what is done with bytes that cannot be decoded"),
    NativeDef::getter("newlines", newlines, "the line ends that were read so far"),
    NativeDef::getter("line_buffering", line_buffering, "whether each line is written at once"),
    NativeDef::getter("buffer", buffer, "the bytes of a standard stream"),
];

/// The file behind `v`, for operations that a standard output does not have.
fn file<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Rc<OpenFile>, Exit<'v>> {
    std_file(vm, &behind(vm, v)?)?
        .ok_or_else(|| file_error(vm, &FileError::Unsupported("not readable".into())))
}

/// A size: below zero or None means all.
fn size<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Option<usize>, Exit<'v>> {
    if v.is_empty() || v.is_none() {
        return Ok(None);
    }
    match number(v) {
        Some(n) => Ok(usize::try_from(n).ok()),
        None => Err(
            vm.type_error(format!("argument should be integer or None, not '{}'", vm.type_name(v)))
        ),
    }
}

fn number(v: Value<'_>) -> Option<i64> {
    v.as_small().or_else(|| v.as_bool().map(i64::from))
}

fn data(file: &OpenFile) -> fn(Vec<u8>) -> Outcome {
    if file.is_text() { Outcome::Text } else { Outcome::Bytes }
}

fn read<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (f, n) = (file(vm, args[0])?, size(vm, args[1])?);
    drive(vm, args[0], move |token| f.poll_read(token, n).map(|r| r.map(data(&f))))
}

fn read1<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (f, n) = (file(vm, args[0])?, size(vm, args[1])?.unwrap_or(8192));
    drive(vm, args[0], move |token| f.poll_read1(token, n).map(|r| r.map(data(&f))))
}

fn readline<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (f, n) = (file(vm, args[0])?, size(vm, args[1])?);
    drive(vm, args[0], move |token| f.poll_read_line(token, n).map(|r| r.map(data(&f))))
}

fn next<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let f = file(vm, args[0])?;
    let is_text = f.is_text();
    drive(vm, args[0], move |token| {
        f.poll_next_line(token).map(|r| r.map(|line| Outcome::Line(line, is_text)))
    })
}

fn readlines<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (f, hint) = (file(vm, args[0])?, size(vm, args[1])?.filter(|&n| n > 0));
    if f.is_closed() {
        return Err(file_error(vm, &FileError::closed()));
    }
    let mut lines = Vec::new();
    drive(vm, args[0], move |token| {
        f.poll_read_lines(token, hint, &mut lines)
            .map(|r| r.map(|()| Outcome::Lines(std::mem::take(&mut lines), f.is_text())))
    })
}

/// `readinto` has read; the state holds the buffer.
static READINTO: Row = Row {
    name: "readinto",
    catches: false,
    resume: |vm, state, answer| {
        let read = answer.value()?;
        let Some(b) = read.get::<Bytes>() else { return Ok(Value::NONE) };
        args::with_writable(state[0], |buffer| {
            let n = b.bytes().len().min(buffer.len());
            buffer[..n].copy_from_slice(&b.bytes()[..n]);
        });
        Ok(vm.len_value(b.bytes().len()))
    },
};

fn readinto<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(room) = args::with_writable(args[1], |buffer| buffer.len()) else {
        let t = vm.type_name(args[1]);
        let text = format!("readinto() argument must be read-write bytes-like object, not {t}");
        return Err(vm.type_error(text));
    };
    if let Behind::File(f) = behind(vm, args[0])?
        && f.is_closed()
        && !f.is_unbuffered()
    {
        return Err(vm.value_error("readinto of closed file"));
    }
    let n = vm.len_value(room);
    let read = vm.getattr(args[0], vm.intern("read"))?;
    Err(Exit::call(read, vec![n], &READINTO, vec![args[1]]))
}

fn write<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let behind = behind(vm, args[0])?;
    let is_text = match &behind {
        Behind::File(f) => f.is_text(),
        Behind::Text(_) => true,
        Behind::Stdin(text) => *text,
        Behind::Bytes(_) => false,
    };
    let data;
    let bytes = if is_text {
        let Some(s) = args[1].get::<Str>() else {
            let t = vm.type_name(args[1]);
            return Err(vm.type_error(format!("write() argument must be str, not {t}")));
        };
        s.bytes()
    } else {
        data = args::buffer(vm, args[1])?;
        &data
    };
    let length = args[1].get::<Str>().map_or(bytes.len(), |s| s.char_len());
    match behind {
        Behind::Text(stream) => {
            if std::str::from_utf8(bytes).is_err() {
                return Err(file_error(vm, &no_surrogates(bytes)));
            }
            write_std(vm, stream, bytes)?;
            Ok(vm.len_value(length))
        }
        Behind::Bytes(stream) => {
            write_std(vm, stream, bytes)?;
            Ok(vm.len_value(length))
        }
        Behind::File(f) => {
            let mut taken = false;
            let now = f.poll_write(super::token(vm)?, bytes, &mut taken);
            match now {
                Poll::Ready(Ok(n)) => Ok(vm.len_value(n)),
                Poll::Ready(Err(e)) => Err(file_error(vm, &e)),
                Poll::Pending => {
                    let bytes = bytes.to_vec();
                    drive(vm, args[0], move |token| {
                        f.poll_write(token, &bytes, &mut taken)
                            .map(|r| r.map(|n| Outcome::Number(n as u64)))
                    })
                }
            }
        }
        Behind::Stdin(_) => Err(file_error(vm, &FileError::Unsupported("not writable".into()))),
    }
}

fn write_std<'v>(vm: &'v Vm, stream: Stream, bytes: &[u8]) -> Result<(), Exit<'v>> {
    engine(vm)?;
    vm.host().write(stream, bytes).map_err(|e| file_error(vm, &FileError::from_io(e)))
}

/// The error of text that UTF-8 cannot hold.
fn no_surrogates(text: &[u8]) -> FileError {
    let mut start = 0;
    for chunk in text.utf8_chunks() {
        start += chunk.valid().chars().count();
        if !chunk.invalid().is_empty() {
            break;
        }
    }
    FileError::Encode {
        encoding: "utf-8",
        input: text.to_vec(),
        start,
        end: start + 1,
        reason: "surrogates not allowed",
    }
}

/// State: the file, the list of lines, the index of the next.
static WRITELINES: Row = Row {
    name: "writelines",
    catches: false,
    resume: |vm, state, answer| {
        answer.value()?;
        write_next(vm, state[0], state[1], state[2].as_small().unwrap_or(0) as usize)
    },
};

/// `list(lines)` is there.
static COLLECTED: Row = Row {
    name: "writelines_list",
    catches: false,
    resume: |vm, state, answer| write_next(vm, state[0], answer.value()?, 0),
};

fn writelines<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if let Behind::File(f) = behind(vm, args[0])?
        && f.is_closed()
    {
        return Err(file_error(vm, &FileError::closed()));
    }
    let list = vm.class_value(Type::List);
    Err(Exit::call(list, vec![args[1]], &COLLECTED, vec![args[0]]))
}

fn write_next<'v>(vm: &'v Vm, f: Value<'v>, lines: Value<'v>, from: usize) -> NResult<'v> {
    use miniscript_vm::object::seq::List;
    let Some(list) = lines.get::<List>() else { return Ok(Value::NONE) };
    let mut i = from;
    while let Some(line) = list.get(i) {
        i += 1;
        match write(vm, &[f, line]) {
            Ok(_) => {}
            Err(Exit::Do(action)) => {
                let write = vm.getattr(f, vm.intern("write"))?;
                // The data is in the buffer; an empty write waits until it is written out.
                drop(action);
                let nothing = if line.is_a::<Str>() { vm.str("")? } else { vm.bytes(b"")? };
                let state = vec![f, lines, Value::len(i)];
                return Err(Exit::call(write, vec![nothing], &WRITELINES, state));
            }
            Err(e) => return Err(e),
        }
    }
    Ok(Value::NONE)
}

fn seek<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let f = positioned(vm, args[0])?;
    let integer = |v: Value<'v>| {
        number(v).ok_or_else(|| {
            let t = vm.type_name(v);
            vm.type_error(format!("'{t}' object cannot be interpreted as an integer"))
        })
    };
    let offset = integer(args[1])?;
    let whence = if args[2].is_empty() { 0 } else { integer(args[2])? };
    let whence = u32::try_from(whence).unwrap_or(u32::MAX);
    drive(vm, args[0], move |token| {
        f.poll_seek(token, offset, whence).map(|r| r.map(Outcome::Number))
    })
}

fn tell<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let f = positioned(vm, args[0])?;
    drive(vm, args[0], move |token| f.poll_tell(token).map(|r| r.map(Outcome::Number)))
}

fn truncate<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let f = positioned(vm, args[0])?;
    let len = if args[1].is_empty() { None } else { number(args[1]) };
    drive(vm, args[0], move |token| f.poll_truncate(token, len).map(|r| r.map(Outcome::Number)))
}

fn positioned<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Rc<OpenFile>, Exit<'v>> {
    let unsupported = FileError::Unsupported("underlying stream is not seekable".into());
    std_file(vm, &behind(vm, v)?)?.ok_or_else(|| file_error(vm, &unsupported))
}

fn flush<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match behind(vm, args[0])? {
        Behind::Text(stream) | Behind::Bytes(stream) => {
            let host = engine(vm)?;
            let out = if stream == Stream::Out { &host.stdout } else { &host.stderr };
            out.flush().map_err(|e| file_error(vm, &FileError::from_io(e)))?;
            Ok(Value::NONE)
        }
        Behind::Stdin(_) => Ok(Value::NONE),
        Behind::File(f) => {
            drive(vm, args[0], move |token| f.poll_flush(token).map(|r| r.map(|()| Outcome::None)))
        }
    }
}

fn close<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match behind(vm, args[0])? {
        Behind::File(f) => {
            drive(vm, args[0], move |token| f.poll_close(token).map(|r| r.map(|()| Outcome::None)))
        }
        _ => flush(vm, &args[..1]),
    }
}

/// Readable, writable, seekable.
type Can = (bool, bool, bool);

fn ability<'v>(vm: &'v Vm, v: Value<'v>, which: fn(Can) -> bool) -> NResult<'v> {
    let can = match std_file(vm, &behind(vm, v)?)? {
        Some(f) if f.is_closed() => return Err(file_error(vm, &FileError::raw_closed())),
        Some(f) => {
            let can = f.abilities();
            (can.readable, can.writable, can.seekable)
        }
        None => (false, true, false),
    };
    Ok(Value::bool(which(can)))
}

fn isatty<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let host = engine(vm)?;
    Ok(Value::bool(match behind(vm, args[0])? {
        Behind::Text(Stream::Out) | Behind::Bytes(Stream::Out) => host.stdout.is_terminal(),
        Behind::Text(Stream::Err) | Behind::Bytes(Stream::Err) => host.stderr.is_terminal(),
        other => match std_file(vm, &other)? {
            Some(f) if f.is_closed() => return Err(file_error(vm, &FileError::raw_closed())),
            f => f.is_some_and(|f| f.is_terminal()),
        },
    }))
}

fn fileno<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match behind(vm, args[0])? {
        Behind::Stdin(_) => Ok(vm.int(0)),
        Behind::Text(stream) | Behind::Bytes(stream) => {
            Ok(vm.int(if stream == Stream::Out { 1 } else { 2 }))
        }
        #[cfg(unix)]
        Behind::File(f) => match f.fileno() {
            Some(n) => Ok(vm.int(n.into())),
            None => Err(file_error(vm, &FileError::raw_closed())),
        },
        #[cfg(not(unix))]
        Behind::File(_) => Err(file_error(vm, &FileError::Unsupported("fileno".into()))),
    }
}

fn enter<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match behind(vm, args[0])? {
        Behind::File(f) if f.is_closed() => Err(file_error(vm, &FileError::closed())),
        _ => Ok(args[0]),
    }
}

fn closed<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(Value::bool(matches!(behind(vm, args[0])?, Behind::File(f) if f.is_closed())))
}

fn name<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match (given_name(args[0]), behind(vm, args[0])?) {
        (Some(n), _) => vm.str(n),
        (None, Behind::File(f)) => os_text(vm, f.path().as_os_str()),
        _ => fileno(vm, args),
    }
}

fn mode<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let mode = match behind(vm, args[0])? {
        Behind::File(f) => return vm.str(f.mode()),
        Behind::Stdin(true) => "r",
        Behind::Stdin(false) => "rb",
        Behind::Text(_) => "w",
        Behind::Bytes(_) => "wb",
    };
    vm.str(mode)
}

fn encoding<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match behind(vm, args[0])? {
        Behind::File(f) => match f.coding() {
            Some([name, _]) => vm.str(name),
            None => Err(vm.no_attribute(args[0], vm.intern("encoding").word())),
        },
        _ => vm.str("utf-8"),
    }
}

fn errors<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match behind(vm, args[0])? {
        Behind::File(f) => vm.str(f.coding().map_or("strict", |[_, errors]| errors)),
        _ => vm.str("strict"),
    }
}

fn newlines<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Behind::File(f) = behind(vm, args[0])? else { return Ok(Value::NONE) };
    let mut seen = Vec::new();
    for (text, was_read) in ["\r", "\n", "\r\n"].into_iter().zip(f.newlines()) {
        if was_read {
            seen.push(vm.str(text)?);
        }
    }
    match seen[..] {
        [] => Ok(Value::NONE),
        [one] => Ok(one),
        _ => vm.tuple(&seen),
    }
}

fn line_buffering<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    isatty(vm, args)
}

fn buffer<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let kept = vm.intern("_buffer");
    if let Some(known) = vm.get_attr_raw(args[0], kept) {
        return Ok(known);
    }
    let bytes = match behind(vm, args[0])? {
        Behind::Text(stream) => Behind::Bytes(stream),
        Behind::Stdin(true) => Behind::Stdin(false),
        _ => return Err(vm.no_attribute(args[0], vm.intern("buffer").word())),
    };
    let made = new_object(vm, bytes, given_name(args[0]))?;
    vm.set_attr_raw(args[0], kept, made)?;
    Ok(made)
}

fn repr<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let class = vm.type_name(args[0]);
    let name = match name(vm, args)?.get::<Str>() {
        Some(s) => format!("'{}'", s.to_display()),
        None => "?".into(),
    };
    let text = match behind(vm, args[0])? {
        Behind::File(f) if f.is_unbuffered() && f.is_closed() => format!("<_io.{class} [closed]>"),
        Behind::File(f) if f.is_unbuffered() => {
            let mode = f.mode();
            format!("<_io.{class} name={name} mode='{mode}' closefd=True>")
        }
        Behind::File(f) if f.coding().is_none() => format!("<_io.{class} name={name}>"),
        _ => {
            let show = |v: Value<'v>| v.get::<Str>().map(|s| s.to_display().into_owned());
            let mode = show(mode(vm, args)?).unwrap_or_default();
            let encoding = show(encoding(vm, args)?).unwrap_or_default();
            format!("<_io.{class} name={name} mode='{mode}' encoding='{encoding}'>")
        }
    };
    vm.str(&text)
}
