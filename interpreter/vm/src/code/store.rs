//! Code objects as bytes, for the engine's cache. The text they were compiled from is not stored:
//! whoever reads them has it.

use std::sync::Arc;

use super::proto::{CodeProto, Const, SourceInfo};
use crate::compile::verify;

/// Names the compiler and the VM that the bytes are for: a hash of their sources.
pub const COMPILER_ID: &str = env!("MINISCRIPT_COMPILER_ID");

/// Why bytes are no code object.
#[derive(Debug, PartialEq, Eq)]
pub struct Damaged(pub String);

/// The bytes of a code object.
pub fn to_bytes(code: &CodeProto) -> Result<Vec<u8>, Damaged> {
    postcard::to_stdvec(code).map_err(|e| Damaged(e.to_string()))
}

/// The code object of bytes that [`to_bytes`] gave, compiled from `source`. Other bytes are an
/// error, or code that is well-formed but may be nonsense: the caller knows where they come from.
pub fn from_bytes(bytes: &[u8], source: &Arc<SourceInfo>) -> Result<Arc<CodeProto>, Damaged> {
    let mut code: CodeProto = postcard::from_bytes(bytes).map_err(|e| Damaged(e.to_string()))?;
    verify(&code).map_err(Damaged)?;
    set_source(&mut code, source);
    Ok(Arc::new(code))
}

fn set_source(code: &mut CodeProto, source: &Arc<SourceInfo>) {
    code.source = Some(Arc::clone(source));
    for constant in &mut code.consts {
        if let Const::Code(inner) = constant
            && let Some(inner) = Arc::get_mut(inner)
        {
            set_source(inner, source);
        }
    }
}

#[cfg(test)]
mod tests {
    use miniscript_syntax::{ast::Mode, parse};

    use super::*;
    use crate::compile::{CompileMode, compile_module};

    fn compiled(text: &str) -> (Arc<CodeProto>, Arc<SourceInfo>) {
        let source = Arc::new(SourceInfo::new("t.ms", text));
        let module = parse(text, Mode::Module).unwrap();
        (compile_module(&module, Arc::clone(&source), CompileMode::default()).unwrap(), source)
    }

    const TEXT: &str = "\
def f(a, *b, c=1.5, **d):
    try:
        return [x for x in b if x in {1, 2} or x == 10**30 or x == 2j]
    finally:
        a['\\ud800'] = b'x', ...
class C:
    def m(self): self.x = lambda: self
";

    #[test]
    fn what_is_read_is_what_was_written() {
        let (code, source) = compiled(TEXT);
        let bytes = to_bytes(&code).unwrap();
        assert_eq!(from_bytes(&bytes, &source).unwrap(), code);
    }

    #[test]
    fn damaged_bytes_never_panic() {
        let (code, source) = compiled(TEXT);
        let bytes = to_bytes(&code).unwrap();
        for end in 0..bytes.len() {
            assert!(from_bytes(&bytes[..end], &source).is_err());
        }
        for at in 0..bytes.len() {
            for flip in [1, 0x80, 0xFF] {
                let mut other = bytes.clone();
                other[at] ^= flip;
                let _ = from_bytes(&other, &source);
            }
        }
    }
}
