//! A module object out of an extension: functions, constants and classes of one VM.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::rc::Rc;

use miniscript_abi::*;
use miniscript_vm::builtins::Type;
use miniscript_vm::builtins::foreign::ForeignClass;
use miniscript_vm::handles::Handle;
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult};
use miniscript_vm::object::class::Class;
use miniscript_vm::object::exc::Exception;
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::opaque::Payload;
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

use super::call::{Call, FunctionData};
use super::define::{self, Row, literal};
use super::{Bridge, HOST, error};
use crate::access::Wanted;
use crate::registry::{Extension, Origin, Registry};

/// An extension in one VM.
pub(super) struct Loaded {
    pub(super) ext: &'static Extension,
    bridge: *const Bridge,
    state: Cell<*mut c_void>,
    ready: Cell<bool>,
    /// For what is no function: `init`, and futures that it starts.
    cx: Cell<MsContext>,
    /// The module while `init` has not succeeded.
    draft: Cell<Option<Handle>>,
    module: Cell<Option<Handle>>,
    /// Class objects in the order of the table.
    classes: RefCell<Vec<Handle>>,
    /// Boxed, as natives and contexts know their addresses.
    #[expect(clippy::vec_box, reason = "the addresses must stay while the list grows")]
    functions: RefCell<Vec<Box<FunctionData>>>,
}

impl Loaded {
    fn new(ext: &'static Extension, bridge: &Bridge) -> Rc<Loaded> {
        Rc::new(Loaded {
            ext,
            bridge,
            state: Cell::new(std::ptr::null_mut()),
            ready: Cell::new(false),
            cx: Cell::new(MsContext {
                size: size_of::<MsContext>(),
                host: &HOST,
                vm: bridge.as_ms_vm(),
                state: std::ptr::null_mut(),
                data: std::ptr::null(),
            }),
            draft: Cell::new(None),
            module: Cell::new(None),
            classes: RefCell::default(),
            functions: RefCell::default(),
        })
    }

    fn context(&self, data: *const c_void) -> MsContext {
        // SAFETY: the bridge owns what is loaded.
        let vm = unsafe { &*self.bridge }.as_ms_vm();
        let state = self.state.get();
        MsContext { size: size_of::<MsContext>(), host: &HOST, vm, state, data }
    }

    /// Index of the class `id`.
    pub(super) fn class_index(&self, id: *const c_void) -> Option<usize> {
        self.ext.classes.iter().position(|class| std::ptr::eq(class.record.id, id))
    }

