//! `__import__`: from a name to a module. Where modules come from the host knows; this file has
//! the rest of CPython's rules: relative names, parents first, submodules as attributes.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{Answer, Exit, NResult, NativeDef, Row};
use crate::object::map::Dict;
use crate::object::text::Str;
use crate::value::Value;

/// The builtin function.
pub(crate) static IMPORT: NativeDef = NativeDef::new(
    "__import__",
    "name, globals=None, locals=None, fromlist=(), level=0",
    import,
    "Import a module.",
);

fn text(v: Value<'_>) -> Option<String> {
    v.get::<Str>().map(|s| s.to_display().into_owned())
}

fn import<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(name) = text(args[0]) else {
        return Err(vm.type_error("module name must be a string"));
    };
    let level = match args[4] {
        v if v.is_empty() => 0,
        v => match vm.as_index_i64(v) {
            Some(Ok(n)) if n >= 0 => n,
            Some(_) => return Err(vm.value_error("level must be >= 0")),
            None => return Err(vm.type_error("level must be an integer")),
        },
    };
    let full = match level {
        0 if name.is_empty() => return Err(vm.value_error("Empty module name")),
        0 => name.clone(),
        _ => absolute(vm, &name, args[1], level)?,
    };
    // What a plain import gives is the first part of what was written.
    let first = name.split('.').next().unwrap_or("");
    let top = full.len() - (name.len() - first.len());
    let state = vec![
        vm.str(&full)?,
        if args[3].is_empty() { Value::NONE } else { args[3] },
        vm.str(&full[..top])?,
        Value::NONE,
        Value::len(0),
    ];
    next_part(vm, &state)
}

/// The absolute name of a relative import.
fn absolute<'v>(
    vm: &'v Vm,
    name: &str,
    globals: Value<'v>,
    level: i64,
) -> Result<String, Exit<'v>> {
    let n = &vm.names;
    let globals = globals.get::<Dict>();
    let get = |w| globals.and_then(|d| vm.dict_get_name(d, vm.word_value(w)));
    let package = match get(n.__package__).filter(|p| !p.is_none()) {
        Some(p) => match text(p) {
            Some(p) => p,
            None => return Err(vm.type_error("__package__ must be a string")),
        },
        None => {
            let me = get(n.__name__).and_then(text).unwrap_or_default();
            if get(n.__path__).is_some() {
                me
            } else {
                me.rsplit_once('.').map_or(String::new(), |(p, _)| p.to_owned())
            }
        }
    };
    if package.is_empty() {
        return Err(
            vm.err(Type::ImportError, "attempted relative import with no known parent package")
        );
    }
    let mut base = package.as_str();
    for _ in 1..level {
        base = match base.rsplit_once('.') {
            Some((b, _)) => b,
            None => {
                return Err(
                    vm.err(Type::ImportError, "attempted relative import beyond top-level package")
                );
            }
        };
    }
    Ok(if name.is_empty() { base.to_owned() } else { format!("{base}.{name}") })
}

fn not_found<'v>(vm: &'v Vm, msg: &str, name: &str) -> Exit<'v> {
    let e = vm.exception(Type::ModuleNotFoundError, msg);
    match vm.str(name).and_then(|n| {
        vm.set_attr_raw(e, vm.word_value(vm.names.name), n)?;
        vm.set_attr_raw(e, vm.word_value(vm.names.msg), vm.str(msg)?)?;
        Ok(n)
    }) {
        Ok(_) => Exit::Raise(e),
        Err(e) => e,
    }
}

/// A module that was imported before.
fn loaded<'v>(vm: &'v Vm, name: &str) -> Result<Option<Value<'v>>, Exit<'v>> {
    match vm.dict_get_str(vm.modules(), name) {
        Some(m) if m.is_none() => {
            let msg = format!("import of {name} halted; None in sys.modules");
            Err(not_found(vm, &msg, name))
        }
        m => Ok(m),
    }
}

