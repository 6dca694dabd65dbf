//! Programs. One is asked for by the name that the script gave; a bare name is looked for in the
//! `PATH` of the environment, under a guard always in that of this process.
//!
//! A thread of the pool watches for the end of a program that somebody waits for, and leaves it to
//! be collected on the VM's thread. So a number is never signalled that belongs to another process
//! by now.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::task::Poll;

use miniscript_stdlib::ClassDef;
use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::{Value, Vm};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};

use super::{descriptors, environment, flag, int32, io_error, name_of};
use crate::access::{Right, Wanted, refusal};
use crate::files::FileError;
use crate::io::engine;
use crate::reactor::{Job, TaskToken};
use crate::scheduler::{Timer, Wait, duration, suspend};

pub(super) const ROWS: &[NativeDef] = &[
    NativeDef::new(
        "_spawn",
        "args, program, cwd, env, stdin, stdout, stderr, new_session, /",
        spawn,
        "Start a program: (process, stdin, stdout, stderr), the last three descriptors or None.",
    ),
    NativeDef::new("kill", "pid, signal, /", kill, "Send a signal to a process."),
    NativeDef::new("killpg", "pgid, signal, /", killpg, "Send a signal to a process group."),
    NativeDef::new("_exit", "status", exit, "End the process at once."),
];

/// A program that was started.
pub(super) static PROCESS: ClassDef = ClassDef::closed(
    "posix",
    "_Process",
    "A program that was started.",
    &[
        NativeDef::getter("pid", pid, "its id"),
        NativeDef::new("poll", "self, /", poll, "Its exit code, or None while it runs."),
        NativeDef::new("wait", "self, timeout=None, /", wait, "Wait for its end; the exit code."),
        NativeDef::new("send_signal", "self, signal, /", send_signal, "Send it a signal."),
    ],
);

/// Programs that nobody refers to any more; they are collected when they have ended.
#[derive(Default)]
struct Abandoned {
    children: RefCell<Vec<Child>>,
}

struct Process {
    /// Always there, but for the moment of dropping.
    child: Held,
    /// The exit code, once it was collected.
    code: Option<i32>,
    /// Waits for the end on the pool.
    watch: Option<Job<()>>,
    /// Tasks that wait.
    waiters: Vec<TaskToken>,
}

/// A child that goes to the abandoned ones when it is dropped.
struct Held {
    child: Option<Child>,
    abandoned: Rc<Abandoned>,
}

impl Held {
    fn id(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.abandoned.children.borrow_mut().extend(self.child.take());
    }
}

/// The payload of a process object.
struct ProcessObject(Rc<RefCell<Process>>);

impl Payload for ProcessObject {}

impl Process {
    /// The exit code, if it has ended.
    fn ended(&mut self) -> Option<i32> {
        if self.code.is_none()
            && let Some(child) = &mut self.child.child
        {
            let status = match child.try_wait() {
                Ok(status) => status?,
                // Somebody else collected it.
                Err(_) => return Some(*self.code.insert(0)),
            };
            self.code = Some(match (status.code(), status.signal()) {
                (Some(code), _) => code,
                (None, Some(signal)) => -signal,
                (None, None) => 0,
            });
        }
        self.code
    }
}

fn process<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Rc<RefCell<Process>>, Exit<'v>> {
    let found = v.get::<Opaque>().and_then(|o| o.with(|p: &mut ProcessObject| Rc::clone(&p.0)));
    found.ok_or_else(|| vm.type_error("a process is required"))
}

fn pid<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Ok(vm.int(process(vm, args[0])?.borrow().child.id().into()))
}

/// A list of strings as the system takes them.
fn texts<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Vec<OsString>, Exit<'v>> {
    let mut items = Vec::new();
    for item in vm.items_leaf(v)?.unwrap_or_default() {
        vm.tick()?;
        let what = "expected str, bytes or os.PathLike object";
        items.push(name_of(vm, item, what)?.path.into_os_string());
    }
    Ok(items)
}

/// What a stream of the program is connected to, and this side's end of a pipe.
enum Connect {
    Given(Stdio),
    Piped,
    /// Standard error goes where standard output goes.
    Output,
}

