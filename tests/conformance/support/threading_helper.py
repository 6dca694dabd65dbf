"""Threads of tests."""

import contextlib
import functools
import unittest


def _can_start_thread():
    try:
        import threading
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
    except (ImportError, RuntimeError):
        return False
    return True


can_start_thread = _can_start_thread()


def requires_working_threading(*, module=False):
    if module:
        if not can_start_thread:
            raise unittest.SkipTest("needs threads")
        return None
    return unittest.skipUnless(can_start_thread, "needs threads")


def reap_threads(test):
    @functools.wraps(test)
    def run(*args):
        return test(*args)
    return run


def threading_setup():
    return ()


def threading_cleanup(*original):
    """Nothing is kept between tests."""


@contextlib.contextmanager
def start_threads(threads, unlock=None):
    """The threads run inside and are joined at the end."""
    threads = list(threads)
    started = []
    try:
        for thread in threads:
            thread.start()
            started.append(thread)
        yield
    finally:
        if unlock:
            unlock()
        for thread in started:
            thread.join(30)


def join_thread(thread, timeout=30):
    thread.join(timeout)
    if thread.is_alive():
        raise AssertionError("the thread is still alive")
