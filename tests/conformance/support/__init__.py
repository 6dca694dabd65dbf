"""What the test files of CPython ask of `test.support`, without CPython's internals.

Written for this project after the documentation of `test.support`: only what the chosen files
use. It runs under `ms` and under CPython, so that both are judged by the same helpers.
"""

import contextlib
import functools
import gc
import io
import os
import sys
import types
import unittest

verbose = 0
_1G = 1 << 30
_2G = 2 << 30
_4G = 4 << 30
MAX_Py_ssize_t = sys.maxsize
NHASHBITS = sys.hash_info.width
REPO_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TEST_HOME_DIR = REPO_ROOT
EXCEEDS_RECURSION_LIMIT = 5000
C_RECURSION_LIMIT = 1500
HAVE_DOCSTRINGS = True
MISSING_C_DOCSTRINGS = False
SHORT_TIMEOUT = 30.0
LONG_TIMEOUT = 120.0
LOOPBACK_TIMEOUT = 5.0
Py_DEBUG = False
PGO = False
is_android = is_emscripten = is_wasi = is_jython = False
has_fork_support = has_subprocess_support = True

_IMPLEMENTATION = sys.implementation.name
_ON_CPYTHON = _IMPLEMENTATION == "cpython"


class Error(Exception):
    """Base class of what this package raises."""


class TestFailed(Error):
    """A test failed."""


class _Answer:
    """An object that gives one answer to every `==`."""

    def __init__(self, equal):
        self._equal = equal

    def __eq__(self, other):
        return self._equal

    def __ne__(self, other):
        return not self._equal

    def __hash__(self):
        return 1


ALWAYS_EQ = _Answer(True)
NEVER_EQ = _Answer(False)


@functools.total_ordering
class _Largest:
    """Greater than everything else."""

    def __eq__(self, other):
        return isinstance(other, _Largest)

    def __lt__(self, other):
        return False


@functools.total_ordering
class _Smallest:
    """Less than everything else."""

    def __eq__(self, other):
        return isinstance(other, _Smallest)

    def __gt__(self, other):
        return False


LARGEST = _Largest()
SMALLEST = _Smallest()


# What runs where.

def check_impl_detail(**guards):
    """Whether this implementation is meant: `cpython=True`, `pypy=False`."""
    if not guards:
        guards = {"cpython": True}
    otherwise = not next(iter(guards.values()))
    return guards.get(_IMPLEMENTATION, otherwise)


def impl_detail(msg=None, **guards):
    """Skips a test that is about another implementation."""
    if check_impl_detail(**guards):
        return _same
    return unittest.skip(msg or "about the implementation of CPython")


def cpython_only(test):
    """Skips a test of what only CPython has."""
    return impl_detail(cpython=True)(test)


def refcount_test(test):
    """Skips a test that counts references."""
    return unittest.skip("counts references")(test)


def _same(test):
    return test


def no_tracing(test):
    return test


def requires_IEEE_754(test):
    return test


def requires_docstrings(test):
    return test


def requires_fork():
    return _same


def requires_subprocess():
    return _same


def requires_working_socket(*, module=False):
    return None if module else _same


def requires_mac_ver(*min_version):
    return _same


def requires_legacy_unicode_capi(*args):
    skip = unittest.skip("about the C API")
    return skip(*args) if args else skip


def skip_if_pgo_task(test):
    return test


def check_sanitizer(*, address=False, memory=False, ub=False, thread=False):
    return False


def skip_if_buggy_ucrt_strfptime(test):
    return test


def darwin_malloc_err_warning(test_name):
    """Nothing here runs on that system."""


def skip_on_s390x(test):
    return test


def requires_debug_ranges(reason=None):
    return _same


def has_no_debug_ranges():
    return False


def skip_if_buildbot(reason=None):
    return _same


def is_resource_enabled(resource):
    return resource == "cpu"


def requires(resource, msg=None):
    if not is_resource_enabled(resource):
        raise unittest.SkipTest(msg or f"the resource {resource!r} is not enabled")


def requires_resource(resource):
    if is_resource_enabled(resource):
        return _same
    return unittest.skip(f"the resource {resource!r} is not enabled")