    /// The class object of the class `id`.
    pub(super) fn class<'v>(&self, vm: &'v Vm, id: *const c_void) -> Option<&'v Class> {
        let handle = *self.classes.borrow().get(self.class_index(id)?)?;
        vm.handle(handle)?.get::<Class>()
    }

    /// The class object of a name.
    pub(super) fn class_named<'v>(&self, vm: &'v Vm, name: &str) -> Option<&'v Class> {
        let index = self.ext.classes.iter().position(|class| class.name == name)?;
        let handle = *self.classes.borrow().get(index)?;
        vm.handle(handle)?.get::<Class>()
    }

    /// A native for a row; its data lives as long as the bridge.
    fn native<'v>(
        &self,
        vm: &'v Vm,
        row: &'static Row,
        receiver: Value<'v>,
        owner: Value<'v>,
    ) -> Value<'v> {
        let data = Box::new(FunctionData {
            cx: Cell::new(self.context(row.function.record.data)),
            row,
            bridge: self.bridge,
            loaded: self,
        });
        let address = std::ptr::from_ref(&*data) as usize;
        self.functions.borrow_mut().push(data);
        vm.foreign_native(&row.def, receiver, owner, address)
    }

    /// The module as it is before `init`.
    fn make_module<'v>(&self, vm: &'v Vm, rows: &'static define::Rows) -> NResult<'v> {
        // What an earlier attempt came to before memory was short.
        for class in self.classes.take() {
            vm.release(class);
        }
        self.make_classes(vm, &rows.methods)?;
        let module = vm.new_module(self.ext.name);
        let value = Value::object(module);
        if let Some(dict) = module.dict().get::<Dict>() {
            self.fill(vm, value, dict, rows)?;
        }
        Ok(value)
    }

    fn make_classes<'v>(&self, vm: &'v Vm, rows: &'static [Vec<Row>]) -> Result<(), Exit<'v>> {
        for (class, rows) in self.ext.classes.iter().zip(rows) {
            // A class of the extension comes before a builtin one of the same name.
            let base = match class.base {
                "" | "object" => vm.class(Type::Object),
                name => self
                    .class_named(vm, name)
                    .or_else(|| Some(vm.class(error::builtin_class(name)?)))
                    .ok_or_else(|| {
                        let text = format!(
                            "the base '{name}' of class {} is no class before it in the table and \
                             no builtin exception",
                            class.name
                        );
                        vm.err(Type::ImportError, text)
                    })?,
            };
            let derives = !std::ptr::eq(base, vm.class(Type::Object));
            let makes = class.methods.iter().any(|m| m.name == "__new__");
            let flags = class.record.flags;
            let callable = (makes || derives) && flags & MS_CLASS_NO_CALL == 0;
            let made = vm.foreign_class(ForeignClass {
                name: class.name,
                module: self.ext.name,
                doc: class.doc,
                base,
                layout: Kind::Opaque,
                subclassable: flags & MS_CLASS_SUBCLASSABLE != 0 || derives,
                callable,
                data: class.record.id as usize,
            })?;
            let owner = Value::object(made);
            self.classes.borrow_mut().push(vm.retain(owner));
            for constant in &class.constants {
                let v = literal(vm, &constant.value)?;
                vm.class_set(made, vm.intern(constant.name), v)?;
            }
            for row in rows {
                let native = self.native(vm, row, Value::EMPTY, owner);
                vm.foreign_method(made, row.def.role, row.def.name, native)?;
            }
            // As in a script class: who says what is equal says what its hash is, or has none.
            let has = |name| class.methods.iter().any(|m| m.name == name);
            if has("__eq__") && !has("__hash__") {
                vm.class_set(made, vm.intern("__hash__"), Value::NONE)?;
            }
        }
        Ok(())
    }

    /// Runs `init`, after which every function knows the VM's state.
    fn prepare<'v>(&self, vm: &'v Vm, bridge: &Bridge) -> Result<(), Exit<'v>> {
        if let Some(init) = self.ext.init {
            let mut call = Call::new(bridge, None, std::ptr::null_mut());
            call.loaded = self;
            let cx = self.context(std::ptr::null());
            let mut state = std::ptr::null_mut();
            // SAFETY: the contract of `MsInit`.
            let status = call.enter(|| unsafe { init(&cx, &mut state) });
            if !matches!(status, MS_OK | MS_RAISED) {
                let text = format!("init of {} answered the status {status}", self.ext.name);
                return Err(vm.err(Type::SystemError, text));
            }
            call.finish(vm, status, MsValue::NONE)?;
            self.state.set(state);
        }
        self.ready.set(true);
        self.cx.set(self.context(std::ptr::null()));
        for f in self.functions.borrow().iter() {
            f.cx.set(MsContext { state: self.state.get(), ..f.cx.get() });
        }
        Ok(())
    }

    fn fill<'v>(
        &self,
        vm: &'v Vm,
        module: Value<'v>,
        dict: &'v Dict,
        rows: &'static define::Rows,
    ) -> Result<(), Exit<'v>> {
        let ext = self.ext;
        let set = |name: &str, v: Value<'v>| vm.dict_set_name(dict, vm.intern(name), v);
        if !ext.doc.is_empty() {
            set("__doc__", vm.str(ext.doc)?)?;
        }
        set("__version__", vm.str(ext.version)?)?;
        if let Some(path) = &ext.path {
            set("__file__", vm.str(&path.to_string_lossy())?)?;
        }
        for row in &rows.functions {
            let native = self.native(vm, row, module, Value::EMPTY);
            set(row.def.name, native)?;
        }
        for constant in &ext.constants {
            set(constant.name, literal(vm, &constant.value)?)?;
        }
        for (class, handle) in ext.classes.iter().zip(self.classes.borrow().iter()) {
            set(class.name, vm.handle(*handle).unwrap_or(Value::NONE))?;
        }
        Ok(())
    }

    /// The context of what is no function.
    pub(super) fn plain_context(&self) -> *const MsContext {
        self.cx.as_ptr()
    }

    /// Ends the extension's use by the VM.
    pub(super) fn shut_down(&self) {
        if !self.ready.replace(false) {
            return;
        }
        if let Some(shutdown) = self.ext.shutdown {
            let cx = self.context(std::ptr::null());
            // SAFETY: the contract of `MsShutdown`; no call runs, so what needs one is refused.
            unsafe { shutdown(&cx) };
        }
    }
}