fn connect<'v>(vm: &'v Vm, v: Value<'v>, is_input: bool) -> Result<Connect, Exit<'v>> {
    if v.is_none() {
        let may = !is_input || engine(vm)?.files.access().allows(&Wanted::Stdin);
        return Ok(Connect::Given(if may { Stdio::inherit() } else { Stdio::null() }));
    }
    Ok(match int32(vm, v)? {
        -1 => Connect::Piped,
        -2 if !is_input => Connect::Output,
        -3 => Connect::Given(Stdio::null()),
        fd => Connect::Given(descriptors::duplicate(vm, fd.into())?.into()),
    })
}

fn spawn<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let host = engine(vm)?;
    let argv = texts(vm, args[0])?;
    let program = name_of(vm, args[1], "expected str, bytes or os.PathLike object")?.path;
    let Some(first) = argv.first() else { return Err(vm.value_error("args is empty")) };
    let access = &**host.files.access();
    let name = program.to_string_lossy();
    if !access.allows(&Wanted::Run(&name)) {
        return Err(vm.err(Type::PermissionError, refusal(access, &Wanted::Run(&name))));
    }
    let env: Vec<(OsString, OsString)> = match args[3].is_none() {
        true => environment::all(vm),
        false => {
            let words = texts(vm, args[3])?;
            words.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()
        }
    };
    let loads_code = |name: &OsStr| {
        let name = name.as_encoded_bytes();
        name.starts_with(b"LD_") || name.starts_with(b"DYLD_")
    };
    if !access.allows(&Wanted::All(Right::Run)) && env.iter().any(|(name, _)| loads_code(name)) {
        let text = "variables that make a program load code need the right to run all programs";
        return Err(vm.err(Type::PermissionError, text));
    }
    let cwd = match args[2] {
        v if v.is_none() => None,
        v => Some(name_of(vm, v, "expected str, bytes or os.PathLike object")?.path),
    };
    let path = match access.is_unrestricted() {
        true => env.iter().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone()),
        false => std::env::var_os("PATH"),
    };
    let failed = |e: std::io::Error, path: &Path| {
        Err(crate::errors::file_error(vm, &FileError::at(e, path)))
    };
    if let Some(cwd) = &cwd {
        match std::fs::metadata(cwd) {
            Ok(found) if !found.is_dir() => {
                return failed(rustix::io::Errno::NOTDIR.into(), cwd);
            }
            Ok(_) => {}
            Err(e) => return failed(e, cwd),
        }
    }
    let file = match find(&program, path) {
        Ok(file) => file,
        Err(e) => return failed(e, &program),
    };
    let mut command = Command::new(file);
    command.arg0(first).args(&argv[1..]).env_clear().envs(env);
    cwd.iter().for_each(|cwd| {
        command.current_dir(cwd);
    });
    if flag(vm, args[7], false)? {
        in_session_of_its_own(&mut command);
    }
    // What was printed before is to be seen before what the program prints.
    let _ = host.stdout.flush();
    host.files.flush_all();
    let pipe = || std::io::pipe().map_err(|e| io_error(vm, e));
    let mut ours = [Value::NONE; 3];
    let mut parents = Vec::new();
    match connect(vm, args[4], true)? {
        Connect::Given(stdio) => {
            command.stdin(stdio);
        }
        _ => {
            let (reader, writer) = pipe()?;
            command.stdin(reader);
            parents.push((0, writer.into()));
        }
    }
    let mut output = None;
    match connect(vm, args[5], false)? {
        Connect::Piped => {
            let (reader, writer) = pipe()?;
            output = writer.try_clone().ok();
            command.stdout(writer);
            parents.push((1, reader.into()));
        }
        Connect::Given(stdio) => {
            command.stdout(stdio);
        }
        Connect::Output => return Err(vm.value_error("STDOUT can only be used for stderr")),
    }
    match (connect(vm, args[6], false)?, output) {
        (Connect::Piped, _) => {
            let (reader, writer) = pipe()?;
            command.stderr(writer);
            parents.push((2, reader.into()));
        }
        (Connect::Given(stdio), _) => {
            command.stderr(stdio);
        }
        (Connect::Output, Some(writer)) => {
            command.stderr(writer);
        }
        (Connect::Output, None) if args[5].is_none() => {
            command.stderr(descriptors::duplicate(vm, 1)?);
        }
        (Connect::Output, None) => match connect(vm, args[5], false)? {
            Connect::Given(stdio) => {
                command.stderr(stdio);
            }
            _ => {
                command.stderr(Stdio::null());
            }
        },
    }
    let abandoned = vm.local::<Abandoned>();
    abandoned.children.borrow_mut().retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    let child = match command.spawn() {
        Ok(child) => child,
        Err(e) => return failed(e, &program),
    };
    drop(command);
    for (i, fd) in parents {
        ours[i] = descriptors::give(vm, fd);
    }
    let child = Held { child: Some(child), abandoned };
    let process = Process { child, code: None, watch: None, waiters: Vec::new() };
    let process = ProcessObject(Rc::new(RefCell::new(process)));
    let process = vm.opaque(PROCESS.of(vm)?, Some(Box::new(process)));
    vm.tuple(&[process, ours[0], ours[1], ours[2]])
}

