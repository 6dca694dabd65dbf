"""Runs the tests of one module, with a line of JSON for every beginning and every end.

    driver.py RECORD MODULE [DONE]

RECORD is the file the lines go to. DONE names the tests that are not to run again, one a line:
those that came before, and the one that took the process with it.
"""

import importlib
import json
import sys
import types
import unittest

_PREFIX = "test."

# Modules that the files import at their beginning and that only few of their tests use.
_MAY_BE_ABSENT = ("ast", "dis", "pydoc", "_string", "marshal", "select", "sysconfig")

# Classes that a file only has in a long list, and None there for those that do not exist.
_MAY_BE_NONE = {
    "concurrent.futures.thread": ("_WorkItem",),
    "filecmp": ("dircmp",),
    "fileinput": ("FileInput",),
    "http.cookies": ("Morsel",),
    "mailbox": ("Mailbox", "_PartialFile"),
}

# Modules that CPython has twice, in C and in Python, and that the files import by both names.
_TWINS = {"_py_abc": "abc"}

# Functions that CPython has twice, and whose second name the files use: here both are one.
_TWIN_FUNCTIONS = {"pickle": {"_dumps": "dumps", "_loads": "loads"}}


class Record(unittest.TestResult):
    """Tells the file what happens, at once."""

    def __init__(self, file):
        super().__init__()
        self._file = file
        self._verdict = None

    def say(self, **what):
        self._file.write(json.dumps(what) + "\n")
        self._file.flush()

    def startTest(self, test):
        super().startTest(test)
        self._verdict = ("pass", "")
        self.say(start=name_of(test))

    def stopTest(self, test):
        super().stopTest(test)
        if self._verdict is None:
            # CPython ends what it has skipped, and never begins it.
            return
        status, why = self._verdict
        self._verdict = None
        self.say(end=name_of(test), status=status, why=why)

    def addError(self, test, err):
        self._settle(test, "fail", describe(err))

    def addFailure(self, test, err):
        self._settle(test, "fail", describe(err))

    def addSubTest(self, test, subtest, err):
        if err is not None:
            self._settle(test, "fail", describe(err))

    def addSkip(self, test, reason):
        self._settle(test, "skip", str(reason))

    def addExpectedFailure(self, test, err):
        pass

    def addUnexpectedSuccess(self, test):
        self._settle(test, "fail", "an unexpected success")

    def _settle(self, test, status, why):
        if self._verdict is None:
            # What a class or module sets up has no beginning of its own.
            self.say(fixture=name_of(test), status=status, why=why)
        elif self._verdict[0] != "fail":
            self._verdict = (status, why)


def name_of(test):
    return test.id().removeprefix(_PREFIX)


def describe(err):
    """Class and text of an exception, and the line of the test that it came from."""
    kind, value, traceback = err
    line = None
    while traceback is not None:
        if "/test/test_" in traceback.tb_frame.f_code.co_filename:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    text = " | ".join(str(value).splitlines())[:300]
    return f"{kind.__name__}: {text}" + (f" (line {line})" if line else "")


def cases_of(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from cases_of(test)
        else:
            yield test


def without(suite, done):
    """The suite's own shape, which fixtures depend on, without the tests that are done."""
    kept = []
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            kept.append(without(test, done))
        elif name_of(test) not in done:
            kept.append(test)
    return type(suite)(kept)


def main():
    record_path, module_name = sys.argv[1:3]
    for name, twin in _TWINS.items():
        try:
            importlib.import_module(name)
        except ImportError:
            sys.modules[name] = importlib.import_module(twin)
    for name, twins in _TWIN_FUNCTIONS.items():
        module = importlib.import_module(name)
        for second, first in twins.items():
            if not hasattr(module, second):
                setattr(module, second, getattr(module, first))
    from test.support.import_helper import Absent
    for name in _MAY_BE_ABSENT:
        try:
            importlib.import_module(name)
        except ImportError:
            sys.modules[name] = Absent(name)
    for name, classes in _MAY_BE_NONE.items():
        try:
            module = importlib.import_module(name)
        except ImportError:
            module = sys.modules[name] = types.ModuleType(name)
        for missing in classes:
            if not hasattr(module, missing):
                setattr(module, missing, None)
    done = set()
    if len(sys.argv) > 3:
        with open(sys.argv[3], encoding="utf-8") as file:
            done = set(file.read().splitlines())
    with open(record_path, "a", encoding="utf-8") as file:
        record = Record(file)
        try:
            module = importlib.import_module(_PREFIX + module_name)
            suite = unittest.defaultTestLoader.loadTestsFromModule(module)
        except unittest.SkipTest as skip:
            record.say(unusable=str(skip), status="skip")
            return
        except BaseException:
            record.say(unusable=describe(sys.exc_info()), status="fail")
            return
        record.say(tests=[name_of(test) for test in cases_of(suite)])
        without(suite, done).run(record)
        record.say(finished=True)


if __name__ == "__main__":
    main()
