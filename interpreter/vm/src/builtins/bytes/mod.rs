//! `bytes`, and what it shares with `bytearray`: a method works on either, and what it makes is
//! of the type of its receiver.

mod array;
mod change;
mod search;

pub(crate) use change::hex_text;

use crate::Vm;
use crate::builtins::Type;
use crate::builtins::range::{COMPARE, CONTAINS, HASH, ITERABLE};
use crate::builtins::str::{collected, def, items_or};
use crate::native::{Answer, Exit, NResult, NativeDef, Role, Row};
use crate::object::text::{ByteArray, Bytes, Str};
use crate::object::view::{Data, MemoryView, data_of};
use crate::value::Value;

/// Rows that both types have.
const SHARED: &[NativeDef] = &[
    def!(
        "__len__",
        "self, /",
        |vm, args| Ok(Value::len(data(vm, args[0])?.len())),
        "Return len(self)."
    ),
    def!(
        "__getitem__",
        "self, key, /",
        |vm, args| vm.builtin_getitem(args[0], args[1]),
        "Return self[key]."
    ),
    def!(
        "__add__",
        "self, value, /",
        |vm, args| vm.bytes_concat(args[0], args[1]),
        "Return self+value."
    ),
    def!("__mul__", "self, value, /", mul, "Return self*value."),
    def!("__rmul__", "self, value, /", mul, "Return value*self."),
    def!(
        "__mod__",
        "self, value, /",
        |vm, args| vm.percent_format(args[0], args[1]),
        "Return self%value."
    ),
    def!(
        "__rmod__",
        "self, value, /",
        // Each of the two kinds formats only itself.
        |vm, args| match args[1].is_a::<Bytes>() == args[0].is_a::<Bytes>()
            && args[1].is_a::<ByteArray>() == args[0].is_a::<ByteArray>()
        {
            true => vm.percent_format(args[1], args[0]),
            false => Ok(Value::NOT_IMPLEMENTED),
        },
        "Return value%self."
    ),
];

/// Rows of `bytes` alone.
const BYTES: &[NativeDef] = &[
    def!(
        "__new__",
        "cls, /, source=b'', encoding='', errors=''",
        new,
        "Construct an immutable array of bytes."
    )
    .role(Role::Static),
    def!("__bytes__", "self, /", |vm, args| exact(vm, args[0]), "Convert this value to bytes."),
    def!(
        "__getnewargs__",
        "self, /",
        |vm, args| {
            let b = exact(vm, args[0])?;
            vm.tuple(&[b])
        },
        ""
    ),
];

/// The tables of `bytes`.
pub(crate) const TABLES: &[&[NativeDef]] =
    &[BYTES, SHARED, COMPARE, CONTAINS, HASH, ITERABLE, search::METHODS, change::METHODS];
/// The tables of `bytearray`.
pub(crate) const ARRAY_TABLES: &[&[NativeDef]] =
    &[array::METHODS, SHARED, COMPARE, CONTAINS, ITERABLE, search::METHODS, change::METHODS];

/// The bytes of an object that must have some.
pub(crate) fn data<'v>(vm: &'v Vm, v: Value<'v>) -> Result<Data<'v>, Exit<'v>> {
    vm.buffer(v).ok_or_else(|| {
        vm.type_error(format!("a bytes-like object is required, not '{}'", vm.type_name(v)))
    })
}

/// A new object of the type of `like`.
pub(crate) fn make<'v>(vm: &'v Vm, like: Value<'v>, bytes: Vec<u8>) -> NResult<'v> {
    match like.is_a::<ByteArray>() {
        true => vm.bytearray(Type::ByteArray.shape(), bytes),
        false => vm.bytes_owned(bytes),
    }
}

/// A copy of `part` as an object of the type of `like`; `like` itself if that cannot be told.
pub(crate) fn slice_of<'v>(vm: &'v Vm, like: Value<'v>, part: &[u8]) -> NResult<'v> {
    if vm.exact_type(like) == Some(Type::Bytes)
        && like.get::<Bytes>().is_some_and(|b| b.bytes().len() == part.len())
    {
        return Ok(like);
    }
    vm.check(part.len())?;
    make(vm, like, part.to_vec())
}

