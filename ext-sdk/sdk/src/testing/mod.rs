//! A host without a VM, to test an extension's functions directly.
//!
//! It implements the value, object, flow and task tables of the ABI over a handful of object
//! kinds, checks handles as a real host does (stale ones raise), and counts what is alive, so
//! that a test can assert that nothing leaks. Sockets and files are those of the system; tasks
//! that were spawned go on while a call waits.

mod files;
mod flow;
mod net;
mod objects;
mod values;

use crate::abi::{self, *};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::rc::Rc;

/// A function of the test host.
pub type Function = Box<dyn Fn(&Vm, &[Py]) -> Result<Py, Raised>>;

/// Callee, arguments and continuation.
type TailCall = (Py, Vec<Py>, Option<MsThen>);

/// An object of the test host.
pub enum Object {
    /// Beyond `i64`: sign and magnitude.
    BigInt(bool, Vec<u64>),
    /// `str`
    Str(String),
    /// `bytes`
    Bytes(Vec<u8>),
    /// `tuple`
    Tuple(Vec<Py>),
    /// `list`
    List(RefCell<Vec<Py>>),
    /// `dict`
    Dict(RefCell<Vec<(Py, Py)>>),
    /// `set`
    Set(Vec<Py>),
    /// A function written in Rust.
    Function(Function),
    /// An object with attributes and special methods.
    Instance(&'static str, Vec<(&'static str, Py)>),
    /// An iterator over items.
    Iterator(RefCell<std::vec::IntoIter<Py>>),
    /// An exception.
    Exception(Raised),
    /// A native class, by its index in the descriptor.
    Class(usize),
    /// A native object: class index and payload.
    Native(usize, *mut c_void),
    /// A task.
    Task(RefCell<flow::TaskState>),
}

/// A value of the test host.
#[derive(Clone)]
pub enum Py {
    /// `None`
    None,
    /// A bool.
    Bool(bool),
    /// An int.
    Int(i64),
    /// A float.
    Float(f64),
    /// Anything else.
    Object(Rc<Object>),
}

/// An exception: class name and message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raised {
    /// Name of the class.
    pub class: String,
    /// Its text.
    pub message: String,
}

struct Slot {
    generation: u32,
    value: Option<Py>,
    retained: bool,
}

/// The test host with one extension.
pub struct Vm {
    ext: MsExt,
    functions: Vec<MsFunction>,
    classes: Vec<MsClass>,
    slots: RefCell<Vec<Slot>>,
    /// Slots made in the running call.
    scope: RefCell<Vec<usize>>,
    pending: RefCell<Option<Raised>>,
    future: Cell<Option<MsFuture>>,
    tail: RefCell<Option<TailCall>>,
    state: Cell<*mut c_void>,
    ops: RefCell<flow::Ops>,
    sockets: RefCell<net::Sockets>,
    background: RefCell<Vec<Rc<Object>>>,
    output: RefCell<String>,
    me: Cell<*mut MsVm>,
}

static HOST: MsHost = MsHost {
    size: size_of::<MsHost>(),
    abi_major: MS_ABI_MAJOR,
    abi_minor: MS_ABI_MINOR,
    product: MsStr::new("test host"),
    wake: Some(flow::wake),
    value: &values::TABLE,
    object: &objects::TABLE,
    flow: &flow::TABLE,
    task: &flow::TASKS,
    net: &net::TABLE,
    file: &files::TABLE,
};

impl Vm {
    /// A host that has imported the extension. Fails as its `init` does.
    pub fn new(ext: &'static MsExt) -> Result<Box<Self>, Raised> {
        // SAFETY: a descriptor of the SDK, of any minor: it says its size, and its tables are of
        // the types read here.
        let (ext, functions, classes) = unsafe {
            let ext = widen(std::ptr::from_ref(ext), ext.size);
            (ext, ext.functions.read::<MsFunction>(), ext.classes.read::<MsClass>())
        };
        let vm = Box::new(Self {
            ext,
            functions,
            classes,
            slots: RefCell::default(),
            scope: RefCell::default(),
            pending: RefCell::default(),
            future: Cell::new(None),
            tail: RefCell::default(),
            state: Cell::new(std::ptr::null_mut()),
            ops: RefCell::default(),
            sockets: RefCell::default(),
            background: RefCell::default(),
            output: RefCell::default(),
            me: Cell::new(std::ptr::null_mut()),
        });
        vm.me.set(std::ptr::from_ref(&*vm).cast_mut().cast());
        if let Some(init) = ext.init {
            let mut state = std::ptr::null_mut();
            // SAFETY: the contract of `init`.
            let status = unsafe { init(&vm.context(std::ptr::null()), &mut state) };
            if status != MS_OK {
                return Err(vm.take_pending());
            }
            vm.state.set(state);
        }
        Ok(vm)
    }

