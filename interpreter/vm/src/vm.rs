//! The VM: everything that belongs to one interpreter, and how objects are made.

#![allow(unsafe_code)]

use std::any::{Any, TypeId};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

use num_bigint::BigInt;
use rustc_hash::FxHashMap;

use crate::builtins::{Type, bootstrap};
use crate::hash::StringKey;
use crate::heap::{HAS_ATTRS, Heap, MAX_OBJECT, Marker, Object, OutOfMemory};
use crate::host::Host;
use crate::intern::Interner;
use crate::interp::state::State;
use crate::names::Names;
use crate::native::{Exit, NResult};
use crate::object::class::{Class, class_flags};
use crate::object::exc::Exception;
use crate::object::func::{BoundMethod, CellObj, Code};
use crate::object::instance::{Instance, Slots};
use crate::object::iter::{Iter, NextFn};
use crate::object::map::{Dict, Set};
use crate::object::num::{BigIntObj, Complex, Int64};
use crate::object::record::Module;
use crate::object::seq::{List, Range, Slice, Tuple, words};
use crate::object::shape::Shapes;
use crate::object::text::{Buf, ByteArray, Bytes, Str};
use crate::value::{EMPTY, SMALL_MAX, SMALL_MIN, Value, Word, fits_small, int_word};

/// One interpreter.
///
/// A shared borrow gives access to everything but running script code: natives get `&Vm`. What
/// runs script code (and so may collect) takes `&mut Vm`.
#[repr(C)]
pub struct Vm {
    /// What the dispatch loop keeps at hand. First, so that a `*mut State` is a `*mut Vm`.
    pub(crate) st: State,
    /// The heap.
    pub heap: Heap,
    /// The shapes.
    pub shapes: Shapes,
    /// Well-known names.
    pub names: Names,
    pub(crate) interner: Interner,
    pub(crate) string_key: StringKey,
    /// The builtin classes, by [`Type`].
    pub(crate) classes: Vec<Cell<Word>>,
    /// The builtins namespace, a dict.
    pub(crate) builtins: Cell<Word>,
    /// `sys.modules`, a dict.
    pub(crate) modules: Cell<Word>,
    pub(crate) empty_tuple: Cell<Word>,
    pub(crate) empty_str: Cell<Word>,
    pub(crate) latin1: Vec<Cell<Word>>,
    /// Index tables of strings that were indexed lately.
    pub(crate) index_tables: RefCell<crate::text::recent::RecentTables>,
    /// Code objects with filled caches, for [`Vm::flush_caches`].
    pub(crate) cached_codes: RefCell<Vec<*const Code>>,
    pub(crate) finalizers: crate::finalize::Finalizers,
    pub(crate) method_cache: crate::attr::MethodCache,
    /// The last search of the dispatch loop in a dict.
    pub(crate) found: Cell<crate::object::map::Found>,
    /// The namespace of the prelude, a dict, once wanted.
    pub(crate) prelude: Cell<Word>,
    /// Values that the host holds on to.
    pub(crate) handles: RefCell<crate::handles::Handles>,
    pub(crate) stack_pool: crate::interp::nested::StackPool,
    /// Natives whose callers hold values and that run script code all the same: while there are
    /// any, nothing is collected.
    pub(crate) no_collect: Cell<u32>,
    /// The `sys.stdout` that writes to the host's output, which `print` does by itself; or Empty.
    pub(crate) stdout: Cell<Word>,
    /// Objects whose `repr` is being made, against endless recursion.
    pub(crate) repr_active: RefCell<Vec<Word>>,
    /// Steps of natives until the host is asked: see `poll`.
    pub(crate) ticks_left: Cell<u32>,
    /// A native runs again after a collection: see `interp::again`.
    pub(crate) settled: Cell<bool>,
    /// Attributes that the body of the class being made assigns to `self`.
    pub(crate) attr_hint: Cell<u32>,
    /// Most digits that an int may have when it is converted from or to decimal text.
    pub int_max_str_digits: Cell<usize>,
    /// The weak references.
    pub(crate) weak: crate::object::weak::WeakRefs,
    /// What modules keep for this VM, by type.
    locals: RefCell<FxHashMap<TypeId, Rc<dyn Any>>>,
    /// Counters that are not the heap's.
    pub counters: crate::stats::Counters,
    pub(crate) host: Box<dyn Host>,
}

