"""Compile everything in a process of its own, for the time of each function: prints a JSON object."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from typing import Any

from numba.core import event

from cowpath.engine import ready
from cowpath.kernel.state import new_machine


class Stopwatch(event.Listener):
    """Seconds by function, without those of the functions that it calls."""

    def __init__(self) -> None:
        self.own: defaultdict[str, float] = defaultdict(float)
        self._open: list[list[float]] = []  # when it began, and what was spent on others meanwhile

    def on_start(self, _: Any) -> None:
        """A function's compilation begins, within its caller's."""
        self._open.append([time.perf_counter(), 0.0])

    def on_end(self, ended: Any) -> None:
        """And ends."""
        began, others = self._open.pop()
        whole = time.perf_counter() - began
        function = ended.data["dispatcher"].py_func
        self.own[f"{function.__module__.removeprefix('cowpath.')}.{function.__name__}"] += whole - others
        if self._open:
            self._open[-1][1] += whole


def main() -> None:
    """Seconds altogether, how often progress was told, and the functions."""
    watch, told = Stopwatch(), []
    k = new_machine()
    began = time.perf_counter()
    with event.install_listener("numba:compile", watch):
        ready.ready(k, lambda done, total: told.append(done))
    seconds = time.perf_counter() - began
    functions = sorted(watch.own.items(), key=lambda item: -item[1])
    print(json.dumps({"seconds": seconds, "told": len(told), "functions": functions}))


if __name__ == "__main__":
    main()