/// State: full name, fromlist, name of what a plain import gives, parent module or None, bytes
/// of the full name that are done.
fn next_part<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    static LOADED: Row = Row {
        name: "import_part",
        catches: false,
        resume: |vm, state, answer| {
            let module = answer.value()?;
            let full = text(state[0]).unwrap_or_default();
            let end = state[4].as_small().unwrap_or(0) as usize;
            let part = &full[..end.min(full.len())];
            // What is in sys.modules counts: a module may have replaced itself.
            let module = loaded(vm, part)?.unwrap_or(module);
            let mut next = state.to_vec();
            next[3] = module;
            let Some((_, last)) = part.rsplit_once('.') else { return next_part(vm, &next) };
            let name = vm.intern(last);
            let set = vm.setattr(state[3], name, module);
            vm.and_then_effect(set, &ATTACHED, next)
        },
    };
    static ATTACHED: Row = Row {
        name: "import_attached",
        catches: false,
        resume: |vm, state, answer| {
            answer.value()?;
            next_part(vm, state)
        },
    };
    // The other task's import has ended, well or not.
    static UNLOCKED: Row = Row {
        name: "import_unlocked",
        catches: false,
        resume: |vm, state, answer| {
            answer.value()?;
            next_part(vm, state)
        },
    };
    let full = text(state[0]).unwrap_or_default();
    let mut parent = state[3];
    let mut done = state[4].as_small().unwrap_or(0) as usize;
    while done < full.len() {
        let from = if done == 0 { 0 } else { done + 1 };
        let end = full[from..].find('.').map_or(full.len(), |i| from + i);
        let part = &full[..end];
        if let Some(m) = loaded(vm, part)? {
            if let Some(wait) = vm.host().import_lock(vm, part) {
                let again = vec![state[0], state[1], state[2], parent, Value::len(done)];
                return vm.and_then(Err(wait), &UNLOCKED, again);
            }
            parent = m;
            done = end;
            continue;
        }
        if done > 0 {
            let path = vm.getattr_opt(parent, vm.word_value(vm.names.__path__));
            if !matches!(path, Ok(v) if !v.is_empty()) {
                let before = &full[..done];
                let msg = format!("No module named '{part}'; '{before}' is not a package");
                return Err(not_found(vm, &msg, part));
            }
        }
        let next = vec![state[0], state[1], state[2], parent, Value::len(end)];
        return vm.and_then(vm.host().import(vm, part), &LOADED, next);
    }
    let plain = match vm.plain_items(state[1]) {
        Some(items) => items.is_empty(),
        None => state[1].is_none(),
    };
    if plain {
        let top = text(state[2]).unwrap_or_default();
        return Ok(loaded(vm, &top)?.unwrap_or(parent));
    }
    let names = vm.tuple(&vm.plain_items(state[1]).unwrap_or_default())?;
    from_list(vm, &[parent, names, Value::len(0), state[0], Value::FALSE])
}

/// Names of a `from` import that are no attributes yet may be submodules. State: module, tuple of
/// names, index, the module's name, whether the names come from `__all__`.
fn from_list<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    static KNOWN: Row = Row {
        name: "import_from_known",
        catches: true,
        resume: |vm, state, answer| match answer {
            Answer::Value(v) if !v.is_empty() => advance(vm, state),
            Answer::Raised(e) if !vm.is_exception_of(e, Type::AttributeError) => {
                Err(Exit::Raise(e))
            }
            _ => submodule(vm, state),
        },
    };
    static ALL: Row = Row {
        name: "import_from_all",
        catches: false,
        resume: |vm, state, answer| {
            let all = answer.value()?;
            let names = if all.is_empty() { None } else { vm.plain_items(all) };
            match names {
                Some(names) => {
                    let names = vm.tuple(&names)?;
                    from_list(vm, &[state[0], names, Value::len(0), state[3], Value::TRUE])
                }
                None => advance(vm, state),
            }
        },
    };
    let path = vm.getattr_opt(state[0], vm.word_value(vm.names.__path__));
    if !matches!(path, Ok(v) if !v.is_empty()) {
        return Ok(state[0]);
    }
    let i = state[2].as_small().unwrap_or(0) as usize;
    let Some(&name) = vm.tuple_items(state[1]).get(i) else { return Ok(state[0]) };
    let Some(s) = name.get::<Str>() else {
        return Err(
            vm.type_error(format!("Item in ``from list'' must be str, not {}", vm.type_name(name)))
        );
    };
    if s.bytes() == b"*" {
        if state[4].is(Value::TRUE) {
            return advance(vm, state);
        }
        let all = vm.word_value(vm.names.__all__);
        return vm.and_then(vm.getattr_opt(state[0], all), &ALL, state.to_vec());
    }
    let name = Value::object(vm.intern_str(s));
    vm.and_then(vm.getattr_opt(state[0], name), &KNOWN, state.to_vec())
}

fn advance<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    let i = state[2].as_small().unwrap_or(0) as usize;
    from_list(vm, &[state[0], state[1], Value::len(i + 1), state[3], state[4]])
}

fn submodule<'v>(vm: &'v Vm, state: &[Value<'v>]) -> NResult<'v> {
    static DONE: Row = Row {
        name: "import_submodule",
        catches: true,
        resume: |vm, state, answer| {
            if let Answer::Raised(e) = answer {
                // That there is no such submodule, the `from` itself will find out.
                let name = vm.get_attr_raw(e, vm.word_value(vm.names.name)).and_then(text);
                if !vm.is_exception_of(e, Type::ModuleNotFoundError) || name != wanted(vm, state) {
                    return Err(Exit::Raise(e));
                }
            }
            advance(vm, state)
        },
    };
    let Some(full) = wanted(vm, state) else { return advance(vm, state) };
    let name = vm.str(&full)?;
    let inner = vec![name, Value::NONE, name, Value::NONE, Value::len(0)];
    vm.and_then(next_part(vm, &inner), &DONE, state.to_vec())
}

fn wanted(vm: &Vm, state: &[Value<'_>]) -> Option<String> {
    let i = state[2].as_small()? as usize;
    let name = text(*vm.tuple_items(state[1]).get(i)?)?;
    Some(format!("{}.{name}", text(state[3])?))
}
