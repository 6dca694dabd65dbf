"""Writes set.txt: programs on two sets of ints, and the order CPython 3.12 shows at the end.

Run with a CPython 3.12: python3.12 gen_set.py
A line is `tokens | order of a | order of b`. Tokens: aN add, dN discard, p pop, c clear (on a);
x swaps a and b; C `a = set(b)`; U `a |= b`; u `a = a | b`; I `a = a & b`; D `a = a - b`;
S `a -= b`; X `a = a ^ b`; T `a ^= b`; M merges a dict of b's keys into a.
"""
import random

R = random.Random(312)


def number(kind):
    if kind == 0:
        return R.randrange(-8, 20)
    if kind == 1:
        return R.randrange(200)
    if kind == 2:
        return R.randrange(-2**40, 2**40)
    return R.randrange(50) << R.randrange(30)


def program(size):
    a, b, toks = set(), set(), []
    kind = R.randrange(4)
    for _ in range(size):
        r = R.random()
        if r < 0.72:
            for _ in range(R.randrange(1, 12)):
                n = number(kind)
                toks.append(f"a{n}")
                a.add(n)
        elif r < 0.82:
            n = R.choice(list(a)) if a and R.random() < 0.8 else number(kind)
            toks.append(f"d{n}")
            a.discard(n)
        elif r < 0.86:
            if a:
                toks.append("p")
                a.pop()
        elif r < 0.87:
            toks.append("c")
            a.clear()
        else:
            op = R.choice("xxxCUuIDSXTM")
            toks.append(op)
            if op == "x":
                a, b = b, a
            elif op == "C":
                a = set(b)
            elif op == "U":
                a |= b
            elif op == "u":
                a = a | b
            elif op == "I":
                a = a & b
            elif op == "D":
                a = a - b
            elif op == "S":
                a -= b
            elif op == "X":
                a = a ^ b
            elif op == "T":
                a ^= b
            elif op == "M":
                a.update(dict.fromkeys(b))
    show = lambda s: " ".join(map(str, s))
    return f"{' '.join(toks)} | {show(a)} | {show(b)}"


with open("set.txt", "w") as f:
    for i in range(260):
        f.write(program(R.randrange(1, 14)) + "\n")
    for i in range(16):
        f.write(program(R.randrange(40, 80)) + "\n")
