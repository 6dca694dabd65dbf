"""Imports of modules that need not exist."""

import contextlib
import importlib
import sys
import unittest

from test.support import _ON_CPYTHON


class Absent:
    """In the place of a module that is not there: what needs it is skipped."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, attribute):
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise unittest.SkipTest(f"needs the module {self._name}")


def import_module(name, deprecated=False, *, required_on=()):
    """The module; without it the test is skipped, or those that use it are."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if name.startswith("_test"):
            return Absent(name)
        raise unittest.SkipTest(str(error)) from None


def import_fresh_module(name, fresh=(), blocked=(), *, deprecated=False):
    """A new copy of a module, with some modules made anew or missing.

    CPython has many modules twice, in C and in Python, and its tests ask for both. MiniScript
    has them once: whichever is asked for, that one is tested.
    """
    if not _ON_CPYTHON:
        try:
            return importlib.import_module(name)
        except ImportError:
            return None
    names = {name, *fresh, *blocked}
    starts = tuple(other + "." for other in names)
    kept = {}
    for other in list(sys.modules):
        if other in names or other.startswith(starts):
            kept[other] = sys.modules.pop(other)
    try:
        for other in blocked:
            sys.modules[other] = None
        try:
            for other in fresh:
                importlib.import_module(other)
            return importlib.import_module(name)
        except ImportError:
            return None
    finally:
        for other in list(sys.modules):
            if other in names or other.startswith(starts):
                del sys.modules[other]
        sys.modules.update(kept)


class CleanImport:
    """The named modules are imported anew inside, and the old ones are there again after it."""

    def __init__(self, *module_names, usefrozen=False):
        self._kept = sys.modules.copy()
        for name in module_names:
            sys.modules.pop(name, None)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        sys.modules.update(self._kept)


class DirsOnSysPath:
    """Some folders at the end of `sys.path`."""

    def __init__(self, *paths):
        self._before = sys.path[:]
        sys.path.extend(paths)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        sys.path[:] = self._before


def unload(name):
    sys.modules.pop(name, None)


def forget(name):
    unload(name)


@contextlib.contextmanager
def isolated_modules():
    """What is imported inside is gone after it."""
    before = sys.modules.copy()
    try:
        yield
    finally:
        sys.modules.clear()
        sys.modules.update(before)
