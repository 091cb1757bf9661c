"""What a file held, what it did not, and what is taken instead: told when it is imported, and kept in the recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cowpath.programs.tables import Tables

NAMES_SHOWN = 4  # of events
LINES_SHOWN = 3  # of those that were not understood
LINE_SHOWN = 100  # characters of one


@dataclass
class Account:
    """Of one file. ``gaps`` are the signs that something is missing that the recorded machine had seen."""

    format: str  # what the file is, in words
    found: dict[str, int] = field(default_factory=dict)  # what, how many
    instead: dict[str, str] = field(default_factory=dict)  # what such a file has not: what the model assumes
    gaps: list[str] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)  # events that are of no use here, by name
    header: dict[str, str] = field(default_factory=dict)  # what the file says of machine and command
    odd: int = 0  # lines that were not understood
    odd_lines: list[str] = field(default_factory=list)  # the first of them

    def read(self, lines: Iterable[str], reads: Callable[[str], bool]) -> bool:
        """Give each line to its reader, who says whether it understands it. True: the last one has no end."""
        last = "\n"
        for number, line in enumerate(lines, 1):
            last = line
            if not reads(line):
                self.not_understood(number, line)
        return not last.endswith("\n")

    def was_cut_off(self) -> None:
        """The last line has no end."""
        self.gaps.append("the last line has no end: the file was cut off")

    def not_understood(self, number: int, line: str) -> None:
        """A line, counted from 1, that is none of the format's."""
        self.odd += 1
        if self.odd <= LINES_SHOWN:
            text = line.strip()
            self.odd_lines.append(f"line {number}: {text[:LINE_SHOWN]}{'...' if len(text) > LINE_SHOWN else ''}")

    def all_gaps(self) -> list[str]:
        """The signs that the recording is not whole; none is no proof that it is, for a text has no checksum."""
        odd = [f"{self.odd:,} lines were not understood: {'; '.join(self.odd_lines)}"] if self.odd else []
        return [*self.gaps, *odd]

    def origin(self) -> Mapping[str, Any]:
        """What the recording keeps of it."""
        return {
            "format": self.format,
            "found": {what: count for what, count in self.found.items() if count},
            "ignored": dict(self.ignored.most_common()),
            "instead": dict(self.instead),
            "gaps": self.all_gaps(),
            "whole": False if self.all_gaps() else None,  # no file that is read here can prove it
            "header": dict(self.header),
        }


def told(origin: Mapping[str, Any]) -> list[str]:
    """A recording's origin in words, a line each; none where it was made from tables."""
    if "format" not in origin:
        return []
    lines = [f"{origin['format']}: " + ", ".join(f"{count:,} {what}" for what, count in origin["found"].items())]
    ignored = [f"{name} ({count:,})" for name, count in origin["ignored"].items()]
    if ignored:
        more = f" and {len(ignored) - NAMES_SHOWN} more" if len(ignored) > NAMES_SHOWN else ""
        lines.append(f"of no use here, left out: {', '.join(ignored[:NAMES_SHOWN])}{more}")
    lines += [f"not in the file: {what}; instead: {instead}" for what, instead in origin["instead"].items()]
    lines += [f"not whole: {gap}" for gap in origin["gaps"]]
    if origin["whole"] is None:
        lines.append("whole? nothing in it says that something is missing; it has no checksum to prove it by")
    return lines


@dataclass(frozen=True)
class Reading:
    """A file's tables, and the account of how they came about."""

    tables: Tables
    account: Account
    begin_ns: int = 0  # the file's own time at which theirs begin
    lost: int = 0  # events that the recorder had no room for
