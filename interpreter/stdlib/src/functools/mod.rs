//! `functools`: `reduce`, `partial` and the cache of `lru_cache`.

mod cache;
mod partial;
mod reduce;

use miniscript_vm::native::NativeDef;

use crate::class::{ADD_METHODS, ClassDef};
use crate::module::ModuleDef;

const FUNCTIONS: &[NativeDef] = &[reduce::REDUCE, partial::SET, ADD_METHODS];

const CLASSES: &[&ClassDef] = &[&partial::PARTIAL, &cache::WRAPPER];

/// The module.
pub(crate) const MODULE: ModuleDef =
    ModuleDef::source("functools", "functools.ms").with(FUNCTIONS).classes(CLASSES);
