//! Functions, classes and their instances.

#[rustfmt::skip]
pub(super) const FUNCS: &[&str] = &[
    "len", "str", "repr", "abs", "inc", "ident", "pair", "int", "float", "list", "bool", "type",
    "sum", "sorted", "max", "ascii", "tuple", "Point", "chr", "ord", "iter", "reversed",
    "str.upper", "[].append", "'a,b'.split", "dict", "hex", "any", "Point.of", "Point.make",
    "callable",
];

#[rustfmt::skip]
pub(super) const FUNC: &[&str] = &[
    "lambda $1: $A", "lambda $1=$~A: $A", "lambda *$1: $1", "lambda $1, $2=$~A, **$3: ($1, $2, $3)",
    "twice($G)", "$S.replace", "$L.count", "$D.get", "$S.join", "$G if $B else $G",
    "lambda $1, /, *, $2=$~A: [$1, $2]", "$E.__contains__", "$O.make", "$I.__add__", "$S.__mod__",
    "(lambda $1: lambda $2: ($1, $2))($~A)",
];

#[rustfmt::skip]
pub(super) const OBJS: &[&str] = &[
    "Point(1, 2)", "Point()", "Loud(1)", "Loud(0)", "Ix(1)", "Ix(-1)", "Fl(2.5)", "Wrong()",
    "Wrong(-1)", "Wrong('s')", "Wrong(2**70)", "Wrong(3)", "Bare()", "Seq(3)", "It(2)", "Boom()",
    "Point(3, -1)", "Ix(True)", "Wrong([1])", "Wrong(2.5)", "Fl(7)", "Ix(2**80)", "Ix('s')",
    "object()", "Wrong(True)", "Ix(I2(1))", "Fl(F2(1.0))",
];

#[rustfmt::skip]
pub(super) const OBJ: &[&str] = &[
    "Point($A, $A)", "Loud($I)", "Ix($i)", "Ix($S)", "Fl($F)", "Fl($A)", "Wrong($A)",
    "Point.of($A)", "Point.make($A, $A)", "$O if $B else $O", "Seq($i)", "$O + $O", "Point(*$R)",
    "Guard($B, $A)", "L2($R)", "$K()", "super(Point, $O)",
];

#[rustfmt::skip]
pub(super) const CLASSES: &[&str] = &[
    "int", "str", "float", "list", "dict", "tuple", "set", "bool", "bytes", "object", "type",
    "Point", "Loud", "L2", "I2", "Exception", "ValueError", "Fault", "Minor", "frozenset",
    "complex", "range", "bytearray", "Bare", "D2", "S2", "slice", "memoryview", "KeyError",
    "LookupError", "Ix",
];

#[rustfmt::skip]
pub(super) const CLASS: &[&str] = &[
    "type($A)", "type('Made', ($K,), {})", "type('Made', ($K,), {'v': $A})",
    "type('Made', ($K, $K), {'__len__': lambda self: $i})", "$K if $B else $K", "type($S, (), $D)",
];
