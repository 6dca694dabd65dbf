//! Statements: templates of one or more lines, whose bodies (`$b`) are statements again.

use super::Generator;
use super::tables::Type;
use super::tables::classes::{METHODS, USES};

/// Where a statement may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Anywhere,
    /// Only in programs that run in a function.
    Function,
    /// Only in programs that run as a module.
    Module,
}

/// A statement's template. `kept` are the new names that live on, each with the letter of its type
/// or `?`: `1L2?`.
#[derive(Clone, Copy)]
struct Row {
    text: &'static str,
    kept: &'static str,
    place: Place,
}

const fn s(text: &'static str) -> Row {
    Row { text, kept: "", place: Place::Anywhere }
}

const fn kept(text: &'static str, kept: &'static str) -> Row {
    Row { text, kept, place: Place::Anywhere }
}

const fn f(text: &'static str) -> Row {
    Row { text, kept: "", place: Place::Function }
}

const fn m(text: &'static str) -> Row {
    Row { text, kept: "", place: Place::Module }
}

/// Statements that show something.
#[rustfmt::skip]
const SHOWS: &[&str] = &[
    "show($A)", "show($I)", "show($F)", "show($S)", "show($S)", "show($Y)", "show($L)", "show($T)",
    "show($D)", "show($E)", "show($B)", "show($B)", "show($C)", "show($Z)", "show($A)", "show($O)",
    "show($A, $A)",
];

