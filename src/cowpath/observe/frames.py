"""The event log, and whatever else has rows, as polars data frames, for the Python API.

polars is as large as all the rest but the compiler, and no command needs it: it is an extra (``cowpath[frames]``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from cowpath.errors import InputError
from cowpath.kernel import names as n
from cowpath.kernel.places import TRUNCATED
from cowpath.observe.lanes import locker
from cowpath.observe.who import Events, Who

try:
    import polars as pl
except ImportError:
    raise InputError("data frames are polars', which is not here", hint="pip install 'cowpath[frames]'") from None


def frame_of(rows: Sequence[Any], schema: Any = None) -> pl.DataFrame:
    """A row for each mapping of columns' names to values; or for each tuple, with a ``schema``."""
    return pl.DataFrame(rows, schema=schema, infer_schema_length=None, orient="row")


def number_or_null(column: str) -> pl.Expr:
    """A column of indices with NONE as null."""
    return pl.when(pl.col(column) == n.NONE).then(None).otherwise(pl.col(column)).alias(column)


def named(numbers: Any, table: Sequence[str]) -> pl.Series:
    """Names by number as a categorical column; a number that the table does not have is null."""
    distinct, places = np.unique(np.asarray(numbers), return_inverse=True)
    texts = [table[i] if 0 <= i < len(table) else None for i in distinct]
    return pl.Series(texts, dtype=pl.String).cast(pl.Categorical).gather(places)


def events_frame(events: Events, who: Who, comms: Sequence[str], groups: Sequence[str]) -> pl.DataFrame:
    """Every event: the columns of the log file, and the group (empty: outside every group) of its task."""
    return pl.DataFrame(
        {
            "time_ns": events["time"],
            "kind": named(events["kind"], n.EVENT_NAMES),
            "cpu": events["cpu"],
            "task": events["task"],
            "comm": named(who.comm, comms),
            "group": named(who.group, groups),
            "a": events["a"],
            "b": events["b"],
            "value": events["value"],
            "extra": events["extra"],
        }
    )


def faults_frame(events: Events, who: Who, comms: Sequence[str], groups: Sequence[str]) -> pl.DataFrame:
    """Every page fault that ended: when, whose, its path in the design, how it ended, its time and sleep in ns."""
    at = np.flatnonzero(events["kind"] == n.EV_FAULT)
    faults = events[at]
    return pl.DataFrame(
        {
            "time_ns": faults["time"],
            "cpu": faults["cpu"],
            "task": faults["task"],
            "comm": named(who.comm[at], comms),
            "group": named(who.group[at], groups),
            "path": faults["a"],
            "status": named(faults["b"], n.STATUS_NAMES),
            "ns": faults["value"],
            "asleep_ns": faults["extra"],
        }
    )


def lock_holds_frame(
    events: Events, who: Who, comms: Sequence[str], groups: Sequence[str], files: Sequence[str]
) -> pl.DataFrame:
    """Every hold of a page lock that ended: whose (null: the disk's), which page, taken in which step, ns.

    ``kind`` is that of its owner. A page that belongs to no file has no ``file`` and no ``index``.
    """
    at = np.flatnonzero(np.isin(events["kind"], (n.EV_LOCK, n.EV_LOCK_SENT)))
    holds = events[at]
    kinds = [locker(*of) for of in zip(*(holds[name].tolist() for name in ("kind", "task", "b")), strict=True)]
    place = holds["extra"]
    of_file = (place >= 0) & (place < TRUNCATED)
    frame = pl.DataFrame(
        {
            "time_ns": holds["time"],
            "task": np.maximum(holds["task"], n.NONE),
            "comm": named(who.comm[at], comms),
            "group": named(who.group[at], groups),
            "kind": named(kinds, n.LOCKER_NAMES),
            "page": holds["a"],
            "file": named(np.where(of_file, place >> 32, n.NONE), files),
            "index": np.where(of_file, place & 0xFFFFFFFF, n.NONE),
            "step": holds["b"],
            "ns": holds["value"],
        }
    )
    return frame.with_columns(number_or_null("task"), number_or_null("index"))


def usage_frame(events: Events, groups: Sequence[str]) -> pl.DataFrame:
    """How much memory each group used over time, in bytes."""
    usage = events[events["kind"] == n.EV_USAGE]
    bytes_used = usage["value"] * n.PAGE_SIZE
    return pl.DataFrame(
        {"time_ns": usage["time"], "group": named(usage["a"], groups), "usage_in_bytes": bytes_used},
    )


def _flat(group: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Its figures; those of memory.events each in a column of its own."""
    for key, value in group.items():
        if key == "memory.events":
            yield from ((f"{key}.{name}", count) for name, count in value.items())
        else:
            yield key, value


def groups_frame(groups: dict[str, dict[str, Any]]) -> pl.DataFrame:
    """One row per group: its verdict, its memory files and its counters, from a run's summary."""
    rows = [
        {"group": name} | {key: v for key, v in _flat(group) if not isinstance(v, dict)}
        for name, group in groups.items()
    ]
    return frame_of(rows)