/// Settings of a new VM.
#[derive(Clone, Debug, Default)]
pub struct VmConfig {
    /// Seed of the string hash; 0 fixes it.
    pub hash_seed: u64,
    /// Collect at every safepoint.
    pub gc_stress: bool,
    /// Memory limit in bytes.
    pub max_memory: Option<usize>,
}

impl Vm {
    /// A new VM that asks `host` for what it needs from outside.
    pub fn new(config: &VmConfig, host: Box<dyn Host>) -> Box<Vm> {
        let heap = Heap::default();
        if let Some(n) = config.max_memory {
            heap.set_limit(n);
        }
        let string_key = StringKey::new(config.hash_seed);
        let interner = Interner::default();
        let names = Names::new(|s| interner.intern_static(&heap, &string_key, s).word());
        let mut vm = Box::new(Vm {
            st: State::new(config.gc_stress),
            heap,
            shapes: Shapes::default(),
            names,
            interner,
            string_key,
            classes: Type::ALL.iter().map(|_| Cell::new(EMPTY)).collect(),
            builtins: Cell::new(EMPTY),
            modules: Cell::new(EMPTY),
            empty_tuple: Cell::new(EMPTY),
            empty_str: Cell::new(EMPTY),
            latin1: (0..256).map(|_| Cell::new(EMPTY)).collect(),
            index_tables: Default::default(),
            cached_codes: RefCell::default(),
            finalizers: Default::default(),
            method_cache: Default::default(),
            found: Default::default(),
            prelude: Cell::new(EMPTY),
            handles: RefCell::default(),
            stack_pool: Default::default(),
            no_collect: Cell::new(0),
            stdout: Cell::new(EMPTY),
            repr_active: RefCell::default(),
            ticks_left: Cell::new(crate::poll::SLICE),
            settled: Cell::new(false),
            attr_hint: Cell::new(0),
            int_max_str_digits: Cell::new(4300),
            weak: Default::default(),
            locals: RefCell::default(),
            counters: Default::default(),
            host,
        });
        let st: *const State = &vm.st;
        vm.heap.set_on_due(
            // SAFETY: the heap is a part of the boxed VM that the state belongs to.
            |st| unsafe { (*st.cast::<State>()).trip() },
            st.cast(),
        );
        bootstrap(&mut vm);
        vm
    }

    /// The host.
    pub fn host(&self) -> &dyn Host {
        &*self.host
    }

