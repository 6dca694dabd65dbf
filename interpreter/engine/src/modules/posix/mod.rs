//! `posix`: what the system offers, for the modules `os`, `posixpath` and others, which are
//! written in MiniScript. Each call asks for the rights it needs.
//!
//! ```text
//! files        the file service's operations on paths
//! descriptors  open, read, write, pipe: the descriptors that this VM has made
//! environment  the VM's own copy of the environment, and where and who the process is
//! spawn        programs: started, waited for
//! signals      the handlers that scripts set, and signals sent
//! ```

mod descriptors;
mod environment;
mod files;
mod signals;
mod spawn;

use std::path::PathBuf;
use std::task::Poll;

use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::text::{Bytes, Str};
use miniscript_vm::{Value, Vm};

use crate::errors::{file_error, os_path, os_text};
use crate::files::{FileError, FileOp};
use crate::io::{engine, token};
use crate::reactor::TaskToken;
use crate::scheduler::{Wait, suspend};

pub(crate) use descriptors::open_descriptor;
pub(crate) use signals::Signals;

pub(super) const DOC: &str = "What the operating system offers.";

/// Adds the functions and constants.
pub(super) fn fill<'v>(vm: &'v Vm, d: &'v Dict) -> Result<(), Exit<'v>> {
    for table in [files::ROWS, descriptors::ROWS, environment::ROWS, spawn::ROWS] {
        add(vm, d, table)?;
    }
    for (name, n) in descriptors::FLAGS {
        vm.dict_set_name(d, vm.intern(name), vm.int((*n).into()))?;
    }
    for (name, n) in files::ACCESS {
        vm.dict_set_name(d, vm.intern(name), vm.int(*n))?;
    }
    vm.dict_set_name(d, vm.intern("stat_result"), Value::object(files::STAT.class.of(vm)?))?;
    vm.dict_set_name(d, vm.intern("_Process"), Value::object(spawn::PROCESS.of(vm)?))?;
    Ok(())
}

pub(super) const SIGNAL_DOC: &str = "Signals, for the module signal.";

/// The same for `_signal`.
pub(super) fn fill_signal<'v>(vm: &'v Vm, d: &'v Dict) -> Result<(), Exit<'v>> {
    add(vm, d, signals::ROWS)?;
    for (name, n) in signals::NUMBERS {
        vm.dict_set_name(d, vm.intern(name), vm.int((*n).into()))?;
    }
    Ok(())
}

fn add<'v>(vm: &'v Vm, d: &'v Dict, table: &'static [NativeDef]) -> Result<(), Exit<'v>> {
    for def in table {
        let native = vm.foreign_native(def, Value::EMPTY, Value::EMPTY, 0);
        vm.dict_set_name(d, vm.intern(def.name), native)?;
    }
    Ok(())
}

/// A path that a script gave, and whether as bytes: names that come back are then bytes too.
pub(super) struct Name {
    pub(super) path: PathBuf,
    pub(super) is_bytes: bool,
}

/// An argument as a path. An object with `__fspath__` is asked, and the native runs again.
/// `what` is the start of the message for other objects: `"mkdir: path should be string, .."`.
pub(super) fn name_of<'v>(vm: &'v Vm, v: Value<'v>, what: &'static str) -> Result<Name, Exit<'v>> {
    let (bytes, is_bytes) = match (v.get::<Str>(), v.get::<Bytes>()) {
        (Some(s), _) => (s.bytes(), false),
        (_, Some(b)) => (b.bytes(), true),
        _ => {
            if vm.method(v, vm.intern("__fspath__").word())?.is_some() {
                return Err(Exit::path_of(v));
            }
            let t = vm.type_name(v);
            return Err(vm.type_error(format!("{what}, not {t}")));
        }
    };
    if bytes.contains(&0) {
        return Err(vm.value_error("embedded null byte"));
    }
    Ok(Name { path: os_path(bytes), is_bytes })
}

/// A name of the system as a script wants it: bytes if it gave bytes.
pub(super) fn name_value<'v>(vm: &'v Vm, name: &std::ffi::OsStr, is_bytes: bool) -> NResult<'v> {
    if is_bytes { vm.bytes(name.as_encoded_bytes()) } else { os_text(vm, name) }
}

/// An argument as an int of 32 bits.
pub(super) fn int32<'v>(vm: &'v Vm, v: Value<'v>) -> Result<i32, Exit<'v>> {
    match int64(vm, v)? {
        n if n > i64::from(i32::MAX) => {
            Err(vm.overflow_error("signed integer is greater than maximum"))
        }
        n => i32::try_from(n).map_err(|_| vm.overflow_error("signed integer is less than minimum")),
    }
}

/// An argument as an int of 64 bits.
pub(super) fn int64<'v>(vm: &'v Vm, v: Value<'v>) -> Result<i64, Exit<'v>> {
    match vm.as_index_i64(v) {
        Some(Ok(n)) => Ok(n),
        Some(Err(())) => Err(vm.overflow_error("Python int too large to convert to C int")),
        None => match vm.index_of(v)?.as_small() {
            Some(n) => Ok(n),
            None => Err(vm.overflow_error("Python int too large to convert to C int")),
        },
    }
}

/// The truth of an optional argument.
pub(super) fn flag<'v>(vm: &'v Vm, v: Value<'v>, default: bool) -> Result<bool, Exit<'v>> {
    if v.is_empty() { Ok(default) } else { vm.truth(v) }
}

/// NotImplementedError for a `dir_fd` that is given.
pub(super) fn no_dir_fd<'v>(vm: &'v Vm, v: Value<'v>) -> Result<(), Exit<'v>> {
    if v.is_empty() || v.is_none() {
        return Ok(());
    }
    let class = miniscript_vm::builtins::Type::NotImplementedError;
    Err(vm.err(class, "dir_fd unavailable on this platform"))
}

/// The exception of an I/O error without a path.
pub(super) fn io_error<'v>(vm: &'v Vm, error: std::io::Error) -> Exit<'v> {
    file_error(vm, &FileError::from_io(error))
}

/// Makes a value of what an operation brought.
type Done<T> = Box<dyn for<'v> FnOnce(&'v Vm, T) -> NResult<'v>>;

/// An operation of the file service under way.
struct OpWait<T> {
    op: FileOp<T>,
    done: Option<Done<T>>,
}

impl<T> Wait for OpWait<T> {
    fn poll<'v>(&mut self, vm: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        self.op.poll(token).map(|outcome| {
            let found = outcome.map_err(|e| file_error(vm, &e))?;
            self.done.take().map_or(Ok(Value::NONE), |done| done(vm, found))
        })
    }
}

/// Carries out an operation of the file service; the task waits if it takes time.
pub(super) fn carry_out<'v, T: 'static>(
    vm: &'v Vm,
    start: impl FnOnce(&crate::files::FileService, TaskToken) -> FileOp<T>,
    done: impl for<'a> FnOnce(&'a Vm, T) -> NResult<'a> + 'static,
) -> NResult<'v> {
    let (host, token) = (engine(vm)?, token(vm)?);
    let mut wait = OpWait { op: start(&host.files, token), done: Some(Box::new(done)) };
    match wait.poll(vm, token) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(suspend(wait)),
    }
}

/// The same for operations that bring nothing.
pub(super) fn carry_out_only<'v>(
    vm: &'v Vm,
    start: impl FnOnce(&crate::files::FileService, TaskToken) -> FileOp<()>,
) -> NResult<'v> {
    carry_out(vm, start, |_, ()| Ok(Value::NONE))
}
