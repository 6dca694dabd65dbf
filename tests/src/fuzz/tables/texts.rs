//! Text and bytes.

#[rustfmt::skip]
pub(super) const STRS: &[&str] = &[
    "''", "'a'", "'abc'", "'Hello World'", "'é'", "'ß'", "'ΑΣ'", "'日本語'", "'😀x'", "'a\\nb'",
    "'\\t.\\t'", "'  pad '", "'x,y,,z'", "'123'", "'-4.5'", "'A1b2'", "'aaa'", "'İ'", "'ﬁn'",
    "'\\ud800'", "'%s'", "'{}'", "'0x1f'", "'1e5'", "' 12 '", "'nan'", "'inf'", "'big'", "'little'",
    "'x'", "'v'", "'_1'", "'١٢'", "'²'", "'\\x00\\x7f'", "'\\x85\\u2028'", "S2('sub')", "'a b\\tc'",
    "'utf-8'", "'it\\'s'", "'\"q\"'", "'1+2j'", "'0b11'", "'aXbX'", "'ǆ'", "'o\\'Neil 3RD'",
    "'1_0'", "'real'", "'a\\r\\nb\\x0cc'", "'ab'*3", "'%d %%'", "'{0}{1}'", "'ascii'", "'strict'",
];

#[rustfmt::skip]
pub(super) const STR: &[&str] = &[
    "$S + $S", "$S * $i", "$S[$x]", "$S[$x:$x]", "$S[$x:$x:$x]", "$S[::$i]", "str($A)", "repr($A)",
    "ascii($S)", "str($N)", "repr($F)", "chr($I)", "hex($I)", "oct($I)", "bin($I)", "$S.upper()",
    "$S.lower()", "$S.title()", "$S.capitalize()", "$S.swapcase()", "$S.casefold()", "$S.strip()",
    "$S.strip($S)", "$S.lstrip($S)", "$S.rstrip($S)", "$S.strip($A)", "$S.center($i)",
    "$S.center($i, $c)", "$S.ljust($i, $c)", "$S.rjust($i, $S)", "$S.zfill($i)",
    "$S.expandtabs($i)", "$S.expandtabs()", "$S.replace($S, $S)", "$S.replace($S, $S, $i)",
    "$S.replace($c, $c)", "$S.join($L)", "$S.join($R)", "$S.join([$S, $S, $S])",
    "$S.join(map(str, $R))", "$S.removeprefix($S)", "$S.removesuffix($S)",
    "$S.translate({97: $A, 98: None})", "$S.translate(str.maketrans($S, $S))",
    "$S.translate(str.maketrans('ab', 'xy', $S))", "$S.translate($A)", "$S.format($A, $A)",
    "'{} {}'.format($A, $A)", "'{0}-{1}-{0}'.format($A, $A)", "'{!r:>{}}'.format($A, $i)",
    "'{x} {0[1]}'.format($Q, x=$A)", "'{0.x} {0.y}'.format($O)", "'{:$f}'.format($N)",
    "'{:$f}'.format($A)", "'{0[k]}'.format($D)", "$S.format(*$R)", "$S.format_map($D)",
    "format($N, '$f')", "format($I, '$f')", "format($F, '$f')", "format($S, '$f')",
    "format($A, '$f')", "format($A, $S)", "$p % $A", "$p % ($A,)", "$p % ($N,)", "$p % ($A, $A)",
    "$p % ($I, $F)", "$S % $A", "'%(a)s %(b)5r' % {'a': $A, 'b': $A}", "'%s|%s' % $T",
    "'%*d|' % ($i, $I)", "'%.*f|' % ($i, $N)", "f'<{$A}>'", "f'{($N):$f}'", "f'{($A):$f}'",
    "f'{$A!r}{$S}'", "f'{($S):>{$i}}'", "f'{($F):.{$i}f}|'", "f'{($A)=}'", "f'{($A)!s:$f}'",
    "f\"{$D}{{}}{$L!r:^20}\"", "f'{($I):$f}'", "f'{($F):$f}'", "$Y.decode()",
    "$Y.decode('latin-1')", "$Y.decode($S, 'replace')", "$Y.decode('ascii', 'backslashreplace')",
    "str($Y, 'utf-8', 'ignore')", "$Y.decode('utf-16', 'replace')", "$Y.hex()", "$Y.hex($c)",
    "$Y.hex('-', $i)", "$S if $B else $S", "max($S, $S)", "max($S)", "min($S, key=$k)", "$F.hex()",
    "$K.__name__", "type($A).__name__", "$G.__name__", "str($X($A))", "repr($X($A, $A))",
    "$S.partition($S)[2]", "$S.splitlines()[$x]", "$S.split()[$x]", "$A.__repr__()", "$A.__str__()",
    "$A.__format__($S)", "$S.__mul__($i)", "$S.__add__($A)", "$S.__mod__($A)", "$S.__getitem__($A)",
    "str(object=$A)", "str($A, $A)", "repr($O)", "str($O)", "'$f'.center($i, '*')",
    "repr(range($x, $x, $x))", "repr(slice($A, $A, $A))", "str($C)", "repr($Z)", "repr($D.keys())",
    "repr($D.items())", "str(iter($A))",
];