/// Statements of one line.
const SIMPLE: &[Row] = &[
    kept("$1 = $I\nshow($1)", "1I"),
    kept("$1 = $F\nshow($1)", "1F"),
    kept("$1 = $S\nshow($1)", "1S"),
    kept("$1 = $L", "1L"),
    kept("$1 = $T", "1T"),
    kept("$1 = $D", "1D"),
    kept("$1 = $E", "1E"),
    kept("$1 = $Y", "1Y"),
    kept("$1 = $O", "1O"),
    kept("$1 = $G", "1G"),
    kept("$1 = $A\nshow($1)", "1?"),
    kept("$1 = $2 = $L\n$1.append($A)\nshow($2)", "1L2L"),
    kept("$1, $2 = $~R\nshow($1, $2)", "1?2?"),
    kept("$1, *$2 = $~R\nshow($1, $2)", "1?2L"),
    kept("*$1, $2, $3 = $~Q\nshow($1, $2, $3)", "1L2?3?"),
    kept("($1, $2), $3 = $~A, $~A\nshow($1, $2, $3)", "1?2?3?"),
    kept("[$1, *$2, $3] = $~A\nshow($1, $2, $3)", "1?2L3?"),
    kept("$1, $2 = $~A, $~A\n$1, $2 = $2, $1\nshow($1, $2)", "1?2?"),
    kept("$1 = $I\n$1 += $A\nshow($1)", "1?"),
    kept("$1 = $L\n$1 += $r\nshow($1)", "1L"),
    kept("$1 = $L\n$1 *= $i\nshow($1)", "1L"),
    kept("$1 = $S\n$1 += $S\n$1 *= $i\nshow($1)", "1S"),
    kept("$1 = $I\n$1 <<= $i\n$1 |= $I\n$1 ^= $I\n$1 //= $I\nshow($1)", "1I"),
    kept("$1 = $N\n$1 -= $N\n$1 *= $N\n$1 /= $N\nshow($1)", "1?"),
    kept("$1 = $N\n$1 %= $N\n$1 **= $i\nshow($1)", "1?"),
    kept("$1 = $T\n$1 += $T\nshow($1)", "1T"),
    kept("$1 = $D\n$1 |= $D\nshow($1)", "1D"),
    kept("$1 = $D\n$1 |= $A\nshow($1)", "1?"),
    kept("$1 = $E\n$1 |= $E\n$1 -= $E\nshow($1)", "1E"),
    kept("$1 = $E\n$1 &= $E\n$1 ^= $E\nshow($1)", "1E"),
    kept("$1 = bytearray($Y)\n$1 += $Y\nshow($1)", "1Y"),
    kept("$1 = $A\n$1 @= $A\nshow($1)", "1?"),
    kept("$1 = $A\n$1 >>= $i\nshow($1)", "1?"),
    kept("$1: int = $I\nshow($1)", "1I"),
    s("$1 = $A\n$2 = $A\nshow($1 + $2)"),
    s("show(($1 := $A), [$1, $A])"),
    s("show([$1 := $~A, $1], $1)"),
    s("$V[$x] = $A\nshow($V)"),
    s("$V.x = $A\nshow($V.x)"),
    s("$1 = $L\n$1[$x] = $A\nshow($1)"),
    s("$1 = $L\n$1[$x:$x] = $r\nshow($1)"),
    s("$1 = $L\n$1[$x:$x:$x] = $r\nshow($1)"),
    s("$1 = $L\n$1[$x:$x:$x] = $A\nshow($1)"),
    s("$1 = $L\ndel $1[$x]\nshow($1)"),
    s("$1 = $L\ndel $1[$x:$x]\nshow($1)"),
    s("$1 = $L\ndel $1[$x:$x:$x]\nshow($1)"),
    s("$1 = $L\n$1[$A] = $A\nshow($1)"),
    s("$1 = $L\n$1[$x] += $A\nshow($1)"),
    s("$1 = $D\n$1[$H] = $A\nshow($1)"),
    s("$1 = $D\n$1[$A] = $A\nshow($1)"),
    s("$1 = $D\n$1[$H] += $A\nshow($1)"),
    s("$1 = $D\ndel $1[$A]\nshow($1)"),
    s("$1 = $T\n$1[$x] = $A"),
    s("$1 = $S\n$1[$x] = $A"),
    s("$1 = bytearray($Y)\n$1[$x] = $I\nshow($1)"),
    s("$1 = bytearray($Y)\n$1[$x:$x] = $Y\nshow($1)"),
    s("$1 = bytearray($Y)\n$1[$x:$x:$x] = $A\nshow($1)"),
    s("$1 = bytearray($Y)\ndel $1[$x:$x:$x]\nshow($1)"),
    s("$1 = bytearray($Y)\nshow($1.append($i), $1.extend($r), $1.pop(), $1.insert($x, $i), $1)"),
    s("$1 = bytearray($Y)\nshow($1.remove($I), $1.reverse(), $1)"),
    s("$1 = bytearray($Y)\n$1.extend($A)\nshow($1)"),
    s("$1 = memoryview(bytearray($Y))\n$1[$x] = $i\nshow($1.tolist())"),
    s("$1 = memoryview(bytearray($Y))\n$1[$x:$x] = $Y\nshow($1.tobytes())"),
    s("$1 = $L\nshow($1.append($A), $1)"),
    s("$1 = $L\nshow($1.extend($r), $1)"),
    s("$1 = $L\nshow($1.extend($A), $1)"),
    s("$1 = $L\nshow($1.insert($x, $A), $1)"),
    s("$1 = $L\nshow($1.insert($A, $A), $1)"),
    s("$1 = $L\nshow($1.pop(), $1.pop($x), $1)"),
    s("$1 = $L\nshow($1.pop($A), $1)"),
    s("$1 = $L\nshow($1.remove($A), $1)"),
    s("$1 = $L\nshow($1.sort(), $1)"),
    s("$1 = $L\nshow($1.sort(key=$k, reverse=$B), $1)"),
    s("$1 = [$A, $A, $A, $A]\nshow($1.sort(), $1)"),
    s("$1 = [$I, $I, $F, $I]\nshow($1.sort(reverse=$A), $1)"),
    s("$1 = [$S, $S, $S]\n$1.sort(key=$G)\nshow($1)"),
    s("$1 = $L\nshow($1.reverse(), $1, $1.clear(), $1)"),
    s("$1 = $L\nshow($1.index($A, $x), $1.index($A, $x, $x))"),
    s("$1 = $D\nshow($1.pop($A), $1)"),
    s("$1 = $D\nshow($1.popitem(), $1)"),
    s("$1 = $D\nshow($1.setdefault($H, $A), $1)"),
    s("$1 = $D\nshow($1.update($A), $1)"),
    s("$1 = $D\nshow($1.update($D, a=$A), $1)"),
    s("$1 = $D\nshow($1.update($R), $1)"),
    s("$1 = $D\nshow($1.get($A), $1.clear(), $1)"),
    s("show($D.keys() & $r, $D.keys() | $D.keys())"),
    s("show($D.keys() - $r, $D.items() ^ $D.items())"),
    s("show($D.keys(), $D.values(), $D.items())"),
    s("show($D.keys().isdisjoint($A), $D.keys().mapping)"),
    s("show(sorted(set($S)), len(set($S)), set($S) & set($S))"),
    s("show({$S, $S} ^ {$S}, frozenset($S) == set($S))"),
    s("$1 = set(known($r))\nshow($1.add($h), $1.discard($A), $1.remove($h), $1)"),
    s("$1 = set(known($r))\nshow($1.update(known($r)), $1.pop(), $1)"),
    s("$1 = set(known($r))\nshow($1.difference_update($A), $1.intersection_update(known($R)), $1)"),
    s(
        "$1 = set(known($r))\nshow($1.symmetric_difference_update(known($R)), $1.add($A) if stable($A) else 0, $1)",
    ),
    s("$1 = set(known($r))\nshow(list($1), repr($1), $1.clear(), repr($1))"),
    s("$1 = $Z\nshow(next($1), next($1), next($1, $A), list($1))"),
    s("$1 = $Z\nshow(next($1), $1.__next__(), [*$1])"),
    s("$1 = $Z\nshow($1.__length_hint__(), next($1), $1.__length_hint__())"),
    s("$1 = gen($i)\nshow(next($1), $1.send($A), $1.close(), next($1, $A))"),
    s("$1 = gen($i)\nshow(next($1))\nshow($1.throw($X($A)))"),
    s("$1 = gen($i)\nshow($1.send($A))"),
    s("assert $A, $A"),
    s("assert $B"),
    s("raise $X"),
    s("raise $X($A)"),
    s("raise $X($A) from $A"),
    s("raise $A"),
    s("raise $X from $X($A)"),
    s("raise ExceptionGroup($S, [$X($A), $X()])"),
    s("raise ExceptionGroup($A, $A)"),
    s("del $V"),
    s("del $V.x"),
    s("del $V[$x]"),
    s("$A"),
    s("$O.x = $A"),
    s("setattr($O, $S, $A)"),
    s("delattr($O, $S)"),
    s("print($I, $S[:0], sep=$S, end='|\\n')"),
    s("print($A, sep=$I)"),
    s("print(*$r and [1], sep='-')"),
    s("show(pair($A, $A, *$r, e=$A))"),
    s("show(pair($A, a=$A))"),
    s("show(pair(*$R, **$D))"),
    s("show($G($A, $A))"),
    s("show($G())"),
    s("show($G(*$R))"),
    s("show($G(**$D))"),
    s("show(isinstance($A, $K), type($A) is $K, $K.__name__)"),
    s("show($K())"),
    s("show($L.nope)"),
    s("show($A.nope)"),
    s("show(nope)"),
    s("show(Point.size, Point(2, 3).size)"),
    s("show(Loud($I) < Loud($I), Loud($I) <= Loud($I))"),
    s("show(max(Loud(1), Loud(3), Loud(2)), min([Loud(1), Loud(3), Loud(2)]))"),
    s("show(sorted([Loud($I), Loud($I), Loud($I), Loud($I)]))"),
    s("show(sorted([Loud($i), Loud($i), Loud($i)], reverse=True))"),
    s("show(Loud($I) in $L, $L.count(Loud($I)))"),
    s("show({Loud(1): $A, Loud(1): $A})"),
    s("show([Loud(1), $A] == [Loud($I), $A], (Loud(2), 1) < (Loud($I), 2))"),
    s("show(f'{Loud(1):$f} {Loud(2)!s:$f} {Loud(3)!r}')"),
    s("show('%s %r' % (Loud(1), Loud(2)), '{:>3}{!s}'.format(Loud(0), Loud(1)))"),
    s("show(1 < Loud(2) < $A, $A < Loud(0) or $A)"),
    s("show(not Loud($I), Loud(0) and $A, Loud(1) or $A)"),
    s("show(Loud(1)[$A], Loud(1)($A, k=$A), Loud(1).name)"),
    s("show($A + Loud(1), Loud(2) + $A)"),
    s("show($A * Loud(1), Loud(2) * $A)"),
    s("show($A % Loud(1), Loud(2) % $A)"),
    s("show(list(Loud(2)), len(Loud(1)), [*Loud(3)])"),
    s("$1 = Loud(1)\n$1 += $A\n$1[$A] = $A\ndel $1[$A]\n$1[$A] += $A"),
    s("show([f() for f in [lambda: $1 for $1 in $~R]])"),
    s("$1, $V = $A, $A\nshow($1)"),
    s("for $V in $R:\n    tick()\n    pass\nshow($V)"),
    s("$1 = [$A] * 3\nfor $1[$i] in $R: tick()\nshow($1)"),
    s("show({**$D, 'k': $A}, [*$R, *$R], (*$R,))"),
    s("show(str($A) + repr($A))"),
    s("show($A == $A, $A != $A, $A is $A)"),
    s("show(int($S, $i), float($S), complex($S))"),
    s(
        "$1 = Bare()\n$1.a = $A\n$1.b = $1.a\ndel $1.a\nshow(vars($1), hasattr($1, 'a'), getattr($1, 'b', 0))",
    ),
    s("class $1(Point): __slots__ = ('q',)\n$2 = $1($A)\n$2.q = $A\nshow($2.q, $1.__name__)"),
    s("class $1: __slots__ = ('q', 'r')\n$2 = $1()\n$2.q = $A\nshow($2.q)\n$2.zz = $A"),
    s("$1 = type($S, ($K,), {'a': $A})\nshow($1.a, $1.__name__, $1.__bases__)"),
    s("class $1($K, $K): pass\nshow($1.__mro__)"),
    s("show(sum(($1 for $1 in $~R), $A))"),
    s("show(max($R, key=$k, default=$A), min($L, key=$G))"),
    s("show(any($1 for $1 in $~R), all(($1, $A)[0] for $1 in $~R))"),
    s("show(dict(a=$A, a2=$A, **{'b': $A}))"),
    s("show('{0:{1}}'.format($N, '$f'), '{:{}}'.format($S, $i))"),
    s("show(format($O, '$f'), f'{$O}')"),
    s("show(list(map($G, $R, $R)), list(zip($R, $R)))"),
    s("show(hash(($h, $h)), hash(frozenset([$h, $h])), hash($h))"),
    s("show(round($F, $i), round($N), round($A, $i))"),
    s("show(eval($S))"),
    s("show(isinstance($K, type), issubclass($K, $K), $K.__mro__)"),
    s("show(bool($O), len($O))"),
    s("show(int($O), float($O), complex($O))"),
    s("show([1, 2, 3][$O], 'abc'[$O:], range($O))"),
    s("show(list($O), tuple($O), [*$O])"),
    s("show(dict($O), set(known($O)))"),
    s("show('%d %x' % ($O, $O), '%f' % $O, '%c' % $O)"),
    s("show(bytes($O), $Y[$O])"),
    s("show(round($O), abs($O), -$O)"),
    s("show(' '.join($O), $A in $O, $O[$A])"),
    s("show(list(enumerate($O)), list(zip($O, $O)))"),
    s("show(hash($O) if type($O).__hash__ is not object.__hash__ else 0)"),
    s("show(str($O), bytes($O), format($O, ''))"),
    s("show($O == $A, $O < $A)"),
    s("show(list(reversed($O)), sorted($O))"),
    s("show(chr($O), hex($O), bin($O), divmod($O, $N))"),
    s("show(' x '.center($O), 'a' * $O, $L * $O)"),
    s("show(1 << $O, $I & $O, pow(2, $O, 5))"),
    s("show(getattr($O, $S), hasattr($O, $S))"),
    s("show(next($O), iter($O))"),
    s("show(isinstance($A, $O), issubclass($K, $O))"),
    s("show(max($O), min($O, $A), sum($O))"),
    s("show(str($S, $O), int($S, $O), 'a'.encode($O))"),
    f("def $1():\n    nonlocal $V\n    $V = $A\n    return $V\nshow($1())"),
    f("def $1():\n    nonlocal $V\n    del $V\n$1()\nshow($V)"),
    m("def $1():\n    global $V\n    $V = $A\n$1()\nshow($V)"),
    m("def $1():\n    show($V)\n    $V = $A\n$1()"),
    m("show(sorted(k for k in globals() if k.startswith('v'))[:9])"),
    f("show(sorted(k for k in locals() if k.startswith('v'))[:3])"),
];

