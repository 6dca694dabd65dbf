//! `__format__` and `__str__` of the builtin types, and the errors of text encodings.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, NativeDef};
use crate::num::complex;
use crate::num::int::Int;
use crate::object::exc::Exception;
use crate::object::num::{BigIntObj, Complex, Int64};
use crate::object::text::Str;
use crate::text::codec::{CodecError, CodingError};
use crate::text::format as spec;
use crate::text::wtf8::Text;
use crate::value::Value;

/// The rows that classes share: used where a class has none of its own.
pub(crate) fn rows(t: Type) -> &'static [NativeDef] {
    const FORMAT: NativeDef = NativeDef::new(
        "__format__",
        "self, format_spec, /",
        format_row,
        "Default object formatter.",
    );
    static OBJECT: &[NativeDef] = &[
        NativeDef::new(
            "__format__",
            "self, format_spec, /",
            object_format,
            "Default object formatter.",
        ),
        NativeDef::new("__str__", "self, /", |vm, args| vm.repr(args[0]), "Return str(self)."),
    ];
    static NUMBER: &[NativeDef] = &[FORMAT];
    static EXCEPTION: &[NativeDef] =
        &[NativeDef::new("__str__", "self, /", exception_str, "Return str(self).")];
    static KEY_ERROR: &[NativeDef] =
        &[NativeDef::new("__str__", "self, /", key_error_str, "Return str(self).")];
    static STR: &[NativeDef] = &[
        FORMAT,
        NativeDef::new("__str__", "self, /", |vm, args| vm.plain_str(args[0]), "Return str(self)."),
    ];
    static CODING: &[NativeDef] =
        &[NativeDef::new("__str__", "self, /", coding_str, "Return str(self).")];
    match t {
        Type::UnicodeEncodeError | Type::UnicodeDecodeError => CODING,
        Type::Object => OBJECT,
        Type::Int | Type::Float | Type::Complex => NUMBER,
        Type::Str => STR,
        Type::BaseException => EXCEPTION,
        Type::KeyError => KEY_ERROR,
        _ => &[],
    }
}

impl Vm {
    /// `format(v, spec)` of the types that know format specs; `None` for others.
    pub(crate) fn format_exact<'v>(&'v self, v: Value<'v>, spec: &[u8]) -> Option<NResult<'v>> {
        match self.exact_type(v)? {
            Type::Str | Type::Int | Type::Bool | Type::Float | Type::Complex => {
                Some(self.format_native(v, spec))
            }
            Type::NoneType | Type::List | Type::Tuple | Type::Dict | Type::Set
                if spec.is_empty() =>
            {
                Some(self.repr(v))
            }
            _ => None,
        }
    }

    /// `str.__format__`, `int.__format__` ...: by what kind of object `v` is.
    fn format_native<'v>(&'v self, v: Value<'v>, text: &[u8]) -> NResult<'v> {
        if text.is_empty() {
            return self.str_value(v);
        }
        if let (Some(n), Some((width, fill))) = (v.as_small(), spec::plain_width(text)) {
            return Ok(self.padded_int(n, width, fill));
        }
        let hint = spec::size_hint(text);
        if hint <= isize::MAX as usize {
            // A longer one is an error of the spec.
            self.check(hint)?;
            self.ticks(hint / 256)?;
        }
        let name = self.class_of(v).name_str();
        let max = self.int_max_str_digits.get();
        let out = if let Some(s) = v.get::<Str>() {
            self.polled(|poll| spec::format_str(s.text(), text, &name, poll))
        } else if let Some(n) = self.int_of(v) {
            self.polled(|poll| spec::format_int(&n, text, &name, max, poll))
        } else if let Some(x) = super::repr::float_of(v) {
            self.polled(|poll| spec::format_float(x, text, &name, poll))
        } else if let Some(z) = v.get::<Complex>() {
            let z = complex::Complex { re: z.re, im: z.im };
            self.polled(|poll| spec::format_complex(z, text, &name, poll))
        } else {
            return Err(self.type_error("bad receiver of __format__"));
        };
        self.str_owned(out?)
    }

    /// An int (or bool) as the leaf modules take it.
    pub(crate) fn int_of(&self, v: Value<'_>) -> Option<Int> {
        if let Some(n) = v.as_small() {
            return Some(Int::Small(n));
        }
        if let Some(b) = v.as_bool() {
            return Some(Int::Small(i64::from(b)));
        }
        if let Some(n) = v.get::<Int64>() {
            return Some(Int::Small(n.value));
        }
        v.get::<BigIntObj>().map(|n| Int::from(n.value.clone()))
    }

    /// Raise the error of `text.encode()`.
    pub(crate) fn encode_error<'v>(&'v self, text: Value<'v>, e: CodecError) -> Exit<'v> {
        self.codec_error(Type::UnicodeEncodeError, text, e)
    }

