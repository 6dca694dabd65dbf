//! Who called: for modules that tell the place of a call (`warnings`, `logging`).

use miniscript_vm::native::NativeDef;

/// `_caller(depth)`: file, line, function and globals of a caller, or None.
pub static CALLER: &[NativeDef] = &[NativeDef::new(
    "_caller",
    "depth, /",
    |vm, args| {
        let depth = args[0].as_small().unwrap_or(0).max(0);
        vm.caller(usize::try_from(depth).unwrap_or(0))
    },
    "(filename, line, function, globals) of the caller that is `depth` calls out; None without.",
)];
