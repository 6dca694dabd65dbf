//! A compiled function, module or class body, apart from any VM: what the compiler makes, what
//! the cache stores, what `ms dis` prints. The VM instantiates it as a code object.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

pub use super::positions::{PosRow, Positions};
pub use miniscript_syntax::Span;

/// A text that is kept in a shorter form.
pub trait PackedText: Sync {
    /// The text.
    fn unpack(&self) -> String;
}

/// The text a code object was compiled from, for tracebacks. It is unpacked, and its lines are
/// looked up, when that is first asked for: most code that is read from a cache never fails.
pub struct SourceInfo {
    /// The file name as tracebacks show it.
    pub filename: String,
    packed: Option<&'static dyn PackedText>,
    text: OnceLock<String>,
    line_starts: OnceLock<Vec<u32>>,
}

impl SourceInfo {
    /// A text, and what it is called.
    pub fn new(filename: impl Into<String>, text: impl Into<String>) -> SourceInfo {
        SourceInfo {
            filename: filename.into(),
            packed: None,
            text: OnceLock::from(text.into()),
            line_starts: OnceLock::new(),
        }
    }

    /// The same for a text that may never be needed.
    pub fn packed(filename: impl Into<String>, text: &'static dyn PackedText) -> SourceInfo {
        SourceInfo { packed: Some(text), text: OnceLock::new(), ..SourceInfo::new(filename, "") }
    }

    /// The text itself.
    pub fn text(&self) -> &str {
        self.text.get_or_init(|| self.packed.map_or_else(String::new, PackedText::unpack))
    }

    /// Byte offset of the start of each line.
    pub fn line_starts(&self) -> &[u32] {
        self.line_starts.get_or_init(|| {
            let ends = memchr::memchr_iter(b'\n', self.text().as_bytes());
            std::iter::once(0).chain(ends.map(|end| end as u32 + 1)).collect()
        })
    }

    /// The 1-based line of a byte offset.
    pub fn line(&self, offset: u32) -> u32 {
        self.line_starts().partition_point(|&s| s <= offset) as u32
    }

    /// The text of a 1-based line, without its line end.
    pub fn line_text(&self, line: u32) -> &str {
        let (text, starts) = (self.text(), self.line_starts());
        let i = (line as usize).wrapping_sub(1);
        let Some(&start) = starts.get(i) else { return "" };
        let end = starts.get(i + 1).map_or(text.len(), |&e| e as usize);
        text.get(start as usize..end).unwrap_or("").trim_end_matches(['\n', '\r'])
    }
}

impl PartialEq for SourceInfo {
    fn eq(&self, other: &SourceInfo) -> bool {
        self.filename == other.filename && self.text() == other.text()
    }
}

impl Eq for SourceInfo {}

impl fmt::Debug for SourceInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SourceInfo").field(&self.filename).finish()
    }
}

/// A constant, comparable bit by bit (so that code objects can be compared).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Const {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// `...`.
    Ellipsis,
    /// An integer that fits 64 bits.
    Int(i64),
    /// A larger integer: sign and decimal or `0x` digits are left behind, these are its
    /// little-endian magnitude bytes.
    BigInt {
        /// Whether it is below zero.
        negative: bool,
        /// Little-endian magnitude.
        #[serde(with = "raw")]
        magnitude: Box<[u8]>,
    },
    /// A float.
    Float(f64),
    /// An imaginary number.
    Complex(f64, f64),
    /// A string in UTF-8 extended by lone surrogates. Interned when instantiated if it is short.
    Str(#[serde(with = "raw")] Box<[u8]>),
    /// Bytes.
    Bytes(#[serde(with = "raw")] Box<[u8]>),
    /// A tuple of constants.
    Tuple(Vec<Const>),
    /// A frozen set of constants.
    FrozenSet(Vec<Const>),
    /// An inner function, class body or comprehension.
    Code(Arc<CodeProto>),
}

impl PartialEq for Const {
    fn eq(&self, other: &Const) -> bool {
        use Const::*;
        match (self, other) {
            (None, None) | (Ellipsis, Ellipsis) => true,
            (Bool(a), Bool(b)) => a == b,
            (Int(a), Int(b)) => a == b,
            (BigInt { negative: n, magnitude: m }, BigInt { negative: n2, magnitude: m2 }) => {
                n == n2 && m == m2
            }
            (Float(a), Float(b)) => a.to_bits() == b.to_bits(),
            (Complex(a, b), Complex(c, d)) => {
                a.to_bits() == c.to_bits() && b.to_bits() == d.to_bits()
            }
            (Str(a), Str(b)) | (Bytes(a), Bytes(b)) => a == b,
            (Tuple(a), Tuple(b)) | (FrozenSet(a), FrozenSet(b)) => a == b,
            (Code(a), Code(b)) => a == b,
            _ => false,
        }
    }
}

/// A row of the handler table. Rows are searched in order, so inner regions come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandlerRow {
    /// First word covered.
    pub start: u32,
    /// One past the last word covered. An instruction is covered by its first word.
    pub end: u32,
    /// Where to go on.
    pub target: u32,
    /// `R[reg]` and `R[reg+1]` receive the exception handled before and the exception.
    pub reg: u32,
}

