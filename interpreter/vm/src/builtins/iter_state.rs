//! What builtin iterators are made of again: `__reduce__` and `__setstate__`, for `pickle` and
//! `copy`.

use num_bigint::BigInt;

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Exit, NResult, NativeDef};
use crate::object::iter::Iter;
use crate::object::seq::Tuple;
use crate::object::text::Str;
use crate::value::Value;

/// Rows of all builtin iterators.
pub const REDUCE: &[NativeDef] =
    &[NativeDef::new("__reduce__", "self, /", reduce, "Return state information for pickling.")];
/// Rows of those that stand at an index.
pub const SET_STATE: &[NativeDef] =
    &[NativeDef::new("__setstate__", "self, state, /", set_state, "Set state information.")];

/// Whether iterators of class `t` stand at an index that can be set.
pub(crate) fn has_index(t: Type) -> bool {
    use Type as T;
    matches!(
        t,
        T::ListIter
            | T::ListReverseIter
            | T::TupleIter
            | T::StrIter
            | T::AsciiIter
            | T::BytesIter
            | T::ByteArrayIter
            | T::RangeIter
            | T::LongRangeIter
            | T::SequenceIter
            | T::Reversed
    )
}

fn reduce<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    use Type as T;
    let Some(i) = a[0].get::<Iter>() else { return Ok(Value::NONE) };
    let class = vm.class_value_of(a[0]);
    let over = i.get(0);
    let n = i.n.get();
    // These may have subclasses.
    let bases = [T::Enumerate, T::Zip, T::Map, T::Filter, T::Reversed];
    let mro = vm.class_of(a[0]).mro();
    let base = bases.into_iter().find(|t| mro.iter().any(|c| c.is(vm.class_value(*t))));
    let Some(kind) = base.or_else(|| vm.exact_type(a[0])) else { return Err(cannot(vm, a[0])) };
    match kind {
        T::Enumerate => vm.tuple(&[class, vm.tuple(&[over, i.get(1)])?]),
        T::Zip if i.m.get() != 0 => vm.tuple(&[class, over, Value::TRUE]),
        T::Zip => vm.tuple(&[class, over]),
        T::Map => {
            let mut args = vec![i.get(1)];
            args.extend_from_slice(over.get::<Tuple>().map_or(&[][..], |t| t.items()));
            vm.tuple(&[class, vm.tuple(&args)?])
        }
        T::Filter => vm.tuple(&[class, vm.tuple(&[i.get(1), over])?]),
        T::Reversed | T::ListReverseIter if n > 0 && !over.is_empty() => {
            let class = vm.class_value(T::Reversed);
            vm.tuple(&[class, vm.tuple(&[over])?, Value::len(n - 1)])
        }
        T::Reversed => vm.tuple(&[class, vm.tuple(&[vm.tuple(&[])?])?]),
        T::RangeIter => {
            let start = vm.int(i.m.get() as i64);
            rest_of_range(vm, start, over, vm.uint(n as u64))
        }
        T::LongRangeIter => rest_of_range(vm, over, i.get(1), i.get(2)),
        T::ListReverseIter => again(vm, vm.list(Vec::new())?, Value::EMPTY),
        T::ListIter if over.is_empty() => again(vm, vm.list(Vec::new())?, Value::EMPTY),
        _ if over.is_empty() => again(vm, vm.tuple(&[])?, Value::EMPTY),
        T::ListIter | T::TupleIter | T::BytesIter | T::ByteArrayIter | T::SequenceIter => {
            again(vm, over, Value::len(n))
        }
        T::StrIter | T::AsciiIter => {
            let before = over.get::<Str>().and_then(|s| s.bytes().get(..n));
            again(vm, over, Value::len(before.map_or(0, crate::text_len)))
        }
        T::CallableIter => vm.tuple(&[iter_function(vm), vm.tuple(&[over, i.get(1)])?]),
        T::DictKeyIter
        | T::DictValueIter
        | T::DictItemIter
        | T::DictReverseKeyIter
        | T::DictReverseValueIter
        | T::DictReverseItemIter
        | T::SetIter => {
            // The items that are left; the iterator itself stays where it is.
            let same = vm.iter(kind, i.next, [over, i.get(1), i.get(2)], n, i.m.get());
            let items = vm.items_leaf(same)?.unwrap_or_default();
            again(vm, vm.list(items)?, Value::EMPTY)
        }
        _ => Err(cannot(vm, a[0])),
    }
}

