//! `_encode`: a value as JSON text. Containers that are not complete lie on a stack of its own;
//! `default` and the `items` and `__iter__` of unusual classes are called between two steps, and
//! what is open is kept in a list until they return.

use miniscript_vm::builtins::Type;
use miniscript_vm::native::{Exit, NResult, Row};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::seq::{List, Tuple};
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

use super::decode::MAX_DEPTH;
use super::write;
use crate::{ClassDef, args};

/// The arguments, by place.
const VALUE: usize = 0;
const DEFAULT: usize = 1;
const ITEMS: usize = 2;
const SKIPKEYS: usize = 3;
const ENSURE_ASCII: usize = 4;
const CHECK_CIRCULAR: usize = 5;
const ALLOW_NAN: usize = 6;
const INDENT: usize = 7;
const ITEM_SEPARATOR: usize = 8;
const KEY_SEPARATOR: usize = 9;
const SORT_KEYS: usize = 10;
const COUNT: usize = 11;

pub(super) const SIGNATURE: &str = "value, default, items, skipkeys=False, ensure_ascii=True, \
     check_circular=True, allow_nan=True, indent=None, item_separator=', ', \
     key_separator=': ', sort_keys=False, /";

/// How the items of a container are found.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    List,
    Tuple,
    Dict,
    /// A dict whose keys and values are in a list, in turn.
    Pairs,
    /// What `default` was called with, until its result is written.
    Replaced,
}

/// A container that is not complete.
struct Open<'v> {
    kind: Kind,
    /// Where the items are.
    source: Value<'v>,
    /// The object of the script's.
    object: Value<'v>,
    next: usize,
    /// Whether nothing of it is written yet.
    first: bool,
}

/// The text so far of an encoder that waits for script code, and its stack without the values.
struct Paused {
    out: Vec<u8>,
    open: Vec<(Kind, usize, bool)>,
}

impl Payload for Paused {}

static PAUSED: ClassDef = ClassDef::closed("json", "paused_encoder", "", &[]);

struct Encoder<'a, 'v> {
    vm: &'v Vm,
    args: &'a [Value<'v>],
    out: Vec<u8>,
    open: Vec<Open<'v>>,
    /// Size of the text at which memory is asked for again.
    checked: usize,
    skipkeys: bool,
    ascii: bool,
    circular: bool,
    allow_nan: bool,
    sort: bool,
    indent: Option<&'v [u8]>,
    item_separator: &'v [u8],
    key_separator: &'v [u8],
}

/// `_encode(value, ..)`: the text.
pub(super) fn encode<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    Encoder::new(vm, args)?.run(Some(args[VALUE]))
}

