//! Containers and iterators.

#[rustfmt::skip]
pub(super) const LISTS: &[&str] = &[
    "[]", "[1, 2, 3]", "[3, 1, 2]", "['a', 'b']", "[1.5, 2, True]", "[[1], [2, 3]]", "[None]",
    "['b', 'a', 'c']", "[(1, 'x'), (2, 'y')]", "[0] * 4", "list('abc')", "L2([1, 2])",
    "[Loud(2), Loud(1)]", "[1, 'a', None]", "[5, 4, 3, 2, 1]", "[Point(1, 2), Point(0)]",
    "list(range(9))", "[2**70, -1, 0.5]", "[b'a', b'b']", "[Loud(3), Loud(1), Loud(2)]",
];

#[rustfmt::skip]
pub(super) const LIST: &[&str] = &[
    "[$A]", "[$A, $A]", "[$A, $A, $A]", "[$I, $I, $I]", "[$S, $S]", "[*$R, $A]", "[*$R, *$R]",
    "$L + $L", "$L * $i", "$i * $L", "$L[$x:$x]", "$L[$x:$x:$x]", "$L[::-1]", "sorted($R)",
    "sorted($L, key=$k)", "sorted($R, reverse=$B)", "sorted($R, key=$k, reverse=$A)", "sorted($A)",
    "list($R)", "list($A)", "list(map($G, $R))", "list(map($G, $R, $R))", "list(filter($G, $R))",
    "list(filter(None, $R))", "list(zip($R, $R))", "list(zip($R, $R, strict=$B))",
    "list(enumerate($R))", "list(enumerate($R, $x))", "list(reversed($Q))", "list(reversed($A))",
    "[$A for $1 in $~R]", "[$A for $1 in $~R if $B]", "[($1, $2) for $1 in $~R for $2 in $~R]",
    "[$1 for $1 in $~R if $A]", "[$A for $1, $2 in $~R]", "[$A for $1, *$2 in $~D.items()]",
    "[[$A for $1 in $~R] for $2 in $~R]", "$S.split()", "$S.split($S)", "$S.split($S, $i)",
    "$S.split(maxsplit=$i)", "$S.rsplit($S, $i)", "$S.rsplit(None, $i)", "$S.splitlines()",
    "$S.splitlines($A)", "$Y.split($Y)", "$Y.split($A, $i)", "$Y.splitlines(True)",
    "$Y.rsplit(None, $i)", "list($D)", "list($D.items())", "list($D.values())", "$L.copy()",
    "$L if $B else $L", "$L or $L", "list($Z)", "list(range($i, $i, $x))",
    "memoryview($Y).tolist()", "$L.__add__($A)", "$L.__getitem__($A)", "[$A, $A][$x:]",
    "list(iter(It($i)))", "[$2 for $1 in $~R if ($2 := $A)]", "[f($A) for f in ($G, $G)]",
    "list(dict.fromkeys($R))",
];

#[rustfmt::skip]
pub(super) const TUPLES: &[&str] = &[
    "()", "(1,)", "(1, 2)", "(3, 'a', None)", "('a', 'b', 'c')", "((1, 2), (3, 4))", "T2((1, 2))",
    "(0.5, 2)", "(None, True)", "(1, 2, 3, 4, 5)", "(Loud(1), Loud(0))", "('x', 1)",
];

#[rustfmt::skip]
pub(super) const TUPLE: &[&str] = &[
    "($A,)", "($A, $A)", "($I, $S)", "(*$R, $A)", "$T + $T", "$T * $i", "$T[$x:$x]", "$T[$x:$x:$x]",
    "tuple($R)", "tuple($A)", "divmod($N, $N)", "$S.partition($S)", "$S.rpartition($c)",
    "$Y.partition($Y)", "$Y.rpartition($A)", "tuple(sorted($L))", "tuple($A for $1 in $~R)",
    "$F.as_integer_ratio()", "$I.as_integer_ratio()", "pair($A)", "pair($A, *$R)", "pair(*$R)",
    "pair($A, d=$A, e=$A)", "pair($A, **$D)", "pair(*$R, **$D)", "pair(b=$A, a=$A)",
    "$T if $B else $T", "$K.__mro__", "range($x, $x, $x).__reduce__()[1]",
    "slice($x, $x, $x).indices($i)", "$X($A, $A).args", "$T.__add__($A)", "max($T, $T)",
    "$T.__getitem__($A)", "($A, $A, $A)[$x:$x]",
];

