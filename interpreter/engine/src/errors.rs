//! Errors that are data elsewhere, as exceptions.

use miniscript_vm::builtins::Type;
use miniscript_vm::native::Exit;
use miniscript_vm::{Value, Vm};

use crate::files::FileError;
use miniscript_stdlib::memory_file::UNSUPPORTED;

/// Raises an error of the file service.
pub fn file_error<'v>(vm: &'v Vm, error: &FileError) -> Exit<'v> {
    match make_file_error(vm, error) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn make_file_error<'v>(vm: &'v Vm, error: &FileError) -> Result<Exit<'v>, Exit<'v>> {
    let class = builtin_class(error.class());
    Ok(match error {
        FileError::Os(os) => {
            let text = vm.str(&os.strerror)?;
            let args = match os.errno {
                Some(n) => vec![vm.int(n.into()), text],
                None => vec![text],
            };
            let exc = vm.new_exception(class.shape(), vm.tuple(&args)?);
            let path = |name: &Option<std::ffi::OsString>| match name {
                Some(n) => os_text(vm, n),
                None => Ok(Value::NONE),
            };
            let errno = os.errno.map_or(Value::NONE, |n| vm.int(n.into()));
            let mut fields = vec![("errno", errno), ("strerror", text)];
            fields.push(("filename", path(&os.filename)?));
            if os.filename2.is_some() {
                fields.push(("filename2", path(&os.filename2)?));
            }
            set_fields(vm, exc, &fields)?;
            Exit::Raise(exc)
        }
        FileError::Decode { encoding, input, start, end, reason } => {
            codec_error(vm, class, encoding, vm.bytes(input)?, (*start, *end), reason)?
        }
        FileError::Encode { encoding, input, start, end, reason } => {
            codec_error(vm, class, encoding, vm.str_bytes(input)?, (*start, *end), reason)?
        }
        FileError::Unsupported(text) => {
            let class = UNSUPPORTED.of(vm)?;
            let args = vm.tuple(&[vm.str(text)?])?;
            Exit::Raise(vm.new_exception(class.root_shape.get(), args))
        }
        FileError::Memory => vm.memory_error(),
        other => vm.err(class, other.to_string()),
    })
}

fn codec_error<'v>(
    vm: &'v Vm,
    class: Type,
    encoding: &str,
    object: Value<'v>,
    (start, end): (usize, usize),
    reason: &str,
) -> Result<Exit<'v>, Exit<'v>> {
    let (encoding, reason) = (vm.str(encoding)?, vm.str(reason)?);
    let (start, end) = (Value::len(start), Value::len(end));
    let args = vm.tuple(&[encoding, object, start, end, reason])?;
    let exc = vm.new_exception(class.shape(), args);
    let fields = [
        ("encoding", encoding),
        ("object", object),
        ("start", start),
        ("end", end),
        ("reason", reason),
    ];
    set_fields(vm, exc, &fields)?;
    Ok(Exit::Raise(exc))
}

fn set_fields<'v>(
    vm: &'v Vm,
    exc: Value<'v>,
    fields: &[(&str, Value<'v>)],
) -> Result<(), Exit<'v>> {
    for (name, v) in fields {
        vm.set_attr_raw(exc, vm.intern(name), *v)?;
    }
    Ok(())
}

fn builtin_class(name: &str) -> Type {
    Type::ALL
        .iter()
        .copied()
        .find(|t| t.is_exception() && t.full_name() == name)
        .unwrap_or(Type::OSError)
}

/// A name of the operating system as a string; bytes that are no UTF-8 become lone surrogates.
pub(crate) fn os_text<'v>(vm: &'v Vm, text: &std::ffi::OsStr) -> Result<Value<'v>, Exit<'v>> {
    let mut bytes = Vec::new();
    for chunk in text.as_encoded_bytes().utf8_chunks() {
        bytes.extend_from_slice(chunk.valid().as_bytes());
        for &b in chunk.invalid() {
            // U+DC80 + (b - 0x80), as Python's surrogateescape.
            bytes.extend_from_slice(&[0xED, 0xB0 | (b >> 6), 0x80 | (b & 0x3F)]);
        }
    }
    vm.str_owned(bytes)
}

/// The name of the operating system that a string stands for; the inverse of [`os_text`].
pub(crate) fn os_path(text: &[u8]) -> std::path::PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&b, _)) = rest.split_first() {
        match *rest {
            [0xED, b2 @ 0xB2..=0xB3, b3, ..] => {
                bytes.push((b2 & 0x3) << 6 | (b3 & 0x3F));
                rest = &rest[3..];
            }
            _ => {
                bytes.push(b);
                rest = &rest[1..];
            }
        }
    }
    os_string(bytes).into()
}

#[cfg(unix)]
fn os_string(bytes: Vec<u8>) -> std::ffi::OsString {
    std::os::unix::ffi::OsStringExt::from_vec(bytes)
}

#[cfg(not(unix))]
fn os_string(bytes: Vec<u8>) -> std::ffi::OsString {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_utf8_go_through_surrogates() {
        // '\udc80' and '\udcff' in UTF-8 extended by surrogates.
        assert_eq!(
            os_path(b"a\xED\xB2\x80\xED\xB3\xBF").as_os_str().as_encoded_bytes(),
            b"a\x80\xFF"
        );
        assert_eq!(os_path("é".as_bytes()).as_os_str().as_encoded_bytes(), "é".as_bytes());
    }
}
