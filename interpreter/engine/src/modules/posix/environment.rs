//! The environment and the process.
//!
//! The environment is the VM's own: a copy of the process's, which scripts change for themselves
//! and the programs they start. Changing the process's would not be safe while threads run.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::{Value, Vm};
use rustix::process::Pid;

use super::{carry_out_only, int32, int64, io_error, name_of, name_value};
use crate::access::{Denied, Right, Wanted, refusal};
use crate::files::posix;
use crate::io::engine;

pub(super) const ROWS: &[NativeDef] = &[
    NativeDef::new("_environ", "", environ, "The names and values that are granted, as bytes."),
    NativeDef::new("_getenv", "name, /", getenv, "The value of a variable as bytes, or None."),
    NativeDef::new("_putenv", "name, value, /", putenv, "Set a variable (None: remove it)."),
    NativeDef::new("getcwd", "", |vm, _| cwd(vm, false), "The working directory."),
    NativeDef::new("getcwdb", "", |vm, _| cwd(vm, true), "The working directory as bytes."),
    NativeDef::new("chdir", "path", chdir, "Change the working directory."),
    NativeDef::new("umask", "mask, /", umask, "Set the mask for new files; the old one."),
    NativeDef::new("urandom", "size, /", urandom, "Bytes for secrets."),
    NativeDef::new("cpu_count", "", cpu_count, "How many processors there are."),
    NativeDef::new("getpid", "", |vm, _| Ok(vm.int(std::process::id().into())), "Process id."),
    NativeDef::new("getppid", "", getppid, "Process id of the parent."),
    NativeDef::new("getpgrp", "", |vm, _| group_of(vm, None), "Process group of the process."),
    NativeDef::new("getpgid", "pid", getpgid, "Process group of a process."),
    NativeDef::new("getuid", "", |vm, _| id(vm, rustix::process::getuid().as_raw()), "User id."),
    NativeDef::new("geteuid", "", |vm, _| id(vm, rustix::process::geteuid().as_raw()), "User id."),
    NativeDef::new("getgid", "", |vm, _| id(vm, rustix::process::getgid().as_raw()), "Group id."),
    NativeDef::new("getegid", "", |vm, _| id(vm, rustix::process::getegid().as_raw()), "Group id."),
    NativeDef::new("_uname", "", uname, "(sysname, nodename, release, version, machine)."),
    NativeDef::new("strerror", "code, /", strerror, "The text of an errno."),
    NativeDef::new("getloadavg", "", load, "Load of the last 1, 5, 15 minutes."),
    NativeDef::new("times", "", times, "Processor times of the process."),
];

/// The variables, by name.
#[derive(Default)]
struct Environment {
    vars: RefCell<Option<BTreeMap<OsString, OsString>>>,
}

/// Runs `f` on the variables, which are copied from the process when first needed.
fn with_vars<R>(vm: &Vm, f: impl FnOnce(&mut BTreeMap<OsString, OsString>) -> R) -> R {
    let environment = vm.local::<Environment>();
    let mut vars = environment.vars.borrow_mut();
    f(vars.get_or_insert_with(|| std::env::vars_os().collect()))
}

/// The whole environment, for a program that is started.
pub(super) fn all(vm: &Vm) -> Vec<(OsString, OsString)> {
    with_vars(vm, |vars| vars.iter().map(|(k, v)| (k.clone(), v.clone())).collect())
}

fn is_granted(vm: &Vm, name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    engine(vm).is_ok_and(|host| host.files.access().allows(&Wanted::Env(&name)))
}

fn check<'v>(vm: &'v Vm, name: &OsStr) -> Result<(), Exit<'v>> {
    if is_granted(vm, name) {
        return Ok(());
    }
    let text = refusal(&**engine(vm)?.files.access(), &Wanted::Env(&name.to_string_lossy()));
    Err(vm.err(Type::PermissionError, text))
}

fn environ<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    let mut items = Vec::new();
    for (name, value) in all(vm) {
        vm.tick()?;
        if is_granted(vm, &name) {
            items.push(vm.bytes(name.as_encoded_bytes())?);
            items.push(vm.bytes(value.as_encoded_bytes())?);
        }
    }
    vm.list(items)
}

/// A name or value as the system takes it.
fn text<'v>(vm: &'v Vm, v: Value<'v>) -> Result<OsString, Exit<'v>> {
    let name = name_of(vm, v, "str expected")?;
    Ok(name.path.into_os_string())
}

