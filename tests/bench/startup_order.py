#!/usr/bin/env python3
"""Writes the linker script that puts the functions of a start beside each other.

    cargo rustc --release -p miniscript-cli --bin ms -- -C strip=none
    python3 tests/bench/startup_order.py [--ms PATH] > interpreter/cli/startup.ld

PATH is an `ms` with symbols for Linux (default: `target/release/ms`). Valgrind tells which
functions small programs call; the script names them without the hashes of their symbols, so that
it holds for later builds, too. A function that is not there any more is not missed: what the
script does not know just stays where it is.
"""

import argparse
import collections
import os
import re
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = [
    "",
    "print('hello', 1, 2.5)",
    "import time\ntime.sleep(0.01)",
    "import sys\nprint(sys.argv)",
    "class A:\n    def f(self, x): return [i for i in range(x)]\nprint(A().f(3), {'a': 1}, f'{1}')",
    "try:\n    {}['x']\nexcept KeyError as e:\n    print(e)",
    "with open('/dev/null') as f:\n    print(f.read())",
]
# Without its hash, a generic function's name is that of many. If they have more bytes than this
# together, they stay where they are: a start needs few of them.
MOST_BYTES = 64 << 10


def pattern(symbol):
    """The symbol without what changes from build to build."""
    symbol = re.sub(r"17h[0-9a-f]{16}E", "17h*E", symbol)
    symbol = re.sub(r"\.(llvm\.)?[0-9]+$", ".*", symbol)
    return re.sub(r"Cs[0-9A-Za-z]+_", "Cs*_", symbol) if symbol.startswith("_R") else symbol


def functions(ms):
    """The symbols of the functions, and their bytes."""
    lines = subprocess.check_output(["nm", "-S", ms], text=True).splitlines()
    rows = (line.split() for line in lines)
    return {row[3]: int(row[1], 16) for row in rows if len(row) == 4 and row[2] in "tT"}


def called(ms, program):
    """The functions that a program calls, the first one first."""
    with tempfile.TemporaryDirectory() as folder:
        script, out = os.path.join(folder, "t.ms"), os.path.join(folder, "out")
        with open(script, "w") as file:
            file.write(program)
        options = ["--tool=callgrind", "--demangle=no", f"--callgrind-out-file={out}"]
        subprocess.run(["valgrind", *options, ms, script], capture_output=True, check=True)
        with open(out) as file:
            return re.findall(r"^c?fn=\(\d+\) (\S+)", file.read(), re.M)


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--ms", default=os.path.join(ROOT, "target", "release", "ms"))
    ms = parser.parse_args().ms
    known = functions(ms)
    alike = collections.Counter()
    for symbol, size in known.items():
        alike[pattern(symbol)] += size
    wanted = {}
    for program in PROGRAMS:
        for symbol in called(ms, program):
            name = pattern(symbol)
            if symbol in known and alike[name] <= MOST_BYTES:
                wanted[name] = True
    print("/* The functions of a start, made by tests/bench/startup_order.py. */")
    print("SECTIONS\n{\n  .text.startup_order :\n  {")
    for name in wanted:
        print(f"    *(.text*.{name})")
    print("  }\n}\nINSERT BEFORE .text;")


if __name__ == "__main__":
    main()
