"""The case book: Linux's bugs of this family, each with a design before and one after, and cases that show it."""

from __future__ import annotations

from .entry import Entry, Trial, find, load
from .orders import Searched, search_all
from .trials import Back, Outcome, brought_back, run

__all__ = [
    "Back", "Entry", "Outcome", "Searched", "Trial", "brought_back", "find", "load", "run", "search_all",
]  # fmt: skip
