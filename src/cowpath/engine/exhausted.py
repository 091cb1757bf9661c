"""What a machine has run out of, when a run has to end early: how many there were, and what gives it more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cowpath.kernel import state as st
from cowpath.kernel.records import FRAMES

FIXED = "cowpath has room for no more; fewer tasks at a time need fewer of them: --tasks N"


@dataclass(frozen=True)
class Exhausted:
    """What ran out, how many of it there were, what to do about it, and when it was (ns)."""

    what: str
    count: int
    hint: str
    at: int

    def __str__(self) -> str:
        """``the simulated machine has run out of page tables (49,152) at 7.310 s``."""
        return f"the simulated machine has run out of {self.what} ({self.count:,}) at {self.at / 1e9:.3f} s"


POOLS: dict[int, tuple[str, Callable[[Any], int], str]] = {
    st.ERR_PAGES: (
        "pages of memory, and there is nobody to kill", lambda k: int(k.state.memory), "a larger --memory, or --swap"
    ),
    st.ERR_TASKS: ("tasks", lambda k: len(k.state.tasks), FIXED),
    st.ERR_MMS: ("address spaces", lambda k: len(k.state.mms), FIXED),
    st.ERR_VMAS: ("mappings", lambda k: len(k.state.vmas), FIXED),
    st.ERR_DIRECTORIES: ("page-table directories", lambda k: len(k.state.directories), FIXED),
    st.ERR_TABLES: ("page tables", lambda k: len(k.state.tables), FIXED),
    st.ERR_REQUESTS: ("disk requests", lambda k: len(k.state.requests), FIXED),
    st.ERR_FRAMES: ("frames of a task", lambda k: FRAMES, "a design whose paths call each other less deeply"),
    st.ERR_TIMERS: ("timers", lambda k: len(k.books.timers), FIXED),
    st.ERR_SLOTS: (
        "places for the pages of a file", lambda k: int(k.state.files[int(k.books.error_file)].room),
        "room = N for the file in the session's table ([files.NAME])",
    ),
    st.ERR_FILES: (
        "page-cache places, or files, for shared anonymous memory", lambda k: int(k.state.n_slots), FIXED
    ),
}  # fmt: skip


def exhausted(k: Any) -> Exhausted | None:
    """What the machine has run out of, or None."""
    error = int(k.books.error)
    if not error:
        return None
    what, count, hint = POOLS[error]
    return Exhausted(what, count(k), hint, int(k.books.now))
