//! One VM with its owner thread, and the barrier that every entry passes.

use std::cell::{Cell, RefCell, UnsafeCell};
use std::collections::HashMap;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use miniscript_engine::reactor::Waker;
use miniscript_engine::vm::Vm;
use miniscript_engine::vm::handles::Handle;
use miniscript_engine::vm::interp::nested::Nest;
use miniscript_engine::vm::interp::state::TripHandle;
use miniscript_engine::vm::native::Exit;
use miniscript_engine::{Engine, EngineHost};

use crate::config::{self, MsConfig};
use crate::error::{Fail, MsError, code, store};
use crate::extension::Function;
use crate::slot::{MsVm, thread_number};
use crate::value::failed;

/// VMs are numbered, so that a handle tells its VM. The top bit tells these handles from those
/// of extensions.
static NEXT_NUMBER: AtomicU32 = AtomicU32::new(1);

/// What any thread may use of a VM.
pub(crate) struct Shared {
    pub(crate) interrupt: Arc<AtomicBool>,
    pub(crate) waker: Waker,
    pub(crate) trip: TripHandle,
}

/// The function of the embedder that runs.
#[derive(Clone, Copy)]
pub(crate) struct Native {
    /// The VM as the function was called with it.
    pub(crate) vm: *const Vm,
    /// How to call back; null for functions that do not.
    pub(crate) nest: *mut Nest,
}

/// What a function of the embedder wants raised.
pub(crate) enum Pending {
    /// An exception to be made.
    New(Fail),
    /// One that was there.
    Again(Handle),
}

/// A VM.
pub(crate) struct Session {
    /// What the embedder knows it by.
    pub(crate) slot: &'static MsVm,
    pub(crate) shared: Shared,
    pub(crate) number: u32,
    // Before the functions, which its natives know by their addresses.
    engine: UnsafeCell<Engine>,
    running: Cell<bool>,
    pub(crate) native: Cell<Option<Native>>,
    /// Handles made while a function of the embedder runs; they end with it.
    pub(crate) scope: RefCell<Vec<Handle>>,
    /// What that function wants raised.
    pub(crate) pending: RefCell<Option<Pending>>,
    /// Its last call that failed.
    pub(crate) failed: RefCell<Option<Pending>>,
    /// What `ms_function_data` gives.
    pub(crate) data: Cell<*mut c_void>,
    /// The module `__main__`.
    pub(crate) main: Handle,
    #[allow(clippy::vec_box)] // natives keep the addresses
    pub(crate) functions: RefCell<Vec<Box<Function>>>,
    pub(crate) modules: RefCell<HashMap<String, Handle>>,
}

impl Session {
    fn new(slot: &'static MsVm, config: miniscript_engine::Config) -> Session {
        let engine = Engine::new(config);
        let shared = Shared {
            interrupt: engine.interrupt_flag(),
            waker: engine.host().reactor.waker(),
            trip: engine.trip_handle(),
        };
        Session {
            slot,
            shared,
            main: engine.main(),
            number: NEXT_NUMBER.fetch_add(1, Ordering::Relaxed) | 1 << 31,
            engine: UnsafeCell::new(engine),
            running: Cell::new(false),
            native: Cell::new(None),
            scope: RefCell::default(),
            pending: RefCell::default(),
            failed: RefCell::default(),
            data: Cell::new(std::ptr::null_mut()),
            functions: RefCell::default(),
            modules: RefCell::default(),
        }
    }

    /// Runs `f` with the VM, wherever it can be reached now. A function of the embedder meets the
    /// limits here; between runs it is here that what is due is collected.
    pub(crate) fn with<R>(&self, f: impl FnOnce(&Vm) -> Result<R, Fail>) -> Result<R, Fail> {
        if self.in_native() {
            let within = self.reach(|vm| vm.tick().map_err(|e| self.failed(vm, e)));
            if let Err(stop) = &within {
                // Whatever the function makes of it: it is raised when it returns.
                self.pending.borrow_mut().get_or_insert_with(|| Pending::New(stop.clone()));
            }
            within?;
        } else if !self.running.get() {
            // SAFETY: nothing runs, so nobody has the engine mutably.
            if unsafe { &*self.engine.get() }.wants_settling() {
                self.run(Engine::settle)?;
            }
        }
        self.reach(f)
    }

    /// The same, for what must not fail because a limit is reached.
    pub(crate) fn reach<R>(&self, f: impl FnOnce(&Vm) -> Result<R, Fail>) -> Result<R, Fail> {
        match self.native.get() {
            // SAFETY: the VM called the native with this reference and waits for it.
            Some(native) => f(unsafe { &*native.vm }),
            None if self.running.get() => {
                Err(Fail::busy("the VM is running; only functions registered with it may use it"))
            }
            // SAFETY: nothing runs, so nobody has the engine mutably.
            None => f(unsafe { &*self.engine.get() }.vm()),
        }
    }

