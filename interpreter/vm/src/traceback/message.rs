//! The last lines of a rendered exception: its class, the place of a syntax error, suggestions.

use super::text_of;
use crate::Vm;
use crate::builtins::Type;
use crate::object::class::Class;
use crate::object::exc::{Exception, Traceback};
use crate::object::func::Function;
use crate::object::read;
use crate::object::text::Str;
use crate::suggest::nearest;
use crate::value::Value;

/// `module.QualName`; builtins and the main script need no module.
pub(super) fn class_name(vm: &Vm, e: Value<'_>) -> String {
    let class: &Class = vm.class_of(e);
    let name = text_of(read(&class.qualname));
    match vm.class_module(class).filter(|m| m.is_a::<Str>()).map(text_of) {
        Some(m) if m != "builtins" && m != "__main__" => format!("{m}.{name}"),
        Some(_) => name,
        None => format!("<unknown>.{name}"),
    }
}

/// The lines of a syntax error, if it knows a place.
pub(super) fn syntax_error(vm: &Vm, e: Value<'_>, class: &str) -> Option<String> {
    let get = |name| vm.get_attr_raw(e, vm.word_value(name)).filter(|v| !v.is_none());
    let n = &vm.names;
    let mut out = String::new();
    let mut suffix = String::new();
    let file = get(n.filename).map(text_of);
    let number = |v: Value<'_>| match vm.as_index_i64(v) {
        Some(Ok(n)) => Some(n),
        _ => None,
    };
    let msg = get(n.msg)?;
    match (get(n.lineno).and_then(number), &file) {
        (Some(line), _) => {
            let file = file.as_deref().unwrap_or("<string>");
            out.push_str(&format!("  File \"{file}\", line {line}\n"));
        }
        (None, Some(f)) => suffix = format!(" ({f})"),
        (None, None) => {}
    }
    if let Some(text) = get(n.text).map(text_of) {
        let right = text.trim_end_matches('\n');
        let left = right.trim_start_matches([' ', '\n', '\u{c}']);
        let spaces = (right.len() - left.len()) as i64;
        out.push_str(&format!("    {left}\n"));
        if let Some(offset) = get(n.offset).and_then(number) {
            let end = get(n.end_offset).and_then(number).filter(|&e| e != 0).unwrap_or(offset);
            let end = if end == offset || end == -1 { offset + 1 } else { end };
            let (from, to) = (offset - 1 - spaces, end - 1 - spaces);
            if from >= 0 {
                out.push_str("    ");
                let blanks = left.chars().map(|c| if c.is_whitespace() { c } else { ' ' });
                out.extend(blanks.take(from as usize));
                let width = (to - from).clamp(0, 100_000) as usize;
                out.push_str(&"^".repeat(width));
                out.push('\n');
            }
        }
    }
    let msg = text_of(msg);
    let msg = if msg.is_empty() { "<no detail available>" } else { &msg };
    out.push_str(&format!("{class}: {msg}{suffix}\n"));
    Some(out)
}

