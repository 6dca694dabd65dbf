//! Native classes of the engine: a row each, made for a VM when it first needs them.

use std::cell::RefCell;

use miniscript_vm::builtins::Type;
use miniscript_vm::builtins::foreign::ForeignClass;
use miniscript_vm::handles::Handle;
use miniscript_vm::native::{Exit, NativeDef};
use miniscript_vm::object::class::Class;
use miniscript_vm::{Value, Vm};

/// A native class.
pub(crate) struct ClassDef {
    pub(crate) name: &'static str,
    pub(crate) module: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) base: Type,
    /// A further base, of exceptions that are two things.
    pub(crate) second_base: Option<Type>,
    pub(crate) methods: &'static [NativeDef],
}

/// The classes made so far.
#[derive(Default)]
pub(crate) struct Classes {
    made: RefCell<Vec<(&'static str, Handle)>>,
}

impl Classes {
    /// The class of a row.
    pub(crate) fn get<'v>(
        &self,
        vm: &'v Vm,
        def: &'static ClassDef,
    ) -> Result<&'v Class, Exit<'v>> {
        let made = self.made.borrow().iter().find(|(name, _)| *name == def.name).map(|(_, h)| *h);
        if let Some(class) = made.and_then(|h| vm.handle(h)).and_then(|v| v.get::<Class>()) {
            return Ok(class);
        }
        let class = vm.foreign_class(ForeignClass {
            name: def.name,
            module: def.module,
            doc: def.doc,
            base: vm.class(def.base),
            subclassable: def.base != Type::Object,
            callable: def.base != Type::Object,
            data: 0,
        })?;
        if let Some(second) = def.second_base {
            let (first, second) = (vm.class(def.base), vm.class(second));
            class.bases.set(vm.tuple(&[Value::object(first), Value::object(second)])?.word());
            let common = |v: &&Value<'v>| !second.mro().iter().any(|s| s.is(**v));
            let mut mro = vec![Value::object(class)];
            mro.extend(first.mro().iter().filter(common));
            mro.extend(second.mro());
            class.mro.set(vm.tuple(&mro)?.word());
        }
        for row in def.methods {
            let native = vm.foreign_native(row, Value::EMPTY, Value::object(class), 0);
            vm.foreign_method(class, row.role, row.name, native)?;
        }
        self.made.borrow_mut().push((def.name, vm.retain(Value::object(class))));
        Ok(class)
    }
}
