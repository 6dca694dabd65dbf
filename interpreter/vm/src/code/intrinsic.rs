//! Internal natives that compiled code calls with `INTRINSIC`: rare constructs that need no
//! opcode of their own. `R[a]` receives the result, arguments are `R[a+1 ..]`.

macro_rules! intrinsics {
    ($( $name:ident $args:literal $doc:literal; )*) => {
        /// An internal native.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Intrinsic { $( #[doc = $doc] $name, )* }

        impl Intrinsic {
            /// Every row in order.
            pub const ALL: &'static [Intrinsic] = &[$( Intrinsic::$name, )*];

            /// The name, for disassembly.
            pub const fn name(self) -> &'static str {
                match self { $( Intrinsic::$name => stringify!($name), )* }
            }

            /// Number of arguments; 255 for any.
            pub const fn arg_count(self) -> u8 {
                match self { $( Intrinsic::$name => $args, )* }
            }

            /// What it does.
            pub const fn doc(self) -> &'static str {
                match self { $( Intrinsic::$name => $doc, )* }
            }
        }
    };
}

intrinsics! {
    BuildClass 255 "the `__build_class__` function itself (no arguments): R[a] becomes the callee of a CALL with body function, name, bases and keywords";
    ImportStar 2 "import all public names of module arg0 into namespace arg1 (None: the globals)";
    SetupAnnotations 1 "make sure `__annotations__` exists in namespace arg0 (None: the globals)";
    MatchSequence 1 "whether arg0 matches a sequence pattern (a sequence, but no str, bytes or bytearray)";
    MatchMapping 1 "whether arg0 matches a mapping pattern";
    MatchKeys 2 "tuple of the values of mapping arg0 for the keys in tuple arg1, or None if one is missing; ValueError on duplicate keys";
    MatchClass 4 "subject arg0, class arg1, number of positional patterns arg2, tuple of keyword names arg3: tuple of the attributes, or None if it does not match";
    MatchRest 2 "new dict of mapping arg0 without the keys in tuple arg1";
    Len 1 "len(arg0), for patterns and unpacking";
    GroupSplit 2 "except*: (matching part or None, rest or None) of exception arg0 by class or tuple arg1; a plain exception is wrapped in a group first";
    GroupReraise 2 "except*: what must be raised after all clauses, from the original exception arg0 and the list arg1 of raised and unmatched ones, or None";
    ExcWithTraceback 2 "set arg0's __traceback__ from arg1 and return arg0";
    TypeVar 2 "a TypeVar named arg0 with lazily evaluated bound or constraints arg1 (a function) or None";
    ParamSpec 1 "a ParamSpec named arg0";
    TypeVarTuple 1 "a TypeVarTuple named arg0";
    TypeAlias 3 "a TypeAliasType named arg0 with type parameters arg1 (a tuple) and value function arg2";
    SetTypeParams 2 "set arg0.__type_params__ = arg1 and return arg0";
    GenericBase 1 "Generic[*arg0], the extra base of a class with type parameters arg0";
    AsyncGenValue 1 "wrap arg0 as the value an async generator yields";
    IsStopAsync 1 "whether exception arg0 is a StopAsyncIteration: the end of an `async for`";
    Iter 1 "iter(arg0), for the argument of a generator expression";
    ClassCell 2 "store cell arg1 as `__classcell__` in namespace arg0 and return the cell";
}

impl Intrinsic {
    /// The row with number `n`.
    pub fn from_index(n: usize) -> Option<Intrinsic> {
        Intrinsic::ALL.get(n).copied()
    }
}
