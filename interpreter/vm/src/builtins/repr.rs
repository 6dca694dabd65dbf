//! What `repr` shows of the builtin types.
//!
//! [`expand`] says what a single object shows: text, or texts with objects in between. The walk
//! over nested containers is iterative ([`Vm::repr_as_leaf`]) and runs no script code. When it
//! meets an object with a script `__repr__`, the prelude function `repr_slow` does the same walk
//! with calls: it gets the pieces of one object at a time from `repr_enter`.

use std::borrow::Cow;

use crate::Vm;
use crate::builtins::Type;
use crate::builtins::typevar::variance;
use crate::native::{Exit, NResult, NativeDef};
use crate::num::{complex, float, int_text};
use crate::object::class::{Class, class_flags};
use crate::object::exc::Exception;
use crate::object::func::{BoundMethod, CellObj, Code, Function, Native};
use crate::object::generator::Generator;
use crate::object::map::{Dict, Set};
use crate::object::num::{BigIntObj, Complex, Int64};
use crate::object::record::{
    ClassMethod, DictView, GenericAlias, MappingProxy, Member, Module, Record, StaticMethod, Super,
};
use crate::object::seq::{List, Range, Slice, Tuple};
use crate::object::text::{ByteArray, Bytes, Str};
use crate::object::view::MemoryView;
use crate::text::repr as text_repr;
use crate::value::{Value, ptr_of};

/// Deepest nesting that is shown; beyond it is a RecursionError.
const MAX_DEPTH: usize = 1500;

/// Whether a builtin type has a `__repr__` of its own.
pub(crate) fn has_own_repr(t: Type) -> bool {
    use Type as T;
    matches!(
        t,
        T::Object
            | T::Type
            | T::Int
            | T::Bool
            | T::Float
            | T::Complex
            | T::Str
            | T::Bytes
            | T::ByteArray
            | T::List
            | T::Tuple
            | T::Range
            | T::Slice
            | T::Dict
            | T::Set
            | T::FrozenSet
            | T::NoneType
            | T::EllipsisType
            | T::NotImplementedType
            | T::Function
            | T::Builtin
            | T::MethodDescriptor
            | T::WrapperDescriptor
            | T::MethodWrapper
            | T::ClassMethodDescriptor
            | T::Method
            | T::Cell
            | T::Code
            | T::Module
            | T::Generator
            | T::Coroutine
            | T::AsyncGenerator
            | T::StaticMethod
            | T::ClassMethod
            | T::Super
            | T::Member
            | T::GetSet
            | T::TupleGetter
            | T::DictKeys
            | T::DictValues
            | T::DictItems
            | T::MappingProxy
            | T::GenericAlias
            | T::Union
            | T::Frame
            | T::TypeVar
            | T::ParamSpec
            | T::TypeVarTuple
            | T::TypeAlias
            | T::SimpleNamespace
            | T::MemoryView
            | T::BaseException
    )
}

/// The `__repr__` row of a builtin type, if it has one of its own.
pub(crate) fn row(t: Type) -> Option<&'static NativeDef> {
    macro_rules! rows {
        ($($t:ident)*) => {
            match t {
                $(Type::$t => {
                    static ROW: NativeDef = NativeDef::new(
                        "__repr__",
                        "self, /",
                        |vm, args| vm.repr_as(args[0], Type::$t),
                        "Return repr(self).",
                    );
                    Some(&ROW)
                })*
                _ => None,
            }
        };
    }
    rows! {
        Object Type Int Bool Float Complex Str Bytes ByteArray List Tuple Range Slice Dict Set
        FrozenSet NoneType EllipsisType NotImplementedType Function Builtin MethodDescriptor
        WrapperDescriptor MethodWrapper ClassMethodDescriptor Method Cell Code Module Generator
        Coroutine AsyncGenerator StaticMethod ClassMethod Super Member GetSet TupleGetter DictKeys
        DictValues DictItems MappingProxy GenericAlias Union Frame TypeVar ParamSpec TypeVarTuple
        TypeAlias
        SimpleNamespace MemoryView BaseException
    }
}

/// Texts with objects in between.
pub(crate) struct Pieces<'v> {
    /// What is shown first.
    open: Vec<u8>,
    items: Vec<Value<'v>>,
    between: Between,
    close: Cow<'static, [u8]>,
    /// What stands for the object within itself; empty if it cannot contain itself.
    dots: Cow<'static, [u8]>,
}

