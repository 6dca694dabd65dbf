//! The kind table: one row for each struct that lives on the heap. Adding an object kind is a
//! row here and an `impl Object` beside the struct.

#![allow(unsafe_code)]

use super::{HAS_ATTRS, Header, Marker, Object};
use crate::object::instance::more_of;

/// What the collector must know about a kind.
pub struct KindInfo {
    /// Visits an object's words.
    pub trace: unsafe fn(*const Header, &mut Marker),
    /// Drops an object and says how many external bytes it was charged for.
    pub drop: unsafe fn(*mut Header) -> usize,
    /// Bytes of the struct; attribute storage (with [`HAS_ATTRS`]) begins there.
    pub size: usize,
}

unsafe fn trace_of<T: Object>(p: *const Header, m: &mut Marker) {
    // SAFETY: the table row of a kind is that of its struct.
    unsafe {
        (*p.cast::<T>()).trace(m);
        if (*p).flags.get() & HAS_ATTRS != 0 {
            m.cell(more_of(&*p));
        }
    }
}

unsafe fn drop_of<T: Object>(p: *mut Header) -> usize {
    let p = p.cast::<T>();
    // SAFETY: as above; the caller drops each object once.
    unsafe {
        let owned = (*p).owned_bytes();
        std::ptr::drop_in_place(p);
        owned
    }
}

macro_rules! kinds {
    ($( $name:ident => $ty:ty; )*) => {
        /// Which struct an object is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u8)]
        #[allow(missing_docs)]
        pub enum Kind { $( $name, )* }

        static INFO: &[KindInfo] = &[$(
            KindInfo {
                trace: trace_of::<$ty>,
                drop: drop_of::<$ty>,
                size: std::mem::size_of::<$ty>(),
            },
        )*];
    };
}

use crate::object::{
    class::Class,
    deque::Deque,
    exc::{Exception, Traceback},
    func::*,
    generator::Generator,
    instance::{Instance, Slots},
    iter::Iter,
    map::*,
    num::*,
    opaque::Opaque,
    record::*,
    seq::*,
    text::*,
    view::*,
    weak::WeakRef,
};

kinds! {
    Instance => Instance;
    Slots => Slots;
    Int64 => Int64;
    BigInt => BigIntObj;
    Complex => Complex;
    Str => Str;
    Buf => Buf;
    Bytes => Bytes;
    ByteArray => ByteArray;
    MemoryView => MemoryView;
    List => List;
    Tuple => Tuple;
    Range => Range;
    Slice => Slice;
    Dict => Dict;
    Set => Set;
    FrozenSet => Set;
    Code => Code;
    Function => Function;
    Native => Native;
    BoundMethod => BoundMethod;
    Cell => CellObj;
    Class => Class;
    Exception => Exception;
    Traceback => Traceback;
    Generator => Generator;
    Iter => Iter;
    Opaque => Opaque;
    Module => Module;
    Property => Property;
    StaticMethod => StaticMethod;
    ClassMethod => ClassMethod;
    Super => Super;
    Member => Member;
    DictView => DictView;
    MappingProxy => MappingProxy;
    GenericAlias => GenericAlias;
    Record => Record;
    Deque => Deque;
    WeakRef => WeakRef;
}

/// The row of a kind.
#[inline(always)]
pub fn info(kind: Kind) -> &'static KindInfo {
    &INFO[kind as usize]
}
