//! Constructors of exception classes that keep more than their arguments.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, NativeDef, Role};
use crate::object::class::{Class, class_flags};
use crate::object::exc::Exception;
use crate::object::map::Dict;
use crate::object::text::{Bytes, Str};
use crate::value::{Value, Word};

pub(crate) static OS_ERROR: &[&[NativeDef]] = &[&[
    NativeDef::new("__new__", "cls, /, *args, **kwargs", new_os_error, "").role(Role::Static),
    NativeDef::new("__init__", "self, /, *args, **kwargs", init_os_error, "Initialize self."),
    NativeDef::new("__str__", "self, /", os_error_str, "Return str(self)."),
    NativeDef::new("__reduce__", "self, /", reduce_os_error, "Helper for pickle."),
]];

pub(crate) static BLOCKING_IO_ERROR: &[&[NativeDef]] = &[&[
    NativeDef::getter("characters_written", characters_written, ""),
    NativeDef::setter("characters_written", set_characters_written),
]];

pub(crate) static STOP_ITERATION: &[&[NativeDef]] = &[&[NativeDef::new(
    "__init__",
    "self, /, *args, **kwargs",
    |vm, a| {
        base_init(vm, a)?;
        let v = a.get(2).copied().unwrap_or(Value::NONE);
        put(vm, a[0], vm.names.value, v)
    },
    "Initialize self.",
)]];

pub(crate) static SYSTEM_EXIT: &[&[NativeDef]] = &[&[NativeDef::new(
    "__init__",
    "self, /, *args, **kwargs",
    |vm, a| {
        base_init(vm, a)?;
        let code = match &a[2..] {
            [] => Value::NONE,
            [one] => *one,
            more => vm.tuple(more)?,
        };
        put(vm, a[0], vm.names.code, code)
    },
    "Initialize self.",
)]];

pub(crate) static IMPORT_ERROR: &[&[NativeDef]] = &[&[
    NativeDef::new("__init__", "self, /, *args, **kwargs", init_import_error, "Initialize self."),
    NativeDef::new("__str__", "self, /", import_error_str, "Return str(self)."),
    NativeDef::new("__reduce__", "self, /", reduce_with_name, "Helper for pickle."),
]];

pub(crate) static ATTRIBUTE_ERROR: &[&[NativeDef]] = &[&[
    NativeDef::new(
        "__init__",
        "self, /, *args, **kwargs",
        |vm, a| {
            let allowed = [vm.names.name, vm.names.obj];
            keyword_fields(vm, a, "AttributeError", &allowed)
        },
        "Initialize self.",
    ),
    // The object stays behind: it need not be one that can be pickled.
    NativeDef::new("__reduce__", "self, /", reduce_with_name, "Helper for pickle."),
]];

pub(crate) static NAME_ERROR: &[&[NativeDef]] = &[&[NativeDef::new(
    "__init__",
    "self, /, *args, **kwargs",
    |vm, a| keyword_fields(vm, a, "NameError", &[vm.names.name]),
    "Initialize self.",
)]];

pub(crate) static SYNTAX_ERROR: &[&[NativeDef]] = &[&[
    NativeDef::new("__init__", "self, /, *args, **kwargs", init_syntax_error, "Initialize self."),
    NativeDef::new("__str__", "self, /", syntax_error_str, "Return str(self)."),
]];

pub(crate) static UNICODE_ENCODE: &[&[NativeDef]] = &[&[
    NativeDef::new(
        "__init__",
        "self, /, *args, **kwargs",
        |vm, a| init_unicode(vm, a, "UnicodeEncodeError"),
        "Initialize self.",
    ),
    NativeDef::new(
        "__str__",
        "self, /",
        |vm, a| unicode_str(vm, a[0], "encode"),
        "Return str(self).",
    ),
]];

pub(crate) static UNICODE_DECODE: &[&[NativeDef]] = &[&[
    NativeDef::new(
        "__init__",
        "self, /, *args, **kwargs",
        |vm, a| init_unicode(vm, a, "UnicodeDecodeError"),
        "Initialize self.",
    ),
    NativeDef::new(
        "__str__",
        "self, /",
        |vm, a| unicode_str(vm, a[0], "decode"),
        "Return str(self).",
    ),
]];

pub(crate) static UNICODE_TRANSLATE: &[&[NativeDef]] = &[&[
    NativeDef::new(
        "__init__",
        "self, /, *args, **kwargs",
        |vm, a| init_unicode(vm, a, "UnicodeTranslateError"),
        "Initialize self.",
    ),
    NativeDef::new(
        "__str__",
        "self, /",
        |vm, a| unicode_str(vm, a[0], "translate"),
        "Return str(self).",
    ),
]];

