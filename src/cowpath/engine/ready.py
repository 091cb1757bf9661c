"""Compiling the modelled kernel: once after each change of its sources, with word of how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numba
from numba.core import event

from cowpath.kernel.compiled import FUNCTIONS

from . import loop, waitfor

Told = Callable[[int, int], None]  # functions compiled, and how many there are


class _Counter(event.Listener):
    """Counts the functions whose compilation ends."""

    def __init__(self, told: Told) -> None:
        self.told = told
        self.done = 0

    def on_start(self, _: Any) -> None:
        pass

    def on_end(self, ended: Any) -> None:
        self.done += 1
        self.told(min(self.done, len(FUNCTIONS)), len(FUNCTIONS))


@contextmanager
def announced(told: Told) -> Iterator[None]:
    """Whatever has to be compiled within the block is told of."""
    with event.install_listener("numba:compile", _Counter(told)):
        yield


def ready(k: Any, told: Told | None = None) -> None:
    """Compile what the clock needs, or load it from the cache (then ``told`` is never called)."""
    if not hasattr(loop.run, "compile"):  # NUMBA_DISABLE_JIT
        return
    machine: Any = numba.typeof(k)  # type: ignore[no-untyped-call]
    number = numba.int64
    wanted: list[tuple[Any, tuple[Any, ...]]] = [
        (loop.run, (machine, number, number, number)),
        (waitfor.survey, (machine,)),
        (waitfor.find_charger, (machine, number)),
    ]
    with announced(told or (lambda done, total: None)):
        for function, signature in wanted:
            function.compile(signature)
