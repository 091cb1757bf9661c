"""Designs of the fault path: what is other than in a kernel. TOML files, checked when they are loaded."""

from __future__ import annotations

from .design import Design, charges_page_tables, diff, from_data, has_memory_high, load, names, to_data
from .told import kernel_lines, kernel_told, kernels_told, notes_of

__all__ = [
    "Design", "charges_page_tables", "diff", "from_data", "has_memory_high", "kernel_lines",
    "kernel_told", "kernels_told", "load", "names", "notes_of", "to_data",
]  # fmt: skip
