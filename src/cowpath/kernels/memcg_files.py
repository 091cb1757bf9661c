"""Which files of cgroup v2 a kernel has, and which keys stand in them: data, by profile (``memcg_files.toml``)."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from cowpath.kernel import names as n

EINVAL = 22
SWAPPINESS = "memory.reclaim swappiness"  # in ``refused``: memory.reclaim takes no "swappiness="


@dataclass(frozen=True)
class MemcgFiles:
    """The files of a kernel, in its order, and the keys of two of them."""

    files: tuple[str, ...]
    events: tuple[str, ...]  # memory.events
    stat: tuple[str, ...]  # memory.stat
    uncounted: tuple[str, ...]  # keys of memory.stat that stay 0
    refused: tuple[str, ...]  # what it answers EINVAL to, and later kernels take


@cache
def load(kernel: str) -> MemcgFiles:
    """Those of a profile that has v2."""
    found = _every()[kernel]
    files, events, stat = (tuple(found[key].split()) for key in ("files", "events", "stat"))
    uncounted = tuple(found.get("uncounted", "").split())
    return MemcgFiles(files, events, stat, uncounted, tuple(found["refused"]))


def known() -> tuple[str, ...]:
    """The profiles that the table knows."""
    return tuple(_every())


@cache
def _every() -> dict[str, dict[str, Any]]:
    text = (resources.files("cowpath") / "kernels" / "memcg_files.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def adapted(ops: Any, kernel: str) -> Any:
    """A session's instructions, with those that this kernel answers EINVAL to replaced by that answer."""
    refused = load(kernel).refused
    sets = ops["code"] == n.OP_CG_SET
    bad = np.zeros(len(ops), dtype=bool)
    for name in refused:
        if name == SWAPPINESS:
            bad |= sets & (ops["b"] == n.CG_RECLAIM) & (ops["d"] != 0)
        else:
            bad |= sets & (ops["b"] == n.CG_FILES.index(name))
    if not bad.any():
        return ops
    ops = ops.copy()
    ops[bad] = np.zeros(1, ops.dtype)
    ops["code"][bad], ops["a"][bad] = n.OP_STATUS, EINVAL
    return ops