fn exact<'v>(vm: &'v Vm, v: Value<'v>) -> NResult<'v> {
    match (vm.exact_type(v), v.get::<Bytes>()) {
        (None, Some(b)) => vm.bytes(b.bytes()),
        _ => Ok(v),
    }
}

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let shape = vm.shape_for_new(args[0], Type::Bytes)?;
    let source = args[1];
    if args[2].is_empty() && args[3].is_empty() && !source.is_empty() {
        if shape == Type::Bytes.shape() && vm.exact_type(source) == Some(Type::Bytes) {
            return Ok(source);
        }
        if let Some((f, bound)) = vm.method(source, vm.names.__bytes__)? {
            return Err(Exit::call(f, bound, &BYTES_ROW, vec![args[0]]));
        }
    }
    let bytes = vm.bytes_source(&args[1..4], &NEW_ROW, vec![args[0]], "bytes")?;
    vm.charge(bytes.len())?;
    Ok(vm.new_bytes(shape, bytes))
}

/// After the items of the source were collected.
static NEW_ROW: Row = Row {
    name: "bytes_new",
    catches: false,
    resume: |vm, state, answer| {
        let shape = vm.shape_for_new(state[0], Type::Bytes)?;
        let bytes = vm.bytes_of_items(&collected(answer)?, "bytes", &NEW_ROW, state.to_vec())?;
        vm.charge(bytes.len())?;
        Ok(vm.new_bytes(shape, bytes))
    },
};

/// After `__bytes__`.
static BYTES_ROW: Row = Row {
    name: "bytes_dunder",
    catches: false,
    resume: |vm, state, answer: Answer<'_>| {
        let v = answer.value()?;
        let Some(b) = v.get::<Bytes>() else {
            return Err(
                vm.type_error(format!("__bytes__ returned non-bytes (type {})", vm.type_name(v)))
            );
        };
        let shape = vm.shape_for_new(state[0], Type::Bytes)?;
        if shape == Type::Bytes.shape() {
            return Ok(v);
        }
        vm.charge(b.bytes().len())?;
        Ok(vm.new_bytes(shape, b.bytes().to_vec()))
    },
};

impl Vm {
    /// The bytes of a bytes-like object.
    pub(crate) fn buffer<'v>(&'v self, v: Value<'v>) -> Option<Data<'v>> {
        data_of(v)
    }

    /// A copy of the bytes of a bytes-like object.
    pub fn buffer_copy<'v>(&'v self, v: Value<'v>) -> Result<Option<Vec<u8>>, Exit<'v>> {
        if let Some(m) = v.get::<MemoryView>() {
            self.check(m.layout.byte_len())?;
            return m.copy().map(Some).ok_or_else(|| self.memory_released());
        }
        let Some(b) = self.buffer(v) else { return Ok(None) };
        self.check(b.len())?;
        Ok(Some(b.to_vec()))
    }

