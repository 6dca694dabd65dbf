//! Reading a library as data: its format, its processor, its `.ms_abi` section, the C library it
//! needs. Nothing of it is run or even mapped.

use super::error::{LoadError, Problem};
use miniscript_abi::*;
use object::read::elf::{FileHeader, Sym};
use object::{Architecture, BinaryFormat, Object, ObjectSection, ObjectSegment, ReadCache};
use std::fs::File;
use std::mem::offset_of;
use std::path::Path;

/// In what an extension is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// Checked with `abi_stable`.
    Rust,
    /// Checked by versions, sizes and strides.
    C,
}

impl Language {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Language::Rust => "Rust",
            Language::C => "C",
        }
    }
}

/// What the section says, and what the file's tables say about its needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Name of the module.
    pub name: String,
    /// Version of the extension.
    pub version: String,
    /// ABI it was built against.
    pub abi: (u32, u32),
    /// Processor, as Rust names it.
    pub arch: String,
    /// Language.
    pub language: Language,
    /// Built with `panic = "abort"`.
    pub panic_abort: bool,
    /// Bytes of a pointer.
    pub pointer_size: u8,
    /// Newest glibc version that it needs.
    pub glibc: Option<(u32, u32)>,
}

/// Reads a library file.
///
/// # Errors
/// When the file is not a library of this system or has no (right) section.
pub fn read_note(path: &Path) -> Result<Note, LoadError> {
    read(path).map_err(|problem| LoadError::new(path, problem))
}

fn read(path: &Path) -> Result<Note, Problem> {
    let unreadable = |error: std::io::Error| Problem::Unreadable(error.to_string());
    let file = File::open(path).map_err(unreadable)?;
    let length = file.metadata().map_err(unreadable)?.len();
    let cache = ReadCache::new(file);
    let library = object::File::parse(&cache).map_err(|_| what_is_it(path))?;
    check_format(&library)?;
    if library.segments().any(|segment| {
        let (offset, size) = segment.file_range();
        offset.checked_add(size).is_none_or(|end| end > length)
    }) {
        return Err(Problem::Truncated);
    }
    let section = library
        .section_by_name(MS_ABI_SECTION)
        .or_else(|| library.section_by_name(MS_ABI_SECTION_MACHO))
        .ok_or(Problem::NoNote)?;
    let data = section.data().map_err(|_| Problem::Truncated)?;
    let mut note = parse(data, library.is_little_endian())?;
    note.glibc = needed_glibc(&library, &cache);
    Ok(note)
}

/// A name for a file that is not a library.
fn what_is_it(path: &Path) -> Problem {
    use std::io::Read;
    let mut head = Vec::new();
    let read = File::open(path).and_then(|file| file.take(512).read_to_end(&mut head));
    let is_elf = head.starts_with(b"\x7fELF");
    match read {
        Ok(_) if head.is_empty() => Problem::NotALibrary("an empty file".to_owned()),
        // A library that is one by its first bytes and cannot be parsed has lost its end.
        Ok(_) if is_elf || head.starts_with(b"MZ") => Problem::Truncated,
        Ok(_) if std::str::from_utf8(&head).is_ok_and(|text| !text.contains('\0')) => {
            Problem::NotALibrary("a text file".to_owned())
        }
        Ok(_) => Problem::NotALibrary("a file that is not a library".to_owned()),
        Err(error) => Problem::Unreadable(error.to_string()),
    }
}

fn check_format<'data, R: object::ReadRef<'data>>(
    library: &object::File<'data, R>,
) -> Result<(), Problem> {
    let (wanted, format) = if cfg!(windows) {
        (BinaryFormat::Pe, "a Windows library")
    } else if cfg!(target_vendor = "apple") {
        (BinaryFormat::MachO, "a macOS library")
    } else {
        (BinaryFormat::Elf, "an ELF library")
    };
    if library.format() != wanted {
        let found = match library.format() {
            BinaryFormat::Pe => "a Windows library",
            BinaryFormat::MachO => "a macOS library",
            BinaryFormat::Elf => "an ELF library",
            _ => "a library of another system",
        };
        return Err(Problem::NotALibrary(format!("{found} instead of {format}")));
    }
    let found = arch_name(library.architecture());
    if found != std::env::consts::ARCH {
        let wanted = std::env::consts::ARCH.to_owned();
        return Err(Problem::Architecture { found: found.to_owned(), wanted });
    }
    if library.kind() != object::ObjectKind::Dynamic {
        let found = match library.kind() {
            object::ObjectKind::Executable => "a program",
            object::ObjectKind::Relocatable => "an object file that is not linked",
            _ => "a file of machine code that is not a library",
        };
        return Err(Problem::NotALibrary(found.to_owned()));
    }
    Ok(())
}

/// Rust's name of a processor.
fn arch_name(arch: Architecture) -> &'static str {
    match arch {
        Architecture::X86_64 | Architecture::X86_64_X32 => "x86_64",
        Architecture::I386 => "x86",
        Architecture::Aarch64 | Architecture::Aarch64_Ilp32 => "aarch64",
        Architecture::Arm => "arm",
        Architecture::Riscv64 => "riscv64",
        Architecture::Riscv32 => "riscv32",
        Architecture::PowerPc64 => "powerpc64",
        Architecture::S390x => "s390x",
        Architecture::LoongArch64 => "loongarch64",
        _ => "another processor",
    }
}