/// Statements with a body.
const COMPOUND: &[Row] = &[
    s("if $A:\n    $b\nelse:\n    $b"),
    s("if $B:\n    $b\nelif $A:\n    $b"),
    s("for $1 in $~R:\n    tick()\n    $b\nelse:\n    show($A)"),
    s("for $1, $2 in $~D.items():\n    tick()\n    $b"),
    s("for $1, ($2, *$3) in $~R:\n    tick()\n    $b"),
    s(
        "for $1 in range($i):\n    tick()\n    if $B: continue\n    $b\n    if $A: break\nelse:\n    show($1)",
    ),
    s("$1 = $i\nwhile $1:\n    tick()\n    $1 -= 1\n    $b"),
    s("while $A:\n    tick()\n    $b\n    if $B: break\n    break\nelse:\n    $b"),
    s("try:\n    $b\nexcept $X as $1:\n    err($1)\n    $b"),
    s(
        "try:\n    $b\nexcept ($X, $X):\n    show($A)\nexcept Exception as $1:\n    err($1)\nelse:\n    $b\nfinally:\n    $b",
    ),
    s("try:\n    raise $X($A)\nexcept $X:\n    $b\nfinally:\n    $b"),
    s("try:\n    $b\nexcept $A:\n    $b"),
    s(
        "try:\n    try:\n        $b\n        raise $X($A)\n    finally:\n        $b\nexcept Exception as $1:\n    raise $X from $1",
    ),
    s(
        "try:\n    raise ExceptionGroup('g', [$X($A), $X(), ExceptionGroup('h', [$X()])])\nexcept* $X as $1:\n    err($1)\nexcept* ($X, $X) as $1:\n    err($1)\n    $b",
    ),
    s("try:\n    $b\nexcept* $X as $1:\n    err($1)\nelse:\n    show($A)"),
    s("with $O as $1:\n    $b"),
    s("with Guard($B, $A) as $1:\n    $b"),
    s("with Guard($B, $R) as ($1, $2):\n    $b"),
    s("with (Guard($B) as $1, Guard(False, $A) as $2):\n    $b\n    raise $X($A)"),
    s("with Guard(), $O:\n    $b"),
    kept(
        "def $1($2, $3=$~A, *$4, $5=$~A, **$6):\n    tick()\n    $b\n    return $A\nshow($1($~A), $1($~A, *$~r))",
        "1G",
    ),
    kept("def $1(*$2, **$3):\n    tick()\n    $b\n    return $2, $3\nshow($1($~A, k=$~A))", "1G"),
    kept(
        "def $1($2, /, $3, *, $4=$~A):\n    tick()\n    return $A\nshow($1($~A, $~A))\nshow($1($~A, **$~D))",
        "1G",
    ),
    kept(
        "def $1($2):\n    tick()\n    for $3 in $R:\n        $b\n        if $B: return $3\n    return $A\nshow($1($~A))",
        "1G",
    ),
    kept("@twice\ndef $1($2=$~A):\n    tick()\n    $b\n    return $A\nshow($1())", "1G"),
    kept(
        "def $1($2=$~A):\n    tick()\n    def $3($4):\n        nonlocal $2\n        $2 = $A\n        $b\n        return $2\n    return [$3($A), $2]\nshow($1($~A))",
        "1G",
    ),
    kept(
        "def $1():\n    tick()\n    try:\n        $b\n        return $A\n    finally:\n        $b\nshow($1())",
        "1G",
    ),
    kept(
        "def $1($2=3):\n    tick()\n    for $3 in range($2):\n        $b\n        yield $A\n    return $A\nshow($1($~i))\n$4 = $1()",
        "1G4Z",
    ),
    kept(
        "def $1($2):\n    tick()\n    try:\n        $3 = yield $A\n        show($3)\n        yield from $R\n    except $X as e:\n        err(e)\n        yield $A\n    finally:\n        tick()\n$4 = $1($~A)\nshow(next($4), $4.send($~A))\nshow($4.throw($X($~A)))\nshow(list($4))",
        "",
    ),
    s(
        "def $1():\n    tick()\n    $2 = yield from gen($i)\n    show($2)\n    $3 = yield from $Z\n    return $3\nshow($1())\n$4 = $1()\nshow(next($4), $4.send($~A), $4.send($~A))\n$4.close()",
    ),
    s(
        "match $A:\n    case $i:\n        $b\n    case [$1, *$2]:\n        show($1, $2)\n    case {'a': $1, **$2}:\n        show($1, $2)\n    case str() | None as $1:\n        show($1)\n    case Point(x=$1, y=$2) if $B:\n        show($1, $2)\n    case int($1) | float($1):\n        show($1)\n    case _:\n        $b",
    ),
    s(
        "match $R:\n    case []:\n        show('none')\n    case [$1]:\n        show($1)\n    case ($1, $2) if $A:\n        show($1, $2)\n    case [1 | 2 | 3 as $1, *_]:\n        show($1)\n    case [*_, $1]:\n        show($1)\n    case set() | frozenset():\n        show('set')\n    case $1:\n        show($1)",
    ),
    s(
        "match $D:\n    case {'x': int($1), 'y': $2}:\n        show($1, $2)\n    case {1: str($1)} | {'a': $1}:\n        show($1)\n    case {**$1}:\n        show($1)\n    case $1:\n        show($1)",
    ),
    s(
        "match $O:\n    case Point($1, $2):\n        show($1)\n    case Loud(v=$1) | Ix(v=$1):\n        show($1)\n    case Wrong(v=None | True):\n        $b\n    case object(v=$1):\n        show($1)\n    case $1:\n        show($1)",
    ),
    s(
        "match $A:\n    case -1 | 2.5 | 'abc' | b'abc' | 1j:\n        show('literal')\n    case True:\n        show('true')\n    case (int() | float()) as $1:\n        show($1)\n    case [[$1, $2], *$3]:\n        show($1, $2, $3)\n    case bytes($1) | str($1) | bytearray($1):\n        show($1)\n    case dict() as $1 if len($1) > 1:\n        show($1)\n    case list(($1, _)) | tuple(($1, _)):\n        show($1)",
    ),
    s(
        "match $A, $A:\n    case $1, 1:\n        show($1)\n    case (str($1), $2) | ($2, str($1)):\n        show($1, $2)\n    case ($1, $2) if $1 == $2:\n        $b\n    case ($1, [$2, *_]):\n        show($2)\n    case _:\n        show('other')",
    ),
    s(
        "class $1:\n    a = $~A\n    b = $~A\n    def __init__(self, v=$~i):\n        self.v = v\n    def __repr__(self):\n        return 'made'\n    $m\n    $m\n    $m\n$2 = $1()\n$o\n$o\n$o",
    ),
    s("class $1($~K):\n    a = $~A\n    $m\n    $m\n$2 = $1()\nshow($2.a)\n$o\n$o"),
    s(
        "class $1(Point):\n    def __init__(self, *args):\n        super().__init__(*args)\n        self.z = $~A\n    def __add__(self, other):\n        return [super().__add__(other), $~A]\n    $m\n    @property\n    def size(self):\n        return (super().size, $~A)\n$2 = $1($~A, $~A)\nshow($2 + $2, $2.z)\nshow($2.size)\n$o",
    ),
    s(
        "class $1:\n    f = Field()\n    $m\n$2 = $1()\nshow($2.f)\n$2.f = $A\nshow($2.f, $1.f, vars($2))\ndel $2.f\n$o",
    ),
    s(
        "class $1:\n    def __init_subclass__(cls, **kw):\n        show(cls.__name__, kw)\n    def __class_getitem__(cls, k):\n        return k\nclass $2($1, k=$~A):\n    $b\nshow($1[$~A])",
    ),
    s(
        "class $1(type):\n    def __new__(m, name, bases, ns, **kw):\n        show(name, kw)\n        return super().__new__(m, name, bases, ns)\n    def __call__(cls, *a):\n        show(a)\n        return super().__call__(*a)\n    def __len__(cls):\n        return $~i\nclass $2(metaclass=$1, k=$~A):\n    v = $~A\nshow(len($2), $2().v, bool($2))\n$2($~A)",
    ),
    s(
        "class $1:\n    def __getattr__(self, name):\n        if name.startswith('__'): raise AttributeError(name)\n        return (name, $~A)\n    def __setattr__(self, name, v):\n        show(name, v)\n        object.__setattr__(self, name, $~A)\n    def __delattr__(self, name):\n        show(name)\n$2 = $1()\nshow($2.a)\n$2.b = $~A\nshow($2.b, vars($2))\ndel $2.b\n$o",
    ),
    s(
        "class $1($X):\n    def __str__(self):\n        return $~S\ntry:\n    raise $1($~A)\nexcept $X as $2:\n    show(str($2), $2.args)\n    raise",
    ),
    s(
        "class $1:\n    def __enter__(self):\n        return $~A\n    def __exit__(self, *a):\n        show(a[0])\n        return $~A\nwith $1() as $2:\n    $b\n    raise $X($~A)",
    ),
    s(
        "class $1:\n    def __iter__(self):\n        $b\n        return $~Z\n    def __next__(self):\n        return $~A\nfor $2 in $1():\n    tick()\n    show($2)\nshow(list($1()))",
    ),
    s(
        "class $1:\n    def __getitem__(self, i):\n        tick()\n        if i == 3: raise $X($A)\n        return $~A\nshow(list($1()))\nshow($~A in $1())",
    ),
    s(
        "async def $1($2):\n    tick()\n    $b\n    return $A\n$3 = $1($~A)\ntry:\n    $3.send(None)\nexcept StopIteration as $4:\n    show($4.value)",
    ),
    s(
        "$1 = [$A for _ in range(2)]\nfor $2 in $1:\n    tick()\n    if len($1) < 6: $1.append($2)\n    $b\nshow($1)",
    ),
    s("$1 = $D\nfor $2 in $1:\n    tick()\n    $1[$H] = $A\n    $1.pop($2)\nshow($1)"),
    s("$1 = {1, 2, 3}\nfor $2 in $1:\n    tick()\n    $1.add($h)\nshow($1)"),
];

