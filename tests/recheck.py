#!/usr/bin/env python3
"""Asks CPython for a second opinion on the expectations of the test scripts.

    PYTHON=python3.12 python3 tests/recheck.py [PATH...]     compare; fail on a disagreement
    PYTHON=python3.12 python3 tests/recheck.py --bless PATH  write the expectations anew
    PYTHON=python3.11 python3 tests/recheck.py --mark        note which scripts need another one

Every expectation is judged by running the same text with PYTHON (default: python3). A script
that says `# skip-oracle: why`, or whose `# python: FROM[-TO]` leaves that version out, is
counted as unjudged. Judging nothing at all is a failure. The grammar of the comments is the one
of `src/expectation.rs`, described in `tests/README.md`.
"""

import argparse
import ast
import concurrent.futures
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import types

ROOT = os.path.dirname(os.path.abspath(__file__))
PARTS = ["lang", "diagnostics", "limits"]
PYTHON = os.environ.get("PYTHON") or "python3"
EXPECT = re.compile(r"(?:^|(?<=\s))# (expect|expect error|expect exit):(?: (.*))?$")
HEADER = re.compile(r"^\s*# (stdin|args|env|python|skip-oracle):(?: (.*))?$")
REGENERATE = "# made by CPython 3.12; regenerate: python3 tests/recheck.py --bless tests/%s\n"
LINE_WIDTH = 100
TIME_LIMIT_S = 60


class Script:
    """A script file and what it says about itself."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.relpath(path, ROOT)
        with open(path, encoding="utf-8") as file:
            self.source = file.read()
        self.stdout, self.error, self.exit = [], None, None
        self.headers = {key: [] for key in ("stdin", "args", "env", "python", "skip-oracle")}
        for line in self.source.split("\n"):
            if header := HEADER.match(line):
                self.headers[header[1]].append(header[2] or "")
            if found := EXPECT.search(line):
                kind, text = found[1], found[2] or ""
                if kind == "expect":
                    self.stdout.append(text)
                elif kind == "expect error":
                    self.error = text
                else:
                    self.exit = int(text)
        self.golden_path = os.path.splitext(path)[0] + ".stderr"
        self.golden = None
        if os.path.exists(self.golden_path):
            with open(self.golden_path, encoding="utf-8") as file:
                self.golden = file.read().split("\n", 1)[1]

    def in_range(self, version):
        """Whether this version of Python can judge the script."""
        for bounds in self.headers["python"]:
            first, _, last = bounds.partition("-")
            if first and version < as_version(first) or last and version > as_version(last):
                return False
        return True

    def disagreement(self, run):
        """What the oracle did otherwise, or None."""
        wanted_exit = self.exit if self.exit is not None else int(self.error is not None)
        if self.golden is not None and self.exit is None:
            wanted_exit = 1
        if run.stdout != self.stdout:
            return f"stdout: expected {self.stdout}\n        the oracle: {run.stdout}"
        if self.golden is not None and run.stderr != self.golden:
            return f"stderr: expected\n{self.golden}\nthe oracle:\n{run.stderr}"
        if self.golden is None and run.last_error() != (self.error or ""):
            return f"error: expected {self.error!r}\n       the oracle: {run.stderr}"
        if run.exit != wanted_exit:
            return f"exit: expected {wanted_exit}, the oracle: {run.exit}"
        return None


class Run:
    """One run of a script by the oracle, in a scratch directory as the harness makes it."""

    def __init__(self, script, trace=False):
        with tempfile.TemporaryDirectory(prefix="ms-recheck-") as scratch:
            scratch = os.path.realpath(scratch)
            file_name = os.path.basename(script.path)
            target = os.path.join(scratch, file_name)
            with open(target, "w", encoding="utf-8") as file:
                file.write(without_expectations(script.source) if trace else script.source)
            helpers = copy_helpers(os.path.splitext(script.path)[0], scratch)
            environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
            environment.update(pair.split("=", 1) for pair in script.headers["env"])
            arguments = [arg for line in script.headers["args"] for arg in line.split()]
            command = [PYTHON, "-E", "-B", "-W", "ignore"]
            report = os.path.join(scratch, ".trace")
            if trace:
                command += [os.path.abspath(__file__), "--trace", report]
            done = subprocess.run(
                command + [target if trace else file_name] + arguments,
                cwd=scratch,
                env=environment,
                input="".join(line + "\n" for line in script.headers["stdin"]).encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                timeout=TIME_LIMIT_S,
            )
            self.exit = done.returncode
            text = done.stdout.decode("utf-8", "replace")
            self.stdout = text[:-1].split("\n") if text.endswith("\n") else text.split("\n")
            if not text:
                self.stdout = []
            stderr = done.stderr.decode("utf-8", "replace").replace(scratch + "/", "")
            for helper in helpers:
                python_name = helper[:-3] + ".py"
                stderr = re.sub(r'(["(/])%s([")])' % re.escape(python_name), r"\1%s\2" % helper, stderr)
            self.stderr = stderr
            self.trace = None
            if trace and os.path.exists(report):
                with open(report, encoding="utf-8") as file:
                    self.trace = json.load(file)

    def last_error(self):
        return self.stderr.rstrip("\n").rsplit("\n", 1)[-1]


def copy_helpers(directory, scratch):
    """Copies a script's helpers, with the names that the oracle can import."""
    renamed = []
    for folder, _, files in os.walk(directory):
        target = os.path.normpath(os.path.join(scratch, os.path.relpath(folder, directory)))
        os.makedirs(target, exist_ok=True)
        for name in files:
            copy = name[:-3] + ".py" if name.endswith(".ms") else name
            shutil.copy(os.path.join(folder, name), os.path.join(target, copy))
            if copy != name:
                renamed.append(name)
    return renamed


