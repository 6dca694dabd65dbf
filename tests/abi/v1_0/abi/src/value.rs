//! Values, strings and tables as they cross the boundary.

use crate::record::plain_record;
use std::ffi::c_void;

plain_record! {
    /// A script value: a scalar inline, or a handle to an object of one VM.
    ///
    /// A handle is valid until the call (or the poll) that received it returns, unless it was
    /// retained. The host checks each handle it gets for VM, generation and thread, so a stale
    /// one is an error and not undefined behaviour.
    pub struct MsValue {
        /// One of the `MS_TAG_` numbers.
        pub tag: u32,
        /// Generation of a handle; 0 for scalars.
        pub aux: u32,
        /// The `i64`, the bits of the `f64`, 0 or 1 of the bool, or the handle.
        pub payload: u64,
    }
}

/// None. The zero of the type, so a result that nobody wrote is None.
pub const MS_TAG_NONE: u32 = 0;
/// A parameter that may be absent and was not passed.
pub const MS_TAG_ABSENT: u32 = 1;
/// A bool in `payload`.
pub const MS_TAG_BOOL: u32 = 2;
/// An integer that fits `i64`.
pub const MS_TAG_INT: u32 = 3;
/// A double.
pub const MS_TAG_FLOAT: u32 = 4;
/// From here on `payload` and `aux` are a handle; the tag tells the object's kind.
pub const MS_TAG_HANDLE: u32 = 16;
/// An integer beyond `i64`.
pub const MS_TAG_BIGINT: u32 = 16;
/// A `str`. Instances of script classes derived from a builtin type are `MS_TAG_OBJECT`; the
/// functions that read a `str`, `bytes`, `list` and so on accept them all the same.
pub const MS_TAG_STR: u32 = 17;
/// A `bytes`.
pub const MS_TAG_BYTES: u32 = 18;
/// A `tuple`.
pub const MS_TAG_TUPLE: u32 = 19;
/// A `list`.
pub const MS_TAG_LIST: u32 = 20;
/// A `dict`.
pub const MS_TAG_DICT: u32 = 21;
/// A `set` or `frozenset`.
pub const MS_TAG_SET: u32 = 22;
/// A class.
pub const MS_TAG_CLASS: u32 = 23;
/// Any other object. Newer hosts may name further kinds: a tag of `MS_TAG_HANDLE` or above that
/// the reader does not know is to be treated as this one.
pub const MS_TAG_OBJECT: u32 = 24;

impl MsValue {
    /// None.
    pub const NONE: Self = Self { tag: MS_TAG_NONE, aux: 0, payload: 0 };
    /// An argument that was not passed.
    pub const ABSENT: Self = Self { tag: MS_TAG_ABSENT, aux: 0, payload: 0 };

    /// A bool.
    pub const fn bool(value: bool) -> Self {
        Self { tag: MS_TAG_BOOL, aux: 0, payload: value as u64 }
    }

    /// An integer.
    pub const fn int(value: i64) -> Self {
        Self { tag: MS_TAG_INT, aux: 0, payload: value as u64 }
    }

    /// A double. The host makes a NaN canonical when it takes the value.
    pub const fn float(value: f64) -> Self {
        Self { tag: MS_TAG_FLOAT, aux: 0, payload: value.to_bits() }
    }

    /// The integer, if the tag says so.
    pub const fn as_int(self) -> Option<i64> {
        if self.tag == MS_TAG_INT { Some(self.payload as i64) } else { None }
    }

    /// The double, if the tag says so.
    pub const fn as_float(self) -> Option<f64> {
        if self.tag == MS_TAG_FLOAT { Some(f64::from_bits(self.payload)) } else { None }
    }

    /// The bool, if the tag says so.
    pub const fn as_bool(self) -> Option<bool> {
        if self.tag == MS_TAG_BOOL { Some(self.payload != 0) } else { None }
    }

    /// Whether the value is a handle.
    pub const fn is_handle(self) -> bool {
        self.tag >= MS_TAG_HANDLE
    }
}

impl std::fmt::Debug for MsValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.tag {
            MS_TAG_NONE => f.write_str("None"),
            MS_TAG_ABSENT => f.write_str("absent"),
            MS_TAG_BOOL => write!(f, "{}", self.payload != 0),
            MS_TAG_INT => write!(f, "{}", self.payload as i64),
            MS_TAG_FLOAT => write!(f, "{:?}", f64::from_bits(self.payload)),
            tag => write!(f, "handle(kind {tag}, {:#x}, generation {})", self.payload, self.aux),
        }
    }
}

