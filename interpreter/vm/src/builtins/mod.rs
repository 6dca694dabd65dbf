//! The builtin classes and functions.
//!
//! `types` is the table of classes; the file of each class has the rows of its methods, and
//! [`methods`] says which belong to which class. A new builtin function is a function and a row in
//! `functions`.

pub mod adapters;
pub(crate) mod args;
pub(crate) mod async_gen;
pub(crate) mod bytes;
pub mod class;
mod complex;
mod construct;
pub mod dict;
mod exception;
mod exceptions;
mod execute;
mod float;
pub mod foreign;
mod format;
mod frame;
mod function;
pub mod functions;
pub mod generator;
mod generic;
mod group;
mod import;
mod int;
pub mod intrinsics;
mod iter_state;
pub mod iterating;
pub mod iterators;
pub mod list;
mod match_;
mod memory;
mod module;
mod newclass;
mod number_rows;
mod numeric;
pub(crate) mod object;
mod order;
pub(crate) mod print;
mod property;
mod proxy;
pub mod range;
mod reflect;
pub(crate) mod repr;
pub mod set;
pub mod sorting;
pub(crate) mod str;
mod super_;
mod type_;
pub mod types;
pub(crate) mod typevar;
pub(crate) mod weak;

pub use async_gen::FirstIteration;
pub use object::PLAIN_REDUCE;
pub use types::Type;

use crate::Vm;
use crate::heap::{Kind, Object};
use crate::interp::natives::native_type;
use crate::native::{NativeDef, Role};
use crate::object::class::{Class, class_flags};
use crate::object::func::Native;
use crate::object::record::{Member, StaticMethod};
use crate::value::Value;

/// The method tables of a builtin class.
fn methods(t: Type) -> &'static [&'static [NativeDef]] {
    use range::{COMPARE, CONTAINS, HASH, ITERABLE};
    match t {
        Type::Object => object::TABLES,
        Type::Type => type_::TABLES,
        Type::BaseException => exception::TABLES,
        Type::MappingProxy => proxy::TABLES,
        Type::GenericAlias => generic::ALIAS,
        Type::Union => generic::UNION,
        Type::Frame => frame::FRAME,
        Type::TypeVar => typevar::TYPE_VAR,
        Type::ParamSpec => typevar::PARAM_SPEC,
        Type::TypeVarTuple => typevar::TYPE_VAR_TUPLE,
        Type::TypeAlias => generic::TYPE_ALIAS,
        Type::Generic => generic::GENERIC,
        Type::OSError => exceptions::OS_ERROR,
        Type::BlockingIOError => exceptions::BLOCKING_IO_ERROR,
        Type::StopIteration => exceptions::STOP_ITERATION,
        Type::SystemExit => exceptions::SYSTEM_EXIT,
        Type::ImportError => exceptions::IMPORT_ERROR,
        Type::AttributeError => exceptions::ATTRIBUTE_ERROR,
        Type::NameError => exceptions::NAME_ERROR,
        Type::SyntaxError => exceptions::SYNTAX_ERROR,
        Type::UnicodeEncodeError => exceptions::UNICODE_ENCODE,
        Type::UnicodeDecodeError => exceptions::UNICODE_DECODE,
        Type::UnicodeTranslateError => exceptions::UNICODE_TRANSLATE,
        Type::BaseExceptionGroup => group::TABLES,
        Type::Int => int::TABLES,
        Type::NoneType => number_rows::NONE,
        Type::Bool => int::BOOL_TABLES,
        Type::Float => float::TABLES,
        Type::Complex => complex::TABLES,
        Type::Str => str::TABLES,
        Type::Bytes => bytes::TABLES,
        Type::ByteArray => bytes::ARRAY_TABLES,
        Type::MemoryView => memory::TABLES,
        Type::Range => &[range::METHODS, COMPARE, CONTAINS, HASH, ITERABLE],
        Type::Slice => &[range::SLICE, COMPARE, HASH],
        Type::List => &[list::METHODS, list::SEQUENCE, COMPARE, CONTAINS, ITERABLE],
        Type::Tuple => &[list::TUPLE, list::SEQUENCE, COMPARE, CONTAINS, ITERABLE, HASH],
        Type::Dict => &[dict::METHODS, COMPARE, CONTAINS, ITERABLE],
        Type::DictKeys | Type::DictItems => {
            &[dict::VIEW, set::OPERATORS, set::VIEW, COMPARE, CONTAINS, ITERABLE]
        }
        Type::DictValues => &[dict::VIEW, ITERABLE],
        Type::Set => &[set::METHODS, set::COMMON, set::OPERATORS, COMPARE, CONTAINS, ITERABLE],
        Type::FrozenSet => {
            &[set::FROZEN, set::COMMON, set::OPERATORS, COMPARE, CONTAINS, ITERABLE, HASH]
        }
        Type::Enumerate => &[adapters::ENUMERATE, iterators::PLAIN, iter_state::REDUCE],
        Type::Zip => &[adapters::ZIP, iterators::PLAIN, iter_state::REDUCE, iter_state::SET_STATE],
        Type::Map => &[adapters::MAP, iterators::PLAIN, iter_state::REDUCE],
        Type::Filter => &[adapters::FILTER, iterators::PLAIN, iter_state::REDUCE],
        Type::CallableIter => &[iterators::PLAIN, iter_state::REDUCE],
        Type::Reversed => {
            &[adapters::REVERSED, iterators::METHODS, iter_state::REDUCE, iter_state::SET_STATE]
        }
        Type::Generator => &[generator::GENERATOR, generator::SEND, generator::NAMES],
        Type::Coroutine => &[generator::COROUTINE, generator::SEND, generator::NAMES],
        Type::AsyncGenerator | Type::AsyncGenSend | Type::AsyncGenThrow => async_gen::methods(t),
        Type::CoroutineWrapper => &[generator::WRAPPER],
        t if iter_state::has_index(t) => {
            &[iterators::METHODS, iter_state::REDUCE, iter_state::SET_STATE]
        }
        t if t.layout() == Kind::Iter => &[iterators::METHODS, iter_state::REDUCE],
        Type::Traceback => crate::traceback::TRACEBACK,
        Type::Property => property::PROPERTY,
        Type::StaticMethod => property::STATIC,
        Type::ClassMethod => property::CLASS,
        Type::Super => super_::TABLES,
        Type::Function => function::FUNCTION,
        Type::Builtin
        | Type::MethodDescriptor
        | Type::WrapperDescriptor
        | Type::MethodWrapper
        | Type::ClassMethodDescriptor => function::NATIVE,
        Type::Method => function::METHOD,
        Type::Code => function::CODE,
        Type::Cell => function::CELL,
        Type::Member | Type::GetSet | Type::TupleGetter => function::MEMBER,
        Type::Module => module::MODULE,
        Type::SimpleNamespace => module::NAMESPACE,
        _ => &[],
    }
}

