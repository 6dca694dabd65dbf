"""Writes file_ops.txt, random sessions with file objects and what CPython 3.12 answers.

Run: python3.12 file_ops.py > file_ops.txt
"""
import os
import random
import tempfile
import warnings

warnings.simplefilter("ignore")
random.seed(12)
NEWLINES = {"none": None, "empty": "", "n": "\n", "r": "\r", "rn": "\r\n"}
WORDS = ["a", "bc", "\n", "\r\n", "line\n", "é", "€uro", "😀", "x" * 9, "\n\n", " "]


def text(n, lone_cr, plain):
    words = WORDS + (["\r"] if lone_cr else [])
    if plain:
        words = [w for w in words if w.isascii() or w == "é" and plain == "latin-1"]
    return "".join(random.choice(words) for _ in range(n))


def show(data):
    """Bytes as hex; long ones as length and a sum that sees their order."""
    if len(data) <= 300:
        return "x" + data.hex()
    return f"s{len(data)}:{sum((i + 1) * b for i, b in enumerate(data)) % (1 << 32)}"


def answer(f, *args):
    global bad
    bad = False
    try:
        value = f(*args)
    except StopIteration:
        return "x"
    except Exception as e:
        bad = isinstance(e, UnicodeError)
        return f"! {type(e).__name__}: {e}".replace("\n", "\\n")
    if value is None:
        return "ok"
    if isinstance(value, bytes):
        return show(value)
    if isinstance(value, str):
        return show(value.encode("utf-8", "surrogatepass"))
    return str(value)


def session(path):
    binary = random.random() < 0.35
    mode = random.choice(["r", "r", "r", "w", "a", "x", "r+", "w+", "a+", "x+"])
    encoding = errors = "-"
    newline, buffering = "none", -1
    lone_cr = random.random() < 0.2
    if binary:
        mode += "b"
        buffering = random.choice([-1, -1, 0, 16])
        codec = "utf-8"
    else:
        encoding = random.choice(
            ["utf-8"] * 4 + ["utf-8-sig", "latin-1", "ascii", "utf-16", "utf-16-le", "utf-16-be",
                             "utf-32", "utf-32-be"])
        codec = encoding
        errors = random.choice(["strict", "replace", "ignore", "surrogateescape", "backslashreplace"])
        newline = random.choice(list(NEWLINES))
        buffering = random.choice([-1, -1, 1, 64])
    plain = codec if codec in ("ascii", "latin-1") else None
    size, times = random.choice([0, 3, 20, 20, 20, 40]), 1
    content = text(size, lone_cr, plain)
    if size == 40:
        times = random.choice([1, 100, 700])
    mark = "" if codec in ("utf-8", "latin-1", "ascii") or codec[-2:] in ("le", "be") else "\ufeff"
    if mark:
        codec = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[codec]
        times = 1
    content = (mark + content).encode(codec)
    if size < 100 and not codec.startswith("utf-16") and random.random() < 0.15:
        content += random.choice([b"\xff", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80"])
    if "x" in mode:
        if os.path.exists(path):
            os.remove(path)
    else:
        with open(path, "wb") as f:
            f.write(content * times)
    shown = "absent" if "x" in mode else f"{times}x{content.hex()}"
    print("case", mode, encoding, errors, newline, buffering, shown)
    kw = {} if binary else dict(encoding=encoding, errors=errors, newline=NEWLINES[newline])
    f = open(path, mode, buffering, **kw)
    tells, wrote = [0], None
    ops = ["read", "readline", "next", "write", "seek", "tell", "flush", "readall"]
    for _ in range(random.randrange(2, 14)):
        op = random.choices(ops, [4, 4, 2, 4, 3, 4, 1, 1])[0]
        if random.random() < 0.03:
            op = "truncate"
        if op == "tell" and lone_cr:
            continue
        # Text that is read and written without a seek between is read from odd places.
        if not binary and "+" in mode and op in ("read", "readline", "next", "readall", "write"):
            if wrote not in (None, op == "write"):
                print("seek 0 2 =", answer(f.seek, 0, 2))
            wrote = op == "write"
        if op == "read":
            n = random.choice([0, 1, 2, 3, 10, 100, 5000])
            print("read", n, "=", answer(f.read, n))
        elif op == "readline":
            n = random.choice([-1, -1, -1, 0, 1, 5])
            print("readline", n, "=", answer(f.readline, n))
        elif op == "next":
            print("next =", answer(f.__next__))
        elif op == "readall":
            print("readall =", answer(f.read))
        elif op == "write":
            if random.random() < 0.04:
                data = "z" * 9000 + "\n"
            else:
                data = text(random.randrange(4), lone_cr, plain)
            data = data.encode() if binary else data
            raw = data if binary else data.encode()
            print("write", "z" if len(raw) > 9000 else "x" + raw.hex(), "=", answer(f.write, data))
        elif op == "seek":
            whence = random.choice([0, 0, 0, 1, 2])
            if binary:
                off = random.randrange(-3, 30)
            else:
                off = random.choice(tells) if whence == 0 else random.choice([0, 0, 0, 1])
            if random.random() < 0.03:
                off, whence = random.choice([(-1, 0), (0, 5), (2, 2), (-1, 1)])
            print("seek", off, whence, "=", answer(f.seek, off, whence))
        elif op == "tell":
            a = answer(f.tell)
            if a.isdigit():
                if int(a) > 1 << 60:
                    continue
                tells.append(int(a))
            print("tell =", a)
        elif op == "flush":
            print("flush =", answer(f.flush))
        elif op == "truncate":
            n = random.choice([None, 0, 5])
            print("truncate", -1 if n is None else n, "=", answer(f.truncate, n))
        if bad:
            break
    print("close =", answer(f.close))
    print("read 1 =", answer(f.read, 1))
    with open(path, "rb") as f:
        print("end =", show(f.read()))


with tempfile.TemporaryDirectory() as folder:
    for _ in range(600):
        session(os.path.join(folder, "t"))