/// `default` or `items` has returned. State: the arguments, the objects that are open, the rest.
fn resumed<'a, 'v>(vm: &'v Vm, state: &'a [Value<'v>]) -> Result<Encoder<'a, 'v>, Exit<'v>> {
    let (arguments, rest) = state.split_at(COUNT);
    let mut e = Encoder::new(vm, arguments)?;
    let values = rest[0].get::<List>().map(List::to_vec).unwrap_or_default();
    let paused = rest[1].get::<Opaque>().and_then(|o| {
        o.with(|p: &mut Paused| (std::mem::take(&mut p.out), std::mem::take(&mut p.open)))
    });
    let Some((out, open)) = paused else { return Ok(e) };
    e.checked = out.len() * 2 + 4096;
    e.out = out;
    let open = open.into_iter().zip(values.chunks(2));
    e.open.extend(open.map(|((kind, next, first), v)| Open {
        kind,
        source: v[0],
        object: v[1],
        next,
        first,
    }));
    Ok(e)
}

static REPLACED: Row = Row {
    name: "json_default",
    catches: false,
    resume: |vm, state, answer| resumed(vm, state)?.run(Some(answer.value()?)),
};

static LISTED: Row = Row {
    name: "json_items",
    catches: false,
    resume: |vm, state, answer| filled(vm, state, answer.value()?, b"{}"),
};

static COLLECTED: Row = Row {
    name: "json_collected",
    catches: false,
    resume: |vm, state, answer| filled(vm, state, answer.value()?, b"[]"),
};

/// Goes on with the items of the innermost container.
fn filled<'v>(
    vm: &'v Vm,
    state: &[Value<'v>],
    items: Value<'v>,
    brackets: &[u8; 2],
) -> NResult<'v> {
    let mut e = resumed(vm, state)?;
    match e.open.last_mut() {
        Some(open) => open.source = items,
        None => return Ok(items),
    }
    if items.get::<List>().is_some_and(|l| !l.is_empty()) {
        e.begin(brackets[0]);
    } else {
        e.open.pop();
        e.out.extend_from_slice(brackets);
    }
    e.run(None)
}

impl<'a, 'v> Encoder<'a, 'v> {
    fn new(vm: &'v Vm, args: &'a [Value<'v>]) -> Result<Encoder<'a, 'v>, Exit<'v>> {
        let flag = |i: usize, default| args::flag(vm, args[i], default);
        let text =
            |i: usize, default: &'static [u8]| args[i].get::<Str>().map_or(default, |s| s.bytes());
        let indent = args[INDENT].get::<Str>().map(|s| s.bytes());
        Ok(Encoder {
            vm,
            args,
            out: Vec::new(),
            open: Vec::new(),
            checked: 4096,
            skipkeys: flag(SKIPKEYS, false)?,
            ascii: flag(ENSURE_ASCII, true)?,
            circular: flag(CHECK_CIRCULAR, true)?,
            allow_nan: flag(ALLOW_NAN, true)?,
            sort: flag(SORT_KEYS, false)?,
            indent,
            item_separator: text(ITEM_SEPARATOR, b", "),
            key_separator: text(KEY_SEPARATOR, b": "),
        })
    }

    fn run(mut self, mut value: Option<Value<'v>>) -> NResult<'v> {
        loop {
            if let Some(v) = value.take() {
                self.value(v)?;
            }
            while value.is_none() {
                if self.open.is_empty() {
                    return self.vm.str_owned(self.out);
                }
                value = self.next()?;
            }
        }
    }

    /// Writes a value, or the beginning of a container.
    #[inline]
    fn value(&mut self, v: Value<'v>) -> Result<(), Exit<'v>> {
        let vm = self.vm;
        vm.tick()?;
        if self.out.len() > self.checked {
            vm.check(self.out.len() * 2)?;
            self.checked = self.out.len() * 2;
            // Room for all that is short.
            vm.grow(&mut self.out, self.checked / 2)?;
        }
        if write::scalar(vm, &mut self.out, v, self.ascii, self.allow_nan)? {
            return Ok(());
        }
        if let Some(list) = v.get::<List>() {
            return match self.has_own(v, Type::List, "__iter__") {
                true => self.collect(v),
                false => self.sequence(v, Kind::List, list.len()),
            };
        }
        if let Some(tuple) = v.get::<Tuple>() {
            return match self.has_own(v, Type::Tuple, "__iter__") {
                true => self.collect(v),
                false => self.sequence(v, Kind::Tuple, tuple.len()),
            };
        }
        if let Some(dict) = v.get::<Dict>() {
            return self.dict(v, dict);
        }
        self.push(Kind::Replaced, v, v)?;
        Err(self.call(DEFAULT, vec![v], &REPLACED))
    }

    fn sequence(&mut self, v: Value<'v>, kind: Kind, len: usize) -> Result<(), Exit<'v>> {
        if len == 0 {
            self.out.extend_from_slice(b"[]");
            return Ok(());
        }
        self.push(kind, v, v)?;
        self.begin(b'[');
        Ok(())
    }

    /// Opens a list or tuple of a class with an iterator of its own.
    fn collect(&mut self, v: Value<'v>) -> Result<(), Exit<'v>> {
        self.push(Kind::List, v, v)?;
        let state = self.paused()?;
        Err(self.vm.collect_then(v, &COLLECTED, state))
    }

    fn dict(&mut self, v: Value<'v>, dict: &'v Dict) -> Result<(), Exit<'v>> {
        let vm = self.vm;
        let own_items = self.has_own(v, Type::Dict, "items");
        if dict.is_empty() {
            self.out.extend_from_slice(b"{}");
            return Ok(());
        }
        if !own_items && !self.sort {
            self.push(Kind::Dict, v, v)?;
            self.begin(b'{');
            return Ok(());
        }
        let mut entries = dict.entries();
        if own_items || !entries.iter().all(|(k, _)| k.is_a::<Str>()) {
            self.push(Kind::Pairs, v, v)?;
            return Err(self.call(ITEMS, vec![v, Value::bool(self.sort)], &LISTED));
        }
        let text = |k: Value<'v>| k.get::<Str>().map(|s| s.bytes());
        entries.sort_by(|a, b| text(a.0).cmp(&text(b.0)));
        vm.ticks(entries.len())?;
        let flat = vm.list(entries.into_iter().flat_map(|(k, v)| [k, v]).collect())?;
        self.push(Kind::Pairs, flat, v)?;
        self.begin(b'{');
        Ok(())
    }

    /// Whether it is of a class that derives from `t` and has a method of its own of this name.
    #[inline]
    fn has_own(&self, v: Value<'v>, t: Type, name: &str) -> bool {
        let vm = self.vm;
        if vm.exact_type(v) == Some(t) {
            return false;
        }
        let name = vm.intern(name).word();
        match (vm.class_lookup(vm.class_of(v), name), vm.class_lookup(vm.class(t), name)) {
            (Some(own), Some(builtin)) => !own.is(builtin),
            _ => false,
        }
    }

    fn push(&mut self, kind: Kind, source: Value<'v>, object: Value<'v>) -> Result<(), Exit<'v>> {
        if self.circular && self.open.iter().any(|o| o.object.is(object)) {
            return Err(self.vm.value_error("Circular reference detected"));
        }
        if self.open.len() >= MAX_DEPTH {
            let text = "maximum recursion depth exceeded while encoding a JSON object";
            return Err(self.vm.err(Type::RecursionError, text));
        }
        self.open.push(Open { kind, source, object, next: 0, first: true });
        Ok(())
    }

    fn begin(&mut self, bracket: u8) {
        self.out.push(bracket);
        self.new_line();
    }

    fn new_line(&mut self) {
        let Some(indent) = self.indent else { return };
        self.out.push(b'\n');
        for _ in self.open.iter().filter(|o| o.kind != Kind::Replaced) {
            self.out.extend_from_slice(indent);
        }
    }

    /// The next value of the innermost container, behind its separator and key; `None` if there
    /// is none, and the container was closed, or if the entry was skipped.
    #[inline]
    fn next(&mut self) -> Result<Option<Value<'v>>, Exit<'v>> {
        let Some(open) = self.open.last_mut() else { return Ok(None) };
        let at = open.next;
        open.next += 1;
        let (key, value) = match open.kind {
            Kind::List => (None, open.source.get::<List>().and_then(|l| l.get(at))),
            Kind::Tuple => (None, self.vm.tuple_items(open.source).get(at).copied()),
            Kind::Replaced => (None, None),
            Kind::Dict => {
                let dict = open.source.get::<Dict>();
                let live = dict.and_then(|d| d.table().next_live(at));
                let entry = live.and_then(|i| {
                    open.next = i + 1;
                    dict?.entry(i)
                });
                (entry.map(|e| e.0), entry.map(|e| e.1))
            }
            Kind::Pairs => {
                open.next += 1;
                let list = open.source.get::<List>();
                (list.and_then(|l| l.get(at)), list.and_then(|l| l.get(at + 1)))
            }
        };
        let Some(value) = value else {
            self.close();
            return Ok(None);
        };
        let first = open.first;
        let Some(key) = key else {
            open.first = false;
            self.separate(first);
            return Ok(Some(value));
        };
        if !self.is_key(key) {
            if self.skipkeys {
                return Ok(None);
            }
            let class = self.vm.type_name(key);
            return Err(self
                .vm
                .type_error(format!("keys must be str, int, float, bool or None, not {class}")));
        }
        if let Some(open) = self.open.last_mut() {
            open.first = false;
        }
        self.separate(first);
        self.key(key)?;
        self.out.extend_from_slice(self.key_separator);
        Ok(Some(value))
    }

    fn separate(&mut self, first: bool) {
        if !first {
            self.out.extend_from_slice(self.item_separator);
            self.new_line();
        }
    }

    fn is_key(&self, key: Value<'v>) -> bool {
        key.is_a::<Str>()
            || key.is_none()
            || args::int_of(key).is_some()
            || args::float_of(self.vm, key).is_some()
    }

    fn key(&mut self, key: Value<'v>) -> Result<(), Exit<'v>> {
        if let Some(s) = key.get::<Str>() {
            return write::string(self.vm, &mut self.out, s.bytes(), self.ascii);
        }
        self.out.push(b'"');
        write::scalar(self.vm, &mut self.out, key, self.ascii, self.allow_nan)?;
        self.out.push(b'"');
        Ok(())
    }

    fn close(&mut self) {
        let Some(done) = self.open.pop() else { return };
        let bracket = match done.kind {
            Kind::Replaced => return,
            Kind::List | Kind::Tuple => b']',
            Kind::Dict | Kind::Pairs => b'}',
        };
        self.new_line();
        self.out.push(bracket);
    }

    /// Calls argument `i` with `args` and goes on at `row`.
    fn call(&mut self, i: usize, args: Vec<Value<'v>>, row: &'static Row) -> Exit<'v> {
        match self.paused() {
            Ok(state) => Exit::call(self.args[i], args, row, state),
            Err(e) => e,
        }
    }

    /// What [`resumed`] makes this encoder of.
    fn paused(&mut self) -> Result<Vec<Value<'v>>, Exit<'v>> {
        let vm = self.vm;
        let values = vm.list(self.open.iter().flat_map(|o| [o.source, o.object]).collect())?;
        let paused = Paused {
            out: std::mem::take(&mut self.out),
            open: self.open.iter().map(|o| (o.kind, o.next, o.first)).collect(),
        };
        let mut state = self.args.to_vec();
        state[VALUE] = Value::NONE;
        state.extend([values, vm.opaque(PAUSED.of(vm)?, Some(Box::new(paused)))]);
        Ok(state)
    }
}
