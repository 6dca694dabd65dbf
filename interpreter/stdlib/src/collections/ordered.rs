//! For `OrderedDict`: its order.

use miniscript_vm::native::{NResult, NativeDef};
use miniscript_vm::object::map::Dict;
use miniscript_vm::{Value, Vm};

/// `OrderedDict.move_to_end`: True if done, None if keys must be compared in script code.
pub(super) const MOVE: NativeDef = NativeDef::new("_move", "d, key, last, /", move_to_end, "");

/// The first or last entry, removed; None if there is none.
pub(super) const POP: NativeDef = NativeDef::new("_pop_end", "d, last, /", pop_end, "");

fn move_to_end<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(d) = a[0].get::<Dict>() else { return Ok(Value::NONE) };
    let last = vm.truth(a[2])?;
    let Some(hash) = vm.hash_leaf(a[1])? else { return Ok(Value::NONE) };
    match vm.dict_lookup(d, a[1], hash)? {
        None => Ok(Value::NONE),
        Some(None) => Err(vm.key_error(a[1])),
        Some(Some(at)) => {
            let moved = vm.oom(d.update(&vm.heap, |t| t.move_to_end(at, last)))?;
            moved.map_err(|_| vm.memory_error())?;
            Ok(Value::TRUE)
        }
    }
}

fn pop_end<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(d) = a[0].get::<Dict>() else { return Ok(Value::NONE) };
    let at = if vm.truth(a[1])? {
        let t = d.table();
        t.prev_live(t.end())
    } else {
        d.table().next_live(0)
    };
    let Some((at, (key, value))) = at.and_then(|at| Some((at, d.entry(at)?))) else {
        return Ok(Value::NONE);
    };
    let pair = vm.tuple(&[key, value])?;
    vm.oom(d.update(&vm.heap, |t| t.remove(at)))?;
    Ok(pair)
}
