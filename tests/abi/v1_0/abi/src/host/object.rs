//! The object protocol: what operators, attributes and builtins do in a script.

use crate::record::host_table;
use crate::{MsStr, MsValue};
use std::ffi::c_void;

/// `==`, first of the comparison operators of [`MsHostObject::compare`].
pub const MS_CMP_EQ: u32 = 0;
/// `!=`
pub const MS_CMP_NE: u32 = 1;
/// `<`
pub const MS_CMP_LT: u32 = 2;
/// `<=`
pub const MS_CMP_LE: u32 = 3;
/// `>`
pub const MS_CMP_GT: u32 = 4;
/// `>=`
pub const MS_CMP_GE: u32 = 5;

/// `+`, first of the operators of [`MsHostObject::binary`].
pub const MS_OP_ADD: u32 = 0;
/// `-`
pub const MS_OP_SUB: u32 = 1;
/// `*`
pub const MS_OP_MUL: u32 = 2;
/// `/`
pub const MS_OP_TRUEDIV: u32 = 3;
/// `//`
pub const MS_OP_FLOORDIV: u32 = 4;
/// `%`
pub const MS_OP_MOD: u32 = 5;
/// `**`
pub const MS_OP_POW: u32 = 6;
/// `<<`
pub const MS_OP_LSHIFT: u32 = 7;
/// `>>`
pub const MS_OP_RSHIFT: u32 = 8;
/// `&`
pub const MS_OP_AND: u32 = 9;
/// `|`
pub const MS_OP_OR: u32 = 10;
/// `^`
pub const MS_OP_XOR: u32 = 11;
/// `@`
pub const MS_OP_MATMUL: u32 = 12;

host_table! {
    /// The object protocol. All of these may run script, except where noted.
    pub struct MsHostObject {
        /// `object.name`
        fn get_attr(object: MsValue, name: MsStr, out: *mut MsValue);
        /// `object.name`, or `MS_END` where `get_attr` raises AttributeError.
        fn find_attr(object: MsValue, name: MsStr, out: *mut MsValue);
        /// `object.name = value`
        fn set_attr(object: MsValue, name: MsStr, value: MsValue);
        /// `del object.name`
        fn del_attr(object: MsValue, name: MsStr);
        /// A dunder method looked up on the type and bound, or `MS_END`.
        fn find_special(object: MsValue, name: MsStr, out: *mut MsValue);
        /// `object[key]`
        fn get_item(object: MsValue, key: MsValue, out: *mut MsValue);
        /// `object[key]` of a `dict`, or `MS_END` where the key is missing.
        fn find_item(object: MsValue, key: MsValue, out: *mut MsValue);
        /// `object[key] = value`
        fn set_item(object: MsValue, key: MsValue, value: MsValue);
        /// `del object[key]`
        fn del_item(object: MsValue, key: MsValue);
        /// `item in object`
        fn contains(object: MsValue, item: MsValue, out: *mut u32);
        /// `len(object)`
        fn len(object: MsValue, out: *mut i64);
        /// `iter(object)`
        fn iter(object: MsValue, out: *mut MsValue);
        /// The next item of an iterator, or `MS_END`.
        fn next(iterator: MsValue, out: *mut MsValue);
        /// `bool(object)`
        fn truth(object: MsValue, out: *mut u32);
        /// A comparison; `op` is one of `MS_CMP_`.
        fn compare(op: u32, left: MsValue, right: MsValue, out: *mut MsValue);
        /// A binary operator; `op` is one of `MS_OP_`.
        fn binary(op: u32, left: MsValue, right: MsValue, out: *mut MsValue);
        /// `hash(object)`
        fn hash(object: MsValue, out: *mut i64);
        /// `left is right`. Runs no script.
        fn same(left: MsValue, right: MsValue, out: *mut u32);
        /// `isinstance(object, type_object)`
        fn is_instance(object: MsValue, type_object: MsValue, out: *mut u32);
        /// Whether a call of the object can work. Runs no script.
        fn is_callable(object: MsValue, out: *mut u32);
        /// `type(object)`. Runs no script.
        fn type_of(object: MsValue, out: *mut MsValue);
        /// Name of the object's type, borrowed for the call, as messages show it. Runs no script.
        fn type_name(object: MsValue, out: *mut MsStr);
        /// `repr(object)`
        fn repr(object: MsValue, out: *mut MsValue);
        /// `str(object)`
        fn str(object: MsValue, out: *mut MsValue);
        /// The number as a double, through `__float__` or `__index__`:
        /// TypeError "must be real number, not T", OverflowError.
        fn to_float(object: MsValue, out: *mut f64);
        /// The object as an int, through `__index__`:
        /// TypeError "'T' object cannot be interpreted as an integer".
        fn to_index(object: MsValue, out: *mut MsValue);
        /// `import name`; the result is the module of the full dotted name.
        fn import(name: MsStr, out: *mut MsValue);
        /// A builtin by name (a class, a function). NameError. Runs no script.
        fn builtin(name: MsStr, out: *mut MsValue);
        /// The class object of a native class of the running extension by its `id`. Runs no script.
        fn class_of(id: *const c_void, out: *mut MsValue);
        /// A new instance: `payload_size` bytes are moved from `payload`, of which the host is
        /// the owner with `MS_OK`. `exact` is the class or a script class derived from it; None
        /// means the class itself. Runs no script.
        fn native_new(id: *const c_void, exact: MsValue, payload: *const c_void, out: *mut MsValue);
        last:
        /// Address of the payload of an instance of the class or of one derived from it, valid as
        /// long as the instance lives; TypeError for another object. Runs no script.
        fn native_payload(id: *const c_void, object: MsValue, out: *mut *mut c_void);
    }
}
