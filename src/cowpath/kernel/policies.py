"""The table of policies: what a kernel sets besides its paths, and a design may change. What made the difference, too.

A policy is a field of the state, which holds the place of the design's value in ``values``: the first is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Policy:
    """A policy."""

    name: str  # in a design's file
    field: str  # of the state
    values: tuple[Any, ...]  # by the number that stands in the state
    commit: str  # that made the other value
    release: str  # in which it first was
    meaning: str  # for docs/designs.md

    def number(self, value: Any) -> int:
        """What stands in the state for a value."""
        return self.values.index(value)


POLICIES = (
    Policy(
        "oom_lock", "oom_counter", ("flag", "counter"), "79dfdaccd1d5", "3.1",
        "who may kill: only the first of those in the OOM section, by a count (3.0), or one at a time (79dfdaccd1d5)",
    ),
    Policy(
        "page_lock_wait", "killable_lock", ("uninterruptible", "killable"), "37b23e0525d3", "3.0",
        "whether SIGKILL ends a fault's wait for a page lock (37b23e0525d3)",
    ),
    Policy(
        "fault_retry", "allow_retry", (False, True), "d065bd810b6d", "2.6.37",
        "whether a fault drops `mmap_sem` while it waits for a page lock (d065bd810b6d)",
    ),
    Policy(
        "context_readahead", "context_readahead", ("any", "longer"), "2cad40180197", "3.12",
        "pages in the cache before it that make a `read` a stream's: any, or more than it reads (2cad40180197)",
    ),
)  # fmt: skip
BY_NAME = {policy.name: policy for policy in POLICIES}
