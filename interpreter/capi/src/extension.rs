//! Functions of the embedder as modules.

use std::ffi::{c_char, c_int, c_void};

use miniscript_abi::MsValue;
use miniscript_engine::EngineHost;
use miniscript_engine::vm::builtins::Type;
use miniscript_engine::vm::handles::Handle;
use miniscript_engine::vm::interp::nested::Nest;
use miniscript_engine::vm::native::{
    Action, Arity, Exit, NResult, NativeDef, NativeFn, Quick, Role,
};
use miniscript_engine::vm::object::func;
use miniscript_engine::vm::object::map::Dict;
use miniscript_engine::vm::object::record::Module;
use miniscript_engine::vm::{Value, Vm};

use crate::error::{Fail, MsError, code, store};
use crate::run::{hold, ms_call, release};
use crate::slot::MsVm;
use crate::value::{failed, put};
use crate::vm::{Native, Pending, Session, enter, entry};
use crate::{http, text};

type MsFn = unsafe extern "C" fn(vm: *mut MsVm, argc: c_int, args: *mut MsValue) -> MsValue;

/// A function of the embedder.
pub type MsExtFn = Option<MsFn>;

/// A slot of [`MsExtension`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MsSlot {
    /// The name.
    pub name: *const c_char,
    /// The function.
    pub func: MsExtFn,
}

/// `ms_extension_t`: a module of up to 64 functions.
#[repr(C)]
#[derive(Debug)]
pub struct MsExtension {
    /// The module's name.
    pub name: *const c_char,
    /// The functions.
    pub functions: [MsSlot; 64],
    /// Their number.
    pub function_count: c_int,
}

/// `ms_function_t`: a row of [`MsExtensionTable`].
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct MsFunctionRow {
    /// The name.
    pub name: *const c_char,
    /// The function.
    pub func: MsExtFn,
    /// The docstring, or null.
    pub doc: *const c_char,
    /// What `ms_function_data` gives while it runs.
    pub data: *mut c_void,
    /// `MS_FUNCTION_` flags.
    pub flags: u32,
}

/// `ms_extension_table_t`: a module of any number of functions.
#[repr(C)]
#[derive(Debug)]
pub struct MsExtensionTable {
    /// `sizeof(ms_extension_table_t)` of the caller.
    pub size: usize,
    /// The module's name.
    pub name: *const c_char,
    /// The docstring, or null.
    pub doc: *const c_char,
    /// The functions.
    pub functions: *const MsFunctionRow,
    /// Their number.
    pub function_count: usize,
    /// `sizeof(ms_function_t)` of the caller.
    pub stride: usize,
}

/// The function calls `ms_call`: it runs on a stack of its own, of 512 KiB.
const CALLS_BACK: u32 = 1;

/// A registered function; natives carry its address.
pub(crate) struct Function {
    ms: *const Session,
    func: MsFn,
    data: *mut c_void,
    flags: u32,
    def: NativeDef,
    /// Name and docstring of the row.
    _texts: [Box<str>; 2],
}

/// A function to be registered.
struct Row<'a> {
    name: &'a str,
    doc: &'a str,
    func: MsExtFn,
    data: *mut c_void,
    flags: u32,
}

impl Function {
    fn new(ms: &Session, row: &Row<'_>, func: MsFn) -> Box<Function> {
        let (name, doc) = (Box::<str>::from(row.name), Box::<str>::from(row.doc));
        // SAFETY: the texts are not moved or changed as long as the record is there, and it is
        // there as long as the VM, which is the only one that sees the row.
        let lasting = |text: &str| unsafe { &*std::ptr::from_ref(text) };
        let def = NativeDef {
            name: lasting(&name),
            sig: "*args",
            arity: Arity::parse("*args"),
            role: Role::Method,
            func: NativeFn::Host(call),
            doc: lasting(&doc),
            quick: Quick::No,
        };
        Box::new(Function { ms, func, data: row.data, flags: row.flags, def, _texts: [name, doc] })
    }

    /// The row that natives refer to.
    fn def(&self) -> &'static NativeDef {
        // SAFETY: the session keeps the record, boxed, until its VM is gone.
        unsafe { &*std::ptr::from_ref(&self.def) }
    }
}

// ---- running ----

/// Calls a function of the embedder.
fn call<'v>(vm: &'v Vm, native: &'v func::Native, args: &[Value<'v>]) -> NResult<'v> {
    // SAFETY: the VM's session owns the record for as long as the VM lives.
    let f = unsafe { &*(native.data as *const Function) };
    if f.flags & CALLS_BACK != 0 {
        let (args, data) = (args.to_vec(), native.data);
        return Err(Exit::Do(Box::new(Action::Nested { run: nested, args, data })));
    }
    invoke(f, vm, std::ptr::null_mut(), args).map_err(Exit::Raise)
}