#[rustfmt::skip]
pub(super) const BYTES: &[&str] = &[
    "b''", "b'abc'", "b'\\x00\\xff'", "b'Hello World'", "b'a,b,,c'", "b' pad\\t'", "b'123'",
    "b'aaa'", "bytearray(b'xyz')", "Y2(b'sub')", "b'\\xc3\\xa9'", "b'A1 b2'", "b'a'", "b\"it's\"",
    "b'\\n\\r\\n'", "bytearray()", "b'0x1F'",
];

#[rustfmt::skip]
pub(super) const BYTE: &[&str] = &[
    "$Y + $Y", "$Y * $i", "$Y[$x:$x]", "$Y[$x:$x:$x]", "bytes($L)", "bytes($i)", "bytes($R)",
    "bytes($O)", "bytes([$i, $I])", "bytes($S, $S)", "bytes($S, 'ascii', 'replace')",
    "bytearray($O)", "bytearray($r)", "$S.encode()", "$S.encode('latin-1', 'replace')",
    "$S.encode('ascii', 'xmlcharrefreplace')", "$S.encode($S, $S)", "$S.encode('utf-16')",
    "$S.encode('utf-8', 'surrogatepass')", "$Y.upper()", "$Y.title()", "$Y.swapcase()",
    "$Y.capitalize()", "$Y.strip()", "$Y.strip($Y)", "$Y.lstrip($A)", "$Y.replace($Y, $Y)",
    "$Y.replace($Y, $Y, $i)", "$Y.join([$Y, $Y])", "$Y.join($R)", "$Y.center($i, $Y)",
    "$Y.ljust($i)", "$Y.rjust($i, b'*')", "$Y.zfill($i)", "$Y.expandtabs($i)",
    "$Y.translate(None, $Y)", "$Y.translate(bytes.maketrans($Y, $Y))", "$Y.translate($A, $A)",
    "$Y.removeprefix($Y)", "$Y.removesuffix($A)", "bytes.fromhex($S)", "bytes.fromhex($Y.hex())",
    "$I.to_bytes($i, 'big')", "$I.to_bytes($i, $S, signed=$B)", "$I.to_bytes()",
    "b'%d %s' % ($A, $A)", "b'%5.2f|%x' % ($N, $I)", "b'%a|%c' % ($A, $A)", "$Y % $A",
    "bytes(memoryview($Y)[$x:$x:$x])", "memoryview($Y).tobytes()", "$Y.partition($Y)[0]",
    "bytes(reversed($Y))", "$Y if $B else $Y", "$Y.__add__($A)", "$Y.__getitem__($A)",
    "bytes(Ix($I % 9))",
];