    /// The error of an exit of the VM.
    fn failed(&self, vm: &Vm, exit: Exit<'_>) -> Fail {
        let limit = match &exit {
            Exit::Raise(e) => EngineHost::of(vm).is_some_and(|host| host.is_limit(vm, *e)),
            Exit::Do(_) => false,
        };
        let mut fail = failed(vm, exit);
        if limit {
            fail.code = code::LIMIT;
        }
        fail
    }

    /// Runs `f` with the engine, to run script code.
    pub(crate) fn run<R>(&self, f: impl FnOnce(&mut Engine) -> R) -> Result<R, Fail> {
        if self.running.replace(true) {
            return Err(Fail::busy("the VM is running already"));
        }
        let done = Done(&self.running);
        // SAFETY: `running` was false, so nobody else has the engine; while it is true, `with`
        // does not touch it.
        let result = f(unsafe { &mut *self.engine.get() });
        drop(done);
        Ok(result)
    }

    /// Whether a run is under way.
    pub(crate) fn is_running(&self) -> bool {
        self.running.get()
    }

    /// Whether a function of the embedder runs.
    pub(crate) fn in_native(&self) -> bool {
        self.native.get().is_some()
    }
}

/// Ends a run also when it panics.
struct Done<'a>(&'a Cell<bool>);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Runs `f`; a panic becomes an error.
pub(crate) fn barrier<R>(f: impl FnOnce() -> Result<R, Fail>) -> Result<R, Fail> {
    catch_unwind(AssertUnwindSafe(f)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|s| (*s).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_default();
        Err(Fail::new(code::INTERNAL, "SystemError", format!("the interpreter failed: {text}")))
    })
}

/// An entry: checks the VM and the thread, and catches panics.
///
/// # Safety
/// `vm` is null or was given by `ms_vm_new_with`.
pub(crate) unsafe fn enter<R>(
    vm: *const MsVm,
    f: impl FnOnce(&Session) -> Result<R, Fail>,
) -> Result<R, Fail> {
    if vm.is_null() {
        return Err(Fail::argument("the VM is null"));
    }
    if !vm.is_aligned() {
        return Err(Fail::argument("this is no VM"));
    }
    // SAFETY: by contract; slots live as long as the process.
    let slot = unsafe { &*vm };
    match slot.owner() {
        None => return Err(Fail::new(code::HANDLE, "RuntimeError", "the VM was freed")),
        Some(owner) if owner != thread_number() => {
            let text = "the VM belongs to the thread that made it";
            return Err(Fail::new(code::THREAD, "RuntimeError", text));
        }
        Some(_) => {}
    }
    // SAFETY: the VM lives, and this is its thread: nobody else can free it.
    let session = unsafe { &*slot.session() };
    barrier(|| f(session))
}

/// As [`enter`], for entries that return their error.
///
/// # Safety
/// As for [`enter`].
pub(crate) unsafe fn entry(
    vm: *const MsVm,
    f: impl FnOnce(&Session) -> Result<(), Fail>,
) -> *mut MsError {
    // SAFETY: by contract.
    match unsafe { enter(vm, f) } {
        Ok(()) => std::ptr::null_mut(),
        Err(fail) => fail.into_raw(),
    }
}

/// A VM that may write output and use `math`.
#[unsafe(no_mangle)]
pub extern "C" fn ms_vm_new() -> *mut MsVm {
    // SAFETY: null asks for the defaults and for no error.
    unsafe { ms_vm_new_with(std::ptr::null(), std::ptr::null_mut()) }
}

/// A VM with the rights and limits of `config`.
///
/// # Safety
/// `config` is null or as `miniscript.h` says; `error` is null or a place for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_vm_new_with(
    config: *const MsConfig,
    error: *mut *mut MsError,
) -> *mut MsVm {
    let made = barrier(|| {
        // SAFETY: by contract.
        let config = unsafe { config::engine_config(&config::read(config)?)? };
        let slot = MsVm::take();
        slot.fill(Box::new(Session::new(slot, config)));
        Ok(slot)
    });
    match made {
        Ok(slot) => {
            // SAFETY: by contract.
            unsafe { store(error, None) };
            std::ptr::from_ref(slot).cast_mut()
        }
        Err(fail) => {
            // SAFETY: by contract.
            unsafe { store(error, Some(fail)) };
            std::ptr::null_mut()
        }
    }
}

/// Frees a VM; null does nothing. A VM that is running, or that belongs to another thread, is an
/// error and stays.
///
/// # Safety
/// Null, or a VM.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_vm_free(vm: *mut MsVm) -> *mut MsError {
    if vm.is_null() {
        return std::ptr::null_mut();
    }
    let check = |ms: &Session| match ms.is_running() {
        true => Err(Fail::busy("a VM cannot be freed while it runs")),
        false => Ok(ms.slot),
    };
    // SAFETY: by contract.
    let freed = unsafe { enter(vm, check) }.and_then(|slot| {
        // What ends with the VM may call back: it finds a VM that was freed.
        let ended = barrier(|| {
            drop(slot.empty());
            Ok(())
        });
        slot.give_back();
        ended
    });
    freed.map_or_else(Fail::into_raw, |()| std::ptr::null_mut())
}
