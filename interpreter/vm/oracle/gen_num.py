"""Writes num.txt: operations on numbers with CPython 3.12's results, one a line:
`operation|operand...|result`. Texts are hex of UTF-8; errors are `!Class:message`.

Run with a CPython 3.12: python3.12 gen_num.py
"""
import math
import random
import struct

R = random.Random(312)
out = []


def show(x):
    if isinstance(x, str):
        return x
    if isinstance(x, bytes):
        return x.hex() or "~"
    if isinstance(x, tuple):
        return ",".join(map(show, x))
    return repr(x)


def hexed(s):
    return s.encode("utf-8").hex() or "~"


def case(name, f, *args):
    try:
        result = show(f())
    except Exception as e:
        result = f"!{type(e).__name__}:{e}"
    out.append("|".join([name, *map(show, args), result]))


def any_float():
    k = R.randrange(9)
    if k == 0:
        x = struct.unpack("<d", struct.pack("<Q", R.getrandbits(64)))[0]
        return x if x == x else 1.5
    if k == 1:
        return R.choice([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, 1e16, 1e15, 1e-5, 1e-4, 1e22, 1e23, 5e-324, 2.5, 0.5, 1.5, 1.7976931348623157e308, 2.2250738585072014e-308])
    if k == 2:
        return float(R.randrange(-10**6, 10**6))
    if k == 3:
        return R.randrange(-1000, 1000) / 8
    if k == 4:
        return round(R.uniform(-1000, 1000), R.randrange(5))
    if k == 5:
        return R.randrange(-10**6, 10**6) / 2 * 10.0 ** R.randrange(-3, 12)
    return R.uniform(-10, 10) * 10.0 ** R.randrange(-30, 30)


def any_int():
    n = R.getrandbits(R.choice((1, 3, 8, 30, 62, 63, 64, 65, 90, 128, 300)))
    n = R.choice((n, n, -n, 1 << n.bit_length(), -(1 << n.bit_length())))
    return n


