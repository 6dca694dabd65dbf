"""Writes tests/cases.tsv: calls of Python's math and what they give, for the test of the extension.

Run with CPython 3.12:  python3.12 extensions/math/tests/cases.py > extensions/math/tests/cases.tsv
With --check FILE it compares instead of writing, and fails if they differ.

A line is FUNCTION <tab> ARGUMENTS <tab> RESULT. Values: f:BITS (double), i:HEX (int), b:0, b:1,
n (None), s:TEXT, [VALUE VALUE] (list), (VALUE VALUE) (tuple). A keyword argument is NAME=VALUE.
An exception is !CLASS:MESSAGE.
"""
import io
import math
import random
import struct
import sys

rng = random.Random(20240229)
inf, nan = math.inf, math.nan
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, -2.0, 1e-300, -1e-300, 5e-324, 1e300, -1e300,
           1.7976931348623157e308, -1.7976931348623157e308, inf, -inf, nan, math.pi, -math.e, 1e-8,
           3, -7, 0, True, 2**53 + 1, 2**70, -2**70, 10**400, "x", None]


def show(v):
    if v is None:
        return "n"
    if v is True or v is False:
        return f"b:{int(v)}"
    if isinstance(v, float):
        return "f:" + ("nan" if v != v else struct.pack(">d", v).hex())
    if isinstance(v, int):
        return f"i:{v:x}"
    if isinstance(v, str):
        return "s:" + v
    if isinstance(v, list):
        return "[" + " ".join(map(show, v)) + "]"
    if isinstance(v, tuple):
        return "(" + " ".join(map(show, v)) + ")"
    raise TypeError(v)


def case(out, name, *args, **kw):
    shown = [show(a) for a in args] + [f"{k}={show(v)}" for k, v in kw.items()]
    try:
        result = show(getattr(math, name)(*args, **kw))
    except Exception as e:
        result = f"!{type(e).__name__}:{e}"
    print(name, " ".join(shown), result, sep="\t", file=out)


def wild():
    """A double with random bits of exponent."""
    return struct.unpack(">d", struct.pack(">Q", rng.getrandbits(64)))[0]


def number():
    kind = rng.randrange(5)
    if kind == 0:
        return wild()
    if kind == 1:
        return rng.uniform(-10, 10)
    if kind == 2:
        return rng.uniform(-1, 1)
    if kind == 3:
        return float(rng.randrange(-200, 200)) / 2
    return rng.uniform(-800, 800)


