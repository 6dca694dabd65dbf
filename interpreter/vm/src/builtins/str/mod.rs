//! `str`: its constructor, operators and the table of its methods.

mod change;
pub(crate) mod percent;
mod search;
mod template;

use crate::Vm;
use crate::builtins::Type;
use crate::builtins::range::{COMPARE, CONTAINS, HASH, ITERABLE};
use crate::native::{Answer, Exit, NResult, NativeDef, Role, Row};
use crate::object::seq::List;
use crate::object::text::{ByteArray, Bytes, Str};
use crate::text::codec::{self, CodecError};
use crate::value::Value;

pub(crate) use change::tab_size;
pub(crate) use template::INTERNAL;

macro_rules! def {
    ($name:literal, $sig:literal, $func:expr, $doc:literal) => {
        NativeDef::new($name, $sig, $func, $doc)
    };
}
pub(crate) use def;

/// The rows.
const METHODS: &[NativeDef] = &[
    def!(
        "__new__",
        "cls, /, object='', encoding='utf-8', errors='strict'",
        new,
        "Create a new string object."
    )
    .role(Role::Static),
    def!(
        "__len__",
        "self, /",
        |vm, args| me(vm, args[0]).map(|s| Value::len(s.char_len())),
        "Return len(self)."
    ),
    def!(
        "__getitem__",
        "self, key, /",
        |vm, args| vm.builtin_getitem(args[0], args[1]),
        "Return self[key]."
    ),
    def!("__add__", "self, value, /", add, "Return self+value."),
    def!("__mul__", "self, value, /", mul, "Return self*value."),
    def!("__rmul__", "self, value, /", mul, "Return value*self."),
    def!(
        "__mod__",
        "self, value, /",
        |vm, args| vm.percent_format(args[0], args[1]),
        "Return self%value."
    ),
    def!("__rmod__", "self, value, /", rmod, "Return value%self."),
    def!("__getnewargs__", "self, /", getnewargs, ""),
    def!("__sizeof__", "self, /", sizeof, "Return the size of the string in memory, in bytes."),
];

/// The tables of `str`.
pub(crate) const TABLES: &[&[NativeDef]] = &[
    METHODS,
    COMPARE,
    CONTAINS,
    HASH,
    ITERABLE,
    search::METHODS,
    change::METHODS,
    template::METHODS,
];

/// The receiver.
pub(crate) fn me<'v>(vm: &'v Vm, v: Value<'v>) -> Result<&'v Str, Exit<'v>> {
    v.get::<Str>().ok_or_else(|| {
        vm.type_error(format!(
            "descriptor requires a 'str' object but received a '{}'",
            vm.type_name(v)
        ))
    })
}

/// After the `__str__` of what a subclass of `str` is made of.
static SUBCLASS_ROW: Row = Row {
    name: "str_subclass",
    catches: false,
    resume: |vm, state, answer: Answer<'_>| of_class(vm, state[0], answer.value()?),
};

fn new<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (cls, object, encoding, errors) = (args[0], args[1], args[2], args[3]);
    if encoding.is_empty() && errors.is_empty() && cls.is(vm.class_value(Type::Str)) {
        if let Some(n) = object.as_small() {
            return Ok(vm.small_int_str(n));
        }
        if vm.exact_type(object) == Some(Type::Str) {
            return Ok(object);
        }
    }
    vm.shape_for_new(cls, Type::Str)?;
    if object.is_empty() {
        return of_class(vm, cls, vm.str("")?);
    }
    if !encoding.is_empty() || !errors.is_empty() {
        let encoding = vm.text_arg(encoding, "str() argument 'encoding'", "utf-8")?;
        let errors = vm.text_arg(errors, "str() argument 'errors'", "strict")?;
        if object.is_a::<Str>() {
            return Err(vm.type_error("decoding str is not supported"));
        }
        if vm.buffer(object).is_some_and(|data| data.is_empty()) {
            return of_class(vm, cls, vm.str("")?);
        }
        let decoded = match (object.get::<Bytes>(), object.get::<ByteArray>()) {
            (Some(b), _) => vm.decode(object, b.bytes(), &encoding, &errors),
            (_, Some(b)) => vm.decode(object, &b.bytes().clone(), &encoding, &errors),
            _ => match vm.buffer_copy(object)? {
                Some(data) => vm.decode(object, &data, &encoding, &errors),
                None => Err(vm.type_error(format!(
                    "decoding to str: need a bytes-like object, {} found",
                    vm.type_name(object)
                ))),
            },
        };
        return of_class(vm, cls, decoded?);
    }
    if cls.is(vm.class_value(Type::Str)) {
        return vm.str_value(object);
    }
    match vm.str_value(object) {
        Ok(s) => of_class(vm, cls, s),
        Err(Exit::Do(_)) => {
            Err(Exit::call(vm.class_value(Type::Str), vec![object], &SUBCLASS_ROW, vec![cls]))
        }
        Err(e) => Err(e),
    }
}