/// What separates the items.
enum Between {
    Comma,
    /// Keys and values in turn.
    Pairs,
    /// A text of its own before each.
    Texts(Vec<Vec<u8>>),
}

impl<'v> Pieces<'v> {
    fn new(open: impl Into<Vec<u8>>, items: Vec<Value<'v>>, close: &'static str) -> Pieces<'v> {
        let (close, dots) = (Cow::Borrowed(close.as_bytes()), Cow::Borrowed(&b""[..]));
        Pieces { open: open.into(), items, between: Between::Comma, close, dots }
    }

    fn dots(mut self, dots: &'static str) -> Pieces<'v> {
        self.dots = Cow::Borrowed(dots.as_bytes());
        self
    }

    /// What stands before item `i`, which is not the first text of all.
    fn before(&self, i: usize) -> &[u8] {
        match &self.between {
            Between::Texts(t) => t.get(i).map_or(b"", |t| t),
            _ if i == 0 => b"",
            Between::Pairs if i % 2 == 1 => b": ",
            _ => b", ",
        }
    }
}

/// What an object shows.
pub(crate) enum Shown<'v> {
    /// The text was appended.
    Done,
    /// These pieces.
    Pieces(Box<Pieces<'v>>),
}

/// A container that is being shown.
struct Level<'v> {
    object: Value<'v>,
    pieces: Box<Pieces<'v>>,
    at: usize,
}

impl Vm {
    /// Appends what `t.__repr__(v)` shows, if that runs no script code; otherwise returns `false`
    /// with `out` as it was.
    pub(crate) fn repr_as_leaf<'v>(
        &'v self,
        out: &mut Vec<u8>,
        v: Value<'v>,
        t: Type,
    ) -> Result<bool, Exit<'v>> {
        let start = out.len();
        let mut levels: Vec<Level<'v>> = Vec::new();
        let mut next = Some((v, t));
        let mut checked = start + 4096;
        loop {
            if out.len() > checked {
                self.check(out.len())?;
                checked = out.len() * 2;
            }
            #[allow(clippy::collapsible_if)] // `expand` writes to `out` whatever it gives
            if let Some((v, t)) = next.take() {
                if let Shown::Pieces(pieces) = expand(self, out, v, t)? {
                    let guarded = !pieces.dots.is_empty();
                    if guarded
                        && (levels.iter().any(|l| l.object.is(v))
                            || self.repr_active.borrow().contains(&v.word()))
                    {
                        out.extend_from_slice(&pieces.dots);
                    } else {
                        if levels.len() >= MAX_DEPTH {
                            return Err(self.repr_too_deep());
                        }
                        out.extend_from_slice(&pieces.open);
                        levels.push(Level { object: v, pieces, at: 0 });
                    }
                }
            }
            let Some(level) = levels.last_mut() else { return Ok(true) };
            self.tick()?;
            let Some(&item) = level.pieces.items.get(level.at) else {
                out.extend_from_slice(&level.pieces.close);
                levels.pop();
                continue;
            };
            out.extend_from_slice(level.pieces.before(level.at));
            level.at += 1;
            match self.own_repr(item) {
                Some(t) => next = Some((item, t)),
                None => {
                    let Some(s) = self.native_repr(item)? else {
                        out.truncate(start);
                        return Ok(false);
                    };
                    out.extend_from_slice(s.bytes());
                }
            }
        }
    }

    fn repr_too_deep(&self) -> Exit<'_> {
        self.err(
            Type::RecursionError,
            "maximum recursion depth exceeded while getting the repr of an object",
        )
    }

    /// The result of a native `__repr__` that is not one of this file, if it needs no call.
    fn native_repr<'v>(&'v self, v: Value<'v>) -> Result<Option<&'v Str>, Exit<'v>> {
        let Some((f, args)) = self.method(v, self.names.__repr__)? else { return Ok(None) };
        match self.call_leaf(f, &args) {
            Some(Ok(s)) => Ok(s.get::<Str>()),
            Some(Err(Exit::Raise(e))) => Err(Exit::Raise(e)),
            _ => Ok(None),
        }
    }

    /// The type whose `__repr__` of this file is that of `v`; `None` if it is another function.
    pub(crate) fn own_repr(&self, v: Value<'_>) -> Option<Type> {
        if let Some(mut t) = self.exact_type(v) {
            while !has_own_repr(t) {
                t = t.base();
            }
            return Some(t);
        }
        let f = self.class_lookup(self.class_of(v), self.names.__repr__)?;
        let owner = self.word_value(f.get::<Native>()?.owner.get());
        let class = owner.get::<Class>()?;
        let t = *Type::ALL.get(class.native_type.get() as usize)?;
        (self.class_value(t).is(owner) && has_own_repr(t)).then_some(t)
    }

    /// `t.__repr__(v)`.
    pub(crate) fn repr_as<'v>(&'v self, v: Value<'v>, t: Type) -> NResult<'v> {
        let mut out = Vec::new();
        if self.repr_as_leaf(&mut out, v, t)? {
            return self.str_owned(out);
        }
        Err(self.prelude_tail("text", "repr_slow", &[v, Value::int32(t as i32)]))
    }

    /// A class as `repr` of its instances names it: with its module unless that is `builtins`.
    pub fn class_label(&self, c: &Class) -> String {
        let qualname = crate::object::read(&c.qualname);
        let qualname = qualname.get::<Str>().map_or_else(|| c.name_str(), |s| s.to_display());
        let module =
            self.class_own(c, self.name_hash(self.names.__module__), self.names.__module__);
        match module.and_then(|m| m.get::<Str>()) {
            Some(m) if m.bytes() != b"builtins" => format!("{}.{qualname}", m.to_display()),
            Some(_) => qualname.into_owned(),
            None if c.has(class_flags::HEAP) => qualname.into_owned(),
            None => match Type::ALL.get(c.native_type.get() as usize) {
                Some(t) if t.module() != "builtins" => format!("{}.{qualname}", t.module()),
                _ => qualname.into_owned(),
            },
        }
    }

    /// `object.__repr__`.
    fn default_repr(&self, v: Value<'_>) -> String {
        format!("<{} object at {}>", self.class_label(self.class_of(v)), address(v))
    }
}

