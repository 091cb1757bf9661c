"""What a search has decided so far, a line per order: an interrupted search goes on from there."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any, TextIO

from .measures import KINDS, Costly
from .suite import Failure


def _kind_of(entry: dict[str, Any]) -> type[Failure | Costly]:
    """Which of the outcomes has these fields."""
    return next(kind for kind in (Failure, *KINDS) if {each.name for each in fields(kind)} == set(entry))


class Journal:
    """A file of JSON lines. A line that was cut off by the end of the process counts as not there."""

    def __init__(self, file: Path, fresh: bool) -> None:
        self.file = file
        self._lines: TextIO | None = None
        if fresh:
            self.drop()

    def read(self, orders: int) -> dict[int, Failure | Costly]:
        """The outcomes of an earlier search, by the order's number."""
        found: dict[int, Failure | Costly] = {}
        try:
            lines = self.file.read_text(encoding="utf-8").split("\n")
        except OSError:
            return found
        for line in lines[:-1]:
            try:
                entry: dict[str, Any] = json.loads(line)
                at = int(entry.pop("order"))
                if 0 <= at < orders:
                    found[at] = _kind_of(entry)(**entry)
            except (ValueError, TypeError, KeyError, AttributeError, StopIteration):
                continue
        return found

    def write(self, at: int, outcome: Failure | Costly) -> None:
        """Add a line."""
        if self._lines is None:
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self._lines = self.file.open("a", encoding="utf-8", buffering=1)
        self._lines.write(json.dumps({"order": at, **vars(outcome)}) + "\n")

    def close(self) -> None:
        """What is written is whole."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None

    def drop(self) -> None:
        """The search is over: nothing is left to go on from."""
        self.file.unlink(missing_ok=True)