    fn context(&self, data: *const c_void) -> MsContext {
        MsContext {
            size: size_of::<MsContext>(),
            host: &HOST,
            vm: self.me.get(),
            state: self.state.get(),
            data,
        }
    }

    /// Calls a function of the module, `name(*args, **named)`.
    pub fn call(&self, name: &str, args: &[Py], named: &[(&str, Py)]) -> Result<Py, Raised> {
        let function = self
            .functions
            .iter()
            // SAFETY: texts of a descriptor live for ever.
            .find(|function| unsafe { function.name.as_str() } == Some(name))
            .unwrap_or_else(|| panic!("the module has no function {name}"));
        // SAFETY: as above.
        let module = unsafe { self.ext.name.as_str() }.unwrap_or_default();
        self.invoke(&format!("{module}.{name}"), function, None, args, named)
    }

    /// Makes an object of a native class.
    pub fn construct(&self, class: &str, args: &[Py]) -> Result<Py, Raised> {
        let index = self.class_index(class);
        let cls = Py::object(Object::Class(index));
        let new = self.method_of(index, "__new__", 0);
        self.invoke(class, &new, Some(cls), args, &[])
    }

    /// Calls a method, or reads an attribute through its getter.
    pub fn method(&self, object: &Py, name: &str, args: &[Py]) -> Result<Py, Raised> {
        let Py::Object(inner) = object else { panic!("not an object") };
        let Object::Native(index, _) = &**inner else { panic!("not a native object") };
        let method = self.method_of(*index, name, MS_FN_SETTER);
        self.invoke(name, &method, Some(object.clone()), args, &[])
    }

    /// Writes an attribute through its setter.
    pub fn set(&self, object: &Py, name: &str, value: Py) -> Result<Py, Raised> {
        let Py::Object(inner) = object else { panic!("not an object") };
        let Object::Native(index, _) = &**inner else { panic!("not a native object") };
        let setter = self.method_of(*index, name, MS_FN_GETTER);
        self.invoke(name, &setter, Some(object.clone()), &[value], &[])
    }

    fn class_index(&self, name: &str) -> usize {
        self.classes
            .iter()
            // SAFETY: texts of a descriptor live for ever.
            .position(|class| unsafe { class.name.as_str() } == Some(name))
            .unwrap_or_else(|| panic!("the module has no class {name}"))
    }

    fn method_of(&self, class: usize, name: &str, not: u32) -> MsFunction {
        // SAFETY: a method table of the SDK.
        let methods = unsafe { self.classes[class].methods.read::<MsFunction>() };
        methods
            .into_iter()
            // SAFETY: texts of a descriptor live for ever.
            .find(|f| unsafe { f.name.as_str() } == Some(name) && f.flags & not == 0)
            .unwrap_or_else(|| panic!("the class has no method {name}"))
    }

    fn invoke(
        &self,
        shown: &str,
        function: &MsFunction,
        first: Option<Py>,
        args: &[Py],
        named: &[(&str, Py)],
    ) -> Result<Py, Raised> {
        // SAFETY: a parameter table of the SDK.
        let params = unsafe { function.params.read::<MsParam>() };
        let mut slots = Vec::new();
        bind(shown, function.flags, &params, args, named, &mut Values, &mut slots)
            .map_err(|error| Raised::new("TypeError", error.0))?;
        if let Some(first) = first {
            slots.insert(0, Bound::Value(first));
        }
        self.scoped(|| {
            let values: Vec<MsValue> = slots
                .iter()
                .map(|slot| match slot {
                    Bound::Value(value) => self.handle(value),
                    Bound::Absent => MsValue::ABSENT,
                })
                .collect();
            let mut out = MsValue::NONE;
            let cx = self.context(function.data);
            let call = function.call.expect("a function has an entry");
            // SAFETY: the contract of `MsCall`.
            let status = unsafe { call(&cx, values.len(), values.as_ptr(), &mut out) };
            self.finish(status, out)
        })
    }

    /// Calls the typed entry of a function of one double.
    pub fn typed_f_f(&self, name: &str, x: f64) -> f64 {
        let function = self
            .functions
            .iter()
            // SAFETY: texts of a descriptor live for ever.
            .find(|function| unsafe { function.name.as_str() } == Some(name))
            .expect("a function of the module");
        assert_eq!(function.typed_kind, abi::MS_TYPED_F_F);
        let entry = function.typed.expect("a typed entry");
        // SAFETY: the kind says the signature.
        unsafe {
            let entry: unsafe extern "C" fn(f64) -> f64 = std::mem::transmute(entry);
            entry(x)
        }
    }