/// The same, for one that calls back, on its own stack.
fn nested(nest: &mut Nest, args: &[Handle], data: usize) -> Result<Handle, Handle> {
    // SAFETY: as in `call`.
    let f = unsafe { &*(data as *const Function) };
    let back: *mut Nest = nest;
    let vm: *const Vm = nest.vm();
    // SAFETY: the VM waits for this coroutine; what runs inside the function reaches it through
    // `back`, and no reference is used across that.
    let vm = unsafe { &*vm };
    let values: Vec<Value<'_>> = args.iter().filter_map(|h| vm.handle(*h)).collect();
    match invoke(f, vm, back, &values) {
        Ok(v) => Ok(vm.retain(v)),
        Err(exc) => Err(vm.retain(exc)),
    }
}

/// The exception of an error.
fn exception<'v>(vm: &'v Vm, fail: &Fail) -> Value<'v> {
    let class = Type::ALL.iter().copied().find(|t| t.is_exception() && t.full_name() == fail.kind);
    match class {
        Some(class) => vm.exception(class, &fail.message),
        None => vm.exception(Type::RuntimeError, format!("{}: {}", fail.kind, fail.message)),
    }
}

/// What a call of the embedder's function changes in the VM's record, put back at its end.
struct Frame<'a> {
    ms: &'a Session,
    native: Option<Native>,
    scope: Vec<Handle>,
    pending: Option<Pending>,
    failed: Option<Pending>,
    data: *mut c_void,
}

impl<'a> Frame<'a> {
    fn enter(ms: &'a Session, native: Option<Native>) -> Frame<'a> {
        Frame {
            ms,
            native: ms.native.replace(native),
            scope: ms.scope.take(),
            pending: ms.pending.take(),
            failed: ms.failed.take(),
            data: ms.data.get(),
        }
    }
}

impl Drop for Frame<'_> {
    fn drop(&mut self) {
        self.ms.native.set(self.native);
        self.ms.scope.replace(std::mem::take(&mut self.scope));
        self.ms.pending.replace(self.pending.take());
        self.ms.failed.replace(self.failed.take());
        self.ms.data.set(self.data);
    }
}

/// Runs the function and takes its result; the handles made for it and by it end.
fn invoke<'v>(
    f: &Function,
    vm: &'v Vm,
    nest: *mut Nest,
    args: &[Value<'v>],
) -> Result<Value<'v>, Value<'v>> {
    // SAFETY: the session that owns the record is there, and this is its thread.
    let ms = unsafe { &*f.ms };
    if ms.slot.owner().is_none() {
        return Err(exception(vm, &Fail::busy("the VM ends")));
    }
    let argc = c_int::try_from(args.len())
        .map_err(|_| vm.exception(Type::TypeError, "too many arguments"))?;
    let outer = Frame::enter(ms, Some(Native { vm, nest }));
    ms.data.set(f.data);
    let mut values: Vec<MsValue> = args.iter().map(|&v| ms.export(vm, v)).collect();
    // SAFETY: the embedder promises a function of this type; the values live for the call.
    let result =
        unsafe { (f.func)(std::ptr::from_ref(ms.slot).cast_mut(), argc, values.as_mut_ptr()) };
    let ended = match ms.pending.take() {
        Some(Pending::New(fail)) => Err(exception(vm, &fail)),
        Some(Pending::Again(h)) => Err(vm
            .handle(h)
            .unwrap_or_else(|| vm.exception(Type::RuntimeError, "the exception has ended"))),
        None => ms.import(vm, result).map_err(|fail| exception(vm, &fail)),
    };
    for h in ms.scope.take() {
        vm.release(h);
    }
    drop(outer);
    ended
}