impl Bridge {
    /// The module of an extension, made when it is first asked for; an `ImportError` tells why it
    /// cannot be.
    pub fn import<'v>(&self, vm: &'v Vm, registry: &Registry, name: &str) -> NResult<'v> {
        self.vm.set(vm);
        let refuse = |text: String, path: Option<String>| import_error(vm, name, text, path);
        if let Some(loaded) = self.loaded.borrow().iter().find(|l| l.ext.name == name) {
            return match loaded.module.get().and_then(|h| vm.handle(h)) {
                Some(module) => Ok(module),
                None => Err(refuse(format!("the extension '{name}' needs itself"), None)),
            };
        }
        if !self.may_load(registry, name) {
            return Err(refuse(self.refusal.take(), None));
        }
        let ext = registry.load(name).map_err(|e| {
            let path = e.path.to_string_lossy().into_owned();
            let text = format!("cannot import the extension '{name}': {e}");
            refuse(text, (!path.is_empty()).then_some(path))
        })?;
        let path = ext.path.as_ref().map(|p| p.to_string_lossy().into_owned());
        let rows = define::rows(ext).map_err(|text| refuse(text, path.clone()))?;
        let failed = {
            let mut failed = self.failed.borrow_mut();
            let known = failed.iter().position(|l| std::ptr::eq(l.ext, ext));
            known.map(|i| failed.remove(i))
        };
        let loaded = failed.unwrap_or_else(|| Loaded::new(ext, self));
        self.loaded.borrow_mut().push(Rc::clone(&loaded));
        let made = self.build(vm, registry, &loaded, rows, path.clone());
        self.loaded.borrow_mut().retain(|l| !Rc::ptr_eq(l, &loaded));
        // The list is in the order of `init`s; what it depends on came meanwhile. After a failure
        // a later import tries again with the same record, as functions may have escaped.
        let list = if made.is_ok() { &self.loaded } else { &self.failed };
        list.borrow_mut().push(loaded);
        made.map_err(|e| cause_of(vm, name, path, e))
    }

    fn build<'v>(
        &self,
        vm: &'v Vm,
        registry: &Registry,
        loaded: &Rc<Loaded>,
        rows: &'static define::Rows,
        path: Option<String>,
    ) -> NResult<'v> {
        let ext = loaded.ext;
        for &(needed, range) in &ext.dependencies {
            self.import(vm, registry, needed)?;
            let version = {
                let loaded = self.loaded.borrow();
                loaded.iter().find(|l| l.ext.name == needed).map_or("", |l| l.ext.version)
            };
            if !in_range(version, range) {
                let text =
                    format!("the extension '{}' needs {needed} {range}, found {version}", ext.name);
                return Err(import_error(vm, ext.name, text, path));
            }
        }
        let module = match loaded.draft.get().and_then(|h| vm.handle(h)) {
            Some(module) => module,
            None => {
                let module = loaded.make_module(vm, rows)?;
                loaded.draft.set(Some(vm.retain(module)));
                module
            }
        };
        loaded.prepare(vm, self)?;
        vm.dict_set_name(vm.modules(), vm.intern(ext.name), module)?;
        loaded.module.set(loaded.draft.take());
        Ok(module)
    }

    fn may_load(&self, registry: &Registry, name: &str) -> bool {
        registry.is_linked(name)
            || registry
                .find(name)
                .is_none_or(|f| matches!(f.origin, Origin::Installation | Origin::BuildTree))
            || self.permits(&Wanted::Ext(name))
    }

    /// An object that carries a payload of the bridge through the VM.
    pub(super) fn carrier<'v>(&self, vm: &'v Vm, payload: Box<dyn Payload>) -> NResult<'v> {
        let known = self.carrier_class.get().and_then(|h| vm.handle(h));
        let class = match known.and_then(|v| v.get::<Class>()) {
            Some(class) => class,
            None => {
                let class = vm.foreign_class(ForeignClass {
                    name: "continuation",
                    module: "builtins",
                    doc: "",
                    base: vm.class(Type::Object),
                    layout: Kind::Opaque,
                    subclassable: false,
                    callable: false,
                    data: 0,
                })?;
                self.carrier_class.set(Some(vm.retain(Value::object(class))));
                class
            }
        };
        Ok(vm.opaque(class, Some(payload)))
    }
}

