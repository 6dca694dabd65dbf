//! The functions around text output: `print`, `input`, `repr`, `ascii`, `format`.

use crate::Vm;
use crate::builtins::Type;
use crate::host::Stream;
use crate::native::{Answer, Exit, NResult, NativeDef, Row};
use crate::object::map::Dict;
use crate::object::record::Module;
use crate::object::text::Str;
use crate::text::codec::{self, Encoding, Handler};
use crate::value::{EMPTY, Value};

/// The rows.
pub(crate) static FUNCTIONS: &[NativeDef] = &[
    NativeDef::new(
        "print",
        "*args, sep=' ', end='\\n', file=None, flush=False",
        print,
        "Prints the values to a stream, or to sys.stdout by default.",
    ),
    NativeDef::new("input", "prompt='', /", input, "Read a string from standard input."),
    NativeDef::new(
        "repr",
        "obj, /",
        |vm, args| vm.repr(args[0]),
        "Return the canonical string representation of the object.",
    ),
    NativeDef::new(
        "ascii",
        "obj, /",
        |vm, args| vm.ascii(args[0]),
        "Return an ASCII-only representation of an object.",
    ),
    NativeDef::new(
        "format",
        "value, format_spec='', /",
        format,
        "Return type(value).__format__(value, format_spec)",
    ),
];

/// What only the prelude calls.
pub(crate) static INTERNAL: &[NativeDef] = &[
    NativeDef::new("print_write", "text, /", print_write, ""),
    NativeDef::new("print_flush", "", print_flush, ""),
];

impl Vm {
    /// Makes `v` the `sys.stdout` whose writing `print` does by itself.
    pub fn set_stdout(&self, v: Value<'_>) {
        self.stdout.set(v.word());
    }

    /// `sys.stdout`, if the script replaced it.
    pub(crate) fn replaced_stdout(&self) -> Option<Value<'_>> {
        let sys = self.dict_get_name(self.modules(), self.word_value(self.names.sys))?;
        let dict = sys.get::<Module>()?.dict().get::<Dict>()?;
        let out = self.dict_get_name(dict, self.word_value(self.names.stdout))?;
        let original = self.stdout.get();
        (original != EMPTY && out.word() != original).then_some(out)
    }

    /// Writes text to the host's standard output.
    pub(crate) fn write_out(&self, text: &[u8]) -> Result<(), Exit<'_>> {
        let bytes = match codec::encode(text, Encoding::Utf8, Handler::Strict) {
            Ok(bytes) => bytes,
            Err(e) => {
                let text = self.str_bytes(text)?;
                return Err(self.encode_error(text, e));
            }
        };
        self.host().write(Stream::Out, &bytes).map_err(|e| self.os_error(&e))
    }

    fn flush_out(&self) -> Result<(), Exit<'_>> {
        self.host().flush(Stream::Out).map_err(|e| self.os_error(&e))
    }
}

/// After the truth of `flush` was asked of script code: prints.
static FLUSH_ROW: Row = Row {
    name: "print_flush",
    catches: false,
    resume: |vm, state, answer| {
        let mut args = state.to_vec();
        args[3] = answer.value()?;
        print(vm, &args)
    },
};

fn print<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let (options, items) = args.split_at(4);
    let text = |v: Value<'v>, name: &str, default: &'static [u8]| match v.get::<Str>() {
        Some(s) => Ok(s.bytes()),
        None if v.is_empty() || v.is_none() => Ok(default),
        None => {
            Err(vm.type_error(format!("{name} must be None or a string, not {}", vm.type_name(v))))
        }
    };
    let flush = match options[3] {
        v if v.is_empty() => false,
        v => match vm.truth(v) {
            Ok(b) => b,
            Err(Exit::Do(_)) => return Err(flush_truth(vm, v, args)),
            Err(e) => return Err(e),
        },
    };
    let mut file = options[2];
    if file.is_empty() || file.is_none() {
        match vm.replaced_stdout() {
            Some(out) if out.is_none() => return Ok(Value::NONE),
            out => file = out.unwrap_or(Value::NONE),
        }
    }
    let sep = text(options[0], "sep", b" ")?;
    let end = text(options[1], "end", b"\n")?;
    if file.is_none() {
        let mut out = Vec::new();
        let mut leaf = true;
        for (i, v) in items.iter().enumerate() {
            if i > 0 {
                out.extend_from_slice(sep);
            }
            vm.grow(&mut out, 32)?;
            leaf = vm.str_into(&mut out, *v)?;
            if !leaf {
                break;
            }
        }
        if leaf {
            out.extend_from_slice(end);
            vm.write_out(&out)?;
            if flush {
                vm.flush_out()?;
            }
            return Ok(Value::NONE);
        }
    }
    let (sep, end) = (vm.str_bytes(sep)?, vm.str_bytes(end)?);
    let items = vm.tuple(items)?;
    let args = [items, sep, end, file, Value::bool(flush)];
    Err(vm.prelude_tail("text", "print_slow", &args))
}

/// Asks for the truth of `flush`, then prints.
fn flush_truth<'v>(vm: &'v Vm, flush: Value<'v>, args: &[Value<'v>]) -> Exit<'v> {
    let class = vm.class_value(Type::Bool);
    Exit::call(class, vec![flush], &FLUSH_ROW, args.to_vec())
}

fn print_write<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if let Some(s) = args[0].get::<Str>() {
        vm.write_out(s.bytes())?;
    }
    Ok(Value::NONE)
}

fn print_flush<'v>(vm: &'v Vm, _: &[Value<'v>]) -> NResult<'v> {
    vm.flush_out()?;
    Ok(Value::NONE)
}

/// After the prompt's `__str__`: shows it and reads.
static PROMPT_ROW: Row = Row {
    name: "input_prompt",
    catches: false,
    resume: |vm, _, answer: Answer<'_>| {
        let prompt = answer.value()?;
        if let Some(s) = prompt.get::<Str>() {
            vm.write_out(s.bytes())?;
        }
        vm.flush_out()?;
        vm.host().read_line(vm)
    },
};

fn input<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    if args[0].is_empty() {
        vm.flush_out()?;
        return vm.host().read_line(vm);
    }
    match vm.str_value(args[0]) {
        Ok(s) => (PROMPT_ROW.resume)(vm, &[], Answer::Value(s)),
        Err(e) => Err(vm.then_row(e, &PROMPT_ROW)),
    }
}

fn format<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let spec = if args[1].is_empty() { vm.str("")? } else { args[1] };
    if !spec.is_a::<Str>() {
        return Err(
            vm.type_error(format!("format() argument 2 must be str, not {}", vm.type_name(spec)))
        );
    }
    vm.format_value(args[0], spec)
}
