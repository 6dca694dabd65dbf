# A little of every construct.
from __future__ import annotations
import a.b as c, d
from .. import e
from .f import (g as h, i,)
x: int = 1
(y): "str"
x, *z = y = [1, *w], {2: 3, **k}, {*s, 4}
x += 1; y **= 2; z //= 3; w @= m; del x, (y, z[0])
type Alias[T: (int, str), *Ts, **P] = dict[T, *Ts]
assert x, "message"
global_ = not a and b or c if d else lambda p, /, q=1, *r, s, t=2, **u: (yield)
chained = a < b <= c is not d not in e in f
maths = -a ** -b * ~c + d // e % f @ g << h >> i & j ^ k | l
sliced = a[1:2, ::3, *b, ..., x := 5]
numbers = 0xFF, 0o17, 0b11, 1_000, 1.5e-3, .5, 5., 3j, 1e999, 123456789012345678901234567890
text = 'a' "b" r'\c' '''d
e''' '\x41\u00e9\U0001F600\N{BULLET}\101\ud800'
raw = b'a\x00' rb'\b'
fs = f'{x}' f"{y!r:>{width}.{p}} {z = } {{}} {w:%Y-%m-%d}" rf'\{v}' f'''{
    u  # comment
}''' f"{f"{f'nested'}"}"
comps = [x for x in y if z if w for v in u], {a: b for a, b in c}, {x async for x in y}, (i for i in j)
call(a, *b, c=d, **e)(x for x in y).f[0]

@decorator
@other.one(1)
async def function[T](a, b: int, /, c=1, *args: *Ts, d, e: str = "x", **kwargs) -> None:
    """Doc."""
    async with a as b, c as (d, e):
        await f
    async for i in j:
        yield i
    else:
        return
    nonlocal q
    global r

class C[T](Base, metaclass=M, **k):
    attr = 1
    def method(self): return super().method()

if a: b
elif c:
    d
elif e: f
else:
    g
while a:
    break
else: continue
for a, *b in c, d:
    pass
for (x) in y: print(x)
with (open(a) as f, open(b)): pass
with (a, b) as c: pass
with (a): pass
try:
    raise A from b
except B: pass
except (C, D) as e:
    raise
except:
    x
else: y
finally: z
try: a
except* B as c: d
match x, y:
    case 1 | -2 | 3+4j | "s" | None | True: pass
    case [a, *_, b] if a > b: pass
    case (c, *rest) | {"k": c, **rest}: pass
    case Point(x=0, y=a.b) as p: pass
    case Class(1, k=_): pass
    case {}: pass
    case d, e: pass
    case _: pass
match = case = type = _ = 1
match[0], type.x, case(1)
match(x)
print(match, type(case))
if (n := 10) > 5: \
    pass