/// Class attributes that are None: defaults of what particular objects may have themselves.
static CONSTANTS: &[(Type, &str)] = &[
    (Type::List, "__hash__"),
    (Type::Dict, "__hash__"),
    (Type::Set, "__hash__"),
    (Type::ByteArray, "__hash__"),
    (Type::DictKeys, "__hash__"),
    (Type::DictItems, "__hash__"),
    (Type::Object, "__doc__"),
    (Type::StopIteration, "value"),
    (Type::SystemExit, "code"),
    (Type::ImportError, "msg"),
    (Type::ImportError, "name"),
    (Type::ImportError, "path"),
    (Type::ImportError, "name_from"),
    (Type::AttributeError, "name"),
    (Type::AttributeError, "obj"),
    (Type::NameError, "name"),
    (Type::OSError, "errno"),
    (Type::OSError, "strerror"),
    (Type::OSError, "filename"),
    (Type::OSError, "filename2"),
    (Type::SyntaxError, "msg"),
    (Type::SyntaxError, "filename"),
    (Type::SyntaxError, "lineno"),
    (Type::SyntaxError, "offset"),
    (Type::SyntaxError, "text"),
    (Type::SyntaxError, "end_lineno"),
    (Type::SyntaxError, "end_offset"),
    (Type::SyntaxError, "print_file_and_line"),
    (Type::UnicodeDecodeError, "encoding"),
    (Type::UnicodeDecodeError, "object"),
    (Type::UnicodeDecodeError, "start"),
    (Type::UnicodeDecodeError, "end"),
    (Type::UnicodeDecodeError, "reason"),
    (Type::UnicodeEncodeError, "encoding"),
    (Type::UnicodeEncodeError, "object"),
    (Type::UnicodeEncodeError, "start"),
    (Type::UnicodeEncodeError, "end"),
    (Type::UnicodeEncodeError, "reason"),
    (Type::UnicodeTranslateError, "encoding"),
    (Type::UnicodeTranslateError, "object"),
    (Type::UnicodeTranslateError, "start"),
    (Type::UnicodeTranslateError, "end"),
    (Type::UnicodeTranslateError, "reason"),
];