/// The file of a program: a bare name is looked for in the folders of `path`.
fn find(program: &Path, path: Option<OsString>) -> std::io::Result<PathBuf> {
    use rustix::fs::{Access, access};
    if program.as_os_str().as_encoded_bytes().contains(&b'/') {
        return Ok(program.to_owned());
    }
    let mut refused = false;
    let path = path.unwrap_or_else(|| "/bin:/usr/bin".into());
    for folder in std::env::split_paths(&path) {
        let file = folder.join(program);
        match access(&file, Access::EXEC_OK) {
            Ok(()) if file.is_file() => return Ok(file),
            Err(rustix::io::Errno::ACCESS) => refused = true,
            _ => {}
        }
    }
    let missing = if program.as_os_str().is_empty() || !refused {
        rustix::io::Errno::NOENT
    } else {
        rustix::io::Errno::ACCESS
    };
    Err(missing.into())
}

#[allow(unsafe_code)]
fn in_session_of_its_own(command: &mut Command) {
    let begin = || rustix::process::setsid().map(drop).map_err(std::io::Error::from);
    // SAFETY: between fork and exec only this one system call is made.
    unsafe { command.pre_exec(begin) };
}

fn poll<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let code = process(vm, args[0])?.borrow_mut().ended();
    Ok(code.map_or(Value::NONE, |code| vm.int(code.into())))
}

/// The end of a program, or of a time.
struct Ending {
    process: Rc<RefCell<Process>>,
    timer: Option<Timer>,
}

impl Wait for Ending {
    fn poll<'v>(&mut self, vm: &'v Vm, token: TaskToken) -> Poll<NResult<'v>> {
        match look(vm, &mut self.process.borrow_mut(), token) {
            Ok(Some(code)) => return Poll::Ready(Ok(vm.int(code.into()))),
            Ok(None) => {}
            Err(e) => return Poll::Ready(Err(e)),
        }
        if self.timer.as_mut().is_some_and(|timer| timer.is_over(token)) {
            return Poll::Ready(Ok(Value::NONE));
        }
        Poll::Pending
    }
}

/// The exit code, or sees to it that `token` is woken at the end.
fn look<'v>(vm: &'v Vm, p: &mut Process, token: TaskToken) -> Result<Option<i32>, Exit<'v>> {
    let host = engine(vm)?;
    loop {
        if let Some(code) = p.ended() {
            for waiter in p.waiters.drain(..) {
                host.reactor.wake(waiter);
            }
            p.watch = None;
            return Ok(Some(code));
        }
        let watch = match &mut p.watch {
            Some(watch) => watch,
            none => {
                let pid = i32::try_from(p.child.id()).ok().and_then(Pid::from_raw);
                let job = host.reactor.blocking(token, move || {
                    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
                    while let Some(pid) = pid
                        && matches!(
                            rustix::process::waitid(WaitId::Pid(pid), options),
                            Err(rustix::io::Errno::INTR)
                        )
                    {}
                });
                none.insert(job.map_err(|e| io_error(vm, e))?)
            }
        };
        if !p.waiters.contains(&token) {
            p.waiters.push(token);
        }
        if watch.poll(token).is_pending() {
            return Ok(None);
        }
        p.watch = None;
        if p.ended().is_none() {
            // The watch ended early; it begins again.
            continue;
        }
    }
}