    /// Raise the error of `data.decode()`.
    pub(crate) fn decode_error<'v>(&'v self, data: Value<'v>, e: CodecError) -> Exit<'v> {
        self.codec_error(Type::UnicodeDecodeError, data, e)
    }

    fn codec_error<'v>(&'v self, class: Type, object: Value<'v>, e: CodecError) -> Exit<'v> {
        let e = match e {
            CodecError::Coding(e) => e,
            CodecError::Alloc => return self.memory_error(),
            CodecError::WrongHandler => {
                return self.type_error(format!(
                    "don't know how to handle {} in error callback",
                    class.name()
                ));
            }
            CodecError::NoMark(name) => {
                let text = format!("{name} stream does not start with BOM");
                return self.err(Type::UnicodeError, text);
            }
        };
        let CodingError { encoding, start, end, reason, .. } = e;
        let n = self.names_of_coding();
        let values = [
            self.short_str(encoding),
            object,
            Value::len(start),
            Value::len(end),
            self.short_str(reason),
        ];
        let exc = match self.tuple(&values) {
            Ok(args) => self.new_exception(class.shape(), args),
            Err(e) => return e,
        };
        for (key, v) in n.into_iter().zip(values) {
            if let Err(e) = self.set_attr_raw(exc, self.word_value(key), v) {
                return e;
            }
        }
        Exit::Raise(exc)
    }

    fn names_of_coding(&self) -> [u64; 5] {
        let n = &self.names;
        [n.encoding, n.object, n.start, n.end, n.reason]
    }
}

fn format_row<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match args[1].get::<Str>() {
        Some(s) => vm.format_native(args[0], s.bytes()),
        None => Err(spec_type_error(vm, args[1])),
    }
}

fn spec_type_error<'v>(vm: &'v Vm, v: Value<'v>) -> Exit<'v> {
    vm.type_error(format!("__format__() argument must be str, not {}", vm.type_name_or_none(v)))
}

fn object_format<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match args[1].get::<Str>() {
        Some(s) if s.bytes().is_empty() => vm.str_value(args[0]),
        Some(_) => Err(vm.type_error(format!(
            "unsupported format string passed to {}.__format__",
            vm.type_name(args[0])
        ))),
        None => Err(spec_type_error(vm, args[1])),
    }
}

fn exception_str<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(e) = args[0].get::<Exception>() else { return vm.repr(args[0]) };
    match e.args() {
        [] => vm.str(""),
        [one] => vm.str_value(*one),
        _ => vm.repr(crate::object::read(&e.args)),
    }
}

/// `'ascii' codec can't encode character '\xe9' in position 0: ...`
fn coding_str<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let field = |key| vm.get_attr_raw(args[0], vm.word_value(key)).unwrap_or(Value::EMPTY);
    let [encoding, object, start, end, reason] = vm.names_of_coding().map(field);
    let bounds = (start.as_small(), end.as_small());
    let (Some(encoding), (Some(start), Some(end)), Some(reason)) =
        (encoding.get::<Str>(), bounds, reason.get::<Str>())
    else {
        return exception_str(vm, args);
    };
    let (encoding, reason) = (encoding.to_display(), reason.to_display());
    let at = usize::try_from(start).unwrap_or(0);
    let (verb, what, one) = match object.get::<Str>() {
        Some(s) => {
            let cp = s.text().get(at).unwrap_or(0);
            let mut shown = Vec::new();
            crate::text::repr::escape(&mut shown, cp);
            ("encode", "character", format!("'{}'", String::from_utf8_lossy(&shown)))
        }
        None => {
            let byte = vm.buffer(object).and_then(|b| b.get(at).copied()).unwrap_or(0);
            ("decode", "byte", format!("0x{byte:02x}"))
        }
    };
    let place = if end == start + 1 {
        format!("{what} {one} in position {start}")
    } else {
        format!("{what}s in position {start}-{}", end - 1)
    };
    vm.str(&format!("'{encoding}' codec can't {verb} {place}: {reason}"))
}

fn key_error_str<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match args[0].get::<Exception>().map(|e| e.args()) {
        Some([one]) => vm.repr(*one),
        _ => exception_str(vm, args),
    }
}

impl Vm {
    /// Gives `f` the text of a string, with an index table if that helps to find offsets.
    pub fn with_text<R>(&self, s: &Str, f: impl FnOnce(Text<'_>) -> R) -> R {
        if s.is_ascii() {
            return f(s.text());
        }
        let mut tables = self.index_tables.borrow_mut();
        f(tables.text(Value::object(s).word(), s.bytes(), s.char_len()))
    }
}

impl Str {
    /// The text as the leaf modules take it.
    pub(crate) fn text(&self) -> Text<'_> {
        Text { bytes: self.bytes(), len: self.char_len(), index: None }
    }
}
