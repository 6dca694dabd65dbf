//! What a bundled module is: natives, classes and constants, a MiniScript source, or both.

use miniscript_vm::native::{Exit, NativeDef};
use miniscript_vm::object::map::Dict;
use miniscript_vm::object::record::Module;
use miniscript_vm::{Value, Vm};

use crate::class::ClassDef;
use crate::sources::Source;

/// Adds what a module has besides natives and classes.
pub type Fill = for<'v> fn(&'v Vm, &'v Dict) -> Result<(), Exit<'v>>;

/// A bundled module. Its dict gets the natives, the classes, what `fill` adds; then the source
/// runs in it, and may use all of these. Natives for the source alone have names with `_`.
pub struct ModuleDef {
    /// Its name, with dots for a submodule. It is a package if another row's name begins with it
    /// and a dot.
    pub name: &'static str,
    /// `__doc__`, if the source has none.
    pub doc: &'static str,
    /// Its functions.
    pub natives: &'static [NativeDef],
    /// Further functions.
    pub more_natives: &'static [NativeDef],
    /// Its classes.
    pub classes: &'static [&'static ClassDef],
    /// Constants and the like.
    pub fill: Fill,
    /// The text of the body.
    pub source: Option<&'static Source>,
}

impl ModuleDef {
    /// A module without a source.
    pub const fn native(
        name: &'static str,
        doc: &'static str,
        natives: &'static [NativeDef],
    ) -> ModuleDef {
        ModuleDef {
            name,
            doc,
            natives,
            more_natives: &[],
            classes: &[],
            fill: |_, _| Ok(()),
            source: None,
        }
    }

    /// A module with a source, a file in `lib/`.
    pub const fn source(name: &'static str, file: &str) -> ModuleDef {
        ModuleDef { source: Some(Source::of(file)), ..ModuleDef::native(name, "", &[]) }
    }

    /// The same with natives.
    pub const fn with(mut self, natives: &'static [NativeDef]) -> ModuleDef {
        self.natives = natives;
        self
    }

    /// The same with natives of a second table.
    pub const fn more(mut self, natives: &'static [NativeDef]) -> ModuleDef {
        self.more_natives = natives;
        self
    }

    /// The same with classes.
    pub const fn classes(mut self, classes: &'static [&'static ClassDef]) -> ModuleDef {
        self.classes = classes;
        self
    }

    /// The same with constants and the like.
    pub const fn fill(mut self, fill: Fill) -> ModuleDef {
        self.fill = fill;
        self
    }

    /// The module object, new for this VM. The source has not run.
    pub fn make<'v>(&self, vm: &'v Vm) -> Result<&'v Module, Exit<'v>> {
        let module = vm.new_module(self.name);
        let Some(d) = module.dict().get::<Dict>() else { return Ok(module) };
        let set = |name: &str, v: Value<'v>| vm.dict_set_name(d, vm.intern(name), v);
        if !self.doc.is_empty() {
            set("__doc__", vm.str(self.doc)?)?;
        }
        set("__package__", vm.str(self.name.rsplit_once('.').map_or("", |(parent, _)| parent))?)?;
        for def in self.natives.iter().chain(self.more_natives) {
            set(def.name, vm.module_native(def, self.name))?;
        }
        for class in self.classes {
            set(class.name, Value::object(class.of(vm)?))?;
        }
        (self.fill)(vm, d)?;
        Ok(module)
    }
}

/// Calls function `name` of the bundled module `module` in place of the running native: what the
/// native could not do without script code.
pub(crate) fn source_tail<'v>(
    vm: &'v Vm,
    module: &str,
    name: &str,
    args: &[Value<'v>],
) -> Exit<'v> {
    let found = vm.dict_get_str(vm.modules(), module);
    let found = found.and_then(|m| m.get::<Module>()?.dict().get::<Dict>());
    match found.and_then(|d| vm.dict_get_str(d, name)) {
        Some(f) => Exit::tail(f, args.to_vec()),
        None => vm.runtime_error(format!("module '{module}' is not complete")),
    }
}