fn getenv<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let name = text(vm, args[0])?;
    check(vm, &name)?;
    match with_vars(vm, |vars| vars.get(&name).cloned()) {
        Some(value) => vm.bytes(value.as_encoded_bytes()),
        None => Ok(Value::NONE),
    }
}

fn putenv<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let name = text(vm, args[0])?;
    if name.is_empty() || name.as_encoded_bytes().contains(&b'=') {
        return Err(vm.value_error("illegal environment variable name"));
    }
    check(vm, &name)?;
    if args[1].is_none() {
        with_vars(vm, |vars| vars.remove(&name));
    } else {
        let value = text(vm, args[1])?;
        with_vars(vm, |vars| vars.insert(name, value));
    }
    Ok(Value::NONE)
}

fn cwd(vm: &Vm, is_bytes: bool) -> NResult<'_> {
    match std::env::current_dir() {
        Ok(path) => name_value(vm, path.as_os_str(), is_bytes),
        Err(e) => Err(io_error(vm, e)),
    }
}

fn chdir<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let what = "chdir: path should be string, bytes, os.PathLike or integer";
    let path = name_of(vm, args[0], what)?.path;
    carry_out_only(vm, |files, token| {
        files.perform(token, move |access| posix::change_dir(access, &path))
    })
}

fn umask<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let mask = int32(vm, args[0])?;
    let access = &**engine(vm)?.files.access();
    if !access.allows(&Wanted::All(Right::Write)) {
        return Err(io_error(vm, Denied::error(access, Right::Write)));
    }
    let mask = rustix::fs::Mode::from_raw_mode(mask as rustix::fs::RawMode);
    Ok(vm.int(i64::from(rustix::process::umask(mask).as_raw_mode())))
}

fn urandom<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Ok(n) = usize::try_from(int64(vm, args[0])?) else {
        return Err(vm.value_error("negative argument not allowed"));
    };
    let mut data = Vec::new();
    vm.reserve(&mut data, n)?;
    data.resize(n, 0);
    for chunk in data.chunks_mut(1 << 16) {
        vm.ticks(1000)?;
        let filled = getrandom::fill(chunk);
        filled.map_err(|e| vm.err(Type::OSError, e.to_string()))?;
    }
    vm.bytes_owned(data)
}

fn cpu_count<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    Ok(std::thread::available_parallelism().map_or(Value::NONE, |n| vm.len_value(n.get())))
}

fn getppid<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    let parent = rustix::process::getppid().map_or(0, Pid::as_raw_pid);
    Ok(vm.int(parent.into()))
}

fn getpgid<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match int32(vm, args[0])? {
        0 => group_of(vm, None),
        n if n > 0 => group_of(vm, Pid::from_raw(n)),
        _ => Err(io_error(vm, rustix::io::Errno::SRCH.into())),
    }
}

fn group_of(vm: &Vm, pid: Option<Pid>) -> NResult<'_> {
    let group = rustix::process::getpgid(pid).map_err(|e| io_error(vm, e.into()))?;
    Ok(vm.int(group.as_raw_pid().into()))
}

fn id(vm: &Vm, id: u32) -> NResult<'_> {
    Ok(vm.int(id.into()))
}

fn uname<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    let u = rustix::system::uname();
    let mut items = Vec::new();
    for part in [u.sysname(), u.nodename(), u.release(), u.version(), u.machine()] {
        items.push(vm.str(&part.to_string_lossy())?);
    }
    vm.tuple(&items)
}

fn strerror<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let code = int32(vm, args[0])?;
    let shown = std::io::Error::from_raw_os_error(code).to_string();
    vm.str(shown.strip_suffix(&format!(" (os error {code})")).unwrap_or(&shown))
}

fn load<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    #[cfg(target_os = "linux")]
    {
        // Fixed-point numbers with 16 bits behind the point.
        let loads = rustix::system::sysinfo().loads;
        vm.tuple(&loads.map(|n| Value::float(n as f64 / 65536.0)))
    }
    #[cfg(not(target_os = "linux"))]
    Err(vm.err(Type::OSError, "Load averages are unobtainable"))
}

fn times<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    use rustix::time::{ClockId, clock_gettime};
    let seconds = |t: rustix::time::Timespec| t.tv_sec as f64 + t.tv_nsec as f64 * 1e-9;
    let user = seconds(clock_gettime(ClockId::ProcessCPUTime));
    let elapsed = seconds(clock_gettime(ClockId::Monotonic));
    vm.tuple(&[user, 0.0, 0.0, 0.0, elapsed].map(Value::float))
}
