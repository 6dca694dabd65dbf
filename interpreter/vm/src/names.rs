//! Names the VM itself looks up, interned once.

macro_rules! names {
    ($($id:ident)*) => {
        /// The words of the well-known names. Field `x` is the interned string `"x"`.
        #[allow(missing_docs)]
        pub struct Names { $( pub $id: crate::value::Word, )* }

        impl Names {
            pub(crate) fn new(mut intern: impl FnMut(&'static str) -> crate::value::Word) -> Names {
                Names { $( $id: intern(stringify!($id)), )* }
            }
        }
    };
}

names! {
    __init__ __new__ __del__ __repr__ __str__ __bytes__ __format__ __hash__ __bool__ __len__
    __call__ __getattr__ __getattribute__ __setattr__ __delattr__ __dir__ __dict__ __class__
    __doc__ __name__ __qualname__ __module__ __annotations__ __defaults__ __kwdefaults__ __code__
    __globals__ __closure__ __type_params__ __bases__ __mro__ __slots__ __weakref__
    __get__ __set__ __delete__ __set_name__ __init_subclass__ __class_getitem__ __subclasses__
    __instancecheck__ __subclasscheck__ __prepare__ __mro_entries__ __orig_bases__ __classcell__
    __getitem__ __setitem__ __delitem__ __missing__ __contains__ __iter__ __next__ __reversed__
    __length_hint__ __enter__ __exit__ __aenter__ __aexit__ __await__ __aiter__ __anext__
    __lt__ __le__ __eq__ __ne__ __gt__ __ge__
    __add__ __sub__ __mul__ __truediv__ __floordiv__ __mod__ __divmod__ __pow__ __lshift__
    __rshift__ __and__ __or__ __xor__ __matmul__
    __radd__ __rsub__ __rmul__ __rtruediv__ __rfloordiv__ __rmod__ __rdivmod__ __rpow__
    __rlshift__ __rrshift__ __rand__ __ror__ __rxor__ __rmatmul__
    __iadd__ __isub__ __imul__ __itruediv__ __ifloordiv__ __imod__ __ipow__ __ilshift__
    __irshift__ __iand__ __ior__ __ixor__ __imatmul__
    __neg__ __pos__ __abs__ __invert__ __int__ __float__ __complex__ __index__ __round__
    __trunc__ __floor__ __ceil__ __match_args__ __abstractmethods__ __all__ __path__ __file__
    __package__ __spec__ __loader__ __builtins__ __main__ __import__ __cause__ __context__
    __traceback__ __suppress_context__ __notes__ __func__ __self__ __wrapped__ __isabstractmethod__
    __reduce__ __reduce_ex__ __sizeof__ __copy__ __deepcopy__ __fspath__ __build_class__
    name path msg args value code errno strerror filename filename2 obj send throw close keys
    mro lineno offset text end_lineno end_offset print_file_and_line exceptions message
    encoding object start end reason builtins fget fset fdel key default sep file flush
    metaclass write items get stdout stderr update format sys
}
