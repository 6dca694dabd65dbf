//! `heapq`: each step first finds out, without changing anything, where items go; if script code
//! has to compare them, the module's source does it all.

use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::seq::List;
use miniscript_vm::{Value, Vm};

use crate::args::class_name;
use crate::iterate::less;
use crate::module::{ModuleDef, source_tail};

const FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "heappush",
        "heap, item, /",
        push,
        "Push item onto heap, maintaining the heap invariant.",
    ),
    NativeDef::new(
        "heappop",
        "heap, /",
        pop,
        "Pop the smallest item off the heap, maintaining the heap invariant.",
    ),
    NativeDef::new(
        "heapreplace",
        "heap, item, /",
        replace,
        "Pop and return the current smallest value, and add the new item.",
    ),
    NativeDef::new(
        "heappushpop",
        "heap, item, /",
        push_pop,
        "Push item on the heap, then pop and return the smallest item from the heap.",
    ),
    NativeDef::new(
        "heapify",
        "heap, /",
        heapify,
        "Transform list into a heap, in-place, in O(len(heap)) time.",
    ),
];

/// The module.
pub(crate) const MODULE: ModuleDef = ModuleDef::source("heapq", "heapq.ms").with(FUNCTIONS);

fn heap<'v>(vm: &'v Vm, name: &str, v: Value<'v>) -> Result<&'v List, Exit<'v>> {
    v.get::<List>().ok_or_else(|| {
        // Functions of one argument do not number it.
        let which = if matches!(name, "heappop" | "heapify") { "argument" } else { "argument 1" };
        vm.type_error(format!("{name}() {which} must be list, not {}", class_name(vm, v)))
    })
}

fn script<'v>(vm: &'v Vm, name: &str, a: &[Value<'v>]) -> Exit<'v> {
    source_tail(vm, "heapq", name, a)
}

fn push<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let l = heap(vm, "heappush", a[0])?;
    let mut path = [0usize; 64];
    let mut n = 0;
    let mut at = l.len();
    while at > 0 {
        let parent = (at - 1) / 2;
        let Some(p) = l.get(parent) else { break };
        match less(vm, a[1], p)? {
            Some(true) => {}
            Some(false) => break,
            None => return Err(script(vm, "_push", a)),
        }
        path[n] = parent;
        n += 1;
        at = parent;
    }
    let mut hole = l.len();
    vm.oom(l.push(&vm.heap, a[1]))?;
    for &parent in &path[..n] {
        if let Some(p) = l.get(parent) {
            l.set(hole, p);
        }
        hole = parent;
    }
    l.set(hole, a[1]);
    Ok(Value::NONE)
}

/// Puts `item` in place of the first one of the `n` first, and mends the heap. `false`, with nothing
/// changed, if script code must compare.
fn sift<'v>(
    vm: &'v Vm,
    l: &'v List,
    n: usize,
    start: usize,
    item: Value<'v>,
) -> Result<bool, Exit<'v>> {
    // Down along the smaller children to a leaf, then up to where the item belongs.
    let mut path = [0usize; 64];
    let mut depth = 0;
    let mut at = start;
    while 2 * at + 1 < n {
        let left = 2 * at + 1;
        let mut child = left;
        if let (Some(a), Some(b)) = (l.get(left), l.get(left + 1).filter(|_| left + 1 < n)) {
            match less(vm, a, b)? {
                Some(true) => {}
                Some(false) => child = left + 1,
                None => return Ok(false),
            }
        }
        path[depth] = child;
        depth += 1;
        at = child;
    }
    while depth > 0 {
        let Some(there) = l.get(path[depth - 1]) else { break };
        match less(vm, item, there)? {
            Some(true) => depth -= 1,
            Some(false) => break,
            None => return Ok(false),
        }
    }
    let mut hole = start;
    for &child in &path[..depth] {
        if let Some(v) = l.get(child) {
            l.set(hole, v);
        }
        hole = child;
    }
    l.set(hole, item);
    Ok(true)
}

fn pop<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let l = heap(vm, "heappop", a[0])?;
    let Some(last) = l.len().checked_sub(1) else {
        return Err(vm.index_error("index out of range"));
    };
    let (Some(first), Some(item)) = (l.get(0), l.get(last)) else { return Ok(Value::NONE) };
    if last > 0 && !sift(vm, l, last, 0, item)? {
        return Err(script(vm, "_pop", a));
    }
    vm.oom(l.update(&vm.heap, |items| items.pop()))?;
    Ok(first)
}

fn replace<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let l = heap(vm, "heapreplace", a[0])?;
    let Some(first) = l.get(0) else { return Err(vm.index_error("index out of range")) };
    match sift(vm, l, l.len(), 0, a[1])? {
        true => Ok(first),
        false => Err(script(vm, "_replace", a)),
    }
}

fn push_pop<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let l = heap(vm, "heappushpop", a[0])?;
    let Some(first) = l.get(0) else { return Ok(a[1]) };
    match less(vm, first, a[1])? {
        Some(false) => Ok(a[1]),
        Some(true) if sift(vm, l, l.len(), 0, a[1])? => Ok(first),
        _ => Err(script(vm, "_push_pop", a)),
    }
}

fn heapify<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let l = heap(vm, "heapify", a[0])?;
    let n = l.len();
    for at in (0..n / 2).rev() {
        vm.tick()?;
        let Some(item) = l.get(at) else { break };
        if !sift(vm, l, n, at, item)? {
            // What was done so far does no harm: it begins again.
            return Err(script(vm, "_heapify", a));
        }
    }
    Ok(Value::NONE)
}
