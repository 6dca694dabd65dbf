//! The writer: rows as lines of text, each written at once.

use std::rc::Rc;

use miniscript_vm::native::{Answer, Exit, NResult, NativeDef, Row};
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::read;
use miniscript_vm::object::seq::List;
use miniscript_vm::object::text::Str;
use miniscript_vm::text::wtf8;
use miniscript_vm::{Value, Vm};

use super::dialect::{self, Dialect, Quoting};
use super::error;
use crate::{ClassDef, args};

static WRITER: ClassDef = ClassDef::closed(
    "_csv",
    "writer",
    "Writes rows.",
    &[
        NativeDef::new("writerow", "self, row, /", writerow, "Write a row."),
        NativeDef::new("writerows", "self, rows, /", writerows, "Write each of some rows."),
        NativeDef::getter("dialect", |vm, a| Ok(kept(vm, a[0])[1]), "the dialect"),
    ],
);

struct Writer {
    dialect: Rc<Dialect>,
    /// The bytes that are special characters, or may be a part of one.
    special: Rc<[bool; 256]>,
}

impl Payload for Writer {}

/// `_writer(write, dialect)`. The object's word is a tuple of both.
pub(super) fn make<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let dialect = Rc::new(dialect::of(vm, a[1])?);
    let special = Rc::new(std::array::from_fn(|b| match b {
        0x80.. => !dialect.is_ascii(),
        b => dialect.is_special(b as u32),
    }));
    let made = vm.opaque(WRITER.of(vm)?, Some(Box::new(Writer { dialect, special })));
    if let Some(o) = made.get::<Opaque>() {
        o.word.set(vm.tuple(&[a[0], a[1]])?.word());
    }
    Ok(made)
}

fn kept<'v>(vm: &'v Vm, v: Value<'v>) -> &'v [Value<'v>] {
    v.get::<Opaque>().map_or(&[], |o| vm.tuple_items(read(&o.word)))
}

/// The items of a row that script code iterated over. State: the writer.
static ITEMS: Row = Row {
    name: "csv_items",
    catches: false,
    resume: |vm, state, answer| write(vm, state[0], answer.value()?, 0, Value::NONE),
};

/// The `str` of a field. State: the writer, the fields, the number of the field.
static FIELD: Row = Row {
    name: "csv_field",
    catches: false,
    resume: |vm, state, answer| {
        let at = state[2].as_small().unwrap_or(0) as usize;
        write(vm, state[0], state[1], at, answer.value()?)
    },
};

fn writerow<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let name = vm.intern("__iter__").word();
    let class = vm.class_of(a[1]);
    let item = vm.intern("__getitem__").word();
    if vm.class_lookup(class, name).is_none() && vm.class_lookup(class, item).is_none() {
        return Err(error(vm, format!("iterable expected, not {}", vm.type_name(a[1]))));
    }
    match vm.items_leaf(a[1])? {
        Some(items) => write(vm, a[0], vm.list(items)?, 0, Value::NONE),
        None => Err(vm.collect_then(a[1], &ITEMS, vec![a[0]])),
    }
}

/// Writes the fields of a list, of which number `known` has the text `text` (None: none has).
fn write<'v>(
    vm: &'v Vm,
    me: Value<'v>,
    fields: Value<'v>,
    known: usize,
    text: Value<'v>,
) -> NResult<'v> {
    let Some(list) = fields.get::<List>() else { return Ok(Value::NONE) };
    if !text.is_none() {
        list.set(known, text);
    }
    let parts = |w: &mut Writer| (Rc::clone(&w.dialect), Rc::clone(&w.special));
    let Some((d, special)) = me.get::<Opaque>().and_then(|o| o.with(parts)) else {
        return Err(vm.type_error("a writer is required"));
    };
    let mut out = Vec::new();
    let count = list.len();
    for at in 0..count {
        vm.tick()?;
        let Some(v) = list.get(at) else { break };
        if at > 0 {
            wtf8::push(&mut out, d.delimiter);
        }
        let is_str = v.is_a::<Str>();
        let numeric = args::int_of(v).is_some() || args::float_of(vm, v).is_some();
        let quoted = match d.quoting {
            Quoting::All => true,
            Quoting::NonNumeric => !numeric,
            Quoting::Strings => is_str,
            Quoting::NotNull => !v.is_none(),
            Quoting::Minimal | Quoting::None => false,
        };
        if v.is_none() {
            field(vm, &d, &mut out, b"", quoted, count == 1)?;
            continue;
        }
        let shown = match vm.str_value(v) {
            Err(e @ Exit::Do(_)) => {
                return vm.and_then(Err(e), &FIELD, vec![me, fields, Value::len(at)]);
            }
            shown => shown?,
        };
        let Some(s) = shown.get::<Str>() else { continue };
        if !quoted && count > 1 && !s.bytes().iter().any(|b| special[usize::from(*b)]) {
            out.extend_from_slice(s.bytes());
            continue;
        }
        field(vm, &d, &mut out, s.bytes(), quoted, count == 1)?;
    }
    out.extend_from_slice(&d.line_end);
    let line = vm.str_owned(out)?;
    Err(Exit::tail(kept(vm, me)[0], vec![line]))
}

/// Adds a field. One that is empty and alone in its row must be quoted.
fn field<'v>(
    vm: &'v Vm,
    d: &Dialect,
    out: &mut Vec<u8>,
    text: &[u8],
    mut quoted: bool,
    alone: bool,
) -> Result<(), Exit<'v>> {
    if text.is_empty() && alone && !quoted {
        if d.quoting == Quoting::None {
            return Err(error(vm, "single empty field record must be quoted"));
        }
        quoted = true;
    }
    let start = out.len();
    for c in wtf8::code_points(text) {
        if d.is_special(c) {
            let mut escape = d.quoting == Quoting::None;
            if !escape && Some(c) == d.quote {
                match d.double_quote {
                    true => wtf8::push(out, c),
                    false => escape = true,
                }
            } else if !escape && Some(c) == d.escape {
                escape = true;
            }
            if escape {
                let Some(e) = d.escape else {
                    return Err(error(vm, "need to escape, but no escapechar set"));
                };
                wtf8::push(out, e);
            } else {
                quoted = true;
            }
        }
        wtf8::push(out, c);
    }
    if let (true, Some(quote)) = (quoted, d.quote) {
        let mut mark = [0; 4];
        let mark = wtf8::encode(quote, &mut mark);
        out.splice(start..start, mark.iter().copied());
        out.extend_from_slice(mark);
    }
    Ok(())
}

/// The next row, or the end. State: the writer, the iterator.
static NEXT_ROW: Row = Row {
    name: "csv_next_row",
    catches: false,
    resume: |vm, state, answer| match answer.value()? {
        v if v.is_empty() => Ok(Value::NONE),
        v => vm.and_then(writerow(vm, &[state[0], v]), &WRITTEN, state.to_vec()),
    },
};

/// A row was written; the next. State: the writer, the iterator.
static WRITTEN: Row = Row {
    name: "csv_written",
    catches: false,
    resume: |_, state, answer: Answer<'_>| {
        answer.value()?;
        Err(Exit::next(state[1], &NEXT_ROW, state.to_vec()))
    },
};

/// `iter(rows)` was made. State: the writer.
static ROWS: Row = Row {
    name: "csv_rows",
    catches: false,
    resume: |_, state, answer| {
        let iter = answer.value()?;
        Err(Exit::next(iter, &NEXT_ROW, vec![state[0], iter]))
    },
};

fn writerows<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    vm.and_then(vm.get_iter(a[1]), &ROWS, vec![a[0]])
}
