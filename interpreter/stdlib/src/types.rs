//! For `types`: the builtin classes that have no name of their own elsewhere.

use miniscript_vm::Vm;
use miniscript_vm::builtins::Type;
use miniscript_vm::native::Exit;
use miniscript_vm::object::map::Dict;

static CLASSES: &[(&str, Type)] = &[
    ("AsyncGeneratorType", Type::AsyncGenerator),
    ("BuiltinFunctionType", Type::Builtin),
    ("BuiltinMethodType", Type::Builtin),
    ("CellType", Type::Cell),
    ("ClassMethodDescriptorType", Type::ClassMethodDescriptor),
    ("CodeType", Type::Code),
    ("CoroutineType", Type::Coroutine),
    ("EllipsisType", Type::EllipsisType),
    ("FrameType", Type::Frame),
    ("FunctionType", Type::Function),
    ("GeneratorType", Type::Generator),
    ("GenericAlias", Type::GenericAlias),
    ("GetSetDescriptorType", Type::GetSet),
    ("LambdaType", Type::Function),
    ("MappingProxyType", Type::MappingProxy),
    ("MemberDescriptorType", Type::Member),
    ("MethodDescriptorType", Type::MethodDescriptor),
    ("MethodType", Type::Method),
    ("MethodWrapperType", Type::MethodWrapper),
    ("ModuleType", Type::Module),
    ("NoneType", Type::NoneType),
    ("NotImplementedType", Type::NotImplementedType),
    ("SimpleNamespace", Type::SimpleNamespace),
    ("TracebackType", Type::Traceback),
    ("UnionType", Type::Union),
    ("WrapperDescriptorType", Type::WrapperDescriptor),
];

pub(crate) fn fill<'v>(vm: &'v Vm, d: &'v Dict) -> Result<(), Exit<'v>> {
    for (name, class) in CLASSES {
        vm.dict_set_name(d, vm.intern(name), vm.class_value(*class))?;
    }
    Ok(())
}
