//! Making and reading values.

use crate::record::host_table;
use crate::{MsStr, MsValue};

/// [`MsHostValue::retain`]: the handle is a root until released.
pub const MS_RETAIN_ROOT: u32 = 0;
/// [`MsHostValue::retain`]: the handle lives as long as the `trace` of a class reports it.
pub const MS_RETAIN_TRACED: u32 = 1;

host_table! {
    /// Making and reading values. None of these runs script, except where noted.
    pub struct MsHostValue {
        /// An int from its sign and magnitude (64-bit limbs, least significant first). The result
        /// is `MS_TAG_INT` where it fits.
        fn int_make(negative: u32, limbs: *const u64, len: usize, out: *mut MsValue);
        /// Sign and magnitude of an int (also of a scalar or a bool). At most `capacity` limbs are
        /// written; `len` gets the number there are. TypeError for another type.
        fn int_read(value: MsValue, negative: *mut u32, limbs: *mut u64, capacity: usize, len: *mut usize);
        /// An int from decimal digits with an optional minus sign; ValueError.
        fn int_parse(text: MsStr, out: *mut MsValue);
        /// A `str`; ValueError where the text is not UTF-8.
        fn str_make(text: MsStr, out: *mut MsValue);
        /// A `str` from UTF-8 that may hold surrogates (each as three bytes), as file names do.
        fn str_make_extended(text: MsStr, out: *mut MsValue);
        /// Borrows the text of a `str` for the call; TypeError for another type,
        /// UnicodeEncodeError where it holds lone surrogates.
        fn str_read(value: MsValue, out: *mut MsStr);
        /// As `str_read`, but surrogates stand as three bytes each.
        fn str_read_extended(value: MsValue, out: *mut MsStr);
        /// A `bytes`.
        fn bytes_make(bytes: MsStr, out: *mut MsValue);
        /// Borrows the content of a `bytes` for the call, or that of another bytes-like object
        /// until the next call that may run script; TypeError for another type.
        fn bytes_read(value: MsValue, out: *mut MsStr);
        /// A `tuple`.
        fn tuple_make(len: usize, items: *const MsValue, out: *mut MsValue);
        /// A `list`.
        fn list_make(len: usize, items: *const MsValue, out: *mut MsValue);
        /// Appends to a `list`.
        fn list_push(list: MsValue, len: usize, items: *const MsValue);
        /// A `dict` from key, value, key, value. May run script (`__hash__`, `__eq__`).
        fn dict_make(pairs: usize, items: *const MsValue, out: *mut MsValue);
        /// Steps through a `dict`: start with `*cursor` 0; `MS_END` after the last pair,
        /// RuntimeError when its size changed.
        fn dict_next(dict: MsValue, cursor: *mut u64, key: *mut MsValue, value: *mut MsValue);
        /// A `set`. May run script (`__hash__`, `__eq__`).
        fn set_make(len: usize, items: *const MsValue, out: *mut MsValue);
        /// Copies handles of the items of a `tuple`, `list`, or `set` from index `start` on: at
        /// most `capacity`; `len` gets the number of items in the container.
        fn items_read(value: MsValue, start: usize, items: *mut MsValue, capacity: usize, len: *mut usize);
        /// Makes a handle that outlives the call; see `MS_RETAIN_ROOT` and `MS_RETAIN_TRACED`.
        /// A scalar is passed through.
        fn retain(value: MsValue, mode: u32, out: *mut MsValue);
        /// Ends a retained handle. Allowed in `drop` functions too. A scalar is ignored.
        fn release(value: MsValue);
        /// A handle of the running call for a retained one, which may then be released.
        fn scoped(value: MsValue, out: *mut MsValue);
        /// Opens a scope for handles in a long loop.
        fn scope_open(mark: *mut u64);
        last:
        /// Ends all handles made since the mark, but for `keep` (may be null), which is replaced
        /// by a handle of the outer scope.
        fn scope_close(mark: u64, keep: *mut MsValue);
    }
}
