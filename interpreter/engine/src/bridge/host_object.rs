//! `MsHostObject`: the object protocol.
//!
//! Each function keeps the contract of the table: pointers are those of a native that runs.

use miniscript_abi::*;
use miniscript_vm::builtins::Type;
use miniscript_vm::code::op::Op;
use miniscript_vm::native::{Answer, Exit, NResult, Row};
use miniscript_vm::object::class::Class;
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::seq::Tuple;
use miniscript_vm::ops::compare::Cmp;
use miniscript_vm::{Value, Vm};

use super::call::{Call, host};
use super::host_class::{class_of, native_new, native_payload};
use super::host_number::{to_float, to_index};
use super::host_value::{put, text};

pub(super) static TABLE: MsHostObject = MsHostObject {
    size: size_of::<MsHostObject>(),
    get_attr: Some(get_attr),
    find_attr: Some(find_attr),
    set_attr: Some(set_attr),
    del_attr: Some(del_attr),
    find_special: Some(find_special),
    get_item: Some(get_item),
    find_item: Some(find_item),
    set_item: Some(set_item),
    del_item: Some(del_item),
    contains: Some(contains),
    len: Some(len),
    iter: Some(iter),
    next: Some(next),
    truth: Some(truth),
    compare: Some(compare),
    binary: Some(binary),
    hash: Some(hash),
    same: Some(same),
    is_instance: Some(is_instance),
    is_callable: Some(is_callable),
    type_of: Some(type_of),
    type_name: Some(type_name),
    repr: Some(repr),
    str: Some(str),
    to_float: Some(to_float),
    to_index: Some(to_index),
    import: Some(import),
    builtin: Some(builtin),
    class_of: Some(class_of),
    native_new: Some(native_new),
    native_payload: Some(native_payload),
};

/// A result in a tuple.
pub(super) static ONE: Row = Row {
    name: "extension_result",
    catches: false,
    resume: |vm, _, answer| vm.tuple(&[answer.value()?]),
};

/// An item in a tuple, so that the end can be told from any item.
static ITEM: Row = Row {
    name: "extension_item",
    catches: false,
    resume: |vm, _, answer| {
        let v = answer.value()?;
        if v.is_empty() { vm.tuple(&[]) } else { vm.tuple(&[v]) }
    },
};

/// An attribute in a tuple; an empty one for none, also where an AttributeError says so.
static FOUND: Row = Row {
    name: "extension_attribute",
    catches: true,
    resume: |vm, _, answer| match answer {
        Answer::Value(v) => optional(vm, (!v.is_empty()).then_some(v)),
        Answer::Raised(e) if vm.is_exception_of(e, Type::AttributeError) => optional(vm, None),
        Answer::Raised(e) => Err(Exit::Raise(e)),
    },
};

/// A value that may be missing, in a tuple.
fn optional<'v>(vm: &'v Vm, v: Option<Value<'v>>) -> NResult<'v> {
    match v {
        Some(v) => vm.tuple(&[v]),
        None => vm.tuple(&[]),
    }
}

/// Writes what [`optional`] holds.
unsafe fn put_optional<'c>(
    call: &'c Call,
    v: Value<'c>,
    out: *mut MsValue,
) -> Result<MsStatus, Exit<'c>> {
    match v.get::<Tuple>().and_then(|t| t.items().first().copied()) {
        // SAFETY: the caller's `out`.
        Some(v) => unsafe { put(call, v, out) },
        None => Ok(MS_END),
    }
}

/// Calls a builtin function by name.
fn call_builtin<'v>(vm: &'v Vm, name: &str, args: Vec<Value<'v>>) -> NResult<'v> {
    match vm.dict_get_str(vm.builtins(), name) {
        Some(f) => match vm.call_leaf(f, &args) {
            Some(r) => r,
            None => Err(Exit::tail(f, args)),
        },
        None => Err(vm.runtime_error(format!("the builtin {name} is missing"))),
    }
}

unsafe extern "C" fn get_attr(
    at: *mut MsVm,
    object: MsValue,
    name: MsStr,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let name = text(call, name)?;
            let v = call.run([object], |vm, [o]| vm.getattr(o, vm.intern(name)))?;
            put(call, v, out)
        })
    }
}

unsafe extern "C" fn find_attr(
    at: *mut MsVm,
    object: MsValue,
    name: MsStr,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let name = text(call, name)?;
            let found = call.run([object], |vm, [o]| {
                let name = vm.intern(name);
                let found = vm.getattr_opt(o, name);
                vm.and_then(found, &FOUND, Vec::new())
            })?;
            put_optional(call, found, out)
        })
    }
}

