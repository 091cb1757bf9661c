"""Designs of the fault path: TOML files, checked when they are loaded."""

from __future__ import annotations

from .design import Design, diff, from_data, has_memory_high, load, names, to_data

__all__ = ["Design", "diff", "from_data", "has_memory_high", "load", "names", "to_data"]