    fn scoped<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.scope.take();
        let result = work();
        for index in self.scope.replace(before) {
            self.free(index);
        }
        result
    }

    fn free(&self, index: usize) {
        let value = {
            let slot = &mut self.slots.borrow_mut()[index];
            slot.generation += 1;
            slot.value.take()
        };
        drop(value);
    }

    fn new_slot(&self, value: Py, retained: bool) -> (usize, u32) {
        let mut slots = self.slots.borrow_mut();
        let index = slots.iter().position(|slot| slot.value.is_none()).unwrap_or_else(|| {
            slots.push(Slot { generation: 1, value: None, retained });
            slots.len() - 1
        });
        slots[index].value = Some(value);
        slots[index].retained = retained;
        (index, slots[index].generation)
    }

    /// A value of the ABI for the running call.
    pub fn handle(&self, value: &Py) -> MsValue {
        let value = match value {
            Py::None => return MsValue::NONE,
            Py::Bool(flag) => return MsValue::bool(*flag),
            Py::Int(number) => return MsValue::int(*number),
            Py::Float(number) => return MsValue::float(*number),
            Py::Object(_) => value.clone(),
        };
        let tag = value.tag();
        let (index, aux) = self.new_slot(value, false);
        self.scope.borrow_mut().push(index);
        MsValue { tag, aux, payload: index as u64 }
    }

    /// The value behind one of the ABI, or the exception for a handle that is not valid.
    pub fn value(&self, value: MsValue) -> Result<Py, Raised> {
        Ok(match value.tag {
            MS_TAG_NONE | MS_TAG_ABSENT => Py::None,
            MS_TAG_BOOL => Py::Bool(value.payload != 0),
            MS_TAG_INT => Py::Int(value.payload as i64),
            MS_TAG_FLOAT => Py::Float(f64::from_bits(value.payload)),
            _ => {
                let slots = self.slots.borrow();
                let slot = slots.get(value.payload as usize);
                let live = slot.filter(|slot| slot.generation == value.aux);
                return live.and_then(|slot| slot.value.clone()).ok_or_else(|| {
                    Raised::new("RuntimeError", "a value was used after its call ended")
                });
            }
        })
    }

    fn take_pending(&self) -> Raised {
        self.pending.take().unwrap_or_else(|| Raised::new("SystemError", "raised nothing"))
    }

    /// Number of handles that were retained and not released.
    pub fn retained(&self) -> usize {
        let slots = self.slots.borrow();
        slots.iter().filter(|slot| slot.retained && slot.value.is_some()).count()
    }

    /// What was written to the standard streams.
    pub fn output(&self) -> String {
        self.output.borrow().clone()
    }
}

impl Drop for Vm {
    fn drop(&mut self) {
        for task in self.background.take() {
            self.cancel_task(&task);
        }
        self.ops.take();
        if let (Some(shutdown), false) = (self.ext.shutdown, self.state.get().is_null()) {
            // SAFETY: the contract of `shutdown`.
            unsafe { shutdown(&self.context(std::ptr::null())) };
        }
    }
}

#[derive(Clone)]
enum Bound {
    Value(Py),
    Absent,
}

struct Values;

impl BindValues<Py> for Values {
    type Slot = Bound;

    fn given(&mut self, value: &Py) -> Bound {
        Bound::Value(value.clone())
    }

    fn literal(&mut self, literal: &MsLiteral) -> Bound {
        // SAFETY: literals of a descriptor live for ever.
        let bytes = unsafe { literal.text.as_bytes() };
        Bound::Value(match literal.value.tag {
            MS_TAG_BOOL => Py::Bool(literal.value.payload != 0),
            MS_TAG_INT => Py::Int(literal.value.payload as i64),
            MS_TAG_FLOAT => Py::Float(f64::from_bits(literal.value.payload)),
            MS_TAG_STR => Py::str(&String::from_utf8_lossy(bytes)),
            MS_TAG_BYTES => Py::object(Object::Bytes(bytes.to_vec())),
            _ => Py::None,
        })
    }

    fn absent(&mut self) -> Bound {
        Bound::Absent
    }

