//! What `typing` shares with the aliases of the language.

use miniscript_vm::native::NativeDef;

/// `_substitute(alias, args, item, is_callable)`: the arguments of `alias[item]`.
pub(crate) const SUBSTITUTE: NativeDef = NativeDef::new(
    "_substitute",
    "alias, args, item, is_callable, /",
    |vm, a| Err(vm.prelude_tail("generic", "generic_args", a)),
    "",
);