def without_expectations(source):
    kept = []
    for line in source.split("\n"):
        bare = EXPECT.sub("", line).rstrip()
        if bare or not line.strip():
            kept.append(bare if bare != line else line)
    return "\n".join(kept)


def bless(script):
    """Runs the script and writes what it did beside the lines that did it."""
    with open(script.path, "w", encoding="utf-8") as file:
        file.write(without_expectations(script.source))
    script = Script(script.path)
    run, traced = Run(script), Run(script, trace=True)
    if any(line != line.rstrip() for line in run.stdout):
        return "a line of output ends with white space"
    if run.exit not in (0, 1) and not script.source.count("exit"):
        return f"exit status {run.exit}\n{run.stderr}"
    lines = script.source.rstrip("\n").split("\n")
    if "diagnostics" in script.name.split(os.sep):
        # At the end: a comment beside a line would be shown in the traceback.
        written = lines + [expectation(text) for text in run.stdout]
        with open(script.golden_path, "w", encoding="utf-8") as file:
            file.write(REGENERATE % script.name + run.stderr)
    else:
        written = placed(lines, run.stdout, traced.trace)
        if run.stderr:
            written.append(f"# expect error: {run.last_error()}")
        if run.exit != int(bool(run.stderr)):
            written.append(f"# expect exit: {run.exit}")
        if run.stderr and not run.exit:
            return f"it writes to standard error but succeeds\n{run.stderr}"
    with open(script.path, "w", encoding="utf-8") as file:
        file.write("\n".join(written) + "\n")
    return Script(script.path).disagreement(run)


def placed(lines, outputs, trace):
    """The lines with their expectations: each output after the statement that wrote it."""
    if trace is None or [text for text, _ in trace["outputs"]] != outputs:
        return lines + [expectation(text) for text in outputs]
    after = {}
    for top in trace["statements"]:
        mine = [(text, line) for text, line in trace["outputs"] if top[0] <= line <= top[1]]
        spots = [spot(top, line) for _, line in mine]
        if any(later[0] < earlier[0] for earlier, later in zip(spots, spots[1:])):
            spots = [(top[1], 0)] * len(mine)
        for (text, _), (line, column) in zip(mine, spots):
            after.setdefault(line, (column, []))[1].append(text)
    if sum(len(texts) for _, texts in after.values()) != len(outputs):
        return lines + [expectation(text) for text in outputs]
    written = []
    for number, line in enumerate(lines, 1):
        column, texts = after.get(number, (0, []))
        if len(texts) == 1 and "#" not in line and column >= 0:
            beside = f"{line}  {expectation(texts[0])}"
            if len(beside) <= LINE_WIDTH and (column or not line.startswith(" ")):
                written.append(beside)
                continue
        written.append(line)
        written.extend(" " * column + expectation(text) for text in texts)
    return written


def spot(top, line):
    """The end and the column of the innermost statement at a line."""
    best = top
    for inner in top[3]:
        if inner[0] <= line <= inner[1] and inner[0] >= best[0]:
            best = inner
    return best[1], best[2]


def expectation(text):
    return f"# expect: {text}" if text else "# expect:"


