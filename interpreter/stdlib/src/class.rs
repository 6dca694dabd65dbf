//! Native classes of modules: a row each, made for a VM when it first needs them.
//!
//! Methods of a native class that are intricate and seldom hot can be written in MiniScript: the
//! module's source gives them to the class with [`ADD_METHODS`].

use std::cell::RefCell;

use miniscript_vm::builtins::foreign::ForeignClass;
use miniscript_vm::builtins::{Type, iterators};
use miniscript_vm::handles::Handle;
use miniscript_vm::heap::Kind;
use miniscript_vm::native::{Exit, NResult, NativeDef};
use miniscript_vm::object::class::{Class, class_flags};
use miniscript_vm::object::func::Function;
use miniscript_vm::object::seq::Tuple;
use miniscript_vm::object::text::Str;
use miniscript_vm::{Value, Vm};

/// A native class. Instances are exceptions, tuples (of [`crate::record`]) or what the layout
/// says: objects with a [payload](miniscript_vm::object::opaque), iterators, records, deques.
pub struct ClassDef {
    /// `__name__`.
    pub name: &'static str,
    /// `__module__`.
    pub module: &'static str,
    /// `__doc__`; empty: none.
    pub doc: &'static str,
    /// The base class.
    pub base: Type,
    /// Which struct instances are, if the base does not say it.
    pub layout: Kind,
    /// A further base, of exceptions that are two things.
    pub second_base: Option<Type>,
    /// Whether scripts may call it and derive from it. A class with a payload then has a
    /// `__new__` among its methods.
    pub open: bool,
    /// Whether instances have a `__dict__`.
    pub has_dict: bool,
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
        ClassDef {
            name,
            module,
            doc,
            base: Type::Object,
            layout: Kind::Opaque,
            second_base: None,
            open: false,
            has_dict: false,
            methods,
        }
    }

    /// A class of objects with a payload whose `__new__` is among its methods.
    pub const fn open(
        module: &'static str,
        name: &'static str,
        doc: &'static str,
        methods: &'static [NativeDef],
    ) -> ClassDef {
        ClassDef { open: true, ..ClassDef::closed(module, name, doc, methods) }
    }

    /// The same with instances of another layout. Iterators get `__iter__` and `__next__`.
    pub const fn layout(mut self, layout: Kind) -> ClassDef {
        self.layout = layout;
        self
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

    /// The same with instances that have a `__dict__`.
    pub const fn with_dict(mut self) -> ClassDef {
        self.has_dict = true;
        self
    }

    fn make<'v>(&'static self, vm: &'v Vm) -> Result<&'v Class, Exit<'v>> {
        let class = vm.foreign_class(ForeignClass {
            name: self.name,
            module: self.module,
            doc: self.doc,
            base: vm.class(self.base),
            layout: self.layout,
            subclassable: self.open,
            callable: self.open,
            data: 0,
        })?;
        if self.has_dict {
            class.flags.set(class.flags.get() & !class_flags::NO_DICT);
        }
        if let Some(second) = self.second_base {
            let (first, second) = (vm.class(self.base), vm.class(second));
            class.bases.set(vm.tuple(&[Value::object(first), Value::object(second)])?.word());
            let common = |v: &&Value<'v>| !second.mro().iter().any(|s| s.is(**v));
            let mut mro = vec![Value::object(class)];
            mro.extend(first.mro().iter().filter(common));
            mro.extend(second.mro());
            class.mro.set(vm.tuple(&mro)?.word());
        }
        let shared = if self.layout == Kind::Iter { iterators::PLAIN } else { &[][..] };
        for row in shared.iter().chain(self.methods) {
            let native = vm.foreign_native(row, Value::EMPTY, Value::object(class), 0);
            vm.foreign_method(class, row.role, row.name, native)?;
        }
        Ok(class)
    }
}

/// Gives functions of the module's source to a native class, under their own names.
pub const ADD_METHODS: NativeDef = NativeDef::new("_add_methods", "cls, /, *functions", add, "");

fn add<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let Some(class) = a[0].get::<Class>() else { return Ok(Value::NONE) };
    for v in &a[1..] {
        let Some(f) = v.get::<Function>() else { continue };
        let name = f.name();
        let qualified =
            [class.name_str().as_bytes(), b".", name.get::<Str>().map_or(&[][..], Str::bytes)]
                .concat();
        f.qualname.set(vm.str_bytes(&qualified)?.word());
        vm.class_set(class, name, *v)?;
        let hash = vm.intern("__hash__");
        if name.word() == vm.names.__eq__
            && vm.defining_class(class, hash.word()).is_none_or(|c| !std::ptr::eq(c, class))
        {
            vm.class_set(class, hash, Value::NONE)?;
        }
    }
    Ok(Value::NONE)
}

/// `__class_getitem__` of generic classes.
pub(crate) fn generic<'v>(vm: &'v Vm, a: &[Value<'v>]) -> NResult<'v> {
    let args = if a[1].is_a::<Tuple>() { a[1] } else { vm.tuple(&a[1..2])? };
    Ok(vm.generic_alias(a[0], args))
}
