//! Numbers and truth.

#[rustfmt::skip]
pub(super) const INTS: &[&str] = &[
    "0", "1", "2", "3", "-1", "-2", "7", "10", "255", "256", "-129", "1000", "2**63 - 1", "-2**63",
    "2**63", "2**64", "2**49 - 1", "2**49", "-2**49", "-2**49 - 1", "2**53", "10**20", "-10**30",
    "0xff_ff", "0b1011", "0o17", "1_000", "True", "I2(5)", "10**18", "5", "4", "-7", "97",
    "0x1F600", "65",
];

#[rustfmt::skip]
pub(super) const INT: &[&str] = &[
    "$I + $I", "$I - $I", "$I * $I", "$I // $I", "$I % $I", "$I ** $i", "$I & $I", "$I | $I",
    "$I ^ $I", "$I << $i", "$I >> $i", "-$I", "~$I", "+$I", "abs($I)", "len($R)", "len($A)",
    "int($F)", "int($S)", "int($N)", "int($A)", "int($S, $i)", "int($Y)", "hash($h)", "round($F)",
    "round($I, $i)", "divmod($I, $I)[0]", "pow($I, $i, $I)", "pow($I, $I, $I)", "ord($c)",
    "ord($S)", "$L.index($A)", "$L.index($A, $x, $x)", "$L.count($A)", "$T.index($A)",
    "$T.count($A)", "$S.find($S)", "$S.index($S)", "$S.rfind($S, $x)", "$S.rindex($S)",
    "$S.count($S)", "$S.count($S, $x, $x)", "$S.find($S, $x, $x)", "$Y.find($Y)", "$Y.find($I)",
    "$Y.count($Y)", "$Y.index($Y)", "$Y[$x]", "$I.bit_length()", "$I.bit_count()",
    "int.from_bytes($Y, $S)", "int.from_bytes($Y, 'little', signed=$B)", "sum($L)", "sum([$I, $I])",
    "max($I, $I)", "min($I, $I)", "len($S)", "len($D)", "len($E)", "range($i, $x, $i)[$x]",
    "range($i, $i, $x).index($I)", "range($i, $i).count($A)", "$I if $B else $I", "$O.x", "$O.v",
    "$I.numerator", "$I.conjugate()", "int(str($I))", "$F.__int__()", "$I.__add__($A)",
    "$I.__index__()", "len(range($x, $x, $x))", "$I.__divmod__($A)", "$I.__pow__($i, $A)",
    "int(x=$A)", "$Y.rindex($A)", "$S.__len__()", "memoryview($Y)[$x]", "memoryview($Y).nbytes",
    "hash($N) == hash($N)",
];

#[rustfmt::skip]
pub(super) const FLOATS: &[&str] = &[
    "0.0", "-0.0", "1.0", "0.5", "-1.5", "2.5", "3.14", "1e100", "1e-7", "1e16", "123456.789",
    "float('inf')", "float('-inf')", "1e22", "5e-324", "0.1", "1e300", "2.675", "F2(1.25)", "1_0.5",
    "9007199254740993.0", "1e15", "99999.95", "-7.0", "1e-5",
];

#[rustfmt::skip]
pub(super) const FLOAT: &[&str] = &[
    "$F + $F", "$F - $N", "$F * $F", "$F / $N", "$I / $I", "$F // $N", "$F % $N", "$F ** $i",
    "$N ** float($N)", "-$F", "abs($F)", "float($I)", "float($S)", "float($A)", "float($Y)",
    "round($F, $i)", "$F.conjugate()", "sum([$F, $F, $I])", "divmod($F, $N)[1]",
    "float.fromhex($S)", "$C.real", "$C.imag", "max($F, $N)", "min($N, $F)", "$I * $F", "$I - $F",
    "$F.__rsub__($A)", "$I.__truediv__($A)", "abs($C)", "$F.__round__($A)", "float(str($F))",
    "$F.real", "$F.__mod__($A)", "$F.__floordiv__($A)", "pow(float($F), $N)", "sum($L, $F)",
];

#[rustfmt::skip]
pub(super) const COMPLEXES: &[&str] = &[
    "1j", "0j", "(1+2j)", "(-1.5-0j)", "complex(3, -4)", "1e100j",
];

#[rustfmt::skip]
pub(super) const COMPLEX: &[&str] = &[
    "$C + $N", "$C - $C", "$C * $N", "$C / $N", "$C ** $i", "-$C", "complex($N, $N)", "complex($S)",
    "complex($A)", "$C.conjugate()", "complex($A, $A)", "complex(real=$N, imag=$F)",
    "sum([$C, $N])", "$N * $C", "$N - $C", "pow($C, $i)",
];

#[rustfmt::skip]
pub(super) const BOOL: &[&str] = &[
    "$N < $N", "$N <= $N", "$N == $N", "$N != $N", "$N > $N", "$N >= $N", "$S < $S", "$S == $S",
    "$S > $S", "$L == $L", "$L < $L", "$L >= $L", "$T < $T", "$T == $T", "$T > $T", "$D == $D",
    "$E <= $E", "$E == $E", "$E < $E", "$E > $E", "$Y == $Y", "$Y < $Y", "$A == $A", "$A != $A",
    "$A < $A", "$A >= $A", "$A in $L", "$A in $T", "$H in $D", "$A in $E", "$S in $S", "$A in $S",
    "$A in $Y", "$A in $R", "$A not in $R", "$A is None", "$A is not None", "not $A", "bool($A)",
    "$A in $A", "$I < $I < $I", "$N <= $N != $N", "$A < $A == $A", "isinstance($A, $K)",
    "isinstance($A, ($K, $K))", "isinstance($A, $K | $K)", "isinstance($A, $A)",
    "issubclass($K, $K)", "issubclass($A, $A)", "callable($A)", "all($R)", "any($R)",
    "$S.startswith($S)", "$S.startswith($S, $x)", "$S.startswith(($S, $S))", "$S.startswith($A)",
    "$S.endswith($S, $x, $x)", "$S.endswith($T)", "$Y.startswith($Y)", "$Y.endswith($A)",
    "$S.isdigit()", "$S.isalpha()", "$S.isspace()", "$S.isupper()", "$S.islower()", "$S.istitle()",
    "$S.isidentifier()", "$S.isnumeric()", "$S.isdecimal()", "$S.isalnum()", "$S.isascii()",
    "$S.isprintable()", "$Y.isdigit()", "$Y.isalpha()", "$Y.istitle()", "$Y.isspace()",
    "$E.isdisjoint(known($R))", "$E.issubset(known($R))", "$E.issuperset(known($R))",
    "$F.is_integer()", "hasattr($A, $S)", "hasattr($O, 'x')", "$B and $B", "$B or $B", "$B ^ $B",
    "$B & $B", "$D.keys() == $E", "$D.keys() <= $D.keys()", "$D.items() == $D.items()",
    "$H in $D.keys()", "$A in $D.values()", "($A, $A) in $D.items()", "$I in range($i, $i, $x)",
    "range($i, $x) == range($x, $i)", "$L != $L", "$D != $A", "$L.__eq__($A)", "$I.__lt__($A)",
    "$S.__ne__($A)", "$A.__eq__($A)", "$F.__eq__($A)", "$S.__contains__($A)", "$E.__contains__($A)",
    "$D.__contains__($A)", "$I.is_integer()", "memoryview($Y) == $Y", "memoryview($Y).readonly",
];