/// How `repr` shows where an object is.
pub(crate) fn address(v: Value<'_>) -> String {
    match v.header() {
        Some(_) => format!("{:#x}", ptr_of(v.word()) as usize),
        None => format!("{:#x}", v.word() & 0xFFFF_FFFF_FFFF),
    }
}

/// The number of an instance of `float` or a subclass.
pub(crate) fn float_of(v: Value<'_>) -> Option<f64> {
    v.as_float().or_else(|| v.get::<Record>()?.a().as_float())
}

fn text_of(v: Value<'_>) -> Cow<'_, str> {
    v.get::<Str>().map_or(Cow::Borrowed("?"), |s| s.to_display())
}

fn append_int<'v>(vm: &'v Vm, out: &mut Vec<u8>, v: Value<'v>) -> Result<(), Exit<'v>> {
    let put = |out: &mut Vec<u8>, n: i64| out.extend_from_slice(int_text::print_i64(n).as_bytes());
    if let Some(n) = v.as_small() {
        put(out, n);
    } else if let Some(b) = v.as_bool() {
        put(out, i64::from(b));
    } else if let Some(n) = v.get::<Int64>() {
        put(out, n.value);
    } else if let Some(n) = v.get::<BigIntObj>() {
        let max = vm.int_max_str_digits.get();
        let text = vm.polled(|poll| int_text::print(&n.value, max, poll))?;
        out.extend_from_slice(text.as_bytes());
    }
    Ok(())
}

/// Appends what `t.__repr__(v)` shows, or returns its pieces.
pub(crate) fn expand<'v>(
    vm: &'v Vm,
    out: &mut Vec<u8>,
    v: Value<'v>,
    t: Type,
) -> Result<Shown<'v>, Exit<'v>> {
    let alloc = |_| vm.memory_error();
    match t {
        Type::Int => append_int(vm, out, v)?,
        Type::Float => {
            let Some(x) = float_of(v) else { return Err(vm.type_error("not a float")) };
            out.extend_from_slice(float::repr(x).as_bytes());
        }
        Type::Bool => out.extend_from_slice(if v.is(Value::TRUE) { b"True" } else { b"False" }),
        Type::NoneType => out.extend_from_slice(b"None"),
        Type::EllipsisType => out.extend_from_slice(b"Ellipsis"),
        Type::NotImplementedType => out.extend_from_slice(b"NotImplemented"),
        Type::Complex => {
            let z = v.get::<Complex>().map_or((0.0, 0.0), |z| (z.re, z.im));
            let z = complex::Complex { re: z.0, im: z.1 };
            out.extend_from_slice(z.repr().as_bytes());
        }
        Type::Str => {
            let s = v.get::<Str>().map_or(&b""[..], |s| s.bytes());
            vm.ticks(s.len() / 32)?;
            text_repr::str_into(out, s, false).map_err(alloc)?;
        }
        Type::Bytes => {
            let s = v.get::<Bytes>().map_or(&b""[..], |s| s.bytes());
            text_repr::bytes_into(out, s).map_err(alloc)?;
        }
        Type::ByteArray => {
            let Some(b) = v.get::<ByteArray>() else { return Ok(Shown::Done) };
            out.extend_from_slice(vm.type_name(v).as_bytes());
            out.push(b'(');
            text_repr::bytearray_into(out, &b.bytes()).map_err(alloc)?;
            out.push(b')');
        }
        _ => {
            if let Some(pieces) = compound(vm, v, t)? {
                return Ok(Shown::Pieces(Box::new(pieces)));
            }
            out.extend_from_slice(plain(vm, v, t).as_bytes());
        }
    }
    Ok(Shown::Done)
}

