//! What of `cmath` must not become a method when a class keeps it: a native before the source.

use miniscript_vm::Value;
use miniscript_vm::native::NativeDef;

use crate::module::source_tail;

/// `cmath.isclose`.
pub(crate) const IS_CLOSE: NativeDef = NativeDef::new(
    "isclose",
    "a, b, *, rel_tol=1e-09, abs_tol=0.0",
    |vm, a| {
        let or = |i: usize, default: f64| match a[i] {
            v if v.is_empty() => Value::float(default),
            v => v,
        };
        Err(source_tail(vm, "cmath", "_isclose", &[a[0], a[1], or(2, 1e-9), or(3, 0.0)]))
    },
    "Whether two numbers are close to each other.",
);
