//! `compile`, `exec` and `eval`.

use std::sync::Arc;

use miniscript_syntax::ast::Mode;
use miniscript_syntax::{ErrorKind, Source, SyntaxError, decode_source};

use crate::Vm;
use crate::builtins::Type;
use crate::code::proto::{CodeProto, SourceInfo};
use crate::compile::{CompileMode, compile_watched};
use crate::native::{Exit, NResult, NativeDef, Row};
use crate::object::func::Code;
use crate::object::map::Dict;
use crate::object::text::Str;
use crate::object::view::data_of;
use crate::value::Value;

/// The rows.
pub(crate) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "compile",
        "source, filename, mode, flags=0, dont_inherit=False, optimize=-1",
        compile,
        "Compile source into a code object that can be executed by exec() or eval().",
    ),
    NativeDef::new(
        "eval",
        "source, globals=None, locals=None, /",
        |vm, args| run(vm, args, Mode::Expression),
        "Evaluate the given source in the context of globals and locals.",
    ),
    NativeDef::new(
        "exec",
        "source, globals=None, locals=None, /",
        |vm, args| run(vm, args, Mode::Module),
        "Execute the given source in the context of globals and locals.",
    ),
];

impl Vm {
    /// The SyntaxError of a text that is no program.
    pub fn syntax_error<'v>(&'v self, error: &SyntaxError, text: &str, filename: &str) -> Exit<'v> {
        let class = match error.kind {
            ErrorKind::IndentationError => Type::IndentationError,
            ErrorKind::TabError => Type::TabError,
            _ => Type::SyntaxError,
        };
        match self.fill_syntax_error(class, error, text, filename) {
            Ok(e) => Exit::Raise(e),
            Err(e) => e,
        }
    }

    fn fill_syntax_error<'v>(
        &'v self,
        class: Type,
        error: &SyntaxError,
        text: &str,
        filename: &str,
    ) -> NResult<'v> {
        let source = Source::new(text);
        let from = source.position(error.span.start);
        let to = source.position(error.span.end.max(error.span.start));
        let line = match text.is_empty() {
            true => Value::NONE,
            false => self.str(&format!("{}\n", source.line_text(from.line)))?,
        };
        let number = |n: u32| Value::len(n as usize);
        let (msg, file) = (self.str(&error.message)?, self.str(filename)?);
        let (offset, end_offset) = (number(from.column), number(to.column));
        let place =
            self.tuple(&[file, number(from.line), offset, line, number(to.line), end_offset])?;
        let e = self.new_exception(class.shape(), self.tuple(&[msg, place])?);
        let n = &self.names;
        for (key, v) in [
            (n.msg, msg),
            (n.filename, file),
            (n.lineno, number(from.line)),
            (n.offset, offset),
            (n.text, line),
            (n.end_lineno, number(to.line)),
            (n.end_offset, end_offset),
        ] {
            self.set_attr_raw(e, self.word_value(key), v)?;
        }
        Ok(e)
    }

    /// Whether the memory limit has room for the tree and the code of a text, or `MemoryError`.
    /// They are no objects, so nothing is charged while they are made.
    pub fn check_source(&self, text: &[u8]) -> Result<(), Exit<'_>> {
        /// What a token takes on the way, roughly.
        const TOKEN_BYTES: usize = 64;
        // Most tokens end in such a character, or are one.
        let tokens = text.iter().filter(|b| !b.is_ascii_alphanumeric()).count();
        self.check(tokens.saturating_mul(TOKEN_BYTES))
    }

    /// Compiles text that came from a script.
    pub(crate) fn compile_text<'v>(
        &'v self,
        text: &str,
        filename: &str,
        mode: Mode,
        namespaced: bool,
    ) -> Result<Arc<CodeProto>, Exit<'v>> {
        self.check_source(text.as_bytes())?;
        let source = Arc::new(SourceInfo::new(filename, text));
        let compile = CompileMode { namespaced, lazy_annotations: false };
        let compiled = self.watched(|watch| {
            let parsed = miniscript_syntax::parse_watched(text, mode, watch);
            let module = parsed.map_err(|error| match error.is_incomplete_input() {
                // Nobody is asked for another line: what is wrong with what is there?
                true => {
                    let given = text.strip_suffix("\n\n").unwrap_or(text);
                    miniscript_syntax::parse(given, Mode::Module).err().unwrap_or(error)
                }
                false => error,
            })?;
            compile_watched(&module, source, compile, watch)
        })?;
        compiled.map_err(|e| self.syntax_error(&e, text, filename))
    }
}

/// Source text from a str, or from bytes as from a file.
fn source_text<'v>(
    vm: &'v Vm,
    v: Value<'v>,
    what: &str,
    filename: &str,
) -> Result<String, Exit<'v>> {
    let text = if let Some(s) = v.get::<Str>() {
        match s.as_str() {
            Some(s) => s.to_owned(),
            None => return Err(vm.value_error("source code string cannot contain surrogates")),
        }
    } else if let Some(b) = data_of(v) {
        if b.contains(&0) {
            return Err(null_byte(vm));
        }
        return decode_source(&b).map_err(|error| vm.syntax_error(&error, "", filename));
    } else {
        return Err(vm.type_error(format!("{what}() arg 1 must be a string, bytes or code object")));
    };
    if text.contains('\0') {
        return Err(null_byte(vm));
    }
    Ok(text)
}

