"""Designs of the fault path: TOML files, checked when they are loaded."""

from __future__ import annotations

from .design import Design, diff, load, names

__all__ = ["Design", "diff", "load", "names"]