/// The pieces of an object that shows others.
fn compound<'v>(vm: &'v Vm, v: Value<'v>, t: Type) -> Result<Option<Pieces<'v>>, Exit<'v>> {
    Ok(Some(match t {
        Type::List => {
            let items = v.get::<List>().map_or_else(Vec::new, |l| l.to_vec());
            Pieces::new("[", items, "]").dots("[...]")
        }
        Type::Tuple => {
            let items = v.get::<Tuple>().map_or_else(Vec::new, |t| t.items().to_vec());
            let close = if items.len() == 1 { ",)" } else { ")" };
            Pieces::new("(", items, close).dots("(...)")
        }
        Type::Dict => dict_pieces("{", v, "}").dots("{...}"),
        Type::Set | Type::FrozenSet => {
            let items = v.get::<Set>().map_or_else(Vec::new, Set::elements);
            if vm.exact_type(v) == Some(Type::Set) && !items.is_empty() {
                return Ok(Some(Pieces::new("{", items, "}").dots("set(...)")));
            }
            let name = vm.type_name(v);
            let brackets = if items.is_empty() { ("(", ")") } else { ("({", "})") };
            let mut p = Pieces::new(format!("{name}{}", brackets.0), items, brackets.1);
            p.dots = Cow::Owned(format!("{name}(...)").into_bytes());
            p
        }
        Type::Range => {
            let Some(r) = v.get::<Range>() else { return Ok(None) };
            let mut items = vec![r.start(), r.stop()];
            if r.step().as_small() != Some(1) {
                items.push(r.step());
            }
            Pieces::new("range(", items, ")")
        }
        Type::Slice => {
            let Some(s) = v.get::<Slice>() else { return Ok(None) };
            Pieces::new("slice(", vec![s.start(), s.stop(), s.step()], ")")
        }
        Type::DictKeys | Type::DictValues | Type::DictItems => dict_view(vm, v, t)?,
        Type::MappingProxy => {
            let Some(m) = v.get::<MappingProxy>() else { return Ok(None) };
            match m.mapping().get::<Class>() {
                Some(c) => {
                    let mut items = Vec::new();
                    for e in vm.class_ns(c).iter() {
                        items.extend([vm.word_value(e.key), vm.word_value(e.value)]);
                    }
                    let mut p = Pieces::new("mappingproxy({", items, "})");
                    p.between = Between::Pairs;
                    p
                }
                None => Pieces::new("mappingproxy(", vec![m.mapping()], ")"),
            }
        }
        Type::BaseException => {
            let items = v.get::<Exception>().map_or_else(Vec::new, |e| e.args().to_vec());
            Pieces::new(format!("{}(", vm.type_name(v)), items, ")")
        }
        Type::Method => {
            let Some(m) = v.get::<BoundMethod>() else { return Ok(None) };
            let f = vm.word_value(m.func.get());
            let name = match (f.get::<Function>(), f.get::<Native>()) {
                (Some(f), _) => vm.func_name(f),
                (_, Some(n)) => n.def.name.to_owned(),
                _ => [vm.names.__qualname__, vm.names.__name__]
                    .iter()
                    .filter_map(|name| vm.get_attr_raw(f, vm.word_value(*name)))
                    .find_map(|name| name.get::<Str>().map(|s| s.to_display().into_owned()))
                    .unwrap_or_else(|| "?".to_owned()),
            };
            let receiver = vm.word_value(m.receiver.get());
            Pieces::new(format!("<bound method {name} of "), vec![receiver], ">")
        }
        Type::StaticMethod => {
            let items = v.get::<StaticMethod>().map_or_else(Vec::new, |s| vec![s.func()]);
            Pieces::new("<staticmethod(", items, ")>")
        }
        Type::ClassMethod => {
            let items = v.get::<ClassMethod>().map_or_else(Vec::new, |s| vec![s.func()]);
            Pieces::new("<classmethod(", items, ")>")
        }
        Type::Module => match module_file(vm, v) {
            Some((name, file)) => Pieces::new(format!("<module '{name}' from "), vec![file], ">"),
            None => return Ok(None),
        },
        Type::SimpleNamespace => {
            let (names, items): (Vec<_>, Vec<_>) = vm.own_attrs(v).into_iter().unzip();
            let texts = names.iter().enumerate().map(|(i, n)| {
                let comma = if i == 0 { "" } else { ", " };
                format!("{comma}{}=", text_of(*n)).into_bytes()
            });
            let plain = std::ptr::eq(vm.class_of(v), vm.class(Type::SimpleNamespace));
            let name = if plain { "namespace".to_owned() } else { vm.type_name(v) };
            let mut p = Pieces::new(format!("{name}("), items, ")");
            p.between = Between::Texts(texts.collect());
            p.dots = Cow::Owned(format!("{name}(...)").into_bytes());
            p
        }
        Type::GenericAlias | Type::Union => {
            let Some(a) = v.get::<GenericAlias>() else { return Ok(None) };
            generic_pieces(vm, a)
        }
        _ => return Ok(None),
    }))
}

