"""From a step's number to its function: made from the table in ``steps.py`` when the kernel is put together.

What is made is plain source, a comparison a line, which LLVM turns into a jump. The table is closed from here on.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

from . import names as n
from . import own
from .compiled import compiled
from .steps import OF_THE_KERNEL, STEPS, number_of

own.close()
FIRST_OF_FILES = number_of("ra_window")
FIRST_OF_TASKS = number_of("dup_mm")


def _function(named: str | Callable[..., Any]) -> Callable[..., Any]:
    """The function of a row: of one's own as it is given, else FILE.FUNCTION."""
    if not isinstance(named, str):
        return named
    file, name = named.split(".")
    found: Callable[..., Any] = getattr(import_module(f"cowpath.kernel.{file}"), name)
    return found


def _made(name: str, arguments: str, rows: Iterable[tuple[int, Callable[..., Any]]], otherwise: str) -> Any:
    """A function of ``(arguments)`` that calls the row's whose number is ``which``."""
    functions = list(rows)
    lines = [f"def {name}({arguments}, which):"]
    for i, (number, _) in enumerate(functions):
        lines += [f"    if which == {number}:", f"        return f{i}({arguments})"]
    source = "\n".join([*lines, f"    return {otherwise}", ""])
    file = f"<{__name__}.{name}>"
    linecache.cache[file] = len(source), None, source.splitlines(True), file  # for a traceback, and for Numba's errors
    space = {f"f{i}": function for i, (_, function) in enumerate(functions)}
    exec(compile(source, file, "exec"), space | {"__name__": __name__}, space)
    return compiled(space[name])


def _steps(name: str, first: int, end: int) -> Any:
    rows = [(i, _function(STEPS[i].function or f"{STEPS[i].file}.step_{STEPS[i].name}")) for i in range(first, end)]
    return _made(name, "k, t", rows, str(n.NEXT))


run_fault_step = _steps("run_fault_step", 0, FIRST_OF_FILES)
run_file_step = _steps("run_file_step", FIRST_OF_FILES, FIRST_OF_TASKS)
run_task_step = _steps("run_task_step", FIRST_OF_TASKS, OF_THE_KERNEL)
run_own_step = _steps("run_own_step", OF_THE_KERNEL, len(STEPS))
call_from = _made(
    "call_from",
    "k, t, f",
    [(i, _function(info.call or f"{info.file}.call_{info.name}")) for i, info in enumerate(STEPS) if info.calls],
    str(n.NEXT),
)