fn put<'v>(vm: &'v Vm, e: Value<'v>, name: Word, v: Value<'v>) -> NResult<'v> {
    vm.set_attr_raw(e, vm.word_value(name), v)?;
    Ok(Value::NONE)
}

fn get<'v>(vm: &'v Vm, e: Value<'v>, name: Word) -> Option<Value<'v>> {
    vm.get_attr_raw(e, vm.word_value(name)).filter(|v| !v.is_none())
}

fn base_init<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if !args[1].is_empty() {
        let name = vm.type_name(args[0]);
        return Err(vm.type_error(format!("{name}() takes no keyword arguments")));
    }
    set_args(vm, args[0], &args[2..])
}

fn set_args<'v>(vm: &'v Vm, e: Value<'v>, args: &[Value<'v>]) -> NResult<'v> {
    if let Some(e) = e.get::<Exception>() {
        e.args.set(vm.tuple(args)?.word());
    }
    Ok(Value::NONE)
}

/// Keywords become attributes; others are errors.
fn keyword_fields<'v>(
    vm: &'v Vm,
    args: &[Value<'v>],
    class: &str,
    allowed: &[Word],
) -> NResult<'v> {
    set_args(vm, args[0], &args[2..])?;
    for name in allowed {
        put(vm, args[0], *name, Value::NONE)?;
    }
    if let Some(d) = args[1].get::<Dict>() {
        for (k, v) in d.entries() {
            if !allowed.contains(&k.word()) {
                let k = k.get::<Str>().map_or("?".into(), |s| s.to_display());
                return Err(
                    vm.type_error(format!("'{k}' is an invalid keyword argument for {class}()"))
                );
            }
            put(vm, args[0], k.word(), v)?;
        }
    }
    Ok(Value::NONE)
}

fn init_import_error<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let allowed = [vm.names.name, vm.names.path, vm.intern("name_from").word()];
    keyword_fields(vm, args, "ImportError", &allowed)?;
    let msg = if let [one] = args[2..] { one } else { Value::NONE };
    put(vm, args[0], vm.names.msg, msg)
}

fn import_error_str<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    match get(vm, args[0], vm.names.msg) {
        Some(m) if m.is_a::<Str>() => Ok(m),
        _ => base_str(vm, args[0]),
    }
}

fn base_str<'v>(vm: &'v Vm, e: Value<'v>) -> NResult<'v> {
    let Some(x) = e.get::<Exception>() else { return vm.str("") };
    match x.args() {
        [] => vm.str(""),
        [one] => vm.convert(*one, 1),
        _ => vm.convert(crate::object::read(&x.args), 2),
    }
}

/// The subclass of OSError that stands for an error number (of Linux).
pub(crate) fn os_error_type(errno: i64) -> Type {
    match errno {
        1 | 13 => Type::PermissionError,
        2 => Type::FileNotFoundError,
        3 => Type::ProcessLookupError,
        4 => Type::InterruptedError,
        10 => Type::ChildProcessError,
        11 | 114 | 115 => Type::BlockingIOError,
        17 => Type::FileExistsError,
        20 => Type::NotADirectoryError,
        21 => Type::IsADirectoryError,
        32 | 108 => Type::BrokenPipeError,
        103 => Type::ConnectionAbortedError,
        104 => Type::ConnectionResetError,
        110 => Type::TimeoutError,
        111 => Type::ConnectionRefusedError,
        _ => Type::OSError,
    }
}

fn new_os_error<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let mut shape = vm.shape_for_new(args[0], Type::OSError)?;
    let rest = &args[2..];
    if shape == Type::OSError.shape()
        && (2..=5).contains(&rest.len())
        && let Some(Ok(n)) = vm.as_index_i64(rest[0])
    {
        shape = os_error_type(n).shape();
    }
    let e = vm.new_exception(shape, vm.tuple(rest)?);
    if !fills_in_init(vm, vm.class_of(e)) {
        fill_os_error(vm, e, rest)?;
    }
    Ok(e)
}

/// A subclass with an `__init__` of its own may call ours with other arguments.
fn fills_in_init(vm: &Vm, class: &Class) -> bool {
    let is_own = |name| vm.defining_class(class, name).is_some_and(|c| c.has(class_flags::HEAP));
    is_own(vm.names.__init__) && !is_own(vm.names.__new__)
}