for _ in range(130):
    x, y = any_float(), any_float()
    case("repr", lambda: repr(x), x)
    case("hex", x.hex, x)
    case("fdiv", lambda: x / y, x, y)
    case("ffloor", lambda: x // y, x, y)
    case("fmod", lambda: x % y, x, y)
    case("fdivmod", lambda: divmod(x, y), x, y)
    case("fpow", lambda: "complex" if -math.inf < x < 0 and y % 1 else x**y, x, y)
    case("ratio", x.as_integer_ratio, x)
    case("toint", lambda: int(x), x)
    case("round0", lambda: round(x), x)
    n = R.choice((0, 1, 2, 3, -1, -2, -5, 20, -20, 400, -400, 308, -308, R.randrange(-320, 330)))
    case("round", lambda: round(x, n), x, n)
    i = R.choice((any_int(), int(x) if math.isfinite(x) else 0, int(x) + 1 if math.isfinite(x) else 0))
    case("cmp", lambda: (x > i) - (x < i), x, i)
for x in (2.0**-25, 185115770582487.125, 2.0**60, 2.0**64, 2.0**89, 9007199254740993.0, 1e15, 123456789012345678.0):
    for d in range(-3, 4):
        y = x * (1 + d * 2.0**-52)
        case("repr", lambda: repr(y), y)
INF = math.inf
for a, b in [(complex(INF), 2), (complex(INF), 2.5), (complex(INF, 1), 1), (complex(INF), 0), (complex(1, INF), 3), (complex(1e200, 1e200), 2), (2 + 0j, complex(INF)), (2 + 0j, complex(0, INF)), (complex(INF, INF), 0.5), (complex(math.nan), 2.5), (0j, complex(INF)), (0j, 1j), (2 + 0j, 2000), (0j, 0), (0j, -2), (0j, 2.5)]:
    b = complex(b)
    case("cpow", lambda: a**b, a.real, a.imag, b.real, b.imag)
for x in (1.0, -0.0, INF):
    case("fdivmod", lambda: divmod(x, 0.0), x, 0.0)
for s in ["1", "1.", ".5", ".", "", " 1.5 ", "1_000.5_0", "1__0", "_1", "1_", "1_.5", "1._5", "1e5", "1e", "1e+_5", "1_0e1_0", "inf", "-Infinity", "nan", "+NaN", "infin", "0x1", "1e400", "-1e-400", "1e99999999999999999999", "٣.١٤", "\u30001\u2003", "1 2", "é", "'", "1.5j", "1\x00", "--1", "+-1", "+", "1e5.0", "e5", "5e-324", "2.4703282292062327e-324", "2.4703282292062328e-324", "1.7976931348623159e308", "\x1c1\x1f"]:
    case("float", lambda: float(s), hexed(s))
    case("complex", lambda: complex(s), hexed(s))
for s in ["1j", "j", "-j", "+j", "1+2j", "1-2J", "(1+2j)", "( 1+2j )", "1+2", "1e5+1e-5j", "1e+5j", "1e-5-j", "(1", "1)", "1 +2j", "1+ 2j", "nan+infj", "-0-0j", "-nanj", "infj", "1+2j3", "1_0+2_0j", "1__0j", "1+-2j", "jj", "1e", "++j", "inf-infj", " (1j) ", "((1j))", "1jj", "0x1j", "1+j", "1.5-.5j"]:
    case("complex", lambda: complex(s), hexed(s))
for s in ["0x1.8p3", "1.8", "0x.8p1", "-0x1p-1074", "0x1p-1075", "0x1.8p-1075", "0x1p1024", "0x1.fffffffffffff8p1023", "0x1.fffffffffffff7p1023", "inf", "-nan", "0x", "0x.", "p1", "1p", "1p+", " 0X1P+2 ", "0x1.00000000000008p0", "0x1.000000000000080000000000000001p0", "0x1.00000000000018p0", "0x0p99999999999999999999", "0x1p99999999999999999999", "0x1p-99999999999999999999", "0x1g", "infinit", "", "0x" + "f" * 30 + "p-3", "0x0.00000000000000000000000000000001p0", "0x1.0p0x", "é"]:
    case("fromhex", lambda: float.fromhex(s), hexed(s))
for _ in range(60):
    x = any_float()
    case("fromhex", lambda: float.fromhex(x.hex()), hexed(x.hex()))
    case("float", lambda: float(repr(x)), hexed(repr(x)))
for s in ["0", "-0", "+5", " 12 ", "1_000", "1__0", "_1", "1_", "0x1f", "0b101", "0o17", "0X_ff", "0x", "0x_", "0b2", "z", "Zz", "٣٤", "1.5", "", " ", "-", "+-1", "- 1", "007", "00", "0_0", "0_7", "9" * 30, "-" + "9" * 19, "9223372036854775808", "-9223372036854775808", "f" * 40, "é", "1\x002", "'", "0xg", "x" * 300, "\u30001", "0b", "b1", "0b1_0", "0_b1"]:
    for base in (10, 0, 16, 2, 36, 7, 8):
        case("int", lambda: int(s, base), hexed(s), base)
for s in ("1" * 4300, "1" * 4301, "0" * 4301, "1_1" * 2200):
    for base in (10,):
        case("int", lambda: int(s, base), hexed(s), base)
case("int", lambda: int("1", 37), hexed("1"), 37)
case("int", lambda: int("1", 1), hexed("1"), 1)
for b in [b"12", b"1\xff", b"", b" 7 ", b"1_0"]:
    case("intbytes", lambda: int(b), b)
for _ in range(110):
    a, b = any_int(), any_int()
    case("floordiv", lambda: a // b, a, b)
    case("mod", lambda: a % b, a, b)
    case("divmod", lambda: divmod(a, b), a, b)
    case("truediv", lambda: a / b, a, b)
    e = R.randrange(0, 9)
    case("pow", lambda: a**e, a, e)
    m = any_int()
    case("powmod", lambda: pow(a, b, m), a, b, m)
    s = R.choice((R.randrange(100), R.randrange(1000), -1))
    case("shl", lambda: a << s, a, s)
    case("shr", lambda: a >> s, a, s)
    case("bits", lambda: (a.bit_length(), a.bit_count()), a)
    n, o, g = R.randrange(0, 20), R.choice(("little", "big")), R.choice((True, False))
    case("tobytes", lambda: a.to_bytes(n, o, signed=g), a, n, o, int(g))
    w = R.randbytes(n)
    case("frombytes", lambda: int.from_bytes(w, o, signed=g), w, o, int(g))
    case("tofloat", lambda: float(a), a)
    case("str", lambda: str(a), a)
    case("isqrt", lambda: math.isqrt(a), a)
    case("gcd", lambda: math.gcd(a, b), a, b)
    p = -R.randrange(0, 25)
    case("iround", lambda: round(a, p), a, p)
for k in (1023, 1024, 1025, 2000):
    for d in (-1, 0, 1, -(1 << (k - 54)) if k > 54 else 0, -(1 << (k - 55))):
        a = (1 << k) + d
        case("tofloat", lambda: float(a), a)
        case("truediv", lambda: a / 3, a, 3)
        case("truediv", lambda: 3 / a, 3, a)
        case("truediv", lambda: (a + 1) / (1 << 1074), a + 1, 1 << 1074)
        case("truediv", lambda: a / (1 << 2090), a, 1 << 2090)
for _ in range(120):
    a = complex(R.choice((any_float(), 0.0, 1.0, -0.0)), R.choice((any_float(), 0.0, 1.0, -0.0)))
    b = complex(R.choice((any_float(), 0.0, 2.0)), R.choice((R.uniform(-3, 3), 0.0, 0.0, 1.0)))
    pair = (a.real, a.imag, b.real, b.imag)
    case("crepr", lambda: repr(a), a.real, a.imag)
    case("cmul", lambda: a * b, *pair)
    case("cdiv", lambda: a / b, *pair)
    e = R.choice((b, complex(R.randrange(-12, 12), 0), complex(R.uniform(-3, 3), R.uniform(-2, 2))))
    case("cpow", lambda: a**e, a.real, a.imag, e.real, e.imag)
    case("cabs", lambda: abs(a), a.real, a.imag)
with open("num.txt", "w") as f:
    f.write("\n".join(out) + "\n")
