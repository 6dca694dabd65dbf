//! A compiled function, module or class body, apart from any VM: what the compiler makes, what
//! the cache stores, what `ms dis` prints. The VM instantiates it as a code object.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use super::positions::{PosRow, Positions};
pub use miniscript_syntax::Span;

/// The text a code object was compiled from, for tracebacks.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceInfo {
    /// The file name as tracebacks show it.
    pub filename: String,
    /// The text itself.
    pub text: String,
    /// Byte offset of the start of each line.
    pub line_starts: Vec<u32>,
}

impl SourceInfo {
    /// Indexes the lines of `text`.
    pub fn new(filename: impl Into<String>, text: impl Into<String>) -> SourceInfo {
        let text = text.into();
        let mut line_starts = vec![0];
        line_starts.extend(memchr::memchr_iter(b'\n', text.as_bytes()).map(|i| i as u32 + 1));
        SourceInfo { filename: filename.into(), text, line_starts }
    }

    /// The 1-based line of a byte offset.
    pub fn line(&self, offset: u32) -> u32 {
        self.line_starts.partition_point(|&s| s <= offset) as u32
    }

    /// The text of a 1-based line, without its line end.
    pub fn line_text(&self, line: u32) -> &str {
        let i = (line as usize).wrapping_sub(1);
        let Some(&start) = self.line_starts.get(i) else { return "" };
        let end = self.line_starts.get(i + 1).map_or(self.text.len(), |&e| e as usize);
        self.text.get(start as usize..end).unwrap_or("").trim_end_matches(['\n', '\r'])
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