fn dict_pieces<'v>(open: &str, v: Value<'v>, close: &'static str) -> Pieces<'v> {
    let entries = v.get::<Dict>().map_or_else(Vec::new, Dict::entries);
    let items = entries.into_iter().flat_map(|(k, v)| [k, v]).collect();
    let mut p = Pieces::new(open, items, close);
    p.between = Between::Pairs;
    p
}

fn dict_view<'v>(vm: &'v Vm, v: Value<'v>, t: Type) -> Result<Pieces<'v>, Exit<'v>> {
    let dict = v.get::<DictView>().and_then(|d| d.dict().get::<Dict>());
    let mut items = Vec::new();
    for (k, v) in dict.map_or_else(Vec::new, Dict::entries) {
        items.push(match t {
            Type::DictKeys => k,
            Type::DictValues => v,
            _ => vm.tuple(&[k, v])?,
        });
    }
    Ok(Pieces::new(format!("{}([", t.name()), items, "])").dots("..."))
}

/// `list[int]`, `int | None`: classes by name, other arguments by their `repr`.
fn generic_pieces<'v>(vm: &'v Vm, a: &'v GenericAlias) -> Pieces<'v> {
    let is_union = a.origin().is_empty();
    let args = a.args().get::<Tuple>().map_or(&[][..], |t| t.items());
    let (mut items, mut texts, mut text) = (Vec::new(), Vec::new(), Vec::new());
    let show = |text: &mut Vec<u8>, v: Value<'v>| -> bool {
        let shown = match v.get::<Class>() {
            Some(c) if is_union && vm.class_value(Type::NoneType).is(Value::object(c)) => {
                "None".to_owned()
            }
            Some(c) => vm.class_label(c),
            None if v.is(Value::ELLIPSIS) => "...".to_owned(),
            None => return false,
        };
        text.extend_from_slice(shown.as_bytes());
        true
    };
    let mut put = |text: &mut Vec<u8>, v: Value<'v>| {
        if !show(text, v) {
            texts.push(std::mem::take(text));
            items.push(v);
        }
    };
    if !is_union {
        if a.starred().is(Value::TRUE) {
            text.push(b'*');
        }
        put(&mut text, a.origin());
        text.push(b'[');
    }
    for (i, arg) in args.iter().enumerate() {
        if i > 0 {
            text.extend_from_slice(if is_union { b" | " } else { b", " });
        }
        let inner = match (arg.get::<List>(), arg.get::<Tuple>()) {
            _ if is_union => None,
            (Some(list), _) => Some(list.to_vec()),
            (_, Some(tuple)) => Some(tuple.items().to_vec()),
            _ => None,
        };
        match inner {
            Some(inner) => {
                text.push(b'[');
                for (j, v) in inner.into_iter().enumerate() {
                    if j > 0 {
                        text.extend_from_slice(b", ");
                    }
                    put(&mut text, v);
                }
                text.push(b']');
            }
            None => put(&mut text, *arg),
        }
    }
    if !is_union {
        text.extend_from_slice(if args.is_empty() { b"()]" } else { b"]" });
    }
    let mut p = Pieces::new("", items, "");
    p.between = Between::Texts(texts);
    p.close = Cow::Owned(text);
    p
}

