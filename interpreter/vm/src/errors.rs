//! Making exceptions.

use crate::Vm;
use crate::builtins::Type;
use crate::native::Exit;
use crate::object::class::{Class, class_flags};
use crate::object::exc::{Exception, Traceback};
use crate::object::func::{Code, Function};
use crate::object::text::Str;
use crate::value::{EMPTY, Value};

impl Vm {
    /// An exception object with a message.
    pub fn exception(&self, class: Type, msg: impl AsRef<str>) -> Value<'_> {
        let args = self
            .str(msg.as_ref())
            .and_then(|s| self.tuple(&[s]))
            .unwrap_or_else(|_| self.empty_tuple());
        self.new_exception(class.shape(), args)
    }

    /// Raise `class(msg)`.
    #[cold]
    pub fn err(&self, class: Type, msg: impl AsRef<str>) -> Exit<'_> {
        Exit::Raise(self.exception(class, msg))
    }

    /// Raise `class(*args)`.
    #[cold]
    pub fn err_args<'v>(&'v self, class: Type, args: &[Value<'v>]) -> Exit<'v> {
        match self.tuple(args) {
            Ok(t) => Exit::Raise(self.new_exception(class.shape(), t)),
            Err(e) => e,
        }
    }

    /// Raise TypeError.
    #[cold]
    pub fn type_error(&self, msg: impl AsRef<str>) -> Exit<'_> {
        self.err(Type::TypeError, msg)
    }

    /// Raise ValueError.
    #[cold]
    pub fn value_error(&self, msg: impl AsRef<str>) -> Exit<'_> {
        self.err(Type::ValueError, msg)
    }

    /// Raise IndexError.
    #[cold]
    pub fn index_error(&self, msg: impl AsRef<str>) -> Exit<'_> {
        self.err(Type::IndexError, msg)
    }

    /// Raise OverflowError.
    #[cold]
    pub fn overflow_error(&self, msg: impl AsRef<str>) -> Exit<'_> {
        self.err(Type::OverflowError, msg)
    }

    /// Raise RuntimeError.
    #[cold]
    pub fn runtime_error(&self, msg: impl AsRef<str>) -> Exit<'_> {
        self.err(Type::RuntimeError, msg)
    }

    /// Raise `KeyError(key)`.
    #[cold]
    pub fn key_error<'v>(&'v self, key: Value<'v>) -> Exit<'v> {
        self.err_args(Type::KeyError, &[key])
    }

    /// Raise MemoryError.
    #[cold]
    pub fn memory_error(&self) -> Exit<'_> {
        Exit::Raise(self.new_exception(Type::MemoryError.shape(), self.empty_tuple()))
    }

    /// Raise the OSError of a failed operation of the system.
    #[cold]
    pub fn os_error(&self, e: &std::io::Error) -> Exit<'_> {
        use std::io::ErrorKind as K;
        let class = match e.kind() {
            K::BrokenPipe => Type::BrokenPipeError,
            K::ConnectionAborted => Type::ConnectionAbortedError,
            K::ConnectionRefused => Type::ConnectionRefusedError,
            K::ConnectionReset => Type::ConnectionResetError,
            K::AlreadyExists => Type::FileExistsError,
            K::NotFound => Type::FileNotFoundError,
            K::Interrupted => Type::InterruptedError,
            K::IsADirectory => Type::IsADirectoryError,
            K::NotADirectory => Type::NotADirectoryError,
            K::PermissionDenied => Type::PermissionError,
            K::TimedOut => Type::TimeoutError,
            K::WouldBlock => Type::BlockingIOError,
            _ => Type::OSError,
        };
        let text = e.to_string();
        let Some(code) = e.raw_os_error() else { return self.err(class, text) };
        let text = text.rsplit_once(" (os error").map_or(text.as_str(), |(t, _)| t);
        let text = self.short_str(text);
        let errno = Value::int32(code);
        let exc = match self.tuple(&[errno, text]) {
            Ok(args) => self.new_exception(class.shape(), args),
            Err(e) => return e,
        };
        for (key, v) in [(self.names.errno, errno), (self.names.strerror, text)] {
            if let Err(e) = self.set_attr_raw(exc, self.word_value(key), v) {
                return e;
            }
        }
        Exit::Raise(exc)
    }

    /// Raise RecursionError.
    #[cold]
    pub fn recursion_error(&self) -> Exit<'_> {
        self.err(Type::RecursionError, "maximum recursion depth exceeded")
    }

    /// Whether there are more frames than `sys.getrecursionlimit()` allows. Native frames take a
    /// record too, so the count is taken only when it may matter.
    pub(crate) fn recursion_depth_exceeded(&self) -> bool {
        let limit = self.st.recursion_limit.get();
        self.st.depth() >= limit && {
            let mut n = 0;
            self.walk_frames(|_| {
                n += 1;
                true
            });
            n >= limit || self.st.depth() >= limit.saturating_mul(3).saturating_add(64)
        }
    }

    /// `StopIteration(value)`, or without arguments for None.
    pub fn stop_iteration<'v>(&'v self, value: Value<'v>) -> Exit<'v> {
        let args = if value.is_none() { Ok(self.empty_tuple()) } else { self.tuple(&[value]) };
        match args {
            Ok(t) => {
                let e = self.new_exception(Type::StopIteration.shape(), t);
                match self.set_attr_raw(e, self.word_value(self.names.value), value) {
                    Ok(()) => Exit::Raise(e),
                    Err(e) => e,
                }
            }
            Err(e) => e,
        }
    }

    /// The `value` of a StopIteration.
    pub fn stop_value<'v>(&'v self, exc: Value<'v>) -> Value<'v> {
        self.get_attr_raw(exc, self.word_value(self.names.value)).unwrap_or(Value::NONE)
    }

    /// The empty tuple.
    pub fn empty_tuple(&self) -> Value<'_> {
        crate::object::read(&self.empty_tuple)
    }

    /// Whether `exc` is an instance of builtin exception class `t`.
    pub fn is_exception_of(&self, exc: Value<'_>, t: Type) -> bool {
        self.class_of(exc).is_subclass(self.class(t))
    }

    /// Whether `exc` is a StopIteration.
    #[inline]
    pub fn is_stop_iteration(&self, exc: Value<'_>) -> bool {
        self.is_exception_of(exc, Type::StopIteration)
    }

    /// Sets `__context__` of `exc` to the exception being handled, unless that would make a loop.
    pub(crate) fn set_context(&self, exc: Value<'_>) {
        let handled = self.word_value(self.st.handled.get());
        if handled.is_empty() || handled.is(exc) {
            return;
        }
        self.set_explicit_context(exc, handled);
    }

    /// Sets `__context__` of `exc`; a chain that leads back to `exc` is cut there.
    pub(crate) fn set_explicit_context<'v>(&'v self, exc: Value<'v>, context: Value<'v>) {
        let Some(e) = exc.get::<Exception>() else { return };
        let mut at = context;
        let mut steps = 0;
        while let Some(c) = at.get::<Exception>() {
            let next = crate::object::read(&c.context);
            if next.is(exc) {
                c.context.set(EMPTY);
                break;
            }
            steps += 1;
            if steps > 100_000 {
                break;
            }
            at = next;
        }
        e.context.set(context.word());
    }

    /// Sets `__cause__`, which suppresses the context.
    pub fn set_cause(&self, exc: Value<'_>, cause: Value<'_>) {
        if let Some(e) = exc.get::<Exception>() {
            e.cause.set(if cause.is_none() { EMPTY } else { cause.word() });
            e.set_suppress_context(true);
        }
    }

    /// Adds a step to the traceback of `exc`.
    pub(crate) fn add_traceback(&self, exc: Value<'_>, code: &Code, func: &Function, at: u32) {
        let Some(e) = exc.get::<Exception>() else { return };
        let next = crate::object::read(&e.traceback);
        let tb = Traceback::new(
            Type::Traceback.shape(),
            Value::object(code),
            Value::object(func),
            next,
            at,
        );
        e.traceback.set(Value::object(self.heap.alloc(tb, 0, false)).word());
    }

    /// Name of a value's class, as messages show it.
    pub fn type_name(&self, v: Value<'_>) -> String {
        self.class_of(v).name_str().into_owned()
    }

    /// The name of a value's class, a native one's with its module: what most messages of the
    /// language itself say.
    pub(crate) fn full_name_of(&self, v: Value<'_>) -> String {
        self.full_type_name(self.class_of(v))
    }

    /// The nearest native class that a value is an instance of, as messages about native
    /// attributes have it.
    pub(crate) fn native_base_name(&self, v: Value<'_>) -> String {
        let class = self.class_of(v);
        let mut bases = class.mro().iter().filter_map(|c| c.get::<Class>());
        self.full_type_name(bases.find(|c| !c.has(class_flags::HEAP)).unwrap_or(class))
    }

    /// What messages call a function: its qualified name.
    pub(crate) fn func_name(&self, f: &Function) -> String {
        crate::object::read(&f.qualname)
            .get::<Str>()
            .map_or_else(|| "?".into(), |s| s.to_display().into_owned())
    }

    pub(crate) fn too_many_positional(
        &self,
        f: &Function,
        given: usize,
        kwonly: &[Value<'_>],
    ) -> Exit<'_> {
        let p = &f.code().proto;
        let max = p.arg_count as usize;
        let defaults = crate::object::read(&f.defaults)
            .get::<crate::object::seq::Tuple>()
            .map_or(0, |t| t.len());
        let takes = if defaults > 0 {
            format!("from {} to {max} positional arguments", max.saturating_sub(defaults))
        } else {
            format!("{max} positional argument{}", if max == 1 { "" } else { "s" })
        };
        let kw = kwonly.iter().filter(|v| !v.is_empty()).count();
        let given = if kw > 0 {
            format!(
                "{given} positional argument{} (and {kw} keyword-only argument{}) were",
                if given == 1 { "" } else { "s" },
                if kw == 1 { "" } else { "s" }
            )
        } else {
            format!("{given} {}", if given == 1 { "was" } else { "were" })
        };
        self.type_error(format!("{}() takes {takes} but {given} given", self.func_name(f)))
    }

    pub(crate) fn missing_arguments(
        &self,
        f: &Function,
        bound: &[Value<'_>],
        first: usize,
        kind: &str,
    ) -> Exit<'_> {
        let locals = &f.code().proto.locals;
        let names: Vec<String> = bound
            .iter()
            .enumerate()
            .filter(|(_, v)| v.is_empty())
            .map(|(i, _)| format!("'{}'", locals[first + i]))
            .collect();
        let list = match names.as_slice() {
            [] => String::new(),
            [one] => one.clone(),
            [a, b] => format!("{a} and {b}"),
            [init @ .., last] => format!("{}, and {last}", init.join(", ")),
        };
        let n = names.len();
        self.type_error(format!(
            "{}() missing {n} required {kind} argument{}: {list}",
            self.func_name(f),
            if n == 1 { "" } else { "s" }
        ))
    }

    pub(crate) fn unexpected_keyword(
        &self,
        f: &Function,
        name: &str,
        given: &[Value<'_>],
    ) -> Exit<'_> {
        let p = &f.code().proto;
        let posonly = &p.locals[..p.posonly_count as usize];
        let wrong: Vec<String> = given
            .iter()
            .filter_map(|g| g.get::<Str>())
            .map(|s| s.to_display().into_owned())
            .filter(|g| posonly.contains(g))
            .collect();
        if !wrong.is_empty() {
            return self.type_error(format!(
                "{}() got some positional-only arguments passed as keyword arguments: '{}'",
                self.func_name(f),
                wrong.join(", ")
            ));
        }
        self.type_error(format!(
            "{}() got an unexpected keyword argument '{name}'",
            self.func_name(f)
        ))
    }

    /// Raise AttributeError for a missing attribute.
    #[cold]
    pub fn no_attribute<'v>(&'v self, obj: Value<'v>, name: u64) -> Exit<'v> {
        let name = self.word_value(name);
        let text = name.get::<Str>().map_or_else(String::new, |s| s.to_display().into_owned());
        let msg = if let Some(c) = obj.get::<Class>() {
            format!("type object '{}' has no attribute '{text}'", c.name_str())
        } else if let Some(m) = obj.get::<crate::object::record::Module>() {
            let n = m
                .dict()
                .get::<crate::object::map::Dict>()
                .and_then(|d| self.dict_get_str(d, "__name__"));
            match n.and_then(|n| n.get::<Str>()).map(|n| n.to_display()) {
                Some(n) if self.host().is_importing(&n) => format!(
                    "partially initialized module '{n}' has no attribute '{text}' (most likely \
                     due to a circular import)"
                ),
                Some(n) => format!("module '{n}' has no attribute '{text}'"),
                None => format!("module has no attribute '{text}'"),
            }
        } else {
            format!("'{}' object has no attribute '{text}'", self.full_name_of(obj))
        };
        self.attribute_error(msg, obj, name)
    }

    /// Raise AttributeError with its `name` and `obj`.
    #[cold]
    pub fn attribute_error<'v>(
        &'v self,
        msg: impl AsRef<str>,
        obj: Value<'v>,
        name: Value<'v>,
    ) -> Exit<'v> {
        let e = self.exception(Type::AttributeError, msg);
        for (k, v) in [(self.names.name, name), (self.names.obj, obj)] {
            if let Err(e) = self.set_attr_raw(e, self.word_value(k), v) {
                return e;
            }
        }
        Exit::Raise(e)
    }

    /// Raise NameError with its `name`.
    #[cold]
    pub fn name_error<'v>(
        &'v self,
        class: Type,
        msg: impl AsRef<str>,
        name: Value<'v>,
    ) -> Exit<'v> {
        let e = self.exception(class, msg);
        if let Some(me) = self.frame_self() {
            let key = self.intern(crate::traceback::SELF_KEY);
            if let Err(e) = self.set_attr_raw(e, key, me) {
                return e;
            }
        }
        match self.set_attr_raw(e, self.word_value(self.names.name), name) {
            Ok(()) => Exit::Raise(e),
            Err(e) => e,
        }
    }

    /// The local variable `self` of the running frame: for the suggestion `self.name`.
    fn frame_self(&self) -> Option<Value<'_>> {
        let p = &self.frame_func()?.code().proto;
        let at = p.local_reg(p.locals.iter().position(|n| n == "self")?);
        let v = self.reg(at);
        let v = match v.get::<crate::object::func::CellObj>() {
            Some(c) if p.cells.contains(&(at as u32)) => crate::object::read(&c.contents),
            _ => v,
        };
        (!v.is_empty()).then_some(v)
    }
}
