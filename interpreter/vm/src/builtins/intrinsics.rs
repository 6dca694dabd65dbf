//! The internal natives of `code::intrinsic`.

use crate::Vm;
use crate::builtins::Type;
use crate::code::intrinsic::Intrinsic;
use crate::native::{Exit, NResult, Row};
use crate::object::exc::Exception;
use crate::object::func::Function;
use crate::object::map::Dict;
use crate::object::record::{Module, Record};
use crate::object::text::Str;
use crate::value::Value;

/// Runs a row.
pub(crate) fn run<'v>(vm: &'v Vm, row: Intrinsic, args: &[Value<'v>]) -> NResult<'v> {
    use Intrinsic as I;
    match row {
        I::BuildClass => {
            let name = vm.word_value(vm.names.__build_class__);
            vm.dict_get_name(vm.builtins(), name)
                .ok_or_else(|| vm.err(Type::NameError, "__build_class__ not found"))
        }
        I::ImportStar => import_star(vm, args[0], args[1]),
        I::SetupAnnotations => setup_annotations(vm, args[0]),
        I::MatchSequence => Ok(Value::bool(vm.match_sequence(args[0]))),
        I::MatchMapping => Ok(Value::bool(vm.match_mapping(args[0]))),
        I::MatchKeys => vm.match_keys(args[0], args[1]),
        I::MatchClass => vm.match_class(args[0], args[1], args[2], args[3]),
        I::MatchRest => vm.match_rest(args[0], args[1]),
        I::Len => length(vm, args[0]),
        I::GroupSplit => vm.group_split_star(args[0], args[1]),
        I::GroupReraise => vm.group_reraise(args[0], args[1]),
        I::ExcWithTraceback => {
            if let Some(e) = args[0].get::<Exception>() {
                e.traceback.set(if args[1].is_none() { Value::EMPTY } else { args[1] }.word());
            }
            Ok(args[0])
        }
        I::TypeVar => vm.type_parameter(Type::TypeVar, args[0], args[1]),
        I::ParamSpec => vm.type_parameter(Type::ParamSpec, args[0], Value::NONE),
        I::TypeVarTuple => vm.type_parameter(Type::TypeVarTuple, args[0], Value::NONE),
        I::TypeAlias => Ok(vm.alloc_with_attrs(
            Record::new(Type::TypeAlias.shape(), args[0], args[1], args[2], Value::EMPTY),
            0,
            false,
        )),
        I::SetTypeParams => set_type_params(vm, args[0], args[1]),
        I::GenericBase => {
            let params = if args[0].is_a::<crate::object::seq::Tuple>() {
                args[0]
            } else {
                vm.tuple(&args[..1])?
            };
            Ok(vm.generic_alias(vm.class_value(Type::Generic), params))
        }
        I::AsyncGenValue => Ok(vm.alloc_with_attrs(
            Record::new(
                Type::AsyncGenValue.shape(),
                args[0],
                Value::EMPTY,
                Value::EMPTY,
                Value::EMPTY,
            ),
            0,
            false,
        )),
        I::IsStopAsync => Ok(Value::bool(vm.is_exception_of(args[0], Type::StopAsyncIteration))),
        I::Iter => vm.get_iter(args[0]),
        I::ClassCell => {
            let key = vm.word_value(vm.names.__classcell__);
            match args[0].get::<Dict>() {
                Some(d) => {
                    vm.dict_set_name(d, key, args[1])?;
                    Ok(args[1])
                }
                None => {
                    static CELL: Row = Row {
                        name: "class_cell",
                        catches: false,
                        resume: |_, state, answer| answer.value().map(|_| state[0]),
                    };
                    vm.and_then_effect(vm.setitem(args[0], key, args[1]), &CELL, vec![args[1]])
                }
            }
        }
    }
}

fn length<'v>(vm: &'v Vm, v: Value<'v>) -> NResult<'v> {
    match vm.dict_get_str(vm.builtins(), "len").and_then(|f| vm.call_leaf(f, &[v])) {
        Some(r) => r,
        None => Err(vm.err(Type::NameError, "name 'len' is not defined")),
    }
}

fn setup_annotations<'v>(vm: &'v Vm, ns: Value<'v>) -> NResult<'v> {
    let key = vm.word_value(vm.names.__annotations__);
    let dict = match ns.get::<Dict>() {
        Some(d) => d,
        None if ns.is_none() => vm.globals(),
        None => {
            let fresh = Value::object(vm.dict());
            return vm.none_after(vm.setitem(ns, key, fresh));
        }
    };
    if vm.dict_get_name(dict, key).is_none() {
        vm.dict_set_name(dict, key, Value::object(vm.dict()))?;
    }
    Ok(Value::NONE)
}

/// The public names of a module go to a namespace.
fn import_star<'v>(vm: &'v Vm, module: Value<'v>, ns: Value<'v>) -> NResult<'v> {
    let target = match ns.get::<Dict>() {
        Some(d) => d,
        None if ns.is_none() => vm.globals(),
        None => return Err(vm.type_error("import * needs a plain namespace")),
    };
    let Some(d) = module.get::<Module>().and_then(|m| m.dict().get::<Dict>()) else {
        for (k, v) in vm.own_attrs(module) {
            if k.get::<Str>().is_some_and(|s| s.bytes().first() != Some(&b'_')) {
                vm.dict_set_name(target, k, v)?;
            }
        }
        return Ok(Value::NONE);
    };
    let Some(all) = vm.dict_get_name(d, vm.word_value(vm.names.__all__)) else {
        for (k, v) in d.entries() {
            if k.get::<Str>().is_some_and(|s| s.bytes().first() != Some(&b'_')) {
                vm.dict_set_name(target, k, v)?;
            }
        }
        return Ok(Value::NONE);
    };
    let names = match vm.plain_items(all) {
        Some(items) => items,
        None => vm.items_leaf(all)?.unwrap_or_default(),
    };
    let names = vm.tuple(&names)?;
    star_next(vm, &[module, Value::object(target), names, Value::len(0)])
}

