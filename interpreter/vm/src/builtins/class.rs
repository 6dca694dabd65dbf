//! The `class` statement: `__build_class__`, which finds the metaclass, runs the body and calls
//! the metaclass. Making the class object is `builtins::newclass`.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Answer, Exit, NResult, NativeDef, Row};
use crate::object::class::Class;
use crate::object::func::{CellObj, Function};
use crate::object::map::Dict;
use crate::object::seq::{List, Tuple};
use crate::value::Value;

/// The builtin function.
pub(crate) static BUILD_CLASS: NativeDef = NativeDef::new(
    "__build_class__",
    "func, name, /, *bases, metaclass=None, **kwds",
    build_class,
    "Internal helper function used by the class statement.",
);

fn build_class<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (func, name, meta, kw) = (args[0], args[1], args[2], args[3]);
    let bases = &args[4..];
    if !func.is_a::<Function>() {
        return Err(vm.type_error("__build_class__: func must be a function"));
    }
    if name.get::<crate::object::text::Str>().is_none() {
        return Err(vm.type_error("__build_class__: name is not a string"));
    }
    let tuple = vm.tuple(bases)?;
    if bases.iter().all(|b| b.is_a::<Class>()) {
        return begin(vm, [func, name, meta, kw, tuple, Value::EMPTY]);
    }
    let resolved = vm.list(Vec::new())?;
    resolve_bases(vm, vec![func, name, meta, kw, tuple, resolved], 0)
}

/// Replaces bases that are no classes by what their `__mro_entries__` give, from number `i` on.
/// State: func, name, metaclass, keywords, original bases, list of resolved bases.
fn resolve_bases<'v>(vm: &'v Vm, state: Vec<Value<'v>>, i: usize) -> NResult<'v> {
    static ENTRIES: Row = Row {
        name: "mro_entries",
        catches: false,
        resume: |vm, state, answer| {
            let v = answer.value()?;
            let Some(t) = v.get::<Tuple>() else {
                return Err(vm.type_error("__mro_entries__ must return a tuple"));
            };
            if let Some(l) = state[5].get::<List>() {
                for &b in t.items() {
                    vm.oom(l.push(&vm.heap, b))?;
                }
            }
            let i = state[6].as_small().unwrap_or(0) as usize;
            resolve_bases(vm, state[..6].to_vec(), i + 1)
        },
    };
    static FOUND: Row = Row {
        name: "mro_entries_found",
        catches: false,
        resume: |vm, state, answer| {
            let f = answer.value()?;
            let i = state[6].as_small().unwrap_or(0) as usize;
            if f.is_empty() {
                if let (Some(l), Some(t)) = (state[5].get::<List>(), state[4].get::<Tuple>()) {
                    vm.oom(l.push(&vm.heap, t.items()[i]))?;
                }
                return resolve_bases(vm, state[..6].to_vec(), i + 1);
            }
            Err(Exit::call(f, vec![state[4]], &ENTRIES, state.to_vec()))
        },
    };
    let bases = vm.tuple_items(state[4]);
    let Some(list) = state[5].get::<List>() else { return Ok(Value::NONE) };
    let mut i = i;
    while let Some(b) = bases.get(i) {
        if !b.is_a::<Class>() {
            let mut state = state;
            state.push(Value::len(i));
            let name = vm.word_value(vm.names.__mro_entries__);
            return vm.and_then(vm.getattr_opt(*b, name), &FOUND, state);
        }
        vm.oom(list.push(&vm.heap, *b))?;
        i += 1;
    }
    let resolved = vm.tuple(&list.to_vec())?;
    begin(vm, [state[0], state[1], state[2], state[3], resolved, state[4]])
}

