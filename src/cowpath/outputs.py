"""The files that are made of runs, beside what is printed: which there are, and when each is written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cowpath.atomic import check_target
from cowpath.observe.keeper import Keeper
from cowpath.observe.watch import Wanted

if TYPE_CHECKING:
    from cowpath.again import Command
    from cowpath.observe.trace_file import TraceFile
    from cowpath.results import Result

File = str | os.PathLike[str]


@dataclass(frozen=True)
class Outputs:
    """What is to be written; ``log`` and ``ftrace`` are about one run."""

    log: Path | None = None  # a Parquet file
    report: Path | None = None  # a page
    trace: Path | None = None  # for Perfetto
    ftrace: Path | None = None  # trace.dat, or ftrace's text
    metrics: Path | None = None  # OpenMetrics

    @staticmethod
    def of(**files: File | None) -> Outputs:
        """Outputs from files as a person names them."""
        return Outputs(**{name: None if file is None else Path(file) for name, file in files.items()})

    def files(self) -> list[Path | None]:
        """All of them, for ``check_outputs``."""
        return [self.log, self.report, self.trace, self.ftrace, self.metrics]

    @contextmanager
    def made_of(self, again: Command) -> Iterator[Made]:
        """Takes the runs that are made in the block; ``again`` is the command that makes them, for the page.

        Raises InputError, before any work is done, if a file could not be written.
        """
        for target in (self.report, self.metrics):
            check_target(target)
        with ExitStack() as files:
            made = Made(self)
            if self.trace is not None:
                from cowpath.observe.trace_file import TraceFile

                made.trace = files.enter_context(TraceFile(self.trace))
            yield made
            if self.report is not None:
                from cowpath.report.runs import write

                write(self.report, made.results, again.line(str(self.report)))
            if self.metrics is not None:
                from cowpath.observe.openmetrics import write as write_metrics

                write_metrics(self.metrics, made.results)


@dataclass
class Made:
    """The runs so far, and what the next one is to give."""

    outputs: Outputs
    results: list[Result] = field(default_factory=list)
    trace: TraceFile | None = None

    def wanted(self, keeper: Keeper | None = None, process: str | None = None) -> Wanted:
        """What is to be made of the next run's log; ``process``: under which name it stands in a trace of several."""
        return Wanted(
            log=self.outputs.log,
            keeper=keeper,
            timeline=self.outputs.report is not None,
            trace=None if self.trace is None else self.trace.run(process),
            ftrace=self.outputs.ftrace,
            samples=self.outputs.metrics is not None,
        )
