//! Paths as arguments: `str`, `bytes` that are UTF-8, or an object with `__fspath__`.

use miniscript_sdk::prelude::*;
use miniscript_sdk::{Bytes, abi};

/// A path.
pub struct Path(pub String);

impl FromMs<'_> for Path {
    fn from_ms(cx: &Cx, value: Value) -> Result<Self> {
        let text = match value.raw().tag {
            abi::MS_TAG_STR => value.to::<String>(cx)?,
            abi::MS_TAG_BYTES => from_bytes(value.to::<Bytes>(cx)?.0)?,
            abi::MS_TAG_OBJECT => match cx.find_special(value, "__fspath__")? {
                Some(method) => {
                    let path = cx.call(method, &[])?;
                    return match path.raw().tag {
                        abi::MS_TAG_STR | abi::MS_TAG_BYTES => Self::from_ms(cx, path),
                        _ => Err(Error::type_error(format!(
                            "expected {}.__fspath__() to return str or bytes, not {}",
                            cx.type_name(value),
                            cx.type_name(path)
                        ))),
                    };
                }
                None => value.to::<String>(cx)?,
            },
            _ => return Err(Error::mismatch(cx, "str, bytes or os.PathLike object", value)),
        };
        if text.contains('\0') {
            return Err(Error::value("embedded null character"));
        }
        Ok(Self(text))
    }
}

fn from_bytes(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| Error::value("a path given as bytes must be UTF-8"))
}
