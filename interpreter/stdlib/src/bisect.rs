//! `bisect`: natively for lists and tuples of what compares without script code; otherwise by the
//! module's source.

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{NResult, NativeDef};
use miniscript_vm::object::seq::{List, Tuple};
use miniscript_vm::{Value, Vm};

use crate::iterate::less;
use crate::module::{ModuleDef, source_tail};

const SIG: &str = "a, x, lo=0, hi=None, *, key=None";

const FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "bisect_right",
        SIG,
        |vm, a| search(vm, a, true),
        "Return the index where to insert item x in list a, assuming a is sorted: after any \
         entries of x.",
    ),
    NativeDef::new(
        "bisect_left",
        SIG,
        |vm, a| search(vm, a, false),
        "Return the index where to insert item x in list a, assuming a is sorted: before any \
         entries of x.",
    ),
    NativeDef::new(
        "insort_right",
        SIG,
        |vm, a| insert(vm, a, true),
        "Insert item x in list a, and keep it sorted assuming a is sorted: after any entries of x.",
    ),
    NativeDef::new(
        "insort_left",
        SIG,
        |vm, a| insert(vm, a, false),
        "Insert item x in list a, and keep it sorted assuming a is sorted: before any entries of x.",
    ),
];

/// The module.
pub(crate) const MODULE: ModuleDef = ModuleDef::source("bisect", "bisect.ms").with(FUNCTIONS);

/// The place, if it is found without script code.
fn place<'v>(
    vm: &'v Vm,
    a: &[Value<'v>],
    right: bool,
) -> Result<Option<usize>, miniscript_vm::native::Exit<'v>> {
    let absent = |v: Value<'v>| v.is_empty() || v.is_none();
    let (list, tuple) = (a[0].get::<List>(), a[0].get::<Tuple>());
    let plain = matches!(vm.exact_type(a[0]), Some(Type::List | Type::Tuple));
    if !plain || !absent(a[4]) {
        return Ok(None);
    }
    let len = list.map_or(0, List::len).max(tuple.map_or(0, Tuple::len));
    let lo = vm.size_arg(a[2], 0)?;
    let hi = if absent(a[3]) { len as i64 } else { vm.size_arg(a[3], 0)? };
    if lo < 0 {
        return Err(vm.value_error("lo must be non-negative"));
    }
    let (mut lo, mut hi) = (lo as usize, hi.max(0) as usize);
    while lo < hi {
        let mid = lo + (hi - lo) / 2;
        let item = match tuple {
            Some(t) => t.items().get(mid).copied(),
            None => list.and_then(|l| l.get(mid)),
        };
        let Some(item) = item else {
            let what = if tuple.is_some() { "tuple" } else { "list" };
            return Err(vm.index_error(format!("{what} index out of range")));
        };
        let less = if right { less(vm, a[1], item)? } else { less(vm, item, a[1])? };
        match less {
            Some(less) if less == right => hi = mid,
            Some(_) => lo = mid + 1,
            None => return Ok(None),
        }
    }
    Ok(Some(lo))
}

/// The arguments with None for absent ones, and which side.
fn all<'v>(a: &[Value<'v>], right: bool) -> Vec<Value<'v>> {
    let none = |v: Value<'v>| if v.is_empty() { Value::NONE } else { v };
    let lo = if a[2].is_empty() { Value::int32(0) } else { a[2] };
    vec![a[0], a[1], lo, none(a[3]), none(a[4]), Value::bool(right)]
}

fn search<'v>(vm: &'v Vm, a: &[Value<'v>], right: bool) -> NResult<'v> {
    match place(vm, a, right)? {
        Some(at) => Ok(Value::len(at)),
        None => Err(source_tail(vm, "bisect", "_search", &all(a, right))),
    }
}

fn insert<'v>(vm: &'v Vm, a: &[Value<'v>], right: bool) -> NResult<'v> {
    let list = a[0].get::<List>();
    if let Some(l) = list
        && let Some(at) = place(vm, a, right)?
    {
        vm.oom(l.push(&vm.heap, a[1]))?;
        vm.ticks(l.len().saturating_sub(at) / 128)?;
        vm.oom(l.update(&vm.heap, |items| {
            if let Some(tail) = items.get_mut(at..) {
                tail.rotate_right(1);
            }
        }))?;
        return Ok(Value::NONE);
    }
    Err(source_tail(vm, "bisect", "_insert", &all(a, right)))
}
