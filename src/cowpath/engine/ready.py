"""Compiling the modelled kernel: once after each change of its sources, with word of how far it is."""

from __future__ import annotations

from typing import Any

from cowpath.kernel.compiled import INTERPRETED, Told, announced

from . import loop, standstill, waitfor

_READY: list[Any] = []  # types of machines for which all is there: Numba takes longer over a name than a small run


def ready(k: Any, told: Told | None = None) -> None:
    """Compile what the clock needs, or load it from the cache (then ``told`` is never called)."""
    if INTERPRETED or any(k.dtype is dtype for dtype in _READY):
        return
    import numba

    machine: Any = numba.typeof(k)  # type: ignore[no-untyped-call]
    number = numba.int64
    wanted: list[tuple[Any, tuple[Any, ...]]] = [
        (loop.run, (machine, number, number, number, number)),
        (standstill.survey, (machine,)),
        (waitfor.find_end, (machine, number)),
    ]
    with announced(told or (lambda done, total: None)):
        for function, signature in wanted:
            function.compile(signature)
    _READY.append(k.dtype)
