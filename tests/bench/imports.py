#!/usr/bin/env python3
"""What the import of each bundled module costs, in instructions counted by Valgrind.

    python3 tests/bench/imports.py [--ms PATH] [--limit N] [MODULE..]

PATH is the `ms` of an installation (default: `dist/bin/ms`), since only there the bundled modules
are compiled beforehand. An entry with commas is imported together: `re,json`. Counts are in
thousands, without those of an empty program; milliseconds are those of a machine that does
3.5 instructions a nanosecond. The exit status is 1 if an entry takes more than its limit: --limit
thousands (default 7000, 2 ms), five times that for one with commas.
"""

import argparse
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOGETHER = "re,json,dataclasses,typing,argparse"
PER_MS = 3500
# Without the programs that `-m` runs.
NAMES = """import sys
print(*[m for m in sys.builtin_module_names if m != "builtins" and not m.endswith("__main__")])"""


def count(ms, code):
    """Thousands of instructions that a program takes."""
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", ms, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        sys.exit(f"imports: {code!r} failed:\n{done.stderr}")
    return int(found[1]) / 1000


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--ms", default=os.path.join(ROOT, "dist", "bin", "ms"))
    parser.add_argument("--limit", type=float, default=2 * PER_MS)
    parser.add_argument("modules", nargs="*")
    options = parser.parse_args()
    modules = options.modules
    if not modules:
        known = subprocess.check_output([options.ms, "-c", NAMES], text=True)
        modules = [TOGETHER, *known.split()]
    empty = count(options.ms, "")
    costs = {name: count(options.ms, f"import {name}") - empty for name in modules}
    failed = False
    for name, cost in sorted(costs.items(), key=lambda item: -item[1]):
        too_much = cost > options.limit * (5 if "," in name else 1)
        failed |= too_much
        mark = "  above the limit" if too_much else ""
        print(f"{name:36} {cost:9.0f} {cost / PER_MS:7.2f} ms{mark}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