/// Finds the metaclass and prepares the namespace. State: func, name, metaclass or Empty,
/// keywords, bases, original bases or Empty.
fn begin<'v>(vm: &'v Vm, state: [Value<'v>; 6]) -> NResult<'v> {
    static PREPARE_FOUND: Row = Row {
        name: "prepare_found",
        catches: false,
        resume: |vm, state, answer| {
            let f = answer.value()?;
            if f.is_empty() {
                return run_body(state, Value::object(vm.dict()));
            }
            let call = vm.call_kw(f, vec![state[1], state[4]], state[3]);
            vm.and_then(Err(call), &PREPARED, state.to_vec())
        },
    };
    static PREPARED: Row = Row {
        name: "prepared",
        catches: false,
        resume: |vm, state, answer| {
            let ns = answer.value()?;
            let class = vm.class_of(ns);
            if !ns.is_a::<Dict>() && vm.class_lookup(class, vm.names.__getitem__).is_none() {
                let meta = match state[2].get::<Class>() {
                    Some(m) => m.name_str().into_owned(),
                    None => "<metaclass>".into(),
                };
                return Err(vm.type_error(format!(
                    "{meta}.__prepare__() must return a mapping, not {}",
                    vm.type_name(ns)
                )));
            }
            run_body(state, ns)
        },
    };
    let [func, name, meta, kw, bases, original] = state;
    let type_class = vm.class_value(Type::Type);
    let items = vm.tuple_items(bases);
    let meta = if meta.is_empty() {
        items.first().map_or(type_class, |b| vm.class_value_of(*b))
    } else {
        meta
    };
    let meta = match meta.get::<Class>() {
        Some(m) => Value::object(vm.winning_metaclass(m, items)?),
        None => meta,
    };
    let state = vec![func, name, meta, kw, bases, original];
    if meta.is(type_class) {
        return run_body(&state, Value::object(vm.dict()));
    }
    let prepare = vm.word_value(vm.names.__prepare__);
    vm.and_then(vm.getattr_opt(meta, prepare), &PREPARE_FOUND, state)
}

fn run_body<'v>(state: &[Value<'v>], ns: Value<'v>) -> NResult<'v> {
    static BODY: Row = Row {
        name: "class_body",
        catches: false,
        resume: |vm, state, answer| {
            let cell = answer.value()?;
            let mut state = state.to_vec();
            state.push(cell);
            let (ns, original) = (state[6], state[5]);
            if original.is_empty() || original.is(state[4]) {
                return call_metaclass(vm, &state);
            }
            let key = vm.word_value(vm.names.__orig_bases__);
            let set = match ns.get::<Dict>() {
                Some(d) => vm.dict_set_name(d, key, original),
                None => vm.setitem(ns, key, original),
            };
            vm.and_then_effect(set, &READY, state)
        },
    };
    static READY: Row = Row {
        name: "class_ready",
        catches: false,
        resume: |vm, state, answer| {
            answer.value()?;
            call_metaclass(vm, state)
        },
    };
    let mut state = state.to_vec();
    state.push(ns);
    Err(Exit::call(state[0], vec![ns], &BODY, state))
}

/// State: func, name, metaclass, keywords, bases, original bases, namespace, class cell or None.
fn call_metaclass<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    static DONE: Row = Row {
        name: "class_done",
        catches: false,
        resume: |vm, state, answer| check_cell(vm, state, answer),
    };
    let (name, meta, kw, bases, ns) = (state[1], state[2], state[3], state[4], state[6]);
    let hint = state[0].get::<Function>().map_or(0, |f| f.code().proto.attr_hint);
    vm.attr_hint.set(hint);
    let made = if meta.is(vm.class_value(Type::Type)) {
        vm.type_new(vm.class(Type::Type), name, bases, ns, kw)
    } else {
        Err(vm.call_kw(meta, vec![name, bases, ns], kw))
    };
    vm.and_then(made, &DONE, vec![name, state[7]])
}

/// The class must have been put into the cell that its methods use for `super()`.
fn check_cell<'v>(vm: &'v Vm, state: &[Value<'v>], answer: Answer<'v>) -> NResult<'v> {
    let class = answer.value()?;
    let (Some(cell), true) = (state[1].get::<CellObj>(), class.is_a::<Class>()) else {
        return Ok(class);
    };
    let inside = crate::object::read(&cell.contents);
    if inside.is(class) {
        return Ok(class);
    }
    let name = state[0].get::<crate::object::text::Str>().map_or("".into(), |s| s.to_display());
    let shown = vm.class_repr(class);
    if inside.is_empty() {
        return Err(vm.runtime_error(format!(
            "__class__ not set defining '{name}' as {shown}. Was __classcell__ propagated to \
             type.__new__?"
        )));
    }
    Err(vm.type_error(format!(
        "__class__ set to {} defining '{name}' as {shown}",
        vm.class_repr(inside)
    )))
}
