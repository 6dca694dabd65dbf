"""Writes format.txt: formatting with CPython 3.12's results, one a line:
`operation|operand...|result`. Texts are hex of UTF-8 (`~` if empty); errors are `!Class:message`.

Run with a CPython 3.12: python3.12 gen_format.py
"""
import _string
import random

R = random.Random(312)
out = []


def hexed(s):
    return (s if isinstance(s, bytes) else s.encode("utf-8")).hex() or "~"


def case(name, f, *args):
    try:
        result = hexed(f())
    except (ValueError, TypeError, OverflowError) as e:
        result = f"!{type(e).__name__}:{e}"
    out.append("|".join([name, *args, result]))


def spec(types):
    s = ""
    if R.random() < 0.4:
        s += R.choice(["<", ">", "^", "=", "*<", "é^", "0=", "x>", "=<", "<<", "{="])
    if R.random() < 0.3:
        s += R.choice("+- ")
    if R.random() < 0.12:
        s += "z"
    if R.random() < 0.2:
        s += "#"
    if R.random() < 0.25:
        s += "0"
    if R.random() < 0.6:
        s += str(R.choice((0, 1, 5, 8, 10, 12, 15, 25)))
    if R.random() < 0.25:
        s += R.choice([",", "_", ",", "_", ",_", "_,"])
    if R.random() < 0.4:
        s += "." + str(R.choice((0, 1, 2, 3, 6, 17, 30, "")))
    if R.random() < 0.8:
        s += R.choice(types)
    if R.random() < 0.03:
        s += R.choice(["x", "é", "}", " "])
    return s


FLOATS = [0.0, -0.0, 1.0, -1.5, 0.5, 2.5, 1234567.891, 1e10, 1e16, 123456789012345680.0, 1e-5, 0.0001, -0.00001, 1e100, float("inf"), float("-inf"), float("nan"), 99.995, 0.125, 1e22, 5e-324, 1.7976931348623157e308, 999999.5, 9.5, 100.0]
INTS = [0, 1, -1, 5, 65, 233, 255, -255, 1234, 12345, -1234567, 10**9, 2**63, -(2**64), 10**30, 0x1F600, 0x110000, -5]
STRS = ["", "a", "abc", "héllo", "€uro😀", "0", "+1"]
for _ in range(420):
    x = R.choice(FLOATS + [R.uniform(-1, 1) * 10.0 ** R.randrange(-12, 20)])
    s = spec("eEfFgGn%eEfFgGn%dsx")
    case("float", lambda: format(x, s), repr(x), hexed(s))
    n = R.choice(INTS)
    s = spec("bcdoxXnbcdoxXndoxXeg%sz")
    case("int", lambda: format(n, s), str(n), hexed(s))
    t = R.choice(STRS)
    s = spec("ssssssssd")
    case("str", lambda: format(t, s), hexed(t), hexed(s))
    z = complex(R.choice(FLOATS), R.choice(FLOATS))
    s = spec("eEfFgGnd")
    case("complex", lambda: format(z, s), repr(z.real), repr(z.imag), hexed(s))
for s in ["1" * 30, "." + "9" * 30, ".3000000000", "é", "\x01", ",s", ",é", "_n", ",n", ",\x01", "٣", "zz", "<>", "10x ", "99999999999999999999d", " ", "+", "#", "0", "00", "<0", "0<5", "c", "#c", "+c", ".1c", ",c", "05c", "=5c", "z", "zd"]:
    case("int", lambda: format(65, s), "65", hexed(s))
    case("float", lambda: format(1.5, s), "1.5", hexed(s))
    case("str", lambda: format("ab", s), hexed("ab"), hexed(s))
    case("complex", lambda: format(1.5 + 2j, s), "1.5", "2.0", hexed(s))


def percent(types):
    s = "%"
    for f in "-+ #0":
        if R.random() < 0.25:
            s += f
    if R.random() < 0.6:
        s += str(R.choice((0, 1, 5, 10, 20)))
    if R.random() < 0.4:
        s += "." + str(R.choice(("", 0, 1, 3, 12)))
    if R.random() < 0.1:
        s += R.choice("hlL")
    return s + R.choice(types)


for _ in range(300):
    n, s = R.choice(INTS), percent("diuoxX")
    case("%int", lambda: s % n, hexed(s), str(n))
    x, s = R.choice(FLOATS), percent("eEfFgG")
    case("%float", lambda: s % x, hexed(s), repr(x))
    t, s = R.choice(STRS), percent("s")
    case("%text", lambda: s % t, hexed(s), hexed(t))
    if R.random() < 0.3:
        b, s = t.encode(), s.encode()
        case("%bytes", lambda: s % b, hexed(s), hexed(b))
for s in ["%", "a%", "%5", "%(a", "%(a(b)c", "%y", "é%y", "%é", "%\x01", "%99999999999999999999d", "%.99999999999d", "%.3000000000d", "%l", "%-", "%5.", "%.y", "%hhd", "% y", "%b"]:
    case("%int", lambda: s % 1, hexed(s), "1")
for s in [b"%y", b"\xff%y", b"%\xff", b"a%", b"%(a"]:
    case("%bytes", lambda: s % b"x", hexed(s), hexed(b"x"))


def parsed(s):
    parts = []
    for literal, name, spec, conversion in _string.formatter_parser(s):
        if literal:
            parts.append("L" + hexed(literal))
        if name is not None:
            parts.append("F" + hexed(name) + ":" + hexed(spec) + ":" + hexed(conversion or ""))
    return " ".join(parts)


def names(s):
    first, rest = _string.formatter_field_name_split(s)
    parts = ["P%d" % first if isinstance(first, int) else "K" + hexed(first)]
    for is_attr, x in rest:
        parts.append(("A" + hexed(x)) if is_attr else "I%d" % x if isinstance(x, int) else "S" + hexed(x))
    return " ".join(parts)


PIECES = ["a", "é", "{", "}", "{{", "}}", "{}", "{0}", "{a.b}", "{0[x]}", "{!r}", "{a!s:>5}", "{:{}}", "{:{w}.{p}}", ":", "!", "[", "]", ".", "!r", "{[}]}", "{0", "x:", "{!", "{a!}", "{a!rx}", "{a!é}"]
for _ in range(500):
    s = "".join(R.choice(PIECES) for _ in range(R.randrange(1, 5)))
    case("template", lambda: parsed(s), hexed(s))
for s in ["", "a", "0", "12", "٣", "a.b", "a.b.c", "a[0]", "a[x]", "0[1][y].z", ".a", "[0]", "a.", "a..b", "a[]", "a[", "a[0", "a[0]b", "a[0].", "a[0].b[c]", "a]", "9" * 25, "a[" + "9" * 25 + "]", "1a", "a[-1]", "a[٣]", " 0", "a.b[", "é.é[é]"]:
    case("name", lambda: names(s), hexed(s))
for s in ["{}{}", "{}{0}", "{0}{}", "{a}{}{b}{}", "{}{a.b}{1}", "{1}{0}{x}", "{0}{a}{}", "{a!x}", "{!\x01}", "{!é}"]:
    class Any(dict):
        def __getattr__(self, name):
            return 1
    case("numbering", lambda: (s.format(1, Any(), a=Any(), b=2, x=3), "ok")[1], hexed(s))
with open("format.txt", "w") as f:
    f.write("\n".join(out) + "\n")
