//! The table of builtin classes. The number of a row is also the number of its root shape.

use crate::heap::Kind;

macro_rules! types {
    ($( $id:ident $name:literal $base:ident $layout:ident; )*) => {
        /// A builtin class.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        #[allow(missing_docs)]
        pub enum Type { $( $id, )* }

        impl Type {
            /// Every row in order.
            pub const ALL: &'static [Type] = &[$( Type::$id, )*];

            /// The class's name; a dot separates the module if it is not `builtins`.
            pub const fn full_name(self) -> &'static str {
                match self { $( Type::$id => $name, )* }
            }

            /// The class it derives from (its own, for `object`).
            pub const fn base(self) -> Type {
                match self { $( Type::$id => Type::$base, )* }
            }

            /// Which struct its instances are.
            pub const fn layout(self) -> Kind {
                match self { $( Type::$id => Kind::$layout, )* }
            }
        }
    };
}

types! {
    Object "object" Object Instance;
    Type "type" Object Class;
    Int "int" Object BigInt;
    Bool "bool" Int BigInt;
    Float "float" Object Record;
    Complex "complex" Object Complex;
    Str "str" Object Str;
    Bytes "bytes" Object Bytes;
    ByteArray "bytearray" Object ByteArray;
    List "list" Object List;
    Tuple "tuple" Object Tuple;
    Range "range" Object Range;
    Slice "slice" Object Slice;
    Dict "dict" Object Dict;
    Set "set" Object Set;
    FrozenSet "frozenset" Object FrozenSet;
    NoneType "NoneType" Object Record;
    EllipsisType "ellipsis" Object Record;
    NotImplementedType "NotImplementedType" Object Record;
    Function "function" Object Function;
    Builtin "builtin_function_or_method" Object Native;
    MethodDescriptor "method_descriptor" Object Native;
    WrapperDescriptor "wrapper_descriptor" Object Native;
    MethodWrapper "method-wrapper" Object Native;
    ClassMethodDescriptor "classmethod_descriptor" Object Native;
    Method "method" Object BoundMethod;
    Cell "cell" Object Cell;
    Code "code" Object Code;
    Module "module" Object Module;
    Traceback "traceback" Object Traceback;
    Frame "frame" Object Record;
    Generator "generator" Object Generator;
    Coroutine "coroutine" Object Generator;
    AsyncGenerator "async_generator" Object Generator;
    CoroutineWrapper "coroutine_wrapper" Object Iter;
    AsyncGenSend "async_generator_asend" Object Iter;
    AsyncGenThrow "async_generator_athrow" Object Iter;
    AsyncGenValue "async_generator_wrapped_value" Object Record;
    Property "property" Object Property;
    StaticMethod "staticmethod" Object StaticMethod;
    ClassMethod "classmethod" Object ClassMethod;
    Super "super" Object Super;
    Member "member_descriptor" Object Member;
    GetSet "getset_descriptor" Object Member;
    TupleGetter "collections._tuplegetter" Object Member;
    DictKeys "dict_keys" Object DictView;
    DictValues "dict_values" Object DictView;
    DictItems "dict_items" Object DictView;
    MappingProxy "mappingproxy" Object MappingProxy;
    GenericAlias "types.GenericAlias" Object GenericAlias;
    Union "types.UnionType" Object GenericAlias;
    TypeVar "typing.TypeVar" Object Record;
    ParamSpec "typing.ParamSpec" Object Record;
    TypeVarTuple "typing.TypeVarTuple" Object Record;
    TypeAlias "typing.TypeAliasType" Object Record;
    Generic "typing.Generic" Object Instance;
    SimpleNamespace "types.SimpleNamespace" Object Instance;
    MemoryView "memoryview" Object MemoryView;
    // Iterators
    ListIter "list_iterator" Object Iter;
    ListReverseIter "list_reverseiterator" Object Iter;
    TupleIter "tuple_iterator" Object Iter;
    StrIter "str_iterator" Object Iter;
    AsciiIter "str_ascii_iterator" Object Iter;
    BytesIter "bytes_iterator" Object Iter;
    ByteArrayIter "bytearray_iterator" Object Iter;
    RangeIter "range_iterator" Object Iter;
    LongRangeIter "longrange_iterator" Object Iter;
    DictKeyIter "dict_keyiterator" Object Iter;
    DictValueIter "dict_valueiterator" Object Iter;
    DictItemIter "dict_itemiterator" Object Iter;
    DictReverseKeyIter "dict_reversekeyiterator" Object Iter;
    DictReverseValueIter "dict_reversevalueiterator" Object Iter;
    DictReverseItemIter "dict_reverseitemiterator" Object Iter;
    SetIter "set_iterator" Object Iter;
    SequenceIter "iterator" Object Iter;
    CallableIter "callable_iterator" Object Iter;
    Enumerate "enumerate" Object Iter;
    Zip "zip" Object Iter;
    Map "map" Object Iter;
    Filter "filter" Object Iter;
    Reversed "reversed" Object Iter;
    MemoryIter "memory_iterator" Object Iter;
    // Exceptions
    BaseException "BaseException" Object Exception;
    BaseExceptionGroup "BaseExceptionGroup" BaseException Exception;
    SystemExit "SystemExit" BaseException Exception;
    KeyboardInterrupt "KeyboardInterrupt" BaseException Exception;
    GeneratorExit "GeneratorExit" BaseException Exception;
    Exception "Exception" BaseException Exception;
    ExceptionGroup "ExceptionGroup" BaseExceptionGroup Exception;
    StopIteration "StopIteration" Exception Exception;
    StopAsyncIteration "StopAsyncIteration" Exception Exception;
    ArithmeticError "ArithmeticError" Exception Exception;
    FloatingPointError "FloatingPointError" ArithmeticError Exception;
    OverflowError "OverflowError" ArithmeticError Exception;
    ZeroDivisionError "ZeroDivisionError" ArithmeticError Exception;
    AssertionError "AssertionError" Exception Exception;
    AttributeError "AttributeError" Exception Exception;
    BufferError "BufferError" Exception Exception;
    EOFError "EOFError" Exception Exception;
    ImportError "ImportError" Exception Exception;
    ModuleNotFoundError "ModuleNotFoundError" ImportError Exception;
    LookupError "LookupError" Exception Exception;
    IndexError "IndexError" LookupError Exception;
    KeyError "KeyError" LookupError Exception;
    MemoryError "MemoryError" Exception Exception;
    NameError "NameError" Exception Exception;
    UnboundLocalError "UnboundLocalError" NameError Exception;
    OSError "OSError" Exception Exception;
    BlockingIOError "BlockingIOError" OSError Exception;
    ChildProcessError "ChildProcessError" OSError Exception;
    ConnectionError "ConnectionError" OSError Exception;
    BrokenPipeError "BrokenPipeError" ConnectionError Exception;
    ConnectionAbortedError "ConnectionAbortedError" ConnectionError Exception;
    ConnectionRefusedError "ConnectionRefusedError" ConnectionError Exception;
    ConnectionResetError "ConnectionResetError" ConnectionError Exception;
    FileExistsError "FileExistsError" OSError Exception;
    FileNotFoundError "FileNotFoundError" OSError Exception;
    InterruptedError "InterruptedError" OSError Exception;
    IsADirectoryError "IsADirectoryError" OSError Exception;
    NotADirectoryError "NotADirectoryError" OSError Exception;
    PermissionError "PermissionError" OSError Exception;
    ProcessLookupError "ProcessLookupError" OSError Exception;
    TimeoutError "TimeoutError" OSError Exception;
    ReferenceError "ReferenceError" Exception Exception;
    RuntimeError "RuntimeError" Exception Exception;
    NotImplementedError "NotImplementedError" RuntimeError Exception;
    RecursionError "RecursionError" RuntimeError Exception;
    SyntaxError "SyntaxError" Exception Exception;
    IndentationError "IndentationError" SyntaxError Exception;
    TabError "TabError" IndentationError Exception;
    SystemError "SystemError" Exception Exception;
    TypeError "TypeError" Exception Exception;
    ValueError "ValueError" Exception Exception;
    UnicodeError "UnicodeError" ValueError Exception;
    UnicodeDecodeError "UnicodeDecodeError" UnicodeError Exception;
    UnicodeEncodeError "UnicodeEncodeError" UnicodeError Exception;
    UnicodeTranslateError "UnicodeTranslateError" UnicodeError Exception;
    Warning "Warning" Exception Exception;
    BytesWarning "BytesWarning" Warning Exception;
    DeprecationWarning "DeprecationWarning" Warning Exception;
    EncodingWarning "EncodingWarning" Warning Exception;
    FutureWarning "FutureWarning" Warning Exception;
    ImportWarning "ImportWarning" Warning Exception;
    PendingDeprecationWarning "PendingDeprecationWarning" Warning Exception;
    ResourceWarning "ResourceWarning" Warning Exception;
    RuntimeWarning "RuntimeWarning" Warning Exception;
    SyntaxWarning "SyntaxWarning" Warning Exception;
    UnicodeWarning "UnicodeWarning" Warning Exception;
    UserWarning "UserWarning" Warning Exception;
}

