//! The tree as JSON and back.

use crate::ast::Module;

/// The tree as one line of JSON; [`ast_from_json`] gives the same tree back.
pub fn ast_to_json(module: &Module) -> String {
    serde_json::to_string(module).unwrap_or_default()
}
