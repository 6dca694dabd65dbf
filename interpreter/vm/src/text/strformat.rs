//! Templates of `str.format`: literals and fields, and within a field the name taken apart
//! into the argument and the attributes and items to fetch from it.

use super::format::{integer, quoted};
use super::wtf8;
use crate::fault::Fault;

/// How deep fields may nest in format specs.
pub const MAX_DEPTH: usize = 2;

/// The error of fields nested deeper than [`MAX_DEPTH`].
pub fn too_deep() -> Fault {
    Fault::value("Max string recursion exceeded")
}

/// A replacement field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name with what follows it, for [`split_name`].
    pub name: &'a [u8],
    /// The character after `!`; see [`Conversion::from_char`].
    pub conversion: Option<u32>,
    /// The format spec, a template of its own if `nested`.
    pub spec: &'a [u8],
    /// Whether the spec holds fields.
    pub nested: bool,
}

/// A part of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Text to copy.
    Literal(&'a [u8]),
    /// A value to format.
    Field(Field<'a>),
}

/// A template being taken apart.
#[derive(Debug, Clone)]
pub struct Template<'a> {
    text: &'a [u8],
    at: usize,
    /// A field begins here; the literal before it has been handed out.
    in_field: bool,
}

impl<'a> Template<'a> {
    /// A template at its beginning.
    pub fn new(text: &'a [u8]) -> Template<'a> {
        Template { text, at: 0, in_field: false }
    }

    /// The next part.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Result<Step<'a>, Fault>> {
        let step = self.step();
        if let Some(Err(_)) = step {
            (self.at, self.in_field) = (self.text.len(), false);
        }
        step
    }

    fn step(&mut self) -> Option<Result<Step<'a>, Fault>> {
        if std::mem::take(&mut self.in_field) {
            return Some(self.field().map(Step::Field));
        }
        let rest = self.text.get(self.at..).filter(|r| !r.is_empty())?;
        let Some(n) = memchr::memchr2(b'{', b'}', rest) else {
            self.at = self.text.len();
            return Some(Ok(Step::Literal(rest)));
        };
        let brace = rest[n];
        if rest.get(n + 1) == Some(&brace) {
            self.at += n + 2;
            return Some(Ok(Step::Literal(&rest[..=n])));
        }
        if brace == b'}' {
            return Some(Err(Fault::value("Single '}' encountered in format string")));
        }
        if rest.len() == n + 1 {
            return Some(Err(Fault::value("Single '{' encountered in format string")));
        }
        self.at += n + 1;
        if n == 0 {
            return Some(self.field().map(Step::Field));
        }
        self.in_field = true;
        Some(Ok(Step::Literal(&rest[..n])))
    }

    fn take(&mut self) -> Option<u8> {
        let b = *self.text.get(self.at)?;
        self.at += 1;
        Some(b)
    }

    fn field(&mut self) -> Result<Field<'a>, Fault> {
        let start = self.at;
        let mut last = 0;
        while let Some(b) = self.take() {
            last = b;
            match b {
                b'{' => return Err(Fault::value("unexpected '{' in field name")),
                b'[' => {
                    let rest = &self.text[self.at..];
                    self.at += memchr::memchr(b']', rest).unwrap_or(rest.len());
                }
                b'}' | b':' | b'!' => break,
                _ => {}
            }
        }
        if !matches!(last, b'}' | b':' | b'!') {
            return Err(Fault::value("expected '}' before end of string"));
        }
        let name = &self.text[start..self.at - 1];
        let mut field = Field { name, conversion: None, spec: &[], nested: false };
        if last == b'}' {
            return Ok(field);
        }
        if last == b'!' {
            let (cp, next) = wtf8::decode(self.text, self.at).ok_or_else(|| {
                Fault::value("end of string while looking for conversion specifier")
            })?;
            field.conversion = Some(cp);
            self.at = next;
            match self.take() {
                Some(b'}') => return Ok(field),
                Some(b':') | None => {}
                Some(_) => return Err(Fault::value("expected ':' after conversion specifier")),
            }
        }
        let from = self.at;
        let mut depth = 1;
        while let Some(b) = self.take() {
            match b {
                b'{' => {
                    field.nested = true;
                    depth += 1;
                }
                b'}' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                field.spec = &self.text[from..self.at - 1];
                return Ok(field);
            }
        }
        Err(Fault::value("unmatched '{' in format spec"))
    }
}

