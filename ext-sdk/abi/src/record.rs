//! How a record of the ABI is declared, and how records of another age are read.
//!
//! `record!` writes one struct and, from the same field list, its layout table (for the golden
//! file) and its `abi_stable` prefix type (for the check when a Rust extension is loaded). All
//! fields are opaque to `abi_stable`: it compares names, order, sizes and alignments; what a
//! pointer points to is itself a record in the list of the root module.

/// Where one field lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldLayout {
    /// Name, equal in Rust and C.
    pub name: &'static str,
    /// Bytes from the start of the record.
    pub offset: usize,
    /// Bytes of the field.
    pub size: usize,
    /// Alignment of the field's type.
    pub align: usize,
}

/// The layout of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordLayout {
    /// Name, equal in Rust and C.
    pub name: &'static str,
    /// Bytes of the record.
    pub size: usize,
    /// Alignment of the record.
    pub align: usize,
    /// The fields in their order.
    pub fields: &'static [FieldLayout],
}

/// A record made of integers, pointers, and nullable function pointers only, for which the
/// all-zero pattern is valid and reads as "everything absent".
///
/// # Safety
/// Implementors must be valid when all bytes are zero.
pub unsafe trait Record: Copy {
    /// Name, size and fields.
    const LAYOUT: RecordLayout;
}

/// Reads a record that another version may have written: the first `size` bytes are taken, what
/// the other party does not have is zero, what it has beyond ours is ignored.
///
/// # Safety
/// `source` points to at least `size` readable bytes that hold a `T` of some ABI minor.
pub unsafe fn widen<T: Record>(source: *const T, size: usize) -> T {
    let mut record = std::mem::MaybeUninit::<T>::zeroed();
    // SAFETY: both ranges hold `min(size, size_of::<T>())` bytes and do not overlap; an all-zero
    // `T` is valid by the contract of `Record`, and the copied prefix by the caller's promise.
    unsafe {
        let bytes = size.min(size_of::<T>());
        std::ptr::copy_nonoverlapping(source.cast::<u8>(), record.as_mut_ptr().cast(), bytes);
        record.assume_init()
    }
}

macro_rules! record_body {
    ($(#[$meta:meta])* $name:ident { $($(#[$fmeta:meta])* pub $field:ident : $ty:ty,)* }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy)]
        pub struct $name { $($(#[$fmeta])* pub $field: $ty,)* }

        $crate::record::record_body!(@layout $name { $($field: $ty,)* });
    };
    (@layout $name:ident { $($field:ident : $ty:ty,)* }) => {
        // SAFETY: the fields are integers, raw pointers, `Option`s of function pointers and
        // records of the same kind; each is valid when zero.
        unsafe impl $crate::record::Record for $name {
            const LAYOUT: $crate::record::RecordLayout = $crate::record::RecordLayout {
                name: stringify!($name),
                size: size_of::<$name>(),
                align: align_of::<$name>(),
                fields: &[$($crate::record::FieldLayout {
                    name: stringify!($field),
                    offset: std::mem::offset_of!($name, $field),
                    size: size_of::<$ty>(),
                    align: align_of::<$ty>(),
                },)*],
            };
        }
    };
}

/// A record that never grows: it is passed or embedded by value.
macro_rules! plain_record {
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* }) => {
        $crate::record::record_body!($(#[$meta])* $name { $($body)* });
    };
}

/// A record that may grow at its end. The last field of ABI 1.0 stands after `last:`.
macro_rules! record {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$fmeta:meta])* pub $field:ident : $ty:ty,)*
        last: $(#[$lmeta:meta])* pub $last:ident : $lty:ty,
        $($(#[$ameta:meta])* pub $added:ident : $aty:ty,)*
    }) => {
        $(#[$meta])*
        #[repr(C)]
        #[derive(Clone, Copy, abi_stable::StableAbi)]
        #[sabi(kind(Prefix), missing_field(option))]
        pub struct $name {
            $($(#[$fmeta])* #[sabi(unsafe_opaque_field)] pub $field: $ty,)*
            $(#[$lmeta])* #[sabi(unsafe_opaque_field)] #[sabi(last_prefix_field)] pub $last: $lty,
            $($(#[$ameta])* #[sabi(unsafe_opaque_field)] pub $added: $aty,)*
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }

        $crate::record::record_body!(@layout $name {
            $($field: $ty,)* $last: $lty, $($added: $aty,)*
        });
    };
}

/// A table of host functions. Each takes the VM first and answers a status; a null one is a
/// function that this host does not have.
macro_rules! host_table {
    ($(#[$meta:meta])* pub struct $name:ident {
        $($(#[$fmeta:meta])* fn $field:ident($($arg:ident: $aty:ty),* $(,)?);)*
        last: $(#[$lmeta:meta])* fn $last:ident($($larg:ident: $laty:ty),* $(,)?);
        $($(#[$ameta:meta])* fn $added:ident($($darg:ident: $daty:ty),* $(,)?);)*
    }) => {
        $crate::record::record! {
            $(#[$meta])*
            pub struct $name {
                /// Bytes of this record.
                pub size: usize,
                $($(#[$fmeta])* pub $field: Option<unsafe extern "C" fn(
                    vm: *mut $crate::MsVm, $($arg: $aty),*
                ) -> $crate::MsStatus>,)*
                last: $(#[$lmeta])* pub $last: Option<unsafe extern "C" fn(
                    vm: *mut $crate::MsVm, $($larg: $laty),*
                ) -> $crate::MsStatus>,
                $($(#[$ameta])* pub $added: Option<unsafe extern "C" fn(
                    vm: *mut $crate::MsVm, $($darg: $daty),*
                ) -> $crate::MsStatus>,)*
            }
        }
    };
}

pub(crate) use {host_table, plain_record, record, record_body};

/// The layouts of all records, in the order of the golden file.
pub fn layouts() -> Vec<RecordLayout> {
    use crate::*;
    vec![
        MsValue::LAYOUT,
        MsStr::LAYOUT,
        MsTable::LAYOUT,
        MsLiteral::LAYOUT,
        MsContext::LAYOUT,
        MsParam::LAYOUT,
        MsFunction::LAYOUT,
        MsConst::LAYOUT,
        MsClass::LAYOUT,
        MsDependency::LAYOUT,
        MsPermission::LAYOUT,
        MsExt::LAYOUT,
        MsKeyword::LAYOUT,
        MsFuture::LAYOUT,
        MsThen::LAYOUT,
        MsIo::LAYOUT,
        MsAddr::LAYOUT,
        MsMeta::LAYOUT,
        MsDirEntry::LAYOUT,
        MsFileRequest::LAYOUT,
        MsFileResult::LAYOUT,
        MsHostValue::LAYOUT,
        MsHostObject::LAYOUT,
        MsHostFlow::LAYOUT,
        MsHostTask::LAYOUT,
        MsHostNet::LAYOUT,
        MsHostFile::LAYOUT,
        MsHost::LAYOUT,
        MsAbiNote::LAYOUT,
    ]
}