fn wait<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let process = process(vm, args[0])?;
    if let Some(code) = process.borrow_mut().ended() {
        return Ok(vm.int(code.into()));
    }
    let host = engine(vm)?;
    let timer = match args[1] {
        v if v.is_empty() || v.is_none() => None,
        v => {
            let negative = v.as_float().is_some_and(|f| f < 0.0);
            let negative = negative || v.as_small().is_some_and(|n| n < 0);
            let after = if negative { Value::float(0.0) } else { v };
            Some(Timer::new(Rc::clone(&host.reactor), duration(vm, after, "timeout")?))
        }
    };
    Err(suspend(Ending { process, timer }))
}

/// A signal's number as the system takes it; 0 only asks whether the process is there.
fn signal_of<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Option<Signal>, Exit<'v>> {
    match int32(vm, v)? {
        0 => Ok(None),
        n => match Signal::from_named_raw(n) {
            Some(signal) => Ok(Some(signal)),
            None => Err(io_error(vm, rustix::io::Errno::INVAL.into())),
        },
    }
}

fn send_signal<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let signal = signal_of(vm, args[1])?;
    let process = process(vm, args[0])?;
    let mut process = process.borrow_mut();
    let pid = i32::try_from(process.child.id()).ok().and_then(Pid::from_raw);
    let sent = match pid {
        Some(pid) if process.ended().is_none() => send(pid, signal),
        _ => Ok(()),
    };
    sent.map(|()| Value::NONE).map_err(|e| io_error(vm, e.into()))
}

fn send(pid: Pid, signal: Option<Signal>) -> rustix::io::Result<()> {
    match signal {
        Some(signal) => rustix::process::kill_process(pid, signal),
        None => rustix::process::test_kill_process(pid),
    }
}

/// Signals to other processes are a matter of running programs.
fn may_signal(vm: &Vm) -> Result<(), Exit<'_>> {
    let access = &**engine(vm)?.files.access();
    if access.allows(&Wanted::All(Right::Run)) {
        return Ok(());
    }
    Err(vm.err(Type::PermissionError, refusal(access, &Wanted::All(Right::Run))))
}

fn kill<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (n, signal) = (int32(vm, args[0])?, signal_of(vm, args[1])?);
    may_signal(vm)?;
    let sent = match (n, Pid::from_raw(n.saturating_abs())) {
        (0, _) => match signal {
            Some(signal) => rustix::process::kill_current_process_group(signal),
            None => rustix::process::test_kill_current_process_group(),
        },
        (1.., Some(pid)) => send(pid, signal),
        (_, Some(group)) => send_group(group, signal),
        (_, None) => Err(rustix::io::Errno::SRCH),
    };
    sent.map_err(|e| io_error(vm, e.into()))?;
    if n.unsigned_abs() == std::process::id() {
        super::signals::handled(vm)
    } else {
        Ok(Value::NONE)
    }
}

fn send_group(group: Pid, signal: Option<Signal>) -> rustix::io::Result<()> {
    match signal {
        Some(signal) => rustix::process::kill_process_group(group, signal),
        None => rustix::process::test_kill_process_group(group),
    }
}

fn killpg<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (n, signal) = (int32(vm, args[0])?, signal_of(vm, args[1])?);
    may_signal(vm)?;
    let sent = match Pid::from_raw(n) {
        Some(group) if n > 0 => send_group(group, signal),
        _ => Err(rustix::io::Errno::SRCH),
    };
    sent.map_err(|e| io_error(vm, e.into()))?;
    super::signals::handled(vm)
}

fn exit<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let code = int32(vm, args[0])?;
    if !engine(vm)?.files.access().is_unrestricted() {
        return Err(vm.err(Type::PermissionError, "ending the process is not granted"));
    }
    std::process::exit(code)
}
