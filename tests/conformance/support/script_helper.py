"""Other processes of the interpreter that runs the test."""

import collections
import itertools
import os
import subprocess
import sys

# Flags that leave the environment alone or set caches: nothing to do for these programs.
_WITHOUT_MEANING = {"-E", "-I", "-B", "-S", "-s", "-u", "-Es"}

_Result = collections.namedtuple("_Result", "rc out err")


def _command(args):
    if sys.implementation.name == "cpython":
        return [sys.executable, "-X", "faulthandler", "-I", *args]
    # What comes after the program is the program's own.
    return [sys.executable, *itertools.dropwhile(_WITHOUT_MEANING.__contains__, args)]


def run_python_until_end(*args, **env_vars):
    """The result and the command of a run to its end."""
    env_vars.pop("__isolated", None)
    cwd = env_vars.pop("__cwd", None)
    environment = {} if env_vars.pop("__cleanenv", None) else dict(os.environ)
    environment.update(env_vars)
    command = _command(args)
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=environment, cwd=cwd, timeout=30)
    return _Result(done.returncode, done.stdout, done.stderr), command


def _assert_python(succeeds, args, env_vars):
    result, command = run_python_until_end(*args, **env_vars)
    if (result.rc == 0) != succeeds:
        raise AssertionError(
            f"{command} ended with {result.rc}\nstdout: {result.out!r}\nstderr: {result.err!r}")
    return result


def assert_python_ok(*args, **env_vars):
    return _assert_python(True, args, env_vars)


def assert_python_failure(*args, **env_vars):
    return _assert_python(False, args, env_vars)


def spawn_python(*args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **kw):
    return subprocess.Popen(
        _command(args), stdin=subprocess.PIPE, stdout=stdout, stderr=stderr, **kw)


def kill_python(process):
    process.stdin.close()
    output = process.stdout.read()
    process.stdout.close()
    process.wait()
    return output


def make_script(script_dir, script_basename, source, omit_suffix=False):
    name = script_basename if omit_suffix else script_basename + ".py"
    path = os.path.join(script_dir, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(source)
    return path


def interpreter_requires_environment():
    return False