    fn kwargs(&mut self, pairs: Vec<(&str, Py)>) -> Bound {
        let pairs = pairs.into_iter().map(|(name, value)| (Py::str(name), value)).collect();
        Bound::Value(Py::object(Object::Dict(RefCell::new(pairs))))
    }
}

impl Raised {
    /// An exception.
    pub fn new(class: &str, message: impl Into<String>) -> Self {
        Self { class: class.to_owned(), message: message.into() }
    }
}

impl Py {
    /// A new object.
    pub fn object(object: Object) -> Self {
        Self::Object(Rc::new(object))
    }

    /// A `str`.
    pub fn str(text: &str) -> Self {
        Self::object(Object::Str(text.to_owned()))
    }

    /// A `list`.
    pub fn list(items: Vec<Self>) -> Self {
        Self::object(Object::List(RefCell::new(items)))
    }

    /// A `tuple`.
    pub fn tuple(items: Vec<Self>) -> Self {
        Self::object(Object::Tuple(items))
    }

    /// A function.
    pub fn function(f: impl Fn(&Vm, &[Self]) -> Result<Self, Raised> + 'static) -> Self {
        Self::object(Object::Function(Box::new(f)))
    }

    fn tag(&self) -> u32 {
        match self {
            Self::None => MS_TAG_NONE,
            Self::Bool(_) => MS_TAG_BOOL,
            Self::Int(_) => MS_TAG_INT,
            Self::Float(_) => MS_TAG_FLOAT,
            Self::Object(object) => match &**object {
                Object::BigInt(..) => MS_TAG_BIGINT,
                Object::Str(_) => MS_TAG_STR,
                Object::Bytes(_) => MS_TAG_BYTES,
                Object::Tuple(_) => MS_TAG_TUPLE,
                Object::List(_) => MS_TAG_LIST,
                Object::Dict(_) => MS_TAG_DICT,
                Object::Set(_) => MS_TAG_SET,
                Object::Class(_) => MS_TAG_CLASS,
                _ => MS_TAG_OBJECT,
            },
        }
    }

    fn type_name(&self) -> &'static str {
        match self {
            Self::None => "NoneType",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::Float(_) => "float",
            Self::Object(object) => match &**object {
                Object::BigInt(..) => "int",
                Object::Str(_) => "str",
                Object::Bytes(_) => "bytes",
                Object::Tuple(_) => "tuple",
                Object::List(_) => "list",
                Object::Dict(_) => "dict",
                Object::Set(_) => "set",
                Object::Function(_) => "function",
                Object::Instance(name, _) => name,
                Object::Iterator(_) => "iterator",
                Object::Exception(_) => "Exception",
                Object::Class(_) => "type",
                Object::Native(..) => "native",
                Object::Task(_) => "Task",
            },
        }
    }

    fn items(&self) -> Option<Vec<Self>> {
        let Self::Object(object) = self else { return None };
        Some(match &**object {
            Object::Tuple(items) | Object::Set(items) => items.clone(),
            Object::List(items) => items.borrow().clone(),
            Object::Dict(pairs) => pairs.borrow().iter().map(|(key, _)| key.clone()).collect(),
            Object::Str(text) => text.chars().map(|c| Self::str(&c.to_string())).collect(),
            _ => return None,
        })
    }
}

/// As `repr` shows it, for assertions.
impl std::fmt::Debug for Py {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Bool(true) => f.write_str("True"),
            Self::Bool(false) => f.write_str("False"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Float(number) => write!(f, "{number:?}"),
            Self::Object(object) => match &**object {
                Object::BigInt(negative, limbs) => {
                    write!(f, "{}0x", if *negative { "-" } else { "" })?;
                    limbs.iter().rev().enumerate().try_for_each(|(index, limb)| {
                        if index == 0 { write!(f, "{limb:x}") } else { write!(f, "{limb:016x}") }
                    })
                }
                Object::Str(text) => write!(f, "'{text}'"),
                Object::Bytes(bytes) => write!(f, "b'{}'", bytes.escape_ascii()),
                Object::Dict(pairs) => f
                    .debug_map()
                    .entries(pairs.borrow().iter().map(|(key, value)| (key, value)))
                    .finish(),
                Object::Tuple(items) => {
                    f.write_str("(")?;
                    items.iter().try_for_each(|item| write!(f, "{item:?}, "))?;
                    f.write_str(")")
                }
                Object::Set(items) => f.debug_set().entries(items).finish(),
                Object::List(items) => f.debug_list().entries(items.borrow().iter()).finish(),
                Object::Exception(raised) => write!(f, "{raised:?}"),
                _ => write!(f, "<{}>", self.type_name()),
            },
        }
    }
}
