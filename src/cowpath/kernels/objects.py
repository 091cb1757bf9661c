"""How large the kernel's objects are: data, by release (``objects.toml``)."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from cowpath.kernel.objects import IN_BYTES, OBJECTS, POINTER

PERCPU = "memcg_percpu"  # what it costs to know whose it is depends on its size (memcg_objects)
Release = tuple[int, ...]


@cache
def sizes(release: Release) -> tuple[int, ...]:
    """By an object's number, what a charge for it takes: bytes, or pages. Of a release that charges for none: 0."""
    table = _table()
    bare = {name: _from(table[name], release) for name in OBJECTS}
    has_pointer = {*IN_BYTES} - {PERCPU}
    return tuple(size + POINTER if size and name in has_pointer else size for name, size in bare.items())


def _from(by_release: dict[Release, int], release: Release) -> int:
    before = [since for since in by_release if since <= release]
    return by_release[max(before)] if before else 0


@cache
def _table() -> dict[str, dict[Release, int]]:
    text = (resources.files("cowpath") / "kernels" / "objects.toml").read_text(encoding="utf-8")
    parts = tomllib.loads(text)
    return {name: _by_release(row) for part in parts.values() for name, row in part.items()}


def _by_release(row: dict[str, int]) -> dict[Release, int]:
    return {tuple(map(int, since.split("."))): size for since, size in row.items()}
