"""ftrace's text: what a tracing instance's file ``trace`` shows (kernel/trace/trace.c, trace_output.c)."""

from __future__ import annotations

import shutil
from typing import Any

from cowpath.observe.ftrace_events import Tracepoint
from cowpath.observe.ftrace_file import FtraceFile

HEAD = """\
# tracer: nop
#
# entries-in-buffer/entries-written: {count}/{count}   #P:{cpus}
#
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
"""


class TextFile(FtraceFile):
    """A line per record, those of all CPUs by time."""

    def begin(self, cpus: int) -> None:
        """The lines wait until they are counted."""
        self._cpus, self._count, self._body = cpus, 0, self.waiting()

    def record(self, time: int, cpu: int, pid: int, comm: str, what: Tracepoint, values: tuple[Any, ...]) -> None:
        """A line."""
        when = f"{time // 10**9:5d}.{time % 10**9:09d}"
        line = f"{comm:>16}-{pid:<7} [{cpu:03d}] ..... {when}: {what.text(values)}\n"
        self._body.write(line.encode("ascii"))
        self._count += 1

    def finish(self, comms: dict[int, str]) -> None:
        """Put the lines behind their head."""
        with self._temporary.open("wb") as whole:
            whole.write(HEAD.format(count=self._count, cpus=self._cpus).encode("ascii"))
            self._body.seek(0)
            shutil.copyfileobj(self._body, whole)
