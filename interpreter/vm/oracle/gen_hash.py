"""Writes hash.txt: hashes of ints (i), floats (f), complex numbers (c), tuples (t) and
frozensets (s) of small ints, each with its operands first and the hash last.

Run with a CPython 3.12: python3.12 gen_hash.py
"""
import random

R = random.Random(312)
M = 2**61 - 1
out = []
ints = [0, 1, -1, -2, M, -M, M + 1, M - 1, -M - 1, 2 * M, 2**63 - 1, -(2**63), 2**64, 10**40]
ints += [R.randrange(-(2**b), 2**b) for b in (8, 31, 60, 62, 63, 64, 65, 127, 128, 200, 1000) for _ in range(8)]
out += [f"i {n} {hash(n)}" for n in ints]
floats = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1e300, -1e300, 5e-324, 2.2250738585072014e-308, 1e16]
floats += [float(M), float(-M), 2.0**61, 2.0**60, 2.0**62, 2.0**63, -(2.0**63), float("inf"), float("-inf")]
floats += [R.uniform(-1, 1) * 10.0 ** R.randrange(-320, 309) for _ in range(120)]
floats += [float(R.randrange(-(2**62), 2**62)) for _ in range(20)]
out += [f"f {x!r} {hash(x)}" for x in floats]
for _ in range(30):
    a, b = R.choice(floats), R.choice(floats)
    out.append(f"c {a!r} {b!r} {hash(complex(a, b))}")
for n in list(range(6)) * 8:
    t = tuple(R.choice((R.randrange(-5, 10), R.randrange(-(2**60), 2**60))) for _ in range(n))
    out.append(" ".join(map(str, ("t", *t, hash(t)))))
    s = frozenset(t)
    out.append(" ".join(map(str, ("s", *s, hash(s)))))
with open("hash.txt", "w") as f:
    f.write("\n".join(out) + "\n")
