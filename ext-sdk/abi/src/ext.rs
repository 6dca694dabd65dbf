//! What an extension hands over: its descriptor and the tables in it.
//!
//! Descriptors are immutable and live as long as the process (a library is never unloaded).

use crate::record::{plain_record, record};
use crate::{MsDrop, MsFuture, MsHost, MsLiteral, MsStatus, MsStr, MsTable, MsValue};
use std::ffi::c_void;

/// A VM, opaque to extensions.
#[repr(C)]
pub struct MsVm {
    _opaque: [u8; 0],
}

record! {
    /// What every entry of an extension receives. The host builds one for each function of each
    /// VM in advance, so passing it costs nothing; it outlives the VM's use of the extension.
    pub struct MsContext {
        /// Bytes of this record.
        pub size: usize,
        /// The host's functions.
        pub host: *const MsHost,
        /// The VM, first argument of the host's functions.
        pub vm: *mut MsVm,
        /// What `init` stored for this VM.
        pub state: *mut c_void,
        last:
        /// The `data` of the function's record.
        pub data: *const c_void,
    }
}

/// Entry of a function, method, getter or setter. `args` holds one value for each parameter in
/// the order of the table, then those taken by the variadic parameter. `out` is None on entry.
pub type MsCall = unsafe extern "C" fn(
    cx: *const MsContext,
    argc: usize,
    args: *const MsValue,
    out: *mut MsValue,
) -> MsStatus;

/// Only by position.
pub const MS_PARAM_POSITIONAL: u32 = 0;
/// By position or by name.
pub const MS_PARAM_NORMAL: u32 = 1;
/// Only by name.
pub const MS_PARAM_KEYWORD: u32 = 2;
/// `*args`: takes no slot of its own; the further arguments stand after all others.
pub const MS_PARAM_VARARGS: u32 = 3;
/// `**kwargs`: its slot holds a dict.
pub const MS_PARAM_KWARGS: u32 = 4;

/// `default_value` is given; the host passes it when the argument is missing.
pub const MS_PARAM_HAS_DEFAULT: u32 = 1;
/// May be missing without a default: the native gets `MS_TAG_ABSENT`.
pub const MS_PARAM_OPTIONAL: u32 = 2;

record! {
    /// One parameter.
    pub struct MsParam {
        /// Name for keywords, signatures and messages.
        pub name: MsStr,
        /// `MS_PARAM_POSITIONAL` and so on.
        pub kind: u32,
        /// `MS_PARAM_HAS_DEFAULT`, `MS_PARAM_OPTIONAL`.
        pub flags: u32,
        /// With `MS_PARAM_HAS_DEFAULT`.
        pub default_value: MsLiteral,
        last:
        /// Type as shown in a signature (`int`, `list[str]`); may be empty.
        pub annotation: MsStr,
    }
}

/// May run script, directly or through an operator: the host runs it where that may suspend.
/// Without it script may run all the same as long as it does not wait, which is a RuntimeError
/// then, and nothing is collected meanwhile.
pub const MS_FN_CALLS_BACK: u32 = 1;
/// Same arguments, same result, no effect: may be folded, repeated or dropped.
pub const MS_FN_PURE: u32 = 2;
/// No parameter table: any number of positional arguments, no keywords.
pub const MS_FN_VARIADIC: u32 = 4;
/// In a class: read access to an attribute; called with the object.
pub const MS_FN_GETTER: u32 = 8;
/// In a class: write access; called with the object and the value.
pub const MS_FN_SETTER: u32 = 16;
/// In a class: no implicit first argument (except for `__new__`, which gets the class).
pub const MS_FN_STATIC: u32 = 32;
/// In a class: the implicit first argument is the class.
pub const MS_FN_CLASS: u32 = 64;
/// The result is ready at once or later (`MS_SUSPEND`); shown in signatures, otherwise no matter.
pub const MS_FN_ASYNC: u32 = 128;

/// No typed entry.
pub const MS_TYPED_NONE: u32 = 0;
/// `double f(double)`.
pub const MS_TYPED_F_F: u32 = 1;
/// `double f(double, double)`.
pub const MS_TYPED_FF_F: u32 = 2;
/// `int64_t f(int64_t, uint32_t *flag)`.
pub const MS_TYPED_I_I: u32 = 3;
/// `int64_t f(int64_t, int64_t, uint32_t *flag)`.
pub const MS_TYPED_II_I: u32 = 4;
/// `int64_t f(double, uint32_t *flag)`.
pub const MS_TYPED_F_I: u32 = 5;
/// `uint32_t f(double)`: 0 or 1 is a bool, 2 asks for the repetition.
pub const MS_TYPED_F_B: u32 = 6;
/// `double f(double, double, double)`.
pub const MS_TYPED_FFF_F: u32 = 7;
/// `double f(int64_t)`.
pub const MS_TYPED_I_F: u32 = 8;

record! {
    /// A function of a module, or a method, getter or setter of a class (see the flags).
    ///
    /// A typed entry has no side effects and no error path. The host may use it when the argument
    /// types fit (an int that a double holds exactly fits a double parameter); when the result is
    /// NaN or infinite, or the flag was set, it repeats the call through `call`, which raises.
    /// It is used for calls with exactly as many positional arguments as its kind has.
    pub struct MsFunction {
        /// Name; a dunder name works as in a script class.
        pub name: MsStr,
        /// Documentation, may be empty.
        pub doc: MsStr,
        /// Entry. Never null.
        pub call: Option<MsCall>,
        /// Passed on in `MsContext`.
        pub data: *const c_void,
        /// Of [`MsParam`]. In a class without the implicit first parameter.
        pub params: MsTable,
        /// `MS_FN_` flags.
        pub flags: u32,
        /// `MS_TYPED_` kind.
        pub typed_kind: u32,
        /// Typed entry, to be cast to the kind's signature.
        pub typed: Option<unsafe extern "C" fn()>,
        last:
        /// Return type as shown in a signature; may be empty.
        pub returns: MsStr,
    }
}

