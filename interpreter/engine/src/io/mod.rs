//! Python's file objects: the builtin `open`, `sys.stdin`, `sys.stdout` and `sys.stderr`.
//!
//! What they do is the file service's business; here it becomes native methods that suspend the
//! task while the service is busy.

mod file;
mod open;
mod std_streams;

use std::cell::RefCell;
use std::rc::Rc;
use std::task::Poll;

use miniscript_vm::host::Stream;
use miniscript_vm::native::{Exit, NResult, Row};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::{Value, Vm};

use crate::errors::file_error;
use crate::files::{FileResult, OpenFile};
use crate::host::EngineHost;
use crate::reactor::TaskToken;
use crate::scheduler::{Wait, suspend_then};
use miniscript_stdlib::ClassDef;

pub(crate) use open::OPEN;
pub(crate) use std_streams::{read_line, standard, std_file};

/// What is behind a file object.
#[derive(Clone)]
pub(crate) enum Behind {
    /// A file.
    File(Rc<OpenFile>),
    /// Standard output or error as text.
    Text(Stream),
    /// The same as bytes.
    Bytes(Stream),
    /// Standard input, as text or bytes; opened when it is first used.
    Stdin(bool),
}

struct FileObject {
    behind: Behind,
    /// Lines of `readlines` that came before it had to wait.
    name: Option<&'static str>,
}

impl Payload for FileObject {}

const fn class(name: &'static str) -> ClassDef {
    ClassDef::closed("_io", name, "A file object.", file::METHODS)
}

static TEXT: ClassDef = class("TextIOWrapper");
static READER: ClassDef = class("BufferedReader");
static WRITER: ClassDef = class("BufferedWriter");
static RANDOM: ClassDef = class("BufferedRandom");
static RAW: ClassDef = class("FileIO");

/// What the module `io` has of this: `open`, and the classes under names with `_`.
pub(crate) fn fill<'v>(vm: &'v Vm, d: &'v Dict) -> Result<(), Exit<'v>> {
    let open = vm.foreign_native(&OPEN, Value::EMPTY, Value::EMPTY, 0);
    vm.dict_set_name(d, vm.intern("open"), open)?;
    for class in [&TEXT, &READER, &WRITER, &RANDOM, &RAW] {
        let name = format!("_{}", class.name);
        vm.dict_set_name(d, vm.intern(&name), Value::object(class.of(vm)?))?;
    }
    Ok(())
}

/// The object of an open file or stream.
pub(crate) fn new_object<'v>(
    vm: &'v Vm,
    behind: Behind,
    name: Option<&'static str>,
) -> NResult<'v> {
    let def = match &behind {
        Behind::Text(_) | Behind::Stdin(true) => &TEXT,
        Behind::Bytes(_) => &WRITER,
        Behind::Stdin(false) => &READER,
        Behind::File(f) if f.is_text() => &TEXT,
        Behind::File(f) if f.is_unbuffered() => &RAW,
        Behind::File(f) => match (f.abilities().readable, f.abilities().writable) {
            (true, true) => &RANDOM,
            (false, _) => &WRITER,
            _ => &READER,
        },
    };
    let class = def.of(vm)?;
    Ok(vm.opaque(class, Some(Box::new(FileObject { behind, name }))))
}

pub(crate) fn engine(vm: &Vm) -> Result<&EngineHost, Exit<'_>> {
    EngineHost::of(vm).ok_or_else(|| vm.runtime_error("files need an engine"))
}

/// What is behind a file object.
pub(crate) fn behind<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Behind, Exit<'v>> {
    v.get::<Opaque>()
        .and_then(|o| o.with(|f: &mut FileObject| f.behind.clone()))
        .ok_or_else(|| vm.type_error(format!("a file is required, not {}", vm.type_name(v))))
}

fn given_name(v: Value<'_>) -> Option<&'static str> {
    v.get::<Opaque>().and_then(|o| o.with(|f: &mut FileObject| f.name)).flatten()
}

/// What an operation gives.
pub(crate) enum Outcome {
    Text(Vec<u8>),
    Bytes(Vec<u8>),
    Number(u64),
    Lines(Vec<Vec<u8>>, bool),
    /// Empty is the end of an iteration.
    Line(Vec<u8>, bool),
    File(Rc<OpenFile>),
    None,
}

fn value<'v>(vm: &'v Vm, outcome: Outcome) -> NResult<'v> {
    let text = |data: Vec<u8>, is_text: bool| {
        if is_text { vm.str_owned(data) } else { vm.bytes_owned(data) }
    };
    match outcome {
        Outcome::Text(data) => text(data, true),
        Outcome::Bytes(data) => text(data, false),
        Outcome::Number(n) => Ok(vm.uint(n)),
        Outcome::Line(data, _) if data.is_empty() => Err(vm.stop_iteration(Value::NONE)),
        Outcome::Line(data, is_text) => text(data, is_text),
        Outcome::Lines(lines, is_text) => {
            let mut items = Vec::with_capacity(lines.len());
            for line in lines {
                items.push(text(line, is_text)?);
            }
            vm.list(items)
        }
        Outcome::File(file) => new_object(vm, Behind::File(file), None),
        Outcome::None => Ok(Value::NONE),
    }
}

type Attempt = Box<dyn FnMut(TaskToken) -> Poll<FileResult<Outcome>>>;

/// An operation under way, and the file that gathers what it brings in.
struct FileWait {
    attempt: Attempt,
    file: Option<Rc<OpenFile>>,
}

impl Wait for FileWait {
    fn poll<'v>(&mut self, vm: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        let polled = (self.attempt)(token);
        // A device may have no end.
        if polled.is_pending()
            && let Some(file) = &self.file
            && vm.check(file.gathered()).is_err()
        {
            file.forget_gathered();
            return Poll::Ready(Err(vm.memory_error()));
        }
        polled.map(|r| finish(vm, r))
    }
}

fn finish(vm: &Vm, result: FileResult<Outcome>) -> NResult<'_> {
    result.map_err(|e| file_error(vm, &e)).and_then(|outcome| value(vm, outcome))
}

static WAITED: Row = Row { name: "file", catches: false, resume: |_, _, answer| answer.value() };

/// Carries out an operation, suspending the task if it takes time; `object` is kept alive.
pub(crate) fn drive<'v>(
    vm: &'v Vm,
    object: Value<'v>,
    mut attempt: impl FnMut(TaskToken) -> Poll<FileResult<Outcome>> + 'static,
) -> NResult<'v> {
    match attempt(token(vm)?) {
        Poll::Ready(result) => finish(vm, result),
        Poll::Pending => {
            let file = match behind(vm, object) {
                Ok(Behind::File(file)) => Some(file),
                _ => None,
            };
            let wait = FileWait { attempt: Box::new(attempt), file };
            Err(suspend_then(wait, &WAITED, vec![object]))
        }
    }
}

/// The token of the running task.
pub(crate) fn token(vm: &Vm) -> Result<TaskToken, Exit<'_>> {
    let task = engine(vm)?.scheduler.running();
    Ok(task.map_or(TaskToken::from_bits(0), |t| t.token.get()))
}

/// Standard input, opened when it is first used.
#[derive(Default)]
pub(crate) struct Stdin {
    text: RefCell<Option<Rc<OpenFile>>>,
    bytes: RefCell<Option<Rc<OpenFile>>>,
}
