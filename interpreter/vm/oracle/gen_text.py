"""Writes text.txt: method calls on strings and bytes with CPython 3.12's results, one a line:
`method|arg|arg...|result`. Texts are written as hex of UTF-8 with surrogates passed, and bytes as
hex, with `~` for the empty one; lists are comma separated; errors as `!encoding,start,end,reason`.

Run with a CPython 3.12: python3.12 gen_text.py
"""
import random

R = random.Random(312)
out = []


def show(x):
    if isinstance(x, str):
        return x.encode("utf-8", "surrogatepass").hex() or "~"
    if isinstance(x, (bytes, bytearray)):
        return x.hex() or "~"
    if isinstance(x, bool):
        return str(int(x))
    if isinstance(x, int):
        return str(x)
    return ",".join(map(show, x)) or "-"


def case(name, f, *args):
    try:
        result = show(f())
    except UnicodeError as e:
        result = f"!{e.encoding},{e.start},{e.end},{e.reason}"
    out.append("|".join([name, *map(show, args), result]))


ALPHABETS = ["ab", "ab c", "aXé€ß", "a\ud800\udc00😀z", "xy\n\r\x0b\x85\u2028 ", "\t\n ab", "ΣσςAa'b.", "ǅǆﬁŉİı", "'\"\\\n\x00é\x7f\xad\u0378", "+-1a"]


def text(n=None):
    a = R.choice(ALPHABETS)
    return "".join(R.choice(a) for _ in range(R.randrange(9) if n is None else n))


def blob():
    return bytes(R.choice(b"ab \n\r\t\x0b\x80\xff'\"\\\x00Zz") for _ in range(R.randrange(9)))


for _ in range(80):
    s = text()
    for m in ("upper", "lower", "title", "capitalize", "swapcase", "casefold", "isalpha", "isalnum", "isdecimal",
              "isdigit", "isnumeric", "isspace", "isprintable", "isupper", "islower", "istitle", "isidentifier"):
        if R.random() < 0.35:
            case(m, getattr(s, m), s)
    case("repr", s.__repr__, s)
    if R.random() < 0.5:
        case("ascii", lambda: ascii(s), s)
    b = blob()
    case("brepr", b.__repr__, b)
    for m in ("upper", "lower", "title", "capitalize", "swapcase", "isalpha", "isalnum", "isdigit", "isspace", "isupper", "islower", "istitle"):
        if R.random() < 0.3:
            case("b" + m, getattr(b, m), b)
for _ in range(110):
    s, t = text(), text(R.randrange(3))
    i, j = R.randrange(-4, 9), R.randrange(-4, 11)
    case("find", lambda: s.find(t, i, j), s, t, i, j)
    case("rfind", lambda: s.rfind(t, i, j), s, t, i, j)
    case("count", lambda: s.count(t, i, j), s, t, i, j)
    case("startswith", lambda: s.startswith(t, i, j), s, t, i, j)
    case("endswith", lambda: s.endswith(t, i, j), s, t, i, j)
    n = R.randrange(-1, 3)
    case("replace", lambda: s.replace(t, s[:2], n), s, t, s[:2], n)
    case("split", lambda: s.split(None, n), s, n)
    case("rsplit", lambda: s.rsplit(None, n), s, n)
    if t:
        case("splitsep", lambda: s.split(t, n), s, t, n)
        case("rsplitsep", lambda: s.rsplit(t, n), s, t, n)
        case("partition", lambda: s.partition(t), s, t)
        case("rpartition", lambda: s.rpartition(t), s, t)
    case("strip", lambda: s.strip(t or None), s, t)
    case("lstrip", lambda: s.lstrip(t or None), s, t)
    case("rstrip", lambda: s.rstrip(t or None), s, t)
    k = R.choice((True, False))
    case("splitlines", lambda: s.splitlines(k), s, k)
    b = blob()
    case("bsplitlines", lambda: b.splitlines(k), b, k)
    case("bsplit", lambda: b.split(None, n), b, n)
    case("brsplit", lambda: b.rsplit(None, n), b, n)
    case("bstrip", lambda: b.strip(), b)
    case("breplace", lambda: b.replace(b[:1], b"xy", n), b, b[:1], b"xy", n)
    w = R.randrange(-2, 14)
    case("center", lambda: s.center(w, "é"), s, w)
    case("ljust", lambda: s.ljust(w), s, w)
    case("rjust", lambda: s.rjust(w, "*"), s, w)
    case("zfill", lambda: s.zfill(w), s, w)
    case("expandtabs", lambda: s.expandtabs(i), s, i)
CODECS = ["utf-8", "ascii", "latin-1", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "utf-8-sig"]
HANDLERS = ["strict", "ignore", "replace", "backslashreplace", "surrogateescape", "surrogatepass"]
CHARS = "aé€😀\ud800\udc80\udcff\udfffÿ\u0100"
for _ in range(300):
    s = "".join(R.choice(CHARS) for _ in range(R.randrange(6)))
    codec, handler = R.choice(CODECS), R.choice(HANDLERS + ["xmlcharrefreplace"])
    case("encode", lambda: s.encode(codec, handler), s, codec, handler)
BYTES = [b"a", b"\xc3\xa9", b"\xe2\x82\xac", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"\xed\xbf", b"\xc3", b"\xff", b"\xfe", b"\xe0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xef\xbb\xbf", b"\xf0\x9f", b"\xc0\xaf", b"\x00", b"\xd8", b"\xdc"]
for _ in range(450):
    b = b"".join(R.choice(BYTES) for _ in range(R.randrange(7)))
    codec, handler = R.choice(CODECS), R.choice(HANDLERS)
    case("decode", lambda: b.decode(codec, handler), b, codec, handler)
for _ in range(80):
    s = "".join(R.choice("A\x00\ud800\udc00B😀") for _ in range(R.randrange(6)))
    codec = R.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
    b = s.encode(codec, "surrogatepass")
    b = b[: len(b) - R.choice((0, 0, 1, 2))]
    case("decode", lambda: b.decode(codec), b, codec, "strict")
    case("decode", lambda: b.decode(codec, "surrogatepass"), b, codec, "surrogatepass")
    case("decode", lambda: b.decode(codec, "replace"), b, codec, "replace")
with open("text.txt", "w") as f:
    f.write("\n".join(out) + "\n")
