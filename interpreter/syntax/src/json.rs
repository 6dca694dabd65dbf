//! The tree as JSON and back.
//!
//! JSON from outside is hostile: its nesting is measured before it is read, it is read and freed
//! on a stack made for that depth, and what was read is validated, so that the compiler may rely
//! on a tree from here as on one from the parser.

use crate::ast::{MAX_BLOCK_DEPTH, MAX_EXPR_DEPTH, Module};
use crate::validate::validate;

/// JSON levels that one level of the tree can take (a node, its kind, its fields, a list, a step).
const JSON_LEVELS_PER_NODE: usize = 8;

/// No tree within its own limits nests deeper than this in JSON.
const MAX_JSON_DEPTH: usize = JSON_LEVELS_PER_NODE * (MAX_EXPR_DEPTH + 2 * MAX_BLOCK_DEPTH);

/// Serde's recursion takes this much for each level of JSON, with room to spare.
const STACK_PER_JSON_LEVEL: usize = 4 << 10;

/// Why a JSON text is not a syntax tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AstJsonError {
    /// What is wrong and, if known, where.
    pub message: String,
}

impl std::fmt::Display for AstJsonError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not a syntax tree: {}", self.message)
    }
}

impl std::error::Error for AstJsonError {}

// Both are compiled where they are used, for their size and not for their speed: `ms ast` is no
// part of a run.

/// The tree as one line of JSON; [`ast_from_json`] gives the same tree back.
#[inline]
pub fn ast_to_json(module: &Module) -> String {
    // Writing recurses too. A tree from the parser or from `ast_from_json` always has a form.
    with_stack(|| serde_json::to_string(module).map_err(|error| error.to_string()))
        .unwrap_or_default()
}

/// Reads a tree that [`ast_to_json`] wrote, or one made elsewhere in that form.
#[inline]
pub fn ast_from_json(json: &str) -> Result<Module, AstJsonError> {
    if nesting(json.as_bytes()) > MAX_JSON_DEPTH {
        return Err(AstJsonError { message: "nested too deeply".into() });
    }
    with_stack(|| {
        let mut reader = serde_json::Deserializer::from_str(json);
        reader.disable_recursion_limit();
        let module = serde::Deserialize::deserialize(&mut reader).map_err(|e| e.to_string())?;
        reader.end().map_err(|error| error.to_string())?;
        validate(&module)?;
        Ok(module)
    })
    .map_err(|message| AstJsonError { message })
}

/// How deep brackets nest, those in strings left out.
fn nesting(json: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut pos = 0;
    while let Some(&byte) = json.get(pos) {
        pos += 1;
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(step) = memchr::memchr2(b'"', b'\\', &json[pos..]) {
                    pos += step + 1;
                    if json[pos - 1] == b'"' {
                        break;
                    }
                    pos += 1;
                }
            }
            _ => {}
        }
        pos = pos.min(json.len());
    }
    deepest
}

/// Runs `f` on a thread whose stack suffices for [`MAX_JSON_DEPTH`]; untouched pages cost nothing.
fn with_stack<T: Send>(f: impl FnOnce() -> Result<T, String> + Send) -> Result<T, String> {
    let stack = MAX_JSON_DEPTH * STACK_PER_JSON_LEVEL;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(stack).spawn_scoped(scope, f);
        match thread.map(|handle| handle.join()) {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err("internal error".into()),
            Err(error) => Err(format!("no thread to read it on: {error}")),
        }
    })
}
