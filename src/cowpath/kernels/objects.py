"""How large the kernel's objects are: data, by release (``objects.toml``)."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

from cowpath.kernel.objects import IN_BYTES, OBJECTS, POINTER

Release = tuple[int, ...]


@cache
def sizes(release: Release) -> tuple[int, ...]:
    """By an object's number, what a charge for it takes: bytes, or pages. Of a release that charges for none: 0."""
    table = _table()
    return tuple(_from(table[name], release) + (POINTER if name in IN_BYTES else 0) for name in OBJECTS)


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