// SAFETY: an immutable static record; `data` belongs to the extension, which states by putting
// it there that all VMs may read it.
unsafe impl Sync for MsFunction {}

record! {
    /// A constant of a module or class.
    pub struct MsConst {
        /// Name.
        pub name: MsStr,
        /// Value.
        pub value: MsLiteral,
        last:
        /// Documentation, may be empty.
        pub doc: MsStr,
    }
}

/// Scripts may derive from the class.
pub const MS_CLASS_SUBCLASSABLE: u32 = 1;
/// Instances cannot be made by calling the class.
pub const MS_CLASS_NO_CALL: u32 = 2;

/// Reports one handle held by a payload; see [`MsClass::trace`].
pub type MsVisit = unsafe extern "C" fn(visitor: *mut c_void, value: *const MsValue);

/// Reports all traced handles of a payload.
pub type MsTrace = unsafe extern "C" fn(payload: *mut c_void, visit: MsVisit, visitor: *mut c_void);

record! {
    /// A native class.
    ///
    /// An instance is made by the method `__new__` (flag `MS_FN_STATIC`, first argument the
    /// class), which builds a payload and calls `object->native_new`. Without one the class
    /// cannot be called from script.
    pub struct MsClass {
        /// Name.
        pub name: MsStr,
        /// Documentation, may be empty.
        pub doc: MsStr,
        /// Identifies the class in `native_new`, `native_payload` and `class_of`: any address of
        /// the extension's own, such as that of this record.
        pub id: *const c_void,
        /// Name of a class of this table that stands before this one, or of a builtin exception;
        /// empty: `object`. An exception class names its base here and has no payload. The payload
        /// of a class begins with that of its base, and its drop ends all of it.
        pub base: MsStr,
        /// Of [`MsFunction`].
        pub methods: MsTable,
        /// Of [`MsConst`]: class attributes.
        pub constants: MsTable,
        /// Bytes of the payload in each instance; 0: none.
        pub payload_size: usize,
        /// Alignment of the payload, at most 16.
        pub payload_align: usize,
        /// Ends a payload in place: once, on the VM's thread, at a collection or at the VM's end.
        /// It cannot run script. May be null.
        pub drop: Option<MsDrop>,
        /// Calls `visit` for each handle the payload keeps with `MS_RETAIN_TRACED`. It cannot
        /// call the host. May be null.
        pub trace: Option<MsTrace>,
        last:
        /// `MS_CLASS_` flags.
        pub flags: u32,
    }
}

// SAFETY: an immutable static record.
unsafe impl Sync for MsClass {}

record! {
    /// Another extension that must be there first.
    pub struct MsDependency {
        /// Its name.
        pub name: MsStr,
        last:
        /// Accepted versions, as in Cargo (`>=1.2, <2`); empty: any.
        pub range: MsStr,
    }
}

record! {
    /// A right that the extension asks for.
    pub struct MsPermission {
        /// `read`, `write`, `net`, `env`, `run`.
        pub kind: MsStr,
        last:
        /// What for: a path, a `host:port`; empty: any.
        pub scope: MsStr,
    }
}

/// Prepares an extension for one VM.
pub type MsInit = unsafe extern "C" fn(cx: *const MsContext, state: *mut *mut c_void) -> MsStatus;

/// Ends an extension's use by one VM.
pub type MsShutdown = unsafe extern "C" fn(cx: *const MsContext);

record! {
    /// The descriptor of an extension, returned by the exported function `ms_ext_NAME`.
    pub struct MsExt {
        /// Bytes of this record for the party that wrote it.
        pub size: usize,
        /// `MS_ABI_MAJOR` of the extension.
        pub abi_major: u32,
        /// `MS_ABI_MINOR` of the extension.
        pub abi_minor: u32,
        /// Name of the module; equal to the end of the file's and the symbol's name.
        pub name: MsStr,
        /// Version of the extension (semver).
        pub version: MsStr,
        /// Documentation of the module, may be empty.
        pub doc: MsStr,
        /// Of [`MsFunction`].
        pub functions: MsTable,
        /// Of [`MsConst`].
        pub constants: MsTable,
        /// Of [`MsClass`].
        pub classes: MsTable,
        /// Of [`MsDependency`].
        pub dependencies: MsTable,
        /// Of [`MsPermission`].
        pub permissions: MsTable,
        /// Called once for each VM, at import; may store a pointer in `*state` and may raise.
        /// `cx->state` is null here. May be null.
        pub init: Option<MsInit>,
        last:
        /// Called once for each VM in which `init` succeeded, when the VM ends, after all
        /// payloads and futures were dropped. It cannot run script. May be null.
        pub shutdown: Option<MsShutdown>,
    }
}

// SAFETY: an immutable static record.
unsafe impl Sync for MsExt {}

/// Type of the exported function `ms_ext_NAME`.
pub type MsDescriptor = unsafe extern "C" fn() -> *const MsExt;

plain_record! {
    /// A named argument.
    pub struct MsKeyword {
        /// Name.
        pub name: MsStr,
        /// Value.
        pub value: MsValue,
    }
}

/// Type of the work of `task->blocking`: runs on a thread of the pool.
pub type MsWork = unsafe extern "C" fn(data: *mut c_void);

const _: () = assert!(size_of::<MsValue>() == 16 && size_of::<MsFuture>() == 24);
