//! The function that `lru_cache` returns: a record of the function, the results (a dict, whose order
//! is the order of last use), and a list of counters.
//!
//! A key is hashed once for each call. If script code has to hash or compare it, rows go on.

use miniscript_vm::builtins::Type;
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult, NativeDef, Role, Row};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::record::Record;
use miniscript_vm::object::seq::List;
use miniscript_vm::{Value, Vm};

use crate::class::ClassDef;

/// Places in the list.
const HITS: usize = 0;
const MISSES: usize = 1;
/// The most results kept; None: any number.
const MAXSIZE: usize = 2;
/// Whether arguments of different types are told apart.
const TYPED: usize = 3;
/// The class of what `cache_info()` returns.
const INFO: usize = 4;

pub(super) static WRAPPER: ClassDef = ClassDef::open(
    "functools",
    "_lru_cache_wrapper",
    "Create a cached callable that wraps another function.",
    &[
        NativeDef::new("__new__", "cls, user_function, maxsize, typed, cache_info_type", new, "")
            .role(Role::Static),
        NativeDef::new("__call__", "self, /, *args, **kwargs", call, "Call self as a function."),
        NativeDef::new(
            "__get__",
            "self, instance, owner=None, /",
            bind,
            "Return an attribute of instance, which is of type owner.",
        ),
        NativeDef::new("cache_info", "self, /", info, "Report cache statistics"),
        NativeDef::new("cache_clear", "self, /", clear, "Clear the cache and cache statistics"),
        NativeDef::new("__copy__", "self, /", |_, a| Ok(a[0]), ""),
        NativeDef::new("__deepcopy__", "self, memo, /", |_, a| Ok(a[0]), ""),
    ],
)
.layout(Kind::Record)
.with_dict();

fn parts<'v>(v: Value<'v>) -> (Value<'v>, &'v Dict, &'v List) {
    let r = v.get::<Record>().expect("the receiver was checked");
    let (results, counters) = (r.b().get(), r.c().get());
    (r.a(), results.expect("made with it"), counters.expect("made with it"))
}

fn new<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let class = vm.class_for_new(a[0], WRAPPER.of(vm)?)?;
    if !vm.is_callable(a[1]) {
        return Err(vm.type_error("the first argument must be callable"));
    }
    let most = if a[2].is_none() { a[2] } else { vm.int(vm.size_arg(a[2], 0)?.max(0)) };
    let zero = Value::int32(0);
    let counters = vm.list(vec![zero, zero, most, Value::bool(vm.truth(a[3])?), a[4]])?;
    Ok(vm.record(class, [a[1], Value::object(vm.dict()), counters, Value::EMPTY]))
}

fn bind<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    Ok(if a[1].is_none() { a[0] } else { vm.bind(a[0], a[1]) })
}

fn info<'v>(_: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (_, results, counters) = parts(a[0]);
    let at = |i: usize| counters.get(i).unwrap_or(Value::NONE);
    let items = vec![at(HITS), at(MISSES), at(MAXSIZE), Value::len(results.len())];
    Err(Exit::tail(at(INFO), items))
}

fn clear<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (_, results, counters) = parts(a[0]);
    counters.set(HITS, Value::int32(0));
    counters.set(MISSES, Value::int32(0));
    vm.oom(results.update(&vm.heap, |t| t.clear()))?;
    Ok(Value::NONE)
}

fn count(counters: &List, at: usize) {
    let n = counters.get(at).and_then(|n| n.as_small()).unwrap_or(0);
    if let Some(n) = Value::small(n + 1) {
        counters.set(at, n);
    }
}

/// The key of a call: the argument itself if it is a single int or str, otherwise a tuple.
fn key<'v>(
    vm: &'v Vm,
    me: Value<'v>,
    keywords: Value<'v>,
    args: &[Value<'v>],
    typed: bool,
) -> NResult<'v> {
    let keywords = keywords.get::<Dict>();
    if let ([one], None, false) = (args, keywords, typed)
        && matches!(vm.exact_type(*one), Some(Type::Int | Type::Str))
    {
        return Ok(*one);
    }
    let mut parts = args.to_vec();
    let entries = keywords.map_or_else(Vec::new, Dict::entries);
    if !entries.is_empty() {
        // What stands between positional arguments and keywords.
        parts.push(Value::object(vm.class_of(me)));
        parts.extend(entries.iter().flat_map(|(k, v)| [*k, *v]));
    }
    if typed {
        let values = args.iter().copied().chain(entries.iter().map(|(_, v)| *v));
        parts.extend(values.map(|v| vm.class_value_of(v)));
    }
    vm.tuple(&parts)
}