fn module_name(vm: &Vm, v: Value<'_>, key: u64) -> Option<String> {
    let d = v.get::<Module>()?.dict();
    let name = vm.dict_get_name(d.get::<Dict>()?, vm.word_value(key))?;
    name.get::<Str>().map(|s| s.to_display().into_owned())
}

fn module_file<'v>(vm: &'v Vm, v: Value<'v>) -> Option<(String, Value<'v>)> {
    let name = module_name(vm, v, vm.names.__name__)?;
    let d = v.get::<Module>()?.dict().get::<Dict>()?;
    let file = vm.dict_get_name(d, vm.word_value(vm.names.__file__))?;
    file.is_a::<Str>().then_some((name, file))
}

/// What objects show that show no others.
fn plain(vm: &Vm, v: Value<'_>, t: Type) -> String {
    let at = || address(v);
    match t {
        Type::Type => match v.get::<Class>() {
            Some(c) => format!("<class '{}'>", vm.class_label(c)),
            None => vm.default_repr(v),
        },
        Type::Function => match v.get::<Function>() {
            Some(f) => format!("<function {} at {}>", vm.func_name(f), at()),
            None => vm.default_repr(v),
        },
        Type::Builtin
        | Type::MethodDescriptor
        | Type::WrapperDescriptor
        | Type::MethodWrapper
        | Type::ClassMethodDescriptor => native_text(vm, v),
        Type::Generator | Type::Coroutine | Type::AsyncGenerator => {
            let name =
                v.get::<Generator>().map_or(Value::NONE, |g| vm.word_value(g.qualname.get()));
            format!("<{} object {} at {}>", t.name(), text_of(name), at())
        }
        Type::Cell => match v.get::<CellObj>().map(|c| vm.word_value(c.contents.get())) {
            Some(c) if !c.is_empty() => {
                format!("<cell at {}: {} object at {}>", at(), vm.type_name(c), address(c))
            }
            _ => format!("<cell at {}: empty>", at()),
        },
        Type::Code => match v.get::<Code>() {
            Some(c) => {
                let file = c.proto.source.as_ref().map_or("?", |s| &s.filename);
                let line = c.proto.first_line;
                let name = &c.proto.name;
                format!("<code object {name} at {}, file \"{file}\", line {line}>", at())
            }
            None => vm.default_repr(v),
        },
        Type::Module => match module_name(vm, v, vm.names.__name__) {
            Some(n) if is_builtin_module(vm, v) => format!("<module '{n}' (built-in)>"),
            Some(n) => format!("<module '{n}'>"),
            None => "<module '?'>".to_owned(),
        },
        Type::Super => match v.get::<Super>() {
            Some(s) => {
                let start = s.start();
                let start = start.get::<Class>().map_or("?".into(), |c| c.name_str());
                match s.class().get::<Class>() {
                    Some(c) => format!("<super: <class '{start}'>, <{} object>>", c.name_str()),
                    None => format!("<super: <class '{start}'>, NULL>"),
                }
            }
            None => vm.default_repr(v),
        },
        Type::Member | Type::GetSet => match v.get::<Member>() {
            Some(m) => {
                let what = if t == Type::Member { "member" } else { "attribute" };
                let owner = m.owner();
                let owner = owner.get::<Class>().map_or("?".into(), |c| c.name_str());
                format!("<{what} '{}' of '{owner}' objects>", text_of(m.name()))
            }
            None => vm.default_repr(v),
        },
        Type::TupleGetter => match v.get::<Member>() {
            Some(m) => {
                let doc =
                    vm.repr(m.set()).ok().map_or_else(String::new, |d| text_of(d).into_owned());
                format!("_tuplegetter({}, {doc})", m.get().as_small().unwrap_or(0))
            }
            None => vm.default_repr(v),
        },
        Type::Frame => format!("<frame at {}, {}>", at(), crate::builtins::frame::describe(v)),
        Type::TypeVar | Type::ParamSpec => v
            .get::<Record>()
            .map_or_else(|| vm.default_repr(v), |r| variance(v).to_owned() + &text_of(r.a())),
        Type::TypeVarTuple | Type::TypeAlias => {
            v.get::<Record>().map_or_else(|| vm.default_repr(v), |r| text_of(r.a()).into_owned())
        }
        Type::MemoryView => {
            let live = v.get::<MemoryView>().is_some_and(|m| m.owner().is_some());
            format!("<{}memory at {}>", if live { "" } else { "released " }, at())
        }
        _ => vm.default_repr(v),
    }
}

