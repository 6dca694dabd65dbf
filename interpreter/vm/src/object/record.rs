//! Small objects that are nothing but a few words.

#![allow(unsafe_code)]

use std::cell::Cell;

use super::read;
use crate::heap::{Header, Kind, Marker, Object};
use crate::value::{Value, Word};

macro_rules! records {
    ($( $(#[$doc:meta])* $name:ident { $( $(#[$fdoc:meta])* $field:ident ),* } )*) => {$(
        $(#[$doc])*
        #[repr(C)]
        pub struct $name {
            head: Header,
            $( $(#[$fdoc])* pub $field: Cell<Word>, )*
        }

        impl $name {
            #[allow(clippy::too_many_arguments)]
            pub(crate) fn new(shape: u32, $( $field: Value<'_> ),*) -> $name {
                $name {
                    head: Header::new(Kind::$name, shape),
                    $( $field: Cell::new($field.word()), )*
                }
            }

            $( $(#[$fdoc])*
            #[inline]
            pub fn $field(&self) -> Value<'_> {
                read(&self.$field)
            } )*
        }

        // SAFETY: repr(C), header first, all words traced.
        unsafe impl Object for $name {
            const KIND: Kind = Kind::$name;
            fn trace(&self, m: &mut Marker) {
                $( m.cell(&self.$field); )*
            }
        }
    )*};
}

records! {
    /// A module: its attributes are the entries of a dict.
    Module {
        /// The namespace, a dict.
        dict
    }
    /// A `property`.
    Property {
        /// Getter or None.
        fget,
        /// Setter or None.
        fset,
        /// Deleter or None.
        fdel,
        /// Docstring or None.
        doc,
        /// Attribute name, set by `__set_name__`.
        name
    }
    /// A `staticmethod`.
    StaticMethod {
        /// The callable.
        func,
        /// Its `__dict__`, or Empty.
        attrs
    }
    /// A `classmethod`.
    ClassMethod {
        /// The callable.
        func,
        /// Its `__dict__`, or Empty.
        attrs
    }
    /// A `super` object.
    Super {
        /// The class after which the search starts.
        start,
        /// The object or class it is bound to, or Empty.
        object,
        /// The class whose order is searched.
        class
    }
    /// A descriptor made for a name in `__slots__` (an int: the slot), or for a native attribute
    /// (a native getter and setter).
    Member {
        /// Its name.
        name,
        /// The class it belongs to.
        owner,
        /// Slot number, or the getter.
        get,
        /// The setter, or Empty.
        set
    }
    /// `dict.keys()`, `.values()` or `.items()`; the class says which.
    DictView {
        /// The dict.
        dict
    }
    /// A read-only view of a mapping: of a class's namespace if `mapping` is a class.
    MappingProxy {
        /// The mapping.
        mapping
    }
    /// `list[int]`, `X | Y`.
    GenericAlias {
        /// The origin; Empty for a union.
        origin,
        /// The arguments, a tuple.
        args,
        /// Whether it is what `*list[int]` gives, a bool.
        starred
    }
    /// Up to four words for whatever needs no struct of its own; the class says what.
    Record {
        /// First word.
        a,
        /// Second word.
        b,
        /// Third word.
        c,
        /// Fourth word.
        d
    }
}