/// The string as an instance of `cls`.
fn of_class<'v>(vm: &'v Vm, cls: Value<'v>, v: Value<'v>) -> NResult<'v> {
    let shape = vm.shape_for_new(cls, Type::Str)?;
    match v.get::<Str>() {
        Some(s) if shape != Type::Str.shape() => {
            vm.new_str(shape, &[s.bytes()], s.bytes().len(), s.char_len())
        }
        _ => Ok(v),
    }
}

impl Vm {
    /// `data.decode(encoding, errors)`; `object` is what the error names.
    pub(crate) fn decode<'v>(
        &'v self,
        object: Value<'v>,
        data: &[u8],
        encoding: &str,
        errors: &str,
    ) -> NResult<'v> {
        let encoding = self.encoding(encoding)?;
        self.check(data.len())?;
        self.with_handler(errors, |handler| match codec::decode(data, encoding, handler) {
            Ok(text) => self.str_bytes(&text),
            Err(e) => {
                let object = match &e {
                    CodecError::Coding(e) if e.skipped > 0 => self.bytes(&data[e.skipped..])?,
                    _ if object.is_a::<Bytes>() => object,
                    _ => self.bytes(data)?,
                };
                Err(self.decode_error(object, e))
            }
        })
    }

    /// `s.join(items)`.
    pub(crate) fn str_join<'v>(&'v self, sep: &'v Str, items: &[Value<'v>]) -> NResult<'v> {
        if let [one] = items
            && self.exact_type(*one) == Some(Type::Str)
        {
            return Ok(*one);
        }
        let mut total = sep.bytes().len().saturating_mul(items.len().saturating_sub(1));
        for (i, v) in items.iter().enumerate() {
            let Some(s) = v.get::<Str>() else {
                return Err(self.type_error(format!(
                    "sequence item {i}: expected str instance, {} found",
                    self.type_name(*v)
                )));
            };
            total = total.saturating_add(s.bytes().len());
            self.tick_at(i)?;
        }
        self.check(total)?;
        let mut out = Vec::new();
        out.try_reserve_exact(total).map_err(|_| self.memory_error())?;
        for (i, s) in items.iter().filter_map(|v| v.get::<Str>()).enumerate() {
            if i > 0 {
                out.extend_from_slice(sep.bytes());
            }
            out.extend_from_slice(s.bytes());
            self.ticks(1 + (sep.bytes().len() + s.bytes().len()) / 512)?;
        }
        self.str_owned(out)
    }
}

fn add<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match args[1].get::<Str>() {
        Some(b) => vm.concat(me(vm, args[0])?, b),
        None => Err(vm.type_error(format!(
            "can only concatenate str (not \"{}\") to str",
            vm.type_name(args[1])
        ))),
    }
}

fn mul<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let n = vm.repeat_arg(args[1])?;
    vm.repeat(args[0], n as i64).unwrap_or(Ok(Value::NOT_IMPLEMENTED))
}

fn rmod<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match args[1].is_a::<Str>() {
        true => vm.percent_format(args[1], args[0]),
        false => Ok(Value::NOT_IMPLEMENTED),
    }
}

fn getnewargs<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    // Another object, so that what is pickled is not taken for the text itself.
    let s = vm.str_bytes(me(vm, args[0])?.bytes())?;
    vm.tuple(&[s])
}

fn sizeof<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let s = me(vm, args[0])?;
    Ok(Value::len(s.bytes().len() + std::mem::size_of::<Str>()))
}

/// The items of an iterable argument for `row`, which gets them as a list; `Ok` if they are at
/// hand already. Where `iter` fails with a TypeError, that says `message`.
pub(crate) fn items_or<'v>(
    vm: &'v Vm,
    iterable: Value<'v>,
    message: &str,
    row: &'static Row,
    state: Vec<Value<'v>>,
) -> Result<Vec<Value<'v>>, Exit<'v>> {
    if !is_iterable(vm, iterable) {
        return Err(vm.type_error(message));
    }
    match vm.items_leaf(iterable)? {
        Some(items) => Ok(items),
        None => {
            let args = vec![iterable, vm.str(message)?];
            Err(Exit::call(vm.prelude("seq", "collect_or")?, args, row, state))
        }
    }
}

/// The items of the list that `collect` made.
pub(crate) fn collected<'v>(answer: Answer<'v>) -> Result<Vec<Value<'v>>, Exit<'v>> {
    Ok(answer.value()?.get::<List>().map_or_else(Vec::new, |l| l.to_vec()))
}

/// Whether `iter(v)` has a chance.
pub(crate) fn is_iterable(vm: &Vm, v: Value<'_>) -> bool {
    use crate::heap::Kind as K;
    if let Some(K::List | K::Tuple | K::Dict | K::Set | K::FrozenSet | K::Generator | K::DictView) =
        v.kind()
    {
        return true;
    }
    let class = vm.class_of(v);
    vm.class_lookup(class, vm.names.__iter__).is_some()
        || vm.class_lookup(class, vm.names.__getitem__).is_some()
}
