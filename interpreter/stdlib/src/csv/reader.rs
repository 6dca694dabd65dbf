//! The reader: an iterator over the rows of an iterator over lines.

use miniscript_vm::native::{Answer, Exit, NResult, NativeDef, Row};
use miniscript_vm::num::Shown;
use miniscript_vm::num::float;
use miniscript_vm::object::opaque::{Opaque, Payload};
use miniscript_vm::object::read;
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

use super::dialect::{self, Dialect};
use super::parse::{Field, Parser};
use super::{Limit, error};
use crate::ClassDef;

static READER: ClassDef = ClassDef::closed(
    "_csv",
    "reader",
    "An iterator over rows.",
    &[
        NativeDef::new("__iter__", "self, /", |_, a| Ok(a[0]), "Implement iter(self)."),
        NativeDef::new("__next__", "self, /", next, "Implement next(self)."),
        NativeDef::getter("dialect", |vm, a| Ok(kept(vm, a[0])[1]), "the dialect"),
        NativeDef::getter(
            "line_num",
            |vm, a| Ok(Value::len(with(vm, a[0], |r| r.lines)?)),
            "how many lines were read",
        ),
    ],
);

struct Reader {
    dialect: Dialect,
    parser: Parser,
    lines: usize,
}

impl Payload for Reader {}

/// `_reader(lines, dialect)`. The object's word is a tuple of the iterator and the dialect.
pub(super) fn make<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let dialect = dialect::of(vm, a[1])?;
    let reader = Reader { dialect, parser: Parser::default(), lines: 0 };
    let made = vm.opaque(READER.of(vm)?, Some(Box::new(reader)));
    if let Some(o) = made.get::<Opaque>() {
        o.word.set(vm.tuple(&[a[0], a[1]])?.word());
    }
    Ok(made)
}

fn with<'v, R>(vm: &'v Vm, v: Value<'v>, f: impl FnOnce(&mut Reader) -> R) -> Result<R, Exit<'v>> {
    let found = v.get::<Opaque>().and_then(|o| o.with(f));
    found.ok_or_else(|| vm.type_error("a reader is required"))
}

fn kept<'v>(vm: &'v Vm, v: Value<'v>) -> &'v [Value<'v>] {
    v.get::<Opaque>().map_or(&[], |o| vm.tuple_items(read(&o.word)))
}

/// A line has come, or the end. State: the reader.
static LINE: Row = Row { name: "csv_line", catches: false, resume: line };

fn next<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    with(vm, a[0], |r| r.parser = Parser::default())?;
    Err(Exit::next(kept(vm, a[0])[0], &LINE, vec![a[0]]))
}

fn line<'v>(vm: &'v Vm, state: &[Value<'v>], answer: Answer<'v>) -> NResult<'v> {
    let (me, text) = (state[0], answer.value()?);
    if text.is_empty() {
        let begun = with(vm, me, |r| r.parser.finish(&r.dialect))?;
        return match begun.map_err(|msg| error(vm, msg))? {
            true => row(vm, me),
            false => Err(vm.stop_iteration(Value::NONE)),
        };
    }
    let Some(s) = text.get::<Str>() else {
        let class = vm.type_name(text);
        let hint = "(the file should be opened in text mode)";
        return Err(error(vm, format!("iterator should return strings, not {class} {hint}")));
    };
    vm.ticks(s.bytes().len() / 16 + 1)?;
    let limit = vm.local::<Limit>().0.get();
    let open = with(vm, me, |r| {
        r.lines += 1;
        r.parser.line(&r.dialect, s.bytes(), limit)?;
        Ok(r.parser.is_open())
    })?;
    match open.map_err(|msg: String| error(vm, msg))? {
        true => Err(Exit::next(kept(vm, me)[0], &LINE, vec![me])),
        false => row(vm, me),
    }
}

/// The fields read as a list.
fn row<'v>(vm: &'v Vm, me: Value<'v>) -> NResult<'v> {
    let fields = with(vm, me, |r| std::mem::take(&mut r.parser.fields))?;
    let value = |f: Field| match f.numeric {
        true => {
            let x = float::parse(&f.text, Shown::Str).map_err(|e| vm.fault(e))?;
            Ok(Value::float(x))
        }
        false => vm.str_bytes(&f.text),
    };
    vm.list(fields.into_iter().map(value).collect::<Result<_, Exit<'v>>>()?)
}
