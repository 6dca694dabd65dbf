//! Natives of `csv`: dialects, the reader and the writer.

mod dialect;
mod parse;
mod reader;
mod writer;

use std::cell::Cell;

use miniscript_vm::builtins::Type;
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::{Value, Vm};

use crate::{ClassDef, args};

/// The functions.
pub(crate) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new("_dialect", dialect::SIGNATURE, dialect::make, "Check a dialect."),
    NativeDef::new("_reader", "lines, dialect, /", reader::make, "Make a reader."),
    NativeDef::new("_writer", "write, dialect, /", writer::make, "Make a writer."),
    NativeDef::new(
        "field_size_limit",
        "limit=None, /",
        field_size_limit,
        "Sets an upper limit on parsed fields, and returns the old one.",
    ),
];

static ERROR: ClassDef = ClassDef {
    name: "Error",
    module: "_csv",
    doc: "What is wrong with a row or a dialect.",
    base: Type::Exception,
    layout: Kind::Exception,
    second_base: None,
    open: true,
    has_dict: false,
    methods: &[],
};

/// The classes.
pub(crate) static CLASSES: &[&ClassDef] = &[&ERROR];

/// Most characters of a field.
struct Limit(Cell<i64>);

impl Default for Limit {
    fn default() -> Limit {
        Limit(Cell::new(131_072))
    }
}

#[cold]
fn error<'v>(vm: &'v Vm, msg: impl AsRef<str>) -> Exit<'v> {
    ERROR.raise(vm, msg.as_ref())
}

fn field_size_limit<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let limit = vm.local::<Limit>();
    let old = limit.0.get();
    if !a[0].is_empty() {
        if args::int_of(a[0]).is_none() {
            return Err(vm.type_error("limit must be an integer"));
        }
        limit.0.set(args::size(vm, a[0], 0)?);
    }
    Ok(vm.int(old))
}