impl Generator {
    /// A statement: its lines.
    pub(super) fn statement(&mut self, depth: usize) -> String {
        if self.rng.chance(38) || depth == 0 && self.rng.chance(40) {
            let template = self.rng.pick(SHOWS);
            return self.fill(template, 3);
        }
        loop {
            let rows = if depth > 0 && self.rng.chance(30) { COMPOUND } else { SIMPLE };
            let row = self.rng.pick(rows);
            let wanted = if self.in_function { Place::Module } else { Place::Function };
            if row.place != wanted {
                return self.row_text(row, depth);
            }
        }
    }

    /// The lines of a body.
    pub(super) fn block(&mut self, depth: usize) -> Vec<String> {
        let outside = self.scope.len();
        let count = 1 + self.rng.below(2);
        let lines = (0..count).map(|_| self.statement(depth.min(1))).collect();
        self.scope.truncate(outside);
        lines
    }

    fn row_text(&mut self, row: Row, depth: usize) -> String {
        let text = self.with_methods(row.text);
        let first_name = self.names;
        let filled = self.fill(&text, depth.max(2));
        let mut kept = row.kept.chars();
        while let (Some(digit), Some(letter)) = (kept.next(), kept.next()) {
            let name = format!("v{}", first_name + digit as usize - '0' as usize);
            self.scope.push((name, Type::of_letter(letter)));
        }
        filled
    }

    /// The template with methods (`$m`, in a class body) and uses (`$o`) in their places.
    fn with_methods(&mut self, template: &str) -> String {
        let mut text = template.to_owned();
        while let Some(at) = text.find("$m") {
            let method = self.rng.pick(METHODS).replace('\n', "\n    ");
            text.replace_range(at..at + 2, &method);
        }
        while let Some(at) = text.find("$o") {
            text.replace_range(at..at + 2, self.rng.pick(USES));
        }
        text
    }
}
