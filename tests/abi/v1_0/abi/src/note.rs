//! The `.ms_abi` section: what a loader learns about a library without running any of its code.

use crate::record::plain_record;
use crate::{MS_ABI_MAJOR, MS_ABI_MINOR};

/// Name of the section (ELF and PE).
pub const MS_ABI_SECTION: &str = ".ms_abi";
/// Name of the section in a Mach-O file (segment `__DATA`).
pub const MS_ABI_SECTION_MACHO: &str = "__ms_abi";
/// First bytes of the section.
pub const MS_ABI_MAGIC: [u8; 8] = *b"MSABI\r\n\0";

/// No unwinding (C).
pub const MS_PANIC_NONE: u8 = 0;
/// Rust with `panic = "unwind"`.
pub const MS_PANIC_UNWIND: u8 = 1;
/// Rust with `panic = "abort"`: refused, since its panics cannot be caught.
pub const MS_PANIC_ABORT: u8 = 2;

/// Written in Rust: the library also exports an `abi_stable` root module.
pub const MS_LANG_RUST: u8 = 1;
/// Written in C or another language: checked by version, sizes and strides.
pub const MS_LANG_C: u8 = 2;

plain_record! {
    /// Content of the section. Texts are padded with NUL; numbers have the target's byte order.
    pub struct MsAbiNote {
        /// [`MS_ABI_MAGIC`].
        pub magic: [u8; 8],
        /// Bytes of this record.
        pub size: u32,
        /// ABI major the library was built against.
        pub abi_major: u16,
        /// ABI minor the library was built against.
        pub abi_minor: u16,
        /// Bytes of a pointer.
        pub pointer_size: u8,
        /// `MS_PANIC_` number.
        pub panic: u8,
        /// `MS_LANG_` number.
        pub language: u8,
        /// Zero.
        pub reserved: u8,
        /// Architecture as Rust's `std::env::consts::ARCH` names it.
        pub arch: [u8; 16],
        /// Name of the module.
        pub name: [u8; 64],
        /// Version of the extension.
        pub version: [u8; 32],
    }
}

impl MsAbiNote {
    /// The note of a Rust extension. Fails to compile when a text is too long.
    pub const fn rust(name: &str, version: &str) -> Self {
        Self {
            magic: MS_ABI_MAGIC,
            size: size_of::<Self>() as u32,
            abi_major: MS_ABI_MAJOR as u16,
            abi_minor: MS_ABI_MINOR as u16,
            pointer_size: size_of::<usize>() as u8,
            panic: if cfg!(panic = "unwind") { MS_PANIC_UNWIND } else { MS_PANIC_ABORT },
            language: MS_LANG_RUST,
            reserved: 0,
            arch: padded(std::env::consts::ARCH),
            name: padded(name),
            version: padded(version),
        }
    }
}

const fn padded<const N: usize>(text: &str) -> [u8; N] {
    assert!(text.len() < N, "text is too long for its field of the .ms_abi section");
    let mut field = [0; N];
    let mut index = 0;
    while index < text.len() {
        field[index] = text.as_bytes()[index];
        index += 1;
    }
    field
}