fn fill_os_error<'v>(vm: &'v Vm, e: Value<'v>, args: &[Value<'v>]) -> NResult<'v> {
    set_args(vm, e, args)?;
    if !(2..=5).contains(&args.len()) {
        return Ok(Value::NONE);
    }
    let n = &vm.names;
    put(vm, e, n.errno, args[0])?;
    put(vm, e, n.strerror, args[1])?;
    let blocks = vm.class_of(e).is_subclass(vm.class(Type::BlockingIOError));
    if let Some(count) = args.get(2).filter(|n| blocks && vm.as_index_i64(**n).is_some()) {
        put(vm, e, written(vm), *count)?;
    } else if let Some(f) = args.get(2).filter(|f| !f.is_none()) {
        put(vm, e, n.filename, *f)?;
        if let Some(f2) = args.get(4) {
            put(vm, e, n.filename2, *f2)?;
        }
        set_args(vm, e, &args[..2])?;
    }
    Ok(Value::NONE)
}

fn init_os_error<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let class: &Class = vm.class_of(args[0]);
    if !fills_in_init(vm, class) {
        return Ok(Value::NONE);
    }
    if !args[1].is_empty() {
        return Err(vm.type_error(format!("{}() takes no keyword arguments", class.name_str())));
    }
    fill_os_error(vm, args[0], &args[2..])
}

fn written(vm: &Vm) -> Word {
    vm.intern("characters_written").word()
}

fn characters_written<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    get(vm, args[0], written(vm)).ok_or_else(|| vm.err(Type::AttributeError, "characters_written"))
}

fn set_characters_written<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if args[1].is_empty() {
        characters_written(vm, args)?;
        return put(vm, args[0], written(vm), Value::NONE);
    }
    match vm.as_index_i64(args[1]) {
        Some(_) => put(vm, args[0], written(vm), args[1]),
        None => Err(vm.not_an_integer(args[1])),
    }
}

/// What an exception is made of again, with fields that are no arguments of its class.
fn reduced<'v>(vm: &'v Vm, e: Value<'v>, args: Value<'v>, fields: &[Word]) -> NResult<'v> {
    let mut state = match vm.object_dict(e)?.and_then(|d| d.get::<Dict>()) {
        Some(d) => d.entries(),
        None => Vec::new(),
    };
    for name in fields {
        state.extend(get(vm, e, *name).map(|v| (vm.word_value(*name), v)));
    }
    let class = vm.class_value_of(e);
    if state.is_empty() {
        return vm.tuple(&[class, args]);
    }
    let dict = vm.dict();
    for (name, v) in state {
        vm.dict_set_name(dict, name, v)?;
    }
    vm.tuple(&[class, args, Value::object(dict)])
}

fn reduce_os_error<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let e = args[0];
    let Some(given) = e.get::<Exception>().map(Exception::args) else { return Ok(Value::NONE) };
    let mut all = given.to_vec();
    if let (2, Some(filename)) = (given.len(), get(vm, e, vm.names.filename)) {
        all.push(filename);
        if let Some(second) = get(vm, e, vm.names.filename2) {
            all.extend([Value::NONE, second]);
        }
    }
    reduced(vm, e, vm.tuple(&all)?, &[])
}

fn reduce_with_name<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let e = args[0];
    let given = e.get::<Exception>().map_or(Value::NONE, |e| crate::object::read(&e.args));
    reduced(vm, e, given, &[vm.names.name, vm.names.path])
}

fn os_error_str<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let e = args[0];
    let n = &vm.names;
    let (Some(errno), Some(strerror)) = (get(vm, e, n.errno), get(vm, e, n.strerror)) else {
        return base_str(vm, e);
    };
    let text = |v: Value<'v>, conversion| -> Result<String, Exit<'v>> {
        let s = vm.convert(v, conversion)?;
        Ok(s.get::<Str>().map_or_else(String::new, |s| s.to_display().into_owned()))
    };
    let mut out = format!("[Errno {}] {}", text(errno, 1)?, text(strerror, 1)?);
    if let Some(f) = get(vm, e, n.filename) {
        out.push_str(&format!(": {}", text(f, 2)?));
        if let Some(f) = get(vm, e, n.filename2) {
            out.push_str(&format!(" -> {}", text(f, 2)?));
        }
    }
    vm.str(&out)
}

fn init_syntax_error<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    base_init(vm, args)?;
    let n = &vm.names;
    let rest = &args[2..];
    if let Some(msg) = rest.first() {
        put(vm, args[0], n.msg, *msg)?;
    }
    if let [_, info] = rest {
        let Some(items) = vm.plain_items(*info) else {
            return Err(vm.type_error(format!("'{}' object is not iterable", vm.type_name(*info))));
        };
        if items.len() < 4 {
            let n = items.len();
            return Err(vm.type_error(format!(
                "function missing required argument '{}' (pos {})",
                ["filename", "lineno", "offset", "text"][n],
                n + 1
            )));
        }
        let fields = [n.filename, n.lineno, n.offset, n.text, n.end_lineno, n.end_offset];
        if items.len() > fields.len() {
            return Err(vm.type_error(format!(
                "function takes at most 6 arguments ({} given)",
                items.len()
            )));
        }
        if items.len() == 5 {
            return Err(vm.type_error("end_offset must be provided when end_lineno is provided"));
        }
        for (name, v) in fields.iter().zip(items) {
            put(vm, args[0], *name, v)?;
        }
    }
    Ok(Value::NONE)
}

