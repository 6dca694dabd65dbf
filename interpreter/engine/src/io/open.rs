//! The builtin `open`.

use std::path::PathBuf;

use miniscript_vm::builtins::Type;
use miniscript_vm::host::Stream;
use miniscript_vm::native::{Exit, NResult, NativeDef, Row};
use miniscript_vm::object::text::{Bytes, Str};
use miniscript_vm::{Value, Vm};

use super::{Behind, Outcome, drive, engine, new_object, token};
use crate::errors::{file_error, os_path};
use crate::files::{FileError, OpenArgs, OpenMode};

/// The row.
pub(crate) static OPEN: NativeDef = NativeDef::new(
    "open",
    "file, mode='r', buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None",
    open,
    "Open file and return a file object.",
);

/// `__fspath__` has answered; the state holds the arguments.
static PATH: Row = Row {
    name: "open_path",
    catches: false,
    resume: |vm, state, answer| {
        let mut args = vec![answer.value()?];
        if !args[0].is_a::<Str>() && !args[0].is_a::<Bytes>() {
            return Err(vm.type_error(format!(
                "expected {}.__fspath__() to return str or bytes, not {}",
                vm.type_name(state[0]),
                vm.type_name(args[0])
            )));
        }
        args.extend_from_slice(&state[1..]);
        open(vm, &args)
    },
};

fn open<'v>(vm: &'v Vm, args: &[Value<'v>]) -> NResult<'v> {
    let text = |i: usize, name: &str| match args[i] {
        v if v.is_empty() || v.is_none() => Ok(None),
        v => match v.get::<Str>() {
            Some(s) => Ok(Some(s.to_display().into_owned())),
            None => Err(vm.type_error(format!(
                "open() argument '{name}' must be str or None, not {}",
                vm.type_name(v)
            ))),
        },
    };
    let mode = match args[1] {
        v if v.is_empty() => "r".to_owned(),
        v => match v.get::<Str>() {
            Some(s) => s.to_display().into_owned(),
            None => {
                let t = vm.type_name(v);
                return Err(vm.type_error(format!("open() argument 'mode' must be str, not {t}")));
            }
        },
    };
    let buffering = match args[2] {
        v if v.is_empty() => -1,
        v => v.as_small().ok_or_else(|| {
            vm.type_error(format!(
                "'{}' object cannot be interpreted as an integer",
                vm.type_name(v)
            ))
        })?,
    };
    let (encoding, errors, newline) =
        (text(3, "encoding")?, text(4, "errors")?, text(5, "newline")?);
    let open_args = OpenArgs {
        mode: &mode,
        buffering,
        encoding: encoding.as_deref(),
        errors: errors.as_deref(),
        newline: newline.as_deref(),
    };
    if !(args[7].is_empty() || args[7].is_none()) {
        let text = "open() with an opener is not supported";
        return Err(vm.err(Type::NotImplementedError, text));
    }
    let mode = OpenMode::parse(&open_args).map_err(|e| file_error(vm, &e))?;
    let path = match path_of(vm, args[0]) {
        Some(Ok(path)) => path,
        Some(Err(e)) => return Err(e),
        None => {
            if let Some(n) = args[0].as_small() {
                return descriptor(vm, n, mode, args[6].as_bool() == Some(false));
            }
            return match vm.method(args[0], vm.intern("__fspath__").word())? {
                Some((f, call)) => Err(Exit::call(f, call, &PATH, args.to_vec())),
                None => Err(vm.type_error(format!(
                    "expected str, bytes or os.PathLike object, not {}",
                    vm.type_name(args[0])
                ))),
            };
        }
    };
    if args[6].as_bool() == Some(false) {
        return Err(vm.value_error("Cannot use closefd=False with file name"));
    }
    let host = engine(vm)?;
    let mut opening = host.files.open(token(vm)?, &path, mode);
    drive(vm, Value::NONE, move |token| opening.poll(token).map(|r| r.map(Outcome::File)))
}

/// The path that a str or bytes names.
fn path_of<'v>(vm: &'v Vm, v: Value<'v>) -> Option<Result<PathBuf, Exit<'v>>> {
    let bytes = match (v.get::<Str>(), v.get::<Bytes>()) {
        (Some(s), _) => s.bytes().to_vec(),
        (_, Some(b)) => b.bytes().to_vec(),
        _ => return None,
    };
    if bytes.contains(&0) {
        return Some(Err(vm.value_error("embedded null byte")));
    }
    Some(Ok(os_path(&bytes)))
}

/// The standard streams by their numbers, and the descriptors that the script has made. With
/// `keep`, closing the file does not close the descriptor.
fn descriptor<'v>(vm: &'v Vm, n: i64, mode: OpenMode, keep: bool) -> NResult<'v> {
    let behind = match (n, mode.is_text()) {
        (_, _) if n < 0 => return Err(vm.value_error("negative file descriptor")),
        (0, text) => Behind::Stdin(text),
        (1, true) => Behind::Text(Stream::Out),
        (1, false) => Behind::Bytes(Stream::Out),
        (2, true) => Behind::Text(Stream::Err),
        (2, false) => Behind::Bytes(Stream::Err),
        _ => {
            let error = |e| file_error(vm, &FileError::from_io(e));
            let file = match crate::modules::open_descriptor(vm, n, keep) {
                Some(file) => file.map_err(error)?,
                None => return Err(error(std::io::Error::from_raw_os_error(9))),
            };
            let name = n.to_string();
            let opened = engine(vm)?.files.adopt(file, name.as_ref(), mode);
            Behind::File(opened.map_err(|e| file_error(vm, &e))?)
        }
    };
    new_object(vm, behind, None)
}