    /// The bytes that `bytes(source, encoding, errors)` consists of. If items must be collected,
    /// `row` goes on with the list.
    pub(crate) fn bytes_source<'v>(
        &'v self,
        args: &[Value<'v>],
        row: &'static Row,
        state: Vec<Value<'v>>,
        name: &str,
    ) -> Result<Vec<u8>, Exit<'v>> {
        let (source, encoding, errors) = (args[0], args[1], args[2]);
        if source.is_a::<Str>() {
            if encoding.is_empty() {
                return Err(self.type_error("string argument without an encoding"));
            }
            let what = format!("{name}() argument 'encoding'");
            let encoding = self.text_arg(encoding, &what, "utf-8")?;
            let errors = self.text_arg(errors, &format!("{name}() argument 'errors'"), "strict")?;
            let v = self.encode(source, &encoding, &errors)?;
            return Ok(v.get::<Bytes>().map_or_else(Vec::new, |b| b.bytes().to_vec()));
        }
        if !encoding.is_empty() || !errors.is_empty() {
            let what = if encoding.is_empty() { "errors" } else { "encoding" };
            return Err(self.type_error(format!("{what} without a string argument")));
        }
        if source.is_empty() {
            return Ok(Vec::new());
        }
        match self.as_index_i64(source) {
            Some(Ok(n)) => {
                let n = usize::try_from(n).map_err(|_| self.value_error("negative count"))?;
                self.check(n)?;
                // Asked for first, and given back: the zeros of the system are not written one by
                // one, but who wants them where there are none is aborted.
                let mut room = Vec::<u8>::new();
                room.try_reserve_exact(n).map_err(|_| self.memory_error())?;
                drop(room);
                return Ok(vec![0; n]);
            }
            Some(Err(())) => {
                return Err(self.overflow_error("cannot fit 'int' into an index-sized integer"));
            }
            None if self.class_lookup(self.class_of(source), self.names.__index__).is_some() => {
                let f = self.prelude("seq", "count_or_items")?;
                let message =
                    format!("cannot convert '{}' object to {name}", self.type_name(source));
                let args = vec![source, self.str(&message)?];
                return Err(Exit::call(f, args, row, state));
            }
            None => {}
        }
        if let Some(copy) = self.buffer_copy(source)? {
            return Ok(copy);
        }
        let message = format!("cannot convert '{}' object to {name}", self.type_name(source));
        let items = items_or(self, source, &message, row, state.clone())?;
        self.bytes_of_items(&items, name, row, state)
    }

    /// The bytes of a sequence of ints. If script code has to make ints of them, `row` goes on
    /// with the list.
    pub(crate) fn bytes_of_items<'v>(
        &'v self,
        items: &[Value<'v>],
        name: &str,
        row: &'static Row,
        state: Vec<Value<'v>>,
    ) -> Result<Vec<u8>, Exit<'v>> {
        let what = if name == "bytes" { "bytes" } else { "byte" };
        let mut out = Vec::with_capacity(items.len());
        for (i, v) in items.iter().enumerate() {
            match self.byte_of(*v, what) {
                Ok(b) => out.push(b),
                Err(Exit::Do(_)) => {
                    let ints = self.prelude("seq", "ints")?;
                    let list = self.list(items.to_vec())?;
                    return Err(Exit::call(ints, vec![list, Value::len(i)], row, state));
                }
                Err(e) => return Err(e),
            }
        }
        Ok(out)
    }

    /// An int in range(256).
    pub(crate) fn byte_of<'v>(&'v self, v: Value<'v>, what: &str) -> Result<u8, Exit<'v>> {
        match self.as_index_i64(v) {
            Some(n) => n
                .ok()
                .and_then(|n| u8::try_from(n).ok())
                .ok_or_else(|| self.value_error(format!("{what} must be in range(0, 256)"))),
            None => Err(self.not_an_integer(v)),
        }
    }

    /// `a + b`, where `a` is `bytes` or `bytearray`.
    pub(crate) fn bytes_concat<'v>(&'v self, a: Value<'v>, b: Value<'v>) -> NResult<'v> {
        let left = data(self, a)?;
        let Some(right) = self.buffer(b) else {
            return Err(self.type_error(format!(
                "can't concat {} to {}",
                self.type_name(b),
                self.type_name(a)
            )));
        };
        self.check(left.len() + right.len())?;
        self.ticks((left.len() + right.len()) / 512)?;
        let mut out = Vec::new();
        out.try_reserve_exact(left.len() + right.len()).map_err(|_| self.memory_error())?;
        out.extend_from_slice(&left);
        out.extend_from_slice(&right);
        make(self, a, out)
    }
}

fn mul<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let n = vm.repeat_arg(args[1])?;
    vm.repeat(args[0], n as i64).unwrap_or(Ok(Value::NOT_IMPLEMENTED))
}
