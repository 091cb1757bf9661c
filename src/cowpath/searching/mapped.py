"""A machine for the clock that begins anew as often as somebody likes: it is built once, what a run has written goes.

It has room for 1.4 GB, of which a small case uses a thousandth, anywhere: too much to copy. So it lies in a file
without a name, in memory, and each run has a private view of it, of which the system copies what is written to.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import numpy as np

from cowpath.kernel.state import CLOCK, new_machine, state_record


class MappedMachine:
    """``build`` makes the machine, in an empty one where it is handed that."""

    def __init__(self, build: Callable[[Any], Any]) -> None:
        self._build = build
        self._type: np.dtype[Any] = new_machine(CLOCK).dtype
        self._file = _without_a_name(self._type.itemsize)
        if self._file is not None:
            empty = self._view(mmap.ACCESS_WRITE)
            state_record(CLOCK).begin(empty.state)
            build(empty)

    def machine(self) -> Any:
        """The machine as it was built. Without such files it is built each time."""
        return self._build(None) if self._file is None else self._view(mmap.ACCESS_COPY)

    def _view(self, access: int) -> Any:
        assert self._file is not None
        return np.frombuffer(mmap.mmap(self._file, self._type.itemsize, access=access), self._type)[0]

    def __del__(self) -> None:
        if self._file is not None:
            os.close(self._file)


def _without_a_name(size: int) -> int | None:
    """A file of zeroes that takes no room until it is written to; None where there is no such thing."""
    if not hasattr(os, "memfd_create"):
        return None
    with suppress(OSError):
        file = os.memfd_create("cowpath")
        os.ftruncate(file, size)
        return file
    return None