/// A SyntaxError without a place.
fn null_byte(vm: &Vm) -> Exit<'_> {
    let make = || {
        let msg = vm.str("source code string cannot contain null bytes")?;
        let e = vm.new_exception(Type::SyntaxError.shape(), vm.tuple(&[msg])?);
        vm.set_attr_raw(e, vm.word_value(vm.names.msg), msg)?;
        Ok(e)
    };
    make().map_or_else(|e| e, Exit::Raise)
}

/// The flag of `compile` that asks for "incomplete input" where more lines may follow.
const INCOMPLETE_INPUT: i64 = 0x4000;

fn compile<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let Some(filename) = args[1].get::<Str>() else {
        return Err(vm.type_error(format!(
            "expected str, bytes or os.PathLike object, not {}",
            vm.type_name(args[1])
        )));
    };
    let Some(mode) = args[2].get::<Str>() else {
        return Err(vm.type_error(format!(
            "compile() argument 'mode' must be str, not {}",
            vm.type_name(args[2])
        )));
    };
    let mode = match mode.bytes() {
        b"exec" => Mode::Module,
        b"eval" => Mode::Expression,
        b"single" => Mode::Interactive,
        _ => return Err(vm.value_error("compile() mode must be 'exec', 'eval' or 'single'")),
    };
    let text = source_text(vm, args[0], "compile", &filename.to_display())?;
    // Without the flag of those who read line by line, a compound statement needs no blank line
    // at its end.
    let whole =
        args.get(3).and_then(|flags| flags.as_small()).is_none_or(|f| f & INCOMPLETE_INPUT == 0);
    let text = match mode {
        Mode::Expression => trim(&text).to_owned(),
        Mode::Interactive if whole => text + "\n\n",
        _ => text,
    };
    let proto = vm.compile_text(&text, &filename.to_display(), mode, false)?;
    let code = vm.instantiate(&proto)?;
    vm.warn_of_text(&proto, code)
}

/// Blanks before an expression do not count.
fn trim(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

fn run<'v>(vm: &'v Vm, args: &[Value<'v>], mode: Mode) -> NResult<'v> {
    static NONE: Row = Row {
        name: "exec_done",
        catches: false,
        resume: |_, _, answer| answer.value().map(|_| Value::NONE),
    };
    static WARNED: Row = Row {
        name: "exec_warned",
        catches: false,
        resume: |_, state, answer| Err(Exit::tail(answer.value()?, state.to_vec())),
    };
    let what = if mode == Mode::Expression { "eval" } else { "exec" };
    let absent = |v: Value<'v>| v.is_empty() || v.is_none();
    let (globals, locals) = if absent(args[1]) {
        let globals = Value::object(vm.caller_globals());
        let locals = if absent(args[2]) { vm.caller_locals()? } else { args[2] };
        (globals, locals)
    } else {
        (args[1], if absent(args[2]) { args[1] } else { args[2] })
    };
    let Some(dict) = globals.get::<Dict>() else {
        return Err(vm.type_error(if what == "eval" {
            "globals must be a dict".to_owned()
        } else {
            format!("exec() globals must be a dict, not {}", vm.type_name(globals))
        }));
    };
    if locals.header().is_none()
        || (!locals.is_a::<Dict>()
            && vm.class_lookup(vm.class_of(locals), vm.names.__getitem__).is_none())
    {
        return Err(vm.type_error(if what == "eval" {
            "locals must be a mapping".to_owned()
        } else {
            format!("exec() locals must be a mapping or None, not {}", vm.type_name(locals))
        }));
    }
    let builtins = vm.word_value(vm.names.__builtins__);
    if vm.dict_get_name(dict, builtins).is_none() {
        vm.dict_set_name(dict, builtins, Value::object(vm.builtins()))?;
    }
    let namespaced = !locals.is(globals);
    let is_code = args[0].is_a::<Code>();
    let proto = match args[0].get::<Code>() {
        Some(c) => code_for(vm, c, namespaced)?,
        None => {
            let text = source_text(vm, args[0], what, "<string>")?;
            let text = if mode == Mode::Expression { trim(&text) } else { &text };
            vm.compile_text(text, "<string>", mode, namespaced)?
        }
    };
    let f = vm.module_function(&proto, globals)?;
    let args = if namespaced { vec![locals] } else { Vec::new() };
    // A code object was warned of when it was made.
    let warned = if is_code { Ok(f) } else { vm.warn_of_text(&proto, f) };
    let called = vm.and_then(warned, &WARNED, args);
    if mode == Mode::Expression { called } else { vm.and_then(called, &NONE, vec![]) }
}

/// A code object ready to run: compiled anew if its names must come from a namespace.
fn code_for<'v>(vm: &'v Vm, c: &Code, namespaced: bool) -> Result<Arc<CodeProto>, Exit<'v>> {
    if !c.proto.free.is_empty() {
        return Err(vm.type_error("code object passed to exec() may not contain free variables"));
    }
    if !namespaced || c.proto.name != "<module>" || c.proto.flags.namespaced {
        return Ok(c.proto.clone());
    }
    let Some(source) = &c.proto.source else { return Ok(c.proto.clone()) };
    // An expression's code says so by parsing as one.
    let mode = if c.proto.flags.interactive {
        Mode::Interactive
    } else if miniscript_syntax::parse(source.text(), Mode::Expression).is_ok() {
        Mode::Expression
    } else {
        Mode::Module
    };
    vm.compile_text(source.text(), &source.filename, mode, true)
}
