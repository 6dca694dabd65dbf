//! Classes.

#![allow(unsafe_code)]

use std::cell::{Cell, Ref, RefCell};

use super::read;
use crate::heap::{HAS_ATTRS, Header, Kind, Marker, Object};
use crate::table::DictTable;
use crate::value::{EMPTY, Value, Word};

/// Properties of a class that the hot paths ask for.
pub mod class_flags {
    /// `__getattribute__` is overridden by a script.
    pub const GETATTRIBUTE: u32 = 1;
    /// `__getattr__` is defined.
    pub const GETATTR: u32 = 2;
    /// `__setattr__` or `__delattr__` is overridden by a script.
    pub const SETATTR: u32 = 4;
    /// Instances have no `__dict__` (`__slots__`).
    pub const NO_DICT: u32 = 8;
    /// A lookup in it was kept by the method cache, and perhaps by an inline cache.
    pub const CACHED: u32 = 16;
    /// Scripts may not derive from it.
    pub const FINAL: u32 = 32;
    /// Made by a script, so its attributes can be set.
    pub const HEAP: u32 = 64;
    /// `__new__` is overridden by a script.
    pub const NEW: u32 = 128;
    /// Instances are exceptions.
    pub const EXCEPTION: u32 = 256;
    /// It has abstract methods left.
    pub const ABSTRACT: u32 = 512;
    /// Matched as a sequence by `match`.
    pub const SEQUENCE: u32 = 1024;
    /// Matched as a mapping by `match`.
    pub const MAPPING: u32 = 2048;
    /// Its metaclass overrides `__call__`.
    pub const META_CALL: u32 = 4096;
    /// Calling it cannot make instances.
    pub const NO_NEW: u32 = 8192;
    /// `__del__` is defined.
    pub const FINALIZER: u32 = 16384;
    /// A builtin class whose namespace has not been looked at yet, so that it is still empty.
    pub const UNFILLED: u32 = 32768;
}

/// A class object.
#[repr(C)]
pub struct Class {
    head: Header,
    /// `__name__`, a str.
    pub name: Cell<Word>,
    /// `__qualname__`, a str.
    pub qualname: Cell<Word>,
    /// `__bases__`, a tuple.
    pub bases: Cell<Word>,
    /// `__mro__`, a tuple that begins with the class itself.
    pub mro: Cell<Word>,
    /// See [`class_flags`].
    pub flags: Cell<u32>,
    /// Shape of an instance without attributes.
    pub root_shape: Cell<u32>,
    /// Shape of an instance that keeps its attributes in a dict; 0 until `Vm::dict_shape` is asked.
    pub(crate) dict_shape: Cell<u32>,
    /// Attribute slots behind an instance.
    pub inline_slots: Cell<u16>,
    /// Which struct its instances are.
    pub layout: Cell<Kind>,
    /// The row of the builtin type, or of the builtin type it derives from: index in `TYPES`.
    pub native_type: Cell<u16>,
    /// Data of a native class of an extension (a pointer kept by the engine), inherited.
    pub host_data: Cell<usize>,
    ns: RefCell<DictTable>,
    /// Direct subclasses; dead ones are removed by the collector.
    pub subclasses: RefCell<Vec<Word>>,
}

impl Class {
    pub(crate) fn new(shape: u32, layout: Kind, extra_attrs: bool) -> Class {
        let head = Header::new(Kind::Class, shape);
        if extra_attrs {
            head.flags.set(HAS_ATTRS);
        }
        Class {
            head,
            name: Cell::new(EMPTY),
            qualname: Cell::new(EMPTY),
            bases: Cell::new(EMPTY),
            mro: Cell::new(EMPTY),
            flags: Cell::new(0),
            root_shape: Cell::new(0),
            dict_shape: Cell::new(0),
            inline_slots: Cell::new(0),
            layout: Cell::new(layout),
            native_type: Cell::new(0),
            host_data: Cell::new(0),
            ns: RefCell::new(DictTable::new()),
            subclasses: RefCell::default(),
        }
    }

    /// Its header.
    pub fn header(&self) -> &Header {
        &self.head
    }

    /// The name as text.
    pub fn name_str(&self) -> std::borrow::Cow<'_, str> {
        match read(&self.name).get::<super::text::Str>() {
            Some(s) => s.to_display(),
            None => "?".into(),
        }
    }

    /// The bases.
    pub fn bases(&self) -> &[Value<'_>] {
        read(&self.bases).get::<super::seq::Tuple>().map_or(&[], |t| t.items())
    }

    /// The method resolution order, this class first.
    #[inline]
    pub fn mro(&self) -> &[Value<'_>] {
        read(&self.mro).get::<super::seq::Tuple>().map_or(&[], |t| t.items())
    }

    /// Whether flag `f` of [`class_flags`] is set.
    #[inline(always)]
    pub fn has(&self, f: u32) -> bool {
        self.flags.get() & f != 0
    }

    /// Sets flag `f`.
    pub fn set_flag(&self, f: u32) {
        self.flags.set(self.flags.get() | f);
    }

    /// The namespace as far as it is filled: see `Vm::class_ns`.
    #[inline(always)]
    pub(crate) fn ns(&self) -> Ref<'_, DictTable> {
        self.ns.borrow()
    }

    /// The namespace, to change it. Callers go through `Vm::class_set`, which flushes caches.
    pub(crate) fn ns_mut(&self) -> std::cell::RefMut<'_, DictTable> {
        self.ns.borrow_mut()
    }

    /// Whether `self` is `other` or derives from it.
    pub fn is_subclass(&self, other: &Class) -> bool {
        std::ptr::eq(self, other) || self.mro().iter().any(|c| c.is(Value::object(other)))
    }
}

// SAFETY: repr(C), header first, all words traced (subclasses are weak).
unsafe impl Object for Class {
    const KIND: Kind = Kind::Class;
    const DROPS: bool = true;
    fn trace(&self, m: &mut Marker) {
        for c in [&self.name, &self.qualname, &self.bases, &self.mro] {
            m.cell(c);
        }
        for e in self.ns.borrow().iter() {
            m.word(e.key);
            m.word(e.value);
        }
        // Shapes keep their classes, so subclasses never die before the VM.
        m.words(&self.subclasses.borrow());
    }
}