/// `ms_call` in a function that calls back.
///
/// # Safety
/// As for `ms_call`, of which this is a part.
pub(crate) unsafe fn call_back(
    vm: *mut MsVm,
    function: MsValue,
    argc: usize,
    args: *const MsValue,
    result: *mut MsValue,
    error: *mut *mut MsError,
) -> c_int {
    let call = |ms: &Session| {
        let native = ms.native.get().ok_or_else(|| Fail::busy("no function runs"))?;
        ms.failed.replace(None);
        // SAFETY: the coroutine of the running function lends it for the call.
        let nest = unsafe { &mut *native.nest };
        // SAFETY: by contract.
        let args = unsafe { text::array(args, argc, "args")? };
        let (function, handles) = hold(ms, nest.vm(), function, args)?;
        let ended = {
            // Meanwhile script code runs, and no function of the embedder.
            let _outer = Frame::enter(ms, None);
            nest.call(function, &handles, None)
        };
        let vm = nest.vm();
        release(vm, function, &handles);
        match ended {
            Ok(v) if result.is_null() => {
                vm.release(v);
                Ok(())
            }
            // SAFETY: by contract.
            Ok(v) => unsafe { put(result, ms.export_handle(vm, v)) },
            Err(e) => {
                let fail = vm.handle(e).map(|exc| {
                    let limit = EngineHost::of(vm).is_some_and(|host| host.is_limit(vm, exc));
                    let mut fail = Fail::exception(vm, exc);
                    if limit {
                        fail.code = code::LIMIT;
                    }
                    fail
                });
                // It ends with the running function, as its values do.
                ms.scope.borrow_mut().push(e);
                ms.failed.replace(Some(Pending::Again(e)));
                Err(fail.unwrap_or_else(|| Fail::busy("the exception has ended")))
            }
        }
    };
    // SAFETY: by contract.
    let ended = unsafe { enter(vm, call) };
    if let Err(fail) = &ended {
        let keep = |ms: &Session| {
            ms.failed.borrow_mut().get_or_insert_with(|| Pending::New(fail.clone()));
            Ok(())
        };
        // SAFETY: by contract. It is not the failure that is to be told.
        let _ = unsafe { enter(vm, keep) };
    }
    let status = crate::run::status(&ended);
    // SAFETY: by contract.
    unsafe { store(error, ended.err()) };
    status
}

// ---- registering ----

fn register(ms: &Session, name: &str, doc: &str, rows: &[Row<'_>]) -> Result<(), Fail> {
    if name.is_empty() {
        return Err(Fail::argument("the extension has no name"));
    }
    if ms.modules.borrow().contains_key(name) {
        return Err(Fail::argument(format!("an extension '{name}' is registered already")));
    }
    ms.with(|vm| {
        if vm.dict_get_str(vm.modules(), name).is_some() {
            return Err(Fail::argument(format!("a module '{name}' is there already")));
        }
        let module = vm.new_module(name);
        let value = Value::object(module);
        let dict = module.dict().get::<Dict>().ok_or_else(|| Fail::busy("no namespace"))?;
        let set =
            |key: &str, v| vm.dict_set_name(dict, vm.intern(key), v).map_err(|e| failed(vm, e));
        if !doc.is_empty() {
            set("__doc__", vm.str(doc).map_err(|e| failed(vm, e))?)?;
        }
        for row in rows {
            let func = row
                .func
                .ok_or_else(|| Fail::argument(format!("{name}.{} has no function", row.name)))?;
            let record = Function::new(ms, row, func);
            let (address, def) = (std::ptr::from_ref(&*record) as usize, record.def());
            ms.functions.borrow_mut().push(record);
            set(row.name, vm.foreign_native(def, Value::EMPTY, Value::EMPTY, address))?;
        }
        vm.dict_set_name(vm.modules(), vm.intern(name), value).map_err(|e| failed(vm, e))?;
        ms.modules.borrow_mut().insert(name.to_owned(), vm.retain(value));
        Ok(())
    })
}

/// Makes the functions of an extension a module; the struct is copied.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_register_extension(
    vm: *mut MsVm,
    extension: *const MsExtension,
) -> *mut MsError {
    let add = |ms: &Session| {
        if extension.is_null() {
            return Err(Fail::argument("the extension is null"));
        }
        // SAFETY: by contract. Only the slots that are counted were written, so no reference is
        // made to the whole.
        let (name, count, slots) = unsafe {
            let slots = (&raw const (*extension).functions).cast::<MsSlot>();
            ((*extension).name, (*extension).function_count, slots)
        };
        if http::is_marker(name) {
            return http::link(ms);
        }
        let count = usize::try_from(count).ok().filter(|n| *n <= 64).ok_or_else(|| {
            Fail::argument(
                "function_count is not between 0 and 64; use ms_register_extension_table",
            )
        })?;
        // SAFETY: by contract.
        let name = unsafe { text::identifier(name, "the extension's name")? };
        let mut rows = Vec::with_capacity(count);
        for i in 0..count {
            // SAFETY: by contract, this slot was written.
            let slot = unsafe { slots.add(i).read() };
            // SAFETY: by contract.
            let name = unsafe { text::borrow(slot.name, "the function's name")? };
            let data = std::ptr::null_mut();
            rows.push(Row { name, doc: "", func: slot.func, data, flags: 0 });
        }
        register(ms, name, "", &rows)
    };
    // SAFETY: by contract.
    unsafe { entry(vm, add) }
}

