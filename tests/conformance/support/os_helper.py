"""Files, folders and the environment."""

import contextlib
import os
import shutil
import tempfile
import unittest

TESTFN = f"@test_{os.getpid()}_tmp"
TESTFN_ASCII = TESTFN
TESTFN_UNICODE = TESTFN + "-\xe0\xf2\u0258\u0141\u011f"
TESTFN_UNDECODABLE = None
TESTFN_NONASCII = TESTFN_UNICODE
SAVEDCWD = os.getcwd()


def unlink(filename):
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(filename)


def rmdir(dirname):
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(dirname)


def rmtree(path):
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(path)


def create_empty_file(filename):
    with open(filename, "wb"):
        pass


def make_bad_fd():
    """A descriptor that is closed."""
    with open(TESTFN, "wb") as file:
        number = file.fileno()
    unlink(TESTFN)
    return number


@contextlib.contextmanager
def temp_dir(path=None, quiet=False):
    """A folder for a while."""
    if path is None:
        path = os.path.realpath(tempfile.mkdtemp())
    else:
        os.mkdir(path)
    try:
        yield path
    finally:
        rmtree(path)


@contextlib.contextmanager
def change_cwd(path, quiet=False):
    before = os.getcwd()
    os.chdir(path)
    try:
        yield os.getcwd()
    finally:
        os.chdir(before)


@contextlib.contextmanager
def temp_cwd(name="tempcwd", quiet=False):
    with temp_dir(path=name, quiet=quiet) as path:
        with change_cwd(path, quiet=quiet) as folder:
            yield folder


class FakePath:
    """An object with `__fspath__`."""

    def __init__(self, path):
        self.path = path

    def __fspath__(self):
        if isinstance(self.path, BaseException):
            raise self.path
        if isinstance(self.path, type) and issubclass(self.path, BaseException):
            raise self.path()
        return self.path


class EnvironmentVarGuard:
    """Changes of the environment that are taken back."""

    def __init__(self):
        self._before = {}

    def _keep(self, name):
        self._before.setdefault(name, os.environ.get(name))

    def __contains__(self, name):
        return name in os.environ

    def __getitem__(self, name):
        return os.environ[name]

    def __setitem__(self, name, value):
        self._keep(name)
        os.environ[name] = value

    def __delitem__(self, name):
        self._keep(name)
        os.environ.pop(name, None)

    def set(self, name, value):
        self[name] = value

    def unset(self, name):
        del self[name]

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def can_symlink():
    return hasattr(os, "symlink")


def skip_unless_symlink(test):
    return test if can_symlink() else unittest.skip("needs symbolic links")(test)


def skip_unless_working_chmod(test):
    return test


def skip_if_dac_override(test):
    """Root may do what the permissions of files forbid."""
    return unittest.skipIf(os.geteuid() == 0, "runs as root")(test)


def can_chmod():
    return True


FS_NONASCII = "\xe6"