impl Type {
    /// The shape of a plain instance.
    #[inline(always)]
    pub const fn shape(self) -> u32 {
        self as u32
    }

    /// The name without its module.
    pub fn name(self) -> &'static str {
        let n = self.full_name();
        n.rsplit_once('.').map_or(n, |(_, last)| last)
    }

    /// The module it says it is from.
    pub fn module(self) -> &'static str {
        self.full_name().rsplit_once('.').map_or("builtins", |(m, _)| m)
    }

    /// Whether its name is a builtin.
    pub fn is_public(self) -> bool {
        use Type as T;
        match self {
            T::NoneType
            | T::EllipsisType
            | T::NotImplementedType
            | T::Function
            | T::Builtin
            | T::MethodDescriptor
            | T::WrapperDescriptor
            | T::MethodWrapper
            | T::ClassMethodDescriptor
            | T::Method
            | T::Cell
            | T::Code
            | T::Module
            | T::Traceback
            | T::Generator
            | T::Coroutine
            | T::AsyncGenerator
            | T::CoroutineWrapper
            | T::AsyncGenSend
            | T::AsyncGenThrow
            | T::AsyncGenValue
            | T::Member
            | T::GetSet
            | T::TupleGetter
            | T::DictKeys
            | T::DictValues
            | T::DictItems
            | T::MappingProxy
            | T::Frame
            | T::GenericAlias
            | T::Union
            | T::TypeAlias
            | T::Generic
            | T::SimpleNamespace => false,
            T::Enumerate | T::Zip | T::Map | T::Filter | T::Reversed => true,
            t => (t as u16) < T::ListIter as u16 || (t as u16) >= T::BaseException as u16,
        }
    }

    /// Whether it is an exception class.
    pub const fn is_exception(self) -> bool {
        self as u16 >= Type::BaseException as u16
    }

    /// Whether a script may derive from it.
    pub fn is_final(self) -> bool {
        use Type as T;
        matches!(
            self,
            T::Bool
                | T::Range
                | T::Slice
                | T::NoneType
                | T::EllipsisType
                | T::NotImplementedType
                | T::Function
                | T::Builtin
                | T::MethodDescriptor
                | T::WrapperDescriptor
                | T::MethodWrapper
                | T::Method
                | T::Cell
                | T::Code
                | T::Traceback
                | T::Frame
                | T::TypeVar
                | T::ParamSpec
                | T::TypeVarTuple
                | T::Generator
                | T::Coroutine
                | T::AsyncGenerator
                | T::DictKeys
                | T::DictValues
                | T::DictItems
                | T::MappingProxy
                | T::Member
                | T::GetSet
                | T::TupleGetter
                | T::MemoryView
        )
    }
}