def bigmemtest(size, memuse, dry_run=True):
    """Runs a test of huge objects with small ones."""
    def decorate(test):
        @functools.wraps(test)
        def run(self):
            if not dry_run:
                raise unittest.SkipTest("needs a lot of memory")
            return test(self, 5147)
        run.size = size
        run.memuse = memuse
        return run
    return decorate


def bigaddrspacetest(test):
    return unittest.skip("needs the whole address space")(test)


def run_with_locale(catstr, *locales):
    """Runs a test under the first of the locales that exists."""
    def decorate(test):
        @functools.wraps(test)
        def run(*args, **kwargs):
            import locale
            category = getattr(locale, catstr)
            before = locale.setlocale(category)
            try:
                for name in locales:
                    try:
                        locale.setlocale(category, name)
                        break
                    except locale.Error:
                        pass
                return test(*args, **kwargs)
            finally:
                locale.setlocale(category, before)
        return run
    return decorate


def requires_limited_api(test):
    return unittest.skip("about the C API")(test)


class SuppressCrashReport(contextlib.nullcontext):
    """No process here writes crash reports."""


def run_in_subinterp(code):
    raise unittest.SkipTest("needs subinterpreters of CPython")


def run_code(code, extra_names=None):
    """The globals after `code`."""
    names = dict(extra_names or ())
    exec(code, names)
    return names


# Sizes, references and the collector.

def gc_collect():
    """Collects until nothing is left that a finaliser has set free."""
    for _ in range(3):
        gc.collect()


@contextlib.contextmanager
def disable_gc():
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def calcobjsize(fmt):
    raise unittest.SkipTest("about the sizes of CPython's objects")


calcvobjsize = calcobjsize


def check_sizeof(test, o, size):
    raise unittest.SkipTest("about the sizes of CPython's objects")


def check_free_after_iterating(test, iter, cls, args=()):
    """An exhausted iterator has let go of what it went over."""
    freed = False

    class Watched(cls):
        def __del__(self):
            nonlocal freed
            freed = True
            try:
                next(it)
            except StopIteration:
                pass

    it = iter(Watched(*args))
    test.assertRaises(StopIteration, next, it)
    gc_collect()
    test.assertTrue(freed)


def get_recursion_depth():
    """How many frames are below the caller's."""
    frame = sys._getframe(1)
    depth = 0
    while frame is not None:
        depth += 1
        frame = frame.f_back
    return depth


@contextlib.contextmanager
def infinite_recursion(max_depth=100):
    """A low limit of recursion, so that endless recursion ends soon."""
    with set_recursion_limit(get_recursion_depth() + (max_depth or 100)):
        yield


@contextlib.contextmanager
def set_recursion_limit(limit):
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limit)
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@contextlib.contextmanager
def adjust_int_max_str_digits(max_digits):
    """Another limit for the digits of ints."""
    before = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(max_digits)
    try:
        yield
    finally:
        sys.set_int_max_str_digits(before)


def setswitchinterval(interval):
    if hasattr(sys, "setswitchinterval"):
        sys.setswitchinterval(interval)


class catch_unraisable_exception:
    """Keeps what `sys.unraisablehook` is told."""

    def __enter__(self):
        self.unraisable = None
        self._before = sys.unraisablehook
        sys.unraisablehook = self._hook
        return self

    def _hook(self, unraisable):
        self.unraisable = unraisable

    def __exit__(self, *exc_info):
        sys.unraisablehook = self._before
        del self.unraisable


def collision_stats(nbins, nballs):
    """Mean and standard deviation of the collisions of balls thrown into bins at random."""
    bins, balls = nbins, nballs
    missed = ((bins - 1) / bins) ** balls
    missed_twice = ((bins - 2) / bins) ** balls if bins > 1 else 0.0
    filled = bins * (1 - missed)
    variance = bins * (bins - 1) * missed_twice + bins * missed - (bins * missed) ** 2
    return balls - filled, max(variance, 0.0) ** 0.5


# Objects, replaced for a while.

def get_attribute(obj, name):
    try:
        return getattr(obj, name)
    except AttributeError:
        raise unittest.SkipTest(f"object {obj!r} has no attribute {name!r}") from None


_MISSING = object()