plain_record! {
    /// Borrowed bytes; UTF-8 wherever a text is meant. Valid for the call, if it is not part of a
    /// descriptor (which lives as long as the process). A null pointer goes with length 0.
    #[derive(Debug)]
    pub struct MsStr {
        /// First byte.
        pub ptr: *const u8,
        /// Number of bytes.
        pub len: usize,
    }
}

// SAFETY: an `MsStr` in a static points to immutable static bytes; one that borrows from a call
// is handed out by the host to one thread and only read.
unsafe impl Sync for MsStr {}
// SAFETY: as above.
unsafe impl Send for MsStr {}

impl MsStr {
    /// The empty text, which also means "not given".
    pub const EMPTY: Self = Self { ptr: std::ptr::null(), len: 0 };

    /// Borrows a text.
    pub const fn new(text: &str) -> Self {
        Self { ptr: text.as_ptr(), len: text.len() }
    }

    /// Borrows bytes.
    pub const fn bytes(bytes: &[u8]) -> Self {
        Self { ptr: bytes.as_ptr(), len: bytes.len() }
    }

    /// The bytes.
    ///
    /// # Safety
    /// The memory is valid and unchanged for `'a`.
    pub unsafe fn as_bytes<'a>(self) -> &'a [u8] {
        if self.ptr.is_null() || self.len == 0 {
            return &[];
        }
        // SAFETY: the caller promises `len` readable bytes for `'a`.
        unsafe { std::slice::from_raw_parts(self.ptr, self.len) }
    }

    /// The text, or None where it is not UTF-8.
    ///
    /// # Safety
    /// As for [`MsStr::as_bytes`].
    pub unsafe fn as_str<'a>(self) -> Option<&'a str> {
        // SAFETY: same promise.
        std::str::from_utf8(unsafe { self.as_bytes() }).ok()
    }
}

plain_record! {
    /// An array of records of one type. Readers step by `stride`, never by their own size.
    #[derive(Debug)]
    pub struct MsTable {
        /// First record.
        pub ptr: *const c_void,
        /// Number of records.
        pub len: usize,
        /// Bytes from one record to the next; the size of a record for the party that wrote it.
        pub stride: usize,
    }
}

// SAFETY: tables live in descriptors, which are immutable for the life of the process.
unsafe impl Sync for MsTable {}
// SAFETY: as above.
unsafe impl Send for MsTable {}

impl MsTable {
    /// No records.
    pub const EMPTY: Self = Self { ptr: std::ptr::null(), len: 0, stride: 0 };

    /// The table of a static array.
    pub const fn new<T: crate::record::Record>(records: &'static [T]) -> Self {
        Self { ptr: records.as_ptr().cast(), len: records.len(), stride: size_of::<T>() }
    }

    /// Reads all records into the reader's own shape.
    ///
    /// # Safety
    /// The table holds records of type `T` of some ABI minor.
    pub unsafe fn read<T: crate::record::Record>(self) -> Vec<T> {
        (0..self.len)
            // SAFETY: `index < len`, and the caller promises the type.
            .filter_map(|index| unsafe { self.get(index) })
            .collect()
    }

    /// Reads one record.
    ///
    /// # Safety
    /// As for [`MsTable::read`].
    pub unsafe fn get<T: crate::record::Record>(self, index: usize) -> Option<T> {
        if index >= self.len || self.ptr.is_null() {
            return None;
        }
        // SAFETY: the record lies inside the table, `stride` bytes long.
        unsafe {
            let at = self.ptr.cast::<u8>().add(index * self.stride);
            Some(crate::widen(at.cast::<T>(), self.stride))
        }
    }
}

plain_record! {
    /// A value that stands in a descriptor: a default or a constant.
    ///
    /// Scalars stand in `value`. `MS_TAG_STR` and `MS_TAG_BYTES` take the bytes of `text`,
    /// `MS_TAG_BIGINT` the decimal digits there with an optional minus sign.
    #[derive(Debug)]
    pub struct MsLiteral {
        /// Tag, and payload of a scalar.
        pub value: MsValue,
        /// Bytes of a text, bytes or big integer.
        pub text: MsStr,
    }
}

impl MsLiteral {
    /// None, also the literal of a record that has none.
    pub const NONE: Self = Self::scalar(MsValue::NONE);

    /// A scalar.
    pub const fn scalar(value: MsValue) -> Self {
        Self { value, text: MsStr::EMPTY }
    }

    /// A text.
    pub const fn text(text: &'static str) -> Self {
        Self { value: MsValue { tag: MS_TAG_STR, aux: 0, payload: 0 }, text: MsStr::new(text) }
    }

    /// Bytes.
    pub const fn bytes(bytes: &'static [u8]) -> Self {
        Self { value: MsValue { tag: MS_TAG_BYTES, aux: 0, payload: 0 }, text: MsStr::bytes(bytes) }
    }
}
