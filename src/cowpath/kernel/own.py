"""Steps and locks of one's own, without a fork: a Python file that is loaded before the kernel is put together.

    from cowpath.kernel import own

    @own.step(takes=..., fault=True, cost_ns=100)
    def step_NAME(k, t): ...

Its functions join the table of steps; designs name them like the kernel's. ``docs/steps.md`` has an example.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cowpath.errors import InputError

from . import compiled as jit
from .steps import MOST_STEPS, STEP_NAMES, StepInfo, add

VARIABLE = "COWPATH_STEPS"  # files, separated as in PATH: for those processes that a search starts
_loaded: dict[str, str] = {}  # path and digest of each file
_closed = False


def close() -> None:
    """The kernel is being put together: the table is as it is."""
    global _closed
    _closed = True


def step(**info: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare ``step_NAME(k, t)`` a step. The arguments are those of ``StepInfo``, but for ``name`` and ``file``.

    Raises InputError for a name that is not ``step_...``, one that is taken, or an argument that StepInfo has not.
    """

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__name__.removeprefix("step_")
        where = f"{function.__code__.co_filename}, line {function.__code__.co_firstlineno}"
        if name == function.__name__ or not name.islower():
            problem = f"{where}: a step's function is called {function.__name__!r}"
            raise InputError(problem, hint="step_NAME, in small letters")
        if name in STEP_NAMES:
            raise InputError(f"{where}: there is a step {name!r} already", hint="another name")
        if len(STEP_NAMES) >= MOST_STEPS:
            raise InputError(f"{where}: more than {MOST_STEPS} steps")
        if list(inspect.signature(function).parameters) != ["k", "t"]:
            raise InputError(f"{where}: step_{name} takes other arguments", hint=f"def step_{name}(k, t)")
        compiled = jit.compiled(function)
        try:
            add(StepInfo(name, function=compiled, **info))
        except TypeError as error:
            known = ", ".join(StepInfo.__dataclass_fields__)
            raise InputError(f"{where}: step_{name}: {str(error).split(') ')[-1]}", hint=f"known: {known}") from None
        return compiled

    return declare


def load(path: str | os.PathLike[str]) -> None:
    """Run a file that declares steps, once. Raises InputError where it cannot be, or comes too late."""
    file = Path(path).resolve()
    try:
        source = file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the steps: {error.strerror}", file=str(path)) from None
    digest = hashlib.sha256(source).hexdigest()
    if _loaded.get(str(file)) == digest:
        return
    if _closed:
        raise InputError(
            "steps come before the first run or check of a process: the kernel has been put together",
            file=str(path),
            hint=f"a new process, or {VARIABLE}={path} in its environment",
        )
    name = f"cowpath_steps_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise InputError("not a Python file", file=str(path), hint="a file whose name ends with .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except InputError:
        raise
    except Exception as error:
        line = _line_in(error, str(file))
        raise InputError(f"{type(error).__name__}: {error}", file=f"{path}{line}") from None
    _loaded[str(file)] = digest
    jit.EXTRA_SOURCES.append(file)


def load_named() -> None:
    """Load the files that the environment names."""
    for path in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        load(path)


def _line_in(error: BaseException, file: str) -> str:
    """Where in the file it went wrong: ``:12``."""
    if isinstance(error, SyntaxError) and error.lineno:
        return f":{error.lineno}"
    at, found = error.__traceback__, ""
    while at is not None:
        if at.tb_frame.f_code.co_filename == file:
            found = f":{at.tb_lineno}"
        at = at.tb_next
    return found