    /// The `T` that a module keeps for this VM. It is not traced: values in it go by handles.
    pub fn local<T: Default + 'static>(&self) -> Rc<T> {
        let new = || -> Rc<dyn Any> { Rc::new(T::default()) };
        let kept = Rc::clone(self.locals.borrow_mut().entry(TypeId::of::<T>()).or_insert_with(new));
        // The key is the type, so it is one.
        kept.downcast().unwrap_or_default()
    }

    // ---- classes ----

    /// A builtin class.
    #[inline]
    pub fn class(&self, t: Type) -> &Class {
        self.class_value(t).get::<Class>().expect("builtin classes are made first")
    }

    /// A builtin class as a value.
    #[inline]
    pub fn class_value(&self, t: Type) -> Value<'_> {
        crate::object::read(&self.classes[t as usize])
    }

    /// The builtins namespace.
    pub fn builtins(&self) -> &Dict {
        crate::object::read(&self.builtins).get::<Dict>().expect("builtins are made first")
    }

    /// `sys.modules`.
    pub fn modules(&self) -> &Dict {
        crate::object::read(&self.modules).get::<Dict>().expect("modules are made first")
    }

    // ---- numbers ----

    /// An int.
    #[inline]
    pub fn int(&self, v: i64) -> Value<'_> {
        match Value::small(v) {
            Some(v) => v,
            None => Value::object(self.heap.alloc(Int64::new(Type::Int.shape(), v), 0, false)),
        }
    }

    /// An int of any size.
    pub fn bigint(&self, v: BigInt) -> Value<'_> {
        match i64::try_from(&v) {
            Ok(v) => self.int(v),
            Err(_) => self.bigint_object(Type::Int.shape(), v),
        }
    }

    /// An int object of shape `shape` (a subclass of `int`, or a value known to be big).
    pub fn bigint_object(&self, shape: u32, v: BigInt) -> Value<'_> {
        let o = BigIntObj::new(shape, v);
        let bytes = o.owned_bytes();
        // An int of this size exists already: the check came before the operation that made it.
        let _ = self.heap.charge(bytes);
        self.alloc_with_attrs(o, 0, true)
    }

    /// An int from an unsigned 64-bit number.
    pub fn uint(&self, v: u64) -> Value<'_> {
        match i64::try_from(v) {
            Ok(v) => self.int(v),
            Err(_) => self.bigint(BigInt::from(v)),
        }
    }

    /// A complex number.
    pub fn complex(&self, re: f64, im: f64) -> Value<'_> {
        self.alloc_with_attrs(Complex::new(Type::Complex.shape(), re, im), 0, false)
    }

    // ---- strings ----

    /// A string of text that is UTF-8 extended by lone surrogates.
    pub fn str_bytes(&self, bytes: &[u8]) -> NResult<'_> {
        if (2..=Str::INLINE).contains(&bytes.len()) && bytes.is_ascii() {
            return Ok(self.ascii_str(bytes));
        }
        self.str_parts(&[bytes])
    }

    /// A string of Rust text.
    pub fn str(&self, s: &str) -> NResult<'_> {
        self.str_parts(&[s.as_bytes()])
    }

    /// A string that is short for sure (messages, names); too long text would be cut.
    pub fn short_str(&self, s: &str) -> Value<'_> {
        let mut end = s.len().min(Str::INLINE);
        while !s.is_char_boundary(end) {
            end -= 1;
        }
        let s = &s[..end];
        self.new_inline_str(Type::Str.shape(), &[s.as_bytes()], s.len(), s.chars().count(), 0)
    }

    /// A string made of parts.
    pub fn str_parts(&self, parts: &[&[u8]]) -> NResult<'_> {
        let len: usize = parts.iter().map(|p| p.len()).sum();
        let chars = parts.iter().map(|p| crate::text_len(p)).sum();
        if len <= 1 {
            if len == 0 && !crate::object::read(&self.empty_str).is_empty() {
                return Ok(crate::object::read(&self.empty_str));
            }
            if let Some(&b) = parts.iter().flat_map(|p| p.iter()).next() {
                return Ok(self.latin1_char(b));
            }
        }
        self.new_str(Type::Str.shape(), parts, len, chars)
    }

    /// A string of one code point below 128.
    pub fn latin1_char(&self, b: u8) -> Value<'_> {
        let c = &self.latin1[b as usize];
        if c.get() == EMPTY {
            c.set(self.intern_bytes(&[b]).word());
        }
        crate::object::read(c)
    }

    /// A string of short ASCII text.
    pub(crate) fn ascii_str(&self, text: &[u8]) -> Value<'_> {
        self.ascii_parts([text])
    }

    /// A string of ASCII texts that are short together.
    #[inline(always)]
    fn ascii_parts<const N: usize>(&self, parts: [&[u8]; N]) -> Value<'_> {
        debug_assert!(parts.iter().all(|text| text.is_ascii()));
        let len = parts.iter().map(|text| text.len()).sum();
        let extra = Str::inline_bytes(len, len, 0);
        let s = self.heap.alloc_unfilled(|| Str::compact(len), extra, false);
        // SAFETY: allocated for this text.
        unsafe { s.place_compact(parts) };
        Value::object(s)
    }

    /// A part of a string, in bytes that are whole code points.
    #[inline]
    pub(crate) fn str_part<'v>(&'v self, whole: &Str, part: &[u8]) -> NResult<'v> {
        if whole.is_ascii() && (2..=Str::INLINE).contains(&part.len()) {
            return Ok(self.ascii_str(part));
        }
        self.str_bytes(part)
    }

    fn new_inline_str(
        &self,
        shape: u32,
        parts: &[&[u8]],
        len: usize,
        chars: usize,
        attrs: usize,
    ) -> Value<'_> {
        let extra = Str::inline_bytes(len, chars, attrs);
        let s = self.heap.alloc_unfilled(|| Str::new(shape, len, chars), extra, false);
        // SAFETY: allocated for this text and `attrs`.
        unsafe { s.place_inline(parts, chars, attrs) };
        Value::object(s)
    }

    /// A string object of `shape`; `len` and `chars` are those of the parts together.
    pub fn new_str(&self, shape: u32, parts: &[&[u8]], len: usize, chars: usize) -> NResult<'_> {
        if len > Str::MAX_BYTES {
            return Err(self.memory_error());
        }
        let subclass = shape != Type::Str.shape();
        let attrs = if subclass { 8 } else { 0 };
        if len <= Str::INLINE {
            let v = self.new_inline_str(shape, parts, len, chars, attrs);
            if subclass {
                self.init_attrs(v);
            }
            return Ok(v);
        }
        let mut bytes = Vec::new();
        self.reserve(&mut bytes, len)?;
        for p in parts {
            bytes.extend_from_slice(p);
        }
        let s = self.heap.alloc(Str::new(shape, len, chars), attrs + Str::OUTSIDE, true);
        let v = Value::object(s);
        if subclass {
            self.init_attrs(v);
        }
        // SAFETY: allocated with so much behind the struct, and the flags say if `attrs` are there.
        unsafe { s.place_owned(bytes.into_boxed_slice()) };
        Ok(v)
    }

    /// A string that takes over a buffer.
    pub fn str_owned(&self, bytes: Vec<u8>) -> NResult<'_> {
        if bytes.len() <= Str::INLINE {
            return self.str_bytes(&bytes);
        }
        if bytes.len() > Str::MAX_BYTES {
            return Err(self.memory_error());
        }
        self.charge(bytes.len())?;
        let chars = crate::text_len(&bytes);
        let made = Str::new(Type::Str.shape(), bytes.len(), chars);
        let s = self.heap.alloc(made, Str::OUTSIDE, true);
        // SAFETY: allocated with so much behind the struct.
        unsafe { s.place_owned(bytes.into_boxed_slice()) };
        Ok(Value::object(s))
    }

    /// `a + b`; repeated appending to the result of an append does not copy.
    pub fn concat<'v>(&'v self, a: &'v Str, b: &'v Str) -> NResult<'v> {
        let (la, lb) = (a.bytes().len(), b.bytes().len());
        if la == 0 && b.is_exact() {
            return Ok(Value::object(b));
        }
        if lb == 0 && a.is_exact() {
            return Ok(Value::object(a));
        }
        let len = la + lb;
        if len <= 256 && a.is_ascii() && b.is_ascii() {
            return Ok(self.ascii_parts([a.bytes(), b.bytes()]));
        }
        let chars = a.char_len() + b.char_len();
        if len <= 256 {
            return Ok(self.new_inline_str(
                Type::Str.shape(),
                &[a.bytes(), b.bytes()],
                len,
                chars,
                0,
            ));
        }
        if len > Str::MAX_BYTES {
            return Err(self.memory_error());
        }
        let buf = match a.buf() {
            Some(buf) if buf.extend_at(la, b.bytes()) => buf,
            _ => {
                let mut bytes = Vec::new();
                let room = len + len / 2;
                self.reserve(&mut bytes, room)?;
                bytes.extend_from_slice(a.bytes());
                bytes.extend_from_slice(b.bytes());
                self.heap.alloc(Buf::new(bytes), 0, true)
            }
        };
        let s = self.heap.alloc(Str::new(Type::Str.shape(), len, chars), Str::IN_BUFFER, false);
        // SAFETY: allocated with so much behind the struct.
        unsafe { s.place_shared(buf) };
        Ok(Value::object(s))
    }

    /// The interned string of `s`.
    pub fn intern(&self, s: &str) -> Value<'_> {
        self.intern_bytes(s.as_bytes())
    }

    /// The interned string of `bytes`.
    pub fn intern_bytes(&self, bytes: &[u8]) -> Value<'_> {
        self.interner.intern(&self.heap, &self.string_key, bytes)
    }

    /// The interned string equal to `s`, which becomes it if there is none.
    pub fn intern_str<'v>(&'v self, s: &'v Str) -> &'v Str {
        if s.is_interned() {
            return s;
        }
        self.intern_bytes(s.bytes()).get::<Str>().unwrap_or(s)
    }

    /// The hash of a string.
    #[inline]
    pub fn str_hash(&self, s: &Str) -> i64 {
        let h = s.hash.get();
        if h != 0 {
            return h;
        }
        let h = self.string_key.hash(s.bytes());
        s.hash.set(h);
        h
    }

    /// Bytes.
    pub fn bytes(&self, data: &[u8]) -> NResult<'_> {
        let mut v = Vec::new();
        self.reserve(&mut v, data.len())?;
        v.extend_from_slice(data);
        Ok(self.new_bytes(Type::Bytes.shape(), v))
    }

    /// Bytes that take over a buffer.
    pub fn bytes_owned(&self, data: Vec<u8>) -> NResult<'_> {
        self.charge(data.len())?;
        Ok(self.new_bytes(Type::Bytes.shape(), data))
    }

    /// A bytes object of `shape`; the buffer was charged for.
    pub fn new_bytes(&self, shape: u32, data: Vec<u8>) -> Value<'_> {
        self.alloc_with_attrs(Bytes::new(shape, data.into_boxed_slice()), 0, true)
    }

    /// A bytearray.
    pub fn bytearray(&self, shape: u32, data: Vec<u8>) -> NResult<'_> {
        let cap = data.capacity();
        self.charge(cap)?;
        Ok(self.alloc_with_attrs(ByteArray::new(shape, data, cap), 0, true))
    }

    // ---- containers ----

    /// A list of `items`.
    pub fn list(&self, items: Vec<Value<'_>>) -> NResult<'_> {
        self.new_list(Type::List.shape(), items)
    }

    /// A list object of `shape`.
    pub fn new_list(&self, shape: u32, items: Vec<Value<'_>>) -> NResult<'_> {
        // A vector of values has the layout of one of words.
        let mut items = std::mem::ManuallyDrop::new(items);
        let (p, len, cap) = (items.as_mut_ptr(), items.len(), items.capacity());
        // SAFETY: `Value` is a transparent word; the parts come from a vector given up above.
        let items: Vec<Word> = unsafe { Vec::from_raw_parts(p.cast(), len, cap) };
        if shape == Type::List.shape() {
            self.charge(List::charge_of(cap))?;
            let l = self.heap.alloc_unfilled(|| List::charged(shape, items), 0, true);
            return Ok(Value::object(l));
        }
        let v = self.alloc_with_attrs(List::new(shape, Vec::new()), 0, true);
        let Some(l) = v.get::<List>() else { return Ok(v) };
        self.oom(l.update(&self.heap, |own| *own = items))?;
        Ok(v)
    }

    /// A tuple of `items`.
    pub fn tuple(&self, items: &[Value<'_>]) -> NResult<'_> {
        if items.is_empty() && self.empty_tuple.get() != EMPTY {
            return Ok(crate::object::read(&self.empty_tuple));
        }
        self.new_tuple(Type::Tuple.shape(), items)
    }

    /// A tuple object of `shape`.
    pub fn new_tuple(&self, shape: u32, items: &[Value<'_>]) -> NResult<'_> {
        let subclass = shape != Type::Tuple.shape();
        let attrs = if subclass { 8 } else { 0 };
        let n = items.len();
        let v = if n <= Tuple::INLINE {
            let t = self.heap.alloc_unfilled(|| Tuple::new(shape, n), attrs + n * 8, false);
            // SAFETY: allocated with room for the words behind the attribute storage.
            unsafe { t.place_inline(words(items), std::mem::size_of::<Tuple>() + attrs) };
            Value::object(t)
        } else {
            let mut own: Vec<Word> = Vec::new();
            self.check(n.saturating_mul(8))?;
            own.try_reserve_exact(n).map_err(|_| self.memory_error())?;
            own.extend_from_slice(words(items));
            self.charge(n * 8)?;
            let t = self.heap.alloc(Tuple::new(shape, n), attrs, true);
            t.place_owned(own.into_boxed_slice());
            Value::object(t)
        };
        if subclass {
            self.init_attrs(v);
        }
        Ok(v)
    }

    /// An empty dict.
    pub fn dict(&self) -> &Dict {
        self.heap.alloc(Dict::new(Type::Dict.shape()), 0, true)
    }

    /// An empty set.
    pub fn set(&self) -> &Set {
        self.heap.alloc(Set::new(false, Type::Set.shape()), 0, true)
    }

    /// An empty frozenset, to be filled before it is shown to a script.
    pub fn frozenset(&self) -> &Set {
        self.heap.alloc(Set::new(true, Type::FrozenSet.shape()), 0, true)
    }

    /// An empty dict, set or frozenset object of another shape.
    pub fn new_dict(&self, shape: u32) -> Value<'_> {
        self.alloc_with_attrs(Dict::new(shape), 0, true)
    }

    /// See [`Vm::new_dict`].
    pub fn new_set(&self, frozen: bool, shape: u32) -> Value<'_> {
        self.alloc_with_attrs(Set::new(frozen, shape), 0, true)
    }

    /// A range with its length worked out.
    pub fn range(
        &self,
        start: Value<'_>,
        stop: Value<'_>,
        step: Value<'_>,
        len: Value<'_>,
    ) -> Value<'_> {
        Value::object(self.heap.alloc(
            Range::new(Type::Range.shape(), start, stop, step, len),
            0,
            false,
        ))
    }

    /// A slice object.
    pub fn slice(&self, start: Value<'_>, stop: Value<'_>, step: Value<'_>) -> Value<'_> {
        Value::object(self.heap.alloc(Slice::new(Type::Slice.shape(), start, stop, step), 0, false))
    }

    /// A builtin iterator.
    pub fn iter(
        &self,
        class: Type,
        next: NextFn,
        w: [Value<'_>; 3],
        n: usize,
        m: u64,
    ) -> Value<'_> {
        self.alloc_with_attrs(Iter::new(class.shape(), next, w, n, m), 0, false)
    }

    /// A bound method.
    pub fn bind(&self, func: Value<'_>, receiver: Value<'_>) -> Value<'_> {
        Value::object(self.heap.alloc(
            BoundMethod::new(Type::Method.shape(), func, receiver),
            0,
            false,
        ))
    }

    /// A cell.
    pub fn cell(&self, contents: Value<'_>) -> Value<'_> {
        Value::object(self.heap.alloc(CellObj::new(Type::Cell.shape(), contents), 0, false))
    }

    /// A module with an empty namespace that knows its name.
    pub fn new_module(&self, name: &str) -> &Module {
        let dict = self.dict();
        let m = self.heap.alloc(Module::new(Type::Module.shape(), Value::object(dict)), 0, false);
        let n = self.intern(name);
        for (key, v) in [
            (self.names.__name__, n),
            (self.names.__doc__, Value::NONE),
            (self.names.__package__, Value::NONE),
            (self.names.__loader__, Value::NONE),
            (self.names.__spec__, Value::NONE),
        ] {
            let _ = self.dict_set_name(dict, self.word_value(key), v);
        }
        m
    }

    /// An object without a native payload of class `class`.
    pub fn instance(&self, class: &Class) -> Value<'_> {
        let inline = class.inline_slots.get() as usize;
        let make = || Instance::new(class.root_shape.get(), inline);
        let i = self.heap.alloc_unfilled(make, inline * 8, false);
        for c in i.inline() {
            c.set(EMPTY);
        }
        let v = Value::object(i);
        if class.has(class_flags::FINALIZER) {
            self.finalizers.watch(v);
        }
        v
    }

    pub(crate) fn slots(&self, count: usize) -> &Slots {
        let s = self.heap.alloc_unfilled(|| Slots::new(count), count * 8, false);
        for c in s.cells() {
            c.set(EMPTY);
        }
        s
    }

    /// Puts `o` on the heap; if its class was made by a script, with attribute storage.
    pub fn alloc_with_attrs<T: Object + 'static>(
        &self,
        o: T,
        extra: usize,
        drops: bool,
    ) -> Value<'_> {
        let h = o.head();
        let attrs = h.shape.get() as usize >= Type::ALL.len() || h.flags.get() & HAS_ATTRS != 0;
        let p = self.heap.alloc(o, extra + if attrs { 8 } else { 0 }, drops || T::DROPS);
        let v = Value::object(p);
        if attrs {
            self.init_attrs(v);
        }
        v
    }

    fn init_attrs(&self, v: Value<'_>) {
        if let Some(h) = v.header() {
            h.flags.set(h.flags.get() | HAS_ATTRS);
            crate::object::instance::more_of(h).set(EMPTY);
            if self.class_of(v).has(class_flags::FINALIZER) {
                self.finalizers.watch(v);
            }
        }
    }

    /// An exception of class `class` (its shape) with `args`.
    pub fn new_exception(&self, shape: u32, args: Value<'_>) -> Value<'_> {
        self.alloc_with_attrs(Exception::new(shape, args), 0, false)
    }

    /// A value of a word that the VM keeps alive.
    #[inline(always)]
    pub(crate) fn word_value(&self, w: Word) -> Value<'_> {
        crate::object::lend(self, w)
    }

    // ---- memory ----

    /// Accounts for external memory, or `MemoryError`.
    pub fn charge(&self, bytes: usize) -> Result<(), Exit<'_>> {
        self.oom(self.heap.charge(bytes))
    }

    /// Whether `bytes` more are allowed, or `MemoryError`.
    pub fn check(&self, bytes: usize) -> Result<(), Exit<'_>> {
        self.oom(self.heap.check(bytes))
    }

    /// Makes an empty vector large enough for `n` bytes and charges for it.
    pub fn reserve(&self, v: &mut Vec<u8>, n: usize) -> Result<(), Exit<'_>> {
        self.check(n)?;
        v.try_reserve_exact(n).map_err(|_| self.memory_error())?;
        self.charge(n)
    }

    /// Makes room for `n` more in a vector that grows, within the memory limit; it is charged for
    /// when it has grown.
    #[inline]
    pub fn grow<T>(&self, v: &mut Vec<T>, n: usize) -> Result<(), Exit<'_>> {
        if v.capacity() - v.len() < n {
            self.check(v.len().max(n).saturating_mul(2 * size_of::<T>()))?;
            v.try_reserve(n).map_err(|_| self.memory_error())?;
        }
        Ok(())
    }

    /// Turns a failed allocation into `MemoryError`.
    pub fn oom<T>(&self, r: Result<T, OutOfMemory>) -> Result<T, Exit<'_>> {
        r.map_err(|_| self.memory_error())
    }

    /// `len` as an int value; lengths fit.
    pub fn len_value(&self, n: usize) -> Value<'_> {
        Value::len(n)
    }

    pub(crate) fn trace_roots(&self, m: &mut Marker) {
        let names = &raw const self.names;
        // SAFETY: `Names` is a struct of nothing but words.
        m.words(unsafe {
            std::slice::from_raw_parts(names.cast::<Word>(), std::mem::size_of::<Names>() / 8)
        });
        for c in self.classes.iter().chain(&self.latin1) {
            m.cell(c);
        }
        for c in [&self.builtins, &self.modules, &self.empty_tuple, &self.empty_str] {
            m.cell(c);
        }
        m.cell(&self.prelude);
        m.cell(&self.stdout);
        m.words(&self.repr_active.borrow());
        self.weak.trace(m);
        self.handles.borrow().trace(m);
        self.finalizers.trace(m);
        self.shapes.trace(m);
        self.st.trace(m);
        self.host.trace(m);
    }

    /// Collects now, unless a native waits that cannot be seen through.
    pub fn collect(&mut self) {
        if self.no_collect.get() != 0 {
            return;
        }
        self.st.clear_dead();
        self.method_cache.clear();
        self.found.set(Default::default());
        self.st.sites.clear();
        self.index_tables.borrow_mut().clear();
        let this: *mut Vm = self;
        // SAFETY: the roots are those of the whole VM. `heap.collect` needs the heap mutably
        // while the roots are read; the two are disjoint parts of the VM (no root is traced
        // through the heap's own fields), and `&mut self` excludes every `Value`.
        unsafe {
            let vm = &*this;
            (*this).heap.collect(
                |m| vm.trace_roots(m),
                |m| {
                    let is_live = |w| crate::heap::is_live(crate::value::ptr_of(w));
                    vm.finalizers.doom_dead(vm, m, is_live);
                },
                || {
                    vm.interner.sweep();
                    vm.weak.sweep();
                    vm.cached_codes.borrow_mut().retain(|c| crate::heap::is_live((*c).cast()));
                },
            );
        }
    }
}

const _: () = assert!(fits_small(SMALL_MIN) && fits_small(SMALL_MAX) && int_word(0) != EMPTY);
const _: () = assert!(std::mem::size_of::<Str>() <= 48 && MAX_OBJECT >= 1024);
