//! Parts of builtins that are written in MiniScript: what must call back in the middle of
//! something, in its general and rare form. Leaf natives hand over with `Exit::tail`.
//!
//! A file is loaded when one of its functions is first wanted: the host may have its code, else it
//! is compiled. Its functions see each other, the
//! internal natives of [`NATIVES`], and the builtins. Their frames do not show in tracebacks. They
//! are made from the file's code objects without running it, so it may hold nothing but plain
//! functions without defaults.

pub(crate) mod natives;

use std::sync::Arc;

use crate::Vm;
use crate::builtins::Type;
use crate::code::proto::{CodeProto, Const, SourceInfo};
use crate::native::{Exit, NResult, NativeDef};
use crate::object::func::{Code, Function};
use crate::value::{EMPTY, Value};

/// The files: name and text.
pub static FILES: &[(&str, &str)] = &[
    ("class", include_str!("class.ms")),
    ("compare", include_str!("compare.ms")),
    ("generic", include_str!("generic.ms")),
    ("map", include_str!("map.ms")),
    ("match", include_str!("match.ms")),
    ("group", include_str!("group.ms")),
    ("seq", include_str!("seq.ms")),
    ("text", include_str!("text.ms")),
    ("warn", include_str!("warn.ms")),
    ("weak", include_str!("weak.ms")),
];

/// Natives that only the prelude sees.
static NATIVES: &[&[NativeDef]] = &[
    natives::ROWS,
    crate::builtins::repr::INTERNAL,
    crate::builtins::print::INTERNAL,
    crate::builtins::str::percent::INTERNAL,
    crate::builtins::str::INTERNAL[0],
    crate::builtins::str::INTERNAL[1],
    crate::builtins::weak::INTERNAL,
];

impl Vm {
    /// The prelude function `name`; `file` is the one that has it.
    pub fn prelude<'v>(&'v self, file: &str, name: &str) -> NResult<'v> {
        let dict = self.prelude_dict()?;
        if let Some(f) = self.dict_get_str(dict, name) {
            return Ok(f);
        }
        self.load_prelude(file)?;
        if file == "compare" {
            // It looks keys up with the functions of `map`.
            self.load_prelude("map")?;
        }
        self.dict_get_str(dict, name).ok_or_else(|| self.no_prelude(name))
    }

    /// Calls prelude function `name` with `args` in place of the running native.
    pub fn prelude_tail<'v>(&'v self, file: &str, name: &str, args: &[Value<'v>]) -> Exit<'v> {
        match self.prelude(file, name) {
            Ok(f) => Exit::tail(f, args.to_vec()),
            Err(e) => e,
        }
    }

    fn prelude_dict(&self) -> Result<&crate::object::map::Dict, Exit<'_>> {
        if self.prelude.get() == EMPTY {
            let d = self.dict();
            self.prelude.set(Value::object(d).word());
            for def in NATIVES.iter().copied().flatten() {
                self.dict_set_name(d, self.intern(def.name), self.native(def, Value::EMPTY))?;
            }
        }
        crate::object::read(&self.prelude)
            .get::<crate::object::map::Dict>()
            .ok_or_else(|| self.no_prelude("dict"))
    }

    fn load_prelude(&self, file: &str) -> Result<(), Exit<'_>> {
        let Some((_, text)) = FILES.iter().find(|(n, _)| *n == file) else {
            return Err(self.no_prelude(file));
        };
        let proto = self.host().prelude_code(file, text).or_else(|| compile(file, text));
        let proto = proto.ok_or_else(|| self.no_prelude(file))?;
        let dict = self.prelude_dict()?;
        for c in Arc::unwrap_or_clone(proto).consts {
            let Const::Code(p) = c else { continue };
            let mut hidden = Arc::unwrap_or_clone(p);
            hidden.flags.hidden = true;
            let name = self.intern(&hidden.name);
            let code = self.instantiate(&Arc::new(hidden))?;
            let Some(code) = code.get::<Code>() else { continue };
            let f = Function::new(
                Type::Function.shape(),
                code,
                Value::object(dict),
                Value::EMPTY,
                name,
                name,
            );
            self.dict_set_name(dict, name, Value::object(self.heap.alloc(f, 0, false)))?;
        }
        Ok(())
    }

    fn no_prelude(&self, name: &str) -> Exit<'_> {
        self.err(Type::SystemError, format!("prelude: {name} is broken"))
    }
}

/// What tracebacks would call the file.
pub fn source_name(file: &str) -> String {
    format!("<prelude {file}>")
}

fn compile(file: &str, text: &str) -> Option<Arc<CodeProto>> {
    let module = miniscript_syntax::parse(text, miniscript_syntax::ast::Mode::Module).ok()?;
    let source = Arc::new(SourceInfo::new(source_name(file), text));
    crate::compile::compile_module(&module, source, crate::compile::CompileMode::default()).ok()
}