/// What to add to the message of an error about a name.
pub(super) fn suggestion(vm: &Vm, e: Value<'_>) -> Option<String> {
    let attr = |name| vm.get_attr_raw(e, vm.word_value(name)).filter(|v| !v.is_none());
    let n = &vm.names;
    if vm.is_exception_of(e, Type::ImportError) {
        let name_from = vm.get_attr_raw(e, vm.intern("name_from")).filter(|v| v.is_a::<Str>())?;
        let module = vm.dict_get_str(vm.modules(), &text_of(attr(n.name)?))?;
        return mean(nearest_of(&text_of(name_from), dir_names(vm, module)));
    }
    let wrong = attr(n.name).filter(|v| v.is_a::<Str>())?;
    let wrong_text = text_of(wrong);
    if vm.is_exception_of(e, Type::AttributeError) {
        let obj = vm.get_attr_raw(e, vm.word_value(n.obj))?;
        return mean(nearest_of(&wrong_text, dir_names(vm, obj)));
    }
    if !vm.is_exception_of(e, Type::NameError) || vm.is_exception_of(e, Type::UnboundLocalError) {
        return None;
    }
    let mut at = read(&e.get::<Exception>()?.traceback);
    let mut func = None;
    while let Some(t) = at.get::<Traceback>() {
        func = vm.word_value(t.func.get()).get::<Function>().or(func);
        at = vm.word_value(t.next.get());
    }
    let func = func?;
    let me = vm.get_attr_raw(e, vm.intern(SELF_KEY));
    if let Some(me) = me
        && matches!(vm.getattr_opt(me, wrong), Ok(v) if !v.is_empty())
    {
        return mean(Some(format!("self.{wrong_text}")));
    }
    let p = &func.code().proto;
    let mut names: Vec<String> = p.locals.iter().chain(&p.free).cloned().collect();
    names.retain(|n| !n.starts_with('.'));
    names.extend(vm.names_in(read(&func.globals)));
    let builtins = vm.names_in(Value::object(vm.builtins()));
    names.extend(builtins.into_iter().filter(|n| !TASK_NAMES.contains(&n.as_str())));
    let found = nearest_of(&wrong_text, names);
    let module = STDLIB.contains(&wrong_text.as_str());
    match (found, module) {
        (Some(f), true) => {
            Some(format!(". Did you mean: '{f}'? Or did you forget to import '{wrong_text}'?"))
        }
        (None, true) => Some(format!(". Did you forget to import '{wrong_text}'?")),
        (found, false) => mean(found),
    }
}

/// Builtins of the engine for tasks: nobody who mistypes a name meant one of these.
const TASK_NAMES: [&str; 8] =
    ["go", "sleep", "wait", "chan", "send", "receive", "select", "CancelledError"];

/// Hidden attribute of a NameError: the `self` of the method that raised it.
pub(crate) const SELF_KEY: &str = "\u{1}self";

fn mean(name: Option<String>) -> Option<String> {
    name.map(|n| format!(". Did you mean: '{n}'?"))
}

fn nearest_of(wrong: &str, names: Vec<String>) -> Option<String> {
    nearest(wrong, names.iter().map(String::as_str)).map(str::to_owned)
}

/// What `dir()` of an object lists, as far as it needs no script code.
fn dir_names(vm: &Vm, obj: Value<'_>) -> Vec<String> {
    let mut names = Vec::new();
    match obj.get::<crate::object::record::Module>() {
        Some(m) => return sorted(vm.names_in(m.dict())),
        None => vm.attribute_names(obj, &mut names),
    }
    sorted(names.into_iter().map(text_of).collect())
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

/// Modules that a name may have been meant for.
const STDLIB: &[&str] = &[
    "argparse",
    "array",
    "ast",
    "asyncio",
    "base64",
    "bisect",
    "calendar",
    "cmath",
    "codecs",
    "collections",
    "contextlib",
    "copy",
    "csv",
    "dataclasses",
    "datetime",
    "decimal",
    "difflib",
    "enum",
    "errno",
    "fnmatch",
    "fractions",
    "functools",
    "gc",
    "glob",
    "gzip",
    "hashlib",
    "heapq",
    "hmac",
    "html",
    "http",
    "importlib",
    "inspect",
    "io",
    "ipaddress",
    "itertools",
    "json",
    "keyword",
    "linecache",
    "locale",
    "logging",
    "math",
    "mimetypes",
    "numbers",
    "operator",
    "os",
    "pathlib",
    "pickle",
    "platform",
    "pprint",
    "queue",
    "random",
    "re",
    "secrets",
    "select",
    "shlex",
    "shutil",
    "signal",
    "socket",
    "sqlite3",
    "ssl",
    "stat",
    "statistics",
    "string",
    "struct",
    "subprocess",
    "sys",
    "tempfile",
    "textwrap",
    "threading",
    "time",
    "timeit",
    "token",
    "tokenize",
    "traceback",
    "types",
    "typing",
    "unicodedata",
    "unittest",
    "urllib",
    "uuid",
    "warnings",
    "weakref",
    "xml",
    "zipfile",
    "zlib",
];
