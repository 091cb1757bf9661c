"""Steps and locks of one's own, without a fork: Python files that are loaded before the kernel is put together.

    from cowpath.kernel import own

    @own.step(takes=..., fault=True, cost_ns=100)
    def step_NAME(k, t): ...

A step joins the table of ``steps.py``, a lock that of ``waits.py``; designs name the steps like the kernel's own.
``docs/steps.md`` has examples. Nothing is imported here before it is needed: a lock has to be there before the records
are laid out.
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cowpath.errors import InputError

VARIABLE = "COWPATH_STEPS"  # the files, separated as in PATH: those that a search starts read it too
_loaded: dict[str, str] = {}  # digest by path
_closed = False

Function = Callable[..., Any]


def close() -> None:
    """The kernel is being put together: the tables are as they are."""
    global _closed
    _closed = True


def files() -> list[str]:
    """The files that are loaded, in their order."""
    return list(_loaded)


def _wrong(place: tuple[str, int], problem: str, hint: str | None = None) -> InputError:
    return InputError(problem, file=place[0], line=place[1], hint=hint)


def step(**info: Any) -> Callable[[Function], Function]:
    """Declare ``step_NAME(k, t)`` a step. The arguments are those of ``StepInfo``, but for ``name`` and ``file``.

    Raises InputError for a name that is not ``step_...``, one that is taken, or an argument that StepInfo has not.
    """
    from .compiled import compiled
    from .steps import MOST_STEPS, STEP_NAMES, StepInfo, add

    def declare(function: Function) -> Function:
        name = function.__name__.removeprefix("step_")
        place = function.__code__.co_filename, function.__code__.co_firstlineno
        if _closed:
            raise _wrong(place, f"step {name!r} comes too late: the kernel has been put together")
        if name == function.__name__ or not name.islower():
            raise _wrong(place, f"a step's function is called {function.__name__!r}", "step_NAME, all small")
        if name in STEP_NAMES:
            raise _wrong(place, f"there is a step {name!r} already", "another name")
        if len(STEP_NAMES) >= MOST_STEPS:
            raise _wrong(place, f"more than {MOST_STEPS} steps")
        if list(inspect.signature(function).parameters) != ["k", "t"]:
            raise _wrong(place, f"step_{name} takes other arguments", f"def step_{name}(k, t)")
        known = [field for field in StepInfo.__dataclass_fields__ if field not in ("name", "file", "function")]
        for word in info:
            if word not in known:
                raise _wrong(place, f"step_{name}: {word!r} is nothing that a step has", ", ".join(known))
        made: Function = compiled(function)
        add(StepInfo(name, function=made, **info))
        return made

    return declare


def mutex(name: str, of: str, order: int, *, killable: bool = False) -> tuple[int, int]:
    """Declare a mutex: one of each ``file``, ``mm`` or ``group`` (``of``), or of the ``machine``.

    ``order`` is its place in the lock order (i_mutex 10, mmap_sem 20, page lock 30). Returns its kind of wait (``W_*``,
    for ``mutex.mutex_lock`` and ``mutex_unlock``) and its bit of ``frame.held`` (for a step's ``takes`` and ``gives``).
    Raises InputError where it cannot be, or where the records have been laid out: it comes before other imports of the
    kernel.
    """
    from . import waits

    at = sys._getframe(1)
    place = at.f_code.co_filename, at.f_lineno
    if "cowpath.kernel.names" in sys.modules:
        hint = "above all other imports of cowpath, in a new process"
        raise _wrong(place, f"mutex {name!r} comes too late: the records have been laid out", hint)
    kinds = ("file", "mm", "group", "machine")
    if of not in kinds:
        raise _wrong(place, f"mutex {name!r} of a {of!r}", "of one of: " + ", ".join(kinds))
    if not name.isidentifier() or any(lock.name == name for lock in waits.LOCKS):
        raise _wrong(place, f"there is a lock {name!r} already, or it is no name", "another name")
    waits.LOCKS.append(waits.Mutex(name, of, order, killable))
    try:
        waits.holds()
    except ValueError as error:
        waits.LOCKS.pop()
        raise _wrong(place, str(error)) from None
    return waits.number(name), waits.hold(name)


def load(path: str | os.PathLike[str]) -> None:
    """Run a file that declares steps and locks, once. Raises InputError where it cannot be, or comes too late."""
    file = Path(path).resolve()
    try:
        source = file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the steps: {error.strerror}", file=path, hint="a Python file") from None
    digest = hashlib.sha256(source).hexdigest()
    if _loaded.get(str(file)) == digest:
        return
    if _closed:
        raise InputError(
            "steps of one's own come before the first run or check of a process",
            file=path,
            hint=f"a new process, or {VARIABLE}={path} in its environment",
        )
    _run(file, path, source)
    _loaded[str(file)] = digest
    from .compiled import EXTRA_SOURCES
    from .jit.sources import digest_of, loaded_along

    EXTRA_SOURCES[file] = digest
    EXTRA_SOURCES.update((each, digest_of(each)) for each in sorted(loaded_along(file, "cowpath")))


def _run(file: Path, path: str | os.PathLike[str], source: bytes) -> None:
    """What is run is what was read: a ``.pyc`` beside it might be of another file of the same size and second."""
    name = f"cowpath_steps_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None:
        raise InputError("not a Python file", file=path, hint="a file whose name ends with .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        exec(compile(source, str(file), "exec", dont_inherit=True), module.__dict__)
    except InputError:
        raise
    except Exception as error:  # whatever a user's file may raise
        raise InputError(f"{type(error).__name__}: {error}", file=path, line=_line_in(error, str(file))) from None


def _line_in(error: BaseException, file: str) -> int | None:
    """Where in the file it went wrong."""
    if isinstance(error, SyntaxError):
        return error.lineno
    at, found = error.__traceback__, None
    while at is not None:
        if at.tb_frame.f_code.co_filename == file:
            found = at.tb_lineno
        at = at.tb_next
    return found


def fault_in(error: Exception) -> InputError | None:
    """What is wrong with a step of one's own that has raised ``error``, or that the compiler refuses; else None."""
    for file in files():
        if (line := _line_in(error, file)) is not None:
            return InputError(f"{type(error).__name__}: {error}", file=file, line=line)
    if files() and type(error).__module__.startswith("numba."):
        said = [line.strip() for line in str(error).splitlines() if line.strip() and not line.startswith("During")]
        told = next((line for line in said if "Error:" in line), said[-1] if said else type(error).__name__)
        step = re.search(r"<function (step_\w+)", str(error))
        what = step[1] if step else "the kernel with these steps"
        return InputError(f"{what} cannot be compiled: {told}", file=", ".join(files()))
    return None


def named() -> list[str]:
    """The files that the environment names."""
    return [path for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path]


def load_named() -> None:
    """Load them."""
    for path in named():
        load(path)


def use(*paths: str | os.PathLike[str]) -> None:
    """Load these files, here and in the processes that this one starts."""
    for path in paths:
        load(path)
    os.environ[VARIABLE] = os.pathsep.join(files())