@contextlib.contextmanager
def swap_attr(obj, attr, new_val):
    before = getattr(obj, attr, _MISSING)
    setattr(obj, attr, new_val)
    try:
        yield None if before is _MISSING else before
    finally:
        if before is not _MISSING:
            setattr(obj, attr, before)
        elif hasattr(obj, attr):
            delattr(obj, attr)


@contextlib.contextmanager
def swap_item(obj, item, new_val):
    before = obj[item] if item in obj else _MISSING
    obj[item] = new_val
    try:
        yield None if before is _MISSING else before
    finally:
        if before is not _MISSING:
            obj[item] = before
        elif item in obj:
            del obj[item]


@contextlib.contextmanager
def captured_output(stream_name):
    """A StringIO in the place of one of the streams of `sys`."""
    before = getattr(sys, stream_name)
    setattr(sys, stream_name, io.StringIO())
    try:
        yield getattr(sys, stream_name)
    finally:
        setattr(sys, stream_name, before)


def captured_stdout():
    return captured_output("stdout")


def captured_stderr():
    return captured_output("stderr")


def captured_stdin():
    return captured_output("stdin")


# Checks.

def check_syntax_error(testcase, statement, errtext="", *, lineno=None, offset=None):
    """`statement` is a SyntaxError, at that place."""
    with testcase.assertRaisesRegex(SyntaxError, errtext) as caught:
        compile(statement, "<test string>", "exec")
    error = caught.exception
    testcase.assertIsNotNone(error.lineno)
    if lineno is not None:
        testcase.assertEqual(error.lineno, lineno)
    testcase.assertIsNotNone(error.offset)
    if offset is not None:
        testcase.assertEqual(error.offset, offset)


def check_disallow_instantiation(testcase, tp, *args, **kwds):
    """`tp` cannot be called."""
    module = tp.__module__
    name = tp.__name__ if module == "builtins" else f"{module}.{tp.__name__}"
    with testcase.assertRaisesRegex(TypeError, f"cannot create '{name}' instances"):
        tp(*args, **kwds)


def check__all__(test_case, module, name_of_module=None, extra=(), not_exported=()):
    """`__all__` names what the module defines and does not hide."""
    if name_of_module is None:
        name_of_module = (module.__name__,)
    elif isinstance(name_of_module, str):
        name_of_module = (name_of_module,)
    expected = set(extra)
    for name in dir(module):
        if name.startswith("_") or name in not_exported:
            continue
        obj = getattr(module, name)
        home = getattr(obj, "__module__", None)
        if home in name_of_module or (
            home is None and not isinstance(obj, types.ModuleType)
        ):
            expected.add(name)
    test_case.assertCountEqual(module.__all__, expected)


def sortdict(dict):
    """The repr of a dict with its keys in order."""
    return "{" + ", ".join(f"{key!r}: {dict[key]!r}" for key in sorted(dict)) + "}"


def findfile(filename, subdir=None):
    """The path of a data file of the tests."""
    if os.path.isabs(filename):
        return filename
    folder = os.path.join(TEST_HOME_DIR, subdir) if subdir else TEST_HOME_DIR
    return os.path.join(folder, filename)


def load_package_tests(pkg_dir, loader, standard_tests, pattern):
    """The tests of a package's files."""
    top = os.path.dirname(os.path.dirname(pkg_dir))
    standard_tests.addTests(
        loader.discover(start_dir=pkg_dir, top_level_dir=top, pattern=pattern or "test*"))
    return standard_tests


def wait_process(pid, *, exitcode, timeout=None):
    """Waits for a child and checks how it ended."""
    _, status = os.waitpid(pid, 0)
    if os.waitstatus_to_exitcode(status) != exitcode:
        raise AssertionError(f"process {pid} ended with {os.waitstatus_to_exitcode(status)}")


def reap_children():
    """Nothing here leaves children behind."""


def maybe_get_event_loop_policy():
    """What a test sets back at its end."""
    asyncio = sys.modules.get("asyncio")
    return getattr(getattr(asyncio, "events", None), "_event_loop_policy", None)


def args_from_interpreter_flags():
    return []


def flush_std_streams():
    sys.stdout.flush()
    sys.stderr.flush()
