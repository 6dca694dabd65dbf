//! For `Counter`: counting the items of an iterable.

use miniscript_vm::code::op::Op;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::map::Dict;
use miniscript_vm::{Value, Vm};

/// Counts items in a dict. What is left to be counted in script code is returned, as a list; or the
/// iterable itself.
pub(super) const COUNT: NativeDef = NativeDef::new("_count", "counts, iterable, /", count, "");

fn count<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(d) = a[0].get::<Dict>() else { return Ok(a[1]) };
    let Some(items) = vm.items_leaf(a[1])? else { return Ok(a[1]) };
    for (at, &key) in items.iter().enumerate() {
        vm.tick()?;
        if !add(vm, d, key)? {
            return vm.list(items[at..].to_vec());
        }
    }
    Ok(Value::NONE)
}

/// Adds one to the count of `key`; `false` if that takes script code.
fn add<'v>(vm: &'v Vm, d: &'v Dict, key: Value<'v>) -> Result<bool, Exit<'v>> {
    let Some(hash) = vm.hash_leaf(key)? else { return Ok(false) };
    let Some(at) = vm.dict_lookup(d, key, hash)? else { return Ok(false) };
    let one = Value::int32(1);
    let n = match at.and_then(|at| d.entry(at)) {
        None => one,
        Some((_, n)) => match n.as_small().and_then(|n| Value::small(n + 1)) {
            Some(n) => n,
            None => match vm.binary(Op::ADD, n, one) {
                Ok(n) => n,
                Err(Exit::Do(_)) => return Ok(false),
                Err(e) => return Err(e),
            },
        },
    };
    vm.dict_put(d, at, key, hash, n)?;
    Ok(true)
}
