//! `sys.stdin`, `sys.stdout`, `sys.stderr`, and the line that `input()` reads.

use std::fs::File;
use std::path::Path;
use std::rc::Rc;
use std::task::Poll;

use miniscript_vm::builtins::Type;
use miniscript_vm::host::Stream;
use miniscript_vm::native::{Answer, NResult, Row};
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

use super::{Behind, Outcome, Stdin, drive, engine, new_object};
use crate::access::{Denied, Right, Wanted};
use crate::errors::file_error;
use crate::files::{FileError, FileResult, FileService, OpenArgs, OpenFile, OpenMode};

impl Stdin {
    /// The file behind standard input. Text and bytes share nothing but the descriptor.
    pub(crate) fn get(&self, files: &FileService, text: bool) -> FileResult<Rc<OpenFile>> {
        let slot = if text { &self.text } else { &self.bytes };
        let access = &**files.access();
        if !access.allows(&Wanted::Stdin) {
            return Err(FileError::from_io(Denied::error(access, Right::Stdin)));
        }
        if let Some(file) = &*slot.borrow() {
            return Ok(Rc::clone(file));
        }
        let mode = OpenMode::parse(&OpenArgs {
            mode: if text { "r" } else { "rb" },
            ..OpenArgs::default()
        })?;
        let file = files.adopt(duplicate()?, Path::new("<stdin>"), mode)?;
        *slot.borrow_mut() = Some(Rc::clone(&file));
        Ok(file)
    }
}

impl Stdin {
    /// Ends reads that wait for a line at a terminal: the prompt reads it now.
    pub(crate) fn abandon_reads(&self) {
        for file in [&self.text, &self.bytes] {
            let file = file.borrow().clone();
            file.iter().for_each(|file| file.abandon_read());
        }
    }
}

#[cfg(unix)]
fn duplicate() -> FileResult<File> {
    use std::os::fd::AsFd;
    let fd = std::io::stdin().as_fd().try_clone_to_owned().map_err(FileError::from_io)?;
    Ok(File::from(fd))
}

#[cfg(windows)]
fn duplicate() -> FileResult<File> {
    use std::os::windows::io::AsHandle;
    let handle = std::io::stdin().as_handle().try_clone_to_owned().map_err(FileError::from_io)?;
    Ok(File::from(handle))
}

/// The file behind what a file object is over, if it is one.
pub(crate) fn std_file<'v>(
    vm: &'v Vm,
    behind: &Behind,
) -> Result<Option<Rc<OpenFile>>, miniscript_vm::native::Exit<'v>> {
    match behind {
        Behind::File(file) => Ok(Some(Rc::clone(file))),
        Behind::Stdin(text) => {
            let host = engine(vm)?;
            let file = host.stdin.get(&host.files, *text).map_err(|e| file_error(vm, &e))?;
            Ok(Some(file))
        }
        Behind::Text(_) | Behind::Bytes(_) => Ok(None),
    }
}

/// The objects of `sys`: stdin, stdout, stderr.
pub(crate) fn standard<'v>(vm: &'v Vm) -> Result<[Value<'v>; 3], miniscript_vm::native::Exit<'v>> {
    Ok([
        new_object(vm, Behind::Stdin(true), Some("<stdin>"))?,
        new_object(vm, Behind::Text(Stream::Out), Some("<stdout>"))?,
        new_object(vm, Behind::Text(Stream::Err), Some("<stderr>"))?,
    ])
}

/// A line was read for `input()`: without its end, or EOFError.
static LINE: Row = Row {
    name: "input_line",
    catches: false,
    resume: |vm, _, answer: Answer<'_>| input_line(vm, answer.value()?),
};

fn input_line<'v>(vm: &'v Vm, line: Value<'v>) -> NResult<'v> {
    let Some(s) = line.get::<Str>() else { return Ok(line) };
    match s.bytes() {
        [] => Err(vm.err(Type::EOFError, "EOF when reading a line")),
        [text @ .., b'\n'] => vm.str_bytes(text),
        text => vm.str_bytes(text),
    }
}

/// The next line of standard input, for `input()`.
pub(crate) fn read_line(vm: &Vm) -> NResult<'_> {
    let host = engine(vm)?;
    // The prompt is to be seen before the wait.
    let _ = host.stdout.flush();
    let file = host.stdin.get(&host.files, true).map_err(|e| file_error(vm, &e))?;
    let attempt = move |token| -> Poll<FileResult<Outcome>> {
        file.poll_read_line(token, None).map(|r| r.map(Outcome::Text))
    };
    match drive(vm, Value::NONE, attempt) {
        Ok(line) => input_line(vm, line),
        Err(miniscript_vm::native::Exit::Do(mut action)) => {
            if let miniscript_vm::native::Action::Suspend { then: Some(then), .. } = &mut *action {
                then.row = &LINE;
            }
            Err(miniscript_vm::native::Exit::Do(action))
        }
        e => e,
    }
}
