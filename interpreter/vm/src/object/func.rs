//! Code objects, functions, natives, bound methods and cells.

#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};
use std::sync::Arc;

use super::read;
use crate::code::proto::CodeProto;
use crate::heap::{Header, Kind, Marker, Object};
use crate::native::NativeDef;
use crate::value::{EMPTY, Value, Word};

/// An instantiated [`CodeProto`]. Instructions rewrite themselves (quickening) and fill their
/// caches, so both arrays are mutable through shared references; only the dispatch loop and the
/// cache code of this crate do so.
#[repr(C)]
pub struct Code {
    head: Header,
    /// What it was made from.
    pub proto: Arc<CodeProto>,
    /// The instructions.
    pub(crate) words: Box<[UnsafeCell<u32>]>,
    /// The constants, then four words for each inline cache: name, key, and two more.
    pub(crate) k: Box<[UnsafeCell<Word>]>,
    const_count: usize,
    /// Whether a cache was filled since the last flush.
    pub(crate) cached: Cell<bool>,
    /// Name and qualified name as strings, once a function was made; before, Empty.
    pub(crate) name: Cell<Word>,
    /// See `name`.
    pub(crate) qualname: Cell<Word>,
}

/// Words of one inline cache.
pub const CACHE_WORDS: usize = 4;

impl Code {
    pub(crate) fn new(
        shape: u32,
        proto: Arc<CodeProto>,
        words: Vec<u32>,
        k: Vec<Word>,
        const_count: usize,
    ) -> Code {
        Code {
            head: Header::new(Kind::Code, shape),
            proto,
            words: words.into_iter().map(UnsafeCell::new).collect(),
            k: k.into_iter().map(UnsafeCell::new).collect(),
            const_count,
            cached: Cell::new(false),
            name: Cell::new(EMPTY),
            qualname: Cell::new(EMPTY),
        }
    }

    /// What a code object of `proto` with that many words and constants is charged for: its own
    /// and that of `proto`, which is hardly ever shared.
    pub(crate) fn charged(proto: &CodeProto, words: usize, consts: usize) -> usize {
        /// A string, a vector and what the allocator adds.
        const NAME: usize = 48;
        let names = proto.locals.len() + proto.free.len() + 4;
        size_of::<CodeProto>()
            + names * NAME
            + (words + proto.words.len()) * size_of::<u32>()
            + consts * size_of::<Word>()
            + proto.consts.len() * size_of::<crate::code::proto::Const>()
    }

    /// First instruction.
    pub(crate) fn entry(&self) -> *const u32 {
        self.words.as_ptr().cast()
    }

    /// First constant.
    pub(crate) fn k_ptr(&self) -> *const Word {
        self.k.as_ptr().cast()
    }

    /// Constant `i`.
    pub fn constant(&self, i: usize) -> Value<'_> {
        // SAFETY: constants are never written after instantiation.
        super::lend(self, unsafe { *self.k[i].get() })
    }

    /// Empties all inline caches.
    pub(crate) fn flush(&self) {
        for c in self.k[self.const_count..].chunks_exact(CACHE_WORDS) {
            for w in &c[1..] {
                // SAFETY: the dispatch loop holds no reference into a cache across a call.
                unsafe { *w.get() = 0 };
            }
        }
        self.cached.set(false);
    }

    /// Index of the instruction word at `pc`, if it lies in this code.
    pub(crate) fn index_of(&self, pc: *const u32) -> Option<usize> {
        let d = (pc as usize).checked_sub(self.entry() as usize)? / 4;
        (d <= self.words.len()).then_some(d)
    }
}

// SAFETY: repr(C), header first; constants and cache names are traced, what else caches hold is
// weak (guarded by shape numbers that are never reused).
unsafe impl Object for Code {
    const KIND: Kind = Kind::Code;
    const DROPS: bool = true;
    fn owned_bytes(&self) -> usize {
        Code::charged(&self.proto, self.words.len(), self.k.len())
    }
    fn trace(&self, m: &mut Marker) {
        let read = |c: &UnsafeCell<Word>| {
            // SAFETY: the collector runs while nothing else does.
            unsafe { *c.get() }
        };
        m.cell(&self.name);
        m.cell(&self.qualname);
        for c in &self.k[..self.const_count] {
            m.word(read(c));
        }
        for c in self.k[self.const_count..].chunks_exact(CACHE_WORDS) {
            m.word(read(&c[0]));
            if crate::cache::holds_object(read(&c[1])) {
                m.word(read(&c[3]));
            }
        }
    }
}

/// How a function's parameters are bound.
pub mod call_flags {
    /// Only plain positional parameters: when the count fits, arguments are in place.
    pub const SIMPLE: u16 = 1;
    /// Calling it makes a generator or coroutine.
    pub const GENERATOR: u16 = 2;
    /// Frames do not show in tracebacks.
    pub const HIDDEN: u16 = 4;
}

/// A script function. What a call needs is copied from the code, in one cache line.
#[repr(C)]
pub struct Function {
    head: Header,
    pub(crate) entry: *const u32,
    pub(crate) k: *const Word,
    pub(crate) reg_count: u32,
    pub(crate) arg_count: u16,
    pub(crate) call_flags: u16,
    /// The captured cells: data of the tuple in `closure`.
    pub(crate) free: *const Word,
    /// The globals, a dict.
    pub globals: Cell<Word>,
    /// The code object.
    pub code: Cell<Word>,
    /// A tuple of cells, or Empty.
    pub closure: Cell<Word>,
    /// `__defaults__`, a tuple or Empty.
    pub defaults: Cell<Word>,
    /// `__kwdefaults__`, a dict or Empty.
    pub kwdefaults: Cell<Word>,
    /// `__name__`.
    pub name: Cell<Word>,
    /// `__qualname__`.
    pub qualname: Cell<Word>,
    /// `__annotations__`, a dict or Empty.
    pub annotations: Cell<Word>,
    /// Other attributes (`__dict__`), a dict or Empty.
    pub attrs: Cell<Word>,
    /// What was set of `__doc__`, `__module__` and `__type_params__`: a dict or Empty.
    pub special: Cell<Word>,
}