fn syntax_error_str<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let n = &vm.names;
    let text = |v: Value<'v>| v.get::<Str>().map(|s| s.to_display().into_owned());
    let msg = match get(vm, args[0], n.msg) {
        Some(m) => match text(m) {
            Some(t) => t,
            None => return vm.convert(m, 1),
        },
        None => return base_str(vm, args[0]),
    };
    let file = get(vm, args[0], n.filename).and_then(text);
    let file = file.map(|f| f.rsplit('/').next().unwrap_or("").to_owned());
    let line = get(vm, args[0], n.lineno).and_then(|v| v.as_small());
    vm.str(&match (file, line) {
        (Some(f), Some(l)) => format!("{msg} ({f}, line {l})"),
        (Some(f), None) => format!("{msg} ({f})"),
        (None, Some(l)) => format!("{msg} (line {l})"),
        (None, None) => msg,
    })
}

fn init_unicode<'v>(vm: &'v Vm, args: &[Value<'v>], class: &str) -> NResult<'v> {
    base_init(vm, args)?;
    let n = &vm.names;
    let fields = [n.encoding, n.object, n.start, n.end, n.reason];
    // A translation has no encoding.
    let skipped = usize::from(class == "UnicodeTranslateError");
    let (fields, mut rest) = (&fields[skipped..], args[2..].to_vec());
    if rest.len() != fields.len() {
        return Err(vm.type_error(format!(
            "function takes exactly {} arguments ({} given)",
            fields.len(),
            rest.len()
        )));
    }
    let object = &mut rest[1 - skipped];
    if class == "UnicodeDecodeError" {
        match vm.buffer_copy(*object)? {
            Some(copy) if !object.is_a::<Bytes>() => *object = vm.bytes(&copy)?,
            Some(_) => {}
            None => {
                let given = vm.type_name(*object);
                return Err(
                    vm.type_error(format!("a bytes-like object is required, not '{given}'"))
                );
            }
        }
    } else if !object.is_a::<Str>() {
        let (at, given) = (2 - skipped, vm.type_name(*object));
        return Err(vm.type_error(format!("argument {at} must be str, not {given}")));
    }
    for (name, v) in fields.iter().zip(rest) {
        put(vm, args[0], *name, v)?;
    }
    Ok(Value::NONE)
}

/// `'utf-8' codec can't decode byte 0xff in position 0: invalid start byte`.
fn unicode_str<'v>(vm: &'v Vm, e: Value<'v>, verb: &str) -> NResult<'v> {
    let n = &vm.names;
    let text = |name| -> Result<String, Exit<'v>> {
        let Some(v) = get(vm, e, name) else { return Ok(String::new()) };
        let text = vm.convert(v, 1)?;
        Ok(text.get::<Str>().map_or_else(String::new, |s| s.to_display().into_owned()))
    };
    let number = |name| get(vm, e, name).and_then(|v| v.as_small()).unwrap_or(0);
    let (start, end) = (number(n.start), number(n.end));
    let at = |end: i64| usize::try_from(start).ok().filter(|_| end == start + 1);
    let Some(object) = get(vm, e, n.object) else { return base_str(vm, e) };
    let what = if let Some(b) = object.get::<Bytes>() {
        at(end).and_then(|at| b.bytes().get(at)).map(|b| format!("byte 0x{b:02x}"))
    } else {
        object.get::<Str>().and_then(|s| {
            let c = crate::text::wtf8::code_points(s.bytes()).nth(at(end)?)?;
            Some(match c {
                0..=0xFF => format!("character '\\x{c:02x}'"),
                0x100..=0xFFFF => format!("character '\\u{c:04x}'"),
                _ => format!("character '\\U{c:08x}'"),
            })
        })
    };
    let (encoding, reason) = (text(n.encoding)?, text(n.reason)?);
    let thing = if object.is_a::<Bytes>() { "bytes" } else { "characters" };
    let who = if verb == "translate" { String::new() } else { format!("'{encoding}' codec ") };
    vm.str(&match what {
        Some(w) => format!("{who}can't {verb} {w} in position {start}: {reason}"),
        None => format!(
            "{who}can't {verb} {thing} in position {start}-{}: {reason}",
            end.saturating_sub(1)
        ),
    })
}
