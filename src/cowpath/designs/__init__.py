"""Designs of the fault path: what is other than in a kernel. TOML files, checked when they are loaded."""

from __future__ import annotations

from .design import Design, diff, every_name, from_data, has_memory_high, load, names, to_data

__all__ = ["Design", "diff", "every_name", "from_data", "has_memory_high", "load", "names", "to_data"]