/// Arguments: the wrapper, keywords or Empty, positional ones.
fn call<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let (func, results, counters) = parts(a[0]);
    let most = counters.get(MAXSIZE).and_then(|n| n.as_small());
    if most == Some(0) {
        count(counters, MISSES);
        return Err(vm.call_kw(func, a[2..].to_vec(), a[1]));
    }
    let typed = counters.get(TYPED).is_some_and(|t| t.is(Value::TRUE));
    let key = key(vm, a[0], a[1], &a[2..], typed)?;
    let Some(hash) = vm.hash_leaf(key)? else {
        let state = vec![a[0], key, vm.tuple(&a[2..])?, a[1]];
        return vm.and_then(vm.hash_value(key), &HASHED, state);
    };
    match vm.dict_lookup(results, key, hash)? {
        Some(Some(at)) => hit(vm, a[0], at),
        Some(None) => miss(vm, a[0], key, vm.int(hash), a[2..].to_vec(), a[1]),
        None => {
            let state = vec![a[0], key, vm.tuple(&a[2..])?, a[1], vm.int(hash)];
            search(vm, results, key, vm.int(hash), &FOUND, state)
        }
    }
}

/// After `hash(key)`. State: the wrapper, the key, the arguments, the keywords.
static HASHED: Row = Row {
    name: "cache_hashed",
    catches: false,
    resume: |vm, state, answer| {
        let hash = answer.value()?;
        let (_, results, _) = parts(state[0]);
        let mut next = state.to_vec();
        next.push(hash);
        search(vm, results, state[1], hash, &FOUND, next)
    },
};

/// After the search. State: the wrapper, the key, the arguments, the keywords, the hash.
static FOUND: Row = Row {
    name: "cache_found",
    catches: false,
    resume: |vm, state, answer| match answer.value()?.as_small() {
        Some(at) if at >= 0 => hit(vm, state[0], at as usize),
        _ => miss(vm, state[0], state[1], state[4], vm.tuple_items(state[2]).to_vec(), state[3]),
    },
};

/// Looks for a key that script code must compare; the row gets the entry, or -1.
fn search<'v>(
    vm: &'v Vm,
    results: &'v Dict,
    key: Value<'v>,
    hash: Value<'v>,
    row: &'static Row,
    state: Vec<Value<'v>>,
) -> NResult<'v> {
    let find = vm.prelude("map", "__find")?;
    Err(Exit::call(find, vec![Value::object(results), key, hash], row, state))
}

fn hit<'v>(vm: &'v Vm, me: Value<'v>, at: usize) -> NResult<'v> {
    let (_, results, counters) = parts(me);
    count(counters, HITS);
    let value = results.entry(at).map_or(Value::NONE, |(_, v)| v);
    if counters.get(MAXSIZE).is_some_and(|n| !n.is_none()) {
        let moved = vm.oom(results.update(&vm.heap, |t| t.move_to_end(at, true)))?;
        moved.map_err(|_| vm.memory_error())?;
    }
    Ok(value)
}

fn miss<'v>(
    vm: &'v Vm,
    me: Value<'v>,
    key: Value<'v>,
    hash: Value<'v>,
    args: Vec<Value<'v>>,
    keywords: Value<'v>,
) -> NResult<'v> {
    let (func, _, counters) = parts(me);
    count(counters, MISSES);
    let state = vec![me, key, hash];
    if keywords.is_empty() {
        return Err(Exit::call(func, args, &RESULT, state));
    }
    vm.and_then(Err(vm.call_kw(func, args, keywords)), &RESULT, state)
}

/// After the function. State: the wrapper, the key, its hash.
static RESULT: Row = Row {
    name: "cache_result",
    catches: false,
    resume: |vm, state, answer| {
        let value = answer.value()?;
        let (_, results, _) = parts(state[0]);
        let hash = state[2].as_small().or_else(|| vm.reduce_hash(state[2]));
        match vm.dict_lookup(results, state[1], hash.unwrap_or(0))? {
            Some(at) => keep(vm, state[0], state[1], hash.unwrap_or(0), at, value),
            None => {
                let next = vec![state[0], state[1], state[2], value];
                search(vm, results, state[1], state[2], &PLACED, next)
            }
        }
    },
};

/// After the search for the place of a new result. State: wrapper, key, hash, the result.
static PLACED: Row = Row {
    name: "cache_placed",
    catches: false,
    resume: |vm, state, answer| {
        let at = answer.value()?.as_small().and_then(|at| usize::try_from(at).ok());
        let hash = vm.reduce_hash(state[2]).unwrap_or(0);
        keep(vm, state[0], state[1], hash, at, state[3])
    },
};

/// Stores a result, unless the call itself has stored one under that key.
fn keep<'v>(
    vm: &'v Vm,
    me: Value<'v>,
    key: Value<'v>,
    hash: i64,
    at: Option<usize>,
    value: Value<'v>,
) -> NResult<'v> {
    let (_, results, counters) = parts(me);
    if at.is_some() {
        return Ok(value);
    }
    if let Some(most) = counters.get(MAXSIZE).and_then(|n| n.as_small())
        && results.len() as i64 >= most
    {
        let oldest = results.table().next_live(0);
        if let Some(oldest) = oldest {
            vm.oom(results.update(&vm.heap, |t| t.remove(oldest)))?;
        }
    }
    vm.dict_put(results, None, key, hash, value)?;
    Ok(value)
}
