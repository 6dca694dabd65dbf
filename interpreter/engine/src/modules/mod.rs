//! The bundled modules that need the engine, as rows; the others are those of
//! [`miniscript_stdlib::MODULES`].

mod contextvars;
#[cfg(unix)]
mod errno;
mod gc;
mod interactive;
#[cfg(not(unix))]
mod no_posix;
#[cfg(unix)]
mod posix;
#[cfg(unix)]
mod socket;
mod sys;
mod tasks;
mod time;
mod traceback;

use miniscript_stdlib::memory_file::{BYTES_IO, STRING_IO, UNSUPPORTED};
use miniscript_stdlib::{ModuleDef, Source};
use miniscript_vm::native::Exit;
use miniscript_vm::{Value, Vm};

#[cfg(not(unix))]
pub(crate) use no_posix::{Signals, open_descriptor};
#[cfg(unix)]
pub(crate) use posix::{Signals, open_descriptor};
pub(crate) use sys::{Settings, folders as sys_folders, folders_of, script_hook, set_start};

/// A module that is a file among the sources of bundled modules.
macro_rules! source {
    ($name:literal, $file:literal) => {
        ModuleDef::source($name, $file)
    };
}

static MODULES: &[ModuleDef] = &[
    ModuleDef::native("sys", sys::DOC, sys::FUNCTIONS).fill(sys::fill),
    ModuleDef::native("_tasks", tasks::DOC, tasks::FUNCTIONS),
    source!("contextvars", "contextvars.ms").with(contextvars::FUNCTIONS),
    source!("time", "time.ms").with(time::FUNCTIONS).fill(time::fill),
    #[cfg(unix)]
    ModuleDef::native("errno", errno::DOC, &[]).fill(errno::fill),
    #[cfg(unix)]
    ModuleDef::native("posix", posix::DOC, &[]).fill(posix::fill),
    #[cfg(unix)]
    ModuleDef::native("_signal", posix::SIGNAL_DOC, &[]).fill(posix::fill_signal),
    source!("_io_more", "_io_more.ms"),
    source!("io", "io.ms").classes(&[&STRING_IO, &BYTES_IO, &UNSUPPORTED]).fill(crate::io::fill),
    #[cfg(unix)]
    source!("os", "os.ms"),
    #[cfg(unix)]
    source!("posixpath", "posixpath.ms"),
    #[cfg(unix)]
    source!("getpass", "getpass.ms"),
    #[cfg(unix)]
    source!("glob", "glob.ms"),
    #[cfg(unix)]
    source!("pathlib", "pathlib.ms"),
    #[cfg(unix)]
    source!("platform", "platform.ms"),
    #[cfg(unix)]
    source!("shutil", "shutil.ms"),
    #[cfg(unix)]
    source!("signal", "signal.ms"),
    #[cfg(unix)]
    source!("subprocess", "subprocess.ms"),
    #[cfg(unix)]
    source!("tempfile", "tempfile.ms"),
    source!("asyncio", "asyncio/__init__.ms"),
    source!("asyncio.base_events", "asyncio/base_events.ms"),
    source!("asyncio.coroutines", "asyncio/coroutines.ms"),
    source!("asyncio.events", "asyncio/events.ms"),
    source!("asyncio.exceptions", "asyncio/exceptions.ms"),
    source!("asyncio.futures", "asyncio/futures.ms"),
    source!("asyncio.locks", "asyncio/locks.ms"),
    source!("asyncio.log", "asyncio/log.ms"),
    source!("asyncio.queues", "asyncio/queues.ms"),
    source!("asyncio.runners", "asyncio/runners.ms"),
    source!("asyncio.taskgroups", "asyncio/taskgroups.ms"),
    source!("asyncio.tasks", "asyncio/tasks.ms"),
    source!("asyncio.threads", "asyncio/threads.ms"),
    source!("asyncio.timeouts", "asyncio/timeouts.ms"),
    source!("concurrent", "concurrent/__init__.ms"),
    source!("concurrent.futures", "concurrent/futures/__init__.ms"),
    source!("concurrent.futures._base", "concurrent/futures/_base.ms"),
    source!("concurrent.futures.thread", "concurrent/futures/thread.ms"),
    source!("queue", "queue.ms"),
    source!("threading", "threading/__init__.ms"),
    source!("threading._locks", "threading/_locks.ms"),
    #[cfg(unix)]
    ModuleDef::native("_socket", socket::DOC, socket::FUNCTIONS),
    #[cfg(unix)]
    source!("socket", "socket/__init__.ms"),
    #[cfg(unix)]
    source!("socket._constants", "socket/_constants.ms"),
    #[cfg(unix)]
    source!("socket._names", "socket/_names.ms"),
    source!("calendar", "calendar.ms"),
    source!("datetime", "datetime.ms"),
    source!("_datetime_text", "_datetime_text.ms"),
    source!("zoneinfo", "zoneinfo.ms"),
    source!("sched", "sched.ms"),
    ModuleDef::native("gc", gc::DOC, gc::FUNCTIONS),
    source!("traceback", "traceback.ms").with(traceback::FUNCTIONS),
];

fn rows() -> impl Iterator<Item = &'static ModuleDef> {
    MODULES.iter().chain(miniscript_stdlib::MODULES)
}

/// The bundled module of that name.
pub(crate) fn find(name: &str) -> Option<&'static ModuleDef> {
    rows().find(|row| row.name == name)
}

/// Whether the bundled module `name` has submodules.
pub(crate) fn is_package(name: &str) -> bool {
    rows().any(|row| row.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

/// The names and texts of those that have one.
pub(crate) fn sources() -> impl Iterator<Item = (&'static str, &'static Source)> {
    rows().filter_map(|row| row.source.map(|source| (row.name, source)))
}

/// Names of the modules that are part of the interpreter: `sys.builtin_module_names`.
pub fn bundled_modules() -> impl Iterator<Item = &'static str> {
    ["builtins"].into_iter().chain(rows().map(|row| row.name))
}

/// What every program finds: `builtins` in `sys.modules`, the builtin functions of the engine.
/// `sys` is made when it is first imported: it is a fifth of what a start would do.
pub(crate) fn install(vm: &Vm) -> Result<(), Exit<'_>> {
    let builtins = vm.builtins_module();
    vm.dict_set_name(vm.modules(), vm.intern("builtins"), builtins)?;
    let open = vm.foreign_native(&crate::io::OPEN, Value::EMPTY, Value::EMPTY, 0);
    vm.dict_set_name(vm.builtins(), vm.intern("open"), open)?;
    for row in interactive::BUILTINS {
        let native = vm.foreign_native(row, Value::EMPTY, Value::EMPTY, 0);
        vm.dict_set_name(vm.builtins(), vm.intern(row.name), native)?;
    }
    crate::scheduler::install(vm)
}
