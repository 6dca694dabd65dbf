//! Frame objects: what natives and tracebacks tell of a frame. They are pictures, taken when they
//! are asked for; a frame that goes on running does not change them.
//!
//! The words of the record are: the function, the line, the local variables, the caller's.

use crate::Vm;
use crate::builtins::Type;
use crate::native::{NResult, NativeDef};
use crate::object::func::{Code, Function};
use crate::object::generator::{GenState, Generator};
use crate::object::read;
use crate::object::record::Record;
use crate::traceback::line_at;
use crate::value::Value;

/// Rows of frame objects.
pub(crate) static FRAME: &[&[NativeDef]] = &[&[
    NativeDef::getter("f_code", |_, a| Ok(code(a[0])), ""),
    NativeDef::getter(
        "f_globals",
        |_, a| Ok(function(a[0]).map_or(Value::NONE, |f| read(&f.globals))),
        "",
    ),
    NativeDef::getter("f_builtins", |vm, _| Ok(Value::object(vm.builtins())), ""),
    NativeDef::getter("f_lineno", |_, a| Ok(field(a[0], |r| r.b())), ""),
    NativeDef::getter("f_lasti", |vm, _| Ok(vm.int(0)), ""),
    NativeDef::getter("f_locals", |_, a| Ok(field(a[0], |r| r.c())), ""),
    NativeDef::getter("f_back", |_, a| Ok(field(a[0], |r| r.d())), ""),
    NativeDef::getter("f_trace", |_, _| Ok(Value::NONE), ""),
    NativeDef::new("clear", "self, /", |_, _| Ok(Value::NONE), "There is nothing to clear."),
]];

/// So many frames, from the innermost outwards, show their variables.
const WITH_LOCALS: usize = 64;

fn field<'v>(v: Value<'v>, f: impl FnOnce(&'v Record) -> Value<'v>) -> Value<'v> {
    v.get::<Record>().map_or(Value::NONE, f)
}

fn function<'v>(v: Value<'v>) -> Option<&'v Function> {
    field(v, |r| r.a()).get::<Function>()
}

fn code<'v>(v: Value<'v>) -> Value<'v> {
    function(v).map_or(Value::NONE, |f| read(&f.code))
}

/// `file 'a.ms', line 3, code f`.
pub(crate) fn describe(v: Value<'_>) -> String {
    let line = field(v, |r| r.b()).as_small().unwrap_or(0);
    let (mut file, mut name) = ("?", "?");
    if let Some(c) = code(v).get::<Code>() {
        file = c.proto.source.as_ref().map_or("?", |s| s.filename.as_str());
        name = c.proto.name.as_str();
    }
    format!("file '{file}', line {line}, code {name}")
}

impl Vm {
    pub(crate) fn new_frame<'v>(
        &'v self,
        func: Value<'v>,
        line: usize,
        locals: Value<'v>,
        back: Value<'v>,
    ) -> Value<'v> {
        let record = Record::new(Type::Frame.shape(), func, Value::len(line), locals, back);
        self.alloc_with_attrs(record, 0, false)
    }

    /// The script frames that tracebacks show, outwards from the one that runs, without the
    /// innermost `skip`: a frame object whose `f_back` is the next. `None`: there are not so many.
    pub fn frames(&self, skip: usize) -> Result<Option<Value<'_>>, crate::native::Exit<'_>> {
        let mut views = Vec::new();
        let mut skipped = 0;
        self.walk_frames(|f| {
            if f.func.code().proto.flags.hidden {
                return true;
            }
            if skipped < skip {
                skipped += 1;
            } else {
                views.push(f);
            }
            true
        });
        let mut back = Value::NONE;
        for (i, f) in views.iter().enumerate().rev() {
            let locals =
                if i < WITH_LOCALS { self.frame_locals(f)? } else { Value::object(self.dict()) };
            let line = line_at(&f.func.code().proto, f.at()) as usize;
            back = self.new_frame(Value::object(f.func), line, locals, back);
        }
        Ok(Some(back).filter(|v| !v.is_none()))
    }

    /// The frame of a generator that has not ended. While it runs, its variables are not shown.
    pub(crate) fn generator_frame<'v>(&'v self, g: &'v Generator) -> NResult<'v> {
        let view = g.view();
        let proto = &view.func.code().proto;
        let line = match g.state.get() {
            GenState::Created => proto.first_line,
            _ => line_at(proto, view.at()),
        };
        let locals = match g.state.get() {
            GenState::Running => Value::object(self.dict()),
            _ => self.frame_locals(&view)?,
        };
        Ok(self.new_frame(Value::object(view.func), line as usize, locals, Value::NONE))
    }

    /// File, line, function name and globals of a caller, as [`Vm::frames`] counts them, in a
    /// tuple; None if there are not so many.
    pub fn caller(&self, skip: usize) -> NResult<'_> {
        let (mut found, mut skipped) = (None, 0);
        self.walk_frames(|f| {
            if f.func.code().proto.flags.hidden {
                return true;
            }
            skipped += 1;
            if skipped > skip {
                found = Some(f);
            }
            found.is_none()
        });
        let Some(f) = found else { return Ok(Value::NONE) };
        let proto = &f.func.code().proto;
        let file = proto.source.as_ref().map_or("?", |s| s.filename.as_str());
        self.tuple(&[
            self.str(file)?,
            Value::len(line_at(proto, f.at()) as usize),
            self.str(&proto.name)?,
            read(&f.func.globals),
        ])
    }
}