/// State: module, target namespace, tuple of names, index.
fn star_next<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    static GOT: Row = Row {
        name: "import_star",
        catches: false,
        resume: |vm, state, answer| {
            let v = answer.value()?;
            let i = state[3].as_small().unwrap_or(0) as usize;
            if let Some(d) = state[1].get::<Dict>() {
                let name = vm.attribute_name(vm.tuple_items(state[2])[i])?;
                vm.dict_set_name(d, name, v)?;
            }
            star_next(vm, &[state[0], state[1], state[2], Value::len(i + 1)])
        },
    };
    let names = vm.tuple_items(state[2]);
    let (Some(target), Some(i)) = (state[1].get::<Dict>(), state[3].as_small()) else {
        return Ok(Value::NONE);
    };
    let mut i = i as usize;
    while let Some(&name) = names.get(i) {
        let Some(s) = name.get::<Str>() else {
            let module = state[0]
                .get::<Module>()
                .and_then(|m| m.dict().get::<Dict>())
                .and_then(|d| vm.dict_get_str(d, "__name__"))
                .and_then(|n| n.get::<Str>())
                .map_or("?".into(), |s| s.to_display().into_owned());
            return Err(vm.type_error(format!(
                "Item in {module}.__all__ must be str, not {}",
                vm.type_name(name)
            )));
        };
        let name = Value::object(vm.intern_str(s));
        match vm.getattr(state[0], name) {
            Ok(v) => vm.dict_set_name(target, name, v)?,
            Err(Exit::Raise(e)) => return Err(Exit::Raise(e)),
            e => {
                let next = vec![state[0], state[1], state[2], Value::len(i)];
                return vm.and_then(e, &GOT, next);
            }
        }
        i += 1;
    }
    Ok(Value::NONE)
}

fn set_type_params<'v>(vm: &'v Vm, obj: Value<'v>, params: Value<'v>) -> NResult<'v> {
    if let Some(f) = obj.get::<Function>() {
        vm.set_function_special(f, vm.names.__type_params__, params)?;
    }
    Ok(obj)
}
