//! The modules that scripts import under Python's names and that need nothing but the VM: no
//! files, no clock, no scheduler. Those that do are the engine's, as rows of the same kind.
//!
//! [`MODULES`] is the table. A module is a source in `lib/`, natives in a file here, or both:
//! what is hot or intricate is native, the rest is MiniScript.

pub mod class;
pub mod module;
pub mod record;

pub use class::ClassDef;
pub use module::ModuleDef;

/// The text of a file in `lib/`.
macro_rules! source {
    ($name:literal, $file:literal) => {
        ModuleDef::source($name, include_str!(concat!("../lib/", $file)))
    };
}

/// The modules, by name.
pub static MODULES: &[ModuleDef] = &[source!("keyword", "keyword.ms")];