unsafe extern "C" fn set_attr(
    at: *mut MsVm,
    object: MsValue,
    name: MsStr,
    value: MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let name = text(call, name)?;
            call.run([object, value], |vm, [o, v]| {
                vm.setattr(o, vm.intern(name), v).map(|()| Value::NONE)
            })?;
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn del_attr(at: *mut MsVm, object: MsValue, name: MsStr) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let name = text(call, name)?;
            call.run([object], |vm, [o]| {
                vm.setattr(o, vm.intern(name), Value::EMPTY).map(|()| Value::NONE)
            })?;
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn find_special(
    at: *mut MsVm,
    object: MsValue,
    name: MsStr,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let name = text(call, name)?;
            let found =
                call.run([object], |vm, [o]| match vm.bound_method(o, vm.intern(name).word()) {
                    Some(bound) => vm.and_then(bound, &ONE, Vec::new()),
                    None => optional(vm, None),
                })?;
            put_optional(call, found, out)
        })
    }
}

unsafe extern "C" fn get_item(
    at: *mut MsVm,
    object: MsValue,
    key: MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let v = call.run([object, key], |vm, [o, k]| vm.getitem(o, k))?;
            put(call, v, out)
        })
    }
}

unsafe extern "C" fn find_item(
    at: *mut MsVm,
    object: MsValue,
    key: MsValue,
    out: *mut MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            if !call.value(object)?.is_a::<Dict>() {
                return Err(vm.type_error("a dict is required"));
            }
            let present =
                call.run([object, key], |vm, [o, k]| vm.contains(o, k).map(Value::bool))?;
            if !vm.truth(present)? {
                return Ok(MS_END);
            }
            let v = call.run([object, key], |vm, [o, k]| vm.getitem(o, k))?;
            put(call, v, out)
        })
    }
}

unsafe extern "C" fn set_item(
    at: *mut MsVm,
    object: MsValue,
    key: MsValue,
    value: MsValue,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            call.run([object, key, value], |vm, [o, k, v]| {
                vm.setitem(o, k, v).map(|()| Value::NONE)
            })?;
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn del_item(at: *mut MsVm, object: MsValue, key: MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            call.run([object, key], |vm, [o, k]| vm.delitem(o, k).map(|()| Value::NONE))?;
            Ok(MS_OK)
        })
    }
}

/// Writes a truth.
unsafe fn put_truth<'c>(call: &'c Call, v: Value<'c>, out: *mut u32) -> Result<MsStatus, Exit<'c>> {
    let truth = call.vm().truth(v)?;
    // SAFETY: the caller's `out`.
    unsafe { out.write(u32::from(truth)) };
    Ok(MS_OK)
}

unsafe extern "C" fn contains(
    at: *mut MsVm,
    object: MsValue,
    item: MsValue,
    out: *mut u32,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let v = call.run([object, item], |vm, [o, i]| vm.contains(o, i).map(Value::bool))?;
            put_truth(call, v, out)
        })
    }
}

unsafe extern "C" fn len(at: *mut MsVm, object: MsValue, out: *mut i64) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let v = call.run([object], |vm, [o]| call_builtin(vm, "len", vec![o]))?;
            out.write(call.vm().length_of_result(v)? as i64);
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn iter(at: *mut MsVm, object: MsValue, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let v = call.run([object], |vm, [o]| vm.get_iter(o))?;
            put(call, v, out)
        })
    }
}

unsafe extern "C" fn next(at: *mut MsVm, iterator: MsValue, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let item = call.run([iterator], |_, [i]| Err(Exit::next(i, &ITEM, Vec::new())))?;
            put_optional(call, item, out)
        })
    }
}

unsafe extern "C" fn truth(at: *mut MsVm, object: MsValue, out: *mut u32) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let v = call.run([object], |vm, [o]| vm.truth(o).map(Value::bool))?;
            put_truth(call, v, out)
        })
    }
}

unsafe extern "C" fn compare(
    at: *mut MsVm,
    op: u32,
    left: MsValue,
    right: MsValue,
    out: *mut MsValue,
) -> MsStatus {
    let op = match op {
        MS_CMP_EQ => Cmp::Eq,
        MS_CMP_NE => Cmp::Ne,
        MS_CMP_LT => Cmp::Lt,
        MS_CMP_LE => Cmp::Le,
        MS_CMP_GT => Cmp::Gt,
        MS_CMP_GE => Cmp::Ge,
        _ => return MS_UNSUPPORTED,
    };
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let v = call.run([left, right], |vm, [a, b]| vm.compare(op, a, b))?;
            put(call, v, out)
        })
    }
}

