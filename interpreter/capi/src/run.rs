//! Programs, globals, calls, interrupts.

use std::ffi::{c_char, c_int};
use std::sync::atomic::Ordering;

use miniscript_abi::MsValue;
use miniscript_engine::vm::handles::Handle;
use miniscript_engine::vm::object::map::Dict;
use miniscript_engine::vm::object::record::Module;
use miniscript_engine::vm::object::text::Str;
use miniscript_engine::vm::{Value, Vm};
use miniscript_engine::{Engine, Failure};
use miniscript_syntax::ast::Mode;
use miniscript_syntax::{Source, render};

use crate::error::{Fail, MsError, code, store};
use crate::slot::MsVm;
use crate::text;
use crate::value::{failed, put};
use crate::vm::{Pending, Session, enter, entry};

/// `MS_RUN_DONE`.
const DONE: c_int = 0;
/// `MS_RUN_ERROR`.
const ERROR: c_int = 1;
/// `MS_RUN_LIMIT`; 2 is `MS_RUN_HOST_CALL`.
const LIMIT: c_int = 3;

/// Runs `f` as one run, with its limits. With `all` it waits for all tasks, and an exception of
/// one of them that nobody asked for is the run's.
unsafe fn run(
    vm: *mut MsVm,
    result: *mut MsValue,
    error: *mut *mut MsError,
    all: bool,
    f: impl FnOnce(&Session, &mut Engine) -> Result<Handle, RunFail>,
) -> c_int {
    // SAFETY: the caller's contract.
    let ended = unsafe {
        enter(vm, |ms| {
            let value = ms.run(|engine| {
                engine.start_clock();
                let ended = engine.check_interrupt().map_err(RunFail::from);
                let ended = ended.and_then(|()| f(ms, engine));
                let ended = match (ended, engine.take_task_failure()) {
                    (Ok(value), Some(lost)) if all => {
                        engine.vm().release(value);
                        Err(RunFail::Engine(Failure::Raised(lost)))
                    }
                    (ended, Some(lost)) => {
                        engine.vm().release(lost);
                        ended
                    }
                    (ended, None) => ended,
                };
                let ended = ended.map_err(|e| e.into_fail(engine));
                engine.stop_clock();
                // There is nowhere to tell that output cannot be written.
                let _ = engine.host().stdout.flush();
                ended
            })??;
            ms.with(|vm| {
                if result.is_null() {
                    vm.release(value);
                    return Ok(());
                }
                put(result, ms.export_handle(vm, value))
            })
        })
    };
    let status = status(&ended);
    // SAFETY: by contract.
    unsafe { store(error, ended.err()) };
    status
}

/// The `MS_RUN_` number of an outcome.
pub(crate) fn status(ended: &Result<(), Fail>) -> c_int {
    match ended {
        Ok(()) => DONE,
        Err(fail) if fail.code == code::LIMIT => LIMIT,
        Err(_) => ERROR,
    }
}

/// Why a run failed.
enum RunFail {
    Engine(Failure),
    Call(Fail),
}

impl From<Failure> for RunFail {
    fn from(f: Failure) -> RunFail {
        RunFail::Engine(f)
    }
}

impl From<Fail> for RunFail {
    fn from(f: Fail) -> RunFail {
        RunFail::Call(f)
    }
}

impl RunFail {
    fn into_fail(self, engine: &mut Engine) -> Fail {
        match self {
            RunFail::Call(fail) => fail,
            RunFail::Engine(Failure::Unreadable(text)) => Fail::new(code::IO, "OSError", text),
            RunFail::Engine(Failure::Syntax(bad)) => Fail {
                code: code::SYNTAX,
                place: Some((
                    bad.name.clone(),
                    Source::new(&bad.text).position(bad.error.span.start).line,
                )),
                kind: bad.error.kind.name().to_owned(),
                message: bad.error.message.clone(),
                traceback: render(&bad.error, &Source::new(&bad.text), &bad.name),
            },
            RunFail::Engine(Failure::Raised(e)) => {
                let fail = raised(engine, e);
                engine.vm().release(e);
                fail
            }
        }
    }
}

/// The error of what the engine says, which is released.
pub(crate) fn failure(engine: &mut Engine, failure: Failure) -> Fail {
    RunFail::Engine(failure).into_fail(engine)
}

/// An exception, with its `__str__` called.
fn raised(engine: &mut Engine, e: Handle) -> Fail {
    let limit = engine.is_limit(e);
    // Its texts are not the run's business any more.
    engine.stop_clock();
    let mut fail = {
        let vm = engine.vm();
        let Some(exc) = vm.handle(e) else { return Fail::busy("the exception has ended") };
        Fail::exception(vm, exc)
    };
    let needs_script = engine.vm().handle(e).is_some_and(|v| engine.vm().str_value(v).is_err());
    if needs_script {
        fail.traceback = engine.exception_text(e);
        let str_class = engine.vm().dict_get_str(engine.vm().builtins(), "str");
        if let Some(class) = str_class.map(|v| engine.vm().retain(v)) {
            match engine.call(class, &[e]) {
                Ok(text) | Err(Failure::Raised(text)) => {
                    let vm = engine.vm();
                    if let Some(s) = vm.handle(text).and_then(|v| v.get::<Str>()) {
                        fail.message = s.to_display().into_owned();
                    }
                    vm.release(text);
                }
                Err(_) => {}
            }
            engine.vm().release(class);
        }
    }
    if limit {
        fail.code = code::LIMIT;
    }
    fail
}