def main(out):
    unary = """acos acosh asin asinh atan atanh cbrt ceil cos cosh degrees erf erfc exp exp2 expm1
    fabs floor frexp gamma isfinite isinf isnan lgamma log log10 log1p log2 modf radians sin sinh
    sqrt tan tanh trunc ulp""".split()
    for name in unary:
        for v in SPECIAL:
            case(out, name, v)
        for _ in range(70):
            case(out, name, number())
        case(out, name)
        case(out, name, 1.0, 2.0, 3.0)
    for n in range(-40, 220):
        case(out, "gamma", n / 4 + rng.random() / 1000)
        case(out, "lgamma", n / 3 - 10)
    for name in "atan2 copysign fmod pow remainder nextafter log dist hypot ldexp isclose".split():
        for a in SPECIAL[:-4]:
            for b in (0.0, -0.0, 1.0, -3.0, 2.5, inf, -inf, nan, 7, 1e300):
                args = (a, b)
                if name == "dist":
                    args = ((a, 1.0), (b, 2.0))
                if name == "ldexp":
                    args = (a, rng.randrange(-1200, 1200))
                case(out, name, *args)
        for _ in range(100):
            a, b = number(), number()
            args = (a, b)
            if name == "dist":
                args = ([a, number(), 3], [b, number(), 5])
            if name == "ldexp":
                args = (a, rng.randrange(-2200, 2200))
            case(out, name, *args)
        case(out, name, "x", 1.0)
        case(out, name, 1.0, "x")
        case(out, name)
        case(out, name, 1.0)
    for args in [(2**2000,), (2**2000, 2), (2**2000 - 1, 10), (10**500, 10**100), (0,), (-5,),
                 (2**1024,), (2**1024 - 1,), (2**1023,), (8, 2), (8, 1), (8, None), (1, 2, 3)]:
        case(out, "log", *args)
        case(out, "log2", args[0])
        case(out, "log10", args[0])
    for args in [(1.0, 2**40), (1.0, -2**40), (1.0, 2**90), (1.0, -2**90), (0.0, 2**90), (inf, 5),
                 (1.0, 1.5), (1.0, True), (1.0, None)]:
        case(out, "ldexp", *args)
    for name in "gcd lcm".split():
        case(out, name)
        for _ in range(60):
            size = rng.choice([8, 40, 63, 64, 65, 200])
            case(out, name, *[rng.getrandbits(size) * rng.choice([1, -1, 1, 0 if size < 9 else 1])
                              for _ in range(rng.randrange(1, 5))])
        case(out, name, -2**63)
        case(out, name, -2**63, 0)
        case(out, name, 1.5)
        case(out, name, 1, "x")
        case(out, name, True, 6)
    for n in list(range(-2, 60)) + [100, 171, 1000, 2**64, -2**64, 5.0, "x", True]:
        case(out, "factorial", n)
        case(out, "isqrt", n)
    for _ in range(60):
        case(out, "isqrt", rng.getrandbits(rng.choice([20, 53, 62, 63, 64, 65, 128, 1000])))
    case(out, "isqrt", (2**300 + 1)**2)
    case(out, "isqrt", (2**300 + 1)**2 - 1)
    for name in "comb perm".split():
        for n in list(range(0, 14)) + [40, 70, 200, 2**65, -1]:
            for k in [0, 1, 2, 3, 7, 13, 40, 66, -1, 300]:
                case(out, name, n, k)
        for args in [(5,), (5, None), (5.0, 2), (5, 2.0), ("x", 1), (2**70, 2**69), (2**70, 2**70),
                     (), (1, 2, 3)]:
            case(out, name, *args)
    for _ in range(150):
        n = rng.randrange(0, 12)
        case(out, "fsum", [number() for _ in range(n)])
        case(out, "fsum", [rng.uniform(-1, 1) * 2.0**rng.randrange(-60, 60) for _ in range(n)])
        p = [rng.choice([number(), rng.randrange(-100, 100)]) for _ in range(n)]
        q = [rng.choice([number(), rng.randrange(-100, 100)]) for _ in range(n)]
        case(out, "sumprod", [float(x) for x in p], [float(x) for x in q])
        case(out, "sumprod", p[:1] + [1.5] * (n - 1), [2.5] * n if n else [])
        case(out, "sumprod", [rng.randrange(-100, 100) for _ in range(n)], list(range(n)))
        case(out, "prod", [rng.uniform(-3, 3) for _ in range(n)], start=1.0)
        case(out, "prod", [rng.randrange(-9, 9) for _ in range(n)])
        case(out, "hypot", *p)
        case(out, "dist", p, q)
    for v in ([1e308, 1e308], [inf, -inf], [inf, 1.0], [nan, 1.0], [1e308, 1e308, -1e308], [],
              [1, 2**60, 0.1], ["x"], 5, [1e16, 1.0, 1e-16], [1e-16, 1.0, 1e16]):
        case(out, "fsum", v)
        case(out, "prod", v) if v != ["x"] and not (isinstance(v, list) and 2**60 in v) else None
    case(out, "sumprod", [1, 2], [1])
    case(out, "sumprod", 1, [1])
    case(out, "sumprod", [], [])
    case(out, "dist", [1], [1, 2])
    case(out, "dist", 1, [1])
    case(out, "dist", ["x"], [1])
    case(out, "hypot", "x")
    case(out, "hypot", 5e-324, 5e-324)
    case(out, "hypot", 1e-310, 3e-310, -2e-309)
    for _ in range(80):
        a = number()
        case(out, "isclose", a, a * (1 + rng.uniform(-2, 2) * 1e-9))
        case(out, "isclose", a, number(), rel_tol=abs(rng.random()), abs_tol=rng.random())
    case(out, "isclose", 1.0, 1.0, rel_tol=-1.0)
    case(out, "isclose", 1.0, 1.0, abs_tol=-1.0)
    case(out, "isclose", 1.0)
    case(out, "isclose", a=1.0, b=1.0)
    case(out, "isclose", 1.0, 2.0, 3.0)
    for _ in range(80):
        a, b = rng.choice([(number(), number()), (5e-324, -5e-324), (0.0, -0.0), (-0.0, 1.0)])
        case(out, "nextafter", a, b, steps=rng.choice([0, 1, 2, 3, 1000, 2**40, 2**63, 2**70]))
    case(out, "nextafter", 1.0, 2.0, steps=-1)
    case(out, "nextafter", 1.0, 2.0, steps=1.5)
    case(out, "nextafter", 1.0, 2.0, steps=None)
    case(out, "sqrt", x=1.0)
    case(out, "gcd", x=1)
    case(out, "hypot", x=1)
    case(out, "pow", 1, y=2)


text = io.StringIO()
main(text)
if sys.argv[1:2] == ["--check"]:
    with open(sys.argv[2], encoding="utf-8") as stored:
        if stored.read() != text.getvalue():
            sys.exit(f"{sys.argv[2]} is not what this Python gives")
else:
    sys.stdout.write(text.getvalue())