def trace(report, path, arguments):
    """Runs a script in this process and notes which line of it wrote what."""
    with open(path, encoding="utf-8") as file:
        source = file.read()
    outputs, pending = [], []
    main = types.ModuleType("__main__")
    main.__file__ = path

    class Tracer(io.TextIOBase):
        def write(self, text):
            line, frame = 0, sys._getframe(1)
            while frame is not None:
                if frame.f_globals is vars(main) and frame.f_code.co_name == "<module>":
                    if frame.f_code.co_filename == path:
                        line = frame.f_lineno
                frame = frame.f_back
            *ended, rest = text.split("\n")
            for piece in ended:
                outputs.append(("".join(pending) + piece, line))
                pending.clear()
            if rest:
                pending.append(rest)
            return len(text)

    def inner(statement):
        found = []
        for node in ast.walk(statement):
            if node is not statement and isinstance(node, ast.stmt):
                found.append((node.lineno, node.end_lineno, node.col_offset))
        return sorted(found)

    tree = ast.parse(source)
    statements = [(first_line(s), s.end_lineno, 0, inner(s)) for s in tree.body]
    sys.modules["__main__"] = main
    sys.argv = [path] + arguments
    sys.path[0] = os.path.dirname(path)
    stdout, sys.stdout = sys.stdout, Tracer()
    try:
        exec(compile(source, path, "exec"), vars(main))
    except BaseException:
        pass
    sys.stdout = stdout
    if pending:
        outputs.append(("".join(pending), outputs[-1][1] if outputs else 1))
    with open(report, "w", encoding="utf-8") as file:
        json.dump({"outputs": outputs, "statements": statements}, file)


def first_line(statement):
    decorators = getattr(statement, "decorator_list", [])
    return min([statement.lineno] + [node.lineno for node in decorators])


def mark(script, version):
    """Notes that this version of Python does not judge the script."""
    first, last = "3.12", ""
    if version > (3, 12):
        last = "3.12"
        first = ""
    else:
        first = "3.%d" % (version[1] + 1)
    for bounds in script.headers["python"]:
        old_first, _, old_last = bounds.partition("-")
        first = max([f for f in (first, old_first) if f], key=as_version, default="")
        last = old_last or last
    kept = [line for line in script.source.split("\n") if not line.startswith("# python:")]
    header = f"# python: {first}" + (f"-{last}" if last else "")
    with open(script.path, "w", encoding="utf-8") as file:
        file.write("\n".join([header] + kept))


def as_version(text):
    return tuple(int(part) for part in text.split("."))


def oracle_version():
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    return as_version(subprocess.check_output([PYTHON, "-c", code], text=True).strip())


def find(paths):
    """The scripts below the paths, without the helpers of scripts."""
    found = []
    for path in paths:
        if os.path.isfile(path):
            found.append(os.path.abspath(path))
        for folder, folders, files in os.walk(path):
            folders[:] = [f for f in folders if not os.path.isfile(os.path.join(folder, f + ".ms"))]
            found += [os.path.abspath(os.path.join(folder, f)) for f in files if f.endswith(".ms")]
    return sorted(found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--bless", action="store_true", help="write the expectations anew")
    parser.add_argument("--mark", action="store_true", help="note what this version cannot judge")
    parser.add_argument("--jobs", type=int, default=min(4, os.cpu_count() or 2))
    parser.add_argument("paths", nargs="*", default=[os.path.join(ROOT, part) for part in PARTS])
    options = parser.parse_args()
    version = oracle_version()
    if options.bless and version != (3, 12):
        sys.exit(f"recheck: expectations come from CPython 3.12, and {PYTHON} is another version")

    def judge(path):
        script = Script(path)
        try:
            if options.bless:
                return script, None if script.headers["skip-oracle"] else bless(script)
            if script.headers["skip-oracle"] or not script.in_range(version):
                return script, "unjudged"
            return script, script.disagreement(Run(script))
        except subprocess.TimeoutExpired:
            return script, "it does not end"

    judged = unjudged = failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for script, problem in pool.map(judge, find(options.paths)):
            if problem == "unjudged":
                unjudged += 1
                continue
            judged += 1
            if problem and options.mark:
                mark(script, version)
                print(f"marked {script.name}")
            elif problem:
                failed += 1
                print(f"{script.name}\n    {problem}")
    print(f"{PYTHON}: judged {judged}, unjudged {unjudged}, disagreements {failed}")
    if not judged:
        print("recheck: nothing was judged")
    sys.exit(1 if failed or not judged else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--trace"]:
        trace(sys.argv[2], sys.argv[3], sys.argv[4:])
    else:
        main()
