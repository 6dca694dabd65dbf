//! `re.error`, and how a refusal becomes an exception.

use miniscript_vm::builtins::Type;
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::exc::Exception;
use miniscript_vm::{Value, Vm};

use super::parse::{Refusal, RefusalKind};
use super::subject::{Subject, int};
use crate::class::ClassDef;

pub(super) static ERROR: ClassDef = ClassDef {
    name: "error",
    module: "re",
    doc: "A pattern or a template that is not valid: msg, pattern, pos, lineno, colno.",
    base: Type::Exception,
    layout: Kind::Exception,
    second_base: None,
    open: true,
    has_dict: true,
    methods: &[NativeDef::new("__init__", "self, msg, pattern=None, pos=None", init, "")],
};

fn init<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let or_none = |v: Value<'v>| if v.is_empty() { Value::NONE } else { v };
    let (pattern, pos) = (or_none(args[2]), or_none(args[3]));
    fill(vm, args[0], args[1], pattern, pos)?;
    Ok(Value::NONE)
}

/// Sets what an error tells about itself.
fn fill<'v>(
    vm: &'v Vm,
    exc: Value<'v>,
    msg: Value<'v>,
    pattern: Value<'v>,
    pos: Value<'v>,
) -> Result<(), Exit<'v>> {
    let (mut text, mut line, mut column) = (msg, Value::NONE, Value::NONE);
    if let Some(subject) = Subject::find(pattern).filter(|_| !pos.is_none()) {
        let at = int(vm, pos, 0)?;
        let end = match &subject {
            Subject::Text(s) => vm.with_text(s, |t| t.offset(at.max(0) as usize)),
            Subject::Data(d) => d.len().min(at.max(0) as usize),
        };
        let before = &subject.bytes()[..end];
        let newlines = before.iter().filter(|b| **b == b'\n').count();
        let newline = memchr::memrchr(b'\n', before).map(|i| subject.index(vm, i) as i64);
        let (l, c) = (newlines as i64 + 1, at - newline.unwrap_or(-1));
        (line, column) = (vm.int(l), vm.int(c));
        let shown = vm.str_value(msg)?;
        let mut full = Vec::new();
        if let Some(Subject::Text(s)) = Subject::find(shown) {
            full.extend_from_slice(s.bytes());
        }
        full.extend_from_slice(format!(" at position {at}").as_bytes());
        if subject.bytes().contains(&b'\n') {
            full.extend_from_slice(format!(" (line {l}, column {c})").as_bytes());
        }
        text = vm.str_bytes(&full)?;
    }
    if let Some(e) = exc.get::<Exception>() {
        e.args.set(vm.tuple(&[text])?.word());
    }
    let parts =
        [("msg", msg), ("pattern", pattern), ("pos", pos), ("lineno", line), ("colno", column)];
    for (name, v) in parts {
        vm.set_attr_raw(exc, vm.intern(name), v)?;
    }
    Ok(())
}

/// Raises what a refusal of `pattern` amounts to.
#[cold]
pub(super) fn refuse<'v>(vm: &'v Vm, refusal: Refusal, pattern: Value<'v>) -> Exit<'v> {
    let make = || {
        let class = ERROR.of(vm)?;
        let exc = vm.new_exception(class.root_shape.get(), vm.empty_tuple());
        let msg = vm.str(&refusal.message)?;
        match refusal.at {
            Some(at) => fill(vm, exc, msg, pattern, Value::len(at))?,
            None => fill(vm, exc, msg, Value::NONE, Value::NONE)?,
        }
        Ok(exc)
    };
    let class = match refusal.kind {
        RefusalKind::Pattern => return make().map_or_else(|e| e, Exit::Raise),
        RefusalKind::Value => Type::ValueError,
        RefusalKind::Overflow => Type::OverflowError,
        RefusalKind::Recursion => Type::RecursionError,
        RefusalKind::Index => Type::IndexError,
    };
    vm.err(class, refusal.message)
}