/// Makes the builtin classes and functions.
pub(crate) fn bootstrap(vm: &mut Vm) {
    let vm: &Vm = vm;
    vm.empty_str.set(vm.intern("").word());
    let count = Type::ALL.len() as u32;
    for &t in Type::ALL {
        let class = vm.heap.alloc(Class::new(Type::Type.shape(), t.layout(), false), 0, true);
        let v = Value::object(class);
        vm.classes[t as usize].set(v.word());
        let shape = vm.shapes.root(v.word(), false);
        debug_assert_eq!(shape, t.shape());
        class.root_shape.set(shape);
        class.native_type.set(t as u16);
        class.name.set(vm.intern(t.name()).word());
        class.qualname.set(class.name.get());
        let mut f = class_flags::UNFILLED;
        if t.is_final() {
            f |= class_flags::FINAL;
        }
        if t.is_exception() {
            f |= class_flags::EXCEPTION;
        }
        class.set_flag(f);
    }
    debug_assert_eq!(vm.shapes.len() as u32, count);
    let empty = vm.new_tuple(Type::Tuple.shape(), &[]).unwrap_or(Value::NONE);
    vm.empty_tuple.set(empty.word());
    for &t in Type::ALL {
        let class = vm.class(t);
        link_bases(vm, t, class);
    }
    vm.builtins.set(Value::object(vm.dict()).word());
    vm.modules.set(Value::object(vm.dict()).word());
    functions::install(vm);
}

fn link_bases(vm: &Vm, t: Type, class: &Class) {
    let mut bases = Vec::new();
    let mut mro = vec![Value::object(class)];
    if t == Type::ExceptionGroup {
        bases = vec![vm.class_value(Type::BaseExceptionGroup), vm.class_value(Type::Exception)];
        mro.extend(
            [Type::BaseExceptionGroup, Type::Exception, Type::BaseException, Type::Object]
                .map(|t| vm.class_value(t)),
        );
    } else if t != Type::Object {
        bases.push(vm.class_value(t.base()));
        let mut at = t;
        while at != Type::Object {
            at = at.base();
            mro.push(vm.class_value(at));
        }
    }
    for b in &bases {
        if let Some(b) = b.get::<Class>() {
            b.subclasses.borrow_mut().push(Value::object(class).word());
        }
    }
    class.bases.set(vm.tuple(&bases).unwrap_or(Value::NONE).word());
    class.mro.set(vm.tuple(&mro).unwrap_or(Value::NONE).word());
}

/// Fills the namespace of a builtin class, when it is first looked at: a program uses few of them.
#[cold]
pub(crate) fn fill_class(vm: &Vm, class: &Class) {
    class.flags.set(class.flags.get() & !class_flags::UNFILLED);
    let Some(&t) = Type::ALL.get(class.native_type.get() as usize) else { return };
    let owner = Value::object(class);
    let shared = repr::row(t).into_iter().chain(format::rows(t)).chain(generic::row(t));
    for def in methods(t).iter().copied().flatten().chain(shared) {
        let name = vm.intern(def.name);
        if def.role != Role::Setter
            && vm.class_own(class, vm.name_hash(name.word()), name.word()).is_some()
        {
            // A class's own row goes before the shared one.
            continue;
        }
        let native = vm.native(def, owner);
        let v = match def.role {
            Role::Method | Role::Class => native,
            Role::Static if def.name == "__new__" => native,
            Role::Static => Value::object(vm.heap.alloc(
                StaticMethod::new(Type::StaticMethod.shape(), native, Value::EMPTY),
                0,
                false,
            )),
            Role::Getter => Value::object(vm.heap.alloc(
                Member::new(Type::GetSet.shape(), name, owner, native, Value::EMPTY),
                0,
                false,
            )),
            Role::Setter => {
                let hash = vm.name_hash(name.word());
                if let Some(m) =
                    vm.class_own(class, hash, name.word()).and_then(|g| g.get::<Member>())
                {
                    m.set.set(native.word());
                }
                continue;
            }
        };
        let _ = class.ns_mut().insert_new(vm.name_hash(name.word()), name.word(), v.word());
    }
    for (_, name) in CONSTANTS.iter().filter(|(of, _)| *of == t) {
        let name = vm.intern(name).word();
        let _ = class.ns_mut().insert_new(vm.name_hash(name), name, Value::NONE.word());
    }
}

impl Vm {
    /// The object of a native row that belongs to class `owner` (Empty: a plain function).
    pub fn native<'v>(&'v self, def: &'static NativeDef, owner: Value<'v>) -> Value<'v> {
        let t = native_type(def.role, owner, def.name);
        let t = if owner.is_empty() { Type::Builtin } else { t };
        Value::object(self.heap.alloc(
            Native::new(t.shape(), def, Value::EMPTY, owner, 0),
            0,
            false,
        ))
    }
}

const _: () = assert!(Native::DROPS as u8 == 0 && Kind::Instance as u8 == 0);
