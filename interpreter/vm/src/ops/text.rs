//! `str()`, `repr()`, `ascii()`, `format()` and f-strings: the protocol. What the builtin types
//! show is in `builtins::repr`, how they are formatted in `builtins::format`.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Answer, Exit, NResult, Row};
use crate::object::class::Class;
use crate::object::func::Native;
use crate::object::text::Str;
use crate::value::Value;

/// After `__repr__`.
static REPR_ROW: Row = Row {
    name: "repr",
    catches: false,
    resume: |vm, _, answer| vm.expect_str(answer.value()?, "__repr__ returned non-string (type "),
};

/// After `__str__`.
static STR_ROW: Row = Row {
    name: "str",
    catches: false,
    resume: |vm, _, answer| vm.expect_str(answer.value()?, "__str__ returned non-string (type "),
};

/// After `repr`: what `ascii` makes of it.
static ASCII_ROW: Row = Row {
    name: "ascii",
    catches: false,
    resume: |vm, _, answer| vm.escape_non_ascii(answer.value()?),
};

/// After `__format__`.
static FORMAT_ROW: Row = Row {
    name: "format",
    catches: false,
    resume: |vm, _, answer| {
        let v = answer.value()?;
        match v.is_a::<Str>() {
            true => Ok(v),
            false => {
                Err(vm.type_error(format!("__format__ must return a str, not {}", vm.type_name(v))))
            }
        }
    },
};

/// Writes the digits of a number at the end of `text`; where they begin.
fn put_digits(text: &mut [u8], mut n: u64) -> usize {
    let mut at = text.len();
    while at > 1 {
        at -= 1;
        text[at] = b'0' + (n % 10) as u8;
        n /= 10;
        if n == 0 {
            break;
        }
    }
    at
}

/// Whether a builtin class other than `str` has no `__str__` of its own.
fn str_is_repr(t: Type) -> bool {
    !t.is_exception() && t != Type::MappingProxy
}

