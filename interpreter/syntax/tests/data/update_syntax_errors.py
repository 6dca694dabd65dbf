"""Writes syntax_errors.json beside this file: what CPython 3.12 says of each program of
syntax_errors.txt. Run it with that Python."""

import ast
import json
import pathlib
import sys
import warnings

assert sys.version_info[:2] == (3, 12), "expectations come from CPython 3.12"
warnings.simplefilter("ignore")
here = pathlib.Path(__file__).parent
rows = []
for line in (here / "syntax_errors.txt").read_text("utf-8").splitlines():
    if line.startswith("# ") or not line:
        continue
    source = "".join(
        {"\\n": "\n", "\\t": "\t", "\\\\": "\\"}.get(part, part)
        for part in __import__("re").split(r"(\\n|\\t|\\\\)", line)
    ).replace("\\u00a0", "\u00a0")
    try:
        compile(source, "x", "exec")
    except SyntaxError as error:
        rows.append(
            {
                "source": source,
                "kind": type(error).__name__,
                "message": error.msg,
                "place": [error.lineno, error.offset, error.end_lineno, error.end_offset],
            }
        )
    else:
        print("no error:", repr(source))
text = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
(here / "syntax_errors.json").write_text(f"[\n{text}\n]\n", "utf-8")
print(len(rows), "expectations")
