//! Native classes of modules: a row each, made for a VM when it first needs them.

use std::cell::RefCell;

use miniscript_vm::builtins::Type;
use miniscript_vm::builtins::foreign::ForeignClass;
use miniscript_vm::handles::Handle;
use miniscript_vm::native::{Exit, NativeDef};
use miniscript_vm::object::class::Class;
use miniscript_vm::{Value, Vm};

/// A native class. Instances are exceptions, tuples (of [`crate::record`]) or objects with a
/// [payload](miniscript_vm::object::opaque), as the base says.
pub struct ClassDef {
    /// `__name__`.
    pub name: &'static str,
    /// `__module__`.
    pub module: &'static str,
    /// `__doc__`; empty: none.
    pub doc: &'static str,
    /// The base class.
    pub base: Type,
    /// A further base, of exceptions that are two things.
    pub second_base: Option<Type>,
    /// Whether scripts may call it and derive from it. A class with a payload then has a
    /// `__new__` among its methods.
    pub open: bool,
    /// The methods.
    pub methods: &'static [NativeDef],
}

/// The classes made so far for a VM, by the addresses of their rows.
#[derive(Default)]
struct Classes {
    made: RefCell<Vec<(*const ClassDef, Handle)>>,
}

impl ClassDef {
    /// A class of objects with a payload that scripts neither call nor derive from.
    pub const fn closed(
        module: &'static str,
        name: &'static str,
        doc: &'static str,
        methods: &'static [NativeDef],
    ) -> ClassDef {
        ClassDef { name, module, doc, base: Type::Object, second_base: None, open: false, methods }
    }

    /// A class of objects with a payload whose `__new__` is among its methods.
    pub const fn open(
        module: &'static str,
        name: &'static str,
        doc: &'static str,
        methods: &'static [NativeDef],
    ) -> ClassDef {
        ClassDef { name, module, doc, base: Type::Object, second_base: None, open: true, methods }
    }

    /// The class of this row in `vm`.
    pub fn of<'v>(&'static self, vm: &'v Vm) -> Result<&'v Class, Exit<'v>> {
        let classes = vm.local::<Classes>();
        let known = classes.made.borrow().iter().find(|(row, _)| std::ptr::eq(*row, self)).copied();
        let class = known.and_then(|(_, handle)| vm.handle(handle));
        if let Some(class) = class.and_then(|v| v.get::<Class>()) {
            return Ok(class);
        }
        let class = self.make(vm)?;
        classes.made.borrow_mut().push((self, vm.retain(Value::object(class))));
        Ok(class)
    }

    /// Raises this exception class with a message.
    #[cold]
    pub fn raise<'v>(&'static self, vm: &'v Vm, msg: &str) -> Exit<'v> {
        let made = self.of(vm).and_then(|class| {
            let args = vm.tuple(&[vm.str(msg)?])?;
            Ok(vm.new_exception(class.root_shape.get(), args))
        });
        match made {
            Ok(e) => Exit::Raise(e),
            Err(e) => e,
        }
    }

    fn make<'v>(&'static self, vm: &'v Vm) -> Result<&'v Class, Exit<'v>> {
        let class = vm.foreign_class(ForeignClass {
            name: self.name,
            module: self.module,
            doc: self.doc,
            base: vm.class(self.base),
            subclassable: self.open,
            callable: self.open,
            data: 0,
        })?;
        if let Some(second) = self.second_base {
            let (first, second) = (vm.class(self.base), vm.class(second));
            class.bases.set(vm.tuple(&[Value::object(first), Value::object(second)])?.word());
            let common = |v: &&Value<'v>| !second.mro().iter().any(|s| s.is(**v));
            let mut mro = vec![Value::object(class)];
            mro.extend(first.mro().iter().filter(common));
            mro.extend(second.mro());
            class.mro.set(vm.tuple(&mro)?.word());
        }
        for row in self.methods {
            let native = vm.foreign_native(row, Value::EMPTY, Value::object(class), 0);
            vm.foreign_method(class, row.role, row.name, native)?;
        }
        Ok(class)
    }
}