impl Vm {
    /// `repr(v)`.
    pub fn repr<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        if let Some(t) = self.own_repr(v) {
            return self.repr_as(v, t);
        }
        let Some((f, args)) = self.method(v, self.names.__repr__)? else {
            return self.repr_as(v, Type::Object);
        };
        self.call_with_row(f, args, &REPR_ROW)
    }

    /// `str(v)`.
    pub fn str_value<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        match self.exact_type(v) {
            Some(Type::Str) => return Ok(v),
            Some(t) if str_is_repr(t) => return self.repr(v),
            _ => {}
        }
        let f = self.class_lookup(self.class_of(v), self.names.__str__);
        let owner = f.and_then(|f| f.get::<Native>()).map(|n| self.word_value(n.owner.get()));
        match owner.and_then(|o| o.get::<Class>()) {
            None if f.is_none() => self.repr(v),
            Some(c) if std::ptr::eq(c, self.class(Type::Object)) => self.repr(v),
            Some(c) if std::ptr::eq(c, self.class(Type::Str)) => self.plain_str(v),
            _ => match self.method(v, self.names.__str__)? {
                Some((f, args)) => self.call_with_row(f, args, &STR_ROW),
                None => self.repr(v),
            },
        }
    }

    /// The text of an instance of `str` or a subclass, as an exact `str`.
    pub(crate) fn plain_str<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        match v.get::<Str>() {
            Some(s) if !s.is_exact() => self.str_bytes(s.bytes()),
            _ => Ok(v),
        }
    }

    /// `ascii(v)`.
    pub fn ascii<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        match self.repr(v) {
            Ok(s) => self.escape_non_ascii(s),
            Err(e) => Err(self.then_row(e, &ASCII_ROW)),
        }
    }

    fn escape_non_ascii<'v>(&'v self, v: Value<'v>) -> NResult<'v> {
        let Some(s) = v.get::<Str>().filter(|s| !s.is_ascii()) else { return Ok(v) };
        let mut out = Vec::new();
        self.reserve(&mut out, s.bytes().len())?;
        for cp in crate::text::wtf8::code_points(s.bytes()) {
            match u8::try_from(cp) {
                Ok(b) if b < 0x80 => out.push(b),
                _ => crate::text::repr::escape(&mut out, cp),
            }
        }
        self.str_owned(out)
    }

    /// Appends `repr(v)` if that runs no script code; `false`, with `out` as it was, otherwise.
    pub fn repr_into<'v>(&'v self, out: &mut Vec<u8>, v: Value<'v>) -> Result<bool, Exit<'v>> {
        if let Some(t) = self.own_repr(v) {
            return self.repr_as_leaf(out, v, t);
        }
        self.append_result(out, self.repr(v))
    }

    /// Appends `str(v)` if that runs no script code; `false`, with `out` as it was, otherwise.
    pub fn str_into<'v>(&'v self, out: &mut Vec<u8>, v: Value<'v>) -> Result<bool, Exit<'v>> {
        match self.exact_type(v) {
            Some(Type::Str) => {
                out.extend_from_slice(v.get::<Str>().map_or(b"", |s| s.bytes()));
                Ok(true)
            }
            Some(t) if str_is_repr(t) => self.repr_into(out, v),
            _ => self.append_result(out, self.str_value(v)),
        }
    }

    fn append_result<'v>(&'v self, out: &mut Vec<u8>, r: NResult<'v>) -> Result<bool, Exit<'v>> {
        match r {
            Ok(v) => {
                out.extend_from_slice(v.get::<Str>().map_or(b"", |s| s.bytes()));
                Ok(true)
            }
            Err(Exit::Do(_)) => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Calls a special method; `row` (without state) goes on with its result.
    pub(crate) fn call_with_row<'v>(
        &'v self,
        f: Value<'v>,
        args: Vec<Value<'v>>,
        row: &'static Row,
    ) -> NResult<'v> {
        match self.call_leaf(f, &args) {
            Some(Ok(v)) => (row.resume)(self, &[], Answer::Value(v)),
            Some(Err(e)) => Err(self.then_row(e, row)),
            None => Err(Exit::call(f, args, row, Vec::new())),
        }
    }

    fn expect_str<'v>(&'v self, v: Value<'v>, message: &str) -> NResult<'v> {
        match v.is_a::<Str>() {
            true => Ok(v),
            false => Err(self.type_error(format!("{message}{})", self.type_name(v)))),
        }
    }

    /// `format(v, spec)`.
    pub fn format_value<'v>(&'v self, v: Value<'v>, spec: Value<'v>) -> NResult<'v> {
        let Some(s) = spec.get::<Str>() else {
            return Err(self.type_error(format!(
                "Format specifier must be a string, not {}",
                self.type_name(spec)
            )));
        };
        if let Some(r) = self.format_exact(v, s.bytes()) {
            return r;
        }
        match self.method(v, self.names.__format__)? {
            Some((f, mut args)) => {
                args.push(spec);
                self.call_with_row(f, args, &FORMAT_ROW)
            }
            None => {
                Err(self
                    .type_error(format!("Type {} doesn't define __format__", self.type_name(v))))
            }
        }
    }

    /// `format(conv(v), '')`; conversion 0 none, 1 str, 2 repr, 3 ascii.
    pub(crate) fn format_plain<'v>(&'v self, v: Value<'v>, conversion: usize) -> NResult<'v> {
        match conversion {
            0 | 1 if v.as_small().is_some() => Ok(self.small_int_str(v.as_small().unwrap_or(0))),
            0 if self.exact_type(v) == Some(Type::Str) => Ok(v),
            0 => self.format_value(v, crate::object::read(&self.empty_str)),
            _ => self.convert(v, conversion),
        }
    }

    /// `str(n)` of a small int.
    pub(crate) fn small_int_str(&self, n: i64) -> Value<'_> {
        let mut text = [0; 20];
        let mut at = put_digits(&mut text, n.unsigned_abs());
        if n < 0 {
            at -= 1;
            text[at] = b'-';
        }
        self.ascii_str(&text[at..])
    }

    /// A small int, padded on the left to a width below 100 with blanks, or with zeros that go
    /// between its sign and its digits.
    pub(crate) fn padded_int(&self, n: i64, width: usize, fill: u8) -> Value<'_> {
        let mut text = [fill; 128];
        let mut at = put_digits(&mut text, n.unsigned_abs());
        let first = text.len() - width.min(100);
        if fill == b'0' {
            at = at.min(first + usize::from(n < 0));
        }
        if n < 0 {
            at -= 1;
            text[at] = b'-';
        }
        self.ascii_str(&text[at.min(first)..])
    }

    /// `str(v)`, `repr(v)` or `ascii(v)` by conversion 1, 2, 3.
    pub(crate) fn convert<'v>(&'v self, v: Value<'v>, conversion: usize) -> NResult<'v> {
        match conversion {
            1 => self.str_value(v),
            2 => self.repr(v),
            3 => self.ascii(v),
            _ => Ok(v),
        }
    }

    /// Strings joined: the end of an f-string.
    pub(crate) fn join_strings<'v>(&'v self, parts: &[Value<'v>]) -> NResult<'v> {
        let strings = parts.iter().filter_map(|p| p.get::<Str>());
        let mut near: [&[u8]; 8] = [&[]; 8];
        if parts.len() <= near.len() {
            let (mut len, mut chars) = (0, 0);
            for (place, s) in near.iter_mut().zip(strings) {
                *place = s.bytes();
                len += s.bytes().len();
                chars += s.char_len();
            }
            if len <= 1 {
                return self.str_parts(&near);
            }
            return self.new_str(Type::Str.shape(), &near[..parts.len()], len, chars);
        }
        let texts = strings.map(Str::bytes);
        self.str_parts(&texts.collect::<Vec<_>>())
    }

    /// Prints the value of an interactive expression and keeps it as `_`.
    pub(crate) fn print_expression<'v>(&'v self, v: Value<'v>) -> Result<(), Exit<'v>> {
        if v.is_none() {
            return Ok(());
        }
        self.dict_set_name(self.builtins(), self.intern("_"), v)?;
        let file = self.replaced_stdout();
        let mut out = Vec::new();
        if file.is_none() && self.repr_into(&mut out, v)? {
            out.push(b'\n');
            return self.write_out(&out);
        }
        let file = file.unwrap_or(Value::NONE);
        Err(self.prelude_tail("text", "print_expression", &[v, file]))
    }
}