/// Makes a table of functions a module; the table is copied.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_register_extension_table(
    vm: *mut MsVm,
    table: *const MsExtensionTable,
) -> *mut MsError {
    let add = |ms: &Session| {
        // SAFETY: by contract.
        let Some(t) = (unsafe { table.as_ref() }) else {
            return Err(Fail::argument("the table is null"));
        };
        if t.size < size_of::<MsExtensionTable>() || t.stride < size_of::<MsFunctionRow>() {
            return Err(Fail::argument("size or stride of the table is too small"));
        }
        if t.functions.is_null() && t.function_count != 0 {
            return Err(Fail::argument("functions is null"));
        }
        let doc = |doc: *const c_char| match doc.is_null() {
            true => Ok(""),
            // SAFETY: by contract.
            false => unsafe { text::borrow(doc, "the docstring") },
        };
        // SAFETY: by contract.
        let name = unsafe { text::identifier(t.name, "the extension's name")? };
        let mut rows = Vec::new();
        for i in 0..t.function_count {
            // SAFETY: by contract, the row lies inside the array.
            let row = unsafe {
                t.functions.cast::<u8>().add(i * t.stride).cast::<MsFunctionRow>().read_unaligned()
            };
            if row.flags & !CALLS_BACK != 0 {
                return Err(Fail::argument("a function has flags that this version does not know"));
            }
            // SAFETY: by contract.
            let name = unsafe { text::borrow(row.name, "the function's name")? };
            let (func, data, flags) = (row.func, row.data, row.flags);
            rows.push(Row { name, doc: doc(row.doc)?, func, data, flags });
        }
        register(ms, name, doc(t.doc)?, &rows)
    };
    // SAFETY: by contract.
    unsafe { entry(vm, add) }
}

/// Calls a function of a module that is registered or was imported.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_call_extension_function(
    vm: *mut MsVm,
    extension: *const c_char,
    function: *const c_char,
    argc: usize,
    args: *const MsValue,
    result: *mut MsValue,
    error: *mut *mut MsError,
) -> c_int {
    let find = |ms: &Session| {
        // SAFETY: by contract.
        let (module, name) = unsafe {
            (text::borrow(extension, "the extension")?, text::borrow(function, "the function")?)
        };
        ms.with(|vm| {
            let known = ms.modules.borrow().get(module).and_then(|h| vm.handle(*h));
            let known = known.or_else(|| vm.dict_get_str(vm.modules(), module));
            let known = known
                .and_then(|m| m.get::<Module>())
                .ok_or_else(|| Fail::argument(format!("there is no extension '{module}'")))?;
            let dict = known.dict();
            let f = dict.get::<Dict>().and_then(|d| vm.dict_get_str(d, name)).ok_or_else(|| {
                Fail::argument(format!("extension '{module}' has no function '{name}'"))
            })?;
            Ok(ms.retained(vm, f))
        })
    };
    // SAFETY: by contract.
    unsafe {
        match enter(vm, find) {
            Ok(f) => {
                let status = ms_call(vm, f, argc, args, result, error);
                let unheld = crate::value::ms_value_release(vm, f);
                crate::error::ms_error_free(unheld);
                status
            }
            Err(fail) => {
                store(error, Some(fail));
                1
            }
        }
    }
}

/// Has the running function of the embedder raise, whatever it returns.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_vm_raise(
    vm: *mut MsVm,
    class: *const c_char,
    message: *const c_char,
) -> *mut MsError {
    let raise = |ms: &Session| {
        if !ms.in_native() {
            return Err(Fail::busy("ms_vm_raise belongs into a function that a script called"));
        }
        // SAFETY: by contract.
        let (class, message) =
            unsafe { (text::borrow(class, "the class")?, text::borrow(message, "the message")?) };
        ms.pending.replace(Some(Pending::New(Fail::new(code::EXCEPTION, class, message))));
        Ok(())
    };
    // SAFETY: by contract.
    unsafe { entry(vm, raise) }
}

/// Has the running function raise the exception of its last `ms_call` that failed.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_vm_reraise(vm: *mut MsVm) -> *mut MsError {
    let raise = |ms: &Session| {
        let failed = ms.failed.take().filter(|_| ms.in_native());
        let failed = failed.ok_or_else(|| {
            Fail::busy(
                "ms_vm_reraise belongs into a function that a script called, after an ms_call",
            )
        })?;
        ms.pending.replace(Some(failed));
        Ok(())
    };
    // SAFETY: by contract.
    unsafe { entry(vm, raise) }
}

/// The `data` of the running function's row; null if none runs.
///
/// # Safety
/// As `miniscript.h` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ms_function_data(vm: *mut MsVm) -> *mut c_void {
    // SAFETY: by contract.
    let data = unsafe { enter(vm, |ms| Ok(ms.data.get())) };
    data.unwrap_or(std::ptr::null_mut())
}