unsafe extern "C" fn binary(
    at: *mut MsVm,
    op: u32,
    left: MsValue,
    right: MsValue,
    out: *mut MsValue,
) -> MsStatus {
    let op = match op {
        MS_OP_ADD => Op::ADD,
        MS_OP_SUB => Op::SUB,
        MS_OP_MUL => Op::MUL,
        MS_OP_TRUEDIV => Op::TRUEDIV,
        MS_OP_FLOORDIV => Op::FLOORDIV,
        MS_OP_MOD => Op::MOD,
        MS_OP_POW => Op::POW,
        MS_OP_LSHIFT => Op::LSHIFT,
        MS_OP_RSHIFT => Op::RSHIFT,
        MS_OP_AND => Op::BITAND,
        MS_OP_OR => Op::BITOR,
        MS_OP_XOR => Op::BITXOR,
        MS_OP_MATMUL => Op::MATMUL,
        _ => return MS_UNSUPPORTED,
    };
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let v = call.run([left, right], |vm, [a, b]| vm.binary(op, a, b))?;
            put(call, v, out)
        })
    }
}

unsafe extern "C" fn hash(at: *mut MsVm, object: MsValue, out: *mut i64) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            let known = match vm.hash_leaf(call.value(object)?)? {
                Some(hash) => Some(hash),
                None => {
                    let v = call.run([object], |vm, [o]| call_builtin(vm, "hash", vec![o]))?;
                    vm.as_index_i64(v).and_then(Result::ok)
                }
            };
            let hash =
                known.ok_or_else(|| vm.type_error("__hash__ method should return an integer"))?;
            out.write(hash);
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn same(at: *mut MsVm, left: MsValue, right: MsValue, out: *mut u32) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let (a, b) = (call.value(left)?, call.value(right)?);
            let vm = call.vm();
            // Ints have no identity of their own once they have crossed the boundary.
            let ints = left.tag == MS_TAG_INT && right.tag == MS_TAG_INT;
            let equal = ints && vm.as_index_i64(a) == vm.as_index_i64(b);
            out.write(u32::from(a.is(b) || equal));
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn is_instance(
    at: *mut MsVm,
    object: MsValue,
    type_object: MsValue,
    out: *mut u32,
) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let v = call.run([object, type_object], |vm, [o, t]| {
                let plain = t.get::<Class>().is_some_and(|c| vm.class_of(o).is_subclass(c));
                if plain {
                    return Ok(Value::TRUE);
                }
                call_builtin(vm, "isinstance", vec![o, t])
            })?;
            put_truth(call, v, out)
        })
    }
}

unsafe extern "C" fn is_callable(at: *mut MsVm, object: MsValue, out: *mut u32) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            use miniscript_vm::object::func::{BoundMethod, Function, Native};
            let vm = call.vm();
            let v = call.value(object)?;
            let known = v.is_a::<Function>()
                || v.is_a::<Native>()
                || v.is_a::<BoundMethod>()
                || v.is_a::<Class>();
            let class = vm.class_of(v);
            let callable = known || vm.class_lookup(class, vm.names.__call__).is_some();
            out.write(u32::from(callable));
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn type_of(at: *mut MsVm, object: MsValue, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let class = call.vm().class_value_of(call.value(object)?);
            put(call, class, out)
        })
    }
}

unsafe extern "C" fn type_name(at: *mut MsVm, object: MsValue, out: *mut MsStr) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let name = call.vm().type_name(call.value(object)?);
            out.write(call.lend(name.into_bytes().into()));
            Ok(MS_OK)
        })
    }
}

unsafe extern "C" fn repr(at: *mut MsVm, object: MsValue, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let v = call.run([object], |vm, [o]| call_builtin(vm, "repr", vec![o]))?;
            put(call, v, out)
        })
    }
}

unsafe extern "C" fn str(at: *mut MsVm, object: MsValue, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let v = call.run([object], |vm, [o]| vm.str_value(o))?;
            put(call, v, out)
        })
    }
}

unsafe extern "C" fn import(at: *mut MsVm, name: MsStr, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let name = text(call, name)?;
            let v = call.run([], |vm, []| vm.host().import(vm, name))?;
            put(call, v, out)
        })
    }
}

unsafe extern "C" fn builtin(at: *mut MsVm, name: MsStr, out: *mut MsValue) -> MsStatus {
    // SAFETY: the contract of the table.
    unsafe {
        host(at, |call| {
            let vm = call.vm();
            let name = text(call, name)?;
            match vm.dict_get_str(vm.builtins(), name) {
                Some(v) => put(call, v, out),
                None => Err(vm.name_error(
                    Type::NameError,
                    format!("name '{name}' is not defined"),
                    vm.intern(name),
                )),
            }
        })
    }
}