/// Runs statements in `__main__` until every task has ended.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_run_string(
    vm: *mut MsVm,
    source: *const c_char,
    name: *const c_char,
    error: *mut *mut MsError,
) -> c_int {
    // SAFETY: by contract.
    unsafe {
        run(vm, std::ptr::null_mut(), error, true, |_, engine| {
            let source = text::borrow(source, "the source")?;
            let name = if name.is_null() { "<string>" } else { text::borrow(name, "the name")? };
            let proto = engine.compile(source, name, Mode::Module)?;
            Ok(engine.run_code(&proto, true)?)
        })
    }
}

/// Runs a file in `__main__` until every task has ended.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_run_file(
    vm: *mut MsVm,
    path: *const c_char,
    error: *mut *mut MsError,
) -> c_int {
    // SAFETY: by contract.
    unsafe {
        run(vm, std::ptr::null_mut(), error, true, |_, engine| {
            Ok(engine.run_file(&text::path(path, "the path")?)?)
        })
    }
}

/// The value of an expression in `__main__`.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_eval(
    vm: *mut MsVm,
    source: *const c_char,
    result: *mut MsValue,
    error: *mut *mut MsError,
) -> c_int {
    // SAFETY: by contract.
    unsafe {
        run(vm, result, error, false, |_, engine| {
            Ok(engine.eval(text::borrow(source, "the source")?)?)
        })
    }
}

/// Calls a function.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_call(
    vm: *mut MsVm,
    function: MsValue,
    argc: usize,
    args: *const MsValue,
    result: *mut MsValue,
    error: *mut *mut MsError,
) -> c_int {
    // SAFETY: by contract.
    unsafe {
        let native = enter(vm, |ms| Ok(ms.native.get())).ok().flatten();
        match native {
            Some(n) if !n.nest.is_null() => {
                return crate::extension::call_back(vm, function, argc, args, result, error);
            }
            Some(_) => {
                let text = "a function that uses ms_call is registered in a table and with \
                            MS_FUNCTION_CALLS_BACK";
                let refused = enter(vm, |ms| {
                    ms.failed.replace(Some(Pending::New(Fail::busy(text))));
                    Err::<(), Fail>(Fail::busy(text))
                });
                store(error, refused.err());
                return ERROR;
            }
            None => {}
        }
        run(vm, result, error, false, |ms, engine| {
            let args = text::array(args, argc, "args")?;
            let (function, handles) = hold(ms, engine.vm(), function, args)?;
            let ended = engine.call(function, &handles);
            release(engine.vm(), function, &handles);
            Ok(ended?)
        })
    }
}

/// Handles of a function and its arguments.
pub(crate) fn hold(
    ms: &Session,
    vm: &Vm,
    function: MsValue,
    args: &[MsValue],
) -> Result<(Handle, Vec<Handle>), Fail> {
    let function = ms.import(vm, function)?;
    let args = ms.import_all(vm, args)?;
    Ok((vm.retain(function), args.into_iter().map(|v| vm.retain(v)).collect()))
}

pub(crate) fn release(vm: &Vm, function: Handle, args: &[Handle]) {
    vm.release(function);
    for h in args {
        vm.release(*h);
    }
}

/// The namespace of `__main__`.
fn globals<'v>(ms: &Session, vm: &'v Vm) -> Result<&'v Dict, Fail> {
    let main = vm.handle(ms.main).and_then(|m| m.get::<Module>());
    main.and_then(|m| m.dict().get::<Dict>()).ok_or_else(|| Fail::busy("there is no __main__"))
}

/// Reads a global of `__main__`; a name that is not there is an error.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_get_global(
    vm: *mut MsVm,
    name: *const c_char,
    out: *mut MsValue,
) -> *mut MsError {
    // SAFETY: by contract.
    unsafe {
        entry(vm, |ms| {
            ms.with(|vm| {
                let name = text::borrow(name, "the name")?;
                let Some(v) = vm.dict_get_str(globals(ms, vm)?, name) else {
                    let text = format!("name '{name}' is not defined");
                    return Err(Fail::new(code::EXCEPTION, "NameError", text));
                };
                put(out, MsValue::NONE)?;
                put(out, ms.export(vm, v))
            })
        })
    }
}

/// Sets a global of `__main__`.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_set_global(
    vm: *mut MsVm,
    name: *const c_char,
    value: MsValue,
) -> *mut MsError {
    // SAFETY: by contract.
    unsafe {
        entry(vm, |ms| {
            ms.with(|vm| {
                let name = text::identifier(name, "the name")?;
                let v: Value<'_> = ms.import(vm, value)?;
                let set = vm.dict_set_name(globals(ms, vm)?, vm.intern(name), v);
                set.map_err(|e| failed(vm, e))
            })
        })
    }
}

/// Has KeyboardInterrupt raised in the running script; from any thread or a signal handler.
///
/// # Safety
/// Null, or a VM that is not freed meanwhile.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_interrupt(vm: *mut MsVm) {
    if vm.is_null() {
        return;
    }
    // SAFETY: by contract; slots live as long as the process.
    let session = unsafe { (*vm).session() };
    if session.is_null() {
        return;
    }
    #[allow(clippy::deref_addrof)] // no reference to the whole VM: its thread may hold one
    // SAFETY: by contract; the field is made for all threads and never changes.
    let shared = unsafe { &*(&raw const (*session).shared) };
    shared.interrupt.store(true, Ordering::Relaxed);
    shared.trip.trip();
    shared.waker.notify();
}