/// The ImportError for an import that failed in the extension's own code.
fn cause_of<'v>(vm: &'v Vm, name: &str, path: Option<String>, e: Exit<'v>) -> Exit<'v> {
    let Exit::Raise(cause) = e else { return e };
    let is = |t| vm.is_exception_of(cause, t);
    // Limits and interrupts are not the extension's.
    if is(Type::ImportError)
        || is(Type::MemoryError)
        || is(Type::TimeoutError)
        || !is(Type::Exception)
    {
        return e;
    }
    let message = cause.get::<Exception>().and_then(|e| e.args().first()?.get::<Str>());
    let message = message.map_or_else(String::new, |s| format!(": {}", s.to_display()));
    let kind = vm.type_name(cause);
    let text = format!("cannot import the extension '{name}': its init raised {kind}{message}");
    match import_error(vm, name, text, path) {
        Exit::Raise(e) => {
            vm.set_cause(e, cause);
            Exit::Raise(e)
        }
        other => other,
    }
}

fn import_error<'v>(vm: &'v Vm, name: &str, text: String, path: Option<String>) -> Exit<'v> {
    let made = || {
        let e = vm.exception(Type::ImportError, text);
        vm.set_attr_raw(e, vm.intern("name"), vm.str(name)?)?;
        let path = path.map_or(Ok(Value::NONE), |p| vm.str(&p))?;
        vm.set_attr_raw(e, vm.intern("path"), path)?;
        Ok(e)
    };
    match made() {
        Ok(e) => Exit::Raise(e),
        Err(e) => e,
    }
}

/// The numbers of a version; what is missing is 0 and what follows `-` or `+` does not count.
fn numbers(version: &str) -> ([u64; 3], usize) {
    let mut all = [0; 3];
    let mut given = 0;
    let core = version.trim().split(['-', '+']).next().unwrap_or("");
    for (slot, part) in all.iter_mut().zip(core.split('.')) {
        match part.trim().parse() {
            Ok(n) => *slot = n,
            Err(_) => break,
        }
        given += 1;
    }
    (all, given)
}

/// Whether a version lies in a range as Cargo reads it: comparators with commas between them, a
/// bare version accepts what is compatible with it.
fn in_range(version: &str, range: &str) -> bool {
    let (v, _) = numbers(version);
    range.split(',').map(str::trim).filter(|part| !part.is_empty() && *part != "*").all(|part| {
        let at = part.find(|c: char| c.is_ascii_digit()).unwrap_or(part.len());
        let (op, rest) = part.split_at(at);
        let (wanted, given) = numbers(rest);
        let cut = |n: usize| v[..n.clamp(1, 3)] == wanted[..n.clamp(1, 3)];
        match op.trim() {
            ">=" => v >= wanted,
            ">" => v > wanted,
            "<=" => v <= wanted || cut(given),
            "<" => v < wanted,
            "=" => cut(given),
            "~" => v >= wanted && cut(given.min(2)),
            "" | "^" => {
                let first = wanted.iter().position(|&n| n != 0).unwrap_or(given.max(1) - 1);
                v >= wanted && cut(first + 1)
            }
            _ => false,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::in_range;

    #[test]
    fn ranges_are_those_of_cargo() {
        for (version, range, fits) in [
            ("1.2.3", "", true),
            ("1.2.3", "*", true),
            ("1.2.3", ">=1.2, <2", true),
            ("2.0.0", ">=1.2, <2", false),
            ("1.2.3", "1.2", true),
            ("1.1.9", "1.2", false),
            ("2.0.0", "1.2", false),
            ("0.2.5", "0.2.3", true),
            ("0.3.0", "0.2.3", false),
            ("1.2.9", "~1.2.3", true),
            ("1.3.0", "~1.2.3", false),
            ("1.2.3", "=1.2.3", true),
            ("1.2.4", "=1.2.3", false),
            ("1.2.3", "?1", false),
        ] {
            assert_eq!(in_range(version, range), fits, "{version} in {range}");
        }
    }
}