#[rustfmt::skip]
pub(super) const DICTS: &[&str] = &[
    "{}", "{'a': 1}", "{1: 'x', 2: 'y'}", "{'x': 1, 'y': 2, 'z': 3}", "{None: 0, True: 1}",
    "{(1, 2): [3]}", "D2(a=1)", "dict(k='v', x=[1])", "{1.0: 'f', 2: 'i'}",
    "dict(zip('abc', range(3)))", "{'d': 5, 'e': 6}",
];

#[rustfmt::skip]
pub(super) const DICT: &[&str] = &[
    "{$H: $A}", "{$H: $A, $H: $A}", "{$A: $A}", "{**$D, $H: $A}", "{**$D, **$D}", "$D | $D",
    "$D | $A", "dict($D)", "dict($A)", "dict($L)", "dict(zip($R, $R))", "dict(a=$A, **$D)",
    "dict($R, b=$A)", "{$1: $A for $1 in $~R}", "{$1: $2 for $1, $2 in $~D.items()}",
    "{$H: $A for $1 in $~R if $B}", "dict.fromkeys($R)", "dict.fromkeys($R, $A)", "$D.copy()",
    "$D if $B else $D", "vars($O)", "dict(enumerate($R))", "str.maketrans($S, $S)",
    "str.maketrans($D)", "{str($1): $A for $1 in $~R}", "$D.__or__($A)",
    "dict([($H, $A), ($H, $A)])",
];

#[rustfmt::skip]
pub(super) const SETS: &[&str] = &[
    "set()", "{1, 2, 3}", "{0, -1, 10}", "frozenset({1, 2})", "{0.5, 1, None}", "{(1, 2), 3}",
    "set(range(6))", "frozenset()", "{2**61 - 1, 2**61, -2}", "{1000, 8, 16, 24}",
];

#[rustfmt::skip]
pub(super) const SET: &[&str] = &[
    "set(known($R))", "frozenset(known($R))", "$E | $E", "$E & $E", "$E - $E", "$E ^ $E",
    "$E.union(known($R))", "$E.intersection(known($R))", "$E.difference($R)",
    "$E.symmetric_difference(known($R))", "$E.copy()", "{$1 % 7 for $1 in $~R if stable($1)}",
    "{$I, $I, $F}", "$E if $B else $E", "$E.union()", "set(known($A))", "$E | set(known($A))",
    "$E.intersection(known($R), known($R))", "{*$E, $I}", "$E - known($A)", "$E & known($A)",
];

#[rustfmt::skip]
pub(super) const ITERS: &[&str] = &[
    "iter([1, 2, 3])", "iter('abc')", "iter('éa')", "iter((1, 2))", "gen(3)", "gen(0)", "It(3)",
    "iter({1: 2})", "iter(b'ab')", "iter(range(3))", "iter({5})", "iter({1: 2}.items())",
    "reversed([1, 2])", "enumerate('ab')", "iter(Seq(2))", "iter(range(2**70, 2**70 + 2))",
    "map(str, [1])", "zip('ab', [1])",
];

#[rustfmt::skip]
pub(super) const ITER: &[&str] = &[
    "iter($R)", "iter($A)", "map($G, $R)", "map($G, $R, $R)", "filter($G, $R)", "filter(None, $R)",
    "zip($R, $R)", "zip($R, $R, strict=True)", "zip($R, $R, $R)", "enumerate($R)",
    "enumerate($R, $I)", "reversed($Q)", "reversed($A)", "($A for $1 in $~R)",
    "($A for $1 in $~R if $B)", "gen($i)", "iter(It($i).__next__, $i)", "$Z if $B else $Z",
    "iter($D.items())", "reversed($D)", "reversed($D.values())", "zip()", "zip($R)", "map($A, $A)",
    "filter($A, $A)", "enumerate($A, $A)", "enumerate(iterable=$R, start=$I)",
];
