"""Checks of warnings."""

import contextlib
import re
import sys
import warnings


class WarningsRecorder:
    """What was warned of; the last one's attributes are its own."""

    def __init__(self, caught):
        self._caught = caught
        self._seen = 0

    def __getattr__(self, name):
        if len(self._caught) > self._seen:
            return getattr(self._caught[-1], name)
        if name in ("message", "category", "filename", "lineno", "file", "line", "source"):
            return None
        raise AttributeError(f"{self!r} has no attribute {name!r}")

    @property
    def warnings(self):
        return self._caught[self._seen:]

    def reset(self):
        self._seen = len(self._caught)


@contextlib.contextmanager
def _checked(filters, quiet):
    registry = sys._getframe(2).f_globals.get("__warningregistry__")
    if registry:
        registry.clear()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield WarningsRecorder(caught)
    left = list(caught)
    for text, category in filters:
        found = [
            warning for warning in left
            if re.match(text, str(warning.message), re.I)
            and issubclass(warning.category, category)
        ]
        if not found and not quiet:
            raise AssertionError(f"filter ({text!r}, {category.__name__}) did not catch any warning")
        for warning in found:
            left.remove(warning)
    if left:
        raise AssertionError(f"unhandled warning {left[0]}")


def check_warnings(*filters, **kwargs):
    """Exactly the warnings of the filters come, or with none of them any."""
    quiet = kwargs.get("quiet")
    if not filters:
        filters = (("", Warning),)
        quiet = True if quiet is None else quiet
    return _checked(filters, quiet)


@contextlib.contextmanager
def check_no_warnings(testcase, message="", category=Warning, force_gc=False):
    with warnings.catch_warnings(record=True) as caught:
        warnings.filterwarnings("always", message=message, category=category)
        yield
    testcase.assertEqual(caught, [])


@contextlib.contextmanager
def check_no_resource_warning(testcase):
    with check_no_warnings(testcase, category=ResourceWarning):
        yield


def check_syntax_warning(testcase, statement, errtext="", *, lineno=1, offset=None):
    """`statement` warns once; as an error it is a SyntaxError."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", SyntaxWarning)
        compile(statement, "<testcase>", "exec")
    testcase.assertEqual(len(caught), 1, caught)
    testcase.assertTrue(issubclass(caught[0].category, SyntaxWarning))
    if errtext:
        testcase.assertRegex(str(caught[0].message), errtext)
    testcase.assertEqual(caught[0].filename, "<testcase>")
    testcase.assertEqual(caught[0].lineno, lineno)
    from test.support import check_syntax_error
    with warnings.catch_warnings():
        warnings.simplefilter("error", SyntaxWarning)
        check_syntax_error(testcase, statement, errtext, lineno=lineno, offset=offset)


def ignore_warnings(*, category):
    def decorate(test):
        import functools

        @functools.wraps(test)
        def run(self, *args, **kwargs):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", category=category)
                return test(self, *args, **kwargs)
        return run
    return decorate


@contextlib.contextmanager
def save_restore_warnings_filters():
    before = warnings.filters[:]
    try:
        yield
    finally:
        warnings.filters[:] = before