impl Function {
    pub(crate) fn new(
        shape: u32,
        code: &Code,
        globals: Value<'_>,
        closure: Value<'_>,
        name: Value<'_>,
        qualname: Value<'_>,
    ) -> Function {
        let p = &code.proto;
        let simple = !p.flags.varargs && !p.flags.varkw && p.kwonly_count == 0;
        let arg_count = u16::try_from(p.arg_count);
        let mut flags = 0;
        if simple && arg_count.is_ok() {
            flags |= call_flags::SIMPLE;
        }
        if p.flags.generator || p.flags.coroutine {
            flags |= call_flags::GENERATOR;
        }
        if p.flags.hidden {
            flags |= call_flags::HIDDEN;
        }
        Function {
            head: Header::new(Kind::Function, shape),
            entry: code.entry(),
            k: code.k_ptr(),
            reg_count: p.reg_count,
            arg_count: arg_count.unwrap_or(u16::MAX),
            call_flags: flags,
            free: closure
                .get::<super::seq::Tuple>()
                .map_or(std::ptr::null(), |t| t.items().as_ptr().cast()),
            globals: Cell::new(globals.word()),
            code: Cell::new(Value::object(code).word()),
            closure: Cell::new(closure.word()),
            defaults: Cell::new(EMPTY),
            kwdefaults: Cell::new(EMPTY),
            name: Cell::new(name.word()),
            qualname: Cell::new(qualname.word()),
            annotations: Cell::new(EMPTY),
            attrs: Cell::new(EMPTY),
            special: Cell::new(EMPTY),
        }
    }

    /// Its `__name__`.
    pub fn name(&self) -> Value<'_> {
        read(&self.name)
    }

    /// Its code.
    pub fn code(&self) -> &Code {
        read(&self.code).get::<Code>().expect("a function has code")
    }

    /// The free cell `i`.
    pub(crate) fn cell(&self, i: usize) -> Option<&CellObj> {
        read(&self.closure).get::<super::seq::Tuple>()?.items().get(i)?.get::<CellObj>()
    }
}

// SAFETY: repr(C), header first, all words traced.
unsafe impl Object for Function {
    const KIND: Kind = Kind::Function;
    fn trace(&self, m: &mut Marker) {
        for c in [
            &self.globals,
            &self.code,
            &self.closure,
            &self.defaults,
            &self.kwdefaults,
            &self.name,
            &self.qualname,
            &self.annotations,
            &self.attrs,
            &self.special,
        ] {
            m.cell(c);
        }
    }
}

/// A native function or method.
#[repr(C)]
pub struct Native {
    head: Header,
    /// Its row. Rows are static, or owned by an extension that is never unloaded.
    pub def: &'static NativeDef,
    /// What it is bound to (`[].append`, a module for module functions), or Empty.
    pub receiver: Cell<Word>,
    /// The class it is a method of, or Empty.
    pub owner: Cell<Word>,
    /// For natives of a host: what the host needs to find the function.
    pub data: usize,
}

impl Native {
    pub(crate) fn new(
        shape: u32,
        def: &'static NativeDef,
        receiver: Value<'_>,
        owner: Value<'_>,
        data: usize,
    ) -> Native {
        Native {
            head: Header::new(Kind::Native, shape),
            def,
            receiver: Cell::new(receiver.word()),
            owner: Cell::new(owner.word()),
            data,
        }
    }
}

// SAFETY: repr(C), header first, all words traced.
unsafe impl Object for Native {
    const KIND: Kind = Kind::Native;
    fn trace(&self, m: &mut Marker) {
        m.cell(&self.receiver);
        m.cell(&self.owner);
    }
}

/// A function with its receiver.
#[repr(C)]
pub struct BoundMethod {
    head: Header,
    /// The callable.
    pub func: Cell<Word>,
    /// The receiver.
    pub receiver: Cell<Word>,
}

impl BoundMethod {
    pub(crate) fn new(shape: u32, func: Value<'_>, receiver: Value<'_>) -> BoundMethod {
        BoundMethod {
            head: Header::new(Kind::BoundMethod, shape),
            func: Cell::new(func.word()),
            receiver: Cell::new(receiver.word()),
        }
    }
}

// SAFETY: repr(C), header first, all words traced.
unsafe impl Object for BoundMethod {
    const KIND: Kind = Kind::BoundMethod;
    fn trace(&self, m: &mut Marker) {
        m.cell(&self.func);
        m.cell(&self.receiver);
    }
}

/// A variable shared between functions.
#[repr(C)]
pub struct CellObj {
    head: Header,
    /// The contents, or Empty.
    pub contents: Cell<Word>,
}

impl CellObj {
    pub(crate) fn new(shape: u32, contents: Value<'_>) -> CellObj {
        CellObj { head: Header::new(Kind::Cell, shape), contents: Cell::new(contents.word()) }
    }
}

// SAFETY: repr(C), header first, all words traced.
unsafe impl Object for CellObj {
    const KIND: Kind = Kind::Cell;
    fn trace(&self, m: &mut Marker) {
        m.cell(&self.contents);
    }
}
