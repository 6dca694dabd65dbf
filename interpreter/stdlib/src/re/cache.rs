//! The functions of the module. They compile their pattern once and keep it.

use std::cell::RefCell;

use miniscript_vm::handles::Handle;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::opaque::Opaque;
use miniscript_vm::object::read;
use miniscript_vm::object::text::{Bytes, Str};
use miniscript_vm::{Value, Vm};
use rustc_hash::FxHashMap;

use super::matcher::Mode;
use super::parse::Flags;
use super::pattern::{Search, find_all, find_iter, make, pattern_of, split};
use super::replace::{sub, subn};
use super::subject::{Subject, int};

/// Patterns that were compiled lately, by hash, kind and flags.
#[derive(Default)]
struct Cache {
    known: RefCell<FxHashMap<(i64, bool, u32), Handle>>,
}

/// When there are more, all are forgotten.
const MOST: usize = 512;

pub(crate) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "compile",
        "pattern, flags=0",
        |vm, a| Ok(Value::object(compiled(vm, a[0], a[1])?)),
        "Compile a regular expression pattern, returning a Pattern object.",
    ),
    NativeDef::new(
        "_compile",
        "pattern, flags",
        |vm, a| Ok(Value::object(compiled(vm, a[0], a[1])?)),
        "",
    ),
    NativeDef::new("match", ONE, |vm, a| one(vm, a, Mode::Match), "Match at the start."),
    NativeDef::new("fullmatch", ONE, |vm, a| one(vm, a, Mode::Full), "Match all of the string."),
    NativeDef::new("search", ONE, |vm, a| one(vm, a, Mode::Search), "Match somewhere."),
    NativeDef::new(
        "findall",
        ONE,
        |vm, a| find_all(vm, compiled(vm, a[0], a[2])?, a[1], Value::EMPTY, Value::EMPTY),
        "Return a list of all non-overlapping matches in the string.",
    ),
    NativeDef::new(
        "finditer",
        ONE,
        |vm, a| find_iter(vm, compiled(vm, a[0], a[2])?, a[1], Value::EMPTY, Value::EMPTY),
        "Return an iterator over all non-overlapping matches in the string.",
    ),
    NativeDef::new(
        "split",
        "pattern, string, maxsplit=0, flags=0",
        |vm, a| split(vm, compiled(vm, a[0], a[3])?, a[1], a[2]),
        "Split the string by the occurrences of the pattern.",
    ),
    NativeDef::new(
        "sub",
        "pattern, repl, string, count=0, flags=0",
        |vm, a| sub(vm, compiled(vm, a[0], a[4])?, a[1], a[2], a[3]),
        "Replace the leftmost non-overlapping occurrences of the pattern by repl.",
    ),
    NativeDef::new(
        "subn",
        "pattern, repl, string, count=0, flags=0",
        |vm, a| subn(vm, compiled(vm, a[0], a[4])?, a[1], a[2], a[3]),
        "Return the tuple (new string, number of replacements).",
    ),
    NativeDef::new("escape", "pattern", escape, "Escape special characters in a string."),
    NativeDef::new("purge", "", purge, "Clear the regular expression cache."),
];

const ONE: &str = "pattern, string, flags=0";

fn one<'v>(vm: &'v Vm, args: &[Value<'v>], mode: Mode) -> NResult<'v> {
    Search::new(vm, compiled(vm, args[0], args[2])?, args[1])?.next_match(vm, mode)
}

/// The pattern that `v` is or tells.
fn compiled<'v>(vm: &'v Vm, v: Value<'v>, flags: Value<'v>) -> Result<&'v Opaque, Exit<'v>> {
    if v.is_a::<Opaque>() && pattern_of(v).is_some() {
        if !flags.is_empty() && int(vm, flags, 0)? != 0 {
            let message = "cannot process flags argument with a compiled pattern";
            return Err(vm.value_error(message));
        }
        return v.get::<Opaque>().ok_or_else(|| vm.type_error(""));
    }
    let flags = int(vm, flags, 0)? as u32;
    if !v.is_a::<Str>() && !v.is_a::<Bytes>() {
        // What is unhashable fails in the cache already, as in CPython.
        vm.hash_leaf(v)?;
        return Err(vm.type_error("first argument must be string or compiled pattern"));
    }
    let hash = match v.get::<Str>() {
        Some(s) => vm.str_hash(s),
        None => vm.hash_leaf(v)?.unwrap_or(0),
    };
    let key = (hash, v.is_a::<Str>(), flags);
    let cache = vm.local::<Cache>();
    let known = cache.known.borrow().get(&key).copied();
    let known = known.and_then(|h| vm.handle(h)).and_then(|v| v.get::<Opaque>());
    if let Some(o) = known.filter(|o| same_text(read(&o.word), v)) {
        return Ok(o);
    }
    let made = make(vm, v, flags)?;
    let Some(o) = made.get::<Opaque>() else { return Err(vm.memory_error()) };
    if flags & Flags::DEBUG == 0 {
        if cache.known.borrow().len() >= MOST {
            forget(vm, &cache);
        }
        let old = cache.known.borrow_mut().insert(key, vm.retain(made));
        old.map(|h| vm.release(h));
    }
    Ok(o)
}

fn same_text(a: Value<'_>, b: Value<'_>) -> bool {
    if a.is(b) {
        return true;
    }
    match (Subject::find(a), Subject::find(b)) {
        (Some(a), Some(b)) => a.bytes() == b.bytes(),
        _ => false,
    }
}

fn forget(vm: &Vm, cache: &Cache) {
    for (_, handle) in cache.known.borrow_mut().drain() {
        vm.release(handle);
    }
}

fn purge<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    forget(vm, &vm.local::<Cache>());
    Ok(Value::NONE)
}

fn escape<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(subject) = Subject::find(args[0]) else {
        let name = vm.type_name(args[0]);
        let message = format!("decoding to str: need a bytes-like object, {name} found");
        return Err(vm.type_error(message));
    };
    let bytes = subject.bytes();
    vm.check(bytes.len() * 2)?;
    vm.ticks(bytes.len() / 8)?;
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 8);
    for b in bytes {
        if b"()[]{}?*+-|^$\\.&~# \t\n\r\x0b\x0c".contains(b) {
            out.push(b'\\');
        }
        out.push(*b);
    }
    match subject {
        Subject::Text(_) => vm.str_owned(out),
        Subject::Data(_) => vm.bytes_owned(out),
    }
}