/// What `!x` does to a value before it is formatted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    /// `!s`
    Str,
    /// `!r`
    Repr,
    /// `!a`
    Ascii,
}

impl Conversion {
    /// The conversion a character stands for.
    pub fn from_char(cp: u32) -> Result<Conversion, Fault> {
        match char::from_u32(cp) {
            Some('s') => Ok(Conversion::Str),
            Some('r') => Ok(Conversion::Repr),
            Some('a') => Ok(Conversion::Ascii),
            _ => Err(Fault::value(format!("Unknown conversion specifier {}", quoted(cp)))),
        }
    }
}

/// Numbers the fields that say no number, and sees that a template does not mix both ways. One
/// for each call of `str.format`, its nested specs included.
#[derive(Debug, Clone, Default)]
pub struct Numbering {
    next: usize,
    manual: bool,
}

impl Numbering {
    /// One that stands where another stood.
    pub fn resume(next: usize, manual: bool) -> Numbering {
        Numbering { next, manual }
    }

    /// Where it stands.
    pub fn state(&self) -> (usize, bool) {
        (self.next, self.manual)
    }
}

/// The argument a field begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument<'a> {
    /// A positional argument.
    Position(usize),
    /// A keyword argument.
    Keyword(&'a [u8]),
}

/// What to fetch from the argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access<'a> {
    /// `.name`
    Attribute(&'a [u8]),
    /// `[12]`
    Index(usize),
    /// `[key]`
    Key(&'a [u8]),
}

/// A name that is all digits is a number.
fn number(name: &[u8]) -> Result<Option<usize>, Fault> {
    // Longer than any number, and not worth decoding to find out.
    if name.len() > 512 {
        let digits = wtf8::code_points(name).all(|cp| super::case::decimal_value(cp).is_some());
        return if digits {
            Err(Fault::value("Too many decimal digits in format string"))
        } else {
            Ok(None)
        };
    }
    let cps: Vec<u32> = wtf8::code_points(name).collect();
    let mut at = 0;
    let value = integer(&cps, &mut at)?;
    Ok(value.filter(|_| at == cps.len()))
}

/// Takes a field's name apart: the argument, and the accesses through [`Accesses::next`].
pub fn split_name<'a>(
    name: &'a [u8],
    numbering: &mut Numbering,
) -> Result<(Argument<'a>, Accesses<'a>), Fault> {
    let end = memchr::memchr2(b'.', b'[', name).unwrap_or(name.len());
    let first = &name[..end];
    let rest = Accesses { text: &name[end..] };
    let argument = match number(first)? {
        Some(index) => {
            if numbering.next > 0 {
                return Err(Fault::value(
                    "cannot switch from automatic field numbering to manual field specification",
                ));
            }
            numbering.manual = true;
            Argument::Position(index)
        }
        None if first.is_empty() => {
            if numbering.manual {
                return Err(Fault::value(
                    "cannot switch from manual field specification to automatic field numbering",
                ));
            }
            numbering.next += 1;
            Argument::Position(numbering.next - 1)
        }
        None => Argument::Keyword(first),
    };
    Ok((argument, rest))
}

/// The attributes and items of a field's name.
#[derive(Debug, Clone)]
pub struct Accesses<'a> {
    text: &'a [u8],
}

impl<'a> Accesses<'a> {
    /// The next access.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Option<Result<Access<'a>, Fault>> {
        let (first, rest) = self.text.split_first()?;
        self.text = &[];
        let empty = || Some(Err(Fault::value("Empty attribute in format string")));
        if *first == b'.' {
            let end = memchr::memchr2(b'.', b'[', rest).unwrap_or(rest.len());
            self.text = &rest[end..];
            return if end == 0 { empty() } else { Some(Ok(Access::Attribute(&rest[..end]))) };
        }
        if *first != b'[' {
            return Some(Err(Fault::value(
                "Only '.' or '[' may follow ']' in format field specifier",
            )));
        }
        let Some(end) = memchr::memchr(b']', rest) else {
            return Some(Err(Fault::value("Missing ']' in format string")));
        };
        self.text = &rest[end + 1..];
        let key = &rest[..end];
        if key.is_empty() {
            return empty();
        }
        Some(number(key).map(|n| n.map_or(Access::Key(key), Access::Index)))
    }
}
