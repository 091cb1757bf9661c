"""How far compiling is: told of each function that is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from . import Told

install_listener: Any
Listener: Any
try:
    from numba.core.event import Listener, install_listener
except ImportError:
    Listener, install_listener = object, None

FUNCTIONS: list[str] = []  # all that are compiled, to say how far it is


class _Counter(Listener):  # type: ignore[misc]
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
    """Whatever has to be compiled within the block is told of, if this Numba tells."""
    if install_listener is None:
        yield
        return
    with install_listener("numba:compile", _Counter(told)):
        yield