fn cannot<'v>(vm: &'v Vm, v: Value<'v>) -> Exit<'v> {
    vm.type_error(format!("cannot pickle '{}' object", vm.type_name(v)))
}

fn iter_function(vm: &Vm) -> Value<'_> {
    vm.dict_get_str(vm.builtins(), "iter").unwrap_or(Value::NONE)
}

/// `iter(over)`, at an index.
fn again<'v>(vm: &'v Vm, over: Value<'v>, index: Value<'v>) -> NResult<'v> {
    let made = [iter_function(vm), vm.tuple(&[over])?, index];
    vm.tuple(if index.is_empty() { &made[..2] } else { &made })
}

fn rest_of_range<'v>(
    vm: &'v Vm,
    start: Value<'v>,
    step: Value<'v>,
    left: Value<'v>,
) -> NResult<'v> {
    let big = |v| vm.to_bigint(v).unwrap_or_default();
    let stop = vm.bigint(big(start) + big(step) * big(left));
    let range = vm.new_range(start, stop, step)?;
    vm.tuple(&[iter_function(vm), vm.tuple(&[range])?, Value::NONE])
}

fn set_state<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(i) = a[0].get::<Iter>() else { return Ok(Value::NONE) };
    if vm.class_of(a[0]).mro().iter().any(|c| c.is(vm.class_value(Type::Zip))) {
        i.m.set(u64::from(vm.truth(a[1])?));
        return Ok(Value::NONE);
    }
    let Some(index) = vm.to_bigint(a[1]) else {
        return Err(vm.type_error("an integer is required"));
    };
    if i.get(0).is_empty() {
        return Ok(Value::NONE);
    }
    let clamped = index.clone().max(BigInt::from(0));
    let at = usize::try_from(&clamped).unwrap_or(usize::MAX >> 1);
    let big = |v| vm.to_bigint(v).unwrap_or_default();
    match vm.exact_type(a[0]) {
        Some(Type::ListReverseIter | Type::Reversed) => {
            // Never further up than it has come down from.
            let next = BigInt::from(i.n.get()).min(index + 1);
            i.n.set(usize::try_from(next.max(BigInt::from(0))).unwrap_or(0));
        }
        Some(Type::RangeIter) => {
            let at = at.min(i.n.get());
            let step = i.get(0).as_small().unwrap_or(0);
            i.n.set(i.n.get() - at);
            i.m.set((i.m.get() as i64).wrapping_add(step.wrapping_mul(at as i64)) as u64);
        }
        Some(Type::LongRangeIter) => {
            let (left, step) = (big(i.get(2)), big(i.get(1)));
            let at = clamped.min(left.clone());
            i.set(0, vm.bigint(big(i.get(0)) + step * &at));
            i.set(2, vm.bigint(left - at));
        }
        Some(Type::StrIter | Type::AsciiIter) => {
            let bytes = i.get(0).get::<Str>().map_or(&[][..], |s| s.bytes());
            i.n.set(byte_of_char(bytes, at));
        }
        _ => i.n.set(at),
    }
    Ok(Value::NONE)
}

/// Where the character with this index begins.
fn byte_of_char(bytes: &[u8], index: usize) -> usize {
    let mut starts = bytes.iter().enumerate().filter(|(_, b)| **b & 0xC0 != 0x80);
    starts.nth(index).map_or(bytes.len(), |(at, _)| at)
}