/// Reads the record. What a newer minor appended to it is ignored.
fn parse(data: &[u8], little_endian: bool) -> Result<Note, Problem> {
    let bad = |what: &str| Problem::BadNote(what.to_owned());
    let field = |offset: usize, len: usize| {
        data.get(offset..offset + len).ok_or_else(|| bad("it is too short"))
    };
    let number = |offset: usize, len: usize| -> Result<u32, Problem> {
        let bytes = field(offset, len)?.iter();
        let fold = |value: u32, byte: &u8| value << 8 | u32::from(*byte);
        Ok(if little_endian { bytes.rev().fold(0, fold) } else { bytes.fold(0, fold) })
    };
    let text = |offset: usize, len: usize| -> Result<String, Problem> {
        let bytes = field(offset, len)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(len);
        let text = std::str::from_utf8(&bytes[..end]).map_err(|_| bad("a text is not UTF-8"))?;
        if text.is_empty() { Err(bad("a text is empty")) } else { Ok(text.to_owned()) }
    };
    if field(0, 8)? != MS_ABI_MAGIC {
        return Err(bad("it does not start with its mark"));
    }
    let byte = |offset: usize| field(offset, 1).map(|bytes| bytes[0]);
    let language = match byte(offset_of!(MsAbiNote, language))? {
        MS_LANG_RUST => Language::Rust,
        MS_LANG_C => Language::C,
        other => return Err(bad(&format!("unknown language {other}"))),
    };
    Ok(Note {
        name: text(offset_of!(MsAbiNote, name), 64)?,
        version: text(offset_of!(MsAbiNote, version), 32)?,
        abi: (
            number(offset_of!(MsAbiNote, abi_major), 2)?,
            number(offset_of!(MsAbiNote, abi_minor), 2)?,
        ),
        arch: text(offset_of!(MsAbiNote, arch), 16)?,
        language,
        panic_abort: byte(offset_of!(MsAbiNote, panic))? == MS_PANIC_ABORT,
        pointer_size: byte(offset_of!(MsAbiNote, pointer_size))?,
        glibc: None,
    })
}

/// The newest `GLIBC_x.y` among the symbol versions that the library needs.
fn needed_glibc<'data, R: object::ReadRef<'data>>(
    library: &object::File<'data, R>,
    data: R,
) -> Option<(u32, u32)> {
    match library {
        object::File::Elf64(elf) => newest_glibc(elf, data),
        object::File::Elf32(elf) => newest_glibc(elf, data),
        _ => None,
    }
}

fn newest_glibc<'data, E: FileHeader<Endian = object::Endianness>, R: object::ReadRef<'data>>(
    elf: &object::read::elf::ElfFile<'data, E, R>,
    data: R,
) -> Option<(u32, u32)>
where
    E::Sym: Sym<Endian = object::Endianness>,
{
    let endian = elf.endian();
    let sections = elf.elf_section_table();
    let (mut needs, link) = sections.gnu_verneed(endian, data).ok()??;
    let strings = sections.strings(endian, data, link).ok()?;
    let mut newest = None;
    while let Ok(Some((_, mut versions))) = needs.next() {
        while let Ok(Some(version)) = versions.next() {
            let name = version.name(endian, strings).ok();
            let text = name.and_then(|name| std::str::from_utf8(name).ok());
            let number = text.and_then(|text| text.strip_prefix("GLIBC_")).and_then(parse_version);
            newest = newest.max(number);
        }
    }
    newest
}

/// `2.38` as numbers.
pub(super) fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?.parse().ok()?;
    Some((major, minor))
}

impl Note {
    /// Whether this host can load the library as the module `name`.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn check(&self, path: &Path, name: &str) -> Result<(), LoadError> {
        self.problem(name).map_or(Ok(()), |problem| Err(LoadError::new(path, problem)))
    }

    fn problem(&self, name: &str) -> Option<Problem> {
        if self.abi.0 != MS_ABI_MAJOR {
            return Some(Problem::AbiMajor(self.abi.0));
        }
        if self.arch != std::env::consts::ARCH
            || usize::from(self.pointer_size) != size_of::<usize>()
        {
            let bits = u32::from(self.pointer_size) * 8;
            return Some(Problem::Architecture {
                found: format!("{} with {bits}-bit pointers", self.arch),
                wanted: format!("{} with {}-bit pointers", std::env::consts::ARCH, usize::BITS),
            });
        }
        if self.panic_abort {
            return Some(Problem::PanicAbort);
        }
        if self.name != name {
            return Some(Problem::Name { found: self.name.clone(), wanted: name.to_owned() });
        }
        let (needed, have) = (self.glibc?, super::load::host_glibc()?);
        (needed > have).then(|| Problem::Glibc {
            found: format!("{}.{}", needed.0, needed.1),
            wanted: format!("{}.{}", have.0, have.1),
        })
    }
}