/// Where an inner function finds a cell to capture when `MKFUNC` makes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Capture {
    /// The cell in a register of the enclosing function.
    Local(u32),
    /// A free cell of the enclosing function.
    Free(u32),
}

/// Properties of a code object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeFlags {
    /// Has `*args`, in the register after the positional and keyword-only parameters.
    pub varargs: bool,
    /// Has `**kwargs`, in the register after that.
    pub varkw: bool,
    /// Calling it makes a generator.
    pub generator: bool,
    /// Calling it makes a coroutine (with `generator`: an async generator).
    pub coroutine: bool,
    /// A class body: R[0] is the namespace.
    pub class_body: bool,
    /// Names are looked up in a namespace in R[0] (exec and eval with a locals mapping).
    pub namespaced: bool,
    /// Of a module: a statement as it is typed at a prompt, whose values are printed.
    pub interactive: bool,
    /// Frames of it do not show in tracebacks.
    pub hidden: bool,
    /// A comprehension, shown as part of its function.
    pub comprehension: bool,
}

/// A compiled body.
///
/// Registers: positional parameters (positional-only first), keyword-only parameters, `*args`,
/// `**kwargs`, other locals, temporaries. Each local keeps its register for the whole body; one
/// that is captured holds its cell there (made by `MKCELL` at the entry).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CodeProto {
    /// `__name__`.
    pub name: String,
    /// `__qualname__`.
    pub qualname: String,
    /// Properties.
    pub flags: CodeFlags,
    /// Positional parameters, positional-only included.
    pub arg_count: u32,
    /// Positional-only parameters.
    pub posonly_count: u32,
    /// Keyword-only parameters.
    pub kwonly_count: u32,
    /// Number of registers of a frame, temporaries included.
    pub reg_count: u32,
    /// Names of the locals, parameters first.
    pub locals: Vec<String>,
    /// The registers of the locals, if they are not the first ones in order.
    pub local_regs: Vec<u32>,
    /// Registers (among the locals) that hold cells.
    pub cells: Vec<u32>,
    /// Names of the free variables.
    pub free: Vec<String>,
    /// Where `MKFUNC` finds each free variable.
    pub captures: Vec<Capture>,
    /// The instructions.
    #[serde(with = "raw_words")]
    pub words: Vec<u32>,
    /// The constants.
    pub consts: Vec<Const>,
    /// The inline caches: index of the name's constant.
    pub caches: Vec<u32>,
    /// The exception handlers, inner ones first.
    pub handlers: Vec<HandlerRow>,
    /// Source positions.
    pub positions: Positions,
    /// Constant that holds the docstring.
    pub doc: Option<u32>,
    /// The line of `def` (or of the first decorator), `class`, or 1.
    pub first_line: u32,
    /// Names assigned as `self.NAME = ..` in the methods of a class body: how many attribute
    /// slots its instances should have inline.
    pub attr_hint: u32,
    /// Of a module: what its text deserves to be warned of.
    pub warnings: Vec<(Span, String)>,
    /// The text it comes from.
    #[serde(skip)]
    pub source: Option<Arc<SourceInfo>>,
}

impl SourceInfo {
    /// A source without text, for hand-assembled code.
    pub fn unnamed() -> Arc<SourceInfo> {
        Arc::new(SourceInfo::new("<assembled>", ""))
    }
}

impl CodeProto {
    /// The register of local `i`.
    pub fn local_reg(&self, i: usize) -> usize {
        self.local_regs.get(i).map_or(i, |&r| r as usize)
    }

    /// The local in register `reg`.
    pub fn local_in(&self, reg: u32) -> Option<usize> {
        match self.local_regs[..] {
            [] => Some(reg as usize),
            _ => self.local_regs.iter().position(|&r| r == reg),
        }
    }
}

/// Bytes stored as they are, which is read faster than a sequence of numbers.
pub(super) mod raw {
    use std::fmt;

    use serde::de::{Deserializer, Error, Visitor};
    use serde::ser::Serializer;

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Box<[u8]>, D::Error> {
        from.deserialize_bytes(Raw(|bytes: &[u8]| Some(bytes.into())))
    }

    /// Makes something of bytes, unless it does not like them.
    pub(crate) struct Raw<F>(pub F);

    impl<T, F: FnOnce(&[u8]) -> Option<T>> Visitor<'_> for Raw<F> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<T, E> {
            (self.0)(bytes).ok_or_else(|| E::custom("a length that does not fit"))
        }
    }
}

/// Words stored as their bytes, the low one first.
mod raw_words {
    use serde::de::Deserializer;
    use serde::ser::Serializer;

    use super::raw::Raw;

    pub(super) fn serialize<S: Serializer>(words: &[u32], to: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        to.serialize_bytes(&bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u32>, D::Error> {
        from.deserialize_bytes(Raw(|bytes: &[u8]| {
            let (words, rest) = bytes.as_chunks::<4>();
            rest.is_empty().then(|| words.iter().map(|w| u32::from_le_bytes(*w)).collect())
        }))
    }
}