/// Whether the module is one that the host made.
fn is_builtin_module(vm: &Vm, v: Value<'_>) -> bool {
    let d = v.get::<Module>().and_then(|m| m.dict().get::<Dict>());
    let loader = d.and_then(|d| vm.dict_get_name(d, vm.word_value(vm.names.__loader__)));
    loader.is_some_and(|l| !l.is_none())
}

fn native_text(vm: &Vm, v: Value<'_>) -> String {
    let Some(n) = v.get::<Native>() else { return vm.default_repr(v) };
    let name = n.def.name;
    let receiver = vm.word_value(n.receiver.get());
    let owner = vm.word_value(n.owner.get());
    if receiver.is_empty() || receiver.is_a::<Module>() {
        let Some(owner) = owner.get::<Class>() else {
            return format!("<built-in function {name}>");
        };
        return match vm.exact_type(v) {
            Some(Type::WrapperDescriptor) => {
                format!("<slot wrapper '{name}' of '{}' objects>", owner.name_str())
            }
            Some(Type::Builtin) => {
                let at = address(Value::object(owner));
                format!("<built-in method {name} of type object at {at}>")
            }
            _ => format!("<method '{name}' of '{}' objects>", owner.name_str()),
        };
    }
    let what = match vm.exact_type(v) {
        Some(Type::MethodWrapper) => format!("method-wrapper '{name}'"),
        _ => format!("built-in method {name}"),
    };
    format!("<{what} of {} object at {}>", vm.type_name(receiver), address(receiver))
}

/// What only the prelude calls.
pub(crate) static INTERNAL: &[NativeDef] = &[
    NativeDef::new("repr_enter", "obj, type, /", repr_enter, ""),
    NativeDef::new("repr_leave", "obj, /", repr_leave, ""),
    NativeDef::new("repr_join", "pieces, /", repr_join, ""),
];

/// A list of texts with objects in between, to be left with `repr_leave`; or a str that is all.
fn repr_enter<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (v, t) = (args[0], args[1].as_small().unwrap_or(0));
    let t = Type::ALL.get(t as usize).copied().unwrap_or(Type::Object);
    let mut out = Vec::new();
    let Shown::Pieces(p) = expand(vm, &mut out, v, t)? else { return vm.str_owned(out) };
    let active = vm.repr_active.borrow().contains(&v.word());
    if active && !p.dots.is_empty() {
        return vm.str_bytes(&p.dots);
    }
    let mut list = Vec::with_capacity(p.items.len() * 2 + 1);
    for (i, item) in p.items.iter().enumerate() {
        let open = if i == 0 { &p.open[..] } else { b"" };
        list.push(vm.str_parts(&[open, p.before(i)])?);
        list.push(*item);
    }
    list.push(vm.str_parts(&[if p.items.is_empty() { &p.open[..] } else { b"" }, &p.close])?);
    vm.repr_active.borrow_mut().push(v.word());
    vm.list(list)
}

fn repr_leave<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let mut active = vm.repr_active.borrow_mut();
    if let Some(i) = active.iter().rposition(|w| *w == args[0].word()) {
        active.remove(i);
    }
    Ok(Value::NONE)
}

fn repr_join<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match args[0].get::<List>() {
        Some(l) => vm.join_strings(&l.to_vec()),
        None => vm.str(""),
    }
}
