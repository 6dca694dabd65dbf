//! `collections`: the deque, and the hot parts of what its source defines.

mod count;
mod deque;
mod missing;
mod named;
mod ordered;

use miniscript_vm::native::NativeDef;

use crate::class::{ADD_METHODS, ClassDef};
use crate::module::ModuleDef;

const FUNCTIONS: &[NativeDef] = &[
    ADD_METHODS,
    count::COUNT,
    deque::FIND,
    named::CALLER,
    named::FIELD,
    named::MAKE,
    named::NEW,
    ordered::MOVE,
    ordered::POP,
];

const CLASSES: &[&ClassDef] = &[&missing::DEFAULTDICT, &deque::DEQUE];

/// The module.
pub(crate) const MODULE: ModuleDef =
    ModuleDef::source("collections", "collections/__init__.ms").with(FUNCTIONS).classes(CLASSES);
