"""All records of a command in one order of time, each with the CPU time that its task used after it.

CPU time in user mode is not recorded; the rule is: a task runs from a record of its own until the next record of any
task on the same CPU, or its own next record, whichever comes first; of that time, what the record itself cost the
recorded kernel is taken off (a call's duration, ``FAULT_NS``, ``CACHE_NS``), and no stretch counts for more than
``longest_ns``, because a long one hides a time slice of somebody outside the recording, a disk or a pipe.
``longest_ns`` is solved for: the sum of all stretches is the CPU time that the command used when it ran without perf
(truth.json), or, where that is not known, ``LONGEST_NS``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from cowpath.programs.tables import Tables

FAULT_NS = 700  # a minor fault on the recorded kernel
CACHE_NS = 600  # adding a page to the page cache
LONGEST_NS = 3_000_000  # recorded gaps have two humps: up to 2 ms, and from 4 ms (a lost time slice)

PROC, CALL, MAP, FAULT, CACHE = range(5)  # kinds of records; also their order where times are equal


@dataclass(frozen=True)
class Timeline:
    """Records in order of time, column by column. ``row`` is the record's row in its own table."""

    kind: list[int]
    row: list[int]
    time_ns: list[int]
    tid: list[int]
    ran_ns: list[int]  # CPU time between the task's previous record and this one
    longest_ns: int

    def __iter__(self) -> Iterator[tuple[int, int, int, int, int]]:
        """Kind, row, time, task and CPU time of every record."""
        return zip(self.kind, self.row, self.time_ns, self.tid, self.ran_ns, strict=True)


def timeline(tables: Tables, root: int) -> Timeline:
    """The records of all tasks but ``root``, the launcher. A fork is a record of its parent."""
    forks = pl.col("kind") == "fork"
    procs = tables.procs.with_columns(
        pid=pl.when(forks).then("ppid").otherwise("pid"), tid=pl.when(forks).then("ppid").otherwise("tid")
    )
    none = pl.lit(None, dtype=pl.Int8)
    parts = [
        _part(procs, PROC, none, pl.lit(0)),
        _part(tables.vmcalls, CALL, none, pl.col("dur_ns")),
        _part(tables.maps, MAP, none, pl.lit(0)),
        _part(tables.faults, FAULT, pl.col("cpu"), pl.lit(FAULT_NS)),
        _part(tables.pagecache, CACHE, none, pl.lit(CACHE_NS)),
    ]
    records = pl.concat(parts).filter((pl.col.pid != root) | (pl.col.kind == PROC)).sort("time_ns", "kind", "row")
    records = records.with_columns(pl.col.cpu.forward_fill().over("tid").fill_null(0))
    own_next = pl.col.time_ns.shift(-1).over("tid")
    cpu_next = pl.col.time_ns.shift(-1).over("cpu")
    stretch = (pl.min_horizontal(own_next, cpu_next) - pl.col.time_ns - pl.col.cost).clip(0)
    counts = own_next.is_not_null() & (pl.col.pid != root)
    records = records.with_columns(stretch=pl.when(counts).then(stretch).otherwise(0))
    longest_ns = _longest(records["stretch"].to_numpy(), tables.utime_ns)
    records = records.with_columns(ran=pl.col.stretch.clip(0, longest_ns).shift(1).over("tid").fill_null(0))
    kind, row, time_ns, tid, ran_ns = (records[name].to_list() for name in ("kind", "row", "time_ns", "tid", "ran"))
    return Timeline(kind, row, time_ns, tid, ran_ns, longest_ns)


def _part(table: pl.DataFrame, kind: int, cpu: pl.Expr, cost: pl.Expr) -> pl.DataFrame:
    return table.select(
        "time_ns",
        "pid",
        "tid",
        kind=pl.lit(kind, dtype=pl.Int32),
        row=pl.int_range(pl.len(), dtype=pl.Int64),
        cpu=cpu,
        cost=cost.cast(pl.Int64),
    )


def _longest(stretches: npt.NDArray[np.int64], cpu_ns: int | None) -> int:
    """The cap with which the stretches add up to ``cpu_ns``."""
    if cpu_ns is None or len(stretches) == 0:
        return LONGEST_NS
    low, high = 1, max(1, int(stretches.max()))
    while low < high:
        middle = (low + high) // 2
        if int(np.minimum(stretches, middle).sum()) < cpu_ns:
            low = middle + 1
        else:
            high = middle
    return low
